"""Mender: the events of a peer as JSON values, one after another, to the events that should have come.

The rules:

* what is right goes out as it came, in the same bytes;
* nothing is invented but envelopes: a missing start of a text or thinking block, the stop of a block whose content is
  whole, an empty object where null or nothing came. Text, counters, ids, names and stop reasons are never made up;
* block indices are closed up: the first block that starts goes out with index 0, the next with 1;
* a tool block is closed only where its input is one whole JSON object; what is not whole is passed on and listed;
* message_stop is added only where a stop reason came, nothing is open and the body ended well; any other end becomes an
  `error` event, and so does what could mislead (design of the stream reader: content for no block, a block twice,
  another message's start, data that is no JSON object);
* message_delta, signature_delta and compaction_delta wait for the event behind them, so that one that comes again can
  be joined with it. Pings and comments wait with them, at most `_WAITING` of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from sansio_claude._errors import LimitError, RemoteProtocolError
from sansio_claude._json import loads, loads_input
from sansio_claude._limits import Limits
from sansio_claude._stream.decode import decode_data
from sansio_claude._stream.events import ErrorEvent
from sansio_claude.gateway._mend_block import DELTA_OF, EMPTY_OF, STRING_OF, MendBlock, empty_block, join_halves
from sansio_claude.gateway._mend_kinds import Mended, MendKind, MendVerdict

__all__ = ["Item", "Mender"]

Item: TypeAlias = tuple[dict[str, Any] | None, bytes | None]
"""Something that goes out: the event's value (None for a comment), and its bytes where they go out as they came."""

_TYPES: Final = frozenset(
    {
        *("message_start", "content_block_start", "content_block_delta", "content_block_stop"),
        *("message_delta", "message_stop", "ping", "error"),
    }
)
_COUNTERS: Final = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
_IDENTITY: Final = frozenset({"type", "id", "name", "tool_use_id"})
_MESSAGE_KEPT: Final = ("type", "role", "id", "content")
_EXPLAINED: Final = frozenset({"max_tokens", "model_context_window_exceeded", "refusal"})
_WAITING: Final = 64  # pings and comments behind a waiting event


