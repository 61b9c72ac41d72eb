"""`decode`: whole messages, events, and one sentence for everything that is neither."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from sansio_claude._cli.commands import main
from sansio_claude._cli.json_text import json_text
from sansio_claude.testing import Dialect, compose

BLOCKS: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "Let me think.", "signature": "c2ln"},
    {"type": "text", "text": "Größe 日本", "citations": [{"type": "char_location", "cited_text": "G"}]},
    {"type": "tool_use", "name": "get", "input": {"a": [1, 2.5, None]}},
    {"type": "compaction", "content": "short", "encrypted_content": "b3BhcXVl"},
    {"type": "brand_new", "payload": {"x": 1}},
]
STREAM = compose(BLOCKS, seed=1, stop_reason="tool_use")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "answer.sse"


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main(["decode", *map(str, arguments)])
    out, err = capsys.readouterr()
    return status, out, err


def complaint(status: int, err: str, *, expected: int = 1) -> str:
    """The one sentence of a failure. Deviations that were seen before have lines of their own."""
    assert status == expected
    lines = [line for line in err.splitlines() if not line.startswith("sansio-claude: event ")]
    assert len(lines) == 1, err
    assert lines[0].startswith("sansio-claude: ")
    assert lines[0].endswith(".")
    return lines[0]


def test_a_stream_becomes_its_message(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(STREAM.data)
    status, out, err = run(capsys, file)
    assert (status, err) == (0, "")
    assert json.loads(out) == STREAM.message


def test_stdin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(STREAM.data)))
    status, out, _ = run(capsys, "-")
    assert status == 0
    assert json.loads(out) == STREAM.message


def test_events_are_those_of_the_wire(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(STREAM.data)
    status, out, err = run(capsys, file, "--events")
    assert (status, err) == (0, "")
    sent = [json.loads(line[6:]) for line in STREAM.data.decode().splitlines() if line.startswith("data: ")]
    assert [json.loads(line) for line in out.splitlines()] == sent


def test_unknown_things_are_in_the_events_too(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = [
        {"type": "message_start", "message": compose([]).message, "more": 1},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "new"}, "more": 2},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "new_delta", "x": 1}, "more": 3},
        {"type": "content_block_stop", "index": 0, "more": 4},
        {"type": "vertex_event", "x": 1},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "more": 5},
        {"type": "message_stop", "more": 6},
    ]
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    file.write_text("".join(lines).replace("data: ", "event: odd\ndata: no json\n\ndata: ", 1))
    status, out, _ = run(capsys, file, "--events")
    assert status == 0
    assert [json.loads(line) for line in out.splitlines()] == [{"type": "odd", "data": "no json"}, *events]


def test_a_cut_stream_gives_what_had_arrived(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(STREAM.first(8).data)
    status, out, err = run(capsys, file)
    assert "was cut" in complaint(status, err, expected=3)
    assert json.loads(out)["content"][0]["thinking"].startswith("Let")


def test_cuts_of_a_stream_are_said(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short = compose("hi", seed=2)
    # Without its last blank line the last event is still whole, and with the spaces alone gone it is not.
    for position in [*range(1, len(short.data) - 40, 23), *range(len(short.data) - 40, len(short.data) - 2)]:
        file.write_bytes(short.data[:position])
        status, _, err = run(capsys, file)
        if status == 0:
            assert short.data[:position].rstrip(b"\n").endswith(b"}")
            assert b"message_stop" in short.data[:position]
        else:
            assert complaint(status, err, expected=3 if "was cut" in err else 1)


def test_an_error_event(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(STREAM.with_error(5).data)
    status, out, err = run(capsys, file)
    assert "overloaded_error: Overloaded" in complaint(status, err)
    assert json.loads(out)["stop_reason"] is None
    status, out, err = run(capsys, file, "--events")
    assert complaint(status, err)
    assert json.loads(out.splitlines()[-1])["error"]["type"] == "overloaded_error"


def test_a_stream_that_is_nothing_but_an_error(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(STREAM.with_error(0).data)
    status, out, err = run(capsys, file)
    assert out == ""
    assert "above" not in complaint(status, err)


def test_a_stream_that_breaks_the_rules(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(STREAM.first(4).data + b"event: content_block_delta\ndata: {broken\n\n")
    status, out, err = run(capsys, file)
    assert "not what the API sends" in complaint(status, err)
    assert json.loads(out)["type"] == "message"


def test_deviations_are_named_and_with_strict_are_errors(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(compose("hi", dialect=Dialect(done=True)).data)
    status, out, err = run(capsys, file)
    assert status == 0
    assert json.loads(out)["content"][0]["text"] == "hi"
    assert "something came after message_stop" in err
    file.write_bytes(b"data: [DONE]\n\n" * 15 + compose("hi").data)
    assert "and 5 more such deviations" in run(capsys, file)[2]
    status, _, err = run(capsys, file, "--strict")
    assert complaint(status, err)


PAGE = b"<!DOCTYPE html><html><body>404</body></html>"
ERROR = {"type": "error", "error": {"type": "rate_limit_error", "message": "Slow\ndown"}}
WRONG: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "blank lines": (b"\n\n \n", "is empty"),
    "page": (PAGE, "HTML"),
    "page after blanks": (b"\r\n  " + PAGE, "HTML"),
    "error body": (json.dumps(ERROR).encode(), "rate_limit_error: Slow down"),
    "error in a list": (json.dumps([ERROR]).encode(), "rate_limit_error"),
    "bad request": (b'{"error": {"type": "invalid_request_error", "message": "no"}}', "correct the request"),
    "gzip": (gzip.compress(STREAM.data), "gzip -dc"),
    "zip": (b"PK\x03\x04 and so on", "unzip"),
    "head": (b"HTTP/1.1 200 OK\r\n\r\n" + STREAM.data, "HTTP head"),
    "utf-16": (STREAM.data.decode().encode("utf-16"), "UTF-16"),
    "other json": (b'{"a": 1}', "neither"),
    "json array": (b"[1, 2]", "neither"),
    "half json": (b'{"type": "mess', "nor whole JSON"),
    "deep json": (b"[" * 200_000, "too deeply nested"),
    "long number": (b'{"id": %b}' % (b"1" * 5_000), "a number in it is too long"),
    "half message": (b'{"type": "message", "content": 3}', "not a message"),
    "prose": (b"Hello there!", "not one event"),
    "bytes": (bytes(range(1, 256)) * 10, "not one event"),
    "another API": (b'data: {"id": "chat", "choices": []}\n\n', "no message_start"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_stream_is_one_sentence(name: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, words = WRONG[name]
    file.write_bytes(content)
    status, out, err = run(capsys, file)
    assert words in complaint(status, err)
    assert out == ""
    assert str(file) in err


def test_files_that_cannot_be_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [tmp_path, tmp_path / "missing", "nul\0byte", "x" * 5_000]
    words = ["is a directory", "no file", "cannot be read", "cannot be read"]
    for path, expected in zip(paths, words, strict=True):
        status, _, err = run(capsys, path)
        assert expected in complaint(status, err)


def test_a_whole_json_answer_is_its_message(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(json.dumps(STREAM.message))
    status, out, err = run(capsys, file)
    assert (status, err) == (0, "")
    assert json.loads(out) == STREAM.message
    status, _, err = run(capsys, file, "--events")
    assert "leave --events away" in complaint(status, err)


def test_json_text_is_json_for_everybody() -> None:
    value = {"a": [1e400, -1e400, "Infinity", "-Infinity~"], "b": "\ud800", "c": "日本"}
    text = json_text(value)
    assert text.isascii()  # for the sake of the lone surrogate
    assert "Infinity" not in text.replace('"Infinity"', "").replace('"-Infinity~"', "")
    assert json.loads(text) == value
    assert json_text({"c": "日本", "d": 1.5}) == '{"c":"日本","d":1.5}'
    assert json_text([1], indent=2) == "[\n  1\n]"
