"""Dates as HTTP writes them and as RFC 3339 writes them, by hand: nothing of the standard library's mail is needed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["parse_http_date", "parse_moment"]

# Compiled when they are needed, which is seldom: compiling takes as long as half a class.
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME: Final = r"([0-9]{2}):([0-9]{2}):([0-9]{2})"
# RFC 9110 section 5.6.7: the date every server sends, the one of RFC 850, and that of C's asctime.
_IMF: Final = rf"[a-z]{{3}}, ([0-9]{{2}}) ([a-z]{{3}}) ([0-9]{{4}}) {_TIME} gmt"
_RFC850: Final = rf"[a-z]{{6,9}}, ([0-9]{{2}})-([a-z]{{3}})-([0-9]{{2}}) {_TIME} gmt"
_ASCTIME: Final = rf"[a-z]{{3}} ([a-z]{{3}}) ([ 0-9][0-9]) {_TIME} ([0-9]{{4}})"
# RFC 3339 section 5.6, with a space for the T, which it allows.
_RFC3339: Final = rf"([0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}})[tT ]{_TIME}(?:\.([0-9]+))?([zZ]|[+-][0-9]{{2}}:[0-9]{{2}})"
_UNIX: Final = r"([0-9]{9,11})(?:\.([0-9]{1,9}))?"
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999


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
    if month not in _MONTHS:
        return None
    return _seconds(int(year), _MONTHS.index(month) + 1, int(day), [int(part) for part in clock])


def parse_moment(text: str) -> datetime | None:
    """The time that a header names, in UTC: RFC 3339, or seconds since 1970; None for anything else.

    A fraction is kept to the microsecond. Raises nothing.
    """
    text = text.strip()
    if match := re.fullmatch(_UNIX, text):
        return _moment(int(match[1]), match[2])
    match = re.fullmatch(_RFC3339, text)
    if match is None:
        return None
    year, month, day, *clock, fraction, zone = match.groups()
    seconds = _seconds(int(year), int(month), int(day), [int(part) for part in clock])
    if seconds is None:
        return None
    if zone not in "zZ":
        hours, minutes = int(zone[1:3]), int(zone[4:6])
        if hours > 23 or minutes > 59:
            return None
        offset = hours * 3_600 + minutes * 60
        seconds += offset if zone[0] == "-" else -offset
    return _moment(int(seconds), fraction)


def _moment(seconds: int, fraction: str | None) -> datetime | None:
    from datetime import UTC, datetime, timedelta

    if not 0 <= seconds <= _LAST_SECOND:
        return None
    micro = int(f"{(fraction or '')[:6]:0<6}")
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds, microseconds=micro)


def _seconds(year: int, month: int, day: int, clock: list[int]) -> float | None:
    """Seconds from 1970-01-01 00:00 UTC; None where a number is out of its range."""
    hour, minute, second = clock
    if not 1 <= month <= 12 or not 1 <= day <= 31 or hour > 23 or minute > 59 or second > 60:
        return None
    return _days(year, month, day) * 86_400.0 + hour * 3_600 + minute * 60 + second


def _days(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01. The year is taken to begin in March, so that the leap day is its last one."""
    year -= month <= 2
    of_year = (153 * ((month - 3) % 12) + 2) // 5 + day - 1
    return year * 365 + year // 4 - year // 100 + year // 400 + of_year - 719_468
