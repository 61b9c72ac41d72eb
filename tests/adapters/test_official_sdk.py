"""A client that we did not write streams from our replay server and gets the message that our core gets.

Where the two are known to differ (unknown keys, cut tool inputs, streams without event lines: the SDK loses or
changes them) nothing is compared here; every shape below is one that the API itself sends.
"""

from __future__ import annotations

import asyncio
from typing import Any

import anthropic
import pytest

from sansio_claude._errors import OverloadedError
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude.testing import (
    Answer,
    ReplayServer,
    Transcript,
    chunkings,
    compose,
    serve_in_asyncio,
    serve_in_thread,
)
from sansio_claude.testing.transcripts import prose

CITATION = {
    "type": "char_location",
    "cited_text": "Größe",
    "document_index": 0,
    "document_title": None,
    "start_char_index": 0,
    "end_char_index": 5,
}
RESULT = {
    "type": "web_search_result",
    "url": "https://example.org/",
    "title": "Rain",
    "encrypted_content": "b3BhcXVl",
    "page_age": None,
}
CONTENTS: dict[str, list[dict[str, Any]]] = {
    "empty": [],
    "text": [{"type": "text", "text": prose(2_000)}],
    "unicode": [{"type": "text", "text": 'Größe 日本 👨‍👩‍👧 "quoted" \\ \n\t \u2028 end'}],
    "cited": [{"type": "text", "text": "Größe", "citations": [CITATION]}],
    "thinking": [
        {"type": "thinking", "thinking": prose(1_500, seed=1)},
        {"type": "redacted_thinking", "data": "EmwKAhgB"},
        {"type": "thinking", "thinking": ""},
        {"type": "text", "text": "So."},
    ],
    "tools": [
        {"type": "text", "text": "I will look."},
        {"type": "tool_use", "name": "get", "input": {"a": [1, 2.5, None, {"b": 'quote " and \\'}]}},
        {"type": "tool_use", "name": "no_arguments", "input": {}},
    ],
    "search": [
        {"type": "server_tool_use", "name": "web_search", "input": {"query": "rain"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_01", "content": [RESULT]},
        {"type": "text", "text": "It rains."},
    ],
}
ARGUMENTS: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "max_tokens": 1024,
    "messages": [{"role": "user", "content": "Hello"}],
}


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's HTTP library would send even loopback requests through a proxy of the environment."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")


def client_at(url: str, **options: Any) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=url, api_key="not-a-key", **{"max_retries": 0, **options})


def ours(transcript: Transcript) -> tuple[list[Any], dict[str, Any]]:
    """Event types and message, as our core reads the same bytes."""
    stream = MessageStream(strict=True)
    for chunk in transcript.network_chunks(3):
        stream.receive_data(chunk)
    stream.receive_eof()
    events = stream.events_received()
    assert stream.done
    assert stream.message is not None
    return [event.type for event in events if event.type != "ping"], stream.message.to_dict()


@pytest.mark.parametrize("name", CONTENTS)
def test_the_sdk_gets_the_message_that_we_get(name: str) -> None:
    transcript = compose(CONTENTS[name], seed=len(name))
    types, message = ours(transcript)
    assert message == transcript.message
    server = ReplayServer([transcript])
    with serve_in_thread(server) as address, client_at(address.url) as client:
        with client.messages.stream(**ARGUMENTS) as stream:
            theirs = stream.get_final_message()
        assert theirs.to_dict(mode="json") == message
        with client.messages.create(**ARGUMENTS, stream=True) as events:
            assert [event.type for event in events] == types
        whole = client.messages.create(**ARGUMENTS)
        assert whole.to_dict(mode="json") == message
    assert [recorded.outcome for recorded in server.requests] == ["answered"] * 3
    assert server.requests[0].json()["messages"] == ARGUMENTS["messages"]
    assert server.connections == 1


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_the_sdk_reads_every_framing_and_chunking(framing: Any) -> None:
    transcript = compose(CONTENTS["tools"], seed=9)
    server = ReplayServer([transcript], framing=framing, chunking=lambda data: chunkings.random(data, 5, mean=40))
    with (
        serve_in_thread(server) as address,
        client_at(address.url) as client,
        client.messages.stream(**ARGUMENTS) as stream,
    ):
        assert stream.get_final_message().to_dict(mode="json") == ours(transcript)[1]


def test_the_asynchronous_sdk() -> None:
    transcript = compose(CONTENTS["thinking"], seed=4)

    async def main() -> dict[str, Any]:
        async with (
            serve_in_asyncio(ReplayServer([transcript])) as address,
            anthropic.AsyncAnthropic(base_url=address.url, api_key="not-a-key") as client,
            client.messages.stream(**ARGUMENTS) as stream,
        ):
            return (await stream.get_final_message()).to_dict(mode="json")

    assert asyncio.run(main()) == ours(transcript)[1]


def test_the_sdk_retries_what_the_server_says_may_pass() -> None:
    busy = Answer.error(529, headers=[("retry-after-ms", "1")])
    server = ReplayServer([busy, compose("At last.")])
    with (
        serve_in_thread(server) as address,
        client_at(address.url, max_retries=2) as client,
        client.messages.stream(**ARGUMENTS) as stream,
    ):
        assert stream.get_final_text() == "At last."
    assert len(server.requests) == 2


def test_an_error_in_mid_stream_is_one_for_both() -> None:
    transcript = compose("Hello, world!").with_error(5)
    with (
        serve_in_thread(ReplayServer([transcript])) as address,
        client_at(address.url) as client,
        client.messages.stream(**ARGUMENTS) as stream,
        pytest.raises(anthropic.APIStatusError, match="Overloaded"),
    ):
        stream.until_done()
    mine = MessageStream()
    mine.receive_data(transcript.data)
    assert mine.events_received()
    with pytest.raises(OverloadedError, match="Overloaded"):
        mine.events_received()


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 529])
def test_error_answers_are_understood(status: int) -> None:
    with (
        serve_in_thread(ReplayServer([Answer.error(status, "said so")])) as address,
        client_at(address.url) as client,
        pytest.raises(anthropic.APIStatusError) as caught,
    ):
        client.messages.create(**ARGUMENTS)
    assert caught.value.status_code == status
    assert "said so" in str(caught.value)


def test_tokens_are_counted_and_models_listed() -> None:
    server = ReplayServer([], input_tokens=17, models=["claude-a", "claude-b"])
    with serve_in_thread(server) as address, client_at(address.url) as client:
        counted = client.messages.count_tokens(model="claude-a", messages=ARGUMENTS["messages"])
        assert counted.input_tokens == 17
        assert [model.id for model in client.models.list()] == ["claude-a", "claude-b"]
        assert client.models.retrieve("claude-b").id == "claude-b"
        with pytest.raises(anthropic.NotFoundError):
            client.models.retrieve("claude-c")
