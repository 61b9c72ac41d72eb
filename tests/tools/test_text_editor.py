"""The text editor tool: its four versions (G1), and every command in memory and on disk (G2)."""

from __future__ import annotations

import codecs
import errno
import itertools
import os
import re
import stat
import tracemalloc
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude._errors import LocalProtocolError, ToolError
from sansio_claude.tools import DiskFiles, EditorVersion, Files, MemoryFiles, TextEditor, ToolResult, editor_version
from sansio_claude.tools import _text_edits as edits
from sansio_claude.tools._views import cut, view_pieces

NEWEST = "text_editor_20250728"
OLDER: tuple[EditorVersion, ...] = ("text_editor_20241022", "text_editor_20250124")

MakeFiles = Callable[[dict[str, bytes]], Files]


@pytest.fixture(params=["memory", "disk", "disk without descriptors"])
def make_files(request: pytest.FixtureRequest, tmp_path: Path) -> MakeFiles:
    def make(contents: dict[str, bytes]) -> Files:
        if request.param == "memory":
            return MemoryFiles(contents, name="/repo")
        for place, data in contents.items():
            (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place).write_bytes(data)
        return DiskFiles(tmp_path, name="/repo", descriptors=request.param == "disk")

    return make


def run(editor: TextEditor, command: str, path: str, **parameters: Any) -> str:
    return editor.run({"command": command, "path": path, **parameters})


def refusal(editor: TextEditor, command: str, path: str, **parameters: Any) -> str:
    result = editor.call({"command": command, "path": path, **parameters})
    assert result.is_error
    assert isinstance(result.content, str)
    assert result.content.startswith("Error: ")
    return result.content


@pytest.mark.parametrize(
    ("model", "version", "name", "commands"),
    [
        ("claude-opus-5-5", NEWEST, "str_replace_based_edit_tool", "view create str_replace insert"),
        ("a-model-to-come", NEWEST, "str_replace_based_edit_tool", "view create str_replace insert"),
        (
            "claude-sonnet-4-20250514",
            "text_editor_20250429",
            "str_replace_based_edit_tool",
            "view create str_replace insert",
        ),
        (
            "claude-3-7-sonnet-20250219",
            "text_editor_20250124",
            "str_replace_editor",
            "view create str_replace insert undo_edit",
        ),
        (
            "claude-3-5-sonnet-20241022",
            "text_editor_20241022",
            "str_replace_editor",
            "view create str_replace insert undo_edit",
        ),
    ],
)
def test_G1_the_right_definition_for_a_model(model: str, version: str, name: str, commands: str) -> None:
    editor = TextEditor.for_model(model, MemoryFiles())
    assert editor_version(model) == editor.version == version
    assert editor.to_param() == {"type": version, "name": name}
    assert editor.name == name
    assert editor.commands == tuple(commands.split())
    assert editor.betas == (("computer-use-2024-10-22",) if version == "text_editor_20241022" else ())


def test_a_model_without_a_text_editor_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="takes no text editor"):
        editor_version("claude-3-haiku-20240307")


def test_max_characters_is_for_the_newest_version_alone() -> None:
    assert TextEditor(MemoryFiles(), max_characters=500).to_param()["max_characters"] == 500
    assert (
        "max_characters"
        not in TextEditor.for_model("claude-opus-4-20250514", MemoryFiles(), max_characters=5).to_param()
    )
    for version in (*OLDER, "text_editor_20250429"):
        with pytest.raises(LocalProtocolError, match="takes no max_characters"):
            TextEditor(MemoryFiles(), version=version, max_characters=5)
    with pytest.raises(LocalProtocolError, match="1 or more"):
        TextEditor(MemoryFiles(), max_characters=0)
    with pytest.raises(LocalProtocolError, match="no text editor version"):
        TextEditor(MemoryFiles(), version="text_editor_20990101")  # type: ignore[arg-type]


def test_other_parts_of_the_definition() -> None:
    editor = TextEditor(MemoryFiles(), cache_control={"type": "ephemeral"}, extra={"defer_loading": True})
    assert editor.to_param() == {
        "type": NEWEST,
        "name": "str_replace_based_edit_tool",
        "defer_loading": True,
        "cache_control": {"type": "ephemeral"},
    }


