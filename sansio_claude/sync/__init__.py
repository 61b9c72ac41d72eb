"""The client on blocking sockets, for programs without an event loop. Threads may share it."""

from __future__ import annotations

from sansio_claude.sync._client import Client
from sansio_claude.sync._run import Extraction, Run
from sansio_claude.sync._stream import Stream, TextIterator

__all__ = ["Client", "Extraction", "Run", "Stream", "TextIterator"]
