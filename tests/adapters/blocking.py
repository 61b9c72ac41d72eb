"""The blocking client in the clothes of the others, so that one test runs on all of them: its methods are coroutines
that never suspend, and its "event loop" only sees to it that they do not."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import sansio_claude.sync
from sansio_claude._runtime.blocking import finish

__all__ = ["Client", "gather", "move_on_after", "run", "sleep"]


class _Dressed:
    """What is called is called at once, what is asked for is asked of the blocking one."""

    def __init__(self, inner: Any) -> None:
        self._dressed = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dressed, name)


class Stream(_Dressed):
    """A stream with `async`."""

    async def __aenter__(self) -> Stream:
        self._dressed.__enter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        self._dressed.__exit__(*error)

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> Any:
        try:
            return self._dressed.__next__()
        except StopIteration:
            raise StopAsyncIteration from None

    def text(self) -> Stream:
        return Stream(self._dressed.text())

    async def final_message(self) -> Any:
        return self._dressed.final_message()

    async def aclose(self) -> None:
        self._dressed.close()


class Client(_Dressed):
    """A client with `async`."""

    _runtime = sansio_claude.sync._client._Inner._runtime

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(sansio_claude.sync.Client(*args, **options))

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *error: Any) -> None:
        self._dressed.close()

    async def aclose(self) -> None:
        self._dressed.close()

    def with_options(self, **options: Any) -> Client:
        other = Client.__new__(Client)
        other._dressed = self._dressed.with_options(**options)
        return other

    def stream(self, *args: Any, **arguments: Any) -> Stream:
        return Stream(self._dressed.stream(*args, **arguments))

    def run(self, *args: Any, **arguments: Any) -> Stream:
        return Stream(self._dressed.run(*args, **arguments))

    async def create(self, *args: Any, **arguments: Any) -> Any:
        return self._dressed.create(*args, **arguments)

    async def count_tokens(self, *args: Any, **arguments: Any) -> Any:
        return self._dressed.count_tokens(*args, **arguments)

    async def models(self, *args: Any, **arguments: Any) -> Any:
        return self._dressed.models(*args, **arguments)

    async def model(self, *args: Any, **arguments: Any) -> Any:
        return self._dressed.model(*args, **arguments)


def run(function: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    """Run a test's main function."""

    async def main() -> Any:
        return await function(*arguments)

    return finish(main())


async def sleep(seconds: float) -> None:
    """Block."""
    time.sleep(seconds)  # noqa: ASYNC251


@contextlib.asynccontextmanager
async def move_on_after(seconds: float) -> Any:
    """Nothing can end a block from outside here; the deadlines of the client do."""
    yield


async def gather(*functions: Callable[[], Awaitable[Any]]) -> list[Any]:
    """Run them in threads, side by side."""
    results: list[Any] = [None] * len(functions)
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            results[number] = run(functions[number])
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return results
