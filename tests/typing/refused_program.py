"""What the type checkers have to refuse: an ignore that nothing needs is an error itself, in both of them."""
# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from typing import Any

import sansio_claude.asyncio
import sansio_claude.sync
from sansio_claude import user
from sansio_claude.tools import tool

QUESTION: list[Any] = [user("Hello")]


@tool(timeout=5)
def add(a: int, b: int = 1) -> int:
    """Add two numbers."""
    return a + b


def wrong_calls_of_a_tool() -> None:
    """Arguments of other types, missing and unknown ones; an option that `tool` has not."""
    add("1")  # type: ignore[arg-type]
    add()  # type: ignore[call-arg]
    add(1, c=2)  # type: ignore[call-arg]
    tool(add, time_out=5)  # type: ignore[call-overload]


async def what_is_required(client: sansio_claude.asyncio.Client) -> None:
    """The API's required arguments, where there is no request that may have them."""
    await client.create(model="m", messages=QUESTION)  # type: ignore[call-overload]
    client.stream(model="m", max_tokens=1)  # type: ignore[call-overload]
    await client.run(tools=[add], model="m", messages=QUESTION)  # type: ignore[call-overload]
    await client.extract(int, model="m", max_tokens=1)  # type: ignore[call-overload]
    await client.count_tokens(messages=QUESTION)  # type: ignore[call-overload]
    await client.create(model="m", max_token=1, messages=QUESTION)  # type: ignore[call-overload]


def what_is_required_without_await(client: sansio_claude.sync.Client) -> None:
    """The same of the blocking client."""
    client.create(model="m", messages=QUESTION)  # type: ignore[call-overload]
    client.stream(model="m", max_tokens=1)  # type: ignore[call-overload]
    client.run(tools=[add], model="m", messages=QUESTION)  # type: ignore[call-overload]
    client.extract(int, model="m", max_tokens=1)  # type: ignore[call-overload]
    client.extraction(int, max_tokens=1, messages=QUESTION)  # type: ignore[call-overload]
    client.count_tokens(messages=QUESTION)  # type: ignore[call-overload]
