"""DiskFiles: the files of one folder of the disk, which no path can leave.

The rules:

- A place is gone down one name at a time, each folder opened relative to the one above by its descriptor and without
  following links, so that nothing that happens to the names meanwhile (a folder swapped for a link between a check and
  its use) leads anywhere else. Links are refused, also those that stay inside.
- The root is opened by the path it had at the beginning, and must still be the same folder.
- Only regular files are opened, and what was opened is looked at again; pipes, devices and sockets are not touched.
- A file with a second hard link may belong to somebody outside; it is refused unless `hard_links=True`.
- Writing makes a new file in the same folder and renames it over the old one: a reader sees the old or the new
  content, whole. Mode bits are kept; owner and group where the system lets us.

Where the system cannot open relative to a descriptor (Windows), each folder on the way is checked to be no link and
to resolve to itself, before and after. That leaves a short moment to a program that swaps folders on purpose.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn, Self

from sansio_claude._errors import LocalProtocolError, ToolError
from sansio_claude.tools._files import (
    DEFAULT_MAX_BYTES,
    Kind,
    changed_meanwhile,
    exists_already,
    is_a_folder,
    not_a_folder,
    not_found,
    parts_of,
    refused,
    root_name,
    too_large,
)

__all__ = ["DiskFiles"]

_WINDOWS: Final = os.name == "nt"
_READ: Final = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe put there meanwhile must not make us wait
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOINHERIT", 0)
)
_NEW: Final = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOINHERIT", 0)
)
_FOLDER: Final = (
    os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
)
_HAS_DESCRIPTORS: Final = (
    {os.open, os.stat, os.mkdir, os.unlink, os.rename, os.link} <= os.supports_dir_fd
    and os.scandir in os.supports_fd
    and hasattr(os, "O_NOFOLLOW")
    and hasattr(os, "O_DIRECTORY")
)
_DENIED: Final = (errno.EACCES, errno.EPERM, errno.EROFS)
_PIECE: Final = 1 << 20


class DiskFiles:
    """The files below the folder `root`, for the text editor. Blocking; safe to use from one thread at a time.

    `name` is the root's path as the model sees it (default: its real path); `max_bytes` the size of the largest
    file that is read or written. `hard_links=True` takes files that have a second name too, which may stand outside;
    `descriptors=False` goes the way of systems that cannot open relative to a folder. Raises LocalProtocolError where
    `root` is no folder, and for an empty one, which would be the current folder.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        name: str | None = None,
        max_bytes: int = DEFAULT_MAX_BYTES,
        hard_links: bool = False,
        descriptors: bool = _HAS_DESCRIPTORS,
    ) -> None:
        if not isinstance(root, str | os.PathLike) or not isinstance(os.fspath(root), str):
            raise LocalProtocolError(f"the root folder must be a str or a path of text, not {type(root).__name__}")
        if not os.fspath(root):
            raise LocalProtocolError('the root folder has no name; for the current folder say "."')
        try:
            self._root = Path(root).resolve(strict=True)
            found = self._root.stat()
        except OSError as error:
            raise LocalProtocolError(f"the root folder cannot be opened: {error.strerror}") from error
        except ValueError as error:
            raise LocalProtocolError("the root folder's name has a NUL in it") from error
        if not stat.S_ISDIR(found.st_mode):
            raise LocalProtocolError("the root is not a folder")
        self._identity = (found.st_dev, found.st_ino)
        self._name = root_name(name if name is not None else str(self._root))
        self._max_bytes = max_bytes
        self._hard_links = hard_links
        self._descriptors = descriptors and _HAS_DESCRIPTORS

    @property
    def name(self) -> str:
        """The root's path as the model sees it."""
        return self._name

    @property
    def root(self) -> Path:
        """The root's real path."""
        return self._root

    def kind(self, place: str) -> Kind | None:
        """What is there; None for nothing."""
        if not place:
            return "folder"
        try:
            with self._folder_of(place) as (folder, name):
                return folder.kind(name)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._fail(place, error, "read")

    def read(self, place: str) -> bytes:
        """The file's content."""
        try:
            with self._folder_of(place) as (folder, name):
                return self._read(folder, name, place)[0]
        except OSError as error:
            self._fail(place, error, "read")

    def create(self, place: str, data: bytes) -> None:
        """Make a new file, and the folders above it that are missing."""
        self._bounded(place, data)
        try:
            with self._folder_of(place, make=True) as (folder, name):
                if folder.kind(name) is not None:
                    raise exists_already(self._path(place))
                with self._temporary(folder, data, None) as temporary:
                    try:
                        folder.rename_new(temporary, name)
                    except FileExistsError:
                        raise exists_already(self._path(place)) from None
        except OSError as error:
            self._fail(place, error, "write to")

    def replace(self, place: str, old: bytes, new: bytes) -> None:
        """Give a file that holds `old` the content `new`, in one step."""
        try:
            with self._folder_of(place) as (folder, name):
                found = self._unchanged(folder, name, place, old)
                self._bounded(place, new)
                with self._temporary(folder, new, found) as temporary:
                    self._same(folder.stat(name), found, place)
                    folder.rename(temporary, name)
        except OSError as error:
            self._fail(place, error, "write to")

    def remove(self, place: str, old: bytes) -> None:
        """Take away a file that holds `old`."""
        try:
            with self._folder_of(place) as (folder, name):
                self._unchanged(folder, name, place, old)
                folder.unlink(name)
        except OSError as error:
            self._fail(place, error, "write to")

    def names(self, place: str, limit: int) -> list[tuple[str, Kind]]:
        """The names in a folder with their kinds, at most `limit` of them."""
        try:
            with self._open(self._parts(place), place) as folder:
                return folder.names(limit)
        except OSError as error:
            self._fail(place, error, "read")

    def _path(self, place: str) -> str:
        return f"{self._name.rstrip('/')}/{place}" if place else self._name

    def _parts(self, place: str) -> list[str]:
        return parts_of(place, windows=_WINDOWS)

    @contextlib.contextmanager
    def _folder_of(self, place: str, *, make: bool = False) -> Iterator[tuple[_Folder, str]]:
        """The folder that holds the place, open, and the place's own name in it."""
        names = self._parts(place)
        if not names:
            raise exists_already(self._path("")) if make else is_a_folder(self._path(""))
        with self._open(names[:-1], place, make=make) as folder:
            yield folder, names[-1]

    @contextlib.contextmanager
    def _open(self, names: list[str], place: str, *, make: bool = False) -> Iterator[_Folder]:
        folder = _Folder.root(str(self._root), descriptors=self._descriptors)
        try:
            if folder.identity() != self._identity:
                raise refused(self._name, "is no longer the directory that it was.")
            for name in names:
                try:
                    below = folder.below(name, make=make)
                except NotADirectoryError:
                    # A link, too, is "not a directory" to a system that is told not to follow links.
                    if folder.kind(name) == "link":
                        raise refused(self._path(place), "leads through a link; links are not followed.") from None
                    raise not_a_folder(self._path(place)) from None
                folder.close()
                folder = below
            yield folder
        finally:
            folder.close()

    def _read(self, folder: _Folder, name: str, place: str) -> tuple[bytes, os.stat_result]:
        """A regular file's content, and what it was when it was opened."""
        path = self._path(place)
        self._regular(folder.stat(name), path)
        handle = folder.open(name, _READ)
        try:
            found = os.fstat(handle)
            self._regular(found, path)
            if found.st_size > self._max_bytes:
                raise too_large(path, self._max_bytes)
            pieces: list[bytes] = []
            size = 0
            while piece := os.read(handle, min(_PIECE, self._max_bytes + 1 - size)):
                pieces.append(piece)
                size += len(piece)
                if size > self._max_bytes:  # it grew, or its size was not told (as in /proc)
                    raise too_large(path, self._max_bytes)
        finally:
            os.close(handle)
        folder.recheck()
        return b"".join(pieces), found

    def _regular(self, found: os.stat_result, path: str) -> None:
        if stat.S_ISDIR(found.st_mode):
            raise is_a_folder(path)
        if stat.S_ISLNK(found.st_mode) or _Folder.is_reparse_point(found):
            raise refused(path, "is a link; links are not followed.")
        if not stat.S_ISREG(found.st_mode):
            raise refused(path, "is no regular file but a device, a pipe or a socket.")
        if found.st_nlink > 1 and not self._hard_links:
            raise refused(path, "has more than one hard link, so that it may be a file from outside.")

    def _unchanged(self, folder: _Folder, name: str, place: str, old: bytes) -> os.stat_result:
        data, found = self._read(folder, name, place)
        if data != old:
            raise changed_meanwhile(self._path(place))
        if not found.st_mode & 0o222 or not folder.may_write(name):
            raise PermissionError(errno.EACCES, "read-only")
        return found

    def _same(self, now: os.stat_result, then: os.stat_result, place: str) -> None:
        if (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns) != (
            then.st_dev,
            then.st_ino,
            then.st_size,
            then.st_mtime_ns,
        ):
            raise changed_meanwhile(self._path(place))

    @contextlib.contextmanager
    def _temporary(self, folder: _Folder, data: bytes, like: os.stat_result | None) -> Iterator[str]:
        """A new file with `data` in the folder, by its name; taken away again unless it was renamed."""
        name = f".{os.urandom(8).hex()}.tmp"
        # A new file gets the mode that the process's mask allows; a copy is private until it has its own.
        handle = folder.open(name, _NEW, 0o666 if like is None else 0o600)
        try:
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(handle, rest[:_PIECE]) :]
                if like is not None:
                    _Folder.take_after(handle, like)
                os.fsync(handle)
            finally:
                os.close(handle)
            folder.recheck()
            yield name
        finally:
            with contextlib.suppress(FileNotFoundError):
                folder.unlink(name)

    def _bounded(self, place: str, data: bytes) -> None:
        if len(data) > self._max_bytes:
            raise too_large(self._path(place), self._max_bytes)

    def _fail(self, place: str, error: OSError, verb: str) -> NoReturn:
        """Put an OSError into words. Its own text may hold the root's real path, so only the system's word is used."""
        path = self._path(place)
        if isinstance(error, FileNotFoundError):
            raise not_found(path) from error
        if isinstance(error, NotADirectoryError):
            raise not_a_folder(path) from error
        if error.errno == errno.ELOOP:
            raise refused(path, "is a link; links are not followed.") from error
        if error.errno in _DENIED:
            raise ToolError(f"Error: Permission denied. Cannot {verb} file.") from error
        raise ToolError(f"Error: Cannot {verb} file: {error.strerror or 'input/output error'}.") from error


