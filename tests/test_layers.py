"""The import table: imports go down only, siblings do not see each other, no wing has a circle, the core does no I/O.

Imports under TYPE_CHECKING do not count, imports inside functions do, and so does `import_module("sansio_claude...")`.
Each kind of violation is planted once, to show that it is caught. CONTRIBUTING.md says what each wing is for.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import sansio_claude

PACKAGE = Path(sansio_claude.__file__).parent

# From the top down. Wings in one row, divided by `|`, do not import each other.
TABLE = """
__main__
_cli
sync | asyncio | trio | testing | gateway | otel
_runtime
_client
tools
_call
_request
_check | _stream
_message | _connect
_partial_json | _http
_models | _media | _json | _redact
_limits | _percent | _copies
_errors | _value | _version | _described
"""
ROW_OF = {wing.strip(): row for row, line in enumerate(TABLE.strip().splitlines()) for wing in line.split("|")}
CORE = {wing for wing, row in ROW_OF.items() if row >= ROW_OF["_client"]} | {"gateway"}

FORBIDDEN_IN_CORE = {
    *("socket", "ssl", "select", "selectors", "time", "random", "secrets", "asyncio", "trio", "threading"),
    *("subprocess", "logging", "os", "io", "pathlib", "email", "http", "urllib", "tempfile", "sched", "signal"),
    *("h11", "rich", "opentelemetry", "pydantic"),
}
# The exceptions, each in one module.
ALLOWED_IN_CORE = {
    "_http.exchange": {"h11"},
    "_connect.tls": {"ssl"},
    "tools._disk_files": {"os", "pathlib"},
    "tools._folders": {"os"},  # the folders that the disk files are in
    "tools._foreign": {"pydantic"},  # where a program has it, and a hint needs it
}
# Files over 500 lines and functions over 80, each with the reason.
LONG_FILES: dict[str, str] = {}
# What is in functions costs a call: numbers that are cut, which are, take 7 % longer than they did within the generator
# (a value after each fragment of 15 characters, of an array of numbers; of records 3 %).
LONG_FUNCTIONS: dict[str, str] = {
    "_partial_json.scan.scan": "one generator whose locals survive between fragments: that is its speed",
}
MOST_LINES_OF_A_FILE = 500
MOST_LINES_OF_A_FUNCTION = 80


def is_type_checking(test: ast.expr) -> bool:
    """Whether the body of an `if` is for type checkers alone."""
    return "TYPE_CHECKING" in ast.unparse(test)


def imported_names(node: ast.AST) -> Iterator[str]:
    """The dotted names that a module imports anywhere, `from a import b` as `a.b`; TYPE_CHECKING is left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and is_type_checking(child.test):
            for statement in child.orelse:
                yield from imported_names(ast.Module([statement], []))
        elif isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = "." * child.level + (child.module or "")
            yield from (f"{base}.{alias.name}" for alias in child.names)
        else:
            if isinstance(child, ast.Call) and ast.unparse(child.func).endswith(("import_module", "__import__")):
                if child.args and isinstance(child.args[0], ast.Constant):
                    yield str(child.args[0].value)
            yield from imported_names(child)


def module_of(name: str, modules: set[str]) -> str | None:
    """The module of the package that an imported dotted name belongs to; None for those of other packages."""
    if not name.startswith("sansio_claude"):
        return None
    name = name.removeprefix("sansio_claude").removeprefix(".")
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name or "__init__"


def violations(module: str, source: str, modules: set[str]) -> list[str]:
    """What is wrong with the imports of `module` (dotted, without the package's name)."""
    here = module.split(".")[0]
    if here == "__init__":
        return []  # it holds the public names, each imported when it is used
    if here not in ROW_OF:
        return [f"{module} has no place in the table"]
    found = []
    for name in imported_names(ast.parse(source)):
        target = module_of(name, modules)
        if name.startswith("."):
            found.append(f"{module} imports {name}: imports are absolute")
        elif target == "__init__":
            found.append(f"{module} imports {name} from the package itself, which stands above everything")
        elif target is not None:
            there = target.split(".")[0]
            if there == here:
                continue
            if there not in ROW_OF:
                found.append(f"{module} imports {name}, which has no place in the table")
            elif ROW_OF[there] < ROW_OF[here]:
                found.append(f"{module} imports {name}, which stands above it")
            elif ROW_OF[there] == ROW_OF[here]:
                found.append(f"{module} imports {name}, its sibling")
        elif here in CORE:
            top = name.split(".")[0]
            if top in FORBIDDEN_IN_CORE and top not in ALLOWED_IN_CORE.get(module, ()):
                found.append(f"{module} imports {name}, which the core may not")
    return found


