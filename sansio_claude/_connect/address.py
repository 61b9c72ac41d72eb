"""An http or https address, taken apart strictly (RFC 3986) so that what is sent is what was written.

Nothing is guessed and nothing is repaired: spaces, control characters, backslashes, fragments and user names are
refused with words. No message quotes the address itself, because people put keys into addresses.
"""

from __future__ import annotations

import re
from typing import Final

import attrs

from sansio_claude._errors import LocalProtocolError
from sansio_claude._value import FrozenValue

__all__ = ["IN_CLEAR", "Address", "is_loopback", "is_number", "parse_address"]

_PORTS: Final = {"http": 80, "https": 443}
IN_CLEAR: Final = (
    "the address is http and not this machine, so key and prompts would cross the network in clear; use https, or pass "
    "allow_http=True if that is meant"
)
"""The words for plain http to another machine."""

_SHAPE: Final = r"(?s)([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?"
_AUTHORITY: Final = r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]*))?"
_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
# RFC 3986 pchar, "/" and "?", with % only in front of two hex digits.
_PATH: Final = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*"
# Where IDNA 2003 (the standard library's) and IDNA 2008 (browsers') lead to different hosts.
_DEVIATING: Final = frozenset("ßẞς\u200c\u200d")


def _refuse(words: str) -> LocalProtocolError:
    return LocalProtocolError(words, path="url")


@attrs.define(frozen=True, eq=False, repr=False)
class Address(FrozenValue):
    """The parts of one address. `host` is lower-case ASCII, an IPv6 one without brackets; `query` None where absent."""

    scheme: str
    host: str
    port: int
    path: str
    query: str | None = attrs.field(default=None, repr=False)

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """Host and port as the Host header carries them (RFC 9110 section 7.2): the default port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def target(self) -> str:
        """Path and query: the request target in origin form (RFC 9112 section 3.2.1)."""
        path = self.path or "/"
        return path if self.query is None else f"{path}?{self.query}"

    @property
    def url(self) -> str:
        """The whole address again."""
        return f"{self.scheme}://{self.authority}{self.target}"

    @property
    def loopback(self) -> bool:
        """Whether the host is this machine, by name or number (RFC 6761 section 6.3, RFC 1122, RFC 4291).

        Of a name that is what it means; where it leads to, the resolver says.
        """
        name = self.host.removesuffix(".")
        return name == "localhost" or name.endswith(".localhost") or is_loopback(self.host)

    @property
    def number(self) -> bool:
        """Whether the host is an IP address, so that there is nothing to look up."""
        return is_number(self.host)


def is_number(host: str) -> bool:
    """Whether a host of an `Address` is an IP address: `parse_address` lets only whole ones pass."""
    return ":" in host or host.replace(".", "").isdigit()


def is_loopback(host: str) -> bool:
    """Whether a host is the number of this machine, written for IPv4, IPv6 or IPv4 within IPv6."""
    if not is_number(host):
        return False
    # Not at the top: most addresses are names, and the module costs as much as half of this package.
    from ipaddress import IPv6Address, ip_address

    number = ip_address(host)
    if isinstance(number, IPv6Address) and number.ipv4_mapped is not None:
        number = number.ipv4_mapped
    return number.is_loopback


def parse_address(url: str) -> Address:
    """Take an http or https address apart.

    White space around it is dropped, as it comes from files and variables. Raises LocalProtocolError, with words
    and without quoting, for anything else that is not a legal address, for user names in it and for fragments.
    """
    if not isinstance(url, str):
        # Mostly a variable that was not set.
        raise _refuse(f"the address has to be a str, not {type(url).__name__}")
    text = url.strip(" \t\r\n")
    if not text:
        raise _refuse("the address is empty")
    for position, character in enumerate(text, 1):
        if character <= " " or character in "\\\x7f":
            name = "a space" if character == " " else f"the character U+{ord(character):04X}"
            raise _refuse(f"the address has {name} at position {position}, which no address may have")
    found = re.fullmatch(_SHAPE, text)
    if found is None:
        raise _refuse("the address has no scheme: it has to start with https://")
    scheme, authority, path, query, fragment = found.groups()
    scheme = scheme.lower()
    if scheme not in _PORTS:
        raise _refuse("the address has to start with https:// (or http://); other schemes are not spoken here")
    if fragment is not None:
        raise _refuse("the address has a fragment (#...), which is never sent; remove it")
    if "@" in authority:
        raise _refuse(
            "the address has a user name or password in it; remove it and give the key as api_key= or auth_token="
        )
    parts = re.fullmatch(_AUTHORITY, authority)
    if parts is None:
        raise _refuse("the address has no legal host and port; an IPv6 host has to stand in brackets")
    host, digits = parts.groups()
    port = int(digits) if digits and len(digits) <= 5 else 0
    if digits and not 0 < port < 65536:
        raise _refuse("the port of the address is not a number from 1 to 65535")
    query = None if query is None else query[1:]
    for name, part in (("path", path), ("query", query or "")):
        end = re.match(_PATH, part)
        if end is None or end.end() != len(part):
            at = end.end() + 1 if end is not None else 1
            raise _refuse(
                f"the {name} of the address has an illegal character at position {at} of the {name}; percent-encode it"
            )
    return Address(scheme, _host(host), port or _PORTS[scheme], path, query)


def _host(text: str) -> str:
    """The host as it goes into DNS and the Host header."""
    if not text:
        raise _refuse("the address has no host")
    if text.startswith("["):
        return _ipv6(text[1:-1])
    if not text.isascii():
        text = _idna(text)
    host = text.lower()
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or not all(re.fullmatch(_LABEL, label) for label in labels):
        raise _refuse("the host of the address is not a host name: letters, digits, hyphens and dots")
    if labels[-1].isdigit() or labels[-1].startswith("0x"):
        # "127.1" and "0x7f.1" mean an address to some resolvers and a name to others, so only the plain form passes.
        if len(labels) != 4 or not all(_octet(label) for label in labels) or host.endswith("."):
            raise _refuse("the host of the address is a number but not four of them from 0 to 255 with dots between")
    return host


def _octet(label: str) -> bool:
    return label.isdigit() and len(label) <= 3 and str(int(label)) == label and int(label) < 256


def _ipv6(text: str) -> str:
    from ipaddress import IPv6Address

    try:
        number = IPv6Address(text)
    except ValueError:
        number = None
    if number is None or number.scope_id is not None:
        raise _refuse("the host in brackets is not an IPv6 address (zone ids cannot be sent)")
    return number.compressed


def _idna(text: str) -> str:
    if not _DEVIATING.isdisjoint(text):
        raise _refuse("the host of the address is written differently by different standards; give its xn-- form")
    try:
        return text.encode("idna").decode("ascii")
    except UnicodeError:
        raise _refuse("the host of the address is not a legal international name; give its xn-- form") from None
