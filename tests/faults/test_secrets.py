"""No exception, log record or warning shows the key, whatever the peer does with it.

Every run of every case is searched for the key and the prompt (`test_matrix`). Here the peer sends both back, at every
place that an answer has. The prompt may then be read where the peer's own words are given as the peer's own, and
nowhere else: not in what the library says itself, nor in a log.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import attrs
import pytest

from sansio_claude._call.retry import RetryPolicy
from sansio_claude._errors import APIError, ClaudeError, RemoteProtocolError
from sansio_claude._request.endpoint import Endpoint
from tests.adapters.runtimes import Runtime
from tests.certificates import server_context
from tests.faults.case import ASK, Case, kind_of, run, secrets_in, watched
from tests.faults.pieces import EVENTS, HEAD, HELLO, KEY, PROMPT, answer, chunk, chunks, error, events, fixed, gz, head
from tests.faults.server import FIN, READ, TLS, FaultServer, Step
from tests.frames import text

ECHO = f"you sent {KEY} and {PROMPT}"
FORMS = (KEY, json.dumps(ECHO), quote(KEY), base64.b64encode(KEY.encode()).decode(), KEY[:-4])
RAW = ECHO.encode()
OPEN = HEAD + chunk(events(*EVENTS[:3]))
FAILURE = {"type": "error", "error": {"type": "overloaded_error", "message": ECHO}}
PROXY_USER = "proxy-user:proxy-password-0815"


def fails(content: bytes, *fields: str, status: int = 400) -> list[Step]:
    return [READ, fixed(content, *fields, status=status)]


def field(name: str, value: str = ECHO, status: int = 400) -> list[Step]:
    return [READ, fixed(b"{}", f"{name}: {value}", status=status)]


ECHOES: dict[str, list[Step]] = {
    "message": [READ, error(400, "invalid_request_error", message=ECHO)],
    "type": [READ, error(400, KEY)],
    "details": fails(json.dumps({"error": {"type": "x", "message": "m", "details": {KEY: [ECHO]}}}).encode()),
    "body_text": fails(RAW),
    "body_html": fails(b"<html><title>" + RAW + b"</title>"),
    "body_array": fails(json.dumps([ECHO]).encode()),
    "body_broken": fails(b'{"error": "' + RAW),
    "body_escaped": fails(json.dumps({"error": {"message": "".join(f"\\u{ord(c):04x}" for c in KEY)}}).encode()),
    "body_gzip": fails(gz(json.dumps({"error": {"message": ECHO}}).encode()), "content-encoding: gzip"),
    "body_long": fails(b"x" * 480 + RAW * 50),
    "body_cut": [READ, head(400, framing="content-length: 9999") + b'{"error": {"message": "' + RAW[:30], FIN],
    "body_at_limit": fails(b"x" * (65_536 - 12) + KEY.encode()),
    "retried": [READ, error(529, "overloaded_error", message=ECHO)],
    "request_id": field("request-id"),
    "x_request_id": field("x-request-id", KEY),
    "retry_after": field("retry-after", status=529),
    "should_retry": field("x-should-retry", status=529),
    "content_encoding": field("content-encoding", status=200),
    "content_type": [READ, head(200, f"content-type: {ECHO}") + chunks(RAW)],
    "cookie": field("set-cookie"),
    "location": [READ, head(307, f"location: https://evil.example/{KEY}?{PROMPT}", framing="content-length: 0")],
    "location_host": [READ, head(307, f"location: https://{KEY}.example/", framing="content-length: 0")],
    "location_user": [READ, head(307, f"location: https://{KEY}@example.com/", framing="content-length: 0")],
    "location_bad": [READ, head(307, f"location: {ECHO}", framing="content-length: 0")],
    "reason": [READ, b"HTTP/1.1 400 " + RAW + b"\r\ncontent-length: 0\r\n\r\n"],
    "status_line": [READ, RAW + b"\r\n\r\n", FIN],
    "status": [READ, b"HTTP/1.1 " + KEY.encode() + b" OK\r\n\r\n", FIN],
    "version": [READ, b"HTTP/" + KEY.encode() + b" 200 OK\r\n\r\n", FIN],
    "header_line": [READ, b"HTTP/1.1 200 OK\r\n" + RAW + b"\r\n\r\n", FIN],
    "header_name": [READ, b"HTTP/1.1 200 OK\r\n" + KEY.encode() + b" : x\r\n\r\n", FIN],
    "header_value": [READ, b"HTTP/1.1 200 OK\r\nx: \0" + RAW + b"\r\n\r\n", FIN],
    "length": [READ, b"HTTP/1.1 200 OK\r\ncontent-length: " + KEY.encode() + b"\r\n\r\n", FIN],
    "transfer_encoding": [READ, head(200, framing=f"transfer-encoding: {KEY}"), FIN],
    "chunk_size": [READ, OPEN + RAW + b"\r\n", FIN],
    "chunk_end": [READ, OPEN + b"3\r\nabc" + RAW + b"\r\n", FIN],
    "trailer": [READ, OPEN + b"0\r\n" + RAW + b"\r\n\r\n", FIN],
    "page": [READ, fixed(b"<html>" + RAW)],
    "not_a_stream": [READ, fixed(RAW)],
    "json": [READ, fixed(json.dumps(ECHO).encode())],
    "json_cut": [READ, fixed(json.dumps({"a": ECHO}).encode()[:-3])],
    "json_object": [READ, fixed(json.dumps({"type": ECHO}).encode())],
    "json_error": [READ, fixed(json.dumps(FAILURE).encode())],
    "event_error": [READ, answer(*EVENTS[:3], FAILURE)],
    "event_error_text": [READ, answer(*EVENTS[:3], b"event: error\ndata: " + RAW + b"\n\n")],
    "event_bad_json": [READ, answer(*EVENTS[:3], b"event: content_block_delta\ndata: " + RAW + b"\n\n")],
    "event_bad_type": [READ, answer(*EVENTS[:3], text([ECHO]))],
    "event_bad_index": [READ, answer(*EVENTS[:3], text("x", ECHO))],
    "event_bad_utf8": [
        READ,
        answer(*EVENTS[:3], b'event: content_block_delta\ndata: {"type": "\xff' + RAW + b'"}\n\n'),
    ],
    "event_cut": [READ, OPEN + chunk(b"event: content_block_delta\ndata: " + RAW), FIN],
    "event_two": [READ, answer(*EVENTS[:3], {**EVENTS[0], "message": {**EVENTS[0]["message"], "id": ECHO}})],
    "gzip_bad": [READ, head(200, "content-encoding: gzip") + chunks(RAW)],
    "tls_plain": [RAW + b"\r\n\r\n", FIN],
    "tls_alert": [TLS(server_context("127.0.0.1")), READ, OPEN + RAW, FIN],
}


@pytest.mark.parametrize("how", ["stream", "message", "whole"])
@pytest.mark.parametrize("name", ECHOES)
@pytest.mark.parametrize("runtime", ["trio", "asyncio"], indirect=True)
@pytest.mark.usefixtures("nothing_left")
def test_a_peer_that_sends_them_back(runtime: Runtime, name: str, how: Any, server: FaultServer) -> None:
    secure = name.startswith("tls")
    case = Case(name=name, want="any", scripts=[ECHOES[name]], how=how, then=False, tls=secure, client={})
    for retries in (False, True):
        outcome = run(case, runtime, server, retries=retries)
        assert isinstance(outcome.error, ClaudeError), outcome
        assert [where for form in FORMS for where in secrets_in(outcome.error, outcome.logged, [form])] == []
        assert secrets_in(None, outcome.logged, [PROMPT]) == []
        assert [where for where in prompt_in(outcome.error) if where not in OWN_WORDS] == []


OWN_WORDS = ("error_message", "body", "details", "excerpt", "request_id", "partial", "attempts", "str", "args")
"""Where the peer's words are given as the peer's."""


def prompt_in(error: ClaudeError) -> list[str]:
    """Where the prompt can be read. In the text of an error only if that is the peer's refusal."""
    found = [name for name, value in vars(error).items() if PROMPT in repr(value)]
    if PROMPT in str(error):
        found.append("str" if isinstance(error, APIError) else "text of " + kind_of(error))
    if isinstance(error, RemoteProtocolError) and PROMPT in f"{error} {error!r}":
        found.append("text of a RemoteProtocolError")
    return found


