"""MessageRequest: what is given goes onto the wire, nothing else; and turns, the dicts one writes by hand."""

from __future__ import annotations

import json
import math
from typing import Any

import anthropic.types
import pydantic
import pytest

from sansio_claude._errors import LocalProtocolError
from sansio_claude._message.message import Message
from sansio_claude._request.request import UNSET, MessageRequest, Unset
from sansio_claude._request.turns import assistant, tool_result, user

# Every parameter of the reference, stable and beta, with a value as the wire has it.
PARAMETERS: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "max_tokens": 1024,
    "messages": [{"role": "user", "content": "Hello"}],
    "system": [{"type": "text", "text": "Be short.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
    "tools": [{"name": "get_time", "description": "Tells the time.", "input_schema": {"type": "object"}}],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "thinking": {"type": "adaptive", "display": "summarized"},
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 40,
    "stop_sequences": ["END"],
    "stream": True,
    "metadata": {"user_id": None},
    "service_tier": "auto",
    "speed": "fast",
    "inference_geo": "us",
    "container": {"id": "c1", "skills": []},
    "cache_control": {"type": "ephemeral"},
    "diagnostics": {"previous_message_id": "msg_1"},
    "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": {}}, "task_budget": {"total": 5}},
    "context_management": {
        "edits": [{"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": 150000}}]
    },
    "compaction": {"type": "summarize", "instructions": "briefly"},
    "mcp_servers": [{"type": "url", "name": "m", "url": "https://m", "authorization_token": "sesame"}],
    "fallbacks": "default",
    "fallback_credit_token": "fct_1",
    "billing_policy": "default",
    "thread": {"type": "create"},
}


def body(request: MessageRequest, stream: bool | None = None) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(request.body(stream))
    return value


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_parameter_goes_by_its_name(name: str) -> None:
    request = MessageRequest(**{name: PARAMETERS[name]})
    assert body(request) == {name: PARAMETERS[name]} == request.to_dict() == request.given()
    assert body(MessageRequest(**{name: None})) == {name: None}
    absent: dict[str, Any] = {name: UNSET}
    assert body(MessageRequest(**absent)) == {}
    assert MessageRequest.from_dict({name: PARAMETERS[name]}) == request


def test_a_request_with_everything() -> None:
    request = MessageRequest(**PARAMETERS)
    assert body(request) == PARAMETERS
    assert MessageRequest.from_dict(PARAMETERS) == request
    assert body(MessageRequest()) == {}


def test_what_is_carried_by_headers_is_not_in_the_body() -> None:
    request = MessageRequest(
        model="m", betas=["b"], extra_headers={"x": "1"}, extra_query={"q": "1"}, user_profile_id="u", workspace_id="w"
    )
    assert body(request) == {"model": "m"}
    assert request.headers == {"anthropic-user-profile-id": "u", "anthropic-workspace-id": "w", "x": "1"}
    assert request.query == "q=1"
    assert MessageRequest(user_profile_id=None, workspace_id=None).headers == {}
    assert (request.method, request.resource) == (b"POST", "messages")


def test_fields_the_library_does_not_know_go_through() -> None:
    request = MessageRequest(model="m", max_tokens=1, extra_body={"max_tokens": 2, "new_field": {"a": [1.5]}})
    assert body(request) == {"model": "m", "max_tokens": 2, "new_field": {"a": [1.5]}}
    read = MessageRequest.from_dict(
        {"model": "m", "new_field": 1, "extra_body": {"new_field": 2, "more": 3}, "betas": ["b"]}
    )
    assert body(read) == {"model": "m", "new_field": 2, "more": 3}
    assert read.betas == ["b"]


def test_stream_is_said_as_asked() -> None:
    request = MessageRequest(model="m", stream=False)
    assert body(request) == {"model": "m", "stream": False}
    assert body(request, True) == {"model": "m", "stream": True}
    assert body(request, False) == {"model": "m"}
    assert body(MessageRequest(model="m", extra_body={"stream": 1}), False) == {"model": "m"}
    assert request.to_dict(True) == {"model": "m", "stream": True}


