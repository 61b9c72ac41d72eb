"""N2: time limits of tools and runs, approval, interruption, and a run that is gone on with, on every event loop."""

from __future__ import annotations

import datetime
import logging
import threading
from typing import Any

import attrs
import pytest

from sansio_claude._errors import ClaudeError, DeadlineError, InvalidRequestError, LocalProtocolError
from sansio_claude._request.request import MessageRequest
from sansio_claude._runtime import workers
from sansio_claude._stream.events import TextDelta
from sansio_claude.testing import Answer, compose
from sansio_claude.tools import MemoryFiles, Run, TextEditor, ToolFinished, ToolLoop, ToolStarted, tool
from tests.adapters.runtimes import LOOPS, SYNC, Runtime
from tests.adapters.test_run import ASK, GO, call, cancelled_when, get_weather, sent, serving


@pytest.fixture(params=LOOPS, ids=repr)
def loop(request: pytest.FixtureRequest) -> Runtime:
    runtime: Runtime = request.param
    return runtime


def can_go_on(run: Run) -> bool:
    messages = [*run.history, {"role": "user", "content": "Never mind."}]
    request = MessageRequest(**{**ASK, "messages": messages})
    return [problem for problem in request.check() if problem.severity == "error"] == []


async def endings(run: Run) -> list[str]:
    """Drive a run; how its calls ended, in the order in which they did."""
    return [event.ending async for _, event in run if isinstance(event, ToolFinished)]


# Awaiting a run, and its events.


def test_a_run_can_be_awaited_for_its_last_message(loop: Runtime) -> None:
    async def main() -> None:
        with serving(compose([call(1, "get_weather", location="Berlin")]), compose("15 degrees.")) as (_, endpoint):
            async with loop.Client(endpoint) as client:
                run = client.run(tools=[get_weather], **ASK)
                assert (await run).text == "15 degrees."
                assert run.finished.reason == "end_turn"
                with pytest.raises(LocalProtocolError, match="can be entered once"):
                    await run

    loop.run(main)


def test_a_run_tells_of_each_call_when_it_starts_and_how_it_ended(loop: Runtime) -> None:
    log: list[str] = []
    meeting = threading.Event()

    def slow() -> str:
        """Wait until the end of the other has been told."""
        log.append("slow runs")
        assert meeting.wait(20)
        return "slow"

    async def quick() -> str:
        """Be quick."""
        log.append("quick runs")
        return "quick"

    def picky(n: int) -> int:
        """Take numbers."""
        return n

    content = [call(1, "slow"), call(2, "quick"), call(3, "nobody"), call(4, "picky", n="x")]

    async def main() -> None:
        with serving(compose(content), compose("Done.")) as (_, endpoint):
            async with loop.Client(endpoint) as client, client.run(tools=[slow, quick, picky], **ASK) as run:
                async for turn, event in run:
                    if isinstance(event, ToolStarted):
                        assert run.loop.awaits(event.call.id)
                        log.append(f"{event.type} {event.call.name}")
                    if isinstance(event, ToolFinished):
                        assert turn == event.call.turn == 1
                        assert event.seconds >= 0
                        assert event.is_error == event.result.is_error
                        log.append(f"{event.type} {event.call.name} {event.ending}")
                        if event.call.name == "quick":
                            meeting.set()  # the other is still under way

    loop.run(main)
    # What the loop refuses by itself is told first; a call begins once its start has been told.
    assert log[0] == "tool_finished nobody model_mistake"
    assert log[1:4] == ["tool_started slow", "tool_started quick", "tool_started picky"]
    assert log.index("tool_finished quick result") < log.index("tool_finished slow result")
    assert "tool_finished picky model_mistake" in log
    assert log.index("quick runs") > 3
    assert log.index("slow runs") > 3


