"""The short way of usual events that are no deltas: where it is taken, and that it is equal to the plain way."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from sansio_claude._limits import DEFAULT_LIMITS, Limits
from sansio_claude._stream import decode, message_stream
from sansio_claude._stream.accumulate import MessageAccumulator
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude._stream.plain_stream import PlainStream
from sansio_claude._stream.shortcuts import short_way
from tests.frames import DELTA, answer, block, body, compact, frame, message_delta, start, stop, text, tool
from tests.observe import run

Json = dict[str, Any]

_PING: Final[Json] = {"type": "ping"}
_TEXT: Final = block({"type": "text", "text": ""}, {"type": "text_delta", "text": "Hi"})
_CITED: Final = block({"citations": [], "type": "text", "text": ""}, {"type": "text_delta", "text": "Hi"})
_THINKING: Final = block(
    {"type": "thinking", "thinking": "", "signature": ""}, {"type": "thinking_delta", "thinking": "Hm"}
)
_CALLER: Final = {"type": "tool_use", "id": "t", "name": "n", "input": {}, "caller": {"type": "direct"}}
_MCP: Final = {"type": "mcp_tool_use", "id": "t", "name": "n", "input": {}, "server_name": "s"}
_FRAGMENT: Final = {"type": "input_json_delta", "partial_json": '{"a": [1.5, "\\u00e9"]}'}
_CALLED: Final = message_delta({"stop_reason": "tool_use", "stop_sequence": None})
_END: Final[Json] = {"type": "message_stop"}
ANSWERS: Final[dict[str, list[Json]]] = {
    "text": answer(_TEXT[0], _PING, *_TEXT[1:]),
    "citations": answer(*_CITED),
    "thinking": answer(*_THINKING),
    "tool": [*answer(*_TEXT, *tool('{"a":', " [1]}", index=1))[:-2], _CALLED, _END],
    "two tools": [
        *answer(*tool('{"a": 1}'), *tool("{}", index=1, kind="server_tool_use"), *block(_CALLER, _FRAGMENT, index=2))[
            :-2
        ],
        _CALLED,
        _END,
    ],
    "mcp": answer(*block(_MCP, _FRAGMENT)),
}


def _short_and_plain(monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], list[bytes]]:
    """The types of the events that went the short way, and the data of those that went the plain one."""
    short: list[str] = []
    plain: list[bytes] = []

    def spy(accumulator: MessageAccumulator, name: str, raw: bytes, limits: Limits) -> Any:
        event = short_way(accumulator, name, raw, limits)
        if event is not None:
            short.append(event.type)
        return event

    def spy_plain(raw: bytes, depth: int) -> Any:
        plain.append(raw)
        return loads(raw, depth)

    loads = decode.loads  # type: ignore[attr-defined]
    monkeypatch.setattr(message_stream, "short_way", spy)
    monkeypatch.setattr(decode, "loads", spy_plain)
    return short, plain


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("at_once", [False, True])
def test_every_event_of_a_usual_answer_goes_a_short_way(
    monkeypatch: pytest.MonkeyPatch, name: str, at_once: bool
) -> None:
    short, plain = _short_and_plain(monkeypatch)
    events = ANSWERS[name]
    frames = [compact(event, number) for number, event in enumerate(events)]
    stream = MessageStream()
    for read in [b"".join(frames)] if at_once else frames:
        stream.receive_data(read)
    assert short == [event["type"] for event in events if event["type"] != "content_block_delta"]
    assert plain == []
    twin = PlainStream()
    twin.receive_data(b"".join(frames))
    assert stream.finish() == twin.finish()
    assert list(map(repr, stream.events_received())) == list(map(repr, twin.events_received()))
    assert stream.deviations == twin.deviations == []


_ABSENT: Final = object()
ODD: Final[tuple[Any, ...]] = (_ABSENT, None, "", "x", 0, -1, 1, True, 1.5, [], {}, [1], {"a": None}, "max_tokens")


def _variations(value: Any) -> Iterator[Any]:
    """`value`, a JSON object, with one thing in it changed: each key left out, replaced, and doubled by another."""
    for key, item in value.items():
        for odd in ODD:
            changed = {**value, key: odd}
            if odd is _ABSENT:
                del changed[key]
            yield changed
        if isinstance(item, dict):
            for inner in _variations(item):
                yield {**value, key: inner}
    yield {**value, "more": 1}
    yield dict(reversed(value.items()))


def _odd(name: str) -> Iterator[list[Json]]:
    """The answer with one event changed in one place, left out, doubled, or exchanged with the next."""
    events = ANSWERS[name]
    for at, event in enumerate(events):
        if event["type"] == "content_block_delta":
            continue
        for changed in _variations(event):
            yield [*events[:at], changed, *events[at + 1 :]]
        yield events[:at] + events[at + 1 :]
        yield [*events[: at + 1], *events[at:]]
        yield [*events[:at], *reversed(events[at : at + 2]), *events[at + 2 :]]


@pytest.mark.parametrize("name", ["text", "tool", "thinking"])
def test_whatever_is_odd_about_an_event_is_what_the_plain_way_says(name: str) -> None:
    for number, events in enumerate(_odd(name)):
        frames = [frame(event, event["type"] if isinstance(event.get("type"), str) else "x") for event in events]
        keep = number % 5 != 0
        expected = run(frames, kind=PlainStream, keep_content=keep)
        assert run(frames, keep_content=keep) == expected, events
        assert run([b"".join(frames)], keep_content=keep) == expected, events


def test_the_type_is_the_json_s_own_and_not_the_name_of_the_event() -> None:
    events = ANSWERS["text"]
    for at, event in enumerate(events):
        for name in ("ping", "message_stop", "content_block_stop", "message_start"):
            frames = [frame(each, name if number == at else None) for number, each in enumerate(events)]
            assert run(frames) == run(frames, kind=PlainStream), event


def test_nothing_is_changed_by_an_event_that_is_left_to_the_plain_way() -> None:
    """Whatever `short_way` gives None for, it has not touched."""
    events = ANSWERS["tool"]
    for at, event in enumerate(events):
        if event["type"] == "content_block_delta":
            continue
        for changed in _variations(event):
            stream = MessageStream()
            for each in events[:at]:
                stream.receive_data(compact(each))
            before = _state(stream)
            name = event["type"]
            if short_way(stream._accumulator, name, json.dumps(changed).encode(), DEFAULT_LIMITS) is None:
                assert _state(stream) == before, changed


def _state(stream: MessageStream) -> str:
    accumulator = stream._accumulator
    names = {name for kind in type(accumulator).__mro__ for name in getattr(kind, "__slots__", ())}
    plain = copy.deepcopy({name: getattr(accumulator, name) for name in names if name not in ("_verdicts", "_halves")})
    return repr({name: plain[name] for name in sorted(plain)})


def test_depth_and_size_are_looked_at() -> None:
    deep = {**ANSWERS["text"][0], "message": {**ANSWERS["text"][0]["message"], "more": [[[[[["x"]]]]]]}}
    for limits in (Limits(depth=7), Limits(depth=8), Limits(depth=9)):
        frames = [compact(deep), *map(compact, ANSWERS["text"][1:])]
        assert run(frames, limits=limits) == run(frames, limits=limits, kind=PlainStream)
    for depth in (2, 3, 4):
        frames = list(map(compact, ANSWERS["tool"]))
        assert run(frames, limits=Limits(depth=depth)) == run(frames, limits=Limits(depth=depth), kind=PlainStream)


def test_behind_message_stop_nothing_goes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    short, _ = _short_and_plain(monkeypatch)
    stream = MessageStream()
    stream.receive_data(body(*ANSWERS["text"], spell=compact))
    count = len(short)
    stream.receive_data(body(DELTA, start(1, {"type": "text", "text": ""}), text("x", 1), stop(1), spell=compact))
    assert len(short) == count
    assert [each.kind for each in stream.deviations] == ["after_message_stop"]
