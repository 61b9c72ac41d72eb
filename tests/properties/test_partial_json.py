"""PartialJSON against its slow twin: any text, any split, any moments of asking, all settings."""

from __future__ import annotations

import copy
import json
import pickle
import re
from typing import Any, Literal

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from sansio_claude._errors import LimitError, RemoteProtocolError
from sansio_claude._partial_json.parser import PartialJSON, Watch
from tests.partial_json_reference import NOTHING, apply, refused_by_json, same, see

_PIECES = (
    *("{", "}", "[", "]", ",", ":", '"', '"a"', '"b":', '{"a":', "[[", "]]", '"a":1,"a":', "\\", "\\u", "\\\\"),
    *("\\n", '\\"', "\\u00e9", "\\ud83d", "\\uD83D", "\\ude00", "\\ud83d\\ude00", "d83", "zz", "\\q", "/", "\\/"),
    *("0", "1", "12", "-", ".", "e", "E", "+", "1.5", "-0", "1e400", "1e", "12,", "3.25, ", "9" * 50),
    *("true", "false", "null", "tru", "nul", "NaN", "Infinity", "-Infinity", "-I", "Na"),
    *(" ", "\n", "\t", "\r", "\x00", "\x0b", "\x7f", "\xa0", "\ufeff", "é", "日本", "😀", "\ud83d", "\ude00", "abc"),
)
_keys = st.sampled_from(["a", "b", "", 'k"', "é\n", "long key"])
_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1000, 10**20),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["\ud83d", "😀", 'say "hi"\\', "\ude00\ud83d", "\x00\x1f", "plain text"]),
)
_values = st.recursive(
    _leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=4), max_leaves=12
)


@st.composite
def _documents(draw: st.DrawFn) -> str:
    """JSON texts of all layouts, with repeated keys and with space around them now and then."""
    text = json.dumps(
        draw(_values),
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.sampled_from([None, None, 1, "\t"])),
        separators=draw(st.sampled_from([(", ", ": "), (",", ":"), (" ,\r\n", " : ")])),
    )
    if draw(st.booleans()):
        text = re.sub(r'"(b|long key|k\\")"', '"a"', text)
    around = st.sampled_from(["", "", " ", "\r\n\t"])
    return draw(around) + text + draw(around)


@st.composite
def _texts(draw: st.DrawFn) -> str:
    """Whole, cut, damaged and nonsensical texts."""
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return "".join(draw(st.lists(st.sampled_from(_PIECES), max_size=12)))
    text = draw(_documents())
    if kind >= 2:
        at = draw(st.integers(0, len(text)))
        text = text[:at]
        if kind == 3:
            text += draw(st.sampled_from(_PIECES)) + draw(_documents())[draw(st.integers(0, 3)) :]
    return text


_settings = st.fixed_dictionaries(
    {"keep": st.booleans(), "allow_nan": st.booleans(), "max_depth": st.sampled_from([1, 2, 3, 512])}
)
_sizes = st.lists(st.integers(0, 9) | st.sampled_from([20, 1_000]), min_size=1, max_size=40)


def _split(text: str, sizes: list[int]) -> list[str]:
    """`text` in fragments of these sizes, the last of them again and again; empty ones among them."""
    fragments = []
    at = 0
    for size in sizes:
        fragments.append(text[at : at + size])
        at += size
    step = max(sizes[-1], 1)
    fragments += [text[i : i + step] for i in range(at, len(text), step)]
    return fragments


def _make(keep: bool, allow_nan: bool, max_depth: int) -> PartialJSON:
    strings: Literal["keep", "drop"] = "keep" if keep else "drop"
    return PartialJSON(strings=strings, allow_nan=allow_nan, max_depth=max_depth)


@given(_texts(), _sizes, _settings, st.lists(st.integers(0, 8), min_size=1, max_size=40))
@example('{"a": 12.5, "a": "x\\ud83d\\ude00"} ', [1], {"keep": True, "allow_nan": False, "max_depth": 512}, [1, 5])
@example('{"a":[1],"a":2.5}', [1], {"keep": True, "allow_nan": False, "max_depth": 512}, [5])
@example('{"a":[[]],"a":2}', [99], {"keep": True, "allow_nan": False, "max_depth": 2}, [2])
@example("12 ", [99], {"keep": True, "allow_nan": False, "max_depth": 2}, [2])
def test_any_look_at_any_moment_shows_what_the_twin_sees(
    text: str, sizes: list[int], settings: dict[str, Any], looks: list[int]
) -> None:
    parser = _make(**settings)
    rebuilt: list[Any] = []
    kept: list[tuple[Any, str]] = []
    so_far = ""
    for number, fragment in enumerate(_split(text, sizes)):
        parser.feed(fragment)
        so_far += fragment
        look = looks[number % len(looks)]
        if look == 0:
            continue
        seen = see(so_far, **settings)
        if look == 1:
            assert same(parser.value, None if seen.value is NOTHING else seen.value)
        elif look == 2:
            assert parser.status == seen.status
        elif look == 3:
            assert (None if parser.error is None else parser.error.position) == seen.position
        elif look == 4:
            snapshot = parser.snapshot(NOTHING)
            assert same(snapshot, seen.value)
            kept.append((snapshot, so_far))
        elif look == 5:
            apply(rebuilt, parser.changes())
            assert same(rebuilt, [] if seen.value is NOTHING else [seen.value])
            assert parser.changes() == []
        elif look == 6:
            assert parser.text == so_far
        elif look == 7:
            parser = pickle.loads(pickle.dumps(parser))
        else:
            assert same(copy.deepcopy(parser).value, None if seen.value is NOTHING else seen.value)
    seen = see(text, **settings)
    value = None if seen.value is NOTHING else seen.value
    assert same(parser.value, value)
    assert parser.status == seen.status
    assert parser.text == text
    apply(rebuilt, parser.changes())
    assert same(rebuilt, [] if seen.value is NOTHING else [seen.value])
    assert (None if parser.error is None else parser.error.position) == seen.position
    for snapshot, then in kept:
        assert same(snapshot, see(then, **settings).value)


