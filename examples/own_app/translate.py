"""The program: translates lines, several at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sansio_claude import Endpoint, RateLimitError, RetryPolicy
from sansio_claude.asyncio import Client

__all__ = ["translated"]


async def translated(
    lines: Sequence[str], language: str, endpoint: Endpoint, retry: RetryPolicy | None = None
) -> list[str]:
    """The lines in another language; a line stays as it is where the limits of the account do not allow more."""

    async def one(line: str) -> str:
        try:
            message = await client.create(
                model="claude-haiku-4-5",
                max_tokens=1024,
                system=f"Translate into {language}. Answer with the translation alone.",
                messages=[{"role": "user", "content": line}],
            )
        except RateLimitError:
            return line
        return message.text

    async with Client(endpoint, retry=retry) as client:
        return list(await asyncio.gather(*map(one, lines)))
