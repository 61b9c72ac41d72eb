"""Answer: what becomes of one HTTP answer: events and a message, a JSON value, or an error.

    head -> (sniff) -> stream   events, until message_stop or an error
                    -> whole    one JSON value, parsed at the end of the body
         -> refusal             any status but 200: its body, as far as it comes, for an APIError

Rules:

- A redirect is a refusal like any other; it is never followed.
- What the body is, its first bytes say, since gateways send event streams under any content type and none, and error
  pages under status 200. A whole message where a stream was asked for is handed out as the events of one; any other
  answer that was not asked for is refused in words that say what came.
- After message_stop nothing that happens to the body matters.
- Where the body breaks, the events before the place come first.
- A refusal is reported by its status even if its body is cut, broken, endless or late.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from sansio_claude._errors import (
    APIError,
    ClaudeError,
    LimitError,
    RemoteProtocolError,
    TruncatedError,
    refusal,
)
from sansio_claude._errors.api import may_be_repeated
from sansio_claude._errors.error_object import error_object
from sansio_claude._errors.headers import header_dict, request_id, should_retry
from sansio_claude._http.exchange import HTTPExchange, ResponseHead
from sansio_claude._json import EXCERPT, loads_with_halves, without_halves
from sansio_claude._message.halves import mend_message
from sansio_claude._message.message import Message, message_from_object
from sansio_claude._stream.endings import is_whole_message
from sansio_claude._stream.events import ErrorEvent, Event, Ping
from sansio_claude._stream.message_stream import MessageStream

if TYPE_CHECKING:
    from sansio_claude._call.actions import CallSettings

__all__ = ["Answer", "Wanted"]

Wanted: TypeAlias = Literal["stream", "message", "whole", "json"]
"""What the caller asked for: events as they come; a message, streamed on the wire; a message as one JSON value;
any JSON object."""

Stage: TypeAlias = Literal["head", "sniff", "stream", "whole", "refusal"]

_SNIFF: Final = 64  # bytes of white space before anything that is not an event stream is taken for one
_USUAL: Final = b"event: "  # what streams begin with, as a rule
_BLANK: Final = b" \t\r\n"
_BOM: Final = b"\xef\xbb\xbf"


class Answer:
    """One answer. Bytes of HTTP go in; see the attributes for what comes out."""

    __slots__ = (
        "_bodies",
        "_exchange",
        "_limits",
        "_may_lack_stop",
        "_redactors",
        "_secrets",
        "_size",
        "_tap",
        "_value",
        "_wall",
        "error",
        "events",
        "head",
        "over",
        "produced",
        "progress",
        "retryable",
        "stage",
        "stream",
        "wanted",
    )

    def __init__(
        self,
        exchange: HTTPExchange,
        *,
        wanted: Wanted,
        settings: CallSettings,
        secrets: tuple[str, ...],
        tap: Callable[[bytes], None] | None = None,
    ) -> None:
        self._exchange = exchange
        self.wanted: Wanted = wanted
        self._limits = limits = settings.limits
        self._secrets = secrets
        self._redactors = settings.redactors
        self._wall = settings.wall
        self._tap = tap
        self._bodies: list[bytes] = []
        self._size = 0
        self.stage: Stage = "head"
        self.head: ResponseHead | None = None
        self.stream = MessageStream(
            limits=limits,
            strict=settings.strict,
            tolerance=settings.tolerance,
            require_message_stop=settings.require_message_stop,
        )
        self._may_lack_stop = not settings.require_message_stop
        self.events: list[Event] = []
        """Events that have come and were not taken yet; the taker puts an empty list here."""
        self.progress = 0
        """How many times something other than pings has come; what the progress deadline looks at."""
        self.produced = False
        """Whether any event but pings and an error has come."""
        self.over = False
        """Whether nothing more is needed: `error` says what went wrong, None if the answer is whole."""
        self.error: ClaudeError | None = None
        self.retryable = False
        """Whether the error is one that the server may not repeat."""
        self._value: Message | dict[str, Any] | None = None  # of an answer that is one JSON value

    @property
    def message(self) -> Message | None:
        """The message so far."""
        message = self._value if isinstance(self._value, Message) else self.stream.message
        if message is not None and message.request_id is None:
            message.request_id = self.request_id
        return message

    @property
    def result(self) -> Message | dict[str, Any] | None:
        """The message or the JSON object, once the answer is whole; None before."""
        if not self.whole:
            return None
        message = self.message
        return self._value if message is None else message

    @property
    def status(self) -> int | None:
        """The HTTP status, None before the head."""
        return None if self.head is None else self.head.status

    @property
    def request_id(self) -> str | None:
        """The API's id of the request."""
        if self.head is None:
            return None
        found = request_id(self.head.get)
        return None if found is None else self._redactors.of(self._secrets).text(found)

    @property
    def whole(self) -> bool:
        """Whether all of it is there, and good."""
        return self.over and self.error is None

    @property
    def lacks_only_stop(self) -> bool:
        """Whether only message_stop is missing, and the caller does without it."""
        return self._may_lack_stop and self.stream.complete_but_for_stop

    def end_without_stop(self) -> None:
        """message_stop was waited for long enough. Only where nothing else is missing."""
        self.stream.receive_eof()
        self._take_events(self.stream)

    def receive_data(self, data: bytes) -> None:
        """Take bytes of the answer. Raises nothing."""
        self._exchange.receive_data(data)
        if self.stage == "stream":
            self._receive_stream()
        else:
            self._receive()

    def add_events(self, events: list[Event]) -> None:
        """Take events that came out of the stream."""
        if events:
            if type(events[-1]) is not Ping or any(type(event) is not Ping for event in events):
                self.progress += 1
                if not self.produced:
                    self.produced = type(events[0]) not in _NOTHING or any(type(e) not in _NOTHING for e in events)
            self.events = [*self.events, *events] if self.events else events

    def receive_eof(self, *, clean: bool = True) -> None:
        """The connection has ended; `clean` says that nobody can have cut it. Raises nothing."""
        self._exchange.receive_eof(clean=clean)
        if self.stage == "stream":
            self._receive_stream()
        else:
            self._receive()

    def fail(self, error: ClaudeError | None = None) -> None:
        """End the answer with an error: what a refusal says, whatever else went wrong; else what the stream itself
        ended with; else this one. Without one only at a refusal."""
        if self.stage == "refusal":
            error = self._refusal()
        else:
            self._take_events(self.stream)
            if self.over:
                return
        assert error is not None
        self.over = True
        self.error = error
        error.partial = self.message

    def add_details(self, error: ClaudeError) -> None:
        """Give an error what is known of the answer, and take every secret out of it."""
        if error.request_id is None:
            error.request_id = self.request_id
        if error.partial is None:
            error.partial = self.message
        self._redactors.of(self._secrets).error(error)

    def discard_rest(self, data: bytes) -> bool:
        """Take bytes behind the end of the message; True once the body has ended, or is broken and never will."""
        self._exchange.receive_data(data)
        try:
            while self._exchange.body_received():
                pass
        except ClaudeError:
            return True
        return self._exchange.done

    def _take_body(self) -> bytes:
        """Bytes of the body, which an onlooker may want to be told."""
        body = self._exchange.body_received()
        if body and self._tap is not None:
            self._tap(body)
        return body

    def _take_pieces(self) -> list[bytes]:
        """What `_take_body` takes, not joined where nobody is told of it."""
        if self._tap is None:
            return self._exchange.pieces_received()
        body = self._take_body()
        return [body] if body else []

    def _receive_stream(self) -> None:
        exchange, stream = self._exchange, self.stream
        try:
            while pieces := self._take_pieces():
                stream._receive_pieces(pieces)
        except ClaudeError as error:
            self.fail(error)
            return
        if exchange.done:
            stream.receive_eof()
        self._take_events(stream)

    def _receive(self) -> None:
        """Every stage but the stream."""
        try:
            if self.stage == "head":
                self._begin()
            while self.stage not in ("head", "stream") and not self.over and (body := self._take_body()):
                self._collect(body)
        except ClaudeError as error:
            self.fail(error)
            return
        if self.over:
            return
        if self.stage == "stream":
            self._receive_stream()
        elif self._exchange.done:
            self._end()

    def _begin(self) -> None:
        head = self._exchange.head
        if head is None:
            self._exchange.body_received()  # raises if the head is broken
            return
        self.head = head
        self.stage = "sniff" if head.status == 200 else "refusal"
        if self.stage == "sniff" and self.wanted in ("stream", "message"):
            pieces = self._take_pieces()
            if pieces and pieces[0].startswith(_USUAL):
                self.stage = "stream"  # the usual first bytes: there is nothing to collect
                self.stream._receive_pieces(pieces)
            elif pieces:
                self._collect(b"".join(pieces))

    def _collect(self, body: bytes) -> None:
        """Keep bytes of a body that is not a stream, or not known to be one yet."""
        self._bodies.append(body)
        self._size += len(body)
        if self.stage == "sniff":
            self._sniff()
        elif self.stage == "refusal":
            if self._size >= self._limits.error_body:
                self.fail()
        elif self._size > self._limits.message:
            value = self._limits.message
            self.fail(
                LimitError(
                    f"the answer is longer than {value} bytes (Limits.message)",
                    limit="message",
                    value=value,
                    stage="message",
                )
            )

    def _sniff(self) -> None:
        start = b"".join(self._bodies)
        kind = _kind(start)
        if kind == "gzip":
            self.fail(_unusable("is gzip without a Content-Encoding header that says so", start))
        elif kind == "html":
            self.fail(_unusable("is an HTML page; is this the address of the API?", start))
        elif kind == "json":
            self.stage = "whole"
        elif kind == "stream":
            if self.wanted in ("whole", "json"):
                named = start.removeprefix(_BOM).lstrip(_BLANK).startswith(_FIELDS)
                words = "is an event stream, which was not asked for" if named else "is not JSON in UTF-8"
                self.fail(_unusable(words, start))
                return
            self.stage = "stream"
            self._bodies.clear()
            self.stream.receive_data(start)

    def _end(self) -> None:
        """The body has ended."""
        if self.stage == "refusal":
            self.fail()
        elif self.stage == "whole":
            self._parse(b"".join(self._bodies))
        else:
            words = "the body of the answer is empty"
            self.fail(TruncatedError(f"{words}: it ended before the message began", stage="message", offset=0))

    def _take_events(self, stream: MessageStream) -> None:
        try:
            self.add_events(stream.events_received())
            if stream.state != "open":
                self.over = True
                if stream.state != "complete":
                    stream.events_received()  # raises what ended it
        except ClaudeError as error:
            self.over = True
            self.error = error
            if isinstance(error, APIError):
                assert self.head is not None
                from sansio_claude._errors.rate_limits import rate_limits

                error.rate_limits = rate_limits(self._headers(self.head))
                error.retryable = may_be_repeated(error.type, error.code, error.status, should_retry(self.head.get))
                self.retryable = error.retryable and (self.wanted != "stream" or not self.produced)

    def _parse(self, body: bytes) -> None:
        try:
            value, has_halves = loads_with_halves(body.removeprefix(_BOM), self._limits.depth)
            if error_object(value) is not None:
                self.stage = "refusal"
                self.fail()
            elif not isinstance(value, dict):
                self.fail(_unusable("is JSON, but no object", body))
            elif self.wanted == "json":
                self._value = without_halves(value) if has_halves else value
                self.over = True
            elif self.wanted == "stream" and is_whole_message(value):
                self._hand_out_message(body)
            else:
                if has_halves:
                    mend_message(value)
                self._value = message_from_object(value)
                self.over = True
        except ClaudeError as error:
            if isinstance(error, RemoteProtocolError) and not error.excerpt:
                error.excerpt = body[:EXCERPT]
            self.fail(error)

    def _hand_out_message(self, body: bytes) -> None:
        """A whole message came where a stream was asked for: its events are handed out, with a deviation."""
        self.stream.receive_data(body)
        self.stream.receive_eof()
        self._take_events(self.stream)

    def _refusal(self) -> APIError:
        """The error of an answer that says no, with what has come of its body."""
        head = self.head
        assert head is not None
        body = self._redactors.of(self._secrets).data(b"".join(self._bodies)[: self._limits.error_body])
        error = refusal(head.status, self._headers(head), body, wall=self._wall)
        self.retryable = error.retryable
        return error

    def _headers(self, head: ResponseHead) -> dict[str, str]:
        """The header by names in lower case, without secrets."""
        redactor = self._redactors.of(self._secrets)
        return {name: redactor.text(value) for name, value in header_dict(head.headers).items()}


_NOTHING: Final = frozenset({Ping, ErrorEvent})


def _unusable(words: str, start: bytes) -> RemoteProtocolError:
    """The error of a body that is neither what was asked for nor a refusal."""
    return RemoteProtocolError(f"the body of the answer {words}", stage="message", excerpt=start[:EXCERPT], offset=0)


_FIELDS: Final = (b"event:", b"data:", b"id:", b"retry:", b":")  # how a line of an event stream begins


def _kind(start: bytes) -> Literal["stream", "json", "html", "gzip"] | None:
    """What a body that begins so is; None where more of it is needed to tell."""
    if start.startswith(b"\x1f\x8b"):
        return "gzip"
    text = start.removeprefix(_BOM).lstrip(_BLANK)
    if not text:
        return "stream" if len(start) > _SNIFF else None
    if start in (b"\x1f", b"\xef", b"\xef\xbb"):
        return None
    if text[:1] == b"<":
        return "html"
    # A line of an event stream begins with the name of a field or a colon, a JSON value with none of their letters
    # except `n`, `t` and `f`, and none of the four fields begins with those.
    return "json" if text[:1] in b'{["-0123456789ntf' else "stream"
