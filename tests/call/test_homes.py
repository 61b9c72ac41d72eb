"""The pool: re-entered by a finalizer, used by threads, moved to another event loop; how long a server keeps things."""

from __future__ import annotations

import gc
import random
import threading
from typing import Any

import attrs
import pytest

from sansio_claude._call.pool import Pool, Ticket
from sansio_claude._errors import LocalProtocolError
from tests.virtual import GOOD_BODY, Peer, World, head


class Kept:
    """A connection."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    @property
    def stale(self) -> bool:
        return False


class Collecting(Kept):
    """One at whose look the collector runs, as it may at any allocation."""

    @property
    def stale(self) -> bool:
        gc.collect()
        return False


class Forgotten:
    """A stream in a circle of references, which nobody holds any more."""

    def __init__(self, pool: Pool[Any], ticket: Ticket[Any]) -> None:
        self.pool, self.ticket, self.me = pool, ticket, self

    def __del__(self) -> None:
        self.pool.discard(self.ticket, Kept("forgotten"))


@pytest.mark.parametrize("lock", [None, threading.Lock()], ids=["one thread", "a lock"])
def test_a_finalizer_in_the_middle_of_a_step(lock: Any) -> None:
    gc.disable()
    try:
        pool: Pool[Any] = Pool(max_connections=2, lock=lock)
        Forgotten(pool, pool.request("o", 0.0))
        second, third, fourth = (pool.request("o", 0.0) for _ in range(3))
        pool.release(second, Collecting("second"), 1.0)
        assert third.granted
        assert fourth.granted
        assert third.connection is not None
        assert third.connection.name == "second"
        assert fourth.connection is None
        assert [each.name for each in pool.discarded()] == ["forgotten"]
        assert (pool.taken, pool.idle, pool.waiting) == (2, 0, 0)
        pool.discard(third, third.connection)
        pool.discard(fourth)
        assert (pool.taken, pool.idle, pool.waiting) == (0, 0, 0)
    finally:
        gc.enable()


def test_threads() -> None:
    """Whatever threads do, no place is lost and no connection is with two of them."""
    pool: Pool[Any] = Pool(max_connections=4, lock=threading.Lock())
    held: set[int] = set()
    failed: list[BaseException] = []

    def work(seed: int) -> None:
        chance = random.Random(seed)
        try:
            for _ in range(300):
                granted = threading.Event()
                ticket = pool.request(chance.choice("ab"), 0.0)
                ticket.wake = granted.set
                if not ticket.granted:
                    if chance.random() < 0.1:
                        pool.discard(ticket)
                        continue
                    assert granted.wait(30)
                connection = ticket.connection or Kept()
                assert id(connection) not in held
                held.add(id(connection))
                assert len(held) <= 4
                held.remove(id(connection))
                if chance.random() < 0.5:
                    pool.release(ticket, connection, 0.0)
                else:
                    pool.discard(ticket, connection)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert (pool.taken, pool.waiting) == (0, 0)


@attrs.define
class Loop:
    """An event loop as the pool sees it."""

    name: str
    over: bool = attrs.field(default=False, eq=False)


def test_a_connection_belongs_to_one_home() -> None:
    pool: Pool[Any] = Pool()
    first = pool.request("o", 5.0, home=Loop("one"))
    pool.release(first, Kept("one"), 5.0)
    assert pool.idle == 1
    again = pool.request("o", 6.0, home=Loop("one"))
    assert again.connection is not None
    pool.release(again, again.connection, 6.0)
    # Another loop's clock has nothing to do with this one's.
    other = pool.request("o", -900.0, home=Loop("two"))
    assert other.connection is None
    assert [each.name for each in pool.discarded()] == ["one"]


def test_two_homes_at_once() -> None:
    pool: Pool[Any] = Pool(max_connections=1)
    one = Loop("one")
    held = pool.request("o", 0.0, home=one)
    with pytest.raises(LocalProtocolError, match="another event loop or thread"):
        pool.request("o", 0.0, home=Loop("two"))
    one.over = True  # with the call in it
    after = pool.request("o", 0.0, home=Loop("two"))
    assert after.held
    assert pool.taken == 1
    pool.discard(held, Kept("late"))  # it does not give back what is not its own any more
    assert pool.taken == 1
    assert [each.name for each in pool.discarded()] == ["late"]
    pool.release(after, Kept(), 0.0)
    assert (pool.taken, pool.idle) == (0, 1)


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("timeout=5, max=100", 4.0),
        ("max=3,Timeout = 5", 4.0),
        ("timeout=1", 0.5),
        ("timeout=0", 0.0),
        ("timeout=3600", 30.0),
        ("timeout=x", 30.0),
        ("timeout=-1", 30.0),
        ("timeout=99999999999999", 30.0),
        ("max=5", 30.0),
    ],
)
def test_a_server_that_says_how_long_it_keeps_a_connection(words: str, seconds: float) -> None:
    answer = head(200, "content-type: text/event-stream", f"keep-alive: {words}") + GOOD_BODY
    for late in (False, True):
        world = World(Peer([answer, answer]), answer)
        assert world.run().error is None
        world.now += seconds if late else max(seconds - 0.01, 0.0)
        assert world.run().error is None
        assert len(world.handles) == (2 if late or not seconds else 1)


def test_longer_idle_connections_behind_shorter_ones() -> None:
    pool: Pool[Any] = Pool()
    tickets = [pool.request("o", 0.0) for _ in range(2)]
    pool.release(tickets[0], Kept("long"), 0.0)
    pool.release(tickets[1], Kept("short"), 0.0, keep=4.0)
    found = pool.request("o", 10.0)
    assert found.connection is not None
    assert found.connection.name == "long"
    assert [each.name for each in pool.discarded()] == ["short"]
