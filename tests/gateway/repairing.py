"""What the tests of Repair share: one run over some chunks, and reading what came of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from attrs import define

from sansio_claude import APIError, ClaudeError, Limits, Message, MessageStream, RemoteProtocolError
from sansio_claude.gateway import Mended, Repair

__all__ = ["Repaired", "hold_repair", "read", "repair", "repaired_events", "wire"]


@define
class Repaired:
    """What a repair came to."""

    out: bytes
    mended: list[Mended]
    state: str
    error: str | None

    @property
    def kinds(self) -> list[str]:
        """The kinds that were mended, each once, in order."""
        return list(dict.fromkeys(each.kind for each in self.mended if not each.passed))

    @property
    def passed(self) -> list[str]:
        """The kinds that were passed on as they came."""
        return list(dict.fromkeys(each.kind for each in self.mended if each.passed))


def repair(*chunks: bytes, ended_well: bool = True, **options: Any) -> Repaired:
    """Repair a body that comes in these chunks."""
    machine = Repair(**options)
    out = []
    for chunk in chunks:
        machine.receive_data(chunk)
        out.append(machine.data_to_send())
    machine.receive_eof(ended_well=ended_well)
    out.append(machine.data_to_send())
    assert machine.data_to_send() == b""
    error = None if machine.error is None else str(machine.error)
    return Repaired(b"".join(out), machine.mended, machine.state, error)


def repaired_events(*chunks: bytes) -> tuple[list[str], list[Mended], str, str | None]:
    """The events of a repair, as their repr, and what it came to."""
    machine = Repair(output="events")
    events: list[str] = []
    for chunk in chunks:
        machine.receive_data(chunk)
        events += map(repr, machine.events_received())
    machine.receive_eof()
    events += map(repr, machine.events_received())
    return events, machine.mended, machine.state, None if machine.error is None else str(machine.error)


def read(body: bytes, **options: Any) -> Message | ClaudeError:
    """The message of a body, or the error that it ended with."""
    stream = MessageStream(**options)
    stream.receive_data(body)
    try:
        return stream.finish()
    except (RemoteProtocolError, APIError) as error:
        return error


def wire(*events: dict[str, Any]) -> bytes:
    """These events in the API's own spelling."""
    frames: Iterable[str] = (
        f"event: {event.get('type')}\ndata: {json.dumps(event, separators=(',', ':'))}\n\n" for event in events
    )
    return "".join(frames).encode()


def hold_repair(
    body: bytes, chunks: Sequence[bytes] | None = None, *, ended_well: bool = True, limits: Limits | None = None
) -> None:
    """What holds of every repair: of any cuts, of what comes of it, and of how it says that the answer ended."""
    given: dict[str, Any] = {"ended_well": ended_well, "limits": limits}
    repaired = repair(body, **given)
    if chunks is not None:
        assert repair(*chunks, **given) == repaired
    if b"\r" in body:  # a CR may be half of a line end, whose other half comes in the next read
        assert repair(*re.split(rb"(?<=\r)", body), **given) == repaired
    assert repair(repaired.out).out == repaired.out
    # A strict reader takes what is complete, but for what the repair says that it passed on as it came.
    found = read(repaired.out, strict=True, tolerance=dict.fromkeys(repaired.passed, "record"))
    assert isinstance(found, Message) == (repaired.state == "complete")
    # One JSON text is whole only where its framing says so: nothing in it says that it is the end.
    options: dict[str, Any] = {"tolerance": {} if ended_well else {"whole_message": "refuse"}, "limits": limits}
    if isinstance(read(body, **options), Message):
        assert repaired.state == "complete"
    elif not ended_well and repaired.state == "complete" and (limits is None or len(body) <= limits.message):
        assert "missing_start" in repaired.kinds
