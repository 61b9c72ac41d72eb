"""What a tool may raise, where, and meanwhile: each run ends within its bound with what is promised.

Every kind of exception, from a function and from a coroutine function, on every event loop (also under anyio), alone,
beside other calls, in a run that is cancelled, and after its time limit.
"""

# ruff: noqa: B023 - the functions made in a loop are called in the same turn of it

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import attrs
import pytest
import trio

import sansio_claude.asyncio
import sansio_claude.trio
from sansio_claude._errors import ToolError
from sansio_claude._request.endpoint import Endpoint
from sansio_claude._request.request import MessageRequest
from sansio_claude.testing import RecordedRequest, ReplayServer, Transcript, compose, serve_in_thread
from sansio_claude.tools import ToolFinished, ToolStarted, tool
from tests.adapters.runtimes import LOOPS, Runtime

ASK: dict[str, Any] = {"model": "claude-opus-5-5", "max_tokens": 100, "messages": [{"role": "user", "content": "go"}]}
BOUND = 20  # seconds: far more than any of it takes, and far less than for ever


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


class Stop(BaseException):
    pass


def deep() -> BaseException:
    try:
        return deep()
    except RecursionError as error:
        return error


KINDS: dict[str, Callable[[], BaseException]] = {
    "ValueError": lambda: ValueError("bad"),
    "ToolError": lambda: ToolError("exactly this"),
    "Unspeakable": Unspeakable,
    "StopIteration": lambda: StopIteration("none"),
    "StopAsyncIteration": StopAsyncIteration,
    "GeneratorExit": GeneratorExit,
    "asyncio.CancelledError": asyncio.CancelledError,
    "concurrent.futures.CancelledError": concurrent.futures.CancelledError,
    "InvalidStateError": asyncio.InvalidStateError,
    "TimeoutError": TimeoutError,
    "RecursionError": deep,
    "MemoryError": MemoryError,
    "ExceptionGroup": lambda: ExceptionGroup("several", [ValueError("one"), KeyError("two")]),
    "BaseExceptionGroup": lambda: BaseExceptionGroup("several", [asyncio.CancelledError(), GeneratorExit()]),
    "group with KeyboardInterrupt": lambda: BaseExceptionGroup("several", [ValueError(), KeyboardInterrupt()]),
    "KeyboardInterrupt": KeyboardInterrupt,
    "SystemExit": lambda: SystemExit(3),
    "BaseException": Stop,
}
ENDS_THE_RUN = {"group with KeyboardInterrupt", "KeyboardInterrupt", "SystemExit", "BaseException"}


@attrs.define(frozen=True)
class Scene:
    """An event loop, and how something in it is cancelled."""

    name: str
    client: Any
    run: Callable[..., Any]
    sleep: Callable[[float], Awaitable[Any]]
    cancel_when: Callable[..., Awaitable[None]]

    def __repr__(self) -> str:
        return self.name


async def anyio_cancel_when(ready: Callable[[], bool], seconds: float, function: Callable[[], Awaitable[Any]]) -> None:
    async with anyio.create_task_group() as group:

        async def cancel() -> None:
            while not ready():
                await anyio.sleep(0.001)
            await anyio.sleep(seconds)
            group.cancel_scope.cancel()

        group.start_soon(cancel)
        await function()
        group.cancel_scope.cancel()


def scene_of(loop: Runtime) -> Scene:
    return Scene(loop.name, loop.Client, loop.run, loop.sleep, loop.cancel_when)


def anyio_scene(backend: str, client: Any) -> Scene:
    run = functools.partial(anyio.run, backend=backend)
    return Scene(f"anyio-{backend}", client, run, anyio.sleep, anyio_cancel_when)


SCENES = [
    *map(scene_of, LOOPS),
    anyio_scene("asyncio", sansio_claude.asyncio.Client),
    anyio_scene("trio", sansio_claude.trio.Client),
]


@contextmanager
def serving(*content: dict[str, Any]) -> Iterator[Endpoint]:
    """A server that answers results with "Done.", and everything else with these calls."""

    def reply(request: RecordedRequest) -> Transcript:
        last = request.json()["messages"][-1]["content"]
        answered = isinstance(last, list) and any(block["type"] == "tool_result" for block in last)
        return compose("Done.") if answered else compose([*content])

    with serve_in_thread(ReplayServer([reply], cycle=True)) as address:
        yield Endpoint.from_base_url(address.url, api_key="sk-test")


