"""Liveness: when a stream last gave a sign of life, for programs with a clock of their own."""

from __future__ import annotations

from attrs import define

from sansio_claude._value import FrozenValue

__all__ = ["Liveness"]


@define(frozen=True, eq=False, repr=False)
class Liveness(FrozenValue):
    """How much of a stream has come, and when, in seconds on the clock that `receive_data(now=)` was given.

    A time is None where nothing of its kind came with a `now`. `last_byte` counts any byte, comments too;
    `last_content` events that carry something; `last_ping` pings, and events without anything to read.
    """

    bytes: int
    """Number of bytes that have come."""
    content_events: int
    """Number of events that carried something."""
    pings: int
    """Number of pings, and of events without anything to read."""
    last_byte: float | None
    last_content: float | None
    last_ping: float | None