class _Folder:
    """One open folder. Every call names a file in it, never a path.

    With a descriptor the system itself resolves the name in exactly this folder; without one the folder's path is
    used, and `recheck` proves that it still is a real folder that resolves to itself.
    Methods raise OSError as the system does.
    """

    def __init__(self, path: str, handle: int | None) -> None:
        self._path = path
        self._handle = handle

    @classmethod
    def root(cls, path: str, *, descriptors: bool) -> Self:
        """The folder at a real path."""
        if descriptors:
            return cls(path, os.open(path, _FOLDER))
        folder = cls(path, None)
        folder.recheck()
        return folder

    def close(self) -> None:
        """Give back the descriptor."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def identity(self) -> tuple[int, int]:
        """The device and number of the folder."""
        found = os.stat(self._path, follow_symlinks=False) if self._handle is None else os.fstat(self._handle)
        return found.st_dev, found.st_ino

    def recheck(self) -> None:
        """Without descriptors: raise NotADirectoryError where the path is no longer a real folder."""
        if self._handle is None:
            found = os.stat(self._path, follow_symlinks=False)
            real = os.path.normcase(os.path.realpath(self._path)) == os.path.normcase(self._path)
            if not stat.S_ISDIR(found.st_mode) or self.is_reparse_point(found) or not real:
                raise NotADirectoryError

    def below(self, name: str, *, make: bool = False) -> Self:
        """The folder `name` in this one; made where it is missing and `make` says so.

        Raises NotADirectoryError also where it is a link.
        """
        if make:
            with contextlib.suppress(FileExistsError):
                os.mkdir(self._at(name), **self._here())
        if self._handle is not None:
            return type(self)("", os.open(name, _FOLDER, dir_fd=self._handle))
        folder = type(self)(self._at(name), None)
        folder.recheck()
        return folder

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
        with os.scandir(self._path if self._handle is None else self._handle) as entries:
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

    @staticmethod
    def take_after(handle: int, like: os.stat_result) -> None:
        """Give an open file the owner, group and mode bits of another, the first two where the system lets us."""
        mine = os.fstat(handle)
        if hasattr(os, "fchown") and (mine.st_uid, mine.st_gid) != (like.st_uid, like.st_gid):
            with contextlib.suppress(OSError):
                os.fchown(handle, like.st_uid, like.st_gid)
        if hasattr(os, "fchmod"):
            os.fchmod(handle, stat.S_IMODE(like.st_mode))

    @staticmethod
    def is_reparse_point(found: os.stat_result) -> bool:
        """Whether it is a junction or another kind of Windows link."""
        flag: int = getattr(stat, "FILE_ATTRIBUTE_REPARSE_POINT", 0)
        return bool(getattr(found, "st_file_attributes", 0) & flag)

    def _at(self, name: str) -> str:
        return name if self._handle is not None else os.path.join(self._path, name)

    def _here(self) -> dict[str, Any]:
        return {} if self._handle is None else {"dir_fd": self._handle}


def _kind(found: os.stat_result) -> Kind:
    if stat.S_ISLNK(found.st_mode) or _Folder.is_reparse_point(found):
        return "link"
    if stat.S_ISDIR(found.st_mode):
        return "folder"
    return "file" if stat.S_ISREG(found.st_mode) else "other"
