"""What `view` shows: the lines of a file of any size in constant memory, and a directory level by level.

A file is read piece by piece; only the lines that are asked for are kept, and of them no more than a view may have.
`view` in `_text_edits` is the plain twin for a file that is in memory; a test holds them equal for every chunking.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import attrs

from sansio_claude._errors import ToolError
from sansio_claude.tools import _text_edits as edits

__all__ = ["DEFAULT_VIEW_CHARACTERS", "cut", "listing", "view_pieces"]

DEFAULT_VIEW_CHARACTERS: Final = 50_000
"""Characters of the longest view unless told otherwise: some 15,000 tokens, which fits into every model's context."""

_LISTED: Final = 1_000  # entries of a directory view
_NOTE: Final = "\n... (cut at {limit} characters, in line {line} of {total}; {words})"


def cut(text: str, limit: int, *, first: int, total: int) -> str:
    """A view of lines from `first` on, cut to `limit` characters with words that say how to go on."""
    if len(text) <= limit:
        return text
    longest = _note(limit, total, total, alone=True)
    # The note counts too; a limit too small for it gets the text alone.
    if limit <= 2 * len(longest):
        return text[:limit]
    line = first + text.count("\n", 0, limit - len(longest))
    note = _note(limit, line, total, alone=line == first)
    return text[: limit - len(note)] + note


def _note(limit: int, line: int, total: int, *, alone: bool) -> str:
    words = f"use `view_range` [{line}, -1] to see the rest"
    if alone:  # the same range would end at the same place
        words = f"this line is longer than a view; use `view_range` [{line + 1}, -1] for the lines behind it"
    return _NOTE.format(limit=limit, line=line, total=total, words=words)


def view_pieces(
    pieces: Callable[[], Iterable[bytes]],
    span: tuple[int, int] | None,
    *,
    encoding: str | None = None,
    form: str = edits.COLON,
    limit: int = DEFAULT_VIEW_CHARACTERS,
) -> str:
    """Lines `span` of a file that is read by `pieces()`, each time from its beginning, cut to `limit` characters.

    Raises ToolError as `TextFile.from_bytes` and `view` do. Memory: the longest view and one piece, whatever the size
    of the file. Linear in the size of the file.
    """
    start = b""
    for piece in pieces():
        start += piece
        if len(start) >= 4:
            break
    for mark, marked in edits.MARKS:
        if start.startswith(mark):
            try:
                return _read(pieces(), span, marked, form, limit, skip=len(mark))
            except UnicodeDecodeError:
                break
    for candidate in ("utf-8",) if encoding is None else ("utf-8", encoding):
        try:
            return _read(pieces(), span, candidate, form, limit)
        except UnicodeDecodeError:
            continue
    raise edits.unknown_encoding(encoding)


def _read(
    pieces: Iterable[bytes], span: tuple[int, int] | None, encoding: str, form: str, limit: int, *, skip: int = 0
) -> str:
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = _Lines(*(span or (1, -1)), limit)
    size = 0
    nul = False
    failed: UnicodeDecodeError | None = None
    for piece in pieces:
        size += len(piece)
        nul = nul or (not skip and b"\0" in piece)
        if failed is None and not nul:
            try:
                lines.take(decoder.decode(piece))
            except UnicodeDecodeError as error:
                failed = error  # a NUL further on still makes it a binary file
    if nul:
        raise edits.binary_file(size)
    if failed is not None:
        raise failed
    lines.take(decoder.decode(b"", final=True), final=True)
    if lines.nul or lines.strange * 10 > lines.length:
        raise edits.binary_file(size)
    text = edits.numbered(lines.shown(), lines.first, lines.last, lines.total, form)
    return cut(text, limit, first=lines.first, total=lines.total)


