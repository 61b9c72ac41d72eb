"""The command line: `sansio-claude` and `python -m sansio_claude`.

Every failure is one sentence on stderr and an exit status (`status`). There are no tracebacks, except of bugs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final, TextIO

from sansio_claude._cli.ask import add_ask
from sansio_claude._cli.catalog import add_count, add_models
from sansio_claude._cli.check import add_check
from sansio_claude._cli.completion import add_completion
from sansio_claude._cli.conform import add_conform
from sansio_claude._cli.decode import add_decode
from sansio_claude._cli.faults import add_faults
from sansio_claude._cli.input import Complaint
from sansio_claude._cli.inspect import add_inspect
from sansio_claude._cli.local import add_demo, add_replay, add_serve
from sansio_claude._cli.options import HelpFormatter
from sansio_claude._cli.record import add_record
from sansio_claude._cli.status import BROKEN_PIPE, INTERRUPTED, STATUSES
from sansio_claude._cli.terminal import folded
from sansio_claude._request.endpoint import USER_AGENT

__all__ = ["main"]

_COMMANDS: Final[tuple[Callable[[Any], None], ...]] = (
    add_demo,
    add_ask,
    add_count,
    add_models,
    add_decode,
    add_inspect,
    add_replay,
    add_serve,
    add_check,
    add_record,
    add_faults,
    add_conform,
)


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
        print(folded(f"sansio-claude: {complaint}", sys.stderr), file=sys.stderr)
    except BrokenPipeError:
        return _unread()
    except OSError:
        _silence(sys.stderr)  # there is nowhere left to say it
    return complaint.status


def _unread() -> int:
    """Whoever read our output has seen enough."""
    _silence(sys.stdout)
    return BROKEN_PIPE


def _silence(stream: TextIO) -> None:
    """Nothing more goes out there. Python would complain once more when it flushes at exit."""
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), stream.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sansio-claude",
        description="Claude's streaming Messages API on the command line.",
        epilog="Start with `sansio-claude demo`: it needs no key and no network.\n\nexit statuses:\n"
        + "\n".join(f"  {status:<4} {words}" for status, words in STATUSES.items()),
        formatter_class=HelpFormatter,
    )
    parser.add_argument("--version", action="version", version=USER_AGENT.replace("/", " "))
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for add in _COMMANDS:
        add(commands)
    add_completion(commands, parser)
    return parser
