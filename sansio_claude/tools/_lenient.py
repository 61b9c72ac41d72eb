"""What a model means where it writes a value in another form than its schema says, and what it writes beside it.

A text is taken for a value where the schema has no text in that place and its whole text is a JSON number, true, false,
or a list or object of the wanted kind; never null, NaN, blanks or dates. 3.0 is the whole number 3, as JSON schema has
it. A key that no schema names is refused, wherever it stands. One walk, linear in the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sansio_claude._errors import ClaudeError
from sansio_claude._json import loads_input
from sansio_claude.tools._misfit import REF, Misfit

__all__ = ["Mender"]

# The first characters of a JSON number, true, false, a list and an object.
_BEGINS: Final = re.compile(r"[-0-9tf\[{]")
_DATES: Final = ("date", "date-time", "time", "duration")


class Mender:
    """Mends values by one schema. With `texts=False` no text is taken for a value."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._definitions: Mapping[str, Any] = schema.get("$defs", {})

    def mend(self, value: Any, *, texts: bool = True) -> Any:
        """The value as it was meant; what does not fit otherwise is left as it is. Raises Misfit for a key too many."""
        return self._mended(value, self._schema, texts)

    def _mended(self, value: Any, schema: Any, texts: bool) -> Any:
        if not isinstance(schema, dict) or not schema:
            return value
        # A schema may lead to the same definition on many ways: each is looked at once.
        branches = list({id(branch): branch for branch in self._branches(schema, set())}.values())
        if isinstance(value, str) and texts:
            value = self._of_text(value, branches)
        if isinstance(value, float):
            return _whole(value, branches)
        if isinstance(value, list):
            return self._list(value, branches, texts)
        return self._object(value, branches, texts) if isinstance(value, dict) else value

    def _branches(self, schema: Any, seen: set[str]) -> Iterator[dict[str, Any]]:
        """The alternatives of a schema, each reference followed once."""
        if not isinstance(schema, dict):
            return
        ref = schema.get("$ref")
        if isinstance(ref, str):
            if ref not in seen:
                seen.add(ref)
                yield from self._branches(self._definitions.get(ref.removeprefix(REF)), seen)
            return
        for word in ("anyOf", "oneOf"):
            if word in schema:
                for one in schema[word]:
                    yield from self._branches(one, seen)
                return
        yield schema

    def _of_text(self, text: str, branches: list[dict[str, Any]]) -> Any:
        if any(_takes_text(branch, text) for branch in branches) or not _BEGINS.match(text):
            return text
        if text[-1:].isspace():
            return text
        try:
            value = loads_input(text)
        except ClaudeError:
            return text
        return value if any(_takes(branch, value) for branch in branches) else text

    def _list(self, value: list[Any], branches: list[dict[str, Any]], texts: bool) -> list[Any]:
        arrays = [branch for branch in branches if branch.get("type") == "array"]
        if not arrays or any(not branch for branch in branches):
            return value
        found = []
        for index, item in enumerate(value):
            try:
                found.append(self._mended(item, _any_of([_item(branch, index) for branch in arrays]), texts))
            except Misfit as misfit:
                raise misfit.below(index) from None
        return found

    def _object(self, value: dict[str, Any], branches: list[dict[str, Any]], texts: bool) -> dict[str, Any]:
        objects = [branch for branch in branches if branch.get("type") == "object" or "properties" in branch]
        if not objects or any(not branch for branch in branches):
            return value
        chosen = [branch for branch in objects if _has_shape(value, branch)]
        if not chosen:
            _refuse_unknown(value, objects)
            chosen = objects
        found = {}
        for key, item in value.items():
            schemas = [
                (branch.get("properties") or {}).get(key, branch.get("additionalProperties")) for branch in chosen
            ]
            try:
                found[key] = self._mended(item, _any_of(schemas), texts)
            except Misfit as misfit:
                raise misfit.below(key) from None
        return found


