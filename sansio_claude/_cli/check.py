"""`check`: the problems of a request, named before it is sent."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from typing import Any

import attrs

from sansio_claude._cli.input import Complaint, one_line, open_source
from sansio_claude._cli.json_text import json_text, why_unreadable
from sansio_claude._cli.options import add_command
from sansio_claude._cli.status import USAGE
from sansio_claude._errors import LocalProtocolError
from sansio_claude._request.request import MessageRequest

__all__ = ["add_check", "check_file"]


def add_check(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
        commands,
        "check",
        "name the problems of a request before it is sent",
        "Name what the API would refuse in a request, and what is probably meant otherwise, before it is sent. "
        "The status is 1 where there is an error; warnings alone leave it 0.",
        [
            "sansio-claude check request.json",
            "sansio-claude check request.json --date 2027-01-01   # which models will be retired by then",
            "sansio-claude check - --json < request.json",
        ],
    )
    parser.set_defaults(run=lambda options: check_file(options.file, as_json=options.json, date=options.date))
    parser.add_argument("file", metavar="REQUEST.JSON", help="the body of a request; - reads stdin")
    parser.add_argument("--json", action="store_true", help="print the problems as JSON")
    parser.add_argument(
        "--date",
        metavar="YYYY-MM-DD",
        help="the day for which deprecated and retired models are judged (default: today)",
    )


def check_file(path: str, *, as_json: bool = False, date: str | None = None) -> int:
    """Run the command; the exit status. Raises Complaint for what is no request."""
    try:
        day = datetime.date.today() if date is None else datetime.date.fromisoformat(date)
    except ValueError:
        raise Complaint(f"--date takes a day such as 2027-01-31, not {date}.", status=USAGE) from None
    wanted = "the body of a request, an object with model and messages"
    with open_source(path, command="check", wanted=wanted) as source:
        name = source.name
        if source.kind == "stream":
            raise Complaint(f"{name} is no JSON object: give {wanted}.")
        try:
            body = json.loads(source.read())
        except (ValueError, RecursionError) as error:
            whole = "is not whole JSON" if isinstance(error, json.JSONDecodeError) else "is no JSON that can be read"
            raise Complaint(f"{name} {whole} ({why_unreadable(error)}): correct it there.") from error
    if not isinstance(body, dict):
        raise Complaint(f"{name} holds a JSON array: give {wanted}.")
    for key in ("extra_headers", "extra_query", "extra_body"):
        if not isinstance(body.get(key, {}), dict | None):
            raise Complaint(f"{name} has an {key} that is no object: make it one, or leave it away.")
    if not isinstance(body.get("betas", []), list | None):
        raise Complaint(f"{name} has betas that are no array: write them as an array of strings.")
    try:
        problems = MessageRequest.from_dict(body).check(date=day)
    except LocalProtocolError as error:
        raise Complaint(f"{name} cannot be sent: {error}.") from error
    if as_json:
        print(json_text([attrs.asdict(problem) for problem in problems], indent=2))
    else:
        for problem in problems:
            where = f"{problem.path}: " if problem.path else ""
            print(f"{problem.severity}: {where}{one_line(problem.message).removeprefix(where)}")
            if problem.hint:
                print(f"    {one_line(problem.hint)}")
        counts = Counter(problem.severity for problem in problems)
        found = ", ".join(f"{count} {severity}{'s' * (count > 1)}" for severity, count in counts.items())
        print(f"{name}: {found or 'no problems found'}")
    return 1 if any(problem.severity == "error" for problem in problems) else 0
