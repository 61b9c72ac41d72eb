"""An object of each public class that is a value: one whose state is what it was made of."""

from __future__ import annotations

import datetime
import enum
import inspect
import types
from collections.abc import Callable
from pathlib import PurePath
from typing import Any, Final

import sansio_claude as c
from sansio_claude import gateway, otel, testing, tools
from sansio_claude.testing import faults

__all__ = ["MESSAGE", "VALUES", "an_error", "picture"]

MESSAGE: Final = c.Message.from_dict(
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-5-5",
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }
)
_REQUEST: Final = c.MessageRequest(model="claude-opus-5-5", max_tokens=9, messages=[c.user("Hello")])
_ENDPOINT: Final = c.Endpoint.from_base_url("https://example.org", api_key="sk-ant-x")
_MODEL: Final = {"id": "claude-opus-5-5", "type": "model", "display_name": "x", "created_at": "2026-01-01T00:00:00Z"}
_NOON: Final = datetime.datetime(2026, 11, 28, 12, tzinfo=datetime.UTC)
_CHECK: Final = gateway.ConformanceCheck("x1", "says so", "wire", "must")  # type: ignore[arg-type]
_FAULT: Final = next(iter(faults.FAULTS.values()))


def chance() -> float:
    """No chance."""
    return 0.5


def look_up(word: str) -> str:
    """Look a word up."""
    return word


def calls_of_tools() -> tools.ToolCall:
    """A call of a tool that is here."""
    return tools.ToolCall(id="toolu_1", name="look_up", input={"word": "x"}, turn=1, tool=tools.tool(look_up))


