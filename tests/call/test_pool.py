"""The pool: places, rows, idle connections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from sansio_claude._call.place import Place
from sansio_claude._call.pool import Pool, Ticket
from sansio_claude._errors import LocalProtocolError


@attrs.define(eq=False)
class Line:
    name: str
    stale: bool = False


def open_line(pool: Pool[Line], name: str, origin: str = "a", now: float = 0.0) -> tuple[Ticket[Line], Line]:
    ticket = pool.request(origin, now)
    assert ticket.granted
    assert ticket.connection is None
    return ticket, Line(name)


def keep(pool: Pool[Line], name: str, origin: str = "a", now: float = 0.0) -> Line:
    ticket, line = open_line(pool, name, origin, now)
    pool.release(ticket, line, now)
    return line


def test_the_last_used_connection_comes_first() -> None:
    pool: Pool[Line] = Pool()
    pairs = [open_line(pool, name) for name in "xyz"]
    for ticket, line in pairs:
        pool.release(ticket, line, 0.0)
    assert (pool.idle, pool.taken) == (3, 0)
    got = [pool.request("a", 1.0).connection for _ in range(4)]
    assert [line.name if line else None for line in got] == ["z", "y", "x", None]


def test_only_for_the_same_origin() -> None:
    pool: Pool[Line] = Pool()
    keep(pool, "x")
    assert pool.request("b", 0.0).connection is None
    assert pool.idle == 1


def test_a_fresh_one_passes_the_idle_ones() -> None:
    pool: Pool[Line] = Pool(max_connections=1)
    line = keep(pool, "x")
    ticket = pool.request("a", 0.0, fresh=True)
    assert ticket.granted
    assert ticket.connection is None
    assert pool.discarded() == [line]


def test_idle_ones_make_room_the_longest_idle_first() -> None:
    pool: Pool[Line] = Pool(max_connections=2)
    first, second = open_line(pool, "x", "a"), open_line(pool, "y", "b")
    pool.release(*first, 0.0)
    pool.release(*second, 1.0)
    assert pool.request("c", 2.0).granted
    assert pool.discarded() == [first[1]]
    assert pool.discarded() == []
    assert (pool.taken, pool.idle) == (1, 1)


@pytest.mark.parametrize("way", ["taken", "made room", "stale", "too old"])
def test_nothing_is_kept_of_an_origin_without_a_connection(way: str) -> None:
    """A program that asks ever other servers would keep a bit of each."""
    pool: Pool[Line] = Pool(max_connections=1, idle_timeout=30.0)
    for number in range(5):
        line = keep(pool, "x", f"origin {number}")
        line.stale = way == "stale"
        if way == "made room":
            continue
        ticket = pool.request(f"origin {number}", 31.0 if way == "too old" else 0.0)
        pool.discard(ticket)
    pool.discard(pool.request("the last", 31.0))
    assert not pool.idle
    assert not pool._by_origin


def test_stale_ones_are_discarded() -> None:
    pool: Pool[Line] = Pool()
    pairs = [open_line(pool, name) for name in "xyz"]
    for ticket, line in pairs:
        pool.release(ticket, line, 0.0)
    pairs[2][1].stale = pairs[1][1].stale = True
    ticket = pool.request("a", 0.0)
    assert ticket.connection is pairs[0][1]
    assert pool.discarded() == [pairs[2][1], pairs[1][1]]


def test_renewing() -> None:
    pool: Pool[Line] = Pool()
    pairs = [open_line(pool, name) for name in "xy"]
    for ticket, line in pairs:
        pool.release(ticket, line, 0.0)
    ticket = pool.request("a", 0.0)
    seen = [ticket.connection]
    for _ in range(3):
        pool.renew(ticket)
        seen.append(ticket.connection)
    assert seen == [pairs[1][1], pairs[0][1], None, None]
    assert (pool.taken, pool.idle) == (1, 0)
    assert pool.discarded() == [pairs[1][1], pairs[0][1]]


class Interrupted:
    """A lock in whose block something happens: a signal handler or a finalizer, which does not wait for the lock."""

    def __init__(self) -> None:
        self.held = False
        self.happens: list[Callable[[], None]] = []

    def acquire(self, blocking: bool = True) -> bool:
        got = not self.held
        self.held = True
        return got

    def release(self) -> None:
        self.held = False

    def __enter__(self) -> None:
        assert self.acquire()

    def __exit__(self, *error: object) -> None:
        while self.happens:
            self.happens.pop()()
        self.release()


STEPS: dict[str, Callable[[Pool[Line], Ticket[Line]], object]] = {
    "request": lambda pool, ticket: pool.request("a", 0.0),
    "enter": lambda pool, ticket: pool.enter(Ticket("a", fresh=False, home=None), 0.0),
    "renew": lambda pool, ticket: pool.renew(ticket),
    "release": lambda pool, ticket: pool.release(ticket, Line("x"), 0.0),
    "expire": lambda pool, ticket: pool.expire(0.0),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_place_given_up_while_a_step_is_under_way_goes_to_who_waits(name: str) -> None:
    lock = Interrupted()
    pool: Pool[Line] = Pool(max_connections=2, lock=lock)
    (given_up, line), (ticket, _) = open_line(pool, "x", "b"), open_line(pool, "y")
    waiting, later = pool.request("c", 0.0), pool.request("d", 0.0)
    lock.happens.append(lambda: pool.discard(given_up, line))
    STEPS[name](pool, ticket)
    assert waiting.granted
    assert later.granted == (name == "release")
    assert line in pool.discarded()


def test_idle_ones_expire() -> None:
    pool: Pool[Line] = Pool(idle_timeout=10.0)
    pairs = [open_line(pool, name) for name in "xy"]
    pool.release(*pairs[0], 0.0)
    pool.release(*pairs[1], 5.0)
    pool.expire(9.9)
    assert pool.idle == 2
    pool.expire(10.0)
    assert pool.discarded() == [pairs[0][1]]
    assert pool.request("a", 15.0).connection is None
    assert pool.discarded() == [pairs[1][1]]


def test_first_come_first_served() -> None:
    pool: Pool[Line] = Pool(max_connections=1)
    ticket, line = open_line(pool, "x")
    woken: list[str] = []
    row = [pool.request("a", 0.0) for _ in range(3)]
    for name, each in zip("pqr", row, strict=True):
        assert not each.granted
        each.wake = lambda name=name: woken.append(name)
    assert pool.waiting == 3
    pool.discard(row[1])
    pool.release(ticket, line, 0.0)
    assert woken == ["p"]
    assert row[0].connection is line
    newcomer = pool.request("a", 0.0)
    pool.discard(row[0], line)
    assert woken == ["p", "r"]
    assert row[2].connection is None
    assert row[2].held
    seen = [newcomer.granted]
    pool.discard(row[2])
    seen.append(newcomer.granted)
    assert seen == [False, True]
    assert newcomer.wake is None


def test_a_ticket_that_was_granted_and_is_given_up_loses_nothing() -> None:
    pool: Pool[Line] = Pool(max_connections=1)
    line = keep(pool, "x")
    ticket = pool.request("a", 0.0)
    waiting = pool.request("a", 0.0)
    pool.discard(ticket)
    pool.discard(ticket)
    assert pool.discarded() == [line]
    assert waiting.held
    assert (pool.taken, pool.waiting) == (1, 0)


@pytest.mark.parametrize("end", ["discard", "release"])
def test_a_ticket_holds_nothing_once_it_is_given_back(end: str) -> None:
    pool: Pool[Line] = Pool()
    ticket, line = open_line(pool, "x")
    assert ticket.held
    if end == "discard":
        pool.discard(ticket, line)
    else:
        pool.release(ticket, line, 0.0)
    assert not ticket.held


def test_a_place_for_another_origin() -> None:
    pool: Pool[Line] = Pool(max_connections=1)
    ticket, line = open_line(pool, "x", "a")
    waiting = pool.request("b", 0.0)
    pool.release(ticket, line, 0.0)
    assert waiting.held
    assert waiting.connection is None
    assert pool.discarded() == [line]


def test_closing() -> None:
    pool: Pool[Line] = Pool(max_connections=2)
    busy, line = open_line(pool, "x")
    idle = keep(pool, "y")
    other = pool.request("b", 0.0)
    waiting = pool.request("b", 0.0)
    woken: list[bool] = []
    waiting.wake = lambda: woken.append(True)
    assert pool.discarded() == [idle]
    pool.close()
    assert woken == [True]
    assert waiting.granted
    assert not waiting.held
    assert pool.closed
    with pytest.raises(LocalProtocolError):
        pool.request("a", 0.0)
    pool.release(busy, line, 0.0)
    assert pool.discarded() == [line]
    pool.discard(other)
    pool.discard(waiting)
    assert pool.taken == 0
    pool.close()


def test_closing_closes_what_is_idle() -> None:
    pool: Pool[Line] = Pool()
    pairs = [open_line(pool, name) for name in "xy"]
    for ticket, line in pairs:
        pool.release(ticket, line, 0.0)
    pool.close()
    assert pool.discarded() == [pairs[0][1], pairs[1][1]]
    assert pool.idle == 0


@pytest.mark.parametrize("value", [0, -1, True, 1.5, None])
def test_impossible_sizes(value: object) -> None:
    with pytest.raises(LocalProtocolError):
        Pool(max_connections=value)  # type: ignore[arg-type]


def test_many_calls_take_no_longer_each() -> None:
    """O(1): what is done for each of many tickets does not depend on how many there are."""

    class Counted(Line):
        asked = 0

        @property
        def stale(self) -> bool:
            Counted.asked += 1
            return False

        @stale.setter
        def stale(self, value: bool) -> None:
            pass

    pool: Pool[Line] = Pool(max_connections=2_000)
    tickets = [pool.request("a", 0.0) for _ in range(4_000)]
    for ticket in tickets[:2_000]:
        pool.release(ticket, Counted("x"), 0.0)
    for ticket in tickets[2_000:]:
        assert ticket.connection is not None
        pool.release(ticket, ticket.connection, 0.0)
    assert Counted.asked == 2_000
    assert (pool.taken, pool.idle) == (0, 2_000)


def test_a_place_that_is_granted_before_anybody_waits_for_it_wakes_at_once() -> None:
    pool: Pool[Any] = Pool(max_connections=1)
    first, second = Place(pool), Place(pool)
    first.ask("a", 0.0, fresh=False, home=None)
    second.ask("a", 0.0, fresh=False, home=None)
    assert (first.granted, second.granted) == (True, False)
    first.leave(0.0, reusable=False)  # as from another thread, between asking and waiting
    assert second.granted
    woken: list[int] = []
    second.on_wake(lambda: woken.append(1))
    assert woken == [1]
    second.wake()
    assert woken == [1]
