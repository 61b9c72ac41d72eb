"""RetryPolicy: whether a failed attempt may be made again, and when. Knows no clock and rolls no die.

Rules:

- A server that names a time to wait is obeyed, unless that is beyond `longest`: then the error is reported at once
  instead of being slept over.
- Without a usable time, `initial * 2**n` seconds (n: retries already made), at most `ceiling`, times 1 minus a
  random part of `jitter`, so that clients that failed together do not come back together.
- Whether an error is worth a retry at all, and whether a retry is safe, is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import attrs

from sansio_claude._errors import LocalProtocolError
from sansio_claude._value import FrozenValue

__all__ = ["Attempt", "RetryPolicy", "parse_http_date", "retry_after", "should_retry"]


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
    """The part of a wait that chance may take away, 0 to 1."""

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
        if asked is None:
            return now + self.backoff(retries, chance)
        return now + asked if asked <= self.longest else None


@attrs.define(frozen=True, kw_only=True, eq=False, repr=False)
class Attempt(FrozenValue):
    """One failed attempt of a call, as `ClaudeError.attempts` lists them, the last one included.

    `started` and `ended` are on the clock the call was driven by, `wait` the seconds until the next attempt (None
    after the last). `error` is the name of the exception's class, `words` its text, `status` the HTTP status where
    a head had come, `reused` whether the connection had carried an earlier call.
    """

    number: int
    started: float
    ended: float
    error: str
    words: str
    status: int | None = None
    request_id: str | None = None
    reused: bool = False
    wait: float | None = None


# Compiled when they are needed, which is seldom: compiling takes as long as half a class.
_SECONDS: Final = r"[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15}"
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME: Final = r"([0-9]{2}):([0-9]{2}):([0-9]{2})"
# RFC 9110 section 5.6.7: the date every server sends, the one of RFC 850, and that of C's asctime.
_IMF: Final = rf"[a-z]{{3}}, ([0-9]{{2}}) ([a-z]{{3}}) ([0-9]{{4}}) {_TIME} gmt"
_RFC850: Final = rf"[a-z]{{6,9}}, ([0-9]{{2}})-([a-z]{{3}})-([0-9]{{2}}) {_TIME} gmt"
_ASCTIME: Final = rf"[a-z]{{3}} ([a-z]{{3}}) ([ 0-9][0-9]) {_TIME} ([0-9]{{4}})"


def retry_after(get: Callable[[str], str | None], wall: Callable[[], float]) -> float | None:
    """The seconds that an answer's head asks to wait, None where it does not or makes no sense.

    `get` gives a header's value, `wall` the time of day as seconds since 1970, asked only for a date.
    `retry-after-ms` comes first, then `retry-after` as seconds (fractions too), then as a date. NaN, infinities,
    numbers of absurd length, negative ones and dates gone by make no sense.
    """
    if (number := _number(get("retry-after-ms"))) is not None:
        return number / 1000.0
    value = get("retry-after")
    if value is None:
        return None
    if (number := _number(value)) is not None:
        return number
    now = wall()
    date = parse_http_date(value, now)
    return None if date is None or date < now else date - now


def should_retry(get: Callable[[str], str | None]) -> bool | None:
    """What `x-should-retry` says: True, False, or None where it is not there or says neither."""
    return {"true": True, "false": False}.get((get("x-should-retry") or "").strip().lower())


def _number(value: str | None) -> float | None:
    text = (value or "").strip()
    return float(text) if re.fullmatch(_SECONDS, text) else None


def parse_http_date(text: str, now: float) -> float | None:
    """Seconds since 1970 of an HTTP date in any of its three forms (RFC 9110 section 5.6.7), None for anything else.

    `now` (seconds since 1970) decides the century of a year of two digits: none is more than 50 years ahead.
    """
    text = text.strip().lower()
    if match := re.fullmatch(_IMF, text):
        day, month, year, *clock = match.groups()
    elif match := re.fullmatch(_RFC850, text):
        day, month, year, *clock = match.groups()
        this = 1970 + int(now // 31_556_952)  # seconds of an average Gregorian year
        full = this - this % 100 + int(year)
        year = str(full - 100 if full > this + 50 else full)
    elif match := re.fullmatch(_ASCTIME, text):
        month, day, *clock, year = match.groups()
    else:
        return None
    hour, minute, second = (int(part) for part in clock)
    if month not in _MONTHS or not 1 <= int(day) <= 31 or hour > 23 or minute > 59 or second > 60:
        return None
    days = _days(int(year), _MONTHS.index(month) + 1, int(day))
    return days * 86_400.0 + hour * 3_600 + minute * 60 + second


def _days(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01. The year is taken to begin in March, so that the leap day is its last one."""
    year -= month <= 2
    of_year = (153 * ((month - 3) % 12) + 2) // 5 + day - 1
    return year * 365 + year // 4 - year // 100 + year // 400 + of_year - 719_468
