"""The keys that each object of a request has, and what other APIs call the same thing.

Source of the keys: the request types of the official Python SDK 2.14.0 (24 November 2026), stable and beta together;
`safeguards` is known from the source of @ai-sdk/anthropic 4.0.105 alone.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "BLOCKS",
    "FOREIGN_BLOCKS",
    "FOREIGN_KEYS",
    "FOREIGN_MESSAGE_KEYS",
    "FOREIGN_TOOL_KEYS",
    "KEYS",
    "MESSAGE_KEYS",
    "PROPERTY_NAME",
    "RESULTS",
    "SYSTEM_MESSAGE_KEYS",
    "TOOLS",
    "TOOL_NAME",
    "TOOL_NAMES",
    "TOP",
]


TOOL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""What the name of a tool has to match as a whole."""
PROPERTY_NAME: Final = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
"""What the name of a parameter of a tool has to match as a whole."""


def _keys(words: str) -> frozenset[str]:
    return frozenset(words.split())


TOP: Final = _keys(
    "model max_tokens messages system tools tool_choice thinking temperature top_p top_k stop_sequences stream metadata"
    " service_tier speed inference_geo container cache_control diagnostics output_config context_management compaction"
    " mcp_servers fallbacks fallback_credit_token billing_policy thread safeguards"
)
MESSAGE_KEYS: Final = _keys("role content")
SYSTEM_MESSAGE_KEYS: Final = _keys("role content clear_at output_config")

_RESULT: Final = "type content tool_use_id cache_control"
BLOCKS: Final = {
    "text": _keys("type text cache_control citations"),
    "image": _keys("type source cache_control transformations"),
    "document": _keys("type source cache_control citations context title"),
    "search_result": _keys("type content source title cache_control citations"),
    "thinking": _keys("type signature thinking"),
    "redacted_thinking": _keys("type data"),
    "tool_use": _keys("type id input name cache_control caller toolset_name"),
    "tool_result": _keys("type tool_use_id cache_control content is_error toolset_name"),
    "tool_reference": _keys("type tool_name cache_control"),
    "browser_state": _keys("type tabs cache_control state_changes"),
    "server_tool_use": _keys("type id input name cache_control caller"),
    "web_search_tool_result": _keys(f"{_RESULT} caller"),
    "web_fetch_tool_result": _keys(f"{_RESULT} caller"),
    "advisor_tool_result": _keys(_RESULT),
    "code_execution_tool_result": _keys(_RESULT),
    "bash_code_execution_tool_result": _keys(_RESULT),
    "text_editor_code_execution_tool_result": _keys(_RESULT),
    "tool_search_tool_result": _keys(_RESULT),
    "mcp_tool_use": _keys("type id input name server_name cache_control"),
    "mcp_tool_result": _keys(f"{_RESULT} is_error"),
    "mcp_tool_listing": _keys("type mcp_server_name tools cache_control"),
    "container_upload": _keys("type file_id cache_control"),
    "compaction": _keys("type cache_control content encrypted_content signature tool_changes"),
    "fallback": _keys("type from to trigger"),
    "tool_addition": _keys("type tool cache_control"),
    "tool_removal": _keys("type tool cache_control"),
}
"""The content blocks of a request, by type."""

RESULTS: Final = frozenset(kind for kind in BLOCKS if kind.endswith("_tool_result"))
"""Blocks with the result of a call that the server runs."""

KEYS: Final = {
    "thinking": _keys("type budget_tokens display block_binding"),
    "metadata": _keys("user_id"),
    "diagnostics": _keys("previous_message_id"),
    "output_config": _keys("effort format task_budget"),
    "context_management": _keys("edits"),
    "compaction": _keys("type instructions"),
    "thread": _keys("type previous_message_id"),
    "billing_policy": _keys("type bill_to"),
    "tool_choice": _keys("type name disable_parallel_tool_use"),
    "cache_control": _keys("type ttl"),
}
"""Objects that stand at the top of a request under their name."""

_OPTIONS: Final = "type name allowed_callers cache_control defer_loading strict"
_SCREEN: Final = f"{_OPTIONS} input_examples display_height_px display_width_px display_number"
_SEARCH: Final = f"{_OPTIONS} allowed_domains blocked_domains max_uses user_location"
_FETCH: Final = f"{_OPTIONS} allowed_domains blocked_domains citations max_content_tokens max_uses url_sources"
TOOLS: Final = {
    "custom": _keys(f"{_OPTIONS} input_schema description eager_input_streaming input_examples"),
    "bash_20241022": _keys(f"{_OPTIONS} input_examples"),
    "bash_20250124": _keys(f"{_OPTIONS} input_examples"),
    "code_execution_20250522": _keys(_OPTIONS),
    "code_execution_20250825": _keys(_OPTIONS),
    "code_execution_20260120": _keys(_OPTIONS),
    "code_execution_20260521": _keys(_OPTIONS),
    "memory_20250818": _keys(f"{_OPTIONS} input_examples"),
    "computer_20241022": _keys(_SCREEN),
    "computer_20250124": _keys(_SCREEN),
    "computer_20251124": _keys(f"{_SCREEN} enable_zoom"),
    "computer_toolset_20260801": _keys("type cache_control configs"),
    "browser_toolset_20260801": _keys("type cache_control configs"),
    "text_editor_20241022": _keys(f"{_OPTIONS} input_examples"),
    "text_editor_20250124": _keys(f"{_OPTIONS} input_examples"),
    "text_editor_20250429": _keys(f"{_OPTIONS} input_examples"),
    "text_editor_20250728": _keys(f"{_OPTIONS} input_examples max_characters"),
    "web_search_20250305": _keys(_SEARCH),
    "web_search_20260209": _keys(_SEARCH),
    "web_search_20260318": _keys(f"{_SEARCH} response_inclusion"),
    "web_fetch_20250910": _keys(_FETCH),
    "web_fetch_20260209": _keys(_FETCH),
    "web_fetch_20260309": _keys(f"{_FETCH} use_cache"),
    "web_fetch_20260318": _keys(f"{_FETCH} use_cache response_inclusion"),
    "tool_search_tool_bm25_20251119": _keys(_OPTIONS),
    "tool_search_tool_bm25": _keys(_OPTIONS),
    "tool_search_tool_regex_20251119": _keys(_OPTIONS),
    "tool_search_tool_regex": _keys(_OPTIONS),
    "advisor_20260301": _keys(f"{_OPTIONS} model caching max_tokens max_uses"),
    "mcp_toolset": _keys("type mcp_server_name cache_control configs default_config tools"),
}
"""The types of tools, and their keys. A version that is not here is taken for a later one."""

