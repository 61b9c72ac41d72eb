"""What a run found, for people (a text), for programs (JSON), and for the README (a Markdown table)."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib import metadata
from typing import Any

import attrs

from benchmarks.results import Findings, Table, Verdict

__all__ = ["as_json", "goals_text", "machine", "markdown", "table_text", "verdict_text"]

PACKAGES: tuple[str, ...] = (
    "sansio-claude",
    "attrs",
    "h11",
    "msgspec",
    "trio",
    "uvloop",
    "anthropic",
    "httpx-sse",
    "sseclient-py",
    "assel",
    "aiohttp",
    "orjson",
    "jiter",
    "partial-json-parser",
)


def machine() -> dict[str, Any]:
    """What the figures were measured on: interpreter, machine, and the rivals' versions."""
    versions: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "packages": versions,
    }


def _number(value: float | None, *, suffix: str = "") -> str:
    if value is None:
        return ""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 3
    return f"{value:,.{digits}f}{suffix}"


def table_text(table: Table) -> str:
    """One table, aligned."""
    width = max((len(row.side) for row in table.rows), default=0)
    lines = [table.title, f"  {'':{width}}  {table.unit:>14} {'MB/s':>8} {'x floor':>8} {'x ours':>8}"]
    for row in table.rows:
        cells = f"{_number(row.figure):>14} {_number(row.rate):>8} {_number(row.to_floor):>8} {_number(row.to_ours):>8}"
        lines.append(f"  {row.side:{width}}  {cells}  {row.note}".rstrip())
    if table.note:
        lines.append(f"  ({table.note})")
    return "\n".join(lines)


_SAID = {True: "reached", False: "NOT reached", None: "not measured"}


def _limit(verdict: Verdict) -> str:
    return f"{verdict.wanted} {_number(verdict.limit)}{verdict.unit}"


def verdict_text(verdict: Verdict) -> str:
    """One condition of a goal in one line."""
    measured = _number(verdict.measured, suffix=verdict.unit) or "-"
    note = f"  ({verdict.note})" if verdict.note else ""
    return f"  {_SAID[verdict.reached]:12} {measured:>12}  goal {_limit(verdict):>12}  {verdict.what}{note}"


def by_goal(verdicts: Iterable[Verdict]) -> dict[str, list[Verdict]]:
    """The verdicts of each goal, P1 first."""
    goals: dict[str, list[Verdict]] = {}
    for verdict in sorted(verdicts, key=lambda v: (int(v.goal[1:].rstrip("u")), v.goal)):
        goals.setdefault(verdict.goal, []).append(verdict)
    return goals


def _standing(verdicts: list[Verdict]) -> str:
    reached = [verdict.reached for verdict in verdicts]
    if False in reached:
        return _SAID[False]
    return _SAID[None if None in reached else True] if any(reached) else _SAID[None]


def goals_text(verdicts: Iterable[Verdict]) -> str:
    """Every goal with its conditions."""
    lines = ["GOALS"]
    for goal, conditions in by_goal(verdicts).items():
        lines.append(f"{goal}  {_standing(conditions)}")
        lines += [verdict_text(verdict) for verdict in conditions]
    return "\n".join(lines)


def markdown(verdicts: Iterable[Verdict], where: dict[str, Any]) -> str:
    """The table that the README shows, and what it was measured on."""
    lines = ["| goal | what | wanted | measured | |", "|---|---|---|---|---|"]
    for goal, conditions in by_goal(verdicts).items():
        for verdict in conditions:
            measured = _number(verdict.measured, suffix=verdict.unit) or "not measured"
            state = "" if verdict.reached is None else "reached" if verdict.reached else "**not reached**"
            lines.append(f"| {goal} | {verdict.what} | {_limit(verdict)} | {measured} | {state} |")
    packages = ", ".join(f"{name} {version}" for name, version in where["packages"].items() if version)
    lines += ["", f"{where['python']}, {where['system']}, {where['cores']} cores; {packages}."]
    return "\n".join(lines)


def as_json(
    found: dict[str, Findings], where: dict[str, Any], *, quick: bool, before: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The whole run for programs: `machine`, `quick`, and by benchmark its `tables`, its `verdicts` and its `quick`.

    What `before` (an earlier such object) has of other benchmarks stays; `quick` is whether all are.
    """
    benchmarks = {} if before is None else dict(before["benchmarks"])
    for name, findings in found.items():
        verdicts = [attrs.asdict(v) | {"reached": v.reached, "within_gate": v.within_gate} for v in findings.verdicts]
        tables = [attrs.asdict(table) for table in findings.tables]
        benchmarks[name] = {"tables": tables, "verdicts": verdicts, "quick": quick}
    all_quick = all(each["quick"] for each in benchmarks.values())
    return {"machine": where, "quick": all_quick, "benchmarks": benchmarks}
