"""A terminal that is a program: what a command writes to it, and what then stands on the screen and in its history."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
from collections.abc import Callable
from typing import Any

import pyte

LIMIT = 60  # seconds, after which a test gives up


class Terminal:
    """A screen with a history; `feed` takes bytes, `lines` are all lines from the first on."""

    def __init__(self, columns: int, rows: int) -> None:
        self.screen = pyte.HistoryScreen(columns, rows, history=100_000, ratio=0.5)
        self.stream = pyte.ByteStream(self.screen)
        self.written = bytearray()
        self.leader = -1  # the descriptor of its keyboard, where it has one

    def feed(self, data: bytes) -> None:
        """Bytes for the terminal."""
        self.written += data
        self.stream.feed(data)

    def resize(self, columns: int, rows: int) -> None:
        """Another size, without breaking anew what is there: as xterm does it."""
        self.screen.resize(rows, columns)

    @property
    def display(self) -> list[str]:
        """The rows of the screen."""
        return [line.rstrip() for line in self.screen.display]

    @property
    def lines(self) -> list[str]:
        """History and screen, without the empty rows at the end."""
        old = [self._row(row) for row in self.screen.history.top]
        return "\n".join([*old, *self.display]).rstrip("\n").split("\n")

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(self.lines)

    def _row(self, row: Any) -> str:
        cells = (row[column].data for column in range(self.screen.columns))
        return "".join(cells).rstrip()


def run_in_terminal(
    arguments: list[str],
    env: dict[str, str],
    *,
    columns: int = 80,
    rows: int = 24,
    react: Callable[[subprocess.Popen[bytes], Terminal, Callable[[int, int], None]], None] | None = None,
) -> tuple[int, Terminal]:
    """Run a command there; its status and the terminal. `react` is called after each piece, and may resize it."""
    terminal = Terminal(columns, rows)
    leader, follower = pty.openpty()
    terminal.leader = leader

    def resize(columns: int, rows: int) -> None:
        fcntl.ioctl(leader, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        terminal.resize(columns, rows)

    fcntl.ioctl(leader, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    try:
        process = subprocess.Popen(
            arguments,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env={name: value for name, value in env.items() if name not in ("COLUMNS", "LINES")},
            preexec_fn=_own_terminal,
        )
        os.close(follower)
        while True:
            ready, _, _ = select.select([leader], [], [], LIMIT)
            assert ready, terminal.text
            try:
                piece = os.read(leader, 65_536)
            except OSError:  # Linux says so where others give an end
                break
            if not piece:
                break
            terminal.feed(piece)
            if react is not None:
                react(process, terminal, resize)
        return process.wait(LIMIT), terminal
    finally:
        os.close(leader)


def _own_terminal() -> None:
    """Make the terminal that of the command, so that Ctrl-C typed there reaches it."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
