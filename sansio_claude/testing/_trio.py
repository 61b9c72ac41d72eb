"""ReplayServer on trio."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, assert_never

import trio

from sansio_claude.testing._address import READ_SIZE, ServerAddress, reset_option
from sansio_claude.testing._connection import Close, Receive, ReplayConnection, Write
from sansio_claude.testing._replay import ReplayServer

if TYPE_CHECKING:
    import ssl

    _Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]

__all__ = ["serve_in_trio"]


@asynccontextmanager
async def serve_in_trio(
    server: ReplayServer,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ssl_context: ssl.SSLContext | None = None,
) -> AsyncIterator[ServerAddress]:
    """Serve on this trio run while the block runs; port 0 takes any free one.

    At the end of the block every connection is closed, and an exception of a function of the script is raised. Raises
    OSError where the address cannot be listened at. An exception comes out as itself, not in a group.
    """

    async def talk(socket_stream: trio.SocketStream) -> None:
        connection = server.connect()
        stream: _Stream = socket_stream
        if ssl_context is not None:
            stream = trio.SSLStream(socket_stream, ssl_context, server_side=True, https_compatible=True)
        try:
            await _act(connection, stream, socket_stream)
        finally:
            connection.receive_eof()
            server.disconnected()
            # Forcefully: closing TLS politely waits for the peer, and this may be a peer that never
            # answers.
            await trio.aclose_forcefully(stream)

    listeners = await trio.open_tcp_listeners(port, host=host)
    failure: BaseException | None = None
    async with trio.open_nursery() as nursery:
        try:
            await nursery.start(trio.serve_listeners, talk, listeners)
            found = listeners[0].socket.getsockname()
            yield ServerAddress(found[0], found[1], "https" if ssl_context else "http")
        except trio.Cancelled:
            raise
        except BaseException as error:
            failure = error
        nursery.cancel_scope.cancel()
    server.raise_failure(failure)
    if failure is not None:
        raise failure


async def _act(connection: ReplayConnection, stream: _Stream, socket_stream: trio.SocketStream) -> None:
    while True:
        match connection.next_action(trio.current_time()):
            case Receive(until):
                data: bytes | bytearray | None = None
                with trio.move_on_at(float("inf") if until is None else until):
                    try:
                        data = await stream.receive_some(READ_SIZE)
                    except (trio.BrokenResourceError, trio.ClosedResourceError):
                        data = b""
                if data:
                    connection.receive_data(bytes(data))
                elif data is not None:
                    connection.receive_eof()
            case Write(data):
                try:
                    await stream.send_all(data)
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    connection.lost()
            case Close(reset):
                if reset:
                    socket_stream.socket.setsockopt(*reset_option())
                elif isinstance(stream, trio.SSLStream):
                    with trio.move_on_after(1):
                        try:
                            await stream.aclose()
                        except trio.BrokenResourceError:
                            pass
                return
            case never:
                assert_never(never)
