"""decode keeps everything: an event's JSON can be written again from it. And no bytes make it fail otherwise."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sansio_claude._errors import RemoteProtocolError
from sansio_claude._limits import Limits
from sansio_claude._stream.decode import Notes, decode, decode_data
from sansio_claude._stream.encode import encode_event
from sansio_claude._stream.events import (
    CitationsDelta,
    CompactionDelta,
    ContentBlockDelta,
    ContentBlockStart,
    ContentBlockStop,
    ErrorEvent,
    Event,
    InputJSONDelta,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    UnknownDelta,
    UnknownEvent,
)
from sansio_claude._stream.sse import ServerSentEvent
from tests import strategies
from tests.mutations import break_events
from tests.reference import decode_event_stream


def wire(event: Event) -> dict[str, Any]:
    """The JSON of an event whose delta, if it has one, has no unknown keys."""
    match event:
        case MessageStart(message=message):
            fields: dict[str, Any] = {"message": message.to_dict()}
        case ContentBlockStart(index=index, content_block=block):
            fields = {"index": index, "content_block": block.to_dict()}
        case ContentBlockStop(index=index):
            fields = {"index": index}
        case MessageDelta(delta=delta, usage=usage):
            fields = {"delta": delta, "usage": usage}
        case MessageStop() | Ping():
            fields = {}
        case ErrorEvent(error=error):
            fields = {"error": error}
        case UnknownEvent(raw=raw):
            return dict(raw)
        case UnknownDelta(index=index, raw=raw):
            fields = {"index": index, "delta": raw}
        case _:
            fields = {"index": event.index, "delta": {"type": event.delta_type, **delta_fields(event)}}
    extra = event.extra or {}
    if isinstance(event, CompactionDelta):
        known = ("encrypted_content", "signature", "tool_changes", "x_new", "x_null", "x_list")
        fields["delta"] |= {key: value for key, value in extra.items() if key in known}
        extra = {key: value for key, value in extra.items() if key not in known}
    return {"type": event.type, **fields, **extra}


def delta_fields(delta: ContentBlockDelta) -> dict[str, Any]:
    match delta:
        case TextDelta(text=text):
            return {"text": text}
        case InputJSONDelta(partial_json=text):
            return {"partial_json": text}
        case ThinkingDelta(thinking=text):
            return {"thinking": text}
        case SignatureDelta(signature=text):
            return {"signature": text}
        case CitationsDelta(citation=citation):
            return {"citation": citation}
        case CompactionDelta(content=content, encrypted_content=encrypted):
            return {"content": content} | ({} if encrypted is None else {"encrypted_content": encrypted})
    raise AssertionError(delta)


def as_read(event: dict[str, Any]) -> dict[str, Any]:
    """The event as it is read: a missing fragment of a tool input is an empty one (the deviation says so), and the
    unknown keys of a compaction delta are inside the delta, wherever they were."""
    delta = event.get("delta") or {}
    if lacks_fragment(event):
        return {**event, "delta": {**delta, "partial_json": ""}}
    if event["type"] == "content_block_delta" and delta.get("type") == "compaction_delta":
        loose = {key: value for key, value in event.items() if key.startswith("x_")}
        kept = {key: value for key, value in event.items() if not key.startswith("x_")}
        return {**kept, "delta": {**loose, **delta}}
    return event


def lacks_fragment(event: dict[str, Any]) -> bool:
    delta = event.get("delta") or {}
    return delta.get("type") == "input_json_delta" and "partial_json" not in delta


@settings(max_examples=60)
@given(strategies.event_lists())
def test_every_legal_event_can_be_written_again(events: list[dict[str, Any]]) -> None:
    for value in events:
        notes: Notes = []
        data = json.dumps(value).encode()
        event = decode_data(value["type"], data, Limits(), notes)
        assert event is not None
        assert decode(ServerSentEvent(value["type"], data)) == event
        assert type(event).__name__ in repr(event)
        assert wire(event) == as_read(value)
        lost = [("empty_value", "partial_json of an input_json_delta is missing")]
        assert notes == (lost if lacks_fragment(value) else [])
        (frame,) = decode_event_stream(encode_event(event)).events
        assert decode(ServerSentEvent(frame.event, frame.raw)) == event


@settings(max_examples=40)
@given(strategies.event_lists(), st.randoms(use_true_random=False))
def test_the_name_on_the_wire_changes_nothing_where_the_json_has_a_type(events: list[Any], dice: Any) -> None:
    for value in events:
        data = json.dumps(value).encode()
        name = dice.choice(["message", "ping", "error", "content_block_delta", "new"])
        if isinstance(decoded := decode(ServerSentEvent(value["type"], data)), UnknownEvent):
            continue
        assert decode(ServerSentEvent(name, data)) == decoded


@given(
    strategies.event_lists(), st.randoms(use_true_random=False), st.sampled_from([Limits(), Limits(blocks=1, depth=3)])
)
def test_broken_events_are_decoded_or_refused(events: list[Any], dice: Any, limits: Limits) -> None:
    for value in break_events(events, dice):
        name = dice.choice([str(value.get("type")), "message", "new"])
        assert_decoded_or_refused(ServerSentEvent(name, json.dumps(value).encode()), limits)


@given(strategies.hostile_bodies())
def test_any_bytes_are_decoded_or_refused(body: bytes) -> None:
    for frame in decode_event_stream(body).events:
        assert_decoded_or_refused(ServerSentEvent(frame.event, frame.raw, frame.id), Limits())


def assert_decoded_or_refused(sse: ServerSentEvent, limits: Limits) -> None:
    try:
        event = decode(sse, limits=limits)
    except RemoteProtocolError as refusal:
        stop = refusal.stage
    else:
        assert event is None or isinstance(event.type, str)
        return
    assert stop in ("json", "events", "blocks", "message")
