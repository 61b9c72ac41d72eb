"""P5 to P8, P10 and P15: whole clients over loopback, each in a process of its own, the server in another.

Paced: 100 streams at once, an event every 50 ms in each, which every client can follow; what counts is the client's CPU
from the moment all streams have begun, so that opening them, which has a benchmark of its own, is not in it. Full
rate: one answer of 10,000 events sent as fast as the client takes it, one HTTP chunk for each event.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence

from benchmarks.crowd import Crowd, Outcome, Side, crowd
from benchmarks.measure import Settings
from benchmarks.processes import Server, replay_server
from benchmarks.results import Findings, Row, Table, Verdict
from benchmarks.traffic.script import Script, answer

__all__ = ["full_rate", "keep_alive", "opening", "paced", "paced_tls"]

OURS: Side = ("asyncio", "ours")
HAND: Side = ("asyncio", "hand")
STOCK: Side = ("asyncio", "hand-stock-tls")
RAW: Side = ("asyncio", "raw")
AIOHTTP: Side = ("asyncio", "aiohttp")
SDK: Side = ("asyncio", "sdk")
SDK_TYPED: Side = ("asyncio", "sdk-typed")
SDK_AIOHTTP: Side = ("asyncio", "sdk-aiohttp")
TRIO: Side = ("trio", "ours")
TRIO_HAND: Side = ("trio", "hand")
TRIO_RAW: Side = ("trio", "raw")
TRIO_STOCK: Side = ("trio", "hand-stock-tls")
UV: Side = ("uvloop", "ours")
UV_HAND: Side = ("uvloop", "hand")

STREAMS = 100
EVERY = 50_000


def _verdict(
    out: Outcome, goal: str, what: str, side: Side, base: Side, limit: float, *, key: str, gate: float | None = None
) -> Verdict:
    """`side` over `base`, at most `limit`."""
    return Verdict(
        goal=goal,
        what=what,
        wanted="<=",
        limit=limit,
        measured=out.ratio(side, base, key),
        gate=gate,
        note=out.why(side, base),
    )


def _times(out: Outcome, goal: str, what: str, rival: Side, ours: Side, limit: float, *, key: str) -> Verdict:
    """`rival` over `ours`, at least `limit`."""
    return Verdict(
        goal=goal,
        what=what,
        wanted=">=",
        limit=limit,
        measured=out.ratio(rival, ours, key),
        note=out.why(rival, ours),
    )


def _pace(crew: Crowd, settings: Settings, *, tls: bool, sides: Sequence[Side]) -> tuple[Outcome, int]:
    events = 8 if settings.quick else 60
    deltas = STREAMS * events

    def job(group: str) -> dict[str, object]:
        script = Script("paced", "chat", group, STREAMS, events, EVERY)
        return crew.server.job(script.path, tls=tls, streams=STREAMS, stamps=True)

    return crew.compete(job, settings.rounds_across, expect={"deltas": deltas}, sides=sides), deltas


def _headroom(server: Server, crew: Crowd) -> Row:
    """How much of a core the server needs while it paces."""
    import json
    import urllib.request

    def used() -> float:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.plain}/stats") as reply:
            return float(json.load(reply)["cpu"])

    worker = next(iter(crew.workers.values()))
    script = Script("paced", "chat", f"headroom{time.monotonic_ns()}", STREAMS, 20, EVERY)
    before, start = used(), time.perf_counter()
    worker.do(server.job(script.path, streams=STREAMS, stamps=True))
    share = (used() - before) / (time.perf_counter() - start)
    return Row(side="the replay server", figure=None, note=f"used {share:.0%} of a core meanwhile")


def paced(settings: Settings) -> Findings:
    """P5 and P6."""
    found = Findings()
    on_asyncio, on_trio = [OURS, HAND], [TRIO, TRIO_HAND]
    if not settings.quick:
        on_asyncio += [RAW, AIOHTTP, SDK, SDK_TYPED, SDK_AIOHTTP, UV, UV_HAND]
        on_trio += [TRIO_RAW]
    with replay_server() as server:
        for sides, ours, hand in ((on_asyncio, OURS, HAND), (on_trio, TRIO, TRIO_HAND)):
            with crowd(server, sides) as crew:
                out, deltas = _pace(crew, settings, tls=False, sides=sides)
                title = f"{STREAMS} paced streams, plain, {ours[0]}, CPU after opening"
                table = out.table(title, "cpu_steady", per=deltas, scale=1e6, unit="us/event", ours=ours, floor=hand)
                table.rows.append(_headroom(server, crew))
                found.tables.append(table)
                if ours is OURS:
                    found.verdicts += [
                        _verdict(out, "P5", "CPU to by hand", OURS, HAND, 1.25, key="cpu_steady"),
                        _verdict(out, "P5", "CPU to aiohttp with orjson", OURS, AIOHTTP, 0.62, key="cpu_steady"),
                        _times(out, "P5", "less CPU than AsyncAnthropic.stream", SDK, OURS, 4.5, key="cpu_steady"),
                        _verdict(out, "P5", "p50 latency to by hand", OURS, HAND, 1.3, key="p50"),
                        _verdict(out, "P5", "p99 latency to by hand", OURS, HAND, 1.3, key="p99"),
                        _verdict(out, "P5u", "CPU to by hand on uvloop", UV, UV_HAND, 1.15, key="cpu_steady"),
                    ]
                else:
                    found.verdicts += [
                        _verdict(out, "P6", "CPU to by hand on trio", TRIO, TRIO_HAND, 1.2, key="cpu_steady"),
                        _verdict(out, "P6", "CPU to raw trio", TRIO, TRIO_RAW, 1.65, key="cpu_steady"),
                    ]
    return found


def paced_tls(settings: Settings) -> Findings:
    """P8."""
    found = Findings()
    with replay_server() as server:
        if server.tls is None:
            found.verdicts.append(
                Verdict(
                    goal="P8",
                    what="CPU to by hand over TLS",
                    wanted="<=",
                    limit=1.25,
                    measured=None,
                    note="no certificate: trustme is not installed",
                )
            )
            return found
        for loop, ours, hand, stock, rivals in (
            ("asyncio", OURS, HAND, STOCK, [STOCK, AIOHTTP, SDK]),
            ("trio", TRIO, TRIO_HAND, TRIO_STOCK, [TRIO_STOCK]),
        )[: 1 if settings.quick else 2]:
            sides = [ours, hand] if settings.quick else [ours, hand, *rivals]
            with crowd(server, sides) as crew:
                out, deltas = _pace(crew, settings, tls=True, sides=sides)
            title = f"{STREAMS} paced streams, TLS, {loop}, CPU after opening"
            found.tables.append(
                out.table(title, "cpu_steady", per=deltas, scale=1e6, unit="us/event", ours=ours, floor=hand)
            )
            found.verdicts += [
                _verdict(out, "P8", f"CPU to by hand with MemoryBIO, {loop}", ours, hand, 1.25, key="cpu_steady"),
                _verdict(out, "P8", f"CPU to {loop}'s stock TLS by hand", ours, stock, 1.0, key="cpu_steady"),
            ]
    return found


def _text_hash(name: str) -> list[str]:
    text = answer(name).message["content"][0]["text"]
    return [hashlib.sha256(text.encode()).hexdigest()]


def full_rate(settings: Settings) -> Findings:
    """P7."""
    found = Findings()
    shape = "chat" if settings.quick else "long_chat"
    events = len(answer(shape).frames)
    times = 3 if settings.quick else 1
    sides = [OURS, HAND, AIOHTTP, SDK]
    if not settings.quick:
        sides += [RAW, TRIO, TRIO_HAND, SDK_TYPED, SDK_AIOHTTP, UV, UV_HAND]
    with replay_server() as server, crowd(server, sides) as crew:
        ways = (("whole", "all at once"), ("each", "one write for each event"))
        for mode, words in ways[:1] if settings.quick else ways:
            script = Script(mode, shape)

            def job(group: str, script: Script = script) -> dict[str, object]:
                return server.job(script.path, repeat=times, warm=Script("whole", "short").path)

            expect = {"deltas": times * (events - 6)}
            out = crew.compete(job, settings.rounds_across, expect=expect)
            found.tables.append(
                out.table(
                    f"one stream at full rate, {events} events, sent {words}",
                    "cpu",
                    per=times * events,
                    scale=1e9,
                    unit="ns/event",
                    ours=OURS,
                    floor=HAND,
                )
            )
            if mode == "whole":
                found.verdicts += [
                    _verdict(out, "P7", "CPU to by hand", OURS, HAND, 1.5, key="cpu"),
                    _verdict(out, "P7", "CPU to aiohttp with orjson", OURS, AIOHTTP, 1.0, key="cpu"),
                    _times(out, "P7", "less CPU than AsyncAnthropic.stream", SDK, OURS, 15.0, key="cpu"),
                ]
    return found


def keep_alive(settings: Settings) -> Findings:
    """P15, judged on an answer of the median size; a tiny one shows the cost of the request alone."""
    found = Findings()
    count = 40 if settings.quick else 150
    sides = [OURS, HAND, AIOHTTP, SDK, TRIO, TRIO_HAND]
    with replay_server() as server, crowd(server, sides) as crew:
        for shape in ("short",) if settings.quick else ("short", "tiny"):
            script = Script("whole", shape)
            frames = answer(shape).frames

            def job(group: str, script: Script = script) -> dict[str, object]:
                return server.job(script.path, repeat=count, warm=script.path)

            expect = {"deltas": count * sum(b'"text_delta"' in frame for frame in frames)}
            out = crew.compete(job, settings.rounds_across, expect=expect)
            title = f"a keep-alive request, {len(frames)} events"
            found.tables.append(out.table(title, "cpu", per=count, scale=1e6, unit="us/request", ours=OURS, floor=HAND))
            if shape == "short":
                found.verdicts += [
                    _verdict(out, "P15", "CPU to by hand, asyncio", OURS, HAND, 1.3, key="cpu"),
                    _verdict(out, "P15", "CPU to by hand, trio", TRIO, TRIO_HAND, 1.3, key="cpu"),
                    _times(out, "P15", "less CPU than AsyncAnthropic.stream", SDK, OURS, 8.0, key="cpu"),
                ]
    return found


def opening(settings: Settings) -> Findings:
    """P10."""
    found = Findings()
    sides = [OURS, HAND, TRIO] if settings.quick else [OURS, HAND, SDK, TRIO]
    with replay_server() as server, crowd(server, sides) as crew:
        costs: dict[int, Outcome] = {}
        for streams in (100, 400) if settings.quick else (1000, 5000):
            chosen = [OURS, HAND, TRIO] if streams == 5000 else sides

            def job(group: str, streams: int = streams) -> dict[str, object]:
                script = Script("held", "tiny", group, streams)
                return server.job(script.path, streams=streams, release=group)

            out = crew.compete(job, settings.rounds_across, expect={}, sides=chosen)
            costs[streams] = out
            found.tables.append(
                out.table(
                    f"{streams:,} streams opened at once",
                    "cpu_open",
                    per=streams,
                    scale=1e6,
                    unit="us/stream",
                    ours=OURS,
                    floor=HAND,
                )
            )
            if streams == 1000:
                found.verdicts.append(
                    _times(out, "P10", "less CPU to open 1,000 than the SDK", SDK, OURS, 4.0, key="cpu_open")
                )
        few, many = sorted(costs)
        for side in (OURS, TRIO):
            a, b = costs[few].median(side, "cpu_open"), costs[many].median(side, "cpu_open")
            found.verdicts.append(
                Verdict(
                    goal="P10",
                    what=f"a request among {many:,} to one among {few:,} (O(1) is 1), {side[0]}",
                    wanted="<=",
                    limit=1.5,
                    measured=b / many / (a / few) if a and b else None,
                    note=costs[many].why(side) or "no call failed",
                )
            )
        if not settings.quick:
            found.tables.append(_sdk_at_5000(crew, server))
    return found


def _sdk_at_5000(crew: Crowd, server: Server) -> Table:
    """The SDK with 5,000 at once, one round: what it does rather than how fast."""
    title = "5,000 streams opened at once, the SDK"
    if SDK not in crew.workers:
        return Table(title=title, unit="us/stream", rows=[Row(side="AsyncAnthropic.stream", note=crew.missing[SDK])])
    script = Script("held", "tiny", f"sdk{time.monotonic_ns()}", 5000)
    report = crew.workers[SDK].do(server.job(script.path, streams=5000, release=script.group))
    failed = len(report["errors"])
    note = f"one round, {failed} calls failed" + (f", such as {report['errors'][0]}" if failed else "")
    row = Row(side="AsyncAnthropic.stream", figure=report["cpu_open"] / 5000 * 1e6, note=note)
    return Table(title=title, unit="us/stream", rows=[row])
