"""Options for one call, what a call gives beside its message, listings that page by themselves, on every event loop."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

import sansio_claude.sync
from sansio_claude._call.retry import RetryPolicy
from sansio_claude._call.timeouts import Timeouts
from sansio_claude._client import result
from sansio_claude._errors import LocalProtocolError, RemoteProtocolError, ServerError
from sansio_claude._message.message import Message
from sansio_claude._request.catalog import ModelPage, ModelsRequest
from sansio_claude._request.endpoint import Endpoint
from tests.adapters.runtimes import LOOPS, Runtime, raw_server, read_request
from tests.virtual import MESSAGE, SECRET, STREAM, chunked, frame, head

ASK: dict[str, Any] = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "Hi"}]}
LIMITS = ("anthropic-ratelimit-requests-limit: 50", "anthropic-ratelimit-requests-remaining: 49")
GOOD = head(200, "content-type: text/event-stream", *LIMITS) + chunked(STREAM)
ODD = STREAM.replace(b"event: message_stop", frame("ping").replace(b'{"type": "ping"}', b"") + b"event: message_stop")


@pytest.fixture(params=LOOPS, ids=repr)
def loop(request: pytest.FixtureRequest) -> Runtime:
    runtime: Runtime = request.param
    return runtime


@contextlib.contextmanager
def answering(seen: list[bytes], *answers: bytes, connections: list[int] | None = None) -> Iterator[str]:
    """A server that gives these answers in this order, the last one for ever; its address."""
    left = list(answers)

    def handler(connection: socket.socket) -> None:
        if connections is not None:
            connections.append(1)
        with contextlib.suppress(OSError):
            while request := read_request(connection):
                seen.append(request)
                connection.sendall(left.pop(0) if len(left) > 1 else left[0])

    with raw_server(handler) as (host, port):
        yield f"http://{host}:{port}"


def json_answer(value: Any) -> bytes:
    body = json.dumps(value).encode()
    return head(200, *LIMITS, framing=f"content-length: {len(body)}") + body


class TestWithOptions:
    def test_options_are_of_the_derived_client_and_the_pool_is_shared(self, loop: Runtime) -> None:
        seen: list[bytes] = []
        opened: list[int] = []

        async def main(url: str) -> None:
            endpoint = Endpoint.from_base_url(url, api_key=SECRET)
            async with loop.Client(endpoint, headers={"x-a": "1", "x-b": "2"}, betas=["one"]) as client:
                await client.create(**ASK)
                other = client.with_options(headers={"x-b": "3", "x-c": "4"}, betas=["two"], timeouts=Timeouts(total=9))
                assert type(other) is type(client)
                assert other.endpoint is client.endpoint
                async with other:
                    await other.create(**ASK)
                await other.aclose()
                await other.create(**ASK)
                await other.with_options(headers={"x-c": None}).create(**ASK)
                await client.create(**ASK)
                assert other._session.settings.timeouts.total == 9
                assert client._session.settings.timeouts.total is None
            with pytest.raises(LocalProtocolError, match="closed"):
                await other.create(**ASK)

        with answering(seen, GOOD, connections=opened) as url:
            loop.run(main, url)
        assert len(opened) == 1
        fields = [dict(line.split(b": ", 1) for line in each.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]) for each in seen]
        assert [each.get(b"anthropic-beta") for each in fields] == [b"one", b"one,two", b"one,two", b"one,two", b"one"]
        assert [each.get(b"x-b") for each in fields] == [b"2", b"3", b"3", b"3", b"2"]
        assert [each.get(b"x-c") for each in fields] == [None, b"4", b"4", None, None]

    def test_retries_and_tolerance(self, loop: Runtime) -> None:
        seen: list[bytes] = []

        async def main(url: str) -> None:
            async with loop.Client(Endpoint.from_base_url(url, api_key=SECRET)) as client:
                with pytest.raises(ServerError):
                    await client.with_options(retry=RetryPolicy(max_retries=0)).create(**ASK)
                await client.with_options(tolerance={"skipped": "accept"}).create(**ASK)
                with pytest.raises(RemoteProtocolError):
                    await client.with_options(tolerance={"skipped": "refuse"}).create(**ASK)
                with pytest.raises(LocalProtocolError, match="no kind"):
                    client.with_options(tolerance={"nonsense": "refuse"})
                with pytest.raises(LocalProtocolError, match="no kind"):
                    loop.Client(client.endpoint, tolerance={"nonsense": "refuse"})
                whole = client.with_options(require_message_stop=False)
                assert (await whole.create(**ASK)).stop_reason == "end_turn"

        bad = head(500, framing="content-length: 0")
        odd = head() + chunked(ODD)
        unended = head() + chunked(STREAM[: STREAM.index(b"event: message_stop")])
        with answering(seen, bad, odd, odd, unended) as url:
            loop.run(main, url)

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"timeout": 5}, "client.with_options(timeouts=Timeouts(total=5))"),
            ({"max_retries": 1}, "client.with_options(retry=RetryPolicy(max_retries=1))"),
        ],
    )
    def test_what_other_clients_take_with_a_request(self, loop: Runtime, arguments: Any, words: str) -> None:
        async def main() -> None:
            async with loop.Client(Endpoint.from_base_url("https://api.test", api_key=SECRET)) as client:
                for refused in (client.create, client.count_tokens):
                    with pytest.raises(LocalProtocolError) as caught:
                        await refused(**ASK, **arguments)
                    assert words in str(caught.value)
                with pytest.raises(LocalProtocolError) as caught:
                    client.stream(**ASK, **arguments)
                assert words in str(caught.value)
                for fixed in ("proxy", "ssl_context", "max_connections", "uds"):
                    with pytest.raises(TypeError):
                        client.with_options(**{fixed: None})

        loop.run(main)


def test_from_env(loop: Runtime) -> None:
    made = loop.Client.from_env({"ANTHROPIC_API_KEY": SECRET, "ALL_PROXY": "socks5://127.0.0.1:9"}, betas=["one"])
    assert made.endpoint.api_key == SECRET
    assert made._session.route.proxy.kind == "socks5"
    assert made._session.betas == ["one"]
    own = loop.Client.from_env({"ANTHROPIC_API_KEY": SECRET, "ALL_PROXY": "http://127.0.0.1:9"}, proxy=None)
    assert own._session.route.proxy is None
    there = {"ANTHROPIC_BASE_URL": "http://gateway.test", "HTTP_PROXY": "http://evil.test"}
    other = loop.Client.from_env(there, headers={"authorization": "Basic x"}, allow_http=True)
    assert other._session.route.proxy is None
    assert other.endpoint.url == "http://gateway.test/v1/messages"
    with pytest.raises(LocalProtocolError, match="there is no key"):
        loop.Client.from_env({})


def test_what_a_call_gives_beside_its_message(loop: Runtime) -> None:
    async def main(url: str) -> None:
        async with loop.Client(Endpoint.from_base_url(url, api_key=SECRET)) as client:
            for stream in (True, False):
                message, response = made = await client.create(**ASK, stream=stream, with_response=True)
                assert isinstance(message, Message)
                assert message.request_id == made.request_id == "req_1"
                assert response.status == 200
                assert made.rate_limits.requests.remaining == 49
                assert "request_id" not in message.to_dict()
            assert (await client.create(**ASK, stream=False)).request_id == "req_1"
            async with client.stream(**ASK) as stream:
                assert stream.rate_limits.requests.limit == 50
                assert (await stream.final_message()).request_id == "req_1"

    with answering([], GOOD, json_answer(MESSAGE), json_answer(MESSAGE), GOOD) as url:
        loop.run(main, url)


class TestModels:
    PAGES: ClassVar[list[dict[str, Any]]] = [
        {"data": [{"id": "a"}, {"id": "b"}], "has_more": True, "first_id": "a", "last_id": "b"},
        {"data": [{"id": "c"}], "has_more": True, "first_id": "c", "last_id": "c"},
        {"data": [{"id": "d"}], "has_more": False, "first_id": "d", "last_id": "d"},
    ]

    def test_all_pages(self, loop: Runtime) -> None:
        seen: list[bytes] = []

        async def main(url: str) -> None:
            async with loop.Client(Endpoint.from_base_url(url, api_key=SECRET)) as client:
                page = await client.models()
                assert [model.id for model in page] == ["a", "b", "c", "d"]
                assert len(page) == 4
                assert (page.has_more, page.first_id, page.last_id) == (False, "a", "d")
                assert [model.id async for model in client.models(limit=2)] == ["a", "b", "c", "d"]
                assert [model.id for model in await client.models(limit=2)] == ["a", "b"]

        with answering(seen, *map(json_answer, [*self.PAGES, *self.PAGES, self.PAGES[0]])) as url:
            loop.run(main, url)
        asked = [each.split()[1].partition(b"?")[2] for each in seen]
        assert asked == [
            b"",
            b"after_id=b",
            b"after_id=c",
            b"limit=2",
            b"limit=2&after_id=b",
            b"limit=2&after_id=c",
            b"limit=2",
        ]

    def test_backwards(self, loop: Runtime) -> None:
        seen: list[bytes] = []

        async def main(url: str) -> None:
            async with loop.Client(Endpoint.from_base_url(url, api_key=SECRET)) as client:
                assert [model.id async for model in client.models(before_id="z")] == ["c", "a", "b", "d"]

        with answering(seen, *map(json_answer, [self.PAGES[1], self.PAGES[0], self.PAGES[2]])) as url:
            loop.run(main, url)
        assert [each.split()[1].partition(b"?")[2] for each in seen] == [b"before_id=z", b"before_id=c", b"before_id=a"]

    def test_a_listing_without_end(self, loop: Runtime) -> None:
        async def main(url: str) -> None:
            async with loop.Client(Endpoint.from_base_url(url, api_key=SECRET)) as client:
                with pytest.raises(RemoteProtocolError, match="over and over"):
                    await client.models()
                with pytest.raises(RemoteProtocolError, match="over and over"):
                    [model async for model in client.models()]

        with answering([], json_answer(self.PAGES[0])) as url:
            loop.run(main, url)
        around = [json_answer(page) for page in [*self.PAGES[:2], *self.PAGES[:2], *self.PAGES[:2], self.PAGES[0]]]
        with answering([], *around) as url:
            loop.run(main, url)

    def test_a_listing_with_too_many_pages(self) -> None:
        pages, request = result._Pages(ModelsRequest()), ModelsRequest()

        def page(number: int) -> ModelPage:
            return ModelPage({"data": [], "has_more": True, "last_id": str(number)})

        for number in range(1000):
            assert pages.next(request, page(number)) is not None
        with pytest.raises(RemoteProtocolError, match="more than 1000 pages"):
            pages.next(request, page(1000))


def test_the_blocking_client_has_all_of_it() -> None:
    seen: list[bytes] = []
    opened: list[int] = []
    pages = list(map(json_answer, TestModels.PAGES))
    with answering(seen, GOOD, GOOD, json_answer(MESSAGE), *pages, connections=opened) as url:
        environ = {"ANTHROPIC_API_KEY": SECRET, "ANTHROPIC_BASE_URL": url, "ALL_PROXY": "http://127.0.0.1:1"}
        with sansio_claude.sync.Client.from_env(environ) as client:
            assert client.create(**ASK).request_id == "req_1"
            other = client.with_options(headers={"x-a": "1"}, timeouts=Timeouts(total=9))
            with other:
                made = other.create(**ASK, with_response=True)
            other.shutdown()
            assert made.rate_limits is not None
            message, response = other.create(**ASK, stream=False, with_response=True)
            assert (message.request_id, response.status) == ("req_1", 200)
            assert [model.id for model in client.models()] == ["a", "b", "c", "d"]
            with pytest.raises(LocalProtocolError, match="with_options"):
                client.create(**ASK, timeout=5)  # type: ignore[call-overload]
        with pytest.raises(LocalProtocolError, match="closed"):
            other.create(**ASK)
    assert len(opened) == 1
    assert [b"x-a: 1" in each for each in seen[:3]] == [False, True, True]
