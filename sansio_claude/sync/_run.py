"""Runs and extractions without `await`: those of the event loops, driven by `finish`."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, final

from sansio_claude._copies import NotCopied
from sansio_claude._runtime.blocking import finish
from sansio_claude.tools._extract import Extraction as AsyncExtraction
from sansio_claude.tools._run import Run as AsyncRun
from sansio_claude.tools._run import RunEvent

if TYPE_CHECKING:
    from sansio_claude._client.stream import StreamBase
    from sansio_claude._message.message import Message
    from sansio_claude.tools._calls import Finished
    from sansio_claude.tools._extract import Extractor
    from sansio_claude.tools._loop import ToolLoop

__all__ = ["Extraction", "Run"]

T = TypeVar("T")


class _Blocking(NotCopied, Generic[T]):
    """What runs and extractions have in common: a `with` block, and iteration that gives T."""

    __slots__ = ("_inner",)
    _instead = "it reads from a connection: keep its events or its result"
    _inner: Any

    def __enter__(self) -> Self:
        finish(self._inner.__aenter__())
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        finish(self._inner.__aexit__(exc_type, exc, traceback))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        try:
            following: T = finish(self._inner.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None
        return following

    @property
    def message(self) -> Message | None:
        """The last whole answer; at the end, the final message."""
        message: Message | None = self._inner.message
        return message

    def __repr__(self) -> str:
        return repr(self._inner)


@final
class Run(_Blocking[tuple[int, RunEvent]]):
    """A conversation in which the model calls tools: `with client.run(...) as run`, then iterate for (turn, event).

    The same as `sansio_claude.tools.Run`, which says more, without `await`. Tools run in threads.
    """

    __slots__ = ()
    _inner: AsyncRun

    def __init__(self, inner: AsyncRun) -> None:
        self._inner = inner

    def final_message(self) -> Message:
        """Drive the run to its end and return the last answer. A run that was not entered is entered and left."""
        message: Message = finish(self._inner.final_message())
        return message

    def interrupt(self) -> None:
        """Stop the run, as for a stop button: from any thread, at any time. Does not wait."""
        stream = self._inner.stream
        self._inner.interrupt()
        if stream is not None:
            stream._call.interrupt()

    @property
    def loop(self) -> ToolLoop:
        """The state machine: its limits, usage and `to_dict()`."""
        return self._inner.loop

    @property
    def stream(self) -> StreamBase | None:
        """The stream of the turn that is under way (with `partial_input`, `watch`, ...); None between turns."""
        return self._inner.stream

    @property
    def history(self) -> list[dict[str, Any]]:
        """The whole conversation so far as plain messages, to be kept or gone on with."""
        return self._inner.history

    @property
    def finished(self) -> Finished | None:
        """Why the run came to its end; None while it has not."""
        return self._inner.finished


@final
class Extraction(_Blocking[Any], Generic[T]):
    """A value of a type as it grows: `with client.extraction(...)`, iterate for the partial values, then take `value`.

    The same as `sansio_claude.tools.Extraction` without `await`.
    """

    __slots__ = ()
    _inner: AsyncExtraction[T]

    def __init__(self, inner: AsyncExtraction[T]) -> None:
        self._inner = inner

    @property
    def value(self) -> T:
        """The checked value. Raises LocalProtocolError before it is there."""
        return self._inner.value

    @property
    def extractor(self) -> Extractor[T]:
        """The state machine below."""
        return self._inner.extractor
