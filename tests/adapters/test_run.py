"""client.run on every event loop, end to end against the replay server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sansio_claude._call.retry import RetryPolicy
from sansio_claude._errors import (
    ClaudeError,
    LocalProtocolError,
    OverloadedError,
    ToolError,
    TruncatedError,
)
from sansio_claude._request.endpoint import Endpoint
from sansio_claude._stream.events import InputJSONDelta, MessageStart, MessageStop, TextDelta
from sansio_claude.testing import Answer, ReplayServer, Transcript, compose, serve_in_thread
from sansio_claude.tools import DiskFiles, TextEditor, Tool, ToolLoop, tool
from sansio_claude.tools._run import Run
from tests.adapters.runtimes import LOOPS, Runtime
from tests.tools.history import problems

GO = {"role": "user", "content": "What is the weather like?"}
ASK: dict[str, Any] = {"model": "claude-opus-5-5", "max_tokens": 1000, "messages": [GO]}


@pytest.fixture(params=LOOPS, ids=repr)
def loop(request: pytest.FixtureRequest) -> Runtime:
    runtime: Runtime = request.param
    return runtime


@contextmanager
def serving(*script: Any) -> Iterator[tuple[ReplayServer, Endpoint]]:
    server = ReplayServer(list(script))
    with serve_in_thread(server) as address:
        yield server, Endpoint.from_base_url(address.url, api_key="sk-test")


def call(number: int, name: str, /, **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": given}


def sent(server: ReplayServer) -> list[list[dict[str, Any]]]:
    """The messages of every request; each is one that the API accepts."""
    found = [request.json()["messages"] for request in server.requests]
    for messages in found:
        assert problems(messages) == []
    return found


@tool
def get_weather(location: str) -> str:
    """Get the weather at a place."""
    return f"15 degrees in {location}"


def test_a_conversation_with_a_tool(loop: Runtime) -> None:
    first = compose([{"type": "text", "text": "Let me look."}, call(1, "get_weather", location="Berlin")], seed=1)
    last = compose("It has 15 degrees.", seed=2)

    async def main() -> None:
        with serving(first, last) as (server, endpoint):
            async with loop.Client(endpoint) as client:
                async with client.run(tools=[get_weather], **ASK) as run:
                    seen = [(turn, event) async for turn, event in run]
                assert [turn for turn, event in seen if isinstance(event, MessageStart)] == [1, 2]
                assert sum(isinstance(event, MessageStop) for _, event in seen) == 2
                text = "".join(event.text for turn, event in seen if turn == 2 and isinstance(event, TextDelta))
                assert text == run.message.text == "It has 15 degrees."
                assert run.finished is not None
                assert run.finished.reason == "end_turn"
                assert run.history[:-1] == sent(server)[-1]
                assert run.history[-1]["content"] == [{"type": "text", "text": text}]
                assert run.history[2]["content"] == [
                    {"type": "tool_result", "tool_use_id": "toolu_1", "content": "15 degrees in Berlin"}
                ]
            assert server.connections == 1  # the connection is kept between turns

    loop.run(main)


def test_E3_parallel_tools_overlap_in_time(loop: Runtime) -> None:
    meeting = threading.Barrier(3, timeout=10)
    running: set[str] = set()
    together: list[int] = []

    async def wait(name: str) -> str:
        """Wait for the others."""
        running.add(name)
        while len(running) < 3:  # ends only when all three run at once
            await loop.sleep(0.001)
        together.append(len(running))
        return name

    def meet(name: str) -> str:
        """Meet the others, in threads."""
        meeting.wait()
        return name

    first = compose([call(number, "wait", name=str(number)) for number in range(3)])
    second = compose([call(number + 3, "meet", name=str(number)) for number in range(3)])

    async def main() -> None:
        with serving(first, second, compose("Done.")) as (server, endpoint):
            async with loop.Client(endpoint) as client, client.run(tools=[wait, meet], **ASK) as run:
                await run.final_message()
            assert together == [3, 3, 3]
            for turn in (2, 4):
                results = sent(server)[-1][turn]["content"]
                assert [block["content"] for block in results] == ["0", "1", "2"]

    loop.run(main)


def test_no_more_calls_run_at_once_than_allowed(loop: Runtime) -> None:
    running = 0
    most = 0

    async def count(n: int) -> int:
        """Count."""
        nonlocal running, most
        running += 1
        most = max(most, running)
        await loop.sleep(0.001)
        running -= 1
        return n

    async def main() -> None:
        with serving(compose([call(n, "count", n=n) for n in range(9)]), compose("Done.")) as (server, endpoint):
            async with loop.Client(endpoint) as client, client.run(tools=[count], concurrency=2, **ASK) as run:
                await run.final_message()
            assert most == 2
            assert [block["content"] for block in sent(server)[-1][-1]["content"]] == list("012345678")

    loop.run(main)


class Enough(Exception):
    pass


async def cancelled_when(
    loop: Runtime, run: Run, reached: Callable[[], bool], *, then: Callable[[], None] = lambda: None
) -> None:
    """Drive the run until something is reached, cancel it, and wait until that is through."""

    async def cancel() -> None:
        while not reached():
            await loop.sleep(0.001)
        then()
        raise Enough

    with contextlib.suppress(BaseExceptionGroup):
        await loop.gather(run.final_message, cancel)


def test_cancelling_in_the_middle_of_a_tool_leaves_nothing_running(loop: Runtime) -> None:
    log: list[str] = []

    async def hang(n: int) -> None:
        """Hang."""
        log.append(f"begun {n}")
        try:
            await loop.sleep(60)
        finally:
            log.append(f"over {n}")

    async def answer(n: int) -> int:
        """Answer."""
        return n

    async def main() -> None:
        with serving(compose([call(1, "hang", n=1), call(2, "hang", n=2)]), compose("Done.")) as (server, endpoint):
            async with loop.Client(endpoint) as client:
                async with client.run(tools=[hang], **ASK) as run:
                    await cancelled_when(loop, run, lambda: len(log) == 2)
                    assert sorted(log) == ["begun 1", "begun 2", "over 1", "over 2"]
                    assert run.finished is None
                    saved = run.loop.to_dict()
                assert saved["results"] == {}
                assert saved["begun"] == ["toolu_1", "toolu_2"]
                # Taken up again, perhaps in another process, the calls are run again where that does no harm.
                again = ToolLoop.from_dict(saved, tools=[tool(answer, name="hang", idempotent=True)])
                async with client.run(again) as run:
                    assert (await run.final_message()).text == "Done."
            assert [block["content"] for block in sent(server)[1][-1]["content"]] == ["1", "2"]

    loop.run(main)


def test_a_function_in_a_thread_is_left_behind_when_it_is_cancelled(loop: Runtime) -> None:
    begun: list[str] = []
    let_go = threading.Event()
    over = threading.Semaphore(0)

    def work(how: str) -> Any:
        """Work in a thread, which nobody can stop."""
        begun.append(how)
        try:
            assert let_go.wait(20)
            if how == "fail":
                raise ValueError("failed")
            return loop.sleep(60) if how == "later" else how
        finally:
            over.release()

    async def main() -> None:
        content = [call(n, "work", how=how) for n, how in enumerate(("work", "fail", "later", "queued", "queued"))]
        with serving(compose(content), compose("Done.")) as (server, endpoint):
            async with loop.Client(endpoint) as client, client.run(tools=[work], concurrency=3, **ASK) as run:
                await cancelled_when(loop, run, lambda: len(begun) == 3)
                # Nobody has let the functions go: the run did not wait for them. What had not begun never begins.
                saved = run.loop.to_dict()
                assert saved["begun"] == ["toolu_0", "toolu_1", "toolu_2"]
                assert problems([*run.history, GO]) == []
                let_go.set()
                for _ in range(3):
                    assert over.acquire(timeout=20)
                assert sorted(begun) == ["fail", "later", "work"]
                assert len(server.requests) == 1
            # Gone on with, what had begun is answered as interrupted, and what had not is run.
            async with loop.Client(endpoint) as client:
                assert (await client.run(run.loop)).text == "Done."
            results = [block["content"] for block in sent(server)[-1][-1]["content"]]
            assert ["interrupted" in words for words in results] == [True, True, True, False, False]
            assert results[3:] == ["queued", "queued"]

    loop.run(main)


def test_a_tool_that_waits_for_something_cancelled_has_failed(loop: Runtime) -> None:
    async def wait() -> None:
        """Wait for a task that is cancelled."""
        task = asyncio.ensure_future(asyncio.sleep(60))
        task.cancel()
        await task

    async def main() -> None:
        with serving(compose([call(1, "wait")]), compose("Done.")) as (server, endpoint):
            async with loop.Client(endpoint) as client, client.run(tools=[wait], **ASK) as run:
                await run.final_message()
            assert sent(server)[-1][-1]["content"][0]["content"] == "CancelledError"

    if loop.name != "trio":
        loop.run(main)


def test_E4_a_raising_tool_answers_the_model(loop: Runtime) -> None:
    def fail(how: str) -> None:
        """Fail."""
        raise ToolError("exactly this") if how == "tool" else KeyError("no such thing")

    async def fail_later() -> None:
        """Fail."""
        raise ConnectionError("refused")

    async def group() -> None:
        """Fail several times."""
        raise ExceptionGroup("several", [ValueError("one")])

    content = [
        call(1, "fail", how="tool"),
        call(2, "fail", how="key"),
        call(3, "fail_later"),
        call(4, "group"),
        call(5, "fail", how=3),
        call(6, "unknown"),
    ]

    async def main() -> None:
        with serving(compose(content), compose("Sorry.")) as (server, endpoint):
            async with loop.Client(endpoint) as client, client.run(tools=[fail, fail_later, group], **ASK) as run:
                await run.final_message()
            results = sent(server)[-1][-1]["content"]
            assert all(block["is_error"] for block in results)
            texts = [block["content"] for block in results]
            assert texts[:4] == [
                "exactly this",
                "KeyError: 'no such thing'",
                "ConnectionError: refused",
                "ExceptionGroup: several (1 sub-exception)",
            ]
            assert "does not fit the tool fail" in texts[4]
            assert "There is no tool named 'unknown'" in texts[5]

    loop.run(main)


def test_what_ends_everything_is_no_result(loop: Runtime) -> None:
    class Stop(BaseException):
        pass

    async def stop() -> None:
        """Stop it all."""
        raise Stop

    async def main() -> None:
        with serving(compose([call(1, "stop"), call(2, "stop")])) as (_, endpoint):
            async with loop.Client(endpoint) as client, client.run(tools=[stop], **ASK) as run:
                with pytest.raises(Stop):
                    await run.final_message()

    loop.run(main)


def test_D3_fifty_turns_keep_every_signature_byte_for_byte(loop: Runtime) -> None:
    script: list[Transcript] = []
    for number in range(49):
        thinking = {"type": "thinking", "thinking": "hm" * (number % 3), "signature": f"c2ln{number:04}+/=="}
        redacted = {"type": "redacted_thinking", "data": f"b3BhcXVl{number:04}=="}
        extra = [redacted] if number % 5 == 0 else []
        script.append(compose([thinking, *extra, call(number, "get_weather", location=str(number))], seed=number))
    script.append(compose("Done."))

    async def main() -> None:
        with serving(*script) as (server, endpoint):
            async with loop.Client(endpoint) as client, client.run(tools=[get_weather], **ASK) as run:
                async for _ in run:
                    pass
            assert len(server.requests) == 50
            messages = server.requests[-1].json()["messages"]
            assert problems(messages) == []
            turns = [turn["content"] for turn in messages if turn["role"] == "assistant"]
            for number, content in enumerate(turns):
                whole = script[number].message
                assert whole is not None
                assert json.dumps(content) == json.dumps(whole["content"])
                assert content[0]["signature"] == f"c2ln{number:04}+/=="

    loop.run(main)


def test_a_cut_call_is_asked_for_again(loop: Runtime) -> None:
    cut = compose(
        [{"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"$incomplete_json": '{"loc'}}],
        stop_reason="max_tokens",
    )
    whole = compose([call(1, "get_weather", location="Berlin")])

    async def main() -> None:
        with serving(cut, whole, compose("Done.")) as (server, endpoint):
            async with loop.Client(endpoint) as client, client.run(tools=[get_weather], **ASK) as run:
                partial = [
                    run.stream.partial_input(event.index).text
                    async for turn, event in run
                    if turn == 1 and isinstance(event, InputJSONDelta)
                ]
            assert partial[-1] == '{"loc'
            assert [request.json()["max_tokens"] for request in server.requests] == [1000, 2000, 2000]
            assert len(sent(server)[-1]) == 3

    loop.run(main)


@pytest.mark.parametrize("fault", ["overloaded", "cut"])
def test_a_turn_that_breaks_off_can_be_asked_for_again(loop: Runtime, fault: str) -> None:
    first = compose([call(1, "get_weather", location="Berlin")])
    last = compose("It has 15 degrees.")
    broken = last.with_error(3) if fault == "overloaded" else last.first(4)

    async def main() -> None:
        with serving(first, broken, last) as (server, endpoint):
            async with loop.Client(endpoint, retry=RetryPolicy(max_retries=0)) as client:
                async with client.run(tools=[get_weather], **ASK) as run:
                    for _ in range(2):
                        with pytest.raises(OverloadedError if fault == "overloaded" else TruncatedError):
                            async for _ in run:
                                pass
                    assert run.finished is None
                async with client.run(run.loop) as again:
                    async for turn, _ in again:
                        assert turn == 2
                assert again.message.text == "It has 15 degrees."
            assert sent(server)[1] == sent(server)[2]

    loop.run(main)


def test_leaving_in_the_middle_of_an_answer(loop: Runtime) -> None:
    async def main() -> None:
        with serving(compose("A long answer. " * 50), compose("Hello.")) as (_, endpoint):
            async with loop.Client(endpoint) as client:
                async with client.run(tools=[get_weather], **ASK) as run:
                    async for _, event in run:
                        if isinstance(event, TextDelta):
                            break
                with pytest.raises(LocalProtocolError, match="has to be entered first"):
                    await run.__anext__()
                with pytest.raises(ZeroDivisionError):  # noqa: PT012
                    async with client.run(tools=[get_weather], **ASK) as run:
                        async for _ in run:
                            raise ZeroDivisionError
                assert (await client.create(**ASK)).text == "Hello."

    loop.run(main)


def test_limits_and_misuse(loop: Runtime) -> None:
    async def main() -> None:
        answer = compose([call(1, "get_weather", location="Berlin")])
        with serving(answer) as (server, endpoint):
            async with loop.Client(endpoint) as client:
                run = client.run(tools=[get_weather], max_turns=1, **ASK)
                with pytest.raises(LocalProtocolError, match="has to be entered first"):
                    await run.__anext__()
                async with run:
                    await run.final_message()
                    assert run.finished is not None
                    assert run.finished.reason == "max_turns"
                    assert len(run.history) == 3
                    with pytest.raises(LocalProtocolError, match="can be entered once"):
                        await run.__aenter__()
                async with client.run(tools=[get_weather], max_turns=0, **ASK) as run:
                    with pytest.raises(LocalProtocolError, match="before its first answer"):
                        await run.final_message()
                assert len(server.requests) == 1
                assert "Run turn" in repr(run)
                elsewhere = ToolLoop(tools=[get_weather], **ASK)
                async with client.run(elsewhere) as run:
                    await client.create(**ASK)
                    elsewhere.receive_message(answer_of(answer))
                    elsewhere.next_action()
                    with pytest.raises(LocalProtocolError, match="run elsewhere"):
                        await run.__anext__()

    loop.run(main)


def answer_of(transcript: Transcript) -> Any:
    from sansio_claude._message.message import Message

    assert transcript.message is not None
    return Message.from_dict(transcript.message)


def test_an_error_before_the_first_turn_is_raised_as_it_is(loop: Runtime) -> None:
    async def main() -> None:
        with serving(Answer.error(400, "max_tokens: required")) as (_, endpoint):
            async with loop.Client(endpoint) as client, client.run(tools=[get_weather], **ASK) as run:
                with pytest.raises(ClaudeError, match="max_tokens: required"):
                    async for _ in run:
                        pass

    loop.run(main)


def test_G2_the_editor_in_a_run_keeps_the_order_of_its_calls(loop: Runtime, tmp_path: Path) -> None:
    name = "str_replace_based_edit_tool"
    content = [
        call(1, name, command="create", path="/repo/a.py", file_text="x = 1\n"),
        call(2, name, command="str_replace", path="/repo/a.py", old_str="1", new_str="2"),
        call(3, name, command="view", path="/repo/a.py"),
        call(4, name, command="view", path="/etc/passwd"),
    ]

    async def main() -> None:
        folder = tmp_path / loop.name
        folder.mkdir()
        editor = TextEditor(DiskFiles(folder, name="/repo"))
        with serving(compose(content), compose("Done.")) as (server, endpoint):
            async with loop.Client(endpoint) as client, client.run(tools=[editor], **ASK) as run:
                await run.final_message()
            assert server.requests[0].json()["tools"] == [{"type": "text_editor_20250728", "name": name}]
            results = sent(server)[-1][-1]["content"]
            assert results[2]["content"] == "1: x = 2"
            assert results[3]["is_error"] is True
        assert (folder / "a.py").read_text() == "x = 2\n"

    loop.run(main)


def test_every_kind_of_function_runs(loop: Runtime) -> None:
    here = threading.get_ident()
    where: dict[str, bool] = {}

    def in_thread() -> str:
        """Run in a thread."""
        where["in_thread"] = threading.get_ident() == here
        time.sleep(0)
        return "a"

    @tool(thread=False)
    def in_loop() -> str:
        """Run in the loop's own thread."""
        where["in_loop"] = threading.get_ident() == here
        return "b"

    async def in_task() -> str:
        """Run in a task."""
        where["in_task"] = threading.get_ident() == here
        return "c"

    def later() -> Any:
        """Give something to wait for."""
        return in_task()

    by_hand = Tool(name="by_hand", input_schema={"type": "object"}, function=lambda given: given["x"])
    without = {"name": "without", "input_schema": {"type": "object"}}
    content = [call(1, "in_thread"), call(2, "in_loop"), call(3, "in_task"), call(4, "later"), call(5, "by_hand", x=1)]

    async def main() -> None:
        script = compose([*content, call(6, "without")]), compose("Done.")
        with serving(*script) as (server, endpoint):
            async with loop.Client(endpoint) as client:
                made = [in_thread, in_loop, in_task, later, by_hand, without]
                async with client.run(tools=made, **ASK) as run:
                    await run.final_message()
            results = sent(server)[-1][-1]["content"]
            assert [block["content"] for block in results[:5]] == ["a", "b", "c", "c", "1"]
            assert "nothing that runs it" in results[5]["content"]
        assert where == {"in_thread": False, "in_loop": True, "in_task": True}

    loop.run(main)
