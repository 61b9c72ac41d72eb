"""An answer as the tool loop's history keeps it, and what may be run of it. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sansio_claude._errors import LocalProtocolError
from sansio_claude._json import WRITTEN_DEPTH, dumps
from sansio_claude._message.blocks import TextBlock, block_from_dict
from sansio_claude._message.message import Message
from sansio_claude._message.tool_blocks import ToolInputBlock, ToolUseBlock
from sansio_claude._request.continuation import next_step, whole_blocks

__all__ = ["INVALID", "calls_of_last_turn", "close_turn", "is_whole", "last_turn_of", "plain", "refusal_of", "turn_of"]

INVALID: Final = "INVALID_JSON"
"""The key under which an input that is no JSON object is sent back, as the API's documentation advises."""

_CALLS: Final = ("tool_use", "server_tool_use", "mcp_tool_use")
_THINKING: Final = ("thinking", "redacted_thinking")


def is_whole(block: ToolInputBlock) -> bool:
    """Whether a call's input is one whole JSON object, and one that the next request can carry as it is."""
    if block.input_status != "complete" or not isinstance(block.input, dict):
        return False
    try:
        dumps(block.input)  # a lone surrogate or 1e400 is legal JSON text, and a value no request can have
    except LocalProtocolError:
        return False
    return True


def turn_of(content: Iterable[Any]) -> list[dict[str, Any]]:
    """The blocks of an answer as the history keeps them."""
    kept: list[dict[str, Any]] = []
    for block in content:
        if isinstance(block, TextBlock) and not block.text.strip() and not block.citations:
            continue
        if isinstance(block, ToolInputBlock) and not is_whole(block):
            raw = block.to_dict()
            came = block.input_json
            text = came if came or block.input_status != "complete" else _written(raw.get("input"))
            kept.append({**raw, "input": {INVALID: text.encode("utf-8", "replace").decode()}})
        else:
            kept.append(block.to_param())
    return kept


def _written(value: Any) -> str:
    try:
        return dumps(value).decode()
    except LocalProtocolError:
        return ascii(value)


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


def calls_of_last_turn(history: Sequence[Mapping[str, Any]], start: int) -> list[ToolUseBlock]:
    """The client's calls in the turn at the end of the history, which a paused answer leaves without results."""
    blocks = (block_from_dict(plain(block)) for block in _blocks_from(history, _begin_of_turn(history, start)))
    return [block for block in blocks if isinstance(block, ToolUseBlock)]


def _begin_of_turn(history: Sequence[Mapping[str, Any]], start: int) -> int:
    first = len(history)
    while first > start and history[first - 1]["role"] == "assistant":
        first -= 1
    return first


def _blocks_from(history: Sequence[Mapping[str, Any]], first: int) -> list[dict[str, Any]]:
    contents = [message["content"] for message in history[first:]]
    return [block for content in contents if isinstance(content, list) for block in content if isinstance(block, dict)]


def close_turn(history: list[dict[str, Any]], *, keep: bool, start: int = 0) -> None:
    """Make the last turn, paused parts included, one that a user's turn may follow. Changes the list from `start` on.

    Without `keep` the turn goes. Else a call whose result never came goes, with all that stands behind it. A compaction
    at its beginning stays: it stands for everything before it.
    """
    first = _begin_of_turn(history, start)
    blocks = _blocks_from(history, first)
    summed_up = bool(blocks) and blocks[0].get("type") == "compaction"
    if not keep:
        del history[first + summed_up :]
        return
    kept = blocks
    while (place := _first_open(kept)) is not None:
        kept = kept[:place]
    if kept is blocks:
        return
    # An answer may not end in thinking.
    while kept and kept[-1].get("type") in _THINKING:
        kept.pop()
    del history[first:]
    if kept:
        history.append({"role": "assistant", "content": kept})


def _first_open(blocks: Sequence[Mapping[str, Any]]) -> int | None:
    """The place of the first call without a result."""
    answered = {block.get("tool_use_id") for block in blocks}
    for place, block in enumerate(blocks):
        if block.get("type") in _CALLS and block.get("id") not in answered:
            return place
    return None


def refusal_of(name: str, names: Sequence[Any] | None, *, broken: bool) -> str | None:
    """What the model is told of a call that cannot be run; None for one that can.

    `names` are the tools that there are where this one is not among them, else None.
    """
    if names is not None:
        known = ", ".join(str(name) for name in names if name)
        there = f"The tools are: {known}." if known else "There are no tools."
        return (
            f"Error: There is no tool named {name!r:.80}. {there} "
            "If none of them seems to fit, a fuller description of what is needed, or of the tools, would help: say so."
        )
    if broken:
        return (
            f"Error: The input of this call of {name} is not one whole JSON object, so it was not run. Its text stands "
            f"under the key {INVALID}. Call the tool again with its whole input as valid JSON."
        )
    return None


def plain(value: Any) -> Any:
    """A detached copy in dicts and lists; objects with `to_param()` become what goes onto the wire for them.

    Raises LocalProtocolError for what is nested too deep to be sent, or contains itself.
    """
    try:
        return _copied(value)
    except RecursionError:
        pass
    raise LocalProtocolError(f"the value nests deeper than {WRITTEN_DEPTH}, or than the stack allows")


def _copied(value: Any) -> Any:
    # Loops, since a comprehension takes another frame of the stack for each level.
    if hasattr(value, "to_param") and not isinstance(value, type):
        value = value.to_param()
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
