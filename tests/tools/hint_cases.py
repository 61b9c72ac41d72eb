"""150 type hints of all kinds, each with values that fit it and values that do not. For `compare_hints`."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import datetime
import decimal
import enum
import ipaddress
import pathlib
import typing
import uuid
from collections.abc import Callable
from typing import Annotated, Any, Final, Generic, Literal, NamedTuple, NewType, NotRequired, TypedDict, TypeVar

import annotated_types
import attrs
import msgspec
import pydantic
from typing_extensions import Doc, TypeAliasType

__all__ = ["CASES"]

T = TypeVar("T")


class Unit(enum.Enum):
    C = "celsius"
    F = "fahrenheit"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mixed(enum.Enum):
    ONE = 1
    TWO = "two"


class Name(enum.StrEnum):
    A = "a"


class Right(enum.IntFlag):
    READ = 1
    WRITE = 2


@dataclasses.dataclass
class Place:
    """A place.

    Attributes:
        north: Degrees.
    """

    north: float
    name: str = ""


@dataclasses.dataclass
class Note:
    text: str
    owner: str = dataclasses.field(init=False, default="me")


@dataclasses.dataclass
class Positive:
    number: int

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError("must not be negative")


@dataclasses.dataclass
class Sum:
    left: int
    right: dataclasses.InitVar[int] = 1


@dataclasses.dataclass(init=False)
class ByHand:
    size: int

    def __init__(self, name: str) -> None:
        self.size = len(name)


@dataclasses.dataclass
class Node:
    name: str
    below: list[Node] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Box(Generic[T]):
    content: T


@dataclasses.dataclass
class Cat:
    lives: int


@dataclasses.dataclass
class Dog:
    barks: bool


@dataclasses.dataclass
class Described:
    a: Annotated[int, "of the a"]


@dataclasses.dataclass
class Late:
    a: str = None  # type: ignore[assignment]


@attrs.define
class Person:
    name: str
    _age: int = 0


def lower(names: list[str]) -> list[str]:
    return [name.lower() for name in names]


@attrs.define
class Tags:
    names: list[str] = attrs.field(converter=lower)


@attrs.define
class Checked:
    number: int = attrs.field(validator=attrs.validators.ge(0))


class Row(TypedDict):
    key: str
    value: NotRequired[int]


class Partial(TypedDict, total=False):
    key: str


class Pair(NamedTuple):
    left: int
    right: int = 0


class Circle(msgspec.Struct, tag=True):
    radius: int


class Square(msgspec.Struct, tag=True):
    side: int


class Plain(msgspec.Struct):
    a: int


class City(pydantic.BaseModel):
    name: str
    people: int = pydantic.Field(0, ge=0)


class Open(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    a: int = 0


class Forbidding(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    a: int = 0


class Aliased(pydantic.BaseModel):
    a: int = pydantic.Field(alias="theA")


class TagA(pydantic.BaseModel):
    kind: Literal["a"]


class TagB(pydantic.BaseModel):
    kind: Literal["b"]


class Titled(pydantic.BaseModel):
    name: str

    @pydantic.field_validator("name")
    @classmethod
    def _title(cls, value: str) -> str:
        return value.title()


@pydantic.dataclasses.dataclass
class Age:
    years: Annotated[int, pydantic.Field(ge=0)]


class Other:
    pass


UserId = NewType("UserId", int)
Short = TypeAliasType("Short", Annotated[str, msgspec.Meta(max_length=3)])
DAY, MOMENT, CLOCK, LENGTH = "2026-11-28", "2026-11-28T10:00:00Z", "10:00:00", "P1DT2H"
UUID_TEXT = "12345678-1234-5678-1234-567812345678"

CASES: Final[list[tuple[str, Any, list[Any]]]] = [
    # Texts and numbers.
    ("str", str, ["a", "", 5, None, True]),
    ("int", int, [5, 5.0, 5.5, "5", " 5", "x", True, None, 2**70]),
    ("float", float, [1.5, 1, "1.5", "nan", True]),
    ("bool", bool, [True, "true", "yes", 1, 0, "True"]),
    ("None", None, [None, "null", 0]),
    ("bytes", bytes, ["aGk=", "not base64!"]),
    ("bytearray", bytearray, ["aGk="]),
    ("complex", complex, ["1+2j", 1]),
    ("Decimal", decimal.Decimal, ["1.50", 1.5, 1, "NaN", "x"]),
    ("Any", Any, [1, "a", None, {"a": [1]}]),
    ("object", object, [1, {"a": 1}]),
    ("UserId (NewType)", UserId, [1, "1", "x"]),
    ("Short (alias)", Short, ["abc", "abcd"]),
    ("T (TypeVar)", T, [1, "a"]),
    # Dates and their like.
    ("date", datetime.date, [DAY, MOMENT, "x", 5, "5"]),
    ("datetime", datetime.datetime, [MOMENT, "2026-11-28T10:00:00", DAY, "x", 5]),
    ("time", datetime.time, [CLOCK, "x", 5]),
    ("timedelta", datetime.timedelta, [LENGTH, "x", 5]),
    ("UUID", uuid.UUID, [UUID_TEXT, "x"]),
    ("Path", pathlib.Path, ["/tmp", 5]),
    ("PurePosixPath", pathlib.PurePosixPath, ["/tmp"]),
    ("IPv4Address", ipaddress.IPv4Address, ["127.0.0.1", "x"]),
    ("AnyUrl", pydantic.AnyUrl, ["https://a.b/", "x"]),
    ("SecretStr", pydantic.SecretStr, ["x", 5]),
    # Fixed values.
    ("Literal texts", Literal["a", "b"], ["a", "c", 1]),
    ("Literal numbers", Literal[1, 2], [1, 1.0, "1", 3, True]),
    ("Literal True", Literal[True], [True, 1, "true"]),
    ("Literal None", Literal["a", None], ["a", None]),
    ("Literal mixed", Literal["a", 1, True], ["a", 1, True]),
    ("Literal of an enum", Literal[Unit.C], ["celsius", "fahrenheit"]),
    ("Enum of texts", Unit, ["celsius", "C", "kelvin", 1]),
    ("IntEnum", Level, [1, 1.0, "1", 3, True]),
    ("StrEnum", Name, ["a", "b"]),
    ("mixed Enum", Mixed, [1, "two", "1", 3]),
    ("IntFlag", Right, [1, 3, 8]),
    # Lists and their like.
    ("list", list, [[1, "a"], {}, "[1]"]),
    ("list[int]", list[int], [[1, 2], [], ["1"], "[1, 2]", "1,2", [1.0], {"0": 1}]),
    ("list[list[str]]", list[list[str]], [[["a"]], ["a"]]),
    ("tuple", tuple, [[1, "a"]]),
    ("tuple[int, str]", tuple[int, str], [[1, "a"], [1], [1, "a", 2], ["a", 1]]),
    ("tuple[int, ...]", tuple[int, ...], [[1], [], ["a"]]),
    ("tuple[()]", tuple[()], [[], [1]]),
    ("set[int]", set[int], [[1, 2], [1, 1], ["a"]]),
    ("frozenset[str]", frozenset[str], [["a"], [1]]),
    ("Sequence[int]", collections.abc.Sequence[int], [[1], "1"]),
    ("Collection[str]", collections.abc.Collection[str], [["a"], "a"]),
    ("Iterable[str]", collections.abc.Iterable[str], [["a"], [1]]),
    ("Iterator[int]", collections.abc.Iterator[int], [[1], ["a"]]),
    ("AbstractSet[int]", collections.abc.Set[int], [[1]]),
    ("MutableSequence[int]", collections.abc.MutableSequence[int], [[1]]),
    ("deque", collections.deque, [[1]]),
    ("deque[int]", collections.deque[int], [[1], ["a"]]),
    ("set[tuple[int, str]]", set[tuple[int, str]], [[[1, "a"]]]),
    ("set[list[int]]", set[list[int]], [[[1]]]),
    ("NamedTuple", Pair, [[1], [1, 2], [1, 2, 3], {"left": 1}]),
    # Dicts.
    ("dict", dict, [{"a": 1}, [], '{"a": 1}']),
    ("dict[str, int]", dict[str, int], [{"a": 1}, {"a": "1"}, {"a": "x"}]),
    ("dict[int, str]", dict[int, str], [{"1": "a"}, {"a": "b"}, {"1": "a", "01": "b"}]),
    ("dict[float, str]", dict[float, str], [{"1.5": "a"}, {"x": "a"}]),
    ("dict[Level, str]", dict[Level, str], [{"1": "a"}, {"3": "a"}]),
    ("dict[Unit, str]", dict[Unit, str], [{"celsius": "a"}, {"x": "a"}]),
    ("dict[date, int]", dict[datetime.date, int], [{DAY: 1}, {"x": 1}]),
    ("dict[UUID, int]", dict[uuid.UUID, int], [{UUID_TEXT: 1}]),
    ("dict[Path, int]", dict[pathlib.Path, int], [{"/tmp": 1}]),
    ("dict[bool, int]", dict[bool, int], [{"true": 1}, {"x": 1}]),
    ("dict[Literal, int]", dict[Literal["a", "b"], int], [{"a": 1}, {"c": 1}]),
    ("dict[tuple, int]", dict[tuple[int, int], int], [{"1": 1}]),
    ("Mapping[str, int]", collections.abc.Mapping[str, int], [{"a": 1}]),
    ("MutableMapping[str, int]", collections.abc.MutableMapping[str, int], [{"a": 1}]),
    ("OrderedDict[str, int]", collections.OrderedDict[str, int], [{"a": 1}]),
    ("defaultdict[str, list[int]]", collections.defaultdict[str, list[int]], [{"a": [1]}]),
    ("Counter[str]", collections.Counter[str], [{"a": 1}]),
    ("dict[str, list[Place]]", dict[str, list[Place]], [{"a": [{"north": 1}]}, {"a": [{"north": 1, "z": 1}]}]),
    # Classes with fields.
    ("dataclass", Place, [{"north": 1}, {"north": 1, "z": 2}, {}, {"north": "1.5"}, '{"north": 1}']),
    ("dataclass, init=False field", Note, [{"text": "a"}, {"text": "a", "owner": "root"}]),
    ("dataclass, __post_init__", Positive, [{"number": 1}, {"number": -1}]),
    ("dataclass, InitVar", Sum, [{"left": 1, "right": 2}, {"left": 1}]),
    ("dataclass, own __init__", ByHand, [{"name": "abc"}, {"size": 3}]),
    ("dataclass, recursive", Node, [{"name": "a", "below": [{"name": "b"}]}, {"name": "a", "below": [{}]}]),
    ("dataclass, generic", Box[int], [{"content": 1}, {"content": "x"}]),
    ("dataclass, generic of a class", Box[Cat], [{"content": {"lives": 1}}, {"content": {}}]),
    ("dataclass, words", Described, [{"a": 1}]),
    ("dataclass, default None", Late, [{}, {"a": None}, {"a": "x"}]),
    ("pydantic dataclass", Age, [{"years": 1}, {"years": -5}, {"years": 1, "z": 1}]),
    ("attrs", Person, [{"name": "a"}, {"name": "a", "age": 1}, {"name": "a", "_age": 1}]),
    ("attrs, converter", Tags, [{"names": ["A"]}]),
    ("attrs, validator", Checked, [{"number": 1}, {"number": -1}]),
    ("TypedDict", Row, [{"key": "a"}, {"key": "a", "value": 1}, {"key": "a", "z": 1}, {}]),
    ("TypedDict, total=False", Partial, [{}, {"key": "a"}]),
    ("Struct", Plain, [{"a": 1}, {"a": 1, "z": 1}]),
    ("tagged Struct", Circle, [{"type": "Circle", "radius": 1}, {"radius": 1}]),
    (
        "BaseModel",
        City,
        [{"name": "a"}, {"name": "a", "people": -1}, {"name": "a", "z": 1}, {"name": "a", "people": "7"}],
    ),
    ("BaseModel, extra=allow", Open, [{"a": 1, "z": 1}]),
    ("BaseModel, extra=forbid", Forbidding, [{"a": 1, "z": 1}, {"a": 1}]),
    ("BaseModel, alias", Aliased, [{"theA": 1}, {"a": 1}]),
    ("BaseModel, validator", Titled, [{"name": "oslo"}]),
    ("RootModel", pydantic.RootModel[list[int]], [[1], ["a"]]),
    ("list[City]", list[City], [[{"name": "a"}], [{"name": "a", "z": 1}]]),
    ("dict[str, City]", dict[str, City], [{"x": {"name": "a"}}]),
    ("plain class", Other, [{}]),
    # Unions.
    ("int | None", int | None, [1, None, "1", "null", "x"]),
    ("str | None", str | None, ["a", None, "null", 5]),
    ("Optional[Place]", typing.Optional[Place], [None, {"north": 1}, {}]),  # noqa: UP045
    ("int | str", int | str, [1, "1", "a", 1.5]),
    ("int | float", int | float, [1, 1.5, "1"]),
    ("float | int", float | int, [1, 1.5]),
    ("bool | int", bool | int, [True, 1, 0]),
    ("int | list[int]", int | list[int], [1, [1], "1", "[1]", {}]),
    ("str | list[str]", str | list[str], ["a", ["a"], '["a"]', 5]),
    ("str | int | None", str | int | None, ["a", 1, None, True]),
    ("Place | int", Place | int, [{"north": 1}, 1, "x"]),
    ("Place | list[Place]", Place | list[Place], [{"north": 1}, [{"north": 1}], []]),
    ("Cat | Dog", Cat | Dog, [{"lives": 1}, {"barks": True}, {"lives": 1, "barks": True}, {}]),
    ("list[Cat | Dog]", list[Cat | Dog], [[{"lives": 1}, {"barks": True}], [{}]]),
    ("City | Cat", City | Cat, [{"name": "a"}, {"lives": 1}]),
    ("City | None", City | None, [{"name": "a"}, None]),
    ("dict[str, Any] | Cat", dict[str, Any] | Cat, [{"lives": 1}, {"a": 1}]),
    ("str | date", str | datetime.date, [DAY, "x"]),
    ("int | date", int | datetime.date, [DAY, 5, "5", "x"]),
    ("date | datetime", datetime.date | datetime.datetime, [DAY, MOMENT, "x"]),
    ("str | UUID", str | uuid.UUID, [UUID_TEXT, "x"]),
    ("str | Path", str | pathlib.Path, ["a"]),
    ("Unit | str", Unit | str, ["celsius", "x"]),
    ("Literal | int", Literal["auto"] | int, ["auto", 5, "5", "x"]),
    ("Level | None", Level | None, [1, None, "1"]),
    ("list[int] | list[str]", list[int] | list[str], [[1], ["a"], [1, "a"]]),
    ("list[str] | tuple[str, ...]", list[str] | tuple[str, ...], [["a"]]),
    ("tagged Structs", Circle | Square, [{"type": "Square", "side": 1}, {"type": "Oval"}]),
    (
        "discriminated models",
        Annotated[TagA | TagB, pydantic.Field(discriminator="kind")],
        [{"kind": "b"}, {"kind": "c"}],
    ),
    ("Decimal | float", decimal.Decimal | float, [1.5, "1.5"]),
    ("attrs | dataclass", Person | Cat, [{"name": "a"}, {"lives": 1}]),
    # Words and bounds.
    ("Annotated text", Annotated[int, "How many"], [1]),
    ("Doc", Annotated[int, Doc("How many")], [1]),
    ("Meta(ge, le)", Annotated[int, msgspec.Meta(ge=1, le=7)], [1, 8]),
    ("Meta(pattern)", Annotated[str, msgspec.Meta(pattern="^a")], ["ab", "b"]),
    ("Meta(min_length)", Annotated[list[int], msgspec.Meta(min_length=1)], [[1], []]),
    ("Meta(description)", Annotated[int, msgspec.Meta(description="How many")], [1]),
    ("Field(ge)", Annotated[int, pydantic.Field(ge=1, description="How many")], [1, 0]),
    ("Field(pattern)", Annotated[str, pydantic.Field(pattern="^a")], ["ab", "b"]),
    ("Field(max_length)", Annotated[list[int], pydantic.Field(max_length=1)], [[1], [1, 2]]),
    ("annotated_types.Le", Annotated[int, annotated_types.Le(10)], [1, 99]),
    ("annotated_types.Len", Annotated[str, annotated_types.Len(1, 2)], ["a", "abc"]),
    ("annotated_types.Interval", Annotated[float, annotated_types.Interval(gt=0, lt=1)], [0.5, 1]),
    ("PositiveInt", pydantic.PositiveInt, [1, -1]),
    ("StrictInt", pydantic.StrictInt, [1, "1"]),
    ("EmailStr-like pattern", Annotated[str, pydantic.StringConstraints(pattern=".@.")], ["a@b", "x"]),
    ("AfterValidator", Annotated[int, pydantic.AfterValidator(lambda value: value + 1)], [1]),
    ("BeforeValidator", Annotated[int, pydantic.BeforeValidator(lambda value: int(value) + 1)], [1]),
    ("list of words", list[Annotated[str, "one name"]], [["a"]]),
    ("Optional words", Annotated[int, "How many"] | None, [1, None]),
    ("unknown metadata", Annotated[int, Other()], [1]),
    # What is no value.
    ("type[int]", type[int], ["int"]),
    ("Callable", Callable[[int], int], ["f"]),
    ("module class", collections.abc.Awaitable[int], [1]),
]
