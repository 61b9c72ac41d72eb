"""What a person sees of a stream while it comes. The plain view is here, the one for terminals in `rich_view`.

A view gets every event as it comes and knows nothing of where it comes from. The plain one writes the text of each
block as it grows, under a heading for all that is not the answer's own text, and flushes after every event, so that
a pipe shows progress too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Final, Literal, Protocol, TextIO, TypeAlias

from sansio_claude._message.message import Message
from sansio_claude._partial_json.parser import PartialJSON
from sansio_claude._stream.events import (
    CompactionDelta,
    ContentBlockStart,
    ContentBlockStop,
    Event,
    InputJSONDelta,
    TextDelta,
    ThinkingDelta,
)

__all__ = ["HowEnded", "Meter", "PartialInput", "PlainView", "View", "fitting", "heading", "safe"]

PartialInput: TypeAlias = Callable[[int], PartialJSON]
HowEnded: TypeAlias = Literal["complete", "cut", "failed", "interrupted"]

_RESULT_LINES: Final = 12  # of one tool result

# A model may be made to write escape sequences; a terminal must not obey them.
_CONTROLS: Final = dict.fromkeys((*range(32), 127, *range(128, 160)), "�")
for _code in map(ord, "\n\t"):
    del _CONTROLS[_code]
_CONTROLS[ord("\r")] = ""


def safe(text: str) -> str:
    """The text without characters that a terminal would take for commands."""
    return text.translate(_CONTROLS)


def heading(block: Any) -> str | None:
    """What to call a block; None for the answer's own text, which needs no name."""
    if block.type == "text":
        return None
    name = getattr(block, "name", None)
    return f"{block.type} {safe(name)}" if isinstance(name, str) and name else safe(str(block.type))


class View(Protocol):
    """Shows streams: `show` for each event, `end` after each stream, `stop` once."""

    def show(self, event: Event, partial_input: PartialInput, now: float) -> None:
        """One event has come; `partial_input(index)` gives the growing value of a tool block's input."""
        ...

    def note(self, words: str) -> None:
        """Something happened beside the answer: a retry, for example."""
        ...

    def wait(self, words: str) -> None:
        """What is awaited now."""
        ...

    def result(self, label: str, text: str, *, is_error: bool, seconds: float) -> None:
        """A tool gave this text; `label` names the call, `seconds` is the time that it took."""
        ...

    def end(self, message: Message | None, how: HowEnded, now: float) -> None:
        """The stream is over; another one may follow."""
        ...

    def stop(self) -> None:
        """Nothing more comes."""
        ...


class Meter:
    """Counts time and tokens for the last line. Times are seconds on one clock."""

    def __init__(self, started: float) -> None:
        self._started = started
        self._first: float | None = None
        self._characters = 0

    def count(self, event: Event, now: float) -> None:
        """One event has come."""
        text = ""
        match event:
            case TextDelta(text=text) | ThinkingDelta(thinking=text) | InputJSONDelta(partial_json=text):
                pass
            case _:
                return
        self._characters += len(text)
        if self._first is None:
            self._first = now

    def summary(self, message: Message | None, how: HowEnded, now: float) -> list[str]:
        """The parts of the last line: model, how it ended, tokens, rate, time."""
        parts: list[str] = []
        if message is not None:
            parts.append(safe(message.model))
        output: int | None = None
        if how == "complete" and message is not None:
            parts.append(safe(message.stop_reason or "no stop reason"))
            output = message.usage.output_tokens
            if message.usage.input_tokens is not None:
                parts.append(f"{message.usage.input_tokens:,} tokens in")
        else:
            parts.append(how)
        if output is None:  # the count comes with the end of the stream
            parts.append(f"{self._characters:,} characters out")
        else:
            parts.append(f"{output:,} tokens out")
            elapsed = now - (self._started if self._first is None else self._first)
            if elapsed > 0:
                parts.append(f"{output / elapsed:,.0f} tokens/s")
        parts.append(f"{now - self._started:.1f} s")
        return parts


def fitting(parts: list[str], width: int, measure: Callable[[str], int] = len) -> str:
    """The parts of the last line in one line of at most `width` columns: whole, else in short words, else fewer."""
    line = " · ".join(parts)
    for long, short in ((" tokens in", " in"), (" tokens out", " out"), (" tokens/s", "/s"), (" characters", "")):
        if measure(line) <= width:
            return line
        line = line.replace(long, short)
    shown = line.split(" · ")
    while measure(line) > width and len(shown) > 1:
        shown.pop()
        line = " · ".join(shown)
    while measure(line) > width:
        line = line[:-2] + "…" if len(line) > 2 else ""
    return line


