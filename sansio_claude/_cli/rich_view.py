"""The live view of a terminal, styled by rich. Imported only where there is a terminal and rich is installed.

What is finished is printed once and scrolls away like any output; only what still changes is redrawn (`region`): the
last line of a growing text, or the growing input of a tool, and below it one line that says what is going on. So an
answer of any length costs the same for each event, and everything stays in the terminal's history.

Events only change what is to be shown. It is drawn at most 16 times a second: by the event that comes when it is time
again, or by a thread when none comes. A terminal that is slow holds the events back, so that no more than one draw is
ever waiting, and what is shown is never older than that draw.
"""

from __future__ import annotations

import threading
from typing import Any, Final, TypeAlias

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from sansio_claude._cli.inputs import input_lines, input_tail
from sansio_claude._cli.markdown import GrowingMarkdown, GrowingText
from sansio_claude._cli.region import Region
from sansio_claude._cli.view import HowEnded, Meter, PartialInput, fitting, heading, safe
from sansio_claude._cli.wrapping import wrap_text
from sansio_claude._message.blocks import ContentBlock
from sansio_claude._message.message import Message
from sansio_claude._stream.events import (
    CompactionDelta,
    ContentBlockStart,
    ContentBlockStop,
    Event,
    InputJSONDelta,
    MessageStart,
    TextDelta,
    ThinkingDelta,
)

__all__ = ["RichView"]

_WIDTH: Final = 96  # columns of text; longer lines are hard to read
_INDENT: Final = 2
_REDRAWS: Final = 16  # a second
_WAITING: Final = 400  # finished lines that wait for the next draw at most
_RESULT_LINES: Final = 12
_QUIET: Final = "dim italic"
_FRAMES: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"

_Growing: TypeAlias = GrowingText | GrowingMarkdown


