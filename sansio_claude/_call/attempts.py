"""Attempts: how often a call was tried, how each attempt failed, and whether and when another one follows.

Rules:

- An attempt is repeated only where that is safe, and only if it can begin before the total time is over.
- A connection that the server had closed while it lay idle says nothing of the server: when a kept connection breaks
  within a moment of the request being written, without a byte of an answer, the next attempt begins at once, on a new
  connection. One that breaks later was given the whole request and may have worked on it: that is a failure like any
  other, and waits.
- Where requests are signed, an answer of 401 may mean that the token has run out: it is asked for once more in a call,
  and the request sent again at once, whatever the retry policy says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sansio_claude._call.answer import Answer
    from sansio_claude._call.attempt import Attempt
    from sansio_claude._call.conversation import Conversation
    from sansio_claude._call.retry import RetryPolicy
    from sansio_claude._errors import ClaudeError

__all__ = ["Attempts"]

MOMENT: Final = 1.0  # seconds: two round trips to the other side of the earth, and something for a busy machine


class Attempts:
    """The attempts of one call."""

    __slots__ = ("_chance", "_policy", "_renewable", "_renewed", "_started", "failed", "fresh", "number")

    def __init__(self, policy: RetryPolicy, chance: Callable[[], float], *, signed: bool = False) -> None:
        self._renewable = signed  # whether a 401 leads to another attempt
        self._renewed = 0  # how many attempts were begun for that
        self._policy = policy
        self._chance = chance
        self._started = 0.0
        self.number = 0
        """The number of the present attempt, from 1; 0 before the first."""
        self.failed: tuple[Attempt, ...] = ()
        """Those that have failed so far."""
        self.fresh = False
        """Whether only a new connection will do."""

    @property
    def last(self) -> bool:
        """Whether no other attempt can follow the present one, however it ends."""
        return not self._renewable and self.number - self._renewed > self._policy.max_retries

    def begin(self, now: float) -> None:
        """An attempt begins."""
        self.number += 1
        self._started = now

    def fail(
        self,
        error: ClaudeError,
        now: float,
        *,
        answer: Answer,
        answered: bool,
        conversation: Conversation | None,
        reused: bool,
        repeatable: bool,
        total_at: float,
    ) -> float | None:
        """The present attempt failed. When the next one begins, None where none does."""
        at: float | None = None
        retries = self.number - 1 - self._renewed
        if self._renewable and answer.status == 401:
            self._renewable = False
            self._renewed = 1
            at = now
        elif repeatable:
            if conversation is not None and reused and not answered and now - conversation.wrote_at <= MOMENT:
                self.fresh = True
                at = None if retries >= self._policy.max_retries else now
            else:
                asked = None if conversation is None else conversation.retry_after
                at = self._policy.decide(retries=retries, now=now, chance=self._chance(), asked=asked)
        if at is not None and at >= total_at:
            at = None
        from sansio_claude._call.attempt import Attempt  # most calls never fail

        self.failed += (
            Attempt(
                number=self.number,
                started=self._started,
                ended=now,
                error=type(error).__name__,
                words=error.message,
                status=answer.status,
                request_id=error.request_id,
                reused=reused,
                wait=None if at is None else at - now,
            ),
        )
        return at
