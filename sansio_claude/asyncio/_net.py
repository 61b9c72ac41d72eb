"""The wire on asyncio: one TCP connection, raw bytes, deadlines.

A `BufferedProtocol` reads into one buffer that all connections of a thread share: `asyncio.Protocol` and streams ask
the system for 256 KiB at every wakeup, which costs more than all the rest.

A read resumes the task that waits for it at once, in the same turn of the loop: a `Wire` is itself what its reader
awaits. A future would resume it one turn later, which costs another turn of the loop with its system call: a quarter
of what an event costs altogether (measured with 100 paced streams). What asyncio asks of an object that a task can
await is little and documented (`asyncio.isfuture`); the task is resumed as a future would do it, in its own context.

So the consumer's code runs inside of the transport's callback. Two rules follow:

- SystemExit and KeyboardInterrupt, which a task lets through, are raised again from a callback of their own: uvloop
  would take them for errors of the transport.
- Only the loops that are known to allow it are treated so: asyncio's own and uvloop's. On others, and where a loop was
  patched to run inside of itself, the task is resumed in the next turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
import types
from collections.abc import Callable, Generator
from contextvars import Context
from typing import Any, Concatenate, Final, NoReturn, ParamSpec, Protocol, Self, TypeVar, cast

from sansio_claude._call.timeouts import NEVER
from sansio_claude._errors import LocalProtocolError
from sansio_claude._runtime.process import THIS_PROCESS
from sansio_claude._runtime.sockets import BUFFER, readable

__all__ = ["Wire", "running_loop"]

P = ParamSpec("P")
T = TypeVar("T")

BACKLOG: Final = 128 * 1024  # bytes that may wait for a slow consumer before reading is paused
WRONG_LOOP: Final = "this stream belongs to another event loop: read it where it was begun, and make a client for each"
NO_LOOP: Final = (
    "no event loop of asyncio runs here: await it inside of asyncio.run(...), or use the client of sansio_claude.trio "
    "or sansio_claude.sync"
)
_STOCK: Final = asyncio.BaseEventLoop.run_until_complete

_shared = threading.local()


def _buffer() -> memoryview:
    """The read buffer of this thread. Reading into it and taking the bytes out is one step of its loop."""
    buffer: memoryview | None = getattr(_shared, "buffer", None)
    if buffer is None:
        buffer = _shared.buffer = memoryview(bytearray(BUFFER))
    return buffer


def running_loop() -> asyncio.AbstractEventLoop:
    """The event loop that runs in this thread. Raises LocalProtocolError where there is none."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError as error:
        raise LocalProtocolError(NO_LOOP) from error


def _raise(error: BaseException) -> NoReturn:
    raise error


class _Clock(Protocol):
    """A clock, in seconds. Type checkers take an attribute that is a `Callable` for a method; this one they do not."""

    def __call__(self) -> float: ...


def _coroutine(
    function: Callable[Concatenate[Any, P], Generator[Any, Any, T]],
) -> Callable[Concatenate[Any, P], types.CoroutineType[Any, Any, T]]:
    """`types.coroutine`, typed like an `async def`, which an adapter's connection has to have."""
    made: Any = types.coroutine(function)
    typed: Callable[Concatenate[Any, P], types.CoroutineType[Any, Any, T]] = made
    return typed


