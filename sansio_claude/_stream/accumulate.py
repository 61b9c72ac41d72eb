"""MessageAccumulator: events in order -> the message under construction. Checks order and indices.

The rules:

* message_start comes first (pings and error events may come before it); a second one with the same id is ignored;
* each block index starts once, then takes deltas of its own kind, then stops; blocks may be open side by side, and
  blocks that came whole with message_start count from index 0;
* message_delta overwrites: a value that is not null replaces what was there, nested values whole; a null creates an
  absent key and never erases a value; absence changes nothing; nothing is ever added up;
* a delta of an unknown type puts each of its keys onto the block, except those that the block's class knows and those
  that say what the block is: a string is appended to a string, anything else that is not null replaces;
* an unknown block takes the text, thinking and input fragments of known deltas in the same way; a signature and a
  compaction replace, a citation goes to the end of the list;
* message_stop ends the message, whatever is still open.

What is odd but cannot mislead is a deviation (see `deviations`); what could mislead raises RemoteProtocolError.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Any, Final

from sansio_claude._message.blocks import (
    CompactionBlock,
    ContentBlock,
    FallbackBlock,
    TextBlock,
    ThinkingBlock,
    ToolInputBlock,
    ToolUseBlock,
    UnknownBlock,
)
from sansio_claude._message.message import Message
from sansio_claude._message.tool_blocks import CUTTING_REASONS, WHOLE_REASONS
from sansio_claude._stream.block_deltas import BlockDeltas
from sansio_claude._stream.decode import NO_INDEX
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
    UnknownEvent,
)
from sansio_claude._stream.merging import kept_of_message, merge_usage, merge_values, odd_counters
from sansio_claude._stream.under_construction import SHOWN_BLOCKS, refusal, too_many_blocks

__all__ = ["MessageAccumulator"]

_NOT_MERGED: Final = frozenset({"type", "role", "id", "content", "usage"})
_COMES_ONCE: Final = (ThinkingBlock, CompactionBlock)


class MessageAccumulator(BlockDeltas):
    """Builds the message of one stream.

    `receive_event` takes the events in order; `message` is the message so far (None before message_start), `done`
    True from message_stop on, `deviations` what was odd. `tolerance` and `strict` say what is done about a deviation.

    `keep_content=False` checks order and merges usage but keeps no content: `message.content` stays empty, for
    programs that only pass the events on. Of a block that is open only its class is kept, and of the message no more
    than `Limits.kept` bytes.

    `event_number` counts the events taken, `blocks` and `open` hold the blocks by index. MessageStream does all of this
    and hands out what was held back, too (half a character that stays alone): take that where you can.
    """

    __slots__ = ()
    event_number: int
    message: Message | None
    _direct: int

    def receive_event(self, event: Event) -> Event:
        """Take the next event, and give it back as it is to be handed out.

        ContentBlockStop and MessageStop get their object put in, a missing index its number, halves of characters are
        joined, and a delta without a type gets the class of its block's own kind. Raises RemoteProtocolError where the
        event cannot be right here; the message is then as it was before.
        """
        self.event_number += 1
        if self.done:
            self._record_late()
            return event
        handle = _HANDLERS.get(type(event))
        if handle is None:  # pings, errors and what is not known change nothing
            return event
        if self.message is None and type(event) is not MessageStart:
            raise refusal(f"{event.type} came before message_start")
        return handle(self, event) or event

    def _record_late(self) -> None:
        """Something came after message_stop: one deviation, however much it is, and never refused."""
        if not self._late:
            self._late = True
            self._record("after_message_stop", "something came after message_stop")

    def receive_eof(self) -> None:
        """Nothing comes any more, however the stream ended: half a character that was held back goes into its block as
        U+FFFD, and the blocks change no more. Idempotent."""
        if not self.done and self.message is not None:
            for event in self._lone_halves(None):
                self._record("half_character", f"half of a surrogate pair stands alone in block {event.index}")
                self._hand_out_half(event)
        self._direct = -1
        if self.message is not None:
            self.message._finish()

    def _end_without_stop(self) -> None:
        """The stream has ended here, and that counts as message_stop (a deviation)."""
        self._deviate("no_message_stop", "the stream ended without message_stop, after a stop reason")
        self._stop(MessageStop())

    # message_start and the starts of blocks.

    def _start(self, event: MessageStart) -> Event | None:
        sent = event.message
        raw = sent._raw
        if self.message is not None:
            if sent.id != self.message.id:
                raise refusal("a second message_start came, with another id")
            self._deviate("repeated_start", "message_start came twice with the same id; the second was ignored")
            # It adds nothing, so that it is none of the events that say what the answer has.
            again = {"type": "message_start", "message": sent.to_dict(), **(event.extra or {})}
            return UnknownEvent(again, "message_start")
        if len(sent.content) > self._limits.blocks:
            raise too_many_blocks(self._limits)
        if raw.get("content") is None:
            self._deviate("no_content", "message_start has no content list")
        if "type" in raw and not raw["type"]:
            self._deviate("empty_value", "the type of message_start's message is null or empty")
        if raw.get("role") not in (None, "assistant"):
            self._deviate("role", f"the role of message_start is {raw['role']!r:.40}, not assistant")
        self._check_usage(raw.get("usage"), "message_start")
        for index, block in enumerate(sent.content):
            self._check_strings(index, block)
            if isinstance(block, ToolInputBlock) and block._raw.get("input") in (None, ""):
                self._deviate("empty_value", f"block {index} is a call without an input; it counts as {{}}")
        self.message = sent._growing(keep_content=self._keep)
        if self._kept is not None:
            places: tuple[tuple[str, Any], ...] = (
                ("usage", self.message._raw.get("usage", {})),
                ("message", self.message._raw),
            )
            for place, values in places:
                for key in self._too_large(place, values):
                    del values[key]
        for index, block in enumerate(sent.content):
            self._types[index] = type(block)
            if isinstance(block, TextBlock) and not block.text and not block.citations:
                self._placeholders.add(index)
        self.blocks.update(enumerate(self.message.content))
        self._order = list(range(len(sent.content)))
        return None

    def _start_block(self, event: ContentBlockStart) -> None:
        message = self.message
        assert message is not None
        sent = event.content_block
        kind = type(sent)
        order = self._order
        following = order[-1] + 1 if order else 0
        index = event.index
        if index == NO_INDEX:
            index = self._index_of_start(following)
        replaces = index in self._placeholders
        if replaces:
            self._deviate("placeholder", f"the empty text block {index} of message_start gave way to another block")
        elif index in self._types:
            raise refusal(f"block {index} started twice")
        elif len(self._types) >= self._limits.blocks:
            raise too_many_blocks(self._limits)
        elif index != following:
            self._deviate("index_order", f"block {index} started where {following} was next")
        self._check_strings(index, sent)
        model = sent.to_model if isinstance(sent, FallbackBlock) else None
        if model is not None and not self._too_large("message", {"model": model}):
            message._raw["model"] = model
        if isinstance(sent, SHOWN_BLOCKS) and sent._raw.get(sent._grows):
            self._hold_half_of_start(index, sent)
        event.index = index
        self._placeholders.discard(index)
        self._types[index] = self._open_types[index] = kind
        self._newest = index
        if isinstance(sent, ToolInputBlock) and sent._raw.get("input") in (None, ""):
            self._no_input.add(index)
        if kind in _COMES_ONCE and sent._raw.get("signature" if kind is ThinkingBlock else "content"):
            self._once.add(index)
        place = len(order) if index > following - 1 else bisect_left(order, index)
        if not replaces:
            order.insert(place, index)
        if self._keep:
            self._keep_block(index, sent._growing(), place, replaces)
        self._find_direct()

    def _keep_block(self, index: int, block: ContentBlock, place: int, replaces: bool) -> None:
        assert self.message is not None
        content = self.message.content
        if isinstance(block, ToolInputBlock):
            block._max_depth = self._limits.depth
        self.open[index] = self.blocks[index] = block
        if replaces:
            content[place] = block
        else:
            content.insert(place, block)
        # What stands before another block was not cut.
        if place == len(content) - 1 and place and isinstance(before := content[place - 1], ToolInputBlock):
            before._settle_given()

    def _index_of_start(self, following: int) -> int:
        if self._open_types:
            raise refusal("the index of a content_block_start is missing, and another block is open")
        if following >= self._limits.blocks:
            raise too_many_blocks(self._limits)
        self._deviate("index_missing", f"a content_block_start has no index; it was taken for block {following}")
        return following

    # Stops, and message_delta.

    def _stop_block(self, event: ContentBlockStop) -> None:
        index = event.index
        if index == NO_INDEX:
            index = event.index = self._only_open(event.type)
        if index not in self._open_types:
            if index not in self._types:
                raise refusal(f"content_block_stop came for block {index}, which never started")
            self._deviate("twice", f"content_block_stop came again for block {index}")
            event.content_block = self.blocks.get(index)
            return
        if self._halves.held:
            self._release_halves(index)
        if index in self._no_input:
            self._deviate("empty_value", f"block {index} is a call without an input; it counts as {{}}")
            self._no_input.discard(index)
        block = self.open.get(index)
        if block is not None:
            self._end_block(block)
            event.content_block = block
            del self.open[index]
        del self._open_types[index]
        self._once.discard(index)
        if index == self._newest:
            self._newest = self._direct = -1

    def _end_block(self, block: ContentBlock) -> None:
        assert self.message is not None
        if isinstance(block, ToolInputBlock):
            block._end_input()
            if block._status == "complete" and block._value_known:
                return  # as nearly every input is: there is nothing left to settle or to finish
            if block is self.message.content[-1]:
                self._settle_last()
            else:
                block._settle_given()
        block._finish()

    def _delta(self, event: MessageDelta) -> None:
        assert self.message is not None
        raw = self.message._raw
        delta = event.delta
        if delta is None:
            self._deviate("no_message_delta", "delta of message_delta is missing or null")
            delta = {}
        inner = delta.get("usage")
        if inner is not None:
            self._deviate("usage", "usage of message_delta stands inside its delta")
            if isinstance(inner, dict):
                self._check_usage(inner, "message_delta")
        usage = event.usage
        if usage is not None or not isinstance(inner, dict):
            self._check_usage(usage, "message_delta")
        reason = delta.get("stop_reason")
        if reason == "":
            self._deviate("empty_value", "stop_reason of message_delta is an empty string")
        extra = event.extra
        left_out = self._left_out(delta)
        left_out_of_extra = self._left_out(extra) if extra else left_out
        self._has_delta = True
        merge_values(
            raw, delta, but=left_out if self._kept is None else left_out.union(self._too_large("message", delta))
        )
        if isinstance(inner, dict):
            merge_usage(raw, inner, but=self._too_large("usage", inner))
        if usage is not None:
            merge_usage(raw, usage, but=self._too_large("usage", usage))
        if extra:
            merge_values(raw, extra, but=left_out_of_extra.union(self._too_large("message", extra)))
        if reason and isinstance(reason, str):
            self._stop_reason_came = True
        self._settle_last()

    def _left_out(self, changes: dict[str, Any]) -> frozenset[str]:
        """The keys of a message_delta that are not put into the message, or not as they came."""
        assert self.message is not None
        kept = kept_of_message(self.message._raw, changes)
        for key in kept:
            self._deviate("kept_key", f"message_delta would change {key!r} of the message, which stays as it is")
        return _NOT_MERGED.union(kept) if kept else _NOT_MERGED

    def _too_large(self, place: str, values: Any) -> list[str]:
        """The keys of `values` that are not kept because no content is: they would pass `Limits.kept`."""
        if self._kept is None or not isinstance(values, dict):
            return []
        keys = self._kept.too_large(place, values)
        if keys:
            self._record("kept_key", f"{keys[0]!r:.40} would pass Limits.kept = {self._limits.kept}; it is left out")
        return keys

    def _settle_last(self) -> None:
        """Decide about the input of the last block that came as a value: the stop reason says if it was cut."""
        assert self.message is not None
        last = self.message.content[-1] if self.message.content else None
        if isinstance(last, ToolInputBlock):
            if self.message.stop_reason in WHOLE_REASONS:
                last._settle_given()
            elif self.message.stop_reason is not None:
                last._cut_given()

    def _stop(self, event: MessageStop) -> None:
        message = self.message
        assert message is not None
        self._release_halves(None)
        if not self._has_delta and message.stop_reason is None:
            self._deviate("no_message_delta", "message_stop came without any message_delta")
        for index in sorted(self._open_types):
            self._deviate("open_block", f"block {index} was still open at message_stop")
            block = self.open.get(index)
            if isinstance(block, ToolInputBlock):
                block._end_input()
        self._settle_last()
        for index in self._order:
            block = self.blocks.get(index)
            if isinstance(block, ToolInputBlock):
                self._check_input(index, block)
        self._compare_stop_reason()
        self.done = True
        self._newest = self._direct = -1
        message.whole = True
        message._finish()
        event.message = message

    def _check_input(self, index: int, block: ToolInputBlock) -> None:
        """What is odd about a tool input at message_stop."""
        assert self.message is not None
        status = block.input_status
        if index in self.open:
            if block is not self.message.content[-1]:
                block._settle_given()
                status = block.input_status
            if status == "complete":
                self._deviate("input_without_stop", f"the tool input of block {index} is whole without a block stop")
        elif status == "partial" and block is self.message.content[-1] and self.message.stop_reason in CUTTING_REASONS:
            pass  # the API ends its answers so
        elif status != "complete":
            self._deviate("input", f"the tool input of block {index} is {status} at message_stop")

    def _compare_stop_reason(self) -> None:
        """What is odd about the stop reason at message_stop: whether it tells of calls is what a tool loop goes by."""
        assert self.message is not None
        stop_reason = self.message.stop_reason
        called = ToolUseBlock in self._types.values()
        if stop_reason == "tool_use" and not called and UnknownBlock not in self._types.values():
            self._deviate("stop_reason_mismatch", "the stop reason is tool_use, but there is no call of a tool")
        elif stop_reason in ("end_turn", "stop_sequence") and called:
            self._deviate("stop_reason_mismatch", f"the stop reason is {stop_reason}, but there is a call of a tool")

    def _check_usage(self, usage: Any, where: str) -> None:
        if not isinstance(usage, dict):
            self._deviate("usage", f"usage of {where} is missing, null or no object")
            return
        for key in odd_counters(usage):
            self._deviate("usage", f"{key} in the usage of {where} is not a whole number of 0 or more")


_HANDLERS: Final[dict[type, Callable[[MessageAccumulator, Any], Event | None]]] = {
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
