"""What the schema of a hint allows is what the conversion takes, and the other way round."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from sansio_claude._errors import LocalProtocolError
from sansio_claude._json import dumps
from sansio_claude.tools._misfit import Misfit
from sansio_claude.tools._types import InputType
from tests.tools.hints import hints, validator_of, values_for


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(hints(), st.data())
def test_schema_and_conversion_agree(hint: Any, data: st.DataObject) -> None:
    try:
        kind = InputType.of_type(hint)
    except LocalProtocolError:
        reject()
    judge = validator_of(kind.schema)
    judge.check_schema(kind.schema)
    dumps(kind.schema)
    value = data.draw(values_for(kind.schema, kind.schema.get("$defs", {})))
    allowed = judge.is_valid(value)
    found = outcome(kind, value, texts=False)
    assert found.startswith("taken") is allowed, (
        f"{value!r} is {found}, {'' if allowed else 'not '}allowed: {kind.schema}"
    )
    if allowed:  # what fits needs no leniency, and is not changed by it
        assert outcome(kind, value, texts=True) == found


def outcome(kind: InputType, value: Any, *, texts: bool) -> str:
    try:
        return f"taken: {kind.convert(value, texts=texts)!r}"
    except Misfit as misfit:
        return f"refused: {misfit}"
