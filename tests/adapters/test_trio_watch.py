"""Deadlines on trio: many wires with one that keeps the time give what each with a scope of its own would give."""

from __future__ import annotations

import math
import socket
from typing import Any

import attrs
import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from sansio_claude.trio._net import Wire, _watch, the_one_that_counts


@attrs.define(frozen=True)
class Plan:
    """What happens to one wire: when its peer writes, how long its reader waits each time, when it is cancelled."""

    writes: tuple[int, ...]
    waits: tuple[float, ...]
    busy: int
    cancelled: int | None


plans = st.builds(
    Plan,
    writes=st.lists(st.integers(1, 30), max_size=4, unique=True).map(sorted).map(tuple),
    waits=st.lists(st.sampled_from([1.5, 4.5, 9.5, 20.5, math.inf]), min_size=1, max_size=4).map(tuple),
    busy=st.integers(0, 3),
    cancelled=st.none() | st.integers(1, 25),
)


class Alone(Wire):
    """The same with a scope of its own."""

    __slots__ = ()

    async def receive(self, deadline: float) -> bytes | None:
        with trio.CancelScope(deadline=deadline):
            await trio.lowlevel.wait_readable(self.socket)
            return self.socket.recv(65536)
        return None


async def _live(kind: type[Wire], schedule: list[Plan]) -> list[list[tuple[float, Any]]]:
    seen: list[list[tuple[float, Any]]] = [[] for _ in schedule]
    watch = _watch()

    async def write(plan: Plan, peer: socket.socket) -> None:
        for at in plan.writes:
            await trio.sleep_until(start + at)
            peer.send(b"x")

    async def read(number: int, plan: Plan, wire: Wire) -> None:
        with trio.CancelScope(deadline=math.inf if plan.cancelled is None else start + plan.cancelled + 0.25):
            for wait in plan.waits:
                # An odd fraction, so that nothing happens at the very same time as a deadline.
                received = await wire.receive(trio.current_time() + wait + number / 1000)
                seen[number].append((round(trio.current_time() - start, 3), received))
                await trio.sleep(plan.busy / 8)

    pairs = [socket.socketpair() for _ in schedule]
    start = trio.current_time()
    try:
        with trio.move_on_after(60):  # a wait without end
            async with trio.open_nursery() as nursery:
                for number, (plan, pair) in enumerate(zip(schedule, pairs, strict=True)):
                    pair[0].setblocking(False)
                    nursery.start_soon(write, plan, pair[1])
                    nursery.start_soon(read, number, plan, kind(pair[0]))
    finally:
        for one, other in pairs:
            trio.lowlevel.notify_closing(one)
            one.close()
            other.close()
    assert watch.scope is None
    assert not watch.waiting
    return seen


@given(st.lists(plans, min_size=1, max_size=6))
@settings(max_examples=100)
def test_one_keeps_the_time_for_all(schedule: list[Plan]) -> None:
    results = [
        trio.run(_live, kind, schedule, clock=trio.testing.MockClock(autojump_threshold=0)) for kind in (Wire, Alone)
    ]
    assert results[0] == results[1]


def test_a_wire_that_is_closed_while_it_waits() -> None:
    async def main() -> None:
        pairs = [socket.socketpair() for _ in range(3)]
        wires = [Wire(one) for one, _ in pairs]
        for one, _ in pairs:
            one.setblocking(False)
        failed: list[int] = []

        async def read(number: int) -> None:
            try:
                await wires[number].receive(trio.current_time() + 100)
            except OSError:
                failed.append(number)

        async with trio.open_nursery() as nursery:
            for number in range(3):
                nursery.start_soon(read, number)
            for number in (1, 0, 2):  # one that waits, the one that keeps the time, the last one
                await trio.testing.wait_all_tasks_blocked()
                wires[number].close()
                wires[number].close()
        assert sorted(failed) == [0, 1, 2]
        for _, other in pairs:
            other.close()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


@pytest.mark.parametrize("count", [1, 50])
def test_each_deadline_rings_in_time(count: int) -> None:
    async def main() -> None:
        pairs = [socket.socketpair() for _ in range(count)]
        start = trio.current_time()

        async def read(number: int) -> None:
            pairs[number][0].setblocking(False)
            deadline = start + 1 + (number * 7) % count
            assert await Wire(pairs[number][0]).receive(deadline) is None
            assert trio.current_time() == pytest.approx(deadline)

        async with trio.open_nursery() as nursery:
            for number in range(count):
                nursery.start_soon(read, number)
        for pair in pairs:
            for each in pair:
                each.close()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_of_two_exceptions_of_a_nursery_the_cancellation_counts_less() -> None:
    caught: list[trio.Cancelled] = []

    async def main() -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            try:
                await trio.lowlevel.checkpoint()
            except trio.Cancelled as cancelled:
                caught.append(cancelled)
                raise

    trio.run(main)
    both = BaseExceptionGroup("both", [*caught, KeyboardInterrupt()])
    assert isinstance(the_one_that_counts(both), KeyboardInterrupt)
    assert the_one_that_counts(BaseExceptionGroup("alone", caught)) is caught[0]
