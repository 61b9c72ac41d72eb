"""Execution: one call of a tool on its way from its input to its outcome, the same on every event loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any, Literal, Protocol, TypeAlias

from sansio_claude._errors import ToolError
from sansio_claude.tools._calls import ToolCall
from sansio_claude.tools._outcome import Box, Outcome, boxed

__all__ = ["Execution", "Executor", "Means", "Report"]

Report: TypeAlias = Literal["started"] | Outcome


class Means(Protocol):
    """What an execution needs of its adapter. Neither method raises what the function or the awaitable raises."""

    async def in_thread(self, function: Callable[[], Any]) -> Box:
        """Call a function that may block."""
        ...

    async def settle(self, awaitable: Awaitable[Any]) -> Box:
        """Wait for an awaitable of the caller's."""
        ...


class Executor(Protocol):
    """What a run needs of its adapter: one for each run."""

    @property
    def cancellations(self) -> tuple[type[BaseException], ...]:
        """The exceptions by which event loops cancel."""
        ...

    def now(self) -> float:
        """The adapter's clock, in seconds."""
        ...

    def full(self, most: int) -> bool:
        """Whether so many threads are left behind that no more may be begun: `most` of this run, or too many at all."""
        ...

    def start(self, execution: Execution) -> None:
        """Begin `execution.run(means)` beside the caller, and set `execution.cancel`. Does not wait."""
        ...

    def notify(self) -> None:
        """End a `wait`, or the next one. From any thread."""
        ...

    def post(self, function: Callable[[], None]) -> None:
        """Call a function in the run's own thread, soon. From any thread."""
        ...

    async def wait(self, until: float | None) -> None:
        """Wait until `notify` is called, or until then."""
        ...

    async def stop(self) -> None:
        """Wait for what has been cancelled to end, whatever cancels the caller meanwhile, but no longer than needed.
        A function in a thread is not waited for."""
        ...

    def log(self, words: str, error: BaseException | None) -> None:
        """Write to the log at WARNING, with the traceback of the error."""
        ...


class Execution:
    """One call under way. `report` is told when the tool starts (after an approval) and how it ended, from any thread.

    `deadline` is the time at which it has to be over (None for no limit): the approval first, then the tool.
    """

    def __init__(self, call: ToolCall, executor: Executor, report: Callable[[Execution, Report], None]) -> None:
        self.call = call
        self.confirming = call.confirm is not None
        self.begun_at = executor.now()
        self.deadline: float | None = None
        self.cancel: Callable[[], None] = _nothing
        self._cancellations = executor.cancellations
        self._report = report
        self.set_deadline(self.begun_at, call.confirm_timeout if self.confirming else call.timeout)

    def set_deadline(self, now: float, seconds: float | None) -> None:
        """Set the time limit of what begins now."""
        self.deadline = None if seconds is None else now + seconds

    async def run(self, means: Means) -> None:
        """Check, convert, ask for approval, run. Never raises; reports the outcome at the end."""
        try:
            outcome = await self._outcome(means)
        except BaseException as error:
            outcome = Outcome.of(Box(error=error), self._cancellations)
        self._report(self, outcome)

    async def _outcome(self, means: Means) -> Outcome:
        call = self.call
        if call.confirm is None:
            return self._told(await self._called(means, self._prepare_and_call, call.thread))
        prepared = await self._called(means, call.prepare, call.thread)
        if prepared.error is not None:
            return self._told(Box(error=_Mistake(prepared.error)))
        args, kwargs, function = prepared.value
        asked = call.confirm
        # A person's answer may take long: what is no coroutine function never stops the loop.
        answer = await self._called(means, lambda: asked(*args, **kwargs), not iscoroutinefunction(asked))
        if answer.error is not None or answer.value is not True:
            return Outcome("not_confirmed", error=answer.error, words=_REFUSED.format(call.name))
        self._report(self, "started")
        return self._told(await self._called(means, lambda: function(*args, **kwargs), call.thread))

    def _prepare_and_call(self) -> Any:
        try:
            args, kwargs, function = self.call.prepare()
        except BaseException as error:
            raise _Mistake(error) from None
        return function(*args, **kwargs)

    def _told(self, box: Box) -> Outcome:
        if isinstance(box.error, _Mistake):
            cause = box.error.cause
            if isinstance(cause, ToolError):
                return Outcome("model_mistake", error=cause)
            return Outcome.of(Box(error=cause), self._cancellations)
        return Outcome.of(box, self._cancellations)

    async def _called(self, means: Means, function: Callable[[], Any], thread: bool) -> Box:
        box = await means.in_thread(function) if thread else boxed(function)
        if box.error is None and isinstance(box.value, Awaitable):
            return await means.settle(box.value)
        return box


class _Mistake(BaseException):
    """Carries what the check of an input raised past what the tool itself may raise."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__()
        self.cause = cause


_REFUSED = "Error: The call of {} was not approved, so it was not run. Do not repeat it without a new reason."


def _nothing() -> None:
    pass
