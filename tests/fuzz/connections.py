"""Targets that read what stands around the body: chunks, answers, TLS records, whole calls, addresses and proxies."""

from __future__ import annotations

import ssl
from functools import cache
from random import Random
from typing import Final
from urllib.parse import urlsplit

import pytest
from attrs import define

from sansio_claude._connect.address import parse_address
from sansio_claude._connect.proxy import ConnectExchange, Proxy, parse_proxy
from sansio_claude._connect.socks import SocksExchange
from sansio_claude._connect.tls import TLSExchange
from sansio_claude._errors import (
    APIError,
    LocalProtocolError,
    ProxyError,
    RemoteProtocolError,
    TLSError,
    TransportError,
)
from sansio_claude._limits import Limits
from tests.certificates import client_context, server_context
from tests.fuzz.target import Target, cut, dice_for, spliced
from tests.invariants import holds_no_secret
from tests.mutations import break_bytes
from tests.properties.h11_whole import WholeH11
from tests.properties.test_call import Plodding, seen
from tests.properties.test_chunked import said, same
from tests.properties.test_http import read, stricter
from tests.virtual import FRAMES, GOOD, OVERLOADED, PING, SECRET, Peer, ServerTLS, World, answer, chunked, head, refusal

__all__ = ["TARGETS"]

_CHUNK_TOKENS: Final = (
    *(b"0\r\n\r\n", b"5\r\nhello\r\n", b"1\r\n", b"a\r\n", b"F;x=y\r\n", b"\r\n", b"\n", b"\r", b";", b" ", b"\t"),
    *(
        b"0",
        b"x",
        b"+1\r\n",
        b"0x1\r\n",
        b"f" * 20 + b"\r\n",
        b"f" * 21 + b"\r\n",
        b"a: b\r\n",
        b" fold\r\n",
        b": b\r\n",
    ),
    *(b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"\0", b"\v", b"\xff"),
)
_CHUNK_SEEDS: Final = (
    b"5\r\nhello\r\n0\r\n\r\n",
    b"5;a=b\r\nhello\r\n3\r\n\r\na\r\n0\r\na: b\r\n c\r\n\r\nrest",
    b"00\r\n\r\n",
)


def _mutate_lines(data: bytes, dice: Random) -> bytes:
    """Lines left out, doubled, exchanged or changed; and bytes."""
    if dice.random() < 0.6:
        return spliced(data.splitlines(keepends=True), _CHUNK_TOKENS, dice)
    at = dice.randrange(len(data) + 1)
    if dice.random() < 0.5:
        return data[:at] + dice.choice(_CHUNK_TOKENS) + data[at:]
    return break_bytes(data, dice)


def _check_chunked(data: bytes) -> None:
    if not data:
        return  # to h11 the end of the connection
    dice = dice_for(data)
    same([data])
    same(cut(data, dice))
    limits = Limits(chunk_line=dice.randint(1, 30), trailers=dice.randint(1, 30))
    assert said(cut(data, dice), limits) == said([data], limits)


_ANSWERS: Final = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\na: b\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.1 103 Hints\r\na: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
    b"HTTP/1.0 200 OK\na:\tb\n\nhello",
    b"HTTP/1.1 204 None\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
)


def _check_exchange(data: bytes) -> None:
    dice = dice_for(data)
    method = dice.choice((b"POST", b"GET", b"HEAD"))
    theirs = WholeH11(method=method)
    theirs.receive(data)
    reusable = theirs.seen.reusable
    if not theirs.seen.done:
        theirs.receive_eof()
    ours = read([data], method=method)
    assert read(cut(data, dice), method=method) == ours
    assert ours["done"] == (ours["error"] is None)
    if stricter(theirs, ours):
        return
    assert (ours["body"], ours["done"]) == (theirs.seen.body, theirs.seen.done)
    assert (ours["error"] is not None) == theirs.seen.broken
    final = [(status, tuple(fields)) for status, fields in theirs.seen.heads if status >= 200]
    assert [(found[0], found[2]) for found in [ours["head"]] if found] == final
    both = final and {b"transfer-encoding", b"content-length"} <= {name for name, _ in final[0][1]}
    assert ours["reusable"] == (reusable and not both)


_PLAIN: Final = (b"hello ", b"x" * 300, b"the end")


