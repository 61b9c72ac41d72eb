"""What has changed in a growing JSON value: the public record of it, and watchers of one place.

The scanner writes entries (operation, place, value) while somebody wants them. Whoever comes later first gets the
entries that lead to the value as it stands (`entries_so_far`), then what the scanner writes; every reader has its own
list, so none takes anything from another. An entry takes the same time and memory at any depth: watches look at each
entry as it is written and keep only what they give out (`WatchedLog`), and the path of a change is made when it is
read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from weakref import ref

from sansio_claude._copies import NotCopied
from sansio_claude._errors import LocalProtocolError
from sansio_claude._partial_json.state import Entry, Path, Place, ScanState, path_of

if TYPE_CHECKING:
    from sansio_claude._partial_json.parser import PartialJSON
from sansio_claude._value import Value

__all__ = ["Change", "Watch", "WatchedLog", "changes_of", "entries_so_far", "place_of_innermost"]


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

    __slots__ = ("_path", "_place", "operation", "value")
    __match_args__: ClassVar[tuple[str, ...]] = ("path", "operation", "value")

    operation: Literal["open", "text", "value", "remove", "close"]
    value: Any

    def __init__(
        self, path: Path, operation: Literal["open", "text", "value", "remove", "close"], value: Any = None
    ) -> None:
        self._path: Path | None = path
        self._place: Place = ()
        self.operation = operation
        self.value = value

    @property
    def path(self) -> Path:
        """Keys and indices from the whole value, (), to the place. Made when it is first read, linear in its depth."""
        if self._path is None:
            self._path = path_of(self._place)
        return self._path

    def __reduce__(self) -> tuple[Any, ...]:
        return Change, (self.path, self.operation, self.value)


def _change(place: Place, operation: Literal["open", "text", "value", "remove", "close"], value: Any = None) -> Change:
    change = Change((), operation, value)
    change._path = None
    change._place = place
    return change


def changes_of(entries: list[Entry]) -> list[Change]:
    """The log as its readers see it; neighbouring parts of one string are joined."""
    if len(entries) == 1:
        operation, place, value = entries[0]
        if operation == "text":
            return [_change(place, "text", value)]
    found: list[Change] = []
    pieces: list[str] = []
    for operation, place, value in entries:
        if operation == "text":
            if not pieces:
                found.append(_change(place, "text", value))
            pieces.append(value)
            continue
        if pieces:
            if len(pieces) > 1:
                found[-1].value = "".join(pieces)
            pieces.clear()
        if operation == "open":
            found.append(_change(place, "open", type(value)()))
        elif operation == "close":
            found.append(_change(place, "close"))
        elif operation == "remove":
            found.append(_change(place, "remove"))
        elif operation != "settled":
            found.append(_change(place, "value", value))
    if len(pieces) > 1:
        found[-1].value = "".join(pieces)
    return found


def place_of_innermost(stack: list[Any]) -> Place:
    """The place of the last of the open containers `stack`."""
    place: Place = ()
    for box, child in pairwise(stack):
        place = (place, len(box) - 1 if type(box) is list else key_of(box, child))
    return place


def key_of(box: dict[str, Any], child: Any) -> str:
    """The key under which `box` holds the container `child`: mostly the last one."""
    return next(key for key in reversed(box) if box[key] is child)


def entries_so_far(state: ScanState) -> Iterator[Entry]:
    """The entries that lead from nothing to the value as it stands. Linear in its size, without recursion."""
    unfinished = set(map(id, state.stack))
    innermost = state.stack[-1] if state.stack else state.top
    walks: list[tuple[Any, Any, Place | None]] = [(state.top, enumerate(state.top), None)]
    while walks:
        box, items, around = walks[-1]
        for slot, value in items:
            place: Place = () if around is None else (around, slot)
            growing = state.growing if box is innermost and slot == state.slot else ""
            if type(value) is dict or type(value) is list:
                yield "open", place, value
                inside = value.items() if type(value) is dict else enumerate(value)
                walks.append((value, iter(inside), place))
                break
            if type(value) is str and state.keep:
                yield "open", place, ""
                if value:
                    yield "text", place, value
                if growing != "text":
                    yield "close", place, value
            else:
                yield "number" if growing == "number" else "value", place, value
        else:
            walks.pop()
            if around is not None and id(box) not in unfinished:
                yield "close", around, box


@cache
def _step() -> re.Pattern[str]:
    return re.compile(r"(?:^|(?<=.)\.)([^.\[\]]+)|\[([0-9]+|\*)\]")


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
        match = _step().match(path, end)
        if match is None:
            raise LocalProtocolError(
                f"the path of a watch cannot be read at character {end}: it looks like a.b[0].c or rows[*]; "
                "keys with dots or brackets need a tuple"
            )
        key, index = match.groups()
        steps.append(key if key is not None else index if index == "*" else int(index))
        end = match.end()
    return tuple(steps)


class Watch(NotCopied):
    """What arrives at one place of a growing JSON value.

    `path` names the place: "file_text", "a.b[0].c", "" for the whole value, or a tuple, ("a", "b", 0, "c"), which
    can hold any key. `[*]` (in a tuple "*") is every item of an array: "rows[*]", "rows[*].name".

    Without a `[*]`, a string there is given in pieces as it comes (with `strings="drop"`, whole), any other value once,
    when it is whole. With a `[*]`, every value that fits is given when it is whole, strings too. After a repeated key
    come the pieces, or the value, of the later one.

    Each watch reads for itself: several of them, and `changes()`, take nothing from each other. Linear in total.
    """

    __slots__ = ("__weakref__", "_parser", "_pieces", "_queue", "_steps")
    _instead = "it belongs to one PartialJSON: copy that, and watch the copy"

    def __init__(self, parser: PartialJSON, path: str | tuple[str | int, ...]) -> None:
        self._steps = _steps(path)
        self._pieces = "*" not in self._steps
        self._parser = parser
        self._queue: list[Any] = []
        self._take(parser._watch(self))

    def __repr__(self) -> str:
        return f"<Watch of {self._parser!r}>"

    def new(self) -> list[Any]:
        """What has come since the last call, from the beginning at the first."""
        self._parser._look()
        queue = self._queue
        self._queue = []
        return queue

    def _take(self, entries: Iterable[Entry]) -> None:
        """Keep of these entries what happens at the place."""
        pieces = self._pieces
        for operation, place, value in entries:
            if not _fits(place, self._steps):
                continue
            if operation == "text":
                if pieces:
                    self._queue.append(value)
            elif operation == "close":
                if not pieces or type(value) is not str:
                    self._queue.append(value)
            elif operation == "value" or operation == "settled":
                self._queue.append(value)


def _fits(place: Place, steps: Path) -> bool:
    """Whether a place is the one that a watch's steps name. Takes no more steps than these are."""
    for step in reversed(steps):
        if not place:
            return False
        place, here = place
        if step != here and not (step == "*" and type(here) is int):
            return False
    return not place


class WatchedLog:
    """A log that shows each entry to the watches as it is written, and keeps it only for `changes()`."""

    __slots__ = ("_watches", "kept")

    def __init__(self, kept: list[Entry] | None) -> None:
        self.kept = kept
        """The list of `changes()`, None where nobody has asked for it."""
        # Each watch with the last step of its path: most entries are told by that alone to be of another place.
        self._watches: list[tuple[ref[Watch], str | int | None]] = []

    def add(self, watch: Watch) -> None:
        """Show every entry from now on to this watch, as long as anybody holds it."""
        self._watches.append((ref(watch), watch._steps[-1] if watch._steps else None))

    def append(self, entry: Entry, /) -> None:
        """Take the next entry."""
        if self.kept is not None:
            self.kept.append(entry)
        place = entry[1]
        here = place[1] if place else None
        for reference, last in self._watches:
            if here == last or last == "*":
                watch = reference()
                if watch is not None:
                    watch._take((entry,))

    def living(self) -> bool:
        """Whether anybody watches still; forgets the watches that are gone."""
        for reference, _ in self._watches:
            if reference() is None:
                self._watches = [each for each in self._watches if each[0]() is not None]
                break
        return bool(self._watches)
