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
from typing import Final

from attrs import define

from sansio_claude._errors import LimitError
from sansio_claude._limits import Limits

__all__ = ["Frame", "FrameSplitter"]

# A blank line: two line ends, each taken whole. A frame that begins with one line end holds nothing before it.
_BLANK: Final = re.compile(rb"(?>\r\n|\r|\n)(?>\r\n|\r|\n)")
_LONGEST_BLANK: Final = 4  # bytes


@define(eq=False)
class Frame:
    """Some whole lines of the stream, the last of them blank."""

    data: bytes
    line_feed: bool = False
    """Whether this is no frame but the LF of a CRLF whose CR ended the frame before it."""


class FrameSplitter:
    """Cuts an event stream into frames. `pending` is what has arrived of the frame that has not ended."""

    __slots__ = ("_after_cr", "_limit", "_scanned", "pending")

    def __init__(self, limits: Limits) -> None:
        self._limit = limits.event
        self._scanned = 0  # bytes of `pending` in which no blank line begins
        self._after_cr = False
        self.pending = bytearray()

    def receive_first(self, data: bytes) -> tuple[list[Frame], bytes]:
        """Take bytes up to the end of the first frame: gives that frame, or a line feed, and the rest of `data`.

        The rest is copied at each call, so `data` should be short; then the cost is linear in the bytes received, for
        any chunking. Raises LimitError where a frame without an end passes `Limits.event`.
        """
        if self._after_cr and data:
            self._after_cr = False
            if data.startswith(b"\n"):
                return [Frame(b"\n", line_feed=True)], data[1:]
        pending = self.pending
        pending += data
        blank = _BLANK.search(pending, self._scanned)
        if blank is not None:
            end = blank.end()
            frame = Frame(bytes(pending[:end]))
            rest = bytes(pending[end:])
            pending.clear()
            self._scanned = 0
            self._after_cr = not rest and frame.data.endswith(b"\r")
            return [frame], rest
        self._scanned = max(0, len(pending) - _LONGEST_BLANK)
        if len(pending) > self._limit:
            raise LimitError(
                f"an event passes Limits.event = {self._limit} bytes", limit="event", value=self._limit, stage="frames"
            )
        return [], b""

    def take_rest(self) -> bytes:
        """What is left at the end of input: the bytes of an event without its blank line."""
        rest = bytes(self.pending)
        self.pending.clear()
        self._scanned = 0
        return rest
