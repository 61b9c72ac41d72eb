"""The version of the package. `pyproject.toml` and the User-Agent header take it from here."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
