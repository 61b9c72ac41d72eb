"""Repair at its edges: limits to the byte, the short ways, what is only passed on, and errors of every shape."""

from __future__ import annotations

import json

import pytest

from sansio_claude import LimitError, Limits, Message, MessageAccumulator, MessageStop, TextDelta, UnknownEvent
from sansio_claude.gateway import MendKind, MendVerdict, Repair
from sansio_claude.testing import compose
from tests.gateway.repairing import read, repair, wire
from tests.gateway.test_repair import CALL, END, START, STOP, TEXT, begin, delta, end, text


def fragment(words: str) -> bytes:
    return wire(delta(0, type="input_json_delta", partial_json=words))


def test_a_cut_input_is_listed_where_message_stop_is_added() -> None:
    called = {**END, "delta": {"stop_reason": "tool_use"}}
    repaired = repair(wire(START, begin(0, **CALL)), fragment('{"a'), wire(end(0), called))
    assert [(each.kind, each.passed) for each in repaired.mended] == [("no_message_stop", False), ("input", True)]
    assert repaired.state == "complete"


def test_a_repeated_start_that_is_passed_on_goes_out_as_it_came() -> None:
    body = wire(START, START, *TEXT, END, STOP)
    repaired = repair(body, mend={"repeated_start": "pass"})
    assert (repaired.out, repaired.passed) == (body, ["repeated_start"])


def test_fragments_of_an_input_go_out_once_each_in_a_read_of_its_own() -> None:
    called = {**END, "delta": {"stop_reason": "tool_use"}}
    chunks = [wire(START), wire(begin(0, **CALL)), *map(fragment, ('{"a"', ": 1", ", ", '"b": 2}')), wire(end(0))]
    chunks += [wire(called), wire(STOP)]
    machine = Repair()
    for chunk in chunks[:-2]:
        machine.receive_data(chunk)
        assert machine.data_to_send() == chunk
    assert repair(*chunks).out == b"".join(chunks)


@pytest.mark.parametrize("size", [23, 24])
def test_the_limit_of_all_inputs_to_the_character(size: int) -> None:
    """In each read of its own, in one read, and where the fragments are not usual ones."""
    fragments = ['{"a": "', "x" * (size - 9), '"}']
    spaced = [
        f"event: content_block_delta\ndata: {json.dumps(delta(0, type='input_json_delta', partial_json=each))}\n\n"
        for each in fragments
    ]
    called = {**END, "delta": {"stop_reason": "tool_use"}}
    around = [wire(START, begin(0, **CALL))], [wire(end(0), called, STOP)]
    for pieces in (
        list(map(fragment, fragments)),
        [b"".join(map(fragment, fragments))],
        [each.encode() for each in spaced],
    ):
        repaired = repair(*around[0], *pieces, *around[1], limits=Limits(message=23))
        assert repaired.state == ("complete" if size <= 23 else "broken")
        assert repaired.error == (None if size <= 23 else "the tool inputs pass Limits.message = 23 bytes")


def test_the_limit_of_a_whole_message_to_the_byte() -> None:
    body = json.dumps(compose("Hi", seed=1).message).encode()
    for most in (len(body) - 1, len(body)):
        machine = Repair(limits=Limits(message=most))
        for at in range(0, len(body), 50):
            machine.receive_data(body[at : at + 50])
        machine.receive_eof()
        if most == len(body):
            assert machine.state == "complete"
        else:
            assert isinstance(machine.error, LimitError)
            assert (machine.error.limit, machine.error.value) == ("message", most)


