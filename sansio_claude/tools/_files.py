"""Files: the little that the text editor needs of a file system; the same in memory; and the rules for paths.

A path from a model becomes a *place* first: the names from the root down, joined by slashes, "" for the root itself.
`place_of` makes it and is the only way in: no `..`, nothing absolute but what begins with the root's own name, no
backslash, no control character. What a place leads to (a link, a device, a folder moved meanwhile) is for the
implementation to find out, which therefore checks its places again.

Every method raises ToolError with words for the model; the functions below make them, so that all implementations
say the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal, Protocol, TypeAlias

from sansio_claude._copies import CopiedWhole
from sansio_claude._errors import LocalProtocolError, ToolError
from sansio_claude._value import an

__all__ = [
    "DEFAULT_MAX_BYTES",
    "Files",
    "Kind",
    "MemoryFiles",
    "changed_meanwhile",
    "encoded",
    "exists_already",
    "is_a_folder",
    "is_nameable",
    "name_too_long",
    "not_a_folder",
    "not_empty",
    "not_found",
    "parts_of",
    "place_of",
    "refused",
    "shown",
    "too_large",
]

Kind: TypeAlias = Literal["file", "folder", "link", "other"]

DEFAULT_MAX_BYTES: Final = 2 * 1024 * 1024
"""Bytes of the largest file that is edited or written, some 700,000 tokens. A view has a limit of its own, in
characters, and takes a file of any size where the implementation can give it in pieces."""

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_SHOWN: Final = 200
_LONGEST_NAME: Final = 255  # bytes of UTF-8: NAME_MAX of nearly every file system
_LONGEST_PATH: Final = 4096  # bytes of UTF-8: PATH_MAX of Linux; a longer one no other program could open by its path
_PIECE: Final = 1 << 16
# Names that Windows takes for devices, whatever their extension.
_RESERVED: Final = re.compile(r"(?i)(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:[ .].*)?\Z")


class Files(Protocol):
    """A tree of files below one root. Places are as `place_of` gives them; contents are whole, as bytes.

    An implementation may also have `pieces(place) -> Iterator[bytes]`, a file's content from its beginning in pieces
    of any size: then files are viewed whatever their size, in constant memory. And it may have
    `remove_folder(place)`, which takes away an empty folder and refuses every other: then undoing a `create` takes
    the folders away too that were made for the file.
    """

    @property
    def name(self) -> str:
        """The root's absolute path as the model writes it ("/repo"), without a slash at the end unless it is "/"."""
        ...

    def kind(self, place: str) -> Kind | None:
        """What is there; None for nothing."""
        ...

    def read(self, place: str) -> bytes:
        """The file's content."""
        ...

    def create(self, place: str, data: bytes) -> None:
        """Make a new file, and the folders above it that are missing; refuse where anything is there."""
        ...

    def replace(self, place: str, old: bytes, new: bytes) -> None:
        """Give a file that holds `old` the content `new`, in one step; refuse where it holds anything else."""
        ...

    def remove(self, place: str, old: bytes) -> None:
        """Take away a file that holds `old`; refuse where it holds anything else."""
        ...

    def names(self, place: str, limit: int) -> list[tuple[str, Kind]]:
        """The names in a folder with their kinds, in any order, at most `limit` of them."""
        ...


def shown(path: str) -> str:
    """A path as an error may quote it: bounded, and without characters that would break the line."""
    text = path if len(path) <= _SHOWN else path[:_SHOWN] + "..."
    return _CONTROL.sub(lambda match: ascii(match.group())[1:-1], text)


def not_found(path: str) -> ToolError:
    """Nothing is there."""
    return ToolError(f"Error: File not found: {shown(path)}. View the directory above it to see what is there.")


def refused(path: str, words: str) -> ToolError:
    """What is there, or the path itself, is not to be touched."""
    return ToolError(f"Error: Permission denied. {shown(path)} {words}")


def exists_already(path: str) -> ToolError:
    """Something is where a new file should be."""
    return ToolError(
        f"Error: File already exists: {shown(path)}. `create` does not overwrite; use `str_replace` or `insert`."
    )


def is_a_folder(path: str) -> ToolError:
    """A folder is where a file should be."""
    return ToolError(f"Error: {shown(path)} is a directory. Only `view` takes a directory.")


def not_a_folder(path: str) -> ToolError:
    """A file is where a folder should be."""
    return ToolError(f"Error: File not found: {shown(path)}. A part of the path is a file, not a directory.")


def name_too_long(path: str) -> ToolError:
    """A new file or folder has a name that the file system does not take."""
    return ToolError(f"Error: Cannot write to file: File name too long: {shown(path)}. Use a shorter name.")


