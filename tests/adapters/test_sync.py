"""The blocking client: threads that share it, closing from another one, tools in threads, no event loop behind it."""

from __future__ import annotations

import dataclasses
import gc
import itertools
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sansio_claude._call.retry import RetryPolicy
from sansio_claude._call.timeouts import Timeouts
from sansio_claude._errors import DeadlineError, LocalProtocolError, OverloadedError
from sansio_claude._runtime.blocking import Wakeup, finish
from sansio_claude.sync import Client
from sansio_claude.testing import Answer, ReplayServer, compose, serve_in_thread
from tests.adapters.runtimes import open_files, raw_server, read_request
from tests.adapters.test_client import ASK, endpoint
from tests.certificates import client_context, server_context
from tests.virtual import CLOSING, DELTAS, GOOD, GOOD_HEAD, OPENING, START, chunked, frame

HELLO = compose("Hello, how are you?", seed=1)
ONCE = RetryPolicy(max_retries=0)


@pytest.mark.parametrize("secure", [False, True])
def test_the_names_of_the_others_without_await(secure: bool) -> None:
    context = server_context("127.0.0.1") if secure else None
    with serve_in_thread(ReplayServer([Answer.stream(HELLO)], cycle=True), ssl_context=context) as address:
        where = endpoint(address, "https" if secure else "http")
        with Client(where, ssl_context=client_context() if secure else None) as client:
            with client.stream(**ASK) as stream:
                kinds = [event.type for event in stream]
                assert kinds[0] == "message_start"
                assert kinds[-1] == "message_stop"
                assert stream.final_message().text == "Hello, how are you?"
                assert stream.response is not None
                assert stream.response.status == 200
            with client.stream(**ASK) as stream:
                assert "".join(stream.text()) == "Hello, how are you?"
            assert client.create(**ASK).text == "Hello, how are you?"
            assert client._inner._session.pool.idle == 1
        with pytest.raises(LocalProtocolError, match="closed"):
            client.create(**ASK)


@pytest.fixture
def hello() -> Iterator[Any]:
    """The address of a server that always says hello."""
    with serve_in_thread(ReplayServer([Answer.stream(HELLO)], cycle=True)) as address:
        yield address


def test_text_is_all_the_text() -> None:
    """Of the start of a block, too."""
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "Well, "}}
    opening = [frame(START), frame(block)]

    def handler(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(GOOD_HEAD + chunked(*opening, *DELTAS, *CLOSING))

    with raw_server(handler) as address, Client(endpoint(address)) as client, client.stream(**ASK) as stream:
        assert list(stream.text()) == ["Well, ", "Hel", "lo"]
        assert stream.final_message().text == "Well, Hello"


def test_threads_share_the_connections(hello: Any) -> None:
    failed: list[BaseException] = []
    with Client(endpoint(hello), max_connections=3) as client:

        def work() -> None:
            try:
                for _ in range(5):
                    assert client.create(**ASK).text == "Hello, how are you?"
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=work) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert failed == []
        pool = client._inner._session.pool
        assert (pool.taken, pool.waiting) == (0, 0)
        assert 1 <= pool.idle <= 3


def silent(place: str) -> Callable[[socket.socket], None]:
    def handler(connection: socket.socket) -> None:
        if place != "write":
            read_request(connection)
        if place == "body":
            connection.sendall(GOOD_HEAD + chunked(*OPENING, last=False))
        if place == "backoff":
            connection.sendall(b"HTTP/1.1 529 No\r\nContent-Length: 0\r\n\r\n")
        connection.recv(1) if place != "write" else time.sleep(0.5)

    return handler


@pytest.mark.parametrize("place", ["write", "head", "body", "backoff", "pool"])
def test_another_thread_ends_what_waits(place: str) -> None:
    ask = ASK if place != "write" else {**ASK, "messages": [{"role": "user", "content": "x" * 20_000_000}]}
    before = open_files()
    ended: list[BaseException] = []
    with raw_server(silent(place)) as address:
        client = Client(
            endpoint(address), max_connections=1, retry=RetryPolicy(max_retries=5, initial=9.0, ceiling=9.0)
        )

        def work() -> None:
            try:
                client.create(**ask)
            except BaseException as error:
                ended.append(error)

        threads = [threading.Thread(target=work) for _ in range(2 if place == "pool" else 1)]
        for thread in threads:
            thread.start()
        waiting = time.monotonic() + 10
        while client._inner._session.pool.waiting < (place == "pool") and time.monotonic() < waiting:
            time.sleep(0.01)
        time.sleep(0.1)
        started = time.monotonic()
        client.shutdown()
        for thread in threads:
            thread.join(10)
        assert time.monotonic() - started < 1
        assert [type(error) for error in ended] == [LocalProtocolError] * len(threads), ended
        assert client._inner._session.pool.taken == 0
    assert open_files() <= before


