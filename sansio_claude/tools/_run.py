"""Run: a tool loop that is driven over a client, the same on every event loop. How a call is begun beside the
caller, in a task or in a thread, is the adapter's (`Executor`); everything else is decided here and in `_executions`.

Calls begin only inside a `__anext__` of the run. Those that are under way go on while the caller looks at an event;
they are stopped when a `__anext__` is cancelled or raises, and at the end of the `async with`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias, assert_never

from sansio_claude._copies import NotCopied
from sansio_claude._errors import ClaudeError, DeadlineError, LocalProtocolError
from sansio_claude.tools._arguments import limit_of
from sansio_claude.tools._calls import AskModel, AwaitResults, Finished, RunTools
from sansio_claude.tools._execution import Executor
from sansio_claude.tools._executions import Executions
from sansio_claude.tools._loop import ToolLoop
from sansio_claude.tools._outcome import ToolFinished, ToolStarted

if TYPE_CHECKING:
    from sansio_claude._client.stream import Stream
    from sansio_claude._message.message import Message
    from sansio_claude._partial_json.parser import PartialJSON
    from sansio_claude._request.request import MessageRequest
    from sansio_claude._stream.events import Event

__all__ = ["MakeExecutor", "OpenStream", "Run", "RunEvent", "StreamedAnswer", "run_over"]

RunEvent: TypeAlias = "Event | ToolStarted | ToolFinished"
"""What a run hands out: every event of every answer, and what becomes of the calls."""


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
    def _give_up(self) -> None: ...
    @property
    def message(self) -> Message | None: ...
    def partial_input(self, index: int) -> PartialJSON: ...


OpenStream: TypeAlias = Callable[..., Any]
MakeExecutor: TypeAlias = Callable[[], Executor]


class Run(NotCopied):
    """A conversation in which the model calls tools, driven to its end. Made by `client.run(...)`.

        message = await client.run(tools=[get_weather], model=..., max_tokens=..., messages=[...])

        async with client.run(tools=[get_weather], model=..., max_tokens=..., messages=[...]) as run:
            async for turn, event in run:
                ...
            print(run.message.text)

    Iterating gives every event of every answer with the number of its turn, from 1, and for each call of a tool
    `ToolStarted` and `ToolFinished`. The tools of one answer run at once; one that raises answers the model with an
    error result. KeyboardInterrupt, SystemExit and other exceptions that are no Exception stop the run.

    What ends a turn early (an APIError, a broken connection) is raised, and raised again on every later try; the loop
    then still stands before that turn, so that `client.run(run.loop)` asks again. After any way of leaving the run,
    `run.history` is a conversation that can be gone on with, and so does `client.run(run.loop)`: calls that had begun
    and have no result are answered as interrupted (or run again where the tool says `idempotent=True`), calls that had
    not begun are run. One task at a time may iterate; any task or thread may call `interrupt`.
    """

    _instead = "it drives requests and tools: save its loop with `loop.to_dict()`"

    def __init__(
        self,
        loop: ToolLoop,
        *,
        open_stream: OpenStream,
        make_executor: MakeExecutor,
        timeout: float | None = None,
    ) -> None:
        self._loop = loop
        self._open_stream = open_stream
        self._make_executor = make_executor
        self._timeout = timeout
        self._executor: Executor | None = None
        self._executions: Executions | None = None
        self._deadline: float | None = None
        self._events: deque[tuple[int, RunEvent]] = deque()
        self._stream: Stream | None = None
        self._turn = 0
        self._error: ClaudeError | None = None
        self._interrupted = False
        self._driven = False
        self._closed = False

    @property
    def loop(self) -> ToolLoop:
        """The state machine: its limits, usage and `to_dict()`."""
        return self._loop

    @property
    def stream(self) -> Stream | None:
        """The stream of the turn that is under way (with `partial_input`, `watch`, ...); None between turns."""
        return self._stream

    @property
    def message(self) -> Message | None:
        """The last whole answer; at the end of the run, its final message."""
        return self._loop.message

    @property
    def history(self) -> list[dict[str, Any]]:
        """The whole conversation so far as plain messages, to be kept or gone on with; see `ToolLoop.history`."""
        return self._loop.history

    @property
    def finished(self) -> Finished | None:
        """Why the run came to its end; None while it has not."""
        if self._loop.state == "running" or self._stream is not None or self._error is not None:
            return None
        if self._interrupted:
            return Finished("interrupted", self._loop.message)
        action = self._loop.next_action()
        return action if isinstance(action, Finished) else None

    def interrupt(self) -> None:
        """Stop the run, as for a stop button: from any task or thread, at any time, also from a tool. Does not wait.

        The iteration ends as soon as possible. Calls that have no result are answered in the history: those that had
        begun as interrupted, the others as not begun. An answer under way is dropped. `finished.reason` is
        "interrupted"; `run.loop.add_user(...)` and `client.run(run.loop)` go on.
        """
        self._interrupted = True
        if self._executor is not None:
            self._executor.notify()
            self._executor.post(self._give_up_stream)

    def _give_up_stream(self) -> None:
        if self._stream is not None:
            self._stream._give_up()

    async def __aenter__(self) -> Self:
        """Nothing is sent yet; the first iteration does. The time of `timeout` begins."""
        if self._executor is not None:
            raise LocalProtocolError("a run can be entered once; make a new one with client.run(run.loop)")
        self._loop._take_over(self)
        executor = self._executor = self._make_executor()
        self._executions = Executions(self._loop, executor)
        if self._timeout is not None:
            self._deadline = executor.now() + self._timeout
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closed = True
        self._events.clear()
        try:
            stream, self._stream = self._stream, None
            if stream is not None:
                await stream.__aexit__(exc_type, exc, traceback)
            await self._stop()
        finally:
            self._loop._let_go(self)

    def __aiter__(self) -> AsyncIterator[tuple[int, RunEvent]]:
        return self

    async def __anext__(self) -> tuple[int, RunEvent]:
        executions = self._executions
        if executions is None or self._closed:
            raise LocalProtocolError(
                "a run has to be entered first: `with` (`async with` on an event loop) client.run(...) as run"
            )
        if self._driven:
            raise LocalProtocolError("another task is iterating over this run already: one task at a time")
        self._driven = True
        try:
            return await self._next(executions)
        except StopAsyncIteration:
            raise
        except BaseException as error:
            await self._left(error)
            raise
        finally:
            self._driven = False

    async def _next(self, executions: Executions) -> tuple[int, RunEvent]:
        while True:
            if self._error is not None:
                raise self._error.with_traceback(None)
            if self._events:
                return self._events.popleft()
            if executions.events:
                return executions.events.popleft()
            if self._interrupted:
                await self._end_interrupted()
                raise StopAsyncIteration
            self._check_time()
            if self._stream is None:
                if not await self._step(executions):
                    raise StopAsyncIteration
                continue
            event = await self._next_of_stream(self._stream)
            if event is not None:
                return self._turn, event

    async def _next_of_stream(self, stream: Stream) -> Event | None:
        """The next event of the answer; None at its end, or where the run was interrupted."""
        try:
            return await stream.__anext__()
        except StopAsyncIteration:
            message = stream.message
        except ClaudeError as error:
            if not self._interrupted:
                raise self._told(error) from error.__cause__
            self._stream = None
            return None
        assert message is not None  # the stream came to its end without an error
        await stream.aclose()
        self._stream = None
        self._loop.receive_message(message)
        self._events.extend(
            (call.turn, ToolFinished(call=call, result=result, ending="model_mistake"))
            for call, result in self._loop._take_refused()
        )
        return None

    async def _step(self, executions: Executions) -> bool:
        """Do what the loop asks for; False at the end."""
        executions.begin()
        executions.collect()
        if executions.fatal is not None:
            fatal, executions.fatal = executions.fatal, None
            raise fatal
        if executions.events:
            return True
        action = self._loop.next_action()
        match action:
            case AskModel(turn=turn, request=request):
                if executions:  # the loop was interrupted, and its calls were answered
                    await executions.stop()
                await self._ask(turn, request)
            case RunTools(calls=calls):
                executions.take(calls)
            case AwaitResults(calls=calls):
                if not executions:
                    raise LocalProtocolError(
                        f"calls of this loop run elsewhere and have no results yet: {', '.join(calls)}. "
                        "loop.leave() says that nobody runs them any more"
                    )
                assert self._executor is not None
                await self._executor.wait(executions.deadline(self._deadline))
            case Finished():
                return False
            case _:
                assert_never(action)
        return True

    async def _ask(self, turn: int, request: dict[str, Any]) -> None:
        assert self._executor is not None
        left = None if self._deadline is None else self._deadline - self._executor.now()
        stream = self._open_stream(request, left)
        self._stream, self._turn = stream, turn
        try:
            await stream.__aenter__()
        except ClaudeError as error:
            self._stream = None
            if not self._interrupted:
                raise self._told(error) from error.__cause__

    def _told(self, error: ClaudeError) -> ClaudeError:
        """The error of a stream; where the time of the run has passed, one that says so."""
        if isinstance(error, DeadlineError) and error.deadline == "total" and self._time_is_over():
            return self._too_late(error)
        return error

    def _time_is_over(self) -> bool:
        return self._deadline is not None and self._executor is not None and self._executor.now() >= self._deadline

    def _check_time(self) -> None:
        if self._time_is_over():
            raise self._too_late(None)

    def _too_late(self, error: DeadlineError | None) -> DeadlineError:
        return DeadlineError(
            f"the run was not over within {self._timeout:g} s (timeout=)",
            deadline="total",
            seconds=self._timeout,
            partial=None if error is None else error.partial,
        )

    async def _end_interrupted(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream._give_up()
        await self._stop()
        self._loop.interrupt()

    async def _left(self, error: BaseException) -> None:
        """The iteration ended with an error, or was cancelled: nothing goes on, and the loop stands where it can."""
        if isinstance(error, ClaudeError) and not isinstance(error, LocalProtocolError):
            self._error = error
        stream, self._stream = self._stream, None
        if stream is not None:
            stream._give_up()
        await self._stop()

    async def _stop(self) -> None:
        if self._executions is not None:
            await self._executions.stop()

    def __await__(self) -> Generator[Any, None, Message]:
        """Drive the run to its end and return the last answer: `message = await client.run(...)`."""
        return self.final_message().__await__()

    async def final_message(self) -> Message:
        """Drive the run to its end and return the last answer. A run that was not entered is entered and left."""
        if self._executor is None or self._closed:
            async with self:
                return await self.final_message()
        async for _ in self:
            pass
        message = self._loop.message
        if message is None:
            raise LocalProtocolError(
                "the run ended before its first answer: it was interrupted, or its limits allow none"
            )
        return message

    def __repr__(self) -> str:
        return f"<Run turn {self._loop.turn}, {self._loop.state}>"


def run_over(
    open_stream: OpenStream,
    make_executor: MakeExecutor,
    request: MessageRequest | ToolLoop | None,
    *,
    timeout: float | None = None,
    **options: Any,
) -> Run:
    """The run of a client: of a new loop with these options, or of a loop that goes on.

    A loop that goes on takes new limits (`max_turns`, `token_budget`); any other option is refused.
    """
    if timeout is not None and not (isinstance(timeout, int | float) and timeout > 0):
        raise LocalProtocolError(f"timeout must be a number of seconds above 0, or None, not {timeout!r:.40}")
    given = {name: value for name, value in options.items() if value is not None}
    if not isinstance(request, ToolLoop):
        loop = ToolLoop(request, **{**options, "concurrency": given.get("concurrency", 16)})
    else:
        loop = request
        given.pop("tools", None) if not given.get("tools") else None
        refused = sorted(given.keys() - {"max_turns", "token_budget"})
        if refused:
            raise LocalProtocolError(
                f"a loop that goes on cannot take {', '.join(refused)}: it has its own. Make a new one with "
                "ToolLoop.from_dict(loop.to_dict(), tools=..., ...)"
            )
        loop.max_turns = limit_of("max_turns", given.get("max_turns", loop.max_turns))
        loop.token_budget = limit_of("token_budget", given.get("token_budget", loop.token_budget))
    return Run(loop, open_stream=open_stream, make_executor=make_executor, timeout=timeout)
