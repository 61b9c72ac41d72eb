"""The command `record`: a session is asked for and kept, without its keys."""

from __future__ import annotations

import os
from pathlib import Path

from sansio_claude import MessageStream
from sansio_claude.testing import Recording, ReplayServer, compose, serve_in_thread
from tests.cli.test_commands import HELLO, KEY, run


def test_a_session_is_kept_without_its_key(tmp_path: Path) -> None:
    file = tmp_path / "session.jsonl"
    server = ReplayServer([HELLO])
    with serve_in_thread(server) as address:
        done = run("record", file, f"Hi {KEY}", "--base-url", address.url, ANTHROPIC_API_KEY=KEY)
    assert done.returncode == 0, done.stderr
    assert "Hello, world!" in done.stdout
    assert str(file) in done.stderr
    assert KEY not in file.read_text("utf-8")
    assert os.stat(file).st_mode & 0o777 == 0o600
    (call,) = Recording.load(file).calls
    assert call.status == 200
    assert call.whole
    assert call.target == "/v1/messages"
    stream = MessageStream()
    stream.receive_data(call.data)
    assert stream.finish().text == "Hello, world! How are you today?"


def test_a_key_that_is_echoed_is_taken_out(tmp_path: Path) -> None:
    file = tmp_path / "session.jsonl"
    with serve_in_thread(ReplayServer([compose(f"Your key is {KEY}, is it?", seed=1)])) as address:
        done = run("record", file, "Hi", "--base-url", address.url, ANTHROPIC_API_KEY=KEY)
    assert done.returncode == 0, done.stderr
    assert KEY not in file.read_text("utf-8")


def test_no_file_is_made_where_nothing_can_be_asked(tmp_path: Path) -> None:
    file = tmp_path / "session.jsonl"
    done = run("record", file, "Hi")
    assert done.returncode != 0
    assert not file.exists()


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    done = run("record", tmp_path, "Hi", ANTHROPIC_API_KEY=KEY)
    assert done.returncode != 0
    assert str(tmp_path) in done.stderr
    assert "Traceback" not in done.stderr
