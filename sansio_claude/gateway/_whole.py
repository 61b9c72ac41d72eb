"""A whole message as the events of a stream, for a peer that ignored `stream`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sansio_claude._json import dumps
from sansio_claude.gateway._mend_block import TOOLS

__all__ = ["events_of_whole"]


def events_of_whole(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The events that add up to `message`, in order. Linear in its size."""
    content = message.get("content")
    usage = message.get("usage")
    start = {**message, "content": [], "stop_reason": None, "stop_sequence": None}
    yield {"type": "message_start", "message": start}
    for index, block in enumerate(content if isinstance(content, list) else ()):
        yield from _events_of_block(index, block)
    delta = {"stop_reason": message.get("stop_reason"), "stop_sequence": message.get("stop_sequence")}
    yield {"type": "message_delta", "delta": delta, "usage": usage if isinstance(usage, dict) else {}}
    yield {"type": "message_stop"}


def _events_of_block(index: int, block: Any) -> Iterator[dict[str, Any]]:
    started = dict(block) if isinstance(block, dict) else {}
    deltas: list[dict[str, Any]] = []
    kind = started.get("type")
    if kind == "text" and isinstance(started.get("text"), str):
        deltas.append({"type": "text_delta", "text": started["text"]})
        started["text"] = ""
    elif kind == "thinking" and isinstance(started.get("thinking"), str):
        deltas.append({"type": "thinking_delta", "thinking": started["thinking"]})
        started["thinking"] = ""
        if isinstance(started.get("signature"), str):
            deltas.append({"type": "signature_delta", "signature": started["signature"]})
            started["signature"] = ""
    elif kind in TOOLS and isinstance(started.get("input"), dict):
        deltas.append({"type": "input_json_delta", "partial_json": dumps(started["input"]).decode()})
        started["input"] = {}
    yield {"type": "content_block_start", "index": index, "content_block": started}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}