def test_what_can_be_gone_through_once_is_kept_as_a_list() -> None:
    turns = ({"role": "user", "content": str(number)} for number in range(2))
    request = MessageRequest(messages=turns, stop_sequences=iter(["a"]), tools={}.values(), system=("x",))  # type: ignore[arg-type]
    for _ in range(2):
        assert body(request) == {
            "messages": [{"role": "user", "content": "0"}, {"role": "user", "content": "1"}],
            "stop_sequences": ["a"],
            "tools": [],
            "system": ["x"],
        }


def test_replace_and_equality() -> None:
    request = MessageRequest(model="m", max_tokens=5)
    longer = request.replace(max_tokens=6, system="s")
    assert body(longer) == {"model": "m", "max_tokens": 6, "system": "s"}
    assert longer.replace(max_tokens=5, system=UNSET) == request
    assert longer != request
    assert request != "m"
    assert not UNSET
    assert repr(Unset.UNSET) == "UNSET"


MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "b3BhcXVl"},
        {"type": "text", "text": "é", "citations": None},
        {"type": "tool_use", "id": "t1", "name": "n", "input": {"a": 1.0}, "caller": None, "text": ""},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"output_tokens": 1},
}


def test_our_classes_stand_anywhere() -> None:
    message = Message.from_dict(MESSAGE)
    turn = {"role": "assistant", "content": MESSAGE["content"]}
    assert body(MessageRequest(messages=[message])) == {"messages": [turn]}
    assert body(MessageRequest(messages=[{"role": "assistant", "content": message.content}])) == {"messages": [turn]}
    assert body(MessageRequest(messages=(message,))) == {"messages": [turn]}
    mixed = {"role": "assistant", "content": [message.content[0], MESSAGE["content"][1], *message.content[2:]]}
    assert body(MessageRequest(messages=[message, mixed])) == {"messages": [turn, turn]}
    nested = user(tool_result("t1", [message.content[2]]))
    assert body(MessageRequest(messages=[nested]))["messages"][0]["content"][0]["content"] == [MESSAGE["content"][2]]


def test_an_incomplete_input_is_named_by_its_place() -> None:
    cut = {
        **MESSAGE,
        "content": [MESSAGE["content"][2], {**MESSAGE["content"][3], "input": {"$incomplete_json": '{"a'}}],
    }
    import sansio_claude._partial_json.parser  # noqa: F401 - tool blocks read incomplete inputs with it

    message = Message.from_dict(cut)
    with pytest.raises(LocalProtocolError) as caught:
        MessageRequest(messages=[user("hi"), {"role": "assistant", "content": message.content}]).body()
    assert caught.value.path == "messages[1].content[1].input"
    with pytest.raises(LocalProtocolError) as caught:
        MessageRequest(messages=[user("hi"), message]).body()
    assert caught.value.path == "messages[1].content[1].input"


def test_classes_are_no_values() -> None:
    with pytest.raises(LocalProtocolError, match="is not a JSON value"):
        MessageRequest(messages=[Message]).body()  # type: ignore[list-item]


@pytest.mark.parametrize("bad", [math.nan, "\ud800", {1: 2}, {1}, b"x", object()])
def test_a_value_that_cannot_be_sent_is_named_by_its_place(bad: Any) -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": bad}}
    request = MessageRequest(messages=[user("a"), assistant("b"), user(image)])
    for write in (request.body, request.to_dict, request.count_tokens().body):
        with pytest.raises(LocalProtocolError) as caught:
            write()
        assert caught.value.path == "messages[2].content[0].source.data"


