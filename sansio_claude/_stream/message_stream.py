"""MessageStream: body bytes in, typed events and the message out. The hot path.

It runs the plain chain, SSEDecoder -> decode -> MessageAccumulator, and beside it two shorter ways for what nearly
all of a stream is (`usual` recognises both):

* a usual event goes to `decode` without a decoder of lines;
* a usual delta of the block that started last goes without `decode`, too: what stands between its quotes is decoded as
  one JSON string, by the library that the plain chain has.

Everything else, and what is no such string, goes the plain way. A property test holds all ways equal to the plain
chain on good and hostile input in every chunking. What was measured is in `benchmarks/NOTES.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, final

import msgspec

from sansio_claude._errors import LocalProtocolError
from sansio_claude._errors.arguments import as_bytes
from sansio_claude._json import MSGSPEC_ERRORS
from sansio_claude._partial_json.parser import PartialJSON
from sansio_claude._stream.armed import Armed, armed_for, new_event
from sansio_claude._stream.events import (
    ContentBlockStart,
    ContentBlockStop,
    Event,
    InputJSONDelta,
    MessageStop,
    Ping,
    TextDelta,
    ThinkingDelta,
)
from sansio_claude._stream.plain_stream import PlainStream, StreamState
from sansio_claude._stream.shortcuts import short_way
from sansio_claude._stream.sse import bytes_within_limits
from sansio_claude._stream.usual import (
    ENDINGS,
    EVENT_LINES,
    LF_DATA,
    WHOLE_ENDINGS,
    expect_names,
    split_events,
    texts_of,
    usual_event,
)

__all__ = ["MessageStream", "StreamState"]

# Known beforehand, so that the first stream of a process goes the way of all others.
expect_names(
    (
        *("message_start", "content_block_start", "content_block_delta", "content_block_stop"),
        *("message_delta", "message_stop", "ping", "error"),
    )
)

_decode_text: Final[Callable[[bytes], str]] = msgspec.json.Decoder(str).decode

_LF: Final = 10
_CR: Final = 13
_WINDOW: Final = 8 * 1024  # bytes of a read that are taken apart at once
_HELD: Final = 1024  # bytes of an unfinished event that may wait: joined at each read, so it must stay small


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
    MessageAccumulator), without `Limits.message` and in constant memory: a line, an event, and `Limits.kept` bytes.

    One thread at a time may use a stream. A copy or a pickle of it goes on exactly as the original would; a PartialJSON
    or a Watch taken from the original belongs to the original.
    """

    __slots__ = ("_armed", "_border", "_fast", "_fusable", "_held", "_largest")

    def _prepare(self) -> None:
        self._largest = bytes_within_limits(self._limits)
        # No limit can be passed before so many bytes have been received, neither that of an event nor of the answer.
        self._fusable = min(self._largest, self._budget)
        # Whether nothing is held, neither here nor in the decoder: the next byte begins an event.
        self._border = True
        self._held = b""  # the beginning of an event, at most _HELD bytes, that the decoder has not seen
        self._armed: Armed | None = None  # the block whose deltas need not be decoded as events
        self._fast: Armed | None = None  # the same at the border of two events, else None

    # Reading.

    def receive_data(self, data: bytes | bytearray | memoryview, now: float | None = None) -> None:
        """Take some body bytes; `b""` is a no-op. Never raises for what the peer sent.

        `now`, in seconds on the caller's monotonic clock, is what `liveness` tells times by. Raises
        LocalProtocolError after `receive_eof`. After `done` the bytes change nothing (anything but white space,
        comments and pings is a deviation). Linear in the bytes received, for any chunking.
        """
        fast = self._fast
        if fast is not None and type(data) is bytes and now is None:
            # A usual delta, which nearly every read of a stream is.
            behind = data.removeprefix(fast.opening)
            if behind is not data:
                raw, quote, ending = behind.rpartition(b'"')
                received = self._received + len(data)
                if ending in WHOLE_ENDINGS and received <= self._fusable:
                    try:
                        text = _decode_text(quote + raw + quote)  # nothing, where there is no quote: no JSON
                    except MSGSPEC_ERRORS:
                        pass  # the plain way says what it is
                    else:
                        self._received = received
                        self._number += 1
                        fast.pieces.append(text)
                        kind = fast.kind
                        event: Event
                        if kind is TextDelta:
                            event = new_event(TextDelta)
                            event.index = fast.index
                            event.text = text
                            event.extra = None
                        elif kind is InputJSONDelta:
                            event = new_event(InputJSONDelta)
                            event.index = fast.index
                            event.partial_json = text
                            event.extra = None
                        else:
                            event = new_event(ThinkingDelta)
                            event.index = fast.index
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
        if now is not None:
            self._receive_timed(data, now)
        elif self._error is None and data and not (self._border and self._take_one(data)):
            self._receive(data)

    def _receive_pieces(self, pieces: list[bytes]) -> None:
        """What `receive_data` of all of these together does, for pieces that mostly are one whole event each.

        An API that writes each event as one chunk sends such pieces. They need not be joined to be taken apart.
        """
        taken = 0
        if len(pieces) > 1 and self._border and not self._eof and self._error is None and self._state == "open":
            received = self._received
            self._fusable = min(received + self._largest, self._budget)
            if received + sum(map(len, pieces)) <= self._fusable:
                taken = self._take_pieces(pieces)
        if taken < len(pieces):
            self.receive_data(b"".join(pieces[taken:]))

    # The fused path.

    def _take_pieces(self, pieces: list[bytes]) -> int:
        """Take the usual events at the front of `pieces`, each a whole one; how many. All are within the limits.

        The deltas between two other events are decoded together.
        """
        opening = None if self._armed is None else self._armed.opening
        raws: list[bytes] = []
        for number, piece in enumerate(pieces):
            if opening is not None:
                behind = piece.removeprefix(opening)
                if behind is not piece:
                    raw, quote, ending = behind.rpartition(b'"')
                    if quote and ending in WHOLE_ENDINGS:
                        raws.append(raw)
                        continue
            if raws:
                begin = number - len(raws)
                count = self._take_deltas(raws)
                self._received += sum(map(len, pieces[begin : begin + count]))
                if count < len(raws):
                    return begin + count
                raws = []
            if self._state != "open" or not self._take_one(piece):
                return number
            opening = None if self._armed is None else self._armed.opening
        count = self._take_deltas(raws) if raws else 0
        begin = len(pieces) - len(raws)
        self._received += sum(map(len, pieces[begin : begin + count]))
        return begin + count

    def _take_one(self, data: bytes) -> bool:
        """Take one whole usual event; False where it is anything else, or may pass a limit. Only at a border."""
        line, _, rest = data.partition(LF_DATA)
        name = EVENT_LINES.get(line)
        raw = rest.removesuffix(b"\n\n")
        begin = self._received
        received = begin + len(data)
        if name is None or raw is rest or received > self._fusable or _LF in raw or _CR in raw:
            return False
        self._received = received
        event = short_way(self._accumulator, name, raw, self._limits)
        if event is not None:
            self._note_short(event)
        else:
            refused = self._take(name, raw)
            if refused is not None:
                self._fail(refused, begin, raw)
            self._arm()
        self._fast = self._armed
        return True

    def _note_short(self, event: Event) -> None:
        """Hand out an event that went the short way."""
        self._number += 1
        if self._events is None:
            self._events = [event]
        else:
            self._events.append(event)
        if self._body:
            self._body = None  # it is a stream
        # Here it is known what `_arm` would have to find out.
        kind = type(event)
        if kind is ContentBlockStart:
            accumulator = self._accumulator
            index = accumulator._direct
            self._armed = armed_for(index, accumulator._open_types[index], accumulator.open.get(index))
        elif kind is ContentBlockStop:
            if self._accumulator._direct < 0:
                self._armed = None
        elif kind is Ping:
            self._idle += 1
        elif kind is MessageStop:
            self._state = "complete"
            self._armed = None

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
        while at < len(data) and self._state == "open":
            end = data.rfind(b"\n\n", at, at + _WINDOW) + 2
            if end == 1:
                end = data.find(b"\n\n", at) + 2
            if end == 1:
                self._wait_for_rest(data[at:])
                return
            begin = self._received
            taken = self._take_usual(split_events(data[at : end - 2]), end - at)
            self._received = begin + taken
            if at + taken < end and self._state == "open":
                self._plain(data[at + taken : end])
                at = end
            else:
                at += taken
        if at < len(data):
            self._plain(data[at:])  # behind message_stop
        self._fast = self._armed if self._border and self._error is None else None

    def _take_usual(self, events: list[bytes], size: int) -> int:
        """Take the usual events at the front of `events`, each without its blank line; with it, all of them have `size`
        bytes. Gives how many bytes those have that were taken.

        The deltas between two other events are decoded together.
        """
        opening = None if self._armed is None else self._armed.opening
        raws: list[bytes] = []
        number = 0  # events taken, without those in `raws`
        for event in events:
            if opening is not None:
                behind = event.removeprefix(opening)
                if behind is not event:
                    raw, quote, ending = behind.rpartition(b'"')
                    if quote and ending in ENDINGS:
                        raws.append(raw)
                        continue
            found = usual_event(event)
            if found is None:
                break
            if raws:
                count = self._take_deltas(raws)
                number += count
                if count < len(raws):
                    raws.clear()
                    break
                raws.clear()
            short = short_way(self._accumulator, found[0], found[1], self._limits)
            if short is not None:
                self._note_short(short)
            else:
                refused = self._take(*found)
                if refused is not None:
                    self._fail(refused, self._received + _size(events[:number]), found[1])
                self._arm()
            number += 1
            opening = None if self._armed is None else self._armed.opening
            if self._state != "open":
                break
        if raws:
            number += self._take_deltas(raws)
        return size if number == len(events) else _size(events[:number])

    def _take_deltas(self, raws: list[bytes]) -> int:
        """Take deltas of the armed block, of each what stands between its quotes, up to the first that is no string.

        Gives how many were taken.
        """
        armed = self._armed
        assert armed is not None
        texts = texts_of(raws)
        events = armed.extend(texts)
        if self._events is None:
            self._events = events or None
        else:
            self._events += events
        self._number += len(texts)
        return len(texts)

    def _wait_for_rest(self, data: bytes) -> None:
        """Keep the beginning of an event for the next read; a long one goes to the decoder of lines."""
        if self._border and len(data) <= _HELD and self._state == "open":
            self._held = data
            self._received += len(data)
            self._fast = None
            self._border = False
        else:
            self._plain(data)

    def _release(self) -> bytes:
        """Take what waits, and be in the state from before it came."""
        held, self._held = self._held, b""
        self._received -= len(held)
        self._fast = self._armed
        self._border = True
        return held

    def _arm(self, *, anew: bool = False) -> None:
        """Be ready for the deltas of the block that started last, or of none."""
        if self._body and self._number:
            self._body = None  # it is a stream
        accumulator = self._accumulator
        index = accumulator._direct
        armed = self._armed
        if not anew and index == (-1 if armed is None else armed.index):
            return
        if index < 0:
            self._armed = None
        else:
            self._armed = armed_for(index, accumulator._open_types.get(index), accumulator.open.get(index))

    def partial_output(self, index: int) -> PartialJSON:
        """The text block at `index` read as JSON while it is arriving (structured output, `output_config.format`).

        Asking for it is what begins it; from then on it grows with the stream. Raises LocalProtocolError where there
        is no such block, or where no content is kept.
        """
        parser = super().partial_output(index)
        if self._armed is not None and index == self._armed.index:
            self._arm_again()
        return parser

    def _arm_again(self) -> None:
        ready = self._fast is not None
        self._arm(anew=True)
        self._fast = self._armed if ready else None

    # Into the plain chain.

    def _plain(self, data: bytes) -> None:
        decoder = self._decoding()
        if self._border and self._received:
            decoder._begin_at(self._received)  # it has not seen what was fused
        self._fast = None
        super()._plain(data)
        self._arm()
        self._border = self._error is None and decoder.at_boundary
        if self._border:
            self._fast = self._armed

    def _flush(self) -> None:
        if self._held:
            self._plain(self._release())
        self._armed = self._fast = None

    def __getstate__(self) -> dict[str, Any]:
        mine = {name: getattr(self, name) for name in MessageStream.__slots__}
        # It reaches into a block, and a copy has blocks of its own.
        return {**super().__getstate__(), **mine, "_armed": None, "_fast": self._fast is not None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        ready = bool(state["_fast"])
        self._arm(anew=True)
        self._fast = self._armed if ready else None


def _size(events: list[bytes]) -> int:
    """The bytes of these events, with their blank lines."""
    return sum(map(len, events)) + 2 * len(events)
