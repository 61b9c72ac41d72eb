"""MessageAccumulator by example: which events may follow which, and what each does to the message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sansio_claude._errors import LimitError, RemoteProtocolError
from sansio_claude._limits import Limits
from sansio_claude._message.blocks import TextBlock, ToolUseBlock
from sansio_claude._message.message import Message
from sansio_claude._stream.accumulate import MessageAccumulator
from sansio_claude._stream.decode import event_from_value
from sansio_claude._stream.deviations import Deviation
from sansio_claude._stream.events import (
    ContentBlockStart,
    ContentBlockStop,
    InputJSONDelta,
    MessageStart,
    MessageStop,
    TextDelta,
    UnknownEvent,
)
from tests.counting import growth
from tests.frames import (
    DELTA,
    END,
    START,
    answer,
    block,
    body,
    delta,
    message_delta,
    message_start,
    start,
    stop,
    text,
    tool,
)
from tests.observe import run


def accumulated(*values: dict[str, Any], **options: Any) -> MessageAccumulator:
    accumulator = MessageAccumulator(**options)
    for value in values:
        accumulator.receive_event(event_from_value(value, "message", options.get("limits") or Limits(), []))
    return accumulator


def message_of(*values: dict[str, Any], **options: Any) -> Message:
    message = accumulated(*values, **options).message
    assert message is not None
    return message


def contents(*values: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = message_of(*values, **options).to_dict()["content"]
    return content


def kinds(accumulator: MessageAccumulator) -> list[str]:
    return [deviation.kind for deviation in accumulator.deviations]


def refused(*values: dict[str, Any], **options: Any) -> RemoteProtocolError:
    """The error of the last of these; what comes before must be fine, and the message stays as it was."""
    accumulator = accumulated(*values[:-1], **options)
    before = repr(accumulator.message)
    event = event_from_value(values[-1], "message", options.get("limits") or Limits(), [])
    with pytest.raises(RemoteProtocolError) as caught:
        accumulator.receive_event(event)
    assert repr(accumulator.message) == before
    assert not accumulator.done
    return caught.value


TEXT = {"type": "text", "text": ""}


# A whole message.


def test_an_answer_from_start_to_end() -> None:
    accumulator = MessageAccumulator()
    assert accumulated().message is None
    assert accumulator._keep
    finished = []
    for number, value in enumerate(answer(*block(TEXT, {"type": "text_delta", "text": "hi"})), 1):
        finished.append(accumulator.done)
        accumulator.receive_event(event_from_value(value, "message", Limits(), []))
        assert accumulator.event_number == number
    assert finished == [False] * 6
    assert accumulator.done
    assert accumulator.deviations == []
    assert accumulator.open == {}
    assert list(accumulator.blocks) == list(accumulator._types) == [0]
    assert accumulator.message is not None
    assert accumulator.message.to_dict() == {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "hi"}],
        "usage": {"input_tokens": 1, "output_tokens": 5},
        "stop_reason": "end_turn",
        "stop_sequence": None,
    }


def test_the_events_are_as_sent_and_stop_events_carry_what_is_finished() -> None:
    accumulator = MessageAccumulator()
    events = [event_from_value(value, "message", Limits(), []) for value in answer(start(0, TEXT), text("a"), stop())]
    for event in events:
        accumulator.receive_event(event)
    first, second, _, fourth, _, last = events
    assert isinstance(first, MessageStart)
    assert first.message.to_dict() == START["message"]
    assert "content_block=TextBlock(text='')" in repr(second)
    assert isinstance(fourth, ContentBlockStop)
    assert fourth.content_block is accumulator.blocks[0]
    assert isinstance(last, MessageStop)
    assert last.message is accumulator.message


def test_pings_errors_and_unknown_events_may_come_anywhere_and_change_nothing() -> None:
    noise: list[dict[str, Any]] = [
        {"type": "ping"},
        {"type": "error", "error": {"type": "api_error"}},
        {"type": "vertex_event", "index": -1},
    ]
    plain = answer(*block(TEXT, {"type": "text_delta", "text": "hi"}))
    noisy = [each for value in plain for each in (*noise, value)]
    assert message_of(*noisy) == message_of(*plain)
    assert kinds(accumulated(*noisy)) == []


@pytest.mark.parametrize("value", [start(0, TEXT), text("x"), stop(), DELTA, END, delta(0, type="new")])
def test_nothing_comes_before_message_start(value: dict[str, Any]) -> None:
    error = refused(value)
    assert str(error) == f"{value['type']} came before message_start"
    assert error.stage == "blocks"


# message_start.


def test_a_second_start_with_the_same_id_is_ignored() -> None:
    accumulator = accumulated(START, *block(TEXT), message_start(content=[{"type": "text", "text": "no"}]))
    assert accumulator.deviations == [
        Deviation("repeated_start", 4, "message_start came twice with the same id; the second was ignored")
    ]
    assert accumulator.message is not None
    assert accumulator.message.text == ""
    without_id = {"type": "message_start", "message": {"content": [], "usage": {}}}
    assert kinds(accumulated(without_id, without_id)) == ["repeated_start"]


def test_a_second_start_with_another_id_is_refused() -> None:
    assert "with another id" in str(refused(START, message_start(id="msg_2")))
    assert "with another id" in str(refused(START, {"type": "message_start", "message": {"content": []}}))


def test_blocks_that_come_with_the_start_count_from_zero() -> None:
    given = ({"type": "text", "text": "a"}, {"type": "tool_use", "id": "t", "name": "n", "input": {"x": 1}})
    accumulator = accumulated(message_start(content=given), *block(TEXT, {"type": "text_delta", "text": "b"}, index=2))
    assert kinds(accumulator) == []
    assert sorted(accumulator.blocks) == [0, 1, 2]
    assert accumulator.message is not None
    assert accumulator.message.text == "ab"
    assert accumulator._types == {0: TextBlock, 1: ToolUseBlock, 2: TextBlock}
    assert "which has stopped" in str(refused(message_start(content=given), text("x", 0)))
    assert "started twice" in str(refused(message_start(content=given), start(1, TEXT)))
    assert kinds(accumulated(message_start(content=given), start(3, TEXT))) == ["index_order"]


def test_content_that_came_whole_keeps_growing_apart_from_the_event() -> None:
    citations: list[Any] = [{"type": "c1"}]
    event = event_from_value(start(0, {"type": "text", "text": "a", "citations": citations}), "message", Limits(), [])
    accumulator = accumulated(START)
    accumulator.receive_event(event)
    for value in (delta(0, type="citations_delta", citation={"type": "c2"}), text("b")):
        accumulator.receive_event(event_from_value(value, "message", Limits(), []))
    assert repr(event) == ("ContentBlockStart(index=0, content_block=TextBlock(text='a', citations=[{'type': 'c1'}]))")
    assert accumulator.blocks[0].to_dict() == {
        "type": "text",
        "text": "ab",
        "citations": [{"type": "c1"}, {"type": "c2"}],
    }


def test_the_message_of_the_start_event_does_not_grow() -> None:
    event = event_from_value(message_start(content=[{"type": "text", "text": "a"}]), "message", Limits(), [])
    assert isinstance(event, MessageStart)
    before = event.message.to_dict()
    accumulator = MessageAccumulator()
    accumulator.receive_event(event)
    accumulator.receive_event(event_from_value(message_delta(), "message", Limits(), []))
    assert event.message.to_dict() == before


# Blocks.


def test_blocks_side_by_side_are_addressed_by_index() -> None:
    assert contents(
        START,
        start(0, TEXT),
        start(1, {"type": "thinking", "thinking": "", "signature": ""}),
        text("a", 0),
        delta(1, type="thinking_delta", thinking="x"),
        text("b", 0),
        stop(0),
        delta(1, type="thinking_delta", thinking="y"),
        delta(1, type="signature_delta", signature="s"),
        stop(1),
    ) == [{"type": "text", "text": "ab"}, {"type": "thinking", "thinking": "xy", "signature": "s"}]


def test_blocks_come_out_in_the_order_of_their_indices() -> None:
    accumulator = accumulated(START, start(5, TEXT), text("5", 5), start(2, TEXT), start(3, TEXT), text("2", 2))
    assert kinds(accumulator) == ["index_order"] * 3
    assert [each.words for each in accumulator.deviations] == [
        "block 5 started where 0 was next",
        "block 2 started where 6 was next",
        "block 3 started where 6 was next",
    ]
    assert accumulator.message is not None
    assert accumulator.message.text == "25"
    assert len(accumulator.message.content) == 3
    more = accumulated(START, start(1, TEXT), start(2, TEXT), start(0, TEXT), text("0", 0), text("1", 1), text("2", 2))
    assert kinds(more) == ["index_order", "index_order"]
    assert more.message is not None
    assert more.message.text == "012"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([text("x")], "a text_delta came for block 0, which never started"),
        ([stop()], "content_block_stop came for block 0, which never started"),
        ([*block(TEXT), text("x")], "a text_delta came for block 0, which has stopped"),
        ([*block(TEXT), delta(0, type="new")], "a new came for block 0, which has stopped"),
        ([*block(TEXT), start(0, TEXT)], "block 0 started twice"),
        ([start(0, TEXT), start(0, {"type": "new"})], "block 0 started twice"),
        ([start(0, TEXT), text("x", 1)], "a text_delta came for block 1, which never started"),
    ],
)
def test_indices_that_cannot_be_right_are_refused(values: list[dict[str, Any]], words: str) -> None:
    error = refused(START, *values)
    assert (str(error), error.stage) == (words, "blocks")


def test_an_unknown_delta_type_is_not_quoted_at_length() -> None:
    for values in ([], [*block(TEXT)]):
        assert len(str(refused(START, *values, delta(0, type="n" * 10_000)))) < 100


DELTAS: dict[str, dict[str, Any]] = {
    "text_delta": {"text": "t"},
    "citations_delta": {"citation": {}},
    "thinking_delta": {"thinking": "t"},
    "signature_delta": {"signature": "s"},
    "input_json_delta": {"partial_json": "{"},
    "compaction_delta": {"content": "c"},
}
FITS = {
    "text": {"text_delta", "citations_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "redacted_thinking": set[str](),
    "tool_use": {"input_json_delta"},
    "server_tool_use": {"input_json_delta"},
    "mcp_tool_use": {"input_json_delta"},
    "compaction": {"compaction_delta"},
    "web_search_tool_result": set[str](),
    "fallback": set[str](),
    "hologram": set(DELTAS),
}


@pytest.mark.parametrize("kind", FITS)
@pytest.mark.parametrize("delta_type", DELTAS)
@pytest.mark.parametrize("keep", [True, False])
def test_a_known_delta_goes_on_its_own_kind_of_block_or_an_unknown_one(kind: str, delta_type: str, keep: bool) -> None:
    whole = {"text": "", "thinking": "", "id": "t", "name": "n", "input": {}}
    values = [START, start(0, {"type": kind, **whole}), delta(0, type=delta_type, **DELTAS[delta_type])]
    if delta_type in FITS[kind]:
        assert kinds(accumulated(*values, keep_content=keep)) == []
    else:
        error = refused(*values, keep_content=keep)
        article = "an" if delta_type.startswith("i") else "a"
        assert str(error) == f"{article} {delta_type} came for block 0, which is a {kind} block"


@pytest.mark.parametrize("kind", FITS)
def test_an_unknown_delta_goes_on_any_block(kind: str) -> None:
    last = contents(START, start(0, {"type": kind, "beam": "a"}), delta(0, type="new_delta", beam="b", n=[1]), stop())
    assert last[0]["beam"] == "ab"
    assert last[0]["n"] == [1]
    assert last[0]["type"] == kind


def test_what_an_unknown_delta_does_to_each_key() -> None:
    first = {"type": "new", "text": "a", "number": 1, "null": None, "list": [1], "string": "s"}
    second = {"text": "b", "number": 2, "null": "n", "list": [2], "string": 5, "absent": {"x": [1]}}
    value = delta(0, type="new_delta", **second)
    assert contents(START, start(0, first), value) == [
        {"type": "new", "text": "ab", "number": 2, "null": "n", "list": [2], "string": 5, "absent": {"x": [1]}}
    ]
    accumulator = accumulated(START, start(0, first), value)
    value["delta"]["absent"]["x"].append(2)
    assert accumulator.blocks[0].to_dict()["absent"] == {"x": [1]}


def test_known_and_unknown_deltas_on_one_text() -> None:
    # The event keeps what the block does not take, and the deviation says so.
    accumulator = accumulated(START, start(0, TEXT), text("a"), delta(0, type="new", text="b", x=1), text("c"), stop())
    block = accumulator.blocks[0]
    assert block.to_dict() == {"type": "text", "text": "ac", "x": 1}
    assert block.to_param() == {"type": "text", "text": "ac"}
    assert accumulator.deviations == [
        Deviation("kept_key", 4, "a new of block 0 would change 'text', which stays as it is")
    ]


def test_deltas_on_an_unknown_block() -> None:
    assert contents(
        START,
        start(0, {"type": "hologram", "text": "a", "citations": None}),
        *(delta(0, type=kind, **fields) for kind, fields in DELTAS.items()),
        text("b"),
        delta(0, type="input_json_delta", partial_json="}"),
        delta(0, type="thinking_delta", thinking="u"),
        delta(0, type="citations_delta", citation={"type": "c"}),
        stop(),
    ) == [
        {
            "type": "hologram",
            "text": "atb",
            "citations": [{}, {"type": "c"}],
            "thinking": "tu",
            "signature": "s",
            "partial_json": "{}",
            "content": "c",
        }
    ]


def test_an_unknown_key_on_a_known_delta_is_not_in_the_message() -> None:
    assert contents(START, start(0, TEXT), delta(0, type="text_delta", text="a", beam="b"), stop()) == [
        {"type": "text", "text": "a"}
    ]


def test_a_signature_overwrites() -> None:
    signatures = [{"type": "signature_delta", "signature": each} for each in ("one", "two")]
    thinking = {"type": "thinking", "thinking": "", "signature": "zero"}
    assert contents(START, *block(thinking, *signatures)) == [{"type": "thinking", "thinking": "", "signature": "two"}]


@pytest.mark.parametrize("given", [{}, {"citations": None}, {"citations": []}])
def test_citations_are_collected(given: dict[str, Any]) -> None:
    citations = [{"type": "citations_delta", "citation": {"n": each}} for each in (1, 2)]
    assert contents(START, *block({**TEXT, **given}, *citations))[0]["citations"] == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize(
    ("first", "fields", "expected"),
    [
        ({"content": None}, {"content": "c"}, {"content": "c"}),
        ({"content": None}, {"content": None}, {"content": None}),
        ({"content": "a"}, {"content": None}, {"content": "a"}),
        ({}, {"content": None}, {"content": None}),
        (
            {"content": None},
            {"content": "c", "encrypted_content": "e"},
            {"content": "c", "encrypted_content": "e"},
        ),
        ({"content": None}, {"content": "c", "encrypted_content": None}, {"content": "c", "encrypted_content": None}),
        (
            {"content": None, "encrypted_content": "e"},
            {"content": "c", "encrypted_content": None},
            {"content": "c", "encrypted_content": "e"},
        ),
        ({"content": None, "encrypted_content": "e"}, {"content": "c"}, {"content": "c", "encrypted_content": "e"}),
        ({"content": None}, {"content": "c", "unknown": 1}, {"content": "c"}),
        ({"content": None, "signature": "s"}, {"content": ["list"]}, {"content": ["list"], "signature": "s"}),
    ],
)
def test_compactions(first: dict[str, Any], fields: dict[str, Any], expected: dict[str, Any]) -> None:
    values = block({"type": "compaction", **first}, {"type": "compaction_delta", **fields})
    assert contents(START, *values) == [{"type": "compaction", **expected}]


def test_a_fallback_sets_the_model() -> None:
    value = start(0, {"type": "fallback", "from": {"model": "m"}, "to": {"model": "other"}})
    assert message_of(START, value).model == "other"
    assert message_of(START, value, keep_content=False).model == "other"
    assert message_of(START, start(0, {"type": "fallback", "to": {}})).model == "m"


def test_tool_inputs() -> None:
    accumulator = accumulated(START, *tool("", '{"a"', ": 1}"), *tool("", index=1), *tool('{"a', index=2))
    message = accumulator.message
    assert message is not None
    assert [each.input_status for each in message.tool_uses] == ["complete", "complete", "partial"]
    assert message.to_dict()["content"][0]["input"] == {"a": 1}
    assert message.to_dict()["content"][1]["input"] == {}
    assert message.to_dict()["content"][2]["input"] == {"$incomplete_json": '{"a'}
    accumulator.receive_event(event_from_value(END, "message", Limits(), []))
    assert accumulator.done
    assert accumulator.deviations[1:] == [
        Deviation("input", accumulator.event_number, "the tool input of block 2 is partial at message_stop")
    ]


def test_a_tool_that_starts_with_a_marked_input_goes_on_from_there() -> None:
    marked = {"type": "tool_use", "id": "t", "name": "n", "input": {"$incomplete_json": '{"a'}}
    fragment = {"type": "input_json_delta", "partial_json": '": 1}'}
    assert contents(START, *block(marked, fragment))[0]["input"] == {"a": 1}
    given = accumulated(message_start(content=[marked]), message_delta({"stop_reason": "tool_use"}), END)
    assert [(each.kind, each.words) for each in given.deviations] == [
        ("input", "the tool input of block 0 is partial at message_stop")
    ]


def test_an_input_delta_without_its_text() -> None:
    block = {"type": "tool_use", "id": "t", "input": {}}
    result = run([body(START, start(0, block), delta(0, type="input_json_delta"))], end=False)
    assert result.deviations == [("empty_value", 3, "partial_json of an input_json_delta is missing")]
    outer = {**delta(0, type="input_json_delta", partial_json="{}"), "other": 1, "partial_json": "x"}
    assert kinds(accumulated(START, start(0, block), outer)) == []
    other = {**text("x"), "partial_json": 1}
    assert kinds(accumulated(START, start(0, TEXT), other)) == []


def test_a_repeated_stop() -> None:
    accumulator = accumulated(START, *block(TEXT))
    event = ContentBlockStop(0)
    accumulator.receive_event(event)
    assert event.content_block is accumulator.blocks[0]
    assert accumulator.deviations == [Deviation("twice", 4, "content_block_stop came again for block 0")]


# message_delta.


def test_what_is_not_null_overwrites_and_nothing_is_added_up() -> None:
    first = message_start(
        usage={"input_tokens": 10, "output_tokens": 1, "cache_creation": {"a": 1, "b": 2}, "service_tier": "standard"},
        stop_reason=None,
        stop_sequence=None,
        container={"id": "c"},
    )
    second = message_delta(
        {"stop_reason": "tool_use", "stop_sequence": None, "container": None, "stop_details": None, "new": [1]},
        {"output_tokens": 5, "input_tokens": None, "cache_creation": {"a": 3}, "new": None, "iterations": []},
        context_management=None,
    )
    third = message_delta({}, {"output_tokens": 7}, context_management={"applied_edits": []})
    fourth = message_delta({"stop_reason": None, "new": None}, {"output_tokens": 6}, context_management=None)
    message = message_of(first, second, third, fourth)
    assert message.to_dict() == {
        **first["message"],
        "usage": {
            "input_tokens": 10,
            "output_tokens": 6,
            "cache_creation": {"a": 3},
            "service_tier": "standard",
            "new": None,
            "iterations": [],
        },
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "container": {"id": "c"},
        "stop_details": None,
        "new": [1],
        "context_management": {"applied_edits": []},
    }


def test_the_values_of_a_message_delta_are_copied() -> None:
    value = message_delta({"new": [1]}, {"nested": {"a": [1]}}, other={"b": [1]})
    message = message_of(START, value)
    value["delta"]["new"].append(2)
    value["usage"]["nested"]["a"].append(2)
    value["other"]["b"].append(2)
    assert message.raw["new"] == [1]
    assert message.usage.raw["nested"] == {"a": [1]}
    assert message.raw["other"] == {"b": [1]}


def test_content_and_usage_have_their_own_place() -> None:
    value = message_delta({"content": [{"type": "text"}]}, 5, content=[5])
    accumulator = accumulated(START, *block(TEXT), value)
    assert accumulator.message is not None
    assert accumulator.message.to_dict()["content"] == [TEXT]
    assert accumulator.message.to_dict()["usage"] == START["message"]["usage"]
    assert kinds(accumulator) == ["usage", "kept_key", "kept_key"]


@pytest.mark.parametrize("usage", [None, 5, "x", []])
def test_usage_that_is_no_object_gives_way_to_one_that_is(usage: Any) -> None:
    accumulator = accumulated(message_start(usage=usage), message_delta(usage={"output_tokens": 5}))
    assert accumulator.deviations == [Deviation("usage", 1, "usage of message_start is missing, null or no object")]
    assert accumulator.message is not None
    assert accumulator.message.usage.to_dict() == {"output_tokens": 5}


def test_no_usage_at_all() -> None:
    first = message_start()
    del first["message"]["usage"]
    second = message_delta()
    del second["usage"]
    accumulator = accumulated(first, second)
    assert [(each.kind, each.event_number) for each in accumulator.deviations] == [("usage", 1), ("usage", 2)]
    assert accumulator.message is not None
    assert "usage" not in accumulator.message.to_dict()


@pytest.mark.parametrize(
    "key", ["input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"]
)
@pytest.mark.parametrize("odd", ["5", 1.5, True, [], {}, -1])
def test_odd_counters_are_kept_and_recorded(key: str, odd: Any) -> None:
    accumulator = accumulated(message_start(usage={key: odd}), message_delta(usage={key: odd}))
    assert [(each.kind, each.words) for each in accumulator.deviations] == [
        ("usage", f"{key} in the usage of message_start is not a whole number of 0 or more"),
        ("usage", f"{key} in the usage of message_delta is not a whole number of 0 or more"),
    ]
    assert accumulator.message is not None
    assert accumulator.message.usage.raw[key] == odd
    assert getattr(accumulator.message.usage, key) is None
    for fine in (None, 0, 10**20):
        assert kinds(accumulated(message_start(usage={key: fine}), message_delta(usage={key: fine}))) == []


def test_a_message_delta_without_delta() -> None:
    value = {"type": "message_delta", "usage": {"output_tokens": 5}}
    for each in (value, {**value, "delta": None}):
        accumulator = accumulated(START, each, END)
        assert accumulator.deviations == [Deviation("no_message_delta", 2, "delta of message_delta is missing or null")]
        assert accumulator.message is not None
        assert accumulator.message.usage.output_tokens == 5


# message_stop.


def test_blocks_that_are_still_open_are_marked() -> None:
    accumulator = accumulated(START, start(0, TEXT), *tool("{}", index=1)[:-1], *tool('{"', index=2), *answer()[1:])
    assert accumulator.done
    assert [(each.kind, each.words) for each in accumulator.deviations] == [
        ("open_block", "block 0 was still open at message_stop"),
        ("open_block", "block 1 was still open at message_stop"),
        ("input_without_stop", "the tool input of block 1 is whole without a block stop"),
        ("input", "the tool input of block 2 is partial at message_stop"),
        ("stop_reason_mismatch", "the stop reason is end_turn, but there is a call of a tool"),
    ]
    assert accumulator.message is not None
    assert [each.input_status for each in accumulator.message.tool_uses] == ["complete", "partial"]
    assert sorted(accumulator.open) == [0, 1]


def test_without_any_message_delta() -> None:
    accumulator = accumulated(START, END)
    assert accumulator.done
    assert accumulator.deviations == [Deviation("no_message_delta", 2, "message_stop came without any message_delta")]


def test_what_comes_after_message_stop_is_ignored() -> None:
    accumulator = accumulated(*answer(), text("x"), {"type": "ping"}, END)
    assert [(each.kind, each.event_number) for each in accumulator.deviations] == [
        ("after_message_stop", 4),
    ]
    assert accumulator.message is not None
    assert accumulator.message.content == []


# strict, keep_content, limits.

DEVIATIONS: dict[str, list[dict[str, Any]]] = {
    "repeated_start": [START, START],
    "no_content": [message_start(content=None)],
    "usage": [message_start(usage=None)],
    "usage of odd types": [message_start(usage={"input_tokens": "5"})],
    "usage of message_delta": [START, message_delta(usage=5)],
    "usage of odd types in message_delta": [START, message_delta(usage={"output_tokens": "5"})],
    "index_order": [START, start(1, TEXT)],
    "empty_value": [START, start(0, {"type": "text"})],
    "empty_value of null": [START, start(0, {"type": "text", "text": None})],
    "twice": [START, *block(TEXT), stop()],
    "no_message_delta for its delta": [START, {"type": "message_delta", "usage": {}}],
    "no_message_delta": [START, END],
    "open_block": [START, start(0, TEXT), DELTA, END],
    "input": [START, *tool("{"), message_delta({"stop_reason": "tool_use"}), END],
    "stop_reason_mismatch": [START, *tool("{}"), DELTA, END],
    "stop_reason_mismatch without a call": [START, message_delta({"stop_reason": "tool_use"}), END],
}


@pytest.mark.parametrize("name", DEVIATIONS)
def test_strict_refuses_every_deviation(name: str) -> None:
    values = DEVIATIONS[name]
    (deviation,) = accumulated(*values).deviations
    assert deviation.kind == name.split()[0]
    assert deviation.event_number == len(values)
    error = refused(*values, strict=True)
    assert error.stage == "blocks"
    assert (
        str(error)
        == f"{deviation.words} (event {len(values)}; a deviation of the kind {deviation.kind!r} is refused here)"
    )


def test_even_strict_refuses_nothing_after_the_end() -> None:
    accumulator = accumulated(*answer(), strict=True)
    accumulator.receive_event(UnknownEvent({}))
    assert accumulator.done
    assert kinds(accumulator) == ["after_message_stop"]


def test_a_start_without_content_has_an_empty_list_then() -> None:
    message = message_of(message_start(content=None))
    assert message.to_dict()["content"] == message.content == []


def test_without_content_order_is_checked_and_usage_merged() -> None:
    values = answer(*block(TEXT, {"type": "text_delta", "text": "hi"}), *tool('{"a', index=1))
    accumulator = accumulated(*values, keep_content=False)
    assert not accumulator._keep
    assert accumulator.done
    assert accumulator.blocks == {}
    assert kinds(accumulator) == ["stop_reason_mismatch"]
    assert accumulator.message is not None
    assert accumulator.message.content == []
    assert accumulator.message.to_dict()["content"] == []
    assert accumulator.message.usage.output_tokens == 5
    assert accumulator.message.stop_reason == "end_turn"
    assert "started twice" in str(refused(*values[:4], start(0, TEXT), keep_content=False))
    assert kinds(accumulated(START, start(1, TEXT), keep_content=False)) == ["index_order"]
    given = message_start(content=[{"type": "text", "text": "a"}])
    assert message_of(given, keep_content=False).content == []
    assert "started twice" in str(refused(given, start(0, TEXT), keep_content=False))


def test_without_content_nothing_of_a_delta_is_kept() -> None:
    accumulator = accumulated(START, start(0, TEXT), start(1, {"type": "tool_use"}), keep_content=False)
    accumulator.receive_event(TextDelta(0, "x"))
    accumulator.receive_event(InputJSONDelta(1, '{"a'))
    assert accumulator.open == {}
    event = ContentBlockStop(1)
    accumulator.receive_event(event)
    assert event.content_block is None
    again = ContentBlockStop(1)
    accumulator.receive_event(again)
    assert again.content_block is None


def test_the_number_of_blocks_is_limited() -> None:
    limits = Limits(blocks=2)
    two = ({"type": "text"}, {"type": "text"})
    assert len(message_of(START, start(0, TEXT), start(1, TEXT), limits=limits).content) == 2
    assert len(message_of(message_start(content=two), limits=limits).content) == 2
    for values, options in (
        ([START, start(1, TEXT), start(0, TEXT), start(2, TEXT)], {"limits": Limits(blocks=2)}),
        ([message_start(content=(*two, TEXT))], {"limits": limits}),
        ([message_start(content=two), start(2, TEXT)], {"limits": limits}),
    ):
        accumulator = MessageAccumulator(**options)  # type: ignore[arg-type]
        for value in values[:-1]:
            accumulator.receive_event(event_from_value(value, "message", Limits(), []))
        with pytest.raises(LimitError) as caught:
            accumulator.receive_event(event_from_value(values[-1], "message", Limits(), []))
        assert (caught.value.limit, caught.value.value, caught.value.stage) == ("blocks", 2, "blocks")
        assert str(caught.value) == "the message has more blocks than Limits.blocks = 2"


def test_the_depth_of_tool_inputs_is_limited() -> None:
    error = refused(START, *tool("[[[[]]]]"), limits=Limits(depth=3))
    assert isinstance(error, LimitError)
    assert (error.limit, error.value) == ("depth", 3)


def test_deviations_beyond_the_limit_are_counted_only() -> None:
    values = [START, *(message_delta(usage=5) for _ in range(5))]
    accumulator = accumulated(*values, limits=Limits(deviations=2))
    assert [each.event_number for each in accumulator.deviations] == [2, 3]
    assert accumulator.deviations_dropped == 3
    assert accumulated(*values).deviations_dropped == 0


def test_a_deviation_is_a_value() -> None:
    assert Deviation("usage", 1, "words") == Deviation("usage", 1, "words") != Deviation("usage", 2, "words")


@pytest.mark.parametrize(
    "values",
    [
        lambda n: [text("0123456789")] * n,
        lambda n: [delta(0, type="new", text="0123456789")] * n,
        lambda n: [delta(0, type="citations_delta", citation={"a": 1})] * n,
        lambda n: [message_delta()] * n,
        lambda n: [start(index, TEXT) for index in range(1, n)],
    ],
    ids=["text", "unknown deltas", "citations", "message deltas", "blocks"],
)
def test_the_work_is_linear_in_the_events(values: Callable[[int], list[dict[str, Any]]]) -> None:
    def accumulating(size: int) -> Callable[[], object]:
        accumulator = accumulated(START, start(0, TEXT))
        events = [event_from_value(value, "message", Limits(), []) for value in values(size)]
        return lambda: list(map(accumulator.receive_event, events))

    assert growth(accumulating, size=200) < 1.1


def test_an_unknown_block_as_it_was_sent_does_not_grow() -> None:
    sent = {"type": "novel", "citations": [], "pages": [1]}
    event = event_from_value(start(0, dict(sent)), "message", Limits(), [])
    accumulator = MessageAccumulator()
    for value in (message_start(), None, delta(0, type="citations_delta", citation={"a": 1})):
        accumulator.receive_event(event if value is None else event_from_value(value, "message", Limits(), []))
    assert isinstance(event, ContentBlockStart)
    assert event.content_block.to_dict() == sent
    assert accumulator.blocks[0].to_dict() == {**sent, "citations": [{"a": 1}]}
