"""Runs each file of examples/embed against a replay server: the text that came, and the message or the error."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import runpy
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias
from unittest import mock

import attrs
import django.conf
import httpx
import urllib3

from examples.embed import (
    aiohttp_async,
    django_view,
    http_client,
    httpx_async,
    httpx_sync,
    raw_socket,
    requests_sync,
    thread,
    urllib3_sync,
)
from sansio_claude._call.retry import RetryPolicy
from sansio_claude._message.message import Message
from sansio_claude._request.endpoint import Endpoint
from sansio_claude._request.request import MessageRequest
from sansio_claude._stream.events import Event, MessageStop
from sansio_claude._stream.text import text_of
from sansio_claude.sync import Client

FOLDER = Path(__file__).parents[2] / "examples" / "embed"

__all__ = ["EMBEDS", "REQUEST", "Embed", "Got"]

REQUEST = MessageRequest(model="claude-opus-5-5", max_tokens=100, messages=[{"role": "user", "content": "Hello"}])


@attrs.define
class Got:
    """What an embedding gave: the text, and the message where it has one."""

    text: str
    message: Message | None = None


Embed: TypeAlias = Callable[[Endpoint, MessageRequest], Got]


def _printed(ask: Callable[[], Message]) -> Got:
    out = _Out()
    with contextlib.redirect_stdout(out):
        message = ask()
    return Got(out.text, message)


class _Out:
    """Collects what is printed."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


def _iterated(events: Iterable[Event]) -> Got:
    seen = list(events)
    last = seen[-1]
    return Got("".join(map(text_of, seen)), last.message if isinstance(last, MessageStop) else None)


CONTEXT = ssl.create_default_context()  # making one takes longer than all else here


def _httpx(endpoint: Endpoint, request: MessageRequest) -> Got:
    with httpx.Client(timeout=60, verify=CONTEXT) as client:
        return _printed(lambda: httpx_sync.ask(client, endpoint, request))


def _httpx_async(endpoint: Endpoint, request: MessageRequest) -> Got:
    async def ask() -> Message:
        async with httpx.AsyncClient(timeout=60, verify=CONTEXT) as client:
            return await httpx_async.ask(client, endpoint, request)

    return _printed(lambda: asyncio.run(ask()))


def _urllib3(endpoint: Endpoint, request: MessageRequest) -> Got:
    with urllib3.PoolManager() as pool:
        return _printed(lambda: urllib3_sync.ask(pool, endpoint, request))


def _http_client(endpoint: Endpoint, request: MessageRequest) -> Got:
    with contextlib.closing(http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=60)) as connection:
        return _printed(lambda: http_client.ask(connection, endpoint, request))


def _raw_socket(endpoint: Endpoint, request: MessageRequest) -> Got:
    with socket.create_connection((endpoint.host, endpoint.port), timeout=60) as sock:
        return _iterated(raw_socket.ask(sock, endpoint, request))


def _django(endpoint: Endpoint, request: MessageRequest) -> Got:
    if not django.conf.settings.configured:
        django.conf.settings.configure()
    response = django_view.answer(endpoint, request)
    with contextlib.closing(response):
        pieces: Iterator[Any] = iter(response)
        return Got(b"".join(pieces).decode())


def _thread(endpoint: Endpoint, request: MessageRequest) -> Got:
    with ThreadPoolExecutor(1) as pool, Client(endpoint, retry=RetryPolicy(max_retries=0)) as client:
        message = thread.ask(pool, client, request).result()
        return Got(message.text, message)


def _notebook(endpoint: Endpoint, request: MessageRequest) -> Got:
    """As in a notebook: an event loop is running already, where asyncio.run would refuse."""
    url = endpoint.url.removesuffix("/v1/messages")
    environ = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": str(endpoint.api_key)}
    out = _Out()

    async def cell() -> None:
        with mock.patch.dict(os.environ, environ), contextlib.redirect_stdout(out):
            runpy.run_path(str(FOLDER / "notebook.py"))

    asyncio.run(cell())
    return Got(out.text)


EMBEDS: dict[str, Embed] = {
    "httpx_sync": _httpx,
    "httpx_async": _httpx_async,
    "requests_sync": lambda endpoint, request: _printed(lambda: requests_sync.ask(endpoint, request)),
    "urllib3_sync": _urllib3,
    "aiohttp_async": lambda endpoint, request: _printed(lambda: asyncio.run(aiohttp_async.ask(endpoint, request))),
    "http_client": _http_client,
    "raw_socket": _raw_socket,
    "django_view": _django,
    "thread": _thread,
    "notebook": _notebook,
}
