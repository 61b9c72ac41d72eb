"""P11: four times the deltas cost four times as much, whatever they are and however often the value is asked for."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable
from random import Random
from typing import Any

from benchmarks.measure import Settings, race
from benchmarks.results import Findings, Row, Table, Verdict, race_table
from benchmarks.rivals.peers import Missing, sdk_accumulated
from benchmarks.suites.in_process import OURS
from benchmarks.traffic.answers import digest_of_message, same
from benchmarks.traffic.composer import Body, Composer
from benchmarks.traffic.words import long_document, prose, record_rows
from sansio_claude import InputJSONDelta, MessageStream, TextDelta

__all__ = ["KINDS", "body_of", "run"]

FULL_SIZES, QUICK_SIZES = (10_000, 40_000), (4_000, 16_000)
KINDS = ("text", "long string", "rows")
SDK_ROWS_QUICK = 2_000


@functools.cache
def body_of(kind: str, deltas: int) -> Body:
    """One answer of that many deltas of 7 to 10 characters."""
    made = Composer(f"linearity {kind}")
    if kind == "text":
        made.text(prose(made.random, deltas, 10))
        return made.finish()
    random = Random(f"linearity {kind}")
    size = deltas * 7
    argument = (
        record_rows(random, size)
        if kind == "rows"
        else json.dumps({"path": "a.py", "content": long_document(random, size)})
    )
    step = len(argument) / (deltas - 1)
    cuts = [round(step * i) for i in range(deltas)]
    made.tool("write_file", [argument[a:b] for a, b in itertools.pairwise(cuts)])
    return made.finish("tool_use")


def _final(body: Body) -> Callable[[], Any]:
    """One event a read, the message at the end."""
    frames = body.frames

    def run() -> Any:
        stream = MessageStream()
        receive, events = stream.receive_data, stream.events_received
        for frame in frames:
            receive(frame)
            for _ in events():
                pass
        message = stream.message
        assert message is not None
        block: Any = message.content[0]
        _ = block.text if block.type == "text" else block.input
        return message

    return run


def _values(body: Body) -> Callable[[], Any]:
    """The same, with the text or the partial input asked for after every delta, looked at, and let go.

    A caller who holds on to each text makes CPython copy the next one, which no library can help.
    """
    frames = body.frames

    def run() -> Any:
        stream = MessageStream()
        receive, events = stream.receive_data, stream.events_received
        for frame in frames:
            receive(frame)
            for event in events():
                kind = type(event)
                if kind is TextDelta:
                    message: Any = stream.message
                    len(message.content[0].text)
                elif kind is InputJSONDelta:
                    message = stream.message
                    len(message.content[0].partial_input or ())
        return stream.message

    return run


def run(settings: Settings) -> Findings:
    """Text, one long tool string and many rows; final value only, and the value after every delta."""
    found = Findings()
    few, many = QUICK_SIZES if settings.quick else FULL_SIZES
    short, long = f"{few:,}", f"{many:,}"
    for kind in KINDS:
        bodies = body_of(kind, few), body_of(kind, many)
        for words, make, limit in (("final only", _final, 4.4), ("value after every delta", _values, 5.0)):
            sides = {short: make(bodies[0]), long: make(bodies[1])}
            for body, side in zip(bodies, sides.values(), strict=True):
                same(words, side().to_dict(), body.message)
            timed = race(sides, settings, rounds=9)
            rows = [
                Row(side=f"{size} deltas", figure=timed.ns(size) / count, to_ours=timed.ratio(size, short))
                for size, count in ((short, few), (long, many))
            ]
            found.tables.append(Table(title=f"growth, {kind}, {words}", unit="ns/delta", rows=rows))
            found.verdicts.append(
                Verdict(
                    goal="P11",
                    what=f"growth from {short} to {long} deltas (linear is 4), {kind}, {words}",
                    wanted="<=",
                    limit=limit,
                    measured=timed.ratio(long, short),
                    gate=5.0 if words == "final only" else 6.0,
                )
            )
    _against_sdk(settings, found)
    return found


def _against_sdk(settings: Settings, found: Findings) -> None:
    """The rows against the official SDK, whose one pass over 40,000 of them takes minutes: a single round."""
    deltas = SDK_ROWS_QUICK if settings.quick else FULL_SIZES[1]
    body = body_of("rows", deltas)
    rival = sdk_accumulated(body.frames)
    name = "anthropic MessageStream"
    sides: dict[str, Callable[[], Any]] = {OURS: _final(body), f"{OURS}, value after every delta": _values(body)}
    note = f"{deltas:,} deltas"
    if isinstance(rival, Missing):
        note = rival.reason
    elif settings.quick:
        note += "; the ratio grows with their number and is judged at 40,000"
        same(name, digest_of_message(rival()), digest_of_message(body.message))
        sides[name] = rival
    else:
        note += "; the SDK's side was run once"
    timed = race(sides, settings, rounds=5)
    table = race_table(f"rows against the SDK, {deltas:,} deltas", timed, units=deltas)
    measured = timed.ratio(name, OURS) if name in timed else None
    if not isinstance(rival, Missing) and not settings.quick:
        once = _once(rival, body)
        measured = once / timed.ns(OURS)
        row = Row(side=name, figure=once / deltas, to_ours=measured, note="one round")
        table = Table(title=table.title, unit=table.unit, rows=[*table.rows, row])
    found.tables.append(table)
    found.verdicts.append(
        Verdict(
            goal="P11",
            what="rows: faster than anthropic MessageStream",
            wanted=">=",
            limit=500.0,
            measured=None if settings.quick else measured,
            note=note if measured is None or not settings.quick else f"{note}: {measured:.0f}x here",
        )
    )


def _once(rival: Callable[[], Any], body: Body) -> float:
    import time

    start = time.process_time_ns()
    message = rival()
    taken = time.process_time_ns() - start
    same("anthropic MessageStream", digest_of_message(message), digest_of_message(body.message))
    return taken
