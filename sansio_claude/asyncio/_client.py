"""The client on asyncio. Every decision is the core's (`_call`); here is one `match` that does what it asks for.

No task is started. Cancelling the caller closes the socket, and the pool is consistent afterwards.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, assert_never, final

from sansio_claude._call.actions import Connect, Deliver, Done, Receive, Send, Wait
from sansio_claude._call.call import Call
from sansio_claude._call.timeouts import NEVER
from sansio_claude._client.client import ONE_TASK, ClientBase, Stream, TextIterator, close_discarded
from sansio_claude._client.runtime import Runtime
from sansio_claude._client.session import Session
from sansio_claude._errors import LocalProtocolError
from sansio_claude._runtime.process import runtime_of
from sansio_claude._stream.events import Event
from sansio_claude.asyncio._net import open_wire

if TYPE_CHECKING:
    from sansio_claude.tools._calls import ToolCall
    from sansio_claude.tools._loop import ToolLoop

__all__ = ["Client", "Stream", "TextIterator"]


async def _advance(session: Session, call: Call) -> Sequence[Event] | None:
    """Do what the call asks for until it has events, or None when it is over. Raises its error."""
    if call.driven:
        raise LocalProtocolError(ONE_TASK)
    call.driven = True
    handle = call.handle
    clock = asyncio.get_running_loop().time if handle is None else handle.clock
    now = clock()
    try:
        while True:
            action = call.next_action(now)
            match action:
                case Receive(deadline=deadline):
                    try:
                        received = await call.handle.receive(deadline)
                    except OSError as error:
                        call.receive_failed(error, now := clock())
                        continue
                    now = clock()
                    if received:
                        call.receive_data(received, now)
                    elif received is None:
                        call.deadline_passed(now)
                    else:
                        call.receive_eof(now)
                case Deliver(events=events):
                    return events
                case Send(data=data, deadline=deadline):
                    close_discarded(session)
                    try:
                        written = await call.handle.send(data, deadline)
                    except OSError as error:
                        call.send_failed(error, now := clock())
                        continue
                    now = clock()
                    if written:
                        call.sent(now)
                    else:
                        call.deadline_passed(now)
                case Connect(host=host, port=port, deadline=deadline):
                    close_discarded(session)
                    await _connect(call, host, port, deadline)
                    now = clock()
                case Wait(until=until, reason=reason):
                    close_discarded(session)
                    woken = await _wait(call, until)
                    now = clock()
                    if woken or reason == "backoff":
                        call.waited(now)
                    else:
                        call.deadline_passed(now)
                case Done(error=failure):
                    close_discarded(session)
                    break
                case _:
                    assert_never(action)
    except BaseException:
        call.abandon()
        close_discarded(session)
        raise
    finally:
        call.driven = False
    if failure is not None:
        raise failure.with_traceback(None)
    return None


async def _connect(call: Call, host: str, port: int, deadline: float) -> None:
    loop = asyncio.get_running_loop()
    scope = asyncio.timeout_at(None if deadline == NEVER else deadline)
    try:
        async with scope:
            call.on_wake(lambda: scope.reschedule(loop.time()))
            try:
                wire = await open_wire(host, port)
            finally:
                call.on_wake(None)
    except Exception as error:  # a name that cannot even be encoded is no OSError
        if scope.expired():
            call.deadline_passed(loop.time())
        else:
            call.connect_failed(error, loop.time())
        return
    try:
        call.connected(wire, loop.time())
    except BaseException:  # given up meanwhile
        wire.close()
        raise


async def _wait(call: Call, until: float) -> bool:
    """Wait until then, or until the call is woken: True."""
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[bool] = loop.create_future()

    def wake() -> None:
        if not waiter.done():
            waiter.set_result(True)

    def ring() -> None:
        if not waiter.done():
            waiter.set_result(False)

    # From any thread: a forgotten stream may be collected, and give its place back, in another one.
    call.on_wake(functools.partial(loop.call_soon_threadsafe, wake))
    timer = None if until == NEVER else loop.call_at(until, ring)
    try:
        return await waiter
    finally:
        call.on_wake(None)
        if timer is not None:
            timer.cancel()


async def _run_calls(loop: ToolLoop, calls: tuple[ToolCall, ...]) -> None:
    from sansio_claude.asyncio._run import run_calls  # takes a while, and is seldom needed

    await run_calls(loop, calls)


@final
class Client(ClientBase):
    """The client of the Messages API on asyncio.

        async with Client(Endpoint.from_env(os.environ)) as client:
            async with client.stream(model=..., max_tokens=..., messages=[...]) as stream:
                async for event in stream:
                    ...
            message = await client.create(model=..., max_tokens=..., messages=[...])

    One client serves one event loop, any number of tasks and any number of calls at once. It may be used without
    `async with` if `aclose()` is called in the end. For the options see `__init__`.
    """

    _runtime: ClassVar[Runtime] = runtime_of(
        "sansio_claude.asyncio",
        now=lambda: asyncio.get_running_loop().time(),
        advance=_advance,
        run_calls=_run_calls,
    )
