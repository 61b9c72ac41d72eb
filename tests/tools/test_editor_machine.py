"""The editor in memory, on disk (both ways) and in plain Python do the same, whatever commands come."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sansio_claude.tools import DiskFiles, MemoryFiles, TextEditor, ToolResult

USUAL = ("/repo/a", "b.txt", "d/a", "/repo/d/e/f", "./d//e/g", "d", "/repo", "a/below", "/other/x", "../a", "d/../a")
LONG = ("n" * 255, "n" * 256, "é" * 128, f"{'n' * 256}/a", f"a/{'n' * 256}", f"d/{'n' * 255}", "./" * 2048 + "a")
PATHS = (*USUAL, *LONG)
paths = st.sampled_from(PATHS)
texts = st.text("ab\n", max_size=6)


class Plain:
    """What the commands mean, in as few lines as they can be said; None stands for a refusal."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.folders = {""}
        self.history: list[tuple[str, str | None]] = []

    def place(self, path: str) -> str | None:
        if (
            len(path.encode()) > 4096
            or ".." in path.split("/")
            or (path.startswith("/") and not (path + "/").startswith("/repo/"))
        ):
            return None
        inside = path.removeprefix("/repo") if path.startswith("/") else path
        place = "/".join(name for name in inside.split("/") if name not in ("", "."))
        above = place.split("/")[:-1]
        blocked = any("/".join(above[: n + 1]) in self.files for n in range(len(above)))
        return None if blocked else place

    def create(self, path: str, text: str) -> bool:
        place = self.place(path)
        if place is None or place in self.files or place in self.folders:
            return False
        if any(len(name.encode()) > 255 for name in place.split("/")):
            return False
        above = place.split("/")[:-1]
        self.folders |= {"/".join(above[: n + 1]) for n in range(len(above))}
        self.files[place] = text
        self.history.append((place, None))
        return True

    def change(self, path: str, done: str | None) -> bool:
        place = self.place(path)
        if place is None or place not in self.files or done is None:
            return False
        self.history.append((place, self.files[place]))
        self.files[place] = done
        return True

    def text(self, path: str) -> str:
        return self.files.get(self.place(path) or "", "")

    def undo(self, path: str) -> bool:
        place = self.place(path)
        steps = [n for n, (edited, _) in enumerate(self.history) if edited == place]
        if place is None or not steps:
            return False
        before = self.history.pop(steps[-1])[1]
        if before is None:
            del self.files[place]
            while place := place.rpartition("/")[0]:  # all folders here were made for files
                if any(other.startswith(place + "/") for other in (*self.files, *self.folders)):
                    break
                self.folders.remove(place)
        else:
            self.files[place] = before
        return True


class Editors(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.roots = [Path(tempfile.mkdtemp()), Path(tempfile.mkdtemp())]
        self.memory = MemoryFiles(name="/repo")
        version: Any = "text_editor_20250124"
        self.editors = [
            TextEditor(self.memory, version=version),
            TextEditor(DiskFiles(self.roots[0], name="/repo"), version=version),
            TextEditor(DiskFiles(self.roots[1], name="/repo", descriptors=False), version=version),
        ]
        self.plain = Plain()

    def teardown(self) -> None:
        for root in self.roots:
            shutil.rmtree(root)

    def run(self, command: str, path: str, **parameters: Any) -> ToolResult:
        first, *others = [editor.call({"command": command, "path": path, **parameters}) for editor in self.editors]
        assert all(other == first for other in others), (first, others)
        return first

    @rule(path=paths, text=texts)
    def create(self, path: str, text: str) -> None:
        assert self.run("create", path, file_text=text).is_error is not self.plain.create(path, text)

    @rule(path=paths, old=texts, new=texts)
    def str_replace(self, path: str, old: str, new: str) -> None:
        text = self.plain.text(path)
        done = text.replace(old, new) if old and text.count(old) == 1 else None
        result = self.run("str_replace", path, old_str=old, new_str=new)
        assert result.is_error is not self.plain.change(path, done)

    @rule(path=paths, line=st.integers(-1, 8), new=texts)
    def insert(self, path: str, line: int, new: str) -> None:
        text = self.plain.text(path)
        lines = text.split("\n")
        if lines[-1] == "":
            lines.pop()
        done = None
        if 0 <= line <= len(lines):
            lines[line:line] = new.removesuffix("\n").split("\n")
            done = "\n".join(lines) + ("\n" if text.endswith("\n") else "") if new and text else new or text
        result = self.run("insert", path, insert_line=line, insert_text=new)
        assert result.is_error is not self.plain.change(path, done)

    @rule(path=paths)
    def undo_edit(self, path: str) -> None:
        assert self.run("undo_edit", path).is_error is not self.plain.undo(path)

    @rule(path=paths)
    def view(self, path: str) -> None:
        result = self.run("view", path)
        place = self.plain.place(path)
        if place in self.plain.files:
            lines = self.plain.files[place].split("\n")
            if lines[-1] == "":
                lines.pop()
            expected = "\n".join(f"{number}: {line}" for number, line in enumerate(lines, 1))
            assert result == ToolResult(expected or "(The file is empty.)")
        else:
            assert result.is_error is (place not in self.plain.folders)

    @invariant()
    def the_same_files_are_there(self) -> None:
        expected = {place: text.encode() for place, text in self.plain.files.items()}
        assert self.memory.contents == expected
        assert self.memory._folders == self.plain.folders
        for root in self.roots:
            folders = {str(folder.relative_to(root)) for folder in root.rglob("*") if folder.is_dir()}
            assert folders == self.plain.folders - {""}
            found = {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}
            assert found == expected


TestEditors = Editors.TestCase
TestEditors.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
