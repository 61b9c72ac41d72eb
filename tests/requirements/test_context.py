"""Requirements H: context. One test for each."""

from __future__ import annotations

from typing import Any

from sansio_claude import Endpoint, Message, MessageRequest, model_info, user

COMPACTION: dict[str, Any] = {
    "type": "compaction",
    "content": None,
    "encrypted_content": "b3BhcXVl",
    "signature": "c2ln",
    "tool_changes": [],
}


def test_H1_compaction() -> None:
    management = {
        "edits": [
            {
                "type": "compact_20260112",
                "trigger": {"type": "input_tokens", "value": 50_000},
                "pause_after_compaction": True,
                "instructions": "Keep the names.",
            }
        ]
    }
    message = Message.from_dict({"role": "assistant", "content": [COMPACTION], "stop_reason": "compaction"})
    request = MessageRequest(
        model="claude-opus-4-6",
        max_tokens=1000,
        messages=[message, user("Go on.")],
        context_management=management,
        betas=["compact-2026-01-12"],
    )
    body = request.to_dict()
    assert body["context_management"] == management
    assert body["messages"][0] == {"role": "assistant", "content": [COMPACTION]}
    assert list(body["messages"][0]["content"][0]) == list(COMPACTION)
    assert request.check() == []
    alone = MessageRequest(compaction={"type": "summarize", "instructions": "Briefly."})
    assert alone.to_dict() == {"compaction": {"type": "summarize", "instructions": "Briefly."}}


def test_H2_the_flag_for_a_context_of_1m_tokens() -> None:
    info = model_info("claude-sonnet-4-6")
    assert info is not None
    assert info.context_window_flag is not None
    request = MessageRequest(model=info.id, max_tokens=5, messages=[user("hi")], betas=[info.context_window_flag])
    head = Endpoint.from_base_url("https://h", api_key="k").request_head(request)
    assert head.get("anthropic-beta") == "context-1m-2025-08-07"
    assert request.check() == []
    (needless,) = request.replace(model="claude-opus-5-5").check()
    assert (needless.severity, needless.path) == ("info", "betas")


def test_H3_long_conversations_go_as_they_are() -> None:
    turns = [
        {"role": ("user", "assistant")[number % 2], "content": f"turn {number} " + "x" * 5000} for number in range(2001)
    ]
    request = MessageRequest(model="claude-opus-5-5", max_tokens=5, messages=turns)
    assert request.to_dict()["messages"] == turns
    assert request.check() == []
