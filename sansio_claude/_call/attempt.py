"""Attempt: what a call says of each attempt that failed."""

from __future__ import annotations

import attrs

from sansio_claude._value import FrozenValue

__all__ = ["Attempt"]


@attrs.define(frozen=True, kw_only=True, eq=False, repr=False)
class Attempt(FrozenValue):
    """One failed attempt of a call, as `ClaudeError.attempts` lists them, the last one included.

    `started` and `ended` are on the clock the call was driven by, `wait` the seconds until the next attempt (None
    after the last). `error` is the name of the exception's class, `words` its text, `status` the HTTP status where
    a head had come, `reused` whether the connection had carried an earlier call.
    """

    number: int
    """The number of the attempt, from 1."""
    started: float
    ended: float
    error: str
    words: str
    status: int | None = None
    request_id: str | None = None
    """The API's id of the attempt; None where no head had come."""
    reused: bool = False
    wait: float | None = None
