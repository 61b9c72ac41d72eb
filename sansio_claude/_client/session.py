"""Session: a client without its event loop: endpoint, settings, pool, and how calls are made of arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Final, Protocol, TypedDict

import attrs

from sansio_claude._call.actions import CallSettings
from sansio_claude._call.call import Call
from sansio_claude._call.pool import Lock, Pool
from sansio_claude._call.retry import RetryPolicy
from sansio_claude._call.timeouts import Timeouts
from sansio_claude._connect.route import Route, route_to
from sansio_claude._errors import LocalProtocolError
from sansio_claude._http.exchange import WrittenHead
from sansio_claude._http.headers import check_headers, merge_betas
from sansio_claude._limits import Limits, limits_of
from sansio_claude._request.credentials import authorizer
from sansio_claude._request.endpoint import Endpoint, RequestHead, Sendable
from sansio_claude._request.request import MessageRequest
from sansio_claude._stream.deviations import verdicts
from sansio_claude._value import an

if TYPE_CHECKING:
    from os import PathLike
    from ssl import SSLContext

    from sansio_claude._call.actions import TLSFactory
    from sansio_claude._call.answer import Wanted
    from sansio_claude._call.connection import Connection
    from sansio_claude._call.trace import Tap, TraceEvent
    from sansio_claude._request.credentials import Auth
    from sansio_claude._request.request import Param
    from sansio_claude._stream.deviations import Tolerance

__all__ = ["MessageArguments", "RunArguments", "Session", "message_request"]

IDLE: Final = (
    30.0  # seconds that an unused connection is kept, unless the server names a shorter time (Keep-Alive: timeout=)
)


class OptionalArguments(TypedDict, total=False):
    """The arguments of a request to the Messages API that it can do without, but for `tools`."""

    system: str | Iterable[Param] | None
    tool_choice: Param | None
    thinking: Param | None
    temperature: float | None
    top_p: float | None
    top_k: int | None
    stop_sequences: Iterable[str] | None
    metadata: Param | None
    service_tier: str | None
    speed: str | None
    inference_geo: str | None
    container: str | Param | None
    cache_control: Param | None
    diagnostics: Param | None
    output_config: Param | None
    context_management: Param | None
    compaction: Param | None
    mcp_servers: Iterable[Param] | None
    fallbacks: str | Iterable[Param] | None
    fallback_credit_token: str | Param | None
    billing_policy: Any
    thread: Param | None
    safeguards: Iterable[Param] | None
    user_profile_id: str | None
    workspace_id: str | None
    betas: Sequence[str] | None
    extra_headers: Mapping[str, str | None] | None
    extra_query: Mapping[str, str] | None
    extra_body: Mapping[str, Any] | None


class RunArguments(OptionalArguments, total=False):
    """The arguments of a request to the Messages API without `tools`, which a run takes in more forms."""

    model: str | None
    max_tokens: int | None
    messages: Iterable[Param] | None


class MessageArguments(RunArguments, total=False):
    """The arguments of a request to the Messages API, by the wire's own names; those of `MessageRequest`."""

    tools: Iterable[Param] | None


class RequiredArguments(TypedDict):
    """The arguments that the API requires."""

    model: str
    max_tokens: int
    messages: Iterable[Param]


class NewRunArguments(OptionalArguments, RequiredArguments, total=False):
    """The arguments of a run of which there is no request yet: those that the API requires are required."""


class NewMessageArguments(NewRunArguments, total=False):
    """The arguments of a request of which there is no `MessageRequest`: those that the API requires are required."""

    tools: Iterable[Param] | None


class CountedArguments(TypedDict):
    """The arguments without which there are no tokens to count."""

    model: str
    messages: Iterable[Param]


class NewCountArguments(OptionalArguments, CountedArguments, total=False):
    """The arguments of a count of which there is no `MessageRequest`."""

    max_tokens: int | None
    tools: Iterable[Param] | None


