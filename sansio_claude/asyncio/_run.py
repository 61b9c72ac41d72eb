"""How the calls of a run are begun on asyncio: each in a task, functions that may block in worker threads.

A task never ends with an exception: what a tool raises travels in a `Box`, so that StopIteration, KeyboardInterrupt and
whatever else cannot pass through a Future or an event loop arrives as it was raised.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

from sansio_claude._runtime.execution import cancellations, log_failure
from sansio_claude._runtime.workers import Job, LeftBehind, start
from sansio_claude.asyncio._net import running_loop
from sansio_claude.tools._execution import Execution
from sansio_claude.tools._outcome import Box, boxed_await

__all__ = ["TaskExecutor"]

GRACE: Final = 10.0  # seconds that a cancelled task may take to end, before it is left behind


class TaskExecutor:
    """The executor of one run. Made in its event loop."""

    def __init__(self) -> None:
        self._loop = running_loop()
        self._notified = False
        self._waiter: asyncio.Future[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._left = LeftBehind()

    @property
    def cancellations(self) -> tuple[type[BaseException], ...]:
        """See `Executor`."""
        return cancellations()

    def now(self) -> float:
        """The loop's clock."""
        return self._loop.time()

    def full(self, most: int) -> bool:
        """See `Executor`."""
        return self._left.full(most)

    def start(self, execution: Execution) -> None:
        """Begin a call in a task."""
        means = _Means(self._loop, self.post, self._left)
        task = self._loop.create_task(execution.run(means))

        def cancel() -> None:
            means.abandon()
            task.cancel()

        execution.cancel = cancel
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def notify(self) -> None:
        """End a wait, or the next one."""
        self._notified = True
        self.post(self._wake)

    def post(self, function: Callable[[], None]) -> None:
        """Call a function in the loop's thread, soon."""
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits any more
            self._loop.call_soon_threadsafe(function)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self, until: float | None) -> None:
        """Wait until somebody notifies, or until then."""
        if not self._notified:
            self._waiter = self._loop.create_future()
            timer = None if until is None else self._loop.call_at(until, self._wake)
            try:
                await self._waiter
            finally:
                self._waiter = None
                if timer is not None:
                    timer.cancel()
        self._notified = False

    async def stop(self) -> None:
        """Wait for the cancelled tasks to end. Nothing is awaited where there is none."""
        end = self._loop.time() + GRACE
        cancelled: asyncio.CancelledError | None = None
        with _shielded():
            while self._tasks and (left := end - self._loop.time()) > 0:
                try:
                    await asyncio.wait(self._tasks, timeout=left)
                except asyncio.CancelledError as error:
                    cancelled = error
        if self._tasks:
            self.log(f"{len(self._tasks)} tools did not end within {GRACE:g} s of being cancelled: left behind", None)
        if cancelled is not None:
            raise cancelled

    def log(self, words: str, error: BaseException | None) -> None:
        """Write to the log at WARNING."""
        log_failure("sansio_claude.asyncio", words, error)


class _Means:
    """What one execution needs: a thread, and a task that waits."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, post: Callable[[Callable[[], None]], None], left: LeftBehind
    ) -> None:
        self._loop = loop
        self._post = post
        self._left = left
        self._job: Job | None = None

    async def in_thread(self, function: Callable[[], Any]) -> Box:
        """Call a function in a worker thread. Cancelled, it leaves the thread behind at once."""
        waiter: asyncio.Future[Box] = self._loop.create_future()

        def done(box: Box) -> None:
            self._post(lambda: None if waiter.done() else waiter.set_result(box))

        context = contextvars.copy_context()
        self._job = Job(lambda: context.run(function), done, self._left)
        start(self._job)
        try:
            return await waiter
        except BaseException as error:
            self.abandon()
            return Box(error=error)

    def abandon(self) -> None:
        """Wait for no thread any more."""
        if self._job is not None:
            self._job.abandon()

    async def settle(self, awaitable: Awaitable[Any]) -> Box:
        """Wait for what a tool has returned."""
        return await boxed_await(awaitable)


@contextlib.contextmanager
def _shielded() -> Iterator[None]:
    """A scope of anyio cancels again in every turn of the loop, which a shield ends; without anyio, nothing."""
    anyio = sys.modules.get("anyio")
    if anyio is None:
        yield
        return
    with anyio.CancelScope(shield=True):
        yield
