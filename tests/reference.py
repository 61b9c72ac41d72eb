"""Slow, obvious twins of the core, written from the rules and not from the code.

`decode_event_stream` follows WHATWG HTML 9.2.5 and 9.2.6 over the whole body, one byte at a time; `read_stream`
follows the tables of the Messages API over plain dicts. Neither knows of chunks, so they are what every chunking of
the same bytes must come to.
"""

from __future__ import annotations

import json
from bisect import bisect
from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

from attrs import Factory, define

from sansio_claude._errors import LimitError, RemoteProtocolError
from sansio_claude._json import loads, loads_input
from sansio_claude._limits import Limits
from sansio_claude._partial_json.parser import PartialJSON

# Server-sent events.


@define
class Frame:
    """One dispatched event, and the offset of its first line that counts."""

    event: str
    raw: bytes
    id: str
    retry: int | None
    begin: int


@define
class Frames:
    """What a whole body decodes to. `error` is the limit that was passed and where."""

    events: list[Frame] = Factory(list)
    last_event_id: str = ""
    retry: int | None = None
    comments: int = 0
    discarded: bytes = b""
    discarded_begin: int = 0
    error: tuple[str, int] | None = None


def lines_of(body: bytes, start: int) -> Iterator[tuple[int, bytes, bool]]:
    """Each line with its offset, and whether its end has come: CRLF, LF or CR."""
    at = start
    while at < len(body):
        if body[at] in b"\r\n":
            yield start, body[start:at], True
            at += 2 if body[at : at + 2] == b"\r\n" else 1
            start = at
        else:
            at += 1
    if start < len(body):
        yield start, body[start:], False


ODD_LINE = Frame("", b"", "", None, 0)  # a line outside of events that has none of the standard's fields


def decode_event_stream(
    body: bytes, *, limits: Limits | None = None, dataless_errors: bool = False, odd_lines: bool = False
) -> Frames:
    """All the events of a whole body. `dataless_errors` dispatches an event named error although it has no data,
    `odd_lines` gives an ODD_LINE for each such line."""
    limits = Limits() if limits is None else limits
    result = Frames()
    name = ""
    last_id = ""
    data: list[bytes] = []
    retry: int | None = None
    pending: list[bytes] = []
    begin = size = 0
    # "One leading U+FEFF BYTE ORDER MARK character must be ignored if any are present."
    first = 3 if body.startswith(b"\xef\xbb\xbf") else 0
    result.discarded_begin = first
    for offset, line, ended in lines_of(body, first):
        if len(line) > limits.line:
            result.error = ("line", offset)
            return result
        if not ended:
            # "Once the end of the file is reached, any pending data must be discarded."
            result.discarded = b"".join(each + b"\n" for each in pending) + line
            result.discarded_begin = begin if pending else offset
            return result
        if not line:
            # "If the line is empty (a blank line): dispatch the event."
            result.last_event_id = last_id
            if data or (dataless_errors and name == "error"):
                result.events.append(Frame(name or "message", b"\n".join(data), last_id, retry, begin))
            name, data, retry, pending, size = "", [], None, [], 0
            continue
        if line.startswith(b":"):
            result.comments += 1
            continue
        field, _, value = line.partition(b":")
        if value.startswith(b" "):
            value = value[1:]
        if field == b"retry":
            if value and all(digit in b"0123456789" for digit in value) and len(value) <= 4_000:
                result.retry = retry = int(value)
            continue
        if field not in (b"event", b"data", b"id"):
            if odd_lines and not pending and line.strip():
                result.events.append(ODD_LINE)
            continue
        if not pending:
            begin = offset
        pending.append(line)
        size += len(value)
        if size > limits.event:
            result.error = ("event", offset)
            return result
        if len(pending) > limits.event_lines:
            result.error = ("event_lines", offset)
            return result
        if field == b"event":
            name = value.decode("utf-8", "replace")
        elif field == b"data":
            data.append(value)
        elif b"\0" not in value:
            last_id = value.decode("utf-8", "replace")
    result.discarded = b"".join(each + b"\n" for each in pending)
    result.discarded_begin = begin
    return result


# The events of a Claude stream.

