"""What a stream tolerates and what it refuses: each odd thing a peer does, by default and when strict.

Three kinds: fine (not even recorded, also when strict), deviations (recorded; an error when strict), errors. Both
twins are asked, whole and byte by byte, and must agree.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from sansio_claude._errors import APIError, RemoteProtocolError
from sansio_claude._limits import Limits
from sansio_claude._stream.events import MessageStart, TextDelta, UnknownDelta, UnknownEvent
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude._stream.plain_stream import PlainStream
from sansio_claude._stream.text import text_of
from sansio_claude.testing import chunkings
from tests.frames import (
    DELTA,
    END,
    START,
    STOP,
    answer,
    block,
    body,
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

TEXT = {"type": "text", "text": ""}
HELLO = block(TEXT, {"type": "text_delta", "text": "hello"})
WHOLE = answer(*HELLO)


def outcome(data: bytes, **options: Any) -> Run:
    """What both twins make of it, however it is cut."""
    first = run([data], **options)
    assert run(chunkings.bytewise(data), **options) == first
    assert run([data], kind=PlainStream, **options) == first
    assert run(chunkings.bytewise(data), kind=PlainStream, **options) == first
    return first


def without(value: dict[str, Any], *path: str) -> dict[str, Any]:
    """The event without one of its keys."""
    twin: dict[str, Any] = json.loads(json.dumps(value))
    inner = twin
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return twin


def respelled(*pairs: tuple[bytes, bytes], events: list[Any] = WHOLE) -> bytes:
    data = body(*events)
    for old, new in pairs:
        assert old in data
        data = data.replace(old, new)
    return data


# Fine.

FINE: dict[str, bytes] = {
    "no event line": b"".join(b"data: " + json.dumps(value).encode() + b"\n\n" for value in WHOLE),
    "a generic event name": b"".join(frame(value, "message") for value in WHOLE),
    "a wrong event name": b"".join(frame(value, "ping") for value in WHOLE),
    "an error's event name": b"".join(frame(value, "error") for value in WHOLE),
    "an unknown event name": b"".join(frame(value, "completion") for value in WHOLE),
    "data without a space": respelled((b"data: ", b"data:")),
    "event without a space": respelled((b"event: ", b"event:")),
    "CRLF": respelled((b"\n", b"\r\n")),
    "CR": respelled((b"\n", b"\r")),
    "a byte order mark": b"\xef\xbb\xbf" + body(*WHOLE),
    "comments": b": OPENROUTER PROCESSING\n\n" + respelled((b"event: ", b":HTTP_STATUS/200\nevent: ")),
    "ids and retry": b"retry: 3000\n\n" + respelled((b"event: ", b"id:7\nevent: ")),
    "unknown fields": respelled((b"event: ", b"time: 12\nevent: ")),
    "surplus blank lines": b"\n\n" + respelled((b"\n\n", b"\n\n\n\n")),
    "padding inside the JSON": respelled((b"}\n\n", b"      }\n\n")),
    "JSON over several data lines": b"".join(
        b"event: x\n"
        + b"".join(b"data: " + line + b"\n" for line in json.dumps(value, indent=1).encode().split(b"\n"))
        + b"\n"
        for value in WHOLE
    ),
    "pings": body(*(each for value in WHOLE for each in ({"type": "ping"}, value))),
    "an event without data": respelled((b"event: content_block_delta", b"event: lost\n\nevent: content_block_delta")),
    "keys in another order": b"".join(
        b"data: " + json.dumps(dict(reversed(list(value.items())))).encode() + b"\n\n" for value in WHOLE
    ),
    "ASCII only": respelled((b"hello", b"h\\u0065llo")),
    "duplicate keys": respelled((b'"text": "hello"', b'"text": "no", "text": "hello"')),
}


@pytest.mark.parametrize("name", FINE)
def test_fine(name: str) -> None:
    for strict in (False, True):
        result = outcome(FINE[name], strict=strict)
        assert (result.state, result.deviations, result.error) == ("complete", [], None)
        assert result.dictionary is not None
        assert result.dictionary["content"] == [{"type": "text", "text": "hello"}]
        assert result.dictionary["stop_reason"] == "end_turn"


UNKNOWN: dict[str, tuple[list[Any], Any]] = {
    "an unknown event": (
        [START, {"type": "vertex_event", "payload": [1]}, *HELLO, *STOP],
        UnknownEvent({"type": "vertex_event", "payload": [1]}, "vertex_event"),
    ),
    "an unknown event name whose data is no JSON": (
        [START, b"event: metrics\ndata: 5 of 7\n\n", *HELLO, *STOP],
        UnknownEvent("5 of 7", "metrics"),
    ),
    "an unknown event before message_start": ([b"event: hi\ndata: x\n\n", *WHOLE], UnknownEvent("x", "hi")),
    "an unknown delta": (
        answer(start(0, TEXT), delta(0, type="aura_delta", aura="x"), text("hello"), stop()),
        UnknownDelta(0, {"type": "aura_delta", "aura": "x"}),
    ),
    "an unknown key of an event": (
        answer(start(0, TEXT), {**text("hello"), "new": 1}, stop()),
        TextDelta(0, "hello", {"new": 1}),
    ),
    "an unknown key of a delta": (
        answer(start(0, TEXT), delta(0, type="text_delta", text="hello", new=1), stop()),
        TextDelta(0, "hello", {"new": 1}),
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_things_are_kept_and_not_even_recorded(name: str) -> None:
    events, expected = UNKNOWN[name]
    for strict in (False, True):
        result = outcome(body(*events), strict=strict)
        assert (result.state, result.deviations) == ("complete", [])
        assert repr(expected) in result.events


@pytest.mark.parametrize(
    ("events", "path", "expected"),
    [
        (
            answer(*block({"type": "hologram", "beam": [1, None]})),
            ("content", 0),
            {"type": "hologram", "beam": [1, None]},
        ),
        (answer(*block({**TEXT, "new": None})), ("content", 0), {"type": "text", "text": "", "new": None}),
        ([message_start(new={"a": 1}), *STOP], ("new",), {"a": 1}),
        ([START, message_delta({"stop_reason": "new_reason"}), END], ("stop_reason",), "new_reason"),
        ([START, message_delta({"new": [1]}), END], ("new",), [1]),
        ([START, message_delta(usage={"new": 7}), END], ("usage", "new"), 7),
        ([START, message_delta(context_management={"a": 1}), END], ("context_management",), {"a": 1}),
    ],
    ids=["block", "key of a block", "key of the message", "stop reason", "key of delta", "counter", "key of the event"],
)
def test_unknown_things_are_in_the_message(events: list[Any], path: tuple[Any, ...], expected: Any) -> None:
    for strict in (False, True):
        result = outcome(body(*events), strict=strict)
        assert (result.state, result.deviations) == ("complete", [])
        value: Any = result.dictionary
        for key in path:
            value = value[key]
        assert value == expected


# Deviations.

THINKING = {"type": "thinking", "thinking": "", "signature": ""}
TOOL = {"type": "tool_use", "id": "t", "name": "n", "input": {}}
TOOL_STOP = [message_delta({"stop_reason": "tool_use"}), END]
NULL_CONTENT = {"message": {**START["message"], "content": None}}
NO_TYPE = {"message": {**START["message"], "type": ""}}
DEVIATIONS: dict[str, tuple[list[Any], list[str]]] = {
    "[DONE] at the end": ([*WHOLE, b"data: [DONE]\n\n"], ["after_message_stop"]),
    "[DONE] in the middle": ([START, b"data: [DONE]\n\n", *HELLO, *STOP], ["skipped"]),
    "[DONE] with a name": ([START, b"event: done\ndata: [DONE]\n\n", *HELLO, *STOP], ["skipped"]),
    "empty data": ([START, b"data\n\n", b"event: message_delta\ndata:  \n\n", *HELLO, *STOP], ["skipped"] * 2),
    "a ping with no JSON": ([START, b"event: ping\ndata: alive\n\n", *HELLO, *STOP], ["skipped"]),
    "a ping with empty data": ([START, b"event: ping\ndata:\n\n", *HELLO, *STOP], ["skipped"]),
    "usage missing in message_start": ([without(START, "message", "usage"), *HELLO, *STOP], ["usage"]),
    "usage null in message_start": ([message_start(usage=None), *HELLO, *STOP], ["usage"]),
    "usage no object in message_start": ([message_start(usage=[1]), *HELLO, *STOP], ["usage"]),
    "usage of odd types in message_start": ([message_start(usage={"input_tokens": "7"}), *HELLO, *STOP], ["usage"]),
    "usage missing in message_delta": ([START, *HELLO, without(DELTA, "usage"), END], ["usage"]),
    "usage null in message_delta": ([START, *HELLO, {**DELTA, "usage": None}, END], ["usage"]),
    "usage of odd types in message_delta": (
        [START, *HELLO, message_delta(usage={"output_tokens": 1.5}), END],
        ["usage"],
    ),
    "message_delta missing": ([START, *HELLO, END], ["no_message_delta"]),
    "the delta of message_delta missing": ([START, *HELLO, without(DELTA, "delta"), END], ["no_message_delta"]),
    "the delta of message_delta null": ([START, *HELLO, {**DELTA, "delta": None}, END], ["no_message_delta"]),
    "content missing in message_start": ([message_start(content=None), *HELLO, *STOP], ["no_content"]),
    "a gap in the block indices": (answer(*HELLO, *block(TEXT, index=2)), ["index_order"]),
    "the first block is not 0": (answer(*block(TEXT, {"type": "text_delta", "text": "x"}, index=1)), ["index_order"]),
    "block indices out of order": (answer(*block(TEXT, index=1), *block(TEXT, index=0)), ["index_order"] * 2),
    "message_start again with the same id": ([START, START, *HELLO, *STOP], ["repeated_start"]),
    "message_stop twice": ([*WHOLE, END], ["after_message_stop"]),
    "a delta after message_stop": ([*WHOLE, text("x"), text("y")], ["after_message_stop"]),
    "an error after message_stop": (
        [*WHOLE, {"type": "error", "error": {"type": "api_error"}}],
        ["after_message_stop"],
    ),
    "garbage after message_stop": ([*WHOLE, b"data: {garbage\n\n"], ["after_message_stop"]),
    "a block still open at message_stop": (answer(start(0, TEXT), text("x")), ["open_block"]),
    "a tool input cut at message_stop": ([START, *tool('{"a": "b'), *TOOL_STOP], ["input"]),
    "a tool input that is no JSON": ([START, *tool("{nope}"), *TOOL_STOP], ["input"]),
    "a tool input cut in an open block": ([START, *tool('{"a": "b')[:-1], *TOOL_STOP], ["open_block"]),
    "a call under end_turn": (answer(*tool("{}")), ["stop_reason_mismatch"]),
    "a call under stop_sequence": (
        [START, *tool("{}"), message_delta({"stop_reason": "stop_sequence"}), END],
        ["stop_reason_mismatch"],
    ),
    "tool_use without a call": ([START, *HELLO, *TOOL_STOP], ["stop_reason_mismatch"]),
    "tool_use without a call but one of the server": (
        [START, *tool("{}", kind="server_tool_use"), *TOOL_STOP],
        ["stop_reason_mismatch"],
    ),
    "content_block_stop twice": (answer(*HELLO, stop()), ["twice"]),
    "an input_json_delta without its text": (
        [START, *block({"type": "tool_use", "id": "t", "input": {}}, {"type": "input_json_delta"}), *TOOL_STOP],
        ["empty_value"],
    ),
    **{
        f"the {key} of a {kind} {what}": (answer(*block(first, {"type": kind, **odd})), ["empty_value"])
        for kind, key, first in (
            ("text_delta", "text", TEXT),
            ("thinking_delta", "thinking", THINKING),
            ("signature_delta", "signature", THINKING),
        )
        for what, odd in (("missing", {}), ("null", {key: None}))
    },
    "the content of a compaction_delta missing": (
        answer(*block({"type": "compaction"}, {"type": "compaction_delta"})),
        ["empty_value"],
    ),
    "the text of a start null": (answer(*block({"type": "text", "text": None})), ["empty_value"]),
    "the text of a start missing": (answer(*block({"type": "text"})), ["empty_value"]),
    "the signature of a start null": (answer(*block({**THINKING, "signature": None})), ["empty_value"]),
    "the id of a call null": (
        [START, *block({"type": "tool_use", "id": None, "name": "n", "input": {"a": 1}}), *TOOL_STOP],
        ["empty_value"],
    ),
    "a call without an input": (
        [START, *block({"type": "tool_use", "id": "t", "name": "n"}), *TOOL_STOP],
        ["empty_value"],
    ),
    "content null in message_start": ([message_start() | NULL_CONTENT, *HELLO, *STOP], ["no_content"]),
    "an empty stop reason": ([START, *HELLO, DELTA, message_delta({"stop_reason": ""}), END], ["empty_value"]),
    "a delta without a type": (answer(*block(TEXT, {"text": "x"})), ["typeless_delta"]),
    "an unknown delta with a key of its block": (answer(*block(TEXT, {"type": "new", "text": "x"})), ["kept_key"]),
    "an unknown delta with the key of an identity": (answer(*block(TEXT, {"type": "new", "id": "x"})), ["kept_key"]),
    "usage inside the delta of message_delta": (
        [START, *HELLO, message_delta({"stop_reason": "end_turn", "usage": {"output_tokens": 3}}), END],
        ["usage"],
    ),
    "another role in message_delta": (
        [START, *HELLO, message_delta({"stop_reason": "end_turn", "role": "user"}), END],
        ["kept_key"],
    ),
    "another role in message_start": ([message_start(role="model"), *HELLO, *STOP], ["role"]),
    "an empty type of message_start's message": ([message_start() | NO_TYPE, *HELLO, *STOP], ["empty_value"]),
    "half a character in a text": (answer(*block(TEXT, {"type": "text_delta", "text": "\udc00x"})), ["half_character"]),
    "half a character at the end of a text": (
        answer(*block(TEXT, {"type": "text_delta", "text": "x\ud83d"})),
        ["half_character"],
    ),
    "half a character in an unknown key": ([START, *HELLO, {**DELTA, "x": "\udc00"}, END], ["half_character"]),
    "an empty delta of another kind": (
        answer(*block(TEXT, {"type": "thinking_delta", "thinking": ""})),
        ["foreign_empty_delta"],
    ),
    "an empty delta of a block that has stopped": (answer(*HELLO, text("")), ["foreign_empty_delta"]),
    "no index": ([START, *(without(each, "index") for each in HELLO), *STOP], ["index_missing"] * 3),
    "a null index": ([START, *({**each, "index": None} for each in HELLO), *STOP], ["index_missing"] * 3),
    "a placeholder": ([message_start(content=[TEXT]), *HELLO, *STOP], ["placeholder"]),
    "two signatures": (
        answer(*block(THINKING, *({"type": "signature_delta", "signature": each} for each in "AB"))),
        ["twice"],
    ),
    "two compactions": (
        answer(*block({"type": "compaction"}, *({"type": "compaction_delta", "content": each} for each in "AB"))),
        ["twice"],
    ),
    "a call without a stop": ([START, *tool('{"a": 1}')[:-1], *TOOL_STOP], ["open_block", "input_without_stop"]),
    "a tool input that is no object": ([START, *tool("[1]"), *TOOL_STOP], ["input"]),
    "the last event without its blank line": ([*WHOLE[:-1], frame(END)[:-1]], ["last_blank_line"]),
    "the last event without its line end": ([*WHOLE[:-1], frame(END)[:-2]], ["last_blank_line"]),
}


@pytest.mark.parametrize("name", DEVIATIONS)
def test_deviation_by_default_error_when_strict(name: str) -> None:
    events, kinds = DEVIATIONS[name]
    data = body(*events)
    result = outcome(data)
    assert (result.state, result.error) == ("complete", None)
    assert [kind for kind, _, _ in result.deviations] == kinds
    assert all(1 <= number <= len(events) and words for _, number, words in result.deviations)
    strict = outcome(data, strict=True)
    if kinds == ["after_message_stop"]:
        assert strict == result  # nothing changes an answer that is whole
        return
    assert strict.error is not None
    assert strict.error["class"] == "RemoteProtocolError"
    assert strict.state == "broken"
    assert strict.deviations == []
    assert "is refused here" in strict.error["words"]
    assert strict.error["stage"] == "'blocks'"
    first = result.deviations[0]
    assert (
        f"{first[2]} (event {first[1]}; a deviation of the kind {first[0]!r} is refused here)" in strict.error["words"]
    )
    without_content = outcome(data, keep_content=False)
    of_inputs = ("input", "input_without_stop")
    assert [each for each in result.deviations if each[0] not in of_inputs] == without_content.deviations


def test_blocks_out_of_order_come_out_in_index_order() -> None:
    events = answer(start(3, TEXT), start(0, TEXT), text("three", 3), text("zero", 0), stop(0), stop(3))
    result = outcome(body(*events))
    assert result.dictionary is not None
    assert [each["text"] for each in result.dictionary["content"]] == ["zero", "three"]


def test_nothing_after_message_stop_changes_the_message() -> None:
    for late in (text("x"), message_delta({"stop_reason": "max_tokens"}), message_start(id="msg_2"), stop()):
        data = body(*answer(start(0, TEXT), text("hello")), late, late)
        result = outcome(data)
        assert result.state == "complete"
        assert result.dictionary == outcome(body(*answer(start(0, TEXT), text("hello")))).dictionary
        assert [kind for kind, _, _ in result.deviations] == ["open_block", "after_message_stop"]


def test_a_cut_input_is_marked_and_not_runnable() -> None:
    for raw, status in (('{"a": "b', "partial"), ("{nope}", "invalid")):
        stream = MessageStream()
        stream.receive_data(body(*answer(*tool(raw))))
        assert stream.message is not None
        assert stream.message.tool_uses[0].input_status == status
        assert stream.message.to_dict()["content"][0]["input"] == {"$incomplete_json": raw}


# Errors.

DEEP = "[" * 600 + "]" * 600
NO_START = "before message_start"
ERRORS: dict[str, tuple[list[Any], str, str]] = {
    **{
        f"the {key} of a {kind} missing": (
            [START, start(0, first), delta(0, type=kind)],
            "RemoteProtocolError",
            "missing",
        )
        for kind, key, first in (("citations_delta", "citation", TEXT),)
    },
    **{
        f"the {key} of a {kind} of the wrong type": (
            [START, start(0, first), delta(0, type=kind, **{key: odd})],
            "RemoteProtocolError",
            "not a",
        )
        for kind, key, first, odd in (
            ("text_delta", "text", TEXT, ["x"]),
            ("thinking_delta", "thinking", THINKING, 5),
            ("signature_delta", "signature", THINKING, {}),
            ("citations_delta", "citation", TEXT, "x"),
            ("input_json_delta", "partial_json", TOOL, False),
        )
    },
    "the encrypted content of a compaction of the wrong type": (
        [START, start(0, {"type": "compaction"}), delta(0, type="compaction_delta", content="c", encrypted_content=5)],
        "RemoteProtocolError",
        "not a string",
    ),
    **{
        f"index {index!r}": ([START, start(index, TEXT)], "RemoteProtocolError", words)
        for index, words in (
            (True, "a boolean"),
            ("0", "a string"),
            (0.5, "a number"),
            (-1, "negative"),
        )
    },
    "no index of a delta without a block": ([START, without(text("x"), "index")], "RemoteProtocolError", "no block"),
    "no index of a delta with two blocks": (
        [START, start(0, TEXT), start(1, TEXT), without(text("x"), "index")],
        "RemoteProtocolError",
        "2 blocks are open",
    ),
    "no index of a start beside a block": (
        [START, start(0, TEXT), without(start(1, TEXT), "index")],
        "RemoteProtocolError",
        "another block is open",
    ),
    "an index of a delta that is negative": ([START, *HELLO, text("x", -1)], "RemoteProtocolError", "negative"),
    "a huge index": ([START, start(10**30, TEXT)], "LimitError", "Limits.blocks"),
    "content_block null": ([START, start(0, None)], "RemoteProtocolError", "content_block"),
    "content_block missing": ([START, without(start(0, TEXT), "content_block")], "RemoteProtocolError", "missing"),
    "a content block without a type": ([START, start(0, {"text": "x"})], "RemoteProtocolError", "type"),
    "message null": ([{"type": "message_start", "message": None}], "RemoteProtocolError", "message"),
    "message missing": ([{"type": "message_start"}], "RemoteProtocolError", "missing"),
    "content a string": ([message_start(content="x")], "RemoteProtocolError", "not a list"),
    "content an object": ([message_start(content={"a": 1})], "RemoteProtocolError", "not a list"),
    "a delta for a block never started": ([START, text("x")], "RemoteProtocolError", "never started"),
    "a delta for another block": ([START, start(0, TEXT), text("x", 1)], "RemoteProtocolError", "never started"),
    "a delta for a block already stopped": ([START, *HELLO, text("x")], "RemoteProtocolError", "has stopped"),
    "an unknown delta for a block already stopped": (
        [START, *HELLO, delta(0, type="new")],
        "RemoteProtocolError",
        "has stopped",
    ),
    "a stop for a block never started": ([START, stop()], "RemoteProtocolError", "never started"),
    "a known delta on a known block of another type": (
        [START, start(0, THINKING), text("x")],
        "RemoteProtocolError",
        "which is a thinking block",
    ),
    "the same index started twice": ([START, *HELLO, start(0, TEXT)], "RemoteProtocolError", "started twice"),
    "message_start with another id": ([START, message_start(id="msg_2")], "RemoteProtocolError", "another id"),
    "a delta before message_start": ([text("x")], "RemoteProtocolError", NO_START),
    "a block before message_start": ([start(0, TEXT)], "RemoteProtocolError", NO_START),
    "a stop before message_start": ([stop()], "RemoteProtocolError", NO_START),
    "message_delta before message_start": ([DELTA], "RemoteProtocolError", NO_START),
    "message_stop before message_start": ([END], "RemoteProtocolError", NO_START),
    **{
        f"{data!r} under {name}": ([START, f"{line}data: {data}\n\n".encode()], "RemoteProtocolError", words)
        for data, words in (
            ("7", "a number"),
            ("null", "null"),
            ("[]", "a list"),
            ("plain text", "not JSON"),
            ("{", "JSON"),
        )
        for name, line in (("no name", ""), ("a known name", "event: content_block_delta\n"))
    },
    "two JSON values": ([START, b"data: {} {}\n\n"], "RemoteProtocolError", "not JSON"),
    "malformed UTF-8": ([START, b'data: {"type":"ping","x":"\xff"}\n\n'], "RemoteProtocolError", "not UTF-8"),
    "malformed UTF-8 in a delta": (
        [START, start(0, TEXT), frame(text("@")).replace(b"@", b"\xc3")],
        "RemoteProtocolError",
        "not UTF-8",
    ),
    "overlong UTF-8": ([START, b'data: {"type":"ping","x":"\xc0\xaf"}\n\n'], "RemoteProtocolError", "not UTF-8"),
    "a surrogate that is malformed UTF-8": (
        [START, start(0, TEXT), frame(text("@")).replace(b"@", b"\xed\xa0\x80")],
        "RemoteProtocolError",
        "not UTF-8",
    ),
    "NaN": ([START, b'data: {"type":"ping","x":NaN}\n\n'], "RemoteProtocolError", "not JSON"),
    "a raw control character": ([START, b'data: {"type":"ping","x":"\x01"}\n\n'], "RemoteProtocolError", "not JSON"),
    "depth beyond the limit": (
        [START, b'data: {"type":"ping","x":%b}\n\n' % DEEP.encode()],
        "LimitError",
        "Limits.depth",
    ),
    "a number beyond the limit": (
        [START, b'data: {"type":"ping","x":%b}\n\n' % (b"9" * 5_000)],
        "RemoteProtocolError",
        "a number in the JSON is too large",
    ),
    "a number beyond double": (
        [START, b'data: {"type":"ping","x":1e999}\n\n'],
        "RemoteProtocolError",
        "a number in the JSON is too large",
    ),
    "a tool input deeper than the limit": ([START, *tool(DEEP)], "LimitError", "Limits.depth"),
    "an error event whose data is no JSON": ([START, b"event: error\ndata: no\n\n"], "APIError", "no"),
    "an error event without data": ([START, b"event: error\n\n"], "APIError", "no message"),
    "the end before message_stop": ([START, *HELLO, DELTA], "TruncatedError", "before message_stop"),
    "the end inside an event": ([START, *HELLO, DELTA, frame(END)[:-5]], "TruncatedError", "before message_stop"),
    "an empty body": ([], "TruncatedError", "without a single byte"),
    "only pings": ([{"type": "ping"}] * 3, "TruncatedError", "before message_start"),
    "only comments": ([b": a\n\n: b\n\n"], "TruncatedError", "no event"),
    "UTF-16": (["{}".encode("utf-16")], "TruncatedError", "UTF-16"),
    "an error event": (
        [START, {"type": "error", "error": {"type": "overloaded_error"}}],
        "OverloadedError",
        "overloaded",
    ),
    "a first error event": ([{"type": "error", "error": {"type": "rate_limit_error"}}], "RateLimitError", "rate_limit"),
    "an error object under no name": ([START, b'data: {"error": "busy"}\n\n'], "APIError", "busy"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error_by_default_and_when_strict(name: str) -> None:
    events, kind, words = ERRORS[name]
    data = body(*events)
    for options in ({}, {"strict": True}, {"keep_content": False}):
        if name == "a tool input deeper than the limit" and "keep_content" in options:
            continue  # no input is kept, so there is none to be deep
        result = outcome(data, **options)
        assert result.error is not None
        assert result.error["class"] == kind
        assert words in result.error["words"]
        assert not result.done
        assert result.deviations == []
        assert len(result.events) >= len(events) - 1 or kind == "TruncatedError"


def test_the_partial_message_is_on_the_error() -> None:
    for last in (text("x", 7), b"data: {\n\n", {"type": "error", "error": {}}, b""):
        stream = MessageStream()
        stream.receive_data(body(START, start(0, TEXT), text("so far"), last))
        stream.receive_eof()
        events = stream.events_received()
        assert isinstance(events[0], MessageStart)
        with pytest.raises((RemoteProtocolError, APIError)) as caught:
            stream.events_received()
        partial = caught.value.partial
        assert partial is not None
        assert partial.text == "so far"


def test_limits_make_any_of_it_an_error() -> None:
    result = outcome(body(*WHOLE), limits=Limits(line=50))
    assert result.error is not None
    assert result.error["class"] == "LimitError"


NEW_BLOCK = start(0, {"type": "new", "text": "a"})
# Streams in which text stands where it is none of the message's, or comes a second time.
OTHER_TEXT: dict[str, list[Any]] = {
    "text for a block that nobody knows": [START, NEW_BLOCK, text("b"), stop(0), *STOP],
    "half a character for such a block": [START, NEW_BLOCK, text("\ud83d"), text("\ude00"), stop(0), *STOP],
    "half a character alone there": [START, NEW_BLOCK, text("b\ud83d"), stop(0), *STOP],
    "message_start twice, with text": [*[message_start([{"type": "text", "text": "a"}])] * 2, *STOP],
    "a delta without a type, null": [
        START,
        start(0, {"type": "text", "text": "a"}),
        delta(0, text=None),
        stop(0),
        *STOP,
    ],
}


@pytest.mark.parametrize("name", OTHER_TEXT)
def test_the_text_of_the_events_is_the_text_of_the_message(name: str) -> None:
    for kind in (MessageStream, PlainStream):
        stream = kind()
        stream.receive_data(body(*OTHER_TEXT[name]))
        events: list[Any] = []
        message = stream.finish(events.append)
        assert "".join(map(text_of, events)) == message.text


def test_a_delta_without_a_type_whose_key_is_null_is_one_of_its_kind() -> None:
    stream = MessageStream()
    stream.receive_data(body(START, start(0, {"type": "text", "text": "a"}), delta(0, text=None), stop(0), *STOP))
    assert [each.kind for each in stream.deviations] == ["empty_value", "typeless_delta"]
    assert any(event == TextDelta(0, "") for event in stream.events_received())


def test_a_call_without_an_input_in_message_start_is_recorded() -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "f"}
    stream = MessageStream()
    stream.receive_data(body(message_start([call]), message_delta({"stop_reason": "tool_use"}), END))
    assert [each.kind for each in stream.deviations] == ["empty_value"]
    assert stream.finish().tool_uses[0].input == {}
