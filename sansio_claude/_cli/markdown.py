"""Markdown that grows: every line that is whole is rendered once; the last one is rendered anew while it grows.

Nothing but marks is taken away: what is no markdown stays as it was written, and each line of the source is a line (or
several) of the output. A table is held back until it is whole, since its columns depend on all of its rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from sansio_claude._cli.inline import inline
from sansio_claude._cli.wrapping import wrap_text, wrapped

__all__ = ["GrowingMarkdown", "GrowingText"]

_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})\s*([^`]*)$")
_HEADING: Final = re.compile(r" {0,3}(#{1,6}) +(.*)$")
_RULE: Final = re.compile(r" {0,3}([-*_])(?:\s*\1){2,}\s*$")
_ITEM: Final = re.compile(r"(\s*)([-*+]|\d{1,9}[.)])(\s+)(.*)$")
_QUOTE: Final = re.compile(r" {0,3}>\s?(.*)$")
_DIVIDER: Final = re.compile(r"\|[-:| ]*-[-:| ]*$")
_ROWS: Final = 200  # of a table that is held back; a longer one stays as written
_CODE: Final = "cyan"


class GrowingText:
    """Text without markdown, in one style. `feed` gives the lines that are finished, `rows` the last one so far."""

    def __init__(self, width: Callable[[], int], style: str = "") -> None:
        self._width = width
        self._style = style
        self._rest = ""

    def feed(self, text: str, room: int) -> list[Text]:
        """More text; the lines that no more text can change. `room` is the number of rows that may stay open."""
        *whole, last = (self._rest + text).split("\n")
        lines: list[Text] = []
        for line in whole:
            done, rest = wrapped(line, self._width())
            lines += [self._styled(part) for part in (*done, rest)]
        done, self._rest = wrapped(last, self._width())
        return [*lines, *map(self._styled, done)]

    def rows(self) -> list[Text]:
        """What is not finished."""
        return [self._styled(self._rest)] if self._rest else []

    def finish(self) -> list[Text]:
        """No more text comes."""
        rows, self._rest = self.rows(), ""
        return rows

    def _styled(self, line: str) -> Text:
        return Text(line, style=self._style)


class GrowingMarkdown:
    """The same for markdown."""

    def __init__(self, width: Callable[[], int]) -> None:
        self._width = width
        self._rest = ""
        self._fence = ""  # the mark that ends the code, while inside of some
        self._table: list[str] = []
        self._inside = False  # the beginning of this line is printed already

    def feed(self, text: str, room: int) -> list[Text]:
        """More text; the lines that no more text can change. `room` is the number of rows that may stay open."""
        *whole, self._rest = (self._rest + text).split("\n")
        lines: list[Text] = []
        for line in whole:
            lines += self._line(line)
        if len(self._rest) > self._width() * room:
            lines += self._overflow()
        return lines

    def rows(self) -> list[Text]:
        """What is not finished, as it would look if it ended here."""
        held = [Text(line) for line in self._table]
        return [*held, *self._rendered(self._rest)] if self._rest else held

    def finish(self) -> list[Text]:
        """No more text comes."""
        lines = self._line(self._rest) if self._rest else []
        self._rest, self._inside = "", False
        return [*lines, *self._end_table()]

    def _line(self, line: str) -> list[Text]:
        """A whole line of the source."""
        if not self._fence and not self._inside and line.lstrip().startswith("|") and len(self._table) < _ROWS:
            self._table.append(line)
            return []
        lines = self._end_table()
        fence = None if self._inside else _FENCE.match(line)
        if fence is not None and not self._fence:
            self._fence = fence[1]
            lines += [Text(fence[2].strip(), style="dim")] if fence[2].strip() else []
        elif fence is not None and fence[1].startswith(self._fence) and not fence[2]:
            self._fence = ""
        else:
            lines += self._rendered(line)
        self._inside = False
        return lines

    def _overflow(self) -> list[Text]:
        """A line that is longer than what may stay open: print its beginning, up to where no mark is open."""
        width = self._width()
        if self._fence or self._table:
            lines = self._end_table()
            done, self._rest = wrapped(self._rest, width)
            return [*lines, *(Text(line, style=_CODE if self._fence else "") for line in done)]
        found = inline(self._rest)
        done, _ = wrapped(found.text.plain, width)
        at, ends = 0, []
        for line in done:
            at += len(line)
            at += found.text.plain[at : at + 1] == " "
            ends.append(at)
        free = [end for end in ends if end < len(found.source) and found.source[end] >= 0]
        if not free and ends:  # all of it inside one mark
            done, self._rest = wrapped(self._rest, width)
            self._inside = True
            return [Text(line) for line in done]
        if not free:
            return []
        cut = found.source[free[-1]]
        lines = self._rendered(self._rest[:cut].removesuffix(" "))
        self._rest, self._inside = self._rest[cut:], True
        return lines

    def _rendered(self, line: str) -> list[Text]:
        """A line that is no part of a table, broken into rows."""
        width = self._width()
        if self._fence:
            return wrap_text(Text(line, style=_CODE), width)
        if self._inside:
            return wrap_text(inline(line).text, width)
        if heading := _HEADING.match(line):
            style = "bold underline" if len(heading[1]) == 1 else "bold"
            return wrap_text(inline(heading[2].strip(), style).text, width)
        if _RULE.match(line):
            return [Text("─" * min(width, 40), style="dim")]
        if item := _ITEM.match(line):
            mark = "•" if item[2] in "-*+" else item[2]
            lead = f"{item[1]}{mark} "
            return wrap_text(Text(lead).append_text(inline(item[4]).text), width, cell_len(lead))
        if quote := _QUOTE.match(line):
            inner = wrap_text(inline(quote[1], "italic").text, max(1, width - 2))
            return [Text("│ ", style="dim").append_text(part) for part in inner]
        return wrap_text(inline(line).text, width)

    def _end_table(self) -> list[Text]:
        """The table that was held back, if there is one, with its columns one below the other."""
        source, self._table = self._table, []
        if not source:
            return []
        cells = [_cells(line) for line in source]
        width = self._width()
        if len(source) < 2 or not _DIVIDER.match(source[1].strip()) or len(source) >= _ROWS:
            return [part for line in source for part in wrap_text(inline(line).text, width)]
        rows = [[inline(cell, "bold" if not number else "").text for cell in row] for number, row in enumerate(cells)]
        del rows[1]
        columns = max(map(len, rows))
        widths = [max(cell_len(row[n].plain) if n < len(row) else 0 for row in rows) for n in range(columns)]
        if sum(widths) + 3 * (columns - 1) > width:  # too wide: as it was written
            return [part for line in source for part in wrap_text(inline(line).text, width)]
        lines = [_row(row, widths) for row in rows]
        return [lines[0], Text("─┼─".join("─" * each for each in widths), style="dim"), *lines[1:]]


def _cells(line: str) -> list[str]:
    line = line.strip().removeprefix("|").removesuffix("|")
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)]


def _row(row: list[Text], widths: list[int]) -> Text:
    line = Text()
    for number, width in enumerate(widths):
        cell = row[number] if number < len(row) else Text()
        if number:
            line.append(" │ ", style="dim")
        line.append_text(cell)
        line.append(" " * (width - cell_len(cell.plain)))
    line.rstrip()
    return line
