"""Views of what an answer holds beside its blocks, and inside of them (API reference of Messages, 2026-11).

Each class names its values as far as they are known; a `type`, reason or code to come is a str like any other.
"""

from __future__ import annotations

from typing import Any

from sansio_claude._message.view import Field, Nested, NestedList, View

__all__ = [
    "AppliedEdit",
    "CacheCreation",
    "CacheMissReason",
    "Caller",
    "Capability",
    "Citation",
    "Container",
    "ContainerSkill",
    "ContextManagement",
    "Diagnostics",
    "FallbackCredit",
    "FallbackCreditStatus",
    "FallbackTrigger",
    "InputTransformation",
    "ModelCapabilities",
    "OutputTokensDetails",
    "ServerToolUse",
    "StopDetails",
    "ToolResultItem",
    "UsageIteration",
]


class CacheCreation(View):
    """Tokens written to the cache, by time to live."""

    __slots__ = ()
    ephemeral_5m_input_tokens: Field[int] = Field(int)
    ephemeral_1h_input_tokens: Field[int] = Field(int)


class ServerToolUse(View):
    """How often server tools ran."""

    __slots__ = ()
    web_search_requests: Field[int] = Field(int)
    web_fetch_requests: Field[int] = Field(int)


class OutputTokensDetails(View):
    """What the output tokens were used for."""

    __slots__ = ()
    thinking_tokens: Field[int] = Field(int)


class FallbackCreditStatus(View):
    """`type` "redeemed" or "not_applied", then with a `reason` and what to remove from the request to redeem it."""

    __slots__ = ()
    type: Field[str] = Field(str)
    reason: Field[str] = Field(str)
    remove_to_redeem: Field[list[Any]] = Field[list[Any]](list)


class FallbackCredit(View):
    """What became of a fallback credit (beta)."""

    __slots__ = ()
    status: Nested[FallbackCreditStatus] = Nested(FallbackCreditStatus)


class UsageIteration(View):
    """The usage of one sampling: `type` "message", "compaction", "advisor_message" or "fallback_message" (beta)."""

    __slots__ = ()
    type: Field[str] = Field(str)
    model: Field[str] = Field(str)
    input_tokens: Field[int] = Field(int)
    output_tokens: Field[int] = Field(int)
    cache_creation_input_tokens: Field[int] = Field(int)
    cache_read_input_tokens: Field[int] = Field(int)
    cache_creation: Nested[CacheCreation] = Nested(CacheCreation)


class CacheMissReason(View):
    """Why nothing was read from the cache.

    `type` is "messages_changed", "model_changed", "system_changed", "tools_changed", "previous_message_not_found" or
    "unavailable".
    """

    __slots__ = ()
    type: Field[str] = Field(str)
    cache_missed_input_tokens: Field[int] = Field(int)


class Diagnostics(View):
    """Diagnostics of prompt caching."""

    __slots__ = ()
    cache_miss_reason: Nested[CacheMissReason] = Nested(CacheMissReason)


class InputTransformation(View):
    """What the API changed in the request: `type` "thinking_dropped" or "thinking_mismatch_allowed"."""

    __slots__ = ()
    type: Field[str] = Field(str)
    reason: Field[str] = Field(str)
    path: Field[str] = Field(str)


class StopDetails(View):
    """More about a refusal: `category`, as "bio" or "cyber", and words; what a fallback to another model needs."""

    __slots__ = ()
    type: Field[str] = Field(str)
    category: Field[str] = Field(str)
    explanation: Field[str] = Field(str)
    recommended_model: Field[str] = Field(str)
    fallback_credit_token: Field[str] = Field(str)
    fallback_has_prefill_claim: Field[bool] = Field(bool)


class ContainerSkill(View):
    """A skill loaded in the container: `type` "anthropic" or "custom"."""

    __slots__ = ()
    type: Field[str] = Field(str)
    skill_id: Field[str] = Field(str)
    version: Field[str] = Field(str)


class Container(View):
    """The container that code ran in; `expires_at` is RFC 3339 text."""

    __slots__ = ()
    id: Field[str] = Field(str)
    expires_at: Field[str] = Field(str)
    skills: NestedList[ContainerSkill] = NestedList(ContainerSkill)


class AppliedEdit(View):
    """An edit of the context: `type` "clear_tool_uses_20250919" or "clear_thinking_20251015"."""

    __slots__ = ()
    type: Field[str] = Field(str)
    cleared_input_tokens: Field[int] = Field(int)
    cleared_tool_uses: Field[int] = Field(int)
    cleared_thinking_turns: Field[int] = Field(int)


class ContextManagement(View):
    """What context management did (beta); `original_input_tokens` is told when tokens are counted."""

    __slots__ = ()
    applied_edits: NestedList[AppliedEdit] = NestedList(AppliedEdit)
    original_input_tokens: Field[int] = Field(int)


