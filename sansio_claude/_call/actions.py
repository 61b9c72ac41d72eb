"""What a Call asks of its adapter, and what it needs from outside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias, final

import attrs

from sansio_claude._call.retry import RetryPolicy
from sansio_claude._call.timeouts import Timeouts
from sansio_claude._errors import ClaudeError
from sansio_claude._limits import Limits
from sansio_claude._redact import Redactors
from sansio_claude._value import Shown

if TYPE_CHECKING:
    from sansio_claude._call.trace import Tap, TraceEvent
    from sansio_claude._connect.proxy import Proxy
    from sansio_claude._connect.tls import TLSExchange
    from sansio_claude._request.head import Headers, RequestHead
    from sansio_claude._stream.deviations import Tolerance
    from sansio_claude._stream.events import Event

__all__ = [
    "Action",
    "Authorize",
    "Authorizer",
    "CallSettings",
    "Connect",
    "Deliver",
    "Done",
    "Receive",
    "Send",
    "Wait",
]

# Deadlines are absolute times on the clock that `now` is read from; infinity where there is none.
#
# These are written out: as attrs classes they would take a twelfth of what importing the whole core takes.


class _Step:
    """What actions have in common: compared by identity, shown without content."""

    __slots__: tuple[str, ...] = ()
    _hidden: ClassVar[frozenset[str]] = frozenset({"body", "data", "events"})

    def __repr__(self) -> str:
        shown = [name for name in self.__slots__ if name not in self._hidden]
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


@final
class Authorize(_Step):
    """Ask the call's `authorize(head, body)` for the headers that sign this request, await what it gives if that can
    be awaited, then report `authorized(headers, now)`. What it raises is its caller's: give the call up and pass it on.
    Where what is awaited is not there by the deadline, cancel it and report `deadline_passed(now)`.

    Asked once in each attempt, and once more where the API answers 401. `head` and `body` are the request.
    """

    __slots__ = ("body", "deadline", "head")

    def __init__(self, head: RequestHead, body: bytes, deadline: float = float("inf")) -> None:
        self.head: RequestHead = head
        self.body: bytes = body
        self.deadline: float = deadline


@final
class Connect(_Step):
    """Open a connection, then report `connected(handle, now)` or `connect_failed(error, now)`.

    Look `host` up and try its addresses as `Race` says, with `loopback` if that is True: plain http must not leave this
    machine, wherever the name leads. Where `uds` is given, connect to the unix socket of that path instead; a path
    that begins with NUL is an abstract name of Linux.
    """

    __slots__ = ("deadline", "host", "loopback", "port", "uds")

    def __init__(
        self, host: str, port: int, deadline: float, *, uds: str | None = None, loopback: bool = False
    ) -> None:
        self.host: str = host
        self.port: int = port
        self.deadline: float = deadline
        self.uds: str | None = uds
        self.loopback: bool = loopback


@final
class Send(_Step):
    """Write `data` to the connection, then report `sent(now, count)` or `send_failed(error, now)`.

    `count` is how many bytes were written; without it, all. Fewer than all are reported where something can be read
    before the rest can be written, so that an early answer is seen at once: a Receive follows, then a Send of the rest.
    An adapter that always writes all loses nothing but that.
    """

    __slots__ = ("data", "deadline")

    def __init__(self, data: bytes | memoryview, deadline: float) -> None:
        self.data: bytes | memoryview = data
        self.deadline: float = deadline


@final
class Receive(_Step):
    """Read once, then report `receive_data(data, now)`, `receive_eof(now)` or `receive_failed(error, now)`."""

    __slots__ = ("deadline",)

    def __init__(self, deadline: float) -> None:
        self.deadline: float = deadline


@final
class Wait(_Step):
    """Wait until `until`, then report `waited(now)` ("backoff") or `deadline_passed(now)` ("pool").

    Both end early when the callback is called that was given to `Call.on_wake`: then report `waited(now)`.
    """

    __slots__ = ("reason", "until")

    def __init__(self, until: float, reason: Literal["pool", "backoff"]) -> None:
        self.until: float = until
        self.reason: Literal["pool", "backoff"] = reason


@final
class Deliver(_Step):
    """Hand these events to the consumer, in this order, and ask again when it wants more.

    The first one comes as soon as the head of the answer is there, and may have no events.
    """

    __slots__ = ("events",)

    def __init__(self, events: Sequence[Event]) -> None:
        self.events: Sequence[Event] = events


@final
class Done(_Step):
    """The call is over: raise `error`, or stop. Every later question has the same answer."""

    __slots__ = ("error",)

    def __init__(self, error: ClaudeError | None) -> None:
        self.error: ClaudeError | None = error


Action: TypeAlias = Receive | Deliver | Send | Connect | Wait | Authorize | Done

Authorizer: TypeAlias = Callable[["RequestHead", bytes], "Headers | Awaitable[Headers]"]
"""Gives the headers that sign a request, at once or when it is awaited."""


TLSFactory: TypeAlias = Callable[[str], "TLSExchange"]
"""Makes the TLS for a server name."""


@attrs.define(frozen=True, kw_only=True, eq=False, repr=False)
class CallSettings(Shown):
    """What the calls of one client have in common."""

    timeouts: Timeouts = attrs.field(factory=Timeouts)
    """How long each kind of waiting may take."""
    retry: RetryPolicy = attrs.field(factory=RetryPolicy)
    """How often and how patiently to try again."""
    limits: Limits = attrs.field(factory=Limits)
    """How much of an answer is held."""
    tolerance: Tolerance | None = None
    """What becomes of each kind of deviation."""
    require_message_stop: bool = True
    """Whether an answer that ends behind its stop reason without message_stop is an error."""
    strict: bool = False
    """Whether deviations from the protocol are errors."""
    proxy: Proxy | None = None
    """The proxy that every connection goes through."""
    uds: str | None = None
    """The path of the unix socket that every connection goes to."""
    loopback: bool = False
    """Whether connections may go to this machine only."""
    authorize: Authorizer | None = None
    """Signs each request; see `Authorize`."""
    tls: TLSFactory | None = None
    """Makes the TLS of a connection; needed for https only."""
    chance: Callable[[], float]
    """Gives a random number from 0 to 1, asked before each backoff."""
    wall: Callable[[], float]
    """Gives the time of day in seconds since 1970, asked when a server names a date."""
    trace: Callable[[TraceEvent], None] | None = None
    """Told what happens. What it raises goes through to whoever drives the call."""
    tap: Tap | None = None
    """Told the bytes of the bodies of answers, where there is a `trace` too."""
    redactors: Redactors = attrs.field(factory=Redactors, repr=False)
    """Takes secrets out of errors."""
