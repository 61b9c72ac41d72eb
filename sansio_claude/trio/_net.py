"""The wire on trio: one TCP connection, raw bytes, deadlines.

It waits for the socket and then reads it once: trying first, as streams do, would fail nearly every time, since
events come one by one.

A cancel scope around every wait would cost more than a third of what an event costs altogether (measured, with 100
streams: 29 of 75 us). So of all wires that wait in a run of trio only one has a scope, and keeps the time for the
others: a `Watch`. No task is started for it.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from typing import Any, Final, cast

import trio

from sansio_claude._call.timeouts import NEVER
from sansio_claude._errors import LocalProtocolError
from sansio_claude._runtime.process import THIS_PROCESS
from sansio_claude._runtime.sockets import BUFFER, readable

__all__ = ["Wire", "current_token", "the_one_that_counts"]

NO_RUN: Final = (
    "trio does not run here: await it inside of trio.run(...), or use the client of sansio_claude.asyncio or "
    "sansio_claude.sync"
)

WRONG_RUN: Final = (
    "this stream belongs to another run of trio, or another process: read it where it was begun, and make a client for "
    "each"
)


class Watch:
    """Keeps the time for the wires that wait.

    - Whoever begins to wait while nobody keeps the time does so, in `keep`, until its own bytes come.
    - Whoever stops waiting and finds that nobody keeps the time any more wakes another one for it (`pass_on`).
      That goes by `notify_closing`, which wakes whoever waits for a socket and does nothing else to it.
    - The alarm is never later than the earliest deadline. Deadlines mostly move away from it, so when it is over it
      is looked at which ones have really passed; these wires are woken too.
    """

    __slots__ = ("alarm", "scope", "waiting")

    def __init__(self) -> None:
        self.waiting: dict[Wire, None] = {}  # those that do not keep the time themselves
        self.alarm = NEVER
        self.scope: trio.CancelScope | None = None  # of the one that does

    def pass_on(self) -> None:
        """If nobody keeps the time, wake somebody to do it."""
        if self.scope is None and self.waiting:
            trio.lowlevel.notify_closing(next(iter(self.waiting)).socket)

    async def keep(self, wire: Wire) -> bool:
        """Wait for this wire's bytes and keep the time meanwhile; False when its deadline passed."""
        self.alarm = min(self.alarm, wire.deadline) if self.waiting else wire.deadline
        try:
            while True:
                with trio.CancelScope(deadline=self.alarm) as self.scope:
                    await trio.lowlevel.wait_readable(wire.socket)
                    return True
                now = trio.current_time()
                if now >= wire.deadline:
                    return False
                self.alarm = wire.deadline
                for other in self.waiting:
                    if other.deadline <= now:
                        trio.lowlevel.notify_closing(other.socket)
                    else:
                        self.alarm = min(self.alarm, other.deadline)
        finally:
            self.scope = None
            self.pass_on()


_watches: Final[Any] = cast(Any, trio.lowlevel.RunVar)("sansio_claude.watch", default=None)  # one in each run of trio


def _now() -> float:
    try:
        return trio.current_time()
    except RuntimeError as error:
        raise LocalProtocolError(NO_RUN) from error


