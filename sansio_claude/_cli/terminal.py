"""What is printed on a terminal outside of a view: lines broken at words, progress of long work."""

from __future__ import annotations

import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from typing import TextIO

__all__ = ["folded", "progress"]


def folded(text: str, stream: TextIO | None = None) -> str:
    """The line broken at words where `stream` (default: stdout) is a terminal, else as it is."""
    stream = sys.stdout if stream is None else stream
    if stream is None or not stream.isatty():
        return text
    width = max(20, shutil.get_terminal_size().columns - 1)
    indent = text[: len(text) - len(text.lstrip())]
    return "\n".join(
        textwrap.wrap(text, width, subsequent_indent=indent + "  ", break_long_words=False, break_on_hyphens=False)
        or [text]
    )


def progress(
    chunks: Iterator[bytes], what: str, total: int | None, *, clock: Callable[[], float] = time.monotonic
) -> Iterator[bytes]:
    """Pass the chunks on; where stderr is a terminal and it takes longer than a second, say there how far it is.

    `total` is the number of bytes to come, None where that is not known.
    """
    if not sys.stderr.isatty():
        yield from chunks
        return
    began = shown = clock()
    count = 0
    said = False
    try:
        for chunk in chunks:
            count += len(chunk)
            now = clock()
            if now - began > 1.0 and now - shown > 0.25:
                shown, said = now, True
                of = f" of {total / 1e6:,.1f}" if total else ""
                print(f"\r\x1b[K{what}: {count / 1e6:,.1f}{of} MB", end="", file=sys.stderr, flush=True)
            yield chunk
    finally:
        if said:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
