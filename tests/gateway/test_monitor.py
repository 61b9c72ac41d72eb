"""StreamMonitor says of forwarded bytes what MessageStream says, and keeps nothing."""

from __future__ import annotations

import copy
import pickle
import re

import pytest
from hypothesis import given

from sansio_claude import LocalProtocolError, MessageStream, OverloadedError, TruncatedError
from sansio_claude.gateway import StreamMonitor
from sansio_claude.testing import compose
from tests import strategies


@given(strategies.bodies() | strategies.hostile_bodies(), strategies.cuts())
def test_it_says_what_the_stream_says(body: bytes, cut: strategies.Cut) -> None:
    monitor = StreamMonitor()
    stream = MessageStream(keep_content=False)
    for chunk in cut.of(body):
        monitor.receive_data(chunk)
        stream.receive_data(chunk)
    monitor.receive_eof()
    monitor.receive_eof()
    stream.receive_eof()
    assert (monitor.state, monitor.done) == (stream.state, stream.done)
    assert monitor.deviations == stream.deviations
    assert str(monitor.error) == str(stream._error)
    if stream.message is None:
        assert monitor.usage is None
        assert monitor.stop_reason is None
    else:
        assert monitor.usage is not None
        assert monitor.usage.to_dict() == stream.message.usage.to_dict()
        assert monitor.stop_reason == stream.message.stop_reason


def test_a_whole_answer() -> None:
    transcript = compose("Hello there.", seed=2, usage={"output_tokens": 77})
    monitor = StreamMonitor()
    for frame in transcript.frames:
        monitor.receive_data(frame, now=1.0)
    assert monitor.done
    message = monitor.finish()
    assert message.content == []
    assert monitor.message is message
    assert (monitor.stop_reason, message.usage.output_tokens) == ("end_turn", 77)
    assert monitor.liveness.last_byte == 1.0
    assert monitor.error is None


def test_a_cut_and_an_error() -> None:
    transcript = compose("Hello there.", seed=2)
    monitor = StreamMonitor()
    monitor.receive_data(transcript.data[:-40])
    with pytest.raises(TruncatedError):
        monitor.finish()
    assert monitor.state == "truncated"
    assert isinstance(monitor.error, TruncatedError)
    with pytest.raises(LocalProtocolError):
        monitor.receive_data(b"x")
    monitor = StreamMonitor()
    monitor.receive_data(transcript.with_error(4).data)
    assert monitor.state == "errored"
    assert isinstance(monitor.error, OverloadedError)


def test_it_keeps_no_event_and_no_content() -> None:
    monitor = StreamMonitor()
    for frame in compose("word " * 2_000, seed=1).frames:
        monitor.receive_data(frame)
        assert monitor._stream._events is None
    assert monitor.message is not None
    assert monitor.message.content == []


def test_a_line_that_ends_like_a_usual_delta_is_no_event() -> None:
    frames = compose("word " * 9, seed=1).frames
    monitor, stream = StreamMonitor(), MessageStream(keep_content=False)
    for piece in (*frames[:4], b': x"}}\n\n', *frames[4:6]):
        monitor.receive_data(piece)
        stream.receive_data(piece)
    errors = []
    for each in (monitor, stream):
        with pytest.raises(TruncatedError) as caught:
            each.finish()
        errors.append(str(caught.value))
    assert errors[0] == errors[1]


def test_a_delta_that_only_begins_like_a_usual_one_is_refused() -> None:
    frames = compose("word " * 9, seed=1).frames
    monitor = StreamMonitor()
    for piece in (*frames[:5], re.sub(rb'"\s*\}\s*\}\n\n$', b'"]}\n\n', frames[5])):
        monitor.receive_data(piece)
    assert monitor.state == "broken"


def test_an_end_without_a_blank_line_leaves_no_event_behind() -> None:
    monitor = StreamMonitor()
    monitor.receive_data(compose("Hello.", seed=1).data.rstrip())
    assert monitor.finish().stop_reason == "end_turn"
    assert monitor._stream._events is None


def test_copies_go_on() -> None:
    data = compose("Hello.", seed=1).data
    monitor = StreamMonitor()
    monitor.receive_data(data[:200])
    for twin in (copy.deepcopy(monitor), pickle.loads(pickle.dumps(monitor))):
        twin.receive_data(data[200:])
        assert twin.finish().stop_reason == "end_turn"
    assert monitor.state == "open"
