"""What holds for any sequence of outcomes: calls and their pool as one machine, and the ways through a call."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import attrs
import hypothesis.strategies as st
from hypothesis import given, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from sansio_claude._call.actions import Action, Connect, Deliver, Done, Receive, Send, Wait
from sansio_claude._call.call import Call
from sansio_claude._call.retry import RetryPolicy
from sansio_claude._call.timeouts import NEVER, Timeouts
from sansio_claude._connect.tls import TLSExchange
from sansio_claude._errors import (
    APIError,
    ClaudeError,
    DeadlineError,
    LocalProtocolError,
    RemoteProtocolError,
    TransportError,
)
from sansio_claude._stream.events import Event
from sansio_claude._stream.message_stream import MessageStream
from tests.certificates import client_context, server_context
from tests.virtual import (
    CLOSING,
    DELTAS,
    FRAMES,
    GOOD,
    MESSAGE,
    OPENING,
    OVERLOADED,
    PING,
    REFUSED,
    RESET,
    STREAM,
    Handle,
    Outcome,
    Peer,
    ServerTLS,
    World,
    answer,
    chunked,
    head,
    refusal,
)


def expected() -> list[str]:
    stream = MessageStream()
    stream.receive_data(STREAM)
    return [repr(event) for event in stream.events_received()]


EXPECTED = expected()
RETRIES = 2
PLACES = 2


@attrs.define(eq=False)
class Running:
    """A call, and what its consumer was given."""

    call: Call
    whole: bool
    started: float
    given: list[str] = attrs.field(factory=list)
    pings: int = 0
    connects: int = 0
    waits: list[float] = attrs.field(factory=list)
    rest: dict[int, bytes] = attrs.field(factory=dict)
    """What each connection still has to send of the good answer, by the id of its handle."""
    over: bool = False
    left: bool = False


class Calls(RuleBasedStateMachine):
    """Up to many calls at once on two places; each step of each call has any outcome that an adapter could report."""

    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.world = World(
            max_connections=PLACES,
            idle_timeout=5.0,
            retry=RetryPolicy(max_retries=RETRIES),
            timeouts=Timeouts(total=500, idle=20, progress=60, first_byte=100),
            chance=0.5,
        )
        self.running: list[Running] = []
        self.closed: set[int] = set()

    @rule(target=calls, whole=st.booleans())
    def begin(self, whole: bool) -> Running:
        running = Running(self.world.call("message" if whole else "stream"), whole, self.world.now)
        self.running.append(running)
        return running

    @rule(seconds=st.sampled_from([0.0, 0.1, 3.0, 10.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.now += seconds

    @rule(stale=st.integers(0, 5))
    def an_idle_connection_goes_stale(self, stale: int) -> None:
        if stale < len(self.world.handles):
            handle = self.world.handles[stale]
            if not any(running.call.handle is handle for running in self.running if not running.over):
                handle.stale = True

    @rule(running=calls, steps=st.integers(1, 12), size=st.integers(50, 2000))
    def all_goes_well_for_a_while(self, running: Running, steps: int, size: int) -> None:
        for _ in range(steps):
            self.step(running, "good", size)

    @rule(running=calls, outcome=st.sampled_from(["bad", "late", "odd"]), size=st.integers(1, 400))
    def something_happens(self, running: Running, outcome: str, size: int) -> None:
        self.step(running, outcome, size)

    def step(self, running: Running, outcome: str, size: int) -> None:
        """The call's next action, with some outcome."""
        if running.left:
            return
        world, call = self.world, running.call
        action = call.next_action(world.now)
        match action:
            case Connect(deadline=deadline):
                running.connects += 1
                if outcome == "good":
                    handle = Handle(Peer())
                    world.handles.append(handle)
                    running.rest[id(handle)] = GOOD
                    call.connected(handle, world.now)
                elif outcome == "late":
                    self._late(call, deadline)
                else:
                    call.connect_failed(REFUSED, world.now)
            case Send(deadline=deadline):
                running.rest.setdefault(id(call.handle), GOOD)
                if outcome == "good":
                    running.rest[id(call.handle)] = GOOD
                    call.sent(world.now)
                elif outcome == "late":
                    self._late(call, deadline)
                else:
                    call.send_failed(RESET, world.now)
            case Receive(deadline=deadline):
                self._receive(running, outcome, size, deadline)
            case Wait(until=until, reason="backoff"):
                running.waits.append(until - world.now)
                world.now = max(world.now, until)
                call.waited(world.now)
            case Wait(until=until):
                if outcome == "late":
                    self._late(call, until)
            case Deliver(events=events):
                running.given += [repr(event) for event in events if event.type not in ("ping", "error")]
            case Done(error=error):
                self._done(running, error)
        world.close_discarded()

    def _receive(self, running: Running, outcome: str, size: int, deadline: float) -> None:
        world, call = self.world, running.call
        rest = running.rest.get(id(call.handle), GOOD)
        if outcome == "good" and rest:
            running.rest[id(call.handle)] = rest[size:]
            call.receive_data(rest[:size], world.now)
        elif outcome == "late":
            self._late(call, deadline)
        elif outcome == "odd" and rest == GOOD:
            running.rest[id(call.handle)] = b""
            odd = [refusal(529, "overloaded_error"), refusal(400), answer(OVERLOADED), answer(PING, OVERLOADED)]
            call.receive_data(odd[size % len(odd)], world.now)
        elif outcome == "odd" and rest:
            running.rest[id(call.handle)] = b""
            call.receive_data(rest[:size] + b"\0\0\0\r\n\r\n", world.now)
        elif size % 2:
            call.receive_eof(world.now)
        else:
            call.receive_failed(RESET, world.now)

    def _late(self, call: Call, deadline: float) -> None:
        assert deadline < NEVER
        self.world.now = max(self.world.now, deadline)
        call.deadline_passed(self.world.now)

    def _done(self, running: Running, error: ClaudeError | None) -> None:
        """What must hold of every end."""
        running.over = True
        call = running.call
        if error is None:
            assert call.message is not None
            assert call.message.to_dict() == MESSAGE
            assert running.given == ([] if running.whole else EXPECTED)
        else:
            assert isinstance(error, (TransportError, RemoteProtocolError, APIError, LocalProtocolError))
            assert list(error.attempts) == list(call.attempts)
        attempts = call.attempts
        assert len(attempts) <= RETRIES + 1
        assert [attempt.number for attempt in attempts] == list(range(1, len(attempts) + 1))
        assert all(attempt.wait is not None for attempt in attempts[:-1])
        for number, attempt in enumerate(attempts):
            if attempt.wait is not None:
                backoff = min(0.5 * 2**number, 8.0) * 0.875
                stale = attempt.reused and attempt.status is None
                assert attempt.wait == (0.0 if stale and attempt.wait == 0.0 else attempt.wait)
                assert abs(attempt.wait - backoff) < 1e-6 or attempt.wait == 0.0
        if isinstance(error, DeadlineError) and error.deadline in ("idle", "progress", "first_byte", "total", "write"):
            assert attempts[-1].wait is None

    @rule(running=consumes(calls), how=st.sampled_from(["close", "abandon"]))
    def leave(self, running: Running, how: str) -> None:
        running.left = running.over = True
        if how == "abandon":
            running.call.abandon()
        else:
            running.call.close(self.world.now)
            while not isinstance(action := running.call.next_action(self.world.now), Done):
                assert isinstance(action, Receive)
                self._late(running.call, action.deadline)
        self.world.close_discarded()
        assert isinstance(running.call.next_action(self.world.now), Done)
        assert not running.call.holds_place

    @invariant()
    def nothing_is_given_twice_or_out_of_order(self) -> None:
        for running in self.running:
            assert running.given == EXPECTED[: len(running.given)]
            assert not (running.whole and running.given)

    @invariant()
    def the_pool_keeps_its_books(self) -> None:
        pool = self.world.pool
        holding = sum(running.call.holds_place for running in self.running)
        assert pool.taken + pool.waiting == holding
        assert pool.taken + pool.idle <= PLACES
        assert not (pool.waiting and pool.taken + pool.idle < PLACES)
        assert not (pool.waiting and pool.idle)

    @invariant()
    def every_connection_is_somewhere(self) -> None:
        used = set()
        for running in self.running:
            ticket = running.call._place.ticket
            if ticket is not None:
                used.add(id(running.call.handle))
                if ticket.connection is not None:  # handed over, but its call does not know yet
                    used.add(id(ticket.connection.handle))
        alive = [handle for handle in self.world.handles if not handle.closed]
        assert all(handle.closed <= 1 for handle in self.world.handles)
        assert len(alive) == self.world.pool.idle + sum(id(handle) in used for handle in alive)
        assert not any(id(handle) in used for handle in self.world.handles if handle.closed)

    def teardown(self) -> None:
        for running in self.running:
            running.call.abandon()
        self.world.pool.close()
        self.world.close_discarded()
        assert (self.world.pool.taken, self.world.pool.idle, self.world.pool.waiting) == (0, 0, 0)
        assert all(handle.closed == 1 for handle in self.world.handles)


