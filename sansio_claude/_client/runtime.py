"""What an adapter brings to the client: its event loop's part, and the clock, chance and log of the process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sansio_claude._call.loop import Adapter
    from sansio_claude._call.pool import Lock
    from sansio_claude.tools._run import MakeExecutor

__all__ = ["Runtime"]


class Runtime(NamedTuple):
    """What an adapter brings of its event loop and of the process."""

    name: str
    """The adapter's module, which is also the name of its logger."""
    adapter: Adapter
    """The clock, wakeups and connections."""
    executor: MakeExecutor
    """Makes what begins the calls of one run; see `tools._execution.Executor`."""
    wall: Callable[[], float]
    """Seconds since 1970."""
    chance: Callable[[], float]
    """A number from 0 up to 1, which spreads retries in time."""
    debugging: Callable[[], bool]
    """Whether anybody reads the log at level DEBUG."""
    debug: Callable[[str, object], None]
    """Writes one line of the log at level DEBUG: a format and its argument."""
    lock: Callable[[], Lock]
    """Makes the lock of a pool."""