def not_empty(path: str) -> ToolError:
    """A folder that is to be taken away has something in it."""
    return ToolError(f"Error: {shown(path)} is not empty.")


def changed_meanwhile(path: str) -> ToolError:
    """Somebody else wrote the file between our reading and our writing."""
    return ToolError(f"Error: {shown(path)} was changed by somebody else meanwhile. View it again, then edit it.")


def too_large(path: str, limit: int) -> ToolError:
    """More bytes than are read or written."""
    return ToolError(f"Error: {shown(path)} is too large to be edited or written whole: more than {limit} bytes.")


def is_nameable(place: str) -> bool:
    """Whether a path of a model can name the place: no backslash and no control character is in it."""
    return "\\" not in place and _CONTROL.search(place) is None


def place_of(path: str, root: str) -> str:
    """The place that a model's path names, relative to the root or absolute below the root's name.

    Raises ToolError for anything else. `..` is refused wherever it stands, also where it would stay inside. So is a
    path of more than 4,096 bytes.
    """
    if not path:
        raise ToolError("Error: The path is empty. Give the path of a file or directory below " + root + ".")
    if _size(path) > _LONGEST_PATH:
        raise ToolError(f"Error: The path is longer than {_LONGEST_PATH} bytes: {shown(path)}. Use a shorter path.")
    drive = _DRIVE.match(root)
    if drive:  # a root with a drive letter: Windows, where a backslash separates too
        path = path.replace("\\", "/")
        if path[: drive.end()].lower() == drive.group().lower():
            path = drive.group() + path[drive.end() :]
    elif "\\" in path:
        raise refused(path, "has a backslash in it. Separate the parts of a path with slashes.")
    if _CONTROL.search(path):
        raise refused(path, "has a control character in it.")
    names = [name for name in path.split("/") if name not in ("", ".")]
    if ".." in names:
        raise refused(path, "has '..' in it. Write the path from the root down.")
    if path.startswith("/") or (drive and _DRIVE.match(path)):
        above = [name for name in root.split("/") if name]
        if names[: len(above)] != above:
            raise refused(path, f"is outside of {root}, the only directory that can be used here.")
        names = names[len(above) :]
    return "/".join(names)


def _size(path: str) -> int:
    return len(path.encode("utf-8", "surrogatepass"))


