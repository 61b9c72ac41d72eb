"""The client process of the soak, on one loop: endless callers, each with its own kind of call.

Run by `benchmarks.suites.soak`; prints a sample of memory and descriptors every second and a summary at the end.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import attrs

import sansio_claude
from benchmarks.rivals.contest import ASK, Target
from benchmarks.rivals.hand import context_of
from benchmarks.traffic.script import Script, answer
from benchmarks.worker import resident
from sansio_claude._runtime.blocking import finish

__all__ = ["main"]

GOOD = ("short", "thinking", "many_tools", "citations", "multibyte")
FAULTS: dict[str, tuple[type[Exception], ...]] = {
    "cut": (sansio_claude.TruncatedError,),
    "short": (sansio_claude.TruncatedError,),
    "error": (sansio_claude.OverloadedError,),
    "chunk": (sansio_claude.RemoteProtocolError,),
    "json": (sansio_claude.RemoteProtocolError,),
    "html": (sansio_claude.ServerError,),
    "silent": (sansio_claude.TransportError, sansio_claude.RemoteProtocolError),
    "overloaded": (sansio_claude.OverloadedError,),
}


@attrs.define
class Tally:
    """What has happened so far."""

    calls: int = 0
    good: int = 0
    left: int = 0
    faults: int = 0
    wrong: list[str] = attrs.field(factory=list)


@attrs.define
class Caller:
    """One endless caller: a client of its own and what its calls have to end in."""

    client: Any
    script: Script
    leaves: bool = False
    error: tuple[type[Exception], ...] | None = None

    async def call(self, tally: Tally) -> None:
        tally.calls += 1
        try:
            async with self.client.stream(**ASK) as stream:
                seen = 0
                async for _ in stream:
                    seen += 1
                    if self.leaves and seen == 5:
                        break
                else:
                    message = await stream.final_message()
                    self._check(message, tally)
        except Exception as error:
            if self.error is not None and isinstance(error, self.error):
                tally.faults += 1
            else:
                tally.wrong.append(f"{self.script.path}: {type(error).__name__}: {error}"[:300])
            return
        if self.leaves:
            tally.left += 1

    def _check(self, message: Any, tally: Tally) -> None:
        if self.error is not None:
            tally.wrong.append(f"{self.script.path}: a message came of a fault")
        elif message.to_dict() != answer(self.script.shape).message:
            tally.wrong.append(f"{self.script.path}: the message is not the one that was sent")
        else:
            tally.good += 1


class Blocking:
    """The blocking client, or a stream of it, with the methods of the others: coroutines that never suspend."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def stream(self, **arguments: Any) -> Blocking:
        return Blocking(self.inner.stream(**arguments))

    async def __aenter__(self) -> Blocking:
        self.inner.__enter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        self.inner.__exit__(*error)

    def __aiter__(self) -> Blocking:
        return self

    async def __anext__(self) -> Any:
        for event in self.inner:
            return event
        raise StopAsyncIteration

    async def final_message(self) -> Any:
        return self.inner.final_message()


def _callers(settings: dict[str, Any]) -> list[Caller]:
    blocking = settings["loop"] == "sync"
    adapter = importlib.import_module(f"sansio_claude.{settings['loop'].replace('uvloop', 'asyncio')}")
    plain = Target(port=settings["plain"], path="")
    secure = None
    if settings["tls"] is not None:
        secure = Target(port=settings["tls"], path="", authority=settings["authority"])

    def client(target: Target, script: Script, retries: int = 0) -> Any:
        endpoint = sansio_claude.Endpoint.from_base_url(target.origin + script.path, api_key="none")
        retry = sansio_claude.RetryPolicy(max_retries=retries)
        made = adapter.Client(endpoint, retry=retry, ssl_context=context_of(target))
        return Blocking(made) if blocking else made

    callers = []
    for target in [plain] if secure is None else [plain, secure]:
        for shape in GOOD:
            script = Script("whole", shape)
            callers.append(Caller(client(target, script), script))
        for mode, shape in (("whole", "chat"), ("each", "thinking")):
            script = Script(mode, shape)
            callers.append(Caller(client(target, script), script, leaves=True))
        for kind, error in FAULTS.items():
            script = Script(f"fault-{kind}", "short")
            callers.append(Caller(client(target, script), script, error=error))
    script = Script("fault-flaky", "short", settings["loop"])
    callers.append(Caller(client(plain, script, retries=2), script))
    return callers


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def _soak(
    settings: dict[str, Any],
    together: Callable[[list[Callable[[], Awaitable[None]]]], Awaitable[None]],
    sleep: Callable[[float], Awaitable[object]],
) -> None:
    first = _callers(settings)[0]
    async with first.client:
        await first.call(Tally())  # an event loop may open what it keeps for good
    await sleep(0.1)
    gc.collect()
    before = _descriptors()
    tally = Tally()
    callers = _callers(settings)
    for caller in callers:
        await caller.client.__aenter__()
    end = time.monotonic() + settings["seconds"]

    def endless(caller: Caller) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            while time.monotonic() < end:
                await caller.call(tally)
                await sleep(0)

        return run

    async def samples() -> None:
        while time.monotonic() < end:
            gc.collect()
            print(json.dumps({"rss": resident(), "fds": _descriptors()}), flush=True)
            await sleep(1)

    await together([samples, *map(endless, callers)])
    for caller in callers:
        await caller.client.__aexit__(None, None, None)
    await sleep(0.1)
    gc.collect()
    print(json.dumps(attrs.asdict(tally) | {"fds_before": before, "fds_after": _descriptors()}), flush=True)


def main() -> None:
    settings = json.loads(sys.argv[1])
    if settings["loop"] == "trio":
        import trio

        async def in_nursery(calls: list[Callable[[], Awaitable[None]]]) -> None:
            async with trio.open_nursery() as nursery:
                for call in calls:
                    nursery.start_soon(call)

        trio.run(_soak, settings, in_nursery, trio.sleep)
    elif settings["loop"] == "sync":

        async def sleep(seconds: float) -> None:
            time.sleep(seconds)  # noqa: ASYNC251

        async def in_threads(calls: list[Callable[[], Awaitable[None]]]) -> None:
            threads = [threading.Thread(target=finish, args=(call(),)) for call in calls]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        finish(_soak(settings, in_threads, sleep))
    else:

        async def gathered(calls: list[Callable[[], Awaitable[None]]]) -> None:
            await asyncio.gather(*(call() for call in calls))

        factory = None if settings["loop"] == "asyncio" else importlib.import_module("uvloop").new_event_loop
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(_soak(settings, gathered, asyncio.sleep))


if __name__ == "__main__":
    main()
