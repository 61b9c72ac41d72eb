"""Draw mutants of the core by a printed seed, run the tests of each wing over them in a copy, and say which live."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from tests.mutation.mutants import Mutant, draw

ROOT: Final = Path(__file__).parent.parent.parent
# The wings, and the tests that have to notice a change there: the nearest first, since the first failure ends a run.
TESTS: Final[dict[str, tuple[str, ...]]] = {
    "_stream": ("stream", "properties/test_stream.py", "properties/test_sse.py", "properties/test_events.py"),
    "_message": ("message", "stream", "properties/test_message.py", "properties/test_stream.py"),
    "_partial_json": ("partial_json", "properties/test_partial_json.py"),
    "_http": ("http", "properties/test_chunked.py", "properties/test_http.py"),
    "_connect": ("connect", "call"),
    "_errors": ("ground", "call", "stream"),
    "_call": ("call", "properties/test_call.py"),
    "_request": ("request", "properties/test_request.py"),
    "_check": ("check", "request"),
    "gateway": ("gateway",),
}


def fate(mutant: Mutant, copy: Path, wing: str, seconds: float) -> str:
    """Say "killed" where a test of the wing fails, "alive" where all pass, "late" where they take too long to say."""
    place = copy / mutant.path
    before = place.read_text("utf-8")
    place.write_text(mutant.source, "utf-8")
    tests = [f"tests/{each}" for each in TESTS[wing] if (copy / "tests" / each).exists()]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", *tests]
    try:
        done = subprocess.run(
            command,
            cwd=copy,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(copy)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "late"
    finally:
        place.write_text(before, "utf-8")
    return "alive" if done.returncode == 0 else "killed"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("wings", nargs="*", default=[], metavar="WING", help=f"default: all of {', '.join(TESTS)}")
    parser.add_argument("--number", type=int, default=20, help="mutants of each wing (default 20)")
    parser.add_argument("--seed", type=int, default=1, help="which ones (default 1)")
    parser.add_argument("--seconds", type=float, default=300.0, help="for the tests of one mutant (default 300)")
    given = parser.parse_args(arguments)
    if unknown := set(given.wings) - set(TESTS):
        parser.error(f"there is no wing {', '.join(sorted(unknown))}")
    print(f"seed {given.seed}, {given.number} mutants a wing")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".*_cache", "__pycache__", ".hypothesis"))
        for wing in given.wings or TESTS:
            files = sorted((copy / "sansio_claude" / wing).rglob("*.py"))
            sources = {path.relative_to(copy): path.read_text("utf-8") for path in files}
            seen: Counter[str] = Counter()
            for mutant in draw(sources, given.number, given.seed):
                end = fate(mutant, copy, wing, given.seconds)
                seen[end] += 1
                if end != "killed":
                    print(f"  {end:6} {mutant}", flush=True)
            total = seen.total()
            said = ", ".join(f"{count} {end}" for end, count in sorted(seen.items()))
            print(f"{wing:14} {said}: {seen['killed'] / max(1, total):.0%} of {total} killed", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
