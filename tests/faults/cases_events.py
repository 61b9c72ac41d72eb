"""Events that break the rules, too much of everything, and whole answers that are not right."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sansio_claude._errors import OverloadedError, RateLimitError
from tests.faults.case import Outcome, case
from tests.faults.cases_answers import tool_is
from tests.faults.pieces import (
    DELTAS,
    EVENTS,
    HELLO,
    PING,
    TEXT_BLOCK,
    answer,
    events,
)
from tests.faults.server import READ
from tests.frames import DELTA, END, START, block, delta, start, stop, text, tool

BODY = events(*EVENTS)
MIDDLE = EVENTS[:3]
"""Up to the first piece of text."""


def data_of(content: bytes) -> bytes:
    return b"event: content_block_delta\ndata: " + content + b"\n\n"


def text_of(content: bytes) -> bytes:
    return data_of(b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"' + content + b'"}}')


def odd(name: str, want: str, *values: Any, **more: Any) -> None:
    case(f"ev_{name}", want, [READ, answer(*values)], **more)


def refused(name: str, *values: Any, **more: Any) -> None:
    """Bad after the first piece of text, which has to be given out."""
    odd(name, "protocol", *MIDDLE, *values, *EVENTS[5:], given="Hello, ", **more)


def recorded(*kinds: str, then: Callable[[Outcome], object] | None = None) -> Callable[[Outcome], None]:
    """A check: these deviations and no other, in this order."""

    def check(outcome: Outcome) -> None:
        assert outcome.deviations == list(kinds)
        if then is not None:
            then(outcome)

    return check


def deviant(outcome: Outcome) -> None:
    assert outcome.deviations


def tolerated(name: str, *values: Any, **more: Any) -> None:
    """Taken, and noted; with strict=True an error."""
    odd(name, "ok", *values, check=deviant, **more)
    odd(f"{name}_strict", "protocol", *values, client={"strict": True})


def failing(kind: Any = "overloaded_error", message: Any = "Overloaded") -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


odd("error_mid", "api", *MIDDLE, failing(), error=OverloadedError, given="Hello, ")
odd("error_first", "api", failing(), error=OverloadedError, tries=3)
odd("error_rate", "api", *MIDDLE, failing("rate_limit_error"), error=RateLimitError, given="Hello, ")
odd("error_unknown_type", "api", *MIDDLE, failing("new_error"), given="Hello, ")
odd("error_before_stop", "api", *EVENTS[:7], failing(), given=HELLO)
odd("error_then_more", "api", *MIDDLE, failing(), *EVENTS[3:], given="Hello, ")
odd("error_wrong_name", "api", *MIDDLE, b"event: message\n" + events(failing()).partition(b"\n")[2], given="Hello, ")
odd("error_no_name", "api", *MIDDLE, events(failing()).partition(b"\n")[2], given="Hello, ")
odd("error_null", "api", *MIDDLE, {"type": "error", "error": None}, given="Hello, ")
odd("error_string", "api", *MIDDLE, {"type": "error", "error": "busy"}, given="Hello, ")
odd("error_bare", "api", *MIDDLE, {"type": "error"}, given="Hello, ")
odd("error_message_number", "api", *MIDDLE, failing(message=5), given="Hello, ")
odd("error_bad_json", "api", *MIDDLE, b"event: error\ndata: oh no\n\n", given="Hello, ")
odd("error_no_data", "api", *MIDDLE, b"event: error\n\n", b"event: error\ndata:\n\n", given="Hello, ")
odd(
    "dup_start_other",
    "protocol",
    *MIDDLE,
    {**START, "message": {**START["message"], "id": "msg_2"}},
    *EVENTS[3:],
    given="Hello, ",
)
tolerated("dup_start", *MIDDLE, START, *EVENTS[3:])
odd("no_start", "protocol", *EVENTS[1:])
odd("delta_first", "protocol", *EVENTS[2:])
odd("stop_first", "protocol", END)
odd("message_delta_first", "protocol", DELTA, END)
tolerated(
    "index_gap",
    START,
    *block({**TEXT_BLOCK}, {"type": "text_delta", "text": "Hello, "}),
    *block(TEXT_BLOCK, {"type": "text_delta", "text": "grüße, \U0001f642!"}, index=2),
    DELTA,
    END,
)
tolerated("index_start_at_1", START, *block(TEXT_BLOCK, {"type": "text_delta", "text": HELLO}, index=1), DELTA, END)
tolerated(
    "index_reversed",
    START,
    start(1, TEXT_BLOCK),
    start(0, TEXT_BLOCK),
    text("grüße, \U0001f642!", 1),
    text("Hello, ", 0),
    stop(0),
    stop(1),
    DELTA,
    END,
)
refused("index_reuse", start(0, TEXT_BLOCK))
refused("index_reuse_stopped", stop(0), start(0, TEXT_BLOCK))
refused("index_unknown", text("x", 5))
refused("index_negative", text("x", -1))
refused("index_bool", text("x", False))
refused("index_true", start(True, TEXT_BLOCK))
odd("index_huge", "limit", *MIDDLE, start(10**30, TEXT_BLOCK), given="Hello, ")
odd("index_large", "limit", *MIDDLE, start(10**9, TEXT_BLOCK), given="Hello, ")
refused("index_string", text("x", "0"))
refused("index_float", text("x", 0.5))
odd("index_float_whole", "protocol", *MIDDLE, text("x", 0.0), *EVENTS[5:], text=None)
refused("index_list", text("x", [0]))
refused("stop_unknown", stop(4))
odd("stop_again", "ok", *EVENTS[:6], stop(0), DELTA, END, check=recorded("twice"))
refused("delta_after_stop", stop(0), text("x"))
refused("wrong_delta", delta(0, type="input_json_delta", partial_json="{}"))
refused("wrong_delta_thinking", delta(0, type="thinking_delta", thinking="x"))
refused("text_list", text(["a"]))
refused("text_number", text(5))
refused("delta_missing", {"type": "content_block_delta", "index": 0})
refused("delta_null", {"type": "content_block_delta", "index": 0, "delta": None})
refused("delta_string", {"type": "content_block_delta", "index": 0, "delta": "x"})
odd("delta_no_type", "ok", *MIDDLE, delta(0, text="x"), *EVENTS[5:], text="Hello, x", check=recorded("typeless_delta"))
refused("block_null", start(1, None))
refused("block_missing", {"type": "content_block_start", "index": 1})
refused("block_string", start(1, "text"))
odd("block_no_type", "protocol", *EVENTS[:6], start(1, {"x": 1}), stop(1), DELTA, END)
odd(
    "block_text_null",
    "ok",
    START,
    start(0, {"type": "text", "text": None}),
    *EVENTS[2:],
    check=recorded("empty_value"),
)
odd(
    "tool_no_id",
    "ok",
    *EVENTS[:6],
    start(1, {"type": "tool_use", "name": "x", "input": {}}),
    stop(1),
    DELTA,
    END,
    check=recorded("empty_value", "stop_reason_mismatch"),
)
odd(
    "tool_id_number",
    "protocol",
    *EVENTS[:6],
    start(1, {"type": "tool_use", "id": 5, "name": "x", "input": {}}),
    stop(1),
    DELTA,
    END,
)
odd("message_null", "protocol", {"type": "message_start", "message": None}, *EVENTS[1:])
odd("message_missing", "protocol", {"type": "message_start"}, *EVENTS[1:])
odd("message_string", "protocol", {"type": "message_start", "message": "hi"}, *EVENTS[1:])
odd("content_string", "protocol", {**START, "message": {**START["message"], "content": "x"}}, *EVENTS[1:])
odd("content_object", "protocol", {**START, "message": {**START["message"], "content": {}}}, *EVENTS[1:])


def without(value: dict[str, Any], key: str) -> dict[str, Any]:
    return {each: value[each] for each in value if each != key}


tolerated("content_missing", {**START, "message": without(START["message"], "content")}, *EVENTS[1:])
tolerated("usage_missing", {**START, "message": without(START["message"], "usage")}, *EVENTS[1:])
tolerated("usage_null", {**START, "message": {**START["message"], "usage": None}}, *EVENTS[1:])
tolerated(
    "usage_strings",
    {**START, "message": {**START["message"], "usage": {"input_tokens": "3", "output_tokens": "1"}}},
    *EVENTS[1:],
)
odd("usage_list", "ok", {**START, "message": {**START["message"], "usage": [1]}}, *EVENTS[1:])
odd("usage_negative", "ok", {**START, "message": {**START["message"], "usage": {"input_tokens": -3}}}, *EVENTS[1:])
odd(
    "usage_huge",
    "ok",
    {**START, "message": {**START["message"], "usage": {"input_tokens": 10**30}}},
    *EVENTS[1:],
)
tolerated("delta_usage_missing", *EVENTS[:6], without(DELTA, "usage"), END)
tolerated("delta_usage_null", *EVENTS[:6], {**DELTA, "usage": None}, END)
tolerated("mdelta_null", *EVENTS[:6], {**DELTA, "delta": None}, END)
tolerated("no_mdelta", *EVENTS[:6], END)
odd("mdelta_twice", "ok", *EVENTS[:6], DELTA, DELTA, END)
odd("stop_reason_number", "ok", *EVENTS[:6], {**DELTA, "delta": {"stop_reason": 5}}, END, check=recorded("kept_key"))
odd("id_null", "ok", {**START, "message": {**START["message"], "id": None}}, *EVENTS[1:])
odd(
    "role_user",
    "ok",
    {**START, "message": {**START["message"], "role": "user"}},
    *EVENTS[1:],
    check=recorded("role"),
)


def data(content: bytes, name: bytes = b"content_block_delta") -> bytes:
    return b"event: " + name + b"\ndata: " + content + b"\n\n"


GOOD_DELTA = json.dumps(DELTAS[1]).encode()
refused("data_number", data(b"5"))
refused("data_null", data(b"null"))
refused("data_true", data(b"true"))
refused("data_string", data(b'"x"'))
refused("data_array", data(b"[]"))
refused("bad_json", data(GOOD_DELTA[:-1]))
refused("bad_json_text", data(b"Hello there"))
refused("bad_json_quotes", data(GOOD_DELTA.replace(b'"', b"'")))
refused("bad_json_comma", data(GOOD_DELTA[:-1] + b",}"))
refused("bad_json_comment", data(GOOD_DELTA + b" // hm"))
refused("bad_json_html", data(b"<html>"))
refused("two_json", data(GOOD_DELTA + GOOD_DELTA))
refused("nan", data(GOOD_DELTA[:-1] + b', "n": NaN}'))
refused("infinity", data(GOOD_DELTA[:-1] + b', "n": -Infinity}'))
odd("float_overflow", "protocol", *MIDDLE, data(GOOD_DELTA[:-1] + b', "n": 1e400}'), *EVENTS[4:])
odd("bigint", "protocol", *MIDDLE, data(GOOD_DELTA[:-1] + b', "n": ' + b"9" * 5_000 + b"}"), given="Hello, ")
odd(
    "deep_objects",
    "limit",
    *MIDDLE,
    data(GOOD_DELTA[:-1] + b', "n": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}"),
    given="Hello, ",
)
odd(
    "deep_arrays",
    "limit",
    *MIDDLE,
    data(GOOD_DELTA[:-1] + b', "n": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    given="Hello, ",
)
odd("deep_unclosed", "limit", *MIDDLE, data(b"[" * 100_000), given="Hello, ")
odd(
    "deep_unknown_event",
    "limit",
    EVENTS[0],
    data(b'{"type":"new","n":' + b"[" * 50_000 + b"]" * 50_000 + b"}", b"new"),
    *EVENTS[1:],
)
refused(
    "overlong_utf8", data(b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\xc0\xaf"}}')
)
refused("bad_utf8", data(b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\xff"}}'))
refused("half_utf8", data(b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\xf0\x9f"}}'))
refused(
    "utf8_surrogate",
    data(b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\xed\xa0\x80"}}'),
)
refused("latin1", data(json.dumps(DELTAS[1], ensure_ascii=False).encode("latin-1")))
refused("bad_escape", data(b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\\x41"}}'))
odd(
    "raw_control",
    "protocol",
    *MIDDLE,
    data(b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a\x01\tb"}}'),
    *EVENTS[5:],
    text=None,
)
odd(
    "raw_nul",
    "protocol",
    *MIDDLE,
    data(b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a\0b"}}'),
    *EVENTS[5:],
    text=None,
)
tolerated("data_empty", *MIDDLE, b"event: content_block_delta\ndata:\n\n", *EVENTS[3:])
odd("utf16", "truncated", BODY.decode().encode("utf-16"))
odd("utf16_le", "truncated", BODY.decode().encode("utf-16-le"))
odd("type_missing", "ok", *MIDDLE, b'data: {"index": 0}\n\n', *EVENTS[3:])
odd("type_number", "ok", *MIDDLE, b'data: {"type": 5}\n\n', *EVENTS[3:])
odd("type_wins", "ok", *(b"event: wrong\n" + events(each).partition(b"\n")[2] for each in EVENTS))
odd("tool_bad_json", "ok", START, *tool("", '{"a": oops}'), DELTA, END, text=None, check=tool_is(None, "invalid"))
odd("tool_two_json", "ok", START, *tool("{}", "{}"), DELTA, END, text=None, check=tool_is(None, "invalid"))
odd("tool_nan", "ok", START, *tool('{"a": NaN}'), DELTA, END, text=None, check=tool_is(None, "invalid"))
odd("tool_deep", "limit", START, *tool('{"a":' * 100_000 + "1" + "}" * 100_000), DELTA, END)
odd("tool_deep_pieces", "limit", START, *tool(*['{"a":'] * 10_000), DELTA, END)
odd("tool_array", "ok", START, *tool("[1, 2]"), DELTA, END, text=None, check=tool_is(None, "invalid"))
odd("tool_surrogate", "ok", START, *tool('{"a": "\\ud83d\\ude42 \\ud800"}'), DELTA, END, text=None)


# Neighbours of these

THINK = {"type": "thinking", "thinking": "", "signature": ""}
odd("error_huge", "api", *MIDDLE, failing(message="m" * 4_000_000), given="Hello, ")
odd("error_type_huge", "api", *MIDDLE, failing("t" * 1_000_000), given="Hello, ")
odd("error_controls", "api", *MIDDLE, failing(message="\x1b[2J\r\n\x00"), given="Hello, ")
odd(
    "error_lone_surrogate",
    "api",
    *MIDDLE,
    b'event: error\ndata: {"type":"error","error":{"message":"\\ud800"}}\n\n',
    given="Hello, ",
)
odd(
    "error_deep",
    "limit",
    *MIDDLE,
    b"event: error\ndata: " + b'{"error":' * 50_000 + b"1" + b"}" * 50_000 + b"\n\n",
    given="Hello, ",
)
odd("error_array", "api", *MIDDLE, b"event: error\ndata: []\n\n", given="Hello, ")
odd("error_twice", "api", *MIDDLE, failing(), failing("rate_limit_error"), given="Hello, ", error=OverloadedError)
odd("error_in_tool", "api", START, *tool('{"a": [1')[:-1], failing(), check=lambda outcome: _no_input(outcome))
odd("error_html", "api", *MIDDLE, b"event: error\ndata: <html>\n\n", given="Hello, ")
odd("error_after_ping", "api", PING, failing(), tries=3)
odd("error_create", "api", *MIDDLE, failing(), how="message", tries=3)
odd("error_create_final", "api", *MIDDLE, failing("invalid_request_error"), how="message", tries=1)
refused("signature_on_text", delta(0, type="signature_delta", signature="x"))
refused("citation_null", delta(0, type="citations_delta", citation=None))
refused("citation_missing", delta(0, type="citations_delta"))
refused("json_delta_number", stop(0), *tool(5, index=1)[:2])  # type: ignore[arg-type]
odd(
    "json_delta_missing",
    "ok",
    *EVENTS[:6],
    tool(index=1)[0],
    delta(1, type="input_json_delta"),
    stop(1),
    DELTA,
    END,
    check=deviant,
)
refused("text_on_tool", stop(0), tool(index=1)[0], text("x", 1))
refused("delta_list", {"type": "content_block_delta", "index": 0, "delta": []})
odd("delta_type_number", "ok", *MIDDLE, delta(0, type=5), *EVENTS[3:])
refused("block_type_number", start(1, {"type": 5}))
refused("block_list", start(1, []))
refused("stop_index_bool", stop(False))
refused("start_index_string", start("1", TEXT_BLOCK))
refused(
    "index_exponent", data_of(b'{"type":"content_block_delta","index":1e0,"delta":{"type":"text_delta","text":"x"}}')
)
refused(
    "index_minus_zero",
    data_of(b'{"type":"content_block_delta","index":-1e-9,"delta":{"type":"text_delta","text":"x"}}'),
)
odd(
    "index_minus_0",
    "ok",
    *MIDDLE,
    data_of(b'{"type":"content_block_delta","index":-0,"delta":{"type":"text_delta","text":"gr\xc3\xbc\xc3\x9fe, "}}'),
    *EVENTS[4:],
)
refused("nul_between", data_of(b'{"type":"ping"}\0'))
refused("bom_inside", data_of(b"\xef\xbb\xbf" + json.dumps(DELTAS[1]).encode()))
refused("leading_zero", data_of(b'{"type":"content_block_delta","index":00,"delta":{"type":"text_delta","text":"x"}}'))
refused("trailing_bracket", data_of(json.dumps(DELTAS[1]).encode() + b"]"))
refused("unquoted", data_of(b"{type:'content_block_delta'}"))
refused("cut_in_two_events", data_of(json.dumps(DELTAS[1]).encode()[:30]), data_of(json.dumps(DELTAS[1]).encode()[30:]))
odd("data_lines_split_word", "ok", *MIDDLE, events(DELTAS[1]).replace(b'"index"', b'\ndata:"index"'), *EVENTS[4:])
odd(
    "data_lines_split_string",
    "protocol",
    *MIDDLE,
    events(DELTAS[1]).replace(b"text_delta", b"text\ndata:_delta"),
    given="Hello, ",
)
odd("mdelta_before_stop", "ok", *EVENTS[:5], DELTA, stop(0), END)
odd("mdelta_early", "ok", START, DELTA, *EVENTS[1:6], END)
odd("block_after_mdelta", "ok", *EVENTS[:7], *block(TEXT_BLOCK, index=1), END)
odd("stop_only", "ok", START, END, text="")
odd("stop_reason_list", "ok", *EVENTS[:6], {**DELTA, "delta": {"stop_reason": ["x"]}}, END, check=recorded("kept_key"))
odd("mdelta_string", "protocol", *EVENTS[:6], {**DELTA, "delta": "x"}, END)
odd("mdelta_missing_delta", "ok", *EVENTS[:6], {"type": "message_delta", "usage": {"output_tokens": 5}}, END)
odd("usage_bool", "ok", *EVENTS[:6], {**DELTA, "usage": {"output_tokens": True}}, END)
odd("usage_deep", "ok", *EVENTS[:6], {**DELTA, "usage": {"a": {"b": {"c": [1, {"d": None}]}}}}, END)
odd("usage_goes_back", "ok", *EVENTS[:6], {**DELTA, "usage": {"output_tokens": 0}}, END)
odd("model_null", "ok", {**START, "message": {**START["message"], "model": None}}, *EVENTS[1:])
odd("model_missing", "ok", {**START, "message": without(START["message"], "model")}, *EVENTS[1:])
odd("id_missing", "ok", {**START, "message": without(START["message"], "id")}, *EVENTS[1:])
odd("message_list", "protocol", {**START, "message": []}, *EVENTS[1:])
odd("message_empty", "ok", {**START, "message": {}}, *EVENTS[1:])
odd("content_numbers", "protocol", {**START, "message": {**START["message"], "content": [5]}}, *EVENTS[1:])
odd(
    "content_filled",
    "protocol",
    {**START, "message": {**START["message"], "content": [{"type": "text", "text": "early"}]}},
    *EVENTS[1:],
    text=None,
)
odd("start_twice_first", "ok", START, START, *EVENTS[1:], check=recorded("repeated_start"))
odd("start_is_error", "api", {**START, "type": "error"}, *EVENTS[1:], tries=None, off=1)
odd("type_list", "ok", *MIDDLE, b'data: {"type": ["ping"]}\n\n', *EVENTS[3:])
odd("type_null", "ok", *MIDDLE, b'data: {"type": null}\n\n', *EVENTS[3:])
odd("type_upper", "ok", *MIDDLE, b'data: {"type": "MESSAGE_STOP"}\n\n', *EVENTS[3:])
odd("type_nul", "ok", *MIDDLE, b'data: {"type": "ping\\u0000"}\n\n', *EVENTS[3:])
odd("name_only_stop", "truncated", *EVENTS[:7], b"event: message_stop\n\n")
odd("stop_no_json", "protocol", *EVENTS[:7], b"event: message_stop\ndata: bye\n\n")
odd("utf32", "truncated", BODY.decode().encode("utf-32"))
odd("utf16_be", "truncated", BODY.decode().encode("utf-16-be"))
odd("latin1_body", "protocol", BODY.decode().encode("latin-1", "replace"))
odd("tool_half_stopped_strict", "protocol", START, *tool('{"a": '), DELTA, END, client={"strict": True})
odd("tool_string", "ok", START, *tool('"x"'), DELTA, END, text=None, check=tool_is(None, "invalid"))
odd("tool_null", "ok", START, *tool("null"), DELTA, END, text=None, check=tool_is(None, "invalid"))
odd("tool_number", "ok", START, *tool("5"), DELTA, END, text=None, check=tool_is(None, "invalid"))
odd("tool_garbage_behind", "ok", START, *tool('{"a": 1}', "xyz"), DELTA, END, text=None, check=tool_is(None, "invalid"))
odd("tool_bigint", "ok", START, *tool('{"a": ' + "9" * 5_000 + "}"), DELTA, END, text=None)
odd("tool_1e400", "ok", START, *tool('{"a": 1e400}'), DELTA, END, text=None)
odd("tool_dup_keys", "ok", START, *tool('{"a": 1, "a": 2}'), DELTA, END, text=None, check=tool_is({"a": 2}))
odd("tool_deep_allowed", "ok", START, *tool('{"a":' * 500 + "1" + "}" * 500), DELTA, END, text=None)
odd(
    "tool_input_string",
    "ok",
    START,
    *block({"type": "tool_use", "id": "t", "name": "n", "input": "{}"}),
    DELTA,
    END,
    text=None,
)
odd(
    "tool_input_list",
    "ok",
    START,
    *block({"type": "tool_use", "id": "t", "name": "n", "input": [1]}),
    DELTA,
    END,
    text=None,
)
odd(
    "tool_start_and_deltas",
    "ok",
    START,
    *block(
        {"type": "tool_use", "id": "t", "name": "n", "input": {"a": 1}},
        {"type": "input_json_delta", "partial_json": '{"b": 2}'},
    ),
    DELTA,
    END,
    text=None,
)
odd(
    "tool_name_null",
    "ok",
    START,
    *block({"type": "tool_use", "id": "t", "name": None, "input": {}}),
    DELTA,
    END,
    text=None,
)


def _no_input(outcome: Outcome) -> None:
    partial: Any = getattr(outcome.error, "partial", None)
    assert partial is not None
    assert partial.content[-1].input_status != "complete"
