"""Run: a tool loop that is driven over a client. It starts no task of its own; how calls are run at once is the
adapter's (`run_calls`), everything else is the same on every event loop.

Tools run only inside a `__anext__` of the run, so that cancelling whoever iterates cancels them, and nothing runs
between two events or after the `async with`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias, assert_never

from sansio_claude._errors import LocalProtocolError
from sansio_claude.tools._calls import AskModel, AwaitResults, Finished, RunTools, ToolCall
from sansio_claude.tools._loop import ToolLoop

if TYPE_CHECKING:
    from sansio_claude._message.message import Message
    from sansio_claude._partial_json.parser import PartialJSON
    from sansio_claude._request.request import MessageRequest
    from sansio_claude._stream.events import Event

__all__ = ["OpenStream", "Run", "RunCalls", "StreamedAnswer", "run_over"]


class StreamedAnswer(Protocol):
    """What a run needs of a client's stream."""

    async def __aenter__(self) -> Any: ...
    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    async def __anext__(self) -> Event: ...
    async def aclose(self) -> None: ...
    @property
    def message(self) -> Message | None: ...
    def partial_input(self, index: int) -> PartialJSON: ...


OpenStream: TypeAlias = Callable[..., StreamedAnswer]
RunCalls: TypeAlias = Callable[[ToolLoop, tuple[ToolCall, ...]], Awaitable[None]]


class Run:
    """A conversation in which the model calls tools, driven to its end. Made by `client.run(...)`.

        async with client.run(tools=[get_weather], model=..., max_tokens=..., messages=[...]) as run:
            async for turn, event in run:
                ...
            print(run.message.text)

    Iterating gives every event of every answer with the number of its turn, from 1. Between the turns the tools run,
    those of one answer at once; a tool that raises answers the model with an error result. What ends a turn early (an
    APIError, a broken connection) is raised, and raised again on every later try; the loop then still stands before
    that turn, so that `client.run(run.loop)` asks again.
    """

    def __init__(self, loop: ToolLoop, *, open_stream: OpenStream, run_calls: RunCalls) -> None:
        self._loop = loop
        self._open_stream = open_stream
        self._run_calls = run_calls
        self._stream: StreamedAnswer | None = None
        self._turn = 0
        self._entered = False
        self._closed = False

    @property
    def loop(self) -> ToolLoop:
        """The state machine: its limits, usage and `to_dict()`."""
        return self._loop

    @property
    def stream(self) -> Any:
        """The stream of the turn that is under way (with `partial_input`, `watch`, ...); None between turns."""
        return self._stream

    @property
    def message(self) -> Message | None:
        """The last whole answer; at the end of the run, its final message."""
        return self._loop.message

    @property
    def history(self) -> list[dict[str, Any]]:
        """The whole conversation so far as plain messages, to be kept or gone on with."""
        return self._loop.history

    @property
    def finished(self) -> Finished | None:
        """Why the run came to its end; None while it has not."""
        if self._loop.state == "running" or self._stream is not None:
            return None
        action = self._loop.next_action()
        return action if isinstance(action, Finished) else None

    async def __aenter__(self) -> Self:
        """Nothing is sent yet; the first iteration does."""
        if self._entered:
            raise LocalProtocolError("a run can be entered once; make a new one with client.run(run.loop)")
        self._entered = True
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closed = True
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.__aexit__(exc_type, exc, traceback)

    def __aiter__(self) -> AsyncIterator[tuple[int, Event]]:
        return self

    async def __anext__(self) -> tuple[int, Event]:
        if not self._entered or self._closed:
            raise LocalProtocolError("a run has to be entered first: async with client.run(...) as run")
        while True:
            stream = self._stream
            if stream is None:
                if not await self._step():
                    raise StopAsyncIteration
                continue
            try:
                return self._turn, await stream.__anext__()
            except StopAsyncIteration:
                message = stream.message
            assert message is not None  # the stream came to its end without an error
            await stream.aclose()
            self._stream = None
            self._loop.receive_message(message)

    async def _step(self) -> bool:
        """Do what the loop asks for; False at the end."""
        action = self._loop.next_action()
        match action:
            case AskModel(turn=turn, request=request):
                stream = self._open_stream(**request)
                await stream.__aenter__()
                self._stream, self._turn = stream, turn
            case RunTools(calls=calls):
                await self._run_calls(self._loop, calls)
            case AwaitResults(calls=calls):
                raise LocalProtocolError(
                    f"calls of this loop run elsewhere and have no results yet: {', '.join(calls)}"
                )
            case Finished():
                return False
            case _:
                assert_never(action)
        return True

    async def final_message(self) -> Message:
        """Drive the run to its end and return the last answer."""
        async for _ in self:
            pass
        message = self._loop.message
        if message is None:
            raise LocalProtocolError("the run ended before its first answer: its limits allow none")
        return message

    def __repr__(self) -> str:
        return f"<Run turn {self._loop.turn}, {self._loop.state}>"


def run_over(
    open_stream: OpenStream, run_calls: RunCalls, request: MessageRequest | ToolLoop | None, **options: Any
) -> Run:
    """The run of a client: of a new loop with these options, or of a loop that goes on."""
    if not isinstance(request, ToolLoop):
        request = ToolLoop(request, **options)
    return Run(request, open_stream=open_stream, run_calls=run_calls)
