"""A client's state by hand, the same for both loops: h11 for the heads, everything else as cheap as it can be."""

from __future__ import annotations

import ssl
from typing import Any, Literal

import h11
import msgspec

from benchmarks.rivals.contest import ASK, HEADERS, Target
from benchmarks.rivals.floors import Event, HandStream, Unchunk

__all__ = ["READ_SIZE", "Discard", "Exchange", "MemoryTLS", "TLSKind", "context_of", "request_bytes"]

READ_SIZE = 65536

TLSKind = Literal["memory", "loop"]
"""Through memory BIOs, or by the loop's own implementation."""


def request_bytes(target: Target) -> tuple[h11.Connection, bytes]:
    """A fresh h11 connection and the bytes of one request."""
    connection = h11.Connection(h11.CLIENT)
    body = msgspec.json.encode(ASK | {"stream": True})
    headers = [("Host", f"{target.host}:{target.port}"), *HEADERS, ("content-length", str(len(body)))]
    request = h11.Request(method="POST", target=target.path + "/v1/messages", headers=headers)
    parts = [connection.send(request), connection.send(h11.Data(data=body)), connection.send(h11.EndOfMessage())]
    return connection, b"".join(part for part in parts if part)


class Exchange:
    """One answer on its way: bytes in, events out."""

    __slots__ = ("_connection", "_head", "_stream", "_unchunk", "done")

    def __init__(self, connection: h11.Connection) -> None:
        self._connection = connection
        self._head: bytes | None = b""
        self._unchunk = Unchunk()
        self._stream = HandStream()
        self.done = False

    def receive(self, data: bytes) -> list[Event]:
        if self._head is not None:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return []
            self._connection.receive_data(self._head[: end + 4])
            response = self._connection.next_event()
            if not isinstance(response, h11.Response) or response.status_code != 200:
                raise RuntimeError(f"not the answer that was expected: {response!r}")
            data = self._head[end + 4 :]
            self._head = None
        events = self._stream.receive(self._unchunk.receive(data))
        self.done = self._unchunk.done
        return events

    @property
    def message(self) -> dict[str, Any]:
        return self._stream.accumulated.message


class Discard:
    """The floor under that: bytes in, nothing out, the end known by the last five bytes."""

    __slots__ = ("_tail", "done")

    def __init__(self, connection: h11.Connection) -> None:
        self._tail = b""
        self.done = False

    def receive(self, data: bytes) -> list[Event]:
        self._tail = (self._tail + data)[-5:] if len(data) < 5 else data[-5:]
        self.done = self._tail == b"0\r\n\r\n"
        return []


def context_of(target: Target) -> ssl.SSLContext | None:
    """The TLS context for a target, None for a plain one."""
    return None if target.authority is None else ssl.create_default_context(cafile=target.authority)


class MemoryTLS:
    """TLS through two memory BIOs: what the network said in, what it should be told out."""

    __slots__ = ("_incoming", "_object", "_outgoing", "_ready")

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._ready = False

    @property
    def ready(self) -> bool:
        return self._ready

    def shake(self) -> tuple[bytes, bool]:
        """Goes on with the handshake; what to send, and whether it is done."""
        try:
            self._object.do_handshake()
            self._ready = True
        except ssl.SSLWantReadError:
            pass
        return self._outgoing.read(), self._ready

    def encrypt(self, data: bytes) -> bytes:
        self._object.write(data)
        return self._outgoing.read()

    def put(self, data: bytes) -> None:
        self._incoming.write(data)

    def decrypt(self) -> bytes:
        """The plaintext of everything put so far."""
        pieces = []
        try:
            while True:
                pieces.append(self._object.read(READ_SIZE))
                if not self._incoming.pending and not self._object.pending():
                    break
        except ssl.SSLWantReadError:
            pass
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
