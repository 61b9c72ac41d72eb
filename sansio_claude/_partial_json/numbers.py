"""GrowingNumber: a number that is cut by the end of a piece, or that is odd. The scanner reads all others itself.

What is shown of it: what is a number by itself, up to `LONGEST_SHOWN` characters. It is withdrawn while it is none
(`12.`), and a longer one is shown once it is whole. Of a long number only the stem is kept in the text (see `stem_of`),
so that it is not scanned again with each piece.
"""

from __future__ import annotations

import sys
from typing import Any

from sansio_claude._partial_json.grammar import DIGITS, LONGEST_SHOWN, NUMBER_ENDS, match_number, stem_of
from sansio_claude._partial_json.state import MISSING, Operation, ScanState

__all__ = ["NOTHING_MORE", "NO_COMMA", "GrowingNumber"]

NO_COMMA = "a comma or the closing bracket must stand here"
NOTHING_MORE = "nothing may follow the outermost value"


class GrowingNumber:
    """The number at hand, between the pieces that it comes in."""

    __slots__ = ("before", "held", "seen", "shown", "slot", "stem", "token", "why")

    def __init__(self) -> None:
        self.token = ""
        """It, or its stem, as it is put in front of the next piece."""
        self.slot: Any = 0
        """The key or index that it has in the innermost open container."""
        self.why = ""
        """What is wrong with it, once something is."""
        self.shown = False  # whether it stands in the container
        self.seen = 0  # how many characters that was made of
        self.before: Any = MISSING  # what an earlier equal key had there
        self.held: list[str] = []  # a long number, up to where its stem stands in the text
        self.stem = 0  # length of that stem

    def take(self, state: ScanState, text: str, start: int, number: Any, end: int, box: Any, slot: Any) -> int:
        """Take the number at `start`; gives where it ends, which is the end of the text while more of it may come.

        `number` and `end` are what the C scanner made of it (MISSING and -1: nothing), `box` and `slot` its place.
        """
        size = len(text)
        if end == size and size - start <= LONGEST_SHOWN and not self.held:
            # All that has come of it is a number by itself, and more of it may come.
            token = self.token = text[start:]
            self.seen = len(token)
            if self.shown:
                box[self.slot] = number
            else:
                if type(box) is dict:
                    self.before = box.get(slot, MISSING)
                    box[slot] = number
                else:
                    slot = len(box)
                    box.append(number)
                self.slot = slot
                self.shown = True
            state.slot = self.slot
            state.growing = "number"
            if state.log is not None:
                state.log.append(("number", state.place(self.slot), number))
            state.whole = not state.stack
            return end
        if end < 0 or end == size or self.held or text[end] not in NUMBER_ENDS:
            return self._take_odd(state, text, start, box, slot)
        if self.shown and state.log is None:
            box[self.slot] = number
            state.growing = ""
            self.shown = False
            return end
        self._show(state, number, box, slot)
        self._end(state, number, end, ended=True)
        return end

    def _take_odd(self, state: ScanState, text: str, start: int, box: Any, slot: Any) -> int:
        """Take one that is no number yet, is too long to be shown, or has something wrong behind it."""
        end, number, whole = self._read(text, start, bool(state.stack))
        self._show(state, number, box, slot)
        if self.why:
            return end
        if end < len(text):
            self._end(state, number, end, ended=text[end] in NUMBER_ENDS)
        else:
            state.whole = whole and not state.stack
            self.seen = len(self.token)
        return end

    def _show(self, state: ScanState, number: Any, box: Any, slot: Any) -> None:
        """Put it into its container, or take it out again where it is none (MISSING)."""
        if number is MISSING:
            if self.shown:
                state.withdraw(box, self.slot, self.before)
                self.shown = False
        elif self.shown:
            box[self.slot] = number
        elif type(box) is dict:
            box[slot] = number
            self.slot = slot
        else:
            self.slot = len(box)
            box.append(number)

    def _read(self, text: str, start: int, inside: bool) -> tuple[int, Any, bool]:
        """Where the number ends, its value if it can be shown, and whether it is one by itself."""
        match = match_number(text, start)
        end = match.end()
        token = text[start:end]
        is_float = match.lastindex is not None
        whole = token[-1] in DIGITS
        held = self.held
        if end < len(text):
            if held:
                held.append(token[self.stem :])
                token = "".join(held)
                held.clear()
                self.stem = 0
            self.token = token
            number: Any = MISSING
            if not whole:
                self.why = "a digit must stand here"
            elif len(token) > LONGEST_SHOWN and text[end] not in NUMBER_ENDS:
                # It is shown once it is whole, which it will never be.
                self.why = NO_COMMA if inside else NOTHING_MORE
            else:
                try:
                    number = float(token) if is_float else int(token)
                except ValueError:
                    self.why = f"an integer of {len(token)} characters is more than int() takes"
            return end, number, whole
        if held or len(token) > LONGEST_SHOWN:
            held.append(token[self.stem :])
            if whole and not (inside or is_float):
                limit = sys.get_int_max_str_digits()
                whole = not limit or sum(map(len, held)) - (held[0][0] == "-") <= limit
            token = stem_of(token)
            self.stem = len(token)
        else:
            whole = False  # `1.` and such, or more digits than int() takes
        self.token = token
        return end, MISSING, whole

    def _end(self, state: ScanState, number: Any, end: int, *, ended: bool) -> None:
        """Its end is in sight. Where what follows is wrong, nobody is told that the number is whole."""
        same = self.shown and end == self.seen
        if state.log is not None and not (same and not ended):
            what: Operation = ("settled" if same else "value") if ended else "number"
            state.log.append((what, state.place(self.slot), number))
        if not ended:
            state.slot = self.slot
        state.growing = "" if ended else "number"
        self.shown = False
