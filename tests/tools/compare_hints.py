"""Type hints of all kinds against the official SDK and pydantic: the schema, the values taken and refused, the words.

    python -m tests.tools.compare_hints [--all]

For each hint a function is made a tool here and by the SDK's `beta_tool`, and pydantic's TypeAdapter gets the hint
alone. Each then gets the same values. The table shows where we differ from one of them, each difference with its
reason, and what the model is told of a value that is refused; `--all` shows every hint. A difference without a reason
is an error (exit status 1), and so is a reason that is no longer needed.
"""

from __future__ import annotations

import argparse
import collections
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import attrs
import pydantic
from anthropic import beta_tool

from sansio_claude._errors import ClaudeError
from sansio_claude.tools import tool
from tests.tools.hint_cases import CASES
from tests.tools.hint_reasons import REASONS, RULES

__all__ = ["Row", "compared", "main"]

_UNSAID = ("title",)


@attrs.define
class Row:
    """One hint or one value of it, as the three have it."""

    case: str
    what: str
    ours: str
    sdk: str
    pydantic: str
    reason: str = ""
    words: str = ""

    @property
    def differs(self) -> bool:
        """Whether we do otherwise than one of the others."""
        return self.ours != self.sdk or self.ours != self.pydantic


def compared() -> list[Row]:
    """Every hint and every value, with the reason of each difference ("" where there is none)."""
    rows = []
    for case, hint, values in CASES:
        sides = [_ours(hint), _sdk(hint), _pydantic(hint)]
        rows.append(Row(case, "schema", *(schema for schema, _ in sides)))
        for value in values:
            row = Row(case, f"{value!r}", *(_outcome(take, value) for _, take in sides))
            row.words = _words(sides[0][1], value) if row.ours == "refused" else ""
            rows.append(row)
    for row in rows:
        if row.differs:
            row.reason = REASONS.get((row.case, row.what)) or next((why for name, why in RULES if name(row)), "")
    return rows


def _function(hint: Any) -> Callable[..., Any]:
    def take(x: Any) -> Any:
        """Take it."""
        return x

    take.__annotations__["x"] = hint
    return take


Side = tuple[str, Callable[[Any], Any] | None]


def _ours(hint: Any) -> Side:
    try:
        made = tool(_function(hint))
    except ClaudeError:
        return "refused", None
    return _shown(dict(made.input_schema)), lambda value: made.call({"x": value})


def _sdk(hint: Any) -> Side:
    try:
        made: Any = beta_tool(_function(hint))
    except Exception:  # whatever it raises, it takes no such hint
        return "refused", None
    return _shown(made.input_schema), lambda value: made.call({"x": value})


def _pydantic(hint: Any) -> Side:
    try:
        adapter: Any = pydantic.TypeAdapter(hint)
        schema = adapter.json_schema()
    except Exception:
        return "refused", None
    definitions = schema.pop("$defs", {})
    return _shown({"properties": {"x": schema}, "$defs": definitions}), adapter.validate_python


def _shown(schema: dict[str, Any]) -> str:
    """A schema on one line: references in place, without titles and the order of keys."""
    return _text(schema["properties"]["x"], schema.get("$defs", {}), ())


def _text(schema: Any, definitions: dict[str, Any], above: tuple[str, ...]) -> str:
    if not isinstance(schema, dict):
        return repr(schema)
    schema = dict(schema)
    name = str(schema.pop("$ref", "")).rpartition("/")[2]
    if name:
        if name in above:
            return f"<{name}>"
        schema = {**definitions[name], **schema}
    if "const" in schema:
        schema["enum"] = [schema.pop("const")]
    if "enum" in schema:  # the values say the type
        schema.pop("type", None)
    words = []
    for key, value in sorted(schema.items()):
        if key in _UNSAID:
            continue
        if key == "properties":
            inner = ", ".join(f"{one}: {_text(item, definitions, (*above, name))}" for one, item in value.items())
            words.append(f"properties {{{inner}}}")
        elif key in ("anyOf", "oneOf", "prefixItems"):
            words.append(f"{key} [{', '.join(_text(item, definitions, (*above, name)) for item in value)}]")
        elif key in ("items", "additionalProperties", "propertyNames"):
            words.append(f"{key} {_text(value, definitions, (*above, name))}")
        else:
            words.append(f"{key} {value!r}")
    return f"{{{'; '.join(words)}}}"


def _outcome(take: Callable[[Any], Any] | None, value: Any) -> str:
    if take is None:
        return "-"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = take(value)
    except (ClaudeError, ValueError, TypeError, AssertionError):
        return "refused"
    except Exception as error:
        return f"raises {type(error).__name__}"
    return f"{found!r}"


def _words(take: Callable[[Any], Any] | None, value: Any) -> str:
    """What the model is told of a value that does not fit."""
    assert take is not None
    try:
        take(value)
    except ClaudeError as error:
        return error.message.splitlines()[0].partition("take: ")[2]
    return ""


def main(arguments: Iterable[str] | None = None) -> int:
    """Print the table; 1 where a difference has no reason."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="show what is the same, too")
    options = parser.parse_args(None if arguments is None else list(arguments))
    rows = compared()
    print("| hint | what | ours | SDK | pydantic | reason | our words |\n|---|---|---|---|---|---|---|")
    for row in rows:
        if row.differs or options.all:
            why = row.reason or ("?" if row.differs else "")
            cells = (row.case, row.what, row.ours, row.sdk, row.pydantic, why, row.words)
            print("| " + " | ".join(cell.replace("|", "\\|")[:160] for cell in cells) + " |")
    counted = collections.Counter(row.reason for row in rows if row.differs)
    print(f"\n{len(CASES)} hints, {len(rows) - len(CASES)} values; {sum(counted.values())} differences:\n")
    for reason, number in counted.most_common():
        print(f"- {number} {reason or 'WITHOUT A REASON'}")
    unused = [key for key in REASONS if key not in {(row.case, row.what) for row in rows if row.differs}]
    for key in unused:
        print(f"- no longer needed: the reason of {key}")
    return int(bool(counted[""] or unused))


if __name__ == "__main__":
    sys.exit(main())
