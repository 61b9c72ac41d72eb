"""Worker threads for tools: the library's own, so that no tool waits for others' work and none delays a name lookup.

Threads are daemons, reused while they are idle for at most `IDLE` seconds, and as many as jobs run at once; how many
may run is the run's affair (`concurrency`). A job cannot be stopped. One whose caller does not wait any more is left
behind: it is counted until it ends, so that there can be a limit. What it returns or raises then is dropped: its call
was answered when it was left behind, and the API takes one result for a call. A tool whose late result matters stores
it itself; a run that is gone on with can be given it by `ToolLoop.receive_result`.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from inspect import iscoroutine
from typing import Final

from sansio_claude.tools._outcome import Box, boxed

__all__ = ["MOST_LEFT_BEHIND", "Job", "LeftBehind", "start"]

IDLE: Final = 10.0  # seconds that a thread without a job is kept
MOST_LEFT_BEHIND: Final = 256
"""How many jobs of the whole process may go on although nobody waits for them."""

_lock = threading.Lock()
_idle: list[queue.SimpleQueue[Job]] = []  # the queues of the threads that wait, the latest last
_all_left = 0


class LeftBehind:
    """The jobs of one run that go on although nobody waits for them."""

    def __init__(self) -> None:
        self.count = 0

    def full(self, most: int) -> bool:
        """Whether there are `most` of this run, or too many of the process."""
        return self.count >= most or _all_left >= MOST_LEFT_BEHIND


class Job:
    """One function for a thread. `done` is called in that thread with what it returned or raised, unless the job was
    abandoned. A job that is abandoned before it begins never begins."""

    def __init__(self, function: Callable[[], object], done: Callable[[Box], None], left: LeftBehind) -> None:
        self._function = function
        self._done = done
        self._left = left
        self._state = "new"

    def run(self) -> None:
        """Do it, in this thread. Never raises what the function raises."""
        with _lock:
            if self._state != "new":
                return
            self._state = "running"
        box = boxed(self._function)
        with _lock:
            abandoned, self._state = self._state == "abandoned", "over"
            if abandoned:
                self._count(-1)
        if not abandoned:
            self._done(box)
        elif iscoroutine(box.value):
            box.value.close()  # nobody will wait for it

    def fail(self, error: Exception) -> None:
        """It cannot be run: `error` is its outcome."""
        with _lock:
            waits, self._state = self._state == "new", "over"
        if waits:
            self._done(Box(error=error))

    def abandon(self) -> None:
        """Do not wait for it any more. From any thread, any number of times."""
        with _lock:
            if self._state == "running":
                self._count(1)
            if self._state in ("new", "running"):
                self._state = "abandoned" if self._state == "running" else "over"

    def _count(self, by: int) -> None:
        global _all_left
        self._left.count += by
        _all_left += by


def start(job: Job) -> None:
    """Run a job in a worker thread, at once. Where there can be no other thread, the job fails."""
    with _lock:
        waiting = _idle.pop() if _idle else None
    if waiting is not None:
        waiting.put(job)
        return
    try:
        threading.Thread(target=_work, args=(job,), name="sansio_claude tool", daemon=True).start()
    except RuntimeError as error:  # the system has no thread for it
        job.fail(error)


def _work(job: Job | None) -> None:
    jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
    while job is not None:
        job.run()
        job = None  # what it holds is free while the thread waits
        with _lock:
            _idle.append(jobs)
        try:
            job = jobs.get(timeout=IDLE)
        except queue.Empty:
            with _lock:
                if jobs in _idle:
                    _idle.remove(jobs)
                    return
            job = jobs.get()  # it was given one at the last moment


def _forget_all() -> None:
    """In a child process there are no threads of the parent, and its lock may be held by one of them."""
    global _lock, _all_left
    _lock = threading.Lock()
    _idle.clear()
    _all_left = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
