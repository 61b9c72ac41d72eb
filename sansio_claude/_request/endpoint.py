"""Endpoint: address, key, version and beta flags, and from them the head of each request.

The one place that composes a request head: `Endpoint.request_head(request)` gives host, port, TLS, target and every
header. `request` is a MessageRequest or one of the small calls. Rules:

- Of a header given in several places the later one counts: the library's, the endpoint's, the client's, the
  request's. `anthropic-beta` is never replaced: the flags of all four are merged in that order, without doubles.
- A header whose value is None is not sent.
- What frames the message (Content-Length, Transfer-Encoding and the like) is the exchange's to say, and refused.
- Nothing that could end a header line or a target gets into one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self

import attrs

from sansio_claude._connect.address import IN_CLEAR, Address, parse_address
from sansio_claude._errors import LocalProtocolError
from sansio_claude._http.headers import check_headers, check_key, is_secret, merge_betas, secret_values
from sansio_claude._request.credentials import Auth, Token, api_key_of, auth_token_of, bearer, query_secrets, sign
from sansio_claude._request.head import Headers, Requestable, RequestHead, Sendable
from sansio_claude._value import FrozenValue, an
from sansio_claude._version import __version__

if TYPE_CHECKING:
    from sansio_claude._request.prepared import PreparedRequest

__all__ = ["DEFAULT_BASE_URL", "DEFAULT_VERSION", "Auth", "Endpoint", "Headers", "RequestHead", "Sendable"]

DEFAULT_BASE_URL: Final = "https://api.anthropic.com"
DEFAULT_VERSION: Final = "2023-06-01"
USER_AGENT: Final = f"sansio-claude/{__version__}"


def _own(headers: Headers | tuple[tuple[str, str | None], ...] | None) -> tuple[tuple[str, str | None], ...]:
    # As pairs they come from another endpoint, by way of attrs.evolve.
    given = dict(headers) if isinstance(headers, tuple) else headers
    return tuple(check_headers(given, "headers").items())


def _check_address(endpoint: object, attribute: object, value: Address) -> None:
    given: object = value
    if not isinstance(given, Address):
        words = "Endpoint.address is an Address; Endpoint.from_base_url(...) or from_messages_url(...) makes one"
        raise LocalProtocolError(words, path="address")


def _version(value: str) -> str:
    return check_key(value, "version")


@attrs.define(frozen=True, kw_only=True, eq=False, repr=False)
class Endpoint(FrozenValue):
    """Where the API is and how to sign in. Made by `from_base_url`, `from_messages_url` and `from_env`.

    Options of these three, keyword-only:

    - `api_key`: sent as `x-api-key`. `auth_token`: sent as `Authorization: Bearer`. Both may be given. Any text is a
      key; white space and line breaks around it are dropped, as they come from files.
    - `auth_token` may be a function without arguments (on an event loop it may be async) that gives the token which is
      good now. It is asked once for each attempt, and once more where the API answers 401; when a token expires is
      its own business. What it raises reaches the caller as it is, but StopIteration and StopAsyncIteration, which mean
      an end to Python: a LocalProtocolError says so.
    - `auth`: how a single key is sent, whichever of the two it was given as: "x-api-key", "bearer" or "both"; or
      "none", to send none, for gateways that take a header of their own (`headers=`).
    - `version`: the value of `anthropic-version`: "2023-06-01" unless given, "2026-10-21" is the other one known.
    - `betas`: beta flags of every request, merged with the client's and the request's.
    - `headers`: headers of every request. One of the library's own is replaced by one of the same name, or taken
      away by None.
    - `allow_http`: take an http address that is not this machine. Key and prompts then cross the network in clear.

    All raise LocalProtocolError, with words that quote nothing, for what cannot be sent. No key is part of `str()`
    or `repr()`. Immutable, comparable, hashable; `attrs.evolve` makes a changed one.
    """

    address: Address = attrs.field(validator=_check_address)
    """The messages address, in parts."""
    version: str = attrs.field(default=DEFAULT_VERSION, converter=_version)
    betas: tuple[str, ...] = attrs.field(default=(), converter=merge_betas)
    headers: tuple[tuple[str, str | None], ...] = attrs.field(default=(), repr=False, converter=_own)
    """Own headers, names in lower case."""
    api_key: str | None = attrs.field(default=None, repr=False, converter=api_key_of)
    """What goes into `x-api-key`."""
    auth_token: Token | None = attrs.field(default=None, repr=False, converter=auth_token_of)
    """What goes into `Authorization`, behind "Bearer ", or the function that gives it."""
    allow_http: bool = False
    """Whether key and prompts may cross a network in clear, through a proxy too."""

    @classmethod
    def from_base_url(
        cls,
        url: str = DEFAULT_BASE_URL,
        *,
        api_key: str | None = None,
        auth_token: Token | None = None,
        auth: Auth | None = None,
        version: str = DEFAULT_VERSION,
        betas: Sequence[str] = (),
        headers: Headers | None = None,
        allow_http: bool = False,
    ) -> Self:
        """An endpoint at a base address, to which `/v1/messages` is appended.

        Only `/messages` is appended to a path that ends in `/v1`; a query stays at the end. A path that already ends
        in `/messages` is refused: that is what `from_messages_url` is for.
        """
        base = parse_address(url)
        path = base.path.rstrip("/")
        if path.endswith("/messages"):
            raise LocalProtocolError(
                "the base address already ends in /messages; use Endpoint.from_messages_url(...) for a whole messages "
                "address, or leave /messages away",
                path="url",
            )
        path += "/messages" if path.endswith("/v1") else "/v1/messages"
        address = _permitted(attrs.evolve(base, path=path), allow_http)
        key, token = sign(api_key, auth_token, auth)
        return cls(
            address=address,
            version=version,
            betas=betas,
            headers=headers,
            api_key=key,
            auth_token=token,
            allow_http=allow_http,
        )

    @classmethod
    def from_messages_url(
        cls,
        url: str,
        *,
        api_key: str | None = None,
        auth_token: Token | None = None,
        auth: Auth | None = None,
        version: str = DEFAULT_VERSION,
        betas: Sequence[str] = (),
        headers: Headers | None = None,
        allow_http: bool = False,
    ) -> Self:
        """An endpoint at a whole messages address, which is used as it stands, query included."""
        address = _permitted(parse_address(url), allow_http)
        key, token = sign(api_key, auth_token, auth)
        return cls(
            address=address,
            version=version,
            betas=betas,
            headers=headers,
            api_key=key,
            auth_token=token,
            allow_http=allow_http,
        )

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
        """An endpoint of ANTHROPIC_API_KEY, ANTHROPIC_AUTH_TOKEN and ANTHROPIC_BASE_URL in `environ`.

        `environ` is any mapping, mostly `os.environ`; an empty variable counts as absent. Without an address it is
        https://api.anthropic.com; one that is given is a base address. With neither key nor token it raises
        LocalProtocolError, unless `auth="none"` or one of `headers` signs in instead.
        """
        api_key, auth_token, url = (
            _variable(environ, name) for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL")
        )
        if not (api_key or auth_token or auth == "none" or any(map(is_secret, headers or ()))):
            raise LocalProtocolError(
                "there is no key: set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN), or make the endpoint with "
                "Endpoint.from_base_url(url, api_key=...)"
            )
        return cls.from_base_url(
            url or DEFAULT_BASE_URL,
            api_key=api_key,
            auth_token=auth_token,
            auth=auth,
            version=version,
            betas=betas,
            headers=headers,
            allow_http=allow_http,
        )

    @property
    def url(self) -> str:
        """The messages address."""
        return self.address.url

    @property
    def scheme(self) -> str:
        """The scheme, "https" or "http"."""
        return self.address.scheme

    @property
    def host(self) -> str:
        """The host to connect to, lower-case ASCII; an IPv6 number has no brackets here."""
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
        """What no error, repr or log may show: the keys, and own headers and query fields whose names say so."""
        found = [value for value in (self.api_key, self.auth_token) if isinstance(value, str)]
        found += secret_values(self.headers)
        found += query_secrets(self.address.query)
        return tuple(dict.fromkeys(found))

    def request_head(
        self, request: Sendable, *, betas: Sequence[str] | None = None, headers: Headers | None = None
    ) -> RequestHead:
        """The head of `request` at this endpoint. `betas` and `headers` are the client's, between ours and its own.

        Raises LocalProtocolError for flags, names and values that no header can carry, and for a small call whose
        address cannot be told from the messages address.
        """
        if not hasattr(request, "resource"):
            raise LocalProtocolError(
                f"the request is a MessageRequest or another of this library's, not {an(type(request).__name__)}: "
                "MessageRequest(...) takes the arguments, MessageRequest.from_dict() a body"
            )
        address = self._address_of(request)
        own = dict(self.headers)
        client = check_headers(headers, "headers")
        last = check_headers(request.headers, "extra_headers")
        flags = merge_betas(
            self.betas,
            own.pop("anthropic-beta", None),
            betas,
            client.pop("anthropic-beta", None),
            request.betas,
            last.pop("anthropic-beta", None),
        )
        fields: dict[str, str | None] = {
            "host": address.authority,
            "user-agent": USER_AGENT,
            # What every gateway knows from the official SDK, streaming or not: the body says whether to stream.
            "accept": "application/json",
            # A compressed stream makes events wait for each other, and there is little to win on small pieces.
            "accept-encoding": "identity",
            "content-type": "application/json" if request.method == b"POST" else None,
            "x-api-key": self.api_key,
            "authorization": f"Bearer {self.auth_token}" if isinstance(self.auth_token, str) else None,
            "anthropic-version": self.version,
            "anthropic-beta": ",".join(flags) or None,
            **own,
            **client,
            **last,
        }
        return RequestHead(
            method=request.method,
            host=address.host,
            port=address.port,
            tls=address.tls,
            target=address.target.encode("ascii"),
            headers=tuple(
                (name.encode("ascii"), value.encode("ascii")) for name, value in fields.items() if value is not None
            ),
            secrets=tuple(
                dict.fromkeys(
                    (
                        *self.secrets,
                        *secret_values(fields.items()),
                        *query_secrets(request.query),
                        *request.secrets,
                    )
                )
            ),
        )

    def prepare(
        self, request: Requestable, *, stream: bool | None = None, auth_token: str | None = None
    ) -> PreparedRequest:
        """The whole of `request` for another HTTP library. Nothing is sent and nothing is asked.

        `stream`: True asks for a stream, False for a whole answer, None leaves what the request says. `auth_token` is
        the token that is good now, needed where the endpoint has a function for it. Raises LocalProtocolError where
        `request_head` or the request's `body` does.
        """
        head = self.request_head(request)
        if auth_token is not None:
            head = head.signed(bearer(auth_token))
        elif callable(self.auth_token) and head.get("authorization") is None:
            raise LocalProtocolError(
                "the endpoint's token comes from a function, which is not asked here; pass the token as auth_token=",
                path="auth_token",
            )
        address = self._address_of(request)
        from sansio_claude._request.prepared import PreparedRequest  # for other HTTP libraries only

        return PreparedRequest(
            method=head.method.decode("ascii"),
            url=address.url,
            headers={name.decode("ascii"): value.decode("ascii") for name, value in head.headers if name != b"host"},
            content=request.body(stream),
        )

    def _address_of(self, request: Sendable) -> Address:
        path, query = self.address.path, self.address.query
        if request.resource != "messages":
            whole = path.rstrip("/")
            root = whole.removesuffix("/messages")
            if root == whole:
                raise LocalProtocolError(
                    "the messages address does not end in /messages, so it does not tell where "
                    f"/{request.resource.partition('/')[0]} is; make an endpoint for it with from_base_url",
                    path="url",
                )
            path = f"{root}/{request.resource}"
        if request.query:
            query = f"{query}&{request.query}" if query else request.query
        return attrs.evolve(self.address, path=path, query=query)


def _permitted(address: Address, allow_http: bool) -> Address:
    """Judged once more, with the proxy or the socket in between, when the way is known; see `_connect.route`."""
    if not (address.tls or allow_http or address.loopback):
        raise LocalProtocolError(IN_CLEAR, path="url")
    return address


def _variable(environ: Any, name: str) -> str | None:
    """The value of a variable; None where it is not set or empty."""
    if not isinstance(environ, Mapping):
        words = "give a mapping of variables, such as os.environ"
        raise LocalProtocolError(f"environ is {an(type(environ).__name__)}: {words}", path="environ")
    value = environ.get(name)
    if value is not None and not isinstance(value, str):
        raise LocalProtocolError(f"{name} in environ has to be a str, not {an(type(value).__name__)}", path=name)
    return (value or "").strip() or None
