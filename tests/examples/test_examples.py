"""The examples that are programs: each is run as a person would run it, against the replay server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sansio_claude.testing import Answer, ReplayServer, Transcript, compose, serve_in_thread
from tests.blocks import ROOT

EXAMPLES = ROOT / "examples"


def run_example(
    name: str, arguments: Sequence[str], script: Sequence[Answer | Transcript], given: str = ""
) -> tuple[subprocess.CompletedProcess[str], list[Any]]:
    server = ReplayServer(script, once=True)
    with serve_in_thread(server) as address:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "ANTHROPIC_API_KEY": "key-of-the-examples",
            "ANTHROPIC_BASE_URL": address.url,
        }
        done = subprocess.run(
            [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments],
            input=given,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
        )
    return done, [request.json() for request in server.requests]


def call(name: str, given: dict[str, Any], number: int) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": given}


def test_every_example_is_named_by_a_test() -> None:
    tests = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py"))
    for path in EXAMPLES.glob("*.py"):
        assert path.name == "__init__.py" or path.stem in tests, path


def agent_script() -> list[Transcript]:
    program = {"arguments": [sys.executable, "-c", "print(6 * 7)"]}
    new = {"command": "create", "path": "answer.txt", "file_text": "42\n"}
    return [
        compose([call("str_replace_based_edit_tool", new, 1)]),
        compose([call("run_program", program, 2)]),
        compose("Done."),
    ]


def test_the_agent_runs_what_was_approved(tmp_path: Path) -> None:
    done, requests = run_example("approval.py", [str(tmp_path), "Answer."], agent_script(), given="y\n")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "answer.txt").read_text("utf-8") == "42\n"
    assert "str_replace_based_edit_tool: result" in done.stdout
    assert "run_program: result" in done.stdout
    assert "end_turn: 6 turns" in done.stdout
    assert "status 0\n42" in json.dumps(requests[2]["messages"][-1]).replace("\\n", "\n")


def test_the_agent_runs_nothing_that_was_not_approved(tmp_path: Path) -> None:
    done, requests = run_example("approval.py", [str(tmp_path), "Answer."], agent_script(), given="n\n")
    assert done.returncode == 0, done.stderr
    assert "run_program: not_confirmed" in done.stdout
    (result,) = requests[2]["messages"][-1]["content"]
    assert result["is_error"]
    assert "42" not in json.dumps(result)


def test_the_extraction_prints_checked_records() -> None:
    value = {"value": [{"payee": "Kari", "euros": 12.5, "due": "2026-12-01"}, {"payee": "Ola", "euros": 3}]}
    done, requests = run_example("extraction.py", [], [compose(json.dumps(value))], given="Kari gets 12.50.")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"payee": "Kari", "euros": 12.5, "due": "2026-12-01", "state": "open"},
        {"payee": "Ola", "euros": 3, "due": None, "state": "open"},
    ]
    assert "Kari gets 12.50." in requests[0]["messages"][0]["content"]


def test_the_extraction_says_so_where_the_model_refuses() -> None:
    refused = compose("", stop_reason="refusal")
    done, _ = run_example("extraction.py", [], [refused], given="?")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("refused:")


def test_the_text_is_whole_however_often_the_connection_broke() -> None:
    text = "Once upon a time there was a protocol. It was whole. It lived happily ever after."
    first, second = text[:38], text[38:]
    cut = compose(first + " It").data
    broken = Answer.stream(Transcript.from_bytes(cut[: cut.index(b"event: content_block_stop")]))
    done, requests = run_example("resuming.py", ["A story"], [broken, compose(second.removeprefix(" It"))])
    assert done.returncode == 0, done.stderr
    assert done.stdout == text + "\n"
    assert "going on" in done.stderr
    assert len(requests) == 2


def test_the_tests_of_the_program_pass() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "sansio_claude.testing.pytest", "examples/own_app"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout
