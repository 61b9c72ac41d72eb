"""How the calls of one answer are run at once on trio: a nursery that lasts until every call has its result."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import Any, Final

import trio

from sansio_claude.tools._calls import RunTools, ToolCall
from sansio_claude.tools._loop import ToolLoop

__all__ = ["run_calls"]

logger: Final = logging.getLogger("sansio_claude.trio")


async def run_calls(loop: ToolLoop, calls: tuple[ToolCall, ...]) -> None:
    """Run the calls, and those that the loop hands out when they end, until none is left.

    Cancelling it cancels them. A function in a thread cannot be cancelled and is waited for, so that nothing is left
    running; its result is kept in the loop.
    """
    try:
        async with trio.open_nursery() as nursery:
            for call in calls:
                nursery.start_soon(_run_call, loop, call, nursery)
    except BaseExceptionGroup as group:
        # What a tool may raise is a result, so these are Cancelled and the like: one says all.
        raise _first(group) from None


async def _run_call(loop: ToolLoop, call: ToolCall, nursery: trio.Nursery) -> None:
    await trio.lowlevel.checkpoint_if_cancelled()  # nothing is begun once the caller is cancelled
    try:
        value: Any
        if call.thread:
            (value,) = await trio.to_thread.run_sync(_boxed, call)
        else:
            value = call.start()
        if isinstance(value, Awaitable):
            value = await value
    except Exception as error:
        logger.info("the tool %s raised %s", call.name, type(error).__name__)
        loop.receive_error(call.id, error)
    else:
        loop.receive_result(call.id, value)
    action = loop.next_action()
    if isinstance(action, RunTools):
        for more in action.calls:
            nursery.start_soon(_run_call, loop, more, nursery)


def _boxed(call: ToolCall) -> tuple[Any]:
    # trio takes a function that gives an awaitable for a mistake; here it is none.
    return (call.start(),)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The exception that says most: one that is no Cancelled, if there is one."""
    found: list[BaseException] = []
    waiting: list[BaseException] = [group]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseExceptionGroup):
            waiting.extend(one.exceptions)
        else:
            found.append(one)
    return next((one for one in found if not isinstance(one, trio.Cancelled)), found[0])
