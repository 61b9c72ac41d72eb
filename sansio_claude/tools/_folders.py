"""Folder: one open folder of the disk, whose every call names a file in it and never a path.

Two kinds: by descriptor, where the system itself resolves a name in exactly this folder, and by path, for systems
that cannot (Windows), where `recheck` proves that the path still is a real folder that resolves to itself. Methods
raise OSError as the system does.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import Any, Final

from sansio_claude.tools._files import Kind

__all__ = ["HAS_DESCRIPTORS", "Folder", "is_reparse_point", "open_root", "take_after"]

_FOLDER: Final = (
    os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
)
HAS_DESCRIPTORS: Final = (
    {os.open, os.stat, os.mkdir, os.rmdir, os.unlink, os.rename, os.link} <= os.supports_dir_fd
    and os.scandir in os.supports_fd
    and hasattr(os, "O_NOFOLLOW")
    and hasattr(os, "O_DIRECTORY")
)


def open_root(path: str, *, descriptors: bool) -> Folder:
    """The folder at a real path."""
    if descriptors:
        return _OpenFolder(os.open(path, _FOLDER))
    folder = _NamedFolder(path)
    folder.recheck()
    return folder


class Folder:
    """One open folder: what both kinds have in common."""

    _handle: int | None = None

    def _at(self, name: str) -> str:
        """The name as the system's calls take it."""
        raise NotImplementedError

    def _here(self) -> dict[str, Any]:
        """The arguments of the system's calls that say which folder is meant."""
        return {}

    def _listed(self) -> int | str:
        """What `os.scandir` takes for this folder."""
        raise NotImplementedError

    def close(self) -> None:
        """Give back the descriptor."""

    def identity(self) -> tuple[int, int]:
        """The device and number of the folder."""
        raise NotImplementedError

    def recheck(self) -> None:
        """Raise NotADirectoryError where the folder is no longer what it was, if that can happen."""

    def below(self, name: str) -> Folder:
        """The folder `name` in this one. Raises NotADirectoryError also where it is a link."""
        raise NotImplementedError

    def make(self, name: str) -> bool:
        """Make the folder `name` in this one; False where something has that name already."""
        try:
            os.mkdir(self._at(name), **self._here())
        except FileExistsError:
            return False
        return True

    def stat(self, name: str) -> os.stat_result:
        """What is there, a link itself and not where it leads."""
        return os.stat(self._at(name), follow_symlinks=False, **self._here())

    def kind(self, name: str) -> Kind | None:
        """The kind of what is there; None for nothing."""
        try:
            found = self.stat(name)
        except FileNotFoundError:
            return None
        return _kind(found)

    def names(self, limit: int) -> list[tuple[str, Kind]]:
        """Up to `limit` names with their kinds."""
        found: list[tuple[str, Kind]] = []
        with os.scandir(self._listed()) as entries:
            for entry in entries:
                if len(found) == limit:
                    break
                try:
                    found.append((entry.name, _kind(entry.stat(follow_symlinks=False))))
                except FileNotFoundError:  # gone since
                    continue
        self.recheck()
        return found

    def open(self, name: str, flags: int, mode: int = 0o600) -> int:
        """A descriptor of a file in this folder."""
        return os.open(self._at(name), flags, mode, **self._here())

    def may_write(self, name: str) -> bool:
        """Whether the process may write the file as it is."""
        effective = {"effective_ids": True} if os.access in os.supports_effective_ids else {}
        return os.access(self._at(name), os.W_OK, **self._here(), **effective)

    def unlink(self, name: str) -> None:
        """Take a name away."""
        os.unlink(self._at(name), **self._here())

    def remove_folder(self, name: str) -> None:
        """Take an empty folder away."""
        os.rmdir(self._at(name), **self._here())

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, over whatever file had it."""
        os.replace(self._at(old), self._at(new), src_dir_fd=self._handle, dst_dir_fd=self._handle)

    def rename_new(self, old: str, new: str) -> None:
        """Give a file another name that nothing has. Raises FileExistsError where something does."""
        try:
            # A link is the one way to take a name only if it is free; the old name goes afterwards.
            os.link(
                self._at(old),
                self._at(new),
                src_dir_fd=self._handle,
                dst_dir_fd=self._handle,
                follow_symlinks=os.link not in os.supports_follow_symlinks,
            )
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links: take the name with an empty file, then rename over it
            os.close(self.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            self.rename(old, new)
        else:
            self.unlink(old)


class _OpenFolder(Folder):
    """A folder by its descriptor."""

    def __init__(self, handle: int) -> None:
        self._handle: int | None = handle

    def close(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def identity(self) -> tuple[int, int]:
        found = os.fstat(self._listed())
        return found.st_dev, found.st_ino

    def below(self, name: str) -> Folder:
        return _OpenFolder(os.open(name, _FOLDER, dir_fd=self._handle))

    def _at(self, name: str) -> str:
        return name

    def _here(self) -> dict[str, Any]:
        return {"dir_fd": self._handle}

    def _listed(self) -> int:
        assert self._handle is not None
        return self._handle


class _NamedFolder(Folder):
    """A folder by its path."""

    def __init__(self, path: str) -> None:
        self._path = path

    def identity(self) -> tuple[int, int]:
        found = os.stat(self._path, follow_symlinks=False)
        return found.st_dev, found.st_ino

    def recheck(self) -> None:
        found = os.stat(self._path, follow_symlinks=False)
        real = os.path.normcase(os.path.realpath(self._path)) == os.path.normcase(self._path)
        if not stat.S_ISDIR(found.st_mode) or is_reparse_point(found) or not real:
            raise NotADirectoryError

    def below(self, name: str) -> Folder:
        folder = _NamedFolder(self._at(name))
        folder.recheck()
        return folder

    def _at(self, name: str) -> str:
        return os.path.join(self._path, name)

    def _listed(self) -> str:
        return self._path


def take_after(handle: int, like: os.stat_result) -> None:
    """Give an open file the owner, group and mode bits of another, the first two where the system lets us."""
    mine = os.fstat(handle)
    if hasattr(os, "fchown") and (mine.st_uid, mine.st_gid) != (like.st_uid, like.st_gid):
        with contextlib.suppress(OSError):
            os.fchown(handle, like.st_uid, like.st_gid)
    if hasattr(os, "fchmod"):
        os.fchmod(handle, stat.S_IMODE(like.st_mode))


def is_reparse_point(found: os.stat_result) -> bool:
    """Whether it is a junction or another kind of Windows link."""
    flag: int = getattr(stat, "FILE_ATTRIBUTE_REPARSE_POINT", 0)
    return bool(getattr(found, "st_file_attributes", 0) & flag)


def _kind(found: os.stat_result) -> Kind:
    if stat.S_ISLNK(found.st_mode) or is_reparse_point(found):
        return "link"
    if stat.S_ISDIR(found.st_mode):
        return "folder"
    return "file" if stat.S_ISREG(found.st_mode) else "other"
