"""For tests: ways to cut bytes, composed streams of the real shape, and a server that replays them.

Nothing here is needed to use the library. Everything here is public and kept stable, for the tests of
programs that use it. Importing this package costs nothing: each name is imported from its module when it is first
used, and each runner brings in its own event loop only.

Fixtures for pytest are in `sansio_claude.testing.pytest`, a recorder of real sessions is `Recorder`, a catalogue of
faults for any client `sansio_claude.testing.faults`.

    from sansio_claude.testing import ReplayServer, compose, serve_in_thread

    server = ReplayServer([compose("Hello!", seed=1)])
    with serve_in_thread(server) as address:
        ...  # any client, with address.url as its base URL
    assert server.requests[0].json()["stream"] is True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sansio_claude._described import described

if TYPE_CHECKING:
    from sansio_claude.testing import chunkings as chunkings
    from sansio_claude.testing import transcripts as transcripts
    from sansio_claude.testing._address import ServerAddress
    from sansio_claude.testing._answers import Answer, AnswerEnd, Chunking, Framing
    from sansio_claude.testing._asyncio import serve_in_asyncio
    from sansio_claude.testing._connection import Close, Receive, ReplayAction, ReplayConnection, Write
    from sansio_claude.testing._replay import RecordedRequest, ReplayServer, Reply, Script
    from sansio_claude.testing._thread import serve_in_thread
    from sansio_claude.testing._trio import serve_in_trio
    from sansio_claude.testing.recorder import Recorder, RecordingIterator
    from sansio_claude.testing.recording import RecordedCall, Recording
    from sansio_claude.testing.transcripts import Dialect, Transcript, compose

# Module, a colon, the public names that it defines.
_PUBLIC = """
_address: ServerAddress
_answers: Answer AnswerEnd Chunking Framing
_asyncio: serve_in_asyncio
_connection: Close Receive ReplayAction ReplayConnection Write
_replay: RecordedRequest ReplayServer Reply Script
_thread: serve_in_thread
_trio: serve_in_trio
recorder: Recorder RecordingIterator
recording: RecordedCall Recording
transcripts: Dialect Transcript compose
"""
_MODULE_OF = {name: line.split(":")[0] for line in _PUBLIC.split("\n") if line for name in line.split(":")[1].split()}

__all__ = [
    "Answer",
    "AnswerEnd",
    "Chunking",
    "Close",
    "Dialect",
    "Framing",
    "Receive",
    "RecordedCall",
    "RecordedRequest",
    "Recorder",
    "Recording",
    "RecordingIterator",
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
    from importlib import import_module

    if name in ("chunkings", "transcripts"):
        return import_module(f"{__name__}.{name}")
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = described(getattr(import_module(f"{__name__}.{module}"), name))
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