VALUES: Final[dict[type, Callable[[], Any]]] = {
    c.Attempt: lambda: c.Attempt(number=1, started=0.0, ended=1.5, error="ReadError", words="reset", wait=0.5),
    c.Authorize: lambda: c.Authorize(_ENDPOINT.request_head(_REQUEST), b"{}"),
    c.BatchResult: lambda: c.BatchResult("a", "succeeded", MESSAGE, an_error(c.APIError), {"custom_id": "a"}),
    c.CallSettings: lambda: c.CallSettings(chance=chance, wall=chance),
    c.Change: lambda: c.Change(("a", 0), "text", "b"),
    c.CitationsDelta: lambda: c.CitationsDelta(0, {"type": "char_location"}, {"x": 1}),
    c.CompactionDelta: lambda: c.CompactionDelta(0, "text", "opaque"),
    c.Connect: lambda: c.Connect("example.org", 443, 9.5, loopback=True),
    c.ContentBlockStart: lambda: c.ContentBlockStart(0, c.TextBlock({"type": "text", "text": ""})),
    c.ContentBlockStop: lambda: c.ContentBlockStop(0, c.TextBlock({"type": "text", "text": "x"}), {"x": 1}),
    c.Continuation: lambda: c.Continuation(request=_REQUEST, how="prefill", text="Hel", dropped=("thinking",)),
    c.CountTokensRequest: lambda: c.CountTokensRequest(_REQUEST),
    c.CreateResult: lambda: c.CreateResult(MESSAGE, c.ResponseHead(200, "OK", "1.1", [(b"request-id", b"req_1")])),
    c.Deliver: lambda: c.Deliver([c.Ping()]),
    c.Deviation: lambda: c.Deviation("usage", 3, "usage is missing"),
    c.Done: lambda: c.Done(an_error(c.TruncatedError)),
    c.Endpoint: lambda: _ENDPOINT,
    c.ErrorEvent: lambda: c.ErrorEvent({"type": "overloaded_error", "message": "Overloaded"}),
    c.Fitted: lambda: c.Fitted([c.user("Hello")], (c.HistoryChange("messages[0]", "empty_text", "it is empty"),)),
    c.HistoryChange: lambda: c.HistoryChange("messages[0]", "empty_text", "it is empty"),
    c.InputJSONDelta: lambda: c.InputJSONDelta(1, '{"a"'),
    c.JSONFault: lambda: c.JSONFault(3, "no value begins with 'x'"),
    c.Limits: lambda: c.Limits(blocks=7),
    c.ListedModel: lambda: c.ListedModel(_MODEL),
    c.Liveness: lambda: c.Liveness(9, 2, 1, 1.0, 0.5, None),
    c.MessageDelta: lambda: c.MessageDelta({"stop_reason": "end_turn"}, {"output_tokens": 2}, {"x": 1}),
    c.MessageRequest: lambda: _REQUEST,
    c.MessageStart: lambda: c.MessageStart(MESSAGE),
    c.MessageStop: lambda: c.MessageStop(MESSAGE),
    c.ModelInfo: lambda: c.KNOWN_MODELS[0],
    c.ModelPage: lambda: c.ModelPage({"data": [_MODEL], "has_more": False, "first_id": "x", "last_id": "x"}),
    c.ModelRequest: lambda: c.ModelRequest(id="claude-opus-5-5"),
    c.ModelsRequest: lambda: c.ModelsRequest(limit=3),
    c.NoContinuation: lambda: c.NoContinuation("refused", "the model refused"),
    c.Ping: lambda: c.Ping({"x": 1}),
    c.PreparedRequest: lambda: _ENDPOINT.prepare(_REQUEST),
    c.Problem: lambda: c.Problem("error", "max_tokens", "it is missing", "give one"),
    c.Proxy: lambda: c.Proxy(host="proxy", port=1080, kind="socks5", username=b"me", password=b"secret"),
    c.RateLimit: lambda: c.RateLimit(limit=5, remaining=0, reset=_NOON),
    c.RateLimits: lambda: c.RateLimits(requests=c.RateLimit(limit=5), unified={"5h": c.UnifiedLimit(reset=_NOON)}),
    c.Receive: lambda: c.Receive(9.5),
    c.RequestHead: lambda: _ENDPOINT.request_head(_REQUEST),
    c.ResponseHead: lambda: c.ResponseHead(200, "OK", "1.1", [(b"request-id", b"req_1")]),
    c.RetryPolicy: lambda: c.RetryPolicy(max_retries=5),
    c.Send: lambda: c.Send(b"POST", 9.5),
    c.ServerSentEvent: lambda: c.ServerSentEvent("ping", b"{}", "7", 100),
    c.SignatureDelta: lambda: c.SignatureDelta(0, "c2ln"),
    c.TextDelta: lambda: c.TextDelta(0, "Hello", {"x": [1]}),
    c.ThinkingDelta: lambda: c.ThinkingDelta(0, "Hm", {"estimated_tokens": 3}),
    c.Timeouts: lambda: c.Timeouts(idle=3.5, total=None),
    c.TokenCount: lambda: c.TokenCount({"input_tokens": 42}),
    c.TraceEvent: lambda: c.TraceEvent(kind="failed", time=1.5, attempt=2, error=an_error(c.ReadError)),
    c.UnifiedLimit: lambda: c.UnifiedLimit(status="allowed", utilization=0.5, reset=_NOON),
    c.UnknownDelta: lambda: c.UnknownDelta(0, {"type": "x_delta", "x": 1}),
    c.UnknownEvent: lambda: c.UnknownEvent({"type": "x"}, "x"),
    c.Unset: lambda: c.UNSET,
    c.Wait: lambda: c.Wait(9.5, "pool"),
    gateway.ConformanceCheck: lambda: _CHECK,
    gateway.Finding: lambda: gateway.Finding(_CHECK, "right", "it does", "event 3"),  # type: ignore[arg-type]
    gateway.Mended: lambda: gateway.Mended("usage", 3, "usage was missing"),
    gateway.Probe: lambda: gateway.Probe("plain", "a question", body={"max_tokens": 1}),
    gateway.ProbeAnswer: lambda: gateway.ProbeAnswer(200, {"content-type": "text/event-stream"}, b"data: {}"),
    otel.Attribute: lambda: otel.Attribute("error.type", "end", otel.Telemetry),  # type: ignore[arg-type]
    testing.Answer: lambda: testing.Answer(status=529, pieces=(b"{}",), delay=0.5),
    testing.Close: lambda: testing.Close(True),
    testing.Dialect: lambda: testing.Dialect(line_end="\r\n", done=True),
    testing.Receive: lambda: testing.Receive(3.5),
    testing.RecordedCall: lambda: testing.RecordedCall(1, "POST", reads=[(0.5, b"data: {}")], whole=True),
    testing.RecordedRequest: lambda: testing.RecordedRequest("POST", "/v1/messages", (("host", "x"),), b"{}", 1),
    testing.Recording: lambda: testing.Recording((testing.RecordedCall(1, "POST", reads=[(0.5, b"data: {}")]),)),
    testing.ServerAddress: lambda: testing.ServerAddress("127.0.0.1", 80),
    testing.Transcript: lambda: testing.compose("Hello", seed=1),
    testing.Write: lambda: testing.Write(b"x"),
    faults.Fault: lambda: _FAULT,
    faults.Verdict: lambda: faults.Verdict(_FAULT, "hangs", 15.0, 3, None, "Traceback"),
    tools.AskModel: lambda: tools.AskModel(1, {"max_tokens": 9}),
    tools.AwaitResults: lambda: tools.AwaitResults(("toolu_1",)),
    tools.DiskFiles: lambda: tools.DiskFiles(".", name="/repo"),
    tools.Finished: lambda: tools.Finished("end_turn", MESSAGE),
    tools.RunTools: lambda: tools.RunTools((calls_of_tools(),)),
    tools.Tool: lambda: tools.tool(look_up),
    tools.ToolCall: calls_of_tools,
    tools.ToolFinished: lambda: tools.ToolFinished(
        call=calls_of_tools(), result=tools.ToolResult("x"), ending="tool_failure", error=c.ToolError("no"), seconds=0.5
    ),
    tools.ToolResult: lambda: tools.ToolResult([{"type": "text", "text": "x"}], is_error=True),
    tools.ToolStarted: lambda: tools.ToolStarted(call=calls_of_tools()),
}

