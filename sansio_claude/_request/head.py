"""What a request is before it is written: the head with every header, and the whole of it for another HTTP library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

import attrs

from sansio_claude._http.headers import check_headers, secret_values
from sansio_claude._value import FrozenValue

__all__ = ["Headers", "RequestHead", "Requestable", "Sendable"]

Headers: TypeAlias = Mapping[str, str | None]


class Sendable(Protocol):
    """What an endpoint has to know of a request. MessageRequest and the small calls are such."""

    @property
    def method(self) -> bytes:
        """b"POST" or b"GET"."""
        ...

    @property
    def resource(self) -> str:
        """What it is about, below the API's root: "messages", "messages/count_tokens", "models", "models/ID"."""
        ...

    @property
    def query(self) -> str:
        """What it adds to the query of the address, percent-encoded; "" for nothing."""
        ...

    @property
    def betas(self) -> Sequence[str] | None:
        """Its beta flags."""
        ...

    @property
    def headers(self) -> Headers:
        """Its headers; None takes one away."""
        ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """Strings in its body that no error may show."""
        ...


class Requestable(Sendable, Protocol):
    """A request with its body: MessageRequest or one of the small calls."""

    def body(self, stream: bool | None = None) -> bytes:
        """The body as JSON; b"" for a GET."""
        ...


@attrs.define(frozen=True, kw_only=True, eq=False, repr=False)
class RequestHead(FrozenValue):
    """Everything of one request but its body: where to connect and what to write first."""

    method: bytes
    """b"POST" or b"GET"."""
    host: str
    """For connecting, for the TLS server name and as the pool's key; an IPv6 number has no brackets here."""
    port: int
    """The TCP port to connect to."""
    tls: bool
    """Whether the connection is encrypted (https)."""
    target: bytes = attrs.field(repr=False)
    """Path and query: the request target in origin form."""
    headers: tuple[tuple[bytes, bytes], ...] = attrs.field(repr=False)
    """Names in lower case, Host first. There is no Content-Length among them: the exchange knows the body."""
    secrets: tuple[str, ...] = attrs.field(repr=False)
    """The strings of endpoint, head and request that no error, repr or log may show."""

    def get(self, name: str) -> str | None:
        """The value of a header, None where it is not sent."""
        wanted = name.lower().encode("ascii", "replace")
        return next((value.decode("ascii") for key, value in self.headers if key == wanted), None)

    def signed(self, headers: Headers) -> RequestHead:
        """This head with further headers, in place of those of the same names; None takes one away.

        What of them is secret by its name is one of `secrets`. Raises LocalProtocolError for names and values that no
        header can carry, without quoting them.
        """
        given = check_headers(headers, "authorize")
        fields = {name: value for name, value in self.headers if name.decode("ascii") not in given}
        fields.update(
            (name.encode("ascii"), value.encode("ascii")) for name, value in given.items() if value is not None
        )
        secrets = tuple(dict.fromkeys((*self.secrets, *secret_values(given.items()))))
        return attrs.evolve(self, headers=tuple(fields.items()), secrets=secrets)
