"""JSON output through a tool: a type goes in, a checked value of it comes out, partial values on the way.

`Extractor` is the state machine: it offers the model one tool whose input is the value, and asks again, with what was
wrong, until the input fits. `Extraction` drives it over a client.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar, cast

from sansio_claude._errors import LocalProtocolError, RemoteProtocolError, ToolError
from sansio_claude._message.message import Message
from sansio_claude._message.tool_blocks import ToolUseBlock
from sansio_claude._models import model_info
from sansio_claude._partial_json.parser import PartialJSON
from sansio_claude._request.continuation import next_step
from sansio_claude._stream.events import ContentBlockStart, InputJSONDelta
from sansio_claude.tools._calls import AskModel, Finished, RunTools, ToolCall
from sansio_claude.tools._loop import ToolLoop
from sansio_claude.tools._types import InputType, Misfit

if TYPE_CHECKING:
    from sansio_claude._request.request import MessageRequest
    from sansio_claude.tools._run import OpenStream, StreamedAnswer

__all__ = ["Extraction", "Extractor"]

T = TypeVar("T")

_DESCRIPTION: Final = (
    "Give the answer. Call this tool exactly once, with the whole answer as its input, which must follow the schema. "
    "Nothing that is said outside of it counts."
)


class Extractor(Generic[T]):
    """The value of a type, from a model. Ask with `next_request()` and give each answer to `receive_message`, until
    there is no next request; then `value` is there.

    `kind` is any type that a tool's parameter may have. `attempts` counts the requests at most. The model has to call
    the tool where it can be forced to; with thinking, where it cannot, it is asked to.
    """

    def __init__(
        self,
        kind: type[T],
        given: MessageRequest | None = None,
        /,
        *,
        name: str = "give_answer",
        description: str = _DESCRIPTION,
        attempts: int = 3,
        **request: Any,
    ) -> None:
        if attempts < 1:
            raise LocalProtocolError("attempts must be 1 or more")
        self._type = InputType.of_type(kind)
        self._name = name
        self._attempts = attempts
        definition = {"name": name, "description": description, "input_schema": self._type.schema}
        # The choice is made anew for each request; one of the caller's own is kept.
        choice = request.pop("tool_choice", None) or (given.tool_choice if given is not None else None)
        self._given_choice: Any = choice or None
        tools = [*request.pop("tools", ()), definition]
        self._loop = ToolLoop(given, **{**request, "tools": tools, "tool_choice": {"type": "auto"}})
        self._tried = 0
        self._value: Any = None
        self._done = False
        self._error: RemoteProtocolError | None = None

    @property
    def name(self) -> str:
        """The name of the tool whose input is the value."""
        return self._name

    @property
    def wrapped(self) -> bool:
        """Whether the input holds the value under the key "value", because it is no object itself."""
        return self._type.wrapped

    @property
    def loop(self) -> ToolLoop:
        """The tool loop below: history, usage, last message."""
        return self._loop

    @property
    def done(self) -> bool:
        """Whether the value is there."""
        return self._done

    @property
    def value(self) -> T:
        """The checked value. Raises LocalProtocolError before it is there."""
        if not self._done:
            raise LocalProtocolError("there is no value yet")
        return cast(T, self._value)

    def next_request(self) -> dict[str, Any] | None:
        """The arguments of the next request; None once the value is there.

        Raises RemoteProtocolError, at every call, where the model gave none: it refused, was cut off, or did not
        manage in `attempts` requests. Its `partial` is the last answer.
        """
        if self._error is not None:
            raise self._error
        if self._done:
            return None
        action = self._loop.next_action()
        assert isinstance(action, AskModel)
        return {**action.request, "tool_choice": self._given_choice or self._choice(action.request)}

    def receive_message(self, message: Message) -> None:
        """Take the whole answer to the last request. Never raises for what it says."""
        self._loop.receive_message(message)
        try:
            action = self._loop.next_action()
        except RemoteProtocolError as error:
            self._error = error
            return
        wrong = "its input was cut off, or is no JSON object"
        while isinstance(action, RunTools):
            for call in action.calls:
                wrong = self._take(call) or wrong
            action = self._loop.next_action()
        if isinstance(action, Finished):
            wrong = f"the answer ended with {action.reason}"
            if action.reason not in ("end_turn", "stop_sequence", "calls_not_run", "tool_use_without_call"):
                self._fail(f"the model gave no value: {wrong}", message)
                return
            self._loop.add_user(f"Give the answer by calling {self._name}.")
        self._tried += next_step(message.stop_reason) not in ("resume", "compacted")
        if not self._done and self._tried >= self._attempts:
            self._fail(f"the model gave no value that fits in {self._attempts} attempts: {wrong}", message)

    def _take(self, call: ToolCall) -> str | None:
        """Answer one call; the first whose input fits gives the value. What was wrong with it, else None."""
        wrong: str | None = None
        if self._done:
            wrong = "the answer has been given already"
        elif call.name != self._name:
            wrong = f"only {self._name} can be called here"
        else:
            try:
                self._value = self._type.convert(call.input)
            except Misfit as misfit:
                wrong = str(misfit)
        if wrong is None:
            self._done = True
            self._loop.receive_result(call.id, "Thank you.")
        else:
            self._loop.receive_error(call.id, ToolError(f"Error: {wrong}"))
        return wrong

    def _fail(self, words: str, message: Message) -> None:
        self._error = RemoteProtocolError(words, stage="message", partial=message)

    def _choice(self, request: Mapping[str, Any]) -> dict[str, Any]:
        thinking = request.get("thinking")
        thinks = isinstance(thinking, Mapping) and thinking.get("type") != "disabled"
        info = model_info(request.get("model"))
        # With thinking on, and by some models always, a forced tool is refused.
        if thinks or (info is not None and info.forced_tool_use is False):
            return {"type": "auto", "disable_parallel_tool_use": True}
        return {"type": "tool", "name": self._name, "disable_parallel_tool_use": True}


class Extraction(Generic[T]):
    """An Extractor driven over a client. Made by `client.extract(type, ...)`; await it, or look at it as it grows:

    person = await client.extract(Person, model=..., max_tokens=..., messages=[...])

    async with client.extract(Person, ...) as extraction:
        async for partial in extraction:    # plain JSON data, not checked, more at each step
            ...
        person = extraction.value
    """

    def __init__(self, extractor: Extractor[T], *, open_stream: OpenStream) -> None:
        self._extractor = extractor
        self._open_stream = open_stream
        self._stream: StreamedAnswer | None = None
        self._index: int | None = None
        self._parser = PartialJSON()

    @property
    def extractor(self) -> Extractor[T]:
        """The state machine below."""
        return self._extractor

    @property
    def value(self) -> T:
        """The checked value. Raises LocalProtocolError before it is there."""
        return self._extractor.value

    @property
    def message(self) -> Message | None:
        """The last whole answer."""
        return self._extractor.loop.message

    def __await__(self) -> Generator[Any, None, T]:
        return self._finish().__await__()

    async def _finish(self) -> T:
        async with self:
            async for _ in self:
                pass
        return self._extractor.value

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.__aexit__(exc_type, exc, traceback)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        """The value so far, detached; what the next attempt gives begins anew."""
        while True:
            if self._stream is None:
                request = self._extractor.next_request()
                if request is None:
                    raise StopAsyncIteration
                stream = self._open_stream(**request)
                await stream.__aenter__()
                self._stream, self._index = stream, None
            try:
                event = await self._stream.__anext__()
            except StopAsyncIteration:
                message = self._stream.message
                assert message is not None  # the stream came to its end without an error
                await self._stream.aclose()
                self._stream = None
                self._extractor.receive_message(message)
                continue
            if isinstance(event, ContentBlockStart):
                if isinstance(event.content_block, ToolUseBlock) and event.content_block.name == self._extractor.name:
                    self._index, self._parser = event.index, PartialJSON()
            elif isinstance(event, InputJSONDelta) and event.index == self._index:
                # A parser of its own: the stream's knows all that has been received, which may be events ahead.
                self._parser.feed(event.partial_json)
                partial = self._parser.snapshot()
                if self._extractor.wrapped and isinstance(partial, dict):
                    partial = partial.get("value")
                if partial is not None:
                    return partial
