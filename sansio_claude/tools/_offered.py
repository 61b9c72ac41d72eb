"""OfferedTools: what a ToolLoop is given as tools: the definitions that the model reads and what runs their calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from sansio_claude._errors import ClaudeError, LocalProtocolError
from sansio_claude._value import an
from sansio_claude.tools._schema import RunnableTool, check_options, tool
from sansio_claude.tools._turn import plain

__all__ = ["OfferedTools", "ToolParam"]

ToolParam: TypeAlias = RunnableTool | Mapping[str, Any] | Callable[..., Any]


class OfferedTools:
    """The tools of one loop: Tools, other RunnableTools, functions (made into Tools) and plain definitions.

    Raises LocalProtocolError for what is none of them, and for two of one name that run.
    """

    __slots__ = ("_runnable", "betas", "definitions")

    def __init__(self, tools: Iterable[ToolParam]) -> None:
        self.definitions: list[dict[str, Any]] = []
        """What goes into `tools` of a request, in the order given."""
        self.betas: list[str] = []
        """The beta flags that a request with them needs."""
        self._runnable: dict[str, RunnableTool] = {}
        for given in tools:
            self._add(given)

    @property
    def names(self) -> list[Any]:
        """The name in each definition, None where it has none."""
        return [definition.get("name") for definition in self.definitions]

    def runner_of(self, call: Mapping[str, Any]) -> RunnableTool | None:
        """What runs a call; None where only the caller knows how."""
        return None if call.get("toolset_name") else self._runnable.get(call["name"])

    def _add(self, given: ToolParam) -> None:
        if isinstance(given, Mapping):
            self.definitions.append(plain(given))
            return
        try:
            made = _runnable(given)
            name, definition, betas = made.name, plain(made.to_param()), list(getattr(made, "betas", ()))
        except ClaudeError:
            raise
        except Exception as error:  # a class of the caller's may raise anything
            words = f"{an(type(given).__name__)} cannot be a tool: it raised {type(error).__name__}: {error}"
            raise LocalProtocolError(words, path="tools") from error
        check_options(made)
        if name in self._runnable:
            raise LocalProtocolError(f"there are two tools named {name!r}", path="tools")
        self._runnable[name] = made
        self.definitions.append(definition)
        self.betas += betas


def _runnable(given: Any) -> RunnableTool:
    if isinstance(given, RunnableTool):
        return given
    if callable(given):
        made: RunnableTool = tool(given)
        return made
    raise LocalProtocolError(f"{an(type(given).__name__)} is no tool", path="tools")
