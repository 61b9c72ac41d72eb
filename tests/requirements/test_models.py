"""Requirements B: models, problems named before sending, migration from Claude 3.7. One test for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sansio_claude import MessageRequest, assistant, model_info, tool_result, user

TOOL = {"name": "get", "description": "Gets the thing.", "input_schema": {"type": "object"}}


def problems(**changes: Any) -> set[tuple[str, str]]:
    base: dict[str, Any] = {"model": "claude-haiku-4-5", "max_tokens": 4000, "messages": [user("hi")]}
    return {(problem.severity, problem.path) for problem in MessageRequest(**{**base, **changes}).check()}


def test_B1_the_table_can_be_asked() -> None:
    info = model_info("claude-sonnet-4-5")
    assert info is not None
    assert (info.id, info.context_window, info.max_output_tokens) == ("claude-sonnet-4-5-20250929", 200_000, 64_000)
    assert info.training_cutoff == "2025-07"
    assert model_info("claude-of-another-time") is None
    assert MessageRequest(model="claude-of-another-time", max_tokens=10**9, messages=[user("hi")]).check() == []


MANUAL = {"type": "enabled", "budget_tokens": 2000}


@pytest.mark.parametrize(
    ("changes", "severity", "path"),
    [
        ({"max_tokens": 64_001}, "error", "max_tokens"),
        ({"thinking": {"type": "enabled", "budget_tokens": 4000}}, "error", "thinking.budget_tokens"),
        ({"model": "claude-opus-4-7", "thinking": MANUAL}, "error", "thinking.type"),
        ({"model": "claude-opus-4-6", "thinking": MANUAL}, "warning", "thinking.type"),
        ({"thinking": MANUAL, "tools": [TOOL], "tool_choice": {"type": "any"}}, "error", "tool_choice.type"),
        (
            {"thinking": MANUAL, "tools": [TOOL], "tool_choice": {"type": "tool", "name": "get"}},
            "error",
            "tool_choice.type",
        ),
        ({"thinking": MANUAL, "temperature": 0.5}, "error", "temperature"),
        ({"betas": ["output-128k-2025-02-19"]}, "warning", "betas"),
        ({"betas": ["token-efficient-tools-2025-02-19"]}, "warning", "betas"),
        ({"model": "claude-opus-4-6", "betas": ["interleaved-thinking-2025-05-14"]}, "info", "betas"),
        ({"model": "claude-sonnet-4-6", "messages": [user("hi"), assistant("Well")]}, "error", "messages[1]"),
        ({"tools": [{**TOOL, "name": "get it"}]}, "error", "tools[0].name"),
        (
            {
                "messages": [
                    user({"type": "image", "source": {"type": "base64", "media_type": "image/bmp", "data": "Qk0="}})
                ]
            },
            "error",
            "messages[0].content[0].source.media_type",
        ),
        ({"tools": [{"type": "text_editor_20250124", "name": "str_replace_editor"}]}, "error", "tools[0].type"),
        (
            {
                "messages": [
                    user("hi"),
                    assistant({"type": "tool_use", "id": "t", "name": "get", "input": {}}),
                    user("so?"),
                ]
            },
            "error",
            "messages[1].content[0]",
        ),
        ({"messages": []}, "error", "messages"),
        ({"messages": [user("")]}, "error", "messages[0].content"),
        ({"tools": [{"name": "get", "input_schema": {"type": "object"}}]}, "warning", "tools[0].description"),
        ({"tools": [{**TOOL, "description": "Gets"}]}, "warning", "tools[0].description"),
        ({"model": "claude-sonnet-4-5"}, "warning", "model"),
        ({"model": "claude-opus-4-20250514"}, "error", "model"),
    ],
)
def test_B2_problems_are_named_before_anything_is_sent(changes: dict[str, Any], severity: str, path: str) -> None:
    assert (severity, path) in problems(**changes)


def test_B2_max_tokens_missing() -> None:
    assert MessageRequest(model="claude-opus-5-5", messages=[user("hi")]).check()[0].path == "max_tokens"


def test_B2_what_is_fine_is_not_named() -> None:
    assert problems() == set()
    assert problems(thinking=MANUAL, temperature=1, tools=[TOOL], tool_choice={"type": "auto"}) == set()
    waived = {"type": "enabled", "budget_tokens": 9000}
    assert problems(thinking=waived, betas=["interleaved-thinking-2025-05-14"]) == set()
    call = {"type": "tool_use", "id": "t", "name": "get", "input": {}}
    assert problems(messages=[user("hi"), assistant(call), user(tool_result("t", "5"))], tools=[TOOL]) == set()


def test_B2_nothing_is_changed_or_blocked() -> None:
    request = MessageRequest(model="claude-opus-4-20250514", messages=[], temperature=5)
    before = request.body()
    assert len(request.check()) >= 4
    assert request.body() == before


def test_B3_migration_from_3_7_to_4() -> None:
    old = MessageRequest(
        model="claude-3-7-sonnet-20250219",
        max_tokens=1024,
        messages=[user("hi")],
        tools=[{"type": "text_editor_20250124", "name": "str_replace_editor"}],
        betas=["token-efficient-tools-2025-02-19", "output-128k-2025-02-19"],
    )
    (model,) = old.check()
    assert model.path == "model"
    for words in ("claude-sonnet-4-6", "refusal", "flags", "text editor"):
        assert words in model.hint
    moved = {problem.path: problem for problem in old.replace(model="claude-sonnet-4-6").check()}
    assert set(moved) == {"betas", "", "tools[0].type"}
    assert moved["betas"].hint == "remove it"
    assert "refusal" in moved[""].hint
    assert "str_replace_based_edit_tool" in moved["tools[0].type"].hint
    page = Path(__file__).parents[2].joinpath("docs/migration/claude_3_7_to_4.md").read_text("utf-8")
    for words in ("claude-3-7-sonnet-20250219", "refusal", "output-128k-2025-02-19", "str_replace_based_edit_tool"):
        assert words in page
