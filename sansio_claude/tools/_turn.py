"""An answer as the tool loop's history keeps it, and what may be run of it. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sansio_claude._errors import LocalProtocolError
from sansio_claude._json import WRITTEN_DEPTH, dumps, without_halves
from sansio_claude._message.blocks import TextBlock
from sansio_claude._message.message import Message
from sansio_claude._message.tool_blocks import ToolInputBlock, ToolUseBlock
from sansio_claude._request.continuation import next_step, whole_blocks
from sansio_claude._request.param import param_of

__all__ = [
    "INVALID",
    "UNNAMED",
    "Ids",
    "blocks_of",
    "close_turn",
    "is_whole",
    "last_turn",
    "last_turn_of",
    "may_run",
    "named_turn_of",
    "plain",
    "refusal_of",
    "turn_of",
]

INVALID: Final = "INVALID_JSON"
"""The key under which an input that is no JSON object is sent back, as the API's documentation advises."""

UNNAMED: Final = "unnamed_tool"
"""The name with which a call without one is sent back, since the API refuses it otherwise."""

_CALLS: Final = ("tool_use", "server_tool_use", "mcp_tool_use")
_THINKING: Final = ("thinking", "redacted_thinking")
_TOLD: Final = 50  # names of tools that a model is told which called one that is not there


def is_whole(block: ToolInputBlock) -> bool:
    """Whether a call's input is one whole JSON object, and one that the next request can carry as it is."""
    return _fault_of(block) is None


def _fault_of(block: ToolInputBlock) -> str | None:
    """Why a call cannot be run with its input; None where it can."""
    if block.input_status != "complete" or not isinstance(block.input, dict):
        return "is not one whole JSON object"
    try:
        dumps(block.input)  # a lone surrogate or 1e400 is legal JSON text, and a value no request can have
    except LocalProtocolError as error:
        return f"cannot be sent back ({error.message})"
    return None


def turn_of(content: Iterable[Any]) -> list[dict[str, Any]]:
    """The blocks of an answer as the history keeps them."""
    return named_turn_of(content, Ids())[0]


class Ids:
    """The ids of the calls of a conversation: each is there once, so that each result has one call."""

    def __init__(self, history: Iterable[Mapping[str, Any]] = ()) -> None:
        self._known: set[str] = set()
        self._made = 0
        for block in blocks_of(history):
            if block.get("type") in _CALLS and isinstance(block.get("id"), str):
                self._known.add(block["id"])

    def keep(self, blocks: Iterable[Any]) -> None:
        """Take the ids of the calls of the server, whose results stand beside them: they stay as they are."""
        for block in blocks:
            if isinstance(block, ToolInputBlock) and not isinstance(block, ToolUseBlock):
                self._known.add(block.id)

    def take(self, given: Any) -> str:
        """The id itself where it is a text that no other call has, else one of the loop's own. Amortised O(1)."""
        found: str = given if isinstance(given, str) and given else ""
        while not found or found in self._known:
            self._made += 1
            found = f"call_{self._made}"
        self._known.add(found)
        return found


def named_turn_of(content: Iterable[Any], ids: Ids) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The blocks of an answer as the history keeps them, and the client's calls that cannot be run: id and reason.

    Each client's call gets an id that no other call of the conversation has (see `Ids.take`). Linear.
    """
    kept: list[dict[str, Any]] = []
    broken: dict[str, str] = {}
    content = list(content)
    ids.keep(content)
    for block in content:
        if isinstance(block, TextBlock) and not block.text.strip() and not block.citations:
            continue
        fault = _fault_of(block) if isinstance(block, ToolInputBlock) else None
        if isinstance(block, ToolInputBlock) and fault is not None:
            raw = block.to_dict()
            came = block.input_json
            given = raw.get("input")
            text = came if came or given == {"$incomplete_json": ""} else _written(given)
            written = without_halves({**raw, "input": {INVALID: text.encode("utf-8", "replace").decode()}})
        else:
            written = block.to_param()
        if isinstance(block, ToolUseBlock):
            taken = ids.take(written.get("id"))
            if written.get("id") != taken:
                written = {**written, "id": taken}
            if not written.get("name"):
                written = {**written, "name": UNNAMED}
            if fault is not None:
                broken[taken] = fault
        kept.append(written)
    return kept, broken


def may_run(stop_reason: str | None, before: Iterable[Mapping[str, Any]], content: Iterable[Any]) -> bool:
    """Whether the client's calls of a turn are run although its stop reason is not "tool_use". Linear.

    `before` are the turn's paused parts as the history has them, `content` the blocks of its last part. Gateways write
    "end_turn" or "stop_sequence" below answers with calls. Such calls are run if each of them is whole and the model's
    own (`caller` absent or direct) and nothing but calls stands behind it. Under "stop_sequence", which may have cut
    the answer, each input must also have arrived as text.
    """
    if stop_reason not in ("end_turn", "stop_sequence"):
        return False
    needs_text = stop_reason == "stop_sequence"
    called = False
    for raw in before:
        if raw.get("type") == "tool_use":
            called = True
            if needs_text or not isinstance(raw.get("input"), dict) or not _is_direct(raw.get("caller")):
                return False
        elif called:
            return False
    for block in content:
        if isinstance(block, ToolUseBlock):
            called = True
            if not is_whole(block) or not _is_direct(block.raw.get("caller")):
                return False
            if needs_text and not block.input_json.strip():
                return False
        elif called:
            return False
    return called


def _is_direct(caller: Any) -> bool:
    return caller is None or (isinstance(caller, dict) and caller.get("type") == "direct")


def _written(value: Any) -> str:
    try:
        return dumps(value).decode()
    except LocalProtocolError:
        return json.dumps(value)  # with the escapes of half characters that came


def last_turn_of(message: Message) -> list[dict[str, Any]]:
    """What the history keeps of an answer that ends the run; nothing of a refused one.

    All of it, unless it has calls that were not run or is cut: then what is whole before that.
    """
    step = next_step(message.stop_reason)
    if step == "refused":
        return []
    cut = step in ("cut", "context_full")
    open_calls = bool(message.tool_uses) or any(
        isinstance(block, ToolInputBlock) and not is_whole(block) for block in message.content
    )
    return turn_of(whole_blocks(message.content, cut=cut) if cut or open_calls else message.content)


def last_turn(history: Sequence[Mapping[str, Any]], start: int) -> list[dict[str, Any]]:
    """The blocks of the assistant's turn at the end of the history: paused parts, or the answer just added."""
    return list(blocks_of(history[_begin_of_turn(history, start) :]))


