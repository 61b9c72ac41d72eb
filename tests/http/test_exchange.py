"""HTTPExchange: requests, heads, bodies, ends, faults. Every answer is read whole, bytewise and in odd pieces."""

from __future__ import annotations

import copy
import gzip
import zlib
from collections.abc import Callable
from typing import Any

import attrs
import h11
import pytest

from sansio_claude._errors import LimitError, LocalProtocolError, RemoteProtocolError, TruncatedError
from sansio_claude._http import exchange as _http
from sansio_claude._http.exchange import HTTPExchange, WrittenHead
from sansio_claude._limits import Limits
from sansio_claude.testing import chunkings

HOST = (b"Host", b"localhost")
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n"
HELLO = b"5\r\nhello\r\n0\r\n\r\n"


@attrs.define
class Outcome:
    status: int | None
    informational: int
    body: bytes
    done: bool
    reusable: bool
    error: tuple[type, str, bytes, int | None] | None
    received: int


def exchange(**options: Any) -> HTTPExchange:
    if "written" in options:
        return HTTPExchange(**options)
    return HTTPExchange(**{"target": b"/v1/messages", "headers": [HOST], "body": b"{}", **options})


def run(pieces: list[bytes], eof: bool | None, **options: Any) -> Outcome:
    """Read everything after each piece; the request was sent. `eof` is None, or whether the end was clean."""
    found = exchange(**options)
    found.data_to_send()
    body = b""
    errors: list[RemoteProtocolError] = []
    ends: list[Callable[[], None]] = [lambda piece=piece: found.receive_data(piece) for piece in pieces]  # type: ignore[misc]
    if eof is not None:
        ends.append(lambda: found.receive_eof(eof))
    for end in ends:
        end()
        try:
            while part := found.body_received():
                assert not errors
                body += part
        except RemoteProtocolError as caught:
            errors.append(caught)
    error = errors[0] if errors else None
    if error is not None:
        assert all(later is error for later in errors)
        assert error.stage == "exchange"
        assert error.__cause__ is None
        assert error.__context__ is None
        with pytest.raises(type(error)):
            found.body_received()
    return Outcome(
        found.head.status if found.head else None,
        found.informational,
        body,
        found.done,
        found.reusable,
        (type(error), str(error), error.excerpt, error.offset) if error else None,
        found.received,
    )


def answer(data: bytes, eof: bool | None = None, *, cuts: bool = True, **options: Any) -> Outcome:
    """What an answer comes to, the same in every chunking."""
    outcome = run(chunkings.whole(data), eof, **options)
    others = [chunkings.steps(data, 1000), chunkings.steps(data, 16384)]
    if cuts:
        others += [chunkings.bytewise(data), chunkings.steps(data, 7)]
        others += [chunkings.random(data, seed) for seed in range(5)]
    for pieces in others:
        assert run(pieces, eof, **options) == outcome
    assert outcome.received == len(data)
    return outcome


# Writing.


def test_the_request() -> None:
    found = exchange(headers=[HOST, (b"x-api-key", b"k"), (b"Content-Type", b"application/json")], body=b'{"a":1}')
    assert found.data_to_send() == (
        b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nx-api-key: k\r\nContent-Type: application/json\r\n"
        b'Content-Length: 7\r\n\r\n{"a":1}'
    )
    assert found.data_to_send() == b""
    assert found.data_to_send() == b""


