"""Percent-encoding of text in an address (RFC 3986 section 2.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from sansio_claude._errors import LocalProtocolError

__all__ = ["encode_query", "percent_decode", "percent_encode"]

_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")  # RFC 3986


def percent_encode(text: str) -> str:
    """`text` as one piece of a path or query: everything but unreserved characters encoded, as UTF-8."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise LocalProtocolError("a part of the address has a lone surrogate, which UTF-8 cannot carry") from None
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in data)


def percent_decode(text: str) -> bytes:
    """What percent-encoded text stands for; a "%" without two hex digits behind it stays."""
    raw = text.encode("utf-8", "surrogateescape")
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes((int(match[1], 16),)), raw)


def encode_query(fields: Mapping[str, str] | None) -> str:
    """Names and values as a query, percent-encoded, without "?"."""
    for name, value in (fields or {}).items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise LocalProtocolError("names and values of a query have to be str", path="extra_query")
    return "&".join(f"{percent_encode(name)}={percent_encode(value)}" for name, value in (fields or {}).items())
