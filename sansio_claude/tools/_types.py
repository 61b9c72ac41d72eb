"""InputType: a Python type as a JSON schema for the model, and the check of what the model sends back.

msgspec does both, from the same type: primitives, Literal, enums, Optional and other unions, lists, dicts, tuples,
sets, dataclasses, attrs classes, TypedDict, NamedTuple, msgspec Structs, dates, Annotated constraints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, get_args, get_origin

import msgspec

from sansio_claude._errors import LocalProtocolError
from sansio_claude._json import dumps
from sansio_claude.tools._signature import NO_DEFAULT, Parameter

__all__ = ["InputType", "Misfit", "strict_schema"]

_REF: Final = "#/$defs/"


# What the API refuses in the schema of a strict tool. The check of the input holds all of it all the same.
_NOT_STRICT: Final = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
)


def strict_schema(schema: Any) -> Any:
    """The schema as a strict tool may have it: objects closed, constraints it may not have told in descriptions."""
    if isinstance(schema, list):
        return [strict_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {
        # The keys of `properties` and `$defs` are names, not keywords; defaults and enums are values.
        key: {name: strict_schema(item) for name, item in value.items()}
        if key in ("properties", "$defs")
        else value
        if key in ("default", "enum", "const")
        else strict_schema(value)
        for key, value in schema.items()
        if key not in _NOT_STRICT
    }
    told = ", ".join(f"{key}: {dumps(schema[key]).decode()}" for key in _NOT_STRICT if key in schema)
    if told:
        found["description"] = f"{schema.get('description', '')} ({told})".strip()
    if "properties" in schema:
        found.setdefault("additionalProperties", False)
    return found


class Misfit(Exception):
    """An input that does not fit, with words about the first place where it does not. Never leaves `tools`."""


class InputType:
    """What an input has to be. `schema` is its JSON schema, always that of an object."""

    def __init__(self, kind: Any, schema: dict[str, Any], parameters: Sequence[str] | None, wrapped: bool) -> None:
        self._kind = kind
        self._parameters = parameters
        self.wrapped = wrapped
        self.schema = schema

    @classmethod
    def of_parameters(cls, name: str, parameters: Sequence[Parameter], words: dict[str, str]) -> InputType:
        """The input of a function: an object with its parameters, described by `words`; no others are allowed.

        Its `convert` gives a dict of those that were sent. Raises LocalProtocolError that names a parameter whose
        type no schema can be made for.
        """
        fields: list[Any] = []
        for parameter in parameters:
            _schema_of(parameter.annotation, f"the parameter {parameter.name!r} of {name}")
            if parameter.default is NO_DEFAULT:
                fields.append((parameter.name, parameter.annotation))
            else:
                # What the model leaves out is not passed, so that the function's own default counts.
                fields.append((parameter.name, parameter.annotation | msgspec.UnsetType, msgspec.UNSET))
        kind = msgspec.defstruct(name, fields, forbid_unknown_fields=True, kw_only=True)
        schema = _inlined(*_schema_of(kind, name))
        schema.pop("title", None)
        for parameter in parameters:
            described: dict[str, Any] = schema["properties"][parameter.name]
            said = _annotated_words(parameter.annotation) or words.get(parameter.name)
            if said and "description" not in described:
                described["description"] = said
            if parameter.default is not NO_DEFAULT:
                try:
                    default = msgspec.to_builtins(parameter.default)
                    dumps(default)
                except (TypeError, LocalProtocolError):
                    continue  # a default that JSON cannot say stays the function's own affair
                described["default"] = default
        return cls(kind, schema, [parameter.name for parameter in parameters], wrapped=False)

    @classmethod
    def of_type(cls, kind: Any) -> InputType:
        """The input that is one value of a type; where that is no object, an object with the key "value" holds it."""
        label = getattr(kind, "__name__", str(kind))
        schema = _inlined(*_schema_of(kind, label))
        if schema.get("type") == "object":
            return cls(kind, schema, None, wrapped=False)
        held = msgspec.defstruct("value", [("value", kind)], forbid_unknown_fields=True)
        return cls(held, _inlined(*_schema_of(held, label)), None, wrapped=True)

    def convert(self, value: Any) -> Any:
        """The value that an input stands for. Raises Misfit."""
        if not isinstance(value, dict):
            raise Misfit("the input must be an object")
        try:
            found = _convert(value, self._kind)
        except Misfit:
            # To JSON schema 3.0 is an integer; to msgspec it is not.
            found = _convert(_integral(value), self._kind)
        if self._parameters is not None:
            pairs = ((name, getattr(found, name)) for name in self._parameters)
            return {name: item for name, item in pairs if item is not msgspec.UNSET}
        return found.value if self.wrapped else found


def _convert(value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise Misfit(str(error)) from None
    except Exception as error:  # a constructor of the caller's types may raise anything
        raise Misfit(f"{type(error).__name__}: {error}") from error


def _integral(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _integral(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_integral(item) for item in value]
    return value


def _schema_of(kind: Any, label: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        (schema,), components = msgspec.json.schema_components([kind], ref_template=_REF + "{name}")
    except Exception as error:  # msgspec's own refusals, and whatever a type's own hooks raise
        # The lines above the last advise on options of msgspec that nobody has here.
        words = (str(error) or type(error).__name__).splitlines()[-1]
        raise LocalProtocolError(
            f"no JSON schema can be made for {label}: {words}. Use types that JSON has, dataclasses, attrs classes or "
            "TypedDicts of them, or make the Tool by hand"
        ) from error
    return schema, components


def _inlined(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    """The schema with its own definition in place of the reference to it, the others below `$defs`."""
    name = schema.get("$ref", "").removeprefix(_REF)
    if name in components and not _mentions(components, _REF + name):
        schema = {**components.pop(name), **{key: item for key, item in schema.items() if key != "$ref"}}
    elif name in components:  # a type that contains itself keeps its definition, and is written once more on top
        schema = {**components[name]}
    return {**schema, "$defs": components} if components else dict(schema)


def _mentions(value: Any, ref: str) -> bool:
    if isinstance(value, dict):
        return value.get("$ref") == ref or any(_mentions(item, ref) for item in value.values())
    return isinstance(value, list) and any(_mentions(item, ref) for item in value)


def _annotated_words(annotation: Any) -> str | None:
    """The bare string in `Annotated[int, "what it means"]`, also inside a union with None."""
    if get_origin(annotation) is Annotated:
        return next((item for item in get_args(annotation)[1:] if isinstance(item, str)), None)
    for inner in get_args(annotation):
        if get_origin(inner) is Annotated:
            return _annotated_words(inner)
    return None
