"""What every block shares: the object that came is kept whole, and text that grows is joined when somebody looks."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given

from sansio_claude._message.block import Block, GrowingBlock, copy_json, kind_of
from sansio_claude._message.blocks import TextBlock, ThinkingBlock, UnknownBlock
from tests import strategies


@given(strategies.json_values(20))
def test_a_copy_is_equal_and_shares_no_container(value: Any) -> None:
    def containers(value: Any) -> set[int]:
        found: set[int] = set()
        if isinstance(value, dict | list):
            found.add(id(value))
            for member in value.values() if isinstance(value, dict) else value:
                found |= containers(member)
        return found

    twin = copy_json(value)
    assert repr(twin) == repr(value)
    assert not containers(twin) & containers(value)


def test_a_copy_of_what_is_deep_needs_no_stack() -> None:
    value: Any = "leaf"
    for _ in range(100_000):
        value = [{"a": value}]
    twin = copy_json(value)
    depth = 0
    while isinstance(twin, list):
        assert twin is not value
        twin, value = twin[0]["a"], value[0]["a"]
        depth += 1
    assert (depth, twin) == (100_000, "leaf")


def test_a_block_is_its_object() -> None:
    raw = {"type": "new", "b": None, "a": [1, {"c": 2}]}
    block = UnknownBlock(raw)
    assert block.type == "new"
    assert block.raw is raw
    assert block.to_dict() == block.to_param() == raw
    assert list(block.to_dict()) == ["type", "b", "a"]
    block.to_dict()["a"][1]["c"] = 3
    block.to_param()["a"].append(4)
    assert raw == {"type": "new", "b": None, "a": [1, {"c": 2}]}


def test_blocks_are_equal_by_kind_and_content() -> None:
    assert UnknownBlock({"type": "x", "a": 1}) == UnknownBlock({"type": "x", "a": 1})
    assert UnknownBlock({"type": "x", "a": 1}) != UnknownBlock({"type": "x", "a": 2})
    assert UnknownBlock({"type": "x"}) != TextBlock({"type": "x"})
    assert UnknownBlock({"type": "x"}) != {"type": "x"}
    with pytest.raises(TypeError, match="unhashable"):
        hash(UnknownBlock({"type": "x"}))


def test_repr_shows_the_object() -> None:
    assert repr(TextBlock({"type": "text", "text": "hi", "citations": None})) == "TextBlock(text='hi', citations=None)"
    assert repr(UnknownBlock({"type": "beam"})) == "UnknownBlock(type='beam')"


def test_blocks_can_be_copied_and_pickled() -> None:
    block = TextBlock({"type": "text", "text": "a"})
    block._pieces.append("b")
    for twin in (copy.copy(block), copy.deepcopy(block), pickle.loads(pickle.dumps(block))):
        assert twin == block
        assert twin.text == "ab"


def test_pieces_are_joined_when_somebody_looks_in_any_way() -> None:
    def grown() -> TextBlock:
        block = TextBlock({"type": "text", "text": "a"})
        block._pieces += ["b", "", "c"]
        return block

    assert grown().text == "abc"
    assert grown().raw["text"] == "abc"
    assert grown().to_dict()["text"] == "abc"
    assert "'abc'" in repr(grown())
    assert grown() == TextBlock({"type": "text", "text": "abc"})
    block = grown()
    pieces = block._pieces
    block._join()
    assert pieces == []
    assert block._pieces is pieces  # whoever appends holds this list
    pieces.append("d")
    block._join()
    block._join()
    assert block.text == "abcd"


@pytest.mark.parametrize("start", [None, 5, [], {}])
def test_text_that_was_no_string_or_absent_is_replaced_by_the_pieces(start: Any) -> None:
    block = ThinkingBlock({"type": "thinking", "thinking": start})
    assert block.thinking == ""
    block._append("x")
    assert block.thinking == "x"
    absent = ThinkingBlock({"type": "thinking"})
    assert absent.to_dict() == {"type": "thinking"}
    absent._append("x")
    assert absent.to_dict() == {"type": "thinking", "thinking": "x"}


def test_looking_after_every_piece_grows_the_text_in_place() -> None:
    """The string leaves the dict while it grows, which is what lets CPython extend it without a copy."""

    log: list[Any] = []

    class Spy(dict[str, Any]):
        def __setitem__(self, key: str, value: Any) -> None:
            log.append(value)
            super().__setitem__(key, value)

    block = TextBlock(Spy({"type": "text", "text": "a"}))
    block._pieces.append("b")
    block._join()
    assert log == [None, "ab"]


def test_the_base_classes_are_for_subclasses() -> None:
    assert Block._strings == ()
    assert issubclass(TextBlock, GrowingBlock)
    assert TextBlock._grows == "text"
    assert ThinkingBlock._grows == "thinking"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "an object"),
        ([], "a list"),
        ("", "a string"),
        (True, "a boolean"),
        (None, "null"),
        (1, "a number"),
        (1.5, "a number"),
    ],
)
def test_what_errors_call_a_value(value: Any, words: str) -> None:
    assert kind_of(value) == words
