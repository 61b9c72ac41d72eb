"""Block: what every content block of a message is. Lossless: a typed view on the JSON object that came.

A block keeps its object whole (`raw`), unknown keys, nulls and the order of keys included; the typed attributes of
the subclasses are properties that read it, and give an empty value where a key is absent. Text that is still arriving
is kept as pieces and joined when somebody looks, so that a delta costs one list append.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

__all__ = ["Block", "GrowingBlock", "copy_json", "kind_of"]


def copy_json(value: Any) -> Any:
    """A detached copy of a JSON value (dicts, lists and what cannot change). No recursion: depth costs no stack."""
    root: list[Any] = [value]
    open_containers: list[dict[str, Any] | list[Any]] = [root]
    while open_containers:
        # Each container is a copy already, its members are not: give it copies of those that can change.
        container = open_containers.pop()
        members = container.items() if isinstance(container, dict) else enumerate(container)
        for key, member in members:
            kind = type(member)
            if kind is dict or kind is list:
                copy = member.copy()
                container[key] = copy  # type: ignore[index]  # replaces a value, adds no key
                open_containers.append(copy)
    return root[0]


class Block:
    """One content block. `raw` is its JSON object as it came, grown by the deltas since."""

    __slots__ = ("_raw",)
    _strings: ClassVar[tuple[str, ...]] = ()
    """Keys that hold a string whenever they are there."""
    _type_name: ClassVar[str] = ""

    def __init__(self, raw: dict[str, Any]) -> None:
        self._raw = raw

    @property
    def raw(self) -> Mapping[str, Any]:
        """The block's JSON object, live: look, do not change."""
        return self._raw

    def growing(self) -> Self:
        """The same block, to grow by deltas. It shares what is nested deeper, which never changes."""
        return type(self)(dict(self._raw))

    @property
    def type(self) -> str:
        """The block's type on the wire."""
        kind: str = self._raw["type"]
        return kind

    def to_dict(self) -> dict[str, Any]:
        """The block as a detached JSON object, equal to the one that came."""
        copy: dict[str, Any] = copy_json(self.raw)
        return copy

    def to_param(self) -> dict[str, Any]:
        """The block as the next request must carry it: unchanged, no key added or dropped."""
        return self.to_dict()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        # The class says the type, except of a block nobody knows.
        shown = [(key, value) for key, value in self.to_dict().items() if key != "type" or not self._type_name]
        inside = ", ".join(f"{key}={value!r}" for key, value in shown)
        return f"{type(self).__name__}({inside})"

    def _text_of(self, key: str) -> str:
        value: Any = self._raw.get(key)
        return value if isinstance(value, str) else ""


class GrowingBlock(Block):
    """A block whose main string grows by deltas."""

    __slots__ = ("pieces",)
    _grows: ClassVar[str]

    def __init__(self, raw: dict[str, Any]) -> None:
        self._raw = raw
        self.pieces: list[str] = []
        """What has arrived since somebody last looked; the accumulator appends here."""

    def join(self) -> None:
        """Join what has arrived to the string. Amortised O(length of the pieces)."""
        pieces = self.pieces
        if pieces:
            # CPython grows a string in place only while nobody else holds it, so it leaves the dict meanwhile.
            # That is what keeps looking after every delta linear in total.
            raw, key = self._raw, self._grows
            text: Any = raw.get(key)
            raw[key] = None
            if isinstance(text, str):
                text += "".join(pieces)
            else:
                text = "".join(pieces)
            raw[key] = text
            pieces.clear()

    @property
    def raw(self) -> Mapping[str, Any]:
        """The block's JSON object, live: look, do not change."""
        self.join()
        return self._raw


def kind_of(value: Any) -> str:
    """How an error calls a JSON value, without quoting it."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
