"""Rules of `check()` about cache_control.

Source: platform.claude.com/docs/en/build-with-claude/prompt-caching: at most 4 breakpoints, none on thinking, ttl 5m
or 1h, and those of 1h before those of 5m in the order tools, system, messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sansio_claude._check.blocks import blocks_of, type_of
from sansio_claude._check.nearest import unknown_keys
from sansio_claude._check.problem import Problem, Problems, Subject
from sansio_claude._check.shapes import KEYS

__all__ = ["MOST_BREAKPOINTS", "check_cache"]

MOST_BREAKPOINTS: Final = 4
_THINKING: Final = ("thinking", "redacted_thinking")


def check_cache(subject: Subject) -> Problems:
    """Problems of all cache marks of a request."""
    count = 0
    short = False
    for path, kind, mark in _marks(subject):
        place = f"{path}.cache_control" if path else "cache_control"
        if not isinstance(mark, dict) or mark.get("type") != "ephemeral":
            yield Problem("error", place, 'cache_control has to be {"type": "ephemeral"}, with or without a ttl')
            continue
        yield from unknown_keys(mark, KEYS["cache_control"], place, "cache_control")
        ttl = mark.get("ttl")
        if ttl not in (None, "5m", "1h"):
            yield Problem("error", f"{place}.ttl", 'the ttl has to be "5m" or "1h"')
        elif ttl == "1h" and short:
            words = "a mark with ttl 1h stands behind one of 5m"
            yield Problem("error", f"{place}.ttl", words, "put the longer ones first: tools, system, messages")
        short = short or ttl in (None, "5m")
        if kind in _THINKING:
            yield Problem("error", place, "thinking cannot have a cache_control", "put it on the block behind")
        count += 1
        if count == MOST_BREAKPOINTS + 1:
            words = f"this is the fifth cache_control of the request; the API takes {MOST_BREAKPOINTS}"
            yield Problem("error", place, words, "keep the last ones; a mark covers everything before it")


def _marks(subject: Subject) -> Iterator[tuple[str, Any, Any]]:
    """Place, type of what has it, and value of each cache_control, in the order of the prompt."""
    body = subject.body
    for name in ("tools", "system"):
        value = body.get(name)
        for index, item in enumerate(value if isinstance(value, list) else ()):
            if isinstance(item, dict) and item.get("cache_control") is not None:
                yield f"{name}[{index}]", item.get("type"), item["cache_control"]
    for path, _, block in blocks_of(subject):
        if block.get("cache_control") is not None:
            yield path, type_of(block), block["cache_control"]
    if body.get("cache_control") is not None:
        yield "", None, body["cache_control"]
