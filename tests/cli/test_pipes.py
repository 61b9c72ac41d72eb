"""Commands in a pipe: what goes where, which status they end with, and the options of a question."""

from __future__ import annotations

import base64
import io
import itertools
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sansio_claude._cli.commands import _parser, main
from sansio_claude._cli.completion import completion
from sansio_claude._cli.status import STATUSES
from sansio_claude._cli.terminal import progress
from sansio_claude.testing import Answer, Recording, ReplayServer, compose, serve_in_thread
from tests.cli.test_commands import KEY, LIMIT, ask, command, environment, run, running

CITED: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "Hm."},
    {"type": "text", "text": "The sky is "},
    {"type": "text", "text": "blue", "citations": [{"type": "char_location", "cited_text": "blue"}]},
    {"type": "text", "text": " by day."},
]
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
COMMANDS = [
    "demo",
    "ask",
    "count",
    "models",
    "decode",
    "inspect",
    "replay",
    "serve",
    "check",
    "record",
    "faults",
    "completion",
]


def test_a_pipe_gets_the_text_of_the_message_and_nothing_else(tmp_path: Path) -> None:
    """Citations cut a sentence into blocks: it stays one sentence."""
    answer = compose(CITED, seed=1)
    (tmp_path / "a.sse").write_bytes(answer.data)
    for done in (ask(ReplayServer([answer]), "Hi"), run("replay", tmp_path / "a.sse", "--fast")):
        assert done.stdout == "The sky is blue by day.\n"
        assert done.stderr.startswith("[thinking]\nHm.\n")
        assert "tokens/s" in done.stderr


def test_quiet_and_json() -> None:
    answer = compose(CITED, seed=1)
    done = ask(ReplayServer([answer]), "Hi", "--quiet")
    assert (done.stdout, done.stderr) == ("The sky is blue by day.\n", "")
    done = ask(ReplayServer([answer]), "Hi", "--json")
    assert (json.loads(done.stdout), done.stderr) == (answer.message, "")
    assert ask(ReplayServer([answer]), "Hi", "--json", "--quiet").returncode == 2
    done = ask(ReplayServer([answer.first(9)]), "Hi", "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["stop_reason"] is None
    assert done.stderr.count("\n") == 1


ENDS = {
    "end_turn": (0, ""),
    "stop_sequence": (0, ""),
    "max_tokens": (4, "--max-tokens"),
    "model_context_window_exceeded": (4, "context window"),
    "pause_turn": (4, "ended in a pause"),
    "refusal": (5, "refused to answer"),
}


@pytest.mark.parametrize("reason", ENDS)
@pytest.mark.parametrize("option", ["--quiet", "--json", "--plain"])
def test_the_status_says_how_an_answer_ended(reason: str, option: str) -> None:
    status, words = ENDS[reason]
    done = ask(ReplayServer([compose("Half an ans", seed=1, stop_reason=reason)]), "Hi", option)
    assert done.returncode == status
    assert "Half an ans" in done.stdout
    assert words in done.stderr
    assert status in STATUSES


def test_the_statuses_are_in_the_help_and_in_the_docs() -> None:
    told = run("--help").stdout
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "command_line.md").read_text("utf-8")
    for status, words in STATUSES.items():
        assert re.search(rf"^  {status} +{re.escape(words)}$", told, re.MULTILINE)
        assert f"| {status} | {words} |" in guide


def test_thinking_does_not_take_the_question() -> None:
    server = ReplayServer([compose("Yes.")])
    assert ask(server, "--thinking", "Is it?").returncode == 0
    body = server.requests[0].json()
    assert body["messages"][0]["content"] == "Is it?"
    assert body["thinking"]["type"] == "adaptive"


