"""What a fuzz target is: bytes to begin from, a way to change them that knows their structure, and what must hold."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from attrs import define, field

from tests.mutations import break_bytes

__all__ = ["BROKEN", "SALT", "Target", "cut", "dice_for", "spliced"]

BROKEN: Final = "A promise is broken:"
"""What the report of an input that broke a promise begins with: its bytes and where they led follow."""


@define(frozen=True)
class Target:
    """One part of the library under any bytes whatever.

    `check` raises where a promise is broken; what it draws besides, it draws from `dice_for(data)`, so that the bytes
    alone say what happens. `mutate` changes an input as its structure suggests, by the dice.
    """

    name: str
    seeds: Callable[[], Sequence[bytes]]
    check: Callable[[bytes], object]
    mutate: Callable[[bytes, Random], bytes] = break_bytes
    dictionary: tuple[bytes, ...] = ()
    most: int = field(default=4_096)
    """Bytes of an input at most: longer ones say the same more slowly."""


SALT: int = 0
"""Other dice for the same bytes: what once broke a promise is tried under several."""


def dice_for(data: bytes) -> Random:
    """The dice of one input, for the chunking and the settings that its bytes do not say."""
    return Random(zlib.crc32(data, SALT))


def cut(data: bytes, dice: Random) -> list[bytes]:
    """Chunks of one of three kinds: a few, equal ones, or small ones in one place, seldom single bytes everywhere.

    Small chunks take most of the time of a search, and a place has its turn soon among so many inputs.
    """
    size = len(data)
    match dice.randrange(4):
        case 0:
            edges = {dice.randrange(size + 1) for _ in range(4)}
        case 1:
            edges = set(range(0, size, dice.choice((max(7, size // 20), 60, size + 1))))
        case _ if dice.random() < 0.02:
            edges = set(range(size))
        case _:
            start = dice.randrange(size + 1)
            step = dice.choice((1, 1, 2, 3))
            edges = set(range(start, min(size, start + 12 * step), step))
    return [data[start:end] for start, end in itertools.pairwise(sorted({0, size, *edges}))]


def spliced(
    parts: list[bytes], others: Sequence[bytes], dice: Random, change: Callable[[bytes, Random], bytes] = break_bytes
) -> bytes:
    """The parts with one left out, doubled, exchanged, put in from elsewhere, or changed inside."""
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(parts) + 1)
        match dice.randrange(6):
            case 0:
                del parts[at : at + 1]
            case 1:
                parts[at:at] = parts[at : at + dice.randint(1, 3)]
            case 2 if at + 1 < len(parts):
                parts[at], parts[at + 1] = parts[at + 1], parts[at]
            case 3:
                parts.insert(at, dice.choice(others))
            case _ if at < len(parts):
                parts[at] = change(parts[at], dice)
    return b"".join(parts)
