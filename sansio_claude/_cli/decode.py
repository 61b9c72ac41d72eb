"""`decode`: the bytes of a stream to the JSON of its message, or to one line of JSON for each event."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any, Final

from sansio_claude._cli.event_lines import streams_of
from sansio_claude._cli.input import Complaint, Source, one_line, open_source
from sansio_claude._cli.json_text import json_text, why_unreadable
from sansio_claude._cli.options import add_command
from sansio_claude._cli.recorded import recording_of
from sansio_claude._cli.status import of_error
from sansio_claude._errors import APIError, RemoteProtocolError, TruncatedError, api_error
from sansio_claude._errors.error_object import error_object
from sansio_claude._message.message import Message
from sansio_claude._stream.encode import event_object
from sansio_claude._stream.events import Event
from sansio_claude._stream.message_stream import MessageStream

__all__ = ["add_decode", "decode_file", "event_line"]

_SHOWN_DEVIATIONS: Final = 10


def add_decode(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "decode",
        "turn the bytes of a stream into the JSON of its message",
        "Turn a recorded stream into the JSON of its message, or into one line of JSON for each event. What the server "
        "did otherwise than the protocol says is told on stderr. Of a stream that is cut what had arrived is printed.",
        [
            "sansio-claude decode answer.sse",
            "sansio-claude decode answer.sse --events | grep thinking_delta",
            "curl -N ... | sansio-claude decode - --strict",
        ],
    )
    parser.set_defaults(run=lambda options: decode_file(options.file, events=options.events, strict=options.strict))
    parser.add_argument("file", metavar="FILE", help="a stream, event lines, or a recording; - reads stdin")
    parser.add_argument("--events", action="store_true", help="print one line of JSON for each event instead")
    parser.add_argument("--strict", action="store_true", help="take every deviation from the protocol for an error")


def decode_file(path: str, *, events: bool = False, strict: bool = False) -> int:
    """Run the command; the exit status. Raises Complaint after whatever could be written was."""
    with open_source(path) as source:
        if source.kind == "json":
            return _whole_answer(source, events=events)
        if source.kind == "recording":
            bodies: Iterable[Iterable[bytes]] = [call.chunks for call in recording_of(source).calls]
        else:
            bodies = streams_of(source)
        for body in bodies:
            _stream(source.name, body, events=events, strict=strict)
        return 0


def _stream(name: str, chunks: Iterable[bytes], *, events: bool, strict: bool) -> None:
    stream = MessageStream(strict=strict)
    seen = 0
    failure: APIError | RemoteProtocolError | None = None
    try:
        for chunk in chunks:
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
        raise Complaint(_sentence(name, failure, any_event=seen > 0), status=of_error(failure)) from failure


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
        words = f"is neither an event stream nor whole JSON ({why_unreadable(error)})"
        raise Complaint(f"{name} {words}: record it again.") from None
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
