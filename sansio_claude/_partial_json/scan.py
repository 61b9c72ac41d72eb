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
storing them would cost more than the scanning of a short piece does. Only a number that is cut, or odd, is taken by
an object of its own (`GrowingNumber`). It refers to the state only, never to the
parser that drives it, so there is no reference cycle.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from sansio_claude._partial_json.grammar import (
    DIGITS,
    LITERALS,
    MANY,
    MINUS_INFINITY,
    NOT_NUMBERS,
    NUMBER_ENDS,
    NUMBER_STARTS,
    SPACES,
    fault_in_string,
    match_key,
    match_next_key,
    match_numbers,
    match_space,
    scan_once,
    scan_string,
    unfinished_from,
)
from sansio_claude._partial_json.numbers import NO_COMMA, NOTHING_MORE, GrowingNumber
from sansio_claude._partial_json.state import MISSING, Place, ScanState

__all__ = ["scan"]

FIRST_VALUE, VALUE, FIRST_KEY, KEY, COLON, TEXT, AFTER, END = range(8)
HIDDEN, SHOWN, NAME = range(3)  # what the string at hand is: a value shown when whole, one shown at once, a key


def scan(state: ScanState, allow_nan: bool, max_depth: int, *, ended: bool = False) -> Generator[None, str, None]:
    """Make the coroutine; `next()` starts it, `send(text)` goes on. It never ends and never raises.

    Each text has at least one character. With `ended` it starts behind a value that was parsed in one go.
    """
    mode = END if ended else VALUE
    stack = state.stack
    literals = LITERALS | NOT_NUMBERS if allow_nan else LITERALS
    keep = state.keep
    value_role = SHOWN if keep else HIDDEN
    box: Any = state.top  # the innermost open container, or `top`
    in_object = False
    slot: Any = 0  # the key or index that the value at hand has in `box`
    text = ""  # the piece at hand, in front of it the unfinished token of the one before
    i = n = 0  # the next character, and how many there are
    role = HIDDEN
    s = ""  # the string at hand, decoded
    where: Place = ()  # its place, once somebody wants to know
    piece = ""  # what the piece at hand adds to it
    growing = GrowingNumber()
    waits = False  # whether the text so far ended in a number, which now stands in front of the piece at hand
    why = ""

    while True:
        if i >= n:
            text = yield
            i = 0
            n = len(text)

        if mode == TEXT:
            if i:
                text = text[i:]
                i = 0
            if role == SHOWN:
                # What long text mostly is, on the shortest way. CPython extends a string in place if nobody else
                # holds it, so the container lets go of it first.
                while "\\" not in text and '"' not in text and text.isprintable():
                    box[slot] = None
                    s += text
                    box[slot] = s
                    if state.log is not None:
                        where = where or state.place(slot)
                        state.log.append(("text", where, text))
                    text = yield
            n = len(text)
            cut = n
            if "\\u" in text:
                cut = unfinished_from(text)
            elif text[-1] == "\\":
                cut -= (n - len(text.rstrip("\\"))) & 1  # one that escapes what is to come, unless it is escaped
            try:
                # Ends at its own quote, or at the one that is put behind it here.
                piece, end = scan_string((text if cut == n else text[:cut]) + '"', 0)
            except ValueError:
                i, cut, why = fault_in_string(text)
                piece, end = scan_string(text[:cut] + '"', 0)
            if role == SHOWN:
                box[slot] = None
                s += piece
                box[slot] = s
                if state.log is not None and piece:
                    where = where or state.place(slot)
                    state.log.append(("text", where, piece))
            else:
                s += piece
            if end > cut:
                if why:
                    break
                if cut < n:
                    text = text[cut:] + (yield)
                else:
                    text = yield
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
                if i < n and text[i] == " ":
                    i += 1
                mode = VALUE
                continue
            else:
                closes = c == "]"
            if not closes:
                if c not in SPACES:
                    why = NO_COMMA
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
                        try:
                            s, j = scan_string(text, i)
                        except ValueError:
                            j = -1  # cut, or wrong
                    else:
                        j += 1
                    if j >= 0:
                        i = j
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
                    where = ()
                    if state.log is not None:
                        state.log.append(("open", state.place(slot), s))
                mode = TEXT
                continue
            if c in NUMBER_STARTS and not (allow_nan and text.startswith("-I", i)):
                if n - i > MANY and not (in_object or waits) and stack:
                    hit = match_numbers(text, i)
                    if hit is not None:
                        # Several whole numbers of an array: one call for all of them.
                        run = text[i : hit.end()]
                        try:
                            numbers, _ = scan_once("[" + run[: run.rindex(",")] + "]", 0)
                        except ValueError:
                            pass  # an int with too many digits; one by one they tell which
                        else:
                            if state.log is not None:
                                for number in numbers:
                                    state.log.append(("value", (state.path, len(box)), number))
                                    box.append(number)
                            else:
                                box += numbers
                            i = hit.end()
                            mode = VALUE
                            continue
                number = MISSING
                j = -1
                if not waits or not growing.held:
                    if c != "-" or text[i + 1 : i + 2] in DIGITS:
                        try:
                            number, j = scan_once(text, i)
                        except ValueError:
                            pass
                    if 0 <= j < n and text[j] in NUMBER_ENDS and not waits:
                        # Nearly always that was it: the number has its end in sight.
                        if in_object:
                            box[slot] = number
                        else:
                            slot = len(box)
                            box.append(number)
                        if state.log is not None:
                            state.log.append(("value", state.place(slot), number))
                        i = j
                        if stack:
                            mode = AFTER
                        else:
                            mode = END
                            state.whole = True
                        continue
                i = growing.take(state, text, i, number, j, box, slot)
                if growing.why:
                    why = growing.why
                    break
                waits = i == n
                if waits:
                    text = growing.token + (yield)
                    state.whole = False
                    i = 0
                    n = len(text)
                elif stack:
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
                role = NAME
                mode = TEXT
                if text.find('"', i) >= 0:
                    try:
                        slot, i = scan_string(text, i)
                        mode = COLON
                    except ValueError:
                        pass  # cut, or wrong
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
            why = "a colon must stand here" if mode == COLON else NOTHING_MORE
            break

        # The innermost open container is whole.
        i += 1
        stack.pop()
        if state.log is not None:
            state.log.append(("close", state.path, box))
            state.path = state.path[0] if state.path else ()
        if stack:
            box = stack[-1]
            in_object = type(box) is dict
            mode = AFTER
        else:
            mode = END
            state.whole = True

    state.whole = False
    state.error = why
    state.unused = n - i
    text = s = ""
    while True:
        state.unused += len((yield))
