"""`Continuation.join`: how many characters repeat the end of an answer, and which cannot be meant."""

from __future__ import annotations

from typing import Any

import pytest

from sansio_claude import Continuation
from tests.request.test_continuation import a_request, go_on, message, text

LONG = (
    "".join(chr(ord("a") + number * number % 23) + f"{number}" for number in range(400)) + "#"
)  # a last character that is nowhere else


def joined(before: str, after: str) -> str:
    found: Any = go_on(a_request(), message(None, text(before)))
    assert isinstance(found, Continuation)
    assert found.join(after) == before + after[len(found.repeated(after)) :]
    return found.repeated(after)


@pytest.mark.parametrize(
    ("length", "is_left_out"), [(1, False), (11, False), (12, True), (13, True), (14, True), (600, True), (601, False)]
)
def test_twelve_to_six_hundred_characters_are_a_repetition(length: int, is_left_out: bool) -> None:
    for new in ("", "|new", "|news"):
        assert len(joined(LONG, LONG[-length:] + new)) == (length if is_left_out else 0)


@pytest.mark.parametrize("parts", [2, 3, 4])
@pytest.mark.parametrize("unit", ["0" * 12, "ab12cd34", "one, two; ab", "0123456789x"])
def test_what_is_made_of_equal_parts_may_well_be_meant(unit: str, parts: int) -> None:
    assert joined("So:" + unit * parts, unit * parts + "!") == ""
