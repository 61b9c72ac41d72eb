"""Endpoint: address, key, version and beta flags, and from them the head of each request.

The one place that composes a request head. `Endpoint.request_head(request)` gives host, port, TLS, target and every
header; `request` is a MessageRequest or one of the small calls of `_request`. Rules:

- A header that two places give is the later one's: endpoint, then client, then request. `anthropic-beta` is never
  replaced but merged, without doubles, in that order.
- A header of the value None is not sent at all.
- What frames the message (Host apart: Content-Length, Transfer-Encoding and the like) belongs to the exchange and
  is refused.
- Nothing that could end a header line gets into one: keys, flags, names and values are checked, and no error quotes
  them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, Protocol, Self, TypeAlias

import attrs

from sansio_claude._address import Address, parse_address
from sansio_claude._errors import LocalProtocolError

__all__ = ["DEFAULT_BASE_URL", "DEFAULT_VERSION", "Auth", "Endpoint", "RequestHead", "Sendable"]

DEFAULT_BASE_URL: Final = "https://api.anthropic.com"
DEFAULT_VERSION: Final = "2023-06-01"
USER_AGENT: Final = "sansio-claude/0.1.0"

Auth: TypeAlias = Literal["x-api-key", "bearer", "both", "none"]
Headers: TypeAlias = Mapping[str, str | None]

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
_VISIBLE: Final = re.compile(
    r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?"
)  # RFC 9110 section 5.5, without obs-text
_FRAMING: Final = frozenset(
    {
        "content-length",
        "expect",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "proxy-connection",
    }
)
# Headers and query fields whose values are taken for secrets: these words in the name.
_SECRET_WORDS: Final = re.compile(r"auth|key|token|secret|passw|cookie|credential|signature", re.IGNORECASE)


class Sendable(Protocol):
    """What the endpoint needs to know of a request: MessageRequest and the small calls have it."""

    @property
    def method(self) -> bytes:
        """b"POST" or b"GET"."""
        ...

    @property
    def resource(self) -> str:
        """Below the API's root: "messages", "messages/count_tokens", "models" or "models/ID" (ID percent-encoded)."""
        ...

    @property
    def query(self) -> str:
        """What is added to the address's query, encoded, without "?"; "" for nothing."""
        ...

    @property
    def betas(self) -> Sequence[str] | None:
        """Beta flags of this request."""
        ...

    @property
    def headers(self) -> Mapping[str, str | None]:
        """Headers of this request; None takes one away."""
        ...


@attrs.define(frozen=True, kw_only=True)
class RequestHead:
    """Everything of one request but its body: where to connect and what to write first."""

    method: bytes
    host: str
    """For connecting, the TLS server name and the pool's key; an IPv6 number has no brackets here."""
    port: int
    tls: bool
    target: bytes = attrs.field(repr=False)
    """Path and query, the request target in origin form."""
    headers: tuple[tuple[bytes, bytes], ...] = attrs.field(repr=False)
    """Names in lower case, Host first. Content-Length is not among them."""
    secrets: tuple[str, ...] = attrs.field(repr=False)
    """Strings of this head that no error or log may show."""

    def get(self, name: str) -> str | None:
        """The value of a header, None where it is not sent."""
        wanted = name.lower().encode("latin-1", "replace")
        return next((value.decode("latin-1") for key, value in self.headers if key == wanted), None)


