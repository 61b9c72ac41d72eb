"""MessageStream and its plain twin by example: the verbs, the states, the ends, the limits, and what they cost."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from sansio_claude._errors import (
    APIError,
    InvalidRequestError,
    LimitError,
    LocalProtocolError,
    OverloadedError,
    RateLimitError,
    RemoteProtocolError,
    ServerError,
    TruncatedError,
)
from sansio_claude._json import loads
from sansio_claude._limits import Limits
from sansio_claude._message.message import Message
from sansio_claude._message.tool_blocks import ToolInputBlock
from sansio_claude._stream import decode as _decode
from sansio_claude._stream import message_stream
from sansio_claude._stream.accumulate import MessageAccumulator
from sansio_claude._stream.events import (
    ContentBlockStart,
    ContentBlockStop,
    ErrorEvent,
    Event,
    InputJSONDelta,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
)
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude._stream.plain_stream import PlainStream
from sansio_claude._stream.shortcuts import short_way
from sansio_claude.testing import Transcript, chunkings, compose
from sansio_claude.testing.transcripts import prose
from tests.counting import growth, work
from tests.frames import (
    DELTA,
    END,
    START,
    answer,
    block,
    body,
    compact,
    delta,
    frame,
    message_start,
    start,
    stop,
    text,
    tool,
)
from tests.observe import run

BOTH = [MessageStream, PlainStream]
TEXT = {"type": "text", "text": ""}
EVERY_KIND: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": prose(300, seed=1)},
    {"type": "redacted_thinking", "data": "EmwKAhgB"},
    {"type": "text", "text": prose(400, seed=2) + ' "größe" \\ \n 日本 😀 \u2028'},
    {"type": "text", "text": "cited", "citations": [{"type": "char_location", "cited_text": "c"}]},
    {"type": "server_tool_use", "name": "web_search", "input": {"query": 'größe 日本 "x"\n'}},
    {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
    {"type": "mcp_tool_use", "name": "echo", "server_name": "demo", "input": {}},
    {"type": "compaction", "content": "summary", "encrypted_content": "opaque"},
    {"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}},
    {"type": "something_new", "payload": {"deep": [1, 2]}},
    {"type": "tool_use", "name": "save", "input": {"rows": [{"n": n} for n in range(20)]}},
]


@pytest.fixture(params=BOTH, ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest) -> type[PlainStream]:
    """Each test that takes this runs on both twins."""
    cls: type[PlainStream] = request.param
    return cls


def fed(*parts: Any, kind: type[PlainStream] = MessageStream, eof: bool = False, **options: Any) -> PlainStream:
    """A stream that got these events (JSON objects or bytes) in one read."""
    stream = kind(**options)
    stream.receive_data(body(*parts))
    if eof:
        stream.receive_eof()
    return stream


def error_of(stream: PlainStream) -> RemoteProtocolError | APIError:
    """Read to the end of a stream that must not end well."""
    try:
        stream.events_received()
        stream.events_received()
    except (RemoteProtocolError, APIError) as error:
        return error
    raise AssertionError("the stream ended well")


# Reading.


def test_a_stream_from_start_to_end(kind: type[PlainStream]) -> None:
    stream = kind()
    assert (stream.state, stream.done, stream.message, stream.deviations) == ("open", False, None, [])
    transcript = compose("Hello there, river.", seed=3, pings="usual")
    events: list[Event] = []
    for chunk in transcript.network_chunks():
        assert not stream.done
        stream.receive_data(chunk)
        events += stream.events_received()
    assert (stream.state, stream.done) == ("complete", True)
    stream.receive_eof()
    assert stream.events_received() == stream.events_received() == []
    assert stream.message is not None
    assert stream.message.to_dict() == transcript.message
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "Hello there, river."
    assert [type(event) for event in events if not isinstance(event, TextDelta)] == [
        MessageStart,
        ContentBlockStart,
        Ping,
        ContentBlockStop,
        MessageDelta,
        MessageStop,
    ]
    last = events[-1]
    assert isinstance(last, MessageStop)
    assert last.message is stream.message


@pytest.mark.parametrize("pings", ["none", "usual", "everywhere"])
@pytest.mark.parametrize("interleave", [False, True])
def test_every_kind_of_block_in_every_chunking(pings: Any, interleave: bool) -> None:
    transcript = compose(EVERY_KIND, seed=5, pings=pings, interleave=interleave)
    plain = run([transcript.data], kind=PlainStream)
    assert plain.dictionary == transcript.message
    assert [each[0] for each in plain.deviations] == []
    for name, chunks in chunkings.named(transcript.data):
        assert run(chunks) == plain, name
    assert run(transcript.network_chunks()) == plain
    if pings != "everywhere":
        assert run(transcript.frames, strict=True) == plain


def test_every_two_chunks_of_a_stream() -> None:
    content: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "text", "text": 'é "'},
        {"type": "tool_use", "id": "t", "name": "n", "input": {"é": [1]}},
    ]
    for each in content:
        whole = b"".join(compose([each], seed=1, pings="none").frames[1:])
        data = body(START) + whole
        expected = run([data], kind=PlainStream)
        assert expected.dictionary is not None
        assert expected.dictionary["content"] == [each]
        for chunks in chunkings.every_cut(data):
            assert run(chunks) == expected


def test_nothing_is_a_no_op(kind: type[PlainStream]) -> None:
    stream = kind()
    stream.receive_data(b"")
    assert (stream.events_received(), stream.state) == ([], "open")
    stream = fed(START, start(0, TEXT), kind=kind)
    for _ in range(3):
        stream.receive_data(b"")
    stream.receive_data(compact(text("x")))
    assert stream.message is not None
    assert stream.message.text == "x"


def test_other_kinds_of_bytes(kind: type[PlainStream]) -> None:
    data = body(*answer(*block(TEXT, {"type": "text_delta", "text": "hi"})), spell=compact)
    for same in (bytearray(data), memoryview(data), memoryview(b"x" + data + b"x")[1:-1]):
        stream = kind()
        stream.receive_data(same)
        assert stream.done


@pytest.mark.parametrize("wrong", ["data", 5, None, [1]])
def test_what_is_no_bytes_is_the_callers_mistake(kind: type[PlainStream], wrong: Any) -> None:
    stream = kind()
    with pytest.raises(LocalProtocolError, match="receive_data takes bytes, not " + type(wrong).__name__):
        stream.receive_data(wrong)
    assert stream.state == "open"


def test_bytes_after_the_end_are_the_callers_mistake(kind: type[PlainStream]) -> None:
    frames = [compact(value) for value in answer(*block(TEXT, {"type": "text_delta", "text": "hi"}))]
    for count in range(len(frames) + 1):
        stream = fed(*frames[:count], kind=kind, eof=True)
        stream.receive_eof()
        for data in (b"", b"x", frames[2]):
            with pytest.raises(LocalProtocolError, match="after receive_eof"):
                stream.receive_data(data)
    stream = fed(b"event: error\ndata: {}\n\n", kind=kind, eof=True)
    with pytest.raises(LocalProtocolError, match="after receive_eof"):
        stream.receive_data(b"x")


def test_the_list_of_events_is_the_callers(kind: type[PlainStream]) -> None:
    stream = fed(START, kind=kind)
    first = stream.events_received()
    stream.receive_data(body(start(0, TEXT), text("x")))
    assert len(first) == 1
    second = stream.events_received()
    first.clear()
    assert len(second) == 2


def test_a_stream_can_be_referred_to_weakly(kind: type[PlainStream]) -> None:
    stream = fed(START, start(0, TEXT), kind=kind)
    reference = weakref.ref(stream)
    del stream
    gc.collect()
    assert reference() is None


# The fused path is there, and only where it may be.


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The JSON of every event that takes the plain way, or the short way of events that are no deltas."""
    seen: list[dict[str, Any]] = []

    def spy(data: bytes, depth: int) -> Any:
        value = loads(data, depth)
        seen.append(value)
        return value

    def spy_short(accumulator: MessageAccumulator, name: str, raw: bytes, limits: Limits) -> Any:
        event = short_way(accumulator, name, raw, limits)
        if event is not None:
            seen.append(loads(raw))
        return event

    monkeypatch.setattr(_decode, "loads", spy)
    monkeypatch.setattr(message_stream, "short_way", spy_short)
    return seen


