"""Odd answers that are right all the same."""

from __future__ import annotations

import zlib
from typing import Any

from tests.faults.case import Outcome, case
from tests.faults.pieces import (
    CHUNKED,
    DELTAS,
    EVENTS,
    GOOD,
    HEAD,
    HELLO,
    JSON,
    MESSAGE,
    PING,
    TEXT_BLOCK,
    answer,
    chunk,
    chunks,
    events,
    fixed,
    gz,
    head,
    whole,
)
from tests.faults.server import FIN, FLOW, READ, RST
from tests.frames import DELTA, END, START, block, delta, start, stop, text, tool

BODY = events(*EVENTS)
SSE = "text/event-stream"


def good(name: str, *data: Any, **more: Any) -> None:
    case(name, "ok", [READ, *data], **more)


good("ok_plain", GOOD)
good("ok_crlf", HEAD + chunks(BODY.replace(b"\n", b"\r\n")))
good("ok_cr", HEAD + chunks(BODY.replace(b"\n", b"\r")))
good("ok_mixed_ends", HEAD + chunks(BODY.replace(b"\ndata", b"\rdata").replace(b"\n\nevent", b"\r\n\revent")))
good("ok_one_byte_chunks", HEAD + chunks(*(bytes([byte]) for byte in BODY)))
good("ok_one_chunk", HEAD + chunks(BODY))
good("ok_tiny_writes", FLOW(lambda: (GOOD[at : at + 3] for at in range(0, len(GOOD), 3))))
good("ok_slow_writes", FLOW(lambda: [each for at in range(0, len(GOOD), 97) for each in (GOOD[at : at + 97], 0.002)]))
good("ok_slow_head", FLOW(lambda: [each for byte in HEAD for each in (bytes([byte]), 0.0001)]), CHUNKED)
good("ok_comments_id_retry", answer(b": hi\n\n", EVENTS[0], b"id: 1\nretry: 5\n:\n", *EVENTS[1:], b": bye\n\n"))
good("ok_no_space", HEAD + chunks(BODY.replace(b": ", b":", 2).replace(b"\ndata: ", b"\ndata:")))
good("ok_bom", HEAD + chunks(b"\xef\xbb\xbf" + BODY))
good("ok_no_event_lines", answer(*(b"data: " + events(each).partition(b"data: ")[2] for each in EVENTS)))
good("ok_data_lines", answer(*(events(each).replace(b",", b",\ndata: ", 1) for each in EVENTS)))
good("ok_unknown_event", answer(EVENTS[0], {"type": "weather", "sky": {"blue": True}}, *EVENTS[1:]))
good("ok_unknown_event_no_json", answer(EVENTS[0], b"event: note\ndata: no JSON at all\n\n", *EVENTS[1:]))
good("ok_unknown_delta", answer(*EVENTS[:4], delta(0, type="smell_delta", smell="rose"), *EVENTS[4:]))
good("ok_unknown_block", answer(*EVENTS[:6], start(1, {"type": "hologram", "x": 1}), stop(1), DELTA, END))
good("ok_unknown_fields", answer({**EVENTS[0], "new": [1]}, *({**each, "p": "abc"} for each in EVENTS[1:])))
good("ok_unknown_stop_reason", answer(*EVENTS[:6], {**DELTA, "delta": {"stop_reason": "tired"}}, END))
good("ok_pings", answer(PING, EVENTS[0], PING, *EVENTS[1:3], PING, PING, *EVENTS[3:], PING))
good("ok_ping_no_data", answer(EVENTS[0], b"event: ping\n\n", b"event: ping\ndata:\n\n", *EVENTS[1:]))
good("ok_ping_empty", answer(EVENTS[0], b"event: ping\ndata: {}\n\n", *EVENTS[1:]))
good("ok_done_marker", answer(*EVENTS, b"data: [DONE]\n\n"))
good("ok_content_length", fixed(BODY, kind=SSE))
good("ok_close_delimited", head(200, f"content-type: {SSE}", framing=None) + BODY, FIN)
good("ok_http10", b"HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + BODY, FIN)
good("ok_connection_close", head(200, "connection: close") + CHUNKED, FIN)
good("ok_keep_alive_header", head(200, "connection: keep-alive", "keep-alive: timeout=5") + CHUNKED)
good(
    "ok_chunk_zeros",
    HEAD + b"".join(b"%08X\r\n%b\r\n" % (len(each), each) for each in (BODY[:170], BODY[170:])) + b"000\r\n\r\n",
)
good("ok_chunk_extension", HEAD + b"%x;a=b;c\r\n%b\r\n0;z\r\n\r\n" % (len(BODY), BODY))
good("ok_trailers", HEAD + chunk(BODY) + b"0\r\nx-checksum: abc\r\nx-more: 1\r\n\r\n")
good("ok_100", b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD)
good("ok_103", b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 3 + GOOD)
good("ok_102_then_pause", b"HTTP/1.1 102 Processing\r\n\r\n", 0.05, GOOD)
good("ok_no_reason", GOOD.replace(b"200 Whatever", b"200 ", 1))
good("ok_no_reason_no_space", GOOD.replace(b"200 Whatever", b"200", 1))
good("ok_latin1_reason", GOOD.replace(b"Whatever", "Größe".encode("latin-1"), 1))
good(
    "ok_odd_case_headers", head(200, "CoNtEnT-tYpE: TEXT/EVENT-STREAM", framing="TRANSFER-ENCODING: Chunked") + CHUNKED
)
good("ok_many_small_headers", head(200, *(f"x-h{number}: v" for number in range(90))) + CHUNKED)
good("ok_large_header", head(200, "x-large: " + "a" * 30_000) + CHUNKED)
good("ok_gzip", head(200, "content-encoding: gzip") + chunks(gz(BODY)))
good("ok_gzip_bytewise", head(200, "content-encoding: gzip") + chunks(*(bytes([byte]) for byte in gz(BODY))))
good("ok_identity", head(200, "content-encoding: identity") + CHUNKED)
LINES = "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\u0000h"
LINES_EVENTS = (START, *block(TEXT_BLOCK, {"type": "text_delta", "text": LINES}), DELTA, END)
good("ok_unicode_line_seps", answer(*LINES_EVENTS), text=LINES)
good(
    "ok_raw_line_seps",
    answer(
        START,
        start(0, TEXT_BLOCK),
        events(text("@@")).replace(b"@@", "x\u2028y\u2029z\x85".encode()),
        stop(0),
        DELTA,
        END,
    ),
    text="x\u2028y\u2029z\x85",
)
good("ok_stop_then_idle", HEAD + chunk(BODY), within=3.0)
good(
    "ok_stop_then_pings",
    HEAD + chunk(BODY),
    FLOW(lambda: (each for _ in range(500) for each in (chunk(PING), 0.01))),
    within=3.0,
)
good("ok_stop_then_flood", HEAD + chunk(BODY), FLOW(lambda: (chunk(PING * 500) for _ in range(50_000))), within=3.0)
good(
    "ok_stop_then_flood_create",
    HEAD + chunk(BODY),
    FLOW(lambda: (chunk(PING * 500) for _ in range(50_000))),
    how="message",
    within=3.0,
)
good("ok_stop_then_cut", HEAD + chunk(BODY), FIN)
good("ok_stop_then_reset", HEAD + chunk(BODY), 0.02, RST)
good("ok_stop_then_garbage", HEAD + chunk(BODY) + b"zzz\r\n")
good("ok_stop_then_idle_create", HEAD + chunk(BODY), how="message", within=3.0)
good("ok_half_closed", GOOD, FIN)
DOUBLED = (
    b'data: {"type":"x","type":"content_block_delta","index":7,"index":0,'
    b'"delta":{"type":"text_delta","text":"no","text":"Hello, "}}\n\n'
)
good(
    "ok_dup_keys",
    answer(
        *EVENTS[:2],
        DOUBLED,
        *EVENTS[3:],
    ),
)


def tool_is(value: Any, status: str = "complete") -> Any:
    def check(outcome: Outcome) -> None:
        assert outcome.message is not None
        found: Any = outcome.message.content[-1]
        assert found.input_status in status.split("|")
        if status == "complete":
            assert found.input == value

    return check


INPUT = '{"city": "Köln", "days": [1, 2, 3], "deep": {"a": {"b": null}}, "text": "äöü \\u00e9"}'
PARTS = [INPUT[at : at + 3] for at in range(0, len(INPUT), 3)]
VALUE = {"city": "Köln", "days": [1, 2, 3], "deep": {"a": {"b": None}}, "text": "äöü é"}
good("ok_tool", answer(START, *tool("", *PARTS), DELTA, END), text=None, check=tool_is(VALUE))
good("ok_tool_empty", answer(START, *tool(), DELTA, END), text=None, check=tool_is({}))
good("ok_tool_empty_deltas", answer(START, *tool("", "", ""), DELTA, END), text=None, check=tool_is({}))
PIECE = "x" * 100
good(
    "ok_tool_big",
    HEAD + chunks(*(events(each) for each in (START, *tool('{"text": "', *[PIECE] * 12_000, '"}'), DELTA, END))),
    text=None,
    check=tool_is({"text": PIECE * 12_000}),
)
THINKING = block(
    {"type": "thinking", "thinking": "", "signature": ""},
    {"type": "thinking_delta", "thinking": "Hm."},
    {"type": "signature_delta", "signature": "c2ln"},
)
good("ok_thinking", answer(START, *THINKING, start(1, TEXT_BLOCK), text(HELLO, 1), stop(1), DELTA, END))
good(
    "ok_citations",
    answer(
        *EVENTS[:5],
        delta(0, type="citations_delta", citation={"type": "page_location", "cited_text": "a"}),
        *EVENTS[5:],
    ),
)
good("ok_no_content", answer(START, DELTA, END), text="")
good("ok_long_text", answer(*EVENTS[:2], *[text("word ")] * 5_000, *EVENTS[5:]), text="word " * 5_000)
good("ok_json", JSON, how="whole")
good(
    "ok_json_chunked",
    head(200, "content-type: application/json")
    + chunks(*(JSON.partition(b"\r\n\r\n")[2][at : at + 7] for at in range(0, 400, 7))),
    how="whole",
)
good("ok_json_bom", whole(b"\xef\xbb\xbf" + JSON.partition(b"\r\n\r\n")[2]), how="whole")
good("ok_json_spaces", whole(b" \n" * 200 + JSON.partition(b"\r\n\r\n")[2] + b"\n"), how="whole")
good("ok_json_gzip", whole(gz(JSON.partition(b"\r\n\r\n")[2]), "content-encoding: gzip"), how="whole")
good(
    "ok_json_unknown_fields",
    whole({**MESSAGE, "new": {"a": [1]}, "content": [*MESSAGE["content"], {"type": "new"}]}),
    how="whole",
)
good("ok_json_close", head(200, framing=None) + JSON.partition(b"\r\n\r\n")[2], FIN, how="whole")
good("ok_create", GOOD, how="message")
good("ok_ct_missing", head(200) + CHUNKED)
good("ok_ct_plain", head(200, "content-type: text/plain") + CHUNKED)
good("ok_ct_json", head(200, "content-type: application/json") + CHUNKED)
good("ok_ct_nonsense", head(200, "content-type: ;;;/\xff") + CHUNKED)
good("ok_ct_twice", head(200, "content-type: text/html", "content-type: text/plain") + CHUNKED)
good("ok_empty_blocks", answer(*EVENTS[:6], start(1, TEXT_BLOCK), stop(1), DELTA, END))
good("ok_text_in_start", answer(START, start(0, {"type": "text", "text": "Hello, "}), *DELTAS[1:], stop(0), DELTA, END))
good("ok_repeated_deltas_null_stop", answer(*EVENTS[:6], {**DELTA, "delta": {"stop_reason": None}}, DELTA, END))
good("ok_set_cookie", head(200, "set-cookie: a=b", "set-cookie: c=d") + CHUNKED)


# Neighbours of these: what else a server, a gateway or a compressing proxy may do rightly

good("ok_retry_digits", answer(b"retry: " + b"9" * 5_000 + b"\n\n", *EVENTS))
good("ok_retry_nonsense", answer("retry: \u00b2\nretry: -1\nretry: 1e9\n\n".encode(), *EVENTS))
good("ok_id_large", answer(b"id: " + b"i" * 100_000 + b"\n\n", *EVENTS))
good("ok_id_nul", answer(b"id: a\0b\n\n", *EVENTS))
good("ok_unknown_fields_of_sse", answer(*(b"x-field: y\nnofield\n" + events(each) for each in EVENTS)))
good("ok_event_line_twice", answer(*(b"event: wrong\n" + events(each) for each in EVENTS)))
good("ok_event_line_last", answer(*(events(each).partition(b"\n")[2][:-1] + b"event: x\n\n" for each in EVENTS)))
good("ok_blank_lines", answer(b"\n\n\n", EVENTS[0], b"\n\r\n\r", *EVENTS[1:]))
good("ok_space_after_json", answer(*(events(each)[:-2] + b" \t  \n\n" for each in EVENTS)))
good(
    "ok_1xx_bytewise",
    FLOW(lambda: (bytes([byte]) for byte in b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD[:300])),
    GOOD[300:],
)
good("ok_1xx_with_length", b"HTTP/1.1 103 Hints\r\ncontent-length: 500\r\n\r\n" + GOOD)
good("ok_1xx_with_close", b"HTTP/1.1 103 Hints\r\nconnection: close\r\n\r\n" + GOOD)
good(
    "ok_http10_keep_alive",
    b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY,
)
good("ok_close_upper_case", head(200, "Connection: CLOSE") + CHUNKED, FIN)
good("ok_connection_list", head(200, "connection: x-a, keep-alive") + CHUNKED)
good("ok_upgrade_offered", head(200, "upgrade: h2c", "connection: upgrade") + CHUNKED)


def flushed(*values: Any) -> list[bytes]:
    """gzip as a gateway makes it of a stream: whatever has come is flushed, event by event."""
    packer = zlib.compressobj(wbits=31)
    return [packer.compress(events(value)) + packer.flush(zlib.Z_SYNC_FLUSH) for value in values]


GZIP = head(200, "content-encoding: gzip")
good("ok_gzip_flushed", GZIP + chunk(*flushed(*EVENTS)), within=3.0)
good("ok_gzip_flushed_then_cut", GZIP + chunk(*flushed(*EVENTS)), FIN)
good("ok_gzip_padding", GZIP + chunks(gz(BODY) + b"\0" * 512))
good("ok_gzip_garbage_behind", GZIP + chunks(gz(BODY) + b"<html>"))
good("ok_gzip_no_trailer", GZIP + chunks(gz(BODY)[:-8]))
good("ok_gzip_length", head(200, "content-encoding: gzip", framing=f"content-length: {len(gz(BODY))}") + gz(BODY))
good("ok_gzip_members", GZIP + chunks(*(gz(events(each)) for each in EVENTS)))
good("ok_gzip_empty_members", GZIP + chunks(gz(b"") * 2_000 + gz(BODY)))
good("ok_deflate", head(200, "content-encoding: deflate") + chunks(zlib.compress(BODY)))
good("ok_deflate_raw", head(200, "content-encoding: deflate") + chunks(zlib.compress(BODY, wbits=-15)))
good("ok_stop_in_two", HEAD + chunk(BODY[:-1]), 0.02, chunk(b"\n"))
good("ok_stop_cr_held", HEAD + chunk(BODY[:-2] + b"\r"), 0.02, chunks(b"\r"))
good("ok_stop_then_half_chunk", HEAD + chunk(BODY) + b"ff\r\nab", within=3.0)
good("ok_stop_then_answer", HEAD + chunk(BODY) + b"HTTP/1.1 400 Bad\r\n\r\n", FIN)
good("ok_length_then_answer", fixed(BODY, kind=SSE) + b"HTTP/1.1 408 Timeout\r\nconnection: close\r\n\r\n", FIN)
good("ok_create_stop_then_reset", HEAD + chunk(BODY), 0.02, RST, how="message")
good("ok_create_bytewise", FLOW(lambda: (bytes([byte]) for byte in GOOD)), how="message")
good("ok_create_pings", answer(PING, EVENTS[0], PING, *EVENTS[1:], PING), how="message")
good(
    "ok_many_blocks",
    answer(
        START,
        *(each for at in range(200) for each in block(TEXT_BLOCK, {"type": "text_delta", "text": "ab"}, index=at)),
        DELTA,
        END,
    ),
    text="ab" * 200,
)
good("ok_large_event", answer(*EVENTS[:2], text("x" * 2_000_000), stop(0), DELTA, END), text="x" * 2_000_000)
good(
    "ok_tool_two",
    answer(START, *tool('{"a"', ": 1}"), *tool('{"b": ', "2}", index=1), DELTA, END),
    text=None,
    check=tool_is({"b": 2}),
)
good(
    "ok_tool_split_escapes",
    answer(START, *tool(*'{"a": "\\ud83d\\ude42\\u00e9\\n"}'), DELTA, END),
    text=None,
    check=tool_is({"a": "\U0001f642\u00e9\n"}),
)
good("ok_tool_spaces", answer(START, *tool("  ", "\n{}", "  "), DELTA, END), text=None, check=tool_is({}))
good(
    "ok_tool_in_start",
    answer(START, *block({"type": "tool_use", "id": "t", "name": "n", "input": {"a": 1}}), DELTA, END),
    text=None,
    check=tool_is({"a": 1}),
)
good("ok_tool_create", answer(START, *tool("", *PARTS), DELTA, END), how="message", text=None, check=tool_is(VALUE))
good(
    "ok_tool_whole",
    whole({**MESSAGE, "content": [{"type": "tool_use", "id": "t", "name": "n", "input": VALUE}]}),
    how="whole",
    text=None,
    check=tool_is(VALUE),
)
good(
    "ok_redacted_thinking",
    answer(
        START,
        *block({"type": "redacted_thinking", "data": "EmwK"}),
        start(1, TEXT_BLOCK),
        text(HELLO, 1),
        stop(1),
        DELTA,
        END,
    ),
)
good(
    "ok_signature_only",
    answer(
        START,
        *block({"type": "thinking", "thinking": "", "signature": ""}, {"type": "signature_delta", "signature": "c2ln"}),
        start(1, TEXT_BLOCK),
        text(HELLO, 1),
        stop(1),
        DELTA,
        END,
    ),
)
good("ok_content_in_start", answer({**START, "message": {**START["message"], "content": []}}, *EVENTS[1:]))
RAW_JSON = JSON.partition(b"\r\n\r\n")[2]
good("ok_json_bytewise", FLOW(lambda: (bytes([byte]) for byte in JSON)), how="whole")
good("ok_json_deflate", whole(zlib.compress(RAW_JSON), "content-encoding: deflate"), how="whole")
good("ok_json_1xx", b"HTTP/1.1 100 Continue\r\n\r\n" + JSON, how="whole")
good("ok_json_http10", b"HTTP/1.0 200 OK\r\n\r\n" + RAW_JSON, FIN, how="whole")
good("ok_json_then_idle", JSON, how="whole", within=3.0)
good("ok_json_then_reset", JSON, 0.02, RST, how="whole")
good("ok_json_ct_html", fixed(RAW_JSON, kind="text/html"), how="whole")
good("ok_json_trailers", head(200) + chunk(RAW_JSON) + b"0\r\nx-sum: 1\r\n\r\n", how="whole")
good(
    "ok_json_slow",
    head(200, framing=f"content-length: {len(RAW_JSON)}"),
    FLOW(lambda: [each for at in range(0, len(RAW_JSON), 20) for each in (RAW_JSON[at : at + 20], 0.002)]),
    how="whole",
)
