"""Limits: how much of an answer the library is willing to hold, each number with its reason.

Every limit counts bytes (or items) of the message itself, never of one read, so that passing one does not
depend on how the network cut the bytes. Passing one is a `LimitError` that names the field and its value.
"""

from __future__ import annotations

import attrs
from attrs.validators import ge, gt

__all__ = ["DEFAULT_LIMITS", "Limits"]

KIB = 1024
MIB = 1024 * KIB


@attrs.define(frozen=True, kw_only=True)
class Limits:
    """Size limits of one answer. All are inclusive: a value of exactly the limit is still accepted."""

    head: int = attrs.field(default=64 * KIB, validator=gt(0))
    """Bytes of one response head, status line to blank line. Real heads have 1 to 3 KiB; servers stop at 8 to 64."""

    informational: int = attrs.field(default=100, validator=ge(0))
    """Number of 1xx answers before the final one. One or two are normal. A gateway that says 102 Processing every few
    seconds is alive, and how long that may go on `Timeouts.first_byte` says; a flood passes this in no time."""

    chunk_line: int = attrs.field(default=4 * KIB, validator=gt(0))
    """Bytes of one chunk-size line with its extensions. Nobody sends extensions; the size takes 16 digits at most."""

    trailers: int = attrs.field(default=16 * KIB, validator=gt(0))
    """Bytes of the trailer section after the last chunk."""

    line: int = attrs.field(default=8 * MIB, validator=gt(0))
    """Bytes of one line of the event stream. The largest recorded line, one search result, has 43 KB."""

    event: int = attrs.field(default=8 * MIB, validator=gt(0))
    """Bytes of one server-sent event: its data, all data lines together, its name and id."""

    event_lines: int = attrs.field(default=10_000, validator=gt(0))
    """Number of event, data and id lines in one server-sent event. The API sends two."""

    blocks: int = attrs.field(default=10_000, validator=gt(0))
    """Number of content blocks in one message, and the bound of a block index (an index is below it)."""

    message: int = attrs.field(default=64 * MIB, validator=gt(0))
    """Bytes of one whole answer body, streamed or not. 300,000 output tokens, one event each, take 45 MB."""

    error_body: int = attrs.field(default=64 * KIB, validator=gt(0))
    """Bytes kept of an error answer's body; the rest is not read."""

    decompressed: int = attrs.field(default=64 * MIB, validator=gt(0))
    """Bytes that a compressed body may grow to."""

    ratio: int = attrs.field(default=200, validator=gt(0))
    """How many times larger than its compressed form a body may become (counted past the first 64 KiB)."""

    depth: int = attrs.field(default=512, validator=gt(0))
    """Nesting depth of JSON, in events, tool inputs and whole answers."""

    deviations: int = attrs.field(default=1_000, validator=ge(0))
    """Number of deviations remembered. More are counted, not kept: a hostile peer could send millions."""


DEFAULT_LIMITS = Limits()
"""The limits of whoever sets none: one object, since checking the fields costs as much as ten deltas."""
