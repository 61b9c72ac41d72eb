"""Call: one request of a user from start to end: a place in the pool, a connection, the answer, retries.

The phases, and what `next_action` asks for in each:

    NEW       nothing has begun
    AUTHORIZE Authorize, where requests are signed, once in each attempt
    POOL      Wait("pool") for a place among the connections
    EXCHANGE  what the conversation asks for (`_conversation`); Deliver whenever events have come
    BACKOFF   Wait("backoff"), then a new attempt from POOL on
    COMPLETE  Done(None): the answer is whole; its connection is kept until the user closes it
    OVER      Done

Rules:

- An attempt is repeated only if the error is one that may pass, nothing but pings was delivered, and either no byte
  of an answer came or the server itself said so (a status, a stream error). What the caller was given is never
  taken back or given twice.
- A connection goes back to the pool only if the conversation says that it is reusable; else it is discarded, at once.
- Every error has its attempts, its request id and the partial message, and no secret in it.
- The time that the consumer takes for its events is not the peer's: only the total goes on meanwhile.
- Total time bounds the waits too: a wait that would end after it is not begun. Once it has passed, no action is begun.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from sansio_claude._call.actions import Action, Authorize, Authorizer, CallSettings, Deliver, Done, Receive, Wait
from sansio_claude._call.answer import Answer, Wanted
from sansio_claude._call.attempts import Attempts
from sansio_claude._call.connection import Connection
from sansio_claude._call.conversation import ANSWER, ENDED, KEPT, UNEXPECTED, Conversation
from sansio_claude._call.deadlines import Deadlines
from sansio_claude._call.place import Place
from sansio_claude._call.pool import Home, Pool
from sansio_claude._call.timeouts import NEVER
from sansio_claude._call.view import CallView
from sansio_claude._errors import ClaudeError, LocalProtocolError
from sansio_claude._http.chunked import ChunkedDecoder
from sansio_claude._http.exchange import HTTPExchange, WrittenHead
from sansio_claude._http.framing import keep_alive
from sansio_claude._request.endpoint import Headers, RequestHead
from sansio_claude._stream.events import Event, Ping
from sansio_claude._stream.message_stream import MessageStream

if TYPE_CHECKING:
    from sansio_claude._call.trace import Trace, TraceKind
    from sansio_claude._connect.tls import TLSExchange

__all__ = ["Call"]

NEW, POOL, EXCHANGE, BACKOFF, COMPLETE, OVER, AUTHORIZE = range(7)
_PHASES: Final = ("new", "waiting for a place", "under way", "waiting to retry", "complete", "over", "being signed")


class Call(CallView):
    """One request. Ask `next_action(now)`, do it, report how it went, and so on until `Done`.

    `head` and `body` are the request, `wanted` says what is to be made of the answer, `written` is the head as HTTP if
    that is at hand, `request` is what an onlooker is shown for the request. Times are seconds on any clock that never
    goes back. Whoever drives it closes what `Pool.discarded()` gives, before every wait and at the end.
    """

    __slots__ = (
        "__weakref__",
        "_body",
        "_chunks",
        "_conversation",
        "_deadlines",
        "_delivered",
        "_delivered_at",
        "_direct",
        "_error",
        "_events",
        "_exchange",
        "_head",
        "_interrupted",
        "_phase",
        "_secrets",
        "_settings",
        "_tls",
        "_trace",
        "_wanted",
        "_written",
        "authorize",
        "driven",
        "handle",
        "home",
    )

    def __init__(
        self,
        head: RequestHead,
        body: bytes,
        *,
        wanted: Wanted,
        pool: Pool[Connection],
        settings: CallSettings,
        written: WrittenHead | None = None,
        request: object = None,
    ) -> None:
        if head.tls and settings.tls is None:
            raise LocalProtocolError("an https address needs TLS: settings.tls is missing")
        self._head = head
        self._written = written or WrittenHead(method=head.method, target=head.target, headers=head.headers)
        self._body = body
        self._wanted: Wanted = wanted
        self._place = Place(pool)
        self._settings = settings
        self._trace: Trace | None = None
        if settings.trace is not None:
            from sansio_claude._call.trace import Trace  # few are looked at

            self._trace = Trace(settings.trace, settings.tap, head, request, wanted)
        self._deadlines = Deadlines(settings.timeouts)
        proxy = settings.proxy
        self._secrets = head.secrets if proxy is None else (*head.secrets, *proxy.secrets)
        self._phase = NEW
        self.authorize: Authorizer | None = settings.authorize
        self._attempts = Attempts(settings.retry, settings.chance, signed=settings.authorize is not None)
        self._conversation: Conversation | None = None
        self._events: list[Event] | None = None
        self._direct: MessageStream | None = None  # the stream, while bytes go to it directly
        self._tls: TLSExchange | None = None
        self._chunks: ChunkedDecoder | None = None
        self.handle: Any = None
        """The adapter's object of the connection in use."""
        self.driven: bool = False
        """Whether an adapter is at work on it, as only one task at a time may be. Set by the adapter."""
        self.home: Home | None = None
        """Where it runs. Set by the adapter."""
        self._exchange, self._answer = self._make_exchange()
        self._delivered = False
        self._interrupted = False
        self._delivered_at = NEVER
        self._error: ClaudeError | None = None

    def __repr__(self) -> str:
        status = "no answer yet" if self.response is None else f"status {self.response.status}"
        return f"<Call {_PHASES[self._phase]}, {status}, {len(self.attempts)} failed attempts>"

    @property
    def done(self) -> bool:
        """Whether all is over and well, and every event given: `Done(None)` is all that is left to be said."""
        return self._phase == OVER and self._error is None and self._events is None

    # What is to be done

    def next_action(self, now: float) -> Action:
        """What the adapter has to do now. Asking again gives the same, except that events are given once."""
        events = self._events
        if self._interrupted:
            self.abandon()
        elif events is not None:
            self._events = None
            self._delivered_at = now
            if not self._delivered and any(type(event) is not Ping for event in events):
                self._delivered = True
                self._body = b""  # it will not be sent again, and may be large
            return Deliver(events)
        if self._direct is not None:
            return Receive(self._resume(now))
        if self._phase == EXCHANGE:
            self._resume(now)
        elif self._phase == NEW:
            self._deadlines.start(now)
            self._begin(now)
        elif self._phase == BACKOFF:
            if now < self._deadlines.step_at:
                return Wait(self._deadlines.step_at, "backoff")
            self._exchange, self._answer = self._make_exchange()
            self._begin(now)
        elif self._phase == POOL and self._place.granted:
            self._take_place(now, waited=True)
        if now >= self._deadlines.total_at and self._phase in (AUTHORIZE, POOL, EXCHANGE):
            self.deadline_passed(now)  # before the action: what can be done at once would be done all the same
        if self._phase == POOL:
            return Wait(self._deadlines.nearest(), "pool")
        if self._phase == EXCHANGE and self._conversation is not None:
            return self._conversation.next_action()
        if self._phase == AUTHORIZE:
            return Authorize(self._head, self._body, self._deadlines.nearest())
        return Done(self._error)

    def _resume(self, now: float) -> float:
        """Read again: the time that the consumer took for its events is not silence of the peer's."""
        if self._delivered_at < now:
            self._deadlines.delay(now - self._delivered_at)
        self._delivered_at = NEVER
        return self._deadlines.nearest()

    def on_wake(self, wake: Callable[[], object] | None) -> None:
        """`wake` is called once when a Wait or a Connect has nothing left to wait for: there is a place, or the call
        was given up by another task. It must not call back into the call. None when nobody waits any more.
        """
        self._place.on_wake(wake)

    # What is reported

    def waited(self, now: float) -> None:
        """A Wait is over."""
        if self._phase == BACKOFF:
            self._deadlines.set_step(now)

    def authorized(self, headers: Headers, now: float) -> None:
        """The headers that an Authorize asked for. Raises LocalProtocolError where they cannot be sent."""
        if self._phase != AUTHORIZE:
            self._current()
        head = self._head.signed(headers)
        self._written = WrittenHead(method=head.method, target=head.target, headers=head.headers)
        self._secrets = (*self._secrets, *head.secrets)
        if self._trace is not None:
            self._trace.head = head
        self._exchange, self._answer = self._make_exchange()
        self._ask_place(now)

    def connected(self, handle: Any, now: float) -> None:
        """The TCP connection is open."""
        conversation = self._current()
        self.handle = handle
        conversation.connected(handle, now)
        self._follow_up(now)

    def connect_failed(self, cause: BaseException, now: float) -> None:
        """There is no TCP connection."""
        self._current().connect_failed(cause)
        self._follow_up(now)

    def sent(self, now: float, count: int | None = None) -> None:
        """The data of a Send are written: all of them, or the first `count` bytes, because there is something to
        read before the rest can be written."""
        self._current().sent(now, count)
        self._follow_up(now)

    def send_failed(self, cause: BaseException, now: float) -> None:
        """The data of a Send could not be written."""
        self._current().send_failed(cause, now)
        self._follow_up(now)

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes came."""
        events = self.receive_events(data, now)
        if events is not None:
            self._events = events

    def reading_until(self, now: float) -> float | None:
        """The deadline of the Receive that `next_action` has, where only events are coming; else None: ask that."""
        if self._direct is None or self._events is not None or self._interrupted:
            return None
        return self._resume(now)

    def receive_events(self, data: bytes, now: float) -> list[Event] | None:
        """`receive_data`, and the events that a Deliver has behind it, if nothing else is to be done.

        While nothing but events comes, the way is short: between two events a processor has forgotten this code, so
        that each object touched costs more than what it does (a third of an event, measured). Whatever else shows up
        is left to the conversation, which can do all of this by itself; a test holds both ways equal.
        """
        stream = self._direct
        if stream is None:
            self._delivered_at = NEVER
            self._current().receive_data(data, now)
            self._follow_up(now)
            return None
        deadlines, tls, chunks = self._deadlines, self._tls, self._chunks
        events: list[Event] = []
        done = False
        try:
            if tls is not None:
                tls.receive_data(data)
                data = tls.plaintext_received()
                if not tls.idle:
                    self._leave_direct(data, events, now)
                    return None
            if chunks is not None and (body := chunks.receive_chunk(data)):
                stream.receive_data(body)
            else:
                exchange = self._exchange
                exchange.receive_data(data)
                while pieces := exchange.pieces_received():
                    stream._receive_pieces(pieces)
                done = exchange.done
            events = stream.events_received()
        except ClaudeError:
            pass  # it is raised again to the conversation
        else:
            good = events and type(events[-1]) is not Ping and not done and stream._state == "open"
            if good and self._events is None and deadlines.events_received(now):
                if self._delivered and not self._interrupted:
                    self._delivered_at = now
                    return events
                self._events = events
                return None
        self._leave_direct(b"", events, now)
        return None

    def _leave_direct(self, plain: bytes, events: list[Event], now: float) -> None:
        self._direct = None
        self._delivered_at = NEVER
        self._current().take_over(plain, events, now)
        self._follow_up(now)

    def receive_eof(self, now: float) -> None:
        """The connection's bytes have ended."""
        self._current().receive_eof(now)
        self._follow_up(now)

    def receive_failed(self, cause: BaseException, now: float) -> None:
        """The connection broke."""
        self._current().receive_failed(cause, now)
        self._follow_up(now)

    def deadline_passed(self, now: float) -> None:
        """The deadline of the action passed before it was done."""
        if self._interrupted:
            self.abandon()
        elif self._phase == BACKOFF:
            self.waited(now)
        elif self._phase in (POOL, AUTHORIZE):
            self._fail(self._deadlines.passed(self._head.host), now)
        else:
            self._current().deadline_passed(now)
            self._follow_up(now)

    def close(self, now: float) -> None:
        """The user wants no more. A connection whose answer is whole may be kept: go on to `Done`."""
        if not self._answer.whole:
            self.abandon()
            return
        self._events = None
        if self._phase == COMPLETE and self._conversation is not None:
            self._phase = EXCHANGE
            self._conversation.finish(now)
            self._follow_up(now)

    def abandon(self) -> None:
        """Cancelled or dropped: give up the place and the connection, at once. Waits for nothing."""
        self._direct = self._events = None
        if self._phase != OVER:
            if not self._answer.whole:
                self._error = LocalProtocolError("this call was given up before its answer was whole")
            self._place.leave(0.0, reusable=False)
            self._place.wake()
            self._end(None)
        self._place.wake()

    # Attempts

    def _make_exchange(self) -> tuple[HTTPExchange, Answer]:
        settings = self._settings
        tap = None if self._trace is None else self._trace.tap
        exchange = HTTPExchange(written=self._written, body=self._body, limits=settings.limits)
        answer = Answer(exchange, wanted=self._wanted, settings=settings, secrets=self._secrets, tap=tap)
        return exchange, answer

    def _begin(self, now: float) -> None:
        """Begin an attempt."""
        self._attempts.begin(now)
        self._conversation = None
        if self.authorize is None:
            self._ask_place(now)
        else:
            self._phase = AUTHORIZE
            self._deadlines.begin("total", now)

    def _ask_place(self, now: float) -> None:
        head = self._head
        if self._attempts.last:
            self._body = b""  # it will not be sent again, and may be large
        self._trace_step("attempt", now)
        try:
            self._place.ask((head.host, head.port, head.tls), now, fresh=self._attempts.fresh, home=self.home)
        except LocalProtocolError as error:
            self._finish(error, now)
            return
        self._phase = POOL
        self._deadlines.begin("pool", now)
        if self._place.granted:
            self._take_place(now, waited=False)
        else:
            self._trace_step("pool", now)

    def _take_place(self, now: float, *, waited: bool) -> None:
        head, settings = self._head, self._settings
        try:
            connection = self._place.take(waited=waited)
        except LocalProtocolError as error:
            self._finish(error, now)
            return
        self._trace_step("connect" if connection is None else "reused", now)
        if connection is None:
            connection = self._place.connection = Connection(
                host=head.host, port=head.port, secure=head.tls, settings=settings
            )
        self.handle = connection.handle
        self._phase = EXCHANGE
        self._conversation = Conversation(connection, self._exchange, self._answer, deadlines=self._deadlines, now=now)
        self._follow_up(now)

    def interrupt(self) -> None:
        """Have it given up by the thread that drives it, at its next step, which comes at once. From any thread."""
        self._interrupted = True
        wire = self.handle
        if wire is not None:
            wire.close()
        self._place.wake()

    def _current(self) -> Conversation:
        if self._interrupted:
            self.abandon()
        if self._conversation is None or self._phase != EXCHANGE:
            if self._phase == OVER and self._error is not None:
                raise self._error.with_traceback(None)  # given up by one task while another was at work on it
            raise LocalProtocolError(UNEXPECTED)
        return self._conversation

    def _follow_up(self, now: float) -> None:
        """Take what the conversation has to give after a report, and see whether it has ended."""
        conversation = self._conversation
        assert conversation is not None
        if conversation.steps:
            steps, conversation.steps = conversation.steps, ()
            if self._trace is not None:
                for step in steps:
                    self._trace_step(step, now)
        if conversation.events is not None:
            self._events = [*(self._events or ()), *conversation.events]
            conversation.events = None
        phase = conversation.phase
        self._direct = None
        if phase == ANSWER:
            direct = self._trace is None or (conversation.content_seen and self._trace.tap is None)
            if (
                direct
                and conversation.only_events
                and self._settings.require_message_stop
                and self._place.connection is not None
            ):
                self._direct, self._tls = self._answer.stream, self._place.connection.tls
                self._chunks = self._exchange.chunks
        elif phase == ENDED:
            if conversation.error is None:
                self._give_back(now)
                self._end(now)
            else:
                self._fail(conversation.error, now, repeatable=conversation.repeatable)
        elif phase == KEPT:
            self._phase = COMPLETE

    # The end of an attempt and of the call

    def _give_back(self, now: float) -> None:
        """Give the place back, the connection too if it can be used again."""
        conversation, head = self._conversation, self._answer.head
        keep = None if head is None else keep_alive(head.get("keep-alive"))
        self._place.leave(now, reusable=conversation is not None and conversation.reusable, keep=keep)
        self.handle = None

    def _fail(self, error: ClaudeError, now: float, *, repeatable: bool = False) -> None:
        """The attempt failed. `repeatable`: another one would be safe, and may succeed."""
        reused, conversation = self._place.reused, self._conversation
        self._give_back(now)
        self._answer.add_details(error)
        at = self._attempts.fail(
            error,
            now,
            answer=self._answer,
            answered=self._exchange.received > 0,
            conversation=conversation,
            reused=reused,
            repeatable=repeatable and not self._delivered,
            total_at=self._deadlines.total_at,
        )
        self._trace_step("failed", now, error=error)
        if at is None:
            self._finish(error, now)
            return
        self._conversation = self._events = None  # events that nobody has been given are nobody's
        self._phase = BACKOFF
        self._deadlines.set_step(at)
        self._trace_step("retry", now, wait=at - now)

    def _finish(self, error: ClaudeError, now: float) -> None:
        error.attempts = self._attempts.failed
        self._error = error
        self._end(now)

    def _end(self, now: float | None) -> None:
        """Whoever keeps the call for its message need not keep the connection and the request."""
        self._phase = OVER
        self._conversation = self.handle = None
        self._body = b""
        self._trace_step("done", now, error=self._error)

    def _trace_step(
        self, kind: TraceKind, now: float | None, *, error: ClaudeError | None = None, wait: float | None = None
    ) -> None:
        if self._trace is not None:
            self._trace(kind, now, self._attempts.number, self._answer, error=error, wait=wait)
