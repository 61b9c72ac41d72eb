"""Every code block of the README is run, and those that read a stream on cuts of it as well.

The Python blocks run whole, in a process of their own, against the replay server. The commands run against it too; the
two that install are what the continuous integration script does, and are compared with it and parsed here.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from sansio_claude import TruncatedError
from sansio_claude.testing import Answer, ReplayServer, Transcript, compose, serve_in_thread
from tests.blocks import ROOT, Block, blocks_of, run_block, run_command

BLOCKS = blocks_of(ROOT / "README.md")
PYTHON = [block for block in BLOCKS if block.language == "python"]
COMMANDS = [line for block in BLOCKS if block.language == "sh" for line in block.code.splitlines()]
INSTALLING = [line for line in COMMANDS if "venv" in line]
TYPED = [line for line in COMMANDS if "venv" not in line]
# Blocks that ask the server of the environment, and the one that is given bytes.
ASKING = [block for block in PYTHON if "from_env" in block.code]
(CORE,) = (block for block in PYTHON if "receive_data" in block.code)
(COMPARISON,) = (block for block in PYTHON if "official" in block.code)


def test_there_are_only_blocks_that_are_run() -> None:
    assert {block.language for block in BLOCKS} == {"python", "sh"}
    assert len(BLOCKS) == (ROOT / "README.md").read_text("utf-8").count("```") // 2
    assert {*ASKING, CORE, COMPARISON} == set(PYTHON)
    assert len(INSTALLING) == 2
    assert TYPED


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.place)
def test_python(block: Block, tmp_path: Path) -> None:
    assert run_block(block, tmp_path)


def test_the_comparison_shows_what_it_says(tmp_path: Path) -> None:
    official, here, so_far = run_block(COMPARISON, tmp_path).splitlines()
    text = official.removeprefix("official: ")
    assert text
    assert "The transfer is safe if and only if the sum is below 500.".startswith(text)
    assert "message_stop" in here
    assert so_far == f"so far: {text}"


def test_the_core_block_raises_on_every_cut() -> None:
    data = compose("Four.", seed=1).data
    stop = data.rindex(b"}") + 1  # of message_stop
    code = compile(CORE.code, "README", "exec")
    for cut in range(len(data)):
        given = mock.Mock(data=data[:cut])
        names: dict[str, Any] = {}
        with (
            mock.patch("sansio_claude.testing.compose", return_value=given),
            contextlib.redirect_stdout(None),
            contextlib.nullcontext() if cut >= stop else pytest.raises(TruncatedError),
        ):
            exec(code, names)


@pytest.mark.parametrize("block", ASKING, ids=lambda block: block.place)
@pytest.mark.parametrize("part", [0.3, 0.6, 0.99])
def test_the_asking_blocks_raise_on_cuts(block: Block, part: float, tmp_path: Path) -> None:
    data = compose("Hello there!", seed=3).data
    stop = data.rindex(b"event: message_stop")
    script = tmp_path / "block.py"
    script.write_text(block.code, "utf-8")
    cut = Answer.stream(Transcript.from_bytes(data[: int(part * stop)]))
    with (
        serve_in_thread(ReplayServer([cut])) as address,
        pytest.raises(AssertionError, match="TruncatedError"),
    ):
        run_command([sys.executable, str(script)], tmp_path, base_url=address.url)


@pytest.mark.parametrize("line", TYPED)
def test_command(line: str, tmp_path: Path) -> None:
    (tmp_path / "answer.sse").write_bytes(compose("Because of Rayleigh scattering.", seed=2).data)
    (tmp_path / "request.json").write_text('{"model": "claude-opus-5-5", "max_tokens": 9, "messages": []}', "utf-8")
    program, *arguments = shlex.split(line, comments=True)
    assert program == "sansio-claude"
    if arguments[0] in ("demo", "replay"):
        arguments.append("--fast")
    command = [sys.executable, "-m", "sansio_claude", *arguments]
    with serve_in_thread(ReplayServer([compose("Because of Rayleigh scattering.", seed=2)])) as address:
        if arguments[0] == "check":
            with pytest.raises(AssertionError):  # it found the empty messages, and says so with its status
                run_command(command, tmp_path, base_url=address.url)
        else:
            assert run_command(command, tmp_path, base_url=address.url)


def test_the_installing_commands_name_extras_and_a_script_that_exist() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    for line in INSTALLING:
        (extra,) = re.findall(r"'\.\[(\w+)\]'", line)
        assert re.search(rf"^{extra} = \[", project, re.MULTILINE)
    assert ".venv/bin/sansio-claude demo" in INSTALLING[0]
    assert "sansio-claude = " in project
    assert INSTALLING[1].endswith("python -m pytest -n auto --dist worksteal")


def test_every_extra_of_the_table_exists() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", readme, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"\w+", row)}
    section = project[project.index("[project.optional-dependencies]") : project.index("[project.scripts]")]
    assert named == set(re.findall(r"^(\w+) = \[", section, re.MULTILINE))


def test_every_link_leads_to_a_file() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for link in re.findall(r"\]\(([^)#:]+)\)", readme) + re.findall(r"`((?:docs|examples)/[\w/.]*)`", readme):
        assert (ROOT / link).exists(), link