@attrs.define(frozen=True, kw_only=True)
class Endpoint:
    """Where the API is and how to sign in to it. Make one with `from_base_url`, `from_messages_url` or `from_env`.

    Options of all three, keyword-only:

    - `api_key`: sent as `x-api-key`; `auth_token`: sent as `Authorization: Bearer`; both may be given. White space
      around them is dropped, as it comes from files.
    - `auth`: how `api_key` is sent: "x-api-key" (default), "bearer", "both", or "none" to send no key at all, for
      gateways that take headers of their own (`headers=`).
    - `version`: the value of `anthropic-version`, "2023-06-01" unless given; "2026-10-21" is the other one known.
    - `betas`: flags for every request, merged with the client's and the request's.
    - `headers`: headers for every request. A name given here replaces the library's own header of that name.
    - `allow_http`: allow an http address that is not this machine; the key then goes over the network in the clear.

    The key is never part of `str()`, `repr()` or an error. Two endpoints of the same settings are equal.
    """

    address: Address
    """The messages address, in parts."""
    version: str = DEFAULT_VERSION
    betas: tuple[str, ...] = ()
    headers: tuple[tuple[str, str | None], ...] = attrs.field(default=(), repr=False)
    """Own headers, names in lower case."""
    _api_key: str | None = attrs.field(default=None, repr=False)
    _bearer: str | None = attrs.field(default=None, repr=False)

    @classmethod
    def from_base_url(
        cls,
        url: str = DEFAULT_BASE_URL,
        *,
        api_key: str | None = None,
        auth_token: str | None = None,
        auth: Auth | None = None,
        version: str = DEFAULT_VERSION,
        betas: Sequence[str] = (),
        headers: Headers | None = None,
        allow_http: bool = False,
    ) -> Self:
        """An endpoint at a base address, to which `/v1/messages` is appended.

        Only `/messages` is appended to a path that ends in `/v1`. A query stays at the end of the whole. A path
        that already ends in `/messages` raises LocalProtocolError: that is what `from_messages_url` is for.
        """
        base = parse_address(url)
        path = base.path.rstrip("/")
        if path.endswith("/messages"):
            raise LocalProtocolError(
                "the base address already ends in /messages; use Endpoint.from_messages_url(...) for a whole "
                "messages address, or leave /messages away",
                path="url",
            )
        path += "/messages" if path.endswith("/v1") else "/v1/messages"
        return cls._make(
            attrs.evolve(base, path=path), api_key, auth_token, auth, version, betas, headers, allow_http
        )

    @classmethod
    def from_messages_url(
        cls,
        url: str,
        *,
        api_key: str | None = None,
        auth_token: str | None = None,
        auth: Auth | None = None,
        version: str = DEFAULT_VERSION,
        betas: Sequence[str] = (),
        headers: Headers | None = None,
        allow_http: bool = False,
    ) -> Self:
        """An endpoint at a whole messages address, which is used as it stands, its query included."""
        return cls._make(parse_address(url), api_key, auth_token, auth, version, betas, headers, allow_http)

    @classmethod
    def from_env(
        cls,
        environ: Mapping[str, str],
        *,
        auth: Auth | None = None,
        version: str = DEFAULT_VERSION,
        betas: Sequence[str] = (),
        headers: Headers | None = None,
        allow_http: bool = False,
    ) -> Self:
        """An endpoint from ANTHROPIC_API_KEY, ANTHROPIC_AUTH_TOKEN and ANTHROPIC_BASE_URL of `environ`.

        `environ` is any mapping, usually `os.environ`; an empty variable counts as absent. The address is
        https://api.anthropic.com unless given, and a base address (see `from_base_url`). Raises LocalProtocolError
        where there is neither key nor token, unless `auth="none"` or a header given here stands in for them.
        """
        api_key = environ.get("ANTHROPIC_API_KEY", "").strip() or None
        auth_token = environ.get("ANTHROPIC_AUTH_TOKEN", "").strip() or None
        url = environ.get("ANTHROPIC_BASE_URL", "").strip() or DEFAULT_BASE_URL
        signed = any(_SECRET_WORDS.search(name) for name in headers or ())
        if api_key is None and auth_token is None and auth != "none" and not signed:
            raise LocalProtocolError(
                "there is no key: set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN), or make the endpoint with "
                "Endpoint.from_base_url(url, api_key=...)"
            )
        return cls.from_base_url(
            url,
            api_key=api_key,
            auth_token=auth_token,
            auth=auth,
            version=version,
            betas=betas,
            headers=headers,
            allow_http=allow_http,
        )

    @classmethod
    def _make(
        cls,
        address: Address,
        api_key: str | None,
        auth_token: str | None,
        auth: Auth | None,
        version: str,
        betas: Sequence[str],
        headers: Headers | None,
        allow_http: bool,
    ) -> Self:
        if not address.tls and not allow_http and not address.loopback:
            raise LocalProtocolError(
                "the address is http and not this machine, so the key and every prompt would cross the network "
                "unprotected; use https, or pass allow_http=True if that is meant",
                path="url",
            )
        key = None if api_key is None else _key(api_key, "api_key")
        token = None if auth_token is None else _key(auth_token, "auth_token")
        if auth not in (None, "x-api-key", "bearer", "both", "none"):
            raise LocalProtocolError('auth has to be "x-api-key", "bearer", "both" or "none"', path="auth")
        if auth in ("bearer", "both") and token is None:
            token = key
        if auth == "both" and key is None:
            key = token
        if auth == "bearer":
            key = None
        if auth == "x-api-key" and key is None:
            key = token
        if auth == "x-api-key":
            token = None
        if auth == "none":
            key = token = None
        return cls(
            address=address,
            version=_value(version, "version"),
            betas=merge_betas(betas),
            headers=tuple(check_headers(headers or {}, "headers").items()),
            api_key=key,
            bearer=token,
        )

    @property
    def url(self) -> str:
        """The messages address."""
        return self.address.url

    @property
    def scheme(self) -> str:
        """ "https" or "http"."""
        return self.address.scheme

    @property
    def host(self) -> str:
        """The host to connect to, lower-case ASCII; an IPv6 number without brackets."""
        return self.address.host

    @property
    def port(self) -> int:
        """The port to connect to."""
        return self.address.port

    @property
    def target(self) -> str:
        """The request target of the messages address: path and query."""
        return self.address.target

    @property
    def secrets(self) -> tuple[str, ...]:
        """Strings that nothing shown to people may contain: keys, and own headers and query fields that look like them."""
        found = [value for value in (self._api_key, self._bearer) if value is not None]
        found += secret_values(self.headers)
        for field in (self.address.query or "").split("&"):
            name, _, value = field.partition("=")
            if value and _SECRET_WORDS.search(name):
                found.append(value)
        return tuple(dict.fromkeys(found))

    def request_head(
        self, request: Sendable, *, betas: Sequence[str] | None = (), headers: Headers | None = None
    ) -> RequestHead:
        """The head of `request` at this endpoint. `betas` and `headers` are the client's, between ours and its own.

        Raises LocalProtocolError for flags, names and values that cannot stand in a header.
        """
        address = self._address_of(request)
        flags = [*self.betas, *merge_betas(betas)]
        own = [
            dict(self.headers),
            check_headers(headers or {}, "headers"),
            check_headers(request.headers, "extra_headers"),
        ]
        for given in own:
            flags += merge_betas(given.pop("anthropic-beta", None) or ())
        flags += merge_betas(request.betas)
        composed: dict[str, str | None] = {
            "host": address.authority,
            "user-agent": USER_AGENT,
            # What every gateway knows from the official SDK, streaming or not; the body says whether to stream.
            "accept": "application/json",
            # Compression would make events wait for each other, and there is little to win on small pieces.
            "accept-encoding": "identity",
            "content-type": "application/json" if request.method == b"POST" else None,
            "x-api-key": self._api_key,
            "authorization": None if self._bearer is None else f"Bearer {self._bearer}",
            "anthropic-version": self.version,
            "anthropic-beta": ",".join(dict.fromkeys(flags)) or None,
        }
        for given in own:
            composed.update(given)
        return RequestHead(
            method=request.method,
            host=address.host,
            port=address.port,
            tls=address.tls,
            target=address.target.encode("ascii"),
            headers=tuple(
                (name.encode("ascii"), value.encode("ascii"))
                for name, value in composed.items()
                if value is not None
            ),
            secrets=tuple(dict.fromkeys((*self.secrets, *secret_values(composed.items())))),
        )

    def _address_of(self, request: Sendable) -> Address:
        path, query = self.address.path, self.address.query
        if request.resource != "messages":
            root = path.rstrip("/").removesuffix("/messages")
            if root == path.rstrip("/"):
                raise LocalProtocolError(
                    f"the messages address does not end in /messages, so the address of {request.resource!r} "
                    "cannot be told from it; make another endpoint with from_base_url",
                    path="url",
                )
            path = f"{root}/{request.resource}"
        if request.query:
            query = f"{query}&{request.query}" if query else request.query
        return attrs.evolve(self.address, path=path, query=query)


