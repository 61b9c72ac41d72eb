"""The command line: `sansio-claude` and `python -m sansio_claude`.

Every failure is one sentence on stderr and an exit status: 0 fine, 1 the input or the answer was not, 2 the command
was not understood, 130 Ctrl-C. There are no tracebacks, except of bugs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, ExitStack
from typing import Any, Final, TextIO

import attrs

from sansio_claude._cli.ask import ask
from sansio_claude._cli.check import check_file
from sansio_claude._cli.decode import decode_file
from sansio_claude._cli.faults import add_faults
from sansio_claude._cli.input import Complaint, open_source
from sansio_claude._cli.live import INTERRUPTED, Request, watch
from sansio_claude._cli.record import add_record
from sansio_claude._request.endpoint import DEFAULT_BASE_URL, USER_AGENT, Endpoint

__all__ = ["main"]

DEFAULT_MODEL: Final = "claude-opus-5-5"
_BROKEN_PIPE: Final = 141  # as of a program that SIGPIPE ended
_PACE: Final = 0.035  # seconds between two events of demo and replay at speed 1: about what a model takes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status."""
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character is no reason to stop.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 2
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except Complaint as complaint:
        return _complain(complaint)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _unread()
    except OSError as error:  # a full disk; what goes wrong with files and the network has been said by now
        _silence(sys.stdout)
        return _complain(Complaint(f"The output cannot be written ({error.strerror}): make room, or write elsewhere."))
    return status


