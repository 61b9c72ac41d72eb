"""Run tests over one changed module, in a process of its own.

`Quick` forks it from one that has imported the library and the tests, and exchanges the code of the module's functions.
`fate` forks it from one that has everything but the library, and imports the changed module from memory. Nothing is
written. Which tests a function needs is seen once for each wing: every test is run, and the functions of the wing that
it calls are noted.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any, Final, Literal, TypeAlias

import pytest
from attrs import define

from tests.mutation.exchange import exchange, functions_below
from tests.mutation.mutants import Mutant

__all__ = ["Covering", "Fate", "Quick", "covering", "fate", "preload"]

Fate: TypeAlias = Literal["killed", "alive", "late", "not reached"]


@define(frozen=True)
class Covering:
    """Which test calls which function, and how long it takes."""

    tests: dict[str, list[str]]
    """By "file:line" of a function the tests that call it, the quickest first."""
    seconds: dict[str, float]
    """By the name of a test its processor time, while its calls were watched."""
    imported: frozenset[str]
    """The functions, as "file:line", that run when the library is imported and the tests are collected."""


_Asked: TypeAlias = "Connection[Any, Any]"
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
_IMPOSSIBLE: Final = 98
_MOST_LATE: Final = 3


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


def _module_name(mutant: Mutant) -> str:
    parts = mutant.path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _change_at_import(mutant: Mutant, root: Path) -> None:
    finder: Any = _Changed(_module_name(mutant), mutant.source, root / mutant.path)
    sys.meta_path.insert(0, finder)


def _in_child(action: Callable[[_Progress], int], quiet: float = 600.0) -> tuple[int, int]:
    """What `action` gives in a child, or `LATE`, and the test at which it was. The child's output is dropped.

    Late is what used up the processor time of a test, or was at one test for `quiet` seconds by the clock.
    """
    progress = _Progress()
    pid = os.fork()
    if not pid:
        try:
            _drop_output()
            os._exit(action(progress))
        finally:
            os._exit(1)
    at, since = 0, time.monotonic()
    while time.monotonic() < since + quiet:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return (_LATE if code in (-signal.SIGPROF, -signal.SIGKILL) else code), progress.at
        if progress.at != at:
            at, since = progress.at, time.monotonic()
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return _LATE, progress.at


def _drop_output() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)


class _Progress:
    """The number of the test that a child is at, which its parent sees."""

    def __init__(self) -> None:
        self._place = mmap.mmap(-1, 4)

    @property
    def at(self) -> int:
        return int.from_bytes(self._place[:4], "big")

    @at.setter
    def at(self, value: int) -> None:
        self._place[:4] = value.to_bytes(4, "big")


class _Timed:
    """A plugin that ends the process at a test that takes far more processor time than it took once before."""

    def __init__(self, tests: Sequence[str], progress: _Progress, covering: Covering, seconds: float) -> None:
        self._places = {name: at for at, name in enumerate(tests)}
        self._progress = progress
        self._covering = covering
        self._seconds = seconds

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        self._progress.at = self._places[item.nodeid]
        signal.setitimer(signal.ITIMER_PROF, self._seconds + 10 * self._covering.seconds.get(item.nodeid, 0.0))
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)


class _Chosen:
    """A plugin that leaves of what was collected the tests of a list, in its order: names may hold any character."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._places = {name: at for at, name in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = [each for each in items if each.nodeid in self._places]
        items[:] = sorted(chosen, key=lambda each: self._places[each.nodeid])


def _ended(run: Callable[[Sequence[str], _Progress], int], tests: Sequence[str]) -> Fate:
    """How tests end, each of which may be late: then those behind it are asked, which may fail."""
    late = 0
    while tests and late < _MOST_LATE:
        code, at = _in_child(partial(run, tests))
        if code == _IMPOSSIBLE:
            return "not reached"
        if code != _LATE:
            return "killed" if code else "late" if late else "alive"
        late += 1
        tests = tests[at + 1 :]
    return "late" if late else "not reached"


def fate(mutant: Mutant, root: Path, tests: Sequence[str], covering: Covering, seconds: float) -> Fate:
    """Say "killed" where one of the tests fails, "alive" where all pass: the library is imported with the change.

    "late" is where they take more seconds of processor time than given: a loop without an end, as a rule.
    """

    def run(tests: Sequence[str], progress: _Progress) -> int:
        _change_at_import(mutant, root)
        os.chdir(root)
        files = dict.fromkeys(each.partition("::")[0] for each in tests)
        plugins = [_Chosen(tests), _Timed(tests, progress, covering, seconds)]
        return int(pytest.main([*_ARGUMENTS, *files], plugins=plugins))

    return _ended(run, tests)


