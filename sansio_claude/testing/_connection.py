"""ReplayConnection: the server's side of one HTTP/1.1 connection, without the connection.

A runner repeats: ask `next_action(now)`, do it, report. `now` is in seconds on any clock that never goes back.

    Receive(until)   read; give the bytes to `receive_data`, the end to `receive_eof`. When `until` passes first
                     (None: never), just ask again.
    Write(data)      write all of it. Where that fails, call `lost`.
    Close(reset)     close the connection, with a TCP reset where it says so. The last action.

States: "request" (reading one) -> "answering" -> "request" again where the connection is kept, else
"stalled" (silent until the client leaves) or "closed". What comes while answering waits for its turn.
Requests are parsed by h11; the answers are written by hand, since they may be meant to be wrong.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs
import h11

from sansio_claude._copies import NotCopied
from sansio_claude.testing._answers import Answer, tokens

if TYPE_CHECKING:
    from sansio_claude.testing._replay import RecordedRequest, ReplayServer

__all__ = ["Close", "Receive", "ReplayAction", "ReplayConnection", "Write"]

BAD_REQUEST: Final = "invalid_request_error"
_LARGEST_BODY: Final = 64 * 1024 * 1024  # bytes of a request's body


@attrs.define(frozen=True)
class Receive:
    """Read from the client until this time."""

    until: float | None
    """A time on the runner's clock, in seconds; None: for as long as it takes."""


@attrs.define(frozen=True)
class Write:
    """Write these bytes."""

    data: bytes
    """The bytes."""


@attrs.define(frozen=True)
class Close:
    """Close the connection; with a reset, so that the client sees an error and not an end."""

    reset: bool = False
    """Whether it is a reset."""


ReplayAction: TypeAlias = Receive | Write | Close


class ReplayConnection(NotCopied):
    """One connection to a `ReplayServer`; made by its `connect`."""

    _instead = "it belongs to one connection: ask the server for another one"

    def __init__(self, server: ReplayServer, number: int) -> None:
        self.number = number
        self.state: Literal["request", "answering", "stalled", "closed"] = "request"
        self._server = server
        self._h11 = h11.Connection(h11.SERVER)
        self._head: h11.Request | None = None
        self._body = bytearray()
        self._interim = b""
        self._request: RecordedRequest | None = None
        self._steps: deque[tuple[float, bytes]] = deque()
        self._due: float | None = None
        self._last: Literal["keep", "close", "reset", "stall"] = "keep"

    def __repr__(self) -> str:
        return f"<ReplayConnection {self.number}, {self.state}>"

    def receive_data(self, data: bytes) -> None:
        """Bytes from the client."""
        if self.state != "closed" and data:
            self._h11.receive_data(data)
            self._read()

    def receive_eof(self) -> None:
        """The client closed its side: whatever it waited for, it does no longer."""
        if self.state != "closed":
            self._abandon()
            self.state = "closed"
            self._last = "close"

    def lost(self) -> None:
        """A write failed."""
        self.receive_eof()

    def next_action(self, now: float) -> ReplayAction:
        """What to do now."""
        if self.state == "answering":
            if self._steps:
                wait, data = self._steps[0]
                if self._due is None:
                    self._due = now
                due = self._due + wait
                if now < due:
                    return Receive(due)
                # Counted from when it was due and not from now, so that small delays do not add up.
                self._due = due
                self._steps.popleft()
                return Write(data)
            self._finish()
            return self.next_action(now)
        if self.state == "closed":
            return Close(self._last == "reset")
        if self._interim:
            data, self._interim = self._interim, b""
            return Write(data)
        return Receive(None)

    def _read(self) -> None:
        """Take what h11 has of the request; it stops by itself at the end of one."""
        while self.state == "request":
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as error:
                status = error.error_status_hint
                answer = Answer.error(status, f"not a request: {error}", error_type=BAD_REQUEST, keep_alive=False)
                self._start(self._server.numbered(answer), keep_alive=False)
                return
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return
            if isinstance(event, h11.Request):
                self._head = event
                if self._h11.they_are_waiting_for_100_continue:
                    self._interim = b"HTTP/1.1 100 Continue\r\n\r\n"
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > _LARGEST_BODY:
                    answer = Answer.error(413, keep_alive=False)
                    self._start(self._server.numbered(answer), keep_alive=False)
            elif isinstance(event, h11.EndOfMessage):
                self._ask()

    def _ask(self) -> None:
        head = self._head
        assert head is not None, "h11 gives the head first"
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers]
        self._request, answer = self._server.answer(
            head.method.decode("latin-1"),
            head.target.decode("latin-1"),
            headers,
            bytes(self._body),
            self.number,
        )
        options = tokens(headers, "connection")
        http_1_1 = head.http_version >= b"1.1"
        kept = "close" not in options and (http_1_1 or "keep-alive" in options)
        self._start(answer, http_1_1=http_1_1, keep_alive=kept, method=head.method.decode("latin-1"))

    def _start(self, answer: Answer, *, http_1_1: bool = True, keep_alive: bool, method: str = "POST") -> None:
        self._steps = deque(answer.steps(http_1_1=http_1_1, keep_alive=keep_alive, method=method))
        if answer.end in ("reset", "stall"):
            self._last = answer.end
        else:
            kept = keep_alive and answer.keeps_alive(http_1_1=http_1_1, method=method)
            self._last = "keep" if kept else "close"
        self._due = None
        self._interim = b""
        self.state = "answering"

    def _finish(self) -> None:
        if self._request is not None:
            self._request.outcome = "answered"
            self._request = None
        if self._last == "keep":
            rest, _ = self._h11.trailing_data
            self._h11 = h11.Connection(h11.SERVER)
            self._head = None
            self._body = bytearray()
            self.state = "request"
            self.receive_data(rest)
        else:
            self.state = "stalled" if self._last == "stall" else "closed"

    def _abandon(self) -> None:
        if self._request is not None:
            self._request.outcome = "abandoned"
            self._request = None
