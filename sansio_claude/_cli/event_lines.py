"""Event lines: a stream as JSON lines, one event each, or as command-line agents print it (stream-json).

A line is an event of the API ({"type": "message_start", ...}) or has one in it ({"type": "stream_event", "event":
{...}}). Other lines of an agent (its settings, whole messages, results) are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["event_of_line", "is_event_line", "messages_of", "sse_of_lines"]

_TYPES = frozenset(
    {
        "message_start",
        "message_delta",
        "message_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "ping",
        "error",
    }
)


def is_event_line(value: Any) -> bool:
    """Whether a file that begins with this object is one of event lines, and no answer or error body."""
    if not isinstance(value, dict):
        return False
    if value.get("type") == "stream_event":
        return isinstance(value.get("event"), dict)
    return value.get("type") in _TYPES - {"error"} or value.get("type") in ("system",)


def event_of_line(line: bytes) -> dict[str, Any] | None:
    """The event of a line; None for a line of another kind. Raises ValueError for what is no JSON."""
    if not line.strip():
        return None
    value = json.loads(line)
    if isinstance(value, dict) and value.get("type") == "stream_event":
        value = value.get("event")
        return value if isinstance(value, dict) else None
    if isinstance(value, dict) and value.get("type") not in ("system", "assistant", "user", "result"):
        return value
    return None


def sse_of_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same events as the API sends them. A line that is no JSON stays one, for the decoder to refuse."""
    for line in _lines(chunks):
        try:
            event = event_of_line(line)
        except (ValueError, RecursionError):
            yield b"data: " + line.strip() + b"\n\n"
            continue
        if event is not None:
            name = str(event.get("type") or "message").encode(errors="replace").split(b"\n")[0]
            yield b"event: " + name + b"\ndata: " + json.dumps(event).encode() + b"\n\n"


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        held.append(first)
        for piece in others:
            yield b"".join(held)
            held = [piece]
    if held:
        yield b"".join(held)


def messages_of(frames: Iterable[bytes]) -> Iterator[Iterator[bytes]]:
    """The frames of each message in turn: an agent asks several times. Each has to be read before the next is taken."""
    rest = iter(frames)
    first = next(rest, None)
    while first is not None:
        left: list[bytes] = []
        yield _one_message(first, rest, left)
        first = left[0] if left else None


def _one_message(first: bytes, rest: Iterator[bytes], left: list[bytes]) -> Iterator[bytes]:
    yield first
    over = False
    for frame in rest:
        if over and frame.startswith(b"event: message_start\n"):
            left.append(frame)
            return
        over = over or frame.startswith(b"event: message_stop\n")
        yield frame
