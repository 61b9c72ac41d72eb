"""Repair: the event stream of any peer in, the stream that the Messages API would have sent out.

For routers and relays between a client and a server that speaks the Messages API almost. It mends this protocol only:
translating from another one (chat completions, responses) is out of its scope.

The rules of what is mended are at the top of `_mend.py`. What needs no mending goes out in the bytes that came, so the
repair of a right stream is the identity, and what was repaired once is not changed by a second repair.

What goes out is read, event by event, by the accumulator of the stream's reader, without its content: what it would
refuse ends the stream here. The usual delta (`usual` says which that is) goes past all of this, as it came or as the
event that it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, final

from sansio_claude._copies import NotCopied
from sansio_claude._errors import LimitError, LocalProtocolError, RemoteProtocolError, TruncatedError
from sansio_claude._errors.arguments import as_bytes
from sansio_claude._errors.error_object import error_object
from sansio_claude._json import MSGSPEC_ERRORS, loads_with_halves
from sansio_claude._limits import Limits, limits_of
from sansio_claude._message.halves import mend_message
from sansio_claude._stream.accumulate import MessageAccumulator
from sansio_claude._stream.armed import Armed, armed_for
from sansio_claude._stream.decode import event_from_value
from sansio_claude._stream.encode import event_object, name_of
from sansio_claude._stream.endings import events_of_message, is_whole_message
from sansio_claude._stream.events import Event
from sansio_claude._stream.known import StreamState
from sansio_claude._stream.shortcuts import take_usual
from sansio_claude._stream.sse import ServerSentEvent
from sansio_claude._stream.usual import ENDINGS, WHOLE_ENDINGS, decode_text, split_events, texts_of
from sansio_claude.gateway._dial import Item
from sansio_claude.gateway._frames import (
    BOM,
    ByteOrderMarks,
    Frame,
    FrameReader,
    FrameSplitter,
    frame_of_event,
    frame_of_value,
)
from sansio_claude.gateway._held import HeldBody
from sansio_claude.gateway._mend import Mender
from sansio_claude.gateway._mend_kinds import Mended, MendKind, MendVerdict, mend_verdicts

__all__ = ["Repair"]

_SPACE: Final = b" \t\r\n"
_CONTENT: Final = b"content_block"
_WINDOW: Final = 16 * 1024  # bytes of a read that are taken apart at once
_RUN: Final = 8 * 1024  # and those that are looked through for usual deltas


@final
class Repair(NotCopied):
    """Mends the event stream of one answer.

        repair = Repair()
        repair.receive_data(chunk)
        forward(repair.data_to_send())
        repair.receive_eof()  # where the body of the peer has ended
        forward(repair.data_to_send())

    `receive_data(data)` takes bytes of the body as they come, decoded from any content coding; `receive_eof()` says
    that it has ended. With `output="bytes"` `data_to_send()` gives the mended stream so far, with `output="events"`
    `events_received()` gives its events. `mended` lists what was not as the protocol says.

    A stream that cannot be mended (a cut, content that could mislead, bytes that are no stream) ends with an `error`
    event, and `error` is the reason; a proxy should end its own body uncleanly then, so that no client takes it for
    whole. Never raises for what the peer sent. Linear in the bytes received; memory is that of one event, of the
    inputs of the calls (at most `Limits.message`), and of a body that is one JSON text.

    `mend` names what is done about a kind: "mend" (the default), "pass" (passed on as it came, and listed) or
    "refuse" (the stream ends with an error event). Raises LocalProtocolError for an unknown kind, verdict or output.
    One thread at a time may use it; it cannot be copied or pickled.
    """

    __slots__ = (
        "_armed",
        "_blank",
        "_eof",
        "_events",
        "_fast",
        "_frames",
        "_held",
        "_last",
        "_limits",
        "_marks",
        "_mender",
        "_out",
        "_output",
        "_past_limit",
        "_reader",
        "_sniffed",
        "_splitter",
        "_tool",
        "_written",
        "error",
    )
    _instead = "it holds what waits to be sent: make one for each stream"

    def __init__(
        self,
        *,
        mend: Mapping[MendKind, MendVerdict] | None = None,
        output: Literal["bytes", "events"] = "bytes",
        limits: Limits | None = None,
    ) -> None:
        if output not in ("bytes", "events"):
            raise LocalProtocolError(f"output is 'bytes' or 'events', not {output!r:.80}", path="output")
        self._limits = limits_of(limits)
        self._mender = Mender(mend_verdicts(mend), self._limits)
        self._reader = MessageAccumulator(limits=self._limits, keep_content=False)
        self._splitter = FrameSplitter()
        self._frames = FrameReader(self._limits)
        self._past_limit = False  # whether a limit was passed behind the end: nothing is read any more
        self._output = output
        self._out: list[bytes] = []
        self._events: list[Event] = []
        self._marks = ByteOrderMarks()
        self._eof = False
        self._blank = True  # whether nothing but white space has come
        self._sniffed: bytes | None = b""  # the beginning of a byte order mark, until anything else has come
        self._held: HeldBody | None = None  # a body that may be one JSON text: no event has come
        self._last = b""  # the last frame that came
        self._written = False  # whether it has gone out as it came
        self._armed: Armed | None = None  # the open block whose usual deltas go past the mender
        self._fast: Armed | None = None  # the same, where the next byte begins an event and nothing waits
        self._tool: Any = None  # the same block where it is a call
        self.error: RemoteProtocolError | None = None
        """Why the stream was ended with an error event of our own; None where it was not."""

    def __repr__(self) -> str:
        return f"<Repair {self.state}, {len(self.mended)} mended>"

    # What is known.

    @property
    def mended(self) -> list[Mended]:
        """What was not as the protocol says, in order; at most `Limits.deviations` of it."""
        return self._mender.mended

    @property
    def done(self) -> bool:
        """Whether message_stop has gone out: the answer is whole."""
        return self._mender.done

    @property
    def state(self) -> StreamState:
        """What goes out is "open", "complete" (message_stop), or ends with an error event.

        That event is the peer's ("errored"), or this repair's: "truncated" after a cut, else "broken".
        """
        if self.error is not None:
            return "truncated" if isinstance(self.error, TruncatedError) else "broken"
        if self._mender.over:
            return "errored"
        return "complete" if self._mender.done else "open"

    # In and out.

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take some bytes of the body; `b""` is a no-op. Raises LocalProtocolError after `receive_eof`."""
        fast = self._fast
        if fast is not None and type(data) is bytes:
            # A usual delta, which nearly every read of a stream is.
            behind = data.removeprefix(fast.opening)
            if behind is not data and len(data) <= self._frames.usual:
                raw, quote, ending = behind.rpartition(b'"')
                if quote and ending in WHOLE_ENDINGS:
                    try:
                        text = decode_text(quote + raw + quote)
                    except MSGSPEC_ERRORS:
                        pass  # the plain way says what it is
                    else:
                        if self._tool is None:
                            self._frames.offset += len(data)
                            self._mender.number += 1
                            if self._output == "bytes":
                                self._out.append(data)
                            else:
                                self._events += fast.events([text])
                            return
                        if self._pass(fast, data, [text]):
                            return
        data = as_bytes(data)
        if self._eof:
            raise LocalProtocolError("receive_data after receive_eof: the stream has ended")
        if not data or self.error is not None:
            return
        self._fast = None
        try:
            if self._blank:
                data = self._sniff(data)
            held = self._held
            if held is None:
                self._receive(data)
            elif held.receive(data):
                self._take_held(held)
        except RemoteProtocolError as error:
            self._break(error)
        if self._armed is not None and not self._splitter.pending and self._mender.idle:
            self._fast = self._armed

    def receive_eof(self, *, ended_well: bool = True) -> None:
        """The body has ended. Idempotent.

        `ended_well` is False where its framing says that it was cut: no last chunk, too few bytes, a reset. Then
        nothing is added that would make it whole.
        """
        if self._eof:
            return
        self._eof = True
        self._armed = self._fast = None
        if self.error is not None:
            return
        try:
            held = self._held
            if held is not None and not held.has_unfinished():
                self._end_whole(held.data(), ended_well)
                return
            if held is not None:
                self._take_held(held)
            self._end(ended_well)
        except RemoteProtocolError as error:
            self._break(error)

    def data_to_send(self) -> bytes:
        """The bytes of the mended stream since the last call. Raises LocalProtocolError with `output="events"`."""
        if self._output != "bytes":
            raise LocalProtocolError("this Repair gives events: call events_received(), or make it with output='bytes'")
        out = self._out
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        return data

    def events_received(self) -> list[Event]:
        """The events of the mended stream since the last call. Raises LocalProtocolError with `output="bytes"`."""
        if self._output != "events":
            raise LocalProtocolError("this Repair gives bytes: call data_to_send(), or make it with output='events'")
        events, self._events = self._events, []
        return events

    # The stream.

    def _receive(self, data: bytes) -> None:
        """Take some bytes of the stream, in windows: one may be looked through for each frame in it."""
        for start in range(0, len(data), _WINDOW):
            self._receive_window(data[start : start + _WINDOW])

    def _receive_window(self, data: bytes) -> None:
        """Take a window of the bytes: usual deltas as they are, anything else frame by frame."""
        at = 0
        while at < len(data) and self.error is None:
            if self._past_limit:
                self._take_unread(data[at:])
                return
            armed = self._armed
            if armed is not None and not self._splitter.pending and self._mender.idle:
                size = self._pass_usual(data, at, armed)
                if size:
                    at += size
                    continue
            frame, at = self._splitter.receive_first(data, at)
            ended = self._mender.done or self._mender.over
            try:
                if frame is None:
                    self._frames.look_ahead(self._splitter.pending)
                else:
                    self._take(frame)
            except LimitError:
                if not ended:
                    raise
                # The limit bounds the answer, not what stands behind it.
                self._past_limit = True
                self._take_unread(self._splitter.take_rest() if frame is None else frame.data)

    def _take_unread(self, data: bytes) -> None:
        """Take bytes behind the end of the answer that are no event, or too large a one."""
        self._write(self._mender.receive_unread(data))

    def _pass_usual(self, data: bytes, start: int, armed: Armed) -> int:
        """Pass on usual deltas of the block at hand that `data` has from `start` on. Gives how many bytes they have."""
        if not data.startswith(armed.opening, start):
            return 0
        end = data.rfind(b"\n\n", start, start + _RUN)
        if end < 0:
            return 0
        raws = []
        size = 0
        for event in split_events(data[start:end]):
            behind = event.removeprefix(armed.opening)
            raw, quote, ending = behind.rpartition(b'"')
            if behind is event or not quote or ending not in ENDINGS:
                break
            raws.append(raw)
            size += len(event) + 2
        texts = texts_of(raws) if raws else []
        if not raws or len(texts) < len(raws) or size > self._frames.usual:
            return 0
        return size if self._pass(armed, data[start : start + size], texts) else 0

    def _pass(self, armed: Armed, data: bytes, texts: list[str]) -> bool:
        """Pass on usual deltas with these texts as they came; False where the inputs of calls grow too large."""
        if self._tool is not None:
            if not self._mender.has_room(texts):
                return False
            self._mender.keep_input(self._tool, texts)
        self._frames.offset += len(data)
        self._mender.number += len(texts)
        if self._output == "bytes":
            self._out.append(data)
        else:
            self._events += armed.events(texts)
        return True

    def _take(self, frame: Frame) -> None:
        mender = self._mender
        if not self._marks.began:
            frame.data = self._marks.receive(frame.data)
        if frame.line_feed:
            # The second half of a line end goes where the first half went: out, or nowhere, or it waits with it.
            self._frames.offset += 1
            if self._written:
                self._out.append(frame.data)
            else:
                longer = mender.end_line(self._last, frame.data)
                self._marks.replace(self._last, longer)
            return
        event = self._frames.read(frame.data)
        if event is not None:
            items = mender.receive(event.event, event.raw, frame.data)
        else:
            items = mender.receive_lines(frame.data)
        self._last = frame.data
        self._written = self._output == "bytes" and any(item.frame is frame.data for item in items)
        self._write(items)
        self._arm()

    def _arm(self) -> None:
        """Be ready for the usual deltas of the block that started last, where they may go out as they come."""
        block = self._mender.newest
        self._armed = self._tool = None
        if block is None or block.stopped or block.came != block.index:
            return
        if self._mender.halves.holds(block.came):
            return
        self._armed = armed_for(block.index, block.kind, None)
        self._tool = block if block.tool else None

    def _end(self, ended_well: bool) -> None:
        mender = self._mender
        rest = self._splitter.take_rest()
        rest = self._marks.receive(rest)
        if not rest.strip(_SPACE):
            if rest and (mender.done or mender.over):
                self._write([Item(None, rest)])
        else:
            try:
                last = self._frames.unfinished(rest)
            except LimitError:
                if not (mender.done or mender.over):
                    raise
                self._take_unread(rest)
                return
            if last is not None:
                self._take_unfinished(last, rest)
            elif mender.done or mender.over:
                self._write([Item(None, rest)])
            elif _CONTENT in rest:
                ended_well = False  # content was cut
        if mender.done or mender.over or self.error is not None:
            return
        items = mender.finish(well=ended_well)
        if items is None:
            words = "the stream ended before message_stop" if ended_well else "the body was cut before message_stop"
            raise TruncatedError(f"{words}: the answer is cut off", stage="stream")
        self._write(items)

    def _take_unfinished(self, last: ServerSentEvent, rest: bytes) -> None:
        """Take the last event, which lacks its blank line: it gets one, unless it may lack it and nothing follows."""
        mender, whole = self._mender, frame_of_event(last)
        if mender.done or mender.over:
            self._write(mender.receive(last.event, last.raw, rest))
            return
        passed = not mender.ask("last_blank_line", "the last event has no blank line behind it")
        items = mender.receive(last.event, last.raw, whole)
        if passed and items and items[-1].frame is whole and items[-1].kind in ("message_stop", "error"):
            items[-1].frame = rest
        self._write(items)

    def _break(self, error: RemoteProtocolError) -> None:
        self.error = error
        for item in self._mender.error(str(error.args[0])):
            try:
                self._write([item])
            except RemoteProtocolError:
                # It waited for the event behind it and has no place any more: its message never began.
                continue

    # A whole message where a stream was asked for.

    def _sniff(self, data: bytes) -> bytes:
        """See whether the body may be one JSON text, as soon as its first byte has come that is no white space.

        Gives what is left to be taken. Blank lines in front of a JSON text go out like those of a stream: where each
        comes in a read of its own, nothing says yet which of the two the body is.
        """
        start = data
        if self._sniffed is not None:
            start = self._sniffed + data
            if BOM.startswith(start):
                self._sniffed = start
                return data
            self._sniffed = None
            start = start.removeprefix(BOM)
        start = start.lstrip()
        self._blank = not start
        if start.startswith(b"{"):
            self._receive(data[: len(data) - len(start)])
            rest = self._splitter.take_rest()
            self._held = HeldBody(rest, self._limits)
            return start
        return data

    def _take_held(self, held: HeldBody) -> None:
        """Take what was held, which is no JSON text after all."""
        self._held = None
        self._receive(held.data())

    def _end_whole(self, data: bytes, ended_well: bool) -> None:
        data = self._marks.receive(data)
        mender = self._mender
        try:
            value, has_halves = loads_with_halves(data.removeprefix(BOM), self._limits.depth)
        except RemoteProtocolError:
            value, has_halves = None, False
        mender.number = 1
        if is_whole_message(value) and ended_well:
            mends = mender.ask("whole_message", "a whole message came where a stream was asked for")
            if not mends:
                events = events_of_message(value)  # which it has to be
                if self._output == "bytes":
                    self._out.append(data)
                else:
                    self._write([Item(event_object(event)) for event in events])
                mender.done = True
                return
            if has_halves and mend_message(value):
                mender.ask("half_character", "half of a surrogate pair stands alone")
            for event in events_of_message(value):
                self._write(mender.receive_value(event_object(event)))
            return
        if value is not None and error_object(value) is not None:
            self._write(mender.receive("error", data.removeprefix(BOM), data))
            return
        raise RemoteProtocolError("the body is neither an event stream nor a whole message", stage="stream")

    # What goes out.

    def _write(self, items: list[Item]) -> None:
        marks = self._marks
        for item in items:
            value = item.value
            data = item.frame if item.frame is not None or value is None else frame_of_value(value)
            if value is None:
                if data is not None and self._output == "bytes":
                    self._out.append(data if marks.settled else marks.send(data))
                continue
            event = item.event
            reader = self._reader
            if event is None:
                kind: Any = value.get("type")
                event = take_usual(reader, kind, value, self._limits) if isinstance(kind, str) else None
                if event is None:
                    notes: Any = []
                    name = item.name if item.frame is not None else name_of(value)
                    event = event_from_value(value, name, self._limits, notes)
                    if not reader.done:
                        event = reader.receive_event(event)
            elif not reader.done:
                event = reader.receive_event(event)
            if reader._released:
                released = reader._take_released()
                if self._output == "events":
                    self._events += released
            if self._output == "events":
                self._events.append(event)
            elif data is not None:
                self._out.append(data if marks.settled else marks.send(data))
