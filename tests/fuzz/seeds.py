"""Streams to begin from that chance would take long to find: tool inputs of every grammar, errors of every shape."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from tests.frames import answer, block, body, compact, message_delta, message_start, stop, text, tool

__all__ = ["ERRORS", "INPUTS", "error_streams", "half_streams", "input_streams", "odd_streams", "whole_bodies"]

_WHOLE: Final = (
    '{"path":"/a","rows":[{"n":1},{"ü":null}],"e":1e300,"s":"a\\u00e9\\n\\ud83d\\ude00","t":true}',
    '{"a":[[],{},"",-0.5,1E+5,-0,0.0e-1],"a":2} ',
    ' {"f" : false , "t":[ true , null ] , "x":"\\\\\\"\\/\\b" }\n',
)
_CUT: Final = (
    *(
        '{"',
        '{"a',
        '{"a\\',
        '{"a"',
        '{"a":',
        '{"a":-',
        '{"a":0',
        '{"a":1.',
        '{"a":1.5',
        '{"a":1e',
        '{"a":1e+',
        '{"a":12e-3',
    ),
    *(
        '{"a":t',
        '{"a":fals',
        '{"a":nul',
        '{"a":true',
        '{"a":"',
        '{"a":"x\\',
        '{"a":"\\u12',
        '{"a":"\\ud83d',
        '{"a":"\\ud83d\\u',
    ),
    *(
        '{"a":[',
        '{"a":[1',
        '{"a":[1,',
        '{"a":[{"b":[[',
        '{"a":{}',
        '{"a":[]',
        '{"a":1,',
        '{"a":1,"',
        '{"a":1}',
        '{"a":"x"}',
    ),
)
_WRONG: Final = (
    *('{"a" 1}', '{"a":1 "b"}', "{,}", '{"a":[,]}', '{"a":[1 2]}', '{"a":[1,]}', "{1:2}", '{"a":tru3}', '{"a":nuLl}'),
    *(
        '{"a":01}',
        '{"a":-x}',
        '{"a":1.x}',
        '{"a":1ex}',
        '{"a":.5}',
        '{"a":+1}',
        '{"a":NaN}',
        '{"a":Infinity}',
        '{"a":-Infinity}',
    ),
    *(
        '{"a":"\\x"}',
        '{"a":"\\u12g4"}',
        '{"a":"\n"}',
        '{"a":1}}',
        '{"a":1}x',
        "[1]",
        '"x"',
        "12",
        "nul",
        "x",
        "]",
        "\ufeff{}",
    ),
    *('{"a":1e999}', '{"a":' + "9" * 30 + "}", '{"a":' + "[" * 20, '{"a":' + "[" * 6 + "]" * 6 + "}"),
)
INPUTS: Final = (*_WHOLE, *_CUT, *_WRONG)
"""Texts of tool inputs: whole, cut, and wrong."""

ERRORS: Final[tuple[Any, ...]] = (
    {"type": "error", "error": {"type": "overloaded_error", "message": "m", "details": {"error_code": "c"}}},
    {"type": "error", "error": {"type": "rateLimit", "code": 429}, "request_id": "r"},
    {"type": "error", "error": "words", "message": "other words"},
    {"type": "error", "error": [{"message": "one"}, {"msg": ["two", {"detail": "three"}]}]},
    {"type": "overloaded_error", "message": "m"},
    {"object": "error", "message": "m", "code": "rate_limit_exceeded", "type": "BadRequest"},
    {"error": {"message": "m", "error": {"error": {"status": "RESOURCE_EXHAUSTED", "code": 1.5}}}},
    {"error": {"type": "", "message": " ", "code": True, "metadata": {"raw": "x"}}},
    {"error": {"code": "internal_server_error", "details": [1]}},
    {"error": " ", "message": "m"},
    {"error": True, "Message": "m"},
    {"error": 1, "msg": None},
    {"detail": [{"loc": ["body"], "msg": "m", "type": "value_error"}]},
    [{"error": {"message": "m", "status": "UNAVAILABLE"}}],
    [[[{"error": {"message": "\ud83d"}}]]],
    {"type": "message", "content": "hollow"},
    {"type": "", "error": {"type": "error", "message": {"text": "t"}}},
    {"error": {"a": {"b": {"c": {"d": {"e": 1}}}}}},
    [],
    "only words",
    "",
    7,
    None,
)
"""What errors look like: the API's own, those of other servers, and no error at all."""

_OPENING: Final = (message_start(), *block({"type": "text", "text": ""}))[:2]


def input_streams() -> Iterator[bytes]:
    """For each text of a tool input: the answer that has it, in one piece and in two, stopped and cut."""
    for number, each in enumerate(INPUTS):
        half = len(each) // 2
        call = tool(each) if number % 2 else tool(each[:half], each[half:])
        if number % 3 == 0:
            yield body(*answer(*call), spell=compact)
        elif number % 3 == 1:
            yield body(message_start(), *call, message_delta({"stop_reason": "max_tokens"}), spell=compact)
        else:
            yield body(message_start(), *call[:-1], spell=compact)


