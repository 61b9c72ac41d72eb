"""The clients over loopback, each test on every event loop."""

from __future__ import annotations

import gc
import logging
import socket
import time
import warnings
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from sansio_claude._call.retry import RetryPolicy
from sansio_claude._call.timeouts import Timeouts
from sansio_claude._call.trace import TraceEvent
from sansio_claude._errors import (
    ClaudeError,
    ConnectError,
    DeadlineError,
    LocalProtocolError,
    NotFoundError,
    OverloadedError,
    RemoteProtocolError,
    TLSError,
    TransportError,
    TruncatedError,
)
from sansio_claude._limits import Limits
from sansio_claude._message.message import Message
from sansio_claude._request.endpoint import Endpoint
from sansio_claude._request.request import MessageRequest
from sansio_claude.testing import Answer, ReplayServer, Transcript, compose, serve_in_thread
from tests.adapters.runtimes import LOOPS, Runtime, open_files, raw_server, read_request, reset
from tests.certificates import client_context, server_context
from tests.virtual import GOOD, GOOD_HEAD, MESSAGE, OPENING, SECRET, STREAM, chunked, head

ASK: dict[str, Any] = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "Hi, prompt-0815"}]}
HELLO = compose("Hello, how are you?", seed=1)
NO_RETRY = RetryPolicy(max_retries=0)
QUICK = RetryPolicy(max_retries=2, initial=0.001)


@pytest.fixture(params=LOOPS, ids=repr)
def loop(request: pytest.FixtureRequest) -> Runtime:
    runtime: Runtime = request.param
    return runtime


@pytest.fixture(autouse=True)
def _nothing_leaks(loop: Runtime) -> Iterator[None]:
    loop.run(loop.sleep, 0)  # some loops open something once and for all
    before = open_files()
    yield
    assert open_files() <= before


def endpoint(address: Any, scheme: str = "http") -> Endpoint:
    if isinstance(address, tuple):
        return Endpoint.from_base_url(f"{scheme}://{address[0]}:{address[1]}", api_key=SECRET)
    return Endpoint.from_base_url(address.url, api_key=SECRET)


