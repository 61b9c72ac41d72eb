"""The scanner behind PartialJSON: a coroutine that takes JSON text in pieces and keeps its place between them.

Rules of the machine (RFC 8259; what is visible when is this library's own):

* It stands in one of these modes: FIRST_VALUE (after `[`), VALUE, FIRST_KEY (after `{`), KEY, COLON, TEXT (inside a
  string), AFTER (a value of an array or object has ended), END (the outermost value has ended; only whitespace may
  follow). A character that no mode allows ends it for good: `ScanState.error`.
* Before each suspension everything that has arrived is used, except the unfinished token at the end, which is put in
  front of the next piece: a number, a literal, an unfinished escape, a high surrogate whose partner is undecided.
  These have a bounded length (of a long number only its stem is kept, see `stem_of`), and strings are decoded as they
  come, so that the work is linear in the text however it is cut.
* A container is visible from its bracket on, a string from its opening quote on, a literal once whole, a number
  while its characters so far are a number by themselves: `12` is, `12.` is not, and then it is withdrawn. An object
  has a member once its value is visible; of equal keys the last one wins, and a withdrawn number brings back what the
  key had before.
* There is no recursion: open containers stand on a list.

It is a generator because a resumed generator finds its local variables as it left them; with methods, loading and
storing them would cost more than the scanning of a short piece does. It refers to the state only, never to the
parser that drives it, so there is no reference cycle.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator
from json.decoder import scanstring as _typed_scanstring  # type: ignore[attr-defined]
from typing import Any, Final

from sansio_claude._partial_json_grammar import (
    DIGITS,
    LITERALS,
    LONGEST_SHOWN,
    MINUS_INFINITY,
    NOT_NUMBERS,
    NUMBER_ENDS,
    NUMBER_STARTS,
    SPACES,
    match_escape,
    match_key,
    match_next_key,
    match_number,
    match_numbers,
    match_space,
    match_string,
    stem_of,
)
from sansio_claude._partial_json_state import MISSING, Operation, ScanState

__all__ = ["scan"]

FIRST_VALUE, VALUE, FIRST_KEY, KEY, COLON, TEXT, AFTER, END = range(8)
HIDDEN, SHOWN, NAME = range(3)  # what the string at hand is: a value shown when whole, one shown at once, a key

_scanstring: Final[Callable[[str, int], tuple[str, int]]] = _typed_scanstring
_loads: Final[Callable[[str], Any]] = json.loads


def scan(
    state: ScanState, allow_nan: bool, max_depth: int, mode: int = VALUE, base: int = 0
) -> Generator[None, str, None]:
    """Make the coroutine; `next()` starts it, `send(text)` goes on. It never ends and never raises.

    `mode` and `base` (characters already used) let it start behind a value that
    was parsed in one go.
    """
    top = state.top
    stack = state.stack
    literals = LITERALS | NOT_NUMBERS if allow_nan else LITERALS
    keep = state.keep
    value_role = SHOWN if keep else HIDDEN
    box: Any = top  # the innermost open container, or `top`
    in_object = False
    slot: Any = 0  # the key or index that the value at hand has in `box`
    text = ""  # the piece at hand, in front of it the unfinished token of the one before
    i = n = 0  # the next character, and how many there are; `base` is the index of text[0] in the whole
    role = HIDDEN
    s = ""  # the string at hand, decoded
    piece = ""  # what the piece at hand adds to it
    shown = False  # a number that may still grow stands in box[slot]
    seen = 0  # how many characters of `text` it was made of
    before: Any = MISSING  # what an earlier equal key had there
    held: list[str] = []  # a long number, up to where its stem stands in `text`
    stem = 0  # length of that stem
    why = ""

    while True:
        if i >= n:
            base += n
            text = yield
            i = 0
            n = len(text)
            continue

        if mode == TEXT:
            if i:
                text = text[i:]
                base += i
                i = 0
                n = len(text)
            # Three ways: nothing special in it; a C scan that ends at our own quote or before; the slow one, for
            # escapes cut off at the end and for errors.
            k = text.rfind("\\")
            end = -1
            if k < 0 and '"' not in text and text.isprintable():
                piece = text
                end = n + 1
            elif k < n - 6 or (k < n - 1 and text[k + 1] != "u"):
                try:
                    piece, end = _scanstring(text + '"', 0)
                except ValueError:
                    end = -1
            kept = n  # the unfinished end of it starts here
            if end < 0:
                match = match_string(text, 0)
                j = match.end()
                if j < n and text[j] == '"':
                    kept = j
                    end = j + 1
                else:
                    kept = match.start(1) if match.end(1) == j else j
                    end = n + 1
                    if j < n:
                        unfinished = match_escape(text, j)
                        if unfinished is None:
                            why = "a control character in a string must be escaped"
                            i = j
                        elif unfinished.end() < n:
                            why = "no such escape in JSON strings"
                            i = unfinished.end()
                piece = _scanstring(text[:kept] + '"', 0)[0]
            # CPython extends a string in place if nobody else holds it, so the container lets go of it first.
            if role == SHOWN:
                box[slot] = None
                s += piece
                box[slot] = s
                if state.log is not None and piece:
                    state.log.append(("text", state.place(slot), piece))
            else:
                s += piece
            if why:
                break
            if end > n:
                base += kept
                text = text[kept:] + (yield)
                i = 0
                n = len(text)
                continue
            i = end
            if role == NAME:
                slot = s
                mode = COLON
            else:
                if role == SHOWN:
                    state.growing = ""
                    if state.log is not None:
                        state.log.append(("close", state.place(slot), s))
                else:
                    if in_object:
                        box[slot] = s
                    else:
                        slot = len(box)
                        box.append(s)
                    if state.log is not None:
                        state.log.append(("value", state.place(slot), s))
                if stack:
                    mode = AFTER
                else:
                    mode = END
                    state.whole = True
            s = ""
            continue

        if mode == AFTER:
            c = text[i]
            if in_object:
                hit = match_next_key(text, i)
                if hit is not None:
                    slot = hit[1]
                    i = hit.end()
                    mode = VALUE
                    continue
                if c == ",":
                    i += 1
                    mode = KEY
                    continue
                closes = c == "}"
            elif c == ",":
                i += 1
                mode = VALUE
                continue
            else:
                closes = c == "]"
            if not closes:
                if c not in SPACES:
                    why = "a comma or the closing bracket must stand here"
                    break
                i = match_space(text, i).end()
                continue
        elif mode <= VALUE:
            c = text[i]
            closes = False
            if c == '"':
                i += 1
                j = text.find('"', i)
                if j >= 0:
                    # Mostly strings are short, plain and whole.
                    s = text[i:j]
                    if "\\" in s or not s.isprintable():
                        j = match_string(text, i).end()
                        if j < n and text[j] == '"':
                            s = _scanstring(text, i)[0]
                        else:
                            j = -1
                    if j >= 0:
                        i = j + 1
                        if in_object:
                            box[slot] = s
                        else:
                            slot = len(box)
                            box.append(s)
                        if state.log is not None:
                            if keep:
                                state.log.append(("open", state.place(slot), ""))
                                if s:
                                    state.log.append(("text", state.place(slot), s))
                                state.log.append(("close", state.place(slot), s))
                            else:
                                state.log.append(("value", state.place(slot), s))
                        s = ""
                        if stack:
                            mode = AFTER
                        else:
                            mode = END
                            state.whole = True
                        continue
                role = value_role
                s = ""
                if keep:
                    if in_object:
                        box[slot] = s
                    else:
                        slot = len(box)
                        box.append(s)
                    state.slot = slot
                    state.growing = "text"
                    if state.log is not None:
                        state.log.append(("open", state.place(slot), s))
                mode = TEXT
                continue
            if c in NUMBER_STARTS and not (allow_nan and text.startswith("-I", i)):
                if not (in_object or shown or held) and stack:
                    hit = match_numbers(text, i)
                    if hit is not None:
                        # Several whole numbers of an array: one call for all of them.
                        run = text[i : hit.end()]
                        try:
                            found = _loads("[" + run[: run.rindex(",")] + "]")
                        except ValueError:
                            pass  # an int with too many digits; one by one they tell which
                        else:
                            if state.log is not None:
                                for number in found:
                                    state.log.append(("value", (*state.path, len(box)), number))
                                    box.append(number)
                            else:
                                box += found
                            i = hit.end()
                            mode = VALUE
                            continue
                match = match_number(text, i)
                j = match.end()
                token = text[i:j]
                is_float = match.lastindex is not None
                number = MISSING
                if j == n:
                    # More of it may come.
                    whole = token[-1] in DIGITS
                    if held or len(token) > LONGEST_SHOWN:
                        held.append(token[stem:])
                        if whole and not stack:
                            limit = sys.get_int_max_str_digits()
                            whole = is_float or not limit or sum(map(len, held)) - (held[0][0] == "-") <= limit
                        token = stem_of(token)
                        stem = len(token)
                    elif whole:
                        try:
                            number = float(token) if is_float else int(token)
                        except ValueError:
                            whole = False
                    if number is not MISSING:
                        if shown:
                            box[slot] = number
                        elif in_object:
                            before = box.get(slot, MISSING)
                            box[slot] = number
                        else:
                            slot = len(box)
                            box.append(number)
                        shown = True
                        state.slot = slot
                        state.growing = "number"
                        if state.log is not None:
                            state.log.append(("number", state.place(slot), number))
                    elif shown:
                        state.withdraw(box, slot, before)
                        shown = False
                    state.whole = whole and not stack
                    seen = len(token)
                    base += n - seen
                    text = token + (yield)
                    state.whole = False
                    i = 0
                    n = len(text)
                    continue
                if token[-1] in DIGITS:
                    if held:
                        held.append(token[stem:])
                        token = "".join(held)
                        held.clear()
                        stem = 0
                    try:
                        number = float(token) if is_float else int(token)
                    except ValueError:
                        why = f"an integer of {len(token)} characters is more than int() takes"
                else:
                    why = "a digit must stand here"
                i = j
                if why:
                    if shown:
                        state.withdraw(box, slot, before)
                    break
                ended = text[j] in NUMBER_ENDS
                state.growing = "" if ended else "number"
                known = shown and j == seen
                if shown:
                    box[slot] = number
                    shown = False
                elif in_object:
                    box[slot] = number
                else:
                    slot = len(box)
                    box.append(number)
                state.slot = slot
                if state.log is not None and (ended or not known):
                    what: Operation = ("settled" if known else "value") if ended else "number"
                    state.log.append((what, state.place(slot), number))
                if stack:
                    mode = AFTER
                else:
                    mode = END
                    state.whole = True
                continue
            if c == "{" or c == "[":
                if len(stack) >= max_depth:
                    state.too_deep = True
                    why = f"it nests deeper than max_depth = {max_depth}"
                    break
                i += 1
                new: Any = {} if c == "{" else []
                if in_object:
                    box[slot] = new
                else:
                    slot = len(box)
                    box.append(new)
                if state.log is not None:
                    state.path = state.place(slot)
                    state.log.append(("open", state.path, new))
                stack.append(new)
                box = new
                in_object = c == "{"
                mode = FIRST_KEY if in_object else FIRST_VALUE
                continue
            if c in SPACES:
                i = match_space(text, i).end()
                continue
            if mode == FIRST_VALUE and c == "]":
                closes = True
            else:
                literal = literals.get(c) if c != "-" else MINUS_INFINITY
                if literal is None:
                    why = "a value must stand here"
                    break
                word, constant = literal
                if not text.startswith(word, i):
                    j = i
                    while j < n and text[j] == word[j - i]:
                        j += 1
                    if j == n:
                        base += i
                        text = text[i:] + (yield)
                        i = 0
                        n = len(text)
                        continue
                    i = j
                    why = f"only {word} can begin like this"
                    break
                i += len(word)
                if in_object:
                    box[slot] = constant
                else:
                    slot = len(box)
                    box.append(constant)
                if state.log is not None:
                    state.log.append(("value", state.place(slot), constant))
                if stack:
                    mode = AFTER
                else:
                    mode = END
                    state.whole = True
                continue
        elif mode <= KEY:
            if i == 0 or mode == FIRST_KEY:
                hit = match_key(text, i)
                if hit is not None:
                    slot = hit[1]
                    i = hit.end()
                    mode = VALUE
                    continue
            c = text[i]
            if c == '"':
                i += 1
                j = match_string(text, i).end()
                if j < n and text[j] == '"':
                    slot, i = _scanstring(text, i)
                    mode = COLON
                else:
                    role = NAME
                    mode = TEXT
                continue
            if c in SPACES:
                i = match_space(text, i).end()
                continue
            closes = c == "}" and mode == FIRST_KEY
            if not closes:
                why = "a key in double quotes must stand here"
                break
        else:
            c = text[i]
            if c in SPACES:
                i = match_space(text, i).end()
                continue
            if mode == COLON and c == ":":
                i += 1
                mode = VALUE
                continue
            why = "a colon must stand here" if mode == COLON else "nothing may follow the outermost value"
            break

        # The innermost open container is whole.
        i += 1
        stack.pop()
        if state.log is not None:
            state.log.append(("close", state.path, box))
            state.path = state.path[:-1]
        if stack:
            box = stack[-1]
            in_object = type(box) is dict
            mode = AFTER
        else:
            box = top
            in_object = False
            mode = END
            state.whole = True

    state.whole = False
    state.error = (base + i, why)
    text = s = ""
    while True:
        yield
