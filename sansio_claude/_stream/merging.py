"""How values of deltas are put into the message and its blocks: the merge rules, each in one function."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from typing import Any, Final

from sansio_claude._json import dumps_plain
from sansio_claude._limits import Limits
from sansio_claude._message.block import Block, GrowingBlock, copy_json
from sansio_claude._message.blocks import UnknownBlock

__all__ = [
    "COUNTERS",
    "KeptSize",
    "append_citation",
    "apply_unknown_delta",
    "kept_of_message",
    "kept_of_unknown_delta",
    "merge_usage",
    "merge_values",
    "odd_counters",
    "set_signature",
]

COUNTERS: Final = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
# What says what a message or a block is: no delta changes it.
_MESSAGE_IDENTITY: Final = ("type", "role", "id", "content")
_MESSAGE_STRINGS: Final = ("stop_reason", "stop_sequence", "model")
"""What is a string wherever it is not null: a value of another kind would hide the one that came before."""
_ALWAYS_KEPT: Final = frozenset(
    {"type", "role", "id", "model", "stop_reason", "stop_sequence", "input_tokens", "output_tokens"}
)
_SHORT: Final = 1024  # bytes
_BLOCK_IDENTITY: Final = frozenset({"id", "name", "tool_use_id"})


def kept_of_message(message: Mapping[str, Any], changes: Mapping[str, Any]) -> list[str]:
    """The keys of `changes` that must not be put into the message, null and equal values aside."""
    kept = [key for key in _MESSAGE_STRINGS if not isinstance(changes.get(key), str | None)]
    if not changes.keys().isdisjoint(_MESSAGE_IDENTITY):
        other = [key for key in _MESSAGE_IDENTITY if changes.get(key) is not None]
        kept += [key for key in other if key == "content" or changes[key] != message.get(key)]
    return kept


def merge_values(target: dict[str, Any], changes: Mapping[str, Any], *, but: Container[str] = ()) -> None:
    """Overwrite by what is not null, nested values whole. A null creates an absent key and never erases a value."""
    for key, value in changes.items():
        if key in but:
            continue
        # An empty stop reason is none.
        if value is not None and not (key == "stop_reason" and value == ""):
            target[key] = copy_json(value) if type(value) is dict or type(value) is list else value
        elif key not in target:
            target[key] = value


def odd_counters(usage: Mapping[str, Any]) -> list[str]:
    """The counters that are no whole numbers of 0 or more, nulls aside."""
    for value in map(usage.get, COUNTERS):
        if value is not None and (type(value) is not int or value < 0):
            return [key for key in COUNTERS if usage.get(key) is not None and not _is_counter(usage.get(key))]
    return []


def _is_counter(value: Any) -> bool:
    return type(value) is int and value >= 0


def merge_usage(raw: dict[str, Any], changes: Mapping[str, Any], *, but: Collection[str] = ()) -> None:
    """Merge counters into the usage of a message. A counter that is no whole number replaces none that is one."""
    usage = raw.get("usage")
    if not isinstance(usage, dict):
        usage = raw["usage"] = {}
    odd = odd_counters(changes)
    if odd:
        but = [*but, *(key for key in odd if _is_counter(usage.get(key)))]
    merge_values(usage, changes, but=but)


def kept_of_unknown_delta(kind: type[Block], changes: Mapping[str, Any]) -> list[str]:
    """The keys of an unknown delta that must not be put onto a block of this class, nulls aside."""
    return [
        key for key, value in changes.items() if value is not None and (key in kind._keys or key in _BLOCK_IDENTITY)
    ]


def apply_unknown_delta(block: Block, changes: Mapping[str, Any]) -> None:
    """Put each key but `type` onto the block: a string is appended to a string, anything but null replaces."""
    if isinstance(block, GrowingBlock):
        block._join()
    raw = block._raw
    known = type(block)._keys
    for key, value in changes.items():
        if key == "type" or key in known or key in _BLOCK_IDENTITY:
            continue
        if key not in raw and not isinstance(block, UnknownBlock):
            if block._unknown_delta_keys is None:
                block._unknown_delta_keys = set()
            block._unknown_delta_keys.add(key)
        old = raw.get(key)
        if isinstance(value, str) and isinstance(old, str):
            # In place, as in GrowingBlock: many such deltas must not cost their square.
            raw[key] = None
            old += value
            raw[key] = old
        elif value is not None or key not in raw:
            raw[key] = copy_json(value)


def set_signature(block: Block, signature: str) -> None:
    """A signature comes whole and replaces; an empty one replaces nothing."""
    if signature or "signature" not in block._raw:
        block._raw["signature"] = signature


def append_citation(block: Block, citation: dict[str, Any]) -> None:
    """Put one more citation at the end of the list, which is made where there is none."""
    citations: Any = block._raw.get("citations")
    if not isinstance(citations, list):
        citations = block._raw["citations"] = []
    citations.append(citation)


class KeptSize:
    """How many bytes of the message's own keys are kept where no content is: bounded by `Limits.kept`.

    What everybody asks for, the stop reason and what names the message, is kept whatever else came.
    """

    __slots__ = ("_limit", "_sizes", "_total")

    def __init__(self, limits: Limits) -> None:
        self._limit = limits.kept
        self._sizes: dict[tuple[str, str], int] = {}
        self._total = 0

    def too_large(self, place: str, values: Mapping[str, Any]) -> list[str]:
        """Count values that are about to be kept, each in the place of an earlier one of its name.

        Gives the keys that do not fit any more. They are not counted, and must not be kept. What is no larger than the
        value it replaces fits always, so that to count the same again changes nothing.
        """
        left_out = []
        for key, value in values.items():
            if place == "message" and key in ("content", "usage"):
                continue
            size = _size(key, value)
            total = self._total + size - self._sizes.get((place, key), 0)
            if total > max(self._limit, self._total) and not (key in _ALWAYS_KEPT and size < _SHORT):
                left_out.append(key)
            else:
                self._total = total
                self._sizes[place, key] = size
        return left_out


def _size(key: str, value: Any) -> int:
    kind = type(value)
    if kind is str and value.isascii():
        return len(key) + len(value) + 2
    if kind is dict or kind is list or kind is str:
        written = dumps_plain(value)
        return len(key) + (len(repr(value)) if written is None else len(written))
    return len(key) + 8
