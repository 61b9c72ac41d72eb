"""Requests that are signed: asked once in each attempt, once more after a 401, and no token in anything shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sansio_claude._call.actions import Authorize, Deliver, Done
from sansio_claude._call.retry import RetryPolicy
from sansio_claude._errors import AuthenticationError, LocalProtocolError, OverloadedError
from sansio_claude._request.head import RequestHead
from tests.virtual import GOOD, RESET, Peer, World, refusal

DENIED = refusal(401, "authentication_error")
BUSY = refusal(529, "overloaded_error")


class Tokens:
    """Gives one token after the other, and notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[RequestHead, bytes]] = []

    def __call__(self, head: RequestHead, body: bytes) -> Mapping[str, str | None]:
        self.asked.append((head, body))
        return {"authorization": f"Bearer token-number-{len(self.asked)}"}


def sent(world: World) -> list[bytes]:
    """The tokens of the requests, in order."""
    whole = b"".join(bytes(handle.sent) for handle in world.handles)
    return [line.split()[2] for line in whole.split(b"\r\n") if line.lower().startswith(b"authorization:")]


def test_asked_once_in_each_attempt() -> None:
    tokens = Tokens()
    world = World(Peer([BUSY, RESET]), Peer([GOOD]), authorize=tokens, retry=RetryPolicy(max_retries=2))
    call = world.call(body=b"the body")
    outcome = world.run(call)
    assert outcome.error is None
    assert sent(world) == [b"token-number-1", b"token-number-2", b"token-number-3"]
    assert [body for _, body in tokens.asked] == [b"the body"] * 3
    assert all(head.get("authorization") is None for head, _ in tokens.asked)
    assert [event.kind for event in world.trace].count("attempt") == 3
    assert "token-number" not in repr(world.trace) + repr(outcome.actions) + repr(call.attempts)
    assert "token-number-3" in world.trace[-1].secrets


@pytest.mark.parametrize("max_retries", [0, 1, 2])
def test_a_401_asks_once_more(max_retries: int) -> None:
    tokens = Tokens()
    world = World(Peer([DENIED, GOOD]), authorize=tokens, max_retries=max_retries)
    outcome = world.run(world.call(body=b"the body"))
    assert outcome.error is None
    assert bytes(world.handles[-1].sent).endswith(b"the body")
    assert [attempt.status for attempt in outcome.call.attempts] == [401]
    assert outcome.call.attempts[0].wait == 0.0


@pytest.mark.parametrize("max_retries", [0, 2])
def test_two_of_them_end_the_call(max_retries: int) -> None:
    tokens = Tokens()
    echo = refusal(401, "authentication_error", message="you sent token-number-2 and not token-number-1")
    world = World(Peer([DENIED, echo]), authorize=tokens, max_retries=max_retries)
    error = world.run().error
    assert isinstance(error, AuthenticationError)
    assert len(error.attempts) == len(tokens.asked) == 2
    assert "token-number" not in f"{error} {error!r} {vars(error)}"


def test_it_takes_no_retry_from_the_policy() -> None:
    tokens = Tokens()
    world = World(Peer([DENIED, BUSY, GOOD]), authorize=tokens, max_retries=1)
    assert world.run().error is None
    world = World(Peer([BUSY, DENIED, BUSY]), authorize=tokens, max_retries=1)
    assert isinstance(world.run().error, OverloadedError)


def test_without_a_signer_a_401_is_a_401() -> None:
    world = World(Peer([DENIED]), max_retries=2)
    error = world.run().error
    assert isinstance(error, AuthenticationError)
    assert len(error.attempts) == 1


@pytest.mark.parametrize("bad", [{"authorization": "a\r\nb"}, {"a b": "c"}, {"content-length": "5"}, 7])
def test_headers_that_cannot_be_sent(bad: Any) -> None:
    world = World(Peer([GOOD]), authorize=lambda head, body: bad)
    call = world.call()
    action = call.next_action(world.now)
    assert isinstance(action, Authorize)
    assert "body" not in repr(action)
    with pytest.raises(LocalProtocolError):
        call.authorized(bad, world.now)
    call.abandon()
    assert isinstance(call.next_action(world.now), Done)
    assert world.handles == []


def test_a_report_at_the_wrong_time() -> None:
    world = World(Peer([GOOD]), authorize=Tokens())
    call = world.call()
    while not isinstance(action := call.next_action(world.now), Deliver):
        world.do(call, action)
    with pytest.raises(LocalProtocolError, match="the report"):
        call.authorized({}, world.now)


def test_the_body_is_kept_as_long_as_an_attempt_may_follow() -> None:
    """A 401 is no attempt that counts: the one behind it may still be repeated."""
    world = World(Peer([DENIED, BUSY, GOOD]), authorize=Tokens(), max_retries=1)
    outcome = world.run(world.call(body=b"the body"))
    assert outcome.error is None
    assert bytes(world.handles[0].sent).count(b"the body") == 3
