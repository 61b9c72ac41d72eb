"""encode_event: one of the flat events as the bytes of a server-sent event, which decode to an equal event.

An event keeps which of its unknown keys stood around its delta and which stood in it only where both had one of the
same name. The rules by which they are written make decoding the result give the same event again:

- An unknown key goes into the delta, unless the delta's class has a key of that name: then it stood around it.
- Where `extra` has a dict under "delta" with a name that `extra` has too, that dict is the delta's own unknown keys.
"""

from __future__ import annotations

from typing import Any

from sansio_claude._errors import LocalProtocolError
from sansio_claude._json import dumps, dumps_plain
from sansio_claude._stream.events import (
    CitationsDelta,
    CompactionDelta,
    ContentBlockStart,
    ContentBlockStop,
    ErrorEvent,
    Event,
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
from sansio_claude._stream.sse import ServerSentEvent, encode_sse
from sansio_claude._value import Value, an

__all__ = ["encode_event", "event_object", "json_of_event", "name_of"]


def encode_event(event: Event) -> bytes:
    """The event as it stands on the wire: event line, one data line of JSON, blank line.

    `decode` of what SSEDecoder makes of it is equal to `event`, for every event that `decode` gives. For servers,
    gateways and fakes. Raises LocalProtocolError for an event that JSON or the format cannot carry (NaN, a line end
    in the name of an UnknownEvent). Linear in the size of the event.
    """
    given: Any = event
    if not isinstance(given, Value):
        raise _no_event(given)
    name = event.name if isinstance(event, UnknownEvent) else event.type
    if isinstance(event, UnknownEvent) and not isinstance(event.raw, dict):
        if not isinstance(event.raw, str):
            raise LocalProtocolError("the raw value of an UnknownEvent is a dict or a str", path="raw")
        return encode_sse(ServerSentEvent(name, event.raw.encode("utf-8", "replace")))
    return encode_sse(ServerSentEvent(name, json_of_event(event_object(event))))


def name_of(value: dict[str, Any]) -> str:
    """The name that the event of a JSON object goes out with: its type, as far as that can be a name."""
    kind = value.get("type")
    return kind if isinstance(kind, str) and kind and "\n" not in kind and "\r" not in kind else "message"


def json_of_event(value: dict[str, Any]) -> bytes:
    """The JSON text of an event's object, infinities and halves of surrogate pairs written as JSON can say them."""
    data = dumps_plain(value)
    # Only what is not wrapped is refused if it holds an infinity or half a surrogate pair.
    return dumps(_Exactly(value), convert=_unwrapped) if data is None else data


class _Exactly:
    """A value whose infinities and lone surrogates are written as JSON can say them."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def _unwrapped(value: Any) -> Any:
    return value.value if isinstance(value, _Exactly) else value


def event_object(event: Event) -> dict[str, Any]:
    """The JSON object of an event. It shares nested values with the event: look, do not change."""
    extra = event.extra or {}
    match event:
        case TextDelta():
            return _delta(event, text=event.text)
        case ThinkingDelta():
            return _delta(event, thinking=event.thinking)
        case InputJSONDelta():
            return _delta(event, partial_json=event.partial_json)
        case SignatureDelta():
            return _delta(event, signature=event.signature)
        case CitationsDelta():
            return _delta(event, citation=event.citation)
        case CompactionDelta():
            encrypted = {} if event.encrypted_content is None else {"encrypted_content": event.encrypted_content}
            return _delta(event, content=event.content, **encrypted)
        case UnknownDelta():
            return {"type": event.type, **_index(event.index), "delta": event.raw, **extra}
        case MessageStart():
            return {"type": event.type, "message": event.message.to_dict(), **extra}
        case ContentBlockStart():
            block = event.content_block.to_dict()
            return {"type": event.type, **_index(event.index), "content_block": block, **extra}
        case ContentBlockStop():
            return {"type": event.type, **_index(event.index), **extra}
        case MessageDelta():
            changes = {} if event.delta is None else {"delta": event.delta}
            counts = {} if event.usage is None else {"usage": event.usage}
            return {"type": event.type, **changes, **counts, **extra}
        case MessageStop() | Ping():
            return {"type": event.type, **extra}
        case ErrorEvent():
            return _error(event.error, extra)
        case UnknownEvent():
            return event.raw if isinstance(event.raw, dict) else {"type": event.type, "data": event.raw}
        case never:
            raise _no_event(never)


def _no_event(value: Any) -> LocalProtocolError:
    return LocalProtocolError(f"encode_event() takes an event, not {an(type(value).__name__)}")


def _index(index: int) -> dict[str, int]:
    """The key of a block's index; it came without one where it is negative."""
    return {"index": index} if index >= 0 else {}


def _delta(
    event: TextDelta | ThinkingDelta | InputJSONDelta | SignatureDelta | CitationsDelta | CompactionDelta, **known: Any
) -> dict[str, Any]:
    extra = event.extra or {}
    inner = extra.get("delta")
    outer = {key: value for key, value in extra.items() if key != "delta"}
    if not isinstance(inner, dict) or not (outer.keys() & inner.keys()):
        own = {"content", "encrypted_content"} if isinstance(event, CompactionDelta) else known.keys()
        inner = {key: value for key, value in extra.items() if key not in own}
        outer = {key: value for key, value in extra.items() if key in own}
    delta = {"type": event.delta_type, **known, **inner}
    return {"type": event.type, **_index(event.index), "delta": delta, **outer}


def _error(error: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    if "error" not in extra:
        return {"type": "error", "error": error, **extra}
    return {**extra, **error} if error else {"type": "error", **extra}
