"""HTTPExchange over a blocking socket's `recv`: the head, then the body."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sansio_claude import HTTPExchange, RemoteProtocolError, TruncatedError
from sansio_claude.testing import chunkings

HEAD = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
ANSWER = HEAD + b"5\r\nhello\r\n2\r\n !\r\n0\r\n\r\n"
HEADERS = [(b"Host", b"localhost")]


def recv(pieces: Iterator[bytes]) -> Callable[[int], bytes]:
    """A socket's `recv` that gives these pieces, then the end, once."""

    def receive(size: int) -> bytes:
        assert size > 0
        return next(ends)

    ends = iter([*pieces, b""])
    return receive


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_head_and_body_for_any_cut(size: int) -> None:
    exchange = HTTPExchange(target=b"/", headers=HEADERS)
    receive = recv(iter(chunkings.steps(ANSWER, size)))
    assert exchange.receive_head(receive).status == 200
    assert exchange.informational == 1
    assert b"".join(exchange.iter_body(receive)) == b"hello !"
    assert exchange.done


def test_a_head_that_is_there_is_not_read_again() -> None:
    exchange = HTTPExchange(target=b"/", headers=HEADERS)
    exchange.receive_data(ANSWER)

    def receive(size: int) -> bytes:
        raise AssertionError("nothing is left to be read")

    assert exchange.receive_head(receive) is exchange.head
    assert b"".join(exchange.iter_body(receive)) == b"hello !"


def test_the_end_of_the_connection_ends_a_body_without_a_length() -> None:
    exchange = HTTPExchange(target=b"/", headers=HEADERS)
    receive = recv(iter([b"HTTP/1.1 200 OK\r\n\r\nhel", b"lo"]))
    exchange.receive_head(receive)
    assert b"".join(exchange.iter_body(receive)) == b"hello"


@pytest.mark.parametrize("at", range(len(ANSWER)))
def test_a_cut_answer_is_an_error_at_every_byte(at: int) -> None:
    exchange = HTTPExchange(target=b"/", headers=HEADERS)
    receive = recv(iter([ANSWER[:at]] if at else []))
    with pytest.raises(TruncatedError):
        for _ in (exchange.receive_head(receive), *exchange.iter_body(receive)):
            pass


def test_a_broken_head_is_raised() -> None:
    exchange = HTTPExchange(target=b"/", headers=HEADERS)
    with pytest.raises(RemoteProtocolError):
        exchange.receive_head(recv(iter([b"no HTTP at all\r\n\r\n"])))


def test_what_the_socket_raises_passes() -> None:
    def receive(size: int) -> bytes:
        raise TimeoutError("slow")

    with pytest.raises(TimeoutError, match="slow"):
        HTTPExchange(target=b"/", headers=HEADERS).receive_head(receive)
