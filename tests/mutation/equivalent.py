"""Mutants that change nothing that can be seen from outside, each with its reason: by file, line and change."""

from __future__ import annotations

from typing import Final

__all__ = ["EQUIVALENT"]

_FALSE: Final = "its callers ask only whether it is true"

EQUIVALENT: Final[dict[tuple[str, str, str], str]] = {
    ("sansio_claude/_errors/bodies.py", "return False", "returns None"): _FALSE,
    ("sansio_claude/_errors/error_object.py", 'return ""', "returns None"): _FALSE,
    ("sansio_claude/_connect/socks.py", "return 0", "returns None"): _FALSE,
    (
        "sansio_claude/_errors/bodies.py",
        "return zlib.decompressobj(31).decompress(body, _MOST_DECOMPRESSED) or body",
        "31 becomes 32",
    ): "32 takes zlib's own format, too, and what is given begins as gzip does",
}