class _Exchanging:
    """A plugin that runs what was collected not once, but for each mutant it is sent, in a child with its code."""

    def __init__(self, root: Path, asked: _Asked, covering: Covering, seconds: float) -> None:
        self._root = root
        self._asked = asked
        self._covering = covering
        self._seconds = seconds

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {each.nodeid: each for each in session.items}
        functions = functions_below(str(self._root / "sansio_claude"))

        def run(mutant: Mutant, tests: Sequence[str], progress: _Progress) -> int:
            place = self._root / mutant.path
            if _module_name(mutant) not in sys.modules:  # some are imported when they are needed
                _change_at_import(mutant, self._root)
            elif not exchange(functions, str(place), place.read_text("utf-8"), mutant.source):
                return _IMPOSSIBLE
            timed = _Timed(tests, progress, self._covering, self._seconds)
            session.config.pluginmanager.register(timed)
            chosen = [items[each] for each in tests]
            for item, following in zip(chosen, [*chosen[1:], None], strict=True):
                session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.testsfailed:
                    return 1
            return 0

        with suppress(EOFError):
            while True:
                mutant, tests = self._asked.recv()
                known = [each for each in tests if each in items]
                self._asked.send(_ended(partial(run, mutant), known))
        return True


class Quick:
    """Says how mutants end where the library is imported as it is, once, and then changed.

    That takes a tenth of the time. What an import calls has happened before the change, so "alive" says nothing of it;
    nor does "not reached", which is what cannot be exchanged, or has no tests.
    """

    def __init__(self, root: Path, paths: Sequence[str], covering: Covering, seconds: float, profile: str) -> None:
        self._pipe: _Asked
        self._pipe, theirs = Pipe()
        if os.fork():
            theirs.close()
            return
        try:
            self._pipe.close()
            _drop_output()
            os.chdir(root)
            os.environ["HYPOTHESIS_PROFILE"] = profile
            pytest.main([*_ARGUMENTS, *paths], plugins=[_Exchanging(root, theirs, covering, seconds)])
        finally:
            os._exit(1)

    def fate(self, mutant: Mutant, tests: Sequence[str]) -> Fate:
        self._pipe.send((mutant, tests))
        end: Fate = self._pipe.recv()
        return end


class _Watch:
    """A plugin that notes which functions of some folder each test calls, and how long it takes."""

    def __init__(self, folder: str, out: Path) -> None:
        self._folder = folder
        self._out = out
        self._seen: set[CodeType] = set()
        self._found: dict[str, tuple[float, set[str]]] = {}
        self._imported: set[str] = set()
        self._failed: set[str] = set()

    def _here(self) -> set[str]:
        """The functions that were seen since."""
        codes = {each for each in self._seen if each.co_filename.startswith(self._folder)}
        return {f"{each.co_filename}:{each.co_firstlineno}" for each in codes}

    def _trace(self, frame: FrameType, event: str, argument: object) -> None:
        self._seen.add(frame.f_code)

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self) -> Any:
        with self._watched():
            result = yield
        self._imported = self._here()
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        start = time.process_time()
        with self._watched():
            result = yield
        self._found[item.nodeid] = time.process_time() - start, self._here()
        return result

    @contextmanager
    def _watched(self) -> Iterator[None]:
        self._seen = set()
        threading.settrace(self._trace)
        sys.settrace(self._trace)
        try:
            yield
        finally:
            sys.settrace(None)
            threading.settrace(None)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        tests: dict[str, list[tuple[float, str]]] = {}
        for name, (seconds, functions) in self._found.items():
            for each in functions if name not in self._failed else ():
                tests.setdefault(each, []).append((seconds, name))
        said = {each: [name for _, name in sorted(found)] for each, found in tests.items()}
        took = {each: seconds for each, (seconds, _) in self._found.items()}
        self._out.write_text(json.dumps([said, took, sorted(self._imported), sorted(self._failed)]), "utf-8")


def covering(root: Path, wing: str, paths: Sequence[str]) -> Covering:
    """Run the tests of a wing once as they are, and say which of them call which of its functions.

    Tests that fail here as the code is (those that count work may, under the eyes of this) judge nothing.
    """
    folder = f"{root / 'sansio_claude' / wing}{os.sep}"
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "tests.json"

        def watch(_: _Progress) -> int:
            os.chdir(root)
            options = [each for each in _ARGUMENTS if each != "-x"]
            return int(pytest.main([*options, *paths], plugins=[_Watch(folder, out)]))

        code, _ = _in_child(watch, 3_600.0)
        if not out.exists():
            raise RuntimeError(f"the tests of {wing} did not run: pytest ended with {code}")
        found, took, imported, failed = json.loads(out.read_text("utf-8"))
    for each in failed:
        print(f"  left out, it fails here as the code is: {each}")
    return Covering(found, took, frozenset(imported))
