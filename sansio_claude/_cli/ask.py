"""`ask`: one question to a real server, the key from the environment."""

from __future__ import annotations

import argparse
from typing import Any

import attrs

from sansio_claude._cli.input import Complaint
from sansio_claude._cli.live import watch
from sansio_claude._cli.options import (
    add_command,
    address_options,
    live_options,
    output_of,
    positive,
    question_options,
)
from sansio_claude._cli.question import request_of
from sansio_claude._cli.status import USAGE

__all__ = ["add_ask", "ask", "tools_options"]


def add_ask(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "ask",
        "ask a question and watch the answer grow",
        "Ask a question and watch the answer grow. Where stdout is no terminal it gets the text of the answer alone, "
        "and stderr the rest. The key is read from ANTHROPIC_API_KEY.",
        [
            'sansio-claude ask "Why is the sky blue?"',
            "git diff | sansio-claude ask - --system 'Review this.' > review.md",
            'sansio-claude ask "What is on it?" --image photo.jpg --thinking',
            'sansio-claude ask "Mend the test." --tools editor:src',
        ],
    )
    parser.set_defaults(run=ask)
    question_options(parser)
    tools_options(parser)
    parser.add_argument("--save", metavar="FILE", help="keep the stream as it came, for decode, replay and inspect")
    address_options(parser)
    live_options(parser)


def tools_options(parser: argparse.ArgumentParser) -> None:
    """The tools that the model may use."""
    parser.add_argument(
        "--tools",
        action="append",
        metavar="editor:DIR",
        help="let the model view and edit the text files below a folder",
    )
    parser.add_argument("--max-turns", type=positive, default=50, metavar="N", help="with tools (default: %(default)s)")


def ask(options: argparse.Namespace, recorder: Any = None) -> int:
    """Run the command; the exit status. `recorder` is told of every step and byte."""
    request = request_of(options)
    output = output_of(options)
    if not options.tools:
        return watch(request, output, runtime=options.runtime, recorder=recorder)
    from sansio_claude._cli.agent import converse, named_tools

    if output.save is not None:
        raise Complaint("--save keeps one answer: a conversation with tools has several; use record.", status=USAGE)
    tools, words = named_tools(options.tools, model=options.model)
    system = f"{options.system}\n\n{words}" if options.system is not None else words
    request = attrs.evolve(request, arguments={**request.arguments, "system": system})
    return converse(request, tools, output, max_turns=options.max_turns, runtime=options.runtime, recorder=recorder)
