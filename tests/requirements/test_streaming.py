"""Requirements C: streaming. One test for each, named after it."""

from __future__ import annotations

import json
from typing import Any

from sansio_claude import (
    CitationsDelta,
    CompactionDelta,
    ContentBlockStart,
    ContentBlockStop,
    ErrorEvent,
    InputJSONDelta,
    MessageDelta,
    MessageStart,
    MessageStop,
    MessageStream,
    Ping,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    UnknownDelta,
    UnknownEvent,
)
from sansio_claude._stream.events import Event
from tests.virtual import DELTAS, OPENING, PING, Peer, World, chunked, frame, head

START: dict[str, Any] = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 25, "cache_read_input_tokens": 7, "output_tokens": 1},
    },
}
STOP = {"type": "message_stop"}


def begin(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def end(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def change(stop_reason: str | None = "end_turn", **usage: int | None) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": stop_reason, "stop_sequence": None}, "usage": usage}


def send(stream: MessageStream, *values: dict[str, Any]) -> list[Event]:
    for value in values:
        stream.receive_data(frame(value))
    return stream.events_received()


def test_C1_named_events_in_their_order_and_others_anywhere() -> None:
    stream = MessageStream()
    news = {"type": "news_of_tomorrow", "words": ["kept"]}
    events = send(
        stream,
        {"type": "ping"},
        START,
        begin(0, type="text", text=""),
        {"type": "ping"},
        delta(0, "text_delta", text="Hel"),
        news,
        delta(0, "text_delta", text="lo"),
        end(0),
        change(None, output_tokens=3),
        change(output_tokens=5),
        STOP,
    )
    assert [type(event) for event in events] == [
        *(Ping, MessageStart, ContentBlockStart, Ping, TextDelta, UnknownEvent, TextDelta, ContentBlockStop),
        *(MessageDelta, MessageDelta, MessageStop),
    ]
    assert isinstance(events[5], UnknownEvent)
    assert events[5].raw == news
    assert stream.done
    assert stream.deviations == []
    failing = MessageStream()
    error = {"type": "overloaded_error", "message": "Overloaded"}
    assert send(failing, START, {"type": "error", "error": error})[-1] == ErrorEvent(error)


def test_C2_every_kind_of_delta_goes_into_its_block() -> None:
    stream = MessageStream()
    citation = {"type": "char_location", "cited_text": "x", "document_index": 0}
    events = send(
        stream,
        START,
        begin(0, type="thinking", thinking="", signature=""),
        delta(0, "thinking_delta", thinking="Well"),
        delta(0, "thinking_delta", thinking="..."),
        delta(0, "signature_delta", signature="RXFR+/=="),
        end(0),
        begin(1, type="text", text="", citations=None),
        delta(1, "text_delta", text="As it says"),
        delta(1, "citations_delta", citation=citation),
        end(1),
        begin(2, type="tool_use", id="toolu_1", name="save", input={}),
        delta(2, "input_json_delta", partial_json=""),
        delta(2, "input_json_delta", partial_json='{"path": "/e'),
        delta(2, "input_json_delta", partial_json='tc"}'),
        end(2),
        begin(3, type="compaction", content=None),
        delta(3, "compaction_delta", content="A summary.", encrypted_content="o=="),
        end(3),
        begin(4, type="text", text=""),
        delta(4, "delta_of_tomorrow", mood="good"),
        end(4),
        change(output_tokens=5),
        STOP,
    )
    kinds = [type(event) for event in events if event.type == "content_block_delta"]
    assert kinds == [
        *(ThinkingDelta, ThinkingDelta, SignatureDelta, TextDelta, CitationsDelta),
        *(InputJSONDelta, InputJSONDelta, InputJSONDelta, CompactionDelta, UnknownDelta),
    ]
    assert stream.message is not None
    assert [block.to_dict() for block in stream.message.content] == [
        {"type": "thinking", "thinking": "Well...", "signature": "RXFR+/=="},
        {"type": "text", "text": "As it says", "citations": [citation]},
        {"type": "tool_use", "id": "toolu_1", "name": "save", "input": {"path": "/etc"}},
        {"type": "compaction", "content": "A summary.", "encrypted_content": "o=="},
        {"type": "text", "text": "", "mood": "good"},
    ]


def test_C3_usage_is_cumulative_and_never_added_up() -> None:
    stream = MessageStream()
    send(stream, START, change(None, output_tokens=10, input_tokens=None), change(output_tokens=15, input_tokens=26))
    assert stream.message is not None
    assert stream.message.usage.to_dict() == {"input_tokens": 26, "cache_read_input_tokens": 7, "output_tokens": 15}


def test_C4_text_thinking_and_inputs_can_be_watched_as_they_grow() -> None:
    stream = MessageStream()
    send(
        stream,
        START,
        begin(0, type="thinking", thinking="", signature=""),
        begin(1, type="text", text=""),
        begin(2, type="tool_use", id="toolu_1", name="save", input={}),
    )
    assert stream.message is not None
    thinking, text, call = stream.message.content
    pieces = json.dumps({"text": "one two", "lines": [1, 2]})
    watch = stream.watch(2, "text")
    seen = []
    for number in range(0, len(pieces), 8):
        (event,) = send(stream, delta(2, "input_json_delta", partial_json=pieces[number : number + 8]))
        assert isinstance(event, InputJSONDelta)
        seen.append(stream.partial_input(event.index).snapshot())
    assert seen == [
        {},
        {"text": "one tw"},
        {"text": "one two"},
        {"text": "one two", "lines": [1]},
        {"text": "one two", "lines": [1, 2]},
    ]
    assert "".join(watch.new()) == "one two"
    for word in ("Let", " me", " see"):
        send(stream, delta(0, "thinking_delta", thinking=word), delta(1, "text_delta", text=word))
    assert (thinking.to_dict()["thinking"], text.to_dict()["text"]) == ("Let me see", "Let me see")
    assert call.type == "tool_use"


def test_C5_long_silences_between_events_are_no_failure_while_pings_arrive() -> None:
    thinking = [(110.0, chunked(PING, last=False))] * 5
    rest = chunked(*DELTAS, frame(end(0)), frame(change(output_tokens=5)), frame(STOP))
    outcome = World(Peer([head(), chunked(*OPENING, last=False), *thinking, (45.0, rest)])).run()
    assert outcome.error is None
    assert outcome.types.count("ping") == 5
    assert outcome.finished > 1000.0 + 590.0
