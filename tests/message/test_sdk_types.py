"""Every block, delta and event of the newest official SDK has a class here, and every stop reason a next step."""

from __future__ import annotations

import typing

import pytest

from sansio_claude import next_step
from sansio_claude._message.blocks import UnknownBlock, block_from_dict
from sansio_claude._request.continuation import STEPS
from tests.sdk_types import table

pytest.importorskip("anthropic")


def test_every_block_has_a_class() -> None:
    from anthropic.types.beta import beta_content_block

    union = typing.get_args(beta_content_block.BetaContentBlock)[0]
    kinds = [cls.model_fields["type"].annotation for cls in typing.get_args(union)]
    assert len(kinds) >= 18
    for kind in kinds:
        (name,) = typing.get_args(kind)
        texts = dict.fromkeys(("text", "thinking", "signature", "data", "id", "name", "tool_use_id"), "x")
        assert not isinstance(block_from_dict({"type": name, **texts}), UnknownBlock)


def test_every_stop_reason_has_a_step() -> None:
    from anthropic.types.beta import beta_stop_reason

    assert set(typing.get_args(beta_stop_reason.BetaStopReason)) <= set(STEPS)
    assert next_step("end_turn") == "finished"


def test_the_table_of_the_sdks_types() -> None:
    rows = {name: (kinds, named, kept) for name, kinds, named, kept in table()}
    assert len(rows) > 200
    for name in ("BetaMessage", "BetaUsage", "BetaRefusalStopDetails", "BetaDiagnostics", "BetaWebSearchResultBlock"):
        assert rows[name][2] == ""
    for name in (
        "BetaToolUseBlock",
        "BetaThinkingDelta",
        "BetaModelInfo",
        "ModelCapabilities",
        "BetaMessageTokensCount",
    ):
        assert rows[name][2] == ""
