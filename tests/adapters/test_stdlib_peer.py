"""Both clients against a server that is not ours, the standard library's, read ten bytes at a time."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import trio

import sansio_claude.asyncio
import sansio_claude.asyncio._net
import sansio_claude.trio
import sansio_claude.trio._net
from sansio_claude._errors import TruncatedError
from sansio_claude._request.endpoint import Endpoint
from sansio_claude.testing import Transcript, chunkings, compose

RUNTIMES = ["trio", "asyncio"]
TRANSCRIPT = compose(
    [
        {"type": "thinking", "thinking": "Größe 日本."},
        {"type": "text", "text": "Hello, world! " * 5},
        {"type": "tool_use", "name": "get", "input": {"a": [1, 2.5, None], "b": {"c": "ü"}}},
    ],
    seed=5,
)
ARGUMENTS: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "max_tokens": 1024,
    "messages": [{"role": "user", "content": "Hello"}],
}


class Handler(BaseHTTPRequestHandler):
    """Answers every POST with what the server was given."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.peer.bodies.append(json.loads(body))
        self.peer.answer(self)

    @property
    def peer(self) -> Peer:
        assert isinstance(self.server, Peer)
        return self.server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


class Peer(ThreadingHTTPServer):
    """The standard library's server with an answer and a memory."""

    daemon_threads = True

    def __init__(self, answer: Callable[[Handler], None]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.bodies: list[Any] = []


def chunked(handler: Handler) -> None:
    """Chunks of random sizes, two writes each, the second one with the end of the line."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for chunk in [*chunkings.random(TRANSCRIPT.data, len(handler.peer.bodies), mean=70), b""]:
        handler.wfile.write(f"{len(chunk):X};note=1\r\n".encode())
        handler.wfile.write(chunk + b"\r\n")


def sized(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(TRANSCRIPT.data)))
    handler.end_headers()
    handler.wfile.write(TRANSCRIPT.data)


def until_close(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(TRANSCRIPT.data)


def cut(handler: Handler) -> None:
    """Half of a chunked body, then the end of the connection."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    half = TRANSCRIPT.data[: len(TRANSCRIPT.data) // 2]
    handler.wfile.write(f"{len(half):x}\r\n".encode() + half + b"\r\n")
    handler.close_connection = True


@contextmanager
def serving(answer: Callable[[Handler], None]) -> Iterator[tuple[Peer, str]]:
    with Peer(answer) as peer:
        thread = threading.Thread(target=peer.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield peer, f"http://127.0.0.1:{peer.server_address[1]}"
        finally:
            peer.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def ten_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """No read gives more than ten bytes."""
    monkeypatch.setattr(sansio_claude.trio._net, "BUFFER", 10)
    whole = sansio_claude.asyncio._net.Wire.get_buffer
    monkeypatch.setattr(sansio_claude.asyncio._net.Wire, "get_buffer", lambda self, hint: whole(self, hint)[:10])


def stream(runtime: str, url: str, times: int = 1) -> list[tuple[list[str], dict[str, Any]]]:
    """Event types and message of each of several streams, one after the other, of one client."""

    async def main(client_class: Any) -> list[tuple[list[str], dict[str, Any]]]:
        found = []
        async with client_class(Endpoint.from_base_url(url, api_key="k")) as client:
            for _ in range(times):
                async with client.stream(**ARGUMENTS) as answer:
                    types = [event.type async for event in answer]
                    found.append((types, (await answer.final_message()).to_dict()))
        return found

    if runtime == "trio":
        return trio.run(main, sansio_claude.trio.Client)
    return asyncio.run(main(sansio_claude.asyncio.Client))


def sent(transcript: Transcript) -> list[str]:
    lines = transcript.data.decode().splitlines()
    return [line[7:] for line in lines if line.startswith("event: ")]


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("answer", [chunked, sized, until_close])
def test_the_whole_answer_arrives(runtime: str, answer: Callable[[Handler], None]) -> None:
    with serving(answer) as (peer, url):
        for types, message in stream(runtime, url, times=3):
            assert types == sent(TRANSCRIPT)
            assert message == TRANSCRIPT.message
    assert peer.bodies == [{**ARGUMENTS, "stream": True}] * 3


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_half_an_answer_is_an_error_with_what_had_arrived(runtime: str) -> None:
    with serving(cut) as (_, url), pytest.raises(TruncatedError) as caught:
        stream(runtime, url)
    assert caught.value.partial is not None
    assert caught.value.partial.id == TRANSCRIPT.message["id"]  # type: ignore[index]
