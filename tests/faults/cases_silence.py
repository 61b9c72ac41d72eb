"""Peers that go silent, or never stop."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

from sansio_claude._errors import DeadlineError
from sansio_claude._limits import Limits
from tests.certificates import server_context
from tests.faults.case import Outcome, case
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