def test_a_failure_is_in_the_log_with_its_traceback_and_a_mistake_of_the_model_is_not(
    loop: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    def divide(n: int) -> float:
        """Divide by a number."""
        return 1 / n

    def odd() -> object:
        """Give what JSON cannot carry."""
        return object()

    async def main() -> None:
        content = [call(1, "divide", n=0), call(2, "divide", n="x"), call(3, "nobody"), call(4, "odd")]
        with serving(compose(content), compose("Done.")) as (_, endpoint):
            async with loop.Client(endpoint) as client, client.run(tools=[divide, odd], **ASK) as run:
                found = await endings(run)
        assert sorted(found) == ["model_mistake", "model_mistake", "tool_failure", "tool_failure"]

    with caplog.at_level(logging.WARNING):
        loop.run(main)
    records = [record for record in caplog.records if record.name.startswith("sansio_claude.")]
    assert sorted(record.getMessage() for record in records) == [
        "the tool divide ended with tool_failure",
        "the tool odd ended with tool_failure",
    ]
    assert "return 1 / n" in caplog.text


# Time limits.


def test_a_tool_that_hangs_holds_up_nothing_and_what_is_left_behind_is_bounded(loop: Runtime) -> None:
    let_go = threading.Event()
    begun: list[int] = []

    @tool(timeout=0.15)
    def hang(n: int) -> int:
        """Hang."""
        begun.append(n)
        let_go.wait(20)
        return n

    turns = [compose([call(10 * turn + n, "hang", n=n) for n in range(2)]) for turn in range(4)]

    async def main() -> None:
        with serving(*turns, compose("Done.")) as (server, endpoint):
            async with loop.Client(endpoint) as client, client.run(tools=[hang], concurrency=3, **ASK) as run:
                found = await endings(run)
            contents = [block["content"] for turn in sent(server)[-1][2::2] for block in turn["content"]]
        # Three threads may be left behind; the calls after that are refused until one of them ends.
        assert found == ["timeout"] * 3 + ["tool_failure"] * 5 or found == ["timeout"] * 4 + ["tool_failure"] * 4
        assert len(begun) == found.count("timeout")
        assert "not done within 0.15 s" in contents[0]
        assert "too many earlier calls" in contents[-1]

    try:
        loop.run(main)
    finally:
        let_go.set()


class _Unused(list[Any]):
    """Idle workers of whom none is taken."""

    def __bool__(self) -> bool:
        return False


@pytest.mark.parametrize("runtime", [*LOOPS, SYNC], ids=repr)
def test_a_call_for_which_there_is_no_thread_fails(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    real = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if thread.name == "sansio_claude tool":
            raise RuntimeError("can't start new thread")
        real(thread)

    def work() -> str:
        """Work."""
        return "done"

    async def main() -> None:
        with serving(compose([call(1, "work")]), compose("Done.")) as (_, endpoint):
            async with runtime.Client(endpoint) as client, client.run(tools=[work], **ASK) as run:
                assert (await run.final_message()).text == "Done."
                if runtime.name != "trio":  # whose threads are its own
                    assert "can't start new thread" in run.history[2]["content"][0]["content"]

    # A worker of an earlier test may become idle meanwhile: no job is given to it.
    idle, before = _Unused(), workers._idle
    with monkeypatch.context() as patch:
        patch.setattr(workers, "_idle", idle)
        patch.setattr(threading.Thread, "start", start)
        runtime.run(main)
        with workers._lock:
            patch.undo()
            before.extend(idle)


def test_threads_left_behind_are_counted_until_they_end() -> None:
    left = workers.LeftBehind()
    let_go, begun, over = threading.Event(), threading.Event(), threading.Event()
    boxes: list[Any] = []

    def work() -> None:
        begun.set()
        assert let_go.wait(20)

    job = workers.Job(work, boxes.append, left)
    workers.start(job)
    assert begun.wait(20)
    job.abandon()
    job.abandon()
    assert left.full(1)
    assert not left.full(2)
    let_go.set()
    after = workers.Job(over.set, boxes.append, left)
    never = workers.Job(lambda: boxes.append("begun"), boxes.append, left)
    never.abandon()
    workers.start(never)
    workers.start(after)
    assert over.wait(20)
    while left.full(1):
        threading.Event().wait(0.001)
    assert "begun" not in boxes


def test_a_run_has_a_time_limit_in_its_tools(loop: Runtime) -> None:
    stopped: list[str] = []

    async def hang() -> None:
        """Hang."""
        try:
            await loop.sleep(60)
        finally:
            stopped.append("hang")

    async def main() -> None:
        with serving(compose([call(1, "hang")]), compose("Done.")) as (server, endpoint):
            async with loop.Client(endpoint) as client:
                async with client.run(tools=[hang], timeout=0.3, **ASK) as run:
                    for _ in range(2):
                        with pytest.raises(DeadlineError, match=r"not over within 0.3 s \(timeout=\)") as caught:
                            await run.final_message()
                        assert (caught.value.deadline, caught.value.seconds) == ("total", 0.3)
                assert stopped == ["hang"]
                assert can_go_on(run)
                assert len(server.requests) == 1
                assert (await client.run(run.loop, timeout=20)).text == "Done."

    loop.run(main)


def test_a_run_has_a_time_limit_in_its_answers(loop: Runtime) -> None:
    slow = attrs.evolve(Answer.stream(compose("A long answer.")), pauses=(0, 0, 0, 60))

    async def main() -> None:
        with serving(slow, compose("Done.")) as (_, endpoint):
            async with loop.Client(endpoint) as client:
                async with client.run(timeout=0.3, **ASK) as run:
                    with pytest.raises(TimeoutError, match=r"the run was not over within 0\.3 s") as caught:
                        await run.final_message()
                assert isinstance(caught.value.__cause__ or caught.value.__context__, DeadlineError | None)
                assert can_go_on(run)
                assert (await client.run(run.loop)).text == "Done."

    loop.run(main)


@pytest.mark.parametrize("wrong", [0, -1, "5", float("nan")])
def test_a_time_limit_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(LocalProtocolError, match="timeout must be a number of seconds above 0"):
        tool(get_weather.function, timeout=wrong)
    client = LOOPS[0].Client.__new__(LOOPS[0].Client)
    with pytest.raises(LocalProtocolError, match="timeout must be a number of seconds above 0"):
        client.run(timeout=wrong, **ASK)


# Approval.


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize("answer", [True, False, None, "yes", 1, "raises", "hangs"])
def test_only_true_approves_a_call_and_sees_the_converted_values(loop: Runtime, way: str, answer: Any) -> None:
    seen: list[Any] = []
    ran: list[Any] = []
    let_go = threading.Event()

    def decide(day: datetime.date, hour: int) -> Any:
        seen.append((day, hour))
        if answer == "raises":
            raise ValueError("no one is there")
        return answer

    async def decide_later(**given: Any) -> Any:
        if answer == "hangs":
            await loop.sleep(60)
        return decide(**given)

    def decide_in_thread(day: datetime.date, hour: int = 9) -> Any:
        if answer == "hangs":
            let_go.wait(20)
        return decide(day, hour)

    def book(day: datetime.date, hour: int) -> str:
        """Book a table."""
        ran.append((day, hour))
        return "booked"

    asked = decide_in_thread if way == "sync" else decide_later
    made = tool(book, confirm=asked, confirm_timeout=0.01 if answer == "hangs" else 20)

    async def main() -> None:
        with serving(compose([call(1, "book", day="2026-11-28", hour=19.0)]), compose("Done.")) as (server, endpoint):
            async with loop.Client(endpoint) as client, client.run(tools=[made], **ASK) as run:
                events = [event async for _, event in run if isinstance(event, ToolStarted | ToolFinished)]
            (result,) = sent(server)[-1][-1]["content"]
        value = (datetime.date(2026, 11, 28), 19)
        if answer is True:
            assert (seen, ran, result["content"]) == ([value], [value], "booked")
            assert [event.type for event in events] == ["tool_started", "tool_finished"]
        else:
            assert ran == []
            assert seen == ([] if answer == "hangs" else [value])
            assert result["is_error"]
            assert "not approved" in result["content"]
            assert "not run" in result["content"]
            assert [event.ending for event in events if isinstance(event, ToolFinished)] == ["not_confirmed"]
            assert not any(isinstance(event, ToolStarted) for event in events)

    try:
        loop.run(main)
    finally:
        let_go.set()


def test_an_input_that_does_not_fit_is_not_put_up_for_approval(loop: Runtime) -> None:
    made = tool(get_weather.function, confirm=lambda location: pytest.fail("asked"))

    async def main() -> None:
        with serving(compose([call(1, "get_weather", place="x")]), compose("Done.")) as (_, endpoint):
            async with loop.Client(endpoint) as client, client.run(tools=[made], **ASK) as run:
                assert await endings(run) == ["model_mistake"]

    loop.run(main)


# Interruption, and going on.


@pytest.mark.parametrize("where", ["event", "tool", "thread", "other task", "answer"])
def test_a_run_can_be_interrupted_from_anywhere_and_gone_on_with(loop: Runtime, where: str) -> None:
    runs: list[Run] = []
    let_go = threading.Event()
    over = threading.Event()

    async def wait() -> None:
        """Wait for ever, or interrupt."""
        if where == "tool":
            runs[0].interrupt()
        over.set()
        await loop.sleep(60)

    def block() -> None:
        """Block, or interrupt from a thread."""
        if where == "thread":
            runs[0].interrupt()
        let_go.wait(20)

    content = [{"type": "text", "text": "Let me see. " * 9}, call(1, "wait"), call(2, "block"), call(3, "wait")]

    async def main() -> None:
        first = (
            attrs.evolve(Answer.stream(compose(content)), pauses=(0,) * 4 + (60,))
            if where == "answer"
            else compose(content)
        )
        with serving(first, compose("Four.")) as (server, endpoint):
            async with loop.Client(endpoint) as client:

                async def drive() -> None:
                    async with client.run(tools=[wait, block], concurrency=2, **ASK) as run:
                        runs.append(run)
                        async for _, event in run:
                            if isinstance(event, ToolStarted) and where == "event":
                                run.interrupt()
                            if isinstance(event, TextDelta) and where == "answer":
                                over.set()

                async def press_stop() -> None:
                    while not over.is_set() and where in ("other task", "answer"):
                        await loop.sleep(0.001)
                    while not runs:
                        await loop.sleep(0.001)
                    if where in ("other task", "answer"):
                        runs[0].interrupt()

                await loop.gather(drive, press_stop)
                run = runs[0]
                assert run.finished is not None
                assert run.finished.reason == "interrupted"
                assert can_go_on(run)
                if where != "answer":
                    words = [result["content"] for result in run.history[-1]["content"]]
                    begun = [where != "event" and "interrupted" in one for one in words]
                    assert begun == ([False] * 3 if where == "event" else [True, True, False])
                run.loop.add_user("Never mind. What is 2 + 2?")
                assert (await client.run(run.loop)).text == "Four."
                assert sent(server)[-1][-1]["content"][-1]["text"] == "Never mind. What is 2 + 2?"

    try:
        loop.run(main)
    finally:
        let_go.set()


def test_a_run_interrupted_before_it_began_asks_nothing(loop: Runtime) -> None:
    async def main() -> None:
        with serving(compose("Hello.")) as (server, endpoint):
            async with loop.Client(endpoint) as client:
                run = client.run(**ASK)
                run.interrupt()
                with pytest.raises(LocalProtocolError, match="before its first answer"):
                    await run
                assert server.requests == []
                assert (await client.run(run.loop)).text == "Hello."

    loop.run(main)


def test_leaving_at_the_start_of_a_tool_means_that_it_never_began(loop: Runtime) -> None:
    ran: list[str] = []

    def send_mail(to: str) -> str:
        """Send a mail."""
        ran.append(to)
        return "sent"

    async def main() -> None:
        with serving(compose([call(1, "send_mail", to="Ada")]), compose("Done.")) as (server, endpoint):
            async with loop.Client(endpoint) as client:
                async with client.run(tools=[send_mail], **ASK) as run:
                    async for _, event in run:
                        if isinstance(event, ToolStarted):
                            break
                assert ran == []
                assert can_go_on(run)
                assert (await client.run(run.loop)).text == "Done."
            assert ran == ["Ada"]
            assert sent(server)[-1][-1]["content"][0]["content"] == "sent"

    loop.run(main)


def test_a_run_goes_on_in_place_after_a_cancelled_iteration(loop: Runtime) -> None:
    begun: list[int] = []

    async def wait() -> str:
        """Wait the first time."""
        begun.append(1)
        await loop.sleep(60)
        return "x"

    async def main() -> None:
        with serving(compose([call(1, "wait")]), compose("Done.")) as (server, endpoint):
            async with loop.Client(endpoint) as client, client.run(tools=[wait], **ASK) as run:
                await cancelled_when(loop, run, lambda: bool(begun))
                assert (await run.final_message()).text == "Done."
            assert "interrupted" in sent(server)[-1][-1]["content"][0]["content"]

    loop.run(main)


# Misuse.


def test_two_tasks_on_one_run_and_two_runs_on_one_loop_are_told_so(loop: Runtime) -> None:
    def meet() -> None:
        """Take a while."""
        at_work.set()
        let_go.wait(20)

    at_work, let_go = threading.Event(), threading.Event()

    async def main() -> None:
        with serving(compose([call(1, "meet")]), compose("Done.")) as (_, endpoint):
            async with loop.Client(endpoint) as client, client.run(tools=[meet], **ASK) as run:

                async def second() -> None:
                    while not at_work.is_set():
                        await loop.sleep(0.001)
                    try:
                        with pytest.raises(LocalProtocolError, match="another task is iterating over this run"):
                            await run.__anext__()
                        with pytest.raises(LocalProtocolError, match="another run is driving this loop"):
                            await client.run(run.loop)
                    finally:
                        let_go.set()

                await loop.gather(run.final_message, second)
                assert run.message.text == "Done."

    loop.run(main)


def test_an_error_before_a_turn_is_raised_again_without_asking_again(loop: Runtime) -> None:
    async def main() -> None:
        with serving(Answer.error(400, "bad"), compose("Done.")) as (server, endpoint):
            async with loop.Client(endpoint) as client:
                async with client.run(**ASK) as run:
                    for _ in range(3):
                        with pytest.raises(InvalidRequestError, match="bad"):
                            await run.final_message()
                    assert run.finished is None
                assert len(server.requests) == 1
                assert can_go_on(run)
                assert (await client.run(run.loop)).text == "Done."

    loop.run(main)


def test_a_loop_that_goes_on_takes_limits_and_refuses_other_options(loop: Runtime) -> None:
    async def main() -> None:
        with serving(compose([call(1, "get_weather", location="x")])) as (server, endpoint):
            async with loop.Client(endpoint) as client:
                for options in ({"system": "x"}, {"tools": [get_weather]}, {"concurrency": 2}, {"max_tokens": 3}):
                    with pytest.raises(LocalProtocolError, match=f"cannot take {next(iter(options))}"):
                        client.run(ToolLoop(tools=[get_weather], **ASK), **options)
                run = client.run(ToolLoop(tools=[get_weather], **ASK), max_turns=2, token_budget=10**6, timeout=20)
                await run
                assert run.finished.reason == "max_turns"
                assert (run.loop.max_turns, run.loop.token_budget) == (2, 10**6)
                assert len(server.requests) == 2

    loop.run(main)


def test_the_editor_runs_in_order_under_a_time_limit_of_the_run(loop: Runtime) -> None:
    name = "str_replace_based_edit_tool"
    content = [
        call(1, name, command="create", path="/a", file_text="x"),
        call(2, name, command="str_replace", path="/a", old_str="x", new_str="y"),
        call(3, name, command="view", path="/none"),
    ]

    async def main() -> None:
        with serving(compose(content), compose("Done.")) as (_, endpoint):
            async with loop.Client(endpoint) as client:
                editor = TextEditor(MemoryFiles({}))
                async with client.run(tools=[editor], timeout=20, **ASK) as run:
                    assert await endings(run) == ["result", "result", "result"]
                assert GO in run.history

    loop.run(main)
    assert issubclass(DeadlineError, ClaudeError)
