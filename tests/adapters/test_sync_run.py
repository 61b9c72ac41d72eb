"""What a tool may raise under the blocking client: alone, beside others, in a run that is stopped, and too late."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from sansio_claude.sync import Client
from sansio_claude.tools import ToolFinished, ToolStarted, tool
from tests.adapters.test_run_exceptions import (
    ASK,
    BOUND,
    ENDS_THE_RUN,
    KINDS,
    Scene,
    Tools,
    call,
    serving,
    whole,
    words_of,
)

NO_LOOP: Any = None
SCENE = Scene("sync", Client, NO_LOOP, asyncio.sleep, NO_LOOP)


@pytest.fixture(params=["raises", "raises_later"])
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def bounded(function: Any) -> None:
    """Call it in a thread, and fail where it does not come back."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(BOUND)
    assert not thread.is_alive()
    for error in errors:
        raise error


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside others"])
def test_what_a_tool_raises_is_a_result_or_ends_the_run(name: str, kind: str, beside: bool) -> None:
    others = [call(2, "fine"), call(3, "fine_later")] if beside else []
    tools = Tools(SCENE, kind)
    given = [tool(getattr(tools, name)), tool(tools.fine), tool(tools.fine_later)]

    def main() -> None:
        with serving(call(1, name), *others) as endpoint, Client(endpoint) as client:
            with client.run(tools=given, **ASK) as run:
                if kind in ENDS_THE_RUN:
                    with pytest.raises(type(KINDS[kind]())):
                        run.final_message()
                else:
                    events = [event for _, event in run if isinstance(event, ToolStarted | ToolFinished)]
                    assert len(events) == 2 + 4 * beside
            assert whole(run) == []
            results = {block["tool_use_id"]: block for block in run.history[2]["content"]}
            assert results["toolu_1"]["is_error"]
            if kind in ENDS_THE_RUN:
                assert "interrupted" in results["toolu_1"]["content"]
                assert client.run(run.loop).final_message().text == "Done."
            else:
                assert results["toolu_1"]["content"].startswith(words_of(kind, name))
                assert [block["content"] for block in run.history[2]["content"][1:]] == [
                    "fine",
                    "fine later",
                ][: 2 * beside]

    bounded(main)
    assert tools.begun == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_stopped_run_ends_at_once_whatever_its_tools_raise_then(name: str, kind: str) -> None:
    tools = Tools(SCENE, kind, waits=True)
    given = [tool(getattr(tools, name)), tool(tools.fine)]

    def main() -> None:
        with serving(call(1, name), call(2, name), call(3, "fine")) as endpoint, Client(endpoint) as client:
            with client.run(tools=given, concurrency=2, **ASK) as run:

                def stop() -> None:
                    while tools.begun < 2:
                        threading.Event().wait(0.001)
                    run.interrupt()

                threading.Thread(target=stop, daemon=True).start()
                for _ in run:
                    pass
                assert run.finished is not None
                assert run.finished.reason == "interrupted"
            tools.let_go.set()
            assert whole(run) == []
            contents = [block["content"] for block in run.history[2]["content"]]
            assert ["interrupted" in words for words in contents] == [True, True, False]
            assert tools.others == 0
            assert client.run(run.loop).final_message().text == "Done."

    bounded(main)


@pytest.mark.parametrize("kind", KINDS)
def test_after_its_time_limit_a_tool_may_raise_what_it_wants(name: str, kind: str) -> None:
    tools = Tools(SCENE, kind, waits=True)
    given = [tool(getattr(tools, name), timeout=0.01), tool(tools.fine)]

    def main() -> None:
        with serving(call(1, name), call(2, "fine")) as endpoint, Client(endpoint) as client:
            with client.run(tools=given, **ASK) as run:
                events = [event for _, event in run if isinstance(event, ToolFinished)]
            tools.let_go.set()
            assert {event.call.id: event.ending for event in events} == {"toolu_1": "timeout", "toolu_2": "result"}
            assert "may still be running" in run.history[2]["content"][0]["content"]
            assert whole(run) == []

    bounded(main)


def test_an_async_tool_runs_in_an_event_loop_of_its_own_and_is_approved_first() -> None:
    seen: list[str] = []

    async def add(a: int, b: int) -> int:
        """Add two numbers."""
        await asyncio.sleep(0)
        seen.append("ran")
        return a + b

    async def approve(**given: Any) -> bool:
        await asyncio.sleep(0)
        seen.append(f"asked {given}")
        return True

    given = {**call(1, "add"), "input": {"a": 1, "b": 2}}
    with serving(given) as endpoint, Client(endpoint) as client:
        run = client.run(tools=[tool(add, confirm=approve)], timeout=BOUND, **ASK)
        assert run.final_message().text == "Done."
    assert seen == ["asked {'a': 1, 'b': 2}", "ran"]
    assert run.history[2]["content"][0]["content"] == "3"