def encoded(text: str) -> bytes:
    """The bytes of a new file. Raises ToolError where no file can hold the text."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ToolError(
            f"Error: The text has a lone surrogate at character {error.start}, which no file can hold."
        ) from None


def parts_of(place: str, *, windows: bool = False) -> list[str]:
    """The names of a place. Raises ToolError where it is none that `place_of` could have given.

    With `windows` the names that mean something else there are refused too: devices, streams, drives, and names
    with a dot or space at the end, which Windows drops.
    """
    if place == "":
        return []
    names = place.split("/")
    for name in names:
        if name in ("", ".", "..") or "\\" in name or _CONTROL.search(name):
            raise refused(place, "is not a path of names below the root.")
        if windows and (":" in name or name[-1] in ". " or _RESERVED.match(name)):
            raise refused(place, "has a name in it that Windows takes for something else.")
    return names


class MemoryFiles(CopiedWhole):
    """Files in memory: what the editor does, without a disk. For tests, previews, and files kept in a database.

    `files` maps paths to contents (str is written as UTF-8); `name` is the root's path as the model sees it. A name of
    more than 255 bytes is refused, as by nearly every disk.
    """

    def __init__(
        self,
        files: Mapping[str, str | bytes] | None = None,
        *,
        name: str = "/",
        max_bytes: int = DEFAULT_MAX_BYTES,
    ) -> None:
        self._name = root_name(name)
        if not isinstance(max_bytes, int) or isinstance(max_bytes, bool):
            raise LocalProtocolError(f"max_bytes must be a whole number, not {an(type(max_bytes).__name__)}")
        contents: object = files
        if not isinstance(contents, Mapping | None):
            words = f"files must map paths to contents, not be {an(type(contents).__name__)}"
            raise LocalProtocolError(words, path="files")
        self._max_bytes = max_bytes
        self._files: dict[str, bytes] = {}
        self._folders: set[str] = {""}
        for path, content in (files or {}).items():
            if not isinstance(path, str):
                raise LocalProtocolError(f"the path of a file is a str, not {an(type(path).__name__)}", path="files")
            if not isinstance(content, str | bytes | bytearray | memoryview):
                raise LocalProtocolError(
                    f"the file {shown(str(path))!r} cannot be made: its content has to be a str or bytes, not "
                    f"{an(type(content).__name__)}",
                    path="files",
                )
            try:
                data = encoded(content) if isinstance(content, str) else bytes(content)
                self.create(place_of(path, self._name), data)
            except ToolError as error:  # words for a model; this one is the program's own
                words = error.message.removeprefix("Error: ")
                raise LocalProtocolError(f"the file {shown(path)!r} cannot be made: {words}", path="files") from error

    def __repr__(self) -> str:
        return f"<MemoryFiles {self._name}, {len(self._files)} files>"

    @property
    def name(self) -> str:
        """The root's path as the model sees it."""
        return self._name

    @property
    def contents(self) -> dict[str, bytes]:
        """All files: places ("src/a.py") and their bytes. A copy."""
        return dict(self._files)

    def kind(self, place: str) -> Kind | None:
        """What is there; None for nothing."""
        self._above(place)
        if place in self._files:
            return "file"
        return "folder" if place in self._folders else None

    def read(self, place: str) -> bytes:
        """The file's content."""
        self._above(place)
        if place in self._folders:
            raise is_a_folder(self._path(place))
        if place not in self._files:
            raise not_found(self._path(place))
        data = self._files[place]
        self._bounded(place, data)
        return data

    def pieces(self, place: str) -> Iterator[bytes]:
        """The file's content in pieces, whatever its size."""
        self._above(place)
        if place in self._folders:
            raise is_a_folder(self._path(place))
        if place not in self._files:
            raise not_found(self._path(place))
        data = self._files[place]
        for start in range(0, len(data), _PIECE):
            yield data[start : start + _PIECE]

    def create(self, place: str, data: bytes) -> None:
        """Make a new file and the folders above it."""
        self._bounded(place, data)
        names = self._above(place)
        if place in self._files or place in self._folders:
            raise exists_already(self._path(place))
        if any(_size(name) > _LONGEST_NAME for name in names):
            raise name_too_long(self._path(place))
        self._folders.update("/".join(names[:count]) for count in range(1, len(names)))
        self._files[place] = data

    def replace(self, place: str, old: bytes, new: bytes) -> None:
        """Give a file that holds `old` the content `new`."""
        if self.read(place) != old:
            raise changed_meanwhile(self._path(place))
        self._bounded(place, new)
        self._files[place] = new

    def remove(self, place: str, old: bytes) -> None:
        """Take away a file that holds `old`."""
        if self.read(place) != old:
            raise changed_meanwhile(self._path(place))
        del self._files[place]

    def remove_folder(self, place: str) -> None:
        """Take away a folder with nothing in it."""
        if not place:
            raise refused(self._name, "is the root of all files.")
        if self.names(place, 1):
            raise not_empty(self._path(place))
        self._folders.remove(place)

    def names(self, place: str, limit: int) -> list[tuple[str, Kind]]:
        """The names in a folder with their kinds."""
        self._above(place)
        if place not in self._folders:
            raise not_a_folder(self._path(place)) if place in self._files else not_found(self._path(place))
        start = place + "/" if place else ""
        found: list[tuple[str, Kind]] = []
        for kind, names in (("folder", self._folders), ("file", self._files)):
            for other in names:
                inner = other.removeprefix(start)
                if other.startswith(start) and inner and "/" not in inner:
                    found.append((inner, "folder" if kind == "folder" else "file"))
        return found[:limit]

    def _above(self, place: str) -> list[str]:
        names = parts_of(place)
        for count in range(1, len(names)):
            if "/".join(names[:count]) in self._files:
                raise not_a_folder(self._path(place))
        return names

    def _path(self, place: str) -> str:
        return f"{self._name.rstrip('/')}/{place}" if place else self._name

    def _bounded(self, place: str, data: bytes) -> None:
        if len(data) > self._max_bytes:
            raise too_large(self._path(place), self._max_bytes)


def root_name(name: str) -> str:
    """A root's name in its one form: absolute, no slash at the end, no `.` or `..`. Raises LocalProtocolError."""
    if not isinstance(name, str):
        raise LocalProtocolError(f"the root's name is a str, not {an(type(name).__name__)}")
    path = name.replace("\\", "/") if _DRIVE.match(name) else name
    names = path.split("/")
    absolute = path.startswith("/") or _DRIVE.match(path)
    if not absolute or "." in names or ".." in names or _CONTROL.search(name):
        raise LocalProtocolError(f"the root's name {shown(name)!r} is no plain absolute path such as '/repo'")
    kept = "/".join(part for part in names if part)
    return kept if _DRIVE.match(path) else "/" + kept
