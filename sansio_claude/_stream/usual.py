"""The usual event: what nearly all of a stream is, without a decoder of lines.

A usual event has two lines with one kind of line end and a blank line behind them: `event: NAME`, where NAME is known
or has been seen before, and `data: DATA`. A usual delta is a usual event in the API's own spelling whose data ends with
one JSON string and the two closing braces. A call for each would cost more than the comparison, so that MessageStream
compares both ends of a delta itself, and SSEDecoder the lines of a usual event, with the table that is kept here. What
is recognised means the same to the plain chain, byte for byte; what is not goes there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from sansio_claude._json import MSGSPEC_ERRORS

__all__ = [
    "ENDINGS",
    "EVENT_LINES",
    "LF_DATA",
    "WHOLE_ENDINGS",
    "decode_text",
    "expect_names",
    "remember_line",
    "split_events",
    "texts_of",
    "usual_event",
]

LF_DATA: Final = b"\ndata: "
# As numbers: to look for a bytes in a bytes, CPython first raises and drops an exception, at 0.3 us.
_LF: Final = 10
_CR: Final = 13
# What stands behind the string of a delta. The API pads nearly every event with 0 to 15 spaces before its last brace.
ENDINGS: Final = frozenset(b"}" + b" " * n + b"}" for n in range(64))
WHOLE_ENDINGS: Final = frozenset(ending + b"\n\n" for ending in ENDINGS)

split_events: Final[Callable[[bytes], list[bytes]]] = re.compile(b"\n\n").split
"""The bytes between blank lines, as `bytes.split` gives them in nearly twice the time."""

decode_text: Final[Callable[[bytes], str]] = msgspec.json.Decoder(str).decode
_decode_texts: Final[Callable[[bytes], list[str]]] = msgspec.json.Decoder(str).decode_lines

# Event lines, without their line end, and the names they give: those expected, and some of those seen. One table for
# the process: what it holds changes the speed and never the result.
EVENT_LINES: Final[dict[bytes, str]] = {}
_expected: Final[dict[bytes, str]] = {}
_MOST_LINES: Final = 64
_LONGEST_LINE: Final = 64  # bytes


def usual_event(event: bytes) -> tuple[str, bytes] | None:
    """The name and the data of an event that is given without its blank line; None where it is not a usual one.

    The line end is LF.
    """
    line, found, raw = event.partition(LF_DATA)
    name = EVENT_LINES.get(line)
    if name is None or not found or _LF in raw or _CR in raw:
        return None
    return name, raw


def expect_names(names: Iterable[str]) -> None:
    """Events of these names are usual from the first one on, and are not forgotten."""
    _expected.update((b"event: " + name.encode(), name) for name in names)
    EVENT_LINES.update(_expected)


def remember_line(line: bytes, name: str) -> None:
    """This event line, `event: ` and a name, is usual from now on."""
    if len(line) <= _LONGEST_LINE and line not in EVENT_LINES:
        if len(EVENT_LINES) >= _MOST_LINES:
            EVENT_LINES.clear()
            EVENT_LINES.update(_expected)
        EVENT_LINES[line] = name


def texts_of(raws: list[bytes]) -> list[str]:
    """The strings whose JSON stands between these quotes, up to the first that is none.

    All are decoded at once, as lines of JSON. That gives an error or at least one string for each line, and more for a
    line whose quotes close too early: with as many strings as lines, each line is one string.
    """
    try:
        texts = _decode_texts(b'"' + b'"\n"'.join(raws) + b'"')
    except MSGSPEC_ERRORS:
        texts = []
    if len(texts) == len(raws):
        return texts
    texts = []
    for raw in raws:
        try:
            texts.append(decode_text(b'"' + raw + b'"'))
        except MSGSPEC_ERRORS:
            break
    return texts
