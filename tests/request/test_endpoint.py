"""Endpoint: where a request goes, how it signs in, and the head it gets."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import attrs
import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sansio_claude
from sansio_claude._errors import LocalProtocolError
from sansio_claude._request.catalog import ModelRequest, ModelsRequest
from sansio_claude._request.endpoint import DEFAULT_VERSION, USER_AGENT, Endpoint, RequestHead
from sansio_claude._request.request import MessageRequest
from sansio_claude.sync import Client

KEY = "sk-ant-TOPSECRET"
HI = MessageRequest(model="claude-opus-5-5", max_tokens=5, messages=[{"role": "user", "content": "hi"}])


def line(head: RequestHead) -> bytes:
    """The head as HTTP, written by h11, which refuses what is illegal."""
    connection = h11.Connection(h11.CLIENT)
    headers = [*head.headers, (b"content-length", b"0")]
    data = connection.send(h11.Request(method=head.method, target=head.target, headers=headers))
    assert data is not None
    return data


def sent(head: RequestHead) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in head.headers}


# --- addresses. The rows are those of the measured table of base addresses, and the two gateways'.

JOINED = [
    ("https://aihubmix.com", "https://aihubmix.com/v1/messages"),
    ("https://aihubmix.com/", "https://aihubmix.com/v1/messages"),
    ("https://aihubmix.com/v1", "https://aihubmix.com/v1/messages"),
    ("https://aihubmix.com/v1/", "https://aihubmix.com/v1/messages"),
    ("https://camel.kr777.top", "https://camel.kr777.top/v1/messages"),
    ("https://api.kr777.top", "https://api.kr777.top/v1/messages"),
    ("https://h/p?x=1", "https://h/p/v1/messages?x=1"),
    ("https://h/anthropic/", "https://h/anthropic/v1/messages"),
    ("https://h/gateway/v1?x=1&y=2", "https://h/gateway/v1/messages?x=1&y=2"),
    ("https://h/v1beta", "https://h/v1beta/v1/messages"),
    ("https://h:8443", "https://h:8443/v1/messages"),
    ("http://localhost:8080", "http://localhost:8080/v1/messages"),
    ("http://[::1]:8080/v1", "http://[::1]:8080/v1/messages"),
]


@pytest.mark.parametrize(("base", "url"), JOINED)
def test_base_addresses_are_joined(base: str, url: str) -> None:
    endpoint = Endpoint.from_base_url(base, api_key=KEY)
    assert endpoint.url == url
    head = endpoint.request_head(HI)
    scheme, _, rest = url.partition("://")
    authority, slash, target = rest.partition("/")
    assert head.target.decode() == slash + target == endpoint.target
    assert sent(head)["host"] == authority
    assert head.headers[0][0] == b"host"
    assert head.tls is (scheme == "https") is (endpoint.scheme == "https")
    assert (head.host, head.port) == (endpoint.host, endpoint.port)
    assert line(head).startswith(b"POST " + head.target + b" HTTP/1.1\r\n")


@pytest.mark.parametrize("base", ["https://api.kr777.top/messages", "https://h/v1/messages/", "https://h/messages?x=1"])
def test_a_base_address_that_is_a_messages_address_is_refused_with_a_hint(base: str) -> None:
    with pytest.raises(LocalProtocolError, match="from_messages_url") as caught:
        Endpoint.from_base_url(base, api_key=KEY)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://api.kr777.top/messages", "https://h/messages?x=1", "https://h/v1/messages/", "https://h/custom"]
)
def test_a_messages_address_is_used_as_it_stands(url: str) -> None:
    endpoint = Endpoint.from_messages_url(url, api_key=KEY)
    assert endpoint.url == url
    assert endpoint.request_head(HI).target.decode() == "/" + url.removeprefix("https://").partition("/")[2]


def test_http_is_for_this_machine_only_unless_allowed() -> None:
    for make in (Endpoint.from_base_url, Endpoint.from_messages_url):
        with pytest.raises(LocalProtocolError, match="allow_http=True"):
            make("http://gateway.example/api", api_key=KEY)
        assert make("http://gateway.example/api", api_key=KEY, allow_http=True).scheme == "http"
        assert make("http://127.0.0.1:8080/api", api_key=KEY).port == 8080


# --- signing in


@pytest.mark.parametrize(
    ("options", "x_api_key", "authorization"),
    [
        ({"api_key": KEY}, KEY, None),
        ({"auth_token": KEY}, None, f"Bearer {KEY}"),
        ({"api_key": "a", "auth_token": "b"}, "a", "Bearer b"),
        ({"api_key": KEY, "auth": "x-api-key"}, KEY, None),
        ({"auth_token": KEY, "auth": "x-api-key"}, KEY, None),
        ({"api_key": KEY, "auth": "bearer"}, None, f"Bearer {KEY}"),
        ({"auth_token": KEY, "auth": "bearer"}, None, f"Bearer {KEY}"),
        ({"api_key": KEY, "auth": "both"}, KEY, f"Bearer {KEY}"),
        ({"auth_token": KEY, "auth": "both"}, KEY, f"Bearer {KEY}"),
        ({"api_key": "a", "auth_token": "b", "auth": "both"}, "a", "Bearer b"),
        ({"api_key": KEY, "auth": "none"}, None, None),
        ({}, None, None),
        ({"headers": {"X-Api-Key": "own"}}, "own", None),
        ({"api_key": KEY, "headers": {"X-API-KEY": None, "authorization": "Basic x"}}, None, "Basic x"),
        ({"api_key": "Bearer KEY"}, "Bearer KEY", None),
    ],
)
def test_how_the_key_is_sent(options: dict[str, Any], x_api_key: str | None, authorization: str | None) -> None:
    for make in (Endpoint.from_base_url, Endpoint.from_messages_url):
        head = make("https://h/x", **options).request_head(HI)
        assert head.get("X-Api-Key") == x_api_key
        assert head.get("authorization") == authorization


def test_headers_that_are_no_mapping_are_refused() -> None:
    for headers in ([1], "x-a: 1"):
        with pytest.raises(LocalProtocolError, match="headers takes a mapping"):
            Endpoint.from_base_url(api_key=KEY, headers=headers)  # type: ignore[arg-type]


def test_an_unknown_way_to_sign_in_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="auth has to be"):
        Endpoint.from_base_url(api_key=KEY, auth="basic")  # type: ignore[arg-type]


def test_a_key_with_a_line_break_is_stripped_and_with_one_inside_refused() -> None:
    assert Endpoint.from_base_url(api_key=f" {KEY}\r\n").request_head(HI).get("x-api-key") == KEY
    make: Any = Endpoint.from_base_url
    for name in ("api_key", "auth_token"):
        with pytest.raises(LocalProtocolError) as caught:
            make(**{name: f"{KEY}\nX-Evil: 1"})
        assert caught.value.path == name
        assert "TOPSECRET" not in str(caught.value)
        with pytest.raises(LocalProtocolError, match="is empty"):
            make(**{name: " \n"})


def test_an_environment_of_any_kind() -> None:
    # As python-dotenv reads a file: a variable without a value is None.
    made: Any = {
        "ANTHROPIC_API_KEY": "k",
        "ANTHROPIC_AUTH_TOKEN": None,
        "ANTHROPIC_BASE_URL": None,
        "HTTPS_PROXY": None,
    }
    assert Endpoint.from_env(made).url == "https://api.anthropic.com/v1/messages"
    assert Client.from_env(made).endpoint.api_key == "k"
    for environ, words in (
        (None, "such as os.environ"),
        ("KEY=1", "such as os.environ"),
        ({"ANTHROPIC_API_KEY": 5}, "an int"),
    ):
        odd: Any = environ
        with pytest.raises(LocalProtocolError, match=words):
            Endpoint.from_env(odd)


def test_the_environment() -> None:
    endpoint = Endpoint.from_env({"ANTHROPIC_API_KEY": f"{KEY}\n"})
    assert endpoint.url == "https://api.anthropic.com/v1/messages"
    assert endpoint.request_head(HI).get("x-api-key") == KEY
    endpoint = Endpoint.from_env({"ANTHROPIC_AUTH_TOKEN": KEY, "ANTHROPIC_BASE_URL": "https://aihubmix.com/v1 "})
    assert endpoint.url == "https://aihubmix.com/v1/messages"
    assert endpoint.request_head(HI).get("authorization") == f"Bearer {KEY}"
    both = Endpoint.from_env({"ANTHROPIC_API_KEY": "a", "ANTHROPIC_AUTH_TOKEN": "b"}, version="2026-10-21", betas=["x"])
    assert (
        sent(both.request_head(HI)).items()
        >= {
            "x-api-key": "a",
            "authorization": "Bearer b",
            "anthropic-version": "2026-10-21",
            "anthropic-beta": "x",
        }.items()
    )


@pytest.mark.parametrize(
    "environ", [{}, {"ANTHROPIC_API_KEY": ""}, {"ANTHROPIC_API_KEY": " ", "ANTHROPIC_AUTH_TOKEN": ""}]
)
def test_an_environment_without_a_key_says_what_to_do(environ: dict[str, str]) -> None:
    with pytest.raises(LocalProtocolError, match="ANTHROPIC_API_KEY"):
        Endpoint.from_env(environ)
    with pytest.raises(LocalProtocolError, match="ANTHROPIC_API_KEY"):
        Endpoint.from_env(environ, headers={"x-tenant": "t"})
    assert Endpoint.from_env(environ, auth="none").secrets == ()
    own = Endpoint.from_env({**environ, "ANTHROPIC_BASE_URL": "http://localhost:1"}, headers={"X-Gateway-Token": "t0"})
    assert own.secrets == ("t0",)


# --- heads


def test_the_head_of_a_request() -> None:
    head = Endpoint.from_base_url(api_key=KEY).request_head(HI)
    assert head.headers == (
        (b"host", b"api.anthropic.com"),
        (b"user-agent", USER_AGENT.encode()),
        (b"accept", b"application/json"),
        (b"accept-encoding", b"identity"),
        (b"content-type", b"application/json"),
        (b"x-api-key", KEY.encode()),
        (b"anthropic-version", DEFAULT_VERSION.encode()),
    )
    assert (head.method, head.host, head.port, head.tls, head.target) == (
        b"POST",
        "api.anthropic.com",
        443,
        True,
        b"/v1/messages",
    )
    assert head.get("anthropic-beta") is None
    assert head.get("nö") is None


def test_the_user_agent_names_this_version() -> None:
    assert f"sansio-claude/{sansio_claude.__version__}" == USER_AGENT


def test_beta_flags_of_all_places_are_merged() -> None:
    endpoint = Endpoint.from_base_url(api_key=KEY, betas=["a", "b"], headers={"anthropic-beta": "c,a"})
    request = HI.replace(betas=["e", "b"], extra_headers={"Anthropic-Beta": "f, e"})
    head = endpoint.request_head(request, betas=["d", "a"], headers={"anthropic-beta": "g"})
    assert head.get("anthropic-beta") == "a,b,c,d,g,e,f"
    assert [name for name, _ in head.headers].count(b"anthropic-beta") == 1
    assert endpoint.request_head(HI.replace(extra_headers={"anthropic-beta": None})).get("anthropic-beta") == "a,b,c"


def test_the_later_header_counts_and_none_takes_one_away() -> None:
    endpoint = Endpoint.from_base_url(api_key=KEY, headers={"X-A": "1", "X-B": "1", "X-C": "1", "accept": None})
    request = HI.replace(
        extra_headers={"x-c": "3", "x-d": "", "USER-AGENT": "mine"}, workspace_id="w", user_profile_id="u"
    )
    fields = sent(endpoint.request_head(request, headers={"x-B": "2", "X-c": "2"}))
    assert (fields["x-a"], fields["x-b"], fields["x-c"], fields["x-d"]) == ("1", "2", "3", "")
    assert "accept" not in fields
    assert fields["user-agent"] == "mine"
    assert fields["anthropic-workspace-id"] == "w"
    assert fields["anthropic-user-profile-id"] == "u"


def test_small_calls_go_next_to_the_messages() -> None:
    endpoint = Endpoint.from_base_url("https://h/api?x=1", api_key=KEY)
    count = endpoint.request_head(HI.replace(extra_query={"q": "a b"}).count_tokens())
    assert (count.method, count.target) == (b"POST", b"/api/v1/messages/count_tokens?x=1&q=a%20b")
    models = endpoint.request_head(ModelsRequest(limit=5, after_id="a/b"))
    assert (models.method, models.target) == (b"GET", b"/api/v1/models?x=1&limit=5&after_id=a%2Fb")
    assert models.get("content-type") is None
    assert models.get("x-api-key") == KEY
    direct = Endpoint.from_messages_url("https://api.kr777.top/messages/", api_key=KEY)
    assert direct.request_head(HI.count_tokens()).target == b"/messages/count_tokens"
    assert direct.request_head(ModelRequest(id="claude-opus-5-5")).target == b"/models/claude-opus-5-5"
    assert direct.request_head(HI.replace(extra_query={"beta": "true"})).target == b"/messages/?beta=true"


@pytest.mark.parametrize("request_", [HI.count_tokens(), ModelsRequest(), ModelRequest(id="m")])
def test_small_calls_at_an_address_that_does_not_tell_where_they_are(request_: Any) -> None:
    endpoint = Endpoint.from_messages_url("https://h/custom", api_key=KEY)
    with pytest.raises(LocalProtocolError, match="does not end in /messages"):
        endpoint.request_head(request_)


# --- secrets


def test_no_key_shows() -> None:
    endpoint = Endpoint.from_messages_url(
        f"https://h/messages?api_key={KEY}",
        api_key=KEY,
        auth_token=KEY + "2",
        headers={"X-Tenant-Token": KEY + "3", "x-tenant": "t"},
    )
    head = endpoint.request_head(HI.replace(mcp_servers=[{"authorization_token": KEY + "4"}]))
    shown = f"{endpoint!r} {endpoint} {head!r} {head} {endpoint.address!r}"
    assert "TOPSECRET" not in shown
    assert set(endpoint.secrets) == {KEY, KEY + "2", KEY + "3"}
    assert set(head.secrets) == {KEY, KEY + "2", f"Bearer {KEY}2", KEY + "3", KEY + "4"}


def test_endpoints_are_values() -> None:
    endpoint = Endpoint.from_base_url("https://h", api_key=KEY, betas=["a"], headers={"X-A": "1"})
    same = Endpoint.from_base_url("https://h/", api_key=KEY, betas=["a", "a"], headers={"x-a": "1"})
    assert endpoint == same == copy.deepcopy(endpoint) == pickle.loads(pickle.dumps(endpoint))
    assert hash(endpoint) == hash(same)
    assert endpoint != attrs.evolve(endpoint, api_key="other")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        endpoint.version = "x"  # type: ignore[misc]


@pytest.mark.parametrize(
    "change", [{"betas": ["a\nb"]}, {"version": "1\n2"}, {"version": ""}, {"headers": {"a": "\n"}}]
)
def test_a_changed_endpoint_is_checked_too(change: dict[str, Any]) -> None:
    with pytest.raises(LocalProtocolError):
        attrs.evolve(Endpoint.from_base_url(api_key=KEY), **change)


# --- injection


def _head_of(**options: Any) -> RequestHead:
    client = {name: options.pop(name) for name in ("client_betas", "client_headers") if name in options}
    own = {name: options.pop(name) for name in list(options) if name in attrs.fields_dict(MessageRequest)}
    url = options.pop("url", "https://h")
    return Endpoint.from_base_url(url, **options).request_head(
        HI.replace(**own), betas=client.get("client_betas"), headers=client.get("client_headers")
    )


@given(
    st.sampled_from(["api_key", "auth_token", "version", "url", "betas", "headers", "client_betas", "client_headers"])
    | st.sampled_from(
        ["extra_headers", "extra_betas", "workspace_id", "user_profile_id", "extra_query", "header_name"]
    ),
    st.text(max_size=10),
    st.sampled_from(
        ["\r\nX-Evil: 1", "\nX-Evil: 1", "\r", "\x00", " HTTP/1.1\r\nX-Evil: 1\r\n\r\n", "\x0b", "\x85", "\u2028", ""]
    ),
    st.text(max_size=10),
)
def test_nothing_is_injected(place: str, before: str, evil: str, after: str) -> None:
    text = before + evil + after
    options: dict[str, Any] = {"api_key": KEY}
    match place:
        case "betas" | "client_betas":
            options[place] = [text]
        case "extra_betas":
            options["betas"] = []
            options["extra_headers"] = {"anthropic-beta": text}
        case "headers" | "client_headers" | "extra_headers" | "extra_query":
            options[place] = {"x-a": text}
        case "header_name":
            options["extra_headers"] = {text: "1"}
        case "url":
            options[place] = f"https://h/{text}"
        case _:
            options[place] = text
    try:
        head = _head_of(**options)
    except LocalProtocolError:
        return
    data = line(head)
    lines = data.removesuffix(b"\r\n\r\n").split(b"\r\n")
    assert len(lines) == len(head.headers) + 2
    assert not any(name == b"x-evil" for name, _ in head.headers)
    assert all(byte == 9 or 32 <= byte < 127 for row in lines for byte in row)
    assert lines[0].count(b" ") == 2


def test_an_address_is_no_text() -> None:
    with pytest.raises(LocalProtocolError, match=r"from_base_url\(\.\.\.\) or from_messages_url"):
        Endpoint(address="https://api.test")  # type: ignore[arg-type]
