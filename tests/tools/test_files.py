"""The files below the editor: what their verbs refuse, in memory and on disk alike."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sansio_claude._errors import LocalProtocolError, ToolError
from sansio_claude.tools import DiskFiles, Files, MemoryFiles
from sansio_claude.tools._files import place_of, shown


@pytest.fixture(params=["memory", "disk", "disk without descriptors"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    if request.param == "memory":
        return MemoryFiles({"/repo/a": b"1", "d/b": b"2", "d/c": b"3"}, name="/repo")
    (tmp_path / "d").mkdir()
    for place, data in (("a", b"1"), ("d/b", b"2"), ("d/c", b"3")):
        (tmp_path / place).write_bytes(data)
    return DiskFiles(tmp_path, name="/repo", descriptors=request.param == "disk")


def test_what_is_there(files: Files) -> None:
    assert [files.kind(place) for place in ("", "a", "d", "d/b", "x", "x/y", "d/x")] == [
        *("folder", "file", "folder", "file"),
        *(None, None, None),
    ]
    assert sorted(files.names("", 10)) == [("a", "file"), ("d", "folder")]
    assert sorted(files.names("d", 10)) == [("b", "file"), ("c", "file")]
    assert len(files.names("d", 1)) == 1


def test_what_is_refused(files: Files) -> None:
    refusals: dict[str, list[Callable[[], object]]] = {
        "is a directory": [lambda: files.read("d"), lambda: files.read(""), lambda: files.remove("d", b"")],
        "Error: File not found: /repo/x": [
            lambda: files.read("x"),
            lambda: files.names("x", 10),
            lambda: files.replace("x", b"", b""),
            lambda: files.remove("x", b""),
        ],
        "is a file, not a directory": [
            lambda: files.names("a", 10),
            lambda: files.kind("a/b"),
            lambda: files.create("a/b/c", b""),
        ],
        "already exists": [lambda: files.create("a", b""), lambda: files.create("", b"")],
        "changed by somebody else": [lambda: files.replace("a", b"0", b""), lambda: files.remove("a", b"0")],
    }
    for words, attempts in refusals.items():
        for attempt in attempts:
            with pytest.raises(ToolError, match=words):
                attempt()
    assert [files.read(place) for place in ("a", "d/b", "d/c")] == [b"1", b"2", b"3"]


@pytest.mark.parametrize("name", ["n" * 256, "é" * 128])
def test_a_name_that_no_disk_takes(files: Files, name: str) -> None:
    for place in (name, f"{name}/a", f"d/{name}", f"new/{name}/a"):
        assert files.kind(place) is None
        for attempt in (lambda place: files.read(place), lambda place: files.replace(place, b"", b"")):
            with pytest.raises(ToolError, match="Error: File not found: /repo/"):
                attempt(place)
        with pytest.raises(ToolError, match=r"File name too long: /repo/.* Use a shorter name"):
            files.create(place, b"")
    assert files.kind("new") is None
    with pytest.raises(ToolError, match="A part of the path is a file"):
        files.create(f"a/{name}", b"")
    files.create("n" * 255, b"4")
    assert files.read("n" * 255) == b"4"


def test_a_path_of_more_than_4096_bytes() -> None:
    assert place_of("./" * 2047 + "a", "/repo") == "a"
    for path in ("./" * 2048 + "a", "é/" * 1366, "a/" * 100_000):
        with pytest.raises(ToolError, match="The path is longer than 4096 bytes"):
            place_of(path, "/repo")


def test_a_file_can_be_taken_away(files: Files) -> None:
    files.remove("d/b", b"2")
    assert files.kind("d/b") is None
    assert files.names("d", 10) == [("c", "file")]


def test_a_folder_can_be_taken_away_only_when_it_is_empty(files: Any) -> None:
    refusals = {"d": "is not empty", "": "is the root", "a": "is a file", "x": "not found", "x/y": "not found"}
    for place, words in refusals.items():
        with pytest.raises(ToolError, match=words):
            files.remove_folder(place)
    files.remove("d/b", b"2")
    files.remove("d/c", b"3")
    files.remove_folder("d")
    assert files.names("", 10) == [("a", "file")]
    files.remove("a", b"1")
    with pytest.raises(ToolError, match="is the root"):
        files.remove_folder("")
    assert files.kind("") == "folder"


@pytest.mark.parametrize("descriptors", [True, False])
def test_no_link_is_taken_for_a_folder_to_be_taken_away(tmp_path: Path, *, descriptors: bool) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "it").symlink_to("../outside")
    files = DiskFiles(tmp_path / "root", descriptors=descriptors)
    with pytest.raises(ToolError, match="is a file, not a directory"):
        files.remove_folder("it")
    (tmp_path / "outside" / "empty").mkdir()
    with pytest.raises(ToolError, match="links are not followed"):
        files.remove_folder("it/empty")
    assert (tmp_path / "outside" / "empty").is_dir()


@pytest.mark.parametrize("descriptors", [True, False])
def test_a_file_that_could_not_be_made_leaves_no_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, descriptors: bool
) -> None:
    files = DiskFiles(tmp_path, descriptors=descriptors)
    (tmp_path / "kept").mkdir()
    with pytest.raises(ToolError, match="File name too long"):
        files.create("kept/made/deeper/" + "x" * 300, b"1")
    with pytest.raises(ToolError, match="File name too long"):
        files.create("kept/made/" + "x" * 300 + "/file", b"1")

    def interrupted(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        files.create("kept/made/deeper/file", b"1")
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["kept"]


def test_places_of_paths() -> None:
    assert place_of("/repo//a/./b/", "/repo") == "a/b"
    assert place_of("/repo", "/repo") == ""
    with pytest.raises(ToolError, match="The path is empty"):
        place_of("", "/repo")
    assert shown("a\nb" + "x" * 300) == "a\\nb" + "x" * 197 + "..."


def test_a_file_in_memory_that_is_too_large(tmp_path: Path) -> None:
    files = MemoryFiles({"a": "1"}, max_bytes=1)
    with pytest.raises(ToolError, match="too large"):
        files.replace("a", b"1", b"22")
    with pytest.raises(ToolError, match="too large"):
        files.create("b", b"22")


def test_a_read_only_file_is_not_taken_away(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "a").chmod(0o444)
    with pytest.raises(ToolError, match=r"Error: Permission denied\. Cannot write to file\."):
        DiskFiles(tmp_path).remove("a", b"1")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give files away")
def test_the_owner_is_kept_where_the_system_lets_us(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    os.chown(tmp_path / "a", 12345, 54321)
    DiskFiles(tmp_path).replace("a", b"1", b"2")
    found = (tmp_path / "a").stat()
    assert (found.st_uid, found.st_gid) == (12345, 54321)


def test_a_system_without_owners_and_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"1")
    monkeypatch.delattr(os, "fchown")
    monkeypatch.delattr(os, "fchmod")
    DiskFiles(tmp_path).replace("a", b"1", b"2")
    assert (tmp_path / "a").read_bytes() == b"2"


def test_a_name_that_goes_while_it_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(b"")

    class Going:
        def __init__(self, entry: os.DirEntry[str]) -> None:
            self.name = entry.name
            self._entry = entry

        def stat(self, *, follow_symlinks: bool) -> os.stat_result:
            if self.name == "a":
                raise FileNotFoundError
            return self._entry.stat(follow_symlinks=follow_symlinks)

    original = os.scandir

    class Scan:
        def __init__(self, where: int) -> None:
            self._inner = original(where)

        def __enter__(self) -> list[Going]:
            return [Going(entry) for entry in self._inner]

        def __exit__(self, *_: object) -> None:
            self._inner.close()

    monkeypatch.setattr(os, "scandir", Scan)
    assert DiskFiles(tmp_path).names("", 10) == [("b", "file")]


@pytest.mark.parametrize("content", [5, None, ["a"], object()])
def test_a_content_that_is_neither_text_nor_bytes_is_refused(content: Any) -> None:
    with pytest.raises(LocalProtocolError, match=r"its content has to be a str or bytes, not an? "):
        MemoryFiles({"a": content})
    assert MemoryFiles({"a": bytearray(b"x")}).contents == {"a": b"x"}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (({5: "x"},), "the path of a file is a str, not an int"),
        (({b"/a": "x"},), "the path of a file is a str, not a bytes"),
        (({"/a": "\ud800"},), "lone surrogate at character 0"),
        (([("/a", "x")],), "files must map paths to contents, not be a list"),
        (("abc",), "files must map paths to contents, not be a str"),
    ],
)
def test_files_in_memory_of_the_wrong_kind(arguments: Any, words: str) -> None:
    with pytest.raises(LocalProtocolError, match=words):
        MemoryFiles(*arguments)


@pytest.mark.parametrize("options", [{"name": 5}, {"max_bytes": "x"}, {"max_bytes": None}, {"max_bytes": True}])
def test_options_of_files_in_memory_of_the_wrong_kind(options: Any) -> None:
    with pytest.raises(LocalProtocolError):
        MemoryFiles({"/a": "x"}, **options)


@pytest.mark.skipif(os.name == "nt", reason="POSIX gives the lowest number that is free")
@pytest.mark.parametrize("descriptors", [True, False])
def test_no_descriptor_stays_open(tmp_path: Path, *, descriptors: bool) -> None:
    def lowest() -> int:
        handle = os.open(tmp_path, os.O_RDONLY)
        os.close(handle)
        return handle

    before = lowest()
    files = DiskFiles(tmp_path, descriptors=descriptors)
    files.create("d/a", b"1")
    files.replace("d/a", b"1", b"2")
    assert files.read("d/a") == b"".join(files.pieces("d/a")) == b"2"
    assert (files.kind("d/a"), files.kind("d/x/y")) == ("file", None)
    files.remove("d/a", b"2")
    assert files.names("d", 10) == []
    files.remove_folder("d")
    with pytest.raises(ToolError):
        files.read("d/a")
    assert lowest() == before
