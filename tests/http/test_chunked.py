"""ChunkedDecoder: what is accepted, what is refused and how it is said, limits, and the work done for each byte."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from sansio_claude._errors import LimitError, LocalProtocolError, RemoteProtocolError, TruncatedError
from sansio_claude._http import chunked as _chunked
from sansio_claude._http.chunked import ChunkedDecoder
from sansio_claude._limits import Limits
from sansio_claude.testing import chunkings


def decode(data: bytes, **limits: int) -> ChunkedDecoder:
    decoder = ChunkedDecoder(limits=Limits(**limits))
    decoder.receive_data(data)
    return decoder


def drain(decoder: ChunkedDecoder) -> None:
    while decoder.body_received():
        pass


def error_of(data: bytes, *, eof: bool = False, **limits: int) -> RemoteProtocolError:
    """The error of these bytes, the same however they are cut."""
    found = []
    for pieces in (chunkings.whole(data), chunkings.bytewise(data), *chunkings.every_cut(data)):
        decoder = ChunkedDecoder(limits=Limits(**limits))
        for piece in pieces:
            decoder.receive_data(piece)
        if eof:
            decoder.receive_eof()
        with pytest.raises(RemoteProtocolError) as caught:
            drain(decoder)
        found.append(caught.value)
    assert len({(type(error), str(error), error.excerpt, error.offset) for error in found}) == 1
    assert found[0].stage == "exchange"
    return found[0]


def test_chunks_are_handed_on_as_they_come() -> None:
    decoder = ChunkedDecoder()
    decoder.receive_data(b"5\r\nhel")
    assert decoder.body_received() == b"hel"
    assert decoder.body_received() == b""
    decoder.receive_data(b"lo\r\n6\r\n")
    assert decoder.body_received() == b"lo"
    decoder.receive_data(b" world\r\n0\r\n\r\n")
    assert not decoder.error
    assert decoder.done
    assert decoder.body_received() == b" world"
    assert decoder.body_received() == b""
    decoder.receive_eof()
    assert decoder.body_received() == b""


def test_chunks_of_one_read_are_joined() -> None:
    decoder = decode(b"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n")
    decoder.receive_data(b"1\r\nd\r\n1\r\ne\r\n")
    assert decoder.body_received() == b"abcde"
    assert not decoder.done


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_kind_of_bytes(kind: Any) -> None:
    buffer = bytearray(b"5\r\nhello\r\n0\r\n\r\nrest")
    decoder = ChunkedDecoder()
    decoder.receive_data(kind(buffer))
    buffer[:] = bytes(len(buffer))  # the caller may use its buffer again
    assert decoder.body_received() == b"hello"
    assert type(decoder.rest) is bytes
    assert decoder.rest == b"rest"


@pytest.mark.parametrize(
    "line",
    [b"5", b"05", b"0" * 19 + b"5", b"5 ", b"5\t \t", b"5;", b"5;a=b", b'5;a="x;y"', b"5; \t", b"5;a\rb", b"5;\xff\0"],
)
def test_size_lines(line: bytes) -> None:
    decoder = decode(line + b"\r\nhello\r\n0\r\n\r\n")
    assert decoder.body_received() == b"hello"
    assert decoder.done


def test_a_size_line_that_is_cut_is_not_taken_for_one_seen_before() -> None:
    """Position 8 holds the CRLF that a chunk of 7 bytes would have, were it at the beginning."""
    decode(b"5\r\nhello\r\n7\r\n1234567\r\n")
    decoder = decode(b"5\r\nhello\r\n7;")
    decoder.receive_data(b"a\r\n1234567\r\n0\r\n\r\n")
    assert decoder.body_received() == b"hello1234567"
    assert decoder.done


@pytest.mark.parametrize("line", [b"A", b"a", b"0a", b"00A"])
def test_size_digits_of_either_case(line: bytes) -> None:
    for _ in range(2):  # the second time from memory
        assert decode(line + b"\r\n0123456789\r\n").body_received() == b"0123456789"


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"x", b"g5", b"5g", b"0x5", b"+5", b"-5", b"5_0", b" 5", b"5\v", b"5\r", b"5 ;a", b"5;a\nb", b"\xb2"),
        *(b"0" * 20 + b"5", b"f" * 21, b"5\n", b"\n5", b"5,", b"5;" + b" " * 100 + b"\n"),
    ],
)
def test_size_lines_that_are_refused(line: bytes) -> None:
    error = error_of(b"1\r\na\r\n" + line + b"\r\nhello\r\n0\r\n\r\n")
    assert type(error) is RemoteProtocolError
    assert "hexadecimal" in str(error)
    assert error.offset == 6
    assert error.excerpt == line[:64]


def test_good_bytes_come_before_the_error_and_the_error_stays() -> None:
    decoder = decode(b"2\r\nab\r\n2\r\ncd\r\nzz\r\n")
    assert decoder.body_received() == b"abcd"
    errors = []
    for _ in range(3):
        with pytest.raises(RemoteProtocolError) as caught:
            decoder.body_received()
        errors.append(caught.value)
        decoder.receive_data(b"2\r\nef\r\n")
    assert errors[0] is errors[1] is errors[2] is decoder.error
    assert not decoder.done
    frames = 0
    trace = errors[2].__traceback__
    while trace is not None:
        frames, trace = frames + 1, trace.tb_next
    assert frames == 2  # a thousand reads do not make the traceback a thousand frames long


@pytest.mark.parametrize(
    ("after", "offset", "excerpt"),
    [(b"X\r\n", 8, b"X"), (b"\n", 8, b"\n"), (b"\rX", 9, b"X"), (b"\r\r\n", 9, b"\r"), (b"0\r\n", 8, b"0")],
)
def test_a_chunk_must_be_followed_by_crlf(after: bytes, offset: int, excerpt: bytes) -> None:
    error = error_of(b"5\r\nhello" + after)
    assert "not followed by CR LF" in str(error)
    assert (error.offset, error.excerpt) == (offset, excerpt)


@pytest.mark.parametrize(
    "section",
    [b"", b"a: b\r\n", b"a: b\n", b"a:\r\n", b"a: b\r\n c\r\n\td\r\n", b"Content-Length: 5\r\ncontent-length: 5,5\r\n"],
)
@pytest.mark.parametrize("blank", [b"\r\n", b"\n"])
def test_trailers(section: bytes, blank: bytes) -> None:
    data = b"0\r\n" + section + blank
    for pieces, rest in (
        (chunkings.whole(data + b"rest"), b"rest"),
        ([*chunkings.bytewise(data), b"rest"], b""),
        ([data[:-1], data[-1:] + b"rest"], b"rest"),
    ):
        decoder = ChunkedDecoder()
        for piece in pieces:
            decoder.receive_data(piece)
        assert decoder.done
        assert decoder.trailers == section + blank
        assert decoder.rest == rest
        assert decoder.received == len(data) + 4


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (b"no colon\r\n\r\n", "line 1 has no colon"),
        (b"a: b\r\nc : d\r\n\r\n", "line 2 has a space before its colon"),
        (b" a: b\r\n\r\n", "line 1 begins with a space"),
        (b"a: b\0\r\n\r\n", "line 1 has a NUL or a stray control character"),
        (b"a: \rb\r\n\r\n", "line 1 has a NUL or a stray control character"),
        (b"\r\r\n\n", "line 1 has a NUL or a stray control character"),
        (b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "several Content-Length values"),
        (b"Transfer-Encoding: gzip\r\n\r\n", "something other than chunked"),
    ],
)
def test_trailers_that_are_refused(section: bytes, words: str) -> None:
    error = error_of(b"0\r\n" + section)
    assert words in str(error)
    assert error.offset == 3


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "before the last chunk"),
        (b"5\r\nhello\r\n", "before the last chunk"),
        (b"5\r\nhello", "before the last chunk"),
        (b"5\r\nhello\r", "before the last chunk"),
        (b"5\r\nhel", r"in the middle of a chunk \(2 bytes of it are missing\)"),
        (b"5\r\n", r"in the middle of a chunk \(5 bytes of it are missing\)"),
        (b"5\r", "in the middle of a chunk-size line"),
        (b"zz", "in the middle of a chunk-size line"),
        (b"0\r\n", "in the middle of the trailers"),
        (b"0\r\na: b\r\n", "in the middle of the trailers"),
    ],
)
def test_a_body_that_is_cut(data: bytes, words: str) -> None:
    error = error_of(data, eof=True)
    assert type(error) is TruncatedError
    assert re.search(words, str(error))
    assert error.offset == len(data)


def test_the_end_of_input() -> None:
    decoder = decode(b"5\r\nhello")
    decoder.receive_eof()
    decoder.receive_eof(clean=False)
    assert decoder.body_received() == b"hello"
    with pytest.raises(TruncatedError):
        decoder.body_received()
    decoder.receive_data(b"")
    with pytest.raises(LocalProtocolError, match="after receive_eof"):
        decoder.receive_data(b"\r\n0\r\n\r\n")
    assert decoder.received == 8


def test_an_error_outlives_the_end_of_input() -> None:
    decoder = decode(b"zz\r\n")
    decoder.receive_eof()
    with pytest.raises(RemoteProtocolError, match="hexadecimal"):
        decoder.body_received()


def test_bytes_after_the_end_are_ignored() -> None:
    decoder = decode(b"0\r\n\r\n")
    decoder.receive_data(b"5\r\nhello\r\n")
    assert decoder.body_received() == b""
    assert decoder.rest == b""


# Limits: a value of exactly the limit is accepted.


def test_the_limit_of_a_size_line() -> None:
    assert decode(b"1;aa\r\nx\r\n", chunk_line=4).body_received() == b"x"
    for ending in (b"\r\nx\r\n", b"", b"\rx", b"a", b"aaaaaa"):
        error = error_of(b"1;aaa" + ending, chunk_line=4)
        assert isinstance(error, LimitError)
        assert (error.limit, error.value, error.offset) == ("chunk_line", 4, 0)
        assert "4 bytes (Limits.chunk_line)" in str(error)


def test_a_line_end_that_has_half_come_is_not_counted() -> None:
    decoder = ChunkedDecoder(limits=Limits(chunk_line=4))
    decoder.receive_data(b"1;aa\r")
    assert decoder.error is None
    decoder.receive_data(b"\nx")
    assert decoder.body_received() == b"x"


def test_tiny_limits_hold_for_sizes_seen_before() -> None:
    assert decode(b"1f\r\n" + bytes(31) + b"\r\n").body_received() == bytes(31)
    error = error_of(b"1f\r\n" + bytes(31) + b"\r\n", chunk_line=1)
    assert isinstance(error, LimitError)
    assert decode(b"f\r\n" + bytes(15) + b"\r\n", chunk_line=1).body_received() == bytes(15)
    assert decode(b"1f\r\n" + bytes(31) + b"\r\n", chunk_line=3).body_received() == bytes(31)


def test_a_line_without_end_is_refused_while_it_comes() -> None:
    decoder = ChunkedDecoder()
    for _ in range(100):
        decoder.receive_data(b"1;" + b"a" * 1024)
    assert isinstance(decoder.error, LimitError)
    assert not decoder._held


def test_the_limit_of_trailers() -> None:
    assert decode(b"0\r\n\r\n", trailers=1).done
    assert decode(b"0\r\n\n", trailers=1).done
    for blank in (b"\r\n", b"\n"):
        assert decode(b"0\r\na: b\r\n" + blank, trailers=6).done
        error = error_of(b"0\r\na: bc\r\n" + blank, trailers=6)
        assert isinstance(error, LimitError)
        assert (error.limit, error.value, error.offset) == ("trailers", 6, 3)
        assert "6 bytes (Limits.trailers)" in str(error)


def test_trailers_without_end_are_refused_while_they_come() -> None:
    decoder = decode(b"0\r\n")
    for _ in range(100):
        decoder.receive_data(b"a: b\r\n" * 200)
    assert isinstance(decoder.error, LimitError)
    assert decoder.error.limit == "trailers"
    assert not decoder._held


def test_a_cr_at_the_end_may_be_half_of_the_blank_line() -> None:
    decoder = decode(b"0\r\na: b\r\n\r", trailers=6)
    assert decoder.error is None
    decoder.receive_data(b"\n")
    assert decoder.done


def test_repr_shows_no_byte_of_the_body() -> None:
    assert repr(decode(b"6\r\nsecret\r\n")) == "<ChunkedDecoder open, 11 bytes received>"
    assert repr(decode(b"0\r\n\r\n")) == "<ChunkedDecoder done, 5 bytes received>"
    assert repr(decode(b"zz\r\n")) == "<ChunkedDecoder broken, 4 bytes received>"


# Work, by counting: bytes looked at or copied do not grow faster than bytes received, whatever comes.


class Counter:
    touched = 0


class CountingBytes(bytes):
    def find(self, sub: Any, start: Any = 0, end: Any = None) -> int:
        found = super().find(sub, start)
        Counter.touched += (len(self) if found < 0 else found) - start
        return found

    def partition(self, sep: Any) -> Any:
        Counter.touched += len(self)
        return super().partition(sep)

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        Counter.touched += len(found) if isinstance(found, bytes) else 1
        return found


class CountingBytearray(bytearray):
    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        Counter.touched += len(found) if isinstance(found, bytearray) else 1
        return found

    def __iadd__(self, other: Any) -> CountingBytearray:  # type: ignore[misc]
        Counter.touched += len(other)
        return super().__iadd__(other)


class CountingPattern:
    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        self.pattern = pattern

    def search(self, data: bytes, start: int) -> re.Match[bytes] | None:
        found = self.pattern.search(data, start)
        Counter.touched += (found.end() if found else len(data)) - start
        return found


def work(pieces: list[bytes]) -> float:
    """Bytes touched for each byte received."""
    decoder = ChunkedDecoder(limits=Limits(chunk_line=1 << 30, trailers=1 << 30))
    Counter.touched = 0
    for piece in pieces:
        decoder.receive_data(CountingBytes(piece))
    return Counter.touched / sum(map(len, pieces))


EVENT = b"8c\r\n" + b"x" * 140 + b"\r\n"
CRLFS = b"8c\r\n" + b"\r\n" * 70 + b"\r\n"
SHAPES: dict[str, Callable[[int], list[bytes]]] = {
    "a chunk a read": lambda n: [EVENT] * n,
    "16 KiB a read": lambda n: chunkings.steps(EVENT * n, 16384),
    "one read": lambda n: [EVENT * n],
    "odd reads": lambda n: chunkings.steps(EVENT * n, 97),
    "bytewise": lambda n: chunkings.bytewise(EVENT * n),
    "full of CRLF": lambda n: [CRLFS * n],
    "one big chunk": lambda n: chunkings.steps(b"%x\r\n" % (146 * n) + bytes(146 * n) + b"\r\n", 1000),
    "extensions": lambda n: [b"1;a\r\nx\r\n" * 20 * n],
    "sizes not seen": lambda n: [b"0001\r\nx\r\n" * 16 * n],
    "a long size line": lambda n: chunkings.bytewise(b"1;" + b"a" * 146 * n),
    "a long size line full of CR": lambda n: chunkings.bytewise(b"1;" + b"\r" * 146 * n),
    "trailers": lambda n: chunkings.bytewise(b"0\r\n" + b"a: b\r\n" * 25 * n),
    "trailers full of LF CR": lambda n: chunkings.bytewise(b"0\r\nx" + b"\n\ra" * 48 * n),
    "bytes after the end": lambda n: [b"0\r\n\r\n", *[EVENT] * n],
    "bytes after an error": lambda n: [b"z\r\n", *[EVENT] * n],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_work_is_linear(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_chunked, "bytes", CountingBytes, raising=False)
    monkeypatch.setattr(_chunked, "bytearray", CountingBytearray, raising=False)
    monkeypatch.setattr(_chunked, "_BLANK", CountingPattern(_chunked._BLANK))
    few, many = work(SHAPES[shape](20)), work(SHAPES[shape](320))
    assert many < few * 1.1 + 0.1
    assert many < 12


def test_sizes_remembered_are_few() -> None:
    for size in range(1, 5000):
        decode(b"%x\r\n%b\r\n%X;a\r\n%b\r\n%04x\r\n" % (size, bytes(size), size, bytes(size), size))
    assert all(len(line) <= 3 and line[:1] != b"0" for line in _chunked._SIZES)
    assert all(int(line, 16) == size for line, size in _chunked._SIZES.items())
