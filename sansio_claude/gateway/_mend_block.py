"""One content block on its way through a repair: what it is, where it goes, what has been said about it."""

from __future__ import annotations

from typing import Any, Final

from sansio_claude._errors import ClaudeError
from sansio_claude._json import loads_input

__all__ = ["DELTA_OF", "EMPTY_OF", "STRING_OF", "TOOLS", "MendBlock", "empty_block", "join_halves"]

TOOLS: Final = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
# The key of each delta that carries a string, and the kinds of block it fits.
STRING_OF: Final[dict[str, str]] = {
    "text_delta": "text",
    "input_json_delta": "partial_json",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
}
DELTA_OF: Final[dict[str, tuple[str, ...]]] = {
    "text": ("text_delta", "citations_delta"),
    "thinking": ("thinking_delta", "signature_delta"),
    "compaction": ("compaction_delta",),
    **dict.fromkeys(TOOLS, ("input_json_delta",)),
}
# What a block of a known kind has to carry from its start on, and what stands for it where it is missing or null.
EMPTY_OF: Final[dict[str, dict[str, Any]]] = {
    "text": {"text": ""},
    "thinking": {"thinking": "", "signature": ""},
    **dict.fromkeys(TOOLS, {"id": "", "name": "", "input": {}}),
}
_START_OF: Final[dict[str, str]] = {
    "text_delta": "text",
    "citations_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "thinking",
}


def empty_block(delta_type: str) -> dict[str, Any] | None:
    """The block that a delta of this type belongs to, empty; None where that would have to be invented."""
    kind = _START_OF.get(delta_type)
    return None if kind is None else {"type": kind, **EMPTY_OF[kind]}


def join_halves(held: str, text: str, *, alone: str | None = "\ufffd") -> tuple[str, str, bool]:
    """`held` and `text` with the halves of surrogate pairs joined.

    Gives the text, the half that has to wait for the next piece ("" for none), and whether a half stood alone.
    `alone` stands for such a half; None leaves it. Linear in the length of the text.
    """
    text = held + text
    if not text or text.isascii():
        return text, "", False
    waiting = ""
    if "\ud800" <= text[-1] <= "\udbff":
        text, waiting = text[:-1], text[-1]
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace" if alone else "surrogatepass")
    lonely = joined.encode("utf-16-le", "surrogatepass") != text.encode("utf-16-le", "surrogatepass")
    if alone is None:
        lonely = any("\ud800" <= character <= "\udfff" for character in joined)
    return joined, waiting, lonely


class MendBlock:
    """A block that has started. `index` is the one it goes out with."""

    __slots__ = ("citations", "held", "index", "input", "kind", "parts", "stopped", "twice")

    def __init__(self, kind: str, index: int, raw: dict[str, Any]) -> None:
        self.kind = kind
        self.index = index
        self.stopped = False
        self.held = ""  # a high surrogate that waits for its other half
        self.twice: set[str] = set()  # the deltas that come once and have come
        self.input: Any = raw.get("input")  # as its start gave it
        self.parts: list[str] = []  # the fragments of its input

    @property
    def tool(self) -> bool:
        """Whether it is a call of any kind."""
        return self.kind in TOOLS

    def input_is_whole(self) -> bool:
        """Whether its input, as it stands, is one whole JSON object. Linear in its length."""
        text = "".join(self.parts)
        if not text.strip():
            return self.input is None or isinstance(self.input, dict) or self.input == ""
        try:
            return isinstance(loads_input(text), dict)
        except ClaudeError:
            return False
