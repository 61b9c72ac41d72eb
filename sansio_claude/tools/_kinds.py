"""Kinds: what a type hint stands for, as a tree. Each kind writes its JSON schema and converts a JSON value.

Both come from the same object, so that what the schema allows is what the conversion takes. The leaves (texts, numbers,
dates, ...) are msgspec's in both respects; containers and unions are walked here, because the classes in them are
filled by their own constructors (`_records`). The work of a conversion is linear in the value.
"""

from __future__ import annotations

import datetime
import enum
import functools
import math
import operator
from collections.abc import Callable, Hashable, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final, Protocol

import msgspec

from sansio_claude.tools._misfit import Definitions, Misfit, json_type

__all__ = [
    "Anything",
    "Array",
    "Choice",
    "Dictionary",
    "Enumeration",
    "Kind",
    "Leaf",
    "Limited",
    "Row",
    "Shared",
    "Union",
    "add_leaf",
    "is_leaf",
]

# JSON schema's formats for what msgspec calls only text.
_FORMATS: Final[dict[Any, str]] = {datetime.datetime: "date-time", datetime.time: "time"}


class Kind(Protocol):
    """What a type hint stands for. `takes` are the JSON types of its values, in the words of `json_type`."""

    takes: frozenset[str]

    def schema(self, book: Definitions) -> dict[str, Any]:
        """The JSON schema of its values; shared types go into the book."""
        ...

    def convert(self, value: Any) -> Any:
        """The Python value that a JSON value stands for. Raises Misfit."""
        ...


class Anything:
    """Any JSON value, as it is."""

    takes = frozenset({"null", "bool", "int", "float", "str", "array", "object"})

    def schema(self, book: Definitions) -> dict[str, Any]:
        return {}

    def convert(self, value: Any) -> Any:
        return value


class Leaf:
    """A hint that msgspec converts as Python does: text, number, date, with its constraints."""

    def __init__(self, hint: Any, base: Any) -> None:
        self.hint = hint
        self.base = base
        self.takes = frozenset(_LEAVES[base])
        self._schema: dict[str, Any] = msgspec.json.schema(hint)
        if base in _FORMATS:
            self._schema.setdefault("format", _FORMATS[base])
        if base is Decimal:  # a model writes 1.5 as readily as "1.5"
            said: dict[str, Any] = {key: self._schema.pop(key) for key in _SAID if key in self._schema}
            self._schema = {"anyOf": [{"type": "number"}, self._schema], **said}

    def schema(self, book: Definitions) -> dict[str, Any]:
        return dict(self._schema)

    def convert(self, value: Any) -> Any:
        try:
            found = msgspec.convert(value, self.hint)
        except msgspec.ValidationError as error:
            raise Misfit(str(error)) from None
        except (OverflowError, ValueError) as error:
            raise Misfit(f"{value!r:.60} is beyond what `{json_type(value)}` can hold here: {error}") from None
        if isinstance(found, float | Decimal) and not math.isfinite(found):
            raise Misfit(f"{value!r:.60} is no finite number")
        return found


_LEAVES: Final[dict[Any, tuple[str, ...]]] = {
    type(None): ("null",),
    bool: ("bool",),
    int: ("int",),
    float: ("int", "float"),
    str: ("str",),
    bytes: ("str",),
    bytearray: ("str",),
    Decimal: ("str", "int", "float"),
    datetime.datetime: ("str",),
    datetime.date: ("str",),
    datetime.time: ("str",),
    datetime.timedelta: ("str",),
}


def add_leaf(base: Any, *takes: str) -> None:
    """Name one more type that is msgspec's."""
    _LEAVES[base] = takes


def is_leaf(base: Any) -> bool:
    """Whether a type without arguments is msgspec's."""
    try:
        return base in _LEAVES
    except TypeError:  # not hashable
        return False


class Choice:
    """One of several values: a Literal, whose options are texts, whole numbers, booleans, None or members of enums."""

    def __init__(self, options: Sequence[Any]) -> None:
        plain = [option.value if isinstance(option, enum.Enum) else option for option in options]
        self._plain = plain
        self._options = {(type(value), value): option for value, option in zip(plain, options, strict=True)}
        self.takes = frozenset(map(json_type, plain))

    def schema(self, book: Definitions) -> dict[str, Any]:
        return {"enum": list(self._plain)}

    def convert(self, value: Any) -> Any:
        try:
            return self._options[type(value), value]
        except (KeyError, TypeError):
            raise Misfit(f"Invalid enum value {value!r:.60}") from None


