"""ChunkedDecoder against h11 and against itself: good bytes and hostile ones, cut everywhere."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from sansio_claude._errors import RemoteProtocolError
from sansio_claude._http.chunked import ChunkedDecoder, _pieces
from sansio_claude._limits import Limits
from sansio_claude.testing import chunkings
from tests.properties import h11_whole

# Everything that h11's reader treats as special, and what is nearly that.
TOKENS = st.sampled_from(
    [
        *(
            b"5\r\nhello\r\n",
            b"3;a=b\r\nabc\r\n",
            b"0\r\n",
            b"0\r\n\r\n",
            b"00\r\n\r\n",
            b"0;x\r\n",
            b"1\r\n",
            b"a",
            b"F",
        ),
        *(b"\r\n", b"\n", b"\r", b" ", b"\t", b";", b":", b"0", b"8c", b"x", b"\0", b"\v", b"+1\r\n", b"0x1\r\n"),
        *(b"0_1\r\n", b"-1\r\n", b" 1\r\n", b"1 \r\n", b"1\t\r\n", b"1 ;\r\n", b"1;\n\r\n", b"1;\r\r\n"),
        *(b"0" * 19 + b"1\r\n", b"0" * 20 + b"1\r\n", b"f" * 20 + b"\r\n", b"f" * 21 + b"\r\n"),
        *(
            b"a: b\r\n",
            b"a: b\n",
            b"a:b c\t\r\n",
            b" fold\r\n",
            b"a : b\r\n",
            b"a b: c\r\n",
            b": b\r\n",
            b"\xff: b\r\n",
        ),
        *(b"Content-Length: 5\r\n", b"content-length: 5, 6\r\n", b"content-length: +5\r\n", b"content-length:\r\n"),
        *(b"Content-Length: 5 , 5\r\n", b"content-length: " + b"1" * 21 + b"\r\n"),
        *(b"Transfer-Encoding: Chunked\r\n", b"transfer-encoding: gzip\r\n", b"transfer-encoding:\r\n"),
    ]
)
WRITTEN = st.lists(TOKENS, max_size=12).map(b"".join)
BODY = st.lists(st.binary(min_size=1, max_size=40), max_size=8)
ROOMY = Limits(chunk_line=1 << 30, trailers=1 << 30)


def framed(pieces: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A legal body with one thing done to it."""
    data = bytearray(framed(draw(BODY)) + b"0\r\n" + draw(st.sampled_from([b"", b"a: b\r\n"])) + b"\r\n")
    place = draw(st.integers(0, len(data) - 1))
    match draw(st.integers(0, 3)):
        case 0:
            data[place] = draw(st.integers(0, 255))
        case 1:
            del data[place]
        case 2:
            data[place:place] = draw(TOKENS)
        case _:
            del data[place:]
    return bytes(data)


@st.composite
def reads(draw: st.DrawFn, data: st.SearchStrategy[bytes]) -> list[bytes]:
    body = draw(data)
    return draw(
        st.one_of(
            st.just(chunkings.whole(body)),
            st.just(chunkings.bytewise(body)),
            st.lists(st.integers(0, len(body)), max_size=12).map(lambda cuts: chunkings.at_cuts(body, cuts)),
        )
    )


def ours(pieces: list[bytes], limits: Limits = ROOMY, *, splits: bool = False) -> tuple[h11_whole.Seen, ChunkedDecoder]:
    """What comes of these reads. `splits`: each is taken apart by one split first, not only the long ones, and the body
    is not joined for us."""
    decoder = ChunkedDecoder(limits=limits)
    body_received = decoder.body_received
    if splits:
        decoder._worth_splitting = 1
        body_received = lambda: b"".join(decoder.pieces_received())  # noqa: E731
    seen = h11_whole.Seen()
    for data in pieces:
        seen.rest += data if decoder.done else b""
        was_done = decoder.done
        decoder.receive_data(data)
        try:
            while body := body_received():
                seen.body += body
        except RemoteProtocolError:
            seen.broken = True
        seen.done = decoder.done
        if seen.done and not was_done:
            seen.rest = decoder.rest
        seen.steps.append((len(seen.body), seen.done, seen.broken))
    return seen, decoder


def same(pieces: list[bytes]) -> None:
    expected = h11_whole.chunked(pieces)
    for splits in (False, True):
        seen, _ = ours(pieces, splits=splits)
        assert (seen.body, seen.done, seen.broken) == (expected.body, expected.done, expected.broken)
        assert seen.steps == expected.steps
        assert seen.rest == expected.rest


