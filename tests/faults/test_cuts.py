"""Three answers, cut, stalled and reset at every byte of the wire, in the clear and in TLS.

The peer lives in the client's own thread: it looks at what was sent as soon as the client has sent it, and puts all
that it will ever say into the client's socket at once. So nothing is waited for, except by the stalls: those take the
few milliseconds of their deadline. What the client must have given out is known exactly for every byte.

A part of the places is tried in every run, all of them with `-m sweep`.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Any, Final

import attrs
import pytest

from sansio_claude._call.retry import RetryPolicy
from sansio_claude._call.timeouts import Timeouts
from sansio_claude._request.endpoint import Endpoint
from sansio_claude._stream.message_stream import MessageStream
from tests.adapters.runtimes import Runtime
from tests.certificates import client_context, server_context
from tests.faults.case import ASK, kind_of, secrets_in
from tests.faults.pieces import EVENTS, HEAD, HELLO, JSON, KEY, PING, chunk, events
from tests.frames import DELTA, END, START, block, tool

ENDS: Final = ("cut", "stall", "reset")
NO_RETRY: Final = RetryPolicy(max_retries=0)
QUICK: Final = Timeouts(first_byte=0.004, idle=0.004)
_RESET: Final = struct.pack("ii", 1, 0)


@attrs.define(frozen=True)
class Composed:
    """One answer, in the pieces that TLS makes records of."""

    name: str
    pieces: tuple[bytes, ...]
    frames: tuple[bytes, ...]
    """The events, each of which ends in the piece after it; () for a whole answer."""

    def wire(self, size: Callable[[bytes], int]) -> list[int]:
        """Where each piece ends, by the size it has on the wire."""
        return list(accumulate(size(piece) for piece in self.pieces))


def streamed(name: str, *values: Any) -> Composed:
    frames = tuple(events(value) for value in values)
    return Composed(name, (HEAD, *map(chunk, frames), b"0\r\n\r\n"), frames)


THINKING = block(
    {"type": "thinking", "thinking": "", "signature": ""},
    {"type": "thinking_delta", "thinking": "Hm, grüße."},
    {"type": "signature_delta", "signature": "c2lnbmF0dXJl"},
)
ANSWERS: Final = (
    streamed("text", *EVENTS),
    streamed("tool", START, PING, *THINKING, *tool("", '{"ci', 'ty": "Kö', 'ln", "n": [1', "]}", index=1), DELTA, END),
    Composed("whole", (JSON.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", JSON.partition(b"\r\n\r\n")[2]), ()),
)


class Far:
    """The peer of one connection. Says the first `size` bytes of the answer, as they are on the wire."""

    def __init__(self, listener: socket.socket, answer: Composed, size: int, end: str, *, secure: bool) -> None:
        self._answer, self._size, self._end = answer, size, end
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = server_context("127.0.0.1").wrap_bio(self._in, self._out, server_side=True) if secure else None
        self._greeted = False
        self._said = False
        self._sock, _ = listener.accept()
        self._sock.settimeout(10)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def look(self) -> None:
        """The client has sent something."""
        data = self._sock.recv(65_536)
        if self._tls is None:
            self._say(self._answer.pieces)
            return
        self._in.write(data)
        with contextlib.suppress(ssl.SSLWantReadError):
            if not self._greeted:
                self._tls.do_handshake()
                self._greeted = True
                self._greet()
            self._tls.read(65_536)
            self._say([self._record(piece) for piece in self._answer.pieces])
            return
        self._greet()

    def _greet(self) -> None:
        """What TLS says of itself, tickets included."""
        if greeting := self._out.read():
            self._sock.sendall(greeting)

    def _record(self, piece: bytes) -> bytes:
        assert self._tls is not None
        self._tls.write(piece)
        return self._out.read()

    def _say(self, pieces: Iterable[bytes]) -> None:
        if self._said:
            return
        self._said = True
        self._sock.sendall(b"".join(pieces)[: self._size])
        if self._end == "cut":
            self._sock.shutdown(socket.SHUT_WR)
        elif self._end == "reset":
            self.close()

    def close(self) -> None:
        """With a reset, so that nothing of twenty thousand connections stays in the kernel."""
        with contextlib.suppress(OSError):
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._sock.close()


class Near:
    """The client's wire, with a peer that looks at once."""

    def __init__(self, wire: Any, far: Far) -> None:
        self._wire, self._far = wire, far
        self.receive = wire.receive
        self.close = wire.close
        self.clock = wire.clock

    @property
    def stale(self) -> bool:
        return bool(self._wire.stale)

    async def send(self, data: bytes, deadline: float) -> int | None:
        done: int | None = await self._wire.send(data, deadline)
        self._far.look()
        return done


