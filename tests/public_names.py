"""Writes `sansio_claude/__init__.pyi`, which type checkers and completion read, from the public names in `__init__.py`.

python -m tests.public_names
"""

from __future__ import annotations

from pathlib import Path

import sansio_claude

MODULE_OF: dict[str, str] = vars(sansio_claude)["_MODULE_OF"]
STUB = Path(sansio_claude.__file__).with_suffix(".pyi")


def stub() -> str:
    """The text that belongs into the stub."""
    lines = ["# Made by `python -m tests.public_names` from the names in __init__.py."]
    lines += sorted(f"from sansio_claude.{module} import {name} as {name}" for name, module in MODULE_OF.items())
    lines += ["", "__all__ = [", *(f'    "{name}",' for name in sorted(MODULE_OF)), "]"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    STUB.write_text(stub(), "utf-8")
