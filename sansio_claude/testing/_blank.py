"""Takes secrets out of recorded bytes, in place: every byte of one becomes an `x`, so that lengths and reads stay.

A secret is found in every form in which errors are searched for it (`Redactor`); inside JSON strings also where it is
split over the strings of successive events (the deltas of a text, the fragments of a tool input), as it stands,
percent-encoded, escaped and in base64. For that the strings of the same key are strung together, once for each block
index and once over all of them, and unescaped, up to three times, since a tool input is JSON inside a JSON string.
Where bytes begin or end in the middle of a secret, its part is taken out if it is 8 bytes or longer.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, TypeAlias
from urllib.parse import quote

import attrs

from sansio_claude._redact import Redactor

__all__ = ["Forms", "blanked", "forms_of"]

_SHORTEST: Final = 4  # bytes; what is shorter is no secret, and taking it out would garble every text
_CUT: Final = 8  # bytes of a secret at the edge of what was recorded that are taken out too
_BLANK: Final = bytes(byte if byte in b"\r\n" else 120 for byte in range(256))
_LEVELS: Final = 3  # of JSON inside JSON
_STRING: Final = re.compile(rb'"([^"\\\r\n]*(?:\\.[^"\\\r\n]*)*)("?)')
_INDEX: Final = re.compile(rb'"index"\s*:\s*(-?[0-9]{1,9})')
_COLON: Final = re.compile(rb"\s*:")
_ESCAPE: Final = re.compile(
    rb"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([^u]))"
)
_SHORT: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}

Range: TypeAlias = tuple[int, int]
Piece: TypeAlias = Range  # where the inside of a JSON string stands


@attrs.define(frozen=True)
class Forms:
    """What is looked for."""

    split: list[bytes]
    """The ways in which the secrets may be written where they are split, the longest first."""
    redactor: Redactor


def forms_of(secrets: Iterable[str]) -> Forms:
    """What is looked for where these are the secrets."""
    secrets = tuple(secrets)
    forms: set[bytes] = set()
    for secret in secrets:
        raw = secret.encode("utf-8", "surrogatepass")
        if len(raw) >= _SHORTEST:
            forms |= {raw, quote(raw, safe="").encode(), *_base64_of(raw)}
    return Forms(sorted(forms, key=len, reverse=True), Redactor(secrets))


def _base64_of(raw: bytes) -> Iterator[bytes]:
    """How `raw` looks inside the base64 of a longer text, at each of the three places where it may begin."""
    for before in range(3):
        encoded = b64encode(b"\0" * before + raw)
        whole = (before + len(raw)) * 8 // 6  # characters that no byte behind it changes
        inside = encoded[(before * 8 + 5) // 6 : whole]
        if len(inside) >= _CUT:
            yield inside
            yield inside.translate(bytes.maketrans(b"+/", b"-_"))


def blanked(data: bytes, forms: Forms) -> bytes:
    """`data` with an `x` for each byte of a secret. Linear in its length for each form; the same object without any.

    Line ends inside of a secret stay, since they part events and lines.
    """
    if not forms.split or not data:
        return data
    result: bytearray | None = None
    found = (_hits(data, forms.split), _hits_in_strings(data, forms.split), forms.redactor.places(data))
    for start, end in chain.from_iterable(found):
        if result is None:
            result = bytearray(data)
        result[start:end] = data[start:end].translate(_BLANK)
    return data if result is None else bytes(result)


def _hits(text: bytes, forms: list[bytes]) -> Iterator[Range]:
    """Where secrets stand in this text, parts at its edges too."""
    for form in forms:
        at = text.find(form)
        while at >= 0:
            yield at, at + len(form)
            at = text.find(form, at + 1)
        most = min(len(form) - 1, len(text))
        for size in range(most, _CUT - 1, -1):
            if text.endswith(form[:size]):
                yield len(text) - size, len(text)
                break
        for size in range(most, _CUT - 1, -1):
            if text.startswith(form[-size:]):
                yield 0, size
                break


def _hits_in_strings(data: bytes, forms: list[bytes]) -> Iterator[Range]:
    for pieces in _strings_by_key(data).values():
        text = b"".join(data[start:end] for start, end in pieces)
        for level in range(1, _LEVELS + 1):
            escaped = b"\\" in text
            if escaped:
                text = _ESCAPE.sub(_unescaped, text)
            elif level > 1:
                break
            hits = list(_hits(text, forms))
            if hits:
                places = _places(data, pieces, level)
                yield from (place for start, end in hits for each in places[start:end] for place in each)


def _strings_by_key(data: bytes) -> dict[tuple[bytes, bytes], list[Piece]]:
    """The JSON strings that are values, in order, by block index and key, and by key alone."""
    found: dict[tuple[bytes, bytes], list[Piece]] = {}
    position = 0
    for line in data.splitlines(keepends=True):
        named = _INDEX.search(line)
        index = b"" if named is None else named[1]
        key = b""
        for match in _STRING.finditer(line):
            if match[2] and _COLON.match(line, match.end()):
                key = match[1]
                continue
            piece = (position + match.start(1), position + match.end(1))
            found.setdefault((b"*", key), []).append(piece)
            if index:
                found.setdefault((index, key), []).append(piece)
        position += len(line)
    return found


def _unescaped(match: re.Match[bytes]) -> bytes:
    high, low, single, short = match.groups()
    if short is not None:
        return _SHORT.get(short, short)
    if single is not None:
        return chr(int(single, 16)).encode("utf-8", "surrogatepass")
    return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00).encode()


def _places(data: bytes, pieces: list[Piece], level: int) -> list[tuple[Range, ...]]:
    """For each byte of the pieces strung together and unescaped `level` times: where in `data` it is written."""
    text = b"".join(data[start:end] for start, end in pieces)
    places: list[tuple[Range, ...]] = [((at, at + 1),) for start, end in pieces for at in range(start, end)]
    for _ in range(level):
        plain = 0
        unescaped = bytearray()
        moved: list[tuple[Range, ...]] = []
        for match in _ESCAPE.finditer(text):
            moved += places[plain : match.start()]
            unescaped += text[plain : match.start()]
            written = tuple(place for each in places[match.start() : match.end()] for place in each)
            character = _unescaped(match)
            moved += [written] * len(character)
            unescaped += character
            plain = match.end()
        places = moved + places[plain:]
        text = bytes(unescaped + text[plain:])
    return places
