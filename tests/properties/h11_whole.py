"""What h11 says when it is given everything: the measure for the decoders that take body bytes past it."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import h11

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
REQUEST = [(b"Host", b"localhost"), (b"Content-Length", b"0")]


@attrs.define
class Seen:
    """What came of some reads."""

    heads: list[tuple[int, list[tuple[bytes, bytes]]]] = attrs.Factory(list)
    body: bytes = b""
    done: bool = False
    broken: bool = False
    reusable: bool = False
    rest: bytes = b""
    steps: list[tuple[int, bool, bool]] = attrs.Factory(list)
    """After each read: how many body bytes there were, whether the body had ended, whether it was refused."""


class WholeH11:
    """A client of h11's own, that reads heads and bodies through it."""

    def __init__(self, *, method: bytes = b"POST", headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self.conn = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 40)
        self.conn.send(h11.Request(method=method, target=b"/", headers=[*REQUEST, *headers]))
        self.conn.send(h11.EndOfMessage())
        self.seen = Seen()

    def receive(self, data: bytes) -> None:
        self.conn.receive_data(data)
        self._run()
        self.seen.steps.append((len(self.seen.body), self.seen.done, self.seen.broken))

    def receive_eof(self) -> None:
        self.conn.receive_data(b"")
        self._run()

    def _run(self) -> None:
        seen = self.seen
        while not seen.done and not seen.broken:
            try:
                event = self.conn.next_event()
            except h11.RemoteProtocolError:
                seen.broken = True
                return
            if isinstance(event, h11.Data):
                seen.body += event.data
            elif isinstance(event, h11.EndOfMessage):
                seen.done = True
            elif isinstance(event, h11.InformationalResponse | h11.Response):
                seen.heads.append((event.status_code, list(event.headers)))
            else:
                return
        if seen.done:
            seen.rest = self.conn.trailing_data[0]
            states = self.conn.our_state, self.conn.their_state
            seen.reusable = states == (h11.DONE, h11.DONE) and not seen.rest


def chunked(reads: Iterable[bytes]) -> Seen:
    """The same for a chunked body alone."""
    client = WholeH11()
    client.receive(HEAD)
    client.seen.steps.clear()
    for data in reads:
        client.receive(data)
    return client.seen
