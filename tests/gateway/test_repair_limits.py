"""Limits of a repair: the same in any chunking, in words that name the place, and only of the answer itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sansio_claude import Limits, Message
from sansio_claude.gateway import Repair
from sansio_claude.testing import chunkings
from tests.frames import END, answer, block, body, compact, message_start
from tests.gateway.repairing import hold_repair, read, repair
from tests.properties.test_edits import MEMBERS

LIMITS = (
    *({"line": most} for most in (40, 120, 150, 190, 400)),
    *({"event": most} for most in (40, 120, 150, 190, 400)),
    *({"event_lines": most} for most in (1, 2)),
    *({"message": most} for most in (40, 120, 150, 190, 400)),
    *({"depth": most} for most in (1, 2, 3)),
    {"blocks": 1},
    {"event": 150, "line": 200, "message": 40},
)
TEXT = answer(*block({"type": "text", "text": ""}, *({"type": "text_delta", "text": "x" * 60} for _ in range(3))))
STOPPED = body(*TEXT, spell=compact)


@pytest.mark.parametrize("given", LIMITS, ids=str)
@pytest.mark.parametrize("kind", [*MEMBERS, "long deltas"])
def test_a_limit_is_the_same_in_any_chunking(kind: str, given: dict[str, int]) -> None:
    data = STOPPED if kind == "long deltas" else MEMBERS[kind]
    limits = Limits(**given)
    for chunks in (chunkings.bytewise(data), chunkings.steps(data, 90), data.splitlines(keepends=True)):
        hold_repair(data, chunks, limits=limits)
    hold_repair(data, [each + b"\n\n" for each in data.split(b"\n\n") if each], limits=limits)


@pytest.mark.parametrize("steps", [1, 7, 200, 10_000])
def test_the_place_is_counted_from_the_start_of_the_body(steps: int) -> None:
    opening = body(*TEXT[:-3], spell=compact)
    long = b"data: " + b"y" * 300 + b"\n\n"
    repaired = repair(*chunkings.steps(opening + long, steps), limits=Limits(line=250))
    assert repaired.error == f"the event stream passes Limits.line = 250 at byte {len(opening)}"
    assert repaired.out.startswith(opening)
    comments = b":" + b"z" * 200 + b"\n"
    repaired = repair(*chunkings.steps(opening + 3 * comments, steps), limits=Limits(event=250, message=300))
    words = f"the comments before an event, at byte {len(opening)}, pass Limits.message = 300 bytes"
    assert repaired.error == words


def test_the_place_behind_usual_deltas_and_behind_a_line_end_that_was_cut_in_two() -> None:
    long = b"data: " + b"y" * 300 + b"\n\n"
    frames = [compact(each) for each in TEXT[:-3]]
    for chunks in ([*frames, long], [*frames[:2], b"".join(frames[2:]), long]):
        repaired = repair(*chunks, limits=Limits(line=250))
        assert repaired.error == f"the event stream passes Limits.line = 250 at byte {len(b''.join(frames))}"
    start = frames[0].replace(b"\n", b"\r\n")
    repaired = repair(start[:-1], start[-1:], long, limits=Limits(line=250))
    assert repaired.error == f"the event stream passes Limits.line = 250 at byte {len(start)}"


def test_comments_are_bounded_to_the_byte() -> None:
    frame = b":" + b"z" * 98 + b"\n"
    for size, state in ((0, "complete"), (1, "broken")):
        comments = 5 * frame + b":" + b"z" * (size + 498 - len(compact(END))) + b"\n"
        data = STOPPED.removesuffix(compact(END)) + comments + compact(END)
        for steps in (1, 10_000):
            repaired = repair(*chunkings.steps(data, steps), limits=Limits(line=1_000, event=400, message=600))
            assert (repaired.state, repaired.error is None) == (state, state == "complete")


@pytest.mark.parametrize("end", [b"\n", b"\n\n"])
def test_a_short_event_of_too_many_lines_at_the_end(end: bytes) -> None:
    limits = Limits(event_lines=2)
    late = b"event: x\ndata: y\ndata: z" + end
    repaired = repair(STOPPED + late, limits=limits)
    assert (repaired.out, repaired.state, repaired.kinds) == (STOPPED, "complete", ["after_message_stop"])
    error = repair(body(*TEXT[:-1], spell=compact) + late, limits=limits).error
    if end:  # the last line has ended, so that it counts
        assert (
            error == f"the event stream passes Limits.event_lines = 2 at byte {len(STOPPED) - len(compact(END)) + 17}"
        )


def test_an_error_without_data_is_one() -> None:
    assert repair(b"event: error\n\n").state == "errored"
    assert repair(b"event: error\n" + b": z\n" * 20, b"\n", limits=Limits(line=30)).state == "errored"


def test_an_event_that_lacked_its_blank_line_keeps_its_own_text() -> None:
    last = b'event: message_stop\ndata: {"type":  "message_stop" }'
    data = body(*TEXT[:-1], spell=compact) + last
    assert repair(data).out == data + b"\n\n"


def test_a_second_start_is_read_as_the_first_is() -> None:
    start = message_start()
    for change, state in (({"role": "user"}, "complete"), ({"role": 5}, "broken"), ({"type": {}}, "broken")):
        again = {**start, "message": {**start["message"], **change}}
        repaired = repair(body(start, again, *TEXT[1:], spell=compact))
        assert repaired.state == state
        assert (repaired.kinds == ["repeated_start"]) == (state == "complete")


def test_half_a_character_in_an_error_that_is_a_list() -> None:
    repaired = repair(b'event: error\ndata: [{"error": {"message": "\\ud83d"}}]\n\n')
    assert (repaired.kinds, repaired.state) == (["half_character", "error_shape"], "errored")
    assert '"message":"\ufffd"'.encode() in repaired.out
    refused = repair(b'event: new\ndata: ["\\ud83d"]\n\n')
    assert refused.kinds == []


@pytest.mark.parametrize("steps", [1, 7, 10_000])
@pytest.mark.parametrize("late", [b"data: " + b"y" * 300 + b"\n\n", b"data: " + b"y" * 300, b":" + b"y" * 300 + b"\n"])
def test_a_limit_bounds_the_answer_and_not_what_stands_behind_it(late: bytes, steps: int) -> None:
    limits = Limits(line=250, event=250)
    data = STOPPED + late + STOPPED
    repaired = repair(*chunkings.steps(data, steps), limits=limits)
    assert (repaired.out, repaired.state, repaired.kinds) == (STOPPED, "complete", ["after_message_stop"])
    assert isinstance(read(data, limits=limits), Message)
    passed = repair(*chunkings.steps(data, steps), limits=limits, mend={"after_message_stop": "pass"})
    assert (passed.out, passed.state, passed.passed) == (data, "complete", ["after_message_stop"])


def test_an_error_is_the_end_as_message_stop_is() -> None:
    error = compact({"type": "error", "error": {"type": "overloaded_error", "message": "No"}})
    opening = body(message_start(), spell=compact)
    repaired = repair(opening + error + b"data: " + b"y" * 300, limits=Limits(line=250))
    assert (repaired.out, repaired.state) == (opening + error, "errored")


@pytest.mark.parametrize("steps", [1, 7, 100, 1_000])
def test_a_body_that_may_be_one_text_is_held_up_to_the_limit_of_a_message(steps: int) -> None:
    for size, state in ((400, "complete"), (401, "broken")):
        # What might have been a JSON text, and an event of which the blank line ends at this byte.
        front = b'{"a": ' + b" " * (size - 6 - len(b"\ndata: {}\n\n")) + b"\ndata: {}\n\n"
        assert len(front) == size
        repaired = repair(*chunkings.steps(front + STOPPED, steps), limits=Limits(message=400))
        assert repaired.state == state
        assert (repaired.error == "the answer passes Limits.message = 400 bytes") == (state == "broken")


def test_a_frame_that_never_ends_is_refused_as_soon_as_that_is_certain() -> None:
    machine = Repair(limits=Limits(line=1_000))
    machine.receive_data(b"data: " + b"x" * 994)
    assert machine.error is None
    machine.receive_data(b"x")
    assert str(machine.error) == "the event stream passes Limits.line = 1000 at byte 0"


@pytest.mark.parametrize("steps", [1, 7, 60, 10_000])
def test_long_frames_are_looked_at_one_by_one_while_they_come(steps: int) -> None:
    """Each line is within the limit, and each frame is longer than it."""
    comments = b"".join(b": %d %s\n" % (number, b"z" * 180) for number in range(3))
    data = body(*((comments + compact(each)) for each in TEXT))
    repaired = repair(*chunkings.steps(data, steps), limits=Limits(line=190, event=190))
    assert (repaired.out, repaired.state, repaired.mended) == (data, "complete", [])
    long = b"data: " + b"y" * 300
    repaired = repair(
        *chunkings.steps(data[: -len(compact(TEXT[-1]))] + long, steps), limits=Limits(line=190, event=190)
    )
    begin = len(data) - len(compact(TEXT[-1]))
    assert repaired.error == f"the event stream passes Limits.line = 190 at byte {begin}"


HALVES: tuple[tuple[str, ...], ...] = (
    ("\ud83d",),
    ("\ud83d", "\ude00"),
    ("\ud83d", "\ud83d", "\ude00"),
    ("\ud83d", "\ud83d", "x"),
    ("a\ud83d\ud83d", "\ude00\ud83d", "\ude00"),
    ("\ude00", "\ud83d", ""),
    ("\ud83d\ud83d", "", "\ud83d"),
)


KINDS = {"text": "text", "tool_use": "partial_json", "hologram": "partial_json"}


@pytest.mark.parametrize("more", [{}, {"x": 0}], ids=["bare", "with a key more"])
@pytest.mark.parametrize("pieces", HALVES, ids=ascii)
@pytest.mark.parametrize("kind", KINDS)
def test_halves_of_characters_are_mended_once(kind: str, pieces: tuple[str, ...], more: dict[str, Any]) -> None:
    key = KINDS[kind]
    sents: dict[str, dict[str, Any]] = {
        "text": {"type": "text", "text": ""},
        "tool_use": {"type": "tool_use", "id": "t", "name": "n", "input": {}},
        "hologram": {"type": "hologram"},
    }
    sent = sents[kind]
    name = "text_delta" if key == "text" else "input_json_delta"
    if kind == "tool_use":
        pieces = ('{"a":"', *pieces, '"}')
    deltas = ({"type": name, key: each, **more} for each in pieces)
    data = escaped(*answer(*block(sent, *deltas)))
    hold_repair(data, chunkings.bytewise(data))
    before, after = read(data), read(repair(data).out)
    assert isinstance(before, Message)
    assert isinstance(after, Message)
    assert after.to_dict()["content"] == before.to_dict()["content"]


def test_many_halves_in_a_row_cost_no_square() -> None:
    deltas = ({"type": "input_json_delta", "partial_json": "\ud83d"} for _ in range(3_000))
    data = escaped(*answer(*block({"type": "tool_use", "id": "t", "name": "n", "input": {}}, *deltas)))
    repaired = repair(data)
    assert repaired.out.count(b"input_json_delta") == 1
    assert repaired.out.count(b"\\ud83d") == 3_000


def escaped(*events: dict[str, Any]) -> bytes:
    return "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in events).encode()
