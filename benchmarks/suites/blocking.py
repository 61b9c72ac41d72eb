"""P18: the blocking client against blocking sockets by hand, the SDK's blocking client, requests and httpx."""

from __future__ import annotations

from typing import Literal

from benchmarks.crowd import Outcome, Side, crowd
from benchmarks.measure import Settings
from benchmarks.processes import replay_server
from benchmarks.results import Findings, Verdict
from benchmarks.traffic.answers import same
from benchmarks.traffic.script import Script, answer

__all__ = ["run"]

OURS: Side = ("blocking", "ours")
HAND: Side = ("blocking", "hand")
SDK: Side = ("blocking", "sdk")
REQUESTS: Side = ("blocking", "requests")
HTTPX: Side = ("blocking", "httpx")


def _verdict(
    out: Outcome, what: str, over: tuple[Side, Side], wanted: Literal["<=", ">="], limit: float, gate: float | None
) -> Verdict:
    measured = out.ratio(*over, "cpu")
    return Verdict(goal="P18", what=what, wanted=wanted, limit=limit, measured=measured, gate=gate, note=out.why(*over))


def run(settings: Settings) -> Findings:
    """A long answer at full rate, one HTTP chunk for each event, and a kept request of the median size."""
    found = Findings()
    sides = [OURS, HAND] if settings.quick else [OURS, HAND, SDK, REQUESTS, HTTPX]
    count = 40 if settings.quick else 150
    long = "chat" if settings.quick else "long_chat"
    with replay_server() as server, crowd(server, sides) as crew:
        for shape, repeat, less in ((long, 1, 15.0), ("short", count, 8.0)):
            script = Script("whole", shape)
            frames = answer(shape).frames

            def job(group: str, script: Script = script, repeat: int = repeat) -> dict[str, object]:
                return server.job(script.path, repeat=repeat, warm=Script("whole", "short").path)

            deltas = repeat * sum(b'"text_delta"' in frame for frame in frames)
            out = crew.compete(job, settings.rounds_across, expect={"deltas": deltas})
            kept = shape == "short"
            words = "a kept request" if kept else "one stream at full rate"
            same(f"{words}, the text", len(set(map(tuple, _texts(out)))), 1)
            per, scale, unit = (repeat, 1e6, "us/request") if kept else (len(frames), 1e9, "ns/event")
            title = f"blocking: {words}, {len(frames)} events"
            found.tables.append(out.table(title, "cpu", per=per, scale=scale, unit=unit, ours=OURS, floor=HAND))
            found.verdicts += [
                _verdict(out, f"{words}, CPU to by hand", (OURS, HAND), "<=", 1.3, 3.0),
                _verdict(out, f"{words}, less CPU than the SDK's blocking client", (SDK, OURS), ">=", less, 2.0),
            ]
    return found


def _texts(out: Outcome) -> list[list[str]]:
    return [report["texts"] for reports in out.reports.values() for report in reports]
