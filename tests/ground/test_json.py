"""The door to JSON: what comes in strictly, what goes out with the place of what cannot."""

from __future__ import annotations

import enum
import json
import math
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude import _json
from sansio_claude._errors import LimitError, LocalProtocolError, RemoteProtocolError
from sansio_claude._json import (
    WRITTEN_DEPTH,
    _is_plain,
    _is_plain_and_short,
    depth_of,
    dumps,
    loads,
    loads_input,
)

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


class Shade(str, enum.Enum):  # noqa: UP042 - whose str() is not its value, as that of a StrEnum is
    DARK = "dark"


class Level(enum.IntEnum):
    HIGH = 3


class Point(NamedTuple):
    x: int
    y: float


class Real(float):
    pass


class Turn:
    """Stands for any object with a stand-in."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def to_param(self) -> Any:
        return self.value


def convert(value: Any) -> Any:
    return value.to_param() if isinstance(value, Turn) else value


# --- in


@given(plain)
def test_loads_reads_what_json_writes(value: Any) -> None:
    assert loads(json.dumps(value).encode()) == value
    assert loads_input(json.dumps(value)) == value


@pytest.mark.parametrize("data", [b"", b"{", b"nul", b'"\xff"', b'"\\ud800"', b"NaN", b"1e400", b"{} {}", b"\xff"])
def test_loads_refuses_what_is_not_json(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        loads(data)
    assert caught.value.stage == "json"
    assert type(caught.value) is RemoteProtocolError


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b" ", "this is not JSON: there is nothing"),
        (b'["\\ud83d"]', "this is not JSON: half of a surrogate pair stands alone in a string"),
        (b'["\\ud83d', "this is not JSON: Input data was truncated"),
    ],
)
def test_what_is_cut_is_told_from_what_is_not(data: bytes, words: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        loads(data)
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"a":"\xff"}', "the JSON text is not UTF-8"),
        (b"\xff", "the JSON text is not UTF-8"),
        (b'["\xed\xa0\x80"]', "the JSON text is not UTF-8"),
        (b'["\xc3"]', "the JSON text is not UTF-8"),
        (b'["\xc3', "this is not JSON: "),  # cut inside a character
        ('["\u00e9'.encode(), "this is not JSON: "),
    ],
)
@pytest.mark.parametrize(
    "refusal",
    [
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),  # of msgspec until 0.22
        msgspec.DecodeError("Invalid UTF-8 encoded string"),  # of msgspec from 0.23
        msgspec.DecodeError("JSON is malformed: invalid character (byte 0)"),
        None,  # what is installed here
    ],
)
def test_malformed_utf_8_is_named_whatever_the_decoder_says_of_it(
    data: bytes, words: str, refusal: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(data: bytes) -> None:
        assert refusal is not None
        raise refusal

    if refusal is not None:
        monkeypatch.setattr(_json, "_decode", refuse)
    with pytest.raises(RemoteProtocolError) as caught:
        loads(data)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize("text", ["", "{", "NaN", "-Infinity", "{} {}", '{"a":}'])
def test_loads_input_refuses_what_is_not_json(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        loads_input(text)


def test_loads_input_means_what_the_standard_library_says() -> None:
    assert loads_input("1e400") == math.inf
    assert loads_input('{"a": 1, "a": 2}') == {"a": 2}
    assert loads_input('"\\ud800"') == "\ud800"


@pytest.mark.parametrize("read", [loads, lambda data, **kw: loads_input(data.decode(), **kw)])
def test_depth_is_limited_and_brackets_in_strings_do_not_count(read: Any) -> None:
    assert read(b"[" * 5 + b"]" * 5, depth=5) == [[[[[]]]]]
    with pytest.raises(LimitError) as caught:
        read(b"[" * 6 + b"]" * 6, depth=5)
    assert (caught.value.limit, caught.value.value) == ("depth", 5)
    assert read(b'["[[[[[[{{{{{{\\"[[[["]', depth=1) == ['[[[[[[{{{{{{"[[[[']


@given(st.binary(max_size=40))
def test_depth_is_told_of_any_bytes(data: bytes) -> None:
    assert 0 <= depth_of(data) <= len(data)


def test_depth_goes_down_again() -> None:
    assert depth_of(b"[[],[[]],{}]") == 3
    assert depth_of(b'{"a": [{}], "b": "[[[["}') == 3


# --- out


@given(plain)
def test_dumps_writes_what_json_reads(value: Any) -> None:
    data = dumps(value)
    assert json.loads(data) == value
    assert data == msgspec.json.encode(value)


@given(plain)
def test_the_slow_way_writes_the_same(value: Any) -> None:
    assert dumps({"a": value, "b": Turn(value), "c": Shade.DARK}, convert=convert) == dumps(
        {"a": value, "b": value, "c": "dark"}
    )


def test_values_by_another_name_are_what_they_are() -> None:
    value = {
        Shade.DARK: Shade.DARK,
        "level": Level.HIGH,
        "point": Point(1, 2.5),
        "real": Real(-0.0),
        "view": MappingProxyType({"k": (1, True, None)}),
        "é": "é",
    }
    data = dumps(value)
    assert json.loads(data) == {
        "dark": "dark",
        "level": 3,
        "point": [1, 2.5],
        "real": -0.0,
        "view": {"k": [1, True, None]},
        "é": "é",
    }
    assert b'"real":-0.0' in data


NAMED = [
    (math.nan, "nan is not a JSON number"),
    (math.inf, "inf is not a JSON number"),
    (Real("-inf"), "-inf is not a JSON number"),
    ("a\ud800", "lone surrogate at character 1"),
    ({1: 2}, "a key is an int, not a str"),
    ({None: 2}, "a key is a NoneType, not a str"),
    ({"\udfff": 2}, "lone surrogate at character 0"),
    ({1, 2}, "a set is not a JSON value"),
    (b"x", "a bytes is not a JSON value"),
    (object(), "an object is not a JSON value"),
    (10**5000, "more digits"),
    (msgspec.UNSET, "not a JSON value"),
]


@pytest.mark.parametrize(("bad", "words"), NAMED, ids=[words for _, words in NAMED])
def test_dumps_names_the_place_of_what_it_cannot_write(bad: Any, words: str) -> None:
    body = {"messages": [{}, {}, {"content": [{"source": {"data": bad}}]}]}
    for value in (body, {**body, "x": Shade.DARK}):
        with pytest.raises(LocalProtocolError) as caught:
            dumps(value)
        assert caught.value.path == "messages[2].content[0].source.data"
        assert str(caught.value).startswith("messages[2].content[0].source.data: ")
        assert words in str(caught.value)
    with pytest.raises(LocalProtocolError, match="the value: ") as caught:
        dumps(bad)
    assert caught.value.path is None


KEYS = st.text(max_size=2) | st.integers() | st.just(Shade.DARK)
NOT_PLAIN = st.sampled_from([math.nan, math.inf, {1, 2}, b"x", Shade.DARK, Level.HIGH, Point(1, 2.5), {1: 2}, object])


@given(st.recursive(plain | NOT_PLAIN, lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(KEYS, inner)))
def test_a_short_value_is_judged_like_any_other(value: Any) -> None:
    assert _is_plain_and_short(value) == _is_plain(value)


def test_what_msgspec_would_quietly_convert_is_refused() -> None:
    for bad in ({"a": {1, 2}}, [{1: 2}], {"a": [float("nan")]}, (b"x",)):
        msgspec.json.encode(bad)  # it takes these
        with pytest.raises(LocalProtocolError):
            dumps(bad)


def test_a_value_that_contains_itself_is_refused_where_it_closes() -> None:
    inner: list[Any] = []
    body: dict[str, Any] = {"messages": [{"content": inner}]}
    inner.append(body["messages"])
    with pytest.raises(LocalProtocolError, match="contains itself") as caught:
        dumps(body)
    assert caught.value.path == "messages[0].content[0]"
    twice: list[Any] = []
    twice += [twice, twice]
    with pytest.raises(LocalProtocolError, match="contains itself"):
        dumps(twice)


def test_the_same_value_twice_is_fine() -> None:
    shared = [1, {"a": None}]
    assert dumps([shared, shared, (shared,)]) == b'[[1,{"a":null}],[1,{"a":null}],[[1,{"a":null}]]]'
    assert json.loads(dumps([shared, Shade.DARK, shared])) == [shared, "dark", shared]


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"a": inner}, lambda inner: (inner,)])
def test_nesting_is_limited(wrap: Any) -> None:
    value: Any = "deep"
    for _ in range(WRITTEN_DEPTH):
        value = wrap(value)
    assert depth_of(dumps(value)) == WRITTEN_DEPTH
    deeper = wrap(value)
    with pytest.raises(LocalProtocolError, match="deeper than 528"):
        dumps(deeper)
    for _ in range(50_000):
        deeper = wrap(deeper)
    with pytest.raises(LocalProtocolError, match="deeper than 528"):
        dumps(deeper)
    while isinstance(deeper, list | dict | tuple):  # taken apart by hand: freeing it would recurse
        deeper = deeper["a"] if isinstance(deeper, dict) else deeper[0]


def test_a_stand_in_is_converted_in_turn_and_its_error_gets_the_place() -> None:
    assert dumps([Turn({"a": Turn([Turn(1)])})], convert=convert) == b'[{"a":[1]}]'

    def refuse(value: Any) -> Any:
        raise LocalProtocolError("it is not whole", path=value.value)

    with pytest.raises(LocalProtocolError) as caught:
        dumps({"messages": [Turn("input")]}, convert=refuse)
    assert caught.value.path == "messages[0].input"
    assert str(caught.value) == "messages[0].input: it is not whole"
    with pytest.raises(LocalProtocolError) as caught:
        dumps([Turn(None)], convert=refuse)
    assert caught.value.path == "[0]"


EXACT = ['{"a": 1e999}', "[-1e999]", '{"a": "x\\ud800é"}', '{"\\udfff": {"b": [1, 1e999]}, "c": "d"}', "1e999"]


@pytest.mark.parametrize("text", EXACT)
def test_what_a_model_wrote_is_written_as_it_came(text: str) -> None:
    value = loads_input(text)
    with pytest.raises(LocalProtocolError):
        dumps([value], convert=convert)
    assert loads_input(dumps([Turn(value)], convert=convert).decode()) == [value]


def test_nan_is_no_json_even_in_a_stand_in() -> None:
    with pytest.raises(LocalProtocolError, match="nan is not") as caught:
        dumps([Turn({"a": [math.nan]})], convert=convert)
    assert caught.value.path == "[0].a[0]"


def test_objects_that_stand_for_ever_new_objects_end() -> None:
    class Endless:
        def to_param(self) -> Any:
            return Endless()

    with pytest.raises(LocalProtocolError, match="deeper"):
        dumps(Endless(), convert=lambda value: value.to_param())