def _begin_of_turn(history: Sequence[Mapping[str, Any]], start: int) -> int:
    first = len(history)
    while first > start and history[first - 1]["role"] == "assistant":
        first -= 1
    return first


def blocks_of(messages: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """The content blocks of some messages; whatever else stands there is passed over."""
    for message in messages:
        content = message.get("content") if isinstance(message, Mapping) else None
        if isinstance(content, list):
            yield from (block for block in content if isinstance(block, dict))


def close_turn(history: list[dict[str, Any]], *, keep: bool, start: int = 0) -> None:
    """Change the last turn, with its paused parts, so that a user's turn may follow it; nothing before `start` changes.

    Without `keep` the turn is removed. Else a call whose result never came is removed, with all that follows it. A
    compaction at its beginning stays: it stands for everything before it. Linear in the turn.
    """
    first = _begin_of_turn(history, start)
    blocks = list(blocks_of(history[first:]))
    summed_up = bool(blocks) and blocks[0].get("type") == "compaction"
    if not keep:
        del history[first + summed_up :]
        return
    kept = _closed(blocks)
    if len(kept) == len(blocks):
        return
    # An answer may not end in thinking.
    while kept and kept[-1].get("type") in _THINKING:
        kept.pop()
    del history[first:]
    if kept:
        history.append({"role": "assistant", "content": kept})


def _closed(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The longest beginning in which every call has its result."""
    answered: set[str] = set()
    waiting: set[str] = set()
    length = 0
    for place, block in enumerate(blocks, 1):
        result, call = block.get("tool_use_id"), block.get("id")
        if isinstance(result, str):
            answered.add(result)
            waiting.discard(result)
        if block.get("type") in _CALLS:
            if not isinstance(call, str):
                break
            if call not in answered:
                waiting.add(call)
        if not waiting:
            length = place
    return blocks[:length]


def refusal_of(name: str, names: Sequence[Any] | None, *, broken: str | None) -> str | None:
    """What the model is told of a call that cannot be run; None for one that can.

    `broken` is why its input cannot be used. `names` are the tools that there are where this one is not among them,
    else None; the first 50 are told.
    """
    if names is not None:
        told = [str(name) for name in names if name]
        known = ", ".join(told[:_TOLD]) + (f" and {len(told) - _TOLD} more" if len(told) > _TOLD else "")
        there = f"The tools are: {known}." if known else "There are no tools."
        wrong = "This call has no name." if name == UNNAMED else f"There is no tool named {name!r:.80}."
        return (
            f"Error: {wrong} {there} "
            "If none of them seems to fit, a fuller description of what is needed, or of the tools, would help: say so."
        )
    if broken is not None:
        return (
            f"Error: The input of this call of {name} {broken}, so it was not run. Its text stands under the key "
            f"{INVALID}. Call the tool again with its whole input as valid JSON."
        )
    return None


def plain(value: Any) -> Any:
    """A detached copy in dicts and lists; objects with `to_param()` and pydantic models become what is sent for them.

    Raises LocalProtocolError for what is nested too deep to be sent, or contains itself.
    """
    try:
        return _copied(value)
    except RecursionError:
        pass
    raise LocalProtocolError(f"the value nests deeper than {WRITTEN_DEPTH}, or than the stack allows")


def _copied(value: Any) -> Any:
    # Loops, since a comprehension takes another frame of the stack for each level.
    if isinstance(value, Mapping) or not isinstance(value, str | int | float | list | tuple | None):
        value = param_of(value)
    if isinstance(value, Mapping):
        copied = {}
        for key, item in value.items():
            copied[key] = _copied(item)
        return copied
    if isinstance(value, list | tuple):
        items = []
        for item in value:
            items.append(_copied(item))
        return items
    return value