def error_streams() -> Iterator[bytes]:
    """Each error under its own name, under no name in the middle of a text, and as the whole body."""
    for number, each in enumerate(ERRORS):
        data = json.dumps(each, separators=(",", ":")).encode()
        opening = body(*_OPENING, text("Hi"), spell=compact) if number % 2 else b""
        yield opening + (b"event: error\n" if number % 3 else b"") + b"data: " + data + b"\n\n"
        yield data
    yield body(*_OPENING, text("Hi"), stop(), spell=compact) + b"event: error\n\n"


def half_streams() -> Iterator[bytes]:
    """Halves of a surrogate pair: joined over two deltas, alone at the end of a block and of the body, and in keys."""
    first, second = "\ud83d", "\ude00"
    kinds = (
        ({"type": "text", "text": ""}, "text_delta", "text"),
        ({"type": "thinking", "thinking": "", "signature": ""}, "thinking_delta", "thinking"),
    )
    for sent, kind, key in kinds:
        for halves in ((first, second), (first, "x"), (first,), (second,), ("a" + first, first + second)):
            deltas = [{"type": kind, key: each} for each in halves]
            yield _escaped(*answer(*block(sent, *deltas)))
        yield _escaped(message_start(), *block({**sent, key: first}, {"type": kind, key: second}))
        yield _escaped(message_start(), *block(sent, {"type": kind, key: first}, {"type": kind})[:2])
    for inputs in (('{"a":"' + first, second + '"}'), ('{"a":"' + first + '"}',), (first, second)):
        yield _escaped(*answer(*tool(*inputs)))
    yield _escaped(message_start(**{first: [second]}), message_delta({"stop_sequence": first}))
    yield _escaped(message_start(content=[{"type": "tool_use", "id": "t", "name": first, "input": {first: second}}]))
    yield _escaped(*answer(*block({"type": "hologram", "beam": ""}, {"type": "beam_delta", "beam": first})))
    yield _escaped(message_start(), {"type": "content_block_delta", "index": 0, "delta": {"text": first}})


def _escaped(*events: dict[str, Any]) -> bytes:
    """The events with each half of a pair as an escape, which is the only way that JSON in UTF-8 can say it."""
    frames = (f"event: {each['type']}\ndata: {json.dumps(each, separators=(',', ':'))}\n\n" for each in events)
    return "".join(frames).encode()


_TOOLS: Final[tuple[dict[str, Any], ...]] = (
    {"type": "tool_use", "id": "t", "name": "n"},
    {"type": "tool_use", "id": "t", "name": "n", "input": None},
    {"type": "tool_use", "id": "t", "name": "n", "input": {"$incomplete_json": '{"a": '}},
    {"type": "server_tool_use", "id": "s", "name": "n", "input": "no object"},
    {"type": "mcp_tool_use", "id": "m", "name": "n", "server_name": None, "input": {"a": 1}},
)


def odd_streams() -> Iterator[bytes]:
    """Blocks that came with message_start, usage in the wrong place, and what ends without its end."""
    for each in _TOOLS:
        yield body(message_start(content=[each]), *answer()[1:], spell=compact)
        yield body(message_start(content=[{"type": "text", "text": ""}]), *answer(*block(each))[1:], spell=compact)
        yield body(message_start(content=[each, each]), message_delta({"stop_reason": "tool_use"}), spell=compact)
    for usage in ({"output_tokens": 3}, 5, {"output_tokens": -1, "new": {"a": 1}}):
        yield body(*_OPENING, stop(), message_delta({"stop_reason": "", "usage": usage}), spell=compact)
        yield body(*_OPENING, stop(), message_delta({"usage": usage}, usage=None), spell=compact)
        yield body(*_OPENING, stop(), message_delta(None, usage=usage), spell=compact)
    yield body(*_OPENING, stop(), message_delta({"stop_reason": "max_tokens"}), spell=compact).removesuffix(b"\n")
    yield body(*_OPENING, text("Hi"), message_delta({"stop_reason": "max_tokens"}), spell=compact)


def whole_bodies(blocks: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """Whole messages in place of a stream, with each block, with several stop reasons, and halves of characters."""
    message = {**message_start()["message"], "stop_sequence": None}
    for number, each in enumerate((*blocks, *_TOOLS, {"type": "text", "text": "\ud83d", "\ude00": ["\ud83d"]})):
        reason = ("end_turn", "max_tokens", "tool_use", None)[number % 4]
        content = [each] if number % 2 else [{"type": "text", "text": "Hi"}, each]
        yield json.dumps({**message, "content": content, "stop_reason": reason}).encode()
