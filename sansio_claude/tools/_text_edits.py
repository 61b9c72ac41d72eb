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

__all__ = ["TextFile", "insert", "replace", "view"]

_LINE_END: Final = re.compile(r"\r\n|\n|\r")
_LAST_END: Final = re.compile(r"(?:\r\n|\n|\r)\Z")
_LONE_LF: Final = re.compile(r"(?<!\r)\n")
# UTF-32 before UTF-16: the little-endian mark of one begins with that of the other.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# cp1252 is what Western text that is not UTF-8 nearly always is; ISO 8859-1 has a character for every byte.
# Both give back exactly the bytes they were read from.
_SINGLE_BYTE: Final = ("cp1252", "latin-1")
# Control characters that text files do have: tab, line ends, form feed, backspace, escape (terminal colours).
_TEXT_CONTROLS: Final = frozenset("\t\n\r\f\b\x1b")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]")


@attrs.define(frozen=True)
class TextFile:
    """A text file's content: its text with the line ends as they are, and how the text is written as bytes."""

    text: str
    encoding: str = "utf-8"
    mark: bytes = b""
    """The byte order mark the file begins with."""

    @classmethod
    def from_bytes(cls, data: bytes) -> TextFile:
        """Read a file's bytes. Raises ToolError, with words for the model, where they are no text."""
        for mark, encoding in _MARKS:
            if data.startswith(mark):
                try:
                    return cls._checked(data[len(mark) :].decode(encoding), encoding, mark)
                except UnicodeDecodeError:
                    break
        if b"\0" in data:
            raise _binary(len(data))
        for encoding in ("utf-8", *_SINGLE_BYTE):
            try:
                return cls._checked(data.decode(encoding), encoding, b"")
            except UnicodeDecodeError:
                continue
        raise AssertionError("latin-1 decodes every byte")  # pragma: no cover

    @classmethod
    def _checked(cls, text: str, encoding: str, mark: bytes) -> TextFile:
        strange = sum(1 for found in _CONTROLS.findall(text) if found not in _TEXT_CONTROLS)
        if "\0" in text or strange * 10 > len(text):
            raise _binary(len(mark) + len(text.encode(encoding)))
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


def _binary(size: int) -> ToolError:
    return ToolError(f"Error: This is a binary file ({size} bytes), not text. It can be neither viewed nor edited.")


def view(file: TextFile, first: int = 1, last: int = -1, *, form: str = "{number}: {line}") -> str:
    """Lines `first` to `last` (both included, from 1, -1 for the end), each with its number in front.

    Raises ToolError where the range is not in the file.
    """
    lines = file.lines
    if not lines:
        if (first, last) in ((1, -1), (1, 0), (1, 1)):
            return "(The file is empty.)"
        raise ToolError(f"Error: Invalid `view_range` [{first}, {last}]. The file is empty.")
    total = len(lines)
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
    shown = lines[first - 1 :] if last == -1 else lines[first - 1 : last]
    return "\n".join(form.format(number=number, line=line) for number, line in enumerate(shown, first))


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
    is. Raises ToolError where `old` is empty or does not occur exactly once. Linear.
    """
    if not old:
        raise ToolError(
            "Error: `old_str` must not be empty. Use `insert` to add text, and `create` to write a new file."
        )
    positions = None if "\r" in old else _Positions(file.text)
    haystack = file.text if positions is None else positions.plain
    count = haystack.count(old)
    if count == 0:
        raise ToolError(
            "Error: No match found for replacement. Please check your text and try again. It must match the file "
            "exactly, white space and indentation included, and without line numbers."
        )
    start = haystack.find(old)
    if count > 1:
        raise ToolError(
            f"Error: Found {count} matches for replacement text. Please provide more context to make a unique match. "
            f"The matches begin at lines {_line_numbers(haystack, old)}."
        )
    stop = start + len(old)
    if positions is not None:
        start, stop = positions.original(start), positions.original(stop)
    before, behind = file.text[:start], file.text[stop:]
    return attrs.evolve(file, text=before + _fitting(before, new, behind, _line_end_near(file.text, start)) + behind)


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


_NUMBERS_SHOWN: Final = 10


def _line_numbers(text: str, old: str) -> str:
    numbers: list[str] = []
    place = line = 0
    while len(numbers) < _NUMBERS_SHOWN:
        found = text.find(old, place)
        if found < 0:
            return ", ".join(numbers)
        line += len(_LINE_END.findall(text, place, found))
        # The lines inside the match count for the matches behind it.
        numbers.append(str(line + 1))
        line += len(_LINE_END.findall(text, found, found + len(old)))
        place = found + len(old)
    return ", ".join(numbers) + ", ..."


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
    # Every line of the new text gets an end, which a file whose last line has none takes before the first instead.
    ended = _LAST_END.sub("", new) if _ended(new) else new
    if behind or _ended(before):
        added = _fitting(before, ended + "\n", behind, _line_end_near(file.text, place))
    else:
        added = _fitting(before, "\n" + ended, behind, _line_end_near(file.text, place))
    return attrs.evolve(file, text=before + added + behind)


def _ended(text: str) -> bool:
    return text.endswith(("\n", "\r"))
