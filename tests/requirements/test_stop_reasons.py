"""Requirement F: every stop reason is a value to match on, with a documented next step."""

from __future__ import annotations

from typing import Any

import pytest

from sansio_claude import Message, next_step

STEPS = {
    "end_turn": "finished",
    "max_tokens": "cut",
    "stop_sequence": "finished",
    "tool_use": "run_tools",
    "pause_turn": "resume",
    "refusal": "refused",
    "model_context_window_exceeded": "context_full",
    "compaction": "compacted",
    "a_reason_to_come": "finished",
}


@pytest.mark.parametrize("reason", STEPS)
def test_F_every_stop_reason_has_a_next_step(reason: str) -> None:
    value: dict[str, Any] = {"role": "assistant", "content": [], "stop_reason": reason, "usage": {"output_tokens": 0}}
    message = Message.from_dict(value)
    match message.stop_reason:
        case "tool_use":
            expected = "run_tools"
        case other:
            expected = STEPS[str(other)]
    assert next_step(message.stop_reason) == expected
    assert message.to_dict() == value


def test_F_a_refusal_may_have_text_or_none() -> None:
    for content in ([], [{"type": "text", "text": "I would like to"}]):
        message = Message.from_dict(
            {"content": content, "stop_reason": "refusal", "stop_details": {"type": "refusal", "category": None}}
        )
        assert message.stop_reason == "refusal"
        assert message.stop_details == {"type": "refusal", "category": None}
        assert message.to_param()["content"] == content