THINKING = {"type": "thinking", "thinking": ""}
FUSED: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
    (TEXT, [{"type": "text_delta", "text": each} for each in ("a", "", "é", "\u2028", "\x7f", 'q"', "\\", "\n", "}}")]),
    (THINKING, [{"type": "thinking_delta", "thinking": each} for each in ("a", "\t", "b")]),
    *(
        (
            {"type": tool_kind, "input": {}},
            [{"type": "input_json_delta", "partial_json": each} for each in ("", '{"a"', ": 1}")],
        )
        for tool_kind in ("tool_use", "server_tool_use", "mcp_tool_use")
    ),
]


def test_a_text_with_other_escapes_is_fused(decoded: list[dict[str, Any]]) -> None:
    escaped = compact(text("é")).replace("é".encode(), b"\\u00e9 \\ud83d\\ude00\\/")
    for chunks in ([escaped, escaped], [escaped * 2]):
        decoded.clear()
        stream = MessageStream()
        for chunk in [body(START, start(0, TEXT)), *chunks]:
            stream.receive_data(chunk)
        assert len(decoded) == 2
        assert [event.text for event in stream.events_received()[2:] if isinstance(event, TextDelta)] == ["é 😀/"] * 2


@pytest.mark.parametrize("index", [0, 7, 9_999])
@pytest.mark.parametrize(("first", "deltas"), FUSED, ids=lambda value: value["type"] if isinstance(value, dict) else "")
@pytest.mark.parametrize("padding", [0, 15, 63])
def test_usual_deltas_are_fused(
    decoded: list[dict[str, Any]], index: int, first: dict[str, Any], deltas: list[dict[str, Any]], padding: int
) -> None:
    frames = [compact(delta(index, **fields), padding) for fields in deltas]
    opening = body(START, start(index, first))
    ways: list[list[bytes]] = [
        [opening, *frames],
        [opening, *chunkings.steps(b"".join(frames), 11)],
    ]
    if padding < 16:
        ways.append([opening + b"".join(frames)])
        ways.append([opening, b"".join(frames) + frames[0][:20], frames[0][20:]])
    for way, chunks in enumerate(ways):
        decoded.clear()
        stream = MessageStream()
        for chunk in chunks:
            stream.receive_data(chunk)
        assert len(decoded) == 2
        events = stream.events_received()
        assert len(events) == 2 + len(deltas) + (way == 3)
        plain = fed(*chunks, kind=PlainStream)
        assert events == plain.events_received()
        assert stream.message == plain.message
        assert stream._accumulator.event_number <= len(events)


TWO_LINES = [
    compact(text("x"), 64),
    compact(text("x")).replace(b"}}", b"}\t}"),
    compact(text("x")).replace(b',"index"', b', "index"'),
    compact({**text("x"), "more": 1}),
    compact(delta(0, type="text_delta", text="x", more=1)),
    compact(delta(0, type="new_delta", text="x")),
    compact(delta(0, type="citations_delta", citation={})),
    compact({"type": "ping"}),
]
OTHER_LINES = [
    compact(text("x")).replace(b"data: ", b"data:"),
    compact(text("x")).replace(b"data: ", b"id: 1\ndata: "),
    compact(text("x")).replace(b"event: content_block_delta\n", b""),
    compact(text("x")).replace(b"\n", b"\r\n"),
    b": comment\n\n" + compact({**text("x"), "more": 1}),
]


@pytest.mark.parametrize("odd", [*TWO_LINES, *OTHER_LINES])
def test_other_deltas_go_the_plain_way_and_the_next_are_fused_again(decoded: list[dict[str, Any]], odd: bytes) -> None:
    chunks = [body(START, start(0, TEXT)), compact(text("a")), odd, compact(text("b")), compact(text("c"))]
    for read in (chunks, [b"".join(chunks)], [chunks[0], b"".join(chunks[1:])]):
        decoded.clear()
        stream = MessageStream()
        for chunk in read:
            stream.receive_data(chunk)
        # Events of other lines take what is behind them in the same read with them.
        assert 3 <= len(decoded) <= (3 if odd in TWO_LINES or read is chunks else 6)
        stream.receive_data(compact(text("d")))
        assert decoded[-1] != text("d")
        assert stream.events_received() == fed(*chunks, compact(text("d")), kind=PlainStream).events_received()


@pytest.mark.parametrize("odd", [compact({**text("x"), "delta": 1}), compact({"type": "error", "error": {}})])
@pytest.mark.parametrize("before", [b"", compact(text("a")), compact(text("a")) * 200])
def test_nothing_is_fused_behind_what_ends_a_stream(odd: bytes, before: bytes) -> None:
    for chunks in ([before + odd], [before, odd], [before + odd + compact(text("b"))]):
        stream = fed(START, start(0, TEXT))
        for chunk in chunks:
            stream.receive_data(chunk)
        count = len(stream.events_received())
        assert count == 2 + before.count(b"event: ") + (b"error" in odd)
        for late in (compact(text("c")), compact(text("c")) * 2):
            stream.receive_data(late)
            with pytest.raises((RemoteProtocolError, APIError)):
                stream.events_received()


