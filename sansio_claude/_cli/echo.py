"""A terminal that does not show what is typed, while something is drawn on it: Enter would move the cursor."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

termios: Any
try:
    import termios
except ModuleNotFoundError:  # Windows, where a console has no such mode
    termios = None

__all__ = ["no_echo", "orderly_end"]


@contextmanager
def no_echo(stream: TextIO) -> Iterator[None]:
    """Switch the echo of the terminal behind `stream` off, and put it back. Does nothing where there is none."""
    if termios is None:
        yield
        return
    try:
        number = stream.fileno()
        before = termios.tcgetattr(number)
    except (OSError, ValueError, termios.error):
        yield
        return
    quiet = [*before]
    quiet[3] = before[3] & ~termios.ECHO
    termios.tcsetattr(number, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(number, termios.TCSANOW, before)


@contextmanager
def orderly_end() -> Iterator[None]:
    """End by SIGTERM as by an exception (SystemExit, 143), so that a terminal is given back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: Any) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
