"""The requests that a conformance report makes, and what their answers show. Pure: request out, answer in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal

from attrs import define, field

from sansio_claude._errors import ClaudeError
from sansio_claude._errors.error_object import error_object
from sansio_claude._json import loads
from sansio_claude._message.blocks import ThinkingBlock, ToolUseBlock
from sansio_claude._message.message import Message
from sansio_claude._models import model_info
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude.gateway._checks import Finding
from sansio_claude.gateway._judge_stream import finding, judge_body, judge_message, judge_stream

__all__ = ["Probe", "ProbeAnswer", "findings_as_json", "judge", "probes"]

_STATUS_OF: Final[Mapping[str, int]] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_TOOLS: Final = (
    {
        "name": "get_weather",
        "description": "The weather in a city right now: temperature and sky.",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
    {
        "name": "get_time",
        "description": "The current time of this computer. It takes no arguments.",
        "input_schema": {"type": "object", "properties": {}},
    },
)


@define(frozen=True)
class Probe:
    """One small request: `method` and `resource` below the API's root, its JSON `body`, and how the key is sent."""

    name: str
    """What findings name it by."""
    words: str
    """What it asks for, for people."""
    resource: Literal["messages", "messages/count_tokens", "models"] = "messages"
    """The path below the API's root."""
    body: Mapping[str, Any] | None = None
    """The JSON object of a POST; None makes it a GET."""
    auth: Literal["x-api-key", "bearer", "wrong"] = "x-api-key"
    """How the key is sent; "wrong" sends one that is none."""
    headers: Mapping[str, str] = field(factory=dict)
    """Further headers by name."""

    @property
    def method(self) -> Literal["POST", "GET"]:
        """POST, or GET where there is no body."""
        return "GET" if self.body is None else "POST"

    @property
    def streamed(self) -> bool:
        """Whether it asks for a stream."""
        return self.body is not None and self.body.get("stream") is True


@define(frozen=True)
class ProbeAnswer:
    """What came back. `status` 0 and `error` stand for no answer at all; `ended_well` is False for a cut body."""

    status: int
    """The status code; 0 for no answer at all."""
    headers: Mapping[str, str] = field(factory=dict)
    """The headers of the answer by name."""
    body: bytes = b""
    """The bytes of the body, decoded from any content coding."""
    ended_well: bool = True
    """Whether the body came to its own end."""
    error: str = ""
    """What went wrong where there was no answer; "" otherwise."""

    def header(self, name: str) -> str:
        """The value of a header, "" where it is missing; names in any case."""
        return next((value for key, value in self.headers.items() if key.lower() == name), "")


def probes(model: str) -> list[Probe]:
    """The requests of a report on one address, ten of them, each with few tokens."""
    info = model_info(model)
    adaptive = info is None or info.thinking is None or "adaptive" in info.thinking
    thinking = {"type": "adaptive"} if adaptive else {"type": "enabled", "budget_tokens": 1024}

    def ask(words: str, *, max_tokens: int = 64, **more: Any) -> dict[str, Any]:
        messages = [{"role": "user", "content": words}]
        return {"model": model, "max_tokens": max_tokens, "messages": messages, **more}

    tools: dict[str, Any] = {"tools": list(_TOOLS), "tool_choice": {"type": "any"}}
    weather = "Call get_weather for Oslo and for Rome, and get_time, all three at once."
    return [
        Probe("text", "a streamed answer", body=ask("Say hello in five words.", stream=True)),
        Probe("whole", "a whole answer, the key as Bearer", body=ask("Say hello in five words."), auth="bearer"),
        Probe("tools", "streamed calls, parallel and without arguments",
              body=ask(weather, max_tokens=512, stream=True, **tools)),
        Probe("thinking", "a streamed answer with thinking",
              body=ask("What is 27 times 14?", max_tokens=2048, stream=True, thinking=thinking)),
        Probe("max_tokens", "an answer of one token", body=ask("Count from one to ten.", max_tokens=1)),
        Probe("wrong_key", "a wrong key", body=ask("Say hello.", max_tokens=8), auth="wrong"),
        Probe("bad_request", "a request without messages", body={**ask("", max_tokens=8), "messages": []}),
        Probe("beta", "a beta flag of the API, and a field that nobody knows",
              body=ask("Say hello.", max_tokens=8, x_unknown_field=1),
              headers={"anthropic-beta": "interleaved-thinking-2025-05-14"}),
        Probe("count_tokens", "tokens counted", resource="messages/count_tokens",
              body={key: value for key, value in ask("Say hello.").items() if key != "max_tokens"}),
        Probe("models", "the list of models", resource="models"),
    ]  # fmt: skip


