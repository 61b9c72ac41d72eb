"""PartialValue: the value of an extraction as far as it has come, out of the events of one answer."""

from __future__ import annotations

from typing import Any, Final

from sansio_claude._message.blocks import TextBlock
from sansio_claude._message.tool_blocks import ToolUseBlock
from sansio_claude._partial_json.parser import PartialJSON
from sansio_claude._stream.events import ContentBlockStart, ContentBlockStop, Event, InputJSONDelta, TextDelta

__all__ = ["PartialValue"]

# A copy may be made for each of this many characters of the value, counted against all that came since the last one.
_COPIED_PER_CHARACTER: Final = 64


class PartialValue:
    """Reads the first tool call of a name, or the first text that is a JSON object.

    Each copy of the value costs as much as the value is long, so copies are paid for by what has come: all of them
    together are linear in the answer.
    """

    def __init__(self, name: str, *, structured: bool) -> None:
        self._name = name
        self._structured = structured
        self._index: int | None = None
        self._parser = PartialJSON()
        self._length = 0
        self._paid = 0
        self._shown = 0
        self._closed = False

    def receive(self, event: Event) -> Any:
        """The value so far, detached, where this event makes it longer and a copy is paid for; else None."""
        if self._closed:
            return None
        if isinstance(event, ContentBlockStart):
            return self._begin(event)
        if isinstance(event, ContentBlockStop) and event.index == self._index:
            return self._end()
        if event.type != "content_block_delta" or getattr(event, "index", None) != self._index:
            return None
        if isinstance(event, InputJSONDelta) and not self._structured:
            return self._feed(event.partial_json)
        return self._feed(event.text) if isinstance(event, TextDelta) and self._structured else None

    def _begin(self, event: ContentBlockStart) -> Any:
        block = event.content_block
        if self._index is not None:
            return None
        if self._structured and isinstance(block, TextBlock):
            self._index, self._parser, self._length = event.index, PartialJSON(), 0
            return self._feed(block.text)
        if not self._structured and isinstance(block, ToolUseBlock) and block.name == self._name:
            self._index = event.index
        return None

    def _feed(self, text: str) -> Any:
        # A parser of its own: the stream's knows all that has been received, which may be events ahead.
        self._parser.feed(text)
        self._length += len(text)
        self._paid += _COPIED_PER_CHARACTER * len(text)
        return self._copied() if self._paid >= self._length else None

    def _end(self) -> Any:
        if self._structured and not isinstance(self._parser.value, dict):
            self._index = None  # a text before the answer: the next one may be it
            return None
        self._closed = True
        return self._copied() if self._shown < self._length else None

    def _copied(self) -> Any:
        self._paid, self._shown = 0, self._length
        value = self._parser.snapshot()
        return value if isinstance(value, dict) else None