def test_the_limit_of_blocks() -> None:
    """Where blocks start, where one never started, and in message_start."""
    events = [START, begin(0), text(0, "a"), end(0), text(1, "b"), end(1), END, STOP]
    assert repair(wire(*events), limits=Limits(blocks=2)).state == "complete"
    assert repair(wire(*events), limits=Limits(blocks=1)).error == "the message has more blocks than Limits.blocks = 1"
    events[4:5] = [begin(1), text(1, "b")]
    assert repair(wire(*events), limits=Limits(blocks=2)).state == "complete"
    assert repair(wire(*events), limits=Limits(blocks=1)).error == "the message has more blocks than Limits.blocks = 1"
    for words in ("", "a"):
        began = {**START, "message": {**START["message"], "content": [{"type": "text", "text": words}] * 3}}
        assert repair(wire(began, END, STOP), limits=Limits(blocks=3)).state == "complete"
        assert repair(wire(began, END, STOP), limits=Limits(blocks=2)).state == "broken"
        replaced = repair(wire(began, begin(1), end(1), END, STOP), limits=Limits(blocks=2))
        assert replaced.state == ("broken" if words else "complete")  # empty ones give way, the last among them


def test_a_whole_message_behind_a_byte_order_mark_and_blanks() -> None:
    body = b"\xef\xbb\xbf \n" + json.dumps(compose("Hi", seed=1).message).encode()
    for chunks in ([body], [body[at : at + 1] for at in range(len(body))]):
        repaired = repair(*chunks)
        assert (repaired.kinds, repaired.state) == (["whole_message"], "complete")


def test_a_line_that_ends_like_a_usual_delta_is_none() -> None:
    machine = Repair(output="events")
    machine.receive_data(wire(START, begin(0)))
    machine.receive_data(wire(text(0, "Hi")))
    machine.events_received()
    machine.receive_data(b': x"}}\n\n')
    assert machine.events_received() == []
    machine.receive_data(wire(text(0, " there"), end(0), END, STOP))
    machine.receive_eof()
    *_, last = machine.events_received()
    assert isinstance(last, MessageStop)
    assert isinstance(last.message, Message)
    assert last.message.stop_reason == "end_turn"


def test_a_usual_delta_beyond_the_limit_of_an_event_ends_the_stream_in_a_read_of_its_own() -> None:
    start = [wire(START), wire(begin(0)), wire(text(0, "Hi"))]
    limits = Limits(event=400)
    assert repair(*start, wire(text(0, "x" * 300)), limits=limits).state == "truncated"
    assert repair(*start, wire(text(0, "x" * 400)), limits=limits).state == "broken"


def test_events_of_kinds_that_nobody_knows_come_with_what_the_reader_makes_of_them() -> None:
    machine = Repair(output="events")
    unusual = {**START, "message": {**START["message"], "new": {"a": [1]}}, "new": 1}
    machine.receive_data(wire(unusual, {**begin(0), "new": 2}, text(0, "Hi"), end(0), {**END, "new": 3}, STOP))
    machine.receive_eof()
    events = machine.events_received()
    assert isinstance(events[-1], MessageStop)
    assert isinstance(events[-1].message, Message)
    assert events[-1].message.text == ""  # what the usual deltas hold is not kept
    assert events[-1].message.stop_reason == "end_turn"


@pytest.mark.parametrize("data", [{"message": "overloaded"}, {"detail": "overloaded"}, "overloaded"])
def test_the_name_alone_makes_an_error(data: object) -> None:
    line = f"data: {json.dumps(data)}\n\n".encode()
    assert repair(wire(START), b"event: error\n" + line).state == "errored"
    assert repair(wire(START), b"event: new\n" + line).state == "truncated"


def test_what_comes_behind_message_stop_goes_out_where_it_is_passed_on() -> None:
    body = wire(START, *TEXT, END, STOP) + wire(END, {"type": "ping"}, STOP) + b'data: {"type": "x"}'
    repaired = repair(body)
    assert (repaired.out, repaired.kinds) == (wire(START, *TEXT, END, STOP, {"type": "ping"}), ["after_message_stop"])
    passed = repair(body, mend={"after_message_stop": "pass"})
    assert (passed.out, passed.passed, passed.state) == (body, ["after_message_stop"], "complete")
    assert repair(body, mend={"after_message_stop": "refuse"}).state == "complete"


def test_an_event_without_its_blank_line_behind_message_stop_is_listed() -> None:
    whole = wire(START, *TEXT, END, STOP)
    assert repair(whole + wire(END).rstrip()).kinds == ["after_message_stop"]


