"""Message and Usage: typed views that lose nothing, whole answers read from JSON, and what cannot be a message."""

from __future__ import annotations

import copy
import json
import pickle
from types import MappingProxyType
from typing import Any

import pytest

from sansio_claude._errors import LimitError, LocalProtocolError, RemoteProtocolError
from sansio_claude._limits import Limits
from sansio_claude._message.blocks import TextBlock, ToolUseBlock
from sansio_claude._message.message import Message, Usage, message_from_object
from sansio_claude._stream.message_stream import MessageStream

WHOLE: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "content": [
        {"type": "text", "text": "Let me "},
        {"type": "thinking", "thinking": "", "signature": "sig=="},
        {"type": "text", "text": "look."},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "tool_use", "id": "t", "name": "save", "input": {"a": 1}, "text": ""},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "stop_details": {"type": "refusal"},
    "usage": {"input_tokens": 1, "output_tokens": 2, "new": None},
    "container": {"id": "c", "expires_at": "2026-11-21T00:00:00Z"},
    "context_management": {"applied_edits": []},
    "safeguard_results": [1],
}


def test_a_typed_view_of_a_whole_message() -> None:
    message = Message.from_dict(WHOLE)
    assert (message.id, message.type, message.role, message.model) == (
        "msg_1",
        "message",
        "assistant",
        "claude-opus-5-5",
    )
    assert (message.stop_reason, message.stop_sequence) == ("tool_use", None)
    assert message.stop_details == {"type": "refusal"}
    assert message.container == {"id": "c", "expires_at": "2026-11-21T00:00:00Z"}
    assert message.context_management == {"applied_edits": []}
    assert message.text == "Let me look."
    assert [type(block) for block in message.tool_uses] == [ToolUseBlock]
    assert len(message.content) == 5
    assert message.raw["safeguard_results"] == [1]
    assert message.usage.output_tokens == 2


def test_a_message_with_nothing_but_content() -> None:
    message = Message.from_dict({"content": []})
    assert (message.id, message.type, message.role, message.model) == ("", "message", "assistant", "")
    assert (message.stop_reason, message.stop_sequence, message.stop_details) == (None, None, None)
    assert (message.container, message.context_management) == (None, None)
    assert message.usage == Usage({})
    assert message.text == ""
    assert message.tool_uses == []
    assert message.to_dict() == {"content": []}


def test_odd_types_are_kept_but_not_shown() -> None:
    odd = {"content": [], "stop_reason": 5, "stop_details": "x", "usage": None, "container": [], "role": None}
    message = Message.from_dict(odd)
    assert (message.stop_reason, message.stop_details, message.container) == (None, None, None)
    assert message.role == "assistant"
    assert message.usage == Usage({})
    assert message.to_dict() == odd


def test_the_dictionary_is_detached_both_ways() -> None:
    given = copy.deepcopy(WHOLE)
    message = Message.from_dict(given)
    given["content"][0]["text"] = "changed"
    given["usage"]["input_tokens"] = 99
    assert message.to_dict() == WHOLE
    assert list(message.to_dict()) == list(WHOLE)
    written = message.to_dict()
    written["content"].clear()
    written["container"]["id"] = "changed"
    assert message.to_dict() == WHOLE
    assert Message.from_dict(MappingProxyType(WHOLE)) == message


def test_what_the_next_request_carries() -> None:
    message = Message.from_dict(WHOLE)
    assert message.to_param() == {"role": "assistant", "content": WHOLE["content"]}


def test_an_input_that_is_not_whole_cannot_be_sent_back() -> None:
    cut = {"content": [{"type": "tool_use", "id": "t", "name": "save", "input": {"$incomplete_json": '{"a'}}]}
    message = Message.from_dict(cut)
    assert message.to_dict() == cut
    with pytest.raises(LocalProtocolError, match="'save' is partial") as caught:
        message.to_param()
    assert caught.value.path == "content[0].input"


def test_equality_copying_pickling_and_repr() -> None:
    message = Message.from_dict(WHOLE)
    assert message == Message.from_dict(WHOLE)
    assert message != Message.from_dict({"content": []})
    assert message != WHOLE
    for twin in (copy.copy(message), copy.deepcopy(message), pickle.loads(pickle.dumps(message))):
        assert twin == message
    with pytest.raises(TypeError, match="unhashable"):
        hash(message)
    assert repr(Message.from_dict({"id": "i", "content": [{"type": "text", "text": "t"}]})) == (
        "Message(id='i', model='', stop_reason=None, content=[TextBlock(text='t')])"
    )


