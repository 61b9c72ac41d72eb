"""The documentation: every public name is in the reference, and every Python block of every page runs."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import get_args

import pytest

from sansio_claude._call.actions import Action
from sansio_claude._cli.commands import _parser
from sansio_claude._message.blocks import InputStatus
from sansio_claude._partial_json.parser import PartialStatus
from sansio_claude._stream.deviations import DEVIATION_KINDS
from sansio_claude._stream.known import StreamState
from sansio_claude.tools._loop import State
from tests.blocks import ROOT, Block, blocks_of, pages, run_block
from tests.public_names import documented, public_names

COMMANDS = _parser().format_help()
PYTHON = [
    block
    for page in pages()
    if page != ROOT / "README.md"  # tests/test_readme.py
    for block in blocks_of(page)
    if block.language == "python"
]


def test_every_public_name_is_in_the_reference() -> None:
    assert set(public_names()) - documented() == set(), "run python -m tests.public_names"


def test_the_reference_names_nothing_that_is_not_there() -> None:
    for name in documented():
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name


def test_every_public_class_and_function_says_what_it_is() -> None:
    for name in public_names():
        module, _, attribute = name.rpartition(".")
        value = getattr(importlib.import_module(module), attribute)
        if inspect.isclass(value) or inspect.isroutine(value):
            assert isinstance(value.__doc__, str), name
            assert len(value.__doc__) > 10, name


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.place)
def test_every_block_runs(block: Block, tmp_path: Path) -> None:
    assert run_block(block, tmp_path)


def test_every_block_has_a_language() -> None:
    for page in pages():
        fences = [line for line in page.read_text("utf-8").splitlines() if line.startswith("```")]
        assert len(fences) % 2 == 0, page
        assert all(fence != "```" for fence in fences[::2]), page


def test_the_kinds_of_deviation_are_those_of_the_code() -> None:
    page = (ROOT / "docs" / "deviations.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE))
    assert rows == dict(DEVIATION_KINDS)


def test_the_states_are_those_of_the_code() -> None:
    page = (ROOT / "docs" / "state_machines.md").read_text("utf-8")
    tables = [re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) for section in page.split("\n## ")[1:]]
    states = [get_args(states) for states in (StreamState, PartialStatus, InputStatus, State)]
    actions = [action.__name__ for action in get_args(Action)]
    assert list(map(sorted, tables)) == list(map(sorted, [*states, actions]))


def test_every_command_of_a_page_exists() -> None:
    for page in pages():
        for block in blocks_of(page):
            for line in block.code.splitlines() if block.language == "sh" else ():
                if line.startswith("sansio-claude "):
                    name = line.split()[1]
                    assert re.search(rf"^    {name}\b", COMMANDS, re.MULTILINE), line
