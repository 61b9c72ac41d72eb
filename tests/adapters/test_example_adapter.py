"""The adapter of the guide, as it stands in `examples/`, against the replay server and servers that do worse."""

from __future__ import annotations

import importlib.util
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sansio_claude import (
    ConnectError,
    DeadlineError,
    Endpoint,
    MessageRequest,
    MessageStop,
    RetryPolicy,
    Timeouts,
    TLSMaker,
    TruncatedError,
    text_of,
    user,
)
from sansio_claude.testing import ReplayServer, compose, serve_in_thread
from tests.adapters.runtimes import open_files, raw_server, read_request
from tests.certificates import client_context, server_context
from tests.virtual import FRAMES, GOOD_HEAD, SECRET, chunked, refusal

FILE = Path(__file__).parents[2] / "examples" / "select_adapter.py"
HELLO = compose("Hello, how are you?", seed=1)
REQUEST = MessageRequest(model="m", max_tokens=10, messages=[user("Hi")])


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("select_adapter", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _nothing_leaks() -> Iterator[None]:
    before = open_files()
    yield
    assert open_files() <= before


def read(client: Any) -> str:
    return "".join(text_of(event) or "" for event in client.stream(REQUEST))


@pytest.mark.parametrize("secure", [True, False])
def test_it_streams_and_keeps_its_connection(example: ModuleType, secure: bool) -> None:
    server = ReplayServer([HELLO])
    context = server_context("127.0.0.1") if secure else None
    with serve_in_thread(server, ssl_context=context) as address:
        endpoint = Endpoint.from_base_url(address.url, api_key=SECRET)
        client = example.SelectClient(endpoint, tls=TLSMaker(client_context()))
        assert read(client) == read(client) == "Hello, how are you?"
        stream = client.stream(REQUEST)
        next(stream)
        stream.close()
        assert read(client) == "Hello, how are you?"
        client.close()
    assert [request.connection for request in server.requests][:3] == [1, 1, 1]


def test_errors_retries_and_deadlines(example: ModuleType) -> None:
    answers = [refusal(529, "overloaded_error"), GOOD_HEAD + chunked(*FRAMES), GOOD_HEAD + chunked(*FRAMES[:3]), b""]

    def handler(connection: socket.socket) -> None:
        while read_request(connection):
            answer = answers.pop(0)
            if not answer:
                connection.recv(1)
                return
            connection.sendall(answer)

    with raw_server(handler) as (host, port):
        endpoint = Endpoint.from_base_url(f"http://{host}:{port}", api_key=SECRET)
        client = example.SelectClient(
            endpoint, retry=RetryPolicy(max_retries=1, initial=0.001), timeouts=Timeouts(first_byte=0.1)
        )
        assert isinstance(list(client.stream(REQUEST))[-1], MessageStop)
        with pytest.raises(TruncatedError):
            read(client)
        with pytest.raises(DeadlineError) as caught:
            read(client)
        assert caught.value.deadline == "first_byte"
        client.close()


def test_nobody_there(example: ModuleType) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    client = example.SelectClient(
        Endpoint.from_base_url(f"http://localhost:{port}", api_key=SECRET), retry=RetryPolicy(max_retries=0)
    )
    began = time.monotonic()
    with pytest.raises(ConnectError, match="refused"):
        read(client)
    assert time.monotonic() - began < 5
    client.close()
