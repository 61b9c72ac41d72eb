"""Every odd member of a stream of each kind, repaired with each verdict: mended, passed on, refused, bytes or events.

`-m sweep` takes all of them; the usual run takes each eighth.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from sansio_claude import DEVIATION_KINDS, ClaudeError, Event, Message, MessageStream, UnknownEvent
from sansio_claude.gateway import MEND_KINDS, Repair
from tests.gateway.repairing import hold_repair, read, repair
from tests.properties.test_edits import MEMBERS, odd_members

_EIGHTH: Final = 8


def some(kind: str) -> Iterator[bytes]:
    return (edited for number, edited in enumerate(odd_members(MEMBERS[kind])) if number % _EIGHTH == 0)


def frames_of(body: bytes) -> list[bytes]:
    """What ends with a blank line each, and the rest."""
    return re.findall(rb"(?s).+?(?:(?>\r\n|\r|\n){2}|\Z)", body)


def what_is_passed_on_is_told(body: bytes) -> None:
    """A strict reader that takes the kinds that were passed on takes what came of it; so does any lenient one."""
    for kind in repair(body).kinds:
        passed = repair(body, mend={kind: "pass"})
        assert isinstance(read(passed.out), Message) == (passed.state == "complete")
        if kind in DEVIATION_KINDS and kind != "whole_message":  # whose inside nobody looked at
            tolerance = {each: "record" for each in passed.passed if each in DEVIATION_KINDS}
            found = read(passed.out, strict=True, tolerance=tolerance)
            assert isinstance(found, Message) == (passed.state == "complete"), (kind, found)


def all_that_is_passed_on_goes_out_as_it_came(body: bytes) -> None:
    repaired = repair(body, mend=dict.fromkeys(MEND_KINDS, "pass"))
    if repaired.state == "complete":
        assert repaired.out == body


def what_is_refused_ends_the_stream_behind_what_came_before_it(body: bytes) -> None:
    frames = frames_of(body)
    for kind in dict.fromkeys(each.kind for each in repair(body).mended):
        if kind == "after_message_stop":  # nothing is refused then
            continue
        machine = Repair(mend={kind: "refuse"})
        taken: list[bytes] = []
        for frame in frames:
            machine.receive_data(frame)
            if machine.error is not None:
                before = frames_of(repair(*taken, mend={kind: "refuse"}, ended_well=False).out)
                # The last one is the error event. A message_delta that waited may go out behind what came later, and
                # the block that is refused may be the one that an empty block of the start gave way to.
                after = frames_of(machine.data_to_send())
                before, after = (list(map(without_blanks_and_placeholder, each)) for each in (before, after))
                assert set(before[:-1]) <= set(after)
                break
            taken.append(frame)
        machine.receive_eof()
        assert machine.state == "broken"


def without_blanks_and_placeholder(frame: bytes) -> bytes:
    """What an event says: an event that has lost a placeholder is written anew, without the padding in its JSON."""
    lines, found, data = frame.strip(b"\r\n").partition(b"data: ")
    if b"message_start" not in frame:
        return lines + found + data
    try:
        value = json.loads(data)
    except ValueError:
        return lines + found + data
    text = json.dumps(value, separators=(",", ":"))
    return lines + found + text.replace('"content":[{"type":"text","text":""}]', '"content":[]').encode()


def events_are_those_of_the_bytes(body: bytes) -> None:
    machine = Repair(output="events")
    machine.receive_data(body)
    machine.receive_eof()
    repaired = repair(body)
    assert (machine.mended, machine.state) == (repaired.mended, repaired.state)
    stream = MessageStream()
    stream.receive_data(repaired.out)
    expected: list[Event] = []
    try:
        expected += stream.events_received()
        stream.receive_eof()
        expected += stream.events_received()
    except ClaudeError:
        pass
    events = machine.events_received()
    assert list(map(type, events)) == list(map(type, expected))
    assert unknown(events) == unknown(expected)


def unknown(events: list[Event]) -> list[Any]:
    return [(event.name, event.raw) for event in events if isinstance(event, UnknownEvent)]


PROMISES: Final = (
    what_is_passed_on_is_told,
    all_that_is_passed_on_goes_out_as_it_came,
    what_is_refused_ends_the_stream_behind_what_came_before_it,
    events_are_those_of_the_bytes,
)


@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize("kind", MEMBERS)
def test_odd_members(kind: str, promise: Callable[[bytes], None]) -> None:
    for edited in some(kind):
        promise(edited)


@pytest.mark.sweep
@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize("kind", MEMBERS)
def test_every_odd_member(kind: str, promise: Callable[[bytes], None]) -> None:
    for edited in odd_members(MEMBERS[kind]):
        promise(edited)


@pytest.mark.parametrize("kind", MEMBERS)
def test_an_event_that_comes_again_with_an_odd_member(kind: str) -> None:
    """What is left out has to be something that a reader takes, too: no cut answer gets whole by it."""
    events = [each + b"\n\n" for each in MEMBERS[kind].split(b"\n\n") if each]
    for at, event in enumerate(events):
        for number, odd in enumerate(odd_members(event)):
            if number % _EIGHTH == at % _EIGHTH:
                hold_repair(b"".join([*events[: at + 1], odd, *events[at + 1 :]]), ended_well=False)