def test_G2_create_then_view(make_files: MakeFiles) -> None:
    files = make_files({})
    editor = TextEditor(files)
    assert run(editor, "create", "/repo/src/deep/a.py", file_text="x = 1\n\ty\n") == (
        "File created successfully at: /repo/src/deep/a.py"
    )
    assert files.read("src/deep/a.py") == b"x = 1\n\ty\n"
    assert run(editor, "view", "/repo/src/deep/a.py") == "1: x = 1\n2: \ty"
    assert run(editor, "view", "src/deep/a.py", view_range=[2, -1]) == "2: \ty"
    assert run(editor, "view", "./src//deep/a.py", view_range=[1, 1]) == "1: x = 1"
    assert run(editor, "create", "/repo/empty", file_text="") == "File created successfully at: /repo/empty"
    assert run(editor, "view", "empty") == "(The file is empty.)"


def test_create_does_not_overwrite(make_files: MakeFiles) -> None:
    files = make_files({"a": b"old", "d/x": b""})
    editor = TextEditor(files)
    assert refusal(editor, "create", "/repo/a", file_text="new").startswith("Error: File already exists: /repo/a")
    assert refusal(editor, "create", "/repo/d", file_text="new").startswith("Error: File already exists: /repo/d")
    assert "is a directory" in refusal(editor, "create", "/repo", file_text="new")
    assert "is a file, not a directory" in refusal(editor, "create", "/repo/a/b", file_text="new")
    assert "lone surrogate at character 1" in refusal(editor, "create", "b", file_text="x\ud800")
    assert files.read("a") == b"old"


def test_str_replace(make_files: MakeFiles) -> None:
    files = make_files({"a.py": b"def f():\r\n\treturn 1\r\n"})
    editor = TextEditor(files)
    done = run(editor, "str_replace", "a.py", old_str="return 1\n", new_str="return 2\n")
    assert done == "Successfully replaced text at exactly one location."
    assert files.read("a.py") == b"def f():\r\n\treturn 2\r\n"
    run(editor, "str_replace", "a.py", old_str="f()", new_str=None)
    assert files.read("a.py") == b"def :\r\n\treturn 2\r\n"
    assert refusal(editor, "str_replace", "a.py", old_str="nowhere", new_str="x").startswith(
        "Error: No match found for replacement."
    )
    assert refusal(editor, "str_replace", "a.py", old_str="e", new_str="x").startswith(
        "Error: Found 2 matches for replacement text."
    )
    assert refusal(editor, "str_replace", "b.py", old_str="e", new_str="x").startswith(
        "Error: File not found: /repo/b.py."
    )


@pytest.mark.parametrize("key", ["insert_text", "new_str"])
def test_insert_takes_both_names_of_its_text(make_files: MakeFiles, key: str) -> None:
    files = make_files({"a": b"1\n2\n"})
    editor = TextEditor(files)
    assert run(editor, "insert", "a", insert_line=1, **{key: "x\n"}) == "Successfully inserted text after line 1."
    assert files.read("a") == b"1\nx\n2\n"
    assert (
        run(editor, "insert", "a", insert_line=0, **{key: "y"})
        == "Successfully inserted text at the beginning of the file."
    )
    assert files.read("a") == b"y\n1\nx\n2\n"
    assert "`insert_line` 5. It must be from 0" in refusal(editor, "insert", "a", insert_line=5, **{key: "y"})


def test_insert_text_goes_before_new_str() -> None:
    files = MemoryFiles({"a": "1\n"})
    run(TextEditor(files), "insert", "a", insert_line=1, insert_text="right", new_str="wrong")
    assert files.contents == {"a": b"1\nright\n"}


@pytest.mark.parametrize("version", OLDER)
def test_undo_edit_takes_back_one_edit_after_the_other(make_files: MakeFiles, version: EditorVersion) -> None:
    files = make_files({"a": b"\xef\xbb\xbf1\r\n", "b": b"b"})
    editor = TextEditor(files, version=version)
    run(editor, "str_replace", "a", old_str="1", new_str="2")
    run(editor, "insert", "/repo/a", insert_line=1, insert_text="3")
    run(editor, "str_replace", "b", old_str="b", new_str="c")
    run(editor, "create", "c", file_text="new")
    assert run(editor, "undo_edit", "a") == "Last edit to /repo/a undone successfully."
    assert files.read("a") == b"\xef\xbb\xbf2\r\n"
    run(editor, "undo_edit", "./a")
    assert files.read("a") == b"\xef\xbb\xbf1\r\n"
    assert refusal(editor, "undo_edit", "a").startswith("Error: No edit to undo")
    run(editor, "undo_edit", "c")
    assert files.kind("c") is None
    assert files.read("b") == b"c"


