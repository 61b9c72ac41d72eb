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
from tests.mutation.mutants import Mutant, draw
from tests.mutation.runner import Covering, covering, fate, preload

ROOT: Final = Path(__file__).resolve().parent.parent.parent
# The wings, and the tests that have to notice a change there.
TESTS: Final[dict[str, tuple[str, ...]]] = {
    "_stream": (
        "stream/test_rules.py",
        "stream/test_tolerated_or_refused.py",
        "stream/test_accumulate.py",
        "stream/test_encode.py",
        "stream/test_events.py",
        "stream/test_sse.py",
        "properties/test_stream.py",
    ),
    "_message": ("message", "properties/test_message.py", "test_reprs.py"),
    "_partial_json": ("partial_json", "properties/test_partial_json.py", "test_reprs.py"),
    "_http": ("http", "ground", "properties/test_chunked.py", "properties/test_http.py", "test_reprs.py"),
    "_connect": ("connect", "test_reprs.py"),
    "_errors": ("ground", "call/test_retry.py", "test_reprs.py"),
    "_call": ("call", "connect/test_tls.py", "properties/test_call.py", "test_reprs.py"),
    "_request": ("request", "properties/test_request.py", "test_reprs.py"),
    "_check": ("check",),
    "gateway": ("gateway",),
    "tools": ("tools",),
}


def named(mutant: Mutant) -> tuple[str, str, str]:
    """What stays the same of a mutant when lines are added elsewhere."""
    return f"{mutant.path.as_posix()}:{mutant.name}", mutant.before, mutant.what


def judge(mutant: Mutant, tests: Covering, seconds: float) -> str:
    """The end of one mutant: quickly where it is noticed, with every example where it seems to live."""
    if named(mutant) in EQUIVALENT:
        return "equivalent"
    # What no test calls may still run when the module is imported: then all of them are asked.
    everything = dict.fromkeys(each for names in tests.values() for each in names)
    reached = tests.get(f"{ROOT / mutant.path}:{mutant.function}", list(everything))
    os.environ["HYPOTHESIS_PROFILE"] = "quick"
    end = fate(mutant, ROOT, reached, seconds)
    if end == "alive":
        os.environ["HYPOTHESIS_PROFILE"] = "default"
        end = fate(mutant, ROOT, [each for each in reached if "/properties/" in each or "_properties" in each], seconds)
        end = "alive" if end == "not reached" else end
    return end


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("wings", nargs="*", default=[], metavar="WING", help=f"default: all of {', '.join(TESTS)}")
    parser.add_argument("--number", type=int, default=20, help="mutants of each wing (default 20)")
    parser.add_argument("--seed", type=int, default=1, help="which ones (default 1)")
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="of processor time for the tests of one mutant (default 20)"
    )
    given = parser.parse_args(arguments)
    if unknown := set(given.wings) - set(TESTS):
        parser.error(f"there is no wing {', '.join(sorted(unknown))}")
    print(f"seed {given.seed}, {given.number} mutants a wing")
    preload()
    for wing in given.wings or TESTS:
        start = time.monotonic()
        os.environ["HYPOTHESIS_PROFILE"] = "quick"
        tests = covering(ROOT, wing, [f"tests/{each}" for each in TESTS[wing]], 3_600.0)
        print(f"{wing}: its tests once, {time.monotonic() - start:.0f} s", flush=True)
        files = sorted((ROOT / "sansio_claude" / wing).rglob("*.py"))
        sources = {path.relative_to(ROOT): path.read_text("utf-8") for path in files}
        seen: Counter[str] = Counter()
        drawn = draw(sources, given.number, given.seed)
        for unchanged in [evolve(each, source=sources[each.path], what="", before="") for each in drawn[:2]]:
            if (end := judge(unchanged, tests, given.seconds)) not in ("alive", "not reached"):
                raise SystemExit(f"{unchanged.path} as it is: {end}; so the end of a mutant would say nothing")
        for mutant in drawn:
            end = judge(mutant, tests, given.seconds)
            seen[end] += 1
            if end != "killed":
                print(f"  {end:11} {mutant}", flush=True)
        counted = seen.total() - seen["equivalent"]
        said = ", ".join(f"{count} {end}" for end, count in sorted(seen.items()))
        share = seen["killed"] / max(1, counted)
        print(f"{wing:14} {said}: {share:.1%} of {counted}, {time.monotonic() - start:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
