"""The checks of conformance: what each requires, where the API says so, and how much it matters.

Severities: "error" breaks programs that are right, "warning" breaks some or loses something, "note" is worth knowing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from attrs import define

from sansio_claude._value import FrozenValue

__all__ = ["CHECKS", "CheckSeverity", "ConformanceCheck", "Finding", "Verdict", "check_of"]

CheckSeverity: TypeAlias = Literal["error", "warning", "note"]
"""How much a failed check matters."""
Verdict: TypeAlias = Literal["passed", "failed", "unseen"]
"""What came of a check; "unseen" where nothing came that it could be made on."""

_DOCS: Final = "https://platform.claude.com/docs/en/"
_STREAMING: Final = _DOCS + "build-with-claude/streaming"
_MESSAGES: Final = _DOCS + "api/messages/create"
_ERRORS: Final = _DOCS + "api/errors"
_TOOLS: Final = _DOCS + "agents-and-tools/tool-use/overview"
_THINKING: Final = _DOCS + "build-with-claude/extended-thinking"
_STOP: Final = _DOCS + "build-with-claude/handling-stop-reasons"
_OVERVIEW: Final = _DOCS + "api/overview"
_BETA: Final = _DOCS + "api/beta-headers"
_COUNT: Final = _DOCS + "api/messages/count_tokens"
_MODELS: Final = _DOCS + "api/models/list"


@define(frozen=True, eq=False, repr=False)
class ConformanceCheck(FrozenValue):
    """One requirement: its `id`, the requirement in a sentence, the page of the API that says so, its severity."""

    id: str
    """Its name, such as "stream.whole"."""
    requirement: str
    """The requirement in a sentence."""
    source: str
    """The page of the API that says so."""
    severity: CheckSeverity
    """How much it matters where it is not met."""


@define(frozen=True, eq=False, repr=False)
class Finding(FrozenValue):
    """What came of one check on one answer. `words` says what was seen; `where` names the answer or the file."""

    check: ConformanceCheck
    """The check that was made."""
    verdict: Verdict
    """Whether the requirement was met."""
    words: str = ""
    """What was seen."""
    where: str = ""
    """The answer or the file that it was seen in."""


def _checks(*rows: tuple[str, CheckSeverity, str, str]) -> Mapping[str, ConformanceCheck]:
    return {name: ConformanceCheck(name, words, source, severity) for name, severity, source, words in rows}


CHECKS: Final[Mapping[str, ConformanceCheck]] = _checks(
    ("stream.content_type", "error", _STREAMING, "A streamed answer has the content type text/event-stream."),
    ("stream.is_stream", "error", _STREAMING, "A request with stream: true is answered by an event stream."),
    ("stream.readable", "error", _STREAMING, "Each event is a JSON object that may stand where it stands."),
    ("stream.whole", "error", _STREAMING, "The stream ends with message_stop, or with an error event."),
    ("stream.event_names", "error", _STREAMING, "Each event has a name, and its JSON has a type equal to it."),
    ("stream.block_events", "error", _STREAMING, "message_start and each block's start come once, each stop comes."),
    ("stream.order", "warning", _STREAMING, "message_delta comes behind the content."),
    ("stream.one_message_delta", "note", _STREAMING, "One message_delta is what the API sends; more are allowed."),
    ("stream.indices", "error", _STREAMING, "Each event of a block has its index; indices count from 0 without gaps."),
    ("stream.deltas", "warning", _STREAMING, "A delta has a type that fits its block and changes what it may change."),
    ("stream.values", "warning", _MESSAGES, "Strings, lists and objects are no null, and nothing required is missing."),
    ("stream.characters", "warning", _MESSAGES, "No delta ends in the middle of a character."),
    ("stream.usage", "error", _STREAMING, "message_start and message_delta have usage, its counters are integers."),
    ("stream.stop_reason", "error", _STOP, "A message_delta gives the stop reason."),
    ("stream.stop_reason_fits", "error", _STOP, "The stop reason is tool_use where the answer ends with calls."),
    ("stream.tool_inputs", "error", _TOOLS, "The input of a call is one JSON object, unless the answer was cut."),
    ("stream.tool_ids", "error", _TOOLS, "Each call has an id of its own of letters, digits, _ and -, and a name."),
    ("stream.signatures", "error", _THINKING, "A thinking block has a signature."),
    ("stream.frames", "warning", _STREAMING, "A blank line ends each event, and nothing but pings follows the last."),
    ("stream.pings", "note", _STREAMING, "ping events keep a stream alive; the API sends one at its beginning."),
    ("whole.content_type", "warning", _MESSAGES, "A whole answer has the content type application/json."),
    ("whole.message", "error", _MESSAGES, "A whole answer is a message: id, type, role, model, content, stop_reason."),
    ("whole.usage", "error", _MESSAGES, "A whole answer has usage, its counters are integers."),
    ("whole.stop_reason", "error", _STOP, "A whole answer has a stop reason."),
    ("auth.api_key", "error", _OVERVIEW, "The key is taken as x-api-key."),
    ("auth.bearer", "warning", _OVERVIEW, "The key is taken as authorization: Bearer."),
    ("auth.wrong_key", "error", _ERRORS, "A wrong key is refused with 401 and authentication_error."),
    ("errors.bad_request", "error", _ERRORS, "A request without messages is refused with 400, invalid_request_error."),
    ("errors.unknown_field", "note", _MESSAGES, "A field that nobody knows is refused with 400."),
    ("errors.shape", "error", _ERRORS, "An error is a JSON object with type error, in it error with type and message."),
    ("errors.status", "error", _ERRORS, "The status of a refusal is that of its error type."),
    ("errors.request_id", "note", _ERRORS, "Each answer has the header request-id."),
    ("beta.flags", "error", _BETA, "A beta flag of the API in anthropic-beta is taken."),
    ("tools.called", "warning", _TOOLS, "tool_choice any makes the answer call a tool."),
    ("tools.parallel", "note", _TOOLS, "Several calls can come in one answer."),
    ("tools.no_arguments", "note", _TOOLS, "A tool without parameters is called with the input {}."),
    ("thinking.comes", "note", _THINKING, "With thinking on, a thinking block comes before the text."),
    ("stop.max_tokens", "warning", _STOP, "max_tokens ends the answer with the stop reason max_tokens."),
    ("count_tokens.offered", "warning", _COUNT, "POST /v1/messages/count_tokens is answered."),
    ("count_tokens.answer", "error", _COUNT, "The answer of count_tokens has input_tokens, an integer."),
    ("models.offered", "warning", _MODELS, "GET /v1/models is answered."),
    ("models.answer", "error", _MODELS, "The answer of models has data, a list of objects with an id, and has_more."),
)
"""Every check, by its id."""


def check_of(name: str) -> ConformanceCheck:
    """The check of this id."""
    return CHECKS[name]
