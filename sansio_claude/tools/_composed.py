"""Names and texts that are the same in Unicode's composed form (NFC), though made of other characters.

A letter with an accent is one character (as models write it) or a letter and an accent (as macOS writes names).
Source: Unicode Standard Annex 15; section 3.11 of the standard for jamo, the parts of Korean syllables.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from itertools import accumulate

__all__ = ["composed_name", "composed_place"]


def composed_name(name: str, names: Iterable[str]) -> list[str]:
    """The names that are `name` in composed form."""
    wanted = unicodedata.normalize("NFC", name)
    return [other for other in names if unicodedata.normalize("NFC", other) == wanted]


def composed_place(text: str, old: str) -> tuple[int, int] | None:
    """The one place of `text` that is `old` in composed form; None where there is none or more than one. Linear."""
    if text.isascii() or old.isascii():
        return None  # nothing could be composed otherwise
    wanted = unicodedata.normalize("NFC", old)
    whole = unicodedata.normalize("NFC", text)
    start = whole.find(wanted)
    if start < 0 or whole.find(wanted, start + 1) >= 0:
        return None
    starts = [index for index, letter in enumerate(text) if index == 0 or _begins(letter)]
    ends = [*starts[1:], len(text)]
    lengths = [len(unicodedata.normalize("NFC", text[a:b])) for a, b in zip(starts, ends, strict=True)]
    composed = list(accumulate(lengths, initial=0))
    if composed[-1] != len(whole):
        return None
    places = dict(zip(composed, [*starts, len(text)], strict=True))
    first, last = places.get(start), places.get(start + len(wanted))
    return None if first is None or last is None else (first, last)


def _begins(letter: str) -> bool:
    """Whether a character never belongs to the one before it: no mark, and no second part of a Korean syllable."""
    return letter < "\u0300" or not ("\u1160" <= letter <= "\u11ff" or unicodedata.category(letter)[0] == "M")
