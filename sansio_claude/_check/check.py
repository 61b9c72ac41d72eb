"""`request.check()`: what the API is known to refuse, ignore or advise against, named before anything is sent.

Pure: it changes nothing, sends nothing, and nothing calls it but the caller. A rule that would need to know more of
a model than `_models` does says nothing; a request without problems here may still be refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sansio_claude._check.messages import check_messages
from sansio_claude._check.model import check_model
from sansio_claude._check.problem import Problem, Severity, Subject
from sansio_claude._check.tools import check_tools
from sansio_claude._errors import LocalProtocolError
from sansio_claude._http.headers import check_headers, merge_betas
from sansio_claude._json import WRITTEN_DEPTH, loads_input
from sansio_claude._models import model_info
from sansio_claude._request.request import set_rules

if TYPE_CHECKING:
    from sansio_claude._request.request import MessageRequest

__all__ = ["Problem", "Severity", "check"]


def check(request: MessageRequest, version: str = "2023-06-01", betas: Sequence[str] = ()) -> list[Problem]:
    """The problems of a request; `version` and `betas` are what endpoint and client add. Never raises.

    Linear in the size of the request, which is written and read once for it.
    """
    problems: list[Problem] = []
    flags: tuple[str, ...] = ()
    try:
        given = check_headers(request.extra_headers, "extra_headers")
        flags = merge_betas(betas, request.betas, given.get("anthropic-beta"))
    except LocalProtocolError as error:
        problems.append(Problem("error", error.path or "betas", error.message))
    try:
        data = request.body()
    except LocalProtocolError as error:
        # What cannot be written cannot be looked at as the server would.
        return [*problems, Problem("error", error.path or "", error.message)]
    body = loads_input(data.decode(), depth=WRITTEN_DEPTH)
    subject = Subject(body, len(data), flags, version, model_info(body.get("model")))
    problems += check_model(subject)
    problems += check_messages(subject)
    problems += check_tools(subject)
    return problems


set_rules(check)
