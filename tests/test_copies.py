"""Copies and pickles of every public class: whole, or refused with words; no class can be forgotten.

A class with a state is copied whole at every point of its input, and the copy and its original go on as if there was
no other; or it refuses. Everything else is a value, and a copy of it holds all that it holds.
"""

from __future__ import annotations

import copy
import json
import pickle
import socket
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, TypeAlias

import attrs
import pytest

import sansio_claude as c
from sansio_claude import gateway, tools
from sansio_claude._call.connection import Connection
from sansio_claude._call.deadlines import Deadlines
from sansio_claude._connect.proxy import ConnectExchange
from sansio_claude._connect.socks import SocksExchange
from sansio_claude._copies import CopiedWhole, NotCopied
from sansio_claude._errors import LocalProtocolError
from sansio_claude._stream.plain_stream import PlainStream
from sansio_claude._value import an
from sansio_claude.testing import compose
from tests.instances import MESSAGE, VALUES, an_error, picture
from tests.public_classes import public_classes

Step: TypeAlias = Callable[[Any], Any]

CLASSES: Final = public_classes()
INTERNAL: Final[dict[str, type]] = {
    cls.__name__: cls for cls in (Connection, ConnectExchange, Deadlines, PlainStream, SocksExchange)
}
WAYS: Final[dict[str, Callable[[Any], Any]]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
}
# What only an object with a state has a method for.
TAKES: Final = frozenset(
    {"receive_data", "receive_eof", "receive_event", "receive_message", "feed", "next_action", "next_request", "due"}
    | {"body_received", "aclose", "close", "__next__", "__anext__", "__enter__", "__aenter__"}
)


# What the machines are given. Each step gives what is seen after it.


def stream_of_each_kind() -> bytes:
    """Thinking, text with half an emoji, a tool input, a citation, an unknown delta, odd things."""
    blocks: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "Hm, so.", "signature": "c2ln"},
        {"type": "text", "text": "Hello", "citations": [{"type": "char_location", "cited_text": "x"}]},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"path": "/tmp/x", "rows": [1, 22, {"a": "b"}]}},
    ]
    data = compose(blocks, seed=3, stop_reason="tool_use").data
    half = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":1,"delta":'
    odd = (
        half
        + b'{"type":"text_delta","text":"\\ud83d"}}\n\n'
        + half
        + b'{"type":"x_delta","x":"y"}}\n\ndata: [DONE]\n\n'
    )
    at = data.index(b'{"type":"content_block_stop","index":1')
    at = data.rindex(b"event:", 0, at)
    return data[:at] + odd + data[at:]


BODY: Final = stream_of_each_kind()


def cut(data: bytes, pieces: int) -> list[bytes]:
    """`data` in about so many pieces, whose borders stand anywhere."""
    size = len(data) // pieces + 1
    return [data[at : at + size] for at in range(0, len(data), size)]


def read_stream(chunk: bytes, stream: PlainStream) -> Any:
    """Give a stream a chunk; all that can be seen then."""
    stream.receive_data(chunk, now=float(len(chunk)))
    try:
        events = stream.events_received()
    except c.ClaudeError as error:
        return type(error), str(error)
    seen: list[Any] = [list(map(repr, events)), stream.state, picture(stream.deviations), picture(stream.liveness)]
    message = stream.message
    if message is not None:
        seen.append(json.dumps(message.to_dict()))
        for index, block in enumerate(message.content):
            if isinstance(block, c.ToolUseBlock):
                parser = stream.partial_input(index)
                seen += [parser.text, json.dumps(parser.value), picture(parser.changes()), parser.status]
            elif isinstance(block, c.TextBlock):
                seen.append(picture(stream.partial_output(index).changes()))
    return seen


def end(stream: Any) -> Any:
    """End the input; what comes of it."""
    try:
        return repr(stream.finish())
    except c.ClaudeError as error:
        return type(error), str(error)


def decode(chunk: bytes, decoder: Any) -> Any:
    """Give a decoder a chunk; what it decoded."""
    decoder.receive_data(chunk)
    read = decoder.events_received if hasattr(decoder, "events_received") else decoder.body_received
    return picture(read()), repr(decoder)


