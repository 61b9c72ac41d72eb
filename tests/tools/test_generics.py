"""Generic classes as hints: each field has its own type variables, whatever base it comes from."""

from __future__ import annotations

import dataclasses
from typing import Any, Generic, NamedTuple, TypeVar

import attrs
import msgspec
import pytest
from typing_extensions import TypedDict

from sansio_claude import ToolError
from sansio_claude.tools import tool
from sansio_claude.tools._generics import closed

T = TypeVar("T")
U = TypeVar("U")
N = TypeVar("N", bound=int)
C = TypeVar("C", int, str)


@dataclasses.dataclass
class Box(Generic[T]):
    value: T


@dataclasses.dataclass
class Nested(Generic[T]):
    """A generic class in another one, with the same variable."""

    box: Box[T]
    boxes: list[Box[T | None]]


@dataclasses.dataclass
class Chain(Generic[T]):
    value: T
    rest: Chain[T] | None = None


@dataclasses.dataclass
class Named(Box[int]):
    name: str = ""


@dataclasses.dataclass
class Listed(Box[list[U]], Generic[U]):
    other: U


@dataclasses.dataclass
class Left(Generic[T]):
    left: T


@dataclasses.dataclass
class Right(Generic[T]):
    right: T


@dataclasses.dataclass
class Both(Left[int], Right[str]):
    """Two bases whose variable is the same object."""


@attrs.define
class Private(Generic[T]):
    _value: T


@attrs.define
class PrivateInt(Private[int]):
    pass


class Keys(TypedDict, Generic[T]):
    value: T


class IntKeys(Keys[int]):
    name: str


class Place(msgspec.Struct, Generic[T]):
    value: T


class IntPlace(Place[int]):
    name: str = ""


class Pair(NamedTuple, Generic[T]):
    first: T
    second: Pair[T] | None = None


@dataclasses.dataclass
class Bare:
    """A generic class without arguments inside one that has some."""

    box: Box  # type: ignore[type-arg]
    number: Box[N]  # type: ignore[valid-type]
    either: Box[C]  # type: ignore[valid-type]


CASES: list[tuple[Any, Any, Any]] = [
    (Box[int], {"value": 1}, {"value": "x"}),
    (Nested[int], {"box": {"value": 1}, "boxes": [{"value": None}]}, {"box": {"value": "x"}, "boxes": []}),
    (Nested[str], {"box": {"value": "x"}, "boxes": [{"value": "x"}]}, {"box": {"value": "x"}, "boxes": [{"value": 1}]}),
    (Chain[int], {"value": 1, "rest": {"value": 2}}, {"value": 1, "rest": {"value": "x"}}),
    (Named, {"value": 1}, {"value": "x"}),
    (Listed[int], {"value": [1], "other": 1}, {"value": ["x"], "other": 1}),
    (Listed[int], {"value": [], "other": 1}, {"value": [], "other": "x"}),
    (Both, {"left": 1, "right": "x"}, {"left": "x", "right": "x"}),
    (Both, {"left": 1, "right": "x"}, {"left": 1, "right": 1}),
    (Private[int], {"value": 1}, {"value": "x"}),
    (PrivateInt, {"value": 1}, {"value": "x"}),
    (Keys[int], {"value": 1}, {"value": "x"}),
    (IntKeys, {"value": 1, "name": "x"}, {"value": "x", "name": "x"}),
    (IntPlace, {"value": 1}, {"value": "x"}),
    (Pair[int], [1, [2]], [1, ["x"]]),
    (
        Bare,
        {"box": {"value": "any"}, "number": {"value": 1}, "either": {"value": "x"}},
        {"box": {"value": 1}, "number": {"value": "x"}, "either": {"value": 1}},
    ),
    (list[Nested[bool]], [{"box": {"value": True}, "boxes": []}], [{"box": {"value": 1}, "boxes": []}]),
    (Box[Box[int]], {"value": {"value": 1}}, {"value": {"value": "x"}}),
]


@pytest.mark.parametrize(("hint", "fits", "odd"), CASES)
def test_variables_stand_for_what_is_given(hint: Any, fits: Any, odd: Any) -> None:
    def show(x: Any) -> Any:
        return x

    show.__annotations__["x"] = hint
    made = tool(show)
    assert made.call({"x": fits}) is not None
    with pytest.raises(ToolError, match="does not fit"):
        made.call({"x": odd})


def test_two_uses_of_one_class_are_told_apart() -> None:
    @tool
    def both(a: Nested[int], b: Nested[str]) -> tuple[Any, Any]:
        return a.box.value, b.box.value

    assert both.call({"a": {"box": {"value": 1}, "boxes": []}, "b": {"box": {"value": "x"}, "boxes": []}}) == (1, "x")
    assert len(both.input_schema["$defs"]) == 6


def test_a_variable_that_nothing_is_given_for() -> None:
    t: Any = T
    assert closed(T, {}) is Any
    assert closed(N, {}) is int
    assert closed(C, {}) == int | str
    assert closed(list[t], {T: int}) == list[int]
    assert closed(dict[str, t | None], {T: list[int]}) == dict[str, list[int] | None]
    assert closed(list, {T: int}) is list
