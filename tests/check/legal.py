"""Requests that the API takes, for each generation of models: what `check()` must say nothing about."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from sansio_claude import KNOWN_MODELS, ModelInfo, assistant, image, tool_result, user
from tests.ground.test_media import png

__all__ = ["GENERATIONS", "THINKING", "legal_requests"]

GENERATIONS = {info.generation: info for info in reversed(KNOWN_MODELS) if info.max_output_tokens is not None}
TOOL = {
    "name": "get_weather",
    "description": "Tells the weather of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Bern"}}
THINKING = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
CACHED = {"type": "text", "text": "long", "cache_control": {"type": "ephemeral", "ttl": "1h"}}

MESSAGES: list[list[dict[str, Any]]] = [
    [user("hi")],
    [user("hi"), assistant("hello"), user("你好，请告诉我今天的天气")],
    [user("w?"), assistant("I look.", CALL), user(tool_result("toolu_1", "15"), "and?")],
    [user("w?"), assistant(THINKING, CALL), user(tool_result("toolu_1", [image(png()), "x"]))],
    [user("w?"), assistant(CALL, {**CALL, "id": "toolu_2"}), user(tool_result("toolu_2"), tool_result("toolu_1"))],
    [user(CACHED, "q"), assistant(SEARCH, FOUND, "found"), user("more")],
    [user(image(png(8000, 1)), image(url="https://h/a.png"), image(file_id="f"), "what?")],
    [user({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}, "sum up")],
    [user("a"), {"role": "system", "content": "be brief"}, user("b")],
    [user("x"), user("y"), assistant({"type": "redacted_thinking", "data": "b3BhcXVl"}, "z"), user("w")],
]


def _options(info: ModelInfo) -> Iterator[dict[str, Any]]:
    yield {}
    yield {"tools": [TOOL], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}
    yield {"tools": [TOOL, {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}], "stream": True}
    yield {"system": "Be kind.", "stop_sequences": ["\n\nHuman:"], "metadata": {"user_id": "u-1"}}
    yield {"system": [CACHED], "tools": [{**TOOL, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]}
    yield {"max_tokens": info.max_output_tokens, "service_tier": "auto"}
    yield {"temperature": 1, "container": "c1"} if info.sampling else {"temperature": 1}
    yield {"temperature": 0.2} if info.sampling else {"output_config": {"effort": "low"}}
    thinking = info.thinking or ()
    if "adaptive" in thinking:
        yield {"thinking": {"type": "adaptive", "display": "summarized"}, "tools": [TOOL]}
    elif "enabled" in thinking:
        yield {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 4000, "tools": [TOOL]}
    else:
        yield {"thinking": {"type": "disabled"}, "tools": [TOOL]}
    if info.text_editor is not None and info.text_editor != "text_editor_20241022":
        yield {"tools": [{"type": info.text_editor, "name": info.text_editor_name}]}
    else:
        yield {"tools": [{**TOOL, "description": "查询天气信息"}], "inference_geo": "eu"}


def legal_requests(info: ModelInfo) -> list[dict[str, Any]]:
    """A hundred requests that are legal on a model."""
    return [
        {"model": info.id, "max_tokens": 1000, "messages": messages, **options}
        for messages, options in product(MESSAGES, _options(info))
    ]
