"""The ways to cut bytes: nothing is lost, no chunk is empty, the same arguments give the same chunks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude.testing import chunkings


@given(st.binary(max_size=200), st.integers())
def test_every_chunking_joins_to_the_input_and_has_no_empty_chunk(data: bytes, seed: int) -> None:
    for name, chunks in chunkings.named(data, seeds=[seed]):
        assert b"".join(chunks) == data, name
        assert all(chunks), name


@given(st.binary(max_size=200), st.lists(st.integers(-5, 250)))
def test_cuts_in_any_order_and_outside_the_ends(data: bytes, cuts: list[int]) -> None:
    chunks = chunkings.at_cuts(data, cuts)
    assert b"".join(chunks) == data
    assert all(chunks)
    assert len(chunks) == (len({cut for cut in cuts if 0 < cut < len(data)}) + 1 if data else 0)


@given(st.binary(max_size=200), st.lists(st.integers(0, 50)))
def test_sizes_in_turn(data: bytes, sizes: list[int]) -> None:
    chunks = chunkings.in_sizes(data, sizes)
    assert b"".join(chunks) == data
    assert [len(chunk) for chunk in chunks[:-1]] == [size for size in sizes if size][: len(chunks[:-1])]


def test_every_cut_is_each_position_once() -> None:
    assert list(chunkings.every_cut(b"abc")) == [[b"a", b"bc"], [b"ab", b"c"]]
    assert list(chunkings.every_cut(b"a")) == []


def test_the_plain_ones() -> None:
    assert chunkings.whole(b"abc") == [b"abc"]
    assert chunkings.whole(b"") == []
    assert chunkings.bytewise(b"abc") == [b"a", b"b", b"c"]
    assert chunkings.steps(b"abcde", 2) == [b"ab", b"cd", b"e"]


def test_a_seed_is_a_chunking() -> None:
    data = bytes(range(256)) * 8
    assert chunkings.random(data, 7) == chunkings.random(data, 7)
    assert len({tuple(chunkings.random(data, seed)) for seed in range(20)}) > 10
    assert 100 < len(chunkings.random(data, 1, mean=10)) < 400


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        chunkings.steps(b"abc", 0)
    with pytest.raises(ValueError, match="negative"):
        chunkings.in_sizes(b"abc", [-1])
    with pytest.raises(ValueError, match="shorter than 1"):
        chunkings.random(b"abc", 1, mean=0.5)
