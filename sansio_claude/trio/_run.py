"""How the calls of a run are begun on trio: each in a system task with a cancel scope of its own, functions that may
block in trio's threads, without a limit that others share.

A task never ends with an exception: what a tool raises travels in a `Box`.
"""

from __future__ import annotations

import contextlib
import contextvars
import math
from collections.abc import Awaitable, Callable
from typing import Any, Final

import trio

from sansio_claude._runtime.execution import cancellations, log_failure
from sansio_claude._runtime.workers import Job, LeftBehind
from sansio_claude.tools._execution import Execution
from sansio_claude.tools._outcome import Box, boxed_await
from sansio_claude.trio._net import current_token

__all__ = ["SystemTaskExecutor"]

GRACE: Final = 10.0  # seconds that a cancelled task may take to end, before it is left behind


class SystemTaskExecutor:
    """The executor of one run. Made inside a run of trio."""

    def __init__(self) -> None:
        self._token = current_token()
        self._event = trio.Event()
        self._limiter = trio.CapacityLimiter(math.inf)  # the run has a limit of its own
        self._scopes: set[trio.CancelScope] = set()
        self._ended = trio.Event()
        self._left = LeftBehind()

    @property
    def cancellations(self) -> tuple[type[BaseException], ...]:
        """See `Executor`."""
        return cancellations()

    def now(self) -> float:
        """trio's clock."""
        return trio.current_time()

    def full(self, most: int) -> bool:
        """See `Executor`."""
        return self._left.full(most)

    def start(self, execution: Execution) -> None:
        """Begin a call in a task."""
        scope, means = trio.CancelScope(), _Means(self._limiter, self._left)

        def cancel() -> None:
            means.abandon()
            scope.cancel()

        execution.cancel = cancel
        self._scopes.add(scope)
        trio.lowlevel.spawn_system_task(self._run, execution, scope, means, context=contextvars.copy_context())

    async def _run(self, execution: Execution, scope: trio.CancelScope, means: _Means) -> None:
        try:
            with scope:
                if not scope.cancel_called:
                    await execution.run(means)
        finally:
            self._scopes.discard(scope)
            self._ended.set()

    def notify(self) -> None:
        """End a wait, or the next one."""
        self.post(lambda: self._event.set())

    def post(self, function: Callable[[], None]) -> None:
        """Call a function in trio's thread, soon."""
        with contextlib.suppress(trio.RunFinishedError):  # nobody waits any more
            self._token.run_sync_soon(function)

    async def wait(self, until: float | None) -> None:
        """Wait until somebody notifies, or until then."""
        with trio.move_on_at(math.inf if until is None else until):
            await self._event.wait()
        self._event = trio.Event()

    async def stop(self) -> None:
        """Wait for the cancelled tasks to end."""
        with trio.move_on_after(GRACE, shield=True):
            while self._scopes:
                self._ended = trio.Event()
                await self._ended.wait()
        if self._scopes:
            self.log(f"{len(self._scopes)} tools did not end within {GRACE:g} s of being cancelled: left behind", None)

    def log(self, words: str, error: BaseException | None) -> None:
        """Write to the log at WARNING."""
        log_failure("sansio_claude.trio", words, error)


class _Means:
    """What one execution needs: a thread, and a task that waits."""

    def __init__(self, limiter: trio.CapacityLimiter, left: LeftBehind) -> None:
        self._limiter = limiter
        self._left = left
        self._job: Job | None = None

    async def in_thread(self, function: Callable[[], Any]) -> Box:
        """Call a function in a thread. Cancelled, it leaves the thread behind at once."""
        boxes: list[Box] = []
        job = self._job = Job(function, boxes.append, self._left)
        try:
            await trio.to_thread.run_sync(job.run, abandon_on_cancel=True, limiter=self._limiter)
        except BaseException as error:
            job.abandon()
            return Box(error=error)
        return boxes[0] if boxes else Box()  # abandoned: nobody asks

    def abandon(self) -> None:
        """Wait for no thread any more."""
        if self._job is not None:
            self._job.abandon()

    async def settle(self, awaitable: Awaitable[Any]) -> Box:
        """Wait for what a tool has returned."""
        return await boxed_await(awaitable)
