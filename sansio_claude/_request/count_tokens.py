"""CountTokensRequest: how many tokens a request has, asked of the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import attrs

from sansio_claude._json import dumps
from sansio_claude._request.param import param_of
from sansio_claude._value import FrozenValue

if TYPE_CHECKING:
    from sansio_claude._request.request import MessageRequest

__all__ = ["CountTokensRequest"]

# What matters for an answer only, so that the counting call has no such parameter.
_NOT_COUNTED: Final = frozenset(
    {
        "container",
        "diagnostics",
        "fallback_credit_token",
        "fallbacks",
        "inference_geo",
        "max_tokens",
        "metadata",
        "service_tier",
        "stop_sequences",
        "stream",
        "temperature",
        "thread",
        "top_k",
        "top_p",
    }
)


@attrs.define(frozen=True, eq=False, repr=False)
class CountTokensRequest(FrozenValue):
    """`POST /v1/messages/count_tokens`: how many input tokens a request has. Its answer is a TokenCount."""

    request: MessageRequest
    """The request whose tokens are counted."""

    @property
    def method(self) -> bytes:
        """The HTTP method."""
        return b"POST"

    @property
    def resource(self) -> str:
        """What it is about, below the API's root."""
        return "messages/count_tokens"

    @property
    def query(self) -> str:
        """That of the request."""
        return self.request.query

    @property
    def betas(self) -> Sequence[str] | None:
        """Those of the request."""
        return self.request.betas

    @property
    def headers(self) -> dict[str, str | None]:
        """Those of the request."""
        return self.request.headers

    @property
    def secrets(self) -> tuple[str, ...]:
        """Those of the request."""
        return self.request.secrets

    def body(self, stream: bool | None = None) -> bytes:
        """The request's body without what counting has no parameter for; `stream` changes nothing. Raises like it."""
        counted = {name: value for name, value in self.request.given().items() if name not in _NOT_COUNTED}
        if self.request.extra_body:
            counted.update(self.request.extra_body)
        return dumps(counted, convert=param_of)