def _open_what_is_closed() -> None:
    """A standard stream that was closed before leads nowhere, and its number goes to no socket."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nothing = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(nothing, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - for good


def _complain(complaint: Complaint) -> int:
    try:
        sys.stdout.flush()
        print(f"sansio-claude: {complaint}", file=sys.stderr)
    except BrokenPipeError:
        return _unread()
    except OSError:
        _silence(sys.stderr)  # there is nowhere left to say it
    return complaint.status


def _unread() -> int:
    """Whoever read our output has seen enough."""
    _silence(sys.stdout)
    return _BROKEN_PIPE


def _silence(stream: TextIO) -> None:
    """Nothing more goes out there. Python would complain once more when it flushes at exit."""
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), stream.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sansio-claude",
        description="Claude's streaming Messages API on the command line.",
        epilog="Start with `sansio-claude demo`: it needs no key and no network.",
    )
    parser.add_argument("--version", action="version", version=USER_AGENT.replace("/", " "))
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    demo = commands.add_parser("demo", help="watch an answer grow, from a server inside this program")
    demo.set_defaults(run=_demo)
    demo.add_argument("--agent", action="store_true", help="watch a conversation in which tools are used")
    _live_options(demo)
    _speed_options(demo)

    asker = commands.add_parser("ask", help="ask a question and watch the answer grow")
    asker.set_defaults(run=ask)
    asker.add_argument("prompt", metavar="PROMPT", help="the question; - reads it from stdin")
    asker.add_argument("--model", default=DEFAULT_MODEL, help="the model's id (default: %(default)s)")
    asker.add_argument("--max-tokens", type=_positive, default=4096, metavar="N", help="default: %(default)s")
    asker.add_argument("--system", metavar="TEXT", help="the system prompt")
    asker.add_argument(
        "--thinking",
        nargs="?",
        const="adaptive",
        metavar="BUDGET",
        help="let the model think first: adaptively, or with a budget of tokens for models that take one",
    )
    asker.add_argument(
        "--tools",
        action="append",
        metavar="editor:DIR",
        help="let the model view and edit the text files below a folder",
    )
    asker.add_argument("--max-turns", type=_positive, default=50, metavar="N", help="with tools (default: %(default)s)")
    asker.add_argument("--base-url", metavar="URL", help="default: ANTHROPIC_BASE_URL, else " + DEFAULT_BASE_URL)
    asker.add_argument("--messages-url", metavar="URL", help="the whole messages address, used as it stands")
    asker.add_argument("--allow-http", action="store_true", help="send the key without encryption")
    _live_options(asker)

    decode = commands.add_parser("decode", help="turn the bytes of a stream into the JSON of its message")
    decode.set_defaults(run=lambda options: decode_file(options.file, events=options.events, strict=options.strict))
    decode.add_argument("file", metavar="FILE", help="the body of a streamed answer; - reads stdin")
    decode.add_argument("--events", action="store_true", help="print one line of JSON for each event instead")
    decode.add_argument("--strict", action="store_true", help="take every deviation from the protocol for an error")

    replay = commands.add_parser("replay", help="serve a recorded stream and watch it arrive")
    replay.set_defaults(run=_replay)
    replay.add_argument("file", metavar="FILE", help="the body of a streamed answer; - reads stdin")
    _live_options(replay)
    _speed_options(replay)

    serve = commands.add_parser("serve", help="answer requests with recorded streams until Ctrl-C")
    serve.set_defaults(run=_serve)
    serve.add_argument("files", metavar="FILE", nargs="+", help="recorded streams, answered in turn")
    serve.add_argument("--host", default="127.0.0.1", help="where to listen (default: %(default)s)")
    serve.add_argument("--port", type=int, default=0, help="default: any free one")
    _speed_options(serve)

    checker = commands.add_parser("check", help="name the problems of a request before it is sent")
    checker.set_defaults(run=lambda options: check_file(options.file, as_json=options.json))
    checker.add_argument("file", metavar="REQUEST.JSON", help="the body of a request; - reads stdin")
    checker.add_argument("--json", action="store_true", help="print the problems as JSON")
    add_record(commands, DEFAULT_MODEL)
    add_faults(commands)
    return parser


def _live_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--runtime", choices=("asyncio", "trio"), default="asyncio", help="the event loop (default: %(default)s)"
    )
    parser.add_argument("--plain", action="store_true", help="plain text, as it is when stdout is no terminal")


def _speed_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--speed", type=_speed, default=1.0, metavar="FACTOR", help="how fast events come (default: %(default)s)"
    )
    parser.add_argument("--fast", action="store_true", help="do not wait between events")


def _positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError("it must be a whole number, at least 1")
    return value


def _speed(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("it must be a number, more than 0")
    return value


def _pace(options: argparse.Namespace) -> float:
    return 0.0 if options.fast else _PACE / options.speed


def _demo(options: argparse.Namespace) -> int:
    if options.agent:
        return _demo_agent(options)
    from sansio_claude._cli.demo import PROMPT, TOOL, demo_transcript

    print(f"> {PROMPT}\n", flush=True)
    arguments = {
        "model": DEFAULT_MODEL,
        "max_tokens": 2048,
        "thinking": {"type": "adaptive", "display": "summarized"},
        "tools": [TOOL],
        "messages": [{"role": "user", "content": PROMPT}],
    }
    return _watch_local(demo_transcript(), arguments, options)


def _demo_agent(options: argparse.Namespace) -> int:
    from sansio_claude._cli.agent import DEMO_PROMPT, converse, demo_agent

    print(f"> {DEMO_PROMPT}\n", flush=True)
    answers, tools, files = demo_agent(DEFAULT_MODEL)
    arguments = {
        "model": DEFAULT_MODEL,
        "max_tokens": 2048,
        "messages": [{"role": "user", "content": DEMO_PROMPT}],
    }

    def show(request: Request) -> int:
        return converse(request, tools, max_turns=len(answers), runtime=options.runtime, plain=options.plain)

    status = _serve_local(answers, arguments, options, show)
    if status == 0:
        print(f"\n[primes.py, as it is now]\n{files.contents['primes.py'].decode()}", end="", flush=True)
    return status


def _replay(options: argparse.Namespace) -> int:
    from sansio_claude.testing import Transcript

    arguments = {
        "model": DEFAULT_MODEL,
        "max_tokens": 1,
        "messages": [{"role": "user", "content": "replay"}],
    }
    transcript = Transcript.from_bytes(_recording(options.file, "replay"))
    name = "The input" if options.file == "-" else options.file
    return _watch_local(transcript, arguments, options, recording=name)


def _watch_local(
    transcript: Any, arguments: dict[str, Any], options: argparse.Namespace, *, recording: str | None = None
) -> int:
    """Stream from a server of our own, over a real socket."""
    return _serve_local(
        [transcript],
        arguments,
        options,
        lambda request: watch(attrs.evolve(request, recording=recording), runtime=options.runtime, plain=options.plain),
    )


def _serve_local(
    transcripts: list[Any],
    arguments: dict[str, Any],
    options: argparse.Namespace,
    show: Callable[[Request], int],
    *,
    recording: str | None = None,
) -> int:
    from sansio_claude.testing import ReplayServer, serve_in_thread

    server = ReplayServer(transcripts, pace=_pace(options))
    with ExitStack() as stack:
        try:
            address = stack.enter_context(serve_in_thread(server))
        except OSError as error:
            raise Complaint(f"No server can listen on this machine ({error}): allow sockets on 127.0.0.1.") from error
        endpoint = Endpoint.from_base_url(address.url, api_key="not-needed")
        return show(Request(endpoint=endpoint, arguments=arguments))


def _serve(options: argparse.Namespace) -> int:
    import asyncio

    from sansio_claude.testing import RecordedRequest, ReplayServer, Reply, Transcript, serve_in_asyncio

    def entry(path: str) -> Any:
        transcript = Transcript.from_bytes(_recording(path, "serve"))

        def answer(request: RecordedRequest) -> Reply:
            print(f"{request.method} {request.target} <- {path}", flush=True)
            return transcript

        return answer

    server = ReplayServer([entry(path) for path in options.files], cycle=True, pace=_pace(options))

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            try:
                address = await stack.enter_async_context(
                    serve_in_asyncio(server, host=options.host, port=options.port)
                )
            except (OSError, OverflowError) as error:
                where = f"{options.host}:{options.port}"
                raise Complaint(
                    f"No server can listen at {where} ({error}): choose another --port or --host."
                ) from error
            print(f"Serving {len(options.files)} recorded stream(s) at {address.url}; Ctrl-C ends it.")
            print(f"Try: ANTHROPIC_API_KEY=any sansio-claude ask hello --base-url {address.url}", flush=True)
            await asyncio.Event().wait()

    asyncio.run(serve())
    return 0


def _recording(path: str, command: str) -> bytes:
    with open_source(path, command=command) as source:
        if source.kind == "json":
            raise Complaint(f"{source.name} is JSON, not a recorded stream: see `sansio-claude decode {path}`.")
        return source.read()
