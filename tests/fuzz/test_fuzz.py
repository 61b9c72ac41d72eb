"""A little of the fuzz in every run of the suite, and the command itself."""

from __future__ import annotations

from itertools import islice

import pytest

from sansio_claude.testing import compose
from tests.fuzz.__main__ import main
from tests.fuzz.streams import cases, check


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


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seconds", "0.2", "--seed", "5"]) == 0
    assert "cases, seed 5:" in capsys.readouterr().out
