"""The client on asyncio."""

from __future__ import annotations

from sansio_claude.asyncio._client import Client, Stream, TextIterator

__all__ = ["Client", "Stream", "TextIterator"]