class Wire(asyncio.BufferedProtocol):
    """One TCP connection. `receive` and `send` are for one task at a time. Made by `Wire.over`."""

    __slots__ = (
        "__weakref__",
        "_ahead",
        "_asyncio_future_blocking",
        "_backlog",
        "_buffer",
        "_cancelled",
        "_chunks",
        "_context",
        "_data",
        "_deadline",
        "_ended",
        "_error",
        "_loop",
        "_on_uvloop",
        "_process",
        "_reading_paused",
        "_resume",
        "_socket",
        "_timer",
        "_timer_at",
        "_transport",
        "_writer",
        "_writing_paused",
        "clock",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket | None = None) -> None:
        self._loop = loop
        self._on_uvloop = type(loop).__module__.partition(".")[0] == "uvloop"
        self._socket = sock
        self._process = THIS_PROCESS.number
        self._ahead = 0  # how many bytes of the next send the transport has already
        # What BaseEventLoop.time asks, without the way there: it is asked twice for an event.
        stock = getattr(loop.time, "__func__", None) is asyncio.BaseEventLoop.time
        self.clock: _Clock = time.monotonic if stock else loop.time
        """The loop's time."""
        self._buffer = _buffer()
        self._transport: asyncio.Transport | None = None
        self._asyncio_future_blocking = False
        self._resume: Callable[[Any], object] | None = None  # of the task that waits for bytes
        self._context: Context | None = None
        self._cancelled: asyncio.CancelledError | None = None
        self._data: bytes | None = None  # what it waited for
        self._chunks: list[bytes] = []  # what came while nobody waited
        self._backlog = 0
        self._ended = False
        self._error: Exception | None = None
        self._writer: asyncio.Future[bool] | None = None
        self._reading_paused = False
        self._writing_paused = False
        self._deadline = NEVER
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = NEVER

    @classmethod
    async def over(cls, sock: socket.socket) -> Self:
        """A wire over a connected, non-blocking socket, which belongs to it from now on."""
        loop = asyncio.get_running_loop()
        wire = cls(loop, sock)
        try:
            if sock.family == getattr(socket, "AF_UNIX", None):
                await loop.create_unix_connection(lambda: wire, sock=sock)
            else:
                await loop.create_connection(lambda: wire, sock=sock)
        except BaseException:
            wire.close()
            sock.close()
            raise
        return wire

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=0)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where to read to."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes have been read."""
        data = self._buffer[:nbytes].tobytes()
        resume, context = self._resume, self._context
        if resume is not None and context is not None:
            self._resume = self._context = None
            self._data = data
            # What runs a loop inside of itself, as nest_asyncio does, replaces `run_until_complete`.
            if not (self._on_uvloop or type(self._loop).run_until_complete is _STOCK):
                self._loop.call_soon(resume, self, context=context)
                return
            try:
                context.run(resume, self)
            except RuntimeError:
                # What the task raises it keeps, so this says that it was not entered: because another one runs, or
                # its context is in use. No loop reads then, but whoever feeds a wire by hand may.
                self._loop.call_soon(resume, self, context=context)
            except (SystemExit, KeyboardInterrupt) as error:
                self._loop.call_soon(_raise, error)
            return
        self._chunks.append(data)
        self._backlog += nbytes
        if self._backlog > BACKLOG and not self._reading_paused and self._transport is not None:
            self._reading_paused = True
            self._transport.pause_reading()
        self._wake_writer()

    def eof_received(self) -> bool:
        """The peer has sent all it wants to. Our side stays open until we close it."""
        self._ended = True
        self._wake()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        if exc is not None:
            self._read_what_is_left()
        self._ended = True
        self._error = exc
        self._wake()

    def pause_writing(self) -> None:
        """Not all could be written at once."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """All is written."""
        self._writing_paused = False
        self._wake_writer()

    def _read_what_is_left(self) -> None:
        """A write that fails makes a transport give up reading, and an answer may still lie in the system's buffer."""
        try:
            while self._socket is not None and self._backlog <= BACKLOG and (data := self._socket.recv(BUFFER)):
                self._chunks.append(data)
                self._backlog += len(data)
        except OSError:
            pass  # nothing is left

    # The methods of a future that a task calls while it waits for bytes. As with a future, `_loop` is its event loop.

    def add_done_callback(self, resume: Callable[[Any], object], *, context: Context) -> None:
        """The task waits now: `resume` goes on with it."""
        self._resume, self._context = resume, context

    def cancel(self, msg: Any = None) -> bool:
        """The task is cancelled. False where it is being resumed already."""
        if self._resume is None:
            return False
        self._cancelled = asyncio.CancelledError() if msg is None else asyncio.CancelledError(msg)
        self._wake_reader()
        return True

    def result(self) -> None:
        """What the task is resumed with."""
        cancelled, self._cancelled = self._cancelled, None
        if cancelled is not None:
            raise cancelled

    def _wake_reader(self) -> None:
        """Resume the task without bytes, in the next turn: whoever calls this may be in the middle of something."""
        resume, context = self._resume, self._context
        if resume is not None:
            self._resume = self._context = None
            self._loop.call_soon(resume, self, context=context)

    # What the client calls

    @_coroutine
    def receive(self, deadline: float) -> Generator[Wire, None, bytes | None]:
        """The bytes that have come, b"" at the end, None when the deadline passed. Raises OSError."""
        chunks = self._chunks
        if not chunks and not self._ended:
            self._deadline = deadline
            try:
                if deadline < self._timer_at:
                    self._arm()
                self._asyncio_future_blocking = True
                yield self
            except (RuntimeError, TypeError) as error:  # an event loop says it (TypeError: trio), and nobody else
                raise LocalProtocolError(WRONG_LOOP) from error
            finally:
                data, self._data = self._data, None  # lost where this was cancelled, which ends the stream anyway
                self._resume = self._context = None
            if data is not None:
                if not chunks:
                    return data
                chunks.insert(0, data)
            elif not chunks and not self._ended:
                return None
        if chunks:
            data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
            chunks.clear()
            self._backlog = 0
            if self._reading_paused and self._transport is not None and not self._ended:
                self._reading_paused = False
                self._transport.resume_reading()
            return data
        if self._error is not None:
            raise self._error.with_traceback(None)
        return b""

    async def send(self, data: bytes | memoryview, deadline: float) -> int | None:
        """Write `data`: how many bytes are written, None when the deadline passed. Raises OSError.

        Where not all can be written at once and something can be read, ends before all is written.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            raise (self._error or ConnectionResetError("the connection is closed")).with_traceback(None)
        size = len(data)
        ahead, self._ahead = self._ahead, 0
        transport.write(memoryview(data)[ahead:] if ahead else data)
        del data  # the frame of a cancelled send shows nothing of the request
        while self._writing_paused:
            if transport.is_closing():
                raise (self._error or ConnectionResetError("the connection was closed")).with_traceback(None)
            if self._chunks or self._ended:
                self._ahead = transport.get_write_buffer_size()
                return size - self._ahead
            writer = self._writer = self._loop.create_future()
            self._deadline = deadline
            if deadline < self._timer_at:
                self._arm()
            try:
                if not await writer:
                    return None
            finally:
                self._writer = None
        return size

    @property
    def stale(self) -> bool:
        """Whether a byte or an end has come while nobody was reading, even if the loop has not seen it yet; or
        whether this is another loop's connection, or another process's."""
        transport, sock = self._transport, self._socket
        if transport is None or self._chunks or self._ended or transport.is_closing():
            return True
        if self._process != THIS_PROCESS.number or asyncio.get_running_loop() is not self._loop:
            return True
        return sock is None or sock.fileno() < 0 or readable(sock)

    def close(self, last: bytes = b"") -> None:
        """Close at once; what is not written yet is lost. Safe to call more than once, and from any thread.

        `last` is written first if that takes no waiting.
        """
        if self._process != THIS_PROCESS.number:
            # The parent of this process goes on with the connection: only this process's copy is closed.
            if self._socket is not None:
                self._socket.close()
            return
        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        if here:
            self._abort(last)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._abort, last)
        elif self._socket is not None:
            self._socket.close()  # nobody is left to end the transport, which would keep it until it is collected

    def _abort(self, last: bytes = b"") -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._timer_at = NEVER
        transport, sock = self._transport, self._socket
        if transport is None:
            return
        if last and sock is not None and not (transport.is_closing() or transport.get_write_buffer_size()):
            with contextlib.suppress(OSError):
                sock.send(last)
        transport.abort()

    # Deadlines: a timer that is too early is set again when it fires, which is seldom; setting one for every read
    # would cost two microseconds each.

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = self._deadline
        self._timer = self._loop.call_at(self._deadline, self._timer_due)

    def _timer_due(self) -> None:
        self._timer = None
        self._timer_at = NEVER
        writer = self._writer
        if self._resume is None and (writer is None or writer.done()):
            return
        if self._loop.time() < self._deadline:
            if self._deadline < NEVER:
                self._arm()
        elif writer is not None and not writer.done():
            writer.set_result(False)
        else:
            self._wake_reader()

    def _wake(self) -> None:
        self._wake_reader()
        self._wake_writer()

    def _wake_writer(self) -> None:
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(True)
