"""A replay server that answers every probe of a conformance report as the API does."""

from __future__ import annotations

from typing import Any

from sansio_claude.testing import Answer, RecordedRequest, ReplayServer, Reply, compose

__all__ = ["KEY", "conforming_server"]

KEY = "sk-ant-conformance"
_KNOWN = {"model", "max_tokens", "messages", "stream", "tools", "tool_choice", "thinking", "system"}
_CALLS: list[dict[str, Any]] = [
    {"type": "tool_use", "name": "get_weather", "input": {"city": "Oslo"}},
    {"type": "tool_use", "name": "get_weather", "input": {"city": "Rome"}},
    {"type": "tool_use", "name": "get_time", "input": {}},
]


def _answer(request: RecordedRequest) -> Reply:
    body = request.json()
    unknown = sorted(set(body) - _KNOWN)
    if unknown:
        return Answer.error(400, f"{unknown[0]}: Extra inputs are not permitted")
    if not body["messages"]:
        return Answer.error(400, "messages: at least one message is required")
    if "tools" in body:
        return compose(_CALLS, seed=1)
    text = {"type": "text", "text": "Hello there, this is an answer."}
    if "thinking" in body:
        return compose([{"type": "thinking", "thinking": "27 times 14 is 378."}, text], seed=2)
    if body["max_tokens"] == 1:
        return compose("One", seed=3, stop_reason="max_tokens")
    return compose([text], seed=4)


def conforming_server() -> ReplayServer:
    """The server. It wants `KEY`."""
    return ReplayServer([_answer], api_key=KEY)
