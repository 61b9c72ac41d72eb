"""Limits: each has a default, is a positive number, and cannot be changed."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from sansio_claude._errors import LocalProtocolError
from sansio_claude._limits import Limits

FIELDS = [field.name for field in attrs.fields(Limits)]
MAY_BE_ZERO = {"informational", "deviations"}


@pytest.mark.parametrize("name", FIELDS)
def test_each_limit_has_a_default_and_refuses_nonsense(name: str) -> None:
    assert getattr(Limits(), name) > 0
    least = 0 if name in MAY_BE_ZERO else 1
    assert getattr(Limits(**{name: least}), name) == least
    odd: list[Any] = [least - 1, 1.5, "9", True, None]
    for value in odd:
        with pytest.raises(
            LocalProtocolError, match=f"Limits.{name} has to be a whole number of {least} or more"
        ) as caught:
            Limits(**{name: value})
        assert caught.value.path == name


def test_the_defaults_hold_what_real_answers_have() -> None:
    limits = Limits()
    assert limits.line >= 1024 * 1024
    assert limits.event >= 1024 * 1024
    assert limits.message > 45_000_000
    assert limits.depth == 512
    assert limits.error_body == 64 * 1024


def test_limits_are_values() -> None:
    assert Limits(line=5) == Limits(line=5) != Limits()
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Limits().line = 3  # type: ignore[misc]
    with pytest.raises(TypeError):
        Limits(5)  # type: ignore[call-arg]
