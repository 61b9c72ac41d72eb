"""decode: one server-sent event to one of the flat events.

The JSON's own `type` decides what an event is; the event's name on the wire counts only where the JSON has none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sansio_claude._errors import LimitError, RemoteProtocolError
from sansio_claude._errors.error_object import error_object, read_error
from sansio_claude._json import loads, loads_with_halves
from sansio_claude._limits import Limits, limits_of
from sansio_claude._message.block import kind_of
from sansio_claude._message.blocks import block_from_dict
from sansio_claude._message.halves import mend_error, mend_event
from sansio_claude._message.message import message_from_object
from sansio_claude._message.tool_blocks import ToolInputBlock
from sansio_claude._stream.deviations import DeviationKind
from sansio_claude._stream.events import (
    CitationsDelta,
    CompactionDelta,
    ContentBlockDelta,
    ContentBlockStart,
    ContentBlockStop,
    ErrorEvent,
    Event,
    Extra,
    InputJSONDelta,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    UnknownDelta,
    UnknownEvent,
)
from sansio_claude._value import an

if TYPE_CHECKING:
    from sansio_claude._stream.sse import ServerSentEvent

__all__ = ["NO_INDEX", "Notes", "decode", "decode_data", "delta_from_value", "event_from_value"]


def _bad(words: str) -> RemoteProtocolError:
    return RemoteProtocolError(words, stage="events")


Notes: TypeAlias = list[tuple[DeviationKind, str]]
"""What is odd about an event and cannot be seen in it any more, for the stream to record: kind and words."""

NO_INDEX: Final = -1
"""The index of an event that came without one; the accumulator finds the block that is meant."""


def _index(value: dict[str, Any], event: str, limits: Limits) -> int:
    index: Any = value.get("index")
    if type(index) is int and 0 <= index < limits.blocks:  # bool is an int
        return index
    if index is None:
        return NO_INDEX
    if type(index) is not int:
        raise _bad(f"the index of a {event} is {kind_of(index)}, not an integer")
    if index < 0:
        raise _bad(f"the index of a {event} is negative")
    raise LimitError(
        f"a block index passes Limits.blocks = {limits.blocks}", limit="blocks", value=limits.blocks, stage="events"
    )


def _no_object(value: dict[str, Any], key: str, event: str) -> RemoteProtocolError:
    found = kind_of(value[key]) if key in value else "missing"
    return _bad(f"{key} of a {event} is {found}, not an object")


def _rest(value: dict[str, Any], known: frozenset[str]) -> Extra:
    """`_unknown` where the caller has found all of `known` but "type": then the number of keys can tell."""
    if len(value) == len(known) and "type" in value:
        return None
    return _unknown(value, known)


def _unknown(value: dict[str, Any], known: frozenset[str]) -> Extra:
    """The keys that the class does not know."""
    return {key: item for key, item in value.items() if key not in known} or None


_HALF: Final = ("half_character", "half of a surrogate pair stands alone")
_TYPE: Final = frozenset({"type"})
_MESSAGE: Final = frozenset({"type", "message"})
_START: Final = frozenset({"type", "index", "content_block"})
_DELTA: Final = frozenset({"type", "index", "delta"})
_STOP: Final = frozenset({"type", "index"})
_CITATION: Final = frozenset({"type", "citation"})
_CONTENT: Final = frozenset({"type", "content"})
_ENCRYPTED: Final = frozenset({"type", "content", "encrypted_content"})
_CHANGE: Final = frozenset({"type", "delta"})
_CHANGE_USAGE: Final = frozenset({"type", "delta", "usage"})
_ERROR: Final = frozenset({"type", "error"})


def _message_start(value: dict[str, Any], limits: Limits, notes: Notes) -> Event:
    raw: Any = value.get("message")
    if type(raw) is not dict:
        raise _no_object(value, "message", "message_start")
    return MessageStart(message_from_object(raw, begins_stream=True), _rest(value, _MESSAGE))


def _block_start(value: dict[str, Any], limits: Limits, notes: Notes) -> Event:
    index = _index(value, "content_block_start", limits)
    raw: Any = value.get("content_block")
    if type(raw) is not dict:
        raise _no_object(value, "content_block", "content_block_start")
    block = block_from_dict(raw)
    if isinstance(block, ToolInputBlock):
        block._unsettle_given()
    return ContentBlockStart(index, block, _rest(value, _START) if index >= 0 else _unknown(value, _START))


_STRING_DELTAS: Final[dict[str, tuple[str, frozenset[str], Callable[[int, str, Extra], ContentBlockDelta]]]] = {
    "text_delta": ("text", frozenset({"type", "text"}), TextDelta),
    "input_json_delta": ("partial_json", frozenset({"type", "partial_json"}), InputJSONDelta),
    "thinking_delta": ("thinking", frozenset({"type", "thinking"}), ThinkingDelta),
    "signature_delta": ("signature", frozenset({"type", "signature"}), SignatureDelta),
}


def _block_delta(value: dict[str, Any], limits: Limits, notes: Notes) -> Event:
    index = _index(value, "content_block_delta", limits)
    delta: Any = value.get("delta")
    if type(delta) is not dict:
        raise _no_object(value, "delta", "content_block_delta")
    return delta_from_value(index, delta, _rest(value, _DELTA) if index >= 0 else _unknown(value, _DELTA), notes)


def delta_from_value(index: int, delta: dict[str, Any], outer: Extra, notes: Notes) -> ContentBlockDelta:
    """The event of a delta's JSON object; `outer` are the unknown keys of the event around it.

    Raises RemoteProtocolError where a known delta has something other than what it must have.
    """
    kind: Any = delta.get("type")
    known = _STRING_DELTAS.get(kind) if isinstance(kind, str) else None
    if known is not None:
        key, keys, make = known
        text: Any = delta.get(key)
        if type(text) is not str:
            if text is not None:
                raise _bad(f"{key} of {an(kind)} is {kind_of(text)}, not a string")
            notes.append(("empty_value", f"{key} of {an(kind)} is {'null' if key in delta else 'missing'}"))
            return make(index, "", _join(outer, _unknown(delta, keys)))
        return make(index, text, _join(outer, _rest(delta, keys)))
    if kind == "citations_delta":
        citation: Any = delta.get("citation")
        if type(citation) is not dict:
            raise _no_object(delta, "citation", "citations_delta")
        return CitationsDelta(index, citation, _join(outer, _rest(delta, _CITATION)))
    if kind == "compaction_delta":
        return _compaction_delta(index, delta, outer, notes)
    return UnknownDelta(index, delta, outer)


def _compaction_delta(index: int, delta: dict[str, Any], outer: Extra, notes: Notes) -> ContentBlockDelta:
    encrypted: Any = delta.get("encrypted_content")
    if encrypted is not None and not isinstance(encrypted, str):
        raise _bad(f"encrypted_content of a compaction_delta is {kind_of(encrypted)}, not a string")
    if "content" not in delta:
        notes.append(("empty_value", "content of a compaction_delta is missing"))
    known_keys = _CONTENT if encrypted is None else _ENCRYPTED
    return CompactionDelta(index, delta.get("content"), encrypted, _join(outer, _unknown(delta, known_keys)))


def _join(outer: Extra, inner: Extra) -> Extra:
    """The unknown keys of an event and of its delta. Where both have one of the same name, the delta's stand apart."""
    if outer is None or inner is None:
        return inner if outer is None else outer
    if outer.keys() & inner.keys():
        return {**outer, "delta": inner}
    return {**outer, **inner}


