"""Streams of the project's own: one for each habit of gateways, and for each fault that a reader may stumble over."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.frames import DELTA, END, START, answer, block, body, delta, message_delta, message_start, start, stop, text
from tests.frames import tool as call

__all__ = ["ODD_STREAMS"]

TEXT: Final[dict[str, Any]] = {"type": "text", "text": ""}
THINKING: Final[dict[str, Any]] = {"type": "thinking", "thinking": "", "signature": ""}
OPENED: Final = (START, start(0, TEXT), text("Hello"))
CLOSED: Final = (stop(), DELTA, END)
CALLED: Final = message_delta({"stop_reason": "tool_use"})
CUT: Final = message_delta({"stop_reason": "max_tokens"})
WHOLE: Final = {**START["message"], "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn"}
_DELTA: Final = '{"type":"content_block_delta","index":0,"delta":'


def _raw(data: str, name: str = "content_block_delta") -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode("utf-8", "surrogatepass")


def _event(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def _without(value: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: item for key, item in value.items() if key not in keys}


ODD_STREAMS: Final[dict[str, bytes]] = {
    "right": body(*answer(*block(TEXT, {"type": "text_delta", "text": "Hello"}))),
    "data lines alone": body(*answer(*block(TEXT, {"type": "text_delta", "text": "Hello"})), spell=_event),
    "byte order mark": b"\xef\xbb\xbf" + body(*OPENED, *CLOSED),
    "lines end in CR": body(*OPENED, *CLOSED).replace(b"\n", b"\r"),
    "[DONE] behind the end": body(*OPENED, *CLOSED, b"data: [DONE]\n\n"),
    "[DONE] with a name": body(*OPENED, *CLOSED, b"event: done\ndata: [DONE]\n\n"),
    "no blank line at the end": body(*OPENED, *CLOSED)[:-1],
    "cut in a text": body(*OPENED),
    "cut between two blocks": body(*OPENED, stop()),
    "cut behind the stop reason": body(*OPENED, stop(), DELTA),
    "cut in an input": body(START, *call('{"path": "/e')[:-1]),
    "no byte at all": b"",
    "pings alone": body({"type": "ping"}, {"type": "ping"}),
    "an HTML page": b"<html>Bad gateway</html>",
    "a whole message": json.dumps(WHOLE).encode(),
    "an error object alone": b'{"error": {"message": "No such model", "code": 404}}',
    "overloaded in the middle": body(
        *OPENED, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    ),
    "an error in words": body(*OPENED, b"event: error\ndata: upstream timed out\n\n"),
    "an error without its name": body(
        *OPENED, _event({"type": "error", "error": {"type": "api_error", "message": "Internal"}})
    ),
    "an error object without a type": body(*OPENED, _event({"error": {"message": "rate limit", "code": 429}})),
    "content missing": body(message_start(None), *OPENED[1:], *CLOSED),
    "content null": body({**START, "message": {**START["message"], "content": None}}, *OPENED[1:], *CLOSED),
    "usage missing": body({**START, "message": _without(START["message"], "usage")}, *OPENED[1:], *CLOSED),
    "usage null at the end": body(*OPENED, stop(), {**DELTA, "usage": None}, END),
    "usage inside the delta": body(
        *OPENED,
        stop(),
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "usage": {"output_tokens": 5}}},
        END,
    ),
    "counters as strings": body(*OPENED, stop(), message_delta(usage={"output_tokens": "5"}), END),
    "a negative counter": body(*OPENED, stop(), message_delta(usage={"output_tokens": -1}), END),
    "the delta changes the type": body(
        *OPENED, stop(), message_delta({"stop_reason": "end_turn", "type": "message_delta"}), END
    ),
    "an empty stop reason later": body(*OPENED, stop(), DELTA, message_delta({"stop_reason": ""}), END),
    "a number for a stop reason later": body(*OPENED, stop(), DELTA, message_delta({"stop_reason": 0}), END),
    "no message_delta": body(*OPENED, stop(), END),
    "text in the start of the block": body(START, start(0, {"type": "text", "text": "Hello"}), *CLOSED),
    "text missing in the start": body(START, start(0, {"type": "text"}), text("Hello"), *CLOSED),
    "text null": body(*OPENED, text(None), *CLOSED),
    "thinking missing in the start": body(
        *answer(*block({"type": "thinking"}, {"type": "thinking_delta", "thinking": "Hm"}))
    ),
    "signature null": body(*answer(*block(THINKING, {"type": "signature_delta", "signature": None}))),
    "two signatures": body(
        *answer(*block(THINKING, *({"type": "signature_delta", "signature": each} for each in ("a", "b"))))
    ),
    "a delta without a type": body(*OPENED, delta(0, text=" world"), *CLOSED),
    "an unknown delta": body(*OPENED, delta(0, type="x_delta", x="y"), *CLOSED),
    "an unknown delta with a text of null": body(*OPENED, delta(0, type="x_delta", text=None), *CLOSED),
    "an unknown delta with an id": body(
        START, *call('{"a": 1}')[:-1], delta(0, type="x_delta", id="evt_1"), stop(), CALLED, END
    ),
    "an unknown block": body(*answer(*block({"type": "hologram", "beam": [1]}, {"type": "x_delta", "beam": [2]}))),
    "an empty delta of another kind": body(START, *call('{"a": 1}')[:-1], text(""), stop(), CALLED, END),
    "a text for a call": body(START, *call('{"a": 1}')[:-1], text("Hello"), stop(), CALLED, END),
    "a gap in the indices": body(*answer(*block(TEXT, {"type": "text_delta", "text": "Hello"}, index=2))),
    "an index of -1": body(*OPENED, text(" world", -1), *CLOSED),
    "no index": body(*OPENED, _without(text(" world"), "index"), *CLOSED),
    "a delta without its start": body(START, text("Hello"), *CLOSED),
    "a block started twice": body(*OPENED, start(0, TEXT), text(" world"), *CLOSED),
    "the start of the message twice": body(START, *OPENED, *CLOSED),
    "another message's start": body(*OPENED, {**START, "message": {**START["message"], "id": "msg_2"}}, *CLOSED),
    "a placeholder in message_start": body(message_start((TEXT,)), *OPENED[1:], *CLOSED),
    "a block that never stops": body(START, *call('{"a": 1}')[:-1], CALLED, END),
    "a text behind the end": body(*OPENED, *CLOSED, text(" world")),
    "a call without an input": body(START, *block({"type": "tool_use", "id": "toolu_1", "name": "f"}), CALLED, END),
    "an input cut by max_tokens": body(START, *call('{"path": "/e'), CUT, END),
    "an input cut before its first byte": body(START, *call(), CUT, END),
    "an input with a brace too many": body(START, *call('{"a": 1}}'), CALLED, END),
    "an input that is a list": body(START, *call("[1]"), CALLED, END),
    "an input with NaN": body(START, *call('{"a": NaN}'), CALLED, END),
    "half an emoji a delta": body(
        *OPENED,
        _raw(_DELTA + '{"type":"text_delta","text":"\\ud83d"}}'),
        _raw(_DELTA + '{"type":"text_delta","text":"\\ude00"}}'),
        *CLOSED,
    ),
    "half an emoji alone": body(*OPENED, _raw(_DELTA + '{"type":"text_delta","text":"\\ud83d"}}'), *CLOSED),
    "a closing quote missing": body(*OPENED, _raw(_DELTA + '{"type":"text_delta","text":"}}'), *CLOSED),
    "text that is not UTF-8": body(*OPENED, *CLOSED).replace(b"Hello", b"H\xe9llo"),
}
"""By what is odd about it."""
