"""Draw mutants of the core by a printed seed, run over each the tests that call its function, and say which live.

`python -m tests.mutation _stream _http --number 100 --seed 1`. Property tests draw a fifth of their examples; what
lives is tried again with all of them. Mutants that change nothing that anybody can see are listed in `equivalent.py`,
each with its reason, and are no part of the score.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Final

from attrs import evolve

from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.mutants import Mutant, draw, mutants_of
from tests.mutation.runner import Covering, Quick, covering, fate, preload

ROOT: Final = Path(__file__).resolve().parent.parent.parent
# The wings, and the tests that have to notice a change there.
TESTS: Final[dict[str, tuple[str, ...]]] = {
    "_stream": ("stream", "properties/test_stream.py", "properties/test_events.py", "properties/test_sse.py"),
    "_message": ("message", "properties/test_message.py", "test_reprs.py"),
    "_partial_json": ("partial_json", "properties/test_partial_json.py", "test_reprs.py"),
    "_http": ("http", "ground", "properties/test_chunked.py", "properties/test_http.py", "test_reprs.py"),
    "_connect": ("connect", "test_reprs.py"),
    "_errors": ("ground", "call/test_retry.py", "test_reprs.py"),
    "_call": ("call", "connect/test_tls.py", "properties/test_call.py", "test_reprs.py"),
    "_request": ("request", "properties/test_request.py", "test_reprs.py"),
    "_check": ("check",),
    "gateway": ("gateway", "test_reprs.py"),
    "tools": ("tools", "test_reprs.py"),
}


def named(mutant: Mutant) -> tuple[str, str, str]:
    """What stays the same of a mutant when lines are added elsewhere."""
    return f"{mutant.path.as_posix()}:{mutant.name}", mutant.before, mutant.what


def reached(mutant: Mutant, covering: Covering) -> list[str]:
    """The tests that call a mutant's function. What no test calls may still run when the module is imported: all."""
    found = covering.tests.get(f"{ROOT / mutant.path}:{mutant.function}")
    return list(dict.fromkeys(each for names in covering.tests.values() for each in names)) if found is None else found


class Judge:
    """Finds the end of each mutant: quickly where it is noticed, with every example where it seems to live."""

    def __init__(self, wing: str, covering: Covering, seconds: float) -> None:
        self._covering = covering
        self._seconds = seconds
        self._quick = Quick(ROOT, paths_of(wing), covering, seconds, "mutants")
        properties = [each for each in covering.seconds if "/properties/" in each or "_properties" in each]
        files = list(dict.fromkeys(each.partition("::")[0] for each in properties))
        self._examples = Quick(ROOT, files, covering, 10 * seconds, "default") if files else None

    def end(self, mutant: Mutant) -> str:
        if named(mutant) in EQUIVALENT:
            return "equivalent"
        tests = reached(mutant, self._covering)
        end = self._quick.fate(mutant, tests)
        if end == "alive" and self._examples is not None:
            more = self._examples.fate(mutant, tests)
            end = end if more == "not reached" else more
        function = f"{ROOT / mutant.path}:{mutant.function}"
        is_run_by_tests_alone = function in self._covering.tests and function not in self._covering.imported
        if end == "not reached" or (end == "alive" and not is_run_by_tests_alone):
            os.environ["HYPOTHESIS_PROFILE"] = "mutants"
            end = fate(mutant, ROOT, tests, self._covering, 2 * self._seconds)
        return end


def paths_of(wing: str) -> list[str]:
    return [f"tests/{each}" for each in TESTS[wing]]


def sources_of(wing: str) -> dict[Path, str]:
    files = sorted((ROOT / "sansio_claude" / wing).rglob("*.py"))
    return {path.relative_to(ROOT): path.read_text("utf-8") for path in files}


def chosen(wing: str, number: int, seed: int, only: list[str]) -> list[Mutant]:
    """The mutants of a wing: so many by the seed, or all of the lines that are given, each as "file.py:12"."""
    sources = sources_of(wing)
    if not only:
        return draw(sources, number, seed)
    all_of_them = [each for path, source in sources.items() for each in mutants_of(path, source)]
    return [each for each in all_of_them if f"{each.path.name}:{each.line}" in only]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("wings", nargs="*", default=[], metavar="WING", help=f"default: all of {', '.join(TESTS)}")
    parser.add_argument("--number", type=int, default=20, help="mutants of each wing (default 20)")
    parser.add_argument("--seed", type=int, default=1, help="which ones (default 1)")
    parser.add_argument(
        "--only", action="append", default=[], metavar="FILE:LINE", help="every mutant of this line; may be repeated"
    )
    parser.add_argument(
        "--seconds", type=float, default=3.0, help="of processor time for a test, and ten times its own (default 3)"
    )
    given = parser.parse_args(arguments)
    if unknown := set(given.wings) - set(TESTS):
        parser.error(f"there is no wing {', '.join(sorted(unknown))}")
    print(f"seed {given.seed}, {given.number} mutants a wing")
    preload()
    for wing in given.wings or TESTS:
        start = time.monotonic()
        os.environ["HYPOTHESIS_PROFILE"] = "mutants"
        tests = covering(ROOT, wing, paths_of(wing))
        print(f"{wing}: its tests once, {time.monotonic() - start:.0f} s", flush=True)
        seen: Counter[str] = Counter()
        drawn = chosen(wing, given.number, given.seed, given.only)
        judge = Judge(wing, tests, given.seconds)
        for each in drawn[:1]:
            unchanged = evolve(each, source=sources_of(wing)[each.path], what="", before="")
            if (end := judge.end(unchanged)) not in ("alive", "not reached"):
                raise SystemExit(f"{each.path} as it is: {end}; so the end of a mutant would say nothing")
        for mutant in drawn:
            end = judge.end(mutant)
            seen[end] += 1
            if end != "killed" or given.only:
                print(f"  {end:11} {mutant}", flush=True)
        counted = seen.total() - seen["equivalent"]
        said = ", ".join(f"{count} {end}" for end, count in sorted(seen.items()))
        share = seen["killed"] / max(1, counted)
        print(f"{wing:14} {said}: {share:.1%} of {counted}, {time.monotonic() - start:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
