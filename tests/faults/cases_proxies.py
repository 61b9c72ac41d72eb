"""Proxies."""

from __future__ import annotations

from typing import Any

from sansio_claude._errors import ProxyError, TLSError
from tests.certificates import server_context
from tests.faults.case import Outcome, case
from tests.faults.cases_reuse import one_before, over
from tests.faults.pieces import EVENTS, FINE, GOOD, HEAD, JSON, PAGE, chunk, events
from tests.faults.server import FIN, FLOW, HOLD, READ, RST, TLS, TUNNEL, Site

BODY = events(*EVENTS)
DEAD = "http://127.0.0.1:1"
LOCAL = TLS(server_context("127.0.0.1"))


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
case(
    "proxy_plain_refused",
    "protocol",
    [TUNNEL, READ, GOOD],
    client=lambda site: {"proxy": through(site)},
    off=0,
    tries=0,
    then=False,
    words="in clear",
)
case("proxy_plain_environment", "ok", [READ, GOOD], client=lambda site: {"proxy": {"http_proxy": DEAD}})

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
proxied(
    "proxy_no_proxy_other_port",
    "connect",
    [READ, GOOD],
    error=ProxyError,
    client={"proxy": {"all_proxy": DEAD, "no_proxy": "api.test:1"}},
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
proxied("proxy_socks4", "protocol", [READ], client={"proxy": "socks4://127.0.0.1:1080"}, off=0, tries=0, words="SOCKS4")
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


# Neighbours of these

proxied(
    "proxy_ok_http10",
    "ok",
    [READ, b"HTTP/1.0 200 Connection established\r\n\r\n", API, READ, GOOD],
    tries=2,
    off=2,
    then=False,
)
proxied("proxy_ok_no_reason", "ok", [READ, b"HTTP/1.1 200\r\n\r\n", API, READ, GOOD], tries=2, off=2, then=False)
proxied("proxy_ok_lf", "ok|connect", [READ, b"HTTP/1.1 200 OK\n\n", API, READ, GOOD], tries=2, off=2, then=False)
proxied("proxy_ok_206", "ok|connect", [READ, b"HTTP/1.1 206 OK\r\n\r\n", API, READ, GOOD], tries=2, off=2, then=False)
proxied(
    "proxy_ok_length",
    "ok|connect",
    [READ, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", API, READ, GOOD],
    tries=2,
    off=2,
    then=False,
)
proxied(
    "proxy_stale",
    "connect",
    [TUNNEL, API, READ, FINE, READ, RST],
    [TUNNEL, API, READ, GOOD],
    prelude=one_before,
    played=1,
    retried=True,
    tries=2,
)
proxied("proxy_desync", "ok", [TUNNEL, API, READ, FINE + FINE], [TUNNEL, API, READ, GOOD], prelude=one_before, played=1)
proxied(
    "proxy_expired",
    "connect",
    [TUNNEL, TLS(server_context("api.test", expired=True)), READ, GOOD],
    off=0,
    tries=0,
    error=TLSError,
    then=False,
)
proxied("proxy_tls_fin", "connect", [TUNNEL, FIN], off=0, tries=0, then=False)
proxied("proxy_answer_rst", "connect", [TUNNEL, API, READ, RST], [TUNNEL, API, READ, GOOD], retried=True, tries=2)
proxied(
    "proxy_answer_429",
    "api",
    [TUNNEL, API, READ, JSON.replace(b"200 Whatever", b"429 No", 1)],
    [TUNNEL, API, READ, GOOD],
    retried=True,
    tries=2,
)
proxied(
    "proxy_socks_environment",
    "connect",
    [READ],
    client={"proxy": {"ALL_PROXY": "socks5h://127.0.0.1:1"}},
    off=0,
    tries=0,
    error=ProxyError,
    then=False,
)
proxied(
    "proxy_bad_environment",
    "protocol",
    [READ],
    client={"proxy": {"https_proxy": "http://127.0.0.1:port"}},
    off=0,
    tries=0,
    words="https_proxy",
)
proxied("proxy_crlf", "protocol", [READ], client={"proxy": "http://127.0.0.1:8080\r\nx: y"}, off=0, tries=0)
proxied("proxy_crlf_host", "protocol", [READ], client={"proxy": "http://a\r\nb:8080"}, off=0, tries=0)
proxied(
    "proxy_crlf_user",
    "connect",
    [READ, FIN],
    client=lambda site: {"proxy": through(site, "us%0d%0aer:pass%0d%0aword@")},
    tries=3,
    error=ProxyError,
    then=False,
)
proxied(
    "proxy_no_name",
    "connect",
    [READ],
    client={"proxy": "http://no-such-proxy.invalid:8080"},
    off=0,
    tries=0,
    error=ProxyError,
    then=False,
)
proxy_answers("proxy_400", b"HTTP/1.1 400 Bad\r\n\r\n", status=400)
proxy_answers("proxy_401", b"HTTP/1.1 401 No\r\n\r\n", status=401)
proxy_answers("proxy_405", b"HTTP/1.1 405 No CONNECT here\r\n\r\n", status=405)
proxy_answers("proxy_408", b"HTTP/1.1 408 Slow\r\n\r\n", status=408, tries=3)
proxy_answers("proxy_429", b"HTTP/1.1 429 Busy\r\n\r\n", status=429, tries=3)
proxy_answers("proxy_504", b"HTTP/1.1 504 Late\r\n\r\n", status=504, tries=3)
proxy_answers("proxy_307", b"HTTP/1.1 307 Go\r\nlocation: http://evil.test/\r\n\r\n", status=307)
proxy_answers("proxy_999", b"HTTP/1.1 999 What\r\n\r\n", status=999, tries=3)
proxy_answers(
    "proxy_502_endless",
    b"HTTP/1.1 502 Bad\r\ncontent-length: 999999999\r\n\r\n",
    FLOW(lambda: (b"x" * 65_536 for _ in range(64))),
    status=502,
    tries=3,
)
proxy_answers("proxy_502_silent", b"HTTP/1.1 502 Bad\r\ncontent-length: 9\r\n\r\n", HOLD, status=502, tries=3)
proxy_answers("proxy_407_silent", b"HTTP/1.1 407 Auth\r\ncontent-length: 9\r\n\r\n", HOLD, status=407)
proxy_answers("proxy_http2", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00")
proxy_answers("proxy_tls_alert", b"\x15\x03\x01\x00\x02\x02\x46")
proxy_answers("proxy_html", b"<html><body>Login</body></html>\r\n\r\n")
proxy_answers("proxy_version", b"HTTP/2 200 OK\r\n\r\n")
proxy_answers("proxy_nul", b"HTTP/1.1 200 O\0K\r\n\r\n")
proxy_answers("proxy_cr", b"HTTP/1.1 200 OK\rx: y\r\n\r\n")
proxy_answers("proxy_rst_mid", b"HTTP/1.1 200 O", 0.02, RST, tries=3)
