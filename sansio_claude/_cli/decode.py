"""`decode`: the bytes of a stream to the JSON of its message, or to one line of JSON for each event."""

from __future__ import annotations

import json
import sys
from math import isinf
from typing import Any, Final

from sansio_claude._cli.input import Complaint, Source, one_line, open_source
from sansio_claude._errors import APIError, RemoteProtocolError, TruncatedError, api_error
from sansio_claude._errors.error_object import error_object
from sansio_claude._message.message import Message
from sansio_claude._stream.encode import event_object
from sansio_claude._stream.events import (
    Event,
)
from sansio_claude._stream.message_stream import MessageStream

__all__ = ["decode_file", "event_line", "json_text"]

_SHOWN_DEVIATIONS: Final = 10


def decode_file(path: str, *, events: bool = False, strict: bool = False) -> int:
    """Run the command; the exit status. Raises Complaint after whatever could be written was."""
    with open_source(path) as source:
        if source.kind == "json":
            return _whole_answer(source, events=events)
        return _stream(source, events=events, strict=strict)


def _stream(source: Source, *, events: bool, strict: bool) -> int:
    stream = MessageStream(strict=strict)
    seen = 0
    failure: APIError | RemoteProtocolError | None = None
    try:
        for chunk in source.chunks:
            stream.receive_data(chunk)
            seen += _drain(stream, events)
        stream.receive_eof()
        seen += _drain(stream, events)
    except (APIError, RemoteProtocolError) as error:
        failure = error
    if stream.message is not None and not events:
        print(json_text(stream.message.to_dict(), indent=2))
    if not strict:  # there the first one is the error
        _show_deviations(stream)
    if failure is not None:
        raise Complaint(_sentence(source.name, failure, any_event=seen > 0)) from failure
    return 0


def _drain(stream: MessageStream, events: bool) -> int:
    """Take what is ready, print it if asked to, and count it. Raises what ended the stream, after that."""
    count = 0
    while received := stream.events_received():
        count += len(received)
        if events:
            for event in received:
                print(event_line(event))
            sys.stdout.flush()
    return count


def _show_deviations(stream: MessageStream) -> None:
    for deviation in stream.deviations[:_SHOWN_DEVIATIONS]:
        words = one_line(deviation.words)
        print(f"sansio-claude: event {deviation.event_number}: {words} ({deviation.kind})", file=sys.stderr)
    more = len(stream.deviations) - _SHOWN_DEVIATIONS
    if more > 0:
        print(f"sansio-claude: and {more} more such deviations", file=sys.stderr)


def _sentence(name: str, failure: APIError | RemoteProtocolError, *, any_event: bool) -> str:
    message = failure.partial
    if isinstance(failure, APIError):
        said = f"{failure.type or 'error'}: {failure.error_message or 'no message'}"
        kept = "; what had arrived before it is above" if message is not None else ""
        return f"{name} ends in an error event of the server, {said}{kept}."
    if isinstance(failure, TruncatedError):
        if message is not None:
            return f"{name} was cut: it ends before message_stop; what had arrived is above, so record it again."
        if not any_event:
            return f"{name} is not an event stream: not one event is in it; give the body of a streamed answer."
        return f"{name} has no message_start in it: it is no Claude answer, or its beginning is missing."
    return f"{name} is not what the API sends: {failure}."


def _whole_answer(source: Source, *, events: bool) -> int:
    """A JSON body: an answer that was not streamed, or an error."""
    data = source.read()
    name = source.name
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        reason = "too deeply nested" if isinstance(error, RecursionError) else str(error)
        raise Complaint(f"{name} is neither an event stream nor whole JSON ({reason}): record it again.") from None
    if error_object(value) is not None:
        answer = api_error(value, status=0)
        said = f"{answer.type or 'error'}: {answer.error_message or 'no message'}"
        advice = "ask again later" if answer.retryable else "correct the request and ask again"
        raise Complaint(f"{name} is an error answer and no stream, {said}; {advice}.")
    if not isinstance(value, dict) or value.get("type") != "message":
        raise Complaint(f"{name} is JSON, but neither an event stream nor an answer of the API.")
    if events:
        raise Complaint(f"{name} is a whole JSON answer and has no events: leave --events away.")
    try:
        message = Message.from_json(data)
    except RemoteProtocolError as error:
        raise Complaint(f"{name} is JSON, but not a message of the API: {error}.") from error
    print(json_text(message.to_dict(), indent=2))
    return 0


def event_line(event: Event) -> str:
    """The event as one line of JSON, in the form that it had on the wire."""
    return json_text(event_object(event))


def json_text(value: Any, *, indent: int | None = None) -> str:
    """The value as JSON that any reader takes: no word Infinity, and lone surrogates as escapes."""
    text = _dumped(value, indent, ascii_only=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return _dumped(value, indent, ascii_only=True)
    return text


def _dumped(value: Any, indent: int | None, *, ascii_only: bool) -> str:
    def dump(value: Any, **options: Any) -> str:
        separators = None if indent else (",", ":")
        return json.dumps(value, ensure_ascii=ascii_only, indent=indent, separators=separators, **options)

    try:
        return dump(value, allow_nan=False)
    except ValueError:
        # A tool input may hold 1e400, which is a legal number in JSON and an infinite one in Python.
        plain, mark = dump(value), "Infinity"
        while f'"{mark}"' in plain or f'"-{mark}"' in plain:
            mark += "~"
        marked = dump(_with_words(value, mark))
        return marked.replace(f'"-{mark}"', "-1e999").replace(f'"{mark}"', "1e999")


def _with_words(value: Any, mark: str) -> Any:
    """A copy with `mark` for infinity."""
    if isinstance(value, dict):
        return {key: _with_words(item, mark) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_words(item, mark) for item in value]
    if isinstance(value, float) and isinf(value):
        return mark if value > 0 else f"-{mark}"
    return value
