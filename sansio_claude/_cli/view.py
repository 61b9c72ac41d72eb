"""What a person sees of a stream while it comes. The plain view is here, the one for terminals in `_cli_rich`.

A view gets every event as it comes and knows nothing of where it comes from. The plain one writes the text of each
block as it grows, under a heading for all that is not the answer's own text, and flushes after every event, so that
a pipe shows progress too.
"""

from __future__ import annotations

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

__all__ = ["HowEnded", "Meter", "PartialInput", "PlainView", "View", "heading", "safe"]

PartialInput: TypeAlias = Callable[[int], PartialJSON]
HowEnded: TypeAlias = Literal["complete", "cut", "failed", "interrupted"]

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
    """Shows a stream: `show` for each event, then `end` once."""

    def show(self, event: Event, partial_input: PartialInput, now: float) -> None:
        """One event has come; `partial_input(index)` gives the growing value of a tool block's input."""
        ...

    def end(self, message: Message | None, how: HowEnded, now: float) -> None:
        """The stream is over."""
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


class PlainView:
    """Text as it comes, for pipes, files, and terminals without rich.

    `out` gets the answer's text; `notes` gets everything else and may be the same stream. `on_terminal` takes out
    what a terminal would obey.
    """

    def __init__(self, out: TextIO, notes: TextIO, *, started: float, on_terminal: bool) -> None:
        self._out = out
        self._notes = notes
        self._meter = Meter(started)
        self._clean: Callable[[str], str] = safe if on_terminal else str
        self._open: dict[int, Any] = {}
        self._current: int | None = None
        self._to = out
        self._line_open = False
        self._written = False

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

    def end(self, message: Message | None, how: HowEnded, now: float) -> None:
        """The last line."""
        self._end_line()
        if self._written:
            self._write("\n", self._notes)
        self._write(f"[{', '.join(self._meter.summary(message, how, now))}]\n", self._notes)

    def _grow(self, index: int, text: str) -> None:
        """More text of a block; with several open at once each turn gets a heading of its own."""
        if index != self._current and index in self._open:
            self._end_line()
            name = heading(self._open[index])
            self._current = index
            before, self._to = self._to, self._out if name is None else self._notes
            if self._written:
                # The answer alone, in a pipe, has no blank lines that set it apart from other things.
                self._write("\n", self._to if before is self._to else self._notes)
            if name is not None:
                self._write(f"[{name}]\n", self._to)
        self._write(text, self._to)

    def _write(self, text: str, to: TextIO) -> None:
        if text:
            self._written = True
            self._line_open = not text.endswith("\n")
            to.write(self._clean(text))
            to.flush()

    def _end_line(self) -> None:
        if self._line_open:
            self._write("\n", self._to)
