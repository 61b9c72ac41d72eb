"""Rules of `check()` about text as such: half surrogate pairs, which no UTF-8 can carry.

Source: the API's answer "no low surrogate in string" to bodies that hold one (github.com/anthropics/claude-code,
issues 1709, 3277 and 68325).
"""

from __future__ import annotations

import re
from typing import Any, Final

from sansio_claude._check.problem import Problem, Problems

__all__ = ["check_text"]

_ESCAPED: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_MOST: Final = 20


def check_text(body: Any, data: bytes) -> Problems:
    """A problem for each text of the body with half a surrogate pair in it, the first 20 of them."""
    if _ESCAPED.search(data) is None:
        return
    found = 0
    stack: list[tuple[str, Any]] = [("", body)]
    while stack and found < _MOST:
        path, value = stack.pop()
        if isinstance(value, dict):
            stack.extend((f"{path}.{key}" if path else key, inner) for key, inner in reversed(value.items()))
            value = next((key for key in value if _SURROGATE.search(key)), "")
        elif isinstance(value, list):
            stack.extend((f"{path}[{index}]", inner) for index, inner in reversed(list(enumerate(value))))
            continue
        match = _SURROGATE.search(value) if isinstance(value, str) else None
        if match is not None:
            found += 1
            words = f"there is half a surrogate pair (U+{ord(match.group()):04X}) at character {match.start()}"
            place = path.encode("ascii", "backslashreplace").decode()
            yield Problem("error", place, words, "put the whole character, or U+FFFD, in its place")
