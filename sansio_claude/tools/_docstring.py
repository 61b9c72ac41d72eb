"""A docstring, taken apart: what the function or class is for, and what each parameter or field means.

Understands the Google, NumPy and Sphinx styles (and Epytext's `@param`). What is understood as a word about a parameter
is taken out of the description; everything else stays in it, because a description cannot be too detailed for a model.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection
from typing import Final

import attrs

__all__ = ["Docstring", "parse_docstring"]

_GOOGLE: Final = re.compile(
    r"(?i)(?:args|arguments|parameters|params|keyword args|keyword arguments|other parameters|attributes|fields):\s*\Z"
)
_NAMES: Final = r"\*{0,2}[`'\"]*\w+[`'\"]*(?:\s*,\s*\*{0,2}[`'\"]*\w+[`'\"]*)*"
_GOOGLE_ITEM: Final = re.compile(rf"[-*]?\s*({_NAMES})\s*(?:\((.*?)\))?\s*:(?!:)\s*(.*)\Z")
_NUMPY: Final = re.compile(r"(?i)(?:parameters|other parameters|attributes)\s*\Z")
_NUMPY_ITEM: Final = re.compile(rf"({_NAMES})\s*(?::\s*(.*))?\Z")
_UNDERLINE: Final = re.compile(r"-{3,}\s*\Z|={3,}\s*\Z")
_FIELD: Final = re.compile(
    r"[:@](?:param|parameter|arg|argument|key|keyword|ivar|cvar|var|attribute)\s+(?:([^:]*?)\s)?\*{0,2}(\w+)\s*:\s*(.*)\Z"
)
_TYPE_FIELD: Final = re.compile(r"[:@](?:type|vartype)\s+(\w+)\s*:\s*(.*)\Z")
_OTHER_FIELD: Final = re.compile(r"[:@](\w+)(?:\s+([^:]*))?:\s*(.*)\Z")
_FIELD_WORDS: Final = {
    "return": "Returns",
    "returns": "Returns",
    "rtype": "Return type",
    "raise": "Raises",
    "raises": "Raises",
    "except": "Raises",
    "exception": "Raises",
}


@attrs.define(frozen=True)
class Docstring:
    """`description` is the text without its parameters, `parameters` what is said of each, by name; `types` what
    stands for its type, where something does; `bare` the names that are listed without a word about them."""

    description: str
    parameters: dict[str, str]
    types: dict[str, str] = attrs.field(factory=dict, eq=False)
    bare: tuple[str, ...] = attrs.field(default=(), eq=False)

    def described(self, known: Collection[str], hidden: Collection[str] = ()) -> str:
        """The description with what is said of names that are no parameters: it stands nowhere else. What is said of
        the `hidden` ones is left out."""
        names = dict.fromkeys([*self.parameters, *self.types, *self.bare])
        others = [self._line(name) for name in names if name not in known and name not in hidden]
        return "\n\n".join(filter(None, [self.description, *others]))

    def _line(self, name: str) -> str:
        head = f"{name} ({self.types[name]})" if name in self.types else name
        return f"{head}: {self.parameters[name]}" if name in self.parameters else head


def parse_docstring(text: str | None) -> Docstring:
    """Take a docstring apart. Any text gives an answer; what is not understood stays in the description. Linear."""
    lines = _dedented(text or "")
    reader = _Reader()
    at = 0
    while at < len(lines):
        line = lines[at]
        following = lines[at + 1] if at + 1 < len(lines) else ""
        if _GOOGLE.match(line) and _first_indent(lines, at + 1) > 0:
            at = reader.google(lines, at)
        elif _NUMPY.match(line) and _UNDERLINE.match(following):
            at = reader.numpy(lines, at)
        elif match := _FIELD.match(line):
            at, words = _folded(lines, at + 1, match.group(3))
            reader.say(match.group(2), words, match.group(1))
        elif match := _TYPE_FIELD.match(line):
            at, words = _folded(lines, at + 1, match.group(2))
            reader.types.setdefault(match.group(1), words)
        elif (match := _OTHER_FIELD.match(line)) and match.group(1) in _FIELD_WORDS:
            at, words = _folded(lines, at + 1, match.group(3))
            name = f" {match.group(2)}" if match.group(2) else ""
            reader.kept.append(f"{_FIELD_WORDS[match.group(1)]}{name}: {words}")
        else:
            reader.kept.append(line)
            at += 1
    description = re.sub(r"\n{3,}", "\n\n", "\n".join(reader.kept)).strip()
    parameters = {name: " ".join(words) for name, words in reader.found.items() if words}
    return Docstring(
        description, parameters, reader.types, tuple(name for name in reader.found if name not in parameters)
    )


class _Reader:
    """What has been read: the lines that stay, and the words of each parameter."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.found: dict[str, list[str]] = {}
        self.types: dict[str, str] = {}

    def say(self, names: str, words: str, kind: str | None) -> list[str]:
        """Put words to one or more names; the names."""
        each = [name.strip(" *`'\"") for name in names.split(",")]
        for name in each:
            said = self.found.setdefault(name, [])
            if words.strip():
                said.append(words.strip())
            if kind and kind.strip():
                self.types.setdefault(name, kind.strip())
        return each

    def google(self, lines: list[str], heading: int) -> int:
        """Items `name (type): words` in a block that is indented; deeper lines belong to the item above."""
        at = heading + 1
        outer = _first_indent(lines, at)
        names: list[str] = []
        lost: list[str] = []
        while at < len(lines) and (not lines[at].strip() or _indent(lines[at]) >= outer):
            line = lines[at]
            at += 1
            match = _GOOGLE_ITEM.match(line.strip()) if _indent(line) == outer else None
            if match:
                names = self.say(match.group(1), match.group(3), match.group(2))
            elif names:
                for name in names:
                    self.say(name, line, None)
            elif line.strip():
                lost.append(line)
        if lost:
            self.kept += [lines[heading], *lost]
        self.kept.append("")
        return at

    def numpy(self, lines: list[str], heading: int) -> int:
        """Items `name : type`, each with its words indented below it, up to the next underlined heading."""
        at = heading + 2
        names: list[str] = []
        lost: list[str] = []
        while at < len(lines):
            line = lines[at]
            if line.strip() and at + 1 < len(lines) and _UNDERLINE.match(lines[at + 1]):
                break
            if line.strip() and _indent(line) == 0:
                match = _NUMPY_ITEM.match(line)
                if match is None:
                    break
                names = self.say(match.group(1), "", match.group(2))
            elif names:
                for name in names:
                    self.say(name, line, None)
            elif line.strip():
                lost.append(line)
            at += 1
        if lost:
            self.kept += [*lines[heading : heading + 2], *lost]
        self.kept.append("")
        return at


def _dedented(text: str) -> list[str]:
    # The first line stands behind the quotes, so its indentation says nothing about the others'.
    first, _, rest = text.expandtabs().partition("\n")
    lines = [first.strip(), *(line.rstrip() for line in textwrap.dedent(rest).split("\n"))]
    if _GOOGLE.match(lines[0]):
        # Its items may be all that there is: then nothing else says that they are indented.
        item = next(filter(None, lines[1:]), "")
        if _indent(item) == 0 and _GOOGLE_ITEM.match(item) and not _GOOGLE.match(item):
            return [lines[0], *(f"    {line}" if line else line for line in lines[1:])]
    return lines


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip()) if line.strip() else 0


def _first_indent(lines: list[str], at: int) -> int:
    """The indentation of the first line that is not blank; 0 where there is none."""
    while at < len(lines) and not lines[at].strip():
        at += 1
    return _indent(lines[at]) if at < len(lines) else 0


def _folded(lines: list[str], at: int, words: str) -> tuple[int, str]:
    """A field's words with the indented lines below it."""
    found = [words.strip()]
    while at < len(lines) and _indent(lines[at]) > 0:
        found.append(lines[at].strip())
        at += 1
    return at, " ".join(filter(None, found))
