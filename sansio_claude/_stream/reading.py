"""iter_events, aiter_events: an iterable of body bytes in, the events of the answer out, and its whole message.

They do for the body of any HTTP library what a client does: a status that says no becomes its APIError, a coded body
is decoded, and an end before the message is whole is an error. They read only as far as message_stop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from typing import Any, Final, Protocol, Self, TypeAlias, final

from sansio_claude._copies import NotCopied
from sansio_claude._errors import ClaudeError, LocalProtocolError, RemoteProtocolError, refusal
from sansio_claude._errors.arguments import as_bytes
from sansio_claude._errors.headers import header_dict, header_pairs
from sansio_claude._http.content_encoding import ContentDecoder, content_coding
from sansio_claude._limits import Limits, limits_of
from sansio_claude._message.message import Message
from sansio_claude._stream.deviations import Deviation, Tolerance
from sansio_claude._stream.events import Event
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude._value import an

__all__ = ["AsyncEventIterator", "EventIterator", "aiter_events", "iter_events"]


class HasItems(Protocol):
    """Header fields of a library whose class is no mapping, as http.client and urllib have them."""

    def items(self) -> Iterable[tuple[Any, Any]]:
        """The fields, name and value."""
        ...


Headers: TypeAlias = Mapping[Any, Any] | HasItems | Iterable[tuple[Any, Any]]
"""Header fields as HTTP libraries have them: a mapping or pairs, names and values str or bytes."""

_TEXT: Final = frozenset(b'edir:{[<"\n\r\t \xef')  # how event streams, JSON texts and pages begin


class _Body:
    """What both iterators share: bytes of the body in, events out in order, then the message or the error."""

    def __init__(self, stream: MessageStream, status: int, headers: Headers, limits: Limits) -> None:
        self.stream = stream
        self.ended: bool = False
        self.events: deque[Event] = deque()
        self._status = status
        self._pairs = header_pairs(headers)
        self._limits = limits
        self._decoder: ContentDecoder | None = None
        self._begun = False
        self._refusal: list[bytes] = []  # the beginning of the body of a status that says no
        self._refusal_size = 0
        self._error: ClaudeError | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more is needed of the body."""
        return self.ended or self._error is not None or self.stream.state != "open"

    def receive(self, chunk: bytes | bytearray | memoryview) -> None:
        """Take some bytes as they were transferred."""
        data = as_bytes(chunk)
        if not self._begun and data:
            self._begun = True
            try:
                self._decoder = _decoder(self._pairs, data, self._limits)
            except RemoteProtocolError as error:
                if not self._refused:  # the status of a refusal says what matters
                    self._error = error
                    return
        if self._decoder is None:
            self._take(data)
            return
        self._decoder.receive_data(data)
        self._take_decoded(self._decoder)

    def end(self) -> None:
        """The body has ended."""
        self.ended = True
        if self._decoder is not None:
            self._decoder.finish()
            self._take_decoded(self._decoder)
        if self._error is not None:
            return
        if self._refused:
            self._refuse()
        else:
            self.stream.receive_eof()
            self._collect()

    def raise_error(self) -> None:
        """Raise what the answer ended with, if that was an error."""
        if self._error is not None:
            raise self._error.with_traceback(None)

    @property
    def _refused(self) -> bool:
        return not 200 <= self._status < 300

    def _take_decoded(self, decoder: ContentDecoder) -> None:
        while True:
            try:
                data = decoder.body_received()
            except RemoteProtocolError as error:
                if not self.over:
                    error.partial = self.stream.message
                    self._error = error
                return
            if not data:
                return
            self._take(data)

    def _take(self, data: bytes) -> None:
        if not self._refused:
            self.stream.receive_data(data)
            self._collect()
            return
        self._refusal.append(data)
        self._refusal_size += len(data)
        if self._refusal_size >= self._limits.error_body:
            self._refuse()

    def _collect(self) -> None:
        """Take over the events of the stream, and the error that ended it."""
        try:
            self.events += self.stream.events_received()
            if self.stream.state not in ("open", "complete"):
                self.stream.events_received()
        except ClaudeError as error:
            self._error = error

    def _refuse(self) -> None:
        body = b"".join(self._refusal)[: self._limits.error_body]
        self._error = refusal(self._status, header_dict(self._pairs), body, wall=lambda: None)


class _Result(NotCopied):
    """What can be asked of either iterator."""

    __slots__ = ("_body",)
    _instead = "it reads from an iterable: copy a MessageStream instead, which is given its bytes"

    def __init__(self, body: _Body) -> None:
        self._body = body

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._body.stream!r}, {len(self._body.events)} events to be read>"

    @property
    def message(self) -> Message:
        """The whole message. Raises LocalProtocolError before the events have been read to their end.

        Where the answer ended with an error that error is raised.
        """
        self._body.raise_error()
        if not self._body.stream.done:
            raise LocalProtocolError("the message is not whole yet: read the events to their end first")
        message = self._body.stream.message
        assert message is not None
        return message

    @property
    def partial(self) -> Message | None:
        """The message so far, live; None before message_start."""
        return self._body.stream.message

    @property
    def deviations(self) -> list[Deviation]:
        """What the peer did that the protocol does not say, in order."""
        return self._body.stream.deviations


