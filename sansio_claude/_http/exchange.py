"""HTTPExchange: one HTTP/1.1 request and its answer (RFC 9110, RFC 9112).

The states of reading, and what each reads:

    HEAD    bytes up to a blank line; 1xx answers are counted and skipped, the final head decides the framing
    BODY    by chunks, by Content-Length, or up to the end of the connection; content decoding behind it
    OVER    the body has ended, or something was wrong: bytes are counted, and make the connection unusable

h11 writes the heads of requests and reads those of answers. It gets exactly the bytes of each head; body bytes never
pass through it, because it takes 8 to 10 us for each chunk. Of the end of a body it could only learn by being given
all of it, so the rule of RFC 9112 section 9.3 is applied to the heads here: the connection persists unless either
side said `close` or the answer is HTTP/1.0. A body that ends with the connection leaves nothing to reuse. Tests hold
all of it equal to an h11 that is given everything, request, body and trailers.

h11 takes 50 us to write the head of a request. Most requests differ in their bodies only, so the head is written once,
as a `WrittenHead`, and the length is put in. h11 takes another 50 us to read the head of an answer. It is not given the
request (24 us more) nor the last chunk (18 us more), and its state (2 KiB) is not kept while the body comes.

Stricter than h11: only HTTP/1.x is an answer; 101 is refused; an answer with both Transfer-Encoding and
Content-Length is read by its chunks, but its connection is not used again (RFC 9112 section 6.3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias, final

import h11

from sansio_claude._copies import NotCopied
from sansio_claude._errors import LimitError, LocalProtocolError, RemoteProtocolError, TruncatedError
from sansio_claude._errors.arguments import as_bytes
from sansio_claude._http.chunked import ChunkedDecoder
from sansio_claude._http.fields import has_stray_control, request_refusal
from sansio_claude._http.framing import CloseDelimitedBody, LengthBody
from sansio_claude._http.head import (
    HeadReader,
    ResponseHead,
    body_plan,
    decisive,
    head_refusal,
    response_head,
    says_close,
)
from sansio_claude._limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from sansio_claude._http.content_encoding import ContentDecoder

__all__ = ["HTTPExchange", "ResponseHead", "WrittenHead"]

# h11 takes 1xx answers only after a request. This one stands for the request that was sent, whatever that was.
_ASKED: Final = (h11.Request(method="GET", target="/", headers=[("Host", "h")]), h11.EndOfMessage())

_Framing: TypeAlias = ChunkedDecoder | LengthBody | CloseDelimitedBody


_READ: Final = 65_536  # bytes that a blocking socket is asked for at once


@final
class WrittenHead:
    """The head of a request as h11 writes it, for any number of requests that differ in their bodies only.

    Raises LocalProtocolError where it is not legal HTTP, or where a header says how the body is framed: that is what
    differs. The words name the header and never its value.
    """

    __slots__ = ("_bare", "_framed", "keep", "method")

    def __init__(self, *, target: bytes, headers: Sequence[tuple[bytes, bytes]], method: bytes = b"POST") -> None:
        found = decisive(headers)
        if b"content-length" in found or b"transfer-encoding" in found:
            raise LocalProtocolError(
                "a head that is written beforehand has neither Content-Length nor Transfer-Encoding"
            )
        self.method: bytes = method
        self.keep: bool = not says_close(found)
        """Whether the connection may carry another request, as far as this one says."""
        self._framed = _write(method, target, [*headers, (b"Content-Length", b"0")], b"").removesuffix(b"0\r\n\r\n")
        self._bare = b"" if method not in (b"GET", b"HEAD") else _write(method, target, headers, b"")

    def request(self, body: bytes) -> bytes:
        """The whole request with this body."""
        if not body and self._bare:
            return self._bare
        return b"%b%d\r\n\r\n%b" % (self._framed, len(body), body)


@final
class HTTPExchange(NotCopied):
    """One request and its answer.

        exchange = HTTPExchange(method=b"POST", target=b"/v1/messages", headers=[(b"Host", b"..."), ...], body=b"{}")
        exchange.data_to_send()             # the whole request, once
        exchange.receive_data(data)         # never raises for what the peer sent
        exchange.head                       # None until the final head has come
        exchange.body_received()            # decoded body bytes; when none are left, raises what was wrong
        exchange.done, exchange.reusable

    Raises LocalProtocolError where the request is not legal HTTP (a line break in a header, no Host); the words name
    the header and never its value. Content-Length is added where neither it nor Transfer-Encoding is among the
    headers, except for a GET or HEAD without a body. With `written` method, target and headers are those of it.

    Results, errors included, do not depend on how the answer was cut into reads. Time is linear in the bytes.
    """

    __slots__ = (
        "_closed",
        "_content",
        "_count",
        "_error",
        "_framing",
        "_keep",
        "_limits",
        "_method",
        "_reader",
        "_sending",
        "_source",
        "_surplus",
        "done",
        "head",
        "informational",
    )
    _instead = "it belongs to one connection: make another one"

    def __init__(
        self,
        *,
        target: bytes = b"",
        headers: Sequence[tuple[bytes, bytes]] = (),
        method: bytes = b"POST",
        body: bytes = b"",
        limits: Limits = DEFAULT_LIMITS,
        written: WrittenHead | None = None,
    ) -> None:
        self._limits = limits
        if written is not None:
            self._method = written.method
            self._sending = written.request(body)
            self._keep = written.keep
        else:
            found = decisive(headers)
            self._method = method
            self._keep = not says_close(found)
            fields = list(headers)
            framed = b"content-length" in found or b"transfer-encoding" in found
            if not framed and (body or method not in (b"GET", b"HEAD")):
                fields.append((b"Content-Length", b"%d" % len(body)))
            self._sending = _write(method, target, fields, body)
        self._reader: HeadReader | None = HeadReader(limits=limits)
        self._framing: _Framing | None = None
        self._content: ContentDecoder | None = None
        self._source: _Framing | ContentDecoder | None = None
        self._error: RemoteProtocolError | None = None
        self._count = 0  # bytes received, without those that the framing in force has counted
        self._surplus = False
        self._closed = False
        self.head: ResponseHead | None = None
        """The final head, None until it has come. It stays when the body is broken."""
        self.informational: int = 0
        """How many 1xx answers came before the final one."""
        self.done: bool = False
        """The body has ended as its framing and its coding say it should."""

    def __repr__(self) -> str:
        status = self.head.status if self.head is not None else "no answer yet"
        state = "done" if self.done else "closed" if self._closed else "open"
        return f"<HTTPExchange {state}, {status}, {self.received} bytes received>"

    @property
    def received(self) -> int:
        """Raw bytes received, of whatever kind. 0: nothing of an answer has come."""
        return self._count + (self._framing.received if self._framing is not None else 0)

    @property
    def persists(self) -> bool:
        """Whether the connection may outlast the answer, as far as the heads that were exchanged say."""
        return self._keep

    @property
    def reusable(self) -> bool:
        """May the connection carry another request?

        The answer is done, the request was handed out, both sides keep the connection, it has not been closed, and
        no byte came beyond the end of the answer: such bytes must never become the next answer.
        """
        return self.done and self._keep and not (self._surplus or self._closed or self._sending)

    @property
    def chunks(self) -> ChunkedDecoder | None:
        """The decoder of the body, as long as there is nothing behind it: whoever reads the body may then offer it
        each read first (`ChunkedDecoder.receive_chunk`), and give to `receive_data` here what it does not take."""
        framing = self._framing
        return framing if isinstance(framing, ChunkedDecoder) and self._content is None else None

    def data_to_send(self) -> bytes:
        """The whole request the first time, `b""` from then on."""
        sending = self._sending
        self._sending = b""
        return sending

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take some bytes of the answer. `b""` does nothing. Bytes beyond the end only make `reusable` False.

        Raises LocalProtocolError after `receive_eof` and for what is no bytes, and nothing else.
        """
        if type(data) is not bytes:
            data = as_bytes(data)
        framing = self._framing
        if framing is None:
            self._receive_outside_body(data)
            return
        framing.receive_data(data)
        if self._content is not None:
            self._decode(framing, self._content)
        if framing.done:
            self._end_body(framing)

    def receive_eof(self, clean: bool = True) -> None:
        """The peer closed the connection. Idempotent.

        What has not ended by now is a TruncatedError. `clean=False` says that TLS ended without close_notify: then a
        body that only ends with the connection may have been cut, and is a TruncatedError too.
        """
        self._closed = True
        framing, reader = self._framing, self._reader
        if framing is not None:
            framing.receive_eof(clean=clean)
            if self._content is not None:
                self._decode(framing, self._content)
            self._end_body(framing)
        elif reader is not None:
            self._fail(reader.receive_eof() or self._no_answer(reader.held))

    def receive_head(self, receive: Callable[[int], bytes]) -> ResponseHead:
        """Read until the final head of the answer is there: for blocking sockets, `receive` being `socket.recv`.

        Raises what was wrong with the head, TruncatedError where the bytes end before it; what `receive` raises passes.
        """
        while self.head is None:
            self._receive(receive)
            if self.head is None:
                self.body_received()  # raises what was wrong
        return self.head

    def iter_body(self, receive: Callable[[int], bytes]) -> Iterator[bytes]:
        """The body, piece by piece, read with `receive` as in `receive_head`. Raises what was wrong at its end."""
        while True:
            while body := self.body_received():
                yield body
            if self.done:
                return
            self._receive(receive)

    def _receive(self, receive: Callable[[int], bytes]) -> None:
        data = receive(_READ)
        if data:
            self.receive_data(data)
        else:
            self.receive_eof()

    def body_received(self) -> bytes:
        """The body's bytes since the last call, content decoding undone; `b""` where none came.

        When none are left and something was wrong, in the head or in the body, raises it, and again on every later
        call: RemoteProtocolError, or of its kinds TruncatedError or LimitError; `.stage` is "exchange".
        """
        source = self._source
        if source is not None:
            return source.body_received()
        if self._error is not None:
            raise self._error.with_traceback(None)
        return b""

    def pieces_received(self) -> list[bytes]:
        """What `body_received` gives, not joined: pieces as they were framed. Raises as that does."""
        source = self._source
        if isinstance(source, ChunkedDecoder):
            return source.pieces_received()
        body = self.body_received()
        return [body] if body else []

    def _fail(self, error: RemoteProtocolError) -> None:
        self._error = error
        self._reader = None

    def _receive_outside_body(self, data: bytes) -> None:
        if not data:
            return
        if self._closed:
            raise LocalProtocolError("receive_data after receive_eof: the connection has ended")
        self._count += len(data)
        while data:
            reader = self._reader
            if reader is None:
                self._surplus = True
                return
            found = reader.receive_data(data)
            if found is None:
                return
            if isinstance(found, RemoteProtocolError):
                self._fail(found)
                return
            head, data = found
            self._read_head(head)
            if self._framing is not None:
                self._count -= len(data)
                self.receive_data(data)
                return

    def _read_head(self, head: bytes) -> None:
        event: object = None
        if not has_stray_control(head):
            connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=len(head))
            if head[9:10] == b"1":
                for asked in _ASKED:
                    connection.send(asked)
            connection.receive_data(head)
            try:
                event = connection.next_event()
            except Exception:  # h11 promises RemoteProtocolError; anything else would be the peer's doing, too
                event = None
        if isinstance(event, h11.Response) and event.http_version.startswith(b"1."):
            self._begin_body(event)
        elif (
            isinstance(event, h11.InformationalResponse)
            and event.http_version.startswith(b"1.")
            and event.status_code != 101
        ):
            self.informational += 1
            limit = self._limits.informational
            if self.informational > limit:
                self._fail(
                    LimitError(
                        f"more than {limit} informational answers came before the real one (Limits.informational)",
                        limit="informational",
                        value=limit,
                        stage="exchange",
                    )
                )
        else:
            self._fail(head_refusal(head))

    def _begin_body(self, response: h11.Response) -> None:
        self._reader = None
        self.head, found = response_head(
            response.status_code, response.reason, response.http_version, response.headers.raw_items()
        )
        plan = body_plan(self.head, self._method, found)
        self._keep = self._keep and plan.persists
        framing: _Framing
        if plan.chunked:
            framing = ChunkedDecoder(limits=self._limits)
        elif plan.length is not None:
            framing = LengthBody(plan.length)
        else:
            framing = CloseDelimitedBody()
        coding: str | None = ""
        if plan.codings:
            from sansio_claude._http.content_encoding import content_coding  # few answers have one

            coding = content_coding(plan.codings)
        if coding is None and not framing.done:
            self._fail(
                RemoteProtocolError(
                    "the body's Content-Encoding is not one that is decoded here (gzip, deflate), nor was it asked for",
                    stage="exchange",
                )
            )
            return
        self._source = self._framing = framing
        if coding:
            from sansio_claude._http.content_encoding import ContentDecoder

            self._source = self._content = ContentDecoder(coding, limits=self._limits)
        if framing.done:
            self._end_body(framing)

    def _decode(self, framing: _Framing, content: ContentDecoder) -> None:
        try:
            content.receive_data(framing.body_received())
        except RemoteProtocolError:
            pass  # it is framing.error, and nothing was left before it
        if content.error is None:
            content.error = framing.error

    def _end_body(self, framing: _Framing) -> None:
        self._count = self.received
        self._framing = None
        self._surplus = self._surplus or bool(framing.rest)
        content, self._content = self._content, None
        if framing.done:
            if content is not None:
                content.finish()
            self.done = content is None or content.done

    def _no_answer(self, held: int) -> TruncatedError:
        if held:
            words = f"in the middle of the answer's head, after {held} bytes of it"
        elif self.informational:
            words = f"after informational answers ({self.informational}) and before the real one"
        else:
            words = "before a single byte of an answer came"
        return TruncatedError(f"the connection closed {words}", stage="exchange")


def _write(method: bytes, target: bytes, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> bytes:
    """The request's bytes, written by h11. Raises LocalProtocolError without a word of any value."""
    connection = h11.Connection(h11.CLIENT)
    try:
        parts = [connection.send(h11.Request(method=method, target=target, headers=list(headers)))]
        if body:
            parts.append(connection.send(h11.Data(data=body)))
        parts.append(connection.send(h11.EndOfMessage()))
        return b"".join(parts)
    except (h11.LocalProtocolError, ValueError, TypeError):
        pass
    # Raised outside of the handler: h11's exception quotes the header's value and must not become the context.
    raise LocalProtocolError(f"the request is not legal HTTP: {request_refusal(method, target, list(headers))}")
