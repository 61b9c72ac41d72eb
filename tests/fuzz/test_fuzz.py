"""A little of the fuzz in every run of the suite, what once broke a promise, and the command itself."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from sansio_claude.testing import compose
from tests.fuzz.__main__ import main
from tests.fuzz.campaign import minimised
from tests.fuzz.streams import cases, check
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS, crashes
from tests.invariants import PROMISES


@pytest.mark.parametrize("seed", range(4))
def test_a_hundred_cases(seed: int) -> None:
    for case in islice(cases(seed), 100):
        check(case)


def test_the_same_seed_gives_the_same_cases_and_they_end_in_every_way() -> None:
    assert list(islice(cases(7), 20)) == list(islice(cases(7), 20))
    assert list(islice(cases(7), 20)) != list(islice(cases(8), 20))
    recorded = [compose("Hello", seed=1).data]
    assert list(islice(cases(7, recorded), 20)) != list(islice(cases(7), 20))
    ends = {check(case).state for case in islice(cases(0), 400)}
    assert ends == {"complete", "truncated", "errored", "broken"}


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_of_a_target_and_what_becomes_of_them(name: str) -> None:
    target, dice = TARGETS[name], Random(0)
    for seed in target.seeds():
        target.check(seed)
        target.check(target.mutate(seed, dice)[: target.most])


@pytest.mark.parametrize(("name", "path"), crashes(), ids=lambda each: getattr(each, "name", each))
def test_what_once_broke_a_promise(name: str, path: Path) -> None:
    TARGETS[name].check(path.read_bytes())


def test_a_failing_input_is_made_as_short_as_it_can_be() -> None:
    def refuse(data: bytes) -> None:
        if b"a" in data and b"z" in data:
            raise ValueError(data)

    target = Target("letters", lambda: [b"a"], refuse)
    assert minimised(target, b"xxxaxxxxxxxxxzxxxx") == b"az"


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chunked", "--seconds", "0.2", "--seed", "5", "--by-chance"]) == 0
    assert "all promises held" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["nothing"])
    assert "there is no target nothing" in capsys.readouterr().err


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_is_searched_by_coverage_where_that_is_installed(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("atheris", exc_type=ImportError)
    assert main([name, "--seconds", "1"]) == 0
    found = capsys.readouterr().out
    assert "edges  all promises held" in found, found
    assert not re.search(r" 0 inputs", found)


def test_a_promise_of_reading_has_a_target() -> None:
    assert set(PROMISES) - {"No I/O in the core"}
    assert {"sse", "stream", "partial_json", "chunked", "exchange", "tls", "call", "address", "proxies"} < set(TARGETS)
    assert {"editor", "repair"} < set(TARGETS)
