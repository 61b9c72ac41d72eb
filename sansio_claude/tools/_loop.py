"""ToolLoop: a conversation in which the model calls tools, as a state machine without I/O.

    loop = ToolLoop(tools=[get_weather], model=..., max_tokens=..., messages=[...])
    while True:
        match loop.next_action():
            case AskModel(request=request): loop.receive_message(...)      # send it, wait for the whole answer
            case RunTools(calls=calls): ...                                 # start them; loop.receive_result(id, ...)
            case AwaitResults(): ...                                        # wait for one of those that run
            case Finished(reason=reason, message=message): break

States: "asking" (the next thing is a request), "running" (calls of the last answer await results), "finished".

The rules, with the stop reasons' steps of `_continue.STEPS`:

- Calls are run only where the stop reason is "tool_use", and only those whose input is one whole JSON object. Any other
  call is answered with an error result; so is a call of a tool that is not there.
- Every call of an answer gets exactly one result, and all results stand first in one user's turn, in the order of the
  calls, whatever the order they came in.
- An answer goes into the history as it came (thinking, signatures, server tools, unknown blocks), with two
  exceptions that the API would refuse: a text block without text is left out, and an input that is no JSON object
  stands as `{"INVALID_JSON": raw text}`.
- pause_turn: the answer goes back unchanged, nothing is run; calls in it are run if the answer's last part ends with
  "tool_use". One without content ends the run. compaction: the block stands first in the next request.
- max_tokens in an answer with a client's call, or inside any tool's input: the answer is dropped and asked for again
  with twice the tokens, up to what the model can give. Any other cut answer ends the run.
- A refused turn is not kept, nor are its paused parts. Of an answer that ends the run with calls that may not be
  run, what stands before the first of them is kept.
- A limit (turns, tokens) stops the loop before a request, never between a call and its result: the history is whole.
- A forced `tool_choice` holds until the first results; after them it is "auto", or the run could never end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, Self, TypeAlias

import attrs

from sansio_claude._errors import LocalProtocolError, RemoteProtocolError
from sansio_claude._message.blocks import CompactionBlock
from sansio_claude._message.message import Message
from sansio_claude._message.tool_blocks import ToolInputBlock, ToolUseBlock
from sansio_claude._request.continuation import container_of, larger_max_tokens, next_step
from sansio_claude._request.request import MessageRequest
from sansio_claude.tools._calls import Action, AskModel, AwaitResults, Finished, RunTools, ToolCall
from sansio_claude.tools._result import ToolResult
from sansio_claude.tools._schema import RunnableTool, tool
from sansio_claude.tools._turn import calls_of_last_turn, close_turn, is_whole, last_turn_of, plain, refusal_of, turn_of

__all__ = ["ToolLoop", "ToolParam"]

ToolParam: TypeAlias = RunnableTool | Mapping[str, Any] | Callable[..., Any]
State: TypeAlias = Literal["asking", "running", "finished"]

_FORMAT: Final = 1  # of to_dict
_ASKED_AGAIN: Final = 5  # times in a row that a cut tool input is asked for with more tokens
_COUNTED: Final[tuple[str, ...]] = (
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
)


class ToolLoop:
    """The state machine. See the top of the module for its rules.

    `tools` holds Tools, other RunnableTools (TextEditor), functions (made into Tools), and plain definitions: calls of
    those that have no function are handed out for the caller to run. The first request is a MessageRequest, or
    arguments by their wire names, or both. `max_turns` counts requests, `token_budget` all input and output tokens
    of the answers; both can be changed while the loop stands. `concurrency` is how many calls may run at once.
    """

    def __init__(
        self,
        given: MessageRequest | None = None,
        /,
        *,
        tools: Iterable[ToolParam] = (),
        max_turns: int | None = None,
        token_budget: int | None = None,
        concurrency: int = 16,
        **request: Any,
    ) -> None:
        if concurrency < 1:
            raise LocalProtocolError("concurrency must be 1 or more")
        self.max_turns = max_turns
        self.token_budget = token_budget
        self._concurrency = concurrency
        self._runnable: dict[str, RunnableTool] = {}
        self._definitions: list[dict[str, Any]] = []
        arguments = _arguments(given, request)
        betas = list(arguments.pop("betas", ()))
        for one in (*arguments.pop("tools", ()), *tools):
            self._add_tool(one, betas)
        self._request: dict[str, Any] = plain(arguments)
        if betas:
            self._request["betas"] = list(dict.fromkeys(betas))
        self._history: list[dict[str, Any]] = self._request.pop("messages", None) or []
        self._first = 0
        self._turn = 1
        self._state: State = "asking"
        self._error: RemoteProtocolError | None = None
        self._message: Message | None = None
        self._reason = ""
        self._usage: dict[str, int] = dict.fromkeys(_COUNTED, 0)
        self._asked_again = 0
        self._calls: dict[str, ToolCall] = {}
        self._results: dict[str, dict[str, Any]] = {}
        self._started: set[str] = set()
        self._said: list[dict[str, Any]] = []

    @property
    def state(self) -> State:
        """ "asking", "running" or "finished"; a limit shows only in `next_action`."""
        return self._state

    @property
    def history(self) -> list[dict[str, Any]]:
        """The whole conversation as plain messages, the given ones included. A copy of the list."""
        return list(self._history)

    @property
    def message(self) -> Message | None:
        """The last answer, whatever became of it."""
        return self._message

    @property
    def turn(self) -> int:
        """The number of the request that is next or under way, from 1."""
        return self._turn

    @property
    def usage(self) -> dict[str, int]:
        """The tokens of all answers so far, added up by kind. A copy."""
        return dict(self._usage)

    @property
    def tokens(self) -> int:
        """All of `usage` together: what `token_budget` is compared with."""
        return sum(self._usage.values())

    def next_action(self) -> Action:
        """What is to be done now.

        Raises RemoteProtocolError, at every call, after an answer whose calls cannot be answered (ids missing or
        not unique); the history is that of before.
        """
        if self._error is not None:
            raise self._error
        if self._state == "running":
            ready = self._ready()
            self._started.update(call.id for call in ready)
            waiting = tuple(call for call in self._calls if call in self._started and call not in self._results)
            return RunTools(ready) if ready else AwaitResults(waiting)
        if self._state == "finished":
            return Finished(self._reason, self._message)
        if self.max_turns is not None and self._turn > self.max_turns:
            return Finished("max_turns", self._message)
        if self.token_budget is not None and self.tokens >= self.token_budget:
            return Finished("token_budget", self._message)
        return AskModel(self._turn, self._next_request())

    def receive_message(self, message: Message) -> None:
        """Take the whole answer to the last AskModel. Never raises for what the answer says.

        Raises LocalProtocolError where none was asked for. A cut answer is not for here: `continuation` has the
        request for it, or the same AskModel is sent again.
        """
        if self._state != "asking" or self._error is not None:
            raise LocalProtocolError("no answer was asked for: follow next_action()")
        self._turn += 1
        self._message = message
        for key in _COUNTED:
            self._usage[key] += getattr(message.usage, key) or 0
        self._request.update(container_of(self._request, message))
        step = next_step(message.stop_reason)
        if step == "run_tools" and (uses := [*calls_of_last_turn(self._history, self._first), *message.tool_uses]):
            self._begin_calls(message, uses)
        elif step == "resume" and (turn := turn_of(message.content)):
            self._resume(message, turn)
        elif step == "compacted":
            self._compacted(message)
        elif step == "cut" and (more := self._more_tokens(message)) is not None:
            self._request["max_tokens"] = more
            self._asked_again += 1
            return
        else:
            self._finish(message)
        self._asked_again = 0

    def receive_result(self, call_id: str, result: Any = None, *, is_error: bool = False) -> None:
        """Take the result of one call: a ToolResult, or whatever the tool returned (see `ToolResult.of`).

        Raises LocalProtocolError where no such call awaits one.
        """
        call = self._calls.get(call_id) if self._state == "running" else None
        if call is None or call_id in self._results:
            raise LocalProtocolError(f"no call with the id {call_id!r:.80} awaits a result")
        made = ToolResult.of(result)
        if is_error and not made.is_error:
            made = ToolResult(made.content, is_error=True, cache_control=made.cache_control)
        self._results[call_id] = made.to_block(call_id, toolset_name=call.toolset_name)
        self._end_calls()

    def receive_error(self, call_id: str, error: BaseException) -> None:
        """Take the exception that a call ended with: an error result for the model. Raises like `receive_result`."""
        self.receive_result(call_id, ToolResult.of_error(error))

    def add_user(self, *content: str | Mapping[str, Any]) -> None:
        """Add texts or blocks of the user: to the turn with the results while calls run, else as a turn of its own.

        A finished loop goes on with it. Raises LocalProtocolError behind a paused answer, which has to stay last.
        """
        blocks = [{"type": "text", "text": item} if isinstance(item, str) else plain(item) for item in content]
        if not blocks:
            raise LocalProtocolError("add_user() needs a text or at least one content block")
        if self._state == "running":
            self._said.extend(blocks)
            return
        if self._state == "asking" and self._history and self._history[-1]["role"] == "assistant":
            raise LocalProtocolError(
                "the last answer is paused: the conversation cannot go on before its rest has come"
            )
        self._history.append({"role": "user", "content": blocks})
        self._state = "asking"

    def to_dict(self) -> dict[str, Any]:
        """The state as plain dicts, for `from_dict`, in this process or another.

        Tools are not in it, nor are `extra_headers`, which may hold secrets. Calls that were handed out and have no
        result are handed out again.
        """
        request = {key: value for key, value in self._request.items() if key != "extra_headers"}
        return {
            "format": _FORMAT,
            "request": plain(request),
            "history": plain(self._history),
            "first": self._first,
            "turn": self._turn,
            "state": self._state,
            "reason": self._reason,
            "error": None if self._error is None else self._error.message,
            "message": None if self._message is None else self._message.to_dict(),
            "usage": dict(self._usage),
            "asked_again": self._asked_again,
            "calls": [
                {
                    "id": call.id,
                    "name": call.name,
                    "input": plain(call.input),
                    "turn": call.turn,
                    "toolset_name": call.toolset_name,
                }
                for call in self._calls.values()
            ],
            "results": plain(self._results),
            "said": plain(self._said),
            "max_turns": self.max_turns,
            "token_budget": self.token_budget,
            "concurrency": self._concurrency,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any], *, tools: Iterable[ToolParam] = (), **request: Any) -> Self:
        """The loop of a `to_dict`. The tools are given again; `request` arguments go over those of then.

        Raises LocalProtocolError where it is not one of this library.
        """
        try:
            if value["format"] != _FORMAT:
                raise LocalProtocolError(f"the saved loop has format {value['format']!r:.20}, not {_FORMAT}")
            loop = cls(
                tools=tools,
                max_turns=value["max_turns"],
                token_budget=value["token_budget"],
                concurrency=value["concurrency"],
                **{**value["request"], "messages": value["history"], **request},
            )
            loop._first, loop._turn, loop._asked_again = value["first"], value["turn"], value["asked_again"]
            loop._state, loop._reason, loop._usage = value["state"], value["reason"], dict(value["usage"])
            error, message = value["error"], value["message"]
            loop._error = None if error is None else RemoteProtocolError(error, stage="message")
            loop._message = None if message is None else Message.from_dict(message)
            loop._results, loop._said = dict(plain(value["results"])), list(plain(value["said"]))
            loop._calls = {
                call["id"]: ToolCall(**plain(call), tool=loop._runnable.get(call["name"])) for call in value["calls"]
            }
        except (KeyError, TypeError, AttributeError, RemoteProtocolError) as error:
            raise LocalProtocolError(f"this is no saved loop: {type(error).__name__}: {error}") from error
        return loop

    def _add_tool(self, given: ToolParam, betas: list[str]) -> None:
        if isinstance(given, Mapping):
            self._definitions.append(plain(given))
            return
        made: RunnableTool
        if isinstance(given, RunnableTool):
            made = given
        elif callable(given):
            made = tool(given)
        else:
            raise LocalProtocolError(f"a {type(given).__name__} is no tool", path="tools")
        if made.name in self._runnable:
            raise LocalProtocolError(f"there are two tools named {made.name!r}", path="tools")
        self._runnable[made.name] = made
        self._definitions.append(plain(made.to_param()))
        betas.extend(getattr(made, "betas", ()))

    def _next_request(self) -> dict[str, Any]:
        request = dict(self._request)
        if self._definitions:
            request["tools"] = list(self._definitions)
        request["messages"] = self._history[self._first :]
        return request

    def _begin_calls(self, message: Message, uses: list[ToolUseBlock]) -> None:
        ids = [block.id for block in uses]
        if "" in ids or len(set(ids)) < len(ids):
            self._error = RemoteProtocolError(
                "the answer's tool calls have no ids or the same ones: they cannot be answered",
                stage="message",
                partial=message,
            )
            return
        if turn := turn_of(message.content):
            self._history.append({"role": "assistant", "content": turn})
        self._results, self._started, self._said = {}, set(), []
        self._calls = {}
        for block in uses:
            whole = is_whole(block)
            toolset = block.raw.get("toolset_name")
            call = ToolCall(
                id=block.id,
                name=block.name,
                input=plain(block.input) if whole else None,
                turn=self._turn - 1,
                tool=None if toolset else self._runnable.get(block.name),
                toolset_name=toolset if isinstance(toolset, str) else None,
            )
            self._calls[call.id] = call
            names = [definition.get("name") for definition in self._definitions]
            known = toolset is not None or call.name in names
            refusal = refusal_of(call.name, None if known else names, broken=not whole)
            if refusal is not None:
                self._results[call.id] = ToolResult(refusal, is_error=True).to_block(
                    call.id, toolset_name=call.toolset_name
                )
        self._state = "running"
        self._end_calls()

    def _ready(self) -> tuple[ToolCall, ...]:
        room = self._concurrency - len(self._started - self._results.keys())
        ready: list[ToolCall] = []
        busy: set[str] = set()
        for call in self._calls.values():
            if call.id in self._results:
                continue
            waits = call.sequential and call.name in busy
            busy.add(call.name)
            if call.id not in self._started and not waits and room > len(ready):
                ready.append(call)
        return tuple(ready)

    def _end_calls(self) -> None:
        if len(self._results) < len(self._calls):
            return
        content = [self._results[call_id] for call_id in self._calls]
        self._history.append({"role": "user", "content": [*content, *self._said]})
        self._calls, self._results, self._said, self._started = {}, {}, [], set()
        choice = self._request.get("tool_choice")
        if isinstance(choice, dict) and choice.get("type") in ("any", "tool"):
            kept = {key: choice[key] for key in ("disable_parallel_tool_use",) if key in choice}
            self._request["tool_choice"] = {"type": "auto", **kept}
        self._state = "asking"

    def _resume(self, message: Message, turn: list[dict[str, Any]]) -> None:
        if not self._refused_to_send_back(message):
            self._history.append({"role": "assistant", "content": turn})

    def _refused_to_send_back(self, message: Message) -> bool:
        broken = any(isinstance(block, ToolInputBlock) and not is_whole(block) for block in message.content)
        if broken:
            self._error = RemoteProtocolError(
                "the answer has a tool input that is not whole: it cannot be sent back",
                stage="message",
                partial=message,
            )
        return broken

    def _compacted(self, message: Message) -> None:
        if self._refused_to_send_back(message):
            return
        worked = any(isinstance(block, CompactionBlock) and block.content for block in message.content)
        asked_for = self._request.pop("compaction", None) is not None
        if worked:
            close_turn(self._history, keep=True, start=self._first)
            self._first = len(self._history)
        if worked or not asked_for:
            self._history.append(message.to_param())

    def _more_tokens(self, message: Message) -> int | None:
        """The `max_tokens` to ask again with where a tool call was cut off; None where that is no help."""
        content = message.content
        if message.tool_uses or (content and isinstance(content[-1], ToolInputBlock)):
            return larger_max_tokens(self._request) if self._asked_again < _ASKED_AGAIN else None
        return None

    def _finish(self, message: Message) -> None:
        self._state = "finished"
        self._reason = message.stop_reason or "unknown"
        content = last_turn_of(message)
        if content:
            self._history.append({"role": "assistant", "content": content})
        close_turn(self._history, keep=next_step(message.stop_reason) != "refused", start=self._first)


def _arguments(given: MessageRequest | None, request: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that were given, those of a MessageRequest below those by name."""
    try:
        whole = MessageRequest(**request) if given is None else given.replace(**request)
    except TypeError as error:
        words = str(error).replace("MessageRequest.__init__()", "the request")
        raise LocalProtocolError(
            f"{words} (what the library does not know yet can go into extra_body={{...}})"
        ) from error
    return {
        field.name: value
        for field in attrs.fields(MessageRequest)
        if (value := getattr(whole, field.name)) is not field.default
    }
