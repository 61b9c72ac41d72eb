"""What has changed in a growing JSON value: the public record of it, and watchers of one place.

The scanner writes a log of entries (operation, path, value) while somebody wants it. Whoever comes later first gets
the entries that lead to the value as it stands (`entries_so_far`), then what the log brings; every reader has its own
list, so none takes anything from another.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal

from attrs import define

from sansio_claude._errors import LocalProtocolError
from sansio_claude._partial_json.state import Entry, Path, ScanState

if TYPE_CHECKING:
    from sansio_claude._partial_json.parser import PartialJSON
from sansio_claude._value import Value

__all__ = ["Change", "Watch", "changes_of", "entries_so_far", "path_of_innermost"]


@define(eq=False, repr=False)
class Change(Value):
    """One change of a growing JSON value. `path` leads to the place: keys and indices, () for the whole value.

    `operation` is one of

    * "open": an array, object or string begins there; `value` is a new empty one;
    * "text": the string there grows; `value` is the new part only;
    * "value": `value` stands there now: a literal, a number (which comes again while its digits arrive), with
      `strings="drop"` a string;
    * "remove": what stands there goes: a number that is not one yet, such as `1.` after `1`;
    * "close": the array, object or string there is whole; `value` is None.

    An array grows at its end only, so an index is at most the length. A repeated key opens or sets its place anew.
    """

    path: Path
    operation: Literal["open", "text", "value", "remove", "close"]
    value: Any = None


def changes_of(entries: list[Entry]) -> list[Change]:
    """The log as its readers see it; neighbouring parts of one string are joined."""
    if len(entries) == 1:
        operation, path, value = entries[0]
        if operation == "text":
            return [Change(path, "text", value)]
    found: list[Change] = []
    pieces: list[str] = []
    for operation, path, value in entries:
        if operation == "text":
            if not pieces:
                found.append(Change(path, "text", value))
            pieces.append(value)
            continue
        if pieces:
            if len(pieces) > 1:
                found[-1].value = "".join(pieces)
            pieces.clear()
        if operation == "open":
            found.append(Change(path, "open", type(value)()))
        elif operation == "close":
            found.append(Change(path, "close"))
        elif operation == "remove":
            found.append(Change(path, "remove"))
        elif operation != "settled":
            found.append(Change(path, "value", value))
    if len(pieces) > 1:
        found[-1].value = "".join(pieces)
    return found


def path_of_innermost(stack: list[Any]) -> Path:
    """The path of the last of the open containers `stack`."""
    path: list[str | int] = []
    for box, child in pairwise(stack):
        path.append(len(box) - 1 if type(box) is list else key_of(box, child))
    return tuple(path)


def key_of(box: dict[str, Any], child: Any) -> str:
    """The key under which `box` holds the container `child`: mostly the last one."""
    return next(key for key in reversed(box) if box[key] is child)


def entries_so_far(state: ScanState) -> list[Entry]:
    """The entries that lead from nothing to the value as it stands. Linear in its size, without recursion."""
    entries: list[Entry] = []
    unfinished = set(map(id, state.stack))
    innermost = state.stack[-1] if state.stack else state.top
    walks: list[tuple[Any, Any, Path | None]] = [(state.top, enumerate(state.top), None)]
    while walks:
        box, items, path = walks[-1]
        for slot, value in items:
            place = () if path is None else (*path, slot)
            growing = state.growing if box is innermost and slot == state.slot else ""
            if type(value) is dict or type(value) is list:
                entries.append(("open", place, value))
                inside = value.items() if type(value) is dict else enumerate(value)
                walks.append((value, iter(inside), place))
                break
            if type(value) is str and state.keep:
                entries.append(("open", place, ""))
                if value:
                    entries.append(("text", place, value))
                if growing != "text":
                    entries.append(("close", place, value))
            else:
                entries.append(("number" if growing == "number" else "value", place, value))
        else:
            walks.pop()
            if path is not None and id(box) not in unfinished:
                entries.append(("close", path, box))
    return entries


_STEP: Final = re.compile(r"(?:^|(?<=.)\.)([^.\[\]]+)|\[([0-9]+|\*)\]")


def _steps(path: str | tuple[str | int, ...]) -> Path:
    """`path` as a tuple, whichever way it was written."""
    if isinstance(path, tuple):
        if not all(isinstance(step, str) or (type(step) is int and step >= 0) for step in path):
            raise LocalProtocolError("the path of a watch is a tuple of keys and indices (ints from 0)")
        return path
    if not isinstance(path, str):
        raise LocalProtocolError(f"the path of a watch is a str or a tuple, not {type(path).__name__}")
    steps: list[str | int] = []
    end = 0
    while end < len(path):
        match = _STEP.match(path, end)
        if match is None:
            raise LocalProtocolError(
                f"the path of a watch cannot be read at character {end}: it looks like a.b[0].c or rows[*]; "
                "keys with dots or brackets need a tuple"
            )
        key, index = match.groups()
        steps.append(key if key is not None else index if index == "*" else int(index))
        end = match.end()
    return tuple(steps)


class Watch:
    """What arrives at one place of a growing JSON value.

    `path` names the place: "file_text", "a.b[0].c", "" for the whole value, or a tuple, ("a", "b", 0, "c"), which
    can hold any key. `[*]` (in a tuple "*") is every item of an array: "rows[*]", "rows[*].name".

    Without a `[*]`, a string there is given in pieces as it comes (with `strings="drop"`, whole), any other value once,
    when it is whole. With a `[*]`, every value that fits is given when it is whole, strings too. After a repeated key
    come the pieces, or the value, of the later one.

    Each watch reads for itself: several of them, and `changes()`, take nothing from each other. Linear in total.
    """

    __slots__ = ("__weakref__", "_parser", "_pieces", "_queue", "_steps")

    def __init__(self, parser: PartialJSON, path: str | tuple[str | int, ...]) -> None:
        self._steps = _steps(path)
        self._pieces = "*" not in self._steps
        self._parser = parser
        self._queue: list[Any] = []
        self._take(parser._watch(self))

    def new(self) -> list[Any]:
        """What has come since the last call, from the beginning at the first."""
        self._parser._look()
        queue = self._queue
        self._queue = []
        return queue

    def _take(self, entries: list[Entry]) -> None:
        steps = self._steps
        pieces = self._pieces
        length = len(steps)
        for operation, path, value in entries:
            if len(path) != length or (path != steps if pieces else not _fits(path, steps)):
                continue
            if operation == "text":
                if pieces:
                    self._queue.append(value)
            elif operation == "close":
                if not pieces or type(value) is not str:
                    self._queue.append(value)
            elif operation == "value" or operation == "settled":
                self._queue.append(value)


def _fits(path: Path, steps: Path) -> bool:
    return all(step == here or (step == "*" and type(here) is int) for here, step in zip(path, steps, strict=True))
