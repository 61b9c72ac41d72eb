"""P14: a gateway's stream, `keep_content=False`: 100,000 deltas through a process of its own, its memory watched.

Run as `python -m benchmarks.suites.gateway EVENTS`, it prints its resident bytes before, at each quarter, and at the
end.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys

from benchmarks.measure import Settings
from benchmarks.processes import ROOT
from benchmarks.results import Findings, Row, Table, Verdict
from benchmarks.traffic.shapes import shape
from benchmarks.worker import resident
from sansio_claude import MessageStream

__all__ = ["run"]

EVENTS = 100_000
MIB = 1024 * 1024


def _watch(events: int, *, keep: bool) -> list[int]:
    """Resident bytes at the start and after each quarter of `events` deltas in one stream."""
    frames = shape("chat").bodies[0].frames
    opening, deltas, closing = frames[:3], frames[3:-3], frames[-3:]
    warm = MessageStream(keep_content=keep)
    for frame in frames:
        warm.receive_data(frame)
        warm.events_received()
    del warm
    gc.collect()
    levels = [resident()]
    stream = MessageStream(keep_content=keep)
    for frame in opening:
        stream.receive_data(frame)
        stream.events_received()
    for number in range(1, events + 1):
        stream.receive_data(deltas[number % len(deltas)])
        stream.events_received()
        if number % (events // 4) == 0:
            levels.append(resident())
    for frame in closing:
        stream.receive_data(frame)
        stream.events_received()
    assert stream.done
    return levels


def _levels(events: int, keep: str) -> list[int]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.suites.gateway", str(events), keep],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    levels: list[int] = json.loads(done.stdout)
    return levels


def run(settings: Settings) -> Findings:
    """One stream of 100,000 deltas without its content, and for comparison with it."""
    found = Findings()
    rows = []
    for keep, words in (("drop", "keep_content=False"), ("keep", "keep_content=True")):
        levels = _levels(EVENTS, keep)
        grown = [(level - levels[0]) / MIB for level in levels[1:]]
        steps = ", ".join(f"{step:.2f}" for step in grown)
        rows.append(Row(side=words, figure=grown[-1], note=f"MiB after each quarter: {steps}"))
        if keep == "drop":
            found.verdicts += [
                Verdict(
                    goal="P14",
                    what="growth of RSS over 100,000 deltas",
                    wanted="<=",
                    limit=2.0,
                    measured=grown[-1],
                    gate=4.0,
                    unit=" MiB",
                ),
                Verdict(
                    goal="P14",
                    what="of it in the second half",
                    wanted="<=",
                    limit=0.25,
                    measured=grown[-1] - grown[1],
                    gate=1.0,
                    unit=" MiB",
                    note="flat",
                ),
            ]
    found.tables.append(Table(title="one stream of 100,000 deltas", unit="MiB grown", rows=rows))
    return found


if __name__ == "__main__":
    print(json.dumps(_watch(int(sys.argv[1]), keep=sys.argv[2] == "keep")))
