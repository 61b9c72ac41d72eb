"""The content blocks of a message. See `_block` for how they keep what came.

The tables are those of the Messages API's reference (response content blocks), stable and beta.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

from sansio_claude._errors import RemoteProtocolError
from sansio_claude._message.block import Block, GrowingBlock, kind_of
from sansio_claude._message.tool_blocks import (
    InputStatus,
    MCPToolUseBlock,
    ServerToolUseBlock,
    ToolInputBlock,
    ToolUseBlock,
)

if TYPE_CHECKING:
    from sansio_claude._partial_json.parser import PartialJSON
from sansio_claude._message.view import view_list, view_of
from sansio_claude._message.views import Caller, Citation, FallbackTrigger, ToolResultItem

__all__ = [
    "AdvisorToolResultBlock",
    "BashCodeExecutionToolResultBlock",
    "Block",
    "CodeExecutionToolResultBlock",
    "CompactionBlock",
    "ContainerUploadBlock",
    "ContentBlock",
    "FallbackBlock",
    "InputStatus",
    "MCPToolListingBlock",
    "MCPToolResultBlock",
    "MCPToolUseBlock",
    "RedactedThinkingBlock",
    "ServerToolUseBlock",
    "TextBlock",
    "TextEditorCodeExecutionToolResultBlock",
    "ThinkingBlock",
    "ToolInputBlock",
    "ToolResultBlock",
    "ToolSearchToolResultBlock",
    "ToolUseBlock",
    "UnknownBlock",
    "WebFetchToolResultBlock",
    "WebSearchToolResultBlock",
    "block_from_dict",
]


class TextBlock(GrowingBlock):
    """Text, possibly with citations."""

    __slots__ = ("_as_json",)
    _type_name = "text"
    _grows = "text"
    _strings = ("text",)
    _keys = frozenset({"text", "citations"})
    _sent_empty = ("text",)

    def __init__(self, raw: dict[str, Any]) -> None:
        self._raw = raw
        self._unknown_delta_keys = None
        self._pieces = []
        self._as_json: PartialJSON | None = None  # the text read as JSON, where somebody asked the stream for that

    def _growing(self) -> Self:
        raw = dict(self._raw)
        citations = raw.get("citations")
        if citations is not None:
            raw["citations"] = list(citations)
        return type(self)(raw)

    def _append(self, text: str) -> None:
        super()._append(text)
        if self._as_json is not None:
            self._as_json.feed(text)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_as_json": self._as_json}

    @property
    def text(self) -> str:
        """The text so far."""
        self._join()
        return self._text_of("text")

    @property
    def citations(self) -> list[Citation] | None:
        """The citations; None where the wire had none or null."""
        found: Any = self._raw.get("citations")
        return view_list(Citation, found) if isinstance(found, list) else None


class ThinkingBlock(GrowingBlock):
    """Thinking, whole or summarized; empty with a signature where its display is omitted."""

    __slots__ = ()
    _keys = frozenset({"thinking", "signature"})
    _sent_empty = ("thinking",)
    _type_name = "thinking"
    _grows = "thinking"
    _strings = ("thinking", "signature")

    @property
    def thinking(self) -> str:
        """The thinking so far."""
        self._join()
        return self._text_of("thinking")

    @property
    def signature(self) -> str:
        """The opaque signature; it must go back byte for byte."""
        return self._text_of("signature")


class RedactedThinkingBlock(Block):
    """Thinking that is not shown; opaque."""

    __slots__ = ()
    _keys = frozenset({"data"})
    _type_name = "redacted_thinking"
    _strings = ("data",)

    @property
    def data(self) -> str:
        """The opaque data; it must go back byte for byte."""
        return self._text_of("data")


class ToolResultBlock(Block):
    """What the results of server tools share. They arrive whole."""

    __slots__ = ()
    _keys = frozenset({"tool_use_id", "content", "caller"})
    _strings = ("tool_use_id",)

    @property
    def tool_use_id(self) -> str:
        """The id of the call it answers."""
        return self._text_of("tool_use_id")

    @property
    def content(self) -> Any:
        """The result as JSON: an object or a list, or an error object."""
        return self._raw.get("content")

    @property
    def caller(self) -> Caller | None:
        """Who called the tool; None where the wire had none or null."""
        return view_of(Caller, self._raw.get("caller"))

    @property
    def results(self) -> list[ToolResultItem]:
        """The objects of the result, one or several; empty where it has none or is an error."""
        content: Any = self._raw.get("content")
        items = view_list(ToolResultItem, content if isinstance(content, list) else [content])
        return [] if len(items) == 1 and items[0].error_code is not None else items

    @property
    def error_code(self) -> str | None:
        """Why the tool failed, as "max_uses_exceeded" or "unavailable"; None where it did not."""
        failed = view_of(ToolResultItem, self._raw.get("content"))
        return None if failed is None else failed.error_code


class WebSearchToolResultBlock(ToolResultBlock):
    """A list of search results, or an error object."""

    __slots__ = ()
    _type_name = "web_search_tool_result"


class WebFetchToolResultBlock(ToolResultBlock):
    """A fetched document, or an error object."""

    __slots__ = ()
    _type_name = "web_fetch_tool_result"


class CodeExecutionToolResultBlock(ToolResultBlock):
    """What executed code printed and made, perhaps encrypted, or an error object."""

    __slots__ = ()
    _type_name = "code_execution_tool_result"


class BashCodeExecutionToolResultBlock(ToolResultBlock):
    """What a shell command printed and made, or an error object."""

    __slots__ = ()
    _type_name = "bash_code_execution_tool_result"


class TextEditorCodeExecutionToolResultBlock(ToolResultBlock):
    """The result of a view, create or str_replace on the server, or an error object."""

    __slots__ = ()
    _type_name = "text_editor_code_execution_tool_result"


class ToolSearchToolResultBlock(ToolResultBlock):
    """References to the tools found, or an error object."""

    __slots__ = ()
    _type_name = "tool_search_tool_result"


class AdvisorToolResultBlock(ToolResultBlock):
    """An advisor's answer, perhaps redacted, or an error object (beta)."""

    __slots__ = ()
    _type_name = "advisor_tool_result"


