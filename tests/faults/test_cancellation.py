"""A caller that is cancelled at every single place where a call can be waiting, one after the other.

The call is run as a coroutine whose every suspension is counted. At the chosen one the task is cancelled before it
goes to sleep, so that the cancellation is delivered at exactly that await. Then all sockets have to be closed, the
only place of the pool has to be free, and the next call has to be well. The first run that comes to its end without
being cancelled shows that no place was left out.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import attrs
import pytest
import trio

from sansio_claude._call.retry import RetryPolicy
from sansio_claude._call.timeouts import Timeouts
from sansio_claude._request.endpoint import Endpoint
from tests.adapters.runtimes import LOOPS, Runtime
from tests.certificates import client_context, server_context
from tests.faults.case import ASK, watched
from tests.faults.pieces import EVENTS as HELLO_EVENTS
from tests.faults.pieces import FINE, HEAD, HELLO, KEY, answer, chunk, error, events
from tests.faults.server import HOLD, READ, RST, TLS, TUNNEL, FaultServer, Step

GOOD: list[Step] = [
    HEAD,
    0.002,
    *(step for each in HELLO_EVENTS for step in (chunk(events(each)), 0.002)),
    b"0\r\n\r\n",
]
LARGE: dict[str, Any] = {"messages": [{"role": "user", "content": "x" * 6_000_000}]}
LOCAL = TLS(server_context("127.0.0.1"))
API = TLS(server_context("api.test"))


@attrs.define(frozen=True, kw_only=True)
class Whole:
    """A call with every kind of waiting in it."""

    name: str
    scripts: tuple[list[Step], ...]
    tls: bool = False
    proxy: bool = False
    how: str = "stream"
    ask: dict[str, Any] = attrs.field(factory=dict)
    reads: int = 4
    """How often it has to wait at least."""


OVERLOADED = error(529, "overloaded_error", "retry-after-ms: 5")
REFUSAL = error(400, "invalid_request_error")
WHOLES = (
    Whole(name="plain", scripts=([READ, *GOOD],)),
    Whole(name="create", scripts=([READ, *GOOD],), how="create"),
    Whole(name="whole", scripts=([READ, 0.002, HEAD],), how="left", reads=2),
    Whole(name="backoff", scripts=([READ, RST], [READ, OVERLOADED], [READ, *GOOD]), reads=6),
    Whole(name="tls", scripts=([LOCAL, READ, *GOOD],), tls=True),
    Whole(name="tunnel", scripts=([TUNNEL, API, READ, *GOOD],), tls=True, proxy=True),
    Whole(name="large", scripts=([0.005, READ, *GOOD],), ask=LARGE),
    Whole(name="large_tls", scripts=([LOCAL, 0.005, READ, *GOOD],), ask=LARGE, tls=True),
    Whole(name="open_end", scripts=([READ, *GOOD[:-1], HOLD],)),
    Whole(
        name="refusal",
        scripts=([READ, REFUSAL[:-9], 0.005, REFUSAL[-9:]],),
        how="refused",
        reads=2,
    ),
)


@types.coroutine
def counting(coroutine: Any, at: int, cancel: Callable[[], object], count: list[int]) -> Generator[Any, Any, Any]:
    """Run it; cancel the task when it is about to sleep for the `at`-th time."""
    send, value = coroutine.send, None
    while True:
        try:
            waiting = send(value)
        except StopIteration as end:
            return end.value
        count[0] += 1
        if count[0] == at:
            cancel()
        try:
            send, value = coroutine.send, (yield waiting)
        except BaseException as error:
            send, value = coroutine.throw, error


async def cancelled_at(runtime: Runtime, function: Callable[[], Any], at: int) -> tuple[bool, int]:
    """Whether the cancellation got out, and how often it waited."""
    count = [0]
    if runtime.name == "trio":
        with trio.CancelScope() as scope:
            await counting(function(), at, scope.cancel, count)
        return scope.cancelled_caught, count[0]

    async def run() -> None:
        task = asyncio.current_task()
        assert task is not None
        await counting(function(), at, task.cancel, count)

    task = asyncio.ensure_future(run())
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
    return task.cancelled(), count[0]


async def use(client: Any, whole: Whole) -> None:
    """The call."""
    arguments = {**ASK, **whole.ask}
    if whole.how == "create":
        assert (await client.create(**arguments)).text == HELLO
    elif whole.how == "left":
        async with client.stream(**arguments):
            pass
    elif whole.how == "refused":
        with pytest.raises(Exception, match="invalid_request_error"):
            await client.create(**arguments)
    else:
        async with client.stream(**arguments) as stream:
            async for _ in stream:
                pass
            assert (await stream.final_message()).text == HELLO


@pytest.mark.parametrize("whole", WHOLES, ids=[each.name for each in WHOLES])
@pytest.mark.parametrize("runtime", [each.name for each in LOOPS], indirect=True)
@pytest.mark.usefixtures("nothing_left")
def test_at_every_await(runtime: Runtime, whole: Whole, server: FaultServer) -> None:
    for factor in (1, 10, 100):  # where the machine has much else to do, what comes soon after has come already
        scripts = tuple([_slower(each, factor) for each in script] for script in whole.scripts)
        slower = attrs.evolve(whole, scripts=scripts)
        if len(places := at_every_await(runtime, slower, server)) > whole.reads:
            return
    pytest.fail(f"it did not wait often enough: {places}")


def _slower(step: Step, factor: int) -> Step:
    return step * factor if isinstance(step, float) else step


def at_every_await(runtime: Runtime, whole: Whole, server: FaultServer) -> list[int]:
    """Cancel it at each of its awaits in turn; gives how often each of the calls waited."""
    places: list[int] = []

    async def one(at: int) -> bool:
        with server.site(whole.scripts, buffer=65_536 if whole.ask else None) as site:
            options: dict[str, Any] = {"ssl_context": client_context()} if whole.tls else {}
            address = f"{'https' if whole.tls else 'http'}://127.0.0.1:{site.port}"
            if whole.proxy:
                options["proxy"], address = f"http://127.0.0.1:{site.port}", "https://api.test"
            async with runtime.Client(
                Endpoint.from_base_url(address, api_key=KEY),
                max_connections=1,
                retry=RetryPolicy(initial=0.002),
                timeouts=Timeouts(total=20.0, pool=5.0),
                **options,
            ) as client:
                cancelled, count = await cancelled_at(runtime, lambda: use(client, whole), at)
                pool = client._session.pool
                assert (pool.taken, pool.waiting) == (0, 0)
                assert pool.idle == 0 or not cancelled or whole.how != "create"
                site.play(
                    [[*(step for step in whole.scripts[0][:2] if step == TUNNEL or isinstance(step, TLS)), READ, FINE]]
                )
                assert (await client.create(**ASK)).text == "Fine."
            places.append(count)
            await runtime.sleep(0.002)  # asyncio closes a socket one turn of the loop later
        assert site.left == 0
        return cancelled

    async def main() -> None:
        at = 1
        while True:
            try:
                if not await one(at):
                    break
            except BaseException as failure:
                failure.add_note(f"cancelled at the await number {at}")
                raise
            at += 1

    with watched():
        runtime.run(main)
    return places


@pytest.mark.parametrize("runtime", [each.name for each in LOOPS], indirect=True)
@pytest.mark.usefixtures("nothing_left")
def test_waiting_for_a_place(runtime: Runtime, server: FaultServer) -> None:
    """Cancelled in the row, at its head and in its middle: nobody behind is forgotten."""

    async def main() -> None:
        with server.site([[READ, HEAD, 0.05, *GOOD[1:]], [READ, answer(*HELLO_EVENTS)]]) as site:
            endpoint = Endpoint.from_base_url(f"http://127.0.0.1:{site.port}", api_key=KEY)
            async with runtime.Client(endpoint, max_connections=1) as client:

                async def patient() -> str:
                    text: str = (await client.create(**ASK)).text
                    return text

                async def impatient() -> str:
                    async with runtime.move_on_after(0.02):
                        await client.create(**ASK)
                    return ""

                order: list[Callable[[], Awaitable[str]]] = [patient, impatient, patient, impatient, impatient, patient]
                found = await runtime.gather(*order)
                assert [text for text in found if text] == [HELLO] * 3
                pool = client._session.pool
                assert (pool.taken, pool.waiting) == (0, 0)
            await runtime.sleep(0.002)
        assert site.left == 0

    runtime.run(main)
