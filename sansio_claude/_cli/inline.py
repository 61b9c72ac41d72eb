"""Markdown inside a line: code, bold, italic, struck out, links. Whatever is not closed stays as it was written."""

from __future__ import annotations

import re
from typing import Final

import attrs
from rich.text import Text

__all__ = ["Inline", "inline"]

_MARK: Final = re.compile(r"`+|\*\*|\*|__|_|~~|!?\[|\\[!-/:-@\[-`{-~]")
_LINK: Final = re.compile(r"\]\(([^()\s]*(?:\([^()\s]*\)[^()\s]*)*)\)")
_STYLES: Final = {"**": "bold", "__": "bold", "*": "italic", "_": "italic", "~~": "strike"}
_DEEPEST: Final = 3  # marks inside marks
_LONGEST_LINK: Final = 1_000  # characters of its text and address together


@attrs.define
class Inline:
    """A rendered line. `source[i]` is where in the source the i-th character stands, -1 inside a mark."""

    text: Text
    source: list[int]

    def put(self, text: str, start: int, style: str, *, top: bool) -> None:
        """Add characters that stand in the source from `start` on."""
        self.text.append(text, style or None)
        self.source.extend(range(start, start + len(text)) if top else [-1] * len(text))


def inline(source: str, style: str = "") -> Inline:
    """Render one line. Linear in its length."""
    found = Inline(Text(), [])
    _render(found, source, 0, len(source), style, 0)
    return found


def _render(found: Inline, source: str, start: int, end: int, style: str, depth: int) -> None:
    top = depth == 0
    at = start
    unclosed: set[str] = set()  # marks that have no end in the rest: not looked for again
    while at < end:
        match = _MARK.search(source, at, end) if depth < _DEEPEST else None
        if match is None:
            found.put(source[at:end], at, style, top=top)
            return
        found.put(source[at : match.start()], at, style, top=top)
        at = _mark(found, source, match, end, style, depth, unclosed)


def _mark(
    found: Inline, source: str, match: re.Match[str], end: int, style: str, depth: int, unclosed: set[str]
) -> int:
    """Render what a mark begins; where it ends. A mark without an end is text."""
    mark, start = match[0], match.end()
    if mark[0] == "\\":
        found.put(mark[1], match.start() + 1, style, top=depth == 0)
        return start
    if mark not in unclosed:
        if mark[0] == "`":
            close = source.find(mark, start, end)
            if close > start:
                code = source[start:close]
                inner = code[1:-1] if len(code) > 2 and code[0] == code[-1] == " " else code
                found.put(inner, start, f"{style} cyan".strip(), top=False)
                return close + len(mark)
            unclosed.add(mark)
        elif mark[-1] == "[":
            link = _LINK.search(source, start, min(end, start + _LONGEST_LINK))
            if link is None:
                unclosed.update(("[", "!["))
            elif "[" not in source[start : link.start()] and "]" not in source[start : link.start()]:
                _render(found, source, start, link.start(), f"{style} underline".strip(), depth + 1)
                if link[1] != source[start : link.start()]:
                    found.put(f" ({link[1]})", start, f"{style} dim".strip(), top=False)
                return link.end()
        else:
            close = _closing(source, mark, match.start(), end)
            if close > start:
                _render(found, source, start, close, f"{style} {_STYLES[mark]}".strip(), depth + 1)
                return close + len(mark)
            if close < 0:
                unclosed.add(mark)
    found.put(mark, match.start(), style, top=depth == 0)
    return start


def _closing(source: str, mark: str, opened: int, end: int) -> int:
    """Where the mark that was opened is closed; -1 where nowhere, 0 where this one opens nothing."""
    start = opened + len(mark)
    if start >= end or source[start].isspace():
        return 0
    words = mark[0] == "_"  # inside a word an underscore is a letter
    if words and opened > 0 and source[opened - 1].isalnum():
        return 0
    at = start
    while (close := source.find(mark, at, end)) >= 0:
        behind = close + len(mark)
        double = len(mark) == 1 and (source[close : close + 2] == mark * 2)
        if not double and not source[close - 1].isspace() and close > start:
            if not (words and behind < end and source[behind].isalnum()):
                return close
        at = close + (2 if double else 1)
    return -1
