"""What the model is answered with, whatever a tool returns or raises (E4)."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude._errors import ToolError
from sansio_claude._json import dumps, loads
from sansio_claude._message.blocks import TextBlock
from sansio_claude.tools import ToolResult

TEXT = {"type": "text", "text": "hello"}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}


@dataclasses.dataclass
class Point:
    x: int
    y: int


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


@pytest.mark.parametrize("value", [object(), math.nan, {"a": math.inf}, [object()], print])
def test_a_value_that_json_has_no_word_for_is_an_error_result(value: Any) -> None:
    result = ToolResult.of(value)
    assert result.is_error
    assert str(result.content).startswith("Error: The tool ran, but its result, a ")


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
