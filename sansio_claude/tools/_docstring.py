"""A function's docstring, taken apart: what the tool does, and what each parameter means.

Understands the Google, NumPy and Sphinx styles (and Epytext's `@param`). Sections about parameters are taken out of
the description; everything else stays in it, because a description cannot be too detailed for a model.
"""

from __future__ import annotations

import re
import textwrap
from typing import Final

import attrs

__all__ = ["Docstring", "parse_docstring"]

_GOOGLE: Final = re.compile(
    r"(?i)(?:args|arguments|parameters|params|keyword args|keyword arguments|other parameters|attributes):\s*\Z"
)
_GOOGLE_ITEM: Final = re.compile(r"\*{0,2}(\w+)\s*(?:\(.*?\))?\s*:(?!:)\s*(.*)\Z")
_NUMPY: Final = re.compile(r"(?i)(?:parameters|other parameters)\s*\Z")
_NUMPY_ITEM: Final = re.compile(r"(\*{0,2}\w+(?:\s*,\s*\*{0,2}\w+)*)\s*(?::.*)?\Z")
_UNDERLINE: Final = re.compile(r"-{3,}\s*\Z|={3,}\s*\Z")
_FIELD: Final = re.compile(r"[:@](param|parameter|arg|argument|key|keyword)\s+(?:[^:]*?\s)?\*{0,2}(\w+)\s*:\s*(.*)\Z")
_TYPE_FIELD: Final = re.compile(r"[:@](?:type|rtype)\b[^:]*:")
_OTHER_FIELD: Final = re.compile(r"[:@](\w+)(?:\s+([^:]*))?:\s*(.*)\Z")


@attrs.define(frozen=True)
class Docstring:
    """`description` is the text without its parameters, `parameters` what is said of each, by name."""

    description: str
    parameters: dict[str, str]


def parse_docstring(text: str | None) -> Docstring:
    """Take a docstring apart. Any text gives an answer; what is not understood stays in the description."""
    lines = _dedented(text or "")
    kept: list[str] = []
    found: dict[str, str] = {}
    at = 0
    while at < len(lines):
        line = lines[at]
        if _GOOGLE.match(line) and at + 1 < len(lines) and _indent(lines[at + 1]) > 0:
            at = _google(lines, at + 1, found)
        elif _NUMPY.match(line) and at + 1 < len(lines) and _UNDERLINE.match(lines[at + 1]):
            at = _numpy(lines, at + 2, found)
        elif match := _FIELD.match(line):
            at, words = _folded(lines, at + 1, match.group(3))
            found[match.group(2)] = words
        elif _TYPE_FIELD.match(line):
            at, _ = _folded(lines, at + 1, "")
        elif (match := _OTHER_FIELD.match(line)) and match.group(1) in _FIELD_WORDS:
            at, words = _folded(lines, at + 1, match.group(3))
            name = f" {match.group(2)}" if match.group(2) else ""
            kept.append(f"{_FIELD_WORDS[match.group(1)]}{name}: {words}")
        else:
            kept.append(line)
            at += 1
    description = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return Docstring(description, {name: words for name, words in found.items() if words})


_FIELD_WORDS: Final = {
    "return": "Returns",
    "returns": "Returns",
    "raise": "Raises",
    "raises": "Raises",
    "except": "Raises",
    "exception": "Raises",
}


def _dedented(text: str) -> list[str]:
    # The first line stands behind the quotes, so its indentation says nothing about the others'.
    first, _, rest = text.expandtabs().partition("\n")
    return [first.strip(), *(line.rstrip() for line in textwrap.dedent(rest).split("\n"))]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip()) if line.strip() else 0


def _google(lines: list[str], at: int, found: dict[str, str]) -> int:
    """Items `name (type): words` in a block that is indented; deeper lines belong to the item above."""
    outer = _indent(lines[at])
    name = ""
    while at < len(lines) and (not lines[at].strip() or _indent(lines[at]) >= outer):
        line = lines[at]
        at += 1
        if _indent(line) == outer and (match := _GOOGLE_ITEM.match(line.strip())):
            name = match.group(1)
            found[name] = match.group(2).strip()
        elif name and line.strip():
            found[name] = f"{found[name]} {line.strip()}".strip()
    return at


def _numpy(lines: list[str], at: int, found: dict[str, str]) -> int:
    """Items `name : type`, each with its words indented below it, up to the next underlined heading."""
    names: list[str] = []
    while at < len(lines):
        line = lines[at]
        if line.strip() and at + 1 < len(lines) and _UNDERLINE.match(lines[at + 1]):
            break
        if line.strip() and _indent(line) == 0:
            match = _NUMPY_ITEM.match(line)
            if match is None:
                break
            names = [name.strip(" *") for name in match.group(1).split(",")]
            found.update(dict.fromkeys(names, ""))
        else:
            for name in names:
                found[name] = f"{found[name]} {line.strip()}".strip()
        at += 1
    return at


def _folded(lines: list[str], at: int, words: str) -> tuple[int, str]:
    """A field's words with the indented lines below it."""
    while at < len(lines) and _indent(lines[at]) > 0:
        words = f"{words} {lines[at].strip()}"
        at += 1
    return at, words.strip()
