"""What belongs to the process: its clock, chance and log, and what tells threads and processes apart."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from typing import TYPE_CHECKING

from sansio_claude._client.runtime import Runtime

if TYPE_CHECKING:
    from sansio_claude._call.loop import Adapter
    from sansio_claude.tools._run import MakeExecutor

__all__ = ["ProcessHome", "ProcessLock", "runtime_of"]


class ProcessLock:
    """A lock that is free in a child process, whatever a thread of the parent held when it forked."""

    __slots__ = ("_lock", "_process")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = os.getpid()

    def acquire(self, blocking: bool = True) -> bool:
        """Take it; False where it is taken already and `blocking` is False."""
        if self._process != os.getpid():
            self.__init__()  # type: ignore[misc]  # the parent's threads are not here
        return self._lock.acquire(blocking)

    def release(self) -> None:
        """Give it back."""
        self._lock.release()


class ProcessHome:
    """This process as the home of connections, for an adapter without an event loop; the others add theirs."""

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
        lock=ProcessLock,
    )
