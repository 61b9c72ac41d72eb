"""What the API answers without a stream: the message that a transcript becomes, as the API itself writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sansio_claude._errors import APIError, RemoteProtocolError
from sansio_claude._partial_json.parser import PartialJSON
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude.testing._answers import ERROR_TYPES, Answer
from sansio_claude.testing.transcripts import Transcript

__all__ = ["whole_answer"]

_ERROR_STATUSES: Final = {kind: status for status, kind in ERROR_TYPES.items()}
_INCOMPLETE: Final = "$incomplete_json"


def whole_answer(transcript: Transcript) -> Answer:
    """The answer to a request without a stream."""
    if transcript.message is not None:
        return Answer.json(as_sent(transcript.message))
    stream = MessageStream()
    stream.receive_data(transcript.data)
    stream.receive_eof()
    try:
        while stream.events_received():
            pass
    except APIError as error:
        status = _ERROR_STATUSES.get(error.type or "", 500)
        return Answer.error(status, error.error_message, error_type=error.type)
    except RemoteProtocolError as error:
        return Answer.error(500, f"the recording has no whole message: {error}")
    assert stream.message is not None, "a stream without error is complete"
    return Answer.json(as_sent(stream.message.to_dict()))


def as_sent(message: Mapping[str, Any]) -> dict[str, Any]:
    """The message as the API writes it: a tool input that was cut is an object of what could be read of it.

    `{"$incomplete_json": ...}` is how this library keeps such an input; no other client knows it.
    """
    content = message.get("content")
    if not isinstance(content, list):
        return dict(message)
    return {**message, "content": [_block_as_sent(block) for block in content]}


def _block_as_sent(block: Any) -> Any:
    given = block.get("input") if isinstance(block, Mapping) else None
    if not isinstance(given, Mapping) or set(given) != {_INCOMPLETE}:
        return block
    parsed = PartialJSON()
    parsed.feed(str(given[_INCOMPLETE]))
    value = parsed.snapshot()
    return {**block, "input": value if isinstance(value, dict) else {}}
