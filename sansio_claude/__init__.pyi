# Made by `python -m tests.public_names` from the names in __init__.py.
from sansio_claude._call.actions import Action as Action
from sansio_claude._call.actions import Authorize as Authorize
from sansio_claude._call.actions import Authorizer as Authorizer
from sansio_claude._call.actions import CallSettings as CallSettings
from sansio_claude._call.actions import Connect as Connect
from sansio_claude._call.actions import Deliver as Deliver
from sansio_claude._call.actions import Done as Done
from sansio_claude._call.actions import Receive as Receive
from sansio_claude._call.actions import Send as Send
from sansio_claude._call.actions import Wait as Wait
from sansio_claude._call.answer import Wanted as Wanted
from sansio_claude._call.attempt import Attempt as Attempt
from sansio_claude._call.call import Call as Call
from sansio_claude._call.loop import Adapter as Adapter
from sansio_claude._call.loop import Wakeup as Wakeup
from sansio_claude._call.loop import Wire as Wire
from sansio_claude._call.loop import drive as drive
from sansio_claude._call.pool import Pool as Pool
from sansio_claude._call.retry import RetryPolicy as RetryPolicy
from sansio_claude._call.timeouts import Timeouts as Timeouts
from sansio_claude._call.trace import TraceEvent as TraceEvent
from sansio_claude._check.problem import Problem as Problem
from sansio_claude._check.problem import Severity as Severity
from sansio_claude._client.result import CreateResult as CreateResult
from sansio_claude._client.result import ModelListing as ModelListing
from sansio_claude._connect.proxy import Proxy as Proxy
from sansio_claude._connect.race import Race as Race
from sansio_claude._connect.tls import TLSExchange as TLSExchange
from sansio_claude._connect.tls import TLSMaker as TLSMaker
from sansio_claude._connect.tls import create_context as create_context
from sansio_claude._errors import APIError as APIError
from sansio_claude._errors import AuthenticationError as AuthenticationError
from sansio_claude._errors import BillingError as BillingError
from sansio_claude._errors import ClaudeError as ClaudeError
from sansio_claude._errors import ConflictError as ConflictError
from sansio_claude._errors import ConnectError as ConnectError
from sansio_claude._errors import DeadlineError as DeadlineError
from sansio_claude._errors import InvalidRequestError as InvalidRequestError
from sansio_claude._errors import LimitError as LimitError
from sansio_claude._errors import LocalProtocolError as LocalProtocolError
from sansio_claude._errors import NotFoundError as NotFoundError
from sansio_claude._errors import OverloadedError as OverloadedError
from sansio_claude._errors import PermissionDeniedError as PermissionDeniedError
from sansio_claude._errors import ProxyError as ProxyError
from sansio_claude._errors import RateLimitError as RateLimitError
from sansio_claude._errors import ReadError as ReadError
from sansio_claude._errors import RefusalError as RefusalError
from sansio_claude._errors import RemoteProtocolError as RemoteProtocolError
from sansio_claude._errors import RequestTooLargeError as RequestTooLargeError
from sansio_claude._errors import ServerError as ServerError
from sansio_claude._errors import TLSError as TLSError
from sansio_claude._errors import ToolError as ToolError
from sansio_claude._errors import TransportError as TransportError
from sansio_claude._errors import TruncatedError as TruncatedError
from sansio_claude._errors import WriteError as WriteError
from sansio_claude._errors.rate_limits import RateLimit as RateLimit
from sansio_claude._errors.rate_limits import RateLimits as RateLimits
from sansio_claude._errors.rate_limits import UnifiedLimit as UnifiedLimit
from sansio_claude._http.chunked import ChunkedDecoder as ChunkedDecoder
from sansio_claude._http.exchange import HTTPExchange as HTTPExchange
from sansio_claude._http.exchange import ResponseHead as ResponseHead
from sansio_claude._limits import Limits as Limits
from sansio_claude._media import document as document
from sansio_claude._media import image as image
from sansio_claude._media import media_type_of as media_type_of
from sansio_claude._message.batch_results import BatchResult as BatchResult
from sansio_claude._message.batch_results import BatchResults as BatchResults
from sansio_claude._message.blocks import AdvisorToolResultBlock as AdvisorToolResultBlock
from sansio_claude._message.blocks import BashCodeExecutionToolResultBlock as BashCodeExecutionToolResultBlock
from sansio_claude._message.blocks import Block as Block
from sansio_claude._message.blocks import CodeExecutionToolResultBlock as CodeExecutionToolResultBlock
from sansio_claude._message.blocks import CompactionBlock as CompactionBlock
from sansio_claude._message.blocks import ContainerUploadBlock as ContainerUploadBlock
from sansio_claude._message.blocks import ContentBlock as ContentBlock
from sansio_claude._message.blocks import FallbackBlock as FallbackBlock
from sansio_claude._message.blocks import InputStatus as InputStatus
from sansio_claude._message.blocks import MCPToolListingBlock as MCPToolListingBlock
from sansio_claude._message.blocks import MCPToolResultBlock as MCPToolResultBlock
from sansio_claude._message.blocks import MCPToolUseBlock as MCPToolUseBlock
from sansio_claude._message.blocks import RedactedThinkingBlock as RedactedThinkingBlock
from sansio_claude._message.blocks import ServerToolUseBlock as ServerToolUseBlock
from sansio_claude._message.blocks import TextBlock as TextBlock
from sansio_claude._message.blocks import TextEditorCodeExecutionToolResultBlock as TextEditorCodeExecutionToolResultBlock
from sansio_claude._message.blocks import ThinkingBlock as ThinkingBlock
from sansio_claude._message.blocks import ToolInputBlock as ToolInputBlock
from sansio_claude._message.blocks import ToolResultBlock as ToolResultBlock
from sansio_claude._message.blocks import ToolSearchToolResultBlock as ToolSearchToolResultBlock
from sansio_claude._message.blocks import ToolUseBlock as ToolUseBlock
from sansio_claude._message.blocks import UnknownBlock as UnknownBlock
from sansio_claude._message.blocks import WebFetchToolResultBlock as WebFetchToolResultBlock
from sansio_claude._message.blocks import WebSearchToolResultBlock as WebSearchToolResultBlock
from sansio_claude._message.message import Message as Message
from sansio_claude._message.message import Usage as Usage
from sansio_claude._message.views import AppliedEdit as AppliedEdit
from sansio_claude._message.views import CacheCreation as CacheCreation
from sansio_claude._message.views import CacheMissReason as CacheMissReason
from sansio_claude._message.views import Caller as Caller
from sansio_claude._message.views import Capability as Capability
from sansio_claude._message.views import Citation as Citation
from sansio_claude._message.views import Container as Container
from sansio_claude._message.views import ContainerSkill as ContainerSkill
from sansio_claude._message.views import ContextManagement as ContextManagement
from sansio_claude._message.views import Diagnostics as Diagnostics
from sansio_claude._message.views import FallbackCredit as FallbackCredit
from sansio_claude._message.views import FallbackCreditStatus as FallbackCreditStatus
from sansio_claude._message.views import FallbackTrigger as FallbackTrigger
from sansio_claude._message.views import InputTransformation as InputTransformation
from sansio_claude._message.views import ModelCapabilities as ModelCapabilities
from sansio_claude._message.views import OutputTokensDetails as OutputTokensDetails
from sansio_claude._message.views import ServerToolUse as ServerToolUse
from sansio_claude._message.views import StopDetails as StopDetails
from sansio_claude._message.views import ToolResultItem as ToolResultItem
from sansio_claude._message.views import UsageIteration as UsageIteration
from sansio_claude._models import KNOWN_MODELS as KNOWN_MODELS
from sansio_claude._models import ModelInfo as ModelInfo
from sansio_claude._models import model_info as model_info
from sansio_claude._partial_json.fault import JSONFault as JSONFault
from sansio_claude._partial_json.parser import Change as Change
from sansio_claude._partial_json.parser import PartialJSON as PartialJSON
from sansio_claude._partial_json.parser import Watch as Watch
from sansio_claude._request.catalog import ListedModel as ListedModel
from sansio_claude._request.catalog import ModelPage as ModelPage
from sansio_claude._request.catalog import ModelRequest as ModelRequest
from sansio_claude._request.catalog import ModelsRequest as ModelsRequest
from sansio_claude._request.catalog import TokenCount as TokenCount
from sansio_claude._request.continuation import Continuation as Continuation
from sansio_claude._request.continuation import NoContinuation as NoContinuation
from sansio_claude._request.continuation import continuation as continuation
from sansio_claude._request.continuation import next_step as next_step
from sansio_claude._request.count_tokens import CountTokensRequest as CountTokensRequest
from sansio_claude._request.endpoint import Endpoint as Endpoint
from sansio_claude._request.head import RequestHead as RequestHead
from sansio_claude._request.history import Fitted as Fitted
from sansio_claude._request.history import HistoryChange as HistoryChange
from sansio_claude._request.history import fit_messages as fit_messages
from sansio_claude._request.prepared import PreparedRequest as PreparedRequest
from sansio_claude._request.request import MessageRequest as MessageRequest
from sansio_claude._request.request import SupportsParam as SupportsParam
from sansio_claude._request.request import UNSET as UNSET
from sansio_claude._request.request import Unset as Unset
from sansio_claude._request.turns import assistant as assistant
from sansio_claude._request.turns import tool_result as tool_result
from sansio_claude._request.turns import user as user
from sansio_claude._stream.accumulate import MessageAccumulator as MessageAccumulator
from sansio_claude._stream.decode import decode as decode
from sansio_claude._stream.deviations import DEVIATION_KINDS as DEVIATION_KINDS
from sansio_claude._stream.deviations import Deviation as Deviation
from sansio_claude._stream.deviations import DeviationKind as DeviationKind
from sansio_claude._stream.deviations import Tolerance as Tolerance
from sansio_claude._stream.deviations import Verdict as Verdict
from sansio_claude._stream.encode import encode_event as encode_event
from sansio_claude._stream.events import CitationsDelta as CitationsDelta
from sansio_claude._stream.events import CompactionDelta as CompactionDelta
from sansio_claude._stream.events import ContentBlockDelta as ContentBlockDelta
from sansio_claude._stream.events import ContentBlockStart as ContentBlockStart
from sansio_claude._stream.events import ContentBlockStop as ContentBlockStop
from sansio_claude._stream.events import ErrorEvent as ErrorEvent
from sansio_claude._stream.events import Event as Event
from sansio_claude._stream.events import InputJSONDelta as InputJSONDelta
from sansio_claude._stream.events import MessageDelta as MessageDelta
from sansio_claude._stream.events import MessageStart as MessageStart
from sansio_claude._stream.events import MessageStop as MessageStop
from sansio_claude._stream.events import Ping as Ping
from sansio_claude._stream.events import SignatureDelta as SignatureDelta
from sansio_claude._stream.events import TextDelta as TextDelta
from sansio_claude._stream.events import ThinkingDelta as ThinkingDelta
from sansio_claude._stream.events import UnknownDelta as UnknownDelta
from sansio_claude._stream.events import UnknownEvent as UnknownEvent
from sansio_claude._stream.liveness import Liveness as Liveness
from sansio_claude._stream.message_stream import MessageStream as MessageStream
from sansio_claude._stream.message_stream import StreamState as StreamState
from sansio_claude._stream.reading import AsyncEventIterator as AsyncEventIterator
from sansio_claude._stream.reading import EventIterator as EventIterator
from sansio_claude._stream.reading import aiter_events as aiter_events
from sansio_claude._stream.reading import iter_events as iter_events
from sansio_claude._stream.sse import SSEDecoder as SSEDecoder
from sansio_claude._stream.sse import ServerSentEvent as ServerSentEvent
from sansio_claude._stream.sse import encode_sse as encode_sse
from sansio_claude._stream.text import text_of as text_of
from sansio_claude._version import __version__ as __version__

