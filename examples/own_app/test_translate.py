"""Its tests, with the fixtures of this library. Run them with

    python -m pytest -p sansio_claude.testing.pytest examples/own_app

or name the plugin in the topmost conftest.py: `pytest_plugins = ["sansio_claude.testing.pytest"]`.
"""

from __future__ import annotations

import asyncio

import pytest

from examples.own_app.translate import translated
from sansio_claude import RetryPolicy, TruncatedError
from sansio_claude.testing import Answer, RecordedRequest, Transcript, compose
from sansio_claude.testing.pytest import ReplayFactory

WORDS = {"Good morning": "God morgen", "Thanks": "Takk"}


def test_each_line_has_its_translation(claude_replay: ReplayFactory) -> None:
    def answer(request: RecordedRequest) -> Transcript:
        body = request.json()
        assert "Norwegian" in body["system"]  # a failed assertion fails this test, whatever the program makes of it
        return compose(WORDS[body["messages"][0]["content"]])

    server, endpoint = claude_replay(answer, cycle=True)
    assert asyncio.run(translated([*WORDS], "Norwegian", endpoint)) == [*WORDS.values()]
    assert len(server.requests) == 2


def test_a_busy_server_is_asked_again(claude_replay: ReplayFactory) -> None:
    server, endpoint = claude_replay(Answer.error(529, "Overloaded"), compose("Takk"))
    retry = RetryPolicy(initial=0)
    assert asyncio.run(translated(["Thanks"], "Norwegian", endpoint, retry)) == ["Takk"]
    assert len(server.requests) == 2


def test_a_line_stays_where_the_limits_allow_no_more(claude_replay: ReplayFactory) -> None:
    _, endpoint = claude_replay(Answer.error(429, "slow down"))
    assert asyncio.run(translated(["Thanks"], "Norwegian", endpoint, RetryPolicy(max_retries=0))) == ["Thanks"]


def test_half_a_translation_is_no_translation(claude_replay: ReplayFactory) -> None:
    data = compose("Takk for all hjelpen").data
    _, endpoint = claude_replay(Answer.stream(Transcript.from_bytes(data[: data.index(b"event: message_delta")])))
    with pytest.raises(TruncatedError):
        asyncio.run(translated(["Thanks"], "Norwegian", endpoint))
