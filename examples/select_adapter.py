"""A whole adapter in one file: blocking sockets and `select`, nothing else.

An adapter brings a clock, wakeups, and connections ("wires"); every decision is the library's. What waits here blocks
instead of suspending, so the coroutine of the library's loop never suspends, and `send(None)` runs it to its end.

    python examples/select_adapter.py "Say hello in five languages."
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import select
import socket
import sys
import threading
import time
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

from sansio_claude import (
    Call,
    CallSettings,
    ClaudeError,
    Connect,
    Endpoint,
    Event,
    MessageRequest,
    Pool,
    Race,
    TLSMaker,
    Wakeup,
    drive,
    text_of,
    user,
)

T = TypeVar("T")
LOOK = 0.05  # seconds between two looks at the wakeup while a connection is opened


class EventWakeup:
    """Wakes one waiter, from any thread."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._is_set = False

    def set(self) -> None:
        self._is_set = True
        self._event.set()

    def notify(self) -> None:
        self._event.set()

    async def wait(self, until: float) -> bool:
        if not self._is_set:
            self._event.wait(min(max(0.0, until - time.monotonic()), threading.TIMEOUT_MAX))
            self._event.clear()
        return self._is_set


class SelectWire:
    """One connected socket."""

    clock = staticmethod(time.monotonic)

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    @property
    def stale(self) -> bool:
        return self._socket.fileno() < 0 or bool(select.select([self._socket], [], [], 0)[0])

    async def receive(self, deadline: float) -> bytes | None:
        readable, _, _ = select.select([self._socket], [], [], seconds_until(deadline))
        return self._socket.recv(65536) if readable else None

    async def send(self, data: bytes | memoryview, deadline: float) -> int | None:
        view, sent = memoryview(data), 0
        while sent < len(view):
            readable, writable, _ = select.select([self._socket], [self._socket], [], seconds_until(deadline))
            if writable:
                sent += self._socket.send(view[sent:])
            elif readable:
                return sent  # an answer before the request is written: the library looks at it first
            else:
                return None
        return sent

    def close(self, last: bytes = b"") -> None:
        try:
            if last and self._socket.fileno() >= 0:
                self._socket.send(last)
        except OSError:
            pass  # it does not have to arrive
        self._socket.close()


class SelectAdapter:
    """What `drive` needs."""

    def now(self) -> float:
        return time.monotonic()

    def home(self) -> None:
        return None  # a connection may be used in every thread

    def wakeup(self) -> EventWakeup:
        return EventWakeup()

    async def connect(self, action: Connect, wakeup: Wakeup) -> SelectWire | None:
        # The system's resolver blocks; a serious adapter asks it in a thread, so that the deadline holds for it too.
        found = socket.getaddrinfo(action.host, action.port, type=socket.SOCK_STREAM)
        race = Race(found, self.now(), deadline=action.deadline, loopback=action.loopback)
        open_sockets: dict[socket.socket, Any] = {}
        try:
            while True:
                for candidate in race.due(self.now()):
                    sock = socket.socket(candidate[0], socket.SOCK_STREAM)
                    sock.setblocking(False)
                    open_sockets[sock] = candidate
                    try:
                        sock.connect(candidate[-1])
                    except BlockingIOError:
                        pass  # it is under way
                    except OSError as error:
                        del open_sockets[sock]
                        sock.close()
                        race.failed(candidate, error, self.now())
                if race.timed_out:
                    return None
                if race.over:
                    raise race.error or OSError(errno.EADDRNOTAVAIL, "the host has no address")
                _, writable, _ = select.select([], [*open_sockets], [], min(seconds_until(race.until), LOOK))
                for sock in writable:
                    candidate = open_sockets.pop(sock)
                    if code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                        sock.close()
                        race.failed(candidate, OSError(code, os.strerror(code)), self.now())
                    elif race.connected(candidate):
                        return SelectWire(sock)
                    else:
                        sock.close()
                if await wakeup.wait(0):
                    return None
        finally:
            for sock in open_sockets:
                sock.close()


def seconds_until(deadline: float) -> float:
    """What `select` waits at most; a day stands for ever."""
    return min(max(0.0, deadline - time.monotonic()), 86400.0)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        value: T = stop.value
        return value
    raise RuntimeError("this adapter blocks where it waits, so nothing suspends")


class SelectClient:
    """A client as small as it can be: one pool, streams, retries, deadlines, TLS."""

    def __init__(self, endpoint: Endpoint, **settings: Any) -> None:
        self.endpoint = endpoint
        self.pool: Pool[Any] = Pool(max_connections=4)
        self.adapter = SelectAdapter()
        # Plain http keeps to this machine: `loopback` holds every connection there.
        settings.setdefault("loopback", endpoint.scheme == "http" and not endpoint.allow_http)
        settings.setdefault("tls", TLSMaker())
        self.settings = CallSettings(chance=random.random, wall=time.time, **settings)

    def stream(self, request: MessageRequest) -> Iterator[Event]:
        """The events of the answer, as they come. Raises what the library's clients raise."""
        head = self.endpoint.request_head(request)
        call = Call(head, request.body(stream=True), wanted="stream", pool=self.pool, settings=self.settings)
        try:
            while (events := run(drive(self.adapter, call))) is not None:
                yield from events
        finally:
            # A connection whose answer is whole is kept, any other one is closed.
            call.close(self.adapter.now())
            with contextlib.suppress(ClaudeError):  # that it was given up, or what was raised before
                while run(drive(self.adapter, call)) is not None:
                    pass

    def close(self) -> None:
        """Close every idle connection."""
        self.pool.close()
        self._close_discarded()

    def _close_discarded(self) -> None:
        for connection in self.pool.discarded():
            connection.close()


def main() -> None:
    """Ask once and print the text as it comes."""
    client = SelectClient(Endpoint.from_env(os.environ))
    request = MessageRequest(model="claude-opus-5-5", max_tokens=1024, messages=[user(" ".join(sys.argv[1:]))])
    for event in client.stream(request):
        print(text_of(event) or "", end="", flush=True)
    print()
    client.close()


if __name__ == "__main__":
    main()
