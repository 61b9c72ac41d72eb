"""The soak: good and faulty calls for minutes on every loop, every answer checked, memory and descriptors watched.

`python -m benchmarks soak --minutes N`. asyncio, uvloop where it is installed, trio and the blocking client with a
thread for each caller run in processes of their own, each with some twenty endless callers: good
streams of several shapes, over TLS too, retried ones, callers that leave in the middle, and every fault that the
replay server knows, each of which has to end in its own exception class.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from benchmarks.processes import ROOT, Server, replay_server

__all__ = ["main", "summary"]

MIB = 1024 * 1024
WARM_UP = 30
"""Samples, one a second, in which imports, caches and the allocator's pools fill up. They say nothing of a leak."""
ENOUGH = 60
"""Samples past the warm-up that growth is judged by; with fewer, noise and slope look alike."""
GROWTH = 4.0
"""MiB that RSS may grow by from the first fifth of what is judged to its last: an allocator's noise, no leak."""


@contextlib.contextmanager
def _client(server: Server, loop: str, minutes: float) -> Iterator[subprocess.Popen[str]]:
    """A client process that soaks for so long; stopped with the block if it is still running."""
    settings = {
        "plain": server.plain,
        "tls": server.tls,
        "authority": server.authority,
        "seconds": minutes * 60,
        "loop": loop,
    }
    command = [sys.executable, "-m", "benchmarks.suites.soak_client", json.dumps(settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def summary(samples: list[dict[str, Any]], last: dict[str, Any]) -> tuple[list[str], bool]:
    """What a soak's samples (`rss`, `fds`, in order) and last line say, in words, and whether all is well.

    Answers and descriptors are judged always, growth only where the run was long enough to tell.
    """
    memory, flat = _growth([sample["rss"] / MIB for sample in samples])
    descriptors = [sample["fds"] for sample in samples]
    lines = [
        f"{last['calls']:,} calls, {last['good']:,} of them good, {last['left']:,} left early, "
        f"{last['faults']:,} faults met; {len(last['wrong'])} wrong",
        memory,
        f"descriptors {min(descriptors)} to {max(descriptors)} while running, {last['fds_before']} before and "
        f"{last['fds_after']} after",
    ]
    lines += [f"WRONG: {words}" for words in last["wrong"][:20]]
    fine = not last["wrong"] and flat and last["fds_after"] <= last["fds_before"] and last["calls"] > 0
    return lines, fine


def _growth(levels: list[float]) -> tuple[str, bool]:
    """What the levels of RSS (MiB) say, and whether they speak against a leak, or not at all.

    Medians of the first and the last fifth are compared: a single sample may fall on any moment of a call.
    """
    settled = levels[max(WARM_UP, len(levels) // 4) :]
    if len(settled) < ENOUGH:
        return (
            f"RSS {levels[-1]:.1f} MiB at the end; its growth is not judged: that takes {WARM_UP} seconds of warm-up "
            f"and {ENOUGH} more, and this run had {len(levels)}",
            True,
        )
    part = len(settled) // 5
    first, end = statistics.median(settled[:part]), statistics.median(settled[-part:])
    grown = end - first
    words = f"RSS {first:.1f} MiB past the warm-up, {grown:+.2f} MiB by the end (at most {GROWTH:+.0f} is well)"
    return words, grown <= GROWTH


def _loops() -> tuple[str, ...]:
    return "asyncio", *(["uvloop"] if find_spec("uvloop") else []), "trio", "sync"


def main(minutes: float, loops: Sequence[str] | None = None) -> int:
    """0 where every answer was right and memory and descriptors stayed flat, else 1."""
    status = 0
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(replay_server())
        running = {loop: stack.enter_context(_client(server, loop, minutes)) for loop in loops or _loops()}
        start = time.monotonic()
        for loop, process in running.items():
            out, _ = process.communicate()
            lines = [json.loads(line) for line in out.splitlines()]
            print(f"soak on {loop}, {(time.monotonic() - start) / 60:.1f} minutes")
            if process.returncode or len(lines) < 2 or "calls" not in lines[-1]:
                print("  the client process failed")
                status = 1
                continue
            words, fine = summary(lines[:-1], lines[-1])
            print("\n".join(f"  {line}" for line in words))
            print(f"  {'all well' if fine else 'NOT WELL'}")
            status = status if fine else 1
    return status
