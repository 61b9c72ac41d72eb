"""Rules of `check()` about everything at the top of a request that is neither model, message nor tool.

Sources: the Messages API's reference; the request types of the official Python SDK 2.14.0 for keys and values (a
value that is not among them may be a later one, therefore a warning); the request limit of 32 MB from
platform.claude.com/docs/en/api/overview.
"""

from __future__ import annotations

from typing import Any, Final

from sansio_claude._check.nearest import nearest, unknown_keys
from sansio_claude._check.problem import Problem, Problems, Subject, number, shown
from sansio_claude._check.schema import check_strict_schema
from sansio_claude._check.shapes import FOREIGN_KEYS, KEYS, TOP
from sansio_claude._media import MAX_REQUEST_BYTES

__all__ = ["check_options"]

_MIN_TRIGGER: Final = 50_000  # tokens
_OBJECTS: Final = (
    "metadata",
    "diagnostics",
    "output_config",
    "context_management",
    "compaction",
    "thread",
    "billing_policy",
    "cache_control",
    "container",
    "fallback_credit_token",
)
_OR_TEXT: Final = ("billing_policy", "container", "fallback_credit_token")
_VALUES: Final = {
    "service_tier": ("auto", "standard_only"),
    "speed": ("standard", "fast"),
    "output_config.effort": ("low", "medium", "high", "xhigh", "max"),
    "compaction.type": ("summarize",),
    "thread.type": ("create", "continue"),
    "fallback_credit_token.mode": ("strict", "best_effort"),
}


def check_options(subject: Subject) -> Problems:
    """Problems of the request's own keys, their types and values, and of its size."""
    body = subject.body
    yield from unknown_keys(body, TOP, "", "a request", foreign=FOREIGN_KEYS)
    for name in _OBJECTS:
        value = body.get(name)
        if isinstance(value, dict):
            if name in KEYS and name != "cache_control":
                yield from unknown_keys(value, KEYS[name], name, name)
        elif value is not None and not (name in _OR_TEXT and isinstance(value, str)):
            yield Problem("error", name, f"{name} has to be {'a text or ' if name in _OR_TEXT else ''}an object")
    yield from _values(body)
    yield from _stop_sequences(body)
    yield from _system(body)
    yield from _fallbacks(body)
    yield from _context(body)
    output = body.get("output_config")
    if isinstance(output, dict):
        yield from _format(output.get("format"))
    if subject.size > MAX_REQUEST_BYTES:
        words = f"the request has {subject.size:,} bytes; the API takes 32 MB"
        yield Problem("error", "", words, "send large files by file id or address")


def _values(body: Any) -> Problems:
    if body.get("stream") is not None and not isinstance(body["stream"], bool):
        yield Problem("error", "stream", "stream has to be true or false")
    for path, known in _VALUES.items():
        name, _, inner = path.partition(".")
        value = body.get(name)
        if inner:
            value = value.get(inner) if isinstance(value, dict) else None
        if value is None:
            continue
        if not isinstance(value, str):
            yield Problem("error", path, f"{path} has to be text: {', '.join(known)}")
        elif value not in known:
            meant = nearest(value, frozenset(known))
            hint = f"did you mean {meant}?" if meant else ", ".join(known)
            yield Problem("warning", path, f"{shown(value)} is no known value of {path}", hint)
    thread = body.get("thread")
    if isinstance(thread, dict) and thread.get("type") == "continue" and not thread.get("previous_message_id"):
        yield Problem("error", "thread.previous_message_id", "a thread can be continued behind a message only")


def _stop_sequences(body: Any) -> Problems:
    given = body.get("stop_sequences")
    if given is not None and not isinstance(given, list):
        yield Problem("error", "stop_sequences", "stop_sequences has to be a list of texts", "put the text into a list")
    for index, text in enumerate(given if isinstance(given, list) else ()):
        if not isinstance(text, str) or not text.strip():
            words = "a stop sequence has to have a character that is no space"
            yield Problem("error", f"stop_sequences[{index}]", words)


def _system(body: Any) -> Problems:
    system = body.get("system")
    if system is not None and not isinstance(system, str | list):
        yield Problem("error", "system", "system has to be a text or a list of text blocks")
    for index, block in enumerate(system if isinstance(system, list) else ()):
        path = f"system[{index}]"
        if not isinstance(block, dict) or block.get("type") != "text":
            words = "the system prompt has to be made of text blocks"
            yield Problem("error", path, words, 'write {"type": "text", "text": ...}')
        elif not isinstance(block.get("text"), str):
            yield Problem("error", f"{path}.text", "text has to be a text")
        elif not block["text"].strip():
            yield Problem("error", f"{path}.text", "the text is empty", "leave the block out")


def _fallbacks(body: Any) -> Problems:
    given = body.get("fallbacks")
    if given is not None and given != "default" and not isinstance(given, list):
        yield Problem("error", "fallbacks", 'fallbacks has to be a list of objects with a model, or "default"')
    for index, fallback in enumerate(given if isinstance(given, list) else ()):
        if not isinstance(fallback, dict) or not isinstance(fallback.get("model"), str):
            yield Problem("error", f"fallbacks[{index}]", "a fallback has to be an object with a model")
    token = body.get("fallback_credit_token")
    if token is not None and given is not None:
        # The reasons that the API gives for a credit that was not applied name the two together.
        words = "fallback_credit_token is redeemed by a request without fallbacks"
        yield Problem("warning", "fallback_credit_token", words, "give one of them")
    if token is not None and not isinstance(token, str | dict):
        yield Problem("error", "fallback_credit_token", "the token has to be a text, or an object with token and mode")


def _context(body: Any) -> Problems:
    if body.get("context_management") is not None and body.get("compaction") is not None:
        yield Problem("error", "compaction", "compaction and context_management exclude each other", "give one of them")
    managed = body.get("context_management")
    edits = managed.get("edits") if isinstance(managed, dict) else None
    for index, edit in enumerate(edits if isinstance(edits, list) else ()):
        trigger = edit.get("trigger") if isinstance(edit, dict) and edit.get("type") == "compact_20260112" else None
        value = number(trigger.get("value")) if isinstance(trigger, dict) else None
        if value is not None and value < _MIN_TRIGGER:
            path = f"context_management.edits[{index}].trigger.value"
            yield Problem("error", path, f"compaction is triggered at {value} tokens; the least is {_MIN_TRIGGER:,}")


def _format(given: Any) -> Problems:
    if given is None:
        return
    path = "output_config.format"
    if not isinstance(given, dict) or given.get("type") != "json_schema":
        yield Problem("error", path, 'format has to be {"type": "json_schema", "schema": ...}')
    elif not isinstance(given.get("schema"), dict):
        hint = "the schema stands in schema itself" if "json_schema" in given else ""
        yield Problem("error", f"{path}.schema", "schema has to be a JSON schema object", hint)
    else:
        yield from check_strict_schema(given["schema"], f"{path}.schema")
