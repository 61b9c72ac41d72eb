"""Repair, by example: what is mended, what is passed on, what ends in an error event, and what the SDK makes of it."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import httpx2
import pytest

from sansio_claude import Limits, LocalProtocolError, Message, RemoteProtocolError, TextDelta
from sansio_claude.gateway import Repair
from sansio_claude.testing import compose
from tests.gateway.repairing import read, repair, wire

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
        "usage": {"input_tokens": 3, "output_tokens": 1},
    },
}
USAGE = {"output_tokens": 9}
END: dict[str, Any] = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": USAGE}
STOP: dict[str, Any] = {"type": "message_stop"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "save", "input": {}}


def begin(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block or {"type": "text", "text": ""}}


def delta(index: Any, **delta: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def text(index: Any, words: str) -> dict[str, Any]:
    return delta(index, type="text_delta", text=words)


def end(index: Any) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


TEXT: list[dict[str, Any]] = [begin(0), text(0, "Hi"), end(0)]
MENDED: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "no start of a text": ([START, text(0, "Hi"), end(0), END, STOP], ["missing_start"]),
    "no message_start": ([*TEXT, END, STOP], ["missing_start"]),
    "no stop of a text": ([START, begin(0), text(0, "Hi"), END, STOP], ["open_block"]),
    "no message_stop": ([START, *TEXT, END], ["no_message_stop"]),
    "no message_delta": ([START, *TEXT, STOP], ["no_message_delta"]),
    "indices with a gap": ([START, begin(1), text(1, "Hi"), end(1), END, STOP], ["index_order"]),
    "no index": ([START, begin(0), text(None, "Hi"), end(None), END, STOP], ["index_missing"]),
    "an empty delta of another kind": (
        [START, begin(0), delta(0, type="thinking_delta", thinking=""), *TEXT[1:], END, STOP],
        ["foreign_empty_delta"],
    ),
    "null strings": ([START, begin(0, type="text", text=None), *TEXT[1:], END, STOP], ["empty_value"]),
    "a delta without a type": ([START, begin(0), delta(0, text="Hi"), end(0), END, STOP], ["typeless_delta"]),
    "usage left out": ([START, *TEXT, {**END, "usage": None}, STOP], ["usage"]),
    "message_delta in two": (
        [START, *TEXT, END, {**END, "delta": {"stop_reason": None, "stop_sequence": None}}, STOP],
        ["several_deltas"],
    ),
    "message_delta before the content": ([START, END, *TEXT, STOP], ["delta_order"]),
    "an unfinished emoji": ([START, begin(0), text(0, "Hi\ud83d"), end(0), END, STOP], ["half_character"]),
    "an empty block in message_start": (
        [{**START, "message": {**START["message"], "content": [{"type": "text", "text": ""}]}}, *TEXT, END, STOP],
        ["placeholder"],
    ),
    "message_start twice": ([START, START, *TEXT, END, STOP], ["repeated_start"]),
    "tool_use without a call": (
        [START, *TEXT, {**END, "delta": {"stop_reason": "tool_use"}}, STOP],
        ["stop_reason_mismatch"],
    ),
    "something behind the end": ([START, *TEXT, END, STOP, END], ["after_message_stop"]),
    "a type that the delta may not change": (
        [START, *TEXT, {**END, "delta": {"type": "message_delta", "stop_reason": "end_turn"}}, STOP],
        ["kept_key"],
    ),
}


@pytest.mark.parametrize("name", MENDED)
def test_what_is_mended(name: str) -> None:
    events, kinds = MENDED[name]
    repaired = repair(wire(*events))
    assert repaired.kinds == kinds
    message = read(repaired.out, strict=True)
    assert isinstance(message, Message), message
    assert message.text.startswith("Hi")
    assert message.usage.output_tokens in (1, 9)
    types = [line[7:] for line in repaired.out.decode().split("\n") if line.startswith("event: ")]
    assert types == [
        *("message_start", "content_block_start", "content_block_delta"),
        *(["content_block_delta"] if name == "an unfinished emoji" else []),
        *("content_block_stop", "message_delta", "message_stop"),
    ]
    assert repair(repaired.out).out == repaired.out


HALVES: dict[str, list[dict[str, Any]]] = {
    "alone": [begin(0), text(0, "a\ud83d"), end(0)],
    "before other text": [begin(0), text(0, "a\ud83d"), text(0, "b"), end(0)],
    "in two deltas": [begin(0), text(0, "a\ud83d"), text(0, "\ude00b"), end(0)],
    "in start and delta": [begin(0, type="text", text="\ud83d"), text(0, "\ude00b"), end(0)],
    "in a block that nobody knows": [begin(0, type="new"), text(0, "a\ud83d"), end(0)],
    "in two deltas of such a block": [begin(0, type="new"), text(0, "a\ud83d"), text(0, "\ude00"), end(0)],
    "in a delta that nobody knows": [begin(0, type="new"), delta(0, type="new_delta", text="\ud83d"), end(0)],
    "in a delta without a type": [begin(0, type="new"), delta(0, text="\ud83d"), end(0)],
    "in an input": [begin(0, **CALL), delta(0, type="input_json_delta", partial_json='{"a": "\ud83d"}'), end(0)],
}


@pytest.mark.parametrize("name", HALVES)
def test_half_a_character(name: str) -> None:
    end_of_answer = {**END, "delta": {"stop_reason": "tool_use" if name == "in an input" else "end_turn"}}
    events = [START, *HALVES[name], end_of_answer, STOP]
    came = read(wire(*events))
    repaired = repair(wire(*events))
    assert isinstance(read(repaired.out, strict=True), Message)
    assert read(repaired.out) == came
    assert set(repaired.kinds) <= {"half_character"}
    passed = repair(wire(*events), mend={"half_character": "pass"})
    assert passed.out == wire(*events)
    assert read(passed.out) == came


def test_a_whole_message_goes_out_as_the_events_of_a_stream() -> None:
    message = compose([{"type": "text", "text": "Hi"}, CALL], seed=1).message
    repaired = repair(json.dumps(message).encode())
    assert repaired.kinds == ["whole_message"]
    assert [each.event_number for each in repaired.mended] == [1]
    read_back = read(repaired.out, strict=True)
    assert isinstance(read_back, Message)
    assert read_back.to_dict() == message


@pytest.mark.parametrize("first", [b"{\n", b' {"type": "message"\n\n', b"\xef\xbb\xbf\n{}\n\n"])
@pytest.mark.parametrize("blank", [b"\n\n", b""])
def test_a_body_that_begins_like_json_and_has_an_event_is_a_stream(first: bytes, blank: bytes) -> None:
    body = first + wire(START, begin(0), text(0, "Hi"), end(0), END, STOP).removesuffix(b"\n\n") + blank
    assert isinstance(read(body), Message)
    repaired = repair(body)
    assert repaired.state == "complete"
    assert repaired.kinds == ([] if blank else ["last_blank_line"])
    assert repair(*(body[at : at + 1] for at in range(len(body)))) == repaired
    assert repair(repaired.out).out == repaired.out


def test_one_event_behind_json_without_its_blank_line_is_an_event() -> None:
    body = b'{\ndata: {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}'
    assert repair(body).state == "errored"
    assert repair(b'{"a": "' + b"x" * 50 + b'"}', limits=Limits(line=20)).state == "broken"


@pytest.mark.parametrize("mend", [{}, {"whole_message": "pass"}], ids=["mended", "passed"])
@pytest.mark.parametrize(
    "body",
    [json.dumps(START["message"]).encode(), b'{"error":{"type":"x","message":"y"}}', b'{"no JSON', wire(*TEXT)],
    ids=["whole", "error", "neither", "stream"],
)
@pytest.mark.parametrize(
    "blank",
    [b"", b"\n", b" ", b"\n\n", b"\n\n \n", b"\r\n\r\n", b"\r\r\n", b"\n\r", b"\n\n\r\n\n", b"\t\n\n\x0c"],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "mark"])
def test_white_space_in_front_of_json_goes_the_same_way_however_it_was_cut(
    mark: bytes, blank: bytes, body: bytes, mend: dict[Any, Any]
) -> None:
    data = mark + blank + body
    repaired = repair(data, mend=mend)
    for at in range(len(mark + blank) + 2):
        assert repair(data[:at], data[at:], mend=mend) == repaired
    assert repair(*(bytes([each]) for each in data), mend=mend) == repaired
    if mend and repaired.passed == ["whole_message"]:
        assert repaired.out == data


def test_a_line_of_json_longer_than_a_line_of_an_event_may_be_is_still_json() -> None:
    message = json.dumps(compose("Hi", seed=1).message).encode()
    assert repair(message[:30], message[30:], limits=Limits(line=20, event=20)).kinds == ["whole_message"]


@pytest.mark.parametrize("key", ["id", "model", "type"])
@pytest.mark.parametrize("behind", [b"", b"data: {\n\n"])
def test_a_start_that_waits_and_is_no_message_leaves_the_error_event_alone(key: str, behind: bytes) -> None:
    placeholder = {**START["message"], "content": [{"type": "text", "text": ""}], key: 1}
    repaired = repair(wire({"type": "message_start", "message": placeholder}) + behind)
    assert repaired.state in ("broken", "truncated")
    assert repaired.out.startswith(b"event: error\n")
    assert repaired.out.count(b"\n\n") == 1


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r", b"\n"])
def test_the_line_end_of_an_event_that_goes_out_otherwise_is_not_left_behind(line_end: bytes) -> None:
    nameless = {key: value for key, value in end(0).items() if key != "index"}
    body = wire(START, {"type": "ping"}, begin(0), text(0, "Hi"), nameless, END, STOP)
    body = (b"data: [DONE]\n\n" + body).replace(b"\n", line_end)
    repaired = repair(body)
    assert repaired.kinds == ["skipped", "index_missing"]
    assert repair(*(body[at : at + 1] for at in range(len(body)))) == repaired


def test_a_compaction_delta_without_content_gets_null() -> None:
    bare = [begin(0, type="compaction", content=None), delta(0, type="compaction_delta"), end(0)]
    body = wire(START, *bare, END, STOP)
    repaired = repair(body)
    assert repaired.kinds == ["empty_value"]
    assert repaired.out == wire(START, bare[0], delta(0, type="compaction_delta", content=None), end(0), END, STOP)
    passed = repair(body, mend={"empty_value": "pass"})
    assert (passed.out, passed.passed) == (body, ["empty_value"])


def test_a_refusal_in_json_becomes_an_error_event() -> None:
    repaired = repair(b'{"error": {"code": 429, "message": "slow down"}}')
    assert repaired.state == "errored"
    assert b"slow down" in repaired.out
    assert b"event: error" in repaired.out


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([START, *TEXT, text(0, "more")], id="content behind the stop of its block"),
        pytest.param([START, begin(0), begin(0)], id="a block twice"),
        pytest.param([START, {**START, "message": {**START["message"], "id": "msg_2"}}], id="another message"),
        pytest.param([START, delta(0, type="input_json_delta", partial_json="{")], id="a call that never started"),
        pytest.param([START, begin(0), delta(0, type="thinking_delta", thinking="x")], id="content of another kind"),
    ],
)
def test_what_could_mislead_ends_in_an_error_event(events: list[dict[str, Any]]) -> None:
    repaired = repair(wire(*events, END, STOP))
    assert repaired.state == "broken"
    assert repaired.error is not None
    assert repaired.out.count(b"event: error") == 1
    assert not isinstance(read(repaired.out, require_message_stop=False), Message)


def test_a_call_whose_input_is_cut_is_never_closed() -> None:
    cut = delta(0, type="input_json_delta", partial_json='{"path": "/et')
    called = {**END, "delta": {"stop_reason": "tool_use"}}
    repaired = repair(wire(START, begin(0, **CALL), cut, called, STOP))
    assert b"content_block_stop" not in repaired.out
    assert repaired.passed == ["open_block"]
    assert repair(wire(START, begin(0, **CALL), cut, called)).state == "truncated"
    whole = delta(0, type="input_json_delta", partial_json='{"path": "/etc"}')
    repaired = repair(wire(START, begin(0, **CALL), whole, called, STOP))
    assert repaired.kinds == ["input_without_stop"]
    message = read(repaired.out, strict=True)
    assert isinstance(message, Message)


DEEP = {"whole": '{"a":' + "[" * 8 + "]" * 8 + "}", "cut": "[" * 9, "invalid": "[" * 9 + "1}"}


@pytest.mark.parametrize("name", DEEP)
@pytest.mark.parametrize("stop", [[end(0)], []], ids=["stopped", "open"])
@pytest.mark.parametrize("last", [[END, STOP], [STOP], [END]], ids=["whole", "no reason", "no stop"])
@pytest.mark.parametrize("early", [[], [END]], ids=["", "a stop reason before it"])
def test_an_input_that_nests_too_deep_for_the_reader_ends_in_an_error_event(
    name: str, stop: list[dict[str, Any]], last: list[dict[str, Any]], early: list[dict[str, Any]]
) -> None:
    fragments = [delta(0, type="input_json_delta", partial_json=each) for each in (DEEP[name][:5], DEEP[name][5:])]
    body = wire(START, begin(0, **CALL), *early, *fragments, *stop, *last)
    limits = Limits(depth=8)
    for chunks in ([body], [body[at : at + 1] for at in range(len(body))]):
        repaired = repair(*chunks, limits=limits)
        assert repaired.state == "broken"
        assert repaired.error == "the tool input nests deeper than Limits.depth = 8"
        assert repaired.out.count(b"event: content_block_stop") == repaired.out.count(b"event: message_stop") == 0
        assert repaired.out.count(b"event: error") == 1
        assert not isinstance(read(body, limits=limits), Message)
    # The limit is the one that was given, not the one that is usual.
    comes_to_an_end = STOP in last or stop or name == "whole"
    assert repair(body, limits=Limits(depth=9)).state == ("complete" if comes_to_an_end else "truncated")


def test_an_input_is_whole_within_the_depth_that_was_given() -> None:
    deep = '{"a":' + "[" * 599 + "]" * 599 + "}"
    for stop in ([end(0)], []):
        fragment = delta(0, type="input_json_delta", partial_json=deep)
        repaired = repair(wire(START, begin(0, **CALL), fragment, *stop, END, STOP), limits=Limits(depth=600))
        assert (repaired.state, repaired.passed) == ("complete", [])
        assert repaired.kinds == ([] if stop else ["input_without_stop"]) + ["stop_reason_mismatch"]


def test_a_call_under_end_turn_becomes_tool_use_where_it_is_whole_and_last() -> None:
    call = [begin(0, **CALL), delta(0, type="input_json_delta", partial_json="{}"), end(0)]
    behind = [begin(1), text(1, "Hi"), end(1)]
    repaired = repair(wire(START, *call, END, STOP))
    assert repaired.kinds == ["stop_reason_mismatch"]
    message = read(repaired.out, strict=True)
    assert isinstance(message, Message)
    assert message.stop_reason == "tool_use"
    body = wire(START, *call, *behind, END, STOP)
    assert repair(body).out == body
    assert repair(body).passed == ["stop_reason_mismatch"]
    body = wire(START, *call, END, STOP)
    assert repair(body, mend={"stop_reason_mismatch": "pass"}).out == body


def test_inputs_that_are_not_whole_are_passed_on_and_listed() -> None:
    cut = delta(0, type="input_json_delta", partial_json='{"path": "/et')
    body = wire(START, begin(0, **CALL), cut, end(0), {**END, "delta": {"stop_reason": "tool_use"}}, STOP)
    repaired = repair(body)
    assert repaired.out == body
    assert repaired.passed == ["input"]


@pytest.mark.parametrize(
    ("reason", "passed"),
    [("tool_use", []), ("max_tokens", []), ("new_reason", ["input"]), (None, ["input"])],
)
def test_an_input_as_a_value_in_the_last_block_is_listed_unless_the_stop_reason_explains_it(
    reason: str | None, passed: list[str]
) -> None:
    called = {**CALL, "input": {"a": 1}}
    body = wire(START, begin(1), end(1), begin(0, **called), end(0), {**END, "delta": {"stop_reason": reason}}, STOP)
    repaired = repair(body)
    assert repaired.passed == passed
    assert isinstance(read(repaired.out, strict=True, tolerance=dict.fromkeys(passed, "record")), Message)
    if passed:
        assert isinstance(read(repaired.out, strict=True), RemoteProtocolError)


def test_the_last_of_two_signatures_that_follow_each_other_goes_out() -> None:
    thinking = begin(0, type="thinking", thinking="", signature="")
    first, second = (delta(0, type="signature_delta", signature=each) for each in ("one", "two"))
    repaired = repair(wire(START, thinking, first, {"type": "ping"}, second, end(0), END, STOP))
    assert repaired.kinds == ["twice"]
    assert b'"one"' not in repaired.out
    assert b'"two"' in repaired.out


def test_a_start_without_an_index_comes_behind_the_highest_that_came() -> None:
    nameless = {key: value for key, value in begin(0).items() if key != "index"}
    for highest in (0, 1, 5):
        first = [begin(highest), text(highest, "Hi"), end(highest)]
        second = [nameless, text(highest + 1, " you"), end(None)]
        body = wire(START, *first, *second, END, STOP)
        repaired = repair(body)
        assert repaired.kinds == [*(["index_order"] if highest else []), "index_missing"]
        after, before = read(repaired.out, strict=True), read(body)
        assert isinstance(after, Message), after
        assert isinstance(before, Message), before
        assert after.to_dict() == before.to_dict()


def test_the_dial() -> None:
    body = wire(START, begin(1), text(1, "Hi"), end(1), END, STOP)
    passed = repair(body, mend={"index_order": "pass"})
    assert passed.out == body
    assert passed.passed == ["index_order"]
    refused = repair(body, mend={"index_order": "refuse"})
    assert refused.state == "broken"
    with pytest.raises(LocalProtocolError, match="there is no kind 'nothing'"):
        Repair(mend={"nothing": "pass"})  # type: ignore[dict-item]
    with pytest.raises(LocalProtocolError, match="is one of"):
        Repair(mend={"index_order": "accept"})  # type: ignore[dict-item]
    with pytest.raises(LocalProtocolError, match="output"):
        Repair(output="text")  # type: ignore[arg-type]


def test_events_instead_of_bytes() -> None:
    machine = Repair(output="events")
    machine.receive_data(wire(START, text(0, "Hi"), END, STOP))
    machine.receive_eof()
    events = machine.events_received()
    assert [event.type for event in events] == [
        *("message_start", "content_block_start", "content_block_delta", "content_block_stop"),
        *("message_delta", "message_stop"),
    ]
    assert events[2] == TextDelta(0, "Hi")
    with pytest.raises(LocalProtocolError, match="gives events"):
        machine.data_to_send()
    with pytest.raises(LocalProtocolError, match="gives bytes"):
        Repair().events_received()


def test_lines_that_make_no_event_are_not_kept_where_events_are_asked_for() -> None:
    machine = Repair(output="events")
    machine.receive_data(wire(START, begin(0)) + b": keep-alive\n\n" * 3 + b"\n\n")
    assert len(machine.events_received()) == 2
    assert machine._out == []


def test_what_goes_out_goes_out_at_once() -> None:
    """A client sees each delta with the read that brought it, and pings behind a waiting message_delta in time."""
    machine = Repair()
    for event in (START, *TEXT[:2]):
        machine.receive_data(wire(event))
        assert machine.data_to_send() == wire(event)
    machine.receive_data(wire(TEXT[2], END))
    assert machine.data_to_send() == wire(TEXT[2])
    for _ in range(9):
        machine.receive_data(wire({"type": "ping"}))
    assert machine.data_to_send() == wire(END, *[{"type": "ping"}] * 9)


def test_misuse_is_refused() -> None:
    machine = Repair()
    machine.receive_data(b"")
    machine.receive_eof()
    assert machine.state == "truncated"
    with pytest.raises(LocalProtocolError, match="after receive_eof"):
        machine.receive_data(b"x")
    with pytest.raises(LocalProtocolError, match="bytes"):
        Repair().receive_data("text")  # type: ignore[arg-type]


def test_the_official_sdk_raises_for_a_repaired_cut_stream() -> None:
    body = compose([{"type": "text", "text": "Hello there, this is some text."}], seed=3).data
    for cut in range(0, body.index(b"event: message_delta"), 97):
        repaired = repair(body[:cut])

        def answer(request: httpx2.Request, out: bytes = repaired.out) -> httpx2.Response:
            return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=out)

        http = httpx2.Client(transport=httpx2.MockTransport(answer))
        question: Any = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
        with (
            anthropic.Anthropic(api_key="k", http_client=http, max_retries=0) as client,
            pytest.raises(anthropic.APIError),
            client.messages.stream(**question) as stream,
        ):
            stream.get_final_message()
