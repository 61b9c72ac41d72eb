"""The exceptions of the library, but for those that an answer of the API is. One root, data as attributes.

No exception here quotes a key or a prompt in its text. `excerpt` and `body` hold bytes that the peer sent, as
attributes only: they are shown by whoever asks for them, never by `str()` or `repr()`.
All of them can be pickled and copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from sansio_claude._message.message import Message

__all__ = [
    "ClaudeError",
    "ConnectError",
    "Deadline",
    "DeadlineError",
    "LimitError",
    "LocalProtocolError",
    "ProxyError",
    "ReadError",
    "RefusalError",
    "RemoteProtocolError",
    "TLSError",
    "ToolError",
    "TransportError",
    "TruncatedError",
    "WriteError",
]

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


class RefusalError(ClaudeError):
    """The model refused, where a value was asked of it (`extract`). A legal answer, and no fault of the connection.

    `message` says so in words, as on every error; `partial` is the whole refused answer, a Message. `stop_details` is
    what the API says of the reason (an object with `category` and `explanation`, as it came; None where it says
    nothing).
    """

    def __init__(
        self, message: str = "", *, stop_details: Mapping[str, Any] | None = None, partial: Message | None = None
    ) -> None:
        super().__init__(message)
        self.stop_details = stop_details
        self.partial = partial


class ToolError(ClaudeError):
    """Raised by a tool to give the model an error result with exactly this text (or these content blocks)."""

    def __init__(self, message: str = "", *, content: Any = None) -> None:
        super().__init__(message)
        self.content = content
