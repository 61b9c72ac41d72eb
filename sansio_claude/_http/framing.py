"""The two ways to know where a body ends besides chunks: a length given beforehand, and the end of the connection.

Both have the verbs and attributes of `ChunkedDecoder`, so that an exchange need not know which of the three it has:
`receive_data`, `receive_eof`, `body_received`, and `done`, `error`, `rest`. See RFC 9112 section 6.3.
"""

from __future__ import annotations

from typing import final

from sansio_claude._errors import RemoteProtocolError, TruncatedError

__all__ = ["CloseDelimitedBody", "LengthBody", "keep_alive"]


class _PlainBody:
    """Bytes that are handed on as they came."""

    __slots__ = ("_out", "done", "error", "received", "rest")

    def __init__(self) -> None:
        self._out: list[bytes] = []
        self.done: bool = False
        self.error: RemoteProtocolError | None = None
        self.received: int = 0
        self.rest: bytes = b""

    def body_received(self) -> bytes:
        """The bytes since the last call. When none are left and the body was cut, raises, every time."""
        out = self._out
        if out:
            self._out = []
            return out[0] if len(out) == 1 else b"".join(out)
        if self.error is not None:
            raise self.error.with_traceback(None)
        return b""


@final
class LengthBody(_PlainBody):
    """A body of exactly `length` bytes (`Content-Length`, or 0 where an answer has no body). 0 is `done` at once."""

    __slots__ = ("_left", "_length")

    def __init__(self, length: int) -> None:
        super().__init__()
        self._length = length
        self._left = length
        self.done = not length

    def receive_data(self, data: bytes) -> None:
        """Take bytes; those beyond the end that come in one read with it are `rest`, later ones are ignored."""
        self.received += len(data)
        left = self._left
        if not left or not data:
            return
        if len(data) < left:
            self._left = left - len(data)
            self._out.append(data)
            return
        self._left = 0
        self._out.append(data[:left])
        self.rest = data[left:]
        self.done = True

    def receive_eof(self, *, clean: bool = True) -> None:
        """The connection has closed, before the length was reached if not `done`: a TruncatedError."""
        if self._left:
            self.error = TruncatedError(
                f"the connection closed after {self._length - self._left} of the {self._length} bytes that "
                f"Content-Length promised: the body is not whole",
                stage="exchange",
                offset=self._length - self._left,
            )
            self._left = 0


@final
class CloseDelimitedBody(_PlainBody):
    """A body that ends with the connection, which is whole only if the end was a clean one."""

    __slots__ = ()

    def receive_data(self, data: bytes) -> None:
        """Take bytes. All of them belong to the body."""
        self.received += len(data)
        if data:
            self._out.append(data)

    def receive_eof(self, *, clean: bool = True) -> None:
        """The connection has closed. `clean` is False where TLS ended without close_notify: anyone can do that.

        Only the first end counts.
        """
        if self.done or self.error is not None:
            return
        if clean:
            self.done = True
            return
        self.error = TruncatedError(
            "the body ends with the connection, and TLS ended without close_notify: it may have been cut",
            stage="exchange",
            offset=self.received,
        )


def keep_alive(value: str | None) -> float | None:
    """The seconds for which a server keeps an idle connection, by its Keep-Alive header (`timeout=5, max=100`), None
    where it does not say. Linear in the length."""
    for part in value.split(",") if value else ():
        name, _, digits = part.partition("=")
        digits = digits.strip().strip('"')
        if name.strip().lower() == "timeout" and digits.isascii() and digits.isdigit() and len(digits) <= 9:
            return float(digits)
    return None
