"""One streaming request with this library, for `sansio-claude faults report -- python examples/clients/ours.py`."""

import asyncio
import os

from sansio_claude import Endpoint, RetryPolicy, Timeouts
from sansio_claude.asyncio import Client


async def main() -> None:
    timeouts = Timeouts(first_byte=2, idle=2, progress=2, total=8)
    async with (
        Client(Endpoint.from_env(os.environ), timeouts=timeouts, retry=RetryPolicy(initial=0.05)) as client,
        client.stream(
            model="claude-opus-5-5", max_tokens=100, messages=[{"role": "user", "content": "Hello"}]
        ) as stream,
    ):
        async for text in stream.text():
            print(text, end="", flush=True)


asyncio.run(main())
