"""From a type hint to its kind. The hint alone decides which library converts: what msgspec takes is converted here
and by msgspec, anything else (pydantic models, unions of two classes or two text types, Path, `Field`, ...) by
pydantic, where the program has it (`_foreign`). What neither can do is refused with words, never dropped.
"""

from __future__ import annotations

import collections.abc
import contextlib
import enum
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import msgspec

from sansio_claude._errors import LocalProtocolError
from sansio_claude.tools import _kinds
from sansio_claude.tools._generics import Bindings, bindings_of, closed
from sansio_claude.tools._kinds import Anything, Array, Choice, Dictionary, Enumeration, Kind, Leaf, Limited, Row
from sansio_claude.tools._misfit import Definitions
from sansio_claude.tools._records import (
    NO_DEFAULT,
    Field,
    Record,
    call,
    fields_of,
    is_named_tuple,
    is_record,
    record_words,
)
from sansio_claude.tools._result import plain_json

__all__ = ["Compiler", "Refused", "plain_default", "words_in"]

_LISTS: Final[dict[Any, Callable[[list[Any]], Any] | None]] = {
    list: None,
    collections.abc.Collection: None,
    collections.abc.Sequence: None,
    collections.abc.MutableSequence: None,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    collections.abc.Set: set,
    collections.abc.MutableSet: set,
}
_SETS: Final = (set, frozenset, collections.abc.Set, collections.abc.MutableSet)
_DICTS: Final = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_CONSTRAINTS: Final = (
    "gt",
    "ge",
    "lt",
    "le",
    "multiple_of",
    "pattern",
    "min_length",
    "max_length",
    "tz",
)
# The wrappers that say nothing of the value itself, by name: typing and typing_extensions each have their own.
_TRANSPARENT: Final = ("Final", "Required", "NotRequired", "ReadOnly", "ClassVar")


class Refused(Exception):
    """A hint that msgspec does not take, with the reason."""


