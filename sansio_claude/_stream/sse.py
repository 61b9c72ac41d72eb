"""Server-sent events: body bytes in, `ServerSentEvent` out, and the other way. Knows WHATWG, not Claude.

The rules (WHATWG HTML, section 9.2.5 "Parsing an event stream" and 9.2.6 "Interpreting an event stream"):

* one leading byte order mark is dropped; a line ends with CRLF, LF or CR, so a CR ends its line at once and an LF
  right behind it is skipped, whether or not it comes in the same read;
* a line that starts with a colon is a comment; `field:value` loses one space after the colon; a line without a
  colon is a field with an empty value; fields other than event, data, id and retry are ignored;
* a blank line dispatches the event if it had any data line; without one, its name is forgotten;
* `id` comes into force at the next blank line and stays until another (a value with NUL is ignored); `retry`
  counts only if all ASCII digits, and acts at once;
* what the end of input leaves without its blank line is thrown away (`discarded` tells what).

Bytes are stored once and scanned once: a line that arrives in pieces is joined when it ends, so the cost is linear
in the bytes received for any chunking.

An event of the usual shape, `event: NAME` and `data: DATA` in a read of one kind of line end, LF or CRLF, is taken
apart as a whole where it stands behind a blank line; anything else goes line by line, which is the plain way. Tests
hold both equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import length_hint
from typing import Final

from attrs import define

from sansio_claude._copies import CopiedWhole
from sansio_claude._errors import LimitError, LocalProtocolError, RemoteProtocolError
from sansio_claude._limits import Limits, limits_of
from sansio_claude._stream.usual import EVENT_LINES, LF_DATA, remember_line
from sansio_claude._value import Value

__all__ = ["ODD_LINE", "SSEDecoder", "ServerSentEvent", "encode_sse"]

_BOM: Final = b"\xef\xbb\xbf"
_RETRY_DIGITS: Final = 4_000  # int() refuses more than 4,300 digits; nobody waits that long
_EXCERPT: Final = 80
_SMALL_PIECES: Final = 256  # pieces of a line that has not ended are joined when they are so many
_RUN: Final = 24  # lines of usual events in a row, after which more of them are expected
# As numbers: to look for a bytes in a bytes, CPython first raises and drops an exception, at 0.3 us.
_LF: Final = 10
_CR: Final = 13
# Bound once: the compiler binds a method of an imported name at every call.
_name_of: Final = EVENT_LINES.get
_new: Final = object.__new__  # the Python-level __init__ of a usual event takes half as long again


@define(eq=False, repr=False)
class ServerSentEvent(Value):
    """One dispatched event.

    `event` is its name ("message" when unnamed), `raw` the data as bytes (data lines joined by LF), `id` the last
    event id in force, `retry` the reconnection time in milliseconds set within this event, or None.
    """

    event: str = "message"
    raw: bytes = b""
    id: str = ""
    retry: int | None = None

    @property
    def data(self) -> str:
        """The data as text, decoded when asked; malformed UTF-8 becomes U+FFFD as the standard says."""
        try:
            return self.raw.decode()  # takes half the time of a call with arguments
        except UnicodeDecodeError:
            return self.raw.decode("utf-8", "replace")


ODD_LINE: Final = ServerSentEvent("")  # where offsets are kept, a line outside of events that has no known field


def bytes_within_limits(limits: Limits) -> int:
    """How many bytes, all in events of two lines each, can pass no limit of a line or an event."""
    return min(limits.line, limits.event) if limits.event_lines >= 2 else 0


class SSEDecoder(CopiedWhole):
    """The event stream parser of the WHATWG standard.

    `receive_data` takes body bytes in any chunking and never raises for what they hold; `events_received` hands over
    the events dispatched since. `last_event_id` and `retry` (milliseconds or None) are the stream's values in force,
    `discarded` the bytes of the unfinished event that the end of input threw away, `comments` counts comment lines.
    """

    __slots__ = (
        "_begin",
        "_begins",
        "_border",
        "_bytes_within_limits",
        "_error",
        "_event_retry",
        "_events",
        "_id",
        "_limits",
        "_line",
        "_line_size",
        "_lines",
        "_name",
        "_names_without_data",
        "_size",
        "_skip_lf",
        "_small_pieces",
        "_started",
        "_values",
        "comments",
        "discarded",
        "eof",
        "last_event_id",
        "offset",
        "retry",
    )

    def __init__(self, *, limits: Limits | None = None) -> None:
        self._limits = limits = limits_of(limits)
        self._bytes_within_limits = bytes_within_limits(limits)
        self._events: list[ServerSentEvent] | None = None
        self._begins: list[int] | None = None  # for each of them, the offset of its first line; made for who asks
        self._begin = 0
        self._border = False  # at_boundary, after the last read
        self._error: RemoteProtocolError | None = None
        self._started = False  # whether the byte order mark has been looked for
        self._skip_lf = False  # the last line ended with CR: an LF next belongs to it
        self._line: list[bytes] = []  # pieces of the line that has not ended
        self._line_size = 0
        self._small_pieces = 0  # pieces at the end of _line that are not joined
        self._lines: list[bytes] = []  # event, data and id lines of the unfinished event, for `discarded`
        self._name: str = ""
        self._values: list[bytes] = []  # values of its data lines
        self._size = 0  # bytes of its names and data
        self._event_retry: int | None = None
        self._names_without_data: frozenset[str] = frozenset()  # events of these names count without a data line, too
        self._id = ""  # comes into force at the next blank line
        self.last_event_id: str = ""
        self.retry: int | None = None
        self.discarded: bytes = b""
        self.comments: int = 0
        self.eof: bool = False
        self.offset: int = 0
        """Bytes of the body whose lines have ended."""

    def __repr__(self) -> str:
        state = "broken" if self._error is not None else "ended" if self.eof else "open"
        waiting = len(self._events or ())
        return f"<SSEDecoder {state}, {self.offset} bytes of whole lines, {waiting} events to be read>"

    @property
    def at_boundary(self) -> bool:
        """Whether nothing is pending: the next byte begins a new event."""
        return (
            self._started
            and not self._skip_lf
            and not self._line
            and not self._lines
            and self._event_retry is None
            and self._error is None
            and not self.eof
        )

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take some body bytes. `b""` is a no-op. Raises LocalProtocolError after `receive_eof` only."""
        if self._border and type(data) is bytes:
            # One read, one usual event, which is what nearly always happens: compared here, without a call.
            line, _, rest = data.partition(LF_DATA)
            name = _name_of(line)
            if name is not None:
                raw = rest.removesuffix(b"\n\n")
                size = len(data)
                if raw is not rest and _LF not in raw and _CR not in raw and size <= self._bytes_within_limits:
                    event: ServerSentEvent = _new(ServerSentEvent)
                    event.event = name
                    event.raw = raw
                    event.id = self._id
                    event.retry = None
                    if self._events is None:
                        self._events = [event]
                    else:
                        self._events.append(event)
                    if self._begins is not None:
                        self._begins.append(self.offset)
                    self.offset += size
                    return
        self._receive(data)

    def _receive(self, data: bytes | bytearray | memoryview) -> None:
        if self.eof:
            raise LocalProtocolError("receive_data after receive_eof: the stream has ended")
        if type(data) is not bytes:
            if not isinstance(data, (bytes, bytearray, memoryview)):
                raise LocalProtocolError(f"receive_data takes bytes, not {type(data).__name__}")
            data = bytes(data)
        if self._error is not None or not data:
            return
        if not self._started:
            data = self._strip_bom(data)
        if self._skip_lf and data:
            self._skip_lf = False
            if data[0] == 0x0A:
                data = data[1:]
                self.offset += 1
        try:
            self._parse(data)
        except RemoteProtocolError as error:
            self._error = error
        self._border = self.at_boundary

    def _begin_at(self, offset: int) -> None:
        """Go on at byte `offset` of the body, where an event begins. The events before it were decoded elsewhere."""
        self._started = self._border = True
        self.offset = offset

    def receive_eof(self) -> None:
        """The body has ended. Idempotent. An event without its blank line is thrown away, see `discarded`."""
        if self.eof:
            return
        self.eof = True
        self._border = False
        if self._error is None:
            tail = b"".join(self._line)
            self.discarded = b"".join(line + b"\n" for line in self._lines) + tail
        self._line.clear()
        self._lines.clear()
        self._values.clear()

    def events_received(self) -> list[ServerSentEvent]:
        """The events dispatched since the last call, in order.

        When there are none and a limit was passed: raises its LimitError, now and at every later call.
        """
        events = self._events
        if events is not None:
            self._events = None
            return events
        if self._error is not None:
            raise self._error.with_traceback(None)
        return []

    def _keep_offsets(self) -> None:
        """From the first byte on keep what `_events_with_offsets` tells, and ODD_LINE for each line of no field."""
        self._begins = []

    def _events_with_offsets(self) -> list[tuple[ServerSentEvent, int]]:
        """`events_received`, each with the offset of its first line in the body."""
        begins, self._begins = self._begins, []
        return list(zip(self.events_received(), begins or (), strict=True))

    def _strip_bom(self, data: bytes) -> bytes:
        # The mark itself may be cut: hold back at most two bytes.
        if self._line:
            data = self._line[0] + data
            self._line.clear()
            self._line_size = self._small_pieces = 0
        if len(data) < 3 and _BOM.startswith(data):
            self._line.append(data)
            self._line_size = len(data)
            self._small_pieces = 1
            return b""
        self._started = True
        if data.startswith(_BOM):
            self.offset += 3
            return data[3:]
        return data

    def _parse(self, data: bytes) -> None:
        if _CR not in data:
            self._parse_lines(data, b"\n")
        elif data.count(b"\r\n") == data.count(b"\r") == data.count(b"\n"):
            self._parse_lines(data, b"\r\n")
        else:
            self._parse_any_lines(data)

    def _parse_lines(self, data: bytes, ending: bytes) -> None:
        """Lines that all have this end."""
        size = self._line_size + len(data)
        lines = data.split(ending)
        tail = lines.pop()
        if lines and self._line:
            lines[0] = self._end_line(lines[0])
        if len(lines) >= 3 and size <= self._bytes_within_limits:
            self._take_events(lines, len(ending), self.offset + size - len(tail))
        else:
            for line in lines:
                self._take(line, len(ending))
        self._hold(tail)

    def _take_events(self, lines: list[bytes], ending: int, end: int) -> None:
        """Interpret whole lines that can pass no limit of a usual event; `end` is the offset behind the last."""
        rest = iter(lines)
        while True:
            while self._lines or self._event_retry is not None:  # to the end of an event, line by line
                line = next(rest, None)
                if line is None:
                    return
                self._take(line, ending)
            first = len(lines) - length_hint(rest)
            odd = self._take_usual(rest, ending)
            if odd is None:
                left = lines[len(lines) - (len(lines) - first) % 3 :]
                self.offset = end - sum(map(len, left)) - len(left) * ending
                for line in left:
                    self._take(line, ending)
                return
            taken = lines[first : len(lines) - length_hint(rest) - 3]
            self.offset += sum(map(len, taken)) + len(taken) * ending
            for line in odd:
                self._take(line, ending)
            if len(taken) < _RUN:  # hardly any usual events are here: comparing costs more than it saves
                for line in rest:
                    self._take(line, ending)
                return

    def _take_usual(self, rest: Iterator[bytes], ending: int) -> tuple[bytes, bytes, bytes] | None:
        """Take usual events, without their bytes, up to three lines that are none, and give these.

        None where fewer than three lines were left: they are used up, too. No line has a line end in it, so that three
        lines in a row are all there is to compare.
        """
        begins, offset, last_id, name_of = self._begins, self.offset, self._id, _name_of
        events = self._events or []
        odd = None
        for lines in zip(rest, rest, rest, strict=False):
            first, second, blank = lines
            name = name_of(first)
            raw = second.removeprefix(b"data: ")
            if name is None or raw is second or blank:
                odd = lines
                break
            event: ServerSentEvent = _new(ServerSentEvent)
            event.event = name
            event.raw = raw
            event.id = last_id
            event.retry = None
            events.append(event)
            if begins is not None:
                begins.append(offset)
                offset += len(first) + len(second) + 3 * ending
        self._events = events or None
        return odd

    def _parse_any_lines(self, data: bytes) -> None:
        """Lines that end with LF, CRLF or CR."""
        lines = data.splitlines(keepends=True)  # on bytes: exactly these three
        for line in lines:
            if line.endswith(b"\r\n"):
                body, size = line[:-2], 2
            elif line.endswith((b"\n", b"\r")):
                body, size = line[:-1], 1
            else:
                self._hold(line)
                return
            if self._line:
                body = self._end_line(body)
            self._take(body, size)
        self._skip_lf = lines[-1].endswith(b"\r")

    def _hold(self, piece: bytes) -> None:
        """Keep the piece of a line that has not ended."""
        if piece:
            line = self._line
            line.append(piece)
            self._line_size += len(piece)
            self._small_pieces += 1
            if self._small_pieces == _SMALL_PIECES:
                # Joined now and then, tiny reads cost little more than their bytes.
                line[-_SMALL_PIECES:] = [b"".join(line[-_SMALL_PIECES:])]
                self._small_pieces = 0
            if self._line_size > self._limits.line:
                raise self._line_too_large(b"".join(self._line), self.offset)

    def _end_line(self, piece: bytes) -> bytes:
        self._line.append(piece)
        line = b"".join(self._line)
        self._line.clear()
        self._line_size = self._small_pieces = 0
        return line

    def _take(self, line: bytes, ending: int) -> None:
        """Interpret one whole line; `ending` is the size of its line end."""
        begin = self.offset
        if not line and not self._lines:  # a blank line between events
            self.offset = begin + ending
            self._event_retry = None
            return
        if len(line) > self._limits.line:
            raise self._line_too_large(line, begin)
        self.offset = begin + len(line) + ending
        if not line:
            self._dispatch()
            return
        field, value = b"data", line.removeprefix(b"data: ")  # copied once, for it may be long
        if value is line:
            field, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
        if field == b"data":
            self._values.append(value)
            self._count(line, len(value), begin)
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
            if line.startswith(b"event: "):
                remember_line(line, self._name or "message")
            self._count(line, len(value), begin)
        elif field == b"":
            self.comments += 1
        elif field == b"id":
            if b"\0" not in value:
                self._id = value.decode("utf-8", "replace")
            self._count(line, len(value), begin)
        elif field == b"retry":
            if value.isdigit() and len(value) <= _RETRY_DIGITS:  # bytes.isdigit is ASCII only
                self.retry = self._event_retry = int(value)
        elif self._begins is not None and not self._lines and line.strip():
            self._events = self._events or []
            self._events.append(ODD_LINE)
            self._begins.append(begin)

    def _count(self, line: bytes, size: int, begin: int) -> None:
        if not self._lines:
            self._begin = begin
        self._lines.append(line)
        self._size += size
        if self._size > self._limits.event:
            raise self._too_large("event", self._limits.event, line, begin)
        if len(self._lines) > self._limits.event_lines:
            raise self._too_large("event_lines", self._limits.event_lines, line, begin)

    def _dispatch(self) -> None:
        values = self._values
        self.last_event_id = self._id
        if values or (self._name and self._name in self._names_without_data):
            raw = values[0] if len(values) == 1 else b"\n".join(values)
            event = ServerSentEvent(self._name or "message", raw, self._id, self._event_retry)
            if self._events is None:
                self._events = [event]
            else:
                self._events.append(event)
            if self._begins is not None:
                self._begins.append(self._begin)
            values.clear()
        self._size = 0
        self._name = ""
        self._event_retry = None
        self._lines.clear()

    def _line_too_large(self, line: bytes, begin: int) -> LimitError:
        limit = self._limits.line
        # Whoever reads byte by byte knows of the line one byte more than the limit: no more is shown in any chunking.
        return self._too_large("line", limit, line[: limit + 1], begin)

    def _too_large(self, limit: str, value: int, line: bytes, begin: int) -> LimitError:
        self._line.clear()
        self._lines.clear()
        self._values.clear()
        return LimitError(
            f"the event stream passes Limits.{limit} = {value} at byte {begin}",
            limit=limit,
            value=value,
            stage="frames",
            excerpt=line[:_EXCERPT],
            offset=begin,
        )


