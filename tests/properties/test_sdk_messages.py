"""What a stream comes to here and in the official SDK: the same message, but for the differences listed with reasons.

The accumulation of the SDK is given the JSON of the same events; its parsed-output field is its own and left out.
"""

from __future__ import annotations

import json
import warnings
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sansio_claude import MessageStream
from sansio_claude._stream.sse import SSEDecoder
from sansio_claude.testing import compose
from tests import strategies

pytest.importorskip("anthropic")

from anthropic.lib.streaming import _messages as official

# What the SDK of the time makes of a block, and why it is otherwise here.
DIFFERENCES: Final[dict[str, tuple[dict[str, Any], dict[str, Any], str]]] = {
    "an input that was cut": (
        {"type": "tool_use", "id": "t", "name": "n", "input": {"$incomplete_json": '{"path": "/et'}},
        {"input": {}},
        "an input that is not whole must not look like one: what came is kept as text and marked",
    ),
    "an input of an mcp_tool_use": (
        {"type": "mcp_tool_use", "id": "t", "name": "n", "server_name": "s", "input": {"a": 1}},
        {"input": {}},
        "the SDK's stable namespace reads no MCP blocks, only its beta namespace does; here they are read everywhere",
    ),
    "the text of a compaction": (
        {"type": "compaction", "content": "summary"},
        {"content": None},
        "the SDK's stable namespace leaves out compaction_delta; here nothing that came is lost",
    ),
}
_KINDS: Final = ("text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "web_search_tool_result")
_COUNTERS: Final = (
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "server_tool_use",
)


def by_the_sdk(body: bytes) -> dict[str, Any]:
    decoder = SSEDecoder()
    decoder.receive_data(body)
    snapshot: Any = None
    inputs: dict[int, bytes] = {}
    for sse in decoder.events_received():
        event: Any = json.loads(sse.raw)
        if event["type"] != "ping":
            snapshot = official.accumulate_event(event=event, current_snapshot=snapshot, json_bufs=inputs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydantic's, about kinds of blocks that the SDK has no class for
        found: dict[str, Any] = snapshot.to_dict()
    return found


def by_us(body: bytes) -> dict[str, Any]:
    stream = MessageStream()
    stream.receive_data(body)
    return stream.finish().to_dict()


def usual(block: dict[str, Any]) -> bool:
    return block["type"] in _KINDS


@settings(max_examples=40)
@given(
    st.lists(strategies.blocks().filter(usual), max_size=4),
    st.sampled_from(["end_turn", "tool_use", "max_tokens", "stop_sequence", "pause_turn", "refusal", None]),
    st.integers(0, 99),
)
def test_a_message_is_that_of_the_sdk(content: list[dict[str, Any]], reason: Any, seed: int) -> None:
    body = compose(content, seed=seed, stop_reason=reason).data
    ours, theirs = by_us(body), by_the_sdk(body)
    assert ours["content"] == theirs["content"]
    for key in ("id", "type", "role", "model", "stop_reason", "stop_sequence"):
        assert ours.get(key) == theirs.get(key), key
    for key in _COUNTERS:
        assert ours["usage"].get(key) == theirs["usage"].get(key), key


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_difference_from_the_sdk(name: str) -> None:
    block, theirs, reason = DIFFERENCES[name]
    body = compose([block], seed=1).data
    assert by_us(body)["content"] == [block], reason
    assert by_the_sdk(body)["content"] == [{**block, **theirs}], "the SDK has changed: look at the difference again"


def test_differences_of_the_message_itself() -> None:
    switch = {"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}}
    body = compose([switch], seed=1).data
    # The model that answered in the end; the SDK keeps that of message_start.
    assert by_us(body)["model"] == "b" != by_the_sdk(body)["model"]
    body = compose("Hi", seed=1, usage={"output_tokens": 2, "x_new": 7}).data
    # Every counter of the last usage; the SDK takes those that it knows.
    assert by_us(body)["usage"]["x_new"] == 7
    assert "x_new" not in by_the_sdk(body)["usage"]
