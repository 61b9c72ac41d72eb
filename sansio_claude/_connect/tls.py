"""TLSExchange: TLS as a state machine on `ssl.MemoryBIO`, the same for every adapter. Opens and closes nothing.

Rules:

- Bytes of the network go in by `receive_data`, plaintext comes out by `plaintext_received`; plaintext goes in by
  `send`, bytes for the network come out by `data_to_send`, which is asked after every step (handshake, key updates).
- `receive_data` and `receive_eof` never raise for what the peer sent. Good plaintext comes out first, the next
  `plaintext_received` raises the TLSError, and so does every later one.
- The end of the network's bytes without a close_notify may be an attack that cuts an answer short (RFC 8446
  section 6.1): `ended` is True then and `ended_cleanly` is not. Whether anything is missing, HTTP has to tell.
- The connection is idle on the border of two records only (RFC 8446 section 5.1). OpenSSL keeps the part of a record
  that has come to itself, so the headers of the records are followed here. Otherwise the rest of such a record would
  become the beginning of the next answer.
- A server that chooses another protocol than HTTP/1.1 by ALPN is refused before a byte of the request is sent.
- Closing waits for nothing: `close` gives our close_notify (RFC 8446 section 6.1), and nobody needs the peer's.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from sansio_claude._copies import NotCopied
from sansio_claude._errors import LocalProtocolError, TLSError

if TYPE_CHECKING:
    import ssl

__all__ = ["TLSExchange", "TLSMaker", "create_context"]

# OpenSSL allocates a buffer of 16 KiB for writing when it reads session tickets, and frees it when something is
# written. Writing no bytes at all is enough, and sends nothing.
_NOTHING: Final = b""
# OpenSSL's buffers grow to the size of what they are fed at once and never shrink, and a connection is idle most of
# its life. So a long read or a long request is fed in slices of 4 KiB, and a read of a few events in slices of 512 B.
_SLICE: Final = 4 * 1024
_SMALL_SLICE: Final = 512
_RECORD: Final = 16 * 1024  # bytes of plaintext in one record at most (RFC 8446 section 5.1)
_HEADER: Final = 5  # bytes of a record's header: type, version (2), length (2)
_SPOKEN: Final = frozenset({None, "http/1.1", "http/1.0"})  # what ALPN may lead to; None: the server took no part


def _load() -> None:
    """Load ssl, which brings sockets with it, when TLS is first used: who only names these classes needs neither."""
    global ssl
    import ssl


def create_context() -> ssl.SSLContext:
    """A client context: the system's trust store, certificate and host name checked, ALPN http/1.1.

    Raises TLSError where it cannot be made, or where the trust store cannot be read: OpenSSL itself says nothing
    then, and every certificate would be refused.
    """
    _load()
    try:
        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        words = f"the TLS context could not be made: {error}; an SSLKEYLOGFILE that cannot be written is one reason"
        raise TLSError(words) from error
    if not _trusts_somebody(context):
        raise TLSError(
            "the trust store of the system could not be read, so no certificate could be checked; install the "
            "certificates of the system (ca-certificates), set SSL_CERT_FILE, or pass an ssl_context"
        )
    return context


def _trusts_somebody(context: ssl.SSLContext) -> bool:
    """Whether the context has a certificate authority, or a folder in which OpenSSL looks for one when needed."""
    return context.cert_store_stats()["x509_ca"] > 0 or ssl.get_default_verify_paths().capath is not None


class TLSMaker(NotCopied):
    """Makes the TLS of each connection of a client from one context, which is made when it is first needed.

    `context` is the caller's own; None stands for `create_context()`. `prepare()` makes it, before a call begins, so
    that what is wrong with it is not met in the middle of the call. A context whose trust store file exists and could
    not be read serves one connection and is not kept.
    """

    __slots__ = ("_context", "_kept", "_own")
    _instead = "it holds a TLS context: make another one"

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._own = context
        self._context: ssl.SSLContext | None = None
        self._kept = False

    def __repr__(self) -> str:
        return f"<TLSMaker {'prepared' if self._kept else 'not prepared'}>"

    def prepare(self) -> None:
        """Make the context, unless it is there. Raises LocalProtocolError for what is no context, or TLSError."""
        if self._kept:
            return
        _load()
        if self._own is not None:
            if not isinstance(self._own, ssl.SSLContext):
                raise LocalProtocolError(
                    f"ssl_context has to be an ssl.SSLContext, not {type(self._own).__name__}", path="ssl_context"
                )
            self._context = self._own
            self._kept = True
        else:
            self._context = create_context()
            whole = self._context.cert_store_stats()["x509_ca"] > 0
            self._kept = whole or ssl.get_default_verify_paths().cafile is None
        with contextlib.suppress(OSError, LookupError):  # needed for every host name; loading it takes a descriptor
            "a".encode("idna")

    def __call__(self, server_name: str) -> TLSExchange:
        """The TLS of one connection to `server_name`. Raises what `prepare` raises."""
        if self._context is None:
            self.prepare()
        assert self._context is not None
        return TLSExchange(self._context, server_name)


class TLSExchange(NotCopied):
    """The client's side of one TLS connection to `server_name`, which the certificate has to be for.

    A dot at the end of the name is for the resolver only: neither the name that is sent (RFC 6066 section 3) nor the
    one that is checked has it. Raises LocalProtocolError for a name that TLS cannot send or check.
    """

    __slots__ = (
        "_ended",
        "_error",
        "_handshake_done",
        "_header",
        "_in",
        "_left",
        "_object",
        "_out",
        "_plain",
        "_sealed",
        "_sent",
        "ended_cleanly",
    )
    _instead = "it holds the keys of one connection: make another one"

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        _load()
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._plain = b""
        self._sealed: list[bytes] = []  # bytes for the network of a long request
        self._error: TLSError | None = None
        self._handshake_done = False
        self._header = b""  # the part of a record's header that has come
        self._left = 0  # bytes that the present record still needs
        self._ended = False  # an error is an end, too
        self._sent = False  # whether something was sent since the last plaintext
        self.ended_cleanly: bool = False
        """Whether the peer said that it was done (close_notify)."""
        try:
            self._object = context.wrap_bio(self._in, self._out, server_hostname=server_name.removesuffix("."))
        except (ValueError, OSError) as error:  # UnicodeError is a ValueError, ssl.SSLError an OSError
            raise LocalProtocolError(f"TLS cannot be used with the host name {server_name!r}: {error}") from error
        self._handshake()

    def __repr__(self) -> str:
        return f"<TLSExchange {'ended' if self._ended else 'open' if self._handshake_done else 'in its handshake'}>"

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
        """Whether nothing is pending in either direction, as it should be between two answers; half a record is."""
        return not (
            self._plain
            or self._left
            or self._header
            or self._in.pending
            or self._out.pending
            or self._sealed
            or self._ended
        )

    @property
    def alpn(self) -> str | None:
        """The protocol agreed on by ALPN, None where the server did not take part."""
        return self._object.selected_alpn_protocol()

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes of the network. Ignored after the end and after an error."""
        size = len(data)
        if self._left or self._header or size < _HEADER or data[3] << 8 | data[4] != size - _HEADER:
            self._follow(memoryview(data))
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
        if self._ended:
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
        except OSError as error:
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

    def close(self) -> bytes:
        """The last bytes for the network, a close_notify or an alert; b"" where there are none. Waits for nothing."""
        with contextlib.suppress(OSError, ValueError):
            self._object.unwrap()  # it asks for the peer's close_notify, which nobody needs
        return self.data_to_send()

    def _follow(self, data: memoryview) -> None:
        """Follow the records: where does the present one end? One whole record, the usual read, does not come here."""
        at, size = 0, len(data)
        while at < size:
            if self._left:
                step = min(self._left, size - at)
                self._left -= step
                at += step
                continue
            missing = _HEADER - len(self._header)
            self._header += data[at : at + missing]
            at += missing
            if len(self._header) == _HEADER:
                self._left = int.from_bytes(self._header[3:], "big")
                self._header = b""

    def _handshake(self) -> None:
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return
        except OSError as error:
            self._fail(error)
            return
        if self.alpn not in _SPOKEN:
            self._ended = True
            self._error = TLSError(
                f"the server chose the protocol {self.alpn!r}, which the ssl_context offers and this client does not "
                'speak; call ssl_context.set_alpn_protocols(["http/1.1"])'
            )
            return
        self._handshake_done = True

    def _read(self) -> None:
        if not self._handshake_done:
            if not self._ended:
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
            except OSError as error:
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

    def _fail(self, error: OSError) -> None:
        self._ended = True
        if isinstance(error, ssl.SSLCertVerificationError):
            words = f"the server's certificate is not accepted: {error.verify_message}"
        elif self._handshake_done:
            words = f"the TLS connection broke: {_reason(error)}"
        else:
            words = f"the TLS handshake failed: {_reason(error)}"
            if getattr(error, "reason", None) == "WRONG_VERSION_NUMBER":
                words += "; the server does not seem to speak TLS on this port"
        self._error = TLSError(words)
        self._error.__cause__ = error


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "unknown").replace("_", " ").lower()
    return error.strerror or type(error).__name__