class TestUse:
    def test_events_text_and_message(self, loop: Runtime) -> None:
        async def main(where: Endpoint) -> None:
            async with loop.Client(where) as client:
                async with client.stream(**ASK) as stream:
                    assert stream.response.status == 200
                    assert stream.request_id
                    assert "status 200" in repr(stream)
                    events = [event async for event in stream]
                    assert events[0].type == "message_start"
                    assert events[-1].type == "message_stop"
                    assert [event async for event in stream] == []
                    message = await stream.final_message()
                    assert stream.message is message
                assert message.to_dict() == HELLO.message
                async with client.stream(**ASK) as stream:
                    texts = [text async for text in stream.text()]
                assert "".join(texts) == "Hello, how are you?"
                assert len(texts) > 1
                assert stream.message.to_dict() == HELLO.message
                assert list(stream.deviations) == []
                assert client.endpoint is where
                assert "idle" in repr(client)
            assert "closed" in repr(client)

        server = ReplayServer([HELLO])
        with serve_in_thread(server) as address:
            loop.run(main, endpoint(address))
        assert [request.connection for request in server.requests] == [1, 1]
        assert server.requests[0].json() == {**ASK, "stream": True}
        assert server.requests[0].header("x-api-key") == SECRET

    def test_whole_answers(self, loop: Runtime) -> None:
        async def main(where: Endpoint) -> None:
            async with loop.Client(where) as client:
                message = await client.create(**ASK)
                assert isinstance(message, Message)
                assert message.to_dict() == HELLO.message
                assert (await client.create(**ASK, stream=False)).to_dict() == HELLO.message
                assert (await client.create(MessageRequest(**ASK), max_tokens=11)).to_dict() == HELLO.message
                assert (await client.count_tokens(**ASK)).input_tokens > 0
                page = await client.models(limit=2)
                assert page.models
                assert (await client.model(page.models[0].id)).id == page.models[0].id

        server = ReplayServer([HELLO])
        with serve_in_thread(server) as address:
            loop.run(main, endpoint(address))
        assert [request.json().get("stream") for request in server.requests[:3]] == [True, None, True]
        assert server.requests[2].json()["max_tokens"] == 11
        assert len({request.connection for request in server.requests}) == 1

    def test_partial_input(self, loop: Runtime) -> None:
        tool = compose([{"type": "tool_use", "name": "get", "input": {"city": "Berlin", "days": [1, 2, 3]}}], seed=2)

        async def main(where: Endpoint) -> None:
            async with loop.Client(where) as client, client.stream(**ASK) as stream:
                seen = []
                async for event in stream:
                    if event.type == "content_block_delta":
                        seen.append(stream.partial_input(0).snapshot())
                whole = {"city": "Berlin", "days": [1, 2, 3]}
                assert seen[-1] == whole
                assert (await stream.final_message()).content[0].input == whole

        with serve_in_thread(ReplayServer([Answer.stream(tool, pace=0.002)])) as address:
            loop.run(main, endpoint(address))

    def test_many_at_once(self, loop: Runtime) -> None:
        async def main(where: Endpoint) -> None:
            async with loop.Client(where, max_connections=7) as client:

                async def one() -> str:
                    text: str = (await client.create(**ASK)).text
                    return text

                assert set(await loop.gather(*[one] * 60)) == {"Hello, how are you?"}
                assert client._session.pool.idle <= 7

        server = ReplayServer([HELLO])
        with serve_in_thread(server) as address:
            loop.run(main, endpoint(address))
        assert {request.connection for request in server.requests} <= set(range(1, 8))

    def test_leaving_early_then_again(self, loop: Runtime) -> None:
        async def main(where: Endpoint) -> None:
            async with loop.Client(where, max_connections=1) as client:
                async with client.stream(**ASK) as stream:
                    async for _ in stream:
                        break
                with pytest.raises(LocalProtocolError, match="given up"):
                    await stream.__anext__()
                assert (await client.create(**ASK)).text == "Hello, how are you?"

        with serve_in_thread(ReplayServer([Answer.stream(HELLO, pace=0.005)])) as address:
            loop.run(main, endpoint(address))

    def test_an_error_comes_after_the_events_and_stays(self, loop: Runtime) -> None:
        cut = Answer.stream(b"".join(HELLO.frames[:4]), end="close")

        async def main(where: Endpoint) -> None:
            async with loop.Client(where) as client:
                events = []
                async with client.stream(**ASK) as stream:
                    with pytest.raises(TruncatedError) as caught:  # noqa: PT012
                        async for event in stream:
                            events.append(event)
                    for _ in range(2):
                        with pytest.raises(TruncatedError):
                            await stream.__anext__()
                    with pytest.raises(TruncatedError):
                        await stream.final_message()
                assert len(events) == 4
                assert stream.message is not None
                assert caught.value.partial is not None
                assert caught.value.partial.to_dict() == stream.message.to_dict()
                assert caught.value.request_id

        with serve_in_thread(ReplayServer([cut])) as address:
            loop.run(main, endpoint(address))

    def test_misuse(self, loop: Runtime) -> None:
        async def main(where: Endpoint) -> None:
            client = loop.Client(where)
            stream = client.stream(**ASK)
            assert "not begun" in repr(stream)
            with pytest.raises(LocalProtocolError, match="entered first"):
                await stream.__anext__()
            async with stream:
                with pytest.raises(LocalProtocolError, match="once"):
                    await stream.__aenter__()
            with pytest.raises(LocalProtocolError, match="extra_body"):
                client.stream(**ASK, no_such_argument=1)
            with pytest.raises(LocalProtocolError, match="MessageRequest"):
                client.stream(ASK)
            await client.aclose()
            await client.aclose()
            with pytest.raises(LocalProtocolError, match="closed"):
                await client.create(**ASK)

        with serve_in_thread(ReplayServer([HELLO])) as address:
            loop.run(main, endpoint(address))

    def test_strict_limits_and_retries(self, loop: Runtime) -> None:
        async def main(where: Endpoint) -> None:
            async with loop.Client(where, retry=QUICK) as client:
                assert (await client.create(**ASK)).text == "Hello, how are you?"
            async with loop.Client(where, strict=True) as client:
                with pytest.raises(RemoteProtocolError):
                    await client.create(**ASK)
            async with loop.Client(where, limits=Limits(event=20)) as client:
                with pytest.raises(RemoteProtocolError, match="event"):
                    await client.create(**ASK)

        odd = Answer.stream(b"data: [DONE]\n\n" + HELLO.data)
        script: list[Answer | Transcript] = [Answer.error(529), Answer.error(500), HELLO, odd, HELLO]
        with serve_in_thread(ReplayServer(script)) as address:
            loop.run(main, endpoint(address))

    def test_errors_of_the_api(self, loop: Runtime) -> None:
        async def main(where: Endpoint) -> None:
            async with loop.Client(where, retry=NO_RETRY) as client:
                with pytest.raises(NotFoundError) as caught:
                    async with client.stream(**ASK):
                        pytest.fail("this is not reached")
                assert caught.value.status == 404
                with pytest.raises(OverloadedError):
                    await client.create(**ASK)

        with serve_in_thread(ReplayServer([Answer.error(404, "no model"), Answer.error(529)])) as address:
            loop.run(main, endpoint(address))


