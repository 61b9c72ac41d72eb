"""Conversation: one request and its answer over one connection, from opening it to giving it back.

The phases, and what `next_action` asks for in each:

    CONNECT   Connect
    SETUP     Send and Receive for the proxy's tunnel, then for the TLS handshake
    WRITE     Send, slice by slice
    ANSWER    Receive, or Send what TLS has to say in between
    KEPT      nothing: the answer is whole, and the connection is kept until the user closes the stream
    FINISHING Receive, for at most 50 ms: the end of the body behind the end of the message
    ENDED     nothing

Rules:

- Every reading and writing has a deadline; the nearest of those in force is the action's.
- Once it has ended, `error` says what went wrong (None if nothing) and `repeatable` whether the request may be sent
  again without harm, and may then succeed. `reusable` says whether the connection can carry another request: only after
  an answer that ended cleanly, with nothing pending.
- A request may be sent again if the connection was lost before any byte of an answer came, and not after one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from sansio_claude._call.actions import Connect, Receive, Send
from sansio_claude._call.broken import broken_reading, broken_writing, closed_writing, not_connected, reason
from sansio_claude._errors import (
    APIError,
    ClaudeError,
    DeadlineError,
    LocalProtocolError,
    ReadError,
    TLSError,
    WriteError,
)

if TYPE_CHECKING:
    from sansio_claude._call.answer import Answer
    from sansio_claude._call.connection import Connection
    from sansio_claude._call.deadlines import Deadlines
    from sansio_claude._call.trace import TraceKind
    from sansio_claude._connect.tls import TLSExchange
    from sansio_claude._http.exchange import HTTPExchange
    from sansio_claude._stream.events import Event

__all__ = ["Conversation"]

REST_OF_BODY: Final = 0.05  # seconds for the end of a body behind the end of its message
EARLY_ANSWER: Final = 1.0  # seconds for an answer that may be there when writing the request fails
LATE_ANSWER: Final = (
    0.05  # seconds for an answer once the write deadline has passed; one that exists was sent long before
)
REFUSAL: Final = 5.0  # seconds for the body of an answer whose status already says no
SLICE: Final = 256 * 1024  # bytes written under one write deadline

_CONTENT: Final = frozenset({"content_block_delta", "content_block_stop"})  # events that bring some of the answer

UNEXPECTED: Final = "the report does not belong to the action that the call asked for last: do what next_action() says"

Phase: TypeAlias = Literal[0, 1, 2, 3, 4, 5, 6]
CONNECT: Final = 0
SETUP: Final = 1
WRITE: Final = 2
ANSWER: Final = 3
KEPT: Final = 4
FINISHING: Final = 5
ENDED: Final = 6


class Conversation:
    """One request over `connection`, which may be open already. Reports are those of `Call`."""

    __slots__ = (
        "_answer",
        "_connection",
        "_deadlines",
        "_exchange",
        "_informational",
        "_interrupted",
        "_progress",
        "_request",
        "_sending",
        "_sent",
        "_stop_awaited",
        "_streamed",
        "_tls",
        "_unfinished",
        "_write_error",
        "answer_begun",
        "content_seen",
        "error",
        "events",
        "head_seen",
        "phase",
        "repeatable",
        "retry_after",
        "steps",
        "wrote_at",
    )

    def __init__(
        self,
        connection: Connection,
        exchange: HTTPExchange,
        answer: Answer,
        *,
        deadlines: Deadlines,
        now: float,
    ) -> None:
        self._connection = connection
        self._exchange = exchange
        self._answer = answer
        self._deadlines = deadlines
        self._streamed = answer.wanted == "stream"
        self._tls: TLSExchange | None = None
        self._request = b""
        self._sent = 0
        self._sending: bytes | memoryview | None = None
        self._interrupted = False  # writing waits until what can be read has been read
        self._unfinished = False  # the request was not written to its end
        self._write_error: WriteError | DeadlineError | None = None
        self._stop_awaited = False  # whether only message_stop is waited for, for Timeouts.after_stop_reason
        self._informational = 0
        self._progress = 0
        self.wrote_at = now
        """When bytes of the request were written last."""
        self.answer_begun = False
        """Whether any byte of the answer came."""
        self.content_seen = False
        """Whether any event with content has come."""
        self.head_seen = False
        """Whether the head of the answer is there."""
        self.events: list[Event] | None = None
        """Events for the consumer; an empty list says that the stream has begun. Whoever takes them puts None here."""
        self.error: ClaudeError | None = None
        self.repeatable = False
        self.retry_after: float | None = None
        """The seconds that the server asked to wait before the request is sent again."""
        self.steps: tuple[TraceKind, ...] = ()
        """What has happened, for an onlooker; emptied by whoever tells it."""
        self.phase: Phase = CONNECT
        if connection.stage == "open":
            self._start_writing(now)
        else:
            deadlines.begin("connect", now)

    @property
    def over(self) -> bool:
        """Whether nothing more is to be done."""
        return self.phase == ENDED

    @property
    def only_events(self) -> bool:
        """Whether events are coming, and nothing but events: see `Call.receive_data`."""
        return self._streamed and self.phase == ANSWER and self._sending is None and self._answer.stage == "stream"

    @property
    def reusable(self) -> bool:
        """Whether the connection can carry another request."""
        return self._exchange.reusable and self._connection.clean and self._sending is None and not self._unfinished

    def next_action(self) -> Connect | Send | Receive:
        """What to do now. Not to be asked in KEPT and ENDED."""
        if self._sending is not None and not self._interrupted:
            return Send(self._sending, self._deadlines.nearest())
        if self.phase == CONNECT:
            return self._connection.connect(self._deadlines.nearest())
        return Receive(self._deadlines.nearest())

    # What is reported

    def connected(self, handle: Any, now: float) -> None:
        """The TCP connection is open."""
        self._expect(CONNECT)
        self.phase = SETUP
        try:
            self._connection.opened(handle)
        except ClaudeError as error:
            self._fail(error)
            return
        self._set_up(now)

    def connect_failed(self, cause: BaseException) -> None:
        """There is no TCP connection."""
        self._expect(CONNECT)
        error = not_connected(self._connection.place, cause, proxied=self._connection.proxied)
        self._fail(error, repeatable=isinstance(cause, OSError))

    def sent(self, now: float, count: int | None = None) -> None:
        """The data of a Send are written, or the first `count` bytes of them and there is something to read."""
        self._expect(SETUP, WRITE, ANSWER)
        self.wrote_at = now
        if count is not None and self._sending is not None and count < len(self._sending):
            self._sending = memoryview(self._sending)[count:]
            self._interrupted = True
            return
        self._sending = None
        if self.phase == SETUP:
            self._set_up(now)
        elif self.phase == WRITE:
            self._write(now)

    def send_failed(self, cause: BaseException, now: float) -> None:
        """The data of a Send could not be written."""
        self._expect(SETUP, WRITE, ANSWER)
        self._sending = None
        if self.phase == SETUP:
            self._setup_broke(f"the connection broke ({reason(cause)})", cause)
            return
        self._stop_writing(broken_writing(cause))
        # A server that refuses a request early, say for its size, answers, closes and resets: look for the answer.
        self._deadlines.within(EARLY_ANSWER, now)

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes came."""
        self._interrupted = False
        if self.phase == WRITE:
            self._receive_early(data, now)
            return
        if self.phase != ANSWER:
            self._receive_elsewhere(data, now)
            return
        self._deadlines.bytes_received(now)
        if self._tls is None:
            self._answer.receive_data(data)
        else:
            self._tls.receive_data(data)
            self._decrypt(self._tls)
        self._go_on(now)

    def take_over(self, plain: bytes, events: list[Event], now: float) -> None:
        """Bytes came that the call itself has read in part, and something other than events was among them.

        `events` were taken from the stream; `plain`, which follows them, was decrypted and not parsed.
        """
        self._deadlines.bytes_received(now)
        self._answer.add_events(events)
        self._answer.receive_data(plain)
        if self._tls is not None:
            self._decrypt(self._tls)
        self._go_on(now)

    def receive_eof(self, now: float) -> None:
        """The connection's bytes have ended."""
        self._expect(SETUP, WRITE, ANSWER, FINISHING)
        if self.phase == FINISHING:
            self.phase = ENDED
        elif self.phase == SETUP:
            self._setup_broke("the server closed the connection", None)
        else:
            if self.phase == WRITE:
                self._stop_writing(closed_writing())
            if self._tls is not None:
                self._tls.receive_eof()
            self._end_answer(clean=self._tls is None or self._tls.ended_cleanly)
            self._answered(now)

    def receive_failed(self, cause: BaseException, now: float) -> None:
        """The connection broke."""
        self._expect(SETUP, WRITE, ANSWER, FINISHING)
        if self.phase == FINISHING:
            self.phase = ENDED
        elif self.phase == SETUP:
            self._setup_broke(f"the connection broke ({reason(cause)})", cause)
        else:
            if self.phase == WRITE:
                self._stop_writing(broken_writing(cause))
            self._break_answer(broken_reading(cause))
            self._answered(now)

    def deadline_passed(self, now: float) -> None:
        """The deadline of the action passed before it was done."""
        if self.phase == FINISHING:
            self.phase = ENDED
            return
        error = self._deadlines.passed(self._connection.awaited)
        if self.phase == WRITE and error.deadline == "write":
            # A server that refuses a request early may take no more of it and leave it at that.
            self._stop_writing(error)
            self._deadlines.set_step(now + LATE_ANSWER)
        elif self.phase == ANSWER:
            if error.deadline == "progress" and self._stop_awaited and self._answer.lacks_only_stop:
                self._answer.end_without_stop()
            else:
                self._break_answer(error)
            self._answered(now)
        else:
            self._fail(error, repeatable=error.deadline in ("connect", "tls"))

    def finish(self, now: float) -> None:
        """The answer is whole and nobody wants more of it: go on to ENDED, at once or once the body has ended."""
        tls = self._tls
        hopeless = self._exchange.done or not self._exchange.persists or (tls is not None and tls.ended)
        if hopeless or self._sending is not None or self._unfinished:
            self.phase = ENDED
            return
        self.phase = FINISHING
        self._deadlines.finish_within(REST_OF_BODY, now)

    # Opening and writing

    def _set_up(self, now: float) -> None:
        """One step on the way through tunnel and TLS."""
        connection = self._connection
        if connection.stage == "open":
            self.steps += ("connected",)
            self._start_writing(now)
            return
        if connection.stage == "tls" and self._deadlines.step != "tls":
            self._deadlines.begin("tls", now)
        self._queue(connection.data_to_send())

    def _setup_broke(self, words: str, cause: BaseException | None) -> None:
        error = self._connection.broken(words, ended=cause is None)
        error.__cause__ = cause
        self._fail(error, repeatable=True)

    def _start_writing(self, now: float) -> None:
        self.phase = WRITE
        self.wrote_at = now
        self._tls = self._connection.tls
        self._request = self._exchange.data_to_send()
        self._write(now)

    def _write(self, now: float) -> None:
        """Write the next slice, or go on to the answer."""
        request = self._request
        if self._sent == len(request):
            self._request = b""
            self.phase = ANSWER
            self._deadlines.begin("first_byte", now)
            self.steps += ("sent",)
            if self._exchange.received:  # it began while the request was being written
                self._go_on(now)
            return
        whole = len(request) <= SLICE
        piece = request if whole else memoryview(request)[self._sent : self._sent + SLICE]
        self._sent += len(piece)
        self._deadlines.begin("write", now)
        if self._tls is not None:
            try:
                self._tls.send(piece)
            except ClaudeError as error:
                self._fail(error)
                return
            piece = self._tls.data_to_send()
        self._queue(piece)

    def _queue(self, data: bytes | memoryview) -> None:
        """Have this written, behind what is being written."""
        if data and not self._unfinished:
            self._sending = data if self._sending is None else b"".join((self._sending, data))

    def _stop_writing(self, error: WriteError | DeadlineError | None) -> None:
        """The rest of the request is not written any more: `error` says why, None that the answer is there already.

        The connection cannot carry anything else then.
        """
        self._write_error = error
        self._unfinished = True
        self._sending = None
        self._request = b""
        self.phase = ANSWER

    # Reading

    def _receive_early(self, data: bytes, now: float) -> None:
        """Bytes came while the request is being written.

        A refusal is final, and so is an answer that is over: nobody reads the rest of the request. Anything else, 1xx
        answers and session tickets of TLS among it, is no reason to stop.
        """
        answer, tls = self._answer, self._tls
        if tls is None:
            answer.receive_data(data)
        else:
            tls.receive_data(data)
            if tls.ended:
                self._stop_writing(closed_writing())
            self._decrypt(tls)
        if answer.stage == "refusal" or answer.over:
            if not self._unfinished:
                self._stop_writing(None)
            self._deadlines.bytes_received(now)
            self._go_on(now)

    def _receive_elsewhere(self, data: bytes, now: float) -> None:
        self._expect(SETUP, FINISHING)
        if self.phase == SETUP:
            try:
                self._connection.receive_data(data)
            except ClaudeError as error:
                self._fail(error, repeatable=self._connection.passing)
            else:
                self._set_up(now)
            return
        tls = self._tls
        if tls is not None:
            tls.receive_data(data)
            try:
                data = tls.plaintext_received()
            except TLSError:
                self.phase = ENDED
                return
        if self._answer.discard_rest(data) or (tls is not None and tls.ended) or now >= self._deadlines.step_at:
            self.phase = ENDED

    def _decrypt(self, tls: TLSExchange) -> None:
        try:
            while plain := tls.plaintext_received():
                self._answer.receive_data(plain)
        except TLSError as error:
            self._answer.fail(error)
        if tls.ended and not self._answer.over:
            self._end_answer(clean=tls.ended_cleanly)
        self._queue(tls.data_to_send())

    def _go_on(self, now: float) -> None:
        """Bytes of the answer came: what has come of them?"""
        answer, deadlines = self._answer, self._deadlines
        if not self.head_seen:
            if not self.answer_begun and self._exchange.received:
                self.answer_begun = True
                self.steps += ("first_byte",)
            self._look_at_head(now)
        if answer.progress != self._progress:
            self._progress = answer.progress
            after = deadlines.timeouts.after_stop_reason if answer.lacks_only_stop else None
            self._stop_awaited = after is not None
            deadlines.progress_made(now, after)
        if answer.events:
            self._take_events(answer)
        if answer.over:
            self._answered(now)
        elif now >= deadlines.step_at or now >= deadlines.total_at:
            self.deadline_passed(now)  # a peer that never pauses gives a read no time to end at its deadline

    def _end_answer(self, *, clean: bool) -> None:
        if self._exchange.received:
            self._answer.receive_eof(clean=clean)
        else:
            self._break_answer(ReadError("the server closed the connection without an answer"))

    def _break_answer(self, error: ClaudeError) -> None:
        """What broke the writing is the reason, unless an answer came in spite of it."""
        if self._write_error is not None and not self._exchange.received:
            error = self._write_error
        self._answer.fail(error)

    def _look_at_head(self, now: float) -> None:
        answer, deadlines = self._answer, self._deadlines
        if answer.head is None:
            if self._exchange.informational != self._informational:
                # After a 1xx answer the server may be silent while it works; within a head it may not.
                self._informational = self._exchange.informational
                deadlines.answer_awaited()
            return
        self.head_seen = True
        self.steps += ("head",)
        deadlines.progress_made(now)
        if answer.stage == "refusal":
            deadlines.within(REFUSAL, now)
        elif self._streamed and not answer.over:
            self.events = []

    def _take_events(self, answer: Answer) -> None:
        events, answer.events = answer.events, []
        if not self.content_seen and any(event.type in _CONTENT for event in events):
            self.content_seen = True
            self.steps += ("first_content",)
        if self._streamed:
            self.events = [*self.events, *events] if self.events else events

    def _answered(self, now: float) -> None:
        """The answer is over, well or badly."""
        answer = self._answer
        if answer.events:
            self._take_events(answer)
        error = answer.error
        if error is not None:
            unanswered = not self._exchange.received and isinstance(error, (ReadError, WriteError))
            self.retry_after = error.retry_after if isinstance(error, APIError) else None
            self._fail(error, repeatable=unanswered or answer.retryable)
            return
        self.steps += ("complete",)
        if self._streamed and not self.reusable:
            self.phase = KEPT
        else:
            self.finish(now)

    def _fail(self, error: ClaudeError, *, repeatable: bool = False) -> None:
        self.error = error
        self.repeatable = repeatable
        self.phase = ENDED

    def _expect(self, *phases: Phase) -> None:
        if self.phase not in phases:
            raise LocalProtocolError(UNEXPECTED)
