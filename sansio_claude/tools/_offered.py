"""OfferedTools: what a ToolLoop is given as tools: the definitions that the model reads and what runs their calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from sansio_claude._errors import LocalProtocolError
from sansio_claude._value import an
from sansio_claude.tools._schema import RunnableTool, tool
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
        made: RunnableTool
        if isinstance(given, RunnableTool):
            made = given
        elif callable(given):
            made = tool(given)
        else:
            raise LocalProtocolError(f"{an(type(given).__name__)} is no tool", path="tools")
        if made.name in self._runnable:
            raise LocalProtocolError(f"there are two tools named {made.name!r}", path="tools")
        self._runnable[made.name] = made
        self.definitions.append(plain(made.to_param()))
        self.betas.extend(getattr(made, "betas", ()))
