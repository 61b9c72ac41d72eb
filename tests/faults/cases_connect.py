"""Connections that do not come about, and TLS."""

from __future__ import annotations

import contextlib
import socket
import ssl
import warnings
from collections.abc import Iterator
from typing import Any

from sansio_claude._connect.tls import create_context
from sansio_claude._errors import ConnectError, TLSError
from tests.certificates import server_context
from tests.faults.case import case
from tests.faults.cases_reuse import one_before, over
from tests.faults.pieces import EVENTS, FINE, GOOD, HEAD, JSON, chunk, events, head
from tests.faults.server import FIN, FLOW, HOLD, NOTIFY, RAW, READ, RST, TLS
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


# Neighbours of these

bad(
    "conn_fin_mid_write",
    0.02,
    FIN,
    ask=BIG,
    off=0,
    then=False,
    site={"buffer": 4096},
    timeouts={"write": 0.5},
    want="connect|timeout|truncated",
)
bad("conn_port_zero", HOLD, url="http://127.0.0.1:0", want="connect|protocol", **NOWHERE)
bad("conn_localhost_refused", HOLD, error=ConnectError, url="http://localhost:1", **NOWHERE)
bad("conn_underscore", HOLD, url="https://a_b.invalid", want="connect|protocol", tls=True, **NOWHERE)
bad("conn_umlaut", HOLD, url="https://b\u00fccher.invalid", want="connect|protocol", tls=True, **NOWHERE)
bad(
    "conn_long_name",
    HOLD,
    url="https://" + ".".join(["a" * 60] * 5) + ".invalid",
    want="connect|protocol",
    tls=True,
    **NOWHERE,
)
bad("conn_root_dot", HOLD, url="https://no-such-host.invalid.", want="connect|protocol", tls=True, **NOWHERE)
bad("conn_odd_number", HOLD, url="https://300.1.2.3", want="connect|protocol", tls=True, **NOWHERE)
bad("conn_ipv6_tls", HOLD, url="https://[::1]:1", error=ConnectError, tls=True, **NOWHERE)
bad("conn_ipv6_zone", HOLD, url="https://[fe80::1%25nowhere]:1", want="connect|protocol", tls=True, **NOWHERE)
case("conn_localhost", "ok", [READ, GOOD], url=lambda site: f"http://localhost:{site.port}")
case(
    "conn_number_short",
    "ok|protocol|connect",
    [READ, GOOD],
    url=lambda site: f"http://127.1:{site.port}",
    off=None,
    then=False,
)
case("conn_three_ways", "connect", [RST], [READ, FIN], [READ, GOOD], retried=True, off=0, tries=2)
case("conn_rst_then_ok_create", "connect", [READ, RST], [READ, GOOD], retried=True, how="message")
case("conn_fin_then_refusal", "connect|api", [READ, FIN], [READ, JSON.replace(b"200 Whatever", b"400 No", 1)], tries=2)