@pytest.mark.parametrize(
    "hostile", ['a""b', 'a" "b', 'a"\t"b', 'a","b', 'a"\\n"b', '"', '""', "a\\", "\\u", "a\x00b", '" , "']
)
@pytest.mark.parametrize(
    "behind",
    [
        compact(text("y")),
        compact({"type": "ping"}),
        b'event: error\ndata:{"type":"error","error":{"type":"overloaded_error","message":"m"}}\n\n',
        b": comment\n\n",
    ],
)
def test_a_text_that_closes_its_quotes_is_no_text_in_any_company(hostile: str, behind: bytes) -> None:
    odd = compact(text("x")).replace(b'"x"', b'"' + hostile.encode() + b'"')
    frames = [
        body(START, start(0, TEXT)),
        compact(text("a")),
        odd,
        behind,
        compact({"type": "ping"}),
        compact(text("z")),
    ]
    for chunks in (frames, [b"".join(frames)], [frames[0], b"".join(frames[1:])], chunkings.bytewise(b"".join(frames))):
        assert run(chunks) == run(chunks, kind=PlainStream)


def test_the_newest_open_block_is_the_one_that_is_fused(decoded: list[dict[str, Any]]) -> None:
    frames = [START, start(0, TEXT), text("a"), start(1, TEXT), text("b", 1), text("c", 0), text("d", 1)]
    stream = MessageStream()
    for each in frames:
        stream.receive_data(compact(each))
    assert [value["type"] for value in decoded] == [
        "message_start",
        "content_block_start",
        "content_block_start",
        "content_block_delta",
    ]
    stream.receive_data(compact(stop(1)))
    stream.receive_data(compact(text("e", 0)))
    assert len(decoded) == 6
    assert stream.message is not None
    assert stream.message.text == "acebd"


def test_nothing_is_fused_after_the_block_has_ended_or_the_message(decoded: list[dict[str, Any]]) -> None:
    stream = fed(START, *block(TEXT), kind=MessageStream)
    stream.receive_data(compact(text("x")))
    assert "has stopped" in str(error_of(stream))
    stream = fed(START, start(0, TEXT), DELTA, END)
    stream.receive_data(compact(text("x")) * 2)
    assert [each.kind for each in stream.deviations] == ["open_block", "after_message_stop"]
    assert stream.message is not None
    assert stream.message.text == ""


def test_deltas_of_a_block_beyond_the_split_window_are_fused(decoded: list[dict[str, Any]]) -> None:
    frames = [compact(text(str(number) * 50), number % 16) for number in range(1_000)]
    stream = fed(START, start(0, TEXT))
    decoded.clear()
    stream.receive_data(b"".join(frames))
    assert decoded == []
    assert len(stream.events_received()) == 1_002


def test_a_delta_larger_than_the_split_window(decoded: list[dict[str, Any]]) -> None:
    for size in (1_000, 16_000, 16_384, 20_000, 100_000):
        long = compact(text("x" * size))
        for chunks in ([long], [compact(text("a")) + long + compact(text("b"))], chunkings.steps(long, 700)):
            stream = fed(START, start(0, TEXT))
            for chunk in chunks:
                stream.receive_data(chunk)
            assert stream.message is not None
            assert len(stream.message.text.strip("ab")) == size


# The ends of a stream.


def test_every_beginning_of_a_stream_is_truncated_and_keeps_what_came() -> None:
    content: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "hm hm", "signature": "s=="},
        {"type": "text", "text": "the größe river"},
        {"type": "tool_use", "id": "t", "name": "n", "input": {"a": [1, "é"]}},
    ]
    transcript = compose(content, seed=2)
    data = transcript.data
    last = data.rindex(b"}") + 1  # from here on the last event is whole but for its line ends
    before: list[str] = []
    for cut in range(len(data) + 1):
        result = run([data[:cut]])
        if cut < last:
            assert (result.state, result.done) == ("truncated", False)
            assert result.error is not None
            assert result.error["class"] == "TruncatedError"
            assert result.error["offset"] == str(cut)
            assert result.deviations in ([], [("last_blank_line", len(result.events), _UNTERMINATED)])
        else:
            assert (result.state, result.done, result.error) == ("complete", True, None)
            assert result.dictionary == transcript.message
        kinds = [event.split("(")[0] for event in result.events]
        assert kinds[: len(before)] == before
        before = kinds
        if cut % 10 == 0 or cut > last - 20:
            assert run([data[:cut]], strict=True).done == (cut == len(data))


_UNTERMINATED = "the last event has no blank line behind it"


def test_an_input_is_never_runnable_before_its_block_has_ended() -> None:
    transcript = compose([{"type": "tool_use", "id": "t", "name": "n", "input": {"a": [1, "é"], "b": {}}}], seed=4)
    end = transcript.data.index(b'{"type":"content_block_stop"')
    for cut in range(len(transcript.data)):
        stream = fed(transcript.data[:cut], eof=True)
        for each in stream.message.tool_uses if stream.message is not None else ():
            whole = cut >= transcript.data.index(b"}", end) + 1
            assert (each.input_status == "complete") == whole
            if not whole:
                with pytest.raises(LocalProtocolError):
                    _ = each.input


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the stream ended without a single byte of an event"),
        (b"\n \r\n\n", "the stream ended without a single byte of an event"),
        (b"<!DOCTYPE html><html>\n\n</html>", "no event in 30 bytes; it looks like an HTML page"),
        (b'  {"type":"other"}', "no event in 18 bytes; it looks like JSON"),
        (b'{"type":"message"', "no event in 17 bytes; it looks like JSON"),
        (b"data: x\nevent: y\n", "no event in 17 bytes: an event ends with an empty line"),
        (b"[{}]", "no event in 4 bytes; it looks like JSON"),
        (b"\x1f\x8b\x08\x00", "no event in 4 bytes; it is compressed with gzip"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "no event in 19 bytes; it begins with an HTTP head"),
        (b"\xff\xfed\x00", "no event in 4 bytes; it is UTF-16"),
        (b"\xfe\xff\x00d", "no event in 4 bytes; it is UTF-16"),
        (b"garbage", "no event in 7 bytes: this is no event stream"),
        (b": ping\n\n" * 30, "no event in 240 bytes: this is no event stream"),
    ],
)
def test_a_body_without_events_is_truncated_and_says_what_it_looks_like(
    kind: type[PlainStream], data: bytes, words: str
) -> None:
    for chunks in ([data], chunkings.bytewise(data)):
        stream = kind()
        for chunk in chunks:
            stream.receive_data(chunk)
        stream.receive_eof()
        with pytest.raises(TruncatedError) as caught:
            stream.events_received()
        assert str(caught.value).startswith(words)
        assert (caught.value.stage, caught.value.offset, caught.value.partial) == ("stream", len(data), None)
        assert caught.value.excerpt == data[:64]
        assert stream.state == "truncated"


def test_the_words_of_a_truncation_count_events_and_bytes(kind: type[PlainStream]) -> None:
    data = body({"type": "ping"})
    error = error_of(fed(data, kind=kind, eof=True))
    assert str(error) == (
        f"the stream ended before message_start, after 1 events and {len(data)} bytes: the answer is cut off, "
        "and nothing of it had arrived"
    )
    data += body(START, start(0, TEXT)) + compact(text("so far")) + b"event: cont"
    stream = fed(data, kind=kind, eof=True)
    error = error_of(stream)
    assert str(error).startswith(f"the stream ended before message_stop, after 4 events and {len(data)} bytes:")
    assert isinstance(error, TruncatedError)
    assert error.excerpt == b""
    assert error.partial is stream.message
    assert error.partial is not None
    assert error.partial.text == "so far"


