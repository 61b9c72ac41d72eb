"""The seeded matter that streams are filled with: words, records, documents, and how they are cut."""

from __future__ import annotations

import json
import string
from random import Random

__all__ = ["BASE64", "MULTIBYTE", "WORDS", "fragments", "long_document", "prose", "record_rows"]

_COMMON = """
    the a of and to in is it that for with as on by this be are from or at which an not have was can
    but all one each when there how use will more other about many then them these so some would
    make like into time has two first number way people than water been who now find long down day
    did get come made may part over new sound take only little work know place year live back give
    most very after thing our just name good sentence man think say great where help through much
    before line right too mean old any same tell boy follow came want show also around form three
    small set put end does another well large must big even such because turn here stream buffer
    chunk header socket parser decoder message event index delta token frame boundary
"""

WORDS: tuple[str, ...] = tuple(_COMMON.split())

BASE64 = string.ascii_letters + string.digits + "+/"

MULTIBYTE = "的一是不了人我在有他这中大来上国説語日本東京مرحباשלום😀🎉👩‍💻é"


def cut(random: Random, text: str, middle: int, longest: int) -> list[str]:
    """`text` in pieces of 1 to `longest` characters, about `middle` at the median."""
    pieces = []
    at = 0
    while at < len(text):
        length = min(longest, max(1, round(random.triangular(1, longest, middle))))
        pieces.append(text[at : at + length])
        at += length
    return pieces


def prose(random: Random, count: int, middle: int) -> list[str]:
    """`count` deltas of prose, about `middle` characters each; now and then with a newline or a quote."""
    pieces: list[str] = []
    while len(pieces) < count:
        sentence = " " + " ".join(random.choices(WORDS, k=14))
        dice = random.random()
        if dice < 0.1:
            sentence += ".\n\n"
        elif dice < 0.2:
            sentence += ' "so"'
        pieces += cut(random, sentence, middle, 16)
    return pieces[:count]


def fragments(random: Random, text: str, middle: int) -> list[str]:
    """A tool's JSON as it comes: pieces of 1 to 13 characters."""
    return cut(random, text, middle, 13)


def long_document(random: Random, size: int) -> str:
    """Code of about `size` characters: its lines, quotes and backslashes make JSON escapes frequent."""
    lines: list[str] = []
    length = 0
    while length < size:
        name = random.choice(WORDS)
        line = (
            " " * random.choice((0, 4, 8))
            + f'{name}_{random.randrange(100)} = call("{random.choice(WORDS)}\\n", {name})'
        )
        lines.append(line)
        length += len(line) + 1
    return "\n".join(lines)


def record_rows(random: Random, size: int) -> str:
    """A JSON object with a list of small records, about `size` characters long."""
    rows: list[dict[str, object]] = []
    length = 0
    while length < size:
        row: dict[str, object] = {
            "id": len(rows),
            "name": " ".join(random.choices(WORDS, k=2)),
            "price": round(random.random() * 1000, 2),
            "active": random.random() < 0.5,
            "tags": random.choices(WORDS, k=2),
        }
        rows.append(row)
        length += len(json.dumps(row)) + 2
    return json.dumps({"rows": rows})
