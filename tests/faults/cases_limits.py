"""Too much of everything, and whole answers that are not right."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

from sansio_claude._errors import LimitError, OverloadedError
from sansio_claude._limits import Limits
from tests.faults.case import case
from tests.faults.cases_answers import tool_is
from tests.faults.cases_events import MIDDLE, without
from tests.faults.pieces import (
    EVENTS,
    GOOD,
    HEAD,
    JSON,
    MESSAGE,
    PING,
    TEXT_BLOCK,
    chunk,
    chunks,
    events,
    gz,
    head,
    whole,
)
from tests.faults.server import FIN, FLOW, READ
from tests.frames import DELTA, END, START, start, stop, text, tool

BODY = events(*EVENTS)


THOUGHT = chunk(
    events({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "a" * 100_000}})
)
FRAGMENT = chunk(
    events(
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": " " * 100_000},
        }
    )
)
CITED = {
    "type": "content_block_delta",
    "index": 0,
    "delta": {"type": "citations_delta", "citation": {"type": "page_location", "cited_text": "a"}},
}
DEEP = json.loads('{"a":' * 600 + "1" + "}" * 600)


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
json_answer("cut", "protocol", RAW[:-5])
json_answer("two", "protocol", RAW + RAW)
json_answer("garbage_behind", "protocol", RAW + b"xyz")
json_answer("bigint", "protocol", RAW.replace(b'"input_tokens": 1', b'"input_tokens": ' + b"9" * 5_000))
json_answer("nan", "protocol", RAW.replace(b'"input_tokens": 1', b'"input_tokens": NaN'))
json_answer("infinity", "protocol", RAW.replace(b'"input_tokens": 1', b'"input_tokens": Infinity'))
json_answer("invalid_utf8", "protocol", RAW.replace(b"Hello", b"H\xffllo"), text=None)
json_answer("surrogate", "ok", RAW.replace(b"Hello", b"H\\ud800llo"), text=None)
json_answer("utf16", "protocol", RAW.decode().encode("utf-16"))
json_answer("utf32", "protocol", RAW.decode().encode("utf-32"))
json_answer("deep", "limit", b'{"a":' * 50_000 + b"1" + b"}" * 50_000)
json_answer("deep_field", "limit", RAW[:-1] + b', "x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}")
json_answer("content_string", "protocol", {**MESSAGE, "content": "x"})
json_answer("content_missing", "ok", without(MESSAGE, "content"), text="")
json_answer("content_and_type_missing", "protocol", without(without(MESSAGE, "content"), "type"))
json_answer("content_numbers", "protocol", {**MESSAGE, "content": [1, 2]})
json_answer("content_object", "protocol", {**MESSAGE, "content": {}})
json_answer("text_missing", "ok", text=None, content={**MESSAGE, "content": [{"type": "text"}]})
json_answer("block_no_type", "protocol", {**MESSAGE, "content": [{"text": "x"}]}, text=None)
json_answer(
    "tool_input_string",
    "ok",
    {**MESSAGE, "content": [{"type": "tool_use", "id": "t", "name": "n", "input": "{}"}]},
    text=None,
)
json_answer("usage_missing", "ok", without(MESSAGE, "usage"))
json_answer("usage_null", "ok", {**MESSAGE, "usage": None})
json_answer("dup_keys", "ok", RAW[:-1] + b', "model": "other"}')
json_answer(
    "error",
    "api",
    {"type": "error", "error": {"type": "overloaded_error", "message": "m"}},
    error=OverloadedError,
    tries=3,
)
json_answer("error_no_error", "api", {"type": "error"}, check=lambda outcome: None)
json_answer("control", "protocol", RAW.replace(b"Hello", b"H\x01llo"), text=None)


# Neighbours of these

much("lines_of_cr", "limit|ok", lambda: (OPEN, *(chunk(b"data: x\r" * 4_000) for _ in range(100))))
much(
    "ids",
    "limit|ok",
    lambda: (OPEN, *(chunk(b"id: x\n" * 4_000) for _ in range(100)), chunk(b"\n"), chunk(events(*EVENTS[3:]))),
)
much(
    "names",
    "limit|ok",
    lambda: (OPEN, *(chunk(b"event: x\n" * 4_000) for _ in range(100)), chunk(b"\n"), chunk(events(*EVENTS[3:]))),
)
much(
    "fields",
    "limit|ok",
    lambda: (OPEN, *(chunk(b"x: y\n" * 4_000) for _ in range(100)), chunk(b"\n"), chunk(events(*EVENTS[3:]))),
)
much(
    "bytewise_line",
    "limit",
    lambda: (OPEN, *(chunk(*[b"x"] * 30_000) for _ in range(10))),
    client={"limits": Limits(line=200_000)},
    given="Hello, ",
)
much(
    "tool_input_own",
    "limit",
    lambda: (chunk(events(START, tool()[0])), *[FRAGMENT] * 90),
    client={"limits": Limits(message=8 << 20)},
)
much("one_event", "limit", lambda: (OPEN, chunk(events(text("a" * 9_000_000)))), given="Hello, ")
much(
    "unknown_forever",
    "limit",
    lambda: (OPEN, *(chunk(events({"type": "new", "n": "x" * 1_000_000})) for _ in range(10))),
    client={"limits": Limits(message=4 << 20)},
    given="Hello, ",
)
much(
    "pings_forever",
    "limit",
    lambda: (OPEN, *(chunk(PING * 5_000) for _ in range(8))),
    client={"limits": Limits(message=1 << 20)},
    given="Hello, ",
)
much("citations", "ok", lambda: (chunk(events(*EVENTS[:2])), chunk(events(CITED) * 20_000), chunk(events(*EVENTS[2:]))))
much(
    "usage_keys",
    "ok|limit",
    lambda: (
        chunk(events(*EVENTS[:6])),
        *(chunk(events({**DELTA, "usage": {f"k{at}_{key}": key for key in range(1_000)}})) for at in range(50)),
        chunk(events(END)),
    ),
)
much(
    "start_blocks",
    "limit|protocol|ok",
    lambda: (
        chunk(events({**START, "message": {**START["message"], "content": [TEXT_BLOCK] * 50_000}})),
        chunk(events(*EVENTS[1:])),
    ),
    text=None,
)
much(
    "empty_deltas",
    "ok",
    lambda: (chunk(events(*EVENTS[:2])), chunk(events(text("")) * 30_000), chunk(events(*EVENTS[2:]))),
)
much("after_stop", "ok", lambda: (chunk(BODY), *(chunk(b"x" * 65_536) for _ in range(400))))
much(
    "strict_deviation",
    "protocol",
    lambda: (OPEN, chunk(b"event: content_block_delta\ndata:\n\n" * 5_000)),
    client={"strict": True},
    given="Hello, ",
)
case(
    "lim_event_own",
    "limit",
    [READ, HEAD + chunks(events(*EVENTS[:2], text("a" * 2_000)))],
    client={"limits": Limits(event=1_000)},
    words="Limits.event",
)
case(
    "lim_line_own",
    "limit",
    [READ, HEAD + chunks(events(*EVENTS[:2], text("a" * 2_000)))],
    client={"limits": Limits(line=1_000)},
    words="Limits.line",
)
case(
    "lim_depth_own",
    "limit|protocol",
    [READ, HEAD + chunks(events(*EVENTS[:2], {"type": "x", "a": [[[[[[]]]]]]}))],
    client={"limits": Limits(depth=4)},
)
case(
    "lim_blocks_own",
    "limit|protocol",
    [READ, HEAD + chunks(events(START, *(start(at, TEXT_BLOCK) for at in range(5))))],
    client={"limits": Limits(blocks=3)},
)
case("lim_head_own", "limit", [READ, GOOD], client={"limits": Limits(head=40)}, words="Limits.head", then=False)
case(
    "lim_message_create",
    "limit",
    [READ, LIMITS_TOTAL, FLOW(lambda: [chunk(events(text("a" * 1_000_000)))] * 20)],
    client={"limits": Limits(message=8 << 20)},
    how="message",
)
case(
    "lim_message_whole",
    "limit",
    [READ, whole({**MESSAGE, "x": "y" * 3_000_000})],
    client={"limits": Limits(message=1 << 20)},
    how="whole",
    words="Limits.message",
)
case(
    "lim_error_body_own",
    "api",
    [READ, whole({"error": {"message": "m" * 5_000}}, status=400)],
    client={"limits": Limits(error_body=100)},
    check=lambda outcome: None,
)
case(
    "lim_decompressed_own",
    "limit",
    [READ, head(200, "content-encoding: gzip") + chunks(gz(BODY))],
    client={"limits": Limits(decompressed=500)},
    words="Limits.decompressed",
)
case(
    "lim_trailers_own",
    "limit",
    [READ, head(200) + chunk(RAW) + b"0\r\n" + b"x: y\r\n" * 9 + b"\r\n"],
    client={"limits": Limits(trailers=20)},
    how="whole",
)
case(
    "lim_informational_own",
    "limit",
    [READ, b"HTTP/1.1 103 H\r\n\r\n" * 2 + GOOD],
    client={"limits": Limits(informational=1)},
    words="Limits.informational",
)
json_answer("role_missing", "ok", without(MESSAGE, "role"))
json_answer("type_missing", "ok", without(MESSAGE, "type"))
json_answer("type_other", "protocol", {**MESSAGE, "type": "completion"})
json_answer("id_null", "ok", {**MESSAGE, "id": None})
json_answer("model_number", "protocol", {**MESSAGE, "model": 5})
json_answer("stop_reason_null", "ok", {**MESSAGE, "stop_reason": None})
json_answer("content_empty", "ok", {**MESSAGE, "content": []}, text="")
json_answer("content_nested", "protocol", {**MESSAGE, "content": [[{"type": "text", "text": "x"}]]})
json_answer("content_nulls", "protocol", {**MESSAGE, "content": [None]})
json_answer("text_number", "protocol", {**MESSAGE, "content": [{"type": "text", "text": 5}]})
json_answer("type_number", "protocol", {**MESSAGE, "content": [{"type": 5}]}, text=None)
json_answer(
    "tool_input_null",
    "ok",
    {**MESSAGE, "content": [{"type": "tool_use", "id": "t", "name": "n", "input": None}]},
    text=None,
)
json_answer("tool_deep", "limit", {**MESSAGE, "content": [{"type": "tool_use", "id": "t", "name": "n", "input": DEEP}]})
json_answer("usage_list", "ok", {**MESSAGE, "usage": []})
json_answer("usage_strings", "ok", {**MESSAGE, "usage": {"input_tokens": "5"}})
json_answer("blocks_many", "ok", {**MESSAGE, "content": [TEXT_BLOCK] * 20_000}, text=None)
json_answer("nul", "protocol", RAW + b"\0")
json_answer("bom_twice", "protocol", b"\xef\xbb\xbf" * 2 + RAW)
json_answer("latin1", "protocol", RAW.decode().encode("latin-1", "replace"), text=None)
json_answer("single_quotes", "protocol", RAW.replace(b'"', b"'"))
json_answer("comment", "protocol", b"/* hi */" + RAW)
json_answer("comma", "protocol", RAW[:-1] + b",}")
json_answer("leading_text", "protocol", b"Here you are: " + RAW)
json_answer("padding_bytes", "protocol", RAW + b"\x80\x81")
json_answer("jsonp", "protocol", b"callback(" + RAW + b")")
json_answer("xssi", "protocol", b")]}'\n" + RAW)
json_answer("error_in_message", "ok", {**MESSAGE, "error": {"type": "overloaded_error", "message": "m"}})