def test_undo_does_not_overwrite_what_somebody_else_wrote(make_files: MakeFiles) -> None:
    files = make_files({"a": b"1"})
    editor = TextEditor(files, version="text_editor_20250124")
    run(editor, "str_replace", "a", old_str="1", new_str="2")
    files.replace("a", b"2", b"theirs")
    assert "was changed by somebody else" in refusal(editor, "undo_edit", "a")
    assert files.read("a") == b"theirs"
    run(editor, "create", "n", file_text="1")
    files.replace("n", b"1", b"theirs")
    assert "was changed by somebody else" in refusal(editor, "undo_edit", "n")
    assert files.read("n") == b"theirs"


def tree(files: Files, place: str = "") -> list[str]:
    """All folders and files, folders with a slash."""
    found: list[str] = []
    for name, kind in sorted(files.names(place, 100)):
        inner = f"{place}/{name}".lstrip("/")
        found += [inner + "/", *tree(files, inner)] if kind == "folder" else [inner]
    return found


def test_undo_of_create_takes_the_folders_away_that_it_made(make_files: MakeFiles) -> None:
    editor = TextEditor(make_files({"kept/a": b"1"}), version="text_editor_20250124")
    files = editor._files
    run(editor, "create", "kept/made/deeper/file", file_text="1")
    assert tree(files) == ["kept/", "kept/a", "kept/made/", "kept/made/deeper/", "kept/made/deeper/file"]
    run(editor, "undo_edit", "kept/made/deeper/file")
    assert tree(files) == ["kept/", "kept/a"]
    files.remove("kept/a", b"1")  # an empty folder, which was there before
    run(editor, "create", "kept/new", file_text="1")
    run(editor, "undo_edit", "kept/new")
    assert tree(files) == ["kept/"]


@pytest.mark.parametrize("order", list(itertools.permutations(("d/a", "d/e/b", "d/c"))))
def test_undo_in_any_order_takes_all_folders_away(make_files: MakeFiles, order: tuple[str, ...]) -> None:
    files = make_files({})
    editor = TextEditor(files, version="text_editor_20250124")
    for place in ("d/a", "d/e/b", "d/c"):
        run(editor, "create", place, file_text="1")
    for place in order:
        run(editor, "undo_edit", place)
    assert tree(files) == []


def test_undo_of_create_keeps_what_somebody_else_put_there(make_files: MakeFiles) -> None:
    files = make_files({})
    editor = TextEditor(files, version="text_editor_20250124")
    run(editor, "create", "d/e/a", file_text="1")
    files.create("d/theirs", b"2")
    run(editor, "undo_edit", "d/e/a")
    assert tree(files) == ["d/", "d/theirs"]


def test_undo_of_create_in_files_that_take_no_folders_away() -> None:
    class NoFolders(MemoryFiles):
        remove_folder = None  # type: ignore[assignment]

    files = NoFolders()
    editor = TextEditor(files, version="text_editor_20250124")
    run(editor, "create", "d/a", file_text="1")
    run(editor, "undo_edit", "d/a")
    assert tree(files) == ["d/"]


def test_undo_after_the_same_edit_twice() -> None:
    files = MemoryFiles({"a": "1"})
    editor = TextEditor(files, version="text_editor_20250124")
    for old, new in ("12", "21", "12"):
        run(editor, "str_replace", "a", old_str=old, new_str=new)
    for expected in ("1", "2", "1"):
        run(editor, "undo_edit", "a")
        assert files.contents == {"a": expected.encode()}


def test_undo_is_no_command_of_the_newer_versions() -> None:
    text = refusal(TextEditor(MemoryFiles({"a": "1"})), "undo_edit", "a")
    assert text == (
        "Error: Unknown command 'undo_edit'. The commands of this tool are: view, create, str_replace, insert."
    )


def test_a_directory_is_listed_two_levels_deep_without_hidden_entries(make_files: MakeFiles) -> None:
    files = make_files({"b.py": b"", "a/x": b"", "a/sub/deeper/y": b"", "a/.hidden": b"", ".git/config": b"", "é": b""})
    editor = TextEditor(files)
    expected = "/repo/\n/repo/a/\n/repo/b.py\n/repo/é\n/repo/a/sub/\n/repo/a/x"
    assert run(editor, "view", "/repo") == run(editor, "view", "/repo/") == run(editor, "view", ".") == expected
    assert run(editor, "view", "a") == "/repo/a/\n/repo/a/sub/\n/repo/a/x\n/repo/a/sub/deeper/"
    assert run(editor, "view", ".git") == "/repo/.git/\n/repo/.git/config"
    assert "`view_range` is not allowed" in refusal(editor, "view", "a", view_range=[1, 2])
    for command, more in (("str_replace", {"old_str": "a"}), ("insert", {"insert_line": 0, "insert_text": ""})):
        assert refusal(editor, command, "a", **more) == "Error: /repo/a is a directory. Only `view` takes a directory."


