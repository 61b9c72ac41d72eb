"""What becomes of one call of a tool, and the events of a run that tell of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeAlias

import attrs

from sansio_claude._errors import ToolError
from sansio_claude.tools._calls import ToolCall
from sansio_claude.tools._result import ToolResult

__all__ = ["Box", "Ending", "Outcome", "ToolFinished", "ToolStarted", "boxed", "boxed_await", "ends_run"]

Ending: TypeAlias = Literal[
    "result", "tool_error", "tool_failure", "model_mistake", "not_confirmed", "timeout", "interrupted"
]
"""How a call ended:

- "result": the tool returned.
- "tool_error": the tool raised ToolError, to tell the model something.
- "tool_failure": the tool raised another exception, or gave what JSON cannot carry: a fault of the tool.
- "model_mistake": there is no such tool, or the input does not fit it: a fault of the model, which may try again.
- "not_confirmed": `confirm` did not answer True.
- "timeout": its time limit passed.
- "interrupted": it waited for something that was cancelled.
"""


@attrs.define(frozen=True, kw_only=True)
class ToolStarted:
    """An event of a run: this call is about to be run. Its tool is called when the next event is asked for, or at once
    where `confirm` had to approve it first."""

    call: ToolCall
    """The call that is about to be run."""

    @property
    def type(self) -> Literal["tool_started"]:
        """The name of the event."""
        return "tool_started"


@attrs.define(frozen=True, kw_only=True)
class ToolFinished:
    """An event of a run: this call has its result, which the next request will carry.

    `ending` says how it ended (see `Ending`), `error` is the exception where one was raised, `seconds` is the time from
    its start on the event loop's clock (0.0 for a call that was never begun).
    """

    call: ToolCall
    """The call that was run, or was not allowed to."""
    result: ToolResult
    """What the model is given."""
    ending: Ending
    error: BaseException | None = None
    seconds: float = 0.0

    @property
    def type(self) -> Literal["tool_finished"]:
        """The name of the event."""
        return "tool_finished"

    @property
    def is_error(self) -> bool:
        """Whether the model is told that the call failed."""
        return self.result.is_error


@attrs.define(frozen=True)
class Box:
    """What a function returned or raised, so that it can travel where no exception may: StopIteration ends a coroutine
    and cannot be set on a Future, others end an event loop."""

    value: Any = None
    error: BaseException | None = None


def boxed(function: Callable[[], Any]) -> Box:
    """Call the function. Never raises."""
    try:
        return Box(function())
    except BaseException as error:
        return Box(error=error)


async def boxed_await(awaitable: Awaitable[Any]) -> Box:
    """Wait for the awaitable. Never raises: not even its cancellation."""
    try:
        return Box(await awaitable)
    except BaseException as error:
        return Box(error=error)


@attrs.define(frozen=True)
class Outcome:
    """How the running of a call ended, before it is a result."""

    ending: Ending
    value: Any = None
    error: BaseException | None = None
    words: str = ""
    """What the model is told in place of the error's own words."""

    @classmethod
    def of(cls, box: Box, cancellations: tuple[type[BaseException], ...]) -> Outcome:
        """The outcome of a tool that was called."""
        error = box.error
        if error is None:
            return cls("result", box.value)
        if isinstance(error, ToolError):
            return cls("tool_error", error=error)
        return cls("interrupted" if isinstance(error, cancellations) else "tool_failure", error=error)

    def result(self) -> ToolResult:
        """The result for the model."""
        if self.words:
            return ToolResult(self.words, is_error=True)
        return ToolResult.of(self.value) if self.error is None else ToolResult.of_error(self.error)


def ends_run(error: BaseException | None, cancellations: tuple[type[BaseException], ...]) -> bool:
    """Whether an exception that a tool raised ends the run, like KeyboardInterrupt and SystemExit.

    No Exception does, nor GeneratorExit, nor a cancellation: nobody has cancelled the call. A group does if one of its
    exceptions does.
    """
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseExceptionGroup):
            waiting.extend(one.exceptions)
        elif one is not None and not isinstance(one, (Exception, GeneratorExit, *cancellations)):
            return True
    return False
