"""Edits on a text file as pure functions: bytes to TextFile, TextFile to TextFile, TextFile to bytes.

What is not edited comes back byte for byte: byte order mark, encoding, tabs, line ends (mixed ones too), and a last
line without its newline. A model sees and writes lines that end in one newline character, so positions are found in
the text with every line end as one newline, and applied to the text as it is.

A line ends at CRLF, LF or CR, as in Python's universal newlines; no other character ends a line.
"""

from __future__ import annotations

import bisect
import codecs
import re
from typing import Final

import attrs

from sansio_claude._errors import ToolError
from sansio_claude.tools._composed import composed_place

__all__ = [
    "COLON",
    "MARKS",
    "TextFile",
    "binary_file",
    "insert",
    "numbered",
    "replace",
    "strange_characters",
    "unknown_encoding",
    "view",
]

COLON: Final = "{number}: {line}"

_LINE_END: Final = re.compile(r"\r\n|\n|\r")
_LAST_END: Final = re.compile(r"(?:\r\n|\n|\r)\Z")
_LONE_LF: Final = re.compile(r"(?<!\r)\n")
# UTF-32 before UTF-16: the little-endian mark of one begins with that of the other.
MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Control characters that text files do not have: all but tab, line ends, form feed, backspace, escape (colours).
_STRANGE: Final = bytes({*range(0x20), 0x7F} - set(b"\t\n\r\f\b\x1b"))
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]")


@attrs.define(frozen=True)
class TextFile:
    """A text file's content: its text with the line ends as they are, and how the text is written as bytes."""

    text: str
    encoding: str = "utf-8"
    mark: bytes = b""
    """The byte order mark the file begins with."""

    @classmethod
    def from_bytes(cls, data: bytes, encoding: str | None = None) -> TextFile:
        """Read a file's bytes: by their mark, else as UTF-8, else in `encoding`, which is never guessed.

        Raises ToolError, with words for the model, where they are no text or of an unknown encoding.
        """
        for mark, marked in MARKS:
            if data.startswith(mark):
                try:
                    return cls._checked(data[len(mark) :].decode(marked), marked, mark)
                except UnicodeDecodeError:
                    break
        if b"\0" in data:
            raise binary_file(len(data))
        for candidate in ("utf-8",) if encoding is None else ("utf-8", encoding):
            try:
                return cls._checked(data.decode(candidate), candidate, b"")
            except UnicodeDecodeError:
                continue
        raise unknown_encoding(encoding)

    @classmethod
    def _checked(cls, text: str, encoding: str, mark: bytes) -> TextFile:
        if "\0" in text or strange_characters(text) * 10 > len(text):
            raise binary_file(len(mark) + len(text.encode(encoding)))
        return cls(text, encoding, mark)

    def to_bytes(self) -> bytes:
        """The file's bytes. Raises ToolError where the text has a character that its encoding has not."""
        try:
            return self.mark + self.text.encode(self.encoding)
        except UnicodeEncodeError as error:
            character = self.text[error.start]
            raise ToolError(
                f"Error: The character {character!a} cannot be written to this file, whose encoding is "
                f"{self.encoding}. Use only characters of that encoding."
            ) from None

    @property
    def lines(self) -> list[str]:
        """The lines without their ends. A newline at the end of the text begins no further line."""
        found = _LINE_END.split(self.text)
        if found[-1] == "":
            found.pop()
        return found


def strange_characters(text: str) -> int:
    """The number of control characters that text files do not have."""
    data = text.encode("utf-8", "surrogatepass")  # counting bytes is some ten times as fast as searching the text
    return len(data) - len(data.translate(None, _STRANGE))


def binary_file(size: int) -> ToolError:
    """The words for a file that is no text."""
    return ToolError(f"Error: This is a binary file ({size} bytes), not text. It can be neither viewed nor edited.")


def unknown_encoding(encoding: str | None) -> ToolError:
    """The words for a text in an encoding that is not known. It is not guessed: a wrong guess shows other letters."""
    tried = "UTF-8" if encoding is None else f"UTF-8 or {encoding}"
    return ToolError(
        f"Error: This file is not text in {tried}, and has no byte order mark that names its encoding. It can be "
        f"neither viewed nor edited with this tool; convert it to UTF-8 first, or have the tool set up with "
        f"encoding= for such files."
    )


def view(file: TextFile, first: int = 1, last: int = -1, *, form: str = COLON) -> str:
    """Lines `first` to `last` (both included, from 1, -1 for the end), each with its number in front.

    Raises ToolError where the range is not in the file.
    """
    lines = file.lines
    asked = lines[max(first - 1, 0) :] if last == -1 else lines[max(first - 1, 0) : max(last, 0)]
    return numbered(asked, first, last, len(lines), form)


def numbered(lines: list[str], first: int, last: int, total: int, form: str) -> str:
    """Lines from `first` on with their numbers. Raises ToolError where the range is not in a file of `total` lines."""
    if not total:
        if (first, last) in ((1, -1), (1, 0), (1, 1)):
            return "(The file is empty.)"
        raise ToolError(f"Error: Invalid `view_range` [{first}, {last}]. The file is empty.")
    if not 1 <= first <= total:
        raise ToolError(
            f"Error: Invalid `view_range` [{first}, {last}]. The first line must be from 1 to {total}, the number of "
            f"lines in the file."
        )
    if last != -1 and not first <= last <= total:
        raise ToolError(
            f"Error: Invalid `view_range` [{first}, {last}]. The last line must be from {first} to {total}, the "
            f"number of lines in the file, or -1 for the end of the file."
        )
    return "\n".join(form.format(number=number, line=line) for number, line in enumerate(lines, first))


