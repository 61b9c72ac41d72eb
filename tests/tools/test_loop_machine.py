"""The tool loop under any answers, results, errors and orders: every call gets exactly one result, every request is
one that the API accepts, and what goes back is what came."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sansio_claude._errors import LocalProtocolError, ToolError
from sansio_claude._message.message import Message
from sansio_claude.tools import AskModel, AwaitResults, Finished, RunTools, Tool, ToolCall, ToolLoop, tool
from tests.tools.history import problems

STOP_REASONS = (
    *("tool_use",) * 6,
    *("end_turn", "max_tokens", "stop_sequence", "pause_turn", "refusal", "compaction"),
    *("model_context_window_exceeded", "one_to_come", None),
)
# One object, nothing, cut, no object, no JSON, a value that no request can carry.
INPUTS = ('{"n": 1}', "{}", "{}", '{"n": 2', "[1]", '{"n": 1e999}', '{"n": "\\ud800"}', "nonsense")


@tool
def add_one(n: int = 0) -> int:
    """Add one to a number."""
    return n + 1


@tool(sequential=True)
def in_order(n: int = 0) -> int:
    """Keep the order."""
    return n


BY_HAND = {"name": "by_hand", "description": "Run by the caller.", "input_schema": {"type": "object"}}
NAMES = ("add_one", "in_order", "by_hand", "not_there")


def tool_use(kind: str, number: int, name: str, text: str) -> dict[str, Any]:
    value: Any = {"$incomplete_json": text}
    try:
        value = json.loads(text)
    except ValueError:
        pass
    return {"type": kind, "id": f"toolu_{number}", "name": name, "input": value}


def search_result(call: str) -> dict[str, Any]:
    return {"type": "web_search_tool_result", "tool_use_id": call, "content": [{"encrypted_content": "opaque=="}]}


class Loop(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.tools: list[Tool | dict[str, Any]] = [add_one, in_order, BY_HAND]
        self.max_turns = 25
        self.loop = ToolLoop(
            tools=self.tools,
            model="a-model",
            max_tokens=100,
            messages=[{"role": "user", "content": "go"}],
            max_turns=self.max_turns,
            concurrency=3,
        )
        self.number = 0
        self.open = ""
        self.out: dict[str, ToolCall] = {}
        self.handed_out: list[str] = []
        self.answers: list[dict[str, Any]] = []
        self.action: Any = None
        self.look()

    def look(self) -> None:
        """Ask for the next action until there is nothing to do but wait, and check each."""
        while True:
            self.action = self.loop.next_action()
            match self.action:
                case RunTools(calls=calls):
                    for call in calls:
                        assert isinstance(call.input, dict)
                        assert call.id not in self.out
                        assert call.name != "not_there"
                        self.out[call.id] = call
                        self.handed_out.append(call.id)
                    running = [call.name for call in self.out.values()]
                    assert running.count("in_order") <= 1
                    assert len(running) <= 3
                case AwaitResults(calls=calls):
                    assert set(calls) == set(self.out)
                    return
                case AskModel(turn=turn, request=request):
                    assert not self.out
                    assert turn <= self.max_turns
                    assert problems(request["messages"], paused=self.paused()) == []
                    assert [definition["name"] for definition in request["tools"]] == list(NAMES[:3])
                    assert self.loop.next_action() == self.action
                    return
                case Finished(reason=reason):
                    assert reason
                    if self.loop.state == "finished":
                        self.open = ""
                    return

    @precondition(lambda self: isinstance(self.action, AskModel))
    @rule(
        stop=st.sampled_from(STOP_REASONS),
        thinking=st.sampled_from(["", "signed", "redacted"]),
        text=st.sampled_from(["", "words", " "]),
        server=st.sampled_from(["", "pair", "open"]),
        calls=st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(INPUTS)), max_size=4),
        compaction=st.sampled_from(["", "worked", "failed"]),
        empty=st.sampled_from([False, False, False, True]),
    )
    def answer(
        self,
        stop: str | None,
        thinking: str,
        text: str,
        server: str,
        calls: list[tuple[str, str]],
        compaction: str,
        empty: bool,
    ) -> None:
        content: list[dict[str, Any]] = []
        if stop == "compaction":
            content.append({"type": "compaction", "content": "summary" if compaction != "failed" else None})
        else:
            if thinking:
                content.append(
                    {"type": "thinking", "thinking": "", "signature": "sig=="}
                    if thinking == "signed"
                    else {"type": "redacted_thinking", "data": "opaque=="}
                )
            if self.open:  # what a paused answer waited for
                content.append(search_result(self.open))
                self.open = ""
            content.append({"type": "text", "text": text})
            if server:
                self.number += 1
                content.append(tool_use("server_tool_use", self.number, "web_search", "{}"))
                if server == "pair" or stop != "pause_turn":
                    content.append(search_result(f"toolu_{self.number}"))
                else:
                    self.open = f"toolu_{self.number}"
            for name, given in calls:
                self.number += 1
                # A paused answer with an input that cannot go back ends the run.
                content.append(tool_use("tool_use", self.number, name, "{}" if stop == "pause_turn" else given))
            if stop == "pause_turn" and empty:
                content = []
            elif all(block["type"] in ("thinking", "redacted_thinking", "text") for block in content):
                content.append({"type": "text", "text": "said"})
        usage = {"input_tokens": 10, "output_tokens": 1}
        raw = {"id": "msg", "role": "assistant", "content": content, "stop_reason": stop, "usage": usage}
        self.answers.append(copy.deepcopy(raw))
        before = self.loop.history
        self.loop.receive_message(Message.from_dict(raw))
        added = self.loop.history[len(before) :]
        if added and added[0]["role"] == "assistant":
            self.unchanged(raw, added[0]["content"])
        if stop == "refusal":
            assert self.loop.history == before[: len(self.loop.history)]
            assert self.loop.history[-1]["role"] == "user" or "compaction" in str(self.loop.history[-1])
        self.look()

    def unchanged(self, raw: dict[str, Any], kept: list[dict[str, Any]]) -> None:
        """What the history keeps is what came, but for inputs that no request can carry and texts without text."""
        came = [block for block in raw["content"] if block.get("text", "x").strip()]
        if raw["stop_reason"] in ("tool_use", "pause_turn", "compaction", "end_turn", "stop_sequence"):
            if raw["stop_reason"] == "tool_use" or not any(block["type"] == "tool_use" for block in came):
                assert len(kept) == len(came)
        for one, other in zip(kept, came, strict=False):
            if "INVALID_JSON" in str(one):
                assert {**one, "input": 0} == {**other, "input": 0}
            else:
                assert json.dumps(one) == json.dumps(other)

    @precondition(lambda self: bool(self.out))
    @rule(data=st.data(), how=st.sampled_from(["value", "tool error", "error", "flag"]))
    def result(self, data: st.DataObject, how: str) -> None:
        call = self.out.pop(data.draw(st.sampled_from(sorted(self.out))))
        if how == "value":
            self.loop.receive_result(call.id, call.start() if call.tool else {"by": "hand"})
        elif how == "tool error":
            self.loop.receive_error(call.id, ToolError("no"))
        elif how == "error":
            self.loop.receive_error(call.id, ValueError("no"))
        else:
            self.loop.receive_result(call.id, "no", is_error=True)
        self.refused(lambda: self.loop.receive_result(call.id, "again"))
        self.look()

    def paused(self) -> bool:
        return self.loop.state == "asking" and self.loop.history[-1]["role"] == "assistant"

    @precondition(lambda self: isinstance(self.action, Finished | AwaitResults) and not self.paused())
    @rule(words=st.sampled_from(["and then?", "hurry"]))
    def user(self, words: str) -> None:
        self.loop.add_user(words)
        self.look()

    @rule()
    def wrong_calls(self) -> None:
        self.refused(lambda: self.loop.receive_result("nobody", "x"))
        if not isinstance(self.action, AskModel):
            if self.loop.state != "asking":
                self.refused(lambda: self.loop.receive_message(Message.from_dict({"content": []})))

    def refused(self, attempt: Any) -> None:
        before = self.loop.to_dict()
        try:
            attempt()
        except LocalProtocolError:
            assert self.loop.to_dict() == before
        else:
            raise AssertionError("this should have been refused")

    @rule()
    def move_to_another_process(self) -> None:
        saved = json.loads(json.dumps(self.loop.to_dict()))
        loop = ToolLoop.from_dict(saved, tools=self.tools)
        assert loop.to_dict() == self.loop.to_dict() == saved
        assert loop.history == self.loop.history
        self.loop = loop
        self.out.clear()  # what ran in the old process is handed out again
        self.look()

    @invariant()
    def the_history_can_be_gone_on_with(self) -> None:
        history = self.loop.history
        if isinstance(self.action, Finished):
            paused = self.paused()
            assert (
                problems(history if paused else [*history, {"role": "user", "content": "go on"}], paused=paused) == []
            )

    @invariant()
    def calls_ran_only_after_tool_use(self) -> None:
        legal: set[str] = set()
        paused: set[str] = set()
        for raw in self.answers:
            calls = {
                block["id"]
                for block in raw["content"]
                if block["type"] == "tool_use" and block["input"] in ({"n": 1}, {})
            }
            if raw["stop_reason"] == "pause_turn":
                paused |= calls  # the same turn may end with tool_use
            elif raw["stop_reason"] == "tool_use":
                legal |= calls | paused
        assert set(self.handed_out) <= legal

    @invariant()
    def tokens_are_added_up(self) -> None:
        assert self.loop.tokens == 11 * len(self.answers)


TestLoop = Loop.TestCase
TestLoop.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
