"""The same answer from every side: what is compared before anything is timed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["WrongAnswer", "digest_of_events", "digest_of_message", "same"]

Digest = list[tuple[str, Any]]


class WrongAnswer(Exception):
    """Two sides of a comparison disagree: there is nothing to time."""


def same(side: str, found: object, expected: object) -> None:
    """Raises WrongAnswer where `found` is not `expected`."""
    if found != expected:
        raise WrongAnswer(f"{side} gives {str(found)[:300]} and not {str(expected)[:300]}")


def _plain(value: Any) -> Any:
    return value.to_dict() if hasattr(value, "to_dict") else value


_MEANT: dict[str, Callable[[dict[str, Any]], tuple[Any, ...]]] = {
    "text": lambda block: (block["text"], [c["cited_text"] for c in block.get("citations") or ()]),
    "thinking": lambda block: (block["thinking"], block["signature"]),
}


def digest_of_message(message: Any) -> Digest:
    """What every client must agree on: each block's type and matter, the stop reason, the output tokens."""
    plain: dict[str, Any] = _plain(message)
    digest: Digest = []
    for block in plain["content"]:
        kind = block["type"]
        meant = _MEANT.get(kind)
        if meant is not None:
            digest.append((kind, meant(block)))
        elif kind.endswith("tool_use"):
            digest.append((kind, (block["id"], block["name"], block["input"])))
        else:
            digest.append((kind, [item["encrypted_content"] for item in block["content"]]))
    digest.append(("stop_reason", plain["stop_reason"]))
    digest.append(("output_tokens", plain["usage"]["output_tokens"]))
    return digest


def digest_of_events(events: Iterable[Any]) -> dict[int, str]:
    """For clients that do not accumulate: all delta text by block index."""
    texts: dict[int, str] = {}
    for event in events:
        if event.type == "content_block_delta":
            delta = _plain(event.delta)
            piece = delta.get("text") or delta.get("thinking") or delta.get("partial_json") or ""
            texts[event.index] = texts.get(event.index, "") + piece
    return texts
