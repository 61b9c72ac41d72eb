"""`ask --tools editor:DIR` and `demo --agent`, as a person runs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sansio_claude._cli.agent import DEMO_PROMPT
from sansio_claude.testing import Answer, ReplayServer, Transcript, compose, serve_in_thread
from tests.cli.test_commands import KEY, RUNTIMES, run

NAME = "str_replace_based_edit_tool"


def call(number: int, **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"toolu_{number}", "name": NAME, "input": given}


@contextmanager
def serving(*script: Transcript | Answer) -> Iterator[tuple[ReplayServer, str]]:
    server = ReplayServer(list(script))
    with serve_in_thread(server) as address:
        yield server, address.url


def ask(url: str, *arguments: object) -> Any:
    return run("ask", "Mend it.", "--base-url", url, *arguments, ANTHROPIC_API_KEY=KEY)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_demo_of_a_conversation_with_tools(runtime: str) -> None:
    done = run("demo", "--agent", "--fast", "--runtime", runtime)
    assert done.returncode == 0
    assert done.stdout.startswith("I will look at the project first.\nNothing stops 0 and 1:")
    assert done.stderr.startswith(f"> {DEMO_PROMPT}\n")
    for words in (
        f"[tool_use {NAME}]",
        f"[result of {NAME}: view /repo]\n/repo/\n/repo/primes.py",
        "Successfully replaced text at exactly one location.",
        "\n5:     if n < 2:\n",
        "[primes.py, as it is now]",
    ):
        assert words in done.stderr
    namespace: dict[str, Any] = {}
    exec(done.stderr.partition("[primes.py, as it is now]\n")[2], namespace)
    assert [number for number in range(12) if namespace["is_prime"](number)] == [2, 3, 5, 7, 11]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_ask_with_the_editor_over_a_folder(tmp_path: Path, runtime: str) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "a.txt").write_text("one\n" * 20 + "\x1b[2Jtwo\n")
    (tmp_path / "secret").write_text("not to be seen")
    first = compose(
        [
            call(1, command="view", path="/project/a.txt"),
            call(2, command="str_replace", path="/project/a.txt", old_str="two", new_str="three"),
            call(3, command="view", path="/project/../secret"),
        ]
    )
    with serving(first, compose("Mended.")) as (server, url):
        done = ask(url, "--tools", f"editor:{folder}", "--runtime", runtime, "--system", "Be brief.")
    assert done.returncode == 0
    assert done.stdout == "Mended.\n"
    assert f"[result of {NAME}: view /project/a.txt]\n1: one\n2: one" in done.stderr
    assert "... (9 more lines)" in done.stderr
    assert f"[error of {NAME}: view /project/../secret]\nError: Permission denied." in done.stderr
    assert "not to be seen" not in done.stdout + done.stderr
    assert "\x1b" not in done.stderr
    assert (folder / "a.txt").read_text().endswith("three\n")
    body = server.requests[0].json()
    assert body["tools"] == [{"type": "text_editor_20250728", "name": NAME}]
    assert body["system"].startswith("Be brief.\n\nThe text editor works on the directory /project;")
    assert str(tmp_path) not in str([request.body for request in server.requests])


def test_an_end_that_is_none_is_told(tmp_path: Path) -> None:
    view = compose([call(1, command="view", path="/")], seed=1)
    with serving(view, compose([call(2, command="view", path="/")], seed=2)) as (server, url):
        done = ask(url, "--tools", f"editor:{tmp_path}", "--max-turns", 2)
    assert done.returncode == 1
    assert len(server.requests) == 2
    assert done.stderr.endswith("sansio-claude: The model was not done after 2 turns: allow more with --max-turns.\n")


def test_a_turn_that_is_cut_is_told(tmp_path: Path) -> None:
    view = compose([call(1, command="view", path="/")])
    with serving(view, compose("A long answer that is cut.").first(4)) as (_, url):
        done = ask(url, "--tools", f"editor:{tmp_path}")
    assert done.returncode == 3
    assert "was cut before its end" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("tools", "words"),
    [
        (["bash"], "There is no tool 'bash'"),
        (["editor:"], "There is no tool 'editor:'"),
        (["editor:/does/not/exist"], "No editor for /does/not/exist"),
        (["editor:.", "editor:.."], "name it once"),
    ],
)
def test_tools_that_are_none(tools: list[str], words: str) -> None:
    done = ask("http://127.0.0.1:9", *(part for name in tools for part in ("--tools", name)))
    assert done.returncode == 1
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_model_without_an_editor() -> None:
    done = ask("http://127.0.0.1:9", "--tools", "editor:.", "--model", "claude-3-haiku-20240307")
    assert done.returncode == 1
    assert "takes no text editor" in done.stderr