class Enumeration:
    """The values of an Enum whose values are texts or whole numbers. Its class makes the members, `_missing_` too."""

    def __init__(self, cls: type[enum.Enum]) -> None:
        self._cls = cls
        self._values = [member.value for member in cls]
        # Members of a Flag may be added up.
        self._bits = functools.reduce(operator.or_, self._values) if issubclass(cls, enum.Flag) else None
        self.takes = frozenset(map(json_type, self._values))

    def schema(self, book: Definitions) -> dict[str, Any]:
        return book.refer(self._cls, self._cls.__name__, self._definition)

    def _definition(self) -> dict[str, Any]:
        schema: dict[str, Any] = msgspec.json.schema(self._cls)
        found: dict[str, Any] = next(iter(schema["$defs"].values()))
        if self._bits is None:
            found["enum"] = self._values  # in the order in which they are defined
        else:
            del found["enum"]
            found.update(type="integer", minimum=0, maximum=self._bits)
        if any(str(member.value).lower() != member.name.lower() for member in self._cls):
            names = ", ".join(f"{member.value!r} is {member.name}" for member in self._cls)
            found["description"] = f"{found.get('description', '')} ({names})".strip()
        return found

    def convert(self, value: Any) -> Any:
        if json_type(value) not in self.takes:
            raise Misfit(f"Expected `{' | '.join(sorted(self.takes))}`, got `{json_type(value)}`")
        try:
            if self._bits is not None and value & ~self._bits:
                raise ValueError
            return self._cls(value)
        except ValueError:
            raise Misfit(f"Invalid enum value {value!r:.60}") from None


class Array:
    """A list of any length, given as `make` makes it of a list: list, tuple, set, frozenset."""

    takes = frozenset({"array"})

    def __init__(self, item: Kind, make: Callable[[list[Any]], Any] | None = None, *, unique: bool = False) -> None:
        self._item = item
        self._make = make
        self._unique = unique

    def schema(self, book: Definitions) -> dict[str, Any]:
        items = self._item.schema(book)
        schema: dict[str, Any] = {"type": "array"}
        if items:
            schema["items"] = items
        return {**schema, "uniqueItems": True} if self._unique else schema

    def convert(self, value: Any) -> Any:
        items = _array(value)
        found = []
        convert = self._item.convert
        for index, item in enumerate(items):
            try:
                found.append(convert(item))
            except Misfit as misfit:
                raise misfit.below(index) from None
        if self._make is None:
            return found
        try:
            made = self._make(found)
        except TypeError as error:  # an item that cannot be hashed
            raise Misfit(f"an item cannot stand in a set: {error}") from None
        if self._unique and len(made) < len(found):
            raise Misfit("the items have to be different from each other")
        return made


class Row:
    """A list of a fixed length, each place with a kind of its own: a fixed tuple, a NamedTuple.

    `words` describe the places; those from the number `least` on may be left out.
    """

    takes = frozenset({"array"})

    def __init__(
        self,
        items: Sequence[Kind],
        make: Callable[[list[Any]], Any],
        *,
        words: Sequence[Mapping[str, Any]] = (),
        least: int | None = None,
    ) -> None:
        self.items = items
        self._make = make
        self._words = words or [{}] * len(items)
        self._least = len(items) if least is None else least

    def schema(self, book: Definitions) -> dict[str, Any]:
        items = [{**item.schema(book), **said} for item, said in zip(self.items, self._words, strict=True)]
        schema: dict[str, Any] = {"type": "array", "minItems": self._least, "maxItems": len(items)}
        return {**schema, "prefixItems": items, "items": False} if items else schema

    def convert(self, value: Any) -> Any:
        items = _array(value)
        if not self._least <= len(items) <= len(self.items):
            most = len(self.items)
            wanted = f"{most}" if self._least == most else f"{self._least} to {most}"
            raise Misfit(f"Expected `array` of length {wanted}, got length {len(items)}")
        found = []
        for index, (kind, item) in enumerate(zip(self.items, items, strict=False)):
            try:
                found.append(kind.convert(item))
            except Misfit as misfit:
                raise misfit.below(index) from None
        return self._make(found)


class Dictionary:
    """An object with any keys. `keys` is the hint of the keys where they are not any text."""

    takes = frozenset({"object"})

    def __init__(self, value: Kind, keys: Any = str, words: Mapping[str, Any] | None = None) -> None:
        self._value = value
        self._keys = None if keys is str else dict[keys, Any]
        self._words = words

    def schema(self, book: Definitions) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "object"}
        values = self._value.schema(book)
        if values:
            schema["additionalProperties"] = values
        if self._words:
            schema["propertyNames"] = dict(self._words)
        return schema

    def convert(self, value: Any) -> Any:
        if not isinstance(value, dict):
            raise Misfit(f"Expected `object`, got `{json_type(value)}`")
        found: dict[Any, Any] = {}
        for text, item in value.items():
            try:
                key = text if self._keys is None else self._key(text)
                if key in found:
                    raise Misfit("two keys stand for the same value")
                found[key] = self._value.convert(item)
            except Misfit as misfit:
                raise misfit.below(text) from None
        return found

    def _key(self, text: str) -> Any:
        try:
            (key,) = msgspec.convert({text: None}, self._keys, str_keys=True)
        except msgspec.ValidationError as error:
            words = str(error).partition(" - at ")[0]
            raise Misfit(f"the key does not fit: {words}") from None
        except (OverflowError, ValueError) as error:
            raise Misfit(f"the key {text!r:.60} is beyond what can be held here: {error}") from None
        if isinstance(key, float) and not math.isfinite(key):
            raise Misfit("the key is no finite number")
        return key


