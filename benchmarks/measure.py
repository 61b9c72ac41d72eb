"""Taking turns: CPU time of several ways to do the same work, and the median of the per-round ratios.

Machines drift by a factor of two within minutes, so two sides are only ever compared within one round, where
they run within milliseconds of each other, and the order within a round alternates.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import attrs

__all__ = ["FULL", "QUICK", "Race", "Settings", "race"]


@attrs.define(frozen=True, kw_only=True)
class Settings:
    """How thorough a run is."""

    quick: bool
    rounds: int
    """Rounds of everything in process; never below 5."""
    sample: float
    """Seconds of CPU that one sample of a side should take at least."""
    rounds_across: int
    """Rounds of what runs between processes."""


FULL = Settings(quick=False, rounds=9, sample=0.03, rounds_across=5)
QUICK = Settings(quick=True, rounds=5, sample=0.01, rounds_across=5)


@attrs.define(frozen=True)
class Race:
    """CPU nanoseconds of one call of every side, by round."""

    times: Mapping[str, Sequence[float]]

    def __contains__(self, side: str) -> bool:
        return side in self.times

    def ns(self, side: str) -> float:
        """The median time of one call of `side`, in nanoseconds; for people only, it says nothing across runs."""
        return statistics.median(self.times[side])

    def ratio(self, side: str, base: str) -> float:
        """The median over the rounds of `side`'s time over `base`'s."""
        return statistics.median(a / b for a, b in zip(self.times[side], self.times[base], strict=True))


def race(
    sides: Mapping[str, Callable[[], object]],
    settings: Settings,
    *,
    rounds: int | None = None,
    clock: Callable[[], int] = time.process_time_ns,
) -> Race:
    """Time every side in turn, `rounds` times (the settings' number unless given).

    Every side runs once before, unmeasured: that warms the caches and tells how often it has to be repeated for
    one sample. The garbage collector stays on, as it is in a real program, with everything that existed before
    put out of its sight.
    """
    count = rounds if rounds is not None else settings.rounds
    loops: dict[str, int] = {}
    for name, side in sides.items():
        start = clock()
        side()
        once = max(clock() - start, 1)
        loops[name] = max(1, round(settings.sample * 1e9 / once))
    times: dict[str, list[float]] = {name: [] for name in sides}
    gc.collect()
    gc.freeze()
    try:
        order = list(sides)
        for _ in range(count):
            for name in order:
                side, repeats = sides[name], loops[name]
                gc.collect()
                start = clock()
                for _ in range(repeats):
                    side()
                times[name].append((clock() - start) / repeats)
            order.reverse()
    finally:
        gc.unfreeze()
    return Race(times)
