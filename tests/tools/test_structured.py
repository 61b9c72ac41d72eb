"""extract() by structured output (N6): when it is chosen, what is asked for, and what the answer's text becomes."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import pydantic
import pytest

from sansio_claude._errors import ClaudeError, LocalProtocolError, RefusalError, RemoteProtocolError
from sansio_claude._message.blocks import block_from_dict
from sansio_claude._stream.events import ContentBlockStart, ContentBlockStop, InputJSONDelta, TextDelta
from sansio_claude.tools._extract import Extractor
from sansio_claude.tools._partial import PartialValue
from tests.tools.history import problems
from tests.tools.loops import GO, answer, call, text


@dataclasses.dataclass
class Person:
    name: str
    age: int = 0


@dataclasses.dataclass
class Node:
    below: list[Node]


class Model(pydantic.BaseModel):
    name: str
    age: int | None = pydantic.Field(None, ge=0)


def an_extractor(kind: Any = Person, **arguments: Any) -> Extractor[Any]:
    return Extractor(kind, **{"model": "claude-opus-5-5", "max_tokens": 100, "messages": [GO], **arguments})


def asked(extractor: Extractor[Any]) -> dict[str, Any]:
    request = extractor.next_request()
    assert request is not None
    assert problems(request["messages"]) == []
    return request


def test_N6_the_schema_is_in_the_request_and_the_text_is_the_value() -> None:
    extractor = an_extractor(output_config={"effort": "low"}, system="Be exact.")
    assert extractor.structured
    request = asked(extractor)
    assert request["output_config"] == {
        "effort": "low",
        "format": {
            "type": "json_schema",
            "schema": {
                "title": "Person",
                "type": "object",
                "properties": {"name": {"type": "string"}, "age": {"type": "integer", "default": 0}},
                "required": ["name"],
                "additionalProperties": False,
            },
        },
    }
    assert not request.keys() & {"tools", "tool_choice"}
    extractor.receive_message(answer("end_turn", text('{"name": "Ada", "age": 36}')))
    assert extractor.value == Person("Ada", 36)
    assert extractor.next_request() is None


def test_N6_a_value_that_is_no_object_is_wrapped() -> None:
    extractor = an_extractor(list[int])
    assert extractor.wrapped
    assert asked(extractor)["output_config"]["format"]["schema"]["properties"]["value"]["type"] == "array"
    extractor.receive_message(answer("end_turn", text('{"value": [1, 2]}')))
    assert extractor.value == [1, 2]


def test_N6_pydantic_models_with_bounds_that_the_api_does_not_take() -> None:
    extractor = an_extractor(Model)
    schema = asked(extractor)["output_config"]["format"]["schema"]
    assert schema["properties"]["age"]["anyOf"][0] == {"type": "integer", "description": "(minimum: 0)"}
    extractor.receive_message(answer("end_turn", text('{"name": "Ada", "age": -1}')))
    words = asked(extractor)["messages"][-1]["content"][0]["text"]
    assert words.startswith("Error: Input should be greater than or equal to 0 - at `$.age`")
    extractor.receive_message(answer("end_turn", text('{"name": "Ada", "age": 1}')))
    assert extractor.value == Model(name="Ada", age=1)


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (Person, {"model": "claude-opus-4-1"}),
        (Person, {"model": "a-model-to-come"}),
        (Person, {"structured": False}),
        (Person, {"tool_choice": {"type": "any"}}),
        (Person, {"model": "claude-opus-4-5", "messages": [GO, {"role": "assistant", "content": "{"}]}),
        (
            Person,
            {"messages": [{"role": "user", "content": [{"type": "document", "citations": {"enabled": True}}]}]},
        ),
        (dict[str, int], {}),
        (Node, {}),
        (list[Any], {}),
    ],
)
def test_N6_a_tool_elsewhere(kind: Any, arguments: dict[str, Any]) -> None:
    extractor = an_extractor(kind, **arguments)
    assert not extractor.structured
    request = extractor.next_request()
    assert request is not None
    assert [one["name"] for one in request["tools"]] == ["give_answer"]
    assert "format" not in request.get("output_config", {})


def test_what_was_asked_for_is_done_or_refused() -> None:
    assert an_extractor(model="a-model-to-come", structured=True).structured
    with pytest.raises(LocalProtocolError, match="cannot be strict: an object with any keys"):
        an_extractor(dict[str, int], structured=True)
    with pytest.raises(LocalProtocolError, match=r"remove output_config\.format") as caught:
        an_extractor(output_config={"format": {"type": "json_schema", "schema": {}}})
    assert caught.value.path == "output_config.format"


@pytest.mark.parametrize("structured", [True, False])
def test_a_refusal_is_an_error_of_its_own(structured: bool) -> None:
    extractor = an_extractor(structured=structured)
    details = {"category": "cyber", "explanation": "Not this."}
    last = answer("refusal", text("No."), stop_details=details)
    extractor.receive_message(last)
    for _ in range(2):
        with pytest.raises(RefusalError, match=r"ended with refusal \(cyber: Not this\.\)") as caught:
            extractor.next_request()
    assert isinstance(caught.value, ClaudeError)
    assert not isinstance(caught.value, RemoteProtocolError)
    assert caught.value.stop_details == details
    assert caught.value.partial is last
    assert "refusal" in caught.value.message


def test_what_does_not_fit_is_asked_for_again() -> None:
    extractor = an_extractor(attempts=3)
    for wrong, words in (
        ('{"name": "Ada", "born": 1815}', "Object contains unknown field `born`"),
        ("I cannot say.", "the answer is no JSON object"),
    ):
        extractor.receive_message(answer("end_turn", text(wrong)))
        request = asked(extractor)
        assert words in request["messages"][-1]["content"][0]["text"]
        assert request["output_config"]["format"]["type"] == "json_schema"
    extractor.receive_message(answer("end_turn", text("[1]")))
    with pytest.raises(RemoteProtocolError, match="no value that fits in 3 attempts: the input must be an object"):
        extractor.next_request()


def test_a_cut_answer_is_asked_for_again_with_more_tokens() -> None:
    extractor = an_extractor()
    asked(extractor)
    extractor.receive_message(answer("max_tokens", text('{"name": "A')))
    request = asked(extractor)
    assert request["max_tokens"] == 200
    assert "cut off at max_tokens" in request["messages"][-1]["content"][0]["text"]
    extractor.receive_message(answer("max_tokens", text('{"name": "A')))
    assert asked(extractor)["max_tokens"] == 400
    extractor.receive_message(answer("end_turn", text('{"name": "Ada"}')))
    assert extractor.value == Person("Ada")


def test_the_first_text_that_is_an_object_gives_the_value() -> None:
    extractor = an_extractor(tools=[{"type": "web_search_20250305", "name": "web_search"}])
    assert extractor.structured
    assert asked(extractor)["tools"][0]["name"] == "web_search"
    extractor.receive_message(answer("end_turn", text("I look."), text('{"name": "Ada"}'), text('{"name": "Bob"}')))
    assert extractor.value == Person("Ada")
    split = an_extractor()
    split.receive_message(answer("end_turn", text('{"name": '), text('"Ada"}')))
    assert split.value == Person("Ada")


def test_no_tool_can_be_called_beside_it() -> None:
    extractor = an_extractor(Literal["a", "b"], tools=[{"name": "other", "input_schema": {"type": "object"}}])
    extractor.receive_message(answer("tool_use", call(1, "other")))
    assert "give the answer itself" in asked(extractor)["messages"][-1]["content"][0]["content"]


def started(index: int, block: dict[str, Any]) -> ContentBlockStart:
    made: Any = block_from_dict(block)
    return ContentBlockStart(index, made)


def test_partial_values_are_those_of_the_first_answer() -> None:
    by_text = PartialValue("give", structured=True)
    events: list[Any] = [
        started(0, text("")),
        TextDelta(0, "I look."),
        ContentBlockStop(0, None),
        started(1, text('{"a"')),
        TextDelta(1, ": [1"),
        TextDelta(1, ", 2]}"),
        ContentBlockStop(1, None),
        started(2, text('{"b": 1}')),
    ]
    assert [value for event in events if (value := by_text.receive(event))] == [{"a": [1]}, {"a": [1, 2]}]
    by_tool = PartialValue("give", structured=False)
    events = [
        started(0, call(1, "other")),
        InputJSONDelta(0, '{"x": 1}'),
        started(1, call(2, "give")),
        InputJSONDelta(1, '{"a": 1'),
        started(2, call(3, "give")),
        InputJSONDelta(2, '{"b": 1}'),
        InputJSONDelta(1, "}"),
        ContentBlockStop(1, None),
        InputJSONDelta(2, '{"c": 1}'),
    ]
    assert [value for event in events if (value := by_tool.receive(event))] == [{"a": 1}, {"a": 1}]


def copied(rows: int) -> tuple[int, int]:
    """How many rows all partial values of an answer have together, and how many the last one has."""
    partial = PartialValue("give", structured=True)
    partial.receive(started(0, text('{"rows": [')))
    total = last = 0
    for number in range(rows):
        value = partial.receive(TextDelta(0, f"{{}}{',' if number < rows - 1 else ']}'}"))
        if value is not None:
            last = len(value["rows"])
            total += last
    end = partial.receive(ContentBlockStop(0, None))
    return total, last if end is None else len(end["rows"])


def test_partial_values_together_are_linear() -> None:
    (small, first), (large, last) = copied(2_000), copied(8_000)
    assert (first, last) == (2_000, 8_000)
    assert large <= 4.4 * small
