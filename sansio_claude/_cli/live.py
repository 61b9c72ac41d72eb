"""One streamed request with a view: what `demo`, `ask` and `replay` have in common."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO, Literal, TypeAlias

import attrs

from sansio_claude._call.retry import RetryPolicy
from sansio_claude._cli.echo import no_echo, orderly_end
from sansio_claude._cli.input import Complaint
from sansio_claude._cli.json_text import json_text
from sansio_claude._cli.onlooker import Onlooker
from sansio_claude._cli.status import INTERRUPTED, finished, of_error
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

__all__ = ["Output", "Request", "Runtime", "how_of", "open_view", "run_on", "sentence", "watch"]

Runtime: TypeAlias = Literal["asyncio", "trio"]


@attrs.define(frozen=True, kw_only=True)
class Request:
    """What to send and where. `proxy` is what `Client` takes as such, `recording` names a file that answers.

    `address_option` is the option that names the address, for the words about one that is wrong.
    """

    endpoint: Endpoint
    arguments: Mapping[str, Any]
    max_retries: int = 0
    proxy: Any = None
    betas: Sequence[str] = ()
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    recording: str | None = None
    address_option: str = "--base-url"

    def client(self, client_class: Any, trace: Any = None) -> Any:
        """A client of that class with all of it."""
        return client_class(
            self.endpoint,
            retry=RetryPolicy(max_retries=self.max_retries),
            proxy=self.proxy,
            betas=list(self.betas),
            headers=dict(self.headers),
            trace=trace,
        )


@attrs.define(frozen=True, kw_only=True)
class Output:
    """How an answer is shown: live on a terminal, as text in a pipe, unless one of these says otherwise.

    plain: text on a terminal too; quiet: the text of the answer alone; as_json: the message as JSON; save: the path of
    a file that gets the stream as it came.
    """

    plain: bool = False
    quiet: bool = False
    as_json: bool = False
    save: str | None = None


def watch(request: Request, output: Output, *, runtime: Runtime = "asyncio", recorder: Any = None) -> int:
    """Send the request and show the answer while it comes; the exit status.

    `recorder` is told of every step and byte. Raises Complaint after whatever had arrived was shown, and for an answer
    that is not whole.
    """
    last: list[Message | None] = [None]
    how: HowEnded = "failed"
    with _saving(output.save) as save, open_view(output, "waiting for the answer") as view:
        try:
            run_on(runtime, _stream, request, view, Onlooker(view, save, recorder), last)
            how = "complete"
        except KeyboardInterrupt:
            how = "interrupted"
        except ClaudeError as error:
            how = how_of(error)
            if last[0] is None:
                last[0] = error.partial
            raise Complaint(sentence(error, request), status=of_error(error)) from error
        finally:
            if last[0] is not None or how == "interrupted":
                view.end(last[0], how, time.monotonic())
            if output.as_json and last[0] is not None:
                print(json_text(last[0].to_dict(), indent=2), flush=True)
    if how == "interrupted":
        return INTERRUPTED
    return finished(last[0], how_to_go_on="" if request.recording else ": allow more with --max-tokens")


def how_of(error: ClaudeError) -> HowEnded:
    """What the last line calls a failure."""
    return "cut" if isinstance(error, TruncatedError) else "failed"


@contextmanager
def _saving(path: str | None) -> Iterator[BinaryIO | None]:
    """The file for the stream, made anew."""
    if path is None:
        yield None
        return
    try:
        file = open(path, "wb")  # noqa: SIM115 - closed below, after what is said about failing to open it
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise Complaint(f"{path} cannot be written ({words}): name another file with --save.") from None
    with file:
        yield file


@contextmanager
def open_view(output: Output, words: str) -> Iterator[View]:
    """The view for this stdout, started; it is stopped in the end."""
    view = _view(output)
    start: Callable[[str], None] | None = getattr(view, "start", None)
    with ExitStack() as stack:
        stack.callback(view.stop)
        if start is not None:
            stack.enter_context(orderly_end())
            stack.enter_context(no_echo(sys.stdout))
            start(words)
        yield view


def _view(output: Output) -> View:
    started = time.monotonic()
    on_terminal = sys.stdout.isatty()
    if output.as_json or output.quiet:
        out = None if output.as_json else sys.stdout
        return PlainView(out, None, started=started, on_terminal=on_terminal)
    if not on_terminal:
        told = sys.stderr.isatty()
        return PlainView(sys.stdout, sys.stderr, started=started, on_terminal=False, notes_on_terminal=told)
    live = None if output.plain else _live_view(started)
    return live or PlainView(sys.stdout, sys.stdout, started=started, on_terminal=True)


def _live_view(started: float) -> View | None:
    """The live view, where this terminal can show one."""
    if (sys.stdout.encoding or "").lower().replace("-", "").replace("_", "") != "utf8":
        return None  # what it cannot show would be written as escapes of another width
    try:
        from rich.console import Console

        from sansio_claude._cli.rich_view import RichView
    except ModuleNotFoundError:
        print(
            "sansio-claude: for colours and a live view, install rich: pip install 'sansio-claude[cli]'",
            file=sys.stderr,
        )
        return None
    console = Console(highlight=False)
    if not console.is_terminal or console.is_dumb_terminal or console.legacy_windows:
        return None
    return RichView(console, started=started)


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


async def _stream(
    client_class: Any, request: Request, view: View, onlooker: Onlooker, last: list[Message | None]
) -> None:
    """The same on both event loops: the clients have the same names."""
    async with (
        request.client(client_class, onlooker) as client,
        client.stream(**request.arguments) as stream,
    ):
        async for event in stream:
            view.show(event, stream.partial_input, time.monotonic())
            last[0] = stream.message


def sentence(error: ClaudeError, request: Request) -> str:
    """What happened and what to do, in one sentence."""
    endpoint = request.endpoint
    origin = f"{endpoint.scheme}://{endpoint.address.authority}"
    option = request.address_option
    match error:
        case TruncatedError() if request.recording is not None:
            if error.partial is None:
                return f"{request.recording} is no Claude answer: there is no message_start in it."
            return f"{request.recording} was cut: it ends before message_stop; what had arrived is above."
        case APIError() if request.recording is not None:
            return f"{request.recording} ends in an error event of the server, {_said(error)}."
        case RemoteProtocolError() if request.recording is not None:
            return f"{request.recording} is not what the API sends: {error}."
        case TruncatedError() if error.partial is None:
            return f"The answer of {origin} ended before it began: ask again, and if that is no use check {option}."
        case TruncatedError():
            return f"The answer of {origin} was cut before its end: what had arrived is above, so ask again."
        case APIError() if 300 <= error.status < 400:
            return f"{origin} does not answer itself ({_said(error)}): check {option}."
        case AuthenticationError():
            return f"{origin} did not accept the key ({_said(error)}): check ANTHROPIC_API_KEY."
        case NotFoundError() if "model" in error.error_message:
            model = request.arguments.get("model")
            return f"{origin} does not know the model {model} ({_said(error)}): name another one with --model."
        case NotFoundError():
            return f"{origin} has no Messages API at {endpoint.url} ({_said(error)}): check {option}."
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
            return f"No server answers at {origin} ({error}): check {option} and the network."
        case RemoteProtocolError():
            return f"{origin} did not answer as the Messages API does ({error}): check {option}."
        case LocalProtocolError():
            return f"The request cannot be sent: {error}."
        case _:
            return f"The connection to {origin} failed: {error}; try again."


def _said(error: APIError) -> str:
    return f"{error.type or f'HTTP {error.status}'}: {error.error_message}" if error.error_message else str(error)