class Compiler:
    """Makes the kinds of one tool, each class once: a class may contain itself.

    `foreign` makes the kind of a hint that msgspec does not take. Raises LocalProtocolError, which names the
    parameter, where it cannot.
    """

    def __init__(self, label: str, foreign: Callable[[Any, str, Compiler], Kind]) -> None:
        self.label = label
        self._foreign = foreign
        self._records: dict[Any, Kind] = {}
        self._bindings: list[Bindings] = [{}]
        self._aliases: list[Any] = []

    def kind(self, hint: Any) -> Kind:
        """The kind of a hint."""
        hint = closed(hint, self._bindings[-1])
        try:
            return self.native(hint)
        except Refused as reason:
            return self._foreign(hint, str(reason), self)

    def native(self, hint: Any) -> Kind:
        """The kind of a hint that msgspec takes. Raises Refused."""
        hint = closed(hint, self._bindings[-1])
        if hint is None:
            hint = type(None)
        if hint is Any or hint is object:
            return Anything()
        if hasattr(hint, "__supertype__"):  # a NewType
            return self.kind(hint.__supertype__)
        origin = get_origin(hint)
        if origin is Annotated:
            return self._annotated(hint)
        if type(hint).__name__ == "TypeAliasType":
            return self._alias(hint)
        if getattr(origin, "_name", None) in _TRANSPARENT or getattr(hint, "_name", None) in _TRANSPARENT:
            (inner,) = get_args(hint) or (Any,)
            return self.kind(inner)
        if origin is Literal:
            return self._literal(get_args(hint))
        if origin is typing.Union or origin is types.UnionType:
            return self._union(get_args(hint))
        return self._class(hint, origin or hint, get_args(hint))

    def _alias(self, hint: Any) -> Kind:
        if hint in self._aliases:
            raise LocalProtocolError(
                f"no JSON schema can be made for {self.label}: the alias {hint.__name__} contains itself. "
                "Use a class that contains itself instead"
            )
        self._aliases.append(hint)
        try:
            return self.kind(hint.__value__)
        finally:
            self._aliases.pop()

    def _class(self, hint: Any, base: Any, args: tuple[Any, ...]) -> Kind:
        if base is type or base is collections.abc.Callable:
            raise LocalProtocolError(
                f"no JSON schema can be made for {self.label}: {_named(hint)} is no value that JSON has"
            )
        if any(base is known for known in _LISTS):
            return Row([], tuple) if hint == tuple[()] else self._list(base, args)
        if any(base is known for known in _DICTS):
            return self._dict(args)
        if hasattr(base, "__get_pydantic_core_schema__") or "__pydantic_core_schema__" in dir(base):
            raise Refused(f"{_named(hint)} is a type of pydantic's")
        if isinstance(base, type) and issubclass(base, enum.Enum):
            return self._enum(base)
        if isinstance(base, type) and base.__module__ == "uuid" and base.__name__ == "UUID":
            _kinds.add_leaf(base, "str")
        if _kinds.is_leaf(base):
            return Leaf(base, base)
        if is_record(base):
            return self._record(hint, base, args)
        raise Refused(f"type {_named(hint)} is not supported")

    def _enum(self, cls: type[enum.Enum]) -> Kind:
        values = [member.value for member in cls]
        if not all(isinstance(value, str | int | float | None) for value in values):
            raise self._impossible(f"a value of {_named(cls)} is no text, number, true, false or null")
        if not values:
            raise self._impossible(f"{_named(cls)} has no members")
        try:
            msgspec.json.schema(cls)
        except TypeError as error:
            raise Refused(str(error).splitlines()[0]) from None
        return Enumeration(cls)

    def _impossible(self, words: str) -> LocalProtocolError:
        return LocalProtocolError(f"no JSON schema can be made for {self.label}: {words}")

    def _literal(self, options: Sequence[Any]) -> Kind:
        for option in options:
            plain = option.value if isinstance(option, enum.Enum) else option
            if not isinstance(plain, str | int | bool | None):
                raise LocalProtocolError(
                    f"no JSON schema can be made for {self.label}: Literal[{option!r:.60}] is no value that JSON has"
                )
        return Choice(options)

    def _list(self, base: Any, args: tuple[Any, ...]) -> Kind:
        if base is tuple and args and not (len(args) == 2 and args[1] is Ellipsis):
            if any(_is_unpacked(arg) for arg in args):
                raise Refused("a tuple with an unpacked part is not supported")
            return Row([self.kind(arg) for arg in args], tuple)
        item = self.kind(args[0]) if args else Anything()
        if base in _SETS and args and not self._can_be_hashed(args[0], item):
            raise LocalProtocolError(
                f"no JSON schema can be made for {self.label}: the items of a set must be hashable, and "
                f"{_named(args[0])} is not. Use a list, or make the class frozen"
            )
        return Array(item, _LISTS[base], unique=base in _SETS)

    def _can_be_hashed(self, hint: Any, kind: Kind) -> bool:
        if isinstance(kind, Dictionary) or (isinstance(kind, Array) and not str(get_origin(hint)).count("tuple")):
            return get_origin(hint) is frozenset or hint is frozenset
        base = get_origin(hint) or hint
        return not isinstance(kind, Record) or getattr(base, "__hash__", None) is not None

    def _dict(self, args: tuple[Any, ...]) -> Kind:
        if not args:
            return Dictionary(Anything())
        hint, value = args
        if hint is str or hint is Any:
            return Dictionary(self.kind(value))
        keys = self.native(hint)
        if keys.takes & {"array", "object", "null"}:
            raise LocalProtocolError(
                f"no JSON schema can be made for {self.label}: {_named(hint)} cannot be the key of an object, whose "
                "keys are texts in JSON. Use a list of pairs instead"
            )
        words = self._key_words(keys, hint)
        return Dictionary(self.kind(value), hint, words)

    def _key_words(self, kind: Kind, hint: Any) -> dict[str, Any]:
        """What the schema says of the keys, which are always texts in JSON."""
        book = Definitions()
        schema = kind.schema(book)
        schema = next(iter(book.found.values()), schema)
        try:
            msgspec.json.schema(dict[hint, Any])
        except Exception as error:
            raise Refused(str(error).splitlines()[0]) from None
        if "enum" in schema and isinstance(kind, Enumeration | Choice):
            return {"enum": [str(value) for value in schema["enum"]]}
        limits = {key: value for key, value in schema.items() if key != "title"}
        if kind.takes == {"str"}:
            return limits
        if kind.takes == {"int"}:
            return {"pattern": "^(0|-?[1-9][0-9]*)$"}
        if kind.takes == {"int", "float"}:
            return {"pattern": "^-?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?$"}
        raise Refused(f"{_named(hint)} cannot be the key of an object")

    def _union(self, args: Sequence[Any]) -> Kind:
        members: list[Any] = [arg for arg in args if arg is not type(None)]
        if not members:
            return Leaf(type(None), type(None))
        if len(members) == 1 and len(args) == 2:
            # Words on the one member describe the whole: "a name, or null".
            kind = self.kind(members[0])
            if isinstance(kind, Limited):
                return kind.around(lambda inner: _kinds.Union([inner, Leaf(type(None), type(None))]))
            return _kinds.Union([kind, Leaf(type(None), type(None))])
        kinds = [self.native(arg) for arg in members]
        tagged, tag = _tags(kinds)
        if not tagged:
            _refuse_ambiguous(kinds, members)
        if len(members) < len(args):
            kinds.append(Leaf(type(None), type(None)))
        return _kinds.Union(kinds, tagged, tag)

    def _annotated(self, hint: Any) -> Kind:
        base, *extras = get_args(hint)
        metas = [extra for extra in extras if isinstance(extra, msgspec.Meta)]
        words = words_in(extras)
        others = [extra for extra in extras if not isinstance(extra, msgspec.Meta | str) and words_in([extra]) is None]
        if others:
            raise Refused(f"{_named(others[0])} in Annotated is not msgspec's")
        kind: Kind = self.native(base)
        for meta in metas:
            kind = self._limited(base, kind, meta)
        if words and not any(meta.description for meta in metas):
            kind = Limited(kind, msgspec.Meta(description=words))
        return kind

    def _limited(self, base: Any, kind: Kind, meta: msgspec.Meta) -> Kind:
        """A kind with msgspec's constraints, which are its own words for the value's bounds."""
        bounded = any(getattr(meta, name) is not None for name in _CONSTRAINTS)
        try:
            if isinstance(kind, Leaf):
                return Leaf(Annotated[kind.hint, meta], kind.base)
            if not bounded or isinstance(kind, Array | Dictionary | Limited):
                return Limited(kind, meta)
            if isinstance(kind, _kinds.Union):
                return kind.each(lambda one: one if one.takes == {"null"} else self._limited(base, one, meta))
        except TypeError as error:
            raise LocalProtocolError(f"no JSON schema can be made for {self.label}: {error}") from error
        raise LocalProtocolError(
            f"no JSON schema can be made for {self.label}: {_named(meta)} sets bounds that {_named(base)} cannot have"
        )

    def _record(self, hint: Any, cls: type, args: tuple[Any, ...]) -> Kind:
        known = self._records.get(hint)
        if known is not None:
            return known
        bindings = bindings_of(cls, args)
        if is_named_tuple(cls):
            return self._named_tuple(hint, cls, bindings)
        if issubclass(cls, msgspec.Struct) and cls.__struct_config__.array_like:
            raise Refused(f"{_named(cls)} is an array_like Struct")
        name = cls.__name__ + "".join(f"_{getattr(arg, '__name__', '')}" for arg in args)
        record = Record(name, cls, record_words(cls)[0], key=hint)
        self._records[hint] = record
        for field in fields_of(cls):
            with self._bound(bindings, field):
                self.add_field(record, field)
        if issubclass(cls, msgspec.Struct):
            config = cls.__struct_config__
            if config.tag is not None:
                record.tag = str(config.tag_field), config.tag
        return record

    @contextlib.contextmanager
    def _bound(self, bindings: Mapping[str, Bindings], field: Field) -> Iterator[None]:
        """In this field's hint, the type variables of its class stand for these."""
        self._bindings.append(bindings.get(field.name, {}))
        try:
            yield
        finally:
            self._bindings.pop()

    def _named_tuple(self, hint: Any, cls: type, bindings: Mapping[str, Bindings]) -> Kind:
        fields = fields_of(cls)
        kinds: list[Kind] = []
        words: list[dict[str, Any]] = []
        for field in fields:
            said: dict[str, Any] = {"title": field.key}
            if field.words:
                said["description"] = field.words
            if (default := plain_default(field.default)) is not NO_DEFAULT:
                said["default"] = default
            words.append(said)
        names = [field.name for field in fields]
        optional = sum(not field.required for field in fields)

        def make(items: list[Any]) -> Any:
            return call(cls, dict(zip(names, items, strict=False)))

        row = Row(kinds, make, words=words, least=len(fields) - optional)
        shared = self._records[hint] = _kinds.Shared(row, hint, cls.__name__, record_words(cls)[0])
        for field in fields:
            with self._bound(bindings, field):
                kinds.append(self.kind(field.hint))
        return shared

    def add_field(self, record: Record, field: Field) -> None:
        """Put a field into a record, with the kind of its hint. A default of None means that None is taken, too."""
        hint, default = field.hint, plain_default(field.default)
        if field.default is None and not _takes_none(hint):
            hint = typing.Optional[hint]  # noqa: UP045 - `|` does not take every hint
        kind = self.kind(hint)
        record.add(Field(field.name, field.key, hint, field.required, default, field.words), kind)


