"""Message over a corpus of whole answers: read and written again they are the same."""

from __future__ import annotations

import json
from pathlib import Path

from sansio_claude._message.blocks import UnknownBlock
from sansio_claude._message.message import Message


def test_every_answer_there_and_back(corpus: Path) -> None:
    paths = sorted((corpus / "messages").glob("*.json"))
    assert paths
    for path in paths:
        data = path.read_bytes()
        value = json.loads(data)
        for message in (Message.from_dict(value), Message.from_json(data), Message.from_json(data.decode())):
            assert message.to_dict() == value, path.name
            assert json.dumps(message.to_dict()) == json.dumps(value), path.name
            assert message.to_param() == {"role": value["role"], "content": value["content"]}, path.name
            assert not any(isinstance(block, UnknownBlock) for block in message.content), path.name
            repr(message)
