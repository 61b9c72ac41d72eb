"""Tools from functions: what the model is told (E1), and what of its input reaches the function (E4)."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, TypedDict

import attrs
import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude._errors import LocalProtocolError, ToolError
from sansio_claude.tools import AskModel, MemoryFiles, RunnableTool, TextEditor, Tool, ToolLoop, tool
from sansio_claude.tools._extract import Extractor
from sansio_claude.tools._signature import NO_DEFAULT
from sansio_claude.tools._strict import strict_schema


class Unit(enum.Enum):
    CELSIUS = "celsius"
    FAHRENHEIT = "fahrenheit"


@dataclasses.dataclass
class Place:
    """A place on the map."""

    latitude: float
    longitude: float
    name: str = ""


@attrs.define
class Person:
    name: str
    age: int | None = None


class Row(TypedDict):
    key: str
    value: NotRequired[int]


class Pair(NamedTuple):
    left: int
    right: int = 0


def get_weather(
    location: str,
    days: Annotated[int, msgspec.Meta(ge=1, le=7)] = 1,
    unit: Unit = Unit.CELSIUS,
) -> str:
    """Get the weather at a place in the days to come.

    To be used whenever somebody asks for the weather. Not for past weather.

    Args:
        location: The city and state, as in San Francisco, CA.
        days: How many days.
    """
    return f"{location} {days} {unit.value}"


def test_E1_a_definition_from_signature_and_docstring() -> None:
    assert tool(get_weather).to_param() == {
        "name": "get_weather",
        "description": "Get the weather at a place in the days to come.\n\n"
        "To be used whenever somebody asks for the weather. Not for past weather.",
        "input_schema": {
            "type": "object",
            "properties": {
                "location": {"type": "string", "description": "The city and state, as in San Francisco, CA."},
                "days": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 7,
                    "description": "How many days.",
                    "default": 1,
                },
                "unit": {"$ref": "#/$defs/Unit", "default": "celsius"},
            },
            "required": ["location"],
            "additionalProperties": False,
            "$defs": {"Unit": {"title": "Unit", "enum": ["celsius", "fahrenheit"]}},
        },
    }


def test_E1_a_definition_by_hand() -> None:
    schema = {"type": "object", "properties": {"ticker": {"type": "string"}}, "required": ["ticker"]}
    made = Tool(
        name="get_stock_price",
        description="Get the price of a stock.",
        input_schema=schema,
        function=lambda given: given["ticker"],
        extra={"defer_loading": True},
    )
    assert made.to_param() == {
        "name": "get_stock_price",
        "description": "Get the price of a stock.",
        "input_schema": schema,
        "defer_loading": True,
    }
    assert made.call({"ticker": "AAPL", "more": 1}) == "AAPL"
    with pytest.raises(ToolError, match="missing required field `ticker`"):
        made.call({})
    with pytest.raises(ToolError, match="the input must be an object"):
        made.call(None)
    assert Tool(name="x", input_schema={"type": "object"}, function=len).to_param() == {
        "name": "x",
        "input_schema": {"type": "object"},
    }


def test_E1_input_examples_and_the_other_options() -> None:
    made = tool(
        get_weather,
        name="weather",
        description="The weather.",
        input_examples=[{"location": "Berlin"}, {"location": "Paris", "unit": "celsius"}],
        cache_control={"type": "ephemeral"},
        eager_input_streaming=True,
        extra={"allowed_callers": ["direct"]},
    )
    definition = made.to_param()
    assert definition["name"] == "weather"
    assert definition["description"] == "The weather."
    assert definition["input_examples"] == [{"location": "Berlin"}, {"location": "Paris", "unit": "celsius"}]
    assert definition["cache_control"] == {"type": "ephemeral"}
    assert definition["eager_input_streaming"] is True
    assert definition["allowed_callers"] == ["direct"]
    assert "strict" not in definition
    with pytest.raises(
        LocalProtocolError, match=r"an input example of the tool get_weather does not fit it: .*\$\.days"
    ):
        tool(get_weather, input_examples=[{"location": "Berlin", "days": 9}])


def test_a_strict_tool_has_a_schema_that_strict_tools_may_have() -> None:
    @tool(strict=True)
    def move(
        to: Place,
        steps: Annotated[int, msgspec.Meta(ge=0, description="How far.")] = 0,
        pairs: tuple[int, int] = (0, 0),
        speed: Annotated[int, msgspec.Meta(ge=1)] | None = None,
        where: Annotated[Place, "Where from."] = Place(1, 2),  # noqa: B008 - a default as any other
    ) -> None:
        """Go."""

    definition = move.to_param()
    assert definition["strict"] is True
    schema = definition["input_schema"]
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Place"]["additionalProperties"] is False
    assert schema["properties"]["steps"] == {"type": "integer", "default": 0, "description": "How far. (minimum: 0)"}
    assert schema["properties"]["pairs"] == {
        "type": "array",
        "items": {"type": "integer"},
        "default": [0, 0],
        "description": '(minItems: 2, maxItems: 2, items in this order: ["integer","integer"])',
    }
    assert schema["properties"]["speed"]["anyOf"][0] == {"type": "integer", "description": "(minimum: 1)"}
    assert schema["properties"]["to"] == {"$ref": "#/$defs/Place"}
    where = schema["properties"]["where"]  # nothing may stand beside a reference
    assert where["description"] == "Where from."
    assert where["properties"] == schema["$defs"]["Place"]["properties"]
    assert "required" in schema
    with pytest.raises(ToolError, match=">= 0"):  # what the schema may not say is checked all the same
        move.call({"to": {"latitude": 1, "longitude": 2}, "steps": -1})


@pytest.mark.parametrize(("least", "said"), [(0, True), (1, True), (2, False)])
def test_a_strict_list_may_be_asked_for_one_item_at_least(least: int, said: bool) -> None:
    """The API takes 0 and 1; any other number is told in words."""
    items = {"type": "array", "items": {"type": "integer"}, "minItems": least}
    schema = {"type": "object", "properties": {"x": items}, "required": ["x"], "additionalProperties": False}
    found = strict_schema(schema, "take")["properties"]["x"]
    assert ("minItems" in found) is said
    assert (found.get("description") == f"(minItems: {least})") is not said


def test_a_list_of_places_that_says_what_may_follow_them() -> None:
    items = {"type": "array", "prefixItems": [{"type": "integer"}], "items": False}
    schema = {"type": "object", "properties": {"x": items}, "required": ["x"], "additionalProperties": False}
    assert strict_schema(schema, "take")["properties"]["x"]["items"] == {"type": "integer"}


def test_the_decorator_leaves_a_function_that_can_be_called() -> None:
    @tool
    def double(number: int) -> int:
        """Double it."""
        return 2 * number

    assert isinstance(double, Tool)
    assert double(21) == 42
    assert double(number=21) == 42
    assert isinstance(double, RunnableTool)


KINDS: list[tuple[Any, Any, Any, dict[str, Any]]] = [
    (str, "x", "x", {"type": "string"}),
    (int, 3, 3, {"type": "integer"}),
    (int, 3.0, 3, {"type": "integer"}),
    (int, 2**70, 2**70, {"type": "integer"}),
    (float, 3, 3.0, {"type": "number"}),
    (bool, True, True, {"type": "boolean"}),
    (None, None, None, {"type": "null"}),
    (Any, {"a": [1.5]}, {"a": [1.5]}, {}),
    (list[int], [1, 2], [1, 2], {"type": "array", "items": {"type": "integer"}}),
    (set[str], ["a"], {"a"}, {"type": "array", "items": {"type": "string"}, "uniqueItems": True}),
    (dict[str, float], {"a": 1}, {"a": 1.0}, {"type": "object", "additionalProperties": {"type": "number"}}),
    (int | None, None, None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    (int | str, "x", "x", {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
    (Literal["a", "b"], "a", "a", {"enum": ["a", "b"]}),
    (datetime.date, "2026-11-21", datetime.date(2026, 11, 21), {"type": "string", "format": "date"}),
    (Unit, "celsius", Unit.CELSIUS, {"$ref": "#/$defs/Unit"}),
    (Place, {"latitude": 1, "longitude": 2.5}, Place(1.0, 2.5), {"$ref": "#/$defs/Place"}),
    (Person, {"name": "Ada"}, Person("Ada"), {"$ref": "#/$defs/Person"}),
    (Row, {"key": "a"}, {"key": "a"}, {"$ref": "#/$defs/Row"}),
    (Pair, [1], Pair(1), {"$ref": "#/$defs/Pair"}),
    (Annotated[str, msgspec.Meta(pattern="^a")], "ab", "ab", {"type": "string", "pattern": "^a"}),
    (
        dict[str, list[int]],
        {"a": [1.0]},
        {"a": [1]},
        {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "integer"}}},
    ),
    (Annotated[int, "A count."], 3, 3, {"type": "integer", "description": "A count."}),
    (
        None | Annotated[int, "A count."],
        3,
        3,
        {"anyOf": [{"type": "integer"}, {"type": "null"}], "description": "A count."},
    ),
    (
        Annotated[int, "A count."] | None,
        3,
        3,
        {"anyOf": [{"type": "integer"}, {"type": "null"}], "description": "A count."},
    ),
]


@pytest.mark.parametrize(("kind", "sent", "got", "schema"), KINDS, ids=lambda value: repr(value)[:40])
def test_E1_every_kind_of_type_hint(kind: Any, sent: Any, got: Any, schema: dict[str, Any]) -> None:
    def take(value: Any) -> Any:
        return value

    take.__annotations__["value"] = kind
    made = tool(take)
    assert made.to_param()["input_schema"]["properties"]["value"] == schema
    assert made.call({"value": sent}) == got


def test_a_type_defined_where_the_tool_is_made() -> None:
    @dataclasses.dataclass
    class Local:
        number: int

    @tool
    def take(value: Local) -> int:
        """Take it."""
        return value.number

    def take_later(value: Local) -> int:
        return value.number

    assert take.call({"value": {"number": 3}}) == 3
    assert tool(take_later).call({"value": {"number": 3}}) == 3


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "Object missing required field `location`"),
        ({"location": 3}, r"Expected `str`, got `int` - at `\$\.location`"),
        ({"location": "x", "days": 8}, r"Expected `int` <= 7 - at `\$\.days`"),
        ({"location": "x", "days": 1.5}, r"Expected `int`, got `float` - at `\$\.days`"),
        ({"location": "x", "unit": "kelvin"}, r"Invalid enum value 'kelvin' - at `\$\.unit`"),
        ({"location": "x", "planet": "Mars"}, "Object contains unknown field `planet`"),
        ([], "the input must be an object"),
        ("location", "the input must be an object"),
    ],
)
def test_E4_an_input_that_does_not_fit_is_told_with_what_would_help(sent: Any, words: str) -> None:
    with pytest.raises(ToolError, match=words) as caught:
        tool(get_weather).call(sent)
    text = caught.value.message
    assert text.startswith("Error: The input does not fit the tool get_weather: ")
    assert "What the tool does: Get the weather at a place" in text
    assert '"required":["location"]' in text
    assert "fuller description" in text


def test_what_a_constructor_of_the_callers_raises_is_a_bad_input_too() -> None:
    class Odd(msgspec.Struct):
        number: int

        def __post_init__(self) -> None:
            if self.number > 3:
                raise KeyError("too many")
            if self.number > 2:
                raise ValueError("three")

    @tool
    def take(value: Odd) -> int:
        return value.number

    assert take.call({"value": {"number": 1}}) == 1
    with pytest.raises(ToolError, match="three"):
        take.call({"value": {"number": 3}})
    with pytest.raises(ToolError, match="KeyError: 'too many'"):
        take.call({"value": {"number": 4}})


def test_what_the_function_raises_is_its_own() -> None:
    @tool
    def fail() -> None:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        fail.call({})


def test_defaults_are_the_functions_own() -> None:
    nothing = object()

    @tool
    def take(value: Any = nothing, *, rows: list[int] = [1], when: float = float("inf")) -> Any:  # noqa: B006
        return value, rows, when

    assert take.call({}) == (nothing, [1], float("inf"))
    properties = take.to_param()["input_schema"]["properties"]
    assert properties == {
        "value": {},
        "rows": {"type": "array", "items": {"type": "integer"}, "default": [1]},
        "when": {"type": "number"},
    }


def test_every_way_to_take_a_parameter() -> None:
    def take(first: int, /, second: int = 2, *, third: int, fourth: int = 4) -> tuple[int, ...]:
        return first, second, third, fourth

    made = tool(take)
    assert made.call({"first": 1, "third": 3}) == (1, 2, 3, 4)
    assert made.call({"first": 5, "second": 6, "third": 7, "fourth": 8}) == (5, 6, 7, 8)
    assert made.to_param()["input_schema"]["required"] == ["first", "third"]


@dataclasses.dataclass
class Node:
    name: str
    below: list[Node]


def test_a_type_that_contains_itself() -> None:
    found = Extractor(Node, model="m", messages=[{"role": "user", "content": "x"}]).next_request()
    assert found is not None
    schema = found["tools"][0]["input_schema"]
    assert schema["type"] == "object"
    assert schema["properties"] == schema["$defs"]["Node"]["properties"]
    assert schema["properties"]["below"] == {"type": "array", "items": {"$ref": "#/$defs/Node"}}


def test_a_type_named_by_a_closure() -> None:
    Number: Any = int

    def outer() -> Tool:
        def take(value: Number) -> Any:
            return Number(value), later

        made = tool(take)
        later = 3
        return made

    made = outer()
    assert made.to_param()["input_schema"]["properties"] == {"value": {"type": "integer"}}
    assert made.call({"value": 2}) == (2, 3)


class Account:
    """An account."""

    def __init__(self) -> None:
        self.balance = 0

    def deposit(self, amount: int) -> int:
        """Put money in."""
        self.balance += amount
        return self.balance

    def __call__(self, amount: int) -> int:
        return self.balance - amount


def test_methods_partials_wrappers_and_objects_that_can_be_called() -> None:
    account = Account()
    deposit = tool(account.deposit)
    assert (deposit.name, deposit.description) == ("deposit", "Put money in.")
    assert deposit.call({"amount": 3}) == 3
    called = tool(account, name="withdraw")
    assert (called.description, called.call({"amount": 1})) == ("An account.", 2)
    assert tool(account).name == tool(functools.partial(account)).name == "Account"

    part = tool(functools.partial(get_weather, days=3))
    assert part.name == "get_weather"
    assert part.description.startswith("Get the weather")
    assert set(part.to_param()["input_schema"]["properties"]) == {"location", "unit"}
    assert part.call({"location": "x"}) == "x 3 celsius"
    assert tool(functools.partial(get_weather, "y")).call({"days": 2}) == "y 2 celsius"

    @functools.wraps(get_weather)
    def wrapped(*args: Any, **kwargs: Any) -> str:
        return "wrapped " + get_weather(*args, **kwargs)

    assert tool(wrapped).call({"location": "x"}) == "wrapped x 1 celsius"
    assert tool(functools.cache(get_weather)).call({"location": "x"}) == "x 1 celsius"


def test_async_functions_do_not_belong_in_threads() -> None:
    async def wait(seconds: float) -> float:
        """Wait."""
        return seconds

    def outer(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def inner(*args: Any, **kwargs: Any) -> Any:
            return await function(*args, **kwargs)

        return inner

    for made in (tool(wait), tool(functools.partial(wait)), tool(outer(wait))):
        assert made.thread is False
        coroutine = made.call({"seconds": 1})
        assert inspect.iscoroutine(coroutine)
        coroutine.close()
    assert tool(get_weather).thread is True
    assert tool(get_weather, thread=False).thread is False
    assert tool(get_weather, sequential=True).sequential is True
    assert tool(get_weather).sequential is False


class NoSchema:
    pass


def _generator(number: int) -> Any:
    yield number


async def _async_generator(number: int) -> Any:
    yield number


def _with_args(*numbers: int) -> None: ...
def _with_kwargs(**numbers: int) -> None: ...
def _without_schema(value: NoSchema) -> None: ...
def _unknown(value: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (print, "no Python function"),
        (Account, "no Python function"),
        (3, "no Python function"),
        (_with_args, "takes \\*args or \\*\\*kwargs"),
        (_with_kwargs, "takes \\*args or \\*\\*kwargs"),
        (_generator, "is a generator"),
        (_async_generator, "is a generator"),
        (_without_schema, "no JSON schema can be made for the parameter 'value' of _without_schema: type "),
        (_unknown, "a type hint cannot be resolved \\(NameError: name 'Nowhere'"),
        (lambda: None, "'<lambda>' is no tool name"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_no_tool_can_be_made_of_is_told(function: Any, words: str) -> None:
    with pytest.raises(LocalProtocolError, match=words):
        tool(function)


@given(st.text(max_size=70))
def test_names(name: str) -> None:
    fits = 1 <= len(name) <= 64 and all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in name)
    try:
        Tool(name=name, input_schema={"type": "object"}, function=print)
    except LocalProtocolError:
        made = False
    else:
        made = True
    assert made is fits


def test_a_text_editor_is_a_runnable_tool() -> None:
    assert isinstance(TextEditor(MemoryFiles()), RunnableTool)


def test_the_mark_of_no_default_says_what_it_is() -> None:
    assert repr(NO_DEFAULT) == "NO_DEFAULT"


def test_positional_only_parameters_are_bound_to_their_own_names() -> None:
    def transfer(amount: int = 1, account: int = 0, /, *, note: str = "") -> tuple[int, int, str]:
        """Transfer it."""
        return amount, account, note

    made = tool(transfer)
    assert made.call({"account": 4711}) == (1, 4711, "")
    assert made.call({"amount": 2}) == (2, 0, "")
    assert made.call({"note": "x"}) == (1, 0, "x")
    assert made.call({}) == (1, 0, "")


def test_a_signature_that_a_decorator_says_is_the_signature() -> None:
    def with_db(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def inner(*args: Any, **kwargs: Any) -> Any:
            return function(*args, db="the database", **kwargs)

        old = inspect.signature(function)
        kept = [one for one in old.parameters.values() if one.name != "db"]
        inner.__signature__ = old.replace(parameters=kept)  # type: ignore[attr-defined]
        return inner

    @tool
    @with_db
    def find(name: str, db: str) -> str:
        """Find somebody.

        Args:
            name: Whom.
            db: Where.
        """
        return f"{name} in {db}"

    assert find.to_param()["input_schema"]["required"] == ["name"]
    assert find.call({"name": "Ada"}) == "Ada in the database"
    assert find.description == "Find somebody.\n\ndb: Where."
    with pytest.raises(ToolError, match="unknown field `db`"):
        find.call({"name": "Ada", "db": "x"})


def test_a_method_without_its_object_is_refused() -> None:
    words = r"it is a method without its object, .* Make the tool of the method of an object: tool\(object\.look\)"
    with pytest.raises(LocalProtocolError, match=words):

        class Weather:
            @tool
            def look(self, city: str) -> str:
                """Look at the weather."""
                return city

    class Station:
        def look(self, city: str) -> str:
            """Look at the weather."""
            return city

        @staticmethod
        def ask(city: str) -> str:
            """Ask for it."""
            return city

        @classmethod
        def of(cls, city: str) -> str:
            """Make one."""
            return cls.__name__ + city

    with pytest.raises(LocalProtocolError, match="a method without its object"):
        tool(Station.look)
    assert tool(Station().look).call({"city": "Oslo"}) == "Oslo"
    assert tool(Station.ask).call({"city": "Oslo"}) == "Oslo"
    assert tool(Station.of).call({"city": "Oslo"}) == "StationOslo"


def test_return_hints_are_not_needed() -> None:
    def take(x: int) -> Nowhere:  # type: ignore[name-defined]  # noqa: F821
        """Take it."""

    assert tool(take).to_param()["input_schema"]["required"] == ["x"]


def test_local_types_are_found_through_a_loop_and_an_extraction() -> None:
    @dataclasses.dataclass
    class Street:
        name: str

    @dataclasses.dataclass
    class House:
        street: Street
        others: list[House]

    def build(where: House) -> str:
        """Build it."""
        return where.street.name

    loop = ToolLoop(tools=[build], model="m", max_tokens=9, messages=[{"role": "user", "content": "go"}])
    action = loop.next_action()
    assert isinstance(action, AskModel)
    assert set(action.request["tools"][0]["input_schema"]["$defs"]) == {"House", "Street"}
    extractor = Extractor(House, model="m", max_tokens=9, messages=[{"role": "user", "content": "go"}])
    assert extractor.next_request()


def test_types_in_the_docstring_are_told_where_there_is_no_hint() -> None:
    def take(x, y: int = 0):  # type: ignore[no-untyped-def]
        """Take it.

        Args:
            x (list of str): The names.
            y (int): The number.
        """

    properties = tool(take).to_param()["input_schema"]["properties"]
    assert properties["x"] == {"description": "(list of str) The names."}
    assert properties["y"] == {"type": "integer", "description": "The number.", "default": 0}


@pytest.mark.parametrize("name", ["größe", "名前", "x" * 65])
def test_property_names_that_the_api_refuses_are_refused(name: str) -> None:
    kind = TypedDict("kind", {name: int})  # type: ignore[misc]
    with pytest.raises(LocalProtocolError, match="the API refuses the property name"):
        Extractor(kind, model="m", messages=[])
    schema = {"type": "object", "properties": {"a": {"type": "array", "items": {"properties": {name: {}}}}}}
    with pytest.raises(LocalProtocolError, match="the API refuses the property name"):
        Tool(name="x", input_schema=schema, function=print)
    fine = {"type": "object", "properties": {"a": {"enum": [{"properties": {name: 1}}]}}}
    assert Tool(name="x", input_schema=fine, function=print)


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (dict[str, int], r"an object with any keys \(dict\) is not supported at x"),
        (dict, "an object with any keys"),
        (Node, "Node contains itself, which is not supported at Node.below"),
        (Any, "a value of any type is not supported at x"),
        (list, "a list of values of any type is not supported at x"),
        (list[Any], "a list of values of any type is not supported"),
    ],
    ids=repr,
)
def test_a_type_that_no_strict_tool_may_have_is_refused(hint: Any, words: str) -> None:
    def take(x: Any) -> None:
        """Take it."""

    take.__annotations__["x"] = hint
    with pytest.raises(LocalProtocolError, match=f"take cannot be strict: {words}"):
        tool(strict=True)(take)


def test_a_strict_tool_has_only_so_many_optional_and_union_parameters() -> None:
    def take(**given: Any) -> None:
        """Take it."""

    def made(count: int, hint: Any, default: Any) -> Callable[..., Any]:
        one = inspect.Parameter("p", inspect.Parameter.KEYWORD_ONLY, annotation=hint, default=default)
        take.__signature__ = inspect.Signature([one.replace(name=f"p{number}") for number in range(count)])  # type: ignore[attr-defined]
        return take

    assert tool(strict=True)(made(24, int, 0))
    with pytest.raises(LocalProtocolError, match="25 optional parameters are more than the 24"):
        tool(strict=True)(made(25, int, 0))
    assert tool(strict=True)(made(16, int | None, inspect.Parameter.empty))
    with pytest.raises(LocalProtocolError, match="17 parameters of several types are more than the 16"):
        tool(strict=True)(made(17, int | None, inspect.Parameter.empty))


def test_a_slip_in_the_options_is_told() -> None:
    slip: dict[str, Any] = {"nmae": "x"}
    with pytest.raises(LocalProtocolError, match=r"tool\(\) has no option 'nmae': it takes name, description"):
        tool(get_weather, **slip)
    number: Any = 3
    with pytest.raises(LocalProtocolError, match="3 is no tool name"):
        Tool(name=number, input_schema={}, function=print)
    for tools in (None, get_weather, {"name": "x"}, "x"):
        with pytest.raises(LocalProtocolError, match=r"write tools=\[\.\.\.\]"):
            ToolLoop(tools=tools, model="m", max_tokens=1, messages=[])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"description": 3}, "description must be a text, not an int"),
        ({"extra": [1]}, "extra must be an object"),
        ({"extra": "x"}, "extra must be an object"),
        ({"cache_control": "x"}, "cache_control must be an object"),
        ({"input_examples": "ab"}, "input_examples must be a list of inputs"),
        ({"input_examples": {"a": 1}}, "input_examples must be a list of inputs"),
        ({"input_examples": [1]}, "input_examples must be a list of inputs"),
        ({"strict": "yes"}, "strict must be True, False or None, not a str"),
        ({"thread": "no"}, "thread must be True or False, not a str"),
        ({"sequential": 1}, "sequential must be True or False, not an int"),
        ({"idempotent": "yes"}, "idempotent must be True or False, not a str"),
        ({"confirm": 3}, "confirm must be a function, not an int"),
        ({"longest_result": "x"}, "longest_result must be a number of characters"),
        ({"longest_result": -1}, "longest_result must be 0 or more"),
        ({"extra": {"x": float("nan")}}, r"the tool one cannot be sent: x: nan is not a JSON number"),
        ({"description": "\ud800"}, r"the tool one cannot be sent: description: .* lone surrogate"),
    ],
)
def test_an_option_of_the_wrong_kind_is_told(options: dict[str, Any], words: str) -> None:
    def one(a: int) -> int:
        return a

    with pytest.raises(LocalProtocolError, match=words):
        tool(one, **options)
    with pytest.raises(LocalProtocolError, match=words):
        Tool(**{"name": "one", "input_schema": {"type": "object"}, "function": one, **options})


def test_a_tool_by_hand_of_the_wrong_kinds_is_told() -> None:
    for schema in (None, [1], "x", 5):
        with pytest.raises(LocalProtocolError, match="input_schema must be an object"):
            Tool(name="x", input_schema=schema, function=print)  # type: ignore[arg-type]
    with pytest.raises(LocalProtocolError, match="function must be a function, not a NoneType"):
        Tool(name="x", input_schema={}, function=None)  # type: ignore[arg-type]
    deep: Any = {}
    for _ in range(3000):
        deep = {"properties": {"a": deep}}
    with pytest.raises(LocalProtocolError, match="nests deeper"):
        Tool(name="x", input_schema=deep, function=print)
    for required in (5, [["a"]], "ab"):
        made = Tool(name="x", input_schema={"type": "object", "required": required}, function=lambda given: given)
        assert made.call({"a": 1}) == {"a": 1}


def test_examples_that_can_be_gone_through_once_are_kept() -> None:
    examples = ({"location": name} for name in ("Rome", "Oslo"))
    made = tool(get_weather, input_examples=examples)
    for _ in range(2):
        assert made.to_param()["input_examples"] == [{"location": "Rome"}, {"location": "Oslo"}]


def test_a_default_inside_a_field_is_made_anew_for_each_call() -> None:
    def grow(
        a: list[int] = pydantic.Field(default=[]),  # noqa: B008 - as pydantic has it
        b: list[int] = pydantic.Field(default_factory=list),  # noqa: B008
    ) -> list[list[int]]:
        a.append(1)
        b.append(1)
        return [a, b]

    made = tool(grow)
    assert made.call({}) == [[1], [1]]
    assert made.call({"a": [5]}) == [[5, 1], [1]]
    assert made.call({}) == [[1], [1]]
    assert made.input_schema["properties"]["a"]["default"] == []
    assert "default" not in made.input_schema["properties"]["b"]
    assert "required" not in made.input_schema

    def broken(a: int = pydantic.Field(default_factory=lambda: 1 // 0)) -> int:
        return a

    with pytest.raises(ToolError, match="ZeroDivisionError"):
        tool(broken).call({})
    assert tool(broken).call({"a": 1}) == 1


class Way(enum.Flag):
    NORTH = 1
    EAST = 4


class Odd(enum.Enum):
    PAIR = (1, 2)


class Empty(enum.Enum):
    pass


def test_a_local_type_goes_before_one_of_the_module() -> None:
    @dataclasses.dataclass
    class Odd:
        number: int

    @dataclasses.dataclass
    class Holder:
        odd: Odd

    @tool
    def take(one: Odd, two: Holder) -> int:
        return one.number + two.odd.number

    assert take.call({"one": {"number": 1}, "two": {"odd": {"number": 2}}}) == 3


def test_members_of_a_flag_may_be_added_up() -> None:
    def go(way: Way) -> Way:
        return way

    made = tool(go)
    (schema,) = made.input_schema["$defs"].values()
    assert (schema["type"], schema["minimum"], schema["maximum"]) == ("integer", 0, 5)
    assert "enum" not in schema
    assert [made.call({"way": value}) for value in (0, 1, 4, 5)] == [Way(0), Way.NORTH, Way.EAST, Way.NORTH | Way.EAST]
    for value in (2, 6, 8, -1, "x", True, None):
        with pytest.raises(ToolError, match="does not fit"):
            made.call({"way": value})


@pytest.mark.parametrize(
    ("hint", "words"), [(Odd, "a value of Odd is no text, number"), (Empty, "Empty has no members")]
)
def test_an_enum_that_no_input_fits_is_refused(hint: Any, words: str) -> None:
    def one(a: Any) -> Any:
        return a

    for each in (hint, list[hint], hint | None):
        one.__annotations__["a"] = each
        with pytest.raises(LocalProtocolError, match=f"the parameter 'a' of one: {words}"):
            tool(one)
