"""ToolLoop: a conversation in which the model calls tools, as a state machine without I/O.

    loop = ToolLoop(tools=[get_weather], model=..., max_tokens=..., messages=[...])
    while True:
        match loop.next_action():
            case AskModel(request=request): loop.receive_message(...)      # send it, wait for the whole answer
            case RunTools(calls=calls): ...                                 # start them; loop.receive_result(id, ...)
            case AwaitResults(): ...                                        # wait for one of those that run
            case Finished(reason=reason, message=message): break

`ToolLoop` says which rules it follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, Self, TypeAlias

from sansio_claude._copies import NotCopied
from sansio_claude._errors import LocalProtocolError, RemoteProtocolError
from sansio_claude._message.blocks import CompactionBlock
from sansio_claude._message.message import Message
from sansio_claude._message.tool_blocks import ToolInputBlock
from sansio_claude._request.continuation import container_of, larger_max_tokens, next_step
from sansio_claude._request.request import MessageRequest
from sansio_claude.tools._arguments import arguments_of, check_answer, concurrency_of, limit_of, said_blocks
from sansio_claude.tools._calls import Action, AskModel, AwaitResults, Finished, RunTools, ToolCall
from sansio_claude.tools._offered import OfferedTools, ToolParam
from sansio_claude.tools._pending import PendingCalls
from sansio_claude.tools._result import ToolResult
from sansio_claude.tools._saved import FORMAT, call_as_dict, call_fields, checked, without_secrets
from sansio_claude.tools._saved_message import message_as_dict, message_of
from sansio_claude.tools._schema import tools_of
from sansio_claude.tools._turn import (
    Ids,
    close_turn,
    is_whole,
    last_turn,
    last_turn_of,
    may_run,
    named_turn_of,
    plain,
    refusal_of,
)

__all__ = ["ToolLoop"]

State: TypeAlias = Literal["asking", "running", "finished"]

_ASKED_AGAIN: Final = 5  # times in a row that a cut tool input is asked for with more tokens
_COUNTED: Final[tuple[str, ...]] = (
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
)


class ToolLoop(NotCopied):
    """A conversation in which the model calls tools: a state machine without I/O.

    `tools` holds Tools, other RunnableTools (TextEditor), functions (made into Tools), and plain definitions: calls of
    those that have no function are handed out for the caller to run. The first request is a MessageRequest, or
    arguments by their wire names, or both. `max_turns` counts requests, `token_budget` all input and output tokens
    of the answers; both can be changed while the loop stands. `concurrency` is how many calls may run at once.

    States: "asking" (the next thing is a request), "running" (calls of the last answer await results), "finished".

    The rules:

    - Calls are run where the stop reason is "tool_use", and only those whose input is one whole JSON object. Any other
      call is answered with an error result; so is a call of a tool that is not there. "tool_use" without a call ends
      the run with the reason "tool_use_without_call".
    - Under "end_turn" and "stop_sequence", which gateways write below answers with calls, they are run if each of them
      is whole and the model's own and nothing but calls stands behind it. Calls that are not run end the run with the
      reason "calls_not_run".
    - Every call of an answer gets exactly one result, and all results stand first in one user's turn, in the order of
      the calls, whatever the order they came in. A call without an id, or with one that an earlier call has, gets an
      id of the loop's own, in the call and in its result.
    - An answer goes into the history as it came (thinking, signatures, server tools, unknown blocks), with those ids,
      and with three exceptions that the API would refuse: a text block without text is left out, an input that is no
      JSON object stands as `{"INVALID_JSON": raw text}`, and a call without a name is one of `unnamed_tool`.
    - pause_turn: the answer goes back unchanged, nothing is run; calls in it are run if the answer's last part ends
      with "tool_use". One without content ends the run. compaction: the block stands first in the next request.
    - max_tokens in an answer with a client's call, or inside any tool's input: the answer is dropped and asked for
      again with twice the tokens, up to what the model can give. Any other cut answer ends the run.
    - A refused turn is not kept, nor are its paused parts. Of an answer that ends the run with calls that may not be
      run, what stands before the first of them is kept.
    - A limit (turns, tokens) stops the loop before a request, never between a call and its result: the history is
      whole.
    - `history` is at every moment a conversation that the API accepts: a call without a result has one there that says
      so.
    - A forced `tool_choice` holds until the first results; after them it is "auto", or the run could never end.

    The work for an answer is linear in its blocks, that for a result constant but for the logarithm of the waiting
    calls.
    """

    _instead = "its tools are functions: save it with `to_dict()`, and give that and the tools to `ToolLoop.from_dict`"

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
        self.max_turns: int | None = limit_of("max_turns", max_turns)
        self.token_budget: int | None = limit_of("token_budget", token_budget)
        self._concurrency = concurrency_of(concurrency)
        arguments = arguments_of(given, request)
        self._offered = OfferedTools((*arguments.pop("tools", ()), *tools_of(tools)))
        betas = [*arguments.pop("betas", ()), *self._offered.betas]
        self._request: dict[str, Any] = plain(arguments)
        if betas:
            self._request["betas"] = list(dict.fromkeys(betas))
        self._history: list[dict[str, Any]] = self._request.pop("messages", None) or []
        self._ids = Ids(self._history)
        self._first = 0  # the place in the history where the next request begins: behind it is summed up
        self._turn = 1
        self._state: State = "asking"
        self._error: RemoteProtocolError | None = None
        self._message: Message | None = None
        self._reason = ""
        self._usage: dict[str, int] = dict.fromkeys(_COUNTED, 0)
        self._asked_again = 0
        self._said: list[dict[str, Any]] = []  # of the user, while calls run
        self._pending = PendingCalls()
        self._refused: list[tuple[ToolCall, ToolResult]] = []
        self._driver: object = None

    def __repr__(self) -> str:
        counts = f"{len(self._history)} messages, {len(self._offered.definitions)} tools"
        return f"<ToolLoop {self._state}, turn {self._turn}, {counts}>"

    @property
    def state(self) -> State:
        """ "asking", "running" or "finished"; a limit shows only in `next_action`."""
        return self._state

    @property
    def history(self) -> list[dict[str, Any]]:
        """The whole conversation as plain messages, the given ones included: to be kept, or to be gone on with.

        The API accepts it at every moment: while calls have no results, a last turn answers each of them, those that
        have none with words that say so. Behind a paused answer that answer stands last. A copy of the list.
        """
        if self._state != "running":
            return list(self._history)
        return [*self._history, {"role": "user", "content": [*self._pending.blocks(), *self._said]}]

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

    @property
    def concurrency(self) -> int:
        """How many calls may run at once."""
        return self._concurrency

    def next_action(self) -> Action:
        """What is to be done now. Changes nothing but that the calls of RunTools count as begun.

        Raises RemoteProtocolError, at every call, after an answer that cannot be sent back; the history is that of
        before, and `interrupt()` goes on from there.
        """
        if self._error is not None:
            raise self._error
        if self._pending.lost:
            self._pending.settle_lost()
            self._end_calls()
        if self._state == "running":
            ready = self._pending.take_ready(self._concurrency)
            return RunTools(ready) if ready else AwaitResults(self._pending.running())
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
        check_answer(message, asked=self._state == "asking" and self._error is None)
        self._turn += 1
        self._message = message
        for key in _COUNTED:
            self._usage[key] += getattr(message.usage, key) or 0
        self._request.update(container_of(self._request, message))
        step = next_step(message.stop_reason)
        before = last_turn(self._history, self._first)
        called = bool(message.tool_uses) or any(block.get("type") == "tool_use" for block in before)
        if called and (step == "run_tools" or may_run(message.stop_reason, before, message.content)):
            self._begin_calls(message)
        elif step == "resume" and message.content:
            self._resume(message)
        elif step == "compacted":
            self._compacted(message)
        elif step == "cut" and (more := self._more_tokens(message)) is not None:
            self._request["max_tokens"] = more
            self._asked_again += 1
            return
        else:
            self._finish(message, called=called)
        self._asked_again = 0

    def receive_result(self, call_id: str, result: Any = None, *, is_error: bool = False) -> None:
        """Take the result of one call: a ToolResult, or whatever the tool returned (see `ToolResult.of`).

        Raises LocalProtocolError where no such call awaits one.
        """
        if not self.awaits(call_id):
            raise LocalProtocolError(f"no call with the id {call_id!r:.80} awaits a result")
        made = ToolResult.of(result, limit=self._pending.calls[call_id].longest_result)
        if is_error and not made.is_error:
            made = ToolResult.of(ToolResult(made.content, is_error=True, cache_control=made.cache_control), limit=None)
        self._pending.put(call_id, made)
        self._end_calls()

    def receive_error(self, call_id: str, error: BaseException) -> None:
        """Take the exception that a call ended with: an error result for the model. Raises like `receive_result`."""
        self.receive_result(call_id, ToolResult.of_error(error))

    def awaits(self, call_id: str) -> bool:
        """Whether a result of the call with this id is still to come."""
        waits = isinstance(call_id, str) and call_id in self._pending.calls
        return waits and call_id not in self._pending.results

    def _take_refused(self) -> list[tuple[ToolCall, ToolResult]]:
        """The calls since the last time that were answered without being handed out, with their results."""
        refused, self._refused = self._refused, []
        return refused

    def _take_over(self, driver: object) -> None:
        """Begin to drive the loop. Raises LocalProtocolError where another run does."""
        if self._driver is not None:
            raise LocalProtocolError("another run is driving this loop: wait for its end, or stop it with interrupt()")
        self._driver = driver

    def _let_go(self, driver: object) -> None:
        """Drive the loop no longer."""
        self._driver = None if self._driver is driver else self._driver

    def put_back(self, call_id: str) -> None:
        """Say that a call which was handed out was never begun: `next_action` will hand it out again.

        Raises LocalProtocolError where no such call has been handed out, or it has its result.
        """
        if not isinstance(call_id, str) or call_id not in self._pending.begun:
            raise LocalProtocolError(f"no call with the id {call_id!r:.80} has been handed out without a result since")
        self._pending.put_back(call_id)

    def leave(self) -> None:
        """Say that nobody runs any more what was handed out, as when a worker has died.

        At the next `next_action` the calls that have begun and have no result are answered as interrupted, or handed
        out again where their tool says `idempotent=True`. The others are still to be run. Until then, a result may
        come from elsewhere.
        """
        self._pending.lost = set(self._pending.begun)

    def interrupt(self) -> None:
        """Stop here, so that the user can say something else, or the model be asked again. Never raises.

        Every call that has no result gets one: that it was interrupted, or that it was not begun. What a paused answer
        has left open is taken out of the history. An answer that cannot be sent back (see `next_action`) is dropped.
        """
        self._error = None
        if self._state == "running":
            self._pending.interrupt()
            self._end_calls()
        elif self._state == "asking" and self._paused and self._turn > 1:
            close_turn(self._history, keep=True, start=self._first)
            if self._paused:  # the model may not be asked before the user has said something
                self._state, self._reason = "finished", "interrupted"

    def add_user(self, *content: str | Mapping[str, Any]) -> None:
        """Add texts or blocks of the user: to the turn with the results while calls run, else as a turn of its own.

        A finished loop goes on with it. Raises LocalProtocolError behind a paused answer, which has to stay last.
        """
        blocks = plain(said_blocks(content))
        if self._state == "running":
            self._said.extend(blocks)
            return
        if self._state == "asking" and self._paused:
            raise LocalProtocolError(
                "the last answer is paused: the conversation cannot go on before its rest has come, or interrupt()"
            )
        self._history.append({"role": "user", "content": blocks})
        self._state = "asking"

    @property
    def _paused(self) -> bool:
        return len(self._history) > self._first and self._history[-1].get("role") == "assistant"

    def to_dict(self) -> dict[str, Any]:
        """The state as plain dicts, lists and JSON values, for `from_dict`, in this process or another.

        Tools are not in it, and nothing that may be secret: `extra_headers`, `extra_query`, tokens of MCP servers and
        whatever in `extra_body` has the name of a secret. They have to be given again to `from_dict`.
        """
        return {
            "format": FORMAT,
            "request": plain(without_secrets(self._request)),
            "history": plain(self._history),
            "first": self._first,
            "turn": self._turn,
            "state": self._state,
            "reason": self._reason,
            "error": None if self._error is None else self._error.message,
            **message_as_dict(self._message),
            "usage": dict(self._usage),
            "asked_again": self._asked_again,
            "calls": [call_as_dict(call) for call in self._pending.calls.values()],
            "begun": list(self._pending.running()),
            "results": plain(self._pending.results),
            "said": plain(self._said),
            "max_turns": self.max_turns,
            "token_budget": self.token_budget,
            "concurrency": self._concurrency,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any], *, tools: Iterable[ToolParam] = (), **options: Any) -> Self:
        """The loop of a `to_dict`. The tools are given again; options of the loop and arguments of the request go over
        those of then. For the calls that had begun and have no result see `leave`.

        Raises LocalProtocolError, which names the first part that is not right, where it is not one of this library.
        """
        saved = checked(value)
        if "messages" in options:
            raise LocalProtocolError("the saved loop has its messages: add to them with add_user()", path="messages")
        kept = {key: saved[key] for key in ("max_turns", "token_budget", "concurrency")}
        loop = cls(tools=tools, **{**kept, **plain(saved["request"]), **options, "messages": saved["history"]})
        loop._first, loop._turn, loop._asked_again = saved["first"], saved["turn"], saved["asked_again"]
        loop._state, loop._reason = saved["state"], saved["reason"]
        loop._usage = {key: saved["usage"].get(key, 0) for key in _COUNTED}
        error, loop._message = saved["error"], message_of(saved)
        loop._error = None if error is None else RemoteProtocolError(error, stage="message")
        loop._said = plain(saved["said"])
        loop._pending = PendingCalls(
            ToolCall(**call_fields(call), tool=loop._offered.runner_of(call)) for call in saved["calls"]
        )
        loop._pending.restore(plain(saved["results"]), saved["begun"])
        return loop

    def _next_request(self) -> dict[str, Any]:
        request = dict(self._request)
        if self._offered.definitions:
            request["tools"] = list(self._offered.definitions)
        request["messages"] = self._history[self._first :]
        return request

    def _begin_calls(self, message: Message) -> None:
        turn, broken = named_turn_of(message.content, self._ids)
        if turn:
            self._history.append({"role": "assistant", "content": turn})
        self._said = []
        names = self._offered.names
        known = {name for name in names if isinstance(name, str)}
        calls = [
            self._call_of(block, whole=block["id"] not in broken)
            for block in last_turn(self._history, self._first)
            if block.get("type") == "tool_use"
        ]
        self._pending = PendingCalls(calls)
        self._state = "running"
        for call in calls:
            there = call.toolset_name is not None or call.name in known
            refusal = refusal_of(call.name, None if there else names, broken=broken.get(call.id))
            if refusal is not None:
                result = ToolResult(refusal, is_error=True)
                self._refused.append((call, result))
                self._pending.put(call.id, result)
        self._end_calls()

    def _call_of(self, block: Mapping[str, Any], *, whole: bool) -> ToolCall:
        name, toolset = block.get("name"), block.get("toolset_name")
        fields = {
            "id": block["id"],
            "name": name if isinstance(name, str) else "",
            "input": plain(block.get("input")) if whole else None,
            "turn": self._turn - 1,
            "toolset_name": toolset if isinstance(toolset, str) else None,
        }
        return ToolCall(**fields, tool=self._offered.runner_of(fields))

    def _end_calls(self) -> None:
        if self._state != "running" or self._pending:
            return
        self._history.append({"role": "user", "content": [*self._pending.blocks(), *self._said]})
        self._said = []
        self._pending = PendingCalls()
        choice = self._request.get("tool_choice")
        if isinstance(choice, dict) and choice.get("type") in ("any", "tool"):
            kept = {key: choice[key] for key in ("disable_parallel_tool_use",) if key in choice}
            self._request["tool_choice"] = {"type": "auto", **kept}
        self._state = "asking"

    def _resume(self, message: Message) -> None:
        if self._refused_to_send_back(message):
            return
        turn, _ = named_turn_of(message.content, self._ids)
        if turn:
            self._history.append({"role": "assistant", "content": turn})
        else:
            self._finish(message, called=False)

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

    def _finish(self, message: Message, *, called: bool) -> None:
        self._state = "finished"
        step = next_step(message.stop_reason)
        if called and step == "finished":
            self._reason = "calls_not_run"
        elif step == "run_tools":
            self._reason = "tool_use_without_call"
        else:
            self._reason = message.stop_reason or "unknown"
        self._ids.keep(message.content)
        if content := last_turn_of(message):
            self._history.append({"role": "assistant", "content": content})
        close_turn(self._history, keep=step != "refused", start=self._first)