def accumulate(data: tuple[str, bytes], accumulator: c.MessageAccumulator) -> Any:
    """One event; the message after it."""
    event = c.decode(c.ServerSentEvent(*data))
    assert event is not None
    handed = repr(accumulator.receive_event(event))
    return handed, repr(accumulator.message), accumulator.done, picture(accumulator.deviations)


def watch(chunk: bytes, monitor: gateway.StreamMonitor) -> Any:
    """Show a chunk to a monitor; what it says."""
    monitor.receive_data(chunk)
    return monitor.state, monitor.stop_reason, picture(monitor.usage), picture(monitor.deviations)


def feed(text: str, parser: c.PartialJSON) -> Any:
    """One fragment, looked at and asked for changes at some of the points."""
    parser.feed(text)
    changes = picture(parser.changes()) if len(text) % 2 else None
    return changes, json.dumps(parser.value), parser.status, parser.text if len(text) % 3 == 0 else None


def read_rows(chunk: bytes, results: c.BatchResults) -> Any:
    """Some bytes of a results file; the results."""
    results.receive_data(chunk)
    return picture(results.results_received()), results.count


def race(now: float, each: c.Race) -> Any:
    """Let time pass in a race; the first that was begun fails."""
    begun = each.due(now)
    for candidate in begun:
        each.failed(candidate, ConnectionRefusedError(111, "refused"), now + 0.01)
    return begun, each.over, each.until, [type(error) for error in each.failures]


def edit(text: str, editor: tools.TextEditor) -> Any:
    """One more line in a file; the file after it."""
    given = {"command": "insert", "path": "/a.txt", "insert_line": 0, "insert_text": text}
    return editor.run(given), editor.run({"command": "view", "path": "/a.txt"})


def write(name: str, files: tools.MemoryFiles) -> Any:
    """One more file; all of them."""
    files.create(name, name.encode())
    return files.contents


def wait(now: float, deadlines: Deadlines) -> Any:
    """A step begins."""
    deadlines.begin("write" if now % 2 else "first_byte", now)
    return deadlines.step, deadlines.step_at, deadlines.idle_at, deadlines.total_at


JSON_TEXT: Final = '{"a": [1, 22, {"b": "c\\u00e9\\ud83d\\ude00"}, "d"], "e": "fgh", "a": -1.5e3} '
ROWS: Final = b"".join(
    json.dumps({"custom_id": str(n), "result": {"type": "expired"}}).encode() + b"\r\n" for n in range(4)
)
ADDRESSES: Final = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"192.0.2.{n}", 443)) for n in range(4)]
CHUNKED: Final = b"".join(b"%x;x\r\n%b\r\n" % (len(each), each) for each in cut(BODY, 9)) + b"0\r\nx: y\r\n\r\n"


@attrs.define
class Machine:
    """How one is made, what happens to it, and how it ends."""

    make: Callable[[], Any]
    steps: list[Step]
    end: Step | None = None

    def run(self, machine: Any, first: int = 0) -> list[Any]:
        """What is seen from a step on."""
        steps = [*self.steps, *([self.end] if self.end is not None else ())]
        return [step(machine) for step in steps[first:]]


def events_of(data: bytes) -> list[tuple[str, bytes]]:
    """The names and data of the events that are read without a deviation."""
    decoder = c.SSEDecoder()
    decoder.receive_data(data)
    return [(each.event, each.raw) for each in decoder.events_received() if each.raw != b"[DONE]"]


def an_editor() -> tools.TextEditor:
    """An editor with one file."""
    return tools.TextEditor(tools.MemoryFiles({"/a.txt": "one\n"}))


def some_deadlines() -> Deadlines:
    """Deadlines under way."""
    deadlines = Deadlines(c.Timeouts(total=50.0))
    deadlines.start(1.0)
    return deadlines


def of_chunks(step: Callable[..., Any], data: bytes, pieces: int) -> list[Step]:
    """A step for each piece."""
    return [partial(step, piece) for piece in cut(data, pieces)]


