"""PartialJSON over a corpus of cut and broken JSON texts, deep ones, and the JSONTestSuite."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from sansio_claude._errors import LimitError, RemoteProtocolError
from sansio_claude._partial_json.parser import PartialJSON
from tests.partial_json_reference import NOTHING, apply, same, see

_MODES: list[tuple[Literal["drop", "keep"], str]] = [("drop", "partial"), ("keep", "partial_trailing_strings")]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _value(written: Any) -> Any:
    """A value of the corpus, with its words for nothing and for infinities."""
    if type(written) is list:
        return [_value(item) for item in written]
    if type(written) is not dict:
        return written
    if written == {"__nothing__": True}:
        return NOTHING
    if list(written) == ["__float__"]:
        return float(written["__float__"])
    return {key: _value(item) for key, item in written.items()}


def _splits(text: str) -> Iterator[list[str]]:
    """Whole, every cut in two, every cut in three of a short text, every step."""
    yield [text]
    for i in range(1, len(text)):
        yield [text[:i], text[i:]]
        yield [text[at : at + i] for at in range(0, len(text), i)]
        for j in range(i + 1, len(text)) if len(text) < 24 else ():
            yield [text[:i], text[i:j], text[j:]]


@pytest.mark.parametrize(("strings", "column"), _MODES)
@pytest.mark.parametrize("looking", ["at the end", "always", "changes"])
def test_every_case_in_every_split(corpus: Path, strings: Literal["drop", "keep"], column: str, looking: str) -> None:
    cases = _lines(corpus / "partial_json" / "cases.jsonl")
    assert len(cases) >= 198
    for case in cases:
        wanted = _value(case[column])
        for fragments in _splits(case["prefix"]):
            parser = PartialJSON(strings=strings)
            rebuilt: list[Any] = []
            for fragment in fragments:
                parser.feed(fragment)
                if looking == "always":
                    assert parser.value is parser.value
                elif looking == "changes":
                    apply(rebuilt, parser.changes())
            where = (case["name"], fragments)
            if looking == "changes":
                assert same(rebuilt, [] if wanted is NOTHING else [wanted]), where
            if case["final"] == "complete":
                assert same(parser.final(), _value(case["final_value"])), where
            else:
                with pytest.raises(RemoteProtocolError) as caught:
                    parser.final()
                assert caught.value.text == case["prefix"]
            assert same(parser.snapshot(NOTHING), wanted), where
            assert same(parser.value, None if wanted is NOTHING else wanted), where
            assert parser.status == (case["final"] if case["prefix"] else "empty"), where
            assert (parser.error.position if parser.error else None) == case.get("error_at"), where


@pytest.mark.parametrize(("strings", "column"), _MODES)
def test_the_twin_agrees_with_the_corpus(corpus: Path, strings: str, column: str) -> None:
    for case in _lines(corpus / "partial_json" / "cases.jsonl"):
        seen = see(case["prefix"], keep=strings == "keep")
        assert same(seen.value, _value(case[column])), case["name"]
        assert seen.status == (case["final"] if case["prefix"] else "empty"), case["name"]
        assert seen.position == case.get("error_at"), case["name"]


def test_not_a_number_is_accepted_when_allowed(corpus: Path) -> None:
    for case in _lines(corpus / "partial_json" / "cases.jsonl"):
        if "json_loads_value" in case:
            parser = PartialJSON(allow_nan=True)
            parser.feed(case["prefix"])
            assert same(parser.final(), _value(case["json_loads_value"]))


@pytest.mark.parametrize("step", [1, 7, 10**9])
@pytest.mark.parametrize("looked", [False, True])
def test_deep_texts_are_shown_or_refused_cleanly(corpus: Path, step: int, looked: bool) -> None:
    for case in _lines(corpus / "partial_json" / "deep.jsonl"):
        text = case["repeat"] * case["times"] + case["suffix"]
        parser = PartialJSON()
        for at in range(0, len(text), step):
            parser.feed(text[at : at + step])
            if looked:
                assert parser.value is not NOTHING
        with pytest.raises(RemoteProtocolError) as caught:
            parser.final()
        if case["depth"] <= 512:
            assert not isinstance(caught.value, LimitError)
            assert parser.status == "incomplete"
        else:
            assert isinstance(caught.value, LimitError)
            assert (caught.value.limit, caught.value.value) == ("depth", 512)
            assert parser.status == "invalid"
        assert parser.snapshot() is not None


@pytest.mark.parametrize("looked", [False, True])
def test_the_json_test_suite(corpus: Path, looked: bool) -> None:
    folder = corpus / "partial_json" / "JSONTestSuite"
    told_apart = set()
    for entry in _lines(folder / "index.jsonl"):
        if not entry["utf8"]:
            continue
        text = (folder / "test_parsing" / entry["file"]).read_bytes().decode()
        try:
            wanted = json.loads(text)
        except (ValueError, RecursionError):
            wanted = NOTHING
        parser = PartialJSON()
        for c in text:
            parser.feed(c)
            if looked:
                assert parser.status != "empty"
        try:
            value = parser.final()
        except RemoteProtocolError:
            value = NOTHING
            wrong = entry.get("prefix_status", "invalid")
            assert parser.status == (wrong if text else "empty"), entry["file"]
        if not same(value, wanted):
            told_apart.add(entry["file"])
        assert entry["class"] != "y" or value is not NOTHING, entry["file"]
        assert entry["class"] != "n" or value is NOTHING, entry["file"]
    assert told_apart == {"n_number_NaN.json", "n_number_infinity.json", "n_number_minus_infinity.json"}
