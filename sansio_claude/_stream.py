"""MessageStream: body bytes in, typed events and the message out. The hot path.

It runs the plain chain, SSEDecoder -> decode -> MessageAccumulator, and beside it a fused path for what nearly all
of a stream is: deltas of the open block in the API's own spelling, each a whole event. The fused path takes an event
only when it can prove that the plain chain would give the same one: the bytes before the text are those expected of
the open block, the text holds no escape that needs care, the bytes behind it close the JSON and the event, the text
is legal UTF-8 without control characters. Everything else goes the plain way, so the fused path decides nothing.
A property test holds both equal on good and hostile input in every chunking.

XXX
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, Protocol, final

import msgspec

from sansio_claude._blocks import TextBlock, ThinkingBlock
from sansio_claude._errors import LocalProtocolError
from sansio_claude._events import (
    ContentBlockStart,
    ContentBlockStop,
    Event,
    MessageStop,
    input_json_delta,
    text_delta,
    thinking_delta,
)
from sansio_claude._limits import Limits
from sansio_claude._partial_json import PartialJSON
from sansio_claude._plain_stream import PlainStream, StreamState, as_bytes
from sansio_claude._sse import EVENT_LINES, never_too_large
from sansio_claude._tool_blocks import MCPToolUseBlock, ServerToolUseBlock, ToolUseBlock

__all__ = ["MessageStream", "StreamState"]

_decode_text: Final[Callable[[bytes], str]] = msgspec.json.Decoder(str).decode
_decode_texts: Final[Callable[[bytes], list[str]]] = msgspec.json.Decoder(str).decode_lines

_DATA: Final = b"data: "
_NEXT_LINE: Final = b"\n" + _DATA
_LINE: Final = b"event: content_block_delta"
# As numbers: to look for a bytes in a bytes, CPython first raises and drops an exception, at 0.3 us.
_LF: Final = 10
_CR: Final = 13
# How the deltas that carry text are spelled, behind their index up to the text, and what makes an event of one.
_SPELLINGS: Final[dict[type, tuple[bytes, Callable[[int, str], Event]]]] = {
    TextBlock: (b'"text_delta","text":"', text_delta),
    ThinkingBlock: (b'"thinking_delta","thinking":"', thinking_delta),
    **dict.fromkeys(
        (ToolUseBlock, ServerToolUseBlock, MCPToolUseBlock), (b'"input_json_delta","partial_json":"', input_json_delta)
    ),
}
# The API pads nearly every event with 0 to 15 spaces before its last brace.
_ENDINGS: Final = frozenset(b"}" + b" " * n + b"}" for n in range(64))
_WHOLE_ENDINGS: Final = frozenset(ending + b"\n\n" for ending in _ENDINGS)
_WINDOW: Final = 8 * 1024  # bytes of a read that are taken apart at once
_HELD: Final = 1024  # bytes of an unfinished event that may wait: joined at each read, so it must stay small


@lru_cache(maxsize=1024)
def _spelled(index: int, kind: bytes) -> tuple[bytes, bytes]:
    """What stands before a text of the block at `index`: in its event, and in its data line."""
    mark = b'data: {"type":"content_block_delta","index":%d,"delta":{"type":%b' % (index, kind)
    return _LINE + b"\n" + mark, mark


class _Pieces(Protocol):
    """Where the texts of a block go: its list of pieces, mostly."""

    def append(self, text: str, /) -> None: ...
    def extend(self, texts: list[str], /) -> None: ...


class _Nowhere:
    def append(self, text: str, /) -> None: ...
    def extend(self, texts: list[str], /) -> None: ...


class _Mirrored:
    """The pieces of a text that is read as JSON, too."""

    __slots__ = ("append",)

    def __init__(self, block: TextBlock) -> None:
        self.append = block.receive

    def extend(self, texts: list[str], /) -> None:
        self.append("".join(texts))


_NOWHERE: Final = _Nowhere()


@final
class MessageStream(PlainStream):
    """One streamed answer: body bytes in, typed events and the message out. No I/O, no clock.

        stream = MessageStream()
        stream.receive_data(chunk)
        for event in stream.events_received(): ...
        stream.receive_eof()

    `limits` bounds what is kept, `strict=True` refuses what is otherwise only recorded as a deviation,
    `keep_content=False` keeps no content (see MessageAccumulator), in constant memory and without `Limits.message`.
    """

    __slots__ = (
        "_border",
        "_fusable",
        "_held",
        "_index",
        "_largest",
        "_make",
        "_mark",
        "_opening",
        "_pieces",
        "_ready",
    )

    def __init__(self, *, limits: Limits | None = None, strict: bool = False, keep_content: bool = True) -> None:
        super().__init__(limits=limits, strict=strict, keep_content=keep_content)
        self._largest = never_too_large(self._limits)
        # Up to how many bytes received no limit can be passed, neither that of one event nor that of the whole.
        self._fusable = min(self._largest, self._budget)
        # Whether nothing is held, neither here nor in the decoder: the next byte begins an event.
        self._border = True
        self._held = b""  # the beginning of an event, at most _HELD bytes, that the decoder has not seen
        # The fused path is armed (opening not None) at the border of two events while a block of text, thinking or
        # tool input is open. Ready: the same but for the border.
        self._opening: bytes | None = None
        self._ready: bytes | None = None
        self._mark = b""
        self._index = 0
        self._make: Callable[[int, str], Event] = text_delta
        self._pieces: _Pieces = _NOWHERE

    # Reading.

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take some body bytes; `b""` is a no-op. Never raises for what the peer sent.

        Raises LocalProtocolError after `receive_eof`. After `done` the bytes are ignored (a further event is a
        deviation). Linear in the bytes received, for any chunking.
        """
        opening = self._opening
        if opening is not None and type(data) is bytes:
            behind = data.removeprefix(opening)
            if behind is not data:
                raw, quote, ending = behind.rpartition(b'"')
                received = self._received + len(data)
                if ending in _WHOLE_ENDINGS and received <= self._fusable:
                    try:
                        text = _decode_text(quote + raw + quote)
                    except ValueError:
                        pass  # no one string: looked into below
                    else:
                        self._received = received
                        self._number += 1
                        self._pieces.append(text)
                        event = self._make(self._index, text)
                        if self._events is None:
                            self._events = [event]
                        else:
                            self._events.append(event)
                        return
        if type(data) is not bytes:
            data = as_bytes(data)
        if self._eof:
            raise LocalProtocolError("receive_data after receive_eof: the stream has ended")
        if self._error is None and data and not (self._border and self._whole(data)):
            self._receive(data)

    # The fused path.

    def _whole(self, data: bytes) -> bool:
        """Take one whole event of the usual two lines, LF only: it needs no decoder of lines.

        False where it is anything else, or may pass a limit. Only at the border of two events.
        """
        line, _, rest = data.partition(_NEXT_LINE)
        name = EVENT_LINES.get(line)
        raw = rest.removesuffix(b"\n\n")
        begin = self._received
        received = begin + len(data)
        if name is None or raw is rest or received > self._fusable or _LF in raw or _CR in raw:
            return False
        self._received = received
        refused = self._take(name, raw)
        if refused is not None:
            self._fail(refused, begin, raw)
        self._opening = None if self._error is not None else self._ready
        return True

    def _take_bytes(self, data: bytes) -> None:
        if self._held:
            data = self._release() + data
        self._fusable = min(self._received + self._largest, self._budget)
        if not self._border:
            cut = data.find(b"\n\n") + 2
            if cut == 1:
                self._plain(data)
                return
            self._plain(data[:cut])
            data = data[cut:]
        if not self._border or len(data) > self._largest or _CR in data:
            self._plain(data)
            return
        at = 0
        while at < len(data) and self._error is None:
            end = data.rfind(b"\n\n", at, at + _WINDOW) + 2
            if end == 1:
                end = data.find(b"\n\n", at) + 2
            if end == 1:
                self._rest(data[at:])
                return
            begin = self._received
            taken = self._usual(data[at:end])
            self._received = begin + taken
            if at + taken < end and self._error is None:
                self._plain(data[at + taken : end])
            at = end
        self._opening = self._ready if self._border else None

    def _usual(self, data: bytes) -> int:
        """Take the events of the usual two lines at the front of `data`, which is LF only and ends with a blank line.

        Gives how many bytes they have. The deltas between two other events are taken as one.
        """
        lines = data.split(b"\n")
        mark = self._mark if self._ready is not None else None
        raws: list[bytes] = []
        number = 0  # events taken, without those in `raws`
        for first, second, blank in zip(lines[::3], lines[1::3], lines[2::3], strict=False):
            if mark is not None:
                behind = second.removeprefix(mark)
                if behind is not second:
                    raw, _, ending = behind.rpartition(b'"')
                    if ending in _ENDINGS and first == _LINE and not blank:
                        raws.append(raw)
                        continue
            name = EVENT_LINES.get(first)
            raw = second.removeprefix(_DATA)
            if name is None or raw is second or blank:
                break
            if raws:
                count = self._deltas(raws)
                number += count
                if count < len(raws):
                    raws.clear()
                    break
                raws.clear()
            refused = self._take(name, raw)
            if refused is not None:
                self._fail(refused, self._received + _size(lines[: 3 * number]), raw)
            number += 1
            if self._error is not None:
                break
            mark = self._mark if self._ready is not None else None
        if raws:
            number += self._deltas(raws)
        return len(data) if 3 * number == len(lines) - 1 else _size(lines[: 3 * number])

    def _deltas(self, raws: list[bytes]) -> int:
        """Take deltas of the open block, of each what stands between its quotes, up to one that is no string.

        All are decoded at once, as lines of JSON: a line feed cannot be part of a string, so that as many strings as
        lines are one for each. Gives how many they are.
        """
        texts: list[str] = []
        try:
            texts = _decode_texts(b'"' + b'"\n"'.join(raws) + b'"')
        except ValueError:
            pass
        if len(texts) != len(raws):
            texts = []
            for raw in raws:
                try:
                    texts.append(_decode_text(b'"' + raw + b'"'))
                except ValueError:
                    break
        index, make = self._index, self._make
        events = [make(index, text) for text in texts]
        if self._events is None:
            self._events = events or None
        else:
            self._events += events
        self._number += len(texts)
        self._pieces.extend(texts)
        return len(texts)

    def _rest(self, data: bytes) -> None:
        """The beginning of an event: a short one waits here for the next read."""
        if self._border and len(data) <= _HELD and self._state == "open":
            self._held = data
            self._received += len(data)
            self._opening = None
            self._border = False
        else:
            self._plain(data)

    def _release(self) -> bytes:
        """What waits, as if it had never come."""
        held, self._held = self._held, b""
        self._received -= len(held)
        self._opening = self._ready
        self._border = True
        return held

    def _accepted(self, event: Event) -> None:
        kind = type(event)
        if kind is ContentBlockStart:
            self._arm(event.index)  # type: ignore[union-attr]
        elif kind is MessageStop or (kind is ContentBlockStop and event.index == self._index):  # type: ignore[union-attr]
            self._ready = None

    def _arm(self, index: int) -> None:
        """Get the fused path ready for the deltas of the block that has just started, if it has any."""
        self._ready = None
        block = self._accumulator.open[index]
        spelling = _SPELLINGS.get(type(block))
        if spelling is not None:
            kind, self._make = spelling
            self._index = index
            self._ready, self._mark = _spelled(index, kind)
            self._pieces = block.pieces if self._accumulator.keeps_content else _NOWHERE  # type: ignore[union-attr]

    def partial_output(self, index: int) -> PartialJSON:
        """The text block at `index` read as JSON while it is arriving (structured output, `output_config.format`).

        Asking for it is what begins it; from then on it grows with the stream. Raises LocalProtocolError where there
        is no such block, or where no content is kept.
        """
        parser = super().partial_output(index)
        block = self._accumulator.open.get(index)
        if self._ready is not None and index == self._index and isinstance(block, TextBlock):
            self._pieces = _Mirrored(block)
        return parser

    # Into the plain chain.

    def _plain(self, data: bytes) -> None:
        decoder = self._decoding()
        if self._border and self._received:
            decoder.begin_at(self._received)  # it has not seen what was fused
        self._opening = None
        super()._plain(data)
        self._border = self._error is None and decoder.at_boundary
        if self._border:
            self._opening = self._ready

    def _flush(self) -> None:
        if self._held:
            self._plain(self._release())
        self._ready = self._opening = None


def _size(lines: list[bytes]) -> int:
    """The bytes of these lines, with their line ends."""
    return sum(map(len, lines)) + len(lines)