class TestTheWire:
    @pytest.mark.parametrize("end", ["close", "reset", "stall"])
    def test_done_means_done(self, loop: Runtime, end: Any) -> None:
        async def main(where: Endpoint) -> None:
            async with loop.Client(where, retry=NO_RETRY) as client:
                for _ in range(2):
                    started = time.monotonic()
                    async with client.stream(**ASK) as stream:
                        assert (await stream.final_message()).text == "Hello, how are you?"
                    assert time.monotonic() - started < 5

        with serve_in_thread(ReplayServer([Answer.stream(HELLO, end=end)])) as address:
            loop.run(main, endpoint(address))

    def test_refused(self, loop: Runtime) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            where = endpoint(free.getsockname())

        async def main() -> None:
            async with loop.Client(where, retry=QUICK) as client:
                with pytest.raises(ConnectError) as caught:
                    await client.create(**ASK)
                assert isinstance(caught.value.__cause__, OSError)
                assert len(caught.value.attempts) == 3

        loop.run(main)

    @pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 63 + "." + "b" * 63 + ".invalid"])
    def test_no_such_host(self, loop: Runtime, host: str) -> None:
        async def main() -> None:
            async with loop.Client(Endpoint.from_base_url(f"https://{host}", api_key=SECRET), retry=NO_RETRY) as client:
                with pytest.raises(ConnectError, match="could not connect"):
                    await client.create(**ASK)

        loop.run(main)

    def test_reset_and_then_good(self, loop: Runtime) -> None:
        seen: list[bytes] = []

        def handler(connection: socket.socket) -> None:
            seen.append(read_request(connection))
            if len(seen) == 1:
                reset(connection)
            else:
                connection.sendall(GOOD)

        async def main(where: Endpoint, retry: RetryPolicy) -> None:
            async with loop.Client(where, retry=retry) as client:
                assert (await client.create(**ASK)).to_dict() == MESSAGE

        with raw_server(handler) as address:
            loop.run(main, endpoint(address), QUICK)
        assert len(seen) == 2
        seen.clear()
        with raw_server(handler) as address, pytest.raises(TransportError):
            loop.run(main, endpoint(address), NO_RETRY)

    def test_a_stale_connection(self, loop: Runtime) -> None:
        connections: list[int] = []

        def handler(connection: socket.socket) -> None:
            connections.append(len(connections))
            read_request(connection)
            connection.sendall(GOOD)  # and then it closes

        async def main(where: Endpoint) -> None:
            async with loop.Client(where, retry=NO_RETRY) as client:
                for _ in range(5):
                    assert (await client.create(**ASK)).to_dict() == MESSAGE
                    await loop.sleep(0.02)

        with raw_server(handler) as address:
            loop.run(main, endpoint(address))
        assert len(connections) == 5

    def test_bytes_of_a_forged_second_answer(self, loop: Runtime) -> None:
        forged = GOOD.replace(b"Hel", b"Bad")

        def handler(connection: socket.socket) -> None:
            while read_request(connection):
                connection.sendall(GOOD)
                time.sleep(0.01)
                connection.sendall(forged)

        async def main(where: Endpoint) -> None:
            async with loop.Client(where, retry=NO_RETRY) as client:
                for _ in range(3):
                    assert (await client.create(**ASK)).text == "Hello"
                    time.sleep(0.05)  # noqa: ASYNC251 - on purpose: the loop must not have had a chance to look

        with raw_server(handler) as address:
            loop.run(main, endpoint(address))

    def test_a_request_that_is_refused_before_it_is_read(self, loop: Runtime) -> None:
        def handler(connection: socket.socket) -> None:
            connection.recv(1000)
            connection.sendall(head(413, "connection: close", framing="content-length: 0"))
            reset(connection)

        async def main(where: Endpoint) -> None:
            big = {**ASK, "messages": [{"role": "user", "content": "x" * 20_000_000}]}
            async with loop.Client(where, retry=NO_RETRY) as client:
                with pytest.raises(ClaudeError):
                    await client.create(**big)

        with raw_server(handler) as address:
            loop.run(main, endpoint(address))

    def test_large_requests_arrive_whole(self, loop: Runtime) -> None:
        seen: list[int] = []

        def handler(connection: socket.socket) -> None:
            time.sleep(0.05)
            seen.append(len(read_request(connection)))
            connection.sendall(GOOD)

        async def main(where: Endpoint) -> None:
            big = {**ASK, "messages": [{"role": "user", "content": "x" * 10_000_000}]}
            async with loop.Client(where, retry=NO_RETRY) as client:
                assert (await client.create(**big)).text == "Hello"

        with raw_server(handler) as address:
            loop.run(main, endpoint(address))
        assert seen[0] > 10_000_000

    def test_a_slow_consumer_stops_the_reading(self, loop: Runtime) -> None:
        sent = [0]

        def handler(connection: socket.socket) -> None:
            read_request(connection)
            connection.sendall(GOOD_HEAD + chunked(*OPENING, last=False))
            piece = chunked(b": " + b"x" * 60_000 + b"\n\n", last=False)
            connection.settimeout(0.5)
            while sent[0] < 100_000_000:
                sent[0] += connection.send(piece)

        async def main(where: Endpoint) -> None:
            async with loop.Client(where, retry=NO_RETRY) as client, client.stream(**ASK) as stream:
                await stream.__anext__()
                await loop.sleep(0.7)

        with raw_server(handler) as address:
            loop.run(main, endpoint(address))
        assert sent[0] < 20_000_000  # what the system's own buffers hold, and a little more


