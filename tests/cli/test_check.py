"""`check`: the problems of a request, for people and as JSON."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from sansio_claude._cli.commands import main

GOOD: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hello"}],
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "request.json"


def run(capsys: pytest.CaptureFixture[str], file: Path | str, *options: str) -> tuple[int, str, str]:
    status = main(["check", str(file), *options])
    out, err = capsys.readouterr()
    return status, out, err


def test_a_good_request(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(json.dumps(GOOD))
    assert run(capsys, file) == (0, f"{file}: no problems found\n", "")
    assert run(capsys, file, "--json") == (0, "[]\n", "")


def test_problems_for_people(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(json.dumps({**GOOD, "max_tokens": 10**9, "messages": []}))
    status, out, err = run(capsys, file)
    assert (status, err) == (1, "")
    lines = out.splitlines()
    assert any(line.startswith("error: max_tokens: ") for line in lines)
    assert any(line.startswith("error: messages: ") for line in lines)
    assert lines[-1].startswith(f"{file}: 2 errors")


def test_problems_as_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(json.dumps({**GOOD, "max_tokens": 10**9}))
    status, out, _ = run(capsys, file, "--json")
    assert status == 1
    problem = json.loads(out)[0]
    assert (problem["severity"], problem["path"]) == ("error", "max_tokens")
    assert set(problem) == {"severity", "path", "message", "hint"}


def test_warnings_alone_are_no_failure(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tool = {"name": "t", "description": "", "input_schema": {"type": "object"}}
    file.write_text(json.dumps({**GOOD, "tools": [tool]}))
    status, out, _ = run(capsys, file)
    assert status == 0
    assert out.startswith("warning: tools[0]")


def test_stdin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(GOOD).encode())))
    assert run(capsys, "-")[1] == "the input: no problems found\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "the body of a request"),
        ("hello", "no JSON object"),
        ('{"model": ', "not whole JSON"),
        ("[" * 100_000, "(too deeply nested)"),
        ("[" * 100_000 + "]" * 100_000, "no JSON that can be read (too deeply nested)"),
        (f'{{"max_tokens": {"1" * 5_000}}}', "no JSON that can be read (a number in it is too long)"),
        ("[1]", "array"),
        ("<html>", "HTML"),
        ('{"extra_headers": [1]}', "extra_headers"),
        ('{"extra_query": "x"}', "extra_query"),
        ('{"betas": 3}', "betas"),
    ],
)
def test_what_is_no_request_is_one_sentence(
    content: str, words: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(content)
    status, out, err = run(capsys, file)
    assert (status, out) == (1, "")
    assert words in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("key", ["betas", "extra_headers", "extra_body", "messages", "model", "tools", "thinking"])
@pytest.mark.parametrize("value", [None, 1, "x", [], [1], {}, {"a": 1}, [[]], True])
def test_no_value_is_a_crash(key: str, value: Any, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(json.dumps({**GOOD, key: value}))
    status, _, _ = run(capsys, file)
    assert status in (0, 1)