@pytest.mark.parametrize("kind", ["open_block", "input", "stop_reason_mismatch"])
def test_what_could_only_be_passed_on_is_refused_where_the_dial_says_so(kind: MendKind) -> None:
    cut = delta(0, type="input_json_delta", partial_json='{"a')
    ends = [] if kind == "open_block" else [end(0)]
    reason = "end_turn" if kind == "stop_reason_mismatch" else "tool_use"
    body = wire(START, begin(0, **CALL), cut, *ends, {**END, "delta": {"stop_reason": reason}}, STOP)
    assert kind in repair(body).passed
    refused = repair(body, mend={kind: "refuse"})
    assert refused.state == "broken"
    assert refused.error is not None
    assert f"the kind '{kind}' is refused here" in refused.error
    assert b'"output_tokens":9' in refused.out  # the message_delta that waited


def test_a_whole_message_that_is_passed_on_has_to_be_one() -> None:
    body = json.dumps(compose("Hi", seed=1).message).encode()
    passed = repair(body, mend={"whole_message": "pass"})
    assert (passed.out, passed.state) == (body, "complete")
    broken = repair(body.replace(b'"type": "text"', b'"type": 1'), mend={"whole_message": "pass"})
    assert (broken.state, broken.out[:12]) == ("broken", b"event: error")
    machine = Repair(output="events", mend={"whole_message": "pass"})
    machine.receive_data(body)
    machine.receive_eof()
    assert isinstance(machine.events_received()[-1], MessageStop)


def test_an_unknown_event_keeps_its_name() -> None:
    machine = Repair(output="events")
    machine.receive_data(b'event: new\ndata: {"type": "other"}\n\n')
    (event,) = machine.events_received()
    assert isinstance(event, UnknownEvent)
    assert event.name == "new"


def test_a_usual_delta_of_the_index_that_a_block_goes_out_with_is_for_no_block() -> None:
    """The short way is by the index that the block came with."""
    start = [wire(START), wire(begin(1, **CALL)), fragment('{"a"').replace(b'"index":0', b'"index":1')]
    assert repair(*start, fragment(": 1}")).error == "an input_json_delta came for block 0, which never started"
    called = {**END, "delta": {"stop_reason": "tool_use"}}
    rest = fragment(": 1}").replace(b'"index":0', b'"index":1')
    assert repair(*start, rest, wire(end(1), called, STOP)).state == "complete"


@pytest.mark.parametrize("odd", [None, 5, [], "text"])
def test_a_delta_event_without_a_delta_ends_the_stream(odd: object) -> None:
    event = {"type": "content_block_delta", "index": 0, "delta": odd}
    assert repair(wire(START, begin(0), event)).error == "a content_block_delta carries no delta"


def test_the_limit_of_an_event_in_pieces() -> None:
    body = wire(START, begin(0), text(0, "x" * 400)).rstrip() + b"\n"  # whose end has not come
    for size in (7, len(body)):
        chunks = [body[at : at + size] for at in range(0, len(body), size)]
        machine = Repair(limits=Limits(event=400))
        for chunk in chunks:
            machine.receive_data(chunk)
        assert isinstance(machine.error, LimitError)


@pytest.mark.parametrize(("verdict", "stops"), [("mend", 1), ("pass", 2)])
def test_a_block_that_stops_twice(verdict: MendVerdict, stops: int) -> None:
    body = wire(START, *TEXT, end(0), END, STOP)
    repaired = repair(body, mend={"twice": verdict})
    assert repaired.out.count(b"event: content_block_stop") == stops
    assert [(each.kind, each.passed) for each in repaired.mended] == [("twice", verdict == "pass")]


def test_an_event_without_a_type_has_that_of_its_name_where_the_name_is_known() -> None:
    known = repair(b'event: ping\ndata: {"a": 1}\n\n')
    assert (known.kinds, b'"type":"ping"' in known.out) == (["event_type"], True)
    unknown = b'event: new\ndata: {"a": 1}\n\n'
    assert (repair(unknown).kinds, repair(unknown).out[: len(unknown)]) == ([], unknown)