class Mender:
    """The state of one stream. `receive` takes an event, `finish` the end; both give what goes out, in order."""

    def __init__(self, verdicts: Mapping[str, MendVerdict], limits: Limits) -> None:
        self._verdicts = verdicts
        self._limits = limits
        self.mended: list[Mended] = []
        self.dropped: int = 0
        """How many more mendings there were than `Limits.deviations`."""
        self.number: int = 0
        """Events so far."""
        self.over: bool = False
        """Whether an error event has gone out."""
        self.done: bool = False
        """Whether message_stop has gone out."""
        self.blocks: dict[int, MendBlock] = {}
        """The blocks that have started, by the index they came with."""
        self.id: str | None = None
        """The id of the message; None before message_start."""
        self._next = 0  # the index that the next block goes out with
        self._stop_reason: str | None = None
        self._has_delta = False
        self._late = False
        self.waiting: list[Item] = []
        self._changed = False  # whether the value at hand is to be written anew

    @property
    def idle(self) -> bool:
        """Whether nothing waits, so that a usual event may go past this state."""
        return not self.waiting and not self.done and not self.over and self.id is not None

    def receive(self, name: str, data: bytes, frame: bytes) -> list[Item]:
        """Take one event: its name, its data, and the bytes it came in. Raises RemoteProtocolError to refuse it."""
        self.number += 1
        if self.over:
            return []
        if self.done:
            return self._after_stop(name, data, frame)
        self._changed = False
        value = self.value_of(name, data)
        if value is None:
            return []
        kind = value["type"]
        if kind == "ping":
            return self._out([(value, None if self._changed else frame)], wait=True)
        handler = _HANDLERS.get(kind)
        if handler is None:
            return self.flush() + [(value, None if self._changed else frame)]
        return handler(self, value, frame)

    def receive_comment(self, frame: bytes) -> list[Item]:
        """Take lines that make no event."""
        return [] if self.over else self._out([(None, frame)], wait=True)

    def finish(self, *, well: bool) -> list[Item]:
        """The body has ended, well or not."""
        if self.done or self.over:
            return []
        self.number += 1
        out: list[Item] = []
        if well and self._stop_reason is not None:
            out += self._close_blocks()
            open_blocks = [block for block in self.blocks.values() if not block.stopped]
            if not open_blocks and self.ask("no_message_stop", "the stream ended without message_stop"):
                out += self._missing_delta()
                self.done = True
                return self.flush() + out + [({"type": "message_stop"}, None)]
        words = "the stream ended before message_stop" if well else "the connection broke before message_stop"
        return self.flush() + out + self.error(words)

    def error(self, words: str) -> list[Item]:
        """An error event of our own, which ends the stream."""
        self.over = True
        return [({"type": "error", "error": {"type": "api_error", "message": words}}, None)]

    # What comes in.

    def value_of(self, name: str, data: bytes) -> dict[str, Any] | None:
        """The JSON of the event, its type set; None where there is nothing to pass on."""
        stripped = data.strip()
        if stripped == b"[DONE]" or (not stripped and name not in ("ping", "error")):
            return None if self.ask("skipped", f"event {name!r:.40} says nothing") else {"type": name}
        if name == "ping" and stripped[:1] != b"{":
            self._mend("skipped", "the data of a ping is no JSON object")
            return {"type": "ping"}
        event = None
        value = _loads(data, self._limits.depth)
        if not isinstance(value, dict):
            event = decode_data(name, data, self._limits)  # refuses what has no meaning
            value = {"type": "error", "error": event.error} if isinstance(event, ErrorEvent) else None
            if value is None:
                # An event of an unknown name may carry what it likes.
                return {"type": name}
            self._mend("error_shape", "an error came that is no JSON object")
            return value
        return self._typed(name, value)

    def _typed(self, name: str, value: dict[str, Any]) -> dict[str, Any] | None:
        kind = value.get("type")
        if not (isinstance(kind, str) and kind in _TYPES):
            if name == "error" or _is_error(value):
                kind = "error"
            elif name in _TYPES and not isinstance(kind, str):
                self._mend("event_type", f"the JSON of a {name} has no type")
                kind = value["type"] = name
            elif not isinstance(kind, str):
                value["type"] = kind = name
        if kind != name and kind in _TYPES:
            words = f"a {kind} came " + ("without a name" if name == "message" else f"under the name {name!r:.40}")
            if self.ask("event_name", words):
                self._changed = True
        if kind == "error":
            return self._error_value(value)
        return value

    def _error_value(self, value: dict[str, Any]) -> dict[str, Any]:
        error = value.get("error")
        if value.get("type") == "error" and isinstance(error, dict) and isinstance(error.get("message"), str):
            return value
        if isinstance(error, str) and error:
            error = {"message": error}
        if not isinstance(error, dict) or not error:
            error = {key: item for key, item in value.items() if (key, item) != ("type", "error")}
        words = error.get("message")
        if not isinstance(words, str):
            error = {**error, "message": str(error.get("msg") or error.get("detail") or words or "")}
        self._mend("error_shape", "an error came in another shape than the API's")
        error = {"type": "api_error", **error}
        return {"type": "error", "error": error}

    # The dial.

    def ask(self, kind: MendKind, words: str) -> bool:
        """Whether to mend this; it is listed either way. Raises RemoteProtocolError where the dial refuses it."""
        verdict = self._verdicts[kind]
        if verdict == "refuse":
            raise RemoteProtocolError(
                f"{words} (event {self.number}; the kind {kind!r} is refused here)", stage="blocks"
            )
        self.list_mended(kind, words, passed=verdict == "pass")
        return verdict == "mend"

    def _mend(self, kind: MendKind, words: str) -> bool:
        """`_ask`, and the value at hand is written anew where it is mended."""
        mend = self.ask(kind, words)
        self._changed = self._changed or mend
        return mend

    def list_mended(self, kind: MendKind, words: str, *, passed: bool) -> None:
        if len(self.mended) < self._limits.deviations:
            self.mended.append(Mended(kind, self.number, words, passed))
        else:
            self.dropped += 1

    # What goes out.

    def _out(self, items: list[Item], *, wait: bool = False) -> list[Item]:
        """Some items behind what waits; with `wait` they may join it."""
        if wait and self.waiting and len(self.waiting) < _WAITING:
            self.waiting += items
            return []
        return self.flush() + items

    def flush(self) -> list[Item]:
        waiting, self.waiting = self.waiting, []
        return waiting

    def _as_it_is(self, value: dict[str, Any], frame: bytes) -> Item:
        return (value, None if self._changed else frame)

    # The events.

    def _start(self, value: dict[str, Any], frame: bytes) -> list[Item]:
        message = value.get("message")
        if not isinstance(message, dict):
            raise _bad("message_start carries no message")
        if self.id is not None:
            if message.get("id") not in (self.id, None, "") and self.id:
                raise _bad("a second message_start came, with another id")
            if self.ask("repeated_start", "message_start came again"):
                return []
            return [self._as_it_is(value, frame)]
        identity = message.get("id")
        self.id = identity if isinstance(identity, str) else ""
        self._mend_message(message)
        for index, block in enumerate(message["content"] if isinstance(message.get("content"), list) else ()):
            kind = block.get("type") if isinstance(block, dict) else None
            came = MendBlock(kind if isinstance(kind, str) else "", index, block if isinstance(block, dict) else {})
            came.stopped = True
            self.blocks[index] = came
            self._next = index + 1
        reason = message.get("stop_reason")
        if isinstance(reason, str) and reason:
            self._stop_reason = reason
        return [self._as_it_is(value, frame)]

    def _mend_message(self, message: dict[str, Any]) -> None:
        for key, empty in (("id", ""), ("model", "")):
            if not isinstance(message.get(key), str) and self._mend(
                "empty_value", f"{key} of message_start is missing"
            ):
                message[key] = empty
        if message.get("type") != "message" and self._mend("empty_value", "the type of message_start's message is odd"):
            message["type"] = "message"
        if message.get("role") != "assistant" and self._mend("role", "the role of message_start is not assistant"):
            message["role"] = "assistant"
        content = message.get("content")
        if not isinstance(content, list):
            if self._mend("no_content", "message_start has no content list"):
                message["content"] = []
        elif content and all(_is_placeholder(block) for block in content):
            if self._mend("placeholder", "message_start carries an empty text block"):
                message["content"] = []
        usage = message.get("usage")
        if not isinstance(usage, dict):
            if self._mend("usage", "usage of message_start is missing, null or no object"):
                message["usage"] = {}
        else:
            self._mend_counters(usage, "message_start")

    def _mend_counters(self, usage: dict[str, Any], where: str) -> None:
        for key in _COUNTERS:
            counter = usage.get(key)
            if counter is not None and type(counter) is not int:
                if self._mend("usage", f"{key} in the usage of {where} is not an integer"):
                    del usage[key]

    def _need_start(self, kind: str) -> list[Item]:
        """message_start where it is missing: an envelope without counters."""
        if self.id is not None:
            return []
        if not self.ask("missing_start", f"a {kind} came before message_start"):
            return []
        self.id = ""
        message: dict[str, Any] = {
            "id": "",
            "type": "message",
            "role": "assistant",
            "model": "",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {},
        }
        return [({"type": "message_start", "message": message}, None)]

    def _start_block(self, value: dict[str, Any], frame: bytes) -> list[Item]:
        out = self.flush() + self._need_start("content_block_start")
        raw = value.get("content_block")
        if not isinstance(raw, dict):
            raise _bad("content_block_start carries no block")
        index = value.get("index")
        if index is None:
            index = 1 + max(self.blocks, default=-1)
            if self._mend("index_missing", "content_block_start has no index"):
                value["index"] = index
        self._check_index(index, "content_block_start")
        if index in self.blocks:
            raise _bad(f"block {index} started twice")
        if len(self.blocks) >= self._limits.blocks:
            raise _bad(f"the message has more blocks than Limits.blocks = {self._limits.blocks}")
        kind = raw.get("type")
        kind = kind if isinstance(kind, str) else ""
        for key, empty in EMPTY_OF.get(kind, {}).items():
            if raw.get(key) is None and self._missing_matters(kind, key, raw):
                if self._mend("empty_value", f"{key} of block {index} is missing or null"):
                    raw[key] = {} if key == "input" else empty
        out_index = self._next
        if index != out_index and not self._mend("index_order", f"block {index} started where {out_index} was next"):
            out_index = index
        self._next = max(self._next, out_index + 1)
        value["index"] = out_index
        self.blocks[index] = MendBlock(kind, out_index, raw)
        return [*out, self._as_it_is(value, frame)]

    @staticmethod
    def _missing_matters(kind: str, key: str, raw: dict[str, Any]) -> bool:
        """A thinking block may start without its signature, which comes as a delta; null is never right."""
        return not (key == "signature" and key not in raw)

    def _check_index(self, index: Any, event: str) -> None:
        if type(index) is not int or index < 0:
            raise _bad(f"the index of a {event} is no block's")
        if index >= self._limits.blocks:
            raise LimitError(
                f"a block index passes Limits.blocks = {self._limits.blocks}",
                limit="blocks",
                value=self._limits.blocks,
                stage="events",
            )

    def _index_of(self, value: dict[str, Any], event: str) -> int:
        """The index that an event came with, or that of the only open block where it has none."""
        index = value.get("index")
        if index is None:
            opened = [came for came, block in self.blocks.items() if not block.stopped]
            if len(opened) != 1:
                raise _bad(f"a {event} has no index, and {len(opened)} blocks are open")
            self._mend("index_missing", f"a {event} has no index")
            return opened[0]
        self._check_index(index, event)
        return int(index)

    def _block_delta(self, value: dict[str, Any], frame: bytes) -> list[Item]:
        delta = value.get("delta")
        if not isinstance(delta, dict):
            raise _bad("content_block_delta carries no delta")
        out = self._need_start("content_block_delta")
        index = self._index_of(value, "content_block_delta")
        kind = delta.get("type")
        kind = kind if isinstance(kind, str) else ""
        block = self.blocks.get(index)
        empty = _is_empty(kind, delta)
        if block is None:
            made = self._made_start(index, kind, delta)
            out += made[1]
            block = made[0]
        if block.stopped:
            if empty and self.ask("foreign_empty_delta", f"an empty {kind} came for block {index}, which has stopped"):
                return self._out(out)
            raise _bad(f"a {kind or 'delta'} came for block {index}, which has stopped")
        if block.index != value.get("index"):
            value["index"] = block.index
            self._changed = True
        if not kind:
            kind = self._type_of_delta(block, delta)
        allowed = DELTA_OF.get(block.kind)
        if kind in STRING_OF or kind in ("citations_delta", "compaction_delta"):
            if allowed is not None and kind not in allowed:
                if empty and self.ask("foreign_empty_delta", f"an empty {kind} came for a {block.kind} block"):
                    return self._out(out)
                raise _bad(f"a {kind} came for block {index}, which is a {block.kind} block")
        elif allowed is not None:
            self._keep_keys(block, delta, index)
        if kind in STRING_OF:
            if not self._string(block, kind, delta, index):
                return self._out(out)
        if kind in ("signature_delta", "compaction_delta"):
            return out + self._once(block, kind, value, frame)
        return self.flush() + out + [self._as_it_is(value, frame)]

    def _made_start(self, index: int, kind: str, delta: dict[str, Any]) -> tuple[MendBlock, list[Item]]:
        """The start of a block that never started, where its kind follows from the delta."""
        if not kind:
            kind = next((each for each, key in STRING_OF.items() if key in delta and each != "input_json_delta"), "")
        raw = empty_block(kind)
        if raw is None:
            raise _bad(f"a {kind or 'delta'} came for block {index}, which never started")
        if not self.ask("missing_start", f"a {kind} came for block {index}, which never started"):
            raise _bad(f"a {kind} came for block {index}, which never started")
        block = MendBlock(raw["type"], self._next, raw)
        self._next += 1
        self.blocks[index] = block
        started = ({"type": "content_block_start", "index": block.index, "content_block": raw}, None)
        return block, [*self.flush(), started]

    def _type_of_delta(self, block: MendBlock, delta: dict[str, Any]) -> str:
        for kind in DELTA_OF.get(block.kind, ()):
            if STRING_OF.get(kind) in delta:
                if self._mend("typeless_delta", f"a delta of block {block.index} has no type"):
                    delta["type"] = kind
                return kind
        return ""

    def _keep_keys(self, block: MendBlock, delta: dict[str, Any], index: int) -> None:
        """An unknown delta changes no key that its block's class has."""
        kept = _IDENTITY | EMPTY_OF.get(block.kind, {}).keys() | {"citations", "content"}
        for key in [key for key in delta if key != "type" and key in kept]:
            if self._mend("kept_key", f"a delta of an unknown type asked to change {key!r} of block {index}"):
                del delta[key]

    def _string(self, block: MendBlock, kind: str, delta: dict[str, Any], index: int) -> bool:
        """Check the string of a delta; False where nothing is left to pass on."""
        key = STRING_OF[kind]
        text = delta.get(key)
        if text is None:
            if self._mend("empty_value", f"{key} of a {kind} is missing or null"):
                delta[key] = text = ""
            else:
                return True
        if not isinstance(text, str):
            raise _bad(f"{key} of a {kind} is no string")
        joined, waiting, lonely = join_halves(block.held, text, alone=None if block.tool else "\ufffd")
        if block.held or waiting or lonely:
            if self._mend("half_character", f"half of a surrogate pair stands in block {index}"):
                block.held = waiting
                delta[key] = text = joined
        if block.tool:
            block.parts.append(text)
        return True

    def _once(self, block: MendBlock, kind: str, value: dict[str, Any], frame: bytes) -> list[Item]:
        """A signature or a compaction: the last of several that follow each other goes out."""
        delta = value["delta"]
        full = delta.get("signature") if kind == "signature_delta" else delta.get("content")
        if not full:
            return self.flush() + [self._as_it_is(value, frame)]
        if kind in block.twice and self.ask("twice", f"a {kind} came again for block {block.index}"):
            if not self.waiting:
                return []  # the first has gone out, and two would be read as a contradiction
            self.waiting = [item for item in self.waiting if not _is_delta(item[0])]
        out = self.flush()
        block.twice.add(kind)
        self.waiting = [self._as_it_is(value, frame)]
        return out

    def _stop_block(self, value: dict[str, Any], frame: bytes) -> list[Item]:
        index = self._index_of(value, "content_block_stop")
        block = self.blocks.get(index)
        if block is None:
            raise _bad(f"content_block_stop came for block {index}, which never started")
        if block.stopped:
            if self.ask("twice", f"content_block_stop came again for block {index}"):
                return []
            return self._out([self._as_it_is(value, frame)])
        if block.index != value.get("index"):
            value["index"] = block.index
            self._changed = True
        return self.flush() + self._held_half(block) + self._stopped(block, self._as_it_is(value, frame))

    def _stopped(self, block: MendBlock, item: Item) -> list[Item]:
        block.stopped = True
        return [item]

    def _held_half(self, block: MendBlock) -> list[Item]:
        """The half of a surrogate pair that waited for the other one, when the block ends."""
        held, block.held = block.held, ""
        if not held:
            return []
        for kind in DELTA_OF.get(block.kind, ()):
            key = STRING_OF.get(kind)
            if key is not None:
                text = held if block.tool else "\ufffd"
                block.parts.append(text)
                delta = {"type": kind, key: text}
                return [({"type": "content_block_delta", "index": block.index, "delta": delta}, None)]
        return []

    def _delta(self, value: dict[str, Any], frame: bytes) -> list[Item]:
        out = self._need_start("message_delta")
        delta, usage = value.get("delta"), value.get("usage")
        if delta is not None and not isinstance(delta, dict):
            raise _bad("delta of message_delta is no object")
        if delta is None:
            delta = {}
            if self._mend("no_message_delta", "delta of message_delta is missing or null"):
                value["delta"] = delta
        self._clean_delta(delta, value)
        usage = value.get("usage")
        if not isinstance(usage, dict):
            if self._mend("usage", "usage of message_delta is missing, null or no object"):
                value["usage"] = {}
        else:
            self._mend_counters(usage, "message_delta")
        reason = delta.get("stop_reason")
        if isinstance(reason, str) and reason:
            self._stop_reason = reason
        self._has_delta = True
        waits = next((item for item in self.waiting if item[0] and item[0].get("type") == "message_delta"), None)
        if waits is not None and self.ask("several_deltas", "message_delta came more than once"):
            place = self.waiting.index(waits)
            self.waiting[place] = (_joined(waits[0] or {}, value), None)
            return out
        out = self.flush() + out
        self.waiting = [self._as_it_is(value, frame)]
        return out

    def _clean_delta(self, delta: dict[str, Any], value: dict[str, Any]) -> None:
        for key in _MESSAGE_KEPT:
            if key in delta and self._mend("kept_key", f"message_delta asked to change {key!r} of the message"):
                del delta[key]
        if "usage" in delta and self._mend("usage", "usage stands inside delta of message_delta"):
            inner = delta.pop("usage")
            if isinstance(inner, dict):
                outer = value.get("usage")
                value["usage"] = {**inner, **outer} if isinstance(outer, dict) else inner
        if "stop_reason" in delta and not isinstance(delta["stop_reason"], str | None):
            if self._mend("empty_value", "stop_reason of message_delta is no string"):
                del delta["stop_reason"]
        elif delta.get("stop_reason") == "":
            if self._mend("empty_value", "stop_reason of message_delta is an empty string"):
                del delta["stop_reason"]

    def _stop(self, value: dict[str, Any], frame: bytes) -> list[Item]:
        if self.id is None:
            raise _bad("message_stop came before message_start")
        item = self._as_it_is(value, frame)
        out = self._close_blocks() + self._missing_delta()
        self._list_inputs()
        self.done = True
        return self.flush() + out + [item]

    def _close_blocks(self) -> list[Item]:
        """The stops that are missing, of every block whose content is whole."""
        out: list[Item] = []
        for index, block in self.blocks.items():
            if block.stopped:
                continue
            if block.tool and not block.input_is_whole():
                self.list_mended(
                    "open_block", f"block {index} is a call whose input is not whole: it stays open", passed=True
                )
                continue
            kind: MendKind = "input_without_stop" if block.tool else "open_block"
            if self.ask(kind, f"block {index} has no content_block_stop"):
                out += self._held_half(block)
                out += self._stopped(block, ({"type": "content_block_stop", "index": block.index}, None))
        return out

    def _missing_delta(self) -> list[Item]:
        if self._has_delta:
            return []
        if not self.ask("no_message_delta", "message_delta is missing"):
            return []
        self._has_delta = True
        delta = {"stop_reason": self._stop_reason, "stop_sequence": None}
        return [({"type": "message_delta", "delta": delta, "usage": {}}, None)]

    def _list_inputs(self) -> None:
        """The calls whose input is not one whole object, passed on as they came."""
        last = max(self.blocks, default=-1)
        for index, block in self.blocks.items():
            if block.tool and block.stopped and not block.input_is_whole():
                if index != last or self._stop_reason not in _EXPLAINED:
                    words = f"the tool input of block {index} is not one whole JSON object"
                    self.list_mended("input", words, passed=True)
            block.parts.clear()

    def _after_stop(self, name: str, data: bytes, frame: bytes) -> list[Item]:
        """Pings are passed on; anything else changes nothing any more."""
        if name == "ping" and data.strip()[:1] == b"{":
            return [({"type": "ping"}, frame)]
        if not self._late:
            self._late = True
            self.list_mended("after_message_stop", "something came after message_stop", passed=False)
        return []

    def _error_event(self, value: dict[str, Any], frame: bytes) -> list[Item]:
        self.over = True
        return self.flush() + [self._as_it_is(value, frame)]


