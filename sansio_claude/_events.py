"""The events of a Claude stream, flat, and `decode`: one server-sent event to one of them.

Every class is built positionally and has `type`, the wire's event type ("content_block_delta" for every delta),
deltas also `delta_type`; the last field is `extra`, a dict of the keys the class does not know, or None.
Whatever is not known at all is kept whole: UnknownEvent, UnknownDelta.

The JSON's own `type` decides what an event is; the event's name on the wire counts only where the JSON has none.
Source: the Messages API's streaming reference, stable and beta.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeAlias

from attrs import define

from sansio_claude._block import kind_of
from sansio_claude._blocks import ContentBlock, block_from_dict
from sansio_claude._errors import LimitError, RemoteProtocolError
from sansio_claude._json import loads
from sansio_claude._limits import DEFAULT_LIMITS, Limits
from sansio_claude._message import Message

if TYPE_CHECKING:
    from sansio_claude._sse import ServerSentEvent

__all__ = [
    "CitationsDelta",
    "CompactionDelta",
    "ContentBlockDelta",
    "ContentBlockStart",
    "ContentBlockStop",
    "ErrorEvent",
    "Event",
    "InputJSONDelta",
    "MessageDelta",
    "MessageStart",
    "MessageStop",
    "Ping",
    "SignatureDelta",
    "TextDelta",
    "ThinkingDelta",
    "UnknownDelta",
    "UnknownEvent",
    "decode",
    "event_from_value",
    "input_json_deltas",
    "new_event",
    "text_deltas",
    "thinking_deltas",
]

Extra: TypeAlias = dict[str, Any] | None


class _Flat:
    """Equality and repr over the slots. attrs would generate both for each class, at half a millisecond of import."""

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__match_args__)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = [(name, getattr(self, name)) for name in self.__match_args__]
        inside = ", ".join(f"{name}={value!r}" for name, value in shown if name != "extra" or value is not None)
        return f"{type(self).__name__}({inside})"


@define(eq=False, repr=False)
class MessageStart(_Flat):
    """The answer begins. `message` is as sent: it does not grow with the stream."""

    type: ClassVar[Literal["message_start"]] = "message_start"
    message: Message
    extra: Extra = None


@define(eq=False, repr=False)
class ContentBlockStart(_Flat):
    """A block begins. `content_block` is as sent: it does not grow with the stream."""

    type: ClassVar[Literal["content_block_start"]] = "content_block_start"
    index: int
    content_block: ContentBlock
    extra: Extra = None


@define(eq=False, repr=False)
class TextDelta(_Flat):
    """More text of a text block."""

    type: ClassVar[Literal["content_block_delta"]] = "content_block_delta"
    delta_type: ClassVar[Literal["text_delta"]] = "text_delta"
    index: int
    text: str
    extra: Extra = None


@define(eq=False, repr=False)
class InputJSONDelta(_Flat):
    """More JSON text of a tool's input; may be empty.

    A delta without `partial_json` counts as empty, with that key in `extra` as None.
    """

    type: ClassVar[Literal["content_block_delta"]] = "content_block_delta"
    delta_type: ClassVar[Literal["input_json_delta"]] = "input_json_delta"
    index: int
    partial_json: str
    extra: Extra = None


@define(eq=False, repr=False)
class ThinkingDelta(_Flat):
    """More thinking."""

    type: ClassVar[Literal["content_block_delta"]] = "content_block_delta"
    delta_type: ClassVar[Literal["thinking_delta"]] = "thinking_delta"
    index: int
    thinking: str
    extra: Extra = None


@define(eq=False, repr=False)
class SignatureDelta(_Flat):
    """The signature of a thinking block, whole."""

    type: ClassVar[Literal["content_block_delta"]] = "content_block_delta"
    delta_type: ClassVar[Literal["signature_delta"]] = "signature_delta"
    index: int
    signature: str
    extra: Extra = None


@define(eq=False, repr=False)
class CitationsDelta(_Flat):
    """One more citation of a text block, as a JSON object."""

    type: ClassVar[Literal["content_block_delta"]] = "content_block_delta"
    delta_type: ClassVar[Literal["citations_delta"]] = "citations_delta"
    index: int
    citation: dict[str, Any]
    extra: Extra = None


@define(eq=False, repr=False)
class CompactionDelta(_Flat):
    """The whole summary of a compaction block (beta); `content` None: the compaction failed.

    An `encrypted_content` that the wire sent as null is also in `extra`, to tell it from an absent one.
    """

    type: ClassVar[Literal["content_block_delta"]] = "content_block_delta"
    delta_type: ClassVar[Literal["compaction_delta"]] = "compaction_delta"
    index: int
    content: Any
    encrypted_content: str | None = None
    extra: Extra = None


@define(eq=False, repr=False)
class UnknownDelta(_Flat):
    """A delta of a type this version does not know; `raw` is its JSON object."""

    type: ClassVar[Literal["content_block_delta"]] = "content_block_delta"
    index: int
    raw: dict[str, Any]
    extra: Extra = None

    @property
    def delta_type(self) -> str:
        """The delta's type on the wire; empty where it had none."""
        kind: Any = self.raw.get("type")
        return kind if isinstance(kind, str) else ""