@given(reads(WRITTEN))
@example([b"5\r\nhello\r\n", b"0\r\n\r\nrest", b"more"])
@example([b"1;" + b" " * 50 + b"\n\r\n"])
def test_hostile_bytes_as_h11(pieces: list[bytes]) -> None:
    same(pieces)


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"5"]) | st.binary(max_size=3)).map(b"".join))
def test_a_read_is_split_as_bytes_split_does(data: bytes) -> None:
    assert _pieces(data) == data.split(b"\r\n")


@given(reads(damaged()))
def test_damaged_bodies_as_h11(pieces: list[bytes]) -> None:
    same(pieces)


@given(reads(BODY.map(lambda pieces: framed(pieces) + b"0\r\n\r\n")))
def test_legal_bodies_as_h11(pieces: list[bytes]) -> None:
    same(pieces)


@given(reads(st.lists(st.sampled_from([b"5\r\nhello\r\n", b"4\r\n\r\n\r\n\r\n"]) | TOKENS, max_size=9).map(b"".join)))
def test_line_ends_in_bodies_as_h11(pieces: list[bytes]) -> None:
    same(pieces)


@given(reads(st.lists(st.sampled_from([b"1", b"2", b"11", b"\r\n"]), max_size=12).map(b"\r\n".join)))
@example([b"1\r\n1\r\n2\r\n1\r\n0\r\n\r\n"])
def test_bodies_that_look_like_sizes_as_h11(pieces: list[bytes]) -> None:
    same(pieces)


@given(st.lists(st.binary(max_size=6) | TOKENS, max_size=8).map(b"".join))
def test_any_bytes_as_h11(data: bytes) -> None:
    same(chunkings.whole(data))
    same(chunkings.bytewise(data))


@given(st.one_of(WRITTEN, damaged()))
def test_every_cut_as_h11(data: bytes) -> None:
    for pieces in chunkings.every_cut(data):
        same(pieces)


def said(pieces: list[bytes], limits: Limits) -> object:
    """All that can be seen at the end, the error in full."""
    outcomes = []
    for splits in (False, True):
        seen, decoder = ours(pieces, limits, splits=splits)
        decoder.receive_eof()
        error = decoder.error
        found = error and (type(error), str(error), error.excerpt, error.offset, error.stage)
        outcomes.append((seen.body, seen.done, decoder.trailers, decoder.received, found))
    assert outcomes[0] == outcomes[1]
    return outcomes[0]


@given(st.one_of(WRITTEN, damaged()), st.integers(1, 30), st.integers(1, 30), st.data())
@example(b"1;aa\r\nx\r\n0\r\n\r\n", 4, 1, None)
@example(b"1;aaa\r\nx\r\n0\r\n\r\n", 4, 1, None)
@example(b"0\r\na: b\r\n\r\n", 1, 6, None)
@example(b"0\r\na: b\r\n\r\n", 1, 5, None)
def test_any_chunking_says_the_same(data: bytes, line: int, trailers: int, draw: st.DataObject | None) -> None:
    limits = Limits(chunk_line=line, trailers=trailers)
    expected = said(chunkings.whole(data), limits)
    assert said(chunkings.bytewise(data), limits) == expected
    for pieces in chunkings.every_cut(data):
        assert said(pieces, limits) == expected
    if draw is not None:
        assert said(chunkings.random(data, draw.draw(st.integers(0, 1000))), limits) == expected


@given(BODY, st.sampled_from([b"", b"a: b\r\n", b"a: b\r\n c\r\nd: e\n"]), st.binary(max_size=20))
def test_round_trip(pieces: list[bytes], trailers: bytes, rest: bytes) -> None:
    decoder = ChunkedDecoder()
    decoder.receive_data(framed(pieces) + b"0\r\n" + trailers + b"\r\n" + rest)
    assert decoder.body_received() == b"".join(pieces)
    assert decoder.done
    assert decoder.trailers == trailers + b"\r\n"
    assert decoder.rest == rest


@given(WRITTEN)
def test_a_body_is_never_done_before_its_last_byte(data: bytes) -> None:
    """Of two prefixes, the longer has at least as much: nothing is taken back, and done stays done."""
    decoder = ChunkedDecoder()
    states = []
    body = b""
    for byte in chunkings.bytewise(data):
        decoder.receive_data(byte)
        try:
            body += decoder.body_received()
        except RemoteProtocolError:
            pass
        states.append((len(body), decoder.done, decoder.error is not None))
    for before, after in pairwise(states):
        assert before[0] <= after[0]
        assert before[1] <= after[1]
        assert before[2] <= after[2]
    assert not (decoder.done and decoder.error)