def test_a_line_that_only_begins_like_a_usual_delta_is_none() -> None:
    machine = Repair(output="events")
    machine.receive_data(wire(START, begin(0)))
    machine.receive_data(wire(text(0, "Hi")))
    machine.events_received()
    usual = wire(text(0, "Ho"))
    machine.receive_data(usual.replace(b'"}}\n\n', b'"]}\n\n'))
    assert machine.state == "broken"


def test_content_in_the_last_lines_says_that_the_answer_was_cut() -> None:
    """Even where a stop reason came before it: message_stop is not added then."""
    body = wire(START, *TEXT, END)
    assert repair(body + b": alive").state == "complete"
    assert repair(body + b'event: content_block_start\ndata: {"type": "content_b').state == "truncated"


def test_lines_in_a_run_of_usual_deltas_that_end_like_one() -> None:
    machine = Repair(output="events")
    machine.receive_data(wire(START, begin(0)))
    machine.events_received()
    machine.receive_data(wire(text(0, "Hi")) + b': x"}}\n\n' + wire(text(0, "Ho")))
    assert [event.text for event in machine.events_received() if isinstance(event, TextDelta)] == ["Hi", "Ho"]


@pytest.mark.parametrize("outer", [None, {}, {"output_tokens": 7}])
def test_usage_inside_the_delta_goes_out_beside_it(outer: dict[str, int] | None) -> None:
    inside = {"type": "message_delta", "delta": {"stop_reason": "end_turn", "usage": {"output_tokens": 5}}}
    repaired = repair(wire(START, *TEXT, {**inside, "usage": outer}, STOP))
    message = read(repaired.out, strict=True)
    assert isinstance(message, Message)
    assert message.usage.output_tokens == (7 if outer else 5)


def test_a_stream_that_lacks_message_start_and_message_delta() -> None:
    repaired = repair(wire(*TEXT, STOP))
    assert (repaired.kinds, repaired.state) == (["missing_start", "no_message_delta"], "complete")


@pytest.mark.parametrize(
    "error",
    [
        {"code": 1, "message": "No"},
        {"message": "No", "type": "overloaded_error"},
        {"error": {"message": "No", "type": "overloaded_error", "code": 1}, "more": 2},
        {"error": {"message": "No"}, "type": "error", "more": 2},
    ],
)
def test_an_error_in_another_shape_keeps_all_its_keys(error: dict[str, object]) -> None:
    repaired = repair(wire(START) + f"event: error\ndata: {json.dumps({**error, 'detail': [1]})}\n\n".encode())
    (data,) = (line[6:] for line in repaired.out.splitlines() if line.startswith(b'data: {"type":"error"'))
    written = json.loads(data)
    inner = error.get("error", {})
    assert isinstance(inner, dict)
    for key, value in {**error, **inner, "detail": [1]}.items():
        if key not in ("error", "type"):
            assert value in (written.get(key), written["error"].get(key))


def test_the_words_of_a_long_type_are_cut() -> None:
    odd = {"type": "d" * 99, "type_": 1, "citations": 5, "text": 5}
    found, *_ = repair(wire(START, begin(0), delta(0, **odd), end(0), END, STOP)).mended
    assert found.words.startswith("a " + "d" * 38 + " of block 0 would change")


def test_the_last_event_may_lack_its_blank_line_only_where_nothing_follows() -> None:
    passing: dict[MendKind, MendVerdict] = {"last_blank_line": "pass"}
    whole = wire(START, *TEXT, END, STOP)
    assert repair(whole[:-2], mend=passing).out == whole[:-2]
    assert repair(whole[:-2]).out == whole
    without_stop = repair(wire(START, *TEXT, END)[:-2], mend=passing)
    assert (without_stop.out, without_stop.state) == (whole, "complete")
    cut = repair(wire(START, *TEXT)[:-2], mend=passing)
    assert cut.out.startswith(wire(START, *TEXT) + b"event: error\n")


def test_an_event_without_a_type_that_is_passed_on_counts_as_what_its_name_says() -> None:
    for name, value in ((b"message_stop", b"{}"), (b"message_stop", b'{"type": null}')):
        body = wire(START, *TEXT, END) + b"event: " + name + b"\ndata: " + value + b"\n\n"
        passed = repair(body, mend={"event_type": "pass"})
        assert (passed.out, passed.state, passed.passed) == (body, "complete", ["event_type"])


