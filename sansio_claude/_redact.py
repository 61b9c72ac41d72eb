"""Redaction: no exception that leaves a call shows a secret, not even one that the server sent back.

Rules:

- A secret is found in every form that servers and programs write it in: as it stands, in any case, percent-encoded
  (with "+" for a space, too), escaped as in JSON, Python or HTML, each of these up to three times over, as base64 at
  any place of a longer text, and as hex. Of a secret that is percent-encoded or base64 itself (a field of an address,
  Basic credentials), what it stands for is a secret as well. Long ones are found with white space inside of them:
  base64 in lines, hex in pairs.
- Redact, then cut: what is shortened for show is shortened afterwards (`APIError._shown`). Where a text was cut before
  it came here, the part of a secret at the edge is taken out as well (8 bytes or more), also where the cut went through
  an escape, and so is half of one anywhere.
- What cannot be looked at is not passed on.
"""

from __future__ import annotations

import binascii
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final

from sansio_claude._errors import APIError, ClaudeError

__all__ = ["Redactor", "Redactors"]

_SHORTEST: Final = 4  # a "secret" shorter than this is no secret, and taking it out would garble every text
_CUT: Final = 8  # bytes of a secret at the edge of a cut text that are taken out too
_PART: Final = 12  # bytes of a secret that are taken out anywhere, or half of it where that is more
_MARK: Final = "[redacted]"
_BACKSLASH: Final = 92  # how every escape begins; as numbers, which CPython looks for at once
_PERCENT: Final = 37
_AMPERSAND: Final = 38
_TIMES: Final = 3  # how often a text may have been encoded
_HEX: Final = rb"[0-9A-Fa-f]"
_BLANKS: Final = b" \t\r\n"
_CONTROL: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_NAMED: Final = {b"amp": b"&", b"quot": b'"', b"apos": b"'", b"lt": b"<", b"gt": b">"}
_SHOWN_LATER: Final = frozenset({"partial", "attempts"})  # the answer itself, and words that were redacted already

_Span = tuple[int, int]


@cache
def _escape() -> re.Pattern[bytes]:
    """What one character may be written as, in any case, since a whole text may have been put into capitals. The first
    is a surrogate pair, the eighth a character that stands for itself, the last a line end or a tab.

    Compiled when it is first needed: that takes a twentieth of the import of the core.
    """
    return re.compile(
        rb"\\u(d[89ab]%(h)s{2})\\u(d[c-f]%(h)s{2})|\\u(%(h)s{4})|\\x(%(h)s{2})|%%(%(h)s{2})"
        rb"|&#x(%(h)s{1,6});|&#([0-9]{1,7});|\\([\"'\\/])|&(amp|quot|apos|lt|gt);|\\([nrt])" % {b"h": _HEX},
        re.IGNORECASE,
    )


@cache
def _begun() -> re.Pattern[bytes]:
    """The beginning of an escape at the end of a text that was cut."""
    return re.compile(
        rb"(?:%%%(h)s?|\\(?:u%(h)s{0,3}|x%(h)s?)?|&(?:#(?:x%(h)s{0,6}|[0-9]{0,7})|[a-z]{0,4})?)\Z" % {b"h": _HEX},
        re.IGNORECASE,
    )


_LONGEST: Final = 10  # bytes of an escape, as _escape() has them, but for surrogate pairs


