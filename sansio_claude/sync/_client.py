"""The client on blocking sockets: the one of the event loops, driven by `finish`, without a loop."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, Unpack, final
from weakref import WeakSet

from sansio_claude._client.client import ClientBase
from sansio_claude._client.runtime import Runtime
from sansio_claude._client.session import MessageArguments, RunArguments
from sansio_claude._runtime.blocking import Adapter, Blocking, finish, same_arguments
from sansio_claude._runtime.process import runtime_of
from sansio_claude.sync._stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sansio_claude._call.call import Call
    from sansio_claude._request.endpoint import Endpoint
    from sansio_claude._request.request import MessageRequest
    from sansio_claude.sync._run import Extraction, Run
    from sansio_claude.tools._execution import Executor
    from sansio_claude.tools._loop import ToolLoop, ToolParam

__all__ = ["Client"]

T = TypeVar("T")


def _executor() -> Executor:
    from sansio_claude._runtime.thread_executor import ThreadExecutor  # takes a while, and is seldom needed

    return ThreadExecutor()


class _Inner(ClientBase):
    _runtime: ClassVar[Runtime] = runtime_of("sansio_claude.sync", Adapter(), executor=_executor)


@final
class Client:
    """The client of the Messages API on blocking sockets: the names of the other clients, without `await`.

        with Client(Endpoint.from_env(os.environ)) as client:
            with client.stream(model=..., max_tokens=..., messages=[...]) as stream:
                for event in stream:
                    ...
            message = client.create(model=..., max_tokens=..., messages=[...])

    Any number of threads may use one client at once; they share its connections. It may be used without `with` if
    `close()` is called in the end. The options are those of the other clients.
    """

    @same_arguments(ClientBase.__init__)
    def __init__(self, *args: Any, **options: Any) -> None:
        self._inner = _Inner(*args, **options)
        self._calls: WeakSet[Call] = WeakSet()
        self._session = self._inner._session
        self._session.made = self._calls.add

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

    def stream(self, request: MessageRequest | None = None, /, **arguments: Unpack[MessageArguments]) -> Stream:
        """Send a request and receive the answer as it comes: `with client.stream(...) as stream`.

        Takes the API's own arguments, a `MessageRequest`, or a request and arguments to go over its own. Nothing is
        sent before `with`; what cannot be sent raises LocalProtocolError here.
        """
        stream = self._inner.stream(request, **arguments)
        return Stream(stream._runtime, stream._session, stream._call)

    create = Blocking(ClientBase.create)
    count_tokens = Blocking(ClientBase.count_tokens)
    models = Blocking(ClientBase.models)
    model = Blocking(ClientBase.model)

    def run(
        self,
        request: MessageRequest | ToolLoop | None = None,
        /,
        *,
        tools: Iterable[ToolParam] = (),
        max_turns: int | None = None,
        token_budget: int | None = None,
        concurrency: int | None = None,
        timeout: float | None = None,
        **arguments: Unpack[RunArguments],
    ) -> Run:
        """Let the model use tools until it is done: `with client.run(...) as run`, then iterate for the events of the
        answers and of the tools, or `run.final_message()`. Arguments are those of the other clients."""
        from sansio_claude.sync._run import Run

        return Run(
            self._inner.run(
                request,
                tools=tools,
                max_turns=max_turns,
                token_budget=token_budget,
                concurrency=concurrency,
                timeout=timeout,
                **arguments,
            )
        )

    def extraction(self, kind: type[T], request: MessageRequest | None = None, /, **arguments: Any) -> Extraction[T]:
        """A value of a type as it grows: `with client.extraction(Person, ...)`; arguments are those of `extract`."""
        from sansio_claude.sync._run import Extraction

        return Extraction(self._inner.extract(kind, request, **arguments))

    def extract(
        self,
        kind: type[T],
        request: MessageRequest | None = None,
        /,
        *,
        name: str = "give_answer",
        attempts: int = 3,
        structured: bool | None = None,
        **arguments: Unpack[MessageArguments],
    ) -> T:
        """A checked value of a type, from the model: `client.extract(Person, ...)`. See the other clients."""
        extraction = self.extraction(kind, request, name=name, attempts=attempts, structured=structured, **arguments)
        with extraction:
            for _ in extraction:
                pass
        return extraction.value

    def __repr__(self) -> str:
        return repr(self._inner).replace("._client._Inner", ".Client")
