"""Scale: 10,000 open idle streams in one process, 1,000 threads on the blocking client, and what a gateway would need.

Run as `python -m benchmarks.suites.scale [STREAMS]`. It judges no goal: these are figures for planning.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from benchmarks.crowd import Side, name_of
from benchmarks.processes import Server, replay_server, worker
from benchmarks.traffic.answers import same
from benchmarks.traffic.script import Script

__all__ = ["main"]

KIB = 1024
AGENT_RATE = 20.0
"""Events per second of one live agent, for the estimate: an answer that is being written, 20 deltas a second."""


def _opened(server: Server, side: Side, streams: int) -> dict[str, Any]:
    """The report of `streams` streams that were open and idle at the same time, in a process that is warm."""
    with worker(*side) as client:
        client.do(server.job(Script("held", "tiny", "warm", 20).path, streams=20, release="warm"))
        group = f"held{time.monotonic_ns()}"
        report = client.do(server.job(Script("held", "tiny", group, streams).path, streams=streams, release=group))
    same(name_of(side), report["errors"], [])
    return report


def _paced(server: Server, side: Side, streams: int, events: int) -> float:
    """CPU seconds for one event of `streams` streams, with an event every 50 ms in each."""
    with worker(*side) as client:
        for group in ("first", "second"):
            path = Script("paced", "chat", f"{group}{time.monotonic_ns()}", streams, events, 50_000).path
            report = client.do(server.job(path, streams=streams, stamps=True))
    same(name_of(side), report["errors"], [])
    return float(report["cpu_steady"]) / (streams * events)


def _line(server: Server, side: Side, streams: int) -> dict[str, float]:
    few, many = _opened(server, side, streams // 2), _opened(server, side, streams)
    one_more = (many["grown"] - few["grown"]) / (streams - streams // 2) / KIB
    cpu_more = (many["cpu_open"] - few["cpu_open"]) / (streams - streams // 2) * 1e6
    line = {"streams": streams, "KiB each": many["grown"] / streams / KIB, "KiB for one more": one_more}
    line |= {"us CPU to open one": many["cpu_open"] / streams * 1e6, "us CPU for one more": cpu_more}
    print(f"{name_of(side)}: " + ", ".join(f"{key} {value:,.1f}" for key, value in line.items()), flush=True)
    return line


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suites.scale", description=__doc__)
    parser.add_argument("streams", nargs="?", type=int, default=10_000, help="streams on each loop (default 10,000)")
    parser.add_argument("--threads", type=int, default=1_000, help="threads of the blocking client (default 1,000)")
    arguments = parser.parse_args()
    found: dict[str, Any] = {}
    with replay_server() as server:
        for side, count in (
            (("asyncio", "ours"), arguments.streams),
            (("trio", "ours"), arguments.streams),
            (("blocking", "ours"), arguments.threads),
        ):
            found[name_of(side)] = _line(server, side, count)
        for side in (("asyncio", "ours"), ("asyncio", "proxy-watched"), ("asyncio", "proxy")):
            cpu = found[f"{name_of(side)}, CPU seconds an event"] = _paced(server, side, 100, 20)
            cores = 1_000 * AGENT_RATE * cpu
            print(
                f"{name_of(side)}: {cpu * 1e6:.1f} us CPU an event; 1,000 live agents at {AGENT_RATE:.0f} events"
                f" a second need {cores:.2f} cores",
                flush=True,
            )
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
