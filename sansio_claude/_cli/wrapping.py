"""Breaking text into lines of a terminal. Imported only where rich is installed: it knows how wide characters are."""

from __future__ import annotations

from rich.cells import cell_len, chop_cells
from rich.text import Text

__all__ = ["wrap_text", "wrapped"]


def wrapped(text: str, width: int) -> tuple[list[str], str]:
    """Break text without line ends at words: the lines that no more text can change, and the last one.

    `width` counts cells. A word wider than a line is broken, and so is text without spaces. Linear in the text.
    """
    done: list[str] = []
    at = 0
    while True:
        # No line holds more characters than this, unless they are of no width: then it is looked at whole.
        piece = text[at : at + 2 * width + 2]
        if cell_len(piece) <= width:
            piece = text[at:]
            if cell_len(piece) <= width:
                return done, piece
        fitting = chop_cells(piece, width)[0]
        if len(fitting) == 0:  # one character that is wider than a line
            fitting = piece[:1]
        space = len(fitting) if piece[len(fitting) : len(fitting) + 1] == " " else fitting.rfind(" ")
        if space > 0:
            done.append(piece[:space])
            at += space + 1
        else:
            done.append(fitting)
            at += len(fitting)


def wrap_text(text: Text, width: int, hang: int = 0) -> list[Text]:
    """Break one line of styled text; every line but the first is moved in by `hang` cells."""
    hang = hang if hang < width // 2 else 0
    first, rest = wrapped(text.plain, width)
    if not first:
        return [text]
    lengths = [len(first[0])]
    if hang:
        behind = text.plain[len(first[0]) :]
        behind = behind.removeprefix(" ")
        more, last = wrapped(behind, width - hang)
        lengths += [len(line) for line in (*more, last)]
    else:
        lengths += [len(line) for line in (*first[1:], rest)]
    lines: list[Text] = []
    at = 0
    for length in lengths:
        line = text[at : at + length]
        lines.append(Text(" " * hang if lines else "").append_text(line))
        at += length
        if text.plain[at : at + 1] == " " and at < len(text.plain):
            at += 1
    return lines
