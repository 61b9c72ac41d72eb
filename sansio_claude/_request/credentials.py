"""Credentials: keys and tokens, how they are sent, and where else in a request a secret may be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal, TypeAlias

from sansio_claude._errors import LocalProtocolError
from sansio_claude._http.headers import check_key, secret_values
from sansio_claude._percent import percent_decode

if TYPE_CHECKING:
    from sansio_claude._request.head import Headers, RequestHead

__all__ = [
    "Auth",
    "Token",
    "TokenSource",
    "api_key_of",
    "auth_token_of",
    "authorizer",
    "bearer",
    "query_secrets",
    "sign",
]

Auth: TypeAlias = Literal["x-api-key", "bearer", "both", "none"]
TokenSource: TypeAlias = Callable[[], str | Awaitable[str]]
"""Gives the token that is good now, at once or when it is awaited."""
Token: TypeAlias = str | TokenSource


def api_key_of(value: str | None) -> str | None:
    """A key, checked."""
    return None if value is None else check_key(value, "api_key")


def auth_token_of(value: Token | None) -> Token | None:
    """A token, checked; what gives one is asked when a request is made."""
    return value if value is None or callable(value) else check_key(value, "auth_token")


def bearer(token: object) -> dict[str, str]:
    """The header that carries a token which was just given. Raises LocalProtocolError for what no header can carry."""
    return {"authorization": f"Bearer {check_key(token, 'auth_token')}"}


def authorizer(token: Token | None) -> Callable[[RequestHead, bytes], Headers | Awaitable[Headers]] | None:
    """What signs requests with the tokens that a function gives; None for a token that stands."""
    if not callable(token):
        return None
    source = token

    def authorize(head: RequestHead, body: bytes) -> Headers | Awaitable[Headers]:
        if head.get("authorization") is not None:
            return {}  # the caller's own header goes before
        given = source()
        return _awaited(given) if isinstance(given, Awaitable) else bearer(given)

    return authorize


async def _awaited(given: Awaitable[str]) -> Headers:
    return bearer(await given)


def query_secrets(query: str | None) -> list[str]:
    """The values of those fields of a query whose names say that they are keys, as they stand and decoded."""
    fields = (field.partition("=") for field in (query or "").split("&"))
    found: list[str] = []
    for value in secret_values((name, value) for name, _, value in fields):
        found += [value, percent_decode(value.replace("+", " ")).decode("utf-8", "replace")]
    return list(dict.fromkeys(found))


def sign(api_key: str | None, auth_token: Token | None, auth: Auth | None) -> tuple[str | None, Token | None]:
    """What goes into x-api-key and into Authorization. Raises LocalProtocolError for a way that there is not."""
    if callable(auth_token) and auth in ("x-api-key", "both") and api_key is None:
        raise LocalProtocolError(
            "auth_token is a function, whose tokens are sent as Authorization: Bearer; leave auth away", path="auth"
        )
    match auth:
        case None:
            return api_key, auth_token
        case "x-api-key":
            return (api_key if api_key is not None else _text(auth_token)), None
        case "bearer":
            return None, auth_token if auth_token is not None else api_key
        case "both":
            return (
                api_key if api_key is not None else _text(auth_token),
                auth_token if auth_token is not None else api_key,
            )
        case "none":
            return None, None
        case _:
            raise LocalProtocolError('auth has to be "x-api-key", "bearer", "both" or "none"', path="auth")


def _text(token: Token | None) -> str | None:
    return None if callable(token) else token
