"""The example proxies: bytes identical, cuts passed on and logged, the upstream left with the client, slow clients."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sansio_claude.testing import Answer, ReplayServer, compose, serve_in_thread
from sansio_claude.testing.faults import FAULTS, Fault, serve
from tests.adapters.test_real_proxies import NGINX, running
from tests.embedding.proxies import ASK, PROXIES, Got, get

HELLO = compose("Hello, how are you? " * 20, seed=1, usage={"output_tokens": 77})
MIB = 1024 * 1024


@pytest.fixture(params=list(PROXIES))
def proxy(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Callable[[str], Any]:
    caplog.set_level(logging.INFO, "proxy")
    return PROXIES[request.param]


@contextmanager
def through(proxy: Callable[[str], Any], *script: Any, **options: Any) -> Iterator[tuple[ReplayServer, int]]:
    server = ReplayServer(list(script), **options)
    with serve_in_thread(server) as address, proxy(address.url) as port:
        yield server, port


def lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "proxy"]


def test_bytes_are_identical_and_a_call_is_one_line(proxy: Any, caplog: pytest.LogCaptureFixture) -> None:
    with through(proxy, HELLO, framing="chunked") as (server, port):
        assert get(port, path="/v1/messages?beta=true") == Got(200, HELLO.data, True)
    (asked,) = server.requests
    assert asked.target == "/v1/messages?beta=true"
    assert asked.header("x-api-key") == "sk-ant-secret"
    assert asked.header("accept-encoding") == "identity"
    assert asked.json() == ASK
    (line,) = lines(caplog)
    words = line.getMessage()
    assert "POST /v1/messages status=200 outcome=ended" in words
    assert "state=complete stop_reason=end_turn" in words
    assert "output_tokens=77" in words
    assert line.levelno == logging.INFO
    assert "secret" not in words


def test_a_whole_answer(proxy: Any, caplog: pytest.LogCaptureFixture) -> None:
    with through(proxy, HELLO) as (_, port):
        got = get(port, {**ASK, "stream": False})
    assert json.loads(got.body) == HELLO.message
    (line,) = lines(caplog)
    assert "state=complete" in line.getMessage()
    assert "deviations" not in line.getMessage()


def test_a_refusal(proxy: Any, caplog: pytest.LogCaptureFixture) -> None:
    with through(proxy, Answer.error(429, "slow down")) as (_, port):
        got = get(port)
    assert got.status == 429
    assert json.loads(got.body)["error"]["message"] == "slow down"
    assert "error_type=rate_limit_error" in lines(caplog)[0].getMessage()


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_body_that_the_upstream_cuts_is_cut_for_the_client(
    proxy: Any, end: Any, caplog: pytest.LogCaptureFixture
) -> None:
    cut = Answer.stream(HELLO.first(5), end=end)
    with through(proxy, cut) as (_, port):
        got = get(port)
    assert not got.whole
    assert HELLO.data.startswith(got.body)
    (line,) = lines(caplog)
    assert "outcome=cut" in line.getMessage()
    assert line.levelno == logging.WARNING


def test_a_truncation_that_http_does_not_tell_is_logged(proxy: Any, caplog: pytest.LogCaptureFixture) -> None:
    with through(proxy, HELLO.first(5)) as (_, port):
        assert get(port) == Got(200, HELLO.first(5).data, True)
    (line,) = lines(caplog)
    assert "state=truncated" in line.getMessage()
    assert "error=TruncatedError" in line.getMessage()
    assert line.levelno == logging.WARNING


def test_no_upstream(proxy: Any, caplog: pytest.LogCaptureFixture) -> None:
    with serve_in_thread(ReplayServer([HELLO])) as address:
        url = address.url
    with proxy(url) as port:
        got = get(port)
    assert got.status == 502
    assert json.loads(got.body)["error"]["type"] == "api_error"
    assert "outcome=cut" in lines(caplog)[0].getMessage()


def test_a_client_that_leaves_takes_the_upstream_with_it(proxy: Any, caplog: pytest.LogCaptureFixture) -> None:
    stalled = Answer.stream(HELLO.first(5), end="stall")
    with through(proxy, stalled) as (server, port):
        with socket.create_connection(("127.0.0.1", port)) as client:
            body = json.dumps(ASK).encode()
            client.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            assert client.recv(10)
        # It leaves here. The upstream connection ends although no byte comes on it any more.
        until = time.monotonic() + 10
        while server.open_connections:
            assert time.monotonic() < until
    assert "outcome=left" in lines(caplog)[0].getMessage()


def test_a_slow_client_slows_the_upstream_down(proxy: Any) -> None:
    block = b": " + b"x" * (MIB - 4) + b"\n\n"
    answer = Answer(pieces=(HELLO.data, *[block] * 96))
    with through(proxy, answer) as (server, port):
        with socket.create_connection(("127.0.0.1", port)) as client:
            body = json.dumps(ASK).encode()
            client.sendall(b"POST /v1/messages HTTP/1.0\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            received = 0
            while received < 16 * MIB:
                received += len(client.recv(65_536))
            # 80 MiB are left, more than all buffers on the way hold.
            assert server.requests[0].outcome == "answering"
            while data := client.recv(MIB):
                received += len(data)
        assert received > 96 * (MIB - 1)


# Of the catalogue of faults what has an end, and a head.
PLAYED = [
    fault
    for fault in FAULTS.values()
    if fault.group in ("cut", "events that break the rules", "odd but right", "statuses")
    and fault.name not in ("ok_stop_then_idle", "trunc_in_headers")
]


@pytest.mark.parametrize("fault", PLAYED, ids=lambda fault: fault.name)
def test_a_fault_reaches_the_client_as_it_is(fault: Fault, proxy: Any) -> None:
    with serve(fault) as address:
        direct = get(int(address.rpartition(":")[2]))
    with serve(fault) as address, proxy(address) as port:
        got = get(port)
    assert (got.status, got.whole) == (direct.status, direct.whole)
    if direct.whole:
        assert got.body == direct.body
    else:
        assert direct.body.startswith(got.body)


def test_nginx_in_front_and_behind(proxy: Any, tmp_path: Path) -> None:
    folders = tmp_path / "behind", tmp_path / "front"
    for folder in folders:
        folder.mkdir()
    with (
        serve_in_thread(ReplayServer([HELLO])) as address,
        running("nginx", NGINX, address.port, folders[0]) as behind,
        proxy(f"http://127.0.0.1:{behind}") as port,
        running("nginx", NGINX, port, folders[1]) as front,
    ):
        assert get(front) == Got(200, HELLO.data, True)
