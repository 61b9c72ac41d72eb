"""What commands have in common: their help, and options that several of them take."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from typing import Any, Final

from sansio_claude._cli.live import Output
from sansio_claude._request.endpoint import DEFAULT_BASE_URL

__all__ = [
    "DEFAULT_MODEL",
    "HelpFormatter",
    "add_command",
    "address_options",
    "live_options",
    "output_of",
    "pace_of",
    "port",
    "positive",
    "question_options",
    "speed_options",
]

DEFAULT_MODEL: Final = "claude-opus-5-5"
_PACE: Final = 0.035  # seconds between two events of demo and replay at speed 1: about what a model takes


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Breaks the sentences on top where the terminal ends; what has line breaks of its own stays as it is."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" in text:
            return super()._fill_text(text, width, indent)
        return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent)


def add_command(commands: Any, name: str, summary: str, text: str, examples: Sequence[str]) -> argparse.ArgumentParser:
    """A command with a line for the list, a sentence or two on top of its help, and examples at the end."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=text,
        epilog="examples:\n" + "\n".join(f"  {example}" for example in examples),
        formatter_class=HelpFormatter,
    )
    return parser


def live_options(parser: argparse.ArgumentParser) -> None:
    """How an answer is shown, and on which event loop it is awaited."""
    parser.add_argument(
        "--runtime", choices=("asyncio", "trio"), default="asyncio", help="the event loop (default: %(default)s)"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--plain", action="store_true", help="plain text on a terminal too, without a live view")
    how.add_argument("--quiet", action="store_true", help="the text of the answer alone; problems are still told")
    how.add_argument("--json", action="store_true", help="the whole message as JSON, once it is there")


def output_of(options: argparse.Namespace) -> Output:
    """The choice of `live_options`."""
    return Output(plain=options.plain, quiet=options.quiet, as_json=options.json, save=getattr(options, "save", None))


def speed_options(parser: argparse.ArgumentParser) -> None:
    """How fast a recorded stream comes."""
    parser.add_argument(
        "--speed", type=_speed, default=1.0, metavar="FACTOR", help="how fast events come (default: %(default)s)"
    )
    parser.add_argument("--fast", action="store_true", help="do not wait between events")


def pace_of(options: argparse.Namespace) -> float:
    """Seconds between two events."""
    return 0.0 if options.fast else _PACE / float(options.speed)


def address_options(parser: argparse.ArgumentParser) -> None:
    """Where the server is, and what goes with every request to it."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--base-url", metavar="URL", help="default: ANTHROPIC_BASE_URL, else " + DEFAULT_BASE_URL)
    where.add_argument("--messages-url", metavar="URL", help="the whole messages address, used as it stands")
    parser.add_argument("--allow-http", action="store_true", help="send the key without encryption")
    parser.add_argument("--beta", action="append", metavar="FLAG", help="a beta flag to send; may be repeated")
    parser.add_argument("--header", action="append", metavar="'NAME: VALUE'", help="a header to send; may be repeated")


def question_options(parser: argparse.ArgumentParser) -> None:
    """A question and what goes with it."""
    parser.set_defaults(usage=parser.error)
    parser.add_argument("prompt", metavar="PROMPT", nargs="?", help="the question; - reads it from stdin")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="the model's id (default: %(default)s)")
    parser.add_argument("--max-tokens", type=positive, default=4096, metavar="N", help="default: %(default)s")
    parser.add_argument("--system", metavar="TEXT", help="the system prompt")
    parser.add_argument(
        "--thinking",
        nargs="?",
        const="adaptive",
        metavar="BUDGET",
        help="let the model think first: adaptively, or with a budget of tokens for models that take one",
    )
    parser.add_argument("--image", action="append", metavar="PATH|URL", help="an image to ask about; may be repeated")
    parser.add_argument("--pdf", action="append", metavar="PATH|URL", help="a PDF to ask about; may be repeated")


def positive(text: str) -> int:
    """A whole number from 1 on."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError("it must be a whole number, at least 1")
    return value


def port(text: str) -> int:
    """The number of a port; 0 for any free one."""
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise argparse.ArgumentTypeError("it must be a whole number from 0 to 65535")
    return value


def _speed(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("it must be a number, more than 0")
    return value
