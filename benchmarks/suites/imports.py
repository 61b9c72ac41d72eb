"""P13: what `import sansio_claude` costs, in CPU time of fresh interpreters that take turns."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from typing import Any

import attrs

from benchmarks.measure import Settings
from benchmarks.processes import ROOT
from benchmarks.results import Findings, Row, Table, Verdict

__all__ = ["HEAVY", "cost_of", "run"]

HEAVY = ("asyncio", "ssl", "socket", "trio", "threading", "subprocess", "logging", "http", "email")
"""Modules that importing the core must not bring in; the first four by promise."""

PROGRAM = """
import sys, time, json
before = set(sys.modules)
start = time.process_time()
try:
    {statement}
except ImportError as error:
    print(json.dumps({{"missing": str(error)}}))
else:
    cpu = time.process_time() - start
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    print(json.dumps({{"cpu": cpu, "pages": pages, "modules": sorted(set(sys.modules) - before)}}))
"""

CORE = ("Call", "Endpoint", "HTTPExchange", "MessageRequest", "MessageStream", "PartialJSON", "RetryPolicy")
"""The names that are loaded on first use: judged is what a program uses, not the empty package."""

STATEMENTS = {
    "package": "import sansio_claude",
    "core": f"from sansio_claude import {', '.join(CORE)}",
    "asyncio": "from sansio_claude.asyncio import Client",
    "trio": "from sansio_claude.trio import Client",
    "base": "import h11, attrs, msgspec",
    "anthropic": "import anthropic",
    "aiohttp": "import aiohttp",
    "bare trio": "import trio",
    "bare asyncio": "import asyncio",
}


def cost_of(statement: str, cache: str) -> dict[str, Any]:
    """CPU seconds, resident pages and modules of one import in a fresh interpreter; or `missing`.

    Compiled bytecode is kept in the folder `cache`, whatever the environment says: an installed package has its
    bytecode, and compiling is not what is measured.
    """
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(statement=statement)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=environment | {"PYTHONPYCACHEPREFIX": cache},
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@attrs.define
class _Cost:
    cpu: list[float] = attrs.field(factory=list)
    pages: int = 0
    modules: list[str] = attrs.field(factory=list)
    missing: str = ""


def run(settings: Settings) -> Findings:
    """Every import in turn, once unmeasured to have its bytecode compiled, then round by round."""
    costs = {name: _Cost() for name in STATEMENTS}
    if settings.quick:
        for name in ("anthropic", "aiohttp", "bare trio", "bare asyncio"):
            costs[name].missing = "left out of a quick run"
    with tempfile.TemporaryDirectory() as cache:
        for number in range(settings.rounds + 1):
            for name, statement in STATEMENTS.items():
                if costs[name].missing:
                    continue
                answer = cost_of(statement, cache)
                if "missing" in answer:
                    costs[name].missing = f"not installed ({answer['missing']})"
                elif number:
                    costs[name].cpu.append(answer["cpu"])
                    costs[name].pages = answer["pages"]
                    costs[name].modules = answer["modules"]
    return _findings(costs)


def _findings(costs: dict[str, _Cost]) -> Findings:
    def ratio(side: str, base: str) -> float | None:
        pairs = list(zip(costs[side].cpu, costs[base].cpu, strict=False))
        return statistics.median(a / b for a, b in pairs) if pairs else None

    found = Findings()
    rows = []
    for name, cost in costs.items():
        if cost.missing:
            rows.append(Row(side=STATEMENTS[name], note=cost.missing))
        else:
            rows.append(
                Row(
                    side=STATEMENTS[name],
                    figure=statistics.median(cost.cpu) * 1e3,
                    to_floor=ratio(name, "base"),
                    to_ours=ratio(name, "core"),
                    note=f"{len(cost.modules)} modules, process of {cost.pages * 4 / 1024:.0f} MiB",
                )
            )
    found.tables.append(Table(title="import", unit="ms CPU", rows=rows, note="the floor is the third-party part"))
    goals = [("core", "base", 1.5, "core to `import h11, attrs, msgspec`")]
    goals += [
        (part, "anthropic", 1 / share, f"{part} to `import anthropic` (goal 1/{share})")
        for part, share in (("core", 12), ("asyncio", 9), ("trio", 8))
    ]
    for side, base, limit, what in goals:
        found.verdicts.append(
            Verdict(
                goal="P13",
                what=what,
                wanted="<=",
                limit=limit,
                measured=ratio(side, base),
                note=costs[side].missing or costs[base].missing,
            )
        )
    brought = [name for name in HEAVY if name in costs["core"].modules]
    found.verdicts.append(
        Verdict(
            goal="P13",
            what="heavy modules that the core brings in",
            wanted="<=",
            limit=0,
            measured=len([name for name in brought if name in HEAVY[:4]]),
            gate=0,
            unit="",
            note=", ".join(brought) or "none",
        )
    )
    return found