class RichView:
    """A live view on `console`. `start` it before the first event; `end` ends a turn, `stop` gives the terminal back.

    With `ticking=False` no thread draws: for tests, in which time stands still.
    """

    def __init__(self, console: Console, *, started: float, ticking: bool = True) -> None:
        self._console = console
        self._meter = Meter(started)
        self._region = Region(console)
        self._turn = threading.RLock()
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="live-view", daemon=True) if ticking else None
        self._drawn_at = started
        self._frame = 0
        self._words = "waiting"
        self._finished: list[Text] = []  # lines that wait for the next draw
        self._open: dict[int, ContentBlock] = {}
        self._current: int | None = None
        self._text: _Growing | None = None  # of the current block; a text goes on in the next one
        self._input: list[Text] | None = None  # the end of the current tool's input so far
        self._any = False

    # What is called

    def start(self, words: str) -> None:
        """Show that something is awaited."""
        self._words = words
        self._region.open()
        self._draw()
        if self._ticker is not None:
            self._ticker.start()

    def show(self, event: Event, partial_input: PartialInput, now: float) -> None:
        """Take what is new."""
        with self._turn:
            if isinstance(event, MessageStart) and self._open:
                self._open.clear()
            self._meter.count(event, now)
            self._show(event, partial_input)
            self._draw_if_due(now)

    def note(self, words: str) -> None:
        """Print a line about what happens beside the answer."""
        with self._turn:
            self._flush()
            self._print(Text(f"↻ {safe(words)}", style="magenta"))
            self._draw()

    def wait(self, words: str) -> None:
        """Say what is awaited."""
        with self._turn:
            self._words = words

    def result(self, label: str, text: str, *, is_error: bool, seconds: float) -> None:
        """Print what came of a call, under the name of the call."""
        with self._turn:
            self._flush()
            mark, style = ("✗", "red") if is_error else ("✓", "green")
            took = f" · {seconds:.1f} s" if seconds >= 0.05 else ""
            self._print(Text())
            self._print(Text(f"{mark} ", style=style).append(f"{safe(label)}{took}", style="bold"))
            lines = safe(text).expandtabs(4).split("\n")
            for line in lines[:_RESULT_LINES]:
                self._print(Text("  ").append(line, style=style if is_error else "dim"), hang=2)
            if len(lines) > _RESULT_LINES:
                self._print(Text(f"  ... ({len(lines) - _RESULT_LINES} more lines)", style="dim"))
            self._draw()

    def end(self, message: Message | None, how: HowEnded, now: float) -> None:
        """Print what is not yet, and the last line of the turn."""
        with self._turn:
            self._flush()
            self._current = None
            self._open.clear()
            if self._any:
                self._finished.append(Text())
            columns = max(1, self._console.size[0] - 2 * _INDENT)
            line = fitting(self._meter.summary(message, how, now), columns, cell_len)
            self._finished.append(Text(" " * _INDENT).append(line, style="dim" if how == "complete" else "red"))
            self._words = "waiting"
            self._meter = Meter(now)
            self._draw()

    def stop(self) -> None:
        """Give the terminal back."""
        self._over.set()
        if self._ticker is not None and self._ticker.is_alive():
            self._ticker.join()
        with self._turn:
            self._flush()
            self._region.draw(self._taken(), [])
            self._region.close()

    # What is new

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
                value = partial_input(index).value
                self._input = [] if value is None else input_tail(value, self._room())
            case ContentBlockStop(index=index, content_block=block):
                self._turn_to(index)
                self._open.pop(index, None)
                self._finish(block)
            case _:
                pass

    def _turn_to(self, index: int) -> None:
        """Make this block the one that grows; with several open at once each turn gets a heading of its own."""
        if index == self._current or index not in self._open:
            return
        block = self._open[index]
        self._current = index
        if block.type == "text" and isinstance(self._text, GrowingMarkdown) and self._input is None:
            return  # the answer goes on: a citation begins a block of its own in the middle of a sentence
        self._flush()
        if self._any:
            self._finished.append(Text())
        self._any = True
        quiet = block.type in ("thinking", "compaction")
        name = heading(block)
        if name is not None:
            mark = Text("✻ ", style="magenta") if quiet else Text("▸ ", style="cyan")
            self._finished += wrap_text(
                mark.append(name, style="dim" if quiet else "bold cyan"), self._width() + _INDENT
            )
        self._text = GrowingText(self._width, _QUIET if quiet else "") if name else GrowingMarkdown(self._width)
        self._words = "thinking" if quiet else "writing" if name is None else name

    def _grow(self, text: str) -> None:
        if text and self._text is not None:
            for line in self._text.feed(safe(text).expandtabs(4), self._room()):
                self._print(line)

    def _finish(self, block: ContentBlock | None) -> None:
        status = getattr(block, "input_status", None)
        if status is not None:
            self._input = None
            lines = input_lines(getattr(block, "input", None)) if status == "complete" else self._unusable(block)
            for line in lines:
                self._print(line, hang=2 + len(line.plain) - len(line.plain.lstrip(" ")))
        if not isinstance(self._text, GrowingMarkdown):
            self._flush()
        self._current = None

    def _unusable(self, block: Any) -> list[Text]:
        text = safe(getattr(block, "input_json", "")) or "(no input)"
        lines = [Text(line) for line in text.expandtabs(4).split("\n")]
        return [*lines, Text(f"this input is {block.input_status} and cannot be run", style="red")]

    def _flush(self) -> None:
        """Print for good what has only been drawn so far."""
        for line in self._input or ():
            self._print(line)
        if self._text is not None:
            for line in self._text.finish():
                self._print(line)
        self._input = self._text = None

    def _print(self, line: Text, *, hang: int = 0) -> None:
        self._finished += [_indented(part) for part in wrap_text(line, self._width(), hang)]

    # Drawing

    def _width(self) -> int:
        """Columns for text, in the terminal as it is now."""
        return max(1, min(_WIDTH, self._console.size[0] - 2 * _INDENT))

    def _room(self) -> int:
        """Rows for what grows, in the terminal as it is now."""
        return max(2, self._console.size[1] - 4)

    def _draw_if_due(self, now: float) -> None:
        if now - self._drawn_at >= 1 / _REDRAWS or len(self._finished) > _WAITING:
            self._drawn_at = now
            self._draw()

    def _draw(self) -> None:
        room = self._room()
        grown = self._input if self._input is not None else self._text.rows() if self._text is not None else []
        width = self._width()
        rows = [_indented(_cropped(line, width)) for line in grown[-room:]]
        if rows:
            rows.append(Text())
        frame = Text(" " * _INDENT).append(_FRAMES[self._frame % len(_FRAMES)], style="cyan")
        rows.append(frame.append_text(_cropped(Text(f" {self._words}", style="dim"), width - 2)))
        self._region.draw(self._taken(), rows)

    def _taken(self) -> list[Text]:
        lines, self._finished = self._finished, []
        return lines

    def _tick(self) -> None:
        while not self._over.wait(1 / _REDRAWS):
            with self._turn:
                if self._over.is_set():
                    return
                self._frame += 1
                self._draw()


def _indented(line: Text) -> Text:
    return Text(" " * _INDENT).append_text(line) if line.plain else Text()


def _cropped(line: Text, width: int) -> Text:
    if cell_len(line.plain) > width:
        line = line.copy()
        line.truncate(max(1, width), overflow="ellipsis")
    return line
