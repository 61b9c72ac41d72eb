"""Tool inputs: whole only after the end and only as whole JSON; anything else can be seen but never be taken for it."""

from __future__ import annotations

import copy
import json
import math
import pickle
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sansio_claude._errors import LimitError, LocalProtocolError
from sansio_claude._message.blocks import MCPToolUseBlock, ServerToolUseBlock, ToolInputBlock, ToolUseBlock
from sansio_claude._message.message import Message
from sansio_claude._stream.message_stream import MessageStream
from tests import strategies
from tests.frames import END, START, block, body, message_delta

TOOL = {"type": "tool_use", "id": "t", "name": "save", "input": {}}


def arriving(*fragments: str, start: Any = None, depth: int = 512) -> ToolUseBlock:
    block = ToolUseBlock({"type": "tool_use", "id": "t", "name": "save", "input": {} if start is None else start})
    block = block._growing()
    block._max_depth = depth
    for fragment in fragments:
        block._input_parser().feed(fragment)
    return block


def ended(*fragments: str, start: Any = None, depth: int = 512) -> ToolUseBlock:
    block = arriving(*fragments, start=start, depth=depth)
    block._end_input()
    return block


def assert_not_runnable(block: ToolInputBlock, text: str, status: str) -> None:
    assert block.input_status == status
    assert block.input_json == text
    with pytest.raises(LocalProtocolError, match=f"is {status}: it must not be run"):
        _ = block.input
    way_out = r"continuation\(\)" if status == "partial" else "ToolLoop does"
    with pytest.raises(LocalProtocolError, match=way_out) as caught:
        block.to_param()
    assert caught.value.path == "input"
    written = block.to_dict()
    assert written["input"] == {"$incomplete_json": text}
    assert block.raw["input"] == {"$incomplete_json": text}
    again = type(block)(written)
    assert again.input_status == status
    assert again.input_json == text
    assert again.to_dict() == written
    assert again == block


def test_a_tool_that_came_whole() -> None:
    raw = {"type": "tool_use", "id": "t", "name": "save", "input": {"a": 1}, "caller": {"type": "direct"}, "x": None}
    block = ToolUseBlock(raw)
    assert (block.id, block.name, block.caller) == ("t", "save", {"type": "direct"})
    assert block.input_status == "complete"
    assert block.input == block.partial_input == {"a": 1}
    assert block.input_json == ""
    assert block.to_dict() == block.to_param() == raw
    assert list(block.to_dict()) == list(raw)


def test_keys_that_are_missing() -> None:
    block = MCPToolUseBlock({"type": "mcp_tool_use"})
    assert (block.id, block.name, block.server_name, block.caller, block.input) == ("", "", "", None, {})
    assert MCPToolUseBlock({"type": "mcp_tool_use", "server_name": "demo"}).server_name == "demo"
    assert ServerToolUseBlock({"type": "server_tool_use", "name": "n"}).name == "n"


def test_an_input_in_fragments() -> None:
    block = arriving('{"path": "/et')
    assert block.partial_input == {"path": "/et"}
    assert_not_runnable(block, '{"path": "/et', "partial")
    block._pieces.append('c"}')
    assert_not_runnable(block, '{"path": "/etc"}', "partial")  # whole text, but the block has not ended
    block._end_input()
    assert str(block.input_status) == "complete"
    assert block.input == block.partial_input == {"path": "/etc"}
    assert block.to_param()["input"] == {"path": "/etc"}
    assert block.input_json == '{"path": "/etc"}'


def test_nothing_has_arrived_yet() -> None:
    assert_not_runnable(arriving(), "", "partial")
    assert arriving().partial_input is None


@pytest.mark.parametrize("blank", [[], [""], ["", ""], [" \t", "\r\n"]])
@pytest.mark.parametrize("start", [{}, {"given": True}])
def test_a_blank_input_is_what_the_block_started_with(blank: list[str], start: dict[str, Any]) -> None:
    block = ended(*blank, start=start)
    assert block.input_status == "partial"  # the last block may be cut, until the stop reason is known
    assert block.to_dict()["input"] == (start or {"$incomplete_json": ""})
    cut = copy.deepcopy(block)
    cut._cut_given()
    assert (cut.input_status, cut.to_dict()["input"]) == ("partial", start)
    block._settle_given()
    assert str(block.input_status) == "complete"
    assert block.input == start
    assert block.input_json == ""
    assert block.to_dict()["input"] == start


