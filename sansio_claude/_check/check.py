"""`check()`: what the API is known to refuse, ignore or advise against, named before anything is sent.

Pure: it changes nothing and sends nothing, and nothing calls it but the caller. A rule that would need to know more
of a model than `_models` does says nothing; a request without problems here may still be refused.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from sansio_claude._check.beta import check_beta
from sansio_claude._check.cache import check_cache
from sansio_claude._check.calls import check_calls
from sansio_claude._check.media import check_media
from sansio_claude._check.messages import check_messages
from sansio_claude._check.model import check_model
from sansio_claude._check.options import check_options
from sansio_claude._check.problem import Problem, Severity, Subject
from sansio_claude._check.text import check_text
from sansio_claude._check.tools import check_tools
from sansio_claude._errors import LimitError, RemoteProtocolError
from sansio_claude._json import WRITTEN_DEPTH, loads_input
from sansio_claude._models import AS_OF, day_of, model_info

__all__ = ["Problem", "Severity", "check"]

_RULES = (
    check_model,
    check_beta,
    check_options,
    check_messages,
    check_calls,
    check_media,
    check_cache,
    check_tools,
)


def check(
    data: bytes,
    *,
    version: str = "2023-06-01",
    flags: Sequence[str] = (),
    date: str | datetime.date = AS_OF,
) -> list[Problem]:
    """The problems of a request's body, given as the JSON that would be sent.

    `version` is the anthropic-version header; `flags` are all beta flags of the request: those of the endpoint, the
    client and the request itself; `date` is the day for which deprecations and retirements are judged. Raises
    LocalProtocolError for a date that is none, and nothing for any data. Linear in the size of the body.
    """
    day = day_of(date)
    try:
        body = loads_input(data.decode(), depth=WRITTEN_DEPTH)
    except (RemoteProtocolError, LimitError, UnicodeDecodeError) as error:
        return [Problem("error", "", f"the body cannot be read as JSON: {error}")]
    if not isinstance(body, dict):
        return [Problem("error", "", "the body has to be a JSON object with model, max_tokens and messages")]
    subject = Subject(body, len(data), tuple(flags), version, model_info(body.get("model")), day)
    problems = [problem for rule in _RULES for problem in rule(subject)]
    return [*problems, *check_text(body, data)]
