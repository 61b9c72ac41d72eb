"""ToolResult: what a tool answers the model with, made of whatever a function returned or raised.

A value becomes content blocks where it is one (a picture of `image()`, an object with `to_param()`) or a list with at
least one; the texts beside pictures become text blocks. Anything else is data and is written as JSON, even where it has
a "type" by accident: a block is known by all of its keys.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import KeysView, Mapping, Sequence, Set, ValuesView
from typing import Any, Final

import attrs
import msgspec

from sansio_claude._errors import ToolError
from sansio_claude._json import dumps
from sansio_claude._value import an

__all__ = ["LONGEST_RESULT", "ToolResult", "plain_json"]

LONGEST_RESULT: Final = 400_000
"""Characters of one result that a model is shown, about 100,000 tokens: half of the smallest context window."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_SILENT: Final = "Error: The tool failed and gave no reason."  # the API refuses an error without content
_LONGEST_ERROR: Final = 10_000  # characters of an exception's text that a model is shown

# The blocks that the content of a tool result may have: the keys that each must have and those that it may have.
_BLOCKS: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    "text": (frozenset({"text"}), frozenset({"citations"})),
    "image": (frozenset({"source"}), frozenset({"transformations"})),
    "document": (frozenset({"source"}), frozenset({"title", "context", "citations"})),
    "search_result": (frozenset({"source", "title", "content"}), frozenset({"citations"})),
    "tool_reference": (frozenset({"tool_name"}), frozenset()),
    "browser_state": (frozenset(), frozenset({"tabs", "state_changes"})),
}
# What the `source` of an image or document has besides its type.
_SOURCES: Final = {
    "base64": ("media_type", "data"),
    "url": ("url",),
    "file": ("file_id",),
    "text": ("media_type", "data"),
    "content": ("content",),
}


@attrs.define(frozen=True)
class ToolResult:
    """The answer to one call: `content` is a text, a list of content blocks, or None for no output.

    A tool may return one itself, to set `is_error` or `cache_control`; of any other value `of` makes one.
    """

    content: str | list[dict[str, Any]] | None = None
    is_error: bool = attrs.field(default=False, kw_only=True)
    cache_control: Mapping[str, Any] | None = attrs.field(default=None, kw_only=True)

    @classmethod
    def of(cls, value: Any, *, limit: int | None = LONGEST_RESULT) -> ToolResult:
        """The result of a value that a tool returned.

        A str is the text; None is no output; a picture or another content block (a dict with exactly the keys of one,
        or an object with `to_param()`) and a list with such blocks and texts are taken as they are; anything else is
        written as JSON, pydantic models too. A value that JSON cannot carry becomes an error result that says so.
        Lone surrogates become U+FFFD. Text beyond `limit` characters is cut, and the text says so (None: never).
        """
        try:
            if isinstance(value, ToolResult):
                content = value.content
                if not (isinstance(content, list) and all(isinstance(item, Mapping) for item in content)):
                    content = _content(content)
                content = _cut(_sendable(content), limit)
                return attrs.evolve(value, content=content or _SILENT if value.is_error else content)
            return cls(_cut(_sendable(_content(value)), limit))
        except Exception as error:  # whatever an odd value's own methods raise, the model gets an answer
            kind = an(type(value).__name__)
            words = f"Error: The tool ran, but its result, {kind}, cannot be written as JSON: {error}"
            return cls(_well_formed(words), is_error=True)

    @classmethod
    def of_error(cls, error: BaseException) -> ToolResult:
        """The error result of an exception: of a ToolError exactly its own text or content, else type and text."""
        if isinstance(error, ToolError):
            made = cls.of(error.message if error.content is None else error.content)
            return attrs.evolve(made, is_error=True, content=made.content or _SILENT)
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


def plain_json(value: Any) -> Any:
    """A value as JSON's own types: dataclasses, attrs classes, Structs, enums, dates, paths, pydantic models.

    Raises TypeError, or LocalProtocolError that names the path, where JSON cannot carry it. Lone surrogates become
    U+FFFD, in keys as well.
    """
    # Keys that are numbers become texts in `_repaired`, which sees where two of them become the same.
    plain = _repaired(msgspec.to_builtins(value, enc_hook=_stand_in))
    dumps(plain)
    return plain


