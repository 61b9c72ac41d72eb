"""One client in a process of its own, so that the CPU time and the memory measured are the client's alone.

`python -m benchmarks.worker LOOP CLIENT` reads one JSON job a line from standard input and answers each with one
JSON line. A job says where to call and what to do: `streams` at once, `repeat` times one after another.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import importlib
import json
import resource
import socket
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from threading import Lock
from typing import Any, TypeVar

import attrs

from benchmarks.rivals.contest import Contestant, Target, Watch
from benchmarks.rivals.hand import TLSKind

__all__ = ["CLIENTS", "main"]

PAGE = resource.getpagesize()

T = TypeVar("T")


def _require(*modules: str) -> None:
    """Imports what a rival needs, so that a missing one is known before any job."""
    for module in modules:
        importlib.import_module(module)


def _client(name: str, loop: str) -> Contestant:
    """The contestant of that name; an ImportError says that it is not installed."""
    client: Contestant
    if loop == "blocking":
        client = _blocking_client(name)
    elif name in ("proxy", "proxy-watched"):
        from benchmarks.rivals.proxy import ProxyClient

        client = ProxyClient(watched=name == "proxy-watched")
    elif name == "ours":
        from benchmarks.rivals.ours import OurClient

        client = OurClient("trio" if loop == "trio" else "asyncio")
    elif name in ("hand", "raw", "hand-stock-tls"):
        from benchmarks.rivals.hand import Discard, Exchange

        kind = Discard if name == "raw" else Exchange
        tls: TLSKind = "loop" if name == "hand-stock-tls" else "memory"
        if loop == "trio":
            from benchmarks.rivals import hand_trio

            client = hand_trio.HandClient(kind, tls)
        else:
            from benchmarks.rivals import hand_asyncio

            client = hand_asyncio.HandClient(kind, tls)
    elif name == "aiohttp":
        from benchmarks.rivals.clients import AiohttpClient

        _require("aiohttp", "orjson")
        client = AiohttpClient()
    else:
        from benchmarks.rivals.clients import SDKClient

        _require("anthropic", *(["aiohttp"] if name == "sdk-aiohttp" else []))
        client = SDKClient(accumulate=name != "sdk-typed", transport="aiohttp" if name == "sdk-aiohttp" else "httpx")
    return client


def _blocking_client(name: str) -> Contestant:
    from benchmarks.rivals import blocking

    needed = {"sdk": "anthropic", "requests": "requests", "httpx": "httpx"}
    if name in needed:
        _require(needed[name])
    clients: dict[str, Callable[[], Contestant]] = {
        "ours": blocking.OurClient,
        "hand": blocking.HandClient,
        "sdk": blocking.SDKClient,
        "requests": blocking.RequestsClient,
        "httpx": blocking.HttpxClient,
    }
    return clients[name]()


CLIENTS: dict[str, str] = {
    "ours": "sansio_claude",
    "hand": "by hand",
    "hand-stock-tls": "by hand, the loop's own TLS",
    "raw": "raw read and discard",
    "aiohttp": "aiohttp, own loop, orjson",
    "sdk": "official SDK, messages.stream",
    "requests": "requests, own loop, json",
    "httpx": "httpx, own loop, json",
    "proxy": "a proxy that forwards blindly",
    "proxy-watched": "the same with StreamMonitor",
    "sdk-aiohttp": "AsyncAnthropic.stream over aiohttp",
    "sdk-typed": "AsyncAnthropic.create(stream=True)",
}
"""The clients that can be asked for, in words."""


@attrs.define(kw_only=True)
class Job:
    """What to do."""

    port: int
    path: str
    control: int
    """The plain port, where groups are released."""
    authority: str | None = None
    streams: int = 1
    repeat: int = 1
    stamps: bool = False
    release: str | None = None
    """The group to release once every stream has begun."""
    warm: str | None = None
    """A path to call once before, unmeasured."""


def resident() -> int:
    """Bytes of memory that this process holds now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * PAGE


