"""Streams of the real shape, composed from the blocks that they shall become.

`compose` takes content blocks as the API's JSON has them and gives a `Transcript`: the bytes of the event
stream that a server would have sent for them, frame by frame, with the message that a client must get in
the end. What is not given (ids, signatures, sizes of deltas, padding, pings, token counts) is drawn from
`seed`; the same arguments always give the same bytes.

The shape is that of 299 recorded streams: `event: T`, `data: JSON`, a blank line, LF only; 0 to 15 spaces
before the last brace of nearly every data line; `data: {"type": "ping"}` never padded and alone with a
space after the colon; a median of 10 characters a delta in text, 9 in thinking, 7 (13 at most) in tool
input, whose first delta is empty; one signature delta of 248 to 2,392 characters a thinking block. A
`Dialect` gives the forms that gateways send instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, Final, Literal, TypeAlias

import attrs

from sansio_claude._errors import LocalProtocolError
from sansio_claude.testing import _fragments
from sansio_claude.testing._dialect import Dialect, frame
from sansio_claude.testing._fragments import prose

__all__ = ["Dialect", "Pings", "Transcript", "compose", "error_frame", "prose"]

Pings: TypeAlias = Literal["usual", "none", "everywhere"]
_Event: TypeAlias = dict[str, Any]

_TOOL_BLOCKS: Final = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
_ID_PREFIXES: Final = {"tool_use": "toolu", "server_tool_use": "srvtoolu", "mcp_tool_use": "mcptoolu"}
_INCOMPLETE: Final = "$incomplete_json"
# The alternatives are atomic, so that CRLF is never taken for two line ends.
_BLANK_LINE: Final = re.compile(rb"(?>\r\n|\r|\n){2,}")


@attrs.define(frozen=True)
class Transcript:
    """The bytes of one event stream, frame by frame.

    `message` is what a client must make of the whole stream, as JSON; None where the stream is not whole,
    or where it was recorded and nobody has said.
    """

    frames: tuple[bytes, ...]
    """The frames, each with the blank line that ends it."""
    message: dict[str, Any] | None = attrs.field(default=None, kw_only=True)

    @classmethod
    def from_bytes(cls, data: bytes, *, message: dict[str, Any] | None = None) -> Transcript:
        """Take a recorded stream apart at its blank lines; bytes after the last one are a frame too."""
        ends = [match.end() for match in _BLANK_LINE.finditer(data)]
        if not ends or ends[-1] < len(data):
            ends.append(len(data))
        starts = [0, *ends[:-1]]
        frames = tuple(data[start:end] for start, end in zip(starts, ends, strict=True) if start < end)
        return cls(frames, message=message)

    @property
    def data(self) -> bytes:
        """All of it."""
        return b"".join(self.frames)

    @property
    def borders(self) -> tuple[int, ...]:
        """Where each frame ends, in bytes from the start."""
        ends: list[int] = []
        position = 0
        for each in self.frames:
            position += len(each)
            ends.append(position)
        return tuple(ends)

    def network_chunks(self, seed: int = 0) -> list[bytes]:
        """The bytes as a network hands them over: chunks end on frame borders, 1.4 frames each on average."""
        dice = Random(seed)
        chunks: list[bytes] = []
        position = 0
        while position < len(self.frames):
            count = dice.choices((1, 2, 3), weights=(70, 20, 10))[0]
            chunks.append(b"".join(self.frames[position : position + count]))
            position += count
        return chunks

    def first(self, count: int) -> Transcript:
        """Only the first `count` frames, as of a connection that ended on a border."""
        if count >= len(self.frames):
            return self
        return Transcript(self.frames[: max(0, count)])

    def cut(self, position: int) -> Transcript:
        """Only the first `position` bytes, as of a connection that ended anywhere."""
        data = self.data
        return self if position >= len(data) else Transcript.from_bytes(data[: max(0, position)])

    def with_error(
        self,
        after: int,
        *,
        error_type: str = "overloaded_error",
        message: str = "Overloaded",
        dialect: Dialect | None = None,
    ) -> Transcript:
        """The first `after` frames, then an error event, then nothing."""
        last = error_frame(error_type, message, dialect=dialect)
        return Transcript((*self.frames[: max(0, after)], last))


def compose(
    content: str | Sequence[Mapping[str, Any]],
    *,
    seed: int = 0,
    model: str = "claude-opus-5-5",
    message_id: str | None = None,
    stop_reason: str | None = None,
    stop_sequence: str | None = None,
    stop_details: Mapping[str, Any] | None = None,
    usage: Mapping[str, Any] | None = None,
    prefilled: Sequence[Mapping[str, Any]] = (),
    pings: Pings = "usual",
    interleave: bool = False,
    dialect: Dialect | None = None,
) -> Transcript:
    """Compose the stream of a message with this content: a text, or blocks as the API's JSON has them.

    A thinking block without `signature` and a tool block without `id` get one. A tool input may be
    `{"$incomplete_json": "raw text"}`: then exactly this text is sent. Blocks of kinds that do not grow
    (results, redacted thinking, unknown ones) come whole in their start event. `prefilled` blocks come in
    message_start. Half a surrogate pair goes out as its escape. `stop_reason` defaults to "tool_use" after a last
    block of that type, else "end_turn"; `usage` overrides the counts of message_delta. `interleave` opens blocks
    before earlier ones are closed.

    Raises LocalProtocolError for blocks, counters or details that are no JSON.
    """
    dice = Random(seed)
    dialect = Dialect() if dialect is None else dialect
    given = [{"type": "text", "text": content}] if isinstance(content, str) else content
    for name, value in (("content", given), ("prefilled", prefilled)):
        if not isinstance(value, Sequence) or not all(isinstance(block, Mapping) for block in value):
            words = f"{name} is a list of blocks, each an object (a dict)" + (", or a text" * (name == "content"))
            raise LocalProtocolError(f"compose(): {words}", path=name)
        _check_json([dict(block) for block in value], name)
    _check_json(None if usage is None else dict(usage), "usage")
    _check_json(None if stop_details is None else dict(stop_details), "stop_details")
    blocks = [_completed(block, dice) for block in given]
    if stop_reason is None:
        stop_reason = "tool_use" if blocks and blocks[-1].get("type") == "tool_use" else "end_turn"
    counts = _usage_at_start(dice)
    message: dict[str, Any] = {
        "model": model,
        "id": message_id or _fragments.identifier("msg", dice),
        "type": "message",
        "role": "assistant",
        "content": [dict(block) for block in prefilled],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "usage": counts,
    }
    end = {
        "stop_reason": stop_reason,
        "stop_sequence": stop_sequence,
        "stop_details": None if stop_details is None else dict(stop_details),
    }
    totals = {**_usage_at_end(counts, blocks), **(usage or {})}
    grown = [list(_block_events(len(prefilled) + index, block, dice)) for index, block in enumerate(blocks)]
    events: list[_Event] = [{"type": "message_start", "message": message}]
    events += _woven(grown, dice) if interleave else [event for block in grown for event in block]
    events.append({"type": "message_delta", "delta": end, "usage": totals})
    events.append({"type": "message_stop"})
    final = {
        **message,
        **end,
        "content": [*prefilled, *blocks],
        "usage": {**counts, **{key: value for key, value in totals.items() if value is not None}},
    }
    for block in blocks:
        if block.get("type") == "fallback":  # the answer is another model's from here on
            final["model"] = block["to"]["model"]
    frames = _frames(_with_pings(events, pings, dice), dialect, dice)
    return Transcript(tuple(frames), message=final)


def _check_json(value: object, name: str) -> None:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise LocalProtocolError(f"compose(): {name} has to be JSON: {error}", path=name) from None


def error_frame(
    error_type: str = "overloaded_error", message: str = "Overloaded", *, dialect: Dialect | None = None
) -> bytes:
    """The frame of an error event."""
    event = {"type": "error", "error": {"details": None, "type": error_type, "message": message}}
    return frame(event, Dialect() if dialect is None else dialect)


def _completed(block: Mapping[str, Any], dice: Random) -> dict[str, Any]:
    """The block with what the API would have added: it is what the client must end up with."""
    whole = dict(block)
    kind = whole.get("type")
    if kind == "thinking":
        whole.setdefault("signature", _fragments.signature(dice))
    elif kind in _TOOL_BLOCKS:
        whole.setdefault("id", _fragments.identifier(_ID_PREFIXES[kind], dice))
        whole.setdefault("input", {})
    return whole


def _usage_at_start(dice: Random) -> dict[str, Any]:
    return {
        "input_tokens": dice.randint(10, 4_000),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": dice.randint(1, 8),
        "service_tier": "standard",
        "inference_geo": "global",
    }


def _usage_at_end(start: Mapping[str, Any], blocks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Cumulative counts, at four characters a token."""
    thought = sum(len(block.get("thinking", "")) for block in blocks)
    said = sum(len(block.get("text", "")) + len(_input_text(block)) for block in blocks)
    return {
        "input_tokens": start["input_tokens"],
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": start["output_tokens"] + (thought + said) // 4,
        "output_tokens_details": {"thinking_tokens": thought // 4},
    }


def _input_text(block: Mapping[str, Any]) -> str:
    """The JSON text of a tool block's input; a tool without arguments streams none at all."""
    value = block.get("input")
    if block.get("type") not in _TOOL_BLOCKS or value == {}:
        return ""
    if isinstance(value, Mapping) and set(value) == {_INCOMPLETE}:
        return str(value[_INCOMPLETE])
    return json.dumps(value, ensure_ascii=False)


def _block_events(index: int, block: dict[str, Any], dice: Random) -> Iterator[_Event]:
    """Start, deltas and stop of one block."""

    def delta(kind: str, **fields: Any) -> _Event:
        return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}

    start, deltas = block, list[_Event]()
    match block.get("type"):
        case "text":
            start = {**block, "text": ""}
            if block.get("citations"):
                start["citations"] = []
                deltas += [delta("citations_delta", citation=each) for each in block["citations"]]
            pieces = _fragments.text_fragments(block["text"], dice, median=10)
            deltas += [delta("text_delta", text=piece) for piece in pieces]
        case "thinking":
            start = {**block, "thinking": "", "signature": ""}
            pieces = _fragments.text_fragments(block["thinking"], dice, median=9)
            deltas += [delta("thinking_delta", thinking=piece) for piece in pieces]
            if block["signature"]:
                deltas.append(delta("signature_delta", signature=block["signature"]))
        case "tool_use" | "server_tool_use" | "mcp_tool_use":
            start = {**block, "input": {}}
            pieces = _fragments.json_fragments(_input_text(block), dice)
            deltas.append(delta("input_json_delta", partial_json=""))
            deltas += [delta("input_json_delta", partial_json=piece) for piece in pieces]
        case "compaction":
            grows = ("content", "encrypted_content")
            start = {**{key: value for key, value in block.items() if key not in grows}, "content": None}
            deltas.append(delta("compaction_delta", **{key: block[key] for key in grows if key in block}))
        case _:
            pass  # whole at its start
    yield {"type": "content_block_start", "index": index, "content_block": start}
    yield from deltas
    yield {"type": "content_block_stop", "index": index}


