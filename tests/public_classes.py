"""Every public class of the package, for tests that hold for all of them."""

from __future__ import annotations

from importlib import import_module

MODULES = (
    "sansio_claude",
    "sansio_claude.asyncio",
    "sansio_claude.gateway",
    "sansio_claude.otel",
    "sansio_claude.sync",
    "sansio_claude.testing",
    "sansio_claude.testing.faults",
    "sansio_claude.tools",
    "sansio_claude.trio",
)


def public_classes() -> dict[str, type]:
    """The classes that the public modules export, by their dotted names; each once."""
    found: dict[type, str] = {}
    for module in MODULES:
        home = import_module(module)
        for name in home.__all__:
            value = getattr(home, name)
            if isinstance(value, type):
                found.setdefault(value, f"{module}.{name}")
    return {name: cls for cls, name in found.items()}


def fields_of(cls: type) -> list[str]:
    """The public fields that a class itself has: of attrs, of a named tuple, or annotated in its body."""
    own = vars(cls)
    names = [field.name for field in own.get("__attrs_attrs__", ())] or [*own.get("_fields", ())]
    annotated = [
        name
        for name, kind in own.get("__annotations__", {}).items()
        # An attribute that reads a key of a view is no field: the class's own words say which keys there are.
        if "ClassVar" not in str(kind) and not hasattr(type(own.get(name)), "__get__")
    ]
    return [name for name in dict.fromkeys([*names, *annotated]) if not name.startswith("_")]
