"""`request.check()`: each rule once on a request that breaks it and nothing else, and never a word about a good one."""

from __future__ import annotations

import base64
import copy
import json
import math
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude._check import messages as _rules_messages
from sansio_claude._check.check import Problem, check
from sansio_claude._media import image
from sansio_claude._models import KNOWN_MODELS
from sansio_claude._request.request import UNSET, MessageRequest
from sansio_claude._request.turns import assistant, tool_result, user
from tests.ground.test_media import PDF, gif, jpeg, png

TOOL = {"name": "get_weather", "description": "Tells the weather of a city.", "input_schema": {"type": "object"}}
EDITOR = {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"}
CALL = {"type": "tool_use", "id": "t1", "name": "get_weather", "input": {}}
INTERLEAVED = "interleaved-thinking-2025-05-14"


def request(**changes: Any) -> MessageRequest:
    base: dict[str, Any] = {"model": "claude-opus-5-5", "max_tokens": 1024, "messages": [user("hi")]}
    return MessageRequest(**{**base, **changes})


def enabled(budget: Any, **more: Any) -> dict[str, Any]:
    return {"type": "enabled", "budget_tokens": budget, **more}


def b64(data: bytes, media_type: str = "image/png") -> dict[str, Any]:
    return {
        "type": "image",
        "source": {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()},
    }


GOOD: list[dict[str, Any]] = [
    {},
    {"max_tokens": 0},
    {"model": "gateway-model-1", "max_tokens": 10**9, "temperature": 0.3},
    {"thinking": {"type": "adaptive", "display": "summarized"}, "tools": [TOOL], "tool_choice": {"type": "auto"}},
    {
        "thinking": {"type": "adaptive", "display": "updates"},
        "output_config": {"effort": "low"},
        "betas": ["thinking-display-updates-2026-08-18"],
    },
    {"model": "claude-sonnet-5-5", "thinking": {"type": "between_tools"}},
    {"model": "claude-haiku-5-5", "thinking": {"type": "disabled"}, "temperature": 1, "top_p": 0.99},
    {"model": "claude-haiku-4-5", "thinking": enabled(1024), "max_tokens": 1025, "temperature": 1, "top_p": 0.95},
    {"model": "claude-haiku-4-5", "thinking": enabled(9000), "betas": [INTERLEAVED]},
    {"model": "claude-haiku-4-5", "thinking": enabled(9000), "extra_headers": {"Anthropic-Beta": INTERLEAVED}},
    {"model": "unknown", "thinking": enabled(9000), "betas": [INTERLEAVED]},
    {"model": "claude-haiku-4-5", "temperature": 0.3, "top_k": 5},
    {"model": "claude-haiku-4-5", "max_tokens": 1, "messages": [user("A or B?"), assistant("The answer is (")]},
    {"model": "claude-haiku-4-5", "messages": [user("hi"), assistant("")]},
    {"model": "claude-haiku-4-5", "messages": [user("hi"), {"role": "assistant", "content": []}]},
    {
        "model": "claude-haiku-4-5",
        "messages": [
            user("hi"),
            assistant({"type": "thinking", "thinking": "", "signature": "c2ln"}, "so"),
            user("on"),
        ],
    },
    {
        "messages": [
            user("hi"),
            assistant({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}, "so "),
        ]
    },
    {"messages": [user("hi"), assistant("so")], "fallback_credit_token": "f", "betas": ["fallback-credit-2026-07-01"]},
    {"messages": [user("hi"), {"role": "system", "content": "be brief"}, user("go")]},
    {"tools": [TOOL, EDITOR, {"type": "web_search_20260318", "name": "web_search"}]},
    {
        "tools": [{"type": "mcp_toolset", "mcp_server_name": "m"}],
        "mcp_servers": [{"type": "url", "name": "m", "url": "https://m"}],
        "betas": ["mcp-client-2025-11-20"],
    },
    {"tools": [{**TOOL, "type": "custom", "input_examples": [{}]}], "tool_choice": {"type": "none"}},
    {"tools": [{**TOOL, "description": "Tells weather."}]},
    {"model": "claude-haiku-4-5", "tools": [TOOL], "tool_choice": {"type": "tool", "name": "get_weather"}},
    {"model": "claude-opus-5", "tools": [TOOL], "tool_choice": {"type": "any"}},
    {"mcp_servers": [{"name": "m"}], "betas": ["mcp-client-2025-11-20"], "tool_choice": {"type": "auto"}},
    {"tools": [{**EDITOR, "max_characters": 100}]},
    {"tools": [{"type": "text_editor_20990101", "name": "x", "max_characters": 5}], "model": "unknown"},
    {"messages": [user("w?"), assistant("I look", CALL), user(tool_result("t1", "15"), "and?")], "tools": [TOOL]},
    {
        "messages": [
            user("w?"),
            assistant(CALL),
            assistant({**CALL, "id": "t2"}),
            user(tool_result("t2")),
            {"role": "system", "content": "x"},
            user(tool_result("t1")),
            assistant("done"),
            user("thanks"),
        ]
    },
    {"messages": [user(image(png()), image(url="https://h"), image(file_id="f"), b64(gif(), "image/gif"))]},
    {"messages": [user("w?"), assistant(CALL), user(tool_result("t1", [image(jpeg(8000, 1)), "x"]))]},
    {"stop_sequences": ["\nHuman:"], "betas": ["context-1m-2025-08-07"], "model": "claude-opus-4-6"},
    {
        "context_management": {"edits": [{"type": "compact_20260112", "trigger": {"value": 50_000}}, {"type": "new"}]},
        "betas": ["compact-2026-01-12"],
    },
    {"context_management": {"edits": None}, "betas": ["context-management-2025-06-27"]},
    {"model": "claude-3-7-sonnet@20250219", "max_tokens": 128_000, "betas": ["output-128k-2025-02-19"]},
    {"system": None, "tools": None, "tool_choice": None, "thinking": None, "temperature": None},
    {"thinking": {"type": "adaptive", "display": None}},
    {"messages": [user({"type": "image", "source": {"type": "of a time to come"}})]},
]


@pytest.mark.parametrize("changes", GOOD, ids=[str(number) for number in range(len(GOOD))])
def test_nothing_is_said_of_a_good_request(changes: dict[str, Any]) -> None:
    found = request(**changes).check()
    if changes.get("model") == "claude-3-7-sonnet@20250219":  # its retirement aside
        found = found[1:]
    assert found == []


OLD = {"model": "claude-3-7-sonnet-20250219"}
BAD: list[tuple[dict[str, Any], str, str, str]] = [
    # model
    ({"model": UNSET}, "error", "model", "is missing"),
    ({"model": None}, "error", "model", "has to be the id"),
    ({"model": " "}, "error", "model", "has to be the id"),
    ({"model": "claude-opus-4-1"}, "error", "model", "Claude Opus 4.1 was retired on 2026-08-05"),
    ({"model": "claude-sonnet-4-5"}, "warning", "model", "deprecated and ends on 2026-11-30"),
    ({"model": "anthropic.claude-opus-4-1-20250805-v1:0"}, "warning", "model", "keep their own dates"),
    # max_tokens
    ({"max_tokens": UNSET}, "error", "max_tokens", "is missing"),
    ({"max_tokens": None}, "error", "max_tokens", "whole number"),
    ({"max_tokens": True}, "error", "max_tokens", "whole number"),
    ({"max_tokens": 1.0}, "error", "max_tokens", "whole number"),
    ({"max_tokens": -1}, "error", "max_tokens", "whole number"),
    ({"max_tokens": 128_001}, "error", "max_tokens", "max_tokens is 128001; Claude Opus 5.5 gives at most 128000"),
    ({"model": "claude-haiku-4-5", "max_tokens": 64_001}, "error", "max_tokens", "at most 64000"),
    # thinking
    ({"thinking": "adaptive"}, "error", "thinking", "object with a type"),
    ({"thinking": {"type": 5}}, "error", "thinking", "object with a type"),
    ({"thinking": {"type": "always" * 20}}, "warning", "thinking.type", "is not a known type"),
    (
        {"thinking": enabled(1024), "max_tokens": 2000},
        "error",
        "thinking.type",
        "Claude Opus 5.5 does not take thinking enabled",
    ),
    ({"thinking": {"type": "disabled"}}, "error", "thinking.type", "does not take thinking disabled"),
    (
        {"model": "claude-haiku-4-5", "thinking": {"type": "adaptive"}},
        "error",
        "thinking.type",
        "does not take thinking adaptive",
    ),
    (
        {"model": "claude-opus-4-6", "max_tokens": 2000, "thinking": enabled(1024)},
        "warning",
        "thinking.type",
        "deprecated",
    ),
    ({"model": "claude-haiku-4-5", "thinking": {"type": "enabled"}}, "error", "thinking.budget_tokens", "is missing"),
    ({"model": "claude-haiku-4-5", "thinking": enabled(None)}, "error", "thinking.budget_tokens", "whole number"),
    ({"model": "claude-haiku-4-5", "thinking": enabled(1023)}, "error", "thinking.budget_tokens", "the least is 1024"),
    (
        {"model": "claude-haiku-4-5", "thinking": enabled(1024)},
        "error",
        "thinking.budget_tokens",
        "less than max_tokens (1024)",
    ),
    ({"model": "unknown", "thinking": enabled(1024)}, "error", "thinking.budget_tokens", "less than max_tokens (1024)"),
    ({"thinking": {"type": "adaptive", "budget_tokens": 1}}, "error", "thinking.budget_tokens", "no meaning"),
    ({"thinking": {"type": "adaptive", "display": "all"}}, "error", "thinking.display", "summarized"),
    # sampling
    ({"temperature": "hot"}, "error", "temperature", "has to be a number"),
    ({"temperature": True}, "error", "temperature", "has to be a number"),
    ({"temperature": 0.5}, "error", "temperature", "at its default only"),
    ({"top_p": 0.5}, "error", "top_p", "at its default only"),
    ({"top_k": 5}, "error", "top_k", "at its default only"),
    ({"model": "unknown", "temperature": 1.5}, "error", "temperature", "from 0 to 1"),
    (
        {"model": "claude-haiku-4-5", "max_tokens": 2000, "thinking": enabled(1024), "temperature": 0.5},
        "error",
        "temperature",
        "has to be 1",
    ),
    (
        {"model": "claude-haiku-4-5", "max_tokens": 2000, "thinking": enabled(1024), "top_k": 5},
        "error",
        "top_k",
        "cannot be set",
    ),
    (
        {"model": "claude-haiku-4-5", "max_tokens": 2000, "thinking": enabled(1024), "top_p": 0.5},
        "error",
        "top_p",
        "0.95",
    ),
    # flags
    (
        {"betas": ["token-efficient-tools-2025-02-19"], "model": "claude-3-haiku-20240307"},
        "warning",
        "betas",
        "Sonnet 3.7 only",
    ),
    ({"betas": [INTERLEAVED], "model": "claude-opus-4-6"}, "info", "betas", "ignored on Claude Opus 4.6"),
    (
        {"betas": [INTERLEAVED], "model": "claude-sonnet-4-6", "thinking": {"type": "adaptive"}},
        "info",
        "betas",
        "is ignored",
    ),
    ({"betas": [INTERLEAVED]}, "info", "betas", "is ignored"),
    ({"betas": [INTERLEAVED], "model": "claude-3-haiku-20240307"}, "warning", "betas", "does nothing"),
    ({"betas": ["context-1m-2025-08-07"]}, "info", "betas", "without a flag"),
    ({"betas": ["a b"]}, "error", "betas", "cannot carry"),
    ({"extra_headers": {"x-a": "\n"}}, "error", "extra_headers.x-a", "line break"),
    # context
    ({"context_management": {}}, "warning", "context_management", "no flag"),
    ({"compaction": {"type": "summarize"}}, "warning", "compaction", "no flag"),
    ({"mcp_servers": [{}]}, "warning", "mcp_servers", "no flag"),
    ({"context_management": {}, "compaction": {}, "betas": ["compact-2026-09-04"]}, "error", "compaction", "exclude"),
    (
        {
            "context_management": {"edits": [{"type": "compact_20260112", "trigger": {"value": 49_999}}]},
            "betas": ["compact-2026-01-12"],
        },
        "error",
        "context_management.edits[0].trigger.value",
        "the least is 50,000",
    ),
    ({"stop_sequences": ["a", " \n"]}, "error", "stop_sequences[1]", "no space"),
    ({"stop_sequences": [5]}, "error", "stop_sequences[0]", "no space"),
    ({"system": "x" * 32_000_001}, "error", "", "the API takes 32 MB"),
    # messages
    ({"messages": UNSET}, "error", "messages", "is missing"),
    ({"messages": "hi"}, "error", "messages", "has to be a list"),
    ({"messages": []}, "error", "messages", "is empty"),
    ({"messages": ["hi"]}, "error", "messages[0]", "object with role"),
    ({"messages": [{"role": "human", "content": "x"}]}, "error", "messages[0].role", "user or assistant"),
    ({"messages": [{"role": "user"}]}, "error", "messages[0].content", "text or a list"),
    ({"messages": [user("")]}, "error", "messages[0].content", "is empty"),
    ({"messages": [user(" \n"), user("x")]}, "error", "messages[0].content", "is empty"),
    ({"messages": [{"role": "user", "content": []}]}, "error", "messages[0].content", "is empty"),
    ({"messages": [user("a", "")]}, "error", "messages[0].content[1].text", "is empty"),
    ({"messages": [{"role": "user", "content": ["a"]}]}, "error", "messages[0].content[0]", "object with a type"),
    (
        {"messages": [{"role": "user", "content": [{"text": "a"}]}]},
        "error",
        "messages[0].content[0]",
        "object with a type",
    ),
    # prefill
    ({"messages": [user("x"), assistant("y")]}, "error", "messages[1]", "Claude Opus 5.5 takes no prefill"),
    ({"messages": [user("x"), assistant("")]}, "error", "messages[1]", "takes no prefill"),
    ({"model": "claude-haiku-4-5", "messages": [user("x"), assistant("y ")]}, "error", "messages[1]", "white space"),
    (
        {"model": "claude-haiku-4-5", "messages": [user("x"), assistant("y", "z ")]},
        "error",
        "messages[1]",
        "white space",
    ),
    (
        {
            "model": "claude-haiku-4-5",
            "max_tokens": 2000,
            "thinking": enabled(1024),
            "messages": [user("x"), assistant("y")],
        },
        "error",
        "messages[1]",
        "cannot be prefilled",
    ),
    # results
    ({"messages": [user("w?"), assistant(CALL)]}, "error", "messages[1].content[0]", "no tool_result"),
    ({"messages": [user("w?"), assistant("a", CALL), user("b")]}, "error", "messages[1].content[1]", "no tool_result"),
    (
        {"messages": [user("w?"), assistant(CALL), user("b"), assistant("c"), user("d")]},
        "error",
        "messages[1].content[0]",
        "no tool_result",
    ),
    ({"messages": [user(tool_result("t1"))]}, "error", "messages[0].content[0]", "no tool_use"),
    (
        {"messages": [user("w?"), assistant(CALL), user(tool_result("t1"), tool_result("t1"))]},
        "error",
        "messages[2].content[1]",
        "two results",
    ),
    (
        {"messages": [user("w?"), assistant(CALL), user("first", tool_result("t1"))]},
        "error",
        "messages[2].content[1]",
        "before everything else",
    ),
    # images
    ({"messages": [user({"type": "image"})]}, "error", "messages[0].content[0].source", "needs a source"),
    (
        {"messages": [user({"type": "image", "source": {"type": "url"}})]},
        "error",
        "messages[0].content[0].source.url",
        "missing",
    ),
    (
        {"messages": [user({"type": "image", "source": {"type": "file", "file_id": ""}})]},
        "error",
        "messages[0].content[0].source.file_id",
        "missing",
    ),
    (
        {"messages": [user(b64(png(), "image/bmp"))]},
        "error",
        "messages[0].content[0].source.media_type",
        "no images of",
    ),
    (
        {"messages": [user({"type": "image", "source": {"type": "base64", "data": b64(png())["source"]["data"]}})]},
        "error",
        "messages[0].content[0].source.media_type",
        "is missing",
    ),
    ({"messages": [user(b64(gif()))]}, "error", "messages[0].content[0].source.media_type", "the image is image/gif"),
    ({"messages": [user(b64(b""))]}, "error", "messages[0].content[0].source.data", "image in base64"),
    ({"messages": [user(b64(b"hello"))]}, "error", "messages[0].content[0].source.data", "no JPEG, PNG"),
    (
        {
            "messages": [
                user({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBOé"}})
            ]
        },
        "error",
        "messages[0].content[0].source.data",
        "is not base64",
    ),
    (
        {"messages": [user(b64(png() + bytes(3_932_160)))]},
        "error",
        "messages[0].content[0].source.data",
        "characters of base64; the API takes 5,242,880",
    ),
    ({"messages": [user(image(png(8001, 1)))]}, "warning", "messages[0].content[0].source.data", "8001 x 1 pixels"),
    (
        {"messages": [user(image(png(1, 2001)), *[image(png())] * 20)]},
        "warning",
        "messages[0].content[0].source.data",
        "takes 2000 x 2000 in a request with more than 20",
    ),
    ({"messages": [user(*[image(url="u")] * 601)]}, "error", "messages", "601 images; the API takes 600"),
    ({"model": "claude-haiku-4-5", "messages": [user(*[image(url="u")] * 101)]}, "error", "messages", "takes 100"),
    (
        {"messages": [user("w?"), assistant(CALL), user(tool_result("t1", ["x", b64(PDF)]))]},
        "error",
        "messages[2].content[0].content[1].source.media_type",
        "the image is application/pdf",
    ),
    # tools
    ({"tools": {}}, "error", "tools", "a list"),
    ({"tools": ["x"]}, "error", "tools[0]", "an object"),
    ({"tools": [{**TOOL, "name": None}]}, "error", "tools[0].name", "has no name"),
    ({"tools": [{**TOOL, "name": "get weather"}]}, "error", "tools[0].name", "has to match"),
    ({"tools": [{**TOOL, "name": "a" * 65}]}, "error", "tools[0].name", "has to match"),
    ({"tools": [{**TOOL, "name": "name\n"}]}, "error", "tools[0].name", "has to match"),
    ({"tools": [TOOL, TOOL]}, "error", "tools[1].name", "another tool"),
    ({"tools": [{**TOOL, "description": None}]}, "warning", "tools[0].description", "no description"),
    ({"tools": [{**TOOL, "description": " "}]}, "warning", "tools[0].description", "no description"),
    ({"tools": [{**TOOL, "description": "Weather"}]}, "warning", "tools[0].description", "one word"),
    ({"tools": [{**TOOL, "description": 5}]}, "error", "tools[0].description", "has to be text"),
    ({"tools": [{**TOOL, "input_schema": None}]}, "error", "tools[0].input_schema", "is missing"),
    ({"tools": [{**TOOL, "input_schema": []}]}, "error", "tools[0].input_schema", "JSON schema"),
    ({"tools": [{**TOOL, "input_schema": {}}]}, "error", "tools[0].input_schema.type", "object"),
    ({"tools": [{**TOOL, "input_examples": {}}]}, "error", "tools[0].input_examples", "list of objects"),
    ({"tools": [{**TOOL, "input_examples": ["x"]}]}, "error", "tools[0].input_examples", "list of objects"),
    (
        {"tools": [{**EDITOR, "type": "text_editor_20250124"}], "model": "unknown"},
        "error",
        "tools[0].name",
        "str_replace_editor",
    ),
    ({"tools": [{**EDITOR, "name": "edit"}]}, "error", "tools[0].name", "str_replace_based_edit_tool"),
    ({"tools": [{**EDITOR, "input_schema": {}}]}, "error", "tools[0].input_schema", "takes none"),
    (
        {"tools": [{**EDITOR, "type": "text_editor_20250429", "max_characters": 5}]},
        "error",
        "tools[0].max_characters",
        "no max_characters",
    ),
    (
        {"model": "unknown", "tools": [{"type": "text_editor_20241022", "name": "str_replace_editor"}]},
        "warning",
        "tools[0].type",
        "is beta",
    ),
    # tool_choice
    ({"tools": [TOOL], "tool_choice": "auto"}, "error", "tool_choice", "not a tool_choice"),
    ({"tools": [TOOL], "tool_choice": {"type": "all"}}, "error", "tool_choice", "not a tool_choice"),
    ({"tool_choice": {"type": "auto"}}, "error", "tool_choice", "no tools"),
    (
        {"tools": [TOOL], "tool_choice": {"type": "none", "disable_parallel_tool_use": True}},
        "error",
        "tool_choice.disable_parallel_tool_use",
        "no meaning",
    ),
    (
        {"model": "claude-opus-5", "tools": [TOOL], "tool_choice": {"type": "tool"}},
        "error",
        "tool_choice.name",
        "needs the name",
    ),
    (
        {"model": "claude-opus-5", "tools": [TOOL], "tool_choice": {"type": "tool", "name": "x"}},
        "error",
        "tool_choice.name",
        "not among",
    ),
    ({"tools": [TOOL], "tool_choice": {"type": "any"}}, "error", "tool_choice.type", "does not take tool_choice any"),
    (
        {
            "model": "claude-haiku-4-5",
            "max_tokens": 2000,
            "thinking": enabled(1024),
            "tools": [TOOL],
            "tool_choice": {"type": "any"},
        },
        "error",
        "tool_choice.type",
        "with thinking",
    ),
    # what cannot be written
    ({"messages": [user(image(png())), user(b"x")]}, "error", "messages[1].content[0]", "a bytes is not a JSON value"),  # type: ignore[arg-type]
    ({"temperature": math.inf}, "error", "temperature", "not a JSON number"),
]


@pytest.mark.parametrize(("changes", "severity", "path", "words"), BAD, ids=[f"{row[2]}: {row[3]}" for row in BAD])
def test_each_rule(changes: dict[str, Any], severity: str, path: str, words: str) -> None:
    before = copy.deepcopy({key: value for key, value in changes.items() if key != "messages"})
    asked = request(**changes)
    found = [problem for problem in asked.check() if problem.path == path and words in problem.message]
    assert len(found) == 1
    assert found[0].severity == severity
    assert asked == request(**changes)
    assert before == {key: value for key, value in changes.items() if key != "messages"}
    others = [problem for problem in asked.check() if problem not in found]
    if not str(changes.get("model", "")).startswith("claude-3"):
        assert others == []


def test_there_is_a_highest_number_of_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_rules_messages, "_MAX_MESSAGES", 3)
    assert request(messages=[user("x")] * 3).check() == []
    (problem,) = request(messages=[user("x")] * 4).check()
    assert (problem.severity, problem.path) == ("error", "messages")
    assert problem.message.startswith("there are 4 messages")


def test_problems_of_old_models_come_with_the_way_on() -> None:
    problem = request(**OLD).check()[0]
    assert "claude-sonnet-4-6" in problem.hint
    assert "refusal" in problem.hint
    problem = request(**OLD, max_tokens=64_001).check()[1]
    assert "output-128k-2025-02-19" in problem.hint
    problem = request(**OLD, max_tokens=128_001, betas=["output-128k-2025-02-19"]).check()[1]
    assert problem.hint == "ask for at most 128000"
    problem = request(model="claude-3-haiku-20240307", max_tokens=2000, thinking=enabled(1024)).check()[1]
    assert problem.hint == "remove thinking, or choose another model"
    waived_not = request(model="claude-3-haiku-20240307", thinking=enabled(5000), betas=[INTERLEAVED]).check()
    assert any(problem.path == "thinking.budget_tokens" for problem in waived_not)
    assert (
        request(model="claude-haiku-4-5", thinking={"type": "adaptive"})
        .check()[0]
        .hint.startswith('use {"type": "enabled"')
    )


@pytest.mark.parametrize("flag", ["output-128k-2025-02-19", "token-efficient-tools-2025-02-19"])
def test_flags_of_3_7_are_to_be_removed(flag: str) -> None:
    found = request(betas=[flag]).check()
    assert [(problem.severity, problem.path) for problem in found] == [("warning", "betas"), ("info", "")]
    assert flag in found[0].message
    assert "refusal" in found[1].hint
    assert request(model="unknown", betas=[flag]).check() == []


def test_the_old_editor_does_not_fit() -> None:
    found = request(tools=[{"type": "text_editor_20250124", "name": "str_replace_editor"}]).check()
    assert [(problem.severity, problem.path) for problem in found] == [("info", ""), ("error", "tools[0].type")]
    assert found[1].hint == "use text_editor_20250728 with the name str_replace_based_edit_tool"
    (later,) = request(tools=[{"type": "text_editor_20990101", "name": "edit"}]).check()
    assert (later.severity, later.path) == ("warning", "tools[0].type")
    assert "not known to be made for" in later.message
    none = request(model="claude-3-haiku-20240307", tools=[EDITOR]).check()
    assert not any(problem.path == "tools[0].type" for problem in none)  # not known whether it has one


def test_the_version_of_the_api_counts() -> None:
    asked = request(
        model="unknown",
        temperature=1,
        messages=[
            user({"type": "text", "text": "a", "citations": {"enabled": True}}),
            assistant({"type": "document", "source": {"type": "url", "url": "https://h"}}, "b"),
            user("c"),
        ],
    )
    assert asked.check() == []
    assert [problem.path for problem in asked.check(version="2026-10-21")] == [
        "temperature",
        "messages[0].content[0].citations",
        "messages[1].content[0]",
    ]


def test_flags_of_endpoint_and_client_count() -> None:
    asked = request(context_management={"edits": []})
    assert len(asked.check()) == 1
    assert asked.check(betas=["context-management-2025-06-27"]) == []
    assert check(asked.body(), flags=["context-management-2025-06-27"]) == []


def test_a_problem_is_plain_data() -> None:
    problem = Problem("error", "max_tokens", "is missing")
    assert problem.hint == ""
    assert attrs.asdict(problem) == {"severity": "error", "path": "max_tokens", "message": "is missing", "hint": ""}


# --- never raises

words = st.sampled_from(
    [
        "user",
        "assistant",
        "system",
        "text",
        "image",
        "tool_use",
        "tool_result",
        "base64",
        "url",
        "enabled",
        "adaptive",
        "any",
        "tool",
        "auto",
        "custom",
        "text_editor_20250429",
        "compact_20260112",
        "t1",
        "image/png",
        "",
        "iVBORw0KGgo=",
    ]
)
keys = st.sampled_from(
    [
        "role",
        "content",
        "type",
        "text",
        "source",
        "data",
        "media_type",
        "id",
        "tool_use_id",
        "name",
        "input_schema",
        "description",
        "input_examples",
        "budget_tokens",
        "display",
        "edits",
        "trigger",
        "value",
        "max_characters",
    ]
)
junk = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.floats(-2, 2) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=25,
)
names = st.sampled_from(
    sorted(field.name for field in attrs.fields(MessageRequest) if not field.name.startswith("extra"))
)
models = st.sampled_from([info.id for info in KNOWN_MODELS])


@given(st.dictionaries(names, junk, max_size=8), models, st.lists(junk, max_size=4))
def test_any_json_is_checked(arguments: dict[str, Any], model: str, messages: list[Any]) -> None:
    arguments.pop("betas", None)
    asked = MessageRequest.from_dict({"model": model, "messages": messages, **arguments})
    for problem in asked.check():
        assert problem.severity in ("error", "warning", "info")
        assert problem.message
        json.dumps(attrs.asdict(problem))
