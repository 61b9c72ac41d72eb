"""The client on blocking sockets: the one of the event loops, driven by `finish`, without a loop."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar, Unpack, final, overload
from weakref import WeakSet

from sansio_claude._client.client import ClientBase
from sansio_claude._client.runtime import Runtime
from sansio_claude._copies import NotCopied
from sansio_claude._runtime.blocking import Adapter, finish, same_arguments
from sansio_claude._runtime.process import runtime_of
from sansio_claude.sync._stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sansio_claude._call.call import Call
    from sansio_claude._check.problem import Problem
    from sansio_claude._client.result import CreateResult
    from sansio_claude._client.session import (
        EnvironmentOptions,
        MessageArguments,
        NewCountArguments,
        NewMessageArguments,
        NewRunArguments,
        RunArguments,
    )
    from sansio_claude._message.message import Message
    from sansio_claude._request.catalog import ListedModel, ModelPage, TokenCount
    from sansio_claude._request.endpoint import Endpoint
    from sansio_claude._request.request import MessageRequest
    from sansio_claude.sync._run import Extraction, Run
    from sansio_claude.tools._execution import Executor
    from sansio_claude.tools._loop import ToolLoop
    from sansio_claude.tools._offered import ToolParam

__all__ = ["Client"]

T = TypeVar("T")


def _executor() -> Executor:
    from sansio_claude._runtime.thread_executor import ThreadExecutor  # takes a while, and is seldom needed

    return ThreadExecutor()


class _Inner(ClientBase):
    _to_close = "call close() or use with"
    _runtime: ClassVar[Runtime] = runtime_of("sansio_claude.sync", Adapter(), executor=_executor)


@final
class Client(NotCopied):
    """The client of the Messages API on blocking sockets: the names of the other clients, without `await`.

        with Client(Endpoint.from_env(os.environ)) as client:
            with client.stream(model=..., max_tokens=..., messages=[...]) as stream:
                for event in stream:
                    ...
            message = client.create(model=..., max_tokens=..., messages=[...])

    Any number of threads may use one client at once; they share its connections. It may be used without `with` if
    `close()` is called in the end. The options are those of the other clients.
    """

    _instead = "its connections belong to one process: make one there, or share this one"

    @same_arguments(ClientBase.__init__)
    def __init__(self, *args: Any, **options: Any) -> None:
        self._take(_Inner(*args, **options))

    def _take(self, inner: _Inner, parent: WeakSet[Call] | None = None) -> Self:
        calls: WeakSet[Call] = WeakSet()

        def made(call: Call) -> None:
            calls.add(call)
            if parent is not None:
                parent.add(call)

        self._inner = inner
        self._calls = calls
        self._session = inner._session
        self._session.made = made
        return self

    @classmethod
    def from_env(cls, environ: Mapping[str, str], **options: Unpack[EnvironmentOptions]) -> Self:
        """A client of what is in `environ`, mostly `os.environ`. See the other clients."""
        return object.__new__(cls)._take(_Inner.from_env(environ, **options))

    @same_arguments(ClientBase.with_options)
    def with_options(self, **options: Any) -> Client:
        """This client with other options, for one call or some, over the same connections. See the other clients."""
        return object.__new__(type(self))._take(self._inner.with_options(**options), self._calls)

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint it was made with."""
        return self._inner.endpoint

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all idle connections; those of open streams are closed when these end. No call can begin afterwards."""
        finish(self._inner.aclose())

    def shutdown(self) -> None:
        """Close the client and end every call of it at once, from any thread, without waiting: the threads that wait
        for one get a LocalProtocolError, and close their connections."""
        self.close()
        for call in list(self._calls):
            call.interrupt()

    @overload
    def stream(self, request: MessageRequest, /, **arguments: Unpack[MessageArguments]) -> Stream: ...

    @overload
    def stream(self, request: None = None, /, **arguments: Unpack[NewMessageArguments]) -> Stream: ...

    def stream(self, request: MessageRequest | None = None, /, **arguments: Any) -> Stream:
        """Send a request and receive the answer as it comes: `with client.stream(...) as stream`.

        Takes the API's own arguments, a `MessageRequest`, or a request and arguments to go over its own. Nothing is
        sent before `with`; what cannot be sent raises LocalProtocolError here.
        """
        stream = self._inner.stream(request, **arguments)
        return Stream(stream._runtime, stream._session, stream._call)

    @overload
    def create(
        self,
        request: MessageRequest,
        /,
        *,
        stream: bool = True,
        with_response: Literal[False] = False,
        **arguments: Unpack[MessageArguments],
    ) -> Message: ...

    @overload
    def create(
        self,
        request: MessageRequest,
        /,
        *,
        stream: bool = True,
        with_response: Literal[True],
        **arguments: Unpack[MessageArguments],
    ) -> CreateResult: ...

    @overload
    def create(
        self,
        request: None = None,
        /,
        *,
        stream: bool = True,
        with_response: Literal[False] = False,
        **arguments: Unpack[NewMessageArguments],
    ) -> Message: ...

    @overload
    def create(
        self,
        request: None = None,
        /,
        *,
        stream: bool = True,
        with_response: Literal[True],
        **arguments: Unpack[NewMessageArguments],
    ) -> CreateResult: ...

    def create(self, request: MessageRequest | None = None, /, **arguments: Any) -> Message | CreateResult:
        """Send a request and return the whole message. See the other clients."""
        made: Message | CreateResult = finish(self._inner.create(request, **arguments))
        return made

    @same_arguments(ClientBase.check)
    def check(self, *args: Any, **arguments: Any) -> list[Problem]:
        """What the API is known to refuse, ignore or advise against in a request from this client, before it is sent.
        Sends nothing. See the other clients."""
        return self._inner.check(*args, **arguments)

    @overload
    def count_tokens(self, request: MessageRequest, /, **arguments: Unpack[MessageArguments]) -> TokenCount: ...

    @overload
    def count_tokens(self, request: None = None, /, **arguments: Unpack[NewCountArguments]) -> TokenCount: ...

    def count_tokens(self, request: MessageRequest | None = None, /, **arguments: Any) -> TokenCount:
        """How many input tokens a request has. Arguments are those of `stream`."""
        return finish(self._inner.count_tokens(request, **arguments))

    @same_arguments(ClientBase.all_models)
    def models(self, **arguments: Any) -> ModelPage:
        """The models that the API offers, as one page: all, or those of the page that the arguments name."""
        return finish(self._inner.all_models(**arguments))

    def model(self, model_id: str) -> ListedModel:
        """What the API says of one model, by id or alias."""
        return finish(self._inner.model(model_id))

    @overload
    def run(
        self,
        request: MessageRequest | ToolLoop,
        /,
        *,
        tools: Iterable[ToolParam] = (),
        max_turns: int | None = None,
        token_budget: int | None = None,
        concurrency: int | None = None,
        timeout: float | None = None,
        **arguments: Unpack[RunArguments],
    ) -> Run: ...

    @overload
    def run(
        self,
        request: None = None,
        /,
        *,
        tools: Iterable[ToolParam] = (),
        max_turns: int | None = None,
        token_budget: int | None = None,
        concurrency: int | None = None,
        timeout: float | None = None,
        **arguments: Unpack[NewRunArguments],
    ) -> Run: ...

    def run(self, request: MessageRequest | ToolLoop | None = None, /, **arguments: Any) -> Run:
        """Let the model use tools until it is done: `with client.run(...) as run`, then iterate for the events of the
        answers and of the tools, or `run.final_message()`. Arguments are those of the other clients."""
        from sansio_claude.sync._run import Run

        return Run(self._inner.run(request, **arguments))

    @overload
    def extraction(
        self,
        kind: type[T],
        request: MessageRequest,
        /,
        *,
        name: str = "give_answer",
        attempts: int = 3,
        structured: bool | None = None,
        **arguments: Unpack[MessageArguments],
    ) -> Extraction[T]: ...

    @overload
    def extraction(
        self,
        kind: type[T],
        request: None = None,
        /,
        *,
        name: str = "give_answer",
        attempts: int = 3,
        structured: bool | None = None,
        **arguments: Unpack[NewMessageArguments],
    ) -> Extraction[T]: ...

    def extraction(self, kind: type[T], request: MessageRequest | None = None, /, **arguments: Any) -> Extraction[T]:
        """A value of a type as it grows: `with client.extraction(Person, ...)`; arguments are those of `extract`."""
        from sansio_claude.sync._run import Extraction

        return Extraction(self._inner.extract(kind, request, **arguments))

    @overload
    def extract(
        self,
        kind: type[T],
        request: MessageRequest,
        /,
        *,
        name: str = "give_answer",
        attempts: int = 3,
        structured: bool | None = None,
        **arguments: Unpack[MessageArguments],
    ) -> T: ...

    @overload
    def extract(
        self,
        kind: type[T],
        request: None = None,
        /,
        *,
        name: str = "give_answer",
        attempts: int = 3,
        structured: bool | None = None,
        **arguments: Unpack[NewMessageArguments],
    ) -> T: ...

    def extract(self, kind: type[T], request: MessageRequest | None = None, /, **arguments: Any) -> T:
        """A checked value of a type, from the model: `client.extract(Person, ...)`. See the other clients."""
        extraction: Extraction[T] = self.extraction(kind, request, **arguments)
        with extraction:
            for _ in extraction:
                pass
        return extraction.value

    def __repr__(self) -> str:
        return repr(self._inner)
