"""Whole answers, any of them: read and written again they are the same, to the order of keys."""

from __future__ import annotations

import copy
import itertools
import json
import pickle
from typing import Any

import pytest
from hypothesis import given

from sansio_claude._errors import LocalProtocolError
from sansio_claude._json import dumps
from sansio_claude._message.message import Message
from sansio_claude._message.tool_blocks import WHOLE_REASONS, ToolInputBlock
from tests import strategies
from tests.fuzz.roundtrips import check_round_trips, streams


@given(strategies.messages())
def test_reading_and_writing_lose_nothing(value: dict[str, Any]) -> None:
    before = json.dumps(value)
    message = Message.from_dict(value)
    assert json.dumps(message.to_dict()) == before
    last = message.content[-1] if message.content else None
    if isinstance(last, ToolInputBlock) and message.stop_reason not in (None, *WHOLE_REASONS):
        assert last.input_status == "partial"  # the stop reason may have cut it
        with pytest.raises(LocalProtocolError, match="is partial"):
            message.to_param()
    else:
        assert message.to_param() == {"role": "assistant", "content": value["content"]}
        assert json.dumps(message.to_param()["content"]) == json.dumps(value["content"])
    assert json.dumps(value) == before
    assert Message.from_dict(message.to_dict()) == message
    assert pickle.loads(pickle.dumps(message)) == copy.deepcopy(message) == message


@given(strategies.messages())
def test_the_json_of_a_message_is_the_message(value: dict[str, Any]) -> None:
    data = dumps(value)
    assert Message.from_json(data) == Message.from_json(data.decode()) == Message.from_dict(value)


@given(strategies.messages())
def test_every_typed_view_can_be_looked_at(value: dict[str, Any]) -> None:
    message = Message.from_dict(value)
    for thing in (message, message.usage, *message.content):
        for name in dir(type(thing)):
            if isinstance(getattr(type(thing), name), property):
                try:
                    getattr(thing, name)
                except LocalProtocolError:
                    assert name == "input"
                    assert isinstance(thing, ToolInputBlock)
                    assert thing.input_status != "complete"
        repr(thing)
    assert message.text == "".join(block["text"] for block in value["content"] if block["type"] == "text")
    opaque = ("signature", "data", "encrypted_content", "encrypted_index", "encrypted_stdout")
    for block, given_block in zip(message.to_dict()["content"], value["content"], strict=True):
        for key in opaque:
            assert (block.get(key) or "").encode() == (given_block.get(key) or "").encode()


def test_what_a_stream_made_of_any_bytes_goes_there_and_back() -> None:
    begun = sum(check_round_trips(case) for case in itertools.islice(streams(11), 150))
    assert begun > 50
