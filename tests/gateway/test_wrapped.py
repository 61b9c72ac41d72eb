"""read_wrapped: each wrapping gives the message of the stream in it, at any chunking; everything else passes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude import Event, Limits, LocalProtocolError, MessageStream, TruncatedError, UnknownEvent
from sansio_claude.gateway import WRAPPINGS, Wrapping, judge_body, read_wrapped
from sansio_claude.gateway._wrapped import messages_of
from sansio_claude.testing import chunkings, compose
from tests.mutations import ODD_VALUES
from tests.properties.test_edits import changed, places_of

ANSWER = compose(
    [{"type": "text", "text": "Grüß Gott: {\n"}, {"type": "tool_use", "name": "t", "input": {"a": "data: x"}}], seed=1
)
DATA = [line[6:] for line in ANSWER.data.splitlines() if line.startswith(b"data: ")]
AGENT = [b'{"type": "stream_event", "session_id": "s", "event": %s}' % line for line in DATA]
LINES: dict[str, tuple[Wrapping, bytes]] = {
    "lines": ("json_lines", b"\n".join(DATA)),
    "lines that end in CRLF": ("json_lines", b"\r\n".join(DATA) + b"\r\n\r\n"),
    "a byte order mark": ("json_lines", b"\xef\xbb\xbf\n" + b"\n".join(DATA) + b"\n"),
    "a ping first": ("json_lines", b'{"type": "ping"}\n\n' + b"\n".join(DATA) + b"\n"),
    "something unknown first": ("json_lines", b'{"type": "hello"}\n' + b"\n".join(DATA) + b"\n"),
    "an agent": (
        "stream_json",
        b'{"type": "system", "subtype": "init"}\n'
        + b"\n".join(AGENT)
        + b'\n{"type": "assistant", "message": {}}\n{"type": "result", "is_error": false}\n',
    ),
    "an agent without a first word": ("stream_json", b"\n".join(AGENT) + b"\n"),
    "no blank lines": ("no_blank_lines", ANSWER.data.replace(b"\n\n", b"\n")),
    "no blank lines, CRLF": ("no_blank_lines", ANSWER.data.replace(b"\n\n", b"\n").replace(b"\n", b"\r\n")),
    "no blank lines and no names": ("no_blank_lines", b"".join(b"data:" + line + b"\n" for line in DATA)),
    "no blank lines, a comment first": ("no_blank_lines", b": hello\n" + ANSWER.data.replace(b"\n\n", b"\n")),
}
PASSING = {
    "an event stream": ANSWER.data,
    "the name behind the data": b"".join(b"data: " + line + b"\nevent: x\n\n" for line in DATA),
    "data in two lines": b'data: {"type":\ndata: "ping"}\n\n' + ANSWER.data,
    "CR": ANSWER.data.replace(b"\n", b"\r"),
    "a comment first": b": hello\n\n" + ANSWER.data,
    "a whole answer": json.dumps(ANSWER.message).encode(),
    "a whole answer on several lines": json.dumps(ANSWER.message, indent=1).encode(),
    "an error": b'{"type": "error", "error": {"type": "api_error", "message": "x"}}\n',
    "a page": b"<html>\ndata: {}\ndata: {}\n",
    "nothing": b"",
    "one object": b'{"type": "hello"}\n',
    "an object and words": b'{"type": "hello"}\nwords\n',
}


def cuts(data: bytes, places: list[int]) -> list[bytes]:
    at = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[begin:end] for begin, end in pairwise(at)]


@pytest.mark.parametrize("name", LINES)
def test_each_wrapping_is_read_at_any_chunking(name: str) -> None:
    wrapping, data = LINES[name]
    for chunks in ([data], [data[at : at + 1] for at in range(len(data))], cuts(data, [7, 100, 101, 400])):
        wrapped = read_wrapped(chunks)
        assert (wrapped.wrapping, wrapped.words) == (None, "")
        stream = MessageStream(tolerance={"skipped": "accept"})
        for piece in wrapped:
            stream.receive_data(piece)
        assert stream.finish().to_dict() == ANSWER.message
        assert wrapped.wrapping == wrapping
        assert wrapped.words == WRAPPINGS[wrapping]
        assert not stream.deviations


@pytest.mark.parametrize("name", PASSING)
def test_everything_else_passes_unchanged(name: str) -> None:
    data = PASSING[name]
    for chunks in ([data], [data[at : at + 1] for at in range(len(data))]):
        wrapped = read_wrapped(chunks)
        assert b"".join(wrapped) == data
        assert (wrapped.wrapping, wrapped.words) == ("sse", "")


@given(st.sampled_from(sorted(LINES)), st.integers(0, 5_000), st.lists(st.integers(0, 5_000), max_size=3))
def test_a_cut_is_never_whole_and_never_bad_json(name: str, end: int, places: list[int]) -> None:
    _, data = LINES[name]
    data = data[: end % len(data)]
    stream = MessageStream()
    for piece in read_wrapped(cuts(data, places)):
        stream.receive_data(piece)
    try:
        whole = stream.finish()
    except TruncatedError:
        return
    assert whole.to_dict() == ANSWER.message
    assert b"message_stop" in data


def test_chunks_are_bytes_of_any_kind() -> None:
    for data in (ANSWER.data, *(each for _, each in LINES.values())):
        pieces: list[Any] = [data[:50], bytearray(data[50:90]), memoryview(data)[90:]]
        assert b"".join(read_wrapped(pieces)) == b"".join(read_wrapped([data]))
    for body in (lambda: list(read_wrapped(["data: {}"])), lambda: judge_body("{}")):  # type: ignore[list-item, arg-type]
        with pytest.raises(LocalProtocolError, match="takes bytes, not str"):
            body()


def test_an_event_stream_is_not_held_back() -> None:
    for data in (b"event: ping\ndata: {}\n\n", b"event: ping\rdata: {}\r\r", b": hello\n\n", b"words"):
        asked: list[bytes] = []

        def chunks(data: bytes = data, asked: list[bytes] = asked) -> Iterator[bytes]:
            for chunk in (data, b"more"):
                asked.append(chunk)
                yield chunk

        assert next(read_wrapped(chunks())) == data
        assert len(asked) == (2 if data == b"words" else 1)  # what has no line end yet may be anything
    long = [b"x" * 1000] * 100
    assert [len(piece) for piece in read_wrapped(long, limits=Limits(event=5000))] == [1000] * 100


def test_a_report_says_what_was_wrong_with_the_wrapping() -> None:
    for name in ("lines", "no blank lines"):
        wrapping, data = LINES[name]
        failed = [each for each in judge_body(data) if each.verdict == "failed"]
        assert [(each.check.id, each.words) for each in failed] == [("stream.is_stream", WRAPPINGS[wrapping])]
    agent = LINES["an agent"][1]
    assert not [each for each in judge_body(agent * 2) if each.verdict == "failed"]
    assert {each.where for each in judge_body(agent * 2, where="a")} == {"a, message 1", "a, message 2"}


@pytest.mark.parametrize(
    "wrap",
    [
        b"%s\n",
        b'{"type": "stream_event", "event": %s}\n',
        b'{"type": "system"}\n%s\n',  # an agent's word before each event
        b"data: %s\n",
    ],
)
def test_odd_members_of_the_first_events_are_read_alike_at_any_chunking(wrap: bytes) -> None:
    """What wraps the events is told from the first ones, whatever their members are."""
    for at, line in enumerate(DATA[:3]):
        event = json.loads(line)
        for path in places_of(event):
            for odd in ODD_VALUES:
                edited = [*DATA[:at], changed(event, path, odd), *DATA[at + 1 : 5]]
                body = b"".join(wrap % each for each in edited)
                assert b"".join(read_wrapped([body])) == b"".join(read_wrapped(chunkings.steps(body, 50)))


def events_of(*lines: bytes) -> list[Event]:
    stream = MessageStream()
    for piece in read_wrapped([line + b"\n" for line in lines]):
        stream.receive_data(piece)
    return stream.events_received()


def test_a_stream_event_without_an_event_is_kept_as_one_that_nobody_knows() -> None:
    odd = {"type": "stream_event", "event": 5}
    *_, last = events_of(AGENT[0], json.dumps(odd).encode())
    assert isinstance(last, UnknownEvent)
    assert (last.name, last.raw) == ("stream_event", odd)


def test_line_ends_stand_in_no_name_and_in_no_data() -> None:
    odd = json.dumps({"type": "new\rdata: 1", "a": 1}).encode()
    *_, spaced, named = events_of(DATA[0], b'{"type": "new",\r"a": 1}', odd)
    assert isinstance(spaced, UnknownEvent)
    assert spaced.raw == {"type": "new", "a": 1}
    assert isinstance(named, UnknownEvent)
    assert named.raw == json.loads(odd)


def test_what_passes_the_limit_of_an_event_without_telling_is_taken_for_a_stream() -> None:
    limits = Limits(event=100)
    for size in (100, 101):
        reader = read_wrapped(iter([b"a" * 50, b"a" * (size - 50)]), limits=limits)
        assert next(reader) == b"a" * 50
        assert reader.wrapping == "sse"
    begun = iter([b":" * 50, b":" * 51, b"never asked for"])
    reader = read_wrapped(begun, limits=limits)
    next(reader)
    assert next(begun) == b"never asked for"


@pytest.mark.parametrize("body", [*(data for _, data in LINES.values()), *PASSING.values()])
def test_the_limit_is_the_same_in_any_chunking(body: bytes) -> None:
    for most in (*range(1, min(60, len(body)), 7), *range(60, len(body) + 2, 89)):
        limits = Limits(event=most)
        whole = read_wrapped([body], limits=limits)
        expected = b"".join(whole)
        for chunks in (chunkings.bytewise(body), chunkings.steps(body, 7), body.splitlines(keepends=True)):
            reader = read_wrapped(chunks, limits=limits)
            assert (b"".join(reader), reader.wrapping) == (expected, whole.wrapping)


def test_the_messages_of_an_agent_end_with_message_stop_and_what_comes_behind_it() -> None:
    start, stop, ping = (b"event: %s\ndata: {}\n\n" % name for name in (b"message_start", b"message_stop", b"ping"))
    frames = [start, start, stop, ping, start, ping]
    assert [list(message) for message in messages_of(frames)] == [frames[:4], frames[4:]]
    assert list(messages_of([])) == []


@pytest.mark.parametrize("line", [b"unknown: field\n", b"no field\n", b"data: text\n", b"data: [1]\n", b"[1]\n"])
def test_what_can_only_be_an_event_stream_passes_at_once(line: bytes) -> None:
    rest = iter([line, b"never asked for"])
    reader = read_wrapped(rest)
    assert next(reader) == line
    assert next(rest) == b"never asked for"


@pytest.mark.parametrize(
    "body",
    [
        b'{"type":\r"ping"}\n{"type":"ping"}\n',
        b'{"type":"x"}\n \r \r{"type":"ping"}\n',
        b'{"type":"x"}\r\n{"type":\r"ping"}\r\n',
        b'data: {"type":\r"ping"}\ndata: {}\n',
        b'{"type":"x"}\r\r\n{"type":"ping"}\r\n',
    ],
)
def test_a_cr_alone_is_one_wherever_the_body_is_cut(body: bytes) -> None:
    whole = read_wrapped([body])
    expected = list(whole)
    for at in range(len(body)):
        for then in range(at, len(body)):
            cut = read_wrapped([body[:at], body[at:then], body[then:]])
            assert b"".join(cut) == b"".join(expected)
            assert cut.wrapping == whole.wrapping
