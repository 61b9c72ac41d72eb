"""Limits, tools and the order of calls in the tool loop."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sansio_claude._errors import LocalProtocolError, RemoteProtocolError, ToolError
from sansio_claude._message.message import Message
from sansio_claude.tools import (
    AwaitResults,
    MemoryFiles,
    RunTools,
    TextEditor,
    ToolLoop,
    ToolResult,
)
from tests.tools.history import problems
from tests.tools.loops import GO, a_loop, answer, asked, call, calls_of, cut_call, finished, get_weather, text, write


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
    with pytest.raises(LocalProtocolError, match="an int is no tool"):
        a_loop(tools=[3])
    with pytest.raises(LocalProtocolError, match="two tools named 'get_weather'"):
        a_loop(tools=[get_weather, get_weather])
    with pytest.raises(LocalProtocolError, match=r"unexpected keyword argument 'modell'.* extra_body"):
        a_loop(modell="x")


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


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"concurrency": "2"}, "concurrency must be 1 or more"),
        ({"concurrency": None}, "concurrency must be 1 or more"),
        ({"concurrency": 1.5}, "concurrency must be 1 or more"),
        ({"max_turns": "2"}, "max_turns must be a whole number, or None, not a str"),
        ({"token_budget": 1.5}, "token_budget must be a whole number, or None, not a float"),
        ({"messages": "hello"}, "messages must be a list of turns, not a str"),
        ({"messages": {"role": "user"}}, "messages must be a list of turns, not a dict"),
        ({"messages": 5}, "messages must be a list of turns, not an int"),
        ({"messages": ["hello"]}, r"messages\[0\] is a str, not a turn"),
    ],
)
def test_arguments_of_the_wrong_kind_are_told(options: dict[str, Any], words: str) -> None:
    with pytest.raises(LocalProtocolError, match=words):
        ToolLoop(**{"model": "m", "max_tokens": 1, "messages": [], **options})


def test_wrong_kinds_of_values_are_told_while_a_loop_stands() -> None:
    given: Any = {"model": "m"}
    with pytest.raises(LocalProtocolError, match="the request is a MessageRequest, not a dict"):
        ToolLoop(given)
    loop = a_loop()
    odd: tuple[Any, ...] = (None, {"content": []}, "x")
    for message in odd:
        with pytest.raises(LocalProtocolError, match=r"takes the whole Message, not .*: Message.from_dict\(\)"):
            loop.receive_message(message)
    for content in (5, None, b"x", ["x", 5]):
        with pytest.raises(LocalProtocolError, match=r"add_user\(\) takes texts and content blocks, not"):
            loop.add_user(content)  # type: ignore[arg-type]
    unhashable: Any = ["toolu_1"]
    assert not loop.awaits(unhashable)
    for method in (loop.put_back, loop.receive_result):
        with pytest.raises(LocalProtocolError, match="no call with the id"):
            method(unhashable)


class Own:
    """A tool of the caller's own."""

    name = "own"

    def to_param(self) -> Any:
        return {"name": "own", "input_schema": {"type": "object"}}

    def call(self, input: Any) -> Any:  # noqa: A002 - the wire's own name
        return "fine"


class Nameless(Own):
    @property
    def name(self) -> str:  # type: ignore[override]
        raise ValueError("no name yet")


class Undefined(Own):
    def to_param(self) -> Any:
        raise KeyError("schema")


class Unknown(Own):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise RuntimeError(f"no {name}")


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (Nameless(), "a Nameless cannot be a tool: it raised ValueError: no name yet"),
        (Undefined(), "an Undefined cannot be a tool: it raised KeyError: 'schema'"),
        (Unknown(), "an Unknown cannot be a tool: it raised RuntimeError: no betas"),
    ],
)
def test_a_tool_of_ones_own_that_raises_is_told(made: Any, words: str) -> None:
    with pytest.raises(LocalProtocolError, match=words) as caught:
        a_loop(tools=[made])
    assert not isinstance(caught.value.__cause__, LocalProtocolError)


@pytest.mark.parametrize(
    "option", [{"timeout": "5"}, {"timeout": 0}, {"confirm_timeout": True}, {"confirm": 3}, {"longest_result": "x"}]
)
def test_options_of_a_tool_of_ones_own_are_those_of_a_tool(option: dict[str, Any]) -> None:
    made = Own()
    for name, value in option.items():
        setattr(made, name, value)
    with pytest.raises(LocalProtocolError, match=f"{next(iter(option))} must be"):
        a_loop(tools=[made])
    made = Own()
    for name in option:
        setattr(made, name, None)
    assert a_loop(tools=[made]).state == "asking"


def test_what_the_user_says_may_not_contain_itself() -> None:
    loop = a_loop()
    block: dict[str, Any] = {"type": "text", "text": "Hello."}
    block["again"] = block
    with pytest.raises(LocalProtocolError, match="nests deeper"):
        loop.add_user(block)
    assert loop.history == [GO]
