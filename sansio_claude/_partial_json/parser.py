"""PartialJSON: JSON text that arrives in fragments, and the best value it has so far, in linear time.

What is shown of a text that is not whole:

* an array or object from its bracket on, a string from its opening quote on (`strings="drop"`: once whole), a literal
  once whole, a number while its characters so far are a number by themselves (`12` and `12.5`, but not `12.`; beyond
  4,300 characters only once whole);
* a key with the first visible part of its value. Of equal keys the last wins, and the earlier value stays until the
  later one has something to show;
* of a string everything but an unfinished escape and a high surrogate whose partner is undecided;
* of a text that cannot become JSON what its longest right beginning shows, and `error` says where that ends and why.

Every split of a text into fragments, and any moments of asking, give the same answers.

The text is scanned when somebody looks, each character once (`scan`). Where nobody looks before the end,
the C parser of the standard library reads it in one go. Both are imported when they are first needed: together they
take a twelfth of what importing the core takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from sansio_claude._copies import CopiedWhole
from sansio_claude._errors import LimitError, LocalProtocolError, RemoteProtocolError
from sansio_claude._json import DEFAULT_DEPTH, EXCERPT, depth_of
from sansio_claude._partial_json.changes import (
    Change,
    Watch,
    WatchedLog,
    changes_of,
    entries_so_far,
    key_of,
    place_of_innermost,
)
from sansio_claude._partial_json.state import MISSING, Entry, ScanState

if TYPE_CHECKING:
    from sansio_claude._partial_json.fault import JSONFault

__all__ = ["Change", "PartialJSON", "PartialStatus", "Watch"]

PartialStatus: TypeAlias = Literal["empty", "incomplete", "complete", "invalid"]

_LAST: Final = frozenset('}]" \t\n\r')  # what a text that cannot go on may end in
_flat: Final = chain.from_iterable


def _refuse_constant(word: str) -> Any:
    raise ValueError(word)


@cache
def _loads(*, strictly: bool) -> Callable[[str], Any]:
    from json import JSONDecoder

    return JSONDecoder(parse_constant=_refuse_constant if strictly else None).decode


class PartialJSON(CopiedWhole):
    """JSON text in fragments, and the value it has so far.

    `strings="keep"` shows unfinished strings as far as they have come, "drop" shows strings once they are whole.
    `allow_nan` lets the words NaN, Infinity and -Infinity count as numbers, as `json.loads` does. `max_depth` is how
    many containers may stand one in another.
    """

    __slots__ = (
        "__weakref__",
        "_changes",
        "_given",
        "_given_parts",
        "_new",
        "_parts",
        "_send",
        "_settings",
        "_state",
        "_text",
        "_top",
        "_watched",
    )

    def __init__(
        self,
        *,
        strings: Literal["keep", "drop"] = "keep",
        allow_nan: bool = False,
        max_depth: int = DEFAULT_DEPTH,
    ) -> None:
        if strings not in ("keep", "drop"):
            raise LocalProtocolError(f'strings must be "keep" or "drop", not {strings!r}')
        if type(max_depth) is not int or max_depth < 1:
            raise LocalProtocolError(f"max_depth must be an int of at least 1, not {max_depth!r}")
        self._settings = (strings, bool(allow_nan), max_depth)
        # All the text is, in this order: _text (joined), _parts (scanned), _new (not scanned).
        self._text = ""
        self._parts: list[str] = []
        self._new: list[str] = []
        self._state = ScanState(strings == "keep")
        self._top = self._state.top
        self._send: Callable[[str], None] | None = None  # the scanner; None: nothing scanned yet
        self._changes: list[Entry] | None = None  # what changes() has not given yet; None: nobody has asked
        # What changes() has given reaches so far: characters of _text, and behind it so many of _parts.
        self._given = self._given_parts = 0
        self._watched: WatchedLog | None = None  # where the scanner writes while there are watches

    def feed(self, text: str, /) -> None:
        """Take the next fragment. O(1): nothing is looked at before somebody asks, and nothing is ever raised for what
        the text says."""
        self._new.append(text)

    def _share(self, fragments: list[str], /) -> None:
        """Take the fragments from this list from now on: appending to it is feeding. For the blocks of a stream, and
        only before anything has been fed."""
        self._new = fragments

    @property
    def _fragments(self) -> list[str]:
        """The list of what has not been looked at: appending to it is feeding. For the blocks of a stream."""
        return self._new

    def __reduce__(self) -> tuple[Any, ...]:
        text = self.text  # joins the parts
        return _again, (*self._settings, text, None if self._changes is None else self._given)

    def __repr__(self) -> str:
        size = len(self._text) + sum(map(len, self._parts)) + sum(map(len, self._new))
        return f"<PartialJSON, {size} characters>"

    def _look(self) -> ScanState:
        """Scan what has come since the last time."""
        new = self._new
        if new:
            text = new.pop()
            if new or type(text) is not str:
                new.append(text)
                text = self._joined()
            if not text:
                return self._state
            self._parts.append(text)
            send = self._send
            if send is None:
                if self._adopted(text):
                    return self._state
                send = self._start()
            send(text)
            if self._watched is not None and not self._watched.living():
                self._watched = None
                self._state.log = self._changes
        return self._state

    def _start(self, *, ended: bool = False) -> Callable[[str], None]:
        from sansio_claude._partial_json.scan import scan

        _, allow_nan, max_depth = self._settings
        scanner = scan(self._state, allow_nan, max_depth, ended=ended)
        next(scanner)
        self._send = scanner.send
        return scanner.send

    def _adopted(self, text: str) -> bool:
        """Take the first text over as the C parser reads it, if it is one whole text that cannot go on."""
        state = self._state
        if state.log is not None or text[-1:] not in _LAST:
            return False
        value = self._in_one_go(text)
        if value is MISSING or type(value) is int or type(value) is float:
            return False
        state.top.append(value)
        state.whole = True
        self._start(ended=True)
        return True

    def _in_one_go(self, text: str) -> Any:
        """The value of the whole text by the C parser, MISSING where it has none or nests too deep."""
        _, allow_nan, max_depth = self._settings
        try:
            value = _loads(strictly=not allow_nan)(text)
        except (ValueError, RecursionError):
            return MISSING  # the scanner says what is wrong, or has no recursion to run out of
        if text.count("[") + text.count("{") > max_depth and _is_deeper(value, max_depth, text):
            return MISSING
        return value

    def _joined(self, start: int = 0) -> str:
        """The fragments that are not scanned yet, from one of them on, in one; they are no longer there."""
        new = self._new
        try:
            text = "".join(new[start:])
        except TypeError:
            new[:] = [item for item in new if isinstance(item, str)]
            raise LocalProtocolError("feed() takes str; what is none has been left out") from None
        del new[start:]
        return text

    @property
    def text(self) -> str:
        """All the text so far."""
        # Strings grow in place as long as nobody else holds them, no attribute and no list.
        new = self._new
        if self._send is None:
            if new and type(new[0]) is not str:
                new.append(self._joined())
            if len(new) > 1:
                more = self._joined(1)
                text = new.pop()
                text += more
                new.append(text)
            return new[0] if new else ""
        self._look()
        if self._parts:
            if self._given_parts:
                self._given += sum(map(len, self._parts[: self._given_parts]))
                self._given_parts = 0
            text = self._text
            self._text = ""
            text += "".join(self._parts)
            self._parts.clear()
            self._text = text
        return self._text

    @property
    def value(self) -> Any:
        """The value so far, None where there is nothing to show yet (`snapshot` tells that from a null).

        It is the parser's own and goes on growing: look, but do not change it. Each character of the text is
        scanned once, however often this is asked.
        """
        if self._new:
            self._look()
        top = self._top
        return top[0] if top else None

    def snapshot(self, default: Any = None) -> Any:
        """The value so far as it will stay, `default` where there is nothing to show yet.

        Copies the containers that are still open; those that are whole are shared, since they never change.
        """
        state = self._look()
        if not state.top:
            return default
        if not state.stack:
            return state.top[0]
        below: Any = None
        inner: Any = MISSING
        for box in reversed(state.stack):
            copy = box.copy()
            if inner is not MISSING:
                if type(copy) is list:
                    copy[-1] = inner
                else:
                    copy[key_of(copy, below)] = inner
            below = box
            inner = copy
        return inner

    @property
    def status(self) -> PartialStatus:
        """ "empty": no text at all. "complete": one whole JSON text (more may still follow: `1` becomes `12`).
        "invalid": no continuation can make it one. "incomplete": anything else."""
        state = self._look()
        if state.error is not None:
            return "invalid"
        if state.whole:
            return "complete"
        return "incomplete" if self._text or self._parts else "empty"

    @property
    def error(self) -> JSONFault | None:
        """Where and why the text stops being JSON; None where it does not."""
        state = self._look()
        if state.error is None:
            return None
        from sansio_claude._partial_json.fault import JSONFault

        return JSONFault(len(self.text) - state.unused, state.error)

    def final(self, default: Any = MISSING) -> Any:
        """The value of the whole text. Strict: exactly what `json.loads` gives, but NaN and Infinity words are refused
        unless `allow_nan` (1e400 is inf, as it is there).

        `default`, if given, is returned for no text at all. Raises LimitError beyond `max_depth` and
        RemoteProtocolError for any other text that is not one whole JSON text; both carry the value so far as
        `partial` and the raw text as `text`. Where nobody has looked before, this costs about one `json.loads`.
        """
        state = self._look()
        if state.whole:
            # A number at the top may have been withheld for its length.
            return state.top[0] if state.top else _loads(strictly=False)(self.text)
        if default is not MISSING and not self.text:
            return default
        raise self._refusal(state)

    def _refusal(self, state: ScanState) -> RemoteProtocolError:
        text = self.text
        excerpt = text[:EXCERPT].encode("utf-8", "surrogatepass")
        found = self.error
        error: RemoteProtocolError
        if state.too_deep:
            max_depth = self._settings[2]
            error = LimitError(
                f"the JSON nests deeper than max_depth = {max_depth}",
                limit="depth",
                value=max_depth,
                stage="json",
                excerpt=excerpt,
            )
        elif found is not None:
            words = f"this is not JSON: {found.reason} (character {found.position} of {len(text)})"
            error = RemoteProtocolError(words, stage="json", excerpt=excerpt)
        else:
            words = f"the JSON text is cut: it ends after {len(text)} characters before it is whole"
            error = RemoteProtocolError(words, stage="json", excerpt=excerpt)
        error.partial = self.snapshot()
        error.text = text
        return error

    def changes(self) -> list[Change]:
        """What has become visible since the last call, from the beginning at the first.

        Applied one by one they rebuild exactly `value` (see `Change`). Linear in total.
        """
        state = self._look()
        entries = self._changes
        if entries is None:
            self._log()
            entries = self._changes = list(entries_so_far(state))
            if self._watched is None:
                state.log = entries
            else:
                self._watched.kept = entries
        found = changes_of(entries)
        entries.clear()
        self._given, self._given_parts = len(self._text), len(self._parts)
        return found

    def _log(self) -> None:
        """Before the first entry is written: find out where the scanner stands."""
        state = self._state
        if state.log is None:
            state.path = place_of_innermost(state.stack)

    def _watch(self, watch: Watch) -> Iterator[Entry]:
        """Let `watch` take what happens from now on; gives what has happened so far, to be read at once."""
        state = self._look()
        self._log()
        if self._watched is None:
            state.log = self._watched = WatchedLog(self._changes)
        self._watched.add(watch)
        return entries_so_far(state)


def _again(
    strings: Literal["keep", "drop"], allow_nan: bool, max_depth: int, text: str, given: int | None
) -> PartialJSON:
    """A parser of `text` whose `changes()` has given what the first characters of it, so many, say (None: nothing)."""
    parser = PartialJSON(strings=strings, allow_nan=allow_nan, max_depth=max_depth)
    if given is not None:
        parser.feed(text[:given])
        parser.changes()
        text = text[given:]
    if text:
        parser.feed(text)
    return parser


def _is_deeper(value: Any, depth: int, text: str) -> bool:
    """Whether containers stand more than `depth` deep in `text`, which is JSON and has this value."""
    level: list[Any] = [value]
    containers = 0
    for _ in range(depth + 1):
        kinds = set(map(type, level))
        if dict not in kinds and list not in kinds:
            break
        # Level by level, so there is no recursion.
        if kinds == {list}:
            containers += len(level)
            level = list(_flat(level))
        elif kinds == {dict}:
            containers += len(level)
            level = list(_flat(map(dict.values, level)))
        else:
            arrays = [item for item in level if type(item) is list]
            objects = [item.values() for item in level if type(item) is dict]
            containers += len(arrays) + len(objects)
            level = [*_flat(arrays), *_flat(objects)]
    else:
        return True
    # What a repeated key has replaced is not in the value. Then the text has more brackets, those in strings left out.
    parts = text.replace("\\\\", "").replace('\\"', "").split('"')[::2]
    bare = "".join(parts)
    if bare.count("[") + bare.count("{") == containers:
        return False
    return depth_of(bare.encode()) > depth
