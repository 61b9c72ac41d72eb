"""`inspect`: the picture of a stream, on the terminal, as an SVG, or as JSON."""

from __future__ import annotations

import argparse
import shutil
import sys
from typing import Any

from sansio_claude._cli.event_lines import streams_of
from sansio_claude._cli.input import Complaint, open_source
from sansio_claude._cli.json_text import json_text
from sansio_claude._cli.options import add_command
from sansio_claude._cli.picture import Picture, picture_of, picture_of_call
from sansio_claude._cli.picture_svg import picture_svg
from sansio_claude._cli.picture_text import picture_lines
from sansio_claude._cli.recorded import recording_of
from sansio_claude._cli.status import of_error

__all__ = ["add_inspect"]

_NARROWEST, _WIDEST = 40, 140


def add_inspect(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "inspect",
        "show when the blocks of a stream came, how fast, and what was odd",
        "Show the blocks of a recorded stream on a line of time: when each came and how fast, the first content, the "
        "longest gaps, sizes, pings, deviations from the protocol, and usage. A file of `record` has times; of other "
        "streams the line is one of bytes.",
        [
            "sansio-claude inspect session.jsonl",
            "sansio-claude inspect session.jsonl --svg session.svg",
            "sansio-claude inspect answer.sse --json",
        ],
    )
    parser.set_defaults(run=_inspect)
    parser.add_argument("file", metavar="FILE", help="a recording, a stream, or event lines; - reads stdin")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--svg",
        nargs="?",
        const="-",
        metavar="OUT.SVG",
        help="write a picture for a browser; without a name, or with -, to stdout",
    )
    how.add_argument("--json", action="store_true", help="print the figures as JSON")


def _inspect(options: argparse.Namespace) -> int:
    pictures = _pictures(options.file)
    if options.svg is not None:
        _write(options.svg, picture_svg(pictures))
    elif options.json:
        print(json_text([picture.to_dict() for picture in pictures], indent=2))
    else:
        ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
        columns = shutil.get_terminal_size((100, 24)).columns - 1
        width = max(_NARROWEST, min(_WIDEST, columns))
        print("\n\n".join("\n".join(picture_lines(each, width, ascii_only=ascii_only)) for each in pictures))
    failure = next((each.failure for each in pictures if each.failure is not None), None)
    return 0 if failure is None else of_error(failure)


def _pictures(path: str) -> list[Picture]:
    with open_source(path, command="inspect") as source:
        name = source.name
        if source.kind == "json":
            raise Complaint(f"{name} is JSON, not a recorded stream: see `sansio-claude decode {path}`.")
        if source.kind == "recording":
            calls = recording_of(source).calls
            several = len(calls) > 1
            return [picture_of_call(f"{name}, call {call.number}" if several else name, call) for call in calls]
        found = [picture_of(name, frames) for frames in streams_of(source)]
    if not any(picture.events for picture in found):
        raise Complaint(f"{name} is not an event stream: not one event is in it; give the body of a streamed answer.")
    return found


def _write(path: str, text: str) -> None:
    if path == "-":
        sys.stdout.write(text)
        return
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise Complaint(f"{path} cannot be written ({words}): name another file with --svg.") from None
