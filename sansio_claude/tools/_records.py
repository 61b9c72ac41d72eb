"""Records: classes with fields (dataclasses, attrs classes, TypedDicts, NamedTuples, msgspec Structs) as kinds.

Their fields are the parameters of their own constructor, and their values are made by it: validators, converters,
`__post_init__` and defaults are the class's. What the constructor does not take (`init=False`) is neither shown nor
taken.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final, get_origin

import attrs
import msgspec

from sansio_claude._errors import LocalProtocolError
from sansio_claude.tools._docstring import parse_docstring
from sansio_claude.tools._kinds import Kind
from sansio_claude.tools._misfit import Definitions, Misfit, json_type, words_of
from sansio_claude.tools._names import hints_of

__all__ = ["NO_DEFAULT", "Field", "Record", "field_schema", "fields_of", "is_record", "record_words"]


class _NoDefault:
    def __repr__(self) -> str:
        return "NO_DEFAULT"


NO_DEFAULT: Final = _NoDefault()
"""Stands for the default of a parameter or field that has none."""


@attrs.define(frozen=True)
class Field:
    """One key of an object: `name` is the constructor's, `key` the wire's."""

    name: str
    key: str
    hint: Any
    required: bool
    default: Any = NO_DEFAULT
    """What the schema says of the default: NO_DEFAULT where there is none that JSON can say."""
    words: str | None = None


class Record:
    """An object with known keys; no others are taken. `make` gets those that were sent, by the constructor's names."""

    takes = frozenset({"object"})

    def __init__(self, name: str, make: Callable[..., Any], description: str = "", key: Any = None) -> None:
        self.name = name
        self.key = key
        self.fields: list[tuple[Field, Kind]] = []
        self.tag: tuple[str, str | int] | None = None
        self._make = make
        self._description = description
        self._by_key: dict[str, tuple[Field, Kind]] = {}

    def add(self, field: Field, kind: Kind) -> None:
        """One more key. Fields come after the class itself, because a class may contain itself."""
        if field.key in self._by_key:
            raise LocalProtocolError(f"{self.name} has two fields for the key {field.key!r}: rename one of them")
        self.fields.append((field, kind))
        self._by_key[field.key] = field, kind

    def schema(self, book: Definitions) -> dict[str, Any]:
        return book.refer(self.key or self, self.name, lambda: self.definition(book))

    def definition(self, book: Definitions) -> dict[str, Any]:
        """The schema itself, where `schema` gives a reference to it."""
        schema: dict[str, Any] = {"title": self.name}
        if self._description:
            schema["description"] = self._description
        properties: dict[str, Any] = {}
        required = [field.key for field, _ in self.fields if field.required]
        if self.tag is not None:
            properties[self.tag[0]] = {"enum": [self.tag[1]]}
            required = [self.tag[0], *required]
        for field, kind in self.fields:
            properties[field.key] = field_schema(field, kind.schema(book))
        return {
            **schema,
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }

    def convert(self, value: Any) -> Any:
        if not isinstance(value, dict):
            raise Misfit(f"Expected `object`, got `{json_type(value)}`")
        for key, item in value.items():  # before anything is converted: in a union a wrong class costs little then
            if self.tag is not None and key == self.tag[0]:
                if item != self.tag[1] or isinstance(item, bool):
                    raise Misfit(f"Invalid value {item!r:.60}, expected {self.tag[1]!r}").below(key)
            elif key not in self._by_key:
                raise Misfit(f"Object contains unknown field `{key}`")
        found = {}
        for key, item in value.items():
            known = self._by_key.get(key)
            if known is None:
                continue  # the tag
            try:
                found[known[0].name] = known[1].convert(item)
            except Misfit as misfit:
                raise misfit.below(key) from None
        for field, _ in self.fields:
            if field.required and field.key not in value:
                raise Misfit(f"Object missing required field `{field.key}`")
        if self.tag is not None and value.get(self.tag[0]) != self.tag[1]:
            raise Misfit(f"Object missing required field `{self.tag[0]}` with the value {self.tag[1]!r}")
        return call(self._make, found)


def call(make: Callable[..., Any], found: Mapping[str, Any]) -> Any:
    """What a constructor makes of these arguments; what it raises is a misfit."""
    try:
        return make(**found)
    except Misfit:
        raise
    except Exception as error:  # a constructor of the caller's may raise anything
        raise Misfit(words_of(error)) from error


