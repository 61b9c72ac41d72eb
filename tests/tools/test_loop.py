"""The tool loop, one rule at a time: requirements E3 to E6, E8 and D3: calls, results, what is sent back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sansio_claude._errors import LocalProtocolError, ToolError
from sansio_claude._message.message import Message
from sansio_claude._request.request import MessageRequest
from sansio_claude.tools import (
    AskModel,
    AwaitResults,
    RunTools,
    ToolLoop,
    ToolResult,
)
from tests.tools.history import problems
from tests.tools.loops import (
    GO,
    a_loop,
    answer,
    asked,
    asked_messages,
    call,
    calls_of,
    cut_call,
    finished,
    get_weather,
    text,
    write,
)


def test_the_first_request_is_the_callers() -> None:
    loop = a_loop(system="Be brief.", betas=["a-beta"], tool_choice={"type": "auto"})
    action = loop.next_action()
    assert action == AskModel(
        1,
        {
            "model": "claude-opus-5-5",
            "max_tokens": 1000,
            "messages": [GO],
            "system": "Be brief.",
            "tools": [get_weather.to_param(), write.to_param()],
            "tool_choice": {"type": "auto"},
            "betas": ["a-beta"],
        },
    )
    assert loop.next_action() == action
    assert "..." not in repr(action)
    assert "brief" not in repr(action)
    assert "tools" not in asked(ToolLoop(model="m", messages=[GO]))


def test_a_request_may_be_a_message_request() -> None:
    request = MessageRequest(
        model="m", max_tokens=5, messages=(turn for turn in [GO]), tools=[get_weather], system=None
    )
    assert asked(ToolLoop(request, tools=[write], max_tokens=6)) == {
        "model": "m",
        "max_tokens": 6,
        "messages": [GO],
        "system": None,
        "tools": [get_weather.to_param(), write.to_param()],
    }


def test_E3_parallel_calls_get_one_turn_with_all_results_first_in_the_order_of_the_calls() -> None:
    loop = a_loop()
    content = [text("Let me look."), call(1, location="Berlin"), call(2, location="Paris"), call(3, location="Rome")]
    loop.receive_message(answer("tool_use", *content))
    action = loop.next_action()
    assert isinstance(action, RunTools)
    assert [(one.id, one.name, one.turn) for one in action.calls] == [
        ("toolu_1", "get_weather", 1),
        ("toolu_2", "get_weather", 1),
        ("toolu_3", "get_weather", 1),
    ]
    assert [one.start() for one in action.calls] == [f"15 degrees in {city}" for city in ("Berlin", "Paris", "Rome")]
    assert loop.next_action() == AwaitResults(("toolu_1", "toolu_2", "toolu_3"))
    loop.receive_result("toolu_3", "third")
    loop.receive_result("toolu_1", {"degrees": 1})
    assert loop.next_action() == AwaitResults(("toolu_2",))
    loop.receive_result("toolu_2")
    assert asked(loop)["messages"] == [
        GO,
        {"role": "assistant", "content": content},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": '{"degrees":1}'},
                {"type": "tool_result", "tool_use_id": "toolu_2"},
                {"type": "tool_result", "tool_use_id": "toolu_3", "content": "third"},
            ],
        },
    ]
    assert loop.turn == 2


def test_E4_a_tool_that_raises_answers_the_model() -> None:
    loop = a_loop()
    loop.receive_message(answer("tool_use", call(1, location="x"), call(2, location="y"), call(3, location="z")))
    calls_of(loop)
    loop.receive_error("toolu_1", ConnectionError("the weather service API is not available (HTTP 500)"))
    loop.receive_error("toolu_2", ToolError("ask again tomorrow"))
    loop.receive_result("toolu_3", ToolResult("half of it", cache_control={"type": "ephemeral"}), is_error=True)
    assert asked(loop)["messages"][-1]["content"] == [
        {
            "type": "tool_result",
            "tool_use_id": "toolu_1",
            "content": "ConnectionError: the weather service API is not available (HTTP 500)",
            "is_error": True,
        },
        {"type": "tool_result", "tool_use_id": "toolu_2", "content": "ask again tomorrow", "is_error": True},
        {
            "type": "tool_result",
            "tool_use_id": "toolu_3",
            "content": "half of it",
            "is_error": True,
            "cache_control": {"type": "ephemeral"},
        },
    ]


def test_E4_an_unknown_tool_answers_the_model_with_what_would_help() -> None:
    loop = a_loop()
    loop.receive_message(answer("tool_use", call(1, "get_wether", location="x")))
    result = asked(loop)["messages"][-1]["content"][0]
    assert result["is_error"] is True
    assert result["content"].startswith(
        "Error: There is no tool named 'get_wether'. The tools are: get_weather, write."
    )
    assert "fuller description" in result["content"]
    nothing = a_loop(tools=[])
    nothing.receive_message(answer("tool_use", call(1)))
    assert "There are no tools." in asked(nothing)["messages"][-1]["content"][0]["content"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"$incomplete_json": '{"location": "Be'}, '{"location": "Be'),
        ({"$incomplete_json": '{"location": nonsense}'}, '{"location": nonsense}'),
        ({"$incomplete_json": ""}, ""),
        ([1, 2], "[1,2]"),
        ("words", '"words"'),
        ({"location": float("inf")}, '{"location": Infinity}'),
        ({"location": "\ud800"}, '{"location": "\\ud800"}'),
    ],
)
def test_E4_an_input_that_is_no_whole_object_is_not_run_and_told(given: Any, kept: str) -> None:
    loop = a_loop()
    loop.receive_message(
        answer("tool_use", {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": given})
    )
    assistant, user = asked(loop)["messages"][1:]
    assert assistant["content"] == [
        {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"INVALID_JSON": kept}}
    ]
    assert user["content"][0]["is_error"] is True
    told = user["content"][0]["content"]
    if isinstance(given, dict) and "location" in given:  # it is one
        assert "of get_weather cannot be sent back (location: " in told
    else:
        assert "not one whole JSON object, so it was not run" in told


@pytest.mark.parametrize("name", [None, ""])
def test_a_call_without_a_name_can_be_sent_back(name: str | None) -> None:
    loop = a_loop()
    loop.receive_message(answer("tool_use", {**call(1), "name": name}))
    assistant, user = asked(loop)["messages"][1:]
    assert assistant["content"][0]["name"] == "unnamed_tool"
    assert user["content"][0]["content"].startswith("Error: This call has no name. The tools are: get_weather, write.")
    assert problems(asked(loop)["messages"]) == []


def test_an_id_with_half_a_character_can_be_sent_back() -> None:
    loop = a_loop()
    halves = [{**call(1, location="x"), "id": "\ud83d"}, {**call(2, location="y"), "id": "\ude00"}]
    loop.receive_message(answer("tool_use", *halves, {**cut_call(3), "id": "\ud83d"}))
    for made in calls_of(loop):
        loop.receive_result(made, "fine")
    MessageRequest(**asked(loop)).body()
    ids = [block["id"] for block in loop.history[1]["content"]]
    assert len(set(ids)) == 3
    assert [block["tool_use_id"] for block in loop.history[2]["content"]] == ids


def test_a_servers_call_with_a_broken_input_can_be_sent_back_too() -> None:
    loop = a_loop()
    loop.receive_message(answer("tool_use", cut_call(1, kind="server_tool_use"), call(2, location="x")))
    assert calls_of(loop) == ["toolu_2"]
    loop.receive_result("toolu_2", "x")
    assert loop.history[1]["content"][0]["input"] == {"INVALID_JSON": '{"location": "Be'}


@pytest.mark.parametrize(
    "content",
    [
        [cut_call(1)],
        [text("I will."), call(1, location="x"), cut_call(2)],
        [call(1, location="x")],
        [call(1, location="x"), text("and th")],
        [cut_call(1, kind="server_tool_use")],
    ],
)
def test_E5_a_call_cut_at_max_tokens_is_never_run_but_asked_for_again_with_more(content: list[dict[str, Any]]) -> None:
    loop = a_loop()
    first = asked(loop)
    loop.receive_message(answer("max_tokens", *content))
    again = asked(loop)
    assert again == {**first, "max_tokens": 2000}
    loop.receive_message(answer("tool_use", call(1, location="x")))
    assert calls_of(loop) == ["toolu_1"]
    loop.receive_result("toolu_1", "fine")
    assert asked(loop)["max_tokens"] == 2000  # what was too little once is so again


def test_E5_there_is_an_end_to_asking_for_more() -> None:
    loop = a_loop(max_tokens=100_000)  # the model's limit is 128,000
    loop.receive_message(answer("max_tokens", cut_call(1)))
    assert asked(loop)["max_tokens"] == 128_000
    loop.receive_message(answer("max_tokens", text("words"), cut_call(1)))
    assert finished(loop) == "max_tokens"
    assert loop.history == [GO, {"role": "assistant", "content": [text("words")]}]
    unknown = a_loop(model="a-model-to-come", max_tokens=10)
    for expected in (20, 40, 80, 160, 320):
        unknown.receive_message(answer("max_tokens", cut_call(1)))
        assert asked(unknown)["max_tokens"] == expected
    unknown.receive_message(answer("max_tokens", cut_call(1)))
    assert finished(unknown) == "max_tokens"
    assert unknown.history == [GO]


def test_E6_a_paused_answer_goes_back_unchanged() -> None:
    loop = a_loop()
    paused = [text("Searching."), {**call(1, "web_search", query="x"), "type": "server_tool_use"}, text("Yes.")]
    loop.receive_message(
        answer("pause_turn", *paused, container={"id": "container_1", "expires_at": "2026-11-21T00:00:00Z"})
    )
    action = loop.next_action()
    assert isinstance(action, AskModel)
    assert action.turn == 2
    assert action.request["messages"] == [GO, {"role": "assistant", "content": paused}]
    assert action.request["container"] == "container_1"
    with pytest.raises(LocalProtocolError, match="the last answer is paused"):
        loop.add_user("hurry")
    found = {"type": "web_search_tool_result", "tool_use_id": "toolu_1", "content": []}
    loop.receive_message(answer("end_turn", found, text("Found.")))
    assert finished(loop) == "end_turn"
    assert loop.history[2] == {"role": "assistant", "content": [found, text("Found.")]}
    assert problems([*loop.history, GO]) == []


def test_calls_in_a_paused_answer_are_not_run() -> None:
    loop = a_loop()
    loop.receive_message(answer("pause_turn", call(1, location="x")))
    assert asked_messages(loop)[1]["content"] == [call(1, location="x")]


def test_calls_in_a_paused_answer_are_run_where_its_turn_ends_with_tool_use() -> None:
    loop = a_loop()
    first, second = call(1, location="x"), call(2, location="y")
    loop.receive_message(answer("pause_turn", first))
    loop.receive_message(answer("tool_use", text("And"), second))
    assert calls_of(loop) == ["toolu_1", "toolu_2"]
    loop.receive_result("toolu_2", "fine")
    loop.receive_result("toolu_1", "rain")
    assert [block["tool_use_id"] for block in asked(loop)["messages"][-1]["content"]] == ["toolu_1", "toolu_2"]
    alone = a_loop()
    alone.receive_message(answer("pause_turn", first))
    alone.receive_message(answer("tool_use"))
    assert calls_of(alone) == ["toolu_1"]
    alone.receive_result("toolu_1", "fine")
    assert [turn["role"] for turn in asked(alone)["messages"]] == ["user", "assistant", "user"]
    same = a_loop()
    same.receive_message(answer("pause_turn", first))
    same.receive_message(answer("tool_use", first))
    assert calls_of(same) == ["toolu_1", "call_1"]  # the second call has an id of the loop's own


def test_calls_in_a_paused_answer_that_nothing_ran_do_not_stay() -> None:
    loop = a_loop()
    thinking = {"type": "thinking", "thinking": "", "signature": "sig=="}
    loop.receive_message(answer("pause_turn", text("Well."), thinking, call(1, location="x"), text("Yes.")))
    loop.receive_message(answer("end_turn", text("Never mind.")))
    assert loop.history == [GO, {"role": "assistant", "content": [text("Well.")]}]


def test_a_paused_answer_without_content_ends_the_run() -> None:
    for content in ([], [text(" ")]):
        loop = a_loop()
        loop.receive_message(answer("pause_turn", *content))
        assert finished(loop) == "pause_turn"
        assert loop.history == [GO]


def test_a_refusal_takes_the_paused_parts_behind_a_compaction_along() -> None:
    loop = a_loop()
    block = {"type": "compaction", "content": "A summary."}
    loop.receive_message(answer("pause_turn", text("Let me see."), call(1, location="x")))
    loop.receive_message(answer("compaction", block))
    loop.receive_message(answer("pause_turn", text("Well")))
    loop.receive_message(answer("refusal"))
    assert loop.history[-1] == {"role": "assistant", "content": [block]}
    loop.add_user("Something else, then.")
    assert asked(loop)["messages"][0] == {"role": "assistant", "content": [block]}
    loop.receive_message(answer("tool_use", call(2, location="y")))
    assert calls_of(loop) == ["toolu_2"]


def test_E8_and_D3_text_and_thinking_before_a_call_are_kept_byte_for_byte() -> None:
    raw = (
        b'{"role": "assistant", "stop_reason": "tool_use", "content": ['
        b'{"type": "thinking", "thinking": "", "signature": "RXJyb3I+/w=="},'
        b'{"type": "redacted_thinking", "data": "\\u00fcopaque=="},'
        b'{"type": "text", "text": "<thinking>first the weather</thinking>", "citations": null},'
        b'{"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"location": "x"}, '
        b'"text": "", "caller": null},'
        b'{"type": "one_to_come", "secret": "kept"}]}'
    )
    loop = a_loop()
    loop.receive_message(Message.from_json(raw))
    calls_of(loop)
    loop.receive_result("toolu_1", "fine")
    assert json.dumps(asked(loop)["messages"][1]["content"]) == json.dumps(json.loads(raw)["content"])


def test_a_text_block_without_text_is_left_out() -> None:
    loop = a_loop()
    cited = {"type": "text", "text": "", "citations": [{"type": "char_location"}]}
    loop.receive_message(answer("tool_use", text(""), text(" \n"), cited, call(1, location="x")))
    assert loop.history[1]["content"] == [cited, call(1, location="x")]
