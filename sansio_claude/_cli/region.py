"""The part of a terminal that still changes: some rows below everything that is finished.

Between two draws the cursor stands on the first column of the first row. So it stays where it belongs when the terminal
gets another width and breaks the rows anew, or when Ctrl-C is echoed: whatever stands from there on is the region, and
"erase to the end of the screen" erases it whole, however many rows it takes by then.

One draw is one write, between the codes that keep a terminal from showing half of it (synchronised output, mode 2026).
Finished lines go first and over the rows of the region, which is drawn again below them: so the region never
scrolls into the history, and shrinks only when there is something to take its place. Rows that did not change are not
written again. A row never goes on in the next one (autowrap, mode 7, is off), so that a character that the terminal
draws wider than expected costs that character and no more; finished lines may wrap, so that they lose nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

__all__ = ["Region"]

_BEGIN: Final = "\x1b[?2026h"
_END: Final = "\x1b[?2026l"
_WRAP_OFF: Final = "\x1b[?7l"
_WRAP_ON: Final = "\x1b[?7h"
_HIDE: Final = "\x1b[?25l"
_SHOW: Final = "\x1b[?25h"
_ERASE_ROW: Final = "\x1b[K"  # from the cursor on
_ERASE_BELOW: Final = "\x1b[J"  # from the cursor to the end of the screen


class Region:
    """Rows at the end of the output. `open` first, `draw` any number of times, `close` in the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rows: list[str] = []
        self._size = (0, 0)
        self._open = False

    def open(self) -> None:
        """Hide the cursor."""
        self._open = True
        self._size = self._now()
        self._write(_HIDE)

    def close(self) -> None:
        """Erase the region and show the cursor. Doing it again does nothing."""
        if self._open:
            self.draw([], [])
            self._open = False
            self._write(_WRAP_ON + _SHOW)

    def draw(self, finished: Sequence[Text], rows: Sequence[Text]) -> None:
        """Print the finished lines for good, and show `rows` below them, as many of the last as there is room for.

        Each is one line without line ends. Writes nothing where nothing has changed.
        """
        size = self._now()
        resized, self._size = size != self._size, size
        new = [self._codes(row) for row in rows[-max(1, size[1] - 1) :]]
        if finished or resized:
            above = [self._codes(line) + _ERASE_ROW + "\r\n" for line in finished]
            start = _ERASE_BELOW if resized else ""
            body = (_ERASE_ROW + "\r\n").join(new)
            out = start + "".join(above) + _WRAP_OFF + body + _ERASE_BELOW + _WRAP_ON + _up(len(new) - 1)
        elif new != self._rows:
            out = self._changes(new)
        else:
            return
        self._rows = new
        self._write(f"{_BEGIN}\r{out}{_END}")

    def _changes(self, new: list[str]) -> str:
        """The codes that turn the rows that are there into the new ones."""
        old = self._rows
        parts = [_WRAP_OFF]
        at = 0  # the row of the cursor
        for number, row in enumerate(new):
            if number < len(old) and old[number] == row:
                continue
            parts.append("\r\n" * (number - at) + row + _ERASE_ROW)
            at = number
        if len(old) > len(new):
            below = max(len(new), 0)
            parts.append("\r\n" * (below - at) + "\r" + _ERASE_BELOW)
            at = below
        return "".join(parts) + _WRAP_ON + _up(at)

    def _now(self) -> tuple[int, int]:
        """Columns and rows of the terminal as it is now."""
        columns, rows = self._console.size
        return columns, rows

    def _codes(self, line: Text) -> str:
        with self._console.capture() as captured:
            self._console.print(line, soft_wrap=True, end="")
        return captured.get()

    def _write(self, text: str) -> None:
        file = self._console.file
        file.write(text)
        file.flush()


def _up(rows: int) -> str:
    return f"\x1b[{rows}A\r" if rows > 0 else "\r"
