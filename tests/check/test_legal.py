"""No false positive: a hundred legal requests for each generation of models, and every legal block and tool."""

from __future__ import annotations

from typing import Any

import pytest

from sansio_claude import MessageRequest, ModelInfo, user
from sansio_claude._check.shapes import BLOCKS, TOP
from sansio_claude._request.request import _BODY
from tests.check.legal import GENERATIONS, legal_requests


@pytest.mark.parametrize("info", GENERATIONS.values(), ids=lambda info: info.id)
def test_nothing_is_said_of_a_hundred_legal_requests(info: ModelInfo) -> None:
    requests = legal_requests(info)
    assert len(requests) == 100
    for arguments in requests:
        found = MessageRequest.from_dict(arguments).check(date=info.released or "2025-01-01")
        # An old model's own retirement aside, which comes with the day.
        assert [problem for problem in found if problem.path != "model"] == [], arguments


def test_no_generation_is_left_out() -> None:
    assert {(3, 0), (3, 5), (3, 7), (4, 0), (4, 5), (4, 6), (4, 7), (5, 0), (5, 5)} <= set(GENERATIONS)


def test_the_keys_of_a_request_are_those_of_MessageRequest() -> None:
    assert set(_BODY) == TOP


DESCRIPTIONS = [
    "获取指定城市的当前天气信息，返回摄氏温度",
    "查询天气",
    "指定した都市の現在の天気を返します",
    "อ่านอุณหภูมิของเมืองที่กำหนดเป็นองศาเซลเซียส",
    "도시의 현재 날씨를 알려 줍니다",
    "Gets weather.",
]


@pytest.mark.parametrize("words", DESCRIPTIONS)
def test_a_description_is_one_in_every_script(words: str) -> None:
    tool = {"name": "w", "description": words, "input_schema": {"type": "object"}}
    assert MessageRequest(model="claude-opus-5-5", max_tokens=9, messages=[user("x")], tools=[tool]).check() == []


@pytest.mark.parametrize("words", ["Weather", "天气", "天気", "อากาศ", "날씨", "?"])
def test_one_word_is_one_word_in_every_script(words: str) -> None:
    tool = {"name": "w", "description": words, "input_schema": {"type": "object"}}
    (problem,) = MessageRequest(model="claude-opus-5-5", max_tokens=9, messages=[user("x")], tools=[tool]).check()
    assert "one word" in problem.message


@pytest.mark.parametrize("kind", sorted(BLOCKS))
def test_a_block_with_all_of_its_keys_has_no_unknown_one(kind: str) -> None:
    block: dict[str, Any] = dict.fromkeys(BLOCKS[kind]) | {"type": kind}
    found = MessageRequest(model="claude-opus-5-5", max_tokens=9, messages=[user("x", block)]).check()
    assert not any("has no key" in problem.message or "no known type" in problem.message for problem in found)
