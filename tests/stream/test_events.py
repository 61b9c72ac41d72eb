"""decode by example: every event and delta of the wire, what is kept of unknown ones, and what is refused."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from sansio_claude._errors import LimitError, RemoteProtocolError
from sansio_claude._errors.error_object import OTHER_TYPES
from sansio_claude._limits import Limits
from sansio_claude._message.blocks import TextBlock
from sansio_claude._message.message import Message
from sansio_claude._stream import events as _events
from sansio_claude._stream.decode import _DECODERS, decode
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


def event_of(value: Any, *, name: str | None = None, limits: Limits | None = None) -> Any:
    """The event of one JSON value, named as the API names it unless said otherwise."""
    if name is None:
        name = value["type"]
    return decode(ServerSentEvent(name, json.dumps(value).encode()), limits=limits)


def raw_event(name: str, data: bytes) -> Event | None:
    return decode(ServerSentEvent(name, data))


def delta(value: Any, **more: Any) -> Any:
    return event_of({"type": "content_block_delta", "index": 3, "delta": value, **more})


def refused(value: Any, *, name: str | None = None, limits: Limits | None = None) -> RemoteProtocolError:
    with pytest.raises(RemoteProtocolError) as caught:
        event_of(value, name=name, limits=limits)
    return caught.value


# Each event.


def test_message_start() -> None:
    message = {"id": "m", "content": [{"type": "text", "text": "t"}], "usage": None, "x": [1]}
    event = event_of({"type": "message_start", "message": message})
    assert event == MessageStart(Message.from_dict(message))
    assert event.message.to_dict() == message
    assert (event.type, event.extra) == ("message_start", None)


def test_message_start_without_content() -> None:
    event = event_of({"type": "message_start", "message": {"id": "m"}})
    assert event.message.to_dict() == {"id": "m"}


def test_content_block_start() -> None:
    event = event_of({"type": "content_block_start", "index": 3, "content_block": {"type": "text", "text": "t"}})
    assert event == ContentBlockStart(3, TextBlock({"type": "text", "text": "t"}))
    assert event.type == "content_block_start"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"type": "text_delta", "text": "é"}, TextDelta(3, "é")),
        ({"type": "text_delta", "text": ""}, TextDelta(3, "")),
        ({"type": "input_json_delta", "partial_json": '{"a'}, InputJSONDelta(3, '{"a')),
        ({"type": "thinking_delta", "thinking": "hm"}, ThinkingDelta(3, "hm")),
        (
            {"type": "thinking_delta", "thinking": "hm", "estimated_tokens": 4},
            ThinkingDelta(3, "hm", {"estimated_tokens": 4}),
        ),
        ({"type": "signature_delta", "signature": "sig=="}, SignatureDelta(3, "sig==")),
        ({"type": "citations_delta", "citation": {"type": "c"}}, CitationsDelta(3, {"type": "c"})),
        ({"type": "compaction_delta", "content": "sum"}, CompactionDelta(3, "sum")),
        ({"type": "compaction_delta", "content": None}, CompactionDelta(3, None)),
        (
            {"type": "compaction_delta", "content": "sum", "encrypted_content": "o"},
            CompactionDelta(3, "sum", "o"),
        ),
        (
            {"type": "compaction_delta", "content": "sum", "encrypted_content": None},
            CompactionDelta(3, "sum", None, {"encrypted_content": None}),
        ),
        ({"type": "aura_delta", "aura": 1}, UnknownDelta(3, {"type": "aura_delta", "aura": 1})),
        ({"type": 5}, UnknownDelta(3, {"type": 5})),
        ({}, UnknownDelta(3, {})),
    ],
)
def test_deltas(value: dict[str, Any], expected: ContentBlockDelta) -> None:
    event = delta(value)
    assert event == expected
    assert type(event) is type(expected)
    assert event.type == "content_block_delta"
    kind = value.get("type", "")
    assert event.delta_type == (kind if isinstance(kind, str) else "")


def test_content_block_stop() -> None:
    event = event_of({"type": "content_block_stop", "index": 0})
    assert event == ContentBlockStop(0)
    assert event.type == "content_block_stop"
    assert event.content_block is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            {"delta": {"stop_reason": None}, "usage": {"output_tokens": 1}},
            ({"stop_reason": None}, {"output_tokens": 1}),
        ),
        ({"delta": None, "usage": None}, (None, None)),
        ({}, (None, None)),
        ({"delta": {}, "usage": 5, "context_management": None}, ({}, None, {"usage": 5, "context_management": None})),
        ({"delta": {}, "usage": {}, "a": 1}, ({}, {}, {"a": 1})),
    ],
)
def test_message_delta(value: dict[str, Any], expected: tuple[Any, ...]) -> None:
    event = event_of({"type": "message_delta", **value})
    assert event == MessageDelta(*expected)
    assert event.type == "message_delta"


def test_message_stop_and_ping() -> None:
    assert event_of({"type": "message_stop"}) == MessageStop()
    assert event_of({"type": "message_stop", "a": 1}) == MessageStop(None, {"a": 1})
    assert event_of({"type": "ping"}) == Ping()
    assert event_of({"type": "ping", "a": None}) == Ping({"a": None})
    assert (MessageStop().type, Ping().type) == ("message_stop", "ping")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"type": "error", "error": {"type": "t", "message": "m"}}, ErrorEvent({"type": "t", "message": "m"})),
        ({"type": "error", "error": {}, "request_id": "r"}, ErrorEvent({}, {"request_id": "r"})),
        ({"type": "error", "error": "words"}, ErrorEvent({"message": "words"})),
        ({"type": "error", "error": "words", "code": 3}, ErrorEvent({"message": "words"}, {"code": 3})),
        ({"type": "error"}, ErrorEvent({})),
        ({"type": "error", "error": None}, ErrorEvent({}, {"error": None})),
        ({"type": "error", "error": ["x"], "message": "m"}, ErrorEvent({}, {"error": ["x"], "message": "m"})),
        ({"type": "error", "message": "m"}, ErrorEvent({"message": "m"})),
        ({"type": "error", "message": "m", "request_id": "r"}, ErrorEvent({"message": "m"}, {"request_id": "r"})),
    ],
)
def test_errors(value: dict[str, Any], expected: ErrorEvent) -> None:
    for name in ("error", "message", "message_stop"):
        event = event_of(value, name=name)
        assert event == expected
        assert event.type == "error"


@pytest.mark.parametrize(
    "value",
    [
        {"error": {"type": "overloaded_error", "message": "m"}},
        {"type": None, "error": {"type": "overloaded_error", "message": "m"}},
        {"type": "overloaded_error", "message": "m"},
        {"type": "new_type", "error": {"type": "overloaded_error", "message": "m"}},
        {"type": "error", "type_again": 1, "message": "m"},
        {"message": "m"},
        {"type": "message", "error": {"type": "overloaded_error", "message": "m"}},
        {"type": "message", "content": None, "message": "m"},
    ],
)
def test_an_event_named_error_is_an_error_whatever_unknown_type_its_json_has(value: dict[str, Any]) -> None:
    event = event_of(value, name="error")
    assert isinstance(event, ErrorEvent)
    assert event.error["message"] == "m"


def test_a_whole_answer_is_none_even_where_its_event_is_named_error() -> None:
    whole = {"type": "message", "role": "assistant", "content": [], "error": "none"}
    assert event_of(whole, name="error") == UnknownEvent(whole, "error")


@pytest.mark.parametrize("name", ["message", "ping", "message_stop", "message_delta", "content_block_delta", "new"])
@pytest.mark.parametrize("error", [{"type": "overloaded_error"}, "words"])
def test_a_bare_error_object_is_an_error_under_any_name(name: str, error: Any) -> None:
    event = event_of({"error": error, "request_id": "r"}, name=name)
    assert event == ErrorEvent(error if isinstance(error, dict) else {"message": error}, {"request_id": "r"})


def test_what_has_an_error_key_of_another_kind_is_no_error() -> None:
    assert event_of({"error": None}, name="new") == UnknownEvent({"error": None}, "new")
    assert event_of({"type": "new", "error": "x"}, name="new") == UnknownEvent({"type": "new", "error": "x"}, "new")
    assert event_of({"type": "ping", "error": "x"}, name="error") == Ping({"error": "x"})


# Names and types.


@pytest.mark.parametrize("name", ["message", "ping", "error", "other", "content_block_stop"])
def test_the_type_in_the_json_decides(name: str) -> None:
    assert event_of({"type": "message_stop"}, name=name) == MessageStop()


def test_the_name_counts_where_the_json_has_no_type() -> None:
    for value in ({}, {"type": None}, {"type": 5}):
        assert isinstance(event_of(value, name="ping"), Ping)
        assert isinstance(event_of(value, name="message_stop"), MessageStop)
    assert event_of({"index": 2}, name="content_block_stop") == ContentBlockStop(2)
    assert event_of({}, name="message_stop") == MessageStop()


def test_unknown_events_are_kept() -> None:
    value = {"type": "vertex_event", "payload": [1, None]}
    event = event_of(value)
    assert event == UnknownEvent(value, "vertex_event")
    assert event.type == "vertex_event"
    assert event_of(value, name="message").type == "vertex_event"
    assert event_of({"a": 1}, name="other").type == "other"
    assert event_of({"type": 5}, name="other").type == "other"
    assert event_of({"a": 1}, name="message").type == "message"
    assert UnknownEvent("words").type == "message"


@pytest.mark.parametrize("data", [b"no json", b"[1]", b"7", b"null", b'"x"', b"\xff", b'{"a":', b"NaN", b'"\\ud800"'])
def test_an_unknown_name_whose_data_is_no_object_is_kept_as_text(data: bytes) -> None:
    event = raw_event("new_thing", data)
    assert event == UnknownEvent(data.decode("utf-8", "replace"), "new_thing")
    assert event is not None
    assert event.type == "new_thing"


@pytest.mark.parametrize("name", ["message", "message_start", "content_block_delta", "message_stop"])
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no json", "this is not JSON"),
        (b"[1]", "the event's data is a list, not an object"),
        (b"7", "the event's data is a number, not an object"),
        (b"null", "the event's data is null, not an object"),
        (b'"x"', "the event's data is a string, not an object"),
        (b'{"a":"\xff"}', "the JSON text is not UTF-8"),
        (b'{"a":', "this is not JSON"),
        (b'{"a":NaN}', "this is not JSON"),
        (b'{"a":"\t"}', "this is not JSON"),
        (b'{"type":"ping"}{"type":"ping"}', "this is not JSON"),
        (b'{"a":' + b"9" * 5_000 + b"}", "a number in the JSON is too large"),
        (b'{"a":1e999}', "a number in the JSON is too large"),
    ],
)
def test_a_known_name_or_none_needs_a_json_object(name: str, data: bytes, words: str) -> None:
    with pytest.raises(RemoteProtocolError, match=words) as caught:
        raw_event(name, data)
    assert caught.value.stage == "json"
    assert caught.value.excerpt == data[:80]


def test_the_excerpt_of_what_is_no_object_begins_at_the_value() -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        raw_event("message", b"  [" + b"1," * 100 + b"1]")
    assert caught.value.excerpt == (b"[" + b"1," * 100)[:80]


@pytest.mark.parametrize("name", ["message", "message_stop", "new"])
def test_what_says_nothing(name: str) -> None:
    for data in (b"[DONE]", b" [DONE] ", b"", b"  ", b"\n"):
        assert raw_event(name, data) is None


def test_a_ping_says_nothing_more() -> None:
    for data in (b"", b"x", b"7", b"null", b"[DONE]", b"\xff"):
        assert raw_event("ping", data) is None
    assert raw_event("ping", b"{}") == Ping()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", {}),
        (b"  ", {}),
        (b"null", {}),
        (b"upstream failed", {"message": "upstream failed"}),
        (b'{"type": "err', {"message": '{"type": "err'}),
        (b"\xff", {"message": "\ufffd"}),
        (b'"boom"', {"message": "boom"}),
        (b"7", {"message": "7"}),
        (b'["a", "b"]', {"message": "a"}),
        (b'[{"error": {"code": 429, "message": "quota"}}]', {"code": 429, "message": "quota"}),
        (b'[{"message": "m"}]', {"message": "m"}),
    ],
)
def test_an_event_named_error_is_one_whatever_its_data_is(data: bytes, error: dict[str, Any]) -> None:
    assert raw_event("error", data) == ErrorEvent(error)


def test_the_end_marker_of_other_protocols_is_nothing_under_any_name() -> None:
    assert raw_event("error", b"[DONE]") is None


@pytest.mark.parametrize("name", ["message", "ping", "message_stop", "new"])
@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({"error": {"message": "m"}}, {"message": "m"}),
        ({"type": None, "error": {"message": "m"}}, {"message": "m"}),
        ({"type": "", "error": "m"}, {"message": "m"}),
        ({"error": True, "message": "m"}, {"message": "m"}),
        ({"error": None, "type": "overloaded_error", "message": "m"}, {"type": "overloaded_error", "message": "m"}),
        ({"object": "error", "message": "m", "type": "x"}, {"object": "error", "message": "m", "type": "x"}),
        ([{"error": {"message": "m"}}], {"message": "m"}),
    ],
)
def test_an_error_object_is_one_under_any_name(name: str, value: Any, error: dict[str, Any]) -> None:
    event = raw_event(name, json.dumps(value).encode())
    assert isinstance(event, ErrorEvent)
    assert event.error == error


@pytest.mark.parametrize(
    "value",
    [
        {"error": None},
        {"error": ""},
        {"error": "  "},
        {"error": False, "message": "m"},
        {"error": 5},
        {"error": []},
        {"type": "new", "error": {"message": "m"}},
        {"type": 5, "error": {"message": "m"}},
    ],
)
def test_what_only_looks_like_an_error_object_is_kept(value: dict[str, Any]) -> None:
    event = raw_event("message", json.dumps(value).encode())
    assert isinstance(event, UnknownEvent)
    assert event.raw == value


def test_the_types_that_are_no_errors_are_those_of_the_events_and_of_the_message() -> None:
    assert {*_DECODERS, "message"} - {"error"} == OTHER_TYPES


def test_white_space_around_the_json_is_fine() -> None:
    assert raw_event("message_stop", b' \n{"type":"message_stop"   }\t ') == MessageStop()


@pytest.mark.parametrize("name", ["message", "ping", "new"])
def test_depth_is_limited_under_any_name(name: str) -> None:
    sse = ServerSentEvent(name, b'{"type":"new","a":[[[]]]}')
    assert isinstance(decode(sse, limits=Limits(depth=4)), UnknownEvent)
    with pytest.raises(LimitError) as caught:
        decode(sse, limits=Limits(depth=3))
    assert (caught.value.limit, caught.value.value, caught.value.stage) == ("depth", 3, "json")
    with pytest.raises(LimitError):
        decode(ServerSentEvent(name, b'{"a":' + b"[" * 600 + b"]" * 600 + b"}"))


# Extra keys.


def test_unknown_keys_of_an_event_are_its_extra() -> None:
    assert event_of({"type": "content_block_stop", "index": 0, "a": 1, "b": None}).extra == {"a": 1, "b": None}
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}, "a": 1}
    assert event_of(start).extra == {"a": 1}
    assert event_of({"type": "message_start", "message": {"content": []}, "a": 1}).extra == {"a": 1}
    assert event_of({"message": {"content": []}}, name="message_start").extra is None


def test_unknown_keys_of_a_delta_and_of_its_event_are_together() -> None:
    text = {"type": "text_delta", "text": "t"}
    assert delta(text).extra is None
    assert delta({**text, "inner": 1}).extra == {"inner": 1}
    assert delta(text, outer=2).extra == {"outer": 2}
    assert delta({**text, "inner": 1, "both": 1}, outer=2, both=2).extra == {
        "outer": 2,
        "both": 2,
        "delta": {"inner": 1, "both": 1},
    }
    assert delta({"type": "citations_delta", "citation": {}, "inner": 1}, outer=2).extra == {"outer": 2, "inner": 1}
    compaction = {"type": "compaction_delta", "content": "c", "encrypted_content": "e", "inner": 1}
    assert delta(compaction, outer=2).extra == {"outer": 2, "inner": 1}
    assert delta({"type": "aura_delta", "inner": 1}, outer=2) == UnknownDelta(
        3, {"type": "aura_delta", "inner": 1}, {"outer": 2}
    )


def test_a_delta_without_its_text_is_empty() -> None:
    assert delta({"type": "input_json_delta"}) == InputJSONDelta(3, "")
    assert delta({"type": "input_json_delta", "partial_json": None}, a=1) == InputJSONDelta(3, "", {"a": 1})
    assert delta({"type": "text_delta", "x": 1}) == TextDelta(3, "", {"x": 1})


def test_an_event_without_its_index_says_so() -> None:
    rest = {"content_block": {"type": "text"}, "delta": {"type": "text_delta", "text": ""}, "x": 1}
    for kind in ("content_block_start", "content_block_delta", "content_block_stop"):
        for value in ({"type": kind, **rest}, {"type": kind, "index": None, **rest}):
            event = event_of(value)
            assert event.index == -1
            assert event.extra is not None
            assert event.extra["x"] == 1


def test_half_a_character_stays_where_another_half_may_come_and_in_inputs() -> None:
    assert delta({"type": "text_delta", "text": "a\ud83d", "x": "\ud83d"}) == TextDelta(3, "a\ud83d", {"x": "\ufffd"})
    tool = {"type": "tool_use", "id": "\udc00", "input": {"\udc00": ["\udc00"]}}
    event = event_of({"type": "content_block_start", "index": 0, "content_block": tool, "\udc00": 1})
    assert event.content_block.to_dict() == {**tool, "id": "\ufffd"}
    assert event.extra == {"\ufffd": 1}


# What is refused.


@pytest.mark.parametrize("kind", ["content_block_start", "content_block_delta", "content_block_stop"])
@pytest.mark.parametrize(
    ("index", "words"),
    [
        ("0", "a string, not an integer"),
        (True, "a boolean, not an integer"),
        (False, "a boolean, not an integer"),
        (1.0, "a number, not an integer"),
        ([], "a list, not an integer"),
        (-1, "negative"),
    ],
)
def test_an_index_is_an_integer_from_zero(kind: str, index: Any, words: str) -> None:
    rest = {"content_block": {"type": "text"}, "delta": {"type": "text_delta", "text": ""}}
    error = refused({"type": kind, "index": index, **rest})
    assert str(error) == f"the index of a {kind} is {words}"
    assert error.stage == "events"
    unnamed = refused({"type": ["long"] * 99, "index": index, **rest}, name=kind)
    assert str(unnamed) == f"the index of a {kind} is {words}"


@pytest.mark.parametrize("kind", ["content_block_start", "content_block_delta", "content_block_stop"])
def test_an_index_is_below_the_limit_of_blocks(kind: str) -> None:
    rest = {"content_block": {"type": "text"}, "delta": {"type": "text_delta", "text": ""}}
    limits = Limits(blocks=5)
    assert event_of({"type": kind, "index": 4, **rest}, limits=limits).index == 4
    for index in (5, 10**30):
        error = refused({"type": kind, "index": index, **rest}, limits=limits)
        assert isinstance(error, LimitError)
        assert (error.limit, error.value, error.stage) == ("blocks", 5, "events")
        assert str(error) == "a block index passes Limits.blocks = 5"


@pytest.mark.parametrize(
    ("value", "words", "stop"),
    [
        ({"type": "message_start"}, "message of a message_start is missing, not an object", "events"),
        ({"type": "message_start", "message": None}, "message of a message_start is null, not an object", "events"),
        ({"type": "message_start", "message": {"content": "x"}}, "content is a string, not a list", "message"),
        ({"type": "message_start", "message": {"content": [5]}}, "a content block is a number", "blocks"),
        (
            {"type": "content_block_start", "index": 0},
            "content_block of a content_block_start is missing, not an object",
            "events",
        ),
        (
            {"type": "content_block_start", "index": 0, "content_block": None},
            "content_block of a content_block_start is null, not an object",
            "events",
        ),
        (
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": 5}},
            "text of a text block is a number, not a string",
            "blocks",
        ),
        (
            {"type": "content_block_delta", "index": 0},
            "delta of a content_block_delta is missing, not an object",
            "events",
        ),
        (
            {"type": "content_block_delta", "index": 0, "delta": "x"},
            "delta of a content_block_delta is a string, not an object",
            "events",
        ),
        ({"type": "message_delta", "delta": "x"}, "delta of a message_delta is a string, not an object", "events"),
        ({"type": "message_delta", "delta": []}, "delta of a message_delta is a list, not an object", "events"),
    ],
)
def test_events_that_lack_what_they_must_have(value: dict[str, Any], words: str, stop: str) -> None:
    error = refused(value)
    assert words in str(error)
    assert error.stage == stop


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("text_delta", "text"),
        ("thinking_delta", "thinking"),
        ("signature_delta", "signature"),
        ("input_json_delta", "partial_json"),
    ],
)
def test_deltas_whose_text_is_none(kind: str, key: str) -> None:
    for odd, words in ((5, "a number"), (["x"], "a list"), (False, "a boolean")):
        error = refused({"type": "content_block_delta", "index": 0, "delta": {"type": kind, key: odd}})
        article = "an" if kind.startswith("i") else "a"
        assert str(error) == f"{key} of {article} {kind} is {words}, not a string"
        assert error.stage == "events"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"type": "citations_delta"}, "citation of a citations_delta is missing, not an object"),
        ({"type": "citations_delta", "citation": None}, "citation of a citations_delta is null, not an object"),
        (
            {"type": "compaction_delta", "content": "c", "encrypted_content": 5},
            "encrypted_content of a compaction_delta is a number, not a string",
        ),
    ],
)
def test_other_deltas_with_missing_or_odd_values(value: dict[str, Any], words: str) -> None:
    error = refused({"type": "content_block_delta", "index": 0, "delta": value})
    assert (str(error), error.stage) == (words, "events")


# The classes.


def test_the_unions_are_closed_and_public() -> None:
    classes = {*get_args(Event), *get_args(ContentBlockDelta)} - {ContentBlockDelta}
    assert len(classes) == 15
    assert {cls.__name__ for cls in classes} <= set(_events.__all__)
    assert all(name in vars(_events) for name in _events.__all__)


@pytest.mark.parametrize("event", [TextDelta(1, "t"), TextDelta(index=1, text="t", extra=None)])
def test_events_are_flat_values(event: TextDelta) -> None:
    assert event == TextDelta(1, "t")
    assert event != TextDelta(1, "u")
    assert event != TextDelta(1, "t", {})
    assert event != ThinkingDelta(1, "t")
    assert event != (1, "t")
    assert repr(event) == "TextDelta(index=1, text='t')"
    assert repr(Ping({"a": 1})) == "Ping(extra={'a': 1})"
    assert TextDelta.__match_args__ == ("index", "text", "extra")
    with pytest.raises(TypeError, match="unhashable"):
        hash(event)
    with pytest.raises(AttributeError):
        event.new = 1  # type: ignore[attr-defined]
    match event:
        case TextDelta(text=text):
            assert text == "t"


def test_the_fields_of_each_class_end_with_extra() -> None:
    fields: dict[Any, tuple[str, ...]] = {
        MessageStart: ("message",),
        ContentBlockStart: ("index", "content_block"),
        TextDelta: ("index", "text"),
        InputJSONDelta: ("index", "partial_json"),
        ThinkingDelta: ("index", "thinking"),
        SignatureDelta: ("index", "signature"),
        CitationsDelta: ("index", "citation"),
        CompactionDelta: ("index", "content", "encrypted_content"),
        UnknownDelta: ("index", "raw"),
        ContentBlockStop: ("index", "content_block"),
        MessageDelta: ("delta", "usage"),
        MessageStop: ("message",),
        Ping: (),
        ErrorEvent: ("error",),
    }
    for cls, names in fields.items():
        assert cls.__match_args__ == (*names, "extra")
    assert UnknownEvent.__match_args__ == ("raw", "name", "extra")
