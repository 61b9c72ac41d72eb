"""Type hints of a function or class, with the names in them resolved: those of its closure, of the function around it
while that runs, of its module, and those that are local to the functions now running in the same module.
"""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from sansio_claude._errors import LocalProtocolError

__all__ = ["hints_of", "local_names"]


def hints_of(
    thing: Any, label: str, *, annotations: Mapping[str, Any] | None = None, home: Callable[..., Any] | None = None
) -> dict[str, Any]:
    """The resolved type hints of a class or function, `Annotated` kept.

    With `annotations` those are resolved instead, in the place where the function `home` was written. Raises
    LocalProtocolError, which names `label`, where a name cannot be resolved or an annotation raises.
    """
    function = home if home is not None else thing
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    spaces = {**(vars(module) if module is not None else {}), **getattr(function, "__globals__", {})}
    subject: Any = thing
    if annotations is not None:
        subject = types.SimpleNamespace(__annotations__=dict(annotations))
    closure = _closure(function)
    if isinstance(thing, type) and annotations is None:
        closure = {thing.__name__: thing}
    closure = {**_around(function, spaces), **closure}
    try:
        try:
            return _resolved(subject, spaces, closure)
        except NameError:
            # The names of a class's body come last: a field may be called as its type is.
            inner = dict(vars(thing)) if isinstance(thing, type) else {}
            return _resolved(subject, spaces, {**inner, **local_names(spaces), **closure})
    except Exception as error:  # an annotation is code: it can raise anything
        raise LocalProtocolError(
            f"no JSON schema can be made for {label}: a type hint cannot be resolved ({type(error).__name__}: {error})."
            " Define the types it names at the top of the module"
        ) from error


def _resolved(subject: Any, spaces: dict[str, Any], local: dict[str, Any]) -> dict[str, Any]:
    if isinstance(subject, type):
        # Each class of the MRO is resolved in its own module; only the local names are given.
        return typing.get_type_hints(subject, localns=local, include_extras=True)
    return typing.get_type_hints(subject, globalns=spaces, localns=local, include_extras=True)


def _around(function: Any, spaces: Mapping[str, Any]) -> dict[str, Any]:
    """The names of the function in which a function or class was written, while that function runs."""
    written = getattr(function, "__qualname__", "")
    outer = written.rpartition(".<locals>.")[0] if isinstance(written, str) else ""
    frame: types.FrameType | None = sys._getframe(1) if outer else None
    while frame is not None:
        if frame.f_code.co_qualname == outer and frame.f_globals.get("__name__") == spaces.get("__name__"):
            return dict(frame.f_locals)
        frame = frame.f_back
    return {}


def local_names(spaces: Mapping[str, Any]) -> dict[str, Any]:
    """The local names of the functions now running whose module has these names: the nearest function's count."""
    name = spaces.get("__name__")
    found: dict[str, Any] = {}
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__") == name and frame.f_locals is not frame.f_globals:
            found = {**frame.f_locals, **found}
        frame = frame.f_back
    return found


def _closure(function: Any) -> dict[str, Any]:
    code, cells = getattr(function, "__code__", None), getattr(function, "__closure__", None)
    found: dict[str, Any] = {}
    for name, cell in zip(code.co_freevars if code is not None else (), cells or (), strict=False):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    return found
