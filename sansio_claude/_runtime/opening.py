"""Opening a TCP connection, written once for every adapter: looking the host up, racing its addresses.

The adapter brings two waits: for a bell, and for sockets. Every socket that is not handed over is closed before this
ends, however it ends.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Final, Protocol

from sansio_claude._call.actions import Connect
from sansio_claude._call.loop import Bell
from sansio_claude._runtime.look_up import SocketAddress, look_up
from sansio_claude._runtime.sockets import set_options, writable

__all__ = ["Opener", "open_socket"]

NEXT_ADDRESS: Final = 0.25  # seconds before the next address is tried too (RFC 8305 section 8)
# These say little of the host: this machine has no way to such addresses.
_NO_WAY: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_UNDER_WAY: Final = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR, errno.EALREADY})


class Opener(Protocol):
    """What an adapter brings to the opening of a connection."""

    def now(self) -> float:
        """Seconds on a clock that never goes back."""
        ...

    async def wait_writable(self, sockets: Sequence[socket.socket], until: float, bell: Bell) -> bool:
        """Wait until one of these non-blocking sockets is connected or has failed, or until `until`; True as soon as
        the bell rings. May return early."""
        ...


async def open_socket(opener: Opener, action: Connect, bell: Bell) -> socket.socket | None:
    """A connected, non-blocking socket; None when the deadline of `action` passed or the bell rang.

    Raises OSError with the operating system's words, or what a name that cannot be looked up raises.
    """
    task = look_up(action.host, action.port, bell.nudge)
    try:
        while not task.done:
            if await bell.wait(action.deadline) or opener.now() >= action.deadline:
                return None
    finally:
        task.forget(bell.nudge)
    if task.error is not None:
        raise task.error
    race = _Race(_by_turns(task.found))
    try:
        return await race.run(opener, action.deadline, bell)
    finally:
        for sock in race.open:
            sock.close()


class _Race:
    """Connections to the addresses of a host that are being opened; the first one to be open wins."""

    def __init__(self, addresses: list[SocketAddress]) -> None:
        self._addresses = addresses
        self._errors: list[OSError] = []
        self.open: list[socket.socket] = []
        """Sockets that nobody else owns."""

    async def run(self, opener: Opener, deadline: float, bell: Bell) -> socket.socket | None:
        """The winner; None when the deadline passed or the bell rang."""
        next_at = opener.now()
        while True:
            if self._addresses and (not self.open or opener.now() >= next_at):
                self._begin(self._addresses.pop(0))
                next_at = opener.now() + NEXT_ADDRESS
            if (winner := self._winner()) is not None:
                return winner
            if not self.open:
                if self._addresses:
                    continue
                raise _telling(self._errors)
            if opener.now() >= deadline:
                return None
            if await opener.wait_writable(self.open, min(deadline, next_at) if self._addresses else deadline, bell):
                return None

    def _begin(self, where: SocketAddress) -> None:
        family, address = where
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:
            self._errors.append(error)
            return
        self.open.append(sock)
        sock.setblocking(False)
        code = sock.connect_ex(address)
        if code and code not in _UNDER_WAY:
            self._failed(sock, code)

    def _winner(self) -> socket.socket | None:
        for sock in [*self.open]:
            if writable(sock):
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if not code:
                    self.open.remove(sock)
                    set_options(sock)
                    return sock
                self._failed(sock, code)
        return None

    def _failed(self, sock: socket.socket, code: int) -> None:
        self.open.remove(sock)
        sock.close()
        self._errors.append(OSError(code, os.strerror(code)))


def _by_turns(addresses: list[SocketAddress]) -> list[SocketAddress]:
    """The families of addresses by turns, each in the order of the system (RFC 8305 section 4)."""
    first = [each for each in addresses if each[0] == addresses[0][0]]
    others = [each for each in addresses if each[0] != addresses[0][0]]
    return [each for each in chain.from_iterable(zip_longest(first, others)) if each is not None]


def _telling(errors: list[OSError]) -> OSError:
    """The error that says most of the host."""
    if not errors:
        return OSError(errno.EADDRNOTAVAIL, "the host has no address")
    return next((error for error in errors if error.errno not in _NO_WAY), errors[0])