def _any_of(schemas: list[Any]) -> Any:
    """One schema for a value that has to fit one of these; True where one of them takes anything."""
    if len(schemas) == 1:
        return schemas[0]
    return {"anyOf": schemas} if all(isinstance(schema, dict) and schema for schema in schemas) else True


def _member(branch: Mapping[str, Any], key: str) -> Any:
    known = branch.get("properties") or {}
    return known[key] if key in known else branch.get("additionalProperties")


def _item(branch: Mapping[str, Any], index: int) -> Any:
    places = branch.get("prefixItems") or []
    return places[index] if index < len(places) else branch.get("items")


def _refuse_unknown(value: Mapping[str, Any], objects: list[dict[str, Any]]) -> None:
    if any(branch.get("additionalProperties") is not False for branch in objects):
        return
    known = {key for branch in objects for key in branch.get("properties") or {}}
    for key in value:
        if key not in known:
            raise Misfit(f"Object contains unknown field `{key}`")
    if all(set(value) - set(branch.get("properties") or {}) for branch in objects):
        raise Misfit(f"Object has keys that do not belong together: {', '.join(value)}")


def _has_shape(value: Mapping[str, Any], branch: Mapping[str, Any]) -> bool:
    """Whether the keys and the fixed values of an object are those of this branch."""
    known = branch.get("properties") or {}
    if branch.get("additionalProperties") is False and any(key not in known for key in value):
        return False
    if any(key not in value for key in branch.get("required") or ()):
        return False
    for key, item in value.items():
        fixed = known.get(key)
        if isinstance(fixed, dict) and ("const" in fixed or "enum" in fixed):
            allowed = [fixed["const"]] if "const" in fixed else fixed["enum"]
            if isinstance(item, str) and item not in allowed and all(isinstance(one, str) for one in allowed):
                return False
    return True


def _fixed(branch: Mapping[str, Any]) -> list[Any] | None:
    if "const" in branch:
        return [branch["const"]]
    found = branch.get("enum")
    return found if isinstance(found, list) else None


def _takes_text(branch: Mapping[str, Any], text: str) -> bool:
    """Whether a text may be meant as the text that it is."""
    fixed = _fixed(branch)
    if fixed is not None:
        return text in fixed
    if branch.get("type") == "string":
        return branch.get("format") not in _DATES
    return _types(branch) is None or "string" in (_types(branch) or ())


def _types(branch: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The types that a branch names; None where it takes any."""
    kind = branch.get("type")
    if isinstance(kind, str):
        return (kind,)
    if isinstance(kind, list):
        return tuple(kind)
    return () if _fixed(branch) is not None or "allOf" in branch or "properties" in branch else None


def _takes(branch: Mapping[str, Any], value: Any) -> bool:
    """Whether a value read from a text is of a wanted kind: a number, a boolean, a list, an object."""
    if value is None or isinstance(value, str):
        return False
    fixed = _fixed(branch)
    if fixed is not None:
        return any(one == value and isinstance(one, bool) is isinstance(value, bool) for one in fixed)
    kinds = _types(branch) or ()
    if isinstance(value, bool):
        return "boolean" in kinds
    if isinstance(value, int):
        return "integer" in kinds or "number" in kinds
    if isinstance(value, float):
        finite = value - value == 0
        return finite and ("number" in kinds or ("integer" in kinds and value.is_integer()))
    return ("array" if isinstance(value, list) else "object") in kinds


def _whole(value: float, branches: list[dict[str, Any]]) -> Any:
    """A float without a fraction as the whole number that JSON schema takes it for."""
    if value - value != 0 or not value.is_integer():
        return value
    kinds = {kind for branch in branches for kind in _types(branch) or ("number",) if _fixed(branch) is None}
    if "number" in kinds:
        return value
    fixed = [one for branch in branches for one in _fixed(branch) or ()]
    wanted = "integer" in kinds or any(one == value and isinstance(one, int) for one in fixed)
    return int(value) if wanted else value