class Caller(View):
    """Who called a tool: `type` "direct" (the model), or a code execution tool, then with the id of its call."""

    __slots__ = ()
    type: Field[str] = Field(str)
    tool_id: Field[str] = Field(str)


class FallbackTrigger(View):
    """Why another model went on: `type` "refusal" with its `category`."""

    __slots__ = ()
    type: Field[str] = Field(str)
    category: Field[str] = Field(str)


class Citation(View):
    """One citation.

    `type` says which of the attributes there are: "char_location", "page_location" and "content_block_location" point
    into a document, "search_result_location" into a search result given in the request, "web_search_result_location"
    to a page of the web. Indices of documents, characters and blocks begin at 0, pages at 1; an end is exclusive.
    """

    __slots__ = ()
    type: Field[str] = Field(str)
    cited_text: Field[str] = Field(str)
    document_index: Field[int] = Field(int)
    document_title: Field[str] = Field(str)
    file_id: Field[str] = Field(str)
    start_char_index: Field[int] = Field(int)
    end_char_index: Field[int] = Field(int)
    start_page_number: Field[int] = Field(int)
    end_page_number: Field[int] = Field(int)
    start_block_index: Field[int] = Field(int)
    end_block_index: Field[int] = Field(int)
    search_result_index: Field[int] = Field(int)
    source: Field[str] = Field(str)
    title: Field[str] = Field(str)
    url: Field[str] = Field(str)
    encrypted_index: Field[str] = Field(str)


class ToolResultItem(View):
    """One object of a server tool's result; its `type` says which of the attributes there are.

    An error has `error_code` (as "max_uses_exceeded" or "unavailable") and perhaps `error_message`. Web search: title,
    url, page_age, encrypted_content. Web fetch: url, retrieved_at, the document under `content`. Code and bash: stdout
    (or encrypted_stdout), stderr, return_code, files under `content`. Text editor: file_type and lines, or what was
    replaced. Tool search: tool_references. Advisor: text or encrypted_content, stop_reason.
    """

    __slots__ = ()
    type: Field[str] = Field(str)
    error_code: Field[str] = Field(str)
    error_message: Field[str] = Field(str)
    title: Field[str] = Field(str)
    url: Field[str] = Field(str)
    page_age: Field[str] = Field(str)
    encrypted_content: Field[str] = Field(str)
    retrieved_at: Field[str] = Field(str)
    stdout: Field[str] = Field(str)
    stderr: Field[str] = Field(str)
    encrypted_stdout: Field[str] = Field(str)
    return_code: Field[int] = Field(int)
    file_id: Field[str] = Field(str)
    file_type: Field[str] = Field(str)
    num_lines: Field[int] = Field(int)
    start_line: Field[int] = Field(int)
    total_lines: Field[int] = Field(int)
    is_file_update: Field[bool] = Field(bool)
    old_start: Field[int] = Field(int)
    old_lines: Field[int] = Field(int)
    new_start: Field[int] = Field(int)
    new_lines: Field[int] = Field(int)
    lines: Field[list[Any]] = Field[list[Any]](list)
    tool_references: Field[list[Any]] = Field[list[Any]](list)
    tool_name: Field[str] = Field(str)
    text: Field[str] = Field(str)
    stop_reason: Field[str] = Field(str)

    @property
    def content(self) -> Any:
        """What the result holds: text, a document, or a list, as it came."""
        return self.get("content")

    @property
    def files(self) -> list[ToolResultItem]:
        """The files that code has made, each with its `file_id`."""
        content = self.get("content")
        items = content if isinstance(content, list) else []
        return [
            ToolResultItem(item) for item in items if isinstance(item, dict) and isinstance(item.get("file_id"), str)
        ]


class Capability(View):
    """Whether a model can do something. `parts` has what it consists of, where that is told."""

    __slots__ = ()
    supported: Field[bool] = Field(bool)

    @property
    def parts(self) -> dict[str, Capability]:
        """By name: the levels of effort, the types of thinking, the edits of a context, the server tools."""
        types = self.get("types")
        inner = {**self, **types} if isinstance(types, dict) else self
        return {
            name: Capability(value)
            for name, value in inner.items()
            if isinstance(value, dict) and name not in ("types", "supported")
        }


class ModelCapabilities(View):
    """What a model can do, as the API's listing says. `code_execution` is about calls of other tools by code that the
    model runs; whether it has the code execution tool is in `server_tools`."""

    __slots__ = ()
    batch: Nested[Capability] = Nested(Capability)
    citations: Nested[Capability] = Nested(Capability)
    code_execution: Nested[Capability] = Nested(Capability)
    context_management: Nested[Capability] = Nested(Capability)
    effort: Nested[Capability] = Nested(Capability)
    image_input: Nested[Capability] = Nested(Capability)
    pdf_input: Nested[Capability] = Nested(Capability)
    server_tools: Nested[Capability] = Nested(Capability)
    structured_outputs: Nested[Capability] = Nested(Capability)
    thinking: Nested[Capability] = Nested(Capability)