def test_a_last_event_that_is_not_whole_json_is_dropped(kind: type[PlainStream]) -> None:
    for tail in (b'data: {"type":"message_stop"', b'data: {"type":"message_sto', b"data: [DONE]", b"data: 7", b"data"):
        stream = fed(START, DELTA, tail, kind=kind, eof=True)
        assert isinstance(error_of(stream), TruncatedError)
        assert stream.deviations == []


@pytest.mark.parametrize("end", [b"", b"\n", b"\r", b"\r\n"])
def test_a_last_event_that_only_lacks_its_blank_line_counts(kind: type[PlainStream], end: bytes) -> None:
    line = b'event: message_stop\ndata: {"type":"message_stop"}'
    stream = fed(START, DELTA, line, end, kind=kind, eof=True)
    assert (stream.state, stream.done) == ("complete", True)
    assert [(each.kind, each.event_number, each.words) for each in stream.deviations] == [
        ("last_blank_line", 3, _UNTERMINATED)
    ]
    assert isinstance(stream.events_received()[-1], MessageStop)
    assert stream.events_received() == []
    strict = fed(START, DELTA, line, end, kind=kind, eof=True, strict=True)
    error = error_of(strict)
    why = "(event 3; a deviation of the kind 'last_blank_line' is refused here)"
    assert str(error) == f"event 2, at byte {len(body(START, DELTA))}: {_UNTERMINATED} {why}"
    assert strict.state == "broken"


def test_a_last_event_in_several_data_lines_counts_and_begins_at_its_first_line(kind: type[PlainStream]) -> None:
    stream = fed(START, b'data: {"type":\ndata: "content_block_stop"}', kind=kind, eof=True)
    error = error_of(stream)
    assert str(error).startswith(f"event 2, at byte {len(body(START))}: the index of a content_block_stop is missing")
    assert (error.offset, stream.state) == (len(body(START)), "broken")  # type: ignore[union-attr]
    stream = fed(START, b'event: ping\n: c\ndata: {"type":"ping"}', kind=kind, eof=True)
    assert isinstance(error_of(stream), TruncatedError)
    assert len(stream.deviations) == 1


def test_a_byte_order_mark_inside_the_stream_is_no_byte_order_mark_at_its_end(kind: type[PlainStream]) -> None:
    stream = fed(START, DELTA, b'\xef\xbb\xbfdata: {"type":"message_stop"}', kind=kind, eof=True)
    assert isinstance(error_of(stream), TruncatedError)


def test_an_error_event_without_data_at_the_end_is_dropped(kind: type[PlainStream]) -> None:
    assert isinstance(error_of(fed(START, b"event: error", kind=kind, eof=True)), TruncatedError)


def test_what_was_refused_stays_refused(kind: type[PlainStream]) -> None:
    bad = body(text("x", 5))
    data = body(START, start(0, TEXT), text("a"))
    stream = fed(data, bad, text("b"), kind=kind)
    assert len(stream.events_received()) == 3  # what was good comes first
    errors = []
    for step in range(4):
        with pytest.raises(RemoteProtocolError) as caught:
            stream.events_received()
        errors.append(caught.value)
        if step == 1:
            stream.receive_data(body(*answer()))
        elif step == 2:
            stream.receive_eof()
    assert len(set(map(id, errors))) == 1
    error = errors[0]
    assert str(error) == f"event 4, at byte {len(data)}: a text_delta came for block 5, which never started"
    assert (error.stage, error.offset) == ("blocks", len(data))
    assert error.excerpt == bad.split(b"data: ")[1][:80]
    assert error.partial is stream.message
    assert (stream.state, stream.done) == ("broken", False)
    assert stream.message is not None
    assert stream.message.text == "a"


def test_an_error_of_a_stream_can_be_pickled_and_copied_with_what_had_come(kind: type[PlainStream]) -> None:
    stream = fed(
        *(START, start(0, TEXT), text('{"a": [1'), start(1, {"type": "tool_use", "id": "t", "input": {}})),
        delta(1, type="input_json_delta", partial_json='{"b": "x'),
        kind=kind,
    )
    watch = stream.watch(0, "a[*]")
    assert (watch.new(), stream.partial_input(1).value) == ([], {"b": "x"})
    stream.receive_eof()
    error = error_of(stream)
    for twin in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error), copy.copy(error)):
        assert (type(twin), str(twin)) == (TruncatedError, str(error))
        assert twin.partial is not None
        assert twin.partial == error.partial
        assert twin.partial.to_dict()["content"][0] == {"type": "text", "text": '{"a": [1'}
        (call,) = twin.partial.tool_uses
        assert (call.input_status, call.partial_input) == ("partial", {"b": "x"})


def test_raising_again_does_not_lengthen_the_traceback(kind: type[PlainStream]) -> None:
    stream = fed(b"data: x\n\n", kind=kind)
    depths = []
    for _ in range(3):
        with pytest.raises(RemoteProtocolError) as caught:
            stream.events_received()
        depth, traceback = 0, caught.value.__traceback__
        while traceback is not None:
            depth, traceback = depth + 1, traceback.tb_next
        depths.append(depth)
    assert len(set(depths)) == 1


# Error events.


def test_an_error_event_ends_the_stream(kind: type[PlainStream]) -> None:
    error = {"details": None, "type": "overloaded_error", "message": "Overloaded"}
    data = body(START, start(0, TEXT), text("a"))
    stream = fed(data, {"type": "error", "error": error, "request_id": "req_1"}, text("b"), END, kind=kind)
    events = stream.events_received()
    assert events[-1] == ErrorEvent(error, {"request_id": "req_1"})
    caught = error_of(stream)
    assert isinstance(caught, OverloadedError)
    assert (caught.type, caught.status, caught.error_message) == ("overloaded_error", 200, "Overloaded")
    assert (caught.request_id, caught.retryable, caught.phase) == ("req_1", True, "after_output")
    assert caught.partial is stream.message
    assert stream.message is not None
    assert stream.message.text == "a"
    assert caught.body.startswith(b'{"type": "error"')
    stream.receive_data(body(END))
    stream.receive_eof()
    assert error_of(stream) is caught
    assert (stream.state, stream.done) == ("errored", False)


def test_an_error_event_as_the_first_event(kind: type[PlainStream]) -> None:
    stream = fed({"type": "error", "error": {"type": "api_error"}}, kind=kind)
    caught = error_of(stream)
    assert isinstance(caught, ServerError)
    assert (caught.phase, caught.partial) == ("before_output", None)
    assert error_of(fed(START, b"data: {'error'}\n\n", kind=kind)).partial is not None
    begun = error_of(fed(START, {"type": "error", "error": "words"}, kind=kind))
    assert isinstance(begun, APIError)
    assert (begun.phase, begun.error_message) == ("before_output", "words")


