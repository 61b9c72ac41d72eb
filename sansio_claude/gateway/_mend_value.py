"""The value of an event: its JSON, with the type and the shape that the API gives it."""

from __future__ import annotations

from typing import Any, Final

from sansio_claude._errors import LimitError, RemoteProtocolError
from sansio_claude._errors.error_object import OTHER_TYPES, error_object, read_error
from sansio_claude._json import loads, loads_with_halves
from sansio_claude._limits import Limits
from sansio_claude._message.halves import mend_error, mend_event
from sansio_claude._stream.decode import decode_data
from sansio_claude._stream.events import UnknownEvent
from sansio_claude._value import an
from sansio_claude.gateway._dial import Dial, Item

__all__ = ["read_item"]

_TYPES: Final = (OTHER_TYPES - {"message"}) | {"error"}


def read_item(dial: Dial, name: str, data: bytes, frame: bytes, limits: Limits) -> Item | None:
    """The event of a name and its data; None where there is nothing to pass on.

    Its `frame` is what came; whether it must be written anew the dial remembers. Raises RemoteProtocolError where the
    data is no event.
    """
    if name in OTHER_TYPES:
        try:
            value: Any = loads(data, limits.depth)
        except RemoteProtocolError:
            value = None  # looked at below
        if type(value) is dict and value.get("type") == name:
            return Item(value, frame)  # there is nothing to mend
    stripped = data.strip()
    if stripped == b"[DONE]" or (not stripped and name not in ("ping", "error")):
        words = f"an event named {name!r:.40} carries nothing that could be read"
        return None if dial.ask("skipped", words) else Item(None, frame)
    try:
        value, has_halves = loads_with_halves(data, limits.depth)
    except LimitError:
        raise
    except RemoteProtocolError:
        if name not in ("error", "ping") and (name in _TYPES or name == "message"):
            raise
        value, has_halves = stripped.decode("utf-8", "replace"), False
    if not isinstance(value, dict):
        return _no_object(dial, name, data, value, frame, limits)
    if has_halves and mend_event(value, name):
        dial.mend("half_character", "half of a surrogate pair stands alone")
    if error_object(value, named=name == "error") is not None:
        return Item(_error(dial, name, value), frame)
    return Item(_typed(dial, name, value), frame, name=name)


def _no_object(dial: Dial, name: str, data: bytes, value: Any, frame: bytes, limits: Limits) -> Item | None:
    if error_object(value, named=name == "error") is not None:
        value, mended = mend_error(value)
        if mended:
            dial.mend("half_character", "half of a surrogate pair stands alone")
        return Item(_error(dial, name, value), frame)
    if name == "ping":
        dial.mend("skipped", "the data of a ping is no JSON object")
        return Item({"type": "ping"}, frame)
    event = decode_data(name, data, limits, [])  # refuses what has no meaning
    return Item({"type": name}, frame, event) if isinstance(event, UnknownEvent) else None


def _typed(dial: Dial, name: str, value: dict[str, Any]) -> dict[str, Any]:
    kind = value.get("type")
    if not isinstance(kind, str):
        if name not in _TYPES:
            return value
        dial.mend("event_type", f"the JSON of {an(name)} has no type")
        return {**value, "type": name}  # what it is taken for in any case, whatever bytes go out
    _check_name(dial, name, kind)
    return value


def _check_name(dial: Dial, name: str, kind: str) -> None:
    if kind != name and kind in _TYPES:
        words = f"{an(kind)} came " + ("without a name" if name == "message" else f"under the name {name!r:.40}")
        dial.mend("event_name", words)


def _error(dial: Dial, name: str, value: Any) -> dict[str, Any]:
    """An error in the API's shape: its own keys, its words under `message`, its type or api_error."""
    _check_name(dial, name, "error")
    inner = value.get("error") if isinstance(value, dict) else None
    if isinstance(inner, dict) and value.get("type") == "error":
        if isinstance(inner.get("type"), str) and isinstance(inner.get("message"), str):
            return value  # type: ignore[no-any-return]  # JSON of any kind
    if not dial.mend("error_shape", "an error came in another shape than the API's"):
        return {**value, "type": "error"} if isinstance(value, dict) else {"type": "error", "error": value}
    said = read_error(value)
    while isinstance(value, list) and value:
        value = value[0]
    outer = value if isinstance(value, dict) else {}
    inner = outer.get("error")
    beside = {key: item for key, item in outer.items() if key not in ("type", "error", "object", "request_id")}
    if not isinstance(inner, dict):
        # The words and codes stand beside the envelope's own keys.
        inner, beside = beside, {}
    mended: dict[str, Any] = {"type": "error", **beside}
    mended["error"] = {**inner, "type": said.type or "api_error", "message": said.words}
    if said.request_id is not None:
        mended["request_id"] = said.request_id
    return mended
