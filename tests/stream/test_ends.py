"""The ends of a stream: what comes behind message_stop, a body that is no stream, and one that was cut while coded."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from sansio_claude import (
    APIError,
    Limits,
    MessageStream,
    OverloadedError,
    RemoteProtocolError,
    TruncatedError,
    iter_events,
)
from sansio_claude._stream.plain_stream import PlainStream
from sansio_claude._stream.sse import SSEDecoder
from sansio_claude.gateway import StreamMonitor
from tests.frames import END, START, body, compact, frame, message_delta, start, text

KINDS = (MessageStream, PlainStream)
TEXT = {"type": "text", "text": ""}
PING = b'event: ping\ndata: {"type": "ping"}\n\n'


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("behind", [text("late"), {"type": "content_block_stop", "index": 0}, start(1, TEXT)])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_block_that_was_open_at_message_stop_takes_nothing_more(kind: Any, behind: Any, at_once: bool) -> None:
    stream = kind()
    stream.receive_data(body(START, start(0, TEXT), spell=compact))
    stream.receive_data(compact(text("so")))
    end = body(message_delta(), END, spell=compact)
    if at_once:
        stream.receive_data(end + compact(behind))
    else:
        stream.receive_data(end)
        stream.receive_data(compact(behind))
    stream.receive_data(compact(behind))
    assert stream.message is not None
    assert stream.message.to_dict()["content"] == [{"type": "text", "text": "so"}]
    assert stream.message.whole
    assert [each.kind for each in stream.deviations] == ["open_block", "after_message_stop"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("odd", [False, True])
def test_an_answer_without_a_stop_reason_is_whole_after_message_stop(kind: Any, odd: bool) -> None:
    stream = kind()
    stream.receive_data(
        body(START, start(0, TEXT), text("so"), *([] if odd else [{"type": "content_block_stop", "index": 0}]))
    )
    assert stream.message is not None
    assert not stream.message.whole
    stream.receive_data(body(message_delta({"stop_reason": None}), END))
    assert stream.message.stop_reason is None
    assert stream.message.whole


@pytest.mark.parametrize("kind", [*KINDS, StreamMonitor])
def test_what_comes_behind_the_end_hides_no_sign_of_life(kind: Any) -> None:
    end = body(message_delta(), END, spell=compact)
    for behind in (b"", PING, PING * 3, compact(text("late")) * 3):
        stream = kind()
        stream.receive_data(compact(START), 1.0)
        stream.receive_data(end + behind, 2.0)
        assert stream.liveness.last_content == 2.0
        stream.receive_data(PING, 3.0)
        assert stream.liveness.last_content == 2.0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize(
    ("value", "is_error"),
    [
        ({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}, True),
        ({"error": {"type": "overloaded_error", "message": "busy"}}, True),
        ({"type": "new", "error": {"type": "overloaded_error", "message": "busy"}}, False),
        ({"answer": "busy"}, False),
        ("busy", False),
    ],
)
def test_a_body_without_events_that_is_an_error_in_json(kind: Any, size: int, value: Any, is_error: bool) -> None:
    data = json.dumps(value).encode()
    stream = kind()
    for at in range(0, len(data), size):
        stream.receive_data(data[at : at + size])
    with pytest.raises((APIError, TruncatedError)) as caught:
        stream.finish()
    assert type(caught.value) is (OverloadedError if is_error else TruncatedError)
    assert stream.state == ("errored" if is_error else "truncated")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "data",
    [
        b'{"error":{"message":"\\ud83d"}}',
        b'event: error\ndata: {"error":{"message":"\\ud83d"}}\n\n',
        b'event: error\ndata: [{"error":{"message":"\\ud83d"}}]\n\n',
        b'data: [{"error":{"message":"\\ud83d"}}]\n\n',
    ],
)
def test_half_a_character_in_an_error_is_a_deviation_that_may_be_refused(kind: Any, data: bytes) -> None:
    stream = kind()
    stream.receive_data(data)
    with pytest.raises(APIError) as caught:
        stream.finish()
    assert (caught.value.error_message, stream.state) == ("\ufffd", "errored")
    assert [each.kind for each in stream.deviations] == ["half_character"]
    strict = kind(strict=True)
    strict.receive_data(data)
    with pytest.raises(RemoteProtocolError, match="half of a surrogate pair stands alone"):
        strict.finish()
    assert strict.state == "broken"


@pytest.mark.parametrize("coded", [True, False])
def test_a_cut_answer_says_the_same_whether_it_was_coded_or_not(coded: bool) -> None:
    data = body(START, start(0, TEXT), *(text(f"{number} ") for number in range(2_000)))
    if coded:
        packed = gzip.compress(data, mtime=0)
        chunks = [packed[:50], packed[50 : len(packed) * 2 // 3]]
    else:
        chunks = [data[:50], data[50 : len(data) * 2 // 3]]
    events = iter_events(chunks, headers={"content-encoding": "gzip"})
    with pytest.raises(TruncatedError, match="the stream ended before message_stop, after") as caught:
        list(events)
    assert caught.value.partial is not None
    assert caught.value.partial.text.startswith("0 1 2 ")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("more", [0, 1, 40])
def test_the_limit_of_the_message_holds_in_the_midst_of_an_event(kind: Any, more: int) -> None:
    whole = body(START, start(0, TEXT), text("one"), text("two"), spell=compact)
    limit = len(whole) - 20
    limits = Limits(message=limit)
    stream = kind(limits=limits)
    first = len(body(START, start(0, TEXT), spell=compact))
    stream.receive_data(whole[:first])
    stream.receive_data(whole[first : limit - 3])
    stream.receive_data(whole[limit - 3 : limit + more])
    assert (stream.state, stream.liveness.bytes) == ("broken" if more else "open", limit)
    assert stream.message is not None
    assert stream.message.text == "one"


def test_a_decoder_says_how_it_stands() -> None:
    decoder = SSEDecoder()
    assert repr(decoder) == "<SSEDecoder open, 0 bytes of whole lines, 0 events to be read>"
    decoder.receive_data(frame(START) + b"da")
    assert repr(decoder) == f"<SSEDecoder open, {len(frame(START))} bytes of whole lines, 1 events to be read>"
    decoder.receive_eof()
    assert repr(decoder).startswith("<SSEDecoder ended, ")
    broken = SSEDecoder(limits=Limits(line=10))
    broken.receive_data(b"x" * 11)
    assert repr(broken).startswith("<SSEDecoder broken, ")
    broken.receive_eof()
    assert repr(broken).startswith("<SSEDecoder broken, ")