Error: TypeAlias = Literal["protocol", "limit", "truncated", "api"]
KNOWN_EVENTS = (
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "ping",
    "error",
)
ERROR_TYPES = (
    *("invalid_request_error", "authentication_error", "billing_error", "permission_error", "not_found_error"),
    *("conflict_error", "request_too_large", "rate_limit_error", "overloaded_error", "api_error", "timeout_error"),
)
WORDS = ("message", "Message", "msg")
STRING_KEYS = {
    "text": ("text",),
    "thinking": ("thinking", "signature"),
    "redacted_thinking": ("data",),
    "tool_use": ("id", "name"),
    "server_tool_use": ("id", "name"),
    "mcp_tool_use": ("id", "name", "server_name"),
    "web_search_tool_result": ("tool_use_id",),
    "web_fetch_tool_result": ("tool_use_id",),
    "code_execution_tool_result": ("tool_use_id",),
    "bash_code_execution_tool_result": ("tool_use_id",),
    "text_editor_code_execution_tool_result": ("tool_use_id",),
    "tool_search_tool_result": ("tool_use_id",),
    "advisor_tool_result": ("tool_use_id",),
    "mcp_tool_result": ("tool_use_id",),
    "mcp_tool_listing": ("mcp_server_name",),
    "container_upload": ("file_id",),
    "compaction": (),
    "fallback": (),
}
TOOLS = ("tool_use", "server_tool_use", "mcp_tool_use")
# Which key a delta carries, and to which blocks it may be applied. An unknown block takes any.
DELTAS = {
    "text_delta": ("text", ("text",)),
    "citations_delta": ("citation", ("text",)),
    "thinking_delta": ("thinking", ("thinking",)),
    "signature_delta": ("signature", ("thinking",)),
    "input_json_delta": ("partial_json", TOOLS),
    "compaction_delta": ("content", ("compaction",)),
}
TYPELESS = {
    "text": (("text_delta", "text"),),
    "thinking": (("thinking_delta", "thinking"), ("signature_delta", "signature")),
    **dict.fromkeys(TOOLS, (("input_json_delta", "partial_json"),)),
    "compaction": (("compaction_delta", "content"),),
}
RESULT = ("tool_use_id", "content", "caller")
KNOWN_KEYS = {
    **{kind: RESULT for kind in STRING_KEYS if kind.endswith("_result")},
    "text": ("text", "citations"),
    "thinking": ("thinking", "signature"),
    "redacted_thinking": ("data",),
    "tool_use": ("id", "name", "input", "caller", "toolset_name"),
    "server_tool_use": ("id", "name", "input", "caller"),
    "mcp_tool_use": ("id", "name", "input", "caller", "server_name"),
    "mcp_tool_result": (*RESULT, "is_error"),
    "mcp_tool_listing": ("mcp_server_name", "tools"),
    "container_upload": ("file_id",),
    "compaction": ("content", "encrypted_content", "signature", "tool_changes"),
    "fallback": ("from", "to", "trigger"),
}
WHOLE = ("tool_use", "end_turn", "stop_sequence", "pause_turn")
CUTTING = ("max_tokens", "model_context_window_exceeded", "refusal")


def is_odd_counter(value: Any) -> bool:
    return value is not None and not (type(value) is int and value >= 0)


COUNTERS = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
INCOMPLETE = "$incomplete_json"


class Refusal(Exception):
    """What came cannot be right."""

    def __init__(self, kind: Error = "protocol") -> None:
        self.kind = kind


@define
class Reading:
    """What a whole body comes to.

    `events` has (type, delta type or None, index or None) of each event, `deviations` (kind, event number) of each,
    `offset` is where the event begins that was refused.
    """

    events: list[tuple[str, str | None, int | None]] = Factory(list)
    message: dict[str, Any] | None = None
    deviations: list[tuple[str, int]] = Factory(list)
    error: Error | None = None
    offset: int | None = None
    done: bool = False
    numbers: int = 0


def read_stream(
    body: bytes, *, limits: Limits | None = None, strict: bool = False, keep_content: bool = True
) -> Reading:
    """Read a whole body, end of input included."""
    limits = Limits() if limits is None else limits
    reader = _Reader(limits, strict, keep_content)
    too_much = keep_content and len(body) > limits.message
    frames = decode_event_stream(
        body[: limits.message] if too_much else body, limits=limits, dataless_errors=True, odd_lines=True
    )
    reading = reader.reading
    for frame in frames.events:
        if not reader.take(frame):
            break
    else:
        if reading.done:
            if too_much:  # the limit bounds the answer, not what stands behind it
                seen = len(frames.events)
                frames = decode_event_stream(body, limits=limits, dataless_errors=True, odd_lines=True)
                for frame in frames.events[seen:]:
                    reader.take(frame)
            if frames.error is not None:
                reading.numbers += 1
                reader.late()
            else:
                rest = b"\n" + frames.discarded + b"\n\n"
                for frame in decode_event_stream(rest, limits=limits, odd_lines=True).events:
                    reader.take(frame)
        elif frames.error is not None:
            reader.release(refuse=False)
            reading.error, reading.offset = "limit", frames.error[1]
        elif too_much:
            reader.release(refuse=False)
            reading.error, reading.offset = "limit", limits.message
        else:
            _end(reader, frames, body)
    reading.message = reader.result()
    return reading


