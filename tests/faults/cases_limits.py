"""Too much of everything, and whole answers that are not right."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from sansio_claude._errors import LimitError, OverloadedError
from sansio_claude._limits import Limits
from tests.faults.case import case
from tests.faults.cases_answers import tool_is
from tests.faults.cases_events import MIDDLE, without
from tests.faults.pieces import EVENTS, HEAD, JSON, MESSAGE, PING, TEXT_BLOCK, chunk, chunks, events, head, whole
from tests.faults.server import FIN, FLOW, READ
from tests.frames import DELTA, END, START, start, stop, text, tool

BODY = events(*EVENTS)


def much(name: str, want: str, make: Any, **more: Any) -> None:
    case(f"lim_{name}", want, [READ, HEAD, FLOW(make), FIN], **more)


def _blocks() -> Iterator[bytes]:
    """Sixty thousand blocks, a hundred in a chunk."""
    yield chunk(events(START))
    yield from map(_hundred, range(0, 60_000, 100))


@functools.cache
def _hundred(first: int) -> bytes:
    return chunk(events(*(part for at in range(first, first + 100) for part in (start(at, TEXT_BLOCK), stop(at)))))


OPEN = chunk(events(*MIDDLE))
much("data_lines", "limit", lambda: (OPEN, *(chunk(b"data: x\n" * 4_000) for _ in range(100))), given="Hello, ")
much(
    "data_line",
    "limit",
    lambda: (OPEN, *(chunk(b"data: " + b"x" * 65_536 if not number else b"x" * 65_536) for number in range(160))),
    given="Hello, ",
)
much("line_no_field", "limit", lambda: (OPEN, *(chunk(b"x" * 65_536) for _ in range(160))), given="Hello, ")
much(
    "event_name",
    "limit|ok",
    lambda: (OPEN, chunk(b"event: " + b"n" * 9_000_000 + b"\ndata: {}\n\n"), chunk(events(*EVENTS[3:]))),
)
much(
    "comment",
    "limit|ok",
    lambda: (OPEN, chunk(b": " + b"n" * 9_000_000 + b"\n\n"), chunk(events(*EVENTS[3:])), b"0\r\n\r\n"),
)
much(
    "id",
    "limit|ok",
    lambda: (OPEN, chunk(b"id: " + b"n" * 9_000_000 + b"\n\n"), chunk(events(*EVENTS[3:])), b"0\r\n\r\n"),
)
much("blocks", "limit", _blocks)
case("lim_pings", "ok", [READ, HEAD, FLOW(lambda: (chunk(PING * 1_000) for _ in range(100))), chunks(BODY)])
case("lim_comments", "ok", [READ, HEAD, FLOW(lambda: (chunk(b": hm\n\n" * 1_000) for _ in range(30))), chunks(BODY)])
case("lim_empty_lines", "ok", [READ, HEAD, FLOW(lambda: (chunk(b"\n" * 10_000) for _ in range(10))), chunks(BODY)])
case(
    "lim_unknown_events",
    "ok",
    [READ, HEAD, FLOW(lambda: (chunk(b'event: new\ndata: {"type":"new"}\n\n' * 500) for _ in range(40))), chunks(BODY)],
)
case(
    "lim_deviations",
    "ok",
    [
        READ,
        HEAD,
        chunk(events(START)),
        FLOW(lambda: (chunk(b"event: content_block_delta\ndata:\n\n" * 500) for _ in range(40))),
        chunks(events(*EVENTS[1:])),
    ],
)
case(
    "lim_small_deltas",
    "ok",
    [READ, HEAD, chunk(events(*EVENTS[:2])), chunk(events(text("a")) * 30_000), chunks(events(*EVENTS[5:]))],
    text="a" * 30_000,
)
LIMITS_TOTAL = HEAD + chunk(events(*EVENTS[:2]))
case(
    "lim_message",
    "limit",
    [READ, LIMITS_TOTAL, FLOW(lambda: [chunk(events(text("a" * 1_000_000)))] * 80)],
    client={"limits": Limits(message=8 << 20)},
    error=LimitError,
)
case(
    "lim_json_endless",
    "limit",
    [READ, head(200), FLOW(lambda: (chunk(b'{"a": "' if not number else b"a" * 262_144) for number in range(270)))],
    how="whole",
    error=LimitError,
)
case(
    "lim_json_spaces",
    "limit|truncated|protocol",
    [READ, head(200), FLOW(lambda: (chunk(b" " * 262_144) for _ in range(270))), FIN],
    how="whole",
)
case(
    "lim_json_length",
    "limit|protocol",
    [
        READ,
        head(200, framing=f"content-length: {1 << 40}"),
        FLOW(lambda: (b'{"a": "' if not number else b"a" * 262_144 for number in range(270))),
    ],
    how="whole",
)
case(
    "lim_tool_input",
    "ok",
    [
        READ,
        HEAD + chunks(*(events(each) for each in (START, *tool('{"a": "', *["x" * 50_000] * 40, '"}'), DELTA, END))),
    ],
    text=None,
    check=tool_is({"a": "x" * 2_000_000}),
)


# Whole JSON answers


def json_answer(name: str, want: str, content: Any, **more: Any) -> None:
    case(f"nj_{name}", want, [READ, whole(content)], how="whole", **more)


RAW = JSON.partition(b"\r\n\r\n")[2]
json_answer("null", "protocol", None)
json_answer("number", "protocol", 5)
json_answer("string", "protocol", "hello")
json_answer("array", "protocol", [])
json_answer("true", "protocol", True)
json_answer("empty_object", "protocol", {})
json_answer("text", "protocol", b"upstream says hello")
json_answer("cut", "protocol|truncated", RAW[:-5])
json_answer("two", "protocol", RAW + RAW)
json_answer("garbage_behind", "protocol", RAW + b"xyz")
json_answer("bigint", "protocol|limit|ok", RAW.replace(b'"input_tokens": 1', b'"input_tokens": ' + b"9" * 5_000))
json_answer("nan", "protocol|limit|ok", RAW.replace(b'"input_tokens": 1', b'"input_tokens": NaN'))
json_answer("infinity", "protocol|limit|ok", RAW.replace(b'"input_tokens": 1', b'"input_tokens": Infinity'))
json_answer("invalid_utf8", "protocol|ok", RAW.replace(b"Hello", b"H\xffllo"), text=None)
json_answer("surrogate", "protocol|ok", RAW.replace(b"Hello", b"H\\ud800llo"), text=None)
json_answer("utf16", "protocol|ok", RAW.decode().encode("utf-16"))
json_answer("utf32", "protocol|ok", RAW.decode().encode("utf-32"))
json_answer("deep", "protocol|limit", b'{"a":' * 50_000 + b"1" + b"}" * 50_000)
json_answer("deep_field", "protocol|limit", RAW[:-1] + b', "x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}")
json_answer("content_string", "protocol", {**MESSAGE, "content": "x"})
json_answer("content_null", "protocol", {**MESSAGE, "content": None})
json_answer("content_missing", "protocol|ok", without(MESSAGE, "content"), text=None)
json_answer("content_numbers", "protocol", {**MESSAGE, "content": [1, 2]})
json_answer("content_object", "protocol", {**MESSAGE, "content": {}})
json_answer("text_null", "protocol", {**MESSAGE, "content": [{"type": "text", "text": None}]})
json_answer("text_missing", "protocol|ok", text=None, content={**MESSAGE, "content": [{"type": "text"}]})
json_answer("block_no_type", "protocol|ok", {**MESSAGE, "content": [{"text": "x"}]}, text=None)
json_answer(
    "tool_input_string",
    "protocol|ok",
    {**MESSAGE, "content": [{"type": "tool_use", "id": "t", "name": "n", "input": "{}"}]},
    text=None,
)
json_answer("usage_missing", "ok|protocol", without(MESSAGE, "usage"))
json_answer("usage_null", "ok|protocol", {**MESSAGE, "usage": None})
json_answer("dup_keys", "ok|protocol", RAW[:-1] + b', "model": "other"}')
json_answer(
    "error",
    "api",
    {"type": "error", "error": {"type": "overloaded_error", "message": "m"}},
    error=OverloadedError,
    tries=3,
)
json_answer("error_no_error", "api|protocol", {"type": "error"}, check=lambda outcome: None)
json_answer("control", "protocol|ok", RAW.replace(b"Hello", b"H\x01llo"), text=None)
