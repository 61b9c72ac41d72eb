"""Fuzz the library: `python -m tests.fuzz stream --seconds 600 --seed 1`; without a name, every target for its share.

Prints a line for each target: inputs tried, seconds, edges of the library's code that they reached (where atheris is
installed, which guides the search by them). Ends with status 1 where a promise is broken, and shows the shortest input
found that breaks it: put that into tests/data/crashes/TARGET/ and it is run for ever.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

from attrs import define

__all__ = ["Figures", "campaign", "main"]


@define(frozen=True)
class Figures:
    """What one campaign came to."""

    name: str
    inputs: int
    seconds: float
    edges: int | None
    broken: bool
    words: str

    def __str__(self) -> str:
        edges = "by chance" if self.edges is None else f"{self.edges} edges"
        state = "BROKEN" if self.broken else "all promises held"
        return f"{self.name:13} {self.inputs:>9} inputs {self.seconds:7.0f} s  {edges:>12}  {state}"


def campaign(name: str, *, seconds: float, seed: int, corpus: Path | None = None, by_chance: bool = False) -> Figures:
    """Run one target in a process of its own."""
    command = [sys.executable, "-m", "tests.fuzz.campaign", name, f"--seconds={seconds}", f"--seed={seed}"]
    if corpus is not None:
        command.append(f"--corpus={corpus / name}")
    if by_chance:
        command.append("--by-chance")
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    said = done.stdout + done.stderr
    inputs = re.findall(r"stat::number_of_executed_units:\s*(\d+)", said) or re.findall(r"^#(\d+)\s", said, re.M)
    edges = re.findall(r"cov: (\d+)", said)
    return Figures(
        name,
        int(inputs[-1]) if inputs else 0,
        time.monotonic() - start,
        int(edges[-1]) if edges else None,
        done.returncode != 0,
        said,
    )


def main(arguments: list[str] | None = None) -> int:
    from tests.fuzz.targets import TARGETS

    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"targets (default: all): {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long; all targets together without names")
    parser.add_argument("--seed", type=int, default=0, help="the same seed begins the same search (default 0)")
    parser.add_argument("--corpus", type=Path, help="a folder in which what is found is kept, by target")
    parser.add_argument("--by-chance", action="store_true", help="not guided by coverage, as without atheris")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - set(TARGETS):
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    seconds = given.seconds if given.names else given.seconds / len(TARGETS)
    broken = False
    for name in given.names or TARGETS:
        figures = campaign(name, seconds=seconds, seed=given.seed, corpus=given.corpus, by_chance=given.by_chance)
        print(figures, flush=True)
        if figures.broken:
            broken = True
            print(figures.words[-6_000:], file=sys.stderr)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
