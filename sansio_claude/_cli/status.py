"""The exit statuses of every command, and which one an answer has."""

from __future__ import annotations

from typing import Final

from sansio_claude._cli.input import Complaint
from sansio_claude._errors import ClaudeError, TransportError, TruncatedError
from sansio_claude._message.message import Message

__all__ = [
    "BROKEN_PIPE",
    "CUT",
    "FAILED",
    "INTERRUPTED",
    "LIMITED",
    "REFUSED",
    "STATUSES",
    "USAGE",
    "finished",
    "of_error",
]

FAILED: Final = 1
USAGE: Final = 2
CUT: Final = 3
LIMITED: Final = 4
REFUSED: Final = 5
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141  # as of a program that SIGPIPE ended

STATUSES: Final[dict[int, str]] = {
    0: "the answer is whole, or the file is what it should be",
    FAILED: "the server said no, could not be reached, or the input is not what it should be",
    USAGE: "the command was not understood",
    CUT: "the answer was cut: what had arrived was written",
    LIMITED: "the answer ended at max_tokens, at the end of the context window or in a pause: it is not whole",
    REFUSED: "the model refused to answer",
    INTERRUPTED: "Ctrl-C",
    BROKEN_PIPE: "whoever read the output left",
}


def of_error(error: ClaudeError) -> int:
    """The status of a failure: a cut where an answer had begun and its connection ended."""
    begun = getattr(error, "partial", None) is not None
    return CUT if begun and isinstance(error, TruncatedError | TransportError) else FAILED


def finished(message: Message | None, *, how_to_go_on: str = "") -> int:
    """0 for an answer that is whole. Raises Complaint, with its status, for one that ended before it was."""
    reason = None if message is None else message.stop_reason
    if reason == "refusal":
        details = message.stop_details if message is not None else None
        category = details.get("category") if isinstance(details, dict) else None
        said = f" ({category})" if isinstance(category, str) and category else ""
        raise Complaint(f"The model refused to answer{said}: what it had written is no answer.", status=REFUSED)
    if reason == "max_tokens":
        raise Complaint(f"The answer ended at max_tokens and is not whole{how_to_go_on}.", status=LIMITED)
    if reason == "model_context_window_exceeded":
        raise Complaint(
            "The answer ended at the end of the context window and is not whole: shorten the conversation.",
            status=LIMITED,
        )
    if reason in ("pause_turn", "compaction"):
        words = "send the conversation with it again to go on, as a run of the client does"
        raise Complaint(f"The answer ended in a pause ({reason}) and is not whole: {words}.", status=LIMITED)
    return 0