def test_nothing_of_the_content_shows() -> None:
    request = MessageRequest(**PARAMETERS, extra_headers={"x-api-key": "sesame"}, extra_body={"k": "sesame"})
    for secret in ("sesame", "Hello", "Be short", "get_time", "fct_1"):
        assert secret not in repr(request)
    assert "model='claude-opus-5-5'" in repr(request)
    assert "max_tokens=1024" in repr(request)
    assert "messages=<1>" in repr(request)
    assert repr(MessageRequest(model=None)) == "MessageRequest(model=None)"


def test_tokens_for_mcp_servers_are_secrets() -> None:
    assert MessageRequest(**PARAMETERS).secrets == ("sesame",)
    assert MessageRequest().secrets == ()
    odd = MessageRequest(
        extra_body={"mcp_servers": [None, {}, {"authorization_token": None}, {"authorization_token": "a"}]}
    )
    assert odd.secrets == ("a",)
    assert MessageRequest(mcp_servers="x").secrets == ()  # type: ignore[arg-type]


def test_counting_asks_with_what_counting_takes() -> None:
    request = MessageRequest(**PARAMETERS, betas=["b"], workspace_id="w", extra_query={"q": "1"})
    count = request.count_tokens()
    assert set(json.loads(count.body())) == {
        *("model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control", "speed"),
        *("context_management", "compaction", "mcp_servers", "billing_policy"),
    }
    assert (count.method, count.resource, count.query) == (b"POST", "messages/count_tokens", "q=1")
    assert count.betas == ["b"]
    assert count.headers == {"anthropic-workspace-id": "w"}
    assert count.secrets == ("sesame",)
    extra = MessageRequest(model="m", max_tokens=1, extra_body={"temperature": 1})
    assert json.loads(extra.count_tokens().body()) == {"model": "m", "temperature": 1}


# --- turns


def test_a_single_text_stays_a_string() -> None:
    assert user("hi") == {"role": "user", "content": "hi"}
    assert assistant("The answer is (") == {"role": "assistant", "content": "The answer is ("}


def test_texts_and_blocks_stand_in_order() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://h/a.png"}}
    assert user("a", image, "b")["content"] == [{"type": "text", "text": "a"}, image, {"type": "text", "text": "b"}]
    assert user(image) == {"role": "user", "content": [image]}
    block = Message.from_dict(MESSAGE).content[0]
    assert assistant(block, "b")["content"] == [block, {"type": "text", "text": "b"}]


@pytest.mark.parametrize(("turn", "words"), [(user, r"user\(\)"), (assistant, r"assistant\(\)")])
def test_an_empty_turn_is_refused(turn: Any, words: str) -> None:
    with pytest.raises(LocalProtocolError, match=words):
        turn()


def test_tool_results() -> None:
    base = {"type": "tool_result", "tool_use_id": "t1"}
    image = {"type": "image", "source": {"type": "file", "file_id": "f"}}
    text = {"type": "text", "text": "15 degrees"}
    assert tool_result("t1") == base
    assert tool_result("t1", "15 degrees") == {**base, "content": "15 degrees"}
    assert tool_result("t1", ["15 degrees", image]) == {**base, "content": [text, image]}
    assert tool_result("t1", image) == {**base, "content": [image]}
    block = Message.from_dict(MESSAGE).content[2]
    assert tool_result("t1", block) == {**base, "content": [block]}
    assert tool_result("t1", "no", is_error=True, cache_control={"type": "ephemeral"}) == {
        **base,
        "content": "no",
        "is_error": True,
        "cache_control": {"type": "ephemeral"},
    }


@pytest.mark.parametrize("name", ["extra_headers", "extra_query", "extra_body"])
@pytest.mark.parametrize("value", [[1], 5, "x"])
def test_what_takes_a_mapping_says_so(name: str, value: Any) -> None:
    with pytest.raises(LocalProtocolError, match=f"{name} takes a mapping") as caught:
        MessageRequest(**{name: value})
    assert caught.value.path == name
    with pytest.raises(LocalProtocolError, match=f"{name} takes a mapping"):
        MessageRequest.from_dict({"new": 1, name: value})


