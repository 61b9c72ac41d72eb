"""The official SDK's tool runner and ours against the same script: the same conversation, or a listed reason."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import sansio_claude.asyncio
from sansio_claude._request.endpoint import Endpoint
from sansio_claude.testing import ReplayServer, Transcript, compose, serve_in_thread
from tests.adapters.test_run import ASK, call
from tests.tools.history import problems

anthropic = pytest.importorskip("anthropic")


async def get_weather(location: str, days: int = 1) -> str:
    """Get the weather at a place.

    Args:
        location: The city.
        days: How many days.
    """
    if location == "nowhere":
        raise ValueError("no such place")
    return f"15 degrees in {location} for {days} days"


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def cut_call(raw: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"$incomplete_json": raw}}


DONE = compose("Done.", seed=9)
WEATHER = call(1, "get_weather", location="Berlin")
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}

SCRIPTS: dict[str, list[Transcript]] = {
    "one call": [compose([WEATHER]), DONE],
    "no call": [DONE],
    "parallel calls behind thinking and text": [
        compose(
            [
                {"type": "thinking", "thinking": "hm"},
                text("Look."),
                WEATHER,
                call(2, "get_weather", location="Rome", days=3),
            ]
        ),
        DONE,
    ],
    "omitted and redacted thinking": [
        compose(
            [
                {"type": "thinking", "thinking": "", "signature": "c2ln"},
                {"type": "redacted_thinking", "data": "b3A="},
                WEATHER,
            ]
        ),
        DONE,
    ],
    "several turns": [compose([call(n, "get_weather", location=str(n))], seed=n) for n in range(5)] + [DONE],
    "a server's tool beside ours": [compose([SEARCH, FOUND, text("Found."), WEATHER]), DONE],
    "pause_turn": [compose([text("Wait."), SEARCH], stop_reason="pause_turn"), compose([FOUND, text("Done.")])],
    "a call in an answer that ended": [compose([WEATHER], stop_reason="end_turn"), DONE],
    "refusal": [compose("I can", stop_reason="refusal"), DONE],
    "max_tokens in text": [compose("Once upon", stop_reason="max_tokens"), DONE],
    "a stop reason to come": [compose([WEATHER], stop_reason="one_to_come"), DONE],
    "a tool that raises": [compose([call(1, "get_weather", location="nowhere")]), DONE],
    "an unknown tool": [compose([call(1, "get_wether", location="x")]), DONE],
    "an input that does not fit": [compose([call(1, "get_weather", place="x")]), DONE],
    "an input that is no JSON": [compose([cut_call('{"location": nonsense}')], stop_reason="tool_use"), DONE],
    "max_tokens in a call": [
        compose([cut_call('{"location": "Be')], stop_reason="max_tokens"),
        compose([WEATHER]),
        DONE,
    ],
    "compaction": [compose([{"type": "compaction", "content": "A summary."}], stop_reason="compaction"), DONE],
    "a text without text": [compose([text(""), WEATHER]), DONE],
}

# Where the conversations are not the same: what differs, and why ours is so.
DIFFERENCES = {
    "a tool that raises": "words: type and text of the exception instead of its repr",
    "an unknown tool": "words: the tools that there are, and what would help",
    "an input that does not fit": "words: what does not fit, the description and the schema",
    "an input that is no JSON": "the model is told, and its text kept, where the SDK raises ValueError",
    "a call in an answer that ended": "whole calls of the model's own at its end are run, where the SDK ends",
    "max_tokens in a call": "asked for again with more tokens, where the SDK ends",
    "compaction": "the summary is sent in place of what it sums up, where the SDK sends both",
    "a text without text": "left out, because the API refuses it; the SDK sends it and gets a 400",
}
ONLY_WORDS = {name for name, reason in DIFFERENCES.items() if reason.startswith("words: ")}


async def with_ours(url: str) -> None:
    endpoint = Endpoint.from_base_url(url, api_key="sk-test")
    async with sansio_claude.asyncio.Client(endpoint) as client, client.run(tools=[get_weather], **ASK) as run:
        await run.final_message()


async def with_sdk(url: str) -> None:
    async with anthropic.AsyncAnthropic(base_url=url, api_key="sk-test", max_retries=0) as client:
        made = anthropic.beta_async_tool(get_weather)
        async for stream in client.beta.messages.tool_runner(tools=[made], stream=True, **ASK):
            async for _ in stream:
                pass


def conversations(
    run: Callable[[str], Awaitable[None]], script: list[Transcript], *, may_fail: bool = False
) -> tuple[dict[str, Any], list[Any]]:
    """The first request of a run, and the whole conversation that each of its requests stands for."""
    server = ReplayServer(script)
    with serve_in_thread(server) as address:
        try:
            asyncio.run(run(address.url))  # type: ignore[arg-type]
        except ValueError:
            assert may_fail
    bodies = [request.json() for request in server.requests]
    found: list[Any] = []
    whole: list[Any] = []
    for number, body in enumerate(bodies):
        # The SDK lets the server keep the conversation: later requests hold only what is new.
        if (body.get("thread") or {}).get("type") == "continue":
            before = script[number - 1].message
            assert before is not None
            whole = [*whole, {"role": "assistant", "content": before["content"]}, *body["messages"]]
        else:
            whole = body["messages"]
        found.append(whole)
    return bodies[0], found


def without_words(conversation: Any) -> Any:
    """The conversation without the texts of error results."""
    if isinstance(conversation, list):
        return [without_words(item) for item in conversation]
    if isinstance(conversation, dict):
        hidden = "content" if conversation.get("is_error") else None
        return {key: without_words(value) for key, value in conversation.items() if key != hidden}
    return conversation


@pytest.fixture(autouse=True)
def _quiet_sdk() -> Any:
    logging.getLogger("anthropic").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_same_conversation_or_a_listed_difference(name: str) -> None:
    script = SCRIPTS[name]
    _, ours = conversations(with_ours, script)
    _, theirs = conversations(with_sdk, script, may_fail=name in DIFFERENCES)
    assert all(problems(conversation) == [] for conversation in ours)
    if name in ONLY_WORDS:
        assert ours != theirs
        assert without_words(ours) == without_words(theirs)
    elif name in DIFFERENCES:
        assert ours != theirs
    else:
        assert ours == theirs


def test_the_definition_of_a_function_is_the_same_but_for_titles() -> None:
    ours, _ = conversations(with_ours, [DONE])
    theirs, _ = conversations(with_sdk, [DONE])
    (definition,) = theirs["tools"]
    for schema in definition["input_schema"]["properties"].values():
        schema.pop("title")  # "Location" for location: tokens that tell the model nothing
    assert ours["tools"] == [definition]
