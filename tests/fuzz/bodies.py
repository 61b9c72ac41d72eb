"""Targets that read the body of an answer: events, the stream, partial JSON, and the repair of streams."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Any, Final

from attrs import evolve

from sansio_claude._errors import LimitError, RemoteProtocolError
from sansio_claude._limits import Limits
from sansio_claude._partial_json.parser import PartialJSON
from sansio_claude.testing import Dialect, compose
from tests.frames import compact
from tests.fuzz.seeds import error_streams, half_streams, input_streams, odd_streams, whole_bodies
from tests.fuzz.streams import BLOCKS, some_limits
from tests.fuzz.target import Target, cut, dice_for, spliced
from tests.gateway.repairing import hold_repair
from tests.invariants import Evidence, a_missing_stop_counts_where_allowed, hold
from tests.mutations import TOKENS, break_bytes, break_events
from tests.partial_json_reference import NOTHING, apply, refused_by_json, same, see
from tests.properties.test_edits import STREAMS
from tests.properties.test_repair_edits import PROMISES
from tests.properties.test_sse import assert_standard, decode_all

__all__ = ["TARGETS"]

_DIALECTS: Final = (
    Dialect(line_end="\r\n", bom=True),
    Dialect(line_end="\r", space=False, event_lines=False),
    Dialect(spaced_json=True, ascii_json=True, comment=" alive", ids=True, retry=5, done=True),
)
_BLANK: Final = re.compile(rb"(?>\r\n|\r|\n){2}")


@cache
def _streams() -> tuple[bytes, ...]:
    short = [compose([block], seed=number, pings="none").data for number, block in enumerate(BLOCKS)]
    dialects = [compose("Hé\n😀", seed=number, dialect=each).data for number, each in enumerate(_DIALECTS)]
    waits = compose("Hi", seed=1, prefilled=[{"type": "text", "text": ""}]).data
    own = [each for each in short if len(each) < 3_000]
    odd = [*input_streams(), *error_streams(), *half_streams(), *odd_streams(), *whole_bodies(BLOCKS)]
    return (waits, *STREAMS.values(), *own, *dialects, *odd)


def _frames(data: bytes) -> list[bytes]:
    *frames, last = data.split(b"\n\n")
    return [*(each + b"\n\n" for each in frames), last]


def _cut(data: bytes, dice: Random) -> list[bytes]:
    """Chunks as streams mostly come: some of them one event each, which is what the short ways look for."""
    if dice.random() < 0.7:
        return cut(data, dice)
    edges = {match.end() for match in _BLANK.finditer(data) if dice.random() < 0.9}
    return [data[start:end] for start, end in itertools.pairwise(sorted({0, len(data), *edges}))]


def _forms(data: bytes, dice: Random) -> list[bytes | bytearray | list[bytes]]:
    """Chunks as a stream may be given them: bytes, mostly; seldom a bytearray, or a list of whole events."""
    if dice.random() < 0.9:
        return [*_cut(data, dice)]
    if dice.random() < 0.3:
        return [bytearray(each) for each in _cut(data, dice)]
    frames = _frames(data)
    at = dice.randrange(len(frames) + 1)
    return [frames[:at], *_cut(b"".join(frames[at:]), dice)]


def _mutate_stream(data: bytes, dice: Random) -> bytes:
    """Events exchanged, doubled, borrowed from other streams or given odd values; and bytes."""
    frames = _frames(data)
    if dice.random() < 0.5:
        others = _frames(dice.choice(_streams()))
        return spliced(frames, others, dice, _mutate_frame)
    return break_bytes(data, dice)


def _mutate_frame(frame: bytes, dice: Random) -> bytes:
    """Another value at some place of the JSON of one event, where it has any."""
    before, found, text = frame.partition(b"data: ")
    if found and dice.random() < 0.8:
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        if type(value) is dict:
            delta = value.get("delta")
            if type(delta) is dict and type(delta.get("partial_json")) is str and dice.random() < 0.5:
                given = delta["partial_json"].encode("utf-8", "replace")
                delta["partial_json"] = _mutate_json(given, dice).decode("utf-8", "replace")
                return compact(value) if isinstance(value.get("type"), str) else frame
            (changed,) = break_events([value], dice)[:1] or [value]
            if isinstance(changed.get("type"), str) and dice.random() < 0.8:
                return compact(changed)
            return before + found + json.dumps(changed, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n\n"
    return break_bytes(frame, dice)


def _check_sse(data: bytes) -> None:
    dice = dice_for(data)
    limits = Limits()
    if dice.random() < 0.3:
        limits = Limits(
            line=dice.choice((1, 7, 40, 8_000_000)),
            event=dice.choice((1, 7, 40, 8_000_000)),
            event_lines=dice.choice((1, 2, 10_000)),
        )
    chunks = _cut(data, dice)
    decoded = decode_all(chunks, limits=limits)
    assert_standard(decoded, data, limits)
    assert decode_all([data], limits=limits, read_each=False) == decoded


def _check_stream(data: bytes) -> None:
    dice = dice_for(data)
    options: dict[str, Any] = {"strict": dice.random() < 0.2, "keep_content": dice.random() < 0.9}
    # Single bytes take most of the time of a search: each fiftieth input is read so by both twins.
    bytewise = dice.random() < 0.02
    twin = None if bytewise else _cut(data, dice)
    evidence = Evidence(data, _forms(data, dice), twin=twin, limits=some_limits(dice), **options)
    hold(evidence, count=dice.random() < 0.01, twice=bytewise)
    if dice.random() < 0.1:
        a_missing_stop_counts_where_allowed(evidence)


_JSON_SEEDS: Final = (
    b'{"path":"/a","rows":[{"n":1},{"\xc3\xbc":null}],"e":1e300,"s":"a\\u00e9\\n\\ud83d\\ude00","t":true}',
    b'{"a":[[],{},"",-0.5,1E+5],"a":2} ',
    b"[1,2,[3,[4,[5]]]]",
    b'"x\\"',
    b"-12.",
    b"NaN",
    b'{"a" : fal',
)
_JSON_TOKENS: Final = (
    *(b"{", b"}", b"[", b"]", b",", b":", b'"', b'"a":', b'"a":1,', b"\\", b"\\u", b"\\ud83d", b"\\ude00", b"\\n"),
    *(b"-", b"0", b"12", b".5", b"e", b"E+", b"true", b"fal", b"null", b"NaN", b"Infinity", b"-Infinity", b" ", b"\n"),
    *("é".encode(), "😀".encode(), "\ufeff".encode(), b"\x00", b"\x7f", b"9" * 40, b"[" * 20),
)


def _mutate_json(data: bytes, dice: Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    match dice.randrange(4):
        case 0:
            return data[:at] + dice.choice(_JSON_TOKENS) + data[at:]
        case 1:
            return data[:at]
        case 2:
            other = dice.choice(_JSON_SEEDS)
            return data[:at] + other[dice.randrange(len(other)) :]
        case _:
            return break_bytes(data, dice)


def _check_partial_json(data: bytes) -> None:
    dice = dice_for(data)
    if data.count(b"[") + data.count(b"{") > 200:
        return  # the reference and json.loads are recursive
    text = data.decode("utf-8", "replace")
    keep, allow_nan = dice.random() < 0.7, dice.random() < 0.3
    max_depth = dice.choice((1, 3, 512, 512))
    parser = PartialJSON(strings="keep" if keep else "drop", allow_nan=allow_nan, max_depth=max_depth)
    rebuilt: list[Any] = []
    pieces = _pieces(text, dice)
    for start, fragment in pieces:
        parser.feed(fragment)
        if dice.random() < min(0.4, 6 / len(pieces)):  # the reference begins anew each time
            seen = see(text[: start + len(fragment)], keep=keep, allow_nan=allow_nan, max_depth=max_depth)
            assert same(parser.snapshot(NOTHING), seen.value)
            assert parser.status == seen.status
            apply(rebuilt, parser.changes())
            assert same(rebuilt, [] if seen.value is NOTHING else [seen.value])
    seen = see(text, keep=keep, allow_nan=allow_nan, max_depth=max_depth)
    assert parser.status == seen.status
    assert (parser.error and parser.error.position) == seen.position
    strict = refused_by_json(text, allow_nan=allow_nan)
    refused: RemoteProtocolError | None = None
    value = None
    try:
        value = parser.final()
    except RemoteProtocolError as error:
        refused = error
    assert (refused is None) == (seen.status == "complete")
    assert same(value, strict) if refused is None else strict is NOTHING or isinstance(refused, LimitError)


def _pieces(text: str, dice: Random) -> list[tuple[int, str]]:
    step = dice.choice((1, 3, 9, len(text) + 1))
    return [(at, text[at : at + step]) for at in range(0, len(text), step)]


def _check_repair(data: bytes) -> None:
    dice = dice_for(data)
    ended_well = dice.random() < 0.7
    hold_repair(data, _cut(data, dice), ended_well=ended_well, limits=evolve(some_limits(dice), deviations=1_000))
    if dice.random() < 0.2:
        dice.choice(PROMISES)(data)


_STREAM_TOKENS: Final = (
    *TOKENS,
    *(f'"{name}"'.encode() for name in ("type", "index", "delta", "text", "partial_json", "usage", "stop_reason")),
    *(f'"{name}"'.encode() for name in ("text_delta", "input_json_delta", "thinking_delta", "signature_delta")),
    *(f'"{name}"'.encode() for name in ("tool_use", "thinking", "compaction", "message_stop", "error", "null")),
)


def _seeds() -> Sequence[bytes]:
    return _streams()


TARGETS: Final = (
    Target("sse", _seeds, _check_sse, _mutate_stream, TOKENS, most=1_000),
    Target("stream", _seeds, _check_stream, _mutate_stream, _STREAM_TOKENS, most=2_000),
    Target("partial_json", lambda: _JSON_SEEDS, _check_partial_json, _mutate_json, _JSON_TOKENS, most=300),
    Target("repair", _seeds, _check_repair, _mutate_stream, _STREAM_TOKENS, most=2_000),
)