def plain_default(default: Any) -> Any:
    """A default as JSON, or NO_DEFAULT where JSON cannot say it: then it stays the class's or function's own affair."""
    if default is NO_DEFAULT:
        return NO_DEFAULT
    try:
        return plain_json(default)
    except Exception:  # whatever an odd value's own methods raise
        return NO_DEFAULT


def words_in(extras: Sequence[Any]) -> str | None:
    """The words in the metadata of Annotated: bare texts, and PEP 727's Doc, which has `documentation`."""
    found = []
    for extra in extras:
        said = extra if isinstance(extra, str) else None
        if type(extra).__name__ == "Doc":
            said = getattr(extra, "documentation", None)
        if isinstance(said, str) and said.strip():
            found.append(said.strip())
    return " ".join(found) or None


def _tags(kinds: Sequence[Kind]) -> tuple[dict[str | int, Kind], str]:
    """Records of a union by their tag, where all have one of the same name, else nothing."""
    records = [kind for kind in kinds if "object" in kind.takes]
    tags = [kind.tag for kind in records if isinstance(kind, Record) and kind.tag is not None]
    names = {tag[0] for tag in tags}
    if len(records) < 2 or len(tags) < len(records) or len(names) > 1:
        return {}, ""
    found = {tag[1]: kind for tag, kind in zip(tags, records, strict=True)}
    return (found, names.pop()) if len(found) == len(records) else ({}, "")


