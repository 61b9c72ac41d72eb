"""Hints and the values that come of them: constructors run, nothing is dropped, what cannot be done is refused."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import enum
import functools
import pathlib
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, Optional, TypedDict, TypeVar

import annotated_types
import attrs
import msgspec
import pydantic
import pytest
from typing_extensions import Doc, TypeAliasType

from sansio_claude._errors import LocalProtocolError, ToolError
from sansio_claude.tools import Tool, tool
from sansio_claude.tools._foreign import fill
from sansio_claude.tools._lenient import Mender
from sansio_claude.tools._misfit import Misfit
from sansio_claude.tools._types import InputType
from tests.counting import calls

T = TypeVar("T")


def taking(hint: Any, default: Any = ..., **options: Any) -> Tool:
    """A tool with one parameter of a hint, which gives its value back."""

    def take(x: Any) -> Any:
        "Take it."
        return x

    take.__annotations__["x"] = hint
    take.__defaults__ = None if default is ... else (default,)
    return tool(**options)(take)


def shown(made: Tool) -> dict[str, Any]:
    """The schema of its parameter."""
    found: dict[str, Any] = made.to_param()["input_schema"]["properties"]["x"]
    return found


def refused(made: Tool, value: Any) -> str:
    """What the model is told of a value, without the rest of the words."""
    with pytest.raises(ToolError) as caught:
        made.call({"x": value})
    return caught.value.message.splitlines()[0].partition("take: ")[2]


@dataclasses.dataclass
class Note:
    """A note.

    Attributes:
        text: What it says.
    """

    text: str
    owner: str = dataclasses.field(init=False, default="me")


@dataclasses.dataclass
class Sum:
    left: int
    right: dataclasses.InitVar[int] = 1
    total: int = dataclasses.field(init=False, default=0)

    def __post_init__(self, right: int) -> None:
        if right < 0:
            raise ValueError("right must not be negative")
        self.total = self.left + right


@dataclasses.dataclass(init=False)
class ByHand:
    size: int

    def __init__(self, name: str, *, extra: int = 1) -> None:
        self.size = len(name) + extra


def lower(names: list[str]) -> list[str]:
    return [name.lower() for name in names]


@attrs.define
class Tags:
    names: list[str] = attrs.field(converter=lower)
    _secret: int = attrs.field(default=0, validator=attrs.validators.ge(0), metadata={"description": "A number."})
    made: int = attrs.field(init=False, default=3)


@pydantic.dataclasses.dataclass
class Age:
    years: Annotated[int, pydantic.Field(ge=0)]


class City(pydantic.BaseModel):
    """A city."""

    name: str
    people: int = pydantic.Field(default=0, ge=0, description="How many live there")

    @pydantic.field_validator("name")
    @classmethod
    def _title(cls, value: str) -> str:
        if value == "nowhere":
            raise KeyError("unknown")
        return value.title()


class Open(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    a: int = 0


class Ignoring(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="ignore")
    a: int = 0


@dataclasses.dataclass
class Cat:
    lives: int


@dataclasses.dataclass
class Dog:
    barks: bool


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mixed(enum.Enum):
    ONE = 1
    TWO = "two"


class Pair(NamedTuple):
    left: int
    right: Annotated[int, "the other"] = 0


class Row(TypedDict, total=False):
    key: str


class Circle(msgspec.Struct, tag=True):
    radius: int


class Square(msgspec.Struct, tag=True):
    cat: Cat


@dataclasses.dataclass
class Box(Generic[T]):
    content: T


@dataclasses.dataclass
class Described:
    a: Annotated[int, "of the a"]
    b: Annotated[int, Doc("of the b")] = 0
    c: int = dataclasses.field(default=0, metadata={"description": "of the c"})
    d: str = None  # type: ignore[assignment]


UserId = NewType("UserId", int)
Short = TypeAliasType("Short", Annotated[str, msgspec.Meta(max_length=3)])

TAKEN: list[tuple[Any, Any, Any]] = [
    (Note, {"text": "x"}, Note("x")),
    (Sum, {"left": 1}, Sum(1)),
    (Sum, {"left": 1, "right": 2}, Sum(1, 2)),
    (ByHand, {"name": "abc"}, ByHand("abc")),
    (Tags, {"names": ["A"]}, Tags(["a"])),
    (Tags, {"names": [], "secret": 2}, Tags([], 2)),
    (Age, {"years": 5}, Age(5)),
    (City, {"name": "oslo"}, City(name="Oslo")),
    (list[City], [{"name": "oslo", "people": 7}], [City(name="Oslo", people=7)]),
    (Open, {"a": 1, "b": 2}, Open(a=1, b=2)),  # type: ignore[call-arg]
    (Ignoring, {"a": 1, "b": 2}, Ignoring(a=1)),
    (Cat | Dog, {"barks": True}, Dog(True)),
    (list[Cat | Dog], [{"lives": 9}, {"barks": False}], [Cat(9), Dog(False)]),
    (Tags | ByHand, {"name": "abc"}, ByHand("abc")),
    (City | Cat | None, {"lives": 9}, Cat(9)),
    (City | Cat | None, None, None),
    (dict[str, Any] | Cat, {"lives": 9}, Cat(9)),
    (dict[str, Any] | Cat, {"other": 9}, {"other": 9}),
    (str | datetime.date, "2026-11-28", "2026-11-28"),
    (str | uuid.UUID, "x", "x"),
    (list[int] | list[str], ["a"], ["a"]),
    (list[str] | tuple[str, ...], ["a"], ["a"]),
    (pathlib.Path, "/tmp", pathlib.Path("/tmp")),
    (dict[str, pathlib.Path], {"a": "b"}, {"a": pathlib.Path("b")}),
    (Iterable[str], ["a"], ["a"]),
    (collections.deque[int], [1], collections.deque([1])),
    (collections.OrderedDict[str, Cat], {"a": {"lives": 1}}, collections.OrderedDict(a=Cat(1))),
    (object, {"a": 1}, {"a": 1}),
    (Mixed, "two", Mixed.TWO),
    (Literal[Mixed.ONE, "x"], 1, Mixed.ONE),
    (Literal[True, 1], 1, 1),
    (Level, 2, Level.HIGH),
    (Level, 2.0, Level.HIGH),
    (dict[int, str], {"1": "a"}, {1: "a"}),
    (dict[float, str], {"1.5": "a"}, {1.5: "a"}),
    (dict[Level, str], {"1": "a"}, {Level.LOW: "a"}),
    (dict[datetime.date, Cat], {"2026-11-28": {"lives": 1}}, {datetime.date(2026, 11, 28): Cat(1)}),
    (Pair, [1], Pair(1)),
    (Row, {}, {}),
    (Circle | Square, {"type": "Square", "cat": {"lives": 1}}, Square(Cat(1))),
    (Box[Cat], {"content": {"lives": 1}}, Box(Cat(1))),
    (Box[int] | None, {"content": 1}, Box(1)),
    (UserId, 3, 3),
    (Short, "abc", "abc"),
    (Decimal, 1.5, Decimal("1.5")),
    (Decimal, "0.10", Decimal("0.10")),
    (datetime.datetime, "2026-11-28T10:00:00Z", datetime.datetime(2026, 11, 28, 10, tzinfo=datetime.UTC)),
    (datetime.time, "10:00:00", datetime.time(10)),
    (set[Literal["a", "b"]], ["b"], {"b"}),
    (frozenset[tuple[int, str]], [[1, "a"]], frozenset({(1, "a")})),
    (Annotated[list[Cat], msgspec.Meta(min_length=1)], [{"lives": 1}], [Cat(1)]),
    (Annotated[str, msgspec.Meta(min_length=2)] | pathlib.Path, "xy", "xy"),
    (int | float, 3, 3),
    (float | int, 3, 3),
    (Decimal | float, 1.5, 1.5),
    (pydantic.RootModel[list[int]], [1], pydantic.RootModel[list[int]]([1])),
    (Described, {"a": 1, "d": None}, Described(1)),
]


@pytest.mark.parametrize(("hint", "value", "expected"), TAKEN, ids=lambda one: f"{one!r:.40}")
def test_values_are_made_as_the_type_makes_them(hint: Any, value: Any, expected: Any) -> None:
    found = taking(hint).call({"x": value})
    assert found == expected
    assert type(found) is type(expected)


REFUSED: list[tuple[Any, Any, str]] = [
    (Note, {"text": "x", "owner": "root"}, "Object contains unknown field `owner` - at `$.x`"),
    (Sum, {"left": 1, "right": -1}, "right must not be negative - at `$.x`"),
    (Sum, {"left": 1, "total": 1}, "Object contains unknown field `total` - at `$.x`"),
    (Tags, {"names": [], "secret": -1}, "'_secret' must be >= 0: -1 - at `$.x`"),
    (Tags, {"names": [3]}, "Expected `str`, got `int` - at `$.x.names[0]`"),
    (Age, {"years": -5}, "Input should be greater than or equal to 0 - at `$.x.years`"),
    (list[Age], [{"years": 1}, {"years": -5}], "Input should be greater than or equal to 0 - at `$.x[1].years`"),
    (City, {"name": "x", "pepole": 1}, "Object contains unknown field `pepole` - at `$.x`"),
    (list[City], [{"name": "x", "pepole": 1}], "Object contains unknown field `pepole` - at `$.x[0]`"),
    (City, {"name": "nowhere"}, "KeyError: 'unknown' - at `$.x`"),
    (City, {}, "Field required - at `$.x`"),
    (Cat | Dog, {"lives": 1, "barks": True}, "Object has keys that do not belong together: lives, barks - at `$.x`"),
    (Cat | Dog, {"lives": 1, "z": 1}, "Object contains unknown field `z` - at `$.x`"),
    (Mixed, "three", "Input should be 1 or 'two' - at `$.x`"),
    (Literal["a"], "b", "Invalid enum value 'b' - at `$.x`"),
    (Level, True, "Expected `int`, got `bool` - at `$.x`"),
    (Level, 3, "Invalid enum value 3 - at `$.x`"),
    (dict[int, str], {"a": "b"}, "the key does not fit: Expected `int`, got `str` - at `$.x.a`"),
    (dict[int, str], {"1": "a", "01": "b"}, "the key does not fit: Expected `int`, got `str` - at `$.x.01`"),
    (dict[float, str], {"1": "a", "1.0": "b"}, "two keys stand for the same value - at `$.x.1.0`"),
    (dict[float, str], {"nan": "a"}, "the key is no finite number - at `$.x.nan`"),
    (Pair, [1, 2, 3], "Expected `array` of length 1 to 2, got length 3 - at `$.x`"),
    (Pair, {"left": 1}, "Expected `array`, got `object` - at `$.x`"),
    (Circle | Square, {"type": "Oval"}, "Invalid value 'Oval', expected one of 'Circle', 'Square' - at `$.x.type`"),
    (Circle, {"type": "Oval", "radius": 1}, "Invalid value 'Oval', expected 'Circle' - at `$.x.type`"),
    (Circle, {"radius": 1}, "Object missing required field `type` with the value 'Circle' - at `$.x`"),
    (Short, "abcd", "Expected `str` of length <= 3 - at `$.x`"),
    (Decimal, "NaN", "'NaN' is no finite number - at `$.x`"),
    (set[int], [1, 1], "the items have to be different from each other - at `$.x`"),
    (set[Any], [[1]], "an item cannot stand in a set: unhashable type: 'list' - at `$.x`"),
    (Annotated[list[Cat], msgspec.Meta(min_length=1)], [], "Expected `array` of length >= 1 - at `$.x`"),
    (Annotated[int, pydantic.Field(le=10)], 99, "Input should be less than or equal to 10 - at `$.x`"),
    (Annotated[int, annotated_types.Le(10)], 99, "Input should be less than or equal to 10 - at `$.x`"),
    (int | list[int], {}, "Expected `array | int`, got `object` - at `$.x`"),
    (pathlib.Path, 1, "Input should be a valid string - at `$.x`"),
    (Any, "\ud800", ""),
]


@pytest.mark.parametrize(("hint", "value", "words"), REFUSED[:-1], ids=lambda one: f"{one!r:.40}")
def test_what_a_type_does_not_take_is_told_with_its_place(hint: Any, value: Any, words: str) -> None:
    assert refused(taking(hint), value) == words


def test_half_a_character_in_a_key_is_told_too() -> None:
    words = refused(taking(dict[int, str]), {"\ud800": "a"})
    assert "is beyond what can be held here" in words


NO_SCHEMA: list[tuple[Any, str]] = [
    (Callable[[int], int], "is no value that JSON has"),
    (type[int], "is no value that JSON has"),
    (Annotated[int, object()], "nothing here knows what <object object"),
    (Annotated[Cat, msgspec.Meta(ge=1)], "sets bounds that Cat cannot have"),
    (set[list[int]], "the items of a set must be hashable"),
    (set[Cat], "the items of a set must be hashable, and Cat is not"),
    (dict[tuple[int, int], int], "cannot be the key of an object"),
    (Literal[b"x"], "is no value that JSON has"),
    (subprocess.Popen, "type Popen is not supported, and by pydantic: "),
]


@pytest.mark.parametrize(("hint", "words"), NO_SCHEMA, ids=lambda one: f"{one!r:.40}")
def test_what_cannot_be_done_is_refused_when_the_tool_is_made(hint: Any, words: str) -> None:
    with pytest.raises(LocalProtocolError, match="no JSON schema can be made for the parameter 'x' of take: ") as error:
        taking(hint)
    assert words in error.value.message


def test_words_reach_the_value_that_they_are_about() -> None:
    assert shown(taking(list[Annotated[str, "one name"]])) == {
        "type": "array",
        "items": {"type": "string", "description": "one name"},
    }
    schema = taking(Described).to_param()["input_schema"]["$defs"]["Described"]["properties"]
    assert {key: one.get("description") for key, one in schema.items()} == {
        "a": "of the a",
        "b": "of the b",
        "c": "of the c",
        "d": None,
    }
    assert schema["d"] == {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    note = taking(Note).to_param()["input_schema"]["$defs"]["Note"]
    assert note["description"] == "A note."
    assert note["properties"] == {"text": {"type": "string", "description": "What it says."}}
    tags = taking(Tags).to_param()["input_schema"]["$defs"]["Tags"]["properties"]
    assert tags["secret"] == {"type": "integer", "description": "A number.", "default": 0}
    assert shown(taking(Annotated[Cat | Dog, "an animal"]))["description"] == "an animal"
    assert shown(taking(Annotated[int, pydantic.Field(description="How many", le=10)])) == {
        "type": "integer",
        "description": "How many",
        "maximum": 10,
    }
    both = shown(taking(Annotated[int, pydantic.Field(le=10), "How many"]))
    assert both == {"type": "integer", "description": "How many", "maximum": 10}
    assert shown(taking(Optional[Annotated[list[int], msgspec.Meta(max_length=2, description="few")]])) == {  # noqa: UP045
        "anyOf": [
            {"type": "array", "items": {"type": "integer"}, "maxItems": 2, "description": "few"},
            {"type": "null"},
        ],
        "description": "few",
    }
    levels = taking(Level).to_param()["input_schema"]["$defs"]["Level"]
    assert levels == {"title": "Level", "enum": [1, 2], "description": "(1 is LOW, 2 is HIGH)"}
    pair = taking(Pair).to_param()["input_schema"]["$defs"]["Pair"]
    assert pair["prefixItems"] == [
        {"type": "integer", "title": "left"},
        {"type": "integer", "description": "the other", "title": "right", "default": 0},
    ]


def test_formats_and_keys_are_in_the_schema() -> None:
    assert shown(taking(datetime.datetime)) == {"type": "string", "format": "date-time"}
    assert shown(taking(datetime.time)) == {"type": "string", "format": "time"}
    assert shown(taking(dict[Level, int]))["propertyNames"] == {"enum": ["1", "2"]}
    assert shown(taking(dict[Literal["a", "b"], int]))["propertyNames"] == {"enum": ["a", "b"]}


def test_a_default_of_none_is_taken_as_a_value_too() -> None:
    made = taking(str, None)
    assert shown(made) == {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    assert made.call({"x": None}) is None
    assert made.call({}) is None
    assert shown(taking(Any, None)) == {"default": None}
    assert shown(taking(City, City(name="Oslo")))["default"] == {"name": "Oslo", "people": 0}


def test_a_default_inside_pydantics_field() -> None:
    made = taking(int, pydantic.Field(3, ge=1, description="How many"))
    assert shown(made) == {"type": "integer", "minimum": 1, "description": "How many", "default": 3}
    assert made.call({}) == 3
    assert refused(made, 0) == "Input should be greater than or equal to 1 - at `$.x`"
    needed = taking(int, pydantic.Field(ge=1))
    assert needed.to_param()["input_schema"]["required"] == ["x"]


def test_two_classes_of_one_name_have_definitions_of_their_own() -> None:
    def other() -> Any:
        @dataclasses.dataclass
        class Cat:
            name: str

        return Cat

    made = taking(tuple[Cat, other()])  # type: ignore[misc]
    assert set(made.to_param()["input_schema"]["$defs"]) == {"Cat", "Cat_2"}
    assert made.call({"x": [{"lives": 1}, {"name": "a"}]})[1].name == "a"


LENIENT: list[tuple[Any, str, Any]] = [
    (int, "5", 5),
    (int, "-5", -5),
    (int, "1e3", 1000),
    (float, "1.5", 1.5),
    (float, "5", 5.0),
    (bool, "true", True),
    (list[str], '["a", "b"]', ["a", "b"]),
    (list[int], '["1"]', [1]),
    (Cat, '{"lives": 9}', Cat(9)),
    (City, '{"name": "a", "people": "7"}', City(name="A", people=7)),
    (Cat | Dog, '{"barks": "true"}', Dog(True)),
    (dict[str, int], '{"a": "1"}', {"a": 1}),
    (int | None, "5", 5),
    (int | datetime.date, "5", 5),
    (Level, "2", Level.HIGH),
    (Literal[1, 2], "2", 2),
]


@pytest.mark.parametrize(("hint", "text", "expected"), LENIENT, ids=lambda one: f"{one!r:.40}")
def test_N7_a_text_is_taken_for_the_value_that_it_is(hint: Any, text: str, expected: Any) -> None:
    made = taking(hint)
    assert made.call({"x": text}) == expected
    exact = InputType.of_parameters("take", [], {}).convert
    assert exact({}) == {}
    with pytest.raises(Misfit):
        InputType.of_type(list[hint]).convert({"value": [text]}, texts=False)


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        *((int | None, text) for text in ("null", "", " ", " 5", "5 ", "5\n", "05", "+5", "five", "NaN", "1e400")),
        (float, "Infinity"),
        (bool, "True"),
        (bool, "1"),
        (int, "5.5"),
        (int, "true"),
        (list[int], "{}"),
        (list[int], "1"),
        (Cat, "[]"),
        (Cat, '{"lives": 9'),
        (datetime.date, "5"),
        (None, "null"),
    ],
)
def test_N7_no_other_text_is(hint: Any, text: str) -> None:
    with pytest.raises(ToolError):
        taking(hint).call({"x": text})


@pytest.mark.parametrize("hint", [str, Any, str | int, str | list[int], pathlib.Path | int, Literal["5"] | int])
def test_N7_where_a_text_is_wanted_it_stays_one(hint: Any) -> None:
    assert str(taking(hint).call({"x": "5"})) == "5"
    assert isinstance(taking(hint).call({"x": "5"}), str | pathlib.Path)


def test_N7_a_strict_tool_is_not_lenient() -> None:
    made = taking(int, strict=True)
    assert made.call({"x": 5.0}) == 5
    assert refused(made, "5") == "Expected `int`, got `str` - at `$.x`"


def test_nesting_beyond_the_stack_is_a_misfit() -> None:
    value: Any = []
    for _ in range(5000):
        value = [value]
    with pytest.raises(ToolError):
        taking(Tree).call({"x": value})


@dataclasses.dataclass
class Left:
    below: Left | Right | None
    end: int = 0


@dataclasses.dataclass
class Right:
    below: Left | Right | None
    end: int = 0


def test_unions_that_cannot_be_told_apart_take_linear_work() -> None:
    def nested(depth: int, end: Any) -> Any:
        value: Any = {"below": None, "end": end}
        for _ in range(depth):
            value = {"below": value}
        return value

    kind = InputType.of_type(Left | Right)

    def refused(depth: int) -> None:
        with pytest.raises(Misfit):
            kind.convert({"value": nested(depth, "x")})

    # Counted on a shallow value first: work that doubles with each level would never end below.
    assert calls(functools.partial(refused, 14)) < 200_000
    found = kind.convert({"value": nested(20, 3)})
    for _ in range(20):
        found = found.below
    assert found.end == 3
    with pytest.raises(Misfit, match="cannot be told apart") as caught:
        kind.convert({"value": nested(60, "x")})
    assert len(str(caught.value)) < 1_000


@dataclasses.dataclass
class Day:
    date: datetime.date
    datetime: datetime.datetime | None = None


def test_a_field_may_be_called_as_its_type() -> None:
    assert taking(Day).call({"x": {"date": "2026-11-28"}}) == Day(datetime.date(2026, 11, 28))


class Tree(pydantic.RootModel["list[Tree]"]):
    pass


WITHOUT_PYDANTIC = """
import dataclasses, datetime, pathlib, sys
sys.modules["pydantic"] = None
from sansio_claude import LocalProtocolError
from sansio_claude.tools import Extractor, ToolResult, tool
@dataclasses.dataclass
class Cat:
    lives: int
