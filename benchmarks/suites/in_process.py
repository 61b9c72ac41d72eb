"""P1 and P2: body bytes to typed events to an accumulated message, without a network.

The floor decodes payloads that are already split; the official SDK runs behind a mock transport that hands over the
same reads. "one event a read" is what really happens; "16 KiB reads" is a fast server or a slow client.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from benchmarks.measure import Race, Settings, race
from benchmarks.results import Findings, Verdict, race_table
from benchmarks.rivals.floors import HandStream, decode_ordinary, decode_typed
from benchmarks.rivals.peers import Missing, sdk_accumulated, sdk_typed
from benchmarks.traffic.answers import digest_of_events, digest_of_message, same
from benchmarks.traffic.composer import Arrival
from benchmarks.traffic.shapes import SHAPES, Shape, shape
from sansio_claude import MessageStream

__all__ = ["OURS", "run", "sides_of"]

OURS = "sansio_claude"
FLOOR = "msgspec typed decode, payloads already split"
STRICT_FLOOR = "the same, structs with gc=False"
HAND = "by hand (bytes.split, msgspec, no checks)"
TYPED = "anthropic create(stream=True), typed"
ACCUMULATED = "anthropic MessageStream, accumulated"

JUDGED = {
    "mixed": "95 of 100 events are deltas",
    "chat": "one long text",
    "short": "an answer of 41 events, 8 of 10 of them deltas, as the median recording is",
}
"""The shapes that P1 and P2 are judged on."""

READS: dict[Arrival, str] = {"event": "one event a read", "16k": "16 KiB reads", "byte": "one byte a read"}


def _bodies(decode: Callable[[bytes], Any], payloads: list[tuple[bytes, ...]]) -> Callable[[], int]:
    def run() -> int:
        count = 0
        for body in payloads:
            for payload in body:
                decode(payload)
            count += len(body)
        return count

    return run


def _by_hand(reads: list[list[bytes]]) -> Callable[[], list[dict[str, Any]]]:
    def run() -> list[dict[str, Any]]:
        messages = []
        for body in reads:
            stream = HandStream()
            receive = stream.receive
            for read in body:
                for _ in receive(read):
                    pass
            messages.append(stream.accumulated.message)
        return messages

    return run


def _ours(reads: list[list[bytes]]) -> Callable[[], list[Any]]:
    def run() -> list[Any]:
        messages = []
        for body in reads:
            stream = MessageStream()
            receive, events = stream.receive_data, stream.events_received
            for read in body:
                receive(read)
                for _ in events():
                    pass
            stream.receive_eof()
            message = stream.message
            assert message is not None
            messages.append(message)
            _ask(message)
        return messages

    return run


def _ask(message: Any) -> None:
    """Reads what a user reads of a finished message, so that nothing is put off beyond the clock."""
    for block in message.content:
        match block.type:
            case "text":
                block.text  # noqa: B018
            case "thinking":
                block.thinking  # noqa: B018
            case "tool_use" | "server_tool_use":
                block.input  # noqa: B018


def _all(calls: list[Callable[[], Any] | Missing]) -> Callable[[], list[Any]] | Missing:
    """One callable that makes every call, or the reason why one is missing."""
    made: list[Callable[[], Any]] = []
    for call in calls:
        if isinstance(call, Missing):
            return call
        made.append(call)
    return lambda: [call() for call in made]


def _check(sides: dict[str, Callable[[], Any]], of: Shape) -> None:
    expected = [body.message for body in of.bodies]
    digests = [digest_of_message(message) for message in expected]
    for floor in (FLOOR, STRICT_FLOOR):
        same(floor, sides[floor](), of.events)
    same(OURS, [message.to_dict() for message in sides[OURS]()], expected)
    if HAND in sides:
        same(HAND, sides[HAND](), expected)
    if ACCUMULATED in sides:
        same(ACCUMULATED, [digest_of_message(message) for message in sides[ACCUMULATED]()], digests)
    if TYPED in sides:
        found = [digest_of_events(events) for events in sides[TYPED]()]
        same(TYPED, found, [_delta_texts(body.payloads) for body in of.bodies])


def _delta_texts(payloads: tuple[bytes, ...]) -> dict[int, str]:
    texts: dict[int, str] = {}
    for payload in payloads:
        value = json.loads(payload)
        if value["type"] == "content_block_delta":
            delta = value["delta"]
            piece = delta.get("text") or delta.get("thinking") or delta.get("partial_json") or ""
            texts[value["index"]] = texts.get(value["index"], "") + piece
    return texts


def sides_of(of: Shape, how: Arrival, *, peers: bool) -> tuple[dict[str, Callable[[], Any]], dict[str, str]]:
    """Every side for one shape and way of arriving, its answers compared; and the sides that are missing, and why."""
    reads = of.arriving(how)
    payloads = [body.payloads for body in of.bodies]
    sides: dict[str, Callable[[], Any]] = {
        FLOOR: _bodies(decode_ordinary, payloads),
        STRICT_FLOOR: _bodies(decode_typed, payloads),
        OURS: _ours(reads),
    }
    missing: dict[str, str] = {}
    if b"\r" in of.bodies[0].frames[0]:
        missing[HAND] = "knows LF only"
    else:
        sides[HAND] = _by_hand(reads)
    if peers:
        for name, make in ((TYPED, sdk_typed), (ACCUMULATED, sdk_accumulated)):
            call = _all([make(body) for body in reads])
            if isinstance(call, Missing):
                missing[name] = call.reason
            else:
                sides[name] = call
    _check(sides, of)
    return sides, missing


def run(settings: Settings) -> Findings:
    """All shapes against the floors; the peers too, in a quick run on the mixed traffic only."""
    found = Findings()
    names = ("mixed", "chat", "short", "respelled") if settings.quick else SHAPES
    for name in names:
        of = shape(name)
        for how in of.arrivals:
            peers = name == "mixed" or not settings.quick
            sides, missing = sides_of(of, how, peers=peers)
            timed = race(sides, settings)
            title = f"{name}: {of.what}; {READS[how]}; {of.events} events, {of.size / of.events:.0f} bytes each"
            found.tables.append(race_table(title, timed, units=of.events, size=of.size, floor=FLOOR, missing=missing))
            if name in JUDGED:
                found.verdicts += _verdicts(name, how, timed, missing)
    return found


def _verdicts(name: str, how: Arrival, timed: Race, missing: dict[str, str]) -> list[Verdict]:
    goal, floor, typed = ("P1", 3.2, 18.0) if how == "event" else ("P2", 2.7, 20.0)
    verdicts = [
        Verdict(
            goal=goal,
            what=f"to msgspec's typed decode, {name}",
            wanted="<=",
            limit=floor,
            measured=timed.ratio(OURS, FLOOR),
            gate=2 * floor if name == "chat" else None,
            note=f"{JUDGED[name]}; {timed.ratio(OURS, STRICT_FLOOR):.2f}x to structs with gc=False",
        )
    ]
    for rival, limit in ((ACCUMULATED, 60.0), (TYPED, typed)):
        if name == "mixed":
            verdicts.append(
                Verdict(
                    goal=goal,
                    what=f"less CPU than {rival}, {name}",
                    wanted=">=",
                    limit=limit,
                    measured=timed.ratio(rival, OURS) if rival in timed else None,
                    note=missing.get(rival, ""),
                )
            )
    return verdicts
