"""The tool loop under any answers, results, errors and orders: every call gets exactly one result, every request is
one that the API accepts, and what goes back is what came, however often the run is stopped, left or moved."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sansio_claude._errors import LocalProtocolError, ToolError
from sansio_claude._message.message import Message
from sansio_claude._request.request import MessageRequest
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
    """Keep the order of the calls."""
    return n


@tool(idempotent=True)
def look_up(n: int = 0) -> int:
    """Look a number up, as often as is wanted."""
    return n


BY_HAND = {"name": "by_hand", "description": "Something that is run by the caller.", "input_schema": {"type": "object"}}
NAMES = ("add_one", "in_order", "look_up", "by_hand", "not_there")
# Whole, missing, empty, one that is there already; and who called.
IDS = ("own", "own", "own", "missing", "empty", "again")
CALLERS: tuple[Any, ...] = ("absent", "absent", None, {"type": "direct"}, {"type": "code_execution_20260120"}, {})


def tool_use(kind: str, number: int, name: str, text: str) -> dict[str, Any]:
    value: Any = {"$incomplete_json": text}
    try:
        value = json.loads(text)
    except ValueError:
        pass
    return {"type": kind, "id": f"toolu_{number}", "name": name, "input": value}


def with_id(block: dict[str, Any], how: str) -> dict[str, Any]:
    if how == "missing":
        return {key: value for key, value in block.items() if key != "id"}
    return {**block, "id": {"empty": "", "again": "toolu_1"}.get(how, block["id"])}


def search_result(call: str) -> dict[str, Any]:
    return {"type": "web_search_tool_result", "tool_use_id": call, "content": [{"encrypted_content": "opaque=="}]}


class Loop(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.tools: list[Tool | dict[str, Any]] = [add_one, in_order, look_up, BY_HAND]
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
        self.again = 0
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
                        self.again += call.id in self.handed_out
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
                    assert [definition["name"] for definition in request["tools"]] == list(NAMES[:4])
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
        calls=st.lists(
            st.tuples(*map(st.sampled_from, (NAMES, INPUTS, IDS, CALLERS))),
            max_size=4,
        ),
        calls_last=st.booleans(),
        compaction=st.sampled_from(["", "worked", "failed"]),
        empty=st.sampled_from([False, False, False, True]),
    )
    def answer(
        self,
        stop: str | None,
        thinking: str,
        text: str,
        server: str,
        calls: list[tuple[str, str, str, Any]],
        calls_last: bool,
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
            for name, given, own_id, caller in calls:
                self.number += 1
                # A paused answer with an input that cannot go back ends the run.
                block = tool_use("tool_use", self.number, name, "{}" if stop == "pause_turn" else given)
                content.append(with_id(block, own_id) | ({} if caller == "absent" else {"caller": caller}))
            if calls and not calls_last:
                content.append({"type": "text", "text": "behind"})
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
            hidden = {"id": 0} if one["type"] == "tool_use" and one["id"] != other.get("id") else {}
            if hidden:
                assert other.get("id") in (None, "", "toolu_1")
            if "INVALID_JSON" in str(one):
                hidden["input"] = 0
            assert json.dumps({**one, **hidden}, sort_keys=True) == json.dumps({**other, **hidden}, sort_keys=True)

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
        self.nobody_runs_them_any_more()

    @rule()
    def leave(self) -> None:
        self.loop.leave()
        self.nobody_runs_them_any_more()

    def nobody_runs_them_any_more(self) -> None:
        """What may run twice is handed out again; the rest of what had begun has a result that says so."""
        before, self.out = self.out, {}
        self.look()
        again = {call_id for call_id, call in before.items() if call.name == "look_up"}
        assert again <= set(self.out)
        assert not (set(before) - again) & set(self.out)
        if lost := set(before) - again:
            answers = {block.get("tool_use_id"): block for block in self.loop.history[-1]["content"]}
            assert all("interrupted" in answers[call_id]["content"] for call_id in lost)

    @precondition(lambda self: bool(self.out))
    @rule(data=st.data())
    def put_back(self, data: st.DataObject) -> None:
        call_id = data.draw(st.sampled_from(sorted(self.out)))
        del self.out[call_id]
        self.loop.put_back(call_id)
        self.look()
        assert call_id in self.out

    @rule()
    def interrupt(self) -> None:
        begun, self.out, self.open = set(self.out), {}, ""
        waited = self.loop.state == "running"
        self.loop.interrupt()
        self.loop.interrupt()
        assert self.loop.state in ("asking", "finished")
        assert not self.paused()
        if waited:
            for block in self.loop.history[-1]["content"]:
                if block.get("tool_use_id") in begun:
                    assert "interrupted" in block["content"]
        self.look()

    @invariant()
    def the_history_can_be_gone_on_with(self) -> None:
        history, paused = self.loop.history, self.paused()
        whole = history if paused else [*history, {"role": "user", "content": "go on"}]
        assert problems(whole, paused=paused) == []
        if not paused:
            request = MessageRequest(model="a-model", max_tokens=100, messages=whole, tools=self.tools)
            assert [problem for problem in request.check() if problem.severity == "error"] == []

    @invariant()
    def only_calls_that_may_run_were_handed_out(self) -> None:
        assert len(self.handed_out) <= self.may_run_at_most()

    def may_run_at_most(self) -> int:
        """How many calls may have been handed out: whole ones below tool_use, or at the end below end_turn."""
        found = paused = 0
        for raw in self.answers:
            kinds = [block["type"] for block in raw["content"]]
            calls = [block for block in raw["content"] if block["type"] == "tool_use"]
            whole = [block for block in calls if block["input"] in ({"n": 1}, {})]
            if raw["stop_reason"] == "pause_turn":
                paused += len(whole)  # the same turn may end with tool_use
            elif raw["stop_reason"] == "tool_use":
                found += len(whole) + paused
            elif raw["stop_reason"] == "end_turn":
                direct = all(block.get("caller") in (None, {"type": "direct"}) for block in calls)
                last = kinds[len(kinds) - len(calls) :].count("tool_use") == len(calls)
                if direct and last and len(whole) == len(calls):
                    found += len(whole) + paused
        return found + self.again

    @invariant()
    def tokens_are_added_up(self) -> None:
        assert self.loop.tokens == 11 * len(self.answers)


TestLoop = Loop.TestCase
TestLoop.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
