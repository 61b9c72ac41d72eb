"""What to send after an answer that is cut, paused or refused: requirement F and the continuation rules."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude._errors import (
    AuthenticationError,
    LocalProtocolError,
    OverloadedError,
    ReadError,
    TruncatedError,
)
from sansio_claude._message.message import Message
from sansio_claude._request.continuation import (
    STEPS,
    Continuation,
    NoContinuation,
    Step,
    continuation,
    larger_max_tokens,
    next_step,
    whole_blocks,
)
from sansio_claude._request.request import MessageRequest
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude.testing import compose
from tests.counting import growth
from tests.tools.history import problems

OLD = "claude-sonnet-4-5"  # takes a prefill
NEW = "claude-opus-5-5"  # refuses one
ASK = {"role": "user", "content": "Tell me a story."}


def a_request(**arguments: Any) -> dict[str, Any]:
    return {"model": NEW, "max_tokens": 1000, "messages": [ASK], **arguments}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def message(stop_reason: str | None, *content: dict[str, Any], **more: Any) -> Message:
    return Message.from_dict({"role": "assistant", "content": list(content), "stop_reason": stop_reason, **more})


THINKING = {"type": "thinking", "thinking": "", "signature": "c2ln=="}
UNSIGNED = {"type": "thinking", "thinking": "hm", "signature": ""}
REDACTED = {"type": "redacted_thinking", "data": "opaque=="}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"location": "x"}}
CUT_CALL = {**CALL, "input": {"$incomplete_json": '{"loc'}}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"encrypted_content": "o=="}]}


def go_on(request: Any, answer: Any, **more: Any) -> Continuation:
    before = copy.deepcopy(request) if isinstance(request, dict) else request
    found = continuation(request, answer, **more)
    assert request == before
    assert isinstance(found, Continuation), found
    return found


def stop(request: Any, answer: Any, **more: Any) -> NoContinuation:
    found = continuation(request, answer, **more)
    assert isinstance(found, NoContinuation), found
    assert found.words
    return found


def test_F_every_stop_reason_has_a_step() -> None:
    documented = {
        *("end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal"),
        *("model_context_window_exceeded", "compaction"),
    }
    assert set(STEPS) == documented
    assert {next_step(reason) for reason in documented} == set(get_args(Step))
    assert next_step("one_to_come") == next_step(None) == next_step("") == "finished"


@pytest.mark.parametrize(
    ("reason", "expected", "words"),
    [
        ("end_turn", "finished", "finished"),
        ("stop_sequence", "finished", "finished"),
        ("tool_use", "run_tools", "send their results"),
        ("model_context_window_exceeded", "context_full", "compact the conversation"),
        ("refusal", "refused", "take the turn out of the history"),
        ("one_to_come", "finished", "'one_to_come' is not known"),
    ],
)
def test_F_answers_without_a_next_request(reason: str, expected: str, words: str) -> None:
    found = stop(a_request(), message(reason, text("x"), CALL))
    assert found.reason == expected
    assert words in found.words


def test_F_a_refusal_names_its_category_and_the_model_to_ask() -> None:
    details = {"type": "refusal", "category": "cyber", "recommended_model": "claude-opus-5"}
    assert stop(a_request(), message("refusal", stop_details=details)).words == (
        "the model refused (cyber): take the turn out of the history, or ask claude-opus-5"
    )


def test_F_a_paused_answer_is_sent_back_unchanged() -> None:
    paused = [THINKING, text("x "), SEARCH]
    found = go_on(a_request(tools=[]), message("pause_turn", *paused, container={"id": "c1"}))
    assert (found.how, found.text) == ("resume", "")
    assert found.request == a_request(
        tools=[], messages=[ASK, {"role": "assistant", "content": paused}], container="c1"
    )
    assert "container" not in go_on(a_request(), message("pause_turn", *paused)).request
    for given_one, after in (
        ("mine", "mine"),
        ({"skills": []}, {"skills": [], "id": "c1"}),
        ({"id": "c0"}, {"id": "c0"}),
    ):
        found = go_on(a_request(container=given_one), message("pause_turn", *paused, container={"id": "c1"}))
        assert found.request["container"] == after


def test_F_of_a_paused_answer_without_content_nothing_is_sent_back() -> None:
    found = go_on(a_request(), message("pause_turn"))
    assert (found.how, found.request) == ("again", a_request())


def test_F_compaction_goes_first() -> None:
    block = {"type": "compaction", "content": "A summary.", "encrypted_content": "o=="}
    turn = {"role": "assistant", "content": [block]}
    asked = a_request(compaction={"type": "summarize"})
    found = go_on(asked, message("compaction", block))
    assert found.how == "resume"
    assert found.request == a_request(messages=[turn])
    failed = {"type": "compaction", "content": None}
    assert go_on(asked, message("compaction", failed)).request == a_request()
    assert go_on(a_request(), message("compaction", failed)).request == a_request(
        messages=[ASK, {"role": "assistant", "content": [failed]}]
    )


@pytest.mark.parametrize("error", [TruncatedError("cut"), ReadError("reset"), OverloadedError("busy", retryable=True)])
def test_a_cut_answer_goes_on_as_a_prefill_where_the_model_takes_it(error: Any) -> None:
    error.partial = message(None, text("Once upon a time, "))
    found = go_on(a_request(model=OLD), error)
    assert found.how == "prefill"
    assert (found.text, found.space, found.dropped) == ("Once upon a time,", " ", ())
    assert found.request["messages"] == [ASK, {"role": "assistant", "content": [text("Once upon a time,")]}]
    assert found.join(" there was") == "Once upon a time, there was"


@pytest.mark.parametrize(
    "arguments",
    [
        {"model": NEW},
        {"model": "a-model-to-come"},
        {"model": OLD, "thinking": {"type": "enabled", "budget_tokens": 1024}},
        {},
    ],
)
def test_a_cut_answer_goes_on_by_asking_elsewhere(arguments: dict[str, Any]) -> None:
    request = {"max_tokens": 10, "messages": [ASK], **arguments}
    found = go_on(request, message(None, text("Once upon a time, ")))
    assert found.how == "ask"
    assistant, user = found.request["messages"][1:]
    assert assistant == {"role": "assistant", "content": [text("Once upon a time,")]}
    assert user["role"] == "user"
    assert "<end>Once upon a time,</end>" in user["content"]
    assert "do not repeat" in user["content"]
    assert problems(found.request["messages"]) == []


def test_prefill_can_be_chosen() -> None:
    cut = message(None, text("x"))
    assert go_on(a_request(), cut, prefill=True).how == "prefill"
    assert go_on(a_request(model=OLD), cut, prefill=False).how == "ask"
    off = a_request(model=OLD, thinking={"type": "disabled"})
    assert go_on(off, cut).how == "prefill"


def test_only_the_end_of_a_long_answer_is_quoted() -> None:
    found = go_on(a_request(), message(None, text("a" * 5000 + "the end")))
    words = found.request["messages"][-1]["content"]
    assert len(words) < 700
    assert "<end>..." in words
    assert "athe end</end>" in words


@pytest.mark.parametrize(
    ("content", "kept", "dropped"),
    [
        ([THINKING, text("x"), UNSIGNED], [THINKING, text("x")], ("thinking",)),
        ([THINKING, text("x"), CUT_CALL], [THINKING, text("x")], ("tool_use",)),
        ([text("x"), CALL, text("y")], [text("x")], ("tool_use", "text")),
        ([text("x"), CALL, CUT_CALL], [text("x")], ("tool_use", "tool_use")),
        ([text("x"), SEARCH], [text("x")], ("server_tool_use",)),
        ([text("x"), SEARCH, FOUND, text("y ")], [text("x"), SEARCH, FOUND, text("y")], ()),
        ([text("x"), SEARCH, FOUND], [text("x"), SEARCH, FOUND], ()),
        ([text("x"), THINKING], [text("x")], ("thinking",)),
        ([text("x"), REDACTED], [text("x")], ("redacted_thinking",)),
        ([text("x"), THINKING, text(" \n")], [text("x")], ("thinking", "text")),
        ([text("x"), {"type": "one_to_come"}], [text("x")], ("one_to_come",)),
        ([{"type": "one_to_come"}, text("x")], [{"type": "one_to_come"}, text("x")], ()),
        ([text("x"), {"type": "compaction", "content": None}], [text("x")], ("compaction",)),
        (
            [text("x"), {"type": "compaction", "content": "A summary."}],
            [text("x"), {"type": "compaction", "content": "A summary."}],
            (),
        ),
    ],
)
def test_what_of_a_cut_answer_stays(
    content: list[dict[str, Any]], kept: list[dict[str, Any]], dropped: tuple[str, ...]
) -> None:
    found = go_on(a_request(model=OLD), message(None, *content))
    assert found.request["messages"][1:] == [{"role": "assistant", "content": kept}]
    assert found.dropped == dropped


@pytest.mark.parametrize("content", [[], [UNSIGNED], [THINKING], [THINKING, CUT_CALL], [text("  ")], [CALL], [SEARCH]])
def test_where_nothing_is_left_the_same_request_goes_again(content: list[dict[str, Any]]) -> None:
    request = a_request()
    found = go_on(request, message(None, *content))
    assert found.how == "again"
    assert found.request == request
    assert found.text == ""
    assert go_on(request, None).how == "again"
    assert go_on(request, ReadError("reset")).how == "again"


def test_an_answer_behind_a_server_tool_begins_anew() -> None:
    found = go_on(a_request(), message(None, text("x"), SEARCH, FOUND))
    assert found.text == ""
    assert "<end>" not in found.request["messages"][-1]["content"]
    assert found.join("new") == "new"


def test_errors_that_would_come_again() -> None:
    found = stop(a_request(), AuthenticationError("wrong key"))
    assert found.reason == "error"
    assert "wrong key" in found.words
    assert stop(a_request(), LocalProtocolError("no")).reason == "error"
    broken_off = AuthenticationError("odd", partial=message(None, text("x")))
    assert go_on(a_request(), broken_off).how == "ask"


def test_a_whole_answer_whose_end_was_cut_off() -> None:
    calls = message("tool_use", text("x"), CALL)
    found = go_on(a_request(), TruncatedError("cut", partial=calls))
    assert (found.how, found.dropped) == ("again", ("text", "tool_use"))
    assert go_on(a_request(), calls, cut=True).how == "again"
    assert stop(a_request(), TruncatedError("cut", partial=message("end_turn", text("x")))).reason == "finished"


def test_a_whole_answer_without_a_stop_reason_is_finished() -> None:
    frames = [frame for frame in compose("All done.").frames if b"message_delta" not in frame]
    stream = MessageStream()
    stream.receive_data(b"".join(frames))
    whole = stream.finish()
    assert whole.stop_reason is None
    assert stop(a_request(), whole).reason == "finished"
    assert go_on(a_request(), whole, cut=True).how == "ask"
    assert stop(a_request(), Message.from_dict(whole.to_dict())).reason == "finished"
    read = Message.from_dict(json.loads(json.dumps(whole.to_dict())))  # JSON text does not say it
    assert go_on(a_request(), read).how == "ask"
    assert stop(a_request(), read, cut=False).reason == "finished"
    assert stop(a_request(), message("", text("x")), cut=False).reason == "finished"


def test_a_cut_answer_that_was_paused() -> None:
    for broken in (UNSIGNED, {**SEARCH, "input": {"$incomplete_json": '{"q'}}):
        paused = message("pause_turn", text("x"), broken)
        found = go_on(a_request(), TruncatedError("cut", partial=paused))
        assert (found.how, found.text, found.dropped) == ("ask", "x", (broken["type"],))
    assert go_on(a_request(), TruncatedError("cut", partial=message("pause_turn", text("x"), SEARCH))).how == "resume"


@pytest.mark.parametrize(
    ("calls", "words"),
    [
        ([CALL], "run them and send their results"),
        ([{**CALL, "input": {"$incomplete_json": '{"a":1}}'}}], "no JSON object: do not run it"),
        ([CALL, CALL], "has no id of its own"),
        ([{**CALL, "id": ""}], "has no id of its own"),
        ([{**CALL, "input": {"a": "\ud83d"}}], "half a surrogate pair"),
    ],
)
def test_what_to_do_about_calls(calls: list[dict[str, Any]], words: str) -> None:
    found = stop(a_request(), message("tool_use", *calls))
    assert found.reason == "run_tools"
    assert words in found.words
    assert ("run them and send" in found.words) == (calls == [CALL])


def test_what_goes_back_can_be_written() -> None:
    found = go_on(a_request(), message(None, text("half \ud83d")))
    assert (found.text, found.request["messages"][1]["content"]) == ("half \ufffd", [text("half \ufffd")])
    assert "\ud83d" not in found.request["messages"][-1]["content"]


@pytest.mark.parametrize("odd", [{}, [], 5, None, True, "x"])
def test_ids_of_any_type(odd: Any) -> None:
    for content in ([{"type": "hologram", "tool_use_id": odd}], [text("x"), {**text("y"), "tool_use_id": odd}, SEARCH]):
        for reason in ("max_tokens", None, "pause_turn", "tool_use"):
            assert continuation(a_request(), message(reason, *content)) is not None


def test_continuation_is_linear() -> None:
    def action(count: int) -> Callable[[], object]:
        answer = message(None, *[text("a")] * count)
        return lambda: continuation(a_request(), answer)

    assert growth(action, size=300) < 1.2


def test_max_tokens_in_text_goes_on() -> None:
    found = go_on(a_request(model=OLD), message("max_tokens", THINKING, text("Once upon a")))
    assert found.how == "prefill"
    assert found.request["max_tokens"] == 1000
    asked = go_on(a_request(), message("max_tokens", text("Once upon a")))
    assert asked.request["messages"][-1]["content"].startswith("The output limit was reached")


@pytest.mark.parametrize(
    "content", [[text("x"), CUT_CALL], [text("x"), CALL], [CALL, text("y")], [UNSIGNED], [], [text("x"), SEARCH]]
)
def test_max_tokens_in_a_call_or_in_thinking_asks_again_with_more(content: list[dict[str, Any]]) -> None:
    found = go_on(a_request(), message("max_tokens", *content))
    assert found.how == "larger"
    assert found.request == a_request(max_tokens=2000)
    limit = stop(a_request(max_tokens=128_000), message("max_tokens", *content))
    assert limit.reason == "limit"


def test_larger_max_tokens() -> None:
    assert larger_max_tokens(a_request(max_tokens=100_000)) == 128_000
    assert larger_max_tokens(a_request(max_tokens=128_000)) is None
    assert larger_max_tokens(a_request(model="a-model-to-come")) == 2000
    assert larger_max_tokens({}) == 4096
    flagged = {"model": "claude-3-7-sonnet-20250219", "max_tokens": 64_000}
    assert larger_max_tokens(flagged) is None
    assert larger_max_tokens({**flagged, "betas": ["output-128k-2025-02-19"]}) == 128_000
    assert larger_max_tokens(MessageRequest(max_tokens=7)) == 14


@pytest.mark.parametrize(
    ("prefill", "turns"),
    [
        ([{"role": "assistant", "content": "Answer: "}], [[text("Answer: B")]]),
        (
            [{"role": "assistant", "content": [text("A"), text("nswer: ")]}],
            [[text("A"), text("nswer: B")]],
        ),
        ([{"role": "assistant", "content": [SEARCH]}], [[SEARCH], [text("B")]]),
        ([{"role": "assistant", "content": []}], [[], [text("B")]]),
        ([message("pause_turn", SEARCH)], [None, [text("B")]]),
    ],
)
def test_a_cut_answer_behind_a_prefill_becomes_one_turn_with_it(prefill: list[Any], turns: list[Any]) -> None:
    found = go_on(a_request(model=OLD, messages=[ASK, *prefill]), message(None, text("B")))
    added = found.request["messages"][1:]
    assert len(added) == len(turns)
    assert found.text == "B"
    for turn, expected in zip(added, turns, strict=True):
        if expected is not None:
            assert turn["content"] == expected


def test_only_the_first_text_of_a_cut_answer_joins_a_prefill() -> None:
    prefilled = [ASK, {"role": "assistant", "content": "Answer: "}]
    found = go_on(a_request(model=OLD, messages=prefilled), message(None, text("B"), SEARCH, FOUND, text("C")))
    assert found.request["messages"][1:] == [
        {"role": "assistant", "content": [text("Answer: B"), SEARCH, FOUND, text("C")]}
    ]


def test_a_message_request_gives_a_message_request() -> None:
    request = MessageRequest(model=NEW, max_tokens=10, messages=[ASK], compaction={"type": "summarize"})
    found = go_on(request, message("max_tokens", CUT_CALL)).request
    assert isinstance(found, MessageRequest)
    assert found.max_tokens == 20
    block = {"type": "compaction", "content": "A summary."}
    after = go_on(request, message("compaction", block)).request
    assert after.to_dict() == {
        "model": NEW,
        "max_tokens": 10,
        "messages": [{"role": "assistant", "content": [block]}],
    }


def test_join_takes_away_what_was_repeated_and_keeps_the_space() -> None:
    found = go_on(a_request(), message(None, text("It was a dark and stormy night; ")))
    assert found.join("the rain fell") == "It was a dark and stormy night; the rain fell"
    assert found.join(" the rain fell") == "It was a dark and stormy night; the rain fell"
    assert found.join("and stormy night; the rain fell") == "It was a dark and stormy night; the rain fell"
    assert found.join("night; ") == "It was a dark and stormy night; night; "  # too short to be no coincidence


def test_all_the_text_of_an_answer_with_several_blocks() -> None:
    found = go_on(a_request(), message(None, text("Paris. "), SEARCH, FOUND, text("Two million. "), text("The Sei")))
    assert (found.before, found.text) == ("Paris. Two million. ", "The Sei")
    assert found.before + found.join("ne.") == "Paris. Two million. The Seine."
    behind = go_on(a_request(), message(None, text("x "), SEARCH, FOUND))
    assert (behind.before, behind.join("new")) == ("x ", "new")


ROW = "2026-01-01,EUR,0.00\n"


@pytest.mark.parametrize(
    ("whole", "cut"),
    [
        ("date,cur,amount\n" + ROW * 3 + "2026-01-02,USD,1.00\n", 16 + 2 * len(ROW) - 1),
        ("0x" + "0" * 40 + "ff", 22),
        ("|a|b|\n" + "| x | y | z |\n" * 4 + "end", 34),
    ],
)
def test_rows_that_are_equal_are_no_repetition(whole: str, cut: int) -> None:
    found = go_on(a_request(), message(None, text(whole[:cut])))
    after = whole[len(found.text) :]
    assert (found.repeated(after), found.join(after)) == ("", whole)


@given(head=st.text("ab,\n", max_size=8), unit=st.text("abc\n", min_size=1, max_size=30), data=st.data())
def test_no_text_that_repeats_itself_is_lost(head: str, unit: str, data: st.DataObject) -> None:
    whole = head + unit * 8
    least = len(head) + 2 * len(unit)
    found = continuation(a_request(), message(None, text(whole[: data.draw(st.integers(least, len(whole)))])))
    assert isinstance(found, Continuation)
    after = whole[len(found.text) :]
    if found.how == "ask" and len(found.text) >= least:
        assert found.join(after) == whole


@given(st.text("ab .", max_size=700), st.text("abc ", max_size=700))
def test_join_leaves_out_only_what_it_reports(before: str, after: str) -> None:
    found = continuation(a_request(), message(None, text(before)))
    assert isinstance(found, Continuation)
    said = found.repeated(after)
    assert found.text.endswith(said)
    assert after.startswith(said)
    joined = found.join(after)
    assert joined == found.text + after[len(said) :] or joined == found.text + found.space + after


@given(st.text("ab \n", min_size=1, max_size=60), st.integers(0, 60))
def test_joining_a_prefill_is_plain(whole: str, cut: int) -> None:
    partial = whole[:cut]
    found = continuation(a_request(model=OLD), message(None, text(partial)))
    assert isinstance(found, Continuation)
    if found.how == "prefill":
        assert found.join(whole[len(found.text) :]) == whole
    else:
        assert partial.strip() == ""


blocks = st.lists(
    st.sampled_from(
        [THINKING, UNSIGNED, REDACTED, CALL, CUT_CALL, SEARCH, FOUND, text("x"), text("y "), text(" "), {"type": "odd"}]
    ),
    max_size=6,
)


@given(blocks, st.sampled_from([OLD, NEW]), st.sampled_from([*STEPS, None, "odd"]), st.booleans())
def test_every_next_request_is_one_the_api_takes(
    content: list[dict[str, Any]], model: str, reason: str | None, cut: bool
) -> None:
    if content.count(SEARCH) > 1:
        return
    content = [block for block in content if block is not FOUND or SEARCH in content[: content.index(FOUND)]]
    answer = message(reason, *content)
    request = a_request(model=model)
    found = continuation(request, answer, cut=cut)
    if isinstance(found, Continuation) and found.how != "resume":
        assert problems(found.request["messages"]) == []
        if found.how == "prefill":
            last = found.request["messages"][-1]["content"][-1]
            assert last.get("text", "x") == last.get("text", "x").rstrip()


def test_whole_blocks_of_an_answer_that_is_not_cut() -> None:
    content = message("end_turn", text("x"), {"type": "odd"}).content
    assert whole_blocks(content, cut=False) == content
    assert whole_blocks(content, cut=True) == content[:1]


@pytest.mark.parametrize("messages", [5, True, 1.5, "hello", b"hello", {"role": "user"}, object()])
def test_messages_that_are_no_list_are_told(messages: Any) -> None:
    cut = Message.from_dict(
        {"type": "message", "content": [{"type": "text", "text": "a"}], "stop_reason": "max_tokens"}
    )
    with pytest.raises(LocalProtocolError, match="messages must be a list of turns"):
        continuation({"model": "m", "max_tokens": 10, "messages": messages}, cut)
