"""The documentation: `python -m sphinx -W --keep-going -b html docs build/docs`."""

from __future__ import annotations

import re

from sphinx.pycode import ModuleAnalyzer

import sansio_claude
from sansio_claude import __version__
from sansio_claude._described import HEADING

project = "sansio_claude"
author = "The sansio_claude developers"
copyright = f"2026, {author}"  # noqa: A001 - the name that Sphinx reads
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["build"]
html_theme = "furo"
html_title = f"sansio_claude {release}"
# Names in single backticks are code, as they are in the docstrings and in Markdown.
default_role = "code"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "inherited-members": False, "show-inheritance": False}
# Aliases of types and names under TYPE_CHECKING are shown as they are written.
autodoc_preserve_defaults = True
nitpicky = False
# Names such as `type` are attributes of several classes; annotations mean the built-in ones.
suppress_warnings = ["ref.python"]

_CODE = re.compile(r"(?<![`:\w])`([^`\n]+)`(?![`\w_])")


def as_restructured_text(app: object, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Docstrings are written as Markdown: a paragraph indented by four spaces is code, single backticks are code."""
    if what == "data":
        lines[:] = _written_below(name)
    if HEADING in lines:
        del lines[lines.index(HEADING) :]  # the fields follow one by one, with the same words
    result: list[str] = []
    in_code = False
    for number, line in enumerate(lines):
        indented = line.startswith("    ") and bool(line.strip())
        after_blank = number == 0 or not lines[number - 1].strip()
        if indented and after_blank and not in_code and not _in_list(lines, number):
            result += [".. code-block:: text", ""]
            in_code = True
        elif line.strip() and not indented:
            in_code = False
        result.append(line if in_code else _CODE.sub(r"``\1``", line))
    lines[:] = [*result, ""]


def _written_below(name: str) -> list[str]:
    """The docstring below a value where it is defined; Sphinx would take that of the value's class."""
    attribute = name.rpartition(".")[2]
    home = vars(sansio_claude)["_MODULE_OF"].get(attribute)
    if home is None:
        return []
    analyzer = ModuleAnalyzer.for_module(f"sansio_claude.{home}")
    return list(analyzer.find_attr_docs().get(("", attribute), []))


def _in_list(lines: list[str], number: int) -> bool:
    """Whether the indented line belongs to a list item or a definition above it."""
    for line in reversed(lines[:number]):
        if line.strip() and not line.startswith("    "):
            return line.lstrip().startswith(("- ", "* ")) or bool(re.match(r"\d+\. ", line))
    return False


def setup(app: object) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", as_restructured_text)  # type: ignore[attr-defined]
