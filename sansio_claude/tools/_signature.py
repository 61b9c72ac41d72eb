"""What a tool needs to know of a Python function: its name, docstring, parameters and whether it is a coroutine's.

Read from the function object itself; decorators that keep `__wrapped__`, bound methods, `functools.partial` and
objects with a `__call__` written in Python are seen through.
"""

from __future__ import annotations

import functools
import sys
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from sansio_claude._errors import LocalProtocolError

__all__ = ["NO_DEFAULT", "Parameter", "Signature", "read_signature"]

_VARARGS: Final = 0x04
_VARKEYWORDS: Final = 0x08
_COROUTINE: Final = 0x80
_GENERATORS: Final = 0x20 | 0x200  # a generator, an async generator


class _NoDefault:
    def __repr__(self) -> str:
        return "NO_DEFAULT"


NO_DEFAULT: Final = _NoDefault()
"""Stands for the default of a parameter that has none."""


@attrs.define(frozen=True)
class Parameter:
    """One parameter of the function; `annotation` is its resolved type hint (Any where there is none)."""

    name: str
    annotation: Any
    default: Any = NO_DEFAULT
    positional: bool = False
    """Whether it can only be given by position."""


@attrs.define(frozen=True)
class Signature:
    """What was read of the function."""

    name: str
    doc: str | None
    parameters: tuple[Parameter, ...]
    is_async: bool


def read_signature(function: Callable[..., Any], names: Mapping[str, Any] | None = None) -> Signature:
    """Read a function. `names` are local names that its annotations may use, besides its module's.

    Raises LocalProtocolError for what no tool can be made of: a class, a builtin, a generator, `*args`,
    `**kwargs`, an annotation that cannot be resolved.
    """
    label = getattr(function, "__name__", type(function).__name__)
    bound: dict[str, Any] = {}
    taken = flags = 0
    inner: Any = function
    while True:
        flags |= inner.__code__.co_flags if isinstance(inner, types.FunctionType) else 0
        if isinstance(inner, functools.partial):
            bound.update(inner.keywords)
            taken += len(inner.args)
            inner = inner.func
            label = getattr(inner, "__name__", label)
        elif isinstance(inner, types.MethodType):
            taken += 1
            inner = inner.__func__
        elif (wrapped := getattr(inner, "__wrapped__", None)) is not None:
            inner = wrapped
        elif isinstance(inner, types.FunctionType):
            break
        elif not isinstance(inner, type) and isinstance(
            called := getattr(type(inner), "__call__", None),  # noqa: B004 - the function itself is wanted
            types.FunctionType,
        ):
            taken += 1
            inner = called
        else:
            raise LocalProtocolError(
                f"no tool can be made of {label}: it is no Python function. Wrap it in one, or make the Tool by hand"
            )
    code = inner.__code__
    if code.co_flags & (_VARARGS | _VARKEYWORDS):
        raise LocalProtocolError(
            f"no tool can be made of {label}: it takes *args or **kwargs, for which there is no schema. "
            "Name its parameters, or make the Tool by hand"
        )
    if code.co_flags & _GENERATORS:
        raise LocalProtocolError(f"no tool can be made of {label}: it is a generator. Return the result instead")
    hints = _hints(inner, label, names)
    given = inner.__defaults__ or ()
    by_position = code.co_varnames[: code.co_argcount]
    defaults = dict(zip(by_position[len(by_position) - len(given) :], given, strict=True))
    defaults.update(inner.__kwdefaults__ or {})
    all_names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    parameters = tuple(
        Parameter(
            name,
            hints.get(name, Any),
            defaults.get(name, NO_DEFAULT),
            place < code.co_posonlyargcount,
        )
        for place, name in enumerate(all_names)
        if name not in bound and place >= taken
    )
    return Signature(label, _doc(function, inner), parameters, bool(flags & _COROUTINE))


def _doc(function: Any, inner: Any) -> str | None:
    # An object with __call__ has its class's docstring; a partial's own is about partial.
    outer = None if isinstance(function, functools.partial) else getattr(function, "__doc__", None)
    doc = outer or inner.__doc__
    return doc if isinstance(doc, str) else None


def _hints(function: types.FunctionType, label: str, names: Mapping[str, Any] | None) -> dict[str, Any]:
    module = sys.modules.get(function.__module__)
    spaces = {**(vars(module) if module is not None else {}), **function.__globals__}
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    local = dict(names or {})
    for name, cell in cells:
        try:
            local[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    try:
        return typing.get_type_hints(function, globalns=spaces, localns=local, include_extras=True)
    except Exception as error:  # an annotation is code: it can raise anything
        raise LocalProtocolError(
            f"no tool can be made of {label}: a type hint cannot be resolved ({type(error).__name__}: {error}). "
            "Define the types it names at the top of the module"
        ) from error
