"""`demo`, `replay` and `serve`: recorded streams, served by this program itself."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from typing import Any, cast

import attrs

from sansio_claude._cli.input import Complaint, one_line
from sansio_claude._cli.live import Request, watch
from sansio_claude._cli.options import (
    DEFAULT_MODEL,
    add_command,
    live_options,
    output_of,
    pace_of,
    port,
    speed_options,
)
from sansio_claude._cli.recorded import answers_of
from sansio_claude._cli.status import INTERRUPTED
from sansio_claude._request.endpoint import Endpoint

__all__ = ["add_demo", "add_replay", "add_serve"]


def add_demo(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "demo",
        "watch an answer grow, from a server inside this program",
        "Watch an answer grow: thinking, text and the input of a tool. It needs no key and no network; the answer is "
        "always the same, and comes over a socket of this machine.",
        ["sansio-claude demo", "sansio-claude demo --agent", "sansio-claude demo --speed 3 --plain"],
    )
    parser.set_defaults(run=_demo)
    parser.add_argument("--agent", action="store_true", help="watch a conversation in which tools are used")
    live_options(parser)
    speed_options(parser)


def add_replay(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "replay",
        "serve a recorded stream and watch it arrive",
        "Serve a recorded stream and watch it arrive. A recording of `record` comes with the pauses that it had.",
        [
            "sansio-claude replay answer.sse",
            "sansio-claude replay session.jsonl --speed 2",
            "curl -N ... | sansio-claude replay - --fast > answer.txt",
        ],
    )
    parser.set_defaults(run=_replay)
    parser.add_argument("file", metavar="FILE", help="a stream, event lines, or a recording; - reads stdin")
    live_options(parser)
    speed_options(parser)


def add_serve(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "serve",
        "answer requests with recorded streams until Ctrl-C",
        "Answer every request with the recorded streams in turn, or with the answer of the demo, until Ctrl-C. Without "
        "a file a request's own tools are called and its schema is kept to. The lines that it prints first say how to "
        "ask it.",
        [
            "sansio-claude serve",
            "sansio-claude serve first.sse second.sse --port 8000 --fast",
            "curl -N ... | sansio-claude serve -",
        ],
    )
    parser.set_defaults(run=_serve)
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="*",
        help="streams or recordings; - reads stdin (default: the answer of the demo)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default: %(default)s)")
    parser.add_argument("--port", type=port, default=0, help="default: any free one")
    speed_options(parser)


def _demo(options: argparse.Namespace) -> int:
    if options.agent:
        return _demo_agent(options)
    from sansio_claude._cli.demo import PROMPT, TOOL, demo_transcript

    _tell(f"> {PROMPT}\n", options)
    arguments = {
        "model": DEFAULT_MODEL,
        "max_tokens": 2048,
        "thinking": {"type": "adaptive", "display": "summarized"},
        "tools": [TOOL],
        "messages": [{"role": "user", "content": PROMPT}],
    }
    return _watch_local([demo_transcript()], arguments, options)


def _demo_agent(options: argparse.Namespace) -> int:
    from sansio_claude._cli.agent import DEMO_PROMPT, converse, demo_agent

    _tell(f"> {DEMO_PROMPT}\n", options)
    answers, tools, files = demo_agent(DEFAULT_MODEL)
    arguments = {
        "model": DEFAULT_MODEL,
        "max_tokens": 2048,
        "messages": [{"role": "user", "content": DEMO_PROMPT}],
    }

    def show(request: Request) -> int:
        return converse(request, tools, output_of(options), max_turns=len(answers), runtime=options.runtime)

    status = _serve_local(answers, arguments, options, show)
    if status == 0:
        _tell(f"\n[primes.py, as it is now]\n{files.contents['primes.py'].decode().rstrip()}", options)
    return status


def _tell(text: str, options: argparse.Namespace) -> None:
    """Something beside the answer: on the terminal, else on stderr."""
    if options.quiet or options.json:
        return
    if sys.stdout.isatty():
        from sansio_claude._cli.terminal import folded

        print("\n".join(folded(line) for line in text.split("\n")), flush=True)
    else:
        print(text, file=sys.stderr, flush=True)


def _replay(options: argparse.Namespace) -> int:
    arguments = {
        "model": DEFAULT_MODEL,
        "max_tokens": 1,
        "messages": [{"role": "user", "content": "replay"}],
    }
    name = "The input" if options.file == "-" else options.file
    answers = answers_of(options.file, "replay", speed=None if options.fast else options.speed)
    return max(_watch_local([answer], arguments, options, recording=name) for answer in answers)


def _watch_local(
    answers: list[Any], arguments: dict[str, Any], options: argparse.Namespace, *, recording: str | None = None
) -> int:
    """Stream from a server of our own, over a real socket."""
    return _serve_local(
        answers,
        arguments,
        options,
        lambda request: watch(attrs.evolve(request, recording=recording), output_of(options), runtime=options.runtime),
    )


def _serve_local(
    answers: list[Any], arguments: dict[str, Any], options: argparse.Namespace, show: Callable[[Request], int]
) -> int:
    from sansio_claude.testing import ReplayServer, serve_in_thread

    server = ReplayServer(answers, pace=pace_of(options))
    with ExitStack() as stack:
        try:
            address = stack.enter_context(serve_in_thread(server))
        except OSError as error:
            raise Complaint(f"No server can listen on this machine ({error}): allow sockets on 127.0.0.1.") from error
        endpoint = Endpoint.from_base_url(address.url, api_key="not-needed")
        return show(Request(endpoint=endpoint, arguments=arguments))


def _serve(options: argparse.Namespace) -> int:
    import asyncio

    from sansio_claude.testing import RecordedRequest, ReplayServer, Reply, serve_in_asyncio

    def entry(answer: object, name: str) -> Any:
        def answered(request: RecordedRequest) -> Reply:
            print(one_line(f"{request.method} {request.target} <- {name}"), flush=True)
            return cast(Reply, answer(request)) if callable(answer) else cast(Reply, answer)

        return answered

    speed = None if options.fast else options.speed
    script = [entry(each, path) for path in options.files for each in answers_of(path, "serve", speed=speed)]
    if not script:
        from sansio_claude._cli.demo import demo_reply

        script = [entry(lambda request: demo_reply(request.body), "the answer of the demo")]
    server = ReplayServer(script, cycle=True, pace=pace_of(options))

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
            what = f"{len(script)} recorded stream(s)" if options.files else "the answer of the demo"
            print(f"Serving {what} at {address.url}; Ctrl-C ends it. Try:")
            print(f"  ANTHROPIC_API_KEY=any sansio-claude ask hello --base-url {address.url}")
            print(f"  ANTHROPIC_API_KEY=any ANTHROPIC_BASE_URL={address.url} python your_program.py", flush=True)
            await asyncio.Event().wait()

    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        if sys.stdout.isatty():
            print()  # the terminal has just written ^C
    return INTERRUPTED
