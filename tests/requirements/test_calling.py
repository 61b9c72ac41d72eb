"""Requirements A: calling. One test for each, named after it; what needs a running client is shown with the clients."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sansio_claude import Endpoint, Message, MessageRequest, assistant, image, user
from tests.ground.test_media import IMAGES
from tests.request.test_request import PARAMETERS


def sent(endpoint: Endpoint, request: MessageRequest) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in endpoint.request_head(request).headers}


def test_A1_a_post_with_key_version_and_every_field() -> None:
    endpoint = Endpoint.from_base_url("https://api.anthropic.com", api_key="sk-1")
    request = MessageRequest(**PARAMETERS)
    head = endpoint.request_head(request)
    assert (head.method, head.target) == (b"POST", b"/v1/messages")
    fields = sent(endpoint, request)
    assert fields["x-api-key"] == "sk-1"
    assert fields["anthropic-version"] == "2023-06-01"
    assert fields["content-type"] == "application/json"
    assert json.loads(request.body()) == PARAMETERS


# Of the shapes that gateways answer with: keys in another order, a stray key on a tool call, no stop_sequence.
ANSWERS: list[dict[str, Any]] = [
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": "Hello!"}],
        "model": "claude-opus-4-7",
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 6},
    },
    {
        "id": "msg_2",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-20250514",
        "content": [{"type": "text", "text": "I would like to help. You"}],
        "stop_reason": "refusal",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 564,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 22,
        },
    },
    {
        "id": "msg_bdrk_3",
        "type": "message",
        "role": "assistant",
        "content": [
            {"type": "text", "text": "Let me see the file."},
            {
                "type": "tool_use",
                "text": "",
                "id": "toolu_bdrk_1",
                "name": "str_replace_based_edit_tool",
                "input": {"command": "view", "path": "/repo/primes.py"},
            },
        ],
        "model": "claude-sonnet-4-20250514",
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 1042, "output_tokens": 115},
    },
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_A2_whole_answers_parse_and_round_trip(answer: dict[str, Any]) -> None:
    message = Message.from_json(json.dumps(answer).encode())
    assert json.dumps(message.to_dict()) == json.dumps(answer)
    assert message == Message.from_dict(answer)
    assert message.stop_reason == answer["stop_reason"]
    assert message.stop_sequence is None
    assert message.usage.output_tokens == answer["usage"]["output_tokens"]
    assert message.to_param() == {"role": "assistant", "content": answer["content"]}


@pytest.mark.parametrize(
    ("endpoint", "host", "target"),
    [
        (Endpoint.from_base_url("https://aihubmix.com", api_key="k"), "aihubmix.com", "/v1/messages"),
        (Endpoint.from_base_url("https://camel.kr777.top", api_key="k"), "camel.kr777.top", "/v1/messages"),
        (Endpoint.from_messages_url("https://api.kr777.top/messages", api_key="k"), "api.kr777.top", "/messages"),
    ],
)
def test_A3_addresses_of_ones_own(endpoint: Endpoint, host: str, target: str) -> None:
    head = endpoint.request_head(MessageRequest())
    assert (head.host, head.port, head.tls, head.target.decode()) == (host, 443, True, target)
    assert head.get("host") == host
    assert endpoint.url == f"https://{host}{target}"
    assert head.get("x-api-key") == "k"


def test_A4_ways_to_sign_in_and_versions() -> None:
    request = MessageRequest()
    own = sent(Endpoint.from_base_url("https://h", api_key="Bearer KEY"), request)
    assert own["x-api-key"] == "Bearer KEY"
    assert "authorization" not in own
    bearer = sent(Endpoint.from_base_url("https://h", api_key="KEY", auth="bearer", version="2026-10-21"), request)
    assert bearer["authorization"] == "Bearer KEY"
    assert bearer["anthropic-version"] == "2026-10-21"
    assert "x-api-key" not in bearer
    both = sent(Endpoint.from_base_url("https://h", api_key="KEY", auth="both"), request)
    assert (both["x-api-key"], both["authorization"]) == ("KEY", "Bearer KEY")


def test_A5_headers_and_beta_flags_are_merged() -> None:
    endpoint = Endpoint.from_base_url("https://h", api_key="k", betas=["a"], headers={"x-tenant": "t"})
    request = MessageRequest(betas=["b", "a"], extra_headers={"anthropic-beta": "c,b", "x-trace": "1"})
    head = endpoint.request_head(request, betas=["d"])
    assert head.get("anthropic-beta") == "a,d,b,c"
    assert (head.get("x-tenant"), head.get("x-trace")) == ("t", "1")


def test_A6_a_message_goes_back_as_a_turn() -> None:
    message = Message.from_dict(ANSWERS[2])
    history: list[Any] = [user("There is an error in my file."), message, user("Go on")]
    assert MessageRequest(messages=history).to_dict()["messages"] == [
        {"role": "user", "content": "There is an error in my file."},
        {"role": "assistant", "content": ANSWERS[2]["content"]},
        {"role": "user", "content": "Go on"},
    ]


def test_A7_a_prefilled_answer() -> None:
    turns = [user("What is Latin for ant? (A) ... (B) ... (C) ..."), assistant("The answer is (")]
    old = MessageRequest(model="claude-haiku-4-5", max_tokens=1, messages=turns)
    assert old.check() == []
    assert old.to_dict()["messages"][-1] == {"role": "assistant", "content": "The answer is ("}
    for model in ("claude-opus-4-6", "claude-sonnet-4-6", "claude-opus-4-7", "claude-opus-5-5", "claude-haiku-5-5"):
        problems = old.replace(model=model).check()
        assert [(problem.severity, problem.path) for problem in problems] == [("error", "messages[1]")]


def test_A8_images(tmp_path: Path) -> None:
    for number, (data, media_type) in enumerate(IMAGES):
        path = tmp_path / f"{number}.txt"
        path.write_bytes(data)
        block = image(data)
        assert block == image(path=path)
        assert block["source"]["media_type"] == media_type
    url = image(url="https://h/a.jpg")
    request = MessageRequest(model="claude-opus-5-5", max_tokens=5, messages=[user(image(IMAGES[0][0]), url, "What?")])
    assert [block["type"] for block in request.to_dict()["messages"][0]["content"]] == ["image", "image", "text"]
    assert request.check() == []
