"""finish, iter_events, aiter_events, text_of: the ways to read a stream to its end, on every cut of it."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Generator, Iterator
from http.client import HTTPMessage
from typing import Any, get_args

import pytest
import trio

import sansio_claude as c
from sansio_claude.testing import compose

WHOLE = compose([{"type": "text", "text": "Hello there!"}], seed=3)
TEXT = "Hello there!"
LAST = WHOLE.data.rindex(b"}")  # with this byte the data of message_stop is whole
REFUSAL = json.dumps({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}).encode()


class InTurn:
    """The chunks, one after the other. No generator: those want to be closed, and nobody here does."""

    def __init__(self, chunks: tuple[bytes, ...]) -> None:
        self.chunks = list(chunks)

    def __aiter__(self) -> InTurn:
        return self

    async def __anext__(self) -> bytes:
        if not self.chunks:
            raise StopAsyncIteration
        return self.chunks.pop(0)


def read_async(*chunks: bytes, **options: Any) -> tuple[list[c.Event], c.Message]:
    async def main() -> tuple[list[c.Event], c.Message]:
        events = c.aiter_events(InTurn(chunks), **options)
        return [event async for event in events], events.message

    return trio.run(main)


def read(*chunks: bytes, **options: Any) -> tuple[list[c.Event], c.Message]:
    events = c.iter_events(chunks, **options)
    return list(events), events.message


BOTH = pytest.mark.parametrize("reader", [read, read_async])


# finish


def test_finish_gives_the_message_on_no_cut_but_a_whole_one() -> None:
    for cut in range(len(WHOLE.data) + 1):
        stream = c.MessageStream()
        stream.receive_data(WHOLE.data[:cut])
        if cut > LAST:
            assert stream.finish().text == TEXT
            assert stream.finish() is stream.message
            continue
        with pytest.raises(c.TruncatedError) as caught:
            stream.finish()
        assert caught.value.partial is stream.message
        with pytest.raises(c.TruncatedError):
            stream.finish()


def test_events_stay_readable_behind_finish_also_where_it_raises() -> None:
    for body in (WHOLE.data, WHOLE.data[:-9]):
        seen = c.MessageStream()
        seen.receive_data(body)
        seen.receive_eof()
        expected = seen.events_received()
        unread, handed = c.MessageStream(), c.MessageStream()
        taken: list[c.Event] = []
        for stream, handle in ((unread, None), (handed, taken.append)):
            stream.receive_data(body)
            try:
                stream.finish(handle)
            except c.TruncatedError:
                assert body is not WHOLE.data
        assert unread.events_received() == taken == expected


def test_what_a_handler_raises_passes_and_the_events_behind_stay() -> None:
    stream = c.MessageStream()
    stream.receive_data(WHOLE.data)
    taken: list[c.Event] = []

    def handle(event: c.Event) -> None:
        taken.append(event)
        if len(taken) == 2:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        stream.finish(handle)
    seen = c.MessageStream()
    seen.receive_data(WHOLE.data)
    assert taken + stream.events_received() == seen.events_received()
    assert stream.finish(handle).text == TEXT


# iter_events and aiter_events


@BOTH
def test_a_whole_stream(reader: Any) -> None:
    events, message = reader(WHOLE.data[:100], b"", WHOLE.data[100:])
    assert "".join(map(c.text_of, events)) == message.text == TEXT


@BOTH
def test_no_cut_passes_for_a_whole_message(reader: Any) -> None:
    for cut in range(0, len(WHOLE.data) + 1, 1 if reader is read else 37):
        if cut > LAST:
            assert reader(WHOLE.data[:cut])[1].text == TEXT
        else:
            with pytest.raises(c.TruncatedError):
                reader(WHOLE.data[:cut])


def test_the_message_is_refused_before_the_end_and_the_error_is_the_same_for_ever() -> None:
    events = c.iter_events([WHOLE.data[:700]])
    next(events)
    with pytest.raises(c.LocalProtocolError, match="read the events to their end"):
        _ = events.message
    assert events.partial is not None
    for _ in range(2):
        with pytest.raises(c.TruncatedError) as caught:
            list(events)
        assert caught.value.partial is events.partial
        with pytest.raises(c.TruncatedError):
            _ = events.message


def test_nothing_is_read_or_closed_behind_message_stop() -> None:
    closed = []

    def chunks() -> Generator[bytes, None, None]:
        try:
            yield WHOLE.data
            raise AssertionError("read on")
        finally:
            closed.append(True)

    source = chunks()
    events = c.iter_events(source)
    assert "".join(map(c.text_of, events)) == TEXT
    assert not closed
    source.close()


def test_what_the_chunks_raise_passes() -> None:
    def chunks() -> Iterator[bytes]:
        yield WHOLE.data[:700]
        raise OSError("mine")

    events = c.iter_events(chunks())
    with pytest.raises(OSError, match="mine"):
        list(events)
    assert events.partial is not None


@BOTH
@pytest.mark.parametrize("status", [529, 503, 400, 302])
def test_a_status_that_says_no_is_its_error(reader: Any, status: int) -> None:
    for chunks in ([REFUSAL], [REFUSAL[:20], REFUSAL[20:]], [b"<html>busy</html>"], []):
        with pytest.raises(c.APIError) as caught:
            reader(*chunks, status=status)
        assert caught.value.status == status
        if chunks and chunks[0].startswith(b"{"):
            assert isinstance(caught.value, c.OverloadedError)
            assert "busy" in str(caught.value)


@BOTH
@pytest.mark.parametrize("coding", ["gzip", "deflate", "GZip"])
def test_a_coded_body_is_decoded_once(reader: Any, coding: str) -> None:
    coded = gzip.compress(WHOLE.data) if coding.lower() == "gzip" else zlib.compress(WHOLE.data)
    for headers in ({"Content-Encoding": coding}, [(b"content-encoding", coding.encode())]):
        assert reader(coded[:1], coded[1:40], coded[40:], headers=headers)[1].text == TEXT
        assert reader(WHOLE.data[:1], WHOLE.data[1:], headers=headers)[1].text == TEXT  # decoded already
        with pytest.raises(c.TruncatedError):
            reader(coded[: len(coded) // 2], headers=headers)
    with pytest.raises(c.OverloadedError):
        reader(gzip.compress(REFUSAL), status=529, headers={"content-encoding": "gzip"})


@BOTH
def test_an_error_in_the_stream_is_raised_behind_its_events(reader: Any) -> None:
    body = WHOLE.data[: WHOLE.data.index(b"event: content_block_stop")] + b"event: error\ndata: " + REFUSAL + b"\n\n"
    events = c.iter_events([body])
    assert "error" in [next(events).type for _ in range(body.count(b"\n\n"))]
    for _ in range(2):
        with pytest.raises(c.OverloadedError):
            next(events)
    with pytest.raises(c.OverloadedError):
        reader(body)


# The dial


def test_the_kinds_are_those_of_the_literal_each_with_a_sentence() -> None:
    assert tuple(c.DEVIATION_KINDS) == get_args(c.DeviationKind)
    for sentence in c.DEVIATION_KINDS.values():
        assert sentence.endswith(".")
    assert len(set(c.DEVIATION_KINDS.values())) == len(c.DEVIATION_KINDS)


ODD = WHOLE.data.replace(b"event: message_start", b"data: [DONE]\n\nevent: message_start", 1)


@pytest.mark.parametrize(
    ("options", "recorded", "refused"),
    [
        ({}, True, False),
        ({"tolerance": {"skipped": "record"}, "strict": True}, True, False),
        ({"tolerance": {"skipped": "accept"}}, False, False),
        ({"tolerance": {"skipped": "accept"}, "strict": True}, False, False),
        ({"tolerance": {"usage": "accept"}, "strict": True}, False, True),
        ({"tolerance": {"skipped": "refuse"}}, False, True),
        ({"strict": True}, False, True),
    ],
)
def test_the_dial(options: dict[str, Any], recorded: bool, refused: bool) -> None:
    stream = c.MessageStream(**options)
    stream.receive_data(ODD)
    if refused:
        with pytest.raises(c.RemoteProtocolError, match="'skipped' is refused here"):
            stream.finish()
    else:
        assert stream.finish().text == TEXT
    assert [each.kind for each in stream.deviations] == ["skipped"] * recorded


@pytest.mark.parametrize("wrong", [{"nonsense": "accept"}, {"usage": "ignore"}, {"usage": True}, "accept", ["usage"]])
def test_a_wrong_dial_is_refused(wrong: Any) -> None:
    for make in (c.MessageStream, c.MessageAccumulator, lambda **options: c.iter_events([], **options)):
        with pytest.raises(c.LocalProtocolError, match="tolerance") as caught:
            make(tolerance=wrong)
        assert caught.value.path == "tolerance"


WITHOUT_STOP = WHOLE.data[: WHOLE.data.rindex(b"event: message_stop")]


def test_an_end_without_message_stop_is_whole_only_where_that_is_allowed() -> None:
    for cut in range(len(WITHOUT_STOP) + 1):
        stream = c.MessageStream(require_message_stop=False)
        stream.receive_data(WITHOUT_STOP[:cut])
        if cut >= len(WITHOUT_STOP) - 2:
            stream.receive_eof()
            assert stream.done
            assert stream.state == "complete"
            assert stream.finish().text == TEXT
            assert "no_message_stop" in [each.kind for each in stream.deviations]
        else:
            with pytest.raises(c.TruncatedError):
                stream.finish()
    assert read(WITHOUT_STOP, require_message_stop=False)[1].text == TEXT
    for options in ({}, {"tolerance": {"no_message_stop": "refuse"}, "require_message_stop": False}):
        stream = c.MessageStream(**options)  # type: ignore[arg-type]
        stream.receive_data(WITHOUT_STOP)
        assert stream.complete_but_for_stop
        with pytest.raises(c.RemoteProtocolError):
            stream.finish()
        assert not stream.complete_but_for_stop


def _http_message(*fields: tuple[str, str]) -> HTTPMessage:
    made = HTTPMessage()
    for name, value in fields:
        made[name] = value
    return made


def test_headers_of_any_library() -> None:
    body = gzip.compress(WHOLE.data)
    fields = ("Content-Encoding", "gzip"), ("Content-Encoding", "identity")
    kinds: list[Any] = [
        _http_message(*fields),
        dict(fields[:1]),
        fields,
        [(name.encode(), value.encode()) for name, value in fields],
    ]
    for headers in kinds:
        events = c.iter_events([body[:5], body[5:]], headers=headers)
        assert len(list(events)) > 3
        assert events.message.whole
    for odd in (None, (), {}, "abc", 5, [1], [("a",)], {b"x": 5}):
        assert len(list(c.iter_events([WHOLE.data], headers=odd))) > 3  # type: ignore[arg-type]


def test_a_coding_that_is_not_decoded_here_is_named() -> None:
    headers = _http_message(("content-encoding", "br"))
    with pytest.raises(c.RemoteProtocolError, match=r"coded with br, .* send accept-encoding: identity"):
        list(c.iter_events([b"\x8b\x03\x80"], headers=headers))
    with pytest.raises(c.RateLimitError):
        list(c.iter_events([b"\x8b\x03\x80"], status=429, headers=headers))
    assert list(c.iter_events([WHOLE.data], headers=headers))  # the library has decoded it
