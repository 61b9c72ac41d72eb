"""The three runners over real sockets: the same bytes, faults that a client can feel, nothing left open."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import pytest
import trio
import trustme

from sansio_claude.testing import (
    Answer,
    ReplayServer,
    ServerAddress,
    compose,
    serve_in_asyncio,
    serve_in_thread,
    serve_in_trio,
)

HELLO = compose("Hello, world!", seed=1)
REQUEST = b'POST /v1/messages HTTP/1.1\r\nHost: t\r\nContent-Length: 16\r\n\r\n{"stream": true}'
T = TypeVar("T")
RUNTIMES = ["trio", "asyncio", "thread"]


def run(
    runtime: str,
    in_trio: Callable[[], Awaitable[T]],
    in_asyncio: Callable[[], Coroutine[Any, Any, T]],
    in_thread: Callable[[], T],
) -> T:
    """The one of the three that the runtime asks for."""
    if runtime == "trio":
        return trio.run(in_trio)
    return asyncio.run(in_asyncio()) if runtime == "asyncio" else in_thread()


def exchange(address: ServerAddress, data: bytes, context: ssl.SSLContext | None = None) -> bytes:
    """Send, then read to the end with plain blocking sockets."""
    with socket.create_connection((address.host, address.port), timeout=10) as plain:
        sock = plain if context is None else context.wrap_socket(plain, server_hostname="localhost")
        with sock:
            sock.sendall(data)
            received = b""
            while chunk := sock.recv(1_000):
                received += chunk
            return received


def over(
    runtime: str, server: ReplayServer, data: bytes, tls: tuple[ssl.SSLContext, ssl.SSLContext] | None = None
) -> bytes:
    """The server's answer when run by one of the runners. `tls` holds the client's and the server's context."""
    client, context = tls or (None, None)

    async def in_trio() -> bytes:
        async with serve_in_trio(server, ssl_context=context) as address:
            return await trio.to_thread.run_sync(exchange, address, data, client)

    async def in_asyncio() -> bytes:
        async with serve_in_asyncio(server, ssl_context=context) as address:
            return await asyncio.to_thread(exchange, address, data, client)

    def in_thread() -> bytes:
        with serve_in_thread(server, ssl_context=context) as address:
            return exchange(address, data, client)

    return run(runtime, in_trio, in_asyncio, in_thread)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_bytes_are_those_of_the_state_machine(runtime: str) -> None:
    answer = Answer.stream(HELLO, keep_alive=False, pace=0.0001)
    expected = ReplayServer([answer]).reply_to(REQUEST)
    server = ReplayServer([answer])
    assert over(runtime, server, REQUEST) == expected
    assert (server.connections, server.open_connections) == (1, 0)
    assert server.requests[0].outcome == "answered"


@pytest.fixture(scope="module")
def tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    authority = trustme.CA()
    client = ssl.create_default_context()
    authority.configure_trust(client)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server)
    return client, server


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_tls(runtime: str, tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    answer = Answer.stream(HELLO, keep_alive=False)
    expected = ReplayServer([answer]).reply_to(REQUEST)
    assert over(runtime, ReplayServer([answer]), REQUEST, tls) == expected


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_reset_is_felt_as_one(runtime: str) -> None:
    with pytest.raises(ConnectionResetError):
        over(runtime, ReplayServer([Answer.stream(HELLO, end="reset")]), REQUEST)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_leaving_the_block_closes_what_is_open(runtime: str) -> None:
    """A client that waits for an answer which stalls gets an end when the server goes."""
    server = ReplayServer([Answer.stream(HELLO.first(1), end="stall")])

    def waiting(address: ServerAddress) -> socket.socket:
        sock = socket.create_connection((address.host, address.port), timeout=10)
        sock.sendall(REQUEST)
        assert sock.recv(10)
        return sock

    async def in_trio() -> socket.socket:
        async with serve_in_trio(server) as address:
            return await trio.to_thread.run_sync(waiting, address)

    async def in_asyncio() -> socket.socket:
        async with serve_in_asyncio(server) as address:
            return await asyncio.to_thread(waiting, address)

    def in_thread() -> socket.socket:
        with serve_in_thread(server) as address:
            return waiting(address)

    sock = run(runtime, in_trio, in_asyncio, in_thread)
    assert server.open_connections == 0
    with sock:
        while sock.recv(1_000):
            pass


def test_a_client_that_leaves_in_mid_answer_is_noticed() -> None:
    async def main() -> ReplayServer:
        server = ReplayServer([HELLO], pace=3_600)
        async with serve_in_trio(server) as address:
            stream = await trio.open_tcp_stream(address.host, address.port)
            await stream.send_all(REQUEST)
            await stream.receive_some(10)
            await stream.aclose()
            with trio.fail_after(10):
                while server.open_connections:
                    await trio.lowlevel.checkpoint()
        return server

    assert trio.run(main).requests[0].outcome == "abandoned"


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_an_exception_of_the_block_comes_out_as_itself(runtime: str) -> None:
    server = ReplayServer([HELLO])

    async def in_trio() -> None:
        async with serve_in_trio(server):
            raise LookupError("mine")

    async def in_asyncio() -> None:
        async with serve_in_asyncio(server):
            raise LookupError("mine")

    def in_thread() -> None:
        with serve_in_thread(server):
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        run(runtime, in_trio, in_asyncio, in_thread)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_port_in_use_is_an_oserror(runtime: str) -> None:
    server = ReplayServer([HELLO])
    with serve_in_thread(server) as taken:

        async def in_trio() -> None:
            async with serve_in_trio(server, port=taken.port):
                raise AssertionError("two servers at one address")

        async def in_asyncio() -> None:
            async with serve_in_asyncio(server, port=taken.port):
                raise AssertionError("two servers at one address")

        def in_thread() -> None:
            with serve_in_thread(server, port=taken.port):
                raise AssertionError("two servers at one address")

        with pytest.raises(OSError):
            run(runtime, in_trio, in_asyncio, in_thread)


def test_addresses() -> None:
    assert ServerAddress("127.0.0.1", 80).url == "http://127.0.0.1:80"
    assert ServerAddress("::1", 443, "https").url == "https://[::1]:443"


def test_importing_the_package_brings_in_no_event_loop() -> None:
    code = (
        "import sys, sansio_claude.testing as testing\n"
        "found = {'asyncio', 'trio', 'ssl', 'socket'} & set(sys.modules)\n"
        "assert not found, found\n"
        "testing.serve_in_asyncio\n"
        "assert 'asyncio' in sys.modules and 'trio' not in sys.modules\n"
        "assert not hasattr(testing, 'serve_in_nothing')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
