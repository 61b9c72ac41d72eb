"""Cancelling: at any turn of the loop, on every loop, plain and TLS; nothing is left and everything goes on."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sansio_claude._call.retry import RetryPolicy
from sansio_claude.testing import Answer, ReplayServer, compose, serve_in_thread
from tests.adapters.runtimes import LOOPS, Runtime, open_files, raw_server, read_request
from tests.adapters.test_client import ASK, endpoint
from tests.certificates import client_context, server_context
from tests.virtual import GOOD, GOOD_HEAD, OPENING, chunked

HELLO = compose("Hello, how are you?", seed=1)
# Every one of the first turns, then wider and wider apart.
TURNS = [*range(20), *(int(20 * 1.35**step) for step in range(22))]


@pytest.fixture(params=LOOPS, ids=repr)
def loop(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    runtime: Runtime = request.param
    runtime.run(runtime.sleep, 0)
    before = open_files()
    yield runtime
    assert open_files() <= before


@pytest.mark.parametrize("secure", [False, True])
def test_at_any_turn(loop: Runtime, secure: bool) -> None:
    outcomes: list[bool] = []

    async def main(where: Any) -> None:
        context = client_context() if secure else None
        async with loop.Client(where, max_connections=1, ssl_context=context) as client:
            for turns in TURNS:

                async def stream() -> None:
                    async with client.stream(**ASK) as opened:
                        async for _ in opened:
                            pass

                outcomes.append(await loop.cancel_after(turns, stream))
                pool = client._session.pool
                assert (pool.taken, pool.waiting) == (0, 0)
            assert (await client.create(**ASK)).text == "Hello, how are you?"

    context = server_context("127.0.0.1") if secure else None
    with serve_in_thread(ReplayServer([Answer.stream(HELLO, pace=0.001)]), ssl_context=context) as address:
        loop.run(main, endpoint(address))
    assert True in outcomes


@pytest.mark.parametrize("place", ["connect", "tls", "write", "head", "body", "backoff"])
def test_at_each_place(loop: Runtime, place: str) -> None:
    numbers = itertools.count()

    def handler(connection: socket.socket) -> None:
        if next(numbers) or place == "backoff":
            read_request(connection)
            connection.sendall(GOOD if next(numbers) > 2 else b"HTTP/1.1 529 No\r\nContent-Length: 0\r\n\r\n")
        elif place == "write":
            time.sleep(0.3)
        elif place != "tls":
            read_request(connection)
            if place == "body":
                connection.sendall(GOOD_HEAD + chunked(*OPENING, last=False))
        connection.recv(1)

    ask = ASK if place != "write" else {**ASK, "messages": [{"role": "user", "content": "x" * 20_000_000}]}

    async def main(address: tuple[str, int]) -> None:
        where = endpoint(address, "https" if place == "tls" else "http")
        retry = RetryPolicy(max_retries=9, initial=9.0, ceiling=9.0)
        async with loop.Client(where, max_connections=1, retry=retry) as client:
            started = time.monotonic()
            async with loop.move_on_after(0.1):
                await client.create(**ask)
                pytest.fail("this is not reached")
            assert time.monotonic() - started < 2
            assert client._session.pool.taken == 0
        if place != "tls":
            async with loop.Client(where, retry=RetryPolicy(max_retries=9, initial=0.001)) as client:
                assert (await client.create(**ASK)).text == "Hello"

    with socket.socket() as full:
        if place == "connect":
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            fillers = [socket.socket() for _ in range(4)]
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(full.getsockname())

            async def connecting() -> None:
                async with loop.Client(endpoint(full.getsockname())) as client:
                    async with loop.move_on_after(0.1):
                        await client.create(**ASK)
                    assert client._session.pool.taken == 0

            time.sleep(0.05)
            loop.run(connecting)
            for filler in fillers:
                filler.close()
            return
    with raw_server(handler) as address:
        loop.run(main, address)


def test_a_storm(loop: Runtime) -> None:
    async def main(where: Any) -> None:
        async with loop.Client(where, max_connections=2) as client:

            async def one() -> None:
                async with loop.move_on_after(0.05):
                    await client.create(**ASK)

            for _ in range(3):
                await loop.gather(*[one] * 20)
                pool = client._session.pool
                assert (pool.taken, pool.waiting) == (0, 0)
            async with loop.move_on_after(5):
                async with client.stream(**ASK) as stream:
                    assert (await stream.__anext__()).type == "message_start"
                return
            pytest.fail("the pool has lost its places")

    with serve_in_thread(ReplayServer([Answer.stream(HELLO, pace=0.05)])) as address:
        loop.run(main, endpoint(address))


def test_a_cancelled_read_ends_the_stream(loop: Runtime) -> None:
    async def main(where: Any) -> None:
        async with loop.Client(where) as client, client.stream(**ASK) as stream:
            await stream.__anext__()
            async with loop.move_on_after(0.02):
                while True:
                    await stream.__anext__()
            assert client._session.pool.taken == 0
            with pytest.raises(Exception, match="given up"):
                await stream.__anext__()
            assert stream.message is not None

    with serve_in_thread(ReplayServer([Answer.stream(HELLO, pace=0.2)])) as address:
        loop.run(main, endpoint(address))