def _check_tls(data: bytes) -> None:
    """The bytes are a program: which record is left out, doubled, exchanged, cut or changed, one step for four bytes.

    What comes out is the beginning of what was sent; where anything else came in, a TLSError follows it.
    """
    client = TLSExchange(client_context(), "localhost")
    server = ServerTLS(server_context("localhost"))
    as_sent = True
    if data and data[0] < 32:
        server.take(client.data_to_send())
        flight = server.pending()
        changed = _changed_records([flight], data)
        as_sent = changed == flight
        client.receive_data(changed)
    try:
        while not client.handshake_done and not client.ended and (sent := client.data_to_send()):
            server.take(sent)
            client.receive_data(server.pending())
        server.take(client.data_to_send())
        client.receive_data(server.pending())  # session tickets
        records = [server.encrypt(each) for each in _PLAIN] if client.handshake_done else []
    except ssl.SSLError:  # the server refused what it got, and sends nothing more
        client.receive_eof()
        _done_or_refused(client)
        return
    if not client.handshake_done:
        client.receive_eof()
        _expect_tls_error(client)
        return
    if data[:1] != b"\xff":
        records.append(server.close_notify())
    stream = _changed_records(records, data)
    plain = b""
    broken = False
    for chunk in cut(stream, dice_for(data)):
        client.receive_data(chunk)
        try:
            plain += client.plaintext_received()
        except TLSError:
            broken = True
    client.receive_eof()
    whole = b"".join(_PLAIN)
    assert whole.startswith(plain)
    assert not (client.ended_cleanly and plain != whole)
    if as_sent and stream == b"".join(records):
        assert not broken
        assert plain == whole
        assert client.ended_cleanly == (data[:1] != b"\xff")
    if broken:
        _expect_tls_error(client)
    client.close()


def _done_or_refused(client: TLSExchange) -> None:
    """Nothing was sent to this client, so that there is nothing to get."""
    try:
        plain = client.plaintext_received()
    except TLSError:
        plain = b""
    assert plain == b""
    assert not client.idle


def _expect_tls_error(client: TLSExchange) -> None:
    for _ in range(2):
        with pytest.raises(TLSError):
            client.plaintext_received()


def _changed_records(records: list[bytes], data: bytes) -> bytes:
    records = list(records)
    for at in range(1, len(data) - 3, 4):
        if not records:
            break
        step, which, place, value = data[at : at + 4]
        number = which % len(records)
        record = records[number]
        spot = place * len(record) // 256 if place < 250 else place - 250
        match step % 7:
            case 0:
                del records[number]
            case 1:
                records.insert(number, record)
            case 2:
                other = value % len(records)
                records[number], records[other] = records[other], record
            case 3:
                records[number] = record[:spot]
            case 4:
                records[number] = record[:spot] + bytes((value,)) + record[spot + 1 :]
            case 5:
                records.insert(number, bytes((21, 3, 3, 0, 2, 1 + (value & 1), value)))
            case _:
                records.insert(number, bytes((20 + value % 5, 3, 3, 0, place)) + bytes(place))
    return b"".join(records)


_CALLS: Final = (
    GOOD,
    head() + chunked(*FRAMES),
    head() + chunked(*FRAMES[:4], last=False),
    answer(*FRAMES[:3], OVERLOADED),
    answer(PING, *FRAMES),
    refusal(529, "overloaded_error"),
    refusal(400, "invalid_request_error", "retry-after: 1", message=f"bad key {SECRET}"),
    head(200, "content-encoding: gzip") + chunked(b"\x1f\x8b"),
    head(200, "content-type: application/json", framing=None) + b'{"type":"error"}',
)


def _check_call(data: bytes) -> None:
    dice = dice_for(data)
    pieces = cut(data, dice)
    end = dice.choice(("eof", "reset", "hang"))
    retries = dice.choice((0, 1))
    results = []
    for kind in (World, Plodding):
        world = kind(Peer([*pieces, end]), Peer([GOOD, "eof"]), max_retries=retries)
        outcome = world.run()
        results.append(seen(outcome, world))
        error = outcome.error
        if error is None:
            assert outcome.call.message is not None
        else:
            assert isinstance(error, (TransportError, RemoteProtocolError, APIError))
            holds_no_secret(error, SECRET)
        assert world.pool.taken == 0
        for note in world.trace:
            assert SECRET not in repr(note)
    assert results[0] == results[1]


_ADDRESSES: Final = (
    *(
        b"https://api.test/v1/messages?a=%20",
        b"HTTP://[::1]:80/x",
        b"https://b\xc3\xbccher.example:443",
        b"http://127.0.0.1:1",
    ),
    *(b"https://user:pw@h/", b"https://h/#x", b"https://xn--bcher-kva.example./p?", b"https://1.2.3/", b"//h"),
)
_ADDRESS_TOKENS: Final = tuple(
    b"://,:,@,[,],::1,?,#,%41,%,/,\\, ,..,.,xn--,0x7f,127.1,:65536,:0,\xc3\x9f,\xe3\x80\x82".split(b",")
)


