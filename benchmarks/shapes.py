"""The streams that everything is measured on: seeded, of real shape, each aimed at other branches.

Real streams look so: LF only, `event: T\\ndata: JSON\\n\\n`, the event name equal to the JSON's type, nearly
every data line padded with 0 to 15 spaces before its last brace (ping never, and ping alone has a space after the
colon), about 140 bytes an event, 7 to 16 characters a delta, the first input_json_delta empty, one signature_delta
of some hundred characters for each thinking block, and about four events of five are deltas.

Every shape comes with the message that it must add up to, composed here and not by any decoder.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Literal

import attrs

from benchmarks.words import (
    BASE64,
    MULTIBYTE,
    WORDS,
    fragments,
    long_document,
    prose,
    record_rows,
)

__all__ = ["SHAPES", "Arrival", "Body", "Composer", "Shape", "shape", "tool_body"]

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


@attrs.define(frozen=True)
class Shape:
    """A kind of traffic: one or several answers."""

    name: str
    what: str
    bodies: tuple[Body, ...]
    arrivals: tuple[Arrival, ...] = ("event", "16k")

    @property
    def events(self) -> int:
        return sum(len(body.frames) for body in self.bodies)

    @property
    def size(self) -> int:
        return sum(body.size for body in self.bodies)

    def arriving(self, how: Arrival) -> list[list[bytes]]:
        """Each answer's reads."""
        return [body.arriving(how) for body in self.bodies]


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


def _chat(seed: str, events: int) -> Body:
    made = Composer(seed)
    made.text(prose(made.random, events, 10))
    return made.finish()


def _thinking(seed: str, events: int) -> Body:
    made = Composer(seed)
    made.thinking(prose(made.random, events - events // 5, 9))
    made.text(prose(made.random, events // 5, 10))
    return made.finish()


def tool_body(seed: str, argument: str, events: int | None = None) -> Body:
    """An answer that is one tool call with the JSON text `argument`, in fragments of about 7 characters."""
    made = Composer(seed)
    pieces = fragments(made.random, argument, 7)
    made.tool("save_records", pieces if events is None else pieces[:events])
    return made.finish("tool_use")


def _many_tools(seed: str, tools: int) -> Body:
    made = Composer(seed)
    made.text(prose(made.random, 12, 10))
    for number in range(tools):
        argument = json.dumps({"path": f"src/module_{number}.py", "line": number, "force": number % 2 == 0})
        made.tool("read_file", fragments(made.random, argument, 7))
    return made.finish("tool_use")


def _citations(seed: str, blocks: int) -> Body:
    made = Composer(seed)
    for number in range(blocks):
        quoted = [
            {
                "type": "web_search_result_location",
                "cited_text": " ".join(made.random.choices(WORDS, k=20)),
                "url": f"https://example.org/{number}",
                "title": " ".join(made.random.choices(WORDS, k=6)),
                "encrypted_index": "".join(made.random.choices(BASE64, k=180)),
            }
            for _ in range(2)
        ]
        made.text(prose(made.random, 8, 10), quoted if number % 2 else ())
    return made.finish()


def _search(seed: str, searches: int) -> Body:
    made = Composer(seed)
    for _ in range(searches):
        made.search(10, 4150)
        made.text(prose(made.random, 12, 10))
    return made.finish()


def _pings(seed: str, pings: int) -> Body:
    made = Composer(seed)
    for _ in range(pings):
        made.ping()
    return made.finish()


def _multibyte(seed: str, events: int) -> Body:
    made = Composer(seed)
    made.text(["".join(made.random.choices(MULTIBYTE, k=made.random.randint(2, 10))) for _ in range(events)])
    return made.finish()


def _gateway(seed: str, events: int, *, newline: str, spaced: bool) -> Body:
    made = Composer(seed, newline=newline, padded=False, spaced=spaced)
    made.text(prose(made.random, events, 10))
    return made.finish()


def _short(seed: str) -> Body:
    """An answer of about 40 events, four of five of them deltas, as the median recording is."""
    made = Composer(seed)
    made.text(prose(made.random, 18, 10))
    argument = json.dumps({"city": "San Francisco", "unit": "celsius", "days": 3, "hourly": False, "note": "as usual"})
    made.tool("get_weather", fragments(made.random, argument, 7))
    return made.finish("tool_use")


def _mixed() -> tuple[Body, ...]:
    """What an agent's traffic is made of: short answers, a chat, thinking, a file written by a tool, records."""
    shorts = tuple(_short(f"mixed {n}") for n in range(12))
    document = json.dumps({"path": "notes.md", "content": long_document(Random("mixed document"), 3000)})
    rows = record_rows(Random("mixed rows"), 3000)
    return (
        *shorts,
        _chat("mixed chat", 500),
        _thinking("mixed thinking", 500),
        tool_body("mixed string", document),
        tool_body("mixed rows", rows),
    )


def _long_string(seed: str, size: int) -> Body:
    return tool_body(seed, json.dumps({"path": "a.py", "content": long_document(Random(seed), size)}))


def _rows(seed: str, size: int) -> Body:
    return tool_body(seed, record_rows(Random(seed), size))


_MAKERS: dict[str, tuple[str, Callable[[], tuple[Body, ...]], tuple[Arrival, ...]]] = {
    "mixed": ("12 short answers, chat, thinking, two tool calls", _mixed, ("event", "16k")),
    "chat": ("one text block", lambda: (_chat("chat", 2000),), ("event", "16k")),
    "short": ("one answer of 40 events", lambda: (_short("short"),), ("event", "16k")),
    "thinking": ("a thinking block, then text", lambda: (_thinking("thinking", 2000),), ("event", "16k")),
    "tool_string": (
        "one tool call with one long string",
        lambda: (_long_string("string", 13000),),
        ("event", "16k"),
    ),
    "tool_rows": ("one tool call with many small records", lambda: (_rows("rows", 13000),), ("event", "16k")),
    "many_tools": ("120 small tool calls", lambda: (_many_tools("tools", 120),), ("event", "16k")),
    "citations": ("text blocks with citations", lambda: (_citations("citations", 150),), ("event", "16k")),
    "search": ("search results of 43 KB in one event", lambda: (_search("search", 12),), ("event", "16k")),
    "pings": ("nothing but pings", lambda: (_pings("pings", 2000),), ("event", "16k")),
    "multibyte": (
        "text in CJK, Arabic and emoji",
        lambda: (_multibyte("multibyte", 2000),),
        ("event", "16k"),
    ),
    "crlf": (
        "a gateway that ends lines with CRLF",
        lambda: (_gateway("crlf", 2000, newline="\r\n", spaced=False),),
        ("event", "16k"),
    ),
    "respelled": (
        "a gateway that spells the JSON anew, with spaces",
        lambda: (_gateway("respelled", 2000, newline="\n", spaced=True),),
        ("event", "16k"),
    ),
    "drip": ("chat, one byte a read", lambda: (_chat("drip", 150),), ("byte",)),
}

SHAPES: tuple[str, ...] = tuple(_MAKERS)
"""The names of all shapes."""

# For the end to end benchmarks only.
_MAKERS["tiny"] = ("one answer of 9 events", lambda: (_chat("tiny", 3),), ("event", "16k"))
_MAKERS["long_chat"] = ("one long text block", lambda: (_chat("long chat", 20_000),), ("event", "16k"))


@functools.cache
def shape(name: str) -> Shape:
    """The shape of that name; the same one, byte for byte, in every run and process."""
    what, make, arrivals = _MAKERS[name]
    return Shape(name, what, make(), arrivals)
