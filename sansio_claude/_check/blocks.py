"""The content blocks of a request with their places, nested ones included, as the rules go through them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sansio_claude._check.problem import Subject

__all__ = ["blocks_of", "nested", "turns_of", "type_of"]


def type_of(block: Any) -> str:
    """The type of a block or tool; "" where it has none that is a text."""
    kind = block.get("type") if isinstance(block, dict) else None
    return kind if isinstance(kind, str) else ""


def turns_of(subject: Subject) -> Iterator[tuple[int, str, list[Any]]]:
    """Index, role and blocks of each message that is one. A text counts as one text block."""
    messages = subject.body.get("messages")
    for index, message in enumerate(messages if isinstance(messages, list) else ()):
        role = message.get("role") if isinstance(message, dict) else None
        if isinstance(role, str):
            yield index, role, _blocks(message.get("content"))


def _blocks(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return content if isinstance(content, list) else []


def nested(block: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    """The blocks inside of a tool_result, a search_result or a document of blocks, with their places."""
    kind = block.get("type")
    if kind in ("tool_result", "search_result", "mcp_tool_result"):
        inner, place = block.get("content"), f"{path}.content"
    elif kind == "document" and isinstance(block.get("source"), dict):
        inner, place = block["source"].get("content"), f"{path}.source.content"
    else:
        return
    for number, part in enumerate(inner if isinstance(inner, list) else ()):
        yield f"{place}[{number}]", part


def blocks_of(subject: Subject) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Place, role and block of every content block that is an object, in order, nested ones behind their own."""
    for index, role, blocks in turns_of(subject):
        for number, block in enumerate(blocks):
            if not isinstance(block, dict):
                continue
            stack: list[tuple[str, Any]] = [(f"messages[{index}].content[{number}]", block)]
            while stack:
                path, part = stack.pop()
                if isinstance(part, dict):
                    yield path, role, part
                    stack.extend(reversed(list(nested(part, path))))