def _mutate_address(data: bytes, dice: Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    if dice.random() < 0.5:
        return data[:at] + dice.choice(_ADDRESS_TOKENS) + data[at + dice.randrange(3) :]
    return break_bytes(data, dice)[:300]


def _check_address(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    try:
        address = parse_address(text)
    except LocalProtocolError as error:
        holds_no_secret(error, *(part for part in text.split("/") if len(part) >= 12))
        return
    assert parse_address(address.url).url == address.url
    assert address.host.isascii()
    assert 0 < address.port < 65_536
    split = urlsplit(address.url)
    assert (split.scheme, split.hostname) == (address.scheme, address.host)
    assert (split.port or {"http": 80, "https": 443}[split.scheme]) == address.port
    assert not set(address.target) & set(" \r\n\t\\#")
    assert address.target.isascii()


_PROXIES: Final = (
    b"\x05\x00\x05\x00\x00\x01\x0a\x00\x00\x01\x1f\x90",
    b"\x05\x02\x01\x00\x05\x00\x00\x03\x09proxy.lan\x00\x50",
    b"\x05\x02\x01\x00\x05\x00\x00\x04" + bytes(16) + b"\x00\x50",
    b"\x05\x00\x05\x05\x00\x01" + bytes(6),
    b"HTTP/1.1 200 Open\r\nvia: x\r\n\r\n",
    b"HTTP/1.1 100 Go\r\n\r\nHTTP/1.0 407 Who\r\nproxy-authenticate: Basic\r\n\r\n",
    b"socks5h://us%65r:p%40ss@[::1]:9/",
    b"http://user:hunter22@proxy.test:3128",
)


def _check_proxies(data: bytes) -> None:
    dice = dice_for(data)
    chunks = cut(data, dice)
    signed = Proxy.parse("socks5://user:hunter22@proxy.test")
    plain = Proxy(host="proxy.test", port=1080, kind="socks5")
    http = Proxy.parse("http://user:hunter22@proxy.test:3128")
    limits = Limits(head=dice.choice((30, 65_536)), informational=dice.choice((0, 10)))
    bytewise = [bytes((byte,)) for byte in data]
    for proxy in (plain, signed):
        slow = _asked(SocksExchange(proxy, "api.test", 443), bytewise)
        fast = _asked(SocksExchange(proxy, "api.test", 443), chunks)
        assert not fast.open or slow == fast  # a proxy that answers before it is asked is refused
    asked = [ConnectExchange(http, "api.test", 443, limits=limits) for _ in range(2)]
    assert _asked(asked[0], bytewise) == _asked(asked[1], chunks)
    try:
        found = parse_proxy(data.decode("utf-8", "surrogateescape"))
    except LocalProtocolError as error:
        holds_no_secret(error, "hunter22", "p%40ss")
    else:
        # Nothing else is shown: a user may be called as a word of it, such as "http".
        assert repr(found) == f"Proxy(host={found.host!r}, port={found.port}, kind={found.kind!r})"


@define
class _Asked:
    """What a proxy was sent, and what came of it."""

    sent: bytes
    open: bool
    words: str
    passing: bool


def _asked(exchange: SocksExchange | ConnectExchange, chunks: list[bytes]) -> _Asked:
    sent = exchange.data_to_send()
    for chunk in chunks:
        exchange.receive_data(chunk)
        sent += exchange.data_to_send()
    exchange.receive_eof()
    assert exchange.done or exchange.error is not None
    if exchange.error is not None:
        assert isinstance(exchange.error, ProxyError)
        holds_no_secret(exchange.error, "hunter22", "dXNlcjpodW50ZXIyMg==")
    is_open = exchange.done and exchange.error is None
    return _Asked(sent, is_open, str(exchange.error), exchange.passing)


@cache
def _tls_seeds() -> tuple[bytes, ...]:
    steps = [bytes((64, step, which, 128, 7)) for step in range(7) for which in range(3)]
    return (b"", b"\xff", *steps, *(b"\x00" + each[1:] for each in steps[::3]))


TARGETS: Final = (
    Target("chunked", lambda: _CHUNK_SEEDS, _check_chunked, _mutate_lines, _CHUNK_TOKENS, most=600),
    Target("exchange", lambda: _ANSWERS, _check_exchange, _mutate_lines, _CHUNK_TOKENS, most=1_000),
    Target("tls", _tls_seeds, _check_tls, break_bytes, most=40),
    Target("call", lambda: _CALLS, _check_call, _mutate_lines, _CHUNK_TOKENS),
    Target("address", lambda: _ADDRESSES, _check_address, _mutate_address, _ADDRESS_TOKENS, most=300),
    Target("proxies", lambda: _PROXIES, _check_proxies, break_bytes, (b"\x05\x00", b"\x05\x02", b"\r\n\r\n"), most=400),
)
