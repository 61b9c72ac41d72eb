"""Connections that are used again."""

from __future__ import annotations

from typing import Any

from tests.adapters.runtimes import Runtime
from tests.faults.case import ASK, Outcome, case
from tests.faults.pieces import (
    EVENTS,
    FINE,
    GOOD,
    HEAD,
    TEXT_BLOCK,
    answer,
    chunk,
    chunks,
    error,
    events,
    fixed,
    gz,
    head,
    page,
    whole,
)
from tests.faults.server import FIN, READ, RST, Step
from tests.frames import DELTA, END, START, block

BODY = events(*EVENTS)
SSE = "text/event-stream"


async def one_before(client: Any, runtime: Runtime) -> None:
    assert (await client.create(**ASK)).text == "Fine."


async def one_before_then_a_moment(client: Any, runtime: Runtime) -> None:
    await one_before(client, runtime)
    await runtime.sleep(0.05)


async def leave_early(client: Any, runtime: Runtime) -> None:
    async with client.stream(**ASK) as stream:
        for _ in range(2):
            await stream.__anext__()


async def leave_at_once(client: Any, runtime: Runtime) -> None:
    async with client.stream(**ASK):
        pass


async def leave_by_error(client: Any, runtime: Runtime) -> None:
    try:
        async with client.stream(**ASK) as stream:
            async for _ in stream:
                raise ZeroDivisionError
    except ZeroDivisionError:
        pass


async def fail_before(client: Any, runtime: Runtime) -> None:
    try:
        await client.create(**ASK)
    except Exception:
        pass


def over(number: int) -> Any:
    def check(outcome: Outcome) -> None:
        assert outcome.connections == number

    return check


