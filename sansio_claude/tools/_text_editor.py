"""TextEditor: the text editor tool in its four versions, over any `Files`.

A command goes through three steps: its input is checked against the version's commands (no file is touched), its path
becomes a place below the root, and the edit itself is a pure function of the file's content. What fails anywhere is
a ToolError with the words that the tool's documentation gives for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, Self, TypeAlias

from sansio_claude._errors import LocalProtocolError, ToolError
from sansio_claude._models import EDITOR_NAMES, EDITORS_WITH_UNDO, NEWEST_EDITOR, EditorType, model_info
from sansio_claude.tools import _text_edits as edits
from sansio_claude.tools._files import Files, is_a_folder, not_found, place_of, shown
from sansio_claude.tools._lenient import Mender
from sansio_claude.tools._result import ToolResult

__all__ = ["EditorVersion", "TextEditor", "editor_version"]

EditorVersion: TypeAlias = EditorType
LineForm: TypeAlias = Literal["colon", "tab"]

_FORMS: Final[Mapping[str, str]] = {"colon": "{number}: {line}", "tab": "{number:>6}\t{line}"}
_UNDO_STEPS: Final = 100
_LISTED: Final = 1_000  # entries of a directory view; a model needs no more, and a listing is read to be sorted
_READ_TO_SORT: Final = 20_000
_CUT: Final = "\n... (cut at {limit} characters; use `view_range` to see the rest)"


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


class TextEditor:
    """The text editor tool: its definition, and an executor for all of its commands.

    Goes into `tools=` of a run as it is; `call(input)` runs one command. `version` is the tool's type; `line_form`
    how a view numbers its lines, "colon" (`3: text`, as documented) or "tab" (`     3<tab>text`);
    `max_characters` (version 20250728 only) the characters of the longest view.
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
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        if version not in EDITOR_NAMES:
            raise LocalProtocolError(f"there is no text editor version {version!r}", path="tools")
        if max_characters is not None and version != NEWEST_EDITOR:
            raise LocalProtocolError(f"{version} takes no max_characters; {NEWEST_EDITOR} does", path="tools")
        if max_characters is not None and max_characters < 1:
            raise LocalProtocolError("max_characters must be 1 or more", path="tools")
        if line_form not in _FORMS:
            raise LocalProtocolError(
                f"line_form must be one of {', '.join(map(repr, _FORMS))}, not {line_form!r:.40}", path="tools"
            )
        self._files = files
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
        # (place, content before or None for no file, content after), newest last.
        self._history: deque[tuple[str, bytes | None, bytes]] = deque(maxlen=_UNDO_STEPS)

    @classmethod
    def for_model(cls, model: str, files: Files, *, max_characters: int | None = None, **options: Any) -> Self:
        """The editor in the version that the model takes; `max_characters` counts only where that version has it."""
        version = editor_version(model)
        return cls(
            files, version=version, max_characters=max_characters if version == NEWEST_EDITOR else None, **options
        )

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

    def run(self, input: Any) -> str:  # noqa: A002
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
        kind = self._files.kind(place)
        if kind is None:
            raise not_found(self._path(place))
        if kind == "folder":
            if span is not None:
                raise ToolError("Error: `view_range` is not allowed for a directory. Leave it out.")
            text = self._listing(place)
        else:
            file = edits.TextFile.from_bytes(self._files.read(place))
            text = edits.view(file, *(span or (1, -1)), form=self._form)
        limit = self._max_characters
        if limit is None or len(text) <= limit:
            return text
        note = _CUT.format(limit=limit)
        # The note counts too; a limit too small for it gets the text alone.
        return text[: limit - len(note)] + note if limit > 2 * len(note) else text[:limit]

    def _listing(self, place: str) -> str:
        """A directory two levels deep, hidden entries left out, one path a line."""
        lines = [self._path(place).rstrip("/") + "/"]
        for name, kind in self._entries(place):
            lines.append(_line(self._path(f"{place}/{name}"), kind))
            if kind == "folder" and len(lines) <= _LISTED:
                try:
                    below = self._entries(f"{place}/{name}".lstrip("/"))
                except ToolError as error:  # one folder that cannot be read does not hide the others
                    lines.append(f"{lines[-1]} ({error.message.removeprefix('Error: ')})")
                    continue
                lines.extend(_line(self._path(f"{place}/{name}/{inner}"), what) for inner, what in below)
        if len(lines) > _LISTED:
            more = len(lines) - _LISTED
            lines[_LISTED:] = [f"... (at least {more} more entries; view a directory below to see them)"]
        return "\n".join(lines)

    def _entries(self, place: str) -> list[tuple[str, str]]:
        found = self._files.names(place, _READ_TO_SORT)
        return sorted((name, kind) for name, kind in found if not name.startswith("."))

    def _create(self, given: _Input, place: str) -> str:
        data = _encoded(given.text("file_text", "of `create`", empty=True))
        if not place:
            raise is_a_folder(self._path(place))
        self._files.create(place, data)
        self._remember(place, None, data)
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
        kind = self._files.kind(place)
        if kind is None:
            raise not_found(self._path(place))
        if kind == "folder":
            raise is_a_folder(self._path(place))
        before = self._files.read(place)
        after = change(edits.TextFile.from_bytes(before)).to_bytes()
        self._files.replace(place, before, after)
        self._remember(place, before, after)

    def _undo_edit(self, given: _Input, place: str) -> str:
        newest = next((i for i in reversed(range(len(self._history))) if self._history[i][0] == place), None)
        if newest is None:
            raise ToolError(f"Error: No edit to undo: {self._path(place)} has not been edited with this tool.")
        _, before, after = self._history[newest]
        if before is None:
            self._files.remove(place, after)
        else:
            self._files.replace(place, after, before)
        del self._history[newest]
        return f"Last edit to {self._path(place)} undone successfully."

    def _remember(self, place: str, before: bytes | None, after: bytes) -> None:
        if "undo_edit" in self._commands:
            self._history.append((place, before, after))

    def _path(self, place: str) -> str:
        return f"{self._files.name.rstrip('/')}/{place.lstrip('/')}" if place else self._files.name


def _line(path: str, kind: str) -> str:
    marks = {"folder": "/", "link": " (a link, not followed)", "other": " (no regular file)"}
    return shown(path) + marks.get(kind, "")


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ToolError(
            f"Error: The text has a lone surrogate at character {error.start}, which no file can hold."
        ) from None


# The parameters that are no texts: 3.0 is the whole number 3, and a list may come as the text of one.
_RANGE: Final = {"type": "array", "items": {"type": "integer"}}
_NUMBERS: Final = Mender(
    {"type": "object", "properties": {"insert_line": {"type": "integer"}, "view_range": _RANGE}},
)
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
        return int(value)

    def view_range(self) -> tuple[int, int] | None:
        value = self._value.get("view_range")
        if value is None:
            return None
        if not isinstance(value, list | tuple) or len(value) != 2 or not all(map(_is_int, value)):
            raise ToolError(
                "Error: Invalid `view_range`. It must be a list of two integers, the first and the last line to show."
            )
        return int(value[0]), int(value[1])


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