def test_a_long_listing_is_cut_with_words() -> None:
    editor = TextEditor(MemoryFiles({f"{folder}/{n:04}": b"" for folder in "ab" for n in range(800)}))
    lines = run(editor, "view", "/").split("\n")
    assert len(lines) == 1003
    assert lines[:4] == ["/", "/a/", "/b/", "/a/0000"]
    assert [line for line in lines if line.startswith("...")] == [
        "... (at least 301 more entries in /a/; view a directory below to see them)",
        "... (at least 301 more entries in /b/; view a directory below to see them)",
    ]


def test_one_big_folder_hides_nothing_beside_it() -> None:
    files = {f"big/{number:04}/x": b"" for number in range(1100)} | {"src/app.js": b"", "package.json": b""}
    text = run(TextEditor(MemoryFiles(files, name="/repo")), "view", "/repo")
    assert text.startswith("/repo/\n/repo/big/\n/repo/package.json\n/repo/src/\n/repo/big/0000/\n")
    assert "\n/repo/src/app.js" in text
    many = run(TextEditor(MemoryFiles({f"{number:04}/x": b"" for number in range(1100)})), "view", "/")
    assert len(many.split("\n")) < 1010
    assert "... (at least 100 more entries in /;" in many
    assert many.endswith("... (the entries of 1000 directories are not shown; view one of them to see its own)")


def test_a_folder_that_cannot_be_listed_does_not_hide_the_others() -> None:
    class Locked(MemoryFiles):
        def names(self, place: str, limit: int) -> list[tuple[str, Any]]:
            if place == "a":
                raise ToolError("Error: Permission denied. Cannot read file.")
            return super().names(place, limit)

    editor = TextEditor(Locked({"a/x": b"", "b/x": b""}))
    assert run(editor, "view", "/") == "/\n/a/\n/b/\n/a/ (Permission denied. Cannot read file.)\n/b/x"


@pytest.mark.parametrize(("limit", "note"), [(1000, True), (20, False)])
def test_max_characters_cuts_the_view(limit: int, note: bool) -> None:
    editor = TextEditor(MemoryFiles({"a": "line\n" * 500, "b": "short"}), max_characters=limit)
    text = run(editor, "view", "a")
    assert len(text) == limit
    assert text.startswith("1: line\n2: line")
    assert ("use `view_range`" in text) is note
    assert run(editor, "view", "b") == "1: short"


def test_numbers_are_taken_as_any_tool_takes_them() -> None:
    editor = TextEditor(MemoryFiles({"a": "1\n2\n3\n"}))
    assert run(editor, "view", "a", view_range=[1.0, 2.0]) == "1: 1\n2: 2"
    assert run(editor, "view", "a", view_range="[2, 3]") == "2: 2\n3: 3"
    assert "inserted" in run(editor, "insert", "a", insert_line=1.0, insert_text="x")


def test_a_wrong_form_of_lines_is_the_callers_mistake() -> None:
    form: Any = "x"
    with pytest.raises(LocalProtocolError, match="line_form must be one of 'colon', 'tab', not 'x'"):
        TextEditor(MemoryFiles(), line_form=form)


