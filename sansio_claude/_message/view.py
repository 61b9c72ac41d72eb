"""View: a JSON object of the peer's with names for what is known in it.

A view is a dict, so whatever else came stays readable under its own key. Its attributes never raise and never give
what they do not promise: where a key is missing, null, or holds a value of another kind, the attribute is None.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar, overload

__all__ = ["Field", "Nested", "NestedList", "View", "view_list", "view_of"]

_T = TypeVar("_T")
_V = TypeVar("_V", bound="View")


class View(dict[str, Any]):
    """A copy of one JSON object, whose attributes are the keys that are known. What is nested is shared: do not change
    it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict.__repr__(self)})"


class Field(Generic[_T]):
    """An attribute of a view that reads one key: a str, an int (no bool), a bool, a list or a dict, else None."""

    __slots__ = ("_key", "_kind", "_name")

    def __init__(self, kind: type[_T], key: str | None = None) -> None:
        self._kind = kind
        self._key = key
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = self._key or name

    @overload
    def __get__(self, view: None, owner: type) -> Field[_T]: ...
    @overload
    def __get__(self, view: View, owner: type) -> _T | None: ...
    def __get__(self, view: View | None, owner: type) -> Field[_T] | _T | None:
        if view is None:
            return self
        value: Any = view.get(self._name)
        return value if type(value) is self._kind else None


class Nested(Generic[_V]):
    """An attribute of a view that is a view of the object under its key; None where that is no object."""

    __slots__ = ("_kind", "_name")

    def __init__(self, kind: type[_V]) -> None:
        self._kind = kind
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, view: None, owner: type) -> Nested[_V]: ...
    @overload
    def __get__(self, view: View, owner: type) -> _V | None: ...
    def __get__(self, view: View | None, owner: type) -> Nested[_V] | _V | None:
        return self if view is None else view_of(self._kind, view.get(self._name))


class NestedList(Generic[_V]):
    """An attribute of a view that lists views of the objects under its key; what is no object is left out."""

    __slots__ = ("_kind", "_name")

    def __init__(self, kind: type[_V]) -> None:
        self._kind = kind
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, view: None, owner: type) -> NestedList[_V]: ...
    @overload
    def __get__(self, view: View, owner: type) -> list[_V]: ...
    def __get__(self, view: View | None, owner: type) -> NestedList[_V] | list[_V]:
        return self if view is None else view_list(self._kind, view.get(self._name))


def view_of(kind: type[_V], value: Any) -> _V | None:
    """The view of a JSON value; None where it is no object."""
    return kind(value) if isinstance(value, dict) else None


def view_list(kind: type[_V], value: Any) -> list[_V]:
    """The views of the objects in a JSON value; empty where it is no list."""
    return [kind(item) for item in value if isinstance(item, dict)] if isinstance(value, list) else []
