"""JSON output through a tool (E7): a type goes in, a checked value comes out."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

import msgspec
import pytest

from sansio_claude._errors import LocalProtocolError, RemoteProtocolError
from sansio_claude._message.message import Message
from sansio_claude._request.request import MessageRequest
from sansio_claude.tools._extract import Extractor
from tests.tools.history import problems
from tests.tools.loops import GO, answer, call, cut_call, text


@dataclasses.dataclass
class Person:
    """Somebody."""

    name: str
    age: Annotated[int, msgspec.Meta(ge=0)]


def an_extractor(kind: Any = Person, **arguments: Any) -> Extractor[Any]:
    return Extractor(kind, **{"model": "claude-opus-4-1", "max_tokens": 100, "messages": [GO], **arguments})


def asked(extractor: Extractor[Any]) -> dict[str, Any]:
    request = extractor.next_request()
    assert request is not None
    assert problems(request["messages"]) == []
    return request


def given(number: int, /, **value: Any) -> dict[str, Any]:
    return call(number, "give_answer", **value)


def test_E7_the_schema_goes_in_and_a_checked_value_comes_out() -> None:
    extractor = an_extractor()
    request = asked(extractor)
    assert request["tool_choice"] == {"type": "tool", "name": "give_answer", "disable_parallel_tool_use": True}
    (definition,) = request["tools"]
    assert definition["name"] == "give_answer"
    assert "whole answer" in definition["description"]
    assert definition["input_schema"] == {
        "title": "Person",
        "description": "Somebody.",
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }
    with pytest.raises(LocalProtocolError, match="no value yet"):
        _ = extractor.value
    extractor.receive_message(answer("tool_use", text("Here."), given(1, name="Ada", age=36)))
    assert extractor.done
    assert extractor.value == Person("Ada", 36)
    assert extractor.next_request() is None
    assert problems(extractor.loop.history) == []


@pytest.mark.parametrize(
    ("kind", "sent", "value"),
    [
        (list[int], {"value": [1, 2]}, [1, 2]),
        (Literal["yes", "no"], {"value": "no"}, "no"),
        (Person | None, {"value": None}, None),
        (dict[str, int], {"a": 1}, {"a": 1}),
    ],
)
def test_a_value_that_is_no_object_is_wrapped_in_one(kind: Any, sent: dict[str, Any], value: Any) -> None:
    extractor = an_extractor(kind)
    schema = asked(extractor)["tools"][0]["input_schema"]
    assert schema["type"] == "object"
    assert extractor.wrapped is ("value" in sent)
    extractor.receive_message(answer("tool_use", given(1, **sent)))
    assert extractor.value == value


def test_what_does_not_fit_is_told_and_asked_for_again() -> None:
    extractor = an_extractor()
    extractor.receive_message(answer("tool_use", given(1, name="Ada", age=-1)))
    request = asked(extractor)
    result = request["messages"][-1]["content"][0]
    assert result["is_error"] is True
    assert "Expected `int` >= 0 - at `$.age`" in result["content"]
    assert request["tool_choice"]["type"] == "tool"  # the choice holds for every attempt
    extractor.receive_message(answer("tool_use", cut_call(2), call(3, "something_else")))
    asked(extractor)
    extractor.receive_message(answer("tool_use", given(4, name="Ada"), given(5, name="Ada", age=36), given(6)))
    assert extractor.value == Person("Ada", 36)
    contents = [block["content"] for block in extractor.loop.history[-1]["content"]]
    assert "missing required field" in contents[0]
    assert contents[1] == "Thank you."
    assert "already" in contents[2]


def test_calls_that_cannot_be_answered_are_an_error_at_every_question() -> None:
    extractor = an_extractor()
    extractor.receive_message(answer("pause_turn", {**given(1), "input": {"$incomplete_json": "{"}}))
    for _ in range(2):
        with pytest.raises(RemoteProtocolError, match="a tool input that is not whole"):
            extractor.next_request()
    assert not extractor.done


def test_a_loop_that_somebody_else_has_driven_is_the_callers_mistake() -> None:
    extractor = an_extractor()
    extractor.loop.receive_message(answer("end_turn", text("No.")))
    with pytest.raises(LocalProtocolError, match="driven elsewhere"):
        extractor.next_request()


def test_there_is_an_end_to_attempts() -> None:
    extractor = an_extractor(attempts=2)
    for number in (1, 2):
        asked(extractor)
        last = answer("tool_use", given(number, name="Ada"))
        extractor.receive_message(last)
    for _ in range(2):
        with pytest.raises(RemoteProtocolError, match=r"no value that fits in 2 attempts: .*`age`") as caught:
            extractor.next_request()
        assert caught.value.partial is last
    with pytest.raises(LocalProtocolError, match="attempts must be 1 or more"):
        an_extractor(attempts=0)


def test_a_cut_input_is_asked_for_again_with_more() -> None:
    extractor = an_extractor()
    extractor.receive_message(answer("max_tokens", {**cut_call(1), "name": "give_answer"}))
    assert asked(extractor)["max_tokens"] == 200
    other = an_extractor(attempts=1)
    other.receive_message(answer("max_tokens", {**cut_call(1), "name": "give_answer"}))
    with pytest.raises(RemoteProtocolError, match="its input was cut off"):
        other.next_request()


def test_pauses_are_no_attempts() -> None:
    extractor = an_extractor(attempts=1)
    extractor.receive_message(answer("pause_turn", text("Wait")))
    asked_again = extractor.next_request()
    assert asked_again is not None
    assert len(asked_again["messages"]) == 2
    extractor.receive_message(answer("tool_use", given(1, name="Ada", age=36)))
    assert extractor.done


@pytest.mark.parametrize("reason", ["max_tokens", "model_context_window_exceeded", "one_to_come"])
def test_an_answer_without_a_value_is_an_error(reason: str) -> None:
    extractor = an_extractor()
    extractor.receive_message(answer(reason, text("I can")))
    with pytest.raises(RemoteProtocolError, match=f"the model gave no value: the answer ended with {reason}"):
        extractor.next_request()


def test_words_instead_of_a_value_are_asked_to_be_given_again() -> None:
    extractor = an_extractor(model="claude-opus-5-5", thinking={"type": "adaptive"}, structured=False)
    assert asked(extractor)["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    extractor.receive_message(answer("end_turn", text("Ada is 36.")))
    assert asked(extractor)["messages"][-1]["content"][0]["text"] == "Give the answer by calling give_answer."
    extractor.receive_message(answer("tool_use", given(1, name="Ada", age=36)))
    assert extractor.done


@pytest.mark.parametrize(
    ("arguments", "choice"),
    [
        ({"thinking": {"type": "disabled"}}, "tool"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "auto"),
        ({"model": "a-model-to-come"}, "tool"),
        ({"model": "claude-fable-5-1", "structured": False}, "auto"),  # a forced tool is refused by the model itself
        ({"tool_choice": {"type": "any"}}, "any"),
    ],
)
def test_the_tool_is_forced_where_it_can_be(arguments: dict[str, Any], choice: str) -> None:
    assert asked(an_extractor(**arguments))["tool_choice"]["type"] == choice


def test_a_message_request_and_other_tools() -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    request = MessageRequest(model="m", max_tokens=5, messages=[GO], tools=[search], tool_choice={"type": "any"})
    extractor = Extractor(Person, request, name="person", description="Who it is.")
    found = asked(extractor)
    assert [definition["name"] for definition in found["tools"]] == ["web_search", "person"]
    assert found["tools"][1]["description"] == "Who it is."
    assert found["tool_choice"] == {"type": "any"}
    extractor.receive_message(answer("tool_use", call(1, "web_search", query="x")))
    assert "only person can be called here" in extractor.loop.history[-1]["content"][0]["content"]


def test_an_answer_that_cannot_be_answered_is_an_error() -> None:
    extractor = an_extractor()
    extractor.receive_message(answer("pause_turn", {**given(1), "input": {"$incomplete_json": "{"}}))
    with pytest.raises(RemoteProtocolError, match="a tool input that is not whole"):
        extractor.next_request()
    assert isinstance(extractor.loop.message, Message)