@given(_texts(), _sizes, _settings, st.booleans())
def test_final_is_json_loads_or_an_error(text: str, sizes: list[int], settings: dict[str, Any], looked: bool) -> None:
    parser = _make(**settings)
    for fragment in _split(text, sizes):
        parser.feed(fragment)
        if looked:
            assert parser.value is parser.value
    seen = see(text, **settings)
    strict = refused_by_json(text, allow_nan=settings["allow_nan"])
    if seen.status == "complete":
        value = parser.final()
        assert same(value, strict)
        assert same(value, parser.value)
    else:
        with pytest.raises(RemoteProtocolError) as caught:
            parser.final()
        assert same(caught.value.partial, None if seen.value is NOTHING else seen.value)
        assert caught.value.text == text
        assert strict is NOTHING or isinstance(caught.value, LimitError)
    assert parser.status == seen.status
    assert parser.final("none") == "none" if not text else True
    # Whatever has been made of it, going on is the same as having it all.
    parser.feed(" 1")
    after = see(text + " 1", **settings)
    assert parser.status == after.status
    assert same(parser.snapshot(NOTHING), after.value)


@given(_texts(), _sizes, _settings, st.lists(st.booleans(), min_size=1, max_size=30))
def test_changes_look_the_same_however_the_text_is_cut(
    text: str, sizes: list[int], settings: dict[str, Any], looks: list[bool]
) -> None:
    """But for the parts of strings, and for numbers, which are told again while they grow.

    While a number that takes an earlier value's place is not one yet, that value is told again; left out here.
    """
    keys = re.findall(r'"([^"\\]*)"\s*:', text)
    for key in {key for key in keys if keys.count(key) > 1}:
        assume(not re.search(rf'"{re.escape(key)}"\s*:\s*[-0-9NI]', text))

    def normal(changes: list[Any]) -> list[Any]:
        lines: list[Any] = []
        for change in changes:
            if change.operation == "remove" or type(change.value) in (int, float):
                continue
            if change.operation == "text" and lines and lines[-1][:2] == (change.path, "text"):
                lines[-1] = (change.path, "text", lines[-1][2] + change.value)
            else:
                lines.append((change.path, change.operation, change.value))
        return lines

    whole = _make(**settings)
    assert whole.changes() == []
    whole.feed(text)
    parser = _make(**settings)
    got = []
    for number, fragment in enumerate(_split(text, sizes)):
        parser.feed(fragment)
        if looks[number % len(looks)] or number == 0:
            got += parser.changes()
    got += parser.changes()
    assert repr(normal(got)) == repr(normal(whole.changes()))


def _elements(value: Any) -> list[Any]:
    rows = value.get("a") if type(value) is dict else None
    return rows if type(rows) is list else []


@given(_values, _sizes, st.booleans(), st.lists(st.integers(0, 3), min_size=1, max_size=30))
def test_watches_read_for_themselves(value: Any, sizes: list[int], keep: bool, looks: list[int]) -> None:
    text = json.dumps({"s": value, "a": value})
    value = json.loads(text)["a"]
    parser = _make(keep, True, 512)
    strings: list[Any] = []
    rows: list[Any] = []
    rebuilt: list[Any] = []
    first, second = Watch(parser, "s"), Watch(parser, ("a", "*"))
    for number, fragment in enumerate(_split(text, sizes)):
        parser.feed(fragment)
        look = looks[number % len(looks)]
        if look == 1:
            strings += first.new()
        elif look == 2:
            rows += second.new()
        elif look == 3:
            apply(rebuilt, parser.changes())
    late = Watch(parser, "a[*]")
    strings += first.new()
    rows += second.new()
    apply(rebuilt, parser.changes())
    if type(value) is str:
        assert "".join(strings) == value
    else:
        assert same(strings, [value])
    assert same(rows, value if type(value) is list else [])
    assert same(late.new(), rows)
    assert first.new() == second.new() == late.new() == []
    assert same(rebuilt, [parser.value])


@given(_texts(), _sizes, st.booleans())
def test_a_watch_never_gives_a_cut_value_as_whole(text: str, sizes: list[int], keep: bool) -> None:
    parser = _make(keep, False, 512)
    watch = Watch(parser, "[*]")
    given_out = []
    for fragment in _split(text, sizes):
        parser.feed(fragment)
        given_out += watch.new()
    value = parser.value
    items = value if type(value) is list else []
    assert len(given_out) in (len(items), len(items) - 1)
    assert same(given_out, items[: len(given_out)])
    if parser.status == "complete":
        assert len(given_out) == len(items)


@given(st.integers(1, 4), st.integers(0, 4), st.sampled_from(["[", '{"k":', '[{"k":[0,']), st.booleans())
def test_depth_is_a_clean_error_at_the_bracket(limit: int, more: int, opening: str, looked: bool) -> None:
    text = opening * (limit + more)
    parser = PartialJSON(max_depth=limit)
    for c in text:
        parser.feed(c)
        if looked:
            assert parser.status in ("incomplete", "invalid")
    seen = see(text, max_depth=limit)
    assert parser.status == seen.status
    with pytest.raises(RemoteProtocolError):
        parser.final()
