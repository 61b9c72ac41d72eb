"""All the targets by name, and the inputs that once broke one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.fuzz import bodies, connections, editor
from tests.fuzz.target import Target

__all__ = ["CRASHES", "TARGETS", "crashes"]

TARGETS: Final[dict[str, Target]] = {
    target.name: target for target in (*bodies.TARGETS, *connections.TARGETS, *editor.TARGETS)
}
CRASHES: Final = Path(__file__).parent.parent / "data" / "crashes"


def crashes() -> list[tuple[str, Path]]:
    """Each kept input with the name of its target, which is the folder that it is in."""
    return [(path.parent.name, path) for path in sorted(CRASHES.glob("*/*")) if path.is_file()]
