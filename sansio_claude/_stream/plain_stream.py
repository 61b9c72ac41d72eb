"""PlainStream: body bytes in, typed events and the message out, by the plain chain. The twin of MessageStream.

SSEDecoder -> decode -> MessageAccumulator, one event at a time, nothing fused. MessageStream is this and a fast path
beside it; tests hold the two equal.

States: "open" until an end comes; "complete" from message_stop on, "truncated" when the body ends before it,
"errored" from an error event on, "broken" from bytes that are refused. What ends a stream stays its end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias

from sansio_claude._errors import (
    APIError,
    LimitError,
    LocalProtocolError,
    RemoteProtocolError,
    TruncatedError,
    api_error,
)
from sansio_claude._json import loads
from sansio_claude._limits import DEFAULT_LIMITS, Limits
from sansio_claude._message.blocks import TextBlock
from sansio_claude._message.message import Message
from sansio_claude._message.tool_blocks import ToolInputBlock
from sansio_claude._partial_json.parser import PartialJSON, Watch
from sansio_claude._stream.accumulate import MessageAccumulator
from sansio_claude._stream.decode import decode_data
from sansio_claude._stream.deviations import Deviation, Tolerance
from sansio_claude._stream.events import ErrorEvent, Event, MessageStop
from sansio_claude._stream.sse import ServerSentEvent, SSEDecoder

__all__ = ["PlainStream", "StreamState", "as_bytes"]

StreamState: TypeAlias = Literal["open", "complete", "truncated", "errored", "broken"]

_SNIFFED: Final = 64
_EXCERPT: Final = 80


class PlainStream:
    """One streamed answer, decoded the plain way. See MessageStream for what the names promise."""

    __slots__ = (
        "__weakref__",
        "_accumulator",
        "_budget",
        "_decoder",
        "_eof",
        "_error",
        "_events",
        "_late",
        "_limits",
        "_number",
        "_received",
        "_require_message_stop",
        "_sniffed",
        "_state",
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
        self._limits = limits if limits is not None else DEFAULT_LIMITS
        self._require_message_stop = require_message_stop
        self._decoder: SSEDecoder | None = None  # made when it is needed: a faster way may never need it
        self._accumulator = MessageAccumulator(
            limits=self._limits, strict=strict, tolerance=tolerance, keep_content=keep_content
        )
        self._events: list[Event] | None = None  # None: an event that comes alone gets a list of just its size
        self._error: RemoteProtocolError | APIError | None = None
        self._state: StreamState = "open"
        self._eof = False
        self._late = False  # whether something that came after message_stop has been recorded
        self._received = 0  # bytes of the body
        self._number = 0  # events so far, those that say nothing included
        self._sniffed = b""  # the first bytes, while no event has come, for the words of an error
        self._budget = self._limits.message if keep_content else float("inf")

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
    def complete_but_for_stop(self) -> bool:
        """Whether a stop reason came in a message_delta, no block is open, and only message_stop is missing.

        With `require_message_stop=False` an end of the body here gives the whole message.
        """
        return self._accumulator.complete_but_for_stop and self._state == "open"

    @property
    def state(self) -> StreamState:
        """ "open", "complete", "truncated", "errored" or "broken"."""
        return self._state

    @property
    def deviations(self) -> list[Deviation]:
        """What the peer did that the protocol does not say, in order."""
        return self._accumulator.deviations

    def partial_input(self, index: int) -> PartialJSON:
        """The input of the tool block at `index` while it is arriving: the stream's own object, it grows with it.

        Its `value` is the best value so far, `changes()` what is new. Raises LocalProtocolError where there is no
        such block, or where no content is kept.
        """
        block = self._accumulator.blocks.get(index)
        if not isinstance(block, ToolInputBlock):
            raise LocalProtocolError(f"block {index} is no tool call" if block else f"there is no block {index}")
        return block.parser()

    def partial_output(self, index: int) -> PartialJSON:
        """The text block at `index` read as JSON while it is arriving (structured output, `output_config.format`).

        Asking for it is what begins it; from then on it grows with the stream. Raises LocalProtocolError where there
        is no such block, or where no content is kept.
        """
        block = self._accumulator.blocks.get(index)
        if not isinstance(block, TextBlock):
            raise LocalProtocolError(f"block {index} is no text" if block else f"there is no block {index}")
        if block.mirror is None:
            block.mirror = PartialJSON(max_depth=self._limits.depth)
            block.mirror.feed(block.text)
        return block.mirror

    def watch(self, index: int, path: str | tuple[str | int, ...]) -> Watch:
        """Watch one place in the input of the tool block at `index`, or in the JSON of the text block there.

        `path` is like "file_text" (the new pieces of that string) or "rows[*]" (each row when it is whole); ask the
        watch for what is `new()`. Raises LocalProtocolError as `partial_input` does, or where `path` is no path.
        """
        if isinstance(self._accumulator.blocks.get(index), TextBlock):
            return Watch(self.partial_output(index), path)
        return Watch(self.partial_input(index), path)

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
        data = as_bytes(data)
        if self._eof:
            raise LocalProtocolError("receive_data after receive_eof: the stream has ended")
        if self._error is None and data:
            self._receive(data)

    def receive_eof(self) -> None:
        """The body has ended. Idempotent. Before message_stop that is a TruncatedError at the next empty read."""
        if self._eof:
            return
        self._eof = True
        self._flush()
        if self._over():
            return
        decoder = self._decoder
        if decoder is not None:
            begin = decoder._begin if decoder._lines else decoder.offset
            decoder.receive_eof()
            leftover = _unfinished(decoder.discarded, self._limits)
            if leftover is not None:
                try:
                    self._accumulator.event_number = self._number + 1
                    self._accumulator.deviate("last_blank_line", "the last event has no blank line behind it")
                except RemoteProtocolError as refused:
                    self._fail(refused, begin, leftover.raw)
                    return
                error = self._take(leftover.event, leftover.raw)
                if error is not None:
                    self._fail(error, begin, leftover.raw)
        if not self._over():
            self._end_without_stop()

    def _end_without_stop(self) -> None:
        """The body has ended before message_stop: that is a TruncatedError, or what the caller allows."""
        if not self._require_message_stop and self.complete_but_for_stop:
            try:
                self._accumulator.event_number = self._number
                self._accumulator.end_without_stop()
            except RemoteProtocolError as refused:
                self._fail(refused, self._received, b"")
            else:
                self._state = "complete"
            return
        self._state = "truncated"
        self._error = TruncatedError(
            self._truncation(),
            stage="stream",
            excerpt=b"" if self._number else self._sniffed,
            offset=self._received,
            partial=self.message,
        )

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

    def _receive(self, data: bytes) -> None:
        room = self._budget - self._received
        if len(data) > room and not self._over():
            if room > 0:
                self._take_bytes(data[: int(room)])
            self._flush()
            if not self._over():
                limit = self._limits.message
                self._fail(
                    LimitError(
                        f"the answer passes Limits.message = {limit} bytes",
                        limit="message",
                        value=limit,
                        stage="stream",
                    ),
                    limit,
                    b"",
                )
            return
        self._take_bytes(data)

    def _take_bytes(self, data: bytes) -> None:
        """Some bytes, within the limit of the message."""
        self._plain(data)

    def _flush(self) -> None:
        """Give the chain what a faster way has held back."""

    # The plain chain.

    def _decoding(self) -> SSEDecoder:
        decoder = self._decoder
        if decoder is None:
            decoder = self._decoder = SSEDecoder(limits=self._limits)
            decoder._keep_dataless_errors = True
            decoder._keep_offsets()
        return decoder

    def _plain(self, data: bytes) -> None:
        if self._refused():
            return
        decoder = self._decoding()
        self._received += len(data)
        if self._number == 0 and len(self._sniffed) < _SNIFFED:
            self._sniffed += data[: _SNIFFED - len(self._sniffed)]
        decoder.receive_data(data)
        try:
            frames = decoder._events_with_offsets()
        except RemoteProtocolError as error:
            if not self._over():
                self._fail(error, error.offset or 0, error.excerpt)
            return
        for sse, begin in frames:
            refused = self._take(sse.event, sse.raw)
            if refused is not None:
                self._fail(refused, begin, sse.raw)
            if self._refused():
                return
        if decoder._error is not None and not self._over():
            self._fail(decoder._error, decoder._error.offset or 0, decoder._error.excerpt)

    def _take(self, name: str, raw: bytes) -> RemoteProtocolError | None:
        """One server-sent event, its name and data, through stages 4 to 6. Gives what is wrong with it, for `_fail`."""
        accumulator = self._accumulator
        self._number += 1
        try:
            if accumulator.done:
                accumulator.event_number = self._number
                if not self._late:
                    self._late = True
                    accumulator.deviate("after_message_stop", "something came after message_stop")
                return None
            event = decode_data(name, raw, self._limits)
            if event is None:
                accumulator.event_number = self._number
                accumulator.deviate("skipped", f"event {name!r:.40} says nothing (its data: {raw!r:.40})")
                return None
            accumulator.event_number = self._number - 1  # receive_event counts
            accumulator.receive_event(event)
        except RemoteProtocolError as error:
            return error
        if self._events is None:
            self._events = [event]
        else:
            self._events.append(event)
        if type(event) is MessageStop:
            self._state = "complete"
        elif type(event) is ErrorEvent:
            self._state = "errored"
            self._error = api_error(
                {**(event.extra or {}), "error": event.error},
                status=200,
                body=raw[: self._limits.error_body],
                phase="after_output" if accumulator.types else "before_output",
                partial=self.message,
            )
        return None

    def _fail(self, error: RemoteProtocolError, begin: int, raw: bytes) -> None:
        self._state = "broken"
        error.args = (f"event {max(self._number, 1)}, at byte {begin}: {error.args[0]}",)
        error.offset = begin
        error.excerpt = raw[:_EXCERPT]
        error.partial = self.message
        self._error = error

    def _truncation(self) -> str:
        """The words of a TruncatedError."""
        if self._number:
            size = f"after {self._number} events and {self._received} bytes"
            if self.message is None:
                words = "the answer is cut off, and nothing of it had arrived"
                return f"the stream ended before message_start, {size}: {words}"
            return f"the stream ended before message_stop, {size}: the answer is cut off. What had arrived is .partial"
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


def as_bytes(data: object) -> bytes:
    """`data` as bytes; LocalProtocolError for anything that is none."""
    if type(data) is bytes:
        return data
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