@pytest.mark.parametrize(
    "data",
    [
        b'data: {"type":"error","error":{"type":"overloaded_error","message":"m"}}\n\n',
        b'event: ping\ndata: {"type":"error","error":{"type":"overloaded_error","message":"m"}}\n\n',
        b'data: {"error":{"type":"overloaded_error","message":"m"}}\n\n',
        b'event: message_stop\ndata: {"error":{"type":"overloaded_error","message":"m"}}\n\n',
        b'event: error\ndata: {"type":"overloaded_error","message":"m"}\n\n',
    ],
)
def test_an_error_object_without_the_right_name_is_one_too(kind: type[PlainStream], data: bytes) -> None:
    caught = error_of(fed(START, data, *STOP_NOW, kind=kind))
    assert isinstance(caught, OverloadedError)
    assert caught.error_message == "m"


STOP_NOW = [DELTA, END]


@pytest.mark.parametrize(
    ("lines", "words"), [(b"", ""), (b"data\n", ""), (b"data: overloaded\n", "overloaded"), (b'data: ["a"]\n', "a")]
)
def test_an_error_event_whose_data_is_nothing_or_no_object(kind: type[PlainStream], lines: bytes, words: str) -> None:
    error = error_of(fed(START, b"event: error\n" + lines + b"\n", *STOP_NOW, kind=kind))
    assert isinstance(error, APIError)
    assert (error.error_message, error.status, error.phase) == (words, 200, "before_output")
    assert error.partial is not None


@pytest.mark.parametrize(
    ("value", "cls", "retryable", "code"),
    [
        ({"code": 429, "message": "m", "type": "rate_limit_exceeded"}, RateLimitError, True, "429"),
        ({"code": "429", "message": "m"}, RateLimitError, True, "429"),
        ({"code": "1302", "message": "m"}, RateLimitError, True, "1302"),
        ({"type": "internal_error", "message": "m"}, ServerError, True, None),
        ({"type": "overloaded", "message": "m"}, OverloadedError, True, None),
        ({"type": "invalid_request_error", "message": "m", "code": 429}, InvalidRequestError, False, "429"),
    ],
)
def test_errors_of_gateways_in_a_stream(
    kind: type[PlainStream], value: dict[str, Any], cls: type[APIError], retryable: bool, code: str | None
) -> None:
    error = error_of(fed(START, frame({"error": value}, "message"), kind=kind))
    assert isinstance(error, APIError)
    assert (type(error), error.retryable, error.code, error.error_message) == (cls, retryable, code, "m")


def test_the_body_of_an_error_event_is_bounded(kind: type[PlainStream]) -> None:
    event = {"type": "error", "error": {"type": "api_error", "message": "m" * 500}}
    caught = error_of(fed(event, kind=kind, limits=Limits(error_body=100)))
    assert isinstance(caught, APIError)
    assert len(caught.body) == 100
    assert caught.error_message == "m" * 500


def test_an_error_event_at_the_end_without_its_blank_line(kind: type[PlainStream]) -> None:
    stream = fed(START, b'data: {"type":"error","error":{"type":"overloaded_error"}}', kind=kind, eof=True)
    assert isinstance(error_of(stream), OverloadedError)
    assert stream.state == "errored"


# After message_stop.


def test_after_message_stop_bytes_are_ignored_once_recorded(kind: type[PlainStream]) -> None:
    for late in (
        b": comment\n\n" + body({"type": "ping"}, {"type": "error", "error": {"type": "api_error"}}, {"type": "ping"}),
        body({"type": "error", "error": {"type": "api_error"}}),
        body(text("x")),
        b"data: no json\n\n",
        b"data: [DONE]\n\n",
        b"garbage",
        b"<html>\n<body>\n",
        b"\0\n" * 3,
        b": comment\n\nevent: ping\ndata: {}\n\ngarbage\n" + body({"type": "ping"}) + b"more: x\n",
    ):
        for chunks in ([body(*answer()) + late], [body(*answer()), late], chunkings.bytewise(body(*answer()) + late)):
            stream = kind()
            for chunk in chunks:
                stream.receive_data(chunk)
            stream.receive_eof()
            assert len(stream.events_received()) == 3
            assert stream.events_received() == []
            assert (stream.state, stream.done) == ("complete", True)
            assert [(each.kind, each.event_number, each.words) for each in stream.deviations] == [
                ("after_message_stop", 4 + late.startswith(b":"), "something came after message_stop")
            ]


def test_white_space_comments_and_pings_after_message_stop_are_nothing(kind: type[PlainStream]) -> None:
    pings = body({"type": "ping"}) + b'data: {"type": "ping"}\n\nevent: ping\ndata: x\n\nevent:ping\ndata\n\n'
    for late in (pings, b": comment\n\n\n \n\n", b"\r\n\r\n", pings + b"\n" + pings[:-1], pings[:30]):
        whole = body(*answer())
        for chunks in ([whole + late], [whole, late], chunkings.bytewise(whole + late)):
            result = run(chunks, kind=kind, strict=True)
            assert (result.state, result.deviations) == ("complete", [])


def test_after_message_stop_even_limits_are_not_looked_at(kind: type[PlainStream]) -> None:
    whole = body(*answer())
    for late in (b"x" * 5_000, (b"data: " + b"x" * 900 + b"\n") * 5, b"x" * 900):
        stream = kind(limits=Limits(line=1_000, event=1_000, message=len(whole)))
        stream.receive_data(whole)
        stream.receive_data(late)
        stream.receive_data(late)
        stream.receive_eof()
        assert len(stream.events_received()) == 3
        assert stream.events_received() == []
        assert stream.state == "complete"
        together = fed(whole, late, kind=kind, limits=Limits(line=1_000, event=1_000, message=len(whole) + 1))
        assert (len(together.events_received()), together.events_received()) == (3, [])


def test_after_message_stop_and_a_passed_limit_nothing_is_an_event_any_more(kind: type[PlainStream]) -> None:
    whole, ping = body(*answer()), frame({"type": "ping"})
    for reads in ([whole, b"x" * 300, ping, ping + ping], [whole + b"x" * 300 + b"\n\n" + ping * 3]):
        stream = kind(limits=Limits(line=200))
        for read in reads:
            stream.receive_data(read)
        assert (len(stream.events_received()), stream.state) == (3, "complete")
        assert [each.kind for each in stream.deviations] == ["after_message_stop"]


