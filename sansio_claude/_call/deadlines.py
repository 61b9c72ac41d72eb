"""Deadlines: the absolute times by which what a call waits for has to happen. Reads no clock.

At any time up to three are in force, and the nearest one counts:

- that of the present step: pool, connect, tls, write, first_byte, or, once the head is there, progress;
- idle, from the first byte of the answer on;
- total.
"""

from __future__ import annotations

from typing import Final

from sansio_claude._call.timeouts import NEVER, Timeouts
from sansio_claude._copies import CopiedWhole
from sansio_claude._errors import Deadline, DeadlineError

__all__ = ["Deadlines"]

_WORDS: Final[dict[Deadline, str]] = {
    "pool": "no connection became free within {} (Timeouts.pool); max_connections may be too low",
    "connect": "no connection to {place} within {} (Timeouts.connect)",
    "tls": "the TLS handshake with {place} was not done within {} (Timeouts.tls)",
    "write": "the server took no bytes of the request for {} (Timeouts.write)",
    "first_byte": "the head of the answer did not come within {} (Timeouts.first_byte)",
    "idle": "the server sent nothing for {} (Timeouts.idle)",
    "progress": "the server sent nothing but pings for {} (Timeouts.progress)",
    "total": "the call did not end within {} (Timeouts.total)",
}


class Deadlines(CopiedWhole):
    """The deadlines of one call. `step_at`, `idle_at` and `total_at` are absolute times, infinite for none; they are
    set by the methods alone."""

    __slots__ = ("idle", "idle_at", "progress", "step", "step_at", "timeouts", "total_at")

    def __init__(self, timeouts: Timeouts) -> None:
        self.timeouts = timeouts
        self.idle = NEVER if timeouts.idle is None else timeouts.idle
        self.progress = NEVER if timeouts.progress is None else timeouts.progress
        self.step: Deadline = "pool"
        self.step_at = NEVER
        self.idle_at = NEVER
        self.total_at = NEVER

    def start(self, now: float) -> None:
        """The call begins."""
        if self.timeouts.total is not None:
            self.total_at = now + self.timeouts.total

    def begin(self, step: Deadline, now: float) -> None:
        """A step begins, and with it its time. Silence does not count until the first byte."""
        seconds: float | None = getattr(self.timeouts, step)
        self.step = step
        self.step_at = NEVER if seconds is None else now + seconds
        self.idle_at = NEVER

    def within(self, seconds: float, now: float) -> None:
        """The present step has no more than these seconds from now."""
        self.step_at = min(self.step_at, now + seconds)

    def set_step(self, at: float) -> None:
        """The present step ends at this time."""
        self.step_at = at

    def finish_within(self, seconds: float, now: float) -> None:
        """The answer is whole: what is left to do has these seconds from now, and no other limit counts."""
        self.step_at = now + seconds
        self.idle_at = self.total_at = NEVER

    def bytes_received(self, now: float) -> None:
        """Bytes of the answer came: the time without any begins anew."""
        self.idle_at = now + self.idle

    def answer_awaited(self) -> None:
        """The server said that it is working (a 1xx answer): it may be silent again."""
        self.idle_at = NEVER

    def progress_made(self, now: float, within: float | None = None) -> None:
        """More of the answer came: the next has `within` seconds, or those of Timeouts.progress."""
        self.step = "progress"
        self.step_at = now + (self.progress if within is None else within)

    def events_received(self, now: float) -> bool:
        """Bytes came that were events, and more than pings. False where the total has passed."""
        self.idle_at = now + self.idle
        self.step_at = now + self.progress
        return now < self.total_at

    def delay(self, seconds: float) -> None:
        """The peer was not listened to for so long: its silence does not count. The total goes on."""
        self.step_at += seconds
        self.idle_at += seconds

    def nearest(self) -> float:
        """The deadline in force."""
        at = self.step_at
        if self.idle_at < at:
            at = self.idle_at
        return at if at < self.total_at else self.total_at

    def passed(self, place: str) -> DeadlineError:
        """The error for the nearest one. `place` is what the other end is called."""
        nearest = self.nearest()
        name: Deadline = self.step
        if self.total_at <= nearest:
            name = "total"
        elif self.idle_at <= nearest:
            name = "idle"
        seconds: float | None = getattr(self.timeouts, name)
        words = _WORDS[name].format("the time allowed" if seconds is None else f"{seconds:g} s", place=place)
        return DeadlineError(words, deadline=name, seconds=seconds)
