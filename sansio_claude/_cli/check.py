"""`check`: the problems of a request, named before it is sent."""

from __future__ import annotations

import json
from collections import Counter

import attrs

from sansio_claude._cli.decode import json_text
from sansio_claude._cli.input import Complaint, one_line, open_source
from sansio_claude._errors import LocalProtocolError
from sansio_claude._request.request import MessageRequest

__all__ = ["check_file"]


def check_file(path: str, *, as_json: bool = False) -> int:
    """Run the command; the exit status. Raises Complaint for what is no request."""
    wanted = "the body of a request, an object with model and messages"
    with open_source(path, command="check", wanted=wanted) as source:
        name = source.name
        if source.kind != "json":
            raise Complaint(f"{name} is not JSON: give {wanted}.")
        try:
            body = json.loads(source.read())
        except (ValueError, RecursionError) as error:
            raise Complaint(f"{name} is not whole JSON ({error}): correct it there.") from error
    if not isinstance(body, dict):
        raise Complaint(f"{name} holds a JSON array: give {wanted}.")
    for key in ("extra_headers", "extra_query", "extra_body"):
        if not isinstance(body.get(key, {}), dict | None):
            raise Complaint(f"{name} has an {key} that is no object: make it one, or leave it away.")
    if not isinstance(body.get("betas", []), list | None):
        raise Complaint(f"{name} has betas that are no array: write them as an array of strings.")
    try:
        problems = MessageRequest.from_dict(body).check()
    except LocalProtocolError as error:
        raise Complaint(f"{name} cannot be sent: {error}.") from error
    if as_json:
        print(json_text([attrs.asdict(problem) for problem in problems], indent=2))
    else:
        for problem in problems:
            where = f"{problem.path}: " if problem.path else ""
            print(f"{problem.severity}: {where}{one_line(problem.message)}")
            if problem.hint:
                print(f"    {one_line(problem.hint)}")
        counts = Counter(problem.severity for problem in problems)
        found = ", ".join(f"{count} {severity}{'s' * (count > 1)}" for severity, count in counts.items())
        print(f"{name}: {found or 'no problems found'}")
    return 1 if any(problem.severity == "error" for problem in problems) else 0
