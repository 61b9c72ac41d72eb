"""encode_event: what decode gives, encoded and decoded again, is the same event; composed streams come back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sansio_claude import Event, LocalProtocolError, SSEDecoder, decode, encode_event
from sansio_claude._errors import ClaudeError
from sansio_claude._stream.events import (
    ContentBlockStop,
    ErrorEvent,
    InputJSONDelta,
    MessageStop,
    Ping,
    TextDelta,
    UnknownDelta,
    UnknownEvent,
)
from sansio_claude.testing import Transcript
from tests import strategies


def events_of(data: bytes) -> list[Event]:
    """The events of a body, up to the first that is refused."""
    decoder = SSEDecoder()
    decoder.receive_data(data)
    found: list[Event] = []
    try:
        for sse in decoder.events_received():
            event = decode(sse)
            if event is not None:
                found.append(event)
    except ClaudeError:
        pass
    return found


@given(strategies.hostile_bodies() | strategies.bodies())
@example(b'event: new\ndata: {"\xf4ype": 1}\n\n')
@example(b'event: new\ndata: ["\xf4"]\n\n')
@example(b'event: new\ndata: {"a": "\xf4\n\n')
def test_decoding_what_was_encoded_gives_the_same_events(body: bytes) -> None:
    for event in events_of(body):
        assert events_of(encode_event(event)) == [event]


@given(strategies.transcripts())
def test_a_composed_stream_comes_back(transcript: Transcript) -> None:
    events = events_of(transcript.data)
    assert events
    assert events_of(b"".join(map(encode_event, events))) == events


ODD: list[dict[str, Any]] = [
    {"type": "content_block_delta", "index": 0, "text": 1, "delta": {"type": "text_delta", "text": "x"}},
    {"type": "content_block_delta", "index": 0, "a": 1, "delta": {"type": "text_delta", "text": "x", "b": 2}},
    {"type": "content_block_delta", "index": 0, "a": 1, "delta": {"type": "text_delta", "text": "x", "a": 2}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x", "delta": {"a": 1}}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "new_delta", "index": 5}, "x": None},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "compaction_delta", "content": None, "x": 1}},
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "compaction_delta", "content": "c", "encrypted_content": None},
    },
    {"type": "message_delta", "usage": 5},
    {"type": "message_delta", "delta": None},
    {"type": "message_stop", "message": "m", "x": [None]},
    {"type": "error"},
    {"type": "error", "error": None, "x": 1},
    {"type": "error", "error": ["x"], "message": "m"},
    {"type": "error", "error": ["x"], "request_id": "r"},
    {"type": "error", "error": {}, "message": "m", "request_id": "r"},
    {"type": "error", "message": "m", "request_id": "r"},
    {"error": True, "message": "m"},
    {"error": None, "type": "overloaded_error", "message": "m"},
    {"type": "new_event", "error": {"a": 1}},
]


@pytest.mark.parametrize("value", ODD, ids=json.dumps)
def test_odd_events(value: dict[str, Any]) -> None:
    for name in ("message", str(value.get("type")), "new"):
        for event in events_of(f"event: {name}\ndata: {json.dumps(value)}\n\n".encode()):
            assert events_of(encode_event(event)) == [event]


def test_what_is_written() -> None:
    assert encode_event(Ping()) == b'event: ping\ndata: {"type":"ping"}\n\n'
    assert (
        encode_event(TextDelta(3, "ä\n", {"a": 1}))
        == (
            'event: content_block_delta\ndata: {"type":"content_block_delta","index":3,'
            '"delta":{"type":"text_delta","text":"ä\\n","a":1}}\n\n'
        ).encode()
    )
    assert encode_event(UnknownEvent("two\nlines", "new")) == b"event: new\ndata: two\ndata: lines\n\n"
    assert encode_event(UnknownEvent({"type": "new"})) == b'data: {"type":"new"}\n\n'
    assert encode_event(ContentBlockStop(1, None)) == (
        b'event: content_block_stop\ndata: {"type":"content_block_stop","index":1}\n\n'
    )
    assert encode_event(MessageStop(None)) == b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    assert encode_event(ErrorEvent({"message": "\ud83d"})).isascii()
    assert b"1e999" in encode_event(UnknownDelta(0, {"type": "x", "n": float("inf")}))


def test_what_cannot_be_written() -> None:
    with pytest.raises(LocalProtocolError, match="line end"):
        encode_event(UnknownEvent({}, "a\nb"))
    with pytest.raises(LocalProtocolError, match="dict or a str"):
        encode_event(UnknownEvent(5))
    with pytest.raises(LocalProtocolError):
        encode_event(UnknownDelta(0, {"n": float("nan")}))
    with pytest.raises(LocalProtocolError):
        encode_event(InputJSONDelta(0, "", {"x": object()}))


@given(st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), max_size=20))
def test_data_that_is_no_json_comes_back(text: str) -> None:
    event = UnknownEvent(text, "new")
    found = events_of(encode_event(event))
    assert found == [event] or text.strip() in ("", "[DONE]") or text[:1] in '{["0123456789-ntf '
