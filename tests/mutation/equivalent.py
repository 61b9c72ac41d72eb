"""Mutants that change nothing that can be seen from outside, each with its reason: by file, line and change."""

from __future__ import annotations

from typing import Final

__all__ = ["EQUIVALENT"]

EQUIVALENT: Final[dict[tuple[str, str, str], str]] = {}
