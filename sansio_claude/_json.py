"""The one door to JSON.

`loads` and `dumps` are msgspec: strict RFC 8259 (no NaN, no lone surrogates, no malformed UTF-8), in C.
`loads_input` is the standard library, because a tool's input must mean what `json.loads` says it means (msgspec
refuses 1e400); NaN and Infinity words are refused there too.

Exceptions of either library never leave this module: they become RemoteProtocolError, LimitError (stop "json") or,
for a value of the caller's, LocalProtocolError with the path of the place.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any, Final, NoReturn

import msgspec

from sansio_claude._errors import LimitError, LocalProtocolError, RemoteProtocolError

__all__ = ["DEFAULT_DEPTH", "depth_of", "dumps", "loads", "loads_input"]

DEFAULT_DEPTH: Final = 512
EXCERPT: Final = 80  # bytes of a broken text kept on the exception

_decode: Final[Callable[[bytes | str], Any]] = msgspec.json.Decoder().decode
_encode: Final[Callable[[Any], bytes]] = msgspec.json.Encoder().encode

# A string or a bracket, so that brackets inside strings do not count. Possessive: no backtracking, linear.
_BRACKETS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_OPENING: Final = frozenset((b"[", b"{"))
_CLOSING: Final = frozenset((b"]", b"}"))

_CONTAINERS: Final = frozenset((dict, list, tuple))
_PLAIN: Final = frozenset((str, int, float, bool, type(None))) | _CONTAINERS
_KEYS: Final = frozenset((str,))


def depth_of(data: bytes) -> int:
    """The deepest nesting of arrays and objects in `data`, which need not be legal JSON. Linear time, no recursion."""
    deepest = depth = 0
    for match in _BRACKETS.finditer(data):
        token = match.group()
        if token in _OPENING:
            depth += 1
            deepest = max(deepest, depth)
        elif token in _CLOSING:
            depth -= 1
    return deepest


def _too_deep(data: bytes, depth: int) -> bool:
    # Counting brackets is one C loop each; only a text with that many of them is measured exactly.
    return data.count(b"[") + data.count(b"{") > depth and depth_of(data) > depth


def loads(data: bytes, *, depth: int = DEFAULT_DEPTH) -> Any:
    """The value of one JSON text, decoded strictly.

    Raises RemoteProtocolError where `data` is not JSON (malformed UTF-8, lone surrogates, NaN, duplicate text and
    numbers beyond double among it), LimitError where it nests deeper than `depth`. Duplicate keys: the last wins.
    Linear in the length of `data`.
    """
    if _too_deep(data, depth):
        raise LimitError(
            f"the JSON nests deeper than Limits.depth = {depth}",
            limit="depth",
            value=depth,
            stop="json",
            excerpt=data[:EXCERPT],
        )
    try:
        return _decode(data)
    except UnicodeDecodeError as error:
        words = "the JSON text is not UTF-8"
        cause: Exception = error
    except (ValueError, RecursionError) as error:  # msgspec's own errors are ValueErrors
        words = "this is not JSON: " + str(error).removeprefix("JSON is malformed: ")
        cause = error
    raise RemoteProtocolError(words, stop="json", excerpt=data[:EXCERPT]) from cause


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def loads_input(text: str, *, depth: int = DEFAULT_DEPTH) -> Any:
    """The value of a tool's input, exactly as `json.loads` gives it, except that NaN and Infinity are refused.

    Raises RemoteProtocolError for anything that is not one whole JSON text, LimitError beyond `depth`.
    """
    data = text.encode("utf-8", "surrogatepass")
    if _too_deep(data, depth):
        raise LimitError(
            f"the tool input nests deeper than Limits.depth = {depth}",
            limit="depth",
            value=depth,
            stop="json",
            excerpt=data[:EXCERPT],
        )
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise RemoteProtocolError(
            f"the tool input is not JSON: {error}", stop="json", excerpt=data[:EXCERPT]
        ) from error


def dumps(value: Any, *, convert: Callable[[Any], Any] | None = None) -> bytes:
    """`value` as compact JSON in UTF-8.

    Takes dicts with str keys, lists, tuples, str, int, float, bool, None, and subclasses of these as what they are.
    `convert` is asked for the stand-in of any other value. Raises LocalProtocolError that names the path of anything
    else: NaN, infinities, lone surrogates, other types, cycles, nesting beyond 512. Linear; msgspec does the writing,
    and a walk over the value, level by level in C loops, finds what msgspec would write as null or quietly convert.
    """
    if not _is_plain(value):
        try:
            value = _stand_in(value, convert, "", set())
        except RecursionError:
            raise _illegal("", f"the value nests deeper than {DEFAULT_DEPTH}") from None
        _check(value)
    try:
        return _encode(value)
    except (ValueError, TypeError, RecursionError) as error:  # a lone surrogate, or a number without end
        _check(value)
        raise LocalProtocolError(f"the request cannot be written as JSON: {error}") from error


def _is_plain(root: Any) -> bool:
    """Whether `root` is made of JSON's own types throughout. False may also mean too deep, or a cycle.

    Lone surrogates are left to msgspec, which refuses them by itself.
    """
    level: list[Any] = [root]
    for _ in range(DEFAULT_DEPTH + 1):
        kinds = set(map(type, level))
        if not kinds <= _PLAIN:
            return False
        if float in kinds and not all(map(math.isfinite, [item for item in level if type(item) is float])):
            return False
        below: list[Any] = []
        # By identity, so that a container that is there many times (or around itself) is looked into once a level.
        if dict in kinds:
            dicts = {id(item): item for item in level if type(item) is dict}.values()
            if not set(map(type, chain.from_iterable(dicts))) <= _KEYS:
                return False
            below += chain.from_iterable(map(dict.values, dicts))
        if list in kinds or tuple in kinds:
            below += chain.from_iterable(
                {id(item): item for item in level if type(item) is list or type(item) is tuple}.values()
            )
        if not below:
            return True
        level = below
    return False


def _stand_in(value: Any, convert: Callable[[Any], Any] | None, path: str, above: set[int]) -> Any:
    """`value` with everything replaced that JSON knows by another name; containers are copied, never changed."""
    kind = type(value)
    if kind in _PLAIN and kind not in _CONTAINERS:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__index__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if id(value) in above:
        raise _illegal(path, "the value contains itself")
    above.add(id(value))
    result: Any
    if isinstance(value, Mapping):
        result = {}
        for key, member in value.items():
            if isinstance(key, str):
                key = str.__str__(key)
            result[key] = _stand_in(member, convert, f"{path}.{key}", above)
    elif isinstance(value, list | tuple):
        result = []
        for index, member in enumerate(value):
            result.append(_stand_in(member, convert, f"{path}[{index}]", above))
    else:
        result = value if convert is None else _converted(value, convert, path)
        if result is not value:
            result = _stand_in(result, convert, path, above)
    above.discard(id(value))
    return result


def _converted(value: Any, convert: Callable[[Any], Any], path: str) -> Any:
    try:
        return convert(value)
    except LocalProtocolError as error:
        where = f"{path}.{error.path}" if error.path else path
        raise LocalProtocolError(
            f"{where.removeprefix('.')}: {error.message}", path=where.removeprefix(".")
        ) from error


def _check(root: Any) -> None:
    """Raise LocalProtocolError at the first place of `root` that JSON has no word for. No recursion."""
    # `above` holds the containers that are still open, so that a cycle is found where it closes.
    path: list[str] = []
    above: set[int] = set()
    stack: list[tuple[Iterator[tuple[str, Any]], int]] = []
    item: Any = root
    where = ""
    while True:
        kind = type(item)
        if kind is str:
            if not item.isascii():
                _check_text(item, "".join(path) + where)
        elif kind is dict or kind is list or kind is tuple:
            if id(item) in above:
                raise _illegal("".join(path) + where, "the value contains itself")
            if len(stack) >= DEFAULT_DEPTH:
                raise _illegal("", f"the value nests deeper than {DEFAULT_DEPTH}")
            path.append(where)
            above.add(id(item))
            stack.append((_members(item, path), id(item)))
        elif kind is float:
            if not math.isfinite(item):
                raise _illegal("".join(path) + where, f"{item} is not a JSON number")
        elif item is not None and kind is not int and kind is not bool:
            raise _illegal("".join(path) + where, f"a {kind.__name__} is not a JSON value")
        while True:
            if not stack:
                return
            members, identity = stack[-1]
            found = next(members, None)
            if found is not None:
                where, item = found
                break
            stack.pop()
            path.pop()
            above.discard(identity)


def _members(container: Any, path: list[str]) -> Iterator[tuple[str, Any]]:
    if type(container) is dict:
        for key, value in container.items():
            if type(key) is not str:
                raise _illegal("".join(path), f"the key {key!r} is a {type(key).__name__}, not a str")
            if not key.isascii():
                _check_text(key, "".join(path))
            yield "." + key, value
    else:
        for index, value in enumerate(container):
            yield f"[{index}]", value


def _check_text(text: str, where: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _illegal(
            where, f"the text has a lone surrogate at character {error.start}, which UTF-8 cannot carry"
        ) from None


def _illegal(path: str, words: str) -> LocalProtocolError:
    path = path.removeprefix(".")
    return LocalProtocolError(f"{path or 'the value'}: {words}", path=path or None)
