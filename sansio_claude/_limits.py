"""Limits: how much of an answer the library is willing to hold, each number with its reason.

Every limit counts bytes (or items) of the message itself, never of one read, so that passing one does not
depend on how the network cut the bytes. Passing one is a `LimitError` that names the field and its value.
"""

from __future__ import annotations

from typing import Final

import attrs

from sansio_claude._errors import LocalProtocolError
from sansio_claude._value import FrozenValue

__all__ = ["DEFAULT_LIMITS", "Limits", "limits_of"]

KIB = 1024
MIB = 1024 * KIB


@attrs.define(frozen=True, kw_only=True, eq=False, repr=False)
class Limits(FrozenValue):
    """Size limits of one answer. All are inclusive: a value of exactly the limit is still accepted.

    Raises LocalProtocolError for one that is no int, or not positive (`informational` and `deviations` may be 0).
    """

    head: int = 64 * KIB
    """Bytes of one response head, status line to blank line. Real heads have 1 to 3 KiB; servers stop at 8 to 64."""

    informational: int = 100
    """Number of 1xx answers before the final one. One or two are normal. A gateway that says 102 Processing every few
    seconds is alive, and how long that may go on `Timeouts.first_byte` says; a flood passes this in no time."""

    chunk_line: int = 4 * KIB
    """Bytes of one chunk-size line with its extensions. Extensions are not in use; a size has 20 digits at most."""

    trailers: int = 16 * KIB
    """Bytes of the trailer section after the last chunk."""

    line: int = 8 * MIB
    """Bytes of one line of the event stream. The largest recorded line, one search result, has 43 KB."""

    event: int = 8 * MIB
    """Bytes of one server-sent event: its data, all data lines together, its name and id."""

    event_lines: int = 10_000
    """Number of event, data and id lines in one server-sent event. The API sends two."""

    blocks: int = 10_000
    """Number of content blocks in one message, and the bound of a block index (an index is below it)."""

    message: int = 64 * MIB
    """Bytes of one whole answer body, streamed or not. 300,000 output tokens, one event each, take 45 MB."""

    kept: int = MIB
    """Bytes of the message's own keys, usage among them, that a stream with `keep_content=False` keeps; more are left
    out. Real messages have less than 2 KiB. It is the limit of a whole message there, too, where that comes in place of
    a stream."""

    error_body: int = 64 * KIB
    """Bytes kept of an error answer's body; the rest is not read."""

    decompressed: int = 64 * MIB
    """Bytes that a compressed body may grow to."""

    ratio: int = 200
    """How many times larger than its compressed form a body may become (counted past the first 64 KiB)."""

    depth: int = 512
    """Nesting depth of JSON, in events, tool inputs and whole answers."""

    deviations: int = 1_000
    """Number of deviations remembered. More are counted, not kept: a hostile peer could send millions."""

    def __attrs_post_init__(self) -> None:
        for name in _NAMES:
            value: object = getattr(self, name)
            least = 0 if name in _MAY_BE_ZERO else 1
            if type(value) is not int or value < least:
                words = f"Limits.{name} has to be a whole number of {least} or more, not {value!r:.40}"
                raise LocalProtocolError(words, path=name)


_NAMES: Final = tuple(field.name for field in attrs.fields(Limits))
_MAY_BE_ZERO: Final = frozenset({"informational", "deviations"})

DEFAULT_LIMITS = Limits()
"""The limits of whoever sets none: one object, since checking the fields costs as much as ten deltas."""


def limits_of(limits: Limits | None) -> Limits:
    """The limits that were given, or the default ones. Raises LocalProtocolError for what are none."""
    if limits is None:
        return DEFAULT_LIMITS
    if not isinstance(limits, Limits):
        raise LocalProtocolError(f"limits has to be Limits(...), not {limits!r:.40}", path="limits")
    return limits