FINE_EVENTS = events(START, *block({"type": "text", "text": "Fine."}), DELTA, END)
OPENED = events(*EVENTS[:3])
FORGED = answer(START, *block(TEXT_BLOCK, {"type": "text_delta", "text": "forged"}), DELTA, END)
BEFORE: dict[str, Any] = {"prelude": one_before, "played": 1}
MOMENT: dict[str, Any] = {"prelude": one_before_then_a_moment, "played": 1}
case("reuse_ok", "ok", [READ, FINE, READ, GOOD], **BEFORE, check=over(1))
case(
    "reuse_ok_length",
    "ok",
    [
        READ,
        fixed(
            FINE.partition(b"\r\n\r\n")[2] and events(START, *block({"type": "text", "text": "Fine."}), DELTA, END),
            kind=SSE,
        ),
        READ,
        GOOD,
    ],
    **BEFORE,
    check=over(1),
)
case(
    "reuse_connection_close",
    "ok",
    [READ, head(200, "connection: close") + FINE.partition(b"\r\n\r\n")[2], FIN],
    [READ, GOOD],
    **BEFORE,
    check=over(2),
)
case(
    "reuse_http10",
    "ok",
    [READ, b"HTTP/1.0 200 OK\r\n\r\n" + events(START, *block({"type": "text", "text": "Fine."}), DELTA, END), FIN],
    [READ, GOOD],
    **BEFORE,
    check=over(2),
)
case("reuse_closed_meanwhile", "ok", [READ, FINE, FIN], [READ, GOOD], **MOMENT, check=over(2))
case("reuse_reset_meanwhile", "ok", [READ, FINE, RST], [READ, GOOD], **MOMENT, check=over(2))
case("reuse_stale_race", "connect", [READ, FINE, READ, RST], [READ, GOOD], **BEFORE, retried=True, tries=2)
case("reuse_stale_fin", "connect", [READ, FINE, READ, FIN], [READ, GOOD], **BEFORE, retried=True, tries=2)
case("reuse_stale_partial", "truncated|connect", [READ, FINE, READ, HEAD[:20], FIN], [READ, GOOD], **BEFORE)
case("reuse_desync", "ok", [READ, FINE + FORGED], [READ, GOOD], **BEFORE)
case("reuse_desync_late", "ok", [READ, FINE, 0.01, FORGED], [READ, GOOD], **MOMENT)
case(
    "reuse_desync_length",
    "ok",
    [READ, fixed(events(START, *block({"type": "text", "text": "Fine."}), DELTA, END), kind=SSE) + FORGED],
    [READ, GOOD],
    **BEFORE,
)
case("reuse_desync_byte", "ok", [READ, FINE + b"\n"], [READ, GOOD], **BEFORE)
case(
    "reuse_desync_408",
    "ok",
    [READ, FINE, 0.01, b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n", FIN],
    [READ, GOOD],
    **MOMENT,
)
case(
    "reuse_after_error",
    "ok",
    [
        READ,
        whole({"type": "error", "error": {"type": "invalid_request_error", "message": "no"}}, status=400),
        READ,
        GOOD,
    ],
    [READ, GOOD],
    prelude=fail_before,
    played=1,
)
case("reuse_after_early_break", "ok", [READ, HEAD + chunk(OPENED)], [READ, GOOD], prelude=leave_early, played=1)
case("reuse_after_early_break_whole", "ok", [READ, GOOD], [READ, GOOD], prelude=leave_early, played=1)
case("reuse_after_no_read", "ok", [READ, HEAD + chunk(OPENED)], [READ, GOOD], prelude=leave_at_once, played=1)
case("reuse_after_callers_error", "ok", [READ, HEAD + chunk(OPENED)], [READ, GOOD], prelude=leave_by_error, played=1)
case("reuse_after_cut", "ok", [READ, HEAD + chunk(OPENED), FIN], [READ, GOOD], prelude=fail_before, played=1)
case("reuse_after_open_end", "ok", [READ, FINE[:-5]], [READ, GOOD], **BEFORE, check=over(2))
case("reuse_after_late_end", "ok", [READ, FINE[:-5], 0.01, FINE[-5:], READ, GOOD], [READ, GOOD], **BEFORE)


async def ten_before(client: Any, runtime: Runtime) -> None:
    for _ in range(10):
        await one_before(client, runtime)


async def cancel_before(client: Any, runtime: Runtime) -> None:
    async with runtime.move_on_after(0.05):
        await client.create(**ASK)


async def two_before(client: Any, runtime: Runtime) -> None:
    """Two at once, so that two connections are kept: their answers have to wait until both are asked."""

    async def one() -> None:
        assert (await client.create(**ASK)).text == "Fine."

    await runtime.gather(one, one)


LATE: dict[str, Any] = {"prelude": fail_before, "played": 1}
TEN: list[Step] = [READ, FINE] * 10
case("reuse_ten", "ok", [*TEN, READ, GOOD], prelude=ten_before, played=10, check=over(1))
case(
    "reuse_after_late_answer",
    "ok",
    [READ, 0.15, FORGED],
    [READ, GOOD],
    **LATE,
    timeouts={"first_byte": 0.1, "idle": 1.0},
    check=over(2),
)
case(
    "reuse_after_late_rest",
    "ok",
    [READ, FORGED[:300], 0.15, FORGED[300:]],
    [READ, GOOD],
    **LATE,
    timeouts={"idle": 0.1},
)
case(
    "reuse_after_cancel",
    "ok",
    [READ, 0.1, FORGED],
    [READ, 0.1, GOOD],
    prelude=cancel_before,
    cancels=True,
    played=1,
    check=over(2),
)
case("reuse_after_limit", "ok", [READ, head(200, "x-a: " + "b" * 70_000) + FORGED], [READ, GOOD], **LATE, check=over(2))
case("reuse_after_bad_chunk", "ok", [READ, HEAD + b"zz\r\n" + FORGED], [READ, GOOD], **LATE, check=over(2))
case("reuse_after_bad_event", "ok", [READ, answer(b"data: {\n\n"), READ, GOOD], [READ, GOOD], **LATE)
case("reuse_after_stream_error", "ok", [READ, answer({"type": "error", "error": {}}), READ, GOOD], [READ, GOOD], **LATE)
case(
    "reuse_after_error_forged",
    "ok",
    [READ, error(400, "invalid_request_error") + FORGED],
    [READ, GOOD],
    **LATE,
    check=over(2),
)
case("reuse_after_long_error", "ok", [READ, fixed(b"x" * 200_000, status=400)], [READ, GOOD], **LATE, check=over(2))
case(
    "reuse_after_redirect",
    "ok",
    [READ, head(307, "location: /x", framing="content-length: 0"), READ, GOOD],
    **LATE,
    check=over(1),
)
case(
    "reuse_after_redirect_forged",
    "ok",
    [READ, head(307, "location: /x", framing="content-length: 0") + FORGED],
    [READ, GOOD],
    **LATE,
)
case("reuse_after_204", "ok", [READ, head(204, framing=None) + FORGED], [READ, GOOD], **LATE)
case("reuse_after_304", "ok", [READ, head(304, framing="content-length: 500") + FORGED], [READ, GOOD], **LATE)
case("reuse_after_101", "ok", [READ, head(101, framing=None) + FORGED], [READ, GOOD], **LATE, check=over(2))
case("reuse_after_html", "ok", [READ, page(200) + FORGED], [READ, GOOD], **LATE, check=over(2))
case(
    "reuse_te_and_length",
    "ok",
    [READ, head(200, "content-length: 5") + FINE.partition(b"\r\n\r\n")[2] + FORGED],
    [READ, GOOD],
    **BEFORE,
    check=over(2),
)
case(
    "reuse_gzip",
    "ok",
    [READ, head(200, "content-encoding: gzip") + chunks(gz(FINE_EVENTS)), READ, GOOD],
    **BEFORE,
    check=over(1),
)
case("reuse_trailers", "ok", [READ, FINE[:-2] + b"x: y\r\n\r\n", READ, GOOD], **BEFORE, check=over(1))
case(
    "reuse_1xx_meanwhile",
    "ok",
    [READ, FINE, 0.01, b"HTTP/1.1 100 Continue\r\n\r\n"],
    [READ, GOOD],
    **MOMENT,
    check=over(2),
)
case(
    "reuse_two_stale",
    "connect",
    [READ, 0.1, FINE, READ, RST],
    [READ, 0.1, FINE, READ, RST],
    [READ, GOOD],
    prelude=two_before,
    played=2,
    retried=True,
    tries=2,
)
case(
    "reuse_stale_then_refusal",
    "connect",
    [READ, FINE, READ, RST],
    [READ, error(529, "overloaded_error")],
    [READ, GOOD],
    **BEFORE,
    retried=True,
    tries=3,
)
case(
    "reuse_stale_create",
    "connect",
    [READ, FINE, READ, FIN],
    [READ, GOOD],
    **BEFORE,
    how="message",
    retried=True,
    tries=2,
)
case("reuse_head_then_reset", "truncated|connect", [READ, FINE, READ, HEAD, 0.02, RST], [READ, GOOD], **BEFORE)
case("reuse_answer_before_request", "ok", [READ, FINE + FINE, READ, GOOD], [READ, GOOD], **BEFORE, check=over(2))
