"""What a report of conformance says: every check that an answer does not pass, and in words what was seen there."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from sansio_claude.gateway import CHECKS, Finding, ProbeAnswer, judge, judge_body, probes
from sansio_claude.testing import compose
from tests.gateway.repairing import wire
from tests.gateway.test_conform import PROBES, answered, refused
from tests.gateway.test_repair import CALL, END, MENDED, START, STOP, TEXT, begin, delta, end

PING: dict[str, Any] = {"type": "ping"}
ERROR: dict[str, Any] = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
CALLED: dict[str, Any] = {**END, "delta": {"stop_reason": "tool_use"}}
MESSAGE: dict[str, Any] = compose("Hi", seed=1).message or {}
NONE = {"stream.tool_ids": "unseen", "stream.signatures": "unseen"}
NO_REASON = {"stream.stop_reason": "unseen: no message_delta had a stop_reason"}
CUT = "the stream ended before message_stop: the answer is cut off"


def call(index: int, **changes: Any) -> list[dict[str, Any]]:
    whole = delta(index, type="input_json_delta", partial_json="{}")
    return [begin(index, **{**CALL, "id": f"toolu_{index}", **changes}), whole, end(index)]


def thought(index: int, signature: str) -> list[dict[str, Any]]:
    return [begin(index, type="thinking", thinking="", signature=signature), end(index)]


def nulls(count: int) -> list[dict[str, Any]]:
    return [each for at in range(count) for each in (begin(at, type="text", text=None), end(at))]


def null_words(count: int) -> str:
    return "; ".join(f"text of block {at} is null (event {2 * at + 3})" for at in range(count))


STREAMS: dict[str, tuple[list[dict[str, Any]], dict[str, str]]] = {
    "all is well": ([START, PING, *TEXT, END, STOP], NONE),
    "no ping": ([START, *TEXT, END, STOP], {**NONE, "stream.pings": "unseen: no ping came"}),
    "three of a kind": ([START, PING, *nulls(3), END, STOP], {**NONE, "stream.values": f"failed: {null_words(3)}"}),
    "more of a kind": (
        [START, PING, *nulls(5), END, STOP],
        {**NONE, "stream.values": f"failed: {null_words(3)}; and 2 more"},
    ),
    "no message_stop": (
        [START, PING, *TEXT, END],
        {**NONE, "stream.whole": "failed: the stream ended without message_stop"},
    ),
    "a cut": ([START, PING, *TEXT], {**NONE, **NO_REASON, "stream.whole": f"failed: {CUT}"}),
    "a cut that has a stop reason": ([START, PING, begin(0), CALLED, STOP][:4], {
        **NONE,
        "stream.block_events": "failed: block 0 has no content_block_stop (event 5)",
        "stream.whole": "failed: the stream ended without message_stop",
        "stream.stop_reason_fits": "failed: stop_reason is tool_use, and the answer has 0 calls",
    }),
    "a block twice": (
        [START, PING, begin(0), begin(0)],
        {**NONE, **NO_REASON, "stream.whole": "unseen", "stream.readable": "failed: block 0 started twice"},
    ),
    "an error": ([START, PING, ERROR], {**NONE, **NO_REASON}),
    "an odd error": (
        [START, PING, {"type": "error", "error": "Overloaded"}],
        {**NONE, **NO_REASON, "errors.shape": "failed: an error came in another shape than the API's (event 3)"},
    ),
    "no stop reason": (
        [START, PING, *TEXT, {**END, "delta": {}}, STOP],
        {**NONE, "stream.stop_reason": "failed: no message_delta had a stop_reason"},
    ),
    "calls": ([START, PING, *call(0), *call(1), CALLED, STOP], {"stream.signatures": "unseen"}),
    "calls without names of their own": (
        [START, PING, *call(0, id="a b"), *call(1), *call(2, id="toolu_1"), *call(3, name=""), CALLED, STOP],
        {
            "stream.tool_ids": "failed: the id 'a b'; the id 'toolu_1'; a call without a name",
            "stream.signatures": "unseen",
        },
    ),
    "a call under end_turn": (
        [START, PING, *call(0), END, STOP],
        {
            "stream.signatures": "unseen",
            "stream.stop_reason_fits": "failed: stop_reason is end_turn, and the answer has 1 calls",
        },
    ),
    "an input that is cut": (
        [START, PING, begin(0, **CALL), delta(0, type="input_json_delta", partial_json="{"), end(0), CALLED, STOP],
        {
            "stream.tool_inputs": "failed: the tool input of block 0 is not one whole JSON object (event 7)",
            "stream.signatures": "unseen",
        },
    ),
    "signatures": ([START, PING, *thought(0, "c2ln"), END, STOP], {"stream.tool_ids": "unseen"}),
    "one signature": (
        [START, PING, *thought(0, "c2ln"), *thought(1, ""), END, STOP],
        {"stream.tool_ids": "unseen", "stream.signatures": "failed: 1 of 2 thinking blocks have no signature"},
    ),
}  # fmt: skip
NEVER_FAILED = {"stream.pings", "tools.parallel"}  # what need not come is unseen where it does not
NAMELESS = b"".join(line + b"\n\n" for line in wire(START, PING, *TEXT, END, STOP).split(b"\n") if line[:5] == b"data:")
NO_MODELS = "failed: data is no list of objects with an id, or has_more is missing"
WHOLE: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "all is well": ({}, NONE),
    "no id": ({"id": None}, {**NONE, "whole.message": "failed: missing or odd: id"}),
    "an empty model": ({"model": ""}, {**NONE, "whole.message": "failed: missing or odd: model"}),
    "no type": ({"type": None}, {**NONE, "whole.message": "failed: missing or odd: type"}),
    "another type": ({"type": "text"}, {"whole.message": "failed: this is no message: its type is 'text'"}),
    "no role": ({"role": None}, {**NONE, "whole.message": "failed: missing or odd: role"}),
    "another role": (
        {"role": "user"},
        {**NONE, "whole.message": "failed: missing or odd: type 'message', role 'user'"},
    ),
    "no content": ({"content": None}, {**NONE, "whole.message": "failed: missing or odd: content"}),
    "a number as its id": ({"id": 1}, {"whole.message": "failed: the message's id is a number, not a string"}),
    "no usage": ({"usage": None}, {**NONE, "whole.usage": "failed: usage is None"}),
    "half a token": (
        {"usage": {"output_tokens": 0.5}},
        {**NONE, "whole.usage": "failed: usage is {'output_tokens': 0.5}"},
    ),
    "no counter": ({"usage": {"input_tokens": 1}}, {**NONE, "whole.usage": "failed: usage is {'input_tokens': 1}"}),
    "no stop reason": ({"stop_reason": None}, {**NONE, "whole.stop_reason": "failed: stop_reason is None"}),
    "an empty stop reason": ({"stop_reason": ""}, {**NONE, "whole.stop_reason": "failed: stop_reason is ''"}),
    "tool_use without a call": (
        {"stop_reason": "tool_use"},
        {**NONE, "stream.stop_reason_fits": "failed: stop_reason is tool_use, and the answer has 0 calls"},
    ),
}


WEATHER = [*call(0, name="get_weather"), *call(1, name="get_time")]
PROBED: dict[str, tuple[str, int, Any, dict[str, str]]] = {
    "a stream": ("text", 200, wire(START, PING, *TEXT, END, STOP), NONE),
    "a whole answer": ("whole", 200, MESSAGE, NONE),
    "a whole answer for a stream": (
        "text",
        200,
        json.dumps(MESSAGE).encode(),
        {
            **NONE,
            "stream.is_stream": "failed: a whole message came where a stream was asked for (event 1)",
            "stream.pings": "unseen: no ping came",
        },
    ),
    "calls": (
        "tools",
        200,
        wire(START, PING, *WEATHER, CALLED, STOP),
        {"stream.signatures": "unseen", "tools.parallel": "passed: 2 calls came"},
    ),
    "one call": (
        "tools",
        200,
        wire(START, PING, *call(0), CALLED, STOP),
        {"stream.signatures": "unseen", "tools.parallel": "unseen: 1 calls came", "tools.no_arguments": "unseen"},
    ),
    "a call with what was not asked for": (
        "tools",
        200,
        wire(START, PING, *call(0), begin(1, **{**CALL, "name": "get_time", "input": {"a": 1}}), end(1), CALLED, STOP),
        {"stream.signatures": "unseen", "tools.parallel": "passed: 2 calls came", "tools.no_arguments": "failed"},
    ),
    "no call": (
        "tools",
        200,
        wire(START, PING, *TEXT, END, STOP),
        {
            **NONE,
            "tools.parallel": "unseen: 0 calls came",
            "tools.no_arguments": "unseen",
            "tools.called": "failed: the answer calls no tool",
        },
    ),
    "thinking": (
        "thinking",
        200,
        wire(START, PING, *thought(0, "c2ln"), END, STOP),
        {"stream.tool_ids": "unseen"},
    ),
    "no thinking": (
        "thinking",
        200,
        wire(START, PING, *TEXT, END, STOP),
        {**NONE, "thinking.comes": "failed: no thinking block came"},
    ),
    "one token": ("max_tokens", 200, {**MESSAGE, "stop_reason": "max_tokens"}, NONE),
    "more than one token": (
        "max_tokens",
        200,
        MESSAGE,
        {**NONE, "stop.max_tokens": "failed: the stop reason is end_turn"},
    ),
    "no JSON": (
        "whole",
        200,
        b"<html>",
        {
            **NO_REASON,
            "whole.message": "failed: the answer is no JSON object",
            "stream.whole": f"failed: {CUT}",
            "stream.pings": "unseen: no ping came",
        },
    ),
    "a stream for a whole answer": (
        "whole",
        200,
        wire(START, PING, *TEXT, END, STOP),
        {**NONE, "whole.message": "failed: the answer is no JSON object"},
    ),
    "tokens": ("count_tokens", 200, {"input_tokens": 3}, {}),
    "no tokens": ("count_tokens", 200, {}, {"count_tokens.answer": "failed: input_tokens is None"}),
    "true tokens": (
        "count_tokens",
        200,
        {"input_tokens": True},
        {"count_tokens.answer": "failed: input_tokens is True"},
    ),
    "models": ("models", 200, {"data": [{"id": "m"}], "has_more": False}, {}),
    "no model": ("models", 200, {"data": [], "has_more": False}, {}),
    "models without an end": ("models", 200, {"data": [{"id": "m"}]}, {"models.answer": NO_MODELS}),
    "models without ids": ("models", 200, {"data": [{}], "has_more": False}, {"models.answer": NO_MODELS}),
    "models by name": ("models", 200, {"data": ["m"], "has_more": False}, {"models.answer": NO_MODELS}),
    "models in no list": ("models", 200, {"data": {"id": "m"}, "has_more": False}, {"models.answer": NO_MODELS}),
}

INVALID = "invalid_request_error"
# The status, the body, and what is not passed or has words.
REFUSED: dict[str, tuple[str, int, Any, dict[str, str]]] = {
    "a wrong key": ("wrong_key", 401, refused("authentication_error", "no"), {}),
    "a wrong key that may do nothing": (
        "wrong_key",
        401,
        refused("permission_error", "no"),
        {
            "errors.status": "failed: permission_error came with the status 401",
            "auth.wrong_key": "failed: status 401: no",
        },
    ),
    "a wrong key that is answered": (
        "wrong_key",
        200,
        MESSAGE,
        {"auth.wrong_key": "unseen: it was answered, not refused"},
    ),
    "a wrong key at a busy server": (
        "wrong_key",
        429,
        refused("rate_limit_error", "later"),
        {"auth.wrong_key": "unseen: status 429: later"},
    ),
    "a bad request": ("bad_request", 400, refused(INVALID, "no"), {}),
    "a bad request under another type": (
        "bad_request",
        400,
        refused("api_error", "no"),
        {
            "errors.status": "failed: api_error came with the status 400",
            "errors.bad_request": "failed: status 400: no",
        },
    ),
    "a bad request under another status": (
        "bad_request",
        500,
        refused(INVALID, "no"),
        {
            "errors.status": "failed: invalid_request_error came with the status 500",
            "errors.bad_request": "failed: status 500: no",
        },
    ),
    "a page": (
        "bad_request",
        400,
        b"<html>",
        {
            "errors.shape": "failed: the body is b'<html>'",
            "errors.status": "unseen",
            "errors.bad_request": "failed: status 400: <html>",
        },
    ),
    "a shape of its own": (
        "bad_request",
        400,
        {"error": {"message": "no"}},
        {
            "errors.shape": "failed: the error is {'error': {'message': 'no'}}",
            "errors.status": "unseen",
            "errors.bad_request": "failed: status 400: no",
        },
    ),
    "a stream at a busy server": (
        "text",
        429,
        refused("rate_limit_error", "later"),
        {"auth.api_key": "unseen: status 429: later", "stream.is_stream": "failed: status 429: later"},
    ),
    "a key as x-api-key": (
        "text",
        401,
        refused("authentication_error", "no"),
        {"auth.api_key": "failed: status 401: no"},
    ),
    "a key as Bearer": (
        "whole",
        403,
        refused("permission_error", "no"),
        {"auth.bearer": "failed: status 403: no"},
    ),
    "tools": ("tools", 400, refused(INVALID, "no tools"), {"tools.called": "failed: status 400: no tools"}),
    "tools at a busy server": (
        "tools",
        503,
        refused("api_error", "later"),
        {
            "errors.status": "failed: api_error came with the status 503",
            "tools.called": "unseen: status 503: later",
        },
    ),
    "an unknown field": (
        "beta",
        400,
        refused(INVALID, "x_unknown_field: no"),
        {
            "errors.unknown_field": "passed: status 400: x_unknown_field: no",
            "beta.flags": "unseen: status 400: x_unknown_field: no",
        },
    ),
    "an unknown field under another status": (
        "beta",
        403,
        refused("permission_error", "x_unknown_field: no"),
        {
            "errors.unknown_field": "failed: status 403: x_unknown_field: no",
            "beta.flags": "unseen: status 403: x_unknown_field: no",
        },
    ),
    "a beta flag": (
        "beta",
        400,
        refused(INVALID, "anthropic-beta: no"),
        {
            "errors.unknown_field": "unseen: status 400: anthropic-beta: no",
            "beta.flags": "failed: status 400: anthropic-beta: no",
        },
    ),
    "neither is refused": (
        "beta",
        200,
        MESSAGE,
        {"errors.unknown_field": "failed: the field x_unknown_field was taken, or ignored"},
    ),
    "tokens are not counted": (
        "count_tokens",
        404,
        refused("not_found_error", "no"),
        {"count_tokens.offered": "failed: status 404: no"},
    ),
    "a status below 200": (
        "models",
        199,
        refused("api_error", "no"),
        {
            "errors.status": "failed: api_error came with the status 199",
            "models.offered": "failed: status 199: no",
        },
    ),
}


def seen(found: Iterable[Finding]) -> dict[str, str]:
    """Every check that did not pass or has something to say, with what was seen."""
    names = [each.check.id for each in found]
    assert len(set(names)) == len(names)
    shown = {each.check.id: (each.verdict, each.words) for each in found if each.verdict != "passed" or each.words}
    return {name: f"{verdict}: {words}" if words else verdict for name, (verdict, words) in shown.items()}


@pytest.mark.parametrize("name", STREAMS)
def test_what_is_said_of_a_stream(name: str) -> None:
    events, expected = STREAMS[name]
    assert seen(judge_body(wire(*events))) == expected


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_said_of_a_whole_answer(name: str) -> None:
    changes, expected = WHOLE[name]
    assert seen(judge_body(json.dumps({**MESSAGE, **changes}).encode())) == expected


@pytest.mark.parametrize("name", PROBED)
def test_what_is_said_of_an_answer_to_a_probe(name: str) -> None:
    probe, status, value, expected = PROBED[name]
    assert seen(answered(probe, status, value)) == expected


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_said_of_a_refusal(name: str) -> None:
    probe, status, value, expected = REFUSED[name]
    assert seen(answered(probe, status, value)) == expected


def test_each_check_can_be_passed_and_can_be_failed() -> None:
    """No check is left out of what answers show: each is passed by an answer of this file, and failed by another."""
    found = [each for events, _ in (*STREAMS.values(), *MENDED.values()) for each in judge_body(wire(*events))]
    found += [each for more, _ in WHOLE.values() for each in judge_body(json.dumps({**MESSAGE, **more}).encode())]
    found += [
        each
        for probe, status, value, _ in (*PROBED.values(), *REFUSED.values())
        for each in answered(probe, status, value)
    ]
    found += judge_body(NAMELESS)
    found += judge(PROBES["text"], ProbeAnswer(200))
    found += judge(PROBES["whole"], ProbeAnswer(200))
    assert {each.check.id for each in found if each.verdict == "passed"} == set(CHECKS)
    assert {each.check.id for each in found if each.verdict == "failed"} == set(CHECKS) - NEVER_FAILED


@pytest.mark.parametrize("name", ["text", "whole", "models"])
def test_what_is_said_where_no_answer_came(name: str) -> None:
    check = {"text": "auth.api_key", "whole": "auth.bearer", "models": "models.offered"}[name]
    found = judge(PROBES[name], ProbeAnswer(0, error="reset"))
    assert seen(found) == {check: "failed: there was no answer: reset"}
    assert [each.where for each in found] == [name]


def test_what_is_said_of_a_body_that_was_cut() -> None:
    head = {"content-type": "text/event-stream; charset=utf-8", "Request-Id": "x"}
    body = wire(START, PING, *TEXT, END, STOP)
    found = judge(PROBES["text"], ProbeAnswer(200, head, body, ended_well=False, error="reset"))
    assert seen(found) == {**NONE, "stream.whole": "failed: the body was cut: reset"}


def test_what_is_said_of_the_head() -> None:
    body = wire(START, PING, *TEXT, END, STOP)
    found = judge(PROBES["text"], ProbeAnswer(200, {"Content-Type": "a/b"}, body))
    no_id = {"errors.request_id": "failed: no header request-id"}
    assert seen(found) == {**NONE, **no_id, "stream.content_type": "failed: the content type is a/b"}
    found = judge(PROBES["whole"], ProbeAnswer(200, {}, json.dumps(MESSAGE).encode()))
    assert seen(found) == {**NONE, **no_id, "whole.content_type": "failed: the content type is missing"}


def test_what_the_requests_are() -> None:
    sent = {probe.name: (probe.method, probe.resource, probe.streamed, probe.auth) for probe in probes("m")}
    assert sent == {
        "text": ("POST", "messages", True, "x-api-key"),
        "whole": ("POST", "messages", False, "bearer"),
        "tools": ("POST", "messages", True, "x-api-key"),
        "thinking": ("POST", "messages", True, "x-api-key"),
        "max_tokens": ("POST", "messages", False, "x-api-key"),
        "wrong_key": ("POST", "messages", False, "wrong"),
        "bad_request": ("POST", "messages", False, "x-api-key"),
        "beta": ("POST", "messages", False, "x-api-key"),
        "count_tokens": ("POST", "messages/count_tokens", False, "x-api-key"),
        "models": ("GET", "models", False, "x-api-key"),
    }


@pytest.mark.parametrize(
    ("model", "kind"), [("m", "adaptive"), ("claude-opus-5-5", "adaptive"), ("claude-sonnet-4-5", "enabled")]
)
def test_thinking_is_asked_for_as_the_model_has_it(model: str, kind: str) -> None:
    thinking = next(probe for probe in probes(model) if probe.name == "thinking")
    assert thinking.body is not None
    assert thinking.body["thinking"]["type"] == kind


def test_what_is_said_of_events_without_a_name() -> None:
    words = "; ".join(
        f"{words} came without a name (event {number})"
        for number, words in [(1, "a message_start"), (2, "a ping"), (3, "a content_block_start")]
    )
    assert seen(judge_body(NAMELESS)) == {**NONE, "stream.event_names": f"failed: {words}; and 4 more"}


def test_what_is_said_of_json_that_is_no_message() -> None:
    assert seen(judge_body(b"[1]")) == {"whole.message": "failed: the answer is no JSON object"}
    assert seen(judge_body(json.dumps(ERROR).encode())) == {}
    shape = "failed: the error is {'type': 'error', 'error': 'no'}"
    assert seen(judge_body(b'{"type": "error", "error": "no"}')) == {"errors.shape": shape}
