"""Two message_delta, each as odd as any: joined, they say to a reader what the two of them say."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Final

import pytest

from sansio_claude import Message
from tests.frames import END, block, body, compact, message_delta, message_start, tool
from tests.gateway.repairing import hold_repair, read, repair
from tests.properties.test_repair_edits import PROMISES

CONTENTS: Final[dict[str, list[dict[str, Any]]]] = {
    "nothing": [],
    "text": block({"type": "text", "text": ""}, {"type": "text_delta", "text": "a"}),
    "a call": tool('{"a":1}'),
    "a call without a stop": tool('{"a":1}')[:-1],
    "a call without an input": tool()[:-1],
}
DELTAS: Final[tuple[dict[str, Any], ...]] = (
    message_delta(),
    message_delta(None),
    message_delta({}, usage=5),
    message_delta({"stop_reason": ""}),
    message_delta({"stop_reason": None, "stop_sequence": "x"}, usage={"output_tokens": -3, "c": {"d": 1}}),
    message_delta({"stop_reason": "tool_use", "x": 1}),
    message_delta({"stop_reason": "max_tokens", "usage": {"output_tokens": 9, "a": 1}}),
    message_delta({"stop_reason": 5, "usage": 7}, usage={"output_tokens": "x"}),
    message_delta({"usage": {"output_tokens": -1, "b": 2}}, usage=None),
    message_delta({"id": "other", "content": []}, id="z", new=[1]),
    message_delta({"stop_reason": "end_turn"}, new=None),
)


def bodies_of(kind: str) -> list[bytes]:
    pairs = itertools.product(DELTAS, repeat=2)
    return [
        body(message_start(), *CONTENTS[kind], *pair, *end, spell=compact) for pair in pairs for end in ((END,), ())
    ]


@pytest.mark.parametrize("kind", CONTENTS)
def test_they_are_repaired_as_one(kind: str) -> None:
    for data in bodies_of(kind):
        hold_repair(data)
        before, after = read(data), read(repair(data).out)
        if isinstance(before, Message):
            assert isinstance(after, Message)
            kept = dict(after.to_dict(), stop_reason=None)
            # What the two of them say of the reason may be mended once more: it has to fit the content.
            assert kept == dict(before.to_dict(), stop_reason=None)


@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize("kind", CONTENTS)
def test_what_is_passed_on_of_them(kind: str, promise: Callable[[bytes], None]) -> None:
    for data in bodies_of(kind):
        promise(data)
