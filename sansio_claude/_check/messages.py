"""Rules of `check()` about messages: roles, content, prefill, images, and that every tool call has its result."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from typing import Any, Final

from sansio_claude._check.problem import Problem, Problems, Subject
from sansio_claude._media import IMAGE_TYPES, MAX_IMAGE_BYTES, image_size, media_type_of

__all__ = ["check_messages"]

_MAX_MESSAGES: Final = 100_000
_ROLES: Final = ("user", "assistant", "system")
# A last assistant turn with one of these goes on where the server stopped; it is no prefill.
_PAUSED: Final = ("server_tool_use", "mcp_tool_use", "compaction")
_HEAD: Final = 256 * 1024  # of an image, encoded: formats with the size further in than this are not judged


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
    turns: list[tuple[int, str, list[dict[str, Any]]]] = []
    for index, message in enumerate(messages):
        path = f"messages[{index}]"
        if not isinstance(message, dict):
            yield Problem("error", path, "a message has to be an object with role and content")
            continue
        role = message.get("role")
        if role not in _ROLES:
            yield Problem("error", f"{path}.role", "the role has to be user or assistant")
            continue
        last = index == len(messages) - 1
        yield from _content(message.get("content"), f"{path}.content", optional=last and role == "assistant")
        turns.append((index, role, _blocks(message.get("content"))))
        if subject.version >= "2026-10-21":
            yield from _new_version(role, turns[-1][2], path)
    yield from _prefill(subject, messages[-1], f"messages[{len(messages) - 1}]")
    yield from _results(turns)
    yield from _images(subject, messages)


def _blocks(content: Any) -> list[dict[str, Any]]:
    """The content as blocks; what is none of them is left as an empty one, so that numbers stay right."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block if isinstance(block, dict) else {} for block in content] if isinstance(content, list) else []


def _content(content: Any, path: str, *, optional: bool) -> Problems:
    if isinstance(content, str):
        if not content.strip() and not optional:
            yield Problem("error", path, "the message is empty", "leave it out")
        return
    if not isinstance(content, list):
        yield Problem("error", path, "content has to be a text or a list of blocks")
        return
    if not content and not optional:
        yield Problem("error", path, "the message is empty", "leave it out")
    for index, block in enumerate(content):
        kind = block.get("type") if isinstance(block, dict) else None
        if not isinstance(block, dict) or not isinstance(kind, str):
            yield Problem("error", f"{path}[{index}]", "a block has to be an object with a type")
        elif kind == "text" and not str(block.get("text") or "").strip():
            yield Problem("error", f"{path}[{index}].text", "the text is empty", "leave the block out")


def _new_version(role: str, blocks: list[dict[str, Any]], path: str) -> Problems:
    for index, block in enumerate(blocks):
        place = f"{path}.content[{index}]"
        if role == "assistant" and block.get("type") == "document":
            yield Problem("error", place, "version 2026-10-21 takes no document in an assistant's turn")
        if role == "user" and block.get("type") == "text" and block.get("citations") is not None:
            yield Problem("error", f"{place}.citations", "version 2026-10-21 takes no citations on a user's text")


def _prefill(subject: Subject, message: Any, path: str) -> Problems:
    if not isinstance(message, dict) or message.get("role") != "assistant":
        return
    blocks = _blocks(message.get("content"))
    if any(block.get("type") in _PAUSED for block in blocks):
        return
    end = blocks[-1] if blocks else {"type": "text", "text": ""}
    if end.get("type") == "text":
        info = subject.info
        if info is not None and info.prefill is False and subject.body.get("fallback_credit_token") is None:
            words = f"{info.name} takes no prefill: the conversation has to end with a user's turn"
            yield Problem("error", path, words, "ask for the format in the prompt, or use output_config.format")
        elif subject.thinks and (info is None or info.prefill is not False):
            yield Problem("error", path, "with thinking, the answer cannot be prefilled", "end with a user's turn")
        text = end.get("text")
        if isinstance(text, str) and text != text.rstrip():
            yield Problem("error", path, "a prefill cannot end in white space", "strip it")


