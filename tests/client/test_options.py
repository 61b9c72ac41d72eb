"""Options that are not what they have to be are said when they are given, with what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import sansio_claude as c
import sansio_claude.asyncio
import sansio_claude.sync
import sansio_claude.trio
from sansio_claude.gateway import Repair, StreamMonitor, read_wrapped

ENDPOINT = c.Endpoint.from_base_url("https://example.org", api_key="k")
CLIENTS = [sansio_claude.sync.Client, sansio_claude.asyncio.Client, sansio_claude.trio.Client]
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"timeouts": 5}, r"Timeouts\(total=5\)"),
    ({"retry": 3}, r"RetryPolicy\(max_retries=3\)"),
    ({"limits": 5}, "Limits"),
    ({"trace": 5}, "TraceEvent"),
    ({"headers": [("a", "b")]}, "headers takes a mapping"),
    ({"headers": {"content-length": "5"}}, "belongs to the connection"),
    ({"tolerance": {"usage": "foo"}}, "accept"),
]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client(client: Callable[..., Any]) -> None:
    for options, words in WRONG:
        with pytest.raises(c.LocalProtocolError, match=words):
            client(ENDPOINT, **options)
    with pytest.raises(c.LocalProtocolError, match=r"write Client\(Endpoint\.from_base_url"):
        client("https://example.org")
    made = client(ENDPOINT)
    for options, words in WRONG[:2]:
        with pytest.raises(c.LocalProtocolError, match=words):
            made.with_options(**options)


@pytest.mark.parametrize(
    "make",
    [
        c.MessageStream,
        c.MessageAccumulator,
        c.SSEDecoder,
        c.ChunkedDecoder,
        c.BatchResults,
        Repair,
        StreamMonitor,
        lambda limits: c.iter_events([], limits=limits),
        lambda limits: c.Message.from_json(b"{}", limits=limits),
        lambda limits: c.TokenCount.from_json(b"{}", limits=limits),
        lambda limits: c.decode(c.ServerSentEvent("ping", b"{}"), limits=limits),
        lambda limits: read_wrapped([], limits=limits),
    ],
)
def test_limits(make: Callable[..., Any]) -> None:
    with pytest.raises(c.LocalProtocolError, match="limits has to be Limits"):
        make(limits=5)
