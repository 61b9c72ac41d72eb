"""The live view of a terminal, drawn by rich. Imported only where there is a terminal and rich is installed.

What is finished is printed once and scrolls away like any output; only what still changes is redrawn: the last line
of a growing text, or the growing input of a tool, and below it one line that says what is going on. So an answer
of any length costs the same per event, and everything stays in the terminal's history.
"""

from __future__ import annotations

import json
from typing import Any, Final

from rich.cells import cell_len, chop_cells
from rich.console import Console, Group
from rich.highlighter import JSONHighlighter
from rich.live import Live
from rich.padding import Padding
from rich.spinner import Spinner
from rich.text import Text

from sansio_claude._blocks import ContentBlock
from sansio_claude._cli_view import HowEnded, Meter, PartialInput, heading, safe
from sansio_claude._events import (
    CompactionDelta,
    ContentBlockStart,
    ContentBlockStop,
    Event,
    InputJSONDelta,
    TextDelta,
    ThinkingDelta,
)
from sansio_claude._message import Message

__all__ = ["RichView", "wrapped"]

_WIDTH: Final = 96  # columns of text; longer lines are hard to read
_INDENT: Final = 2
_REDRAWS: Final = 16  # a second
_CHEAP: Final = 4_000  # characters of tool input that may be drawn again for every event
_QUIET: Final = "dim italic"


def wrapped(text: str, width: int) -> tuple[list[str], str]:
    """Break text without line ends at words: the lines that no more text can change, and the last one.

    A word wider than a line is broken, and so is text without spaces.
    """
    done: list[str] = []
    while cell_len(text) > width:
        fitting = chop_cells(text, width)[0]
        space = len(fitting) if text[len(fitting) : len(fitting) + 1] == " " else fitting.rfind(" ")
        if space > 0:
            done.append(text[:space])
            text = text[space + 1 :]
        else:
            done.append(fitting)
            text = text[len(fitting) :]
    return done, text


class RichView:
    """A live view on `console`. `start` it before the first event; `end` or `stop` gives the terminal back."""

    def __init__(self, console: Console, *, started: float) -> None:
        self._console = console
        self._meter = Meter(started)
        self._width = max(20, min(_WIDTH, console.width - 2 * _INDENT))
        self._spinner = Spinner("dots", Text("waiting", style="dim"), style="cyan")
        self._live = Live(console=console, refresh_per_second=_REDRAWS, transient=True)
        self._open: dict[int, ContentBlock] = {}
        self._current: int | None = None
        self._style = ""
        self._line = ""  # the unfinished line of the current text
        self._input: Text | None = None  # the current tool's input as last drawn, whole
        self._drawn = 0.0
        self._any = False

    def start(self, words: str) -> None:
        """Show that something is awaited."""
        self._live.start()
        self._spinner.update(text=Text(words, style="dim"))
        self._draw()

    def show(self, event: Event, partial_input: PartialInput, now: float) -> None:
        """Draw what is new."""
        self._meter.count(event, now)
        match event:
            case ContentBlockStart(index=index, content_block=block):
                self._open[index] = block
                self._turn_to(index)
                self._grow(getattr(block, "text", "") or getattr(block, "thinking", "") or "")
            case TextDelta(index=index, text=text) | ThinkingDelta(index=index, thinking=text):
                self._turn_to(index)
                self._grow(text)
            case CompactionDelta(index=index, content=str(text)):
                self._turn_to(index)
                self._grow(text)
            case InputJSONDelta(index=index):
                self._turn_to(index)
                self._grow_input(partial_input(index).value if self._due(now) else None)
            case ContentBlockStop(index=index, content_block=block):
                self._turn_to(index)
                self._open.pop(index, None)
                self._finish(block)
            case _:
                pass

    def end(self, message: Message | None, how: HowEnded, now: float) -> None:
        """Print what is not yet, and the last line."""
        self._flush()
        self.stop()
        if self._any:
            self._console.print()
        line = " · ".join(self._meter.summary(message, how, now))
        self._console.print(Padding(Text(line, style="dim" if how == "complete" else "yellow"), (0, _INDENT)))

    def stop(self) -> None:
        """Give the terminal back."""
        self._live.stop()

    def _turn_to(self, index: int) -> None:
        """Make this block the one that grows; with several open at once each turn gets a heading of its own."""
        if index == self._current or index not in self._open:
            return
        self._flush()
        block = self._open[index]
        if self._any:
            self._console.print()
        self._any, self._current = True, index
        quiet = block.type in ("thinking", "compaction")
        self._style = _QUIET if quiet else ""
        name = heading(block)
        if name is not None:
            mark = Text("✻ ", style="magenta") if quiet else Text("▸ ", style="cyan")
            self._print(mark.append(name, style="dim" if quiet else "bold cyan"), indent=0)
        doing = "thinking" if quiet else "writing" if name is None else name
        self._spinner.update(text=Text(doing, style="dim"))
        self._draw()

    def _grow(self, text: str) -> None:
        """Print the lines that are finished, keep the last one for redrawing."""
        *whole, last = (self._line + safe(text).expandtabs(4)).split("\n")
        for paragraph in whole:
            lines, rest = wrapped(paragraph, self._width)
            self._print_lines([*lines, rest])
        lines, self._line = wrapped(last, self._width)
        self._print_lines(lines)
        self._draw(Text(self._line, style=self._style, no_wrap=True))

    def _due(self, now: float) -> bool:
        """Whether to draw the input: drawing takes time in proportion to its size, so large ones wait their turn."""
        if self._input is not None and len(self._input) > _CHEAP and now - self._drawn < 1 / _REDRAWS:
            return False
        self._drawn = now
        return True

    def _grow_input(self, value: Any) -> None:
        if value is None:
            return
        self._input = _coloured(value)
        lines = self._input.split("\n")
        room = max(3, self._console.height - 5)
        shown = Text("\n").join(lines if len(lines) <= room else [Text("…"), *lines[1 - room :]])
        shown.no_wrap, shown.overflow = True, "ellipsis"
        self._draw(shown)

    def _finish(self, block: ContentBlock | None) -> None:
        status = getattr(block, "input_status", None)
        if status is not None:
            self._input = None
            if status == "complete":
                self._print(_coloured(getattr(block, "input", None)))
            else:
                self._print(Text(safe(getattr(block, "input_json", "")) or "(no input)"))
                self._print(Text(f"this input is {status} and cannot be run", style="yellow"))
        self._flush()
        self._current = None

    def _flush(self) -> None:
        """Print for good what has only been drawn so far."""
        if self._input is not None:
            self._print(self._input)
            self._input = None
        if self._line:
            self._print_lines([self._line])
            self._line = ""
        self._draw()

    def _print_lines(self, lines: list[str]) -> None:
        for line in lines:
            if line:
                self._print(Text(line, style=self._style))
            else:
                self._console.print()

    def _print(self, text: Text, *, indent: int = _INDENT) -> None:
        self._console.print(Padding(text, (0, 0, 0, indent), expand=False))

    def _draw(self, growing: Text | None = None) -> None:
        waiting = Padding(self._spinner, (0, _INDENT))
        if growing is None:
            self._live.update(waiting)
        else:
            self._live.update(Group(Padding(growing, (0, _INDENT)), Text(""), waiting))


def _coloured(value: Any) -> Text:
    return JSONHighlighter()(Text(safe(json.dumps(value, indent=2, ensure_ascii=False))))
