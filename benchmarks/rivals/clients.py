"""The other HTTP clients, end to end, each with the settings its own documentation calls fastest."""

from __future__ import annotations

import ssl
from typing import Any, Literal

from benchmarks.rivals.contest import ASK, HEADERS, Target, Watch
from benchmarks.rivals.hand import context_of

__all__ = ["AiohttpClient", "SDKClient"]


class AiohttpClient:
    """aiohttp with a hand-written loop: bytes as they come, split on blank lines, orjson."""

    async def start(self, target: Target) -> None:
        import aiohttp
        import orjson

        self._loads = orjson.loads
        context: ssl.SSLContext | Literal[True] = context_of(target) or True
        connector = aiohttp.TCPConnector(limit=0, ssl=context)
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers=dict(HEADERS),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        )
        self._url = target.base_url + "/v1/messages"
        self._body = orjson.dumps(ASK | {"stream": True})

    async def call(self, watch: Watch) -> None:
        loads, text = self._loads, watch.text
        rest, begun = b"", False
        blocks: list[list[str]] = []
        async with self._session.post(self._url, data=self._body) as response:
            async for data in response.content.iter_any():
                frames = (rest + data).split(b"\n\n")
                rest = frames.pop()
                for frame in frames:
                    event = loads(frame[frame.find(b"{") :])
                    kind = event["type"]
                    if kind == "content_block_delta":
                        delta = event["delta"]
                        if delta["type"] == "text_delta":
                            blocks[event["index"]].append(delta["text"])
                            text(delta["text"])
                    elif kind == "content_block_start":
                        blocks.append([])
                    elif not begun:
                        begun = True
                        watch.begun()
        self.texts = ["".join(pieces) for pieces in blocks]

    async def close(self) -> None:
        await self._session.close()


class SDKClient:
    """AsyncAnthropic: `.stream()` with the accumulated message, or `create(stream=True)`."""

    def __init__(self, *, accumulate: bool = True, transport: Literal["httpx", "aiohttp"] = "httpx") -> None:
        self._accumulate = accumulate
        self._transport = transport

    async def start(self, target: Target) -> None:
        import anthropic

        context = context_of(target)
        settings: dict[str, Any] = {"timeout": 600.0}
        if context is not None:
            settings["verify"] = context
        http: Any
        if self._transport == "aiohttp":
            http = anthropic.DefaultAioHttpClient(**settings)
        else:
            import httpx2

            settings["limits"] = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
            http = anthropic.DefaultAsyncHttpxClient(**settings)
        self._client = anthropic.AsyncAnthropic(
            api_key="none", base_url=target.base_url, max_retries=0, http_client=http, timeout=600.0
        )

    async def call(self, watch: Watch) -> None:
        if self._accumulate:
            async with self._client.messages.stream(**ASK) as stream:
                await self._consume(stream, watch)
                await stream.get_final_message()
        else:
            await self._consume(await self._client.messages.create(stream=True, **ASK), watch)

    async def _consume(self, events: Any, watch: Watch) -> None:
        text, begun = watch.text, False
        async for event in events:
            kind = event.type
            if kind == "content_block_delta":
                if event.delta.type == "text_delta":
                    text(event.delta.text)
            elif not begun:
                begun = True
                watch.begun()

    async def close(self) -> None:
        await self._client.close()
