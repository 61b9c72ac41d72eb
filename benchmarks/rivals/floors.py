"""The floors: the least that the work can cost, written by hand for the happy path alone.

Nothing here checks an order, a limit, an encoding or an error, and LF is the only line end known. That is the
point: what a real client costs above these is the price of being right.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any, get_args

import msgspec

__all__ = [
    "Accumulated",
    "Event",
    "HandStream",
    "TextDelta",
    "Unchunk",
    "decode_ordinary",
    "decode_typed",
    "split_frames",
]


class TextDelta(msgspec.Struct, tag="text_delta", gc=False):
    text: str


class ThinkingDelta(msgspec.Struct, tag="thinking_delta", gc=False):
    thinking: str


class SignatureDelta(msgspec.Struct, tag="signature_delta", gc=False):
    signature: str


class InputJSONDelta(msgspec.Struct, tag="input_json_delta", gc=False):
    partial_json: str


class CitationsDelta(msgspec.Struct, tag="citations_delta", gc=False):
    citation: dict[str, Any]


Delta = TextDelta | ThinkingDelta | SignatureDelta | InputJSONDelta | CitationsDelta


class MessageStart(msgspec.Struct, tag="message_start", gc=False):
    message: dict[str, Any]


class BlockStart(msgspec.Struct, tag="content_block_start", gc=False):
    index: int
    content_block: dict[str, Any]


class BlockDelta(msgspec.Struct, tag="content_block_delta", gc=False):
    index: int
    delta: Delta


class BlockStop(msgspec.Struct, tag="content_block_stop", gc=False):
    index: int


class MessageDelta(msgspec.Struct, tag="message_delta", gc=False):
    delta: dict[str, Any]
    usage: dict[str, Any]


class MessageStop(msgspec.Struct, tag="message_stop", gc=False):
    pass


class Ping(msgspec.Struct, tag="ping", gc=False):
    pass


Event = MessageStart | BlockStart | BlockDelta | BlockStop | MessageDelta | MessageStop | Ping

decode_typed: Callable[[bytes], Event] = msgspec.json.Decoder(Event).decode
"""The fastest typed decode there is: structs that the garbage collector does not track."""


def _ordinary(struct: type[msgspec.Struct], **fields: Any) -> Any:
    """The same struct with msgspec's own defaults."""
    info = struct.__struct_config__
    kept = {name: struct.__annotations__[name] for name in struct.__struct_fields__} | fields
    types = {"int": int, "str": str, "dict[str, Any]": dict[str, Any]}
    named = [(name, types.get(kind, kind) if isinstance(kind, str) else kind) for name, kind in kept.items()]
    return msgspec.defstruct(struct.__name__, named, tag=info.tag)


def _decode_ordinary() -> Callable[[bytes], Any]:
    delta = functools.reduce(operator.or_, map(_ordinary, get_args(Delta)))
    events = [_ordinary(s, delta=delta) if s is BlockDelta else _ordinary(s) for s in get_args(Event)]
    return msgspec.json.Decoder(functools.reduce(operator.or_, events)).decode


decode_ordinary: Callable[[bytes], Any] = _decode_ordinary()
"""The floor of P1 and P2: a typed decode into structs declared without any option."""


def split_frames(chunks: Sequence[bytes]) -> list[bytes]:
    """The payloads of an LF stream by bytes.split: what finding the frames costs at least."""
    payloads: list[bytes] = []
    rest = b""
    for chunk in chunks:
        parts = (rest + chunk).split(b"\n\n")
        rest = parts.pop()
        payloads += [part[part.find(b"\ndata: ") + 7 :] for part in parts]
    return payloads


class Accumulated:
    """Adds events up to a message, trusting every one of them."""

    __slots__ = ("_blocks", "message", "pieces")

    def __init__(self) -> None:
        self.message: dict[str, Any] = {}
        self._blocks: list[dict[str, Any]] = []
        self.pieces: list[str] = []

    def add(self, event: Any) -> None:
        kind = type(event)
        if kind is BlockDelta:
            delta = event.delta
            of = type(delta)
            if of is TextDelta:
                self.pieces.append(delta.text)
            elif of is InputJSONDelta:
                self.pieces.append(delta.partial_json)
            elif of is ThinkingDelta:
                self.pieces.append(delta.thinking)
            elif of is SignatureDelta:
                self._blocks[-1]["signature"] = delta.signature
            else:
                self._blocks[-1]["citations"].append(delta.citation)
        elif kind is BlockStart:
            self._blocks.append(event.content_block)
        elif kind is BlockStop:
            self._close()
        elif kind is MessageStart:
            self.message = event.message
        elif kind is MessageDelta:
            self.message |= event.delta
            self.message["usage"] |= event.usage
        elif kind is MessageStop:
            self.message["content"] = self._blocks

    def _close(self) -> None:
        block = self._blocks[-1]
        whole = "".join(self.pieces)
        self.pieces.clear()
        kind = block["type"]
        if kind == "text":
            block["text"] = whole
        elif kind == "thinking":
            block["thinking"] = whole
        elif whole:
            block["input"] = msgspec.json.decode(whole)


class HandStream:
    """Body bytes to events to message by hand: bytes.split, msgspec structs, lists of pieces."""

    __slots__ = ("_pieces", "_rest", "accumulated", "done")

    def __init__(self) -> None:
        self._rest = b""
        self.accumulated = Accumulated()
        self._pieces = self.accumulated.pieces
        self.done = False

    def receive(self, data: bytes) -> list[Event]:
        """The events that `data` completes."""
        frames = (self._rest + data if self._rest else data).split(b"\n\n")
        self._rest = frames.pop()
        events = []
        for frame in frames:
            event = decode_typed(frame[frame.find(b"{") :])
            if type(event) is BlockDelta and type(event.delta) is TextDelta:
                self._pieces.append(event.delta.text)
            else:
                self.accumulated.add(event)
            events.append(event)
        if events and type(events[-1]) is MessageStop:
            self.done = True
        return events


class Unchunk:
    """Chunked transfer coding undone by hand: find, int(x, 16), no extensions, no limits, no trailers."""

    __slots__ = ("_rest", "done")

    def __init__(self) -> None:
        self._rest = b""
        self.done = False

    def receive(self, data: bytes) -> bytes:
        """The body bytes in `data`, whole chunks only."""
        if self._rest:
            data = self._rest + data
        pieces = []
        at = 0
        while (end := data.find(b"\r\n", at)) >= 0:
            size = int(data[at:end], 16)
            if not size:
                self.done = len(data) >= end + 4
                break
            stop = end + 2 + size
            if stop + 2 > len(data):
                break
            pieces.append(data[end + 2 : stop])
            at = stop + 2
        self._rest = b"" if self.done else data[at:]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
