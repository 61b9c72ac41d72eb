"""The loop over the actions of a call, on an adapter of scripted peers whose waits end at once, in virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

import pytest

from sansio_claude._call.actions import Connect
from sansio_claude._call.call import Call
from sansio_claude._call.loop import Wakeup, Wire, drive
from sansio_claude._call.retry import RetryPolicy
from sansio_claude._call.timeouts import Timeouts
from sansio_claude._errors import (
    ConnectError,
    DeadlineError,
    LocalProtocolError,
    ReadError,
    TruncatedError,
    WriteError,
)
from sansio_claude._stream.events import Event, MessageStop
from tests.virtual import FRAMES, GOOD, GOOD_HEAD, REFUSED, RESET, Handle, Peer, World, chunked, refusal

T = TypeVar("T")
BUSY = refusal(529, "overloaded_error")


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine gives that never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        found: T = end.value
        return found
    raise AssertionError("it waits for something else than the adapter")


class ScriptedWakeup:
    """Wakes at once where it is set; else the clock goes on to the end of the wait."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.is_set = False

    def set(self) -> None:
        self.is_set = True

    notify = set

    async def wait(self, until: float) -> bool:
        if not self.is_set:
            self._world.now = max(self._world.now, until)
        return self.is_set


class ScriptedWire:
    """A connection to a peer of the world."""

    stale = False

    def __init__(self, world: World, handle: Handle) -> None:
        self._world = world
        self.handle = handle

    @property
    def clock(self) -> Callable[[], float]:
        return lambda: self._world.now

    async def receive(self, deadline: float) -> bytes | None:
        step = self.handle.peer.steps.pop(0) if self.handle.peer.steps else "hang"
        if isinstance(step, OSError):
            raise step
        if isinstance(step, bytes):
            return step
        if step == "eof":
            return b""
        self._world.now = deadline
        return None

    async def send(self, data: bytes | memoryview, deadline: float) -> int | None:
        how = self.handle.peer.sends[self.handle.writes] if self.handle.writes < len(self.handle.peer.sends) else True
        self.handle.writes += 1
        if isinstance(how, OSError):
            raise how
        if how == "hang":
            self._world.now = deadline
            return None
        self.handle.sent += data
        return len(data)

    def close(self, last: bytes = b"") -> None:
        self.handle.close(last)


