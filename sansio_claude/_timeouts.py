"""Timeouts: how long each kind of waiting may take."""

from __future__ import annotations

from typing import Final

import attrs

__all__ = ["NEVER", "Timeouts"]

NEVER: Final = float("inf")
"""The deadline of a wait that has none."""


def _seconds(instance: object, attribute: attrs.Attribute[float | None], value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{attribute.name} has to be a number of seconds or None, not {type(value).__name__}")
    if not value >= 0:  # NaN too
        raise ValueError(f"{attribute.name} has to be 0 or more seconds, or None for no limit, not {value!r}")


def _wait(default: float | None) -> float | None:
    seconds: float | None = attrs.field(default=default, validator=_seconds)
    return seconds


@attrs.define(frozen=True, kw_only=True)
class Timeouts:
    """Seconds that each wait may take, each independent of the others; None for no limit.

    The one that passes is named by `DeadlineError.deadline`. The defaults let a model think in silence for minutes
    while pings arrive, and notice a dead connection after two.
    """

    pool: float | None = _wait(60.0)
    """Waiting for a place among the connections, for each attempt."""

    connect: float | None = _wait(10.0)
    """Finding the host and opening the TCP connection; with a proxy, its answer to CONNECT too."""

    tls: float | None = _wait(10.0)
    """The TLS handshake."""

    write: float | None = _wait(60.0)
    """Writing the request, for each 256 KiB of it."""

    first_byte: float | None = _wait(600.0)
    """From the end of the request to the whole head of the answer. 1xx answers and single bytes of the head do not
    start it again."""

    idle: float | None = _wait(120.0)
    """Silence: no byte at all, pings included, once the answer has begun."""

    progress: float | None = _wait(600.0)
    """Time between events other than pings. Comments, empty events and pieces of an event that is not whole do not
    count; a whole JSON answer counts as one event, so that its body as a whole has to come in this time."""

    total: float | None = _wait(None)
    """The whole call, all attempts and the waits between them included."""
