"""How the tool loop ends: every stop reason of F, and N3."""

from __future__ import annotations

from typing import Any

import pytest

from sansio_claude._message.message import Message
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude.testing import compose
from tests.tools.loops import GO, a_loop, answer, asked, asked_messages, call, calls_of, cut_call, finished, text


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