class PlainView:
    """Text as it comes, for pipes, files, and terminals without rich.

    `out` gets the text of the answer; `notes` gets everything else and may be the same stream, or None for nowhere.
    Where they differ `out` gets the text alone: that of `Message.text`, and a line end where it has none. `on_terminal`
    says that `out` is a terminal, which must not obey what a model writes, `notes_on_terminal` the same of `notes`.
    """

    def __init__(
        self,
        out: TextIO | None,
        notes: TextIO | None,
        *,
        started: float,
        on_terminal: bool,
        notes_on_terminal: bool | None = None,
    ) -> None:
        clean: Callable[[str], str] = safe if on_terminal else str
        noted = on_terminal if notes_on_terminal is None else notes_on_terminal
        self._out = _Sink(out, clean)
        self._notes = self._out if notes is out else _Sink(notes, safe if noted else str)
        self._meter = Meter(started)
        self._open: dict[int, Any] = {}
        self._current: int | None = None
        self._to = self._out
        self._was_text = False

    def show(self, event: Event, partial_input: PartialInput, now: float) -> None:
        """Write what is new."""
        self._meter.count(event, now)
        match event:
            case ContentBlockStart(index=index, content_block=block):
                self._open[index] = block
                self._grow(index, getattr(block, "text", "") or getattr(block, "thinking", "") or "")
            case TextDelta(index=index, text=text) | ThinkingDelta(index=index, thinking=text):
                self._grow(index, text)
            case InputJSONDelta(index=index, partial_json=text) | CompactionDelta(index=index, content=str(text)):
                self._grow(index, text)
            case ContentBlockStop(index=index):
                self._open.pop(index, None)
            case _:
                pass

    def note(self, words: str) -> None:
        """Write a line about what happens beside the answer."""
        self._notes.end_line()
        self._notes.write(f"[{safe(words)}]\n")

    def wait(self, words: str) -> None:
        """Nothing: a pipe is told what has happened, not what is awaited."""

    def result(self, label: str, text: str, *, is_error: bool, seconds: float) -> None:
        """Write what came of a call, under the name of the call."""
        self._notes.end_line()
        lines = text.split("\n")
        if len(lines) > _RESULT_LINES:
            lines = [*lines[:_RESULT_LINES], f"... ({len(lines) - _RESULT_LINES} more lines)"]
        mark = "error" if is_error else "result"
        shown = "\n".join(lines)
        self._notes.write(f"\n[{mark} of {safe(label)}]\n{shown}")
        self._notes.end_line()
        self._current = None

    def end(self, message: Message | None, how: HowEnded, now: float) -> None:
        """The last line of a turn."""
        self._out.end_line()
        self._notes.end_line()
        if self._notes.written:
            self._notes.write("\n")
        self._notes.write(f"[{', '.join(self._meter.summary(message, how, now))}]\n")
        self._current, self._was_text = None, False
        self._open.clear()
        self._meter = Meter(now)

    def stop(self) -> None:
        """End the line that is open, so that what follows begins one, where anything can be written at all."""
        with contextlib.suppress(OSError):
            self._notes.end_line()

    def _grow(self, index: int, text: str) -> None:
        """More text of a block; with several open at once each turn gets a heading of its own."""
        if index != self._current and index in self._open:
            self._current = index
            name = heading(self._open[index])
            if name is None:
                # A citation begins a block of its own in the middle of a sentence: the text goes on.
                if not self._was_text and self._out is self._notes:
                    self._gap()
                self._to, self._was_text = self._out, True
            else:
                self._gap()
                self._notes.write(f"[{name}]\n")
                self._to, self._was_text = self._notes, False
        self._to.write(text)

    def _gap(self) -> None:
        self._notes.end_line()
        if self._notes.written:
            self._notes.write("\n")


class _Sink:
    """A stream that is flushed after each piece; `written` tells whether anything was, `None` takes everything."""

    def __init__(self, to: TextIO | None, clean: Callable[[str], str]) -> None:
        self._to = to
        self._clean = clean
        self.written = False
        self._line_open = False

    def write(self, text: str) -> None:
        """Write some text."""
        if text and self._to is not None:
            self.written = True
            self._line_open = not text.endswith("\n")
            self._to.write(self._clean(text))
            self._to.flush()

    def end_line(self) -> None:
        """End the line that is open, if one is."""
        if self._line_open:
            self.write("\n")