@given(strategies.json_values(), st.sampled_from(["end_turn", "tool_use", "max_tokens", "new_reason"]))
@example(False, "tool_use")
@example(0, "tool_use")
@example([], "max_tokens")
@example("", "tool_use")
def test_an_input_that_comes_as_a_value_is_only_complete_as_an_object(value: Any, reason: str) -> None:
    call = {**TOOL, "input": value}
    stream = MessageStream()
    stream.receive_data(body(START, *block(call), message_delta({"stop_reason": reason}), END))
    assert stream.message is not None
    found = stream.message.content[0]
    assert isinstance(found, ToolUseBlock)
    stands_for_none = value is None or value == ""
    if not isinstance(value, dict) and not stands_for_none:
        assert (found.input_status, found.to_dict()["input"]) == ("invalid", value)
        with pytest.raises(LocalProtocolError, match="is invalid: it must not be run"):
            _ = found.input
        assert "input" in [each.kind for each in stream.deviations]
    elif reason in ("end_turn", "tool_use") and not (isinstance(value, dict) and set(value) == {"$incomplete_json"}):
        assert (found.input_status, found.input) == ("complete", value or {})


@pytest.mark.parametrize("other_blank", ["\u00a0", "\u2028", "\x0b", "\ufeff"])
def test_other_white_space_is_no_json(other_blank: str) -> None:
    assert ended(other_blank).input_status == "invalid"


@pytest.mark.parametrize("text", ['{"a": ', '{"a": "x', "[1, 2", "tru", '"\\ud83d', "-", '{"a": 1} '[:7]])
def test_what_was_cut_is_partial(text: str) -> None:
    assert_not_runnable(ended(text), text, "partial")


@pytest.mark.parametrize(
    "text", ['{"a": nope}', "{]", "[1 2]", '{"a": 1}}', "NaN", '{"a": Infinity}', "x", '{"a": ' + "1" * 5_000 + "}"]
)
def test_what_no_continuation_could_make_json_is_invalid(text: str) -> None:
    assert_not_runnable(ended(text), text, "invalid")


def test_an_input_is_invalid_as_soon_as_it_cannot_become_json() -> None:
    block = arriving('{"a": nop')
    assert block.input_status == "invalid"
    assert_not_runnable(block, '{"a": nop', "invalid")


@pytest.mark.parametrize("text", ["7", '"x"', "null", "[1, 2]", "true"])
def test_whole_json_that_is_no_object_is_invalid(text: str) -> None:
    block = ended(text)
    assert (block.input_status, block.input_json) == ("invalid", text)
    # What would count as no input at all stays text, so that it is read back to the same status.
    assert block.to_dict()["input"] == ({"$incomplete_json": text} if text == "null" else json.loads(text))
    assert type(block)(block.to_dict()).input_status == "invalid"
    with pytest.raises(LocalProtocolError, match="ToolLoop does"):
        block.to_param()


def test_a_value_means_what_json_loads_says() -> None:
    assert ended('{"a": 1e999, "b": 1.0000000000000000001, "c": 1, "c": 2}').input == {"a": math.inf, "b": 1.0, "c": 2}
    block = ended('{"a": "\\ud800"}')
    assert block.input == {"a": "\ud800"}
    assert block.to_param()["input"] == {"a": "\ufffd"}


def test_depth() -> None:
    assert ended('{"a":' + "[" * 4 + "]" * 4 + "}", depth=5).input == {"a": [[[[]]]]}
    block = arriving("[" * 6 + "]" * 6, depth=5)
    with pytest.raises(LimitError) as caught:
        block._end_input()
    assert (caught.value.limit, caught.value.value) == ("depth", 5)
    assert block.input_status == "invalid"
    deep = arriving("[" * 600, depth=1_000)
    assert deep.input_status == "partial"


def test_ending_twice_or_what_never_began_changes_nothing() -> None:
    block = ended('{"a": 1}')
    block._end_input()
    assert block.input == {"a": 1}
    whole = ToolUseBlock({"type": "tool_use", "input": {"b": 2}})
    whole._end_input()
    assert whole.input == {"b": 2}


