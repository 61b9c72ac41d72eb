"""The streams of the clients: what all have in common, and the one for event loops."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, final

from sansio_claude._call.loop import close_discarded, drive
from sansio_claude._copies import NotCopied
from sansio_claude._errors import ClaudeError, LocalProtocolError
from sansio_claude._stream.events import Event
from sansio_claude._stream.text import text_of

if TYPE_CHECKING:
    from sansio_claude._call.call import Call
    from sansio_claude._client.runtime import Runtime
    from sansio_claude._client.session import Session
    from sansio_claude._errors.rate_limits import RateLimits
    from sansio_claude._http.exchange import ResponseHead
    from sansio_claude._message.message import Message
    from sansio_claude._partial_json.parser import PartialJSON, Watch
    from sansio_claude._stream.deviations import Deviation

__all__ = ["NOT_ENTERED", "Stream", "StreamBase", "TextIterator"]

NOT_ENTERED: Final = (
    "a stream has to be entered first: `with` (`async with` on an event loop) client.stream(...) as stream"
)


class StreamBase(NotCopied):
    """What the streams of all clients have in common. What has to wait are coroutines."""

    __slots__ = ("__weakref__", "_adapter", "_call", "_entered", "_ready", "_runtime", "_session")
    _instead = "it reads from a connection: keep its message or its events"

    def __init__(self, runtime: Runtime, session: Session, call: Call) -> None:
        self._runtime = runtime
        self._adapter = runtime.adapter
        self._session = session
        self._call = call
        self._ready: Iterator[Event] = iter(())  # a deque would take more memory than all the rest of this
        self._entered = False

    @property
    def message(self) -> Message | None:
        """The message so far; None before it has begun."""
        return self._call.message

    def partial_input(self, index: int) -> PartialJSON:
        """The tool input at this block index while it is arriving; its `value` is the best value so far."""
        return self._call.stream.partial_input(index)

    def partial_output(self, index: int) -> PartialJSON:
        """The text block at this index read as JSON while it is arriving (structured output)."""
        return self._call.stream.partial_output(index)

    def watch(self, index: int, path: str | tuple[str | int, ...]) -> Watch:
        """Watch one place of a tool's input, such as "file_text" or "rows[*]". See `MessageStream.watch`."""
        return self._call.stream.watch(index, path)

    @property
    def deviations(self) -> Sequence[Deviation]:
        """What the peer did that the protocol does not say."""
        return self._call.stream.deviations

    @property
    def response(self) -> ResponseHead | None:
        """Status and headers of the answer."""
        return self._call.response

    @property
    def request_id(self) -> str | None:
        """The API's id of the request."""
        return self._call.request_id

    @property
    def rate_limits(self) -> RateLimits | None:
        """What the answer's head says about how much may still be sent; None where it says nothing of it."""
        response = self._call.response
        return None if response is None else response.rate_limits

    async def _enter(self) -> None:
        if self._entered:
            raise LocalProtocolError("a stream can be entered once; make a new one with client.stream(...)")
        self._entered = True
        self._ready = iter(await drive(self._adapter, self._call) or ())

    async def _more(self) -> Sequence[Event] | None:
        """Wait for more events; None at the end."""
        if not self._entered:
            raise LocalProtocolError(NOT_ENTERED)
        call = self._call
        return None if call.handle is None and call.done else await drive(self._adapter, call)

    async def _finish(self) -> Message:
        while not self._call.done and await self._more() is not None:
            pass
        self._ready = iter(())
        message = self._call.message
        assert message is not None
        return message

    def _closed_already(self) -> bool:
        """Close a stream that has been read to its end, for which nothing has to be waited; whether it has."""
        if not self._call.done:
            return False
        self._ready = iter(())
        close_discarded(self._session.pool)
        return True

    async def _close(self) -> None:
        if self._closed_already():
            return
        self._ready = iter(())
        self._call.close(self._adapter.now())
        close_discarded(self._session.pool)
        try:
            while await drive(self._adapter, self._call) is not None:
                pass
        except ClaudeError:
            pass  # that it was given up, or what was raised before

    async def _leave(self, exc_type: type[BaseException] | None) -> None:
        if exc_type is None:
            await self._close()
        else:
            self._give_up()

    def _give_up(self) -> None:
        """End the stream at once: its connection is closed. Whoever waits for it gets a LocalProtocolError."""
        self._ready = iter(())
        try:
            self._call.abandon()
        finally:  # `trace` may raise
            close_discarded(self._session.pool)

    def __del__(self) -> None:
        call = getattr(self, "_call", None)
        if call is not None and call.holds_place:
            warnings.warn(
                f"unclosed {self!r}: leave its `with` block, or close it", ResourceWarning, stacklevel=2, source=self
            )
            self._give_up()

    def __repr__(self) -> str:
        response = self._call.response
        state = "not begun" if response is None else f"status {response.status}, {self._call.stream.state}"
        return f"<{self._runtime.name}.Stream {self.request_id or 'no request id'}, {state}>"


@final
class Stream(StreamBase):
    """One answer as it comes. Made by `Client.stream`; iterate over it for the events.

    Leaving the `async with` early closes the connection. An error is raised once all events before it were given,
    and again on every later try. Cancelling a read ends the stream: its connection is closed at once.
    """

    __slots__ = ()

    async def __aenter__(self) -> Self:
        """Send the request and wait for the head of a good answer."""
        await self._enter()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if exc_type is not None or not self._closed_already():
            await self._leave(exc_type)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while True:
            for event in self._ready:
                return event
            if not self._entered:
                raise LocalProtocolError(NOT_ENTERED)
            call = self._call
            # What `_more` does, without its coroutine: this is the way of every event.
            events = None if call.handle is None and call.done else await drive(self._adapter, call)
            if events is None:
                raise StopAsyncIteration
            if len(events) == 1:
                return events[0]
            self._ready = iter(events)

    def text(self) -> TextIterator:
        """An iterator over the pieces of text as they come, `async for text in stream.text()`."""
        return TextIterator(self)

    async def final_message(self) -> Message:
        """Read to the end and return the whole message. Raises what ended it otherwise."""
        return await self._finish()

    async def aclose(self) -> None:
        """End the stream. A connection whose answer is whole is kept; this may take 50 ms.

        From another task too: whoever waits for the stream then gets a LocalProtocolError.
        """
        await self._close()


@final
class TextIterator(NotCopied):
    """The text of a stream, piece by piece; other events are passed over."""

    __slots__ = ("_stream",)
    _instead = "it reads from a connection: keep the texts"

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def __repr__(self) -> str:
        return f"<TextIterator of {self._stream!r}>"

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while True:
            text = text_of(await self._stream.__anext__())
            if text:
                return text