class MCPToolResultBlock(ToolResultBlock):
    """The result of an MCP tool: a string or a list of text blocks (beta)."""

    __slots__ = ()
    _keys = frozenset({"tool_use_id", "content", "caller", "is_error"})
    _type_name = "mcp_tool_result"

    @property
    def is_error(self) -> bool:
        """Whether the tool failed."""
        return self._raw.get("is_error") is True


class MCPToolListingBlock(Block):
    """The tools an MCP server offers; goes back unchanged (beta)."""

    __slots__ = ()
    _keys = frozenset({"mcp_server_name", "tools"})
    _type_name = "mcp_tool_listing"
    _strings = ("mcp_server_name",)

    @property
    def mcp_server_name(self) -> str:
        """The MCP server's name."""
        return self._text_of("mcp_server_name")

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The tools as JSON objects: name, description, input_schema."""
        value: Any = self._raw.get("tools")
        return value if isinstance(value, list) else []


class ContainerUploadBlock(Block):
    """A file put into the code execution container."""

    __slots__ = ()
    _keys = frozenset({"file_id"})
    _type_name = "container_upload"
    _strings = ("file_id",)

    @property
    def file_id(self) -> str:
        """The file's id."""
        return self._text_of("file_id")


class CompactionBlock(Block):
    """A summary that stands for the conversation so far (beta). `content` None: the compaction failed."""

    __slots__ = ()
    _keys = frozenset({"content", "encrypted_content", "signature", "tool_changes"})
    _type_name = "compaction"

    @property
    def content(self) -> Any:
        """The summary, or None."""
        return self._raw.get("content")

    @property
    def encrypted_content(self) -> str | None:
        """The opaque summary; it must go back byte for byte."""
        return self._raw.get("encrypted_content")

    @property
    def signature(self) -> str | None:
        """The opaque signature; it must go back byte for byte."""
        found: Any = self._raw.get("signature")
        return found if isinstance(found, str) else None

    @property
    def tool_changes(self) -> list[dict[str, Any]]:
        """The changes of tools that the summary stands for, as JSON objects; empty where there are none."""
        found: Any = self._raw.get("tool_changes")
        return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