MACHINES: Final[dict[type, Machine]] = {
    c.SSEDecoder: Machine(c.SSEDecoder, of_chunks(decode, BODY.replace(b"\n", b"\r\n"), 31)),
    c.ChunkedDecoder: Machine(c.ChunkedDecoder, of_chunks(decode, CHUNKED, 23)),
    c.MessageStream: Machine(c.MessageStream, of_chunks(read_stream, BODY, 41), end),
    PlainStream: Machine(PlainStream, of_chunks(read_stream, BODY, 13), end),
    c.MessageAccumulator: Machine(c.MessageAccumulator, [partial(accumulate, each) for each in events_of(BODY)]),
    c.PartialJSON: Machine(c.PartialJSON, [partial(feed, JSON_TEXT[at : at + 5]) for at in range(0, 80, 5)]),
    c.BatchResults: Machine(partial(c.BatchResults, expected=5), of_chunks(read_rows, ROWS, 11), end),
    c.Race: Machine(partial(c.Race, ADDRESSES, 0.0, deadline=9.0), [partial(race, at / 5) for at in range(6)]),
    Deadlines: Machine(some_deadlines, [partial(wait, float(now)) for now in range(2, 6)]),
    gateway.StreamMonitor: Machine(gateway.StreamMonitor, of_chunks(watch, BODY, 17), end),
    tools.TextEditor: Machine(an_editor, [partial(edit, text) for text in "abc"]),
    tools.MemoryFiles: Machine(tools.MemoryFiles, [partial(write, name) for name in ("a", "b/c", "b/d")]),
}


MIDDLE: Final = BODY.index(b"event: content_block_stop")
OVERLOADED: Final = (
    b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
)
# Streams that end in another way, or keep less, and the state they end in.
ENDS: Final[dict[str, tuple[bytes, dict[str, Any], str]]] = {
    "complete": (BODY, {}, "complete"),
    "error event": (BODY[:MIDDLE] + OVERLOADED, {}, "errored"),
    "cut": (BODY[: MIDDLE + 9], {}, "truncated"),
    "broken": (BODY[:MIDDLE] + b"data: {\n\n" + BODY[MIDDLE:], {}, "broken"),
    "limit": (BODY, {"limits": c.Limits(message=MIDDLE)}, "broken"),
    "a whole message": (json.dumps(MESSAGE.to_dict()).encode(), {}, "complete"),
    "no content": (BODY, {"keep_content": False}, "complete"),
    "no message_stop": (BODY[: BODY.index(b"event: message_stop")], {"require_message_stop": False}, "complete"),
}


@pytest.mark.parametrize("name", ENDS)
def test_every_way_in_which_a_stream_ends(name: str) -> None:
    body, options, state = ENDS[name]
    machine = Machine(partial(c.MessageStream, **options), of_chunks(read_stream, body, 11), end)
    stream = machine.make()
    expected = machine.run(stream)
    assert stream.state == state
    original = machine.make()
    for point, step in enumerate(machine.steps):
        for way in WAYS.values():
            assert machine.run(way(original), point) == expected[point:]
        assert step(original) == expected[point]
    for way in WAYS.values():
        assert end(way(stream)) == expected[-1]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", MACHINES, ids=lambda kind: kind.__name__)
def test_a_machine_and_its_copy_go_on_alike_from_every_point(kind: type, way: str) -> None:
    machine = MACHINES[kind]
    expected = machine.run(machine.make())
    original = machine.make()
    for point, step in enumerate(machine.steps):
        twin = WAYS[way](original)
        assert type(twin) is kind
        assert machine.run(twin, point) == expected[point:]
        assert step(original) == expected[point]  # whatever the copy was given
    if machine.end is not None:
        assert machine.end(WAYS[way](original)) == expected[-1]


def growing() -> Iterator[Any]:
    """Every object of a stream that can be had while it grows, at each point."""
    stream = c.MessageStream()
    for chunk in cut(BODY, 41):
        stream.receive_data(chunk)
        message = stream.message
        if message is not None:
            yield from (message, message.usage, *message.content)


