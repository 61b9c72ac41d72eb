"""Proxies: which one for which host, and the CONNECT exchange with it (RFC 9110 section 9.3.6).

Rules:

- Everything goes through a tunnel, requests to http addresses too, so that a proxy sees a host name and no more
  than the network would.
- A proxy given as one address serves every host. Given as a mapping of environment variables: `https_proxy` for
  https addresses, `http_proxy` for http ones, else `all_proxy`, unless `no_proxy` names the host. Lower-case names
  come before upper-case ones, except that an upper-case HTTP_PROXY is not read at all: in a CGI program a client's
  `Proxy:` header would set it. An empty variable counts as absent.
- `no_proxy` is a list with commas or spaces: `*`, host names (which also mean everything below them, with or without
  a leading dot or `*.`), addresses, networks like 10.0.0.0/8, each with a `:port` if only that port is meant.
- Only http proxies. SOCKS and TLS to the proxy itself are refused with a sentence that says so.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from typing import Final

import attrs

from sansio_claude._connect.address import parse_address
from sansio_claude._errors import LocalProtocolError, ProxyError
from sansio_claude._limits import Limits

__all__ = ["ConnectExchange", "Proxy", "parse_proxy", "proxy_for"]

# Compiled when they are needed, which is seldom: compiling takes as long as half a class.
_STATUS: Final = rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?"
_FIELD: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*"
_END: Final = re.compile(rb"\r?\n\r?\n")


@attrs.define(frozen=True, kw_only=True)
class Proxy:
    """An HTTP proxy: where it is, and the credentials for it."""

    host: str
    port: int
    authorization: bytes | None = attrs.field(default=None, repr=False)
    """The value of Proxy-Authorization."""
    secrets: tuple[str, ...] = attrs.field(default=(), repr=False)
    """Strings that no error or log may show."""


def parse_proxy(url: str, *, name: str = "proxy") -> Proxy:
    """The proxy at `url`: `http://[user[:password]@]host[:port]`, the scheme may be missing, the port is 80 then.

    Raises LocalProtocolError for anything else; `name` is how it calls the setting. It never quotes the address,
    which may have a password in it.
    """
    scheme, colon, rest = url.strip().rpartition("://")
    scheme = scheme.lower() if colon else "http"
    if scheme.startswith("socks"):
        raise LocalProtocolError(f"{name}: SOCKS proxies are not supported; use an HTTP proxy (http://host:port)")
    if scheme == "https":
        raise LocalProtocolError(
            f"{name}: TLS to the proxy itself is not supported; write http://host:port "
            "(https requests are tunnelled through it and stay encrypted from end to end)"
        )
    if scheme != "http":
        raise LocalProtocolError(f"{name}: only http proxies are supported; write http://host:port")
    userinfo, at, place = rest.rpartition("@")
    try:
        address = parse_address(f"http://{place}")
    except LocalProtocolError as error:
        raise LocalProtocolError(f"{name}: {error.message}; write http://host:port") from None
    if not at:
        return Proxy(host=address.host, port=address.port)
    user, _, password = userinfo.partition(":")
    plain = _unquote(password)
    credentials = binascii.b2a_base64(_unquote(user) + b":" + plain, newline=False)
    secrets = (credentials.decode(), plain.decode("utf-8", "replace"), password)
    return Proxy(
        host=address.host,
        port=address.port,
        authorization=b"Basic " + credentials,
        secrets=tuple(dict.fromkeys(secret for secret in secrets if secret)),
    )


def _unquote(text: str) -> bytes:
    """Percent-encoding undone."""
    raw = text.encode("utf-8", "surrogateescape")
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes((int(match[1], 16),)), raw)


def proxy_for(proxy: str | Mapping[str, str] | None, *, host: str, port: int, tls: bool) -> Proxy | None:
    """The proxy that a connection to `host` and `port` goes through, None for none.

    `proxy` is the address of one, or a mapping of environment variables, usually `os.environ`.
    """
    if proxy is None:
        return None
    if isinstance(proxy, str):
        return parse_proxy(proxy)
    names = ["https_proxy", "HTTPS_PROXY"] if tls else ["http_proxy"]
    for name in (*names, "all_proxy", "ALL_PROXY"):
        if value := proxy.get(name, "").strip():
            excluded = proxy.get("no_proxy") or proxy.get("NO_PROXY") or ""
            return None if _excluded(excluded, host, port) else parse_proxy(value, name=name)
    return None


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
    rule = rule.strip("[]").removeprefix("*").lstrip(".").rstrip(".")
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


class ConnectExchange:
    """One CONNECT request and the proxy's answer to it.

    `data_to_send()` gives the request once. Once `done` is True the tunnel is open; a byte behind the head of the
    answer then is an error, for nobody has spoken to the server yet. `receive_data` and `receive_eof` raise
    nothing; whatever went wrong is `error`, a ProxyError.
    """

    __slots__ = ("_buffer", "_informational", "_limits", "_proxy", "_target", "_to_send", "done", "error")

    def __init__(self, proxy: Proxy, host: str, port: int, *, limits: Limits) -> None:
        name = f"[{host}]" if ":" in host else host
        self._target = f"{name}:{port}"
        self._proxy = f"the proxy {proxy.host}:{proxy.port}"
        self._limits = limits
        self._buffer = bytearray()
        self._informational = 0
        self.done = False
        self.error: ProxyError | None = None
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
            match = _END.search(self._buffer, start)
            if (match.end() if match else len(self._buffer)) > self._limits.head:
                self._fail(f"{self._proxy} answered with a head of more than {self._limits.head} bytes")
                return
            if match is None:
                if not b"HTTP/1.".startswith(bytes(self._buffer[:7])):
                    self._fail(f"{self._proxy} does not answer in HTTP")
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
        self._buffer.clear()
        self.error = ProxyError(words, status=status)
