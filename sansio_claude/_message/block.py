"""Block: what every content block of a message is. Lossless: a typed view on the JSON object that came.

A block keeps its object whole (`raw`), unknown keys, nulls and the order of keys included; the typed attributes of
the subclasses are properties that read it, and give an empty value where a key is absent. Text that is still arriving
is kept as pieces and joined when somebody looks, so that a delta costs one list append.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from sansio_claude._copies import CopiedWhole
from sansio_claude._json import without_halves

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


class Block(CopiedWhole):
    """One content block. `raw` is its JSON object as it came, grown by the deltas since.

    Reading a block that has ended changes nothing in it, so several threads may read it. Copies and pickles are
    detached and equal; one of a block that is still arriving does not grow with the stream.
    """

    __slots__ = ("_raw", "_unknown_delta_keys")
    _strings: ClassVar[tuple[str, ...]] = ()
    """Keys that hold a string, or null, whenever they are there."""
    _keys: ClassVar[frozenset[str]] = frozenset()
    """All keys that the class knows; no unknown delta may change them."""
    _sent_empty: ClassVar[tuple[str, ...]] = ()
    """Keys that go back to the API as an empty string where they are null."""
    _type_name: ClassVar[str] = ""

    def __init__(self, raw: dict[str, Any]) -> None:
        self._raw = raw
        self._unknown_delta_keys: set[str] | None = None  # keys that only an unknown delta brought

    @property
    def raw(self) -> Mapping[str, Any]:
        """The block's JSON object, live: look, do not change."""
        return self._raw

    def _growing(self) -> Self:
        """The same block, to grow by deltas. It shares what is nested deeper, which never changes."""
        return type(self)(dict(self._raw))

    def _finish(self) -> None:
        """No delta comes any more: bring the block into the state in which reading it changes nothing."""

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
        """The block as the next request must carry it: what came, with "" for a null text or thinking, and U+FFFD for
        half a character anywhere, which the API refuses.

        A key that only a delta of an unknown type brought is left out of a block whose type is known.
        """
        param: dict[str, Any] = without_halves(self.to_dict())
        for key in self._sent_empty:
            if key in param and param[key] is None:
                param[key] = ""
        for key in self._unknown_delta_keys or ():
            param.pop(key, None)
        return param

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # it can change

    def __repr__(self) -> str:
        # The class says the type, except of a block nobody knows.
        shown = [(key, value) for key, value in self.raw.items() if key != "type" or not self._type_name]
        inside = ", ".join(f"{key}={_shown(value)}" for key, value in shown)
        return f"{type(self).__name__}({inside})"

    def __getstate__(self) -> dict[str, Any]:
        return {"_raw": self._raw, "_unknown_delta_keys": self._unknown_delta_keys}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    def _text_of(self, key: str) -> str:
        value: Any = self._raw.get(key)
        return value if isinstance(value, str) else ""


class GrowingBlock(Block):
    """A block whose main string grows by deltas."""

    __slots__ = ("_pieces",)
    _grows: ClassVar[str]

    def __init__(self, raw: dict[str, Any]) -> None:
        # What Block does is done here, too: a stream makes two objects of each block, and super() takes as long again.
        self._raw = raw
        self._unknown_delta_keys = None
        self._pieces: list[str] = []  # deltas that are not joined to the string yet

    def _append(self, text: str) -> None:
        """Take one more delta. The first one makes the key a string, at the place among the keys where it came."""
        if not isinstance(self._raw.get(self._grows), str):
            self._raw[self._grows] = ""
        self._pieces.append(text)

    def _join(self) -> None:
        """Join the deltas to the string. Amortised O(length of the deltas)."""
        pieces = self._pieces
        if pieces:
            # CPython grows a string in place only while nobody else holds it, so it leaves the dict meanwhile.
            # That is what keeps reading after every delta linear in total.
            raw, key = self._raw, self._grows
            text: str = raw[key]
            raw[key] = None
            text += "".join(pieces)
            raw[key] = text
            pieces.clear()

    def _finish(self) -> None:
        self._join()

    @property
    def raw(self) -> Mapping[str, Any]:
        """The block's JSON object, live: look, do not change."""
        self._join()
        return self._raw

    def __getstate__(self) -> dict[str, Any]:
        self._join()
        return {**super().__getstate__(), "_pieces": []}


_SHOWN = 200  # characters of one value that a repr shows at the beginning and at the end


def _shown(value: Any) -> str:
    """The repr of a value; of a long string its ends, so that printing an open block costs the same at any size."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_shown_text(item)}" for key, item in value.items()) + "}"
    return _shown_text(value)


def _shown_text(value: Any) -> str:
    if isinstance(value, str) and len(value) > 4 * _SHOWN:
        return f"<str of {len(value)} characters: {value[:_SHOWN]!r} ... {value[-_SHOWN:]!r}>"
    return repr(value)


def kind_of(value: Any) -> str:
    """How an error calls a JSON value, without quoting it."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
