"""Spans and metrics of a client's calls by OpenTelemetry's GenAI conventions: `Client(endpoint, trace=Telemetry())`.

Needs the extra `otel` (opentelemetry-api); nothing of it is imported before a `Telemetry` is made, and where the
program has installed no SDK, nothing is recorded. The conventions are those of semantic-conventions-genai in the
state that SCHEMA_URL names, in which they are still called "development": names may change with them.

A call of the Messages API is one span, `chat MODEL`, of kind CLIENT, from its first attempt to its end, retries
included; `ATTRIBUTES` is the table of what it carries and where that comes from. Counting tokens and listing models
are no inference and have no spans. Metrics: gen_ai.client.inference.duration and .time_to_first_chunk (histograms, in
seconds; a chunk is the first event with content, as in `TraceEvent`), and the counters
gen_ai.client.inference.usage.input_tokens, .output_tokens, .cache_read.input_tokens, .cache_write.input_tokens and
.reasoning.output_tokens.

`error.type` is the type of an APIError as the API names it ("overloaded_error"), else the name of the exception's class
("DeadlineError", "TruncatedError"). The words of errors are left out, since servers quote requests in them.

No prompt and no answer is recorded unless `content=True`: then gen_ai.input.messages, gen_ai.system_instructions and
gen_ai.output.messages are added, as JSON text in the shape of the conventions, without the endpoint's keys.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, final

from sansio_claude._copies import NotCopied
from sansio_claude._described import described
from sansio_claude._errors import APIError, LocalProtocolError
from sansio_claude._redact import Redactor

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

    from sansio_claude._call.trace import TraceEvent

__all__ = ["ATTRIBUTES", "SCHEMA_URL", "Attribute", "Telemetry"]

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/gen-ai-dev/1.42.0-dev"
_NAME: Final = "sansio_claude"
_OPERATION: Final = "chat"
_INFERENCE: Final = "gen_ai.client.inference"
_SECONDS: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_FIRST_CHUNKS: Final = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)


class Attribute(NamedTuple):
    """A row of the table: an attribute, when it is set, and how it is read from a TraceEvent (None: left out)."""

    name: str
    """The name of the conventions, such as "gen_ai.request.model"."""
    when: Literal["start", "end", "content"]
    """When it is set: as the call starts, as it ends, or (where content was asked for) with the content at the end."""
    read: Callable[[TraceEvent], Any]
    """Its value of an event; None leaves it out."""


described(Attribute)


def _asked(key: str, *kinds: type) -> Callable[[TraceEvent], Any]:
    """The value that the request has for a parameter, if it is of one of the kinds."""

    def read(event: TraceEvent) -> Any:
        value = getattr(event.request, key, None)
        return value if isinstance(value, kinds) and not isinstance(value, bool) else None

    return read


def _answered(key: str) -> Callable[[TraceEvent], Any]:
    """A text of the message, if it has one."""
    return lambda event: (getattr(event.message, key, None) or None) if event.message is not None else None


def _counted(*keys: str) -> Callable[[TraceEvent], int | None]:
    """The sum of the counts that the usage has under these keys; None where it has none of them."""

    def read(event: TraceEvent) -> int | None:
        counts = [] if event.usage is None else [getattr(event.usage, key) for key in keys]
        known = [count for count in counts if count is not None]
        return sum(known) if known else None

    return read


def _stop_sequences(event: TraceEvent) -> list[str] | None:
    value = getattr(event.request, "stop_sequences", None)
    return [str(each) for each in value] if isinstance(value, (list, tuple)) and value else None


def _effort(event: TraceEvent) -> str | None:
    config = getattr(event.request, "output_config", None)
    effort = config.get("effort") if isinstance(config, Mapping) else None
    return effort if isinstance(effort, str) else None


def _output_type(event: TraceEvent) -> str | None:
    config = getattr(event.request, "output_config", None)
    return "json" if isinstance(config, Mapping) and config.get("format") else None


def _finish_reasons(event: TraceEvent) -> list[str] | None:
    reason = None if event.message is None else event.message.stop_reason
    return ["error"] if event.error is not None else None if reason is None else [reason]


def _thought(event: TraceEvent) -> int | None:
    details = None if event.usage is None else event.usage.output_tokens_details
    count = details.get("thinking_tokens") if isinstance(details, Mapping) else None
    return count if isinstance(count, int) and not isinstance(count, bool) else None


def _error_type(event: TraceEvent) -> str | None:
    error = event.error
    if isinstance(error, APIError) and error.type:
        return error.type
    return None if error is None else type(error).__name__


ATTRIBUTES: Final[tuple[Attribute, ...]] = (
    Attribute("gen_ai.operation.name", "start", lambda _: _OPERATION),
    Attribute("gen_ai.request.model", "start", _asked("model", str)),
    Attribute("server.address", "start", lambda event: event.host),
    Attribute("server.port", "start", lambda event: event.port),
    Attribute("gen_ai.request.stream", "start", lambda event: event.streamed or None),
    Attribute("gen_ai.request.max_tokens", "start", _asked("max_tokens", int)),
    Attribute("gen_ai.request.temperature", "start", _asked("temperature", int, float)),
    Attribute("gen_ai.request.top_p", "start", _asked("top_p", int, float)),
    Attribute("gen_ai.request.top_k", "start", _asked("top_k", int)),
    Attribute("gen_ai.request.stop_sequences", "start", _stop_sequences),
    Attribute("gen_ai.request.reasoning.level", "start", _effort),
    Attribute("gen_ai.output.type", "start", _output_type),
    Attribute("gen_ai.response.id", "end", _answered("id")),
    Attribute("gen_ai.response.model", "end", _answered("model")),
    Attribute("gen_ai.response.finish_reasons", "end", _finish_reasons),
    Attribute(
        "gen_ai.usage.input_tokens",
        "end",
        _counted("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
    ),
    Attribute("gen_ai.usage.output_tokens", "end", _counted("output_tokens")),
    Attribute("gen_ai.usage.cache_read.input_tokens", "end", _counted("cache_read_input_tokens")),
    Attribute("gen_ai.usage.cache_write.input_tokens", "end", _counted("cache_creation_input_tokens")),
    Attribute("gen_ai.usage.reasoning.output_tokens", "end", _thought),
    Attribute("error.type", "end", _error_type),
    Attribute("gen_ai.system_instructions", "content", lambda event: _system(event)),
    Attribute("gen_ai.input.messages", "content", lambda event: _inputs(event)),
    Attribute("gen_ai.output.messages", "content", lambda event: _outputs(event)),
)
"""What a span carries beside gen_ai.provider.name and gen_ai.response.time_to_first_chunk, in one table."""

_COUNTERS: Final = ("input_tokens", "output_tokens", "cache_read.input_tokens", "cache_write.input_tokens")
_DIMENSIONS: Final = frozenset({"gen_ai.operation.name", "gen_ai.request.model", "server.address", "server.port"})


class _Open:
    """A call whose span is open."""

    __slots__ = ("attributes", "began", "first", "span")

    def __init__(self, span: Span, began: int, attributes: dict[str, Any]) -> None:
        self.span = span
        self.began = began
        self.attributes = attributes
        self.first: float | None = None


@final
class Telemetry(NotCopied):
    """The onlooker that makes spans and metrics; one serves any number of clients, tasks and threads.

    `tracer_provider` and `meter_provider` are those of the program unless given. `content=True` records prompts and
    answers too. `provider` is gen_ai.provider.name, to be changed where a gateway answers for somebody else. A span's
    parent is the span that is current where the call begins. Raises LocalProtocolError without opentelemetry-api.
    """

    __slots__ = ("_attributes", "_calls", "_content", "_duration", "_first_chunk", "_provider", "_tokens", "_tracer")
    _instead = "it holds open spans: make one for each client"

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        content: bool = False,
        provider: str = "anthropic",
    ) -> None:
        try:
            from opentelemetry import metrics, trace
        except ImportError as error:
            words = "sansio_claude.otel needs opentelemetry-api: pip install 'sansio-claude[otel]'"
            raise LocalProtocolError(words) from error
        self._tracer = trace.get_tracer(_NAME, None, tracer_provider, SCHEMA_URL)
        meter = metrics.get_meter(_NAME, "", meter_provider, SCHEMA_URL)
        self._content = content
        self._provider = provider
        self._calls: dict[int, _Open] = {}
        self._duration = meter.create_histogram(
            f"{_INFERENCE}.duration", "s", explicit_bucket_boundaries_advisory=_SECONDS
        )
        self._first_chunk = meter.create_histogram(
            f"{_INFERENCE}.time_to_first_chunk", "s", explicit_bucket_boundaries_advisory=_FIRST_CHUNKS
        )
        names = (*_COUNTERS, "reasoning.output_tokens")
        self._tokens = {name: meter.create_counter(f"{_INFERENCE}.usage.{name}", "{token}") for name in names}

    def __call__(self, event: TraceEvent) -> None:
        """Take one step of a call."""
        if event.kind == "attempt":
            if event.call not in self._calls and _is_inference(event):
                self._start(event)
        elif event.kind == "first_content":
            call = self._calls.get(event.call)
            if call is not None and call.first is None and event.streamed:
                call.first = (time.time_ns() - call.began) / 1e9
        elif event.kind == "done":
            call = self._calls.pop(event.call, None)
            if call is not None:
                self._end(call, event)

    def _start(self, event: TraceEvent) -> None:
        from opentelemetry.trace import SpanKind

        attributes = {"gen_ai.provider.name": self._provider, **_read("start", event)}
        name = f"{_OPERATION} {attributes.get('gen_ai.request.model', '')}".rstrip()
        began = time.time_ns()
        span = self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes, start_time=began)
        if self._content and span.is_recording():
            redactor = Redactor(event.secrets)
            for key, value in _read("content", event, outputs=False).items():
                span.set_attribute(key, redactor.text(value))
        self._calls[event.call] = _Open(span, began, attributes)

    def _end(self, call: _Open, event: TraceEvent) -> None:
        from opentelemetry.trace import Status, StatusCode

        ended = time.time_ns()
        found = _read("end", event)
        if call.span.is_recording():
            call.span.set_attributes(found)
            if call.first is not None:
                call.span.set_attribute("gen_ai.response.time_to_first_chunk", call.first)
            if self._content:
                redactor = Redactor(event.secrets)
                for key, value in _read("content", event, outputs=True).items():
                    call.span.set_attribute(key, redactor.text(value))
            if event.error is not None:
                call.span.set_status(Status(StatusCode.ERROR))
        call.span.end(end_time=ended)
        self._measure(call, found, (ended - call.began) / 1e9)

    def _measure(self, call: _Open, found: Mapping[str, Any], seconds: float) -> None:
        common = {key: value for key, value in call.attributes.items() if key in _DIMENSIONS}
        common["gen_ai.provider.name"] = self._provider
        if "gen_ai.response.model" in found:
            common["gen_ai.response.model"] = found["gen_ai.response.model"]
        if call.first is not None:
            self._first_chunk.record(call.first, common)
        counted = {**common, "gen_ai.token.modality": "unknown"}
        for name, counter in self._tokens.items():
            count = found.get(f"gen_ai.usage.{name}")
            if count is not None or name in ("input_tokens", "output_tokens"):
                counter.add(max(0, count or 0), counted)
        if "error.type" in found:
            common["error.type"] = found["error.type"]
        self._duration.record(seconds, common)

    def __repr__(self) -> str:
        return f"<sansio_claude.otel.Telemetry, {len(self._calls)} open calls, content={self._content}>"


def _is_inference(event: TraceEvent) -> bool:
    """Whether the call asks for a message."""
    resource = getattr(event.request, "resource", None)
    if isinstance(resource, str):
        return resource == "messages"
    return event.head is not None and event.head.target.partition(b"?")[0].rstrip(b"/").endswith(b"/messages")


def _read(when: str, event: TraceEvent, *, outputs: bool | None = None) -> dict[str, Any]:
    """The attributes of one part of the table; of content, those of the answer or those of the request."""
    found: dict[str, Any] = {}
    for name, at, read in ATTRIBUTES:
        if at == when and (outputs is None or outputs == (name == "gen_ai.output.messages")):
            value = read(event)
            if value is not None:
                found[name] = value
    return found


# Content, in the shape of the conventions' JSON schemas


def _system(event: TraceEvent) -> str | None:
    system = getattr(event.request, "system", None)
    return None if not system or not isinstance(system, (str, list, tuple)) else _text_of(_parts(system))


def _inputs(event: TraceEvent) -> str | None:
    messages = getattr(event.request, "messages", None)
    if not isinstance(messages, (list, tuple)):
        return None
    turns = [each.to_param() if hasattr(each, "to_param") else each for each in messages]
    return _text_of(
        [
            {"role": turn.get("role", "user"), "parts": _parts(turn.get("content"))}
            for turn in turns
            if isinstance(turn, Mapping)
        ]
    )


def _outputs(event: TraceEvent) -> str | None:
    if event.message is None:
        return None
    whole = event.message.to_dict()
    reason = "error" if event.error is not None else whole.get("stop_reason")
    return _text_of([{"role": "assistant", "parts": _parts(whole.get("content")), "finish_reason": reason or "error"}])


def _parts(content: Any) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "content": content}]
    blocks: Iterable[Any] = content if isinstance(content, (list, tuple)) else ()
    found = [each.to_dict() if hasattr(each, "to_dict") else each for each in blocks]
    return [_part(block) for block in found if isinstance(block, Mapping)]


def _part(block: Mapping[str, Any]) -> dict[str, Any]:
    match block.get("type"):
        case "text":
            return {"type": "text", "content": block.get("text")}
        case "thinking":
            return {"type": "reasoning", "content": block.get("thinking")}
        case "tool_use":
            known = {"id": block.get("id"), "name": block.get("name")}
            return {"type": "tool_call", **known, "arguments": block.get("input")}
        case "tool_result":
            known = {"id": block.get("tool_use_id")}
            return {"type": "tool_call_response", **known, "response": block.get("content")}
        case _:
            return dict(block)


def _text_of(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=repr)
