"""One content block on its way through a repair: what it is, where it goes, what has come of it."""

from __future__ import annotations

from typing import Any, Final

from sansio_claude._errors import LimitError
from sansio_claude._json import check_input_depth
from sansio_claude._message.blocks import CompactionBlock, ContentBlock, TextBlock, ThinkingBlock, UnknownBlock
from sansio_claude._message.tool_blocks import ToolInputBlock
from sansio_claude._stream.events import InputJSONDelta, TextDelta, ThinkingDelta

__all__ = ["FITS", "STRING_OF", "MendBlock", "delta_of_half", "empty_block", "grows", "grows_by"]

# The key of each delta that carries a string.
STRING_OF: Final[dict[str, str]] = {
    "text_delta": "text",
    "input_json_delta": "partial_json",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
}
# What each kind of delta may be applied to; an unknown block takes any.
FITS: Final[dict[str, type]] = {
    "text_delta": TextBlock,
    "citations_delta": TextBlock,
    "thinking_delta": ThinkingBlock,
    "signature_delta": ThinkingBlock,
    "input_json_delta": ToolInputBlock,
    "compaction_delta": CompactionBlock,
}
# The start of a block that nobody sent, where its kind follows from its first delta. A call has an id and a name,
# which would have to be invented.
_STARTS: Final[dict[str, dict[str, Any]]] = {
    "text_delta": {"type": "text", "text": ""},
    "citations_delta": {"type": "text", "text": ""},
    "thinking_delta": {"type": "thinking", "thinking": "", "signature": ""},
    "signature_delta": {"type": "thinking", "thinking": "", "signature": ""},
}


def empty_block(delta_type: str) -> dict[str, Any] | None:
    """The block that a delta of this type belongs to, empty; None where that would have to be invented."""
    start = _STARTS.get(delta_type)
    return None if start is None else dict(start)


# The deltas whose text grows, so that half a character may wait for the next: their key, and the class of the event.
_GROWS: Final[dict[str, tuple[str, type]]] = {
    "text_delta": ("text", TextDelta),
    "thinking_delta": ("thinking", ThinkingDelta),
    "input_json_delta": ("partial_json", InputJSONDelta),
}
_TYPE_OF: Final[dict[type, str]] = {made: kind for kind, (_, made) in _GROWS.items()}


def grows_by(kind: str) -> tuple[str, type] | None:
    """Of a delta of this type whose text grows: its key, and the class of its event."""
    return _GROWS.get(kind)


def grows(block: type) -> tuple[str, type] | None:
    """`grows_by` of the deltas of a block of this class, whose start may carry text, too."""
    if issubclass(block, TextBlock):
        return _GROWS["text_delta"]
    return _GROWS["thinking_delta"] if issubclass(block, ThinkingBlock) else None


def delta_of_half(made: type, half: str) -> dict[str, str]:
    """The delta for half a character that stayed alone: U+FFFD, or in a tool input the half itself."""
    kind = _TYPE_OF[made]
    return {"type": kind, _GROWS[kind][0]: half if made is InputJSONDelta else "\ufffd"}


class MendBlock:
    """A block that has started. `came` is the index it came with, `index` the one it goes out with."""

    __slots__ = ("came", "index", "input", "kind", "once", "parts", "stopped")

    def __init__(self, block: ContentBlock, came: int, index: int) -> None:
        self.kind: type[ContentBlock] = type(block)
        self.came = came
        self.index = index
        self.stopped = False
        raw = block.raw
        self.input: Any = raw.get("input")  # as its start gave it
        self.parts: list[str] = []  # the fragments of its input
        # Whether what comes once has come: a signature, or the content of a compaction.
        self.once = bool(
            (self.kind is ThinkingBlock and raw.get("signature"))
            or (self.kind is CompactionBlock and raw.get("content"))
        )

    @property
    def name(self) -> str:
        """The type of the block, for words."""
        return self.kind._type_name or "block of an unknown kind"

    @property
    def tool(self) -> bool:
        """Whether it is a call of any kind."""
        return issubclass(self.kind, ToolInputBlock)

    def takes(self, delta_type: str) -> bool:
        """Whether a delta of this type may be for this block."""
        fits = FITS.get(delta_type)
        return fits is None or issubclass(self.kind, (fits, UnknownBlock))

    def check_depth(self, depth: int) -> None:
        """Raise LimitError where the text of its input nests deeper than `depth`, as the reader does where it ends."""
        if self.parts:
            check_input_depth("".join(self.parts), depth)

    def ended_input(self, depth: int) -> ToolInputBlock:
        """The block of a call as a reader has it when the block has ended: its input, and whether that is whole.

        Raises LimitError where the text of the input nests deeper than `depth`. Linear in its length.
        """
        assert issubclass(self.kind, ToolInputBlock)
        block = self.kind({"input": self.input})._growing()
        block._max_depth = depth
        block._append("".join(self.parts))
        block._end_input()
        return block

    def input_is_whole(self, depth: int) -> bool:
        """Whether its input, as it stands, is one whole JSON object within `depth`. Linear in its length."""
        try:
            block = self.ended_input(depth)
        except LimitError:
            return False
        return block._is_unsettled or block.input_status == "complete"
