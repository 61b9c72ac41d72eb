"""The cheapest client by hand on trio: one socket, one receive a wakeup."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable

import attrs
import trio

from benchmarks.rivals.contest import Target, Watch
from benchmarks.rivals.floors import BlockDelta, TextDelta
from benchmarks.rivals.hand import READ_SIZE, Discard, Exchange, MemoryTLS, TLSKind, context_of, request_bytes

__all__ = ["HandClient"]


@attrs.define(frozen=True)
class _Connection:
    send: Callable[[bytes], Awaitable[object]]
    receive: Callable[[], Awaitable[bytes]]
    close: Callable[[], object]


async def _plain(target: Target) -> tuple[trio.socket.SocketType, _Connection]:
    sock = trio.socket.socket()
    sock.setsockopt(trio.socket.IPPROTO_TCP, trio.socket.TCP_NODELAY, 1)
    await sock.connect(("127.0.0.1", target.port))
    recv = sock.recv
    return sock, _Connection(sock.send, lambda: recv(READ_SIZE), sock.close)


async def _memory_tls(target: Target, context: ssl.SSLContext) -> _Connection:
    _, plain = await _plain(target)
    tls = MemoryTLS(context, target.host)
    out, ready = tls.shake()
    while not ready:
        if out:
            await plain.send(out)
        tls.put(await plain.receive())
        out, ready = tls.shake()
    if out:
        await plain.send(out)

    async def send(data: bytes) -> None:
        await plain.send(tls.encrypt(data))

    async def receive() -> bytes:
        while True:
            tls.put(await plain.receive())
            data = tls.decrypt()
            if data:
                return data

    return _Connection(send, receive, plain.close)


async def _stock_tls(target: Target, context: ssl.SSLContext) -> _Connection:
    sock, _ = await _plain(target)
    stream = trio.SSLStream(trio.SocketStream(sock), context, server_hostname=target.host)
    await stream.do_handshake()

    async def receive() -> bytes:
        return bytes(await stream.receive_some(READ_SIZE))

    return _Connection(stream.send_all, receive, sock.close)


class HandClient:
    """By hand; with `kind` Discard, the raw floor."""

    def __init__(
        self,
        kind: Callable[..., Exchange | Discard] = Exchange,
        tls: TLSKind = "memory",
    ) -> None:
        self._kind = kind
        self._by_trio = tls == "loop"
        self._idle: list[_Connection] = []

    async def start(self, target: Target) -> None:
        self._target = target
        self._context = context_of(target)

    async def _connect(self) -> _Connection:
        if self._context is None:
            return (await _plain(self._target))[1]
        if self._by_trio:
            return await _stock_tls(self._target, self._context)
        return await _memory_tls(self._target, self._context)

    async def call(self, watch: Watch) -> None:
        connection = self._idle.pop() if self._idle else await self._connect()
        state, request = request_bytes(self._target)
        exchange = self._kind(state)
        await connection.send(request)
        receive, text = connection.receive, watch.text
        data = await receive()
        watch.begun()
        while True:
            for event in exchange.receive(data):
                if type(event) is BlockDelta and type(event.delta) is TextDelta:
                    text(event.delta.text)
            if exchange.done:
                break
            data = await receive()
        self._idle.append(connection)

    async def close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()
