"""Slow, obvious twins of the core, written from the rules and not from the code.

`decode_event_stream` follows WHATWG HTML 9.2.5 and 9.2.6 over the whole body, one byte at a time; `read_stream`
follows the tables of the Messages API over plain dicts. Neither knows of chunks, so they are what every chunking of
the same bytes must come to.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

from attrs import Factory, define

from sansio_claude._errors import LimitError, RemoteProtocolError
from sansio_claude._json import loads, loads_input
from sansio_claude._limits import Limits

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


def decode_event_stream(body: bytes, *, limits: Limits | None = None, dataless_errors: bool = False) -> Frames:
    """All the events of a whole body. `dataless_errors` dispatches an event named error although it has no data."""
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
    frames = decode_event_stream(body[: limits.message] if too_much else body, limits=limits, dataless_errors=True)
    reading = reader.reading
    for frame in frames.events:
        if not reader.take(frame):
            break
    else:
        if reading.done:
            pass
        elif frames.error is not None:
            reading.error, reading.offset = "limit", frames.error[1]
        elif too_much:
            reading.error, reading.offset = "limit", limits.message
        else:
            _end(reader, frames)
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


def _end(reader: _Reader, frames: Frames) -> None:
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
    if not reader.reading.done:
        reader.reading.error = "truncated"


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
        self.late = False

    def deviate(self, kind: str) -> None:
        if self.strict:
            raise Refusal
        self.reading.deviations.append((kind, self.reading.numbers))

    def take(self, frame: Frame, *, unterminated: bool = False) -> bool:
        """Take one event; False where it ends the stream."""
        reading = self.reading
        reading.numbers += 1
        try:
            if unterminated:
                self.deviate("last_blank_line")
            if reading.done:
                if not self.late:
                    self.late = True
                    self.deviate("after_message_stop")
                return True
            event = self.parse(frame)
            if event is None:
                self.deviate("skipped")
                return True
            kind, value = event
            if kind in KNOWN_EVENTS:
                getattr(self, "on_" + kind)(value)
        except Refusal as refusal:
            reading.error, reading.offset = refusal.kind, frame.begin
            return False
        except LimitError:
            reading.error, reading.offset = "limit", frame.begin
            return False
        is_delta = kind == "content_block_delta"
        has_index = kind in ("content_block_start", "content_block_delta", "content_block_stop")
        delta_type = value["delta"].get("type") if is_delta else None
        reading.events.append((kind, delta_type, value["index"] if has_index else None))
        if kind == "error":
            reading.error = "api"
            return False
        return True

    def parse(self, frame: Frame) -> tuple[str, Any] | None:
        name, text = frame.event, frame.raw.strip()
        if text == b"[DONE]" or (text == b"" and name != "error"):
            return None
        try:
            value = loads(frame.raw, depth=self.limits.depth)
        except LimitError:
            raise
        except RemoteProtocolError:
            value = None
        if name == "error" and not isinstance(value, dict):
            return "error", {}
        if not isinstance(value, dict):
            if isinstance(value, list) and value and says_error(value[0]):
                return "error", {}
            if name == "ping":
                return None
            if name == "message" or name in KNOWN_EVENTS:
                raise Refusal
            return name, {}
        kind = value.get("type")
        if kind in KNOWN_EVENTS:
            return str(kind), value
        if name == "error" or says_error(value):
            return "error", value
        if isinstance(kind, str):
            return kind, value
        return name, value

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
        if raw.get("type", "message") != "message":
            raise Refusal
        content = raw.get("content", [])
        if not isinstance(content, list):
            raise Refusal
        for block in content:
            self.check_block(block)
        if self.message is not None:
            if (self.message.get("id") or "") != (raw.get("id") or ""):
                raise Refusal
            self.deviate("repeated_start")
            return
        if len(content) > self.limits.blocks:
            raise Refusal("limit")
        if "content" not in raw:
            self.deviate("no_content")
        if isinstance(raw.get("usage"), dict):
            self.check_counters(raw["usage"])
        else:
            self.deviate("usage")
        self.message = {**raw, "content": []}
        for index, block in enumerate(content):
            self.order.append(index)
            self.blocks[index] = dict(block)
            given = block.get("input")
            if block["type"] in TOOLS and isinstance(given, dict) and set(given) == {INCOMPLETE}:
                if isinstance(given[INCOMPLETE], str):
                    self.inputs[index] = given[INCOMPLETE]

    def on_content_block_start(self, value: dict[str, Any]) -> None:
        index = self.index_of(value)
        self.check_block(value.get("content_block"))
        message = self.started()
        if index in self.blocks:
            raise Refusal
        if len(self.blocks) >= self.limits.blocks:
            raise Refusal("limit")
        if index != (self.order[-1] + 1 if self.order else 0):
            self.deviate("index_order")
        self.order.insert(bisect(self.order, index), index)
        block = self.blocks[index] = dict(value["content_block"])
        self.open.append(index)
        if block["type"] in TOOLS:
            given = block.get("input")
            incomplete = isinstance(given, dict) and set(given) == {INCOMPLETE} and given[INCOMPLETE]
            self.inputs[index] = incomplete if isinstance(incomplete, str) else ""
        if block["type"] == "fallback":
            target = block.get("to")
            if isinstance(target, dict) and isinstance(target.get("model"), str):
                message["model"] = target["model"]

    def on_content_block_delta(self, value: dict[str, Any]) -> None:
        index = self.index_of(value)
        delta = value.get("delta")
        if not isinstance(delta, dict):
            raise Refusal
        kind = delta.get("type")
        if kind == "input_json_delta" and set(delta) == {"type"}:
            pass
        elif kind in ("text_delta", "thinking_delta", "signature_delta", "input_json_delta"):
            if not isinstance(delta.get(DELTAS[kind][0]), str):
                raise Refusal
        elif kind == "citations_delta":
            if not isinstance(delta.get("citation"), dict):
                raise Refusal
        elif kind == "compaction_delta":
            if "content" not in delta or not isinstance(delta.get("encrypted_content"), str | None):
                raise Refusal
        self.started()
        if index not in self.open:
            raise Refusal
        block = self.blocks[index]
        known = block["type"] in STRING_KEYS
        if isinstance(kind, str) and kind in DELTAS and known and block["type"] not in DELTAS[kind][1]:
            raise Refusal
        if kind == "input_json_delta" and "partial_json" not in delta:
            self.deviate("empty_value")
        self.apply(block, index, kind, delta)

    def apply(self, block: dict[str, Any], index: int, kind: Any, delta: dict[str, Any]) -> None:
        if kind in ("text_delta", "thinking_delta"):
            key = DELTAS[kind][0]
            old = block.get(key)
            block[key] = (old if isinstance(old, str) else "") + delta[key]
        elif kind == "input_json_delta" and index in self.inputs:
            self.inputs[index] += delta.get("partial_json", "")
        elif kind == "input_json_delta":
            self.put(block, {"partial_json": delta.get("partial_json", "")})
        elif kind == "signature_delta":
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
            block[key] = old + value if isinstance(old, str) and isinstance(value, str) else value

    def on_content_block_stop(self, value: dict[str, Any]) -> None:
        index = self.index_of(value)
        self.started()
        if index not in self.blocks:
            raise Refusal
        if index not in self.open:
            self.deviate("twice")
            return
        if index in self.inputs and self.keep:
            text = self.inputs[index]
            if not text.strip(" \t\r\n"):
                del self.inputs[index]
            else:
                try:
                    self.blocks[index]["input"] = loads_input(text, depth=self.limits.depth)
                except LimitError:
                    raise
                except RemoteProtocolError:
                    pass
                else:
                    del self.inputs[index]
        self.open.remove(index)

    def on_message_delta(self, value: dict[str, Any]) -> None:
        delta, usage = value.get("delta"), value.get("usage")
        if not isinstance(delta, dict | None):
            raise Refusal
        message = self.started()
        if delta is None:
            self.deviate("no_message_delta")
        if isinstance(usage, dict):
            self.check_counters(usage)
        else:
            self.deviate("usage")
        self.has_delta = True
        overwrite(message, {key: item for key, item in (delta or {}).items() if key != "content"})
        if isinstance(usage, dict):
            if not isinstance(message.get("usage"), dict):
                message["usage"] = {}
            message["usage"] = dict(message["usage"])
            overwrite(message["usage"], usage)
        overwrite(message, {k: v for k, v in value.items() if k not in ("type", "delta", "usage", "content")})

    def on_message_stop(self, value: dict[str, Any]) -> None:
        self.started()
        if not self.has_delta:
            self.deviate("no_message_delta")
        for _ in self.open:
            self.deviate("open_block")
        if self.keep:
            for index in self.inputs:
                if index not in self.open:
                    self.deviate("input")
        self.reading.done = True

    # What they share.

    def started(self) -> dict[str, Any]:
        if self.message is None:
            raise Refusal
        return self.message

    def index_of(self, value: dict[str, Any]) -> int:
        index = value.get("index")
        if type(index) is not int or index < 0:
            raise Refusal
        if index >= self.limits.blocks:
            raise Refusal("limit")
        return index

    def check_block(self, block: Any) -> None:
        if not isinstance(block, dict) or not isinstance(block.get("type"), str):
            raise Refusal
        for key in STRING_KEYS.get(block["type"], ()):
            if key in block and not isinstance(block[key], str):
                raise Refusal
        if block["type"] == "text" and not isinstance(block.get("citations"), list | None):
            raise Refusal

    def check_counters(self, usage: dict[str, Any]) -> None:
        for key in COUNTERS:
            if usage.get(key) is not None and type(usage[key]) is not int:
                self.deviate("usage")

    def result(self) -> dict[str, Any] | None:
        if self.message is None:
            return None
        content = []
        for index in self.order if self.keep else ():
            block = self.blocks[index]
            if index in self.inputs:
                block = {**block, "input": {INCOMPLETE: self.inputs[index]}}
            content.append(block)
        return {**self.message, "content": content}


def overwrite(target: dict[str, Any], changes: dict[str, Any]) -> None:
    """A value that is not null replaces; a null creates an absent key and never erases."""
    for key, value in changes.items():
        if value is not None or key not in target:
            target[key] = value