def test_an_error_in_another_shape_that_is_passed_on_ends_the_stream() -> None:
    body = wire(START) + b'data: {"error": {"message": "No"}}\n\n'
    passed = repair(body + wire(*TEXT, END, STOP), mend={"error_shape": "pass", "event_name": "pass"})
    assert (passed.out, passed.state) == (body, "errored")
    listed = wire(START) + b'event: error\ndata: [{"error": {"message": "No"}}]\n\n'
    passed = repair(listed, mend={"error_shape": "pass"})
    assert (passed.out, passed.state) == (listed, "errored")


def test_a_key_that_no_delta_may_change_goes_out_only_where_it_is_passed_on() -> None:
    body = wire(START, begin(0), delta(0, type="new_delta", text="x", more=1), end(0), END, STOP)
    mended, passed = repair(body), repair(body, mend={"kept_key": "pass"})
    assert (mended.kinds, passed.passed) == (["kept_key"], ["kept_key"])
    assert b'"delta":{"type":"new_delta","more":1}' in mended.out
    assert passed.out == body


def test_events_behind_a_line_that_begins_like_json_are_read() -> None:
    body = wire(START, *TEXT, END, STOP)
    for chunks in ([b"{ junk\n\n" + body], [b"{ junk\n\n", body], [b"{", b" junk\n\n" + body]):
        assert repair(*chunks).state == "complete"


@pytest.mark.parametrize("index", [0, None])
@pytest.mark.parametrize("verdict", ["mend", "pass"])
def test_of_several_signatures_the_last_goes_out(index: int | None, verdict: MendVerdict) -> None:
    thinking = [begin(0, type="thinking", thinking="", signature="")]
    signed = [delta(index, type="signature_delta", signature=each) for each in "AB"]
    body = wire(START, *thinking, *signed, end(index), END, STOP)
    repaired = repair(body, mend={"index_missing": verdict})
    message = read(repaired.out)
    assert isinstance(message, Message)
    assert message.to_dict()["content"] == [{"type": "thinking", "thinking": "", "signature": "B"}]
    assert repaired.out.count(b"signature_delta") == 1


@pytest.mark.parametrize("odd", [{}, {"delta": None}])
def test_a_stop_reason_that_does_not_fit_beside_a_delta_that_is_missing_and_passed_on(odd: dict[str, None]) -> None:
    start = {**START, "message": {**START["message"], "stop_reason": "tool_use"}}
    body = wire(start, *TEXT, {"type": "message_delta", "usage": {}, **odd}, STOP)
    repaired = repair(body, mend={"no_message_delta": "pass"})
    assert (repaired.out, repaired.passed) == (body, ["no_message_delta", "stop_reason_mismatch"])


MARK = b"\xef\xbb\xbf"


def test_a_byte_order_mark_stays_what_it_is_where_something_else_goes_out_in_front_of_it() -> None:
    """And one that is none stays none where nothing in front of it goes out."""
    first = MARK + wire(begin(0))
    assert repair(first).out.split(b"\n\n")[1].startswith(b"event: content_block_start")
    unknown = MARK + b'event: message_start\ndata: {"a": 1}\n\n'
    assert repair(b"data: [DONE]\n\n" + unknown).out.startswith(MARK + unknown)
    assert repair(b": 1\n\n" + unknown).out.startswith(b": 1\n\n" + unknown)
    assert repair(MARK + b": 1\n\n").out.startswith(MARK + b": 1\n\n")


def test_a_start_that_waits_is_refused_at_once() -> None:
    """A reader sees it only when it goes out."""
    start = {**START, "message": {**START["message"], "type": "t", "content": [{"type": "text", "text": ""}]}}
    machine = Repair()
    machine.receive_data(wire(start))
    assert str(machine.error) == "this is no message: its type is 't'"


