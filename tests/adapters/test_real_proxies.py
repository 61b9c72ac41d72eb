"""Behind HAProxy and nginx, where they are installed: streams come through and early refusals are seen."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import sansio_claude.sync
from sansio_claude._call.retry import RetryPolicy
from sansio_claude._errors import RequestTooLargeError
from sansio_claude._request.endpoint import Endpoint
from sansio_claude.testing import ReplayServer, compose, serve_in_thread
from tests.adapters.runtimes import LOOPS, Runtime
from tests.virtual import SECRET

ASK: dict[str, Any] = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "Hi"}]}
LARGE: dict[str, Any] = {**ASK, "messages": [{"role": "user", "content": "x" * 3_000_000}]}
HELLO = compose("Hello, how are you?", seed=1)
CALLS = 10

HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 20s
    timeout server 20s
frontend front
    bind 127.0.0.1:{port}
    http-request deny deny_status 413 if {{ req.hdr_val(content-length) gt 100000 }}
    default_backend api
backend api
    server api 127.0.0.1:{api}
"""
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 100k;
        location / {{
            proxy_pass http://127.0.0.1:{api};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }}
    }}
}}
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextlib.contextmanager
def running(program: str, config: str, api: int, folder: Path) -> Iterator[int]:
    """The program in front of the server at port `api`; its port."""
    found = shutil.which(program, path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        pytest.skip(f"{program} is not installed")
    port = free_port()
    file = folder / "config"
    file.write_text(config.format(port=port, api=api, folder=folder))
    command = [found, "-db", "-f", str(file)] if program == "haproxy" else [found, "-c", str(file), "-p", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(1000):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, f"{program} did not start"
            time.sleep(0.01)  # nothing tells when it listens
        yield port
    finally:
        process.terminate()
        process.wait()


def sync_main(endpoint: Endpoint) -> None:
    with sansio_claude.sync.Client(endpoint, retry=RetryPolicy(max_retries=0)) as client:
        for _ in range(CALLS):
            assert client.create(**ASK).text == "Hello, how are you?"
            with pytest.raises(RequestTooLargeError) as caught:
                client.create(**LARGE)
            assert len(caught.value.attempts) == 1


def main_of(runtime: Runtime) -> Callable[[Endpoint], None]:
    async def main(endpoint: Endpoint) -> None:
        async with runtime.Client(endpoint, retry=RetryPolicy(max_retries=0)) as client:
            for _ in range(CALLS):
                assert (await client.create(**ASK)).text == "Hello, how are you?"
                with pytest.raises(RequestTooLargeError) as caught:
                    await client.create(**LARGE)
                assert len(caught.value.attempts) == 1

    return lambda endpoint: runtime.run(main, endpoint)


ADAPTERS = {**{repr(runtime): main_of(runtime) for runtime in LOOPS}, "sync": sync_main}


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize(("program", "config"), [("haproxy", HAPROXY), ("nginx", NGINX)], ids=["haproxy", "nginx"])
def test_answers_and_early_refusals(program: str, config: str, adapter: str, tmp_path: Path) -> None:
    server = ReplayServer([HELLO])
    with serve_in_thread(server) as address, running(program, config, address.port, tmp_path) as port:
        ADAPTERS[adapter](Endpoint.from_base_url(f"http://127.0.0.1:{port}", api_key=SECRET))
    assert len(server.requests) == CALLS
