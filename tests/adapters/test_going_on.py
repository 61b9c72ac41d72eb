"""Going on after an answer that broke off, over the clients: the parts join to the whole, and nothing is repeated."""

from __future__ import annotations

from typing import Any

import pytest

from sansio_claude._call.retry import RetryPolicy
from sansio_claude._errors import ClaudeError
from sansio_claude._request.continuation import Continuation, NoContinuation, continuation
from sansio_claude.testing import Transcript, compose
from tests.adapters.runtimes import LOOPS, Runtime
from tests.adapters.test_run import GO, sent, serving

STORY = "Once upon a time there was a stream that ended before its end, and nobody had noticed it but the reader."


@pytest.fixture(params=LOOPS, ids=repr)
def loop(request: pytest.FixtureRequest) -> Runtime:
    runtime: Runtime = request.param
    return runtime


async def tell(client: Any, request: Any, shown: list[str]) -> str:
    """The whole text, whatever happens on the way."""
    text = ""
    try:
        async with client.stream(**request) as stream:
            async for piece in stream.text():
                text += piece
        return text
    except ClaudeError as error:
        found = continuation(request, error)
        assert isinstance(found, Continuation), found
        shown.append(found.how)
        return found.join(await tell(client, found.request, shown))


@pytest.mark.parametrize(("model", "how"), [("claude-sonnet-4-5", "prefill"), ("claude-opus-5-5", "ask")])
@pytest.mark.parametrize("fault", ["cut", "error"])
def test_a_story_told_in_three_parts(loop: Runtime, model: str, how: str, fault: str) -> None:
    request = {"model": model, "max_tokens": 1000, "messages": [GO]}

    def part(text: str, *, whole: bool = False) -> Transcript:
        composed = compose([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": text}], seed=len(text))
        if whole:
            return composed
        ends = [n for n, frame in enumerate(composed.frames) if b"text_delta" in frame]
        return composed.first(ends[-1] + 1) if fault == "cut" else composed.with_error(ends[-1] + 1)

    # A prefilled model goes on with the space that was stripped; one that is asked begins with the next word.
    gap = " " if how == "prefill" else ""
    parts = [part(STORY[:23]), part(gap + STORY[23:60]), part(gap.lstrip() + STORY[60:], whole=True)]
    shown: list[str] = []

    async def main() -> None:
        with serving(*parts) as (server, endpoint):
            async with loop.Client(endpoint, retry=RetryPolicy(max_retries=0)) as client:
                assert await tell(client, request, shown) == STORY
            last = sent(server)[-1] if how == "ask" else server.requests[-1].json()["messages"]
            assert shown == [how, how]
            assert last[1]["content"][0]["type"] == "thinking"
            assert last[1]["content"][1]["text"] == STORY[:23].rstrip()

    loop.run(main)


def test_an_answer_that_needs_nothing_more(loop: Runtime) -> None:
    request = {"model": "claude-opus-5-5", "max_tokens": 1000, "messages": [GO]}

    async def main() -> None:
        with serving(compose(STORY)) as (_, endpoint):
            async with loop.Client(endpoint) as client:
                found = continuation(request, await client.create(**request))
                assert isinstance(found, NoContinuation)
                assert found.reason == "finished"

    loop.run(main)
