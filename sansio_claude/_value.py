"""Value: what flat classes have in common. Knows nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

__all__ = ["FrozenValue", "Shown", "Value", "an"]


class Value:
    """Equality and repr over the fields; `extra` is shown where there is any.

    attrs would generate both for each class, which takes as long at import as all the rest of the class.
    """

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()

    def _names(self) -> tuple[str, ...]:
        return self.__match_args__

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._names())

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # it can change

    def __repr__(self) -> str:
        shown = [(name, getattr(self, name)) for name in self._names()]
        inside = ", ".join(f"{name}={value!r}" for name, value in shown if name != "extra" or value is not None)
        return f"{type(self).__name__}({inside})"


class Shown:
    """A repr over the fields, as attrs is told to show each: not at all, as it is, or by a function."""

    __slots__ = ()
    __attrs_attrs__: ClassVar[Sequence[Any]] = ()

    def __repr__(self) -> str:
        shown = [
            f"{field.name}={(field.repr if callable(field.repr) else repr)(getattr(self, field.name))}"
            for field in self.__attrs_attrs__
            if field.repr
        ]
        return f"{type(self).__name__}({', '.join(shown)})"


class FrozenValue(Shown, Value):
    """A Value that can be hashed; its fields may be keyword-only, and some of them not shown."""

    __slots__ = ()

    def _names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.__attrs_attrs__)

    def __hash__(self) -> int:  # type: ignore[override]  # frozen ones have one again
        return hash((type(self), *[getattr(self, name) for name in self._names()]))


def an(noun: str) -> str:
    """A noun, such as the name of a type, with its article."""
    return f"{'an' if (noun[:1].lower() or ' ') in 'aeiou' else 'a'} {noun}"
