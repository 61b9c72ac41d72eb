"""Frames: the bytes of an event stream cut behind the blank line of each event, nothing lost and nothing changed.

The rules:

* a frame ends with the first blank line in it that has anything before it, so a frame holds at most one event; the
  frames joined are the bytes that came;
* a line ends with LF, CRLF or CR (WHATWG HTML section 9.2.5). A CR at the end of what has arrived may be half of a
  CRLF: where it ends a frame, an LF that comes next still belongs to it and is handed out as `line_feed`;
* where frames are cut does not depend on how the bytes were split, but for that LF.
"""

from __future__ import annotations

import re
from typing import Any, Final

from attrs import define

from sansio_claude._errors import LimitError
from sansio_claude._limits import Limits
from sansio_claude._stream.encode import json_of_event, name_of
from sansio_claude._stream.endings import unfinished_event
from sansio_claude._stream.sse import ServerSentEvent, SSEDecoder, bytes_within_limits, encode_sse

__all__ = ["BOM", "ByteOrderMarks", "Frame", "FrameReader", "FrameSplitter", "frame_of_event", "frame_of_value"]

BOM: Final = b"\xef\xbb\xbf"  # U+FEFF, the byte order mark, in UTF-8

# A blank line: two line ends, each taken whole. A frame that begins with one line end holds nothing before it.
_BLANK: Final = re.compile(rb"(?>\r\n|\r|\n)(?>\r\n|\r|\n)")
_LONGEST_BLANK: Final = 4  # bytes
_CR: Final = 13


@define(eq=False)
class Frame:
    """Some whole lines of the stream, the last of them blank."""

    data: bytes
    line_feed: bool = False
    """Whether this is no frame but the LF of a CRLF whose CR ended the frame before it."""


class FrameSplitter:
    """Cuts an event stream into frames. `pending` is what has arrived of the frame that has not ended."""

    __slots__ = ("_after_cr", "_scanned", "pending")

    def __init__(self) -> None:
        self._scanned = 0  # bytes of `pending` in which no blank line begins
        self._after_cr = False
        self.pending = bytearray()

    def receive_first(self, data: bytes, start: int) -> tuple[Frame | None, int]:
        """Take the bytes of `data` from `start` up to the end of the first frame.

        Gives that frame, or a line feed, or None where it has not ended; and where the next begins. Linear in the bytes
        received, for any chunking, where `data` is short: it may be looked through at each call.
        """
        if self._after_cr and start < len(data):
            self._after_cr = False
            if data.startswith(b"\n", start):
                return Frame(b"\n", line_feed=True), start + 1
        pending = self.pending
        held = len(pending)
        if held:
            pending += data[start:]
            blank = _BLANK.search(pending, self._scanned)
            if blank is not None:
                frame = bytes(pending[: blank.end()])
                pending.clear()
                self._scanned = 0
                return self._whole(frame, data, start + len(frame) - held)
        else:
            end = data.find(b"\n\n", start) + 2
            frame = data[start:end] if end > 1 else b""
            if frame and _CR not in frame:  # the usual line ends
                return Frame(frame), end
            blank = _BLANK.search(data, start)
            if blank is not None:
                return self._whole(data[start : blank.end()], data, blank.end())
            pending += data[start:]
        self._scanned = max(0, len(pending) - _LONGEST_BLANK)
        return None, len(data)

    def _whole(self, frame: bytes, data: bytes, end: int) -> tuple[Frame, int]:
        self._after_cr = end == len(data) and frame.endswith(b"\r")
        return Frame(frame), end

    def take_rest(self) -> bytes:
        """What is left at the end of input: the bytes of an event without its blank line."""
        rest = bytes(self.pending)
        self.pending.clear()
        self._scanned = 0
        return rest


