"""What an adapter on blocking waits brings to the calls: wakeups, wires, and coroutines that never suspend.

The loop over the actions of a call is a coroutine. Here all that it awaits blocks the thread instead of suspending, so
that one `send(None)` runs it to its end (`finish`).
"""

from __future__ import annotations

import contextlib
import errno
import inspect
import select
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from queue import Empty, SimpleQueue
from threading import TIMEOUT_MAX
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

from sansio_claude._call.actions import Connect
from sansio_claude._call.loop import Wakeup as AnyWakeup
from sansio_claude._errors import LocalProtocolError
from sansio_claude._runtime.opening import open_socket
from sansio_claude._runtime.process import THIS_PROCESS, ProcessHome
from sansio_claude._runtime.sockets import BUFFER, readable

if TYPE_CHECKING:
    from sansio_claude.tools._outcome import Box

__all__ = ["Adapter", "Wakeup", "Wire", "finish", "same_arguments"]

P = ParamSpec("P")
T = TypeVar("T")

LOOK: Final = 0.1  # seconds between two looks at the wakeup, while connections are being opened
_LONGEST: Final = 2**31 - 1  # milliseconds that poll takes
READ: Final = 1
WRITE: Final = 2


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never suspends: what it awaits blocks instead.

    Raises what it raises, and LocalProtocolError where it suspends all the same: nobody would ever resume it.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    name = getattr(coroutine, "__qualname__", "this")
    raise LocalProtocolError(
        f"{name} waits for an event loop, and there is none here; what is async belongs to sansio_claude.asyncio or "
        "sansio_claude.trio"
    )


def same_arguments(
    method: Callable[Concatenate[Any, P], object],
) -> Callable[[Callable[..., T]], Callable[Concatenate[Any, P], T]]:
    """Types a method like another one that it hands its arguments to."""

    def typed(function: Callable[..., T]) -> Callable[Concatenate[Any, P], T]:
        function.__signature__ = inspect.signature(method)  # type: ignore[attr-defined]  # inspect reads it
        return function

    return typed


def wait_for(sockets: Sequence[socket.socket], bits: int, seconds: float) -> bool:
    """Wait until one of the sockets can be read (READ) or written (WRITE), for so many seconds at most; whether one
    can. A connection that has failed can."""
    seconds = min(seconds, TIMEOUT_MAX)
    if hasattr(select, "poll"):
        poll = select.poll()
        for sock in sockets:
            poll.register(sock, (select.POLLIN if bits & READ else 0) | (select.POLLOUT if bits & WRITE else 0))
        return bool(poll.poll(min(int(max(seconds, 0.0) * 1000.0 + 0.999), _LONGEST)))
    reading = sockets if bits & READ else ()
    writing = sockets if bits & WRITE else ()
    return any(select.select(reading, writing, writing, max(seconds, 0.0)))


class Wakeup:
    """Wakes one thread."""

    __slots__ = ("_queue", "is_set")

    def __init__(self) -> None:
        self._queue: SimpleQueue[None] = SimpleQueue()  # of all that wakes a thread, finalizers may use only this
        self.is_set = False

    def set(self) -> None:
        """End every wait, from any thread."""
        self.is_set = True
        self.notify()

    def notify(self) -> None:
        """End the wait that is under way, or the next one, from any thread."""
        self._queue.put(None)

    async def wait(self, until: float) -> bool:
        """Wait until it is set (True), or until then."""
        if not self.is_set:
            try:
                self._queue.get(timeout=max(0.0, min(until - time.monotonic(), TIMEOUT_MAX)))
            except Empty:
                pass
        return self.is_set