def _stand_in(value: Any) -> Any:
    """What stands for a value that msgspec does not know."""
    if isinstance(value, type):
        raise TypeError(f"{value.__name__} is a class: return an object of it")
    for name in ("model_dump", "to_param"):
        method = getattr(value, name, None)
        if callable(method):
            return method(mode="json") if name == "model_dump" else method()
    if hasattr(value, "__fspath__"):
        return value.__fspath__()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence | KeysView | ValuesView | deque | Set):
        return list(value)
    if type(value).__module__ in ("ipaddress", "fractions", "re", "zoneinfo"):
        return str(value)
    raise TypeError(f"{an(type(value).__name__)} has no form in JSON")


def _content(value: Any) -> str | list[dict[str, Any]] | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and value:
        items = [_plain(item) for item in value]
        if any(map(_is_picture, items)):
            # Beside a picture all else is words: its JSON would hold the picture as base64.
            return [item if _is_block(item) else _text(item) for item in items]
        if all(_is_block(item) or isinstance(item, str) for item in items) and any(map(_is_block, items)):
            return [item if _is_block(item) else _text(item) for item in items]
    plain = _plain(value)
    # A dict with a type and a text is as likely data; an object of the library's own is not.
    if _is_block(plain) and ((plain is not value and not isinstance(value, Mapping)) or plain["type"] != "text"):
        return [plain]
    return dumps(plain_json(value)).decode()


def _text(item: Any) -> dict[str, Any]:
    return {"type": "text", "text": item if isinstance(item, str) else dumps(plain_json(item)).decode()}


def _plain(value: Any) -> Any:
    if hasattr(value, "to_param") and not isinstance(value, type):
        value = value.to_param()
    return dict(value) if isinstance(value, Mapping) else value


def _is_picture(value: Any) -> bool:
    return _is_block(value) and value["type"] not in ("text", "tool_reference")


def _is_block(value: Any) -> bool:
    """Whether a dict is a content block: it has the keys of one, and no others."""
    if not isinstance(value, dict):
        return False
    kind = value.get("type")
    needed, allowed = _BLOCKS.get(kind, (None, frozenset())) if isinstance(kind, str) else (None, frozenset())
    keys = {key for key in value if key not in ("type", "cache_control")}
    if needed is None or not needed <= keys or not keys <= needed | allowed:
        return False
    if kind in ("image", "document"):
        return _is_source(value["source"])
    return isinstance(value.get("text", ""), str)


def _is_source(value: Any) -> bool:
    kind = value.get("type") if isinstance(value, Mapping) else None
    return isinstance(kind, str) and all(key in value for key in _SOURCES.get(kind, ("\0",)))


def _sendable(content: Any) -> str | list[dict[str, Any]] | None:
    if content is None or isinstance(content, str):
        return None if content is None else _well_formed(content)
    blocks: list[dict[str, Any]] = [_repaired(_plain(block)) for block in content]
    dumps(blocks)  # raises LocalProtocolError, with the path, for what JSON cannot carry
    # The API refuses a text block without text.
    return [block for block in blocks if block.get("type") != "text" or block.get("text") != ""]


def _cut(content: str | list[dict[str, Any]] | None, limit: int | None) -> str | list[dict[str, Any]] | None:
    """The content with at most `limit` characters of text."""
    if limit is None or content is None:
        return content
    if isinstance(content, str):
        return content if len(content) <= limit else _shortened(content, limit)
    left, found = limit, []
    for block in content:
        text = block.get("text") if block.get("type") == "text" else None
        if isinstance(text, str):
            if len(text) > left:
                block = {**block, "text": _shortened(text, left)}
            left = max(0, left - len(text))
        found.append(block)
    return found


def _shortened(text: str, limit: int) -> str:
    return (
        f"{text[:limit]}\n[Cut here: the result has {len(text)} characters, and only the first {limit} are shown. Ask "
        "for less at a time.]"
    )


def _well_formed(text: str) -> str:
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _key(value: Any) -> str:
    if isinstance(value, str):
        return _well_formed(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and value - value == 0:
        return dumps(value).decode()
    raise TypeError(f"the keys of an object have to be texts or numbers, not {an(type(value).__name__)}")


def _repaired(value: Any) -> Any:
    if isinstance(value, str):
        return _well_formed(value)
    if isinstance(value, Mapping):
        found = {_key(key): _repaired(item) for key, item in value.items()}
        if len(found) < len(value):
            raise ValueError("two keys of one of its objects are the same text in JSON, as 1 and '1' are")
        return found
    if isinstance(value, list | tuple):
        return [_repaired(item) for item in value]
    return value
