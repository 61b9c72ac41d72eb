"""Mender: the events of a peer as JSON values, one after another, to the events that should have come.

The rules:

* what is right goes out as it came, in the same bytes;
* nothing is invented but envelopes: a missing start of a text or thinking block, the stop of a block whose content is
  whole, an empty object where null or nothing came. Text, counters, ids and names are never made up, and a stop
  reason only gives way where it contradicts the calls of the answer;
* block indices are closed up: the first block that starts goes out with index 0, the next with 1;
* a tool block is closed only where its input is one whole JSON object; what is not whole is passed on and listed.
  One that nests deeper than `Limits.depth` ends the stream where its block would end;
* message_stop is added only where a stop reason came, nothing is open and the body ended well; any other end becomes an
  `error` event, and so does what could mislead (the rules are those of the stream's reader: content for no block, a
  block twice, another message's start, data that is no JSON object);
* one message_delta goes out, in front of message_stop: several are joined. What waits for that is in `Queue`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sansio_claude._errors import LimitError, RemoteProtocolError
from sansio_claude._limits import Limits
from sansio_claude._message.block import copy_json
from sansio_claude._message.blocks import TextBlock, ToolUseBlock, UnknownBlock, block_from_dict
from sansio_claude._message.tool_blocks import CUTTING_REASONS, WHOLE_REASONS
from sansio_claude._stream.decode import event_from_value
from sansio_claude._stream.endings import is_ping
from sansio_claude._stream.merging import kept_of_message, odd_counters
from sansio_claude.gateway._dial import Item, refusal
from sansio_claude.gateway._mend_block import MendBlock
from sansio_claude.gateway._mend_blocks import BlockMender
from sansio_claude.gateway._mend_kinds import MendVerdict
from sansio_claude.gateway._mend_queue import joined
from sansio_claude.gateway._mend_value import read_item

__all__ = ["Mender"]

_IDENTITY: Final = ("id", "type", "role", "model")


class Mender(BlockMender):
    """The state of one stream. `receive` takes an event, `finish` the end; both give what goes out, in order.

    Both raise RemoteProtocolError for what cannot be mended; what waits is then to be had from `error`.
    """

    def __init__(self, verdicts: Mapping[str, MendVerdict], limits: Limits) -> None:
        super().__init__(verdicts, limits)
        self.over: bool = False
        """Whether an error event has gone out."""
        self.done: bool = False
        """Whether message_stop has gone out."""
        self._has_delta = False
        self._stop_reason: str | None = None
        self._stop_reason_came = False  # in a message_delta
        self._late = False

    @property
    def idle(self) -> bool:
        """Whether nothing waits, so that a usual delta may go past this state."""
        return not self.waiting and not self.done and not self.over

    def receive(self, name: str, data: bytes, frame: bytes) -> list[Item]:
        """Take one event: its name, its data, and the bytes it came in."""
        self.number += 1
        if self.over or self.done:
            return self._after_end(name, data, frame)
        self._changed = False
        item = read_item(self, name, data, frame, self._limits)
        return [] if item is None else self._take(item)

    def receive_value(self, value: dict[str, Any]) -> list[Item]:
        """Take one event that came in another form, as its JSON object."""
        self.number += 1
        return self._take(Item(value))

    def _take(self, item: Item) -> list[Item]:
        waiting, put_off = self.waiting, self._put_off
        try:
            return self._handle(item)
        except RemoteProtocolError:
            self.waiting, self._put_off = waiting, put_off  # it goes out in front of the error event
            raise

    def _handle(self, item: Item) -> list[Item]:
        value, kind = item.value, item.kind
        handler = _HANDLERS.get(kind) if isinstance(kind, str) and item.event is None else None
        if value is not None and handler is not None:
            return handler(self, value, item.frame)
        if self._changed:
            item.frame = None
        return self._behind(item)

    def receive_lines(self, frame: bytes) -> list[Item]:
        """Take lines that make no event."""
        return self._behind(Item(None, frame))

    def receive_unread(self, data: bytes) -> list[Item]:
        """Take bytes behind the end of the answer that nobody has read for events."""
        return self._after_end("", b"", data)

    def end_line(self, frame: bytes, line_feed: bytes) -> bytes:
        """Take the LF behind the CR that a frame ended with. Gives the whole frame, which may wait here."""
        whole = frame + line_feed
        for item in (*reversed(self.waiting), self._put_off):
            if item is not None and item.frame is frame:
                item.frame = whole
                break
        return whole

    def finish(self, *, well: bool) -> list[Item] | None:
        """The body has ended, well or not. None where the answer is not whole: `error` says the rest."""
        self.number += 1
        waiting, put_off = self.waiting, self._put_off
        try:
            return self._finish(well=well)
        except RemoteProtocolError:
            self.waiting, self._put_off = waiting, put_off
            raise

    def _finish(self, *, well: bool) -> list[Item] | None:
        if not well or not self._stop_reason_came:
            return None
        stops = self._close_blocks()
        if any(not block.stopped for block in self.blocks.values()):
            return None
        if not self.ask("no_message_stop", "the stream ended without message_stop"):
            return None
        out = self._ending(stops)
        self._fit_stop_reason(out)
        self._list_inputs()
        self.done = True
        return [*out, Item({"type": "message_stop"})]

    def error(self, words: str) -> list[Item]:
        """An error event of our own, which ends the stream, behind what waited."""
        out = self._ending()
        self.over = True
        return [*out, Item({"type": "error", "error": {"type": "api_error", "message": words}})]

    # The events of the message.

    def _start(self, value: dict[str, Any], frame: bytes | None) -> list[Item]:
        message = value.get("message")
        if not isinstance(message, dict):
            raise refusal("a message_start carries no message")
        if self.message is not None:
            if message.get("id") != self.message.get("id"):
                raise refusal("a second message_start came, with another id")
            as_mended = {**message, "role": "assistant"} if isinstance(message.get("role"), str) else message
            self._check_start({**value, "message": as_mended})
            if self.ask("repeated_start", "message_start came twice with the same id; the second was ignored"):
                return []
            return [*self._flush(), self._as_it_is(value, frame)]
        self.message = {key: message.get(key) for key in _IDENTITY}
        self._mend_message(message)
        content = message.get("content")
        for index, raw in enumerate(content if isinstance(content, list) else ()):
            block = block_from_dict(raw)
            self._mend_start(block, raw, index)
            began = MendBlock(block, index, index)
            began.stopped = True
            self._began(began)
            if isinstance(block, TextBlock) and not block.text and not block.citations:
                self.placeholders.add(index)
        self.newest = None
        reason = message.get("stop_reason")
        self._stop_reason = reason if isinstance(reason, str) and reason else None
        self._has_delta = self._stop_reason is not None  # nothing else need say it
        out = self._flush()
        self.waiting = [self._as_it_is(value, frame)]
        if not self.placeholders:
            return [*out, *self._flush()]
        self._check_start(value)
        return out

    def _check_start(self, value: dict[str, Any]) -> None:
        """Refuse what a reader of the stream would: it does not see an event that waits before others have come, nor
        one that is left out.

        The number of blocks is judged when it goes out, since the empty ones may have given way by then.
        """
        event_from_value(copy_json(value), "message_start", self._limits, [])

    def _mend_message(self, message: dict[str, Any]) -> None:
        for key in ("id", "model"):
            if message.get(key) is None and self.mend("empty_value", f"{key} of message_start is null or missing"):
                message[key] = ""
        if message.get("type") in (None, "") and self.mend("empty_value", "message_start's message has no type"):
            message["type"] = "message"
        role = message.get("role")
        if role is None and self.mend("empty_value", "the role of message_start is null or missing"):
            message["role"] = "assistant"
        if role not in (None, "assistant") and isinstance(role, str):
            if self.mend("role", f"the role of message_start is {role!r:.40}, not assistant"):
                message["role"] = "assistant"
        if message.get("content") is None and self.mend("no_content", "message_start has no content list"):
            message["content"] = []
        self._mend_usage(message, "message_start")

    def _mend_usage(self, value: dict[str, Any], where: str) -> None:
        usage = value.get("usage")
        if not isinstance(usage, dict):
            if self.mend("usage", f"usage of {where} is missing, null or no object"):
                value["usage"] = {}
            return
        for key in odd_counters(usage):
            if self.mend("usage", f"{key} in the usage of {where} is not a whole number of 0 or more"):
                del usage[key]

    def _delta(self, value: dict[str, Any], frame: bytes | None) -> list[Item]:
        started = self._need_start("message_delta")
        delta = value.get("delta")
        if delta is not None and not isinstance(delta, dict):
            raise refusal("delta of a message_delta is no object")
        if delta is None:
            delta = {}
            if self.mend("no_message_delta", "delta of message_delta is missing or null"):
                value["delta"] = delta
        self._clean_delta(delta, value)
        self._mend_usage(value, "message_delta")
        reason = delta.get("stop_reason")
        if isinstance(reason, str) and reason:
            self._stop_reason = reason
            self._stop_reason_came = True
        self._has_delta = True
        out, first = self._take_delta()
        item = self._as_it_is(value, frame)
        if first is not None and first.value is not None:
            assert self.message is not None
            if self.ask("several_deltas", "message_delta came more than once"):
                item = Item(joined(first.value, value, self.message))
            elif first is not self._sent_delta:
                out.insert(0, first)
        self.waiting = [item]
        return [*started, *out]

    def _clean_delta(self, delta: dict[str, Any], value: dict[str, Any]) -> None:
        assert self.message is not None
        for changes in (delta, value):
            outer = changes is value
            known = {key: item for key, item in changes.items() if not (outer and key in ("type", "delta", "usage"))}
            for key in kept_of_message(self.message, known):
                if self.mend("kept_key", f"message_delta would change {key!r} of the message, which stays as it is"):
                    del changes[key]
        if delta.get("usage") is not None and self.mend("usage", "usage of message_delta stands inside its delta"):
            inner, outer_usage = delta.pop("usage"), value.get("usage")
            if isinstance(inner, dict):
                value["usage"] = {**inner, **outer_usage} if isinstance(outer_usage, dict) else inner
        if delta.get("stop_reason") == "" and self.mend("empty_value", "stop_reason of message_delta is empty"):
            delta["stop_reason"] = None

    def _stop(self, value: dict[str, Any], frame: bytes | None) -> list[Item]:
        if self.message is None:
            raise refusal("message_stop came before message_start")
        item = self._as_it_is(value, frame)
        out = self._ending(self._close_blocks())
        self._fit_stop_reason(out)
        if not self._has_delta and self.ask("no_message_delta", "message_stop came without any message_delta"):
            delta: dict[str, object] = {"stop_reason": None, "stop_sequence": None}
            out.append(Item({"type": "message_delta", "delta": delta, "usage": {}}))
        self._list_inputs()
        self.done = True
        return [*out, item]

    def _fit_stop_reason(self, out: list[Item]) -> None:
        """Make the stop reason fit the calls: tool_use where the answer ends with whole calls, else not tool_use.

        Anything less clear (text behind a call, an input that is not whole) is passed on and listed.
        """
        kinds = [block.kind for block in self.blocks.values()]
        calls = [block for block in self.blocks.values() if block.kind is ToolUseBlock]
        depth = self._limits.depth
        reason = self._stop_reason
        fit = reason
        if reason == "tool_use" and not calls and UnknownBlock not in kinds:
            words, fit = "the stop reason is tool_use, but there is no call of a tool", "end_turn"
        elif reason in ("end_turn", "stop_sequence") and calls:
            words = f"the stop reason is {reason}, but there is a call of a tool"
            if kinds[-1] is ToolUseBlock and all(call.stopped and call.input_is_whole(depth) for call in calls):
                fit = "tool_use"
        else:
            return
        last = next((item for item in reversed(out) if item.kind == "message_delta"), None)
        delta = None if last is None or last.value is None else last.value.get("delta")
        if last is None or fit == reason or not isinstance(delta, dict) or not delta.get("stop_reason"):
            self.pass_on("stop_reason_mismatch", words)
        elif self.ask("stop_reason_mismatch", words):
            delta["stop_reason"] = self._stop_reason = fit
            last.frame = None

    def _list_inputs(self) -> None:
        """List the calls whose input is not one whole object: they are passed on as they came."""
        last = max((block.index for block in self.blocks.values()), default=-1)
        for came, block in self.blocks.items():
            words = self._odd_input(block, is_last=block.index == last) if block.tool and block.stopped else None
            if words:
                self.pass_on("input", f"the tool input of block {came} {words}")
            block.parts.clear()

    def _odd_input(self, block: MendBlock, *, is_last: bool) -> str | None:
        """What a reader finds odd about the input of a call at message_stop; None where it is whole, or was cut as the
        API cuts."""
        try:
            ended = block.ended_input(self._limits.depth)
        except LimitError:
            return "is not one whole JSON object"
        if not is_last or self._stop_reason in WHOLE_REASONS:
            ended._settle_given()
        status = ended.input_status
        if status == "complete" or (status == "partial" and is_last and self._stop_reason in CUTTING_REASONS):
            return None
        if ended._is_unsettled:
            return "came as a value, and the stop reason does not say that it is whole"
        return "is not one whole JSON object"

    def _error_event(self, value: dict[str, Any], frame: bytes | None) -> list[Item]:
        out = self._ending()
        self.over = True
        return [*out, self._as_it_is(value, frame)]

    def _after_end(self, name: str, data: bytes, frame: bytes) -> list[Item]:
        """Pings are passed on; anything else changes nothing any more, is listed once, and nothing is refused."""
        if is_ping(name, data):
            return [Item(None, frame)]
        passed = self.done and self._verdicts["after_message_stop"] == "pass"
        if self.done and not self._late:
            self._late = True
            self.note("after_message_stop", "something came after message_stop", passed=passed)
        return [Item(None, frame)] if passed else []


_HANDLERS: Final[dict[str, Callable[[Mender, dict[str, Any], bytes | None], list[Item]]]] = {
    "message_start": Mender._start,
    "content_block_start": Mender._start_block,
    "content_block_delta": Mender._block_delta,
    "content_block_stop": Mender._stop_block,
    "message_delta": Mender._delta,
    "message_stop": Mender._stop,
    "error": Mender._error_event,
}
