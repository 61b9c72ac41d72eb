"""Two tasks with one stream: closing it from outside is fine at any time, reading it side by side is a mistake."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sansio_claude._call.retry import RetryPolicy
from sansio_claude._call.timeouts import Timeouts
from sansio_claude._errors import LocalProtocolError
from sansio_claude._request.endpoint import Endpoint
from tests.adapters.runtimes import LOOPS, Runtime
from tests.certificates import client_context, server_context
from tests.faults.case import ASK, watched
from tests.faults.cases_silence import full_queue
from tests.faults.pieces import CHUNKED, EVENTS, FINE, GOOD, HEAD, HELLO, KEY, chunk, error, events
from tests.faults.server import DEAF, HOLD, READ, TLS, FaultServer, Step

EVERY = [each.name for each in LOOPS]
FOREVER = Timeouts(connect=None, tls=None, write=None, first_byte=None, idle=None, progress=None, total=None, pool=None)
LARGE: dict[str, Any] = {"messages": [{"role": "user", "content": "x" * 12_000_000}]}
SERVER = TLS(server_context("127.0.0.1"))
OPENED = HEAD + chunk(events(*EVENTS[:3]))
STAGES: dict[str, list[Step] | None] = {
    "connect": None,
    "tls": [HOLD],
    "write": [DEAF],
    "head": [READ, HOLD],
    "half a head": [READ, HEAD[:30], HOLD],
    "body": [READ, OPENED, HOLD],
    "body in TLS": [SERVER, READ, OPENED, HOLD],
    "pool": [READ, OPENED, HOLD],
    "backoff": [READ, error(529, "overloaded_error", "retry-after: 59")],
}


@contextlib.contextmanager
def peer(server: FaultServer, script: list[Step] | None, *, large: bool) -> Iterator[tuple[int, Any]]:
    if script is None:
        with full_queue() as (_, port):
            yield port, None
    else:
        with server.site([script], buffer=4096 if large else None) as site:
            yield site.port, site
        assert site.left == 0


def client_of(runtime: Runtime, port: int, *, secure: bool) -> Any:
    options: dict[str, Any] = {"ssl_context": client_context()} if secure else {}
    endpoint = Endpoint.from_base_url(f"{'https' if secure else 'http'}://127.0.0.1:{port}", api_key=KEY)
    return runtime.Client(endpoint, max_connections=1, timeouts=FOREVER, retry=RetryPolicy(), **options)


async def read(stream: Any) -> None:
    async with stream:
        async for _ in stream:
            pass


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("runtime", EVERY, indirect=True)
@pytest.mark.usefixtures("nothing_left")
def test_closed_from_outside_while_it_waits_for(runtime: Runtime, stage: str, server: FaultServer) -> None:
    """No deadline is in force: whoever waits is told at once or never."""

    async def main(port: int, site: Any) -> None:
        async with client_of(runtime, port, secure="tls" in stage.lower()) as client:
            first = client.stream(**ASK)
            stream = first if stage != "pool" else client.stream(**ASK)
            if stage == "write":
                stream = client.stream(**LARGE, model="m", max_tokens=1)
            if stage == "pool":
                await first.__aenter__()

            async def reader() -> str:
                with pytest.raises(LocalProtocolError, match="given up"):
                    await read(stream)
                with pytest.raises(LocalProtocolError, match="given up"):
                    await stream.final_message()
                return "told"

            async def closer() -> str:
                while site is not None and not site.settled:
                    await runtime.sleep(0.001)
                await runtime.sleep(0.03)
                await stream.aclose()
                return "closed"

            started = time.monotonic()
            assert await runtime.gather(reader, closer) == ["told", "closed"]
            assert time.monotonic() - started < 10
            await first.aclose()
            pool = client._session.pool
            assert (pool.taken, pool.waiting, pool.idle) == (0, 0, int(stage == "backoff"))
            if site is not None and "tls" not in stage.lower():
                site.play([[READ, FINE]])
                assert (await client.create(**ASK)).text == "Fine."
        await runtime.sleep(0.002)

    with watched(), peer(server, STAGES[stage], large=stage == "write") as (port, site):
        runtime.run(main, port, site)


@pytest.mark.parametrize("runtime", EVERY, indirect=True)
@pytest.mark.usefixtures("nothing_left")
def test_read_by_two_at_once(runtime: Runtime, server: FaultServer) -> None:
    """The second one is told; the first one does not notice."""

    async def main(port: int) -> None:
        async with client_of(runtime, port, secure=False) as client, client.stream(**ASK) as stream:

            async def second() -> None:
                await runtime.sleep(0.02)
                for each in (stream.__anext__, stream.final_message, stream.text().__anext__):
                    with pytest.raises(LocalProtocolError, match="another task"):
                        await each()

            async def first() -> str:
                return str((await stream.final_message()).text)

            assert (await runtime.gather(first, second))[0] == HELLO

    with watched(), server.site([[READ, HEAD, 0.1, CHUNKED]]) as site:
        runtime.run(main, site.port)
    assert site.left == 0


@pytest.mark.parametrize("runtime", EVERY, indirect=True)
@pytest.mark.usefixtures("nothing_left")
def test_read_by_two_in_turn(runtime: Runtime, server: FaultServer) -> None:
    async def main(port: int) -> None:
        async with client_of(runtime, port, secure=False) as client, client.stream(**ASK) as stream:
            found: list[str] = []

            async def one() -> None:
                found.append((await stream.__anext__()).type)

            for _ in EVENTS:
                await runtime.gather(one)
            assert found == [event["type"] for event in EVENTS]

    with watched(), server.site([[READ, GOOD]]) as site:
        runtime.run(main, site.port)
    assert site.left == 0


@pytest.mark.parametrize("runtime", EVERY, indirect=True)
@pytest.mark.usefixtures("nothing_left")
def test_the_client_is_closed_while_others_use_it(runtime: Runtime, server: FaultServer) -> None:
    """Streams that are open go on, calls that wait for a place and new ones are told."""

    async def main(port: int) -> None:
        client = client_of(runtime, port, secure=False)
        stream = await client.stream(**ASK).__aenter__()

        async def waiting() -> None:
            with pytest.raises(LocalProtocolError, match="closed"):
                await client.create(**ASK)

        async def closing() -> None:
            await runtime.sleep(0.02)
            await client.aclose()
            await client.aclose()
            await waiting()

        await runtime.gather(waiting, closing)
        assert (await stream.final_message()).text == HELLO
        await stream.aclose()
        assert (client._session.pool.taken, client._session.pool.idle) == (0, 0)
        for call in (client.count_tokens(model="m", messages=[]), client.models(), client.model("m")):
            with pytest.raises(LocalProtocolError, match="closed"):
                await call
        with pytest.raises(LocalProtocolError, match="closed"):
            async with client.stream(**ASK):
                pass
        await runtime.sleep(0.002)

    with watched(), server.site([[READ, HEAD, 0.2, CHUNKED]]) as site:
        runtime.run(main, site.port)
    assert site.left == 0
