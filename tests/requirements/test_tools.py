"""Requirements E1 and E2: how tools are said in a request. One test for each; running them is shown with the loop."""

from __future__ import annotations

from typing import Any

import pytest

from sansio_claude import MessageRequest, user
from sansio_claude.tools import tool

BY_HAND = {
    "name": "get_weather",
    "description": "Get the current weather of a city. Use it whenever the weather matters.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "input_examples": [{"city": "Köln"}],
}


@tool
def get_time(zone: str) -> str:
    """Tell the time in a time zone. Use it for questions about now.

    Args:
        zone: An IANA name, such as Europe/Berlin.
    """
    return zone


def test_E1_tools_by_hand_and_of_a_function() -> None:
    request = MessageRequest(model="claude-opus-5-5", max_tokens=5, messages=[user("?")], tools=[BY_HAND, get_time])
    by_hand, made = request.to_dict()["tools"]
    assert by_hand == BY_HAND
    assert made["name"] == "get_time"
    assert made["description"].startswith("Tell the time")
    assert made["input_schema"]["properties"]["zone"]["type"] == "string"
    assert made["input_schema"]["required"] == ["zone"]
    assert request.check() == []


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "auto"},
        {"type": "any", "disable_parallel_tool_use": True},
        {"type": "tool", "name": "get_weather"},
        {"type": "none"},
    ],
)
def test_E2_tool_choice(choice: dict[str, Any]) -> None:
    request = MessageRequest(
        model="claude-haiku-4-5", max_tokens=5, messages=[user("?")], tools=[BY_HAND], tool_choice=choice
    )
    assert request.to_dict()["tool_choice"] == choice
    assert request.check() == []
