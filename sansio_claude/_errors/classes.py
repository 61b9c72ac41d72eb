"""Every exception of the library. One root, data as attributes, the cause chained.

No exception here quotes a key or a prompt in its text. `excerpt` and `body` hold bytes that the peer sent, as
attributes only: they are shown by whoever asks for them, never by `str()` or `repr()`.
All of them can be pickled and copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from sansio_claude._message.message import Message

__all__ = [
    "APIError",
    "AuthenticationError",
    "BillingError",
    "ClaudeError",
    "ConflictError",
    "ConnectError",
    "Deadline",
    "DeadlineError",
    "InvalidRequestError",
    "LimitError",
    "LocalProtocolError",
    "NotFoundError",
    "OverloadedError",
    "PermissionDeniedError",
    "Phase",
    "ProxyError",
    "RateLimitError",
    "ReadError",
    "RemoteProtocolError",
    "RequestTooLargeError",
    "ServerError",
    "TLSError",
    "ToolError",
    "TransportError",
    "TruncatedError",
    "WriteError",
    "api_error",
]

Phase: TypeAlias = Literal["before_stream", "before_output", "after_output"]
Deadline: TypeAlias = Literal["pool", "connect", "tls", "write", "first_byte", "idle", "progress", "total"]
Stage: TypeAlias = Literal["wire", "exchange", "frames", "json", "events", "blocks", "stream", "message"]


class ClaudeError(Exception):
    """The root of every exception this library raises.

    `partial` is the message as far as it had arrived (None where nothing had), `request_id` the API's id of the
    request where the answer's head had come, `attempts` what was tried before this error (values of `Attempt`).
    """

    partial: Message | None = None
    request_id: str | None = None
    attempts: tuple[Any, ...] = ()

    def __init__(self, message: str = "") -> None:
        super().__init__(message)

    @property
    def message(self) -> str:
        """What happened, where, and what to do, in words."""
        return str(self.args[0]) if self.args else ""


class LocalProtocolError(ClaudeError):
    """You asked for something that is illegal here. A bug in the calling code; never retried.

    `path` names the place in the request where there is one, as in `messages[2].content[0].source.data`.
    """

    def __init__(self, message: str = "", *, path: str | None = None) -> None:
        super().__init__(message)
        self.path = path


class RemoteProtocolError(ClaudeError):
    """The bytes that came are not legal HTTP, SSE, JSON or event order.

    `stage` says at which of the eight stages from bytes to message the fault was seen: "wire", "exchange", "frames",
    "json", "events", "blocks", "stream" or "message". `excerpt` holds some of the offending bytes, `offset` how many
    bytes of the body came before the place (None where that is not known), `partial` the message so far. What
    `PartialJSON.final()` raises has the value so far as `partial` and the raw JSON text as `text` (else None).
    """

    text: str | None = None

    def __init__(
        self,
        message: str = "",
        *,
        stage: Stage = "wire",
        excerpt: bytes = b"",
        offset: int | None = None,
        partial: Message | None = None,
    ) -> None:
        super().__init__(message)
        self.stage: Stage = stage
        self.excerpt = excerpt
        self.offset = offset
        self.partial = partial


class TruncatedError(RemoteProtocolError):
    """The answer ended before it was whole: a stream without message_stop, a body shorter than it promised."""


class LimitError(RemoteProtocolError):
    """A size limit was passed. `limit` is the field of `Limits`, `value` what it was set to."""

    def __init__(
        self,
        message: str = "",
        *,
        limit: str = "",
        value: int = 0,
        stage: Stage = "wire",
        excerpt: bytes = b"",
        offset: int | None = None,
        partial: Message | None = None,
    ) -> None:
        super().__init__(message, stage=stage, excerpt=excerpt, offset=offset, partial=partial)
        self.limit = limit
        self.value = value


class APIError(ClaudeError):
    """A legal answer that says no, before the stream or inside it.

    `type` is the API's error type ("overloaded_error"; None where the body had none), `status` the HTTP status as
    received (200 inside a stream), `error_message` the server's own words, `details` its `details` value,
    `retryable` whether the same request may succeed later, `phase` whether anything had been produced yet,
    `body` the raw error body (bounded by `Limits.error_body`), `retry_after` the seconds the server asked to wait.
    """

    def __init__(
        self,
        message: str = "",
        *,
        type: str | None = None,  # noqa: A002 - the API's own name
        status: int = 0,
        error_message: str = "",
        details: Any = None,
        request_id: str | None = None,
        retryable: bool = False,
        phase: Phase = "before_stream",
        partial: Message | None = None,
        body: bytes = b"",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.type = type
        self.status = status
        self.error_message = error_message
        self.details = details
        self.request_id = request_id
        self.retryable = retryable
        self.phase: Phase = phase
        self.partial = partial
        self.body = body
        self.retry_after = retry_after

    def shown(self) -> str:
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


class InvalidRequestError(APIError):
    """400 or `invalid_request_error`: the request is wrong; sending it again will not help."""


class AuthenticationError(APIError):
    """401 or `authentication_error`: the key is missing or not accepted."""


class BillingError(APIError):
    """402 or `billing_error`."""


class PermissionDeniedError(APIError):
    """403 or `permission_error`."""


class NotFoundError(APIError):
    """404 or `not_found_error`: usually an unknown model or a wrong address."""


class ConflictError(APIError):
    """409 or `conflict_error`."""


class RequestTooLargeError(APIError):
    """413 or `request_too_large`."""


class RateLimitError(APIError):
    """429 or `rate_limit_error`."""


class OverloadedError(APIError):
    """529 or `overloaded_error`, also in the middle of a stream."""


class ServerError(APIError):
    """Any other 5xx, `api_error` or `timeout_error`."""


class TransportError(ClaudeError):
    """The connection failed. The runtime's own exception, where there is one, is the `__cause__`."""

    def __init__(self, message: str = "", *, partial: Message | None = None) -> None:
        super().__init__(message)
        self.partial = partial


