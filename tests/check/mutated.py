"""Requests changed at random: `python -m tests.check.mutated COUNT [SEED]` runs `check()` over that many of them."""

from __future__ import annotations

import copy
import json
import random
import sys
from collections import Counter
from typing import Any

from sansio_claude._check.check import check
from sansio_claude._check.shapes import BLOCKS, FOREIGN_KEYS, TOOLS, TOP
from tests.check.legal import GENERATIONS, legal_requests
from tests.check.test_rules import RULES

__all__ = ["run"]

_KEYS = sorted({*TOP, *FOREIGN_KEYS, *(key for keys in (*BLOCKS.values(), *TOOLS.values()) for key in keys)})
_VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1, 1.5, 10**30, "", " ", "x", "\ud83d", "é", "auto", "assistant", "user", "system"),
    *([], {}, [None], [[]], {"type": "text"}, {"type": 5}, {"role": "user", "content": "x"}, {"$ref": "#"}),
    *({"type": kind} for kind in (*BLOCKS, *TOOLS, "adaptive", "enabled", "json_schema", "base64", "compact_20260112")),
]


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container of a value with each of its keys."""
    found: list[tuple[Any, Any]] = []
    stack = [value]
    while stack:
        part = stack.pop()
        items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        for key, inner in items:
            found.append((part, key))
            stack.append(inner)
    return found


def _change(body: Any, chance: random.Random) -> None:
    container, key = chance.choice(_places(body) or [({}, None)])
    match chance.randrange(6):
        case 0 if isinstance(container, dict):
            container.pop(key, None)
        case 1 if isinstance(container, dict):
            container[chance.choice(_KEYS)] = copy.deepcopy(container.get(key))
        case 2 if isinstance(container, list):
            container.append(copy.deepcopy(container[key]))
        case 3 if isinstance(container, dict):
            container[chance.choice(_KEYS)] = copy.deepcopy(chance.choice(_VALUES))
        case 4 if isinstance(container, list):
            del container[key]
        case _:
            if key is not None:
                container[key] = copy.deepcopy(chance.choice(_VALUES))


def run(count: int, seed: int = 0) -> Counter[str]:
    """Check `count` mutated requests; how many problems of each severity came. Raises what `check()` raises."""
    chance = random.Random(seed)
    whole = [json.dumps(body) for info in GENERATIONS.values() for body in legal_requests(info)]
    whole += [json.dumps({"model": "claude-opus-5-5", "max_tokens": 9, **row[0]}) for row in RULES]
    found: Counter[str] = Counter()
    for _ in range(count):
        body = json.loads(chance.choice(whole))
        for _ in range(chance.choice((1, 1, 2, 3, 8))):
            _change(body, chance)
        data = json.dumps(body).encode()
        version = chance.choice(("2023-06-01", "2026-10-21"))
        problems = check(
            data, version=version, flags=chance.choice(((), ("compact-2026-01-12",), ("pdfs-2024-09-25",)))
        )
        for problem in problems:
            assert problem.message
            found[problem.severity] += 1
    return found


if __name__ == "__main__":
    number, start = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    print(f"{number:,} mutated requests, seed {start}: no exception;", dict(run(number, start)))
