"""A tool loop, tools for it, and answers of a model: what the tests of the loop are made of."""

from __future__ import annotations

from typing import Any

from sansio_claude._message.message import Message
from sansio_claude.tools import (
    AskModel,
    Finished,
    RunTools,
    ToolLoop,
    tool,
)
from tests.tools.history import problems

GO: dict[str, Any] = {"role": "user", "content": "go"}


@tool
def get_weather(location: str, days: int = 1) -> str:
    """Get the weather at a place."""
    return f"15 degrees in {location}"


@tool(sequential=True)
def write(text: str) -> None:
    """Write a text down."""


def a_loop(**arguments: Any) -> ToolLoop:
    return ToolLoop(
        **{"tools": [get_weather, write], "model": "claude-opus-5-5", "max_tokens": 1000, "messages": [GO], **arguments}
    )


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def call(number: int, name: str = "get_weather", /, **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": given}


def cut_call(number: int, raw: str = '{"location": "Be', kind: str = "tool_use") -> dict[str, Any]:
    return {"type": kind, "id": f"toolu_{number}", "name": "get_weather", "input": {"$incomplete_json": raw}}


def answer(stop_reason: str | None, *content: dict[str, Any], **more: Any) -> Message:
    return Message.from_dict(
        {
            "id": "msg",
            "type": "message",
            "role": "assistant",
            "content": list(content),
            "stop_reason": stop_reason,
            **more,
        }
    )


def asked(loop: ToolLoop) -> dict[str, Any]:
    action = loop.next_action()
    assert isinstance(action, AskModel), action
    assert problems(action.request["messages"]) == []
    return action.request


def finished(loop: ToolLoop) -> str:
    action = loop.next_action()
    assert isinstance(action, Finished), action
    assert action.message is loop.message
    return action.reason


def calls_of(loop: ToolLoop) -> list[str]:
    action = loop.next_action()
    assert isinstance(action, RunTools), action
    return [call.id for call in action.calls]


def asked_messages(loop: ToolLoop) -> list[dict[str, Any]]:
    action = loop.next_action()
    assert isinstance(action, AskModel)
    messages: list[dict[str, Any]] = action.request["messages"]
    return messages
