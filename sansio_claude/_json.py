"""The one door to JSON.

`loads` and `dumps` are msgspec: strict RFC 8259 (no NaN, no lone surrogates, no malformed UTF-8), in C.
`loads_input` is the standard library, because a tool's input must mean what `json.loads` says it means (msgspec
refuses 1e400); NaN and Infinity words are refused there too.

The standard library's module is imported where a text is first given to it: many programs never do, and it takes a
thirtieth of what the core takes to import.

Exceptions of either library never leave this module: they become RemoteProtocolError, LimitError (stage "json") or,
for a value of the caller's, LocalProtocolError with the path of the place.
"""

from __future__ import annotations

import math
import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Mapping
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NoReturn

import msgspec

from sansio_claude._errors import LimitError, LocalProtocolError, RemoteProtocolError
from sansio_claude._value import an

if TYPE_CHECKING:
    from json import JSONDecoder

__all__ = [
    "DEFAULT_DEPTH",
    "EXCERPT",
    "MSGSPEC_ERRORS",
    "WRITTEN_DEPTH",
    "check_input_depth",
    "depth_of",
    "dumps",
    "dumps_plain",
    "has_halves",
    "loads",
    "loads_input",
    "loads_with_halves",
    "mend_text",
    "without_halves",
]

DEFAULT_DEPTH: Final = 512
# An answer may be nested to that depth, and is nested a few levels deeper in the next request.
WRITTEN_DEPTH: Final = DEFAULT_DEPTH + 16
EXCERPT: Final = 80  # bytes of a broken text kept on the exception

# What msgspec raises for what it cannot read or write. Its own errors are ValueErrors from version 0.21 on.
MSGSPEC_ERRORS: Final = (ValueError, msgspec.MsgspecError)

_decode: Final[Callable[[bytes | str], Any]] = msgspec.json.Decoder().decode
_encode: Final[Callable[[Any], bytes]] = msgspec.json.Encoder().encode

# A string or a bracket, so that brackets inside strings do not count. Possessive: no backtracking, linear.
_BRACKETS: Final = rb'(?s)"(?:[^"\\]++|\\.)*+"?|[\[\]{}]'
_OPENING: Final = frozenset((b"[", b"{"))
_CLOSING: Final = frozenset((b"]", b"}"))

# An escape of a surrogate, and half a pair that was decoded.
_HALF_ESCAPE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_HALF_IN_TEXT: Final = re.compile("[\ud800-\udfff]")

_LEAVES: Final = frozenset((str, int, bool, type(None)))
_PLAIN: Final = _LEAVES | {float, dict, list, tuple}
_KEYS: Final = frozenset((str,))
_SHORT: Final = 2 * WRITTEN_DEPTH  # bytes of JSON
_flat: Final = chain.from_iterable


def depth_of(data: bytes) -> int:
    """The deepest nesting of arrays and objects in `data`, which need not be legal JSON. Linear time, no recursion."""
    deepest = depth = 0
    for match in re.finditer(_BRACKETS, data):
        token = match.group()
        if token in _OPENING:
            depth += 1
            deepest = max(deepest, depth)
        elif token in _CLOSING:
            depth -= 1
    return deepest


def loads(data: bytes, depth: int = DEFAULT_DEPTH) -> Any:
    """The value of one JSON text, decoded strictly.

    Raises RemoteProtocolError where `data` is not JSON (malformed UTF-8, lone surrogates, NaN, duplicate text and
    numbers beyond double among it), LimitError where it nests deeper than `depth`. Duplicate keys: the last wins.
    Linear in the length of `data`.
    """
    # Counting brackets is one C loop each; only a text with that many of them is measured exactly.
    if len(data) > depth and data.count(b"[") + data.count(b"{") > depth and depth_of(data) > depth:
        raise LimitError(
            f"the JSON nests deeper than Limits.depth = {depth}",
            limit="depth",
            value=depth,
            stage="json",
            excerpt=data[:EXCERPT],
        )
    try:
        return _decode(data)
    except (*MSGSPEC_ERRORS, RecursionError) as error:
        words, cause = _refusal(error, data)
    # The frames of the cause would keep all of `data` alive as long as the exception.
    raise RemoteProtocolError(words, stage="json", excerpt=data[:EXCERPT]) from cause.with_traceback(None)


