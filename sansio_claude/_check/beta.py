"""Rules of `check()` about beta flags: those without effect, misspelt ones, and parameters that need one.

Source of the flags: `AnthropicBetaParam` of the official Python SDK 2.14.0, which since 2.9.0 (16 November 2026)
also marks those without effect. That a parameter without its flag is refused is the reference's word; gateways may
add the flag themselves, therefore a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from sansio_claude._check.blocks import turns_of, type_of
from sansio_claude._check.model import INTERLEAVED, REFUSAL
from sansio_claude._check.nearest import nearest
from sansio_claude._check.problem import Problem, Problems, Subject, shown

__all__ = ["FLAGS", "check_beta"]

_FLAGS: Final = """
advisor-tool-2026-03-01 agent-memory-2026-07-22 cache-diagnosis-2026-04-07 code-execution-2025-05-22
compact-2026-01-12 compact-2026-09-04 computer-use-2024-10-22 computer-use-2025-01-24 computer-use-2025-11-24
context-1m-2025-08-07 context-management-2025-06-27 dangerous-tool-use-2026-09-03 dev-full-thinking-2025-05-14
extended-cache-ttl-2025-04-11 fallback-credit-2026-06-01 fallback-credit-2026-07-01 fast-mode-2026-02-01
files-api-2025-04-14 fine-grained-tool-streaming-2025-05-14 inline-tools-2026-09-15
interleaved-thinking-2025-05-14 mcp-client-2025-04-04 mcp-client-2025-11-20 mcp-client-2026-09-15
message-batches-2024-09-24 message-threads-2026-08-12 mid-conversation-output-config-2026-07-01
mid-conversation-system-clear-at-2026-08-21 mid-conversation-tool-changes-2026-07-01
model-context-window-exceeded-2025-08-26 output-128k-2025-02-19 output-300k-2026-03-24 pdfs-2024-09-25
prompt-caching-2024-07-31 server-side-fallback-2026-06-01 server-side-fallback-2026-07-01 skills-2025-10-02
structured-outputs-2025-11-13 task-budgets-2026-03-13 thinking-binding-controls-2026-08-01
thinking-display-updates-2026-08-18 thinking-token-count-2026-05-13 token-counting-2024-11-01
token-efficient-tools-2025-02-19 user-profiles-2026-03-24 user-profiles-2026-08-18 user-profiles-2026-09-04
user-profiles-billing-2026-10-01
"""
FLAGS: Final = frozenset(_FLAGS.split())
"""The flags that matter for messages; others are for other parts of the API."""

_NO_EFFECT: Final = (
    "prompt-caching-2024-07-31",
    "pdfs-2024-09-25",
    "token-counting-2024-11-01",
    "extended-cache-ttl-2025-04-11",
    "cache-diagnosis-2026-04-07",
    "message-batches-2024-09-24",
)
_ONLY_3_7: Final = ("output-128k-2025-02-19", "token-efficient-tools-2025-02-19")
_DATE: Final = re.compile(r"-\d{4}-\d{2}-\d{2}\Z")

# Parameters that need a beta flag: path, beginning of the flag's name, the flag itself in words.
_PARAMETERS: Final = (
    ("compaction", "compact-", "compact-2026-09-04"),
    ("mcp_servers", "mcp-client-", "mcp-client-2025-11-20"),
    ("fallbacks", "server-side-fallback-", "server-side-fallback-2026-07-01"),
    ("fallback_credit_token", "fallback-credit-", "fallback-credit-2026-07-01"),
    ("thread", "message-threads-", "message-threads-2026-08-12"),
    ("billing_policy", "user-profiles-billing-", "user-profiles-billing-2026-10-01"),
    ("safeguards", "dangerous-tool-use-", "dangerous-tool-use-2026-09-03"),
    ("thinking.block_binding", "thinking-binding-controls-", "thinking-binding-controls-2026-08-01"),
    ("output_config.task_budget", "task-budgets-", "task-budgets-2026-03-13"),
)
_TOOLS: Final = {
    "mcp_toolset": ("mcp-client-", "mcp-client-2025-11-20"),
    "advisor_20260301": ("advisor-tool-", "advisor-tool-2026-03-01"),
    "computer_20241022": ("computer-use-", "computer-use-2024-10-22"),
    "computer_20250124": ("computer-use-", "computer-use-2025-01-24"),
    "computer_20251124": ("computer-use-", "computer-use-2025-11-24"),
    "bash_20241022": ("computer-use-", "computer-use-2024-10-22"),
    "text_editor_20241022": ("computer-use-", "computer-use-2024-10-22"),
}


def check_beta(subject: Subject) -> Problems:
    """Problems of the beta flags, and of parameters, tools and blocks that need one which is not there."""
    yield from _without_effect(subject)
    yield from _of_the_model(subject)
    for flag in subject.betas:
        meant = None if flag in FLAGS else nearest(flag, FLAGS, cutoff=0.9)
        # The same name with another date is a later version.
        if meant is not None and _DATE.sub("", flag) != _DATE.sub("", meant):
            yield Problem("warning", "betas", f"{shown(flag)} is no known beta flag", f"did you mean {meant}?")
    for path, start, flag in _needed(subject):
        if not subject.beta(start) and not (path == "context_management" and subject.beta("compact-")):
            yield Problem("warning", path, f"{path} is beta and there is no flag for it", f"add {flag} to betas")


def _without_effect(subject: Subject) -> Problems:
    for flag in subject.betas:
        if flag in _NO_EFFECT:
            yield Problem("info", "betas", f"{flag} has no effect any more", "remove it")


def _of_the_model(subject: Subject) -> Problems:
    info = subject.info
    if info is None:
        return
    left = [flag for flag in _ONLY_3_7 if flag in subject.betas and info.generation != (3, 7)]
    for flag in left:
        yield Problem(
            "warning", "betas", f"{flag} works on Claude Sonnet 3.7 only and does nothing on {info.name}", "remove it"
        )
    if INTERLEAVED in subject.betas and info.interleaved is not None:
        if not info.interleaved:
            words = f"{INTERLEAVED} does nothing on {info.name}: it is for Claude 4 and 4.5"
            yield Problem("warning", "betas", words, "remove it")
        elif "flag" not in info.interleaved or ("adaptive" in info.interleaved and subject.thinking != "enabled"):
            words = f"{INTERLEAVED} is ignored on {info.name}: adaptive thinking interleaves by itself"
            yield Problem("info", "betas", words, "remove it")
    # Where the flag was made for the model, gateways that follow older documents may still need it.
    if subject.beta("context-1m-") and info.context_window_flag is None and (info.context_window or 0) >= 1_000_000:
        yield Problem("info", "betas", f"{info.name} has a context of 1M tokens without a flag", "remove the flag")
    if info.generation >= (4, 0) and (left or _old_editor(subject)):
        yield Problem("info", "", "this request was written for Claude Sonnet 3.7", REFUSAL)


def _old_editor(subject: Subject) -> bool:
    tools = subject.body.get("tools")
    names = [tool.get("name") for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    return "str_replace_editor" in names


def _needed(subject: Subject) -> Iterator[tuple[str, str, str]]:
    """What is beta in the request: its path, the beginning of the flag's name, and the flag."""
    body = subject.body
    if body.get("context_management") is not None:
        yield "context_management", "context-management-", "context-management-2025-06-27 or compact-2026-01-12"
    for path, start, flag in _PARAMETERS:
        name, _, inner = path.partition(".")
        value: Any = body.get(name)
        if inner:
            value = value.get(inner) if isinstance(value, dict) else None
        if value is not None:
            yield path, start, flag
    thinking = body.get("thinking")
    if isinstance(thinking, dict) and thinking.get("display") == "updates":
        yield "thinking.display", "thinking-display-updates-", "thinking-display-updates-2026-08-18"
    tools = body.get("tools")
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        kind = tool.get("type") if isinstance(tool, dict) else None
        if isinstance(kind, str) and kind in _TOOLS:
            yield (f"tools[{index}].type", *_TOOLS[kind])
    yield from _needed_in_messages(subject)


def _needed_in_messages(subject: Subject) -> Iterator[tuple[str, str, str]]:
    messages = subject.body.get("messages")
    if not isinstance(messages, list):
        return
    name = "mid-conversation-"
    for index, role, blocks in turns_of(subject):
        message = messages[index]
        if role == "system" and message.get("clear_at") is not None:
            yield f"messages[{index}].clear_at", f"{name}system-clear-at-", f"{name}system-clear-at-2026-08-21"
        if role == "system" and message.get("output_config") is not None:
            yield f"messages[{index}].output_config", f"{name}output-config-", f"{name}output-config-2026-07-01"
        for number, block in enumerate(blocks):
            if isinstance(block, dict) and type_of(block) in ("tool_addition", "tool_removal"):
                path = f"messages[{index}].content[{number}]"
                yield path, f"{name}tool-changes-", f"{name}tool-changes-2026-07-01"
                tool = block.get("tool")
                if isinstance(tool, dict) and type_of(tool) == "tool_definition":
                    yield f"{path}.tool", "inline-tools-", "inline-tools-2026-09-15"