def circle(sources: dict[str, str]) -> list[str]:
    """The modules of a circle of imports among these, or an empty list."""
    modules = set(sources)
    graph = {}
    for module, source in sources.items():
        targets = {module_of(name, modules) for name in imported_names(ast.parse(source))}
        graph[module] = {target for target in targets if target is not None and target in modules and target != module}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def modules_of_the_package() -> Iterator[tuple[str, Path]]:
    """Each module's dotted name without the package's, and its file."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(parts if parts[-1] != "__init__" or len(parts) == 1 else parts[:-1]), path


MODULES = dict(modules_of_the_package())
SOURCES = {module: path.read_text("utf-8") for module, path in MODULES.items()}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_go_down_only(module: str) -> None:
    assert violations(module, SOURCES[module], set(MODULES)) == []


def test_there_is_no_circle() -> None:
    assert circle({module: source for module, source in SOURCES.items() if module != "__init__"}) == []


@pytest.mark.parametrize("module", sorted(MODULES))
def test_files_and_functions_stay_small(module: str) -> None:
    if module not in LONG_FILES:
        assert len(SOURCES[module].splitlines()) <= MOST_LINES_OF_A_FILE
    for node in ast.walk(ast.parse(SOURCES[module])):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and f"{module}.{node.name}" not in LONG_FUNCTIONS:
            assert node.end_lineno is not None
            lines = node.end_lineno - node.lineno + 1
            assert lines <= MOST_LINES_OF_A_FUNCTION, f"{node.name} has {lines} lines"


def test_every_wing_says_what_it_is_for() -> None:
    for module, path in MODULES.items():
        if path.name == "__init__.py":
            assert ast.get_docstring(ast.parse(SOURCES[module])), f"{module} has no docstring"


def test_the_exceptions_are_still_needed() -> None:
    assert {module for module in ALLOWED_IN_CORE if module not in MODULES} == set()
    assert {module for module in LONG_FILES if len(SOURCES[module].splitlines()) <= MOST_LINES_OF_A_FILE} == set()


@pytest.mark.parametrize(
    ("module", "source", "words"),
    [
        ("_stream.sse", "from sansio_claude._call.call import Call", "stands above it"),
        ("_message.block", "from sansio_claude._stream.events import Event", "stands above it"),
        ("_stream.sse", "from sansio_claude._check.problem import Problem", "its sibling"),
        ("_stream.sse", "def f():\n    from sansio_claude._call.call import Call", "stands above it"),
        ("_stream.sse", "import_module('sansio_claude._call.call')", "stands above it"),
        ("_stream.sse", "importlib.import_module('sansio_claude.tools')", "stands above it"),
        ("_stream.sse", "import time", "may not"),
        ("_call.retry", "from random import random", "may not"),
        ("_call.call", "try:\n    import ssl\nexcept ImportError: pass", "may not"),
        ("_stream.sse", "import os.path", "may not"),
        ("_call.retry", "import email.utils", "may not"),
        ("_stream.sse", "import h11", "may not"),
        ("tools._loop", "import trio", "may not"),
        ("tools._loop", "from sansio_claude.trio import Client", "stands above it"),
        ("_json", "from sansio_claude import MessageStream", "the package itself"),
        ("_stream.sse", "from .events import Event", "absolute"),
        ("_helpers", "", "no place in the table"),
        ("_stream.sse", "if TYPE_CHECKING:\n    pass\nelse:\n    import socket", "may not"),
    ],
)
def test_a_planted_violation_is_caught(module: str, source: str, words: str) -> None:
    found = violations(module, source, set(MODULES))
    assert len(found) == 1
    assert words in found[0]


def test_a_planted_circle_is_caught() -> None:
    planted = {
        "_stream.a": "def f():\n    from sansio_claude._stream.b import g",
        "_stream.b": "from sansio_claude._stream.c import h",
        "_stream.c": "import_module('sansio_claude._stream.a')",
    }
    assert set(circle(planted)) == set(planted)
    planted["_stream.c"] = "if TYPE_CHECKING:\n    from sansio_claude._stream.a import f"
    assert circle(planted) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("_stream.message_stream", "from sansio_claude._stream.sse import SSEDecoder"),
        ("_stream.sse", "if TYPE_CHECKING:\n    from sansio_claude._call.call import Call"),
        ("_http.exchange", "import h11"),
        ("trio._net", "import trio, socket"),
        ("_call.call", "from sansio_claude._errors import ClaudeError"),
    ],
)
def test_what_the_table_allows_is_allowed(module: str, source: str) -> None:
    assert violations(module, source, set(MODULES)) == []
