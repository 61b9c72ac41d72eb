"""A peer that does anything: one thread, any number of listeners, each connection plays a script.

A script is a list of steps. Each new connection plays the next script of its site, the last one is played again and
again; a connection whose script is over, and that is asked once more, goes on with the next script too. A step is:

- READ: wait for one whole request and remember it; bytes: send them, through TLS if there is TLS; RAW(bytes): past it
- a number: pause so many seconds; FLOW(make): send what an iterator gives, bytes and pauses, as the client takes it
- TLS(context): be a TLS server from now on (nothing if it is already); TUNNEL: be a CONNECT proxy, likewise
- FIN: end our side, wait for the client; RST: reset; NOTIFY: TLS close_notify; HOLD: do nothing until the client
  leaves; DEAF: do not even read
"""

from __future__ import annotations

import contextlib
import heapq
import selectors
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, Literal, TypeAlias

import attrs

from sansio_claude._copies import NotCopied

__all__ = [
    "DEAF",
    "FIN",
    "FLOW",
    "HOLD",
    "NOTIFY",
    "RAW",
    "READ",
    "RST",
    "TLS",
    "TUNNEL",
    "FaultServer",
    "Site",
    "Step",
]


@attrs.define(frozen=True)
class RAW:
    """Bytes sent past TLS."""

    data: bytes


@attrs.define(frozen=True)
class FLOW:
    """What the iterator gives: bytes to send, numbers to pause for."""

    make: Callable[[], Iterable[bytes | float]]


@attrs.define(frozen=True, eq=False)
class TLS:
    """Be a TLS server."""

    context: ssl.SSLContext


Word: TypeAlias = Literal["read", "tunnel", "fin", "rst", "notify", "hold", "deaf"]
Step: TypeAlias = Word | bytes | float | RAW | FLOW | TLS
READ: Final = "read"
TUNNEL: Final = "tunnel"
FIN: Final = "fin"
RST: Final = "rst"
NOTIFY: Final = "notify"
HOLD: Final = "hold"
DEAF: Final = "deaf"

_LINGER_NONE: Final = struct.pack("ii", 1, 0)


class Site:
    """One listener. Made by `FaultServer.site`."""

    def __init__(self, server: FaultServer, listener: socket.socket) -> None:
        self.server = server
        self.listener = listener
        address = listener.getsockname()
        self.host: str = address[0]
        self.port: int = address[1]
        self.scripts: Sequence[Sequence[Step]] = ()
        self.requests: list[bytes] = []
        """The requests that were read, head and body."""
        self.connections = 0
        """How many connections were accepted."""
        self.left = 0
        """How many connections the client had not closed when the site was."""
        self.settled = False
        """Whether a connection has come to the end of its script, or to a step that waits for the client to leave."""
        self.peers: set[_Peer] = set()
        self.played: int = 0
        self.closing = False
        self.closed: threading.Event = threading.Event()

    def play(self, scripts: Sequence[Sequence[Step]]) -> None:
        """What is to be played from now on. Connections that are in the middle of a script finish it."""
        self.scripts, self.played = scripts, 0

    def next_script(self) -> Sequence[Step]:
        script = self.scripts[min(self.played, len(self.scripts) - 1)]
        self.played += 1
        return script


