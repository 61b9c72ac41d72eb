"""HalfCharacters: halves of surrogate pairs that a peer cut between two deltas of a block, joined again.

RFC 8259 section 8.2 lets JSON text hold half a pair, and gateways that cut by UTF-16 units send one. The first half is
held back until the next delta of its kind in the same block, or until the block ends.
"""

from __future__ import annotations

import re
from typing import Final

from sansio_claude._json import mend_text

__all__ = ["HalfCharacters"]

_HALF: Final = re.compile("[\ud800-\udfff]")


class HalfCharacters:
    """The halves held back in one stream, by block index and class of the delta."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held: dict[tuple[int, type], str] = {}
        """What is held back, by block index and class of the delta."""

    def holds(self, index: int) -> bool:
        """Whether a half of block `index` is held back."""
        return bool(self.held) and any(key[0] == index for key in self.held)

    def receive(self, index: int, kind: type, text: str, *, keep: bool) -> tuple[str, bool]:
        """Take the text of a delta; gives what can be shown of it now, and whether a half stood alone in it.

        A half that stands alone is kept where `keep`, else U+FFFD takes its place.
        """
        held = self.held
        if not text or (not held and text.isascii()):
            return text, False
        text = held.pop((index, kind), "") + text
        if text.isascii() or _HALF.search(text) is None:
            return text, False
        if "\ud800" <= text[-1] <= "\udbff":
            held[index, kind] = text[-1]
            text = text[:-1]
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")  # joins what belongs together
        if keep:
            return text, False
        mended = mend_text(text)
        return mended, mended is not text

    def released(self, index: int | None = None) -> list[tuple[int, type, str]]:
        """Take what is held back of one block, or of all: each index, class of delta and half, in order."""
        found = [(at, kind, half) for (at, kind), half in self.held.items() if index is None or at == index]
        for at, kind, _ in found:
            del self.held[at, kind]
        return sorted(found, key=lambda each: each[0])
