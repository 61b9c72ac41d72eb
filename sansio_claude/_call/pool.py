"""Pool: which call gets which connection, and which connections are to be closed. Opens and closes nothing."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from types import TracebackType
from typing import Final, Generic, Protocol, TypeVar

from sansio_claude._copies import NotCopied
from sansio_claude._errors import LocalProtocolError

__all__ = ["Home", "Lock", "Pool", "Pooled", "Ticket"]


CLOSING: Final = 1.0  # seconds before the server closes an idle connection, from which on it is not used any more


class Pooled(Protocol):
    """What the pool needs to know of a connection."""

    @property
    def stale(self) -> bool:
        """Whether bytes or an end have arrived on it since it became idle. May look at the socket; never waits."""
        ...


class Home(Protocol):
    """The event loop and the process that connections belong to. Compared by value."""

    @property
    def over(self) -> bool:
        """Whether it has ended, or is not of this process: nothing can be under way there any more."""
        ...


class Lock(Protocol):
    """What keeps threads apart: `threading.Lock` does it."""

    def acquire(self, blocking: bool = True) -> bool:
        """Take it; False where it is taken already and `blocking` is False."""
        ...

    def release(self) -> None:
        """Give it back."""
        ...

    def __enter__(self) -> object:
        """Take it, for a block. One that is written in C leaves Ctrl-C no moment between the lock and its block."""
        ...

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        """Give it back."""
        ...


class _NoThreads:
    """The lock of a pool that one thread uses: only finalizers can come in between."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = False

    def acquire(self, blocking: bool = True) -> bool:
        if not self._held:
            self._held = True
            return True
        if blocking:
            raise LocalProtocolError("several threads use this pool: give it a lock, Pool(lock=threading.Lock())")
        return False

    def release(self) -> None:
        self._held = False

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *error: object) -> None:
        self._held = False


_P = TypeVar("_P", bound=Pooled)


class Ticket(Generic[_P]):
    """One attempt's claim to a place among the connections. Made by `Pool.request`, or by who calls `Pool.enter`."""

    __slots__ = ("connection", "fresh", "granted", "held", "home", "origin", "wake")

    def __init__(self, origin: Hashable, *, fresh: bool, home: Home | None) -> None:
        self.origin: Hashable = origin
        self.home: Home | None = home
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
    __slots__ = ("connection", "origin", "until")

    def __init__(self, connection: _P, origin: Hashable, until: float) -> None:
        self.connection = connection
        self.origin = origin
        self.until = until  # when it has been idle for too long


