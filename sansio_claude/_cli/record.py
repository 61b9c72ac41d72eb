"""`record`: ask a question and keep the session, without its keys, in a file that can be replayed."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from sansio_claude._cli.ask import ask, tools_options
from sansio_claude._cli.input import Complaint
from sansio_claude._cli.options import add_command, address_options, live_options, question_options
from sansio_claude._cli.question import endpoint_of

__all__ = ["add_record", "record"]


def add_record(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "record",
        "ask a question and keep the session, without its keys, in a file",
        "Ask a question as `ask` does, and keep the session in a file: what was asked, what came, and when. Keys are "
        "taken out; prompt and answer are in it. The file is for replay, serve, decode and inspect.",
        [
            'sansio-claude record session.jsonl "Why is the sky blue?"',
            "sansio-claude inspect session.jsonl",
            "sansio-claude replay session.jsonl",
        ],
    )
    parser.set_defaults(run=record)
    parser.add_argument("file", metavar="FILE", help="made anew, readable by you only; it holds prompt and answer")
    question_options(parser)
    tools_options(parser)
    address_options(parser)
    live_options(parser)


def record(options: argparse.Namespace) -> int:
    """Run the command; the exit status."""
    from sansio_claude.testing import Recorder

    endpoint_of(options)  # no file is made where nothing can be asked
    try:
        recorder = Recorder(options.file)
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise Complaint(f"{options.file} cannot be written ({words}): name another file.") from error
    with recorder:
        status = ask(options, recorder)
    if not options.quiet and not options.json:
        print(f"The session is in {options.file}: prompt and answer are in it, keys are not.", file=sys.stderr)
    return status
