"""MessageStream: body bytes in, typed events and the message out. The hot path.

It runs the plain chain, SSEDecoder -> decode -> MessageAccumulator, and beside it two shorter ways for what nearly
all of a stream is:

* an event of the usual two lines goes to `decode` without a decoder of lines;
* a delta of the block that started last, in the API's own spelling, goes without `decode`, too: the bytes before its
  text are compared with those expected, the bytes behind it with those that close the JSON, and what stands between
  is decoded as one JSON string, by the library that the plain chain has. Not one string: no such delta.

Everything else goes the plain way, so neither decides anything. A property test holds both equal to the plain chain
on good and hostile input in every chunking.

What was measured of the kernels alone (CPython 3.11, in costs of a typed msgspec decode of the same payload, about
0.32 us), with making the event. One event a call: as it stands 1.5; the text looked through with partition,
isprintable and a search for escapes 1.5, but 3 with escapes; the standard library's string scanner 2.1; a regular
expression 2.4. Many events a call: as it stands 1.9; split at all that stands between two texts 2.0, and in vain
where other events come in between; each text decoded for itself 2.2.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, Protocol, final

import msgspec

from sansio_claude._errors import LocalProtocolError
from sansio_claude._limits import Limits
from sansio_claude._message.blocks import TextBlock, ThinkingBlock
from sansio_claude._message.tool_blocks import MCPToolUseBlock, ServerToolUseBlock, ToolUseBlock
from sansio_claude._partial_json.parser import PartialJSON
from sansio_claude._stream.deviations import Tolerance
from sansio_claude._stream.events import (
    Event,
    InputJSONDelta,
    TextDelta,
    ThinkingDelta,
    input_json_deltas,
    new_event,
    text_deltas,
    thinking_deltas,
)
from sansio_claude._stream.plain_stream import PlainStream, StreamState, as_bytes
from sansio_claude._stream.sse import EVENT_LINES, expect_names, never_too_large

__all__ = ["MessageStream", "StreamState"]

# Known beforehand, so that the first stream of a process goes the way of all others.
expect_names(
    (
        *("message_start", "content_block_start", "content_block_delta", "content_block_stop"),
        *("message_delta", "message_stop", "ping", "error"),
    )
)

_decode_text: Final[Callable[[bytes], str]] = msgspec.json.Decoder(str).decode
_decode_texts: Final[Callable[[bytes], list[str]]] = msgspec.json.Decoder(str).decode_lines

_DATA: Final = b"data: "
_NEXT_LINE: Final = b"\n" + _DATA
_LINE: Final = b"event: content_block_delta"
# As numbers: to look for a bytes in a bytes, CPython first raises and drops an exception, at 0.3 us.
_LF: Final = 10
_CR: Final = 13
# How the deltas that carry text are spelled, behind their index up to the text.
_SPELLINGS: Final[dict[type, tuple[bytes, type]]] = {
    TextBlock: (b'"text_delta","text":"', TextDelta),
    ThinkingBlock: (b'"thinking_delta","thinking":"', ThinkingDelta),
    **dict.fromkeys(
        (ToolUseBlock, ServerToolUseBlock, MCPToolUseBlock), (b'"input_json_delta","partial_json":"', InputJSONDelta)
    ),
}
_MANY: Final[dict[type, Callable[[int, list[str]], list[Event]]]] = {
    TextDelta: text_deltas,
    ThinkingDelta: thinking_deltas,
    InputJSONDelta: input_json_deltas,
}
# The API pads nearly every event with 0 to 15 spaces before its last brace.
_ENDINGS: Final = frozenset(b"}" + b" " * n + b"}" for n in range(64))
_WHOLE_ENDINGS: Final = frozenset(ending + b"\n\n" for ending in _ENDINGS)
_WINDOW: Final = 8 * 1024  # bytes of a read that are taken apart at once
_HELD: Final = 1024  # bytes of an unfinished event that may wait: joined at each read, so it must stay small


@lru_cache(maxsize=1024)
def _spelled(index: int, spelling: bytes) -> tuple[bytes, bytes]:
    """What stands before a text of the block at `index`: in its event, and in its data line."""
    mark = b'data: {"type":"content_block_delta","index":%d,"delta":{"type":%b' % (index, spelling)
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
        message = stream.finish()  # where the body has ended: the whole message, or the error

    `limits` bounds what is kept. `tolerance` says for each kind of deviation whether it is accepted, recorded (the
    default) or refused, `strict=True` refuses every kind that it does not name. `require_message_stop=False` takes an
    end without message_stop for whole where a stop reason came in a message_delta and no block is open; call
    `receive_eof` only where the body ended as its framing said. `keep_content=False` keeps no content (see
    MessageAccumulator), in constant memory and without `Limits.message`.
    """

    __slots__ = (
        "_border",
        "_fusable",
        "_held",
        "_index",
        "_kind",
        "_largest",
        "_mark",
        "_opening",
        "_pieces",
        "_ready",
    )

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        strict: bool = False,
        tolerance: Tolerance | None = None,
        require_message_stop: bool = True,
        keep_content: bool = True,
    ) -> None:
        super().__init__(
            limits=limits,
            strict=strict,
            tolerance=tolerance,
            require_message_stop=require_message_stop,
            keep_content=keep_content,
        )
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
        self._index = -1  # of the block that it is armed for
        self._kind: type = TextDelta
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
                        kind = self._kind
                        event: Event
                        if kind is TextDelta:
                            event = new_event(TextDelta)
                            event.index = self._index
                            event.text = text
                            event.extra = None
                        elif kind is InputJSONDelta:
                            event = new_event(InputJSONDelta)
                            event.index = self._index
                            event.partial_json = text
                            event.extra = None
                        else:
                            event = new_event(ThinkingDelta)
                            event.index = self._index
                            event.thinking = text
                            event.extra = None
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
        if self._accumulator.newest != self._index:
            self._arm()
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
        self._opening = self._ready if self._border and self._error is None else None

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
            if self._accumulator.newest != self._index:
                self._arm()
            mark = self._mark if self._ready is not None else None
        if raws:
            number += self._deltas(raws)
        return len(data) if 3 * number == len(lines) - 1 else _size(lines[: 3 * number])

    def _deltas(self, raws: list[bytes]) -> int:
        """Take deltas of the open block, of each what stands between its quotes, up to one that is no string.

        All are decoded at once, as lines of JSON. A line gives at least one string, or an error; where the peer closed
        its quotes too early it may give two. So as many strings as lines are one for each. Gives how many they are.
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
        events = _MANY[self._kind](self._index, texts)
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

    def _arm(self) -> None:
        """Get the fused path ready for the deltas of the block that has just started, or of none."""
        accumulator = self._accumulator
        index = self._index = accumulator.newest
        self._ready = None
        self._pieces = _NOWHERE
        block = accumulator.open.get(index)
        spelling = _SPELLINGS.get(type(block))
        if spelling is not None:
            spelled, self._kind = spelling
            self._ready, self._mark = _spelled(index, spelled)
            if accumulator.keeps_content:
                # Each class in _SPELLINGS has them.
                self._pieces = block.pieces  # type: ignore[union-attr]

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
            decoder._begin_at(self._received)  # it has not seen what was fused
        self._opening = None
        super()._plain(data)
        if self._accumulator.newest != self._index:
            self._arm()
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