def test_the_other_form_of_line_numbers() -> None:
    editor = TextEditor(MemoryFiles({"a": "x\ny"}), line_form="tab")
    assert run(editor, "view", "a") == "     1\tx\n     2\ty"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "The input must be an object"),
        ([], "The input must be an object"),
        ({}, "Missing required parameter `command` of every call"),
        ({"command": 1}, "Parameter `command` of every call must be a string"),
        ({"command": "rm", "path": "a"}, "Unknown command 'rm'. The commands of this tool are: view, create"),
        ({"command": "view"}, "Missing required parameter `path` of `view`"),
        ({"command": "view", "path": ""}, "`path` of `view` must not be empty"),
        ({"command": "view", "path": ["a"]}, "`path` of `view` must be a string"),
        (
            {"command": "view", "path": "a", "view_range": [1]},
            "Invalid `view_range`. It must be a list of two integers",
        ),
        ({"command": "view", "path": "a", "view_range": [1, "2"]}, "Invalid `view_range`. It must be a list"),
        ({"command": "view", "path": "a", "view_range": [True, 2]}, "Invalid `view_range`. It must be a list"),
        ({"command": "view", "path": "a", "view_range": "1,2"}, "Invalid `view_range`. It must be a list"),
        ({"command": "create", "path": "b"}, "Missing required parameter `file_text` of `create`"),
        ({"command": "create", "path": "b", "file_text": 3}, "`file_text` of `create` must be a string"),
        ({"command": "str_replace", "path": "a"}, "Missing required parameter `old_str`"),
        ({"command": "str_replace", "path": "a", "old_str": ""}, "`old_str` must not be empty"),
        ({"command": "str_replace", "path": "a", "old_str": "x", "new_str": 1}, "`new_str` of `str_replace` must be"),
        ({"command": "insert", "path": "a", "insert_text": "x"}, "Missing required parameter `insert_line`"),
        ({"command": "insert", "path": "a", "insert_line": 1}, "Missing required parameter `insert_text`"),
        ({"command": "insert", "path": "a", "insert_line": 1.5, "insert_text": ""}, "must be an integer"),
        ({"command": "insert", "path": "a", "insert_line": "1", "insert_text": ""}, "must be an integer"),
        ({"command": "insert", "path": "a", "insert_line": True, "insert_text": ""}, "must be an integer"),
        ({"command": "insert", "path": "a", "insert_line": -1, "insert_text": ""}, "Invalid `insert_line` -1"),
    ],
)
def test_bad_input_is_told_in_words(given: Any, words: str) -> None:
    files = MemoryFiles({"a": "x\n"})
    result = TextEditor(files).call(given)
    assert result.is_error
    assert isinstance(result.content, str)
    assert result.content.startswith("Error: ")
    assert words in result.content
    assert files.contents == {"a": b"x\n"}


def test_null_counts_as_absent_and_unknown_parameters_are_ignored() -> None:
    editor = TextEditor(MemoryFiles({"a": "x\n"}))
    assert editor.call({"command": "view", "path": "a", "view_range": None, "why": "curious"}) == ToolResult("1: x")


def test_large_files_get_words(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 101)
    (tmp_path / "fits").write_bytes(b"x" * 100)
    for files in (
        DiskFiles(tmp_path, name="/repo", max_bytes=100),
        MemoryFiles({"fits": b"x" * 100}, name="/repo", max_bytes=100),
    ):
        editor = TextEditor(files)
        assert run(editor, "view", "fits") == "1: " + "x" * 100
        for command, path, more in (
            ("insert", "fits", {"insert_line": 0, "insert_text": "y"}),
            ("create", "new/far", {"file_text": "y" * 101}),
        ):
            assert refusal(editor, command, path, **more).endswith(
                "is too large to be edited or written whole: more than 100 bytes."
            )
        assert files.kind("new") is None
    disk = TextEditor(DiskFiles(tmp_path, name="/repo", max_bytes=100))
    assert run(disk, "view", "big") == "1: " + "x" * 101  # a view takes a file of any size
    assert "is too large" in refusal(disk, "insert", "big", insert_line=0, insert_text="y")


def test_a_file_that_grows_while_it_is_read_is_not_read_without_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log").write_bytes(b"x" * 10)
    monkeypatch.setattr(os, "read", lambda handle, size: b"x" * size)
    with pytest.raises(ToolError, match="too large"):
        DiskFiles(tmp_path, max_bytes=100).read("log")


def test_binary_files_get_words(make_files: MakeFiles) -> None:
    editor = TextEditor(make_files({"a.png": b"\x89PNG\r\n\x1a\n\0\0"}))
    for command, more in (
        ("view", {}),
        ("str_replace", {"old_str": "P"}),
        ("insert", {"insert_line": 0, "insert_text": ""}),
    ):
        assert "This is a binary file (10 bytes)" in refusal(editor, command, "a.png", **more)


def test_a_text_with_a_mark_and_a_nul_in_it_is_binary(make_files: MakeFiles) -> None:
    editor = TextEditor(make_files({"a": codecs.BOM_UTF16_LE + f"{'words ' * 20}\0".encode("utf-16-le")}))
    assert "This is a binary file (244 bytes)" in refusal(editor, "view", "a")


