"""Answers that are cut."""

from __future__ import annotations

from typing import Any

from sansio_claude._errors import ReadError
from tests.certificates import server_context
from tests.faults.case import Outcome, case
from tests.faults.cases_answers import tool_is
from tests.faults.cases_reuse import over
from tests.faults.pieces import (
    EVENTS,
    GOOD,
    HEAD,
    HELLO,
    JSON,
    PING,
    TEXT_BLOCK,
    answer,
    chunk,
    chunks,
    events,
    fixed,
    gz,
    head,
)
from tests.faults.server import FIN, NOTIFY, RAW, READ, RST, TLS
from tests.frames import DELTA, END, START, start, tool

BODY = events(*EVENTS)
JSON_BODY = JSON.partition(b"\r\n\r\n")[2]
SSE = "text/event-stream"
SERVER = TLS(server_context("127.0.0.1"))
CLOSE_HEAD = head(200, f"content-type: {SSE}", framing=None)


def cut(name: str, *data: Any, want: str = "truncated", **more: Any) -> None:
    case(name, want, [READ, *data], **more)


cut("trunc_clean_mid_text", answer(*EVENTS[:4]), given="Hello, grüße, ")
cut("trunc_clean_after_start", answer(*EVENTS[:1]), given="")
cut("trunc_clean_after_block", answer(*EVENTS[:6]), given=HELLO)
cut("trunc_clean_before_stop", answer(*EVENTS[:7]), given=HELLO)
cut("trunc_clean_between_blocks", answer(*EVENTS[:6], start(1, TEXT_BLOCK)), given=HELLO)
cut("trunc_mid_chunk", HEAD + chunk(*(events(each) for each in EVENTS[:3])) + b"40\r\nevent", FIN, given="Hello, ")
cut("trunc_mid_chunk_size", HEAD + chunk(events(*EVENTS[:3])) + b"4", FIN, given="Hello, ")
cut("trunc_after_chunk_size", HEAD + chunk(events(*EVENTS[:3])) + b"40\r\n", FIN, given="Hello, ")
cut("trunc_between_chunks", HEAD + chunk(events(*EVENTS[:3])), FIN, given="Hello, ")
cut("trunc_before_chunk_end", HEAD + chunk(events(*EVENTS[:3]))[:-2], FIN, given="Hello, ")
cut("trunc_no_chunks", HEAD, FIN, given="")
cut(
    "trunc_rst",
    HEAD + chunk(events(*EVENTS[:3])),
    0.03,
    RST,
    want="connect|truncated",
    error=ReadError,
    given="Hello, ",
)
cut("trunc_rst_after_head", HEAD, 0.02, RST, want="connect|truncated")
cut("trunc_rst_in_head", HEAD[:30], 0.02, RST, want="connect|truncated")
cut("trunc_in_status_line", b"HTTP/1.1 2", FIN, want="truncated|connect")
cut("trunc_one_byte", b"H", FIN, want="truncated|connect")
cut("trunc_in_headers", HEAD[:-20], FIN, want="truncated|connect")
cut("trunc_before_blank_line", HEAD[:-2], FIN, want="truncated|connect")
cut("trunc_close_delimited", CLOSE_HEAD + BODY[:500], FIN)
cut("trunc_close_delimited_border", CLOSE_HEAD + events(*EVENTS[:4]), FIN, given="Hello, grüße, ")
cut("trunc_http10", b"HTTP/1.0 200 OK\r\n\r\n" + events(*EVENTS[:4]), FIN, given="Hello, grüße, ")
cut("trunc_length", head(200, framing=f"content-length: {len(BODY)}") + BODY[:600], FIN)
cut("trunc_length_last_byte", head(200, framing=f"content-length: {len(BODY)}") + BODY[:-1], FIN)
cut("trunc_mid_event", HEAD + chunks(events(*EVENTS[:3]) + events(EVENTS[3])[:60]), given="Hello, ")
cut(
    "trunc_mid_character", HEAD + chunks(events(*EVENTS[:3]) + events(EVENTS[3]).partition(b"\xbc")[0]), given="Hello, "
)
cut("trunc_mid_event_name", HEAD + chunks(events(*EVENTS[:3]) + b"event: content_blo"), given="Hello, ")
cut("trunc_mid_data_word", HEAD + chunks(events(*EVENTS[:3]) + b"event: content_block_delta\ndat"), given="Hello, ")
case("trunc_no_final_blank", "ok", [READ, HEAD + chunks(BODY[:-1])])
case("trunc_no_final_line_end", "ok", [READ, HEAD + chunks(BODY[:-2])])
cut("trunc_final_half", HEAD + chunks(BODY[:-3]), given=HELLO)
cut("trunc_empty_chunked", HEAD + b"0\r\n\r\n")
cut("trunc_empty_cl0", fixed(b"", kind=SSE))
cut("trunc_empty_close", CLOSE_HEAD, FIN)
cut("trunc_only_pings", answer(PING, PING))
cut("trunc_only_comments", answer(b": still here\n\n", b":\n"))
cut("trunc_only_done", answer(b"data: [DONE]\n\n"))
cut("trunc_only_spaces", HEAD + chunks(b"   \n\n  "))
cut("trunc_only_bom", HEAD + chunks(b"\xef\xbb\xbf"))
cut("trunc_gzip", head(200, "content-encoding: gzip") + chunks(gz(BODY)[:-30]))
cut("trunc_gzip_no_trailer", head(200, "content-encoding: gzip") + chunks(gz(events(*EVENTS[:4]))[:-8]))


