"""The body of a refusal as a JSON value, or as its words where it is no JSON.

A refusal may carry JSON, one error event of an event stream, an HTML page of some proxy, plain text, any of these
compressed by a peer that should not have, or nothing. Nothing here raises, whatever the bytes are.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from typing import Any, Final

from sansio_claude._errors.error_object import error_object

__all__ = ["body_value"]

_BOM: Final = b"\xef\xbb\xbf"
_GZIP: Final = b"\x1f\x8b"
_MOST_DECOMPRESSED: Final = 1024 * 1024  # bytes
_DEEPEST: Final = 512  # levels of nesting of a value that is kept
# Compiled when they are needed, which is seldom: compiling takes as long as half a class.
_TITLE: Final = r"(?is)<title[^>]{0,200}>([^<]{1,300})"
_UNSEEN: Final = r"(?is)<(script|style|head|svg)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)|<[^>]*(?:>|\Z)"
_FIELD: Final = r"(event|data|id|retry)?:|(?:event|data)$"
_CHARSET: Final = r"(?i)charset\s*=\s*\"?([A-Za-z0-9_.:-]{1,40})"
_CHARSETS: Final = frozenset(
    {
        *("iso-8859-1", "latin-1", "windows-1252", "windows-1251", "gbk", "gb2312", "gb18030", "big5", "euc-jp"),
        *("shift_jis", "euc-kr", "utf-16", "utf-16le", "utf-16be"),
    }
)


def body_value(body: bytes, content_type: str | None = None) -> Any:
    """The JSON value of an error body; a str of words where it is no JSON; None where it says nothing."""
    if body.startswith(_GZIP):
        body = _unzipped(body)
        if body.startswith(_GZIP):
            return "the body is compressed and could not be decompressed"
    text = _decoded(body.removeprefix(_BOM), content_type).lstrip("\ufeff")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        start = text.lstrip()
        if re.match(_FIELD, start):
            return _from_event_stream(text)
        return _page_words(text) if start.startswith("<") else _one_line(text) or None
    return value if _is_shallow(value) else _one_line(text)


def _unzipped(body: bytes) -> bytes:
    """What a gzip body holds, as far as it can be read; the body itself where it cannot."""
    try:
        return zlib.decompressobj(31).decompress(body, _MOST_DECOMPRESSED) or body
    except zlib.error:
        return body


def _decoded(body: bytes, content_type: str | None) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        found = re.search(_CHARSET, content_type or "")
        charset = found[1].lower() if found else ""
        return body.decode(charset if charset in _CHARSETS else "utf-8", "replace")


def _is_shallow(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [each for each in level if isinstance(each, dict | list)]
        if not level:
            return True
        level = [each for box in level for each in (box.values() if isinstance(box, dict) else box)]
    return False


def _from_event_stream(text: str) -> Any:
    """The first error of an event stream; without one, the data of its first event."""
    first: Any = None
    for name, data in _events(text):
        try:
            value: Any = json.loads(data)
        except (ValueError, RecursionError):
            value = _one_line(data) or None
        if error_object(value, named=name == "error") is not None and _is_shallow(value):
            return value
        if first is None:
            first = value
    return first if _is_shallow(first) else _one_line(text)


def _events(text: str) -> Iterator[tuple[str, str]]:
    """Name and data of each event, the last one even if the blank line behind it is missing."""
    name = ""
    data: list[str] = []
    for line in [*re.split(r"\r\n|\r|\n", text), ""]:
        if not line:
            if data or name:
                yield name, "\n".join(data)
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)


def _page_words(text: str) -> str:
    """The words of an HTML page: its title, or else what a person would see of it."""
    from html import unescape

    title = re.search(_TITLE, text)
    words = _one_line(unescape(title[1])) if title else ""
    if words:
        return words
    seen = _one_line(unescape(re.sub(_UNSEEN, " ", text)))
    return f"an HTML page: {seen}" if seen else "an HTML page"


def _one_line(text: str) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())
