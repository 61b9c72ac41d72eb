"""Rules of `check()` about messages: roles, content, the keys of blocks, thinking that goes back, prefill.

Sources: the Messages API's reference; the request types of the official Python SDK 2.14.0 for keys and required
fields; the release notes of version 2026-10-21; the migration guides for prefill. Two rules rest on reports of the
API's answers and are warnings: ids of calls that do not match a pattern, and a turn that ends in thinking.
"""

from __future__ import annotations

import re
from typing import Any, Final

from sansio_claude._check.blocks import blocks_of, type_of
from sansio_claude._check.nearest import nearest, unknown_keys
from sansio_claude._check.problem import Problem, Problems, Subject, shown
from sansio_claude._check.shapes import (
    BLOCKS,
    FOREIGN_BLOCKS,
    FOREIGN_MESSAGE_KEYS,
    MESSAGE_KEYS,
    RESULTS,
    SYSTEM_MESSAGE_KEYS,
)
from sansio_claude._value import an

__all__ = ["CALL_ID", "check_messages", "text_is_empty"]

CALL_ID: Final = re.compile(r"[a-zA-Z0-9_-]+")
"""What the id of a call has to match as a whole."""

_MAX_MESSAGES: Final = 100_000
_ROLES: Final = ("user", "assistant", "system")
_FOREIGN_ROLES: Final = {
    "tool": "results are tool_result blocks in a user's turn",
    "function": "results are tool_result blocks in a user's turn",
    "developer": "instructions are the system prompt: system=",
    "model": "the role of the model's turns is assistant",
    "human": "the role is user",
    "ai": "the role is assistant",
    "bot": "the role is assistant",
}
# A last assistant turn with one of these goes on where the server stopped; it is no prefill.
_PAUSED: Final = ("server_tool_use", "mcp_tool_use", "compaction")
_INCOMPLETE: Final = "$incomplete_json"
_TOOL_INPUTS: Final = ("tool_use", "server_tool_use", "mcp_tool_use")
_ONLY_FROM: Final = {
    "assistant": {
        "tool_use": "a tool_use block stands in an assistant's turn",
        "server_tool_use": "a server_tool_use block stands in an assistant's turn",
        "thinking": "a thinking block stands in an assistant's turn",
        "redacted_thinking": "a redacted_thinking block stands in an assistant's turn",
    },
    "user": {"tool_result": "a tool_result block stands in a user's turn"},
}


def text_is_empty(value: Any) -> bool:
    """Whether the text of a block or turn has nothing but white space, which the API refuses."""
    return not isinstance(value, str) or not value.strip()


def check_messages(subject: Subject) -> Problems:
    """Problems of the messages and what is in them."""
    messages = subject.body.get("messages")
    if not isinstance(messages, list):
        words = "has to be a list" if "messages" in subject.body else "is missing"
        yield Problem("error", "messages", f"messages {words}")
        return
    if not messages:
        yield Problem("error", "messages", "messages is empty", "the conversation has to have a user's turn")
        return
    if len(messages) > _MAX_MESSAGES:
        yield Problem("error", "messages", f"there are {len(messages):,} messages; the API takes {_MAX_MESSAGES:,}")
    for index, message in enumerate(messages):
        yield from _message(message, f"messages[{index}]", last=index == len(messages) - 1)
    for path, role, block in blocks_of(subject):
        yield from _block(path, role, block)
        if subject.version >= "2026-10-21":
            yield from _new_version(role, block, path)
    yield from _prefill(subject, messages[-1], f"messages[{len(messages) - 1}]")


def _message(message: Any, path: str, *, last: bool) -> Problems:
    if not isinstance(message, dict):
        yield Problem("error", path, "a message has to be an object with role and content")
        return
    role = message.get("role")
    if role not in _ROLES:
        hint = _FOREIGN_ROLES.get(role, "") if isinstance(role, str) else ""
        yield Problem("error", f"{path}.role", "the role has to be user or assistant", hint)
        return
    known = SYSTEM_MESSAGE_KEYS if role == "system" else MESSAGE_KEYS
    yield from unknown_keys(message, known, path, "a message", foreign=FOREIGN_MESSAGE_KEYS)
    if role == "system" and "content" not in message and len(message) > 1:
        return  # it may only change settings
    yield from _content(message.get("content"), f"{path}.content", optional=last and role == "assistant")


def _content(content: Any, path: str, *, optional: bool) -> Problems:
    if isinstance(content, str):
        if text_is_empty(content) and not optional:
            yield Problem("error", path, "the message is empty", "leave it out")
        return
    if not isinstance(content, list):
        yield Problem("error", path, "content has to be a text or a list of blocks")
        return
    if not content and not optional:
        yield Problem("error", path, "the message is empty", "leave it out")
    for index, block in enumerate(content):
        kind = type_of(block)
        if not kind:
            yield Problem("error", f"{path}[{index}]", "a block has to be an object with a type")
        elif kind == "text" and text_is_empty(block.get("text")):
            yield Problem("error", f"{path}[{index}].text", "the text is empty", "leave the block out")


