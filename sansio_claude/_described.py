"""Docstrings of classes that list their fields, made when they are read.

Editors and the documentation show the string that stands below a field in the source. `help()` reads `__doc__` alone:
a class that is published here gets a `__doc__` that adds those strings to its own words. Nothing is read before
somebody asks for it.
"""

from __future__ import annotations

from typing import Any

__all__ = ["HEADING", "described", "words_of_fields"]

HEADING = "Fields:"
"""The line between a class's own words and the list of its fields."""


class _Described:
    """Stands as `__doc__` in a class."""

    __slots__ = ("own",)

    def __init__(self, own: str | None) -> None:
        self.own = own

    def __get__(self, instance: object, owner: type) -> str | None:
        return self.own if self.own is None else _with_fields(owner, self.own)


def described(value: Any) -> Any:
    """The same object; a class with fields (attrs, or a named tuple) lists them in its `__doc__` from now on."""
    if isinstance(value, type):
        own = value.__dict__
        if ("__attrs_attrs__" in own or "_fields" in own) and type(own.get("__doc__")) is str:
            value.__doc__ = _Described(own["__doc__"])  # type: ignore[assignment]  # a str, to whoever reads it
    return value


def _with_fields(owner: type, own: str) -> str:
    import inspect
    import textwrap

    words = words_of_fields(owner)
    lines = [f"- `{name}`: {words[name]}" for name in _names(owner) if name in words]
    if not lines:
        return own
    filled = (textwrap.fill(line, 100, subsequent_indent="  ", break_on_hyphens=False) for line in lines)
    return "\n".join([inspect.cleandoc(own), "", HEADING, "", *filled])


def _names(owner: type) -> list[str]:
    fields = owner.__dict__.get("__attrs_attrs__")
    return list(owner.__dict__["_fields"]) if fields is None else [field.name for field in fields]


def words_of_fields(owner: type) -> dict[str, str]:
    """The words below each field in the source of a class and its bases; empty where no source is at hand."""
    found: dict[str, str] = {}
    for cls in reversed(owner.__mro__):
        if cls.__module__.startswith("sansio_claude"):
            found.update(_below(cls))
    return found


def _below(cls: type) -> dict[str, str]:
    import ast
    import inspect
    import itertools
    import textwrap

    try:
        # What is parsed is one class, which has a body; to the checker it is any statement.
        body: list[ast.stmt] = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0].body  # type: ignore[attr-defined]
    except (OSError, TypeError, SyntaxError):
        return {}
    found = {}
    for field, below in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            value = below.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                found[field.target.id] = " ".join(value.value.split())
    return found
