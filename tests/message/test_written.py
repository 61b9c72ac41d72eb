"""What a message knows and its JSON cannot say, written as JSON of its own and read again; anything else is None."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sansio_claude._message.written import Unsaid

SAID = Unsaid(3, {0: frozenset({"b", "a"}), 2: frozenset()}, {1: "whole", 2: "unstopped"}, True)
WRITTEN: dict[str, Any] = {
    "blocks": 3,
    "delta_keys": {"0": ["a", "b"], "2": []},
    "inputs": {"1": "whole", "2": "unstopped"},
    "whole": True,
}


def test_there_and_back() -> None:
    assert SAID.to_dict() == WRITTEN
    assert Unsaid.from_dict(json.loads(json.dumps(WRITTEN))) == SAID
    nothing = Unsaid(1, {}, {}, False)
    assert Unsaid.from_dict(nothing.to_dict()) == nothing
    assert not nothing
    assert all(map(bool, (SAID, Unsaid(1, {0: frozenset()}, {}, False), Unsaid(1, {}, {0: "given"}, False))))


@pytest.mark.parametrize(
    "change",
    [
        *({"blocks": "3"}, {"whole": 1}, {"delta_keys": []}, {"inputs": None}),
        *({"delta_keys": {"0": "ab"}}, {"delta_keys": {"0": [["a"]]}}, {"delta_keys": {"-1": []}}),
        *({"delta_keys": {0: []}}, {"delta_keys": {"x": []}}, {"inputs": {"0": "new"}}, {"inputs": {"0": {}}}),
        *({"inputs": {"": "whole"}}, {"inputs": {"9" * 5_000: "whole"}}, {"inputs": {None: "whole"}}),
    ],
    ids=range(14),
)
def test_anything_else_is_none(change: dict[str, Any]) -> None:
    assert Unsaid.from_dict({**WRITTEN, **change}) is None


@pytest.mark.parametrize("key", WRITTEN)
def test_each_part_is_needed(key: str) -> None:
    assert Unsaid.from_dict({name: value for name, value in WRITTEN.items() if name != key}) is None


@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_what_is_no_object_is_none(value: Any) -> None:
    assert Unsaid.from_dict(value) is None
