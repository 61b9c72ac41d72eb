"""Nobody gets out of the root: not by a path, a link, a device, a race, or a trick of encoding (G2)."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sansio_claude._errors import LocalProtocolError, ToolError
from sansio_claude.tools import DiskFiles, MemoryFiles, TextEditor, _folders
from sansio_claude.tools._files import parts_of, place_of

SECRET = "the secret outside"


@pytest.fixture(params=[True, False], ids=["descriptors", "paths"])
def editor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TextEditor]:
    """An editor over tmp_path/root, beside which there are things not to be touched."""
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "inside").write_text("inside\n")
    (root / "sub" / "inside").write_text("inside\n")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text(SECRET)
    (tmp_path / "root-2").mkdir()
    (tmp_path / "root-2" / "secret").write_text(SECRET)
    (tmp_path / "secret").write_text(SECRET)
    before = snapshot(tmp_path)
    yield TextEditor(DiskFiles(root, descriptors=request.param), version="text_editor_20250124")
    assert snapshot(tmp_path) == before, "something outside was changed"


def snapshot(tmp_path: Path) -> dict[str, Any]:
    return {
        str(file.relative_to(tmp_path)): (file.lstat().st_ino, file.is_file() and file.read_bytes())
        for file in tmp_path.rglob("*")
        if not file.is_relative_to(tmp_path / "root")
    }


def all_refused(editor: TextEditor, path: str) -> None:
    """Every command fails on the path, and no answer holds anything from outside."""
    for more in (
        {"command": "view"},
        {"command": "view", "view_range": [1, 1]},
        {"command": "create", "file_text": "written"},
        {"command": "str_replace", "old_str": "secret", "new_str": "written"},
        {"command": "insert", "insert_line": 0, "insert_text": "written"},
        {"command": "undo_edit"},
    ):
        result = editor.call({"path": path, **more})
        assert result.is_error, (path, more, result)
        assert SECRET not in str(result.content)


# Paths: what a model can write. {tmp} is the folder above the root, which is {tmp}/root.
BY_PATH = {
    "dot dot": "../secret",
    "dot dot to a folder": "..",
    "dot dot in the middle": "sub/../../secret",
    "dot dot that stays inside": "sub/../inside",
    "dot dot behind a missing folder": "missing/../../secret",
    "dot dot many times": "../" * 40 + "etc/passwd",
    "dot dot with a slash at the end": "../secret/",
    "dot dot with dots between": "./../secret",
    "dot dot with double slashes": "sub//..//..//secret",
    "absolute": "/etc/passwd",
    "absolute, the root of all": "/",
    "absolute, the folder above": "{tmp}",
    "absolute, a neighbour": "{tmp}/outside/secret",
    "absolute, a neighbour whose name begins like the root's": "{tmp}/root-2/secret",
    "absolute, the root's name without its end": "{tmp}/roo",
    "absolute by dot dot": "{tmp}/root/../secret",
    "absolute by dot dot and back": "{tmp}/root/../root/../secret",
    "absolute with two slashes": "//etc/passwd",
    "absolute below the root's name twice": "{tmp}/outside{tmp}/root/inside",
    "the root's name in capitals": "{upper}/inside",
    "a device": "/dev/zero",
    "the process's own descriptors": "/proc/self/fd/0",
    "the process's own root": "/proc/self/root/etc/passwd",
    "backslashes": "..\\secret",
    "backslashes between slashes": "sub/..\\..\\secret",
    "a backslash alone": "\\etc\\passwd",
    "a UNC path": "\\\\host\\share\\secret",
    "a drive and backslashes": "C:\\Windows\\win.ini",
    "a NUL that ends the name for C": "inside\0/../../secret",
    "a NUL behind dot dot": "..\0/secret",
    "a newline": "..\n/secret",
    "a delete character": "..\x7f/secret",
    "a lone surrogate that stands for a byte": "\udc2e\udc2e/secret",
    "an overlong dot, as surrogates": "\udcc0\udcae\udcc0\udcae/secret",
    "a line separator": "\u2028../secret",
    "nothing": "",
}


@pytest.mark.parametrize("path", BY_PATH.values(), ids=BY_PATH.keys())
def test_no_path_leads_out(editor: TextEditor, tmp_path: Path, path: str) -> None:
    root = str(tmp_path / "root")
    all_refused(editor, path.format(tmp=tmp_path, upper=root.upper()))


# Paths that name something inside the root, however they look: there is nothing there, and nothing outside either.
INSIDE = {
    "a home folder": "~/secret",
    "a variable": "$HOME/secret",
    "percent signs": "%2e%2e/secret",
    "percent signs twice": "%252e%252e%252fsecret",
    "a URL": "file:///etc/passwd",
    "full-width dots": "．．/secret",
    "one dot leader": "․․/secret",
    "three dots": ".../secret",
    "dots and a space": ".. /secret",
    "a dot dot with a combining mark": "..\u0301/secret",
    "a slash that is none": "..∕secret",
    "a right-to-left mark": "\u202e../secret",
    "a glob": "*/secret",
    "braces": "{..,.}/secret",
    "a command": "$(cat ../secret)",
    "a stream of Windows": "inside::$DATA",
}


@pytest.mark.parametrize("path", INSIDE.values(), ids=INSIDE.keys())
def test_a_path_that_only_looks_like_leading_out_stays_inside(editor: TextEditor, tmp_path: Path, path: str) -> None:
    for more in ({"command": "view"}, {"command": "str_replace", "old_str": "s"}):
        result = editor.call({"path": path, **more})
        assert result.is_error
        assert str(result.content).startswith("Error: File not found")
    done = editor.call({"command": "create", "path": path + "-new", "file_text": "x"})
    assert not done.is_error
    created = list((tmp_path / "root").rglob("*-new"))
    assert len(created) == 1
    assert created[0].read_text() == "x"


# Links and special files: what may lie in the folder already. Each function puts "it" into the root.
def _link(to: str) -> Callable[[Path], None]:
    return lambda root: (root / "it").symlink_to(to.format(tmp=root.parent))


def _socket(root: Path) -> None:
    with socket.socket(socket.AF_UNIX) as peer:
        here = os.getcwd()
        os.chdir(root)  # a socket's path may have 107 bytes
        try:
            peer.bind("it")
        finally:
            os.chdir(here)


def _device(root: Path) -> None:
    try:
        os.mknod(root / "it", 0o600 | 0o020000, os.makedev(1, 5))  # /dev/zero
    except PermissionError:
        pytest.skip("needs the right to make devices")


def _chain(root: Path) -> None:
    (root / "one").symlink_to("two")
    (root / "two").symlink_to("../secret")
    (root / "it").symlink_to("one")


LYING_THERE: dict[str, Callable[[Path], None]] = {
    "a link to a file outside": _link("../secret"),
    "an absolute link to a file outside": _link("{tmp}/secret"),
    "a link to a file inside": _link("inside"),
    "a link to a folder outside": _link("../outside"),
    "a link to the folder above": _link(".."),
    "a link to the root of all": _link("/"),
    "a link to nothing outside": _link("../not-there"),
    "a link to itself": _link("it"),
    "a chain of links": _chain,
    "a link to /proc/self/root": _link("/proc/self/root"),
    "a link to a descriptor": _link("/proc/self/fd/0"),
    "a link to a device": _link("/dev/zero"),
    "a hard link to a file outside": lambda root: os.link(root.parent / "secret", root / "it"),
    "a pipe": lambda root: os.mkfifo(root / "it"),
    "a socket": _socket,
    "a device": _device,
}


@pytest.mark.parametrize("make", LYING_THERE.values(), ids=LYING_THERE.keys())
def test_nothing_that_lies_in_the_root_leads_out(
    editor: TextEditor, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    root = tmp_path / "root"
    make(root)
    for path in ("it", f"{root}/it", "./it"):
        all_refused(editor, path)
    for path in ("it/secret", "it/outside/secret", "it/etc/passwd", "it/new"):
        all_refused(editor, path)
    listing = editor.run({"command": "view", "path": "."})
    assert SECRET not in listing
    assert "secret" not in listing


def test_hard_links_can_be_allowed(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "store").write_text("stored")
    os.link(tmp_path / "store", tmp_path / "root" / "it")
    files = DiskFiles(tmp_path / "root", hard_links=True)
    files.replace("it", b"stored", b"new")
    assert (tmp_path / "root" / "it").read_text() == "new"
    assert (tmp_path / "store").read_text() == "new"  # it is the same file, and stays that
    files.replace("it", b"new", b"")
    assert (tmp_path / "store").read_text() == ""
    assert os.stat(tmp_path / "store").st_nlink == 2
    with pytest.raises(ToolError, match="has more than one hard link"):
        DiskFiles(tmp_path / "root").replace("it", b"", b"x")


def test_the_root_itself_swapped_for_a_link(editor: TextEditor, tmp_path: Path) -> None:
    root = tmp_path / "root"
    aside = root.rename(tmp_path / "root-3")
    root.symlink_to(tmp_path / "outside")
    try:
        all_refused(editor, "secret")
        root.unlink()
        (tmp_path / "outside").rename(root)
        try:
            all_refused(editor, "secret")
            assert "no longer the directory that it was" in str(
                editor.call({"command": "view", "path": "secret"}).content
            )
        finally:
            root.rename(tmp_path / "outside")
    finally:
        aside.rename(root)


@pytest.mark.parametrize("place", ["..", "../secret", "a/../../secret", "/etc/passwd", "a//b", "a/./b", "a\\b", "\0"])
def test_the_files_themselves_take_only_places(tmp_path: Path, place: str) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "secret").write_text(SECRET)
    sources: list[DiskFiles | MemoryFiles] = [DiskFiles(tmp_path / "root"), MemoryFiles()]
    for files in sources:
        attempts: list[Callable[[], object]] = [
            functools.partial(files.read, place),
            functools.partial(files.kind, place),
            functools.partial(files.names, place, 10),
            functools.partial(files.create, place, b""),
            functools.partial(files.replace, place, SECRET.encode(), b""),
            functools.partial(files.remove, place, SECRET.encode()),
            functools.partial(files.remove_folder, place),
        ]
        for attempt in attempts:
            with pytest.raises(ToolError, match="Error: Permission denied"):
                attempt()
    assert (tmp_path / "secret").read_text() == SECRET


@pytest.mark.parametrize(
    "name", ["con", "NUL", "Com1", "LPT9.txt", "aux .c", "CONIN$", "a:b", "C:", "x.", "x ", "inside::$DATA"]
)
def test_names_that_windows_takes_for_something_else(name: str) -> None:
    with pytest.raises(ToolError, match="Windows takes for something else"):
        parts_of(f"sub/{name}", windows=True)
    assert parts_of("sub/console.txt", windows=True) == ["sub", "console.txt"]


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("C:\\repo\\src\\a.py", "src/a.py"),
        ("c:/repo/a.py", "a.py"),
        ("src\\a.py", "src/a.py"),
        ("C:/other/a.py", None),
        ("D:/repo/a.py", None),
        ("C:\\repo\\..\\other", None),
        ("\\\\host\\share", None),
    ],
)
def test_paths_below_a_root_with_a_drive(path: str, place: str | None) -> None:
    if place is None:
        with pytest.raises(ToolError, match="Permission denied"):
            place_of(path, "C:/repo")
    else:
        assert place_of(path, "C:/repo") == place


def test_a_root_named_by_a_slash_takes_every_absolute_path() -> None:
    assert place_of("/etc/passwd", "/") == "etc/passwd"
    with pytest.raises(LocalProtocolError):
        MemoryFiles(name="../up")


def test_a_race_of_links_for_a_folder(tmp_path: Path) -> None:
    """A folder swapped for a link outside and back while commands run: they fail or stay inside, every time."""
    _race(tmp_path, inner="sub", target=tmp_path / "outside", path="sub/file", rounds=400)


def test_a_race_of_links_for_a_file(tmp_path: Path) -> None:
    """A file swapped for a link outside and back while commands run."""
    _race(tmp_path, inner="file", target=tmp_path / "outside" / "file", path="file", rounds=400)


def _race(tmp_path: Path, *, inner: str, target: Path, path: str, rounds: int) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (root, outside, root / "sub"):
        folder.mkdir()
    for file in (root / "sub" / "file", root / "file"):
        file.write_text("inside\n")
    (outside / "file").write_text(SECRET)
    editor = TextEditor(DiskFiles(root, name="/repo"))
    over = threading.Event()

    def swap() -> None:
        real, aside, link = root / inner, root / "aside", root / "link"
        while not over.is_set():
            try:
                link.symlink_to(target)
                real.rename(aside)
                link.rename(real)
                real.unlink()
                aside.rename(real)
            except OSError:  # a command came between: put back what was there
                while aside.exists() or link.is_symlink() or real.is_symlink():
                    with contextlib.suppress(OSError):
                        _put_back(real, aside, link)

    swapper = threading.Thread(target=swap)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # so that the threads really come between each other
    swapper.start()
    failed = 0
    try:
        for number in range(rounds):
            for more in (
                {"command": "view"},
                {"command": "str_replace", "old_str": "the secret", "new_str": "written"},
                {"command": "insert", "insert_line": 0, "insert_text": ""},
                {"command": "create", "path": f"{inner}/new{number}", "file_text": "x"},
            ):
                result = editor.call({"path": path, **more})
                failed += result.is_error
                assert SECRET not in str(result.content)
    finally:
        over.set()
        swapper.join()
        sys.setswitchinterval(interval)
    assert sorted(os.listdir(outside)) == ["file"]
    assert (outside / "file").read_text() == SECRET
    assert failed > 0


def _put_back(real: Path, aside: Path, link: Path) -> None:
    for leftover in (link, real):
        if leftover.is_symlink():
            leftover.unlink()
    if aside.exists():
        if real.is_dir():
            shutil.rmtree(real)
        aside.replace(real)


def test_a_file_swapped_between_looking_and_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same races, each at its worst moment: right before a file is opened."""
    (tmp_path / "secret").write_text(SECRET)
    root = tmp_path / "root"
    root.mkdir()
    swaps: dict[str, Callable[[Path], None]] = {
        "link": lambda file: file.symlink_to("../secret"),
        "pipe": os.mkfifo,
        "hard link": lambda file: os.link(tmp_path / "secret", file),
        "folder": lambda file: file.mkdir(),
        "nothing": lambda file: None,
    }
    for make in swaps.values():
        file = root / "file"
        original = _folders.Folder.open

        def opening(self: Any, name: str, *args: Any, _make: Any = make, _open: Any = original) -> int:
            if name == "file":
                (root / "file").unlink()
                _make(root / "file")
            handle: int = _open(self, name, *args)
            return handle

        reads: list[Callable[[], object]] = [
            lambda: DiskFiles(root).read("file"),
            lambda: b"".join(DiskFiles(root).pieces("file")),
        ]
        for read in reads:
            file.write_text("inside")
            monkeypatch.setattr(_folders.Folder, "open", opening)
            with pytest.raises(ToolError, match="Error: ") as caught:
                read()
            assert SECRET not in str(caught.value)
            monkeypatch.setattr(_folders.Folder, "open", original)
            if file.is_dir() and not file.is_symlink():
                file.rmdir()
            else:
                file.unlink(missing_ok=True)


def test_a_folder_swapped_without_descriptors_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text(SECRET)
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "file").write_text("inside")
    original = _folders.Folder.open

    def opening(self: Any, name: str, *args: Any) -> int:
        (root / "sub").rename(root / "aside")
        (root / "sub").symlink_to(tmp_path / "outside")
        handle: int = original(self, name, *args)
        return handle

    monkeypatch.setattr(_folders.Folder, "open", opening)
    with pytest.raises(ToolError, match="Error: ") as caught:
        DiskFiles(root, descriptors=False).read("sub/file")
    assert SECRET not in str(caught.value)
