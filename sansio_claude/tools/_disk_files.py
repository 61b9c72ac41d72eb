"""DiskFiles: the files of one folder of the disk, which no path can leave.

The rules:

- A place is gone down one name at a time, each folder opened relative to the one above by its descriptor and without
  following links, so that nothing that happens to the names meanwhile (a folder swapped for a link between a check and
  its use) leads anywhere else. Links are refused, also those that stay inside.
- The root is opened by the path it had at the beginning, and must still be the same folder.
- Only regular files are opened, and what was opened is looked at again; pipes, devices and sockets are not touched.
- A file with a second hard link may belong to somebody outside; it is refused unless `hard_links=True`. Then it is
  written in place, so that its other names see the edit too.
- Every other write makes a new file in the same folder and renames it over the old one: a reader sees the old or the
  new content, whole. Mode bits, owner, group and extended attributes (access lists among them) are kept; where the
  system does not let us, and for a file that is a mount of its own, the edit is refused with words.

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
from typing import Final, NoReturn

from sansio_claude._errors import LocalProtocolError, ToolError
from sansio_claude.tools._files import (
    DEFAULT_MAX_BYTES,
    Kind,
    changed_meanwhile,
    exists_already,
    is_a_folder,
    name_too_long,
    not_a_folder,
    not_empty,
    not_found,
    parts_of,
    refused,
    root_name,
    shown,
    too_large,
)
from sansio_claude.tools._folders import HAS_DESCRIPTORS, Folder, is_reparse_point, open_root, take_after

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
_OVER: Final = os.O_WRONLY | _READ  # O_RDONLY is 0 wherever O_NOFOLLOW is known
_NEW: Final = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOINHERIT", 0)
)
_DENIED: Final = (errno.EACCES, errno.EPERM, errno.EROFS)
_NOTHING: Final = (errno.ENOENT, errno.ENAMETOOLONG)  # no file has a name that the file system does not take
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
        descriptors: bool = HAS_DESCRIPTORS,
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
        self._descriptors = descriptors and HAS_DESCRIPTORS

    def __repr__(self) -> str:
        return f"<DiskFiles {self._name}>"

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
        except OSError as error:
            if error.errno in _NOTHING:
                return None
            self._fail(place, error, "read")

    def read(self, place: str) -> bytes:
        """The file's content."""
        try:
            with self._folder_of(place) as (folder, name):
                return self._read(folder, name, place)[0]
        except OSError as error:
            self._fail(place, error, "read")

    def pieces(self, place: str) -> Iterator[bytes]:
        """The file's content in pieces, whatever its size, in constant memory."""
        try:
            with self._folder_of(place) as (folder, name):
                self._regular(folder.stat(name), self._path(place))
                handle = folder.open(name, _READ)
                try:
                    self._regular(os.fstat(handle), self._path(place))
                    folder.recheck()
                    while piece := os.read(handle, _PIECE):
                        yield piece
                finally:
                    os.close(handle)
        except OSError as error:
            self._fail(place, error, "read")

    def create(self, place: str, data: bytes) -> None:
        """Make a new file, and the folders above it that are missing."""
        self._bounded(place, data)
        made: list[str] = []
        try:
            self._create(place, data, made)
        except BaseException:  # no folder stays for a file that was not made, whatever went wrong
            for folder in reversed(made):
                with contextlib.suppress(ToolError):
                    self.remove_folder(folder)
            raise

    def _create(self, place: str, data: bytes, made: list[str]) -> None:
        try:
            with self._folder_of(place, made) as (folder, name):
                if folder.kind(name) is not None:
                    raise exists_already(self._path(place))
                with self._temporary(folder, data, None) as temporary:
                    try:
                        folder.rename_new(temporary, name)
                    except FileExistsError:
                        raise exists_already(self._path(place)) from None
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                raise name_too_long(self._path(place)) from error
            self._fail(place, error, "write to")

    def replace(self, place: str, old: bytes, new: bytes) -> None:
        """Give a file that holds `old` the content `new`, in one step."""
        try:
            with self._folder_of(place) as (folder, name):
                found = self._unchanged(folder, name, place, old)
                self._bounded(place, new)
                if found.st_nlink > 1:
                    self._write_in_place(folder, name, place, found, new)
                    return
                with self._temporary(folder, new, found) as temporary:
                    self._carry_over(folder, name, temporary, found, place)
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

    def remove_folder(self, place: str) -> None:
        """Take away a folder with nothing in it."""
        path = self._path(place)
        if not place:
            raise refused(path, "is the root of all files.")
        try:
            with self._folder_of(place) as (folder, name):
                kind = folder.kind(name)
                if kind != "folder":
                    raise not_found(path) if kind is None else not_a_folder(path)
                folder.recheck()
                folder.remove_folder(name)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                raise not_empty(path) from error
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
    def _folder_of(self, place: str, made: list[str] | None = None) -> Iterator[tuple[Folder, str]]:
        """The folder that holds the place, open, and the place's own name in it.

        Into `made` go the folders that had to be made; without it none is made.
        """
        names = self._parts(place)
        if not names:
            raise is_a_folder(self._path("")) if made is None else exists_already(self._path(""))
        with self._open(names[:-1], place, made) as folder:
            yield folder, names[-1]

    @contextlib.contextmanager
    def _open(self, names: list[str], place: str, made: list[str] | None = None) -> Iterator[Folder]:
        folder = open_root(str(self._root), descriptors=self._descriptors)
        try:
            if folder.identity() != self._identity:
                raise refused(self._name, "is no longer the directory that it was.")
            for count, name in enumerate(names, 1):
                try:
                    if made is not None and folder.make(name):
                        made.append("/".join(names[:count]))
                    below = folder.below(name)
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

    def _read(self, folder: Folder, name: str, place: str) -> tuple[bytes, os.stat_result]:
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
        if stat.S_ISLNK(found.st_mode) or is_reparse_point(found):
            raise refused(path, "is a link; links are not followed.")
        if not stat.S_ISREG(found.st_mode):
            raise refused(path, "is no regular file but a device, a pipe or a socket.")
        if found.st_nlink > 1 and not self._hard_links:
            raise refused(path, "has more than one hard link, so that it may be a file from outside.")

    def _unchanged(self, folder: Folder, name: str, place: str, old: bytes) -> os.stat_result:
        data, found = self._read(folder, name, place)
        if data != old:
            raise changed_meanwhile(self._path(place))
        if not found.st_mode & 0o222 or not folder.may_write(name):
            raise PermissionError(errno.EACCES, "read-only")
        return found

    def _write_in_place(self, folder: Folder, name: str, place: str, found: os.stat_result, new: bytes) -> None:
        """Write over a file that has other names too: a new file under this name would cut it off from them."""
        handle = folder.open(name, _OVER)
        try:
            self._same(os.fstat(handle), found, place)
            _write(handle, new)
            os.ftruncate(handle, len(new))
            os.fsync(handle)
        finally:
            os.close(handle)

    def _carry_over(self, folder: Folder, name: str, temporary: str, found: os.stat_result, place: str) -> None:
        """Give the copy what belongs to the file beside its content; refuse, with words, what cannot be given."""
        now = folder.stat(temporary)
        if hasattr(os, "fchown") and (now.st_uid, now.st_gid) != (found.st_uid, found.st_gid):
            raise refused(self._path(place), "belongs to another user or group, which an edited file would not.")
        if not hasattr(os, "listxattr"):
            return
        old, new = folder.open(name, _READ), folder.open(temporary, _READ)
        try:
            for attribute in os.listxattr(old):
                value = os.getxattr(old, attribute)
                try:
                    if attribute not in os.listxattr(new) or os.getxattr(new, attribute) != value:
                        os.setxattr(new, attribute, value)
                except OSError:
                    words = f"has the extended attribute {shown(attribute)}, which an edited file would not have."
                    raise refused(self._path(place), words) from None
        finally:
            os.close(old)
            os.close(new)

    def _same(self, now: os.stat_result, then: os.stat_result, place: str) -> None:
        if (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns) != (
            then.st_dev,
            then.st_ino,
            then.st_size,
            then.st_mtime_ns,
        ):
            raise changed_meanwhile(self._path(place))

    @contextlib.contextmanager
    def _temporary(self, folder: Folder, data: bytes, like: os.stat_result | None) -> Iterator[str]:
        """A new file with `data` in the folder, by its name; taken away again unless it was renamed."""
        name = f".{os.urandom(8).hex()}.tmp"
        # A new file gets the mode that the process's mask allows; a copy is private until it has its own.
        handle = folder.open(name, _NEW, 0o666 if like is None else 0o600)
        try:
            try:
                _write(handle, data)
                if like is not None:
                    take_after(handle, like)
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
        if error.errno in _NOTHING:
            raise not_found(path) from error
        if isinstance(error, NotADirectoryError):
            raise not_a_folder(path) from error
        if error.errno == errno.ELOOP:
            raise refused(path, "is a link; links are not followed.") from error
        if error.errno in (errno.EBUSY, errno.EXDEV):
            raise refused(path, "is a mount of its own, which can be viewed but not replaced.") from error
        if error.errno in _DENIED:
            raise ToolError(f"Error: Permission denied. Cannot {verb} file.") from error
        raise ToolError(f"Error: Cannot {verb} file: {error.strerror or 'input/output error'}.") from error


def _write(handle: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest[:_PIECE]) :]
