"""The slow, obvious twin of PartialJSON: reads the whole text from its beginning, one character after another.

Nothing here is shared with the library's own scanner. It is recursive, so texts must not nest deeper than a few
hundred.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from attrs import define

from sansio_claude._partial_json.parser import Change

__all__ = ["NOTHING", "Seen", "apply", "refused_by_json", "same", "see"]

NOTHING: Final[Any] = object()
WHOLE_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
ESCAPES: Final = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
LONGEST_SHOWN: Final = 4300


@define
class Seen:
    """What is to be seen of a text."""

    value: Any
    status: str
    position: int | None


class _Reader:
    """Each method begins at an index and returns what is visible and the index behind it, None where it stops."""

    def __init__(self, text: str, keep: bool, allow_nan: bool, max_depth: int) -> None:
        self.text = text
        self.keep = keep
        self.max_depth = max_depth
        self.words: dict[str, Any] = {"true": True, "false": False, "null": None}
        if allow_nan:
            self.words |= {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": -float("inf")}
        self.wrong: int | None = None
        self.open_number = False

    def stop(self, at: int) -> None:
        """The text ends at `at`, or is wrong there."""
        if at < len(self.text):
            self.wrong = at

    def space(self, at: int) -> int:
        while self.text[at : at + 1] in (" ", "\t", "\n", "\r"):
            at += 1
        return at

    def value(self, at: int, depth: int) -> tuple[Any, int | None]:
        c = self.text[at : at + 1]
        if c in ("{", "["):
            if depth == self.max_depth:
                self.stop(at)
                return NOTHING, None
            return (self.object if c == "{" else self.array)(at + 1, depth + 1)
        if c == '"':
            decoded, behind = self.string(at + 1)
            return (decoded if self.keep or behind is not None else NOTHING), behind
        for word, constant in self.words.items():
            # "-" alone may become a number too
            if c == word[0] and self.text[at : at + 2] != "-" and (c != "-" or self.text[at + 1] == "I"):
                length = 0
                while length < len(word) and self.text[at + length : at + length + 1] == word[length]:
                    length += 1
                if length == len(word):
                    return constant, at + length
                self.stop(at + length)
                return NOTHING, None
        return self.number(at, depth)

    def number(self, at: int, depth: int) -> tuple[Any, int | None]:
        end = at
        while end < len(self.text) and self.begins_number(self.text[at : end + 1]):
            end += 1
        token = self.text[at:end]
        whole = WHOLE_NUMBER.fullmatch(token) is not None
        try:
            number = json.loads(token) if whole else NOTHING
        except ValueError:  # more digits than an int may have
            number, whole = NOTHING, False
        if end == len(self.text):
            self.open_number = whole and depth == 0
            return (number if len(token) <= LONGEST_SHOWN else NOTHING), None
        if not whole:
            self.stop(end)
            return NOTHING, None
        # A long number is shown once it is whole: never, where something else than its end follows.
        is_shown = len(token) <= LONGEST_SHOWN or self.text[end] in " \t\n\r,]}"
        return (number if is_shown else NOTHING), end

    @staticmethod
    def begins_number(token: str) -> bool:
        return any(WHOLE_NUMBER.fullmatch(token + more) for more in ("", "0"))

    def string(self, at: int) -> tuple[str, int | None]:
        """What is visible of a string whose content begins at `at`."""
        shown = ""
        high = ""  # a high surrogate whose partner is undecided
        while at < len(self.text):
            c = self.text[at]
            if c == '"':
                return shown + high, at + 1
            if c < " ":
                self.stop(at)
                return shown, None
            if c != "\\":
                shown += high + c
                high = ""
                at += 1
                continue
            kind = self.text[at + 1 : at + 2]
            if kind in ESCAPES:
                shown += high + ESCAPES[kind]
                high = ""
                at += 2
                continue
            if kind != "u":
                self.stop(at + 1)
                return shown, None
            for i in range(at + 2, at + 6):
                if self.text[i : i + 1] not in tuple("0123456789abcdefABCDEF"):
                    self.stop(i)
                    return shown, None
            code = int(self.text[at + 2 : at + 6], 16)
            at += 6
            if high and 0xDC00 <= code <= 0xDFFF:
                shown += chr(0x10000 + ((ord(high) - 0xD800) << 10) + (code - 0xDC00))
                high = ""
            elif 0xD800 <= code <= 0xDBFF:
                shown += high
                high = chr(code)
            else:
                shown += high + chr(code)
                high = ""
        return shown, None

    def array(self, at: int, depth: int) -> tuple[Any, int | None]:
        items: list[Any] = []
        at = self.space(at)
        if self.text[at : at + 1] == "]":
            return items, at + 1
        while True:
            at = self.space(at)
            item, behind = self.value(at, depth)
            if item is not NOTHING:
                items.append(item)
            if behind is None:
                return items, None
            at = self.space(behind)
            if self.text[at : at + 1] == "]":
                return items, at + 1
            if self.text[at : at + 1] != ",":
                self.stop(at)
                return items, None
            at += 1

    def object(self, at: int, depth: int) -> tuple[Any, int | None]:
        members: dict[str, Any] = {}
        at = self.space(at)
        if self.text[at : at + 1] == "}":
            return members, at + 1
        while True:
            at = self.space(at)
            if self.text[at : at + 1] != '"':
                self.stop(at)
                return members, None
            key, behind = self.string(at + 1)
            if behind is None:
                return members, None
            at = self.space(behind)
            if self.text[at : at + 1] != ":":
                self.stop(at)
                return members, None
            item, behind = self.value(self.space(at + 1), depth)
            if item is not NOTHING:
                members[key] = item
            if behind is None:
                return members, None
            at = self.space(behind)
            if self.text[at : at + 1] == "}":
                return members, at + 1
            if self.text[at : at + 1] != ",":
                self.stop(at)
                return members, None
            at += 1


def see(text: str, *, keep: bool = True, allow_nan: bool = False, max_depth: int = 512) -> Seen:
    """What PartialJSON must show of `text`, however it came."""
    if not text:
        return Seen(NOTHING, "empty", None)
    reader = _Reader(text, keep, allow_nan, max_depth)
    value, behind = reader.value(reader.space(0), 0)
    complete = reader.open_number
    if behind is not None:
        behind = reader.space(behind)
        reader.stop(behind)
        complete = True
    if reader.wrong is not None:
        return Seen(value, "invalid", reader.wrong)
    return Seen(value, "complete" if complete else "incomplete", None)


def refused_by_json(text: str, *, allow_nan: bool = False) -> Any:
    """What the standard library makes of the whole text; NOTHING where it refuses."""

    def constant(word: str) -> float:
        if not allow_nan:
            raise ValueError(word)
        return float(word)

    try:
        return json.loads(text, parse_constant=constant)
    except ValueError:
        return NOTHING


def same(left: Any, right: Any) -> bool:
    """Equal in value, type and order of keys; NaN equals NaN, 0.0 does not equal -0.0. Without recursion."""
    pairs = [(left, right)]
    while pairs:
        one, other = pairs.pop()
        if type(one) is not type(other):
            return False
        if type(one) is dict:
            if list(one) != list(other):
                return False
            pairs += [(one[key], other[key]) for key in one]
        elif type(one) is list:
            if len(one) != len(other):
                return False
            pairs += zip(one, other, strict=True)
        elif one is not other and (repr(one) != repr(other) if type(one) is not str else one != other):
            return False
    return True


def apply(root: list[Any], changes: list[Change]) -> None:
    """Make of `root`, a list with the value in it or with nothing, what `changes` say; in the most literal way."""
    for change in changes:
        box: Any = root
        slot: Any = 0
        for step in change.path:
            box = box[slot]
            slot = step
        match change.operation:
            case "open" | "value":
                if type(box) is list:
                    assert slot <= len(box)
                    box[slot : slot + 1] = [change.value]
                else:
                    box[slot] = change.value
            case "text":
                assert change.value
                box[slot] += change.value
            case "remove":
                assert type(box) is dict or slot == len(box) - 1
                del box[slot]
            case "close":
                assert change.value is None
                assert isinstance(box[slot], (dict, list, str))