@final
class EventIterator(_Result):
    """The events of one answer, in order. `message` is the whole message once they have been read to their end."""

    __slots__ = ("_chunks",)

    def __init__(self, body: _Body, chunks: Iterable[bytes]) -> None:
        super().__init__(body)
        try:
            self._chunks = iter(chunks)
        except TypeError:
            words = f"chunks is an iterable of bytes, not {an(type(chunks).__name__)}"
            raise LocalProtocolError(words, path="chunks") from None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        body = self._body
        while not body.events:
            if body.over:
                body.raise_error()
                raise StopIteration
            try:
                chunk = next(self._chunks)
            except StopIteration:
                body.end()
            else:
                body.receive(chunk)
        return body.events.popleft()


@final
class AsyncEventIterator(_Result):
    """The events of one answer, in order. `message` is the whole message once they have been read to their end."""

    __slots__ = ("_chunks",)

    def __init__(self, body: _Body, chunks: AsyncIterable[bytes]) -> None:
        super().__init__(body)
        try:
            self._chunks: AsyncIterator[bytes] = aiter(chunks)
        except TypeError:
            words = f"chunks is an asynchronous iterable of bytes, not {an(type(chunks).__name__)}"
            raise LocalProtocolError(words, path="chunks") from None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        body = self._body
        while not body.events:
            if body.over:
                body.raise_error()
                raise StopAsyncIteration
            try:
                chunk = await anext(self._chunks)
            except StopAsyncIteration:
                body.end()
            else:
                body.receive(chunk)
        return body.events.popleft()


def iter_events(
    chunks: Iterable[bytes],
    *,
    status: int = 200,
    headers: Headers = (),
    limits: Limits | None = None,
    strict: bool = False,
    tolerance: Tolerance | None = None,
    require_message_stop: bool = True,
) -> EventIterator:
    """The events of an answer whose body comes as `chunks`, as `MessageStream` gives them; `.message` after them.

        events = iter_events(response.iter_raw(), status=response.status_code, headers=response.headers)
        for event in events:
            print(text_of(event), end="")
        message = events.message

    `status` and `headers` are those of the answer: a status that says no raises its APIError, a body in gzip or
    deflate (`Content-Encoding`) is decoded unless the HTTP library has done so already. The iteration ends at
    message_stop, without asking for more chunks; it raises TruncatedError where the chunks end before, and whatever
    `MessageStream.events_received` raises. `chunks` is never closed here, and what it raises passes through.
    """
    return EventIterator(_body(status, headers, limits, strict, tolerance, require_message_stop), chunks)


def aiter_events(
    chunks: AsyncIterable[bytes],
    *,
    status: int = 200,
    headers: Headers = (),
    limits: Limits | None = None,
    strict: bool = False,
    tolerance: Tolerance | None = None,
    require_message_stop: bool = True,
) -> AsyncEventIterator:
    """`iter_events` for chunks that come asynchronously, on any event loop: `async for event in aiter_events(...)`."""
    return AsyncEventIterator(_body(status, headers, limits, strict, tolerance, require_message_stop), chunks)


def _body(
    status: int,
    headers: Headers,
    limits: Limits | None,
    strict: bool,
    tolerance: Tolerance | None,
    require_message_stop: bool,
) -> _Body:
    if not isinstance(status, int) or isinstance(status, bool):
        raise LocalProtocolError(f"the status of an answer is an int, not {an(type(status).__name__)}", path="status")
    stream = MessageStream(limits=limits, strict=strict, tolerance=tolerance, require_message_stop=require_message_stop)
    return _Body(stream, status, headers, limits_of(limits))


def _decoder(pairs: list[tuple[str, str]], start: bytes, limits: Limits) -> ContentDecoder | None:
    """The decoder of a coded body that starts so; None where it is not coded, or no longer.

    Many HTTP libraries decode a body and leave the field in the headers. No event stream and no JSON begins as coded
    data does. Raises RemoteProtocolError for a coding that is not decoded here.
    """
    values = [value.encode("latin-1", "replace") for name, value in pairs if name == "content-encoding"]
    coding = content_coding(values)
    if coding == "" or start[0] in _TEXT:
        return None
    if coding is None:
        named = b", ".join(values).decode("latin-1")
        words = f"the body is coded with {named:.40}, which is not decoded here (gzip and deflate are)"
        raise RemoteProtocolError(f"{words}: send accept-encoding: identity", stage="exchange", excerpt=start[:80])
    return ContentDecoder(coding, limits=limits)