@pytest.mark.parametrize("way", WAYS)
def test_what_a_stream_builds_is_copied_as_it_is_at_that_point(way: str) -> None:
    made: list[tuple[Any, str]] = []
    for value in growing():
        shown = json.dumps(value.to_dict())
        twin = WAYS[way](value)
        assert type(twin) is type(value)
        assert json.dumps(twin.to_dict()) == shown
        made.append((twin, shown))
    for twin, shown in made:
        assert json.dumps(twin.to_dict()) == shown  # and stays so
    assert {type(twin) for twin, _ in made} >= {c.Message, c.Usage, c.TextBlock, c.ThinkingBlock, c.ToolUseBlock}


BLOCKS: Final = {name: cls for name, cls in CLASSES.items() if issubclass(cls, c.Block)}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", BLOCKS)
def test_a_block(name: str, way: str) -> None:
    kind = BLOCKS[name]
    block = kind({"type": "x", "text": "a", "content": [{"b": [1]}], "input": {"c": 2}, "d": None})
    twin = WAYS[way](block)
    assert type(twin) is kind
    assert picture(twin) == picture(block)
    assert twin._raw is not block._raw


REFUSING: Final = {name: cls for name, cls in {**CLASSES, **INTERNAL}.items() if issubclass(cls, NotCopied)}


@pytest.mark.parametrize("name", REFUSING)
def test_what_belongs_to_a_connection_refuses_with_words(name: str) -> None:
    kind = REFUSING[name]
    value = kind.__new__(kind)  # whatever its state: the class decides
    for way in WAYS.values():
        with pytest.raises(LocalProtocolError) as caught:
            way(value)
        what, words = str(caught.value).split(" cannot be copied or pickled: ")
        assert what == an(kind.__name__)
        assert len(words) > len(": do")
        assert words == kind._instead


ERRORS: Final[dict[str, type[Any]]] = {name: cls for name, cls in CLASSES.items() if issubclass(cls, BaseException)}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ERRORS)
def test_an_exception_keeps_all_that_it_says(name: str, way: str) -> None:
    error = an_error(ERRORS[name])
    twin = WAYS[way](error)
    assert type(twin) is ERRORS[name]
    assert picture(twin) == picture(error)
    assert (str(twin), repr(twin), twin.message) == (str(error), repr(error), error.message)
    assert twin.partial.text == "Hello"


VIEWS: Final = {name: cls for name, cls in CLASSES.items() if issubclass(cls, dict)}


@pytest.mark.parametrize("way", WAYS)
def test_views_and_values(way: str) -> None:
    made = [*(cls({"type": "x", "y": [{"z": 1}]}) for cls in VIEWS.values()), *(make() for make in VALUES.values())]
    for value in made:
        twin = WAYS[way](value)
        assert type(twin) is type(value)
        assert picture(twin) == picture(value)


@tools.tool
def decorated(word: str) -> str:
    """Look a word up."""
    return word


def test_a_tool_that_a_module_has_under_its_name_is_pickled_as_that_name() -> None:
    call = tools.ToolCall(id="toolu_1", name="decorated", input={"word": "x"}, turn=1, tool=decorated)
    for way in WAYS.values():
        assert way(decorated).call({"word": "a"}) == "a"
        assert way(call).tool is decorated  # in another process: what that has under the name
        assert way(call) == call


def test_every_public_class_has_its_place_here() -> None:
    for name, cls in CLASSES.items():
        if getattr(cls, "_is_protocol", False):
            continue
        places = [
            issubclass(cls, NotCopied),
            cls in MACHINES or cls in (c.Message, c.Usage) or name in BLOCKS,
            cls in VALUES or name in ERRORS or name in VIEWS,
        ]
        assert places.count(True) == 1, f"{name}: copied whole (MACHINES), refused (NotCopied), or a value (VALUES)?"
        assert places[1] == issubclass(cls, CopiedWhole), name
        has_state = TAKES.intersection(dir(cls))
        assert not (has_state and places[2]), f"{name} has {has_state}, so it is no value"
