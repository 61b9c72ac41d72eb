"""Spans and metrics against the SDK's in-memory exporters: the names of the conventions, and no content by default."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest
import trio
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import sansio_claude.asyncio
import sansio_claude.trio
from sansio_claude._call.retry import RetryPolicy
from sansio_claude._errors import ClaudeError, LocalProtocolError
from sansio_claude._request.endpoint import Endpoint
from sansio_claude.otel import ATTRIBUTES, SCHEMA_URL, Telemetry
from sansio_claude.testing import Answer, ReplayServer, Script, compose, serve_in_thread

KEY = "sk-ant-otel-0123456789abcdef"
SECRET = "a prompt that nobody else may read"
ASK: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "max_tokens": 1024,
    "temperature": 1.0,
    "stop_sequences": ["END"],
    "system": "Be short.",
    "messages": [{"role": "user", "content": f"{SECRET} {KEY}"}],
}
USAGE = {
    "input_tokens": 10,
    "cache_read_input_tokens": 5,
    "cache_creation_input_tokens": 3,
    "output_tokens": 7,
    "output_tokens_details": {"thinking_tokens": 4},
}
HELLO = compose("Hello, world!", seed=1, usage=USAGE, model="claude-opus-5-5-20260101", message_id="msg_1")


class Sink:
    """The SDK with exporters in memory."""

    def __init__(self, *, content: bool = False) -> None:
        self.spans = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.spans))
        self.meters = MeterProvider([self.reader])
        self.telemetry = Telemetry(tracer_provider=self.provider, meter_provider=self.meters, content=content)

    @property
    def span(self) -> ReadableSpan:
        (span,) = self.spans.get_finished_spans()
        return span

    def metrics(self) -> dict[str, Any]:
        data = self.reader.get_metrics_data()
        found: dict[str, Any] = {}
        for resource in [] if data is None else data.resource_metrics:
            for scope in resource.scope_metrics:
                assert scope.schema_url == SCHEMA_URL
                found |= {metric.name: metric for metric in scope.metrics}
        return found


def on_asyncio(sink: Sink, script: Sequence[Script], how: str = "create", **options: Any) -> tuple[str, int]:
    """Ask once; the host and port that were asked."""

    async def use(url: str) -> None:
        endpoint = Endpoint.from_base_url(url, api_key=KEY)
        async with sansio_claude.asyncio.Client(endpoint, trace=sink.telemetry, **options) as client:
            if how == "create":
                await client.create(**ASK)
            elif how == "whole":
                await client.create(**ASK, stream=False)
            elif how == "count":
                await client.count_tokens(**ASK)
                await client.models()
            else:
                async with client.stream(**ASK) as stream:
                    await anext(stream)

    with serve_in_thread(ReplayServer(script)) as address:
        asyncio.run(use(address.url))
        return address.host, address.port


def test_a_span_has_the_names_of_the_conventions() -> None:
    sink = Sink()
    host, port = on_asyncio(sink, [HELLO])
    span = sink.span
    assert (span.name, span.kind, span.status.status_code) == (
        "chat claude-opus-5-5",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.schema_url == SCHEMA_URL
    attributes = dict(span.attributes or {})
    first = attributes.pop("gen_ai.response.time_to_first_chunk")
    assert isinstance(first, float)
    assert span.start_time is not None
    assert span.end_time is not None
    assert 0 <= first <= (span.end_time - span.start_time) / 1e9
    assert attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-opus-5-5",
        "gen_ai.request.stream": True,
        "gen_ai.request.max_tokens": 1024,
        "gen_ai.request.temperature": 1.0,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.response.id": "msg_1",
        "gen_ai.response.model": "claude-opus-5-5-20260101",
        "gen_ai.response.finish_reasons": ("end_turn",),
        "gen_ai.usage.input_tokens": 18,  # cached tokens are among them
        "gen_ai.usage.cache_read.input_tokens": 5,
        "gen_ai.usage.cache_write.input_tokens": 3,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.reasoning.output_tokens": 4,
        "server.address": host,
        "server.port": port,
    }


def test_the_metrics() -> None:
    sink = Sink()
    on_asyncio(sink, [HELLO])
    metrics = sink.metrics()
    prefix = "gen_ai.client.inference"
    counts = {
        name.removeprefix(f"{prefix}.usage."): metric.data.data_points[0].value
        for name, metric in metrics.items()
        if ".usage." in name
    }
    assert counts == {
        "input_tokens": 18,
        "output_tokens": 7,
        "cache_read.input_tokens": 5,
        "cache_write.input_tokens": 3,
        "reasoning.output_tokens": 4,
    }
    duration = metrics[f"{prefix}.duration"].data.data_points[0]
    span = sink.span
    assert span.end_time is not None
    assert span.start_time is not None
    assert duration.sum == pytest.approx((span.end_time - span.start_time) / 1e9)
    assert duration.attributes["gen_ai.response.model"] == "claude-opus-5-5-20260101"
    assert metrics[f"{prefix}.duration"].unit == "s"
    assert metrics[f"{prefix}.time_to_first_chunk"].data.data_points[0].count == 1


def shown(sink: Sink) -> str:
    metrics = sink.reader.get_metrics_data()
    return "".join(span.to_json() for span in sink.spans.get_finished_spans()) + (metrics.to_json() if metrics else "")


@pytest.mark.parametrize("script", [[HELLO], [Answer.error(400, f"bad prompt: {SECRET}")], [HELLO.with_error(4)]])
def test_no_content_by_default(script: list[Script]) -> None:
    sink = Sink()
    try:
        on_asyncio(sink, script, retry=RetryPolicy(max_retries=0))
    except ClaudeError:
        pass
    assert not any(word in shown(sink) for word in (SECRET, KEY, "Hello", "Be short"))


def test_content_where_it_is_asked_for() -> None:
    sink = Sink(content=True)
    on_asyncio(sink, [HELLO])
    attributes = dict(sink.span.attributes or {})
    inputs = json.loads(str(attributes["gen_ai.input.messages"]))
    assert inputs[0]["role"] == "user"
    assert SECRET in inputs[0]["parts"][0]["content"]
    assert KEY not in shown(sink)
    assert json.loads(str(attributes["gen_ai.output.messages"])) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "Hello, world!"}], "finish_reason": "end_turn"}
    ]
    assert json.loads(str(attributes["gen_ai.system_instructions"])) == [{"type": "text", "content": "Be short."}]


@pytest.mark.parametrize(
    ("script", "name"),
    [
        ([Answer.error(529)], "overloaded_error"),
        ([HELLO.with_error(4, error_type="api_error")], "api_error"),
        ([HELLO.first(4)], "TruncatedError"),
        ([Answer.raw(b"garbage\r\n\r\n")], "RemoteProtocolError"),
    ],
)
def test_the_type_of_an_error(script: list[Script], name: str) -> None:
    sink = Sink()
    with pytest.raises(ClaudeError):
        on_asyncio(sink, script, retry=RetryPolicy(max_retries=0))
    span = sink.span
    assert span.attributes is not None
    assert span.attributes["error.type"] == name
    assert span.attributes["gen_ai.response.finish_reasons"] == ("error",)
    assert span.status.status_code == StatusCode.ERROR
    assert not span.status.description
    points = sink.metrics()["gen_ai.client.inference.duration"].data.data_points
    assert [point.attributes["error.type"] for point in points] == [name]


def test_retries_are_one_span() -> None:
    sink = Sink()
    on_asyncio(sink, [Answer.error(529, headers=[("retry-after", "0")]), HELLO])
    assert sink.span.status.status_code == StatusCode.UNSET


def test_a_stream_that_is_left_ends_its_span() -> None:
    sink = Sink()
    on_asyncio(sink, [Answer.stream(HELLO, pace=0.01)], how="stream")
    assert sink.span.attributes is not None
    assert sink.span.attributes["error.type"] == "LocalProtocolError"
    assert "0 open calls" in repr(sink.telemetry)


def test_a_whole_answer_has_no_first_chunk() -> None:
    sink = Sink()
    on_asyncio(sink, [HELLO], how="whole")
    attributes = sink.span.attributes or {}
    assert "gen_ai.request.stream" not in attributes
    assert "gen_ai.response.time_to_first_chunk" not in attributes
    assert "gen_ai.client.inference.time_to_first_chunk" not in sink.metrics()


def test_what_is_no_inference_has_no_span() -> None:
    sink = Sink()
    on_asyncio(sink, [], how="count")
    assert sink.spans.get_finished_spans() == ()


def test_the_parent_is_the_span_of_the_caller() -> None:
    sink = Sink()
    tracer = sink.provider.get_tracer("test")
    with tracer.start_as_current_span("outer") as outer:
        on_asyncio(sink, [HELLO])
    inner = sink.spans.get_finished_spans()[0]
    assert inner.parent is not None
    assert inner.parent.span_id == outer.get_span_context().span_id


def test_calls_at_once_have_spans_of_their_own_on_trio() -> None:
    sink = Sink()

    async def use(url: str) -> None:
        endpoint = Endpoint.from_base_url(url, api_key=KEY)
        async with sansio_claude.trio.Client(endpoint, trace=sink.telemetry) as client, trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(lambda: client.create(**ASK))

    with serve_in_thread(ReplayServer([HELLO])) as address:
        trio.run(use, address.url)
    assert len({span.context.span_id for span in sink.spans.get_finished_spans()}) == 5


def test_the_table_has_each_name_once() -> None:
    names = [attribute.name for attribute in ATTRIBUTES]
    assert len(set(names)) == len(names)
    assert all(name.startswith(("gen_ai.", "server.", "error.")) for name in names)


def test_nothing_is_imported_where_it_is_not_used() -> None:
    code = (
        "import sys, sansio_claude, sansio_claude.asyncio, sansio_claude.otel\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(LocalProtocolError, match="pip install"):
        Telemetry()