class Redactors:
    """Gives redactors, and keeps the last: the secrets of one client's calls are the same, mostly."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: tuple[tuple[str, ...], Redactor] | None = None

    def of(self, secrets: tuple[str, ...]) -> Redactor:
        """The redactor of these secrets. From any thread."""
        last = self._last
        if last is None or last[0] != secrets:
            last = self._last = secrets, Redactor(secrets)
        return last[1]


class Redactor:
    """Takes secrets out of text, bytes, JSON values and whole exceptions. Linear in what it is given."""

    __slots__ = ("_divided", "_needles", "_spaces")

    def __init__(self, secrets: Iterable[str]) -> None:
        found: dict[bytes, None] = {}
        for secret in secrets:
            if len(secret) >= _SHORTEST:
                found.update(dict.fromkeys(_forms(secret.encode("utf-8", "replace"))))
        # Whatever shows enough of a form shows this much of its beginning or its end.
        self._needles = tuple((form, _part(len(form)), form[:_CUT], form[-_CUT:]) for form in found)
        self._divided = tuple((form, part) for form, part, _, _ in self._needles if len(form) >= _PART)
        self._spaces = any(b" " in form for form in found)

    def __bool__(self) -> bool:
        """Whether there is anything to take out."""
        return bool(self._needles)

    def text(self, text: str) -> str:
        """The text without the secrets; the same object where it had none."""
        if not self._needles:
            return text
        data = text.encode("utf-8", "surrogatepass")
        spans = self._spans(data, _TIMES)
        if not spans:
            return text
        pieces: list[str] = []
        end = 0
        for start, stop in _merged(spans):
            while start and data[start] & 0xC0 == 0x80:  # in the middle of a character
                start -= 1
            pieces.append(data[end:start].decode("utf-8", "surrogatepass"))
            end = stop
            while end < len(data) and data[end] & 0xC0 == 0x80:
                end += 1
        pieces.append(data[end:].decode("utf-8", "surrogatepass"))
        return _MARK.join(pieces)

    def data(self, data: bytes) -> bytes:
        """The bytes without the secrets; the same object where they had none."""
        spans = self._spans(data, _TIMES) if self._needles else []
        if not spans:
            return data
        pieces: list[bytes] = []
        end = 0
        for start, stop in _merged(spans):
            pieces.append(data[end:start])
            end = stop
        pieces.append(data[end:])
        return _MARK.encode().join(pieces)

    def places(self, data: bytes) -> list[_Span]:
        """Where in the bytes the secrets stand, from and to; in no order, may overlap."""
        return self._spans(data, _TIMES) if self._needles else []

    def value(self, value: Any) -> Any:
        """A JSON-like value (bytes and tuples too) of any depth without the secrets, copied.

        What is of another kind is passed on as it is.
        """
        root = [value]
        waiting: list[dict[Any, Any] | list[Any]] = [root]
        tuples: list[tuple[Any, Any]] = []
        copies: dict[int, Any] = {}
        while waiting:
            holder = waiting.pop()
            for key, each in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
                if isinstance(each, str | bytes | bytearray):
                    holder[key] = self._leaf(each)
                elif isinstance(each, dict | list) or type(each) is tuple:
                    copy = copies.get(id(each))
                    if copy is None:
                        copy = copies[id(each)] = (
                            {self._leaf(name): item for name, item in each.items()}
                            if isinstance(each, dict)
                            else list(each)
                        )
                        waiting.append(copy)
                    holder[key] = copy
                    if type(each) is tuple:
                        tuples.append((holder, key))
        for holder, key in reversed(tuples):
            holder[key] = tuple(holder[key])
        return root[0]

    def error(self, error: ClaudeError) -> None:
        """Take the secrets out of an exception and of everything chained to it, in place.

        A foreign exception that still shows one is taken out of the chain. The message under `partial` is left
        alone: it is the answer itself.
        """
        if not self._needles:
            return
        seen: set[int] = set()
        waiting: list[tuple[BaseException, BaseException]] = [(error, error)]
        while waiting:
            parent, each = waiting.pop()
            if id(each) in seen:
                continue
            seen.add(id(each))
            self._clean(each)
            if not isinstance(each, ClaudeError) and self._shows(each):
                parent.__cause__ = parent.__context__ = None
                continue
            waiting += [(each, link) for link in (each.__cause__, each.__context__) if link is not None]

    def _clean(self, error: BaseException) -> None:
        """Clean one exception: its attributes, then its arguments."""
        made = isinstance(error, APIError) and error.args == (error._shown(),)
        held = vars(error)  # not by setattr, which a class may refuse
        for name, value in held.items():
            if name not in _SHOWN_LATER:
                held[name] = self.value(value)
        if made and isinstance(error, APIError):
            error.args = (error._shown(),)
        error.args = self.value(error.args)

    def _stand_in(self, lower: bytes) -> list[_Span]:
        find = lower.find
        return [
            span
            for form, part, begins, ends in self._needles
            if find(begins) >= 0 or find(ends) >= 0
            for span in _places(lower, form, part)
        ]

    def _shows(self, error: BaseException) -> bool:
        try:
            # Some keep what they are about beside the arguments: UnicodeError, OSError.
            beside = [getattr(error, name, "") for name in ("object", "filename", "filename2", "strerror", "doc")]
            shown = f"{error} {error!r} {beside!r}".encode("utf-8", "replace")
        except Exception:  # what cannot be looked at must not be passed on
            return True
        return bool(self._spans(shown, _TIMES))

    def _leaf(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        return self.data(bytes(value)) if isinstance(value, bytes | bytearray) else value

    def _spans(self, data: bytes, times: int) -> list[_Span]:
        """Where the secrets are, as they stand or encoded up to `times` times; in no order, may overlap."""
        lower = data.lower()
        spans = self._stand_in(lower)
        if self._spaces and b"+" in lower:
            spans += self._stand_in(lower.replace(b"+", b" "))
        if (joined := lower.translate(None, _BLANKS)) != lower:
            spans += self._divided_spans(lower, joined)
        if times and (_BACKSLASH in data or _PERCENT in data or _AMPERSAND in data):
            decoded, pieces = _decoded(data)
            if pieces:
                starts = [piece[0] for piece in pieces]
                spans += [_original(span, starts, pieces) for span in self._spans(decoded, times - 1)]
        return spans

    def _divided_spans(self, lower: bytes, joined: bytes) -> Iterator[_Span]:
        """Where the long ones stand in `lower` with white space inside of them; `joined` is the same without it."""
        kept: list[int] = []
        joined = b"\0%b\0" % joined  # what is only a part at an edge stays
        for form, part in self._divided:
            for start, stop in _places(joined, form, part):
                kept = kept or [at for at, byte in enumerate(lower) if byte not in _BLANKS]
                yield kept[start - 1], kept[stop - 2] + 1


def _part(size: int) -> int:
    """How many bytes of a secret of this size are as good as all of it."""
    return min(size, max(_PART, (size + 1) // 2))


def _forms(secret: bytes) -> Iterator[bytes]:
    """What is looked for, in lower case."""
    plain = [secret]
    decoded, pieces = _decoded(secret)
    if pieces and len(decoded) >= _SHORTEST:
        plain.append(decoded)
    if secret[:6].lower() == b"basic ":
        try:
            credentials = binascii.a2b_base64(secret[6:] + b"==")
        except binascii.Error:
            credentials = b""
        plain += [each for each in (credentials, credentials.partition(b":")[2]) if len(each) >= _SHORTEST]
    for raw in plain:
        yield raw.lower()
        if len(raw) >= _CUT:
            yield raw.hex().encode()
            for shift in range(3):
                # What stands in front of it decides where in a group of three bytes it begins. The characters that
                # depend on its neighbours are left away.
                encoded = binascii.b2a_base64(b"\0" * shift + raw, newline=False).rstrip(b"=")
                whole = encoded if (shift + len(raw)) % 3 == 0 else encoded[:-1]
                core = whole[(0, 2, 3)[shift] :].lower()
                yield core
                yield core.replace(b"+", b"-").replace(b"/", b"_")


def _places(data: bytes, form: bytes, part: int) -> Iterator[_Span]:
    """Where `form`, or so much of its beginning or end as `part` says, stands in `data`; at the edges, less."""
    size, end = len(form), len(data)
    begins, ends = form[:part], form[size - part :]
    at = data.find(begins)
    while at >= 0:
        stop = part
        while stop < size and at + stop < end and data[at + stop] == form[stop]:
            stop += 1
        yield at, at + stop
        at = data.find(begins, at + stop)
    if part < size:
        at = data.find(ends)
        while at >= 0:
            start = 0
            while start < size - part and at > start and data[at - start - 1] == form[size - part - start - 1]:
                start += 1
            yield at - start, at + part
            at = data.find(ends, at + part)
    if size > _CUT:
        at = data.find(form[:_CUT], max(0, end - size + 1))
        while at >= 0:
            if form.startswith(data[at:]):
                yield at, end
                break
            at = data.find(form[:_CUT], at + 1)
        at = data.rfind(form[size - _CUT :], 0, size - 1)
        while at >= 0:
            if form.endswith(data[: at + _CUT]):
                yield 0, at + _CUT
                break
            at = data.rfind(form[size - _CUT :], 0, at + _CUT - 1)


_Piece = tuple[int, int, int, int]


def _decoded(data: bytes) -> tuple[bytes, list[_Piece]]:
    """The data with every escape undone, and its pieces: from, to in the result, from, to in `data`; [] for no escape.

    A piece that was no escape is as long in both.
    """
    if not (_BACKSLASH in data or _PERCENT in data or _AMPERSAND in data):
        return data, []
    parts: list[bytes] = []
    pieces: list[_Piece] = []
    there = here = 0
    for match in _escape().finditer(data):
        start, stop = match.span()
        if start > here:
            parts.append(data[here:start])
            pieces.append((there, there + start - here, here, start))
            there += start - here
        character = _character(match)
        parts.append(character)
        pieces.append((there, there + len(character), start, stop))
        there += len(character)
        here = stop
    if not pieces:
        return data, []
    end = len(data)
    if cut := _begun().search(data, max(here, end - _LONGEST)):
        end = cut.start()
    if here < end:
        parts.append(data[here:end])
        pieces.append((there, there + end - here, here, end))
    return b"".join(parts), pieces


def _character(match: re.Match[bytes]) -> bytes:
    """What an escape stands for, as UTF-8."""
    high, low, unit, byte, percent, hexadecimal, decimal, itself, name, control = match.groups()
    if high is not None:
        return chr(0x10000 + ((int(high, 16) & 0x3FF) << 10) + (int(low, 16) & 0x3FF)).encode()
    if percent is not None:
        return bytes((int(percent, 16),))
    if itself is not None:
        return bytes(itself)
    if name is not None:
        return _NAMED[name.lower()]
    if control is not None:
        return _CONTROL[control.lower()]
    code = int(decimal) if decimal is not None else int(unit or byte or hexadecimal, 16)
    return chr(code).encode("utf-8", "surrogatepass") if code <= 0x10FFFF else b"?"


def _original(span: _Span, starts: list[int], pieces: list[_Piece]) -> _Span:
    """Where a span of decoded data stands in the data itself; of an escape it takes all."""
    first = pieces[bisect_right(starts, span[0]) - 1]
    last = pieces[bisect_right(starts, span[1] - 1) - 1]
    start, stop = first[2], last[3]
    if first[1] - first[0] == first[3] - first[2]:
        start += span[0] - first[0]
    if last[1] - last[0] == last[3] - last[2]:
        stop -= last[1] - span[1]
    return start, stop


def _merged(spans: list[_Span]) -> Iterator[_Span]:
    """The spans in order, those that touch or overlap as one."""
    spans.sort()
    start, stop = spans[0]
    for begin, end in spans:
        if begin > stop:
            yield start, stop
            start = begin
        stop = max(stop, end)
    yield start, stop
