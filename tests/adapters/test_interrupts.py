"""Ctrl-C at any line, forks, the wrong event loop: what is left can be used, and nothing is mixed up."""

from __future__ import annotations

import gc
import linecache
import os
import select
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import trio

import sansio_claude.asyncio
import sansio_claude.sync
import sansio_claude.sync._stream
import sansio_claude.trio
from sansio_claude import _call, _runtime
from sansio_claude._call.pool import Pool
from sansio_claude._errors import LocalProtocolError
from tests.adapters.runtimes import LOOPS, Runtime, raw_server, read_request
from tests.adapters.test_client import ASK, endpoint
from tests.virtual import GOOD

TAKE_UP = Pool._take_up.__code__
HERE = tuple(str(Path(module.__file__ or "").parent) for module in (_call, _runtime))


def answer(connection: socket.socket) -> None:
    while read_request(connection):
        connection.sendall(GOOD)


class CtrlC:
    """Raises KeyboardInterrupt at one line of the calls and adapters, counted from the first one run.

    Not where the interpreter never looks for a signal: between the end of a block and the lock that it gives back, and
    at a `try:`, which does nothing (and which CPython 3.13 takes out of the `try` around it).
    """

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, frame: FrameType, event: str, argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(HERE) or frame.f_code is TAKE_UP or self.left <= 0:
            return None
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
        if event == "line" and "_lock" not in line and line.strip() != "try:":
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
        return self


def interrupted(at: int, function: Callable[[], object]) -> bool:
    """Call it, with Ctrl-C at that line; False where it has fewer lines."""
    before, one = sys.gettrace(), CtrlC(at)
    sys.settrace(one)
    try:
        function()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return one.left <= 0


@pytest.mark.filterwarnings(  # of what was interrupted
    "ignore::ResourceWarning", "ignore:coroutine:RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.skipif(sys.gettrace() is not None, reason="coverage or a debugger is tracing")
@pytest.mark.parametrize("step", [13, pytest.param(1, marks=pytest.mark.sweep)])
@pytest.mark.parametrize("way", ["create", "stream", "left early"])
def test_ctrl_c_at_any_line_of_the_blocking_client(way: str, step: int) -> None:
    with raw_server(answer) as address, sansio_claude.sync.Client(endpoint(address), max_connections=1) as client:

        def use() -> None:
            if way == "create":
                client.create(**ASK)
                return
            with client.stream(**ASK) as stream:
                for _ in stream:
                    if way == "left early":
                        return

        pool, at = client._inner._session.pool, 1
        while interrupted(at, use):
            gc.collect(0)
            assert pool.taken == 0, at
            assert client.create(**ASK).text == "Hello"
            at += step
        assert at > 300


def test_after_ctrl_c_a_stream_is_not_another_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it came at a line that no `finally` of the loop sees, as that of a nested `try` in CPython 3.11."""

    async def interrupted_drive(adapter: Any, call: Any) -> None:
        call.driven = True
        raise KeyboardInterrupt

    def handler(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(GOOD[: len(GOOD) // 2])
        connection.recv(1)

    with raw_server(handler) as address, sansio_claude.sync.Client(endpoint(address), max_connections=1) as client:
        with client.stream(**ASK) as stream:
            with monkeypatch.context() as patched:
                patched.setattr(sansio_claude.sync._stream, "drive", interrupted_drive)
                stream._ready = iter(())
                with pytest.raises(KeyboardInterrupt):
                    next(stream)
            with pytest.raises(LocalProtocolError, match="given up"):
                next(stream)
        assert client._inner._session.pool.taken == 0


def in_child(function: Callable[[], object]) -> str:
    """What a forked process makes of it, while everything of this one stands still."""
    reading, writing = os.pipe()
    if not (child := os.fork()):
        try:
            found = repr(function())
        except BaseException as error:
            found = repr(error)
        os.write(writing, found.encode())
        os._exit(0)
    os.close(writing)
    try:
        ready, _, _ = select.select([reading], [], [], 20)
        assert ready
        return os.read(reading, 10_000).decode()
    finally:
        os.close(reading)
        os.waitpid(child, 0)


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
in_threads = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # from Python 3.12 on


@forks
@in_threads
@pytest.mark.parametrize("runtime", LOOPS, ids=repr)
def test_a_child_that_gives_up_a_stream_leaves_it_to_its_parent(runtime: Runtime) -> None:
    """The parent waits for bytes at that moment, and shares with its child what it waits with."""
    half = threading.Event()

    def handler(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(GOOD[: len(GOOD) // 2])
        half.wait(10)
        connection.sendall(GOOD[len(GOOD) // 2 :])

    async def main(address: Any) -> str:
        async with runtime.Client(endpoint(address)) as client, client.stream(**ASK) as stream:

            async def read() -> str:
                text: str = (await stream.final_message()).text
                return text

            async def fork() -> str:
                await runtime.sleep(0.02)
                found = in_child(stream._give_up)
                half.set()
                return found

            text, found = await runtime.gather(read, fork)
            assert found == "None"
            return str(text)

    with raw_server(handler) as address:
        assert runtime.run(main, address) == "Hello"


@forks
@in_threads
def test_a_child_does_not_read_what_is_its_parents() -> None:
    half = threading.Event()

    def handler(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(GOOD[: len(GOOD) // 2])
            half.wait(10)
            connection.sendall(GOOD[len(GOOD) // 2 :])

    with (
        raw_server(handler) as address,
        sansio_claude.sync.Client(endpoint(address)) as client,
        client.stream(**ASK) as stream,
    ):
        next(stream)
        assert "another process" in in_child(stream.final_message)
        assert in_child(stream.close) == "None"
        half.set()
        assert in_child(lambda: client.create(**ASK).text) == "'Hello'"
        assert stream.final_message().text == "Hello"


@pytest.mark.parametrize("runtime", LOOPS, ids=repr)
def test_a_client_without_its_event_loop_says_so(runtime: Runtime) -> None:
    async def main(address: Any) -> None:
        client = runtime.Client(endpoint(address))
        for use in (client.create(**ASK), client.stream(**ASK).__aenter__(), client.run(**ASK).final_message()):
            with pytest.raises(LocalProtocolError, match="here: await it inside of"):
                await use
        assert client._session.pool.taken == 0
        await client.aclose()

    other = trio.run if runtime.Client is sansio_claude.asyncio.Client else LOOPS[1].run
    with raw_server(answer) as address:
        other(main, address)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("runtime", LOOPS, ids=repr)
def test_a_stream_of_another_run_says_so(runtime: Runtime) -> None:
    def handler(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(GOOD[: len(GOOD) // 2])
        connection.recv(1)

    async def begin(client: Any) -> Any:
        stream = client.stream(**ASK)
        await stream.__aenter__()
        return stream

    async def read(stream: Any) -> None:
        with pytest.raises(LocalProtocolError, match=r"another (run|event loop)"):
            await stream.final_message()

    with raw_server(handler) as address:
        client = runtime.Client(endpoint(address))
        runtime.run(read, runtime.run(begin, client))
        assert client._session.pool.taken == 0
        runtime.run(client.aclose)
        gc.collect()  # a closed event loop cannot close its transports
