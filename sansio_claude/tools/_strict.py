"""A schema as strict tools and structured output may have it.

The API compiles such a schema into a grammar and refuses (with status 400) what the grammar has no room for. Source:
platform.claude.com/docs/en/build-with-claude/structured-outputs, "JSON schema limitations", and the API's own error
messages. Bounds that it does not take are told in descriptions instead: the check of the value holds them all the same.
Open objects, types that contain themselves and untyped values cannot be told at all, and are refused here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sansio_claude._errors import LocalProtocolError
from sansio_claude._json import dumps
from sansio_claude.tools._misfit import REF

__all__ = ["MOST_OPTIONAL", "MOST_UNIONS", "strict_schema"]

MOST_OPTIONAL: Final = 24
"""Optional properties that the strict schemas of one request may have."""
MOST_UNIONS: Final = 16
"""Properties with `anyOf` or a list of types that the strict schemas of one request may have."""

_TAKEN: Final = {
    "object": ("properties", "required", "additionalProperties"),
    "array": ("items", "minItems"),
    "string": ("format", "enum", "const"),
}
_EVERYWHERE: Final = ("type", "title", "description", "default", "enum", "const", "anyOf", "$ref", "$defs")
_FORMATS: Final = (
    "date-time",
    "time",
    "date",
    "duration",
    "email",
    "hostname",
    "uri",
    "ipv4",
    "ipv6",
    "uuid",
)
_UNSAID: Final = ("discriminator", "examples", "$schema", "$id", "$comment")


def strict_schema(schema: Mapping[str, Any], label: str) -> dict[str, Any]:
    """The schema for `strict: true`. Raises LocalProtocolError for what the API does not take."""
    found = _Strict(schema.get("$defs", {}), label)
    made = found.schema({key: value for key, value in schema.items() if key != "$defs"}, "", ())
    made = {**made, "$defs": found.used} if found.used else made
    found.check_counts(made)
    return made


class _Strict:
    def __init__(self, definitions: Mapping[str, Any], label: str) -> None:
        self.definitions = definitions
        self._label = label
        self.used: dict[str, dict[str, Any]] = {}
        """The definitions that are referred to, as they may stand in a strict schema."""

    def refuse(self, where: str, words: str) -> LocalProtocolError:
        place = f" at {where}" if where else ""
        return LocalProtocolError(
            f"{self._label} cannot be strict: {words}{place}. Leave out strict=True, or change the type: the API takes "
            "closed objects of a known depth, whose values all have types",
            path="tools",
        )

    def schema(self, schema: Any, where: str, above: tuple[str, ...]) -> dict[str, Any]:
        if not isinstance(schema, dict) or not (schema.keys() & {"type", "anyOf", "oneOf", "$ref", "enum", "const"}):
            raise self.refuse(where, "a value of any type is not supported")
        schema = {key: value for key, value in schema.items() if key not in _UNSAID}
        if "$ref" in schema:
            return self._reference(schema, where, above)
        if "oneOf" in schema and "anyOf" not in schema:
            schema["anyOf"] = schema.pop("oneOf")
        if isinstance(schema.get("type"), list):
            kinds = schema.pop("type")
            schema["anyOf"] = [{"type": kind} for kind in kinds]
        kind = schema.get("type")
        told: dict[str, Any] = {}
        found: dict[str, Any] = {}
        for key, value in schema.items():
            if self._is_taken(key, value, kind):
                found[key] = value
            else:
                told[key] = value
        if "anyOf" in found:
            found["anyOf"] = [self.schema(one, where, above) for one in found["anyOf"]]
        if kind == "object":
            self._object(found, where, above)
        if kind == "array":
            self._array(found, told, where, above)
        if any(not isinstance(one, str | int | float | None) for one in found.get("enum", ())):
            raise self.refuse(where, "an enum of lists or objects is not supported")
        if told:
            words = ", ".join(f"{key}: {dumps(value).decode()}" for key, value in told.items())
            found["description"] = f"{found.get('description', '')} ({words})".strip()
        return found

    def _is_taken(self, key: str, value: Any, kind: Any) -> bool:
        if key == "format":
            return value in _FORMATS
        if key == "minItems":
            return value in (0, 1)
        return key in _EVERYWHERE or key in _TAKEN.get(kind, ())

    def _reference(self, schema: dict[str, Any], where: str, above: tuple[str, ...]) -> dict[str, Any]:
        name = str(schema["$ref"]).removeprefix(REF)
        if name not in self.definitions:
            raise self.refuse(where, f"the reference {schema['$ref']} leads out of the schema, which is not supported")
        if name in above:
            raise self.refuse(where, f"{name} contains itself, which is not supported")
        if len(schema) == 1:
            if name not in self.used:
                self.used[name] = self.schema(self.definitions[name], name, (*above, name))
            return schema
        # Nothing may stand beside a reference: what it refers to stands here instead.
        said = {key: value for key, value in schema.items() if key != "$ref"}
        return self.schema({**self.definitions[name], **said}, where or name, (*above, name))

    def _object(self, found: dict[str, Any], where: str, above: tuple[str, ...]) -> None:
        if "properties" not in found or found.get("additionalProperties", False) is not False:
            raise self.refuse(where, "an object with any keys (dict) is not supported")
        found["properties"] = {
            name: self.schema(one, f"{where}.{name}".lstrip("."), above) for name, one in found["properties"].items()
        }
        found["additionalProperties"] = False

    def _array(self, found: dict[str, Any], told: dict[str, Any], where: str, above: tuple[str, ...]) -> None:
        places = told.pop("prefixItems", None)
        if places:
            # A list of a fixed length is a list of what may stand anywhere in it; the order is told in words.
            items: list[dict[str, Any]] = []
            for index, place in enumerate(places):
                item = self.schema(place, f"{where}[{index}]", above)
                plain = {key: value for key, value in item.items() if key not in ("title", "description", "default")}
                if plain not in items:
                    items.append(plain)
            names = [str(place.get("title") or place.get("type") or "value") for place in places]
            told["items in this order"] = names
            found["items"] = items[0] if len(items) == 1 else {"anyOf": items}
        elif "items" in found:
            found["items"] = self.schema(found["items"], f"{where}[]", above)
        else:
            raise self.refuse(where, "a list of values of any type is not supported")

    def check_counts(self, schema: Mapping[str, Any]) -> None:
        optional, unions = _counts(schema)
        if optional > MOST_OPTIONAL:
            raise self.refuse(
                "", f"{optional} optional parameters are more than the {MOST_OPTIONAL} that are supported"
            )
        if unions > MOST_UNIONS:
            raise self.refuse("", f"{unions} parameters of several types are more than the {MOST_UNIONS} supported")


def _counts(value: Any) -> tuple[int, int]:
    if isinstance(value, list):
        found = [_counts(item) for item in value]
        return sum(one for one, _ in found), sum(other for _, other in found)
    if not isinstance(value, dict):
        return 0, 0
    optional = unions = 0
    properties = value.get("properties")
    if isinstance(properties, dict):
        optional += len(properties.keys() - set(value.get("required") or ()))
        unions += sum("anyOf" in one for one in properties.values() if isinstance(one, dict))
    for key, item in value.items():
        if key not in ("default", "enum", "const"):
            more = _counts(list(item.values()) if key in ("properties", "$defs") else item)
            optional, unions = optional + more[0], unions + more[1]
    return optional, unions
