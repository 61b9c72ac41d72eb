"""The commands as a person runs them: in a process of their own, with real sockets, signals, pipes and terminals."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import sansio_claude
from sansio_claude._cli.commands import main
from sansio_claude._cli.demo import PROMPT, demo_transcript
from sansio_claude.testing import Answer, RecordedRequest, ReplayServer, Transcript, compose, serve_in_thread

HELLO = compose(
    [
        {"type": "thinking", "thinking": "A greeting."},
        {"type": "text", "text": "Hello, world! How are you today?"},
    ],
    seed=1,
)
KEY = "sk-ant-secret-0123456789"
RUNTIMES = ["asyncio", "trio"]
LIMIT = 60  # seconds, after which a test gives up


def environment(**more: str) -> dict[str, str]:
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.upper().startswith("ANTHROPIC") and not key.upper().endswith("_PROXY")
    }
    package = Path(sansio_claude.__file__).parents[1]
    return {**kept, "PYTHONPATH": str(package), "PYTHONUNBUFFERED": "", "TERM": "xterm-256color", **more}


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "sansio_claude", *map(str, arguments)]


def run(*arguments: object, text: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        input=text,
        capture_output=True,
        text=True,
        env=environment(**env),
        timeout=LIMIT,
        check=False,
    )


def default_signals() -> None:
    """Ctrl-C works in the child, even where this process was started with it ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def running(*arguments: object, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(**env),
        preexec_fn=default_signals,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def complaint(result: subprocess.CompletedProcess[str], *, status: int = 1, notes: bool = False) -> str:
    """The one sentence of a failure. What is told of the answer before it stands in lines of its own, in brackets."""
    assert result.returncode == status, result
    assert "Traceback" not in result.stderr
    assert KEY not in result.stdout + result.stderr
    lines = result.stderr.splitlines()
    assert notes or len(lines) == 1, result.stderr
    assert re.fullmatch(r"sansio-claude: .*\.", lines[-1])
    return lines[-1]


def ask(server: ReplayServer, *arguments: object) -> subprocess.CompletedProcess[str]:
    with serve_in_thread(server) as address:
        return run("ask", *arguments, ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=address.url)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_demo(runtime: str) -> None:
    result = run("demo", "--fast", "--runtime", runtime)
    message = demo_transcript().message
    assert message is not None
    thinking, text, tool = message["content"]
    assert (result.returncode, result.stdout) == (0, f"{text['text']}\n")
    shown, _, last = result.stderr.rstrip("\n").rpartition("\n")
    assert shown == (
        f"> {PROMPT}\n\n[thinking]\n{thinking['thinking']}\n\n[tool_use save_plan]\n"
        f"{json.dumps(tool['input'], ensure_ascii=False)}\n"
    )
    assert re.fullmatch(
        r"\[claude-opus-5-5, tool_use, 3,547 tokens in, 338 tokens out, [\d,]+ tokens/s, [\d.]+ s\]", last
    )


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_ask_answers_on_stdout_and_tells_the_rest_on_stderr(runtime: str) -> None:
    server = ReplayServer([HELLO], api_key=KEY)
    result = ask(server, "Hi", "--runtime", runtime, "--model", "m", "--max-tokens", 7, "--system", "Be brief.")
    assert result.returncode == 0
    assert result.stdout == "Hello, world! How are you today?\n"
    assert result.stderr.startswith("[thinking]\nA greeting.\n")
    assert "tokens/s" in result.stderr
    body = server.requests[0].json()
    assert body == {
        "model": "m",
        "max_tokens": 7,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
    }


def test_ask_reads_stdin_and_takes_a_base_url() -> None:
    server = ReplayServer([HELLO])
    with serve_in_thread(server) as address:
        result = run("ask", "-", "--base-url", address.url, text="From a pipe\n", ANTHROPIC_API_KEY=KEY)
    assert result.returncode == 0
    assert server.requests[0].json()["messages"][0]["content"] == "From a pipe\n"


@pytest.mark.parametrize(
    ("options", "thinking"),
    [
        (["--thinking"], {"type": "adaptive", "display": "summarized"}),
        (["--thinking", "2048"], {"type": "enabled", "budget_tokens": 2048}),
    ],
)
def test_ask_with_thinking(options: list[str], thinking: dict[str, Any]) -> None:
    server = ReplayServer([HELLO])
    assert ask(server, "Hi", *options).returncode == 0
    assert server.requests[0].json()["thinking"] == thinking


def test_ask_without_a_key_or_a_question() -> None:
    assert "ANTHROPIC_API_KEY" in complaint(run("ask", "Hi"))
    assert "ANTHROPIC_API_KEY" in complaint(run("ask", "Hi", ANTHROPIC_API_KEY=" "))
    assert "no question" in complaint(run("ask", " ", ANTHROPIC_API_KEY=KEY))
    assert "no question" in complaint(run("ask", "-", text="", ANTHROPIC_API_KEY=KEY))


URLS = {
    "ftp://x": "https://",
    "http://example.org": "--allow-http",
    "https://h/v1/messages": "--messages-url",
    "http://[::1": "--base-url",
    "": "empty",
}


@pytest.mark.parametrize("url", URLS)
def test_ask_at_an_address_that_is_none(url: str) -> None:
    result = run("ask", "Hi", "--base-url", url, ANTHROPIC_API_KEY=KEY)
    assert URLS[url] in complaint(result)


def test_ask_at_a_whole_messages_address() -> None:
    server = ReplayServer([HELLO])
    with serve_in_thread(server) as address:
        url = f"{address.url}/gateway/messages?tenant=7"
        result = run("ask", "Hi", "--messages-url", url, ANTHROPIC_AUTH_TOKEN=KEY)
    assert result.returncode == 0
    assert server.requests[0].target == "/gateway/messages?tenant=7"
    assert server.requests[0].header("authorization") == f"Bearer {KEY}"


def test_ask_with_a_key_that_cannot_be_sent() -> None:
    result = run("ask", "Hi", ANTHROPIC_API_KEY=f"{KEY}\r\nX-Evil: 1")
    assert complaint(result)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_ask_where_no_server_is(runtime: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        result = run("ask", "Hi", "--runtime", runtime, "--base-url", url, ANTHROPIC_API_KEY=KEY)
    assert f"No server answers at {url}" in complaint(result, notes=True)
    assert "--base-url" in result.stderr
    retries = [line for line in result.stderr.splitlines() if line.startswith("[attempt ")]
    assert [line.split(" failed (")[0] for line in retries] == ["[attempt 1", "[attempt 2"]
    assert all(re.search(r"; again in \d+\.\d s\]$", line) for line in retries)


ANSWERS: dict[str, tuple[Answer | Transcript, str]] = {
    "no such model": (Answer.error(404, "model: m"), "--model"),
    "no such path": (Answer.error(404, "Not Found"), "--base-url"),
    "key": (Answer.error(401, f"invalid x-api-key {KEY}"), "ANTHROPIC_API_KEY"),
    "bad request": (Answer.error(400, "max_tokens:\n too large"), "max_tokens: too large"),
    "page": (Answer.raw(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>"), "--base-url"),
    "garbage": (Answer.raw(b"SSH-2.0-OpenSSH_9.6\r\n"), "--base-url"),
    "empty": (Answer.raw(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"), "ended before it began"),
    "redirect": (Answer(status=307, headers=(("location", "https://h.example/"),)), "does not answer itself"),
    "no more today": (Answer.error(429, headers=[("retry-after", "4000")]), "in 4000 s"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_ask_and_be_refused(name: str) -> None:
    answer, words = ANSWERS[name]
    result = ask(ReplayServer([answer]), "Hi", "--model", "m")
    assert words in complaint(result)
    assert result.stdout == ""


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_an_answer_that_is_cut_shows_what_had_arrived(runtime: str) -> None:
    result = ask(ReplayServer([HELLO.first(10)]), "Hi", "--runtime", runtime)
    assert result.returncode == 3
    assert "Hello".startswith(result.stdout[:5])
    assert result.stdout != ""
    assert "cut before its end" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_an_error_in_mid_stream_shows_what_had_arrived() -> None:
    result = ask(ReplayServer([HELLO.with_error(10)]), "Hi")
    assert result.returncode == 1
    assert result.stdout.startswith("Hello"[: len(result.stdout) - 1])
    assert "overloaded_error: Overloaded" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_ctrl_c_ends_at_once_with_what_had_arrived(runtime: str) -> None:
    answer = Answer.stream(HELLO.first(12), end="stall")
    with (
        serve_in_thread(ReplayServer([answer])) as address,
        running(*("ask", "Hi", "--runtime", runtime), ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=address.url) as process,
    ):
        assert process.stdout is not None
        first = process.stdout.read(5)
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 130
    assert first == b"Hello"
    assert rest.endswith(b"\n")
    assert b"interrupted" in err
    assert b"Traceback" not in err


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_ctrl_c_before_anything_came(runtime: str) -> None:
    asked = threading.Event()

    def never(request: RecordedRequest) -> Answer:
        asked.set()
        return Answer.stream(HELLO, delay=3_600)

    with (
        serve_in_thread(ReplayServer([never])) as address,
        running(*("ask", "Hi", "--runtime", runtime), ANTHROPIC_API_KEY=KEY, ANTHROPIC_BASE_URL=address.url) as process,
    ):
        assert asked.wait(LIMIT)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 130
    assert out == b""
    assert err.startswith(b"[interrupted")


def test_ctrl_c_in_the_demo() -> None:
    with running("demo", "--speed", "0.2") as process:
        assert process.stderr is not None
        while (line := process.stderr.readline()) != b"[thinking]\n":
            assert line
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 130
    assert rest == b""
    assert b"interrupted" in err


def test_serve_answers_in_turn_until_ctrl_c(tmp_path: Path) -> None:
    first, second = tmp_path / "first.sse", tmp_path / "second.sse"
    first.write_bytes(compose("One.").data)
    second.write_bytes(compose("Two.").data)
    with running("serve", first, second, "--fast") as process:
        assert process.stdout is not None
        url = re.search(rb"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert url is not None
        answers = [run("ask", "Hi", "--base-url", url[0].decode(), ANTHROPIC_API_KEY=KEY).stdout for _ in range(3)]
        assert answers == ["One.\n", "Two.\n", "One.\n"]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT)
    assert (process.returncode, err) == (130, b"")
    assert out.count(b"POST /v1/messages") == 3


def test_serve_where_it_cannot(tmp_path: Path) -> None:
    file = tmp_path / "a.sse"
    file.write_bytes(HELLO.data)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = run("serve", file, "--port", taken.getsockname()[1])
    assert "--port" in complaint(result)
    assert "--port" in complaint(run("serve", file, "--port", 123456))
    assert "no file" in complaint(run("serve", file, tmp_path / "missing"))
    file.write_text('{"type": "message"}')
    assert "decode" in complaint(run("serve", file))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_replay(runtime: str, tmp_path: Path) -> None:
    file = tmp_path / "a.sse"
    file.write_bytes(HELLO.data)
    result = run("replay", file, "--fast", "--runtime", runtime)
    assert (result.returncode, result.stdout) == (0, "Hello, world! How are you today?\n")
    assert result.stderr.startswith("[thinking]\nA greeting.\n\n[claude-opus-5-5, end_turn, ")


ENDS = {
    "was cut": HELLO.first(12),
    "overloaded_error: Overloaded": HELLO.with_error(12),
    "not what the API sends": Transcript((*HELLO.frames[:12], b"event: message_stop\ndata: 7\n\n")),
}


@pytest.mark.parametrize("words", ENDS)
def test_replay_of_what_did_not_end_well(words: str, tmp_path: Path) -> None:
    file = tmp_path / "a.sse"
    file.write_bytes(ENDS[words].data)
    result = run("replay", file, "--fast", "--speed", 2)
    assert f"{file} " in complaint(result, status=3 if words == "was cut" else 1, notes=True)
    assert words in result.stderr
    assert "Hello" in result.stdout


def test_replay_of_no_stream(tmp_path: Path) -> None:
    file = tmp_path / "a.sse"
    file.write_bytes(b"<html>")
    assert "HTML" in complaint(run("replay", file))
    assert "is empty" in complaint(run("replay", "-", text=""))


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "a.sse"
    file.write_bytes(compose("word " * 100_000).data)
    for arguments in (("decode", file), ("decode", file, "--events"), ("replay", file, "--fast")):
        with running(*arguments) as process:
            assert process.stdout is not None
            assert process.stdout.read(1)
            process.stdout.close()
            assert process.stderr is not None
            assert process.stderr.read() == b""
            assert process.wait(LIMIT) == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", [["demo", "--fast"], ["decode", "FILE"], ["serve", "FILE"]])
def test_a_full_disk_is_said_in_one_sentence(arguments: list[str], tmp_path: Path) -> None:
    file = tmp_path / "answer.sse"
    file.write_bytes(compose("Hello.").data)
    arguments = [str(file) if argument == "FILE" else argument for argument in arguments]
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            command(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
            timeout=LIMIT,
            check=False,
        )
        nowhere = subprocess.run(
            command("decode", tmp_path / "missing"),
            stdout=full,
            stderr=full,
            env=environment(),
            timeout=LIMIT,
            check=False,
        )
    assert result.returncode == nowhere.returncode == 1
    assert result.stderr.splitlines()[-1] == (
        "sansio-claude: The output cannot be written (No space left on device): make room, or write elsewhere."
    )
    assert "Traceback" not in result.stderr


def test_standard_streams_that_are_closed() -> None:
    """Nothing can be said, and nothing goes wrong."""
    for closed, more, status in (
        (">&-", "demo --fast", 0),
        ("<&- >&-", "decode -", 1),
        (">&- 2>&-", "decode missing", 1),
    ):
        shell = f"exec {' '.join(command())} {more} {closed}"
        result = subprocess.run(
            ["sh", "-c", shell], capture_output=True, text=True, env=environment(), timeout=LIMIT, check=False
        )
        assert result.returncode == status
        assert "is empty" in result.stderr or "tool_use" in result.stderr or "2>&-" in closed
        assert "Traceback" not in result.stderr


def test_usage() -> None:
    result = run()
    assert result.returncode == 2
    assert "sansio-claude demo" in result.stdout
    for arguments in (["fly"], ["demo", "--speed", "0"], ["demo", "--runtime", "curio"], ["ask"]):
        result = run(*arguments)
        assert result.returncode == 2
        assert "usage:" in result.stderr
        assert "Traceback" not in result.stderr
    for arguments in (["ask", "Hi", "--max-tokens", "many"], ["demo", "--speed", "much"]):
        result = run(*arguments)
        assert result.returncode == 2
        assert f"argument {arguments[-2]}: it must be a" in result.stderr
    result = run("ask", "Hi", "--thinking", "hard", ANTHROPIC_API_KEY=KEY)
    assert result.returncode == 2
    assert "--thinking" in result.stderr
    assert run("--version").stdout.startswith("sansio-claude ")


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_the_sentences_of_every_help_fit_the_terminal(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What stands below the usage and above the arguments; examples are lines to be copied."""
    monkeypatch.setenv("COLUMNS", str(columns))
    seen = 0

    def look(arguments: list[str]) -> None:
        nonlocal seen
        with pytest.raises(SystemExit):
            main([*arguments, "--help"])
        shown = capsys.readouterr().out
        _, sentences, *_ = shown.split("\n\n")
        assert max(map(len, sentences.splitlines())) <= columns, arguments
        seen += 1
        for line in shown.partition("positional arguments:")[2].splitlines():
            name = re.fullmatch(r" {4}([a-z]+)(?: .*)?", line)
            if name is not None:
                look([*arguments, name[1]])

    look([])
    assert seen > 15


@pytest.mark.parametrize("module", ["commands", "local", "live", "view"])
def test_ctrl_c_while_modules_are_imported_ends_quietly(module: str) -> None:
    program = (
        "import sys\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == 'sansio_claude._cli.{module}':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "from sansio_claude.__main__ import main\n"
        "sys.exit(main())"
    )
    command = [sys.executable, "-c", program, "demo", "--fast"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["ask", "--help"], []])
def test_help_that_nobody_reads_or_that_has_no_place(arguments: list[str]) -> None:
    given = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-m", "sansio_claude", *arguments]
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as output:
        result = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, env=given, timeout=LIMIT)
    assert (result.returncode, result.stderr) == (141, b"")
    if os.path.exists("/dev/full"):
        with open("/dev/full", "wb") as output:
            result = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, env=given, timeout=LIMIT)
        assert result.returncode == 1
        assert b"The output cannot be written (No space left on device)" in b" ".join(result.stderr.split(b"\n"))


def without(*modules: str) -> list[str]:
    """The command, in a process where these modules are not installed."""
    code = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({modules!r}))\n"
        "from sansio_claude._cli.commands import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    return [sys.executable, "-c", code]


def in_terminal(arguments: list[str], *, interrupt_at: bytes = b"") -> tuple[int, bytes]:
    """Run in a pseudo terminal of 80 columns; exit status and everything written to it."""
    leader, follower = pty.openpty()
    try:
        process = subprocess.Popen(
            arguments,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env=environment(COLUMNS="80", LINES="24"),
            preexec_fn=default_signals,
        )
        os.close(follower)
        written = b""
        while True:
            ready, _, _ = select.select([leader], [], [], LIMIT)
            assert ready, written
            try:
                piece = os.read(leader, 65_536)
            except OSError:  # Linux says so where others give an end
                break
            if not piece:
                break
            written += piece
            if interrupt_at and interrupt_at in written:
                interrupt_at = b""
                process.send_signal(signal.SIGINT)
        return process.wait(LIMIT), written
    finally:
        os.close(leader)


def test_the_live_view_of_a_terminal() -> None:
    status, written = in_terminal(command("demo", "--speed", "20"))
    assert status == 0
    text = written.decode()
    assert "\x1b[" in text
    assert "tool_use save_plan" in text
    assert "tokens/s" in text
    assert text.index("Nanzen-ji") < text.index("save_plan")


def test_ctrl_c_gives_the_terminal_back() -> None:
    status, written = in_terminal(command("demo"), interrupt_at=b"Rain")
    assert status == 130
    assert b"interrupted" in written
    assert b"Traceback" not in written
    assert written.rindex(b"\x1b[?25h") > written.rindex(b"\x1b[?25l")  # the cursor is shown again


def test_a_terminal_without_rich_gets_plain_text() -> None:
    status, written = in_terminal([*without("rich"), "demo", "--fast"])
    assert status == 0
    assert b"pip install 'sansio-claude[cli]'" in written
    assert b"[tool_use save_plan]" in written
    assert b"\x1b" not in written


def test_without_trio_the_default_works_and_the_other_is_explained() -> None:
    options: dict[str, Any] = {"capture_output": True, "text": True, "timeout": LIMIT, "check": False}
    result = subprocess.run([*without("trio", "rich"), "demo", "--fast"], env=environment(), **options)
    assert result.returncode == 0
    assert "tokens/s" in result.stderr
    result = subprocess.run([*without("trio"), "demo", "--runtime", "trio"], env=environment(), **options)
    assert "pip install 'sansio-claude[trio]'" in complaint(result, notes=True)


def test_ask_reads_utf_8_whatever_the_console_says() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "ANTHROPIC_API_KEY": "k"}
    command = [sys.executable, "-m", "sansio_claude", "ask", "-", "--base-url", "https://127.0.0.1:9"]
    done = subprocess.run(command, input=b"caf\xe9", env=environment, capture_output=True, timeout=60)
    assert done.returncode == 1
    assert b"is not UTF-8 (byte 3)" in done.stderr
    assert b"Traceback" not in done.stderr
