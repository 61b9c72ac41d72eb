"""The example proxies, each run in a thread of its own; and a client that sees every byte of a body."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from aiohttp import web
from attrs import define

from examples import proxy_aiohttp, proxy_starlette

__all__ = ["ASK", "PROXIES", "Got", "get"]

ASK: dict[str, Any] = {
    "model": "m",
    "max_tokens": 10,
    "stream": True,
    "messages": [{"role": "user", "content": "Hi"}],
}


def _listening() -> socket.socket:
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    return listening


@contextmanager
def starlette(upstream: str) -> Iterator[int]:
    """The proxy on Starlette; its port."""
    app = proxy_starlette.make_app(upstream)
    server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_config=None, timeout_graceful_shutdown=5))
    listening = _listening()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@contextmanager
def aiohttp(upstream: str) -> Iterator[int]:
    """The proxy on aiohttp; its port."""
    listening = _listening()
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        runner = web.AppRunner(
            proxy_aiohttp.make_app(upstream), handler_cancellation=True, access_log=None, shutdown_timeout=5
        )
        await runner.setup()
        await web.SockSite(runner, listening).start()
        await over.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
        listening.close()


PROXIES: dict[str, Callable[[str], Any]] = {"starlette": starlette, "aiohttp": aiohttp}


@define
class Got:
    """What a client got: the status, the body, and whether it ended as its framing says."""

    status: int
    body: bytes
    whole: bool


def get(port: int, body: dict[str, Any] | None = None, path: str = "/v1/messages") -> Got:
    """One request to 127.0.0.1, its answer read to the end."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        headers = {"content-type": "application/json", "x-api-key": "sk-ant-secret"}
        connection.request("POST", path, json.dumps(body or ASK), headers)
        answer = connection.getresponse()
        received = b""
        try:
            while data := answer.read1(65_536):
                received += data
        except (http.client.IncompleteRead, OSError) as error:
            received += getattr(error, "partial", b"")
            return Got(answer.status, received, False)
        return Got(answer.status, received, True)
    finally:
        connection.close()
