"""P3: the SSE decoder alone, body bytes in, event names and text out, against every Python SSE library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.measure import Settings, race
from benchmarks.results import Findings, Verdict, race_table
from benchmarks.rivals.peers import PRIVATE, Missing, sse_peers
from benchmarks.suites.in_process import OURS, READS
from benchmarks.traffic.answers import same
from benchmarks.traffic.composer import Arrival
from benchmarks.traffic.shapes import shape
from sansio_claude import SSEDecoder

__all__ = ["run"]

Decoder = Callable[[Sequence[bytes]], list[tuple[str, str]]]

LINE = 1_600_000
PIECE = 64


def _ours(reads: Sequence[bytes]) -> list[tuple[str, str]]:
    decoder = SSEDecoder()
    receive, events = decoder.receive_data, decoder.events_received
    out: list[tuple[str, str]] = []
    for read in reads:
        receive(read)
        for event in events():
            out.append((event.event, event.data))
    return out


def _bound(decoder: Decoder, bodies: list[list[bytes]]) -> Callable[[], list[list[tuple[str, str]]]]:
    return lambda: [decoder(reads) for reads in bodies]


def _long_line(size: int) -> Callable[[], Any]:
    whole = b"data: " + b"x" * size + b"\n\n"
    pieces = [whole[i : i + PIECE] for i in range(0, len(whole), PIECE)]
    same("SSEDecoder", len(_ours(pieces)[0][1]), size)
    return lambda: _ours(pieces)


def run(settings: Settings) -> Findings:
    """The mixed traffic in both ways of arriving, and one line of 1.6 MB in pieces of 64 bytes."""
    found = Findings()
    of = shape("mixed")
    arrivals: tuple[Arrival, ...] = ("event", "16k")
    for how in arrivals:
        bodies = of.arriving(how)
        sides: dict[str, Callable[[], list[list[tuple[str, str]]]]] = {OURS: _bound(_ours, bodies)}
        missing: dict[str, str] = {}
        for name, decoder in sse_peers().items():
            if isinstance(decoder, Missing):
                missing[name] = decoder.reason
            else:
                sides[name] = _bound(decoder, bodies)
        expected = sides[OURS]()
        for name, side in sides.items():
            same(name, side(), expected)
        timed = race(sides, settings)
        found.tables.append(
            race_table(f"SSE alone, {READS[how]}", timed, units=of.events, size=of.size, missing=missing)
        )
        peers = [name for name in sides if name not in (OURS, PRIVATE)]
        worst = min(peers, key=lambda name: timed.ratio(name, OURS), default=None)
        found.verdicts.append(
            Verdict(
                goal="P3",
                what=f"faster than every Python SSE library, {READS[how]}",
                wanted=">=",
                limit=5.0,
                measured=timed.ratio(worst, OURS) if worst else None,
                note=f"the nearest is {worst}" if worst else "no peer is installed",
            )
        )
    timed = race({"quarter": _long_line(LINE // 4), "whole": _long_line(LINE)}, settings)
    found.verdicts.append(
        Verdict(
            goal="P3",
            what="growth from a 0.4 MB line to one of 1.6 MB, in 64-byte reads (linear is 4)",
            wanted="<=",
            limit=4.4,
            measured=timed.ratio("whole", "quarter"),
            gate=5.0,
        )
    )
    return found
