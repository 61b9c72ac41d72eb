"""The two clients under one roof, so that one test runs on every event loop; and servers that do anything."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
import struct
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeAlias, cast

import attrs
import trio
import uvloop

import sansio_claude.asyncio
import sansio_claude.trio
from tests.adapters import blocking

__all__ = ["LOOPS", "SYNC", "Runtime", "open_files", "raw_server", "reset"]


MayLeave: TypeAlias = contextlib.AbstractAsyncContextManager[Any, bool]


@attrs.define(frozen=True)
class Runtime:
    """An event loop, its client, and what a test needs of it."""

    name: str
    Client: Any
    run: Callable[..., Any]
    """run(async_function, *arguments)"""
    sleep: Callable[[float], Awaitable[Any]]
    move_on_after: Callable[[float], MayLeave]
    """An async context manager that ends its block after some seconds."""
    gather: Callable[..., Awaitable[list[Any]]]
    """gather(*async_functions): run them side by side."""
    cancel_after: Callable[[int, Callable[[], Awaitable[Any]]], Awaitable[bool]]
    """cancel_after(turns, function): run it, cancel it after so many turns of the loop; whether it was cancelled."""
    cancel_when: Callable[[Callable[[], bool], float, Callable[[], Awaitable[Any]]], Awaitable[None]]
    """cancel_when(ready, seconds, function): run it, cancel it so many seconds after `ready()` has become true."""

    def __repr__(self) -> str:
        return self.name


@contextlib.asynccontextmanager
async def _asyncio_move_on(seconds: float) -> Any:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            yield


@contextlib.asynccontextmanager
async def _trio_move_on(seconds: float) -> Any:
    with trio.move_on_after(seconds):
        yield


async def _asyncio_gather(*functions: Callable[[], Awaitable[Any]]) -> list[Any]:
    async with asyncio.TaskGroup() as group:
        tasks: list[Any] = [group.create_task(function()) for function in functions]  # type: ignore[arg-type]
    return [task.result() for task in tasks]


async def _trio_gather(*functions: Callable[[], Awaitable[Any]]) -> list[Any]:
    results: list[Any] = [None] * len(functions)

    async def run(number: int) -> None:
        results[number] = await functions[number]()

    async with trio.open_nursery() as nursery:
        for number in range(len(functions)):
            nursery.start_soon(run, number)
    return results


async def _asyncio_cancel_after(turns: int, function: Callable[[], Awaitable[Any]]) -> bool:
    task = asyncio.ensure_future(function())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return task.cancelled()


async def _trio_cancel_after(turns: int, function: Callable[[], Awaitable[Any]]) -> bool:
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:

            async def run() -> None:
                await function()

            nursery.start_soon(run)
            for _ in range(turns):
                await trio.lowlevel.checkpoint()
            scope.cancel()
    return scope.cancelled_caught


async def _asyncio_cancel_when(
    ready: Callable[[], bool], seconds: float, function: Callable[[], Awaitable[Any]]
) -> None:
    task = asyncio.ensure_future(function())
    try:
        while not ready() and not task.done():
            await asyncio.sleep(0.001)
        await asyncio.wait([task], timeout=seconds)
    finally:
        task.cancel()
        await asyncio.wait([task])
    if not task.cancelled():
        task.result()


async def _trio_cancel_when(ready: Callable[[], bool], seconds: float, function: Callable[[], Awaitable[Any]]) -> None:
    async with trio.open_nursery() as nursery:

        async def cancel() -> None:
            while not ready():
                await trio.sleep(0.001)
            await trio.sleep(seconds)
            nursery.cancel_scope.cancel()

        nursery.start_soon(cancel)
        await function()
        nursery.cancel_scope.cancel()


async def _checked(function: Callable[..., Awaitable[Any]], arguments: tuple[Any, ...]) -> Any:
    """Run it, and see that no task is left."""
    result = await function(*arguments)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    return result


def _run_asyncio(function: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    return asyncio.run(_checked(function, arguments))


def _run_uvloop(function: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_checked(function, arguments))


def _run_eager(function: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    def factory() -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined, unused-ignore]
        return loop

    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(_checked(function, arguments))


def _asyncio_runtime(name: str, run: Callable[..., Any]) -> Runtime:
    return Runtime(
        name,
        sansio_claude.asyncio.Client,
        run,
        asyncio.sleep,
        cast(Callable[[float], MayLeave], _asyncio_move_on),
        _asyncio_gather,
        _asyncio_cancel_after,
        _asyncio_cancel_when,
    )


LOOPS = [
    Runtime(
        "trio",
        sansio_claude.trio.Client,
        trio.run,
        trio.sleep,
        cast(Callable[[float], MayLeave], _trio_move_on),
        _trio_gather,
        _trio_cancel_after,
        _trio_cancel_when,
    ),
    _asyncio_runtime("asyncio", _run_asyncio),
    _asyncio_runtime("uvloop", _run_uvloop),
]
if sys.version_info >= (3, 12):
    LOOPS.append(_asyncio_runtime("eager", _run_eager))


async def _never(*arguments: Any) -> Any:
    raise AssertionError("nothing can be cancelled here")


SYNC = Runtime(
    "sync",
    blocking.Client,
    blocking.run,
    blocking.sleep,
    cast(Callable[[float], MayLeave], blocking.move_on_after),
    blocking.gather,
    _never,
    _never,
)
"""The blocking client, for tests in which nothing is cancelled."""


def reset(connection: socket.socket) -> None:
    """Close with a reset instead of a polite end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def read_request(connection: socket.socket) -> bytes:
    """One request, head and body; what there was if the client left."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        if not (more := connection.recv(65536)):
            break
        body += more
    return head + b"\r\n\r\n" + body


def raw_server(handler: Callable[[socket.socket], None]) -> AbstractContextManager[tuple[str, int]]:
    """Listens; `handler` gets each connection in a thread of its own, and may do anything with it."""
    return _raw_server(handler)


@contextmanager
def _raw_server(handler: Callable[[socket.socket], None]) -> Iterator[tuple[str, int]]:
    threads: list[threading.Thread] = []
    connections: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:

        def talk(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                handler(connection)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    connection.settimeout(20)
                    connections.append(connection)
                    threads.append(threading.Thread(target=talk, args=(connection,), daemon=True))
                    threads[-1].start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield listener.getsockname()[:2]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join(5)
                assert not thread.is_alive()


def open_files() -> int:
    """How many file descriptors this process has."""
    gc.collect()
    return len(os.listdir("/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"))
