"""The stream without `await`."""

from __future__ import annotations

import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, final

from sansio_claude._call.loop import ONE_TASK, close_discarded, drive
from sansio_claude._client.stream import NOT_ENTERED, StreamBase
from sansio_claude._copies import NotCopied
from sansio_claude._errors import LocalProtocolError
from sansio_claude._runtime.blocking import finish
from sansio_claude._stream.events import Event
from sansio_claude._stream.text import text_of

if TYPE_CHECKING:
    from sansio_claude._call.call import Call
    from sansio_claude._client.runtime import Runtime
    from sansio_claude._client.session import Session
    from sansio_claude._message.message import Message

__all__ = ["Stream", "TextIterator"]

T = TypeVar("T")


@final
class Stream(StreamBase):
    """One answer as it comes. Made by `Client.stream`; iterate over it for the events.

    One thread at a time reads it. Leaving the `with` early closes the connection. An error is raised once all events
    before it were given, and again on every later try.
    """

    __slots__ = ("_lock",)

    def __init__(self, runtime: Runtime, session: Session, call: Call) -> None:
        super().__init__(runtime, session, call)
        self._lock = threading.Lock()  # held by the thread that reads

    def __enter__(self) -> Self:
        """Send the request and wait for the head of a good answer."""
        self._run(self._enter())
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._run(self._leave(exc_type))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        while True:
            for event in self._ready:
                return event
            call = self._call
            if not self._entered:
                raise LocalProtocolError(NOT_ENTERED)
            # What `_more` does, without its coroutine: this is the way of every event.
            events = None if call.handle is None and call.done else self._run(drive(self._adapter, call))
            if events is None:
                raise StopIteration
            if len(events) == 1:
                return events[0]
            self._ready = iter(events)

    def text(self) -> TextIterator:
        """An iterator over the pieces of text as they come, `for text in stream.text()`."""
        return TextIterator(self)

    def final_message(self) -> Message:
        """Read to the end and return the whole message. Raises what ended it otherwise."""
        return self._run(self._finish())

    def close(self) -> None:
        """End the stream. A connection whose answer is whole is kept; this may take 50 ms.

        While another thread waits for the stream, this only wakes that thread, as `shutdown` does.
        """
        if self._lock.acquire(False):
            try:
                finish(self._close())
            finally:
                self._lock.release()
        else:
            self.shutdown()

    def shutdown(self) -> None:
        """End the stream from another thread, without waiting: whoever reads it gets a LocalProtocolError at once, and
        its connection is closed by that thread."""
        self._call.interrupt()

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if not self._lock.acquire(False):
            coroutine.close()
            raise LocalProtocolError(ONE_TASK)
        try:
            return finish(coroutine)
        except BaseException:
            if self._call.driven:  # Ctrl-C came where no `finally` of the loop sees it, and what was read is lost
                self._call.abandon()
                close_discarded(self._call.pool)
                self._call.driven = False
            raise
        finally:
            self._lock.release()


@final
class TextIterator(NotCopied):
    """The text of a stream, piece by piece; other events are passed over."""

    __slots__ = ("_stream",)
    _instead = "it reads from a connection: keep the texts"

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def __repr__(self) -> str:
        return f"<TextIterator of {self._stream!r}>"

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        while True:
            text = text_of(self._stream.__next__())
            if text:
                return text
