"""Whatever message a decoder can produce goes back in unchanged, and a request with it can be written."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sansio_claude._partial_json.parser  # noqa: F401 - tool blocks read incomplete inputs with it
from sansio_claude._errors import ClaudeError, LocalProtocolError
from sansio_claude._message.message import Message
from sansio_claude._request.endpoint import Endpoint
from sansio_claude._request.request import MessageRequest
from sansio_claude._request.turns import user
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude.testing import Transcript
from tests.observe import finished
from tests.strategies import bodies, json_objects, json_values, messages, transcripts

_OPAQUE = ("signature", "data", "encrypted_content", "encrypted_index", "encrypted_stdout")


def opaque(value: Any, path: str = "") -> dict[str, str]:
    """Every opaque string of a value, by its place."""
    members: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        members = list(value.items())
    elif isinstance(value, list):
        members = list(enumerate(value))
    found = {f"{path}/{key}": item for key, item in members if key in _OPAQUE and isinstance(item, str)}
    for key, item in members:
        found.update(opaque(item, f"{path}/{key}"))
    return found


def goes_back(message: Message) -> None:
    turn = message.to_param()
    assert turn == {"role": message.role, "content": message.to_dict()["content"]}
    again = Message.from_dict(message.to_dict())
    assert again == message
    assert again.to_param() == turn
    turns: list[Any] = [message, {"role": "assistant", "content": again.content}]
    try:
        json.dumps(turn, allow_nan=False, ensure_ascii=False).encode()
    except ValueError:
        pass  # 1e999 or half an escape in a tool's input: as plain data that is the caller's mistake
    else:
        turns.append(turn)
    for each in turns:
        request = MessageRequest(model="m", messages=[user("hi"), each, user("go on")])
        sent = request.to_dict()["messages"][1]
        assert sent == turn
        assert list(sent) == ["role", "content"]
        assert [list(block) for block in sent["content"]] == [list(block) for block in turn["content"]]
        assert opaque(sent["content"]) == opaque(message.to_dict()["content"])
        assert request.check(betas=["x"]) is not None


@given(messages())
def test_a_whole_answer_goes_back_in(value: dict[str, Any]) -> None:
    message = Message.from_dict(value)
    assert message.to_dict() == value
    goes_back(message)


@given(transcripts())
def test_a_streamed_answer_goes_back_in(transcript: Transcript) -> None:
    message = finished([transcript.data])
    goes_back(message)
    assert transcript.message is not None
    assert message.to_param()["content"] == transcript.message["content"]


@given(bodies())
def test_an_odd_stream_goes_back_in_unless_a_tool_input_is_not_whole(body: bytes) -> None:
    stream = MessageStream()
    stream.receive_data(body)
    stream.receive_eof()
    with contextlib.suppress(ClaudeError):
        stream.events_received()
    message = stream.message
    if message is None:
        return
    if all(getattr(block, "input_status", "complete") == "complete" for block in message.content):
        goes_back(message)
        return
    for content in (message, {"role": "assistant", "content": message.content}):
        with pytest.raises(LocalProtocolError) as caught:
            MessageRequest(model="m", messages=[user("hi"), content]).body()
        assert str(caught.value.path).startswith("messages[1]")


@given(json_objects(), st.booleans() | st.none())
def test_any_json_is_written_as_it_is_and_nothing_is_changed(arguments: dict[str, Any], stream: bool | None) -> None:
    before = json.dumps(arguments)
    request = MessageRequest(extra_body=arguments)
    expected = dict(arguments)
    if stream is not None:
        expected.pop("stream", None)
    if stream:
        expected["stream"] = True
    assert json.loads(request.body(stream)) == expected
    assert request.to_dict(stream) == expected
    assert json.dumps(arguments) == before


@given(
    st.dictionaries(
        st.sampled_from(["model", "messages", "betas", "system", "new", "extra_body", "tools"]), json_values()
    )
)
def test_a_body_reads_back(value: dict[str, Any]) -> None:
    # What is the library's own has to be of its kind; everything else is the server's to judge.
    kinds = {"extra_body": dict, "betas": list | str | dict}
    value = {key: item for key, item in value.items() if item is None or isinstance(item, kinds.get(key, object))}
    request = MessageRequest.from_dict(value)
    body = json.loads(request.body())
    assert MessageRequest.from_dict(body).to_dict() == body


@given(
    st.lists(st.text("abc-1", min_size=1), max_size=4), st.lists(st.text("abc-1", min_size=1), max_size=4), st.data()
)
def test_beta_flags_keep_their_order_and_are_there_once(
    first: list[str], second: list[str], data: st.DataObject
) -> None:
    third = data.draw(st.lists(st.sampled_from([*first, *second, "own"]), max_size=4))
    endpoint = Endpoint.from_base_url(api_key="k", betas=first)
    header = endpoint.request_head(MessageRequest(betas=third), betas=second).get("anthropic-beta")
    assert (header.split(",") if header else []) == list(dict.fromkeys([*first, *second, *third]))
