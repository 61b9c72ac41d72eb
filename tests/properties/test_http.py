"""HTTPExchange against an h11 that is given everything, and against itself: answers written, damaged, and any bytes."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sansio_claude._errors import LimitError, LocalProtocolError, RemoteProtocolError, TruncatedError
from sansio_claude._http.exchange import HTTPExchange, WrittenHead
from sansio_claude._limits import Limits
from sansio_claude.testing import chunkings
from tests.properties.h11_whole import WholeH11

LINE_ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n"])
STATUS_LINES = st.sampled_from(
    [
        *[b"HTTP/1.1 200 OK"] * 6,
        *(b"HTTP/1.0 200 OK", b"HTTP/1.1 204 None", b"HTTP/1.1 304 Same", b"HTTP/1.1 500", b"HTTP/1.1 999 Odd"),
        *(b"HTTP/1.1 099 Low", b"HTTP/1.1 20 Short", b"HTTP/1.1  200 OK", b"HTTP/1.1 200 O\0K", b"HTTP/1.x 200 OK"),
    ]
)
FIELDS = st.sampled_from(
    [
        *[b"Transfer-Encoding: chunked", b"Content-Length: 5"] * 3,
        *(b"Content-Length: 0", b"content-length: 12", b"Content-Length: 5, 5", b"Content-Length: 5, 6"),
        *(b"Content-Length: " + b"1" * 21, b"Content-Length: x", b"transfer-encoding: Chunked", b"TE: gzip"),
        *(b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding:", b"Connection: close", b"connection: a, Close"),
        *(
            b"Connection: keep-alive",
            b"Connection: closed",
            b"a: b",
            b"a:",
            b"a:\tb \t",
            b"a: \xe9",
            b" fold",
            b"\tfold",
        ),
        *(b"no colon", b"a : b", b"a: b\0", b"a: b\rc", b"a: b\vc", b": b", b"a b: c", b"\xe9: b", b"a: b\r"),
    ]
)
BODIES = st.sampled_from(
    [
        *(
            b"",
            b"5\r\nhello\r\n0\r\n\r\n",
            b"5\r\nhello\r\n0\r\na: b\r\n\r\n",
            b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n",
            b"hello",
        ),
        *(
            b"hello, world",
            b"helloHTTP/1.1 200 OK\r\n\r\n",
            b"5\r\nhel",
            b"0\r\n\r\n",
            b"0\r\n\r\nsurplus",
            b"zz\r\n",
            b"hel",
        ),
        *(b"5\r\nhello\r\n0\r\nno colon\r\n\r\n", b"5\r\nhelloX"),
    ]
)
EARLY = st.sampled_from(
    [*[b""] * 4, b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Hints\nConnection: close\na: b\n\n"]
)
REQUEST = st.sampled_from([b"POST", b"POST", b"GET", b"HEAD"])
_STRICTER = ("it is HTTP/", "not HTTP/1.1", "it is 101")
ROOMY = Limits(head=1 << 30, chunk_line=1 << 30, trailers=1 << 30, informational=1 << 30)


@st.composite
def heads(draw: st.DrawFn) -> bytes:
    lines = [draw(STATUS_LINES), *draw(st.lists(FIELDS, max_size=5))]
    return b"".join(line + draw(LINE_ENDS) for line in lines) + draw(LINE_ENDS)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """An answer more or less as it should be, sometimes with one thing done to it."""
    data = bytearray(draw(EARLY) + draw(heads()) + draw(BODIES))
    place = draw(st.integers(0, len(data) - 1))
    match draw(st.integers(0, 5)):
        case 0:
            data[place] = draw(st.integers(0, 255))
        case 1:
            del data[place:]
        case 2:
            data[place:place] = draw(st.one_of(FIELDS, LINE_ENDS, st.binary(max_size=3)))
        case _:
            pass
    return bytes(data)


def read(
    pieces: list[bytes], *, method: bytes = b"POST", eof: bool | None = True, limits: Limits = ROOMY
) -> dict[str, Any]:
    """Everything that can be seen of an answer."""
    found = HTTPExchange(method=method, target=b"/", headers=[(b"Host", b"localhost")], limits=limits)
    found.data_to_send()
    body, error, reusable = b"", None, False
    for piece in [*pieces, None]:
        if piece is None:
            reusable = found.reusable
            if eof is None:
                break
            found.receive_eof(eof)
        else:
            found.receive_data(piece)
        try:
            while part := found.body_received():
                assert error is None
                body += part
        except RemoteProtocolError as caught:
            error = caught
    return {
        "head": found.head and (found.head.status, found.head.reason, found.head.headers),
        "early": found.informational,
        "body": body,
        "done": found.done,
        "reusable": reusable,
        "received": found.received,
        "error": error and (type(error), str(error), error.excerpt, error.offset, error.stage),
    }


def stricter(theirs: WholeH11, ours: dict[str, Any]) -> bool:
    """Is a head refused here that h11 takes: of a version that is not 1.x, say? Nothing behind it is compared then,
    whatever h11 made of that."""
    refused = ours["error"] is not None and any(words in ours["error"][1] for words in _STRICTER)
    taken = ours["early"] + (ours["head"] is not None)
    if not refused or (theirs.seen.broken and len(theirs.seen.heads) <= taken):
        return False
    assert (ours["body"], ours["head"], ours["reusable"]) == (b"", None, False)
    return True


@given(answers(), REQUEST)
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", b"POST")
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", b"POST")
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"POST")
def test_as_an_h11_that_is_given_everything(data: bytes, method: bytes) -> None:
    theirs = WholeH11(method=method)
    theirs.receive(data)
    reusable = theirs.seen.reusable
    if not theirs.seen.done:
        theirs.receive_eof()
    ours = read([data], method=method)
    if stricter(theirs, ours):
        return
    seen = theirs.seen
    assert ours["body"] == seen.body
    assert ours["done"] == seen.done
    assert (ours["error"] is not None) == seen.broken
    statuses = [status for status, _ in seen.heads]
    assert ours["early"] == sum(status < 200 for status in statuses)
    final = [(status, tuple(headers)) for status, headers in seen.heads if status >= 200]
    assert [(head[0], head[2]) for head in [ours["head"]] if head] == final
    both = final and {b"transfer-encoding", b"content-length"} <= {name for name, _ in final[0][1]}
    assert ours["reusable"] == (reusable and not both)


@given(
    st.one_of(answers(), st.binary(max_size=60), answers().map(lambda data: b"H" + data)),
    st.sampled_from([None, True, False]),
)
def test_any_chunking_says_the_same(data: bytes, eof: bool | None) -> None:
    for limits in (ROOMY, Limits(head=40, chunk_line=4, trailers=5, informational=0)):
        expected = read(chunkings.whole(data), eof=eof, limits=limits)
        assert read(chunkings.bytewise(data), eof=eof, limits=limits) == expected
        for pieces in chunkings.every_cut(data):
            assert read(pieces, eof=eof, limits=limits) == expected


@given(st.one_of(answers(), st.binary(max_size=60)), st.booleans())
def test_done_or_one_error_of_ours(data: bytes, eof: bool) -> None:
    seen = read(chunkings.whole(data), eof=eof)
    assert seen["done"] == (seen["error"] is None)
    assert seen["received"] == len(data)
    if seen["error"] is not None:
        assert seen["error"][0] in (RemoteProtocolError, TruncatedError, LimitError)
        assert seen["error"][4] == "exchange"
        assert not seen["reusable"]


@given(answers(), answers())
def test_an_answer_is_not_changed_by_what_follows_it(data: bytes, more: bytes) -> None:
    alone = read(chunkings.whole(data), eof=None)
    if not alone["done"] or not more:
        return
    followed = read(chunkings.whole(data + more), eof=None)
    if not alone["reusable"] and followed["received"] and b"chunked" not in data.lower() and b"ength" not in data:
        return  # it ended with the connection
    assert {**followed, "received": 0, "reusable": False} == {**alone, "received": 0, "reusable": False}
    assert not followed["reusable"]


CODED = st.sampled_from(["gzip", "zlib", "raw"])
TEXTS = st.lists(
    st.sampled_from([b"data: ", b"x" * 700, b"\n\n", bytes(90_000)]) | st.binary(max_size=40), max_size=8
).map(b"".join)


def pack(kind: str, text: bytes) -> bytes:
    packer = zlib.compressobj(wbits={"gzip": 31, "zlib": 15, "raw": -15}[kind])
    return packer.compress(text) + packer.flush()


@st.composite
def coded(draw: st.DrawFn) -> tuple[str, bytes, bytes]:
    kind = draw(CODED)
    text = draw(TEXTS)
    data = bytearray(pack(kind, text))
    if draw(st.booleans()):
        place = draw(st.integers(0, len(data) - 1))
        data[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return ("gzip" if kind == "gzip" else "deflate"), bytes(data), text


@given(coded(), st.integers(0, 1000))
def test_codings_in_any_chunking(case: tuple[str, bytes, bytes], seed: int) -> None:
    coding, data, text = case
    whole = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n%b" % (
        coding.encode(),
        len(data),
        data,
    )
    for limits in (Limits(), Limits(decompressed=500), Limits(ratio=2)):
        expected = read(chunkings.whole(whole), limits=limits)
        for pieces in (chunkings.bytewise(whole), chunkings.random(whole, seed)):
            assert read(pieces, limits=limits) == expected
        assert len(expected["body"]) <= limits.decompressed
        if data == pack("gzip", text) and expected["error"] is None:
            assert expected["body"] == text == gzip.decompress(data)


BAD = st.one_of(
    st.binary(max_size=12), st.sampled_from([b"a\r\nb", b"a\nb", b" a", b"a ", b"\0", b"k\r\n\r\nGET / HTTP/1.1"])
)


@given(BAD, BAD, BAD, BAD)
def test_no_header_can_be_injected(method: bytes, target: bytes, name: bytes, value: bytes) -> None:
    """What h11 writes, an h11 server reads as the one request that was meant; else nothing is written."""
    headers = [(b"Host", b"localhost"), (name, value)]
    try:
        written = HTTPExchange(method=method, target=target, headers=headers, body=b"{}").data_to_send()
    except LocalProtocolError:
        with pytest.raises(LocalProtocolError):
            WrittenHead(method=method, target=target, headers=headers)
        return
    if name.lower() not in (b"content-length", b"transfer-encoding"):
        assert WrittenHead(method=method, target=target, headers=headers).request(b"{}") == written
    server = h11.Connection(h11.SERVER)
    server.receive_data(written)
    request = server.next_event()
    assert isinstance(request, h11.Request)
    assert (request.method, request.target) == (method, target)
    sent = [(found.lower(), what) for found, what in headers]
    assert [pair for pair in request.headers if pair[0] != b"content-length"] == [
        pair for pair in sent if pair[0] != b"content-length"
    ]
    assert written.count(b"\r\n") == 2 + len(request.headers)
