"""Claude's streaming Messages API as a sans-I/O protocol: bytes in, typed events and a finished message out.

This package imports no event loop and does no I/O. The clients are in `sansio_claude.trio`, `sansio_claude.asyncio`
and `sansio_claude.sync`, tools in `sansio_claude.tools`, a replay server in `sansio_claude.testing`.

Importing it costs nothing: each name is imported from its module when it is first used. `_PUBLIC` is the one place
where the public names are written; `__init__.pyi`, which type checkers and completion read, is made from it by
`python -m tests.public_names`.
"""

import sys
from typing import Any

# Module, a colon, the public names that it defines. A module with many names has several lines.
_PUBLIC = """
_call.actions: Action Authorize Authorizer CallSettings Connect Deliver Done Receive Send Wait
_call.answer: Wanted
_call.attempt: Attempt
_call.call: Call
_call.loop: Adapter Wakeup Wire drive
_call.pool: Pool
_call.retry: RetryPolicy
_call.timeouts: Timeouts
_call.trace: TraceEvent
_client.result: CreateResult ModelListing
_check.problem: Problem Severity
_connect.proxy: Proxy
_connect.race: Race
_connect.tls: TLSExchange TLSMaker create_context
_errors: APIError AuthenticationError BillingError ClaudeError ConflictError ConnectError DeadlineError
_errors: InvalidRequestError LimitError LocalProtocolError NotFoundError OverloadedError PermissionDeniedError
_errors: ProxyError RateLimitError ReadError RefusalError RemoteProtocolError RequestTooLargeError ServerError TLSError
_errors: ToolError TransportError TruncatedError WriteError
_errors.rate_limits: RateLimit RateLimits UnifiedLimit
_http.chunked: ChunkedDecoder
_http.exchange: HTTPExchange ResponseHead
_limits: Limits
_media: document image media_type_of
_message.batch_results: BatchResult BatchResults
_message.blocks: AdvisorToolResultBlock BashCodeExecutionToolResultBlock Block CodeExecutionToolResultBlock
_message.blocks: CompactionBlock ContainerUploadBlock ContentBlock FallbackBlock InputStatus MCPToolListingBlock
_message.blocks: MCPToolResultBlock MCPToolUseBlock RedactedThinkingBlock ServerToolUseBlock TextBlock
_message.blocks: TextEditorCodeExecutionToolResultBlock ThinkingBlock ToolInputBlock ToolResultBlock
_message.blocks: ToolSearchToolResultBlock ToolUseBlock UnknownBlock WebFetchToolResultBlock WebSearchToolResultBlock
_message.message: Message Usage
_message.views: AppliedEdit CacheCreation CacheMissReason Caller Capability Citation Container ContainerSkill
_message.views: ContextManagement Diagnostics FallbackCredit FallbackCreditStatus FallbackTrigger InputTransformation
_message.views: ModelCapabilities OutputTokensDetails ServerToolUse StopDetails ToolResultItem UsageIteration
_models: KNOWN_MODELS ModelInfo model_info
_partial_json.fault: JSONFault
_partial_json.parser: Change PartialJSON Watch
_request.catalog: ListedModel ModelPage ModelRequest ModelsRequest TokenCount
_request.count_tokens: CountTokensRequest
_request.continuation: Continuation NoContinuation continuation next_step
_request.endpoint: Endpoint
_request.head: RequestHead
_request.prepared: PreparedRequest
_request.history: Fitted HistoryChange fit_messages
_request.request: MessageRequest SupportsParam UNSET Unset
_request.turns: assistant tool_result user
_stream.accumulate: MessageAccumulator
_stream.decode: decode
_stream.deviations: DEVIATION_KINDS Deviation DeviationKind Tolerance Verdict
_stream.encode: encode_event
_stream.events: CitationsDelta CompactionDelta ContentBlockDelta ContentBlockStart ContentBlockStop ErrorEvent Event
_stream.events: InputJSONDelta MessageDelta MessageStart MessageStop Ping SignatureDelta TextDelta ThinkingDelta
_stream.events: UnknownDelta UnknownEvent
_stream.liveness: Liveness
_stream.message_stream: MessageStream StreamState
_stream.reading: EventIterator AsyncEventIterator aiter_events iter_events
_stream.sse: SSEDecoder ServerSentEvent encode_sse
_stream.text: text_of
_version: __version__
"""
_MODULE_OF = {name: line.split(":")[0] for line in _PUBLIC.split("\n") if line for name in line.split(":")[1].split()}

__all__ = [*_MODULE_OF]  # pyright: ignore[reportUnsupportedDunderAll]

# What people look for here and find elsewhere.
_ELSEWHERE = {
    "Client": "Client is in sansio_claude.asyncio, sansio_claude.trio and sansio_claude.sync",
    "AsyncClient": "the client is called Client, in sansio_claude.asyncio and sansio_claude.trio",
    "Anthropic": "the client is called Client, in sansio_claude.sync, sansio_claude.asyncio and sansio_claude.trio",
    "AsyncAnthropic": "the client is called Client, in sansio_claude.asyncio and sansio_claude.trio",
    "Stream": "Stream is in sansio_claude.asyncio, sansio_claude.trio and sansio_claude.sync",
    "Tool": "Tool is in sansio_claude.tools",
    "ToolLoop": "ToolLoop is in sansio_claude.tools",
    "tool": "tool is in sansio_claude.tools",
    "ReplayServer": "ReplayServer is in sansio_claude.testing",
    "APIStatusError": "an answer that says no is an APIError, with .status",
    "APIConnectionError": "a connection that fails raises a TransportError",
    "APITimeoutError": "a deadline that passes raises a DeadlineError",
    "AnthropicError": "the root of all exceptions here is ClaudeError",
    "BadRequestError": "it is called InvalidRequestError here",
    "UnprocessableEntityError": "it is called InvalidRequestError here",
    "PaymentRequiredError": "it is called BillingError here",
    "ContentTooLargeError": "it is called RequestTooLargeError here",
    "InternalServerError": "it is called ServerError here",
    "ServiceUnavailableError": "it is called ServerError here",
    "run": "run is a method of the clients",
    "extract": "extract is a method of the clients",
    "compose": "compose is in sansio_claude.testing",
    "serve_in_thread": "serve_in_thread is in sansio_claude.testing",
    "TextEditor": "TextEditor is in sansio_claude.tools",
    "ToolResult": "ToolResult is in sansio_claude.tools",
    "Repair": "Repair is in sansio_claude.gateway",
    "StreamMonitor": "StreamMonitor is in sansio_claude.gateway",
}


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        hint = f": {_ELSEWHERE[name]}" if name in _ELSEWHERE else ""
        if hint and sys._getframe(1).f_code.co_name == "_handle_fromlist":
            # An import statement asks by hasattr() first, and drops the words of an AttributeError.
            raise ImportError(f"cannot import name {name!r} from 'sansio_claude'{hint}", name=__name__)
        raise AttributeError(f"module 'sansio_claude' has no attribute {name!r}{hint}")
    from importlib import import_module

    from sansio_claude._described import described

    value = globals()[name] = described(getattr(import_module(f"sansio_claude.{module}"), name))
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
