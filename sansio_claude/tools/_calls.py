"""What a ToolLoop hands out: calls to run, and the closed union of its actions."""

from __future__ import annotations

from typing import Any, TypeAlias

import attrs

from sansio_claude._errors import ToolError
from sansio_claude._message.message import Message
from sansio_claude.tools._schema import RunnableTool

__all__ = ["Action", "AskModel", "AwaitResults", "Finished", "RunTools", "ToolCall"]


@attrs.define(frozen=True, kw_only=True)
class ToolCall:
    """One call that the model wants run. `tool` is what runs it, None where only the caller knows how."""

    id: str
    name: str
    input: Any = attrs.field(repr=False)
    turn: int
    tool: RunnableTool | None = attrs.field(default=None, repr=False, eq=False)
    toolset_name: str | None = None

    @property
    def thread(self) -> bool:
        """Whether `start` may block, and belongs in a worker thread."""
        return bool(getattr(self.tool, "thread", False))

    @property
    def sequential(self) -> bool:
        """Whether it must wait for the earlier calls of the same tool."""
        return bool(getattr(self.tool, "sequential", False))

    def start(self) -> Any:
        """Run it: the result, or an awaitable of it. Raises what the tool raises, ToolError for a bad input."""
        if self.tool is None:
            raise ToolError(f"Error: The tool {self.name} has a definition here, but nothing that runs it.")
        return self.tool.call(self.input)


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


@attrs.define(frozen=True)
class AwaitResults:
    """Nothing may start before one of these calls (ids) has its result."""

    calls: tuple[str, ...]


@attrs.define(frozen=True)
class Finished:
    """The conversation has come to an end.

    `reason` is the stop reason of the last answer, or "max_turns" or "token_budget" where a limit stands before the
    next request (which raising the limit would take away); `message` is the last answer.
    """

    reason: str
    message: Message | None


Action: TypeAlias = AskModel | RunTools | AwaitResults | Finished
