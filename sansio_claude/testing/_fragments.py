"""The small pieces real streams are made of: delta texts of the measured sizes, ids, signatures, prose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import log
from random import Random
from typing import Final

__all__ = ["identifier", "json_fragments", "prose", "signature", "text_fragments"]

# About what a model's tokens look like: a few letters with the space before them, a run of signs, or
# blanks.
_TOKEN: Final = re.compile(r"\s?[^\W_]{1,7}|\s?[^\w\s]{1,3}|\s{1,4}|_+")
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE64: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_LARGEST_JSON: Final = 13  # characters of one input_json_delta
_WORDS: Final = (
    "the of to in is it that for with on as at by from this be are was not or which have one had but all"
    " their there when more if about time would other into up out some very after most made over where"
    " through just form water light river stone letter window morning paper garden number question answer"
    " reason silence measure bridge because between without another perhaps careful ordinary particular"
    " different temperature"
)


def text_fragments(text: str, dice: Random, *, median: float) -> Iterator[str]:
    """Cut text at token borders into deltas whose length has this median, in characters.

    Lengths are log-normal, as measured: most are a word or two, a few are half a sentence.
    """
    held = ""
    # A delta ends on the first border at or beyond its target: on average half a token later.
    aim = _aim(dice, median - 3)
    for match in _TOKEN.finditer(text):
        held += match.group()
        if len(held) >= aim:
            yield held
            held = ""
            aim = _aim(dice, median - 3)
    if held:
        yield held


def _aim(dice: Random, median: float) -> float:
    return dice.lognormvariate(log(max(1.0, median)), 0.8)


def json_fragments(text: str, dice: Random) -> Iterator[str]:
    """Cut raw JSON text anywhere into pieces of 1 to 13 characters, median 7."""
    start = 0
    while start < len(text):
        end = start + dice.randint(1, _LARGEST_JSON)
        yield text[start:end]
        start = end


def signature(dice: Random) -> str:
    """The opaque signature of a thinking block: base64, 248 to 2,392 characters."""
    length = 4 * dice.randint(248 // 4, 2392 // 4)
    return "Eo" + "".join(dice.choices(_BASE64, k=length - 4)) + "=="


def identifier(prefix: str, dice: Random) -> str:
    """An id of the API's form: the prefix, `_01` and 22 letters and digits."""
    return f"{prefix}_01" + "".join(dice.choices(_BASE58, k=22))


def prose(characters: int, *, seed: int = 0) -> str:
    """Filler in English words and paragraphs, exactly `characters` long; the same for the same seed."""
    dice = Random(seed)
    vocabulary = _WORDS.split()
    sentences: list[str] = []
    length = 0
    while length < characters:
        words = dice.choices(vocabulary, k=dice.randint(5, 18))
        ending = dice.choices([". ", ", and so on. ", "? ", ".\n\n"], weights=[12, 1, 2, 2])[0]
        sentences.append(" ".join(words).capitalize() + ending)
        length += len(sentences[-1])
    return "".join(sentences)[:characters]
