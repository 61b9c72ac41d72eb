"""Fuzz the library: `python -m tests.fuzz stream --seconds 600 --seed 1`; without a name, every target for its share.

Prints a line for each target: inputs tried, seconds with the start among them, edges of the library's code that the
inputs reached and when the last new one was (where atheris is installed, which guides the search by them). Ends with
status 1 where a promise is broken, and shows the shortest input found that breaks it and where it leads: put that input
into tests/data/crashes/TARGET/ and it is run for ever.

With `--corpus DIR` a search goes on where the one before it ended, and DIR/figures.json has the sums of all.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from attrs import asdict, define

from tests.fuzz.target import BROKEN
from tests.fuzz.wings import WINGS

__all__ = ["Figures", "campaign", "main", "note", "report"]

_SHOWN: Final = 6_000  # characters of a report


@define(frozen=True)
class Figures:
    """What one campaign came to."""

    name: str
    inputs: int
    seconds: float
    edges: int | None
    dry: float
    """Seconds since the last input that reached a new edge."""
    broken: bool
    words: str

    def __str__(self) -> str:
        edges = "by chance" if self.edges is None else f"{self.edges} edges"
        dry = "" if self.edges is None else f", none new for {self.dry:.0f} s"
        state = "BROKEN" if self.broken else "all promises held"
        return f"{self.name:13} {self.inputs:>9} inputs {self.seconds:7.0f} s  {edges:>12}{dry}  {state}"


def campaign(
    name: str, *, seconds: float, seed: int, corpus: Path | None = None, by_chance: bool = False, runs: int = 0
) -> Figures:
    """Run one target in a process of its own: for so many seconds, its start among them, or so many inputs."""
    command = [sys.executable, "-m", "tests.fuzz.campaign", name, f"--seconds={seconds}", f"--seed={seed}"]
    if corpus is not None:
        command.append(f"--corpus={corpus / name}")
    if by_chance:
        command.append("--by-chance")
    if runs:
        command.append(f"--runs={runs}")
    start = newest = time.monotonic()
    inputs, edges, said = 0, None, list[str]()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.match(r"#(\d+)\s.*?\bcov: (\d+)", line):
                inputs = int(found[1])
                if edges != int(found[2]):
                    edges, newest = int(found[2]), time.monotonic()
            elif found := re.match(r"stat::number_of_executed_units:\s*(\d+)", line):
                inputs = int(found[1])
            elif not line.startswith("INFO: "):
                said.append(line)
    end = time.monotonic()
    return Figures(name, inputs, end - start, edges, end - newest, process.returncode != 0, "".join(said))


def report(words: str) -> str:
    """What was said about a broken promise, without what libFuzzer says before and after it."""
    _, found, rest = words.partition(BROKEN)
    return found + rest.partition("\n\n === Uncaught")[0][:_SHOWN] if found else words[-_SHOWN:]


def note(figures: Figures, corpus: Path) -> None:
    """Add to the sums of all searches with this corpus."""
    place = corpus / "figures.json"
    sums = json.loads(place.read_text("utf-8")) if place.exists() else {}
    before = sums.get(figures.name, {"inputs": 0, "seconds": 0.0, "edges": 0, "dry": 0.0})
    found = {key: value for key, value in asdict(figures).items() if key in before}
    dry = figures.dry if (figures.edges or 0) > before["edges"] else before["dry"] + figures.seconds
    sums[figures.name] = {
        "inputs": before["inputs"] + found["inputs"],
        "seconds": round(before["seconds"] + found["seconds"], 1),
        "edges": max(before["edges"], found["edges"] or 0),
        "dry": round(dry, 1),
    }
    place.write_text(json.dumps(sums, indent=1) + "\n", "utf-8")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"targets (default: all): {', '.join(WINGS)}")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long; all targets together without names")
    parser.add_argument("--runs", type=int, default=0, help="no more inputs than this for each target")
    parser.add_argument("--seed", type=int, default=0, help="the same seed begins the same search (default 0)")
    parser.add_argument("--corpus", type=Path, help="a folder in which what is found is kept, by target")
    parser.add_argument("--by-chance", action="store_true", help="not guided by coverage, as without atheris")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - set(WINGS):
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    seconds = given.seconds if given.names else given.seconds / len(WINGS)
    broken = False
    for name in given.names or WINGS:
        figures = campaign(
            name,
            seconds=seconds,
            seed=given.seed,
            corpus=given.corpus,
            by_chance=given.by_chance,
            runs=given.runs,
        )
        print(figures, flush=True)
        if given.corpus is not None:
            note(figures, given.corpus)
        if figures.broken:
            broken = True
            print(report(figures.words), file=sys.stderr)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
