"""A checked value of a type, from a model: a type goes in, partial values come on the way, the value at the end.

`Extractor` is the state machine. Where the model has structured output (`output_config.format`) and the type's schema
is one that it takes, the answer's text is the value; elsewhere the model is offered one tool whose input is the value.
Either way it is asked again, with what was wrong, until the value fits. `Extraction` drives it over a client.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar, cast

from sansio_claude._copies import NotCopied
from sansio_claude._errors import ClaudeError, LocalProtocolError, RefusalError, RemoteProtocolError, ToolError
from sansio_claude._json import loads_input
from sansio_claude._message.blocks import TextBlock
from sansio_claude._message.message import Message
from sansio_claude._models import model_info
from sansio_claude._request.continuation import larger_max_tokens, next_step
from sansio_claude._request.request import UNSET
from sansio_claude.tools._calls import AskModel, Finished, RunTools, ToolCall
from sansio_claude.tools._loop import ToolLoop
from sansio_claude.tools._misfit import Misfit
from sansio_claude.tools._partial import PartialValue
from sansio_claude.tools._types import InputType

if TYPE_CHECKING:
    from sansio_claude._request.request import MessageRequest
    from sansio_claude.tools._run import OpenStream, StreamedAnswer

__all__ = ["Extraction", "Extractor"]

T = TypeVar("T")

_DESCRIPTION: Final = (
    "Give the answer. Call this tool exactly once, with the whole answer as its input, which must follow the schema. "
    "Nothing that is said outside of it counts."
)
_AGAIN: Final = "Give the whole answer again, as JSON that follows the schema."


class Extractor(NotCopied, Generic[T]):
    """The value of a type, from a model. Ask with `next_request()` and give each answer to `receive_message`, until
    there is no next request; then `value` is there.

    `kind` is any type that a tool's parameter may have. `attempts` counts the requests at most. `structured` is how the
    value is asked for: True by structured output, False by a tool; None chooses structured output where the model is
    known to have it, the type's schema is one that it takes (no open dict, no type that contains itself, ...) and the
    request does not rule it out (a `tool_choice` of its own, a prefilled answer, citations). By a tool, the model
    has to call it where it can be forced to; with thinking, where it cannot, it is asked to. Of several calls the
    first whose input fits gives the value.
    """

    _instead = "its type cannot be written down: begin anew with the same arguments"

    def __init__(
        self,
        kind: type[T],
        given: MessageRequest | None = None,
        /,
        *,
        name: str = "give_answer",
        description: str = _DESCRIPTION,
        attempts: int = 3,
        structured: bool | None = None,
        **request: Any,
    ) -> None:
        if type(attempts) is not int or attempts < 1:
            raise LocalProtocolError("attempts must be 1 or more, a whole number", path="attempts")
        self._type = InputType.of_type(kind)
        self._name = name
        self._attempts = attempts
        # The choice is made anew for each request; one of the caller's own is kept.
        choice = request.pop("tool_choice", None) or (given.tool_choice if given is not None else None)
        self._given_choice: Any = choice or None
        tools = [*(request.pop("tools", None) or ())]
        loop = ToolLoop(given, **{**request, "tools": tools, "tool_choice": UNSET})
        self._format = self._format_of(loop, structured)
        if self._format is None:
            definition = {"name": name, "description": description, "input_schema": self._type.schema}
            chosen = {"tools": [*tools, definition], "tool_choice": {"type": "auto"}}
            loop = ToolLoop(given, **{**request, **chosen})
        self._loop = loop
        self._sent: dict[str, Any] = {}
        self._max_tokens: int | None = None
        self._tried = 0
        self._value: Any = None
        self._done = False
        self._error: ClaudeError | None = None

    def _format_of(self, loop: ToolLoop, structured: bool | None) -> dict[str, Any] | None:
        """What goes into `output_config.format`; None where the value is asked for by a tool."""
        action = loop.next_action()
        request = action.request if isinstance(action, AskModel) else {}
        config = request.get("output_config")
        if isinstance(config, Mapping) and config.get("format") is not None:
            raise LocalProtocolError(
                "remove output_config.format: extract() sets it from the type", path="output_config.format"
            )
        if structured is False:
            return None
        if structured is None and (self._given_choice is not None or not _allows_format(request)):
            return None
        try:
            return {"type": "json_schema", "schema": self._type.strict()}
        except LocalProtocolError:
            if structured:
                raise
            return None

    @property
    def name(self) -> str:
        """The name of the tool whose input is the value, where it is asked for by a tool."""
        return self._name

    @property
    def structured(self) -> bool:
        """Whether the value is the answer's text, by structured output; else it is the input of a tool."""
        return self._format is not None

    @property
    def wrapped(self) -> bool:
        """Whether the JSON object holds the value under the key "value", because it is no object itself."""
        return self._type.wrapped

    @property
    def loop(self) -> ToolLoop:
        """The tool loop below: history, usage, last message."""
        return self._loop

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'done' if self.done else 'open'}, turn {self._loop.turn}>"

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

        Raises, at every call, RefusalError where the model refused, and RemoteProtocolError where it was cut off or
        did not manage in `attempts` requests. The `partial` of both is the last answer.
        """
        if self._error is not None:
            raise self._error
        if self._done:
            return None
        action = self._loop.next_action()
        if not isinstance(action, AskModel):
            raise LocalProtocolError("the loop of this extraction stands before no request: it was driven elsewhere")
        request = dict(action.request)
        if self._format is None:
            request["tool_choice"] = self._given_choice or self._choice(request)
        else:
            request["output_config"] = {**(request.get("output_config") or {}), "format": self._format}
            if self._given_choice is not None:
                request["tool_choice"] = self._given_choice
        if self._max_tokens is not None:
            request["max_tokens"] = self._max_tokens
        self._sent = request
        return dict(request)

    def receive_message(self, message: Message) -> None:
        """Take the whole answer to the last request. Never raises for what it says."""
        self._loop.receive_message(message)
        try:
            action = self._loop.next_action()
        except RemoteProtocolError as error:
            self._error = error
            return
        wrong: str | None = None
        while isinstance(action, RunTools):
            for call in action.calls:
                wrong = self._take(call) or wrong
            action = self._loop.next_action()
        if isinstance(action, Finished):
            wrong = self._at_the_end(action.reason, message)
            if self._error is not None:
                return
        self._tried += next_step(message.stop_reason) not in ("resume", "compacted")
        if not self._done and self._tried >= self._attempts:
            wrong = wrong or "its input was cut off, or is no JSON object"
            self._fail(f"the model gave no value that fits in {self._attempts} attempts: {wrong}", message)

    def _at_the_end(self, reason: str, message: Message) -> str:
        """What follows from an answer without calls; what was wrong with it."""
        if reason == "refusal":
            self._error = RefusalError(
                f"the model gave no value: the answer ended with refusal{_explained(message)}",
                stop_details=message.stop_details,
                partial=message,
            )
            return "refusal"
        if self._format is not None and reason == "max_tokens":
            more = larger_max_tokens(self._sent)
            if more is not None:
                self._max_tokens = more
                self._loop.add_user(f"The answer was cut off at max_tokens. {_AGAIN}")
                return "the answer was cut off at max_tokens"
        if reason not in ("end_turn", "stop_sequence", "calls_not_run", "tool_use_without_call"):
            self._fail(f"the model gave no value: the answer ended with {reason}", message)
            return reason
        if self._format is None:
            self._loop.add_user(f"Give the answer by calling {self._name}.")
            return f"the answer ended with {reason}"
        wrong = self._take_text(message)
        if not self._done:
            self._loop.add_user(f"Error: {wrong}\n{_AGAIN}")
        return wrong

    def _take_text(self, message: Message) -> str:
        """Take the first text of an answer that is a JSON object, or else all its text together."""
        texts = [block.text for block in message.content if isinstance(block, TextBlock)]
        wrong = "the answer is no JSON object"
        for text in (*texts, "".join(texts)):
            try:
                value = loads_input(text)
            except ClaudeError:
                continue
            try:
                self._value = self._type.convert(value)
            except Misfit as misfit:
                return str(misfit)
            self._done = True
            break
        return wrong

    def _take(self, call: ToolCall) -> str | None:
        """Answer one call; the first whose input fits gives the value. What was wrong with it, else None."""
        wrong: str | None = None
        if self._done:
            wrong = "the answer has been given already"
        elif self._format is not None:
            wrong = "no tool can be run here: give the answer itself"
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


def _explained(message: Message) -> str:
    details: Mapping[str, Any] = message.stop_details or {}
    said = [details.get(key) for key in ("category", "explanation")]
    words = ": ".join(word for word in said if isinstance(word, str) and word)
    return f" ({words})" if words else ""


def _allows_format(request: Mapping[str, Any]) -> bool:
    """Whether structured output can be used: a model that has it, no prefilled answer, no citations.

    Source: platform.claude.com/docs/en/build-with-claude/structured-outputs (Claude 4.5 and later).
    """
    info = model_info(request.get("model"))
    if info is None:
        return False
    known = info.structured_outputs
    if not (info.generation >= (4, 5) if known is None else known):
        return False
    messages = request.get("messages") or ()
    if messages and messages[-1].get("role") == "assistant":
        return False
    return not any(_cites(message.get("content")) for message in messages)


def _cites(content: Any) -> bool:
    """Whether a document or search result asks for citations, which structured output excludes."""
    if not isinstance(content, Sequence) or isinstance(content, str):
        return False
    blocks: Iterable[Any] = (block for block in content if isinstance(block, Mapping))
    for block in blocks:
        citations = block.get("citations")
        if isinstance(citations, Mapping) and citations.get("enabled"):
            return True
        if block.get("type") == "tool_result" and _cites(block.get("content")):
            return True
    return False


class Extraction(NotCopied, Generic[T]):
    """An Extractor driven over a client. Made by `client.extract(type, ...)`; await it, or look at it as it grows:

        person = await client.extract(Person, model=..., max_tokens=..., messages=[...])

        async with client.extract(Person, ...) as extraction:
            async for partial in extraction:    # plain JSON data, not checked, more at each step
                ...
            person = extraction.value

    A value that is not there at the end is a RefusalError where the model refused, else a RemoteProtocolError.
    """

    _instead = "it reads from a connection: keep its value"

    def __init__(self, extractor: Extractor[T], *, open_stream: OpenStream) -> None:
        self._extractor = extractor
        self._open_stream = open_stream
        self._stream: StreamedAnswer | None = None
        self._partial = PartialValue(extractor.name, structured=extractor.structured)

    def __repr__(self) -> str:
        return f"<Extraction of {self._extractor!r}>"

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
        """The value so far, detached; what the next attempt gives begins anew.

        A short value comes at every delta. A long one comes less often, so that all copies together cost no more than a
        fixed multiple of the value; the whole value always comes.
        """
        while True:
            stream = self._stream
            if stream is None:
                request = self._extractor.next_request()
                if request is None:
                    raise StopAsyncIteration
                stream = self._open_stream(**request)
                await stream.__aenter__()
                self._stream = stream
                self._partial = PartialValue(self._extractor.name, structured=self._extractor.structured)
            try:
                event = await stream.__anext__()
            except StopAsyncIteration:
                message = stream.message
                assert message is not None  # the stream came to its end without an error
                await stream.aclose()
                self._stream = None
                self._extractor.receive_message(message)
                continue
            partial = self._partial.receive(event)
            if self._extractor.wrapped and isinstance(partial, dict):
                partial = partial.get("value")
            if partial is not None:
                return partial
