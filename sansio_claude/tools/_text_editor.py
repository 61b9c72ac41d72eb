"""TextEditor: the text editor tool in its four versions, over any `Files`.

A command goes through three steps: its input is checked against the version's commands (no file is touched), its path
becomes a place below the root, and the edit itself is a pure function of the file's content. What fails anywhere is
a ToolError with the words that the tool's documentation gives for it.
"""

from __future__ import annotations

import codecs
import contextlib
import functools
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple, Self, TypeAlias

from sansio_claude._copies import CopiedWhole
from sansio_claude._errors import LocalProtocolError, ToolError
from sansio_claude._models import EDITOR_NAMES, EDITORS_WITH_UNDO, NEWEST_EDITOR, EditorType, model_info
from sansio_claude._value import an
from sansio_claude.tools import _text_edits as edits
from sansio_claude.tools._composed import composed_name
from sansio_claude.tools._files import Files, encoded, is_a_folder, is_nameable, not_found, place_of, shown
from sansio_claude.tools._lenient import Mender
from sansio_claude.tools._result import ToolResult
from sansio_claude.tools._views import DEFAULT_VIEW_CHARACTERS, cut, listing, view_pieces

__all__ = ["EditorVersion", "TextEditor", "editor_version"]

EditorVersion: TypeAlias = EditorType
LineForm: TypeAlias = Literal["colon", "tab"]

_FORMS: Final[Mapping[str, str]] = {"colon": edits.COLON, "tab": "{number:>6}\t{line}"}
_UNDO_STEPS: Final = 100
_READ_TO_SORT: Final = 20_000  # entries of a directory that are read to be sorted


class _Edit(NamedTuple):
    """One edit that can be undone."""

    place: str
    before: bytes | None  # None: there was no file
    after: bytes
    folders: tuple[str, ...] = ()  # those made for the file, outermost first


def editor_version(model: str) -> EditorVersion:
    """The version of the text editor tool that a model takes.

    An id that is not known is taken for a new model and gets the newest version. Raises LocalProtocolError for a
    known model that has no text editor.
    """
    info = model_info(model)
    if info is None or (info.text_editor is None and info.generation >= (4, 0)):
        return NEWEST_EDITOR
    if info.text_editor is None:
        raise LocalProtocolError(f"{model} takes no text editor tool: choose another model", path="tools")
    return info.text_editor


