"""The nine rules of what a stream tolerates: one property each, over every kind of block, key and chunking."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sansio_claude._errors import APIError, ClaudeError, RemoteProtocolError
from sansio_claude._errors.error_object import API_ERROR_TYPES
from sansio_claude._limits import Limits
from sansio_claude._message.blocks import ContentBlock
from sansio_claude._message.message import Message
from sansio_claude._message.tool_blocks import WHOLE_REASONS, ToolInputBlock
from sansio_claude._stream.encode import encode_event
from sansio_claude._stream.events import (
    ContentBlockStart,
    ErrorEvent,
    Event,
    MessageStart,
    MessageStop,
    TextDelta,
    UnknownDelta,
    UnknownEvent,
)
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude._stream.plain_stream import PlainStream
from sansio_claude._stream.reading import iter_events
from sansio_claude._stream.text import text_of
from sansio_claude.testing import chunkings
from tests import strategies
from tests.frames import (
    DELTA,
    END,
    START,
    answer,
    block,
    body,
    compact,
    delta,
    frame,
    message_delta,
    message_start,
    start,
    stop,
    text,
    tool,
)
from tests.observe import Run, run
from tests.reference import read_stream

Json = dict[str, Any]

TEXT: Json = {"type": "text", "text": ""}
THINKING: Json = {"type": "thinking", "thinking": "", "signature": ""}
TOOL: Json = {"type": "tool_use", "id": "t", "name": "n", "input": {}}
STARTS: dict[str, Json] = {
    "text": TEXT,
    "thinking": THINKING,
    "redacted_thinking": {"type": "redacted_thinking", "data": "x"},
    "tool_use": TOOL,
    "server_tool_use": {**TOOL, "type": "server_tool_use"},
    "mcp_tool_use": {**TOOL, "type": "mcp_tool_use", "server_name": "s"},
    "web_search_tool_result": {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
    "compaction": {"type": "compaction", "content": None},
    "fallback": {"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}},
    "hologram": {"type": "hologram", "beam": 1},
}
CALLS = ("tool_use", "server_tool_use", "mcp_tool_use")
DELTAS: dict[str, tuple[str, Any, tuple[str, ...]]] = {
    "text_delta": ("text", "x", ("text",)),
    "thinking_delta": ("thinking", "x", ("thinking",)),
    "signature_delta": ("signature", "x", ("thinking",)),
    "input_json_delta": ("partial_json", "{}", CALLS),
    "citations_delta": ("citation", {"type": "char_location"}, ("text",)),
    "compaction_delta": ("content", "x", ("compaction",)),
}
REASONS = (
    *("end_turn", "tool_use", "stop_sequence", "pause_turn"),
    *("max_tokens", "model_context_window_exceeded", "refusal", "compaction", "new_reason"),
)
HALF = [chr(0xD83D), chr(0xDE00)]
HALVES = st.text(st.sampled_from("a\ud83d\ude00\U0001f600é"), max_size=6)


def read(*events: Any, **options: Any) -> Run:
    """The same in one read, in reads of one byte, by the plain chain, as spelled by the API, and by the reference."""
    data = body(*events)
    found = run([data], **options)
    assert run(chunkings.bytewise(data), **options) == found
    assert run(chunkings.bytewise(data), kind=PlainStream, **options) == found
    assert run(chunkings.random(data, len(data)), read_each=False, **options) == found
    if not any(isinstance(each, bytes) for each in events) and "\\ud" not in json.dumps(events):
        assert run([body(*events, spell=compact)], **options).message == found.message
    expected = read_stream(data, **options)
    assert json.dumps(found.dictionary) == json.dumps(expected.message)
    assert [each[:2] for each in found.deviations] == expected.deviations
    assert (found.error is None) == (expected.error is None)
    if found.dictionary is not None:
        again = Message.from_dict(found.dictionary)
        assert json.dumps(again.to_dict()) == json.dumps(found.dictionary)
    return found


def kinds(found: Run) -> list[str]:
    return [kind for kind, _, _ in found.deviations]


def message_of(*events: Any) -> tuple[Message, list[Event]]:
    stream = MessageStream()
    stream.receive_data(body(*events))
    given: list[Event] = []
    return stream.finish(given.append), given


def only_block(*events: Any) -> ContentBlock:
    (found,) = message_of(*events)[0].content
    return found


# 1. Empty is empty.

STRINGS = [
    *((kind, key) for kind, first in STARTS.items() for key, value in first.items() if isinstance(value, str)),
    ("text", "citations"),
]


@pytest.mark.parametrize("place", ["start", "message_start", "whole"])
@pytest.mark.parametrize("how", ["null", "missing"])
@pytest.mark.parametrize(("kind", "key"), [pair for pair in STRINGS if pair[1] != "type"])
def test_rule_1_a_string_of_a_block_that_is_null_or_missing_is_empty(kind: str, key: str, how: str, place: str) -> None:
    first = {name: value for name, value in STARTS[kind].items() if name != key}
    if how == "null":
        first[key] = None
    ending = message_delta({"stop_reason": "tool_use" if kind == "tool_use" else "end_turn"})
    if place == "start":
        found = read(START, *block(first), ending, END)
    elif place == "message_start":
        found = read(message_start([first]), ending, END)
    else:
        whole = {**START["message"], **ending["delta"], "content": [first]}
        found = read(json.dumps(whole).encode())
    assert found.state == "complete"
    assert found.dictionary is not None
    (shown,) = found.dictionary["content"]
    assert (key in shown, shown.get(key)) == (how == "null", None)
    value = getattr(Message.from_dict(found.dictionary).content[0], key, "")
    assert value in ("", [], None)
    assert (value is None) == (key == "citations" and value is None)
    said = set(kinds(found)) - {"whole_message"}
    assert said == (
        set() if key == "citations" or (how == "missing" and key not in ("text", "thinking", "id")) else {"empty_value"}
    )


@pytest.mark.parametrize("how", ["null", "missing"])
@pytest.mark.parametrize("kind", [kind for kind in DELTAS if kind != "citations_delta"])
def test_rule_1_a_string_of_a_delta_that_is_null_or_missing_adds_nothing(kind: str, how: str) -> None:
    key, _, fits = DELTAS[kind]
    fields = {"type": kind} if how == "missing" else {"type": kind, key: None}
    for name in (*fits, "hologram"):
        reason = "tool_use" if name == "tool_use" else "end_turn"
        found = read(START, *block(STARTS[name], fields), message_delta({"stop_reason": reason}), END)
        assert found.state == "complete"
        null_is_a_value = kind == "compaction_delta" and how == "null"
        assert kinds(found) == ([] if null_is_a_value else ["empty_value"])
        assert read(START, *block(STARTS[name], fields), DELTA, END, strict=True).state == (
            "complete" if null_is_a_value and name != "tool_use" else "broken"
        )


@pytest.mark.parametrize("reason", [None, ""])
def test_rule_1_an_empty_stop_reason_never_replaces_one(reason: str | None) -> None:
    first = message_delta({"stop_reason": "max_tokens", "stop_sequence": "x"})
    found = read(START, first, message_delta({"stop_reason": reason, "stop_sequence": None}), END)
    assert found.dictionary is not None
    assert (found.dictionary["stop_reason"], found.dictionary["stop_sequence"]) == ("max_tokens", "x")


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("given", [{}, {"input": None}, {"input": ""}, {"input": {}}])
@pytest.mark.parametrize("fragments", [(), ("",), (" \n",)])
def test_rule_1_a_call_without_an_input_has_an_empty_one(kind: str, given: Json, fragments: tuple[str, ...]) -> None:
    first = {**{key: value for key, value in STARTS[kind].items() if key != "input"}, **given}
    deltas = ({"type": "input_json_delta", "partial_json": each} for each in fragments)
    called = only_block(START, *block(first, *deltas), message_delta({"stop_reason": "tool_use"}), END)
    assert isinstance(called, ToolInputBlock)
    assert (called.input_status, called.input) == ("complete", {})
    assert called.to_param()["input"] == {}
    for name, value in given.items():
        assert called.to_dict()[name] == value


def test_rule_1_what_goes_back_has_strings() -> None:
    events = [*block({"type": "text", "text": None}), *block({"type": "thinking", "thinking": None}, index=1)]
    message, _ = message_of(*answer(*events))
    assert [each.get("text", each.get("thinking")) for each in message.to_dict()["content"]] == [None, None]
    assert [each.get("text", each.get("thinking")) for each in message.to_param()["content"]] == ["", ""]


# 2. The same text everywhere.


@given(
    st.lists(st.tuples(st.sampled_from(["start", "delta", "typeless"]), strategies.texts(6)), min_size=1, max_size=6),
    st.booleans(),
    st.booleans(),
)
def test_rule_2_the_text_of_the_events_is_the_text_of_the_message(
    pieces: list[tuple[str, str]], in_message_start: bool, whole: bool
) -> None:
    events: list[Json] = []
    index = 0
    if in_message_start:
        events.append(message_start([{"type": "text", "text": "prefilled"}]))
        index = 1
    else:
        events.append(START)
    begun = False
    for place, piece in pieces:
        if place == "start" or not begun:
            if begun:
                events.append(stop(index))
                index += 1
            events.append(start(index, {"type": "text", "text": piece if place == "start" else ""}))
            begun = True
        if place == "delta":
            events.append(text(piece, index))
        elif place == "typeless":
            events.append(delta(index, text=piece))
    events += [stop(index), DELTA, END]
    message, given = message_of(*events)
    if whole:
        message, given = message_of(json.dumps(message.to_dict()).encode())
    assert "".join(map(text_of, given)) == message.text
    assert message.text.endswith("".join(piece for _, piece in pieces))


@pytest.mark.parametrize("no_type", [{}, {"type": None}, {"type": ""}])
@pytest.mark.parametrize("kind", DELTAS)
@pytest.mark.parametrize("name", STARTS)
def test_rule_2_a_delta_without_a_type_is_of_its_blocks_kind_if_it_has_the_key(
    name: str, kind: str, no_type: Json
) -> None:
    key, value, fits = DELTAS[kind]
    _, given = message_of(*answer(*block(STARTS[name], {**no_type, key: value})))
    taken = name in fits and kind != "citations_delta"
    assert (type(given[2]) is UnknownDelta) == (not taken)
    found = read(*answer(*block(STARTS[name], {**no_type, key: value})))
    assert found.state == "complete"
    assert ("typeless_delta" in kinds(found)) == taken
    if taken:
        typed = read(*answer(*block(STARTS[name], {"type": kind, key: value})))
        assert typed.dictionary == found.dictionary


# 3. What nobody knows changes nothing that is known.


@settings(max_examples=60)
@given(st.sampled_from(sorted(STARTS)), strategies.json_objects(6), st.data())
def test_rule_3_an_unknown_delta_changes_no_known_key(name: str, more: Json, data: st.DataObject) -> None:
    first = STARTS[name]
    identity = ("id", "name", "tool_use_id")
    touched = data.draw(st.lists(st.sampled_from([*first, *identity]), unique=True))
    values = data.draw(st.fixed_dictionaries({key: strategies.json_values(3) for key in touched}))
    fields = {**more, **values, "type": "status_delta"}
    plain = only_block(*answer(*block(first)))
    found = only_block(*answer(*block(first, fields, fields)))
    for key in (*first, *identity):
        if key == "type" or name != "hologram" or key in identity:
            assert found.to_dict().get(key) == plain.to_dict().get(key)
    result = read(*answer(*block(first, fields, fields)))
    assert result.state == "complete"
    if name != "hologram" and plain.type != "fallback":
        status = getattr(plain, "input_status", "complete")
        assert getattr(found, "input_status", "complete") == status
        if status == "complete":
            assert found.to_param() == plain.to_param()


@settings(max_examples=60)
@given(st.sampled_from(sorted(STARTS)), st.lists(st.none() | st.text(max_size=3), min_size=1, max_size=5))
def test_rule_3_an_unknown_delta_appends_strings_and_null_never_erases(name: str, values: list[str | None]) -> None:
    fields = [{"type": "new_delta", "x_new": value} for value in values]
    found = read(*answer(*block(STARTS[name], *fields)))
    assert found.dictionary is not None
    strings = [value for value in values if value is not None]
    assert found.dictionary["content"][0]["x_new"] == ("".join(strings) if strings else None)


@settings(max_examples=80)
@given(
    st.dictionaries(
        st.sampled_from(
            ["type", "role", "id", "content", "model", "usage", "stop_reason", "stop_sequence", "container", "x"]
        ),
        strategies.json_values(4),
        max_size=5,
    ),
    st.booleans(),
)
def test_rule_3_message_delta_takes_only_what_can_be_read_back(changes: Json, outside: bool) -> None:
    given = message_delta(None, **{key: value for key, value in changes.items() if key not in ("type", "usage")})
    odd = given if outside else message_delta(changes)
    found = read(START, *block(TEXT, {"type": "text_delta", "text": "kept"}), odd, END)
    assert found.state == "complete"
    assert found.dictionary is not None
    for key in ("type", "role", "id"):
        assert found.dictionary[key] == START["message"][key]
    assert found.dictionary["content"] == [{"type": "text", "text": "kept"}]
    assert isinstance(found.dictionary["usage"]["input_tokens"], int)
    assert isinstance(Message.from_dict(found.dictionary).model, str)


# 4. Half a character is half a character.


def mended(value: str) -> str:
    joined = value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return "".join("\ufffd" if "\ud800" <= each <= "\udfff" else each for each in joined)


@given(st.sampled_from(["text", "thinking"]), HALVES, st.lists(HALVES, max_size=4))
def test_rule_4_halves_are_joined_and_lone_ones_are_replaced(kind: str, first: str, pieces: list[str]) -> None:
    deltas = [{"type": kind + "_delta", kind: piece} for piece in pieces]
    found = read(*answer(*block({**STARTS[kind], kind: first}, *deltas)))
    assert found.state == "complete"
    assert found.dictionary is not None
    whole = mended(first + "".join(pieces))
    assert found.dictionary["content"][0][kind] == whole
    assert ("half_character" in kinds(found)) == (whole != mended_without_loss(first + "".join(pieces)))
    message, given = message_of(*answer(*block({**STARTS[kind], kind: first}, *deltas)))
    if kind == "text":
        assert "".join(map(text_of, given)) == message.text == whole


def mended_without_loss(value: str) -> str:
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


@given(st.lists(HALVES, min_size=1, max_size=4))
def test_rule_4_in_a_tool_input_halves_stay_and_what_goes_back_has_none(pieces: list[str]) -> None:
    fragments = ['{"a": "', *pieces, '"}']
    deltas = [{"type": "input_json_delta", "partial_json": each} for each in fragments]
    called = only_block(START, *block(TOOL, *deltas), message_delta({"stop_reason": "tool_use"}), END)
    assert isinstance(called, ToolInputBlock)
    assert called.input == json.loads(json.dumps({"a": mended_without_loss("".join(pieces))}))
    assert called.to_param()["input"] == {"a": mended("".join(pieces))}
    json.dumps(called.to_param(), ensure_ascii=False).encode()
    read(START, *block(TOOL, *deltas), message_delta({"stop_reason": "tool_use"}), END)


@pytest.mark.parametrize("half", HALF)
@pytest.mark.parametrize(
    "events",
    [
        lambda half: answer(*block(TEXT, {"type": "citations_delta", "citation": {"type": "c", "cited_text": half}})),
        lambda half: answer(*block({**TEXT, "citations": [{"type": "c", "cited_text": half}]})),
        lambda half: answer(*block({**THINKING, "signature": half})),
        lambda half: answer(*block(THINKING, {"type": "signature_delta", "signature": half})),
        lambda half: answer(*block({"type": "compaction", "content": half})),
        lambda half: answer(*block(STARTS["hologram"], {"type": "x_delta", "x": [{half: half}]})),
        lambda half: [message_start([{"type": "text", "text": half}]), DELTA, END],
        lambda half: [START, message_delta({"stop_reason": "end_turn", "stop_sequence": half}), END],
        lambda half: [message_start(x={half: [half]}), DELTA, END],
    ],
)
def test_rule_4_a_half_elsewhere_is_replaced(events: Any, half: str) -> None:
    found = read(*events(half))
    assert found.state == "complete"
    assert kinds(found) == ["half_character"]
    json.dumps(found.dictionary, ensure_ascii=False).encode()


PLACES: dict[str, Any] = {
    "message_start": lambda part: [message_start(**part), DELTA, END],
    "message_delta": lambda part: [START, message_delta({"stop_reason": "end_turn", **part}), END],
    "message_delta, deeper": lambda part: [START, message_delta({"stop_reason": "end_turn", "x": [part]}), END],
    "a block that nobody knows": lambda part: answer(*block({**STARTS["hologram"], **part})),
    "its deltas": lambda part: answer(*block(STARTS["hologram"], {"type": "x_delta", **part})),
    "its deltas without a type": lambda part: answer(*block(STARTS["hologram"], part)),
    "a text": lambda part: answer(*block({**part, **TEXT})),
    "a delta of a text": lambda part: answer(*block(TEXT, {**part, "type": "text_delta", "text": "x"})),
    "one without a type": lambda part: answer(*block(TEXT, {**part, "text": "x"})),
    "a delta of a thought": lambda part: answer(*block(THINKING, {**part, "type": "thinking_delta", "thinking": "x"})),
    "an event": lambda part: [START, frame({"type": "new", **part}, "new"), DELTA, END],
}


@pytest.mark.parametrize("half", HALF)
@pytest.mark.parametrize("key", ["text", "thinking", "partial_json", "input", "signature", "x"])
@pytest.mark.parametrize("place", PLACES)
def test_rule_4_the_name_of_a_key_keeps_no_half(place: str, key: str, half: str) -> None:
    if key == "input" and place in ("a block that nobody knows", "a text"):
        return  # it may be a call
    if (key, place) in (("text", "a text"), ("text", "a delta of a text"), ("text", "one without a type")):
        return
    events = PLACES[place]({key: half})
    if (key, place) == ("thinking", "a delta of a thought"):
        return
    found = read(*events)
    assert found.state == "complete"
    assert "half_character" in kinds(found)
    json.dumps(found.dictionary, ensure_ascii=False).encode()
    assert not any("\\ud" in each for each in found.events)
    assert found.dictionary is not None
    message = Message.from_dict({**found.dictionary, "content": [{"type": "new", key: [{key: half}]}]})
    assert message.to_param()["content"] == [{"type": "new", key: [{key: "\ufffd"}]}]


@pytest.mark.parametrize("ending", ["error", "cut", "refused"])
def test_rule_4_what_is_held_back_comes_out_at_every_end(ending: str) -> None:
    events: list[Any] = [START, start(0, TEXT), text("x\ud83d")]
    if ending == "error":
        events.append({"type": "error", "error": {"type": "overloaded_error", "message": "m"}})
    elif ending == "refused":
        events.append(text("x", 5))
    found = read(*events)
    assert found.dictionary is not None
    assert found.dictionary["content"][0]["text"] == "x\ufffd"


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"\xed\xa0\xbd"])
def test_rule_4_malformed_utf8_is_refused(bad: bytes) -> None:
    found = read(START, start(0, TEXT), frame(text("@")).replace(b"@", bad), *answer()[1:])
    assert found.state == "broken"


# 5. An error is an error, however it is wrapped.

ERRORS: list[Any] = [
    {"type": "error", "error": {"type": "overloaded_error", "message": "words"}},
    {"type": "error", "error": "words"},
    {"type": "error", "message": "words"},
    {"type": "error", "error": True, "message": "words"},
    {"type": "error", "error": None, "message": "words"},
    {"type": "error", "error": ["words"]},
    {"type": "error", "error": 5, "message": "words"},
    {"error": {"message": "words"}},
    {"error": "words"},
    {"error": True, "message": "words"},
    {"error": 500, "message": "words"},
    {"error": ["x"], "message": "words"},
    {"type": None, "error": {"message": "words"}},
    {"type": "", "error": {"message": "words"}},
    {"object": "error", "message": "words", "code": 400},
    {"object": "error", "type": "BadRequestError", "message": "words"},
    *({"type": kind, "message": "words"} for kind in sorted(API_ERROR_TYPES)),
    [{"error": {"message": "words"}}],
]
NO_ERRORS: list[Any] = [
    {"type": "new_event", "error": {"message": "words"}},
    {"type": "new_event", "error": "words"},
    {"type": "ping", "error": {"message": "words"}},
    {"error": None},
    {"error": ""},
    {"error": False, "x": 1},
    {"error": {}, "type": "new_event"},
    {"errors": 0},
]
BEGUN = [START, start(0, TEXT), text("so far")]


@pytest.mark.parametrize("begun", [True, False])
@pytest.mark.parametrize("name", ["error", "message", "new_name", "message_delta"])
@pytest.mark.parametrize("value", ERRORS, ids=json.dumps)
def test_rule_5_an_error_is_an_error_under_any_name(value: Any, name: str, begun: bool) -> None:
    before = BEGUN if begun else []
    found = read(*before, frame(value, name), text("later"))
    assert found.state == "errored"
    assert found.error is not None
    assert "words" in found.error["words"]
    assert found.events[-1].startswith("ErrorEvent")
    assert ("so far" in found.error["partial"]) == begun
    assert not found.done


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"data:\n",
        b"data: words\n",
        b'data: "words"\n',
        b"data: 5\n",
        b"data: null\n",
        b"data: []\n",
        b"data: {}\n",
        b"data: {broken\n",
        b"data: [DONE]\n",
        b"data: \xff\n",
    ],
)
def test_rule_5_an_event_named_error_is_an_error_whatever_its_data(data: bytes) -> None:
    found = read(*BEGUN, b"event: error\n" + data + b"\n")
    if data == b"data: [DONE]\n":
        return  # the end of a stream in the words of another API
    assert found.state == "errored"
    assert found.error is not None
    assert ("words" in found.error["words"]) == (b"words" in data)


@pytest.mark.parametrize("value", NO_ERRORS, ids=json.dumps)
def test_rule_5_what_is_no_error_passes(value: Any) -> None:
    found = read(*answer(), b"") if value is None else read(START, frame(value, "new_name"), *answer()[1:])
    assert found.state == "complete"
    assert kinds(found) == []


def test_rule_5_known_events_are_no_errors_under_the_name_of_one() -> None:
    data = body(*(frame(each, "error") for each in answer(*block(TEXT, {"type": "text_delta", "text": "x"}))))
    assert read(data).state == "complete"


ERROR_PARTS: dict[str, st.SearchStrategy[Any]] = {
    "error": st.sampled_from(
        [
            *(None, True, 5, "", "invalid", ["x"], {"message": "inner"}, {"type": "overloaded_error"}, {"code": 429}),
            {"error": {"message": "deep", "code": "c"}},
        ]
    ),
    "type": st.sampled_from(["error", "overloaded_error", "", None]),
    "message": st.just("beside"),
    "error_description": st.just("described"),
    "detail": st.just("detailed"),
    "code": st.sampled_from([429, "rate_limit_exceeded"]),
    "details": st.just({"error_code": "e"}),
    "request_id": st.just("r"),
}


@given(st.fixed_dictionaries({}, optional=ERROR_PARTS), st.booleans())
def test_rule_5_an_error_says_the_same_in_a_stream_and_in_a_whole_answer(value: Json, wrapped: bool) -> None:
    expected = APIError.from_response(200, {}, json.dumps(value))
    data = frame([value] if wrapped else value, "error")
    for _ in range(2):
        stream = MessageStream()
        stream.receive_data(data)
        (event,) = stream.events_received()
        with pytest.raises(APIError) as caught:
            stream.events_received()
        found = caught.value
        assert (type(found), found.error_message) == (type(expected), expected.error_message)
        assert (found.type, found.code, found.request_id) == (expected.type, expected.code, expected.request_id)
        assert (found.retryable, found.details) == (expected.retryable, expected.details)
        data = encode_event(event)


# 6. Complete means complete.

INPUTS: list[tuple[str, str | None]] = [
    ("{}", "complete"),
    ('{"a": 1}', "complete"),
    ('{"a": "b', "partial"),
    ("[1]", "invalid"),
    ("null", "invalid"),
    ("{nope}", "invalid"),
    ('{"a": 1}x', "invalid"),
    ("", None),
]


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("stopped", [True, False])
@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize(("given", "status"), INPUTS)
def test_rule_6_a_streamed_input(given: str, status: str | None, reason: str, stopped: bool, behind: bool) -> None:
    events = tool(given) if stopped else tool(given)[:-1]
    more = block(TEXT, index=1) if behind else []
    found = read(START, *events, *more, message_delta({"stop_reason": reason}), END)
    assert found.state == "complete"
    assert found.dictionary is not None
    if status is None:
        status = "complete" if behind or reason in WHOLE_REASONS else "partial"
    (called, *_) = Message.from_dict(found.dictionary).content
    assert isinstance(called, ToolInputBlock)
    live, _ = message_of(START, *events, *more, message_delta({"stop_reason": reason}), END)
    assert isinstance(live.content[0], ToolInputBlock)
    assert live.content[0].input_status == status
    if given not in ("{}", '{"a": 1}') or behind or reason in WHOLE_REASONS:
        assert called.input_status == status  # a value that was read back may have been cut
    marked = set(called.to_dict()["input"]) == {"$incomplete_json"}
    assert marked == (status != "complete" and given not in ("", "[1]"))
    assert ("open_block" in kinds(found)) == (not stopped)


@pytest.mark.parametrize("reason", [*REASONS, None])
@pytest.mark.parametrize("value", [{}, {"a": 1}, None, "", [1], "text", 5])
@pytest.mark.parametrize("place", ["start", "message_start", "whole", "from_dict"])
def test_rule_6_an_input_given_as_a_value(value: Any, reason: str | None, place: str) -> None:
    given = {**TOOL, "input": value}
    change = message_delta({"stop_reason": reason})
    whole = {**START["message"], "content": [given], "stop_reason": reason}
    if place == "from_dict":
        called = Message.from_dict(whole).content[0]
    elif place == "whole":
        called = only_block(json.dumps(whole).encode())
    elif place == "start":
        called = only_block(START, *block(given), change, END)
    else:
        called = only_block(message_start([given]), change, END)
    assert isinstance(called, ToolInputBlock)
    if value in ([1], "text", 5):
        assert called.input_status == "invalid"
    elif reason in WHOLE_REASONS or (reason is None and place == "from_dict"):
        assert called.input_status == "complete"
    else:
        assert called.input_status == "partial"


def test_rule_6_an_input_is_partial_before_its_block_stops() -> None:
    for first in (TOOL, {**TOOL, "input": {"a": 1}}):
        stream = MessageStream()
        stream.receive_data(body(START, start(0, first), delta(0, type="input_json_delta", partial_json="")))
        assert stream.message is not None
        live = stream.message.content[0]
        (_, begun, _) = stream.events_received()
        assert isinstance(begun, ContentBlockStart)
        for shown in (live, begun.content_block, Message.from_dict(stream.message.to_dict()).content[0]):
            assert isinstance(shown, ToolInputBlock)
        assert isinstance(live, ToolInputBlock)
        assert isinstance(begun.content_block, ToolInputBlock)
        assert (live.input_status, begun.content_block.input_status) == ("partial", "partial")


# 7. What cannot mislead is let through.


@pytest.mark.parametrize("state", ["never started", "stopped", "another kind"])
@pytest.mark.parametrize("kind", [kind for kind in DELTAS if kind != "citations_delta"])
@pytest.mark.parametrize("empty", [True, False])
def test_rules_7_and_8_a_foreign_delta_may_only_be_empty(kind: str, state: str, empty: bool) -> None:
    key, value, fits = DELTAS[kind]
    fields = {"type": kind, key: (None if kind == "compaction_delta" else "") if empty else value}
    others = [name for name in STARTS if name not in fits and name != "hologram"]
    for name in others if state == "another kind" else fits:
        first = STARTS[name]
        if state == "never started":
            events = [*block(first), delta(7, **fields)]
        elif state == "stopped":
            events = [*block(first), delta(0, **fields)]
        else:
            events = block(first, fields)
        found = read(START, *events, message_delta({"stop_reason": "pause_turn"}), END)
        if empty:
            assert found.state == "complete"
            assert kinds(found) == ["foreign_empty_delta"]
            plain = read(START, *block(first), message_delta({"stop_reason": "pause_turn"}), END)
            assert found.dictionary == plain.dictionary
        else:
            assert found.state == "broken"
            assert found.deviations == []


@pytest.mark.parametrize("index", [None, ...])
@pytest.mark.parametrize("name", STARTS)
def test_rule_7_an_index_left_out_where_one_block_can_be_meant(name: str, index: Any) -> None:
    def bare(event: Json) -> Json:
        return {key: value for key, value in event.items() if key != "index"} | (
            {} if index is ... else {"index": index}
        )

    events = block(STARTS[name], {"type": "new_delta", "x": "y"})
    ending = message_delta({"stop_reason": "pause_turn"})
    found = read(START, *map(bare, events), ending, END)
    assert found.dictionary == read(START, *events, ending, END).dictionary
    assert set(kinds(found)) - {"kept_key"} == {"index_missing"}
    for ambiguous in ([*events, bare(stop())], [start(0, TEXT), start(1, TEXT), bare(text("x"))]):
        assert read(START, *ambiguous, DELTA, END).state == "broken"


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["input_tokens", "output_tokens"]), strategies.json_values(2)), max_size=4))
def test_rule_7_of_odd_counters_the_last_good_one_stays(changes: list[tuple[str, Any]]) -> None:
    found = read(START, *(message_delta({}, {key: value}) for key, value in changes), DELTA, END)
    good = {"input_tokens": 1, "output_tokens": 1}
    for key, value in changes:
        if type(value) is int and value >= 0:
            good[key] = value
    good["output_tokens"] = 5
    assert found.dictionary is not None
    assert {key: found.dictionary["usage"][key] for key in good} == good


@settings(max_examples=60, deadline=None)
@given(strategies.messages(), st.sampled_from(["", " \n", "\ufeff"]), st.booleans(), strategies.cuts())
def test_rule_7_a_whole_message_is_handed_out_as_events(
    message: Json, before: str, ascii_json: bool, cut: strategies.Cut
) -> None:
    data = before.encode() + json.dumps(message, ensure_ascii=ascii_json).encode()
    expected = run([data])
    for kind in (MessageStream, PlainStream):
        for chunks in (cut.of(data), chunkings.bytewise(data)):
            assert run(chunks, kind=kind) == expected
    twin = read_stream(data)
    assert json.dumps(expected.dictionary) == json.dumps(twin.message)
    assert [each[:2] for each in expected.deviations] == twin.deviations
    if "type" not in message and not isinstance(message.get("content"), list):
        return
    assert expected.state == "complete"
    assert expected.deviations[0][:2] == ("whole_message", 1)
    assert run([data], strict=True).state == "broken"
    events = iter_events(cut.of(data))
    given = list(events)
    assert type(given[0]) is MessageStart
    assert type(given[-1]) is MessageStop
    assert "".join(map(text_of, given)) == events.message.text == Message.from_dict(message).text
    assert isinstance(expected.dictionary, dict)
    fallback = any(each["type"] == "fallback" for each in message["content"])
    for key, value in message.items():
        if key not in ("content", "usage"):
            assert expected.dictionary[key] == value
    assert set(expected.dictionary) - {"usage"} - ({"model"} if fallback else set()) == set(message) - {"usage"} - (
        {"model"} if fallback else set()
    )


# 8. What could mislead is refused.


@pytest.mark.parametrize(
    "events",
    [
        [START, start(0, TEXT), start(0, TEXT)],
        [START, *block(TEXT), start(0, TEXT)],
        [START, message_start(id="msg_2")],
        [start(0, TEXT)],
        [text("x")],
        [stop()],
        [DELTA],
        [END],
        [START, b"data: [1]\n\n"],
        [START, b"data: 5\n\n"],
        [START, b'event: message_delta\ndata: "x"\n\n'],
        [START, b'data: {"type": "ping", "x": NaN}\n\n'],
        [START, b'data: {"type": "ping", "x": -Infinity}\n\n'],
        [START, b'data: {"type": "ping", "x": 1e999}\n\n'],
        [START, start(-1, TEXT)],
        [START, start(True, TEXT)],
        [START, start("0", TEXT)],
        [START, start(0.0, TEXT)],
        [START, start(0, None)],
        [START, start(0, {"type": 5})],
        [START, start(0, {"type": "text", "text": 5})],
        [START, start(0, TEXT), delta(0, type="text_delta", text=5)],
        [START, start(0, TEXT), {"type": "content_block_delta", "index": 0, "delta": "x"}],
        [START, stop(3)],
        [{"type": "message_start", "message": None}],
        [message_start("text")],
        [message_start([5])],
        [START, {"type": "message_delta", "delta": "x", "usage": {}}],
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_rule_8_what_could_mislead_is_refused(events: list[Any], strict: bool) -> None:
    found = read(*events, strict=strict)
    assert found.state == "broken"
    assert found.error is not None
    assert found.error["class"] == "RemoteProtocolError"


def test_rule_8_depth_and_size_have_limits() -> None:
    deep: Any = "x"
    for _ in range(20):
        deep = [deep]
    for events, limits in (
        ([message_start(x=deep)], Limits(depth=10)),
        ([START, *tool("[" * 20)], Limits(depth=10)),
        ([START, start(5, TEXT)], Limits(blocks=5)),
        ([START, *block(TEXT), *block(TEXT, index=1)], Limits(blocks=1)),
        ([START, *block(TEXT, {"type": "text_delta", "text": "x" * 1000})], Limits(message=900)),
    ):
        found = read(*events, *answer()[1:], limits=limits)
        assert found.error is not None or found.deviations
        assert not found.done or "input" in kinds(found)


# 9. After message_stop nothing changes the answer.

BEHIND: dict[str, tuple[bytes, bool]] = {
    "white space": (b"\n \r\n\n", False),
    "a comment": (b": alive\n\n", False),
    "a ping": (frame({"type": "ping"}), False),
    "a ping by its name": (b"event: ping\ndata: nothing\n\n", False),
    "message_stop": (frame(END), True),
    "[DONE]": (b"data: [DONE]\n\n", True),
    "an error": (frame(ERRORS[0]), True),
    "another answer": (body(*answer(*block(TEXT, {"type": "text_delta", "text": "other"}))), True),
    "a delta": (frame(text("more")), True),
    "a delta as the API spells it": (compact(text("more")), True),
    "garbage": (b"data: {garbage\n\n", True),
    "no UTF-8": (b"data: \xff\n\n", True),
    "a line over the limit": (b"data: " + b"x" * 700 + b"\n\n", True),
    "an unfinished event": (b"data: x", True),
    "an unfinished comment": (b": x", False),
}


@pytest.mark.parametrize("name", BEHIND)
def test_rule_9_each_thing_behind_message_stop_is_one_deviation_or_nothing(name: str) -> None:
    what, odd = BEHIND[name]
    data = body(*answer(*block(TEXT, {"type": "text_delta", "text": "x"}))) + what
    found = run([data])
    assert kinds(found) == ["after_message_stop"] * odd
    assert run(chunkings.bytewise(data), kind=PlainStream) == found


@pytest.mark.parametrize("half", [b"\\ud83d", b"\\ude00"])
def test_rule_4_halves_of_a_whole_message_stand_where_a_stream_would_have_them(half: bytes) -> None:
    def found(content: bytes) -> Run:
        return run([b'{"type":"message","id":"m","role":"assistant","model":"m","stop_reason":"tool_use",%b' % content])

    usage = b'"usage":{"input_tokens":1,"output_tokens":1}}'
    call = b'{"type":"tool_use","id":"t","name":"n","input":{"a":"%b"}}' % half
    seen = found(b'"content":[{"type":"text","text":"a%b"},%b],%b' % (half, call, usage))
    assert kinds(seen) == ["whole_message", "half_character"]
    assert seen.dictionary is not None
    assert seen.dictionary["content"][0]["text"] == "a\ufffd"
    inside = json.loads(b'"%b"' % half)
    assert seen.dictionary["content"][1]["input"] == {"a": inside}
    seen = found(b'"content":[%b],%b' % (call, usage))
    assert kinds(seen) == ["whole_message"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(sorted(BEHIND)), max_size=4), st.booleans(), strategies.cuts(), st.booleans())
def test_rule_9_after_message_stop_nothing_changes_the_answer(
    names: list[str], strict: bool, cut: strategies.Cut, has_limits: bool
) -> None:
    whole = body(*answer(*block(TEXT, {"type": "text_delta", "text": "x"})))
    data = whole + b"".join(BEHIND[name][0] for name in names)
    limits = Limits(line=600, message=len(whole)) if has_limits else Limits()
    plain = run([whole], strict=strict, limits=limits)
    found = run([data], strict=strict, limits=limits)
    assert (found.state, found.done, found.error) == ("complete", True, None)
    assert (found.events, found.message) == (plain.events, plain.message)
    assert len(found.deviations) <= 1
    assert set(kinds(found)) <= {"after_message_stop"}
    if len(names) == 1:
        assert len(found.deviations) == (BEHIND[names[0]][1] and (has_limits or "limit" not in names[0] or True))
    for kind in (MessageStream, PlainStream):
        for chunks in (cut.of(data), chunkings.bytewise(data)):
            assert run(chunks, kind=kind, strict=strict, limits=limits) == found


def every_prefix(data: bytes) -> Iterator[bytes]:
    for size in range(len(data)):
        yield data[:size]


def test_no_prefix_of_an_answer_passes_for_a_whole_one() -> None:
    data = body(*answer(*block(TEXT, {"type": "text_delta", "text": "x"})))
    for prefix in every_prefix(data.rstrip(b"\n")):
        with pytest.raises(ClaudeError) as caught:
            list(iter_events([prefix]))
        assert isinstance(caught.value, RemoteProtocolError)
        assert not isinstance(caught.value, APIError)


def test_events_of_these_rules_are_of_the_public_classes() -> None:
    _, given = message_of(*answer(*block(TEXT, {"type": "text_delta", "text": "x"})), b"")
    assert [type(each) for each in given[:3]] == [MessageStart, ContentBlockStart, TextDelta]
    stream = MessageStream()
    stream.receive_data(body(START, frame({"type": "new"}, "new"), frame(ERRORS[0])))
    assert [type(each) for each in stream.events_received()] == [MessageStart, UnknownEvent, ErrorEvent]
