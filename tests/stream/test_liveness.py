"""When a stream last gave a sign of life: counts that no chunking changes, times by the caller's clock."""

from __future__ import annotations

from typing import Any

import pytest

from sansio_claude._stream.liveness import Liveness
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude._stream.plain_stream import PlainStream
from sansio_claude.gateway import StreamMonitor
from sansio_claude.testing import chunkings
from tests.frames import END, START, STOP, body, compact, frame, start, stop, text

TEXT = {"type": "text", "text": ""}
PING = b'event: ping\ndata: {"type": "ping"}\n\n'
KINDS = (MessageStream, PlainStream, StreamMonitor)
# Times, bytes, and what is to be seen then: content events, pings, and when bytes, content and pings came last.
SCRIPT: list[tuple[float, bytes, tuple[Any, ...]]] = [
    (1.0, b": hello\n\n", (0, 0, 1.0, None, None)),
    (2.0, PING, (0, 1, 2.0, None, 2.0)),
    (3.0, compact(START)[:50], (0, 1, 3.0, None, 2.0)),
    (4.0, compact(START)[50:], (1, 1, 4.0, 4.0, 2.0)),
    (5.0, compact(start(0, TEXT)), (2, 1, 5.0, 5.0, 2.0)),
    (6.0, compact(text("Hello")), (3, 1, 6.0, 6.0, 2.0)),
    (7.0, b"", (3, 1, 6.0, 6.0, 2.0)),
    (8.0, b":\n", (3, 1, 8.0, 6.0, 2.0)),
    (9.0, b"data: [DONE]\n\n", (3, 2, 9.0, 6.0, 9.0)),
    (10.0, compact(text(" you")) + PING, (4, 3, 10.0, 10.0, 10.0)),
    (11.0, frame({"type": "new_event"}), (5, 3, 11.0, 11.0, 10.0)),
    (12.0, compact(stop())[:-1], (5, 3, 12.0, 11.0, 10.0)),
    (13.0, b"\n" + body(*STOP, spell=compact), (8, 3, 13.0, 13.0, 10.0)),
]


@pytest.mark.parametrize("kind", KINDS)
def test_what_came_last_and_when(kind: Any) -> None:
    stream = kind()
    size = 0
    assert stream.liveness == Liveness(0, 0, 0, None, None, None)
    for now, data, (content, pings, byte, last, ping) in SCRIPT:
        stream.receive_data(data, now)
        size += len(data)
        assert stream.liveness == Liveness(size, content, pings, byte, last, ping)


@pytest.mark.parametrize("kind", KINDS)
def test_no_chunking_changes_the_counts_and_no_clock_is_needed(kind: Any) -> None:
    data = b"".join(data for _, data, _ in SCRIPT)
    content, pings = SCRIPT[-1][2][:2]
    for pieces in (chunkings.whole(data), chunkings.bytewise(data), chunkings.steps(data, 50)):
        stream = kind()
        for piece in pieces:
            stream.receive_data(piece)
        assert stream.liveness == Liveness(len(data), content, pings, None, None, None)
        timed = kind()
        for now, piece in enumerate(pieces):
            timed.receive_data(piece, float(now))
        seen = timed.liveness
        assert (seen.bytes, seen.content_events, seen.pings) == (len(data), content, pings)
        assert seen.last_byte == seen.last_content == len(pieces) - 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_read_without_a_time_leaves_the_times_as_they_are(kind: Any) -> None:
    stream = kind()
    stream.receive_data(compact(START), 1.0)
    stream.receive_data(compact(start(0, TEXT)) + PING)
    assert stream.liveness == Liveness(len(compact(START) + compact(start(0, TEXT)) + PING), 2, 1, 1.0, 1.0, None)


@pytest.mark.parametrize("kind", KINDS)
def test_the_end_of_a_stream_is_no_sign_of_life(kind: Any) -> None:
    stream = kind()
    stream.receive_data(compact(START), 1.0)
    stream.receive_eof()
    assert stream.liveness == Liveness(len(compact(START)), 1, 0, 1.0, 1.0, None)
    broken = kind()
    broken.receive_data(compact(START) + b"data: {\n\n" + compact(END), 1.0)
    seen = broken.liveness
    broken.receive_data(PING, 2.0)
    assert (broken.state, broken.liveness) == ("broken", seen)  # nothing is read any more
