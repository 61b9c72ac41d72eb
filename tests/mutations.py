"""Ways to break a stream: its bytes, or the events before they are written. Each takes the dice to use."""

from __future__ import annotations

import copy
from random import Random
from typing import Any, Final

__all__ = ["ODD_VALUES", "TOKENS", "break_bytes", "break_events"]

# What a parser of these streams could stumble over, thrown in anywhere.
TOKENS: Final = (
    b"\n",
    b"\n\n",
    b"\r",
    b"\r\n",
    b"\r\n\r\n",
    b"\xef\xbb\xbf",
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\x7f",
    b"\t",
    b"\\",
    b'"',
    b"\\u",
    b"\\ud800",
    b"\\u00e9",
    b"\\n",
    b"{",
    b"}",
    b'"}}\n\n',
    b"]",
    b"[" * 600,
    b"1e999",
    b"NaN",
    b"9" * 5_000,
    b":",
    b": \n",
    b"data",
    b"data:",
    b"data: [DONE]\n\n",
    b"data: {}\n\n",
    b"data: null\n\n",
    b"event: error\n\n",
    b"event: ping\n\n",
    b"event: ping\ndata: x\n\n",
    b"event: new_thing\ndata: no json\n\n",
    b"id: 7\n",
    b"retry: 5\n",
    b'data: {"type":"message_stop"}\n\n',
    b'data: {"type":"ping"}\n\n',
    b'data: {"error":{"type":"overloaded_error","message":"m"}}\n\n',
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"',
    b'data: {"type":"content_block_stop","index":0}\n\n',
)
ODD_VALUES: Final[tuple[Any, ...]] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    7,
    1.5,
    10**30,
    9_999,
    10_000,
    "",
    "x",
    "message",
    "text",
    "text_delta",
    "thinking_delta",
    "input_json_delta",
    "citations_delta",
    "compaction_delta",
    "ping",
    "message_stop",
    "content_block_delta",
    "error",
    [],
    [{}],
    [{"type": "text", "text": "t"}],
    {},
    {"type": "text"},
    {"type": "tool_use", "id": "i", "name": "n", "input": {}},
    {"type": "tool_use", "input": {"$incomplete_json": '{"a": '}},
    {"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}},
    {"type": "hologram", "beam": "z"},
    {"type": "text_delta", "text": "y"},
    {"type": "signature_delta", "signature": "s"},
    {"$incomplete_json": "["},
)


def break_bytes(data: bytes, dice: Random) -> bytes:
    """Flip, delete, repeat, move or throw in a few bytes."""
    for _ in range(dice.randint(1, 3)):
        at = dice.randint(0, len(data))
        length = dice.choice((1, 1, 2, 5, 30, 200))
        piece = data[at : at + length]
        match dice.randrange(6):
            case 0 if piece:
                flipped = bytes((piece[0] ^ (1 << dice.randrange(8)),))
                data = data[:at] + flipped + data[at + 1 :]
            case 1:
                data = data[:at] + data[at + length :]
            case 2:
                data = data[:at] + piece + data[at:]
            case 3:
                to = dice.randint(0, len(data))
                data = data[:to] + piece + data[to:]
            case 4:
                data = data[:at] + bytes((dice.randrange(256),)) + data[at:]
            case _:
                data = data[:at] + dice.choice(TOKENS) + data[at:]
    return data


def break_events(events: list[dict[str, Any]], dice: Random) -> list[dict[str, Any]]:
    """Drop, repeat or exchange events, or put odd values into them. The input stays as it is."""
    events = copy.deepcopy(events)
    for _ in range(dice.randint(1, 2)):
        if not events:
            break
        at = dice.randrange(len(events))
        match dice.randrange(6):
            case 0:
                del events[at]
            case 1:
                events.insert(dice.randint(0, len(events)), copy.deepcopy(events[at]))
            case 2:
                other = dice.randrange(len(events))
                events[at], events[other] = events[other], events[at]
            case _:
                _break_value(events[at], dice)
    return events


def _break_value(event: dict[str, Any], dice: Random) -> None:
    """Change, remove or add one member somewhere inside."""
    places: list[tuple[Any, Any]] = []  # container and key
    level: list[Any] = [event]
    while level:
        container = level.pop()
        items = container.items() if isinstance(container, dict) else enumerate(container)
        for key, member in items:
            places.append((container, key))
            if isinstance(member, dict | list):
                level.append(member)
    container, key = dice.choice(places) if places else (event, "type")
    odd = copy.deepcopy(dice.choice(ODD_VALUES))
    match dice.randrange(4):
        case 0 if isinstance(container, dict):
            container.pop(key, None)
        case 1:
            event[dice.choice(("index", "delta", "usage", "message", "error", "extra", "type"))] = odd
        case _:
            container[key] = odd