class ClientOptions(TypedDict, total=False):
    """The options of a client."""

    timeouts: Timeouts | None
    retry: RetryPolicy | None
    limits: Limits | None
    max_connections: int
    ssl_context: SSLContext | None
    proxy: str | Mapping[str, str] | None
    uds: str | PathLike[str] | None
    strict: bool
    tolerance: Tolerance | None
    require_message_stop: bool
    betas: Sequence[str]
    headers: Mapping[str, str | None] | None
    trace: Callable[[TraceEvent], None] | None


class EnvironmentOptions(ClientOptions, total=False):
    """The options of a client made of an environment."""

    auth: Auth | None
    version: str
    allow_http: bool


class Request(Sendable, Protocol):
    """A request with its body: MessageRequest or one of the small calls."""

    def body(self, stream: bool | None = None) -> bytes:
        """The body as JSON."""
        ...


class Session:
    """What the clients of both event loops have in common. Does no I/O."""

    __slots__ = (
        "_heads",
        "_prepare",
        "_quiet",
        "_watched",
        "betas",
        "endpoint",
        "headers",
        "made",
        "pool",
        "route",
        "settings",
    )

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        timeouts: Timeouts | None,
        retry: RetryPolicy | None,
        limits: Limits | None,
        max_connections: int,
        proxy: str | Mapping[str, str] | None,
        uds: str | PathLike[str] | None = None,
        strict: bool,
        tolerance: Tolerance | None = None,
        require_message_stop: bool = True,
        betas: Sequence[str],
        headers: Mapping[str, str | None] | None,
        tls: TLSFactory,
        chance: Callable[[], float],
        wall: Callable[[], float],
        trace: Callable[[TraceEvent], None],
        watched: Callable[[], bool],
        lock: Lock | None = None,
        tap: Tap | None = None,
    ) -> None:
        # What is wrong with the options is said here, not in the middle of a call.
        if not isinstance(endpoint, Endpoint):
            raise LocalProtocolError(
                f"a client is made of an Endpoint, not of {an(type(endpoint).__name__)}: write "
                "Client(Endpoint.from_base_url(url, api_key=...)) or Client(Endpoint.from_env(os.environ))"
            )
        _check_options(timeouts, retry)
        verdicts(tolerance, strict)
        check_headers(headers, "headers")
        self.route: Route = route_to(endpoint.address, proxy=proxy, uds=uds, allow_http=endpoint.allow_http)
        # Before a call, not in its middle; a maker of one's own (in tests, say) may have nothing to prepare.
        self._prepare: Callable[[], None] | None = getattr(tls, "prepare", None) if endpoint.address.tls else None
        self.endpoint: Endpoint = endpoint
        self.betas: Sequence[str] = betas
        self.headers: Mapping[str, str | None] | None = headers
        self.pool: Pool[Connection] = Pool(max_connections=max_connections, idle_timeout=IDLE, lock=lock)
        self.settings: CallSettings = CallSettings(
            timeouts=timeouts or Timeouts(),
            retry=retry or RetryPolicy(),
            limits=limits_of(limits),
            strict=strict,
            tolerance=tolerance,
            require_message_stop=require_message_stop,
            proxy=self.route.proxy,
            uds=self.route.uds,
            loopback=self.route.loopback,
            authorize=authorizer(endpoint.auth_token),
            tls=tls,
            chance=chance,
            wall=wall,
            trace=trace,
            tap=tap,
        )

        # A call without `trace` is faster. `watched` is asked once for each call whether anybody reads the trace.
        self._quiet = attrs.evolve(self.settings, trace=None)
        self._watched = watched
        self._heads: dict[str, tuple[RequestHead, WrittenHead]] = {}
        self.made: Callable[[Call], object] | None = None
        """Called with every new call."""

    def call(self, request: Request, wanted: Wanted, *, within: float | None = None) -> Call:
        """The call of a request. Raises LocalProtocolError where it cannot be sent, TLSError without a trust store.

        `within` is a limit for the whole call, in seconds, where that of the settings (`Timeouts.total`) is not lower.
        """
        self.route.permit()
        if self._prepare is not None:
            self._prepare()
        head, written = self._head(request)
        body = request.body(stream=wanted in ("stream", "message"))
        settings = self.settings if self._watched() else self._quiet
        total = settings.timeouts.total
        if within is not None and (total is None or within < total):
            settings = attrs.evolve(settings, timeouts=attrs.evolve(settings.timeouts, total=within))
        call = Call(head, body, wanted=wanted, pool=self.pool, settings=settings, written=written, request=request)
        if self.made is not None:
            self.made(call)
        return call

    def derive(
        self,
        *,
        timeouts: Timeouts | None,
        retry: RetryPolicy | None,
        headers: Mapping[str, str | None] | None,
        betas: Sequence[str] | None,
        tolerance: Tolerance | None,
        require_message_stop: bool | None,
    ) -> Session:
        """A session with other options over the same pool; what is None stays. Headers and flags are added."""
        _check_options(timeouts, retry)
        verdicts(tolerance, self.settings.strict)
        given: dict[str, Any] = {
            "timeouts": timeouts,
            "retry": retry,
            "tolerance": tolerance,
            "require_message_stop": require_message_stop,
        }
        other = copy(self)
        other.settings = attrs.evolve(
            self.settings, **{name: value for name, value in given.items() if value is not None}
        )
        other._quiet = attrs.evolve(other.settings, trace=None)
        other.headers = {**check_headers(self.headers, "headers"), **check_headers(headers, "headers")}
        own = check_headers(self.headers, "headers").get("anthropic-beta")
        if own is not None and "anthropic-beta" in check_headers(headers, "headers"):
            betas = merge_betas(own, betas)  # flags are merged, wherever they stand
        other.betas = merge_betas(self.betas, betas)
        other._heads = {}
        return other

    def _head(self, request: Request) -> tuple[RequestHead, WrittenHead | None]:
        """The head of a request; most requests differ in their bodies only, and share one that is written already."""
        resource = request.resource
        if not (isinstance(request, MessageRequest) and request._only_body) and (
            resource not in _SHARED or request.betas or request.headers or request.query or request.secrets
        ):
            return self.endpoint.request_head(request, betas=self.betas, headers=self.headers), None
        shared = self._heads.get(resource)
        if shared is None:
            head = self.endpoint.request_head(request, betas=self.betas, headers=self.headers)
            shared = head, WrittenHead(method=head.method, target=head.target, headers=head.headers)
            self._heads[resource] = shared
        return shared


