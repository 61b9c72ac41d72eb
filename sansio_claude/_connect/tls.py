"""TLSExchange: TLS as a state machine on `ssl.MemoryBIO`, the same for both adapters. Opens and closes nothing.

Rules:

- Bytes of the network go in by `receive_data`, plaintext comes out by `plaintext_received`; plaintext goes in by
  `send`, bytes for the network come out by `data_to_send`, which is asked after every step (handshake, key updates).
- `receive_data` and `receive_eof` never raise for what the peer sent. Good plaintext comes out first, the next
  `plaintext_received` raises the TLSError, and so does every later one.
- The end of the network's bytes without a close_notify may be an attack that cuts an answer short (RFC 8446
  section 6.1): `ended` is True then and `ended_cleanly` is not. Whether anything is missing, HTTP has to tell.
- Closing waits for nothing: `close` queues our close_notify, and nobody needs the peer's.
"""

from __future__ import annotations

import contextlib
import ssl
from typing import Final

from sansio_claude._errors import LocalProtocolError, TLSError

__all__ = ["TLSExchange", "create_context"]

# OpenSSL keeps a buffer of 16 KiB for writing, which it makes when it reads session tickets, until it has written
# something, if only nothing: two fifths of what an idle connection would hold. Tickets come before the answer.
_NOTHING: Final = b""
# OpenSSL's buffers grow to what they are fed at once and never shrink; a connection is idle most of its life. So it
# gets a long read or a long request in slices, and a read of a few events in small ones.
_SLICE: Final = 4 * 1024
_SMALL_SLICE: Final = 512
_RECORD: Final = 16 * 1024  # plaintext of one record at most (RFC 8446 section 5.1)


def create_context() -> ssl.SSLContext:
    """A client context: the system's trust store, certificate and host name checked, ALPN http/1.1."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class TLSExchange:
    """The client's side of one TLS connection to `server_name`, which the certificate has to be for."""

    __slots__ = (
        "_ended",
        "_error",
        "_handshake_done",
        "_in",
        "_object",
        "_out",
        "_plain",
        "_sealed",
        "_sent",
        "ended_cleanly",
    )

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._plain = b""
        self._sealed: list[bytes] = []  # bytes for the network of a long request
        self._error: TLSError | None = None
        self._handshake_done = False
        self._ended = False
        self._sent = False  # whether something was sent since the last plaintext
        self.ended_cleanly = False
        """Whether the peer said that it was done (close_notify)."""
        try:
            self._object = context.wrap_bio(self._in, self._out, server_hostname=server_name)
        except (ValueError, ssl.SSLError) as error:  # UnicodeError is a ValueError
            raise LocalProtocolError(f"TLS cannot be used with the host name {server_name!r}: {error}") from error
        self._handshake()

    @property
    def handshake_done(self) -> bool:
        """Whether plaintext may be sent."""
        return self._handshake_done

    @property
    def ended(self) -> bool:
        """Whether no more plaintext will come."""
        return self._ended

    @property
    def idle(self) -> bool:
        """Whether nothing is pending in either direction, as it should be between two answers."""
        return not (self._plain or self._in.pending or self._out.pending or self._sealed or self._ended or self._error)

    @property
    def alpn(self) -> str | None:
        """The protocol agreed on by ALPN, None where the server did not take part."""
        return self._object.selected_alpn_protocol()

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes of the network. Ignored after the end and after an error."""
        size = len(data)
        if size <= _SMALL_SLICE:
            self._in.write(data)
            self._read()
            return
        view = memoryview(data)
        step = _SMALL_SLICE if size <= _SLICE else _SLICE
        for start in range(0, size, step):
            self._in.write(view[start : start + step])
            self._read()

    def receive_eof(self) -> None:
        """The network's bytes have ended. May be called again."""
        if self._ended or self._error is not None:
            return
        if not self._handshake_done:
            self._error = TLSError("the server closed the connection in the middle of the TLS handshake")
        self._ended = True

    def plaintext_received(self) -> bytes:
        """The plaintext since the last call, b"" where there is none yet. Raises TLSError once all is out."""
        plain = self._plain
        if plain:
            self._plain = b""
        elif self._error is not None:
            raise self._error.with_traceback(None)
        return plain

    def send(self, plaintext: bytes | memoryview) -> None:
        """Encrypt; the result comes out of `data_to_send`. Only after the handshake."""
        if not self._handshake_done:
            raise LocalProtocolError("nothing can be sent before the TLS handshake is done")
        try:
            if len(plaintext) <= _SLICE:
                self._object.write(plaintext)
            else:
                view = memoryview(plaintext)
                for start in range(0, len(view), _SLICE):
                    self._object.write(view[start : start + _SLICE])
                    self._sealed.append(self._out.read())
        except ssl.SSLError as error:
            self._fail(error)
            raise self._error from error  # type: ignore[misc]  # set by _fail
        self._sent = True

    def data_to_send(self) -> bytes:
        """Bytes for the network, b"" where there are none."""
        data = self._out.read() if self._out.pending else b""
        if self._sealed:
            data = b"".join([*self._sealed, data])
            self._sealed.clear()
        return data

    def close(self) -> None:
        """Queue a close_notify. Nothing has to be waited for afterwards."""
        try:
            self._object.unwrap()
        except (ssl.SSLError, ValueError):
            pass  # it wants the peer's close_notify, which nobody needs, or there was no TLS yet

    def _handshake(self) -> None:
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError as error:
            self._fail(error)
            return
        self._handshake_done = True

    def _read(self) -> None:
        if not self._handshake_done:
            if self._error is None and not self._ended:
                self._handshake()
            if not self._handshake_done:
                return
        incoming, secured = self._in, self._object
        # As much as can come out, not a whole record's worth for each event of 200 bytes.
        while not self._ended and (size := incoming.pending or secured.pending()):
            try:
                plain = secured.read(size if size < _RECORD else _RECORD)
            except ssl.SSLWantReadError:
                self._write_nothing()
                return
            except ssl.SSLZeroReturnError:
                plain = b""
            except ssl.SSLError as error:
                self._fail(error)
                return
            if not plain:
                self._ended = self.ended_cleanly = True
            elif self._plain:
                self._plain += plain
            else:
                self._plain = plain
            if self._sent:
                self._sent = False
                self._write_nothing()

    def _write_nothing(self) -> None:
        """Give OpenSSL's buffer for writing back; the manual allows it, and nothing is sent."""
        with contextlib.suppress(ssl.SSLError):
            self._object.write(_NOTHING)

    def _fail(self, error: ssl.SSLError) -> None:
        self._ended = True
        if isinstance(error, ssl.SSLCertVerificationError):
            words = f"the server's certificate is not accepted: {error.verify_message}"
        elif self._handshake_done:
            words = f"the TLS connection broke: {_reason(error)}"
        else:
            words = f"the TLS handshake failed: {_reason(error)}"
            if error.reason == "WRONG_VERSION_NUMBER":
                words += "; the server does not seem to speak TLS on this port"
        self._error = TLSError(words)
        self._error.__cause__ = error


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or "unknown").replace("_", " ").lower()
