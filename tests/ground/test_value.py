"""Value and FrozenValue: what attrs would generate, held to what attrs does generate."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from sansio_claude._value import FrozenValue, Value


@attrs.define(eq=False, repr=False)
class Ours(Value):
    a: int
    b: Any = None


@attrs.define(eq=False, repr=False, frozen=True, kw_only=True)
class OursFrozen(FrozenValue):
    a: int
    b: Any = None


@attrs.define(frozen=True, kw_only=True)
class Theirs:
    a: int
    b: Any = None


@pytest.mark.parametrize("ours", [Ours, OursFrozen])
def test_equality_and_repr_are_those_of_attrs(ours: Any) -> None:
    values: list[dict[str, Any]] = [{"a": 1}, {"a": 1, "b": None}, {"a": 1, "b": [2]}, {"a": 2}]
    for one in values:
        assert repr(ours(**one)) == repr(Theirs(**one)).replace("Theirs", ours.__name__)
        for other in values:
            assert (ours(**one) == ours(**other)) is (Theirs(**one) == Theirs(**other))
    assert ours(a=1) != Theirs(a=1)
    assert ours(a=1) != 1


def test_only_what_is_frozen_can_be_hashed() -> None:
    assert hash(OursFrozen(a=1)) == hash(OursFrozen(a=1))
    assert len({OursFrozen(a=1), OursFrozen(a=1, b=None), OursFrozen(a=2)}) == 2
    with pytest.raises(TypeError):
        hash(Ours(1))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        OursFrozen(a=1).a = 2  # type: ignore[misc]


def test_a_field_is_shown_as_attrs_is_told_to() -> None:
    @attrs.define(frozen=True, eq=False, repr=False)
    class Told(FrozenValue):
        plain: str
        hidden: str = attrs.field(repr=False)
        by_function: str = attrs.field(repr=lambda value: f"<{len(value)} characters>")

    assert repr(Told("a", "secret", "secret")) == "Told(plain='a', by_function=<6 characters>)"