TOOL_NAMES: Final = {
    "bash": "bash",
    "code_execution": "code_execution",
    "memory": "memory",
    "computer": "computer",
    "web_search": "web_search",
    "web_fetch": "web_fetch",
    "tool_search_tool_bm25": "tool_search_tool_bm25",
    "tool_search_tool_regex": "tool_search_tool_regex",
    "advisor": "advisor",
}
"""The one name that a built-in tool has, by its type without the date."""

FOREIGN_KEYS: Final = {
    "anthropic_version": "the version is a header: anthropic-version, which the endpoint sets",
    "anthropic_beta": "beta flags are a header: give them as betas=",
    "contents": "the turns are messages",
    "frequency_penalty": "this API has no such setting: leave it out",
    "function_call": "use tool_choice",
    "functions": "use tools, each with name, description and input_schema",
    "generationConfig": "max_tokens, stop_sequences and thinking are keys of the request itself",
    "input": "the turns are messages",
    "instructions": "the system prompt is system",
    "logit_bias": "this API has no such setting: leave it out",
    "logprobs": "this API gives no probabilities: leave it out",
    "max_completion_tokens": "use max_tokens",
    "max_output_tokens": "use max_tokens",
    "max_tokens_to_sample": "use max_tokens",
    "n": "this API gives one answer to a request: leave it out",
    "parallel_tool_calls": 'use tool_choice: {"type": "auto", "disable_parallel_tool_use": true}',
    "presence_penalty": "this API has no such setting: leave it out",
    "prompt": "the turns are messages",
    "reasoning": 'use thinking: {"type": "adaptive"}, and output_config.effort',
    "reasoning_effort": "use output_config.effort",
    "response_format": 'use output_config: {"format": {"type": "json_schema", "schema": ...}}',
    "seed": "this API has no such setting: leave it out",
    "stop": "use stop_sequences, a list",
    "store": "this API has no such setting: leave it out",
    "stream_options": "usage always comes with the stream: leave it out",
    "system_prompt": "use system",
    "systemInstruction": "use system",
    "top_logprobs": "this API gives no probabilities: leave it out",
    "user": "use metadata.user_id",
}
"""Keys of other APIs at the top of a request, and what this API has for it."""

FOREIGN_MESSAGE_KEYS: Final = {
    "tool_calls": "calls are tool_use blocks of the content",
    "function_call": "calls are tool_use blocks of the content",
    "tool_call_id": "results are tool_result blocks in a user's turn, with tool_use_id",
    "name": "this API has no names of speakers: leave it out",
    "refusal": "leave it out",
    "parts": "the content of a turn is content",
    "reasoning_content": "thinking is a thinking block of the content, with its signature",
    "cache_control": "cache_control stands on a content block",
}
FOREIGN_BLOCKS: Final = {
    "image_url": 'use {"type": "image", "source": {"type": "url", "url": ...}}; image() makes it',
    "input_image": 'use {"type": "image", "source": {"type": "url", "url": ...}}; image() makes it',
    "input_text": "use text",
    "output_text": "use text",
    "input_audio": "this API takes no audio",
    "input_file": "use document; document() makes it",
    "file": "use document; document() makes it",
    "pdf": "use document; document() makes it",
    "function_call": "use tool_use, with id, name and input",
    "tool_call": "use tool_use, with id, name and input",
    "tool-call": "use tool_use, with id, name and input",
    "function_call_output": "use tool_result, with tool_use_id and content; tool_result() makes it",
    "tool-result": "use tool_result, with tool_use_id and content; tool_result() makes it",
    "reasoning": "use the thinking block as the API gave it, with its signature",
    "text_delta": "this is a piece of a stream: send the block that the pieces make",
    "input_json_delta": "this is a piece of a stream: send the block that the pieces make",
    "thinking_delta": "this is a piece of a stream: send the block that the pieces make",
    "signature_delta": "this is a piece of a stream: send the block that the pieces make",
    "citations_delta": "this is a piece of a stream: send the block that the pieces make",
    "compaction_delta": "this is a piece of a stream: send the block that the pieces make",
}
FOREIGN_TOOL_KEYS: Final = {
    "function": "name, description and input_schema stand in the tool itself",
    "parameters": "use input_schema",
    "inputSchema": "use input_schema",
    "schema": "use input_schema",
}
