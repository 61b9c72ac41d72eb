"""For tests: ways to cut bytes, composed streams of the real shape, and a server that replays them.

Nothing here is needed to use the library. Everything here is public and kept stable, for the tests of
programs that use it. Importing this package brings in no event loop: each runner imports its own when it is asked for.

    from sansio_claude.testing import ReplayServer, compose, serve_in_thread

    server = ReplayServer([compose("Hello!", seed=1)])
    with serve_in_thread(server) as address:
        ...  # any client, with address.url as its base URL
    assert server.requests[0].json()["stream"] is True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sansio_claude.testing import chunkings as chunkings
from sansio_claude.testing import transcripts as transcripts
from sansio_claude.testing._address import ServerAddress
from sansio_claude.testing._answers import Answer, AnswerEnd, Chunking, Framing
from sansio_claude.testing._connection import Close, Receive, ReplayAction, ReplayConnection, Write
from sansio_claude.testing._replay import RecordedRequest, ReplayServer, Reply, Script
from sansio_claude.testing.transcripts import Dialect, Transcript, compose

if TYPE_CHECKING:
    from sansio_claude.testing._asyncio import serve_in_asyncio
    from sansio_claude.testing._thread import serve_in_thread
    from sansio_claude.testing._trio import serve_in_trio

__all__ = [
    "Answer",
    "AnswerEnd",
    "Chunking",
    "Close",
    "Dialect",
    "Framing",
    "Receive",
    "RecordedRequest",
    "ReplayAction",
    "ReplayConnection",
    "ReplayServer",
    "Reply",
    "Script",
    "ServerAddress",
    "Transcript",
    "Write",
    "chunkings",
    "compose",
    "serve_in_asyncio",
    "serve_in_thread",
    "serve_in_trio",
    "transcripts",
]


def __getattr__(name: str) -> Any:
    """The runners, each importing its event loop only now."""
    if name == "serve_in_trio":
        from sansio_claude.testing._trio import serve_in_trio

        return serve_in_trio
    if name == "serve_in_asyncio":
        from sansio_claude.testing._asyncio import serve_in_asyncio

        return serve_in_asyncio
    if name == "serve_in_thread":
        from sansio_claude.testing._thread import serve_in_thread

        return serve_in_thread
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
