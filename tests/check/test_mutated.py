"""`check()` raises for nothing, whatever is in a request, and its work grows with the size of the request alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sansio_claude import assistant, tool_result, user
from sansio_claude._check.check import check
from tests.check.legal import CALL, TOOL
from tests.check.mutated import run
from tests.counting import growth


def test_mutated_requests_raise_nothing() -> None:
    found = run(2_000)
    assert set(found) == {"error", "warning", "info"}


def turns(count: int) -> list[dict[str, Any]]:
    found = [user("w?")]
    for number in range(count):
        found += [assistant({**CALL, "id": f"t{number}"}), user(tool_result(f"t{number}", "15"))]
    return found


BIG: dict[str, Callable[[int], dict[str, Any]]] = {
    "turns": lambda n: {"messages": turns(n)},
    "calls of one turn": lambda n: {
        "messages": [
            user("w?"),
            assistant(*[{**CALL, "id": f"t{number}"} for number in range(n)]),
            user(*[tool_result(f"t{number}") for number in range(n)]),
        ]
    },
    "blocks": lambda n: {"messages": [user(*["x"] * n)]},
    "bad blocks": lambda n: {"messages": [user(*[{"type": "txt", "a": 1}] * n)]},
    "tools": lambda n: {"tools": [{**TOOL, "name": f"t{number}"} for number in range(n)]},
    "unknown keys": lambda n: {f"k{number}": 1 for number in range(n)},
    "definitions": lambda n: {
        "tools": [
            {
                **TOOL,
                "strict": True,
                "input_schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "$defs": {f"D{number}": {"$ref": f"#/$defs/D{number + 1}"} for number in range(n)},
                },
            }
        ]
    },
    "one text": lambda n: {"messages": [user("x" * 100 * n)]},
    "surrogates": lambda n: {"messages": [user(*["\ud83d"] * n)]},
    "flags": lambda n: {"stop_sequences": ["x"] * n},
}


@pytest.mark.parametrize("name", BIG)
def test_work_is_linear(name: str) -> None:
    def action(size: int) -> Callable[[], object]:
        body = {"model": "claude-opus-5-5", "max_tokens": 9, "messages": [user("x")], **BIG[name](size)}
        data = json.dumps(body).encode()
        return lambda: check(data)

    assert growth(action, size=800) < 1.2
