"""The client on trio."""

from __future__ import annotations

from sansio_claude.trio._client import Client, Stream, TextIterator

__all__ = ["Client", "Stream", "TextIterator"]
