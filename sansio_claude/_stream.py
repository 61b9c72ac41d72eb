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

States: "open" until an end comes; "complete" from message_stop on, "truncated" when the body ends before it,
"errored" from an error event on, "broken" from bytes that are refused. What ends a stream stays its end.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat
from json import decoder as json_decoder
from typing import Any, Final, Literal, TypeAlias

from sansio_claude._accumulate import Deviation, MessageAccumulator
from sansio_claude._blocks import ContentBlock, TextBlock, ThinkingBlock
from sansio_claude._errors import (
    APIError,
    LimitError,
    LocalProtocolError,
    RemoteProtocolError,
    TruncatedError,
    api_error,
)
from sansio_claude._events import (
    ContentBlockStart,
    ErrorEvent,
    Event,
    InputJSONDelta,
    TextDelta,
    ThinkingDelta,
    decode,
)
from sansio_claude._json import loads
from sansio_claude._limits import Limits
from sansio_claude._message import Message
from sansio_claude._sse import ServerSentEvent, SSEDecoder
from sansio_claude._tool_blocks import ToolInputBlock

__all__ = ["MessageStream", "StreamState"]

# The standard library's string scanner, in C where there is one: text and the index behind an opening quote -> the
# string's value and the index behind its closing quote. Strict: refuses control characters.
scanstring: Final[Callable[[str, int], tuple[str, int]]] = json_decoder.scanstring  # type: ignore[attr-defined]

StreamState: TypeAlias = Literal["open", "complete", "truncated", "errored", "broken"]

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
_SNIFFED: Final = 64
_EXCERPT: Final = 80