class _Peer:
    """One accepted connection."""

    def __init__(self, site: Site, sock: socket.socket) -> None:
        self.site = site
        self.sock = sock
        self.steps: Iterator[Step] = iter(site.next_script())
        self.state: Literal["run", "read", "pause", "hold", "idle", "handshake"] = "run"
        self.flow: Iterator[bytes | float] | None = None
        self.out: memoryview = memoryview(b"")
        self.data: bytearray = bytearray()
        self.wanted: Word = READ
        self.tunnelled: bool = False
        self.tls: ssl.SSLObject | None = None
        self.incoming: ssl.MemoryBIO = ssl.MemoryBIO()
        self.outgoing: ssl.MemoryBIO = ssl.MemoryBIO()
        self.events: int = 0
        self.reading: bool = True

    # Reading

    def readable(self) -> None:
        try:
            data = self.sock.recv(262_144)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.gone()
            return
        if self.tls is None:
            self.data += data
        else:
            self.incoming.write(data)
            self.decrypt()
        if self.state in ("read", "idle") and self.data:
            self.advance()

    def decrypt(self) -> None:
        assert self.tls is not None
        try:
            if self.state == "handshake":
                self.tls.do_handshake()
                self.state = "run"
                self.send(b"")
                self.advance()
            while data := self.tls.read(65_536):
                self.data += data
        except ssl.SSLWantReadError:
            self.send(b"")
        except ssl.SSLZeroReturnError:
            pass  # what counts is the end of the connection
        except (ssl.SSLError, ValueError):
            self.send(b"")  # the alert
            self.gone()

    def request(self) -> bytes | None:
        """Take one whole request out of what came, None while it is not whole."""
        end = self.data.find(b"\r\n\r\n")
        if end < 0:
            return None
        size = end + 4
        for line in bytes(self.data[:end]).lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                size += int(line.partition(b":")[2])
        if len(self.data) < size:
            return None
        request = bytes(self.data[:size])
        del self.data[:size]
        return request

    # Writing

    def send(self, data: bytes, *, raw: bool = False) -> None:
        if self.tls is not None and not raw:
            if data:
                self.tls.write(data)
            data = self.outgoing.read()
        if data:
            self.out = memoryview(bytes(self.out) + data)
        self.flush()

    def flush(self) -> bool:
        while self.out:
            try:
                self.out = self.out[self.sock.send(self.out[:262_144]) :]
            except BlockingIOError:
                break
            except OSError:
                self.gone()
                return False
        self.watch()
        return not self.out

    # The script

    def advance(self) -> None:
        while self in self.site.peers and not self.out:
            if self.flow is not None:
                piece = next(self.flow, None)
                if piece is None:
                    self.flow = None
                elif isinstance(piece, bytes):
                    self.send(piece)
                else:
                    self.pause(piece)
                    return
                continue
            if self.state == "read":
                request = self.request()
                if request is None:
                    return
                if self.tunnelled or self.wanted != TUNNEL:
                    self.site.requests.append(request)
                else:
                    self.tunnelled = True
                    self.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self.state = "run"
            elif self.state == "idle" and self.data:
                self.steps, self.state = iter(self.site.next_script()), "run"
            if self.state != "run":
                return
            step = next(self.steps, None)
            if step is None:
                self.state, self.site.settled = "idle", True
            else:
                self.play(step)

    def play(self, step: Step) -> None:
        match step:
            case bytes():
                self.send(step)
            case RAW(data=data):
                self.send(data, raw=True)
            case FLOW(make=make):
                self.flow = iter(make())
            case TLS(context=context):
                if self.tls is None:
                    self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
                    self.state = "handshake"
                    if self.data:
                        self.incoming.write(bytes(self.data))
                        self.data.clear()
                        self.decrypt()
            case "read":
                self.state, self.wanted = "read", READ
            case "tunnel":
                if not self.tunnelled:
                    self.state, self.wanted = "read", TUNNEL
            case "fin":
                with contextlib.suppress(OSError):
                    self.sock.shutdown(socket.SHUT_WR)
                self.state = "hold"
            case "rst":
                self.gone(reset=True)
            case "notify":
                assert self.tls is not None
                with contextlib.suppress(ssl.SSLError):
                    self.tls.unwrap()
                self.send(b"")
            case "hold":
                self.state, self.site.settled = "hold", True
            case "deaf":
                self.state, self.reading = "hold", False
                self.site.settled = True
                self.watch()
            case _:
                self.pause(step)

    def pause(self, seconds: float) -> None:
        self.state = "pause"
        self.site.server.later(seconds, self)

    def resume(self) -> None:
        if self.state == "pause":
            self.state = "run"
            self.advance()

    # Registration and the end

    def watch(self) -> None:
        events = (selectors.EVENT_READ if self.reading else 0) | (selectors.EVENT_WRITE if self.out else 0)
        if self in self.site.peers and events != self.events:
            self.site.server.watch(self.sock, self.events, events, self)
            self.events = events

    def gone(self, *, reset: bool = False) -> None:
        if self not in self.site.peers:
            return
        self.site.peers.discard(self)
        self.site.server.watch(self.sock, self.events, 0, self)
        # A reset leaves no connection behind in the kernel, whoever ended it first.
        if reset or self.site.closing:
            with contextlib.suppress(OSError):
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
        self.sock.close()


