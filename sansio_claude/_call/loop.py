"""The loop over the actions of a call, written once. What has to wait is awaited from the adapter, and nothing else.

An adapter brings a clock, wakeups to wait for, and wires (open TCP connections). One whose waits block instead of
suspending, as those on blocking sockets do, drives the coroutine by `send(None)`.

Rules:

- One task at a time drives a call.
- Whatever ends the loop early, cancellation among it, gives the call up: its connection is closed and its place in the
  pool is free before the exception goes on.
- The connections that the pool has discarded are closed before every wait for something other than an answer's bytes,
  and at the end.
- A StopAsyncIteration of the caller's functions (a token, `trace`) becomes a RuntimeError, as a StopIteration does by
  itself: it would pass for the end of an answer that was cut off.
- An exception of the operating system is reported without its traceback, whose frames hold the request. So that none
  of those of a cancellation holds it, `Wire.send` forgets `data` before an exception leaves it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, assert_never, cast

from sansio_claude._call.actions import Authorize, Connect, Deliver, Done, Receive, Send, Wait
from sansio_claude._errors import LocalProtocolError

if TYPE_CHECKING:
    from sansio_claude._call.call import Call
    from sansio_claude._call.connection import Connection
    from sansio_claude._call.pool import Home, Pool
    from sansio_claude._request.head import Headers
    from sansio_claude._stream.events import Event

__all__ = ["Adapter", "Wakeup", "Wire", "close_discarded", "drive"]

T = TypeVar("T")

ONE_TASK: Final = "another task is reading this stream already: read it in one task at a time (any task may close it)"


class Wakeup(Protocol):
    """Wakes one waiter."""

    def set(self) -> object:
        """End every wait, now and later. From any thread, from a finalizer too, and any number of times."""
        ...

    def notify(self) -> object:
        """End the wait that is under way, or the next one, without setting it. From any thread."""
        ...

    async def wait(self, until: float) -> bool:
        """Wait until it is set (True), until the clock says `until` (False), or until it is notified (False)."""
        ...


class Wire(Protocol):
    """An open TCP connection of an adapter, for one task at a time. Deadlines are times of `clock`."""

    @property
    def clock(self) -> Callable[[], float]:
        """The adapter's clock, in seconds."""
        ...

    @property
    def stale(self) -> bool:
        """Whether it cannot be used again: bytes or an end have come while nobody was reading, or it belongs to
        another event loop or process. May look at the socket; never waits."""
        ...

    async def receive(self, deadline: float) -> bytes | None:
        """The bytes that have come, b"" at the end of input, None when the deadline passed. Raises OSError."""
        ...

    async def send(self, data: bytes | memoryview, deadline: float) -> int | None:
        """Write `data`: how many bytes are written, None when the deadline passed. Raises OSError.

        Fewer than all only where something can be read before the rest can be written; the next `send` has the rest.
        No local variable holds `data` or a part of it when an exception leaves this method, cancellation among them.
        """
        ...

    def close(self, last: bytes = b"") -> None:
        """Close at once, without waiting. Safe to call more than once, from any thread.

        `last` is written first where that can be done at once, and else not.
        """
        ...


class Adapter(Protocol):
    """What an event loop, or the lack of one, brings to the calls."""

    def now(self) -> float:
        """Seconds on a clock that never goes back."""
        ...

    def home(self) -> Home | None:
        """The event loop and process that it runs in now, None where connections can be used anywhere."""
        ...

    def wakeup(self) -> Wakeup:
        """A new wakeup."""
        ...

    async def connect(self, action: Connect, wakeup: Wakeup) -> Wire | None:
        """Open a TCP connection; None when the deadline passed or the wakeup was set. Raises what went wrong."""
        ...


class Bounding(Protocol):
    """What an adapter may bring beside, so that a token that is awaited has a deadline too. Without it, none has."""

    async def bounded(self, awaitable: Awaitable[T], until: float, wakeup: Wakeup) -> tuple[T] | None:
        """Wait for an awaitable of the caller's: what it gives, or None where `until` came before or the wakeup was
        set. It is cancelled then. Raises what it raises."""
        ...


