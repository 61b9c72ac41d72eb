"""What the model is answered with, whatever a tool returns or raises (E4)."""

from __future__ import annotations

import collections
import dataclasses
import ipaddress
import math
import pathlib
import types
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude._errors import ToolError
from sansio_claude._json import dumps, loads
from sansio_claude._message.blocks import TextBlock
from sansio_claude._message.message import Message
from sansio_claude.tools import RunTools, ToolLoop, ToolResult, tool
from sansio_claude.tools._result import LONGEST_RESULT

TEXT = {"type": "text", "text": "hello"}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}


@dataclasses.dataclass
class Point:
    x: int
    y: int


@dataclasses.dataclass
class Named:
    name: str


class Model(pydantic.BaseModel):
    name: str


class Broken(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ("text", "text"),
        ("", ""),
        (None, None),
        (3, "3"),
        (1.5, "1.5"),
        (True, "true"),
        ({"a": [1, None]}, '{"a":[1,null]}'),
        ([1, 2], "[1,2]"),
        ([], "[]"),
        (Point(1, 2), '{"x":1,"y":2}'),
        ({1: Point(1, 2)}, '{"1":{"x":1,"y":2}}'),
        ([TEXT, IMAGE], [TEXT, IMAGE]),
        ((TEXT,), [TEXT]),
        # A picture is a picture wherever it stands in a list, and the rest of the list is words beside it.
        (IMAGE, [IMAGE]),
        (["The chart:", IMAGE], [{"type": "text", "text": "The chart:"}, IMAGE]),
        ((IMAGE, {"rows": 3}, 5), [IMAGE, {"type": "text", "text": '{"rows":3}'}, {"type": "text", "text": "5"}]),
        (["", IMAGE], [IMAGE]),
        (["see", TEXT], [{"type": "text", "text": "see"}, TEXT]),
        (["a", "b"], '["a","b"]'),
        # What only looks like a block is data.
        ({"type": "image", "source": "camera 3"}, '{"type":"image","source":"camera 3"}'),
        ({**IMAGE, "camera": 3}, dumps({**IMAGE, "camera": 3}).decode()),
        ({"type": "image", "source": {"type": "base64"}}, '{"type":"image","source":{"type":"base64"}}'),
        ([{"type": "text", "text": 5}], '[{"type":"text","text":5}]'),
        ([{"type": "text", "text": "a", "line": 1}], '[{"type":"text","text":"a","line":1}]'),
        ([{"type": "search_result", "content": []}], '[{"type":"search_result","content":[]}]'),
        ([{"type": ["text"], "text": "a"}], '[{"type":["text"],"text":"a"}]'),
        (Model(name="Ada"), '{"name":"Ada"}'),
        ([Model(name="Ada")], '[{"name":"Ada"}]'),
        ({"at": pathlib.PurePosixPath("/tmp")}, '{"at":"/tmp"}'),
        (collections.deque([1]), "[1]"),
        ({"a": 1}.keys(), '["a"]'),
        (types.MappingProxyType({"a": 1}), '{"a":1}'),
        (ipaddress.ip_address("::1"), '"::1"'),
        ({"\ud800": ["\udfff"]}, '{"\ufffd":["\ufffd"]}'),
        (Named("\ud800"), '{"name":"\ufffd"}'),
        ([TextBlock(dict(TEXT))], [TEXT]),
        (TextBlock(dict(TEXT)), [TEXT]),
        # Data that happens to have a type is data.
        (TEXT, '{"type":"text","text":"hello"}'),
        ([{"type": "document", "name": "x"}], '[{"type":"document","name":"x"}]'),
        ([TEXT, {"type": "invoice"}], '[{"type":"text","text":"hello"},{"type":"invoice"}]'),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ([{"type": "text", "text": "\udfff"}], [{"type": "text", "text": "\ufffd"}]),
        (
            [{"type": "text", "text": "x", "citations": ["\udfff", {"start": 1}]}],
            [{"type": "text", "text": "x", "citations": ["\ufffd", {"start": 1}]}],
        ),
    ],
    ids=repr,
)
def test_values_become_content(value: Any, content: Any) -> None:
    assert ToolResult.of(value) == ToolResult(content)


SAME_KEYS = dict.fromkeys(["\ud800", "\udfff"], 1)


@pytest.mark.parametrize("value", [object(), math.nan, {"a": math.inf}, [object()], print, Model, SAME_KEYS])
def test_a_value_that_json_has_no_word_for_is_an_error_result(value: Any) -> None:
    result = ToolResult.of(value)
    assert result.is_error
    assert str(result.content).startswith(
        ("Error: The tool ran, but its result, a ", "Error: The tool ran, but its result, an ")
    )


def test_a_result_stays_what_it_is() -> None:
    made = ToolResult([dict(TEXT)], is_error=True, cache_control={"type": "ephemeral"})
    assert ToolResult.of(made) == made
    assert ToolResult.of(ToolResult("\ud800")) == ToolResult("\ufffd")
    assert ToolResult.of(ToolResult([{"type": "text", "text": object()}])).is_error


def test_the_block() -> None:
    assert ToolResult().to_block("a") == {"type": "tool_result", "tool_use_id": "a"}
    assert ToolResult("x", is_error=True, cache_control={"type": "ephemeral"}).to_block(
        "a", toolset_name="computer"
    ) == {
        "type": "tool_result",
        "tool_use_id": "a",
        "content": "x",
        "is_error": True,
        "cache_control": {"type": "ephemeral"},
        "toolset_name": "computer",
    }


