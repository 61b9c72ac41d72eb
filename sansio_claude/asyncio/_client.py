"""The client on asyncio: what an event loop brings to the calls. The loop over their actions is `_call.loop`."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar, final

from sansio_claude._call.actions import Connect
from sansio_claude._call.loop import Wakeup as AnyWakeup
from sansio_claude._call.timeouts import NEVER
from sansio_claude._client.client import ClientBase
from sansio_claude._client.runtime import Runtime
from sansio_claude._client.stream import Stream, TextIterator
from sansio_claude._runtime.opening import open_socket
from sansio_claude._runtime.process import ProcessHome, runtime_of
from sansio_claude.asyncio._net import Wire, running_loop

if TYPE_CHECKING:
    from sansio_claude.tools._execution import Executor

__all__ = ["Client", "Stream", "TextIterator"]

T = TypeVar("T")

POLL: Final = 0.02  # seconds between two looks at a socket, where the loop cannot wait for one (Windows)


class Wakeup:
    """Wakes one task of the running loop."""

    __slots__ = ("_is_set", "_loop", "_waiter")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._is_set = False
        self._waiter: asyncio.Future[None] | None = None

    def set(self) -> None:
        """End every wait, from any thread."""
        self._is_set = True
        self.notify()

    def notify(self) -> None:
        """End the wait that is under way, from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits any more
            self._loop.call_soon_threadsafe(self.wake)

    def wake(self) -> None:
        """End the wait, if one is under way, in the loop's thread."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def waiter(self) -> asyncio.Future[None]:
        """A future that is done with the next wake."""
        self._waiter = self._loop.create_future()
        return self._waiter

    async def wait(self, until: float) -> bool:
        """Wait until it is set (True), or until then."""
        if self._is_set:
            return True
        waiter = self.waiter()
        timer = None if until == NEVER else self._loop.call_at(until, self.wake)
        try:
            await waiter
        finally:
            if timer is not None:
                timer.cancel()
        return self._is_set


class LoopHome(ProcessHome):
    """The running event loop as the home of connections."""

    __slots__ = ("_loop",)

    def __init__(self) -> None:
        super().__init__()
        self._loop = running_loop()

    @property
    def over(self) -> bool:
        """Whether the loop is closed, or is not of this process."""
        return super().over or self._loop.is_closed()

    def __eq__(self, other: object) -> bool:
        return type(other) is LoopHome and other._loop is self._loop and other.process == self.process

    def __hash__(self) -> int:
        return hash((self.process, id(self._loop)))


class Adapter:
    """The clock, the wakeups and the connections of the running event loop."""

    def now(self) -> float:
        """The loop's clock."""
        return asyncio.get_running_loop().time()

    def home(self) -> LoopHome:
        """The running loop."""
        return LoopHome()

    def wakeup(self) -> Wakeup:
        """A wakeup of the running loop."""
        return Wakeup()

    async def connect(self, action: Connect, wakeup: AnyWakeup) -> Wire | None:
        """Open a connection."""
        sock = await open_socket(self, action, wakeup)
        return None if sock is None else await Wire.over(sock)

    async def bounded(self, awaitable: Awaitable[T], until: float, wakeup: AnyWakeup) -> tuple[T] | None:
        """Wait for an awaitable of the caller's, until then or until the wakeup is set."""
        assert isinstance(wakeup, Wakeup)
        waiter = wakeup.waiter()
        limit = asyncio.timeout_at(None if until == NEVER else until)

        def end(waiter: asyncio.Future[None]) -> None:
            if not (waiter.cancelled() or limit.expired()):
                limit.reschedule(0.0)

        try:
            async with limit:
                waiter.add_done_callback(end)
                return (await awaitable,)
        except TimeoutError:
            if not limit.expired():
                raise
            return None
        finally:
            waiter.cancel()

    async def wait_writable(self, sockets: Sequence[socket.socket], until: float, wakeup: AnyWakeup) -> bool:
        """Wait for one of the sockets, the time or the wakeup."""
        assert isinstance(wakeup, Wakeup)
        loop, waited = asyncio.get_running_loop(), []
        try:
            for sock in sockets:
                loop.add_writer(sock, wakeup.wake)
                waited.append(sock)
        except NotImplementedError:
            until = min(until, loop.time() + POLL)
        try:
            return await wakeup.wait(until)
        finally:
            for sock in waited:
                loop.remove_writer(sock)


def _executor() -> Executor:
    from sansio_claude.asyncio._run import TaskExecutor  # takes a while, and is seldom needed

    return TaskExecutor()


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

    _runtime: ClassVar[Runtime] = runtime_of("sansio_claude.asyncio", Adapter(), executor=_executor)