def judge(probe: Probe, answer: ProbeAnswer) -> list[Finding]:
    """What the answer to a probe shows. Never raises for what came."""
    if answer.error and not answer.status:
        name = _SUCCESS_OF.get(probe.name, "stream.whole")
        return [finding(name, False, f"there was no answer: {answer.error}", probe.name)]
    found = _judge(probe, answer)
    has_id = answer.header("request-id") != ""
    found.append(finding("errors.request_id", has_id, "" if has_id else "no header request-id", probe.name))
    return found


_BUSY: Final = frozenset({429, 503, 529})  # statuses that would be others at another time
# The check that says whether a probe was answered at all.
_SUCCESS_OF: Final = {
    "text": "auth.api_key",
    "whole": "auth.bearer",
    "tools": "tools.called",
    "thinking": "thinking.comes",
    "max_tokens": "stop.max_tokens",
    "wrong_key": "auth.wrong_key",
    "bad_request": "errors.bad_request",
    "beta": "beta.flags",
    "count_tokens": "count_tokens.offered",
    "models": "models.offered",
}


def _judge(probe: Probe, answer: ProbeAnswer) -> list[Finding]:
    name = probe.name
    if name in ("wrong_key", "bad_request"):
        return _refusal(probe, answer)
    if name == "beta":
        return _beta(answer)
    if not 200 <= answer.status < 300:
        return [*_error_findings(answer, name), *_unanswered(name, answer)]
    if name == "count_tokens":
        tokens = _field(answer, "input_tokens")
        good = type(tokens) is int
        words = "" if good else f"input_tokens is {tokens!r:.40}"
        return [finding("count_tokens.offered", True, "", name), finding("count_tokens.answer", good, words, name)]
    if name == "models":
        data = _field(answer, "data")
        good = isinstance(data, list) and all(isinstance(each, dict) and each.get("id") for each in data)
        good = good and isinstance(_field(answer, "has_more"), bool)
        words = "" if good else "data is no list of objects with an id, or has_more is missing"
        return [finding("models.offered", True, "", name), finding("models.answer", good, words, name)]
    return _answered(probe, answer)


def _unanswered(name: str, answer: ProbeAnswer) -> list[Finding]:
    """A request that should have been answered was refused. Only 401 and 403 are about the key, and a server that is
    busy says nothing about what was asked."""
    check, said = _SUCCESS_OF[name], _said(answer)
    plain = {"text": "stream.is_stream", "whole": "whole.message"}.get(name)
    if plain is not None and answer.status not in (401, 403):
        return [finding(check, None, said, name), finding(plain, False, said, name)]
    return [finding(check, None if answer.status in _BUSY else False, said, name)]


def _answered(probe: Probe, answer: ProbeAnswer) -> list[Finding]:
    """An answer with a message."""
    name = probe.name
    kind = answer.header("content-type").split(";")[0].strip().lower()
    wanted = "text/event-stream" if probe.streamed else "application/json"
    found = [
        finding(
            "stream.content_type" if probe.streamed else "whole.content_type",
            kind == wanted,
            "" if kind == wanted else f"the content type is {kind or 'missing'}",
            name,
        )
    ]
    if probe.streamed:
        found += judge_stream(answer.body, where=name)
        if not answer.ended_well:
            found = [each for each in found if each.check.id != "stream.whole"]
            found.append(finding("stream.whole", False, f"the body was cut: {answer.error}", name))
        message = _message_of(answer.body)
    else:
        value = _value(answer)
        found += judge_message(value, where=name)
        if value is None:
            found += judge_body(answer.body, where=name)  # what came may be a stream
        message = _whole(value)
    good: bool | None = True
    words = ""
    if name == "tools":
        calls = [] if message is None else [each for each in message.content if isinstance(each, ToolUseBlock)]
        bare = [call for call in calls if call.name == "get_time"]
        good, words = bool(calls), "" if calls else "the answer calls no tool"
        found.append(finding("tools.parallel", len(calls) > 1 or None, f"{len(calls)} calls came", name))
        empty = all(call.input_status == "complete" and call.input == {} for call in bare)
        found.append(finding("tools.no_arguments", empty if bare else None, "", name))
    elif name == "thinking":
        good = message is not None and any(isinstance(each, ThinkingBlock) for each in message.content)
        words = "" if good else "no thinking block came"
    elif name == "max_tokens":
        reason = None if message is None else message.stop_reason
        good, words = reason == "max_tokens", "" if reason == "max_tokens" else f"the stop reason is {reason}"
    found.append(finding(_SUCCESS_OF[name], good, words, name))
    return found