class TestDeadlines:
    def stalls(self, loop: Runtime, name: str, handler: Any, ask: dict[str, Any] = ASK) -> None:
        async def main(where: Endpoint) -> None:
            times = Timeouts(**{name: 0.1})
            async with loop.Client(where, timeouts=times, retry=NO_RETRY) as client:
                started = time.monotonic()
                with pytest.raises(DeadlineError) as caught:
                    await client.create(**ask)
                assert caught.value.deadline == name
                assert 0.09 < time.monotonic() - started < 5

        with raw_server(handler) as address:
            loop.run(main, endpoint(address))

    def test_first_byte(self, loop: Runtime) -> None:
        self.stalls(loop, "first_byte", lambda connection: connection.recv(10**6) and connection.recv(10**6))

    def test_idle_and_progress(self, loop: Runtime) -> None:
        def handler(connection: socket.socket) -> None:
            read_request(connection)
            connection.sendall(GOOD_HEAD + chunked(*OPENING, last=False))
            connection.recv(1)

        for name in ("idle", "progress", "total"):
            self.stalls(loop, name, handler)

    def test_pings_do_not_count(self, loop: Runtime) -> None:
        def handler(connection: socket.socket) -> None:
            read_request(connection)
            connection.sendall(GOOD_HEAD + chunked(*OPENING, last=False))
            for _ in range(200):
                connection.sendall(chunked(b'event: ping\ndata: {"type": "ping"}\n\n', last=False))
                time.sleep(0.02)

        self.stalls(loop, "progress", handler)

    def test_write(self, loop: Runtime) -> None:
        big = {**ASK, "messages": [{"role": "user", "content": "x" * 30_000_000}]}
        self.stalls(loop, "write", lambda connection: time.sleep(1), big)

    def test_pool(self, loop: Runtime) -> None:
        async def main(where: Endpoint) -> None:
            async with loop.Client(where, max_connections=1, timeouts=Timeouts(pool=0.05)) as client:
                async with client.stream(**ASK):
                    with pytest.raises(DeadlineError, match="max_connections"):
                        await client.create(**ASK)
                assert (await client.create(**ASK)).text == "Hello, how are you?"

        with serve_in_thread(ReplayServer([Answer.stream(HELLO, pace=0.02)])) as address:
            loop.run(main, endpoint(address))

    def test_connect(self, loop: Runtime) -> None:
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            fillers = []
            for _ in range(4):  # a full queue: further connections hang
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex(full.getsockname())
                fillers.append(filler)

            async def main(where: Endpoint) -> None:
                async with loop.Client(where, timeouts=Timeouts(connect=0.1), retry=NO_RETRY) as client:
                    with pytest.raises(DeadlineError) as caught:
                        await client.create(**ASK)
                    assert caught.value.deadline == "connect"

            time.sleep(0.05)
            loop.run(main, endpoint(full.getsockname()))
            for filler in fillers:
                filler.close()

    def test_tls(self, loop: Runtime) -> None:
        async def main(where: Endpoint) -> None:
            async with loop.Client(where, timeouts=Timeouts(tls=0.1), retry=NO_RETRY) as client:
                with pytest.raises(DeadlineError) as caught:
                    await client.create(**ASK)
                assert caught.value.deadline == "tls"

        def deaf(connection: socket.socket) -> None:
            connection.recv(10**6)
            time.sleep(0.3)

        with raw_server(deaf) as address:
            loop.run(main, endpoint(address, "https"))