@pytest.mark.parametrize(
    "value",
    [
        {"$incomplete_json": 5},
        {"$incomplete_json": None},
        {"$incomplete_json": "x", "more": 1},
        {},
    ],
)
def test_what_only_looks_like_the_mark_is_an_input(value: Any) -> None:
    block = ToolUseBlock({"type": "tool_use", "input": value})
    assert block.input_status == "complete"
    assert block.input == value


@pytest.mark.parametrize("value", [[], "$incomplete_json", 5, False, True])
def test_a_value_that_is_no_object_is_invalid(value: Any) -> None:
    block = ToolUseBlock({"type": "tool_use", "input": value})
    assert (block.input_status, block.partial_input, block.input_json) == ("invalid", value, "")
    assert block.to_dict()["input"] == value


@pytest.mark.parametrize("raw", [{}, {"input": None}, {"input": ""}])
def test_nothing_is_no_arguments(raw: dict[str, Any]) -> None:
    block = ToolUseBlock({"type": "tool_use", "id": "t", "name": "n", **raw})
    assert (block.input_status, block.input) == ("complete", {})
    assert block.to_param()["input"] == {}
    assert block.to_dict() == {"type": "tool_use", "id": "t", "name": "n", **raw}


def test_the_mark_is_put_at_the_end_where_there_was_no_input() -> None:
    block = ToolUseBlock({"type": "tool_use", "id": "t"})
    block = block._growing()
    assert list(block.to_dict()) == ["type", "id", "input"]


def test_the_parser_of_an_input_that_came_whole_has_read_it() -> None:
    block = ToolUseBlock({"type": "tool_use", "input": {"a": "é", "b": [1, None]}})
    parser = block._input_parser()
    assert parser.value == {"a": "é", "b": [1, None]}
    assert parser.status == "complete"
    assert block._input_parser() is parser
    assert block.input == {"a": "é", "b": [1, None]}
    assert block.input_status == "complete"


@pytest.mark.parametrize("block", [arriving('{"a": 1, "b'), ended('{"a": 1}'), ended('{"a"'), ended("{]")])
def test_blocks_can_be_copied_and_pickled(block: ToolUseBlock) -> None:
    for twin in (copy.deepcopy(block), pickle.loads(pickle.dumps(block))):
        assert twin == block
        assert (twin.input_status, twin.input_json) == (block.input_status, block.input_json)
        assert twin.partial_input == block.partial_input


@given(strategies.tool_inputs(), st.booleans(), st.integers(0, 40))
def test_an_input_cut_anywhere_is_only_complete_when_whole(value: dict[str, Any], ascii_json: bool, cut: int) -> None:
    text = json.dumps(value, ensure_ascii=ascii_json)
    assert ended(text[:cut], text[cut:]).input == value
    if 0 < cut < len(text):
        assert_not_runnable(ended(text[:cut]), text[:cut], "partial")


def test_the_parser_is_imported_when_it_is_needed() -> None:
    code = (
        "import sys\n"
        "from sansio_claude._message.tool_blocks import ToolUseBlock\n"
        "assert 'sansio_claude._partial_json.parser' not in sys.modules\n"
        "block = ToolUseBlock({'type': 'tool_use', 'input': {'$incomplete_json': '[1'}})\n"
        "assert block.partial_input == [1], block.partial_input\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("reason", ["tool_use", "max_tokens", "refusal", None])
@pytest.mark.parametrize("inner", ["x", "", '{"a": 1}', "[1]", '{"a'])
def test_a_whole_input_that_looks_like_the_mark_of_another_stays_whole(inner: str, reason: str | None) -> None:
    stream = MessageStream()
    text = json.dumps({"$incomplete_json": inner})
    changes = [message_delta({"stop_reason": reason}), END]
    stream.receive_data(body(START, *block(TOOL, {"type": "input_json_delta", "partial_json": text}), *changes))
    message = stream.finish()
    for again in (message, Message.from_dict(message.to_dict()), pickle.loads(pickle.dumps(message))):
        (called,) = again.content
        assert isinstance(called, ToolUseBlock)
        assert (called.input_status, called.input) == ("complete", {"$incomplete_json": inner})
        assert called.to_param()["input"] == {"$incomplete_json": inner}
        assert again.to_dict() == message.to_dict()
    again = Message.from_dict(message.to_dict())
    changed = again.to_dict()
    changed["content"][0]["input"] = {"a": 1}
    (called,) = Message.from_dict(changed).content
    assert isinstance(called, ToolUseBlock)
    assert called.partial_input == {"a": 1}
