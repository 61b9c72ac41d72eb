"""Misfit: why and where a value does not fit a type hint. Definitions: what several places of a schema share."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import Any, Final

__all__ = ["REF", "Definitions", "Misfit", "json_type", "words_of"]

REF: Final = "#/$defs/"
_NOT_IN_A_NAME: Final = re.compile(r"[^a-zA-Z0-9_.-]+")


class Misfit(Exception):
    """A value that does not fit: `words` say what is wrong, `path` where (keys and indices). Never leaves `tools`."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words
        self.path: list[str | int] = []

    def below(self, *keys: str | int) -> Misfit:
        """This misfit, which was found below these keys of a larger value."""
        self.path[:0] = keys
        return self

    def __str__(self) -> str:
        if not self.path:
            return self.words
        steps = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.path)
        return f"{self.words} - at `${steps}`"


def words_of(error: BaseException) -> str:
    """What an exception of the caller's own constructor says, with its type where its text says little alone."""
    try:
        text = str(error)
    except Exception:  # a broken __str__ is the caller's own
        text = ""
    if text and isinstance(error, ValueError | TypeError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def json_type(value: Any) -> str:
    """The type of a JSON value in the words of msgspec, whose messages stand beside these."""
    if value is None:
        return "null"
    names: tuple[tuple[type, str], ...] = (
        (bool, "bool"),
        (int, "int"),
        (float, "float"),
        (str, "str"),
        (list, "array"),
        (dict, "object"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), type(value).__name__)


class Definitions:
    """The `$defs` of one schema: each shared type once, under a name of its own."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Any]] = {}
        self._names: dict[Hashable, str] = {}

    def refer(self, key: Hashable, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """A reference to the definition of `key`, which `make` writes at the first time."""
        known = self._names.get(key)
        if known is None:
            known = self._names[key] = self.free_name(name)
            self.found[known] = {}
            self.found[known] = make()
        return {"$ref": REF + known}

    def free_name(self, name: str) -> str:
        """`name`, or `name` with a number where another type has it already."""
        name = _NOT_IN_A_NAME.sub("_", name).strip("_") or "Type"
        free, number = name, 2
        while free in self.found:
            free, number = f"{name}_{number}", number + 1
        return free
