"""Hints that only pydantic converts: its models and `Field`, unions that the JSON type does not tell apart, Path, ...

pydantic is imported when such a hint is met, and only then. Its TypeAdapter makes schema and value, in strict JSON
mode: nothing is coerced but what JSON itself has no word for (dates, paths, enums). Classes with fields that stand
inside such a hint (a union of two dataclasses) stay ours, so that their constructors run: pydantic gets a stand-in for
each.
"""

from __future__ import annotations

import collections.abc
import types
import typing
from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated, Any, Final, get_args, get_origin

import msgspec

from sansio_claude._errors import LocalProtocolError
from sansio_claude._json import dumps
from sansio_claude.tools._hints import Compiler, Refused, words_in
from sansio_claude.tools._kinds import Kind, Leaf, is_leaf
from sansio_claude.tools._misfit import REF, Definitions, Misfit, words_of
from sansio_claude.tools._records import NO_DEFAULT, is_record

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["Foreign", "field_default", "fill", "foreign"]

_MARK: Final = "sansio-claude-kind"
_SHOWN: Final = 3  # problems of one value that the model is told at once
_LONGEST_WORDS: Final = 200  # characters of one problem: in nested unions it holds those of all members
_LAZY: Final = (collections.abc.Iterable, collections.abc.Iterator, collections.abc.Generator)
# Where classes contain unions of classes, a value is read once more at each level, and for each member that it may be:
# so many bytes are read in all, for each byte of the outermost value.
_MOST_PER_BYTE: Final = 64
_LEAST_BUDGET: Final = 100_000
_budget: Final[ContextVar[list[int] | None]] = ContextVar("_budget", default=None)
_ALL: Final = frozenset({"null", "bool", "int", "float", "str", "array", "object"})


def foreign(hint: Any, reason: str, compiler: Compiler) -> Kind:
    """The kind of a hint that msgspec does not take, by pydantic. Raises LocalProtocolError where it cannot, either."""
    label = compiler.label
    try:
        import pydantic
    except ImportError:
        raise LocalProtocolError(
            f"no JSON schema can be made for {label}: {reason}. Install pydantic, which can convert some such types, "
            "or use types that JSON has, dataclasses, attrs classes or TypedDicts of them, or make the Tool by hand"
        ) from None
    kinds: dict[str, Kind] = {}
    try:
        adapter: TypeAdapter[Any] = pydantic.TypeAdapter(_rewritten(hint, compiler, kinds))
        schema = _schema_of(adapter, closed=True)
    except LocalProtocolError:
        raise
    except Exception as error:  # pydantic's own refusals, and whatever a type's own hooks raise
        words = (str(error) or type(error).__name__).splitlines()[0]
        raise LocalProtocolError(
            f"no JSON schema can be made for {label}: {reason}, and by pydantic: {words}. Use types that JSON has, "
            "dataclasses, attrs classes or TypedDicts of them, or make the Tool by hand"
        ) from error
    return Foreign(adapter, schema, kinds)


def field_default(default: Any) -> tuple[Any, bool] | None:
    """What the schema says of the default inside pydantic's `Field(...)`, and whether the parameter is required; None
    for any other default."""
    if type(default).__module__.partition(".")[0] != "pydantic" or type(default).__name__ != "FieldInfo":
        return None
    if default.is_required():
        return NO_DEFAULT, True
    # A factory is asked anew for each call: what it gives now says nothing of it.
    return (default.default if default.default_factory is None else NO_DEFAULT), False


def fill(default: Any, found: dict[str, Any]) -> Any:
    """The default inside pydantic's `Field(...)` for one call, whose other arguments are these; it is nobody else's.
    Raises Misfit where its factory raises."""
    given = {"validated_data": found} if getattr(default, "default_factory_takes_validated_data", False) else {}
    try:
        return default.get_default(call_default_factory=True, **given)
    except Exception as error:  # the factory is the caller's
        raise Misfit(words_of(error)) from error


