"""What a benchmark finds: rows for the tables, and one verdict for every condition of a goal."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Literal

import attrs

from benchmarks.measure import Race

__all__ = ["Findings", "Row", "Table", "Verdict", "race_table"]


@attrs.define(frozen=True, kw_only=True)
class Row:
    """One side of one comparison. Without a figure it is a side that could not run, and `note` says why."""

    side: str
    figure: float | None = None
    rate: float | None = None
    """Megabytes per second."""
    to_floor: float | None = None
    to_ours: float | None = None
    note: str = ""


@attrs.define(frozen=True, kw_only=True)
class Table:
    """Sides that did the same work."""

    title: str
    unit: str
    """What the figures are, such as `ns/event`."""
    rows: list[Row]
    note: str = ""


@attrs.define(frozen=True, kw_only=True)
class Verdict:
    """One condition of a goal, and what was measured."""

    goal: str
    what: str
    wanted: Literal["<=", ">="]
    limit: float
    measured: float | None
    """None where it could not be measured here; `note` says why."""
    gate: float | None = None
    """The limit beyond which `--quick` fails, much wider than the goal."""
    unit: str = "x"
    note: str = ""

    def _holds(self, limit: float) -> bool:
        compare: Callable[[float, float], bool] = operator.le if self.wanted == "<=" else operator.ge
        return self.measured is not None and compare(self.measured, limit)

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None where nothing was measured."""
        return None if self.measured is None else self._holds(self.limit)

    @property
    def within_gate(self) -> bool:
        """False only for a measured figure beyond its gate."""
        return self.measured is None or self.gate is None or self._holds(self.gate)


@attrs.define
class Findings:
    """Everything that one benchmark found."""

    tables: list[Table] = attrs.field(factory=list)
    verdicts: list[Verdict] = attrs.field(factory=list)


def race_table(
    title: str,
    timed: Race,
    *,
    units: int,
    size: int = 0,
    unit: str = "ns/event",
    floor: str | None = None,
    ours: str = "sansio_claude",
    missing: Mapping[str, str] | None = None,
    note: str = "",
) -> Table:
    """A table of a race: nanoseconds for each of `units`, MB/s of `size` bytes, ratios to `floor` and to `ours`."""
    rows = []
    for side in timed.times:
        ns = timed.ns(side)
        row = Row(
            side=side,
            figure=ns / units,
            rate=size / ns * 1000 if size else None,
            to_floor=timed.ratio(side, floor) if floor is not None and floor in timed else None,
            to_ours=timed.ratio(side, ours) if ours in timed else None,
        )
        rows.append(row)
    rows += [Row(side=side, note=reason) for side, reason in (missing or {}).items()]
    return Table(title=title, unit=unit, rows=rows, note=note)
