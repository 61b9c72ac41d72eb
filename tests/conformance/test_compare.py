"""The page of odd streams: its table is what the command prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.compare import SDK, counted, row, table
from tests.conformance.odd_streams import ODD_STREAMS

PAGE = Path(__file__).parents[2] / "docs" / "compare" / "odd_streams.md"


def rows_of_the_page() -> list[list[str]]:
    """The cells of the table of the page, without its head."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_page_says_what_is_made_of_each_stream_here() -> None:
    found = [row(name, body, with_sdk=False) for name, body in ODD_STREAMS.items()]
    assert [[each.name, each.state, each.deviations] for each in found] == [cells[:3] for cells in rows_of_the_page()]


def test_the_page_says_what_the_official_sdk_makes_of_them() -> None:
    anthropic = pytest.importorskip("anthropic")
    if anthropic.__version__ != SDK:
        pytest.skip(f"the page is of version {SDK}")
    rows = [row(name, body) for name, body in ODD_STREAMS.items()]
    page = PAGE.read_text("utf-8")
    assert table(rows) in page, "replace the table by what `python -m tests.conformance.compare` prints"
    assert f"{SDK} makes of {len(rows)} odd streams" in page
    assert "the same" in counted(rows)
