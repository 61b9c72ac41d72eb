"""Why a hint is shown or a value is taken otherwise than by the official SDK or pydantic. For `compare_hints`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

__all__ = ["REASONS", "RULES"]

CLOSED = "objects are closed: a key too many is told to the model, and not dropped"
NOT_TAKEN = "the others take no such hint"
NO_COERCION = "a value stands for another only as the text of a JSON number, true, false, a list or an object"
TEXT = "the text of a number, true, false, a list or an object is taken where no text is wanted"
SAME_TIME = "the same moment, in the standard library's own UTC"
NAMES = "the model learns the members' names, where the values do not say them"
WORDS = "words in Annotated, and in a class's docstring, stand at the value that they are about"
BOUNDS = "msgspec's Meta is honoured, too"
KEYS = "the keys of an object are texts: their schema says which"
CONSTRUCTOR = "what the constructor takes is shown and taken"
ALL_OF_IT = "says the same, in other words"


def _schema(row: Any) -> bool:
    return bool(row.what == "schema")


def _without(row: Any, *parts: str) -> bool:
    """Whether our schema without these parts is that of both others."""
    ours = row.ours
    for part in parts:
        ours = ours.replace(part, "")
    others = [other for other in (row.sdk, row.pydantic) if other != "refused"]
    return bool(others) and all(ours == other for other in others)


def _value(row: Any) -> Any:
    try:
        return ast.literal_eval(row.what)
    except (ValueError, SyntaxError):
        return None


def _taken(answer: str) -> bool:
    return answer not in ("refused", "-")


def _has_unknown_key(row: Any) -> bool:
    return row.ours == "refused" and _taken(row.sdk) and ("'z'" in row.what or "'barks': True" in row.what)


RULES: list[tuple[Callable[[Any], bool], str]] = [
    (lambda row: row.sdk == row.pydantic == ("refused" if _schema(row) else "-") and row.ours != "refused", NOT_TAKEN),
    (lambda row: not _schema(row) and row.sdk == row.pydantic == "-", NOT_TAKEN),
    (lambda row: not _schema(row) and row.ours == "-", "the hint is refused when the tool is made"),
    (lambda row: _schema(row) and _without(row, "additionalProperties False; "), CLOSED),
    # pydantic takes the standard library's TypedDict from Python 3.12 on only.
    (lambda row: _schema(row) and _without(row, "additionalProperties False; ", "required []; "), CLOSED),
    (lambda row: _schema(row) and _without(row, "items False; "), "says that no item may follow"),
    (lambda row: _schema(row) and row.sdk.replace("items {}; ", "") == row.ours, ALL_OF_IT),
    (lambda row: _schema(row) and row.sdk.replace("additionalProperties True; ", "") == row.ours, ALL_OF_IT),
    (lambda row: _schema(row) and "propertyNames" in row.ours, KEYS),
    (lambda row: _schema(row) and " is " in row.ours, NAMES),
    (lambda row: _schema(row) and row.ours.replace("format 'decimal'; ", "") == row.sdk, "says which texts are meant"),
    (lambda row: "Meta(" in row.case and "description" not in row.case, BOUNDS),
    (_has_unknown_key, CLOSED),
    (lambda row: isinstance(_value(row), str) and _taken(row.ours) and row.sdk == "refused", TEXT),
    (lambda row: not _schema(row) and row.ours.replace("datetime.timezone.utc", "TzInfo(0)") == row.sdk, SAME_TIME),
    (
        lambda row: row.ours == "refused" and _taken(row.sdk) and not isinstance(_value(row), dict | list),
        NO_COERCION,
    ),
    (lambda row: _schema(row) and ("How many" in row.ours or "one name" in row.ours), WORDS),
    (lambda row: _schema(row) and "description 'Degrees.'" in row.ours, f"{WORDS}; {CLOSED}"),
]
"""Tried in order, after `REASONS`."""

REASONS: dict[tuple[str, str], str] = {
    ("bytes", "schema"): "bytes are base64 in JSON, as msgspec has them everywhere",
    ("bytes", "'aGk='"): "bytes are base64 in JSON, as msgspec has them everywhere",
    ("bytes", "'not base64!'"): "bytes are base64 in JSON, as msgspec has them everywhere",
    ("Short (alias)", "schema"): BOUNDS,
    ("Short (alias)", "'abcd'"): BOUNDS,
    ("Literal of an enum", "'celsius'"): "the member's value stands for the member, as it does for the whole Enum",
    ("set[int]", "[1, 1]"): "uniqueItems is what the schema says, so it is checked",
    ("set[list[int]]", "schema"): "no such set can ever be made",
    ("dict[tuple, int]", "schema"): "no key of an object can ever be a tuple",
    ("Iterable[str]", "['a']"): "a list is given: nothing is left to be checked later",
    ("Iterable[str]", "[1]"): "a list is given: nothing is left to be checked later",
    ("AbstractSet[int]", "[1]"): "a set is an abstract set, too; msgspec gives a set",
    ("NamedTuple", "{'left': 1}"): "its schema is that of a list, so an object is refused",
    ("dict[int, str]", "{'1': 'a', '01': 'b'}"): "01 is no number in JSON; nothing is overwritten without a word",
    ("dataclass, init=False field", "schema"): CONSTRUCTOR,
    ("dataclass, init=False field", "{'text': 'a', 'owner': 'root'}"): CONSTRUCTOR,
    ("dataclass, own __init__", "schema"): CONSTRUCTOR,
    ("dataclass, own __init__", "{'name': 'abc'}"): CONSTRUCTOR,
    ("dataclass, own __init__", "{'size': 3}"): CONSTRUCTOR,
    ("dataclass, words", "schema"): f"{WORDS}; {CLOSED}",
    ("dataclass, default None", "schema"): "a default of None means that null is taken",
    ("dataclass, default None", "{'a': None}"): "a default of None means that null is taken",
    ("dict[str, Any] | Cat", "{'lives': 1}"): "the more exact member of the union is taken",
    ("StrictInt", "'1'"): "leniency is the tool's: strict=True turns it off",
    ("unknown metadata", "schema"): "what nobody here honours is refused, and not dropped",
    ("type[int]", "schema"): "no JSON value is a class",
}
