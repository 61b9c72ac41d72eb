"""The client and its streams, the same on every event loop: nothing here imports one, and no task is started.

What has to wait goes through the `Runtime` that an adapter brings: the clock, the loop that does what a call asks
for, and how the tools of one answer are run at once.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, Unpack, overload

from sansio_claude._call.call import Call
from sansio_claude._call.loop import close_discarded, drive
from sansio_claude._client.result import CreateResult, ModelListing
from sansio_claude._client.runtime import Runtime
from sansio_claude._client.session import (
    MessageArguments,
    NewCountArguments,
    NewMessageArguments,
    Request,
    Session,
    message_request,
)
from sansio_claude._client.stream import Stream
from sansio_claude._client.tools import ToolMethods
from sansio_claude._connect.tls import TLSMaker
from sansio_claude._copies import NotCopied
from sansio_claude._errors import LocalProtocolError
from sansio_claude._message.message import Message
from sansio_claude._request.catalog import ListedModel, ModelPage, ModelRequest, ModelsRequest, TokenCount
from sansio_claude._request.endpoint import Endpoint

if TYPE_CHECKING:
    import datetime
    import ssl
    from os import PathLike

    from sansio_claude._call.retry import RetryPolicy
    from sansio_claude._call.timeouts import Timeouts
    from sansio_claude._call.trace import TraceEvent
    from sansio_claude._check.problem import Problem
    from sansio_claude._client.session import EnvironmentOptions
    from sansio_claude._limits import Limits
    from sansio_claude._request.request import MessageRequest
    from sansio_claude._stream.deviations import Tolerance

__all__ = ["ClientBase"]


class ClientBase(NotCopied, ToolMethods):
    """What the clients of all event loops are; each adds the `Runtime` of its own."""

    _instead = "its connections belong to one process: make one there, or share this one"
    _to_close = "call aclose() or use async with"

    _runtime: ClassVar[Runtime]

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        limits: Limits | None = None,
        max_connections: int = 100,
        ssl_context: ssl.SSLContext | None = None,
        proxy: str | Mapping[str, str] | None = None,
        uds: str | PathLike[str] | None = None,
        strict: bool = False,
        tolerance: Tolerance | None = None,
        require_message_stop: bool = True,
        betas: Sequence[str] = (),
        headers: Mapping[str, str | None] | None = None,
        trace: Callable[[TraceEvent], None] | None = None,
    ) -> None:
        """Make a client of the API at `endpoint`. Does nothing yet, and reads nothing.

        Options, all keyword-only:

        - `timeouts`, `retry`, `limits`: see `Timeouts`, `RetryPolicy`, `Limits`.
        - `max_connections`: how many connections there may be at once; further calls wait in a row.
        - `ssl_context`: trust and options of your own for TLS with the API's server; by default the system's trust
          store, names checked. No proxy is shown anything of it: TLS begins behind the proxy's tunnel.
        - `proxy`: the address of an HTTP proxy (`http://host:port`) or of a SOCKS5 proxy (`socks5://host:port`, which
          resolves the name), or a mapping of environment variables such as `os.environ`, from which HTTPS_PROXY,
          ALL_PROXY and NO_PROXY are taken. By default none is used, whatever the environment says.
        - `uds`: the path of a unix socket to connect to instead of host and port; "@name" is an abstract one of Linux.
          Give `http://localhost` as the endpoint's address if the server behind it speaks no TLS.
        - `strict`: treat every deviation from the protocol as an error, but for those that `tolerance` names.
        - `tolerance`: what becomes of each kind of deviation, such as `{"usage": "accept"}`; see `MessageStream`.
        - `require_message_stop`: False takes an answer as whole that ends without message_stop behind its stop reason,
          or falls silent there for `Timeouts.after_stop_reason`.
        - `betas`, `headers`: beta flags and headers for every request.
        - `trace`: called with a `TraceEvent` for each step of each call; a method `tap(call, data)` of it, if it has
          one, is told the bytes of the bodies too (`sansio_claude.testing.Recorder`).

        One client serves one run of its event loop, any number of tasks and any number of calls at once. It may be
        used without `async with` if `aclose()` is called in the end.
        """
        runtime = self._runtime
        if trace is not None and not callable(trace):
            raise LocalProtocolError(f"trace has to be a function of one TraceEvent, not {trace!r:.40}", path="trace")

        def tell(event: TraceEvent) -> None:
            if runtime.debugging():
                runtime.debug("%s", event)
            if trace is not None:
                trace(event)

        self._parent: Self | None = None  # whose pool this one shares
        self._session = Session(
            endpoint,
            timeouts=timeouts,
            retry=retry,
            limits=limits,
            max_connections=max_connections,
            proxy=proxy,
            uds=uds,
            strict=strict,
            tolerance=tolerance,
            require_message_stop=require_message_stop,
            betas=betas,
            headers=headers,
            tls=TLSMaker(ssl_context),
            chance=runtime.chance,
            wall=runtime.wall,
            trace=tell,
            watched=lambda: trace is not None or runtime.debugging(),
            lock=runtime.lock(),
            tap=getattr(trace, "tap", None),
        )

    @classmethod
    def from_env(cls, environ: Mapping[str, str], **options: Unpack[EnvironmentOptions]) -> Self:
        """A client of what is in `environ`, mostly `os.environ`: the endpoint as `Endpoint.from_env` makes it, and the
        proxy of HTTPS_PROXY, ALL_PROXY and NO_PROXY.

        Takes the options of the client, those given counting before the environment, and `auth`, `version` and
        `allow_http` of the endpoint.
        """
        given: dict[str, Any] = dict(options)
        own = {name: given.pop(name) for name in ("auth", "version", "allow_http") if name in given}
        # Headers given here may be what signs in.
        endpoint = Endpoint.from_env(environ, headers=given.pop("headers", None), **own)
        if given.get("uds") is None:
            given.setdefault("proxy", environ)
        return cls(endpoint, **given)

    def with_options(
        self,
        *,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        headers: Mapping[str, str | None] | None = None,
        betas: Sequence[str] | None = None,
        tolerance: Tolerance | None = None,
        require_message_stop: bool | None = None,
    ) -> Self:
        """This client with other options, for one call or some: `client.with_options(timeouts=...).create(...)`.

        What is not given stays as it is; `headers` and `betas` are added to the client's. It shares connections, TLS
        and proxy with this client, which cannot be given here, and closing it closes nothing.
        """
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._parent = self
        other._session = self._session.derive(
            timeouts=timeouts,
            retry=retry,
            headers=headers,
            betas=betas,
            tolerance=tolerance,
            require_message_stop=require_message_stop,
        )
        return other

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint it was made with."""
        return self._session.endpoint

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all idle connections; those of open streams are closed when these end. No call can begin afterwards.

        What `with_options` made closes nothing: its connections are those of the client that it came from.
        """
        if self._parent is not None:
            return
        self._session.pool.close()
        close_discarded(self._session.pool)

    @overload
    def stream(self, request: MessageRequest, /, **arguments: Unpack[MessageArguments]) -> Stream: ...

    @overload
    def stream(self, request: None = None, /, **arguments: Unpack[NewMessageArguments]) -> Stream: ...

    def stream(self, request: MessageRequest | None = None, /, **arguments: Unpack[MessageArguments]) -> Stream:
        """Send a request and receive the answer as it comes: `async with client.stream(...) as stream`.

        Takes the API's own arguments, a `MessageRequest`, or a request and arguments to go over its own. Nothing is
        sent before `async with`; what cannot be sent raises LocalProtocolError here.
        """
        return Stream(self._runtime, self._session, self._session.call(message_request(request, arguments), "stream"))

    def _open(self, arguments: Mapping[str, Any], within: float | None) -> Stream:
        """The stream of a turn of a run, which may last so many seconds."""
        call = self._session.call(message_request(None, arguments), "stream", within=within)
        return Stream(self._runtime, self._session, call)

    @overload
    async def create(
        self,
        request: MessageRequest,
        /,
        *,
        stream: bool = True,
        with_response: Literal[False] = False,
        **arguments: Unpack[MessageArguments],
    ) -> Message: ...

    @overload
    async def create(
        self,
        request: MessageRequest,
        /,
        *,
        stream: bool = True,
        with_response: Literal[True],
        **arguments: Unpack[MessageArguments],
    ) -> CreateResult: ...

    @overload
    async def create(
        self,
        request: None = None,
        /,
        *,
        stream: bool = True,
        with_response: Literal[False] = False,
        **arguments: Unpack[NewMessageArguments],
    ) -> Message: ...

    @overload
    async def create(
        self,
        request: None = None,
        /,
        *,
        stream: bool = True,
        with_response: Literal[True],
        **arguments: Unpack[NewMessageArguments],
    ) -> CreateResult: ...

    async def create(
        self,
        request: MessageRequest | None = None,
        /,
        *,
        stream: bool = True,
        with_response: bool = False,
        **arguments: Unpack[MessageArguments],
    ) -> Message | CreateResult:
        """Send a request and return the whole message. Arguments are those of `stream`.

        It is streamed on the wire, so that a long answer is not taken for a dead connection, unless `stream=False`.
        Since nothing is given out before the end, errors in the middle of the stream are retried too.

        `message.request_id` is the API's id of the request; `with_response=True` gives a `CreateResult`, which has
        the head of the answer and its rate limits too.
        """
        call = self._session.call(message_request(request, arguments), "message" if stream else "whole")
        await self._finish(call)
        result, response = call.result, call.response
        assert isinstance(result, Message)
        assert response is not None
        return CreateResult(result, response) if with_response else result

    def check(
        self,
        request: MessageRequest | None = None,
        /,
        *,
        date: str | datetime.date | None = None,
        **arguments: Unpack[MessageArguments],
    ) -> list[Problem]:
        """What the API is known to refuse, ignore or advise against in a request from this client, before it is sent.

        As `MessageRequest.check`, with the version, the headers and the beta flags of the endpoint and the client.
        Sends nothing. An iterator among the arguments is refused with LocalProtocolError, because it would be used
        up: make a MessageRequest of the arguments, check it and send it. Linear in the size of the request.
        """
        for name, value in arguments.items():
            if isinstance(value, Iterator):
                words = "would be used up by check(): make a MessageRequest of the arguments, check it and send it"
                raise LocalProtocolError(f"{name} is an iterator, which {words}", path=name)
        asked = message_request(request, arguments)
        session = self._session
        try:
            head = session.endpoint.request_head(asked, betas=session.betas, headers=session.headers)
        except LocalProtocolError:
            # The request's own check says which header or flag cannot be sent.
            return asked.check(version=session.endpoint.version, betas=session.betas, date=date)
        version = head.get("anthropic-version") or session.endpoint.version
        return asked.check(version=version, betas=[head.get("anthropic-beta") or ""], date=date)

    @overload
    async def count_tokens(self, request: MessageRequest, /, **arguments: Unpack[MessageArguments]) -> TokenCount: ...

    @overload
    async def count_tokens(self, request: None = None, /, **arguments: Unpack[NewCountArguments]) -> TokenCount: ...

    async def count_tokens(
        self, request: MessageRequest | None = None, /, **arguments: Unpack[MessageArguments]
    ) -> TokenCount:
        """How many input tokens a request has. Arguments are those of `stream`."""
        return TokenCount(await self._json(message_request(request, arguments).count_tokens()))

    def models(
        self,
        *,
        limit: int | None = None,
        after_id: str | None = None,
        before_id: str | None = None,
        lifecycle: str | None = None,
    ) -> ModelListing:
        """The models that the API offers: `async for model in client.models()`, or all of them as one page by
        `await client.models()`. See `ModelListing`.

        `limit`: models in a page. `after_id`, `before_id`: only those behind, or in front of, this id. `lifecycle`:
        only those in this state.
        """
        request = ModelsRequest(limit=limit, after_id=after_id, before_id=before_id, lifecycle=lifecycle)
        return ModelListing(self._model_page, request)

    async def all_models(
        self,
        *,
        limit: int | None = None,
        after_id: str | None = None,
        before_id: str | None = None,
        lifecycle: str | None = None,
    ) -> ModelPage:
        """The models that the API offers, as one page: all, or those of the page that the arguments name."""
        return await self.models(limit=limit, after_id=after_id, before_id=before_id, lifecycle=lifecycle)

    async def _model_page(self, request: ModelsRequest) -> ModelPage:
        return ModelPage(await self._json(request))

    async def model(self, model_id: str) -> ListedModel:
        """What the API says of one model, by id or alias."""
        return ListedModel(await self._json(ModelRequest(id=model_id)))

    async def _json(self, request: Request) -> dict[str, Any]:
        call = self._session.call(request, "json")
        await self._finish(call)
        result = call.result
        assert isinstance(result, dict)
        return result

    async def _finish(self, call: Call) -> None:
        while await drive(self._runtime.adapter, call) is not None:
            pass

    def __del__(self) -> None:
        session = getattr(self, "_session", None)
        if session is not None and session.pool.idle and self._parent is None:
            warnings.warn(f"unclosed {self!r}: {self._to_close}", ResourceWarning, stacklevel=2, source=self)
            session.pool.close()
            close_discarded(session.pool)

    def __repr__(self) -> str:
        pool = self._session.pool
        state = "closed" if pool.closed else f"{pool.taken} busy, {pool.idle} idle"
        return f"<{self._runtime.name}.Client {self.endpoint.host} ({state})>"
