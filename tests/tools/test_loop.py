"""The tool loop, one rule at a time: requirements E3 to E6, E8, D3 and every stop reason of F."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from sansio_claude._errors import LocalProtocolError, RemoteProtocolError, ToolError
from sansio_claude._message.blocks import TextBlock
from sansio_claude._message.message import Message
from sansio_claude._request.request import MessageRequest
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude.testing import compose
from sansio_claude.tools import (
    AskModel,
    AwaitResults,
    Finished,
    MemoryFiles,
    RunTools,
    TextEditor,
    Tool,
    ToolLoop,
    ToolResult,
    tool,
)
from tests.tools.history import problems

GO = {"role": "user", "content": "go"}


@tool
def get_weather(location: str, days: int = 1) -> str:
    """Get the weather at a place."""
    return f"15 degrees in {location}"


@tool(sequential=True)
def write(text: str) -> None:
    """Write a text down."""


def a_loop(**arguments: Any) -> ToolLoop:
    return ToolLoop(
        **{"tools": [get_weather, write], "model": "claude-opus-5-5", "max_tokens": 1000, "messages": [GO], **arguments}
    )


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def call(number: int, name: str = "get_weather", /, **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": given}


def cut_call(number: int, raw: str = '{"location": "Be', kind: str = "tool_use") -> dict[str, Any]:
    return {"type": kind, "id": f"toolu_{number}", "name": "get_weather", "input": {"$incomplete_json": raw}}


def answer(stop_reason: str | None, *content: dict[str, Any], **more: Any) -> Message:
    return Message.from_dict(
        {
            "id": "msg",
            "type": "message",
            "role": "assistant",
            "content": list(content),
            "stop_reason": stop_reason,
            **more,
        }
    )


def asked(loop: ToolLoop) -> dict[str, Any]:
    action = loop.next_action()
    assert isinstance(action, AskModel), action
    assert problems(action.request["messages"]) == []
    return action.request


def finished(loop: ToolLoop) -> str:
    action = loop.next_action()
    assert isinstance(action, Finished), action
    assert action.message is loop.message
    return action.reason


def calls_of(loop: ToolLoop) -> list[str]:
    action = loop.next_action()
    assert isinstance(action, RunTools), action
    return [call.id for call in action.calls]


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
        ({"location": float("inf")}, "{'location': inf}"),
        ({"location": "\ud800"}, "{'location': '\\ud800'}"),
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
    assert "not one whole JSON object, so it was not run" in user["content"][0]["content"]


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


def asked_messages(loop: ToolLoop) -> list[dict[str, Any]]:
    action = loop.next_action()
    assert isinstance(action, AskModel)
    messages: list[dict[str, Any]] = action.request["messages"]
    return messages


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


# F: every stop reason.


@pytest.mark.parametrize("stop_reason", ["end_turn", "stop_sequence", "one_to_come"])
def test_F_an_end(stop_reason: str) -> None:
    loop = a_loop()
    loop.receive_message(answer(stop_reason, text("Done.")))
    assert finished(loop) == stop_reason
    assert loop.history == [GO, {"role": "assistant", "content": [text("Done.")]}]


def test_F_no_stop_reason_at_all_is_an_end() -> None:
    loop = a_loop()
    loop.receive_message(answer(None, text("Done.")))
    assert finished(loop) == "unknown"


def test_F_an_empty_answer_is_not_sent_back() -> None:
    loop = a_loop()
    loop.receive_message(answer("end_turn"))
    assert finished(loop) == "end_turn"
    assert loop.history == [GO]


@pytest.mark.parametrize(
    "stop_reason", ["end_turn", "stop_sequence", "refusal", "model_context_window_exceeded", "one_to_come", "", None]
)
def test_F_calls_with_text_behind_them_are_run_for_tool_use_alone(stop_reason: str | None) -> None:
    loop = a_loop()
    loop.receive_message(answer(stop_reason, text("Now."), call(1, location="x"), text("Then.")))
    own = stop_reason in ("refusal", "model_context_window_exceeded")
    assert finished(loop) == (stop_reason if own else "calls_not_run")
    kept = [] if stop_reason == "refusal" else [{"role": "assistant", "content": [text("Now.")]}]
    assert loop.history == [GO, *kept]


def streamed(stop_reason: str, *content: dict[str, Any]) -> Message:
    """The answer as it arrives in a stream: inputs as text."""
    stream = MessageStream()
    stream.receive_data(compose(list(content), stop_reason=stop_reason).data)
    stream.events_received()
    assert stream.done
    assert stream.message is not None
    return stream.message


def test_N3_whole_direct_calls_at_the_end_are_run_under_end_turn_and_stop_sequence() -> None:
    direct = {**call(2, location="y"), "caller": {"type": "direct"}}
    for stop_reason in ("end_turn", "stop_sequence", "tool_use"):
        loop = a_loop()
        loop.receive_message(streamed(stop_reason, text("Now."), call(1, location="x"), direct))
        assert calls_of(loop) == ["toolu_1", "toolu_2"]
        loop.receive_result("toolu_1", "a")
        loop.receive_result("toolu_2", "b")
        assert [block["content"] for block in asked(loop)["messages"][-1]["content"]] == ["a", "b"]


@pytest.mark.parametrize(
    "content",
    [
        [call(1, location="x"), text("and")],
        [call(1, location="x"), text("")],
        [call(1, location="x"), {"type": "one_to_come"}],
        [call(1, location="x"), {**call(2, "web_search"), "type": "server_tool_use"}],
        [call(1, location="x"), cut_call(2)],
        [cut_call(1), call(2, location="x")],
        [{**call(1, location="x"), "caller": {"type": "code_execution_20260120", "tool_id": "srvtoolu_1"}}],
        [{**call(1, location="x"), "caller": {}}],
        [{**call(1, location="x"), "caller": "direct"}],
    ],
)
@pytest.mark.parametrize("stop_reason", ["end_turn", "stop_sequence"])
def test_N3_any_other_call_ends_the_run_and_says_so(content: list[dict[str, Any]], stop_reason: str) -> None:
    loop = a_loop()
    loop.receive_message(answer(stop_reason, text("Now."), *content))
    assert finished(loop) == "calls_not_run"
    assert loop.history == [GO, {"role": "assistant", "content": [text("Now.")]}]
    loop.add_user("Go on.")
    asked(loop)


def test_N3_under_stop_sequence_an_input_must_have_arrived_as_text() -> None:
    for given in (answer("stop_sequence", call(1, location="x")), streamed("stop_sequence", call(1))):
        loop = a_loop()
        loop.receive_message(given)
        assert finished(loop) == "calls_not_run" or given.tool_uses[0].input_json == "{}"
    loop = a_loop()
    loop.receive_message(answer("end_turn", call(1, location="x")))
    assert calls_of(loop) == ["toolu_1"]


def test_N3_a_paused_turn_is_judged_as_a_whole() -> None:
    loop = a_loop()
    loop.receive_message(answer("pause_turn", text("Well."), call(1, location="x")))
    loop.receive_message(answer("end_turn", call(2, location="y")))
    assert calls_of(loop) == ["toolu_1", "toolu_2"]
    other = a_loop()
    other.receive_message(answer("pause_turn", text("Well."), call(1, location="x")))
    other.receive_message(answer("end_turn", text("Done.")))
    assert finished(other) == "calls_not_run"
    assert other.history == [GO, {"role": "assistant", "content": [text("Well.")]}]


@pytest.mark.parametrize("given", [{}, {"id": ""}, {"id": "toolu_1"}, {"id": "earlier"}])
def test_N3_a_call_without_an_id_of_its_own_gets_one_of_the_loops(given: dict[str, Any]) -> None:
    earlier = [
        {"role": "assistant", "content": [{**call(0), "id": "earlier"}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "earlier", "content": "x"}]},
    ]
    loop = a_loop(messages=[GO, *earlier])
    second = {key: value for key, value in call(2, location="y").items() if key != "id"} | given
    loop.receive_message(answer("tool_use", call(1, location="x"), second))
    ids = calls_of(loop)
    assert ids[0] == "toolu_1"
    assert len({*ids, "earlier"}) == 3
    for call_id in ids:
        loop.receive_result(call_id, f"of {call_id}")
    turn, results = asked(loop)["messages"][-2:]
    assert [block["id"] for block in turn["content"]] == ids
    assert [(block["tool_use_id"], block["content"]) for block in results["content"]] == [
        (call_id, f"of {call_id}") for call_id in ids
    ]


def test_F_tool_use_without_a_call_is_an_end_of_its_own() -> None:
    for content in ([text("None.")], [], [{**call(1, "web_search"), "type": "server_tool_use"}]):
        loop = a_loop()
        loop.receive_message(answer("tool_use", *content))
        assert finished(loop) == "tool_use_without_call"


def test_F_max_tokens_in_text_is_an_end() -> None:
    loop = a_loop()
    loop.receive_message(answer("max_tokens", text("Once upon a ")))
    assert finished(loop) == "max_tokens"
    assert loop.history[1]["content"] == [text("Once upon a ")]
    thinking = a_loop()
    thinking.receive_message(answer("max_tokens", {"type": "thinking", "thinking": "hm", "signature": ""}))
    assert finished(thinking) == "max_tokens"
    assert thinking.history == [GO]


def test_F_a_refused_turn_is_dropped_with_its_paused_parts() -> None:
    loop = a_loop()
    loop.receive_message(answer("tool_use", call(1, location="x")))
    calls_of(loop)
    loop.receive_result("toolu_1", "fine")
    before = loop.history
    loop.receive_message(answer("pause_turn", text("Well")))
    loop.receive_message(answer("refusal", text("I ca"), stop_details={"type": "refusal", "category": "cyber"}))
    assert finished(loop) == "refusal"
    assert loop.history == before
    assert loop.message is not None
    assert loop.message.stop_details == {"type": "refusal", "category": "cyber"}


def test_F_an_open_call_of_the_server_does_not_stay_at_the_end() -> None:
    loop = a_loop()
    search = {**call(1, "web_search", query="x"), "type": "server_tool_use"}
    loop.receive_message(answer("pause_turn", text("Searching."), search, text("Yes.")))
    loop.receive_message(answer("end_turn", text("Never mind.")))
    assert loop.history == [GO, {"role": "assistant", "content": [text("Searching.")]}]
    alone = a_loop()
    alone.receive_message(answer("pause_turn", search))
    alone.receive_message(answer("end_turn"))
    assert alone.history == [GO]


def test_F_a_servers_call_with_a_broken_input_does_not_stay_with_its_result() -> None:
    loop = a_loop()
    found = {"type": "web_search_tool_result", "tool_use_id": "toolu_1", "content": []}
    loop.receive_message(answer("end_turn", text("Well."), cut_call(1, kind="server_tool_use"), found, text("So.")))
    assert finished(loop) == "end_turn"
    assert loop.history == [GO, {"role": "assistant", "content": [text("Well.")]}]


def test_F_compaction_goes_first_and_the_history_stays_whole() -> None:
    loop = a_loop(messages=[GO, {"role": "assistant", "content": "gone"}, GO])
    block = {"type": "compaction", "content": "A summary.", "encrypted_content": "opaque=="}
    loop.receive_message(answer("compaction", block))
    assert asked(loop)["messages"] == [{"role": "assistant", "content": [block]}]
    assert len(loop.history) == 4
    loop.receive_message(answer("tool_use", call(1, location="x")))
    calls_of(loop)
    loop.receive_result("toolu_1", "fine")
    assert [turn["role"] for turn in asked(loop)["messages"]] == ["assistant", "assistant", "user"]
    loop.receive_message(answer("refusal"))
    assert len(loop.history) == 6


def test_F_a_refusal_behind_a_compaction_leaves_the_summary() -> None:
    loop = a_loop()
    block = {"type": "compaction", "content": "A summary."}
    loop.receive_message(answer("compaction", block))
    loop.receive_message(answer("refusal", text("I")))
    assert loop.history == [GO, {"role": "assistant", "content": [block]}]


def test_F_a_failed_compaction_takes_nothing_away() -> None:
    loop = a_loop()
    block = {"type": "compaction", "content": None}
    loop.receive_message(answer("compaction", block))
    assert asked_messages(loop) == [GO, {"role": "assistant", "content": [block]}]


@pytest.mark.parametrize("content", ["A summary.", None])
def test_F_the_compaction_argument_compacts_once(content: str | None) -> None:
    loop = a_loop(compaction={"type": "summarize"})
    assert asked(loop)["compaction"] == {"type": "summarize"}
    block = {"type": "compaction", "content": content}
    loop.receive_message(answer("compaction", block))
    request = asked(loop)
    assert "compaction" not in request
    assert request["messages"] == ([{"role": "assistant", "content": [block]}] if content else [GO])


# Limits.


def test_a_turn_limit_stands_before_a_request() -> None:
    loop = a_loop(max_turns=1)
    loop.receive_message(answer("tool_use", call(1, location="x")))
    assert calls_of(loop) == ["toolu_1"]
    loop.receive_result("toolu_1", "fine")
    assert finished(loop) == "max_turns"
    assert problems(loop.history) == []
    loop.max_turns = 2
    assert asked(loop)["messages"] == loop.history


def test_a_token_budget_stands_before_a_request() -> None:
    loop = a_loop(token_budget=100)
    usage = {
        "input_tokens": 10,
        "output_tokens": 20,
        "cache_read_input_tokens": 30,
        "cache_creation_input_tokens": None,
    }
    for number in (1, 2):
        asked(loop)
        loop.receive_message(answer("tool_use", call(number, location="x"), usage=usage))
        calls_of(loop)
        loop.receive_result(f"toolu_{number}", "fine")
    assert loop.tokens == 120
    assert loop.usage == {
        "input_tokens": 20,
        "output_tokens": 40,
        "cache_read_input_tokens": 60,
        "cache_creation_input_tokens": 0,
    }
    assert finished(loop) == "token_budget"


def test_concurrency_and_order() -> None:
    loop = a_loop(concurrency=2)
    loop.receive_message(
        answer("tool_use", call(1, "write", text="a"), call(2, "write", text="b"), call(3), call(4), call(5))
    )
    assert calls_of(loop) == ["toolu_1", "toolu_3"]
    assert loop.next_action() == AwaitResults(("toolu_1", "toolu_3"))  # of those that run
    loop.receive_result("toolu_3", "x")
    assert calls_of(loop) == ["toolu_4"]
    loop.receive_result("toolu_1", "x")
    assert calls_of(loop) == ["toolu_2"]
    loop.receive_result("toolu_4", "x")
    assert calls_of(loop) == ["toolu_5"]
    with pytest.raises(LocalProtocolError, match="concurrency must be 1 or more"):
        a_loop(concurrency=0)


def test_a_forced_tool_choice_holds_until_the_first_results() -> None:
    for choice, after in (
        ({"type": "any"}, {"type": "auto"}),
        (
            {"type": "tool", "name": "get_weather", "disable_parallel_tool_use": True},
            {"type": "auto", "disable_parallel_tool_use": True},
        ),
        ({"type": "none"}, {"type": "none"}),
    ):
        loop = a_loop(tool_choice=choice)
        assert asked(loop)["tool_choice"] == choice
        loop.receive_message(answer("tool_use", call(1, location="x")))
        calls_of(loop)
        loop.receive_result("toolu_1", "fine")
        assert asked(loop)["tool_choice"] == after


def test_a_user_may_speak_between() -> None:
    loop = a_loop()
    loop.receive_message(answer("tool_use", call(1, location="x")))
    loop.add_user("hurry", {"type": "text", "text": "please"})
    calls_of(loop)
    loop.receive_result("toolu_1", "fine")
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "fine"}
    assert loop.history[-1]["content"] == [result, text("hurry"), text("please")]
    loop.receive_message(answer("end_turn", text("Done.")))
    loop.add_user("and then?")
    assert asked(loop)["messages"][-1] == {"role": "user", "content": [text("and then?")]}
    with pytest.raises(LocalProtocolError, match="at least one content block"):
        loop.add_user()


# Tools of every kind.


def test_definitions_without_a_function_are_handed_out() -> None:
    bash = {"type": "bash_20250124", "name": "bash"}
    toolset = {"type": "computer_toolset_20260801"}
    loop = a_loop(tools=[bash, toolset, {"type": "web_search_20250305", "name": "web_search"}])
    click = {**call(2, "click", x=1), "toolset_name": "computer"}
    loop.receive_message(answer("tool_use", call(1, "bash", command="ls"), click))
    action = loop.next_action()
    assert isinstance(action, RunTools)
    assert [(one.name, one.input, one.tool, one.toolset_name) for one in action.calls] == [
        ("bash", {"command": "ls"}, None, None),
        ("click", {"x": 1}, None, "computer"),
    ]
    with pytest.raises(ToolError, match="nothing that runs it"):
        action.calls[0].start()
    loop.receive_result("toolu_1", "a b")
    loop.receive_result("toolu_2")
    assert loop.history[-1]["content"] == [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "a b"},
        {"type": "tool_result", "tool_use_id": "toolu_2", "toolset_name": "computer"},
    ]


def test_a_function_is_made_into_a_tool_and_an_editor_brings_its_flag() -> None:
    def look_up(word: str) -> str:
        """Look a word up."""
        return word

    editor = TextEditor(MemoryFiles(), version="text_editor_20241022")
    request = asked(a_loop(tools=[look_up, editor], betas=["mine"]))
    assert [one["name"] for one in request["tools"]] == ["look_up", "str_replace_editor"]
    assert request["betas"] == ["mine", "computer-use-2024-10-22"]
    loop = a_loop(tools=[editor])
    loop.receive_message(answer("tool_use", call(1, "str_replace_editor", command="view", path="/")))
    action = loop.next_action()
    assert isinstance(action, RunTools)
    assert action.calls[0].thread
    assert action.calls[0].sequential
    assert action.calls[0].start() == ToolResult("/")


def test_a_tool_of_ones_own_class() -> None:
    class Clock:
        name = "clock"

        def to_param(self) -> dict[str, Any]:
            return {"name": "clock", "input_schema": {"type": "object"}}

        def call(self, input: Any) -> str:  # noqa: A002
            return "noon"

    loop = a_loop(tools=[Clock()])
    loop.receive_message(answer("tool_use", call(1, "clock")))
    action = loop.next_action()
    assert isinstance(action, RunTools)
    assert action.calls[0].start() == "noon"
    assert not action.calls[0].thread


def test_what_is_no_tool_is_the_callers_mistake() -> None:
    with pytest.raises(LocalProtocolError, match="a int is no tool"):
        a_loop(tools=[3])
    with pytest.raises(LocalProtocolError, match="two tools named 'get_weather'"):
        a_loop(tools=[get_weather, get_weather])
    with pytest.raises(LocalProtocolError, match=r"unexpected keyword argument 'modell'.* extra_body"):
        a_loop(modell="x")


# Misuse, and answers that cannot be answered.


def test_verbs_out_of_order_are_refused() -> None:
    loop = a_loop()
    with pytest.raises(LocalProtocolError, match="no call with the id 'toolu_1' awaits"):
        loop.receive_result("toolu_1", "x")
    loop.receive_message(answer("tool_use", call(1, location="x"), call(2, "not_there")))
    with pytest.raises(LocalProtocolError, match="no answer was asked for"):
        loop.receive_message(answer("end_turn"))
    with pytest.raises(LocalProtocolError, match="awaits a result"):
        loop.receive_result("toolu_2", "it has one already")
    loop.receive_result("toolu_1", "x")  # whoever knows the calls needs not ask for them
    with pytest.raises(LocalProtocolError, match="awaits a result"):
        loop.receive_result("toolu_1", "again")
    loop.receive_message(answer("end_turn", text("Done.")))
    with pytest.raises(LocalProtocolError, match="no answer was asked for"):
        loop.receive_message(answer("end_turn"))


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (answer("pause_turn", cut_call(1)), "a tool input that is not whole"),
        (answer("compaction", cut_call(1)), "a tool input that is not whole"),
    ],
)
def test_an_answer_that_cannot_be_answered_is_an_error_that_stays(message: Message, words: str) -> None:
    loop = a_loop()
    loop.receive_message(message)
    for _ in range(2):
        with pytest.raises(RemoteProtocolError, match=words) as caught:
            loop.next_action()
        assert caught.value.partial is message
    with pytest.raises(LocalProtocolError, match="no answer was asked for"):
        loop.receive_message(answer("end_turn"))
    assert loop.history == [GO]
    again = ToolLoop.from_dict(json.loads(json.dumps(loop.to_dict())), tools=[get_weather, write])
    with pytest.raises(RemoteProtocolError, match=words):
        again.next_action()
    again.interrupt()  # the answer is dropped, and the model can be asked again
    assert asked(again)["messages"] == [GO]


# Moving a run.


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


# A run that is stopped.


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


# The work is linear: calls of Python functions are counted, no time is taken.


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
