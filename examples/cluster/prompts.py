"""Many prompts as tasks of a cluster, under one rate limit: `client.submit(answer_prompts, numbers)`.

A task asks some prompts at once. Before each request it needs a grant of the gate that the scheduler keeps; what the
answers say of the limit goes back there. Refusals for now are asked again, answers that broke off are gone on with, and
each answer is recorded: a task that is started again asks only what has no recorded answer.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from examples.cluster.agents import die_if_doomed
from examples.cluster.book import Page
from sansio_claude import (
    APIError,
    ClaudeError,
    Continuation,
    Endpoint,
    NoContinuation,
    RateLimitError,
    RateLimits,
    RetryPolicy,
    TransportError,
    TruncatedError,
    continuation,
)
from sansio_claude.asyncio import Client

__all__ = ["answer_prompts"]

AT_ONCE = 32  # requests under way on one worker
_BATCH = 16  # grants that are asked for, and answers that are recorded, in one message to the scheduler
_ATTEMPTS = 10


def answer_prompts(numbers: Sequence[int]) -> int:
    """Ask the prompts with these numbers that have no recorded answer: how many that were."""
    page = Page()
    todo = page.unanswered(numbers=list(numbers))
    asyncio.run(_answer_all(page, todo))
    return len(todo)


async def _answer_all(page: Page, numbers: Sequence[int]) -> None:
    grants = _Grants(page)
    room = asyncio.Semaphore(AT_ONCE)
    done: list[tuple[int, str]] = []

    async def answer(number: int) -> None:
        async with room:
            request = {
                "model": "claude-opus-5-5",
                "max_tokens": 1024,
                "messages": [{"role": "user", "content": f"Prompt {number}"}],
            }
            done.append((number, await _ask(client, grants, request, _ATTEMPTS)))
        if len(done) >= _BATCH:
            await record()

    async def record() -> None:
        batch, done[:] = done[:], []
        await asyncio.to_thread(page.record_answers, answers=batch)
        for number, _ in batch:
            die_if_doomed(page, f"prompt {number}")

    # Each retry needs a grant, so they are made here and not by the client.
    endpoint = Endpoint.from_env(os.environ)
    async with Client(endpoint, retry=RetryPolicy(max_retries=0), max_connections=AT_ONCE) as client:
        try:
            async with asyncio.TaskGroup() as group:
                for number in numbers:
                    group.create_task(answer(number))
        finally:
            await record()
            await grants.close()


async def _ask(client: Client, grants: _Grants, request: dict[str, Any], attempts: int) -> str:
    """The whole text of an answer, gone on with where it broke off. Raises ClaudeError after so many attempts."""
    while True:
        await grants.take()
        attempts -= 1
        stream = client.stream(**request)
        try:
            async with stream:
                text = (await stream.final_message()).text
            grants.answered(stream.rate_limits)
            return text
        except ClaudeError as error:
            limits = error.rate_limits if isinstance(error, APIError) else stream.rate_limits
            grants.answered(limits)
            if not attempts or not _may_pass(error):
                raise
            if isinstance(error, RateLimitError):
                await grants.close_gate(error.retry_after)  # for everybody
            elif isinstance(error, APIError):
                await asyncio.sleep(error.retry_after or 0.5)
            match continuation(request, error) if error.partial is not None else None:
                case Continuation() as following:
                    rest = await _ask(client, grants, following.request, attempts)
                    return following.before + following.join(rest)
                case NoContinuation(reason="finished") if error.partial is not None:
                    return error.partial.text  # only the end of the stream was cut off


def _may_pass(error: ClaudeError) -> bool:
    return isinstance(error, TransportError | TruncatedError) or (isinstance(error, APIError) and error.retryable)


class _Grants:
    """The grants that this task holds, asked for some at a time."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._free = 0
        self._answered = 0
        self._told: tuple[int, int, float] | None = None
        self._lock = asyncio.Lock()

    async def take(self) -> None:
        """Wait for a grant."""
        async with self._lock:
            while not self._free:
                await self._report()
                self._free, wait = await asyncio.to_thread(self._page.ask_gate, holder=self._page.holder, wanted=_BATCH)
                await asyncio.sleep(wait)
            self._free -= 1

    def answered(self, limits: RateLimits | None) -> None:
        """A request has its answer, or failed; what its head said of the limit is kept for the next report."""
        self._answered += 1
        told = limits.requests if limits is not None else None
        if told is not None and told.limit is not None and told.remaining is not None and told.reset is not None:
            self._told = (told.limit, told.remaining, (told.reset - datetime.now(UTC)).total_seconds())

    async def close_gate(self, seconds: float | None) -> None:
        """A request was refused because of the limit: nobody sends before the time that the server named."""
        await self._report(closed=seconds)

    async def close(self) -> None:
        """Give back what was not used."""
        unused, self._free = self._free, 0
        await self._report(unused=unused)

    async def _report(self, unused: int = 0, closed: float | None = None) -> None:
        answered, self._answered = self._answered, 0
        told, self._told = self._told, None
        await asyncio.to_thread(
            self._page.tell_gate, holder=self._page.holder, answered=answered, unused=unused, told=told, closed=closed
        )
