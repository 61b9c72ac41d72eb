"""P20: repairing a stream that needs it and one that does not, against reading the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.measure import Settings, race
from benchmarks.results import Findings, Verdict, race_table
from benchmarks.suites.in_process import OURS, READS
from benchmarks.traffic.answers import same
from benchmarks.traffic.shapes import shape
from sansio_claude import Message, MessageStream
from sansio_claude.gateway import Repair

__all__ = ["run"]

BYTES = "Repair, bytes out"
EVENTS = "Repair, events out"


def _read(reads: Sequence[bytes]) -> Message:
    stream = MessageStream()
    for read in reads:
        stream.receive_data(read)
        stream.events_received()
    return stream.finish()


def _bytes(reads: Sequence[bytes]) -> bytes:
    repair = Repair()
    out = []
    for read in reads:
        repair.receive_data(read)
        out.append(repair.data_to_send())
    repair.receive_eof()
    out.append(repair.data_to_send())
    return b"".join(out)


def _events(reads: Sequence[bytes]) -> int:
    repair = Repair(output="events")
    count = 0
    for read in reads:
        repair.receive_data(read)
        count += len(repair.events_received())
    repair.receive_eof()
    return count + len(repair.events_received())


def _each(action: Callable[[Sequence[bytes]], object], bodies: list[list[bytes]]) -> Callable[[], object]:
    return lambda: [action(reads) for reads in bodies]


def run(settings: Settings) -> Findings:
    """The mixed traffic, both ways of arriving, well formed and with its message_delta taken out."""
    found = Findings()
    of = shape("mixed")
    for how in of.arrivals:
        for broken in (False, True):
            bodies = of.arriving(how)
            if broken:
                bodies = [[read for read in body if b'"message_delta"' not in read] for body in bodies]
                if how != "event":
                    continue
            else:
                for reads in bodies:
                    same("what Repair passes", _read([_bytes(reads)]).to_dict(), _read(reads).to_dict())
            sides = {OURS: _each(_read, bodies), BYTES: _each(_bytes, bodies), EVENTS: _each(_events, bodies)}
            timed = race(sides, settings)
            words = f"{'without message_delta' if broken else 'well formed'}, {READS[how]}"
            found.tables.append(race_table(f"repair, {words}", timed, units=of.events, size=of.size, floor=OURS))
            for side in (BYTES, EVENTS):
                found.verdicts.append(
                    Verdict(
                        goal="P20",
                        what=f"{side}, to reading, {words}",
                        wanted="<=",
                        limit=2.0,
                        measured=timed.ratio(side, OURS),
                        gate=5.0,
                    )
                )
    return found