class FrameReader:
    """Reads frames for the events in them. `offset` is how many bytes of the body were read or went past.

    A frame is refused where a limit of a line or an event is passed, or `Limits.event` and `Limits.message` together by
    all that is in it: comments count for no event. A frame that has not ended is refused in the same words as soon as
    that is certain.
    """

    __slots__ = ("_decoder", "_fed", "_limits", "_probe", "_soon", "offset", "usual")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._decoder = self._new_decoder()
        self._soon = min(limits.line, limits.event)
        self._probe: SSEDecoder | None = None  # reads the frame that has not ended, once it is long
        self._fed = 0  # bytes of that frame which the probe has
        self.usual: int = bytes_within_limits(limits)
        """Bytes of usual events that need not be read: no limit can be passed."""
        self.offset: int = 0

    def read(self, frame: bytes) -> ServerSentEvent | None:
        """The event in a whole frame; None for a frame without one. Raises LimitError."""
        self._probe = None
        self._fed = 0
        decoder = self._decoder
        if decoder.offset != self.offset:
            decoder._begin_at(self.offset)
        events = self._events(decoder, frame, 0)
        self.offset += len(frame)
        return events[0] if events else None

    def look_ahead(self, pending: bytes | bytearray) -> None:
        """Look at a frame that has not ended. Raises LimitError. Linear in its bytes, over all calls."""
        if len(pending) <= self._soon:
            return
        probe = self._probe
        if probe is None:
            probe = self._probe = self._new_decoder()
            if self.offset:
                probe._begin_at(self.offset)
        fed, self._fed = self._fed, len(pending)
        self._events(probe, pending, fed)

    def unfinished(self, rest: bytes) -> ServerSentEvent | None:
        """The event that only lacks its blank line at the end of the body, where its data is whole."""
        self.read(rest)
        self._decoder.receive_eof()
        return unfinished_event(self._decoder.discarded, self._limits)

    def _new_decoder(self) -> SSEDecoder:
        decoder = SSEDecoder(limits=self._limits)
        decoder._names_without_data = frozenset({"error"})
        return decoder

    def _events(self, decoder: SSEDecoder, frame: bytes | bytearray, fed: int) -> list[ServerSentEvent]:
        """What comes of a frame that the decoder knows up to `fed`. The limit that is passed first is the one told."""
        most = self._limits.event + self._limits.message
        is_too_large = len(frame) > most
        decoder.receive_data(bytes(frame[fed:most]) if is_too_large or fed else frame)
        events = decoder.events_received()
        if is_too_large:
            limit = self._limits.message
            words = f"the comments before an event, at byte {self.offset}, pass Limits.message = {limit} bytes"
            raise LimitError(words, limit="message", value=limit, stage="frames", offset=self.offset)
        return events


def frame_of_value(value: dict[str, Any]) -> bytes:
    """One event as the API writes it: its type as its name, its JSON as its data."""
    return encode_sse(ServerSentEvent(name_of(value), json_of_event(value)))


def frame_of_event(event: ServerSentEvent) -> bytes:
    """An event with the blank line that it lacked."""
    return encode_sse(ServerSentEvent(event.event, event.raw.replace(b"\r", b"\n")))


class ByteOrderMarks:
    """Keeps what came the same where it goes out at another place in the stream.

    U+FEFF at the start of a stream is a byte order mark, which a reader leaves out; elsewhere it belongs to the name of
    a field. So the frame that came first loses it where something goes out in front of it, and one that goes out first
    in the place of something else gets a mark in front of its own.
    """

    def __init__(self) -> None:
        self.began: bool = False
        """Whether anything has come."""
        self.settled: bool = False
        """Whether nothing that is still to go out can change."""
        self._first: bytes | None = None  # the first frame, where it has a mark and has not gone out
        self._sent = False

    def receive(self, data: bytes) -> bytes:
        """Take a frame that came, and give it as what it has to be sent as."""
        if not self.began and data:
            self.began = True
            if data.startswith(BOM):
                self._first = data = bytes(memoryview(data))  # an object that no other frame is
        return data

    def replace(self, data: bytes, longer: bytes) -> None:
        """The frame that came as `data` has got the rest of its last line end."""
        if data is self._first:
            self._first = longer

    def send(self, data: bytes) -> bytes:
        """The bytes that go out for these: a frame that `receive` gave, or what is written in place of one."""
        came_first = data is self._first
        if came_first is self._sent and data.startswith(BOM):
            data = data.removeprefix(BOM) if came_first else BOM + data
        if came_first:
            self._first = None
        self._sent = True
        self.settled = self._first is None
        return data