@pytest.mark.parametrize(
    "odd",
    [
        b"event:ping\ndata: {}\n\n",
        b"event:  ping\ndata: {}\n\n",
        b"eventx: ping\ndata: {}\n\n",
        b"event\ndata: {}\n\n",
        b"event: \ndata: {}\n\n",
        b"event: ping\ndata: {}\ndata: \n\n",
        b"event: ping\nid: 3\ndata: {}\n\n",
        b"event: new\nevent: ping\ndata: {}\n\n",
        b"event: ping\ndata: {}\nevent: new\n\n",
        b"event: ping\ndata:{}\n\n",
        b"event: ping\n\n",
        b"event: \xff\ndata: {}\n\n",
        b"data: {}\nevent: ping\n\n",
        b"\nevent: ping\ndata: {}\n\n",
        b"event: ping\ndata: data: {}\n\n",
    ],
)
def test_the_name_of_an_event_is_read_as_the_decoder_reads_it(odd: bytes) -> None:
    opening = body(START, start(0, TEXT))
    expected = run(chunkings.bytewise(opening + odd * 2), kind=PlainStream)
    for chunks in (
        [opening, odd, odd],
        [opening + odd + odd],
        [opening, odd + odd],
        [opening + odd[:5], odd[5:] + odd],
    ):
        assert run(chunks) == expected


def test_bytes_that_begin_no_event_after_message_stop_are_not_even_recorded(kind: type[PlainStream]) -> None:
    stream = fed(*answer(), b": comment\n\n\n\nevent: half", kind=kind, eof=True)
    assert stream.deviations == []
    assert stream.state == "complete"


def test_even_strict_refuses_nothing_after_message_stop(kind: type[PlainStream]) -> None:
    stream = fed(*answer(), END, kind=kind, strict=True, eof=True)
    assert [each.kind for each in stream.deviations] == ["after_message_stop"]
    assert (stream.done, stream.state) == (True, "complete")
    assert stream.finish() is stream.message


# Limits.


def test_the_limit_of_the_whole_body(kind: type[PlainStream]) -> None:
    data = body(*answer(*block(TEXT, {"type": "text_delta", "text": "hi"})), spell=compact)
    for chunks in ([data], chunkings.bytewise(data), chunkings.steps(data, 100)):
        for size in (*range(1, len(data), 11), len(data) - 1, len(data)):
            stream = kind(limits=Limits(message=size))
            for chunk in chunks:
                stream.receive_data(chunk)
            plain = fed(data[:size], kind=PlainStream)
            if size >= len(data):
                assert stream.done
                continue
            events = plain.events_received()
            assert not events or repr(stream.events_received()) == repr(events)
            with pytest.raises(LimitError) as caught:
                stream.events_received()
            error = caught.value
            assert (error.limit, error.value, error.offset, error.stage) == ("message", size, size, "stream")
            assert str(error).endswith(f"at byte {size}: the answer passes Limits.message = {size} bytes")
            assert error.excerpt == b""
            assert stream.state == "broken"


def test_what_passes_a_limit_of_lines_just_before_the_limit_of_the_body(kind: type[PlainStream]) -> None:
    first = body(START, start(0, TEXT))
    limits = Limits(line=300, message=len(first) + 350)
    data = first + compact(text("x" * 400))
    for chunks in ([data], chunkings.bytewise(data), [first, data[len(first) :]], chunkings.steps(data, 90)):
        stream = kind(limits=limits)
        for chunk in chunks:
            stream.receive_data(chunk)
        error = error_of(stream)
        assert isinstance(error, LimitError)
        assert (error.limit, error.offset) == ("line", len(first) + len(b"event: content_block_delta\n"))


def test_without_content_the_body_may_be_of_any_size(kind: type[PlainStream]) -> None:
    stream = kind(limits=Limits(message=10), keep_content=False)
    for chunk in (body(START, start(0, TEXT)), *(compact(text("x")) for _ in range(100)), body(stop(), *STOP_NOW)):
        stream.receive_data(chunk)
    assert stream.done
    assert len(stream.events_received()) == 105


@pytest.mark.parametrize(
    ("limits", "event", "limit"),
    [
        (Limits(line=200), text("x" * 200), "line"),
        (Limits(event=200), text("x" * 200), "event"),
        (Limits(event_lines=2), b'event: ping\ndata: {"type":\ndata: "ping"}\n\n', "event_lines"),
        (Limits(depth=3), {"type": "ping", "x": [[[]]]}, "depth"),
        (Limits(blocks=1), start(1, TEXT), "blocks"),
        (Limits(blocks=5), text("x", 5), "blocks"),
    ],
)
def test_limits_of_events(kind: type[PlainStream], limits: Limits, event: Any, limit: str) -> None:
    first = body(message_start(usage={}), start(0, TEXT), spell=compact)
    data = event if isinstance(event, bytes) else compact(event)
    for chunks in ([first + data], [first, data], chunkings.bytewise(first + data)):
        stream = kind(limits=limits)
        for chunk in chunks:
            stream.receive_data(chunk)
        error = error_of(stream)
        assert isinstance(error, LimitError)
        assert (error.limit, error.value) == (limit, getattr(limits, limit))
        assert error.offset is not None
        assert error.offset >= len(first)
        assert error.partial is stream.message is not None
        assert stream.state == "broken"


def test_a_limit_that_is_passed_by_the_tail_of_a_read_comes_after_its_events(kind: type[PlainStream]) -> None:
    stream = fed(START, b"x" * 300, kind=kind, limits=Limits(line=200))
    assert len(stream.events_received()) == 1
    assert isinstance(error_of(stream), LimitError)
    lone = fed(b"x" * 300, kind=kind, limits=Limits(line=200))
    error = error_of(lone)
    assert str(error) == "event 1, at byte 0: the event stream passes Limits.line = 200 at byte 0"


def test_an_error_event_before_a_passed_limit_is_the_end(kind: type[PlainStream]) -> None:
    stream = fed({"type": "error", "error": {"type": "api_error"}}, b"x" * 300, kind=kind, limits=Limits(line=200))
    assert isinstance(error_of(stream), ServerError)
    stream = fed(b'data: {"type":"content_block_stop"}\n\n', b"x" * 300, kind=kind, limits=Limits(line=200))
    assert "before message_start" in str(error_of(stream))


def test_deltas_as_large_as_the_limit_are_fine(kind: type[PlainStream]) -> None:
    event = compact(text("x" * 100))
    line = len(event.split(b"\n")[1])
    for limits, good in ((Limits(line=line), True), (Limits(line=line - 1), False)):
        for chunks in ([event], [event * 3], chunkings.bytewise(event)):
            stream = fed(message_start(usage={}), start(0, TEXT), kind=kind, limits=limits)
            for chunk in chunks:
                stream.receive_data(chunk)
            assert (stream.state == "open") is good


# Without content.


@pytest.mark.parametrize("way", ["frames", "whole", "bytewise"])
def test_without_content_the_events_are_the_same_and_the_message_is_empty(way: str) -> None:
    transcript = compose(EVERY_KIND, seed=5)
    chunks = {
        "frames": list(transcript.frames),
        "whole": [transcript.data],
        "bytewise": chunkings.bytewise(transcript.data),
    }
    lean = run(chunks[way], keep_content=False)
    full = run(chunks[way])
    assert (lean.state, lean.deviations) == ("complete", [])
    assert len(lean.events) == len(full.events)
    assert [a for a in lean.events if "Delta(" in a] == [b for b in full.events if "Delta(" in b]
    assert lean.dictionary is not None
    assert transcript.message is not None
    assert lean.dictionary == {**transcript.message, "content": []}
    assert run(chunks[way], kind=PlainStream, keep_content=False) == lean