def _block_stop(value: dict[str, Any], limits: Limits, notes: Notes) -> Event:
    index = _index(value, "content_block_stop", limits)
    return ContentBlockStop(index, None, _rest(value, _STOP) if index >= 0 else _unknown(value, _STOP))


def _message_delta(value: dict[str, Any], limits: Limits, notes: Notes) -> Event:
    delta: Any = value.get("delta")
    usage: Any = value.get("usage")
    if delta is not None and not isinstance(delta, dict):
        raise _bad(f"delta of a message_delta is {kind_of(delta)}, not an object")
    if delta is not None and isinstance(usage, dict):
        return MessageDelta(delta, usage, _rest(value, _CHANGE_USAGE))
    if isinstance(usage, dict):
        return MessageDelta(None, usage, _unknown(value, _CHANGE_USAGE))
    return MessageDelta(delta, None, _unknown(value, _CHANGE_USAGE if usage is None else _CHANGE))


def _message_stop(value: dict[str, Any], limits: Limits, notes: Notes) -> Event:
    return MessageStop(None, _rest(value, _TYPE))


def _ping(value: dict[str, Any], limits: Limits, notes: Notes) -> Event:
    return Ping(_rest(value, _TYPE))


def _error(value: dict[str, Any], limits: Limits, notes: Notes) -> Event:
    return _error_event(value)


def _error_event(value: dict[str, Any]) -> ErrorEvent:
    """The error of an object. What `read_error` finds in the object it finds in the event, too."""
    error: Any = value.get("error")
    if isinstance(error, dict):
        return ErrorEvent(error, _beside_error(value, _ERROR))
    if isinstance(error, str):
        return ErrorEvent({"message": read_error(value).words or error}, _beside_error(value, _ERROR))
    if "message" in value and ("error" not in value or value.get("type") != "error"):
        # The error object itself, without its envelope.
        outer: dict[str, Any] = {key: value[key] for key in ("request_id", "error") if key in value}
        inner = {key: item for key, item in value.items() if key not in outer and (key, item) != ("type", "error")}
        return ErrorEvent(inner, outer or None)
    # The words beside an `error` that is no object stay where they stand; words inside it are read.
    words = None if "message" in value else read_error(value).words
    return ErrorEvent({"message": words} if words else {}, _beside_error(value, _TYPE))


