"""P9: what an open stream that has nothing to say holds in memory, of 1,000 in one process."""

from __future__ import annotations

import statistics

from benchmarks.crowd import Side, name_of
from benchmarks.measure import Settings
from benchmarks.processes import MissingClient, Server, replay_server, worker
from benchmarks.results import Findings, Row, Table, Verdict
from benchmarks.traffic.answers import same
from benchmarks.traffic.script import Script

__all__ = ["run"]

KIB = 1024
GOALS: dict[tuple[str, bool], float] = {
    ("asyncio", False): 14,
    ("asyncio", True): 52,
    ("trio", False): 18,
    ("trio", True): 58,
}


def _held(server: Server, side: Side, streams: int, *, tls: bool) -> float:
    """KiB for each stream, in a fresh process that has made and ended a few streams before."""
    with worker(*side) as client:
        warm = Script("held", "tiny", "warm", 20)
        client.do(server.job(warm.path, tls=tls, streams=20, release="warm"))
        script = Script("held", "tiny", "idle", streams)
        report = client.do(server.job(script.path, tls=tls, streams=streams, release="idle"))
    same(name_of(side), report["errors"], [])
    return float(report["grown"]) / streams / KIB


def run(settings: Settings) -> Findings:
    """This library, by hand and the SDK, plain and TLS; the median of several processes."""
    found = Findings()
    streams = 300 if settings.quick else 1000
    rounds = 1 if settings.quick else 3
    rivals: list[Side] = []
    if not settings.quick:
        rivals += [("asyncio", "hand"), ("trio", "hand"), ("asyncio", "hand-stock-tls")]
        rivals += [("asyncio", "aiohttp"), ("asyncio", "sdk")]
    ours: list[Side] = [("asyncio", "ours"), ("trio", "ours")]
    with replay_server() as server:
        for tls in (False, True):
            rows = []
            for side in ours + rivals:
                loop, client = side
                note = ""
                held: float | None = None
                if tls and server.tls is None:
                    note = "no certificate: trustme is not installed"
                else:
                    try:
                        held = statistics.median(_held(server, side, streams, tls=tls) for _ in range(rounds))
                    except MissingClient as error:
                        note = str(error)
                rows.append(Row(side=name_of(side), figure=held, note=note))
                if client == "ours":
                    found.verdicts.append(
                        Verdict(
                            goal="P9",
                            what=f"idle open stream, {loop}, {'TLS' if tls else 'plain'}",
                            wanted="<=",
                            limit=GOALS[loop, tls],
                            measured=held,
                            unit=" KiB",
                            note=note or f"of {streams:,}",
                        )
                    )
            title = f"memory of an idle open stream, {'TLS' if tls else 'plain'}, of {streams:,}"
            found.tables.append(Table(title=title, unit="KiB/stream", rows=rows))
    return found