@pytest.mark.parametrize("runtime", ["trio", "asyncio"], indirect=True)
@pytest.mark.usefixtures("nothing_left")
def test_a_proxy_that_sends_them_back(runtime: Runtime, server: FaultServer) -> None:
    encoded = base64.b64encode(PROXY_USER.encode()).decode()
    for answered in (b"HTTP/1.1 407 ", b"HTTP/1.1 200 OK\r\nx ", b"", b"HTTP/1.1 502 x\r\nx: "):
        script: list[Step] = [READ, answered + f"{PROXY_USER} {encoded} {KEY}\r\n\r\n".encode(), FIN]

        def options(site: Any) -> dict[str, Any]:
            return {"proxy": f"http://{PROXY_USER}@127.0.0.1:{site.port}"}

        case = Case(name="proxy", want="connect", scripts=[script], then=False, tls=True, client=options)
        outcome = run(attrs.evolve(case, url="https://api.test"), runtime, server, retries=True)
        assert outcome.kind == "connect"
        for secret in (KEY, "proxy-password-0815", encoded):
            assert secrets_in(outcome.error, outcome.logged, [secret]) == []


@pytest.mark.parametrize("runtime", ["trio", "asyncio"], indirect=True)
@pytest.mark.parametrize("bad", ["\r\nx: y", "\n\n", "\0", "ä", "\ud800", "\x7f", " x"])
def test_a_key_that_cannot_be_sent(runtime: Runtime, bad: str, server: FaultServer) -> None:
    case = Case(name="key", want="protocol", key=f"{KEY}{bad}{KEY}", then=False)
    outcome = run(case, runtime, server, retries=False)
    assert outcome.kind in ("protocol", "ok")
    assert secrets_in(outcome.error, outcome.logged) == []


