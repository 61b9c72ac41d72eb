"""Repair: the event stream of any peer in, the stream that the Messages API would have sent out.

For routers and relays between a client and a server that speaks the Messages API almost. It mends this protocol only:
translating from another one (chat completions, responses) is out of its scope.

The rules of what is mended are at the top of `_mend.py`. What needs no mending goes out in the bytes that came, so the
repair of a right stream is the identity, and what was repaired once is not changed by a second repair.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, Literal, final

from sansio_claude._errors import LocalProtocolError, RemoteProtocolError
from sansio_claude._json import dumps
from sansio_claude._limits import DEFAULT_LIMITS, Limits
from sansio_claude._stream.decode import decode_data
from sansio_claude._stream.events import Event
from sansio_claude._stream.plain_stream import as_bytes
from sansio_claude._stream.sse import ServerSentEvent, SSEDecoder
from sansio_claude.gateway._frames import Frame, FrameSplitter
from sansio_claude.gateway._mend import Item, Mender
from sansio_claude.gateway._mend_block import STRING_OF
from sansio_claude.gateway._mend_kinds import Mended, MendKind, MendVerdict, mend_verdicts
from sansio_claude.gateway._whole import events_of_whole

__all__ = ["Repair"]

# A JSON string without escapes that need a look, its quote, the braces with their padding, and the blank line.
_REST_OF_DELTA: Final = rb'((?:[^\x00-\x1f"\\]|\\["\\/bfnrt])*+)"\} *\} *\n\n'
_USUAL: Final = frozenset({"text_delta", "thinking_delta", "input_json_delta"})
_SPACE: Final = b" \t\r\n"


@final
class Repair:
    """Mends the event stream of one answer.

    `receive_data(data)` takes bytes of the body as they come, decoded from any content coding; `receive_eof()` says
    that it has ended. With `output="bytes"` `data_to_send()` gives the mended stream so far, with `output="events"`
    `events_received()` gives its events. `mended` lists what was not as the protocol says.

    A stream that cannot be mended (a cut, content that could mislead, bytes that are no stream) ends with an `error`
    event, and `error` is the reason; a proxy should end its own body uncleanly then, so that no client takes it for
    whole. Never raises for what the peer sent. Linear in the bytes received; memory is that of one event and of the
    inputs of open tool calls.

    `mend` names what is done about a kind: "mend" (the default), "pass" (passed on as it came, and listed) or
    "refuse" (the stream ends with an error event). Not shared between threads; cannot be copied.
    """

    __slots__ = (
        "_decoder",
        "_eof",
        "_events",
        "_limits",
        "_mender",
        "_out",
        "_output",
        "_run",
        "_run_tool",
        "_splitter",
        "_verbatim",
        "_whole",
        "error",
    )

    def __init__(
        self,
        *,
        mend: Mapping[MendKind, MendVerdict] | None = None,
        output: Literal["bytes", "events"] = "bytes",
        limits: Limits | None = None,
    ) -> None:
        if output not in ("bytes", "events"):
            raise LocalProtocolError(f"output is 'bytes' or 'events', not {output!r:.80}", path="output")
        self._limits = limits if limits is not None else DEFAULT_LIMITS
        verdicts = mend_verdicts(mend)
        self._mender = Mender(verdicts, self._limits)
        self._splitter = FrameSplitter(self._limits)
        self._decoder = SSEDecoder(limits=self._limits)
        self._decoder._keep_dataless_errors = True
        self._output = output
        self._out: list[bytes] = []
        self._events: list[Event] = []
        self._eof = False
        self._whole: list[bytes] | None = None  # the body, where it is no event stream but one JSON text
        self._verbatim = False  # whether the last frame goes out as it came
        self._run: re.Pattern[bytes] | None = None  # deltas like the last one, one after another
        self._run_tool: Any = None  # the block whose input they are, if it is a call
        self.error: RemoteProtocolError | None = None
        """Why the stream was ended with an error event of our own; None where it was not."""

    @property
    def mended(self) -> list[Mended]:
        """What was not as the protocol says, in order; at most `Limits.deviations` of it."""
        return self._mender.mended

    @property
    def done(self) -> bool:
        """Whether message_stop has gone out: the answer is whole."""
        return self._mender.done

    @property
    def state(self) -> Literal["open", "complete", "errored", "broken"]:
        """ "open", "complete" (message_stop), "errored" (an error event of the peer) or "broken" (one of ours)."""
        if self.error is not None:
            return "broken"
        if self._mender.over:
            return "errored"
        return "complete" if self._mender.done else "open"

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take some bytes of the body. `b""` is a no-op. Raises LocalProtocolError after `receive_eof`."""
        data = as_bytes(data)
        if self._eof:
            raise LocalProtocolError("receive_data after receive_eof: the stream has ended")
        if not data or self._mender.over:
            return
        if self._whole is None and self._mender.number == 0 and not self._splitter.pending:
            if data.lstrip(_SPACE)[:1] == b"{":
                self._whole = []
        if self._whole is not None:
            self._hold_whole(data)
            return
        try:
            self._receive(data)
        except RemoteProtocolError as error:
            self._break(error)

    def receive_eof(self, *, ended_well: bool = True) -> None:
        """The body has ended. Idempotent.

        `ended_well` is False where its framing says that it was cut: no last chunk, too few bytes, a reset. Then
        nothing is added that would make it whole.
        """
        if self._eof:
            return
        self._eof = True
        try:
            if self._whole is not None:
                self._end_whole(ended_well)
            elif not self._mender.over:
                self._end(ended_well)
        except RemoteProtocolError as error:
            self._break(error)

    def data_to_send(self) -> bytes:
        """The bytes of the mended stream since the last call. Raises LocalProtocolError with `output="events"`."""
        if self._output != "bytes":
            raise LocalProtocolError("this Repair gives events: call events_received(), or make it with output='bytes'")
        data = b"".join(self._out)
        self._out.clear()
        return data

    def events_received(self) -> list[Event]:
        """The events of the mended stream since the last call. Raises LocalProtocolError with `output="bytes"`."""
        if self._output != "events":
            raise LocalProtocolError("this Repair gives bytes: call data_to_send(), or make it with output='events'")
        events, self._events = self._events, []
        return events

    # The stream.

    def _receive(self, data: bytes) -> None:
        run = self._run
        if run is not None and not self._splitter.pending and self._mender.idle:
            match = run.match(data)
            if match is not None and self._pass_run(data[: match.end()]):
                data = data[match.end() :]
                if not data:
                    return
        for frame in self._splitter.receive_data(data):
            self._take(frame)
            if self._mender.over:
                return

    def _pass_run(self, data: bytes) -> bool:
        """Pass on some usual deltas of the block at hand as they came; False where they need a closer look."""
        if not data.isascii():
            try:
                data.decode()
            except UnicodeDecodeError:
                return False
        self._mender.number += data.count(b"\n\n")
        if self._run_tool is not None:
            assert self._run is not None
            self._run_tool.parts += _fragments(self._run, data)
        self._out.append(data)
        return True

    def _take(self, frame: Frame) -> None:
        if frame.line_feed:
            # The second half of a line end. It goes where the first half went: out, or nowhere.
            if self._verbatim:
                self._write(self._mender.receive_comment(frame.data))
            return
        self._decoder.receive_data(frame.data)
        events = self._decoder.events_received()
        before = len(self._mender.mended)
        if events:
            items = self._mender.receive(events[0].event, events[0].raw, frame.data)
        else:
            items = self._mender.receive_comment(frame.data)
        self._verbatim = any(item[1] is frame.data for item in (*items, *self._mender.waiting))
        self._write(items)
        if self._output == "bytes":
            usual = len(items) == 1 and items[0][1] is frame.data and len(self._mender.mended) == before
            self._arm(items[0][0] if usual else None, frame.data)

    def _arm(self, value: dict[str, Any] | None, frame: bytes) -> None:
        """After a usual delta that went out as it came: those like it may take the short way."""
        self._run = self._run_tool = None
        delta = value.get("delta") if value is not None and value.get("type") == "content_block_delta" else None
        if not isinstance(delta, dict) or delta.get("type") not in _USUAL:
            return
        key = STRING_OF[delta["type"]].encode()
        match = re.fullmatch(rb'(.*"' + key + rb'": ?")' + _REST_OF_DELTA, frame)
        if match is None or match.group(1).count(b'"' + key + b'"') != 1:
            return
        index = value["index"] if value is not None else -1
        block = next((each for each in self._mender.blocks.values() if each.index == index), None)
        if block is None or block.stopped or block.held:
            return
        self._run = re.compile(b"(?:" + re.escape(match.group(1)) + _REST_OF_DELTA + b")++")
        self._run_tool = block if block.tool else None

    def _end(self, ended_well: bool) -> None:
        rest = self._splitter.take_rest()
        if rest.strip(_SPACE):
            self._decoder.receive_data(rest)
            self._decoder.receive_eof()
            last = _last_event(self._decoder.discarded, self._limits)
            if last is not None and not self._mender.done:
                self._mender.list_mended("last_blank_line", "the last event has no blank line behind it", passed=False)
                fresh = _frame_of(last)
                self._write(self._mender.receive(last.event, last.raw, fresh))
        self._write(self._mender.finish(well=ended_well))
        if self._mender.over and self.error is None and not self._mender.done:
            self.error = RemoteProtocolError("the stream ended before message_stop", stage="stream")

    def _break(self, error: RemoteProtocolError) -> None:
        if self._mender.over:
            return
        self.error = error
        self._run = None
        self._write(self._mender.flush() + self._mender.error(error.args[0]))

    # A whole message where a stream was asked for.

    def _hold_whole(self, data: bytes) -> None:
        assert self._whole is not None
        self._whole.append(data)
        if sum(map(len, self._whole)) > self._limits.message:
            self._break(RemoteProtocolError(f"the answer passes Limits.message = {self._limits.message} bytes"))

    def _end_whole(self, ended_well: bool) -> None:
        if self._mender.over:
            return
        data = b"".join(self._whole or ())
        mender = self._mender
        value = mender.value_of("message", data) if ended_well else None
        if value is None or value.get("type") not in ("message", "error"):
            raise RemoteProtocolError("the body is neither an event stream nor a whole message", stage="stream")
        mender.number += 1
        if value["type"] == "error":
            self._write([(value, None)])
            mender.over = True
            return
        if not mender.ask("whole_message", "a whole message came where a stream was asked for"):
            self._write([(None, data)])
            mender.done = True
            return
        for event in events_of_whole(value):
            self._write([(event, None)])
        mender.done = True

    # What goes out.

    def _write(self, items: list[Item]) -> None:
        for value, frame in items:
            if self._output == "bytes":
                self._out.append(frame if frame is not None else encode_value(value or {}))
            elif value is not None:
                event = _event_of(value, frame, self._limits)
                if event is not None:
                    self._events.append(event)


