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
from collections.abc import Callable
from random import Random

import attrs

from benchmarks.traffic.composer import Arrival, Body, Composer
from benchmarks.traffic.words import BASE64, MULTIBYTE, WORDS, fragments, long_document, prose, record_rows

__all__ = ["SHAPES", "Shape", "shape", "tool_body"]


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
_MAKERS["long_chat"] = ("one long text block", lambda: (_chat("long chat", 10_000),), ("event", "16k"))


@functools.cache
def shape(name: str) -> Shape:
    """The shape of that name; the same one, byte for byte, in every run and process."""
    what, make, arrivals = _MAKERS[name]
    return Shape(name, what, make(), arrivals)