def test_without_content_nothing_grows() -> None:
    stream = fed(START, start(0, TEXT), keep_content=False)
    for number in range(100):
        stream.receive_data(compact(text("x" * 100)) * (1 + number % 3))
        stream.events_received()
    assert stream._accumulator.open == {}
    tools = fed(START, start(0, {"type": "tool_use", "input": {}}), keep_content=False)
    tools.receive_data(compact(delta(0, type="input_json_delta", partial_json="{")) * 5)
    assert tools._accumulator.open == {}


# Looking while it arrives.


def test_the_message_grows_in_front_of_the_caller(kind: type[PlainStream]) -> None:
    stream = fed(START, start(0, TEXT), kind=kind)
    message = stream.message
    assert message is not None
    assert message.text == ""
    for number in range(1, 5):
        stream.receive_data(compact(text("x")))
        assert stream.message is message
        assert message.text == "x" * number
        assert message.to_dict()["content"] == [{"type": "text", "text": "x" * number}]


def test_partial_inputs(kind: type[PlainStream]) -> None:
    stream = fed(START, start(1, {"type": "tool_use", "id": "t", "name": "n", "input": {}}), kind=kind)
    parser = stream.partial_input(1)
    assert parser.snapshot("nothing") == "nothing"
    fragments = ['{"a": [1', ', "x', 'y"', "]}"]
    shown = []
    for fragment in fragments:
        stream.receive_data(compact(delta(1, type="input_json_delta", partial_json=fragment)))
        assert stream.partial_input(1) is parser
        shown.append(parser.snapshot())
    assert shown == [{"a": [1]}, {"a": [1, "x"]}, {"a": [1, "xy"]}, {"a": [1, "xy"]}]
    stream.receive_data(body(stop(1)))
    assert stream.partial_input(1).value == {"a": [1, "xy"]}


def test_many_fragments_in_one_read(kind: type[PlainStream]) -> None:
    stream = fed(START, start(0, {"type": "tool_use", "input": {}}), kind=kind)
    fragments = ["{", '"a"', ": ", "1", "}"]
    stream.receive_data(b"".join(compact(delta(0, type="input_json_delta", partial_json=each)) for each in fragments))
    assert stream.partial_input(0).text == '{"a": 1}'
    assert [event.partial_json for event in stream.events_received() if isinstance(event, InputJSONDelta)] == fragments


def test_where_there_is_no_partial_input(kind: type[PlainStream]) -> None:
    stream = fed(START, start(0, TEXT), start(1, {"type": "tool_use"}), kind=kind)
    for method in (stream.partial_input, stream.partial_output):
        with pytest.raises(LocalProtocolError, match="there is no block 7"):
            method(7)
    with pytest.raises(LocalProtocolError, match="block 0 is no tool call"):
        stream.partial_input(0)
    with pytest.raises(LocalProtocolError, match="block 1 is no text"):
        stream.partial_output(1)
    lean = fed(START, start(0, {"type": "tool_use"}), kind=kind, keep_content=False)
    with pytest.raises(LocalProtocolError, match="there is no block 0"):
        lean.partial_input(0)


def test_text_read_as_json_while_it_arrives(kind: type[PlainStream]) -> None:
    stream = fed(START, start(0, TEXT), kind=kind)
    stream.receive_data(compact(text('{"a": [')))
    output = stream.partial_output(0)
    assert output.snapshot() == {"a": []}
    stream.receive_data(compact(text("1")))
    stream.receive_data(compact(text(", 2")) * 2)
    assert stream.partial_output(0) is output
    assert output.text == '{"a": [1, 2, 2'
    stream.receive_data(frame(text("]}")))
    assert output.snapshot() == {"a": [1, 2, 2]}
    stream.receive_data(body(stop()))
    assert stream.partial_output(0).value == {"a": [1, 2, 2]}
    assert stream.message is not None
    assert stream.message.text == '{"a": [1, 2, 2]}'


def test_a_watch_on_inputs_and_on_text(kind: type[PlainStream]) -> None:
    stream = fed(START, start(0, TEXT), start(1, {"type": "tool_use", "input": {}}), kind=kind)
    rows, words = stream.watch(0, "rows[*]"), stream.watch(1, "text")
    stream.receive_data(body(text('{"rows": [1, 2'), delta(1, type="input_json_delta", partial_json='{"text": "ab')))
    assert (rows.new(), words.new()) == ([1], ["ab"])
    stream.receive_data(body(text("]}"), delta(1, type="input_json_delta", partial_json='c"}')))
    assert (rows.new(), words.new()) == ([2], ["c"])


def test_asking_for_a_closed_text_as_json(kind: type[PlainStream]) -> None:
    stream = fed(START, *block(TEXT, {"type": "text_delta", "text": "[1]"}), start(1, TEXT), kind=kind)
    assert stream.partial_output(0).value == [1]
    stream.receive_data(compact(text("x", 1)))
    assert stream.partial_output(0).text == "[1]"
    assert stream.message is not None
    assert stream.message.text == "[1]x"


def test_what_is_opaque_goes_back_byte_for_byte(kind: type[PlainStream]) -> None:
    opaque = "Eo+/ab\u00e9\u2028\\u0041 \t=="
    content: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "", "signature": opaque},
        {"type": "redacted_thinking", "data": opaque},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"encrypted_content": opaque}]},
        {"type": "code_execution_tool_result", "tool_use_id": "s", "content": {"encrypted_stdout": opaque}},
        {"type": "text", "text": "", "citations": [{"encrypted_index": opaque}]},
        {"type": "compaction", "content": None, "encrypted_content": opaque},
    ]
    for pings in ("none", "everywhere"):
        stream = kind()
        for chunk in compose(content, seed=1, pings=pings, interleave=True).network_chunks():
            stream.receive_data(chunk)
        assert stream.message is not None
        param = stream.message.to_param()
        assert json.dumps(param["content"]) == json.dumps(content)
        assert Message.from_dict(stream.message.to_dict()).to_param() == param


def test_deltas_of_each_kind_are_typed(kind: type[PlainStream]) -> None:
    stream = fed(
        START,
        *block(
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "hm"},
            {"type": "signature_delta", "signature": "s=="},
        ),
        *tool("{}", index=1),
        kind=kind,
    )
    events = stream.events_received()
    assert events[2:4] == [ThinkingDelta(0, "hm"), SignatureDelta(0, "s==")]
    assert events[6] == InputJSONDelta(1, "{}")


# Cost.


def _long(size: int) -> Transcript:
    return compose(prose(size), seed=1, pings="none")


