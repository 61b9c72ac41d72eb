"""Type hints of all kinds, and JSON values that fit them or nearly do, as Hypothesis strategies."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import pathlib
import uuid
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, Optional, TypedDict, Union

import annotated_types
import attrs
import jsonschema
import msgspec
import pydantic
from hypothesis import strategies as st

__all__ = ["hints", "validator_of", "values_for"]


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mixed(enum.Enum):
    ONE = 1
    TWO = "two"


LEAVES: list[Any] = [
    *(str, int, float, bool, None, Any, object, Decimal, uuid.UUID, pathlib.Path),
    *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta),
    *(Colour, Level, Mixed, Literal["a", "b"], Literal[1, 2], Literal["a", 1, None, True]),
    Annotated[int, msgspec.Meta(ge=0, le=9)],
    Annotated[str, msgspec.Meta(min_length=1, max_length=3)],
    Annotated[str, "words"],
    Annotated[int, pydantic.Field(ge=0, description="words")],
    Annotated[float, annotated_types.Gt(0)],
]
HASHABLE: list[Any] = [str, int, Colour, Level, Literal["a", "b"], tuple[int, str], datetime.date]
KEYS: list[Any] = [str, int, Colour, Level, Literal["a", "b"], datetime.date]
SIMPLE: list[Any] = [str, int, float, bool, None, Any, Colour, Level, Literal["a", "b"], list[int], dict[str, int]]
NAMES = ("a", "b", "c")
TEXTS = (
    *("", "a", "b", "red", "two", "1", "x y", "true", "null", "[1]", "2026-11-28"),
    *("2026-11-28T10:00:00Z", "10:00:00Z", "P1DT2H", "12345678-1234-5678-1234-567812345678", "1.5"),
)


def of(base: Any, *args: Any) -> Any:
    """A generic type with these arguments."""
    return base[args if len(args) > 1 else args[0]]


def record(make: str, fields: Any) -> Any:
    """A class of one of the kinds with these fields: name, hint, whether it has the default None."""
    fields = sorted(fields, key=lambda field: bool(field[2]))
    attr: Any = attrs
    late_field: Any = dataclasses.field(default=None)
    if make == "dataclass":
        made = [(name, hint, late_field) if late else (name, hint) for name, hint, late in fields]
        return dataclasses.make_dataclass("D", made)
    if make == "attrs":
        return attr.make_class("A", {name: attr.field(type=hint, **_LATE[late]) for name, hint, late in fields})
    if make == "struct":
        return msgspec.defstruct("S", [(name, hint, None) if late else (name, hint) for name, hint, late in fields])
    if make == "typed_dict":
        typed_dict: Any = TypedDict
        return typed_dict("T", {name: hint for name, hint, _ in fields})
    if make == "named_tuple":
        named_tuple: Any = NamedTuple
        return named_tuple("N", [(name, hint) for name, hint, _ in fields])
    create: Any = pydantic.create_model
    # What stands inside a model is pydantic's alone, which is not always of one mind: "1" is a date-time to it.
    fields = [(name, hint if hint in SIMPLE else int, late) for name, hint, late in fields]
    return create("P", **{name: (of(Optional, hint), None) if late else (hint, ...) for name, hint, late in fields})


_LATE: dict[bool, dict[str, Any]] = {True: {"default": None}, False: {}}


def _extended(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    fields = st.lists(
        st.tuples(st.sampled_from(NAMES), inner, st.booleans()), min_size=1, max_size=3, unique_by=lambda one: one[0]
    )
    kinds = st.sampled_from(["dataclass", "attrs", "struct", "typed_dict", "named_tuple", "pydantic"])
    return st.one_of(
        inner.map(lambda one: of(list, one)),
        inner.map(lambda one: of(tuple, one, ...)),
        st.builds(lambda one, other: of(tuple, one, other), inner, inner),
        st.sampled_from(HASHABLE).map(lambda one: of(set, one)),
        st.builds(lambda key, one: of(dict, key, one), st.sampled_from(KEYS), inner),
        inner.map(lambda one: of(Optional, one)),
        st.lists(inner, min_size=2, max_size=3).map(lambda many: of(Union, *many)),
        st.builds(record, kinds, fields),
    )


def hints() -> st.SearchStrategy[Any]:
    """Hints of every kind, nested."""
    return st.recursive(st.sampled_from(LEAVES), _extended, max_leaves=5)


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 12) | st.sampled_from([0.5, 1.0, -3.0]) | st.sampled_from(TEXTS),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from((*NAMES, "1", "z")), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def values_for(draw: st.DrawFn, schema: Any, definitions: dict[str, Any]) -> Any:
    """A value that fits a schema more often than not."""
    if draw(st.integers(0, 9)) == 0 or not isinstance(schema, dict):
        return draw(_ANY)
    if "$ref" in schema:
        return draw(values_for(definitions[schema["$ref"].rpartition("/")[2]], definitions))
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return draw(values_for(draw(st.sampled_from(schema[word])), definitions))
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    kind = schema.get("type")
    if kind == "array":
        places = schema.get("prefixItems")
        if places is None:
            items = schema.get("items", {})
            return [draw(values_for(items, definitions)) for _ in range(draw(st.integers(0, 2)))]
        return [draw(values_for(place, definitions)) for place in places]
    if kind == "object":
        found = {}
        required = schema.get("required", ())
        for key, one in schema.get("properties", {}).items():
            if key in required or draw(st.booleans()):
                found[key] = draw(values_for(one, definitions))
        more = schema.get("additionalProperties")
        if isinstance(more, dict):
            for _ in range(draw(st.integers(0, 2))):
                found[draw(st.sampled_from((*TEXTS, "1", "2", "red")))] = draw(values_for(more, definitions))
        return found
    simple: dict[Any, st.SearchStrategy[Any]] = {
        "string": st.sampled_from(TEXTS),
        "integer": st.integers(-2, 12) | st.sampled_from([1.0, 2.0]),
        "number": st.sampled_from([0.5, 1, 2.0, -1]),
        "boolean": st.booleans(),
        "null": st.none(),
    }
    return draw(simple.get(kind, _ANY))


_FORMATS = jsonschema.FormatChecker(formats=())


def _checked(name: str, read: Any) -> None:
    def check(value: object) -> bool:
        if isinstance(value, str):
            read(value)
        return True

    _FORMATS.checks(name, raises=(ValueError, ArithmeticError))(check)


def _duration(text: str) -> None:
    if text not in ("P1DT2H",):
        raise ValueError(text)


def _moment(text: str) -> None:
    if "T" not in text or text.startswith("P"):
        raise ValueError(text)
    datetime.datetime.fromisoformat(text)


def _time(text: str) -> None:
    if ":" not in text:
        raise ValueError(text)
    datetime.time.fromisoformat(text)


def _date(text: str) -> None:
    if len(text) != 10:
        raise ValueError(text)
    datetime.date.fromisoformat(text)


_checked("date", _date)
_checked("date-time", _moment)
_checked("time", _time)
_checked("duration", _duration)
_checked("uuid", uuid.UUID)
_checked("decimal", Decimal)


def validator_of(schema: dict[str, Any]) -> Any:
    """The judge: jsonschema, with the formats that a hint can have."""
    return jsonschema.Draft202012Validator(schema, format_checker=_FORMATS)