CLIENT_CERTIFICATE = server_context.__wrapped__("127.0.0.1")
CLIENT_CERTIFICATE.verify_mode = ssl.CERT_REQUIRED
H2_ONLY = server_context.__wrapped__("127.0.0.1")
H2_ONLY.set_alpn_protocols(["h2"])
secure(
    "tls_wants_certificate",
    "connect",
    [TLS(CLIENT_CERTIFICATE), READ, GOOD],
    error=TLSError,
    off=0,
    tries=0,
    then=False,
)
secure("tls_h2_only", "ok|connect|protocol", [TLS(H2_ONLY), READ, GOOD], off=None, then=False)
secure(
    "tls_wrong_host_name",
    "connect",
    [LOCAL, READ, GOOD],
    **WRONG,
    url=lambda site: f"https://localhost:{site.port}",
    words="certificate",
)
secure(
    "tls_expired_create",
    "connect",
    [TLS(server_context("127.0.0.1", expired=True)), READ, GOOD],
    **WRONG,
    how="message",
)
secure(
    "tls_expired_whole", "connect", [TLS(server_context("127.0.0.1", expired=True)), READ, JSON], **WRONG, how="whole"
)
secure(
    "tls_no_checks_asked_for",
    "ok",
    [TLS(server_context("other.example")), READ, GOOD],
    client=lambda site: {"ssl_context": _blind()},
    then=True,
)
secure(
    "tls_context_of_a_server",
    "protocol",
    [LOCAL, READ, GOOD],
    client={"ssl_context": server_context("127.0.0.1")},
    off=0,
    tries=0,
    then=False,
)
secure("tls_large_record", "connect|truncated", [LOCAL, READ, HEAD, RAW(b"\x17\x03\x03\xff\xff" + b"x" * 65_535), FIN])
secure("tls_empty_records", "connect|truncated", [LOCAL, READ, HEAD, RAW(b"\x17\x03\x03\x00\x00" * 100), FIN])
secure(
    "tls_alert_mid",
    "connect|truncated",
    [LOCAL, READ, HEAD + chunk(events(START)), RAW(b"\x15\x03\x03\x00\x02\x02\x28"), FIN],
)
secure(
    "tls_handshake_again", "connect|truncated", [LOCAL, READ, HEAD, RAW(b"\x16\x03\x03\x00\x04\x00\x00\x00\x00"), FIN]
)
secure(
    "tls_second_hello", "connect|protocol", [RAW(b"\x16\x03\x03\x00\x04\x02\x00\x00\x00" * 50), FIN], off=0, then=False
)
secure(
    "tls_huge_handshake",
    "connect|protocol",
    [
        RAW(b"\x16\x03\x03\x40\x00\x02\xff\xff\xff" + b"\0" * 16_380),
        FLOW(lambda: (b"\x16\x03\x03\x40\x00" + b"\0" * 16_384 for _ in range(64))),
        FIN,
    ],
    off=0,
    then=False,
)
secure(
    "tls_http_redirect",
    "connect|protocol",
    [b"HTTP/1.1 301 Moved\r\nlocation: https://127.0.0.1/\r\n\r\n", FIN],
    off=0,
    then=False,
)
secure("tls_smtp", "connect|protocol", [RAW(b"220 mail ESMTP\r\n"), HOLD], off=0, then=False)
secure("tls_old_hello", "connect|protocol", [RAW(b"\x80\x2e\x01\x03\x01\x00"), FIN], off=0, then=False)
secure("tls_close_notify_first", "connect|truncated", [LOCAL, NOTIFY, FIN], off=None, then=False)
secure(
    "tls_speaks_first",
    "connect|protocol|api|truncated",
    [LOCAL, JSON.replace(b"200 Whatever", b"400 No", 1), FIN],
    off=None,
    then=False,
)
secure("tls_close_notify_after_stop", "ok", [LOCAL, READ, HEAD + chunk(BODY), NOTIFY, FIN])
secure(
    "tls_close_notify_mid", "truncated", [LOCAL, READ, HEAD + chunk(events(*EVENTS[:3])), NOTIFY, FIN], given="Hello, "
)
secure(
    "tls_close_notify_then_data",
    "truncated|connect",
    [LOCAL, READ, HEAD + chunk(events(*EVENTS[:3])), NOTIFY, RAW(GOOD), FIN],
    given="Hello, ",
)
secure(
    "tls_rst_mid_create",
    "connect|truncated",
    [LOCAL, READ, HEAD + chunk(events(*EVENTS[:3])), 0.02, RST],
    how="message",
)
secure("tls_rst_handshake_always", "connect", [0.01, RST], off=0, tries=0, then=False)
secure(
    "tls_ok_12_rst",
    "connect|truncated",
    [LOCAL, READ, HEAD + chunk(events(*EVENTS[:3])), 0.02, RST],
    client=lambda site: {"ssl_context": _at_most(ssl.TLSVersion.TLSv1_2)},
)
secure(
    "tls_ok_12_cut",
    "truncated",
    [LOCAL, READ, head(200, framing=None) + events(*EVENTS[:4]), FIN],
    client=lambda site: {"ssl_context": _at_most(ssl.TLSVersion.TLSv1_2)},
)


def _blind() -> ssl.SSLContext:
    """What a caller may ask for, and nobody else."""
    context = create_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