def _results(turns: list[tuple[int, str, list[dict[str, Any]]]]) -> Problems:
    """Each tool_use has one tool_result in the user's turn behind it, and that turn begins with them."""
    waiting: dict[str, str] = {}  # the id of a call -> its place
    answered: set[str] = set()
    before = ""
    for index, role, blocks in turns:
        if role == "system":
            continue
        if role == "assistant" and before == "user":
            yield from _missing(waiting)
            waiting, answered = {}, set()
        talk = False
        for number, block in enumerate(blocks):
            place = f"messages[{index}].content[{number}]"
            kind = block.get("type")
            if role == "assistant" and kind == "tool_use":
                waiting[str(block.get("id"))] = place
            elif role == "user" and kind == "tool_result":
                call = str(block.get("tool_use_id"))
                if call in answered:
                    yield Problem("error", place, "this tool_use has two results", "leave one out")
                elif waiting.pop(call, None) is None:
                    yield Problem("error", place, "no tool_use in the turn before has the id of this tool_result")
                elif talk and before == "assistant":
                    yield Problem("error", place, "tool_results have to stand before everything else in their turn")
                answered.add(call)
            else:
                talk = True
        before = role
    yield from _missing(waiting)


def _missing(waiting: dict[str, str]) -> Problems:
    for place in waiting.values():
        hint = "put it into the user's turn behind; for a tool that failed, one with is_error"
        yield Problem("error", place, "this tool_use has no tool_result", hint)


def _images(subject: Subject, messages: list[Any]) -> Problems:
    found = list(_found_images(messages))
    window = subject.info.context_window if subject.info is not None else None
    most = 100 if window == 200_000 else 600
    if len(found) > most:
        yield Problem("error", "messages", f"there are {len(found)} images; the API takes {most}")
    edge = 2000 if len(found) > 20 else 8000
    for path, block in found:
        source = block.get("source")
        kind = source.get("type") if isinstance(source, dict) else None
        if not isinstance(source, dict) or not isinstance(kind, str):
            yield Problem("error", f"{path}.source", "an image needs a source with a type: base64, url or file")
        elif kind == "base64":
            yield from _base64(source, f"{path}.source", edge)
        elif kind in ("url", "file"):
            key = "url" if kind == "url" else "file_id"
            if not isinstance(source.get(key), str) or not source[key]:
                yield Problem("error", f"{path}.source.{key}", f"{key} is missing")


def _found_images(messages: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for index, message in enumerate(messages):
        content = message.get("content") if isinstance(message, dict) else None
        for number, block in enumerate(content if isinstance(content, list) else ()):
            path = f"messages[{index}].content[{number}]"
            kind = block.get("type") if isinstance(block, dict) else None
            if kind == "image":
                yield path, block
            elif kind == "tool_result" and isinstance(block.get("content"), list):
                for inner, part in enumerate(block["content"]):
                    if isinstance(part, dict) and part.get("type") == "image":
                        yield f"{path}.content[{inner}]", part


def _base64(source: dict[str, Any], path: str, edge: int) -> Problems:
    media_type, data = source.get("media_type"), source.get("data")
    if media_type not in IMAGE_TYPES:
        words = "media_type is missing" if media_type is None else "the API takes no images of this media type"
        yield Problem("error", f"{path}.media_type", words, ", ".join(IMAGE_TYPES))
    if not isinstance(data, str) or not data:
        yield Problem("error", f"{path}.data", "data has to be the image in base64")
        return
    size = len(data) * 3 // 4
    if size > MAX_IMAGE_BYTES:
        words = f"the image has {size / 1_048_576:.1f} MiB; the API takes 5"
        yield Problem("error", f"{path}.data", words, "make it smaller, or send it by file id")
    try:
        head = binascii.a2b_base64(data[:_HEAD])
    except ValueError:
        yield Problem("error", f"{path}.data", "data is not base64", "without data: in front, line breaks or spaces")
        return
    actual = media_type_of(head)
    if actual is None:
        yield Problem("error", f"{path}.data", "data is no JPEG, PNG, GIF or WebP image")
    elif media_type in IMAGE_TYPES and actual != media_type:
        yield Problem("error", f"{path}.media_type", f"media_type says {media_type} but the image is {actual}")
    pixels = image_size(head)
    if pixels is not None and max(pixels) > edge:
        words = f"the image has {pixels[0]} x {pixels[1]} pixels; the API takes {edge} x {edge}"
        yield Problem("error", f"{path}.data", words + (" in a request with more than 20" if edge == 2000 else ""))
