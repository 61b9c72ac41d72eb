"""RetryPolicy: whether a failed attempt may be made again, and when. Knows no clock and rolls no die.

Rules:

- A server that names a time to wait is obeyed, unless that is beyond `longest`: then the error is reported at once
  instead of being slept over. A random part of `jitter` of that time, or of `initial` where that is longer, is added,
  at most of `ceiling`: clients that were refused together are mostly given the same time.
- Without a usable time, and where the server names 0, `initial * 2**n` seconds (n: retries already made), at most
  `ceiling`, times 1 minus a random part of `jitter`.
- Whether an error is worth a retry at all, and whether a retry is safe, is not decided here.
"""

from __future__ import annotations

import attrs

from sansio_claude._errors import LocalProtocolError
from sansio_claude._value import FrozenValue

__all__ = ["RetryPolicy"]


@attrs.define(frozen=True, kw_only=True, eq=False, repr=False)
class RetryPolicy(FrozenValue):
    """How often and how patiently to retry. `RetryPolicy(max_retries=0)` never does.

    Raises LocalProtocolError for a number that is none, or out of its range.
    """

    max_retries: int = 2
    """Attempts after the first one."""

    initial: float = 0.5
    """Seconds before the first retry, doubled for each further one."""

    ceiling: float = 8.0
    """The most that doubling leads to, in seconds."""

    jitter: float = 0.25
    """The part of a wait that chance may take away, or add where a server named the time, 0 to 1."""

    longest: float = 60.0
    """The longest wait that a server's Retry-After may ask for, in seconds."""

    def __attrs_post_init__(self) -> None:
        if type(self.max_retries) is not int or self.max_retries < 0:
            words = f"RetryPolicy.max_retries has to be a whole number of 0 or more, not {self.max_retries!r:.40}"
            raise LocalProtocolError(words, path="max_retries")
        for name, most in (("initial", "inf"), ("ceiling", "inf"), ("jitter", "1"), ("longest", "inf")):
            value: object = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= float(most):
                span = "0 or more" if most == "inf" else f"0 to {most}"
                raise LocalProtocolError(f"RetryPolicy.{name} has to be {span}, not {value!r:.40}", path=name)

    def backoff(self, retries: int, chance: float) -> float:
        """Seconds to wait when `retries` were made already; `chance` is a random number from 0 to 1."""
        # Beyond 2**64 every ceiling is reached, and a float would overflow at 2**1024.
        seconds = min(self.initial * 2.0 ** min(retries, 64), self.ceiling)
        return seconds * (1.0 - self.jitter * chance)

    def decide(self, *, retries: int, now: float, chance: float, asked: float | None = None) -> float | None:
        """The time at which to try again, or None to give up.

        `asked` is what the server asked to wait, in seconds (see `retry_after`), None where it did not.
        """
        if retries >= self.max_retries:
            return None
        if asked is None or asked <= 0.0:
            return now + self.backoff(retries, chance)
        if asked > self.longest:
            return None
        return now + asked + self.jitter * chance * min(max(asked, self.initial), self.ceiling)
