"""Several threads read one finished message, switched as often as can be: nothing changes, each sees the same."""

from __future__ import annotations

import copy
import json
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Barrier
from types import FrameType
from typing import Any

import pytest

from sansio_claude._errors import ClaudeError
from sansio_claude._message.message import Message
from sansio_claude._partial_json.parser import PartialJSON
from sansio_claude._partial_json.state import ScanState
from sansio_claude._stream.message_stream import MessageStream
from tests.frames import END, START, block, body, delta, message_delta, start, text, tool

THREADS = 4
ROUNDS = 10
CITATION = {"type": "char_location", "cited_text": "c", "document_index": 0}
SIGNED = {"type": "thinking", "thinking": "", "signature": "s"}
USAGE = {"output_tokens": 5, "server_tool_use": {"web_search_requests": 1}, "iterations": [{"type": "message"}]}
CONTENT = (
    *block(SIGNED, *({"type": "thinking_delta", "thinking": f"{n}, "} for n in range(12)), index=0),
    start(1, {"type": "text", "text": "It "}),
    *(text(f"is {n}. ", 1) for n in range(12)),
    delta(1, type="citations_delta", citation=CITATION),
    delta(1, type="x_delta", new="y"),
    {"type": "content_block_stop", "index": 1},
    *tool(*json.dumps({"rows": [*range(12)], "a": {"b": "c"}}), index=2),
    *tool('{"a": [1, ', "2, {", index=3),
    *tool('{"a": 1', "}}", index=4),
    *tool("[1, ", "2]", index=5),
    start(6, {"type": "text", "text": ""}),
    *(text(f"{n} ", 6) for n in range(12)),
)
BODIES = {
    "complete": body(START, *CONTENT, message_delta({"stop_reason": "tool_use"}, USAGE), END),
    "truncated": body(START, *CONTENT),
    "cut in a text": body(START, *CONTENT[:-1]),
    "cut in an input": body(START, *CONTENT, *tool('{"a": [1, ', "2, {", index=7)[:-1]),
    "broken": body(START, *CONTENT, b"data: {\n\n"),
}


def read_all(message: Message) -> Any:
    """Whatever can be read of a message, its blocks, its usage and their views."""
    seen: list[Any] = [message.to_dict(), repr(message), message.text, message == message, message.usage.to_dict()]
    for thing in (message, message.usage, *message.content):
        for name in dir(type(thing)):
            if not name.startswith("_") and isinstance(getattr(type(thing), name), property):
                seen.append((name, repr(tried(partial(getattr, thing, name)))))
        if hasattr(thing, "to_param"):
            seen.append(tried(thing.to_param))
    return seen


def tried(read: Callable[[], Any]) -> Any:
    """What a read gives, or the words of the error that it raises."""
    try:
        return read()
    except ClaudeError as error:
        return str(error)


@contextmanager
def switching() -> Iterator[None]:
    """Threads take turns after a microsecond, in place of five milliseconds."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def of_stream(data: bytes) -> Message:
    """The message of a stream that has ended, which nobody has looked at yet."""
    stream = MessageStream()
    stream.receive_data(data)
    stream.receive_eof()
    assert stream.message is not None
    return stream.message


FIRST_LOOKS: tuple[Callable[[Message], Any], ...] = (
    lambda message: message.text,
    lambda message: [dict(block.raw) for block in message.content],
    lambda message: [(block.input_json, block.input_status) for block in message.tool_uses],
    lambda message: message.to_dict(),
)


@pytest.mark.parametrize("name", BODIES)
def test_reading_a_finished_message_in_several_threads(name: str) -> None:
    expected = read_all(of_stream(BODIES[name]))
    begin = Barrier(THREADS)

    def read(message: Message) -> Any:
        begin.wait(30.0)
        return read_all(message)

    with switching(), ThreadPoolExecutor(THREADS) as threads:
        for _ in range(ROUNDS):
            message = of_stream(BODIES[name])  # the first look at each thing is the one that may change it
            for found in threads.map(read, [message] * THREADS):
                assert found == expected


def held(thing: Any) -> dict[str, Any]:
    """What a block, or the parser of its input, has in its attributes."""
    found: dict[str, Any] = {}
    for name in (name for cls in type(thing).__mro__ for name in getattr(cls, "__slots__", ())):
        value = getattr(thing, name, None)
        known = isinstance(value, PartialJSON | ScanState)
        found[name] = held(value) if known else copy.copy(value) if isinstance(value, list | dict) else value
    return found


@pytest.mark.parametrize("name", BODIES)
def test_no_look_changes_a_block_of_a_finished_message(name: str) -> None:
    message = of_stream(BODIES[name])
    before = [held(block) for block in message.content]
    read_all(message)
    assert [held(block) for block in message.content] == before


def give_way(frame: FrameType, event: str, argument: Any) -> Any:
    """Trace blocks and messages, and let another thread run at each of their instructions."""
    if "_message" not in frame.f_code.co_filename and "_partial_json" not in frame.f_code.co_filename:
        return None
    frame.f_trace_opcodes = True
    if event == "opcode":
        time.sleep(0)  # no wait: whichever thread can run does
    return give_way


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("number", range(len(FIRST_LOOKS)))
def test_the_first_look_in_several_threads_that_switch_at_every_instruction(name: str, number: int) -> None:
    look = FIRST_LOOKS[number]
    expected = look(of_stream(BODIES[name]))
    begin = Barrier(2)

    def read(message: Message) -> Any:
        sys.settrace(give_way)
        try:
            begin.wait(30.0)
            return look(message)
        finally:
            sys.settrace(None)

    with ThreadPoolExecutor(2) as threads:
        message = of_stream(BODIES[name])
        assert list(threads.map(read, [message] * 2)) == [expected] * 2