class Foreign:
    """A value that pydantic converts."""

    takes = _ALL

    def __init__(self, adapter: TypeAdapter[Any], schema: dict[str, Any], kinds: dict[str, Kind]) -> None:
        self._adapter = adapter
        self._schema = schema
        self._kinds = kinds

    def schema(self, book: Definitions) -> dict[str, Any]:
        definitions = self._schema.get("$defs", {})
        # A definition's name may stand in the book for another class already; one that is the same is shared.
        names: dict[str, str] = {}
        for name, schema in definitions.items():
            same = book.found.get(name) == schema
            names[REF + name] = REF + (name if same else book.free_name(name))
            book.found.setdefault(names[REF + name].removeprefix(REF), schema)
        for name in definitions:
            free = names[REF + name].removeprefix(REF)
            book.found[free] = self._placed(definitions[name], names, book)
        return {key: self._placed(item, names, book) for key, item in self._top(names, book).items() if key != "$defs"}

    def _top(self, names: dict[str, str], book: Definitions) -> dict[str, Any]:
        mark = self._schema.get(_MARK)
        return self._schema if mark is None else {**self._schema, **self._kinds[mark].schema(book), _MARK: None}

    def _placed(self, value: Any, names: dict[str, str], book: Definitions) -> Any:
        """The schema with its references renamed, and our own kinds in the places of their stand-ins."""
        if isinstance(value, list):
            return [self._placed(item, names, book) for item in value]
        if not isinstance(value, dict):
            return value
        found = {
            key: names.get(item, item) if key == "$ref" else self._placed(item, names, book)
            for key, item in value.items()
            if key != _MARK
        }
        mark = value.get(_MARK)
        return found if mark is None else {**self._kinds[mark].schema(book), **found}

    def convert(self, value: Any) -> Any:
        import pydantic

        try:
            data = dumps(value)
        except LocalProtocolError as error:
            raise Misfit(error.message) from None
        budget = _budget.get()
        token = None
        if budget is None:
            budget = [_MOST_PER_BYTE * len(data) + _LEAST_BUDGET]
            token = _budget.set(budget)
        budget[0] -= len(data)
        try:
            if budget[0] < 0:
                raise Misfit("the value nests too deeply in unions of classes: they cannot be told apart")
            return self._adapter.validate_json(data, strict=True)
        except pydantic.ValidationError as error:
            raise _misfit(error, value) from None
        except Misfit:
            raise
        except Exception as error:  # a validator of the caller's may raise anything
            raise Misfit(words_of(error)) from error
        finally:
            if token is not None:
                _budget.reset(token)


def _misfit(error: Any, value: Any) -> Misfit:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    shown: list[str] = []
    for problem in problems:
        words = Misfit(problem["msg"][:_LONGEST_WORDS]).below(*_place(problem["loc"], value))
        if str(words) not in shown:
            shown.append(str(words))
    more = f"; and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return _Several("; ".join(shown[:_SHOWN]) + more, shown[0] if len(shown) == 1 else None)


class _Several(Misfit):
    """Problems at several places, each of which says where; a path above them goes in front."""

    def __init__(self, words: str, only: str | None) -> None:
        super().__init__(words)
        self._only = only

    def __str__(self) -> str:
        if not self.path:
            return self.words
        above = Misfit("").below(*self.path)
        place = str(above).partition("$")[2].rstrip("`")
        if self._only is not None:
            words, at, below = self._only.rpartition(" - at `$")
            return f"{words}{at}{place}{below}" if at else f"{self._only} - at `${place}`"
        return f"at `${place}`: {self.words}"


def _place(loc: tuple[Any, ...], value: Any) -> list[str | int]:
    """The keys of a value in a problem's location, which also names the members of unions."""
    found: list[str | int] = []
    for key in loc:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            continue
        found.append(key)
    return found


def _schema_of(adapter: TypeAdapter[Any], *, closed: bool) -> dict[str, Any]:
    from pydantic.json_schema import GenerateJsonSchema

    class Closed(GenerateJsonSchema):
        """Objects whose class does not say what becomes of unknown keys take none: the model is told of them."""

        def model_schema(self, schema: Any) -> dict[str, Any]:
            return _closed(super().model_schema(schema), getattr(schema["cls"], "model_config", None))

        def dataclass_schema(self, schema: Any) -> dict[str, Any]:
            return _closed(super().dataclass_schema(schema), getattr(schema["cls"], "__pydantic_config__", None))

        def typed_dict_schema(self, schema: Any) -> dict[str, Any]:
            return _closed(super().typed_dict_schema(schema), schema.get("config"))

    return adapter.json_schema(ref_template=REF + "{model}", schema_generator=Closed if closed else GenerateJsonSchema)