def says_error(value: Any) -> bool:
    """Whether a JSON value is an error object, whatever the name of its event."""
    if isinstance(value, list):
        return bool(value) and says_error(value[0])
    if not isinstance(value, dict):
        return False
    kind, error = value.get("type"), value.get("error")
    if kind == "error" or kind in ERROR_TYPES:
        return True
    if kind in KNOWN_EVENTS or kind == "message":
        return False
    if value.get("object") == "error":
        return True
    if kind not in (None, ""):
        return False
    if isinstance(error, dict):
        return True
    if isinstance(error, str):
        return error.strip() != ""
    return bool(error) and any(isinstance(value.get(key), str) and value[key].strip() for key in WORDS)


def _end(reader: _Reader, frames: Frames, body: bytes) -> None:
    """The end of input before message_stop: an event that only lacks its blank line still counts."""
    leftover = decode_event_stream(b"\n" + frames.discarded + b"\n\n", limits=reader.limits).events
    if leftover:
        frame = leftover[0]
        frame.begin = frames.discarded_begin
        try:
            whole = isinstance(loads(frame.raw, depth=reader.limits.depth), dict)
        except RemoteProtocolError:
            whole = False
        if whole and not reader.take(frame, unterminated=True):
            return
    reading = reader.reading
    if reading.done or reader.take_whole_body(body):
        return
    reader.release(refuse=False)
    start = body[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not reading.numbers and len(body) > reader.most_of_body and start[:1] in (b"", b"{"):
        reading.error, reading.offset = "limit", reader.most_of_body
    else:
        reading.error = "truncated"


class _Reader:
    def __init__(self, limits: Limits, strict: bool, keep: bool) -> None:
        self.limits = limits
        self.strict = strict
        self.keep = keep
        self.reading = Reading()
        self.message: dict[str, Any] | None = None
        self.order: list[int] = []
        self.blocks: dict[int, dict[str, Any]] = {}
        self.open: list[int] = []
        self.inputs: dict[int, str] = {}  # text of tool inputs that are not known to be whole
        self.has_delta = False
        self.is_late = False
        self.held: dict[tuple[int, str], str] = {}  # halves of characters, by block and key
        self.placeholders: set[int] = set()
        self.no_input: set[int] = set()  # calls that have no input so far
        self.whole: set[int] = set()  # tool inputs whose text was one whole object
        self.blank: set[int] = set()  # calls that ended without text
        self.given_text: set[int] = set()  # tool inputs that came as text that is not whole
        self.came: set[int] = set()  # blocks whose signature or compaction has come

    @property
    def most_of_body(self) -> int:
        """Bytes of one JSON text in place of a stream."""
        return self.limits.message if self.keep else min(self.limits.message, self.limits.kept)

    def deviate(self, kind: str) -> None:
        if self.strict:
            raise Refusal
        self.reading.deviations.append((kind, self.reading.numbers))

    def late(self) -> None:
        if not self.is_late:
            self.is_late = True
            self.reading.deviations.append(("after_message_stop", self.reading.numbers))

    def take(self, frame: Frame, *, unterminated: bool = False) -> bool:
        """Take one event; False where it ends the stream."""
        reading = self.reading
        if (reading.done and self.is_late) or (frame is ODD_LINE and not reading.done):
            return True
        reading.numbers += 1
        if frame is ODD_LINE:
            self.late()
            return True
        if reading.done:
            try:
                ping = frame.event == "ping" or loads(frame.raw)["type"] == "ping"
            except (RemoteProtocolError, TypeError, KeyError, IndexError):
                ping = False
            if not ping or (frame.event != "ping" and len(frame.raw) > 1024):
                self.late()
            return True
        try:
            if unterminated:
                self.deviate("last_blank_line")
            event = self.parse(frame)
            if event is None:
                self.deviate("skipped")
                return True
            kind, value = event
            if kind in KNOWN_EVENTS:
                getattr(self, "on_" + kind)(value)
        except Refusal as refusal:
            self.release(refuse=False)
            reading.error, reading.offset = refusal.kind, frame.begin
            return False
        except LimitError:
            self.release(refuse=False)
            reading.error, reading.offset = "limit", frame.begin
            return False
        is_delta = kind == "content_block_delta"
        has_index = kind in ("content_block_start", "content_block_delta", "content_block_stop")
        if kind == "error":
            self.release(refuse=False)
        delta_type = value["delta"].get("type") if is_delta else None
        reading.events.append((kind, delta_type or None, value["index"] if has_index else None))
        if kind == "error":
            reading.error = "api"
            return False
        return True

    def parse(self, frame: Frame) -> tuple[str, Any] | None:
        name, text = frame.event, frame.raw.strip()
        if text == b"[DONE]" or (text == b"" and name != "error"):
            return None
        value = self.value_of(frame.raw, name)
        if value is None and name not in ("error", "message") and name not in KNOWN_EVENTS:
            value = self.replaced(frame.raw)
        if not isinstance(value, dict):
            if name == "error" or says_error(value):
                if repr(_without_halves(value)) != repr(value):
                    self.deviate("half_character")
                return "error", {}
            if name == "ping":
                return None
            if name == "message" or name in KNOWN_EVENTS:
                raise Refusal
            return name, {}
        kind = value.get("type")
        if kind in KNOWN_EVENTS:
            return str(kind), value
        whole = kind == "message" and isinstance(value.get("content"), list)
        if (name == "error" and not whole) or says_error(value):
            return "error", value
        if isinstance(kind, str):
            return kind, value
        return name, value

    def replaced(self, raw: bytes) -> dict[str, Any] | None:
        """The JSON object with U+FFFD for malformed UTF-8, which is refused where it is an event that counts."""
        text = raw.decode("utf-8", "replace").encode()
        try:
            value = None if text == raw else loads(text, depth=self.limits.depth)
        except LimitError:
            raise
        except RemoteProtocolError:
            return None
        if not isinstance(value, dict):
            return None
        kind = value.get("type")
        if (isinstance(kind, str) and kind in KNOWN_EVENTS) or says_error(value):
            raise Refusal
        return value

    def value_of(self, raw: bytes, name: str) -> Any:
        """The JSON value; None where there is none. Halves of characters stay only where another may follow."""
        try:
            return loads(raw, depth=self.limits.depth)
        except LimitError:
            raise
        except RemoteProtocolError:
            pass
        found = _with_halves(raw)
        if found is None:
            return None
        value = found[0]
        if isinstance(value, dict):
            kept = {}
            for place, key in _places_of_halves(value, name):
                if key in value[place]:
                    kept[place, key] = value[place][key]
                    value[place][key] = None
            message = value.get("message")
            content = message.get("content") if isinstance(message, dict) else None
            given: dict[int, Any] = {}
            for at, block in enumerate(content if isinstance(content, list) else []):
                if isinstance(block, dict) and "input" in block:
                    given[at] = block["input"]
                    block["input"] = None
            mended = _without_halves(value)
            if repr(mended) != repr(value):
                self.deviate("half_character")
            for (place, key), item in kept.items():
                mended[place][_without_halves(key)] = item
            for at, item in given.items():
                mended["message"]["content"][at]["input"] = item
            return mended
        return value

    def take_whole_body(self, body: bytes) -> bool:
        """Take a body that is one JSON object for the message, or the error, that it is."""
        reading = self.reading
        if reading.numbers or len(body) > self.most_of_body:
            return False
        body = body.removeprefix(b"\xef\xbb\xbf")
        if not body.lstrip().startswith(b"{"):
            return False
        try:
            value = loads(body, depth=self.limits.depth)
        except LimitError:
            return False
        except RemoteProtocolError:
            found = _with_halves(body)
            if found is None:
                return False
            value = found[0]
        if not isinstance(value, dict):
            return False
        kind = value.get("type")
        if kind != "message" and not (kind in (None, "") and isinstance(value.get("content"), list)):
            return says_error(value) and not self.take(Frame("message", body, "", None, 0))
        try:
            reading.numbers = 1
            self.deviate("whole_message")
            self.hand_out_whole(value)
        except Refusal as refusal:
            reading.error, reading.offset = refusal.kind, 0
        return True

    def hand_out_whole(self, value: dict[str, Any]) -> None:
        """The events that a stream of this whole message would have."""
        inputs = {}
        content = value.get("content")
        for at, block in enumerate(content if isinstance(content, list) else []):
            if isinstance(block, dict) and "input" in block:
                inputs[at], block["input"] = block["input"], None
        mended = _without_halves(value)
        if json.dumps(mended) != json.dumps(value):
            self.deviate("half_character")
        for at, given in inputs.items():
            mended["content"][at]["input"] = given
        content = mended.get("content")
        if not isinstance(content, list | None):
            raise Refusal
        for key in ("id", "model", "role", "type"):
            if not isinstance(mended.get(key), str | None):
                raise Refusal
        for block in content or ():
            self.check_block(block)
        changes = {key: mended[key] for key in ("stop_reason", "stop_sequence", "stop_details") if key in mended}
        begin = {**mended, **dict.fromkeys(changes)}
        if content is not None:
            begin["content"] = []
        events: list[tuple[str, str | None, int | None, dict[str, Any]]] = []
        events.append(("message_start", None, None, {"message": begin}))
        for index, block in enumerate(content or ()):
            kind = block["type"]
            text = block.get(kind) if kind in ("text", "thinking") else None
            given = {**block, kind: ""} if text else block
            events.append(("content_block_start", None, index, {"index": index, "content_block": given}))
            if text:
                delta = {"type": kind + "_delta", kind: text}
                events.append(("content_block_delta", delta["type"], index, {"index": index, "delta": delta}))
            events.append(("content_block_stop", None, index, {"index": index}))
        usage = mended.get("usage")
        if isinstance(mended.get("model"), str):
            changes["model"] = mended["model"]
        change = {"delta": changes, "usage": usage if isinstance(usage, dict) else None}
        events.append(("message_delta", None, None, change))
        events.append(("message_stop", None, None, {}))
        self.reading.numbers = 0
        for name, delta_type, at_index, event in events:
            self.reading.numbers += 1
            getattr(self, "on_" + name)(event)
            self.reading.events.append((name, delta_type, at_index))

    # Each event.

    def on_ping(self, value: dict[str, Any]) -> None:
        pass

    def on_error(self, value: dict[str, Any]) -> None:
        pass

    def on_message_start(self, value: dict[str, Any]) -> None:
        raw = value.get("message")
        if not isinstance(raw, dict):
            raise Refusal
        for key in ("id", "model", "role", "type"):
            if raw.get(key) is not None and not isinstance(raw[key], str):
                raise Refusal
        if raw.get("type", "message") not in ("message", "", None):
            raise Refusal
        content = raw.get("content")
        if not isinstance(content, list | None):
            raise Refusal
        for block in content or ():
            self.check_block(block)
        if self.message is not None:
            if (self.message.get("id") or "") != (raw.get("id") or ""):
                raise Refusal
            self.deviate("repeated_start")
            return
        if len(content or ()) > self.limits.blocks:
            raise Refusal("limit")
        if content is None:
            self.deviate("no_content")
        if "type" in raw and not raw["type"]:
            self.deviate("empty_value")
        if raw.get("role") not in (None, "assistant"):
            self.deviate("role")
        self.check_usage(raw.get("usage"))
        for block in content or ():
            self.check_strings(block)
            if block["type"] in TOOLS and block.get("input") in (None, ""):
                self.deviate("empty_value")
        self.message = {**raw, "content": []}
        for index, block in enumerate(content or ()):
            self.order.append(index)
            self.blocks[index] = dict(block)
            if block["type"] == "text" and not block.get("text") and not block.get("citations"):
                self.placeholders.add(index)
            given = block.get("input")
            if block["type"] in TOOLS and isinstance(given, dict) and set(given) == {INCOMPLETE}:
                if isinstance(given[INCOMPLETE], str):
                    self.inputs[index] = given[INCOMPLETE]
                    self.given_text.add(index)

    def on_content_block_start(self, value: dict[str, Any]) -> None:
        index = self.index_of(value)
        self.check_block(value.get("content_block"))
        message = self.started()
        following = self.order[-1] + 1 if self.order else 0
        if index is None:
            if self.open:
                raise Refusal
            if following >= self.limits.blocks:
                raise Refusal("limit")
            self.deviate("index_missing")
            index = value["index"] = following
        if index in self.placeholders:
            self.deviate("placeholder")
            self.placeholders.discard(index)
            self.order.remove(index)
        elif index in self.blocks:
            raise Refusal
        elif len(self.blocks) >= self.limits.blocks:
            raise Refusal("limit")
        elif index != following:
            self.deviate("index_order")
        block = dict(value["content_block"])
        kind = block["type"]
        self.check_strings(block)
        self.order.insert(bisect(self.order, index), index)
        self.blocks[index] = block
        self.open.append(index)
        if kind in ("text", "thinking") and isinstance(block.get(kind), str):
            block[kind] = self.whole_characters(index, str(kind), block[kind])
        if kind in TOOLS:
            given = block.get("input")
            incomplete = isinstance(given, dict) and set(given) == {INCOMPLETE} and given[INCOMPLETE]
            self.inputs[index] = incomplete if isinstance(incomplete, str) else ""
            if given in (None, ""):
                self.no_input.add(index)
        if (kind == "thinking" and block.get("signature")) or (kind == "compaction" and block.get("content")):
            self.came.add(index)
        if kind == "fallback":
            target = block.get("to")
            if isinstance(target, dict) and isinstance(target.get("model"), str):
                message["model"] = target["model"]

    def on_content_block_delta(self, value: dict[str, Any]) -> None:
        index = self.index_of(value)
        delta = value.get("delta")
        if not isinstance(delta, dict):
            raise Refusal
        delta = value["delta"] = dict(delta)
        kind: Any
        notes = self.check_delta(delta)
        for note in notes:
            self.deviate(note)
        self.started()
        if index is None:
            index = value["index"] = self.only_open()
        block = self.blocks[index] if index in self.open else None
        name = block["type"] if block is not None else None
        if block is not None and not (isinstance(delta.get("type"), str) and delta["type"]):
            fitting = [
                (kind, key)
                for kind, key in TYPELESS.get(str(name), ())
                if key in delta and (isinstance(delta[key], str | None) or key == "content")
            ]
            kind, key = fitting[0] if fitting else ("", "")
            grown = {key: delta[key]} if key in ("text", "thinking", "partial_json") else {}
            mended = {**_without_halves(delta), **grown}
            if repr(mended) != repr(delta):
                delta = value["delta"] = mended
                self.deviate("half_character")
            if fitting:
                delta = value["delta"] = {**delta, "type": kind}
                for note in self.check_delta(delta):
                    self.deviate(note)
                self.deviate("typeless_delta")
        kind = delta["type"] if isinstance(delta.get("type"), str) else None
        known = name in STRING_KEYS
        if block is None or (known and kind in DELTAS and name not in DELTAS[kind][1]):
            if kind not in DELTAS or not self.is_empty(kind, delta):
                raise Refusal
            self.deviate("foreign_empty_delta")
            return
        key = DELTAS[kind][0] if kind in DELTAS else ""
        if kind in ("text_delta", "thinking_delta", "input_json_delta"):
            delta[key] = self.whole_characters(index, key, delta[key])
            if kind == "input_json_delta" and delta[key].strip(" \t\r\n"):
                self.no_input.discard(index)
        elif kind in ("signature_delta", "compaction_delta"):
            if delta[key] if kind == "signature_delta" else delta[key] is not None:
                if index in self.came:
                    self.deviate("twice")
                self.came.add(index)
        elif kind != "citations_delta":
            stays = {"id", "name", "tool_use_id", *KNOWN_KEYS.get(str(name), ())}
            for each, item in delta.items():
                if each in stays and item is not None:
                    self.deviate("kept_key")
            delta = {each: item for each, item in delta.items() if each not in stays}
        self.apply(block, index, kind, delta)

    def check_delta(self, delta: dict[str, Any]) -> list[str]:
        """Refuse what a known delta must not be; put the empty value where a string is null or missing."""
        kind = delta.get("type")
        if kind in ("text_delta", "thinking_delta", "signature_delta", "input_json_delta"):
            key = DELTAS[kind][0]
            if delta.get(key) is None:
                delta[key] = ""
                return ["empty_value"]
            if not isinstance(delta[key], str):
                raise Refusal
        elif kind == "citations_delta":
            if not isinstance(delta.get("citation"), dict):
                raise Refusal
        elif kind == "compaction_delta":
            if not isinstance(delta.get("encrypted_content"), str | None):
                raise Refusal
            if "content" not in delta:
                delta["content"] = None
                return ["empty_value"]
        return []

    def is_empty(self, kind: str, delta: dict[str, Any]) -> bool:
        if kind == "compaction_delta":
            return delta["content"] is None and delta.get("encrypted_content") is None
        return bool(delta[DELTAS[kind][0]] == "")

    def whole_characters(self, index: int, key: str, text: str) -> str:
        """Join halves of characters, one at a time; what ends a text with a first half waits for the second."""
        if not text:
            return text
        text = self.held.pop((index, key), "") + text
        out = ""
        lone = False
        while text:
            first, text = text[0], text[1:]
            if not "\ud800" <= first <= "\udfff":
                out += first
            elif first <= "\udbff" and text and "\udc00" <= text[0] <= "\udfff":
                out += (first + text[0]).encode("utf-16", "surrogatepass").decode("utf-16")
                text = text[1:]
            elif first <= "\udbff" and not text:
                self.held[index, key] = first
            elif key == "partial_json":
                out += first
            else:
                out += "\ufffd"
                lone = True
        if lone:
            self.deviate("half_character")
        return out

    def release(self, index: int | None = None, *, refuse: bool = True) -> None:
        """Halves that stay alone are handed out as deltas of their own."""
        for at, key in sorted(self.held, key=lambda each: each[0]):
            if index is not None and at != index:
                continue
            half = self.held.pop((at, key))
            if key != "partial_json" or not refuse:
                strict, self.strict = self.strict, self.strict and refuse
                self.deviate("half_character")
                self.strict = strict
            kind = {"text": "text_delta", "thinking": "thinking_delta", "partial_json": "input_json_delta"}[key]
            self.apply(self.blocks[at], at, kind, {key: half if key == "partial_json" else "\ufffd"})
            self.reading.events.append(("content_block_delta", kind, at))

    def apply(self, block: dict[str, Any], index: int, kind: Any, delta: dict[str, Any]) -> None:
        known = block["type"] in STRING_KEYS
        if kind in ("text_delta", "thinking_delta") and known:
            key = DELTAS[kind][0]
            old = block.get(key)
            block[key] = (old if isinstance(old, str) else "") + delta[key]
        elif kind == "input_json_delta" and index in self.inputs:
            self.inputs[index] += delta["partial_json"]
        elif kind in ("text_delta", "thinking_delta", "input_json_delta"):
            self.put(block, {DELTAS[kind][0]: delta[DELTAS[kind][0]]})
        elif kind == "signature_delta":
            if delta["signature"] or "signature" not in block:
                block["signature"] = delta["signature"]
        elif kind == "citations_delta":
            old = block.get("citations")
            block["citations"] = [*(old if isinstance(old, list) else []), delta["citation"]]
        elif kind == "compaction_delta":
            overwrite(block, {key: delta[key] for key in ("content", "encrypted_content") if key in delta})
        else:
            self.put(block, {key: value for key, value in delta.items() if key != "type"})

    def put(self, block: dict[str, Any], changes: dict[str, Any]) -> None:
        for key, value in changes.items():
            old = block.get(key)
            if isinstance(old, str) and isinstance(value, str):
                block[key] = old + value
            elif value is not None or key not in block:
                block[key] = value

    def on_content_block_stop(self, value: dict[str, Any]) -> None:
        index = self.index_of(value)
        self.started()
        if index is None:
            index = value["index"] = self.only_open()
        if index not in self.blocks:
            raise Refusal
        if index not in self.open:
            self.deviate("twice")
            return
        self.release(index)
        if index in self.no_input:
            self.deviate("empty_value")
        self.end_input(index)
        self.open.remove(index)

    def end_input(self, index: int) -> None:
        if index not in self.inputs or not self.keep:
            return
        text = self.inputs[index]
        if not text.strip(" \t\r\n"):
            del self.inputs[index]
            if self.blocks[index].get("input") in (None, "", {}):
                self.blank.add(index)
            return
        try:
            value = loads_input(text, depth=self.limits.depth)
        except LimitError:
            raise
        except RemoteProtocolError:
            return
        if value is not None and value != "":
            self.blocks[index]["input"] = value
            del self.inputs[index]
            if isinstance(value, dict):
                self.whole.add(index)

    def on_message_delta(self, value: dict[str, Any]) -> None:
        delta, usage = value.get("delta"), value.get("usage")
        if not isinstance(delta, dict | None):
            raise Refusal
        message = self.started()
        if delta is None:
            self.deviate("no_message_delta")
            delta = {}
        inner = delta.get("usage")
        if inner is not None:
            self.deviate("usage")
            if isinstance(inner, dict):
                self.check_usage(inner)
        if isinstance(usage, dict) or not isinstance(inner, dict):
            self.check_usage(usage)
        if delta.get("stop_reason") == "":
            self.deviate("empty_value")
        extra = {k: v for k, v in value.items() if k not in ("type", "delta", "usage")}
        for changes in (delta, extra):
            for key in ("type", "role", "id", "content"):
                if changes.get(key) is not None and (key == "content" or changes[key] != message.get(key)):
                    self.deviate("kept_key")
            for key in ("stop_reason", "stop_sequence", "model"):
                if not isinstance(changes.get(key), str | None):
                    self.deviate("kept_key")
        self.has_delta = True
        self.change(message, delta)
        for counters in (inner, usage):
            if isinstance(counters, dict):
                old = message.get("usage")
                old = dict(old) if isinstance(old, dict) else {}
                good = {key for key in COUNTERS if type(old.get(key)) is int and old[key] >= 0}
                odd = {key for key in COUNTERS if is_odd_counter(counters.get(key))}
                overwrite(old, {key: item for key, item in counters.items() if key not in good & odd})
                message["usage"] = old
        self.change(message, extra)

    def change(self, message: dict[str, Any], changes: dict[str, Any]) -> None:
        for key, value in changes.items():
            if key in ("type", "role", "id", "content", "usage") or (
                key in ("stop_reason", "stop_sequence", "model") and not isinstance(value, str | None)
            ):
                continue
            if value is None or (key == "stop_reason" and value == ""):
                message.setdefault(key, value)
            else:
                message[key] = value

    def on_message_stop(self, value: dict[str, Any]) -> None:
        message = self.started()
        self.release()
        reason = message.get("stop_reason")
        reason = reason if isinstance(reason, str) and reason else None
        if not self.has_delta and reason is None:
            self.deviate("no_message_delta")
        for index in sorted(self.open):
            self.deviate("open_block")
            self.end_input(index)
        if self.keep:
            for index in self.order:
                if self.blocks[index]["type"] in TOOLS:
                    status = self.input_status(index, reason)
                    last = index == self.order[-1]
                    if index in self.open:
                        if status == "complete":
                            self.deviate("input_without_stop")
                    elif status == "invalid" or (status == "partial" and not (last and reason in CUTTING)):
                        self.deviate("input")
        kinds = {block["type"] for block in self.blocks.values()}
        if reason == "tool_use" and "tool_use" not in kinds and kinds <= set(STRING_KEYS):
            self.deviate("stop_reason_mismatch")
        if reason in ("end_turn", "stop_sequence") and "tool_use" in kinds:
            self.deviate("stop_reason_mismatch")
        self.reading.done = True

    def input_status(self, index: int, reason: str | None) -> str:
        if index in self.inputs:
            parser = PartialJSON()
            parser.feed(self.inputs[index])
            if index in self.given_text and parser.status == "complete":
                return "partial" if isinstance(parser.value, dict) else "invalid"
            return "invalid" if parser.status in ("invalid", "complete") else "partial"
        given = self.blocks[index].get("input")
        if not isinstance(given, dict) and given is not None and given != "":
            return "invalid"
        if index in self.whole or index != self.order[-1] or reason in WHOLE:
            return "complete"
        return "partial"

    # What they share.

    def started(self) -> dict[str, Any]:
        if self.message is None:
            raise Refusal
        return self.message

    def only_open(self) -> int:
        if len(self.open) != 1:
            raise Refusal
        self.deviate("index_missing")
        return self.open[0]

    def index_of(self, value: dict[str, Any]) -> int | None:
        index = value.get("index")
        if index is None:
            return None
        if type(index) is not int or index < 0:
            raise Refusal
        if index >= self.limits.blocks:
            raise Refusal("limit")
        return index

    def check_block(self, block: Any) -> None:
        if not isinstance(block, dict) or not isinstance(block.get("type"), str):
            raise Refusal
        for key in STRING_KEYS.get(block["type"], ()):
            if not isinstance(block.get(key), str | None):
                raise Refusal
        if block["type"] == "text" and not isinstance(block.get("citations"), list | None):
            raise Refusal

    def check_strings(self, block: dict[str, Any]) -> None:
        for key in STRING_KEYS.get(block["type"], ()):
            if block.get(key) is None and (key in block or key in ("text", "thinking", "id")):
                self.deviate("empty_value")

    def check_usage(self, usage: Any) -> None:
        if not isinstance(usage, dict):
            self.deviate("usage")
            return
        for key in COUNTERS:
            if is_odd_counter(usage.get(key)):
                self.deviate("usage")

    def result(self) -> dict[str, Any] | None:
        if self.message is None:
            return None
        content = []
        for index in self.order if self.keep else ():
            block = self.blocks[index]
            if index in self.inputs:
                block = {**block, "input": {INCOMPLETE: self.inputs[index]}}
            elif (
                index in self.blank
                and index == self.order[-1]
                and not (isinstance(self.message.get("stop_reason"), str) and self.message["stop_reason"])
            ):
                block = {**block, "input": {INCOMPLETE: ""}}  # more may have been to come
            content.append(block)
        return {**self.message, "content": content}


def _refuse(word: str) -> Any:
    raise ValueError(word)


def _finite(text: str) -> float:
    if float(text) in (float("inf"), float("-inf")):
        raise ValueError(text)
    return float(text)


def _places_of_halves(value: dict[str, Any], name: str) -> list[tuple[str, str]]:
    """Where half a character stays: in the text of a delta or start that another delta may follow, and in inputs."""
    found = []
    delta, block = value.get("delta"), value.get("content_block")
    event = value.get("type")
    if isinstance(delta, dict) and (event if isinstance(event, str) and event else name) != "message_delta":
        kind = delta.get("type")
        if isinstance(kind, str) and kind:
            found += [("delta", key) for key in ("text", "thinking") if kind == f"{key}_delta"]
            found += [("delta", "partial_json")] if kind == "input_json_delta" else []
        else:
            found += [("delta", key) for key in delta]  # its block says what it is taken for
    if isinstance(block, dict):
        found += [("content_block", key) for key in ("text", "thinking") if block.get("type") == key]
        found.append(("content_block", "input"))
    return found


def _with_halves(raw: bytes) -> tuple[Any] | None:
    """The JSON value of a text that has a half of a character somewhere; None for one that is wrong otherwise."""
    halves = False  # also where a later key of the same name takes the place

    def pairs_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal halves
        halves = halves or "\\ud" in json.dumps(pairs)
        return dict(pairs)

    try:
        value = json.loads(raw.decode(), parse_constant=_refuse, parse_float=_finite, object_pairs_hook=pairs_of)
    except (ValueError, RecursionError):
        return None
    return (value,) if halves or "\\ud" in json.dumps(value) else None


def _without_halves(value: Any) -> Any:
    if isinstance(value, str):
        return "".join("\ufffd" if "\ud800" <= each <= "\udfff" else each for each in value)
    if isinstance(value, list):
        return [_without_halves(each) for each in value]
    if isinstance(value, dict):
        return {_without_halves(key): _without_halves(item) for key, item in value.items()}
    return value


def overwrite(target: dict[str, Any], changes: dict[str, Any]) -> None:
    """A value that is not null replaces; a null creates an absent key and never erases."""
    for key, value in changes.items():
        if value is not None or key not in target:
            target[key] = value
