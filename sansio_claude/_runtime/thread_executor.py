"""How the calls of a run are begun where there is no event loop: every function in a worker thread.

A call is a coroutine that suspends only while one of its functions runs in a thread. The run's own thread resumes it,
while it waits for the calls.
"""

from __future__ import annotations

import contextlib
import contextvars
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator
from inspect import iscoroutine
from queue import Empty, SimpleQueue
from threading import TIMEOUT_MAX
from typing import Any

from sansio_claude._runtime.execution import cancellations, log_failure
from sansio_claude._runtime.workers import Job, LeftBehind, start
from sansio_claude.tools._execution import Execution
from sansio_claude.tools._outcome import Box, boxed_await

__all__ = ["OwnLoop", "ThreadExecutor"]


class _Stopped(BaseException):
    """What a call is told whose function nobody waits for any more."""


class OwnLoop:
    """An awaitable of the caller's, run in an event loop of its own by the thread that calls this."""

    def __init__(self, awaitable: Awaitable[Any]) -> None:
        self._awaitable = awaitable
        self._stop: Callable[[], object] | None = None
        self._cancelled = False

    def __call__(self) -> Any:
        import asyncio  # only tools that are async need it

        async def main() -> Box:
            loop, task = asyncio.get_running_loop(), asyncio.current_task()
            assert task is not None
            self._stop = lambda: loop.call_soon_threadsafe(task.cancel)
            if self._cancelled:
                task.cancel()
            return await boxed_await(self._awaitable)

        box = asyncio.run(main())
        if box.error is not None:
            raise box.error
        return box.value

    def cancel(self) -> None:
        """Cancel it, from another thread."""
        self._cancelled = True
        if self._stop is not None:
            with contextlib.suppress(RuntimeError):  # its loop is closed: it has ended
                self._stop()
        elif iscoroutine(self._awaitable):
            with contextlib.suppress(RuntimeError, ValueError):  # it is just beginning
                self._awaitable.close()


class _InThread:
    """Awaited by a call: gives the function to whoever drives the call, and comes back with its outcome."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function

    def __await__(self) -> Generator[Callable[[], Any], Box, Box]:
        return (yield self._function)


class _Driven:
    """One call, driven in the run's own thread."""

    def __init__(self, executor: ThreadExecutor, coroutine: Coroutine[Callable[[], Any], Box | None, None]) -> None:
        self._executor = executor
        self._coroutine = coroutine
        self._job: Job | None = None
        self._function: Callable[[], Any] | None = None

    def step(self, box: Box | None) -> None:
        """Go on with the outcome of its function."""
        try:
            function = self._coroutine.send(box)
        except StopIteration:
            return
        self._function = function
        context = contextvars.copy_context()
        executor = self._executor
        job = Job(lambda: context.run(function), lambda box: executor.post(lambda: self._end(job, box)), executor.left)
        self._job = job
        start(job)

    def _end(self, job: Job, box: Box) -> None:
        if self._job is job:
            self._job = None
            self.step(box)

    def cancel(self) -> None:
        """Leave its function behind."""
        job, self._job = self._job, None
        if job is not None:
            job.abandon()
            if isinstance(self._function, OwnLoop):
                self._function.cancel()
            self.step(Box(error=_Stopped()))


class ThreadExecutor:
    """The executor of one run. Made in the run's own thread."""

    def __init__(self) -> None:
        self._posted: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self.left = LeftBehind()
        """The functions that go on although nobody waits for them."""

    @property
    def cancellations(self) -> tuple[type[BaseException], ...]:
        """See `Executor`."""
        return (_Stopped, *cancellations())

    def now(self) -> float:
        """Seconds."""
        return time.monotonic()

    def full(self, most: int) -> bool:
        """See `Executor`."""
        return self.left.full(most)

    def start(self, execution: Execution) -> None:
        """Begin a call."""
        driven = _Driven(self, execution.run(self))
        execution.cancel = driven.cancel
        driven.step(None)

    async def in_thread(self, function: Callable[[], Any]) -> Box:
        """Call a function in a worker thread."""
        return await _InThread(function)

    async def settle(self, awaitable: Awaitable[Any]) -> Box:
        """Wait for what a tool has returned: a worker thread runs it in an event loop (asyncio) of its own."""
        return await _InThread(OwnLoop(awaitable))

    def notify(self) -> None:
        """End a wait, or the next one. From any thread."""
        self._posted.put(None)

    def post(self, function: Callable[[], None]) -> None:
        """Call a function in the run's own thread while it waits. From any thread."""
        self._posted.put(function)

    async def wait(self, until: float | None) -> None:
        """Wait until somebody notifies, or until then."""
        while True:
            seconds = None if until is None else max(0.0, min(until - self.now(), TIMEOUT_MAX))
            try:
                function = self._posted.get(timeout=seconds)
            except Empty:
                return
            if function is None:
                return
            function()

    async def stop(self) -> None:
        """Nothing has to be waited for: what was cancelled has ended or was left behind."""

    def log(self, words: str, error: BaseException | None) -> None:
        """Write to the log at WARNING."""
        log_failure("sansio_claude.sync", words, error)