class _Lines:
    """Lines `first` to `last` of a text that comes in pieces, as far as a view has room, and the number of all."""

    def __init__(self, first: int, last: int, limit: int) -> None:
        self.first = first
        self.last = last
        self.strange = 0
        self.length = 0
        self.nul = False
        self._room = limit + 1  # characters that are kept still
        self._kept: list[str] = []
        self._ends = 0  # line ends so far
        self._ended = True  # whether the last line has its end
        self._held = ""  # a CR at the end of a piece may be half a CRLF
        self._marked = True

    def take(self, text: str, *, final: bool = False) -> None:
        """The next piece of the text."""
        if self._marked and text:
            text, self._marked = text.removeprefix("\ufeff"), False
        self.length += len(text)
        self.strange += edits.strange_characters(text)
        self.nul = self.nul or "\0" in text
        text = self._held + text
        self._held = ""
        if text.endswith("\r") and not final:
            text, self._held = text[:-1], "\r"
        if text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
            if self._room > 0:
                self._keep(text)
            self._ends += text.count("\n")
            self._ended = text.endswith("\n")

    def _keep(self, text: str) -> None:
        line = self._ends + 1
        if line < self.first:
            parts = text.split("\n", self.first - line)
            if len(parts) <= self.first - line:
                return
            text, line = parts[-1], self.first
        if self.last != -1:
            wanted = self.last - line + 1
            if wanted <= 0:
                return
            parts = text.split("\n", wanted)
            text = "\n".join(parts[:wanted]) + ("\n" if len(parts) > wanted else "")
        self._kept.append(text[: self._room])
        self._room -= len(text)

    @property
    def total(self) -> int:
        """The number of lines."""
        return self._ends + (not self._ended)

    def shown(self) -> list[str]:
        """The lines that were kept, without their ends; the last one may be cut where there was no more room."""
        text = "".join(self._kept)
        return text.removesuffix("\n").split("\n") if text else [""] if self.total else []


@attrs.define
class _Folder:
    place: str
    entries: list[tuple[str, str]]
    problem: str = ""
    more: int = 0


def listing(
    place: str,
    entries: Callable[[str], list[tuple[str, str]]],
    line: Callable[[str, str], str],
) -> str:
    """A directory two levels deep, one path a line: first its own entries, then those of each directory in it.

    `entries(place)` gives names and kinds, `line(place, kind)` the words for one. Where there is not room for all,
    every directory gets a fair share, and a line says how many entries are missing where.
    """
    own = _Folder(place, entries(place))
    below: list[_Folder] = []
    for name, kind in own.entries[:_LISTED]:
        if kind == "folder":
            inner = f"{place}/{name}".lstrip("/")
            try:
                below.append(_Folder(inner, entries(inner)))
            except ToolError as error:  # one folder that cannot be read does not hide the others
                below.append(_Folder(inner, [], error.message.removeprefix("Error: ")))
    _share([own], _LISTED)
    _share(below, _LISTED - len(own.entries))
    lines = [line(place, "folder")]
    for folder in (own, *below):
        lines.extend(line(f"{folder.place}/{name}".lstrip("/"), kind) for name, kind in folder.entries)
        where = line(folder.place, "folder")
        if folder.problem:
            lines.append(f"{where} ({folder.problem})")
        if folder.more and (folder.entries or folder is own):
            lines.append(f"... (at least {folder.more} more entries in {where}; view a directory below to see them)")
    unseen = sum(bool(folder.more and not folder.entries) for folder in below)
    if unseen:
        lines.append(f"... (the entries of {unseen} directories are not shown; view one of them to see its own)")
    return "\n".join(lines)


def _share(folders: Sequence[_Folder], room: int) -> None:
    """Cut the entries of some folders so that all have room: the small ones whole, the others alike."""
    left = len(folders)
    for folder in sorted(folders, key=lambda folder: len(folder.entries)):
        share = max(room, 0) // left
        folder.more = max(0, len(folder.entries) - share)
        folder.entries = folder.entries[:share]
        room -= len(folder.entries)
        left -= 1