class Limited:
    """A container with msgspec's constraints on its length, or with words of its own."""

    def __init__(self, inner: Kind, meta: msgspec.Meta) -> None:
        self._inner = inner
        self._meta = meta
        self.takes = inner.takes
        raw: Any = list if self.takes == {"array"} else dict if self.takes == {"object"} else Any
        self._raw: Any = Annotated[raw, meta]
        self._words: dict[str, Any] = msgspec.json.schema(self._raw)
        self._words.pop("type", None)

    def around(self, make: Callable[[Kind], Kind]) -> Kind:
        """The same words and constraints around what `make` makes of the kind below them."""
        whole = make(self._inner)
        bounds = {key: value for key, value in self._words.items() if key not in _SAID}
        return Limited(make(self) if bounds else whole, msgspec.Meta(**_meta_words(self._meta)))

    def schema(self, book: Definitions) -> dict[str, Any]:
        return {**self._inner.schema(book), **self._words}

    def convert(self, value: Any) -> Any:
        if json_type(value) in self.takes:
            try:
                msgspec.convert(value, self._raw)
            except msgspec.ValidationError as error:
                raise Misfit(str(error)) from None
        return self._inner.convert(value)


_SAID: Final = ("title", "description", "examples")


def _meta_words(meta: msgspec.Meta) -> dict[str, Any]:
    return {name: getattr(meta, name) for name in _SAID if getattr(meta, name) is not None}


class Shared:
    """A kind that stands in `$defs` under the name of its class."""

    def __init__(self, inner: Kind, key: Hashable, name: str, description: str = "") -> None:
        self._inner = inner
        self._key = key
        self._name = name
        self._words = {"title": name, **({"description": description} if description else {})}
        self.takes = inner.takes

    def schema(self, book: Definitions) -> dict[str, Any]:
        return book.refer(self._key, self._name, lambda: {**self._words, **self._inner.schema(book)})

    def convert(self, value: Any) -> Any:
        return self._inner.convert(value)


class Union:
    """One of several kinds, told apart by the JSON type of the value; objects also by a tag."""

    def __init__(self, members: Sequence[Kind], tagged: Mapping[str | int, Kind] | None = None, tag: str = "") -> None:
        self._members = members
        self._tagged = tagged
        self._tag = tag
        self.takes: frozenset[str] = frozenset().union(*(member.takes for member in members))
        # The narrowest first: a 3 is an int before it is a float, "1.5" a text before it is a Decimal.
        self._by_width = sorted(members, key=lambda member: len(member.takes))

    def each(self, change: Callable[[Kind], Kind]) -> Union:
        """The union of what `change` makes of each member."""
        return Union([change(member) for member in self._members], self._tagged, self._tag)

    def schema(self, book: Definitions) -> dict[str, Any]:
        found: list[dict[str, Any]] = []
        for member in self._members:
            schema = member.schema(book)
            nested = schema.get("anyOf") if set(schema) == {"anyOf"} else None
            found.extend(one for one in (nested or [schema]) if one not in found)
        return {"anyOf": found} if len(found) > 1 else found[0]

    def convert(self, value: Any) -> Any:
        kind = json_type(value)
        if kind == "object" and self._tagged:
            return self._of_tag(value)
        fitting = [member for member in self._by_width if kind in member.takes]
        if not fitting:
            raise Misfit(f"Expected `{' | '.join(sorted(self.takes))}`, got `{kind}`")
        for member in fitting[:-1]:
            try:
                return member.convert(value)
            except Misfit:
                continue
        return fitting[-1].convert(value)

    def _of_tag(self, value: Mapping[str, Any]) -> Any:
        assert self._tagged is not None
        tag = value.get(self._tag)
        member = self._tagged.get(tag) if isinstance(tag, str | int) else None
        if member is None:
            wanted = ", ".join(map(repr, self._tagged))
            raise Misfit(f"Invalid value {tag!r:.60}, expected one of {wanted:.400}").below(self._tag)
        return member.convert(value)


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise Misfit(f"Expected `array`, got `{json_type(value)}`")
    return list(value)
