"""An answer as the tool loop's history keeps it, and what may be run of it. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sansio_claude._blocks import TextBlock
from sansio_claude._continue import next_step, whole_blocks
from sansio_claude._errors import LocalProtocolError
from sansio_claude._json import dumps
from sansio_claude._message import Message
from sansio_claude._tool_blocks import ToolInputBlock

__all__ = ["INVALID", "close_turn", "is_whole", "last_turn_of", "plain", "refusal_of", "turn_of"]

INVALID: Final = "INVALID_JSON"
"""The key under which an input that is no JSON object is sent back, as the API's documentation advises."""

_SERVER_CALLS: Final = ("server_tool_use", "mcp_tool_use")


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


def close_turn(history: list[dict[str, Any]], *, keep: bool) -> None:
    """Make the last turn, paused parts included, one that a user's turn may follow. Changes the list.

    Without `keep` the turn goes. Else a server's call whose result never came goes, with all that stands behind it.
    """
    first = len(history)
    while first and history[first - 1]["role"] == "assistant":
        first -= 1
    turn = history[first:]
    blocks = [block for message in turn for block in message["content"] if isinstance(block, dict)]
    if any(block.get("type") == "compaction" for block in blocks[:1]):
        return  # it stands for everything before it
    answered = {block.get("tool_use_id") for block in blocks}
    is_open = [block.get("type") in _SERVER_CALLS and block.get("id") not in answered for block in blocks]
    if keep and not any(is_open):
        return
    del history[first:]
    if keep and (kept := blocks[: is_open.index(True)]):
        history.append({"role": "assistant", "content": kept})


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
    """A detached copy in dicts and lists; objects with `to_param()` become what goes onto the wire for them."""
    if hasattr(value, "to_param") and not isinstance(value, type):
        value = value.to_param()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
