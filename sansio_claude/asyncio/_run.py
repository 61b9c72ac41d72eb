"""How the calls of one answer are run at once on asyncio: a TaskGroup that lasts until every call has its result."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Coroutine
from typing import Any, Final

from sansio_claude.tools._calls import RunTools, ToolCall
from sansio_claude.tools._loop import ToolLoop

__all__ = ["run_calls"]

logger: Final = logging.getLogger("sansio_claude.asyncio")


async def run_calls(loop: ToolLoop, calls: tuple[ToolCall, ...]) -> None:
    """Run the calls, and those that the loop hands out when they end, until none is left.

    Cancelling it cancels them. A function in a thread cannot be cancelled and is waited for, so that nothing is left
    running; its result is kept in the loop.
    """
    try:
        async with asyncio.TaskGroup() as group:
            for call in calls:
                group.create_task(_run_call(loop, call, group))
    except BaseExceptionGroup as errors:
        # What a tool may raise is a result, so these are neither Exception nor cancellation: the first says all.
        raise errors.exceptions[0] from None


async def _run_call(loop: ToolLoop, call: ToolCall, group: asyncio.TaskGroup) -> None:
    try:
        value: Any
        if call.thread:
            value = await _in_thread(loop, call)
        else:
            value = call.start()
        if isinstance(value, Awaitable):
            value = await value
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        # Nobody cancelled the call: the tool waited for something that was cancelled, which is its own failure.
        loop.receive_error(call.id, error)
    except Exception as error:
        logger.info("the tool %s raised %s", call.name, type(error).__name__)
        loop.receive_error(call.id, error)
    else:
        loop.receive_result(call.id, value)
    action = loop.next_action()
    if isinstance(action, RunTools):
        for more in action.calls:
            group.create_task(_run_call(loop, more, group))


async def _in_thread(loop: ToolLoop, call: ToolCall) -> Any:
    """Start the call in a worker thread. A cancellation waits until the function has come to its end."""
    context = contextvars.copy_context()
    future = asyncio.get_running_loop().run_in_executor(None, context.run, call.start)
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return future.result()
    # The function has run, whatever became of its caller: what it did belongs into the history.
    failure = future.exception()
    if failure is not None:
        loop.receive_error(call.id, failure)
    elif isinstance(coroutine := future.result(), Coroutine):
        coroutine.close()
    else:
        loop.receive_result(call.id, future.result())
    raise cancelled
