"""A tool loop as JSON: what is left out because it is secret, and the check of what is read
back. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sansio_claude._errors import LocalProtocolError
from sansio_claude._value import an
from sansio_claude.tools._calls import ToolCall
from sansio_claude.tools._turn import plain

__all__ = [
    "FORMAT",
    "call_as_dict",
    "call_fields",
    "checked",
    "without_secrets",
]

FORMAT: Final = 2
"""The number of the format that `ToolLoop.to_dict` writes."""

_CALL: Final = ("id", "name", "input", "turn", "toolset_name")
_STATES: Final = ("asking", "running", "finished")
_MAY_BE_NULL: Final = ("max_turns", "token_budget", "error", "message")
_NEVER_SAVED: Final = ("extra_headers", "extra_query")
_MAY_HOLD_SECRETS: Final = ("mcp_servers", "extra_body", "container", "metadata")
_SECRET: Final = ("authorization", "token", "api_key", "apikey", "api-key", "secret", "password", "credential")


def without_secrets(request: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a request without what may be secret: extra headers, extra query, tokens of MCP servers.

    In the arguments that hold objects of other services, every key that names a secret (authorization_token, api_key,
    password, ...) and every `headers` is left out, however deep it stands. Linear.
    """
    return {
        key: _cleaned(value) if key in _MAY_HOLD_SECRETS else value
        for key, value in request.items()
        if key not in _NEVER_SAVED
    }


def _cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _cleaned(item) for key, item in value.items() if not _names_a_secret(key)}
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    return value


def _names_a_secret(key: Any) -> bool:
    lower = str(key).lower()
    return lower == "headers" or (lower != "max_tokens" and any(word in lower for word in _SECRET))


def call_as_dict(call: ToolCall) -> dict[str, Any]:
    """A call without what runs it."""
    return {key: plain(getattr(call, key)) for key in _CALL}


def call_fields(saved: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments for the ToolCall of a `call_as_dict`."""
    return {key: plain(saved.get(key)) for key in _CALL}


def checked(given: Any) -> Mapping[str, Any]:
    """A saved loop, if that is what it is. Raises LocalProtocolError that names the first part that is not right.

    A part that may be null may also be left out, as some stores of JSON do with nulls.
    """
    if not isinstance(given, Mapping):
        raise LocalProtocolError(f"this is no saved loop: it is {an(type(given).__name__)}, not what to_dict() gave")
    value: Mapping[str, Any] = {**dict.fromkeys(_MAY_BE_NULL), **given}
    if value.get("format") != FORMAT:
        _refuse(f"it has format {value.get('format')!r:.20}, not {FORMAT}")
    for key in ("request", "usage", "results"):
        _want(key, isinstance(value.get(key), Mapping), "an object")
    for key in ("history", "calls", "begun", "said"):
        _want(key, isinstance(value.get(key), list), "a list")
    for key, least in (("first", 0), ("turn", 1), ("asked_again", 0), ("concurrency", 1)):
        _want(key, _is_count(value.get(key), least), f"a whole number of {least} or more")
    for key in ("max_turns", "token_budget"):
        _want(key, value.get(key) is None or _is_count(value[key], 0), "a whole number of 0 or more, or null")
    _want("state", value.get("state") in _STATES, f"one of {', '.join(_STATES)}")
    _want("reason", isinstance(value.get("reason"), str), "a string")
    _want("error", value.get("error") is None or isinstance(value["error"], str), "a string or null")
    _want("message", value.get("message") is None or isinstance(value["message"], Mapping), "an object or null")
    usage = value["usage"].values()
    _want("usage", all(_is_count(number, 0) for number in usage), "an object of whole numbers")
    _want("first", value["first"] <= len(value["history"]), "a place in the history")
    _check_turns(value)
    _check_calls(value)
    return value


def _check_turns(value: Mapping[str, Any]) -> None:
    for place, turn in enumerate(value["history"]):
        fits = isinstance(turn, Mapping) and turn.get("role") in ("user", "assistant", "system")
        _want(f"history[{place}]", fits and isinstance(turn.get("content"), str | list), "a message")
    for place, block in enumerate(value["said"]):
        _want(f"said[{place}]", isinstance(block, Mapping), "a content block")


def _check_calls(value: Mapping[str, Any]) -> None:
    known: set[str] = set()
    for place, call in enumerate(value["calls"]):
        fits = isinstance(call, Mapping) and all(isinstance(call.get(key), str) for key in ("id", "name"))
        fits = fits and _is_count(call.get("turn"), 1) and isinstance(call.get("toolset_name"), str | None)
        fits = fits and "input" in call and call["id"] not in known
        _want(f"calls[{place}]", fits, "a call with an id of its own, name, input, turn and toolset_name")
        known.add(call["id"])
    results = value["results"]
    for call_id, block in results.items():
        _want("results", call_id in known and isinstance(block, Mapping), "the results of its calls by their id")
    for call_id in value["begun"]:
        fits = isinstance(call_id, str) and call_id in known and call_id not in results
        _want("begun", fits, "ids of its calls that have no result")
    waits = len(known) > len(results)
    _want("state", (value["state"] == "running") == waits, "running exactly where a call has no result")


def _is_count(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _want(name: str, fits: bool, what: str) -> None:
    if not fits:
        _refuse(f"`{name}` is not {what}")


def _refuse(words: str) -> None:
    raise LocalProtocolError(f"this is no saved loop: {words}")