class _Positions:
    """Where a place of the text with one newline for each line end is in the text as it is."""

    def __init__(self, text: str) -> None:
        self.plain = text.replace("\r\n", "\n").replace("\r", "\n")
        # CRLF is the only line end of another length than its newline.
        self._pairs = [match.start() - index for index, match in enumerate(re.finditer("\r\n", text))]

    def original(self, place: int) -> int:
        return place + bisect.bisect_left(self._pairs, place)


def _line_end_near(text: str, place: int) -> str:
    """The line end in use around `place`: that of its own line, else of the line before, else a newline."""
    match = _LINE_END.search(text, place)
    if match is not None:
        # A place between CR and LF would find only half of the pair.
        return "\r\n" if text.endswith("\r\n", 0, match.end()) else match.group()
    before = max(text.rfind("\n", 0, place), text.rfind("\r", 0, place))
    if before < 0:
        return "\n"
    return "\r\n" if text.endswith("\r\n", 0, before + 1) else text[before]


def _with_line_ends(text: str, end: str) -> str:
    """New text with the line ends of its surroundings. In a file of newlines it is taken as it was written."""
    if end == "\r\n":
        return _LONE_LF.sub("\r\n", text)
    if end == "\r":
        return text.replace("\r\n", "\r").replace("\n", "\r")
    return text


def replace(file: TextFile, old: str, new: str) -> TextFile:
    """The file with `old`, which must occur exactly once, replaced by `new`.

    Newlines in `old` stand for any line end, unless `old` itself has a carriage return: then it is compared as it
    is. Raises ToolError where `old` is empty or does not occur exactly once; places that overlap
    count each. Where it does not occur, a place is taken whose letters are the same in Unicode's composed form (NFC),
    if there is one alone: a file may hold a letter and its accent apart. Linear.
    """
    if not old:
        raise ToolError(
            "Error: `old_str` must not be empty. Use `insert` to add text, and `create` to write a new file."
        )
    positions = None if "\r" in old else _Positions(file.text)
    haystack = file.text if positions is None else positions.plain
    found = _places(haystack, old)
    if len(found) > 1:
        count = f"{len(found)}" if len(found) < _COUNTED else f"at least {_COUNTED}"
        raise ToolError(
            f"Error: Found {count} matches for replacement text. Please provide more context to make a unique match. "
            f"The matches begin at lines {_line_numbers(haystack, found)}."
        )
    place = (found[0], found[0] + len(old)) if found else composed_place(haystack, old)
    if place is None:
        raise ToolError(
            "Error: No match found for replacement. Please check your text and try again. It must match the file "
            "exactly, white space and indentation included, and without line numbers."
        )
    start, stop = place
    if positions is not None:
        start, stop = positions.original(start), positions.original(stop)
    before, behind = file.text[:start], file.text[stop:]
    return attrs.evolve(file, text=before + _fitting(before, new, behind, _line_end_near(file.text, start)) + behind)


def _places(text: str, old: str) -> list[int]:
    """Where `old` begins in the text, overlapping places included, the first of them up to a bound."""
    found: list[int] = []
    place = text.find(old)
    while place >= 0 and len(found) < _COUNTED:
        found.append(place)
        place = text.find(old, place + 1)
    return found


def _fitting(before: str, new: str, behind: str, near: str) -> str:
    """New text with the line end in use near it; another one where two line ends side by side would become one,
    because a lone CR before a LF is a CRLF."""
    for end in (near, "\n", "\r", "\r\n"):
        added = _with_line_ends(new, end)
        if not (before.endswith("\r") and added.startswith("\n")) and not (
            added.endswith("\r") and behind.startswith("\n")
        ):
            break
    return added


_COUNTED: Final = 100  # places that are counted; comparing them all would be quadratic in a text that repeats itself
_NUMBERS_SHOWN: Final = 10


def _line_numbers(text: str, places: list[int]) -> str:
    numbers: list[str] = []
    line, before = 1, 0
    for place in places[:_NUMBERS_SHOWN]:
        line += len(_LINE_END.findall(text, before, place))
        before = place
        numbers.append(str(line))
    return ", ".join(numbers) + (", ..." if len(places) > _NUMBERS_SHOWN else "")


def insert(file: TextFile, after: int, new: str) -> TextFile:
    """The file with the lines of `new` put in after line `after`; 0 is the beginning.

    A newline at the end of `new` ends its last line and adds no empty one; whether the file's own last line has a
    newline stays as it is (an empty file takes `new` as it is). Raises ToolError where there is no such line.
    """
    total = len(file.lines)
    if not 0 <= after <= total:
        raise ToolError(
            f"Error: Invalid `insert_line` {after}. It must be from 0 (the beginning of the file) to {total}, the "
            f"number of lines in the file."
        )
    if not new or not file.text:
        return attrs.evolve(file, text=new or file.text)
    place = 0
    for _ in range(after):
        match = _LINE_END.search(file.text, place)
        place = len(file.text) if match is None else match.end()
    before, behind = file.text[:place], file.text[place:]
    # Every inserted line gets a line end. At the end of a file whose last line has none, the first inserted line gets
    # one in front of it, and the last one none behind it.
    ended = _LAST_END.sub("", new) if _ended(new) else new
    if behind or _ended(before):
        added = _fitting(before, ended + "\n", behind, _line_end_near(file.text, place))
    else:
        added = _fitting(before, "\n" + ended, behind, _line_end_near(file.text, place))
    return attrs.evolve(file, text=before + added + behind)


def _ended(text: str) -> bool:
    return text.endswith(("\n", "\r"))
