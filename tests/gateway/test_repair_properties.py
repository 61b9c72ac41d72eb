"""Repair, whatever comes: right streams pass, twice is once, any chunking, nothing raises, no cut becomes whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sansio_claude import ContentBlockStart, Limits, Message, MessageStart, MessageStream, Tolerance
from sansio_claude._stream.deviations import DEVIATION_KINDS
from sansio_claude.gateway import MEND_KINDS, Repair, _mend_value, _repair
from sansio_claude.testing import Dialect, chunkings
from tests import strategies
from tests.gateway.repairing import read, repair, repaired_events

# The API names every event.
RIGHT_DIALECTS = st.builds(
    Dialect,
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    space=st.booleans(),
    padding=st.booleans(),
    spaced_json=st.booleans(),
    ascii_json=st.booleans(),
    bom=st.booleans(),
    comment=st.none() | st.sampled_from(["", " keep-alive"]),
    ids=st.booleans(),
    retry=st.none() | st.integers(0, 9_999),
)
# What a repair passes on and lists: a call that stays open, an input that is no whole object, text behind calls.
PASSED: Tolerance = {"input": "record", "open_block": "record", "stop_reason_mismatch": "record"}
BODIES = strategies.bodies() | strategies.delta_bodies() | strategies.hostile_bodies()
DIALS = st.dictionaries(st.sampled_from(sorted(MEND_KINDS)), st.sampled_from(["mend", "pass", "refuse"]), max_size=3)


@given(RIGHT_DIALECTS.flatmap(lambda dialect: strategies.transcripts(dialect=dialect)), strategies.cuts())
def test_a_right_stream_passes_unchanged(transcript: Any, cut: strategies.Cut) -> None:
    body = transcript.data
    assume(
        isinstance(read(body, strict=True, tolerance={"input": "record"}), Message)
    )  # its stop reason fits its calls
    repaired = repair(*cut.of(body))
    assert repaired.out == body
    assert not repaired.kinds
    assert repaired.state == "complete"


@given(BODIES, DIALS, strategies.cuts())
def test_a_repair_does_not_depend_on_how_the_bytes_were_cut(
    body: bytes, mend: dict[str, Any], cut: strategies.Cut
) -> None:
    assert repair(*cut.of(body), mend=mend) == repair(body, mend=mend)


@given(BODIES, strategies.cuts())
def test_the_short_ways_of_usual_events_equal_the_plain_one(body: bytes, cut: strategies.Cut) -> None:
    fast = repair(*cut.of(body))
    events = repaired_events(*cut.of(body))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Repair, "_arm", lambda self: None)
        patch.setattr(_repair, "take_usual", lambda *event: None)
        patch.setattr(_mend_value, "OTHER_TYPES", frozenset())
        assert repair(*cut.of(body)) == fast
        assert repaired_events(body) == events


@given(BODIES)
def test_what_was_repaired_is_not_changed_by_another_repair(body: bytes) -> None:
    once = repair(body)
    again = repair(once.out)
    assert again.out == once.out
    if once.state == "complete":
        assert again.state == "complete"


@given(BODIES)
def test_a_strict_reader_takes_what_came_to_an_end(body: bytes) -> None:
    repaired = repair(body)
    assert set(repaired.passed) <= set(PASSED)
    found = read(repaired.out, strict=True, tolerance=dict.fromkeys(repaired.passed, "record"))
    assert isinstance(found, Message) == (repaired.state == "complete"), found
    kinds = {each.kind for each in repaired.mended if each.passed}
    assert kinds <= set(PASSED)


@given(BODIES)
def test_a_repair_keeps_what_a_reader_reads(body: bytes) -> None:
    """Where the stream was whole to the lenient reader, the repaired one gives the same text, thinking and inputs."""
    before = read(body)
    repaired = repair(body)
    if not isinstance(before, Message):
        return
    assert repaired.state == "complete"
    after = read(repaired.out)
    assert isinstance(after, Message)
    if {"placeholder", "twice"} & set(repaired.kinds):
        return  # the message says less than the reader's: see the test of each
    said, meant = ([_said(block) for block in message.to_dict()["content"]] for message in (after, before))
    # Blocks go out in the order in which they started: a reader puts one that started late where its index says.
    came = _started(body)
    places = sorted(came)
    assert len(came) == len(set(came)) == len(meant)
    assert came == places or "index_order" in repaired.kinds
    meant = [meant[places.index(index)] for index in came]
    if came != places:  # another block stands last, the one whose call a reader does not take for whole
        said, meant = ([_settled(block) for block in blocks] for blocks in (said, meant))
    assert said == meant
    if "stop_reason_mismatch" not in repaired.kinds:
        assert after.stop_reason == before.stop_reason


def _started(body: bytes) -> list[int]:
    """The index of every block that a reader reads, in the order in which they started."""
    stream = MessageStream()
    stream.receive_data(body)
    events = stream.events_received()
    first = next(event for event in events if isinstance(event, MessageStart))
    given = range(len(first.message.content))
    return [*given, *(event.index for event in events if isinstance(event, ContentBlockStart))]


def _settled(block: dict[str, Any]) -> dict[str, Any]:
    """A call that may have been cut as one that was not, where what came of its input is an object, or nothing."""
    try:
        given = json.loads(block["input"]["$incomplete_json"] or "{}")
    except (KeyError, TypeError, ValueError):
        return block
    return _said({**block, "input": given}) if isinstance(given, dict) else block


def _said(block: dict[str, Any]) -> dict[str, Any]:
    """A block without what is empty."""
    return {key: value for key, value in block.items() if value not in (None, "", {}, [])}


@given(strategies.bodies(), st.data())
def test_no_cut_becomes_whole(body: bytes, data: st.DataObject) -> None:
    cut = body[: data.draw(st.integers(0, max(0, len(body) - 1)))]
    stream = MessageStream(require_message_stop=False)
    stream.receive_data(cut)
    whole = isinstance(read(cut, require_message_stop=False), Message)
    well = repair(cut)
    if well.state == "complete" and not whole:
        # What the reader does not do: starts and stops that are missing. A stop reason had come all the same.
        assert {"missing_start", "open_block", "input_without_stop"} & set(well.kinds)
        assert b"message_delta" in cut
    badly = repair(cut, ended_well=False)
    if badly.state == "complete":
        assert isinstance(read(cut), Message) or "missing_start" in badly.kinds
    if badly.state != "complete":
        assert not isinstance(read(badly.out), Message)
        assert not isinstance(read(badly.out, require_message_stop=False), Message)


@settings(max_examples=200)
@given(
    BODIES | st.binary(max_size=200),
    DIALS,
    st.sampled_from(["bytes", "events"]),
    st.builds(
        Limits,
        line=st.sampled_from([60, 1_000, 8_000_000]),
        event=st.sampled_from([60, 1_000, 8_000_000]),
        blocks=st.sampled_from([1, 2, 10_000]),
        message=st.sampled_from([300, 64_000_000]),
        depth=st.sampled_from([3, 512]),
        deviations=st.sampled_from([0, 1, 1_000]),
    ),
    st.booleans(),
)
def test_nothing_raises_for_what_the_peer_sent(body: bytes, mend: Any, output: Any, limits: Limits, well: bool) -> None:
    machine = Repair(mend=mend, output=output, limits=limits)
    for chunk in chunkings.steps(body, 7):
        machine.receive_data(chunk)
    machine.receive_eof(ended_well=well)
    machine.receive_eof()
    assert machine.state in ("complete", "errored", "broken", "truncated")
    assert len(machine.mended) <= limits.deviations
    if output == "bytes":
        machine.data_to_send()
    else:
        assert machine.events_received() is not None


@given(BODIES)
def test_nothing_is_invented(body: bytes) -> None:
    """Every text, number and name that goes out came in, but for the envelopes and our own error."""
    repaired = repair(body)
    if repaired.error is not None or "half_character" in repaired.kinds or "error_shape" in repaired.kinds:
        return
    came = _leaves(body)
    for leaf in _leaves(repaired.out):
        if isinstance(leaf, str) and leaf not in ENVELOPE:
            assert leaf in came or any(leaf in each for each in came if isinstance(each, str))
        elif isinstance(leaf, float) or (isinstance(leaf, int) and not isinstance(leaf, bool)):
            assert leaf in came or leaf <= Limits().blocks


ENVELOPE = {
    *("", "message", "assistant", "text", "thinking", "ping", "message_start", "message_delta", "message_stop"),
    *("content_block_start", "content_block_delta", "content_block_stop"),
    *("text_delta", "thinking_delta", "input_json_delta", "signature_delta", "compaction_delta"),
    *("end_turn", "tool_use", "api_error", "error"),
}


def _leaves(body: bytes) -> list[Any]:
    found: list[Any] = []
    text = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for frame in text.split(b"\n\n"):
        lines = [line[5:].removeprefix(b" ") for line in frame.split(b"\n") if line.startswith(b"data:")]
        try:
            waiting = [json.loads(b"\n".join(lines))]
        except ValueError:
            continue
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict):
                waiting += value.values()
            elif isinstance(value, list):
                waiting += value
            else:
                found.append(value)
    return found


def test_the_kinds_of_deviation_are_kinds_of_mending() -> None:
    assert set(DEVIATION_KINDS) < set(MEND_KINDS)
    assert all(sentence.endswith(".") for sentence in MEND_KINDS.values())
