"""PlainStream: body bytes in, typed events and the message out, by the plain chain. The twin of MessageStream.

SSEDecoder -> decode -> MessageAccumulator, one event at a time, nothing fused. MessageStream is this and a fast path
beside it; tests hold the two equal.

States: "open" until an end comes; "complete" from message_stop on, "truncated" when the body ends before it,
"errored" from an error event on, "broken" from bytes that are refused. What ends a stream stays its end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

from sansio_claude._errors import (
    LimitError,
    LocalProtocolError,
    RemoteProtocolError,
    TruncatedError,
    api_error,
)
from sansio_claude._errors.arguments import as_bytes
from sansio_claude._errors.error_object import error_object
from sansio_claude._json import EXCERPT, loads_with_halves
from sansio_claude._message.halves import mend_message
from sansio_claude._message.message import Message
from sansio_claude._stream.decode import Notes, decode_data
from sansio_claude._stream.endings import (
    events_of_message,
    is_ping,
    is_whole_message,
    unfinished_event,
    unfinished_lines,
    what_it_looks_like,
)
from sansio_claude._stream.events import ErrorEvent, Event, MessageStop, Ping
from sansio_claude._stream.known import StreamState, WhatIsKnown
from sansio_claude._stream.sse import ODD_LINE, SSEDecoder

__all__ = ["PlainStream", "StreamState"]

_SNIFFED: Final = 64  # first bytes kept while no event has come
_BOM: Final = b"\xef\xbb\xbf"
_NAMES_WITHOUT_DATA: Final = frozenset({"error"})  # an error without a word is still an error


class PlainStream(WhatIsKnown):
    """One streamed answer, decoded the plain way. See MessageStream for what the names promise."""

    __slots__ = ()

    # Reading.

    def receive_data(self, data: bytes | bytearray | memoryview, now: float | None = None) -> None:
        """Take some body bytes; `b""` is a no-op. Never raises for what the peer sent.

        `now`, in seconds on the caller's monotonic clock, is what `liveness` tells times by. Raises
        LocalProtocolError after `receive_eof`. After `done` the bytes change nothing (anything but white space,
        comments and pings is a deviation). Linear in the bytes received, for any chunking.
        """
        data = as_bytes(data)
        if self._eof:
            raise LocalProtocolError("receive_data after receive_eof: the stream has ended")
        if now is not None:
            self._receive_timed(data, now)
        elif self._error is None and data:
            self._receive(data)

    def receive_eof(self) -> None:
        """The body has ended. Idempotent. Before message_stop that is a TruncatedError at the next empty read."""
        if self._eof:
            return
        self._eof = True
        if self._error is not None:
            return
        self._flush()
        decoder = self._decoder
        if self._error is None and decoder is not None:
            begin = decoder._begin if decoder._lines else decoder.offset
            decoder.receive_eof()
            if self._state == "open":
                self._take_unfinished(decoder.discarded, begin)
            elif self._state == "complete" and decoder.discarded:
                for left in unfinished_lines(decoder.discarded, self._limits):
                    if left is ODD_LINE:
                        self._late_bytes()
                    else:
                        self._take(left.event, left.raw)
        if self._state == "open":
            self._end_without_stop()

    def finish(self, handle: Callable[[Event], object] | None = None) -> Message:
        """The body has ended: the whole message.

        Ends the input as `receive_eof` does. Raises TruncatedError where message_stop never came, or the error that
        the stream ended with; `.partial` on it is the message so far. Events that were not read stay readable by
        `events_received()`; with `handle` each of them is given to it, in order, before the message is returned or
        the error raised. What `handle` raises passes through, and the events behind stay readable.
        """
        self.receive_eof()
        if handle is not None:
            events, self._events = self._events or [], None
            handed = 0
            try:
                for event in events:
                    handed += 1
                    handle(event)
            finally:
                self._events = events[handed:] or None
        if self._error is not None:
            raise self._error.with_traceback(None)
        message = self._accumulator.message
        assert message is not None  # a stream that ended without an error has begun
        return message

    def events_received(self) -> list[Event]:
        """The events since the last call, in order. The list is the caller's.

        When there are none and the stream has ended otherwise than by message_stop, raises how it ended, now and at
        every later call: RemoteProtocolError (TruncatedError, LimitError) or, after an error event, its APIError.

        The promise that fuzzing holds: any bytes whatever give events, then at most one of RemoteProtocolError and
        APIError, the same in the same order for any chunking; nothing else ever comes out of here.
        """
        events = self._events
        if events is not None:
            self._events = None
            return events
        if self._error is not None:
            raise self._error.with_traceback(None)
        return []

    def _receive_timed(self, data: bytes, now: float) -> None:
        """Take bytes, and note what came with them as of the time `now`. What is not read any more does not count."""
        received, number, idle = self._received, self._number, self._idle
        if self._error is None and data:
            self._receive(data)
        if self._received > received:
            self._last_byte = now
        if self._idle > idle:
            self._last_idle = now
        if self._number - number > self._idle - idle:
            self._last_content = now

    def _receive(self, data: bytes) -> None:
        if self._state == "complete" and self._accumulator._is_late:
            return  # what else comes after message_stop makes no difference
        room = self._budget - self._received
        if len(data) > room and self._state == "open":
            if room > 0:
                self._take_bytes(data[: int(room)])
                data = data[int(room) :]
            self._flush()
            if self._state == "open":
                limit = self._limits.message
                words = f"the answer passes Limits.message = {limit} bytes"
                self._fail(LimitError(words, limit="message", value=limit, stage="stream"), limit, b"")
        if self._error is None:
            self._take_bytes(data)

    def _take_bytes(self, data: bytes) -> None:
        """Some bytes, within the limit of the message, or behind message_stop."""
        self._plain(data)

    def _flush(self) -> None:
        """Give the chain what a faster way has held back."""

    # The plain chain.

    def _decoding(self) -> SSEDecoder:
        decoder = self._decoder
        if decoder is None:
            decoder = self._decoder = SSEDecoder(limits=self._limits)
            decoder._names_without_data = _NAMES_WITHOUT_DATA
            decoder._keep_offsets()
        return decoder

    def _plain(self, data: bytes) -> None:
        if self._state not in ("open", "complete"):
            return
        decoder = self._decoding()
        self._received += len(data)
        if self._number == 0:
            self._keep_beginning(data)
        decoder.receive_data(data)
        try:
            frames = decoder._events_with_offsets()
        except RemoteProtocolError as error:
            self._take_limit(error)
            return
        for sse, begin in frames:
            if sse is ODD_LINE:
                if self._state == "complete":
                    self._late_bytes()
                continue
            refused = self._take(sse.event, sse.raw)
            if refused is not None:
                self._fail(refused, begin, sse.raw)
            if self._error is not None:
                return
        if decoder._error is not None:
            self._take_limit(decoder._error)

    def _take_limit(self, error: RemoteProtocolError) -> None:
        """A limit was passed: that ends the stream, or is one more thing behind message_stop."""
        if self._state == "complete":
            self._late_bytes()
        elif self._state == "open":
            self._fail(error, error.offset or 0, error.excerpt)

    def _late_bytes(self) -> None:
        """Something that is no event came behind message_stop."""
        self._accumulator.event_number = self._number + 1
        self._accumulator._record_late()

    def _keep_beginning(self, data: bytes) -> None:
        """Keep the first bytes while no event has come: some for words, all of a body that may be a whole message."""
        if len(self._sniffed) < _SNIFFED:
            self._sniffed += data[: _SNIFFED - len(self._sniffed)]
        body = self._body
        if body is not None:
            body.append(data)
            if not self._may_be_whole() or self._received > self._most_of_body()[1]:
                self._body = None

    def _may_be_whole(self) -> bool:
        """Whether the body, of which no event has come, may be a whole message."""
        start = b"" if _BOM.startswith(self._sniffed) else self._sniffed.removeprefix(_BOM).lstrip()
        return not start or start.startswith(b"{")

    def _most_of_body(self) -> tuple[Literal["message", "kept"], int]:
        """How many bytes of a body that may be a whole message are kept, and the limit that says it."""
        limits = self._limits
        if self._accumulator._keep or limits.message < limits.kept:
            return "message", limits.message
        return "kept", limits.kept

    def _take(self, name: str, raw: bytes) -> RemoteProtocolError | None:
        """One server-sent event, its name and data, through stages 4 to 6. Gives what is wrong with it, for `_fail`."""
        accumulator = self._accumulator
        self._number += 1
        if self._number == 1:
            self._body = None  # it is a stream
        if accumulator.done:
            self._idle += 1
            if not is_ping(name, raw):
                accumulator.event_number = self._number
                accumulator._record_late()
            return None
        notes = self._notes
        try:
            event = decode_data(name, raw, self._limits, notes)
            if event is None:
                accumulator.event_number = self._number
                self._idle += 1
                words = f"an event named {name!r:.40} carries nothing that could be read (its data: {raw!r:.40})"
                accumulator._deviate("skipped", words)
                return None
            if notes:
                self._record(notes)
            accumulator.event_number = self._number - 1  # receive_event counts
            self._hand_out(accumulator.receive_event(event), raw)
            return None
        except RemoteProtocolError as error:
            refused = error
        if notes:  # what was odd about an event that is refused
            try:
                self._record(notes)
            except RemoteProtocolError as error:
                refused = error
        return refused

    def _record(self, notes: Notes) -> None:
        """Record what was odd about the JSON of an event, and empty `notes`. Raises it where it is not tolerated."""
        accumulator = self._accumulator
        accumulator.event_number = self._number
        said = notes.copy()
        notes.clear()
        for kind, odd in said:
            accumulator._deviate(kind, odd)

    def _hand_out(self, event: Event, raw: bytes) -> None:
        """Hand out an event that the accumulator has taken, behind what it released."""
        accumulator = self._accumulator
        kind = type(event)
        if kind is ErrorEvent:
            accumulator.receive_eof()
        events = self._events
        if accumulator._released:
            self._events = events = [*(events or ()), *accumulator._take_released()]
        if events is None:
            self._events = [event]
        else:
            events.append(event)
        if kind is Ping:
            self._idle += 1
        elif kind is MessageStop:
            self._state = "complete"
        elif isinstance(event, ErrorEvent):
            self._state = "errored"
            self._error = api_error(
                {**(event.extra or {}), "error": event.error},
                status=200,
                body=raw[: self._limits.error_body],
                phase="after_output" if self._accumulator._has_content else "before_output",
                partial=self.message,
            )

    def _fail(self, error: RemoteProtocolError, begin: int, raw: bytes) -> None:
        self._finish_message()
        self._state = "broken"
        error.args = (f"event {max(self._number, 1)}, at byte {begin}: {error.args[0]}",)
        error.offset = begin
        error.excerpt = raw[:EXCERPT]
        error.partial = self.message
        self._error = error

    def _finish_message(self) -> None:
        """Nothing comes any more: release what was held back, and finish the blocks."""
        self._accumulator.event_number = max(self._accumulator.event_number, self._number)
        self._accumulator.receive_eof()
        if self._accumulator._released:
            self._events = [*(self._events or ()), *self._accumulator._take_released()]

    # The end of the body before message_stop.

    def _take_unfinished(self, discarded: bytes, begin: int) -> None:
        """Use the event that the end of input left without its blank line, where its data is whole."""
        left = unfinished_event(discarded, self._limits)
        if left is None:
            return
        try:
            self._accumulator.event_number = self._number + 1
            self._accumulator._deviate("last_blank_line", "the last event has no blank line behind it")
        except RemoteProtocolError as refused:
            self._fail(refused, begin, left.raw)
            return
        error = self._take(left.event, left.raw)
        if error is not None:
            self._fail(error, begin, left.raw)

    def _end_without_stop(self) -> None:
        """That is a TruncatedError, what the caller allows, or a body that was a whole message or error in JSON."""
        if self._number == 0 and self._body and self._take_whole_body(b"".join(self._body)):
            return
        limit, most = self._most_of_body()
        if self._number == 0 and self._received > most and self._may_be_whole():
            words = f"no event came, and what may be a whole message passes Limits.{limit} = {most} bytes"
            self._fail(LimitError(words, limit=limit, value=most, stage="stream"), most, self._sniffed)
            return
        if not self._require_message_stop and self.complete_but_for_stop:
            try:
                self._accumulator.event_number = self._number
                self._accumulator._end_without_stop()
            except RemoteProtocolError as refused:
                self._fail(refused, self._received, b"")
            else:
                self._state = "complete"
            return
        self._finish_message()
        self._state = "truncated"
        self._error = TruncatedError(
            self._truncation(),
            stage="stream",
            excerpt=b"" if self._number else self._sniffed,
            offset=self._received,
            partial=self.message,
        )

    def _take_whole_body(self, body: bytes) -> bool:
        """Take a body that is one JSON object for the whole message, or the error, that it is. Gives whether it is."""
        body = body.removeprefix(_BOM)
        try:
            value, has_halves = loads_with_halves(body, self._limits.depth)
        except RemoteProtocolError:
            return False
        if not is_whole_message(value):
            return self._take_error_body(value, body)
        accumulator = self._accumulator
        try:
            accumulator.event_number = 1
            accumulator._deviate("whole_message", "a whole message came where a stream was asked for")
            if has_halves and mend_message(value):
                accumulator._deviate("half_character", "half of a surrogate pair stands alone")
            accumulator.event_number = 0
            for event in events_of_message(value):
                self._number += 1
                self._hand_out(accumulator.receive_event(event), b"")
        except RemoteProtocolError as refused:
            self._fail(refused, 0, body)
        return True

    def _take_error_body(self, value: Any, body: bytes) -> bool:
        if not isinstance(value, dict) or error_object(value) is None:
            return False
        refused = self._take("message", body)
        if refused is not None:
            self._fail(refused, 0, body)
        return True

    def _truncation(self) -> str:
        """The words of a TruncatedError."""
        if not self._number:
            return what_it_looks_like(self._sniffed, self._received)
        size = f"after {self._number} events and {self._received} bytes"
        if self.message is None:
            words = "the answer is cut off, and nothing of it had arrived"
            return f"the stream ended before message_start, {size}: {words}"
        return f"the stream ended before message_stop, {size}: the answer is cut off. What had arrived is .partial"

    # Copies.

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in WhatIsKnown.__slots__ if name != "__weakref__"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