_OUT: Final = "out of range"  # of msgspec's words: JSON has such numbers, a program cannot hold them


def loads_with_halves(data: bytes, depth: int = DEFAULT_DEPTH) -> tuple[Any, bool]:
    """`loads`, but escapes of half a surrogate pair are taken as RFC 8259 allows, and the str holds the half.

    Gives the value and whether there may be such halves in it. Raises as `loads` does.
    """
    try:
        return loads(data, depth), False
    except LimitError:
        raise
    except RemoteProtocolError:
        if _HALF_ESCAPE.search(data) is None:
            raise
        try:
            value = _strict_decoder().decode(data.decode())
        except (ValueError, RecursionError):
            pass
        else:
            return value, True
        raise


def has_halves(value: Any) -> bool:
    """Whether a JSON value holds half a surrogate pair anywhere, keys included. Linear, no recursion."""
    try:
        _encode(value)
    except UnicodeEncodeError:
        return True
    except (*MSGSPEC_ERRORS, TypeError, RecursionError):
        import json

        return _HALF_IN_TEXT.search(json.dumps(value, ensure_ascii=False)) is not None
    return False


def mend_text(text: str) -> str:
    """`text` with U+FFFD in place of each half of a surrogate pair; itself where it has none."""
    return text if text.isascii() or _HALF_IN_TEXT.search(text) is None else _HALF_IN_TEXT.sub("\ufffd", text)


def without_halves(value: Any) -> Any:
    """`value` with U+FFFD in place of each half of a surrogate pair: itself where it has none, else a copy."""
    if not has_halves(value):
        return value
    import json

    text = json.dumps(value, ensure_ascii=False)
    return json.loads(_HALF_IN_TEXT.sub("\ufffd", text))


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("number out of range")  # msgspec refuses it, too
    return number


def _refusal(error: Exception, data: bytes) -> tuple[str, Exception]:
    """The words for a text that msgspec refused, and the cause. The versions of msgspec differ in what they raise for
    malformed UTF-8, and where in the text they notice it; so the text itself is asked."""
    malformed = _malformed(data)
    if malformed is not None:
        return "the JSON text is not UTF-8", malformed
    reason = _reason(error, data)
    if _OUT in reason:
        return f"a number in the JSON is too large: {reason}", error
    return f"this is not JSON: {reason}", error


def _malformed(data: bytes) -> UnicodeDecodeError | None:
    """The error for the first bytes of `data` that are not UTF-8, which holds those bytes alone. None where all are,
    or where the text only ends inside a character: it was cut, and the rest of it may have been well-formed."""
    try:
        getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError as error:
        bad = data[error.start : error.end]
        return UnicodeDecodeError(error.encoding, bad, 0, len(bad), error.reason)
    return None


def _reason(error: Exception, data: bytes) -> str:
    words = str(error).removeprefix("JSON is malformed: ")
    if "truncated" not in words:
        return words
    if not data.strip():
        return "there is nothing"
    import json

    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return words
    return "half of a surrogate pair stands alone in a string"  # msgspec waits for the other half


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


@cache
def _strict_decoder() -> JSONDecoder:
    from json import JSONDecoder

    return JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)


@cache
def _input_decoder() -> JSONDecoder:
    from json import JSONDecoder

    return JSONDecoder(parse_constant=_refuse_constant)


def loads_input(text: str, *, depth: int = DEFAULT_DEPTH) -> Any:
    """The value of a tool's input, exactly as `json.loads` gives it, except that NaN and Infinity are refused.

    Raises RemoteProtocolError for anything that is not one whole JSON text, LimitError beyond `depth`.
    """
    if len(text) > depth:
        check_input_depth(text, depth)
    decoder = _input_decoder()
    try:
        # What JSONDecoder.decode does around its scanner takes longer than a short input itself.
        value, end = decoder.scan_once(text, 0)  # type: ignore[attr-defined]  # not in typeshed
        if end == len(text):
            return value
    except (StopIteration, ValueError, RecursionError):
        pass
    try:
        return decoder.decode(text)
    except (ValueError, RecursionError) as error:
        raise RemoteProtocolError(
            f"the tool input is not JSON: {error}",
            stage="json",
            excerpt=text[:EXCERPT].encode("utf-8", "surrogatepass"),
        ) from error