@define(eq=False, repr=False)
class ContentBlockStop(_Flat):
    """A block has ended. MessageStream puts the finished block in; plain `decode` leaves None."""

    type: ClassVar[Literal["content_block_stop"]] = "content_block_stop"
    index: int
    content_block: ContentBlock | None = None
    extra: Extra = None


@define(eq=False, repr=False)
class MessageDelta(_Flat):
    """Changes at the top of the message: `delta` with stop_reason and the like, `usage` cumulative; as sent.

    Either is None where the wire had none, null, or (usage) no object.
    """

    type: ClassVar[Literal["message_delta"]] = "message_delta"
    delta: dict[str, Any] | None
    usage: dict[str, Any] | None
    extra: Extra = None


@define(eq=False, repr=False)
class MessageStop(_Flat):
    """The answer is whole. MessageStream puts the finished message in; plain `decode` leaves None."""

    type: ClassVar[Literal["message_stop"]] = "message_stop"
    message: Message | None = None
    extra: Extra = None


@define(eq=False, repr=False)
class Ping(_Flat):
    """A sign of life."""

    type: ClassVar[Literal["ping"]] = "ping"
    extra: Extra = None


@define(eq=False, repr=False)
class ErrorEvent(_Flat):
    """The server gives up in the middle of the stream; `error` has `type` and `message`.

    Where the server sent words instead of an object, `error` is `{"message": words}`.
    """

    type: ClassVar[Literal["error"]] = "error"
    error: dict[str, Any]
    extra: Extra = None


@define(eq=False, repr=False)
class UnknownEvent(_Flat):
    """An event of a type this version does not know.

    `raw` is its JSON object, or its data as a str where that is no JSON object; `name` its event name on the wire.
    """

    raw: Any
    name: str = "message"
    extra: Extra = None

    @property
    def type(self) -> str:
        """The JSON's own type where it has one, else the event's name."""
        kind: Any = self.raw.get("type") if isinstance(self.raw, dict) else None
        return kind if isinstance(kind, str) else self.name


ContentBlockDelta: TypeAlias = (
    TextDelta | InputJSONDelta | ThinkingDelta | SignatureDelta | CitationsDelta | CompactionDelta | UnknownDelta
)
"""Every kind of delta."""

Event: TypeAlias = (
    MessageStart
    | ContentBlockStart
    | ContentBlockDelta
    | ContentBlockStop
    | MessageDelta
    | MessageStop
    | Ping
    | ErrorEvent
    | UnknownEvent
)
"""Every kind of event; what is not known is an UnknownEvent."""


# The deltas that nearly all of a stream is are made without a Python-level __init__, which takes half as long again.
new_event: Final = object.__new__


