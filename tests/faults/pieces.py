"""The bytes that the cases are put together from."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from typing import Any

from tests.frames import DELTA, END, START, block, body, compact, start, stop, text
from tests.virtual import SECRET as KEY

__all__ = [
    "CHUNKED",
    "DELTAS",
    "EVENTS",
    "FINE",
    "GOOD",
    "HEAD",
    "HELLO",
    "JSON",
    "KEY",
    "MESSAGE",
    "PAGE",
    "PING",
    "PROMPT",
    "TEXT_BLOCK",
    "answer",
    "chunk",
    "chunks",
    "error",
    "events",
    "fixed",
    "gz",
    "head",
    "page",
    "whole",
]

PROMPT = "prompt-0815, a secret of the user"
HELLO = "Hello, grüße, \U0001f642!"
DELTAS = (text("Hello, "), text("grüße, "), text("\U0001f642!"))
TEXT_BLOCK = {"type": "text", "text": ""}
EVENTS = [START, start(0, TEXT_BLOCK), *DELTAS, stop(0), DELTA, END]
"""A whole answer, event by event."""
PING = b'event: ping\ndata: {"type": "ping"}\n\n'
MESSAGE: dict[str, Any] = {
    **START["message"],
    "content": [{"type": "text", "text": HELLO}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
}
PAGE = b"<!doctype html><html><head><title>Bad gateway</title></head><body>nginx</body></html>"


def events(*values: Any) -> bytes:
    """An event stream; a dict is one event, bytes stand for themselves."""
    return body(*values, spell=compact)


def head(status: int | str = 200, *fields: str, framing: str | None = "transfer-encoding: chunked") -> bytes:
    """The head of an answer."""
    lines = [f"HTTP/1.1 {status} Whatever", "request-id: req_fault", *fields]
    return "\r\n".join([*lines, *([] if framing is None else [framing]), "", ""]).encode("latin-1")


def chunk(*pieces: bytes) -> bytes:
    """Each piece a chunk, no end."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece)


def chunks(*pieces: bytes) -> bytes:
    """A whole chunked body."""
    return chunk(*pieces) + b"0\r\n\r\n"


HEAD = head(200, "content-type: text/event-stream; charset=utf-8")


def answer(*values: Any) -> bytes:
    """A whole chunked answer, one chunk an event. Bytes stand for themselves."""
    return HEAD + chunks(*(events(value) for value in values))


def fixed(content: bytes, *fields: str, status: int = 200, kind: str = "application/json") -> bytes:
    """A whole answer with a Content-Length."""
    return head(status, f"content-type: {kind}", *fields, framing=f"content-length: {len(content)}") + content


def whole(value: Any, *fields: str, status: int = 200) -> bytes:
    """A whole JSON answer. Bytes stand for themselves."""
    content = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
    return fixed(content, *fields, status=status)


def error(status: int, kind: str, *fields: str, message: str = "no") -> bytes:
    """A refusal as the API gives it."""
    payload = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_fault"}
    return whole(payload, *fields, status=status)


def page(status: int, *fields: str) -> bytes:
    """A gateway's page."""
    return fixed(PAGE, *fields, status=status, kind="text/html")


def gz(content: bytes | Iterable[bytes]) -> bytes:
    """Compressed."""
    return gzip.compress(content if isinstance(content, bytes) else b"".join(content), 9, mtime=0)


CHUNKED = chunks(*(events(event) for event in EVENTS))
GOOD = HEAD + CHUNKED
JSON = whole(MESSAGE)
FINE = answer(START, *block(TEXT_BLOCK, {"type": "text_delta", "text": "Fine."}), DELTA, END)
"""What a peer answers once the fault is over."""
