"""Header names, header values, keys and beta flags: what may stand in the head of a request.

Nothing that could end a header line or begin another one passes. No error quotes a value, and names only where
they are legal, because keys end up in the wrong argument now and then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sansio_claude._errors import LocalProtocolError
from sansio_claude._value import an

__all__ = ["check_headers", "check_key", "check_value", "is_secret", "merge_betas", "secret_values"]

_NAME: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # a token, RFC 9110 section 5.6.2
# RFC 9110 section 5.5 without obs-text: bytes beyond ASCII mean something else to every server.
_VALUE: Final = r"(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?"
# What frames the message or speaks of the connection is the exchange's to say (RFC 9110 section 7.6.1, RFC 9112).
_FRAMING: Final = frozenset(
    {
        "content-length",
        "expect",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# A header or query field with one of these in its name, the short ones as a word, is taken to hold a secret.
_SECRET: Final = (
    r"(?i)auth|key|token|secret|passw|cookie|credential|signature|(?<![a-z])(?:bearer|jwt|pwd|sas|sig)(?![a-z])"
)

_LEAST: Final = 8  # characters of a cookie's value that may be a secret; shorter ones are choices, such as "dark"


def check_value(value: object, where: str) -> str:
    """A header's value without the white space around it. `where` is what errors call it."""
    if not isinstance(value, str):
        raise LocalProtocolError(f"{where} has to be a str, not {an(type(value).__name__)}", path=where)
    text = str.__str__(value).strip(" \t")
    if re.fullmatch(_VALUE, text) is None:
        raise LocalProtocolError(
            f"{where} has a character that no header may carry: a line break, a control character or one beyond ASCII",
            path=where,
        )
    return text


def check_key(value: object, where: str) -> str:
    """A key without the white space around it, line breaks included: keys come from files. Any other text is a key."""
    text = check_value(value.strip() if isinstance(value, str) else value, where)
    if not text:
        raise LocalProtocolError(f"{where} is empty; leave it away to send none", path=where)
    return text


def check_headers(headers: Mapping[str, Any] | None, where: str) -> dict[str, str | None]:
    """Headers with names in lower case; of two that differ in case only, the later one. None stays None."""
    checked: dict[str, str | None] = {}
    if headers is not None and not isinstance(headers, Mapping):
        raise LocalProtocolError(f"{where} takes a mapping, not {type(headers).__name__}", path=where)
    for number, (name, value) in enumerate((headers or {}).items(), 1):
        if not isinstance(name, str) or re.fullmatch(_NAME, name) is None:
            raise LocalProtocolError(f"{where}: the name of header {number} is not a legal header name", path=where)
        key = name.lower()
        place = f"{where}.{key}"
        if key in _FRAMING:
            raise LocalProtocolError(f"{place}: this header belongs to the connection; the library sets it", path=place)
        checked[key] = None if value is None else check_value(value, place)
    return checked


def merge_betas(*given: str | Iterable[str] | None) -> tuple[str, ...]:
    """Beta flags of several places as one list without doubles, in order of first mention.

    A str is taken as the comma-separated list that the header has. Raises LocalProtocolError for what is no flag.
    """
    merged: dict[str, None] = {}
    for flags in given:
        what: object = flags
        if not isinstance(what, Iterable | None):
            raise LocalProtocolError(f"betas takes a list of flags, not {an(type(what).__name__)}", path="betas")
        for flag in (flags,) if isinstance(flags, str) else flags or ():
            if not isinstance(flag, str):
                raise LocalProtocolError(f"a beta flag has to be a str, not {an(type(flag).__name__)}", path="betas")
            for part in str.__str__(flag).split(","):
                name = part.strip(" \t")
                if name and re.fullmatch(_NAME, name) is None:
                    raise LocalProtocolError("a beta flag has a character that the header cannot carry", path="betas")
                merged[name] = None
    merged.pop("", None)
    return tuple(merged)


def is_secret(name: str) -> bool:
    """Whether a header or query field of this name is taken to hold a secret."""
    return re.search(_SECRET, name) is not None


def secret_values(fields: Iterable[tuple[str, str | None]]) -> list[str]:
    """The values of the fields whose names say that they are secret; of `Scheme credentials` the latter as well, and
    of cookies each value that may be one: 8 characters or more."""
    found: list[str] = []
    for name, value in fields:
        if value and is_secret(name):
            scheme, _, credentials = value.partition(" ")
            found.append(value)
            if scheme.isalpha() and credentials.strip():
                found.append(credentials.strip())
            if "cookie" in name.lower():
                pairs = (pair.partition("=")[2].strip(' "') for pair in value.split(";"))
                found += [each for each in pairs if len(each) >= _LEAST]
    return found
