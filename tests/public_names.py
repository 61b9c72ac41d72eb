"""Writes what follows from the public names: the stub `sansio_claude/__init__.pyi`, and their place in the reference.

    python -m tests.public_names

The stub, which type checkers and completion read, is made from the names in `__init__.py`. A public name that no page
of docs/reference/ has yet is added to the end of the page of its wing, from where it may be moved.
"""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from types import ModuleType

import sansio_claude

ROOT = Path(__file__).parent.parent
MODULE_OF: dict[str, str] = vars(sansio_claude)["_MODULE_OF"]
STUB = ROOT / "sansio_claude" / "__init__.pyi"
REFERENCE = ROOT / "docs" / "reference"
PAGES = {
    "_stream": "streams",
    "_message": "messages",
    "_partial_json": "partial_json",
    **dict.fromkeys(("_request", "_check", "_models", "_media"), "requests"),
    **dict.fromkeys(("_errors", "_limits"), "errors"),
}
OTHERS = "calls"  # the page of every other wing of the core
# Packages with public names of their own; their page is called like them. Those that are not there are passed over.
PACKAGES = ("asyncio", "trio", "sync", "tools", "testing", "gateway", "otel", "testing.faults")


def stub() -> str:
    """The text that belongs into the stub."""
    lines = ["# Made by `python -m tests.public_names` from the names in __init__.py."]
    lines += sorted(f"from sansio_claude.{module} import {name} as {name}" for name, module in MODULE_OF.items())
    lines += ["", "__all__ = [", *(f'    "{name}",' for name in sorted(MODULE_OF)), "]"]
    return "\n".join(lines) + "\n"


def public_names() -> dict[str, str]:
    """Every public name, dotted, and the page of the reference that it belongs to; modules are left out."""
    pages = {
        f"sansio_claude.{name}": PAGES.get(module.split(".")[0], OTHERS)
        for name, module in MODULE_OF.items()
        if name != "__version__"
    }
    for package in PACKAGES:
        try:
            module = importlib.import_module(f"sansio_claude.{package}")
        except ImportError:
            continue
        for name in module.__all__:
            if not isinstance(getattr(module, name), ModuleType):
                pages[f"{module.__name__}.{name}"] = package.replace(".", "_")
    return pages


def documented() -> set[str]:
    """The names that the reference has, dotted."""
    text = "\n".join(page.read_text("utf-8") for page in REFERENCE.glob("*.md"))
    return set(re.findall(r"^\.\. auto\w+:: ([\w.]+)$", text, re.MULTILINE))


def directive(name: str) -> str:
    """The lines of the reference that show a public name."""
    module, _, attribute = name.rpartition(".")
    value = getattr(importlib.import_module(module), attribute)
    kind = "class" if inspect.isclass(value) else "function" if inspect.isroutine(value) else "data"
    # The classes that adapters share are described once, on the page of asyncio.
    shared = attribute in ("Stream", "TextIterator") and not module.endswith("asyncio")
    shared = shared or (module != "sansio_claude" and attribute in MODULE_OF)  # the page of the core has it
    return f".. auto{kind}:: {name}\n" + ("   :no-index:\n" if shared else "")


def add_to_reference() -> None:
    """Add what no page has yet. A page is one block of reStructuredText behind a heading."""
    known = documented()
    for name, page in public_names().items():
        if name in known:
            continue
        path = REFERENCE / f"{page}.md"
        if not path.exists():
            path.write_text(f"# {page}\n\n```{{eval-rst}}\n```\n", "utf-8")
        text = path.read_text("utf-8").rstrip().removesuffix("```").rstrip("\n")
        path.write_text(f"{text}\n\n{directive(name)}```\n", "utf-8")


if __name__ == "__main__":
    STUB.write_text(stub(), "utf-8")
    add_to_reference()
