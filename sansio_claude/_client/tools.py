"""The methods of the client that run tools. What they need is imported when they are first used: it takes a while."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, Unpack, overload

if TYPE_CHECKING:
    from sansio_claude._client.runtime import Runtime
    from sansio_claude._client.session import MessageArguments, NewMessageArguments, NewRunArguments, RunArguments
    from sansio_claude._client.stream import Stream
    from sansio_claude._request.request import MessageRequest
    from sansio_claude.tools._extract import Extraction
    from sansio_claude.tools._loop import ToolLoop
    from sansio_claude.tools._offered import ToolParam
    from sansio_claude.tools._run import Run

__all__ = ["ToolMethods"]

T = TypeVar("T")


class ToolMethods:
    """`run` and `extract` of the client."""

    __slots__ = ()
    if TYPE_CHECKING:
        _runtime: ClassVar[Runtime]

        def stream(self, *args: Any, **arguments: Any) -> Any: ...

        def _open(self, arguments: dict[str, Any], within: float | None) -> Stream: ...

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
        """Let the model use tools until it is done: `message = await client.run(...)` gives the final message.

        Or `async with client.run(...) as run`, then iterate for the events of the answers and of the tools; see `Run`.
        Takes what `ToolLoop` takes: tools (functions too), limits (`concurrency` is 16 unless given), and the request.
        Or a ToolLoop, to go on with it: then only `max_turns`, `token_budget` and `timeout` may be given.

        `timeout` limits the whole run, in seconds, from its beginning on: DeadlineError.
        """
        from sansio_claude.tools._run import run_over

        return run_over(
            self._open,
            self._runtime.executor,
            request,
            tools=tools,
            max_turns=max_turns,
            token_budget=token_budget,
            concurrency=concurrency,
            timeout=timeout,
            **arguments,
        )

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
    ) -> Extraction[T]: ...

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
    ) -> Extraction[T]: ...

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
    ) -> Extraction[T]:
        """A checked value of a type, from the model: `await client.extract(Person, ...)`.

        By structured output where the model has it, by a tool elsewhere (`structured` decides otherwise; see
        `Extractor`). Raises RefusalError where the model refuses.

        Or `async with client.extract(...) as extraction`, to iterate over the partial values; see `Extraction`.

        `kind` is anything that a hint can say. Type checkers have no word yet for a union or a Literal as a value
        (`TypeForm`): name it in a field of a class, or write `kind: Any = int | None`.
        """
        from sansio_claude.tools._extract import Extraction, Extractor

        extractor = Extractor(kind, request, name=name, attempts=attempts, structured=structured, **arguments)
        return Extraction(extractor, open_stream=self.stream)
