"""P12: the value of a growing tool input after every fragment, against parsing once and against parsing again.

"Parsing again" is the official SDK's way: append to a buffer, give jiter the whole of it. It grows with the square of
the input; this library's parser goes over each character once.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from benchmarks.measure import Settings, race
from benchmarks.results import Findings, Verdict, race_table
from benchmarks.rivals.peers import Missing, values_by_jiter, values_by_partial_json_parser
from benchmarks.suites.in_process import OURS
from benchmarks.traffic.answers import same
from benchmarks.traffic.words import WORDS, cut, long_document, record_rows
from sansio_claude import PartialJSON

__all__ = ["fragments_of", "run"]

FRAGMENTS = 13_000
FEW = 600
FINAL = "sansio_claude, final value only"
JITER = "the SDK's way: jiter on the whole buffer"
SLOW = "partial-json-parser on the whole buffer"

LIMITS = {"code text": 15.0, "records": 20.0, "numbers": 20.0, "plain text": 15.0, "deep nesting": 20.0}
FULL_ONLY = ("plain text", "deep nesting")


def fragments_of(kind: str, count: int) -> list[str]:
    """`count` fragments of about 15 characters that add up to one JSON object of that kind."""
    random = Random(f"partial {kind}")
    size = count * 15
    if kind == "code text":
        whole = json.dumps({"path": "a.py", "content": long_document(random, size)})
    elif kind == "records":
        whole = record_rows(random, size)
    elif kind == "plain text":
        whole = json.dumps({"text": " ".join(random.choices(WORDS, k=size // 6))})
    elif kind == "deep nesting":
        tower = '{"in": [' * 50 + "1" + "]}" * 50
        whole = json.dumps({"towers": [json.loads(tower)] * max(1, size // len(tower))})
    else:
        whole = json.dumps({"values": [round(random.uniform(-1000, 1000), 3) for _ in range(size // 9)]})
    step = -(-len(whole) // count)
    return cut(random, whole, step, 2 * step - 1)


def _final(fragments: list[str]) -> Callable[[], Any]:
    def run() -> Any:
        parser = PartialJSON()
        feed = parser.feed
        for fragment in fragments:
            feed(fragment)
        return parser.final()

    return run


def _values(fragments: list[str]) -> Callable[[], Any]:
    def run() -> Any:
        parser = PartialJSON()
        feed = parser.feed
        value: Any = None
        for fragment in fragments:
            feed(fragment)
            value = parser.value
        return value

    return run


def run(settings: Settings) -> Findings:
    """Five kinds of input, two of them in a full run only, as is the rival that reads everything again."""
    found = Findings()
    for kind, limit in LIMITS.items():
        if settings.quick and kind in FULL_ONLY:
            continue
        fragments = fragments_of(kind, FRAGMENTS)
        expected = json.loads("".join(fragments))
        sides = {OURS: _values(fragments), FINAL: _final(fragments)}
        for name, side in sides.items():
            same(name, side(), expected)
        timed = race(sides, settings)
        found.tables.append(
            race_table(
                f"partial input, {kind}, {len(fragments)} fragments, the value after every one",
                timed,
                units=len(fragments),
                unit="ns/fragment",
                floor=FINAL,
            )
        )
        found.verdicts.append(
            Verdict(
                goal="P12",
                what=f"value after every fragment to final value only, {kind}",
                wanted="<=",
                limit=limit,
                measured=timed.ratio(OURS, FINAL),
                gate=2 * limit,
            )
        )
        if kind != "numbers":
            _rivals(kind, settings, found)
    return found


def _rivals(kind: str, settings: Settings, found: Findings) -> None:
    """jiter at full length (a tenth of it in a quick run), partial-json-parser at a length that ends."""
    for name, make, count in (
        (JITER, values_by_jiter, FRAGMENTS // 10 if settings.quick else FRAGMENTS),
        (SLOW, values_by_partial_json_parser, FEW),
    ):
        fragments = fragments_of(kind, count)
        rival = make(fragments)
        missing = {}
        sides = {OURS: _values(fragments)}
        if isinstance(rival, Missing):
            missing[name] = rival.reason
        else:
            sides[name] = rival
            same(name, rival(), json.loads("".join(fragments)))
        timed = race(sides, settings, rounds=5)
        found.tables.append(
            race_table(
                f"partial input, {kind}, {len(fragments)} fragments, against {name}",
                timed,
                units=len(fragments),
                unit="ns/fragment",
                missing=missing,
            )
        )
        if name == JITER:
            ratio = timed.ratio(name, OURS) if name in timed else None
            note = missing.get(name, f"at {len(fragments):,} fragments")
            if settings.quick and ratio is not None:
                note += f": {ratio:.0f}x here; it grows with their number and is judged at {FRAGMENTS:,}"
            found.verdicts.append(
                Verdict(
                    goal="P12",
                    what=f"faster than {JITER}, {kind}",
                    wanted=">=",
                    limit=100.0,
                    measured=None if settings.quick else ratio,
                    note=note,
                )
            )
