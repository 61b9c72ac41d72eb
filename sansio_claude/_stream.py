"""MessageStream: body bytes in, typed events and the message out. The hot path.

It runs the plain chain, SSEDecoder -> decode -> MessageAccumulator, and beside it a fused path for what nearly all
of a stream is: deltas of the open block in the API's own spelling, each a whole event. The fused path takes an event
only when it can prove that the plain chain would give the same one: the bytes before the text are those expected of
the open block, the text holds no escape that needs care, the bytes behind it close the JSON and the event, the text
is legal UTF-8 without control characters. Everything else goes the plain way, so the fused path decides nothing.
A property test holds both equal on good and hostile input in every chunking.

What was measured of the kernels alone (CPython 3.11, in costs of a typed msgspec decode of the same payload, about
0.32 us). One event a call: rsplit at the last two quotes 3.1; the C string scanner behind a compared prefix 3.3 (it
stays, for escapes); a regular expression on bytes 3.5. Many events a call: split at the few bytes before each text
1.9; the same at all that stands between two texts 2.4 (a long needle is a slow search); one split by a regular
expression 2.7; frame by frame with the string scanner 2.8, with rsplit 3.4; msgspec's decode_lines 2.4.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat
from json import decoder as json_decoder
from typing import Final, final

from sansio_claude._blocks import ContentBlock, TextBlock, ThinkingBlock
from sansio_claude._errors import (
    LocalProtocolError,
)
from sansio_claude._events import (
    ContentBlockStart,
    Event,
    InputJSONDelta,
    TextDelta,
    ThinkingDelta,
)
from sansio_claude._limits import Limits
from sansio_claude._partial_json import PartialJSON
from sansio_claude._plain_stream import PlainStream, StreamState, as_bytes
from sansio_claude._tool_blocks import ToolInputBlock

__all__ = ["MessageStream", "StreamState"]

# The standard library's string scanner, in C where there is one: text and the index behind an opening quote -> the
# string's value and the index behind its closing quote. Strict: refuses control characters.
scanstring: Final[Callable[[str, int], tuple[str, int]]] = json_decoder.scanstring  # type: ignore[attr-defined]

_FRAME: Final = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":'
# How the deltas that carry text are spelled: between the index and the kind, and up to the text.
_DELTA: Final = b',"delta":{"type":'
_SPELLINGS: Final[tuple[tuple[type, bytes, Callable[[int, str], Event]], ...]] = (
    (TextBlock, b'"text_delta","text":"', TextDelta),
    (ThinkingBlock, b'"thinking_delta","thinking":"', ThinkingDelta),
    (ToolInputBlock, b'"input_json_delta","partial_json":"', InputJSONDelta),
)
# The API pads nearly every event with 0 to 15 spaces before its last brace.
_PADDING: Final = 63
_ENDINGS: Final = frozenset(b"}" + b" " * n + b"}\n\n" for n in range(_PADDING + 1))
_USUAL_ENDINGS: Final = tuple(b"}" + b" " * n + b"}\n\n" for n in range(16))
_STR_ENDINGS: Final = frozenset(ending.decode() for ending in _ENDINGS)
_WINDOW: Final = 16 * 1024  # bytes of a read that are split at once
_HELD: Final = 1024  # bytes of an unfinished event that may wait: joined at each read, so it must stay small


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
        "_append",
        "_extend",
        "_held",
        "_index",
        "_joints",
        "_largest",
        "_lead",
        "_make",
        "_mark",
        "_opening",
        "_prefix",
        "_ready",
    )

    def __init__(self, *, limits: Limits | None = None, strict: bool = False, keep_content: bool = True) -> None:
        super().__init__(limits=limits, strict=strict, keep_content=keep_content)
        self._largest = self._decoder.never_too_large
        # The fused path is armed (prefix not None) while the decoder is at the border of two events and a block of
        # text, thinking or tool input is open. Ready: the same but for the border.
        self._prefix: bytes | None = None
        self._ready: bytes | None = None
        self._opening = b""  # the prefix and the quote: all that stands before the text
        self._lead = b""  # the opening is the lead and the mark
        self._mark = b""
        self._joints: frozenset[bytes] = frozenset()  # the usual endings with the next lead behind them
        self._held = b""  # the beginning of an event, at most _HELD bytes; the fused path is disarmed meanwhile
        self._index = 0
        self._make: Callable[[int, str], Event] = TextDelta
        self._append: Callable[[str], object] = len
        self._extend: Callable[[list[str]], object] = len

    # Reading.

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take some body bytes; `b""` is a no-op. Never raises for what the peer sent.

        Raises LocalProtocolError after `receive_eof`. After `done` the bytes are ignored (a further event is a
        deviation). Linear in the bytes received, for any chunking.
        """
        if type(data) is not bytes:
            data = as_bytes(data)
        size = len(data)
        prefix = self._prefix
        if prefix is not None and size <= self._largest and self._received + size <= self._budget:
            parts = data.rsplit(b'"', 2)
            # With two parts the last but one is the ending itself, whose line ends are not printable.
            if parts[0] == prefix and parts[-1] in _ENDINGS:
                try:
                    text = parts[1].decode()
                except UnicodeDecodeError:
                    text = "\n"
                if text.isprintable() and "\\" not in text:
                    self._received += size
                    self._number += 1
                    self._append(text)
                    self._events.append(self._make(self._index, text))
                    return
            if data.startswith(self._opening):
                try:
                    whole = data.decode()
                    text, end = scanstring(whole, len(self._opening))
                except ValueError:  # JSONDecodeError and UnicodeDecodeError among them
                    pass
                else:
                    if whole[end:] in _STR_ENDINGS and "\\u" not in whole:
                        self._received += size
                        self._number += 1
                        self._append(text)
                        self._events.append(self._make(self._index, text))
                        return
        if self._eof:
            raise LocalProtocolError("receive_data after receive_eof: the stream has ended")
        if self._error is None and size:
            self._receive(data)

    # The fused path.

    def _take_bytes(self, data: bytes) -> None:
        if self._held:
            # Joined, it may be an event that the fused path takes.
            data = self._release() + data
            if data.find(b"\n\n") + 2 == len(data):
                self.receive_data(data)
                return
        cut = data.find(b"\n\n") + 2
        if cut == 1:
            self._rest(data)
            return
        if cut == len(data):
            self._plain(data)  # one event that the fused path has not taken
            return
        if self._prefix is None:
            self._plain(data[:cut])
            data = data[cut:]
        if len(data) <= self._largest and b"\r" not in data:
            self._many(data)
        else:
            self._plain(data)

    def _rest(self, data: bytes) -> None:
        """The beginning of an event: a short one waits here for the next read, if the fused path may take it then."""
        if self._prefix is not None and len(data) <= _HELD and b"\r" not in data:
            self._held = data
            self._received += len(data)
            self._prefix = None
        else:
            self._plain(data)

    def _release(self) -> bytes:
        """What waits, as if it had never come."""
        held, self._held = self._held, b""
        self._received -= len(held)
        self._prefix = self._ready
        return held

    def _many(self, data: bytes) -> None:
        """A read from the border of two events on: usually many whole events and the beginning of one."""
        at = 0
        while at < len(data):
            if self._prefix is not None:
                at += self._deltas(data[at : at + _WINDOW])
                continue
            end = data.find(b"\n\n", at) + 2
            if end == 1:
                end = len(data)
            self._plain(data[at:end])
            at = end

    def _deltas(self, window: bytes) -> int:
        """The bytes taken of a window, which begins at the border of two events: at least one event's.

        Between the texts of two deltas of one block there is nearly always the same: quote, padding, line ends, the
        next event up to its text. So the window is split at the few bytes before each text, and what follows each
        text is compared whole. The windows bound what is split again when another block begins.
        """
        mark = self._mark
        pieces = window.split(mark)
        count = taken = 0
        if pieces[0] == self._lead:
            texts = []
            for piece in pieces[1:]:
                raw, _, joint = piece.partition(b'"')
                try:
                    if joint in self._joints:
                        text = raw.decode()
                        if text.isprintable() and "\\" not in text:
                            texts.append(text)
                            continue
                    rest = piece.decode()
                    text, end = scanstring(rest, 0)
                    if rest[end:].encode() not in self._joints or "\\u" in rest:
                        break
                    texts.append(text)
                except ValueError:
                    break
            if texts:
                count = len(texts)
                taken = count * len(mark) + sum(map(len, pieces[1 : count + 1]))
                self._received += taken
                self._number += count
                self._events += map(self._make, repeat(self._index), texts)
                self._extend(texts)
        # The next event is the last that is whole, or no delta of this block, or spelled otherwise.
        end = window.find(b"\n\n", taken) + 2
        if end != 1:
            self.receive_data(window[taken:end])
            return end
        if taken == 0 or len(window) < _WINDOW:
            self._rest(window[taken:])
            return len(window)
        return taken

    def _arm(self, event: Event | None) -> None:
        """Get the fused path ready for the deltas of the block that has just started, or of none."""
        self._ready = None
        if not isinstance(event, ContentBlockStart):
            return
        block = self._accumulator.open[event.index]
        for kind, spelling, make in _SPELLINGS:
            if isinstance(block, kind):
                self._lead = b"%b%d%b" % (_FRAME, event.index, _DELTA)
                self._mark = spelling
                self._opening = self._lead + spelling
                self._ready = self._opening[:-1]
                self._joints = frozenset([ending + self._lead for ending in _USUAL_ENDINGS])
                self._index = event.index
                self._make = make
                self._append, self._extend = self._keepers(block)

    def _keepers(self, block: ContentBlock) -> tuple[Callable[[str], object], Callable[[list[str]], object]]:
        """What takes a text, and a list of texts, to the block."""
        if not self._accumulator.keeps_content:
            return len, len  # something cheap that keeps nothing
        if isinstance(block, TextBlock) and block.mirror is not None:
            return block.receive, lambda texts: block.receive("".join(texts))
        if isinstance(block, (TextBlock, ThinkingBlock)):
            return block.pieces.append, block.pieces.extend
        assert isinstance(block, ToolInputBlock)
        feed = block.parser().feed
        return feed, lambda texts: feed("".join(texts))

    def partial_output(self, index: int) -> PartialJSON:
        """The text block at `index` read as JSON while it is arriving (structured output, `output_config.format`).

        Asking for it is what begins it; from then on it grows with the stream. Raises LocalProtocolError where there
        is no such block, or where no content is kept.
        """
        parser = super().partial_output(index)
        if self._ready is not None and index == self._index:
            self._append, self._extend = self._keepers(self._accumulator.open[index])
        return parser

    # Into the plain chain.

    def _plain(self, data: bytes) -> None:
        if self._prefix is not None:
            self._decoder.offset = self._received  # the decoder has not seen what was fused
            self._prefix = None
        super()._plain(data)
        if self._ready is not None and self._decoder.at_boundary and self._state == "open":
            self._prefix = self._ready

    def _flush(self) -> None:
        if self._held:
            self._plain(self._release())
        self._ready = self._prefix = None

    def _accepted(self, event: Event) -> None:
        if isinstance(event, ContentBlockStart) or self._index not in self._accumulator.open:
            self._arm(event)
