"""What is made of a body that is no whole stream: an unfinished event, a whole message in JSON, or words about it."""

from __future__ import annotations

from typing import Any, Final, TypeGuard

from sansio_claude._errors import RemoteProtocolError
from sansio_claude._json import loads
from sansio_claude._limits import Limits
from sansio_claude._message.block import copy_json
from sansio_claude._message.blocks import TextBlock, ThinkingBlock, block_from_dict
from sansio_claude._message.message import message_from_object
from sansio_claude._message.tool_blocks import ToolInputBlock
from sansio_claude._stream.events import (
    ContentBlockStart,
    ContentBlockStop,
    Event,
    MessageDelta,
    MessageStart,
    MessageStop,
    TextDelta,
    ThinkingDelta,
)
from sansio_claude._stream.sse import ODD_LINE, ServerSentEvent, SSEDecoder

__all__ = [
    "events_of_message",
    "is_ping",
    "is_whole_message",
    "unfinished_event",
    "unfinished_lines",
    "what_it_looks_like",
]

_LONGEST_PING: Final = 1024  # bytes
_CHANGING: Final[tuple[str, ...]] = (
    "stop_reason",
    "stop_sequence",
    "stop_details",
)  # the keys that message_delta brings


def unfinished_lines(discarded: bytes, limits: Limits) -> list[ServerSentEvent]:
    """What the end of input left without its blank line: an event, ODD_LINE for a line of no field, or nothing."""
    decoder = SSEDecoder(limits=limits)
    decoder._keep_offsets()
    decoder.receive_data(b"\n" + discarded + b"\n\n")  # the first line end: no byte order mark may be dropped here
    try:
        return decoder.events_received()
    except RemoteProtocolError:
        return []


def unfinished_event(discarded: bytes, limits: Limits) -> ServerSentEvent | None:
    """The event that the end of input left without its blank line, if its data is one JSON object."""
    if not discarded:
        return None
    try:
        (sse,) = (each for each in unfinished_lines(discarded, limits) if each is not ODD_LINE)
        value: Any = loads(sse.raw, depth=limits.depth)
    except (RemoteProtocolError, ValueError):
        return None
    return sse if isinstance(value, dict) else None


def is_whole_message(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is a whole answer and not an event, an error or anything else."""
    if not isinstance(value, dict):
        return False
    kind = value.get("type")
    return kind == "message" or (kind in (None, "") and isinstance(value.get("content"), list))


def events_of_message(value: dict[str, Any]) -> list[Event]:
    """The events that a stream of this whole message would have, each block in one piece.

    Text and thinking come in one delta. A tool input comes with the start of its block, as a value, so that what the
    stop reason says about a value holds for it. Raises RemoteProtocolError where `value` is no message.
    """
    changes = {key: value[key] for key in _CHANGING if key in value}
    usage = value.get("usage")
    content = value.get("content")
    message_from_object(copy_json(value))  # raises where its content cannot be right
    first = {**copy_json(value), **dict.fromkeys(changes)}
    if content is not None:
        first["content"] = []
    events: list[Event] = [MessageStart(message_from_object(first, begins_stream=True))]
    for index, raw in enumerate(content or ()):
        events += _events_of_block(index, copy_json(raw))
    if isinstance(value.get("model"), str) and any(each["type"] == "fallback" for each in content or ()):
        changes["model"] = value["model"]  # a fallback block that starts changes it; this is the last word
    events.append(MessageDelta(changes, usage if isinstance(usage, dict) else None))
    events.append(MessageStop())
    return events


def _events_of_block(index: int, raw: dict[str, Any]) -> list[Event]:
    block = block_from_dict(raw)
    deltas: list[Event] = []
    if isinstance(block, TextBlock) and block.text:
        deltas.append(TextDelta(index, block.text))
        raw["text"] = ""
    elif isinstance(block, ThinkingBlock) and block.thinking:
        deltas.append(ThinkingDelta(index, block.thinking))
        raw["thinking"] = ""
    elif isinstance(block, ToolInputBlock):
        block._unsettle_given()
    return [ContentBlockStart(index, block), *deltas, ContentBlockStop(index)]


def what_it_looks_like(sniffed: bytes, size: int) -> str:
    """The words for a body of `size` bytes without an event, by its first bytes."""
    start = sniffed.lstrip()
    if not start:
        return "the stream ended without a single byte of an event"
    for magic, words in (
        (b"<", "it looks like an HTML page: is the address that of the Messages API?"),
        (b"{", "it looks like JSON: is it a whole answer or an error body, not a stream?"),
        (b"[", "it looks like JSON: is it a whole answer or an error body, not a stream?"),
        (b"\x1f\x8b", "it is compressed with gzip: decompress it first"),
        (b"HTTP/", "it begins with an HTTP head: give only the body"),
        (b"\xff\xfe", "it is UTF-16: an event stream is UTF-8"),
        (b"\xfe\xff", "it is UTF-16: an event stream is UTF-8"),
    ):
        if start.startswith(magic):
            return f"no event in {size} bytes; {words}"
    if start.startswith((b"event:", b"data:")):
        words = "an event ends with an empty line, and there is none in this stream"
        return f"no event in {size} bytes: {words} (`gateway.read_wrapped` reads one event a line)"
    return f"no event in {size} bytes: this is no event stream"


def is_ping(name: str, raw: bytes) -> bool:
    """Whether an event is a ping, by its name or by the type in its short JSON."""
    if name == "ping":
        return True
    if len(raw) > _LONGEST_PING:
        return False
    try:
        value = loads(raw)
    except RemoteProtocolError:
        return False
    return isinstance(value, dict) and value.get("type") == "ping"
