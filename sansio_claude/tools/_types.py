"""InputType: a function's parameters, or one type, as a JSON schema, and the check of what the model sends back.

The one way from a hint to schema, check, conversion and words: `_hints` makes kinds of hints, each kind writes its
schema and converts, `_lenient` mends what a model writes in another form, `_strict` makes of a schema what a strict
tool and structured output may have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from sansio_claude._check.shapes import PROPERTY_NAME
from sansio_claude._errors import LocalProtocolError
from sansio_claude.tools._foreign import field_default, fill, foreign
from sansio_claude.tools._hints import Compiler
from sansio_claude.tools._kinds import Kind
from sansio_claude.tools._lenient import Mender
from sansio_claude.tools._misfit import REF, Definitions, Misfit
from sansio_claude.tools._records import NO_DEFAULT, Field, Record
from sansio_claude.tools._signature import Parameter
from sansio_claude.tools._strict import strict_schema

__all__ = ["InputType", "check_property_names"]


class InputType:
    """What an input has to be. `schema` is its JSON schema, always that of an object; `strict` the same as a strict
    tool may have it (raises LocalProtocolError where it may have none)."""

    def __init__(
        self, label: str, kind: Kind, schema: dict[str, Any], *, wrapped: bool = False, fills: Mapping[str, Any] = {}
    ) -> None:
        check_property_names(schema, label)
        self._label = label
        self._kind = kind
        self._fills = fills
        self._mender = Mender(schema)
        self.wrapped = wrapped
        self.schema = schema

    @classmethod
    def of_parameters(cls, name: str, parameters: Sequence[Parameter], words: Mapping[str, str]) -> InputType:
        """The input of a function: an object with its parameters, described by `words`; no others are allowed.

        Its `convert` gives a dict of those that were sent. Raises LocalProtocolError that names a parameter whose
        type no schema can be made for.
        """
        record = Record(name, dict)
        fills: dict[str, Any] = {}
        compiler = Compiler(name, foreign)
        for parameter in parameters:
            hint, default = parameter.annotation, parameter.default
            inside = field_default(default)
            if inside is not None:
                # pydantic's Field as the default: the function itself would get that object.
                hint, default = Annotated[hint, default], inside[0]
                if not inside[1]:
                    fills[parameter.name] = parameter.default
            compiler.label = f"the parameter {parameter.name!r} of {name}"
            required = default is NO_DEFAULT if inside is None else inside[1]
            said = words.get(parameter.name)
            compiler.add_field(record, Field(parameter.name, parameter.name, hint, required, default, said))
        book = Definitions()
        schema = record.definition(book)
        del schema["title"]
        if not schema["required"]:
            del schema["required"]
        return cls(name, record, _whole(schema, book), fills=fills)

    @classmethod
    def of_type(cls, hint: Any) -> InputType:
        """The input that is one value of a type; where that is no object, an object with the key "value" holds it."""
        label = getattr(hint, "__name__", None) or str(hint)
        kind = Compiler(label, foreign).kind(hint)
        book = Definitions()
        schema = _inlined(kind.schema(book), book)
        if schema.get("type") == "object":
            return cls(label, kind, schema)
        record = Record("value", lambda value: value)
        record.add(Field("value", "value", hint, required=True), kind)
        book = Definitions()
        return cls(label, record, _whole(record.definition(book), book), wrapped=True)

    def strict(self) -> dict[str, Any]:
        """The schema for a strict tool and for structured output. Raises LocalProtocolError where there is none."""
        return strict_schema(self.schema, self._label)

    def convert(self, value: Any, *, texts: bool = True) -> Any:
        """The value that an input stands for. Raises Misfit.

        With `texts=False` no text is taken for a number, a boolean, a list or an object.
        """
        if not isinstance(value, dict):
            raise Misfit("the input must be an object")
        try:
            found = self._kind.convert(self._mender.mend(value, texts=texts))
        except RecursionError:
            raise Misfit("the input nests too deeply") from None
        for name, default in self._fills.items():
            if name not in found:
                found[name] = fill(default, found)
        return found


def _whole(schema: dict[str, Any], book: Definitions) -> dict[str, Any]:
    return {**schema, "$defs": book.found} if book.found else schema


def _inlined(schema: dict[str, Any], book: Definitions) -> dict[str, Any]:
    """The schema with its own definition in place of the reference to it, the others below `$defs`."""
    name = str(schema.get("$ref", "")).removeprefix(REF)
    if name in book.found:
        said = {key: item for key, item in schema.items() if key != "$ref"}
        # A type that contains itself keeps its definition, and is written once more on top.
        mentioned = any(_mentions(one, REF + name) for one in book.found.values())
        schema = {**(book.found[name] if mentioned else book.found.pop(name)), **said}
    return _whole(schema, book)


def _mentions(value: Any, ref: str) -> bool:
    if isinstance(value, dict):
        return value.get("$ref") == ref or any(_mentions(item, ref) for item in value.values())
    return isinstance(value, list) and any(_mentions(item, ref) for item in value)


def check_property_names(schema: Any, label: str) -> None:
    """Raises LocalProtocolError for a property name that the API refuses (with status 400, the whole request)."""
    for name in _property_names(schema):
        if not (isinstance(name, str) and PROPERTY_NAME.fullmatch(name)):
            raise LocalProtocolError(
                f"no tool can be made of {label}: the API refuses the property name {name!r:.80}. Rename the parameter "
                "or field: 1 to 64 of the letters a to z and A to Z, digits, _ . and -",
                path="tools",
            )


def _property_names(schema: Any) -> Iterator[Any]:
    if isinstance(schema, list):
        for item in schema:
            yield from _property_names(item)
    if not isinstance(schema, dict):
        return
    for key, value in schema.items():
        if key == "properties" and isinstance(value, dict):
            yield from value
        if key in ("properties", "$defs", "definitions", "patternProperties") and isinstance(value, dict):
            for item in value.values():
                yield from _property_names(item)
        elif key not in ("default", "enum", "const", "examples"):
            yield from _property_names(value)
