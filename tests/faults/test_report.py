"""The table of docs/faults.md is the one that the cases give."""

from __future__ import annotations

import re
from pathlib import Path

from tests.faults.report import GROUPS, group_of, listing, summary
from tests.faults.table import CASES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "faults.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")


def test_the_page_has_the_table() -> None:
    assert summary() in PAGE, "replace the table of docs/faults.md by what `python -m tests.faults` prints"


def test_every_case_is_in_one_group_and_every_group_has_cases() -> None:
    assert {group_of(name).words for name in CASES} == {group.words for group in GROUPS}
    counts = [int(count) for count in re.findall(r"^\| .*? \| ([0-9]+) \|", summary(), re.MULTILINE)]
    assert sum(counts) == len(CASES)


def test_the_number_of_cases_in_words() -> None:
    (on_the_page,) = re.findall(r"fault server of ([0-9,]+) cases", PAGE)
    assert int(on_the_page.replace(",", "")) == len(CASES)
    (in_the_readme,) = re.findall(r"how some ([0-9,]+) faults of the wire end", README)
    assert abs(int(in_the_readme.replace(",", "")) - len(CASES)) <= 50


def test_the_list_has_a_line_for_each_case() -> None:
    lines = listing().splitlines()
    assert [line.split()[0] for line in lines] == list(CASES)
    assert all(len(line.split()) >= 2 for line in lines)
