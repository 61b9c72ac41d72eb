"""Turns by hand: what a user says, what an assistant said, what a tool gave.

Plain dicts come out, as everywhere in a request. A `Message` needs no helper: it goes into `messages` as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sansio_claude._errors import LocalProtocolError

if TYPE_CHECKING:
    from sansio_claude._request.request import Param

__all__ = ["assistant", "tool_result", "turn_blocks", "user"]


def user(*content: str | Param | Sequence[str | Param]) -> dict[str, Any]:
    """A user's turn of texts and content blocks, in order, also of lists of them. A single text stays a string."""
    return _turn("user", content)


def assistant(*content: str | Param | Sequence[str | Param]) -> dict[str, Any]:
    """An assistant's turn: a made-up history, or as the last one the beginning of the answer (a prefill)."""
    return _turn("assistant", content)


def _turn(role: str, content: tuple[str | Param | Sequence[str | Param], ...]) -> dict[str, Any]:
    blocks = turn_blocks(content)
    if not blocks:
        raise LocalProtocolError(f"{role}() needs a text or a content block", path="content")
    if len(content) == 1 and isinstance(content[0], str):
        return {"role": role, "content": content[0]}
    return {"role": role, "content": blocks}


def turn_blocks(content: Iterable[Any]) -> list[Any]:
    """The blocks of texts, blocks, and lists of them."""
    found: list[Any] = []
    for item in content:
        found += _blocks(item if isinstance(item, list | tuple) else [item])
    return found


def tool_result(
    tool_use_id: str,
    content: str | Iterable[str | Param] | Param | None = None,
    *,
    is_error: bool | None = None,
    cache_control: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The result of one tool call: a block for a user's turn, where the results stand before anything else.

    `content` is a text, a block, or several of them (text, image, document, search result); without it the tool gave
    nothing. `is_error=True` says that the tool failed and `content` why. What is not given is absent on the wire.
    """
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": tool_use_id}
    if isinstance(content, str):
        block["content"] = content
    elif isinstance(content, Iterable) and not isinstance(content, Mapping | bytes | bytearray | memoryview):
        block["content"] = _blocks(content)
    elif content is not None:
        block["content"] = [content]
    if is_error is not None:
        block["is_error"] = is_error
    if cache_control is not None:
        block["cache_control"] = cache_control
    return block


def _blocks(content: Iterable[str | Param]) -> list[Any]:
    return [{"type": "text", "text": item} if isinstance(item, str) else item for item in content]