class TestTLS:
    def test_good_and_reused(self, loop: Runtime) -> None:
        async def main(where: Endpoint) -> None:
            async with loop.Client(where, ssl_context=client_context()) as client:
                for _ in range(3):
                    async with client.stream(**ASK) as stream:
                        assert (await stream.final_message()).to_dict() == HELLO.message
                    await loop.sleep(0.01)

        server = ReplayServer([HELLO])
        with serve_in_thread(server, ssl_context=server_context("127.0.0.1")) as address:
            loop.run(main, endpoint(address))
        assert {request.connection for request in server.requests} == {1}

    @pytest.mark.parametrize("trusted", [True, False])
    def test_certificates_are_checked(self, loop: Runtime, trusted: bool) -> None:
        async def main(where: Endpoint) -> None:
            context = client_context() if trusted else None
            async with loop.Client(where, ssl_context=context, retry=QUICK) as client:
                with pytest.raises(TLSError, match="certificate") as caught:
                    await client.create(**ASK)
                assert len(caught.value.attempts) == 1

        with serve_in_thread(ReplayServer([HELLO]), ssl_context=server_context("other.test")) as address:
            loop.run(main, endpoint(address))

    @pytest.mark.parametrize("polite", [True, False])
    def test_whole_answers_and_cut_ones(self, loop: Runtime, polite: bool) -> None:
        answers = [GOOD, head(framing=None) + STREAM[:-80]]

        def handler(connection: socket.socket) -> None:
            with server_context("127.0.0.1").wrap_socket(connection, server_side=True) as secure:
                read_request(secure)
                secure.sendall(answers[number])
                if polite:
                    secure.unwrap()

        async def main(where: Endpoint) -> None:
            async with loop.Client(where, ssl_context=client_context(), retry=NO_RETRY) as client:
                if number == 0:
                    assert (await client.create(**ASK)).to_dict() == MESSAGE
                else:
                    with pytest.raises(TruncatedError):
                        await client.create(**ASK)

        for number in range(2):  # noqa: B007 - the functions above read it
            with raw_server(handler) as address:
                loop.run(main, endpoint(address, "https"))

    def test_a_peer_that_never_answers_close_notify(self, loop: Runtime) -> None:
        def handler(connection: socket.socket) -> None:
            with server_context("127.0.0.1").wrap_socket(connection, server_side=True) as secure:
                read_request(secure)
                secure.sendall(GOOD)
                time.sleep(1)

        async def main(where: Endpoint) -> None:
            started = time.monotonic()
            async with loop.Client(where, ssl_context=client_context()) as client:
                assert (await client.create(**ASK)).text == "Hello"
            assert time.monotonic() - started < 0.9

        with raw_server(handler) as address:
            loop.run(main, endpoint(address, "https"))