def encode_value(value: dict[str, Any]) -> bytes:
    """One event as the API writes it: its type as its name, its JSON as its data."""
    try:
        data = dumps(value)
    except LocalProtocolError:  # halves of surrogate pairs, which a tool input may hold
        data = json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
    return b"event: " + str(value.get("type")).encode() + b"\ndata: " + data + b"\n\n"


def _event_of(value: dict[str, Any], frame: bytes | None, limits: Limits) -> Event | None:
    """The typed event of what goes out; None for what says nothing."""
    decoder = SSEDecoder(limits=limits)
    decoder.receive_data(frame if frame is not None else encode_value(value))
    for event in decoder.events_received():
        return decode_data(event.event, event.raw, limits)
    return None


def _fragments(run: re.Pattern[bytes], data: bytes) -> list[str]:
    """The fragments of a tool input in a run of deltas, decoded."""
    one = re.compile(run.pattern.removeprefix(b"(?:").removesuffix(b")++"))
    return [json.loads(b'"' + text + b'"') for text in one.findall(data)]


def _last_event(discarded: bytes, limits: Limits) -> ServerSentEvent | None:
    """The event whose blank line is missing, if its data is one whole JSON object."""
    decoder = SSEDecoder(limits=limits)
    decoder.receive_data(discarded + b"\n\n")
    for event in decoder.events_received():
        try:
            value = json.loads(event.raw)
        except ValueError:
            return None
        return event if isinstance(value, dict) else None
    return None


def _frame_of(event: ServerSentEvent) -> bytes:
    name = b"" if event.event == "message" else b"event: " + event.event.encode() + b"\n"
    return name + b"".join(b"data: " + line + b"\n" for line in event.raw.split(b"\n")) + b"\n"
