"""A world without sockets and without time: scripted peers and a driver for calls, in virtual seconds."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, assert_never

import attrs

from sansio_claude._call.actions import (
    Action,
    Authorize,
    Authorizer,
    CallSettings,
    Connect,
    Deliver,
    Done,
    Receive,
    Send,
    Wait,
)
from sansio_claude._call.answer import Wanted
from sansio_claude._call.call import Call
from sansio_claude._call.connection import Connection
from sansio_claude._call.pool import Pool
from sansio_claude._call.retry import RetryPolicy
from sansio_claude._call.timeouts import NEVER, Timeouts
from sansio_claude._call.trace import TraceEvent
from sansio_claude._connect.proxy import Proxy
from sansio_claude._errors import ClaudeError
from sansio_claude._limits import Limits
from sansio_claude._request.endpoint import RequestHead
from sansio_claude._stream.events import Event

SECRET = "sk-ant-test-0123456789abcdef"
RESET = ConnectionResetError(104, "Connection reset by peer")
REFUSED = ConnectionRefusedError(111, "Connection refused")

START = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 1},
    },
}
MESSAGE = {
    **START["message"],  # type: ignore[dict-item]
    "content": [{"type": "text", "text": "Hello"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 5},
}


def frame(value: dict[str, Any] | str) -> bytes:
    """One event as the API writes it; a str is its type alone."""
    if isinstance(value, str):
        value = {"type": value}
    return f"event: {value['type']}\ndata: {json.dumps(value)}\n\n".encode()


PING = frame("ping")
OPENING = (
    frame(START),
    frame({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
)
DELTAS = tuple(
    frame({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})
    for text in ("Hel", "lo")
)
CLOSING = (
    frame({"type": "content_block_stop", "index": 0}),
    frame({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}),
    frame("message_stop"),
)
FRAMES = OPENING + DELTAS + CLOSING
STREAM = b"".join(FRAMES)
OVERLOADED = frame({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})


def head(status: int = 200, *headers: str, framing: str | None = "transfer-encoding: chunked") -> bytes:
    """The head of an answer."""
    lines = [f"HTTP/1.1 {status} Whatever", "request-id: req_1", *headers]
    if framing is not None:
        lines.append(framing)
    return "\r\n".join([*lines, "", ""]).encode()


def chunked(*pieces: bytes, last: bool = True) -> bytes:
    """A chunked body, each piece a chunk."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return body + b"0\r\n\r\n" if last else body


def answer(*pieces: bytes, status: int = 200, headers: Iterable[str] = ()) -> bytes:
    """A whole chunked answer."""
    return head(status, *headers) + chunked(*pieces)


def refusal(status: int, kind: str = "api_error", *headers: str, message: str = "no") -> bytes:
    """An error answer as the API gives it."""
    body = json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode()
    return head(status, *headers, framing=f"content-length: {len(body)}") + body


GOOD_HEAD = head(200, "content-type: text/event-stream")
GOOD_BODY = chunked(STREAM)
GOOD = GOOD_HEAD + GOOD_BODY

Step: TypeAlias = tuple[float, bytes] | bytes | str | BaseException
"""What a read gives: bytes, perhaps after a while, or "eof", "reset", "hang", "close_notify", or an exception."""


def _steps(steps: Iterable[Step]) -> list[Step]:
    return list(steps)


