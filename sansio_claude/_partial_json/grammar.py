"""The tokens of JSON (RFC 8259) as the scanner of partial JSON needs them: regular expressions, words, characters.

All repetitions are possessive, so nothing is ever tried twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias, cast

LONGEST_SHOWN: Final = 4300
"""Characters up to which a number is shown while it grows. It is CPython's limit for the digits of an int; showing a
longer one would mean converting it again for every piece, which is not linear."""

MANY: Final = 40
"""Characters left from which it pays to look for several numbers at once."""

# The C parts of the standard library's parser. The second gives a value and the index behind it; it is asked for
# numbers and for arrays of them only. Neither is in typeshed.
scan_string: Final[Callable[[str, int], tuple[str, int]]] = json.decoder.scanstring  # type: ignore[attr-defined]
scan_once: Final[Callable[[str, int], tuple[Any, int]]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]

Always: TypeAlias = Callable[[str, int], "re.Match[str]"]  # these match the empty string too
Sometimes: TypeAlias = Callable[[str, int], "re.Match[str] | None"]

_WS: Final = r"[ \t\n\r]*+"
_PLAIN_KEY: Final = rf'"([^"\\\x00-\x1f]*+)"{_WS}:{_WS}'
_NUMBER: Final = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?"

match_space: Final[Always] = cast(Always, re.compile(_WS).match)
match_key: Final[Sometimes] = re.compile(_WS + _PLAIN_KEY).match
match_next_key: Final[Sometimes] = re.compile(_WS + "," + _WS + _PLAIN_KEY).match
# The longest beginning of a number. Where it ends in a digit it is a number; group 1 is there if it is a float.
match_number: Final[Always] = cast(
    Always, re.compile(r"-?(?:(?:0|[1-9][0-9]*+)(\.(?:[0-9]++(?:[eE](?:[-+]?[0-9]*+))?)?|[eE][-+]?[0-9]*+)?)?").match
)
match_numbers: Final[Sometimes] = re.compile(rf"(?:{_NUMBER}{_WS},{_WS}){{2,}}+").match
# A part of a string's content that is right by itself; an unfinished escape; a high surrogate.
_match_part: Final[Sometimes] = re.compile(r'[^"\\\x00-\x1f]++|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}').match
_match_escape: Final[Sometimes] = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?").match
_match_high: Final[Sometimes] = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}").match

DIGITS: Final = frozenset("0123456789")
NUMBER_STARTS: Final = DIGITS | {"-"}
SPACES: Final = frozenset(" \t\n\r")
NUMBER_ENDS: Final = SPACES | frozenset(",]}")
LITERALS: Final[dict[str, tuple[str, Any]]] = {
    "t": ("true", True),
    "f": ("false", False),
    "n": ("null", None),
}
NOT_NUMBERS: Final[dict[str, tuple[str, Any]]] = {
    "N": ("NaN", float("nan")),
    "I": ("Infinity", float("inf")),
}
MINUS_INFINITY: Final = ("-Infinity", float("-inf"))


def stem_of(token: str) -> str:
    """A short beginning of a number that is in the state of `token`: whatever may follow the one may follow both."""
    last = token[-1]
    if last == ".":
        return "1."
    if last in "eE":
        return "1e"
    if last in "+-":
        return "1e" + last
    if "e" in token or "E" in token:
        return "1e1"
    return "1.1" if "." in token else "1"


def _is_escape(text: str, at: int) -> bool:
    """Whether the backslash at `at` begins an escape, and is not the second of a pair."""
    return (at + 1 - len(text[: at + 1].rstrip("\\"))) & 1 == 1


def _before_high(text: str, end: int) -> int:
    """Where the part of a string's content up to `end` ends if an undecided high surrogate is left out."""
    at = end - 6
    return at if at >= 0 and _match_high(text, at) is not None and _is_escape(text, at) else end


def unfinished_from(text: str) -> int:
    """Where in the content of a string (or beyond its end) what must wait for more begins: an escape that is cut, a
    high surrogate whose partner is undecided. The length of `text` where there is none."""
    end = len(text)
    at = text.rfind("\\", max(end - 5, 0))
    if at >= 0 and _is_escape(text, at):
        escape = _match_escape(text, at)
        if escape is not None and escape.end() == end:
            end = at
    return _before_high(text, end)


def fault_in_string(text: str) -> tuple[int, int, str]:
    """Find what is wrong in the content of a string.

    Gives the position of the fault, the length of the content that is shown all the same, and the reason.
    """
    end = 0
    part = _match_part(text, 0)
    while part is not None:
        end = part.end()
        part = _match_part(text, end)
    escape = _match_escape(text, end)
    shown = _before_high(text, end)
    if escape is None:
        return end, shown, "a control character in a string must be escaped"
    return escape.end(), shown, "no such escape in JSON strings"
