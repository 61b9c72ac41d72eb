"""Peers that go silent, or never stop."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

from sansio_claude._errors import DeadlineError
from sansio_claude._limits import Limits
from tests.adapters.runtimes import Runtime
from tests.certificates import server_context
from tests.faults.case import ASK, Case, Outcome, case
from tests.faults.pieces import (
    CHUNKED,
    EVENTS,
    GOOD,
    HEAD,
    HELLO,
    JSON,
    PING,
    PROMPT,
    chunk,
    chunks,
    error,
    events,
    gz,
    head,
)
from tests.faults.server import DEAF, FLOW, HOLD, RAW, READ, TLS, TUNNEL
from tests.frames import text

BODY = events(*EVENTS)
JSON_BODY = JSON.partition(b"\r\n\r\n")[2]
SSE = "text/event-stream"
SERVER = TLS(server_context("127.0.0.1"))
CLOSE_HEAD = head(200, f"content-type: {SSE}", framing=None)


def late(name: str, deadline: str, *steps: Any, seconds: float = 0.06, want: str = "timeout", **more: Any) -> None:
    def check(outcome: Outcome) -> None:
        assert isinstance(outcome.error, DeadlineError)
        assert outcome.error.deadline == deadline
        assert outcome.error.seconds == seconds

    timeouts = {deadline: seconds, **more.pop("timeouts", {})}
    case(name, want, [*steps], timeouts=timeouts, check=check, **more)


def forever(data: bytes, pause: float = 0.02) -> FLOW:
    """The same again and again: for twelve seconds, which is for ever."""
    return FLOW(lambda: (each for _ in range(int(12 / pause)) for each in (data, pause)))


def drip(data: bytes, pause: float = 0.02) -> FLOW:
    return FLOW(lambda: (each for byte in data for each in (bytes([byte]), pause)))


late("to_headers", "first_byte", READ, HOLD)
late("to_first_byte", "first_byte", READ, HOLD, how="message")
late("to_first_byte_whole", "first_byte", READ, HOLD, how="whole")
late("to_first_byte_total", "total", READ, HOLD)
late("to_deaf", "first_byte", READ, DEAF)
late("to_half_head", "idle", READ, HEAD[:40], HOLD)
late("to_half_head_first_byte", "first_byte", READ, HEAD[:40], HOLD)
late("to_drip_head", "first_byte", READ, drip(HEAD), seconds=0.2)
late("to_drip_100", "first_byte", READ, forever(b"HTTP/1.1 100 Continue\r\n\r\n", 0.02), seconds=0.8)
late("to_drip_102_total", "total", READ, forever(b"HTTP/1.1 102 Processing\r\n\r\n", 0.02), seconds=0.8)
late("to_after_100", "first_byte", READ, b"HTTP/1.1 100 Continue\r\n\r\n", HOLD)
late("to_after_head", "idle", READ, HEAD, HOLD)
late("to_mid", "idle", READ, HEAD + chunk(events(*EVENTS[:3])), HOLD, given="Hello, ")
late("to_mid_progress", "progress", READ, HEAD + chunk(events(*EVENTS[:3])), HOLD, given="Hello, ")
late("to_mid_total", "total", READ, HEAD + chunk(events(*EVENTS[:3])), HOLD, seconds=0.3)
late("to_mid_create", "idle", READ, HEAD + chunk(events(*EVENTS[:3])), HOLD, how="message")
late("to_mid_chunk_size", "idle", READ, HEAD + chunk(events(*EVENTS[:3])) + b"4", HOLD)
late("to_before_stop", "idle", READ, HEAD + chunk(events(*EVENTS[:7])), HOLD, given=HELLO)
late("to_length", "idle", READ, head(200, framing="content-length: 9999") + BODY[:500], HOLD)
late("to_close_delimited", "idle", READ, CLOSE_HEAD + BODY[:500], HOLD)
late("to_drip_body", "progress", READ, HEAD + b"ffff\r\n", forever(b": drop\n"), seconds=0.25)
late("to_drip_event", "progress", READ, HEAD + chunk(events(EVENTS[0])), forever(chunk(b"x")), seconds=0.25)
late("to_drip_total", "total", READ, drip(GOOD, 0.02), seconds=0.3)
late("to_ping_forever", "progress", READ, HEAD, forever(chunk(PING)), seconds=0.25)
late("to_ping_forever_total", "total", READ, HEAD, forever(chunk(PING)), seconds=0.3)
late(
    "to_ping_mid",
    "progress",
    READ,
    HEAD + chunk(events(*EVENTS[:3])),
    forever(chunk(PING)),
    seconds=0.25,
    given="Hello, ",
)
late("to_comments_forever", "progress", READ, HEAD, forever(chunk(b": hm\n\n")), seconds=0.25)
late(
    "to_events_forever",
    "total",
    READ,
    HEAD + chunk(events(*EVENTS[:2])),
    forever(chunk(events(text("a")))),
    seconds=0.3,
)
late("to_empty_events_forever", "progress", READ, HEAD, forever(chunk(b"data:\n\n")), seconds=0.25)
late("to_json_stall", "idle", READ, JSON[:-20], HOLD, how="whole")
late(
    "to_json_drip",
    "progress",
    READ,
    head(200, framing="content-length: 99999"),
    forever(b" "),
    seconds=0.25,
    how="whole",
)
late("to_gzip_stall", "idle", READ, head(200, "content-encoding: gzip") + chunk(gz(BODY)[:100]), HOLD)
BIG: dict[str, Any] = {"messages": [{"role": "user", "content": PROMPT + "x" * 12_000_000}]}
late("to_write", "write", 0.0, DEAF, ask=BIG, seconds=0.15, off=0, site={"buffer": 4096})
late("to_write_total", "total", 0.0, DEAF, ask=BIG, seconds=0.5, off=0, site={"buffer": 4096})
late("to_tls", "tls", HOLD, tls=True, off=0, then=False)
late("to_tls_mid", "tls", RAW(b"\x16\x03\x03\x00\x7a\x02\x00"), HOLD, tls=True, off=0, then=False)
late("to_tls_first_byte", "first_byte", SERVER, READ, HOLD, tls=True)
late("to_tls_idle", "idle", SERVER, READ, HEAD + chunk(events(*EVENTS[:3])), HOLD, tls=True, given="Hello, ")
late("to_tls_in_record", "idle", SERVER, READ, HEAD, RAW(b"\x17\x03\x03\x00\xff" + b"x" * 30), HOLD, tls=True)
late(
    "to_proxy",
    "connect",
    HOLD,
    client=lambda site: {"proxy": f"http://127.0.0.1:{site.port}"},
    url="https://api.test",
    tls=True,
    off=0,
    then=False,
)
late(
    "to_proxy_half",
    "connect",
    b"HTTP/1.1 200 OK\r\nx: ",
    HOLD,
    client=lambda site: {"proxy": f"http://127.0.0.1:{site.port}"},
    url="https://api.test",
    tls=True,
    off=0,
    then=False,
)
late(
    "to_proxy_tls",
    "tls",
    TUNNEL,
    HOLD,
    client=lambda site: {"proxy": f"http://127.0.0.1:{site.port}"},
    url="https://api.test",
    tls=True,
    off=0,
    then=False,
)
case(
    "to_tls_once",
    "timeout",
    [HOLD],
    [SERVER, READ, GOOD],
    tls=True,
    timeouts={"tls": 0.3},
    retried=True,
    off=0,
    tries=1,
)
case(
    "to_refusal_body",
    "api",
    [READ, head(400, framing="content-length: 500") + b'{"type": "error", ', HOLD],
    timeouts={"idle": 0.06},
)
case("to_tls_close", "ok", [SERVER, READ, GOOD, HOLD], tls=True, within=3.0, then=False)
case("to_tls_stop_then_idle", "ok", [SERVER, READ, HEAD + chunk(BODY), HOLD], tls=True, within=3.0)
case(
    "to_none_waits",
    "ok",
    [READ, 0.1, HEAD, 0.1, CHUNKED],
    timeouts=dict.fromkeys(("first_byte", "idle", "progress", "total")),
)
case(
    "to_pings_keep_alive",
    "ok",
    [READ, HEAD, FLOW(lambda: (each for _ in range(12) for each in (chunk(PING), 0.05))), CHUNKED],
    timeouts={"idle": 0.4},
)

BUSY: dict[str, Any] = {"pause": 0.3, "timeouts": {"idle": 0.1, "progress": 0.1, "first_byte": 0.1}}
case("to_busy_caller", "ok", [READ, HEAD, chunk(events(EVENTS[0])), 0.02, chunks(events(*EVENTS[1:]))], **BUSY)
case(
    "to_busy_caller_large",
    "ok",
    [READ, HEAD, chunk(events(EVENTS[0])), 0.02, chunk(b": " + b"x" * 400_000), chunks(b"\n\n" + events(*EVENTS[1:]))],
    **BUSY,
)
case(
    "to_busy_caller_tls",
    "ok",
    [SERVER, READ, HEAD, chunk(events(EVENTS[0])), 0.02, chunks(events(*EVENTS[1:]))],
    tls=True,
    **BUSY,
)
MANY = chunk(events(text("word ")) * 200)
WIDE: dict[str, Any] = {"client": {"limits": Limits(message=1 << 34)}, "text": None}
late(
    "to_flood_total",
    "total",
    READ,
    HEAD + chunk(events(*EVENTS[:2])),
    FLOW(lambda: (MANY for _ in range(100_000))),
    seconds=0.2,
    **WIDE,
)
late(
    "to_flood_pings",
    "total",
    READ,
    HEAD,
    FLOW(lambda: (chunk(PING * 1_000) for _ in range(100_000))),
    seconds=0.2,
    **WIDE,
)
late(
    "to_flood_create",
    "total",
    READ,
    HEAD + chunk(events(*EVENTS[:2])),
    FLOW(lambda: (MANY for _ in range(100_000))),
    seconds=0.2,
    how="message",
    **WIDE,
)
late(
    "to_flood_tls",
    "total",
    SERVER,
    READ,
    HEAD + chunk(events(*EVENTS[:2])),
    FLOW(lambda: (MANY for _ in range(100_000))),
    seconds=0.3,
    tls=True,
    **WIDE,
)


class Crowded(Case):
    """Asked while another stream of the client is open."""

    async def ask_by(self, client: Any, runtime: Runtime, outcome: Outcome) -> None:
        async with client.stream(**ASK):
            outcome.message = await client.create(**ASK)


FAILURE = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


@contextlib.contextmanager
def full_queue() -> Iterator[tuple[str, int]]:
    """A listener that accepts nobody, its queue full: further connections hang."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        try:
            yield listener.getsockname()
        finally:
            for filler in fillers:
                filler.close()


