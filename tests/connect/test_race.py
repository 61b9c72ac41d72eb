"""Which address is tried when (RFC 8305): every pattern of dead, slow, refusing and good addresses, in virtual time."""

from __future__ import annotations

import errno
import itertools
import socket
from collections.abc import Sequence
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude._connect.race import DELAY, LEAST_DELAY, Candidate, Race
from sansio_claude._errors import LocalProtocolError

NEVER = float("inf")
V4, V6 = socket.AF_INET, socket.AF_INET6


def address(number: int, family: int = V4) -> Candidate:
    if family == V6:
        return V6, socket.SOCK_STREAM, 6, "", (f"2001:db8::{number:x}", 443, 0, 0)
    return V4, socket.SOCK_STREAM, 6, "", (f"192.0.2.{number}", 443)


@attrs.define
class Way:
    """How an address behaves: after so many seconds it is connected, or fails."""

    kind: str
    after: float
    error: int = errno.ECONNREFUSED


DEAD = Way("dead", NEVER)
GOOD = Way("good", 0.03)
SLOW = Way("good", 1.5)
REFUSING = Way("refusing", 0.01)


@attrs.define
class Run:
    race: Race
    ended: float
    begun: list[tuple[float, Candidate]]


def run(ways: Sequence[Way], *, deadline: float = NEVER, families: Sequence[int] = (), late: float = 0.0) -> Run:
    """Run a race to its end. `late`: so many seconds after `until` it is asked."""
    candidates = [address(n, families[n] if families else V4) for n in range(len(ways))]
    way_of = dict(zip(candidates, ways, strict=True))
    now = 100.0
    race = Race(candidates, now, deadline=100.0 + deadline)
    pending: list[tuple[float, int, Candidate]] = []
    begun: list[tuple[float, Candidate]] = []
    for _ in range(1000):
        for candidate in race.due(now):
            begun.append((now - 100.0, candidate))
            pending.append((now + way_of[candidate].after, len(begun), candidate))
        if race.over:
            return Run(race, now - 100.0, begun)
        pending.sort()
        assert race.until < NEVER or pending
        if pending and pending[0][0] <= race.until:
            now, _, candidate = pending.pop(0)
            assert now < NEVER, "nobody would ever come back"
            way = way_of[candidate]
            if way.kind == "good":
                assert race.connected(candidate)
            else:
                race.failed(candidate, OSError(way.error, "no"), now)
        else:
            now = max(now, race.until) + late
    raise AssertionError("the race does not end")


class TestPatterns:
    @pytest.mark.parametrize("size", [1, 2, 3, 4])
    def test_every_pattern(self, size: int) -> None:
        """One good address is enough, and how long it takes is bounded by the delays before it."""
        for ways in itertools.product([DEAD, SLOW, REFUSING, GOOD], repeat=size):
            done = run(ways, deadline=10.0)
            usable = [number for number, way in enumerate(ways) if way.kind == "good"]
            if usable:
                assert done.race.winner is not None, ways
                assert done.ended <= min(number * DELAY + ways[number].after for number in usable) + 1e-9
                assert not done.race.timed_out
            elif DEAD in ways:
                assert done.race.timed_out, ways
                assert done.ended == 10.0
            else:
                assert done.race.error is not None
                assert done.race.error.errno == errno.ECONNREFUSED  # type: ignore[attr-defined]
                assert done.ended == pytest.approx(0.01 * size)
            assert len(set(map(id, (each for _, each in done.begun)))) == len(done.begun)

    @given(
        ways=st.lists(
            st.builds(
                Way,
                st.sampled_from(["good", "refusing", "dead"]),
                st.floats(0.0, 20.0),
                st.sampled_from([errno.ECONNREFUSED, errno.ENETUNREACH, errno.ETIMEDOUT]),
            ),
            max_size=12,
        ),
        families=st.lists(st.sampled_from([V4, V6]), min_size=12, max_size=12),
        deadline=st.one_of(st.floats(0.0, 20.0), st.just(10.0)),
        late=st.floats(0.0, 1.0),
    )
    def test_any_pattern(self, ways: list[Way], families: list[int], deadline: float, late: float) -> None:
        ways = [Way("dead", NEVER) if way.kind == "dead" else way for way in ways]
        done = run(ways, deadline=deadline, families=families[: len(ways)], late=late)
        race = done.race
        assert race.over
        assert race.due(1e9) == []
        assert done.ended <= deadline + late + 1e-9 or not ways
        outcomes = [race.winner is not None, race.timed_out, race.error is not None and race.winner is None]
        assert sum(outcomes[:2]) <= 1
        if not race.timed_out and race.winner is None:
            assert len(race.failures) == len(ways)
        if ways and race.winner is None and not race.timed_out:
            assert race.error in [error for _, error in race.failures]

    def test_a_dead_first_address_costs_a_quarter_of_a_second(self) -> None:
        done = run([DEAD, GOOD], deadline=10.0)
        assert done.ended == pytest.approx(DELAY + GOOD.after)

    def test_a_refusal_costs_nothing(self) -> None:
        done = run([REFUSING, REFUSING, GOOD], deadline=10.0)
        assert done.ended == pytest.approx(2 * REFUSING.after + GOOD.after)

    def test_the_newest_refusal_begins_the_next_at_once_and_an_older_one_does_not(self) -> None:
        done = run([DEAD, REFUSING, GOOD], deadline=10.0)
        assert [at for at, _ in done.begun] == pytest.approx([0.0, DELAY, DELAY + REFUSING.after])
        older = Way("refusing", DELAY + 0.01)
        done = run([older, DEAD, GOOD], deadline=10.0)
        assert [at for at, _ in done.begun] == pytest.approx([0.0, DELAY, 2 * DELAY])

    def test_an_older_attempt_may_still_win(self) -> None:
        done = run([Way("good", 0.4), Way("good", 5.0), DEAD], deadline=10.0)
        assert done.race.winner == address(0)
        assert done.ended == pytest.approx(0.4)

    def test_a_near_deadline_is_shared(self) -> None:
        done = run([DEAD, DEAD, DEAD, Way("good", 0.05)], deadline=0.4)
        assert done.race.winner == address(3)
        assert [at for at, _ in done.begun] == pytest.approx([0.0, 0.1, 0.2, 0.3])
        crowd = run([DEAD] * 50, deadline=0.2)
        assert crowd.race.timed_out
        assert crowd.begun[1][0] == pytest.approx(LEAST_DELAY)

    def test_nothing_found(self) -> None:
        race = Race([], 0.0)
        assert race.over
        assert race.winner is None
        assert race.error is None
        assert race.due(0.0) == []


