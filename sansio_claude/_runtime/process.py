"""What belongs to the process: its clock, chance and log, and what tells threads and processes apart."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from sansio_claude._client.runtime import Runtime

if TYPE_CHECKING:
    from sansio_claude._call.loop import Adapter
    from sansio_claude.tools._run import MakeExecutor

__all__ = ["THIS_PROCESS", "ProcessHome", "process_lock", "runtime_of"]


_locks: Final[WeakSet[threading.Lock]] = WeakSet()


def process_lock() -> threading.Lock:
    """A lock that is free in a child process, whatever a thread of the parent held when it forked.

    The interpreter's own, not a class around it: in between Ctrl-C could leave it taken for ever.
    """
    lock = threading.Lock()
    _locks.add(lock)
    return lock


def _free_all() -> None:
    for lock in _locks:
        lock._at_fork_reinit()  # type: ignore[attr-defined]  # what the logging of the standard library does


class _ThisProcess:
    """Knows the number of this process without asking the system, which takes as long as a call of ten lines."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.learn()

    def learn(self) -> None:
        self.number = os.getpid()


THIS_PROCESS: Final = _ThisProcess()
"""Its `number` is that of this process, also in a child that `os.fork` has made."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_free_all)
    os.register_at_fork(after_in_child=THIS_PROCESS.learn)


class ProcessHome:
    """This process as the home of connections, for an adapter without an event loop; the others add theirs.

    It asks the system, once for each call: a program that is forked by another one's hand, without a word to Python,
    must not share connections either.
    """

    __slots__ = ("process",)

    def __init__(self) -> None:
        self.process = os.getpid()

    @property
    def over(self) -> bool:
        """Whether this is another process."""
        return self.process != os.getpid()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.process == self.process

    def __hash__(self) -> int:
        return hash(self.process)


def runtime_of(name: str, adapter: Adapter, *, executor: MakeExecutor) -> Runtime:
    """The `Runtime` of the adapter whose module is `name`."""
    logger = logging.getLogger(name)
    return Runtime(
        name=name,
        adapter=adapter,
        executor=executor,
        wall=time.time,
        chance=random.random,
        debugging=lambda: logger.isEnabledFor(logging.DEBUG),
        debug=logger.debug,
        lock=process_lock,
    )