def _release(port: int, group: str) -> None:
    with socket.create_connection(("127.0.0.1", port)) as control:
        control.sendall(f"GET /release/{group} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        control.recv(100)


@attrs.define
class Marks:
    """CPU time, clock and memory at one moment."""

    cpu: float
    wall: float
    rss: int

    @classmethod
    def now(cls) -> Marks:
        return cls(time.process_time(), time.perf_counter(), resident())


@attrs.define
class Run:
    """One job's measuring: from `start` over `begun` (every stream has its first event) to `ended`."""

    job: Job
    start: Marks
    begun: Marks | None = None
    waiting: int = 0
    _lock: Lock = attrs.field(factory=Lock)  # blocking streams begin in threads

    def first(self) -> None:
        with self._lock:
            self.waiting -= 1
            left = self.waiting
        if left == 0:
            if self.job.release is not None:
                gc.collect()
            self.begun = Marks.now()
            if self.job.release is not None:
                _release(self.job.control, self.job.release)

    def report(self, watches: list[Watch], errors: list[str]) -> dict[str, Any]:
        ended = Marks.now()
        begun = self.begun or ended
        late = sorted(value for watch in watches for value in watch.latencies)
        texts = {hashlib.sha256("".join(watch.pieces).encode()).hexdigest() for watch in watches}
        return {
            "cpu_open": begun.cpu - self.start.cpu,
            "cpu_steady": ended.cpu - begun.cpu,
            "cpu": ended.cpu - self.start.cpu,
            "wall": ended.wall - self.start.wall,
            "wall_steady": ended.wall - begun.wall,
            "grown": begun.rss - self.start.rss,
            "deltas": len(late) or sum(len(watch.pieces) for watch in watches),
            "p50": late[len(late) // 2] / 1e9 if late else None,
            "p99": late[len(late) * 99 // 100] / 1e9 if late else None,
            "texts": sorted(texts),
            "errors": errors,
        }


Together = Callable[[list[Callable[[], Awaitable[None]]]], Awaitable[None]]


async def _perform(job: Job, client: Contestant, together: Together) -> dict[str, Any]:
    """Runs a job on whatever loop this is; `together` runs many calls at once."""
    target = Target(port=job.port, path=job.path, authority=job.authority)
    if job.warm is not None:
        await client.start(attrs.evolve(target, path=job.warm))
        await client.call(Watch(lambda: None, stamps=False))
        await client.close()
    await client.start(target)
    watches: list[Watch] = []
    errors: list[str] = []
    gc.collect()
    run = Run(job, Marks.now())

    async def one() -> None:
        watch = Watch(run.first, stamps=job.stamps)
        watches.append(watch)
        try:
            await client.call(watch)
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}"[:200])
            run.first()

    for _ in range(job.repeat):
        run.waiting = job.streams
        if job.streams == 1:
            await one()
        else:
            await together([one] * job.streams)
    report = run.report(watches, errors)
    await client.close()
    return report


def _on_asyncio(job: Job, make: Callable[[], Contestant], uvloop: bool) -> dict[str, Any]:
    async def together(calls: list[Callable[[], Awaitable[None]]]) -> None:
        await asyncio.gather(*(call() for call in calls))

    factory = None
    if uvloop:
        import uvloop as fast

        factory = fast.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(_perform(job, make(), together))


def _on_trio(job: Job, make: Callable[[], Contestant]) -> dict[str, Any]:
    import trio

    async def together(calls: list[Callable[[], Awaitable[None]]]) -> None:
        async with trio.open_nursery() as nursery:
            for call in calls:
                nursery.start_soon(call)

    return trio.run(partial(_perform, job, make(), together))


def _drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise RuntimeError("a blocking client suspended")


def _on_threads(job: Job, make: Callable[[], Contestant]) -> dict[str, Any]:
    async def together(calls: list[Callable[[], Awaitable[None]]]) -> None:
        def run(call: Callable[[], Awaitable[None]]) -> None:
            _drive(call())  # type: ignore[arg-type]  # all of them are coroutine functions

        threads = [threading.Thread(target=run, args=(call,)) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    threading.stack_size(256 * 1024)
    return _drive(_perform(job, make(), together))


def main() -> None:
    loop, name = sys.argv[1:3]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        if loop != "blocking":
            _require(loop)
        _client(name, loop)
    except ImportError as error:
        print(json.dumps({"missing": f"not installed ({error})"}), flush=True)
        return
    print(json.dumps({"ready": True}), flush=True)

    def make() -> Contestant:
        return _client(name, loop)

    for line in sys.stdin:
        job = Job(**json.loads(line))
        try:
            if loop == "blocking":
                report = _on_threads(job, make)
            else:
                report = _on_trio(job, make) if loop == "trio" else _on_asyncio(job, make, loop == "uvloop")
        except Exception as error:
            traceback.print_exc()
            report = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
