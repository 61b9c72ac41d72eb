"""What a ToolLoop hands out: calls to run, and the closed union of its actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import attrs

from sansio_claude._errors import ToolError
from sansio_claude._message.message import Message
from sansio_claude.tools._result import LONGEST_RESULT
from sansio_claude.tools._schema import RunnableTool, Tool

__all__ = ["Action", "AskModel", "AwaitResults", "Finished", "RunTools", "ToolCall"]


@attrs.define(frozen=True, kw_only=True)
class ToolCall:
    """One call that the model wants run. `tool` is what runs it, None where only the caller knows how.

    `id` is the id that the call has in the history: the peer's, or one that the loop made where the peer sent none or
    one that was there already. `input` is a JSON object; `turn` counts from 1.
    """

    id: str
    name: str
    """The tool's name, as the model gave it."""
    input: Any = attrs.field(repr=False)
    turn: int
    tool: RunnableTool | None = attrs.field(default=None, repr=False, eq=False)
    toolset_name: str | None = None
    """The set of tools that it belongs to; None where the call names none."""

    @property
    def thread(self) -> bool:
        """Whether `start` may block, and belongs in a worker thread."""
        return bool(getattr(self.tool, "thread", False))

    @property
    def sequential(self) -> bool:
        """Whether it must wait for the earlier calls of the same tool."""
        return bool(getattr(self.tool, "sequential", False))

    @property
    def timeout(self) -> float | None:
        """The tool's time limit for one call, in seconds; None for none."""
        return getattr(self.tool, "timeout", None)

    @property
    def confirm(self) -> Callable[..., Any] | None:
        """What has to approve the call before it is run; None where nothing has to."""
        return getattr(self.tool, "confirm", None)

    @property
    def confirm_timeout(self) -> float | None:
        """How long `confirm` may take, in seconds: the tool's `confirm_timeout`, else its `timeout`."""
        own = getattr(self.tool, "confirm_timeout", None)
        return self.timeout if own is None else own

    @property
    def idempotent(self) -> bool:
        """Whether it may be run again where it had begun and nobody knows whether it came to its end."""
        return bool(getattr(self.tool, "idempotent", False))

    @property
    def longest_result(self) -> int | None:
        """Characters of its result that the model is shown; None for no limit."""
        found: int | None = getattr(self.tool, "longest_result", LONGEST_RESULT)
        return found

    def start(self) -> Any:
        """Run it: the result, or an awaitable of it. Raises what the tool raises, ToolError for a bad input."""
        return self._runnable().call(self.input)

    def prepare(self) -> tuple[list[Any], dict[str, Any], Callable[..., Any]]:
        """Check and convert the input: positional and keyword arguments, and the function to call with them.

        Raises ToolError, with words for the model, where the input does not fit. A tool that is no `Tool` checks its
        input itself: its `call` gets it as it came.
        """
        runnable = self._runnable()
        if not isinstance(runnable, Tool):
            return [self.input], {}, runnable.call
        args, kwargs = runnable.arguments(self.input)
        return args, kwargs, runnable.function

    def _runnable(self) -> RunnableTool:
        if self.tool is None:
            raise ToolError(f"Error: The tool {self.name} has a definition here, but nothing that runs it.")
        return self.tool


@attrs.define(frozen=True)
class AskModel:
    """Send this request, and give the answer to `receive_message`. The same until then.

    `turn` counts from 1, `request` has the arguments for `client.stream` or MessageRequest.
    """

    turn: int
    request: dict[str, Any] = attrs.field(repr=False)


@attrs.define(frozen=True)
class RunTools:
    """Start these calls now, all at once; each result goes to `receive_result`, in any order. Then ask again at
    once: what may start is handed out once, and never more than `concurrency` calls run."""

    calls: tuple[ToolCall, ...]
    """The calls to start, in the model's order."""


@attrs.define(frozen=True)
class AwaitResults:
    """Nothing may start before one of these calls (ids) has its result."""

    calls: tuple[str, ...]
    """The ids of the calls that run."""


@attrs.define(frozen=True)
class Finished:
    """The conversation has come to an end.

    `reason` is the stop reason of the last answer ("unknown" where it had none), or one of the loop's own:

    - "calls_not_run": the answer ended with another stop reason than "tool_use" and has calls which are not run.
    - "tool_use_without_call": the stop reason was "tool_use", but there was no call.
    - "interrupted": `interrupt()` stopped it behind a paused answer; `add_user` goes on.
    - "max_turns", "token_budget": a limit stopped the loop before its next request; raise it to go on.

    `message` is the last answer.
    """

    reason: str
    message: Message | None


Action: TypeAlias = AskModel | RunTools | AwaitResults | Finished