# The disk alone from here on.


def test_mode_bits_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "run.sh"
    file.write_bytes(b"#!/bin/sh\n")
    for mode in (0o755, 0o640, 0o600, 0o4711):
        file.chmod(mode)
        run(TextEditor(DiskFiles(tmp_path)), "insert", "run.sh", insert_line=1, insert_text="x")
        assert stat.S_IMODE(file.stat().st_mode) == mode


def test_a_new_file_has_the_mode_of_the_process(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        run(TextEditor(DiskFiles(tmp_path)), "create", "d/new", file_text="x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "d/new").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "d").stat().st_mode) == 0o750


def test_a_read_only_file_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "a").chmod(0o444)
    editor = TextEditor(DiskFiles(tmp_path))
    assert refusal(editor, "str_replace", "a", old_str="x", new_str="y") == (
        "Error: Permission denied. Cannot write to file."
    )
    assert (tmp_path / "a").read_bytes() == b"x"


def test_writing_is_atomic_and_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"old")
    files = DiskFiles(tmp_path)
    seen: list[bytes] = []
    for name in ("write", "fsync", "replace"):
        original = getattr(os, name)

        def failing(*args: Any, _original: Any = original, **kwargs: Any) -> Any:
            seen.append((tmp_path / "a").read_bytes())
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, name, failing)
        with pytest.raises(ToolError, match=r"Error: Cannot write to file: No space left on device\."):
            files.replace("a", b"old", b"new")
        monkeypatch.setattr(os, name, original)
        assert os.listdir(tmp_path) == ["a"]
    assert seen == [b"old"] * 3
    assert (tmp_path / "a").read_bytes() == b"old"
    inode = (tmp_path / "a").stat().st_ino
    files.replace("a", b"old", b"new")
    assert (tmp_path / "a").stat().st_ino != inode
    assert os.listdir(tmp_path) == ["a"]


def test_a_file_changed_between_reading_and_writing_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"old")
    original = os.fsync

    def fsync(handle: int) -> None:
        original(handle)
        (tmp_path / "a").write_bytes(b"theirs")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(ToolError, match="was changed by somebody else"):
        DiskFiles(tmp_path).replace("a", b"old", b"new")
    assert (tmp_path / "a").read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("links", [True, False])
def test_create_loses_a_race_without_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    original = os.fsync

    def fsync(handle: int) -> None:
        original(handle)
        (tmp_path / "a").write_bytes(b"theirs")

    monkeypatch.setattr(os, "fsync", fsync)
    if not links:
        _without_hard_links(monkeypatch)
    with pytest.raises(ToolError, match="File already exists"):
        DiskFiles(tmp_path).create("a", b"new")
    assert (tmp_path / "a").read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == ["a"]


def test_create_on_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _without_hard_links(monkeypatch)
    DiskFiles(tmp_path).create("d/a", b"new")
    assert (tmp_path / "d/a").read_bytes() == b"new"
    assert os.listdir(tmp_path / "d") == ["a"]


def _without_hard_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*args: Any, **kwargs: Any) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", link)


def test_a_root_that_is_no_folder_is_the_callers_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LocalProtocolError, match="is not a folder"):
        DiskFiles(tmp_path / "file")
    with pytest.raises(LocalProtocolError, match="cannot be opened"):
        DiskFiles(tmp_path / "missing")
    with pytest.raises(LocalProtocolError, match="has a NUL in it"):
        DiskFiles(f"{tmp_path}\0")
    with pytest.raises(LocalProtocolError, match="has no name"):
        DiskFiles("")
    for name in ("repo", "/repo/../x", "", "/a/./b", "/a\nb"):
        with pytest.raises(LocalProtocolError, match="no plain absolute path"):
            DiskFiles(tmp_path, name=name)


