"""What importing brings in, each asked in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import sansio_claude
from tests.public_names import STUB, stub

LOOPS = ("asyncio", "trio", "ssl", "socket", "select", "selectors", "rich", "random", "logging", "subprocess")


def modules_after(code: str) -> set[str]:
    """The modules of a fresh interpreter (no site packages' start-up files) after running `code`."""
    report = f"{code}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import sansio_claude",
        "import sansio_claude\nfor name in sansio_claude.__all__: getattr(sansio_claude, name)",
        "from sansio_claude import *",
    ],
)
def test_the_core_brings_in_no_event_loop_and_no_socket(code: str) -> None:
    before = modules_after("pass")
    assert (modules_after(code) - before) & set(LOOPS) == set()


def test_importing_the_package_loads_none_of_its_modules() -> None:
    loaded = {name for name in modules_after("import sansio_claude") if name.startswith("sansio_claude")}
    assert loaded == {"sansio_claude"}


def test_a_stream_needs_no_http() -> None:
    assert not modules_after("from sansio_claude import MessageStream") & {"h11", "sansio_claude._http.exchange"}


@pytest.mark.parametrize(
    ("module", "others"),
    [
        ("sansio_claude.asyncio", {"trio"}),
        ("sansio_claude.sync", {"trio", "asyncio"}),
        ("sansio_claude.testing", {"trio", "asyncio", "ssl"}),
    ],
)
def test_an_adapter_brings_in_only_its_own_loop(module: str, others: set[str]) -> None:
    before = modules_after("pass")
    assert (modules_after(f"import {module}") - before) & others == set()


def test_every_public_name_is_there_once_and_known_to_type_checkers() -> None:
    assert len(set(sansio_claude.__all__)) == len(sansio_claude.__all__)
    for name in sansio_claude.__all__:
        assert getattr(sansio_claude, name) is not None
    assert STUB.read_text("utf-8") == stub(), "run python -m tests.public_names"
    assert set(dir(sansio_claude)) >= set(sansio_claude.__all__)


@pytest.mark.parametrize(("name", "words"), sorted(vars(sansio_claude)["_ELSEWHERE"].items()))
def test_a_wrong_guess_is_helped(name: str, words: str) -> None:
    with pytest.raises(AttributeError, match=re.escape(words)):
        getattr(sansio_claude, name)
    with pytest.raises(ImportError, match=re.escape(words)):
        exec(f"from sansio_claude import {name}")
    assert not hasattr(sansio_claude, name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Messages'"):
        sansio_claude.Messages  # type: ignore[attr-defined]  # noqa: B018