class Wire:
    """One TCP connection. `receive` and `send` are for one task at a time."""

    __slots__ = ("__weakref__", "_half", "_process", "_watch", "deadline", "socket")

    clock = staticmethod(_now)
    """trio's clock."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._process = THIS_PROCESS.number
        self._half = False  # whether a part of what is to be sent is written, and a part is not
        self.deadline = NEVER
        """Until when `receive` waits."""
        self._watch = _watch()

    async def receive(self, deadline: float) -> bytes | None:
        """The bytes that have come, b"" at the end, None when the deadline passed. Raises OSError."""
        sock, watch = self.socket, self._watch
        if _watch() is not watch or self._process != THIS_PROCESS.number:
            raise LocalProtocolError(WRONG_RUN)
        self.deadline = deadline
        while True:
            try:
                if watch.scope is None:
                    if not await watch.keep(self):
                        return None
                else:
                    if deadline < watch.alarm:
                        watch.alarm = watch.scope.deadline = deadline
                    watch.waiting[self] = None
                    try:
                        await trio.lowlevel.wait_readable(sock)
                    finally:
                        del watch.waiting[self]
            except trio.ClosedResourceError:
                if sock.fileno() < 0:
                    watch.pass_on()
                    raise OSError(errno.EBADF, "the connection was closed") from None
                if trio.current_time() >= deadline:
                    watch.pass_on()
                    return None
                continue
            except BaseException:
                watch.pass_on()
                raise
            if watch.scope is None:
                watch.pass_on()
            try:
                return sock.recv(BUFFER)
            except BlockingIOError:
                pass  # a false alarm of the system's

    async def send(self, data: bytes | memoryview, deadline: float) -> int | None:
        """Write `data`: how many bytes are written, None when the deadline passed. Raises OSError.

        Where not all can be written at once and something can be read, ends before all is written.
        """
        sock, size, sent = self.socket, len(data), 0
        try:
            await trio.lowlevel.checkpoint_if_cancelled()
            try:
                sent = sock.send(data)
            except BlockingIOError:
                pass
            if sent == size:
                return sent  # nearly always: what a request is fits into the system's buffer, and a scope costs more
            data = memoryview(data)
            self._half = True
            with trio.CancelScope(deadline=deadline) as scope:
                while sent < size and not readable(sock):
                    try:
                        sent += sock.send(data[sent:])
                    except BlockingIOError:
                        await _writable_or_readable(sock)
            self._half = sent < size
            return None if scope.cancelled_caught else sent
        finally:
            del data  # the frame of a cancelled send shows nothing of the request

    @property
    def stale(self) -> bool:
        """Whether a byte or an end has come while nobody was reading; or whether this is the connection of another
        run of trio, or of another process."""
        sock = self.socket
        if sock.fileno() < 0 or self._process != THIS_PROCESS.number or self._watch is not _watch():
            return True
        return readable(sock)

    def close(self, last: bytes = b"") -> None:
        """Close at once. Safe to call more than once. `last` is written first if that takes no waiting."""
        if self._process != THIS_PROCESS.number:
            self.socket.close()  # the parent goes on with it, and shares with this process what trio waits with
        elif self.socket.fileno() >= 0:
            if last and not self._half:
                with contextlib.suppress(OSError):
                    self.socket.send(last)
            try:
                trio.lowlevel.notify_closing(self.socket)
            except RuntimeError:
                pass  # trio is not running any more, so nobody waits
            self.socket.close()


async def _writable_or_readable(sock: socket.socket) -> None:
    """Wait until something can be written or read. A request that is refused early is answered while it is sent."""
    try:
        async with trio.open_nursery() as nursery:

            async def wait_readable() -> None:
                await trio.lowlevel.wait_readable(sock)
                nursery.cancel_scope.cancel()

            nursery.start_soon(wait_readable)
            await trio.lowlevel.wait_writable(sock)
            nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        error = the_one_that_counts(group)
        if isinstance(error, trio.ClosedResourceError):
            raise OSError(errno.EBADF, "the connection was closed") from None
        raise error from None


def the_one_that_counts(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The exception of a nursery's group that goes on: Ctrl-C, say, rather than a cancellation that came with it."""
    return next((each for each in group.exceptions if not isinstance(each, trio.Cancelled)), group.exceptions[0])


def current_token() -> trio.lowlevel.TrioToken:
    """The token of this run of trio. Raises LocalProtocolError outside of one."""
    try:
        return trio.lowlevel.current_trio_token()
    except RuntimeError as error:
        raise LocalProtocolError(NO_RUN) from error


def _watch() -> Watch:
    """The watch of this run of trio."""
    watch: Watch | None = _watches.get()
    if watch is None:
        watch = Watch()
        _watches.set(watch)
    return watch