def call(number: int, name: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": {}}


def whole(run: Any) -> list[str]:
    """The run's history can be gone on with, whatever ended it."""
    messages = [*run.history, {"role": "user", "content": "Never mind."}]
    return [
        problem.message
        for problem in MessageRequest(**{**ASK, "messages": messages}).check()
        if problem.severity == "error"
    ]


class Tools:
    """A tool that raises, in its two forms, and two others that do not."""

    def __init__(self, scene: Scene, kind: str, *, waits: bool = False) -> None:
        self.scene = scene
        self.make = KINDS[kind]
        self.begun = 0
        self.others = 0
        self.waits = waits
        self.let_go = threading.Event()

    def raises(self) -> None:
        """Raise, perhaps after a long time."""
        self.begun += 1
        if self.waits:
            self.let_go.wait(BOUND)
        raise self.make()

    async def raises_later(self) -> None:
        """Raise, perhaps when it is cancelled."""
        self.begun += 1
        try:
            await self.scene.sleep(BOUND * 10 if self.waits else 0)
        finally:
            raise self.make()

    def fine(self) -> str:
        """Give a text."""
        self.others += 1
        return "fine"

    async def fine_later(self) -> str:
        """Give a text."""
        self.others += 1
        await self.scene.sleep(0)
        return "fine later"


@pytest.fixture(params=SCENES, ids=repr)
def scene(request: pytest.FixtureRequest) -> Scene:
    found: Scene = request.param
    return found


@pytest.fixture(params=["raises", "raises_later"])
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def words_of(kind: str, name: str) -> str:
    """How the error result begins."""
    error = KINDS[kind]()
    if kind == "ToolError":
        return "exactly this"
    if name == "raises_later" and isinstance(error, StopIteration | StopAsyncIteration):
        # A coroutine cannot raise StopIteration: Python makes a RuntimeError of it. StopAsyncIteration it can.
        return "RuntimeError: " if isinstance(error, StopIteration) else "StopAsyncIteration"
    return type(error).__name__


async def bounded(scene: Scene, function: Callable[[], Awaitable[Any]]) -> None:
    """Fail, instead of hanging, where the bound is passed."""
    done: list[bool] = []

    async def run() -> None:
        await function()
        done.append(True)

    await scene.cancel_when(lambda: True, BOUND, run)
    assert done


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside others"])
def test_what_a_tool_raises_is_a_result_or_ends_the_run(
    scene: Scene, name: str, beside: bool, caplog: pytest.LogCaptureFixture
) -> None:
    others = [call(2, "fine"), call(3, "fine_later")] if beside else []
    with serving(call(1, name), *others) as endpoint:
        for kind in KINDS:
            tools = Tools(scene, kind)
            given = [tool(getattr(tools, name)), tool(tools.fine), tool(tools.fine_later)]
            seen: list[Any] = []

            async def main() -> None:
                async with scene.client(endpoint) as client, client.run(tools=given, **ASK) as run:
                    if kind in ENDS_THE_RUN:
                        with pytest.raises(type(KINDS[kind]())):
                            await run.final_message()
                    else:
                        async for _, event in run:
                            if isinstance(event, ToolStarted | ToolFinished):
                                seen.append(event)
                        assert run.message.text == "Done."
                assert whole(run) == []
                results = {block["tool_use_id"]: block for block in run.history[2]["content"]}
                assert results["toolu_1"]["is_error"]
                if kind not in ENDS_THE_RUN:
                    assert results["toolu_1"]["content"].startswith(words_of(kind, name))
                    assert [block["content"] for block in run.history[2]["content"][1:]] == ["fine", "fine later"][
                        : 2 * beside
                    ]
                else:
                    assert "interrupted" in results["toolu_1"]["content"]
                    async with scene.client(endpoint) as client:
                        assert (await client.run(run.loop)).text == "Done."

            caplog.clear()
            with caplog.at_level(logging.WARNING):
                scene.run(functools.partial(bounded, scene, main))
            assert tools.begun == 1
            if kind in ENDS_THE_RUN:
                continue
            started = [event.call.id for event in seen if isinstance(event, ToolStarted)]
            assert sorted(started) == ["toolu_1", "toolu_2", "toolu_3"][: 1 + 2 * beside]
            (ended,) = [event for event in seen if isinstance(event, ToolFinished) and event.call.id == "toolu_1"]
            assert ended.is_error
            assert ended.ending in ("tool_error", "tool_failure", "interrupted")
            assert (ended.ending == "tool_error") == (kind == "ToolError")
            logged = [record for record in caplog.records if record.name.startswith("sansio_claude.")]
            assert len(logged) == (kind != "ToolError")
            assert all(record.exc_info and record.levelno == logging.WARNING for record in logged)


def test_a_cancelled_run_is_cancelled_whatever_its_tools_raise_then(scene: Scene, name: str) -> None:
    with serving(call(1, name), call(2, name), call(3, "fine"), call(4, "fine_later")) as endpoint:
        for kind in KINDS:
            tools = Tools(scene, kind, waits=True)
            given = [tool(getattr(tools, name)), tool(tools.fine), tool(tools.fine_later)]
            ended: list[BaseException] = []

            async def main() -> None:
                async with scene.client(endpoint) as client:
                    run = client.run(tools=given, concurrency=2, **ASK)

                    async def drive() -> None:
                        async with run:
                            try:
                                await run.final_message()
                            except BaseException as error:
                                ended.append(error)
                                raise

                    await scene.cancel_when(lambda: tools.begun == 2, 0, drive)
                    assert [type(error).__name__ for error in ended] in (["CancelledError"], ["Cancelled"])
                    assert tools.others == 0  # what had not begun never begins
                    assert whole(run) == []
                    contents = [block["content"] for block in run.history[-1]["content"]]
                    assert ["interrupted" in words for words in contents] == [True, True, False, False]
                    tools.let_go.set()
                    assert (await client.run(run.loop)).text == "Done."
                    results = run.history[2]["content"]
                    assert [block["content"] for block in results[2:]] == ["fine", "fine later"]

            scene.run(functools.partial(bounded, scene, main))
            assert (tools.begun, tools.others) == (2, 2)


def test_after_its_time_limit_a_tool_may_raise_what_it_wants(scene: Scene, name: str) -> None:
    with serving(call(1, name), call(2, "fine")) as endpoint:
        for kind in KINDS:
            tools = Tools(scene, kind, waits=True)
            given = [tool(getattr(tools, name), timeout=0.01), tool(tools.fine)]
            seen: list[ToolFinished] = []

            async def main() -> None:
                async with scene.client(endpoint) as client, client.run(tools=given, **ASK) as run:
                    async for _, event in run:
                        if isinstance(event, ToolFinished):
                            seen.append(event)
                assert run.message.text == "Done."
                first, second = run.history[2]["content"]
                assert first["is_error"]
                assert "not done within 0.01 s" in first["content"]
                assert "may still be running" in first["content"]
                assert second["content"] == "fine"
                assert whole(run) == []

            scene.run(functools.partial(bounded, scene, main))
            tools.let_go.set()
            assert {event.call.id: event.ending for event in seen} == {"toolu_1": "timeout", "toolu_2": "result"}


@pytest.mark.parametrize("method", ["to_param", "__iter__", "__str__"])
def test_what_the_value_of_a_tool_raises_is_a_result_or_ends_the_run(method: str) -> None:
    """A value is written as a result by its own methods, and an exception is told in its own words."""

    def broken(kind: str) -> Any:
        def fail(self: Any) -> Any:
            raise KINDS[kind]()

        return type("Broken", (Exception if method == "__str__" else list,), {method: fail})(["x"])

    with serving(call(1, "gives")) as endpoint:
        for kind in KINDS:

            def gives() -> Any:
                """Give a broken value, or raise it."""
                value = broken(kind)
                if isinstance(value, Exception):
                    raise value
                return value

            async def main() -> None:
                async with sansio_claude.trio.Client(endpoint) as client, client.run(tools=[gives], **ASK) as run:
                    if kind in ENDS_THE_RUN:
                        with pytest.raises(type(KINDS[kind]())):
                            await run.final_message()
                    else:
                        assert (await run.final_message()).text == "Done."
                        assert run.history[2]["content"][0]["is_error"]
                    assert whole(run) == []

            trio.run(main)