class MessageStream:
    """One streamed answer: body bytes in, typed events and the message out. No I/O, no clock.

        stream = MessageStream()
        stream.receive_data(chunk)
        for event in stream.events_received(): ...
        stream.receive_eof()

    `limits` bounds what is kept, `strict=True` refuses what is otherwise only recorded as a deviation,
    `keep_content=False` keeps no content (see MessageAccumulator), in constant memory and without `Limits.message`.
    """

    __slots__ = (
        "__weakref__",
        "_accumulator",
        "_append",
        "_budget",
        "_decoder",
        "_eof",
        "_error",
        "_events",
        "_extend",
        "_held",
        "_index",
        "_joints",
        "_largest",
        "_late",
        "_lead",
        "_limits",
        "_make",
        "_mark",
        "_number",
        "_opening",
        "_prefix",
        "_ready",
        "_received",
        "_sniffed",
        "_state",
        "_strict",
    )

    def __init__(self, *, limits: Limits | None = None, strict: bool = False, keep_content: bool = True) -> None:
        self._limits = limits if limits is not None else Limits()
        self._strict = strict
        self._decoder = SSEDecoder(limits=self._limits)
        self._decoder._keep_dataless_errors = True
        self._accumulator = MessageAccumulator(limits=self._limits, strict=strict, keep_content=keep_content)
        self._events: list[Event] = []
        self._error: RemoteProtocolError | APIError | None = None
        self._state: StreamState = "open"
        self._eof = False
        self._late = False  # whether something that came after message_stop has been recorded
        self._received = 0  # bytes of the body
        self._number = 0  # events so far, those that say nothing included
        self._sniffed = b""  # the first bytes, while no event has come, for the words of an error
        self._budget = self._limits.message if keep_content else float("inf")
        self._largest = min(self._limits.line, self._limits.event)
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

    # What is known.

    @property
    def message(self) -> Message | None:
        """The message so far, live; None before message_start."""
        return self._accumulator.message

    @property
    def done(self) -> bool:
        """True from message_stop on: the message is whole, nothing more is needed."""
        return self._accumulator.done

    @property
    def state(self) -> StreamState:
        """ "open", "complete", "truncated", "errored" or "broken"."""
        return self._state

    @property
    def deviations(self) -> list[Deviation]:
        """What the peer did that the protocol does not say, in order."""
        return self._accumulator.deviations

    def _over(self) -> bool:
        return self._state != "open"

    def _refused(self) -> bool:
        return self._error is not None

    # Reading.

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take some body bytes; `b""` is a no-op. Never raises for what the peer sent.

        Raises LocalProtocolError after `receive_eof`. After `done` the bytes are ignored (a further event is a
        deviation). Linear in the bytes received, for any chunking.
        """
        if type(data) is not bytes:
            data = _as_bytes(data)
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

    def receive_eof(self) -> None:
        """The body has ended. Idempotent. Before message_stop that is a TruncatedError at the next empty read."""
        if self._eof:
            return
        self._eof = True
        if self._held:
            self._prefix = self._ready
            self._plain(self._held)
            self._held = b""
        self._ready = self._prefix = None
        if self._over():
            return
        decoder = self._decoder
        begin = decoder._begin if decoder._lines else decoder.offset
        decoder.receive_eof()
        leftover = _unfinished(decoder.discarded, self._limits)
        if leftover is not None:
            try:
                self._accumulator.event_number = self._number + 1
                self._accumulator.deviate("unterminated", "the last event has no blank line behind it")
            except RemoteProtocolError as error:
                self._fail(error, begin, leftover.raw)
                return
            self._take(leftover, begin)
        if not self._over():
            self._state = "truncated"
            self._error = TruncatedError(
                self._truncation(),
                stop="stream",
                excerpt=self._sniffed[:_EXCERPT],
                offset=self._received,
                partial=self.message,
            )

    def events_received(self) -> list[Event]:
        """The events since the last call, in order. The list is the caller's.

        When there are none and the stream has ended otherwise than by message_stop, raises how it ended, now and at
        every later call: RemoteProtocolError (TruncatedError, LimitError) or, after an error event, its APIError.

        The promise that fuzzing holds: any bytes whatever give events, then at most one of RemoteProtocolError and
        APIError, the same in the same order for any chunking; nothing else ever comes out of here.
        """
        events = self._events
        self._events = []
        if not events and self._error is not None:
            raise self._error.with_traceback(None)
        return events

    # The fused path.

    def _receive(self, data: bytes) -> None:
        room = self._budget - self._received
        if len(data) > room and not self._over():
            if room > 0:
                self._receive(data[: int(room)])
            if not self._over():
                limit = self._limits.message
                self._fail(
                    LimitError(
                        f"the answer passes Limits.message = {limit} bytes", limit="message", value=limit, stop="stream"
                    ),
                    limit,
                    b"",
                )
            return
        if self._held:
            # Joined, it may be an event that the fused path takes.
            data = self._held + data
            self._held = b""
            self._prefix = self._ready
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
            self._prefix = None
        else:
            self._plain(data)

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
        if isinstance(block, (TextBlock, ThinkingBlock)):
            return block.pieces.append, block.pieces.extend
        assert isinstance(block, ToolInputBlock)
        assert block._parser is not None
        feed = block._parser.feed
        return feed, lambda texts: feed("".join(texts))

    # The plain chain.

    def _plain(self, data: bytes) -> None:
        decoder = self._decoder
        if self._prefix is not None:
            decoder.offset = self._received
            self._prefix = None
        if self._refused():
            return
        self._received += len(data)
        if self._number == 0 and len(self._sniffed) < _SNIFFED:
            self._sniffed += data[: _SNIFFED - len(self._sniffed)]
        decoder.receive_data(data)
        begins = decoder._begins
        try:
            frames = decoder.events_received()
        except RemoteProtocolError as error:
            if not self._over():
                self._fail(error, error.offset or 0, error.excerpt)
            return
        for sse, begin in zip(frames, begins, strict=True):
            self._take(sse, begin)
            if self._refused():
                return
        if decoder._error is not None and not self._over():
            self._fail(decoder._error, decoder._error.offset or 0, decoder._error.excerpt)
        elif self._ready is not None and decoder.at_boundary:
            self._prefix = self._ready

    def _take(self, sse: ServerSentEvent, begin: int) -> None:
        """One server-sent event through stops 4 to 6."""
        accumulator = self._accumulator
        self._number += 1
        accumulator.event_number = self._number
        try:
            if accumulator.done:
                if not self._late:
                    self._late = True
                    accumulator.deviate("after-stop", "something came after message_stop")
                return
            event = decode(sse, limits=self._limits)
            if event is None:
                accumulator.deviate("no-event", f"event {sse.event!r:.40} says nothing (its data: {sse.data!r:.40})")
                return
            accumulator.event_number -= 1  # receive_event counts
            accumulator.receive_event(event)
        except RemoteProtocolError as error:
            self._fail(error, begin, sse.raw)
            return
        self._events.append(event)
        if isinstance(event, ContentBlockStart) or self._index not in accumulator.open:
            self._arm(event)
        if self.done:
            self._state = "complete"
            self._ready = None
        elif isinstance(event, ErrorEvent):
            self._state = "errored"
            self._error = api_error(
                {**(event.extra or {}), "error": event.error},
                status=200,
                body=sse.raw[: self._limits.error_body],
                phase="after_output" if accumulator.types else "before_output",
                partial=self.message,
            )

    def _fail(self, error: RemoteProtocolError, begin: int, raw: bytes) -> None:
        self._ready = self._prefix = None
        self._state = "broken"
        error.args = (f"event {max(self._number, 1)}, at byte {begin}: {error.args[0]}",)
        error.offset = begin
        error.excerpt = raw[:_EXCERPT]
        error.partial = self.message
        self._error = error

    def _truncation(self) -> str:
        """The words of a TruncatedError."""
        if self._number:
            where = "before message_start" if self.message is None else "before message_stop"
            return (
                f"the stream ended {where}, after {self._number} events and {self._received} bytes: the answer is cut "
                "off. What had arrived is .partial"
            )
        start = self._sniffed.lstrip()
        if not start:
            return "the stream ended without a single byte of an event"
        for magic, words in (
            (b"<", "it looks like an HTML page: is the address that of the Messages API?"),
            (b"{", "it looks like JSON: is it a whole answer or an error body, not a stream?"),
            (b"[", "it looks like JSON: is it a whole answer or an error body, not a stream?"),
            (b"\x1f\x8b", "it is compressed with gzip: decompress it first"),
            (b"HTTP/", "it begins with an HTTP head: give only the body"),
            (b"\xff\xfe", "it is UTF-16: an event stream is UTF-8"),
            (b"\xfe\xff", "it is UTF-16: an event stream is UTF-8"),
        ):
            if start.startswith(magic):
                return f"no event in {self._received} bytes; {words}"
        return f"no event in {self._received} bytes: this is no event stream"


def _as_bytes(data: object) -> bytes:
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    raise LocalProtocolError(f"receive_data takes bytes, not {type(data).__name__}")


def _unfinished(discarded: bytes, limits: Limits) -> ServerSentEvent | None:
    """The event that the end of input left without its blank line, if its data is one whole JSON object."""
    if not discarded:
        return None
    decoder = SSEDecoder(limits=limits)
    decoder.receive_data(b"\n" + discarded + b"\n\n")  # the first line end: no byte order mark may be dropped here
    try:
        (sse,) = decoder.events_received()
        value: Any = loads(sse.raw, depth=limits.depth)
    except (RemoteProtocolError, ValueError):
        return None
    return sse if isinstance(value, dict) else None