@pytest.mark.parametrize(
    ("error", "content"),
    [
        (ToolError("exactly this"), "exactly this"),
        (ToolError("shown to people", content=[dict(TEXT)]), [TEXT]),
        (ToolError(content={"code": 3}), '{"code":3}'),
        (
            ConnectionError("the weather service API is not available (HTTP 500)"),
            "ConnectionError: the weather service API is not available (HTTP 500)",
        ),
        (ValueError(), "ValueError"),
        (Broken(), "Broken"),
        (ValueError("\ud800"), "ValueError: \ufffd"),
        (ValueError("x" * 20_000), "ValueError: " + "x" * 9_988 + "..."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_E4_exceptions_become_error_results(error: BaseException, content: Any) -> None:
    assert ToolResult.of_error(error) == ToolResult(content, is_error=True)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=8,
    )
)
def test_any_json_value_gives_a_block_that_a_request_can_carry(value: Any) -> None:
    block = ToolResult.of(value).to_block("a")
    assert loads(dumps(block)) == block


def test_a_huge_result_is_cut_with_words() -> None:
    result = ToolResult.of("x" * 30, limit=10)
    assert result.content == (
        "xxxxxxxxxx\n[Cut here: the result has 30 characters, and only the first 10 are shown. Ask for less at a time.]"
    )
    assert len(str(ToolResult.of(list(range(1_000_000))).content)) < LONGEST_RESULT + 200
    assert ToolResult.of("x" * 30, limit=None).content == "x" * 30
    cut = ToolResult.of(["xxxx", IMAGE, "yyyy", "zzzz"], limit=6).content
    assert isinstance(cut, list)
    assert cut[0]["text"] == "xxxx"
    assert cut[1] == IMAGE
    assert cut[2]["text"].startswith("yy\n[Cut here: the result has 4 characters, and only the first 2")
    assert cut[3]["text"].startswith("\n[Cut here: the result has 4 characters, and only the first 0")


def test_the_limit_of_a_result_is_the_tools() -> None:
    @tool(longest_result=5)
    def read() -> str:
        """Read it."""
        return "123456789"

    loop = ToolLoop(tools=[read], model="m", max_tokens=9, messages=[{"role": "user", "content": "go"}])
    use = {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {}}
    loop.receive_message(
        Message.from_dict({"type": "message", "role": "assistant", "content": [use], "stop_reason": "tool_use"})
    )
    action = loop.next_action()
    assert isinstance(action, RunTools)
    loop.receive_result("toolu_1", action.calls[0].start())
    assert loop.history[-1]["content"][0]["content"].startswith("12345\n[Cut here")


PICTURE = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}


@pytest.mark.parametrize(
    "value", [{1: "a", "1": "b"}, [{"x": {1.5: 1, "1.5": 2}}], dict.fromkeys(["\ud800", "\udfff"])]
)
def test_keys_that_would_become_one_are_told(value: Any) -> None:
    result = ToolResult.of(value)
    assert result.is_error
    assert "two keys of one of its objects are the same text in JSON" in str(result.content)


@pytest.mark.parametrize("value", [{True: 1}, {None: 1}, {(1, 2): 1}, {math.inf: 1}])
def test_keys_that_json_does_not_have_are_told(value: Any) -> None:
    assert ToolResult.of(value).is_error


def test_numbers_as_keys_are_texts() -> None:
    assert ToolResult.of({1: "a", 2.5: "b", -3: {4: 5}}).content == '{"1":"a","2.5":"b","-3":{"4":5}}'


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (5, "5"),
        ({"a": 1}, '{"a":1}'),
        (["a", "b"], '["a","b"]'),
        (PICTURE, [PICTURE]),
        (("a", PICTURE), [{"type": "text", "text": "a"}, PICTURE]),
        (["a", PICTURE], [{"type": "text", "text": "a"}, PICTURE]),
        ([{"type": "new_block", "x": 1}], [{"type": "new_block", "x": 1}]),
        ("", ""),
        (None, None),
    ],
)
def test_a_result_of_ones_own_may_hold_what_a_tool_may_return(content: Any, expected: Any) -> None:
    assert ToolResult.of(ToolResult(content)) == ToolResult(expected)


@pytest.mark.parametrize("content", [None, "", [], [{"type": "text", "text": ""}]])
def test_an_error_is_never_without_content(content: Any) -> None:
    told = "Error: The tool failed and gave no reason."
    assert ToolResult.of(ToolResult(content, is_error=True)) == ToolResult(told, is_error=True)
    if content != []:  # as a value that is data
        assert ToolResult.of_error(ToolError("", content=content)) == ToolResult(told, is_error=True)

    @tool
    def save() -> None:
        """Save."""

    loop = ToolLoop(tools=[save], model="m", max_tokens=1, messages=[{"role": "user", "content": "x"}])
    loop.next_action()
    called = {"type": "tool_use", "id": "t", "name": "save", "input": {}}
    loop.receive_message(Message.from_dict({"content": [called], "stop_reason": "tool_use", "type": "message"}))
    assert isinstance(loop.next_action(), RunTools)
    loop.receive_result("t", content, is_error=True)
    assert loop.history[-1]["content"][0]["content"] == ("[]" if content == [] else told)
