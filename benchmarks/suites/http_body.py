"""P4: a chunked HTTP body to body bytes, one event in each chunk and one chunk in each read, against h11."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import h11

from benchmarks.measure import Settings, race
from benchmarks.results import Findings, Verdict, race_table
from benchmarks.rivals.floors import Unchunk
from benchmarks.suites.in_process import OURS
from benchmarks.traffic.answers import same
from benchmarks.traffic.script import HEAD, LAST_CHUNK, chunk
from benchmarks.traffic.shapes import shape
from sansio_claude import ChunkedDecoder, HTTPExchange

__all__ = ["run"]

EXCHANGE = "sansio_claude HTTPExchange, head too"
H11 = "h11, head too"
HAND = "by hand (find, int)"


def _by_h11(reads: list[bytes]) -> bytes:
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "localhost")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(HEAD)
    connection.next_event()
    pieces = []
    receive, waiting, data = connection.receive_data, h11.NEED_DATA, h11.Data
    following: Callable[[], Any] = connection.next_event
    for read in reads:
        receive(read)
        while (event := following()) is not waiting:
            if type(event) is not data:
                break
            pieces.append(bytes(event.data))
    return b"".join(pieces)


def _by_decoder(reads: list[bytes]) -> bytes:
    decoder = ChunkedDecoder()
    receive, body = decoder.receive_data, decoder.body_received
    pieces = []
    for read in reads:
        receive(read)
        pieces.append(body())
    return b"".join(pieces)


def _by_exchange(reads: list[bytes]) -> bytes:
    exchange = HTTPExchange(method=b"GET", target=b"/", headers=[(b"Host", b"localhost")])
    exchange.data_to_send()
    receive, body = exchange.receive_data, exchange.body_received
    receive(HEAD)
    pieces = []
    for read in reads:
        receive(read)
        pieces.append(body())
    return b"".join(pieces)


def _by_hand(reads: list[bytes]) -> bytes:
    receive = Unchunk().receive
    return b"".join([receive(read) for read in reads])


def run(settings: Settings) -> Findings:
    """A chat, one event a chunk; and the same in 16 KiB reads, for the table."""
    found = Findings()
    body = shape("chat").bodies[0]
    chunks = [chunk(frame) for frame in body.frames] + [LAST_CHUNK]
    wire = b"".join(chunks)
    blocks = [wire[i : i + 16384] for i in range(0, len(wire), 16384)]
    ways: dict[str, Callable[[list[bytes]], bytes]] = {
        H11: _by_h11,
        OURS: _by_decoder,
        EXCHANGE: _by_exchange,
        HAND: _by_hand,
    }
    expected = b"".join(body.frames)
    for words, reads in (("one event a chunk, one chunk a read", chunks), ("16 KiB reads", blocks)):
        sides: dict[str, Callable[[], bytes]] = {}
        for name, way in ways.items():
            same(name, way(reads), expected)
            sides[name] = lambda way=way, reads=reads: way(reads)  # type: ignore[misc]
        timed = race(sides, settings)
        found.tables.append(
            race_table(
                f"HTTP body, {words}",
                timed,
                units=len(chunks),
                size=len(wire),
                unit="ns/chunk",
                floor=H11,
            )
        )
        if reads is chunks:
            for name in (OURS, EXCHANGE):
                found.verdicts.append(
                    Verdict(
                        goal="P4",
                        what=f"{'ChunkedDecoder' if name == OURS else 'HTTPExchange'} to h11",
                        wanted="<=",
                        limit=0.2,
                        measured=timed.ratio(name, H11),
                        gate=0.4,
                    )
                )
    return found
