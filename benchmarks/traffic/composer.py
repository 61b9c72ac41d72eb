"""Writes one answer, frame by frame as the API writes it, and the message that it adds up to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any, Literal

import attrs

from benchmarks.traffic.words import BASE64, WORDS, fragments

__all__ = ["Arrival", "Body", "Composer"]

Arrival = Literal["event", "16k", "byte"]


@attrs.define(frozen=True)
class Body:
    """One answer: its frames as on the wire, the JSON payload of each, and the message they add up to."""

    frames: tuple[bytes, ...]
    payloads: tuple[bytes, ...]
    message: dict[str, Any]

    @property
    def size(self) -> int:
        """Bytes of the whole body."""
        return sum(map(len, self.frames))

    def arriving(self, how: Arrival) -> list[bytes]:
        """The body cut as it arrives: one event a read, 16 KiB reads, or a byte at a time."""
        if how == "event":
            return list(self.frames)
        whole = b"".join(self.frames)
        step = 1 if how == "byte" else 16384
        return [whole[i : i + step] for i in range(0, len(whole), step)]


class Composer:
    """Writes the frames of one answer and keeps the message that they add up to."""

    def __init__(self, seed: str, *, newline: str = "\n", padded: bool = True, spaced: bool = False) -> None:
        self.random = Random(f"sansio {seed}")
        self._newline = newline
        self._padded = padded
        self._spaced = spaced
        self._frames: list[bytes] = []
        self._payloads: list[bytes] = []
        self._content: list[dict[str, Any]] = []
        self.usage: dict[str, Any] = {
            "input_tokens": 2095,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 1,
            "service_tier": "standard",
        }
        self.message: dict[str, Any] = {
            "model": "claude-opus-5-5",
            "id": "msg_01" + self._opaque(22),
            "type": "message",
            "role": "assistant",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": dict(self.usage),
        }
        self.event({"type": "message_start", "message": self.message})

    def _opaque(self, length: int) -> str:
        return "".join(self.random.choices(BASE64, k=length))

    def event(self, value: dict[str, Any]) -> None:
        """One frame, dressed as this server dresses them."""
        name = value["type"]
        if self._spaced:
            payload = json.dumps(value)
        elif name == "ping":
            payload = '{"type": "ping"}'
        else:
            payload = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            if self._padded:
                payload = payload[:-1] + " " * self.random.randrange(16) + "}"
        end = self._newline
        self._frames.append(f"event: {name}{end}data: {payload}{end}{end}".encode())
        self._payloads.append(payload.encode())

    def ping(self) -> None:
        self.event({"type": "ping"})

    def _block(self, start: dict[str, Any], deltas: Sequence[dict[str, Any]], final: dict[str, Any]) -> None:
        index = len(self._content)
        self.event({"type": "content_block_start", "index": index, "content_block": start})
        if index == 0:
            self.ping()
        for delta in deltas:
            self.event({"type": "content_block_delta", "index": index, "delta": delta})
        self.event({"type": "content_block_stop", "index": index})
        self._content.append(final)

    def text(self, pieces: Sequence[str], citations: Sequence[dict[str, Any]] = ()) -> None:
        """A text block; the citations are spread between the pieces."""
        deltas: list[dict[str, Any]] = [{"type": "text_delta", "text": piece} for piece in pieces]
        for number, citation in enumerate(citations):
            deltas.insert(2 * number, {"type": "citations_delta", "citation": citation})
        start: dict[str, Any] = {"type": "text", "text": ""}
        final: dict[str, Any] = {"type": "text", "text": "".join(pieces)}
        if citations:
            start["citations"] = []
            final["citations"] = list(citations)
        self._block(start, deltas, final)

    def thinking(self, pieces: Sequence[str], signature: int = 800) -> None:
        seal = self._opaque(signature)
        deltas: list[dict[str, Any]] = [{"type": "thinking_delta", "thinking": piece} for piece in pieces]
        deltas.append({"type": "signature_delta", "signature": seal})
        final = {"type": "thinking", "thinking": "".join(pieces), "signature": seal}
        self._block({"type": "thinking", "thinking": "", "signature": ""}, deltas, final)

    def tool(self, name: str, pieces: Sequence[str]) -> None:
        """A tool_use block; the pieces must add up to one JSON object."""
        start = {"type": "tool_use", "id": "toolu_01" + self._opaque(22), "name": name, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", *pieces)]
        self._block(start, deltas, start | {"input": json.loads("".join(pieces))})

    def search(self, results: int, size: int) -> None:
        """A search and its results, which come whole in one event of `results` times `size` bytes."""
        ident = "srvtoolu_01" + self._opaque(22)
        query = json.dumps({"query": "chunked transfer coding"})
        use = {"type": "server_tool_use", "id": ident, "name": "web_search", "input": {}}
        deltas = [
            {"type": "input_json_delta", "partial_json": piece} for piece in ("", *fragments(self.random, query, 7))
        ]
        self._block(use, deltas, use | {"input": json.loads(query)})
        found = [
            {
                "type": "web_search_result",
                "title": " ".join(self.random.choices(WORDS, k=8)),
                "url": f"https://example.org/{self._opaque(24)}",
                "encrypted_content": self._opaque(size),
                "page_age": None,
            }
            for _ in range(results)
        ]
        whole = {"type": "web_search_tool_result", "tool_use_id": ident, "content": found}
        self._block(whole, (), whole)

    def finish(self, stop_reason: str = "end_turn") -> Body:
        """The last two events, and the answer."""
        tokens = len(self._frames)
        delta = {"stop_reason": stop_reason, "stop_sequence": None}
        final = {"input_tokens": 2095, "cache_read_input_tokens": 0, "output_tokens": tokens}
        self.event({"type": "message_delta", "delta": delta, "usage": final})
        self.event({"type": "message_stop"})
        message = self.message | {"content": self._content} | delta
        message["usage"] = self.usage | final
        return Body(tuple(self._frames), tuple(self._payloads), message)
