"""P17: what watching costs a pass-through proxy: the same proxy with and without a StreamMonitor, 100 paced streams."""

from __future__ import annotations

from benchmarks.crowd import Side, crowd
from benchmarks.measure import Settings
from benchmarks.processes import replay_server
from benchmarks.results import Findings, Verdict
from benchmarks.traffic.script import Script

__all__ = ["run"]

BLIND: Side = ("asyncio", "proxy")
WATCHED: Side = ("asyncio", "proxy-watched")
STREAMS = 100
EVERY = 50_000


def run(settings: Settings) -> Findings:
    """CPU time of the proxy from the moment all streams have begun; each monitor has to see a whole stream."""
    found = Findings()
    events = 8 if settings.quick else 60
    with replay_server() as server, crowd(server, [BLIND, WATCHED]) as crew:

        def job(group: str) -> dict[str, object]:
            return server.job(Script("paced", "chat", group, STREAMS, events, EVERY).path, streams=STREAMS)

        out = crew.compete(job, settings.rounds_across, expect={})
    title = f"a proxy of {STREAMS} paced streams, CPU after opening"
    table = out.table(title, "cpu_steady", per=STREAMS * events, scale=1e6, unit="us/event", ours=WATCHED, floor=BLIND)
    found.tables.append(table)
    found.verdicts.append(
        Verdict(
            goal="P17",
            what="CPU of a watched proxy to a blind one",
            wanted="<=",
            limit=1.15,
            measured=out.ratio(WATCHED, BLIND, "cpu_steady"),
            gate=2.0,
            note=out.why(WATCHED, BLIND),
        )
    )
    return found
