"""The text editor tool under any commands: memory and disk do the same, and nothing outside the folder is touched."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from random import Random
from typing import Any, Final

from sansio_claude.tools import DiskFiles, MemoryFiles, TextEditor, ToolResult
from tests.fuzz.target import Target, dice_for
from tests.mutations import break_events

__all__ = ["TARGETS"]

_PATHS: Final = (
    "/repo/a",
    "b.txt",
    "d/a",
    "/repo/d/e/f",
    "./d//e/g",
    "d",
    "/repo",
    "a/below",
    "/other",
    "../a",
    "d/../a",
    "n" * 256,
    f"d/{'é' * 128}/a",
)
_MEMORY: Final = Path("/dev/shm")  # files that no disk has to write before a command has ended
_TEXTS: Final = ("", "a", "a\n", "b\na\n", "aa\r\nb", "é\n\n", "\x00", "a\nb\nc")
_FIRST: Final[list[dict[str, Any]]] = [
    {"command": "create", "path": "/repo/a", "file_text": "a\nb\n"},
    {"command": "str_replace", "path": "a", "old_str": "b", "new_str": "c\n"},
    {"command": "insert", "path": "a", "insert_line": 1, "insert_text": "x"},
    {"command": "view", "path": "/repo/a", "view_range": [1, -1]},
    {"command": "view", "path": "/repo"},
    {"command": "undo_edit", "path": "a"},
]


def _some(dice: Random) -> dict[str, Any]:
    command = dict(dice.choice(_FIRST))
    command["path"] = dice.choice(_PATHS)
    for key in command:
        if key.endswith(("_str", "_text")):
            command[key] = dice.choice(_TEXTS)
        elif key == "insert_line":
            command[key] = dice.choice((dice.randrange(-1, 5), 2**64))
        elif key == "view_range":
            command[key] = [dice.randrange(-1, 4), dice.choice((dice.randrange(-2, 5), 10**30))]
    return command


def _mutate(data: bytes, dice: Random) -> bytes:
    """A command more, a command less, another value somewhere in one."""
    try:
        commands = json.loads(data)
    except ValueError:
        commands = []
    if type(commands) is not list or not all(type(each) is dict for each in commands):
        commands = []
    match dice.randrange(3):
        case 0:
            commands.insert(dice.randrange(len(commands) + 1), _some(dice))
        case 1:
            commands = break_events(commands, dice)
        case _:
            commands = [*commands[:8], _some(dice), _some(dice)]
    return json.dumps(commands).encode()


def _check(data: bytes) -> None:
    try:
        commands = json.loads(data)
    except (ValueError, RecursionError):
        return
    if type(commands) is not list:
        commands = [commands]
    around = Path(tempfile.mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None))
    root = around / "root"
    root.mkdir()
    try:
        (around / "a").write_bytes(b"outside")
        version: Any = "text_editor_20250124" if dice_for(data).random() < 0.7 else "text_editor_20250728"
        memory = MemoryFiles(name="/repo")
        inside = TextEditor(memory, version=version)
        on_disk = TextEditor(DiskFiles(root, name="/repo"), version=version)
        for command in commands[:12]:
            result = inside.call(command)
            assert type(result) is ToolResult
            assert on_disk.call(command) == result, command
        found = {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}
        assert found == memory.contents
        assert sorted(each.name for each in around.iterdir()) == ["a", "root"]
        assert (around / "a").read_bytes() == b"outside"
    finally:
        shutil.rmtree(around)


def _seeds() -> list[bytes]:
    dice = Random(1)
    lists = [_FIRST, *([_some(dice) for _ in range(6)] for _ in range(6))]
    return [json.dumps(each).encode() for each in lists]


TARGETS: Final = (Target("editor", _seeds, _check, _mutate, most=1_500),)
