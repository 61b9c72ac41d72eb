"""Place: a call's place among the connections of its client, and the connection on it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from sansio_claude._call.connection import Connection
from sansio_claude._call.pool import Home, Pool, Ticket
from sansio_claude._errors import LocalProtocolError

__all__ = ["Place"]


class Place:
    """One call's claim on a connection: `ask` before each attempt, `take` the connection once it is granted, `leave`
    gives it back after the attempt."""

    __slots__ = ("_wake", "connection", "pool", "ticket")

    def __init__(self, pool: Pool[Connection]) -> None:
        self.pool = pool
        self._wake: Callable[[], object] | None = None
        self.ticket: Ticket[Connection] | None = None
        """What the pool gave for it, while it is held or waited for."""
        self.connection: Connection | None = None

    @property
    def handle(self) -> Any:
        """The adapter's object of the connection, None where there is none."""
        return None if self.connection is None else self.connection.handle

    @property
    def reused(self) -> bool:
        """Whether the connection has carried another call before."""
        return self.connection is not None and self.connection.used

    @property
    def granted(self) -> bool:
        """Whether the wait for it is over."""
        return self.ticket is not None and self.ticket.granted

    def ask(self, origin: Hashable, now: float, *, fresh: bool, home: Home | None) -> None:
        """Ask for a place. Raises LocalProtocolError on a closed pool, and where the client is in use elsewhere."""
        ticket = self.ticket = Ticket(origin, fresh=fresh, home=home)
        try:
            self.pool.enter(ticket, now)
        except LocalProtocolError:
            self.ticket = None
            raise

    def on_wake(self, wake: Callable[[], object] | None) -> None:
        """Set the function that is called once when the place is granted or `wake` is called; None removes it."""
        self._wake = wake
        if self.ticket is not None:
            self.ticket.wake = wake
            if wake is not None and self.granted and self.connection is None:
                self.wake()  # granted meanwhile: a stream may be forgotten, and give its place back, in any thread

    def wake(self) -> None:
        """Wake whoever waits, for the place or for the connection on it, if anybody does."""
        wake, self._wake = self._wake, None
        if wake is not None:
            wake()

    def take(self, *, waited: bool) -> Connection | None:
        """The idle connection that comes with it and is not stale, if there is one.

        `waited`: time has passed since it was granted, in which the connection may have become stale. Raises
        LocalProtocolError where the pool was closed meanwhile.
        """
        ticket = self.ticket
        if ticket is None or not ticket.held:
            raise LocalProtocolError("the client was closed while the call waited for a connection")
        while waited and ticket.connection is not None and ticket.connection.stale:
            self.pool.renew(ticket)
        self.connection, ticket.connection = ticket.connection, None
        return self.connection

    def leave(self, now: float, *, reusable: bool, keep: float | None = None) -> None:
        """Give it back: with the connection, if that can be used again, else the connection is discarded.

        `keep` is the seconds for which the server keeps an idle connection. From a finalizer only with
        `reusable=False`.
        """
        ticket, connection = self.ticket, self.connection
        if ticket is not None and connection is not None and reusable:
            connection.used = True
            self.pool.release(ticket, connection, now, keep=keep)
        elif ticket is not None:
            self.pool.discard(ticket, None if self.handle is None else connection)
        self.ticket = self.connection = None
