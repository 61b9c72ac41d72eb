"""Type variables: what stands for them in the hints of a generic class's fields.

A field may come from a base that names its variables otherwise (`class City(Place[int])`), so each field has bindings
of its own. A variable that nothing is given for stands for its default, its bound, its constraints, or anything.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping
from typing import Any, Generic, TypeAlias, TypeVar, get_args, get_origin

import attrs

__all__ = ["Bindings", "bindings_of", "closed"]

Bindings: TypeAlias = Mapping[Any, Any]
"""From type variables to hints without any."""


def closed(hint: Any, bindings: Bindings) -> Any:
    """The hint with what stands for its type variables."""
    if isinstance(hint, TypeVar):
        return bindings[hint] if hint in bindings else _otherwise(hint)
    parameters = getattr(hint, "__parameters__", ())
    if not parameters or get_origin(hint) is None or not all(isinstance(one, TypeVar) for one in parameters):
        return hint
    return hint[tuple(closed(one, bindings) for one in parameters)]


def _otherwise(variable: Any) -> Any:
    """What a type variable stands for that nothing is given for."""
    if getattr(variable, "has_default", bool)():
        return closed(variable.__default__, {})
    if variable.__constraints__:
        return typing.Union[variable.__constraints__]  # noqa: UP007 - made of a tuple
    return Any if variable.__bound__ is None else variable.__bound__


def bindings_of(cls: type, args: tuple[Any, ...]) -> dict[str, Bindings]:
    """The bindings of each field of a class that is given these arguments, which have no variables themselves."""
    own: Bindings = dict(zip(getattr(cls, "__parameters__", ()), args, strict=False))
    found: dict[str, Bindings] = {}
    inherited: dict[str, Any] = {}
    for base in reversed(vars(cls).get("__orig_bases__", cls.__bases__)):
        origin = get_origin(base) or base
        if isinstance(origin, type) and origin not in (Generic, object):
            found.update(bindings_of(origin, tuple(closed(arg, own) for arg in get_args(base))))
            inherited.update(_annotations(origin))
    for name, hint in _annotations(cls).items():
        # The annotations of a TypedDict are also those of its bases.
        if not (issubclass(cls, dict) and name in found and inherited.get(name, found) is hint):
            found[name] = own
    if attrs.has(cls):
        for attribute in attrs.fields(cls):
            if attribute.alias and attribute.name in found:
                found.setdefault(attribute.alias, found[attribute.name])
    return found


def _annotations(cls: type) -> dict[str, Any]:
    try:
        return inspect.get_annotations(cls)
    except Exception:  # an annotation is code: whoever resolves the hints says what is wrong
        return {}
