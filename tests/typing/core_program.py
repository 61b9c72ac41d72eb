"""The core in a program of its user's: every union taken apart to its end, every attribute with its type."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping, Sequence
from typing import Any, assert_never, assert_type

import sansio_claude as c


def read(chunks: Sequence[bytes]) -> c.Message | None:
    """The loop of a program around MessageStream."""
    stream = c.MessageStream(limits=c.Limits(line=100_000), strict=False, keep_content=True)
    for chunk in chunks:
        stream.receive_data(chunk)
        for event in stream.events_received():
            assert_type(kind_of(event), str)
            if isinstance(event, c.InputJSONDelta):
                parser = stream.partial_input(event.index)
                assert_type(parser, c.PartialJSON)
                assert_type(stream.watch(event.index, "path"), c.Watch)
    assert_type(stream.finish(print), c.Message)  # TruncatedError where message_stop never came
    assert_type(stream.finish(), c.Message)
    assert_type(stream.done, bool)
    assert_type(stream.liveness, c.Liveness)
    assert_type(stream.liveness.last_content, float | None)
    state: c.StreamState = stream.state
    for deviation in stream.deviations:
        assert_type(deviation, c.Deviation)
        assert_type((deviation.kind, deviation.event_number, deviation.words), tuple[c.DeviationKind, int, str])
    assert_type(stream.message, c.Message | None)
    return stream.message if state == "complete" else None


def read_at_once(chunks: Sequence[bytes]) -> c.Message:
    """The same with everything done for the program."""
    tolerance: c.Tolerance = {"usage": "accept", "input": "refuse"}
    kind: c.DeviationKind = "usage"
    verdict: c.Verdict = "record"
    assert_type(c.DEVIATION_KINDS[kind], str)
    events = c.iter_events(
        chunks, status=200, headers={"content-type": "text/event-stream"}, tolerance={**tolerance, kind: verdict}
    )
    assert_type(events, c.EventIterator)
    for event in events:
        assert_type(event, c.Event)
        assert_type(c.text_of(event), str)
    return events.message


async def read_async(chunks: AsyncIterable[bytes]) -> c.Message:
    """The same on an event loop."""
    events = c.aiter_events(chunks, headers=[(b"content-type", b"text/event-stream")], require_message_stop=False)
    assert_type(events, c.AsyncEventIterator)
    async for event in events:
        assert_type(event, c.Event)
    return events.message


def kind_of(event: c.Event) -> str:
    """Every kind of event, flat."""
    extra: dict[str, Any] | None = event.extra
    match event:
        case c.MessageStart(message=message):
            assert_type(message, c.Message)
        case c.ContentBlockStart(index=index, content_block=block):
            assert_type(index, int)
            assert_type(block, c.ContentBlock)
        case c.TextDelta(index=_, text=text) | c.ThinkingDelta(index=_, thinking=text):
            assert_type(text, str)
        case c.InputJSONDelta(partial_json=text) | c.SignatureDelta(signature=text):
            assert_type(text, str)
        case c.CitationsDelta(citation=citation):
            assert_type(citation, dict[str, Any])
        case c.CompactionDelta(encrypted_content=encrypted):
            assert_type(encrypted, str | None)
        case c.UnknownDelta(raw=raw):
            assert_type(raw, dict[str, Any])
        case c.ContentBlockStop(content_block=whole):
            assert_type(whole, c.ContentBlock | None)
        case c.MessageDelta(delta=delta, usage=usage):
            assert_type(delta, dict[str, Any] | None)
            assert_type(usage, dict[str, Any] | None)
        case c.MessageStop(message=finished):
            assert_type(finished, c.Message | None)
        case c.ErrorEvent(error=error):
            assert_type(error, dict[str, Any])
        case c.Ping() | c.UnknownEvent():
            assert extra is None or extra
        case _:
            assert_never(event)
    return event.type


def text_of_delta(delta: c.ContentBlockDelta) -> str:
    """Deltas have a type of their own too."""
    return delta.delta_type


def describe(block: c.ContentBlock) -> str:
    """Every kind of content block."""
    raw: Mapping[str, Any] = block.raw
    base: c.Block = block
    match block:
        case c.TextBlock():
            assert_type(block.citations, list[c.Citation] | None)
            return block.text
        case c.ThinkingBlock():
            return block.thinking + block.signature
        case c.RedactedThinkingBlock():
            return block.data
        case c.ToolUseBlock() | c.ServerToolUseBlock() | c.MCPToolUseBlock():
            call: c.ToolInputBlock = block
            status: c.InputStatus = call.input_status
            assert_type(call.input_json, str)
            return f"{call.name} {call.input}" if status == "complete" else f"{call.name} {call.partial_input}"
        case (
            c.WebSearchToolResultBlock()
            | c.WebFetchToolResultBlock()
            | c.CodeExecutionToolResultBlock()
            | c.BashCodeExecutionToolResultBlock()
            | c.TextEditorCodeExecutionToolResultBlock()
            | c.ToolSearchToolResultBlock()
            | c.AdvisorToolResultBlock()
            | c.MCPToolResultBlock()
        ):
            result: c.ToolResultBlock = block
            return result.tool_use_id
        case c.MCPToolListingBlock():
            return block.mcp_server_name
        case c.ContainerUploadBlock():
            return block.file_id
        case c.CompactionBlock():
            assert_type(block.encrypted_content, str | None)
            return str(block.content)
        case c.FallbackBlock():
            return f"{block.from_model} {block.to_model}"
        case c.UnknownBlock():
            return f"{base.type} {len(raw)}"
        case _:
            assert_never(block)


def whole(message: c.Message) -> dict[str, Any]:
    """A message and its usage."""
    assert_type(message.content, list[c.ContentBlock])
    assert_type(message.stop_reason, str | None)
    assert_type(message.usage, c.Usage)
    assert_type(message.usage.output_tokens, int | None)
    assert_type(message.tool_uses, list[c.ToolUseBlock])
    assert_type(c.Message.from_json(b'{"content": []}'), c.Message)
    assert_type(message.to_param(), dict[str, Any])
    assert c.Message.from_dict(message.to_dict()) == message
    return message.to_dict()


def plain_chain(body: bytes) -> c.Message | None:
    """The parts of the stream by themselves."""
    decoder = c.SSEDecoder(limits=c.Limits())
    decoder.receive_data(body)
    decoder.receive_eof()
    accumulator = c.MessageAccumulator(strict=True, tolerance={"stop_reason_mismatch": "record"})
    for sse in decoder.events_received():
        assert_type(sse, c.ServerSentEvent)
        assert_type((sse.event, sse.raw, sse.data, sse.id, sse.retry), tuple[str, bytes, str, str, int | None])
        assert_type(c.encode_sse(sse), bytes)
        event = c.decode(sse)
        if event is not None:
            accumulator.receive_event(event)
    assert_type((decoder.last_event_id, decoder.retry, decoder.discarded), tuple[str, int | None, bytes])
    return accumulator.message


def growing(text: str) -> Any:
    """JSON that is still arriving."""
    parser = c.PartialJSON(strings="drop", allow_nan=False, max_depth=100)
    parser.feed(text)
    for change in parser.changes():
        assert_type(change, c.Change)
        assert_type(change.path, tuple[str | int, ...])
    fault = parser.error
    if fault is not None:
        assert_type(fault, c.JSONFault)
        assert_type((fault.position, fault.reason), tuple[int, str])
    assert_type(parser.text, str)
    if parser.status == "complete":
        return parser.final(default=None)
    return parser.snapshot(default={})


def parts(message: c.Message, usage: c.Usage, result: c.ToolResultBlock, fallback: c.FallbackBlock) -> None:
    """What an answer holds beside its blocks, and inside of them."""
    assert_type(message.stop_details, c.StopDetails | None)
    assert_type(message.diagnostics, c.Diagnostics | None)
    assert_type(message.input_transformations, list[c.InputTransformation])
    if message.container is not None:
        assert_type(message.container, c.Container)
        assert_type(message.container.id, str | None)
        assert_type(message.container.skills, list[c.ContainerSkill])
    if message.context_management is not None:
        assert_type(message.context_management, c.ContextManagement)
        assert_type(message.context_management.applied_edits, list[c.AppliedEdit])
    if message.diagnostics is not None:
        assert_type(message.diagnostics.cache_miss_reason, c.CacheMissReason | None)
    assert_type(usage.cache_creation, c.CacheCreation | None)
    assert_type(usage.server_tool_use, c.ServerToolUse | None)
    assert_type(usage.output_tokens_details, c.OutputTokensDetails | None)
    assert_type(usage.iterations, list[c.UsageIteration] | None)
    if usage.fallback_credit is not None:
        assert_type(usage.fallback_credit, c.FallbackCredit)
        assert_type(usage.fallback_credit.status, c.FallbackCreditStatus | None)
    assert_type(result.caller, c.Caller | None)
    assert_type(message.safeguard_results, list[dict[str, Any]])
    assert_type(result.results, list[c.ToolResultItem])
    assert_type(fallback.trigger, c.FallbackTrigger | None)


def back_to_bytes(events: list[c.Event]) -> bytes:
    """The way back to the wire."""
    return b"".join(c.encode_event(event) for event in events)


def rows(chunks: list[bytes]) -> dict[str, c.Message | c.APIError | None]:
    """The results of a batch by the name of their request."""
    results = c.BatchResults(limits=c.Limits(), expected=2)
    found: list[c.BatchResult] = []
    for chunk in chunks:
        results.receive_data(chunk)
        found += results.results_received()
    found += results.finish()
    return {result.custom_id: result.message or result.error for result in found}


def left(status: int, headers: dict[str, str], body: bytes) -> tuple[int | None, float | None]:
    """What an answer that says no tells of the limits."""
    error = c.APIError.from_response(status, headers, body, now=1_795_867_200.0)
    if error.rate_limits is None:
        return None, None
    requests: c.RateLimit | None = error.rate_limits.requests
    window: c.UnifiedLimit | None = error.rate_limits.unified.get("5h")
    return requests.remaining if requests else None, window.utilization if window else None


def explain(error: c.ClaudeError) -> str:
    """The family of exceptions, with what each carries."""
    assert_type(error.partial, c.Message | None)
    match error:
        case c.LimitError():
            return f"{error.limit} {error.value}"
        case c.TruncatedError() | c.RemoteProtocolError():
            assert_type((error.excerpt, error.offset), tuple[bytes, int | None])
            return error.stage
        case c.LocalProtocolError():
            return error.path or ""
        case (
            c.InvalidRequestError()
            | c.AuthenticationError()
            | c.BillingError()
            | c.PermissionDeniedError()
            | c.NotFoundError()
            | c.ConflictError()
            | c.RequestTooLargeError()
            | c.RateLimitError()
            | c.OverloadedError()
            | c.ServerError()
            | c.APIError()
        ):
            assert_type((error.type, error.request_id, error.body), tuple[str | None, str | None, bytes])
            assert_type((error.status, error.retryable, error.retry_after), tuple[int, bool, float | None])
            assert_type((error.code, error.rate_limits), tuple[str | None, c.RateLimits | None])
            return error.phase
        case c.DeadlineError():
            return error.deadline
        case c.ProxyError():
            return str(error.status)
        case c.ConnectError() | c.TLSError() | c.ReadError() | c.WriteError() | c.TransportError():
            return str(error.__cause__)
        case c.ToolError():
            return str(error.content)
        case c.RefusalError():
            return str((error.message, error.stop_details, error.partial))
    for attempt in error.attempts:
        assert isinstance(attempt, c.Attempt)
    return error.message


def ask() -> c.MessageRequest:
    """A request, its problems, and what is known of its model."""
    messages: list[Any] = [
        c.user("What is this?", c.image(url="https://example.org/x.png"), c.document(text="A text.")),
        c.assistant("Let me look."),
        c.user(c.tool_result("toolu_1", "It is a cat.", is_error=False)),
    ]
    request = c.MessageRequest(model="claude-opus-5-5", max_tokens=10, messages=messages, temperature=c.UNSET)
    absent: c.Unset = c.UNSET
    assert request.system is absent
    turn: c.SupportsParam = c.Message.from_dict({"role": "assistant", "content": []})
    assert_type(request.replace(messages=[turn]), c.MessageRequest)
    for problem in request.check():
        assert_type(problem, c.Problem)
        severity: c.Severity = problem.severity
        assert severity in ("error", "warning", "info")
    assert_type(c.model_info("claude-opus-5-5"), c.ModelInfo | None)
    assert_type(c.KNOWN_MODELS, tuple[c.ModelInfo, ...])
    fitted: c.Fitted = c.fit_messages([c.user("hi")], "claude-opus-5-5")
    changes: tuple[c.HistoryChange, ...] = fitted.changes
    assert_type(fitted.messages, list[Any])
    assert changes == ()
    assert_type(c.media_type_of(b"GIF89a"), str | None)
    assert_type(c.CountTokensRequest(request).body(), bytes)
    assert_type(c.ModelsRequest(limit=5).query, str)
    assert_type(c.ModelRequest(id="claude-opus-5-5").resource, str)
    assert_type(c.TokenCount.from_json(b'{"input_tokens": 3}').input_tokens, int)
    for model in c.ModelPage.from_json(b'{"data": [], "has_more": false}').models:
        assert_type(model, c.ListedModel)
        assert_type(model.allowed_fallback_models, list[str] | None)
        if model.capabilities is not None:
            assert_type(model.capabilities, c.ModelCapabilities)
            assert_type(model.capabilities.thinking, c.Capability | None)
    return request


def go_on(request: c.MessageRequest, error: c.ClaudeError) -> str:
    """After an answer that broke off."""
    assert c.next_step("end_turn") == "finished"
    match c.continuation(request, error):
        case c.Continuation() as found:
            return found.join(" and so on")
        case c.NoContinuation(words=words):
            return words


async def adapt(adapter: c.Adapter, call: c.Call, wanted: c.Wanted, now: float) -> None:
    """What an adapter of one's own uses."""
    assert_type(await c.drive(adapter, call), Sequence[c.Event] | None)
    wakeup: c.Wakeup = adapter.wakeup()
    wire: c.Wire | None = await adapter.connect(c.Connect("localhost", 80, now, loopback=True), wakeup)
    assert_type(None if wire is None else wire.stale, bool | None)
    race = c.Race([(2, ("127.0.0.1", 80))], now, deadline=now + 10.0)
    assert_type(race.until, float)
    proxy = c.Proxy.parse("socks5://proxy.test")
    maker = c.TLSMaker(c.create_context())
    assert_type(maker("api.test"), c.TLSExchange)
    settings = c.CallSettings(proxy=proxy, tls=maker, chance=lambda: 0.0, wall=lambda: 0.0)
    assert_type(settings.uds, str | None)
    assert wanted in ("stream", "message", "whole", "json")


