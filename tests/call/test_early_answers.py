"""Answers that come while the request is still being written; what else can be read in that time."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from sansio_claude._connect.tls import TLSExchange
from sansio_claude._errors import RequestTooLargeError, TruncatedError, WriteError
from tests.certificates import client_context, server_context
from tests.virtual import (
    DELTAS,
    GOOD,
    GOOD_BODY,
    GOOD_HEAD,
    OPENING,
    RESET,
    Peer,
    ServerTLS,
    World,
    chunked,
    head,
    refusal,
)

BODY = b"x" * 1_000_000
TOO_LARGE = refusal(413, "request_too_large")


@pytest.mark.parametrize("first", [0, 1, 1_000, 262_143])
@pytest.mark.parametrize("end", ["eof", "reset", "hang"])
def test_a_refusal_is_final_at_any_byte_of_the_request(first: int, end: str) -> None:
    world = World(Peer([TOO_LARGE, end], sends=[True, first]), max_retries=2)
    outcome = world.run(world.call("message", BODY))
    assert isinstance(outcome.error, RequestTooLargeError)
    assert len(outcome.error.attempts) == 1
    assert outcome.finished == 1000.0  # at once
    assert len(world.handles) == 1
    assert world.handles[0].closed == 1  # the rest of the request was never written


@given(
    cuts=st.lists(st.integers(0, 300_000), max_size=6),
    pieces=st.lists(st.integers(1, len(TOO_LARGE) - 1), max_size=4, unique=True).map(sorted),
)
@settings(max_examples=60, deadline=None)
def test_a_refusal_in_any_pieces_between_any_pieces_of_the_request(cuts: list[int], pieces: list[int]) -> None:
    ends = [*pieces, len(TOO_LARGE)]
    reads = [TOO_LARGE[begin:end] for begin, end in zip([0, *pieces], ends, strict=True)]
    # As long as the refusal is not whole, there is more to read whenever less than all is written.
    world = World(Peer(reads, sends=cuts[: len(reads)]), max_retries=2)
    outcome = world.run(world.call("message", BODY))
    assert isinstance(outcome.error, RequestTooLargeError)
    assert len(outcome.error.attempts) == 1


def test_nothing_more_is_written_once_a_refusal_has_begun() -> None:
    world = World(Peer([TOO_LARGE[:-9], TOO_LARGE[-9:]], sends=[10]))
    assert isinstance(world.run(world.call("message", BODY)).error, RequestTooLargeError)
    assert (world.handles[0].writes, len(world.handles[0].sent)) == (1, 10)


def test_a_hint_and_a_good_answer_do_not_stop_the_writing() -> None:
    hint = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    world = World(Peer([hint, GOOD_HEAD, GOOD_BODY], sends=[10, 10]))
    outcome = world.run(world.call("stream", BODY))
    assert outcome.error is None
    assert outcome.types[-1] == "message_stop"
    assert len(world.handles[0].sent) > len(BODY)  # all of it, in order
    assert bytes(world.handles[0].sent).endswith(BODY)
    assert world.pool.idle == 1


def test_events_that_came_early_are_delivered_as_soon_as_the_request_is_written() -> None:
    world = World(Peer([GOOD_HEAD + chunked(*OPENING, last=False), "hang"], sends=[10]))
    outcome = world.run(world.call("stream", BODY), until=2, leave=False)
    assert outcome.types == ["message_start", "content_block_start"]
    assert bytes(world.handles[0].sent).endswith(BODY)
    assert world.now == 1000.0


def test_a_whole_answer_ends_the_writing() -> None:
    world = World(Peer([GOOD], sends=[10]))
    outcome = world.run(world.call("message", BODY))
    assert outcome.error is None
    assert world.pool.idle == 0  # the request is not whole: nothing else can be sent behind it


@pytest.mark.parametrize("end", ["eof", RESET])
def test_an_end_without_an_answer(end: Any) -> None:
    world = World(Peer([end], sends=[10]), Peer([GOOD]), max_retries=1)
    outcome = world.run(world.call("message", BODY))
    assert outcome.error is None
    assert [attempt.error for attempt in outcome.call.attempts] == ["WriteError"]
    world = World(Peer([end], sends=[10]))
    outcome = world.run(world.call("message", BODY))
    assert isinstance(outcome.error, WriteError)
    assert "while the request was written" in str(outcome.error)


@pytest.mark.parametrize("refused", [False, True])
def test_session_tickets_come_while_the_request_is_written(refused: bool) -> None:
    server = ServerTLS(server_context("api.test"))
    peer = Peer([TOO_LARGE] if refused else [GOOD], tls=server, sends=[True, True, 100, 100, 100])
    context = client_context()
    world = World(peer, tls=lambda name: TLSExchange(context, name))
    outcome = world.run(world.call("message", BODY, tls=True))
    if refused:
        assert isinstance(outcome.error, RequestTooLargeError)
    else:
        assert outcome.error is None


class Closing(ServerTLS):
    """Says with every piece of an event stream that nothing follows."""

    def encrypt(self, plain: bytes) -> bytes:
        data = super().encrypt(plain)
        return data + self.close_notify() if plain.startswith(b"event: ") else data


def test_the_end_of_tls_in_the_read_of_an_event_ends_the_answer_at_once() -> None:
    context = client_context()
    answer_head = head(200, "content-type: text/event-stream", framing=None)
    steps = [answer_head + OPENING[0] + OPENING[1] + DELTAS[0], DELTAS[1]]
    world = World(Peer(steps, tls=Closing(server_context("api.test"))), tls=lambda name: TLSExchange(context, name))
    outcome = world.run(world.call("stream", tls=True))
    assert outcome.types == ["message_start", "content_block_start", *["content_block_delta"] * 2]
    assert isinstance(outcome.error, TruncatedError)
    assert outcome.finished == 1000.0