SHAPES: dict[str, Callable[[int], list[bytes]]] = {
    "one event a read": lambda n: list(_long(n).frames),
    "all at once": lambda n: [_long(n).data],
    "reads of 16 KiB": lambda n: chunkings.steps(_long(n * 4).data, 16_384),
    "reads of 50 bytes": lambda n: chunkings.steps(_long(n).data, 50),
    "reads of 1 byte": lambda n: chunkings.bytewise(_long(n // 32).data),
    "one long delta": lambda n: [body(START, start(0, TEXT)), compact(text("x" * n * 4))],
    "one long delta in pieces": lambda n: [body(START, start(0, TEXT)), *chunkings.steps(compact(text("x" * n)), 50)],
    "a delta that never ends": lambda n: [
        body(START, start(0, TEXT)),
        *chunkings.steps(compact(text("x" * n))[:-1], 9),
    ],
    "a tool input": lambda n: [
        body(START, start(0, {"type": "tool_use", "input": {}})),
        *[compact(delta(0, type="input_json_delta", partial_json='{"a":'))] * (n // 16),
    ],
    "escapes": lambda n: [body(START, start(0, TEXT)), compact(text("x")).replace(b'"x"', b'"\\u0041"') * (n // 8)],
    "marks": lambda n: [body(START, start(0, TEXT)), b'"text_delta","text":"' * (n // 4)],
    "leads": lambda n: [body(START, start(0, TEXT)), compact(text("x"))[:-3] * (n // 16)],
    "pings": lambda n: [body(START), b'event: ping\ndata: {"type": "ping"}\n\n' * (n // 16)],
    "blank lines": lambda n: [body(START, start(0, TEXT)), b"\n" * n],
    "CRLF": lambda n: [_long(n).data.replace(b"\n", b"\r\n")],
    "after the end": lambda n: [body(*answer()), *chunkings.steps(compact(text("x")) * (n // 16), 100)],
    "small blocks": lambda n: [
        body(START),
        b"".join(
            body(*block(TEXT, {"type": "text_delta", "text": "x"}, index=i), spell=compact) for i in range(n // 32)
        ),
    ],
}


def test_what_is_no_event_is_not_worth_the_work_of_one() -> None:
    opening = body(START, start(0, TEXT))
    for odd in (b"\n", b": comment\n\n", b"id: 1\n\n", b"retry: 5\n\n", b"lost\n\n"):
        stream = fed(opening)
        data = odd * 5_000
        assert work(partial(stream.receive_data, data)) < 25 * len(data)
        assert len(stream.events_received()) == 2
        stream.receive_data(compact(text("x")))
        assert len(stream.events_received()) == 1


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("look", [False, True])
def test_the_work_is_linear_in_the_bytes(shape: str, look: bool) -> None:
    def streaming(size: int) -> Callable[[], object]:
        chunks = SHAPES[shape](size)

        def stream_all() -> None:
            stream = MessageStream()
            for chunk in chunks:
                stream.receive_data(chunk)
                stream.events_received()
                if look and stream.message is not None and stream.message.content:
                    assert stream.message.content[0].raw
            stream.receive_eof()

        return stream_all

    assert growth(streaming, size=4_000) < 1.15


@pytest.mark.parametrize("kind", [MessageStream, PlainStream])
def test_the_depth_that_is_allowed_is_allowed_while_the_input_arrives_too(kind: type[PlainStream]) -> None:
    limits = Limits(depth=1_000)
    fragments = ('{"a":' + "[" * 600, "]" * 600 + "}")
    pieces = [delta(0, type="input_json_delta", partial_json=each) for each in fragments]
    stream = fed(START, start(0, {"type": "tool_use", "input": {}}), pieces[0], kind=kind, limits=limits)
    block = stream._accumulator.blocks[0]
    assert isinstance(block, ToolInputBlock)
    assert block.input_status == "partial"
    stream.receive_data(body(pieces[1], stop(0)))
    assert str(block.input_status) == "complete"
    texts = [delta(1, type="text_delta", text=piece * 600) for piece in "[]"]
    stream.receive_data(body(start(1, TEXT), texts[0]))
    parser = stream.partial_output(1)
    stream.receive_data(body(texts[1]))
    assert (parser.status, parser.error) == ("complete", None)


@pytest.mark.parametrize("kind", [MessageStream, PlainStream])
def test_without_content_a_whole_message_is_read_up_to_a_limit(kind: type[PlainStream]) -> None:
    whole = json.dumps({"id": "m", "type": "message", "content": [{"type": "text", "text": "x" * 500}]}, indent=1)
    limits = Limits(kept=300)
    for pieces in (
        chunkings.whole(whole.encode()),
        chunkings.bytewise(whole.encode()),
        chunkings.steps(whole.encode(), 90),
    ):
        stream = kind(limits=limits, keep_content=False)
        for piece in pieces:
            stream.receive_data(piece)
        assert not stream._body  # nothing of it is kept any more
        with pytest.raises(LimitError, match=r"passes Limits\.kept = 300 bytes") as caught:
            stream.finish()
        assert (caught.value.limit, caught.value.value, caught.value.offset) == ("kept", 300, 300)
    tighter = kind(limits=Limits(message=200, kept=300), keep_content=False)
    tighter.receive_data(whole.encode())
    with pytest.raises(LimitError, match=r"passes Limits\.message = 200 bytes") as caught:
        tighter.finish()
    assert (caught.value.limit, caught.value.value, caught.value.offset) == ("message", 200, 200)
    kept = kind(limits=limits)
    kept.receive_data(whole.encode())
    assert kept.finish().text == "x" * 500
    small = kind(keep_content=False)
    small.receive_data(whole.encode())
    assert small.finish().content == []


@pytest.mark.parametrize("dropped", [0, 1_000])
def test_what_is_left_out_does_not_depend_on_the_way_that_is_taken(dropped: int) -> None:
    data = compose("Hi", seed=1).data
    for kept in range(1, 1_000, 9):
        limits = Limits(kept=kept, deviations=dropped)
        fused = run(chunkings.steps(data, 700), limits=limits, keep_content=False)
        assert fused == run([data], kind=PlainStream, limits=limits, keep_content=False)
        assert fused.done


@pytest.mark.parametrize("kind", [MessageStream, PlainStream])
def test_the_beginning_of_a_body_is_kept_no_longer_than_it_may_be_a_whole_message(kind: type[PlainStream]) -> None:
    stream = kind()
    stream.receive_data(b"{ a line that is none" + b" " * 2_000 + b"\n")
    assert stream._body
    for piece in chunkings.steps(compose("Hello", seed=1).data, 50):
        stream.receive_data(piece)
    assert not stream._body
    assert stream.finish().stop_reason is not None


@pytest.mark.parametrize("index", ["0", None, [0], {}, 0.0, 99, -1])
def test_an_index_that_is_none_is_told(index: Any) -> None:
    stream = MessageStream()
    stream.receive_data(compose("text").data)
    stream.receive_eof()
    for look in (stream.partial_input, stream.partial_output, lambda at: stream.watch(at, "a")):
        with pytest.raises(LocalProtocolError, match="there is no block"):
            look(index)
