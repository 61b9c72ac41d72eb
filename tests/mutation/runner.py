"""Run tests over one changed module, in a process of its own that begins with everything but the library imported.

A child of `os.fork` imports the library, the changed module from memory; nothing is written. Which tests a function
needs is seen once for each wing: every test is run, and the functions of the wing that it calls are noted.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any, Final, Literal, TypeAlias

import pytest

from tests.mutation.mutants import Mutant

__all__ = ["Covering", "Fate", "covering", "fate", "preload"]

Fate: TypeAlias = Literal["killed", "alive", "late", "not reached"]
Covering: TypeAlias = dict[str, list[str]]
"""By "file:line" of a function the tests that call it, the quickest first."""

_IMPORTED: Final = "ignore::pytest.PytestAssertRewriteWarning"  # plugins that the parent has imported
_ARGUMENTS: Final = ("-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", "--tb=no", "-rN", "-W", _IMPORTED)
# What tests import besides the library: with it in the parent, a child need not.
_OTHERS: Final = (
    "hypothesis",
    "hypothesis.stateful",
    "h11",
    "trustme",
    "anthropic",
    "httpx",
    "msgspec",
    "attrs",
    "trio",
)
_LATE: Final = 99


def preload() -> None:
    """Import what every child needs. The library must not be imported here."""
    for name in _OTHERS:
        try:
            import_module(name)
        except ImportError:
            continue
    assert "sansio_claude" not in sys.modules


class _Changed:
    """Finds and loads the changed module, from memory."""

    def __init__(self, name: str, source: str, place: Path) -> None:
        self._name = name
        self._source = source
        self._place = place

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        if name != self._name:
            return None
        package = self._place.name == "__init__.py"
        spec = spec_from_loader(name, self, origin=str(self._place), is_package=package)  # type: ignore[arg-type]
        if spec is not None and package:
            spec.submodule_search_locations = [str(self._place.parent)]
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = str(self._place)
        exec(compile(self._source, str(self._place), "exec"), vars(module))


def _in_child(action: Callable[[], int], seconds: float) -> int:
    """What `action` gives in a child, or `_LATE` after so many seconds of processor time; it gets ten times as many
    by the clock. The child's output is dropped."""
    pid = os.fork()
    if not pid:
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(nothing, descriptor)
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 5))
        try:
            os._exit(action())
        finally:
            os._exit(1)
    end = time.monotonic() + 10 * seconds
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return _LATE if code in (-signal.SIGXCPU, -signal.SIGKILL) else code
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return _LATE


class _Chosen:
    """A plugin that leaves of what was collected the tests of a list, in its order: names may hold any character."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._places = {name: at for at, name in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = [each for each in items if each.nodeid in self._places]
        items[:] = sorted(chosen, key=lambda each: self._places[each.nodeid])


def fate(mutant: Mutant, root: Path, tests: Sequence[str], seconds: float) -> Fate:
    """Say "killed" where one of the tests fails, "alive" where all pass.

    "late" is where they take more seconds of processor time than given: a loop without an end, as a rule.
    """
    if not tests:
        return "not reached"
    parts = mutant.path.with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def judge() -> int:
        finder: Any = _Changed(name, mutant.source, root / mutant.path)
        sys.meta_path.insert(0, finder)
        os.chdir(root)
        files = dict.fromkeys(each.partition("::")[0] for each in tests)
        return int(pytest.main([*_ARGUMENTS, *files], plugins=[_Chosen(tests)]))

    code = _in_child(judge, seconds)
    return "late" if code == _LATE else "alive" if code == 0 else "killed"


class _Watch:
    """A plugin that notes which functions of some folder each test calls, and how long it takes."""

    def __init__(self, folder: str, out: Path) -> None:
        self._folder = folder
        self._out = out
        self._seen: set[CodeType] = set()
        self._found: dict[str, tuple[float, set[str]]] = {}
        self._failed: set[str] = set()

    def _trace(self, frame: FrameType, event: str, argument: object) -> None:
        self._seen.add(frame.f_code)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        self._seen = set()
        start = time.perf_counter()
        threading.settrace(self._trace)
        sys.settrace(self._trace)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)
            codes = {each for each in self._seen if each.co_filename.startswith(self._folder)}
            named = {f"{each.co_filename}:{each.co_firstlineno}" for each in codes}
            self._found[item.nodeid] = time.perf_counter() - start, named

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        tests: dict[str, list[tuple[float, str]]] = {}
        for name, (seconds, functions) in self._found.items():
            for each in functions if name not in self._failed else ():
                tests.setdefault(each, []).append((seconds, name))
        said = {each: [name for _, name in sorted(found)] for each, found in tests.items()}
        self._out.write_text(json.dumps([said, sorted(self._failed)]), "utf-8")


def covering(root: Path, wing: str, paths: Sequence[str], seconds: float) -> Covering:
    """Run the tests of a wing once as they are, and say which of them call which of its functions.

    Tests that fail here as the code is (those that count work may, under the eyes of this) judge nothing.
    """
    folder = f"{root / 'sansio_claude' / wing}{os.sep}"
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "tests.json"

        def watch() -> int:
            os.chdir(root)
            options = [each for each in _ARGUMENTS if each != "-x"]
            return int(pytest.main([*options, *paths], plugins=[_Watch(folder, out)]))

        code = _in_child(watch, seconds)
        if not out.exists():
            raise RuntimeError(f"the tests of {wing} did not run: pytest ended with {code}")
        found: Covering
        found, failed = json.loads(out.read_text("utf-8"))
    for each in failed:
        print(f"  left out, it fails here as the code is: {each}")
    return found
