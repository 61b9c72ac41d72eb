"""For this project's own tests: makes their option `--corpus DIR` known to pytest before it looks for the project.

pytest takes the value of an option that it does not know yet for a test path, and then does not find the conftest
that would have added the option. In any other project this does nothing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

__all__ = ["add_corpus_option", "pytest_addoption"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option where pytest was started in the folder of this project."""
    if Path("tests/test_layers.py").is_file() and Path("sansio_claude/_pytest_plugin.py").is_file():
        add_corpus_option(parser)


def add_corpus_option(parser: pytest.Parser) -> None:
    """Add `--corpus DIR`. Raises ValueError where it has been added already."""
    parser.addoption(
        "--corpus",
        default=os.environ.get("SANSIO_CLAUDE_CORPUS"),
        metavar="DIR",
        help="a folder of recorded streams and conformance cases to run too",
    )