@attrs.define
class Sweep:
    """Runs of one answer over one adapter, one after the other in one event loop."""

    runtime: Runtime
    answer: Composed
    secure: bool
    listener: socket.socket
    far: Far | None = None
    count: int = 0

    def borders(self) -> list[int]:
        """Where each piece ends on the wire. A record of TLS 1.3 has 22 bytes of its own."""
        return self.answer.wire(lambda piece: len(piece) + (22 if self.secure else 0))

    def expected(self, size: int) -> int:
        """How many events have arrived whole. In the clear an event is whole before its chunk is."""
        slack = 0 if self.secure else 2
        ends = self.borders()[1 : 1 + len(self.answer.frames)]
        return sum(end - slack <= size for end in ends)

    def whole(self, size: int) -> bool:
        """Whether so many bytes on the wire are a whole answer."""
        if self.answer.frames:
            return self.expected(size) == len(self.answer.frames)
        return size >= self.borders()[1]

    async def run(self, places: Iterable[int], monkey: pytest.MonkeyPatch) -> None:
        kind = type(self.runtime.Client._runtime.adapter)
        connect = kind.connect
        scheme = "https" if self.secure else "http"
        endpoint = Endpoint.from_base_url(f"{scheme}://127.0.0.1:{self.listener.getsockname()[1]}", api_key=KEY)
        for size in places:
            for end in ENDS:

                async def opened(self_: Any, action: Any, wakeup: Any, size: int = size, end: str = end) -> Near:
                    wire = await connect(self_, action, wakeup)
                    self.far = Far(self.listener, self.answer, size, end, secure=self.secure)
                    return Near(wire, self.far)

                monkey.setattr(kind, "connect", opened)
                try:
                    await self.one(endpoint, size, end)
                except AssertionError as error:
                    error.add_note(f"{self.answer.name}, {end} at {size}, secure: {self.secure}, {self.runtime}")
                    raise
                finally:
                    if self.far is not None:
                        self.far.close()
                self.count += 1

    async def one(self, endpoint: Endpoint, size: int, end: str) -> None:
        seen: list[Any] = []
        message: Any = None
        failure: BaseException | None = None
        options: dict[str, Any] = {"ssl_context": client_context()} if self.secure else {}
        timeouts = QUICK if end == "stall" and not self.whole(size) else Timeouts(total=20.0)
        async with self.runtime.Client(endpoint, retry=NO_RETRY, timeouts=timeouts, **options) as client:
            try:
                if self.answer.frames:
                    async with client.stream(**ASK) as stream:
                        async for event in stream:
                            seen.append(event)
                        message = await stream.final_message()
                else:
                    message = await client.create(**ASK, stream=False)
            except Exception as error:
                failure = error
            pool = client._session.pool
            assert (pool.taken, pool.waiting) == (0, 0)
        kind = "ok" if failure is None else kind_of(failure)
        self.judge(size, end, kind, seen, message, failure)

    def judge(
        self, size: int, end: str, kind: str, seen: list[Any], message: Any, failure: BaseException | None
    ) -> None:
        borders = self.borders()
        if not self.answer.frames:
            assert kind == "ok" if size >= borders[1] and end != "reset" else kind in self.wrong(size, end, borders[1])
            assert kind != "ok" or message.text == HELLO
            return
        count = self.expected(size)
        wanted = reference(self.answer, count)
        if end == "cut":
            assert [repr(event) for event in seen] == wanted.given
        else:  # a reset may overtake bytes
            assert [repr(event) for event in seen] == wanted.given[: len(seen)]
        if count == len(self.answer.frames):
            assert kind == "ok" or (end == "reset" and kind == "connect"), repr(failure)
        else:
            assert kind in self.wrong(size, end, borders[-1]), repr(failure)
            assert secrets_in(failure) == []
        if kind == "ok":
            assert message.to_dict() == wanted.message
        elif end == "cut":
            partial = getattr(failure, "partial", None)
            assert (None if partial is None else partial.to_dict()) == wanted.message

    def wrong(self, size: int, end: str, whole: int) -> tuple[str, ...]:
        """What an answer that is not whole may be called."""
        if end == "stall":
            return ("timeout",)
        if end == "cut":
            return (
                ("connect",) if size == 0 else ("truncated", "connect") if size < self.borders()[0] else ("truncated",)
            )
        return ("connect", "truncated") if size < whole else ("connect", "truncated", "ok")