class FaultServer(NotCopied):
    """The thread that plays all scripts. Use as a context manager."""

    _instead = "it holds sockets and threads: make another one"

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_out.setblocking(False)
        self._commands: deque[tuple[str, Any]] = deque()
        self._timers: list[tuple[float, int, _Peer]] = []
        self._count = 0
        self._sites: dict[Site, float] = {}  # those that are being closed, and until when
        self._caught_up: list[threading.Event] = []  # of those who wait for it
        self._thread = threading.Thread(target=self._run, name="fault server", daemon=True)

    def __repr__(self) -> str:
        return (
            f"<FaultServer {'running' if self._thread.is_alive() else 'not running'}, {len(self._sites)} sites closing>"
        )

    def __enter__(self) -> FaultServer:
        self._selector.register(self._wake_out, selectors.EVENT_READ, None)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._tell("stop", None)
        self._thread.join(10)
        assert not self._thread.is_alive()
        self._selector.close()
        self._wake_in.close()
        self._wake_out.close()

    @contextlib.contextmanager
    def site(
        self,
        scripts: Sequence[Sequence[Step]] = (),
        *,
        buffer: int | None = None,
        backlog: int = 128,
        port: int = 0,
    ) -> Iterator[Site]:
        """A listener on a port of its own (0: any free one). `buffer` is the size of its receive buffers, in bytes."""
        listener = socket.create_server(("127.0.0.1", port), backlog=backlog)
        if buffer is not None:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        listener.setblocking(False)
        site = Site(self, listener)
        site.play(scripts)
        self._tell("open", site)
        try:
            yield site
        finally:
            self._tell("close", site)
            assert site.closed.wait(30), "the fault server hangs"

    def catch_up(self) -> None:
        """Wait until all that clients have sent by now is read. A busy machine may have kept the thread from it."""
        caught_up = threading.Event()
        self._tell("catch up", caught_up)
        caught_up.wait(2)

    def later(self, seconds: float, peer: _Peer) -> None:
        """Let a connection go on with its script after so many seconds. For the connections themselves."""
        self._count += 1
        heapq.heappush(self._timers, (time.monotonic() + seconds, self._count, peer))

    def watch(self, sock: socket.socket, before: int, after: int, peer: _Peer) -> None:
        """Change the events of `selectors` that a connection waits for. For the connections themselves."""
        if not before:
            self._selector.register(sock, after, peer)
        elif after:
            self._selector.modify(sock, after, peer)
        else:
            self._selector.unregister(sock)

    def _tell(self, command: str, what: Any) -> None:
        self._commands.append((command, what))
        self._wake_in.send(b"!")

    def _run(self) -> None:
        while True:
            timeout = max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None
            if self._sites:
                timeout = min(0.05, 0.05 if timeout is None else timeout)
            ready = self._selector.select(0 if self._caught_up else timeout)
            for key, mask in ready:
                self._serve(key.data, mask)
            if not ready:
                while self._caught_up:
                    self._caught_up.pop().set()
            while self._timers and self._timers[0][0] <= time.monotonic():
                heapq.heappop(self._timers)[2].resume()
            while self._commands:
                command, what = self._commands.popleft()
                if command == "stop":
                    return
                if command == "catch up":
                    self._caught_up.append(what)
                else:
                    self._obey(command, what)
            for site, until in list(self._sites.items()):
                if not site.peers or time.monotonic() > until:
                    self._close(site)

    def _serve(self, what: Any, mask: int) -> None:
        if what is None:
            with contextlib.suppress(BlockingIOError):
                self._wake_out.recv(65_536)
        elif isinstance(what, Site):
            self._accept(what)
        else:
            if mask & selectors.EVENT_WRITE and what.flush():
                what.advance()
            if mask & selectors.EVENT_READ and what in what.site.peers:
                what.readable()

    def _accept(self, site: Site) -> None:
        while True:
            try:
                sock, _ = site.listener.accept()
            except OSError:
                return
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            site.connections += 1
            peer = _Peer(site, sock)
            site.peers.add(peer)
            peer.watch()
            peer.advance()

    def _obey(self, command: str, site: Site) -> None:
        if command == "open":
            self._selector.register(site.listener, selectors.EVENT_READ, site)
            return
        self._accept(site)
        self._selector.unregister(site.listener)
        site.listener.close()
        site.closing = True
        self._sites[site] = time.monotonic() + 5
        for peer in list(site.peers):
            peer.steps, peer.flow, peer.state, peer.reading = iter(()), None, "hold", True
            peer.out = memoryview(b"")
            peer.watch()

    def _close(self, site: Site) -> None:
        del self._sites[site]
        site.left = len(site.peers)
        for peer in list(site.peers):
            peer.gone()
        site.closed.set()
