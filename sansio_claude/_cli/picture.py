"""What `inspect` measures of a stream: when its blocks came, how fast, and what was odd about it.

In: the pieces of a body, each with the time at which it was read, or without. Out: one `Picture`. Without times every
place is a number of bytes from the beginning of the body instead of a number of seconds from the request.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from typing import Any

import attrs

from sansio_claude._cli.view import heading
from sansio_claude._errors import APIError, RemoteProtocolError
from sansio_claude._message.message import Message
from sansio_claude._stream.encode import encode_event
from sansio_claude._stream.events import (
    CompactionDelta,
    ContentBlockStart,
    ContentBlockStop,
    Event,
    InputJSONDelta,
    Ping,
    TextDelta,
    ThinkingDelta,
)
from sansio_claude._stream.message_stream import MessageStream

__all__ = ["BlockSpan", "Gap", "Picture", "picture_of", "picture_of_call"]

_GAPS = 5  # the longest ones that are kept


@attrs.define
class BlockSpan:
    """A block on the line: places of its start, of its first delta and of its end (None where it was cut)."""

    index: int
    name: str
    start: float
    first: float | None = None
    end: float | None = None
    deltas: int = 0
    characters: int = 0
    size: int = 0
    """Bytes of its events."""
    steps: list[tuple[float, int]] = attrs.field(factory=list, repr=False)
    """The place and the characters of each delta."""


@attrs.define(frozen=True)
class Gap:
    """A time in which nothing came. `inside` names the block that was open."""

    start: float
    length: float
    inside: str


@attrs.define
class Picture:
    """One answer. Places are seconds since the request where `timed`, else bytes."""

    name: str
    timed: bool
    length: float = 0.0
    head: float | None = None
    """When the head of the answer came."""
    first_byte: float | None = None
    first_content: float | None = None
    status: int = 200
    blocks: list[BlockSpan] = attrs.field(factory=list)
    pings: list[float] = attrs.field(factory=list)
    gaps: list[Gap] = attrs.field(factory=list)
    """The longest first."""
    reads: list[int] = attrs.field(factory=list, repr=False)
    """Bytes of each read; empty where nothing is known of reads."""
    size: int = 0
    events: int = 0
    message: Message | None = attrs.field(default=None, repr=False)
    deviations: list[Any] = attrs.field(factory=list)
    failure: APIError | RemoteProtocolError | None = None

    @property
    def characters(self) -> int:
        """Characters of all deltas."""
        return sum(block.characters for block in self.blocks)

    @property
    def tokens_per_second(self) -> float | None:
        """Output tokens over the time from the first content to the end; None where either is not known."""
        output = self.message.usage.output_tokens if self.message is not None else None
        if not self.timed or output is None or self.first_content is None or self.length <= self.first_content:
            return None
        return output / (self.length - self.first_content)

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON."""
        unit = "seconds" if self.timed else "bytes"
        usage = None if self.message is None else self.message.to_dict().get("usage")
        reads = self.reads
        return {
            "name": self.name,
            "unit": unit,
            "status": self.status,
            "model": None if self.message is None else self.message.model,
            "stop_reason": None if self.message is None else self.message.stop_reason,
            "length": self.length,
            "head": self.head,
            "first_byte": self.first_byte,
            "first_content": self.first_content,
            "bytes": self.size,
            "events": self.events,
            "characters": self.characters,
            "tokens_per_second": self.tokens_per_second,
            "reads": {"count": len(reads), "median": median(reads), "longest": max(reads)} if reads else None,
            "blocks": [attrs.asdict(block, filter=attrs.filters.exclude("steps")) for block in self.blocks],
            "pings": self.pings,
            "gaps": [attrs.asdict(gap) for gap in self.gaps],
            "usage": usage,
            "deviations": [
                {"kind": each.kind, "event": each.event_number, "words": each.words} for each in self.deviations
            ],
            "error": None if self.failure is None else str(self.failure),
        }


def picture_of(name: str, pieces: Iterable[bytes]) -> Picture:
    """The picture of a body of which no times are known."""
    return _Measuring(Picture(name, timed=False)).run((None, piece) for piece in pieces)


def picture_of_call(name: str, call: Any) -> Picture:
    """The picture of a `RecordedCall`, with its times."""
    asked = call.requested_at
    if asked is None:
        asked = call.responded_at if call.responded_at is not None else (call.reads[0][0] if call.reads else 0.0)
    picture = Picture(name, timed=True, status=call.status)
    picture.head = None if call.responded_at is None else max(0.0, call.responded_at - asked)
    return _Measuring(picture).run((max(0.0, at - asked), data) for at, data in call.reads)


class _Measuring:
    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._stream = MessageStream()
        self._open: dict[int, BlockSpan] = {}
        self._place = 0.0
        self._gaps: list[Gap] = []

    def run(self, pieces: Iterable[tuple[float | None, bytes]]) -> Picture:
        picture, stream = self._picture, self._stream
        last: float | None = None
        try:
            for at, data in pieces:
                if at is not None:
                    self._read(at, data, last)
                    last = at
                picture.size += len(data)
                stream.receive_data(data)
                self._take()
            stream.receive_eof()
            self._take()
        except (APIError, RemoteProtocolError) as error:
            picture.failure = error
        picture.message = stream.message
        picture.deviations = list(stream.deviations)
        picture.length = self._place if picture.timed else float(max(picture.size, self._place))
        self._gaps.sort(key=lambda gap: -gap.length)
        picture.gaps = self._gaps[:_GAPS]
        return picture

    def _read(self, at: float, data: bytes, last: float | None) -> None:
        picture = self._picture
        picture.reads.append(len(data))
        if picture.first_byte is None:
            picture.first_byte = at
        if last is not None and at > last:
            inside = next(reversed(self._open.values())).name if self._open else "between blocks"
            self._gaps.append(Gap(last, at - last, inside))
            if len(self._gaps) > 1_000:
                self._gaps.sort(key=lambda gap: -gap.length)
                del self._gaps[_GAPS:]
        self._place = at

    def _take(self) -> None:
        while events := self._stream.events_received():
            for event in events:
                self._event(event)

    def _event(self, event: Event) -> None:
        picture = self._picture
        picture.events += 1
        size = len(encode_event(event))
        start = self._place
        if not picture.timed:
            self._place += size
        place = self._place
        match event:
            case Ping():
                picture.pings.append(place)
            case ContentBlockStart(index=index, content_block=block):
                span = BlockSpan(index, heading(block) or "text", start, size=size)
                text = getattr(block, "text", "") or getattr(block, "thinking", "") or ""
                if text:
                    self._grow(span, place, text, 0)
                self._open[index] = span
                picture.blocks.append(span)
            case ContentBlockStop(index=index):
                ended = self._open.pop(index, None)
                if ended is not None:
                    ended.end, ended.size = place, ended.size + size
            case TextDelta(text=text) | ThinkingDelta(thinking=text) | InputJSONDelta(partial_json=text):
                self._delta(event.index, place, text, size)
            case CompactionDelta(content=str(text)):
                self._delta(event.index, place, text, size)
            case _:
                other = self._open.get(getattr(event, "index", -1))
                if other is not None:
                    other.size += size

    def _delta(self, index: int, place: float, text: str, size: int) -> None:
        span = self._open.get(index)
        if span is not None:
            self._grow(span, place, text, size)

    def _grow(self, span: BlockSpan, place: float, text: str, size: int) -> None:
        if span.first is None:
            span.first = place
        if self._picture.first_content is None:
            self._picture.first_content = place
        span.deltas += 1
        span.characters += len(text)
        span.size += size
        span.steps.append((place, len(text)))