def merge_betas(flags: Iterable[str] | None) -> tuple[str, ...]:
    """Beta flags without doubles, in order. A str is taken as a comma-separated list, as the header has it."""
    if flags is None:
        return ()
    merged: dict[str, None] = {}
    for flag in (flags,) if isinstance(flags, str) else flags:
        if not isinstance(flag, str):
            raise LocalProtocolError(
                f"a beta flag has to be a str, not a {type(flag).__name__}", path="betas"
            )
        for part in flag.split(","):
            name = part.strip(" \t")
            if name and _TOKEN.fullmatch(name) is None:
                raise LocalProtocolError(
                    "a beta flag has a character that no header list may have", path="betas"
                )
            if name:
                merged[name] = None
    return tuple(merged)


def check_headers(headers: Mapping[str, Any], where: str) -> dict[str, str | None]:
    """The headers with lower-case names, each checked; `where` names the argument in errors."""
    checked: dict[str, str | None] = {}
    for number, (name, value) in enumerate(headers.items(), 1):
        if not isinstance(name, str) or _TOKEN.fullmatch(name) is None:
            raise LocalProtocolError(
                f"{where}: the name of header {number} is not a legal header name", path=where
            )
        key = name.lower()
        if key in _FRAMING:
            raise LocalProtocolError(
                f"{where}.{key}: this header belongs to the connection and is set by the library",
                path=f"{where}.{key}",
            )
        checked[key] = None if value is None else _value(value, f"{where}.{key}")
    return checked


def secret_values(headers: Iterable[tuple[str, str | None]]) -> list[str]:
    """The values of the headers whose name says that they are secret; of `Scheme credentials` the latter too."""
    found: list[str] = []
    for name, value in headers:
        if value and _SECRET_WORDS.search(name):
            found.append(value)
            scheme, _, rest = value.partition(" ")
            if rest and scheme.isalpha():
                found.append(rest.strip())
    return found


def _value(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise LocalProtocolError(f"{where} has to be a str, not a {type(value).__name__}", path=where)
    text = value.strip(" \t")
    if text and _VISIBLE.fullmatch(text) is None:
        raise LocalProtocolError(
            f"{where} has a character that no header may carry (line breaks, control characters, anything not ASCII)",
            path=where,
        )
    return text


def _key(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise LocalProtocolError(f"{where} has to be a str, not a {type(value).__name__}", path=where)
    text = value.strip(" \t\r\n")
    if not text:
        raise LocalProtocolError(f"{where} is empty; leave it away to send none", path=where)
    return _value(text, where)
