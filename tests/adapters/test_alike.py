"""The clients against each other: on the same script the same events, attempts, errors and words."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from typing import Any

import pytest

from sansio_claude._call.retry import RetryPolicy
from sansio_claude._call.timeouts import Timeouts
from sansio_claude._call.trace import TraceEvent
from sansio_claude._errors import ClaudeError
from tests.adapters.runtimes import LOOPS, SYNC, Runtime, raw_server, read_request, reset
from tests.adapters.test_client import ASK, endpoint
from tests.virtual import (
    CLOSING,
    DELTAS,
    GOOD,
    GOOD_HEAD,
    OPENING,
    OVERLOADED,
    PING,
    START,
    answer,
    chunked,
    frame,
    head,
    refusal,
)

CUT = GOOD_HEAD + chunked(*OPENING, DELTAS[0], last=False)
USAGE = {**START, "message": {**START["message"], "usage": None}}  # type: ignore[dict-item]
SCRIPTS: dict[str, list[list[bytes | str]]] = {
    "good": [[GOOD]],
    "byte by byte": [[GOOD[at : at + 7] for at in range(0, len(GOOD), 7)]],
    "pings": [[GOOD_HEAD, chunked(PING, *OPENING, PING, *DELTAS, PING, *CLOSING)]],
    "a deviation": [[answer(frame(USAGE), *OPENING[1:], *DELTAS, *CLOSING)]],
    "cut": [[CUT, "eof"]],
    "reset": [[CUT, "reset"]],
    "silence": [[CUT, "hang"]],
    "no answer": [["hang"]],
    "gone at once": [["eof"], ["reset"], [GOOD]],
    "overloaded first": [[answer(OVERLOADED)], [GOOD]],
    "overloaded in the middle": [[answer(*OPENING, DELTAS[0], OVERLOADED)]],
    "refusals": [[refusal(529, "overloaded_error")], [refusal(429, "rate_limit_error", "retry-after: 0.01")], [GOOD]],
    "refused for good": [[refusal(400, "invalid_request_error", message="max_tokens: too many")]],
    "three failures": [[refusal(500)], [refusal(502)], [refusal(503)]],
    "no http": [[b"SSH-2.0-x\r\n\r\n"]],
    "html": [[head(200, "content-type: text/html") + chunked(b"<html>x</html>")]],
    "no json": [[answer(*OPENING, b"event: content_block_delta\ndata: {\n\n")]],
    "redirect": [[head(307, "location: https://elsewhere.test/x", framing="content-length: 0")]],
}
TIMES = Timeouts(first_byte=1.0, idle=1.0, connect=5.0)
RETRY = RetryPolicy(max_retries=2, initial=0.001, jitter=0.0)


def server_of(script: list[list[bytes | str]]) -> Callable[[socket.socket], None]:
    rest = [*script]

    def handler(connection: socket.socket) -> None:
        while read_request(connection) and rest:
            for step in rest.pop(0):
                if isinstance(step, bytes):
                    connection.sendall(step)
                elif step == "hang":
                    connection.recv(1)
                    return
                elif step == "reset":
                    reset(connection)
                    return
                else:
                    return

    return handler


def seen_of(runtime: Runtime, name: str, how: str) -> dict[str, Any]:
    """All that a caller can tell, but for times and ports."""
    trace: list[TraceEvent] = []
    seen: dict[str, Any] = {"events": []}

    def plain(words: object) -> str:
        words = re.sub(r"(first_byte).*", r"\1", str(words))  # how much comes with it is the network's affair
        return re.sub(r"127\.0\.0\.1:\d+|call \d+|in \d+\.\d+ s", "*", words)

    async def main(address: tuple[str, int]) -> None:
        async with runtime.Client(endpoint(address), retry=RETRY, timeouts=TIMES, trace=trace.append) as client:
            try:
                if how == "stream":
                    async with client.stream(**ASK) as stream:
                        async for event in stream:
                            seen["events"].append(repr(event))
                        seen["deviations"] = [repr(each) for each in stream.deviations]
                        seen["message"] = (await stream.final_message()).to_dict()
                else:
                    seen["message"] = (await client.create(**ASK)).to_dict()
            except ClaudeError as error:
                partial = error.partial
                seen["error"] = (type(error).__name__, plain(error), None if partial is None else partial.to_dict())
                seen["cause"] = type(error.__cause__).__name__
                seen["attempts"] = [
                    (each.number, each.error, plain(each.words), each.status, each.reused, each.wait is None)
                    for each in error.attempts
                ]
            pool = client._session.pool
            seen["pool"] = (pool.taken, pool.idle, pool.waiting)

    with raw_server(server_of(SCRIPTS[name])) as address:
        runtime.run(main, address)
    seen["trace"] = [plain(event) for event in trace]
    return seen


@pytest.mark.parametrize("how", ["stream", "create"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_all_see_the_same(name: str, how: str) -> None:
    first, *others = [(runtime, seen_of(runtime, name, how)) for runtime in (*LOOPS, SYNC)]
    for runtime, seen in others:
        assert seen == first[1], f"{runtime} against {first[0]}"
