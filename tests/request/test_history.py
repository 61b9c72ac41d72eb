"""fit_messages: what is changed is named and sendable, what needs no change is the same object, and twice is once."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude import (
    Fitted,
    LocalProtocolError,
    Message,
    MessageRequest,
    assistant,
    fit_messages,
    tool_result,
    user,
)
from tests.check.legal import CALL, FOUND, GENERATIONS, MESSAGES, SEARCH, THINKING
from tests.counting import growth

MODEL = "claude-opus-5-5"
CACHE = {"cache_control": {"type": "ephemeral"}}
RESULT = tool_result("toolu_1", "15")


def problems(fitted: Fitted) -> list[Any]:
    return MessageRequest(model=MODEL, max_tokens=9, messages=fitted.messages).check()


@pytest.mark.parametrize("messages", MESSAGES, ids=map(str, range(len(MESSAGES))))
def test_a_legal_history_is_the_same_object(messages: list[dict[str, Any]]) -> None:
    before = copy.deepcopy(messages)
    fitted = fit_messages(messages, MODEL)
    assert fitted.messages is messages
    assert fitted.changes == ()
    assert messages == before


Q = user("x")
ROWS: list[tuple[str, list[Any], list[Any], list[tuple[str, str]]]] = [
    (
        "unsigned thinking",
        [Q, assistant({"type": "thinking", "thinking": "t"}, "so"), Q],
        [Q, assistant(*[{"type": "text", "text": "so"}]), Q],
        [("messages[1].content[0]", "unsigned_thinking")],
    ),
    (
        "a turn of unsigned thinking alone",
        [Q, assistant({"type": "thinking", "thinking": "t", "signature": ""}), Q],
        [Q, Q],
        [("messages[1]", "empty_turn"), ("messages[1].content[0]", "unsigned_thinking")],
    ),
    (
        "thinking of another model",
        [Q, {**assistant(THINKING, "so"), "model": "claude-opus-4-6"}, Q],
        [Q, {**assistant({"type": "text", "text": "so"}), "model": "claude-opus-4-6"}, Q],
        [("messages[1].content[0]", "foreign_thinking")],
    ),
    (
        "a call without a result",
        [Q, assistant(CALL), Q],
        [
            Q,
            assistant(CALL),
            {
                "role": "user",
                "content": [
                    tool_result("toolu_1", "There is no result: the call was interrupted.", is_error=True),
                    {"type": "text", "text": "x"},
                ],
            },
        ],
        [("messages[1].content[0]", "call_without_result")],
    ),
    (
        "a call at the end",
        [Q, assistant(CALL)],
        [
            Q,
            assistant(CALL),
            user(tool_result("toolu_1", "There is no result: the call was interrupted.", is_error=True)),
        ],
        [("messages[1].content[0]", "call_without_result")],
    ),
    (
        "a result without a call",
        [user(RESULT, "x")],
        [user({"type": "text", "text": "x"})],
        [("messages[0].content[0]", "result_without_call")],
    ),
    (
        "an incomplete call and its result",
        [Q, assistant("so", {**CALL, "input": {"$incomplete_json": "{"}}), user(RESULT, "y")],
        [Q, assistant({"type": "text", "text": "so"}), user({"type": "text", "text": "y"})],
        [("messages[1].content[1]", "incomplete_call"), ("messages[2].content[0]", "result_without_call")],
    ),
    (
        "inputs that are no objects",
        [
            Q,
            assistant({**CALL, "input": None}),
            user(RESULT),
            assistant({**CALL, "id": "b", "input": '{"a":1}'}),
            user(tool_result("b")),
        ],
        [
            Q,
            assistant({**CALL, "input": {}}),
            user(RESULT),
            assistant({**CALL, "id": "b", "input": {"a": 1}}),
            user(tool_result("b")),
        ],
        [("messages[1].content[0].input", "call_input"), ("messages[3].content[0].input", "call_input")],
    ),
    (
        "ids outside of the pattern",
        [
            Q,
            assistant({**CALL, "id": "f.Bash:0"}, {**CALL, "id": "f_Bash_0"}),
            user(tool_result("f_Bash_0"), tool_result("f.Bash:0")),
        ],
        [
            Q,
            assistant({**CALL, "id": "f_Bash_0_2"}, {**CALL, "id": "f_Bash_0"}),
            user(tool_result("f_Bash_0"), tool_result("f_Bash_0_2")),
        ],
        [("messages[1].content[0].id", "call_id"), ("messages[2].content[1].tool_use_id", "call_id")],
    ),
    (
        "an id used twice",
        [Q, assistant(CALL), user(RESULT), assistant(CALL), user(RESULT)],
        [
            Q,
            assistant(CALL),
            user(RESULT),
            assistant({**CALL, "id": "toolu_1_2"}),
            user({**RESULT, "tool_use_id": "toolu_1_2"}),
        ],
        [("messages[3].content[0].id", "call_id"), ("messages[4].content[0].tool_use_id", "call_id")],
    ),
    (
        "empty texts",
        [user(""), user(" \n", "x"), assistant(CALL), user(tool_result("toolu_1", ["", "y"]))],
        [user({"type": "text", "text": "x"}), assistant(CALL), user(tool_result("toolu_1", ["y"]))],
        [
            ("messages[0]", "empty_turn"),
            ("messages[1].content[0]", "empty_text"),
            ("messages[3].content[0].content[0]", "empty_text"),
        ],
    ),
    (
        "surplus cache marks",
        [user(*[{"type": "text", "text": str(number), **CACHE} for number in range(6)])],
        [user(*[{"type": "text", "text": str(number), **(CACHE if number > 1 else {})} for number in range(6)])],
        [("messages[0].content[0]", "cache_mark"), ("messages[0].content[1]", "cache_mark")],
    ),
    (
        "a cache mark on thinking",
        [Q, assistant({**THINKING, **CACHE}, "so"), Q],
        [Q, assistant(THINKING, "so"), Q],
        [("messages[1].content[0]", "cache_mark")],
    ),
    (
        "a server call without a result",
        [Q, assistant(SEARCH, "so"), Q],
        [Q, assistant({"type": "text", "text": "so"}), Q],
        [("messages[1].content[0]", "server_call_without_result")],
    ),
]


@pytest.mark.parametrize(("messages", "fitted", "changes"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_each_fault(messages: list[Any], fitted: list[Any], changes: list[tuple[str, str]]) -> None:
    before = copy.deepcopy(messages)
    found = fit_messages(messages, MODEL)
    assert found.messages == fitted
    assert [(change.path, change.fault) for change in found.changes] == changes
    assert all(change.reason for change in found.changes)
    assert messages == before
    again = fit_messages(found.messages, MODEL)
    assert again.messages is found.messages
    kinds = [
        problem for problem in problems(found) if problem.path.startswith("messages") and problem.severity == "error"
    ]
    assert [problem for problem in kinds if "no key 'model'" not in problem.message] == []
    # A turn that has nothing of it stays the object that it was.
    touched = {int(path.split("[")[1].split("]")[0]) for path, _ in changes}
    for index, turn in enumerate(messages):
        if index not in touched and not any("without_result" in fault for _, fault in changes):
            assert any(turn is kept for kept in found.messages)


def test_a_blank_text_where_a_result_should_be_gives_way_and_is_named() -> None:
    fitted = fit_messages([Q, assistant(CALL), {"role": "user", "content": " \n"}], MODEL)
    assert [(change.path, change.fault) for change in fitted.changes] == [
        ("messages[1].content[0]", "call_without_result"),
        ("messages[2].content", "empty_text"),
    ]
    assert [each["type"] for each in fitted.messages[2]["content"]] == ["tool_result"]


def test_a_message_object_goes_through_and_is_mended() -> None:
    whole = Message.from_dict(
        {"role": "assistant", "model": MODEL, "content": [THINKING, CALL], "stop_reason": "tool_use"}
    )
    history: list[Any] = [Q, whole, user(RESULT)]
    assert fit_messages(history, MODEL).messages is history
    other = fit_messages(history, "claude-opus-4-6")
    assert [change.fault for change in other.changes] == ["foreign_thinking"]
    assert other.messages[1]["content"] == [whole.content[1]]
    assert other.messages[1]["content"][0] is whole.content[1]
    cut = Message.from_dict(
        {
            "role": "assistant",
            "model": MODEL,
            "content": [{"type": "text", "text": "so"}, {**CALL, "input": {"$incomplete_json": "{"}}],
        }
    )
    fitted = fit_messages([Q, cut, Q], MODEL)
    assert [change.fault for change in fitted.changes] == ["incomplete_call"]
    assert MessageRequest(messages=fitted.messages).to_dict()["messages"][1]["content"] == [
        {"type": "text", "text": "so"}
    ]


def test_signed_thinking_stays_where_the_model_is_the_same_or_not_known() -> None:
    for writer in (None, MODEL, "anthropic/claude-opus-5.5", "claude-opus-5-5-20991231"):
        history: list[Any] = [Q, {**assistant(THINKING, "so"), "model": writer}, Q]
        assert fit_messages(history, MODEL).messages is history
    history = [Q, {**assistant(THINKING, "so"), "model": "glm-5"}, Q]
    assert fit_messages(history, "of-a-time-to-come").messages is history
    assert len(fit_messages(history, MODEL).changes) == 1
    assert len(fit_messages([Q, assistant(THINKING, "so"), Q], "claude-3-haiku-20240307").changes) == 1


@pytest.mark.parametrize(
    ("fallback", "foreign"),
    [
        ({"from": {"model": "claude-opus-4-6"}, "to": {"model": "claude-sonnet-4-6"}}, True),
        ({"from": {"model": MODEL}, "to": {"model": "claude-opus-4-6"}}, False),
        ({"from": {"model": "claude-opus-4-6"}, "to": {"model": MODEL}}, False),
        ({"from": {"model": 5}, "to": None}, True),
        ({}, True),
    ],
)
def test_thinking_stays_where_one_of_the_models_that_wrote_the_answer_goes_on(
    fallback: dict[str, Any], foreign: bool
) -> None:
    answer = {**assistant(THINKING, {"type": "fallback", **fallback}, "so"), "model": "claude-opus-4-6"}
    fitted = fit_messages([Q, answer, Q], MODEL)
    assert [change.fault for change in fitted.changes] == ["foreign_thinking"] * foreign


@pytest.mark.parametrize("content", ["", []])
def test_a_last_answer_may_be_empty_since_it_goes_on(content: Any) -> None:
    history = [Q, {"role": "assistant", "content": content}]
    assert fit_messages(history, MODEL).messages is history
    assert fit_messages([*history, Q], MODEL).messages == [Q, Q]
    unsigned = assistant({"type": "thinking", "thinking": "t"}, "so")
    fitted = fit_messages([Q, unsigned, *history], MODEL)
    assert fitted.messages[-1] is history[-1]
    assert [change.fault for change in fitted.changes] == ["unsigned_thinking"]


@pytest.mark.parametrize("turn", [{"role": "user", "content": None}, {"role": "user"}, {"role": "user", "content": 5}])
def test_content_that_is_no_text_and_no_list_is_left_as_it_is(turn: Any) -> None:
    history = [turn, assistant("so"), turn]
    fitted = fit_messages(history, MODEL)
    assert fitted.messages is history
    assert fitted.changes == ()
    changed = fit_messages([*history, assistant(CALL), user(RESULT), assistant(CALL), turn], MODEL)
    assert changed.messages[:3] == history
    assert changed.changes


def test_a_whole_call_counts_after_a_cut_one_of_the_same_id() -> None:
    cut = {**CALL, "input": {"$incomplete_json": "{"}}
    fitted = fit_messages([Q, assistant("so", cut), Q, assistant(CALL), user(RESULT)], MODEL)
    assert [change.fault for change in fitted.changes] == ["incomplete_call"]
    assert fitted.messages[-2:] == [assistant(CALL), user(RESULT)]


@pytest.mark.parametrize(
    ("given", "fitted", "words"),
    [
        ('{"a": 1}', {"a": 1}, "its JSON text became the object"),
        ("{}", {}, "its JSON text became the object"),
        (None, {}, "a call without arguments has the input {}"),
    ],
)
def test_what_was_done_to_the_input_of_a_call_is_said(given: Any, fitted: dict[str, Any], words: str) -> None:
    found = fit_messages([Q, assistant({**CALL, "input": given}), user(RESULT)], MODEL)
    assert found.messages[1]["content"][0]["input"] == fitted
    assert [(change.fault, change.reason) for change in found.changes] == [("call_input", words)]


def test_a_last_answer_may_wait_for_the_server() -> None:
    for behind in ([], [user(RESULT)]):
        history = [Q, assistant(SEARCH, *([CALL] if behind else [])), *behind]
        assert fit_messages(history, MODEL).messages is history
    found = [Q, assistant(SEARCH, FOUND, "so"), Q]
    assert fit_messages(found, MODEL).messages is found


@pytest.mark.parametrize("messages", ["hi", {"role": "user"}, None, 5])
def test_what_is_no_list_of_turns_is_refused(messages: Any) -> None:
    with pytest.raises(LocalProtocolError, match="list of turns"):
        fit_messages(messages, MODEL)


def test_an_iterator_is_read_once() -> None:
    assert fit_messages(iter([Q, Q]), MODEL).messages == [Q, Q]


ids = st.sampled_from(["a", "b", "a.b", "a_b", "a_b_2", "", "srvtoolu_1"])
blocks = st.one_of(
    st.builds(
        lambda text, mark: {"type": "text", "text": text, **mark},
        st.sampled_from(["x", "", " "]),
        st.sampled_from([{}, CACHE]),
    ),
    st.builds(
        lambda i, given: {**CALL, "id": i, "input": given},
        ids,
        st.sampled_from([{}, None, "{}", "{", [], {"$incomplete_json": "x"}]),
    ),
    st.builds(lambda i: {**SEARCH, "id": i}, ids),
    st.builds(lambda i: {**FOUND, "tool_use_id": i}, ids),
    st.builds(
        lambda i, content: {"type": "tool_result", "tool_use_id": i, "content": content},
        ids,
        st.sampled_from(["x", [], [{"type": "text", "text": ""}]]),
    ),
    st.builds(lambda s: {"type": "thinking", "thinking": "t", "signature": s}, st.sampled_from(["", "c2ln", None])),
    st.sampled_from([{}, {"type": 5}, {"type": "redacted_thinking"}, {"type": "new"}, None, 5]),
)
turns = st.builds(
    lambda role, content: {"role": role, "content": content},
    st.sampled_from(["user", "assistant", "user", "assistant", "system"]),
    st.lists(blocks, max_size=5) | st.sampled_from(["x", "", " ", None]),
)


@given(st.lists(turns, max_size=7), st.sampled_from([*(info.id for info in GENERATIONS.values()), "unknown"]))
def test_twice_is_once_and_signatures_stay(history: list[Any], model: str) -> None:
    before = copy.deepcopy(history)
    fitted = fit_messages(history, model)
    assert history == before
    assert (fitted.messages is history) is (fitted.changes == ())
    again = fit_messages(fitted.messages, model)
    assert again.changes == ()
    if model == MODEL:
        kept = [block for turn in fitted.messages if isinstance(turn["content"], list) for block in turn["content"]]
        for turn in history:
            for block in turn["content"] if isinstance(turn["content"], list) else ():
                if isinstance(block, dict) and block.get("signature") == "c2ln":
                    assert any(block is one for one in kept)


def test_its_work_is_linear() -> None:
    def action(size: int) -> Callable[[], object]:
        history = [Q]
        for number in range(size):
            history += [assistant(THINKING, {**CALL, "id": f"f.{number % 7}"}), user(tool_result(f"f.{number % 7}"))]
        return lambda: fit_messages(history, MODEL)

    assert growth(action, size=300) < 1.2


def test_results_of_calls_with_one_id_answer_them_in_their_order() -> None:
    calls = [{**CALL, "id": "a", "input": {"n": number}} for number in range(3)]
    history = [
        user("x"),
        assistant(*calls),
        user(tool_result("a", "0"), tool_result("a", "1"), tool_result("a", "2")),
        assistant(calls[0]),
        user(tool_result("a", "3")),
    ]
    fitted = fit_messages(history, MODEL)
    ids = [block["id"] for turn in fitted.messages[1::2] for block in turn["content"]]
    results = [(block["tool_use_id"], block["content"]) for turn in fitted.messages[2::2] for block in turn["content"]]
    assert len(set(ids)) == 4
    assert results == [(name, str(number)) for number, name in enumerate(ids)]
    assert {change.fault for change in fitted.changes} == {"call_id"}
    server = {**SEARCH, "id": "srvtoolu_1"}, {**FOUND, "tool_use_id": "srvtoolu_1"}
    fitted = fit_messages([user("x"), assistant(*server, *server), user("y")], MODEL)
    first, answer, second, other = fitted.messages[1]["content"]
    assert (answer["tool_use_id"], other["tool_use_id"]) == (first["id"], second["id"])
    assert first["id"] != second["id"]
