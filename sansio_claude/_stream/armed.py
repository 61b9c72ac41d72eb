"""Armed: what a stream knows of the open block whose deltas it takes without decoding their events.

A stream has one, or None, and makes a new one when another block starts. It holds how the block's deltas begin in the
API's own spelling, where their texts go, and how their events are made.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, Protocol

from sansio_claude._message.block import Block
from sansio_claude._message.blocks import TextBlock, ThinkingBlock
from sansio_claude._message.tool_blocks import MCPToolUseBlock, ServerToolUseBlock, ToolUseBlock
from sansio_claude._stream.events import Event, InputJSONDelta, TextDelta, ThinkingDelta

__all__ = ["Armed", "armed_for", "new_event"]

new_event: Final = object.__new__
"""What makes the event of a delta, whose three fields are set at once: `__init__` takes half as long again."""
_TOOL: Final = (b'"input_json_delta","partial_json":"', InputJSONDelta)
# By the class of the block: how its deltas are spelled behind their index up to the text, and their class.
_SPELLINGS: Final[dict[type | None, tuple[bytes, type]]] = {
    TextBlock: (b'"text_delta","text":"', TextDelta),
    ThinkingBlock: (b'"thinking_delta","thinking":"', ThinkingDelta),
    ToolUseBlock: _TOOL,
    ServerToolUseBlock: _TOOL,
    MCPToolUseBlock: _TOOL,
}


class Pieces(Protocol):
    """Where the texts of a block go: its list of pieces, mostly, to which CPython appends without a call."""

    def append(self, text: str, /) -> None: ...
    def extend(self, texts: list[str], /) -> None: ...


class _Nowhere:
    """Where no content is kept."""

    def append(self, text: str, /) -> None: ...
    def extend(self, texts: list[str], /) -> None: ...


class _ReadAsJSON:
    """A text that is read as JSON, too: many deltas are one to that."""

    __slots__ = ("append",)

    def __init__(self, block: TextBlock) -> None:
        self.append = block._append

    def extend(self, texts: list[str], /) -> None:
        self.append("".join(texts))


_NOWHERE: Final = _Nowhere()


class Armed:
    """The open block `index`: how its deltas begin, which class their events have, and where one text goes."""

    __slots__ = ("index", "kind", "opening", "pieces")

    def __init__(self, index: int, kind: type, opening: bytes, block: Block | None) -> None:
        self.index = index
        self.kind = kind
        self.opening = opening
        self.pieces: Pieces
        if block is None:
            self.pieces = _NOWHERE
        elif type(block) is TextBlock and block._as_json is not None:
            self.pieces = _ReadAsJSON(block)
        else:
            self.pieces = block._pieces  # type: ignore[attr-defined]  # each class in _SPELLINGS has them

    def extend(self, texts: list[str]) -> list[Event]:
        """Take many texts; gives their events."""
        self.pieces.extend(texts)
        return _MANY[self.kind](self.index, texts)

    def events(self, texts: list[str]) -> list[Event]:
        """The events of these texts, for who keeps no content."""
        return _MANY[self.kind](self.index, texts)


# A loop for each class: one function for all would ask about the class, and set the text by name, for each event.


def _text_deltas(index: int, texts: list[str]) -> list[Event]:
    events: list[Event] = []
    for text in texts:
        event: TextDelta = new_event(TextDelta)
        event.index = index
        event.text = text
        event.extra = None
        events.append(event)
    return events


def _input_json_deltas(index: int, texts: list[str]) -> list[Event]:
    events: list[Event] = []
    for text in texts:
        event: InputJSONDelta = new_event(InputJSONDelta)
        event.index = index
        event.partial_json = text
        event.extra = None
        events.append(event)
    return events


def _thinking_deltas(index: int, texts: list[str]) -> list[Event]:
    events: list[Event] = []
    for text in texts:
        event: ThinkingDelta = new_event(ThinkingDelta)
        event.index = index
        event.thinking = text
        event.extra = None
        events.append(event)
    return events


_MANY: Final[dict[type, Callable[[int, list[str]], list[Event]]]] = {
    TextDelta: _text_deltas,
    InputJSONDelta: _input_json_deltas,
    ThinkingDelta: _thinking_deltas,
}


def armed_for(index: int, kind: type[Block] | None, block: Block | None) -> Armed | None:
    """What is known of the open block `index` of the class `kind`; None where its deltas have no usual spelling.

    `block` is None where no content is kept.
    """
    spelling = _SPELLINGS.get(kind)
    if spelling is None:
        return None
    return Armed(index, spelling[1], _opening(index, spelling[0]), block)


@lru_cache(maxsize=1024)
def _opening(index: int, spelled: bytes) -> bytes:
    data = b'{"type":"content_block_delta","index":%d,"delta":{"type":%b' % (index, spelled)
    return b"event: content_block_delta\ndata: " + data
