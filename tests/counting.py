"""How much work a piece of code does, counted and not timed, so that "linear" can be tested without a clock."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

__all__ = ["calls", "growth", "work"]

_LOCAL = frozenset({"find", "rfind", "startswith", "endswith"})


def work(action: Callable[[], object]) -> int:
    """Calls made by `action`, plus the sizes of all text and bytes that were handed to a function or whose method
    was called. What is scanned, split or joined again and again shows here as often.

    Methods that look at one place, or from one place on as far as they must, count as a call alone.
    """
    total = 0

    def count(frame: FrameType, event: str, arg: Any) -> None:
        nonlocal total
        if event == "call":
            total += 1
            code = frame.f_code
            values = [frame.f_locals.get(name) for name in code.co_varnames[: code.co_argcount]]
        elif event == "c_call":
            total += 1
            values = [] if arg.__name__ in _LOCAL else [getattr(arg, "__self__", None)]
        else:
            return
        for value in values:
            if isinstance(value, (bytes, str, bytearray)):
                total += len(value)

    _profiled(action, count)
    return total


def calls(action: Callable[[], object]) -> int:
    """Calls of Python functions made by `action`, without the call of itself; calls of built-in functions are none."""
    total = -1

    def count(frame: FrameType, event: str, arg: Any) -> None:
        nonlocal total
        total += event == "call"

    _profiled(action, count)
    return total


def _profiled(action: Callable[[], object], count: Callable[[FrameType, str, Any], None]) -> None:
    before = sys.getprofile()
    collected = gc.isenabled()
    gc.disable()  # a collection may fall into the action, and callbacks of gc are calls, too
    sys.setprofile(count)
    try:
        action()
    finally:
        sys.setprofile(before)
        if collected:
            gc.enable()


def growth(action: Callable[[int], Callable[[], object]], *, size: int, times: int = 4) -> float:
    """How much more work `action(times * size)` is than `action(size)`, as a share of `times`: 1 is linear.

    The action runs once before: what is remembered once and for all is no part of either, in any order of the tests.
    """
    action(size)()
    return work(action(times * size)) / work(action(size)) / times