def marked(outcome: Outcome) -> None:
    assert outcome.deviations


case("trunc_block_open", "ok", [READ, answer(*EVENTS[:5], DELTA, END)], check=marked)


def tool_marked(status: str) -> Any:
    def check(outcome: Outcome) -> None:
        tool_is(None, status)(outcome)
        marked(outcome)

    return check


case(
    "trunc_tool_open_stop",
    "ok",
    [READ, answer(START, *tool("", '{"a": [1, ')[:-1], DELTA, END)],
    text=None,
    check=tool_marked("partial"),
)
case(
    "trunc_tool_open_stopped",
    "ok",
    [READ, answer(START, *tool("", '{"a": [1, '), DELTA, END)],
    text=None,
    check=tool_marked("invalid|partial"),
)
cut("trunc_tool_mid", answer(START, *tool("", '{"a": [1, ')[:-1]), check=lambda outcome: _no_input(outcome))
cut("trunc_tool_whole_not_stopped", answer(START, *tool("", '{"a": 1}')[:-1]), check=lambda outcome: _no_input(outcome))
cut("trunc_strict_block_open", answer(*EVENTS[:5], DELTA, END), want="protocol|truncated", client={"strict": True})
cut(
    "trunc_strict_tool",
    answer(START, *tool("", '{"a": [1'), DELTA, END),
    want="protocol|truncated",
    client={"strict": True},
)


def _no_input(outcome: Outcome) -> None:
    partial: Any = getattr(outcome.error, "partial", None)
    assert partial is not None
    assert partial.content[0].input_status != "complete"


SECURE: dict[str, Any] = {"tls": True}
case(
    "trunc_tls_no_close_notify",
    "truncated",
    [SERVER, READ, CLOSE_HEAD + events(*EVENTS[:4]), FIN],
    **SECURE,
    given="Hello, grüße, ",
)
case("trunc_tls_close_notify", "truncated", [SERVER, READ, CLOSE_HEAD + events(*EVENTS[:4]), NOTIFY, FIN], **SECURE)
case("trunc_tls_chunked", "truncated", [SERVER, READ, HEAD + chunk(events(*EVENTS[:4])), FIN], **SECURE)
case("trunc_tls_rst", "connect|truncated", [SERVER, READ, HEAD + chunk(events(*EVENTS[:4])), 0.02, RST], **SECURE)
case(
    "trunc_tls_in_record",
    "truncated|connect",
    [SERVER, READ, HEAD, RAW(b"\x17\x03\x03\x00\xff" + b"x" * 30), FIN],
    **SECURE,
)
case(
    "trunc_tls_json_whole", "truncated", [SERVER, READ, head(200, framing=None) + JSON_BODY, FIN], **SECURE, how="whole"
)
case(
    "ok_tls_json_close_notify",
    "ok",
    [SERVER, READ, head(200, framing=None) + JSON_BODY, NOTIFY, FIN],
    **SECURE,
    how="whole",
)
cut("trunc_json_chunked", head(200) + chunk(JSON_BODY), FIN, how="whole", want="truncated")
cut("trunc_json_length", JSON[:-5], FIN, how="whole")
cut("trunc_json_close", head(200, framing=None) + JSON_BODY[:-9], FIN, how="whole", want="truncated|protocol")
cut("trunc_json_rst", JSON[:-5], 0.02, RST, how="whole", want="connect|truncated")
cut("trunc_json_empty", fixed(b""), how="whole", want="truncated|protocol")
cut("trunc_json_spaces", fixed(b"  \n "), how="whole", want="truncated|protocol")
cut("trunc_after_100", b"HTTP/1.1 100 Continue\r\n\r\n", FIN, want="truncated|connect|protocol")
cut("trunc_after_103_rst", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.02, RST, want="truncated|connect|protocol")
case(
    "trunc_no_replay",
    "truncated",
    [READ, HEAD + chunk(events(*EVENTS[:3])), FIN],
    [READ, GOOD],
    tries=1,
    check=over(1),
    then=False,
)
case(
    "trunc_no_replay_create",
    "truncated",
    [READ, HEAD + chunk(events(*EVENTS[:3])), FIN],
    [READ, GOOD],
    tries=1,
    how="message",
)
case("trunc_no_replay_head", "truncated", [READ, HEAD, FIN], [READ, GOOD], tries=1)
cut("trunc_204", head(204, framing=None), want="api|protocol|truncated")
cut("trunc_205", head(205, framing="content-length: 0"), want="api|protocol|truncated")
cut("trunc_304", head(304, framing=None), want="api|protocol|truncated")
cut("trunc_create", HEAD + chunk(events(*EVENTS[:3])), FIN, how="message")
cut("trunc_create_clean", answer(*EVENTS[:7]), how="message")
