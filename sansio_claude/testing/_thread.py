"""ReplayServer in a thread of its own, for tests and programs that have no event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sansio_claude.testing._address import ServerAddress
from sansio_claude.testing._asyncio import serving
from sansio_claude.testing._replay import ReplayServer

if TYPE_CHECKING:
    import ssl

__all__ = ["serve_in_thread"]


@contextmanager
def serve_in_thread(
    server: ReplayServer,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ssl_context: ssl.SSLContext | None = None,
) -> Iterator[ServerAddress]:
    """Serve from a thread while the block runs; port 0 takes any free one.

    At the end of the block every connection is closed and the thread has ended; then an exception of a function of
    the script is raised. Raises OSError where the address cannot be listened at.
    """
    try:
        with _running(server, host, port, ssl_context) as address:
            yield address
    except BaseException as error:
        server.raise_failure(error)
        raise
    server.raise_failure()


@contextmanager
def _running(server: ReplayServer, host: str, port: int, ssl_context: ssl.SSLContext | None) -> Iterator[ServerAddress]:
    ready: Future[tuple[ServerAddress, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        try:
            async with serving(server, host=host, port=port, ssl_context=ssl_context) as address:
                ready.set_result((address, asyncio.get_running_loop(), stop))
                await stop.wait()
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="replay-server", daemon=True)
    thread.start()
    try:
        address, loop, stop = ready.result()
        try:
            yield address
        finally:
            loop.call_soon_threadsafe(stop.set)
    finally:
        thread.join()
