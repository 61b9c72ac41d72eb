"""APIError and its kinds: a legal answer that says no, and which kind one is.

`refusal` makes the error of a whole answer (status, headers, body), `api_error` that of a parsed value, inside a
stream or not. The rules by which a kind is chosen:

- A type that says what is wrong decides first: those of the API, and what gateways write for them.
- Then a code of a gateway that means a rate limit or an overload, as text or as number.
- Then a status from 400 to 499, then any other code, then the other statuses; else it is an APIError.
- `api_error` and `timeout_error` say little: they are ServerError inside a stream and under 5xx, and under a status
  from 400 to 499 the status decides.
- What definitely stays wrong is never retryable, under any status; only the server's own word on it
  (`x-should-retry`) says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from sansio_claude._errors.classes import ClaudeError, LocalProtocolError

if TYPE_CHECKING:
    from sansio_claude._errors.rate_limits import RateLimits
    from sansio_claude._message.message import Message

__all__ = [
    "APIError",
    "AuthenticationError",
    "BillingError",
    "ConflictError",
    "InvalidRequestError",
    "NotFoundError",
    "OverloadedError",
    "PermissionDeniedError",
    "Phase",
    "RateLimitError",
    "RequestTooLargeError",
    "ServerError",
    "api_error",
    "may_be_repeated",
    "refusal",
]

Phase: TypeAlias = Literal["before_stream", "before_output", "after_output"]


class APIError(ClaudeError):
    """A legal answer that says no, before the stream or inside it.

    `type` is the error's type as the server wrote it ("overloaded_error"; None where it wrote none), `code` its finer
    word (`code`, or `error_code` in the details; None without one), `status` the HTTP status as received (200 inside
    a stream), `error_message` the server's own words ("" where it had none), `details` its `details` (of a gateway
    also `metadata`), `retryable` whether the same request may succeed later, `phase` whether anything had been
    produced yet, `body` the raw error body (bounded by `Limits.error_body`), `retry_after` the seconds the server
    asked to wait, `rate_limits` what its headers say about limits (None where they say nothing), `partial` the
    message as far as it had come.
    """

    def __init__(
        self,
        message: str = "",
        *,
        type: str | None = None,  # noqa: A002 - the API's own name
        code: str | None = None,
        status: int = 0,
        error_message: str = "",
        details: Any = None,
        request_id: str | None = None,
        retryable: bool = False,
        phase: Phase = "before_stream",
        partial: Message | None = None,
        body: bytes = b"",
        retry_after: float | None = None,
        rate_limits: RateLimits | None = None,
    ) -> None:
        super().__init__(message)
        self.type = type
        self.code = code
        self.status = status
        self.error_message = error_message
        self.details = details
        self.request_id = request_id
        self.retryable = retryable
        self.phase: Phase = phase
        self.partial = partial
        self.body = body
        self.retry_after = retry_after
        self.rate_limits = rate_limits

    def _shown(self) -> str:
        """The text that an error of a server has, made of its attributes; long words are cut here and nowhere before.

        So secrets are taken out of the attributes first, and then the text is made anew: in a text that is cut in
        the middle of a secret nobody finds it any more.
        """
        text = self.error_message
        words = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
        where = "in the stream" if self.status == 200 and self.phase != "before_stream" else f"HTTP {self.status}"
        if self.request_id:
            where += f", request {self.request_id:.100}"
        return f"{self.type or 'error':.100}: {words or 'the answer has no message'} ({where})"

    @classmethod
    def from_response(
        cls, status: int, headers: Any, body: bytes | bytearray | memoryview | str | None, *, now: float | None = None
    ) -> APIError:
        """The right error of an answer that says no, as any HTTP library hands it over.

        `status` is the HTTP status; `headers` a mapping, any object with `items()`, or pairs (str or bytes);
        `body` the whole body, decompressed (a gzip body is decompressed here). `now` is the time of day in seconds
        since 1970, for a Retry-After header that names a date; without it the answer's own Date header is used, and
        without that such a date gives no `retry_after`. The body may be JSON in any shape, an HTML page, an event
        stream, plain text or empty; the first 64 KiB are kept in `.body`.

        Returns an object of the class that type, code and status ask for (one of the subclasses, or APIError itself),
        whatever class this is called on. Raises LocalProtocolError for a status that is no int, a body that is neither
        bytes nor str, and a `now` that is no finite number, and nothing for whatever the server sent. Linear in the
        size of the body.
        """
        from sansio_claude._errors.headers import header_dict

        if not isinstance(status, int) or isinstance(status, bool):
            raise LocalProtocolError(f"the status of an answer is an int, not {status!r:.40}", path="status")
        data: object = body.encode("utf-8", "replace") if isinstance(body, str) else b"" if body is None else body
        if not isinstance(data, bytes | bytearray | memoryview):
            words = f"the body of an answer is bytes, not {type(body).__name__}: give the bytes as they were received"
            raise LocalProtocolError(words, path="body")
        if now is not None and not (isinstance(now, int | float) and type(now) is not bool and abs(now) < _FARTHEST):
            raise LocalProtocolError("now is the time of day in seconds since 1970: a finite number", path="now")
        return refusal(int(status), header_dict(headers), bytes(data), wall=lambda: now)


class InvalidRequestError(APIError):
    """400 or `invalid_request_error`: the request is wrong; sending it again will not help."""


class AuthenticationError(APIError):
    """401 or `authentication_error`: the key is missing or not accepted."""


class BillingError(APIError):
    """402 or `billing_error`: nothing is paid for."""


class PermissionDeniedError(APIError):
    """403 or `permission_error`: the key may not do that."""


class NotFoundError(APIError):
    """404 or `not_found_error`: usually an unknown model or a wrong address."""


class ConflictError(APIError):
    """409 or `conflict_error`."""


class RequestTooLargeError(APIError):
    """413 or `request_too_large`."""


class RateLimitError(APIError):
    """429 or `rate_limit_error`, or what a gateway writes for it."""


class OverloadedError(APIError):
    """529 or `overloaded_error`, also in the middle of a stream."""


class ServerError(APIError):
    """Any other 5xx; `api_error` or `timeout_error` where no other status says more."""


_DEFINITE: Final = frozenset(
    {
        *(InvalidRequestError, AuthenticationError, BillingError, PermissionDeniedError, NotFoundError),
        RequestTooLargeError,
    }
)
_RATES: Final = frozenset({RateLimitError, OverloadedError})
# Types and codes, in snake case, without "_error" or "_exception" at the end: those of the API, then what gateways
# and other servers write for them.
_WORDS: Final[Mapping[type[APIError], str]] = {
    InvalidRequestError: "invalid_request bad_request validation invalid_argument unprocessable_entity 400 422",
    AuthenticationError: "authentication unauthorized unauthenticated invalid_api_key 401",
    BillingError: "billing payment_required insufficient_balance 402",
    PermissionDeniedError: "permission permission_denied forbidden access_denied 403",
    NotFoundError: "not_found model_not_found resource_not_found 404",
    ConflictError: "conflict 409",
    RequestTooLargeError: "request_too_large payload_too_large 413",
    RateLimitError: "rate_limit rate_limit_exceeded rate_limited rate_limit_reached too_many_requests throttling "
    "throttled resource_exhausted 429 1302 1303 1305",
    OverloadedError: "overloaded server_overloaded engine_overloaded model_overloaded 529",
    ServerError: "api timeout internal internal_server server service_unavailable unavailable bad_gateway "
    "gateway_timeout upstream deadline_exceeded 500 502 503 504",
}
_BY_WORD: Final[Mapping[str, type[APIError]]] = {word: cls for cls, words in _WORDS.items() for word in words.split()}
_BY_STATUS: Final[Mapping[int, type[APIError]]] = {
    **{int(word): cls for word, cls in _BY_WORD.items() if len(word) == 3 and word.isdigit()},
}
_RETRYABLE_STATUSES: Final = frozenset({408, 409, 429})
# Answered like a rate limit, but waiting does not help: a spend cap, a used-up balance.
_SPENT: Final = frozenset({"enforced_spend_limit_reached", "contract_spend_limit_reached", "insufficient_quota"})
_FARTHEST: Final = 1e12  # seconds since 1970 that may be the time of day: some 30,000 years
_SHOWN: Final = 500  # characters of the server's words in str(); .error_message has all of them
_MOST_BODY: Final = 64 * 1024  # bytes, as the default of Limits.error_body


def _meaning(word: str | None) -> type[APIError] | None:
    """The class that a type or a code stands for, however it is spelled; None where it says nothing known."""
    if not word or len(word) > 60:
        return None
    if not word.isupper():
        word = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word)
    word = re.sub(r"[^a-z0-9]+", "_", word.lower())
    return _BY_WORD.get(re.sub(r"_(?:error|exception)$", "", word))


def _judge(kind: str | None, code: str | None, status: int) -> tuple[type[APIError], bool]:
    """The class of an error, and whether its type or its code decided that rather than the status."""
    by_type, by_code, by_status = _meaning(kind), _meaning(code), _BY_STATUS.get(status)
    if by_type is not None and by_type is not ServerError:
        return by_type, True
    if by_code in _RATES:
        return by_code or APIError, True
    if 400 <= status < 500:
        # A time-out says no more than 408, and no less.
        return by_status or (ServerError if status == 408 and by_type is ServerError else APIError), False
    if by_code is not None and by_code is not ServerError:
        return by_code, True
    if status >= 500:
        return by_status or ServerError, False
    return (by_type or by_code or APIError), True


def may_be_repeated(kind: str | None, code: str | None, status: int, told: bool | None) -> bool:
    """Whether the same request may succeed later; `told` is what the server says of it (`should_retry`)."""
    cls, by_words = _judge(kind, code, status)
    if kind in _SPENT or code in _SPENT:
        return False
    if told is not None:
        return told
    if by_words and cls is not APIError:
        return cls not in _DEFINITE
    return status in _RETRYABLE_STATUSES or status >= 500


def api_error(
    payload: Any,
    *,
    status: int,
    body: bytes = b"",
    request_id: str | None = None,
    retry_after: float | None = None,
    should_retry: bool | None = None,
    phase: Phase = "before_stream",
    partial: Message | None = None,
    rate_limits: RateLimits | None = None,
    words: str = "",
) -> APIError:
    """Make the right APIError of a parsed error body (`payload`: any JSON value, a str of words, or None).

    `words` go before the server's own. Never raises, whatever the payload.
    """
    from sansio_claude._errors.error_object import read_error

    found = read_error(payload).mended()
    cls, _ = _judge(found.type, found.code, status)
    text = f"{words}; the server says: {found.words}" if words and found.words else words or found.words
    error = cls(
        type=found.type,
        code=found.code,
        status=status,
        error_message=text,
        details=found.details,
        request_id=request_id or found.request_id,
        retryable=may_be_repeated(found.type, found.code, status, should_retry),
        phase=phase,
        partial=partial,
        body=body,
        retry_after=retry_after,
        rate_limits=rate_limits,
    )
    error.args = (error._shown(),)
    return error


def refusal(
    status: int, headers: Mapping[str, str], body: bytes, *, wall: Callable[[], float | None], value: Any = None
) -> APIError:
    """The error of a whole answer. `headers` have names in lower case; `wall` gives the time of day, or None.

    `value` is what the body was parsed to, where that has been done.
    """
    from sansio_claude._errors import headers as told
    from sansio_claude._errors.bodies import body_value
    from sansio_claude._errors.rate_limits import rate_limits
    from sansio_claude._errors.redirect import redirect_words

    words = ""
    if value is None:
        value = body_value(body, headers.get("content-type"))
    if 300 <= status < 400:
        words = redirect_words(headers.get("location"))
        value = value if isinstance(value, dict) else None  # a page that says no more than this does
    return api_error(
        value,
        status=status,
        body=body[:_MOST_BODY],
        request_id=told.request_id(headers.get),
        retry_after=told.retry_after(headers.get, wall),
        should_retry=told.should_retry(headers.get),
        rate_limits=rate_limits(headers),
        words=words,
    )