@pytest.mark.parametrize("how", ["close", "shutdown"])
def test_a_stream_closed_from_another_thread(how: str) -> None:
    with raw_server(silent("body")) as address, Client(endpoint(address)) as client, client.stream(**ASK) as stream:
        threading.Timer(0.1, getattr(stream, how)).start()
        with pytest.raises(LocalProtocolError, match="given up"):
            for _ in stream:
                pass
        assert client._inner._session.pool.taken == 0
        assert stream.message is not None


def test_one_thread_at_a_time() -> None:
    with raw_server(silent("body")) as address, Client(endpoint(address)) as client, client.stream(**ASK) as stream:
        list(zip(range(2), stream, strict=False))

        def read() -> None:
            with pytest.raises(LocalProtocolError, match="given up"):
                stream.final_message()

        reader = threading.Thread(target=read)
        reader.start()
        time.sleep(0.1)
        with pytest.raises(LocalProtocolError, match="one task at a time"):
            stream.final_message()
        stream.shutdown()
        reader.join(5)
        assert not reader.is_alive()


def test_deadlines_and_retries() -> None:
    with raw_server(silent("head")) as address, Client(endpoint(address), timeouts=Timeouts(first_byte=0.1)) as client:
        with pytest.raises(DeadlineError) as caught:
            client.create(**ASK)
        assert caught.value.deadline == "first_byte"
    answers = [Answer.error(529, "busy"), Answer.stream(HELLO), Answer.error(529, "busy")]
    retry = RetryPolicy(initial=0.01)
    with serve_in_thread(ReplayServer(answers)) as where, Client(endpoint(where), retry=retry) as client:
        assert client.create(**ASK).text == "Hello, how are you?"
    with (
        serve_in_thread(ReplayServer(answers[2:])) as where,
        Client(endpoint(where), retry=ONCE) as client,
        pytest.raises(OverloadedError),
    ):
        client.create(**ASK)


def test_a_forgotten_stream_gives_its_place_back() -> None:
    numbers = itertools.count()

    def handler(connection: socket.socket) -> None:
        if next(numbers):
            read_request(connection)
            connection.sendall(GOOD)
        else:
            silent("body")(connection)

    with raw_server(handler) as address, Client(endpoint(address), max_connections=1) as client:
        stream = client.stream(**ASK)
        stream.__enter__()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del stream
            gc.collect()
        assert [each.category for each in caught] == [ResourceWarning]
        assert client.create(**ASK).text == "Hello"


def test_a_forgotten_client_is_named_with_what_it_has() -> None:
    def handler(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(GOOD)
        connection.recv(1)

    with raw_server(handler) as address:
        client = Client(endpoint(address))
        client.create(**ASK)
        shown = repr(client)
        assert shown.startswith("<sansio_claude.sync.Client ")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del client
            gc.collect()
        assert [str(each.message) for each in caught] == [f"unclosed {shown}: call close() or use with"]


@dataclasses.dataclass
class City:
    name: str


def test_tools_run_in_threads_at_once() -> None:
    both = threading.Barrier(2)
    threads: set[str] = set()

    def meet(number: int) -> str:
        """Meet the other one."""
        both.wait(10)
        threads.add(threading.current_thread().name)
        return f"met {number}"

    uses = [{"type": "tool_use", "id": f"t{n}", "name": "meet", "input": {"number": n}} for n in (1, 2)]
    answers = [Answer.stream(compose(uses, seed=2)), Answer.stream(HELLO)]
    with (
        serve_in_thread(ReplayServer(answers)) as address,
        Client(endpoint(address)) as client,
        client.run(tools=[meet], **ASK) as run,
    ):
        assert {turn for turn, _ in run} == {1, 2}
        assert run.message is not None
        assert run.message.text == "Hello, how are you?"
        assert [block["content"] for block in run.history[2]["content"]] == ["met 1", "met 2"]
    assert threading.current_thread().name not in threads


def test_extract() -> None:
    answer = compose([{"type": "tool_use", "id": "t", "name": "give_answer", "input": {"name": "Paris"}}], seed=3)
    server = ReplayServer([Answer.stream(answer)], cycle=True)
    with serve_in_thread(server) as address, Client(endpoint(address)) as client:
        assert client.extract(City, structured=False, **ASK) == City("Paris")
        with client.extraction(City, structured=False, **ASK) as extraction:
            partial = list(extraction)
        assert extraction.value == City("Paris")
        assert partial[-1] == {"name": "Paris"}


def test_what_suspends_fails_loudly() -> None:
    class Suspends:
        def __await__(self) -> Any:
            yield

    async def waits() -> None:
        await Suspends()

    with pytest.raises(LocalProtocolError, match="event loop"):
        finish(waits())

    async def gives() -> int:
        return 7

    assert finish(gives()) == 7


def test_a_wakeup_that_is_set_before_the_wait() -> None:
    wakeup = Wakeup()
    assert not finish(wakeup.wait(time.monotonic() + 0.01))
    threading.Thread(target=wakeup.set).start()
    assert finish(wakeup.wait(float("inf")))
    assert finish(wakeup.wait(float("inf")))