@pytest.mark.parametrize(
    "place",
    [
        lambda: ValueError(KEY),
        lambda: _noted(ValueError("x"), KEY),
        lambda: _caused(ValueError("x"), OSError(5, KEY)),
        lambda: _with(RemoteProtocolError("x"), excerpt=PROMPT.encode()),
        lambda: _with(ClaudeError("x"), thing={"a": [PROMPT]}),
    ],
)
def test_the_search_finds_what_is_there(place: Callable[[], BaseException]) -> None:
    assert secrets_in(place())
    assert secrets_in(None, [f"log {KEY}"])
    assert not secrets_in(ValueError(HELLO), [HELLO])


def test_logs_of_any_level_are_looked_at() -> None:
    import logging

    with watched() as lines:
        logging.getLogger("sansio_claude.trio").debug("%s", KEY)
        logging.getLogger("anything").log(1, "quiet")
    assert len(lines) == 2
    assert secrets_in(None, lines) == ["log"]


TOKEN = "token-of-a-gateway-0815"
CARRIERS: dict[str, Callable[[str], tuple[Endpoint, dict[str, Any], dict[str, Any]]]] = {
    "query": lambda url: (Endpoint.from_messages_url(f"{url}/v1/messages?key={TOKEN}", api_key=KEY), {}, {}),
    "extra_query": lambda url: (Endpoint.from_base_url(url, api_key=KEY), {}, {"extra_query": {"api-key": TOKEN}}),
    "authorization": lambda url: (
        Endpoint.from_base_url(url, api_key=KEY),
        {},
        {"extra_headers": {"authorization": f"Bearer {TOKEN}"}},
    ),
    "extra_headers": lambda url: (Endpoint.from_base_url(url, api_key=KEY), {}, {"extra_headers": {"x-token": TOKEN}}),
    "headers": lambda url: (Endpoint.from_base_url(url, api_key=KEY), {"headers": {"x-api-key": TOKEN}}, {}),
    "auth_token": lambda url: (Endpoint.from_base_url(url, auth_token=TOKEN), {}, {}),
    "mcp": lambda url: (
        Endpoint.from_base_url(url, api_key=KEY),
        {},
        {"mcp_servers": [{"type": "url", "url": "https://x.example", "name": "x", "authorization_token": TOKEN}]},
    ),
}


@pytest.mark.parametrize("name", CARRIERS)
@pytest.mark.parametrize("runtime", ["trio", "asyncio"], indirect=True)
@pytest.mark.usefixtures("nothing_left")
def test_every_carrier_of_a_key(runtime: Runtime, name: str, server: FaultServer) -> None:
    """Wherever a key is given, the peer may send it back, and nobody shows it."""
    words = f"you sent {TOKEN}"
    payloads = [
        error(400, "invalid_request_error", message=words),
        answer({"type": "error", "error": {"type": "overloaded_error", "message": words}}),
        head(307, f"location: https://{TOKEN}.example/{TOKEN}", framing="content-length: 0"),
        head(200, f"x-a: {TOKEN}") + chunks(events(*EVENTS[:3])),
        b"HTTP/1.1 200 OK\r\n" + TOKEN.encode() + b"\r\n\r\n",
    ]

    async def main(port: int) -> None:
        endpoint, options, arguments = CARRIERS[name](f"http://127.0.0.1:{port}")
        async with runtime.Client(endpoint, retry=RetryPolicy(max_retries=0), **options) as client:
            for _ in payloads:
                stream = client.stream(**ASK, **arguments)
                with pytest.raises(ClaudeError) as caught:
                    await read(stream)
                assert secrets_in(caught.value, lines, [TOKEN]) == []
                for each in (client, endpoint, stream, stream.response):
                    assert TOKEN not in repr(each)

    with watched() as lines, server.site([[READ, payload] for payload in payloads]) as site:
        runtime.run(main, site.port)
        assert all(TOKEN.encode() in request for request in site.requests)
        assert len(site.requests) == len(payloads)
    assert secrets_in(None, lines, [TOKEN]) == []


async def read(stream: Any) -> None:
    async with stream:
        async for _ in stream:
            pass


def _noted(error: BaseException, note: str) -> BaseException:
    error.add_note(note)
    return error


def _caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


def _with(error: BaseException, **attributes: Any) -> BaseException:
    for name, value in attributes.items():
        setattr(error, name, value)
    return error
