"""Proxies: which one for which host, and the CONNECT exchange with it (RFC 9110 section 9.3.6).

Rules:

- Everything goes through a tunnel, requests to http addresses too, so that a proxy is told a host name and a port.
  What goes through the tunnel of a request to an https address it cannot read; of one to an http address it can read
  all, so `_connect.route` lets that pass with `allow_http=True` only.
- A proxy given as one address serves every host. Given as a mapping of environment variables: `https_proxy` for
  https addresses, `http_proxy` for http ones, else `all_proxy`, unless `no_proxy` names the host. Lower-case names
  come before upper-case ones, except that an upper-case HTTP_PROXY is not read at all: in a CGI program a client's
  `Proxy:` header would set it. An empty variable counts as absent.
- `no_proxy` is a list with commas or spaces: `*`, host names (which also mean everything below them, with or without
  a leading dot or `*.`, international ones too), addresses, networks like 10.0.0.0/8, each with a `:port` if only that
  port is meant.
- `http://` is an HTTP proxy, `socks5://`, `socks5h://` and `socks://` are a SOCKS5 proxy; the three mean the same, the
  proxy resolves the name. TLS to the proxy itself and SOCKS4 are refused with a sentence that says so.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

import attrs

from sansio_claude._connect.address import parse_address
from sansio_claude._copies import NotCopied
from sansio_claude._errors import LocalProtocolError, ProxyError
from sansio_claude._percent import percent_decode
from sansio_claude._value import an

if TYPE_CHECKING:
    from sansio_claude._connect.socks import SocksExchange
    from sansio_claude._limits import Limits

__all__ = ["ConnectExchange", "Proxy", "parse_proxy", "proxy_for"]

# Compiled when they are needed, which is seldom: compiling takes as long as half a class.
_STATUS: Final = rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?"
_FIELD: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*"
_END: Final = re.compile(rb"\r?\n\r?\n")
_PORTS: Final = {"http": 80, "socks5": 1080}  # where an address names none
_SOCKS: Final = frozenset({"socks", "socks5", "socks5h"})
_LONGEST: Final = 255  # bytes of a user or a password for SOCKS (RFC 1929 section 2)


@attrs.define(frozen=True, kw_only=True)
class Proxy:
    """A proxy: where it is, what it speaks, and the credentials for it. `Proxy.parse(url)` makes one."""

    host: str
    """Its name or number; an IPv6 number has no brackets here."""
    port: int
    """Its TCP port."""
    kind: Literal["http", "socks5"] = "http"
    """What it speaks: HTTP's CONNECT, or SOCKS5."""
    authorization: bytes | None = attrs.field(default=None, repr=False)
    """The value of Proxy-Authorization, for an HTTP proxy."""
    username: bytes | None = attrs.field(default=None, repr=False)
    """For a SOCKS proxy that asks for it; None where the address has none."""
    password: bytes | None = attrs.field(default=None, repr=False)
    """For a SOCKS proxy that asks for it; None where the address has none."""
    secrets: tuple[str, ...] = attrs.field(default=(), repr=False)
    """Strings that no error or log may show."""

    @classmethod
    def parse(cls, url: str) -> Proxy:
        """The proxy at `url`, such as "http://user:password@host:3128" or "socks5://host:1080".

        The scheme may be missing (http); without a port it is 80 for http and 1080 for SOCKS. Raises
        LocalProtocolError for anything else, without quoting the address, which may have a password in it.
        """
        return parse_proxy(url)

    @property
    def place(self) -> str:
        """Host and port, as errors name them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def exchange(self, host: str, port: int, *, limits: Limits) -> ConnectExchange | SocksExchange:
        """The state machine that asks the proxy for a connection to `host` and `port`."""
        if self.kind == "socks5":
            from sansio_claude._connect.socks import SocksExchange  # fewer still have one of these

            return SocksExchange(self, host, port)
        return ConnectExchange(self, host, port, limits=limits)


def parse_proxy(url: str, *, name: str = "proxy") -> Proxy:
    """The proxy at `url`; `name` is what errors call the setting. See `Proxy.parse`."""
    if not isinstance(url, str):
        raise LocalProtocolError(
            f"{name} has to be the address of a proxy or a mapping of variables, not {type(url).__name__}", path=name
        )
    scheme, colon, rest = url.strip().rpartition("://")
    scheme = scheme.lower() if colon else "http"
    kind: Literal["http", "socks5"] = "socks5" if scheme in _SOCKS else "http"
    if scheme.startswith("socks4"):
        raise LocalProtocolError(
            f"{name}: SOCKS4 is not supported; write socks5://host:port for a SOCKS5 proxy, or http://host:port"
        )
    if scheme == "https":
        raise LocalProtocolError(
            f"{name}: TLS to the proxy itself is not supported; write http://host:port "
            "(https requests are tunnelled through it and stay encrypted from end to end)"
        )
    if scheme != "http" and kind == "http":
        raise LocalProtocolError(f"{name}: only http and socks5 proxies are supported; write http://host:port")
    userinfo, at, place = rest.rpartition("@")
    authority = re.split("[/?#]", place, maxsplit=1)[0]
    if re.search(r":[0-9]*$", authority.rpartition("]")[2]) is None:
        place = f"{authority}:{_PORTS[kind]}{place[len(authority) :]}"
    try:
        address = parse_address(f"http://{place}")
    except LocalProtocolError as error:
        raise LocalProtocolError(f"{name}: {error.message}; write {kind}://host:port") from None
    proxy = Proxy(host=address.host, port=address.port, kind=kind)
    return _with_credentials(proxy, userinfo, name) if at else proxy


def _with_credentials(proxy: Proxy, userinfo: str, name: str) -> Proxy:
    user, _, written = userinfo.partition(":")
    username, password = percent_decode(user), percent_decode(written)
    basic = binascii.b2a_base64(username + b":" + password, newline=False)
    secrets = [basic.decode(), password.decode("utf-8", "replace"), written]
    if not password:  # a token instead of a user
        secrets += [username.decode("utf-8", "replace"), user]
    known = tuple(dict.fromkeys(secret for secret in secrets if secret))
    if proxy.kind == "http":
        return attrs.evolve(proxy, authorization=b"Basic " + basic, secrets=known)
    if not username or len(username) > _LONGEST or len(password) > _LONGEST:
        raise LocalProtocolError(f"{name}: the user for a SOCKS proxy has 1 to 255 bytes, the password up to 255")
    return attrs.evolve(proxy, username=username, password=password, secrets=known)


def proxy_for(proxy: str | Mapping[str, str] | None, *, host: str, port: int, tls: bool) -> Proxy | None:
    """The proxy that a connection to `host` and `port` goes through, None for none.

    `proxy` is the address of one, or a mapping of environment variables, usually `os.environ`.
    """
    if proxy is None:
        return None
    if not isinstance(proxy, Mapping):
        return parse_proxy(proxy)
    names = ["https_proxy", "HTTPS_PROXY"] if tls else ["http_proxy"]
    for name in (*names, "all_proxy", "ALL_PROXY"):
        if value := _variable(proxy, name):
            excluded = _variable(proxy, "no_proxy") or _variable(proxy, "NO_PROXY")
            return None if _excluded(excluded, host, port) else parse_proxy(value, name=name)
    return None


def _variable(environ: Mapping[str, str], name: str) -> str:
    """The value of a variable without the white space around it, "" where it is not set."""
    value: object = environ.get(name)
    if value is not None and not isinstance(value, str):
        raise LocalProtocolError(f"{name} in proxy has to be a str, not {an(type(value).__name__)}", path=name)
    return (value or "").strip()


def _excluded(rules: str, host: str, port: int) -> bool:
    host = host.lower().rstrip(".").strip("[]")
    return any(_matches(rule, host, port) for rule in re.split(r"[,\s]+", rules.lower()) if rule)


def _matches(rule: str, host: str, port: int) -> bool:
    if rule == "*":
        return True
    # A port, unless the colons are those of an IPv6 address without brackets.
    if match := re.fullmatch(r"(\[[^]]*\]|[^:]*):([0-9]{1,5})", rule):
        if int(match[2]) != port:
            return False
        rule = match[1]
    rule = re.sub(r"[][]", "", rule).removeprefix("*").strip(".")
    if not rule.isascii():
        try:
            rule = rule.encode("idna").decode("ascii")  # as `parse_address` writes the host
        except UnicodeError:
            return False
    if not rule:
        return False
    if host == rule or host.endswith("." + rule):
        return True
    return _in_network(rule, host)


def _in_network(rule: str, host: str) -> bool:
    import ipaddress  # 3 ms, needed by few

    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(rule, strict=False)
    except ValueError:
        return False


class ConnectExchange(NotCopied):
    """One CONNECT request and the proxy's answer to it.

    `data_to_send()` gives the request once. Once `done` is True the tunnel is open; a byte behind the head of the
    answer then is an error, for nobody has spoken to the server yet. `receive_data` and `receive_eof` raise
    nothing; whatever went wrong is `error`, a ProxyError, and `passing` says whether it may be otherwise a little
    later. Linear in the bytes received.
    """

    __slots__ = ("_buffer", "_informational", "_limits", "_proxy", "_target", "_to_send", "done", "error", "passing")
    _instead = "it belongs to one connection: make another one"

    def __init__(self, proxy: Proxy, host: str, port: int, *, limits: Limits) -> None:
        name = f"[{host}]" if ":" in host else host
        self._target = f"{name}:{port}"
        self._proxy = f"the proxy {proxy.place}"
        self._limits = limits
        self._buffer = bytearray()
        self._informational = 0
        self.done: bool = False
        self.error: ProxyError | None = None
        self.passing: bool = False
        """Whether the same request may succeed a little later."""
        lines = [f"CONNECT {self._target} HTTP/1.1".encode("ascii"), f"Host: {self._target}".encode("ascii")]
        if proxy.authorization is not None:
            lines.append(b"Proxy-Authorization: " + proxy.authorization)
        self._to_send = b"\r\n".join([*lines, b"", b""])

    def data_to_send(self) -> bytes:
        """The request, the first time; b"" afterwards."""
        data, self._to_send = self._to_send, b""
        return data

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes of the proxy's answer."""
        if self.error is not None:
            return
        # Only what is new is searched, and the three bytes that an end could begin in.
        start = max(0, len(self._buffer) - 3)
        self._buffer += data
        while not self.done and self.error is None:
            # First of all, so that the words do not depend on how many bytes came at once.
            if not b"HTTP/1.".startswith(bytes(self._buffer[:7])):
                self._fail(f"{self._proxy} does not answer in HTTP: what came is not HTTP/1.x")
                return
            match = _END.search(self._buffer, start)
            if (match.end() if match else len(self._buffer)) > self._limits.head:
                self._fail(f"{self._proxy} answered with a head of more than {self._limits.head} bytes")
                return
            if match is None:
                return
            head = bytes(self._buffer[: match.start()])
            del self._buffer[: match.end()]
            start = 0
            self._head(head)
        if self._buffer and self.error is None:
            self._fail(f"{self._proxy} sent bytes before anything was asked of {self._target}")

    def receive_eof(self) -> None:
        """The proxy closed the connection."""
        if not self.done and self.error is None:
            self._fail(f"{self._proxy} closed the connection instead of opening a tunnel to {self._target}")
            self.passing = True

    def _head(self, head: bytes) -> None:
        first, *fields = head.replace(b"\r\n", b"\n").split(b"\n")
        match = re.fullmatch(_STATUS, first)
        if match is None or not all(re.fullmatch(_FIELD, field) for field in fields):
            self._fail(f"{self._proxy} answered with something that is not HTTP")
            return
        status = int(match[1])
        if 200 <= status < 300:
            self.done = True
        elif status == 407:
            words = "asks for credentials, or does not accept them: write http://user:password@host:port"
            self._fail(f"{self._proxy} {words} (HTTP 407)", status)
        elif status >= 200 or status == 101:
            self._fail(f"{self._proxy} would not open a tunnel to {self._target} (HTTP {status})", status)
        else:
            self._informational += 1
            if self._informational > self._limits.informational:
                limit = self._limits.informational
                self._fail(f"{self._proxy} sent more than {limit} informational answers")

    def _fail(self, words: str, status: int | None = None) -> None:
        self.passing = status is not None and (status in (408, 429) or status >= 500)
        self.error = ProxyError(words, status=status)
