"""The wire on trio: one TCP connection, raw bytes, deadlines. Decides nothing.

It waits for the socket and then reads it once: trying first, as streams do, would fail nearly every time, since
events come one by one.

A cancel scope around every wait would cost more than a third of what an event costs altogether (measured, with 100
streams: 29 of 75 us). So of all wires that wait in a run of trio only one has a scope, and keeps the time for the
others: a `Watch`. No task is started for it.
"""

from __future__ import annotations

import errno
import select
import socket
from typing import Any, Final, cast

import trio

__all__ = ["Wire", "open_wire"]

BUFFER: Final = 64 * 1024  # bytes of one read
NEVER: Final = float("inf")


class Watch:
    """Keeps the time for the wires that wait.

    - Whoever begins to wait while nobody keeps the time does so, in `keep`, until its own bytes come.
    - Whoever stops waiting and finds that nobody keeps the time any more wakes another one for it (`pass_on`).
      That goes by `notify_closing`, which wakes whoever waits for a socket and does nothing else to it.
    - The alarm is never later than the earliest deadline. Deadlines mostly move away from it, so when it rings it
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


class Wire:
    """One TCP connection. `receive` and `send` are for one task at a time."""

    __slots__ = ("__weakref__", "_watch", "deadline", "socket")

    def __init__(self, sock: socket.socket, watch: Watch) -> None:
        self.socket = sock
        self.deadline = NEVER
        """Until when `receive` waits."""
        self._watch = watch

    async def receive(self, deadline: float) -> bytes | None:
        """The bytes that have come, b"" at the end, None when the deadline passed. Raises OSError."""
        sock, watch = self.socket, self._watch
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

    async def send(self, data: bytes | memoryview, deadline: float) -> bool:
        """Write all of it; False when the deadline passed. Raises OSError."""
        sock = self.socket
        view = memoryview(data)
        await trio.lowlevel.checkpoint_if_cancelled()
        try:
            view = view[sock.send(view) :]
        except BlockingIOError:
            pass
        if not view:
            return True  # nearly always: what a request is fits into the system's buffer, and a scope costs more
        with trio.CancelScope(deadline=deadline) as scope:
            while view:
                try:
                    view = view[sock.send(view) :]
                except BlockingIOError:
                    await _writable(sock)
        return not scope.cancelled_caught

    @property
    def stale(self) -> bool:
        """Whether a byte or an end has come while nobody was reading."""
        descriptor = self.socket.fileno()
        return descriptor < 0 or _readable(descriptor)

    def close(self) -> None:
        """Close at once. Safe to call more than once."""
        if self.socket.fileno() >= 0:
            try:
                trio.lowlevel.notify_closing(self.socket)
            except RuntimeError:
                pass  # trio is not running any more, so nobody waits
            self.socket.close()


async def open_wire(host: str, port: int) -> Wire:
    """Find the host and connect. Raises OSError, or what trio raises for a name it cannot even look up."""
    if ":" in host or host[-1:].isdigit():  # a number is one address: nothing to look up, nothing to race
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        opened = trio.socket.socket(family, socket.SOCK_STREAM)
        try:
            await opened.connect((host, port))
        except BaseException:
            opened.close()
            raise
    else:
        opened = (await trio.open_tcp_stream(host, port)).socket
    # trio has no reading without a checkpoint first; the plain socket has. Its types do not know of detach().
    sock = socket.socket(fileno=cast(Any, opened).detach())
    sock.setblocking(False)
    _set_options(sock)
    return Wire(sock, _watch())


async def _writable(sock: socket.socket) -> None:
    try:
        await trio.lowlevel.wait_writable(sock)
    except trio.ClosedResourceError:
        raise OSError(errno.EBADF, "the connection was closed") from None


def _watch() -> Watch:
    """The watch of this run of trio."""
    watch: Watch | None = _watches.get()
    if watch is None:
        watch = Watch()
        _watches.set(watch)
    return watch


def _readable(descriptor: int) -> bool:
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([descriptor], [], [], 0)[0])


def _set_options(sock: socket.socket) -> None:
    """No delay for small writes; a dead peer is noticed after about six minutes even where nobody waits."""
    for level, name, value in (
        ("IPPROTO_TCP", "TCP_NODELAY", 1),
        ("SOL_SOCKET", "SO_KEEPALIVE", 1),
        ("IPPROTO_TCP", "TCP_KEEPIDLE", 60),
        ("IPPROTO_TCP", "TCP_KEEPINTVL", 60),
        ("IPPROTO_TCP", "TCP_KEEPCNT", 5),
    ):
        if hasattr(socket, name):
            try:
                sock.setsockopt(getattr(socket, level), getattr(socket, name), value)
            except OSError:
                pass  # the connection may be gone already; reading tells why
