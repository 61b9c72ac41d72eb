"""Clients in processes of their own that take turns at the same job: the engine of everything end to end."""

from __future__ import annotations

import contextlib
import itertools
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from benchmarks.processes import MissingClient, Server, Worker, worker
from benchmarks.results import Row, Table
from benchmarks.traffic.answers import same
from benchmarks.worker import CLIENTS

__all__ = ["Crowd", "Outcome", "Side", "crowd"]

BEHIND = 0.02
"""Seconds of median latency from which a client is not following its streams any more."""

_groups = itertools.count()

Side = tuple[str, str]
"""A loop and a client, such as ("asyncio", "hand")."""

Job = Callable[[str], dict[str, Any]]
"""Makes a job of a group's name, which is new for every run."""


@attrs.define
class Outcome:
    """Reports by side and round."""

    reports: dict[Side, list[dict[str, Any]]]
    missing: dict[Side, str]

    def values(self, side: Side, key: str) -> list[float]:
        return [report[key] for report in self.reports.get(side, [])]

    def median(self, side: Side, key: str) -> float | None:
        values = self.values(side, key)
        return statistics.median(values) if values else None

    def ratio(self, side: Side, base: Side, key: str) -> float | None:
        """The median over the rounds of one side's figure over another's; None where one of them is missing."""
        pairs = list(zip(self.values(side, key), self.values(base, key), strict=False))
        return statistics.median(a / b for a, b in pairs if b) if pairs else None

    def behind(self, side: Side) -> bool:
        """Whether a paced client could not follow, by its latency."""
        late = [report["p50"] for report in self.reports.get(side, []) if report["p50"] is not None]
        return bool(late) and statistics.median(late) > BEHIND

    def why(self, *sides: Side) -> str:
        """Why there is no ratio between these."""
        reasons = [f"{name_of(side)}: {self.missing[side]}" for side in sides if side in self.missing]
        reasons += [f"{name_of(side)} fell behind, its figure is too low" for side in sides if self.behind(side)]
        if not reasons and any(side not in self.reports for side in sides):
            return "left out of a quick run"
        return "; ".join(reasons)

    def table(self, title: str, key: str, *, per: float, scale: float, unit: str, ours: Side, floor: Side) -> Table:
        """A table of one key, divided by `per` and multiplied by `scale`."""
        rows = []
        for side in self.reports:
            middle = self.median(side, key)
            extra = []
            for name, words in (("p50", "p50"), ("p99", "p99")):
                late = self.median(side, name) if self.reports[side][0].get(name) is not None else None
                if late is not None:
                    extra.append(f"{words} {late * 1e6:.0f} us")
            if self.behind(side):
                extra.append("fell behind, so it read many events at once: its figure is too low")
            rows.append(
                Row(
                    side=name_of(side),
                    figure=None if middle is None else middle / per * scale,
                    to_floor=self.ratio(side, floor, key),
                    to_ours=self.ratio(side, ours, key),
                    note=", ".join(extra),
                )
            )
        rows += [Row(side=name_of(side), note=reason) for side, reason in self.missing.items()]
        return Table(title=title, unit=unit, rows=rows)


def name_of(side: Side) -> str:
    """A side in words."""
    loop, client = side
    return f"{CLIENTS[client]} ({loop})"


@attrs.define
class Crowd:
    """The worker processes that could be started."""

    server: Server
    workers: dict[Side, Worker]
    missing: dict[Side, str]

    def compete(self, job: Job, rounds: int, *, expect: dict[str, Any], sides: Sequence[Side] | None = None) -> Outcome:
        """Every side does the job once unmeasured and then `rounds` times, in turn, the order alternating.

        `expect` is what each report must say: a side that calls and fails, or receives something else, is an error
        and no figure. The raw sides, which look at nothing, are excused.
        """
        order = [side for side in self.workers if sides is None or side in sides]
        reports: dict[Side, list[dict[str, Any]]] = {side: [] for side in order}
        for number in range(rounds + 1):
            for side in order:
                report = self.workers[side].do(job(f"g{next(_groups)}"))
                same(name_of(side), report["errors"], [])
                if side[1] != "raw":
                    for key, value in expect.items():
                        same(f"{name_of(side)} {key}", report[key], value)
                if number:
                    reports[side].append(report)
            order.reverse()
        asked = self.missing if sides is None else {side: self.missing[side] for side in sides if side in self.missing}
        return Outcome(reports, asked)


@contextlib.contextmanager
def crowd(server: Server, sides: Sequence[Side]) -> Any:
    """Starts a worker for each side."""
    with contextlib.ExitStack() as stack:
        workers: dict[Side, Worker] = {}
        missing: dict[Side, str] = {}
        for side in sides:
            try:
                workers[side] = stack.enter_context(worker(*side))
            except MissingClient as error:
                missing[side] = str(error)
        yield Crowd(server, workers, missing)
