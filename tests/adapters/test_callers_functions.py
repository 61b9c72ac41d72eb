"""What a function of the caller's raises in the middle of a call: a token's, `trace`, `tap`. It reaches the caller, the
stream does not pass for whole, and the pool is as it was."""

from __future__ import annotations

import typing
from typing import Any

import attrs
import pytest

from sansio_claude._call.retry import RetryPolicy
from sansio_claude._call.trace import TraceEvent, TraceKind
from sansio_claude._errors import LocalProtocolError
from sansio_claude._request.endpoint import Endpoint
from sansio_claude.testing import Answer, ReplayServer, compose, serve_in_thread
from tests.adapters.runtimes import LOOPS, SYNC, Runtime

ASK: dict[str, Any] = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "Hi"}]}
HELLO = compose("Hello, how are you?", seed=1)
BUSY = Answer.error(529)
SLOWLY = Answer.stream(HELLO, pace=0.002)  # so that the head is read before the rest has come
UNFINISHED = attrs.evolve(Answer.stream(HELLO, end="stall"), pieces=Answer.stream(HELLO).pieces[:3])
RETRY = RetryPolicy(max_retries=1, initial=0.001)
RAISED = [ZeroDivisionError, StopIteration, StopAsyncIteration, TimeoutError, OSError]


@pytest.fixture(params=[*LOOPS, SYNC], ids=repr)
def loop(request: pytest.FixtureRequest) -> Runtime:
    runtime: Runtime = request.param
    return runtime


class Onlooker:
    """Raises once, at the first step of a kind, or at the first bytes of a body."""

    def __init__(self, at: str, kind: type[Exception]) -> None:
        self._at = at
        self._kind = kind
        self.raised: Exception | None = None

    def __call__(self, event: TraceEvent) -> None:
        self._look(event.kind)

    def tap(self, call: int, data: bytes) -> None:
        self._look("tap")

    def _look(self, at: str) -> None:
        if at == self._at and self.raised is None:
            self.raised = self._kind()
            raise self.raised


def same(caught: BaseException, raised: BaseException | None) -> bool:
    """Whether it is what was raised, or says so: no coroutine lets a StopIteration pass."""
    return raised is not None and (caught is raised or (type(caught) is RuntimeError and caught.__cause__ is raised))


async def read(client: Any) -> tuple[Exception | None, bool]:
    """Read a stream: what came of it, and whether its events had ended before."""
    ended = False
    try:
        async with client.stream(**ASK) as stream:
            async for _ in stream:
                pass
            ended = True
            await stream.final_message()
    except Exception as error:
        return error, ended
    return None, ended


@pytest.mark.parametrize("kind", RAISED)
@pytest.mark.parametrize("at", [*(each for each in typing.get_args(TraceKind) if each != "pool"), "tap"])
def test_trace(loop: Runtime, at: str, kind: type[Exception]) -> None:
    onlooker = Onlooker(at, kind)

    async def main(where: Endpoint) -> None:
        async with loop.Client(where, trace=onlooker, retry=RETRY) as client:
            for _ in range(2):  # the second one finds a connection
                error, ended = await read(client)
                assert error is None or same(error, onlooker.raised), error
                assert error is None or not ended or at == "done", "a stream that was given up passed for whole"
                pool = client._session.pool
                assert pool.taken == 0
                assert pool.discarded() == []
            assert onlooker.raised is not None
            assert (await client.create(**ASK)).text == "Hello, how are you?"

    with serve_in_thread(ReplayServer([BUSY, SLOWLY])) as server:
        loop.run(main, Endpoint.from_base_url(server.url, api_key="any"))


@pytest.mark.parametrize("kind", RAISED)
@pytest.mark.parametrize("later", [False, True])
def test_a_token(loop: Runtime, later: bool, kind: type[Exception]) -> None:
    raised: list[Exception] = []

    def token() -> Any:
        if raised:
            return "good"
        raised.append(kind())
        raise raised[0]

    async def awaited() -> Any:
        return token()

    async def main(url: str) -> None:
        async with loop.Client(Endpoint.from_base_url(url, auth_token=awaited if later else token)) as client:
            with pytest.raises((kind, RuntimeError, LocalProtocolError)) as caught:
                async with client.stream(**ASK):
                    pass
            error: BaseException = caught.value
            # What would end an iteration is said in other words.
            while error is not raised[0] and kind in (StopIteration, StopAsyncIteration):
                assert error.__cause__ is not None
                error = error.__cause__
            assert error is raised[0]
            assert client._session.pool.taken == 0
            assert (await client.create(**ASK)).text == "Hello, how are you?"

    with serve_in_thread(ReplayServer([HELLO])) as server:
        loop.run(main, server.url)


def test_an_onlooker_that_raises_when_a_call_is_given_up(loop: Runtime) -> None:
    """The connection is closed all the same."""
    onlooker = Onlooker("done", ZeroDivisionError)

    async def main(where: Endpoint) -> None:
        async with loop.Client(where, trace=onlooker) as client:
            stream = await client.stream(**ASK).__aenter__()
            await stream.__anext__()
            with pytest.raises(ZeroDivisionError):
                await stream.__aexit__(KeyError, KeyError(), None)
            assert client._session.pool.taken == 0
            assert client._session.pool.discarded() == []

    with serve_in_thread(ReplayServer([UNFINISHED])) as server:
        loop.run(main, Endpoint.from_base_url(server.url, api_key="any"))
