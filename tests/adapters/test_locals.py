"""No secret is a local of a frame that an error leads through: error reporters keep these.

The frames of the library are looked at, on every adapter and for every kind of failure, those of causes too.
"""

from __future__ import annotations

import socket
import time
import traceback
from collections.abc import Callable
from typing import Any

import pytest

import sansio_claude.sync
from sansio_claude._call.retry import RetryPolicy
from sansio_claude._call.timeouts import Timeouts
from sansio_claude._errors import ClaudeError
from sansio_claude._request.endpoint import Endpoint
from tests.adapters.proxies import Socks, socks_server
from tests.adapters.runtimes import LOOPS, Runtime, raw_server, read_request, reset
from tests.certificates import client_context, server_context
from tests.virtual import GOOD, SECRET, refusal

PROMPT = "prompt-nobody-should-see"
PASSWORD = "hunter22-of-the-proxy"
TOKEN = "token-of-a-minute-0815"
ASK: dict[str, Any] = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": PROMPT}]}
LARGE: dict[str, Any] = {**ASK, "messages": [{"role": "user", "content": PROMPT * 200_000}]}


def refusing(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(refusal(400, "invalid_request_error"))


def refusing_tls(connection: socket.socket) -> None:
    with server_context("127.0.0.1").wrap_socket(connection, server_side=True) as secured:
        secured.recv(65536)
        secured.sendall(refusal(400, "invalid_request_error"))


def resetting(connection: socket.socket) -> None:
    connection.recv(10)
    reset(connection)


def cutting(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(GOOD[:200])


def silent(connection: socket.socket) -> None:
    read_request(connection)
    connection.recv(1)


def unsafe(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 2x0 " + SECRET.encode() + b"\r\n\r\n")


HANDLERS: dict[str, Callable[[socket.socket], None]] = {
    "refused": refusing,
    "refused over tls": refusing_tls,
    "reset": resetting,
    "cut": cutting,
    "silent": silent,
    "no http": unsafe,
}


def frames_with(error: BaseException | None, secrets: list[str]) -> list[str]:
    """The frames of the library that have one of the secrets among their locals."""
    found: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        for frame, line in traceback.walk_tb(error.__traceback__):
            name = frame.f_code.co_filename
            if "/sansio_claude/" in name:
                for local, value in frame.f_locals.items():
                    shown = value.decode("latin-1") if isinstance(value, bytes) else repr(value)
                    if isinstance(value, memoryview):
                        shown = value.tobytes().decode("latin-1")
                    found += [f"{name}:{line} {local}" for secret in secrets if secret in shown]
        error = error.__cause__ or error.__context__
    return found


def ask(runtime: Runtime | None, endpoint: Endpoint, arguments: dict[str, Any], **options: Any) -> BaseException:
    options = {"retry": RetryPolicy(max_retries=0), "timeouts": Timeouts(first_byte=0.2), **options}

    def blocking() -> None:
        with sansio_claude.sync.Client(endpoint, **options) as client:
            client.create(**arguments)

    async def main() -> None:
        assert runtime is not None
        async with runtime.Client(endpoint, **options) as client:
            await client.create(**arguments)

    with pytest.raises(ClaudeError) as caught:
        blocking() if runtime is None else runtime.run(main)
    return caught.value


@pytest.mark.parametrize("runtime", [*LOOPS, None], ids=lambda runtime: repr(runtime) if runtime else "sync")
@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("name", HANDLERS)
def test_of_every_failure(runtime: Runtime | None, name: str, large: bool) -> None:
    scheme = "https" if "tls" in name else "http"
    with raw_server(HANDLERS[name]) as (host, port):
        endpoint = Endpoint.from_base_url(f"{scheme}://{host}:{port}", api_key=SECRET, auth_token=lambda: TOKEN)
        error = ask(runtime, endpoint, LARGE if large else ASK, ssl_context=client_context())
    # The arguments of `create` are the caller's own and in the caller's frame as well.
    found = frames_with(error, [SECRET, TOKEN, PROMPT])
    assert [place for place in found if not place.endswith((" arguments", " request"))] == []


@pytest.mark.parametrize("runtime", [*LOOPS, None], ids=lambda runtime: repr(runtime) if runtime else "sync")
@pytest.mark.parametrize("reply", [b"\x05\x02", b"", b"HTTP"])
def test_of_a_proxy(runtime: Runtime | None, reply: bytes) -> None:
    socks = Socks(login=(b"user", PASSWORD.encode()), fault=lambda at, data: reply if at == "request" else data)
    with socks_server(socks) as place:
        endpoint = Endpoint.from_base_url("https://api.test", api_key=SECRET)
        proxy = f"socks5://user:{PASSWORD}@{place}"
        error = ask(runtime, endpoint, ASK, proxy=proxy, timeouts=Timeouts(connect=0.3))
    found = frames_with(error, [SECRET, PASSWORD, PROMPT])
    assert [place for place in found if not place.endswith((" arguments", " request"))] == []


def deaf(connection: socket.socket) -> None:
    connection.recv(10)
    time.sleep(1.0)


@pytest.mark.parametrize("runtime", LOOPS, ids=repr)
@pytest.mark.parametrize(("handler", "large"), [(silent, False), (deaf, True)], ids=["reading", "writing"])
def test_of_a_cancellation(runtime: Runtime, handler: Callable[[socket.socket], None], large: bool) -> None:
    caught: list[BaseException] = []

    async def ask_for_long(endpoint: Endpoint) -> None:
        async with runtime.Client(endpoint) as client:
            try:
                await client.create(**(LARGE if large else ASK))
            except BaseException as error:
                caught.append(error)
                raise

    async def main(endpoint: Endpoint) -> None:
        await runtime.cancel_when(lambda: True, 0.2, lambda: ask_for_long(endpoint))

    with raw_server(handler) as (host, port):
        runtime.run(main, Endpoint.from_base_url(f"http://{host}:{port}", api_key=SECRET, auth_token=lambda: TOKEN))
    (error,) = caught
    assert not isinstance(error, Exception)
    found = frames_with(error, [SECRET, TOKEN, PROMPT])
    assert [place for place in found if not place.endswith((" arguments", " request"))] == []


def test_of_an_interrupted_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr("sansio_claude._runtime.blocking.readable", interrupt)  # asked once not all can be written
    with raw_server(deaf) as (host, port):
        endpoint = Endpoint.from_base_url(f"http://{host}:{port}", api_key=SECRET)
        with sansio_claude.sync.Client(endpoint) as client, pytest.raises(KeyboardInterrupt) as caught:
            client.create(**LARGE)
    found = frames_with(caught.value, [SECRET, PROMPT])
    assert [place for place in found if not place.endswith((" arguments", " request"))] == []