class TextEditor(CopiedWhole):
    """The text editor tool: its definition, and an executor for all of its commands.

    Goes into `tools=` of a run as it is; `call(input)` runs one command. `version` is the tool's type; `line_form`
    how a view numbers its lines, "colon" (`3: text`, as documented) or "tab" (`     3<tab>text`);
    `max_characters` (version 20250728 only, and then part of the definition) the characters of the longest view, by
    default 50,000; what is cut says how to go on. `encoding` is that of files which are not UTF-8 and have no byte
    order mark: without it they are refused, because a wrong guess would show other letters. New files are UTF-8.
    """

    sequential = True
    """Calls of one answer are run one after the other, in the model's order."""
    thread = True
    """Calls may block (files), so they are run in a worker thread."""

    def __init__(
        self,
        files: Files,
        *,
        version: EditorVersion = NEWEST_EDITOR,
        max_characters: int | None = None,
        cache_control: Mapping[str, Any] | None = None,
        line_form: LineForm = "colon",
        encoding: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(version, str) or version not in EDITOR_NAMES:
            raise LocalProtocolError(f"there is no text editor version {version!r}", path="tools")
        if max_characters is not None and version != NEWEST_EDITOR:
            raise LocalProtocolError(f"{version} takes no max_characters; {NEWEST_EDITOR} does", path="tools")
        if max_characters is not None and (type(max_characters) is not int or max_characters < 1):
            raise LocalProtocolError("max_characters must be a whole number of 1 or more", path="tools")
        for option, value in (("extra", extra), ("cache_control", cache_control)):
            if not isinstance(value, Mapping | None):
                raise LocalProtocolError(f"{option} must be an object (a dict)", path="tools")
        if not callable(getattr(files, "kind", None)):
            words = "MemoryFiles(...) or DiskFiles(folder)"
            raise LocalProtocolError(f"files must be {words}, not {an(type(files).__name__)}", path="tools")
        if not isinstance(line_form, str) or line_form not in _FORMS:
            raise LocalProtocolError(
                f"line_form must be one of {', '.join(map(repr, _FORMS))}, not {line_form!r:.40}", path="tools"
            )
        self._files = files
        self._encoding = _known_encoding(encoding)
        self._version: EditorVersion = version
        self._max_characters = max_characters
        self._form = _FORMS[line_form]
        self._extra = dict(extra or {})
        if cache_control is not None:
            self._extra["cache_control"] = dict(cache_control)
        self._commands: dict[str, Callable[[_Input, str], str]] = {
            "view": self._view,
            "create": self._create,
            "str_replace": self._str_replace,
            "insert": self._insert,
        }
        if version in EDITORS_WITH_UNDO:
            self._commands["undo_edit"] = self._undo_edit
        self._history: deque[_Edit] = deque(maxlen=_UNDO_STEPS)  # newest last

    @classmethod
    def for_model(cls, model: str, files: Files, *, max_characters: int | None = None, **options: Any) -> Self:
        """The editor in the version that the model takes; `max_characters` counts only where that version has it."""
        version = editor_version(model)
        return cls(
            files, version=version, max_characters=max_characters if version == NEWEST_EDITOR else None, **options
        )

    def __repr__(self) -> str:
        undo = f", {len(self._history)} edits to undo" if "undo_edit" in self._commands else ""
        return f"<TextEditor {self._version} of {shown(self._files.name)}{undo}>"

    @property
    def version(self) -> EditorVersion:
        """The tool's type on the wire."""
        return self._version

    @property
    def name(self) -> str:
        """The tool's name, which its version decides."""
        return EDITOR_NAMES[self._version]

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands of this version."""
        return tuple(self._commands)

    @property
    def betas(self) -> tuple[str, ...]:
        """The beta flags that a request with this version needs."""
        return ("computer-use-2024-10-22",) if self._version == "text_editor_20241022" else ()

    def to_param(self) -> dict[str, Any]:
        """The definition, for `tools` of a request. It has no schema: the model knows the tool."""
        definition: dict[str, Any] = {"type": self._version, "name": self.name}
        if self._max_characters is not None:
            definition["max_characters"] = self._max_characters
        return {**definition, **self._extra}

    def call(self, input: Any) -> ToolResult:  # noqa: A002 - the wire's own name
        """Run one command, the input of a tool_use block. Never raises: what is wrong is an error result."""
        try:
            return ToolResult(self.run(input))
        except ToolError as error:
            return ToolResult.of_error(error)

    def run(self, input: Any) -> str:  # noqa: A002 - the wire's own name
        """Run one command and give its answer's text. Raises ToolError where `call` gives an error result."""
        given = _Input(input)
        name = given.text("command", "of every call")
        command = self._commands.get(name)
        if command is None:
            raise ToolError(
                f"Error: Unknown command {shown(name)!r}. The commands of this tool are: {', '.join(self._commands)}."
            )
        path = given.text("path", f"of `{name}`")
        return command(given, place_of(path, self._files.name))

    def _view(self, given: _Input, place: str) -> str:
        span = given.view_range()
        place = self._existing(place)
        kind = self._files.kind(place)
        limit = self._max_characters or DEFAULT_VIEW_CHARACTERS
        if kind is None:
            raise not_found(self._path(place))
        if kind == "folder":
            if span is not None:
                raise ToolError("Error: `view_range` is not allowed for a directory. Leave it out.")
            text = listing(place, self._entries, self._line)
            return text if len(text) <= limit else _cut_listing(text, limit)
        pieces: Callable[[str], Iterable[bytes]] | None = getattr(self._files, "pieces", None)
        if pieces is not None:
            read = functools.partial(pieces, place)
            return view_pieces(read, span, encoding=self._encoding, form=self._form, limit=limit)
        file = edits.TextFile.from_bytes(self._files.read(place), self._encoding)
        first, last = span or (1, -1)
        return cut(edits.view(file, first, last, form=self._form), limit, first=first, total=len(file.lines))

    def _existing(self, place: str) -> str:
        """The place as it is written on the disk, where that is the only one of the same letters (NFC)."""
        if place.isascii() or self._files.kind(place) is not None:
            return place
        found: list[str] = []
        for name in place.split("/"):
            above = "/".join(found)
            inner = f"{above}/{name}".lstrip("/")
            if self._files.kind(inner) is None:
                if self._files.kind(above) != "folder":
                    return place
                names = composed_name(name, [other for other, _ in self._files.names(above, _READ_TO_SORT)])
                if len(names) > 1:
                    words = "several names there are the same but for the way their accents are written"
                    raise ToolError(f"Error: File not found: {shown(self._path(place))}. {words.capitalize()}.")
                name = names[0] if names else name
            found.append(name)
        return "/".join(found)

    def _entries(self, place: str) -> list[tuple[str, str]]:
        found = self._files.names(place, _READ_TO_SORT)
        return sorted((name, kind) for name, kind in found if not name.startswith("."))

    def _line(self, place: str, kind: str) -> str:
        path = self._path(place)
        if not place:
            return path.rstrip("/") + "/"
        return _line(path, kind) + (" (no path can name it)" if not is_nameable(place) else "")

    def _create(self, given: _Input, place: str) -> str:
        data = encoded(given.text("file_text", "of `create`", empty=True))
        if not place:
            raise is_a_folder(self._path(place))
        place = self._existing(place)
        folders = self._missing_above(place)
        self._files.create(place, data)
        self._remember(_Edit(place, None, data, folders))
        return f"File created successfully at: {self._path(place)}"

    def _str_replace(self, given: _Input, place: str) -> str:
        old = given.text("old_str", "of `str_replace`", empty=True)
        new = given.text("new_str", "of `str_replace`", empty=True, default="")
        self._edit(place, lambda file: edits.replace(file, old, new))
        return "Successfully replaced text at exactly one location."

    def _insert(self, given: _Input, place: str) -> str:
        line = given.number("insert_line", "of `insert`")
        # Newer models write insert_text; the older documents, and the models before them, new_str.
        key = "new_str" if given.absent("insert_text") and not given.absent("new_str") else "insert_text"
        text = given.text(key, "of `insert`", empty=True)
        self._edit(place, lambda file: edits.insert(file, line, text))
        where = "at the beginning of the file" if line == 0 else f"after line {line}"
        return f"Successfully inserted text {where}."

    def _edit(self, place: str, change: Callable[[edits.TextFile], edits.TextFile]) -> None:
        place = self._existing(place)
        kind = self._files.kind(place)
        if kind is None:
            raise not_found(self._path(place))
        if kind == "folder":
            raise is_a_folder(self._path(place))
        before = self._files.read(place)
        file = edits.TextFile.from_bytes(before, self._encoding)
        if file.to_bytes() != before:
            words = f"writing it in {file.encoding} would change other places of the file too"
            raise ToolError(f"Error: {shown(self._path(place))} can be viewed but not edited: {words}.")
        after = change(file).to_bytes()
        self._files.replace(place, before, after)
        self._remember(_Edit(place, before, after))

    def _undo_edit(self, given: _Input, place: str) -> str:
        place = self._existing(place)
        newest = next((i for i in reversed(range(len(self._history))) if self._history[i].place == place), None)
        if newest is None:
            raise ToolError(f"Error: No edit to undo: {self._path(place)} has not been edited with this tool.")
        edit = self._history[newest]
        if edit.before is None:
            self._files.remove(place, edit.after)
        else:
            self._files.replace(place, edit.after, edit.before)
        del self._history[newest]
        self._take_away(edit.folders)
        return f"Last edit to {self._path(place)} undone successfully."

    def _remember(self, edit: _Edit) -> None:
        if "undo_edit" in self._commands:
            self._history.append(edit)

    def _missing_above(self, place: str) -> tuple[str, ...]:
        """The folders that have to be made for a file, outermost first, where undoing its making can undo them."""
        missing: list[str] = []
        if "undo_edit" in self._commands and self._remove_folder is not None:
            above = place.rpartition("/")[0]
            with contextlib.suppress(ToolError):  # the file cannot be made there: making it says why
                while above and self._files.kind(above) is None:
                    missing.append(above)
                    above = above.rpartition("/")[0]
        return tuple(reversed(missing))

    def _take_away(self, folders: tuple[str, ...]) -> None:
        """Take away the folders that were made for a file which is gone again, as far as they are empty.

        One in which another file was made since is left to the undoing of that one.
        """
        if self._remove_folder is None:
            return
        while folders:
            try:
                self._remove_folder(folders[-1])
            except ToolError:
                break
            folders = folders[:-1]
        else:
            return
        for number, other in enumerate(self._history):
            if other.before is None and other.place.startswith(folders[-1] + "/"):
                self._history[number] = other._replace(folders=folders + other.folders)
                return

    @property
    def _remove_folder(self) -> Callable[[str], None] | None:
        return getattr(self._files, "remove_folder", None)

    def _path(self, place: str) -> str:
        return f"{self._files.name.rstrip('/')}/{place.lstrip('/')}" if place else self._files.name


def _line(path: str, kind: str) -> str:
    marks = {"folder": "/", "link": " (a link, not followed)", "other": " (no regular file)"}
    return shown(path) + marks.get(kind, "")


def _cut_listing(text: str, limit: int) -> str:
    note = f"\n... (cut at {limit} characters; view a directory below to see its entries)"
    return text[: limit - len(note)] + note if limit > 2 * len(note) else text[:limit]


def _known_encoding(encoding: str | None) -> str | None:
    try:
        name = None if encoding is None else codecs.lookup(encoding).name
        if name is not None:
            codecs.getincrementaldecoder(name)
            "".encode(name)
    except (LookupError, TypeError, ValueError):
        raise LocalProtocolError(f"there is no text encoding {encoding!r:.60}", path="encoding") from None
    return name


# The parameters that are no texts: 3.0 is the whole number 3, and a list may come as the text of one.
_RANGE: Final = {"type": "array", "items": {"type": "integer"}}
_NUMBERS: Final = Mender(
    {"type": "object", "properties": {"insert_line": {"type": "integer"}, "view_range": _RANGE}},
)
_FARTHEST: Final = 10**18
_TEXT_RANGE: Final = Mender({"type": "object", "properties": {"view_range": {"type": "array"}}})


class _Input:
    """A command's input, read one parameter at a time; null counts as absent, unknown parameters are ignored."""

    def __init__(self, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise ToolError("Error: The input must be an object with `command` and `path`.")
        self._value: Mapping[str, Any] = _NUMBERS.mend(_TEXT_RANGE.mend(dict(value)), texts=False)

    def absent(self, key: str) -> bool:
        return self._value.get(key) is None

    def text(self, key: str, where: str, *, empty: bool = False, default: str | None = None) -> str:
        value = self._value.get(key)
        if value is None:
            if default is None:
                raise ToolError(f"Error: Missing required parameter `{key}` {where}.")
            return default
        if not isinstance(value, str):
            raise ToolError(f"Error: Parameter `{key}` {where} must be a string.")
        if not value and not empty:
            raise ToolError(f"Error: Parameter `{key}` {where} must not be empty.")
        return value

    def number(self, key: str, where: str) -> int:
        value = self._value.get(key)
        if value is None:
            raise ToolError(f"Error: Missing required parameter `{key}` {where}.")
        if not _is_int(value):
            raise ToolError(f"Error: Parameter `{key}` {where} must be an integer.")
        return _line_number(value)

    def view_range(self) -> tuple[int, int] | None:
        value = self._value.get("view_range")
        if value is None:
            return None
        if not isinstance(value, list | tuple) or len(value) != 2 or not all(map(_is_int, value)):
            raise ToolError(
                "Error: Invalid `view_range`. It must be a list of two integers, the first and the last line to show."
            )
        return _line_number(value[0]), _line_number(value[1])


def _line_number(value: float) -> int:
    """The whole number; one that no file has a line for becomes one that can be counted to and shown in a few words."""
    return max(-_FARTHEST, min(_FARTHEST, int(value)))


def _is_int(value: Any) -> bool:
    """Whether it is a whole number, as JSON means it: 1.0 is 1."""
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)
