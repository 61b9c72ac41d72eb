"""Bodies with a length, and bodies that end with the connection."""

from __future__ import annotations

import pytest

from sansio_claude._errors import TruncatedError
from sansio_claude._http.framing import CloseDelimitedBody, LengthBody
from sansio_claude.testing import chunkings


@pytest.mark.parametrize("pieces", [*chunkings.every_cut(b"hello"), [b"hello"], [b"", b"hello", b""]])
def test_a_length(pieces: list[bytes]) -> None:
    body = LengthBody(5)
    came = b""
    for piece in pieces:
        assert not body.done or not piece
        body.receive_data(piece)
        came += body.body_received()
    assert came == b"hello"
    assert body.done
    assert body.rest == b""
    assert body.received == 5
    body.receive_eof()
    assert body.body_received() == b""


def test_pieces_are_joined_and_handed_out_once() -> None:
    body = LengthBody(9)
    for piece in (b"ab", b"cd", b"e"):
        body.receive_data(piece)
    assert body.body_received() == b"abcde"
    assert body.body_received() == b""
    body.receive_data(b"fghi")
    assert body.body_received() == b"fghi"


def test_bytes_beyond_the_length() -> None:
    body = LengthBody(5)
    body.receive_data(b"helloworld")
    body.receive_data(b"!")
    assert body.body_received() == b"hello"
    assert body.rest == b"world"
    assert body.received == 11
    assert body.done


def test_no_length_at_all_is_done_at_once() -> None:
    body = LengthBody(0)
    assert body.done
    body.receive_eof()
    assert body.body_received() == b""


def test_a_body_shorter_than_its_length() -> None:
    body = LengthBody(5)
    body.receive_data(b"hel")
    body.receive_eof()
    error = body.error
    body.receive_eof()
    assert body.error is error
    assert not body.done
    assert body.body_received() == b"hel"
    for _ in range(2):
        with pytest.raises(TruncatedError, match="after 3 of the 5 bytes that Content-Length promised") as caught:
            body.body_received()
        assert caught.value.offset == 3
        assert caught.value.stage == "exchange"


def test_up_to_the_end_of_the_connection() -> None:
    body = CloseDelimitedBody()
    for piece in (b"hel", b"", b"lo"):
        body.receive_data(piece)
    assert (body.done, body.body_received()) == (False, b"hello")
    body.receive_eof()
    assert body.done
    assert body.rest == b""
    assert body.received == 5
    assert body.body_received() == b""


def test_an_end_that_anyone_can_make_is_no_end() -> None:
    body = CloseDelimitedBody()
    body.receive_data(b"hel")
    body.receive_eof(clean=False)
    error = body.error
    body.receive_eof(clean=False)
    body.receive_eof()
    assert body.error is error
    assert not body.done
    assert body.body_received() == b"hel"
    with pytest.raises(TruncatedError, match="without close_notify") as caught:
        body.body_received()
    assert caught.value.offset == 3


def test_a_second_end_does_not_unmake_the_first() -> None:
    body = CloseDelimitedBody()
    body.receive_eof()
    body.receive_eof(clean=False)
    assert body.done
    assert body.body_received() == b""
