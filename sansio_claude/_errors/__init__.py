"""Every exception of the library, and what the bodies and headers of answers that say no mean.

In: what went wrong, in words or as the peer sent it. Out: one exception, with its data as attributes.
Promises: one root; no key in any text; whatever an answer says, reading it never raises.
"""

from sansio_claude._errors.api import (
    APIError,
    AuthenticationError,
    BillingError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    Phase,
    RateLimitError,
    RequestTooLargeError,
    ServerError,
    api_error,
    refusal,
)
from sansio_claude._errors.classes import (
    ClaudeError,
    ConnectError,
    Deadline,
    DeadlineError,
    LimitError,
    LocalProtocolError,
    ProxyError,
    ReadError,
    RemoteProtocolError,
    TLSError,
    ToolError,
    TransportError,
    TruncatedError,
    WriteError,
)

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
    "refusal",
]
