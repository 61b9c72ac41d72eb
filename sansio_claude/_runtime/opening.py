"""Opening a connection, written once for every adapter: looking the host up, or finding the unix socket.

Which address is tried when, `_connect.race` decides. The adapter brings two waits: for a wakeup, and for sockets. Every
socket that is not handed over is closed before this ends, however it ends.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Sequence
from typing import Final, Protocol

from sansio_claude._call.actions import Connect
from sansio_claude._call.loop import Wakeup
from sansio_claude._connect.race import Candidate, Race
from sansio_claude._runtime.look_up import look_up
from sansio_claude._runtime.sockets import set_options, writable

__all__ = ["Opener", "open_socket"]

UNIX_POLL: Final = 0.02  # seconds until a unix socket with too many waiting for it is tried again: nothing tells of it
_UNDER_WAY: Final = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR, errno.EALREADY})


class Opener(Protocol):
    """What an adapter brings to the opening of a connection."""

    def now(self) -> float:
        """Seconds on a clock that never goes back."""
        ...

    async def wait_writable(self, sockets: Sequence[socket.socket], until: float, wakeup: Wakeup) -> bool:
        """Wait until one of these non-blocking sockets is connected or has failed, or until `until`; True as soon as
        the wakeup is set. May return early."""
        ...


async def open_socket(opener: Opener, action: Connect, wakeup: Wakeup) -> socket.socket | None:
    """A connected, non-blocking socket; None when the deadline of `action` passed or the wakeup was set.

    Raises OSError with the operating system's words, or what a name that cannot be looked up raises.
    """
    if action.uds is not None:
        return await _open_unix(opener, action.uds, action.deadline, wakeup)
    task = look_up(action.host, action.port, wakeup.notify)
    try:
        while not task.done:
            if await wakeup.wait(action.deadline) or opener.now() >= action.deadline:
                return None
    finally:
        task.forget(wakeup.notify)
    if task.error is not None:
        raise task.error
    attempts = _Attempts(Race(task.found, opener.now(), deadline=action.deadline, loopback=action.loopback))
    try:
        return await attempts.run(opener, wakeup)
    finally:
        for sock in attempts.open:
            sock.close()


class _Attempts:
    """The connections of a race that are being opened."""

    def __init__(self, race: Race) -> None:
        self._race = race
        self.open: dict[socket.socket, Candidate] = {}
        """Sockets that nobody else owns."""

    async def run(self, opener: Opener, wakeup: Wakeup) -> socket.socket | None:
        """The socket of the winner; None when the deadline passed or the wakeup was set."""
        race = self._race
        while True:
            for candidate in race.due(opener.now()):
                self._begin(candidate, opener.now())
            if (winner := self._winner(opener.now())) is not None:
                return winner
            if race.timed_out:
                return None
            if race.over:
                raise race.error or OSError(errno.EADDRNOTAVAIL, "the host has no address")
            if opener.now() < race.until and await opener.wait_writable([*self.open], race.until, wakeup):
                return None

    def _begin(self, candidate: Candidate, now: float) -> None:
        try:
            sock = socket.socket(candidate[0], socket.SOCK_STREAM)
        except OSError as error:
            self._race.failed(candidate, error, now)
            return
        self.open[sock] = candidate
        sock.setblocking(False)
        try:
            code = sock.connect_ex(candidate[-1])
        except Exception as error:  # an address that is none, such as one with the zone of an interface that is gone
            self._failed(sock, error, now)
            return
        if code and code not in _UNDER_WAY:
            self._failed(sock, OSError(code, os.strerror(code)), now)

    def _winner(self, now: float) -> socket.socket | None:
        for sock, candidate in [*self.open.items()]:
            if writable(sock):
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if not code:
                    self._race.connected(candidate)
                    del self.open[sock]
                    set_options(sock)
                    return sock
                self._failed(sock, OSError(code, os.strerror(code)), now)
        return None

    def _failed(self, sock: socket.socket, error: Exception, now: float) -> None:
        candidate = self.open.pop(sock)
        sock.close()
        self._race.failed(candidate, error, now)


async def _open_unix(opener: Opener, path: str, deadline: float, wakeup: Wakeup) -> socket.socket | None:
    family = getattr(socket, "AF_UNIX", None)
    if family is None:
        raise OSError(errno.EAFNOSUPPORT, "this system has no unix sockets")
    while True:
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            code = sock.connect_ex(path)
        except BaseException:  # a path that is too long, say
            sock.close()
            raise
        if not code:
            return sock
        sock.close()
        if code not in (errno.EAGAIN, errno.EINTR):
            raise OSError(code, os.strerror(code))
        now = opener.now()
        if now >= deadline or await wakeup.wait(min(deadline, now + UNIX_POLL)):
            return None