def _woven(blocks: list[list[_Event]], dice: Random) -> list[_Event]:
    """The events of several blocks at once: each in its own order, started in the order of their indices."""
    waiting = [list(reversed(events)) for events in blocks]
    opened: list[list[_Event]] = []
    woven: list[_Event] = []
    while waiting or opened:
        if waiting and (not opened or dice.random() < 0.2):
            opened.append(waiting.pop(0))
            woven.append(opened[-1].pop())
        else:
            woven.append(dice.choice(opened).pop())
        opened = [events for events in opened if events]
    return woven


def _with_pings(events: list[_Event], pings: Pings, dice: Random) -> Iterator[_Event]:
    """Usual: one after the first block's start, few later. Everywhere: before and after each event."""
    ping: _Event = {"type": "ping"}
    started = False
    if pings == "everywhere":
        yield ping
    for event in events:
        yield event
        if pings == "everywhere":
            yield ping
        elif pings == "usual" and event["type"] == "content_block_start" and not started:
            started = True
            yield ping
        elif pings == "usual" and event["type"] == "content_block_delta" and dice.random() < 0.005:
            yield ping


def _frames(events: Iterator[_Event], dialect: Dialect, dice: Random) -> Iterator[bytes]:
    end = dialect.line_end
    start = b"\xef\xbb\xbf" if dialect.bom else b""
    if dialect.retry is not None:
        start += f"retry: {dialect.retry}{end}{end}".encode()
    for number, event in enumerate(events, 1):
        yield start + frame(event, dialect, padding=dice.randint(0, 15), number=number)
        start = b""
    if dialect.done:
        yield f"data: [DONE]{end}{end}".encode()
