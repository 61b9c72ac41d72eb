"""What the API accepts as a conversation, as a checker: `problems(messages)` names what it would refuse.

Written from the API's documented rules on turns, tool calls and their results, thinking, and server tools; it knows
nothing of how the library makes a history.
"""

from __future__ import annotations

import json
from typing import Any

Block = dict[str, Any]
CALLS_OF_THE_SERVER = ("server_tool_use", "mcp_tool_use")


def problems(messages: list[dict[str, Any]], *, paused: bool = False) -> list[str]:
    """Everything that is wrong with a request's messages; empty when the API would take them.

    `paused`: the last turn is a paused answer that goes back unchanged, whatever it calls.
    """
    found: list[str] = []
    if not messages:
        return ["no messages"]
    try:
        json.dumps(messages, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        found.append(f"no JSON: {error}")
    if messages[0]["role"] != "user" and _blocks(messages[0])[0]["type"] != "compaction":
        found.append("the first turn is not the user's")
    seen: set[str] = set()
    turns = _joined(messages)
    for number, (role, blocks) in enumerate(turns):
        before = turns[number - 1] if number else ("", [])
        last = number == len(turns) - 1
        place = "paused" if last and paused else "last" if last else ""
        found += [f"turn {number}: {words}" for words in _turn_problems(role, blocks, before, seen, place)]
    return found


def _blocks(message: dict[str, Any]) -> list[Block]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _joined(messages: list[dict[str, Any]]) -> list[tuple[str, list[Block]]]:
    """The API takes turns of the same role in a row as one."""
    turns: list[tuple[str, list[Block]]] = []
    for message in messages:
        if turns and turns[-1][0] == message["role"]:
            turns[-1][1].extend(_blocks(message))
        else:
            turns.append((message["role"], _blocks(message)))
    return turns


def _turn_problems(
    role: str, blocks: list[Block], before: tuple[str, list[Block]], seen: set[str], place: str
) -> list[str]:
    found: list[str] = []
    if role not in ("user", "assistant"):
        found.append(f"unknown role {role}")
    if not blocks:
        found.append("no content")
    for block in blocks:
        if block["type"] == "text" and not block["text"].strip():
            found.append("a text without text")
        if block["type"] == "thinking" and not block.get("signature"):
            found.append("thinking without its signature")
        if "$incomplete_json" in str(block):
            found.append("a mark that is not the API's")
    asked = [block["id"] for block in before[1] if block["type"] == "tool_use"] if role == "user" else []
    results = [block for block in blocks if block["type"] == "tool_result"]
    if [block["tool_use_id"] for block in results] != asked:
        found.append(f"results {[block['tool_use_id'] for block in results]} for calls {asked}")
    if results and blocks[: len(results)] != results:
        found.append("results do not stand first")
    if role == "assistant":
        found += _assistant_problems(blocks, seen, place)
    return found


def _assistant_problems(blocks: list[Block], seen: set[str], place: str) -> list[str]:
    found: list[str] = []
    if blocks and blocks[-1]["type"] in ("thinking", "redacted_thinking"):
        found.append("it ends in thinking")
    answered = {block.get("tool_use_id") for block in blocks}
    for block in blocks:
        if block["type"] == "tool_use" or block["type"] in CALLS_OF_THE_SERVER:
            if not isinstance(block.get("input"), dict):
                found.append("an input that is no object")
            if block["id"] in seen:
                found.append(f"the id {block['id']} twice")
            seen.add(block["id"])
        if block["type"] == "tool_use" and place == "last":
            found.append("a call at the end that has no result")
        if block["type"] in CALLS_OF_THE_SERVER and block["id"] not in answered and not place:
            if not any(other["type"] == "tool_use" for other in blocks):
                found.append("a server's call without its result, not at the end")
    return found