@pytest.mark.parametrize(
    ("method", "headers", "body", "written"),
    [
        (b"GET", [], b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        (b"HEAD", [], b"", b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        (b"GET", [], b"x", b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx"),
        (b"POST", [], b"", b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"),
        (
            b"POST",
            [(b"content-length", b"1")],
            b"x",
            b"POST / HTTP/1.1\r\nHost: localhost\r\ncontent-length: 1\r\n\r\nx",
        ),
        (
            b"POST",
            [(b"Transfer-Encoding", b"chunked")],
            b"x",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        ),
    ],
)
def test_the_length_of_a_request(
    method: bytes, headers: list[tuple[bytes, bytes]], body: bytes, written: bytes
) -> None:
    found = HTTPExchange(method=method, target=b"/", headers=[HOST, *headers], body=body)
    assert found.data_to_send() == written


@pytest.mark.parametrize(
    "options",
    [
        {"headers": []},
        {"headers": [HOST, HOST]},
        {"headers": [HOST, (b"x-api-key", b"secret\r\nx: y")]},
        {"headers": [HOST, (b"x-api-key", b"secret\n")]},
        {"headers": [HOST, (b"x-api-key", b"secret\0")]},
        {"headers": [HOST, (b"x-api-key", b" secret")]},
        {"headers": [HOST, (b"secret\r\nx", b"y")]},
        {"headers": [HOST, (b"", b"secret")]},
        {"headers": [HOST, (b"Content-Length", b"1")]},
        {"headers": [HOST, (b"Content-Length", b"3")]},
        {"headers": [HOST, (b"Content-Length", b"secret")]},
        {"headers": [HOST, (b"Transfer-Encoding", b"secret")]},
        {"target": b"/secret path"},
        {"target": b"/\r\nx: secret"},
        {"target": b""},
        {"method": b"sec ret"},
    ],
)
def test_a_request_that_is_not_legal(options: dict[str, Any]) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        exchange(**options)
    assert str(caught.value).startswith("the request is not legal HTTP: ")
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None  # h11's own words quote the value


# Bodies that are whole.


def test_chunks_may_be_offered_to_their_decoder_where_nothing_stands_behind_it() -> None:
    found = exchange()
    decoders = [found.chunks]
    found.receive_data(CHUNKED + b"\r\n5\r\nhello\r\n")
    decoder = found.chunks
    assert decoder is not None
    assert found.body_received() == b"hello"
    assert decoder.receive_chunk(b"5\r\nworld\r\n") == b"world"
    found.receive_data(b"0\r\n\r\n")
    assert found.received == len(CHUNKED) + 2 + 10 + 10 + 5
    decoders.append(found.chunks)
    for head in (CHUNKED + b"Content-Encoding: gzip\r\n", OK + b"Content-Length: 5\r\n", OK):
        other = exchange()
        other.receive_data(head + b"\r\n")
        decoders.append(other.chunks)
    assert decoders == [None] * 5


@pytest.mark.parametrize(
    ("data", "eof", "body", "reusable"),
    [
        (CHUNKED + b"\r\n" + HELLO, None, b"hello", True),
        (CHUNKED + b"\r\n5\r\nhello\r\n0\r\na: b\r\n\r\n", None, b"hello", True),
        (CHUNKED + b"\r\n0\r\n\r\n", None, b"", True),
        (CHUNKED.replace(b"\r\n", b"\n") + b"\n" + HELLO, None, b"hello", True),
        (CHUNKED + b"Connection: close\r\n\r\n" + HELLO, None, b"hello", False),
        (CHUNKED + b"Content-Length: 3\r\n\r\n" + HELLO, None, b"hello", False),
        (CHUNKED.replace(b"1.1", b"1.0") + b"\r\n" + HELLO, None, b"hello", False),
        (OK + b"Content-Length: 5\r\n\r\nhello", None, b"hello", True),
        (OK + b"Content-Length: 5, 5\r\n\r\nhello", None, b"hello", True),
        (OK + b"Content-Length: 5\r\nConnection: Close\r\n\r\nhello", None, b"hello", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello", None, b"hello", False),
        (b"HTTP/1.2 200 OK\r\nContent-Length: 5\r\n\r\nhello", None, b"hello", True),
        (OK + b"Content-Length: 0\r\n\r\n", None, b"", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", None, b"", True),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nContent-Encoding: br\r\n\r\n", None, b"", True),
        (b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", None, b"", True),
        (OK + b"\r\nhello", True, b"hello", False),
        (b"HTTP/1.0 200 OK\r\n\r\nhello", True, b"hello", False),
        (b"HTTP/1.1 200\r\n\r\n", True, b"", False),
        # Whole before the connection ended, however it ended; but it has ended.
        (CHUNKED + b"\r\n" + HELLO, True, b"hello", False),
        (CHUNKED + b"\r\n" + HELLO, False, b"hello", False),
        (OK + b"Content-Length: 5\r\n\r\nhello", False, b"hello", False),
    ],
)
def test_bodies(data: bytes, eof: bool | None, body: bytes, reusable: bool) -> None:
    outcome = answer(data, eof)
    assert (outcome.body, outcome.done, outcome.reusable, outcome.error) == (body, True, reusable, None)


@pytest.mark.parametrize(
    "data",
    [
        CHUNKED + b"\r\n" + HELLO,
        OK + b"Content-Length: 5\r\n\r\nhello",
        OK + b"Content-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ],
)
@pytest.mark.parametrize("surplus", [b"\n", b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"])
def test_bytes_beyond_the_end_make_the_connection_unusable_and_appear_nowhere(data: bytes, surplus: bytes) -> None:
    outcome = answer(data + surplus)
    assert outcome.done
    assert not outcome.reusable
    assert b"forged" not in outcome.body
    assert outcome.error is None


def test_the_answer_to_head_has_no_body() -> None:
    outcome = answer(OK + b"Content-Length: 5\r\n\r\n", method=b"HEAD", body=b"")
    assert (outcome.body, outcome.done, outcome.reusable) == (b"", True, True)


def test_a_tunnel_has_no_body_and_is_not_reusable() -> None:
    options: Any = {"method": b"CONNECT", "target": b"localhost:443", "body": b"", "headers": [HOST]}
    outcome = answer(OK + b"\r\n", **options)
    assert (outcome.body, outcome.done, outcome.reusable) == (b"", True, False)
    assert answer(b"HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno", **options).body == b"no"


@pytest.mark.parametrize("data", [CHUNKED + b"\r\n" + HELLO, OK + b"Content-Length: 5\r\n\r\nhello"])
@pytest.mark.parametrize("value", [b"close", b"keep-alive, Close"])
def test_a_request_that_says_close(data: bytes, value: bytes) -> None:
    outcome = answer(data, headers=[HOST, (b"Connection", value)])
    assert outcome.done
    assert not outcome.reusable


def test_an_answer_before_the_request_was_taken_is_not_reusable() -> None:
    found = exchange()
    found.receive_data(CHUNKED + b"\r\n" + HELLO)
    assert (found.done, found.reusable) == (True, False)
    found.data_to_send()
    assert (found.done, found.reusable) == (True, True)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("framing", [b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"\r\nhello"])
def test_any_kind_of_bytes(kind: Any, framing: bytes) -> None:
    found = exchange()
    for piece in (OK + framing[:-7], framing[-7:]):
        buffer = bytearray(piece)
        found.receive_data(kind(buffer))
        buffer[:] = bytes(len(buffer))
    assert found.body_received() == b"hello"


def test_the_head() -> None:
    found = exchange()
    found.receive_data(b"HTTP/1.1 529 Over\xe9loaded\r\nX-A: 1\r\nrequest-ID:  req_1 \r\nx-a: 2\r\n")
    before = found.head
    found.receive_data(b"\r\n")
    assert before is None
    assert found.head is not None
    assert (found.head.status, found.head.reason, found.head.http_version) == (529, "Over\xe9loaded", "1.1")
    assert found.head.headers == ((b"x-a", b"1"), (b"request-id", b"req_1"), (b"x-a", b"2"))
    assert found.head.get("Request-Id") == "req_1"


# Informational answers.


@pytest.mark.parametrize("count", [1, 2, 100])
def test_informational_answers_are_passed_over(count: int) -> None:
    early = b"HTTP/1.1 100 Continue\r\n\r\n" + b"HTTP/1.1 103 Early Hints\r\nLink: a\r\nConnection: close\r\n\r\n" * (
        count - 1
    )
    outcome = answer(early + CHUNKED + b"\r\n" + HELLO)
    assert (outcome.status, outcome.informational, outcome.body, outcome.reusable) == (200, count, b"hello", True)


@pytest.mark.parametrize("limit", [0, 3, 16, 40])
def test_too_many_informational_answers(limit: int) -> None:
    outcome = answer(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50, limits=Limits(informational=limit))
    assert outcome.error is not None
    assert outcome.error[0] is LimitError
    assert f"more than {limit} " in outcome.error[1]
    assert outcome.informational == limit + 1


def test_a_limit_names_itself() -> None:
    found = exchange(limits=Limits(informational=0))
    found.receive_data(b"HTTP/1.1 100 Continue\r\n\r\n")
    with pytest.raises(LimitError) as caught:
        found.body_received()
    assert (caught.value.limit, caught.value.value) == ("informational", 0)


# Broken heads: one of ours, in words, whatever h11 says.


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (b"HTTP/1.1 abc OK\r\n\r\n", RemoteProtocolError, "the status line is not"),
        (b"HTTP/1.1 99 OK\r\n\r\n", RemoteProtocolError, "the status line is not"),
        (b"HTTP/1.1 099 OK\r\n\r\n", RemoteProtocolError, "below 100"),
        (b"HTTP/9.9 200 OK\r\n\r\n", RemoteProtocolError, "HTTP/9.9"),
        (b"HTTP/0.9 200 OK\r\n\r\n", RemoteProtocolError, "HTTP/0.9"),
        (b"HTTP/2.0 103 Early\r\n\r\n", RemoteProtocolError, "HTTP/2.0"),
        (OK + b"no colon\r\n\r\n", RemoteProtocolError, "line 2 has no colon"),
        (OK + b"a : b\r\n\r\n", RemoteProtocolError, "line 2 has a space before its colon"),
        (OK + b"a: b\0c\r\n\r\n", RemoteProtocolError, "line 2 has a NUL"),
        (OK + b"a: b\rContent-Length: 0\r\n\r\n", RemoteProtocolError, "line 2 has a NUL or a stray control"),
        (OK + b" a: b\r\n\r\n", RemoteProtocolError, "line 2 begins with a space"),
        (OK + b"a: " + b"b" * (1 << 20) + b"\r\n\r\n", LimitError, "65536 bytes (Limits.head)"),
        (OK + b"".join(b"a%d: b\r\n" % i for i in range(20_000)) + b"\r\n", LimitError, "(Limits.head)"),
        (OK + b"a: b\r\n" * 20_000, LimitError, "(Limits.head)"),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n", RemoteProtocolError, "101 Switching Protocols"),
        (OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", RemoteProtocolError, "they differ"),
        (OK + b"Content-Length: 5, 6\r\n\r\nhello", RemoteProtocolError, "they differ"),
        (OK + b"Content-Length: -1\r\n\r\n", RemoteProtocolError, "Content-Length is not a number"),
        (OK + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n", RemoteProtocolError, "1 to 20 digits"),
        (OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", RemoteProtocolError, "1 to 20 digits"),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", RemoteProtocolError, "other than chunked"),
        (OK + b"Transfer-Encoding: xchunked\r\n\r\n", RemoteProtocolError, "other than chunked"),
        (CHUNKED + b"Transfer-Encoding: chunked\r\n\r\n", RemoteProtocolError, "more than once"),
        (b"\0\0\x12\x04\0\0\0\0\0" + bytes(18), RemoteProtocolError, "this looks like HTTP/2"),
        (b"\x15\x03\x03\0\x02\x02\x46", RemoteProtocolError, "this looks like TLS"),
        (b"<html>a proxy's page</html>", RemoteProtocolError, "it does not begin with HTTP/"),
    ],
)
def test_broken_heads(data: bytes, kind: type, words: str) -> None:
    outcome = answer(data, cuts=len(data) < 10_000)
    assert outcome.error is not None
    assert outcome.error[0] is kind
    assert words in outcome.error[1]
    assert (outcome.status, outcome.body, outcome.done, outcome.reusable) == (None, b"", False, False)
    # What came before does not change it, nor does what comes behind it.
    assert answer(b"HTTP/1.1 100 Continue\r\n\r\n" + data, True, cuts=len(data) < 10_000).error == outcome.error


def test_a_status_of_999_is_a_head() -> None:
    assert answer(b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n").status == 999


def test_switching_protocols_is_refused_even_where_the_request_asked() -> None:
    outcome = answer(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        headers=[HOST, (b"Upgrade", b"x"), (b"Connection", b"upgrade")],
    )
    assert outcome.error is not None
    assert "101 Switching Protocols" in outcome.error[1]


def test_spaces_before_a_nul_cost_no_more_than_other_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """h11's expression for a field takes 16 seconds for these 64 KB; it is not asked."""

    asked: list[h11.Connection] = []

    def next_event(self: h11.Connection) -> object:
        asked.append(self)
        return h11.NEED_DATA

    monkeypatch.setattr(h11.Connection, "next_event", next_event)
    assert "NUL" in str(answer(OK + b"a:" + b" " * 60_000 + b"\0\r\n\r\n", cuts=False).error)
    assert not asked


@pytest.mark.parametrize("raised", [ValueError("secret"), AssertionError("secret"), h11.RemoteProtocolError("secret")])
def test_whatever_h11_raises_becomes_ours(raised: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: h11.Connection) -> object:
        raise raised

    monkeypatch.setattr(h11.Connection, "next_event", fail)
    outcome = answer(OK + b"\r\n")
    assert outcome.error is not None
    assert outcome.error[1] == "the head of the answer is not legal: h11 refuses it"


def test_a_h11_that_wants_more_of_a_whole_head_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(h11.Connection, "next_event", lambda self: h11.NEED_DATA)
    assert answer(OK + b"\r\n").error is not None


# Broken bodies.


@pytest.mark.parametrize(
    ("data", "body", "kind", "words"),
    [
        (CHUNKED + b"\r\n2\r\nab\r\nzz\r\nhello\r\n", b"ab", RemoteProtocolError, "hexadecimal"),
        (CHUNKED + b"\r\n0x5\r\nhello\r\n0\r\n\r\n", b"", RemoteProtocolError, "hexadecimal"),
        (CHUNKED + b"\r\n5;a\nb\r\nhello\r\n0\r\n\r\n", b"", RemoteProtocolError, "hexadecimal"),
        (CHUNKED + b"\r\n4\r\nhello\r\n0\r\n\r\n", b"hell", RemoteProtocolError, "not followed by CR LF"),
        (CHUNKED + b"\r\n5\r\nhello\r\n0\r\nno colon\r\n\r\n", b"hello", RemoteProtocolError, "trailers"),
        (CHUNKED + b"\r\n5;" + b"a" * 10_000, b"", LimitError, "4096 bytes (Limits.chunk_line)"),
        (CHUNKED + b"\r\n1\r\na\r\n0\r\n" + b"a: b\r\n" * 5_000, b"a", LimitError, "16384 bytes (Limits.trailers)"),
    ],
)
def test_broken_chunks(data: bytes, body: bytes, kind: type, words: str) -> None:
    for eof in (None, True, False):
        outcome = answer(data, eof)
        assert outcome.error is not None
        assert outcome.error[0] is kind
        assert words in outcome.error[1]
        assert (outcome.status, outcome.body, outcome.done, outcome.reusable) == (200, body, False, False)


@pytest.mark.parametrize(
    ("data", "body", "words"),
    [
        (b"", b"", "before a single byte of an answer came"),
        (b"H", b"", "in the middle of the answer's head, after 1 bytes of it"),
        (b"HTTP/1.1 200 OK\r\n", b"", "in the middle of the answer's head, after 17 bytes of it"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"", r"after informational answers (1) and before the real one"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1", b"", "in the middle of the answer's head, after 6 bytes of it"),
        (CHUNKED + b"\r\n", b"", "before the last chunk"),
        (CHUNKED + b"\r\n5\r\nhel", b"hel", "in the middle of a chunk"),
        (CHUNKED + b"\r\n5\r\nhello\r\n0\r\n", b"hello", "in the middle of the trailers"),
        (OK + b"Content-Length: 5\r\n\r\nhel", b"hel", "after 3 of the 5 bytes"),
        (OK + b"Content-Length: " + b"9" * 20 + b"\r\n\r\nhel", b"hel", "after 3 of the 99999999999999999999 bytes"),
    ],
)
@pytest.mark.parametrize("clean", [True, False])
def test_answers_that_are_cut(data: bytes, body: bytes, words: str, clean: bool) -> None:
    outcome = answer(data, clean)
    assert outcome.error is not None
    assert outcome.error[0] is TruncatedError
    assert words in outcome.error[1]
    assert (outcome.body, outcome.done, outcome.reusable) == (body, False, False)


def test_an_end_without_close_notify_is_no_end_of_a_body_that_needs_one() -> None:
    outcome = answer(OK + b"\r\nhello", False)
    assert outcome.error is not None
    assert outcome.error[0] is TruncatedError
    assert (outcome.body, outcome.done) == (b"hello", False)


def test_a_few_bytes_of_something_else_are_not_a_cut_answer() -> None:
    outcome = answer(b"<html", True)
    assert outcome.error is not None
    assert outcome.error[0] is RemoteProtocolError


# Content codings.


def coded(coding: bytes, data: bytes) -> bytes:
    return CHUNKED + b"Content-Encoding: " + coding + b"\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)


TEXT = b'event: ping\ndata: {"type": "ping"}\n\n' * 20
PACKED = gzip.compress(TEXT, mtime=0)


@pytest.mark.parametrize(
    "data",
    [
        coded(b"gzip", PACKED),
        coded(b"GZIP", PACKED),
        coded(b"gzip", gzip.compress(TEXT[:50]) + gzip.compress(TEXT[50:])),
        coded(b"deflate", zlib.compress(TEXT)),
        coded(b"identity", TEXT),
        OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED) + PACKED,
    ],
)
def test_codings(data: bytes) -> None:
    outcome = answer(data)
    assert (outcome.body, outcome.done, outcome.reusable, outcome.error) == (TEXT, True, True, None)


def test_a_coding_on_a_body_that_ends_with_the_connection() -> None:
    data = OK + b"Content-Encoding: gzip\r\n\r\n" + PACKED
    assert answer(data, True).body == TEXT
    assert answer(data, True).done
    outcome = answer(data, False)
    assert outcome.body == TEXT
    assert outcome.error is not None
    assert outcome.error[0] is TruncatedError


def test_gzip_that_is_not_announced_is_not_decoded() -> None:
    assert answer(OK + b"Content-Length: %d\r\n\r\n" % len(PACKED) + PACKED).body == PACKED


@pytest.mark.parametrize("coding", [b"br", b"zstd", b"gzip, gzip", b"secret"])
def test_codings_that_are_not_decoded(coding: bytes) -> None:
    outcome = answer(coded(coding, b"hello"), True)
    assert outcome.error is not None
    assert outcome.error[0] is RemoteProtocolError
    assert "Content-Encoding" in outcome.error[1]
    assert "secret" not in outcome.error[1]
    assert (outcome.status, outcome.body, outcome.done, outcome.reusable) == (200, b"", False, False)


@pytest.mark.parametrize(
    ("data", "body", "kind", "words"),
    [
        (coded(b"gzip", PACKED[:-3]), TEXT, TruncatedError, "compressed data has not"),
        (coded(b"gzip", PACKED[:9]), b"", TruncatedError, "compressed data has not"),
        (coded(b"gzip", PACKED + b"garbage"), TEXT, RemoteProtocolError, "is broken"),
        (coded(b"gzip", b'{"type":"error"}'), b"", RemoteProtocolError, "is broken"),
        (coded(b"gzip", gzip.compress(bytes(1 << 24))), None, LimitError, "(Limits.ratio)"),
        (coded(b"gzip", PACKED)[:-10], None, None, ""),
    ],
)
def test_broken_codings(data: bytes, body: bytes | None, kind: type | None, words: str) -> None:
    outcome = answer(data, cuts=len(data) < 10_000)
    assert outcome.status == 200
    assert not outcome.done
    assert not outcome.reusable
    assert body is None or outcome.body == body
    assert (outcome.error and outcome.error[0]) is kind
    assert outcome.error is None or words in outcome.error[1]


def test_the_first_thing_wrong_is_what_is_said() -> None:
    broken_chunk = CHUNKED + b"Content-Encoding: gzip\r\n\r\n%x\r\n%b\r\nzz\r\n" % (len(PACKED), PACKED)
    outcome = answer(broken_chunk, True)
    assert outcome.body == TEXT
    assert "hexadecimal" in str(outcome.error)
    broken_gzip = CHUNKED + b"Content-Encoding: gzip\r\n\r\n5\r\nhello\r\nzz\r\n"
    assert "Content-Encoding says" in str(answer(broken_gzip, True).error)


def test_decompressed_bytes_are_limited() -> None:
    outcome = answer(coded(b"gzip", PACKED), limits=Limits(decompressed=len(TEXT) - 1))
    assert outcome.body == TEXT[:-1]
    assert "(Limits.decompressed)" in str(outcome.error)


# Verbs and states.


def test_nothing_comes_of_nothing() -> None:
    found = exchange()
    found.receive_data(b"")
    assert found.body_received() == b""
    assert found.head is None
    assert not found.done
    assert found.received == 0
    found.receive_data(CHUNKED + b"\r\n")
    found.receive_data(b"")
    assert found.body_received() == b""


@pytest.mark.parametrize(
    "data", [b"", OK, CHUNKED + b"\r\n5\r\nhel", OK + b"\r\n", CHUNKED + b"\r\n" + HELLO, b"<html> no http at all"]
)
def test_data_after_the_end_is_the_callers_mistake(data: bytes) -> None:
    found = exchange()
    found.receive_data(data)
    found.receive_eof()
    found.receive_eof(clean=False)
    found.receive_data(b"")
    with pytest.raises(LocalProtocolError, match="after receive_eof"):
        found.receive_data(b"x")
    assert found.received == len(data)


def test_a_second_end_changes_nothing() -> None:
    found = exchange()
    found.receive_data(OK + b"\r\nhello")
    found.receive_eof()
    found.receive_eof(clean=False)
    assert found.done
    assert found.body_received() == b"hello"
    assert found.body_received() == b""


def test_errors_can_be_copied_and_their_traceback_does_not_grow() -> None:
    found = exchange()
    found.receive_data(b"<html> no http at all")
    lengths = set()
    for _ in range(5):
        with pytest.raises(RemoteProtocolError) as caught:
            found.body_received()
        trace, length = caught.value.__traceback__, 0
        while trace is not None:
            trace, length = trace.tb_next, length + 1
        lengths.add(length)
    assert len(lengths) == 1
    assert str(copy.copy(caught.value)) == str(caught.value)


def test_repr_shows_no_value() -> None:
    found = exchange(target=b"/secret", headers=[HOST, (b"x-api-key", b"secret")], body=b"secret")
    assert repr(found) == "<HTTPExchange open, no answer yet, 0 bytes received>"
    found.receive_data(b"HTTP/1.1 200 secret\r\nx: secret\r\nContent-Length: 6\r\n\r\n")
    assert repr(found) == "<HTTPExchange open, 200, 53 bytes received>"
    found.receive_data(b"secret")
    assert repr(found) == "<HTTPExchange done, 200, 59 bytes received>"
    found.receive_eof()
    assert repr(found) == "<HTTPExchange done, 200, 59 bytes received>"
    other = exchange()
    other.receive_eof()
    assert repr(other) == "<HTTPExchange closed, no answer yet, 0 bytes received>"


def test_h11_gets_the_heads_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[bytes] = []
    receive = h11.Connection.receive_data

    def watch(self: h11.Connection, data: bytes) -> None:
        given.append(data)
        receive(self, data)

    monkeypatch.setattr(h11.Connection, "receive_data", watch)
    early = b"HTTP/1.1 100 Continue\r\n\r\n"
    for head, body in [
        (CHUNKED + b"\r\n", b"5;x\r\nhello\r\n000;y\r\na: b\r\n\r\nsurplus"),
        (OK + b"Content-Length: 5\r\n\r\n", b"hellosurplus"),
        (OK + b"\r\n", b"hello"),
    ]:
        given.clear()
        run([early + head + body], True)
        assert given == [early, head]


def test_nothing_of_h11_is_kept_while_a_body_comes() -> None:
    found = exchange()
    found.data_to_send()
    found.receive_data(b"HTTP/1.1 103 Hints\r\n\r\n" + CHUNKED + b"\r\n5\r\nhel")
    kept = [getattr(found, name) for name in HTTPExchange.__slots__]
    assert not any(type(value).__module__.startswith("h11") for value in kept)


# Heads that are written beforehand.

OWN = [HOST, (b"x-api-key", b"k"), (b"Accept", b"application/json")]


@pytest.mark.parametrize("method", [b"POST", b"GET", b"HEAD"])
@pytest.mark.parametrize("body", [b"", b"{}", bytes(100_000)])
def test_a_written_head_gives_the_bytes_that_h11_writes(method: bytes, body: bytes) -> None:
    written = WrittenHead(method=method, target=b"/v1/messages?a=b", headers=OWN)
    plain = HTTPExchange(method=method, target=b"/v1/messages?a=b", headers=OWN, body=body)
    wanted = plain.data_to_send()
    assert wanted.endswith(b"\r\n\r\n" + body)
    for _ in range(2):
        assert HTTPExchange(written=written, body=body).data_to_send() == wanted


@pytest.mark.parametrize("value", [b"close", b"x, Close", b"keep-alive"])
def test_a_written_head_that_says_close(value: bytes) -> None:
    written = WrittenHead(target=b"/", headers=[HOST, (b"Connection", value)])
    outcome = run([CHUNKED + b"\r\n" + HELLO], None, written=written)
    assert outcome.reusable == (b"lose" not in value)


def test_the_method_of_a_written_head_decides_what_the_answer_has() -> None:
    written = WrittenHead(method=b"HEAD", target=b"/", headers=[HOST])
    assert run([OK + b"Content-Length: 5\r\n\r\n"], None, written=written).done


@pytest.mark.parametrize("name", [b"Content-Length", b"transfer-encoding"])
def test_a_written_head_leaves_the_framing_open(name: bytes) -> None:
    with pytest.raises(LocalProtocolError, match="neither Content-Length nor"):
        WrittenHead(target=b"/", headers=[HOST, (name, b"chunked")])


@pytest.mark.parametrize("headers", [[], [HOST, (b"x-api-key", b"secret\r\nx: y")], [HOST, (b"sec ret", b"x")]])
def test_a_written_head_that_is_not_legal(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        WrittenHead(target=b"/", headers=headers)
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None


def test_the_public_names() -> None:
    assert set(_http.__all__) == {"HTTPExchange", "ResponseHead", "WrittenHead"}
