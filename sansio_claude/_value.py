"""Value: what flat classes have in common. Knows nothing else."""

from __future__ import annotations

from typing import ClassVar

__all__ = ["Value"]


class Value:
    """Equality and repr over the fields; `extra` is shown where there is any.

    attrs would generate both for each class, which takes as long at import as all the rest of the class.
    """

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__match_args__)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = [(name, getattr(self, name)) for name in self.__match_args__]
        inside = ", ".join(f"{name}={value!r}" for name, value in shown if name != "extra" or value is not None)
        return f"{type(self).__name__}({inside})"
