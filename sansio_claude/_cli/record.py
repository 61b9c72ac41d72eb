"""`record`: ask a question and keep the session, without its keys, in a file that can be replayed."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from typing import Any

from sansio_claude._cli.input import Complaint
from sansio_claude._request.endpoint import Endpoint

__all__ = ["add_record", "record"]


def add_record(commands: Any, model: str) -> None:
    """Add the command to the parser; `model` is the id that is asked unless another is given."""
    parser = commands.add_parser("record", help="ask a question and keep the session, without its keys, in a file")
    parser.add_argument("file", metavar="FILE", help="made anew, readable by you only; it holds prompt and answer")
    parser.add_argument("prompt", metavar="PROMPT", help="the question")
    parser.add_argument("--model", default=model, help="the model's id (default: %(default)s)")
    parser.add_argument("--max-tokens", type=int, default=4096, metavar="N", help="default: %(default)s")
    parser.set_defaults(run=record)


def record(options: argparse.Namespace) -> int:
    """Run the command; the exit status."""
    from sansio_claude.testing import Recorder

    endpoint = Endpoint.from_env(os.environ)
    try:
        recorder = Recorder(options.file)
    except OSError as error:
        raise Complaint(f"{options.file} cannot be written: {error.strerror}.") from error
    with recorder:
        asyncio.run(_ask(endpoint, recorder, options))
    print(f"The session is in {options.file}: prompt and answer are in it, keys are not.", file=sys.stderr)
    return 0


async def _ask(endpoint: Endpoint, recorder: Any, options: argparse.Namespace) -> None:
    from sansio_claude.asyncio import Client

    messages = [{"role": "user", "content": options.prompt}]
    async with (
        Client(endpoint, trace=recorder, proxy=dict(os.environ)) as client,
        client.stream(model=options.model, max_tokens=options.max_tokens, messages=messages) as stream,
    ):
        async for text in stream.text():
            print(text, end="", flush=True)
    print()