def test_the_root_has_its_real_path_as_its_name(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real/a").write_bytes(b"x")
    files = DiskFiles(tmp_path / "link")
    assert files.name == str(files.root) == str((tmp_path / "real").resolve())
    assert run(TextEditor(files), "view", f"{files.name}/a") == "1: x"


def test_an_error_of_the_system_is_told_without_the_real_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> object:
        raise OSError(errno.EIO, "Input/output error", str(tmp_path / "x"))

    editor = TextEditor(DiskFiles(tmp_path, name="/repo"))
    monkeypatch.setattr("os.stat", broken)
    text = refusal(editor, "view", "/repo/x")
    monkeypatch.undo()
    assert text == "Error: Cannot read file: Input/output error."


def test_a_view_is_cut_by_default_and_says_how_to_go_on(make_files: MakeFiles) -> None:
    editor = TextEditor(make_files({"a.log": b"line\n" * 400_000}))
    text = run(editor, "view", "a.log")
    assert len(text) <= 50_000
    found = re.search(r"cut at 50000 characters, in line (\d+) of 400000; use `view_range` \[(\d+), -1\]", text)
    assert found is not None
    assert found[1] == found[2]
    assert run(editor, "view", "a.log", view_range=[int(found[2]), -1]).startswith(f"{found[2]}: line\n")
    assert run(editor, "view", "a.log", view_range=[399_999, 400_000]) == "399999: line\n400000: line"
    assert "from 1 to 400000" in refusal(editor, "view", "a.log", view_range=[400_001, -1])


def test_one_line_longer_than_a_view_is_named() -> None:
    editor = TextEditor(MemoryFiles({"a": b"x" * 60_000 + b"\ny\n"}))
    text = run(editor, "view", "a")
    assert len(text) == 50_000
    assert text.endswith("longer than a view; use `view_range` [2, -1] for the lines behind it)")
    assert run(editor, "view", "a", view_range=[2, -1]) == "2: y"


class Endless(MemoryFiles):
    """500 MB of text that are nowhere whole."""

    pulled = 0

    def pieces(self, place: str) -> Iterator[bytes]:
        piece = (b"x" * 99 + b"\n") * 10_000
        for _ in range(500):
            self.pulled += len(piece)
            yield piece


def test_a_file_of_500_mb_is_viewed_in_constant_memory() -> None:
    files = Endless({"big": b""})
    editor = TextEditor(files)
    tracemalloc.start()
    try:
        text = run(editor, "view", "big", view_range=[4_999_999, 5_000_000])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert text == f"4999999: {'x' * 99}\n5000000: {'x' * 99}"
    assert files.pulled >= 500_000_000
    assert peak < 20_000_000


ENCODINGS = st.sampled_from(["utf-8", "utf-16", "utf-8-sig", "latin-1"])
TEXTS = st.text("ab\r\n\0\x01é\ufeff", max_size=30)


@given(
    st.builds(lambda text, name: text.encode(name, "replace"), TEXTS, ENCODINGS),
    st.tuples(st.integers(-1, 6), st.integers(-2, 6)) | st.none(),
    st.integers(1, 4),
    st.sampled_from([None, "latin-1"]),
    st.sampled_from([5, 200]),
)
def test_a_view_by_pieces_is_the_view(
    data: bytes, span: tuple[int, int] | None, size: int, encoding: str | None, limit: int
) -> None:
    first, last = span or (1, -1)

    def plain() -> str:
        file = edits.TextFile.from_bytes(data, encoding)
        return cut(edits.view(file, first, last), limit, first=first, total=len(file.lines))

    def pieces() -> Iterator[bytes]:
        return (data[start : start + size] for start in range(0, len(data), size))

    def said(action: Callable[[], str]) -> str:
        try:
            return action()
        except ToolError as error:
            return error.message

    assert said(plain) == said(lambda: view_pieces(pieces, span, encoding=encoding, limit=limit))


def test_names_are_found_by_their_composed_form(make_files: MakeFiles) -> None:
    apart = unicodedata.normalize("NFD", "café")
    editor = TextEditor(make_files({f"{apart}/{apart}.txt": b"x\n", "n\u0303/a": b"", "ñ/b": b""}))
    assert run(editor, "view", "/repo/café/café.txt") == "1: x"
    assert run(editor, "str_replace", "/repo/café/café.txt", old_str="x", new_str="y")
    assert run(editor, "view", f"/repo/{apart}/{apart}.txt") == "1: y"
    assert "already exists" in refusal(editor, "create", "/repo/café/café.txt", file_text="")
    assert run(editor, "view", "/repo/ñ/b") == "(The file is empty.)"


def test_several_names_of_one_composed_form_are_not_guessed() -> None:
    files = MemoryFiles({"e\u0323\u0301": b"", "\u1eb9\u0301": b""}, name="/repo")
    words = refusal(TextEditor(files), "view", "/repo/\u00e9\u0323")
    assert "Several names there are the same" in words


def test_an_encoding_can_be_named() -> None:
    data = "日本語\n".encode("shift_jis")
    assert "not text in UTF-8" in refusal(TextEditor(MemoryFiles({"a": data})), "view", "a")
    files = MemoryFiles({"a": data})
    editor = TextEditor(files, encoding="shift_jis")
    assert run(editor, "view", "a") == "1: 日本語"
    run(editor, "insert", "a", insert_line=1, insert_text="テキスト")
    assert files.read("a") == "日本語\nテキスト\n".encode("shift_jis")
    for wrong in ("of a time to come", 5, "base64"):
        with pytest.raises(LocalProtocolError, match="no text encoding"):
            TextEditor(MemoryFiles(), encoding=wrong)  # type: ignore[arg-type]


def test_a_whole_number_may_be_written_with_a_point() -> None:
    editor = TextEditor(MemoryFiles({"a": b"x\ny\n"}))
    assert run(editor, "view", "a", view_range=[1.0, 2.0]) == "1: x\n2: y"
    assert run(editor, "insert", "a", insert_line=1.0, insert_text="z")
    for wrong in (1.5, float("inf"), float("nan"), True, "1"):
        assert "must be an integer" in refusal(editor, "insert", "a", insert_line=wrong, insert_text="z")


def test_a_bad_path_of_the_program_is_the_programs_own_error() -> None:
    with pytest.raises(LocalProtocolError, match="cannot be made"):
        MemoryFiles({"../a": b""})


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="the system has no extended attributes here")
def test_extended_attributes_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("x\n")
    try:
        os.setxattr(file, "user.note", b"mine")
    except OSError:
        pytest.skip("the file system has no extended attributes")
    os.chmod(file, 0o640)
    run(TextEditor(DiskFiles(tmp_path, name="/repo")), "insert", "a", insert_line=0, insert_text="y")
    assert os.getxattr(file, "user.note") == b"mine"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_an_extended_attribute_that_cannot_be_kept_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a"
    file.write_text("x\n")
    number = file.stat().st_ino

    def unable(*args: Any) -> None:
        raise OSError(errno.ENOTSUP, "not here")

    def listed(handle: int) -> list[str]:
        return ["user.note"] if os.fstat(handle).st_ino == number else []

    monkeypatch.setattr(os, "listxattr", listed, raising=False)
    monkeypatch.setattr(os, "getxattr", lambda *args: b"mine", raising=False)
    monkeypatch.setattr(os, "setxattr", unable, raising=False)
    editor = TextEditor(DiskFiles(tmp_path, name="/repo"))
    said = refusal(editor, "insert", "a", insert_line=0, insert_text="y")
    assert "extended attribute" in said
    assert "user.note" in said
    assert file.read_text() == "x\n"


