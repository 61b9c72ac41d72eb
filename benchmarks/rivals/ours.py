"""This library's clients under measurement, as its users write them."""

from __future__ import annotations

import importlib
from typing import Any, Literal

from benchmarks.rivals.contest import ASK, Target, Watch
from benchmarks.rivals.hand import context_of
from sansio_claude import TextDelta

__all__ = ["OurClient"]


class OurClient:
    """`client.stream(...)`, every event looked at, the final message asked for; on either loop."""

    def __init__(self, loop: Literal["asyncio", "trio"]) -> None:
        self._adapter = importlib.import_module(f"sansio_claude.{loop}")

    async def start(self, target: Target) -> None:
        from sansio_claude import Endpoint, RetryPolicy

        endpoint = Endpoint.from_base_url(target.base_url, api_key="none")
        self._client: Any = self._adapter.Client(
            endpoint,
            retry=RetryPolicy(max_retries=0),
            max_connections=10_000,
            ssl_context=context_of(target),
        )
        await self._client.__aenter__()

    async def call(self, watch: Watch) -> None:
        text = watch.text
        async with self._client.stream(**ASK) as stream:
            begun = False
            async for event in stream:
                if type(event) is TextDelta:
                    text(event.text)
                elif not begun:
                    begun = True
                    watch.begun()
            await stream.final_message()

    async def close(self) -> None:
        await self._client.__aexit__(None, None, None)
