"""Deviations: what a peer may do that the protocol does not say, each kind with its sentence, and the dial over them.

A deviation cannot mislead, so by default it is recorded and the stream goes on. `tolerance` decides otherwise for
each kind: "accept" (not recorded), "record", or "refuse" (a RemoteProtocolError). `strict=True` means "refuse" for
every kind that `tolerance` does not name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from attrs import define

from sansio_claude._errors import LocalProtocolError
from sansio_claude._value import FrozenValue

__all__ = ["DEVIATION_KINDS", "Deviation", "DeviationKind", "Tolerance", "Verdict", "verdicts"]

DeviationKind: TypeAlias = Literal[
    "skipped",
    "usage",
    "no_content",
    "no_message_delta",
    "index_order",
    "index_missing",
    "open_block",
    "input",
    "input_without_stop",
    "last_blank_line",
    "empty_value",
    "typeless_delta",
    "kept_key",
    "half_character",
    "foreign_empty_delta",
    "repeated_start",
    "placeholder",
    "twice",
    "role",
    "whole_message",
    "after_message_stop",
    "stop_reason_mismatch",
    "no_message_stop",
]
"""The kinds of deviation. A new one is a minor release."""

DEVIATION_KINDS: Final[Mapping[DeviationKind, str]] = {
    "skipped": "An event carries nothing that could be read: [DONE], empty data, or a ping whose data is no JSON.",
    "usage": "usage is missing, null or no object, or one of its counters is no whole number of 0 or more; the last "
    "good value stays.",
    "no_content": "The content list of message_start is missing or null; it counts as empty.",
    "no_message_delta": "message_delta is missing although message_start had no stop reason, or its delta is null.",
    "index_order": "A block index leaves a gap or goes back; the message has the blocks in the order of their index.",
    "index_missing": "The index of a block's event is missing or null, and only one block can be meant.",
    "open_block": "A block was still open at message_stop.",
    "input": "A tool input is not one whole JSON object at message_stop, and the stop reason does not explain it.",
    "input_without_stop": "A tool block has no content_block_stop; its input is one whole JSON object and is used.",
    "last_blank_line": "The last event has no blank line behind it; its data is one whole JSON object and is used.",
    "empty_value": "null or nothing came where the protocol says a string, a list or an object; it counts as empty.",
    "typeless_delta": "A delta has no type; it has the key of its block's own kind of delta and is taken for that.",
    "kept_key": "A delta asked for a change of a key that stays as it is, or for a value that could not be read back.",
    "half_character": "Half of a surrogate pair stands alone; outside of a tool input U+FFFD stands for it.",
    "foreign_empty_delta": "An empty delta came for a block of another kind; it changes nothing.",
    "repeated_start": "message_start came again with the same id; the second is ignored.",
    "placeholder": "An empty text block of message_start gave way to a block that was started at its index.",
    "twice": "What comes once came again: a signature, a compaction or a content_block_stop. The last value stays.",
    "role": "The role of message_start is another than assistant; what goes back to the API says assistant.",
    "whole_message": "A whole message came where a stream was asked for; it is handed out as the events of a stream.",
    "after_message_stop": "Something that is no white space, comment or ping came after message_stop; it is not read.",
    "stop_reason_mismatch": "The stop reason does not fit the content: tool_use without a call, or end_turn with one.",
    "no_message_stop": "The stream ended without message_stop, which require_message_stop=False allows.",
}
"""What each kind of deviation means, in one sentence."""

Verdict: TypeAlias = Literal["accept", "record", "refuse"]
"""What is done about a kind of deviation: nothing, a record in `deviations`, or a RemoteProtocolError."""

Tolerance: TypeAlias = Mapping[DeviationKind, Verdict]
"""What is done about some kinds of deviation; the others are recorded, or refused under `strict=True`."""

_VERDICTS: Final = ("accept", "record", "refuse")
_RECORD_ALL: Final[Mapping[str, Verdict]] = dict.fromkeys(DEVIATION_KINDS, "record")
_REFUSE_ALL: Final[Mapping[str, Verdict]] = dict.fromkeys(DEVIATION_KINDS, "refuse")


@define(frozen=True, eq=False, repr=False)
class Deviation(FrozenValue):
    """Something the peer did that the protocol does not say.

    `kind` is one of `DeviationKind`, `event_number` counts the stream's events from 1 (the event it was seen in),
    `words` says it for people.
    """

    kind: DeviationKind
    event_number: int
    words: str


def verdicts(tolerance: Tolerance | None, strict: bool) -> Mapping[str, Verdict]:
    """What is done about each kind. Raises LocalProtocolError for an unknown kind or verdict in `tolerance`."""
    base = _REFUSE_ALL if strict else _RECORD_ALL
    if tolerance is None:
        return base
    asked: Any = tolerance
    if not isinstance(asked, Mapping):
        raise LocalProtocolError(
            f"tolerance is a mapping from a kind of deviation to a verdict, not {asked!r:.80}", path="tolerance"
        )
    for kind, verdict in asked.items():
        if kind not in base:
            known = ", ".join(base)
            raise LocalProtocolError(
                f"tolerance: there is no kind {kind!r:.80}; the kinds are {known}", path="tolerance"
            )
        if verdict not in _VERDICTS:
            words = f"tolerance[{kind!r}] is one of {', '.join(map(repr, _VERDICTS))}, not {verdict!r:.80}"
            raise LocalProtocolError(words, path="tolerance")
    return {**base, **asked}
