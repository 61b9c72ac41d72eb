"""Rules of `check()` about calls of tools and their results.

Sources: platform.claude.com/docs/en/agents-and-tools/tool-use for calls of the client and the order of results;
reports of the API's answers, therefore warnings, for ids that are used twice ("tool_use ids must be unique"), for
calls that the server runs and that have no result, and for a turn that ends in thinking.
"""

from __future__ import annotations

from typing import Any

from sansio_claude._check.blocks import turns_of, type_of
from sansio_claude._check.problem import Problem, Problems, Subject
from sansio_claude._check.shapes import RESULTS

__all__ = ["check_calls"]

_THINKING = ("thinking", "redacted_thinking")


def check_calls(subject: Subject) -> Problems:
    """Problems of calls, results, and the ends of turns."""
    turns = [
        (index, role, [b if isinstance(b, dict) else {} for b in blocks]) for index, role, blocks in turns_of(subject)
    ]
    yield from _results(turns)
    yield from _twice(turns)
    yield from _server_calls(turns)
    for index, role, blocks in turns:
        if role == "assistant" and blocks and type_of(blocks[-1]) in _THINKING:
            path = f"messages[{index}].content[{len(blocks) - 1}]"
            yield Problem(
                "warning", path, "an assistant's turn cannot end in thinking", "remove the block, or the turn"
            )


_Turns = list[tuple[int, str, list[dict[str, Any]]]]


def _results(turns: _Turns) -> Problems:
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
            kind = type_of(block)
            if role == "assistant" and kind == "tool_use":
                waiting[str(block.get("id"))] = place
            elif role == "user" and kind == "tool_result":
                call = str(block.get("tool_use_id"))
                if call in answered:
                    yield Problem("error", place, "this tool_use has two results", "leave one out")
                elif waiting.pop(call, None) is None:
                    words = "no tool_use in the turn before has the id of this tool_result"
                    yield Problem("error", place, words, "remove it; fit_messages() does")
                elif talk and before == "assistant":
                    words = "tool_results have to stand before everything else in their turn"
                    yield Problem("error", place, words, "move them to the beginning of the turn")
                answered.add(call)
            else:
                talk = True
        before = role
    yield from _missing(waiting)


def _missing(waiting: dict[str, str]) -> Problems:
    for place in waiting.values():
        hint = "put it into the user's turn behind; for a tool that failed, one with is_error"
        yield Problem("error", place, "this tool_use has no tool_result", hint)


def _twice(turns: _Turns) -> Problems:
    seen: set[str] = set()
    for index, role, blocks in turns:
        for number, block in enumerate(blocks if role == "assistant" else ()):
            call = block.get("id")
            if type_of(block) in ("tool_use", "server_tool_use", "mcp_tool_use") and isinstance(call, str):
                if call in seen:
                    path = f"messages[{index}].content[{number}].id"
                    yield Problem("warning", path, "another call has this id", "rename it here and in its result")
                seen.add(call)


def _server_calls(turns: _Turns) -> Problems:
    """A call that the server ran has its result in the conversation, except in the last answer, which goes on."""
    last = max((place for place, (_, role, _) in enumerate(turns) if role == "assistant"), default=-1)
    results = {
        block["tool_use_id"]
        for _, role, blocks in turns
        if role == "assistant"
        for block in blocks
        if type_of(block) in RESULTS and isinstance(block.get("tool_use_id"), str)
    }
    behind = turns[last + 1 :]
    waits = not behind or any(type_of(block) == "tool_result" for _, _, blocks in behind for block in blocks)
    for place, (index, role, blocks) in enumerate(turns):
        if role != "assistant" or (place == last and waits):
            continue
        for number, block in enumerate(blocks):
            call = block.get("id")
            if not isinstance(call, str):
                continue  # said elsewhere
            if type_of(block) in ("server_tool_use", "mcp_tool_use") and call not in results:
                path = f"messages[{index}].content[{number}]"
                words = "this call, which the server runs, has no result"
                yield Problem("warning", path, words, "remove it; fit_messages() does")
