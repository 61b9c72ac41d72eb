"""What callers give that is of the wrong kind: an error of this library says so, and nothing is taken for bytes."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from sansio_claude import (
    BatchResults,
    ChunkedDecoder,
    Endpoint,
    HTTPExchange,
    LocalProtocolError,
    Message,
    MessageStream,
    RemoteProtocolError,
    SSEDecoder,
    aiter_events,
    document,
    encode_event,
    image,
    iter_events,
    media_type_of,
)
from sansio_claude.gateway import Repair, StreamMonitor, read_wrapped
from sansio_claude.testing import ReplayServer, compose
from sansio_claude.tools import Extractor

WRONG: tuple[Any, ...] = (None, 5, True, 1.5, [], {}, object(), "text", [None], lambda: 1)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda each: type(each).__name__)
def test_bytes_are_asked_for_in_words_of_this_library(wrong: Any) -> None:
    takers: dict[str, Callable[[Any], Any]] = {
        "a chunked body": ChunkedDecoder().receive_data,
        "an exchange": HTTPExchange(target=b"/", headers=[(b"host", b"x")]).receive_data,
        "lines": SSEDecoder().receive_data,
        "a stream": MessageStream().receive_data,
        "a monitor": StreamMonitor().receive_data,
        "a repair": Repair().receive_data,
        "results of a batch": BatchResults().receive_data,
        "the first bytes of a file": media_type_of,
        "a whole answer": Message.from_json,
    }
    for name, take in takers.items():
        with pytest.raises((LocalProtocolError, RemoteProtocolError)) as caught:
            take(wrong)
        if not (name == "a whole answer" and wrong == "text"):
            assert isinstance(caught.value, LocalProtocolError), name
            assert "bytes, not " in caught.value.message, name


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_bytes_are_taken(kind: Any) -> None:
    whole = b'{"type": "message", "content": []}'
    assert Message.from_json(kind(whole)) == Message.from_json(whole)
    assert media_type_of(kind(b"%PDF-1.7")) == "application/pdf"
    decoder = ChunkedDecoder()
    decoder.receive_data(kind(b"1\r\na\r\n0\r\n\r\n"))
    assert decoder.body_received() == b"a"


@pytest.mark.parametrize("wrong", WRONG, ids=lambda each: type(each).__name__)
def test_arguments_of_the_wrong_kind_are_told(wrong: Any) -> None:
    endpoint = Endpoint.from_base_url("https://gateway.example", api_key="k")
    with pytest.raises(LocalProtocolError, match="the request is a MessageRequest or another"):
        endpoint.prepare(wrong)
    with pytest.raises(LocalProtocolError, match=r"encode_event\(\) takes an event, not"):
        encode_event(wrong)
    if not isinstance(wrong, list | dict | str):
        with pytest.raises(LocalProtocolError, match="chunks is an iterable of bytes"):
            iter_events(wrong)
    with pytest.raises(LocalProtocolError, match="chunks is an asynchronous iterable of bytes"):
        aiter_events(wrong)
    if type(wrong) is not int:
        with pytest.raises(LocalProtocolError, match="the status of an answer is an int"):
            iter_events([], status=wrong)
    if wrong is not None and wrong not in ([], {}, "text"):
        with pytest.raises(LocalProtocolError, match="beta"):
            Endpoint.from_base_url("https://gateway.example", api_key="k", betas=wrong)


@pytest.mark.parametrize("make", [image, document])
def test_a_file_is_no_number(make: Any) -> None:
    with open(os.devnull, "rb") as file:
        for number in (file.fileno(), True):
            with pytest.raises(LocalProtocolError, match="the name of a file, not a number"):
                make(path=number)
        assert file.read() == b""  # nobody has closed it


@pytest.mark.parametrize("wrong", WRONG, ids=lambda each: type(each).__name__)
def test_arguments_of_tests_and_gateways_of_the_wrong_kind_are_told(wrong: Any) -> None:
    if not isinstance(wrong, str | dict) and wrong != []:
        with pytest.raises(LocalProtocolError, match="a list of blocks"):
            compose(wrong)
    if not isinstance(wrong, list | dict | str):
        with pytest.raises(LocalProtocolError, match="the script is a list of answers"):
            ReplayServer(wrong)
        with pytest.raises(LocalProtocolError, match="chunks is an iterable of bytes"):
            read_wrapped(wrong)
    if type(wrong) is not int:
        with pytest.raises(LocalProtocolError, match="attempts must be 1 or more"):
            Extractor(int, attempts=wrong, model="m", max_tokens=1, messages=[])
