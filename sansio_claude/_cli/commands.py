"""The command line: `sansio-claude` and `python -m sansio_claude`.

Every failure is one sentence on stderr and an exit status (`status`). There are no tracebacks, except of bugs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final, TextIO

from sansio_claude._cli.completion import add_completion
from sansio_claude._cli.input import Complaint
from sansio_claude._cli.options import HelpFormatter
from sansio_claude._cli.status import BROKEN_PIPE, INTERRUPTED, STATUSES
from sansio_claude._cli.terminal import folded
from sansio_claude._request.endpoint import USER_AGENT

__all__ = ["main"]

# The module with the options of each command. Only that of the command at hand is imported: all take half of a start.
_COMMANDS: Final = {
    "demo": "local",
    "ask": "ask",
    "count": "catalog",
    "models": "catalog",
    "decode": "decode",
    "inspect": "inspect",
    "replay": "local",
    "serve": "local",
    "check": "check",
    "record": "record",
    "faults": "faults",
    "conform": "conform",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status."""
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character is no reason to stop.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        parser = _parser(arguments[0] if arguments else "")
    except KeyboardInterrupt:
        return INTERRUPTED
    try:
        status = _run(parser, arguments)
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


def _run(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    try:
        options = parser.parse_args(arguments)
    except SystemExit:
        sys.stdout.flush()  # the help or the version
        raise
    if options.command is None:
        parser.print_help()
        return 2
    status: int = options.run(options)
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


def _parser(command: str = "") -> argparse.ArgumentParser:
    """The options of one command; of all where it is none of those that stand alone."""
    parser = argparse.ArgumentParser(
        prog="sansio-claude",
        description="Claude's streaming Messages API on the command line.",
        epilog="Start with `sansio-claude demo`: it needs no key and no network.\n\nexit statuses:\n"
        + "\n".join(f"  {status:<4} {words}" for status, words in STATUSES.items()),
        formatter_class=HelpFormatter,
    )
    parser.add_argument("--version", action="version", version=USER_AGENT.replace("/", " "))
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name in (command,) if command in _COMMANDS else _COMMANDS:
        module = import_module(f"sansio_claude._cli.{_COMMANDS[name]}")
        getattr(module, f"add_{name}")(commands)
    add_completion(commands, parser)
    return parser
