"""What a tool needs to know of a Python function: its name, docstring, parameters and whether it is a coroutine's.

The parameters are those of `inspect.signature`, so that decorators that keep `__wrapped__` or set `__signature__`,
bound methods, `functools.partial` and objects with a `__call__` are what they are to everybody else.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from sansio_claude._errors import LocalProtocolError
from sansio_claude.tools._names import hints_of
from sansio_claude.tools._records import NO_DEFAULT

__all__ = ["NO_DEFAULT", "Parameter", "Signature", "read_signature"]

_COROUTINE: Final = 0x80
_GENERATORS: Final = 0x20 | 0x200  # a generator, an async generator


@attrs.define(frozen=True)
class Parameter:
    """One parameter of the function; `annotation` is its resolved type hint (Any where there is none)."""

    name: str
    annotation: Any
    default: Any = NO_DEFAULT
    positional: bool = False
    """Whether it can only be given by position."""
    hinted: bool = True
    """Whether it has a type hint at all."""


@attrs.define(frozen=True)
class Signature:
    """What was read of the function. `bound` are the names that it has already (of a partial)."""

    name: str
    doc: str | None
    parameters: tuple[Parameter, ...]
    is_async: bool
    bound: frozenset[str] = frozenset()


def read_signature(function: Callable[..., Any]) -> Signature:
    """Read a function.

    Raises LocalProtocolError for what no tool can be made of: a class, a builtin, a method without its object, a
    generator, `*args`, `**kwargs`, an annotation that cannot be resolved.
    """
    layers = list(_layers(function))
    label = _label(layers)
    inner = layers[-1]
    if isinstance(function, type) or not isinstance(inner, types.FunctionType):
        raise LocalProtocolError(
            f"no tool can be made of {label}: it is no Python function. Wrap it in one, or make the Tool by hand"
        )
    try:
        parameters = [*inspect.signature(function).parameters.values()]
    except (TypeError, ValueError) as error:
        raise LocalProtocolError(f"no tool can be made of {label}: its signature cannot be read: {error}") from error
    codes = [one.__code__ for one in layers if isinstance(one, types.FunctionType)]
    if inner.__code__.co_flags & _GENERATORS:
        raise LocalProtocolError(f"no tool can be made of {label}: it is a generator. Return the result instead")
    if _is_unbound(function, inner, parameters):
        raise LocalProtocolError(
            f"no tool can be made of {label}: it is a method without its object, which {parameters[0].name!r} stands "
            f"for. Make the tool of the method of an object: tool(object.{label})"
        )
    bound = frozenset(name for one in layers if isinstance(one, functools.partial) for name in one.keywords)
    taken = [parameter for parameter in parameters if parameter.name not in bound]
    for parameter in taken:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise LocalProtocolError(
                f"no tool can be made of {label}: it takes *args or **kwargs, for which there is no schema. "
                "Name its parameters, or make the Tool by hand"
            )
    hints = _hints(taken, layers, label)
    is_async = any(code.co_flags & _COROUTINE for code in codes) or inspect.iscoroutinefunction(function)
    return Signature(label, _doc(function, inner), tuple(_parameter(one, hints) for one in taken), is_async, bound)


def _label(layers: Sequence[Any]) -> str:
    """The name of what was given: of an object that can be called, the name of its class."""
    for one in layers:
        name = getattr(one, "__name__", None)
        if isinstance(name, str) and name:
            return name
        if not isinstance(one, functools.partial):
            return type(one).__name__
    return type(layers[0]).__name__


def _layers(function: Any) -> Iterator[Any]:
    """The function, and what it stands for, down to the function that was written."""
    seen = 0
    while seen < 100:
        seen += 1
        yield function
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, types.MethodType):
            function = function.__func__
        elif (wrapped := getattr(function, "__wrapped__", None)) is not None:
            function = wrapped
        elif isinstance(function, types.FunctionType | type):
            return
        else:
            called = getattr(type(function), "__call__", None)  # noqa: B004 - the function itself is wanted
            if not isinstance(called, types.FunctionType):
                return
            function = called


def _is_unbound(function: Any, inner: types.FunctionType, parameters: Sequence[inspect.Parameter]) -> bool:
    """Whether a function was written in a class and still asks for its object."""
    if not parameters or not isinstance(function, types.FunctionType | functools.partial | staticmethod):
        return False
    first, place = parameters[0], inner.__qualname__.split(".")
    in_class = len(place) > 1 and place[-2] != "<locals>"
    return in_class and first.name in ("self", "cls") and first.annotation is first.empty


def _hints(parameters: Sequence[inspect.Parameter], layers: Sequence[Any], label: str) -> dict[str, Any]:
    written = {one.name: one.annotation for one in parameters if one.annotation is not one.empty}
    # A hint is resolved where the function was written that has it: a wrapper may stand in another module.
    for layer in reversed([one for one in layers if isinstance(one, types.FunctionType)]):
        own: Mapping[str, Any] = layer.__annotations__
        if all(own.get(name) is hint or own.get(name) == hint for name, hint in written.items()):
            return hints_of(layer, label, annotations=written, home=layer)
    return hints_of(layers[-1], label, annotations=written, home=layers[-1])


def _parameter(one: inspect.Parameter, hints: Mapping[str, Any]) -> Parameter:
    return Parameter(
        one.name,
        hints.get(one.name, Any),
        NO_DEFAULT if one.default is one.empty else one.default,
        one.kind is one.POSITIONAL_ONLY,
        one.name in hints,
    )


def _doc(function: Any, inner: Any) -> str | None:
    # An object with __call__ has its class's docstring; a partial's own is about partial.
    outer = None if isinstance(function, functools.partial) else getattr(function, "__doc__", None)
    doc = outer or inner.__doc__
    return doc if isinstance(doc, str) else None
