"""The client on trio: what a run of trio brings to the calls. The loop over their actions is `_call.loop`."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeVar, final

import trio

from sansio_claude._call.actions import Connect
from sansio_claude._call.loop import Wakeup as AnyWakeup
from sansio_claude._client.client import ClientBase
from sansio_claude._client.runtime import Runtime
from sansio_claude._client.stream import Stream, TextIterator
from sansio_claude._runtime.opening import open_socket
from sansio_claude._runtime.process import ProcessHome, runtime_of
from sansio_claude.trio._net import Wire, current_token, the_one_that_counts

if TYPE_CHECKING:
    from sansio_claude.tools._execution import Executor

__all__ = ["Client", "Stream", "TextIterator"]


T = TypeVar("T")


class Wakeup:
    """Wakes one task of this run of trio."""

    __slots__ = ("_event", "_is_set", "_token", "scope")

    def __init__(self) -> None:
        self._event = trio.Event()
        self.scope: trio.CancelScope | None = None
        """Is cancelled by the next wake."""
        self._is_set = False
        self._token = trio.lowlevel.current_trio_token()

    def set(self) -> None:
        """End every wait, from any thread."""
        self._is_set = True
        self.notify()

    def notify(self) -> None:
        """End the wait that is under way, or the next one, from any thread."""
        with contextlib.suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self._wake)

    def _wake(self) -> None:
        self._event.set()
        if self.scope is not None:
            self.scope.cancel()

    async def wait(self, until: float) -> bool:
        """Wait until it is set (True), or until then."""
        if not self._is_set:
            with trio.move_on_at(until):
                await self._event.wait()
            self._event = trio.Event()
        return self._is_set


class RunHome(ProcessHome):
    """This run of trio as the home of connections."""

    __slots__ = ("_token",)

    def __init__(self) -> None:
        super().__init__()
        self._token = current_token()

    @property
    def over(self) -> bool:
        """Whether the run has ended, or is not of this process."""
        try:
            if not super().over:
                self._token.run_sync_soon(_nothing, idempotent=True)
                return False
        except trio.RunFinishedError:
            pass
        return True

    def __eq__(self, other: object) -> bool:
        return type(other) is RunHome and other._token is self._token and other.process == self.process

    def __hash__(self) -> int:
        return hash((self.process, id(self._token)))


def _nothing() -> None:
    pass


class Adapter:
    """The clock, the wakeups and the connections of a run of trio."""

    def now(self) -> float:
        """trio's clock."""
        return trio.current_time()

    def home(self) -> RunHome:
        """This run."""
        return RunHome()

    def wakeup(self) -> Wakeup:
        """A wakeup of this run."""
        return Wakeup()

    async def connect(self, action: Connect, wakeup: AnyWakeup) -> Wire | None:
        """Open a connection."""
        await trio.lowlevel.checkpoint()  # on this machine a connection may be open at once
        sock = await open_socket(self, action, wakeup)
        return None if sock is None else Wire(sock)

    async def bounded(self, awaitable: Awaitable[T], until: float, wakeup: AnyWakeup) -> tuple[T] | None:
        """Wait for an awaitable of the caller's, until then or until the wakeup is set."""
        assert isinstance(wakeup, Wakeup)
        with trio.CancelScope(deadline=until) as wakeup.scope:
            return (await awaitable,)
        return None

    async def wait_writable(self, sockets: Sequence[socket.socket], until: float, wakeup: AnyWakeup) -> bool:
        """Wait for one of the sockets, the time or the wakeup."""
        is_set = False
        try:
            async with trio.open_nursery() as nursery:

                async def wait(sock: socket.socket) -> None:
                    await trio.lowlevel.wait_writable(sock)
                    nursery.cancel_scope.cancel()

                for sock in sockets:
                    nursery.start_soon(wait, sock)
                is_set = await wakeup.wait(until)
                nursery.cancel_scope.cancel()
        except BaseExceptionGroup as group:  # a cancellation, or Ctrl-C
            raise the_one_that_counts(group) from None
        return is_set


def _executor() -> Executor:
    from sansio_claude.trio._run import SystemTaskExecutor  # takes a while, and is seldom needed

    return SystemTaskExecutor()


@final
class Client(ClientBase):
    """The client of the Messages API on trio.

        async with Client(Endpoint.from_env(os.environ)) as client:
            async with client.stream(model=..., max_tokens=..., messages=[...]) as stream:
                async for event in stream:
                    ...
            message = await client.create(model=..., max_tokens=..., messages=[...])

    One client serves one run of trio, any number of tasks and any number of calls at once. It may be used without
    `async with` if `aclose()` is called in the end. For the options see `__init__`.
    """

    _runtime: ClassVar[Runtime] = runtime_of("sansio_claude.trio", Adapter(), executor=_executor)
