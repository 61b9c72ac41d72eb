"""What `serve` answers without a file: a first program of any kind comes to its end."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
from typing import Annotated, Any, Literal

import msgspec
import pytest

from sansio_claude import Endpoint, Message
from sansio_claude._cli.demo import TOOL, demo_reply, demo_transcript, sample_of
from sansio_claude.sync import Client
from sansio_claude.testing import RecordedRequest, ReplayServer, Transcript, serve_in_thread
from sansio_claude.tools import tool

QUESTION = [{"role": "user", "content": "Do I need an umbrella?"}]


class Sky(enum.Enum):
    GREY = "grey"


@dataclasses.dataclass
class Weather:
    city: str
    day: datetime.date
    sky: Sky
    rain: Annotated[float, msgspec.Meta(ge=0.5, le=1)]
    hours: list[tuple[int, str]]
    wind: Literal["calm", "storm"] | None
    next: Weather | None = None


@tool
def get_weather(city: str, days: int = 1) -> str:
    """Get the weather in a city."""
    return f"15 degrees and rain in {city}"


def _client(url: str) -> Client:
    return Client(Endpoint.from_base_url(url, api_key="k"))


def reply(request: RecordedRequest) -> Transcript:
    return demo_reply(request.body)


def test_tools_are_called_and_values_fit() -> None:
    arguments: dict[str, Any] = {"max_tokens": 99, "messages": QUESTION}
    with serve_in_thread(ReplayServer([reply], cycle=True)) as address, _client(address.url) as client:
        with client.run(tools=[get_weather], model="claude-opus-5-5", **arguments) as run:
            events = [event for _, event in run]
            assert run.final_message().stop_reason == "end_turn"
        finished = [event for event in events if event.type == "tool_finished"]
        assert [event.result.content for event in finished] == ["15 degrees and rain in Oslo"]  # type: ignore[union-attr]
        for model in ("claude-opus-5-5", "claude-3-haiku-20240307"):  # by structured output, and by a tool
            found = client.extract(Weather, model=model, **arguments)
            assert (found.city, found.sky, found.wind) == ("Oslo", Sky.GREY, "calm")
            assert client.extract(int, model=model, **arguments) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": QUESTION},
        {"messages": [], "tools": [TOOL]},
        {"tools": [{"type": "bash_20250124", "name": "bash"}, 5, {"name": "a"}]},
        {"tools": [{"name": "a", "input_schema": {}}], "tool_choice": {"type": "none"}},
        {"tools": 5, "output_config": {"format": 5}, "messages": [5], "tool_choice": 5},
        [],
    ],
)
def test_any_other_request_gets_the_answer_of_the_demo(body: Any) -> None:
    assert demo_reply(json.dumps(body).encode()).data == demo_transcript().data
    assert demo_reply(b"no JSON").data == demo_transcript().data


def test_the_tool_that_is_asked_for() -> None:
    tools = [{"name": name, "input_schema": {"type": "object"}} for name in ("a", "b")]
    body = {"tools": tools, "tool_choice": {"type": "tool", "name": "b"}, "messages": QUESTION}
    message = demo_reply(json.dumps(body).encode()).message
    assert message is not None
    (call,) = Message.from_dict(message).tool_uses
    assert (call.name, call.input) == ("b", {})


def test_odd_schemas_give_something() -> None:
    odd: list[Any] = [{"$ref": "#"}, {"$ref": "#/x/y"}, {"type": 5}, {"type": []}, {"enum": []}, {"anyOf": [5]}, True]
    for schema in odd:
        json.dumps(sample_of(schema))
    loop: dict[str, Any] = {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}
    json.dumps(sample_of(loop))
