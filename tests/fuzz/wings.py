"""Which parts of the library a target reads: their edges guide its search. The others run as they are, and faster.

Nothing of the library is imported here: what is to be instrumented has to be known before that.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

__all__ = ["WINGS", "modules", "others"]

_ROOT: Final = "sansio_claude"
WINGS: Final[dict[str, tuple[str, ...]]] = {
    "sse": ("_stream.sse", "_stream.endings"),
    "stream": ("_stream", "_message", "_partial_json", "_json", "_errors"),
    "partial_json": ("_partial_json", "_json"),
    "repair": ("gateway", "_stream.accumulate", "_stream.decode", "_stream.sse", "_json"),
    "chunked": ("_http.chunked",),
    "exchange": ("_http",),
    "tls": ("_connect.tls",),
    "call": ("_call", "_http", "_errors", "_redact"),
    "address": ("_connect.address", "_percent"),
    "proxies": ("_connect", "_http.head", "_redact"),
    "editor": ("tools._text_editor", "tools._text_edits", "tools._files", "tools._disk_files", "tools._lenient"),
}


def modules(name: str) -> list[str]:
    """The modules whose edges guide a target."""
    prefixes = tuple(f"{_ROOT}.{wing}." for wing in WINGS[name])
    return [each for each in _all() if f"{each}.".startswith(prefixes)]


def others(name: str) -> list[str]:
    """All the other modules of the library."""
    return sorted(set(_all()) - set(modules(name)))


def _all() -> list[str]:
    spec = find_spec(_ROOT)
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).parent
    paths = (path.relative_to(root).with_suffix("") for path in sorted(root.rglob("*.py")))
    return [".".join((_ROOT, *(part for part in path.parts if part != "__init__"))) for path in paths]