class Wire:
    """One TCP connection. `receive` and `send` are for one thread at a time, `close` is for any."""

    __slots__ = ("__weakref__", "_busy", "_closed", "_poll", "_process", "_socket")

    clock = staticmethod(time.monotonic)
    """Seconds."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._poll: Any = None  # made once: it knows the socket by its number, which stays until `_end` has closed it
        if hasattr(select, "poll"):
            self._poll = select.poll()
            self._poll.register(sock, select.POLLIN)
        self._process = THIS_PROCESS.number
        self._busy = False
        self._closed = False

    async def receive(self, deadline: float) -> bytes | None:
        """The bytes that have come, b"" at the end, None when the deadline passed. Raises OSError."""
        self._begin()
        try:
            while self._readable(deadline - time.monotonic()):
                try:
                    return self._socket.recv(BUFFER)
                except BlockingIOError:
                    pass  # a false alarm of the system's
            return None
        finally:
            self._end()

    async def send(self, data: bytes | memoryview, deadline: float) -> int | None:
        """Write `data`: how many bytes are written, None when the deadline passed. Raises OSError.

        Where not all can be written at once and something can be read, ends before all is written.
        """
        data, size, sent = memoryview(data), len(data), 0
        try:
            self._begin()
            while True:
                try:
                    sent += self._socket.send(data[sent:])
                except BlockingIOError:
                    pass
                if sent == size or readable(self._socket):
                    return sent
                if not wait_for((self._socket,), READ | WRITE, deadline - time.monotonic()):
                    return None
        finally:
            del data  # the frame of an interrupted send shows nothing of the request
            self._end()

    @property
    def stale(self) -> bool:
        """Whether a byte or an end has come while nobody was reading, or this is another process's connection."""
        return self._closed or self._process != THIS_PROCESS.number or self._readable(0.0)

    def _readable(self, seconds: float) -> bool:
        """Wait for something to read, for so many seconds at most; whether there is anything."""
        poll = self._poll
        if poll is None:
            return wait_for((self._socket,), READ, seconds)
        return bool(poll.poll(min(int(max(min(seconds, TIMEOUT_MAX), 0.0) * 1000.0 + 0.999), _LONGEST)))

    def close(self, last: bytes = b"") -> None:
        """Close at once, from any thread. While another one waits for it, that one is woken and closes it.

        `last` is written first where that can be done at once, and else not.
        """
        self._closed = True
        if not self._busy or self._process != THIS_PROCESS.number:
            if last and self._socket.fileno() >= 0 and self._process == THIS_PROCESS.number:
                with contextlib.suppress(OSError):
                    self._socket.send(last)
            self._socket.close()
            return
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is not connected any more, and whoever waits is woken by that

    def _begin(self) -> None:
        if self._process != THIS_PROCESS.number:
            raise LocalProtocolError("this stream belongs to another process: a child of it has to begin its own")
        self._busy = True  # first, so that who closes it meanwhile leaves the socket to this thread
        if self._closed:
            self._end()
            raise OSError(errno.EBADF, "the connection was closed")

    def _end(self) -> None:
        self._busy = False
        if self._closed:
            self._socket.close()


class Adapter:
    """The clock, the wakeups and the connections of a thread."""

    now = staticmethod(time.monotonic)
    """Seconds."""

    def wakeup(self) -> Wakeup:
        """A new wakeup."""
        return Wakeup()

    def home(self) -> ProcessHome:
        """This process: threads share connections."""
        return ProcessHome()

    async def connect(self, action: Connect, wakeup: AnyWakeup) -> Wire | None:
        """Open a connection."""
        sock = await open_socket(self, action, wakeup)
        return None if sock is None else Wire(sock)

    async def bounded(self, awaitable: Awaitable[T], until: float, wakeup: AnyWakeup) -> tuple[T] | None:
        """Wait for an awaitable of the caller's, until then or until the wakeup is set. A worker thread runs it in an
        event loop (asyncio) of its own."""
        from sansio_claude._runtime.thread_executor import OwnLoop  # takes a while, and is seldom needed
        from sansio_claude._runtime.workers import Job, LeftBehind, start

        ended: list[Box] = []

        def done(box: Box) -> None:
            ended.append(box)
            wakeup.notify()

        own = OwnLoop(awaitable)
        job = Job(own, done, LeftBehind())
        start(job)
        try:
            while not (await wakeup.wait(until) or ended or self.now() >= until):
                pass
        finally:
            if not ended:
                job.abandon()
                own.cancel()
        if not ended:
            return None
        (box,) = ended
        if box.error is not None:
            raise box.error
        return (box.value,)

    async def wait_writable(self, sockets: Sequence[socket.socket], until: float, wakeup: AnyWakeup) -> bool:
        """Wait for one of the sockets or the time, and for the wakeup."""
        assert isinstance(wakeup, Wakeup)
        wait_for(sockets, WRITE, min(until - self.now(), LOOK))
        return wakeup.is_set
