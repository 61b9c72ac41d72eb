"""Faults of connections and HTTP: odd but right, cut, silent, broken."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Final

from sansio_claude.testing.faults.fault import BODY, EVENTS, GOOD, HEAD, add, chunk, chunks, head, stream
from sansio_claude.testing.faults.server import FIN, FLOW, HOLD, READ, RST

ODD: Final = "odd but right"
CUT: Final = "cut"
SILENT: Final = "silent or never ending"
CONNECTION: Final = "no answer"
HTTP: Final = "broken HTTP"
_START: Final = HEAD + chunk(*EVENTS[:4])
_ONCE: Final = "Raises an error and sends the request once: its text may have been shown, and each repeat is paid."


def _tiny(data: bytes) -> Iterator[bytes | float]:
    for number, start in enumerate(range(0, len(data), 3)):
        yield data[start : start + 3]
        if number % 100 == 0:
            yield 0.001


add(ODD, "ok_crlf", "whole", "the lines of the stream end in CRLF", stream(BODY.replace(b"\n", b"\r\n")))
add(ODD, "ok_cr", "whole", "the lines of the stream end in a lone CR", stream(BODY.replace(b"\n", b"\r")))
add(ODD, "ok_one_byte_chunks", "whole", "each byte is a chunk of its own", stream(*(b"%c" % byte for byte in BODY)))
add(
    ODD,
    "ok_tiny_writes",
    "whole",
    "the answer comes in pieces of 3 bytes that split characters, with a pause behind every hundredth",
    FLOW(lambda: _tiny(GOOD)),
)
add(
    ODD,
    "ok_comments_id_retry",
    "whole",
    "comments, id and retry fields stand between the events",
    stream(b": hello\nid: 1\nretry: 10\n\n", *(b": more\n" + each for each in EVENTS)),
)
add(ODD, "ok_no_space", "whole", "no space stands after the colon of a field", stream(BODY.replace(b": ", b":")))
add(
    ODD,
    "ok_content_length",
    "whole",
    "the stream has a Content-Length",
    head(200, "content-type: text/event-stream", framing=f"content-length: {len(BODY)}") + BODY,
)
add(ODD, "ok_100", "whole", "100 Continue comes first", b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD)
add(
    ODD,
    "ok_unknown_event",
    "whole",
    "an event comes whose type nobody knows yet",
    stream(*EVENTS[:2], b'event: news\ndata: {"type":"news","more":[1]}\n\n', *EVENTS[2:]),
)
add(
    ODD,
    "ok_stop_then_idle",
    "whole",
    "the body is left open behind message_stop",
    HEAD + chunk(*EVENTS),
    HOLD,
    good="Gives the whole answer at once: nothing is missing after message_stop.",
)
add(ODD, "ok_half_closed", "whole", "the server closes its side after the whole answer", GOOD, FIN)
add(
    ODD,
    "ok_gzip",
    "either",
    "the stream is compressed, as its Content-Encoding says",
    head(200, "content-type: text/event-stream", "content-encoding: gzip") + chunks(gzip.compress(BODY, mtime=0)),
)

for _name, _count, _words in (
    ("trunc_clean_after_start", 1, "right after message_start"),
    ("trunc_clean_mid_text", 4, "in the middle of the text"),
    ("trunc_clean_after_block", len(EVENTS) - 2, "behind the block, before message_delta"),
):
    add(CUT, _name, "error", f"the body ends, as if it were whole, {_words}", stream(*EVENTS[:_count]), requests=1)
add(
    CUT,
    "trunc_clean_before_stop",
    "either",
    "the body ends behind the message_delta with the stop reason; message_stop never came",
    stream(*EVENTS[:-1]),
    good="Raises an error, unless it was told to take an end without message_stop.",
)
add(CUT, "trunc_mid_event", "error", "the body ends in the middle of an event", stream(BODY[:-120]), requests=1)
add(
    CUT,
    "trunc_mid_chunk",
    "error",
    "the connection ends in a chunk",
    _START + b"40\r\nevent",
    FIN,
    requests=1,
    good=_ONCE,
)
add(CUT, "trunc_mid_chunk_size", "error", "the connection ends in the size of a chunk", _START + b"4", FIN, good=_ONCE)
add(CUT, "trunc_between_chunks", "error", "the connection ends between two chunks", _START, FIN, requests=1, good=_ONCE)
add(
    CUT,
    "trunc_rst",
    "error",
    "the connection is reset in the middle of the stream",
    _START,
    0.03,
    RST,
    requests=1,
    good=_ONCE,
)
add(
    CUT,
    "trunc_close_delimited",
    "error",
    "a body that only the end of the connection ends, ends in the middle of the answer",
    head(200, "content-type: text/event-stream", framing=None) + BODY[:500],
    FIN,
    requests=1,
)
add(CUT, "trunc_http10", "error", "the same in HTTP/1.0", b"HTTP/1.0 200 OK\r\n\r\n" + BODY[:500], FIN, requests=1)
add(
    CUT,
    "trunc_length",
    "error",
    "the connection ends before the Content-Length is reached",
    head(200, "content-type: text/event-stream", framing=f"content-length: {len(BODY)}") + BODY[:-100],
    FIN,
    requests=1,
)
add(CUT, "trunc_empty_chunked", "error", "a 200 with an empty body", stream())
add(CUT, "trunc_only_pings", "error", "a 200 with pings only", stream(b'event: ping\ndata: {"type": "ping"}\n\n' * 3))
add(CUT, "trunc_in_headers", "error", "the connection ends in the head of the answer", HEAD[:-20], FIN)

add(SILENT, "to_no_answer", "error", "the request is read, and nothing comes", HOLD)
add(SILENT, "to_half_head", "error", "the head stops half-way", HEAD[:30], HOLD)
add(SILENT, "to_after_head", "error", "nothing comes behind the head", HEAD, HOLD)
add(SILENT, "to_mid_stream", "error", "the stream stops in the middle", _START, HOLD, requests=1)
add(
    SILENT,
    "to_ping_forever",
    "error",
    "pings come for ever, and no content",
    HEAD + chunk(EVENTS[0]),
    FLOW(
        lambda: (each for _ in range(1_000_000) for each in (chunk(b'event: ping\ndata: {"type": "ping"}\n\n'), 0.05))
    ),
    good="Raises an error after a limit on progress or on the whole call.",
)
add(
    SILENT,
    "to_drip_100",
    "error",
    "100 Continue comes for ever",
    FLOW(lambda: (each for _ in range(1_000_000) for each in (b"HTTP/1.1 100 Continue\r\n\r\n", 0.05))),
)

add(CONNECTION, "conn_rst_accept", "error", "each connection is reset at once", scripts=((RST,),))
add(CONNECTION, "conn_fin_no_answer", "error", "the server closes without an answer", FIN)
add(
    CONNECTION,
    "conn_rst_then_ok",
    "either",
    "reset without an answer the first time, then good",
    scripts=((READ, RST), (READ, GOOD)),
    good="Sends the request again: no byte of an answer came.",
)

add(HTTP, "http_bad_status", "error", "the status is no number", b"HTTP/1.1 OK 200\r\n\r\n", FIN)
add(HTTP, "http_no_colon", "error", "a line of the head has no colon", b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", FIN)
add(HTTP, "http_garbage", "error", "the answer is no HTTP at all", b"SSH-2.0-OpenSSH_9.6\r\n", FIN)
add(
    HTTP,
    "http_huge_header",
    "error",
    "a header of 4 MiB",
    b"HTTP/1.1 200 OK\r\nx: " + b"a" * 4_194_304 + b"\r\n\r\n",
    FIN,
)
add(
    HTTP,
    "http_two_lengths",
    "error",
    "two Content-Length headers differ",
    head(200, "content-length: 5", framing="content-length: 6") + b"hello!",
    FIN,
)
add(HTTP, "http_101", "error", "101 Switching Protocols, which was not asked for", head(101, framing=None), HOLD)
add(
    HTTP,
    "chunk_bad_size",
    "error",
    "a chunk size is not hexadecimal",
    _START + b"zz\r\nhello\r\n0\r\n\r\n",
    FIN,
    requests=1,
)
add(HTTP, "chunk_negative", "error", "a chunk size is negative", _START + b"-5\r\nhello\r\n0\r\n\r\n", FIN, requests=1)
add(
    HTTP,
    "ce_unknown",
    "error",
    "a Content-Encoding that nobody knows",
    head(200, "content-type: text/event-stream", "content-encoding: made-up") + chunks(gzip.compress(BODY, mtime=0)),
)
add(HTTP, "http_h2", "error", "HTTP/2 in place of HTTP/1.1", b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", HOLD)
