"""RateGate: one rate limit for a whole cluster, as the API's answers tell of it. A state machine without I/O.

In: how many requests somebody wants to send, and what the heads of the answers said (`RateLimits.requests`). Out: how
many may be sent now, or how many seconds to wait. Time is an argument, in seconds that never go back.

What an answer says to be left was true when the server wrote it; requests that were granted and have no answer yet are
taken off. Within one window of the limit the count therefore only falls; a later reset begins a new one.
"""

from __future__ import annotations

from collections import Counter

__all__ = ["RateGate"]

_UNKNOWN = 0.05  # seconds to wait for the first answer, as long as nothing is known of the limit


class RateGate:
    """Grants requests to holders (workers). `first` are granted before anything is known of the limit."""

    def __init__(self, first: int = 8) -> None:
        self._left = first
        self._limit: int | None = None
        self._reset_at: float | None = None
        self._closed_until = float("-inf")
        self._in_flight: Counter[str] = Counter()

    @property
    def in_flight(self) -> int:
        """The requests that were granted and have no answer yet."""
        return self._in_flight.total()

    def grant(self, holder: str, wanted: int, now: float) -> tuple[int, float]:
        """How many of the wanted requests may be sent now; where it is none, in how many seconds to ask again."""
        if now < self._closed_until:
            return 0, self._closed_until - now
        if self._reset_at is not None and self._limit is not None and now >= self._reset_at:
            self._left, self._reset_at = self._limit - self.in_flight, None
        granted = max(0, min(wanted, self._left))
        self._left -= granted
        self._in_flight[holder] += granted
        if granted:
            return granted, 0.0
        return 0, _UNKNOWN if self._reset_at is None else max(self._reset_at - now, _UNKNOWN)

    def answered(self, holder: str, count: int) -> None:
        """So many requests have their answers, or failed."""
        self._in_flight[holder] = max(0, self._in_flight[holder] - count)

    def give_back(self, holder: str, count: int) -> None:
        """So many grants were not used."""
        self.answered(holder, count)
        self._left += count

    def lost(self, holder: str) -> None:
        """A holder is gone. What it had sent counts at the server, and is taken off there."""
        del self._in_flight[holder]

    def told(self, limit: int, remaining: int, reset_in: float, now: float) -> None:
        """Take what the head of an answer said: the limit, what was left of it, the seconds until it is whole again."""
        left, reset_at = remaining - self.in_flight, now + reset_in
        if self._limit is None or self._reset_at is None or reset_at > self._reset_at + 0.5:
            self._left = left
            self._reset_at = reset_at
        else:
            self._left = min(self._left, left)
        self._limit = limit

    def close(self, seconds: float, now: float) -> None:
        """Grant nothing for some seconds: the server refused a request and said how long to wait."""
        self._closed_until = max(self._closed_until, now + seconds)