class Pool(NotCopied, Generic[_P]):
    """The connections of one client.

    `idle_timeout` is in seconds. `lock` is for pools that several threads use.

    Rules:

    - A ticket is one attempt's claim to a place. There are `max_connections` places; a place is held by a ticket or by
      an idle connection. A ticket that holds a place has a connection, or the permission to open one.
    - A call gets the connection to its origin that became idle last (the least likely to be stale); if there is none
      and all places are taken, the longest idle connection to another origin makes room; if none is idle, it waits.
    - Waiting is first come, first served, and nobody overtakes: a place that becomes free goes to the first that waits
      before anyone new can ask.
    - A connection that has been idle for `idle_timeout` (or for less, where the server said so), or has become stale
      (bytes or an end arrived while nobody asked), is never handed out. Without tasks of its own the pool notices that
      only when it is used.
    - Connections to be closed are put on a list that the adapter empties before every wait (`discarded`).
    - Connections belong to the event loop and the process in which they were opened, the pool's `home`. When a call
      comes from another one, nothing idle is kept; while calls are under way in the old one, it is refused.

    One lock is held during every step. `discard` and `close` wait for nothing, not even for the lock: they only note
    what is to be done where somebody is at work in the pool, who then does it before leaving. So they may be called
    from any thread, and from a finalizer, which may run in the middle of any step. KeyboardInterrupt may end a step at
    any point: the next one goes on with what it finds, so that nothing relies on two instructions being done together.

    Every step takes O(1) time, amortized.
    """

    __slots__ = (
        "_by_origin",
        "_closed",
        "_discarded",
        "_holding",
        "_home",
        "_idle",
        "_idle_timeout",
        "_lock",
        "_max",
        "_noted",
        "_now",
        "_waiting",
    )
    _instead = "its connections belong to one process: make another one"

    def __init__(self, *, max_connections: int = 100, idle_timeout: float = 30.0, lock: Lock | None = None) -> None:
        if isinstance(max_connections, bool) or not isinstance(max_connections, int) or max_connections < 1:
            raise LocalProtocolError("max_connections has to be an int of 1 or more")
        self._max = max_connections
        self._idle_timeout = idle_timeout
        self._lock: Lock = lock or _NoThreads()
        self._home: Home | None = None
        self._now = 0.0  # the latest time that anybody told
        self._holding: set[Ticket[_P]] = set()  # the tickets that hold a place
        self._idle: OrderedDict[int, _Idle[_P]] = OrderedDict()  # by id of the entry, the longest idle first
        self._by_origin: dict[Hashable, dict[int, _Idle[_P]]] = {}  # the same entries, the last idle at the end
        self._waiting: OrderedDict[int, Ticket[_P]] = OrderedDict()  # by id of the ticket, the longest waiting first
        self._discarded: deque[_P] = deque()
        self._noted: deque[tuple[Ticket[_P], _P | None] | None] = deque()  # places to be given back; None: close
        self._closed = False

    def __repr__(self) -> str:
        # Takes no lock: it may be shown while a step is under way.
        state = "closed" if self._closed else "open"
        counts = (
            f"{len(self._holding)} taken, {len(self._idle)} idle, {len(self._waiting)} waiting, at most {self._max}"
        )
        return f"<Pool {state}, {counts}>"

    @property
    def taken(self) -> int:
        """Places held by calls."""
        self._take_up()
        return len(self._holding)

    @property
    def idle(self) -> int:
        """Connections kept for reuse."""
        self._take_up()
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """Calls that wait for a place."""
        self._take_up()
        return len(self._waiting)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def request(self, origin: Hashable, now: float, *, fresh: bool = False, home: Home | None = None) -> Ticket[_P]:
        """Ask for a place. The ticket is granted at once, or later, in its turn; then its `wake` is called.

        `fresh=True` does not take an idle connection. `home` is where the call runs. Raises LocalProtocolError on a
        closed pool, and while calls run elsewhere.
        """
        ticket: Ticket[_P] = Ticket(origin, fresh=fresh, home=home)
        self.enter(ticket, now)
        return ticket

    def enter(self, ticket: Ticket[_P], now: float) -> None:
        """As `request`, with a ticket that the caller has already, and can give back whatever interrupts this."""
        with self._lock:
            if self._noted:
                self._settle()
            if self._closed:
                raise LocalProtocolError("the client is closed; make a new one")
            if ticket.home != self._home:
                self._move(ticket.home)
            self._expire(now)
            if not self._grant(ticket):
                self._waiting[id(ticket)] = ticket
        if self._noted:
            self._take_up()

    def renew(self, ticket: Ticket[_P]) -> None:
        """Replace the ticket's connection, which went stale before it was used, by another one or a new one."""
        with self._lock:
            self._settle()
            if ticket.connection is not None:
                self._discarded.append(ticket.connection)
                ticket.connection = self._pick(ticket.origin)
        self._take_up()

    def release(self, ticket: Ticket[_P], connection: _P, now: float, *, keep: float | None = None) -> None:
        """Give a connection back that can be used again, and with it the place.

        `keep` is the seconds for which the server keeps an idle connection, None where it does not say.
        """
        with self._lock:
            if self._noted:
                self._settle()
            self._now = max(self._now, now)
            if self._closed or ticket not in self._holding:
                self._give_back(ticket, connection)
            else:
                self._holding.discard(ticket)
                ticket.held = False
                self._keep(connection, ticket.origin, now, keep)
                if self._waiting:
                    self._serve()
        if self._noted:
            self._take_up()

    def discard(self, ticket: Ticket[_P], connection: _P | None = None) -> None:
        """Give a place back without a usable connection, or cease to wait.

        Safe to call more than once, from any thread and from a finalizer.
        """
        self._noted.append((ticket, connection))
        self._take_up()

    def expire(self, now: float) -> None:
        """Put the connections that have been idle for too long on the list of those to close."""
        with self._lock:
            self._settle()
            self._expire(now)
        self._take_up()

    def close(self) -> None:
        """Close everything that is idle and let nobody in any more. Waiting tickets are granted without a place.

        From any thread and from a finalizer.
        """
        self._noted.append(None)
        self._take_up()

    def discarded(self) -> list[_P]:
        """The connections to be closed now; each is handed out once. From any thread and from a finalizer."""
        if self._noted:
            self._take_up()
        found: list[_P] = []
        while self._discarded:
            try:
                found.append(self._discarded.popleft())
            except IndexError:
                break  # another thread was first
        return found

    # What was noted

    def _take_up(self) -> None:
        """Do what was noted, unless somebody is at work here, who does it before leaving."""
        while self._noted and self._lock.acquire(False):
            try:
                self._settle()
            finally:
                self._lock.release()

    def _settle(self) -> None:
        while self._noted:
            noted = self._noted.popleft()
            if noted is None:
                self._close()
            else:
                self._give_back(*noted)

    # Steps, for whoever holds the lock

    def _give_back(self, ticket: Ticket[_P], connection: _P | None) -> None:
        if connection is None:
            connection, ticket.connection = ticket.connection, None
        if connection is not None:
            self._discarded.append(connection)
        self._waiting.pop(id(ticket), None)
        if ticket in self._holding:
            self._holding.discard(ticket)
            ticket.held = False
            self._serve()

    def _keep(self, connection: _P, origin: Hashable, now: float, keep: float | None) -> None:
        seconds = self._idle_timeout
        if keep is not None:  # a request that is under way when the server closes would be lost
            seconds = min(seconds, max(keep - CLOSING, keep / 2))
        entry = _Idle(connection, origin, now + seconds)
        self._idle[id(entry)] = entry
        self._by_origin.setdefault(origin, {})[id(entry)] = entry

    def _close(self) -> None:
        self._closed = True
        self._discard_idle()
        while self._waiting:
            self._wake(self._waiting.popitem(last=False)[1])

    def _discard_idle(self) -> None:
        self._by_origin.clear()
        while self._idle:
            self._discarded.append(self._idle.popitem(last=False)[1].connection)

    def _move(self, home: Home | None) -> None:
        """Go on in another event loop or process. What was under way in one that has ended is nobody's."""
        if (self._holding or self._waiting) and self._home is not None and not self._home.over:
            raise LocalProtocolError(
                "this client is in use in another event loop or thread, where calls of it are under way; make a client "
                "for each of them"
            )
        self._discard_idle()
        self._holding.clear()
        self._waiting.clear()
        self._home = home
        self._now = 0.0  # clocks of two event loops have nothing in common

    def _expire(self, now: float) -> None:
        self._now = max(self._now, now)
        while self._idle:
            entry = next(iter(self._idle.values()))
            if self._now < entry.until:
                return
            self._discarded.append(self._remove_first().connection)

    def _serve(self) -> None:
        """Hand what has become free to the one that waits longest."""
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
        if connection is None and len(self._holding) + len(self._idle) >= self._max:
            if not self._idle:
                return False
            self._discarded.append(self._remove_first().connection)
        self._holding.add(ticket)
        ticket.connection = connection
        ticket.granted = ticket.held = True
        return True

    def _pick(self, origin: Hashable) -> _P | None:
        """Take the idle connection to `origin` that was used last, is not stale and was not idle for too long."""
        entries = self._by_origin.get(origin)
        while entries:
            key, entry = entries.popitem()
            self._idle.pop(key, None)
            if not entries:
                self._by_origin.pop(origin, None)
            if self._now < entry.until and not entry.connection.stale:
                return entry.connection
            self._discarded.append(entry.connection)
        return None

    def _remove_first(self) -> _Idle[_P]:
        key, entry = self._idle.popitem(last=False)
        entries = self._by_origin.get(entry.origin, {})
        entries.pop(key, None)
        if not entries:
            self._by_origin.pop(entry.origin, None)
        return entry