def exchange(endpoint: c.Endpoint, request: c.MessageRequest, answer: bytes) -> bytes:
    """HTTP by oneself."""
    head = endpoint.request_head(request)
    assert_type(head, c.RequestHead)
    prepared = endpoint.prepare(request, stream=True, auth_token="a token")
    assert_type(prepared, c.PreparedRequest)
    assert_type((prepared.method, prepared.url, prepared.headers), tuple[str, str, dict[str, str]])
    http = c.HTTPExchange(method=head.method, target=head.target, headers=head.headers, body=request.body())
    assert_type(http.data_to_send(), bytes)
    http.receive_data(answer)
    http.receive_eof()
    assert_type(http.head, c.ResponseHead | None)
    chunked = c.ChunkedDecoder(limits=c.Limits())
    chunked.receive_data(b"0\r\n\r\n")
    assert_type(chunked.body_received(), bytes)
    return http.body_received()


def next_of(call: c.Call, now: float) -> str:
    """One step of an adapter of one's own."""
    action: c.Action = call.next_action(now)
    match action:
        case c.Connect(host=host, port=port):
            assert_type((host, port), tuple[str, int])
        case c.Send(data=data):
            assert_type(data, bytes | memoryview)
        case c.Receive(deadline=deadline) | c.Wait(until=deadline):
            assert_type(deadline, float)
        case c.Authorize(head=head, body=body):
            assert_type((head, body), tuple[c.RequestHead, bytes])
            authorizer: c.Authorizer | None = call.authorize
            assert authorizer is not None
        case c.Deliver(events=events):
            assert_type(events, Sequence[c.Event])
        case c.Done(error=error):
            assert_type(error, c.ClaudeError | None)
        case _:
            assert_never(action)
    return type(action).__name__


def settings(onlooker: list[c.TraceEvent]) -> c.CallSettings:
    """What the calls of a client have in common."""
    return c.CallSettings(
        timeouts=c.Timeouts(connect=10, tls=10, write=60, first_byte=600, idle=120, progress=600, total=None, pool=60),
        retry=c.RetryPolicy(max_retries=2),
        limits=c.Limits(),
        chance=lambda: 0.5,
        wall=lambda: 0.0,
        trace=onlooker.append,
    )


def version() -> str:
    """The version of the library, as a program's own report of itself would name it."""
    return c.__version__
