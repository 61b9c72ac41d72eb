"""Mistakes of the caller, and callers that are cancelled."""

from __future__ import annotations

from typing import Any

from sansio_claude._errors import LocalProtocolError
from tests.adapters.runtimes import Runtime
from tests.certificates import server_context
from tests.faults.case import ASK, case
from tests.faults.cases_reuse import one_before
from tests.faults.cases_silence import full_queue
from tests.faults.pieces import EVENTS, FINE, GOOD, HEAD, PING, chunk, error, events, gz, head
from tests.faults.server import DEAF, FLOW, HOLD, RAW, READ, TLS, TUNNEL

UNSENT: dict[str, Any] = {"off": 0, "tries": 0, "then": False, "error": LocalProtocolError}


def mistake(name: str, *, want: str = "protocol", **more: Any) -> None:
    """Refused before anything is sent."""
    case(name, want, [READ, GOOD], **{**UNSENT, **more})


KEY = "sk-ant-secret-key-4711"
mistake("key_crlf", key=f"{KEY}\r\nx-evil: 1")
mistake("key_lf", key=f"{KEY}\nx-evil: 1")
mistake("key_cr", key=f"{KEY}\rx-evil: 1")
mistake("key_nonascii", key=f"{KEY}ä")
mistake("key_wide", key=f"{KEY}\u4e2d")
mistake("key_surrogate", key=f"{KEY}\ud800")
mistake("key_nul", key=f"{KEY}\0")
mistake("key_control", key=f"{KEY}\x7f")
mistake("key_empty", key="")
mistake("key_space", key="   ")
case("key_newline_behind", "ok", [READ, GOOD], key=f"{KEY}\n")


def asked(name: str, **more: Any) -> None:
    mistake(name, ask=more)


asked("beta_crlf", betas=["a\r\nx-evil: 1"])
asked("beta_nul", betas=["a\0"])
asked("beta_nonascii", betas=["ä"])
asked("header_crlf", extra_headers={"x-a": "b\r\nx-evil: 1"})
asked("header_lf", extra_headers={"x-a": "b\nc"})
asked("header_nul", extra_headers={"x-a": "b\0c"})
asked("header_name_crlf", extra_headers={"x-a\r\nx-evil": "b"})
asked("header_name_colon", extra_headers={"x-a: b": "c"})
asked("header_name_empty", extra_headers={"": "c"})
asked("header_name_nonascii", extra_headers={"x-ä": "c"})
asked("header_value_wide", extra_headers={"x-a": "\u4e2d"})
asked("header_length", extra_headers={"content-length": "3"})
asked("header_transfer_encoding", extra_headers={"transfer-encoding": "chunked"})
asked("req_surrogate", messages=[{"role": "user", "content": "a\ud800"}])
asked("req_surrogate_key", metadata={"\udfff": "x"})
asked("req_nan", temperature=float("nan"))
asked("req_infinity", temperature=float("-inf"))
asked("req_nan_deep", messages=[{"role": "user", "content": [{"type": "text", "text": "x", "n": [float("nan")]}]}])
asked("req_bytes", messages=[{"role": "user", "content": b"\xff"}])
asked("req_object", messages=[{"role": "user", "content": object()}])


def _loop() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


def _deep() -> Any:
    value: Any = "x"
    for _ in range(100_000):
        value = [value]
    return value


asked("req_recursive", messages=_loop())
asked("req_deep", messages=[{"role": "user", "content": _deep()}])
asked("req_unknown", unknown_argument=1)
mistake("url_no_scheme", url="127.0.0.1")
mistake("url_ftp", url="ftp://127.0.0.1")
mistake("url_crlf", url="http://127.0.0.1/a\r\nx: y")
mistake("url_space", url="http://127.0.0.1/a b")
mistake("url_userinfo", url="http://user:pw@127.0.0.1")
mistake("url_port", url="http://127.0.0.1:99999")
mistake("url_http_remote", url="http://example.com")
mistake("url_empty", url="")
mistake("client_max_connections", client={"max_connections": 0})


# Cancellation: the socket is closed, the places are kept, the next request works

SERVER = TLS(server_context("127.0.0.1"))
BIG: dict[str, Any] = {"messages": [{"role": "user", "content": "x" * 12_000_000}]}


def cancelled(name: str, *steps: Any, **more: Any) -> None:
    case(f"cancel_{name}", "cancelled", [*steps], **{"cancel": 0.02, "client": {"max_connections": 1}, **more})


def proxied(**more: Any) -> dict[str, Any]:
    return {
        "client": lambda site: {"proxy": f"http://127.0.0.1:{site.port}", "max_connections": 1},
        "tls": True,
        "url": "https://api.test",
        "off": 0,
        "then": False,
        **more,
    }


