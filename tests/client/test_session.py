"""What the clients of both event loops have in common: settings, heads, arguments."""

from __future__ import annotations

from typing import Any

import pytest

from sansio_claude._call.trace import TraceEvent
from sansio_claude._client.session import Session, message_request
from sansio_claude._errors import LocalProtocolError, ReadError
from sansio_claude._request.catalog import ModelRequest
from sansio_claude._request.endpoint import Endpoint
from sansio_claude._request.request import MessageRequest
from tests.virtual import SECRET

ASK: dict[str, Any] = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "Hi"}]}


def session(watched: bool = False, **options: Any) -> Session:
    defaults: dict[str, Any] = {
        "timeouts": None,
        "retry": None,
        "limits": None,
        "max_connections": 3,
        "proxy": None,
        "strict": False,
        "betas": (),
        "headers": None,
        "chance": lambda: 0.0,
        "wall": lambda: 0.0,
        "trace": lambda event: None,
        "tls": lambda name: pytest.fail("not asked for"),
    }
    endpoint = Endpoint.from_base_url("https://api.test", api_key=SECRET)
    return Session(endpoint, **{**defaults, **options}, watched=lambda: watched)


def head_of(call: Any) -> Any:
    return call._head


def test_requests_that_differ_in_their_bodies_share_a_head() -> None:
    made = session(betas=("one",), headers={"x-team": "a"})
    first = made.call(MessageRequest(**ASK), "stream")
    second = made.call(MessageRequest(**ASK, temperature=0.5), "message")
    assert head_of(first) is head_of(second)
    assert head_of(first).get("anthropic-beta") == "one"
    assert head_of(first).get("x-team") == "a"
    counting = made.call(MessageRequest(**ASK).count_tokens(), "json")
    assert head_of(counting).target.endswith(b"/count_tokens")


@pytest.mark.parametrize(
    "more",
    [{"betas": ["two"]}, {"extra_headers": {"x-a": "b"}}, {"extra_query": {"q": "1"}}, {"workspace_id": "w"}],
)
def test_others_have_their_own(more: dict[str, Any]) -> None:
    made = session()
    plain = made.call(MessageRequest(**ASK), "stream")
    own = made.call(MessageRequest(**ASK, **more), "stream")
    assert head_of(own) != head_of(plain)
    assert head_of(made.call(MessageRequest(**ASK), "stream")) is head_of(plain)
    assert head_of(made.call(ModelRequest(id="m"), "json")).method == b"GET"


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"temperature": 0.5, "metadata": None},
        {"betas": []},
        {"betas": ["two"]},
        {"extra_headers": {}},
        {"extra_headers": {"x-a": None}},
        {"extra_query": {"q": "1"}},
        {"extra_body": {"mcp_servers": [{"authorization_token": "t"}]}},
        {"mcp_servers": [{"authorization_token": "t"}]},
        {"mcp_servers": None},
        {"user_profile_id": "u"},
        {"workspace_id": None},
    ],
)
def test_a_request_that_is_its_body_brings_nothing_beside_it(more: dict[str, Any]) -> None:
    request = MessageRequest(**ASK, **more)
    brings = bool(request.betas or request.headers or request.query or request.secrets)
    assert not (request._only_body and brings)
    assert request._only_body or more


def test_bodies() -> None:
    made = session()
    streamed = made.call(MessageRequest(**ASK), "stream")
    assert b'"stream":true' in streamed._body
    assert b'"stream":true' in made.call(MessageRequest(**ASK), "message")._body
    assert b"stream" not in made.call(MessageRequest(**ASK), "whole")._body


def test_nobody_is_told_what_nobody_hears() -> None:
    assert session().call(MessageRequest(**ASK), "stream")._settings.trace is None
    assert session(watched=True).call(MessageRequest(**ASK), "stream")._settings.trace is not None


def test_the_proxy_is_chosen_once() -> None:
    assert session(proxy="http://proxy.test:1").settings.proxy is not None
    assert session(proxy={"NO_PROXY": "api.test", "HTTPS_PROXY": "proxy.test"}).settings.proxy is None
    assert session(proxy="socks5://proxy.test").settings.proxy is not None
    with pytest.raises(LocalProtocolError):
        session(proxy="ftp://proxy.test")


def test_arguments() -> None:
    assert message_request(None, ASK) == MessageRequest(**ASK)
    request = MessageRequest(**ASK)
    assert message_request(request, {}) == request
    assert message_request(request, {"max_tokens": 2}).max_tokens == 2
    with pytest.raises(LocalProtocolError, match=r"unexpected keyword argument 'maxtokens'.*extra_body"):
        message_request(None, {"maxtokens": 2})
    with pytest.raises(LocalProtocolError, match="extra_body"):
        message_request(request, {"maxtokens": 2})
    with pytest.raises(LocalProtocolError, match="not a dict"):
        message_request(ASK, {})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "attempt 2: failed"),
        ({"status": 529, "request_id": "req_1"}, "attempt 2: failed, status 529, req_1"),
        ({"error": ReadError("broke"), "wait": 0.5}, "attempt 2: failed, ReadError: broke, in 0.500 s"),
    ],
)
def test_a_trace_event_in_one_line(more: dict[str, Any], words: str) -> None:
    assert str(TraceEvent(kind="failed", time=1.0, attempt=2, **more)) == words
