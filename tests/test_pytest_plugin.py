"""The option that pytest has to know before it finds the project."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from sansio_claude import _pytest_plugin

ROOT = Path(__file__).parent.parent


class Parser:
    """As much of pytest's as the plugin calls."""

    def __init__(self) -> None:
        self.options: list[str] = []

    def addoption(self, name: str, **_: object) -> None:
        self.options.append(name)


@pytest.mark.parametrize(("folder", "options"), [(ROOT, ["--corpus"]), (ROOT / "tests", [])])
def test_the_option_is_there_in_this_project_only(
    folder: Path, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    parser = Parser()
    _pytest_plugin.pytest_addoption(parser)  # type: ignore[arg-type]
    assert parser.options == options


def test_a_corpus_elsewhere_is_no_test_path(tmp_path: Path) -> None:
    installed = any(each.value == _pytest_plugin.__name__ for each in entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", _pytest_plugin.__name__]
    arguments = ["-m", "pytest", *plugin, "--corpus", str(tmp_path), "--markers"]
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert "@pytest.mark.sweep" in done.stdout, done.stdout + done.stderr  # it has found the project's conftest
