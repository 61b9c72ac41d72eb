"""The fault server of a test run, and what must be as before after every test."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Final

import pytest

from tests.adapters.runtimes import LOOPS, SYNC, Runtime
from tests.faults.server import FaultServer

_BEGUN: Final = set[str]()


def open_files() -> int:
    """How many file descriptors this process has, those in uncollected garbage too."""
    return len(os.listdir("/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"))


@pytest.fixture(scope="package")
def server() -> Iterator[FaultServer]:
    """One thread for all scripts."""
    with FaultServer() as running:
        yield running


@pytest.fixture
def runtime(request: pytest.FixtureRequest) -> Runtime:
    """An event loop by name."""
    return next(each for each in (*LOOPS, SYNC) if each.name == request.param)


@pytest.fixture
def nothing_left(runtime: Runtime) -> Iterator[None]:
    """No file descriptor and no thread is left behind."""
    if runtime.name not in _BEGUN:  # some loops open something once and for all
        runtime.run(runtime.sleep, 0)
        _BEGUN.add(runtime.name)
    files, threads = open_files(), set(threading.enumerate())
    yield
    assert open_files() <= files  # without the collector's help
    passing = ("fault server", "Trio", "trio", "look-up")  # the last one ends by itself, and nobody waits for it
    new = {each for each in threading.enumerate() if not each.name.startswith(passing)}
    assert new <= threads