@dataclasses.dataclass
class Dog:
    barks: bool
@tool
def f(cat: Cat, many: dict[int, list[Cat]], when: datetime.datetime | None = None) -> str:
    "Do it."
    return f"{cat} {many} {when}"
assert f.call({"cat": {"lives": "9"}, "many": {"1": []}}) == "Cat(lives=9) {1: []} None"
assert ToolResult.of(Cat(3)).content == '{"lives":3}'
assert Extractor(Cat, model="m", max_tokens=1, messages=[]).next_request()
for hint in (pathlib.Path, Cat | Dog, list[str | datetime.date]):
    def g(x): "Do it."
    g.__annotations__["x"] = hint
    try:
        tool(g)
    except LocalProtocolError as error:
        assert "Install pydantic" in error.message, error
    else:
        raise SystemExit(f"{hint} was taken")
assert not [name for name in sys.modules if name.startswith("pydantic")][1:]
"""


def test_everything_else_works_without_pydantic() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_PYDANTIC], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_pydantic_is_not_imported_where_no_hint_needs_it() -> None:
    program = """
import sys
from sansio_claude.tools import Extractor, tool
tool(lambda x: x, name="f")
def f(x: list[int] | None): "Do it."
tool(f)
assert "pydantic" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_a_name_of_a_running_function_is_found() -> None:
    """A class that says nothing of where it was written may name what is local to a function that runs."""

    @dataclasses.dataclass
    class Local:
        text: str

    made: Any = dataclasses.make_dataclass("Made", [("local", "Local")], namespace={"__module__": __name__})
    assert taking(made).call({"x": {"local": {"text": "A."}}}) == made(Local("A."))


def test_a_default_of_a_pydantic_that_gives_factories_no_values() -> None:
    class Older:
        def get_default(self, *, call_default_factory: bool) -> list[int]:
            return [5] if call_default_factory else []

    assert fill(Older(), {"other": 1}) == [5]


def test_N7_alternatives_with_one_key_each_say_what_its_text_may_be() -> None:
    number = {"type": "object", "properties": {"x": {"type": "integer"}}}
    numbers = {"type": "object", "properties": {"x": {"type": "array", "items": {"type": "integer"}}}}
    mender = Mender({"anyOf": [number, numbers]})
    assert [mender.mend({"x": text}) for text in ("5", "[5]", "five")] == [{"x": 5}, {"x": [5]}, {"x": "five"}]