def _refusal(probe: Probe, answer: ProbeAnswer) -> list[Finding]:
    wanted = (401, "authentication_error") if probe.name == "wrong_key" else (400, "invalid_request_error")
    check = _SUCCESS_OF[probe.name]
    if 200 <= answer.status < 300:
        return [finding(check, None, "it was answered, not refused", probe.name)]
    if answer.status in _BUSY:
        return [*_error_findings(answer, probe.name), finding(check, None, _said(answer), probe.name)]
    said = error_object(_value(answer))
    good = answer.status == wanted[0] and said is not None and said.type == wanted[1]
    return [*_error_findings(answer, probe.name), finding(check, good, "" if good else _said(answer), probe.name)]


def _beta(answer: ProbeAnswer) -> list[Finding]:
    """The flag is right and the field is not: the words of a refusal tell which of the two it is about."""
    if 200 <= answer.status < 300:
        return [
            finding("beta.flags", True, "", "beta"),
            finding("errors.unknown_field", False, "the field x_unknown_field was taken, or ignored", "beta"),
        ]
    found = _error_findings(answer, "beta")
    about_field = b"x_unknown_field" in answer.body
    found.append(finding("errors.unknown_field", answer.status == 400 if about_field else None, _said(answer), "beta"))
    about_flag = b"anthropic-beta" in answer.body or b"interleaved" in answer.body
    found.append(finding("beta.flags", False if about_flag else None, _said(answer), "beta"))
    return found


def _error_findings(answer: ProbeAnswer, where: str) -> list[Finding]:
    """The shape and the status of a refusal."""
    found = [each for each in judge_body(answer.body, where=where) if each.check.id == "errors.shape"]
    if not found:
        found = [finding("errors.shape", False, f"the body is {answer.body!r:.80}", where)]
    said = error_object(_value(answer))
    wanted = _STATUS_OF.get(said.type or "") if said is not None else None
    words = "" if wanted in (None, answer.status) else f"{said and said.type} came with the status {answer.status}"
    found.append(finding("errors.status", None if wanted is None else wanted == answer.status, words, where))
    return found


def _said(answer: ProbeAnswer) -> str:
    said = error_object(_value(answer))
    words = said.words if said is not None else answer.body[:120].decode("utf-8", "replace")
    return f"status {answer.status}: {words:.160}"


def _value(answer: ProbeAnswer) -> Any:
    try:
        return loads(answer.body)
    except ClaudeError:
        return None


def _field(answer: ProbeAnswer, key: str) -> Any:
    value = _value(answer)
    return value.get(key) if isinstance(value, dict) else None


def _whole(value: Any) -> Message | None:
    try:
        return Message.from_dict(value)
    except ClaudeError:
        return None


def _message_of(body: bytes) -> Message | None:
    stream = MessageStream()
    stream.receive_data(body)
    stream.receive_eof()
    return stream.message


def findings_as_json(found: list[Finding]) -> str:
    """Findings as JSON: a list of objects with check, severity, requirement, source, verdict, words, where."""
    rows = [
        {
            "check": each.check.id,
            "severity": each.check.severity,
            "verdict": each.verdict,
            "words": each.words,
            "where": each.where,
            "requirement": each.check.requirement,
            "source": each.check.source,
        }
        for each in found
    ]
    return json.dumps(rows, indent=1, ensure_ascii=False)
