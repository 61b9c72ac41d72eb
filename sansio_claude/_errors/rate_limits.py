"""RateLimits: what an answer's headers say about how much may still be sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, final

import attrs

from sansio_claude._errors.dates import parse_moment

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["RateLimit", "RateLimits", "UnifiedLimit", "rate_limits"]

_COUNTED: Final = {
    "requests": "anthropic-ratelimit-requests-",
    "tokens": "anthropic-ratelimit-tokens-",
    "input_tokens": "anthropic-ratelimit-input-tokens-",
    "output_tokens": "anthropic-ratelimit-output-tokens-",
    "priority_input_tokens": "anthropic-priority-input-tokens-",
    "priority_output_tokens": "anthropic-priority-output-tokens-",
}
_UNIFIED: Final = "anthropic-ratelimit-unified-"
_WINDOW: Final = r"(?:(.+)-)?(status|utilization|reset)"
_NUMBER: Final = r"[0-9]{1,18}"
_PART: Final = r"[0-9]{1,9}(?:\.[0-9]{0,18})?|\.[0-9]{1,18}"
_FAMILIES: Final = ("anthropic-ratelimit-", "anthropic-priority-")


@final
@attrs.define(frozen=True, kw_only=True)
class RateLimit:
    """One limit. Whatever its headers did not say, or said in a form that makes no sense, is None."""

    limit: int | None = None
    """How many are allowed in the period."""

    remaining: int | None = None
    """How many are left of it."""

    reset: datetime | None = None
    """When the limit is whole again, in UTC."""


@final
@attrs.define(frozen=True, kw_only=True)
class UnifiedLimit:
    """The limit of a subscription for one window of time."""

    status: str | None = None
    """`allowed`, `allowed_warning` or `rejected`, or whatever else was sent."""

    utilization: float | None = None
    """The part that is used, 1.0 being all of it."""

    reset: datetime | None = None
    """When the window ends, in UTC."""


@final
@attrs.define(frozen=True, kw_only=True)
class RateLimits:
    """The rate limits that the headers of one answer tell; None for each that they do not mention.

    Source: the API's page on rate limits; the unified ones come with subscriptions and stand on no page.
    """

    requests: RateLimit | None = None
    """The limit of requests a minute."""
    tokens: RateLimit | None = None
    """The limit of tokens a minute, whichever of the token limits is the tightest now."""
    input_tokens: RateLimit | None = None
    """The limit of input tokens a minute."""
    output_tokens: RateLimit | None = None
    """The limit of output tokens a minute."""
    priority_input_tokens: RateLimit | None = None
    """The limit of input tokens a minute of the priority tier."""
    priority_output_tokens: RateLimit | None = None
    """The limit of output tokens a minute of the priority tier."""

    unified: Mapping[str, UnifiedLimit] = attrs.field(factory=dict, hash=False)
    """The limits of a subscription by the name of their window, as in `unified["5h"]`; the one over all is `""`."""

    headers: Mapping[str, str] = attrs.field(factory=dict, hash=False)
    """All the headers of this kind as they came, by name in lower case, those without an attribute too."""


def rate_limits(headers: Mapping[str, str]) -> RateLimits | None:
    """The rate limits in an answer's headers (names in lower case); None where no header tells of any.

    Raises nothing.
    """
    told = {name: value for name, value in headers.items() if name.startswith(_FAMILIES)}
    if not told:
        return None
    limits = {field: _limit(told, prefix) for field, prefix in _COUNTED.items()}
    windows: dict[str, dict[str, str]] = {}
    for name, value in told.items():
        if name.startswith(_UNIFIED) and (match := re.fullmatch(_WINDOW, name.removeprefix(_UNIFIED))):
            windows.setdefault(match[1] or "", {})[match[2]] = value
    unified = {window: _unified(said) for window, said in windows.items()}
    return RateLimits(**limits, unified=unified, headers=told)


def _limit(told: Mapping[str, str], prefix: str) -> RateLimit | None:
    limit, remaining, reset = (told.get(prefix + part) for part in ("limit", "remaining", "reset"))
    if limit is None and remaining is None and reset is None:
        return None
    return RateLimit(limit=_number(limit), remaining=_number(remaining), reset=_moment(reset))


def _unified(said: Mapping[str, str]) -> UnifiedLimit:
    part = said.get("utilization", "").strip()
    return UnifiedLimit(
        status=said.get("status"),
        utilization=float(part) if re.fullmatch(_PART, part) else None,
        reset=_moment(said.get("reset")),
    )


def _number(value: str | None) -> int | None:
    text = (value or "").strip()
    return int(text) if re.fullmatch(_NUMBER, text) else None


def _moment(value: str | None) -> datetime | None:
    return None if value is None else parse_moment(value)