late("to_connect", "connect", HOLD, seconds=0.1, peer=full_queue, off=0, then=False)
late("to_connect_total", "total", HOLD, seconds=0.15, peer=full_queue, off=0, then=False)


# At every stage, by every way of asking

PROXY: dict[str, Any] = {
    "client": lambda site: {"proxy": f"http://127.0.0.1:{site.port}"},
    "url": "https://api.test",
    "tls": True,
    "off": 0,
    "then": False,
}
late("to_drip_status_line", "first_byte", READ, drip(b"HTTP/1.1 200 OK and so on and so on and so on"), seconds=0.15)
late("to_drip_headers_forever", "first_byte", READ, b"HTTP/1.1 200 OK\r\n", forever(b"x: y\r\n"), seconds=0.2)
late("to_drip_chunk_line", "progress", READ, HEAD + b"5;", forever(b"a"), seconds=0.2)
late("to_drip_chunk_zeros", "progress", READ, HEAD, forever(b"0"), seconds=0.2)
late("to_drip_gzip", "progress", READ, head(200, "content-encoding: gzip"), drip(chunk(gz(BODY)[:400])), seconds=0.2)
late(
    "to_drip_tls",
    "progress",
    SERVER,
    READ,
    HEAD + chunk(events(EVENTS[0])),
    forever(chunk(b":\n")),
    seconds=0.2,
    tls=True,
)
late(
    "to_drip_handshake",
    "tls",
    RAW(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"),
    drip(b"\0" * 600),
    seconds=0.2,
    tls=True,
    off=0,
    then=False,
)
late(
    "to_drip_create",
    "progress",
    READ,
    HEAD + chunk(events(EVENTS[0])),
    forever(chunk(b"x")),
    seconds=0.2,
    how="message",
)
late("to_drip_whole_total", "total", READ, head(200), forever(chunk(b" ")), seconds=0.25, how="whole")
late("to_drip_id", "progress", READ, HEAD, forever(chunk(b"id: 1\n\n")), seconds=0.2)
late("to_drip_retry", "progress", READ, HEAD, forever(chunk(b"retry: 1\n\n")), seconds=0.2)
late("to_ping_create", "progress", READ, HEAD, forever(chunk(PING)), seconds=0.2, how="message")
late("to_ping_no_data", "progress", READ, HEAD, forever(chunk(b"event: ping\n\n")), seconds=0.2)
late("to_ping_tls", "progress", SERVER, READ, HEAD, forever(chunk(PING)), seconds=0.2, tls=True)
late("to_ping_total_create", "total", READ, HEAD, forever(chunk(PING)), seconds=0.25, how="message")
late(
    "to_comments_mid",
    "progress",
    READ,
    HEAD + chunk(events(*EVENTS[:3])),
    forever(chunk(b":\n\n")),
    seconds=0.2,
    given="Hello, ",
)
late("to_done_forever", "progress", READ, HEAD, forever(chunk(b"data: [DONE]\n\n")), seconds=0.2)
late(
    "to_unknown_events_forever", "total", READ, HEAD, forever(chunk(b'event: n\ndata: {"type":"n"}\n\n')), seconds=0.25
)
late("to_chunk_data", "idle", READ, HEAD + chunk(events(*EVENTS[:3])) + b"40\r\neve", HOLD, given="Hello, ")
late("to_chunk_end", "idle", READ, HEAD + chunk(events(*EVENTS[:3]))[:-1], HOLD, given="Hello, ")
late("to_mid_event", "idle", READ, HEAD + chunk(events(*EVENTS[:3]), events(EVENTS[3])[:50]), HOLD, given="Hello, ")
late("to_mid_character", "idle", READ, HEAD + chunk(events(*EVENTS[:3]), events(EVENTS[3]).partition(b"\xbc")[0]), HOLD)
late("to_stop_no_blank", "idle", READ, HEAD + chunk(BODY[:-1]), HOLD, given=HELLO)
late("to_after_103", "first_byte", READ, b"HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 103 Hints\r\n\r\n", HOLD)
late("to_mid_103", "idle", READ, b"HTTP/1.1 103 Hints\r\nlink", HOLD)
late("to_head_whole", "idle", READ, HEAD[:50], HOLD, how="whole")
late("to_body_whole", "idle", READ, HEAD, HOLD, how="whole")
late("to_first_byte_whole_total", "total", READ, HOLD, how="whole")
late("to_json_chunked", "idle", READ, head(200) + chunk(JSON.partition(b"\r\n\r\n")[2]), HOLD, how="whole")
late("to_json_length", "idle", READ, JSON[:-1], HOLD, how="whole")
late("to_gzip_end", "idle", READ, head(200, "content-encoding: gzip") + chunk(gz(events(*EVENTS[:5]))), HOLD)
late("to_http10", "idle", READ, b"HTTP/1.0 200 OK\r\n\r\n" + BODY[:500], HOLD)
late("to_tls_total", "total", HOLD, tls=True, off=0, then=False)
late("to_tls_head", "idle", SERVER, READ, HEAD[:50], HOLD, tls=True)
late("to_tls_after_head", "idle", SERVER, READ, HEAD, HOLD, tls=True)
late("to_tls_create", "idle", SERVER, READ, HEAD + chunk(events(*EVENTS[:3])), HOLD, tls=True, how="message")
late("to_tls_record_head", "idle", SERVER, READ, HEAD, RAW(b"\x17\x03"), HOLD, tls=True)
late(
    "to_write_tls", "write", SERVER, 0.0, DEAF, ask=BIG, seconds=0.2, off=0, tls=True, site={"buffer": 4096}, then=False
)
late("to_write_create", "write", 0.0, DEAF, ask=BIG, seconds=0.15, off=0, how="message", site={"buffer": 4096})
late("to_proxy_drip", "connect", drip(b"HTTP/1.1 200 Connection established"), seconds=0.2, **PROXY)
late("to_proxy_1xx", "connect", forever(b"HTTP/1.1 100 Continue\r\n\r\n"), seconds=0.2, **PROXY)
late("to_proxy_headers", "connect", b"HTTP/1.1 200 OK\r\n", forever(b"x: y\r\n"), seconds=0.2, **PROXY)
late("to_proxy_total", "total", HOLD, **PROXY)
late("to_proxy_answer", "first_byte", TUNNEL, TLS(server_context("api.test")), READ, HOLD, **{**PROXY, "off": 1})
late("to_proxy_deaf", "connect", 0.0, DEAF, **PROXY)
case(
    "to_pool",
    "timeout",
    [READ, HEAD + chunk(events(*EVENTS[:3])), HOLD],
    of=Crowded,
    client={"max_connections": 1},
    timeouts={"pool": 0.1},
    words="max_connections",
)
case("to_zero", "timeout", [READ, HOLD], timeouts={"total": 0.0}, off=None, then=False)
case(
    "to_tiny",
    "timeout",
    [READ, HOLD],
    timeouts=dict.fromkeys(("connect", "write", "first_byte", "idle", "progress"), 1e-9),
    off=None,
    then=False,
)
case(
    "to_error_event_then_silence",
    "api",
    [READ, HEAD + chunk(events(*EVENTS[:3], FAILURE)), HOLD],
    given="Hello, ",
    within=3.0,
    tries=1,
)
case(
    "to_error_event_then_silence_create",
    "api",
    [READ, HEAD + chunk(events(*EVENTS[:3], FAILURE)), HOLD],
    [READ, GOOD],
    how="message",
    within=3.0,
    retried=True,
)
case("to_refusal_drip", "api", [READ, head(400), forever(chunk(b"x"))], timeouts={"progress": 0.2}, words="xx")
case(
    "to_refusal_no_body",
    "api",
    [READ, head(529, framing="content-length: 9"), HOLD],
    [READ, GOOD],
    timeouts={"idle": 0.06},
    retried=True,
)
case(
    "to_redirect_body",
    "api",
    [READ, head(307, "location: /x", framing="content-length: 9"), HOLD],
    timeouts={"idle": 0.06},
    words="redirect",
)
case(
    "to_bad_event_then_silence",
    "protocol",
    [READ, HEAD + chunk(events(*EVENTS[:3]) + b"data: {\n\n"), HOLD],
    given="Hello, ",
    within=3.0,
)
case(
    "to_bad_chunk_then_silence",
    "protocol",
    [READ, HEAD + chunk(events(*EVENTS[:3])) + b"zz\r\n", HOLD],
    given="Hello, ",
    within=3.0,
)
case("to_html_then_silence", "protocol", [READ, head(200) + chunk(b"<html>"), HOLD], within=3.0)
case("to_head_bad_then_silence", "protocol", [READ, b"HTTP/1.1 abc\r\n\r\n", HOLD], within=3.0)
case(
    "to_early_refusal_then_silence",
    "api",
    [0.01, error(413, "request_too_large"), DEAF],
    ask=BIG,
    off=0,
    then=False,
    timeouts={"write": 0.2},
    site={"buffer": 4096},
    within=5.0,
)