class FallbackBlock(Block):
    """Says that another model went on with the answer (beta)."""

    __slots__ = ()
    _keys = frozenset({"from", "to", "trigger"})
    _type_name = "fallback"

    @property
    def from_model(self) -> str | None:
        """The id of the model that stopped."""
        return self._model("from")

    @property
    def to_model(self) -> str | None:
        """The id of the model that went on."""
        return self._model("to")

    @property
    def trigger(self) -> FallbackTrigger | None:
        """Why the other model went on."""
        return view_of(FallbackTrigger, self._raw.get("trigger"))

    def _model(self, key: str) -> str | None:
        value: Any = self._raw.get(key)
        model: Any = value.get("model") if isinstance(value, dict) else None
        return model if isinstance(model, str) else None


class UnknownBlock(Block):
    """A block of a type this version does not know, kept as it came."""

    __slots__ = ()

    def _growing(self) -> Self:
        # Its lists are its own, since citations are put at the end of one.
        return type(self)({key: list(value) if type(value) is list else value for key, value in self._raw.items()})


ContentBlock: TypeAlias = (
    TextBlock
    | ThinkingBlock
    | RedactedThinkingBlock
    | ToolUseBlock
    | ServerToolUseBlock
    | MCPToolUseBlock
    | WebSearchToolResultBlock
    | WebFetchToolResultBlock
    | CodeExecutionToolResultBlock
    | BashCodeExecutionToolResultBlock
    | TextEditorCodeExecutionToolResultBlock
    | ToolSearchToolResultBlock
    | AdvisorToolResultBlock
    | MCPToolResultBlock
    | MCPToolListingBlock
    | ContainerUploadBlock
    | CompactionBlock
    | FallbackBlock
    | UnknownBlock
)
"""Every kind of block; a type that is not known is an UnknownBlock."""

_BY_TYPE: Final[Mapping[str, Callable[[dict[str, Any]], ContentBlock]]] = {
    cls._type_name: cls
    for cls in (
        TextBlock,
        ThinkingBlock,
        RedactedThinkingBlock,
        ToolUseBlock,
        ServerToolUseBlock,
        MCPToolUseBlock,
        WebSearchToolResultBlock,
        WebFetchToolResultBlock,
        CodeExecutionToolResultBlock,
        BashCodeExecutionToolResultBlock,
        TextEditorCodeExecutionToolResultBlock,
        ToolSearchToolResultBlock,
        AdvisorToolResultBlock,
        MCPToolResultBlock,
        MCPToolListingBlock,
        ContainerUploadBlock,
        CompactionBlock,
        FallbackBlock,
    )
}


def block_from_dict(raw: Any) -> ContentBlock:
    """The block of one JSON object, which it takes over.

    Raises RemoteProtocolError where it is not an object with a type, or a known string key holds
    something other than a string or null.
    """
    if not isinstance(raw, dict):
        raise RemoteProtocolError(f"a content block is {kind_of(raw)}, not an object", stage="blocks")
    kind: Any = raw.get("type")
    if not isinstance(kind, str):
        raise RemoteProtocolError(f"a content block's type is {kind_of(kind)}, not a string", stage="blocks")
    block = _BY_TYPE.get(kind, UnknownBlock)(raw)
    for key in block._strings:
        value: Any = raw.get(key)
        if value is not None and not isinstance(value, str):
            raise RemoteProtocolError(f"{key} of a {kind} block is {kind_of(value)}, not a string", stage="blocks")
    if kind == "text":
        citations: Any = raw.get("citations")
        if citations is not None and not isinstance(citations, list):
            raise RemoteProtocolError(f"citations of a text block is {kind_of(citations)}, not a list", stage="blocks")
    return block
