"""What every client under measurement has in common: where it calls, what it asks, who watches."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

import attrs

__all__ = ["ASK", "HEADERS", "Contestant", "Target", "Watch"]

ASK: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "max_tokens": 1024,
    "messages": [{"role": "user", "content": "Hello"}],
}
"""The request that every client sends."""

HEADERS: list[tuple[str, str]] = [
    ("x-api-key", "none"),
    ("anthropic-version", "2023-06-01"),
    ("content-type", "application/json"),
    ("accept", "text/event-stream"),
    ("user-agent", "benchmark"),
]


@attrs.define(frozen=True, kw_only=True)
class Target:
    """Where a client calls. `authority` is a file with the certificate to trust, None for plain HTTP."""

    port: int
    path: str
    authority: str | None = None
    host: str = "127.0.0.1"

    @property
    def origin(self) -> str:
        return f"{'http' if self.authority is None else 'https'}://{self.host}:{self.port}"

    @property
    def base_url(self) -> str:
        return self.origin + self.path


class Watch:
    """The consumer's side of one call: told of the first event and of every text delta."""

    __slots__ = ("_stamps", "begun", "latencies", "pieces", "text")

    def __init__(self, begun: Callable[[], None], *, stamps: bool) -> None:
        self.begun = begun
        """To be called once, at the first event."""
        self.pieces: list[str] = []
        self.latencies: list[int] = []
        self.text: Callable[[str], None] = self._stamped if stamps else self.pieces.append
        """To be called with the text of every text delta. A stamped one is the nanosecond it was sent at."""

    def _stamped(self, text: str) -> None:
        self.latencies.append(time.monotonic_ns() - int(text))


class Contestant(Protocol):
    """A client: `start` once, `call` as often and as many at once as wanted, `close` once."""

    async def start(self, target: Target) -> None: ...
    async def call(self, watch: Watch) -> None:
        """One request and its whole answer, every event handed to `watch`."""

    async def close(self) -> None: ...
