"""The soak: good and faulty calls for minutes on both loops, every answer checked, memory and descriptors watched.

`python -m benchmarks soak --minutes N`. Each loop runs in a process of its own with some twenty endless callers: good
streams of several shapes, over TLS too, retried ones, callers that leave in the middle, and every fault that the
replay server knows, each of which has to end in its own exception class.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.processes import ROOT, Server, replay_server

__all__ = ["main", "summary"]

MIB = 1024 * 1024
GROWTH = 4.0
"""MiB that RSS may grow by between the first quarter and the end: an allocator's noise, not a leak's slope."""


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
    command = [sys.executable, "-m", "benchmarks.soak_client", json.dumps(settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def summary(samples: list[dict[str, Any]], last: dict[str, Any]) -> tuple[list[str], bool]:
    """What a soak's samples (`rss`, `fds`, in order) and last line say, in words, and whether all is well."""
    settled = samples[len(samples) // 4 :]
    grown = (settled[-1]["rss"] - settled[0]["rss"]) / MIB
    most = max(sample["fds"] for sample in settled)
    lines = [
        f"{last['calls']:,} calls, {last['good']:,} of them good, {last['left']:,} left early, "
        f"{last['faults']:,} faults met; {len(last['wrong'])} wrong",
        f"RSS {settled[0]['rss'] / MIB:.1f} MiB after the first quarter, {grown:+.2f} MiB by the end",
        f"descriptors {settled[0]['fds']} to {most} while running, {last['fds_before']} before and "
        f"{last['fds_after']} after",
    ]
    lines += [f"WRONG: {words}" for words in last["wrong"][:20]]
    fine = not last["wrong"] and grown <= GROWTH and last["fds_after"] <= last["fds_before"] and last["calls"] > 0
    return lines, fine


def main(minutes: float) -> int:
    """0 where every answer was right and memory and descriptors stayed flat, else 1."""
    status = 0
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(replay_server())
        running = {loop: stack.enter_context(_client(server, loop, minutes)) for loop in ("asyncio", "trio")}
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