class TestOrder:
    @given(st.lists(st.sampled_from([V4, V6]), max_size=10))
    def test_families_take_turns(self, families: list[int]) -> None:
        given_order = [address(number, family) for number, family in enumerate(families)]
        order = Race(given_order, 0.0)._order
        assert sorted(order, key=str) == sorted(given_order, key=str)
        for family in (V4, V6):
            assert [e for e in order if e[0] == family] == [e for e in given_order if e[0] == family]
        if order:
            assert order[0] == given_order[0]
        for one, two in itertools.pairwise(order):
            rest = order[order.index(two) :]
            assert one[0] != two[0] or len({each[0] for each in rest}) == 1

    def test_an_address_that_comes_twice_is_tried_once(self) -> None:
        assert len(Race([address(1), address(1), address(2)], 0.0)._order) == 2

    def test_pairs_of_family_and_address_will_do(self) -> None:
        race = Race([(V4, ("192.0.2.1", 1)), (V6, ("::1", 1, 0, 0))], 0.0)
        assert race.due(0.0) == [(V4, ("192.0.2.1", 1))]


class TestErrors:
    def failed(self, *numbers: int) -> Any:
        race = Race([address(n) for n in range(len(numbers))], 0.0)
        for number in numbers:
            for candidate in race.due(0.0):
                race.failed(candidate, OSError(number, "no"), 0.0)
        assert race.over
        return race.error

    def test_refused_says_more_than_no_way(self) -> None:
        assert self.failed(errno.ENETUNREACH, errno.ECONNREFUSED).errno == errno.ECONNREFUSED
        assert self.failed(errno.ENETUNREACH, errno.EADDRNOTAVAIL).errno == errno.ENETUNREACH
        assert self.failed(errno.ETIMEDOUT, errno.ECONNREFUSED).errno == errno.ETIMEDOUT

    def test_what_was_not_begun_cannot_be_reported(self) -> None:
        race = Race([address(0), address(1)], 0.0)
        (first,) = race.due(0.0)
        assert race.running == [first]
        with pytest.raises(LocalProtocolError, match="not begun"):
            race.connected(address(1))
        race.failed(first, OSError(), 0.0)
        with pytest.raises(LocalProtocolError, match="already"):
            race.failed(first, OSError(), 0.0)
        with pytest.raises(LocalProtocolError, match="not begun"):
            race.connected(address(9))

    def test_the_second_to_connect_has_lost(self) -> None:
        race = Race([address(0), address(1)], 0.0)
        (first,) = race.due(0.0)
        (second,) = race.due(DELAY)
        assert race.connected(second)
        assert not race.connected(first)
        assert race.winner == second

    def test_only_this_machine(self) -> None:
        here: list[Candidate] = [(V6, ("::1", 1, 0, 0)), (V4, ("127.8.9.10", 1)), (V6, ("::ffff:127.0.0.1", 1, 0, 0))]
        race = Race([address(1), *here, address(2, V6), (V6, ("fe80::1%lo", 1, 0, 0))], 0.0, loopback=True)
        assert sorted(race._order, key=str) == sorted(here, key=str)
        nowhere = Race([address(1)], 0.0, loopback=True)
        assert nowhere.over
        assert "192.0.2.1, which is not this machine" in str(nowhere.error)
