"""The wire on trio: one TCP connection, raw bytes, deadlines. Decides nothing.

It waits for the socket and then reads it once: trying first, as streams do, would fail nearly every time, since
events come one by one.
"""

from __future__ import annotations

import select
import socket
from typing import Any, Final, cast

import trio

__all__ = ["Wire", "open_wire"]

BUFFER: Final = 64 * 1024  # bytes of one read
NEVER: Final = float("inf")


class Wire:
    """One TCP connection. `receive` and `send` are for one task at a time."""

    __slots__ = ("__weakref__", "_socket")

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    async def receive(self, deadline: float) -> bytes | None:
        """The bytes that have come, b"" at the end, None when the deadline passed. Raises OSError."""
        sock = self._socket
        while True:
            if deadline < NEVER:
                with trio.move_on_at(deadline) as scope:
                    await trio.lowlevel.wait_readable(sock)
                # A deadline that passed while the thread was busy cancels at once, even if there is something to read.
                if scope.cancelled_caught and not _readable(sock.fileno()):
                    return None
            else:
                await trio.lowlevel.wait_readable(sock)
            try:
                return sock.recv(BUFFER)
            except BlockingIOError:
                pass  # a false alarm of the system's

    async def send(self, data: bytes | memoryview, deadline: float) -> bool:
        """Write all of it; False when the deadline passed. Raises OSError."""
        sock = self._socket
        view = memoryview(data)
        with trio.move_on_at(deadline) as scope:
            await trio.lowlevel.checkpoint_if_cancelled()
            while view:
                try:
                    view = view[sock.send(view) :]
                except BlockingIOError:
                    await trio.lowlevel.wait_writable(sock)
        return not scope.cancelled_caught

    @property
    def stale(self) -> bool:
        """Whether a byte or an end has come while nobody was reading."""
        descriptor = self._socket.fileno()
        return descriptor < 0 or _readable(descriptor)

    def close(self) -> None:
        """Close at once. Safe to call more than once."""
        if self._socket.fileno() >= 0:
            try:
                trio.lowlevel.notify_closing(self._socket)
            except RuntimeError:
                pass  # trio is not running any more, so nobody waits
            self._socket.close()


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
    return Wire(sock)


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
