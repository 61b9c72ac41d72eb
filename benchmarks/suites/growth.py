"""P19: what is asked of something unbounded grows with it: work counted for four times the size, and memory held.

Work is what `tests.counting` counts, calls and the sizes of what they are given, so it is the same on every machine.
"""

from __future__ import annotations

import gc
import json
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

from benchmarks.measure import Settings
from benchmarks.results import Findings, Row, Table, Verdict
from sansio_claude import Message, MessageRequest, MessageStream, PartialJSON, continuation, fit_messages
from sansio_claude.gateway import Repair
from tests.counting import work

__all__ = ["run"]

MODEL = "claude-opus-4-6"
TIMES = 4
Operation = Callable[[int], Callable[[], object]]
"""Makes the operation on something of a size."""


def _event(kind: str, **fields: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), json.dumps({"type": kind, **fields}).encode())


def _opening(block: dict[str, Any]) -> bytes:
    start = {"id": "msg_1", "type": "message", "role": "assistant", "model": MODEL, "content": []}
    usage = {"input_tokens": 1, "output_tokens": 1}
    begun = _event("message_start", message={**start, "stop_reason": None, "stop_sequence": None, "usage": usage})
    return begun + _event("content_block_start", index=0, content_block=block)


def _ending(reason: str) -> bytes:
    delta = {"stop_reason": reason, "stop_sequence": None}
    stop = _event("message_delta", delta=delta, usage={"output_tokens": 1})
    return _event("content_block_stop", index=0) + stop + _event("message_stop")


TOOL = {"type": "tool_use", "id": "toolu_1", "name": "rows", "input": {}}


def _fragments(size: int) -> list[bytes]:
    pieces = ['{"rows": [', *(f'{{"id": {n % 10}, "name": "x"}}, ' for n in range(size)), "0]}"]
    return [
        _event("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": piece})
        for piece in pieces
    ]


def _after_each(look: Callable[[MessageStream], object]) -> Operation:
    def make(size: int) -> Callable[[], object]:
        fragments = _fragments(size)

        def run() -> None:
            stream = MessageStream()
            stream.receive_data(_opening(TOOL))
            for fragment in fragments:
                stream.receive_data(fragment)
                stream.events_received()
                look(stream)

        return run

    return make


def _watched(size: int) -> Callable[[], object]:
    fragments = _fragments(size)

    def run() -> None:
        stream = MessageStream()
        stream.receive_data(_opening(TOOL))
        watch = stream.watch(0, "rows[*]")
        for fragment in fragments:
            stream.receive_data(fragment)
            watch.new()

    return run


def _answer(size: int) -> Message:
    text = {"type": "text", "text": "a" * 20}
    usage = {"input_tokens": 1, "output_tokens": 1}
    value = {"id": "m", "type": "message", "role": "assistant", "model": MODEL, "content": [dict(text)] * size}
    return Message.from_dict({**value, "stop_reason": "max_tokens", "stop_sequence": None, "usage": usage})


def _history(size: int) -> list[Any]:
    turns: list[Any] = [{"role": "user", "content": "Hello"}]
    for number in range(size):
        call = {"type": "tool_use", "id": f"toolu_{number}", "name": "rows", "input": {}}
        result = {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": "done"}
        turns += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    return turns


def _request(size: int) -> MessageRequest:
    tools = [{"name": "rows", "description": "Rows.", "input_schema": {"type": "object"}}]
    return MessageRequest(model=MODEL, max_tokens=10, messages=_history(size), tools=tools)


def _checking(size: int) -> Callable[[], object]:
    return _request(size).check


def _continuing(size: int) -> Callable[[], object]:
    request, answer = MessageRequest(model=MODEL, max_tokens=10, messages=_history(1)), _answer(size)
    return lambda: continuation(request, answer)


def _fitting(size: int) -> Callable[[], object]:
    history = _history(size)
    return lambda: fit_messages(history, MODEL)


def _repairing(size: int) -> Callable[[], object]:
    pieces = [_opening(TOOL), *_fragments(size), _ending("tool_use")]

    def run() -> None:
        repair = Repair()
        for piece in pieces:
            repair.receive_data(piece)
            repair.data_to_send()
        repair.receive_eof()

    return run


OPERATIONS: dict[str, Operation] = {
    "partial_input(0).value after each delta": _after_each(lambda stream: stream.partial_input(0).value),
    "partial_input(0).changes() after each delta": _after_each(lambda stream: stream.partial_input(0).changes()),
    "a watch read after each delta": _watched,
    "request.check()": _checking,
    "continuation": _continuing,
    "fit_messages": _fitting,
    "message.to_dict()": lambda size: _answer(size).to_dict,
    "Repair, one event a read": _repairing,
}


def _size(value: Any) -> int:
    """Bytes of a JSON value, each object once."""
    seen: dict[int, int] = {}
    left = [value]
    while left:
        item = left.pop()
        if id(item) not in seen:
            seen[id(item)] = sys.getsizeof(item)
            left += [*item, *item.values()] if isinstance(item, dict) else item if isinstance(item, list) else ()
    return sum(seen.values())


def _held(depth: int, text: str) -> float:
    """Bytes that a PartialJSON holds beyond its value when that has been asked for, as a share of those received."""
    gc.collect()
    tracemalloc.start()
    try:
        parser = PartialJSON(max_depth=depth + 2)
        for at in range(0, len(text), 15):
            parser.feed(text[at : at + 15])
        value = parser.value
        gc.collect()
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    return max(0.0, held - _size(value)) / len(text)


def run(settings: Settings) -> Findings:
    """Each operation at one size and at four times of it."""
    found = Findings()
    size = 100 if settings.quick else 400
    rows = []
    for name, make in OPERATIONS.items():
        make(10)()  # what is made once, such as tables, is no part of it
        measured = work(make(TIMES * size)) / work(make(size))
        rows.append(Row(side=name, figure=measured))
        found.verdicts.append(
            Verdict(goal="P19", what=f"{name}, four times the size", wanted="<=", limit=4.4, measured=measured, gate=5)
        )
    found.tables.append(Table(title="growth of the work counted for four times the size", unit="x", rows=rows))
    rows = []
    count = 2_000 if settings.quick else 20_000
    for name, depth, text in (
        ("records", 3, '{"rows": [' + '{"id": 1, "name": "x"}, ' * count),
        ("one long string", 3, '{"text": "' + "some words " * 4 * count),
        ("nested arrays", 400, "[" * 400 + '"x", ' * count),
    ):
        measured = _held(depth, text)
        rows.append(Row(side=name, figure=measured))
        found.verdicts.append(
            Verdict(
                goal="P19",
                what=f"bytes held beyond the value for each byte received, {name}",
                wanted="<=",
                limit=4.0,
                measured=measured,
                gate=8.0,
            )
        )
    found.tables.append(Table(title="memory of PartialJSON beyond its value", unit="bytes/byte", rows=rows))
    return found
