"""What each public operation costs when what it is given grows fourfold: counted, linear or refused (docs/proof.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

import pytest

from sansio_claude import (
    BatchResults,
    Event,
    LimitError,
    Limits,
    LocalProtocolError,
    Message,
    MessageAccumulator,
    MessageRequest,
    MessageStream,
    PartialJSON,
    SSEDecoder,
    continuation,
    decode,
    encode_event,
    encode_sse,
    fit_messages,
    iter_events,
    text_of,
)
from sansio_claude._connect.address import parse_address
from sansio_claude._http.chunked import ChunkedDecoder
from sansio_claude._http.exchange import HTTPExchange
from sansio_claude._redact import Redactor
from sansio_claude._stream.sse import ServerSentEvent
from sansio_claude.gateway import Repair, StreamMonitor
from sansio_claude.testing import Transcript
from sansio_claude.tools import MemoryFiles, TextEditor
from tests.blocks import ROOT
from tests.counting import growth
from tests.frames import answer, block, compact, tool

Operation = Callable[[int], Callable[[], object]]
SIZE: Final = 150
MOST: Final = 1.3  # a share of fourfold work; work that grows with the square has 4


def _pieces(size: int) -> list[bytes]:
    text = ({"type": "text_delta", "text": f"word {number % 7} "} for number in range(size))
    return [compact(event) for event in answer(*block({"type": "text", "text": ""}, *text))]


def _calls(size: int) -> list[bytes]:
    return [compact(event) for event in answer(*tool('{"rows":[', *['{"n":1},'] * size, "0]}"))]


def _looked(pieces: Callable[[int], list[bytes]], look: Callable[[MessageStream], object]) -> Operation:
    def make(size: int) -> Callable[[], object]:
        events = pieces(size)

        def run() -> None:
            stream = MessageStream()
            for event in events:
                stream.receive_data(event)
                stream.events_received()
                if stream.message is not None and stream.message.content and not stream.done:
                    look(stream)
            stream.finish()

        return run

    return make


def _fed(make: Callable[[], Any], take: Callable[[Any, bytes], object], data: Callable[[int], bytes]) -> Operation:
    """Bytes in reads of seven."""

    def prepared(size: int) -> Callable[[], object]:
        given = data(size)

        def run() -> None:
            machine = make()
            for at in range(0, len(given), 7):
                take(machine, given[at : at + 7])

        return run

    return prepared


def _read_sse(decoder: SSEDecoder, data: bytes) -> None:
    decoder.receive_data(data)
    decoder.events_received()


def _read_body(machine: ChunkedDecoder | HTTPExchange, data: bytes) -> None:
    machine.receive_data(data)
    machine.body_received()


def _mend(machine: Repair, data: bytes) -> None:
    machine.receive_data(data)
    machine.data_to_send()


def _read_results(machine: BatchResults, data: bytes) -> None:
    machine.receive_data(data)
    machine.results_received()


def _message(size: int) -> dict[str, Any]:
    content = [{"type": "text", "text": "a" * 20}] * size
    usage = {"input_tokens": 1, "output_tokens": 1}
    value = {"id": "m", "type": "message", "role": "assistant", "model": "claude-opus-4-6", "content": content}
    return {**value, "stop_reason": "max_tokens", "stop_sequence": None, "usage": usage}


def _history(size: int) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = [{"role": "user", "content": "Hello"}]
    for number in range(size):
        call = {"type": "tool_use", "id": f"toolu_{number}", "name": "rows", "input": {}}
        result = {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": "done"}
        turns += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    return turns


def _request(size: int) -> MessageRequest:
    tools = [{"name": "rows", "description": "Rows.", "input_schema": {"type": "object"}}]
    return MessageRequest(model="claude-opus-4-6", max_tokens=10, messages=_history(size), tools=tools)


def _events(size: int) -> Callable[[], object]:
    pieces = _pieces(size)
    return lambda: [text_of(event) for event in iter_events(pieces)]


def _partial(look: Callable[[PartialJSON], object]) -> Operation:
    def make(size: int) -> Callable[[], object]:
        def run() -> None:
            parser = PartialJSON()
            parser.feed('{"a":[')
            for _ in range(size):
                parser.feed('{"n":"x"},')
                look(parser)

        return run

    return make


def _coded(size: int) -> Callable[[], object]:
    text = {"type": "text_delta", "text": "word " * size}
    event = {"type": "content_block_delta", "index": 0, "delta": text, "new": [0] * size}
    sse = ServerSentEvent("content_block_delta", json.dumps(event).encode(), "", None)
    return lambda: encode_event(_decoded(sse))


def _decoded(sse: ServerSentEvent) -> Event:
    event = decode(sse)
    assert event is not None
    return event


def _accumulated(size: int) -> Callable[[], object]:
    events = list(iter_events(_pieces(size)))
    return lambda: [receive(event) for receive in (MessageAccumulator().receive_event,) for event in events]


def _joined(size: int) -> Callable[[], object]:
    found = continuation(
        MessageRequest(model="claude-opus-4-6", max_tokens=9, messages=_history(1)), Message.from_dict(_message(size))
    )
    join = getattr(found, "join")  # noqa: B009 - a Continuation, as the stop reason says
    rest = "and so on, " * size
    return lambda: join(rest)


def _text(size: int) -> Callable[[], object]:
    message = Message.from_dict(_message(size))
    return lambda: message.text


def _edited(size: int) -> Callable[[], object]:
    editor = TextEditor(MemoryFiles({"a": b"line\n" * size + b"end\n"}))
    return lambda: editor.call({"command": "str_replace", "path": "a", "old_str": "end", "new_str": "x"})


def _viewed(size: int) -> Callable[[], object]:
    editor = TextEditor(MemoryFiles({"a": b"line\n" * size}))
    return lambda: editor.call({"command": "view", "path": "a"})


OPERATIONS: Final[dict[str, Operation]] = {
    "MessageStream, an event a read": _looked(_pieces, lambda stream: None),
    "MessageStream, 7 bytes a read": _fed(
        MessageStream, lambda stream, data: stream.receive_data(data), lambda size: b"".join(_pieces(size))
    ),
    "MessageStream(keep_content=False), 7 bytes a read": _fed(
        lambda: MessageStream(keep_content=False),
        lambda stream, data: stream.receive_data(data),
        lambda size: b"".join(_pieces(size)),
    ),
    "partial_input(0).value after each delta": _looked(_calls, lambda stream: stream.partial_input(0).value),
    "partial_input(0).changes() after each delta": _looked(_calls, lambda stream: stream.partial_input(0).changes()),
    "block.input_status after each delta": _looked(
        _calls,
        lambda stream: getattr(stream.message and stream.message.content[0], "input_status"),  # noqa: B009
    ),
    "iter_events and text_of": _events,
    "SSEDecoder, 7 bytes a read": _fed(SSEDecoder, _read_sse, lambda size: b"".join(_pieces(size))),
    "SSEDecoder, one line, 7 bytes a read": _fed(SSEDecoder, _read_sse, lambda size: b"data: " + b"x" * 50 * size),
    "encode_sse": lambda size: lambda: encode_sse(ServerSentEvent("e", b"line\n" * size, "", None)),
    "PartialJSON.feed and value": _partial(lambda parser: parser.value),
    "PartialJSON.feed and status": _partial(lambda parser: parser.status),
    "ChunkedDecoder, 7 bytes a read": _fed(ChunkedDecoder, _read_body, lambda size: b"5\r\nhello\r\n" * size),
    "HTTPExchange, 7 bytes a read": _fed(
        lambda: HTTPExchange(target=b"/", headers=[(b"Host", b"h")]),
        _read_body,
        lambda size: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"5\r\nhello\r\n" * size,
    ),
    "decode and encode_event": _coded,
    "MessageAccumulator.receive_event": _accumulated,
    "BatchResults, 7 bytes a read": _fed(
        BatchResults,
        _read_results,
        lambda size: b'{"custom_id":"a","result":{"type":"canceled"}}\n' * size,
    ),
    "Message.from_dict": lambda size: lambda: Message.from_dict(_message(size)),
    "Message.from_json": lambda size: lambda: Message.from_json(json.dumps(_message(size)).encode()),
    "message.to_dict()": lambda size: Message.from_dict(_message(size)).to_dict,
    "message.to_param()": lambda size: Message.from_dict(_message(size)).to_param,
    "message.text": _text,
    "request.check()": lambda size: _request(size).check,
    "continuation": lambda size: lambda: continuation(_request(1), Message.from_dict(_message(size))),
    "continuation.join": _joined,
    "fit_messages": lambda size: lambda: fit_messages(_history(size), "claude-opus-4-6"),
    "Repair, 7 bytes a read": _fed(Repair, _mend, lambda size: b"".join(_pieces(size))),
    "Repair, a message in one JSON text, 7 bytes a read": _fed(
        Repair, _mend, lambda size: json.dumps(_message(size)).encode()
    ),
    "StreamMonitor, 7 bytes a read": _fed(
        StreamMonitor, lambda monitor, data: monitor.receive_data(data), lambda size: b"".join(_pieces(size))
    ),
    "Transcript.from_bytes": lambda size: lambda: Transcript.from_bytes(b"".join(_pieces(size))),
    "TextEditor.call": _edited,
    "TextEditor.call, a view": _viewed,
    "secrets taken out of a text": lambda size: lambda: Redactor(["sk-ant-0123456789"]).text("text " * 10 * size),
}


def _refused_stream(data: bytes, **limits: int) -> None:
    stream = MessageStream(limits=Limits(**limits))
    stream.receive_data(data)
    stream.finish()


REFUSED: Final[dict[str, tuple[type[Exception], Callable[[], object]]]] = {
    "a line beyond Limits.line": (LimitError, lambda: _refused_stream(b"data: " + b"x" * 100, line=50)),
    "an event beyond Limits.event": (LimitError, lambda: _refused_stream(b"data: xxxxxxx\n" * 9, event=50)),
    "an answer beyond Limits.message": (LimitError, lambda: _refused_stream(b"".join(_pieces(50)), message=500)),
    "JSON deeper than Limits.depth": (LimitError, lambda: _refused_stream(b"".join(_calls(3)), depth=1)),
    "an address that is no string": (LocalProtocolError, lambda: parse_address(["https://h"])),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_work_is_linear(name: str) -> None:
    assert growth(OPERATIONS[name], size=SIZE) < MOST


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_be_too_much_is_refused(name: str) -> None:
    error, action = REFUSED[name]
    with pytest.raises(error):
        action()


def test_the_page_has_the_table() -> None:
    page = (ROOT / "docs" / "proof.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| ([^|]+?) \| (linear|refused) \|$", page, re.MULTILINE))
    assert rows == {**dict.fromkeys(OPERATIONS, "linear"), **dict.fromkeys(REFUSED, "refused")}
