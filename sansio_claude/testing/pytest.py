"""Fixtures for tests of programs that call the Messages API: a replay server and the endpoint that leads to it.

Load them in a conftest.py with `pytest_plugins = ["sansio_claude.testing.pytest"]`, or with `-p` on the command line.

    def test_my_program(claude_replay):                     # any client: blocking, asyncio, trio, another library
        server, endpoint = claude_replay(compose("Hello!"))
        assert my_program(endpoint) == "Hello!"
        assert server.requests[0].json()["max_tokens"] == 1024

    async def test_on_trio(claude_replay_trio):             # on the test's own loop and clock; claude_replay_asyncio
        async with claude_replay_trio(compose("Hello!")) as (server, endpoint):
            ...

The arguments are the script of a `ReplayServer` (transcripts, recorded bytes, answers, functions of the request), the
options its options. Each entry answers one request: a request beyond the last is answered 400, which no client
repeats, in words that say so. What a function of the script raises, an assertion above all, fails the test with that
exception, whatever the client made of the answer. Nothing is imported and no socket is opened before a fixture is used.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import pytest

if TYPE_CHECKING:
    from pluggy import Result

    from sansio_claude._request.endpoint import Endpoint
    from sansio_claude.testing._address import ServerAddress
    from sansio_claude.testing._replay import ReplayServer

__all__ = ["Replay", "ReplayFactory", "ReplayScope", "claude_replay", "claude_replay_asyncio", "claude_replay_trio"]

KEY = "sk-ant-replay-key"
_SERVERS = pytest.StashKey[list[Any]]()


class Replay(NamedTuple):
    """A replay server and the endpoint at which a client reaches it."""

    server: ReplayServer
    endpoint: Endpoint


ReplayFactory: TypeAlias = Callable[..., Replay]
"""`claude_replay(*script, **options)`: a running replay server; it stops at the end of the test."""

ReplayScope: TypeAlias = Callable[..., AbstractAsyncContextManager[Replay]]
"""`claude_replay_trio(*script, **options)`: runs while the `async with` block does."""


def _server(item: pytest.Item, script: tuple[Any, ...], options: dict[str, Any]) -> ReplayServer:
    from sansio_claude.testing import ReplayServer

    server = ReplayServer(script, **{"once": not options.get("cycle", False), **options})
    item.stash.setdefault(_SERVERS, []).append(server)
    return server


def _replay(server: ReplayServer, address: ServerAddress) -> Replay:
    from sansio_claude._request.endpoint import Endpoint

    return Replay(server, Endpoint.from_base_url(address.url, api_key=server.api_key or KEY))


@pytest.fixture
def claude_replay(request: pytest.FixtureRequest) -> Iterator[ReplayFactory]:
    """`claude_replay(*script, **options) -> (server, endpoint)`: a replay server in a thread, for any client."""
    with contextlib.ExitStack() as stack:

        def replay(*script: Any, **options: Any) -> Replay:
            from sansio_claude.testing import serve_in_thread

            server = _server(request.node, script, options)
            return _replay(server, stack.enter_context(serve_in_thread(server)))

        try:
            yield replay
        finally:
            _forget(request.node)


@pytest.fixture
def claude_replay_asyncio(request: pytest.FixtureRequest) -> Iterator[ReplayScope]:
    """`async with claude_replay_asyncio(*script, **options) as (server, endpoint)`: on the loop of the test."""

    @contextlib.asynccontextmanager
    async def replay(*script: Any, **options: Any) -> AsyncIterator[Replay]:
        from sansio_claude.testing import serve_in_asyncio

        server = _server(request.node, script, options)
        async with serve_in_asyncio(server) as address:
            yield _replay(server, address)

    yield replay
    _forget(request.node)


@pytest.fixture
def claude_replay_trio(request: pytest.FixtureRequest) -> Iterator[ReplayScope]:
    """`async with claude_replay_trio(*script, **options) as (server, endpoint)`: on the trio run of the test."""

    @contextlib.asynccontextmanager
    async def replay(*script: Any, **options: Any) -> AsyncIterator[Replay]:
        from sansio_claude.testing import serve_in_trio

        server = _server(request.node, script, options)
        async with serve_in_trio(server) as address:
            yield _replay(server, address)

    yield replay
    _forget(request.node)


def _forget(item: pytest.Item) -> None:
    """What scripts raised has been reported by the test itself."""
    for server in item.stash.get(_SERVERS, []):
        server.failures.clear()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Result[None], None]:
    """Fail the test with what a function of a script raised, in place of what the client made of it."""
    outcome = yield
    for server in item.stash.get(_SERVERS, []):
        if server.failures and (outcome.exception is None or isinstance(outcome.exception, Exception)):
            outcome.force_exception(server.failures[0])
            return
