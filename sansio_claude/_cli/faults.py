"""`faults`: the catalogue of faults: list, describe, serve one, report on a client program."""

from __future__ import annotations

import argparse
import json
import sys
import threading
from typing import Any

from sansio_claude._cli.input import Complaint
from sansio_claude._cli.options import add_command, port, positive

__all__ = ["add_faults", "faults"]


def add_faults(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "faults",
        "what goes wrong on the wire, to be played against any client",
        "Play what goes wrong on the wire against any client: list the faults, describe one, serve one at an address "
        "of this machine, or run a client program against all of them and report.",
        [
            "sansio-claude faults list",
            "sansio-claude faults serve status_401 --port 8000",
            "sansio-claude faults report -- python my_client.py",
        ],
    )
    parts = parser.add_subparsers(dest="part", required=True, metavar="PART")
    add_command(
        parts,
        "list",
        "every fault, with a line on what it does",
        "Print the name of every fault and a line on what the server does.",
        ["sansio-claude faults list", "sansio-claude faults list | grep status"],
    )
    part = add_command(
        parts,
        "describe",
        "what a fault does, and what a good client does",
        "Print what the server does in a fault, and what a good client does then.",
        ["sansio-claude faults describe NAME"],
    )
    part.add_argument("name", metavar="NAME", help="as `faults list` gives it")
    part = add_command(
        parts,
        "serve",
        "play a fault at an address of this machine until Ctrl-C",
        "Listen at an address of this machine and play a fault to every client, until Ctrl-C.",
        ["sansio-claude faults serve NAME", "sansio-claude faults serve NAME --port 8000"],
    )
    part.add_argument("name", metavar="NAME", help="as `faults list` gives it")
    part.add_argument("--port", type=port, default=0, help="the port (default: any free one)")
    part = add_command(
        parts,
        "report",
        "run a client program against the faults",
        "Run a client program against the faults, once for each, and print a table of what it did right and wrong. The "
        "program finds the address and a key in its environment. The status is 1 where anything was wrong.",
        [
            "sansio-claude faults report -- python my_client.py",
            "sansio-claude faults report --only status --json -- ./my_client",
        ],
    )
    part.add_argument("--only", default="", metavar="TEXT", help="only the faults whose names have this text")
    part.add_argument("--patience", type=float, default=15.0, metavar="SECONDS", help="until a program hangs (15)")
    part.add_argument("--jobs", type=positive, default=2, metavar="N", help="programs at once (2)")
    part.add_argument("--json", action="store_true", help="one JSON line a fault in place of the table")
    part.add_argument("program", nargs="+", metavar="COMMAND", help="the program and its arguments, behind --")
    parser.set_defaults(run=faults)


def faults(options: argparse.Namespace) -> int:
    """Run the command; the exit status: of a report 1 where anything was wrong."""
    from sansio_claude.testing.faults import FAULTS, serve

    if options.part == "list":
        width = max(map(len, FAULTS))
        for name, each in FAULTS.items():
            print(f"{name:{width}}  {each.what}")
        return 0
    if options.part == "report":
        return _report(options)
    fault = FAULTS.get(options.name)
    if fault is None:
        raise Complaint(f"There is no fault {options.name}: sansio-claude faults list shows them.", status=2)
    if options.part == "describe":
        print(f"{fault.name} ({fault.group})\nThe server: {fault.what}.\nA good client: {fault.good}")
        if fault.requests is not None:
            print(f"Requests, retries included: at most {fault.requests}.")
        return 0
    try:
        with serve(fault, port=options.port) as address:
            print(f"{fault.name} at {address} until Ctrl-C: ANTHROPIC_BASE_URL={address}", flush=True)
            threading.Event().wait()
    except OSError as error:
        raise Complaint(f"Port {options.port} cannot be listened at: {error.strerror}.") from error
    except KeyboardInterrupt:
        print()
    return 0


def _report(options: argparse.Namespace) -> int:
    from sansio_claude.testing.faults import FAULTS, report, table

    chosen = [fault for name, fault in FAULTS.items() if options.only in name]
    if not chosen:
        raise Complaint(f"No fault has {options.only} in its name: sansio-claude faults list shows them.", status=2)
    verdicts = []
    try:
        for verdict in report(options.program, chosen, patience=options.patience, jobs=options.jobs):
            verdicts.append(verdict)
            if options.json:
                shown = {"fault": verdict.fault.name, "verdict": verdict.word, "seconds": round(verdict.seconds, 3)}
                print(json.dumps({**shown, "requests": verdict.requests, "status": verdict.status}), flush=True)
            elif sys.stderr.isatty():
                print(f"{verdict.fault.name}: {verdict.word}", file=sys.stderr)
    except OSError as error:
        raise Complaint(f"{options.program[0]} cannot be run: {error.strerror}.") from error
    if not options.json:
        print(table(verdicts))
    return int(any(verdict.word != "right" for verdict in verdicts))
