"""The house's import table: imports go down only, siblings in a row do not see each other, the core does no I/O.

Imports under TYPE_CHECKING do not count. Each kind of violation is planted once, to show that it is caught.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import sansio_claude

PACKAGE = Path(sansio_claude.__file__).parent

# From the top down. `a > b` inside a row: a small tower of modules that share one stop; left may import right.
ROWS = [
    "__main__ | _pytest_plugin",
    "_cli > _cli_ask > _cli_agent > _cli_live > _cli_demo > _cli_check > _cli_decode > _cli_input"
    " > _cli_rich > _cli_view",
    "trio | asyncio | testing",
    "_client > _client_tools",
    "tools",
    "_session > _call > _conversation > _answer > _place > _connection > _actions",
    "_proxy",
    "_http > _framing > _head > _content_encoding | _stream > _plain_stream"
    " | _retry | _pool | _continue | _tls | _deadlines",
    "_accumulate | _check > _rules_messages > _rules_tools > _rules_model > _problem | _redact | _timeouts",
    "_request | _turns | _catalog | _endpoint | _decode > _events | _sse | _chunked"
    " | _partial_json > _partial_json_changes > _partial_json_scan > _partial_json_state > _partial_json_grammar",
    "_message > _blocks > _tool_blocks > _block | _models | _fields | _address | _headers | _media",
    "_json",
    "_limits > _errors > _value",
]
ANYWHERE = {"__init__"}  # names only

FORBIDDEN = {
    *("socket", "ssl", "select", "selectors", "time", "random", "secrets", "asyncio", "trio", "threading"),
    *("subprocess", "logging", "os", "io", "pathlib", "email", "http", "urllib", "tempfile", "sched", "signal"),
}
CORE_ROWS = ROWS[4:]  # tools and everything below
# The exceptions, each in its one module.
ALLOWED = {
    "_http": {"h11"},
    "_tls": {"ssl"},
    "tools._disk_files": {"os", "pathlib"},
}
THIRD_PARTY = {"attr", "attrs", "msgspec"}


def _table() -> dict[str, tuple[int, int, int]]:
    """Module -> (row, place of its tower in the row, place in the tower)."""
    table = {}
    for row, text in enumerate(ROWS):
        for place, tower in enumerate(text.split("|")):
            for step, name in enumerate(tower.split(">")):
                table[name.strip()] = (row, place, step)
    return table


TABLE = _table()


def _imports(tree: ast.AST, module: str) -> Iterator[str]:
    """The absolute names a module imports, those under TYPE_CHECKING left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:
                yield from _imports(ast.Module([child], []), module)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            assert node.module is not None
            if node.module in ("sansio_claude", "sansio_claude.tools"):
                for alias in node.names:
                    yield f"{node.module}.{alias.name}"
            else:
                yield node.module
        else:
            yield from _imports(node, module)


def _house(module: str) -> str:
    """Where a dotted module of the package stands in the table: packages stand as one."""
    return module.split(".")[0]


def violations(module: str, source: str) -> list[str]:
    """What is wrong with the imports of `module` (dotted, without the package's name)."""
    found = []
    here = _house(module)
    if here not in TABLE and here not in ANYWHERE:
        return [f"{module} has no place in the table"]
    core = any(here in [name.strip() for name in row.replace(">", "|").split("|")] for row in CORE_ROWS)
    for name in _imports(ast.parse(source), module):
        top, _, rest = name.partition(".")
        if top == "sansio_claude":
            there = _house(rest) if rest else "__init__"
            if there == here or here in ANYWHERE:
                continue
            if there not in TABLE:
                if core or rest.startswith("_"):
                    found.append(f"{module} imports {name}, which has no place in the table")
                continue
            row, place, step = TABLE[here]
            row_there, place_there, step_there = TABLE[there]
            if row_there < row:
                found.append(f"{module} imports {name}, which stands above it")
            elif row_there == row and place_there != place:
                found.append(f"{module} imports {name}, its sibling")
            elif row_there == row and step_there < step:
                found.append(f"{module} imports {name}, which stands above it")
        elif core and top in FORBIDDEN and top not in ALLOWED.get(module, ()):
            found.append(f"{module} imports {name}, which does I/O or reads time, chance or the environment")
        elif core and top in ("h11", "rich", "trio") and top not in ALLOWED.get(module, ()):
            found.append(f"{module} imports {name}, which only its own module may")
    return found


def _modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts if parts[-1] != "__init__" or len(parts) == 1 else parts[:-1])
        yield name, path


MODULES = dict(_modules())


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_go_down_only(module: str) -> None:
    assert violations(module, MODULES[module].read_text("utf-8")) == []


@pytest.mark.parametrize("module", sorted(MODULES))
def test_files_stay_small(module: str) -> None:
    assert len(MODULES[module].read_text("utf-8").splitlines()) <= 500


def test_the_table_names_no_module_that_is_not_there() -> None:
    assert set(TABLE) - {_house(name) for name in MODULES} == set()


@pytest.mark.parametrize(
    ("module", "source", "words"),
    [
        ("_sse", "from sansio_claude._stream.message_stream import MessageStream", "stands above it"),
        ("_block", "from sansio_claude._message.blocks import TextBlock", "stands above it"),
        ("_sse", "from sansio_claude._stream.events import Event", "its sibling"),
        ("_stream", "def f():\n    from sansio_claude._http.exchange import HTTPExchange", "its sibling"),
        ("_stream", "import time", "reads time"),
        ("_retry", "from random import random", "reads time, chance"),
        ("_call", "try:\n    import ssl\nexcept ImportError: pass", "does I/O"),
        ("_sse", "import os.path", "does I/O"),
        ("_retry", "import email.utils", "does I/O"),
        ("_stream", "import h11", "only its own module"),
        ("tools._loop", "import trio", "does I/O"),
        ("tools._loop", "from sansio_claude.trio import Client", "stands above it"),
        ("_json", "from sansio_claude import MessageStream", "no place in the table"),
        ("_helpers", "", "no place in the table"),
        ("_sse", "if TYPE_CHECKING:\n    pass\nelse:\n    import socket", "does I/O"),
    ],
)
def test_a_planted_violation_is_caught(module: str, source: str, words: str) -> None:
    found = violations(module, source)
    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("_stream", "from sansio_claude._stream.sse import SSEDecoder"),
        ("_sse", "if TYPE_CHECKING:\n    from sansio_claude._stream.message_stream import MessageStream"),
        ("_http", "import h11"),
        ("trio._net", "import trio, socket"),
        ("_blocks", "from sansio_claude._message.block import Block"),
    ],
)
def test_what_the_table_allows_is_allowed(module: str, source: str) -> None:
    assert violations(module, source) == []
