"""ReplayServer: which answer goes to which request, and what was asked.

It does no I/O itself. A runner (`serve_in_trio`, `serve_in_asyncio`, `serve_in_thread`) accepts connections
and lets a `ReplayConnection` talk on each; a test without sockets uses `reply_to`.

Rules:
* `POST .../messages` takes the next answer of the script; when the script is through, its last answer is given
  again, or with `cycle=True` the whole script from its start.
* A transcript is streamed where the request says `"stream": true`, else it is answered as one JSON message.
* `POST .../messages/count_tokens` and `GET .../models`, `GET .../models/ID` have answers of their own.
* Anything else is 404, another method on a known path 405, in the API's error shape.
* With `api_key` given, a request that does not carry it (x-api-key, or authorization: Bearer) is answered 401.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Literal, TypeAlias

import attrs

from sansio_claude._errors import APIError, RemoteProtocolError
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude.testing._answers import ERROR_TYPES, Answer, Chunking, Framing
from sansio_claude.testing._connection import Close, ReplayConnection, Write
from sansio_claude.testing.transcripts import Transcript

__all__ = ["RecordedRequest", "ReplayServer", "Reply", "Script"]

_ERROR_STATUSES: Final = {kind: status for status, kind in ERROR_TYPES.items()}


@attrs.define(eq=False)
class RecordedRequest:
    """A request as it came. `outcome` says how far its answer got: "answered" when all of it was handed to the
    connection, "abandoned" when the client left before."""

    method: str
    target: str
    """Path and query as they stood in the request line."""
    headers: tuple[tuple[str, str], ...]
    """Names in lower case, in the order they came."""
    body: bytes
    connection: int
    """The number of the connection it came on, from 1: equal for requests that shared one."""
    outcome: Literal["answering", "answered", "abandoned"] = "answering"

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def header(self, name: str) -> str | None:
        """The first value of a header, or None."""
        return next((value for key, value in self.headers if key == name.lower()), None)

    def json(self) -> Any:
        """The body as JSON. Raises ValueError where it is none."""
        return json.loads(self.body)


Reply: TypeAlias = Answer | Transcript | bytes
Script: TypeAlias = Reply | Callable[[RecordedRequest], Reply]


def _script(entries: Iterable[Script]) -> tuple[Script, ...]:
    return tuple(entries)


@attrs.define(eq=False)
class ReplayServer:
    """Answers requests to the Messages API from a script of transcripts and other answers.

    An entry of the script is a `Transcript`, the bytes of a recorded stream, an `Answer`, or a function
    that gets the `RecordedRequest` and gives one of these. `chunking`, `framing`, `pace` (seconds before each piece)
    and `delay` (seconds before the head) apply to transcripts and bytes; an `Answer` has its own. `cycle=True` begins
    the script anew when it is through, `api_key` is the key a request must carry (None: any or none),
    `input_tokens` the answer to every count_tokens, `models` the ids that the models listing has.
    """

    script: tuple[Script, ...] = attrs.field(converter=_script)
    cycle: bool = attrs.field(default=False, kw_only=True)
    chunking: Chunking | None = attrs.field(default=None, kw_only=True)
    framing: Framing = attrs.field(default="chunked", kw_only=True)
    pace: float = attrs.field(default=0.0, kw_only=True)
    delay: float = attrs.field(default=0.0, kw_only=True)
    api_key: str | None = attrs.field(default=None, kw_only=True, repr=False)
    input_tokens: int = attrs.field(default=42, kw_only=True)
    models: Sequence[str] = attrs.field(default=("claude-opus-5-5",), kw_only=True)
    requests: list[RecordedRequest] = attrs.field(factory=list, init=False)
    """Every request so far, oldest first."""
    connections: int = attrs.field(default=0, init=False)
    """How many connections were accepted."""
    open_connections: int = attrs.field(default=0, init=False)
    """How many of them are open now."""
    _taken: int = attrs.field(default=0, init=False)

    def connect(self) -> ReplayConnection:
        """A new connection, as accepted by a runner."""
        self.connections += 1
        self.open_connections += 1
        return ReplayConnection(self, self.connections)

    def disconnected(self) -> None:
        """A runner is through with one of the connections."""
        self.open_connections -= 1

    def reply_to(self, request: bytes) -> bytes:
        """Everything a new connection writes after these bytes, with no waiting. For tests without sockets."""
        connection = self.connect()
        connection.receive_data(request)
        written = bytearray()
        now = 0.0
        while True:
            action = connection.next_action(now)
            if isinstance(action, Write):
                written += action.data
            elif isinstance(action, Close) or action.until is None:
                self.disconnected()
                return bytes(written)
            else:
                now = action.until

    def answer(
        self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes, connection: int
    ) -> tuple[RecordedRequest, Answer]:
        """Record a request and choose its answer. Called by the connection it came on."""
        request = RecordedRequest(method, target, tuple(headers), body, connection)
        self.requests.append(request)
        answer = self._route(request)
        named = any(name.lower() == "request-id" for name, _ in answer.headers)
        if not named and answer.framing != "raw":
            number = ("request-id", f"req_replay{len(self.requests):06d}")
            answer = attrs.evolve(answer, headers=(*answer.headers, number))
        return request, answer

    def _route(self, request: RecordedRequest) -> Answer:
        path = request.path.rstrip("/")
        if not self._admits(request):
            return Answer.error(401, "invalid x-api-key")
        if path.endswith("/messages/count_tokens"):
            return _only("POST", request) or Answer.json({"input_tokens": self.input_tokens})
        if path.endswith("/messages"):
            return _only("POST", request) or self._next(request)
        if path.endswith("/models"):
            return _only("GET", request) or Answer.json(self._model_list())
        folder, _, name = path.rpartition("/")
        if folder.endswith("/models"):
            if name not in self.models:
                return Answer.error(404, f"model: {name}")
            return _only("GET", request) or Answer.json(_model(name))
        return Answer.error(404, f"Not Found: {request.path}")

    def _admits(self, request: RecordedRequest) -> bool:
        given = (request.header("x-api-key"), request.header("authorization"))
        return self.api_key is None or given[0] == self.api_key or given[1] == f"Bearer {self.api_key}"

    def _next(self, request: RecordedRequest) -> Answer:
        if not self.script:
            return Answer.error(500, "this replay server has no script")
        position = self._taken % len(self.script) if self.cycle else min(self._taken, len(self.script) - 1)
        self._taken += 1
        entry = self.script[position]
        reply = entry(request) if callable(entry) else entry
        if isinstance(reply, Answer):
            return reply
        transcript = Transcript.from_bytes(reply) if isinstance(reply, bytes) else reply
        if _wants_stream(request):
            return Answer.stream(
                transcript,
                chunking=self.chunking,
                framing=self.framing,
                pace=self.pace,
                delay=self.delay,
            )
        return _whole(transcript)

    def _model_list(self) -> dict[str, Any]:
        models = [_model(name) for name in self.models]
        return {
            "data": models,
            "has_more": False,
            "first_id": models[0]["id"] if models else None,
            "last_id": models[-1]["id"] if models else None,
        }


def _only(method: str, request: RecordedRequest) -> Answer | None:
    if request.method == method:
        return None
    answer = Answer.error(405, f"Method Not Allowed: {request.method}", headers=[("allow", method)])
    # An answer to HEAD has no body.
    return attrs.evolve(answer, pieces=()) if request.method == "HEAD" else answer


def _wants_stream(request: RecordedRequest) -> bool:
    try:
        body = request.json()
    except ValueError:
        return False
    return isinstance(body, dict) and body.get("stream") is True


def _whole(transcript: Transcript) -> Answer:
    """The answer of a request without a stream: the message that the transcript becomes."""
    if transcript.message is not None:
        return Answer.json(transcript.message)
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
    return Answer.json(stream.message.to_dict())


def _model(name: str) -> dict[str, Any]:
    return {"type": "model", "id": name, "display_name": name, "created_at": "2026-01-01T00:00:00Z"}
