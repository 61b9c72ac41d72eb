"""Streams put together by hand, event by event, for tests that say exactly what the peer sends."""

from __future__ import annotations

import json
from typing import Any

__all__ = [
    "DELTA",
    "END",
    "START",
    "STOP",
    "answer",
    "block",
    "body",
    "compact",
    "delta",
    "frame",
    "message_delta",
    "message_start",
    "start",
    "stop",
    "text",
    "tool",
]

Json = dict[str, Any]


def message_start(content: Any = (), **more: Any) -> Json:
    """message_start; `content=None` leaves it out."""
    message: Json = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m"}
    if content is not None:
        message["content"] = list(content) if isinstance(content, tuple) else content
    return {"type": "message_start", "message": {**message, "usage": {"input_tokens": 1, "output_tokens": 1}, **more}}


def start(index: Any, content_block: Any) -> Json:
    return {"type": "content_block_start", "index": index, "content_block": content_block}


def delta(index: Any, **fields: Any) -> Json:
    return {"type": "content_block_delta", "index": index, "delta": fields}


def text(value: Any, index: Any = 0) -> Json:
    return delta(index, type="text_delta", text=value)


def stop(index: Any = 0) -> Json:
    return {"type": "content_block_stop", "index": index}


def message_delta(delta: Any = None, usage: Any = None, **more: Any) -> Json:
    return {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None} if delta is None else delta,
        "usage": {"output_tokens": 5} if usage is None else usage,
        **more,
    }


def block(content_block: Json, *deltas: Json, index: int = 0) -> list[Json]:
    """Start, deltas given by their fields, stop."""
    return [start(index, content_block), *(delta(index, **fields) for fields in deltas), stop(index)]


def tool(*fragments: str, index: int = 0, kind: str = "tool_use") -> list[Json]:
    """A tool call whose input comes in these fragments."""
    head = {"type": kind, "id": f"toolu_{index}", "name": "save", "input": {}}
    return block(head, *({"type": "input_json_delta", "partial_json": each} for each in fragments), index=index)


START = message_start()
DELTA = message_delta()
END: Json = {"type": "message_stop"}
STOP = [DELTA, END]


def answer(*events: Json) -> list[Json]:
    """A whole answer around these events."""
    return [START, *events, *STOP]


def frame(value: Any, name: str | None = None, *, end: str = "\n") -> bytes:
    """One event in the shape of the API, in JSON as Python writes it. Bytes stand for themselves."""
    if isinstance(value, bytes):
        return value
    return f"event: {value['type'] if name is None else name}{end}data: {json.dumps(value)}{end}{end}".encode()


def compact(value: Json, padding: int = 0) -> bytes:
    """One event exactly as the API spells it."""
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"event: {value['type']}\ndata: {data[:-1]}{' ' * padding}}}\n\n".encode("utf-8", "surrogatepass")


def body(*events: Any, spell: Any = frame) -> bytes:
    """These events, each a JSON object or bytes that stand for themselves."""
    return b"".join(each if isinstance(each, bytes) else spell(each) for each in events)
