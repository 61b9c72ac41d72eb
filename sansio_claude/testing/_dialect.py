"""How the frames of an event stream are written: the API's way, and the ways of gateways."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, Literal

import attrs

__all__ = ["Dialect", "frame"]

_HALF: Final = re.compile("[\ud800-\udfff]")


def _escaped(half: re.Match[str]) -> str:
    """Half of a surrogate pair as JSON can carry it: UTF-8 cannot."""
    return f"\\u{ord(half[0]):04x}"


@attrs.define(frozen=True, kw_only=True)
class Dialect:
    """How the frames are written. The default is the API's own way; the rest is seen from gateways."""

    line_end: Literal["\n", "\r\n", "\r"] = "\n"
    """What ends a line."""
    event_lines: bool = True
    """False: frames have data lines only."""
    space: bool = True
    """False: no space after the colon of a field."""
    padding: bool = True
    """False: no spaces before the last brace."""
    spaced_json: bool = False
    """True: a space after each comma and colon of the JSON."""
    ascii_json: bool = False
    r"""True: everything beyond ASCII is written as \uXXXX."""
    bom: bool = False
    """True: a byte order mark comes first."""
    comment: str | None = None
    """A comment line that every frame starts with."""
    ids: bool = False
    """True: frames are numbered with an id line."""
    retry: int | None = None
    """Milliseconds of a retry field before the first frame."""
    done: bool = False
    """True: a last frame whose data is `[DONE]`."""


def frame(event: Mapping[str, Any], dialect: Dialect, *, padding: int = 0, number: int = 0) -> bytes:
    """One event's frame: `padding` spaces before the last brace, numbered unless `number` is 0."""
    kind = event["type"]
    # A ping is written by another part of the API, with the spaces of Python's json and never padded.
    separators = (", ", ": ") if dialect.spaced_json or kind == "ping" else (",", ":")
    text = json.dumps(event, ensure_ascii=dialect.ascii_json, separators=separators)
    text = _HALF.sub(_escaped, text)
    if dialect.padding and kind != "ping":
        text = text[:-1] + " " * padding + "}"
    colon = ": " if dialect.space else ":"
    lines: list[str] = []
    if dialect.comment is not None:
        lines.append(f":{dialect.comment}")
    if dialect.ids and number:
        lines.append(f"id{colon}{number}")
    if dialect.event_lines:
        lines.append(f"event{colon}{kind}")
    lines += [f"data{colon}{text}", "", ""]
    return dialect.line_end.join(lines).encode()
