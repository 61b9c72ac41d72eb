"""The table of the README is the one that the cases give."""

from __future__ import annotations

import re
from pathlib import Path

from tests.faults.report import GROUPS, group_of, listing, summary
from tests.faults.table import CASES

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def test_the_readme_has_the_table() -> None:
    assert summary() in README, "replace the table of the README by what `python -m tests.faults` prints"


def test_every_case_is_in_one_group_and_every_group_has_cases() -> None:
    assert {group_of(name).words for name in CASES} == {group.words for group in GROUPS}
    counts = [int(count) for count in re.findall(r"^\| .*? \| ([0-9]+) \|", summary(), re.MULTILINE)]
    assert sum(counts) == len(CASES)


def test_the_number_of_cases_in_words() -> None:
    (said,) = re.findall(r"fault server of ([0-9,]+) cases", README)
    assert int(said.replace(",", "")) == len(CASES)


def test_the_list_has_a_line_for_each_case() -> None:
    lines = listing().splitlines()
    assert [line.split()[0] for line in lines] == list(CASES)
    assert all(len(line.split()) >= 2 for line in lines)
