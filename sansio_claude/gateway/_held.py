"""HeldBody: the body that may be one JSON text where a stream was asked for, held until an event or its end comes.

The rules:

* the body is one JSON text as long as no line in it makes an event; the first event makes it a stream;
* it is refused where no event has ended within `Limits.message` bytes, wherever the reads were cut.
"""

from __future__ import annotations

from sansio_claude._errors import LimitError, RemoteProtocolError
from sansio_claude._limits import Limits
from sansio_claude._stream.endings import unfinished_event
from sansio_claude._stream.sse import SSEDecoder

__all__ = ["HeldBody"]


class HeldBody:
    """`data` so far, in pieces."""

    __slots__ = ("_limits", "_pieces", "_probe", "_size")

    def __init__(self, data: bytes, limits: Limits) -> None:
        self._limits = limits
        self._pieces = [data]
        self._size = len(data)
        self._probe: SSEDecoder | None = SSEDecoder(limits=limits)  # reads it for events
        self._probe.receive_data(data)

    def receive(self, data: bytes) -> bool:
        """Take more. Gives whether an event has come, so that it is a stream. Raises LimitError. Linear."""
        most = self._limits.message
        left = max(0, most - self._size)
        self._pieces.append(data)
        self._size += len(data)
        if self._has_event(data[:left]):
            return True
        if self._size > most:
            words = f"the answer passes Limits.message = {most} bytes"
            raise LimitError(words, limit="message", value=most, stage="stream")
        return False

    def _has_event(self, data: bytes) -> bool:
        if self._probe is None:
            return False
        self._probe.receive_data(data)
        try:
            return bool(self._probe.events_received())
        except RemoteProtocolError:  # one line too long for an event
            self._probe = None
            return False

    def has_unfinished(self) -> bool:
        """The body has ended: whether it ends with an event without its blank line."""
        if self._probe is None:
            return False
        self._probe.receive_eof()
        return unfinished_event(self._probe.discarded, self._limits) is not None

    def data(self) -> bytes:
        """All that was held."""
        return b"".join(self._pieces)
