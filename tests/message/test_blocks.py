"""Every kind of content block: its class, its typed view, what is refused, and that nothing is lost."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given

from sansio_claude._errors import RemoteProtocolError
from sansio_claude._message import blocks as _blocks
from sansio_claude._message.blocks import (
    AdvisorToolResultBlock,
    BashCodeExecutionToolResultBlock,
    CodeExecutionToolResultBlock,
    CompactionBlock,
    ContainerUploadBlock,
    ContentBlock,
    FallbackBlock,
    MCPToolListingBlock,
    MCPToolResultBlock,
    MCPToolUseBlock,
    RedactedThinkingBlock,
    ServerToolUseBlock,
    TextBlock,
    TextEditorCodeExecutionToolResultBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolSearchToolResultBlock,
    ToolUseBlock,
    UnknownBlock,
    WebFetchToolResultBlock,
    WebSearchToolResultBlock,
    block_from_dict,
)
from tests import strategies
from tests.reference import STRING_KEYS

CLASSES: dict[str, type] = {
    "text": TextBlock,
    "thinking": ThinkingBlock,
    "redacted_thinking": RedactedThinkingBlock,
    "tool_use": ToolUseBlock,
    "server_tool_use": ServerToolUseBlock,
    "mcp_tool_use": MCPToolUseBlock,
    "web_search_tool_result": WebSearchToolResultBlock,
    "web_fetch_tool_result": WebFetchToolResultBlock,
    "code_execution_tool_result": CodeExecutionToolResultBlock,
    "bash_code_execution_tool_result": BashCodeExecutionToolResultBlock,
    "text_editor_code_execution_tool_result": TextEditorCodeExecutionToolResultBlock,
    "tool_search_tool_result": ToolSearchToolResultBlock,
    "advisor_tool_result": AdvisorToolResultBlock,
    "mcp_tool_result": MCPToolResultBlock,
    "mcp_tool_listing": MCPToolListingBlock,
    "container_upload": ContainerUploadBlock,
    "compaction": CompactionBlock,
    "fallback": FallbackBlock,
    "hologram": UnknownBlock,
}
RESULTS = [kind for kind in CLASSES if kind.endswith("tool_result")]


def test_the_union_is_closed_and_every_class_public() -> None:
    assert set(get_args(ContentBlock)) == set(CLASSES.values())
    assert all(name in vars(_blocks) for name in _blocks.__all__)
    assert {cls.__name__ for cls in CLASSES.values()} <= set(_blocks.__all__)


@pytest.mark.parametrize("kind", CLASSES)
def test_each_type_has_its_class_and_keeps_its_type(kind: str) -> None:
    block = block_from_dict({"type": kind})
    assert type(block) is CLASSES[kind]
    assert block.type == kind
    assert block.to_dict() == {"type": kind}
    if kind != "hologram":
        assert type(block)._type_name == kind


@given(strategies.blocks())
def test_nothing_is_lost_and_keys_keep_their_order(raw: dict[str, Any]) -> None:
    expected = repr(raw)
    block = block_from_dict(raw)
    assert repr(block.to_dict()) == expected
    assert repr(block.to_param()) == expected
    assert block_from_dict(block.to_dict()) == block


def test_text() -> None:
    block = block_from_dict({"type": "text", "text": "hi", "citations": [{"type": "char_location"}]})
    assert isinstance(block, TextBlock)
    assert block.text == "hi"
    assert block.citations == [{"type": "char_location"}]
    for bare in ({"type": "text"}, {"type": "text", "citations": None}):
        empty = block_from_dict(bare)
        assert isinstance(empty, TextBlock)
        assert empty.text == ""
        assert empty.citations is None


def test_thinking() -> None:
    block = block_from_dict({"type": "thinking", "thinking": "hm", "signature": "sig=="})
    assert isinstance(block, ThinkingBlock)
    assert (block.thinking, block.signature) == ("hm", "sig==")
    omitted = block_from_dict({"type": "thinking", "thinking": "", "signature": "sig=="})
    assert omitted.to_param() == {"type": "thinking", "thinking": "", "signature": "sig=="}
    bare = block_from_dict({"type": "thinking"})
    assert isinstance(bare, ThinkingBlock)
    assert (bare.thinking, bare.signature) == ("", "")


def test_redacted_thinking() -> None:
    block = block_from_dict({"type": "redacted_thinking", "data": "opaque"})
    assert isinstance(block, RedactedThinkingBlock)
    assert block.data == "opaque"


@pytest.mark.parametrize("kind", RESULTS)
def test_results(kind: str) -> None:
    raw = {"type": kind, "tool_use_id": "t", "content": {"error_code": "x"}, "caller": {"type": "direct"}}
    block = block_from_dict(raw)
    assert isinstance(block, ToolResultBlock)
    assert (block.tool_use_id, block.content, block.caller) == ("t", {"error_code": "x"}, {"type": "direct"})
    bare = block_from_dict({"type": kind})
    assert isinstance(bare, ToolResultBlock)
    assert (bare.tool_use_id, bare.content, bare.caller) == ("", None, None)


def test_mcp_results() -> None:
    for given_value, expected in ((True, True), (False, False), (None, False), (1, False)):
        block = block_from_dict({"type": "mcp_tool_result", "content": "text", "is_error": given_value})
        assert isinstance(block, MCPToolResultBlock)
        assert block.is_error is expected
        assert block.content == "text"


def test_mcp_listings() -> None:
    tools: list[dict[str, Any]] = [{"name": "n", "description": None, "input_schema": {}}]
    block = block_from_dict({"type": "mcp_tool_listing", "mcp_server_name": "s", "tools": tools})
    assert isinstance(block, MCPToolListingBlock)
    assert (block.mcp_server_name, block.tools) == ("s", tools)
    odd = block_from_dict({"type": "mcp_tool_listing", "tools": None})
    assert isinstance(odd, MCPToolListingBlock)
    assert (odd.mcp_server_name, odd.tools) == ("", [])


def test_container_uploads() -> None:
    block = block_from_dict({"type": "container_upload", "file_id": "file_1"})
    assert isinstance(block, ContainerUploadBlock)
    assert block.file_id == "file_1"


def test_compactions() -> None:
    block = block_from_dict({"type": "compaction", "content": "summary", "encrypted_content": "opaque"})
    assert isinstance(block, CompactionBlock)
    assert (block.content, block.encrypted_content) == ("summary", "opaque")
    failed = block_from_dict({"type": "compaction", "content": None})
    assert isinstance(failed, CompactionBlock)
    assert (failed.content, failed.encrypted_content) == (None, None)


def test_fallbacks() -> None:
    block = block_from_dict({"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}})
    assert isinstance(block, FallbackBlock)
    assert (block.from_model, block.to_model) == ("a", "b")
    for odd in (None, "x", {}, {"model": None}, {"model": 5}):
        block = block_from_dict({"type": "fallback", "from": odd, "to": odd})
        assert isinstance(block, FallbackBlock)
        assert (block.from_model, block.to_model) == (None, None)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (None, "a content block is null, not an object"),
        ([], "a content block is a list, not an object"),
        ("text", "a content block is a string, not an object"),
        ({}, "a content block's type is null, not a string"),
        ({"type": 5}, "a content block's type is a number, not a string"),
        ({"type": "text", "text": "t", "citations": "x"}, "citations of a text block is a string, not a list"),
        ({"type": "text", "text": "t", "citations": {}}, "citations of a text block is an object, not a list"),
    ],
)
def test_what_cannot_be_a_block_is_refused(raw: Any, words: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        block_from_dict(raw)
    assert str(caught.value) == words
    assert caught.value.stage == "blocks"


@pytest.mark.parametrize(("kind", "key"), [(kind, key) for kind, keys in STRING_KEYS.items() for key in keys])
def test_a_known_string_must_be_one(kind: str, key: str) -> None:
    assert block_from_dict({"type": kind, key: ""}).to_dict() == {"type": kind, key: ""}
    assert block_from_dict({"type": kind, key: None}).to_dict() == {"type": kind, key: None}
    assert getattr(block_from_dict({"type": kind, key: None}), key) == ""
    for odd, words in ((5, "a number"), ([], "a list")):
        with pytest.raises(RemoteProtocolError) as caught:
            block_from_dict({"type": kind, key: odd})
        assert str(caught.value) == f"{key} of a {kind} block is {words}, not a string"
        assert caught.value.stage == "blocks"


def test_citations_of_another_block_are_not_looked_at() -> None:
    assert block_from_dict({"type": "hologram", "citations": 5}).to_dict() == {"type": "hologram", "citations": 5}


def test_a_text_block_feeds_its_mirror_while_there_is_one() -> None:
    block = TextBlock({"type": "text", "text": ""})
    block._append("a")
    from sansio_claude._partial_json.parser import PartialJSON

    block._as_json = PartialJSON()
    block._append("[1]")
    assert block._as_json.text == "[1]"
    assert block.text == "a[1]"


def test_what_goes_back_has_no_half_character() -> None:
    for key, kind in (("text", "text"), ("thinking", "thinking")):
        block = block_from_dict({"type": kind, key: "a\ud800"})
        assert block.to_dict()[key] == "a\ud800"
        assert block.to_param()[key] == "a\ufffd"
