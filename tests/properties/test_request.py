"""Whatever message a decoder can produce goes back in unchanged, and a request with it can be written."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sansio_claude._partial_json.parser  # noqa: F401 - tool blocks read incomplete inputs with it
from sansio_claude._errors import ClaudeError, LocalProtocolError
from sansio_claude._message.blocks import UnknownBlock
from sansio_claude._message.message import Message
from sansio_claude._request.endpoint import Endpoint
from sansio_claude._request.request import MessageRequest
from sansio_claude._request.turns import user
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude.testing import Transcript
from tests.observe import finished
from tests.reference import decode_event_stream
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


def may_be_cut(message: dict[str, Any], *, whole: bool) -> bool:
    """Whether the last block is a call whose input came as a value under a stop reason that may have cut it. A whole
    answer without a stop reason was not cut; of a stream without one nobody knows."""
    content, reason = message["content"], message.get("stop_reason")
    if not content or content[-1]["type"] not in ("tool_use", "server_tool_use", "mcp_tool_use"):
        return False
    return reason not in ("tool_use", "end_turn", "stop_sequence", "pause_turn") and not (whole and reason is None)


def is_refused(content: Any) -> None:
    """A turn with an input that is not complete cannot be sent."""
    with pytest.raises(LocalProtocolError) as caught:
        MessageRequest(model="m", messages=[user("hi"), content]).body()
    assert str(caught.value.path).startswith("messages[1]")


def goes_back(message: Message, left_out: Sequence[Collection[str]] | None = None) -> None:
    """The message goes back as it came, without the keys `left_out` of each block."""
    came = message.to_dict()
    again = Message.from_dict(came)
    assert again == message
    turn = message.to_param()
    content = came["content"]
    if left_out is not None:
        pairs = zip(content, left_out, strict=True)
        content = [{key: value for key, value in block.items() if key not in keys} for block, keys in pairs]
    assert turn == {"role": message.role, "content": content}
    turns: list[tuple[Any, Any]] = [(message, turn), ({"role": "assistant", "content": message.content}, turn)]
    assert again.to_param() == turn
    again = Message.from_dict(json.loads(json.dumps(came)))
    if may_be_cut(came, whole=True):
        # JSON text does not say that the input came as text, which says itself that it is whole.
        is_refused(again)
        is_refused({"role": "assistant", "content": again.content})
    else:
        # Nor which delta brought a key: what was written again goes back with all of them.
        all_of_it = {"role": message.role, "content": came["content"]}
        assert again.to_param() == all_of_it
        turns += [(again, all_of_it), ({"role": "assistant", "content": again.content}, all_of_it)]
    try:
        json.dumps(turn, allow_nan=False, ensure_ascii=False).encode()
    except ValueError:
        pass  # 1e999 or half an escape in a tool's input: as plain data that is the caller's mistake
    else:
        turns.append((turn, turn))
    for each, expected in turns:
        request = MessageRequest(model="m", messages=[user("hi"), each, user("go on")])
        sent = request.to_dict()["messages"][1]
        assert sent == expected
        assert list(sent) == ["role", "content"]
        assert [list(block) for block in sent["content"]] == [list(block) for block in expected["content"]]
        assert opaque(sent["content"]) == opaque(expected["content"])
        assert request.check(betas=["x"]) is not None


def only_from_unknown_deltas(body: bytes, message: Message) -> list[set[str]]:
    """For each block of the message the keys that its start did not have, nor its class, but an unknown delta."""
    starts: dict[int, dict[str, Any]] = {}
    brought: dict[int, set[str]] = {}
    for event in events_of(body):
        if event["type"] == "message_start":
            starts.update(enumerate(event["message"]["content"]))
        elif event["type"] == "content_block_start":
            starts[event["index"]] = event["content_block"]
        elif event["type"] == "content_block_delta" and event["delta"].get("type") not in _KNOWN_DELTAS:
            brought.setdefault(event["index"], set()).update(event["delta"])
    # Where the stream was refused, the blocks that started later are not in the message.
    indexes = sorted(list(starts)[: len(message.content)])
    return [
        set() if type(block) is UnknownBlock else brought.get(index, set()) - starts[index].keys() - type(block)._keys
        for index, block in zip(indexes, message.content, strict=True)
    ]


def events_of(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(frame.raw) for frame in decode_event_stream(body).events]


_KNOWN_DELTAS = (
    "text_delta",
    "input_json_delta",
    "thinking_delta",
    "signature_delta",
    "citations_delta",
    "compaction_delta",
)


@given(messages())
def test_a_whole_answer_goes_back_in_unless_its_last_input_may_be_cut(value: dict[str, Any]) -> None:
    message = Message.from_dict(value)
    assert message.to_dict() == value
    if may_be_cut(value, whole=True):
        is_refused(message)
        is_refused({"role": "assistant", "content": message.content})
    else:
        goes_back(message)


@given(transcripts())
def test_a_streamed_answer_goes_back_in_unless_its_last_input_may_be_cut(transcript: Transcript) -> None:
    message = finished([transcript.data])
    assert transcript.message is not None
    last = len(transcript.message["content"]) - 1
    text = "".join(
        event["delta"].get("partial_json", "")
        for event in events_of(transcript.data)
        if event["type"] == "content_block_delta" and event["index"] == last
    )
    if may_be_cut(transcript.message, whole=False) and not text.strip():
        is_refused(message)
        is_refused({"role": "assistant", "content": message.content})
        return
    goes_back(message)
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
        goes_back(message, only_from_unknown_deltas(body, message))
    else:
        is_refused(message)
        is_refused({"role": "assistant", "content": message.content})


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
