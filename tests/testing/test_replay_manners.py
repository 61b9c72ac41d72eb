"""The replay server behaves as a server of the API does: HEAD, lists in headers, ids, pages, request ids, scripts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import anthropic
import h11
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

import sansio_claude.asyncio
import sansio_claude.trio
from sansio_claude._errors import InvalidRequestError
from sansio_claude._request.endpoint import Endpoint
from sansio_claude.testing import (
    Answer,
    Close,
    Receive,
    RecordedRequest,
    ReplayServer,
    compose,
    serve_in_asyncio,
    serve_in_thread,
    serve_in_trio,
)
from tests.testing.test_replay import STREAMED, drive, parsed, request

HELLO = compose("Hello, world!", seed=1)
CUT = compose(
    [{"type": "tool_use", "name": "delete", "input": {"$incomplete_json": '{"path": "/a", "deep": [1, {"b": tr'}}],
    seed=1,
    stop_reason="max_tokens",
)
ASK: dict[str, Any] = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "Hello"}]}
PATHS = ["/", "/health", "/v1/messages", "/v1/messages/count_tokens", "/v1/models", "/v1/models/a", "/v1/models/none"]


@given(
    st.lists(st.tuples(st.sampled_from(PATHS), st.booleans(), st.sampled_from(["", "x-api-key: k\r\n"])), min_size=1)
)
def test_head_is_answered_without_a_body_on_every_path(asked: list[tuple[str, bool, str]]) -> None:
    server = ReplayServer([HELLO], api_key="k", models=["a"])
    connection = server.connect()
    client = h11.Connection(h11.CLIENT)
    for path, plain, key in asked:
        method = "GET" if plain else "HEAD"
        connection.receive_data(f"{method} {path} HTTP/1.1\r\nhost: x\r\n{key}\r\n".encode())
        client.send(h11.Request(method=method, target=path, headers=[("host", "x")]))
        client.send(h11.EndOfMessage())
        client.receive_data(b"".join(drive(connection)[0]))
        head = client.next_event()
        assert isinstance(head, h11.Response)
        body = b""
        while isinstance(event := client.next_event(), h11.Data):
            body += bytes(event.data)
        assert isinstance(event, h11.EndOfMessage)
        assert bool(body) == plain
        # Nothing is left over for the next answer: it would be taken for the head of it.
        assert client.trailing_data == (b"", False)
        client.start_next_cycle()


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none(status: int) -> None:
    answer = Answer(pieces=(b"x",), status=status, framing="length")
    head, body = parsed(ReplayServer([answer]).reply_to(STREAMED))
    assert (head.status_code, body) == (status, b"")


@pytest.mark.parametrize(
    ("version", "headers", "kept"),
    [
        ("1.1", "", True),
        ("1.1", "connection: te, Close\r\n", False),
        ("1.1", "connection: te\r\nconnection: close\r\n", False),
        ("1.1", "connection: closed, keep-alive\r\n", True),
        ("1.1", "connection: , ,CLOSE ,\r\n", False),
        ("1.0", "", False),
        ("1.0", "connection: te, keep-alive\r\n", True),
        ("1.0", "connection: keep-alive, close\r\n", False),
    ],
)
def test_the_connection_header_is_a_list(version: str, headers: str, kept: bool) -> None:
    connection = ReplayServer([Answer.json({})]).connect()
    connection.receive_data(request(body={}, headers=headers, version=version))
    writes, _, last = drive(connection)
    assert last == (Receive(None) if kept else Close())
    assert (b"connection: close" in writes[0]) == (not kept)
    assert (b"connection: keep-alive" in writes[0]) == (kept and version == "1.0")


def test_an_answers_own_connection_header_counts() -> None:
    connection = ReplayServer([Answer.json({}, headers=[("Connection", "x-a, close")])]).connect()
    connection.receive_data(STREAMED)
    writes, _, last = drive(connection)
    assert last == Close()
    assert writes[0].lower().count(b"connection:") == 1


@pytest.mark.parametrize(("coding", "status"), [("chunked", 200), ("Chunked", 200), ("gzip, chunked", 501)])
def test_the_transfer_encoding_of_a_request(coding: str, status: int) -> None:
    head = f"POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: {coding}\r\n\r\n"
    answer, _ = parsed(ReplayServer([HELLO]).reply_to(head.encode() + b'f\r\n{"stream":true}\r\n0\r\n\r\n'))
    assert answer.status_code == status


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1).filter(lambda name: name.strip("./ ")))
def test_model_ids_are_percent_decoded(name: str) -> None:
    async def ask() -> None:
        async with (
            serve_in_asyncio(ReplayServer([], models=["other", name])) as address,
            sansio_claude.asyncio.Client(Endpoint.from_base_url(address.url, api_key="k")) as client,
        ):
            assert (await client.model(name)).id == name

    asyncio.run(ask())


@given(st.integers(0, 12), st.integers(1, 5), st.booleans())
def test_pages_of_models_are_the_whole_list(count: int, limit: int, backwards: bool) -> None:
    models = [f"model-{number}" for number in range(count)]
    server = ReplayServer([], models=models)
    found: list[str] = []
    cursor = ""
    while True:
        page = json.loads(parsed(server.reply_to(request(f"/v1/models?limit={limit}{cursor}", method="GET")))[1])
        ids = [model["id"] for model in page["data"]]
        assert len(ids) <= limit
        assert (page["first_id"], page["last_id"]) == ((ids[0], ids[-1]) if ids else (None, None))
        found = [*ids, *found] if backwards and cursor else [*found, *ids]
        if not page["has_more"]:
            break
        if backwards and not cursor:
            found, page = [], {"first_id": models[-1]}
        cursor = f"&before_id={page['first_id']}" if backwards else f"&after_id={page['last_id']}"
    if backwards and cursor:
        assert found == models[:-1]
    else:
        assert found == models


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "limit=", "after_id=no", "after_id=a&before_id=a"]
)
def test_what_no_page_can_be_made_of_is_refused(query: str) -> None:
    head, body = parsed(ReplayServer([], models=["a"]).reply_to(request(f"/v1/models?{query}", method="GET")))
    assert head.status_code == 400
    assert json.loads(body)["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("server", "data"),
    [
        (ReplayServer([]), STREAMED),
        (ReplayServer([Answer.error(529)]), STREAMED),
        (ReplayServer([HELLO.with_error(2)]), request(body={})),
        (ReplayServer([HELLO], api_key="k"), STREAMED),
        (ReplayServer([HELLO]), request("/nowhere")),
        (ReplayServer([HELLO]), b"nonsense\r\n\r\n"),
    ],
)
def test_an_error_says_its_request_id_in_head_and_body(server: ReplayServer, data: bytes) -> None:
    head, body = parsed(server.reply_to(data))
    assert dict(head.headers)[b"request-id"] == json.loads(body)["request_id"].encode()


@pytest.mark.parametrize("body", [b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b"{" + b'"a":{' * 50_000])
def test_a_body_that_is_too_deep_is_answered_as_one_that_is_no_json(body: bytes) -> None:
    server = ReplayServer([Answer.json({"fine": True})])
    recorded, answer = server.answer("POST", "/v1/messages", [], body, 1)
    with pytest.raises(ValueError, match="too deeply"):
        recorded.json()
    assert answer.status == 200


def test_an_error_of_the_tests_own_is_left_alone() -> None:
    answer = Answer.json({"error": "odd"}, status=400, headers=[("request-id", "mine")])
    assert json.loads(parsed(ReplayServer([answer]).reply_to(STREAMED))[1]) == {"error": "odd"}


@pytest.mark.parametrize("recorded", [CUT, CUT.data])
def test_a_cut_input_is_what_could_be_read_of_it(recorded: Any) -> None:
    _, body = parsed(ReplayServer([recorded]).reply_to(request(body={})))
    assert json.loads(body)["content"][0]["input"] == {"path": "/a", "deep": [1, {}]}
    assert b"incomplete_json" not in body


@pytest.mark.parametrize("raw", ["", "[1", '"text"', "nonsense"])
def test_an_input_that_is_no_object_is_an_empty_one(raw: str) -> None:
    block = {"type": "tool_use", "name": "f", "input": {"$incomplete_json": raw}}
    _, body = parsed(ReplayServer([compose([block], stop_reason="max_tokens")]).reply_to(request(body={})))
    assert json.loads(body)["content"][0]["input"] == {}


def test_a_script_that_may_be_used_once_says_that_it_is_exhausted() -> None:
    server = ReplayServer([HELLO], once=True)
    assert parsed(server.reply_to(STREAMED))[0].status_code == 200
    head, body = parsed(server.reply_to(STREAMED))
    assert head.status_code == 400
    assert "exhausted" in json.loads(body)["error"]["message"]
    server.script.append(HELLO)
    assert parsed(server.reply_to(STREAMED))[0].status_code == 200


def in_asyncio(server: ReplayServer, block: Callable[[], None]) -> None:
    async def use() -> None:
        async with serve_in_asyncio(server) as address:
            async with sansio_claude.asyncio.Client(Endpoint.from_base_url(address.url, api_key="k")) as client:
                with pytest.raises(InvalidRequestError):
                    await client.create(**ASK)
            block()

    asyncio.run(use())


def in_trio(server: ReplayServer, block: Callable[[], None]) -> None:
    async def use() -> None:
        async with serve_in_trio(server) as address:
            async with sansio_claude.trio.Client(Endpoint.from_base_url(address.url, api_key="k")) as client:
                with pytest.raises(InvalidRequestError):
                    await client.create(**ASK)
            block()

    trio.run(use)


def in_thread(server: ReplayServer, block: Callable[[], None]) -> None:
    with serve_in_thread(server) as address:
        client = anthropic.Anthropic(base_url=address.url, api_key="k")
        with client, pytest.raises(anthropic.BadRequestError):
            client.messages.create(**ASK)
        block()


def nothing() -> None:
    pass


def another() -> None:
    raise ValueError("the block's own")


def interrupted() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("serve", [in_asyncio, in_trio, in_thread])
@pytest.mark.parametrize("block", [nothing, another])
@pytest.mark.parametrize("failure", [AssertionError("not what the test expects"), pytest.fail.Exception("failed")])
def test_what_a_script_raises_reaches_the_test_once_asked(serve: Any, block: Any, failure: BaseException) -> None:
    def check(recorded: RecordedRequest) -> Answer:
        raise failure

    server = ReplayServer([check])
    with pytest.raises(type(failure)) as raised:
        serve(server, block)
    assert raised.value is failure
    assert len(server.requests) == 1


@pytest.mark.parametrize("serve", [in_asyncio, in_trio, in_thread])
def test_an_interrupt_of_the_block_is_not_replaced(serve: Any) -> None:
    def check(recorded: RecordedRequest) -> Answer:
        raise AssertionError

    with pytest.raises(KeyboardInterrupt):
        serve(ReplayServer([check]), interrupted)


def test_without_sockets_it_is_raised_at_once() -> None:
    def check(recorded: RecordedRequest) -> Answer:
        raise AssertionError

    with pytest.raises(AssertionError):
        ReplayServer([check]).reply_to(STREAMED)


def test_the_official_sdk_reads_pages_and_odd_ids() -> None:
    names = ["claude-opus-4@20250514", "us.anthropic.claude-v1:0", "c"]
    server = ReplayServer([], models=names)
    with serve_in_thread(server) as address, anthropic.Anthropic(base_url=address.url, api_key="k") as client:
        assert [model.id for model in client.models.list(limit=2)] == names
        assert [client.models.retrieve(name).id for name in names] == names
        with pytest.raises(anthropic.NotFoundError) as missing:
            client.models.retrieve("d")
    assert missing.value.request_id == missing.value.body["request_id"]  # type: ignore[index]


def test_the_official_sdk_does_not_repeat_an_exhausted_script() -> None:
    server = ReplayServer([HELLO], once=True)
    with serve_in_thread(server) as address, anthropic.Anthropic(base_url=address.url, api_key="k") as client:
        client.messages.create(**ASK)
        with pytest.raises(anthropic.BadRequestError, match="exhausted"):
            client.messages.create(**ASK)
    assert len(server.requests) == 2


def test_the_official_sdk_sees_of_a_cut_input_what_the_api_shows() -> None:
    server = ReplayServer([CUT])
    with serve_in_thread(server) as address, anthropic.Anthropic(base_url=address.url, api_key="k") as client:
        block = client.messages.create(**ASK).content[0]
    assert block.type == "tool_use"
    assert block.input == {"path": "/a", "deep": [1, {}]}
