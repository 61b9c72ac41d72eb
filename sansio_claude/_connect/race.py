"""Race: which address of a host is tried when (RFC 8305, "happy eyeballs"). No I/O, no clock.

Rules:

- The families of the addresses alternate, beginning with that of the first one (section 4); within a family the
  resolver's order, which is that of RFC 6724, is kept. An address that comes twice is tried once.
- One more address is tried every 250 ms (section 5), and at once when the latest one to be tried has failed. No
  attempt is given up for a later one: whichever connects first wins.
- All of them share one deadline. Where that is near, they follow each other faster, so that the last one has a share
  of the time too, down to 10 ms apart.
- Where the way may only lead to this machine, other addresses are left out, whatever the resolver said.
- If all fail, the error is that of the first address in the order, unless that only says that this machine has no way
  to its family ("network unreachable") and another one says more ("connection refused").
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, Final, TypeAlias

from sansio_claude._connect.address import is_loopback
from sansio_claude._copies import CopiedWhole
from sansio_claude._errors import LocalProtocolError

__all__ = ["Candidate", "Race"]

Candidate: TypeAlias = tuple[Any, ...]
"""A tuple with the family first and the address as `socket.connect` takes it last: a result of `socket.getaddrinfo`."""

DELAY: Final = 0.25  # seconds between two attempts (RFC 8305 section 5, "Connection Attempt Delay")
LEAST_DELAY: Final = 0.01  # seconds, the least that section 5 allows
NEVER: Final = float("inf")
# What says nothing of the host, only of this machine.
_NO_WAY: Final = frozenset(
    {errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EHOSTUNREACH, errno.EINVAL, errno.EPERM}
)


class Race(CopiedWhole):
    """The attempts to connect to one host.

    `candidates` are the results of `socket.getaddrinfo(host, port, type=SOCK_STREAM)`, `now` and `deadline` seconds on
    any clock that never goes back; `loopback` leaves out what is not this machine. Until `over`:

        for candidate in race.due(now):           # begin to connect to it, without waiting
            ...
        ...                                       # wait until one of them is done, but not beyond race.until
        race.connected(candidate)                 # or race.failed(candidate, error, now)

    Then `winner` is the candidate to use, the others are to be closed; None where there is none: `timed_out` says that
    the deadline passed, else `error` is the OSError to report. `failures` has all of them in the order in which they
    came. Linear in the number of candidates. Raises LocalProtocolError for a report on what was not begun.
    """

    __slots__ = (
        "_begun",
        "_deadline",
        "_delay",
        "_next_at",
        "_order",
        "_position",
        "_running",
        "failures",
        "timed_out",
        "winner",
    )

    def __init__(
        self, candidates: Iterable[Candidate], now: float, *, deadline: float = NEVER, loopback: bool = False
    ) -> None:
        given = list(candidates)
        self._order = list(_in_turn(each for each in given if not loopback or _is_here(each)))
        self._position = {(each[0], each[-1]): number for number, each in enumerate(self._order)}
        self._deadline = deadline
        self._delay = DELAY
        if self._order:
            share = (deadline - now) / len(self._order)
            self._delay = max(LEAST_DELAY, min(DELAY, share))
        self._begun = 0
        self._next_at = now
        self._running: dict[int, None] = {}
        self.winner: Candidate | None = None
        """The candidate that connected first."""
        self.timed_out: bool = False
        """Whether the deadline passed before any connected."""
        self.failures: list[tuple[Candidate, BaseException]] = []
        """What became of those that failed."""
        if given and not self._order:
            self.failures = [(each, _elsewhere(each)) for each in given]

    def __repr__(self) -> str:
        state = "won" if self.winner is not None else "timed out" if self.timed_out else "over" if self.over else "open"
        return f"<Race {state}, {self._begun} of {len(self._order)} begun, {len(self.failures)} failed>"

    @property
    def over(self) -> bool:
        """Whether there is nothing left to be tried or waited for."""
        return self.winner is not None or self.timed_out or not (self._running or self._begun < len(self._order))

    @property
    def until(self) -> float:
        """The time at which `due` is to be asked again if nothing is reported before."""
        return min(self._next_at, self._deadline) if self._begun < len(self._order) else self._deadline

    @property
    def running(self) -> Sequence[Candidate]:
        """Those begun whose result was not reported yet."""
        return [self._order[number] for number in self._running]

    @property
    def error(self) -> BaseException | None:
        """The error that says most, of those reported; None where none was."""
        best: BaseException | None = None
        for _, error in sorted(self.failures, key=lambda failure: self._position.get(_key(failure[0]), 0)):
            if best is None:
                best = error
            if not (isinstance(error, OSError) and error.errno in _NO_WAY):
                return error
        return best

    def due(self, now: float) -> list[Candidate]:
        """Those to be begun now; each is given once."""
        if self.winner is not None or self.timed_out:
            return []
        if now >= self._deadline:
            self.timed_out = not self.over
            return []
        found: list[Candidate] = []
        if self._begun < len(self._order) and (now >= self._next_at or not self._running):
            # One at a time, however late this is asked: a machine that slept does not begin all at once.
            self._running[self._begun] = None
            found.append(self._order[self._begun])
            self._begun += 1
            self._next_at = now + self._delay
        return found

    def connected(self, candidate: Candidate) -> bool:
        """It is connected; whether it won. If not, close it."""
        self._running.pop(self._number(candidate))
        if self.winner is None and not self.timed_out:
            self.winner = candidate
            return True
        return False

    def failed(self, candidate: Candidate, error: BaseException, now: float) -> None:
        """It could not be connected to."""
        number = self._number(candidate)
        del self._running[number]
        self.failures.append((candidate, error))
        if number == self._begun - 1 or not self._running:
            self._next_at = now

    def _number(self, candidate: Candidate) -> int:
        number = self._position.get(_key(candidate), -1)
        if number not in self._running:
            raise LocalProtocolError("this address was not begun, or its result was reported already")
        return number


def _key(candidate: Candidate) -> tuple[Any, Any]:
    return candidate[0], candidate[-1]


def _in_turn(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """The families in turn, each candidate once."""
    families: dict[Any, dict[Any, Candidate]] = {}
    for each in candidates:
        families.setdefault(each[0], {}).setdefault(each[-1], each)
    for row in zip_longest(*(family.values() for family in families.values())):
        yield from (each for each in row if each is not None)


def _is_here(candidate: Candidate) -> bool:
    address = candidate[-1]
    return is_loopback(str(address[0]).partition("%")[0])


def _elsewhere(candidate: Candidate) -> OSError:
    words = f"the name was found at {candidate[-1][0]}, which is not this machine; plain http goes to this machine only"
    return OSError(errno.EACCES, words)