def _check_options(timeouts: Any, retry: Any) -> None:
    if not isinstance(timeouts, Timeouts | None):
        words = f"write timeouts=Timeouts(total={timeouts!r:.40}) for the whole call, or see Timeouts for its steps"
        raise LocalProtocolError(f"timeouts has to be Timeouts(...): {words}", path="timeouts")
    if not isinstance(retry, RetryPolicy | None):
        words = f"write retry=RetryPolicy(max_retries={retry!r:.40})"
        raise LocalProtocolError(f"retry has to be RetryPolicy(...): {words}", path="retry")


# What other clients take with a request, and how it is said here.
_OPTIONS: Final = {
    "timeout": "timeouts=Timeouts(total={!r:.40})",
    "max_retries": "retry=RetryPolicy(max_retries={!r:.40})",
}
_SHARED: Final = frozenset({"messages", "messages/count_tokens"})


def message_request(request: MessageRequest | None, arguments: Mapping[str, Any]) -> MessageRequest:
    """The request of a client's arguments: those given go over those of `request`."""
    if request is not None and not isinstance(request, MessageRequest):
        raise LocalProtocolError(
            f"a request has to be a MessageRequest or keyword arguments, not {an(type(request).__name__)}"
        )
    try:
        return MessageRequest(**arguments) if request is None else request.replace(**arguments)
    except TypeError as error:
        for name, instead in _OPTIONS.items():
            if name in arguments:
                raise LocalProtocolError(
                    f"{name} is no argument of a request; write client.with_options({instead.format(arguments[name])})",
                    path=name,
                ) from error
        words = "; what the library does not know yet can go into extra_body={...}"
        raise LocalProtocolError(f"{str(error).replace('MessageRequest.__init__()', 'the request')}{words}") from error
