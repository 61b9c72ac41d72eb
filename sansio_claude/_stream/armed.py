"""Armed: what a stream knows of the open block whose deltas it takes without decoding their events.

A stream has one, or None, and makes a new one when another block starts. It holds how the block's deltas begin in the
API's own spelling, where their texts go, and how their events are made.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from sansio_claude._message.block import Block
from sansio_claude._message.blocks import TextBlock, ThinkingBlock
from sansio_claude._message.tool_blocks import MCPToolUseBlock, ServerToolUseBlock, ToolUseBlock
from sansio_claude._stream.events import Event, InputJSONDelta, TextDelta, ThinkingDelta

__all__ = ["Armed", "armed_for"]

_new: Final = object.__new__  # the Python-level __init__ of an event takes half as long again
_TOOL: Final = (b'"input_json_delta","partial_json":"', InputJSONDelta)
# By the class of the block: how its deltas are spelled behind their index up to the text, and their class.
_SPELLINGS: Final[dict[type, tuple[bytes, type]]] = {
    TextBlock: (b'"text_delta","text":"', TextDelta),
    ThinkingBlock: (b'"thinking_delta","thinking":"', ThinkingDelta),
    ToolUseBlock: _TOOL,
    ServerToolUseBlock: _TOOL,
    MCPToolUseBlock: _TOOL,
}


class Armed:
    """The open block `index`: how its deltas begin, where one text goes, and what makes the event of a text."""

    __slots__ = ("_extend", "append", "event", "index", "opening")

    def __init__(self, index: int, kind: type, opening: bytes, block: Block | None) -> None:
        self.index = index
        self.event = _maker(kind, index)
        self.opening = opening
        self.append: Callable[[str], object] = _drop
        self._extend: Callable[[list[str]], object] = _drop
        if isinstance(block, TextBlock) and block._as_json is not None:
            # The text is read as JSON, too: many deltas are one to that.
            append = self.append = block._append
            self._extend = lambda texts: append("".join(texts))
        elif block is not None:
            pieces: list[str] = block._pieces  # type: ignore[attr-defined]  # each class in _SPELLINGS has them
            self.append = pieces.append
            self._extend = pieces.extend

    def extend(self, texts: list[str]) -> list[Event]:
        """Take many texts; gives their events."""
        self._extend(texts)
        return list(map(self.event, texts))


def _maker(kind: type, index: int) -> Callable[[str], Event]:
    """What makes the event of one delta of the block `index`."""

    def text_delta(text: str) -> Event:
        event: TextDelta = _new(TextDelta)
        event.index = index
        event.text = text
        event.extra = None
        return event

    def input_json_delta(text: str) -> Event:
        event: InputJSONDelta = _new(InputJSONDelta)
        event.index = index
        event.partial_json = text
        event.extra = None
        return event

    def thinking_delta(text: str) -> Event:
        event: ThinkingDelta = _new(ThinkingDelta)
        event.index = index
        event.thinking = text
        event.extra = None
        return event

    if kind is TextDelta:
        return text_delta
    return input_json_delta if kind is InputJSONDelta else thinking_delta


def _drop(_: object) -> None:
    """Where no content is kept."""


def armed_for(index: int, kind: type[Block] | None, block: Block | None) -> Armed | None:
    """What is known of the open block `index` of the class `kind`; None where its deltas have no usual spelling.

    `block` is None where no content is kept.
    """
    spelling = None if kind is None else _SPELLINGS.get(kind)
    if spelling is None:
        return None
    spelled, delta = spelling
    return Armed(index, delta, _opening(index, spelled), block)


@lru_cache(maxsize=1024)
def _opening(index: int, spelled: bytes) -> bytes:
    data = b'{"type":"content_block_delta","index":%d,"delta":{"type":%b' % (index, spelled)
    return b"event: content_block_delta\ndata: " + data