class ServerTLS:
    """The server's side of a TLS connection."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._in, self._out, server_side=True)
        self._done = False
        self.received = bytearray()
        self.ended_cleanly = False
        """Whether the client said that it was done."""

    def take(self, data: bytes | memoryview) -> bytes:
        """Bytes of the network in, plaintext out."""
        self._in.write(data)
        plain = b""
        try:
            if not self._done:
                self._object.do_handshake()
                self._done = True
            while chunk := self._object.read(65536):
                plain += chunk
            self.ended_cleanly = True
        except ssl.SSLWantReadError:
            pass
        return plain

    def pending(self) -> bytes:
        """Bytes for the network."""
        return self._out.read()

    def encrypt(self, plain: bytes) -> bytes:
        """Plaintext in, all bytes for the network out."""
        self._object.write(plain)
        return self.pending()

    def close_notify(self) -> bytes:
        """The words of a clean end."""
        try:
            self._object.unwrap()
        except ssl.SSLWantReadError:
            pass
        return self.pending()


@attrs.define
class Peer:
    """What one connection does: `connects` after `delay` or fails; then its steps, one a read."""

    steps: list[Step] = attrs.field(converter=_steps, factory=list)
    connects: bool | str | BaseException = True
    delay: float = 0.0
    tls: ServerTLS | None = None
    """Encrypts what the steps say, and speaks the handshake."""
    sends: Sequence[bool | int | str | BaseException] = ()
    """How each write goes, in order: a number of bytes, after which there is something to read; those not given go
    well."""


@attrs.define(eq=False)
class Handle:
    """The socket of this world."""

    peer: Peer
    sent: bytearray = attrs.field(factory=bytearray)
    writes: int = 0
    closed: int = 0
    stale: bool = False
    last: bytes = b""
    """What was to be written before it was closed."""

    def close(self, last: bytes = b"") -> None:
        """Be closed."""
        self.closed += 1
        self.last += last


@attrs.define
class Outcome:
    """What a caller saw of a call."""

    events: list[Event]
    error: ClaudeError | None
    call: Call
    actions: list[Action]
    finished: float

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.events]


class World:
    """Peers, a clock, a pool and settings."""

    def __init__(
        self,
        *peers: Peer | bytes,
        max_connections: int = 10,
        idle_timeout: float = 30.0,
        max_retries: int = 0,
        retry: RetryPolicy | None = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        strict: bool = False,
        proxy: Proxy | None = None,
        tls: Callable[[str], Any] | None = None,
        authorize: Authorizer | None = None,
        wall: float = 1_700_000_000.0,
        chance: float = 0.0,
    ) -> None:
        self.peers = [Peer([peer]) if isinstance(peer, bytes) else peer for peer in peers]
        self.now = 1000.0
        self.pool: Pool[Connection] = Pool(max_connections=max_connections, idle_timeout=idle_timeout)
        self.handles: list[Handle] = []
        self.places: list[tuple[str, int]] = []
        self.trace: list[TraceEvent] = []
        self.settings = CallSettings(
            timeouts=timeouts or Timeouts(),
            retry=retry or RetryPolicy(max_retries=max_retries),
            limits=limits or Limits(),
            strict=strict,
            proxy=proxy,
            tls=tls,
            authorize=authorize,
            chance=lambda: chance,
            wall=lambda: wall,
            trace=self.trace.append,
        )

    def call(
        self, wanted: Wanted = "stream", body: bytes = b"{}", *, tls: bool = False, host: str = "api.test"
    ) -> Call:
        request = RequestHead(
            method=b"POST",
            host=host,
            port=443 if tls else 80,
            tls=tls,
            target=b"/v1/messages",
            headers=((b"host", host.encode()), (b"x-api-key", SECRET.encode())),
            secrets=(SECRET,),
        )
        return Call(request, body, wanted=wanted, pool=self.pool, settings=self.settings)

    def run(self, call: Call | None = None, *, leave: bool = True, until: int | None = None) -> Outcome:
        """Drive a call to its end (or until it has delivered `until` events) and leave it."""
        call = call or self.call()
        outcome = Outcome([], None, call, [], 0.0)
        while True:
            action = self.ask(call)
            outcome.actions.append(action)
            self.close_discarded()
            match action:
                case Done(error=error):
                    outcome.error = error
                    break
                case Deliver(events=events):
                    outcome.events += events
                    if until is not None and len(outcome.events) >= until:
                        break
                case _:
                    self.do(call, action)
        outcome.finished = self.now
        if leave:
            call.close(self.now)
            while not isinstance(action := call.next_action(self.now), Done):
                self.do(call, action)
            self.close_discarded()
        return outcome

    def ask(self, call: Call) -> Action:
        """What is to be done next."""
        return call.next_action(self.now)

    def receive(self, call: Call, data: bytes) -> None:
        """Tell the call of bytes."""
        call.receive_data(data, self.now)

    def close_discarded(self) -> None:
        for connection in self.pool.discarded():
            connection.close()

    def do(self, call: Call, action: Action) -> None:
        """Do one action as an adapter would."""
        match action:
            case Connect(host=host, port=port, deadline=deadline):
                self.places.append((host, port))
                peer = self.peers.pop(0)
                if peer.connects == "hang" or not self._reach(peer.delay, deadline):
                    self._pass(call, deadline)
                elif isinstance(peer.connects, BaseException):
                    call.connect_failed(peer.connects, self.now)
                else:
                    handle = Handle(peer)
                    self.handles.append(handle)
                    call.connected(handle, self.now)
            case Send(data=data, deadline=deadline):
                handle = call.handle
                how = handle.peer.sends[handle.writes] if handle.writes < len(handle.peer.sends) else True
                handle.writes += 1
                if how == "hang":
                    self._pass(call, deadline)
                elif isinstance(how, BaseException):
                    call.send_failed(how, self.now)
                else:
                    count = len(data) if how is True else min(int(how), len(data))
                    data = memoryview(data)[:count]
                    handle.sent += data if handle.peer.tls is None else handle.peer.tls.take(data)
                    call.sent(self.now, count)
            case Receive(deadline=deadline):
                self._receive(call, call.handle, deadline)
            case Wait(until=until, reason=reason):
                assert until < NEVER, "nobody would ever wake this call"
                self.now = max(self.now, until)
                if reason == "backoff":
                    call.waited(self.now)
                else:
                    call.deadline_passed(self.now)
            case Authorize(head=request, body=body):
                assert call.authorize is not None
                headers = call.authorize(request, body)
                assert isinstance(headers, Mapping)
                call.authorized(headers, self.now)
            case Deliver() | Done():
                pass
            case _:
                assert_never(action)

    def _receive(self, call: Call, handle: Handle, deadline: float) -> None:
        server = handle.peer.tls
        if server is not None:
            if data := server.pending():
                self.receive(call, data)
                return
            steps = handle.peer.steps
            if steps and isinstance(steps[0], bytes):
                steps[0] = server.encrypt(steps[0])
            elif steps and steps[0] == "close_notify":
                steps[0] = server.close_notify()
        step = handle.peer.steps.pop(0) if handle.peer.steps else "hang"
        if isinstance(step, tuple):
            wait, data = step
            if self._reach(wait, deadline):
                self.receive(call, data)
            else:
                handle.peer.steps.insert(0, (wait - (deadline - self.now), data))
                self._pass(call, deadline)
        elif isinstance(step, bytes):
            self.receive(call, step)
        elif isinstance(step, BaseException):
            call.receive_failed(step, self.now)
        elif step == "eof":
            handle.peer.steps.insert(0, "eof")
            call.receive_eof(self.now)
        elif step == "reset":
            call.receive_failed(RESET, self.now)
        else:
            self._pass(call, deadline)

    def _reach(self, seconds: float, deadline: float) -> bool:
        if self.now + seconds > deadline:
            return False
        self.now += seconds
        return True

    def _pass(self, call: Call, deadline: float) -> None:
        assert deadline < NEVER, "this call would wait for ever"
        self.now = max(self.now, deadline)
        call.deadline_passed(self.now)
