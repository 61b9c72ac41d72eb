"""What a stream leaves in a message and its blocks: nothing shared with the events, and each input with its status."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from sansio_claude import ContentBlockStart, Message, MessageStream, TextBlock, ToolUseBlock
from sansio_claude._message.halves import mend_message
from sansio_claude._message.written import Unsaid
from tests.frames import END, START, body, delta, message_delta, start, stop, text, tool

CITATIONS = [{"type": "char_location", "cited_text": f"c{number}"} for number in range(3)]


def events_of(*events: Any) -> list[Any]:
    stream = MessageStream()
    stream.receive_data(body(*events))
    return list(stream.events_received())


def test_the_start_of_a_block_stays_as_it_came() -> None:
    found = events_of(
        START,
        start(0, {"type": "text", "text": "", "citations": CITATIONS[:1]}),
        *(delta(0, type="citations_delta", citation=citation) for citation in CITATIONS[1:]),
        text("so"),
        stop(),
        message_delta({"stop_reason": "end_turn"}),
        END,
    )
    (begun,) = [event for event in found if isinstance(event, ContentBlockStart)]
    (block,) = found[-1].message.content
    assert isinstance(begun.content_block, TextBlock)
    assert begun.content_block.to_dict() == {"type": "text", "text": "", "citations": CITATIONS[:1]}
    assert block.to_dict() == {"type": "text", "text": "so", "citations": CITATIONS}


@pytest.mark.parametrize("given", [{}, {"input": None}, {"input": ""}, {"input": {}}])
def test_a_call_without_arguments_shows_what_came_of_its_input(given: dict[str, Any]) -> None:
    call = {"type": "tool_use", "id": "t", "name": "f", **given}
    stream = MessageStream()
    stream.receive_data(body(START, start(0, call), stop()))
    assert stream.message is not None
    (block,) = stream.message.content
    assert isinstance(block, ToolUseBlock)
    assert (block.partial_input, block.input_status) == (given.get("input"), "partial")
    stream.receive_data(body(message_delta({"stop_reason": "tool_use"}), END))
    assert (block.partial_input, block.input, block.input_status) == (given.get("input"), {}, "complete")


@pytest.mark.parametrize(
    ("fragments", "open_status", "status"),
    [
        (('{"a": [1, ', "2"), "partial", "partial"),
        (('{"a": 1', "}}"), "invalid", "invalid"),
        (("[1, ", "2]"), "partial", "invalid"),  # an array is judged when it has ended
    ],
)
@pytest.mark.parametrize("behind", [[], [stop()], [stop(), message_delta({"stop_reason": "max_tokens"}), END]])
def test_the_status_of_an_input_that_is_no_object_is_known_at_any_moment(
    fragments: tuple[str, ...], open_status: str, status: str, behind: list[Any]
) -> None:
    stream = MessageStream()
    stream.receive_data(body(START, *tool(*fragments)[:-1], *behind))
    assert stream.message is not None
    (block,) = stream.message.tool_uses
    for _ in range(2):
        for one in (block, copy.deepcopy(block)):
            assert one.input_status == (status if behind else open_status)
            assert one.input_json == "".join(fragments)
        stream.receive_eof()


@pytest.mark.parametrize(("given", "shown"), [({"toolset_name": "x"}, "x"), ({}, None), ({"toolset_name": 5}, None)])
def test_the_toolset_of_a_call(given: dict[str, Any], shown: str | None) -> None:
    assert ToolUseBlock({"type": "tool_use", "id": "t", "name": "f", "input": {}, **given}).toolset_name == shown


@pytest.mark.parametrize("size", [1, 799, 800, 801, 900, 1_000, 1_000_000])
def test_a_repr_is_short_at_any_size(size: int) -> None:
    shown = repr(TextBlock({"type": "text", "text": "x" * size}))
    assert len(shown) < 850
    assert ("x" * min(size, 200)) in shown
    assert size <= 800 or str(size) in shown


class TestHalves:
    """Of characters beyond the first 65,536: in an answer that came whole each lone half becomes U+FFFD."""

    def read(self, value: dict[str, Any]) -> Message:
        return Message.from_json(json.dumps(value).encode())

    def test_in_texts_and_in_keys(self) -> None:
        odd = {"x\ud800": {"y\udc00": ["\ud83d", {"z": "\udc00a"}], "plain": "p"}, "\ud83d\ude00": "😀"}
        message = self.read({"type": "message", "role": "assistant", "content": [], "new": odd})
        assert message.to_dict()["new"] == {
            "x\ufffd": {"y\ufffd": ["\ufffd", {"z": "\ufffda"}], "plain": "p"},
            "😀": "😀",
        }
        assert json.dumps(message.to_dict(), ensure_ascii=False).encode()

    @pytest.mark.parametrize(
        ("value", "mended"),
        [
            ({"k\ud800": 1}, {"k\ufffd": 1}),
            ({"a": {"k\ud800": 1}}, {"a": {"k\ufffd": 1}}),
            ({"a": ["\udc00"]}, {"a": ["\ufffd"]}),
            ({"a": "b", "c": [{"d": None}]}, None),
            ({"content": [{"input": {"k\ud800": "\udc00"}}]}, None),
        ],
    )
    def test_whether_anything_was_mended_is_said(self, value: Any, mended: Any) -> None:
        before = copy.deepcopy(value)
        assert mend_message(value) is (mended is not None)
        assert value == (before if mended is None else mended)

    def test_keys_without_halves_stay_in_their_order(self) -> None:
        value = {"b": "\ud800", "a": 1, "c": {"e": "\udc00", "d": 2}}
        message = self.read({"type": "message", "role": "assistant", "content": [], **value})
        assert list(message.to_dict())[-3:] == ["b", "a", "c"]
        assert list(message.to_dict()["c"]) == ["e", "d"]

    def test_in_the_input_of_a_call_alone_they_stay(self) -> None:
        call = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": "\ud800", "b\udc00": [1]}}
        message = self.read({"type": "message", "role": "assistant", "content": [call], "stop_reason": "tool_use"})
        assert message.tool_uses[0].input == call["input"]
        assert message.to_param()["content"][0]["input"] == {"a": "\ufffd", "b\ufffd": [1]}


@pytest.mark.parametrize("place", [0, 1, 2, 999_999_999])
def test_what_was_written_of_a_block_that_is_not_there_says_nothing(place: int) -> None:
    value = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "x"}], "stop_reason": None}
    said = Unsaid(1, {place: frozenset({"a"})}, {place: "given"}, False)
    message = Message.from_dict(value)
    message._take_unsaid(said)
    assert message.to_dict() == value
