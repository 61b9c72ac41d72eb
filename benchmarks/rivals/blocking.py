"""Blocking clients under measurement. Their `call` never suspends, so the worker drives it without an event loop."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from typing import Any

from benchmarks.rivals.contest import ASK, HEADERS, Target, Watch
from benchmarks.rivals.floors import BlockDelta, TextDelta
from benchmarks.rivals.hand import READ_SIZE, Exchange, request_bytes

__all__ = ["HandClient", "HttpxClient", "OurClient", "RequestsClient", "SDKClient"]


class OurClient:
    """`sansio_claude.sync.Client`, every event looked at, the final message asked for."""

    async def start(self, target: Target) -> None:
        from sansio_claude import Endpoint, RetryPolicy
        from sansio_claude import TextDelta as OurTextDelta
        from sansio_claude.sync import Client

        self._text_delta = OurTextDelta
        endpoint = Endpoint.from_base_url(target.base_url, api_key="none")
        self._client = Client(endpoint, retry=RetryPolicy(max_retries=0), max_connections=10_000)
        self._client.__enter__()

    async def call(self, watch: Watch) -> None:
        text, text_delta, begun = watch.text, self._text_delta, False
        with self._client.stream(**ASK) as stream:
            for event in stream:
                if type(event) is text_delta:
                    text(event.text)
                elif not begun:
                    begun = True
                    watch.begun()
            stream.final_message()

    async def close(self) -> None:
        self._client.__exit__(None, None, None)


class HandClient:
    """By hand: one blocking socket a connection, one recv a read, nothing bounded and no deadline."""

    async def start(self, target: Target) -> None:
        self._target = target
        self._idle: list[socket.socket] = []

    async def call(self, watch: Watch) -> None:
        sock = self._idle.pop() if self._idle else socket.create_connection(("127.0.0.1", self._target.port))
        state, request = request_bytes(self._target)
        exchange = Exchange(state)
        sock.sendall(request)
        text, begun = watch.text, False
        recv = sock.recv
        while not exchange.done:
            for event in exchange.receive(recv(READ_SIZE)):
                if type(event) is BlockDelta and type(event.delta) is TextDelta:
                    text(event.delta.text)
                elif not begun:
                    begun = True
                    watch.begun()
        self._idle.append(sock)

    async def close(self) -> None:
        for sock in self._idle:
            sock.close()
        self._idle.clear()


class SDKClient:
    """`Anthropic().messages.stream()`, with the accumulated message."""

    async def start(self, target: Target) -> None:
        import anthropic

        self._client = anthropic.Anthropic(api_key="none", base_url=target.base_url, max_retries=0, timeout=600.0)

    async def call(self, watch: Watch) -> None:
        text, begun = watch.text, False
        with self._client.messages.stream(**ASK) as stream:
            for event in stream:
                if event.type == "content_block_delta":
                    if event.delta.type == "text_delta":
                        text(event.delta.text)
                elif not begun:
                    begun = True
                    watch.begun()
            stream.get_final_message()

    async def close(self) -> None:
        self._client.close()


def _read(reads: Iterable[bytes], watch: Watch) -> None:
    """The loop that one writes by hand over a library's bytes: split on blank lines, the standard library's JSON."""
    rest, begun, text = b"", False, watch.text
    for data in reads:
        frames = (rest + data).split(b"\n\n")
        rest = frames.pop()
        for frame in frames:
            event = json.loads(frame[frame.find(b"{") :])
            if event["type"] == "content_block_delta":
                if event["delta"]["type"] == "text_delta":
                    text(event["delta"]["text"])
            elif not begun:
                begun = True
                watch.begun()


class RequestsClient:
    """requests with a session, and a loop by hand over `iter_content(None)`."""

    async def start(self, target: Target) -> None:
        import requests

        self._session: Any = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(dict(HEADERS))
        self._url = target.base_url + "/v1/messages"
        self._body = json.dumps(ASK | {"stream": True}).encode()

    async def call(self, watch: Watch) -> None:
        with self._session.post(self._url, data=self._body, stream=True) as response:
            _read(response.iter_content(None), watch)

    async def close(self) -> None:
        self._session.close()


class HttpxClient:
    """httpx with a client, and a loop by hand over `iter_raw()`."""

    async def start(self, target: Target) -> None:
        import httpx

        self._client: Any = httpx.Client(headers=dict(HEADERS), timeout=600.0, trust_env=False)
        self._url = target.base_url + "/v1/messages"
        self._body = json.dumps(ASK | {"stream": True}).encode()

    async def call(self, watch: Watch) -> None:
        with self._client.stream("POST", self._url, content=self._body) as response:
            _read(response.iter_raw(), watch)

    async def close(self) -> None:
        self._client.close()
