"""Building and writing a request of 200 turns and 1 MB, against msgspec writing the same plain dicts and nothing else.

What the ratio pays for is the named place of a value JSON cannot carry: msgspec writes NaN as null and a set as a
list, and names no place. The standard library and the SDK's way stand beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import msgspec

from benchmarks.measure import Settings, race
from benchmarks.results import Findings, Verdict, race_table
from benchmarks.suites.in_process import OURS
from benchmarks.traffic.answers import same
from benchmarks.traffic.words import long_document, prose
from sansio_claude import Message, MessageRequest

__all__ = ["history", "run"]

TURNS = 200
SIZE = 1_000_000
LIMIT = 1.5
MSGSPEC = "msgspec, plain dicts, nothing checked"
STANDARD = "json.dumps, plain dicts"
OBJECTS = "sansio_claude, answers as Message objects"


def history(kind: str) -> list[dict[str, Any]]:
    """`TURNS` turns of about `SIZE` bytes together, user and assistant by turns."""
    random = Random(f"request {kind}")
    each = SIZE // TURNS
    turns: list[dict[str, Any]] = []
    for number in range(TURNS // 2):
        if kind == "chat":
            question: Any = "".join(prose(random, each // 7, 5))
            answer: list[dict[str, Any]] = [{"type": "text", "text": "".join(prose(random, each // 7, 5))}]
        else:
            question = [
                {
                    "type": "tool_result",
                    "tool_use_id": f"toolu_{number - 1}",
                    "content": [{"type": "text", "text": long_document(random, each)}],
                    "is_error": False,
                }
            ]
            answer = [
                {"type": "thinking", "thinking": "".join(prose(random, each // 20, 5)), "signature": "QUJD" * 90},
                {"type": "text", "text": "".join(prose(random, each // 9, 5))},
                {
                    "type": "tool_use",
                    "id": f"toolu_{number}",
                    "name": "read_lines",
                    "input": {"path": "src/a.py", "lines": [number, number + 40], "options": {"deep": True, "x": 1.5}},
                },
            ]
        turns += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return turns


def _written(turns: list[Any]) -> bytes:
    return MessageRequest(model="claude-opus-5-5", max_tokens=4096, messages=turns).body(True)


def _standard(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


def run(settings: Settings) -> Findings:
    """A chat of long texts, and an agent's history with thinking, tool calls and results."""
    found = Findings()
    encode = msgspec.json.Encoder().encode
    for kind in ("chat", "agent"):
        turns = history(kind)
        body = {"model": "claude-opus-5-5", "max_tokens": 4096, "messages": turns, "stream": True}
        mixed = [turn if turn["role"] == "user" else Message.from_dict(turn) for turn in turns]
        sides: dict[str, Callable[[], bytes]] = {
            OURS: partial(_written, turns),
            OBJECTS: partial(_written, mixed),
            MSGSPEC: partial(encode, body),
            STANDARD: partial(_standard, body),
        }
        for name, side in sides.items():
            same(name, json.loads(side()), body)
        timed = race(sides, settings)
        size = len(encode(body))
        title = f"building and writing a request, {kind}, {TURNS} turns, {size / 1e6:.1f} MB"
        found.tables.append(race_table(title, timed, units=TURNS, size=size, unit="ns/turn", floor=MSGSPEC))
        found.verdicts.append(
            Verdict(
                goal="P16",
                what=f"request of {TURNS} turns to msgspec alone, {kind}",
                wanted="<=",
                limit=LIMIT,
                measured=timed.ratio(OURS, MSGSPEC),
                gate=2 * LIMIT,
            )
        )
    return found
