"""A tool loop that is saved, stopped, interrupted and gone on with; and the work that it does."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from sansio_claude._errors import LocalProtocolError
from sansio_claude._message.blocks import TextBlock
from sansio_claude.tools import (
    AskModel,
    RunTools,
    Tool,
    ToolLoop,
    tool,
)
from tests.tools.history import problems
from tests.tools.loops import GO, a_loop, answer, asked, call, calls_of, finished, get_weather, text, write


def test_a_run_moves_to_another_process_between_any_two_steps() -> None:
    loop = a_loop(concurrency=1, extra_headers={"x-secret": "sk-ant-xyz"}, max_turns=9, token_budget=10**6)

    def move() -> ToolLoop:
        text_of_it = json.dumps(loop.to_dict())
        assert "sk-ant" not in text_of_it
        return ToolLoop.from_dict(
            json.loads(text_of_it), tools=[get_weather, write], extra_headers={"x-secret": "sk-ant-xyz"}
        )

    loop = move()
    assert asked(loop)["extra_headers"] == {"x-secret": "sk-ant-xyz"}
    loop.receive_message(answer("tool_use", call(1, location="x"), call(2, location="y")))
    assert calls_of(loop) == ["toolu_1"]
    loop = move()
    assert calls_of(loop) == ["toolu_2"]  # the first was handed out, and nobody knows how it ended
    loop.put_back("toolu_2")  # not begun after all
    loop.add_user("hurry")
    loop = move()
    action = loop.next_action()
    assert isinstance(action, RunTools)
    assert action.calls[0].start() == "15 degrees in y"
    loop = move()
    loop.receive_result("toolu_2", "two")  # it ran elsewhere
    loop = move()
    one, two, said = asked(loop)["messages"][-1]["content"]
    assert one["is_error"]
    assert "interrupted" in one["content"]
    assert (two["content"], said["text"]) == ("two", "hurry")
    loop.receive_message(answer("end_turn", text("Done.")))
    loop = move()
    assert finished(loop) == "end_turn"
    assert (loop.max_turns, loop.token_budget, loop.turn) == (9, 10**6, 3)


@pytest.mark.parametrize("value", [{}, {"format": 2}, {"format": 1}, {"format": 2, "request": 3}, None, [], "x", 3])
def test_what_is_no_saved_loop_is_refused(value: Any) -> None:
    with pytest.raises(LocalProtocolError, match="no saved loop"):
        ToolLoop.from_dict(value)


def saved_in_the_middle() -> dict[str, Any]:
    loop = a_loop(concurrency=1)
    loop.receive_message(answer("tool_use", call(1, location="x"), call(2, location="y"), call(3, "none")))
    calls_of(loop)
    loop.add_user("hurry")
    found: dict[str, Any] = json.loads(json.dumps(loop.to_dict()))
    return found


@pytest.mark.parametrize("key", sorted(saved_in_the_middle()))
@pytest.mark.parametrize("wrong", [None, "x", -1, 1.5, [1], {"x": 1}, [{"id": []}], {"toolu_1": 1}, True])
def test_a_saved_loop_with_a_wrong_part_is_refused_or_works(key: str, wrong: Any) -> None:
    saved = {**saved_in_the_middle(), key: wrong}
    try:
        loop = ToolLoop.from_dict(saved, tools=[get_weather, write])
    except LocalProtocolError:
        return
    loop.to_dict()
    loop.interrupt()
    loop.next_action()


def test_a_saved_loop_without_its_nulls_is_the_same() -> None:
    """Some stores of JSON leave out what is null."""

    def without_nulls(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without_nulls(item) for key, item in value.items() if item is not None}
        return [without_nulls(item) for item in value] if isinstance(value, list) else value

    saved = saved_in_the_middle()
    again = ToolLoop.from_dict(without_nulls(saved), tools=[get_weather, write])
    assert again.to_dict() == ToolLoop.from_dict(saved, tools=[get_weather, write]).to_dict()


def places_in(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [place] if place else []
    for key, item in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        found += places_in(item, (*place, key))
    return found


def test_a_saved_loop_with_any_part_left_out_is_refused_or_works() -> None:
    for *way, last in places_in(saved_in_the_middle()):
        saved: Any = saved_in_the_middle()
        holder = saved
        for key in way:
            holder = holder[key]
        del holder[last]
        try:
            loop = ToolLoop.from_dict(saved, tools=[get_weather, write])
        except LocalProtocolError:
            continue
        loop.interrupt()
        loop.next_action()
        json.dumps(loop.to_dict())


def test_a_saved_loop_has_no_secrets_and_says_what_has_to_be_given_again() -> None:
    servers = [{"type": "url", "name": "one", "url": "https://one.example", "authorization_token": "sk-mcp-1"}]
    loop = a_loop(
        mcp_servers=servers,
        extra_headers={"authorization": "sk-head-2"},
        extra_query={"key": "sk-query-3"},
        extra_body={"backend": {"api_key": "sk-body-4", "headers": {"x": "sk-5"}, "kept": 1, "max_tokens": 3}},
    )
    saved = json.loads(json.dumps(loop.to_dict()))
    assert "sk-" not in str(saved)
    assert saved["request"]["mcp_servers"] == [{"type": "url", "name": "one", "url": "https://one.example"}]
    assert saved["request"]["extra_body"] == {"backend": {"kept": 1, "max_tokens": 3}}
    again = ToolLoop.from_dict(saved, tools=[get_weather], mcp_servers=servers, max_turns=7)
    assert asked(again)["mcp_servers"] == servers
    assert again.max_turns == 7
    with pytest.raises(LocalProtocolError, match="add_user"):
        ToolLoop.from_dict(saved, messages=[GO])


def test_a_stopped_run_can_go_on_at_every_step() -> None:
    loop = a_loop(concurrency=1)
    loop.receive_message(answer("tool_use", call(1, location="x"), call(2, location="y"), call(3, location="z")))
    assert problems([*loop.history, GO]) == []
    calls_of(loop)
    loop.receive_result("toolu_1", "fine")
    calls_of(loop)
    results = loop.history[-1]["content"]
    assert [block["content"][:27] for block in results] == [
        "fine",
        "Error: The call was interru",
        "Error: The run was stopped ",
    ]
    loop.interrupt()
    assert loop.history[-1]["content"] == results
    loop.add_user("Never mind. What is 2 + 2?")
    assert asked(loop)["messages"][-1] == {"role": "user", "content": [text("Never mind. What is 2 + 2?")]}
    loop.interrupt()
    loop.receive_message(answer("end_turn", text("4")))
    loop.interrupt()
    assert finished(loop) == "end_turn"


def test_a_call_that_may_run_twice_is_run_again_when_nobody_knows_how_it_ended() -> None:
    read = tool(get_weather.function, name="read", idempotent=True)
    loop = a_loop(tools=[get_weather, read], concurrency=2)
    loop.receive_message(answer("tool_use", call(1, location="x"), call(2, "read", location="y"), call(3, "read")))
    assert calls_of(loop) == ["toolu_1", "toolu_2"]
    loop.leave()
    assert calls_of(loop) == ["toolu_2", "toolu_3"]
    assert not loop.awaits("toolu_1")
    with pytest.raises(LocalProtocolError, match="no call with the id 'toolu_1' has been handed out"):
        loop.put_back("toolu_1")


def test_interrupting_a_paused_answer_takes_out_what_is_open() -> None:
    search = {**call(1, "web_search", query="x"), "type": "server_tool_use"}
    loop = a_loop()
    loop.receive_message(answer("pause_turn", text("Searching."), search))
    loop.interrupt()
    assert finished(loop) == "interrupted"
    assert loop.history == [GO, {"role": "assistant", "content": [text("Searching.")]}]
    loop.add_user("Stop searching.")
    asked(loop)
    alone = a_loop()
    alone.receive_message(answer("pause_turn", search))
    alone.interrupt()
    assert asked(alone)["messages"] == [GO]


def steps_for(number: int, name: str) -> int:
    """How many functions of the library are called for an answer with so many calls, all of them answered."""
    tools = [{"name": f"by_hand_{n}", "input_schema": {"type": "object"}} for n in range(number)]
    loop = a_loop(tools=[get_weather, write, *tools])
    message = answer("tool_use", *(call(n, name, text="x") for n in range(number)))
    count = 0

    def counting(_: Any, event: str, __: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(counting)
    try:
        loop.receive_message(message)
        while isinstance(action := loop.next_action(), RunTools):
            for one in action.calls:
                loop.receive_result(one.id, "x")
    finally:
        sys.setprofile(None)
    assert isinstance(action, AskModel)
    return count


@pytest.mark.parametrize("name", ["get_weather", "write", "by_hand_0", "not_there"])
def test_the_work_grows_no_faster_than_calls_and_tools(name: str) -> None:
    small, large = steps_for(50, name), steps_for(400, name)
    assert large < 8.5 * small


def test_objects_of_this_library_may_stand_in_the_request() -> None:
    before = answer("end_turn", text("Yes."))
    loop = a_loop(messages=(GO, before, GO), system=[TextBlock(text("Be brief."))])
    assert asked(loop)["messages"] == [GO, {"role": "assistant", "content": [text("Yes.")]}, GO]
    assert asked(loop)["system"] == [text("Be brief.")]


def test_the_state_can_be_looked_at() -> None:
    loop = a_loop()
    assert (loop.state, loop.turn, loop.message, loop.tokens) == ("asking", 1, None, 0)
    history = loop.history
    history.clear()
    assert loop.history == [GO]
    loop.receive_message(answer("tool_use", call(1)))
    assert loop.state == "running"
    assert isinstance(get_weather, Tool)
