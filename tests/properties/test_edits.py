"""Every single edit of one stream of each kind: each byte deleted, doubled, replaced by and preceded by each byte that
the wire gives a meaning, neighbouring events exchanged, and each member of each event left out or given each of many
odd values. All the invariants of a stream hold for each of them.

`-m sweep` takes all of the special bytes at each place (218,000 edits, some minutes of one core); the usual run takes
two of them at each place, in turn.

Chance finds what is wrong in many places. What is wrong at one byte of one shape has to be looked for at every byte.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from sansio_claude._stream.plain_stream import PlainStream
from sansio_claude.testing import chunkings
from tests.frames import answer, block, body, compact, delta, message_start, text, tool
from tests.gateway.repairing import hold_repair
from tests.invariants import Evidence, a_missing_stop_counts_where_allowed, as_the_rules_say, hold
from tests.mutations import ODD_VALUES
from tests.observe import run
from tests.properties.test_chunked import framed
from tests.properties.test_chunked import same as as_h11
from tests.properties.test_http import test_as_an_h11_that_is_given_everything as exchange_as_h11

# Bytes with a meaning: to lines, fields, JSON, JSON strings and UTF-8, one each of digits and letters.
SPECIAL: Final = tuple(bytes((byte,)) for byte in b'\n\r :"\\{}[],0a-.\x00\x1f\x7f\xff\xc3')
_OPENING: Final = (message_start(), *block({"type": "text", "text": ""}))[:2]


def _whole() -> bytes:
    message = {**message_start()["message"], "stop_reason": "end_turn"}
    return json.dumps({**message, "content": [{"type": "text", "text": "Hi"}]}, separators=(",", ":")).encode()


def _of(*events: dict[str, Any]) -> bytes:
    return body(*answer(*events), spell=compact)


def _loose(event: dict[str, Any]) -> bytes:
    """As some gateways write it: no event name, no index, and (by the stream that is given) no types of deltas."""
    event.pop("index", None)
    return compact(event).partition(b"\n")[2]


_SERVER: Final = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
_RESULT: Final = {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"type": "r", "url": "u"}]}
_CITATION: Final = {"type": "char_location", "cited_text": "c"}
STREAMS: Final = {
    "text": _of(
        *block({"type": "text", "text": ""}, *({"type": "text_delta", "text": each} for each in ("Hé", '"\n')))
    ),
    "thinking": _of(
        *block(
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "Hm"},
            {"type": "signature_delta", "signature": "Eo=="},
        )
    ),
    "tool input": _of(*tool("", '{"a":', " [1]}")),
    "no input": _of(*tool()),
    "cut before its input": _of(*tool("")).replace(b'"end_turn"', b'"max_tokens"'),
    "citations": _of(
        *block(
            {"type": "text", "text": "", "citations": []},
            {"type": "citations_delta", "citation": _CITATION},
            {"type": "text_delta", "text": "x"},
        )
    ),
    "compaction": _of(
        *block({"type": "compaction", "content": None}, {"type": "compaction_delta", "content": "s"}),
    ),
    "server tools": _of(
        *block(_SERVER, {"type": "input_json_delta", "partial_json": '{"q":1}'}), *block(_RESULT, index=1)
    ),
    "error": body(
        *_OPENING, text("Hi"), {"type": "error", "error": {"type": "overloaded_error", "message": "No"}}, spell=compact
    ),
    "whole": _whole(),
    "loose": body(
        *answer(
            *block({"type": "text", "text": ""}, {"text": "Hi"}),
            *block({"type": "thinking", "thinking": ""}, {"thinking": "Hm"}, {"signature": "E"}, index=1),
            *tool(index=2)[:1],
            delta(2, partial_json='{"a":1}'),
            *tool(index=2)[1:],
        ),
        spell=_loose,
    ),
}
# Those of which only the members are changed: an empty block of the start makes its message_start wait, or gives way.
MEMBERS: Final = {
    **STREAMS,
    "placeholder": body(
        message_start(content=[{"type": "text", "text": ""}]), *answer(*tool("", '{"a":1}'))[1:], spell=compact
    ),
}
SHARDS: Final = 4


def places(kind: str) -> range:
    """Where a stream is edited. Its first event and its last two are those of "text", and are edited there."""
    data = STREAMS[kind]
    if kind in ("text", "whole"):
        return range(len(data))
    last = data.find(b"event: message_delta")
    return range(data.index(b"\n\n") + 1, len(data) if last < 0 else last)


def edits(kind: str, *, every: bool = True) -> Iterator[bytes]:
    """Each single edit of the bytes of one stream. Not `every`: of the special bytes two at each place, in turn."""
    data = STREAMS[kind]
    for at in places(kind):
        yield data[:at] + data[at + 1 :]
        yield data[: at + 1] + data[at:]
        for number, special in enumerate(SPECIAL):
            if every or (number - at) % len(SPECIAL) in (0, 8):
                yield data[:at] + special + data[at + 1 :]
                yield data[:at] + special + data[at:]


def exchanged(data: bytes) -> Iterator[bytes]:
    """Each exchange of two neighbouring events, each event left out, each doubled, and a cut at every third byte."""
    frames = [each + b"\n\n" for each in data.split(b"\n\n") if each]
    for at, frame in enumerate(frames):
        rest = frames[at + 1 :]
        yield b"".join([*frames[:at], *rest])
        yield b"".join([*frames[:at], frame, frame, *rest])
        if rest:
            yield b"".join([*frames[:at], rest[0], frame, *rest[1:]])
    for at in range(0, len(data), 3):
        yield data[:at]


def left_out(data: bytes) -> Iterator[bytes]:
    """Each event left out."""
    frames = [each + b"\n\n" for each in data.split(b"\n\n") if each]
    for at in range(len(frames)):
        yield b"".join([*frames[:at], *frames[at + 1 :]])


def places_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of each member of a value, however deep: keys and indexes."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield (*path, key)
        yield from places_of(member, (*path, key))


def changed(event: Any, path: tuple[Any, ...], odd: Any) -> bytes:
    """The JSON of an event with another value at one place, or with none where `odd` is `LEFT_OUT`."""
    event = copy.deepcopy(event)
    container = event
    for key in path[:-1]:
        container = container[key]
    if odd is LEFT_OUT:
        del container[path[-1]]
    else:
        container[path[-1]] = odd
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


LEFT_OUT: Final = object()


def odd_members(data: bytes) -> Iterator[bytes]:
    """Each member of each event left out, or with each odd value."""
    for found in re.finditer(rb"\{.*\}", data):
        event = json.loads(found[0])
        for path in places_of(event):
            for odd in (LEFT_OUT, *ODD_VALUES):
                yield data[: found.start()] + changed(event, path, odd) + data[found.end() :]


def agree(data: bytes) -> None:
    """By the usual stream in one piece and with each event by itself, by the plain one and by the reference."""
    evidence = Evidence(data)
    fused = evidence.fused
    assert fused == run([data], kind=PlainStream)
    *events, rest = data.split(b"\n\n")
    assert fused == run([*(each + b"\n\n" for each in events), rest])
    as_the_rules_say(evidence)


@pytest.mark.parametrize("kind", STREAMS)
def test_every_place_of_a_stream_is_edited_and_read_alike_in_every_way(kind: str) -> None:
    for edited in edits(kind, every=False):
        agree(edited)


@pytest.mark.sweep
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("kind", STREAMS)
def test_every_single_edit_is_read_alike_in_every_way(kind: str, shard: int) -> None:
    for number, edited in enumerate(edits(kind)):
        if number % SHARDS == shard:
            agree(edited)


@pytest.mark.parametrize("kind", MEMBERS)
def test_every_odd_member_is_read_alike_in_every_way(kind: str) -> None:
    for edited in odd_members(MEMBERS[kind]):
        agree(edited)


@pytest.mark.parametrize("kind", MEMBERS)
def test_odd_members_are_repaired_to_what_a_strict_reader_takes(kind: str) -> None:
    for number, edited in enumerate(odd_members(MEMBERS[kind])):
        if number % 3 == 0:
            hold_repair(edited)


@pytest.mark.sweep
@pytest.mark.parametrize("kind", MEMBERS)
def test_every_odd_member_is_repaired_to_what_a_strict_reader_takes(kind: str) -> None:
    for edited in odd_members(MEMBERS[kind]):
        hold_repair(edited)


def _beside_an_event_left_out(kind: str) -> Iterator[bytes]:
    """What one event says counts for more where another is missing: a stop reason of the start, without a delta."""
    for shorter in left_out(MEMBERS[kind]):
        yield from odd_members(shorter)


@pytest.mark.parametrize("kind", ["text", "tool input", "no input", "placeholder"])
def test_odd_members_beside_an_event_left_out(kind: str) -> None:
    for number, edited in enumerate(_beside_an_event_left_out(kind)):
        if number % 11 == 0:
            hold_repair(edited)
            agree(edited)


@pytest.mark.sweep
@pytest.mark.parametrize("kind", MEMBERS)
def test_every_odd_member_beside_an_event_left_out(kind: str) -> None:
    for edited in _beside_an_event_left_out(kind):
        hold_repair(edited)
        agree(edited)


@pytest.mark.parametrize("kind", STREAMS)
def test_edits_drawn_evenly_are_repaired(kind: str) -> None:
    for number, edited in enumerate(edits(kind)):
        if number % 31 == 0:
            hold_repair(edited)


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"{", b":", b"\n", b"\r"])
@pytest.mark.parametrize("kind", MEMBERS)
def test_what_means_something_else_at_the_start_of_a_stream(kind: str, mark: bytes) -> None:
    """An event behind those that are not passed on, or are refused, is the first that goes out."""
    frames = [each + b"\n\n" for each in MEMBERS[kind].split(b"\n\n") if each]
    refused = b'data:{"type":"message_start","message":{"type":"t","content":[{"type":"text"}]}}\n\n'
    for before in (b"", b"data: [DONE]\n\n", refused, mark, b"\xef\xbb\xbfdata: [DONE]\n\n"):
        for at in range(len(frames)):
            hold_repair(b"".join([before, *frames[:at], mark, *frames[at:]]))
            hold_repair(b"".join([before, mark, *frames[at:]]))


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"])
@pytest.mark.parametrize("kind", MEMBERS)
def test_exchanged_events_with_other_line_ends_are_repaired(kind: str, line_end: bytes) -> None:
    for edited in exchanged(MEMBERS[kind]):
        hold_repair(edited.replace(b"\n", line_end))


@pytest.mark.parametrize("kind", STREAMS)
def test_malformed_utf_8_under_names_that_nobody_knows_is_read_alike_in_every_way(kind: str) -> None:
    """An event of a type that counts is refused then, under any name: none is skipped without a word."""
    renamed = re.sub(rb"event: \w+", b"event: new", STREAMS[kind])
    for at in range(len(renamed)):
        agree(renamed[:at] + b"\xff" + renamed[at + 1 :])


@pytest.mark.parametrize("kind", STREAMS)
def test_every_exchange_and_cuts_keep_all_promises(kind: str) -> None:
    for edited in exchanged(STREAMS[kind]):
        evidence = Evidence(edited, chunkings.steps(edited, 7))
        hold(evidence)
        a_missing_stop_counts_where_allowed(evidence)


@pytest.mark.parametrize("kind", STREAMS)
def test_edits_drawn_evenly_keep_all_promises(kind: str) -> None:
    for number, edited in enumerate(edits(kind)):
        if number % 89 == 0:
            hold(Evidence(edited, chunkings.steps(edited, 5)), count=number % (89 * 4) == 0)


CHUNKED: Final = framed([b"hello", b"\r\n"]) + b"0\r\na: b\r\n\r\n"
ANSWERS: Final = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\na: b\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi",
    b"HTTP/1.0 200 OK\na:\tb\n\nhi",
)


def single_edits(data: bytes) -> Iterator[bytes]:
    """Each single edit of bytes that are no stream."""
    for at in range(len(data)):
        yield data[:at] + data[at + 1 :]
        yield data[: at + 1] + data[at:]
        for special in SPECIAL[:12]:
            yield data[:at] + special + data[at + 1 :]
            yield data[:at] + special + data[at:]


def test_every_single_edit_of_a_chunked_body_is_read_as_h11_reads_it() -> None:
    for edited in single_edits(CHUNKED):
        as_h11([edited])


@pytest.mark.parametrize("whole", ANSWERS)
def test_every_single_edit_of_an_answer_is_read_as_h11_reads_it(whole: bytes) -> None:
    check = exchange_as_h11.hypothesis.inner_test  # type: ignore[attr-defined]  # set by Hypothesis
    for edited in single_edits(whole):
        check(edited, b"POST")