@pytest.mark.parametrize("again", [MARK + b": keep-alive\n\n", MARK + wire(START), MARK + b"data: [DONE]\n\n"])
@pytest.mark.parametrize("between", [b"", wire(START)])
def test_the_same_object_may_come_twice(again: bytes, between: bytes) -> None:
    chunks = [again, between, again, wire(begin(0), text(0, "a"), end(0), END, STOP)]
    assert repair(*chunks) == repair(*(bytes(bytearray(each)) for each in chunks)) == repair(b"".join(chunks))


@pytest.mark.parametrize("blanks", [b"\n\n", b"\n", b" ", MARK + b" ", MARK, b""])
@pytest.mark.parametrize(
    "rest", [json.dumps(compose("Hi", seed=1).message).encode(), b'{"type":"error","error":{"type":"api_error"}}']
)
def test_a_byte_order_mark_is_one_at_the_start_of_the_body_alone(blanks: bytes, rest: bytes) -> None:
    body = blanks + MARK + rest
    expected = repair(body)
    assert expected.state == ("truncated" if blanks else "errored" if b"error" in rest[:20] else "complete")
    for at in range(len(blanks) + 5):
        assert repair(body[:at], body[at:]) == expected
    assert repair(*(body[at : at + 1] for at in range(len(body)))) == expected


@pytest.mark.parametrize("content", [{"content": "x"}, {"content": None}, {}])
def test_a_compaction_that_waits_is_refused_at_once(content: dict[str, str | None]) -> None:
    machine = Repair()
    machine.receive_data(wire(START, begin(0, type="compaction", content=None)))
    machine.receive_data(wire(delta(0, type="compaction_delta", encrypted_content=[], **content)))
    assert str(machine.error) == "encrypted_content of a compaction_delta is no string"
    assert machine.mended == []


PING = {"type": "ping"}
EMPTY_START = {**START, "message": {**START["message"], "content": [{"type": "text", "text": ""}]}}
WAITING = {
    "an early delta": [START, begin(0), text(0, "a"), END, text(0, "b"), end(0), STOP],
    "an early delta before pings": [START, begin(0), text(0, "a"), END, *[PING] * 5, text(0, "b"), end(0), STOP],
    "two deltas": [START, *TEXT, END, *[PING] * 8, END, STOP],
    "a placeholder": [EMPTY_START, PING, *TEXT, END, STOP],
    "a placeholder that stays": [EMPTY_START, END, STOP],
}


@pytest.mark.parametrize("name", WAITING)
@pytest.mark.parametrize("line_end", [b"\r\n", b"\r", b"\n"])
@pytest.mark.parametrize("verdict", ["mend", "pass", "refuse"])
def test_what_waits_keeps_its_line_end_wherever_it_is_cut(name: str, line_end: bytes, verdict: MendVerdict) -> None:
    for mark in (b"", MARK):
        body = mark + wire(*WAITING[name]).replace(b"\n", line_end)
        kinds: list[MendKind] = ["delta_order", "several_deltas", "placeholder"]
        mend = dict.fromkeys(kinds, verdict)
        expected = repair(body, mend=mend)
        assert repair(*(body[at : at + 1] for at in range(len(body))), mend=mend) == expected
        for at in range(len(body)):
            if body[at - 1 : at] == b"\r":
                assert repair(body[:at], body[at:], mend=mend) == expected


def test_the_events_of_a_whole_message_that_is_passed_on_are_those_of_its_bytes() -> None:
    message = {**(compose("Hi", seed=1).message or {}), "stop_reason": "tool_use", "role": "user"}
    dials: list[dict[MendKind, MendVerdict]] = [{}, {"stop_reason_mismatch": "refuse"}]
    for dial in dials:
        machine = Repair(output="events", mend={"whole_message": "pass", **dial})
        machine.receive_data(json.dumps(message).encode())
        machine.receive_eof()
        reader = MessageAccumulator()
        for event in machine.events_received():
            reader.receive_event(event)
        assert machine.state == "complete"
        assert [each.kind for each in machine.mended] == ["whole_message"]
        assert reader.message is not None
        assert (reader.message.stop_reason, reader.message.role) == ("tool_use", "user")
