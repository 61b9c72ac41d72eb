"""The list of all benchmarks: what each is called, which goals it judges, and how it is run.

A benchmark's module is imported when it runs and not before, so that one that cannot be imported is a row that says
so and takes none of the others with it.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import attrs

from benchmarks.measure import Settings
from benchmarks.results import Findings

__all__ = ["BENCHMARKS", "Benchmark", "select"]


@attrs.define(frozen=True)
class Benchmark:
    """One entry of the suite."""

    name: str
    goals: tuple[str, ...]
    what: str
    module: str
    function: str = "run"

    def run(self, settings: Settings) -> Findings:
        found: Findings = getattr(importlib.import_module(f"benchmarks.suites.{self.module}"), self.function)(settings)
        return found


BENCHMARKS: tuple[Benchmark, ...] = (
    Benchmark(
        "in_process", ("P1", "P2"), "bytes to events to message, every shape, both ways of arriving", "in_process"
    ),
    Benchmark("sse", ("P3",), "the SSE decoder alone against every library", "sse"),
    Benchmark("http_body", ("P4",), "chunked body bytes to body bytes against h11", "http_body"),
    Benchmark("partial", ("P12",), "partial tool input, the value after every fragment", "partial"),
    Benchmark("requests", ("P16",), "building and writing a request of 200 turns and 1 MB", "requests"),
    Benchmark("linearity", ("P11",), "growth from 10,000 to 40,000 deltas", "linearity"),
    Benchmark("imports", ("P13",), "CPU time of the imports", "imports"),
    Benchmark("gateway", ("P14",), "memory over 100,000 deltas with keep_content=False", "gateway"),
    Benchmark(
        "paced", ("P5", "P5u", "P6"), "100 paced streams, plain, asyncio, uvloop and trio", "end_to_end", "paced"
    ),
    Benchmark("tls", ("P8",), "100 paced streams over TLS", "end_to_end", "paced_tls"),
    Benchmark("full_rate", ("P7",), "one stream as fast as it goes", "end_to_end", "full_rate"),
    Benchmark("opening", ("P10",), "1,000 and 5,000 streams opened at once", "end_to_end", "opening"),
    Benchmark("keep_alive", ("P15",), "one request after another on one connection", "end_to_end", "keep_alive"),
    Benchmark("proxy", ("P17",), "a pass-through proxy of 100 paced streams, watched and blind", "proxy"),
    Benchmark("blocking", ("P18",), "the blocking client: full rate, and a kept request", "blocking"),
    Benchmark("growth", ("P19",), "growth of unbounded operations, counted and not timed", "growth"),
    Benchmark("repair", ("P20",), "repairing a stream against reading it", "repair"),
    Benchmark("memory", ("P9",), "memory of idle open streams", "memory"),
)


def select(names: Sequence[str]) -> list[Benchmark]:
    """The benchmarks of these names or goals, all of them for none. ValueError names what is unknown."""
    if not names:
        return list(BENCHMARKS)
    chosen = [b for b in BENCHMARKS if b.name in names or set(names) & set(b.goals)]
    known = {word for b in BENCHMARKS for word in (b.name, *b.goals)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no benchmark or goal is called {', '.join(unknown)}; --list shows them")
    return chosen