class TestProxies:
    def proxy(self, asked: list[bytes], answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> Any:
        def handler(connection: socket.socket) -> None:
            request = read_request(connection)
            asked.append(request)
            connection.sendall(answer)
            if b" 200 " not in answer:
                return
            host, port = request.split()[1].decode().rsplit(":", 1)
            with socket.create_connection((host, int(port))) as server:
                _pump(connection, server)

        return raw_server(handler)

    @pytest.mark.parametrize("secure", [True, False])
    def test_through_a_tunnel(self, loop: Runtime, secure: bool) -> None:
        asked: list[bytes] = []

        async def main(where: Endpoint, proxy: str) -> None:
            async with loop.Client(where, proxy=proxy, ssl_context=client_context()) as client:
                for _ in range(2):
                    assert (await client.create(**ASK)).to_dict() == HELLO.message
            # A proxy of the environment is not asked for this machine.
            environ = {"ALL_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1"}
            async with loop.Client(where, proxy=environ, ssl_context=client_context()) as client:
                assert (await client.create(**ASK)).to_dict() == HELLO.message

        context = server_context("127.0.0.1") if secure else None
        with serve_in_thread(ReplayServer([HELLO]), ssl_context=context) as address, self.proxy(asked) as place:
            where = attrs.evolve(endpoint(address), allow_http=not secure)
            loop.run(main, where, f"http://user:hunter22@{place[0]}:{place[1]}")
        assert len(asked) == 1
        assert b"Proxy-Authorization: Basic dXNlcjpodW50ZXIyMg==" in asked[0]
        assert SECRET.encode() not in asked[0]

    def test_refusal(self, loop: Runtime) -> None:
        async def main(where: Endpoint, proxy: str) -> None:
            async with loop.Client(where, proxy=proxy, retry=NO_RETRY) as client:
                with pytest.raises(TransportError, match="407"):
                    await client.create(**ASK)
            with pytest.raises(LocalProtocolError, match="TLS to the proxy"):
                loop.Client(where, proxy="https://127.0.0.1")

        with self.proxy([], b"HTTP/1.1 407 No\r\n\r\n") as place:
            loop.run(main, Endpoint.from_base_url("https://api.test", api_key=SECRET), f"{place[0]}:{place[1]}")

    def test_plain_http_is_not_shown_to_a_proxy(self, loop: Runtime) -> None:
        asked: list[bytes] = []

        async def main(proxy: str) -> None:
            where = Endpoint.from_base_url("http://localhost:8080", api_key=SECRET)
            async with loop.Client(where, proxy=proxy) as client:
                with pytest.raises(LocalProtocolError, match="in clear"):
                    await client.create(**ASK)
                with pytest.raises(LocalProtocolError, match="in clear"):
                    client.stream(**ASK)

        with self.proxy(asked) as place:
            loop.run(main, f"http://{place[0]}:{place[1]}")
        assert asked == []


# A stream that is never whole, however long the program takes until it drops it.
UNFINISHED = attrs.evolve(Answer.stream(HELLO, end="stall"), pieces=Answer.stream(HELLO).pieces[:3])


class TestForgotten:
    def test_a_stream_that_is_dropped(self, loop: Runtime) -> None:
        async def main(where: Endpoint) -> None:
            client = loop.Client(where, max_connections=1)
            stream = await client.stream(**ASK).__aenter__()
            await stream.__anext__()
            with pytest.warns(ResourceWarning, match="unclosed <sansio_claude"):  # noqa: PT031
                del stream
                gc.collect()
            assert client._session.pool.taken == 0
            await loop.sleep(0.01)
            assert (await client.create(**ASK)).text == "Hello, how are you?"
            await loop.sleep(0.01)
            with pytest.warns(ResourceWarning, match="Client"):  # noqa: PT031
                del client
                gc.collect()
            await loop.sleep(0.01)

        with serve_in_thread(ReplayServer([UNFINISHED, HELLO])) as address:
            loop.run(main, endpoint(address))

    def test_a_stream_that_outlives_its_loop(self, loop: Runtime) -> None:
        kept: list[Any] = []

        async def main(where: Endpoint) -> None:
            client = loop.Client(where)
            kept.append(await client.stream(**ASK).__aenter__())
            kept.append(client)

        with serve_in_thread(ReplayServer([UNFINISHED])) as address:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")  # the loop and its transports complain too
                loop.run(main, endpoint(address))
                kept.clear()
                for _ in range(3):
                    gc.collect()
            assert any("unclosed <sansio_claude" in str(each.message) for each in caught)

    def test_a_client_that_goes_on_in_another_loop(self, loop: Runtime) -> None:
        kept: list[Any] = []

        async def main(where: Endpoint, last: bool) -> None:
            kept.append(kept[0] if kept else loop.Client(where))
            assert (await kept[0].create(**ASK)).text == "Hello, how are you?"
            if last:
                await kept[0].aclose()

        with serve_in_thread(ReplayServer([HELLO])) as address, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of transports that were left open
            loop.run(main, endpoint(address), False)
            loop.run(main, endpoint(address), True)
            kept.clear()
            for _ in range(3):
                gc.collect()

    def test_nothing_is_said_of_what_was_closed(self, loop: Runtime) -> None:
        async def main(where: Endpoint) -> None:
            client = loop.Client(where)
            client.stream(**ASK)
            stream = await client.stream(**ASK).__aenter__()
            await stream.aclose()
            await stream.aclose()
            await client.aclose()

        with serve_in_thread(ReplayServer([HELLO])) as address:
            loop.run(main, endpoint(address))
        gc.collect()


class TestSeen:
    def test_trace_and_log(self, loop: Runtime, caplog: pytest.LogCaptureFixture) -> None:
        told: list[TraceEvent] = []

        async def main(where: Endpoint) -> None:
            async with loop.Client(where, retry=QUICK, trace=told.append) as client:
                await client.create(**ASK)

        name = "sansio_claude.trio" if loop.name == "trio" else "sansio_claude.asyncio"
        with caplog.at_level(logging.DEBUG, "sansio_claude"):
            script: list[Answer | Transcript] = [Answer.error(529, f"not with {SECRET}"), HELLO]
            with serve_in_thread(ReplayServer(script)) as address:
                loop.run(main, endpoint(address))
        assert [event.kind for event in told if event.kind in ("failed", "retry", "done")] == [
            "failed",
            "retry",
            "done",
        ]
        assert {record.name for record in caplog.records if record.name.startswith("sansio")} == {name}
        assert "attempt 2" in caplog.text
        assert SECRET not in caplog.text
        assert "prompt-0815" not in caplog.text
        assert all(SECRET not in repr(event) for event in told)

    def test_a_hook_that_raises_leaves_nothing_open(self, loop: Runtime) -> None:
        def hook(event: TraceEvent) -> None:
            if event.kind == "head":
                raise ZeroDivisionError

        async def main(where: Endpoint) -> None:
            async with loop.Client(where, trace=hook) as client:
                with pytest.raises(ZeroDivisionError):
                    await client.create(**ASK)
                assert client._session.pool.taken == 0

        with serve_in_thread(ReplayServer([HELLO])) as address:
            loop.run(main, endpoint(address))


def _pump(one: socket.socket, other: socket.socket) -> None:
    import select

    while True:
        for source in select.select([one, other], [], [], 20)[0]:
            data = source.recv(65536)
            if not data:
                return
            (other if source is one else one).sendall(data)
