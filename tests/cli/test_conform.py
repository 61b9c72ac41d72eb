"""The command conform: files, an address, what is said beforehand, JSON, exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sansio_claude._cli.commands import main
from sansio_claude.testing import Answer, Recorder, ReplayServer, compose, serve_in_thread
from tests.gateway.conforming import KEY, conforming_server


def test_the_replay_server_passes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    server = conforming_server()
    with serve_in_thread(server) as address:
        assert main(["conform", "--base-url", address.url, "--yes", "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert [each for each in found if each["verdict"] == "failed"] == []
    assert {each["check"] for each in found if each["verdict"] == "passed"} >= {
        *("auth.api_key", "auth.bearer", "auth.wrong_key", "errors.bad_request", "errors.unknown_field"),
        *("tools.parallel", "tools.no_arguments", "thinking.comes", "stop.max_tokens", "stream.whole"),
        *("count_tokens.answer", "models.answer", "whole.message", "stream.signatures", "stream.tool_ids"),
    }
    assert len(server.requests) == 10
    assert "10 requests go to 127.0.0.1" in err
    assert KEY not in out + err


def test_a_server_with_one_answer_has_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    with serve_in_thread(ReplayServer([compose("Hello!", seed=1)])) as address:
        assert main(["conform", "--base-url", address.url, "--yes", "--all"]) == 0
    assert "0 errors" in capsys.readouterr().out


def test_nothing_is_sent_without_a_yes(capsys: pytest.CaptureFixture[str]) -> None:
    server = conforming_server()
    with serve_in_thread(server) as address:
        assert main(["conform", "--base-url", address.url]) == 2
    assert server.requests == []
    assert "Nothing was sent" in capsys.readouterr().err


def test_an_endpoint_that_does_much_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    server = ReplayServer([Answer(pieces=(b"<html>bad gateway</html>",), status=502)])
    with serve_in_thread(server) as address:
        assert main(["conform", "--base-url", address.url, "--yes"]) == 1
    out = capsys.readouterr().out
    assert "error: stream.is_stream [text]: A request with stream: true is answered by an event stream." in out
    assert "auth.api_key" not in out  # a bad gateway says nothing about the key
    assert "https://platform.claude.com/docs/en/build-with-claude/streaming" in out


def test_what_several_answers_show_alike_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    nameless = compose("Hello", seed=1).data.replace(b"event: content_block_stop\n", b"")
    with serve_in_thread(ReplayServer([Answer(pieces=(nameless,))] * 12)) as address:
        assert main(["conform", "--base-url", address.url, "--yes"]) == 1
    out = capsys.readouterr().out
    assert out.count("error: stream.event_names [text, whole, tools, thinking, max_tokens]: ") == 1
    assert out.count("stream.event_names") == 1
    assert out.count("seen: a content_block_stop came without a name") == 1


def test_no_server(capsys: pytest.CaptureFixture[str]) -> None:
    with serve_in_thread(conforming_server()) as address:
        url = address.url
    assert main(["conform", "--base-url", url, "--yes"]) == 1
    assert "there was no answer" in capsys.readouterr().out


def test_a_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "session.jsonl"
    with Recorder(file) as recorder:
        list(recorder.record([compose("One.", seed=1).data]))
    assert main(["conform", str(file), "--all"]) == 0
    assert f"passed: stream.whole [{file}]" in capsys.readouterr().out
    with Recorder(file) as recorder:
        list(recorder.record([compose("One.", seed=1).data]))
        list(recorder.record([compose("Two.", seed=1).data[:-100]]))
    assert main(["conform", str(file), "--json"]) == 1
    failed = [each for each in json.loads(capsys.readouterr().out) if each["verdict"] == "failed"]
    assert {each["where"] for each in failed} == {f"{file}, call 2"}


def test_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right, wrong = tmp_path / "right.sse", tmp_path / "wrong.sse"
    right.write_bytes(compose("Hello", seed=1).data)
    wrong.write_bytes(compose("Hello", seed=1).data.replace(b"event: content_block_stop\n", b""))
    assert main(["conform", str(right)]) == 0
    assert main(["conform", str(wrong)]) == 1
    out = capsys.readouterr().out
    assert "error: stream.event_names" in out
    assert "seen: a content_block_stop came without a name" in out
    assert main(["conform", str(right), str(wrong)]) == 1
    table = capsys.readouterr().out
    assert "error    stream.event_names   +   !" in table
    assert main(["conform", str(right), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["check"] == "stream.is_stream"


@pytest.mark.parametrize("arguments", [[], ["file", "--base-url", "http://127.0.0.1:1"], ["--base-url", "nonsense"]])
def test_misuse(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", *arguments]) == 2
    assert capsys.readouterr().err.startswith("sansio-claude: ")


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", str(tmp_path / "none")]) == 1
    assert "cannot be read" in capsys.readouterr().err
