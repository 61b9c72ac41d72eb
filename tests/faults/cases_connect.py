"""Connections that do not come about, TLS, and proxies."""

from __future__ import annotations

import contextlib
import socket
import ssl
import warnings
from collections.abc import Iterator
from typing import Any

from sansio_claude._errors import ConnectError, ProxyError, TLSError
from sansio_claude._tls import create_context
from tests.certificates import server_context
from tests.faults.case import Outcome, case
from tests.faults.cases_reuse import one_before, over
from tests.faults.pieces import EVENTS, FINE, GOOD, HEAD, JSON, PAGE, chunk, events, head
from tests.faults.server import FIN, FLOW, HOLD, NOTIFY, RAW, READ, RST, TLS, TUNNEL, Site
from tests.frames import START

BODY = events(*EVENTS)
LOCAL = TLS(server_context("127.0.0.1"))


@contextlib.contextmanager
def nobody() -> Iterator[tuple[str, int]]:
    """A port that nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()


def bad(name: str, *steps: Any, want: str = "connect", **more: Any) -> None:
    """A fault before any byte of an answer, or of a kind that another attempt would only repeat."""
    case(name, want, [*steps], **more)


NOWHERE: dict[str, Any] = {"off": 0, "tries": 0, "then": False}
bad("conn_refused", HOLD, error=ConnectError, peer=nobody, **NOWHERE)
bad("conn_refused_create", HOLD, error=ConnectError, peer=nobody, how="message", **NOWHERE)
bad("conn_refused_tls", HOLD, error=ConnectError, url="https://127.0.0.1:1", tls=True, **NOWHERE)
bad("conn_dns", HOLD, error=ConnectError, url="https://no-such-host.invalid", tls=True, **NOWHERE)
bad("conn_unreachable", HOLD, error=ConnectError, url="https://255.255.255.255", tls=True, **NOWHERE)
bad("conn_ipv6_refused", HOLD, error=ConnectError, url="http://[::1]:1", **NOWHERE)
bad("conn_long_label", HOLD, want="connect|protocol", url=f"https://{'a' * 64}.example", tls=True, **NOWHERE)
bad("conn_empty_label", HOLD, want="connect|protocol", url="https://a..example", tls=True, **NOWHERE)
bad("conn_rst_accept", RST, want="connect", off=0, then=False)
bad("conn_rst_request", READ, RST, tries=3)
bad("conn_fin_accept", FIN, want="connect", off=0, then=False)
bad("conn_fin_no_answer", READ, FIN, tries=3)
bad("conn_fin_no_answer_create", READ, FIN, tries=3, how="message")
case("conn_rst_then_ok", "connect", [READ, RST], [READ, GOOD], retried=True)
case("conn_fin_then_ok", "connect", [READ, FIN], [READ, GOOD], retried=True)
case("conn_rst_twice_then_ok", "connect", [READ, RST], [READ, RST], [READ, GOOD], retried=True)
case("conn_rst_accept_then_ok", "connect", [RST], [READ, GOOD], retried=True, off=0, tries=1)
case("conn_rst_then_ok_whole", "connect", [READ, RST], [READ, JSON], retried=True, how="whole")
case("conn_rst_after_100", "connect|truncated", [READ, b"HTTP/1.1 100 Continue\r\n\r\n", 0.02, RST], [READ, GOOD])
BIG: dict[str, Any] = {"messages": [{"role": "user", "content": "x" * 8_000_000}]}
bad("conn_rst_while_writing", 0.02, RST, ask=BIG, off=0, then=False, site={"buffer": 4096})
bad("conn_answer_first", JSON.replace(b"200 Whatever", b"400 No", 1), FIN, want="api|protocol", off=0, then=False)


# TLS


def secure(name: str, want: str, *scripts: Any, **more: Any) -> None:
    case(name, want, *scripts, tls=True, **more)


WRONG: dict[str, Any] = {"error": TLSError, "off": 0, "tries": 0, "then": False}
secure("tls_ok", "ok", [LOCAL, READ, GOOD])
secure("tls_ok_reused", "ok", [LOCAL, READ, FINE, READ, GOOD], prelude=one_before, played=1, check=over(1))
secure("tls_ok_bytewise", "ok", [LOCAL, READ, FLOW(lambda: (bytes([byte]) for byte in GOOD))])
secure("tls_ok_no_close_notify", "ok", [LOCAL, READ, GOOD, FIN])
secure("tls_ok_close_notify", "ok", [LOCAL, READ, GOOD, NOTIFY, FIN])
secure("tls_ok_close_delimited", "ok", [LOCAL, READ, head(200, framing=None) + BODY, FIN])
secure("tls_ok_big_request", "ok", [LOCAL, READ, GOOD], ask=BIG)
secure(
    "tls_ok_localhost",
    "ok",
    [TLS(server_context("localhost")), READ, GOOD],
    url=lambda site: f"https://localhost:{site.port}",
)
secure("tls_ok_12", "ok", [LOCAL, READ, GOOD], client=lambda site: {"ssl_context": _at_most(ssl.TLSVersion.TLSv1_2)})
secure("tls_stop_then_rst", "ok", [LOCAL, READ, HEAD + chunk(BODY), 0.02, RST])
secure("tls_desync", "ok", [LOCAL, READ, FINE + FINE], [LOCAL, READ, GOOD], prelude=one_before, played=1)
secure(
    "tls_stale",
    "connect",
    [LOCAL, READ, FINE, READ, RST],
    [LOCAL, READ, GOOD],
    prelude=one_before,
    played=1,
    retried=True,
    tries=2,
)
secure("tls_wrong_host", "connect", [TLS(server_context("other.example")), READ, GOOD], **WRONG, words="certificate")
secure("tls_expired", "connect", [TLS(server_context("127.0.0.1", expired=True)), READ, GOOD], **WRONG, words="expired")
secure("tls_untrusted", "connect", [LOCAL, READ, GOOD], **WRONG, client=lambda site: {"ssl_context": create_context()})
secure(
    "tls_too_old",
    "connect",
    [LOCAL, READ, GOOD],
    **WRONG,
    client=lambda site: {"ssl_context": _at_most(ssl.TLSVersion.TLSv1_1)},
)
secure(
    "tls_plain_answer",
    "connect|protocol",
    [b"HTTP/1.1 400 The plain HTTP request was sent to HTTPS port\r\n\r\n", FIN],
    off=0,
    then=False,
)
secure("tls_garbage", "connect|protocol", [RAW(b"\x00\x01\x02" * 100), FIN], off=0, then=False)
secure("tls_ssh", "connect|protocol", [RAW(b"SSH-2.0-OpenSSH_9.6\r\n"), HOLD], off=0, then=False)
secure("tls_alert", "connect|protocol", [RAW(b"\x15\x03\x03\x00\x02\x02\x28"), FIN], off=0, then=False)
secure("tls_rst_handshake", "connect", [0.02, RST], off=0, then=False)
secure("tls_fin_handshake", "connect", [0.02, FIN], off=0, then=False)
secure("tls_half_handshake", "connect", [RAW(b"\x16\x03\x03\x00\x7a\x02\x00"), FIN], off=0, then=False)
secure("tls_rst_then_ok", "connect", [0.01, RST], [LOCAL, READ, GOOD], retried=True, off=0, tries=1)
secure("tls_rst_request", "connect", [LOCAL, READ, RST], tries=3)
secure("tls_fin_request", "connect", [LOCAL, READ, FIN], tries=3)
secure("tls_close_notify_request", "connect|truncated", [LOCAL, READ, NOTIFY, FIN], tries=3)
secure("tls_plain_after_handshake", "connect", [LOCAL, READ, RAW(GOOD), FIN])
secure("tls_bad_record", "connect|truncated", [LOCAL, READ, HEAD, RAW(b"\x17\x03\x03\x00\x20" + b"x" * 32), FIN])
secure(
    "tls_garbage_mid",
    "connect|truncated",
    [LOCAL, READ, HEAD + chunk(events(START)), RAW(b"garbage garbage garbage"), FIN],
)
case("tls_server_plain_client", "connect|protocol|truncated", [LOCAL, READ, GOOD], off=0, tries=0, then=False)


def _at_most(version: ssl.TLSVersion) -> ssl.SSLContext:
    from tests.certificates import authority

    context = create_context()
    authority().configure_trust(context)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that TLS 1.1 is old is the point
        context.minimum_version = min(context.minimum_version, version)
        context.maximum_version = version
    return context


# Proxies


def through(site: Site, user: str = "") -> str:
    return f"http://{user}127.0.0.1:{site.port}"


def proxied(name: str, want: str, *scripts: Any, **more: Any) -> None:
    more.setdefault("client", lambda site: {"proxy": through(site)})
    case(name, want, *scripts, tls=True, url="https://api.test", **more)


API = TLS(server_context("api.test"))
REFUSED: dict[str, Any] = {"error": ProxyError, "then": False}


def status_is(status: int | None) -> Any:
    def check(outcome: Outcome) -> None:
        assert isinstance(outcome.error, ProxyError)
        assert outcome.error.status == status

    return check


def proxy_answers(
    name: str, data: bytes, *more: Any, status: int | None = None, tries: int | None = None, want: str = "connect"
) -> None:
    proxied(name, want, [READ, data, *(more or (FIN,))], tries=tries, check=status_is(status), **REFUSED)


proxied("proxy_ok", "ok", [TUNNEL, API, READ, GOOD])
proxied("proxy_ok_reused", "ok", [TUNNEL, API, READ, FINE, READ, GOOD], prelude=one_before, played=1, check=over(1))
proxied(
    "proxy_ok_credentials",
    "ok",
    [TUNNEL, API, READ, GOOD],
    client=lambda site: {"proxy": through(site, "user:pass%20word@")},
)
proxied(
    "proxy_ok_environment",
    "ok",
    [TUNNEL, API, READ, GOOD],
    client=lambda site: {"proxy": {"HTTPS_PROXY": through(site)}},
)
proxied(
    "proxy_ok_all",
    "ok",
    [TUNNEL, API, READ, GOOD],
    client=lambda site: {"proxy": {"ALL_PROXY": through(site), "NO_PROXY": "other.test"}},
)
proxied(
    "proxy_ok_slow",
    "ok",
    [READ, FLOW(lambda: (bytes([each]) for each in b"HTTP/1.1 200 OK\r\nvia: x\r\n\r\n")), API, READ, GOOD],
    tries=2,
    off=2,
    then=False,
)
proxied(
    "proxy_ok_103",
    "ok",
    [READ, b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", API, READ, GOOD],
    tries=2,
    off=2,
    then=False,
)
case("proxy_ok_plain", "ok", [TUNNEL, READ, GOOD], client=lambda site: {"proxy": through(site)})
DEAD = "http://127.0.0.1:1"
case("proxy_no_proxy", "ok", [READ, GOOD], client={"proxy": {"http_proxy": DEAD, "NO_PROXY": "localhost,127.0.0.1"}})
case("proxy_no_proxy_star", "ok", [READ, GOOD], client={"proxy": {"http_proxy": DEAD, "no_proxy": "*"}})
case(
    "proxy_no_proxy_network",
    "ok",
    [READ, GOOD],
    client={"proxy": {"all_proxy": DEAD, "no_proxy": "10.0.0.0/8 127.0.0.0/8"}},
)
case(
    "proxy_no_proxy_port",
    "ok",
    [READ, GOOD],
    client=lambda site: {"proxy": {"all_proxy": DEAD, "no_proxy": f"127.0.0.1:{site.port}"}},
)
case(
    "proxy_no_proxy_other_port",
    "connect",
    [READ, GOOD],
    error=ProxyError,
    client={"proxy": {"all_proxy": DEAD, "no_proxy": "127.0.0.1:1"}},
    off=0,
    tries=0,
    then=False,
)
case("proxy_http_env_https", "ok", [LOCAL, READ, GOOD], tls=True, client={"proxy": {"http_proxy": DEAD}})
case("proxy_upper_http_ignored", "ok", [READ, GOOD], client={"proxy": {"HTTP_PROXY": DEAD}})
case("proxy_empty_env", "ok", [READ, GOOD], client={"proxy": {"all_proxy": "", "http_proxy": " "}})
proxy_answers("proxy_407", b"HTTP/1.1 407 Auth\r\nproxy-authenticate: Basic\r\n\r\n", status=407)
proxy_answers("proxy_403", b"HTTP/1.1 403 No\r\n\r\n", status=403)
proxy_answers("proxy_302", b"HTTP/1.1 302 Login\r\nlocation: http://portal.test/\r\n\r\n", status=302)
proxy_answers("proxy_502", b"HTTP/1.1 502 Bad\r\ncontent-type: text/html\r\n\r\n" + PAGE, status=502, tries=3)
proxy_answers("proxy_503", b"HTTP/1.1 503 Busy\r\n\r\n", status=503, tries=3)
proxy_answers("proxy_101", b"HTTP/1.1 101 Switching\r\n\r\n", status=101)
proxy_answers("proxy_garbage", b"\x00\x01garbage\r\n\r\n")
proxy_answers("proxy_socks_answer", b"\x05\xff")
proxy_answers("proxy_bad_status", b"HTTP/1.1 abc OK\r\n\r\n")
proxy_answers("proxy_bad_header", b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n")
proxy_answers("proxy_close", b"", tries=3)
proxy_answers("proxy_close_mid", b"HTTP/1.1 200 O", tries=3)
proxy_answers("proxy_rst", b"", 0.01, RST, tries=3)
proxy_answers("proxy_huge_head", b"HTTP/1.1 200 OK\r\nx: " + b"a" * 1_000_000, want="connect|limit")
proxy_answers(
    "proxy_endless_head",
    b"HTTP/1.1 200 OK\r\n",
    FLOW(lambda: (b"x: y\r\n" * 1000 for _ in range(3_000))),
    want="connect|limit",
)
proxy_answers("proxy_1xx_flood", b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000, want="connect|limit")
proxy_answers("proxy_talks_first", b"HTTP/1.1 200 OK\r\n\r\n" + GOOD)
proxied("proxy_then_rst", "connect", [TUNNEL, 0.01, RST], off=0, tries=0, then=False)
proxied("proxy_then_plain", "connect|protocol", [TUNNEL, 0.05, GOOD], off=0, tries=0, then=False)
proxied("proxy_wrong_certificate", "connect", [TUNNEL, LOCAL, READ, GOOD], off=0, tries=0, error=TLSError, then=False)
proxied(
    "proxy_502_then_ok",
    "connect",
    [READ, b"HTTP/1.1 502 Bad\r\n\r\n", FIN],
    [TUNNEL, API, READ, GOOD],
    retried=True,
    tries=2,
)
proxied("proxy_trunc", "truncated", [TUNNEL, API, READ, HEAD + chunk(events(*EVENTS[:3])), FIN])
proxied("proxy_dead", "connect", [READ], client={"proxy": DEAD}, off=0, tries=0, error=ProxyError, then=False)
proxied("proxy_socks", "protocol", [READ], client={"proxy": "socks5://127.0.0.1:1080"}, off=0, tries=0, words="SOCKS")
proxied(
    "proxy_https",
    "protocol",
    [READ],
    client={"proxy": "https://127.0.0.1:8080"},
    off=0,
    tries=0,
    words="TLS to the proxy",
)
proxied("proxy_bad_url", "protocol", [READ], client={"proxy": "http://[::bad"}, off=0, tries=0)
