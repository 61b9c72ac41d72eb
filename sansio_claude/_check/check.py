"""`request.check()`: what the API is known to refuse, ignore or advise against, named before anything is sent.

Pure: it changes nothing, sends nothing, and nothing calls it but the caller. A rule that would need to know more of
a model than `_models` does says nothing; a request without problems here may still be refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from sansio_claude._check.messages import check_messages
from sansio_claude._check.model import check_model
from sansio_claude._check.problem import Problem, Severity, Subject
from sansio_claude._check.tools import check_tools
from sansio_claude._json import WRITTEN_DEPTH, loads_input
from sansio_claude._models import model_info

__all__ = ["Problem", "Severity", "check"]


def check(data: bytes, *, version: str = "2023-06-01", flags: Sequence[str] = ()) -> list[Problem]:
    """The problems of a request's body, given as the JSON that would be sent.

    `version` is the anthropic-version header, `flags` are all beta flags of the request: those of the endpoint, the
    client and the request itself. Never raises. Linear in the size of the body, which is read once.
    """
    body = loads_input(data.decode(), depth=WRITTEN_DEPTH)
    subject = Subject(body, len(data), tuple(flags), version, model_info(body.get("model")))
    return [*check_model(subject), *check_messages(subject), *check_tools(subject)]
