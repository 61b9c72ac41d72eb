"""What a JSON value says when it says no: whether it is an error object, its type, its words, its code.

`error_object` is the one place that decides it, for events of a stream, whole answers under any status, and the
command line. Servers and gateways send errors in many shapes:

    {"type": "error", "error": {"type": ..., "message": ..., "details": ...}, "request_id": ...}    the API
    {"error": {"message": ..., "code": ..., "metadata": ...}}       OpenAI and those who follow it
    {"error": "words"}, {"error": true, "message": ...}, {"msg": ...}, {"detail": [{"msg": ...}]}   others
    [{"error": {...}}]                                              Vertex
    {"object": "error", "message": ..., "type": ..., "code": ...}   servers of open models

Rules:

- The JSON's own type decides where it is a known one; else an event named `error` is an error, whatever its data is.
  There `"type": "message"` makes a whole answer only of what has the `content` of one.
- An `error` key counts only where `type` is absent, null, empty or "error", and its value is an object or text that
  is not empty; a value of another kind counts where a message stands beside it, and that message is the words.
- The words are never lost: where they stand under no known name, the JSON text itself is the words.
- Nothing here raises, whatever the value is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

__all__ = ["API_ERROR_TYPES", "OTHER_TYPES", "ErrorObject", "error_object", "read_error"]

API_ERROR_TYPES: Final = frozenset(
    {
        *("invalid_request_error", "authentication_error", "billing_error", "permission_error", "not_found_error"),
        *("conflict_error", "request_too_large", "rate_limit_error", "overloaded_error", "api_error", "timeout_error"),
    }
)
"""The error types of the API (its page on errors)."""

OTHER_TYPES: Final = frozenset(
    {
        *("message", "message_start", "message_delta", "message_stop", "ping"),
        *("content_block_start", "content_block_delta", "content_block_stop"),
    }
)
"""The types of whole answers and of events that are no errors, whatever else stands in them."""

_DEEPEST: Final = 8  # envelopes around envelopes
_MOST_ITEMS: Final = 100  # of a list of words
_TEXT_KEYS: Final = (
    *("message", "Message", "msg", "detail", "errors", "error_description", "error_message", "errorMessage"),
    *("error_msg", "reason", "description", "error", "title"),
)
# What is no words: it has an attribute of its own, or says nothing to a person.
_NO_WORDS: Final = frozenset({"type", "object", "request_id", "code", "status", "status_code", "error_code", "param"})


class ErrorObject(NamedTuple):
    """What an error says. `words` is "" where it has none; `code` is the finer word beside the type."""

    type: str | None = None
    words: str = ""
    code: str | None = None
    details: Any = None
    request_id: str | None = None

    def mended(self) -> ErrorObject:
        """The same with U+FFFD for each half of a surrogate pair in its texts, which could not be printed."""
        texts = (self.type, self.words, self.code, self.request_id)
        if all(text is None or text.isascii() for text in texts):
            return self
        kind, words, code, request_id = (
            None if text is None else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            for text in texts
        )
        return ErrorObject(kind, words or "", code, self.details, request_id)


def error_object(value: Any, *, named: bool = False) -> ErrorObject | None:
    """What the error says that `value` is; None where it is no error.

    `named` says that `value` was the data of an event with the name `error`. For text that is no JSON give the text.
    """
    return read_error(value) if _is_error(value, named, 0) else None


def _is_error(value: Any, named: bool, depth: int) -> bool:
    if isinstance(value, list):
        return named or (len(value) > 0 and depth < _DEEPEST and _is_error(value[0], False, depth + 1))
    if not isinstance(value, dict):
        return named
    kind: Any = value.get("type")
    if kind == "error" or (isinstance(kind, str) and kind in API_ERROR_TYPES):
        return True
    if isinstance(kind, str) and kind in OTHER_TYPES and not (named and _is_hollow(value)):
        return False
    if named or value.get("object") == "error":
        return True
    if kind is not None and kind != "":
        return False
    error: Any = value.get("error")
    if isinstance(error, dict):
        return True
    if isinstance(error, str):
        return bool(error.strip())
    return bool(error) and bool(_text_under(value, ("message", "Message", "msg"), _DEEPEST))


def _is_hollow(value: dict[str, Any]) -> bool:
    """Whether it says that it is a whole answer, and is none."""
    return value["type"] == "message" and not isinstance(value.get("content"), list)


def read_error(value: Any) -> ErrorObject:
    """What `value` says, taken for an error whatever it is: the body of a refusal, or the data of an error event."""
    for _ in range(_DEEPEST):
        if not isinstance(value, list) or not value or not isinstance(value[0], dict | list):
            break
        value = value[0]
    if not isinstance(value, dict):
        return ErrorObject(words=_text_of(value, 0) or _as_json(value))
    chain = [value]  # the envelope, and the objects under `error` in it
    while isinstance(chain[-1].get("error"), dict) and len(chain) < _DEEPEST:
        chain.append(chain[-1]["error"])
    inside = [*chain[1:], value]
    return ErrorObject(
        _first(_type_of(each) for each in inside),
        _words_of(value, chain[1:]),
        _first(_code_of(each) for each in inside),
        _first([*(each.get("details") for each in inside), *(each.get("metadata") for each in inside)]),
        _first(_string(each.get("request_id")) for each in (value, *chain[1:])),
    )


def _first(found: Any) -> Any:
    return next((each for each in found if each is not None), None)


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _type_of(error: Mapping[str, Any]) -> str | None:
    kind = _string(error.get("type"))
    return None if kind == "error" or kind in OTHER_TYPES else kind


def _code_of(error: Mapping[str, Any]) -> str | None:
    details: Any = error.get("details")
    finer: Any = details.get("error_code") if isinstance(details, dict) else None
    for code in (error.get("code"), finer, error.get("error_code")):
        if isinstance(code, str) and code:
            return code
        if isinstance(code, int | float) and not isinstance(code, bool):
            return _as_json(code) or None
    return None


def _words_of(value: dict[str, Any], inner: list[Any]) -> str:
    for error in inner:
        if text := _text_under(error, _TEXT_KEYS, 0):
            return text
    said = _string(value.get("error")) or ""
    beside = _text_under(value, tuple(key for key in _TEXT_KEYS if key != "error"), 0)
    if said.strip() and beside and beside not in said:
        return f"{said}: {beside}"
    text = said if said.strip() else beside or _text_under(value, ("error",), 0)
    return text or (_as_json(inner[-1] if inner else value) if _says_more(value, 0) else "")


def _text_under(error: Mapping[str, Any], keys: tuple[str, ...], depth: int) -> str:
    """The first text that is not empty under one of these keys."""
    for key in keys:
        if text := _text_of(error.get(key), depth + 1):
            return text
    return ""


def _text_of(value: Any, depth: int) -> str:
    if isinstance(value, str):
        return value if value.strip() else ""
    if depth >= _DEEPEST:
        return ""
    if isinstance(value, list):
        return "; ".join(text for each in value[:_MOST_ITEMS] if (text := _text_of(each, depth + 1)))
    if isinstance(value, dict):
        return _text_under(value, _TEXT_KEYS, depth)
    return ""


def _says_more(value: Any, depth: int) -> bool:
    """Whether any text stands in the value beside what has an attribute of its own."""
    if isinstance(value, str):
        return bool(value.strip())
    if depth >= _DEEPEST:
        return True
    if isinstance(value, list):
        return any(_says_more(each, depth + 1) for each in value)
    if isinstance(value, dict):
        return any(_says_more(each, depth + 1) for key, each in value.items() if key not in _NO_WORDS)
    return False


def _as_json(value: Any) -> str:
    """The value as JSON text; "" for null, false, what is empty, and what cannot be written."""
    if not value and (value is None or isinstance(value, bool | str | list | dict)):
        return ""
    try:
        import json

        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, TypeError, RecursionError):
        return ""
