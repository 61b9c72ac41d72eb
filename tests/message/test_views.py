"""Views of an answer's parts: every name of the API's, and nothing that the peer sends makes one raise."""

from __future__ import annotations

import copy
import functools
import json
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sansio_claude import Message
from sansio_claude._message import views
from sansio_claude._message.blocks import (
    CompactionBlock,
    FallbackBlock,
    TextBlock,
    ToolResultBlock,
    WebSearchToolResultBlock,
    block_from_dict,
)
from sansio_claude._message.view import Field, Nested, NestedList, View
from tests import strategies

VIEWS: list[type[View]] = [getattr(views, name) for name in views.__all__]
ATTRIBUTES = (Field, Nested, NestedList)
KEYS = sorted({name for view in VIEWS for name, value in vars(view).items() if isinstance(value, ATTRIBUTES)})
ODD: list[Any] = [None, True, 0, -1, 10**30, 1.5, float("inf"), "", "é", "2026-02-30", [], [[]], {}, {"type": None}]
RAW = st.dictionaries(
    st.sampled_from(KEYS),
    strategies.json_values() | st.lists(st.dictionaries(st.sampled_from(KEYS), strategies.json_values(3))),
)


@functools.cache
def names_of(view: type[View]) -> list[str]:
    """What a kind of view has beside what any dict has."""
    return [name for name in dir(view) if not name.startswith("_") and name not in dir(dict)]


def read_all(view: Any) -> None:
    """Read every attribute of a view, and of the views in it."""
    kind: Any = type(view)
    for name in names_of(kind):
        value = getattr(view, name)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, View):
                read_all(item)


def test_usage() -> None:
    usage = Message.from_dict(
        {
            "content": [],
            "usage": {
                "speed": "fast",
                "inference_geo": "us",
                "service_tier": "priority",
                "cache_creation": {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 7},
                "server_tool_use": {"web_search_requests": 2},
                "output_tokens_details": {"thinking_tokens": 9},
                "fallback_credit": {
                    "status": {"type": "not_applied", "reason": "body_mismatch", "remove_to_redeem": []}
                },
                "iterations": [{"type": "compaction", "input_tokens": 3}, None, {"type": "one_to_come", "model": "m"}],
            },
        }
    ).usage
    assert (usage.speed, usage.inference_geo, usage.service_tier) == ("fast", "us", "priority")
    assert usage.cache_creation is not None
    assert (usage.cache_creation.ephemeral_5m_input_tokens, usage.cache_creation.ephemeral_1h_input_tokens) == (5, 7)
    assert usage.server_tool_use is not None
    assert (usage.server_tool_use.web_search_requests, usage.server_tool_use.web_fetch_requests) == (2, None)
    assert usage.output_tokens_details == {"thinking_tokens": 9}
    assert usage.fallback_credit is not None
    assert usage.fallback_credit.status is not None
    assert usage.fallback_credit.status.reason == "body_mismatch"
    assert usage.iterations is not None
    assert [(each.type, each.input_tokens, each.model) for each in usage.iterations] == [
        ("compaction", 3, None),
        ("one_to_come", None, "m"),
    ]


def test_the_message() -> None:
    message = Message.from_dict(
        {
            "content": [],
            "stop_details": {"type": "refusal", "category": "cyber", "fallback_has_prefill_claim": False},
            "container": {"id": "c", "expires_at": "2026-11-28T12:00:00Z", "skills": [{"skill_id": "s", "new": 1}]},
            "context_management": {"applied_edits": [{"type": "clear_thinking_20251015", "cleared_thinking_turns": 2}]},
            "diagnostics": {"cache_miss_reason": {"type": "tools_changed", "cache_missed_input_tokens": 40}},
            "input_transformations": [{"type": "thinking_dropped", "reason": "model_binding_mismatch", "path": "p"}],
        }
    )
    assert message.stop_details is not None
    assert (message.stop_details.category, message.stop_details.fallback_has_prefill_claim) == ("cyber", False)
    assert message.container is not None
    assert message.container.id == "c"
    (skill,) = message.container.skills
    assert (skill.skill_id, skill["new"]) == ("s", 1)
    assert message.context_management is not None
    assert message.context_management.applied_edits[0].cleared_thinking_turns == 2
    assert message.diagnostics is not None
    assert message.diagnostics.cache_miss_reason is not None
    assert message.diagnostics.cache_miss_reason.cache_missed_input_tokens == 40
    assert message.input_transformations[0].reason == "model_binding_mismatch"
    empty = Message.from_dict({"content": []})
    assert (empty.stop_details, empty.container, empty.diagnostics, empty.input_transformations) == (
        None,
        None,
        None,
        [],
    )


