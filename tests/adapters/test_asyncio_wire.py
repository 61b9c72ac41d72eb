"""The wire on asyncio as what its reader awaits: when it is resumed, with what, in which context; cancelling it."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import socket
import warnings
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest
import uvloop

from sansio_claude._call.timeouts import NEVER
from sansio_claude._errors import LocalProtocolError
from sansio_claude.asyncio._net import Wire


def _eager() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_task_factory(cast(Any, asyncio).eager_task_factory)
    return loop


LOOPS: dict[str, Any] = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
if hasattr(asyncio, "eager_task_factory"):  # from Python 3.12 on
    LOOPS["eager"] = _eager
VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="nobody's")


@pytest.fixture(params=[(name, debug) for name in LOOPS for debug in (False, True)], ids=lambda each: str(each))
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, None]], None]:
    def run(main: Coroutine[Any, Any, None]) -> None:
        name, debug = request.param
        with asyncio.Runner(loop_factory=LOOPS[name], debug=debug) as runner:
            runner.run(main)

    return run


def feed(wire: Wire, data: bytes) -> None:
    """What a transport does with bytes that it has read."""
    wire.get_buffer(-1)[: len(data)] = data
    wire.buffer_updated(len(data))


async def turns(count: int = 2) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_the_reader_is_resumed_in_the_same_turn(run: Any) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        wire = Wire(loop)
        assert asyncio.isfuture(cast(Any, wire))
        order: list[object] = []

        async def read() -> None:
            for _ in range(2):
                order.append(await wire.receive(NEVER))
                order.append(asyncio.current_task())

        def came() -> None:
            loop.call_soon(order.append, "next turn")
            feed(wire, b"one")
            feed(wire, b"two")
            order.append("the transport goes on")

        reader = asyncio.create_task(read())
        await turns()
        loop.call_soon(came)
        await reader
        assert order[:5] == [b"one", reader, b"two", reader, "the transport goes on"]
        await turns()
        assert order[5:] == ["next turn"]

    run(main())


def test_a_task_that_runs_is_not_interrupted(run: Any) -> None:
    async def main() -> None:
        wire = Wire(asyncio.get_running_loop())
        reader = asyncio.ensure_future(wire.receive(NEVER))
        await turns()
        feed(wire, b"one")
        feed(wire, b" and more")
        assert not reader.done()
        assert await reader == b"one and more"

    run(main())


def test_the_reader_keeps_its_context(run: Any) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        wire = Wire(loop)

        async def read() -> str:
            VARIABLE.set("the reader's")
            await wire.receive(NEVER)
            return VARIABLE.get()

        reader = asyncio.create_task(read())
        await turns()
        loop.call_soon(feed, wire, b"x")
        assert await reader == "the reader's"
        assert VARIABLE.get() == "nobody's"

    run(main())


def test_an_error_of_the_reader_stays_with_it(run: Any) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        wire = Wire(loop)
        said: list[Any] = []
        loop.set_exception_handler(lambda loop, context: said.append(context))

        async def read() -> None:
            await wire.receive(NEVER)
            raise ValueError("the reader's own")

        reader = asyncio.create_task(read())
        await turns()
        loop.call_soon(feed, wire, b"x")
        with pytest.raises(ValueError, match="own"):
            await reader
        assert not said

    run(main())


@pytest.mark.parametrize("late", [False, True])
def test_cancelling(run: Any, late: bool) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        wire = Wire(loop)
        reader = asyncio.ensure_future(wire.receive(NEVER))
        await turns()
        assert reader.cancel("why")
        if late:
            feed(wire, b"late")
        with pytest.raises(asyncio.CancelledError) as caught:
            await reader
        assert caught.value.args == ("why",)
        assert not wire.cancel()
        # What came in between is not lost, and another reader may come.
        loop.call_soon(feed, wire, b"r")
        assert await wire.receive(NEVER) == (b"late" if late else b"r")

    run(main())


def test_a_deadline(run: Any) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        wire = Wire(loop)
        assert await wire.receive(loop.time()) is None
        loop.call_soon(feed, wire, b"x")
        assert await wire.receive(loop.time() + 60) == b"x"
        wire.close()

    run(main())


@pytest.mark.parametrize("error", [None, ConnectionResetError("gone")])
def test_an_end(run: Any, error: Exception | None) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        wire = Wire(loop)
        reader = asyncio.ensure_future(wire.receive(NEVER))
        await turns()
        if error is None:
            wire.eof_received()
        else:
            wire.connection_lost(error)
        assert not reader.done()  # the transport is in the middle of something
        if error is None:
            assert await reader == b""
        else:
            with pytest.raises(ConnectionResetError):
                await reader

    run(main())


def test_a_wire_of_another_loop(run: Any) -> None:
    other = asyncio.new_event_loop()
    wire = Wire(other)

    async def main() -> None:
        with pytest.raises(LocalProtocolError, match="another event loop"):
            await wire.receive(NEVER)

    run(main())
    other.close()


def test_closing_when_the_loop_has_ended(run: Any) -> None:
    """The peer is told at once: nobody has to collect the transport first."""
    kept: list[Wire] = []
    here, there = socket.socketpair()
    here.setblocking(False)

    async def main() -> None:
        kept.append(await Wire.over(here))

    with there, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of transports that were left open
        run(main())
        there.settimeout(20)
        for _ in range(2):
            kept[0].close()
        assert there.recv(1) == b""
        kept.clear()
        for _ in range(3):
            gc.collect()
