"""Broken HTTP, chunks and compression."""

from __future__ import annotations

import zlib
from typing import Any

from sansio_claude._errors import LimitError
from tests.faults.case import case
from tests.faults.pieces import CHUNKED, EVENTS, GOOD, HEAD, JSON, PAGE, chunk, chunks, events, fixed, gz, head
from tests.faults.server import FIN, FLOW, HOLD, READ, Step

BODY = events(*EVENTS)


def broken(name: str, *data: Any, want: str = "protocol", **more: Any) -> None:
    end: list[Step] = [] if data and data[-1] in (HOLD, FIN) else [FIN]
    case(name, want, [READ, *data, *end], **more)


def instead(old: bytes, new: bytes) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def field(line: bytes) -> bytes:
    """A good answer with one more header line."""
    return instead(b"request-id", line + b"\r\nrequest-id")


STATUS = b"HTTP/1.1 200 Whatever"
TE = b"transfer-encoding: chunked"
broken("http_bad_status", instead(b" 200 ", b" 2x0 "))
broken("http_status_short", instead(b" 200 ", b" 20 "))
broken("http_status_long", instead(b" 200 ", b" 2000 "))
broken("http_status_negative", instead(b" 200 ", b" -20 "))
broken("http_status_000", instead(b" 200 ", b" 000 "), want="protocol|api")
case("http_status_999", "api|protocol", [READ, instead(b" 200 ", b" 999 ")], tries=3)
case("http_status_600", "api|protocol", [READ, instead(b" 200 ", b" 600 ")], tries=3)
broken("http_status_299", instead(b" 200 ", b" 299 "), want="api|protocol")
broken("http_status_201", instead(b" 200 ", b" 201 "), want="api|protocol")
broken("http_status_206", instead(b" 200 ", b" 206 "), want="api|protocol")
broken("http_version_99", instead(b"HTTP/1.1", b"HTTP/9.9"))
broken("http_version_20", instead(b"HTTP/1.1", b"HTTP/2.0"))
broken("http_version_none", instead(b"HTTP/1.1 ", b"HTTP "))
broken("http_09", b"<html>hello</html>")
broken("http_lower_case", instead(b"HTTP/1.1", b"http/1.1"))
broken("http_garbage", b"\x00\xff\xfe garbage \r\n\r\n" * 10)
broken("http_empty_lines", b"\r\n\r\n\r\n\r\n", want="protocol|truncated")
broken("http_other_protocol", b"220 mail.example ESMTP\r\n", HOLD)
broken("http_request_back", b"POST / HTTP/1.1\r\nhost: x\r\n\r\n")
broken("http_h2", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + b"\x00\x03\x00\x00\x00\x64" * 3, HOLD)
broken("http_h2_preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HOLD)
broken("http_tls_alert", b"\x15\x03\x01\x00\x02\x02\x46")
broken("http_no_colon", field(b"this has none"))
broken("http_space_colon", field(b"x-a : b"))
broken("http_empty_name", field(b": b"))
broken("http_bad_name", field(b"x(y): b"))
broken("http_nul_header", field(b"x-a: b\0c"))
broken("http_nul_name", field(b"x\0a: b"))
case("http_control", "ok|protocol", [READ, field(b"x-a: b\x01c")])
broken("http_cr_in_value", field(b"x-a: b\rtransfer-encoding: chunked\r"))
broken("http_fold_first", instead(b"\r\nrequest-id", b"\r\n folded\r\nrequest-id"))
broken("http_huge_header", field(b"x-a: " + b"b" * 1_048_576), want="limit", error=LimitError)
broken("http_huge_reason", instead(b"Whatever", b"w" * 1_048_576), want="limit")
broken("http_many_headers", field(b"\r\n".join(b"x-%d: y" % number for number in range(20_000))), want="limit")
broken(
    "http_endless_headers", STATUS + b"\r\n", FLOW(lambda: (b"x-a: b\r\n" * 4_096 for _ in range(1_024))), want="limit"
)
broken(
    "http_endless_line",
    FLOW(lambda: (b"HTTP/1.1 200 " if not number else b"w" * 32_768 for number in range(1_024))),
    want="limit",
)
broken("http_1xx_flood", FLOW(lambda: (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100 for _ in range(500))), want="limit")
broken(
    "http_1xx_large",
    FLOW(lambda: (b"HTTP/1.1 103 Hints\r\nlink: " + b"a" * 30_000 + b"\r\n\r\n" for _ in range(300))),
    want="limit",
)
broken(
    "http_101",
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    HOLD,
    want="protocol|api",
)
broken("http_two_lengths", head(200, f"content-length: {len(BODY)}", framing=f"content-length: {len(BODY) - 9}") + BODY)
broken("http_lengths_list", head(200, framing=f"content-length: {len(BODY)}, {len(BODY) - 9}") + BODY)
case(
    "http_same_lengths",
    "ok|protocol",
    [READ, head(200, f"content-length: {len(BODY)}", framing=f"content-length: {len(BODY)}") + BODY],
)
broken(
    "http_giant_length", head(200, framing="content-length: " + "9" * 40) + BODY[:300], want="protocol|limit|truncated"
)
broken("http_5000_digit_length", head(200, framing="content-length: " + "9" * 5_000) + BODY, want="protocol|limit")
broken("http_negative_length", head(200, framing="content-length: -1") + BODY)
broken("http_plus_length", head(200, framing="content-length: +50") + BODY)
broken("http_hex_length", head(200, framing="content-length: 0x50") + BODY)
broken("http_float_length", head(200, framing="content-length: 5e2") + BODY)
broken("http_empty_length", head(200, framing="content-length:") + BODY)
broken("http_other_digits", b"HTTP/1.1 200 OK\r\ncontent-length: \xd9\xa1\xd9\xa2\r\n\r\n" + BODY)
broken("http_short_length", head(200, framing="content-length: 300") + BODY, want="truncated|protocol")
broken("http_te_gzip", instead(TE, b"transfer-encoding: gzip, chunked"))
broken("http_te_unknown", instead(TE, b"transfer-encoding: xchunked"))
broken("http_te_twice", instead(TE, TE + b"\r\n" + TE))
broken("http_te_chunked_list", instead(TE, TE + b", chunked"))
broken("http_te_identity", instead(TE, b"transfer-encoding: identity"))
broken("http_te_http10", instead(b"HTTP/1.1", b"HTTP/1.0"), want="protocol|ok")
case("http_te_and_length", "ok|protocol", [READ, instead(TE, TE + b"\r\ncontent-length: 5")])
case("http_lf_only", "ok|protocol", [READ, HEAD.replace(b"\r\n", b"\n") + CHUNKED])
case("http_leading_crlf", "ok|protocol", [READ, b"\r\n" + GOOD])
case("http_folded", "ok|protocol", [READ, field(b"x-a: b\r\n  c")])
case("http_obs_text", "ok", [READ, field(b"x-a: \xff\xfe\x80")])
case("http_empty_value", "ok", [READ, field(b"x-a:")])
case("http_no_headers", "ok", [READ, b"HTTP/1.1 200 OK\r\n\r\n" + BODY, FIN])
broken(
    "http_two_answers_first_bad", head(200, framing="content-length: 5") + b"hello" + GOOD, want="protocol|truncated"
)

FIRST = chunk(events(*EVENTS[:3]))


def chunky(name: str, rest: bytes, *more: Any, want: str = "protocol", **options: Any) -> None:
    broken(name, HEAD + FIRST + rest, *more, want=want, given="Hello, ", **options)


chunky("chunk_bad_size", b"zz\r\nhello\r\n")
chunky("chunk_0x", b"0x5\r\nhello\r\n")
chunky("chunk_negative", b"-5\r\nhello\r\n")
chunky("chunk_plus", b"+5\r\nhello\r\n")
chunky("chunk_underscore", b"1_0\r\n" + b"a" * 16 + b"\r\n")
chunky("chunk_empty_size", b"\r\nhello\r\n")
chunky("chunk_space_size", b" 5\r\nhello\r\n")
chunky("chunk_size_huge", b"f" * 17 + b"\r\nhello\r\n", want="protocol|limit|truncated")
chunky("chunk_size_digits", b"0" * 5_000 + b"5\r\nhello\r\n", want="protocol|limit")
chunky("chunk_size_endless", b"1" * 1_000_000, want="protocol|limit")
chunky("chunk_size_short", b"3\r\nhello\r\n")
chunky("chunk_size_long", b"7\r\nhello\r\n0\r\n\r\n", want="protocol|truncated")
chunky("chunk_lf_ends", want="protocol|truncated", rest=b"5\nhello\n0\n\n")
chunky("chunk_no_crlf", b"5\r\nhello5\r\nhello\r\n")
chunky("chunk_ext_lf", b"5;a\nb\r\nhello\r\n0\r\n\r\n")
case("chunk_ext_cr", "ok|protocol", [READ, HEAD + b"%x;a\rb\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)])
case("chunk_ext_nul", "ok|protocol", [READ, HEAD + b"%x;a\0b\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)])
chunky("chunk_ext_huge", b"5;", FLOW(lambda: (b"a" * 65_536 for _ in range(128))), want="limit")
chunky("chunk_garbage", want="protocol|truncated", rest=PAGE)
chunky("chunk_after_last", b"0\r\nnot a trailer\r\n\r\n", want="protocol|truncated")
broken("chunk_not_chunked", HEAD + BODY, want="protocol|truncated")
STOPPED = HEAD + chunk(BODY) + b"0\r\n"
case("trailers_huge", "ok", [READ, STOPPED, FLOW(lambda: (b"x-a: " + b"b" * 65_000 + b"\r\n" for _ in range(128)))])
case("trailers_many", "ok", [READ, STOPPED + b"x: y\r\n" * 20_000 + b"\r\n"])
case("trailers_bad", "ok", [READ, STOPPED + b"no colon\r\n\r\n"])
broken(
    "trailers_huge_json",
    head(200) + chunk(JSON.partition(b"\r\n\r\n")[2]) + b"0\r\n" + b"x: y\r\n" * 20_000 + b"\r\n",
    how="whole",
    want="limit",
)
case("trailers_status", "ok", [READ, STOPPED + b"status: 500\r\ncontent-length: 5\r\n\r\n"])


def encoded(name: str, coding: str, *pieces: bytes, want: str = "protocol", **more: Any) -> None:
    broken(name, head(200, f"content-encoding: {coding}") + chunks(*pieces), want=want, **more)


def line_of(size: int) -> bytes:
    return b'event: content_block_delta\ndata: {"type":"content_block_delta","x":"' + b"a" * size


encoded("ce_unknown", "br", BODY)
encoded("ce_zstd", "zstd", b"\x28\xb5\x2f\xfd" + BODY)
encoded("ce_nonsense", "rot13", BODY)
encoded("ce_list", "gzip, gzip", gz(gz(BODY)), want="protocol|ok")
encoded("ce_gzip_bad", "gzip", BODY)
encoded("ce_gzip_corrupt", "gzip", gz(BODY)[:200] + b"\xff\x00\xff" + gz(BODY)[203:])
encoded("ce_gzip_bad_crc", "gzip", gz(events(*EVENTS[:5]))[:-8] + b"\0" * 8, want="protocol|truncated")
encoded("ce_gzip_garbage_behind", "gzip", gz(events(*EVENTS[:5])) + b"garbage", want="protocol|truncated")
encoded("ce_gzip_empty", "gzip", want="truncated|protocol")
BOMB = gz(line_of(64 << 20))
encoded("ce_gzip_bomb", "gzip", BOMB, want="limit")
encoded("ce_gzip_bomb_events", "gzip", gz(events(*EVENTS[:2]) + b": ping\n\n" * (8 << 20)), want="limit")
encoded("ce_gzip_nested_bomb", "gzip", gz(BOMB), want="protocol|limit|truncated")
broken(
    "ce_json_bomb",
    fixed(gz(b'{"a":"' + b"a" * (64 << 20) + b'"}'), "content-encoding: gzip"),
    how="whole",
    want="limit",
)
broken("ce_hidden_gzip", head(200) + chunks(gz(BODY)), words="gzip")
encoded("ce_deflate", "deflate", zlib.compress(BODY), want="ok|protocol")
case(
    "ce_gzip_two_members",
    "ok|protocol",
    [READ, head(200, "content-encoding: gzip") + chunks(gz(BODY[:400]), gz(BODY[400:]))],
)
case("ce_x_gzip", "ok|protocol", [READ, head(200, "content-encoding: x-gzip") + chunks(gz(BODY))])
case("ce_gzip_upper", "ok", [READ, head(200, "Content-Encoding: GZIP") + chunks(gz(BODY))])
case("ce_empty", "ok", [READ, head(200, "content-encoding: ") + CHUNKED])


# Neighbours of these

broken("http_status_digits", b"HTTP/1.1 2\xd9\xa00 OK\r\n\r\n")
broken("http_status_plus", instead(b" 200 ", b" +200 "))
broken("http_status_none", b"HTTP/1.1 \r\n\r\n")
broken("http_status_tab", instead(b" 200 ", b"\t200 "), want="protocol|ok")
broken("http_two_spaces", instead(b" 200 ", b"  200 "))
broken("http_reason_nul", instead(b"Whatever", b"a\0b"))
broken("http_reason_cr", instead(b"Whatever", b"a\rb: c"))
broken("http_version_12", instead(b"HTTP/1.1", b"HTTP/1.2"), want="protocol|ok")
broken("http_version_long", instead(b"HTTP/1.1", b"HTTP/1.1000000000"))
broken("http_version_digits", instead(b"HTTP/1.1", b"HTTP/11"))
broken("http_icy", instead(b"HTTP/1.1", b"ICY"))
broken("http_rtsp", instead(b"HTTP/1.1", b"RTSP/1.0"))
broken("http_name_space", field(b"x a: b"))
broken("http_name_tab", field(b"x-a\t: b"))
broken("http_name_utf8", field("x-\u00e4: b".encode()))
broken("http_name_huge", field(b"x" * 1_000_000 + b": y"), want="limit")
broken("http_space_first", field(b" x-a: b"), want="protocol|ok")
broken("http_lf_in_value", field(b"x-a: b\ntransfer-encoding: identity"), want="protocol|ok")
broken("http_cr_ends", HEAD.replace(b"\r\n", b"\r") + CHUNKED, HOLD, want="protocol|timeout", timeouts={"idle": 0.1})
broken("http_blank_first_forever", FLOW(lambda: (b"\r\n" * 4_096 for _ in range(64))), want="protocol|limit|truncated")
broken("http_spaces_forever", FLOW(lambda: (b" " * 65_536 for _ in range(64))), want="protocol|limit|truncated")
broken("http_nul_forever", FLOW(lambda: (b"\0" * 65_536 for _ in range(64))), want="protocol|limit")
broken(
    "http_folded_forever",
    STATUS + b"\r\nx: y\r\n",
    FLOW(lambda: (b" z\r\n" * 16_384 for _ in range(64))),
    want="limit|protocol",
)
broken("http_1xx_bad", b"HTTP/1.1 103 Hints\r\nno colon\r\n\r\n" + GOOD)
broken("http_1xx_then_garbage", b"HTTP/1.1 100 Continue\r\n\r\ngarbage\r\n\r\n")
broken("http_1xx_body", b"HTTP/1.1 103 Hints\r\ncontent-length: 5\r\n\r\nhello" + GOOD)
broken("http_199", b"HTTP/1.1 199 Early\r\n\r\n" * 101, want="limit")
case("http_100_after_good", "ok", [READ, GOOD + b"HTTP/1.1 100 Continue\r\n\r\n"])
broken(
    "http_length_list_same", head(200, framing=f"content-length: {len(BODY)}, {len(BODY)}") + BODY, want="ok|protocol"
)
broken("http_length_space", head(200, framing="content-length: 5 0") + BODY)
broken("http_length_comma", head(200, framing="content-length: 50,") + BODY)
broken("http_length_quoted", head(200, framing='content-length: "50"') + BODY)
broken("http_length_zeros", head(200, framing=f"content-length: {len(BODY):020}") + BODY, want="ok|protocol")
broken("http_length_nul", head(200, framing="content-length: 5\x000") + BODY)
broken("http_te_semicolon", instead(TE, TE + b";q=1"))
broken("http_te_comma", instead(TE, TE + b","), want="protocol|ok")
broken("http_te_order", instead(TE, TE + b", gzip"))
broken("http_te_quoted", instead(TE, b'transfer-encoding: "chunked"'))
broken("http_te_vt", instead(TE, b"transfer-encoding: \x0bchunked"))
broken("http_te_empty", instead(TE, b"transfer-encoding:"))
broken("http_te_space_name", instead(TE, b"transfer-encoding : chunked"))
broken("http_te_underscore", instead(TE, b"transfer_encoding: chunked"), want="protocol|truncated|ok")
broken("http_te_lf", instead(TE, b"x: y\n" + TE), want="protocol|ok")
case(
    "http_te_http10_length",
    "ok|protocol",
    [READ, b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 7\r\n\r\n" + CHUNKED, FIN],
)
case(
    "http_te_length_whole",
    "ok|protocol",
    [READ, head(200, "content-length: 5") + chunks(JSON.partition(b"\r\n\r\n")[2])],
    how="whole",
)
broken("http_206_range", head(206, "content-range: bytes 0-99/2000") + CHUNKED, want="api|protocol")
broken("http_203", instead(b" 200 ", b" 203 "), want="api|protocol|ok")
broken("http_226", instead(b" 200 ", b" 226 "), want="api|protocol")
broken("http_mail", b"EHLO\r\n" * 3, HOLD)
broken("http_redis", b"-ERR unknown command\r\n", HOLD)
broken("http_json_bare", JSON.partition(b"\r\n\r\n")[2])
broken("http_sse_bare", BODY)
broken("http_websocket", b"\x81\x05hello", HOLD, want="protocol|timeout", timeouts={"idle": 0.2})
broken("http_gzip_bare", gz(GOOD))
broken("http_utf16", GOOD.decode("latin-1").encode("utf-16"))

chunky("chunk_size_17", b"1" + b"0" * 16 + b"\r\nhello", want="protocol|limit|truncated")
chunky("chunk_size_16", b"f" * 16 + b"\r\nhello", want="protocol|limit|truncated")
chunky("chunk_size_comma", b"5,5\r\nhello\r\n")
chunky("chunk_size_float", b"5.0\r\nhello\r\n")
chunky("chunk_size_x", b"x5\r\nhello\r\n")
chunky("chunk_size_nul", b"5\0\r\nhello\r\n")
chunky("chunk_size_digits_unicode", "\u0665\r\nhello\r\n".encode())
chunky("chunk_size_cr", b"5\rhello\r\n")
chunky("chunk_size_lf", b"5\nhello\r\n")
chunky("chunk_data_lf", b"5\r\nhello\n")
chunky("chunk_data_cr", b"5\r\nhello\r5\r\nhello\r\n")
chunky("chunk_zero_then_more", b"0\r\n\r\n" + chunk(events(*EVENTS[3:])), want="truncated|protocol")
chunky("chunk_ext_quoted_crlf", b'5;a="\r\n"\r\nhello\r\n', want="protocol|truncated")
chunky("chunk_lines_forever", b"", FLOW(lambda: (b"\r\n" * 32_768 for _ in range(16))))
chunky("chunk_one_byte_lies", b"1\r\n" + BODY)
case("chunk_size_space", "ok|protocol", [READ, HEAD + b"%x  \r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)])
case("chunk_size_tab", "ok|protocol", [READ, HEAD + b"%x\t\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)])
case(
    "chunk_ext_many",
    "ok|limit",
    [
        READ,
        HEAD + b"".join(b"%x;a=%b\r\n%b\r\n" % (len(e), b"b" * 2_000, e) for e in map(events, EVENTS)) + b"0\r\n\r\n",
    ],
)
case(
    "chunk_many_small",
    "ok",
    [
        READ,
        HEAD + chunk(events(*EVENTS[:2])) + chunk(b":") * 0 + chunk(*[b"\n"] * 100_000) + chunks(events(*EVENTS[2:])),
    ],
)
case("trailers_length", "ok", [READ, STOPPED + b"content-length: 0\r\ntransfer-encoding: gzip\r\n\r\n"])
case("trailers_cut", "ok", [READ, STOPPED + b"x: y\r\n", FIN])
case("trailers_stall", "ok", [READ, STOPPED + b"x: y\r\n", HOLD], within=3.0)
broken(
    "trailers_cut_json",
    head(200) + chunk(JSON.partition(b"\r\n\r\n")[2]) + b"0\r\nx: y\r\n",
    how="whole",
    want="truncated",
)
broken("trailers_bad_json", head(200) + chunk(JSON.partition(b"\r\n\r\n")[2]) + b"0\r\nno colon\r\n\r\n", how="whole")
encoded("ce_gzip_twice_named", "gzip", gz(BODY), want="ok|protocol")
broken("ce_gzip_two_fields", head(200, "content-encoding: gzip", "content-encoding: gzip") + chunks(gz(gz(BODY))))
broken(
    "ce_gzip_json_garbage",
    fixed(gz(JSON.partition(b"\r\n\r\n")[2]) + b"garbage", "content-encoding: gzip"),
    how="whole",
)
broken(
    "ce_gzip_json_cut",
    fixed(gz(JSON.partition(b"\r\n\r\n")[2])[:-6], "content-encoding: gzip"),
    how="whole",
    want="truncated|protocol",
)
broken("ce_gzip_json_empty", fixed(b"", "content-encoding: gzip"), how="whole", want="truncated|protocol")
broken("ce_gzip_html", fixed(gz(PAGE), "content-encoding: gzip", kind="text/html"), words="HTML")
encoded("ce_gzip_half_head", "gzip", b"\x1f\x8b\x08", want="truncated|protocol")
encoded(
    "ce_gzip_name_forever", "gzip", b"\x1f\x8b\x08\x08" + b"\0" * 6 + b"n" * 3_000_000, want="truncated|limit|protocol"
)
encoded("ce_gzip_members_forever", "gzip", gz(b"") * 20_000, want="truncated|limit|protocol")
encoded("ce_deflate_bad", "deflate", BODY)
encoded("ce_deflate_cut", "deflate", zlib.compress(events(*EVENTS[:5]))[:-5], want="truncated|protocol")
encoded("ce_deflate_bomb", "deflate", zlib.compress(line_of(64 << 20)), want="limit")
encoded("ce_deflate_one_byte", "deflate", b"x", want="truncated|protocol")
encoded("ce_bomb_slow", "gzip", *(BOMB[at : at + 400] for at in range(0, 60_000, 400)), want="limit")
encoded("ce_bomb_create", "gzip", BOMB, want="limit", how="message")
encoded("ce_identity_lie", "identity", gz(BODY), words="gzip")
encoded("ce_comma", "gzip,", gz(BODY), want="ok|protocol")
encoded("ce_star", "*", BODY)
broken("ce_bad_value", head(200, "content-encoding: \xff") + CHUNKED)