def test_betas_take_a_list() -> None:
    with pytest.raises(LocalProtocolError, match="betas takes a list of flags, not int"):
        MessageRequest(betas=5)  # type: ignore[arg-type]


def test_a_request_is_an_object() -> None:
    with pytest.raises(LocalProtocolError, match="a request is an object, not list"):
        MessageRequest.from_dict([1])  # type: ignore[arg-type]


def test_pydantic_models_stand_in_a_request() -> None:
    class Turn(pydantic.BaseModel):
        role: str = "user"
        content: list[Any]
        missing: str | None = None

    block = anthropic.types.ToolUseBlock(id="toolu_1", type="tool_use", name="n", input={"a": None})
    request = MessageRequest(model="m", max_tokens=1, messages=[Turn(content=[block])])  # type: ignore[list-item]
    assert json.loads(request.body())["messages"] == [
        {
            "role": "user",
            "content": [{"type": "tool_use", "id": "toolu_1", "name": "n", "input": {"a": None}}],
        }
    ]


def test_what_an_object_raises_on_its_way_into_a_request_is_told() -> None:
    class Bad:
        def to_param(self) -> Any:
            raise ValueError("boom")

    request = MessageRequest(model="m", max_tokens=1, messages=[Bad()])
    with pytest.raises(LocalProtocolError, match=r"messages.*Bad\.to_param\(\) raised ValueError: boom"):
        request.body()
    assert [problem.severity for problem in request.check()] == ["error"]


def test_lists_of_blocks_are_blocks_of_the_turn() -> None:
    picture = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    expected = {"role": "user", "content": [{"type": "text", "text": "a"}, picture, {"type": "text", "text": "b"}]}
    assert user(["a", picture], "b") == user("a", picture, "b") == user(("a", picture, "b")) == expected
    assert assistant(["a"]) == {"role": "assistant", "content": [{"type": "text", "text": "a"}]}
    empty: tuple[Any, ...] = ([], ())
    for nothing in empty:
        with pytest.raises(LocalProtocolError, match="needs a text or a content block"):
            user(nothing)
    data: Any = b"ab"
    assert tool_result("t", data)["content"] == [b"ab"]  # for check() to name


@pytest.mark.parametrize("name", ["model", "max_tokens", "messages", "temperature", "top_k", "container"])
def test_a_repr_of_a_number_of_any_size(name: str) -> None:
    arguments: dict[str, Any] = {name: 10**5000}
    assert repr(MessageRequest(**arguments)) == f"MessageRequest({name}=...)"


@pytest.mark.parametrize("argument", ["user_profile_id", "workspace_id"])
def test_the_argument_is_named_whose_header_cannot_be_sent(argument: str) -> None:
    given: dict[str, Any] = {argument: "a\nb"}
    usual: dict[str, Any] = {"model": "claude-opus-5-5", "max_tokens": 9, "messages": [user("x")]}
    (problem,) = MessageRequest(**usual, **given).check()
    assert (problem.severity, problem.path) == ("error", argument)
    assert f"{argument} has a character that a header cannot carry" in problem.message
    # The caller's own header stands under the name that the caller gave.
    header = f"anthropic-{argument.replace('_', '-')}"
    for name in (header, header.title(), "x-own"):
        (problem,) = MessageRequest(**usual, extra_headers={name: "a\nb"}).check()
        assert problem.path.lower() == f"extra_headers.{name.lower()}"


def test_iterators_are_read_once_and_lists_are_kept() -> None:
    turns = [user("x")]
    request = MessageRequest(messages=iter(turns), tools=iter(()), stop_sequences={"a": 1}.keys())
    assert (request.messages, request.tools, request.stop_sequences) == (turns, [], ["a"])
    assert MessageRequest(messages=turns).messages is turns
