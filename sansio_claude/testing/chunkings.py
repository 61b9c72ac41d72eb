"""Ways to cut bytes into chunks.

What a parser says must not depend on how the network cut its input. These functions make the cuts that show
it: the whole at once, byte by byte, every single cut, cuts and sizes that were recorded, and seeded random ones.

Every chunking is a list of non-empty `bytes` which joined give the input again; of no input it is the empty
list. The same arguments always give the same chunks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from random import Random

__all__ = ["at_cuts", "bytewise", "every_cut", "in_sizes", "named", "random", "steps", "whole"]


def whole(data: bytes) -> list[bytes]:
    """All of it in one chunk."""
    return [bytes(data)] if data else []


def bytewise(data: bytes) -> list[bytes]:
    """One byte a chunk."""
    return steps(data, 1)


def steps(data: bytes, size: int) -> list[bytes]:
    """Chunks of `size` bytes, the last one perhaps shorter."""
    if size < 1:
        raise ValueError(f"the size of a chunk must be at least 1, not {size}")
    return [bytes(data[start : start + size]) for start in range(0, len(data), size)]


def at_cuts(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Cut at these positions, counted in bytes from the start.

    Positions may come in any order and more than once; those at or outside the ends cut nothing.
    """
    inside = sorted({cut for cut in cuts if 0 < cut < len(data)})
    borders = [0, *inside, len(data)]
    return [bytes(data[start:end]) for start, end in pairwise(borders) if start < end]


def in_sizes(data: bytes, sizes: Iterable[int]) -> list[bytes]:
    """Chunks of these sizes in turn, as recorded from a network; what is left over is one chunk more."""
    cuts: list[int] = []
    position = 0
    for size in sizes:
        if size < 0:
            raise ValueError(f"the size of a chunk cannot be negative: {size}")
        position += size
        cuts.append(position)
    return at_cuts(data, cuts)


def every_cut(data: bytes) -> Iterator[list[bytes]]:
    """Each way to cut the input in two, `len(data) - 1` of them. Quadratic: meant for a few kilobytes."""
    for cut in range(1, len(data)):
        yield at_cuts(data, [cut])


def random(data: bytes, seed: int, *, mean: float | None = None) -> list[bytes]:
    """Cuts at random places, on average `mean` bytes apart; if not given, the seed chooses 1 to 512."""
    dice = Random(seed)
    if mean is None:
        mean = 2 ** dice.uniform(0, 9)
    if mean < 1:
        raise ValueError(f"chunks cannot be shorter than 1 byte on average, as {mean} asks")
    cuts: list[int] = []
    position = 0
    while position < len(data):
        # Exponential distances are those of cuts that fall independently of each other.
        position += max(1, round(dice.expovariate(1 / mean)))
        cuts.append(position)
    return at_cuts(data, cuts)


def named(data: bytes, *, seeds: Iterable[int] = range(8)) -> Iterator[tuple[str, list[bytes]]]:
    """The chunkings to try on any input, each with a name for the report of a failure.

    Whole, byte by byte, steps of 2, 3, 7, 10, 64 and 1000 bytes, and a random one for each seed.
    """
    yield "whole", whole(data)
    yield "bytewise", bytewise(data)
    for size in (2, 3, 7, 10, 64, 1000):
        yield f"steps of {size}", steps(data, size)
    for seed in seeds:
        yield f"random, seed {seed}", random(data, seed)
