"""MessageAccumulator: events in order -> the message under construction. Checks order and indices.

The rules:

* message_start comes first (pings and error events may come before it); a second one with the same id is ignored;
* each block index starts once, then takes deltas of its own kind, then stops; blocks may be open side by side, and
  blocks that came whole with message_start count from index 0;
* message_delta overwrites: a value that is not null replaces what was there, nested values whole; a null creates an
  absent key and never erases a value; absence changes nothing; nothing is ever added up;
* an unknown delta puts each of its keys but `type` onto the block: a string is appended to a string, anything else
  replaces; an unknown block takes every delta that way;
* message_stop ends the message, whatever is still open.

What is odd but cannot mislead is recorded (`deviations`); what could mislead raises RemoteProtocolError. With
`strict=True` everything odd raises. The tables are in the README.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Container
from typing import Any, Final

from sansio_claude._errors import LimitError, RemoteProtocolError
from sansio_claude._limits import DEFAULT_LIMITS, Limits
from sansio_claude._message.block import GrowingBlock, copy_json
from sansio_claude._message.blocks import (
    CompactionBlock,
    ContentBlock,
    FallbackBlock,
    TextBlock,
    ThinkingBlock,
    ToolInputBlock,
    UnknownBlock,
)
from sansio_claude._message.message import Message
from sansio_claude._stream.deviations import Deviation, DeviationKind, Tolerance, verdicts
from sansio_claude._stream.events import (
    CitationsDelta,
    CompactionDelta,
    ContentBlockStart,
    ContentBlockStop,
    Event,
    InputJSONDelta,
    MessageDelta,
    MessageStart,
    MessageStop,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    UnknownDelta,
)

__all__ = ["MessageAccumulator"]


# What each kind of delta may be applied to; an unknown block takes any.
_FITS: Final[dict[type, type]] = {
    TextDelta: TextBlock,
    CitationsDelta: TextBlock,
    ThinkingDelta: ThinkingBlock,
    SignatureDelta: ThinkingBlock,
    InputJSONDelta: ToolInputBlock,
    CompactionDelta: CompactionBlock,
}
_CONTENT: Final = frozenset({"content"})
_CONTENT_USAGE: Final = frozenset({"content", "usage"})
_COUNTS: Final = frozenset({int, type(None)})
_COUNTERS: Final = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


class MessageAccumulator:
    """Builds the message of one stream.

    `receive_event` takes the events in order; `message` is the message so far (None before message_start), `done`
    True from message_stop on, `deviations` what was odd. `keep_content=False` checks order and merges usage but keeps
    no content: `message.content` stays empty, for programs that only pass the events on.
    """

    __slots__ = (
        "_has_delta",
        "_keep",
        "_limits",
        "_order",
        "_stop_reason_came",
        "_verdicts",
        "blocks",
        "deviations",
        "deviations_dropped",
        "done",
        "event_number",
        "message",
        "newest",
        "open",
        "types",
    )

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        strict: bool = False,
        tolerance: Tolerance | None = None,
        keep_content: bool = True,
    ) -> None:
        self._limits = limits if limits is not None else DEFAULT_LIMITS
        self._verdicts = verdicts(tolerance, strict)
        self._keep = keep_content
        self._has_delta = False
        self._stop_reason_came = False
        self._order: list[int] = []  # the indices started, sorted
        self.message: Message | None = None
        """The message so far, live; None before message_start."""
        self.done: bool = False
        self.deviations: list[Deviation] = []
        self.deviations_dropped: int = 0
        """How many more deviations there were than `Limits.deviations`."""
        self.event_number: int = 0
        """Events taken so far."""
        self.blocks: dict[int, ContentBlock] = {}
        """The blocks by index (empty without `keep_content`)."""
        self.open: dict[int, ContentBlock] = {}
        """The blocks that have started and not stopped, by index."""
        self.newest: int = -1
        """The index of the block that started last, if it has not stopped; else -1."""
        self.types: dict[int, type] = {}
        """The class of every block that has started."""

    @property
    def keeps_content(self) -> bool:
        """Whether content is kept."""
        return self._keep

    def deviate(self, kind: DeviationKind, words: str) -> None:
        """Record a deviation at the current event, or do what `tolerance` and `strict` say about its kind.

        Raises RemoteProtocolError where the kind is refused.
        """
        verdict = self._verdicts[kind]
        if verdict == "refuse":
            raise RemoteProtocolError(
                f"{words} (event {self.event_number}; a deviation of the kind {kind!r} is refused here)", stage="blocks"
            )
        if verdict == "accept":
            return
        if len(self.deviations) < self._limits.deviations:
            self.deviations.append(Deviation(kind, self.event_number, words))
        else:
            self.deviations_dropped += 1

    @property
    def complete_but_for_stop(self) -> bool:
        """Whether a stop reason came in a message_delta and no block is open: only message_stop is missing."""
        return self._stop_reason_came and not self.open and not self.done

    def end_without_stop(self) -> None:
        """The stream has ended here, and that counts as message_stop (a deviation)."""
        self.deviate("no_message_stop", "the stream ended without message_stop, after a stop reason")
        self._stop(MessageStop())

    def receive_event(self, event: Event) -> None:
        """Take the next event. ContentBlockStop and MessageStop get their object put in.

        Raises RemoteProtocolError where the event cannot be right here; the message is then as it was before.
        """
        self.event_number += 1
        if self.done:
            self.deviate("after_message_stop", "something came after message_stop")
            return
        handle = _HANDLERS.get(type(event))
        if handle is None:  # pings, errors and what is not known change nothing
            return
        if self.message is None and type(event) is not MessageStart:
            raise _bad(f"{event.type} came before message_start")
        handle(self, event)

    def _start(self, event: MessageStart) -> None:
        sent = event.message
        if self.message is not None:
            if sent.id != self.message.id:
                raise _bad("a second message_start came, with another id")
            self.deviate("repeated_start", "message_start came twice with the same id; the second was ignored")
            return
        if len(sent.content) > self._limits.blocks:
            raise _too_many(self._limits)
        if "content" not in sent._raw:
            self.deviate("no_content", "message_start has no content list")
        usage: Any = sent._raw.get("usage")
        if type(usage) is dict:
            self._check_counters(usage, "message_start")
        else:
            self.deviate("usage", "usage of message_start is missing, null or no object")
        message = sent.growing()
        if message.content:
            for index, block in enumerate(message.content):
                self.types[index] = type(block)
                if self._keep:
                    self.blocks[index] = block
            self._order = list(range(len(message.content)))
            if not self._keep:
                message.content.clear()
        self.message = message

    def _start_block(self, event: ContentBlockStart) -> None:
        message = self.message
        assert message is not None
        index = event.index
        sent = event.content_block
        kind = type(sent)
        if index in self.types:
            raise _bad(f"block {index} started twice")
        if len(self.types) >= self._limits.blocks:
            raise _too_many(self._limits)
        order = self._order
        following = order[-1] + 1 if order else 0
        if index != following:
            self.deviate("index_order", f"block {index} started where {following} was next")
        block = sent.growing()
        self.types[index] = kind
        self.open[index] = block
        self.newest = index
        if isinstance(block, ToolInputBlock):
            block.max_depth = self._limits.depth
        elif kind is FallbackBlock and isinstance(block, FallbackBlock) and block.to_model is not None:
            message._raw["model"] = block.to_model
        place = len(order) if index >= following else bisect_left(order, index)
        order.insert(place, index)
        if self._keep:
            self.blocks[index] = block
            message.content.insert(place, block)

    def _block_delta(
        self,
        event: TextDelta
        | InputJSONDelta
        | ThinkingDelta
        | SignatureDelta
        | CitationsDelta
        | CompactionDelta
        | UnknownDelta,
    ) -> None:
        block = self.open.get(event.index)
        if block is None:
            if event.index in self.types:
                raise _bad(f"a {event.delta_type:.40} came for block {event.index}, which has stopped")
            raise _bad(f"a {event.delta_type:.40} came for block {event.index}, which never started")
        fits = _FITS.get(type(event))
        if fits is not None and not isinstance(block, (fits, UnknownBlock)):
            raise _bad(f"a {event.delta_type} came for block {event.index}, which is a {block.type} block")
        if event.extra is not None and isinstance(event, InputJSONDelta) and "partial_json" in event.extra:
            self.deviate("empty_value", f"an input_json_delta of block {event.index} has no partial_json")
        if not self._keep:
            return
        match event:
            case TextDelta() if isinstance(block, TextBlock):
                block.receive(event.text)
            case ThinkingDelta() if isinstance(block, ThinkingBlock):
                block.pieces.append(event.thinking)
            case InputJSONDelta() if isinstance(block, ToolInputBlock):
                block.pieces.append(event.partial_json)
            case SignatureDelta():
                block._raw["signature"] = event.signature
            case CitationsDelta():
                citations: Any = block._raw.get("citations")
                if not isinstance(citations, list):
                    citations = block._raw["citations"] = []
                citations.append(event.citation)
            case CompactionDelta():
                _overwrite(block._raw, {"content": event.content})
                if event.encrypted_content is not None:
                    block._raw["encrypted_content"] = event.encrypted_content
                elif event.extra is not None and "encrypted_content" in event.extra:
                    block._raw.setdefault("encrypted_content", None)
            case UnknownDelta():
                _grow(block, {key: value for key, value in event.raw.items() if key != "type"})
            case TextDelta():
                _grow(block, {"text": event.text})
            case ThinkingDelta():
                _grow(block, {"thinking": event.thinking})
            case _:
                _grow(block, {"partial_json": event.partial_json})

    def _stop_block(self, event: ContentBlockStop) -> None:
        index = event.index
        block = self.open.get(index)
        if block is None:
            if index not in self.types:
                raise _bad(f"content_block_stop came for block {index}, which never started")
            self.deviate("twice", f"content_block_stop came again for block {index}")
            event.content_block = self.blocks.get(index)
            return
        if self._keep:
            if isinstance(block, ToolInputBlock):
                block.end_input()
            event.content_block = block
        del self.open[index]
        if index == self.newest:
            self.newest = -1

    def _delta(self, event: MessageDelta) -> None:
        assert self.message is not None
        raw = self.message._raw
        if event.delta is None:
            self.deviate("no_message_delta", "delta of message_delta is missing or null")
        if event.usage is None:
            self.deviate("usage", "usage of message_delta is missing, null or no object")
        else:
            self._check_counters(event.usage, "message_delta")
        self._has_delta = True
        if event.delta is not None and isinstance(event.delta.get("stop_reason"), str) and event.delta["stop_reason"]:
            self._stop_reason_came = True
        if event.delta is not None:
            _overwrite(raw, event.delta, but=_CONTENT)
        if event.usage is not None:
            usage = raw.get("usage")
            if not isinstance(usage, dict):
                usage = raw["usage"] = {}
            _overwrite(usage, event.usage)
        if event.extra is not None:
            _overwrite(raw, event.extra, but=_CONTENT_USAGE)

    def _stop(self, event: MessageStop) -> None:
        if not self._has_delta:
            self.deviate("no_message_delta", "message_stop came without any message_delta")
        for index in sorted(self.open):
            self.deviate("open_block", f"block {index} was still open at message_stop")
        for index in self._order:
            block = self.blocks.get(index)
            if isinstance(block, ToolInputBlock) and block.input_status != "complete" and index not in self.open:
                self.deviate("input", f"the tool input of block {index} is {block.input_status} at message_stop")
        self.done = True
        self.newest = -1
        if self.message is not None:
            self.message.whole = True
        event.message = self.message

    def _check_counters(self, usage: dict[str, Any], where: str) -> None:
        if _COUNTS.issuperset(map(type, map(usage.get, _COUNTERS))):
            return
        for key in _COUNTERS:
            if type(usage.get(key)) not in _COUNTS:
                self.deviate("usage", f"{key} in the usage of {where} is not an integer")


_HANDLERS: Final[dict[type, Callable[[MessageAccumulator, Any], None]]] = {
    MessageStart: MessageAccumulator._start,
    ContentBlockStart: MessageAccumulator._start_block,
    ContentBlockStop: MessageAccumulator._stop_block,
    MessageDelta: MessageAccumulator._delta,
    MessageStop: MessageAccumulator._stop,
    **dict.fromkeys(
        (TextDelta, InputJSONDelta, ThinkingDelta, SignatureDelta, CitationsDelta, CompactionDelta, UnknownDelta),
        MessageAccumulator._block_delta,
    ),
}


def _overwrite(target: dict[str, Any], changes: dict[str, Any], *, but: Container[str] = ()) -> None:
    for key, value in changes.items():
        if key in but:
            continue
        if value is not None:
            target[key] = copy_json(value) if type(value) is dict or type(value) is list else value
        elif key not in target:
            target[key] = None


def _grow(block: ContentBlock, changes: dict[str, Any]) -> None:
    if isinstance(block, GrowingBlock):
        block.join()
    raw = block._raw
    for key, value in changes.items():
        old = raw.get(key)
        if isinstance(value, str) and isinstance(old, str):
            # In place, as in GrowingBlock.join: many such deltas must not cost their square.
            raw[key] = None
            old += value
            raw[key] = old
        else:
            raw[key] = copy_json(value)


def _bad(words: str) -> RemoteProtocolError:
    return RemoteProtocolError(words, stage="blocks")


def _too_many(limits: Limits) -> LimitError:
    return LimitError(
        f"the message has more blocks than Limits.blocks = {limits.blocks}",
        limit="blocks",
        value=limits.blocks,
        stage="blocks",
    )
