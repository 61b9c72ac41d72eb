"""What cannot mislead is taken, and recorded as a deviation of one kind; with strict=True that deviation is refused.

Beside each case stands its neighbour that could mislead, which is refused under any setting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.faults.case import Outcome, case
from tests.faults.cases_answers import tool_is
from tests.faults.cases_events import MIDDLE, THINK, failing, odd, recorded, refused, text_of
from tests.faults.cases_limits import json_answer
from tests.faults.pieces import EVENTS, HELLO, JSON, MESSAGE, PING, TEXT_BLOCK, whole
from tests.faults.server import READ
from tests.frames import DELTA, END, START, block, delta, message_delta, start, stop, text, tool

OPENED = EVENTS[:6]
"""A whole block of text; what stands behind it belongs to the second block."""
SETTINGS: dict[str, dict[str, Any]] = {"": {}, "_strict": {"strict": True}}
"""The dial of the client, by the end of the name of the case."""
TOOL_END = (message_delta({"stop_reason": "tool_use", "stop_sequence": None}), END)


def taken(
    name: str,
    kind: str,
    *values: Any,
    given: str | None = None,
    times: int = 1,
    then: Callable[[Outcome], object] | None = None,
    **more: Any,
) -> None:
    """Taken, with deviations of one kind; with strict=True refused after the text `given`."""
    odd(name, "ok", *values, check=recorded(*[kind] * times, then=then), **more)
    words = f"a deviation of the kind '{kind}' is refused here"
    odd(f"{name}_strict", "protocol", *values, given=given, words=words, client={"strict": True})


def without_index(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key != "index"}


# An index that is left out or null: taken while exactly one block can be meant.

TWO_OPEN = (start(1, TEXT_BLOCK),)
for how, spell in (("null", lambda event: {**event, "index": None}), ("missing", without_index)):
    taken(
        f"index_{how}",
        "index_missing",
        *MIDDLE,
        spell(text("x")),
        *EVENTS[5:],
        text="Hello, x",
        given="Hello, ",
    )
    taken(f"stop_index_{how}", "index_missing", *EVENTS[:5], spell(stop()), *EVENTS[6:], given=HELLO)
    taken(f"start_index_{how}", "index_missing", START, spell(start(0, TEXT_BLOCK)), *EVENTS[2:], given="")
    unclear = "is missing, and 2 blocks are open"
    refused(f"index_{how}_two_open", *TWO_OPEN, spell(text("x")), words=unclear)
    refused(f"stop_index_{how}_two_open", *TWO_OPEN, spell(stop()), words=unclear)
    refused(f"start_index_{how}_one_open", spell(start(1, TEXT_BLOCK)), words="another block is open")
    unclear = "is missing, and no block is open"
    refused(f"index_{how}_none_open", stop(0), spell(text("x")), words=unclear)
    refused(f"stop_index_{how}_none_open", stop(0), spell(stop()), words=unclear)

# Null and nothing where a string or a list belongs: empty. A value of another type is refused.

taken("content_null", "no_content", {**START, "message": {**START["message"], "content": None}}, *EVENTS[1:], given="")
for how, fields in (("null", {"text": None}), ("missing", {})):
    taken(
        f"text_{how}",
        "empty_value",
        *MIDDLE,
        delta(0, type="text_delta", **fields),
        *EVENTS[3:],
        given="Hello, ",
    )


def thinks(outcome: Outcome) -> None:
    """A block of thinking, whose null delta added nothing."""
    assert outcome.message is not None
    found: Any = outcome.message.content[-1]
    assert (found.thinking, found.signature) == ("", "")


for key in ("thinking", "signature"):
    for how, fields in (("null", {key: None}), ("missing", {})):
        taken(
            f"{key}_{how}",
            "empty_value",
            *OPENED,
            *block(THINK, {"type": f"{key}_delta", **fields}, index=1),
            DELTA,
            END,
            given=HELLO,
            then=thinks,
        )
    for how, value in (("number", 5), ("list", ["x"])):
        refused(f"{key}_{how}", stop(0), start(1, THINK), delta(1, type=f"{key}_delta", **{key: value}))
for how, fields in (("null", {"partial_json": None}), ("missing", {})):
    taken(
        f"tool_input_{how}",
        "empty_value",
        START,
        tool()[0],
        delta(0, type="input_json_delta", **fields),
        stop(0),
        *TOOL_END,
        text="",
        then=tool_is({}),
    )
odd(
    "tool_input_number",
    "protocol",
    START,
    tool()[0],
    delta(0, type="input_json_delta", partial_json=5),
    stop(0),
    *TOOL_END,
)

# Half a character: halves that follow each other are joined; one that stays alone is U+FFFD.

HALVES = (text_of(b"\\ud83d"), text_of(b"\\ude42"))
for setting, client in SETTINGS.items():
    for name, halves in (("surrogate_halves", HALVES), ("surrogate_halves_apart", (HALVES[0], PING, HALVES[1]))):
        smiling = (*MIDDLE, *halves, *EVENTS[5:])
        odd(f"{name}{setting}", "ok", *smiling, text="Hello, \U0001f642", check=recorded(), client=client)
for name, odd_values, shown in (
    ("lone_surrogate", (text_of(b"\\ud800"),), "\ufffd"),
    ("lone_low_surrogate", (text_of(b"\\ude42"),), "\ufffd"),
    ("lone_surrogate_before_text", (text_of(b"\\ud83d"), text("x")), "\ufffdx"),
    ("surrogate_in_text", (text_of(b"a\\ud83db"),), "a\ufffdb"),
):
    taken(
        name,
        "half_character",
        *MIDDLE,
        *odd_values,
        *EVENTS[5:],
        text=f"Hello, {shown}",
        given="Hello, ",
    )
taken(
    "surrogate_halves_swapped",
    "half_character",
    *MIDDLE,
    *reversed(HALVES),
    *EVENTS[5:],
    text="Hello, \ufffd\ufffd",
    given="Hello, ",
    times=2,
)

# What stands behind message_stop: it is not read, whatever it is and however much, and never refused.

OTHER = {**START, "message": {**START["message"], "id": "msg_2"}}
for name, late in (
    ("after_message_stop", (text("more"),)),
    ("error_after_stop", (failing(),)),
    ("start_after_stop", (OTHER, *EVENTS[1:])),
    ("stop_twice", (END,)),
    ("garbage_after_stop", (b"event: x\ndata: {{{\n\n",)),
    ("bad_utf8_after_stop", (b"data: \xff\n\n",)),
    ("much_after_stop", tuple(text("more") for _ in range(100))),
):
    for setting, client in SETTINGS.items():
        odd(f"{name}{setting}", "ok", *EVENTS, *late, check=recorded("after_message_stop"), client=client)
for setting, client in SETTINGS.items():
    odd(f"ping_after_stop{setting}", "ok", *EVENTS, PING, b": bye\n\n", check=recorded(), client=client)

# Whole messages: the same holds, and one that comes where a stream was asked for is the events of a stream.


def keeps(content: Any) -> Callable[[Outcome], None]:
    """A check: the message writes its content as it came."""

    def check(outcome: Outcome) -> None:
        assert outcome.message is not None
        assert outcome.message.to_dict()["content"] == content

    return check


NULL_TEXT = [{"type": "text", "text": None}]
json_answer("content_null", "ok", {**MESSAGE, "content": None}, text="", check=keeps(None))
json_answer("text_null", "ok", {**MESSAGE, "content": NULL_TEXT}, text="", check=keeps(NULL_TEXT))
case("s200_json_message", "ok", [READ, JSON], check=recorded("whole_message", then=keeps(MESSAGE["content"])))
case(
    "s200_json_message_strict",
    "protocol",
    [READ, JSON],
    given="",
    words="a deviation of the kind 'whole_message' is refused here",
    client={"strict": True},
)
case("s200_json_message_content_string", "protocol", [READ, whole({**MESSAGE, "content": "x"})])
case("s200_json_message_two", "protocol", [READ, whole([MESSAGE, MESSAGE])])
