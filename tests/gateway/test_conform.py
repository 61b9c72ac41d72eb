"""The checks of conformance: each is documented, fails for what it is about, and passes for what the API sends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude.gateway import (
    CHECKS,
    MEND_KINDS,
    Finding,
    Probe,
    ProbeAnswer,
    findings_as_json,
    judge,
    judge_body,
    probes,
)
from sansio_claude.gateway._judge_stream import KINDS_OF, SEEN_ELSEWHERE
from sansio_claude.testing import compose
from tests import strategies
from tests.gateway.repairing import wire
from tests.gateway.test_repair import MENDED

MODEL = "claude-opus-5-5"
PROBES = {probe.name: probe for probe in probes(MODEL)}


def failed(found: list[Finding]) -> set[str]:
    return {each.check.id for each in found if each.verdict == "failed"}


def answered(probe: str, status: int, value: Any, **headers: str) -> list[Finding]:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    kind = "text/event-stream" if PROBES[probe].streamed and status == 200 else "application/json"
    heads = {"content-type": kind, "request-id": "req_1", **headers}
    return judge(PROBES[probe], ProbeAnswer(status, heads, body))


def refused(kind: str, words: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": words}}


def test_each_check_is_documented() -> None:
    for name, check in CHECKS.items():
        assert check.id == name
        assert check.requirement.endswith(".")
        assert check.source.startswith("https://platform.claude.com/docs/")
        assert check.severity in ("error", "warning", "note")


def test_each_kind_of_mending_has_a_check() -> None:
    covered = [kind for kinds in KINDS_OF.values() for kind in kinds] + list(SEEN_ELSEWHERE)
    assert sorted(covered) == sorted(MEND_KINDS)


@given(strategies.transcripts())
def test_what_the_api_sends_passes(transcript: Any) -> None:
    if transcript.message["stop_reason"] == "end_turn":
        found = judge_body(compose("Hello", seed=1).data) + judge_body(json.dumps(compose("x").message).encode())
        assert not failed(found)


@pytest.mark.parametrize("name", MENDED)
def test_what_is_mended_is_found(name: str) -> None:
    assert failed(judge_body(wire(*MENDED[name][0])))


@given(strategies.hostile_bodies() | st.binary(max_size=80), st.sampled_from(sorted(PROBES)), st.integers(200, 599))
def test_nothing_raises_for_what_came(body: bytes, name: str, status: int) -> None:
    found = judge(PROBES[name], ProbeAnswer(status, {}, body))
    assert found
    assert json.loads(findings_as_json(found))
    judge_body(body)


def test_ten_small_requests() -> None:
    assert len(PROBES) == 10
    assert sum(probe.body.get("max_tokens", 0) for probe in PROBES.values() if probe.body) < 3_000
    manual = next(each for each in probes("claude-sonnet-4-5") if each.name == "thinking")
    assert manual.body is not None
    assert manual.body["thinking"] == {"type": "enabled", "budget_tokens": 1024}


def test_refusals() -> None:
    good = refused("authentication_error", "invalid x-api-key")
    assert not failed(answered("wrong_key", 401, good))
    assert failed(answered("wrong_key", 403, good)) == {"auth.wrong_key", "errors.status"}
    assert failed(answered("wrong_key", 401, {"error": {"message": "no"}})) == {"auth.wrong_key", "errors.shape"}
    assert not failed(answered("wrong_key", 200, compose("Hi").message))
    assert failed(answered("bad_request", 500, b"<html>")) >= {"errors.bad_request", "errors.shape"}
    assert failed(answered("text", 401, good)) == {"auth.api_key"}
    assert failed(answered("whole", 403, refused("permission_error", "no"))) == {"auth.bearer"}
    assert failed(answered("text", 404, refused("not_found_error", "model"))) == {"stream.is_stream"}
    assert failed(answered("whole", 500, refused("api_error", "backend"))) == {"whole.message"}
    busy = refused("rate_limit_error", "later")
    assert failed(answered("text", 429, busy)) == {"stream.is_stream"}
    for name in ("tools", "thinking", "max_tokens", "wrong_key", "bad_request"):
        assert not failed(answered(name, 429, busy))
    assert failed(answered("tools", 400, refused("invalid_request_error", "no tools"))) == {"tools.called"}


def test_fields_and_flags() -> None:
    about_field = refused("invalid_request_error", "x_unknown_field: Extra inputs are not permitted")
    assert not failed(answered("beta", 400, about_field))
    about_flag = refused("invalid_request_error", "Unexpected value(s) `x` for the `anthropic-beta` header")
    assert failed(answered("beta", 400, about_flag)) == {"beta.flags"}
    assert failed(answered("beta", 200, compose("Hi").message)) == {"errors.unknown_field"}


def test_the_small_calls() -> None:
    assert not failed(answered("count_tokens", 200, {"input_tokens": 3}))
    assert failed(answered("count_tokens", 200, {"input_tokens": "3"})) == {"count_tokens.answer"}
    assert "count_tokens.offered" in failed(answered("count_tokens", 404, refused("not_found_error", "no")))
    assert not failed(answered("models", 200, {"data": [{"id": "m"}], "has_more": False}))
    assert failed(answered("models", 200, {"object": "list", "data": [{}]})) == {"models.answer"}


def test_no_answer_and_a_cut_one() -> None:
    found = judge(PROBES["text"], ProbeAnswer(0, error="refused"))
    assert failed(found) == {"auth.api_key"}
    heads = {"Content-Type": "text/event-stream", "Request-Id": "r"}
    cut = ProbeAnswer(200, heads, compose("Hi").data, ended_well=False, error="reset")
    assert failed(judge(PROBES["text"], cut)) == {"stream.whole"}
    assert isinstance(PROBES["text"], Probe)
