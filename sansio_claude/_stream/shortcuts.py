"""The short way of a usual event that is no delta: one decoding, one look at its shape, and it is in the message.

`decode` and MessageAccumulator ask of each event whatever the rules say about it. Here are the events about which
none of the rules has anything to say: their keys are those that the API sends, each value is of its kind, and they
come where they belong. What is anything else is left alone, as if it had not been looked at, and goes the plain way;
a property test holds both ways equal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec

from sansio_claude._errors import RemoteProtocolError
from sansio_claude._json import MSGSPEC_ERRORS, depth_of
from sansio_claude._limits import Limits
from sansio_claude._message.block import Block, GrowingBlock
from sansio_claude._message.blocks import TextBlock, ThinkingBlock
from sansio_claude._message.message import Message
from sansio_claude._message.tool_blocks import MCPToolUseBlock, ServerToolUseBlock, ToolInputBlock, ToolUseBlock
from sansio_claude._stream.accumulate import MessageAccumulator
from sansio_claude._stream.armed import new_event
from sansio_claude._stream.events import (
    ContentBlockStart,
    ContentBlockStop,
    Event,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
)
from sansio_claude._stream.merging import merge_values, odd_counters

__all__ = ["short_way", "take_usual"]

_decode: Final[Callable[[bytes], Any]] = msgspec.json.Decoder().decode

# How the blocks start that have nothing to say yet.
_EMPTY_TEXTS: Final[tuple[dict[str, Any], ...]] = (
    {"type": "text", "text": ""},
    {"type": "text", "text": "", "citations": []},
)
_EMPTY_THINKING: Final = {"type": "thinking", "thinking": "", "signature": ""}
_CALLS: Final[dict[str, type[ToolInputBlock]]] = {
    kind._type_name: kind for kind in (ToolUseBlock, ServerToolUseBlock, MCPToolUseBlock)
}
# The keys of message_delta's delta about which the rules have something to say.
_SPECIAL: Final = frozenset({"type", "role", "id", "content", "model", "usage"})
_STRING_OR_NULL: Final = frozenset({str, type(None)})
_INTEGERS: Final = frozenset({int})
_ENDS: Final = frozenset({"end_turn", "stop_sequence"})


def _message_start(accumulator: MessageAccumulator, value: dict[str, Any], limits: Limits) -> Event | None:
    message = value["message"]
    if type(message) is not dict or accumulator.message is not None:
        return None
    usage = message["usage"]
    if (
        message["type"] != "message"
        or message["role"] != "assistant"
        or message["content"] != []
        or type(message["id"]) is not str
        or type(message["model"]) is not str
        or type(usage) is not dict
        or odd_counters(usage)
    ):
        return None
    kept = accumulator._kept
    if kept is not None and (kept.too_large("usage", usage) or kept.too_large("message", message)):
        return None
    # What Message._growing does.
    accumulator.message = Message({**message, "usage": {**usage}, "content": []}, [])
    event: MessageStart = new_event(MessageStart)
    event.message = Message(message, [])
    event.extra = None
    return event


def _block_start(accumulator: MessageAccumulator, value: dict[str, Any], limits: Limits) -> Event | None:
    index = value["index"]
    raw = value["content_block"]
    message = accumulator.message
    order = accumulator._order
    if (
        index != (order[-1] + 1 if order else 0)
        or type(index) is not int
        or index >= limits.blocks
        or type(raw) is not dict
        or message is None
    ):
        return None
    kind: type[Block]
    sent: Any
    own: Any = None
    keep = accumulator._keep
    if raw in _EMPTY_TEXTS:
        kind = TextBlock
        sent = TextBlock(raw)
        if keep:
            own = TextBlock({**raw, "citations": []} if len(raw) == 3 else {**raw})
    elif raw == _EMPTY_THINKING:
        kind = ThinkingBlock
        sent = ThinkingBlock(raw)
        if keep:
            own = ThinkingBlock({**raw})
    else:
        call = _CALLS.get(raw["type"])
        if call is None or raw["input"] != {}:
            return None
        for key in call._strings:
            if type(raw[key]) is not str:
                return None
        kind = call
        sent = call(raw)
        sent._unsettle_given()
        if keep:
            own = sent._growing()
            own._max_depth = limits.depth
    order.append(index)
    accumulator._types[index] = accumulator._open_types[index] = kind
    accumulator._newest = accumulator._direct = index
    if keep:
        accumulator.open[index] = accumulator.blocks[index] = own
        content = message.content
        content.append(own)
        # What stands before another block was not cut.
        if index and isinstance(before := content[-2], ToolInputBlock):
            before._settle_given()
    event: ContentBlockStart = new_event(ContentBlockStart)
    event.index = index
    event.content_block = sent
    event.extra = None
    return event


def _block_stop(accumulator: MessageAccumulator, value: dict[str, Any], limits: Limits) -> Event | None:
    index = value["index"]
    open_types = accumulator._open_types
    if type(index) is not int or index not in open_types or index in accumulator._no_input or accumulator._halves.held:
        return None
    block = accumulator.open.get(index)
    if isinstance(block, GrowingBlock):
        block._join()
    elif block is not None:
        try:
            accumulator._end_block(block)
        except RemoteProtocolError:
            return None
    if block is not None:
        del accumulator.open[index]
    del open_types[index]
    accumulator._once.discard(index)
    if index == accumulator._newest:
        accumulator._newest = accumulator._direct = -1
    event: ContentBlockStop = new_event(ContentBlockStop)
    event.index = index
    event.content_block = block
    event.extra = None
    return event


def _message_delta(accumulator: MessageAccumulator, value: dict[str, Any], limits: Limits) -> Event | None:
    delta = value["delta"]
    usage = value["usage"]
    message = accumulator.message
    if type(delta) is not dict or type(usage) is not dict or message is None:
        return None
    reason = delta["stop_reason"]
    counts = message._raw["usage"]
    if (
        type(reason) is not str
        or not reason
        or type(delta.get("stop_sequence")) not in _STRING_OR_NULL
        or not _SPECIAL.isdisjoint(delta)
        or type(counts) is not dict
        or odd_counters(usage)
    ):
        return None
    kept = accumulator._kept
    if kept is not None and (kept.too_large("message", delta) or kept.too_large("usage", usage)):
        return None
    accumulator._has_delta = accumulator._stop_reason_came = True
    merge_values(message._raw, delta)
    if _INTEGERS.issuperset(map(type, usage.values())):
        counts.update(usage)
    else:
        merge_values(counts, usage)
    if _is_open(message):
        accumulator._settle_last()
    event: MessageDelta = new_event(MessageDelta)
    event.delta = delta
    event.usage = usage
    event.extra = None
    return event


def _is_open(message: Message) -> bool:
    """Whether the stop reason has anything to say about the last block."""
    if not message.content:
        return False
    last = message.content[-1]
    return isinstance(last, ToolInputBlock) and not (last._has_text and last._status == "complete")


def _message_stop(accumulator: MessageAccumulator, value: dict[str, Any], limits: Limits) -> Event | None:
    message = accumulator.message
    if message is None or not accumulator._has_delta or accumulator._open_types or accumulator._halves.held:
        return None
    if _is_open(message):
        accumulator._settle_last()
    for block in message.content:
        if isinstance(block, ToolInputBlock) and block._status != "complete":
            return None
    reason = message._raw.get("stop_reason")
    if (reason in _ENDS) if ToolUseBlock in accumulator._types.values() else (reason == "tool_use"):
        return None
    accumulator.done = True
    accumulator._newest = accumulator._direct = -1
    message.whole = True
    message._finish()
    event: MessageStop = new_event(MessageStop)
    event.message = message
    event.extra = None
    return event


def _ping(accumulator: MessageAccumulator, value: dict[str, Any], limits: Limits) -> Event | None:
    return Ping()


Take: TypeAlias = Callable[[MessageAccumulator, dict[str, Any], Limits], Event | None]

_KINDS: Final[dict[str, tuple[int, Take]]] = {
    "message_start": (2, _message_start),
    "content_block_start": (3, _block_start),
    "content_block_stop": (2, _block_stop),
    "message_delta": (3, _message_delta),
    "message_stop": (1, _message_stop),
    "ping": (1, _ping),
}
_LONGEST: Final = 2048  # bytes of data; what is longer is nothing usual, and is not decoded twice


def short_way(accumulator: MessageAccumulator, name: str, raw: bytes, limits: Limits) -> Event | None:
    """Take the event of this name and data, if it is a usual one and no delta; else None, and nothing has changed.

    Linear in the length of `raw`.
    """
    known = _KINDS.get(name)
    if known is None or len(raw) > _LONGEST or accumulator.done:
        return None
    size, take = known
    try:
        value = _decode(raw)
        # Each level of JSON takes two bytes.
        if (
            len(value) != size
            or value["type"] != name
            or (len(raw) > 2 * limits.depth and depth_of(raw) > limits.depth)
        ):
            return None
        return take(accumulator, value, limits)
    except (*MSGSPEC_ERRORS, TypeError, KeyError, RecursionError):  # no JSON, no object, a key that is missing
        return None


def take_usual(accumulator: MessageAccumulator, kind: str, value: dict[str, Any], limits: Limits) -> Event | None:
    """`short_way` of an event's JSON object, which must be of this kind and no deeper than allowed."""
    known = _KINDS.get(kind)
    if known is None or accumulator.done:
        return None
    size, take = known
    try:
        return take(accumulator, value, limits) if len(value) == size and value["type"] == kind else None
    except (TypeError, KeyError):  # a key is missing, or is no string
        return None