def test_an_image_a_pdf_a_flag_and_a_header(tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(PIXEL)
    (tmp_path / "d.pdf").write_bytes(b"%PDF-1.7\n")
    server = ReplayServer([compose("Yes.")])
    files = ("--image", tmp_path / "p.png", "--image", "https://h.example/x.jpg", "--pdf", tmp_path / "d.pdf")
    more = ("--beta", "one-2026-01-01", "--beta", "two-2026-01-01", "--header", "X-Trace: a:b")
    assert ask(server, "What is it?", *files, *more).returncode == 0
    (request,) = server.requests
    content = request.json()["messages"][0]["content"]
    assert [block["type"] for block in content] == ["image", "image", "document", "text"]
    assert content[0]["source"]["media_type"] == "image/png"
    assert content[1]["source"] == {"type": "url", "url": "https://h.example/x.jpg"}
    assert content[3]["text"] == "What is it?"
    assert request.header("anthropic-beta") == "one-2026-01-01,two-2026-01-01"
    assert request.header("x-trace") == "a:b"
    for wrong in (("--image", tmp_path / "none.png"), ("--pdf", tmp_path / "p.png")):
        done = ask(server, "x", *wrong)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert str(wrong[1]) in done.stderr
    done = ask(server, "x", "--header", KEY)
    assert done.returncode == 2
    assert KEY not in done.stderr


def test_save_keeps_the_stream_as_it_came(tmp_path: Path) -> None:
    answer, file = compose(CITED, seed=1), tmp_path / "a.sse"
    server = ReplayServer([Answer.error(529), answer])
    assert ask(server, "Hi", "--save", file).returncode == 0
    assert file.read_bytes() == answer.data
    assert ask(ReplayServer([Answer.error(400)]), "Hi", "--save", file).returncode == 1
    assert file.read_bytes() == b""
    done = ask(ReplayServer([answer]), "Hi", "--save", tmp_path / "no" / "a.sse")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


def test_count_and_models() -> None:
    server = ReplayServer([])
    with serve_in_thread(server) as address:
        env = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": address.url}
        counted = run("count", "-", text="one two three", **env)
        listed = run("models", **env)
        whole = run("models", "--json", **env)
    assert counted.returncode == listed.returncode == 0, counted.stderr + listed.stderr
    assert re.fullmatch(r"\d+\n", counted.stdout)
    ids = [line.split("\t")[0] for line in listed.stdout.splitlines()]
    assert ids
    assert ids == [model["id"] for model in json.loads(whole.stdout)]
    assert run("models", ANTHROPIC_API_KEY="").returncode == 1


def test_record_and_what_takes_its_file(tmp_path: Path) -> None:
    file, answer = tmp_path / "s.jsonl", compose(CITED, seed=1)
    with serve_in_thread(ReplayServer([answer])) as address:
        env = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": address.url}
        done = run("record", file, "Hi", **env)
    assert done.returncode == 0
    assert done.stdout == "The sky is blue by day.\n"
    assert "keys are not" in done.stderr
    assert KEY not in file.read_text("utf-8")
    assert Recording.load(file).calls[0].data == answer.data
    assert json.loads(run("decode", file).stdout) == answer.message
    assert run("replay", file, "--fast").stdout == done.stdout
    assert "first byte" in run("inspect", file).stdout


def test_serve_without_a_file_says_how_to_ask_it() -> None:
    with running("serve", "--fast") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().decode() for _ in range(3)]
        url = re.search(r"http://127\.0\.0\.1:\d+", lines[0])
        assert url is not None
        assert lines[1].strip() == f"ANTHROPIC_API_KEY=any sansio-claude ask hello --base-url {url[0]}"
        assert f"ANTHROPIC_BASE_URL={url[0]} python " in lines[2]
        done = run("ask", "hello", "--base-url", url[0], ANTHROPIC_API_KEY="any")
    assert done.returncode == 0
    assert "Nanzen-ji" in done.stdout


def test_check_on_another_day(tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    file.write_text(
        '{"model": "claude-3-haiku-20240307", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}'
    )
    assert "retire" not in run("check", file, "--date", "2024-05-01").stdout
    assert "retire" in run("check", file, "--date", "2027-05-01").stdout
    assert run("check", file, "--date", "soon").returncode == 2


def test_the_commands_of_the_guide_are_understood() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "command_line.md").read_text("utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) > 15
    for line in lines:
        program, *arguments = shlex.split(line.partition(" > ")[0])
        assert program == "sansio-claude"
        assert _parser().parse_args(arguments).command == arguments[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does_and_gives_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])
    text = capsys.readouterr().out
    assert left.value.code == 0
    sentence = text.split("\n\n")[1]
    assert sentence.strip().endswith(".")
    examples = text.partition("examples:\n")[2].splitlines()
    assert len(examples) >= 2
    assert all("sansio-claude" in line for line in examples)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_command_and_option(shell: str, tmp_path: Path) -> None:
    script = completion(_parser(), shell)
    for name in (*COMMANDS, "max-tokens", "messages-url", "svg", "asyncio"):
        assert name in script
    program = shutil.which(shell)
    if program is not None:
        file = tmp_path / "script"
        file.write_text(script)
        done = subprocess.run([program, "-n", str(file)], capture_output=True, text=True, timeout=LIMIT)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("typed", "wanted", "others"),
    [
        ("", ["demo", "ask", "--version"], ["--fast"]),
        ("d", ["demo", "decode"], ["ask"]),
        ("ask --m", ["--model", "--max-tokens", "--messages-url"], ["--events"]),
        ("ask Hi --runtime ", ["asyncio", "trio"], ["--model"]),
        ("faults ", ["list", "serve", "report"], ["demo"]),
    ],
)
def test_completion_in_bash(typed: str, wanted: list[str], others: list[str]) -> None:
    program = shutil.which("bash")
    if program is None:
        pytest.skip("there is no bash")
    words = ["sansio-claude", *typed.split(" ")]
    quoted = " ".join(f"'{word}'" for word in words)
    script = f"{completion(_parser(), 'bash')}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _sansio_claude\n"
    script += 'printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run([program, "-c", script], capture_output=True, text=True, timeout=LIMIT)
    found = done.stdout.split()
    assert set(wanted) <= set(found), done.stderr
    assert not set(others) & set(found)


def test_stdin_may_be_any_bytes(tmp_path: Path) -> None:
    for arguments in (["decode", "-"], ["inspect", "-"], ["replay", "-"], ["check", "-"], ["ask", "-"], ["count", "-"]):
        done = subprocess.run(
            command(*arguments),
            input=bytes(range(256)) * 20,
            capture_output=True,
            env=environment(ANTHROPIC_API_KEY=KEY, PYTHONIOENCODING="utf-8:strict"),
            timeout=LIMIT,
        )
        assert done.returncode == 1
        assert b"Traceback" not in done.stderr
        assert done.stderr.count(b"\n") == 1


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_long_reading_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(0.0, 0.2)
    told = Terminal()
    monkeypatch.setattr(sys, "stderr", told)
    chunks = [b"x" * 1_000_000] * 12
    assert list(progress(iter(chunks), "reading it", 12_000_000, clock=lambda: next(clock))) == chunks
    assert "reading it: 6.0 of 12.0 MB" in told.getvalue()
    assert told.getvalue().endswith("\r\x1b[K")
    silent = io.StringIO()
    monkeypatch.setattr(sys, "stderr", silent)
    assert list(progress(iter(chunks), "reading it", None)) == chunks
    assert silent.getvalue() == ""
