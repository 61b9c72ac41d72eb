"""The input of a tool as lines: JSON in which a text of several lines stands as lines, and an edit as a diff.

`tail` looks at no more than it shows, so that a growing input can be drawn again and again.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import Any, Final

from rich.text import Text

from sansio_claude._cli.view import safe

__all__ = ["input_lines", "input_tail"]

_BAR: Final = "│ "
_REMOVED, _ADDED = "red", "green"
_LONGEST_DIFF: Final = 400  # lines of either side; a longer edit is shown as all of the old and all of the new
_SHORT: Final = 4  # numbers of a list that stand in one line
_LONG: Final = 4_000  # characters of one line that are drawn while it grows


def input_lines(value: Any) -> list[Text]:
    """All of a whole input. Linear in its size, but for the diff of an edit of up to 400 lines."""
    edit = _edit(value)
    if edit is not None:
        return edit
    return list(_forwards(value, "", ""))


def input_tail(value: Any, room: int) -> list[Text]:
    """The last `room` lines of an input that grows. Takes time in proportion to what it shows."""
    lines: list[Text] = []
    for line in _backwards(value, "", ""):
        if len(lines) == room:
            lines[-1] = Text("…", style="dim")
            break
        lines.append(line)
    lines.reverse()
    return lines


def _scalar(value: Any) -> Text:
    style = "green" if isinstance(value, str) else "magenta"
    return Text(safe(json.dumps(value, ensure_ascii=False)), style=style)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _lead(indent: str, key: str | None) -> Text:
    line = Text(indent)
    return line if key is None else line.append(safe(json.dumps(key, ensure_ascii=False)), style="cyan").append(": ")


def _items(value: Any) -> list[tuple[str | None, Any]]:
    return list(value.items()) if isinstance(value, dict) else [(None, item) for item in value]


def _forwards(value: Any, indent: str, end: str, key: str | None = None) -> Iterator[Text]:
    lead = _lead(indent, key)
    if isinstance(value, str) and "\n" in value:
        yield lead.append('"', style="green")
        yield from (_text_line(indent, line) for line in value.split("\n"))
        yield Text(indent).append('"', style="green").append(end)
    elif isinstance(value, list) and value and len(value) <= _SHORT and all(map(_is_number, value)):
        yield lead.append_text(_scalar(value)).append(end)
    elif isinstance(value, dict | list) and value:
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        yield lead.append(opening)
        items = _items(value)
        for number, (name, item) in enumerate(items):
            yield from _forwards(item, indent + "  ", "," * (number < len(items) - 1), name)
        yield Text(indent + closing + end)
    else:
        yield lead.append_text(_scalar(value)).append(end)


def _backwards(value: Any, indent: str, end: str, key: str | None = None) -> Iterator[Text]:
    """The same lines from the last to the first, without looking at more than is taken."""
    lead = _lead(indent, key)
    if isinstance(value, str) and "\n" in value:
        yield Text(indent).append('"', style="green").append(end)
        stop = len(value)
        while stop >= 0:
            start = value.rfind("\n", 0, stop) + 1 if stop else 0
            yield _text_line(indent, value[max(start, stop - _LONG) : stop])
            stop = start - 1
        yield lead.append('"', style="green")
    elif isinstance(value, dict | list) and value:
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        yield Text(indent + closing + end)
        more = ""
        pairs = reversed(value.items()) if isinstance(value, dict) else ((None, item) for item in reversed(value))
        for name, item in pairs:
            yield from _backwards(item, indent + "  ", more, name)
            more = ","
        yield lead.append(opening)
    else:
        shown = value[-_LONG:] if isinstance(value, str) else value
        yield lead.append_text(_scalar(shown)).append(end)


def _text_line(indent: str, line: str) -> Text:
    return Text(indent).append(_BAR, style="dim").append(safe(line).expandtabs(4), style="green")


def _edit(value: Any) -> list[Text] | None:
    """The call of a text editor that changes a file, as a diff; None for every other input."""
    if not isinstance(value, dict) or not isinstance(value.get("path"), str):
        return None
    text = {name: value.get(name) for name in ("old_str", "new_str", "insert_text", "file_text")}
    given = {name for name, each in text.items() if isinstance(each, str)}
    command = value.get("command")
    if command == "str_replace" and "old_str" in given:
        shown = {"old_str", "new_str"} & given
        body = _diff(value["old_str"], value["new_str"] if "new_str" in given else "")
    elif command == "insert" and ("insert_text" in given or "new_str" in given):
        name = "insert_text" if "insert_text" in given else "new_str"
        shown = {name}
        body = [_mark("+", line) for line in _lines(value[name])]
    elif command == "create" and "file_text" in given:
        shown = {"file_text"}
        body = [_mark("+", line) for line in _lines(value["file_text"])]
    elif command in ("view", "undo_edit"):
        shown, body = set(), []
    else:
        return None
    head = Text().append(safe(f"{command} "), style="bold").append(safe(value["path"]).replace("\n", " "), style="cyan")
    others = {key: item for key, item in value.items() if key not in {"command", "path", *shown}}
    more = [line for key, item in others.items() for line in _forwards(item, "", "", key)]
    return [head, *more, *body]


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    return lines[:-1] if len(lines) > 1 and not lines[-1] else lines


def _diff(old: str, new: str) -> list[Text]:
    before = _lines(old)
    after = _lines(new) if new else []
    if max(len(before), len(after)) > _LONGEST_DIFF:
        return [*(_mark("-", line) for line in before), *(_mark("+", line) for line in after)]
    found: list[Text] = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            found += [_mark(" ", line) for line in before[i1:i2]]
        else:
            found += [_mark("-", line) for line in before[i1:i2]]
            found += [_mark("+", line) for line in after[j1:j2]]
    if before == after and old != new:
        found.append(Text("(they differ in the last line end alone)", style="dim"))
    return found


def _mark(mark: str, line: str) -> Text:
    style = {"-": _REMOVED, "+": _ADDED}.get(mark, "dim")
    return Text(f"{mark} {safe(line).expandtabs(4)}", style=style)
