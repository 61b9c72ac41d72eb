"""What the scanner of partial JSON has made of the text so far, and the log of what it did."""

from __future__ import annotations

from typing import Any, Final, Literal, Protocol, TypeAlias

__all__ = ["MISSING", "Entry", "Log", "Operation", "Path", "Place", "ScanState", "path_of"]

MISSING: Final[Any] = object()
"""Stands for no value, where None is one."""

Path: TypeAlias = tuple[str | int, ...]

Place: TypeAlias = tuple[Any, ...]
"""A path while nobody reads it: () is the whole value, any other place is (place of its container, key or index).

Making one takes the same time at any depth, where a path would have to be copied.
"""


def path_of(place: Place) -> Path:
    """The path of a place. Linear in its depth."""
    steps: list[str | int] = []
    while place:
        place, step = place
        steps.append(step)
    steps.reverse()
    return tuple(steps)


Operation: TypeAlias = Literal["open", "text", "value", "remove", "close", "number", "settled", "restore"]
"""What happened to a place. The last three are told apart for watchers only: `number` may still grow, `settled` is
the end of such a number, `restore` is an earlier value that a withdrawn number had replaced."""

Entry: TypeAlias = tuple[Operation, Place, Any]
"""One line of the log: what happened, where, and with what (for `close`: the value that is whole now)."""


class Log(Protocol):
    """What takes the entries: a list, or something that looks at each of them at once and keeps what it needs."""

    def append(self, entry: Entry, /) -> None:
        """Take the next entry."""


class ScanState:
    """What the scanner has made of the text so far. Written by `scan` only, between two suspensions of it."""

    __slots__ = ("error", "growing", "keep", "log", "path", "slot", "stack", "too_deep", "top", "unused", "whole")

    def __init__(self, keep: bool) -> None:
        self.keep = keep
        """Whether unfinished strings are shown."""
        self.top: list[Any] = []
        """The outermost value, in a list: empty while there is nothing to show."""
        self.stack: list[Any] = []
        """The containers still open, outermost first."""
        self.slot: Any = 0
        """Key or index, in the innermost open container, of the string or number that is still growing."""
        self.growing: Literal["", "text", "number"] = ""
        """What stands at `slot`, visible and not whole yet."""
        self.whole = False
        """Whether the text so far is one JSON text."""
        self.error: str | None = None
        """Why a character cannot be right, once there is one."""
        self.unused = 0
        """How many characters have come from that one on."""
        self.too_deep = False
        """Whether the error is that max_depth was passed."""
        self.log: Log | None = None
        """Takes what happens; None while nobody wants to know."""
        self.path: Place = ()
        """The place of the innermost open container; kept only while there is a log."""

    def place(self, slot: Any) -> Place:
        """The place of `slot` in the innermost open container."""
        return (self.path, slot) if self.stack else ()

    def withdraw(self, box: Any, slot: Any, before: Any) -> None:
        """Take back a number that has turned out not to be one yet."""
        self.growing = ""
        if type(box) is list:
            box.pop()
        elif before is MISSING:
            del box[slot]
        else:
            box[slot] = before
            if self.log is not None:
                self.log.append(("restore", self.place(slot), before))
            return
        if self.log is not None:
            self.log.append(("remove", self.place(slot), None))