# What the arguments of the exceptions are, by name.
_OF_ERRORS: Final[dict[str, Any]] = {
    "body": b'{"error": {}}',
    "code": "1302",
    "content": [{"type": "text", "text": "x"}],
    "deadline": "idle",
    "details": {"error_code": "1302"},
    "error_message": "Overloaded",
    "excerpt": b"data: {",
    "limit": "event",
    "offset": 17,
    "partial": MESSAGE,
    "path": "messages[2].content",
    "phase": "after_output",
    "rate_limits": c.RateLimits(requests=c.RateLimit(limit=5, reset=_NOON)),
    "request_id": "req_1",
    "retry_after": 2.5,
    "retryable": True,
    "seconds": 9.5,
    "stage": "json",
    "status": 529,
    "stop_details": {"type": "refusal", "category": "x"},
    "type": "overloaded_error",
    "value": 8_388_608,
}


def an_error(kind: type[Any]) -> Any:
    """An exception of this class with every attribute set, and with a note."""
    names = [name for name in inspect.signature(kind).parameters if name != "message"]
    error = kind("what happened", **{name: _OF_ERRORS[name] for name in names})
    error.partial = error.partial or MESSAGE
    error.request_id = "req_1"
    error.attempts = (c.Attempt(number=1, started=0.0, ended=1.5, error="ReadError", words="reset"),)
    if hasattr(kind, "text"):
        error.text = '{"a'
    error.add_note("asked by a test")
    return error


_ATOMS: Final = (types.FunctionType, types.BuiltinFunctionType, types.ModuleType, type, enum.Enum)
_LEFT_OUT: Final = frozenset({"__weakref__", "__traceback__", "__dict__"})


def picture(value: Any, seen: dict[int, int] | None = None) -> Any:
    """All that an object holds, as plain data that can be compared, whatever its own equality says."""
    seen = {} if seen is None else seen
    kind = type(value)
    if value is None or kind in (str, int, float, bool, bytes, complex) or isinstance(value, _ATOMS):
        return value
    if id(value) in seen:
        return ("seen", seen[id(value)])
    seen[id(value)] = len(seen)
    if isinstance(value, types.MethodType):
        return ("method", value.__func__, picture(value.__self__, seen))
    held: list[Any] = []
    if isinstance(value, dict | types.MappingProxyType):
        held.append([(picture(key, seen), picture(item, seen)) for key, item in value.items()])
    elif isinstance(value, list | tuple):
        held.append([picture(item, seen) for item in value])
    elif isinstance(value, set | frozenset):
        held.append(sorted(map(repr, value)))
    elif isinstance(value, bytearray | memoryview):
        held.append(bytes(value))
    elif isinstance(value, datetime.datetime | datetime.timezone | PurePath):
        return (kind, repr(value))
    elif isinstance(value, BaseException):
        held.append([picture(item, seen) for item in value.args])
    names = dict.fromkeys(name for base in kind.__mro__ for name in getattr(base, "__slots__", ()))
    if kind.__flags__ & (1 << 9):  # a class of Python's own making, so with attributes that can be listed
        names |= dict.fromkeys(getattr(value, "__dict__", ()))
    for name in names:
        if name not in _LEFT_OUT and hasattr(value, name):
            held.append((name, picture(getattr(value, name), seen)))
    return (kind, held)
