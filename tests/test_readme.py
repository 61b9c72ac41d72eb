"""Every code block of the README is run.

The Python blocks run whole, in a process of their own, against the replay server. The commands run against it too; the
two that install are what the continuous integration script does, and are compared with it and parsed here.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sansio_claude.testing import ReplayServer, compose, serve_in_thread

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
PYTHON = [code for language, code in BLOCKS if language == "python"]
COMMANDS = [line for language, code in BLOCKS if language == "sh" for line in code.splitlines()]
INSTALLING = [line for line in COMMANDS if "venv" in line]
TYPED = [line for line in COMMANDS if "venv" not in line]


def run(arguments: list[str], cwd: Path, **variables: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **variables}
    done = subprocess.run(
        arguments, cwd=cwd, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_are_only_blocks_that_are_run() -> None:
    assert {language for language, _ in BLOCKS} == {"python", "sh"}
    assert len(BLOCKS) == README.count("```") // 2
    assert PYTHON
    assert len(INSTALLING) == 2
    assert TYPED


@pytest.mark.parametrize("code", PYTHON, ids=[f"block{n}" for n in range(len(PYTHON))])
def test_python(code: str, tmp_path: Path) -> None:
    script = tmp_path / "block.py"
    script.write_text(code, "utf-8")
    with serve_in_thread(ReplayServer([compose("Hello there!", seed=3)])) as address:
        printed = run(
            [sys.executable, "-W", "error", str(script)],
            tmp_path,
            ANTHROPIC_API_KEY="key-of-the-readme",
            ANTHROPIC_BASE_URL=address.url,
        )
    assert printed


@pytest.mark.parametrize("line", TYPED)
def test_command(line: str, tmp_path: Path) -> None:
    (tmp_path / "answer.sse").write_bytes(compose("Because of Rayleigh scattering.", seed=2).data)
    (tmp_path / "request.json").write_text('{"model": "claude-opus-5-5", "max_tokens": 9, "messages": []}', "utf-8")
    program, *arguments = shlex.split(line, comments=True)
    assert program == "sansio-claude"
    if arguments[0] in ("demo", "replay"):
        arguments.append("--fast")
    with serve_in_thread(ReplayServer([compose("Because of Rayleigh scattering.", seed=2)])) as address:
        environment = {"ANTHROPIC_API_KEY": "key-of-the-readme", "ANTHROPIC_BASE_URL": address.url}
        if arguments[0] == "check":
            with pytest.raises(AssertionError):  # it found the empty messages, and says so with its status
                run([sys.executable, "-m", "sansio_claude", *arguments], tmp_path, **environment)
        else:
            assert run([sys.executable, "-m", "sansio_claude", *arguments], tmp_path, **environment)


def test_the_installing_commands_name_extras_and_a_script_that_exist() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    for line in INSTALLING:
        (extra,) = re.findall(r"'\.\[(\w+)\]'", line)
        assert re.search(rf"^{extra} = \[", project, re.MULTILINE)
    assert ".venv/bin/sansio-claude demo" in INSTALLING[0]
    assert "sansio-claude = " in project
    assert INSTALLING[1].endswith("python -m pytest -n auto")