def check_input_depth(text: str, depth: int) -> None:
    """Raise LimitError where a tool's input, whole or not, nests deeper than `depth`. Linear."""
    many = text.count("[") + text.count("{") > depth
    if many and depth_of(text.encode("utf-8", "surrogatepass")) > depth:
        raise LimitError(
            f"the tool input nests deeper than Limits.depth = {depth}",
            limit="depth",
            value=depth,
            stage="json",
            excerpt=text[:EXCERPT].encode("utf-8", "surrogatepass"),
        )


def dumps(value: Any, *, convert: Callable[[Any], Any] | None = None) -> bytes:
    """`value` as compact JSON in UTF-8.

    Takes dicts with str keys, lists, tuples, str, int, float, bool, None, and subclasses of these as what they
    are. Any other value is given to `convert`, which returns what is written in its place, or the value itself where
    it has nothing. Raises LocalProtocolError that names the path of what cannot be written: NaN, infinities, lone
    surrogates, other types, cycles, nesting beyond `WRITTEN_DEPTH`. Only in what `convert` gives may there be
    infinities and lone surrogates, as a tool's input has them where the model wrote 1e999 or half an escape: they are
    written as they came.

    Linear; msgspec does the writing, and a walk over the value in C loops finds what msgspec would write as null or
    quietly convert.
    """
    data = dumps_plain(value)
    if data is not None:
        return data
    try:
        return _encode(_stand_in(value, convert, set(), exact=False))
    except RecursionError:
        words, path = f"the value nests deeper than {WRITTEN_DEPTH}, or than the stack allows", ""
    except _Unwritable as found:
        words, path = found.words, found.path()
    raise LocalProtocolError(f"{path or 'the value'}: {words}", path=path or None)


def dumps_plain(value: Any) -> bytes | None:
    """`value` as JSON if it is made of JSON's own types throughout, else None."""
    # Writing comes first because it ends where a value contains itself, which the walk would not notice.
    try:
        data = _encode(value)
    except (*MSGSPEC_ERRORS, TypeError, RecursionError):
        return None
    plain = _is_plain_and_short(value) if len(data) <= _SHORT else _is_plain(value)
    return data if plain else None


class _Unwritable(Exception):
    """A value that JSON cannot say.

    Each container that the exception passes on its way up adds its own step to the path, so that no path has to be kept
    while a value is right.
    """

    def __init__(self, words: str) -> None:
        self.words = words
        self.steps: list[str] = []

    def path(self) -> str:
        return "".join(reversed(self.steps)).removeprefix(".")


def _is_plain_and_short(root: Any) -> bool:
    """`_is_plain` of a value that is written in `_SHORT` bytes, so that it cannot be too deep: each level takes two.

    A loop over each member, which for few of them takes a quarter of what it takes to sort them.
    """
    containers: list[Any] = [root]
    for container in containers:  # it grows meanwhile
        kind = type(container)
        if kind is dict:
            for key, member in container.items():
                if type(key) is not str:
                    return False
                if type(member) not in _LEAVES:
                    containers.append(member)
        elif kind is list or kind is tuple:
            for member in container:
                if type(member) not in _LEAVES:
                    containers.append(member)
        elif kind not in _LEAVES and not (kind is float and math.isfinite(container)):
            return False
    return True


