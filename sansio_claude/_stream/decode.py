"""decode: one server-sent event to one of the flat events.

The JSON's own `type` decides what an event is; the event's name on the wire counts only where the JSON has none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from sansio_claude._errors import LimitError, RemoteProtocolError
from sansio_claude._errors.error_object import error_object, read_error
from sansio_claude._json import loads
from sansio_claude._limits import DEFAULT_LIMITS, Limits
from sansio_claude._message.block import kind_of
from sansio_claude._message.blocks import block_from_dict
from sansio_claude._message.message import Message
from sansio_claude._stream.events import (
    CitationsDelta,
    CompactionDelta,
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

if TYPE_CHECKING:
    from sansio_claude._stream.sse import ServerSentEvent

__all__ = ["decode", "decode_data", "event_from_value"]


def _bad(words: str) -> RemoteProtocolError:
    return RemoteProtocolError(words, stage="events")


def _no_index(value: dict[str, Any], event: str, limits: Limits) -> RemoteProtocolError:
    index: Any = value.get("index")
    if type(index) is not int:  # bool is an int
        found = kind_of(index) if "index" in value else "missing"
        return _bad(f"the index of a {event} is {found}, not an integer")
    if index < 0:
        return _bad(f"the index of a {event} is negative")
    return LimitError(
        f"a block index passes Limits.blocks = {limits.blocks}", limit="blocks", value=limits.blocks, stage="events"
    )


def _no_object(value: dict[str, Any], key: str, event: str) -> RemoteProtocolError:
    found = kind_of(value[key]) if key in value else "missing"
    return _bad(f"{key} of a {event} is {found}, not an object")


def _rest(value: dict[str, Any], known: frozenset[str]) -> Extra:
    """The keys that the class does not know, where those that it knows were found before, but for the type."""
    if len(value) == len(known) and "type" in value:
        return None
    return _unknown(value, known)


def _unknown(value: dict[str, Any], known: frozenset[str]) -> Extra:
    """The keys that the class does not know."""
    return {key: item for key, item in value.items() if key not in known} or None


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


def _message_start(value: dict[str, Any], limits: Limits) -> Event:
    raw: Any = value.get("message")
    if type(raw) is not dict:
        raise _no_object(value, "message", "message_start")
    return MessageStart(Message.take(raw, content_optional=True), _rest(value, _MESSAGE))


def _block_start(value: dict[str, Any], limits: Limits) -> Event:
    index: Any = value.get("index")
    if type(index) is not int or not 0 <= index < limits.blocks:
        raise _no_index(value, "content_block_start", limits)
    raw: Any = value.get("content_block")
    if type(raw) is not dict:
        raise _no_object(value, "content_block", "content_block_start")
    return ContentBlockStart(index, block_from_dict(raw), _rest(value, _START))


_STRING_DELTAS: Final[dict[str, tuple[str, frozenset[str], Callable[[int, str, Extra], Event]]]] = {
    "text_delta": ("text", frozenset({"type", "text"}), TextDelta),
    "input_json_delta": ("partial_json", frozenset({"type", "partial_json"}), InputJSONDelta),
    "thinking_delta": ("thinking", frozenset({"type", "thinking"}), ThinkingDelta),
    "signature_delta": ("signature", frozenset({"type", "signature"}), SignatureDelta),
}


def _block_delta(value: dict[str, Any], limits: Limits) -> Event:
    index: Any = value.get("index")
    if type(index) is not int or not 0 <= index < limits.blocks:
        raise _no_index(value, "content_block_delta", limits)
    delta: Any = value.get("delta")
    if type(delta) is not dict:
        raise _no_object(value, "delta", "content_block_delta")
    kind: Any = delta.get("type")
    known = _STRING_DELTAS.get(kind) if isinstance(kind, str) else None
    outer = _rest(value, _DELTA)
    if known is not None:
        key, keys, make = known
        if kind == "input_json_delta" and len(delta) == 1:
            # Gateways that leave out empty strings send the first, always empty fragment so.
            return InputJSONDelta(index, "", _join(outer, {"partial_json": None}))
        text: Any = delta.get(key)
        if not isinstance(text, str):
            raise _bad(f"{key} of a {kind} is {kind_of(text) if key in delta else 'missing'}, not a string")
        return make(index, text, _join(outer, _rest(delta, keys)))
    if kind == "citations_delta":
        citation: Any = delta.get("citation")
        if type(citation) is not dict:
            raise _no_object(delta, "citation", "citations_delta")
        return CitationsDelta(index, citation, _join(outer, _rest(delta, _CITATION)))
    if kind == "compaction_delta":
        encrypted: Any = delta.get("encrypted_content")
        if "content" not in delta:
            raise _bad("content of a compaction_delta is missing")
        if encrypted is not None and not isinstance(encrypted, str):
            raise _bad(f"encrypted_content of a compaction_delta is {kind_of(encrypted)}, not a string")
        known_keys = _CONTENT if encrypted is None else _ENCRYPTED
        return CompactionDelta(index, delta["content"], encrypted, _join(outer, _rest(delta, known_keys)))
    return UnknownDelta(index, delta, outer)


def _join(outer: Extra, inner: Extra) -> Extra:
    if outer is None or inner is None:
        return inner if outer is None else outer
    return {**outer, **inner}


def _block_stop(value: dict[str, Any], limits: Limits) -> Event:
    index: Any = value.get("index")
    if type(index) is not int or not 0 <= index < limits.blocks:
        raise _no_index(value, "content_block_stop", limits)
    return ContentBlockStop(index, None, _rest(value, _STOP))


def _message_delta(value: dict[str, Any], limits: Limits) -> Event:
    delta: Any = value.get("delta")
    usage: Any = value.get("usage")
    if delta is not None and not isinstance(delta, dict):
        raise _bad(f"delta of a message_delta is {kind_of(delta)}, not an object")
    if delta is not None and isinstance(usage, dict):
        return MessageDelta(delta, usage, _rest(value, _CHANGE_USAGE))
    if isinstance(usage, dict):
        return MessageDelta(None, usage, _unknown(value, _CHANGE_USAGE))
    return MessageDelta(delta, None, _unknown(value, _CHANGE_USAGE if usage is None else _CHANGE))


def _message_stop(value: dict[str, Any], limits: Limits) -> Event:
    return MessageStop(None, _rest(value, _TYPE))


def _ping(value: dict[str, Any], limits: Limits) -> Event:
    return Ping(_rest(value, _TYPE))


def _error(value: dict[str, Any], limits: Limits) -> Event:
    error: Any = value.get("error")
    if isinstance(error, dict):
        return ErrorEvent(error, _rest(value, _ERROR))
    if isinstance(error, str):
        return ErrorEvent({"message": error}, _rest(value, _ERROR))
    if "message" in value and ("error" not in value or value.get("type") != "error"):
        # The error object itself, without its envelope.
        outer: dict[str, Any] = {key: value[key] for key in ("request_id", "error") if key in value}
        inner = {key: item for key, item in value.items() if key not in outer and (key, item) != ("type", "error")}
        return ErrorEvent(inner, outer or None)
    return ErrorEvent({}, _rest(value, _TYPE))


def _error_of(value: Any) -> Event:
    """The error whose data is no JSON object: words, or a list around an object."""
    while isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        error = value.get("error")
        return ErrorEvent(error if isinstance(error, dict) else value)
    words = read_error(value).words
    return ErrorEvent({"message": words} if words else {})


_DECODERS: Final[dict[str, Callable[[dict[str, Any], Limits], Event]]] = {
    "message_start": _message_start,
    "content_block_start": _block_start,
    "content_block_delta": _block_delta,
    "content_block_stop": _block_stop,
    "message_delta": _message_delta,
    "message_stop": _message_stop,
    "ping": _ping,
    "error": _error,
}


def event_from_value(value: dict[str, Any], name: str, limits: Limits) -> Event:
    """The event of one JSON object, which it takes over; `name` is the event's name on the wire.

    Raises RemoteProtocolError (stage "events" or "blocks") where a known event lacks what it must have.
    """
    kind: Any = value.get("type")
    if type(kind) is str:
        decoder = _DECODERS.get(kind)
        if decoder is not None:
            return decoder(value, limits)
    if error_object(value, named=name == "error") is not None:  # it must not pass for an event to skip
        return _error(value, limits)
    decoder = None if type(kind) is str else _DECODERS.get(name)
    return UnknownEvent(value, name) if decoder is None else decoder(value, limits)


def decode(sse: ServerSentEvent, *, limits: Limits | None = None) -> Event | None:
    """The event of one server-sent event; None for what says nothing: `[DONE]`, empty data, a ping without JSON.

    An event named error is an ErrorEvent, whatever its data is. Raises RemoteProtocolError (LimitError among it) where
    the data is not a JSON object under another known event name or none, or where a known event lacks what it must
    have. Data that is no JSON under an unknown name is kept as
    UnknownEvent. Linear in the length of the data.
    """
    return decode_data(sse.event, sse.raw, limits if limits is not None else DEFAULT_LIMITS)


def decode_data(name: str, raw: bytes, limits: Limits) -> Event | None:
    """`decode` of an event's name and its data."""
    try:
        value = loads(raw, limits.depth)
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
        return UnknownEvent(raw.decode("utf-8", "replace"), name)
    if type(value) is dict:
        kind: Any = value.get("type")
        decoder = _DECODERS.get(kind) if type(kind) is str else None  # as there, and a call less for what is usual
        return event_from_value(value, name, limits) if decoder is None else decoder(value, limits)
    if error_object(value, named=name == "error") is not None:
        return _error_of(value)
    if name == "ping":
        return None
    if name in _DECODERS or name == "message":
        words = f"the event's data is {kind_of(value)}, not an object"
        raise RemoteProtocolError(words, stage="json", excerpt=raw.strip()[:80])
    return UnknownEvent(raw.decode("utf-8", "replace"), name)
