"""JSON that any reader takes, of whatever a message may hold; and why a text is none that can be read."""

from __future__ import annotations

import json
from math import isinf
from typing import Any

__all__ = ["json_text", "why_unreadable"]


def json_text(value: Any, *, indent: int | None = None) -> str:
    """The value as JSON that any reader takes: no word Infinity, and lone surrogates as escapes."""
    text = _dumped(value, indent, ascii_only=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return _dumped(value, indent, ascii_only=True)
    return text


def _dumped(value: Any, indent: int | None, *, ascii_only: bool) -> str:
    def dump(value: Any, **options: Any) -> str:
        separators = None if indent else (",", ":")
        return json.dumps(value, ensure_ascii=ascii_only, indent=indent, separators=separators, **options)

    try:
        return dump(value, allow_nan=False)
    except ValueError:
        # A tool input may hold 1e400, which is a legal number in JSON and an infinite one in Python.
        plain, mark = dump(value), "Infinity"
        while f'"{mark}"' in plain or f'"-{mark}"' in plain:
            mark += "~"
        marked = dump(_with_words(value, mark))
        return marked.replace(f'"-{mark}"', "-1e999").replace(f'"{mark}"', "1e999")


def _with_words(value: Any, mark: str) -> Any:
    """A copy with `mark` for infinity."""
    if isinstance(value, dict):
        return {key: _with_words(item, mark) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_words(item, mark) for item in value]
    if isinstance(value, float) and isinf(value):
        return mark if value > 0 else f"-{mark}"
    return value


def why_unreadable(error: ValueError | RecursionError) -> str:
    """What `json.loads` says of a text, without the words that are about Python."""
    if isinstance(error, json.JSONDecodeError):
        return str(error)
    return "too deeply nested" if isinstance(error, RecursionError) else "a number in it is too long"
