"""The live view of a terminal, drawn by rich. Imported only where there is a terminal and rich is installed.

What is finished is printed once and scrolls away like any output; only what still changes is redrawn: the last line
of a growing text, or the growing input of a tool, and below it one line that says what is going on. So an answer
of any length costs the same per event, and everything stays in the terminal's history.

A thread redraws what changes, so that waiting is seen to be alive. It is not rich's own: that one can draw between
two steps of a print and then loses count of the lines. Ours and the printing take turns by a lock.
"""

from __future__ import annotations

import json
import threading
from typing import Any, Final

from rich.cells import cell_len, chop_cells
from rich.console import Console, Group
from rich.highlighter import JSONHighlighter
from rich.live import Live
from rich.padding import Padding
from rich.spinner import Spinner
from rich.text import Text

from sansio_claude._cli.view import HowEnded, Meter, PartialInput, heading, safe
from sansio_claude._message.blocks import ContentBlock
from sansio_claude._message.message import Message
from sansio_claude._stream.events import (
    CompactionDelta,
    ContentBlockStart,
    ContentBlockStop,
    Event,
    InputJSONDelta,
    TextDelta,
    ThinkingDelta,
)

__all__ = ["RichView", "wrapped"]

_WIDTH: Final = 96  # columns of text; longer lines are hard to read
_INDENT: Final = 2
_REDRAWS: Final = 16  # a second
_NOTHING: Final = object()  # no input to show; None would be a value
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
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._turn = threading.RLock()
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="live-view", daemon=True)
        self._open: dict[int, ContentBlock] = {}
        self._current: int | None = None
        self._style = ""
        self._line = ""  # the unfinished line of the current text
        self._input: Any = _NOTHING  # the current tool's input so far
        self._input_drawn = False
        self._any = False

    def start(self, words: str) -> None:
        """Show that something is awaited."""
        self._live.start()
        self._spinner.update(text=Text(words, style="dim"))
        self._draw()
        self._ticker.start()

    def show(self, event: Event, partial_input: PartialInput, now: float) -> None:
        """Draw what is new."""
        self._meter.count(event, now)
        with self._turn:
            self._show(event, partial_input)

    def _show(self, event: Event, partial_input: PartialInput) -> None:
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
                # Only kept here, since colouring takes time in proportion to its size; drawn at the next tick.
                self._input = partial_input(index).snapshot(_NOTHING)
                self._input_drawn = False
            case ContentBlockStop(index=index, content_block=block):
                self._turn_to(index)
                self._open.pop(index, None)
                self._finish(block)
            case _:
                pass

    def end(self, message: Message | None, how: HowEnded, now: float) -> None:
        """Print what is not yet, and the last line."""
        with self._turn:
            self._flush()
        self.stop()
        if self._any:
            self._console.print()
        line = " · ".join(self._meter.summary(message, how, now))
        self._console.print(Padding(Text(line, style="dim" if how == "complete" else "yellow"), (0, _INDENT)))

    def stop(self) -> None:
        """Give the terminal back."""
        self._over.set()
        if self._ticker.is_alive():
            self._ticker.join()
        self._live.stop()

    def _tick(self) -> None:
        while not self._over.wait(1 / _REDRAWS):
            with self._turn:
                if self._input is not _NOTHING and not self._input_drawn:
                    self._draw_input()
                self._live.refresh()

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

    def _draw_input(self) -> None:
        """Draw the last lines of the growing input, as many as there is room for."""
        self._input_drawn = True
        lines = _coloured(self._input).split("\n")
        room = max(3, self._console.height - 5)
        shown = Text("\n").join(lines if len(lines) <= room else [Text("…"), *lines[1 - room :]])
        shown.no_wrap, shown.overflow = True, "ellipsis"
        self._draw(shown)

    def _finish(self, block: ContentBlock | None) -> None:
        status = getattr(block, "input_status", None)
        if status is not None:
            self._input = _NOTHING
            if status == "complete":
                self._print(_coloured(getattr(block, "input", None)))
            else:
                self._print(Text(safe(getattr(block, "input_json", "")) or "(no input)"))
                self._print(Text(f"this input is {status} and cannot be run", style="yellow"))
        self._flush()
        self._current = None

    def _flush(self) -> None:
        """Print for good what has only been drawn so far."""
        if self._input is not _NOTHING:
            self._print(_coloured(self._input))
            self._input = _NOTHING
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