TestCalls = Calls.TestCase
TestCalls.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)


class Plodding(World):
    """A world whose calls never take the short way."""

    def do(self, call: Call, action: Any) -> None:
        call._direct = None
        super().do(call, action)


class Driving(World):
    """A world that asks and tells its calls as `drive` does, which leaves out what would only bring Receive and Deliver
    again."""

    delivered: Sequence[Event] | None = None

    def ask(self, call: Call) -> Action:
        if self.delivered is not None:
            events, self.delivered = self.delivered, None
            return Deliver(events)
        until = call.reading_until(self.now)
        return super().ask(call) if until is None else Receive(until)

    def receive(self, call: Call, data: bytes) -> None:
        self.delivered = call.receive_events(data, self.now)


PARTS = [
    *FRAMES,
    *OPENING,
    *DELTAS,
    *CLOSING,
    PING,
    OVERLOADED,
    b": x\n\n",
    b"data: [DONE]\n\n",
    b"data: {\n\n",
    b"\xff",
]
TRASH = [b"zz\r\n", b"0\r\n\r\n", b"5\r\nhello", b"\r\n", b""]


@st.composite
def answers(draw: st.DrawFn) -> tuple[bytes, list[int]]:
    """An answer, good or not, and where it is cut."""
    pieces = list(FRAMES)
    for _ in range(draw(st.integers(0, 3))):
        pieces.insert(draw(st.integers(0, len(pieces))), draw(st.sampled_from(PARTS)))
    raw = head() + chunked(*pieces[: draw(st.integers(0, len(pieces)))], last=draw(st.booleans()))
    raw += draw(st.sampled_from(TRASH))
    cuts = draw(st.lists(st.integers(1, len(raw)), max_size=30, unique=True))
    return raw, sorted({0, *cuts, len(raw)})


def seen(outcome: Outcome, world: World) -> tuple[Any, ...]:
    error = outcome.error
    message = outcome.call.message
    return (
        [repr(event) for event in outcome.events],
        type(error),
        str(error),
        None if message is None else repr(message.content),
        world.now,
        (world.pool.idle, world.pool.taken),
        [type(action).__name__ for action in outcome.actions],
        [event.kind for event in world.trace],
    )


@given(answers(), st.sampled_from(["eof", "reset", "hang"]), st.booleans())
def test_the_short_way_is_no_other_way(what: tuple[bytes, list[int]], end: str, secure: bool) -> None:
    raw, edges = what
    results = []
    for kind in (World, Plodding, Driving):
        pieces = [(0.5, raw[a:b]) if not secure else raw[a:b] for a, b in itertools.pairwise(edges)]
        peer = Peer([*pieces, end])
        if secure:
            peer.tls = ServerTLS(server_context("localhost"))
        world = kind(peer, tls=lambda name: TLSExchange(client_context(), name))
        outcome = world.run(world.call(tls=secure, host="localhost"))
        results.append(seen(outcome, world))
    assert results[0] == results[1] == results[2]