__all__ = [
    "APIError",
    "Action",
    "Adapter",
    "AdvisorToolResultBlock",
    "AppliedEdit",
    "AsyncEventIterator",
    "Attempt",
    "AuthenticationError",
    "Authorize",
    "Authorizer",
    "BashCodeExecutionToolResultBlock",
    "BatchResult",
    "BatchResults",
    "BillingError",
    "Block",
    "CacheCreation",
    "CacheMissReason",
    "Call",
    "CallSettings",
    "Caller",
    "Capability",
    "Change",
    "ChunkedDecoder",
    "Citation",
    "CitationsDelta",
    "ClaudeError",
    "CodeExecutionToolResultBlock",
    "CompactionBlock",
    "CompactionDelta",
    "ConflictError",
    "Connect",
    "ConnectError",
    "Container",
    "ContainerSkill",
    "ContainerUploadBlock",
    "ContentBlock",
    "ContentBlockDelta",
    "ContentBlockStart",
    "ContentBlockStop",
    "ContextManagement",
    "Continuation",
    "CountTokensRequest",
    "CreateResult",
    "DEVIATION_KINDS",
    "DeadlineError",
    "Deliver",
    "Deviation",
    "DeviationKind",
    "Diagnostics",
    "Done",
    "Endpoint",
    "ErrorEvent",
    "Event",
    "EventIterator",
    "FallbackBlock",
    "FallbackCredit",
    "FallbackCreditStatus",
    "FallbackTrigger",
    "Fitted",
    "HTTPExchange",
    "HistoryChange",
    "InputJSONDelta",
    "InputStatus",
    "InputTransformation",
    "InvalidRequestError",
    "JSONFault",
    "KNOWN_MODELS",
    "LimitError",
    "Limits",
    "ListedModel",
    "Liveness",
    "LocalProtocolError",
    "MCPToolListingBlock",
    "MCPToolResultBlock",
    "MCPToolUseBlock",
    "Message",
    "MessageAccumulator",
    "MessageDelta",
    "MessageRequest",
    "MessageStart",
    "MessageStop",
    "MessageStream",
    "ModelCapabilities",
    "ModelInfo",
    "ModelListing",
    "ModelPage",
    "ModelRequest",
    "ModelsRequest",
    "NoContinuation",
    "NotFoundError",
    "OutputTokensDetails",
    "OverloadedError",
    "PartialJSON",
    "PermissionDeniedError",
    "Ping",
    "Pool",
    "PreparedRequest",
    "Problem",
    "Proxy",
    "ProxyError",
    "Race",
    "RateLimit",
    "RateLimitError",
    "RateLimits",
    "ReadError",
    "Receive",
    "RedactedThinkingBlock",
    "RefusalError",
    "RemoteProtocolError",
    "RequestHead",
    "RequestTooLargeError",
    "ResponseHead",
    "RetryPolicy",
    "SSEDecoder",
    "Send",
    "ServerError",
    "ServerSentEvent",
    "ServerToolUse",
    "ServerToolUseBlock",
    "Severity",
    "SignatureDelta",
    "StopDetails",
    "StreamState",
    "SupportsParam",
    "TLSError",
    "TLSExchange",
    "TLSMaker",
    "TextBlock",
    "TextDelta",
    "TextEditorCodeExecutionToolResultBlock",
    "ThinkingBlock",
    "ThinkingDelta",
    "Timeouts",
    "TokenCount",
    "Tolerance",
    "ToolError",
    "ToolInputBlock",
    "ToolResultBlock",
    "ToolResultItem",
    "ToolSearchToolResultBlock",
    "ToolUseBlock",
    "TraceEvent",
    "TransportError",
    "TruncatedError",
    "UNSET",
    "UnifiedLimit",
    "UnknownBlock",
    "UnknownDelta",
    "UnknownEvent",
    "Unset",
    "Usage",
    "UsageIteration",
    "Verdict",
    "Wait",
    "Wakeup",
    "Wanted",
    "Watch",
    "WebFetchToolResultBlock",
    "WebSearchToolResultBlock",
    "Wire",
    "WriteError",
    "__version__",
    "aiter_events",
    "assistant",
    "continuation",
    "create_context",
    "decode",
    "document",
    "drive",
    "encode_event",
    "encode_sse",
    "fit_messages",
    "image",
    "iter_events",
    "media_type_of",
    "model_info",
    "next_step",
    "text_of",
    "tool_result",
    "user",
]
