"""Rules of `check()` about JSON schemas of tools and of structured output.

Sources. Loose schemas (input_schema of a tool): reports of the API's answers, therefore warnings
(github.com/beautyfree/appstore-connect-mcp/issues/2 for property names, github.com/anthropics/claude-code/issues/5973
for anyOf at the top). Strict schemas (`strict` tools and `output_config.format`):
platform.claude.com/docs/en/build-with-claude/structured-outputs, and recorded answers of the API about circular
references, unsupported properties, and the numbers of strict tools, optional and union parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sansio_claude._check.problem import Problem, Problems, shown
from sansio_claude._check.shapes import PROPERTY_NAME

__all__ = ["check_loose_schema", "check_strict_numbers", "check_strict_schema"]

_COMBINED: Final = ("anyOf", "oneOf", "allOf")
_UNSUPPORTED: Final = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
)
_MOST_STRICT_TOOLS: Final = 20
_MOST_OPTIONAL: Final = 24
_MOST_UNIONS: Final = 16
_MOST_NAMED: Final = 20  # problems of one schema that are named each


def check_loose_schema(schema: Mapping[str, Any], path: str) -> Problems:
    """Problems of a tool's input_schema that is not strict."""
    for word in _COMBINED:
        if word in schema:
            words = f"the API refuses {word} at the top of an input_schema"
            yield Problem("warning", f"{path}.{word}", words, "put it into a property")
    properties = schema.get("properties")
    bad = [name for name in properties if not PROPERTY_NAME.fullmatch(name)] if isinstance(properties, dict) else []
    for name in bad[:_MOST_NAMED]:
        words = f"the name of the property {shown(name)} does not match ^{PROPERTY_NAME.pattern}$"
        hint = "use ASCII letters, digits, _, . and -, at most 64 of them"
        yield Problem("warning", f"{path}.properties", words, hint)


def check_strict_schema(schema: Mapping[str, Any], path: str) -> Problems:
    """Problems of a schema that the API compiles into a grammar."""
    circle = _circle(schema)
    if circle is not None:
        words = f"the schema refers to itself by way of {shown(circle)}"
        yield Problem("error", path, words, "a strict schema cannot be recursive: unfold it to the depth you need")
    named = 0
    for place, inner in _subschemas(schema, path):
        if named == _MOST_NAMED:
            return
        unsupported = [word for word in _UNSUPPORTED if word in inner]
        if unsupported:
            named += 1
            hint = "say it in the description, and check the value yourself"
            yield Problem("error", f"{place}.{unsupported[0]}", f"a strict schema takes no {unsupported[0]}", hint)
        if inner.get("type") == "object" and inner.get("additionalProperties") is not False:
            named += 1
            words = "each object of a strict schema has to say additionalProperties: false"
            yield Problem("error", f"{place}.additionalProperties", words)


def check_strict_numbers(schemas: list[Mapping[str, Any]]) -> Problems:
    """Problems of all strict tools of a request together."""
    if len(schemas) > _MOST_STRICT_TOOLS:
        words = f"there are {len(schemas)} strict tools; the API takes {_MOST_STRICT_TOOLS}"
        yield Problem("error", "tools", words, "leave strict out where a slip does no harm")
    optional = unions = 0
    for schema in schemas:
        for _, inner in _subschemas(schema, ""):
            properties = inner.get("properties")
            if isinstance(properties, dict):
                required = inner.get("required")
                needed = {name for name in required if isinstance(name, str)} if isinstance(required, list) else set()
                optional += sum(name not in needed for name in properties)
                unions += sum(map(_is_union, properties.values()))
    if optional > _MOST_OPTIONAL:
        words = f"the strict tools have {optional} optional parameters; the API takes {_MOST_OPTIONAL}"
        yield Problem("error", "tools", words, "make parameters required, or fewer tools strict")
    if unions > _MOST_UNIONS:
        words = f"the strict tools have {unions} parameters of more than one type; the API takes {_MOST_UNIONS}"
        yield Problem("error", "tools", words, "give parameters one type, or make fewer tools strict")


def _is_union(schema: Any) -> bool:
    return isinstance(schema, dict) and (isinstance(schema.get("type"), list) or "anyOf" in schema)


def _subschemas(schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A schema and all schemas in it, each with its place."""
    stack: list[tuple[str, Any]] = [(path, schema)]
    while stack:
        place, value = stack.pop()
        if not isinstance(value, dict):
            continue
        yield place, value
        for word in ("properties", "$defs", "definitions"):
            inner = value.get(word)
            if isinstance(inner, dict):
                stack.extend((f"{place}.{word}.{name}", part) for name, part in reversed(inner.items()))
        for word in ("items", "additionalProperties", "not"):
            stack.append((f"{place}.{word}", value.get(word)))
        for word in (*_COMBINED, "prefixItems"):
            inner = value.get(word)
            if isinstance(inner, list):
                stack.extend((f"{place}.{word}[{index}]", part) for index, part in reversed(list(enumerate(inner))))


def _circle(schema: Mapping[str, Any]) -> str | None:
    """The name of a definition that refers to itself, at once or by way of others; None where there is none."""
    definitions: dict[str, Any] = {"#": {key: schema[key] for key in schema if key not in ("$defs", "definitions")}}
    for word in ("$defs", "definitions"):
        inner = schema.get(word)
        if isinstance(inner, dict):
            definitions.update({f"#/{word}/{name}": part for name, part in inner.items()})
    uses = {name: _references(part) & definitions.keys() for name, part in definitions.items()}
    done: set[str] = set()
    for start in uses:
        open_: dict[str, Iterator[str]] = {}
        if start not in done:
            open_[start] = iter(uses[start])
        while open_:
            name = next(reversed(open_))
            for used in open_[name]:
                if used in open_:
                    return used
                if used not in done:
                    open_[used] = iter(uses[used])
                    break
            else:
                done.add(name)
                del open_[name]
    return None


def _references(schema: Any) -> set[str]:
    if not isinstance(schema, dict):
        return set()
    found = [inner.get("$ref") for _, inner in _subschemas(schema, "")]
    return {reference for reference in found if isinstance(reference, str)}
