"""HalfRuns: halves of surrogate pairs held back between two deltas, so that what was repaired once stays as it is.

In a tool input a half that stands alone goes out as it came. A second repair would hold it back where it is the last
character of a delta. So the first one lets none stand there: all the halves at the end of a delta wait, not the last
alone, and go out in front of what comes next.
"""

from __future__ import annotations

from typing import Final

from sansio_claude._stream.halves import HalfCharacters

__all__ = ["HalfRuns"]

_FIRST_HALVES: Final = "".join(map(chr, range(0xD800, 0xDC00)))


class HalfRuns(HalfCharacters):
    """The halves held back in one stream, by block index and class of the delta."""

    __slots__ = ()

    def receive(self, index: int, kind: type, text: str, *, keep: bool) -> tuple[str, bool]:
        """As HalfCharacters takes it, but that where `keep` a run of halves is held back whole. Linear."""
        held = self.held
        if not keep or not text or (not held and text.isascii()):
            return super().receive(index, kind, text, keep=keep)
        run = held.pop((index, kind), "")
        run += text  # in place, since nobody else has it: a long run must not cost its square
        last = len(text) - len(text.rstrip(_FIRST_HALVES))
        if last == len(text):
            held[index, kind] = run
            return "", False
        if last:
            held[index, kind] = text[-last:]
            run = run[:-last]
        return run.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass"), False
