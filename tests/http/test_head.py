"""Where a head ends, what is refused before it does, and what a head says of the body behind it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude._errors import LimitError, RemoteProtocolError
from sansio_claude._http import head as _head
from sansio_claude._http.head import HeadReader, ResponseHead, body_plan, head_refusal
from sansio_claude._limits import Limits
from sansio_claude.testing import chunkings

HEAD = b"HTTP/1.1 200 OK\r\na: b\r\n\r\n"
SETTINGS = b"\0\0\x12\x04\0\0\0\0\0" + bytes(18)
GOAWAY = b"\0\0\x08\x07\0\0\0\0\0" + bytes(8)


def read(pieces: list[bytes], *, eof: bool = False, **limits: int) -> Any:
    """The head and what follows it, an error, or None."""
    reader = HeadReader(limits=Limits(**limits))
    for number, piece in enumerate(pieces):
        found = reader.receive_data(piece)
        if isinstance(found, tuple):
            return found[0], found[1] + b"".join(pieces[number + 1 :])
        if found is not None:
            assert found.offset == (None if isinstance(found, LimitError) else 0)
            return type(found), str(found), found.excerpt
    if eof:
        error = reader.receive_eof()
        return error and (type(error), str(error), error.excerpt)
    return None


def everywhere(data: bytes, *, eof: bool = False, **limits: int) -> Any:
    found = [
        read(pieces, eof=eof, **limits)
        for pieces in (chunkings.whole(data), chunkings.bytewise(data), *chunkings.every_cut(data))
    ]
    assert all(one == found[0] for one in found)
    return found[0]


@pytest.mark.parametrize(
    "head",
    [
        HEAD,
        b"HTTP/1.1 200 OK\n\n",
        b"HTTP/1.1 200 OK\r\n\n",
        b"HTTP/1.1 200 OK\n\r\n",
        b"HTTP/1.1 200 OK\na: b\r\n\n",
        b"HTTP/\n\n",
    ],
)
@pytest.mark.parametrize("rest", [b"", b"x", b"\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_the_end_of_a_head(head: bytes, rest: bytes) -> None:
    assert everywhere(head + rest) == (head, rest)


@pytest.mark.parametrize("data", [b"", b"H", b"HTTP/", HEAD[:-1], HEAD[:-2], b"HTTP/1.1 200 OK\r\n\r", b"HTTP/\n\rx\n"])
def test_a_head_that_has_not_ended(data: bytes) -> None:
    assert everywhere(data) is None
    assert everywhere(data, eof=True) is None


@pytest.mark.parametrize(
    ("data", "words", "excerpt"),
    [
        (b"<html><body>not found</body></html>", "does not begin with HTTP/", b"<html><body>not "),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "does not begin with HTTP/", b"SSH-2.0-OpenSSH_"),
        (b"220 mail\r\n250 more", "does not begin with HTTP/", b"220 mail\r\n"),
        (b"http/1.1 200 OK\r\n\r\n", "does not begin with HTTP/", b"http/1.1 200 OK\r"),
        (b"\r\n" + HEAD, "a control character or a space", b"\r"),
        (b"\n" + HEAD, "a control character or a space", b"\n"),
        (b" " + HEAD, "a control character or a space", b" "),
        (b"\x15\x03\x03\0\x02\x02\x46", "looks like TLS", b"\x15"),
        (b"\x16\x03\x01\0\xff", "looks like TLS", b"\x16"),
        (SETTINGS, "looks like HTTP/2", SETTINGS[:9]),
        (GOAWAY, "looks like HTTP/2", GOAWAY[:9]),
        (b"\0\0\x12\x04\0\0\0\0\x01", "a control character or a space", b"\0"),
        (b"\0\0\x12\x05\0\0\0\0\0", "a control character or a space", b"\0"),
        (b"\0" * 40, "a control character or a space", b"\0"),
        (b"\0\n\0\0", "a control character or a space", b"\0"),
    ],
)
def test_what_is_not_http_is_refused_from_its_first_bytes(data: bytes, words: str, excerpt: bytes) -> None:
    kind, said, found = everywhere(data)
    assert kind is RemoteProtocolError
    assert words in said
    assert found == excerpt


@pytest.mark.parametrize("data", [b"<", b"<html>", b"HTML", b"\0", b"\0\0\x12\x04\0\0\0\0"])
def test_a_few_bytes_that_are_not_http_are_judged_at_the_end(data: bytes) -> None:
    assert everywhere(data) is None
    assert everywhere(data, eof=True)[0] is RemoteProtocolError


@pytest.mark.parametrize("byte", [b"\x01", b"\r", b"\x1f", b" "])
def test_one_byte_is_enough_for_a_control_character_or_a_space(byte: bytes) -> None:
    assert everywhere(byte)[2] == byte


@pytest.mark.parametrize("limit", [len(HEAD), len(HEAD) + 1])
def test_a_head_of_exactly_the_limit(limit: int) -> None:
    assert everywhere(HEAD + b"rest", head=limit) == (HEAD, b"rest")


@pytest.mark.parametrize("limit", [1, 3, 5, 16, len(HEAD) - 1])
@pytest.mark.parametrize("rest", [b"", b"rest"])
def test_a_head_over_the_limit(limit: int, rest: bytes) -> None:
    kind, said, _ = everywhere(HEAD + rest, head=limit)
    assert kind is LimitError
    assert f"{limit} bytes (Limits.head)" in said


def test_garbage_under_a_tiny_limit() -> None:
    assert everywhere(b"<html><body>", head=3)[0] is RemoteProtocolError


def test_a_limit_error_has_its_limit() -> None:
    error = HeadReader(limits=Limits(head=20)).receive_data(b"HTTP/1.1 200 OK\r\na: " + b"b" * 100)
    assert isinstance(error, LimitError)
    assert (error.limit, error.value, error.stage) == ("head", 20, "exchange")
    assert error.excerpt == b"HTTP/1.1 200 OK\r\na: "


def test_how_much_is_held() -> None:
    reader = HeadReader(limits=Limits())
    assert reader.held == 0
    reader.receive_data(HEAD[:10])
    assert reader.held == 10
    reader.receive_data(HEAD[10:])
    assert reader.held == 0
    assert reader.receive_data(HEAD) == (HEAD, b"")


class CountingPattern:
    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        self.pattern = pattern
        self.searched = 0

    def search(self, data: bytes, start: int) -> re.Match[bytes] | None:
        found = self.pattern.search(data, start)
        self.searched += (found.end() if found else len(data)) - start
        return found


@pytest.mark.parametrize("line", [b"a: b\r\n", b"\n\ra", b"a"])
def test_a_head_is_searched_once(line: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    pattern = CountingPattern(_head._BLANK)
    monkeypatch.setattr(_head, "_BLANK", pattern)
    data = b"HTTP/1.1 200 OK\r\nx" + line * 10_000
    assert read(chunkings.bytewise(data), head=1 << 20) is None
    assert pattern.searched <= 3 * len(data)


# What is wrong with a head that h11 refuses.


@pytest.mark.parametrize(
    ("head", "words", "excerpt"),
    [
        (b"\r\n", "the status line is not", b""),
        (b"HTTP/1.1 abc Fine\r\n\r\n", "the status line is not", b"HTTP/1.1 abc Fine"),
        (b"HTTP/1.1 20 OK\n\n", "the status line is not", b"HTTP/1.1 20 OK"),
        (b"HTTP/1.1 200 O\0K\r\n\r\n", "the status line is not", b"HTTP/1.1 200 O\0K"),
        (b"HTTP/9.9 200 OK\r\n\r\n", "it is HTTP/9.9", b"HTTP/9.9 200 OK"),
        (b"HTTP/2.0 200 OK\r\n\r\n", "it is HTTP/2.0", b"HTTP/2.0 200 OK"),
        (b"HTTP/1.1 099 OK\r\n\r\n", "the status is below 100", b"HTTP/1.1 099 OK"),
        (b"HTTP/1.1 100 Continue\r\na\r\n\r\n", "line 2 has no colon", b"a"),
        (b"HTTP/1.1 101 Go\r\na\r\n\r\n", "it is 101 Switching Protocols", b"HTTP/1.1 101 Go"),
        (b"HTTP/1.1 200 OK\r\na: b\r\nc\r\n\r\n", "line 3 has no colon", b"c"),
        (b"HTTP/1.1 200\r\na : b\r\n\r\n", "line 2 has a space before its colon", b"a : b"),
        (b"HTTP/1.1 200 OK\r\na: " + b"b" * 100 + b"\0\r\n\r\n", "line 2 has a NUL", b"a: " + b"b" * 61),
        (b"HTTP/1.1 200 OK\r\na: b\r\n\r\n", "h11 refuses it", b""),
    ],
)
def test_words_for_a_head_that_is_refused(head: bytes, words: str, excerpt: bytes) -> None:
    error = head_refusal(head)
    assert str(error).startswith("the head of the answer is not legal: ")
    assert words in str(error)
    assert error.excerpt == excerpt
    assert error.stage == "exchange"


# ResponseHead and BodyPlan.


def head(*headers: tuple[bytes, bytes], status: int = 200, version: str = "1.1") -> ResponseHead:
    return ResponseHead(status, "OK", version, headers)


def test_headers_are_found_by_any_case() -> None:
    found = head((b"x-a", b"1"), (b"x-b", b"\xe9"), (b"x-a", b"2"))
    assert found.get("X-A") == "1"
    assert found.get("x-b") == "\xe9"
    assert found.get("x-c") is None
    assert found.get("\u20ac") is None
    assert found.get_all("X-a") == ["1", "2"]
    assert found.get_all("x-c") == []


PARTS = st.sampled_from([b"a", b"b", b"a-b", b"ab", b"ba", b"a a", b"aa"])


@given(st.lists(st.tuples(PARTS, PARTS | st.just(b""))), st.sampled_from(["a", "B", "a-b", "ab", "", "a\0b", "a\0"]))
def test_a_header_is_found_by_its_place(headers: list[tuple[bytes, bytes]], name: str) -> None:
    found = [value.decode() for key, value in headers if key == name.lower().encode()]
    assert head(*headers).get(name) == (found[0] if found else None)
    assert head(*headers).get_all(name) == found


def test_the_rate_limits_of_a_head_are_those_of_its_first_values() -> None:
    assert head((b"a", b"b")).rate_limits is None
    name = b"anthropic-ratelimit-requests-limit"
    found = head((name, b"50"), (name, b"60")).rate_limits
    assert found is not None
    assert found.requests is not None
    assert found.requests.limit == 50


def test_the_repr_of_a_head_shows_nothing_that_may_be_a_key() -> None:
    found = ResponseHead(200, "secret", "1.1", ((b"x-api-key", b"secret"),))
    assert repr(found) == "<ResponseHead 200 HTTP/1.1, 1 headers>"


LENGTH = (b"content-length", b"5")
CHUNKED = (b"transfer-encoding", b"Chunked")


@pytest.mark.parametrize(
    ("found", "method", "chunked", "length", "persists"),
    [
        (head(), b"POST", False, None, False),
        (head((b"connection", b"keep-alive")), b"POST", False, None, False),
        (head(LENGTH), b"POST", False, 5, True),
        (head(LENGTH, version="1.0"), b"POST", False, 5, False),
        (head(LENGTH, (b"connection", b"keep-alive"), version="1.0"), b"POST", False, 5, False),
        (head(LENGTH, (b"connection", b"Keep-Alive, Close")), b"POST", False, 5, False),
        (head(LENGTH, (b"connection", b"a"), (b"connection", b"close")), b"POST", False, 5, False),
        (head(LENGTH, (b"connection", b"closed")), b"POST", False, 5, True),
        (head(CHUNKED), b"POST", True, None, True),
        (head(CHUNKED, version="1.0"), b"POST", True, None, False),
        (head(CHUNKED, LENGTH), b"POST", True, None, False),
        (head(CHUNKED, LENGTH), b"HEAD", False, 0, False),
        (head(LENGTH), b"HEAD", False, 0, True),
        (head(LENGTH, status=204), b"POST", False, 0, True),
        (head(status=304), b"POST", False, 0, True),
        (head(status=200), b"CONNECT", False, 0, False),
        (head(CHUNKED, status=299), b"CONNECT", False, 0, False),
        (head(LENGTH, status=300), b"CONNECT", False, 5, True),
        (head(LENGTH, status=407), b"CONNECT", False, 5, True),
    ],
)
def test_the_plan_of_a_body(
    found: ResponseHead, method: bytes, chunked: bool, length: int | None, persists: bool
) -> None:
    plan = body_plan(found, method)
    assert (plan.chunked, plan.length, plan.persists) == (chunked, length, persists)


def test_the_codings_of_a_body() -> None:
    assert body_plan(head((b"content-encoding", b"GZip"), (b"content-encoding", b"br")), b"GET").codings == [
        b"gzip",
        b"br",
    ]
