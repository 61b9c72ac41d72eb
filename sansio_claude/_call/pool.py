"""Pool: which call gets which connection, and which connections are to be closed. Opens and closes nothing.

Rules:

- A ticket is one attempt's claim to a place. There are `max_connections` places; a place is held by a ticket or by an
  idle connection. A ticket that holds a place has a connection, or the permission to open one.
- A call gets the connection to its origin that became idle last (the least likely to be stale); if there is none and
  all places are taken, the longest idle connection to another origin makes room; if none is idle, it waits.
- Waiting is first come, first served, and nobody overtakes: a place that becomes free goes to the first in the row
  before anyone new can ask.
- A connection that has been idle for `idle_timeout`, or has become stale (bytes or an end arrived while nobody
  asked), is never handed out. Without tasks of its own the pool notices that only when it is used.
- Connections to be closed are put on a list that the adapter empties after every step (`discarded`).

Every step takes O(1) time, amortized.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

from sansio_claude._errors import LocalProtocolError

__all__ = ["Pool", "Pooled", "Ticket"]


class Pooled(Protocol):
    """What the pool needs to know of a connection."""

    @property
    def stale(self) -> bool:
        """Whether bytes or an end have arrived on it since it became idle. May look at the socket; never waits."""
        ...


_P = TypeVar("_P", bound=Pooled)


class Ticket(Generic[_P]):
    """One attempt's claim to a place among the connections. Made by `Pool.request`."""

    __slots__ = ("connection", "fresh", "granted", "held", "origin", "wake")

    def __init__(self, origin: Hashable, *, fresh: bool) -> None:
        self.origin: Hashable = origin
        self.fresh: bool = fresh
        """Whether only a new connection will do."""
        self.connection: _P | None = None
        """The idle connection that was handed over; None means: open one."""
        self.granted: bool = False
        """Whether the wait is over. Then the ticket holds a place, or the pool was closed."""
        self.held: bool = False
        """Whether it holds a place."""
        self.wake: Callable[[], object] | None = None
        """Called once, when a waiting ticket is granted. Set by whoever waits; it must not call the pool."""


class _Idle(Generic[_P]):
    __slots__ = ("connection", "origin", "since")

    def __init__(self, connection: _P, origin: Hashable, since: float) -> None:
        self.connection = connection
        self.origin = origin
        self.since = since


class Pool(Generic[_P]):
    """The connections of one client. See the top of this file for its rules."""

    __slots__ = ("_by_origin", "_closed", "_discarded", "_idle", "_idle_timeout", "_max", "_taken", "_waiting")

    def __init__(self, *, max_connections: int = 100, idle_timeout: float = 30.0) -> None:
        if isinstance(max_connections, bool) or not isinstance(max_connections, int) or max_connections < 1:
            raise LocalProtocolError("max_connections has to be an int of 1 or more")
        self._max = max_connections
        self._idle_timeout = idle_timeout
        self._taken = 0  # places held by tickets
        self._idle: OrderedDict[int, _Idle[_P]] = OrderedDict()  # by id of the entry, the longest idle first
        self._by_origin: dict[Hashable, dict[int, _Idle[_P]]] = {}  # the same entries, the last idle at the end
        self._waiting: OrderedDict[int, Ticket[_P]] = OrderedDict()  # by id of the ticket, the first in the row first
        self._discarded: list[_P] = []
        self._closed = False

    @property
    def taken(self) -> int:
        """Places held by calls."""
        return self._taken

    @property
    def idle(self) -> int:
        """Connections kept for reuse."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """Calls that wait for a place."""
        return len(self._waiting)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def request(self, origin: Hashable, now: float, *, fresh: bool = False) -> Ticket[_P]:
        """Ask for a place. The ticket is granted at once, or later, in its turn; then its `wake` is called.

        `fresh=True` does not take an idle connection. Raises LocalProtocolError on a closed pool.
        """
        if self._closed:
            raise LocalProtocolError("the client is closed; make a new one")
        self.expire(now)
        ticket: Ticket[_P] = Ticket(origin, fresh=fresh)
        if not self._grant(ticket):
            self._waiting[id(ticket)] = ticket
        return ticket

    def renew(self, ticket: Ticket[_P]) -> None:
        """Replace the ticket's connection, which went stale before it was used, by another one or a new one."""
        if ticket.connection is not None:
            self._discarded.append(ticket.connection)
            ticket.connection = self._pick(ticket.origin)

    def release(self, ticket: Ticket[_P], connection: _P, now: float) -> None:
        """Give a connection back that can be used again, and with it the place."""
        if self._closed or not ticket.held:
            self.discard(ticket, connection)
            return
        ticket.held = False
        self._taken -= 1
        entry = _Idle(connection, ticket.origin, now)
        self._idle[id(entry)] = entry
        self._by_origin.setdefault(ticket.origin, {})[id(entry)] = entry
        self._serve()

    def discard(self, ticket: Ticket[_P], connection: _P | None = None) -> None:
        """Give a place back without a usable connection, or leave the row. Safe to call more than once."""
        if connection is None:
            connection, ticket.connection = ticket.connection, None
        if connection is not None:
            self._discarded.append(connection)
        self._waiting.pop(id(ticket), None)
        if ticket.held:
            ticket.held = False
            self._taken -= 1
            self._serve()

    def expire(self, now: float) -> None:
        """Put the connections that have been idle for too long on the list of those to close."""
        while self._idle:
            entry = next(iter(self._idle.values()))
            if now - entry.since < self._idle_timeout:
                return
            self._discarded.append(self._remove_first().connection)

    def close(self) -> None:
        """Close everything that is idle and let nobody in any more. Waiting tickets are granted without a place."""
        self._closed = True
        while self._idle:
            self._discarded.append(self._remove_first().connection)
        while self._waiting:
            self._wake(self._waiting.popitem(last=False)[1])

    def discarded(self) -> list[_P]:
        """The connections to be closed now; each is handed out once."""
        found = self._discarded
        if found:
            self._discarded = []
        return found

    def _serve(self) -> None:
        """Hand what has become free to the first in the row."""
        while self._waiting:
            ticket = next(iter(self._waiting.values()))
            if not self._grant(ticket):
                return
            del self._waiting[id(ticket)]
            self._wake(ticket)

    def _wake(self, ticket: Ticket[_P]) -> None:
        ticket.granted = True
        if ticket.wake is not None:
            ticket.wake()

    def _grant(self, ticket: Ticket[_P]) -> bool:
        connection = None if ticket.fresh else self._pick(ticket.origin)
        if connection is None and self._taken + len(self._idle) >= self._max:
            if not self._idle:
                return False
            self._discarded.append(self._remove_first().connection)
        self._taken += 1
        ticket.connection = connection
        ticket.granted = ticket.held = True
        return True

    def _pick(self, origin: Hashable) -> _P | None:
        """Take the idle connection to `origin` that was used last and is not stale."""
        entries = self._by_origin.get(origin)
        while entries:
            key, entry = entries.popitem()
            del self._idle[key]
            if not entries:
                del self._by_origin[origin]
            if not entry.connection.stale:
                return entry.connection
            self._discarded.append(entry.connection)
        return None

    def _remove_first(self) -> _Idle[_P]:
        key, entry = self._idle.popitem(last=False)
        entries = self._by_origin[entry.origin]
        del entries[key]
        if not entries:
            del self._by_origin[entry.origin]
        return entry
