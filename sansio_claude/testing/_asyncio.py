"""ReplayServer on asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, assert_never

from sansio_claude.testing._address import READ_SIZE, ServerAddress, reset_option
from sansio_claude.testing._connection import Close, Receive, ReplayConnection, Write
from sansio_claude.testing._replay import ReplayServer

if TYPE_CHECKING:
    import ssl

__all__ = ["serve_in_asyncio", "serving"]


@asynccontextmanager
async def serve_in_asyncio(
    server: ReplayServer,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ssl_context: ssl.SSLContext | None = None,
) -> AsyncIterator[ServerAddress]:
    """Serve on this event loop while the block runs; port 0 takes any free one.

    At the end of the block every connection is closed, and an exception of a function of the script is raised. Raises
    OSError where the address cannot be listened at.
    """
    try:
        async with serving(server, host=host, port=port, ssl_context=ssl_context) as address:
            yield address
    except BaseException as error:
        server.raise_failure(error)
        raise
    server.raise_failure()


@asynccontextmanager
async def serving(
    server: ReplayServer, *, host: str, port: int, ssl_context: ssl.SSLContext | None
) -> AsyncIterator[ServerAddress]:
    """Serve while the block runs; what functions of the script raise is left to the caller."""
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_talk(server, reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listener = await asyncio.start_server(accept, host, port, ssl=ssl_context)
    try:
        found = listener.sockets[0].getsockname()
        yield ServerAddress(found[0], found[1], "https" if ssl_context else "http")
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _talk(server: ReplayServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    connection = server.connect()
    try:
        await _act(connection, reader, writer)
    finally:
        connection.receive_eof()
        server.disconnected()
        # At once: closing TLS politely waits for the peer, and this may be a peer that never answers. Where the
        # connection was closed politely before, this does nothing.
        if not writer.is_closing():
            writer.transport.abort()


async def _act(connection: ReplayConnection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    clock = asyncio.get_running_loop().time
    while True:
        match connection.next_action(clock()):
            case Receive(until):
                try:
                    async with asyncio.timeout_at(until):
                        data = await reader.read(READ_SIZE)
                except TimeoutError:
                    continue
                except OSError:
                    data = b""
                if data:
                    connection.receive_data(data)
                else:
                    connection.receive_eof()
            case Write(data):
                try:
                    writer.write(data)
                    await writer.drain()
                except OSError:
                    connection.lost()
            case Close(reset):
                if reset:
                    writer.get_extra_info("socket").setsockopt(*reset_option())
                    writer.transport.abort()
                else:
                    writer.close()
                return
            case never:
                assert_never(never)