class ConnectError(TransportError):
    """No connection could be made: name not found, refused, unreachable."""


class TLSError(TransportError):
    """The TLS handshake failed, or its bytes were broken later."""


class ProxyError(TransportError):
    """The proxy would not or could not make the connection. `status` is what it answered, where it did."""

    def __init__(self, message: str = "", *, status: int | None = None, partial: Message | None = None) -> None:
        super().__init__(message, partial=partial)
        self.status = status


class ReadError(TransportError):
    """The connection broke while the answer was awaited or read (reset, network down)."""


class WriteError(TransportError):
    """The connection broke while the request was written."""


class DeadlineError(TransportError, TimeoutError):
    """A wait took longer than allowed. `deadline` says which of `Timeouts`, `seconds` its setting."""

    def __init__(
        self,
        message: str = "",
        *,
        deadline: Deadline = "total",
        seconds: float | None = None,
        partial: Message | None = None,
    ) -> None:
        super().__init__(message, partial=partial)
        self.deadline: Deadline = deadline
        self.seconds = seconds


class ToolError(ClaudeError):
    """Raised by a tool to give the model an error result with exactly this text (or these content blocks)."""

    def __init__(self, message: str = "", *, content: Any = None) -> None:
        super().__init__(message)
        self.content = content


_BY_TYPE: Final[Mapping[str, type[APIError]]] = {
    "invalid_request_error": InvalidRequestError,
    "authentication_error": AuthenticationError,
    "billing_error": BillingError,
    "permission_error": PermissionDeniedError,
    "not_found_error": NotFoundError,
    "conflict_error": ConflictError,
    "request_too_large": RequestTooLargeError,
    "rate_limit_error": RateLimitError,
    "overloaded_error": OverloadedError,
    "api_error": ServerError,
    "timeout_error": ServerError,
}
_BY_STATUS: Final[Mapping[int, type[APIError]]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    402: BillingError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: RequestTooLargeError,
    422: InvalidRequestError,
    429: RateLimitError,
    529: OverloadedError,
}
_RETRYABLE_TYPES: Final = frozenset(
    {"conflict_error", "rate_limit_error", "overloaded_error", "api_error", "timeout_error"}
)
_RETRYABLE_STATUSES: Final = frozenset({408, 409, 429})
# A spend cap is answered like a rate limit but does not recover by waiting.
_SPEND_CAPS: Final = frozenset({"enforced_spend_limit_reached", "contract_spend_limit_reached"})
_SHOWN: Final = 500  # characters of the server's words in str(); .error_message has all of them


def _words(payload: Any) -> tuple[str | None, str, Any]:
    """The error type, the message and the details in any of the shapes that servers and gateways send."""
    if isinstance(payload, list) and len(payload) == 1:  # Vertex wraps its error in a list
        payload = payload[0]
    if not isinstance(payload, dict):
        return None, payload if isinstance(payload, str) else "", None
    error: Any = payload.get("error", payload)
    if isinstance(error, str):
        return None, error, None
    if not isinstance(error, dict):
        return None, "", None
    inner: Any = error.get("error")
    if isinstance(inner, dict) and not _text_in(error):  # a gateway's envelope around the API's
        error = inner
    kind: Any = error.get("type")
    if kind == "error":  # the envelope itself, without an `error` inside
        kind = None
    return kind if isinstance(kind, str) and kind else None, _text_in(error), error.get("details")


def _text_in(error: Mapping[str, Any]) -> str:
    """The message of an error object, under one of the names that servers and gateways give it."""
    for key in ("message", "Message", "msg", "detail", "errors"):
        found: Any = error.get(key)
        if isinstance(found, list) and found and isinstance(found[0], dict):  # several: the first says enough
            found = found[0].get("msg", found[0].get("message"))
        if isinstance(found, str) and found:
            return found
    return ""


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
) -> APIError:
    """Make the right APIError of a parsed error body (`payload`: any JSON value, a str of words, or None).

    The class is chosen by the error's type first, then by the HTTP status, else APIError itself.
    Never raises, whatever the payload.
    """
    kind, text, details = _words(payload)
    cls = _BY_TYPE.get(kind or "") or _BY_STATUS.get(status) or (ServerError if status >= 500 else APIError)
    if request_id is None and isinstance(payload, dict):
        found: Any = payload.get("request_id")
        request_id = found if isinstance(found, str) else None
    code: Any = details.get("error_code") if isinstance(details, dict) else None
    if isinstance(code, str) and code in _SPEND_CAPS:
        retryable = False
    elif should_retry is not None:
        retryable = should_retry
    else:
        retryable = kind in _RETRYABLE_TYPES or status in _RETRYABLE_STATUSES or status >= 500
    error = cls(
        type=kind,
        status=status,
        error_message=text,
        details=details,
        request_id=request_id,
        retryable=retryable,
        phase=phase,
        partial=partial,
        body=body,
        retry_after=retry_after,
    )
    error.args = (error.shown(),)
    return error