cancelled("write", DEAF, ask=BIG, off=0, site={"buffer": 4096})
cancelled("connect", HOLD, peer=full_queue, off=0, then=False)
cancelled("headers", READ, HOLD)
cancelled("half_head", READ, HEAD[:30], HOLD)
cancelled("after_100", READ, b"HTTP/1.1 100 Continue\r\n\r\n", HOLD)
cancelled("stream", READ, HEAD + chunk(events(*EVENTS[:3])), HOLD)
cancelled("stream_create", READ, HEAD + chunk(events(*EVENTS[:3])), HOLD, how="message")
cancelled("whole", READ, HEAD, HOLD, how="whole")
cancelled("refusal", READ, error(400, "invalid_request_error")[:-9], HOLD)
cancelled("tls", HOLD, tls=True, off=0, then=False)
cancelled("stream_tls", SERVER, READ, HEAD + chunk(events(*EVENTS[:3])), HOLD, tls=True)
cancelled("headers_tls", SERVER, READ, HOLD, tls=True)
cancelled("proxy", HOLD, **proxied())
cancelled("proxy_tls", TUNNEL, HOLD, **proxied())
PATIENT: dict[str, Any] = {"initial": 30.0, "ceiling": 30.0}
case(
    "cancel_backoff",
    "cancelled|api",
    [READ, error(529, "overloaded_error")],
    retry=PATIENT,
    cancel=0.05,
    tries=1,
    client={"max_connections": 1},
)
case(
    "cancel_retry_after",
    "cancelled|api",
    [READ, error(529, "overloaded_error", "retry-after: 30")],
    retry={"longest": 60.0},
    cancel=0.05,
    tries=1,
    client={"max_connections": 1},
)


async def storm(client: Any, runtime: Runtime) -> None:
    async def one() -> None:
        async with runtime.move_on_after(0.05):
            await client.create(**ASK)

    await runtime.gather(*[one] * 20)
    pool = client._session.pool
    assert (pool.taken, pool.waiting) == (0, 0)


async def pool_wait(client: Any, runtime: Runtime) -> None:
    async with client.stream(**ASK), runtime.move_on_after(0.05):
        await client.create(**ASK)
        raise AssertionError("there was no place for it")


case(
    "cancel_storm",
    "ok",
    [READ, HOLD],
    [READ, HOLD],
    [READ, GOOD],
    prelude=storm,
    cancels=True,
    off=None,
    client={"max_connections": 2},
)
case(
    "cancel_pool",
    "ok",
    [READ, HEAD + chunk(events(*EVENTS[:3])), HOLD],
    [READ, GOOD],
    prelude=pool_wait,
    cancels=True,
    played=1,
    client={"max_connections": 1},
)


# Neighbours of these

case("key_tab", "ok|protocol", [READ, GOOD], key=f"{KEY}\tx", off=None)
mistake("key_line_separator", key=f"{KEY}\u2028x")
mistake("key_bom", key=f"\ufeff{KEY}")
case("key_spaces_around", "ok", [READ, GOOD], key=f"  {KEY}  ")
case("key_quoted", "ok|protocol", [READ, GOOD], key=f'"{KEY}"', off=None)
case("key_long", "ok|protocol", [READ, GOOD], key=KEY * 500, off=None)
asked("beta_lf", betas=["a\nb"])
asked("header_value_cr", extra_headers={"x-a": "b\rc"})
asked("header_value_surrogate", extra_headers={"x-a": "\ud800"})
asked("header_value_number", extra_headers={"x-a": 5})
asked("header_name_space", extra_headers={"x a": "b"})
asked("header_name_number", extra_headers={5: "b"})
asked("header_bytes", extra_headers={"x-a": b"b"})
asked("header_host_crlf", extra_headers={"host": "a\r\nb: c"})
asked("header_auth_crlf", extra_headers={"authorization": f"Bearer {KEY}\r\nx: y"})
asked("req_minus_infinity_deep", metadata={"a": [float("-inf")]})
asked("req_set", metadata={"a": {1, 2}})
asked("req_surrogate_deep", system=[{"type": "text", "text": "\udc00"}])
asked("req_extra_body_nan", extra_body={"x": float("nan")})
asked("req_key_number", metadata={1: {2: object()}})
case("req_query_crlf", "ok|protocol", [READ, GOOD], ask={"extra_query": {"a\r\nx: y": "b\r\n"}}, off=None)
case("req_header_none", "ok", [READ, GOOD], ask={"extra_headers": {"user-agent": None}})
mistake("url_nul", url="http://127.0.0.1/a\0")
mistake("url_backslash", url="http://127.0.0.1\\@evil.example")
mistake("url_tab", url="http://127.0\t.0.1")
mistake("url_port_word", url="http://127.0.0.1:http")
mistake("url_bracket", url="http://[::1")
mistake("client_max_connections_word", client={"max_connections": "many"})
cancelled("mid_event", READ, HEAD + chunk(events(*EVENTS[:3])) + b"40\r\neve", HOLD)
cancelled("pings", READ, HEAD, FLOW(lambda: (each for _ in range(20) for each in (chunk(PING), 0.01))), HOLD)
cancelled("whole_tls", SERVER, READ, HEAD, HOLD, how="whole", tls=True)
cancelled("write_tls", SERVER, DEAF, ask=BIG, off=0, site={"buffer": 4096}, tls=True, then=False)
cancelled("half_tls", RAW(b"\x16\x03\x03\x00\x7a\x02"), HOLD, tls=True, off=0, then=False)
cancelled("proxy_half", b"HTTP/1.1 200 O", HOLD, **proxied())
cancelled(
    "proxy_stream",
    TUNNEL,
    TLS(server_context("api.test")),
    READ,
    HEAD + chunk(events(*EVENTS[:3])),
    HOLD,
    **proxied(off=1),
)
cancelled("reused", READ, FINE, READ, HOLD, prelude=one_before, played=1)
cancelled("gzip", READ, head(200, "content-encoding: gzip") + chunk(gz(events(*EVENTS))[:200]), HOLD)