def encode_sse(event: ServerSentEvent) -> bytes:
    """The bytes of one event, LF only, with its blank line: what SSEDecoder decodes to an equal event.

    An event without a name of its own ("message" or an empty one) has no event line and an empty id no id line.
    Raises LocalProtocolError where the format cannot carry a value: CR in the data, a line end in the name, a line
    end or NUL in the id, a retry that is negative or has more than 4,000 digits.
    """
    if "\n" in event.event or "\r" in event.event:
        raise LocalProtocolError("the event's name holds a line end", path="event")
    if "\n" in event.id or "\r" in event.id or "\0" in event.id:
        raise LocalProtocolError("the event's id holds a line end or NUL", path="id")
    if b"\r" in event.raw:
        raise LocalProtocolError("the event's data holds CR, which would end its line", path="raw")
    if event.retry is not None and not 0 <= event.retry < 10**_RETRY_DIGITS:
        raise LocalProtocolError(f"the event's retry is negative or has more than {_RETRY_DIGITS} digits", path="retry")
    out = bytearray()
    if event.event and event.event != "message":
        out += b"event: " + _encoded(event.event, "event") + b"\n"
    if event.id:
        out += b"id: " + _encoded(event.id, "id") + b"\n"
    if event.retry is not None:
        out += b"retry: %d\n" % event.retry
    for line in event.raw.split(b"\n"):
        out += b"data: " + line + b"\n"
    out += b"\n"
    return bytes(out)


def _encoded(value: str, name: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise LocalProtocolError(f"the event's {name} holds a lone surrogate", path=name) from error
