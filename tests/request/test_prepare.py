"""A whole request for another HTTP library, and tokens that a function gives."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude._errors import LocalProtocolError
from sansio_claude._request.catalog import ModelRequest, ModelsRequest
from sansio_claude._request.credentials import Auth, authorizer
from sansio_claude._request.endpoint import Endpoint
from sansio_claude._request.request import MessageRequest

KEY = "sk-ant-TOPSECRET"
HI = MessageRequest(model="m", max_tokens=1, messages=[{"role": "user", "content": "Hello"}], betas=["b-1"])


@pytest.mark.parametrize("stream", [None, True, False])
def test_it_is_what_the_client_sends(stream: bool | None) -> None:
    endpoint = Endpoint.from_base_url("https://h/p?tenant=1", api_key=KEY, headers={"x-own": "yes"}, betas=["b-0"])
    request = HI.replace(extra_query={"a": "b c"})
    prepared, head = endpoint.prepare(request, stream=stream), endpoint.request_head(request)
    assert prepared.method == "POST"
    assert prepared.url == "https://h/p/v1/messages?tenant=1&a=b%20c"
    assert prepared.url.endswith(head.target.decode())
    assert {"host": "h", **prepared.headers} == {name.decode(): value.decode() for name, value in head.headers}
    assert prepared.headers["anthropic-beta"] == "b-0,b-1"
    assert json.loads(prepared.content).get("stream") is (True if stream else None)


@pytest.mark.parametrize(
    ("request_", "url"),
    [(ModelsRequest(limit=3), "https://h/v1/models?limit=3"), (ModelRequest(id="a/b"), "https://h/v1/models/a%2Fb")],
)
def test_the_small_calls(request_: Any, url: str) -> None:
    prepared = Endpoint.from_base_url("https://h", api_key=KEY).prepare(request_)
    assert (prepared.method, prepared.url, prepared.content) == ("GET", url, b"")
    assert "content-type" not in prepared.headers


@pytest.mark.parametrize("auth", ["x-api-key", "bearer", "both"])
def test_its_repr_shows_no_secret(auth: Auth) -> None:
    endpoint = Endpoint.from_messages_url(f"https://h/messages?key={KEY}", api_key=KEY, auth=auth)
    shown = repr(endpoint.prepare(HI)) + str(endpoint.prepare(HI))
    assert "TOPSECRET" not in shown
    assert "Hello" not in shown
    assert "POST https://h/messages" in shown


def token() -> str:
    raise AssertionError("nobody is asked before a request is made")


class TestTokens:
    def test_a_function_is_not_asked(self) -> None:
        endpoint = Endpoint.from_base_url("https://h", auth_token=token)
        assert endpoint.request_head(HI).get("authorization") is None
        assert endpoint.secrets == ()
        assert "token" not in repr(endpoint)
        assert endpoint == Endpoint.from_base_url("https://h", auth_token=token)
        with pytest.raises(LocalProtocolError, match="comes from a function"):
            endpoint.prepare(HI)
        assert endpoint.prepare(HI, auth_token=" one\n").headers["authorization"] == "Bearer one"
        own = Endpoint.from_base_url("https://h", auth_token=token, headers={"authorization": "Basic x"})
        assert own.prepare(HI).headers["authorization"] == "Basic x"

    def test_a_function_is_asked_for_each_request_at_once_or_awaited(self) -> None:
        tokens = iter(("one", "two"))

        async def later() -> str:
            return next(tokens)

        head = Endpoint.from_base_url("https://h", auth_token=token).request_head(HI)
        at_once = authorizer(lambda: "now")
        awaited = authorizer(later)
        assert at_once is not None
        assert awaited is not None
        assert at_once(head, b"") == {"authorization": "Bearer now"}
        for wanted in ("one", "two"):
            coroutine: Any = awaited(head, b"")
            with pytest.raises(StopIteration) as ended:
                coroutine.send(None)
            assert ended.value.value == {"authorization": f"Bearer {wanted}"}
        own = head.signed({"authorization": "Basic x"})
        assert awaited(own, b"") == at_once(own, b"") == {}
        assert authorizer("stands") is authorizer(None) is None
        refused: Any = lambda: "a\nb"  # noqa: E731
        signer = authorizer(refused)
        assert signer is not None
        with pytest.raises(LocalProtocolError, match="auth_token"):
            signer(head, b"")

    @pytest.mark.parametrize("auth", ["x-api-key", "both"])
    def test_a_function_cannot_be_sent_as_a_key(self, auth: Auth) -> None:
        with pytest.raises(LocalProtocolError, match="is a function"):
            Endpoint.from_base_url("https://h", auth_token=token, auth=auth)
        both = Endpoint.from_base_url("https://h", auth_token=token, api_key=KEY, auth="both")
        assert (both.api_key, both.auth_token) == (KEY, token)

    @given(st.text(max_size=20))
    def test_nothing_is_injected_by_a_signature(self, value: str) -> None:
        head = Endpoint.from_base_url("https://h", api_key=KEY).request_head(HI)
        try:
            signed = head.signed({"X-Signature": value, "x-api-key": None})
        except LocalProtocolError:
            return
        sent = dict(signed.headers)
        assert b"x-api-key" not in sent
        assert all(byte == 9 or 32 <= byte < 127 for byte in sent[b"x-signature"])
        assert not value.strip(" \t") or value.strip(" \t") in signed.secrets


def test_a_secret_of_the_query_is_one_decoded_too() -> None:
    endpoint = Endpoint.from_messages_url("https://h/messages?key=a%2Fb+c%20%zz".replace("%zz", ""), auth="none")
    assert set(endpoint.secrets) == {"a%2Fb+c%20", "a/b c "}
