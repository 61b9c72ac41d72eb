"""The command: fuzz for a while, say what was seen, and show the first case that breaks a promise."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from tests.fuzz.streams import cases, check


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long (default 10)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same cases (default 0)")
    parser.add_argument("--corpus", type=Path, help="a folder with streams/*.sse to begin from too")
    given = parser.parse_args(arguments)
    recorded = []
    if given.corpus is not None:
        recorded = [path.read_bytes() for path in sorted((given.corpus / "streams").glob("*.sse"))]
        recorded = [body for body in recorded if len(body) <= 10_000]
    seen: Counter[str] = Counter()
    end = time.monotonic() + given.seconds
    number = 0
    for number, case in enumerate(cases(given.seed, recorded)):
        if time.monotonic() > end:
            break
        try:
            result = check(case)
        except BaseException:
            print(f"seed {given.seed}, case {number} breaks a promise:", case, sep="\n", file=sys.stderr)
            raise
        seen[result.state if result.error is None else result.error["class"]] += 1
    print(f"{number} cases, seed {given.seed}:", ", ".join(f"{count} {name}" for name, count in seen.most_common()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
