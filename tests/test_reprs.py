"""The reprs of what lives long: state and counts, short, without content and without keys."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Any

import pytest

from sansio_claude import (
    Call,
    CallSettings,
    Endpoint,
    HTTPExchange,
    Message,
    MessageAccumulator,
    MessageRequest,
    MessageStream,
    PartialJSON,
    Pool,
    Race,
    SSEDecoder,
    TLSExchange,
    Watch,
    iter_events,
    user,
)
from sansio_claude._call.connection import Connection
from sansio_claude._stream.plain_stream import PlainStream
from sansio_claude.gateway import Repair, StreamMonitor, read_wrapped
from sansio_claude.testing import Recorder, ReplayServer, compose
from sansio_claude.tools import DiskFiles, Extractor, MemoryFiles, TextEditor, ToolLoop
from tests.public_classes import public_classes

SECRET = "sk-ant-api03-WORDS"
STREAM = compose(SECRET, seed=1).data
LONGEST = 120  # characters


def shown(value: object) -> str:
    """The repr, which is short and quotes nothing."""
    text = repr(value)
    assert len(text) <= LONGEST
    assert SECRET not in text
    assert " at 0x" not in text
    return text


@pytest.mark.parametrize("kind", [MessageStream, PlainStream])
def test_a_stream(kind: type[MessageStream]) -> None:
    stream = kind()
    assert shown(stream) == f"<{kind.__name__} open, 0 events, 0 bytes received>"
    stream.receive_data(STREAM)
    number = len(stream.events_received())
    assert shown(stream) == f"<{kind.__name__} complete, {number} events, {len(STREAM)} bytes received>"
    cut = kind()
    cut.receive_data(STREAM[:-100])
    cut.receive_eof()
    assert shown(cut).startswith(f"<{kind.__name__} truncated, ")


def test_an_accumulator_an_extractor_and_a_wrapping() -> None:
    assert shown(MessageAccumulator()) == "<MessageAccumulator open, 0 events, 0 deviations>"
    request: dict[str, Any] = {"model": "claude-opus-5-5", "max_tokens": 9, "messages": [user(SECRET)]}
    assert shown(Extractor(int, **request)) == "<Extractor open, turn 1>"
    wrapped = read_wrapped([STREAM])
    assert shown(wrapped) == "<WrappedIterator of what has not come yet>"
    list(wrapped)
    assert shown(wrapped) == "<WrappedIterator of sse>"


def test_a_tool_loop() -> None:
    def look_up(word: str) -> str:
        """Look a word up."""
        raise AssertionError

    request: dict[str, Any] = {"model": "claude-opus-5-5", "max_tokens": 9, "messages": [user(SECRET)]}
    loop = ToolLoop(tools=[look_up], system=SECRET, extra_headers={"x-api-key": SECRET}, **request)
    assert shown(loop) == "<ToolLoop asking, turn 1, 1 messages, 1 tools>"
    call = {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {"word": SECRET}}
    answer = {"type": "message", "role": "assistant", "content": [call], "stop_reason": "tool_use", "usage": {}}
    loop.receive_message(Message.from_dict(answer))
    assert shown(loop) == "<ToolLoop running, turn 2, 2 messages, 1 tools>"


def test_a_text_editor_and_its_files(tmp_path: Path) -> None:
    files = MemoryFiles({"a": SECRET}, name="/repo")
    assert shown(files) == "<MemoryFiles /repo, 1 files>"
    assert shown(TextEditor(files)) == "<TextEditor text_editor_20250728 of /repo>"
    editor = TextEditor(files, version="text_editor_20250124", extra={"x": SECRET})
    assert shown(editor) == "<TextEditor text_editor_20250124 of /repo, 0 edits to undo>"
    assert not editor.call({"command": "create", "path": "b", "file_text": SECRET}).is_error
    assert shown(editor) == "<TextEditor text_editor_20250124 of /repo, 1 edits to undo>"
    assert shown(DiskFiles(tmp_path, name="/repo")) == "<DiskFiles /repo>"


def test_what_connects() -> None:
    found: Any = [(2, 1, 6, "", ("127.0.0.1", port)) for port in (1, 2)]
    race = Race(found, 0.0)
    assert shown(race) == "<Race open, 0 of 2 begun, 0 failed>"
    (first,) = race.due(0.0)
    race.failed(first, OSError(SECRET), 0.0)
    (second,) = race.due(0.0)
    race.connected(second)
    assert shown(race) == "<Race won, 2 of 2 begun, 1 failed>"
    exchange = TLSExchange(ssl.create_default_context(), "example.org")
    assert shown(exchange) == "<TLSExchange in its handshake>"
    exchange.receive_eof()
    assert shown(exchange) == "<TLSExchange ended>"


@pytest.mark.parametrize("name", sorted(public_classes()))
def test_every_class_has_one(name: str) -> None:
    """All but protocols, which have no objects of their own."""
    kind = public_classes()[name]
    own = [vars(base) for base in kind.__mro__[:-1]]
    assert getattr(kind, "_is_protocol", False) or any("__repr__" in names for names in own)


def test_a_decoder() -> None:
    decoder = SSEDecoder()
    assert shown(decoder) == "<SSEDecoder open, 0 bytes of whole lines, 0 events to be read>"
    decoder.receive_data(f"data: {SECRET}\n\ndata: {SECRET}".encode())
    assert shown(decoder) == f"<SSEDecoder open, {8 + len(SECRET)} bytes of whole lines, 1 events to be read>"
    decoder.receive_eof()
    assert shown(decoder).startswith("<SSEDecoder ended, ")


def test_an_iterator() -> None:
    events = iter_events([STREAM])
    next(events)
    number = len(list(iter_events([STREAM])))
    counts = f"{number} events, {len(STREAM)} bytes received"
    assert repr(events) == f"<EventIterator of <MessageStream complete, {counts}>, {number - 1} events to be read>"
    assert SECRET not in repr(events)


def test_partial_json() -> None:
    value = PartialJSON()
    value.feed(f'{{"key": "{SECRET}')
    assert shown(Watch(value, "key")) == f"<Watch of {value!r}>"
    assert shown(value) == f"<PartialJSON, {9 + len(SECRET)} characters>"


def test_a_call_and_its_pool() -> None:
    endpoint = Endpoint.from_base_url("http://127.0.0.1:1", api_key=SECRET)
    request = MessageRequest(model="m", max_tokens=1, messages=[{"role": "user", "content": SECRET}])
    pool: Pool[Connection] = Pool(max_connections=7)
    settings = CallSettings(chance=lambda: 0.0, wall=lambda: 0.0)
    call = Call(endpoint.request_head(request), request.body(), wanted="stream", pool=pool, settings=settings)
    assert shown(pool) == "<Pool open, 0 taken, 0 idle, 0 waiting, at most 7>"
    assert shown(call) == "<Call new, no answer yet, 0 failed attempts>"
    call.next_action(0.0)
    assert shown(pool) == "<Pool open, 1 taken, 0 idle, 0 waiting, at most 7>"
    assert shown(call) == "<Call under way, no answer yet, 0 failed attempts>"
    call.abandon()
    pool.close()
    assert shown(pool) == "<Pool closed, 0 taken, 0 idle, 0 waiting, at most 7>"


def test_an_exchange() -> None:
    exchange = HTTPExchange(target=b"/", headers=[(b"Host", b"h"), (b"x-api-key", SECRET.encode())])
    assert shown(exchange) == "<HTTPExchange open, no answer yet, 0 bytes received>"
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-echo: " + SECRET.encode() + b"\r\n\r\n"
    exchange.receive_data(answer)
    exchange.body_received()
    assert shown(exchange) == f"<HTTPExchange done, 200, {len(answer)} bytes received>"


def test_what_stands_in_between() -> None:
    repair, monitor = Repair(), StreamMonitor()
    assert shown(repair) == "<Repair open, 0 mended>"
    assert shown(monitor) == "<StreamMonitor open, 0 bytes received, 0 deviations>"
    repair.receive_data(STREAM)
    monitor.receive_data(STREAM)
    assert shown(repair) == "<Repair complete, 0 mended>"
    assert shown(monitor) == f"<StreamMonitor complete, {len(STREAM)} bytes received, 0 deviations>"


def test_a_server_and_a_recorder(tmp_path: Path) -> None:
    server = ReplayServer([STREAM], api_key=SECRET)
    assert shown(server) == "<ReplayServer of 1 answers, 0 requests, 0 of 0 connections open>"
    with Recorder(os.path.relpath(tmp_path / "s.jsonl"), secrets=[SECRET]) as recorder:
        assert "0 open calls" in repr(recorder)
        assert SECRET not in repr(recorder)
    assert "closed" in repr(recorder)