def test_blocks() -> None:
    found = block_from_dict(
        {
            "type": "web_search_tool_result",
            "tool_use_id": "srvtoolu_1",
            "caller": {"type": "code_execution_20260120", "tool_id": "t"},
            "content": [{"type": "web_search_result", "url": "u", "title": "t", "page_age": None}],
        }
    )
    assert isinstance(found, WebSearchToolResultBlock)
    assert found.caller is not None
    assert found.caller.tool_id == "t"
    assert [(each.type, each.url, each.page_age) for each in found.results] == [("web_search_result", "u", None)]
    assert found.error_code is None
    failed = block_from_dict(
        {
            "type": "bash_code_execution_tool_result",
            "tool_use_id": "srvtoolu_1",
            "content": {"type": "bash_code_execution_tool_result_error", "error_code": "unavailable"},
        }
    )
    assert isinstance(failed, ToolResultBlock)
    assert (failed.error_code, failed.results) == ("unavailable", [])
    ran = block_from_dict(
        {
            "type": "code_execution_tool_result",
            "tool_use_id": "srvtoolu_1",
            "content": {
                "type": "code_execution_result",
                "stdout": "1",
                "return_code": 0,
                "content": [{"file_id": "f"}],
            },
        }
    )
    assert isinstance(ran, ToolResultBlock)
    (result,) = ran.results
    assert (result.stdout, result.return_code, [each.file_id for each in result.files]) == ("1", 0, ["f"])
    cited = block_from_dict(
        {"type": "text", "text": "x", "citations": [{"type": "page_location", "start_page_number": 3}]}
    )
    assert isinstance(cited, TextBlock)
    assert cited.citations is not None
    assert cited.citations[0].start_page_number == 3
    fallback = block_from_dict({"type": "fallback", "trigger": {"type": "refusal", "category": "bio"}})
    assert isinstance(fallback, FallbackBlock)
    assert fallback.trigger == {"type": "refusal", "category": "bio"}
    compaction = block_from_dict(
        {"type": "compaction", "content": "s", "signature": "x", "tool_changes": [{"a": 1}, 2]}
    )
    assert isinstance(compaction, CompactionBlock)
    assert (compaction.signature, compaction.tool_changes) == ("x", [{"a": 1}])


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_a_dict_and_can_be_copied(view: type[View]) -> None:
    made = view({"type": "x", "new": [1]})
    for twin in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert (type(twin), twin) == (view, {"type": "x", "new": [1]})
    assert json.loads(json.dumps(made)) == made
    assert repr(made) == f"{view.__name__}({dict(made)!r})"


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_no_value_of_any_key_makes_a_view_raise(odd: Any) -> None:
    for view in VIEWS:
        for key in KEYS:
            read_all(view({key: odd}))
            read_all(view({key: [odd, {key: odd}]}))
            read_all(view({key: {key: odd, "type": odd}, "type": odd}))


@pytest.mark.parametrize("view", VIEWS)
@settings(max_examples=25)
@given(raw=RAW)
def test_nothing_that_comes_makes_a_view_raise(view: type[View], raw: dict[str, Any]) -> None:
    read_all(view(raw))


@given(
    st.dictionaries(
        st.sampled_from(
            ["stop_details", "container", "context_management", "diagnostics", "input_transformations", "usage"]
        ),
        strategies.json_values(),
    )
)
def test_nothing_that_comes_makes_a_message_raise(raw: dict[str, Any]) -> None:
    message = Message.from_dict({"content": [], **raw})
    read_all(message.usage)
    for name in ("stop_details", "container", "context_management", "diagnostics", "input_transformations"):
        read_all(getattr(message, name))
    assert message.to_dict() == {"content": [], **raw}
