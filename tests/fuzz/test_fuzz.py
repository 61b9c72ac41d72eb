"""A little of the fuzz in every run of the suite, what once broke a promise, and the command itself."""

from __future__ import annotations

import json
import re
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from sansio_claude.testing import compose
from tests.fuzz import target as target_module
from tests.fuzz.__main__ import Figures, main, note, report
from tests.fuzz.campaign import by_chance, minimised
from tests.fuzz.kept import pack, unpack
from tests.fuzz.streams import cases, check
from tests.fuzz.target import BROKEN, Target, cut
from tests.fuzz.targets import TARGETS, crashes
from tests.fuzz.wings import WINGS, modules, others
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
    ends: set[str] = set()
    for case in islice(cases(0), 400):
        ends.add(check(case).state)
        if len(ends) == 4:
            break
    assert ends == {"complete", "truncated", "errored", "broken"}


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_of_a_target_and_what_becomes_of_them(name: str) -> None:
    target, dice = TARGETS[name], Random(0)
    for seed in target.seeds():
        target.check(seed)
        target.check(target.mutate(seed, dice)[: target.most])


@pytest.mark.parametrize(("name", "path"), crashes(), ids=lambda each: getattr(each, "name", each))
def test_what_once_broke_a_promise(name: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for salt in range(12):
        monkeypatch.setattr(target_module, "SALT", salt)
        TARGETS[name].check(path.read_bytes())


@pytest.mark.parametrize("size", [0, 1, 5, 90])
def test_chunks_are_the_bytes(size: int) -> None:
    data, dice = bytes(range(size)), Random(0)
    seen = {tuple(cut(data, dice)) for _ in range(200)}
    assert all(b"".join(chunks) == data and all(chunks) for chunks in seen)
    assert size < 5 or {1, size} <= {len(chunks) for chunks in seen}


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


# A process each, with the instrumented parts: two of them, with words for the dictionary and without, in each run.
GUIDED = [each if each in ("address", "editor") else pytest.param(each, marks=pytest.mark.sweep) for each in TARGETS]


@pytest.mark.parametrize("name", GUIDED)
def test_a_target_is_searched_by_coverage(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("atheris", exc_type=ImportError)
    assert main([name, "--runs", "30"]) == 0
    found = capsys.readouterr().out
    assert re.search(r"edges, none new for \d+ s  all promises held", found), found
    assert not re.search(r" 0 inputs", found)


def test_a_promise_of_reading_has_a_target() -> None:
    assert set(PROMISES) - {"No I/O in the core"}
    assert {"sse", "stream", "partial_json", "chunked", "exchange", "tls", "call", "address", "proxies"} < set(TARGETS)
    assert {"editor", "repair"} < set(TARGETS)


def test_a_report_has_the_input_and_where_it_leads() -> None:
    words = f"libFuzzer begins\n{BROKEN} letters, by 2 bytes:\nb'az'\nTraceback ...\nValueError: no\nand ends"
    assert report(words).startswith(BROKEN)
    assert "ValueError: no" in report(words)
    assert report("no promise is named") == "no promise is named"


def test_what_breaks_a_promise_is_shown_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(data: bytes) -> None:
        raise ValueError("odd bytes")

    with pytest.raises(ValueError, match="odd bytes"):
        by_chance(Target("letters", lambda: [b"a"], refuse), seconds=5.0, seed=0)
    shown = capsys.readouterr().err
    assert f"{BROKEN} letters, by 0 bytes:\nb''\n" in shown
    assert 'in refuse\n    raise ValueError("odd bytes")' in shown
    assert shown.endswith("ValueError: odd bytes\n\n")


def test_the_sums_of_several_searches(tmp_path: Path) -> None:
    for edges, dry in ((10, 1.0), (12, 0.5), (12, 3.0)):
        note(Figures("letters", 5, 3.0, edges, dry, broken=False, words=""), tmp_path)
    sums = json.loads((tmp_path / "figures.json").read_text("utf-8"))
    assert sums == {"letters": {"inputs": 15, "seconds": 9.0, "edges": 12, "dry": 3.5}}


def test_each_target_says_which_modules_guide_it() -> None:
    assert set(WINGS) == set(TARGETS)
    for name, wings in WINGS.items():
        found = modules(name)
        assert all(any(f"{each}.".startswith(f"sansio_claude.{wing}.") for each in found) for wing in wings), name
        assert not set(found) & set(others(name))
    assert {"sansio_claude", "sansio_claude._http.chunked"} <= {*modules("chunked"), *others("chunked")}


def test_what_is_kept_is_what_a_search_goes_on_from(tmp_path: Path) -> None:
    found = tmp_path / "found"
    for name, inputs in {"sse": [b"", b"data: a\n\n"], "call": [b"\x00\xff"]}.items():
        (found / name).mkdir(parents=True)
        for number, data in enumerate(inputs):
            (found / name / f"{name}{number}").write_bytes(data)
    (found / "figures.json").write_text('{"sse": {"inputs": 2}}', "utf-8")
    pack(found, tmp_path / "kept")
    unpack(tmp_path / "again", tmp_path / "kept")
    assert {path.read_bytes() for path in (tmp_path / "again" / "sse").iterdir()} == {b"", b"data: a\n\n"}
    assert [path.read_bytes() for path in (tmp_path / "again" / "call").iterdir()] == [b"\x00\xff"]
    assert json.loads((tmp_path / "again" / "figures.json").read_text("utf-8")) == {"sse": {"inputs": 2}}
    pack(tmp_path / "again", tmp_path / "twice")
    for place in (tmp_path / "kept").iterdir():
        assert (tmp_path / "twice" / place.name).read_bytes() == place.read_bytes()