class ScriptedAdapter:
    """Peers of a world, by connection."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.wakeups: list[ScriptedWakeup] = []

    def now(self) -> float:
        return self._world.now

    def home(self) -> None:
        return None

    def wakeup(self) -> Wakeup:
        self.wakeups.append(ScriptedWakeup(self._world))
        return self.wakeups[-1]

    async def connect(self, action: Connect, wakeup: Wakeup) -> Wire | None:
        peer = self._world.peers.pop(0)
        if isinstance(peer.connects, Exception):
            raise peer.connects
        if peer.connects == "hang":
            self._world.now = action.deadline
            return None
        self._world.handles.append(Handle(peer))
        return ScriptedWire(self._world, self._world.handles[-1])


class BoundingAdapter(ScriptedAdapter):
    """One that bounds the waiting for a token: as `found` says."""

    found: bool = True

    async def bounded(self, awaitable: Awaitable[T], until: float, wakeup: Wakeup) -> tuple[T] | None:
        given = await awaitable
        if not self.found:
            self._world.now = until
        return (given,) if self.found else None


def events_of(world: World, call: Call, adapter: ScriptedAdapter | None = None) -> list[Event]:
    """All the events of a call. Raises its error."""
    adapter = adapter or ScriptedAdapter(world)
    events: list[Event] = []
    while (found := at_once(drive(adapter, call))) is not None:
        events += found
        assert not call.driven
    return events


@pytest.mark.parametrize("steps", [[GOOD], [GOOD_HEAD, *(chunked(each, last=False) for each in FRAMES), b"0\r\n\r\n"]])
def test_events_come_until_the_call_is_over(steps: list[bytes]) -> None:
    world = World(Peer(list(steps)))
    call = world.call(body=b"the body")
    assert call.pool is world.pool
    events = events_of(world, call)
    assert isinstance(events[-1], MessageStop)
    assert len(events) == len(FRAMES)
    assert bytes(world.handles[0].sent).endswith(b"the body")
    assert at_once(drive(ScriptedAdapter(world), call)) is None


def test_a_connection_that_takes_too_long_or_fails() -> None:
    world = World(Peer(connects="hang"), timeouts=Timeouts(connect=3.0))
    with pytest.raises(DeadlineError) as caught:
        events_of(world, world.call())
    assert (caught.value.deadline, world.now) == ("connect", 1003.0)
    world = World(Peer(connects=REFUSED))
    with pytest.raises(ConnectError):
        events_of(world, world.call())


def test_an_answer_that_takes_too_long_ends_or_breaks() -> None:
    world = World(Peer([]), timeouts=Timeouts(first_byte=3.0))
    with pytest.raises(DeadlineError) as caught:
        events_of(world, world.call())
    assert (caught.value.deadline, world.now, world.handles[0].closed) == ("first_byte", 1003.0, 1)
    for step, error in (("eof", TruncatedError), (RESET, ReadError)):
        world = World(Peer([GOOD_HEAD, chunked(*FRAMES[:3], last=False), step]))
        with pytest.raises(error):
            events_of(world, world.call())
        assert world.handles[0].closed == 1


def test_a_request_that_cannot_be_written() -> None:
    world = World(Peer(sends=["hang"]), timeouts=Timeouts(write=3.0))
    with pytest.raises(DeadlineError) as caught:
        events_of(world, world.call())
    assert caught.value.deadline == "write"
    assert 1003.0 <= world.now < 1003.1  # a moment for what the peer may have said
    world = World(Peer([RESET], sends=[BrokenPipeError(32, "Broken pipe")]))
    with pytest.raises(WriteError):
        events_of(world, world.call())


def test_it_waits_between_attempts() -> None:
    world = World(Peer([BUSY, GOOD]), retry=RetryPolicy(max_retries=1))
    assert isinstance(events_of(world, world.call())[-1], MessageStop)
    assert world.now == 1000.5


def test_a_call_without_a_place_waits_until_it_is_woken_or_for_its_deadline() -> None:
    begun = Peer([GOOD_HEAD, chunked(FRAMES[0], last=False)])
    world = World(begun, Peer([GOOD]), max_connections=1, timeouts=Timeouts(pool=3.0))
    first, adapter = world.call(), ScriptedAdapter(world)
    at_once(drive(adapter, first))
    with pytest.raises(DeadlineError) as caught:
        events_of(world, world.call())
    assert (caught.value.deadline, world.now) == ("pool", 1003.0)

    class Freeing(ScriptedAdapter):
        def wakeup(self) -> Wakeup:
            found = super().wakeup()
            first.abandon()
            return found

    assert isinstance(events_of(world, world.call(), Freeing(world))[-1], MessageStop)


def test_the_function_that_gives_the_token_is_called_in_each_attempt() -> None:
    asked = []

    def token(head: Any, body: bytes) -> Mapping[str, str | None]:
        asked.append(body)
        return {"authorization": "Bearer token-1"}

    async def awaited(head: Any, body: bytes) -> Mapping[str, str | None]:
        return token(head, body)

    for authorize in (token, awaited):
        for kind in (ScriptedAdapter, BoundingAdapter):
            world = World(GOOD, authorize=authorize)
            events_of(world, world.call(body=b"the body"), kind(world))
            assert b"Bearer token-1" in bytes(world.handles[0].sent)
    assert asked == [b"the body"] * 4


def test_a_token_that_takes_too_long_or_ends_an_iteration() -> None:
    async def token(head: Any, body: bytes) -> Mapping[str, str | None]:
        return {}

    world = World(GOOD, authorize=token, timeouts=Timeouts(total=3.0))
    adapter = BoundingAdapter(world)
    adapter.found = False
    with pytest.raises(DeadlineError) as caught:
        events_of(world, world.call(), adapter)
    assert (caught.value.deadline, world.now) == ("total", 1003.0)

    def ends(head: Any, body: bytes) -> Mapping[str, str | None]:
        return next(iter([]))

    world = World(GOOD, authorize=ends)
    with pytest.raises(LocalProtocolError, match="raised StopIteration"):
        events_of(world, world.call())


def test_one_task_at_a_time() -> None:
    world = World(GOOD)
    call = world.call()
    call.driven = True
    with pytest.raises(LocalProtocolError, match="another task"):
        at_once(drive(ScriptedAdapter(world), call))


def test_whatever_ends_the_loop_gives_the_call_up() -> None:
    class Interrupted(ScriptedAdapter):
        def now(self) -> float:
            if world.handles:
                raise KeyboardInterrupt
            return super().now()

    world = World(GOOD, max_connections=1)
    call = world.call()
    with pytest.raises(KeyboardInterrupt):
        at_once(drive(Interrupted(world), call))
    assert not call.driven
    assert not call.holds_place
    assert world.handles[0].closed == 1