_HANDLERS: Final[dict[str, Callable[[Mender, dict[str, Any], bytes], list[Item]]]] = {
    "message_start": Mender._start,
    "content_block_start": Mender._start_block,
    "content_block_delta": Mender._block_delta,
    "content_block_stop": Mender._stop_block,
    "message_delta": Mender._delta,
    "message_stop": Mender._stop,
    "error": Mender._error_event,
}


def _bad(words: str) -> RemoteProtocolError:
    return RemoteProtocolError(words, stage="blocks")


def _loads(data: bytes, depth: int) -> Any:
    """The value of an event's data; None where it is no JSON. Halves of surrogate pairs are kept."""
    try:
        return loads(data, depth)
    except LimitError:
        raise
    except RemoteProtocolError:
        if b"\\u" not in data:
            return None
    try:
        return loads_input(data.decode(), depth=depth)
    except LimitError:
        raise
    except (RemoteProtocolError, UnicodeDecodeError):
        return None


def _is_error(value: dict[str, Any]) -> bool:
    """Whether an object without a type that is known is an error in some wrapping."""
    if value.get("object") == "error":
        return True
    error = value.get("error")
    return value.get("type") in (None, "error") and (
        isinstance(error, dict) or (isinstance(error, str) and error != "")
    )


def _is_placeholder(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") == "text" and not block.get("text")


def _is_empty(kind: str, delta: dict[str, Any]) -> bool:
    """Whether a delta carries nothing."""
    key = STRING_OF.get(kind)
    return key is not None and not delta.get(key)


def _is_delta(value: dict[str, Any] | None) -> bool:
    return value is not None and value.get("type") == "content_block_delta"


def _joined(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Two message_delta as one: later values replace earlier ones, null replaces nothing."""
    result = {**first, **second}
    for key in ("delta", "usage"):
        old, new = first.get(key), second.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            result[key] = {**old, **{name: item for name, item in new.items() if item is not None or name not in old}}
        elif new is None:
            result[key] = old
    return result