def _refuse_ambiguous(kinds: Sequence[Kind], members: Sequence[Any]) -> None:
    """msgspec's rule: the JSON type tells the members apart. Fixed texts beside any text are no conflict."""
    for name in ("object", "array", "str", "int"):
        held = [
            (kind, member)
            for kind, member in zip(kinds, members, strict=True)
            if name in kind.takes and not isinstance(kind, Anything) and not isinstance(kind, Choice)
        ]
        if name == "int":  # an int beside a float is told apart by its text
            held = [(kind, member) for kind, member in held if kind.takes == {"int"}]
        if name == "str":  # a Decimal beside a number is a text
            held = [(kind, member) for kind, member in held if "str" in kind.takes]
        if len(held) > 1:
            shown = " | ".join(_named(member) for _, member in held)
            raise Refused(f"{shown}: their values are not told apart by their JSON type ({name})")


def _takes_none(hint: Any) -> bool:
    if hint is None or hint is Any or hint is object or hint is type(None):
        return True
    origin = get_origin(hint)
    if origin is Annotated:
        return _takes_none(get_args(hint)[0])
    if origin is Literal:
        return None in get_args(hint)
    return (origin is typing.Union or origin is types.UnionType) and any(map(_takes_none, get_args(hint)))


def _is_unpacked(arg: Any) -> bool:
    return getattr(arg, "__typing_is_unpacked_typevartuple__", False) or "*" in repr(arg)[:1]


def _named(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else f"{hint!r:.100}"
