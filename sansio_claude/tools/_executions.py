"""Executions: the calls of a run that are under way: their starts, their ends, their time limits, their events."""

from __future__ import annotations

from collections import deque

from sansio_claude._errors import ToolError
from sansio_claude.tools._calls import ToolCall
from sansio_claude.tools._execution import Execution, Executor, Report
from sansio_claude.tools._loop import ToolLoop
from sansio_claude.tools._outcome import Box, Outcome, ToolFinished, ToolStarted, boxed, ends_run
from sansio_claude.tools._result import ToolResult

__all__ = ["Executions"]


class Executions:
    """The calls that a loop has handed out to a run. No call begins before the events that announce it are taken."""

    def __init__(self, loop: ToolLoop, executor: Executor) -> None:
        self._loop = loop
        self._executor = executor
        self._waiting: list[ToolCall] = []  # handed out, not begun
        self._under_way: dict[str, Execution] = {}
        self._reports: deque[tuple[Execution, Report]] = deque()  # filled from any thread
        self.events: deque[tuple[int, ToolStarted | ToolFinished]] = deque()
        self.fatal: BaseException | None = None
        """What a tool raised to end everything."""

    def __bool__(self) -> bool:
        """Whether there is anything to wait for, or to stop."""
        return bool(self._under_way or self._waiting)

    def take(self, calls: tuple[ToolCall, ...]) -> None:
        """Take calls that the loop has handed out. They begin with the next `begin`."""
        self._waiting.extend(calls)
        self.events.extend((call.turn, ToolStarted(call=call)) for call in calls if call.confirm is None)

    def begin(self) -> None:
        """Begin the calls that were taken."""
        calls, self._waiting = self._waiting, []
        for call in calls:
            if not self._loop.awaits(call.id):
                continue  # answered meanwhile, by an interruption
            execution = Execution(call, self._executor, self._report)
            self._under_way[call.id] = execution
            if (call.thread or call.confirm is not None) and self._executor.full(self._loop.concurrency):
                self._end(execution, Outcome("tool_failure", error=ToolError(_NO_WORKER)))
            else:
                self._executor.start(execution)

    def collect(self) -> None:
        """Take what the executions have reported, and end those whose time is over."""
        while self._reports:
            execution, report = self._reports.popleft()
            if self._under_way.get(execution.call.id) is not execution:
                continue  # its time is over, or it was stopped
            if report == "started":
                execution.confirming = False
                execution.set_deadline(self._executor.now(), execution.call.timeout)
                self.events.append((execution.call.turn, ToolStarted(call=execution.call)))
            elif ends_run(report.error, self._executor.cancellations):
                self.fatal = self.fatal or report.error  # the run stops, and with it what is under way
            else:
                self._end(execution, report)
        now = self._executor.now()
        for execution in [one for one in self._under_way.values() if one.deadline is not None and now >= one.deadline]:
            execution.cancel()
            self._end(execution, _too_late(execution))
        for execution in [one for one in self._under_way.values() if not self._loop.awaits(one.call.id)]:
            execution.cancel()  # the loop was interrupted
            del self._under_way[execution.call.id]

    def deadline(self, other: float | None) -> float | None:
        """The nearest of the time limits, and of another one; None for none."""
        found = [one.deadline for one in self._under_way.values() if one.deadline is not None]
        return min(found if other is None else [*found, other], default=None)

    async def stop(self) -> None:
        """Stop everything, and tell the loop what had begun. What had not begun never begins. Tasks whose time limit
        has passed are waited for, too."""
        for call in self._waiting:
            if self._loop.awaits(call.id):
                self._loop.put_back(call.id)
        executions, self._waiting, self._under_way = list(self._under_way.values()), [], {}
        for execution in executions:
            execution.cancel()
        if executions:
            self._loop.leave()
        self.events.clear()
        try:
            await self._executor.stop()
        finally:
            self._take_late(executions)

    def _take_late(self, executions: list[Execution]) -> None:
        """Keep the results of calls that came to their end while they were being stopped: they have taken effect."""
        stopped = {id(execution) for execution in executions}
        while self._reports:
            execution, report = self._reports.popleft()
            if id(execution) in stopped and report != "started" and report.ending == "result":
                result = boxed(report.result).value
                if result is not None and self._loop.awaits(execution.call.id):
                    self._loop.receive_result(execution.call.id, result)

    def _report(self, execution: Execution, report: Report) -> None:
        self._reports.append((execution, report))
        self._executor.notify()

    def _end(self, execution: Execution, outcome: Outcome) -> None:
        call = execution.call
        made = boxed(outcome.result)  # which calls methods of what the tool gave, and they may raise anything
        if ends_run(made.error, self._executor.cancellations):
            self.fatal = self.fatal or made.error
            return
        del self._under_way[call.id]
        if not self._loop.awaits(call.id):
            return
        if made.error is not None:
            outcome = Outcome.of(Box(error=made.error), self._executor.cancellations)
            made = boxed(outcome.result)
        result: ToolResult = made.value or ToolResult(type(outcome.error).__name__, is_error=True)
        ending = outcome.ending
        if ending == "result" and result.is_error and not isinstance(outcome.value, ToolResult):
            ending = "tool_failure"
        if ending in ("tool_failure", "interrupted", "timeout") or (ending == "not_confirmed" and outcome.error):
            self._executor.log(f"the tool {call.name} ended with {ending}", outcome.error)
        self._loop.receive_result(call.id, result)
        seconds = max(0.0, self._executor.now() - execution.begun_at)
        event = ToolFinished(call=call, result=result, ending=ending, error=outcome.error, seconds=seconds)
        self.events.append((call.turn, event))


def _too_late(execution: Execution) -> Outcome:
    call = execution.call
    if execution.confirming:
        words = f"Error: The call of {call.name} was not approved within {call.confirm_timeout:g} s: it was not run."
        return Outcome("not_confirmed", words=words)
    words = (
        f"Error: The tool {call.name} was not done within {call.timeout:g} s, its time limit. It may still be running, "
        "and what it has begun may take effect."
    )
    return Outcome("timeout", words=words)


_NO_WORKER = (
    "Error: The call was not run: too many earlier calls whose time limit has passed are still running. "
    "Try again later."
)