def _beside_error(value: dict[str, Any], known: frozenset[str]) -> dict[str, Any] | None:
    """The keys beside the known ones, and the type, where that is the type of the error and not of the event."""
    kind: Any = value.get("type")
    rest = _rest(value, known)
    if not isinstance(kind, str) or kind in ("error", ""):
        return rest
    return {"type": kind, **(rest or {})}


def _error_of(value: Any) -> Event:
    """The error whose data is no JSON object: words, or a list around an object."""
    while isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        return _error_event(value)
    words = read_error(value).words
    return ErrorEvent({"message": words} if words else {})


_DECODERS: Final[dict[str, Callable[[dict[str, Any], Limits, Notes], Event]]] = {
    "message_start": _message_start,
    "content_block_start": _block_start,
    "content_block_delta": _block_delta,
    "content_block_stop": _block_stop,
    "message_delta": _message_delta,
    "message_stop": _message_stop,
    "ping": _ping,
    "error": _error,
}


def event_from_value(value: dict[str, Any], name: str, limits: Limits, notes: Notes) -> Event:
    """The event of one JSON object, which it takes over; `name` is the event's name on the wire.

    Raises RemoteProtocolError (stage "events" or "blocks") where a known event lacks what it must have. What is odd
    and cannot be seen in the event is added to `notes`.
    """
    kind: Any = value.get("type")
    if type(kind) is str:
        decoder = _DECODERS.get(kind)
        if decoder is not None:
            return decoder(value, limits, notes)
    if error_object(value, named=name == "error") is not None:  # it must not pass for an event to skip
        return _error(value, limits, notes)
    decoder = None if type(kind) is str else _DECODERS.get(name)
    return UnknownEvent(value, name) if decoder is None else decoder(value, limits, notes)


def decode(sse: ServerSentEvent, *, limits: Limits | None = None) -> Event | None:
    """The event of one server-sent event; None for what says nothing: `[DONE]`, empty data, a ping without JSON.

    An event named error is an ErrorEvent, whatever its data is. Raises RemoteProtocolError (LimitError among it) where
    the data is not a JSON object under another known event name or none, or where a known event lacks what it must
    have. Data that is no JSON under an unknown name is kept as UnknownEvent. A null or missing string counts as empty;
    an event of a block without its index has the index -1. Linear in the length of the data.
    """
    return decode_data(sse.event, sse.raw, limits_of(limits), [])


def _once_replaced(text: str, limits: Limits) -> dict[str, Any] | None:
    """The JSON object that a text is in which U+FFFD stands for malformed UTF-8; None where it is none."""
    if "\ufffd" not in text:
        return None
    try:
        value = loads(text.encode(), limits.depth)
    except LimitError:
        raise
    except RemoteProtocolError:
        return None
    return value if type(value) is dict else None


def decode_data(name: str, raw: bytes, limits: Limits, notes: Notes) -> Event | None:
    """`decode` of an event's name and its data. What is odd and cannot be seen in the event is added to `notes`."""
    has_halves = False
    kind: Any
    try:
        try:
            value = loads(raw, limits.depth)
        except LimitError:
            raise
        except RemoteProtocolError:
            value, has_halves = loads_with_halves(raw, limits.depth)
    except LimitError:
        raise
    except RemoteProtocolError:
        data = raw.strip()
        if name == "ping" or data == b"[DONE]" or (not data and name != "error"):
            return None
        if name == "error":
            return _error_of(data.decode("utf-8", "replace"))
        if name in _DECODERS or name == "message":
            raise
        text = data.decode("utf-8", "replace")
        value = _once_replaced(text, limits)
        if value is None:
            return UnknownEvent(raw.decode("utf-8", "replace"), name)
        kind = value.get("type")
        if (type(kind) is str and kind in _DECODERS) or error_object(value) is not None:
            raise  # its type says that it is an event that must not be skipped
        return UnknownEvent(value, name)
    if type(value) is dict:
        if has_halves and mend_event(value, name):
            notes.append(_HALF)
        kind = value.get("type")
        # Nearly every event says its type: this saves it a call.
        decoder = _DECODERS.get(kind) if type(kind) is str else None
        return event_from_value(value, name, limits, notes) if decoder is None else decoder(value, limits, notes)
    if error_object(value, named=name == "error") is not None:
        value, mended = mend_error(value)
        if mended:
            notes.append(_HALF)
        return _error_of(value)
    if name == "ping":
        return None
    if name in _DECODERS or name == "message":
        words = f"the event's data is {kind_of(value)}, not an object"
        raise RemoteProtocolError(words, stage="json", excerpt=raw.strip()[:80])
    return UnknownEvent(raw.decode("utf-8", "replace"), name)