@pytest.mark.parametrize(
    ("value", "words", "stop"),
    [
        ([], "the message is a list, not an object", "message"),
        (None, "the message is null, not an object", "message"),
        ({}, "the message's content is missing, not a list", "message"),
        ({"content": None}, "the message's content is null, not a list", "message"),
        ({"content": "text"}, "the message's content is a string, not a list", "message"),
        ({"content": {}}, "the message's content is an object, not a list", "message"),
        ({"content": [], "id": 5}, "the message's id is a number, not a string", "message"),
        ({"content": [], "model": []}, "the message's model is a list, not a string", "message"),
        ({"content": [], "role": {}}, "the message's role is an object, not a string", "message"),
        ({"content": [], "type": True}, "the message's type is a boolean, not a string", "message"),
        ({"content": [], "type": "error"}, "this is no message: its type is 'error'", "message"),
        ({"content": [], "type": "x" * 99}, "this is no message: its type is '" + "x" * 39, "message"),
        ({"content": [None]}, "a content block is null, not an object", "blocks"),
        ({"content": [{"type": "text", "text": 5}]}, "text of a text block is a number, not a string", "blocks"),
    ],
)
def test_what_cannot_be_a_message_is_refused(value: Any, words: str, stop: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        Message.from_dict(value)
    assert str(caught.value) == words
    assert caught.value.stage == stop


def test_content_may_be_missing_where_a_stream_begins() -> None:
    raw = {"id": "m"}
    message = message_from_object(raw, begins_stream=True)
    assert message.content == []
    assert message.to_dict() == {"id": "m"}
    assert message_from_object({"content": []}, begins_stream=True).to_dict() == {"content": []}
    with pytest.raises(RemoteProtocolError):
        message_from_object({"id": 5}, begins_stream=True)


def test_an_object_that_is_taken_over_is_not_copied() -> None:
    raw: dict[str, Any] = {"content": [{"type": "text", "text": "t"}]}
    message = message_from_object(raw)
    assert message.raw is raw
    assert message.content[0].raw is raw["content"][0]


# Whole answers.


def test_json_in_bytes_and_text_with_and_without_a_byte_order_mark() -> None:
    for data in (b'{"content":[]}', '{"content":[]}', b'\xef\xbb\xbf{"content":[]}', ' {"content": []}\n'):
        assert Message.from_json(data).to_dict() == {"content": []}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"null", "the answer is null, not a message object"),
        (b"7", "the answer is a number, not a message object"),
        (b'[{"content":[]}]', "the answer is a list, not a message object"),
        (b"", "this is not JSON"),
        (b"<html>", "this is not JSON"),
        (b'{"content":[]', "this is not JSON"),
        (b'{"content":[],"a":"\xff"}', "the JSON text is not UTF-8"),
        (b'{"content":[],"a":NaN}', "this is not JSON"),
        ('{"content":[],"a":"\ud800"}', "the JSON text is not UTF-8"),
        ('{"content":[]}'.encode("utf-16"), "this is not JSON|the JSON text is not UTF-8"),
        (b"{}", "the message's content is missing"),
        (b'{"type":"error","error":{}}', "this is no message: its type is 'error'"),
    ],
)
def test_an_answer_that_is_no_message_is_refused(data: bytes | str, words: str) -> None:
    with pytest.raises(RemoteProtocolError, match=words):
        Message.from_json(data)


def test_the_excerpt_of_an_answer_that_is_no_object() -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        Message.from_json(b'"' + b"x" * 200 + b'"')
    assert caught.value.excerpt == b'"' + b"x" * 79
    assert caught.value.stage == "message"


def test_limits_of_whole_answers() -> None:
    data = b'{"content":[],"a":[[[]]]}'
    assert Message.from_json(data, limits=Limits(message=len(data), depth=4)).content == []
    with pytest.raises(LimitError) as caught:
        Message.from_json(data, limits=Limits(message=len(data) - 1))
    assert (caught.value.limit, caught.value.value, caught.value.stage) == ("message", len(data) - 1, "message")
    assert f"Limits.message = {len(data) - 1}" in str(caught.value)
    with pytest.raises(LimitError) as caught:
        Message.from_json(data, limits=Limits(depth=3))
    assert (caught.value.limit, caught.value.value) == ("depth", 3)


# Usage.


def test_usage() -> None:
    raw = {
        "input_tokens": 1,
        "output_tokens": 2,
        "cache_creation_input_tokens": 3,
        "cache_read_input_tokens": 4,
        "cache_creation": {"ephemeral_5m_input_tokens": 3},
        "server_tool_use": {"web_search_requests": 1},
        "output_tokens_details": {"thinking_tokens": 1},
        "service_tier": "standard",
        "iterations": [{"type": "message"}],
        "new": [None],
    }
    usage = Usage(raw)
    assert (usage.input_tokens, usage.output_tokens) == (1, 2)
    assert (usage.cache_creation_input_tokens, usage.cache_read_input_tokens) == (3, 4)
    assert usage.cache_creation == {"ephemeral_5m_input_tokens": 3}
    assert usage.server_tool_use == {"web_search_requests": 1}
    assert usage.output_tokens_details == {"thinking_tokens": 1}
    assert usage.service_tier == "standard"
    assert usage.iterations == [{"type": "message"}]
    assert usage.raw is raw
    assert usage.to_dict() == raw
    usage.to_dict()["new"].append(1)
    assert raw["new"] == [None]
    assert repr(Usage({"output_tokens": 2, "new": None})) == "Usage(output_tokens=2, new=None)"


