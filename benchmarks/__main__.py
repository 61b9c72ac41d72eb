"""The command: `python -m benchmarks`, see `--help`."""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from benchmarks import chart, report
from benchmarks.measure import FULL, QUICK
from benchmarks.results import Findings, Row, Table
from benchmarks.suite import BENCHMARKS, select

__all__ = ["main"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures sansio_claude against floors and peers. Only the ratios are claims.",
    )
    parser.add_argument("command", nargs="?", choices=["run", "soak"], default="run", help="run (default) or soak")
    parser.add_argument("--quick", action="store_true", help="under two minutes; fails where a wide gate is passed")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a benchmark or goal; repeatable")
    parser.add_argument("--list", action="store_true", help="names, goals and what they measure")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write everything found; with --only what FILE has of others stays"
    )
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write the bar chart")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table for a README")
    parser.add_argument("--minutes", type=float, default=5.0, metavar="N", help="soak: for how long (default 5)")
    return parser


def _list() -> str:
    return "\n".join(f"{b.name:12} {', '.join(b.goals):8} {b.what}" for b in BENCHMARKS)


def _run(arguments: argparse.Namespace) -> int:
    settings = QUICK if arguments.quick else FULL
    where = report.machine()
    print(f"{where['python']}, {where['system']}, {where['cores']} cores")
    found: dict[str, Findings] = {}
    broken: list[str] = []
    begun = time.perf_counter()
    for benchmark in select(arguments.only):
        start = time.perf_counter()
        print(f"\n== {benchmark.name}: {benchmark.what}", flush=True)
        try:
            findings = benchmark.run(settings)
        except Exception:
            traceback.print_exc()
            broken.append(benchmark.name)
            row = Row(side=benchmark.name, note="failed, see above")
            findings = Findings([Table(title=benchmark.what, unit="", rows=[row])])
        found[benchmark.name] = findings
        for table in findings.tables:
            print(report.table_text(table))
        print(f"-- {time.perf_counter() - start:.1f} s", flush=True)
    verdicts = [verdict for findings in found.values() for verdict in findings.verdicts]
    print("\n" + report.goals_text(verdicts))
    print(f"\n{time.perf_counter() - begun:.0f} s in all")
    caption = f"{where['python']}, {where['system']}, {'quick run' if arguments.quick else 'full run'}"
    if arguments.json is not None:
        before = json.loads(arguments.json.read_text()) if arguments.only and arguments.json.exists() else None
        whole = report.as_json(found, where, quick=arguments.quick, before=before)
        arguments.json.write_text(json.dumps(whole, indent=1) + "\n")
    if arguments.svg is not None:
        arguments.svg.write_text(chart.svg(chart.bars_of(found.values()), caption))
    if arguments.markdown is not None:
        arguments.markdown.write_text(report.markdown(verdicts, where) + "\n")
    if broken:
        print(f"failed: {', '.join(broken)}")
        return 2
    beyond = [verdict for verdict in verdicts if not verdict.within_gate]
    if arguments.quick and beyond:
        print("beyond the gates:")
        for verdict in beyond:
            print(f"{verdict.goal}{report.verdict_text(verdict)}, gate {verdict.gate:g}")
        return 1
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status: 0, or 1 where `--quick` found a gate passed, or 2 where a benchmark could not run."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.list:
        print(_list())
        return 0
    if arguments.command == "soak":
        from benchmarks.suites.soak import main as soak

        return soak(arguments.minutes)
    try:
        select(arguments.only)
    except ValueError as error:
        parser.error(str(error))
    return _run(arguments)


if __name__ == "__main__":
    sys.exit(main())
