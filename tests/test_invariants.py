"""README, docs/proof.md and the invariants name the same promises, and each is held by tests and by fuzz targets."""

from __future__ import annotations

import re

import pytest

from tests import invariants
from tests.blocks import ROOT
from tests.fuzz.wings import WINGS
from tests.invariants import PROMISES, STREAM, Evidence, hold
from tests.properties.test_edits import STREAMS


def test_the_promises_of_the_readme_are_those_with_invariants() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    section = readme.split("## What it promises", 1)[1].split("\n## ", 1)[0]
    assert re.findall(r"^- \*\*(.+?)\.?\*\*", section, re.MULTILINE) == list(PROMISES)


def test_the_page_lists_every_promise_with_its_invariants() -> None:
    page = (ROOT / "docs" / "proof.md").read_text("utf-8")
    rows = {row[0]: re.findall(r"`(\w+)`", row[1]) for row in re.findall(r"^\| ([^|`]+?) \| ([^|]*) \|", page, re.M)}
    for name, promise in PROMISES.items():
        assert rows[name] == [each.__name__ for each in promise.invariants], name


def test_every_promise_is_held_by_something_that_is_there() -> None:
    for name, promise in PROMISES.items():
        assert promise.tests, name
        for place in promise.tests:
            assert (ROOT / place).exists(), place
    held = {each for promise in PROMISES.values() for each in promise.invariants}
    assert set(STREAM) < held
    assert all(getattr(invariants, each.__name__) is each for each in held)


@pytest.mark.parametrize("kind", STREAMS)
def test_they_hold_of_a_good_stream(kind: str) -> None:
    assert hold(Evidence(STREAMS[kind]), count=True).state == ("errored" if kind == "error" else "complete")


def test_what_holds_the_defences_is_there() -> None:
    page = (ROOT / "SECURITY.md").read_text("utf-8")
    table = page.split("## Threats by route", 1)[1]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == 9
    for route, *_, held in rows:
        fuzzed, _, tested = held.partition("; ")
        assert fuzzed.startswith("fuzz "), route
        assert set(re.findall(r"`(\w+)`", fuzzed)) <= set(WINGS), route
        places = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", tested)
        assert places, route
        for path, name in places:
            source = (ROOT / path).read_text("utf-8")
            assert not name or re.search(rf"^ *(?:async )?def {name}\(", source, re.MULTILINE), (route, path, name)