@pytest.mark.parametrize("odd", [None, "5", True, 1.5, [], {}])
def test_counts_of_odd_types_are_none_but_kept(odd: Any) -> None:
    usage = Usage({"input_tokens": odd})
    assert usage.input_tokens is None
    assert usage.to_dict() == {"input_tokens": odd}


def test_usage_without_anything() -> None:
    usage = Usage({})
    assert usage.input_tokens is usage.output_tokens is None
    assert usage.cache_creation is usage.server_tool_use is usage.output_tokens_details is None
    assert (usage.service_tier, usage.iterations) == (None, None)
    assert usage == Usage({}) != Usage({"a": None})
    assert usage != {}
    with pytest.raises(TypeError, match="unhashable"):
        hash(usage)


def test_the_text_of_no_text_block_is_empty() -> None:
    assert Message.from_dict({"content": [{"type": "thinking", "thinking": "x"}]}).text == ""
    assert Message(dict(WHOLE), [TextBlock({"type": "text", "text": "a"})]).text == "a"


def _streamed(*events: dict[str, Any]) -> Message:
    stream = MessageStream()
    start: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "usage": {},
    }
    for event in ({"type": "message_start", "message": start}, *events):
        stream.receive_data(b"data: %b\n\n" % json.dumps(event).encode())
    stream.receive_eof()
    assert stream.message is not None
    return stream.message


CALL = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
STARTED = {"type": "content_block_start", "index": 0, "content_block": CALL}
GIVEN = {"type": "content_block_start", "index": 0, "content_block": {**CALL, "input": {"a": 1}}}
STOPPED = {"type": "content_block_stop", "index": 0}
STOP = {"type": "message_stop"}


def _fragment(text: str) -> dict[str, Any]:
    delta = {"type": "input_json_delta", "partial_json": text}
    return {"type": "content_block_delta", "index": 0, "delta": delta}


def _ended(reason: str) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {}}


# What JSON cannot say of a message, and what `from_dict` makes of its JSON text instead.
UNSAID: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "whole by its text, under max_tokens": (
        [STARTED, _fragment('{"a":1}'), STOPPED, _ended("max_tokens"), STOP],
        "complete",
        "partial",
    ),
    "given, and cut before the stop reason": ([GIVEN, STOPPED], "partial", "complete"),
    "null, in a block that never stopped": ([STARTED, _fragment("null")], "partial", "invalid"),
    "no object, in a block that never stopped": ([STARTED, _fragment("[1]")], "partial", "partial"),
    "deeper than the limit": ([STARTED, _fragment('{"a":' + "[" * 600)], "invalid", "invalid"),
    "deeper than the limit, and stopped": ([STARTED, _fragment("[" * 600), STOPPED], "invalid", "invalid"),
    "no object": ([STARTED, _fragment("[1]"), STOPPED, _ended("tool_use"), STOP], "invalid", "invalid"),
}


@pytest.mark.parametrize("name", UNSAID)
def test_a_message_that_is_written_and_read_has_the_same_inputs(name: str) -> None:
    events, status, from_text = UNSAID[name]
    message = _streamed(*events)
    written = message.to_dict()
    for twin in (message, Message.from_dict(written), Message.from_dict(copy.deepcopy(written))):
        assert twin.tool_uses[0].input_status == status
        assert twin == message
    assert Message.from_dict(pickle.loads(pickle.dumps(written))).tool_uses[0].input_status == status
    assert Message.from_dict(json.loads(json.dumps(written))).tool_uses[0].input_status == from_text


def test_a_message_that_is_written_and_read_knows_what_unknown_deltas_brought() -> None:
    text: dict[str, Any] = {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "text", "text": "a", "old": 1},
    }
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "x_delta", "new": "b", "old": 2}}
    message = _streamed(text, delta, STOPPED, STOP)
    written = message.to_dict()
    assert written["content"] == [{"type": "text", "text": "a", "old": 2, "new": "b"}]
    again = Message.from_dict(written)
    assert (
        again.to_param()
        == message.to_param()
        == {"role": "assistant", "content": [{**text["content_block"], "old": 2}]}
    )
    assert again.whole  # it has no stop reason, and message_stop came
    assert again.to_dict() == written
    # Of a dict that somebody has taken a block out of nothing more is known.
    written["content"].append({"type": "text", "text": "c"})
    assert Message.from_dict(written).to_param()["content"][0]["new"] == "b"


def test_a_message_equals_no_other_kind_of_thing() -> None:
    message = Message.from_dict({"content": []})
    assert message.__eq__(message.to_dict()) is NotImplemented
    assert message != message.to_dict()