async def drive(adapter: Adapter, call: Call) -> Sequence[Event] | None:
    """Do what the call asks for until it has events, or None when it is over. Raises its error."""
    if call.driven:
        raise LocalProtocolError(ONE_TASK)
    wire: Wire | None = call.handle
    if wire is None:
        call.home, clock = adapter.home(), adapter.now
    else:
        clock = wire.clock
    try:
        call.driven = True  # in here, so that Ctrl-C at any line leaves it as it was
        now = clock()
        while True:
            until = call.reading_until(now)
            if until is None:
                action = call.next_action(now)
                match action:
                    case Receive(deadline=until):
                        pass
                    case Deliver(events=events):
                        return events
                    case Send():
                        clock = call.handle.clock
                        now = await _send(call, action, clock)
                        continue
                    case Connect():
                        await _connect(call, action, adapter)
                        now = clock()
                        continue
                    case Wait():
                        await _wait(call, action, adapter)
                        now = clock()
                        continue
                    case Authorize():
                        await _authorize(call, action, adapter)
                        now = clock()
                        continue
                    case Done(error=failure):
                        received = None  # the traceback of an error shows the locals of this frame
                        close_discarded(call.pool)
                        break
                    case _:
                        assert_never(action)
            try:
                received = await call.handle.receive(until)
            except OSError as error:
                call.receive_failed(error.with_traceback(None), now := clock())
                continue
            now = clock()
            if received:
                delivered = call.receive_events(received, now)
                if delivered is not None:
                    return delivered
            elif received is None:
                call.deadline_passed(now)
            else:
                call.receive_eof(now)
    except BaseException as error:
        received = None
        try:
            call.abandon()
        finally:  # `trace` may raise
            close_discarded(call.pool)
        if isinstance(error, StopAsyncIteration):  # of a function of the caller's: it would end an `async for`
            raise RuntimeError("a function of the caller's raised StopAsyncIteration") from error
        raise
    finally:
        call.driven = False
    if failure is not None:
        raise failure.with_traceback(None)
    return None


async def _send(call: Call, action: Send, clock: Callable[[], float]) -> float:
    """Write, and report it: when that was."""
    close_discarded(call.pool)
    try:
        written = await call.handle.send(action.data, action.deadline)
    except OSError as error:
        call.send_failed(error.with_traceback(None), now := clock())
        return now
    now = clock()
    if written is None:
        call.deadline_passed(now)
    else:
        call.sent(now, written)
    return now


async def _connect(call: Call, action: Connect, adapter: Adapter) -> None:
    close_discarded(call.pool)
    wakeup = adapter.wakeup()
    call.on_wake(wakeup.set)
    try:
        wire = await adapter.connect(action, wakeup)
    except Exception as error:  # a name that cannot even be encoded is no OSError
        call.connect_failed(error.with_traceback(None), adapter.now())
        return
    finally:
        call.on_wake(None)
    if wire is None:
        call.deadline_passed(adapter.now())
        return
    try:
        call.connected(wire, adapter.now())
    except BaseException:  # the call was given up meanwhile
        wire.close()
        raise


async def _authorize(call: Call, action: Authorize, adapter: Adapter) -> None:
    close_discarded(call.pool)
    assert call.authorize is not None
    try:
        given = call.authorize(action.head, action.body)
        if isinstance(given, Awaitable):
            found = await _bounded(call, action, adapter, given)
            if found is None:
                call.deadline_passed(adapter.now())
                return
            (given,) = found
    except (StopIteration, StopAsyncIteration) as error:
        # A coroutine cannot raise the first (PEP 479), and in `async for` the second would end the loop in silence.
        raise LocalProtocolError(
            f"the function that gives the token raised {type(error).__name__}, which means the end of an iteration to "
            "Python; give next() in it a default, or raise another exception",
            path="auth_token",
        ) from error
    call.authorized(given, adapter.now())


async def _bounded(call: Call, action: Authorize, adapter: Adapter, given: Awaitable[Headers]) -> tuple[Headers] | None:
    bounding: Bounding = cast(Any, adapter)
    if not hasattr(bounding, "bounded"):
        return (await given,)
    wakeup = adapter.wakeup()
    call.on_wake(wakeup.set)
    try:
        return await bounding.bounded(given, action.deadline, wakeup)
    finally:
        call.on_wake(None)


async def _wait(call: Call, action: Wait, adapter: Adapter) -> None:
    close_discarded(call.pool)
    wakeup = adapter.wakeup()
    call.on_wake(wakeup.set)
    try:
        is_set = await wakeup.wait(action.until)
    finally:
        call.on_wake(None)
    if is_set:
        call.waited(adapter.now())
    else:
        call.deadline_passed(adapter.now())


def close_discarded(pool: Pool[Connection]) -> None:
    """Close the connections that the pool wants to be closed."""
    for connection in pool.discarded():
        connection.close()
