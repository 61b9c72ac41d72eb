"""A pass-through proxy on asyncio: an answer's body from a server to a sink, forwarded blindly or watched besides.

Both read the head with h11 and undo and redo the chunked coding, as a proxy must that speaks HTTP; the watched one
shows every piece of the body to a StreamMonitor. What is compared is therefore the watching alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from benchmarks.rivals.contest import Target, Watch
from benchmarks.rivals.floors import Unchunk
from benchmarks.rivals.hand import READ_SIZE, request_bytes

__all__ = ["ProxyClient"]

_BUFFER = memoryview(bytearray(READ_SIZE))
_SINK = b"POST /sink/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


class _Upstream(asyncio.BufferedProtocol):
    def __init__(self, forward: Callable[[bytes], None], done: asyncio.Future[None]) -> None:
        self._forward = forward
        self._done = done
        self._head: bytes | None = b""
        self._unchunk = Unchunk()

    def get_buffer(self, sizehint: int) -> memoryview:
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        data = bytes(_BUFFER[:nbytes])
        if self._head is not None:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            data, self._head = self._head[end + 4 :], None
        body = self._unchunk.receive(data)
        if body:
            self._forward(body)
        if self._unchunk.done and not self._done.done():
            self._done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(exc or ConnectionError("the server closed the connection"))


class ProxyClient:
    """Forwards each answer to a sink; with `watched`, a StreamMonitor sees every piece and says how it ended."""

    def __init__(self, *, watched: bool) -> None:
        self._watched = watched

    async def start(self, target: Target) -> None:
        self._target = target

    async def call(self, watch: Watch) -> None:
        loop = asyncio.get_running_loop()
        sink, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", self._target.port)
        sink.write(_SINK)
        done: asyncio.Future[None] = loop.create_future()
        begun = False

        def forward(body: bytes) -> None:
            nonlocal begun
            sink.write(b"%x\r\n%b\r\n" % (len(body), body))
            if not begun:
                begun = True
                watch.begun()

        if self._watched:
            from sansio_claude.gateway import StreamMonitor

            monitor = StreamMonitor()
            see = monitor.receive_data

            def forward_and_see(body: bytes) -> None:
                forward(body)
                see(body)

            up, _ = await loop.create_connection(
                lambda: _Upstream(forward_and_see, done), "127.0.0.1", self._target.port
            )
        else:
            up, _ = await loop.create_connection(lambda: _Upstream(forward, done), "127.0.0.1", self._target.port)
        up.write(request_bytes(self._target)[1])
        await done
        if self._watched:
            monitor.receive_eof()
            usage = monitor.usage
            if monitor.state != "complete" or usage is None or not usage.output_tokens:
                raise RuntimeError(f"the monitor saw a stream that is {monitor.state}")
        up.close()
        sink.close()

    async def close(self) -> None:
        await asyncio.sleep(0)