@attrs.define
class Wanted:
    given: list[str]
    """What repr() shows of the events."""
    message: dict[str, Any] | None


_wanted: dict[tuple[str, int], Wanted] = {}


def reference(answer: Composed, count: int) -> Wanted:
    """What a stream makes of the first events."""
    found = _wanted.get((answer.name, count))
    if found is None:
        stream = MessageStream()
        stream.receive_data(b"".join(answer.frames[:count]))
        given = [repr(event) for event in stream.events_received()]
        message = None if stream.message is None else stream.message.to_dict()
        found = _wanted[answer.name, count] = Wanted(given, message)
    return found


@contextlib.contextmanager
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        listener.settimeout(10)
        yield listener


def sweep(runtime: Runtime, answer: Composed, *, secure: bool, step: int, monkey: pytest.MonkeyPatch) -> int:
    with listening() as listener:
        runs = Sweep(runtime, answer, secure, listener)
        total = runs.borders()[-1]
        places = set(range(0, total + 1, step))
        if step > 1:  # where things end, and one byte before and behind
            places |= {at + near for at in runs.borders()[:: max(1, step // 20)] for near in (-3, -2, -1, 0, 1)}
        runtime.run(runs.run, sorted(place for place in places if place <= total), monkey)
    return runs.count


@pytest.mark.parametrize("secure", [False, True], ids=["clear", "tls"])
@pytest.mark.parametrize("answer", ANSWERS, ids=[answer.name for answer in ANSWERS])
@pytest.mark.parametrize("runtime", ["trio", "asyncio", "sync"], indirect=True)
@pytest.mark.usefixtures("nothing_left")
def test_at_some_bytes(runtime: Runtime, answer: Composed, secure: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sweep(runtime, answer, secure=secure, step=151, monkey=monkeypatch) > 20


@pytest.mark.sweep
@pytest.mark.parametrize("secure", [False, True], ids=["clear", "tls"])
@pytest.mark.parametrize("answer", ANSWERS, ids=[answer.name for answer in ANSWERS])
@pytest.mark.parametrize("runtime", ["trio", "asyncio", "sync"], indirect=True)
@pytest.mark.usefixtures("nothing_left")
def test_at_every_byte(
    runtime: Runtime,
    answer: Composed,
    secure: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    count = sweep(runtime, answer, secure=secure, step=1, monkey=monkeypatch)
    with capsys.disabled():
        print(f"\n{runtime}, {answer.name}, {'TLS' if secure else 'in the clear'}: {count} runs")
