"""The results file of a Message Batch: any chunking, line ends, cuts, limits, errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude import (
    APIError,
    BatchResult,
    BatchResults,
    ClaudeError,
    InvalidRequestError,
    LimitError,
    Limits,
    LocalProtocolError,
    Message,
    OverloadedError,
    RemoteProtocolError,
    TruncatedError,
)
from tests.counting import growth

MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi\u2028"}]}
ERROR = {"type": "error", "error": {"type": "invalid_request_error", "message": "no"}, "request_id": "req_1"}


def row(custom_id: str, kind: str = "succeeded", **result: Any) -> bytes:
    if kind == "succeeded" and not result:
        result = {"message": MESSAGE}
    value = {"custom_id": custom_id, "result": {"type": kind, **result}}
    return json.dumps(value, ensure_ascii=False).encode()


ROWS = [row("a"), row("b", "errored", error=ERROR), row("c", "canceled"), row("d", "expired"), row("e", "one_to_come")]


def read(data: bytes, size: int | None = None, **options: Any) -> tuple[list[BatchResult], ClaudeError | None]:
    results = BatchResults(**options)
    found: list[BatchResult] = []
    for start in range(0, len(data), size or max(len(data), 1)):
        results.receive_data(data[start : start + (size or len(data))])
        if size is not None:
            try:
                found += results.results_received()
            except ClaudeError:
                pass
    results.receive_eof()
    results.receive_eof()
    try:
        while new := results.results_received():
            found += new
    except ClaudeError as error:
        with pytest.raises(type(error)):
            results.results_received()
        with pytest.raises(type(error)):
            results.finish()
        return found, error
    assert results.finish() == []
    assert results.count == len(found)
    return found, None


def kinds(data: bytes, size: int | None = None, **options: Any) -> list[tuple[str, str]]:
    found, error = read(data, size, **options)
    assert error is None
    return [(each.custom_id, each.kind) for each in found]


def test_each_kind() -> None:
    found, error = read(b"\n".join(ROWS) + b"\n")
    assert error is None
    assert [each.kind for each in found] == ["succeeded", "errored", "canceled", "expired", "one_to_come"]
    assert found[0].message is not None
    assert found[0].message.to_dict() == MESSAGE
    assert type(found[1].error) is InvalidRequestError
    assert (found[1].error.request_id, found[1].error.error_message) == ("req_1", "no")
    assert all(each.message is None and each.error is None for each in found[2:])
    assert [each.raw for each in found] == [json.loads(each) for each in ROWS]


@given(
    ends=st.lists(st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\r\n \r\n"]), min_size=5, max_size=5),
    last=st.booleans(),
    bom=st.booleans(),
    size=st.integers(1, 400),
)
def test_line_ends_blank_lines_and_chunks_do_not_matter(ends: list[bytes], last: bool, bom: bool, size: int) -> None:
    data = b"".join(each + end for each, end in zip(ROWS, ends, strict=True))
    data = (b"\xef\xbb\xbf" if bom else b"") + (data if last else data.rstrip())
    assert kinds(data, size) == kinds(b"\n".join(ROWS))


@given(cut=st.integers(0, len(ROWS[0] + ROWS[1])), size=st.none() | st.integers(1, 60))
def test_every_cut_is_told(cut: int, size: int | None) -> None:
    data = (ROWS[0] + b"\n" + ROWS[1] + b"\n")[:cut]
    found, error = read(data, size, expected=2)
    assert isinstance(error, TruncatedError) == (len(found) < 2)
    _, unknown = read(data, size)
    inside = cut not in (0, len(ROWS[0]), len(ROWS[0]) + 1, len(ROWS[0]) + 1 + len(ROWS[1]))
    assert isinstance(unknown, TruncatedError) == inside


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"nonsense", "result 2, at byte {}: this is not JSON"),
        (b"[1]", "the line is a list, not an object"),
        (b'{"custom_id": 5, "result": {}}', "custom_id of a result is a number"),
        (b'{"result": {"type": "canceled"}}', "custom_id of a result is missing"),
        (b'{"custom_id": "x", "result": {}}', "the result of 'x' has no type"),
        (b'{"custom_id": "x"}', "has no type"),
        (b'{"custom_id": "x", "result": {"type": "succeeded"}}', "content is missing"),
        (b'{"custom_id": "x", "result": {"type": "succeeded", "message": 5}}', "the message is a number"),
    ],
)
@pytest.mark.parametrize("size", [None, 1, 7])
def test_what_is_bad_comes_behind_what_is_good(line: bytes, words: str, size: int | None) -> None:
    found, error = read(ROWS[0] + b"\n" + line + b"\n" + ROWS[2] + b"\n", size)
    assert [each.custom_id for each in found] == ["a"]
    assert type(error) is RemoteProtocolError
    assert words.format(len(ROWS[0]) + 1) in str(error)
    assert (error.offset, error.excerpt) == (len(ROWS[0]) + 1, line[:80])


def test_an_error_in_place_of_the_file() -> None:
    found, error = read(b'{"type": "error", "error": {"type": "overloaded_error", "message": "m"}}')
    assert found == []
    assert isinstance(error, OverloadedError)
    assert isinstance(error, APIError)


@pytest.mark.parametrize("size", [None, 1, 50])
def test_limits(size: int | None) -> None:
    data = ROWS[2] + b"\n" + ROWS[0] + b"\n"
    found, error = read(data, size, limits=Limits(message=len(ROWS[0]) - 1))
    assert ([each.custom_id for each in found], type(error)) == (["c"], LimitError)
    assert read(data, size, limits=Limits(message=len(ROWS[0])))[1] is None
    endless, error = read(ROWS[2] + b"\n" + b"x" * 1000, size, limits=Limits(message=200))
    assert ([each.custom_id for each in endless], type(error)) == (["c"], LimitError)
    deep = row("x", "new", value=json.loads("[" * 60 + "]" * 60))
    assert type(read(deep, size, limits=Limits(depth=50))[1]) is LimitError


def test_what_is_asked_wrongly() -> None:
    results = BatchResults()
    with pytest.raises(LocalProtocolError, match="takes bytes"):
        results.receive_data("text")  # type: ignore[arg-type]
    results.receive_data(memoryview(ROWS[0]))
    assert [each.custom_id for each in results.finish()] == ["a"]
    with pytest.raises(LocalProtocolError, match="after receive_eof"):
        results.receive_data(b"")
    for expected in (-1, True, "5"):
        with pytest.raises(LocalProtocolError, match="number of results"):
            BatchResults(expected=expected)  # type: ignore[arg-type]


def test_a_hundred_thousand_rows() -> None:
    results = BatchResults(expected=100_000)
    line = ROWS[2] + b"\r\n"
    count = 0
    for _ in range(100):
        results.receive_data(line * 1000)
        count += len(results.results_received())
    assert (count, results.finish(), results.count) == (100_000, [], 100_000)


def test_reading_is_linear_in_rows_and_in_the_length_of_a_line() -> None:
    def rows(count: int) -> Callable[[], object]:
        data = (ROWS[2] + b"\n") * count
        return lambda: read(data, 64)

    def line(size: int) -> Callable[[], object]:
        data = row("x", "new", value="a" * size)
        return lambda: read(data, 16)

    assert growth(rows, size=50) < 1.2
    assert growth(line, size=2000) < 1.2


def test_half_a_character_is_half_a_character_in_a_row_too() -> None:
    half = "a\ud800"
    content = [{"type": "text", "text": half}, {"type": "tool_use", "id": "t", "name": "n", "input": {"x": half}}]
    answer = {"id": "m", "type": "message", "role": "assistant", "model": "x", "content": content, "usage": {}}
    answer["stop_reason"] = "tool_use"
    row = {"custom_id": half, "result": {"type": "succeeded", "message": answer}}
    results = BatchResults()
    results.receive_data(json.dumps(row).encode() + b"\n")
    assert repr(results) == f"<BatchResults open, 1 results, {len(json.dumps(row)) + 1} bytes received>"
    (result,) = results.finish()
    assert result.custom_id == "a\ufffd"
    assert result.message is not None
    assert result.message.to_dict() == Message.from_json(json.dumps(answer)).to_dict()
    assert (result.message.text, result.message.tool_uses[0].input) == ("a\ufffd", {"x": half})
