"""Opening connections on every loop: names, refusals, cancelled at any moment; what it leaves behind."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import socket
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from sansio_claude._call.retry import RetryPolicy
from sansio_claude._call.timeouts import Timeouts
from sansio_claude._errors import ConnectError, DeadlineError, LocalProtocolError, RequestTooLargeError
from sansio_claude._request.endpoint import Endpoint
from sansio_claude._runtime import look_up
from sansio_claude._runtime.sockets import set_options
from tests.adapters.runtimes import LOOPS, SYNC, Runtime, raw_server, read_request, reset
from tests.adapters.test_client import ASK, endpoint
from tests.virtual import GOOD

ALL = [*LOOPS, SYNC]
ONCE = RetryPolicy(max_retries=0)


@pytest.fixture(params=ALL, ids=repr)
def client_of(request: pytest.FixtureRequest) -> Runtime:
    runtime: Runtime = request.param
    return runtime


def refused_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_refused_says_refused(client_of: Runtime, host: str) -> None:
    async def main() -> str:
        where = Endpoint.from_base_url(f"http://{host}:{refused_port()}", api_key="k")
        async with client_of.Client(where, retry=ONCE) as client:
            with pytest.raises(ConnectError) as caught:
                await client.create(**ASK)
            assert isinstance(caught.value.__cause__, ConnectionRefusedError)
            return str(caught.value).partition(": ")[2]

    assert client_of.run(main) == os.strerror(111 if os.name == "posix" and os.uname().sysname == "Linux" else 61)


@pytest.fixture
def slow_name(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Looking up slow.example takes until the event is set, then finds this machine."""
    real, found = socket.getaddrinfo, threading.Event()

    def getaddrinfo(host: Any, port: int, **options: Any) -> Any:
        if host == "slow.example" and not options.get("flags", 0) & socket.AI_NUMERICHOST:
            found.wait(30)
            host = "127.0.0.1"
        return real(host, port, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield found
    found.set()
    for thread in threading.enumerate():
        if thread.name == "look-up of slow.example":
            thread.join(10)


def test_a_name_that_is_not_found_in_time_holds_nothing_up(client_of: Runtime, slow_name: threading.Event) -> None:
    async def main() -> None:
        where = Endpoint.from_base_url("http://slow.example:1", api_key="k", allow_http=True)
        async with client_of.Client(where, retry=ONCE, timeouts=Timeouts(connect=0.1)) as client:
            with pytest.raises(DeadlineError) as caught:
                await client.create(**ASK)
            assert caught.value.deadline == "connect"

    started = time.monotonic()
    client_of.run(main)
    assert time.monotonic() - started < 5  # not the 30 s of the resolver
    assert len(look_up._under_way) == 1
    slow_name.set()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What looking a name up gives, by name: addresses, or an exception to raise."""
    real, found = socket.getaddrinfo, dict[str, Any]()

    def getaddrinfo(host: Any, port: int, **options: Any) -> Any:
        answer = found.get(host)
        if answer is None or options.get("flags", 0) & socket.AI_NUMERICHOST:
            return real(host, port, **options)
        if isinstance(answer, BaseException):
            raise answer
        return [(family, socket.SOCK_STREAM, 6, "", address) for family, address in answer]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return found


@pytest.mark.parametrize(
    "first",
    [
        (socket.AF_INET6, ("fe80::1%no-such-interface", 1, 0, 0)),
        (socket.AF_INET6, ("fe80::1", 1, 0, 9999)),
        (socket.AF_INET, ("not a number, nor a name", 1)),
        (socket.AF_INET, ("127.0.0.1", 99999)),
        (socket.AF_INET, ("127.0.0.1", "http")),
        (9999, ("127.0.0.1", 1)),
    ],
    ids=repr,
)
def test_an_address_that_is_none_is_one_that_failed(
    client_of: Runtime, answers: dict[str, Any], first: tuple[int, Any]
) -> None:
    def handler(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(GOOD)

    async def main(port: int) -> str:
        answers["odd.example"] = [first, (socket.AF_INET, ("127.0.0.1", port))]
        where = Endpoint.from_base_url("http://odd.example", api_key="k", allow_http=True)
        async with client_of.Client(where, retry=ONCE) as client:
            message = await client.create(**ASK)
            text: str = message.text
            return text

    with raw_server(handler) as (_, port):
        assert client_of.run(main, port) == "Hello"


@pytest.mark.parametrize(
    "error", [SystemExit(1), asyncio.CancelledError(), MemoryError(), UnicodeError("a label")], ids=repr
)
def test_a_resolver_that_raises_holds_nothing_up(
    client_of: Runtime, answers: dict[str, Any], error: BaseException
) -> None:
    async def main() -> None:
        where = Endpoint.from_base_url("http://odd.example", api_key="k", allow_http=True)
        async with client_of.Client(where, retry=ONCE) as client:
            with pytest.raises(ConnectError):
                await client.create(**ASK)

    answers["odd.example"] = error
    client_of.run(main)
    assert not look_up._under_way


def test_one_thread_a_name(slow_name: threading.Event) -> None:
    found, before = threading.Event(), set(threading.enumerate())
    several = [look_up.look_up("slow.example", 80, found.set) for _ in range(50)]
    assert len({id(each) for each in several}) == 1
    assert [thread.name for thread in {*threading.enumerate()} - before] == ["look-up of slow.example"]
    slow_name.set()
    assert found.wait(10)
    assert several[0].done
    assert several[0].found
    assert not look_up._under_way
    number = look_up.look_up("127.0.0.1", 80, found.set)
    assert number.done  # without a thread
    assert look_up.look_up("::1", 80, found.set).found[0][0] == socket.AF_INET6


@pytest.mark.parametrize("runtime", LOOPS, ids=repr)
def test_cancelled_while_connecting_nothing_is_left_to_the_collector(runtime: Runtime) -> None:
    chance = random.Random(7)

    async def main(port: int) -> int:
        where = Endpoint.from_base_url(f"http://localhost:{port}", api_key="k")
        async with runtime.Client(where, retry=ONCE) as client:

            async def ask() -> None:
                await client.create(**ASK)

            for _ in range(200):
                if chance.random() < 0.5:
                    await runtime.cancel_after(chance.randrange(12), ask)
                else:
                    async with runtime.move_on_after(chance.random() * 0.002):
                        await ask()
        await runtime.sleep(0.05)
        return len(os.listdir("/proc/self/fd"))

    def silent(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.recv(65536)

    with raw_server(silent) as address:
        gc.collect()
        gc.disable()
        try:
            left = runtime.run(main, address[1])
            gc.collect()
            assert len(os.listdir("/proc/self/fd")) <= left  # those of the loop are gone by now
        finally:
            gc.enable()


def test_an_early_refusal_is_seen_at_any_point_of_an_upload(client_of: Runtime) -> None:
    answer = json.dumps({"type": "error", "error": {"type": "request_too_large", "message": "too large"}}).encode()
    head = b"HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(answer)
    chance = random.Random(11)
    lock = threading.Lock()

    def handler(connection: socket.socket) -> None:
        with lock:
            most, hard = chance.randrange(6_000_000), chance.random() < 0.5
        got = 0
        while got <= most:
            got += len(connection.recv(65536))
        connection.sendall(head + answer)
        if hard:
            connection.close()  # whatever comes now is answered by a reset
        else:
            connection.shutdown(socket.SHUT_WR)

    ask = {**ASK, "messages": [{"role": "user", "content": "x" * 8_000_000}]}

    async def main(address: tuple[str, int]) -> None:
        async with client_of.Client(endpoint(address), retry=RetryPolicy(max_retries=2, initial=0.001)) as client:
            for _ in range(15):
                with pytest.raises(RequestTooLargeError) as caught:
                    await client.create(**ask)
                assert len(caught.value.attempts) == 1

    with raw_server(handler) as address:
        client_of.run(main, address)


def test_an_early_refusal_of_a_server_that_reads_no_more(client_of: Runtime) -> None:
    def handler(connection: socket.socket) -> None:
        connection.recv(400)
        connection.sendall(b"HTTP/1.1 401 No\r\ncontent-length: 2\r\n\r\n{}")
        time.sleep(0.5)

    ask = {**ASK, "messages": [{"role": "user", "content": "x" * 20_000_000}]}

    async def main(address: tuple[str, int]) -> None:
        async with client_of.Client(endpoint(address), retry=ONCE) as client:
            started = time.monotonic()
            with pytest.raises(Exception, match="401"):
                await client.create(**ask)
            assert time.monotonic() - started < 10  # not the 60 s of Timeouts.write

    with raw_server(handler) as address:
        client_of.run(main, address)


def test_a_connection_of_another_run_is_not_used_again(client_of: Runtime) -> None:
    def handler(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(GOOD)

    def in_three_runs(address: tuple[str, int]) -> None:
        client = client_of.Client(endpoint(address))

        async def ask() -> Any:
            return (await client.create(**ASK)).text

        assert [client_of.run(ask) for _ in range(3)] == ["Hello"] * 3
        client_of.run(client.aclose)

    with raw_server(handler) as address, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # asyncio and uvloop warn of transports that outlive their loop
        in_three_runs(address)
        gc.collect()


@pytest.mark.parametrize("runtime", LOOPS, ids=repr)
def test_a_client_in_two_loops_at_once(runtime: Runtime) -> None:
    under_way, asked = threading.Event(), threading.Event()

    def handler(connection: socket.socket) -> None:
        read_request(connection)
        under_way.set()
        asked.wait(10)
        connection.sendall(GOOD)

    with raw_server(handler) as address:
        client = runtime.Client(endpoint(address))

        async def ask() -> Any:
            return (await client.create(**ASK)).text

        async def first() -> Any:
            found = await ask()
            await client.aclose()
            return found

        results: list[Any] = []
        thread = threading.Thread(target=lambda: results.append(runtime.run(first)))
        thread.start()
        assert under_way.wait(10)
        with pytest.raises(LocalProtocolError, match="another event loop or thread"):
            runtime.run(ask)
        asked.set()
        thread.join(10)
        assert results == ["Hello"]


class _Platform:
    """The socket module of a system, as far as its options go."""

    IPPROTO_TCP, SOL_SOCKET, TCP_NODELAY, SO_KEEPALIVE = 6, 1, 1, 9

    def __init__(self, **options: int) -> None:
        vars(self).update(options)


@pytest.mark.parametrize(
    ("platform", "idle"),
    [
        (_Platform(TCP_KEEPIDLE=4, TCP_KEEPINTVL=5, TCP_KEEPCNT=6), 4),
        (_Platform(TCP_KEEPALIVE=16, TCP_KEEPINTVL=257, TCP_KEEPCNT=258), 16),  # macOS
        (_Platform(TCP_KEEPIDLE=3, TCP_KEEPALIVE=16, TCP_KEEPINTVL=17, TCP_KEEPCNT=16), 3),  # Windows
        (_Platform(), None),
    ],
    ids=["linux", "macos", "windows", "old"],
)
def test_keep_alive_by_the_names_of_each_system(
    platform: _Platform, idle: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sansio_claude._runtime.sockets.socket", platform)
    asked: list[tuple[int, int, int]] = []

    class Sock:
        def setsockopt(self, level: int, name: int, value: int) -> None:
            asked.append((level, name, value))
            raise OSError("this one has none of them")

    set_options(Sock())  # type: ignore[arg-type]
    assert (1, 9, 1) in asked
    assert ((6, idle, 60) in asked) == (idle is not None)


# What a resumed consumer raises


@pytest.mark.parametrize("runtime", LOOPS, ids=repr)
@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_what_ends_the_program_leaves_the_run(runtime: Runtime, kind: type[BaseException]) -> None:
    def handler(connection: socket.socket) -> None:
        read_request(connection)
        time.sleep(0.05)
        connection.sendall(GOOD)
        connection.recv(1)

    async def main(address: tuple[str, int]) -> None:
        async with runtime.Client(endpoint(address)) as client, client.stream(**ASK) as stream:
            async for _ in stream:
                raise kind(3)

    with raw_server(handler) as address, pytest.raises(kind):
        runtime.run(main, address)
    gc.collect()


class NestingLoop(asyncio.SelectorEventLoop):
    """A loop that was patched to run inside of itself, as nest_asyncio does it: `run_until_complete` is replaced, and
    runs the callbacks that are ready."""

    def run_until_complete(self, future: Any) -> Any:
        if not self.is_running():
            return super().run_until_complete(future)
        future = asyncio.ensure_future(future, loop=self)
        tasks = asyncio.tasks
        while not future.done():
            current = tasks.current_task(self)
            if current is not None:
                tasks._leave_task(self, current)
            try:
                self._run_once()  # type: ignore[attr-defined]
            finally:
                if current is not None:
                    tasks._enter_task(self, current)
        return future.result()


def test_a_run_inside_of_a_run_ends() -> None:
    def handler(connection: socket.socket) -> None:
        while read_request(connection):
            time.sleep(0.01)
            connection.sendall(GOOD)

    async def main(address: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        async with sansio_client(endpoint(address)) as client:

            async def ask() -> str:
                return str((await client.create(**ASK)).text)

            assert await ask() == "Hello"
            assert loop.run_until_complete(ask()) == "Hello"
            assert await ask() == "Hello"

    with raw_server(handler) as address, asyncio.Runner(loop_factory=NestingLoop) as runner:
        runner.run(asyncio.wait_for(main(address), 20))


def sansio_client(where: Endpoint) -> Any:
    return next(each for each in LOOPS if each.name == "asyncio").Client(where)


def test_a_reset_where_the_answer_lies_unread() -> None:
    """The raw tools of the test: a reset does not take what was sent before it."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as near:
        far, _ = listener.accept()
        far.sendall(b"answer")
        time.sleep(0.05)
        reset(far)
        assert near.recv(100) == b"answer"
