"""ToolResult: what a tool answers the model with, made of whatever a function returned or raised."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import attrs
import msgspec

from sansio_claude._errors import ToolError
from sansio_claude._json import dumps

__all__ = ["ToolResult"]

# The blocks that the content of a tool result may have, each with a key that it never lacks: data of a tool's own
# may well have a "type" too.
_BLOCKS: Final = {
    "text": "text",
    "image": "source",
    "document": "source",
    "search_result": "content",
    "tool_reference": "tool_name",
    "browser_state": "type",
}
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_LONGEST_ERROR: Final = 10_000  # characters of an exception's text that a model is shown


@attrs.define(frozen=True)
class ToolResult:
    """The answer to one call: `content` is a text, a list of content blocks, or None for no output.

    A tool may return one itself, to set `is_error` or `cache_control`; of any other value `of` makes one.
    """

    content: str | list[dict[str, Any]] | None = None
    is_error: bool = attrs.field(default=False, kw_only=True)
    cache_control: Mapping[str, Any] | None = attrs.field(default=None, kw_only=True)

    @classmethod
    def of(cls, value: Any) -> ToolResult:
        """The result of a value that a tool returned.

        A str is the text; None is no output; a list of content blocks (dicts with a type a result may have, or
        objects with `to_param()`) is taken as it is; anything else is written as JSON. A value that JSON cannot
        carry becomes an error result that says so. Lone surrogates become U+FFFD.
        """
        try:
            if isinstance(value, ToolResult):
                return attrs.evolve(value, content=_sendable(value.content))
            return cls(_sendable(_content(value)))
        except Exception as error:  # whatever an odd value's own methods raise, the model gets an answer
            words = f"Error: The tool ran, but its result, a {type(value).__name__}, cannot be written as JSON: {error}"
            return cls(_well_formed(words), is_error=True)

    @classmethod
    def of_error(cls, error: BaseException) -> ToolResult:
        """The error result of an exception: of a ToolError exactly its own text or content, else type and text."""
        if isinstance(error, ToolError):
            return attrs.evolve(cls.of(error.message if error.content is None else error.content), is_error=True)
        try:
            text = str(error)
        except Exception:  # a broken __str__ is the tool's own, and no reason to stop the run
            text = ""
        words = f"{type(error).__name__}: {text}" if text else type(error).__name__
        if len(words) > _LONGEST_ERROR:
            words = words[:_LONGEST_ERROR] + "..."
        return cls(_well_formed(words), is_error=True)

    def to_block(self, tool_use_id: str, *, toolset_name: str | None = None) -> dict[str, Any]:
        """The tool_result block for the call with this id."""
        block: dict[str, Any] = {"type": "tool_result", "tool_use_id": tool_use_id}
        if self.content is not None:
            block["content"] = self.content
        if self.is_error:
            block["is_error"] = True
        if self.cache_control is not None:
            block["cache_control"] = dict(self.cache_control)
        if toolset_name is not None:
            block["toolset_name"] = toolset_name
        return block


def _content(value: Any) -> str | list[dict[str, Any]] | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and value:
        blocks = [_plain(item) for item in value]
        if all(map(_is_block, blocks)):
            return blocks
    if hasattr(value, "to_param") and _is_block(_plain(value)):
        return [_plain(value)]
    return dumps(msgspec.to_builtins(value, str_keys=True)).decode()


def _plain(value: Any) -> Any:
    if hasattr(value, "to_param") and not isinstance(value, type):
        value = value.to_param()
    return dict(value) if isinstance(value, Mapping) else value


def _is_block(value: Any) -> bool:
    kind = value.get("type") if isinstance(value, dict) else None
    return isinstance(kind, str) and _BLOCKS.get(kind, "") in value


def _sendable(content: str | list[dict[str, Any]] | None) -> str | list[dict[str, Any]] | None:
    if content is None or isinstance(content, str):
        return None if content is None else _well_formed(content)
    blocks: list[dict[str, Any]] = [_repaired(_plain(block)) for block in content]
    dumps(blocks)  # raises LocalProtocolError, with the path, for what JSON cannot carry
    return blocks


def _well_formed(text: str) -> str:
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _repaired(value: Any) -> Any:
    if isinstance(value, str):
        return _well_formed(value)
    if isinstance(value, dict):
        return {key: _repaired(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_repaired(item) for item in value]
    return value