def _is_plain(root: Any) -> bool:
    """Whether `root`, which has no cycles, is made of JSON's own types throughout, no deeper than allowed."""
    level: list[Any] = [root]
    for _ in range(WRITTEN_DEPTH + 1):
        level = [item for item in level if type(item) is not str]  # what most are
        kinds = set(map(type, level))
        if kinds <= _LEAVES:
            return True
        if not kinds <= _PLAIN:
            return False
        one = len(kinds) == 1  # then there is nothing to sort
        below: list[Any] = []
        if list in kinds:
            below += _flat(level if one else [item for item in level if type(item) is list])
        if dict in kinds:
            dicts = level if one else [item for item in level if type(item) is dict]
            # Few keys are left of many once the equal ones are one.
            if not _KEYS.issuperset(map(type, set().union(*dicts))):
                return False
            below += _flat(map(dict.values, dicts))
        if tuple in kinds:
            below += _flat([item for item in level if type(item) is tuple])
        if float in kinds and not all(map(math.isfinite, [item for item in level if type(item) is float])):
            return False
        level = below
    return False


def _stand_in(value: Any, convert: Callable[[Any], Any] | None, above: set[int], *, exact: bool) -> Any:
    """`value` with what JSON cannot say replaced by what stands for it. Raises _Unwritable where nothing does.

    Containers are copied, never changed. `above` holds those that are still open, by identity, so that a cycle is
    found where it closes. `exact` writes what only JSON's text can say. One frame for each level of nesting.
    """
    kind = type(value)
    if kind is bool or value is None or (kind is str and value.isascii()):
        return value
    if isinstance(value, str):
        return _text(value, exact=exact)
    if isinstance(value, int | float):
        return _number(value, exact=exact)
    if id(value) in above:
        raise _Unwritable("the value contains itself")
    if len(above) >= WRITTEN_DEPTH:
        raise RecursionError
    above.add(id(value))
    step = ""
    result: Any
    try:
        if kind is dict or isinstance(value, Mapping):
            result = {}
            odd = False
            for key, member in value.items():
                step = ""
                if not isinstance(key, str):
                    raise _Unwritable(f"a key is {an(type(key).__name__)}, not a str")
                name = str.__str__(key)
                odd |= not name.isascii() and type(_text(name, exact=exact)) is msgspec.Raw
                step = f".{name}"
                result[name] = _stand_in(member, convert, above, exact=exact)
            if odd:
                result = _raw_object(result)
        elif isinstance(value, list | tuple):
            result = []
            for index, member in enumerate(value):
                step = f"[{index}]"
                result.append(_stand_in(member, convert, above, exact=exact))
        else:
            result = value if convert is None else convert(value)
            if result is value:
                raise _Unwritable(f"{an(type(value).__name__)} is not a JSON value")
            result = _stand_in(result, convert, above, exact=True)
    except _Unwritable as found:
        found.steps.append(step)
        raise
    except LocalProtocolError as error:  # from `convert`
        refused = _Unwritable(error.message)
        refused.steps.append(f".{error.path}" if error.path else "")
        raise refused from error
    above.discard(id(value))
    return result


def _raw_object(members: Mapping[Any, Any]) -> msgspec.Raw:
    """An object some of whose names msgspec cannot write."""
    import json

    pairs = (json.dumps(name).encode() + b":" + _encode(member) for name, member in members.items())
    return msgspec.Raw(b"{" + b",".join(pairs) + b"}")


def _text(value: str, *, exact: bool) -> Any:
    text = str.__str__(value)  # of a subclass, such as a member of an enumeration, the plain str
    try:
        text.encode()
    except UnicodeEncodeError as error:
        if exact:
            import json

            return msgspec.Raw(json.dumps(text).encode())
        raise _Unwritable(
            f"the text has a lone surrogate at character {error.start}, which UTF-8 cannot carry"
        ) from None
    return text


def _number(value: float, *, exact: bool) -> Any:
    if isinstance(value, int):
        number = int.__index__(value)
        try:
            str(number)
        except ValueError:
            raise _Unwritable("the number has more digits than the interpreter's limit") from None
        return number
    if math.isfinite(value):
        return float.__float__(value)
    if exact and not math.isnan(value):
        return msgspec.Raw(b"1e999" if value > 0 else b"-1e999")
    raise _Unwritable(f"{float.__repr__(value)} is not a JSON number")
