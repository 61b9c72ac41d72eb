"""The syntax of fields: every refusal has its words, and none of them quotes the peer or the caller."""

from __future__ import annotations

import pytest

from sansio_claude._http.fields import field_refusal, has_stray_control, request_refusal

HOST = (b"Host", b"localhost")


@pytest.mark.parametrize(
    "section", [b"", b"a: b\r\n", b"a: b\n", b"HTTP/1.1 200 OK\r\n\r\n", b"a:\tb c\x01\x7f\xff\r\n"]
)
def test_no_stray_control(section: bytes) -> None:
    assert not has_stray_control(section)


@pytest.mark.parametrize("stray", [b"\0", b"\v", b"\f", b"\r", b"\r\r\n", b"\rx\n"])
def test_stray_controls(stray: bytes) -> None:
    assert has_stray_control(b"a: b" + stray + b"c\r\n")
    assert has_stray_control(stray)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [b"a: b"],
        [b"a:"],
        [b"A!#$%&'*+-.^_`|~09:b"],
        [b"a: b", b" c", b"\t d"],
        [b"a: b", b" "],
        [b"Content-Length: 5", b"x: y", b"content-length:5, 5 ,5"],
        [b"Content-Length: " + b"9" * 20],
        [b"Content-Length:", b" 5"],
        [b"Transfer-Encoding: CHUNKED"],
        [b"Transfer-Encoding:", b" chunked "],
    ],
)
def test_legal_fields(lines: list[bytes]) -> None:
    assert field_refusal(lines) is None


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([b" a: b"], "line 7 begins with a space and there is no field before it to continue"),
        ([b"a: b", b"secret"], "line 8 has no colon"),
        ([b"a: b", b""], "line 8 has no colon"),
        ([b"secret : b"], "line 7 has a space before its colon"),
        ([b"secret\t: b"], "line 7 has a space before its colon"),
        ([b": b"], "line 7 has a field name that is not legal"),
        ([b"sec ret: b"], "line 7 has a field name that is not legal"),
        ([b"s\xe9cret: b"], "line 7 has a field name that is not legal"),
        ([b"a: secret\0"], "line 7 has a NUL or a stray control character"),
        ([b"a: secret\r"], "line 7 has a NUL or a stray control character"),
        ([b"a: secret", b" c\v"], "line 7 has a NUL or a stray control character"),
        ([b"Content-Length: 5", b"Content-Length: 6"], "there are several Content-Length values and they differ"),
        ([b"Content-Length: 5, 6"], "there are several Content-Length values and they differ"),
        ([b"Content-Length: 5, "], "there are several Content-Length values and they differ"),
        ([b"Content-Length: +5"], "Content-Length is not a number of 1 to 20 digits"),
        ([b"Content-Length: "], "Content-Length is not a number of 1 to 20 digits"),
        ([b"Content-Length: " + b"9" * 21], "Content-Length is not a number of 1 to 20 digits"),
        ([b"Transfer-Encoding: secret"], "Transfer-Encoding is something other than chunked"),
        ([b"Transfer-Encoding: gzip, chunked"], "Transfer-Encoding is something other than chunked"),
        ([b"Transfer-Encoding: chunked"] * 2, "Transfer-Encoding is given more than once"),
    ],
)
def test_fields_that_are_refused(lines: list[bytes], words: str) -> None:
    refusal = field_refusal(lines, 7)
    assert refusal is not None
    assert refusal[0] == words
    assert refusal[1].startswith(lines[-1][:5]) or lines[-1].startswith(b" ")


def test_the_line_given_back_is_whole() -> None:
    assert field_refusal([b"a: b", b"c", b" d"]) == ("line 2 has no colon", b"c d")


@pytest.mark.parametrize(
    ("method", "target", "headers", "words"),
    [
        (b"PO ST", b"/", [HOST], "the method has a character"),
        (b"", b"/", [HOST], "the method has a character"),
        (b"POST", b"", [HOST], "the target is empty or has a character"),
        (b"POST", b"/ secret", [HOST], "the target is empty or has a character"),
        (b"POST", b"/\xe9", [HOST], "the target is empty or has a character"),
        (b"POST", b"/", [HOST, (b"sec ret", b"")], "the name of header number 2 has"),
        (b"POST", b"/", [HOST, (b"", b"secret")], "the name of header number 2 has"),
        (b"POST", b"/", [HOST, (b"x-api-key", b"secret\r\nx: y")], "the value of the header x-api-key has"),
        (b"POST", b"/", [HOST, (b"x-api-key", b"secret\n")], "the value of the header x-api-key has"),
        (b"POST", b"/", [HOST, (b"x-api-key", b" secret")], "the value of the header x-api-key has"),
        (b"POST", b"/", [HOST, (b"x-api-key", b"secret\0")], "the value of the header x-api-key has"),
        (b"POST", b"/", [], "it has 0 Host headers and needs one"),
        (b"POST", b"/", [HOST, (b"HOST", b"secret")], "it has 2 Host headers and needs one"),
        (b"POST", b"/", [HOST, (b"a", b""), (b"b", b"c d")], "Content-Length or Transfer-Encoding do not agree"),
    ],
)
def test_requests_that_are_refused(
    method: bytes, target: bytes, headers: list[tuple[bytes, bytes]], words: str
) -> None:
    said = request_refusal(method, target, headers)
    assert said.startswith(words)
    assert "secret" not in said
