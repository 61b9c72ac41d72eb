"""What Repair makes of streams: `python -m tests.gateway [FILE...]`, one line each; of the catalogue of faults, too.

A line says how the stream itself ends for a reader, how the repaired one does, whether a strict reader takes that, and
what was mended (in brackets: passed on as it came).
"""

from __future__ import annotations

import sys
from pathlib import Path

from sansio_claude import Message, Tolerance
from sansio_claude.gateway import MEND_KINDS
from sansio_claude.testing.faults import FAULTS, serve
from tests.embedding.proxies import get
from tests.gateway.repairing import Repaired, read, repair

PASSED: Tolerance = {"input": "record", "open_block": "record"}
GROUPS = ("cut", "events that break the rules", "odd but right", "statuses")


def row(name: str, body: bytes, *, well: bool = True) -> tuple[str, Repaired]:
    """The line of one stream."""
    repaired = repair(body, ended_well=well)
    before = read(body)
    strict = read(repaired.out, strict=True, tolerance=PASSED)
    assert isinstance(strict, Message) == (repaired.state == "complete"), name
    assert repair(repaired.out).out == repaired.out, name
    kinds = [*repaired.kinds, *(f"[{kind}]" for kind in repaired.passed)]
    assert set(repaired.kinds) <= set(MEND_KINDS)
    came = "whole" if isinstance(before, Message) else type(before).__name__
    same = "unchanged" if repaired.out == body else ""
    return f"{name:48} {came:20} {repaired.state:10} {same:10} {' '.join(kinds)}", repaired


def faults() -> dict[str, tuple[bytes, bool]]:
    """The bodies of the catalogue's faults, each with whether its framing ended well."""
    found = {}
    for name, fault in FAULTS.items():
        if fault.group in GROUPS and name not in ("ok_stop_then_idle", "trunc_in_headers", "ok_gzip"):
            with serve(fault) as address:
                got = get(int(address.rpartition(":")[2]))
            if got.status == 200:
                found[name] = got.body, got.whole
    return found


def main(paths: list[str]) -> None:
    """Print the table."""
    print(f"{'stream':48} {'to a reader':20} {'repaired':10}")
    for path in paths:
        print(row(Path(path).name, Path(path).read_bytes())[0])
    for name, (body, well) in faults().items():
        print(row(name, body, well=well)[0])


if __name__ == "__main__":
    main(sys.argv[1:])
