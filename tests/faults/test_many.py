"""Thousands of streams at once, and streams that nobody closes."""

from __future__ import annotations

import gc
import resource
import warnings
from typing import Any

import pytest

from sansio_claude._call.retry import RetryPolicy
from sansio_claude._call.timeouts import Timeouts
from sansio_claude._request.endpoint import Endpoint
from tests.adapters.runtimes import LOOPS, Runtime
from tests.certificates import client_context, server_context
from tests.faults.case import ASK
from tests.faults.pieces import EVENTS, FINE, GOOD, HEAD, HELLO, KEY, chunk, events
from tests.faults.server import HOLD, READ, TLS, FaultServer, Step

EVERY = [each.name for each in LOOPS]
NO_RETRY = RetryPolicy(max_retries=0)
CALM = Timeouts(connect=120.0, tls=120.0, first_byte=120.0, idle=120.0, pool=120.0, total=300.0)


def open_at_once(runtime: Runtime, server: FaultServer, number: int, *, secure: bool = False) -> None:
    """All streams are open before the first one is read."""
    opened = 0

    async def main(port: int) -> None:
        options: dict[str, Any] = {"ssl_context": client_context()} if secure else {}
        endpoint = Endpoint.from_base_url(f"{'https' if secure else 'http'}://127.0.0.1:{port}", api_key=KEY)
        async with runtime.Client(endpoint, max_connections=number, retry=NO_RETRY, timeouts=CALM, **options) as client:

            async def one() -> str:
                nonlocal opened
                async with client.stream(**ASK) as stream:
                    opened += 1
                    while opened < number:
                        await runtime.sleep(0.05)
                    return str((await stream.final_message()).text)

            assert await runtime.gather(*[one] * number) == [HELLO] * number
            pool = client._session.pool
            assert (pool.taken, pool.waiting) == (0, 0)
            assert pool.idle == number

    script: list[Step] = [TLS(server_context("127.0.0.1")), READ, GOOD] if secure else [READ, GOOD]
    with server.site([script], backlog=number) as site:
        runtime.run(main, site.port)
        assert site.connections == number
    assert site.left == 0


@pytest.mark.parametrize("secure", [False, True], ids=["clear", "tls"])
@pytest.mark.parametrize("runtime", EVERY, indirect=True)
@pytest.mark.usefixtures("nothing_left")
def test_two_hundred(runtime: Runtime, secure: bool, server: FaultServer) -> None:
    open_at_once(runtime, server, 200, secure=secure)


@pytest.mark.sweep
@pytest.mark.parametrize("runtime", EVERY, indirect=True)
@pytest.mark.usefixtures("nothing_left")
def test_five_thousand(runtime: Runtime, server: FaultServer) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 11_000:
        pytest.skip("both ends of 5,000 connections need 10,000 file descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 11_000), hard))
    try:
        open_at_once(runtime, server, 5_000)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("runtime", EVERY, indirect=True)
@pytest.mark.usefixtures("nothing_left")
def test_many_calls_over_few_connections(runtime: Runtime, server: FaultServer) -> None:
    async def main(port: int) -> None:
        endpoint = Endpoint.from_base_url(f"http://127.0.0.1:{port}", api_key=KEY)
        async with runtime.Client(endpoint, max_connections=5, retry=NO_RETRY, timeouts=CALM) as client:

            async def one() -> str:
                return str((await client.create(**ASK)).text)

            assert await runtime.gather(*[one] * 300) == ["Fine."] * 300

    with server.site([[READ, FINE]]) as site:
        runtime.run(main, site.port)
        assert site.connections == 5
        assert len(site.requests) == 300


@pytest.mark.parametrize("read", [0, 1, 3])
@pytest.mark.parametrize("runtime", EVERY, indirect=True)
@pytest.mark.usefixtures("nothing_left")
def test_forgotten(runtime: Runtime, read: int, server: FaultServer) -> None:
    """A stream that is dropped is closed, with a warning, and gives its place back."""

    async def main(port: int) -> None:
        endpoint = Endpoint.from_base_url(f"http://127.0.0.1:{port}", api_key=KEY)
        async with runtime.Client(endpoint, max_connections=3, retry=NO_RETRY) as client:
            for _ in range(3):
                stream = await client.stream(**ASK).__aenter__()
                for _ in range(read):
                    await stream.__anext__()
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    del stream
                    gc.collect()
                assert [each.category for each in caught] == [ResourceWarning]
                assert "unclosed" in str(caught[0].message)
                assert KEY not in str(caught[0].message)
                assert client._session.pool.taken == 0
                await runtime.sleep(0.002)
            site.play([[READ, FINE]])
            assert (await client.create(**ASK)).text == "Fine."
        await runtime.sleep(0.002)

    with server.site([[READ, HEAD + chunk(events(*EVENTS[:3])), HOLD]]) as site:
        runtime.run(main, site.port)
    assert site.left == 0


@pytest.mark.parametrize("runtime", EVERY, indirect=True)
@pytest.mark.usefixtures("nothing_left")
def test_a_forgotten_client(runtime: Runtime, server: FaultServer) -> None:
    async def main(port: int) -> None:
        client = runtime.Client(Endpoint.from_base_url(f"http://127.0.0.1:{port}", api_key=KEY))
        assert (await client.create(**ASK)).text == "Fine."
        with pytest.warns(ResourceWarning, match="unclosed"):  # noqa: PT031
            del client
            gc.collect()
        await runtime.sleep(0.002)

    with server.site([[READ, FINE]]) as site:
        runtime.run(main, site.port)
    assert site.left == 0
