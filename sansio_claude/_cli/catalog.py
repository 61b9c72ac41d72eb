"""`models` and `count`: what the API knows, and how many tokens a question has."""

from __future__ import annotations

import argparse
from typing import Any

import attrs

from sansio_claude._cli.input import Complaint, one_line
from sansio_claude._cli.json_text import json_text
from sansio_claude._cli.live import Request, run_on, sentence
from sansio_claude._cli.options import add_command, address_options, question_options
from sansio_claude._cli.question import bare_request, request_of
from sansio_claude._cli.status import of_error
from sansio_claude._errors import ClaudeError

__all__ = ["add_count", "add_models"]


def add_models(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "models",
        "list the models that the key may use",
        "List the models that the key may use, the newest first: one line for each, with its id, a tab, and its name.",
        ["sansio-claude models", "sansio-claude models | cut -f1", "sansio-claude models --json"],
    )
    parser.set_defaults(run=_models)
    _call_options(parser)


def add_count(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "count",
        "count the tokens of a question without asking it",
        "Count the input tokens of a question, with its system prompt, images and PDFs, without asking it.",
        [
            'sansio-claude count "Why is the sky blue?"',
            "sansio-claude count - < book.txt",
            'sansio-claude count "Sum it up." --pdf report.pdf',
        ],
    )
    parser.set_defaults(run=_count)
    question_options(parser)
    _call_options(parser)


def _call_options(parser: argparse.ArgumentParser) -> None:
    address_options(parser)
    parser.add_argument(
        "--runtime", choices=("asyncio", "trio"), default="asyncio", help="the event loop (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print the answer of the API as JSON")


def _count(options: argparse.Namespace) -> int:
    request = request_of(options)
    counted = {key: value for key, value in request.arguments.items() if key != "max_tokens"}
    request = attrs.evolve(request, arguments=counted)

    async def count(client: Any) -> Any:
        return await client.count_tokens(**request.arguments)

    found = _asked(options, request, count)
    print(json_text(found.to_dict()) if options.json else found.input_tokens)
    return 0


def _models(options: argparse.Namespace) -> int:
    request = bare_request(options)

    async def models(client: Any) -> Any:
        return await client.all_models()

    found = _asked(options, request, models)
    if options.json:
        print(json_text([model.to_dict() for model in found], indent=2))
    else:
        for model in found:
            print(f"{one_line(model.id)}\t{one_line(model.display_name or '')}")
    return 0


def _asked(options: argparse.Namespace, request: Request, ask: Any) -> Any:
    """What the API answers. Raises Complaint."""
    found: list[Any] = []

    async def main(client_class: Any) -> None:
        async with request.client(client_class) as client:
            found.append(await ask(client))

    try:
        run_on(options.runtime, main)
    except ClaudeError as error:
        raise Complaint(sentence(error, request), status=of_error(error)) from error
    return found[0]