def text_deltas(index: int, texts: list[str]) -> list[Event]:
    """TextDelta(index, text) for each of `texts`."""
    events: list[Event] = []
    for text in texts:
        event: TextDelta = new_event(TextDelta)
        event.index = index
        event.text = text
        event.extra = None
        events.append(event)
    return events


def input_json_deltas(index: int, texts: list[str]) -> list[Event]:
    """InputJSONDelta(index, text) for each of `texts`."""
    events: list[Event] = []
    for text in texts:
        event: InputJSONDelta = new_event(InputJSONDelta)
        event.index = index
        event.partial_json = text
        event.extra = None
        events.append(event)
    return events


def thinking_deltas(index: int, texts: list[str]) -> list[Event]:
    """ThinkingDelta(index, text) for each of `texts`."""
    events: list[Event] = []
    for text in texts:
        event: ThinkingDelta = new_event(ThinkingDelta)
        event.index = index
        event.thinking = text
        event.extra = None
        events.append(event)
    return events


def _bad(words: str) -> RemoteProtocolError:
    return RemoteProtocolError(words, stop="events")


def _index(value: dict[str, Any], event: str, limits: Limits) -> int:
    index: Any = value.get("index")
    if type(index) is int and 0 <= index < limits.blocks:  # bool is an int
        return index
    if type(index) is not int:
        found = kind_of(index) if "index" in value else "missing"
        raise _bad(f"the index of a {event} is {found}, not an integer")
    if index < 0:
        raise _bad(f"the index of a {event} is negative")
    raise LimitError(
        f"a block index passes Limits.blocks = {limits.blocks}", limit="blocks", value=limits.blocks, stop="events"
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
    index = _index(value, "content_block_start", limits)
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
    index = _index(value, "content_block_delta", limits)
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
    return ContentBlockStop(_index(value, "content_block_stop", limits), None, _rest(value, _STOP))


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
    if "error" not in value and "message" in value:  # the error object itself, without its envelope
        inner = {key: item for key, item in value.items() if key != "request_id" and (key, item) != ("type", "error")}
        return ErrorEvent(inner, {"request_id": value["request_id"]} if "request_id" in value else None)
    return ErrorEvent({}, _rest(value, _TYPE))


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

    Raises RemoteProtocolError (stop "events" or "blocks") where a known event lacks what it must have.
    """
    kind: Any = value.get("type")
    if type(kind) is str:
        decoder = _DECODERS.get(kind)
        if decoder is not None:
            return decoder(value, limits)
    if name == "error" or ("type" not in value and isinstance(value.get("error"), (dict, str))):
        # By its name, or a gateway's bare error object: an error must not pass for an event to skip.
        return _error(value, limits)
    decoder = None if type(kind) is str else _DECODERS.get(name)
    return UnknownEvent(value, name) if decoder is None else decoder(value, limits)


def decode(sse: ServerSentEvent, *, limits: Limits | None = None) -> Event | None:
    """The event of one server-sent event; None for what says nothing: `[DONE]`, empty data, a ping without JSON.

    Raises RemoteProtocolError (LimitError among it) where the data is not a JSON object under a known event name or
    none, or where a known event lacks what it must have. Data that is no JSON under an unknown name is kept as
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
        if name in _DECODERS or name == "message":
            raise
        return UnknownEvent(raw.decode("utf-8", "replace"), name)
    if type(value) is dict:
        kind: Any = value.get("type")
        decoder = _DECODERS.get(kind) if type(kind) is str else None
        return event_from_value(value, name, limits) if decoder is None else decoder(value, limits)
    if name == "ping":
        return None
    if name in _DECODERS or name == "message":
        words = f"the event's data is {kind_of(value)}, not an object"
        raise RemoteProtocolError(words, stop="json", excerpt=raw.strip()[:80])
    return UnknownEvent(raw.decode("utf-8", "replace"), name)
