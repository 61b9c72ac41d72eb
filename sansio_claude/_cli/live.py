"""One streamed request with a view: what `demo`, `ask` and `replay` have in common."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias

import attrs

from sansio_claude._call.retry import RetryPolicy
from sansio_claude._cli.input import Complaint
from sansio_claude._cli.view import HowEnded, PlainView, View
from sansio_claude._errors import (
    APIError,
    AuthenticationError,
    ClaudeError,
    ConnectError,
    LocalProtocolError,
    NotFoundError,
    ProxyError,
    RemoteProtocolError,
    TLSError,
    TruncatedError,
)
from sansio_claude._message.message import Message
from sansio_claude._request.endpoint import Endpoint

__all__ = ["INTERRUPTED", "Request", "Runtime", "run_on", "sentence", "view_of_stdout", "watch"]

Runtime: TypeAlias = Literal["asyncio", "trio"]

INTERRUPTED: Final = 130  # the exit status of a command that Ctrl-C ended


@attrs.define(frozen=True, kw_only=True)
class Request:
    """What to send and where. `proxy` is what `Client` takes as such, `recording` names a file that answers."""

    endpoint: Endpoint
    arguments: Mapping[str, Any]
    max_retries: int = 0
    proxy: Any = None
    recording: str | None = None


def watch(request: Request, *, runtime: Runtime = "asyncio", plain: bool = False, split: bool = False) -> int:
    """Send the request and show the answer while it comes; the exit status.

    `plain` asks for plain text on a terminal too. `split` sends all that is not the answer's text to stderr where
    stdout is no terminal. Raises Complaint after whatever had arrived was shown.
    """
    started = time.monotonic()
    view, start, stop = view_of_stdout(started, plain=plain, split=split)
    last: list[Message | None] = [None]
    how: HowEnded = "failed"
    try:
        start()
        run_on(runtime, _stream, request, view, last)
        how = "complete"
    except KeyboardInterrupt:
        how = "interrupted"
    except ClaudeError as error:
        how = "cut" if isinstance(error, TruncatedError) else "failed"
        if last[0] is None:
            last[0] = error.partial
        raise Complaint(sentence(error, request)) from error
    finally:
        try:
            if last[0] is not None or how == "interrupted":
                view.end(last[0], how, time.monotonic())
        finally:
            stop()
    return INTERRUPTED if how == "interrupted" else 0


def view_of_stdout(started: float, *, plain: bool, split: bool) -> tuple[View, Callable[[], None], Callable[[], None]]:
    """The view for this stdout, and how to start and stop it."""

    def nothing() -> None:
        pass

    on_terminal = sys.stdout.isatty()
    if on_terminal and not plain:
        try:
            from rich.console import Console

            from sansio_claude._cli.rich_view import RichView
        except ModuleNotFoundError:
            print(
                "sansio-claude: for colours and a live view, install rich: pip install 'sansio-claude[cli]'",
                file=sys.stderr,
            )
        else:
            console = Console(highlight=False)
            if console.is_terminal and not console.is_dumb_terminal:
                live = RichView(console, started=started)
                return live, lambda: live.start("waiting for the answer"), live.stop
    notes = sys.stderr if split and not on_terminal else sys.stdout
    return PlainView(sys.stdout, notes, started=started, on_terminal=on_terminal), nothing, nothing


def run_on(runtime: Runtime, function: Callable[..., Any], *arguments: Any) -> None:
    """Run an async function on the event loop of that name; its first argument is that loop's client class."""
    if runtime == "trio":
        try:
            import trio
        except ModuleNotFoundError:
            raise Complaint(
                "The runtime trio is not installed: pip install 'sansio-claude[trio]', or use --runtime asyncio."
            ) from None
        from sansio_claude.trio import Client as TrioClient

        # Ctrl-C between two events and not in the middle of a line that is being written: asyncio does so too.
        trio.run(function, TrioClient, *arguments, restrict_keyboard_interrupt_to_checkpoints=True)
    else:
        import asyncio

        from sansio_claude.asyncio import Client as AsyncioClient

        asyncio.run(function(AsyncioClient, *arguments))


async def _stream(client_class: Any, request: Request, view: View, last: list[Message | None]) -> None:
    """The same on both event loops: the clients have the same names."""
    retry = RetryPolicy(max_retries=request.max_retries)
    async with (
        client_class(request.endpoint, retry=retry, proxy=request.proxy) as client,
        client.stream(**request.arguments) as stream,
    ):
        async for event in stream:
            view.show(event, stream.partial_input, time.monotonic())
            last[0] = stream.message


def sentence(error: ClaudeError, request: Request) -> str:
    """What happened and what to do, in one sentence."""
    endpoint = request.endpoint
    origin = f"{endpoint.scheme}://{endpoint.address.authority}"
    match error:
        case TruncatedError() if request.recording is not None:
            return f"{request.recording} was cut: it ends before message_stop; what had arrived is above."
        case APIError() if request.recording is not None:
            return f"{request.recording} ends in an error event of the server, {_said(error)}."
        case RemoteProtocolError() if request.recording is not None:
            return f"{request.recording} is not what the API sends: {error}."
        case TruncatedError() if error.partial is None:
            return f"The answer of {origin} ended before it began: ask again, and if that is no use check --base-url."
        case TruncatedError():
            return f"The answer of {origin} was cut before its end: what had arrived is above, so ask again."
        case APIError() if 300 <= error.status < 400:
            return f"{origin} does not answer itself ({_said(error)}): check --base-url."
        case AuthenticationError():
            return f"{origin} did not accept the key ({_said(error)}): check ANTHROPIC_API_KEY."
        case NotFoundError() if "model" in error.error_message:
            model = request.arguments.get("model")
            return f"{origin} does not know the model {model} ({_said(error)}): name another one with --model."
        case NotFoundError():
            return f"{origin} has no Messages API at {endpoint.url} ({_said(error)}): check --base-url."
        case APIError() if error.retryable:
            wait = "a while" if error.retry_after is None else f"{error.retry_after:.0f} s"
            return f"{origin} answered with an error that may pass ({_said(error)}): try again in {wait}."
        case APIError():
            return f"{origin} refused the request ({_said(error)}): change what it names and ask again."
        case TLSError():
            return f"No safe connection to {origin} ({error}): check the address and this machine's certificates."
        case ProxyError():
            return f"The proxy made no connection to {origin} ({error}): check HTTPS_PROXY and NO_PROXY."
        case ConnectError():
            return f"No server answers at {origin} ({error}): check --base-url and the network."
        case RemoteProtocolError():
            return f"{origin} did not answer as the Messages API does ({error}): check --base-url."
        case LocalProtocolError():
            return f"The request cannot be sent: {error}."
        case _:
            return f"The connection to {origin} failed: {error}; try again."


def _said(error: APIError) -> str:
    return f"{error.type or f'HTTP {error.status}'}: {error.error_message}" if error.error_message else str(error)
