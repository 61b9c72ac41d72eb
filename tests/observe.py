"""What a run of a stream shows from outside, in a form that can be compared whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import define

from sansio_claude._errors import APIError, ClaudeError, LimitError, RemoteProtocolError
from sansio_claude._limits import Limits
from sansio_claude._message.message import Message
from sansio_claude._stream.events import Event
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude._stream.plain_stream import PlainStream

__all__ = ["Run", "facts", "finished", "run"]


@define
class Run:
    """Everything that came out of one stream. Events and message are compared by their repr, which shows the order
    of keys and tells 1 from True and 1.0."""

    events: list[str]
    error: dict[str, Any] | None
    message: str | None
    dictionary: dict[str, Any] | None
    state: str
    done: bool
    deviations: list[tuple[str, int, str]]
    dropped: int


def facts(error: BaseException) -> dict[str, Any]:
    """All that an exception says."""
    values = {key: repr(value) for key, value in vars(error).items()}
    return {"class": type(error).__name__, "words": str(error), **values}


def run(
    chunks: Iterable[bytes | bytearray | list[bytes]],
    *,
    kind: type[PlainStream] = MessageStream,
    limits: Limits | None = None,
    strict: bool = False,
    keep_content: bool = True,
    read_each: bool = True,
    end: bool = True,
    require_message_stop: bool = True,
) -> Run:
    """Feed a stream, reading after each chunk or only at the end, and hold the promises of reading on the way.

    A list is what a MessageStream is given in pieces.
    """
    stream = kind(limits=limits, strict=strict, keep_content=keep_content, require_message_stop=require_message_stop)
    events: list[Event] = []
    error: ClaudeError | None = None
    for chunk in chunks:
        if isinstance(chunk, list):
            assert isinstance(stream, MessageStream)
            stream._receive_pieces(chunk)
        else:
            stream.receive_data(chunk)
        if read_each and error is None:
            error = _read(stream, events)
    if end:
        stream.receive_eof()
        stream.receive_eof()
    if error is None:
        error = _read(stream, events)
    if error is None:
        error = _read(stream, events)
    if error is not None:
        # The same, for ever.
        for _ in range(2):
            late: list[Event] = []
            assert _read(stream, late) is error
            assert late == []
        assert isinstance(error, (RemoteProtocolError, APIError))
        assert error.partial is stream.message
        if isinstance(error, LimitError):
            assert error.value == getattr(limits or Limits(), error.limit)
    message = stream.message
    dictionary = None if message is None else message.to_dict()
    return Run(
        [repr(event) for event in events],
        None if error is None else facts(error),
        repr(message) if message is None else repr(message.to_dict()),
        dictionary,
        stream.state,
        stream.done,
        [(each.kind, each.event_number, each.words) for each in stream.deviations],
        stream._accumulator.deviations_dropped,
    )


def _read(stream: PlainStream, events: list[Event]) -> ClaudeError | None:
    try:
        events += stream.events_received()
    except ClaudeError as error:
        return error
    return None


def finished(chunks: Iterable[bytes]) -> Message:
    """The message of a stream that is whole."""
    stream = MessageStream()
    for chunk in chunks:
        stream.receive_data(chunk)
    stream.receive_eof()
    assert stream.done
    assert stream.message is not None
    return stream.message