def field_schema(field: Field, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a value with what is said of the field that holds it."""
    if field.words and "description" not in schema:
        schema = {**schema, "description": field.words}
    if field.default is not NO_DEFAULT:
        schema = {**schema, "default": field.default}
    return schema


def is_record(cls: Any) -> bool:
    """Whether a class is one of those whose fields can be read here."""
    return isinstance(cls, type) and (
        dataclasses.is_dataclass(cls)
        or attrs.has(cls)
        or issubclass(cls, msgspec.Struct)
        or _is_typed_dict(cls)
        or is_named_tuple(cls)
    )


def _is_typed_dict(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, dict) and hasattr(cls, "__required_keys__")


def is_named_tuple(cls: Any) -> bool:
    """Whether a class is a NamedTuple."""
    return isinstance(cls, type) and issubclass(cls, tuple) and hasattr(cls, "_fields")


def record_words(cls: type) -> tuple[str, dict[str, str]]:
    """What a class's docstring says of the class and of its fields."""
    doc = vars(cls).get("__doc__")
    # Dataclasses and NamedTuples without a docstring get one that only repeats their signature.
    if not isinstance(doc, str) or doc.startswith(f"{cls.__name__}("):
        return "", {}
    said = parse_docstring(doc)
    return said.description, said.parameters


def fields_of(cls: type) -> list[Field]:
    """The fields of a class, in order. Raises LocalProtocolError where they cannot be read or a hint be resolved."""
    hints = hints_of(cls, cls.__name__)
    _, words = record_words(cls)
    if _is_typed_dict(cls):
        required: Any = getattr(cls, "__required_keys__", frozenset())
        return [
            Field(name, name, hint, _is_required(hint, name in required), words=words.get(name))
            for name, hint in hints.items()
        ]
    if issubclass(cls, msgspec.Struct):
        return [_of_struct(field, hints, words) for field in msgspec.structs.fields(cls)]
    return _of_constructor(cls, hints, words)


def _is_required(hint: Any, otherwise: bool) -> bool:
    """Of a TypedDict's key. Under postponed annotations its own `__required_keys__` does not know the wrappers."""
    said = getattr(get_origin(hint), "_name", None)
    return otherwise if said not in ("Required", "NotRequired") else said == "Required"


def _of_struct(field: Any, hints: Mapping[str, Any], words: Mapping[str, str]) -> Field:
    default = NO_DEFAULT if field.default is msgspec.NODEFAULT else field.default
    hint = hints.get(field.name, field.type)
    return Field(field.name, field.encode_name, hint, field.required, default, words.get(field.name))


def _of_constructor(cls: type, hints: Mapping[str, Any], words: Mapping[str, str]) -> list[Field]:
    """The fields of a class whose constructor takes them by name."""
    # Of a NamedTuple `_fields` are the parameters; __new__ has no hints of its own.
    made = cls.__new__ if is_named_tuple(cls) else cls.__init__  # type: ignore[misc]  # only looked at
    try:
        parameters = [*inspect.signature(made).parameters.values()][1:]
    except (TypeError, ValueError) as error:
        raise LocalProtocolError(f"the constructor of {cls.__name__} cannot be read: {error}") from error
    own = hints_of(made, cls.__name__) if _has_own_hints(cls) else {}
    known = {field.alias or field.name: field for field in attrs.fields(cls)} if attrs.has(cls) else {}
    plain = {field.name: field for field in dataclasses.fields(cls)} if dataclasses.is_dataclass(cls) else {}
    found = []
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        name = parameter.name
        attribute = known.get(name)
        hint = _hint_of(name, attribute, hints, own)
        default: Any = NO_DEFAULT if parameter.default is parameter.empty else parameter.default
        said = words.get(name)
        if attribute is not None:
            said = said or words.get(attribute.name) or attribute.metadata.get("description")
            # attrs.Factory is a class, and a function to the checker.
            default = NO_DEFAULT if isinstance(attribute.default, attrs.Factory) else default  # type: ignore[arg-type]
        elif name in plain:
            said = said or getattr(plain[name], "doc", None) or plain[name].metadata.get("description")
            default = NO_DEFAULT if plain[name].default is dataclasses.MISSING else default
        required = parameter.default is parameter.empty
        found.append(Field(name, name, hint, required, default, said if isinstance(said, str) else None))
    return found


def _has_own_hints(cls: type) -> bool:
    """Whether the constructor's hints go before the fields': it is written by hand, or converts what it is given."""
    if attrs.has(cls):
        return "__attrs_init__" in vars(cls) or any(field.converter is not None for field in attrs.fields(cls))
    params = vars(cls).get("__dataclass_params__")
    return params is not None and not params.init


def _hint_of(name: str, attribute: Any, hints: Mapping[str, Any], own: Mapping[str, Any]) -> Any:
    # attrs gives a parameter the type that its field's converter takes, where the converter says one.
    if name in own and (attribute is None or attribute.converter is not None):
        hint = own[name]
    elif attribute is not None:
        hint = hints.get(attribute.name, Any if attribute.type is None else attribute.type)
    else:
        hint = hints.get(name, Any)
    return hint.type if isinstance(hint, dataclasses.InitVar) else hint
