"""Requirements D: thinking. One test for each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sansio_claude import Message, MessageRequest, model_info, tool_result, user

ANSWER: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5-5",
    "content": [
        {"type": "thinking", "thinking": "Paris, then.", "signature": "RXFRQkNrWUlBaEFC+/=="},
        {"type": "redacted_thinking", "data": "RW1vS0FoQUI="},
        {"type": "thinking", "thinking": "", "signature": "c2lnbmVk"},
        {"type": "text", "text": "I will look."},
        {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"location": "Paris"}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        ("claude-haiku-4-5", {"type": "enabled", "budget_tokens": 2000}),
        ("claude-opus-5-5", {"type": "adaptive"}),
        ("claude-opus-4-7", {"type": "adaptive", "display": "summarized"}),
        ("claude-opus-4-7", {"type": "adaptive", "display": "omitted"}),
        ("claude-haiku-5-5", {"type": "disabled"}),
    ],
)
def test_D1_kinds_of_thinking(model: str, thinking: dict[str, Any]) -> None:
    request = MessageRequest(model=model, max_tokens=4000, messages=[user("hi")], thinking=thinking)
    assert request.to_dict()["thinking"] == thinking
    assert request.check() == []


def test_D2_thinking_comes_before_text_and_stays_opaque() -> None:
    message = Message.from_dict(ANSWER)
    kinds = [block.type for block in message.content]
    assert kinds == ["thinking", "redacted_thinking", "thinking", "text", "tool_use"]
    assert message.text == "I will look."
    assert message.to_dict() == ANSWER


def test_D3_thinking_goes_back_unchanged_with_the_calls() -> None:
    message = Message.from_json(json.dumps(ANSWER).encode())
    request = MessageRequest(messages=[user("w?"), message, user(tool_result("toolu_1", "15"))])
    turn = b'{"role":"assistant","content":' + json.dumps(ANSWER["content"], separators=(",", ":")).encode() + b"}"
    assert turn in request.body()


def test_D4_interleaved_thinking() -> None:
    flag = "interleaved-thinking-2025-05-14"
    big = {"type": "enabled", "budget_tokens": 10_000}
    for model in ("claude-opus-4-5", "claude-haiku-4-5", "claude-sonnet-4-6"):
        request = MessageRequest(model=model, max_tokens=4000, messages=[user("hi")], thinking=big)
        assert [p.path for p in request.check() if p.severity == "error"] == ["thinking.budget_tokens"]
        # What is left says that the model, or manual thinking on it, is deprecated.
        left = request.replace(betas=[flag]).check()
        assert all(p.severity == "warning" and "deprecated" in p.message for p in left)
    adaptive = MessageRequest(
        model="claude-opus-4-6", max_tokens=4000, messages=[user("hi")], thinking={"type": "adaptive"}, betas=[flag]
    )
    assert [problem.severity for problem in adaptive.check()] == ["info"]
    info = model_info("claude-opus-4-6")
    assert info is not None
    assert info.interleaved == ("adaptive",)
