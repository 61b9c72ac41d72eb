"""Options and fixtures that every test may use.

`--corpus=DIR` (or SANSIO_CLAUDE_CORPUS) points at a folder of recorded streams and conformance cases. The suite is
whole without it; with it, the tests in tests/conformance run over everything in that folder.
"""

from __future__ import annotations

import gc
import itertools
import os
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "default",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=100,
    # Continuous integration judges the change at hand by the same examples each time; new ones are drawn by every run
    # elsewhere, by `thorough` and by the nightly fuzzing.
    derandomize=bool(os.environ.get("CI")),
)
settings.register_profile(
    "quick", deadline=None, suppress_health_check=list(HealthCheck), max_examples=20, derandomize=True
)
# Of tests/mutation: which of many changes fails a test, and not by which smallest example.
settings.register_profile(
    "mutants",
    settings.get_profile("quick"),
    phases=(Phase.explicit, Phase.generate),
    database=None,
    report_multiple_bugs=False,
)
settings.register_profile("thorough", deadline=None, suppress_health_check=list(HealthCheck), max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--corpus",
        default=os.environ.get("SANSIO_CLAUDE_CORPUS"),
        metavar="DIR",
        help="a folder of recorded streams and conformance cases to run too; written --corpus=DIR, in one word, since "
        "pytest reads it before it knows that the option takes a value",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sweep: takes minutes, or thousands of sockets; run with -m sweep")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("markexpr"):
        swept = [item for item in items if item.get_closest_marker("sweep")]
        if swept:
            config.hook.pytest_deselected(items=swept)
            items[:] = [item for item in items if not item.get_closest_marker("sweep")]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two workers more than there are processors: tests of sockets and processes wait for half of their time."""
    return len(os.sched_getaffinity(0)) + 2 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 2


def _leave_out_of_searches() -> None:
    gc.collect()
    gc.freeze()


def pytest_collection_finish() -> None:
    """Leave what was collected out of the garbage collector's searches.

    Tests that ask for a collection, to see what was dropped closed, search twenty thousand test items otherwise.
    """
    _leave_out_of_searches()


_SETTLED: Final = itertools.count(1)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """And from time to time what the tests before have left for good, while nothing of a test is there."""
    if next(_SETTLED) % 50 == 0:
        _leave_out_of_searches()


def corpus_of(config: pytest.Config) -> Path | None:
    """The corpus folder of this run, or None."""
    value: str | None = config.getoption("--corpus")
    if not value:
        return None
    folder = Path(value).resolve()
    if not folder.is_dir():
        raise pytest.UsageError(f"--corpus: {value} is not a folder")
    return folder


@pytest.fixture(scope="session")
def corpus(request: pytest.FixtureRequest) -> Path:
    """The corpus folder; a test that asks for it is skipped, with words, where none was given."""
    folder = corpus_of(request.config)
    if folder is None:
        pytest.skip("no corpus: give --corpus=DIR or set SANSIO_CLAUDE_CORPUS")
    return folder


def pytest_report_header(config: pytest.Config) -> str:
    folder = corpus_of(config)
    return f"corpus: {folder if folder is not None else 'none given, its tests are skipped'}"