def _closed(schema: dict[str, Any], config: Any) -> dict[str, Any]:
    said = (config or {}).get("extra", (config or {}).get("extra_fields_behavior"))
    if said is None and "properties" in schema:
        schema.setdefault("additionalProperties", False)
    return schema


class _StandIn:
    """What pydantic sees of one of our own kinds: a function that converts, and a mark in the schema."""

    def __init__(self, kind: Kind, mark: str) -> None:
        self._kind = kind
        self._mark = mark

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import PydanticCustomError, core_schema

        def convert(value: Any) -> Any:
            try:
                return self._kind.convert(value)
            except Misfit as misfit:
                raise PydanticCustomError("misfit", "{words}", {"words": str(misfit)}) from None

        if isinstance(self._kind, Leaf):
            # In a union with str a text stays a text, even one that is a date: this is the looser match.
            return core_schema.no_info_after_validator_function(convert, core_schema.any_schema())
        return core_schema.no_info_plain_validator_function(convert)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {_MARK: self._mark}


def _rewritten(hint: Any, compiler: Compiler, kinds: dict[str, Kind]) -> Any:
    """The hint for pydantic: our own classes as stand-ins, words as descriptions, nothing lazy."""
    origin = get_origin(hint)
    if hint is None or hint is type(None):
        return hint
    if origin is Annotated:
        return _rewritten_annotated(hint, compiler, kinds)
    base = origin or hint
    # What a text means (a date, base64) is the same everywhere, so these stay ours; so do classes with fields.
    written = is_leaf(base) and base not in (str, int, float, bool)
    if written or is_record(base) or (hasattr(hint, "__supertype__") and not _is_foreign(hint, compiler)):
        try:
            return _stand_in(compiler.native(hint), kinds)
        except Refused:
            return hint
    args = get_args(hint)
    if not args or origin is typing.Literal:
        return list[Any] if hint in _LAZY else hint
    rewritten: tuple[Any, ...] = tuple(arg if arg is Ellipsis else _rewritten(arg, compiler, kinds) for arg in args)
    if origin in _LAZY:
        return list[next(iter(rewritten))]  # type: ignore[misc]  # made at run time
    if origin is types.UnionType or origin is typing.Union:
        return typing.Union[rewritten]  # noqa: UP007 - made of a tuple
    if origin is collections.abc.Callable:
        return hint
    return origin[rewritten]  # one argument in a tuple is that argument


def _is_foreign(hint: Any, compiler: Compiler) -> bool:
    try:
        compiler.native(hint)
    except Refused:
        return True
    return False


def _rewritten_annotated(hint: Any, compiler: Compiler, kinds: dict[str, Kind]) -> Any:
    import pydantic

    base, *extras = get_args(hint)
    metas = [extra for extra in extras if isinstance(extra, msgspec.Meta)]
    words = words_in(extras)
    others = [extra for extra in extras if not isinstance(extra, msgspec.Meta | str) and words_in([extra]) is None]
    unknown = [extra for extra in others if not _is_pydantics(extra)]
    if unknown:
        raise LocalProtocolError(
            f"no JSON schema can be made for {compiler.label}: nothing here knows what {unknown[0]!r:.80} in Annotated "
            "means. Remove it, or give the bounds with msgspec.Meta or pydantic.Field"
        )
    inner = base
    for meta in metas:
        inner = Annotated[inner, meta]
    inner = _stand_in(compiler.native(inner), kinds) if metas else _rewritten(base, compiler, kinds)
    for extra in others:
        inner = Annotated[inner, extra]
    described = any(getattr(extra, "description", None) for extra in (*others, *metas))
    return Annotated[inner, pydantic.Field(description=words)] if words and not described else inner


def _is_pydantics(extra: Any) -> bool:
    """Whether pydantic honours this piece of metadata, instead of leaving it out without a word."""
    modules = {cls.__module__.partition(".")[0] for cls in type(extra).__mro__}
    hooks = ("__get_pydantic_core_schema__", "__get_pydantic_json_schema__")
    return bool(modules & {"pydantic", "pydantic_core", "annotated_types"}) or any(
        hasattr(extra, hook) for hook in hooks
    )


def _stand_in(kind: Kind, kinds: dict[str, Kind]) -> Any:
    mark = str(len(kinds))
    kinds[mark] = kind
    return Annotated[Any, _StandIn(kind, mark)]
