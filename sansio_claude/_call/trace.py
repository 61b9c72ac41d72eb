"""What a call tells an onlooker (`trace=`): one TraceEvent for each step, and the bytes of the body if it wants."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from sansio_claude._errors import APIError, ClaudeError
from sansio_claude._value import Shown

if TYPE_CHECKING:
    from sansio_claude._call.answer import Answer, Wanted
    from sansio_claude._http.exchange import ResponseHead
    from sansio_claude._message.message import Message, Usage
    from sansio_claude._request.endpoint import RequestHead

__all__ = ["Tap", "Trace", "TraceEvent", "TraceKind"]

_NUMBERS: Final = itertools.count(1)  # of the calls of this process
_COUNTED: Final = frozenset({"complete", "failed", "done"})  # the kinds that come with the usage

Tap: TypeAlias = Callable[[int, bytes], None]
"""Told the number of a call and some bytes of the body of its answer, decoded, in order and as they came."""

TraceKind: TypeAlias = Literal[
    "attempt",
    "pool",
    "connect",
    "connected",
    "reused",
    "sent",
    "first_byte",
    "head",
    "first_content",
    "complete",
    "failed",
    "retry",
    "done",
]


@attrs.define(eq=False, repr=False, frozen=True, kw_only=True)
class TraceEvent(Shown):
    """Something that happened in a call, for an onlooker (`trace=`).

    Kinds, in the order in which they come:

    - attempt: an attempt begins; pool: it has to wait for a place
    - connect, connected: a connection is being opened, is open (through proxy and TLS); reused: an idle one is used
    - sent: the request is written
    - first_byte: the first bytes of an answer came; head: the head of the answer is there (`status`, `request_id`)
    - first_content: the first delta came, or the end of a block that came whole (streams only)
    - complete: the whole answer is there (`usage`); failed: the attempt failed (`error`)
    - retry: another attempt follows after `wait` seconds
    - done: the call is over (`error`, None if all went well; `usage` as far as it is known), given up included

    Neither `str()` nor `repr()` of an event has content or a secret in it.
    """

    kind: TraceKind
    """What happened, one of the above."""
    time: float
    """Seconds on the clock of the event loop."""
    attempt: int
    """The number of the attempt, from 1."""
    call: int = 0
    """The number of the call, from 1, counted in this process; tells calls apart that run at once."""
    model: str | None = None
    """The model that answers, once the answer has named it, else the one that was asked for."""
    streamed: bool = False
    """Whether the answer is asked for as a stream (as `create` does, too, unless told otherwise)."""
    status: int | None = None
    """The status code of the answer, once its head is there."""
    request_id: str | None = None
    """The API's id of the request, once the head of the answer is there."""
    error: ClaudeError | None = attrs.field(default=None, repr=lambda error: error and type(error).__name__)
    """What went wrong (failed, done); None if nothing did."""
    wait: float | None = None
    """Seconds until the next attempt (retry)."""
    usage: Usage | None = None
    """The tokens counted so far (complete, failed, done)."""
    request: object = attrs.field(default=None, repr=False)
    """The caller's request; None where a `Call` was made by hand. It holds what was asked, and `secrets` says what must
    be taken out of it, as out of the next three, before it is kept."""
    head: RequestHead | None = attrs.field(default=None, repr=False)
    """The head of the request that is sent."""
    response: ResponseHead | None = attrs.field(default=None, repr=False)
    """The head of the answer."""
    message: Message | None = attrs.field(default=None, repr=False)
    """The message so far."""

    @property
    def host(self) -> str | None:
        """The host that is asked; None where an event was made by hand."""
        return None if self.head is None else self.head.host

    @property
    def port(self) -> int | None:
        """The port that is asked; None where an event was made by hand."""
        return None if self.head is None else self.head.port

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown or kept of request and answer: keys and their like."""
        return () if self.head is None else self.head.secrets

    def __str__(self) -> str:
        """One line for a log."""
        call = f"call {self.call}, " if self.call else ""
        parts = [f"{call}attempt {self.attempt}: {self.kind}"]
        if self.kind == "attempt" and self.model is not None:
            parts.append(self.model)
        if self.status is not None:
            parts.append(f"status {self.status}")
        if self.request_id is not None:
            parts.append(self.request_id)
        if self.error is not None:
            # What a server writes of a request may quote it, and a log is no place for that.
            words = self.error.type or "error" if isinstance(self.error, APIError) else self.error.message
            parts.append(f"{type(self.error).__name__}: {words}")
        if self.wait is not None:
            parts.append(f"in {self.wait:.3f} s")
        if self.usage is not None and self.kind == "done":
            parts.append(f"{self.usage.input_tokens} tokens in, {self.usage.output_tokens} tokens out")
        return ", ".join(parts)


class Trace:
    """Tells the onlooker of one call. Made only where there is one."""

    __slots__ = ("_answered", "_id", "_last", "_request", "_streamed", "_tell", "head", "number", "tap")

    def __init__(
        self,
        tell: Callable[[TraceEvent], None],
        tap: Tap | None,
        head: RequestHead,
        request: object,
        wanted: Wanted,
    ) -> None:
        self._tell = tell
        self._last = 0.0
        self._answered: ResponseHead | None = None
        self._id: str | None = None
        self._streamed = wanted in ("stream", "message")
        self.head = head
        """The head that is sent; set anew where it is signed."""
        self._request = request
        self.number = next(_NUMBERS)
        self.tap: Callable[[bytes], None] | None = None if tap is None else functools.partial(tap, self.number)

    def __call__(
        self,
        kind: TraceKind,
        now: float | None,
        attempt: int,
        answer: Answer,
        *,
        error: ClaudeError | None = None,
        wait: float | None = None,
    ) -> None:
        """Something happened in this attempt, at `now`, with so much of the answer there.

        Where a call is given up no clock is at hand: `now` is None then, and the time is that of the step before.
        """
        if attempt == 0:
            return  # nothing had begun
        self._last = now = self._last if now is None else now
        if answer.head is not self._answered:  # secrets are looked for in the id of an answer once
            self._answered, self._id = answer.head, answer.request_id
        message = answer.message
        model = getattr(self._request, "model", None) if message is None else message.model
        self._tell(
            TraceEvent(
                kind=kind,
                time=now,
                call=self.number,
                attempt=attempt,
                model=model if isinstance(model, str) else None,
                streamed=self._streamed,
                status=answer.status,
                request_id=self._id,
                error=error,
                wait=wait,
                usage=message.usage if message is not None and kind in _COUNTED else None,
                request=self._request,
                head=self.head,
                response=answer.head,
                message=message,
            )
        )
