"""The syntax of HTTP header and trailer fields, and what is wrong with a section of them, in words.

The rules are those of RFC 9110 section 5 as h11 enforces them: a token, a colon with nothing before it, a value
without NUL, CR, VT or FF; folded lines are joined; Content-Length is one number of at most 20 digits, however often
it is given; Transfer-Encoding is `chunked`, given once. The tests hold this equal to h11 on good and hostile bytes.

Two modules need it: trailers are judged here alone, and for a head that h11 refuses the words come from here, because
h11's own words quote the peer's bytes, in which a server may have echoed a key. Time is linear in the section.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["field_refusal", "has_stray_control", "request_refusal"]

# Compiled when they are needed, which is seldom: compiling takes as long as half a class.
_FIELD: Final = rb"([-!#$%&'*+.^_`|~0-9a-zA-Z]+):([^\x00\n\v\f\r]*)"
_NAME_THEN_SPACE: Final = rb"[-!#$%&'*+.^_`|~0-9a-zA-Z]+[ \t]+:"
_TOKEN: Final = rb"[-!#$%&'*+.^_`|~0-9a-zA-Z]+"
_TARGET: Final = rb"[\x21-\x7e]+"
_VALUE: Final = rb"(?:[^\x00\s](?:[^\x00\n\v\f\r]*[^\x00\s])?)?"
_DIGITS: Final = rb"[0-9]{1,20}"
_NUL: Final = 0
_VT: Final = 11
_FF: Final = 12


def has_stray_control(section: bytes) -> bool:
    """Is there a byte that no head may hold: NUL, VT, FF, or a CR that is not part of a CRLF?

    Asked before h11 sees a head: its expression for a field is quadratic where one of these follows a run of spaces
    (64 KiB took 16 seconds), and linear where there is none. Five scans at the speed of memchr.
    """
    # As numbers: to look for a bytes in a bytes, CPython first raises and drops an exception.
    return _NUL in section or _VT in section or _FF in section or section.count(b"\r") != section.count(b"\r\n")


def field_refusal(lines: list[bytes], first: int = 1) -> tuple[str, bytes] | None:
    """What is wrong with these field lines (without their line ends): words and the line, or None.

    The words name the line by its number, counted from `first`, and never quote it.
    """
    folded: list[tuple[int, bytes | bytearray]] = []
    for number, line in enumerate(lines, first):
        if not line.startswith((b" ", b"\t")):
            folded.append((number, line))
            continue
        if not folded:
            return f"line {number} begins with a space and there is no field before it to continue", line
        # RFC 9112 section 5.2: a folded line continues the value before it. Appended in place, or ten thousand
        # folds of one field would be copied ten thousand times.
        last = folded[-1][1]
        if not isinstance(last, bytearray):
            last = bytearray(last)
            folded[-1] = (folded[-1][0], last)
        last += b" " + line.lstrip(b" \t")
    lengths: set[bytes] = set()
    coded = False
    for number, whole in folded:
        match = re.fullmatch(_FIELD, whole)
        if match is None:
            return _what_is_wrong(number, bytes(whole)), bytes(whole)
        name, value = match[1].lower(), match[2].strip(b" \t")
        if name == b"content-length":
            lengths |= {part.strip() for part in value.split(b",")}
            if len(lengths) != 1:
                return "there are several Content-Length values and they differ", bytes(whole)
            if not all(re.fullmatch(_DIGITS, length) for length in lengths):
                return "Content-Length is not a number of 1 to 20 digits", bytes(whole)
        elif name == b"transfer-encoding":
            if coded:
                return "Transfer-Encoding is given more than once", bytes(whole)
            if value.lower() != b"chunked":
                return "Transfer-Encoding is something other than chunked", bytes(whole)
            coded = True
    return None


def _what_is_wrong(number: int, line: bytes) -> str:
    if has_stray_control(line):
        return f"line {number} has a NUL or a stray control character"
    if b":" not in line:
        return f"line {number} has no colon"
    if re.match(_NAME_THEN_SPACE, line):
        return f"line {number} has a space before its colon"
    return f"line {number} has a field name that is not legal"


def request_refusal(method: bytes, target: bytes, headers: list[tuple[bytes, bytes]]) -> str:
    """What is wrong with a request that h11 refused, in words without any value: one may be a key."""
    if not re.fullmatch(_TOKEN, method):
        return "the method has a character that is not allowed"
    if not re.fullmatch(_TARGET, target):
        return "the target is empty or has a character that is not allowed (a space, a line break, no ASCII)"
    for number, (name, value) in enumerate(headers, 1):
        if not re.fullmatch(_TOKEN, name):
            return f"the name of header number {number} has a character that is not allowed"
        if not re.fullmatch(_VALUE, value):
            return (
                f"the value of the header {name.decode('ascii')} has a character that is not allowed: "
                f"a line break, a NUL, or white space at an end"
            )
    hosts = sum(name.lower() == b"host" for name, _ in headers)
    if hosts != 1:
        return f"it has {hosts} Host headers and needs one"
    return "Content-Length or Transfer-Encoding do not agree with the body, or with each other"
