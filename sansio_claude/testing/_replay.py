"""ReplayServer: which answer goes to which request, and what was asked.

It does no I/O itself. A runner (`serve_in_trio`, `serve_in_asyncio`, `serve_in_thread`) accepts connections
and lets a `ReplayConnection` talk on each; a test without sockets uses `reply_to`.

Rules:
* `POST .../messages` takes the next answer of the script; when the script is through, its last answer is given
  again, or with `cycle=True` the whole script from its start. With `once=True`, and where the script is empty, it is
  answered 400 then, which no client repeats, in words that say so.
* A function of the script that raises (an assertion of the test, say) is answered 400 at once, and its exception
  comes out of the `serve_in_...` block at the end, in place of whatever the block itself raised.
* A transcript is streamed where the request says `"stream": true`, else it is answered as one JSON message.
* `POST .../messages/count_tokens` and `GET .../models` (by pages), `GET .../models/ID` (the id percent-encoded or
  not) have answers of their own.
* Anything else is 404, another method on a known path 405, in the API's error shape.
* Every answer has a `request-id`, and an error has the same one in its body. HEAD is answered without a body.
* With `api_key` given, a request that does not carry it (x-api-key, or authorization: Bearer) is answered 401.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, TypeAlias

import attrs

from sansio_claude._copies import NotCopied
from sansio_claude._errors import LocalProtocolError
from sansio_claude._value import an
from sansio_claude.testing._answers import Answer, Chunking, Framing
from sansio_claude.testing._connection import Close, ReplayConnection, Write
from sansio_claude.testing._listing import model_named, model_page
from sansio_claude.testing._whole import whole_answer
from sansio_claude.testing.transcripts import Transcript

__all__ = ["RecordedRequest", "ReplayServer", "Reply", "Script"]


@attrs.define(eq=False)
class RecordedRequest:
    """A request as it came. `outcome` says how far its answer got: "answered" when all of it was handed to the
    connection, "abandoned" when the client left before."""

    method: str
    """The HTTP method."""
    target: str
    """Path and query as they stood in the request line."""
    headers: tuple[tuple[str, str], ...]
    """Names in lower case, in the order they came."""
    body: bytes
    """The bytes of the body; empty where it had none."""
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
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("the body is nested too deeply to be read") from None


Reply: TypeAlias = Answer | Transcript | bytes
Script: TypeAlias = Reply | Callable[[RecordedRequest], Reply]


def _script(entries: Iterable[Script]) -> list[Script]:
    given: object = entries
    if not isinstance(given, Iterable):
        raise LocalProtocolError(f"the script is a list of answers, not {an(type(given).__name__)}")
    script = list(entries)
    for number, entry in enumerate(script):
        if not callable(entry):
            _checked(entry, f"script[{number}]")
    return script


def _checked(reply: Any, where: str) -> Reply:
    if isinstance(reply, Answer | Transcript | bytes):
        return reply
    words = "write compose(text) for an answer with this text" if isinstance(reply, str) else "see ReplayServer"
    raise LocalProtocolError(f"{where} is {an(type(reply).__name__)}, no Transcript, bytes or Answer: {words}")


@attrs.define(eq=False, repr=False)
class ReplayServer(NotCopied):
    """Answers requests to the Messages API from a script of transcripts and other answers.

    An entry of the script is a `Transcript`, the bytes of a recorded stream, an `Answer`, or a function
    that gets the `RecordedRequest` and gives one of these. `chunking`, `framing`, `pace` (seconds before each piece)
    and `delay` (seconds before the head) apply to transcripts and bytes; an `Answer` has its own. `cycle=True` begins
    the script anew when it is through, `api_key` is the key a request must carry (None: any or none),
    `input_tokens` the answer to every count_tokens, `models` the ids that the models listing has. Answers may be
    appended to `script` while it serves.
    """

    _instead = "it holds connections: make another one of the same script"

    script: list[Script] = attrs.field(converter=_script)
    cycle: bool = attrs.field(default=False, kw_only=True)
    """Whether the script begins anew when it is through."""
    once: bool = attrs.field(default=False, kw_only=True)
    """Whether each answer is given once only: a request beyond the last one is answered with a 400."""
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
    failures: list[BaseException] = attrs.field(factory=list, init=False)
    """What functions of the script raised, oldest first."""
    _taken: int = attrs.field(default=0, init=False)

    def __repr__(self) -> str:
        counts = f"{len(self.requests)} requests, {self.open_connections} of {self.connections} connections open"
        return f"<ReplayServer of {len(self.script)} answers, {counts}>"

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
                self.raise_failure()
                return bytes(written)
            else:
                now = action.until

    def answer(
        self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes, connection: int
    ) -> tuple[RecordedRequest, Answer]:
        """Record a request and choose its answer. Called by the connection it came on."""
        request = RecordedRequest(method, target, tuple(headers), body, connection)
        self.requests.append(request)
        return request, self.numbered(self._route(request))

    def numbered(self, answer: Answer) -> Answer:
        """The answer with a request id in its head, and in its body where that is an error of the API's shape."""
        if answer.framing == "raw":
            return answer
        own = next((value for name, value in answer.headers if name.lower() == "request-id"), None)
        number = own or f"req_replay{len(self.requests):06d}"
        if own is None:
            answer = attrs.evolve(answer, headers=(*answer.headers, ("request-id", number)))
        return answer.with_request_id(number)

    def raise_failure(self, block: BaseException | None = None) -> None:
        """Raise what a function of the script raised first. Called at the end of each `serve_in_...` block.

        `block` is what the block itself raised: an ordinary exception, mostly the client's report of that same
        failure, gives way; an interrupt or a cancellation does not.
        """
        if self.failures and (block is None or isinstance(block, Exception)):
            raise self.failures[0]

    def _route(self, request: RecordedRequest) -> Answer:
        path = request.path.rstrip("/")
        if not self._admits(request):
            return Answer.error(401, "invalid x-api-key")
        if path.endswith("/messages/count_tokens"):
            return _only("POST", request) or Answer.json({"input_tokens": self.input_tokens})
        if path.endswith("/messages"):
            return _only("POST", request) or self._next(request)
        if path.endswith("/models"):
            return _only("GET", request) or model_page(self.models, request.target.partition("?")[2])
        _, found, name = path.partition("/models/")
        if found:
            return _only("GET", request) or model_named(self.models, name)
        return Answer.error(404, f"Not Found: {request.path}")

    def _admits(self, request: RecordedRequest) -> bool:
        given = (request.header("x-api-key"), request.header("authorization"))
        return self.api_key is None or given[0] == self.api_key or given[1] == f"Bearer {self.api_key}"

    def _next(self, request: RecordedRequest) -> Answer:
        if not self.script:
            return Answer.error(400, "this replay server has no script")
        taken, length = self._taken, len(self.script)
        if taken >= length and self.once and not self.cycle:
            words = f"the script of this replay server is exhausted: request {taken + 1} came, it has {length} answers"
            return Answer.error(400, words)
        self._taken += 1
        entry = self.script[taken % length if self.cycle else min(taken, length - 1)]
        try:
            reply = _checked(entry(request) if callable(entry) else entry, "what the function gave")
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as error:  # pytest's own outcomes are no Exception
            self.failures.append(error)
            words = f"a function of this replay server's script raised {type(error).__name__}: {error}"
            return Answer.error(400, words, headers=[("x-should-retry", "false")])
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
        return whole_answer(transcript)


def _only(method: str, request: RecordedRequest) -> Answer | None:
    if request.method in (method, "HEAD" if method == "GET" else method):
        return None
    allowed = "GET, HEAD" if method == "GET" else method
    return Answer.error(405, f"Method Not Allowed: {request.method}", headers=[("allow", allowed)])


def _wants_stream(request: RecordedRequest) -> bool:
    try:
        body = request.json()
    except ValueError:
        return False
    return isinstance(body, dict) and body.get("stream") is True