def test_what_cannot_be_kept_is_refused_with_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("x\n")
    editor = TextEditor(DiskFiles(tmp_path, name="/repo"))

    def busy(*args: Any, **more: Any) -> None:
        raise OSError(errno.EBUSY, "busy")

    with monkeypatch.context() as patched:
        patched.setattr("os.replace", busy)
        assert "is a mount of its own" in refusal(editor, "insert", "a", insert_line=0, insert_text="y")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "x\n"


@pytest.mark.parametrize("number", [2**63, -(2**64), 10**30, 1e300, 10**5_000, -(10**5_000)], ids=range(6))
def test_a_line_number_of_any_size_is_an_error_result(make_files: MakeFiles, number: float) -> None:
    editor = TextEditor(make_files({"a": b"one\ntwo\n"}))
    for span in ([1, number], [number, -1], [number, number]):
        assert "`view_range`" in refusal(editor, "view", "/repo/a", view_range=span)
    words = refusal(editor, "insert", "/repo/a", insert_line=number, insert_text="x")
    assert "`insert_line`" in words
    assert len(words) < 200


@pytest.mark.parametrize(
    ("files", "options"),
    [
        (None, {}),
        ("/tmp", {}),
        (MemoryFiles(), {"version": []}),
        (MemoryFiles(), {"max_characters": "5"}),
        (MemoryFiles(), {"max_characters": 1.5}),
        (MemoryFiles(), {"max_characters": True}),
        (MemoryFiles(), {"extra": [1]}),
        (MemoryFiles(), {"cache_control": "x"}),
        (MemoryFiles(), {"line_form": []}),
        (MemoryFiles(), {"encoding": 5}),
    ],
)
def test_an_editor_of_the_wrong_kinds_is_refused(files: Any, options: dict[str, Any]) -> None:
    with pytest.raises(LocalProtocolError):
        TextEditor(files, **options)
