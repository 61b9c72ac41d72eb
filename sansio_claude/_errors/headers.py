"""What the headers of an answer say about trying again, and headers of any HTTP library as one lookup."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from sansio_claude._errors.dates import parse_http_date

__all__ = ["header_dict", "header_pairs", "request_id", "retry_after", "should_retry"]

_SECONDS: Final = r"[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15}"


def header_pairs(headers: Any) -> list[tuple[str, str]]:
    """Header fields of any HTTP library as pairs, in order; the names in lower case.

    Takes a mapping, an object with `items()` (as the HTTP libraries have them), or pairs; names and values are str
    or bytes, which are read as Latin-1. What is neither is left out. Raises nothing.
    """
    found: list[tuple[str, str]] = []
    try:
        items: Any = headers.items() if isinstance(headers, Mapping) or hasattr(headers, "items") else headers or ()
        for name, value in items:
            key, text = _text(name), _text(value)
            if key is not None and text is not None:
                found.append((key.strip().lower(), text.strip()))
    except (TypeError, ValueError):  # no pairs
        pass
    return found


def header_dict(headers: Any) -> dict[str, str]:
    """Headers by name in lower case, the first value of each. See `header_pairs`."""
    return dict(reversed(header_pairs(headers)))


def _text(value: Any) -> str | None:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("latin-1")
    return value if isinstance(value, str) else None


def request_id(get: Callable[[str], str | None]) -> str | None:
    """The API's id of the request; where a gateway has its own only, that."""
    return get("request-id") or get("x-request-id") or None


def retry_after(get: Callable[[str], str | None], wall: Callable[[], float | None]) -> float | None:
    """The seconds that an answer's head asks to wait, None where it does not or makes no sense.

    `get` gives a header's value, `wall` the time of day as seconds since 1970, asked only for a date; where it gives
    None, the answer's own Date header counts. `retry-after-ms` comes first, then `retry-after` as seconds (fractions
    too), then as a date. NaN, infinities, numbers of absurd length, negative ones and dates gone by make no sense.
    """
    if (number := _number(get("retry-after-ms"))) is not None:
        return number / 1000.0
    value = get("retry-after")
    if value is None:
        return None
    if (number := _number(value)) is not None:
        return number
    now = wall()
    if now is None:
        now = parse_http_date(get("date") or "", 0.0)
    date = None if now is None else parse_http_date(value, now)
    return None if date is None or now is None or date < now else date - now


def should_retry(get: Callable[[str], str | None]) -> bool | None:
    """What `x-should-retry` says: True, False, or None where it is not there or says neither."""
    return {"true": True, "false": False}.get((get("x-should-retry") or "").strip().lower())


def _number(value: str | None) -> float | None:
    text = (value or "").strip()
    return float(text) if re.fullmatch(_SECONDS, text) else None