def _block(path: str, role: str, block: dict[str, Any]) -> Problems:
    kind = type_of(block)
    if not kind:
        return
    known = BLOCKS.get(kind)
    if known is None:
        meant = nearest(kind, BLOCKS)
        hint = FOREIGN_BLOCKS.get(kind) or (f"did you mean {meant}?" if meant else "")
        yield Problem("warning", f"{path}.type", f"{shown(kind)} is no known type of content block", hint)
        return
    yield from unknown_keys(block, known, path, f"{an(kind)} block")
    needed = _ONLY_FROM["assistant"].get(kind) if role == "user" else None
    needed = needed or (_ONLY_FROM["user"].get(kind) if role == "assistant" else None)
    if needed is not None:
        yield Problem("error", path, needed)
    if kind in _TOOL_INPUTS:
        yield from _call(block, kind, path)
    elif kind == "thinking":
        yield from _thinking(block, path)
    elif kind == "redacted_thinking" and not isinstance(block.get("data"), str):
        yield Problem("error", f"{path}.data", "data is missing: redacted thinking goes back as it came", "remove it")
    elif (kind == "tool_result" or kind in RESULTS) and not isinstance(block.get("tool_use_id"), str):
        yield Problem("error", f"{path}.tool_use_id", f"{an(kind)} block needs the id of its call: tool_use_id")


def _call(block: dict[str, Any], kind: str, path: str) -> Problems:
    given = block.get("input")
    if not isinstance(given, dict):
        words = "is missing" if "input" not in block else "has to be an object"
        hint = "give the value, not its JSON text" if isinstance(given, str) else "without arguments it is {}"
        yield Problem("error", f"{path}.input", f"the input of a {kind} block {words}", hint)
    elif _INCOMPLETE in given:
        hint = "remove the call and its result, or ask again with a larger max_tokens"
        yield Problem("error", f"{path}.input", "this input is marked as incomplete: its answer was cut", hint)
    name = block.get("name")
    if not isinstance(name, str) or not name:
        yield Problem("error", f"{path}.name", f"{an(kind)} block needs the name of its tool")
    call = block.get("id")
    if not isinstance(call, str) or not call:
        yield Problem("error", f"{path}.id", f"{an(kind)} block needs an id")
    elif CALL_ID.fullmatch(call) is None:
        words = "the id of a call has to match ^[a-zA-Z0-9_-]+$"
        yield Problem("warning", f"{path}.id", words, "rename it here and in its result; fit_messages() does")


def _thinking(block: dict[str, Any], path: str) -> Problems:
    if not isinstance(block.get("thinking"), str):
        yield Problem("error", f"{path}.thinking", "a thinking block needs its text: thinking")
    if not isinstance(block.get("signature"), str) or not block["signature"]:
        words = "a thinking block goes back with the signature that it came with, and this one has none"
        yield Problem("error", f"{path}.signature", words, "remove the block; fit_messages() does")


def _new_version(role: str, block: dict[str, Any], path: str) -> Problems:
    if role == "assistant" and type_of(block) == "document":
        yield Problem("error", path, "version 2026-10-21 takes no document in an assistant's turn")
    if role == "user" and type_of(block) == "text" and block.get("citations") is not None:
        yield Problem("error", f"{path}.citations", "version 2026-10-21 takes no citations on a user's text")


def _prefill(subject: Subject, message: Any, path: str) -> Problems:
    if not isinstance(message, dict) or message.get("role") != "assistant":
        return
    content = message.get("content")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    blocks = [block if isinstance(block, dict) else {} for block in blocks] if isinstance(blocks, list) else []
    if any(type_of(block) in _PAUSED for block in blocks):
        return
    end = blocks[-1] if blocks else {"type": "text", "text": ""}
    if type_of(end) == "text":
        info = subject.info
        if info is not None and info.prefill is False and subject.body.get("fallback_credit_token") is None:
            words = f"{info.name} takes no prefill: the conversation has to end with a user's turn"
            yield Problem("error", path, words, "ask for the format in the prompt, or use output_config.format")
        elif subject.thinks and (info is None or info.prefill is not False):
            yield Problem("error", path, "with thinking, the answer cannot be prefilled", "end with a user's turn")
        text = end.get("text")
        if isinstance(text, str) and text != text.rstrip():
            yield Problem("error", path, "a prefill cannot end in white space", "strip it")
