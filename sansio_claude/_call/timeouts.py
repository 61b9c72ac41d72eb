"""Timeouts: how long each kind of waiting may take."""

from __future__ import annotations

from typing import Final

import attrs

from sansio_claude._errors import LocalProtocolError
from sansio_claude._value import FrozenValue

__all__ = ["NEVER", "Timeouts"]

NEVER: Final = float("inf")
"""The deadline of a wait that has none."""


@attrs.define(frozen=True, kw_only=True, eq=False, repr=False)
class Timeouts(FrozenValue):
    """Seconds that each wait may take, each independent of the others; None for no limit.

    The one that passes is named by `DeadlineError.deadline`. The defaults let a model think in silence for minutes
    while pings arrive, and notice a dead connection after two. Raises LocalProtocolError for one that is no number of
    0 or more.
    """

    pool: float | None = 60.0
    """Waiting for a place among the connections, for each attempt."""

    connect: float | None = 10.0
    """Finding the host and opening the TCP connection; with a proxy, its answer to CONNECT too."""

    tls: float | None = 10.0
    """The TLS handshake."""

    write: float | None = 60.0
    """Writing the request, for each 256 KiB of it."""

    first_byte: float | None = 600.0
    """From the end of the request to the whole head of the answer. 1xx answers and single bytes of the head do not
    start it again."""

    idle: float | None = 120.0
    """Silence: no byte at all, pings included, once the answer has begun."""

    progress: float | None = 600.0
    """Time between events other than pings. Comments, empty events and pieces of an event that is not whole do not
    count; a whole JSON answer counts as one event, so that its body as a whole has to come in this time."""

    after_stop_reason: float | None = 10.0
    """Only with `require_message_stop=False`: how long message_stop is waited for once a stop reason has come and no
    block is open, while nothing but pings comes. Then the message is taken as whole; that is no DeadlineError."""

    total: float | None = None
    """The whole call, all attempts and the waits between them included."""

    def __attrs_post_init__(self) -> None:
        for name in _NAMES:
            value: object = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:  # NaN is not, either
                words = f"Timeouts.{name} has to be 0 or more seconds, or None for no limit, not {value!r:.40}"
                raise LocalProtocolError(words, path=name)


_NAMES: Final = tuple(field.name for field in attrs.fields(Timeouts))
