"""The cheapest client by hand on asyncio: BufferedProtocol, one read buffer for all connections, one future a wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from benchmarks.rivals.contest import Target, Watch
from benchmarks.rivals.floors import BlockDelta, Event, TextDelta
from benchmarks.rivals.hand import READ_SIZE, Discard, Exchange, MemoryTLS, TLSKind, context_of, request_bytes

__all__ = ["HandClient"]

_BUFFER = memoryview(bytearray(READ_SIZE))


class _Connection(asyncio.BufferedProtocol):
    def __init__(self, tls: MemoryTLS | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._events: list[Event] = []
        self._tls = tls
        self._transport: asyncio.Transport
        self.exchange: Exchange | Discard
        self.begun = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._tls is not None:
            self._transport.write(self._tls.shake()[0])

    def get_buffer(self, sizehint: int) -> memoryview:
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        data = bytes(_BUFFER[:nbytes])
        if self._tls is not None:
            self._tls.put(data)
            if not self._tls.ready:
                out, ready = self._tls.shake()
                if out:
                    self._transport.write(out)
                if ready:
                    self._wake()
                return
            data = self._tls.decrypt()
            if not data:
                return
        self.begun = True
        self._events += self.exchange.receive(data)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None:
            self._waiter.set_result(None)
            self._waiter = None

    async def secured(self) -> None:
        """Returns when TLS stands."""
        while self._tls is not None and not self._tls.ready:
            await self._wait()

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        await self._waiter

    def ask(self, exchange: Exchange | Discard, request: bytes) -> None:
        self.exchange = exchange
        self.begun = False
        self._transport.write(request if self._tls is None else self._tls.encrypt(request))

    async def read(self) -> list[Event]:
        """The next events, all that are there; empty only where something arrived that made none."""
        if not self._events and not self.exchange.done:
            await self._wait()
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        self._transport.close()


class HandClient:
    """By hand; with `kind` Discard, the raw floor: everything is read and nothing looked at."""

    def __init__(
        self,
        kind: Callable[..., Exchange | Discard] = Exchange,
        tls: TLSKind = "memory",
    ) -> None:
        self._kind = kind
        self._by_loop = tls == "loop"
        self._idle: list[_Connection] = []

    async def start(self, target: Target) -> None:
        self._target = target
        self._context = context_of(target)

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        target, context = self._target, self._context
        if context is None or self._by_loop:
            name = None if context is None else target.host
            _, plain = await loop.create_connection(
                lambda: _Connection(None), "127.0.0.1", target.port, ssl=context, server_hostname=name
            )
            return plain
        tls = MemoryTLS(context, target.host)
        _, connection = await loop.create_connection(lambda: _Connection(tls), "127.0.0.1", target.port)
        await connection.secured()
        return connection

    async def call(self, watch: Watch) -> None:
        connection = self._idle.pop() if self._idle else await self._connect()
        state, request = request_bytes(self._target)
        exchange = self._kind(state)
        connection.ask(exchange, request)
        events = await connection.read()
        while not connection.begun:
            events = await connection.read()
        watch.begun()
        text = watch.text
        while True:
            for event in events:
                if type(event) is BlockDelta and type(event.delta) is TextDelta:
                    text(event.delta.text)
            if exchange.done:
                break
            events = await connection.read()
        self._idle.append(connection)

    async def close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()
        await asyncio.sleep(0)
