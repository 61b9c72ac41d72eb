"""client.extract on every event loop: a checked value, and partial values on the way (E7)."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import attrs
import pytest

from sansio_claude._call.retry import RetryPolicy
from sansio_claude._errors import LocalProtocolError, OverloadedError, RefusalError
from sansio_claude.testing import compose
from tests.adapters.runtimes import LOOPS, Runtime
from tests.adapters.test_run import ASK, call, sent, serving


@attrs.define
class Book:
    title: str
    chapters: list[str]


CHAPTERS = [f"Chapter {number}, in which things happen" for number in range(5)]
TOOL = {**ASK, "model": "claude-opus-4-1"}  # which has no structured output
BOOK = compose([call(1, "give_answer", title="A Book", chapters=CHAPTERS)], seed=3)


@pytest.fixture(params=LOOPS, ids=repr)
def loop(request: pytest.FixtureRequest) -> Runtime:
    runtime: Runtime = request.param
    return runtime


def test_E7_a_value_can_be_awaited(loop: Runtime) -> None:
    async def main() -> None:
        with serving(BOOK) as (server, endpoint):
            async with loop.Client(endpoint) as client:
                book = await client.extract(Book, **TOOL)
                assert book == Book("A Book", CHAPTERS)
            assert server.requests[0].json()["tools"][0]["input_schema"]["required"] == ["title", "chapters"]

    loop.run(main)


def test_E7_partial_values_grow_on_the_way(loop: Runtime) -> None:
    async def main() -> None:
        with serving(BOOK) as (_, endpoint):
            async with loop.Client(endpoint) as client, client.extract(Book, **TOOL) as extraction:
                with pytest.raises(LocalProtocolError, match="no value yet"):
                    _ = extraction.value
                seen = [partial async for partial in extraction]
                assert extraction.value == Book("A Book", CHAPTERS)
                assert extraction.message is extraction.extractor.loop.message is not None
            lengths = [len(str(partial)) for partial in seen]
            assert lengths == sorted(lengths)
            assert len(set(lengths)) > 20
            assert seen[-1] == {"title": "A Book", "chapters": CHAPTERS}
            firsts = [partial["chapters"][0] for partial in seen if partial.get("chapters")]
            assert all(CHAPTERS[0].startswith(first) for first in firsts)
            assert 0 < len(firsts[0]) < len(CHAPTERS[0])

    loop.run(main)


def test_a_wrapped_value_comes_without_its_wrapping(loop: Runtime) -> None:
    async def main() -> None:
        with serving(compose([{"type": "text", "text": "Here."}, call(1, "numbers", value=[10, 20, 30])])) as (
            _,
            endpoint,
        ):
            async with loop.Client(endpoint) as client, client.extract(list[int], name="numbers", **TOOL) as extraction:
                seen = [partial async for partial in extraction]
                assert seen[-1] == extraction.value == [10, 20, 30]

    loop.run(main)


def test_inputs_of_other_calls_are_no_partial_values(loop: Runtime) -> None:
    search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "a book"}}
    found = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
    blocks: list[dict[str, Any]] = [
        search,
        found,
        call(1, "give_answer", title="A Book", chapters=CHAPTERS),
        call(2, "other", title=0),
    ]

    async def main() -> None:
        with serving(compose(blocks, seed=3)) as (_, endpoint):
            async with loop.Client(endpoint) as client, client.extract(Book, **TOOL) as extraction:
                seen = [partial async for partial in extraction]
                assert extraction.value == Book("A Book", CHAPTERS)
            assert set().union(*seen) == {"title", "chapters"}
            assert all(isinstance(partial.get("title", ""), str) for partial in seen)

    loop.run(main)


def test_an_attempt_that_does_not_fit_is_followed_by_another(loop: Runtime) -> None:
    wrong = compose([call(1, "give_answer", title="A Book")])
    right = compose([call(2, "give_answer", title="A Book", chapters=CHAPTERS)])

    async def main() -> None:
        with serving(wrong, right) as (server, endpoint):
            async with loop.Client(endpoint) as client:
                assert (await client.extract(Book, **TOOL)).chapters == CHAPTERS
            assert "`chapters`" in sent(server)[1][-1]["content"][0]["content"]

    loop.run(main)


def test_no_value_and_a_broken_stream_are_errors(loop: Runtime) -> None:
    async def main() -> None:
        with serving(compose("No.", stop_reason="refusal"), BOOK.with_error(5), BOOK) as (_, endpoint):
            async with loop.Client(endpoint, retry=RetryPolicy(max_retries=0)) as client:
                with pytest.raises(RefusalError, match="ended with refusal"):
                    await client.extract(Book, **TOOL)
                with pytest.raises(OverloadedError):
                    await client.extract(Book, **TOOL)
                async with client.extract(Book, **TOOL) as extraction:
                    async for _ in extraction:
                        break  # leaving early closes the stream

    loop.run(main)


def test_what_no_schema_can_be_made_of_is_the_callers_mistake(loop: Runtime) -> None:
    async def main() -> None:
        with serving(BOOK) as (_, endpoint):
            async with loop.Client(endpoint) as client:
                kind: Any = type
                with pytest.raises(LocalProtocolError, match="no JSON schema"):
                    client.extract(kind, **TOOL)

    loop.run(main)


def test_N6_by_structured_output_a_value_and_partial_values(loop: Runtime) -> None:
    said = '{"title": "A Book", "chapters": ' + json.dumps(CHAPTERS) + "}"
    wrong = compose('{"title": 3}', stop_reason="end_turn")

    async def main() -> None:
        with serving(wrong, compose(said, seed=3, stop_reason="end_turn")) as (server, endpoint):
            async with loop.Client(endpoint) as client, client.extract(Book, **ASK) as extraction:
                seen = [partial async for partial in extraction]
                assert extraction.value == Book("A Book", CHAPTERS)
            lengths = [len(str(partial)) for partial in seen[1:]]
            assert lengths == sorted(lengths)
            assert len(set(lengths)) > 10
            assert seen[0] == {"title": 3}
            assert seen[-1] == {"title": "A Book", "chapters": CHAPTERS}
            first, second = (request.json() for request in server.requests)
            assert first["output_config"]["format"]["schema"]["required"] == ["title", "chapters"]
            assert "tools" not in first
            assert "Expected `str`, got `int`" in second["messages"][-1]["content"][0]["text"]

    loop.run(main)


def test_a_local_type_is_found_where_the_client_is_used(loop: Runtime) -> None:
    @dataclasses.dataclass
    class Street:
        name: str

    @dataclasses.dataclass
    class House:
        street: Street

    async def main() -> None:
        with serving(compose('{"street": {"name": "Main"}}')) as (_, endpoint):
            async with loop.Client(endpoint) as client:
                assert await client.extract(House, **ASK) == House(Street("Main"))

    loop.run(main)
