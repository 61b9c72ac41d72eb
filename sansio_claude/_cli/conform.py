"""`conform`: what an endpoint does otherwise than the Messages API, from recorded answers or by ten small requests."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import ssl
import sys
import urllib.error
import urllib.request
from collections import Counter
from typing import Any, Final

from sansio_claude._cli.input import Complaint, Source, is_recording, one_line
from sansio_claude._cli.options import DEFAULT_MODEL
from sansio_claude._cli.recorded import recording_of
from sansio_claude._errors import ClaudeError
from sansio_claude._request.catalog import ModelsRequest
from sansio_claude._request.count_tokens import CountTokensRequest
from sansio_claude._request.endpoint import Endpoint
from sansio_claude._request.request import MessageRequest
from sansio_claude.gateway import (
    ConformanceCheck,
    Finding,
    Probe,
    ProbeAnswer,
    findings_as_json,
    judge,
    judge_body,
    probes,
)

__all__ = ["add_conform", "conform"]

_TIMEOUT: Final = 120  # seconds without a byte
_LARGEST: Final = 16 * 1024 * 1024  # bytes of one answer
_MARK: Final = {"passed": "+", "failed": "!", "unseen": "."}
_WRONG_KEY: Final = "sk-ant-wrong-key-of-a-conformance-check"


def add_conform(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "conform",
        help="say what an endpoint does otherwise than the Messages API",
        description="Checks the bodies of recorded answers, or an address by ten small requests (about 3,000 tokens).",
        epilog="Exit status: 0 no check of severity error failed, 1 one did, 2 the command was not understood. "
        "The key is ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN.",
    )
    parser.add_argument("files", metavar="FILE", nargs="*", help="bodies of answers, streamed or whole; - reads stdin")
    parser.add_argument("--base-url", metavar="URL", help="an address to ask, as ANTHROPIC_BASE_URL has it")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="the model to ask for (default: %(default)s)")
    parser.add_argument("--allow-http", action="store_true", help="send the key without encryption")
    parser.add_argument("--yes", action="store_true", help="send the requests without asking first")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument("--all", action="store_true", help="show what passed and what was not seen, too")
    parser.set_defaults(run=conform)


def conform(options: argparse.Namespace) -> int:
    """Run the command; the exit status."""
    if bool(options.files) == bool(options.base_url):
        raise Complaint("Give files to check, or --base-url and an address.", status=2)
    columns: dict[str, list[Finding]] = {}
    if options.files:
        for path in options.files:
            for name, body in _bodies(path).items():
                columns[name] = judge_body(body, where=name)
    else:
        columns[options.base_url] = _ask(options)
    found = [each for column in columns.values() for each in column]
    if options.json:
        print(findings_as_json(found))
    elif len(columns) == 1:
        _show(found, everything=options.all)
    else:
        _show_table(columns)
    failed = any(each.verdict == "failed" and each.check.severity == "error" for each in found)
    return 1 if failed else 0


def _bodies(path: str) -> dict[str, bytes]:
    """The bodies of the answers in a file: a recording has one for each call."""
    body = _body(path)
    if not is_recording(body.partition(b"\n")[0]):
        return {path: body}
    calls = recording_of(Source(path, "recording", iter([body]))).calls
    return {f"{path}, call {call.number}" if len(calls) > 1 else path: b"".join(call.chunks) for call in calls}


def _body(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise Complaint(f"{path} cannot be read ({reason}): check its name and your permissions.") from None


# Asking an address.


def _ask(options: argparse.Namespace) -> list[Finding]:
    key = os.environ.get("ANTHROPIC_API_KEY") or os.environ.get("ANTHROPIC_AUTH_TOKEN") or "no-key"
    try:
        endpoint = Endpoint.from_base_url(options.base_url, api_key=key, allow_http=options.allow_http)
    except ClaudeError as error:
        raise Complaint(f"{options.base_url} cannot be asked: {error}.", status=2) from None
    asked = probes(options.model)
    print(f"{len(asked)} requests go to {endpoint.host}:", file=sys.stderr)
    for probe in asked:
        print(f"  {probe.method} {probe.resource}: {probe.words}", file=sys.stderr)
    if not options.yes and not _agreed():
        raise Complaint("Nothing was sent: say yes, or give --yes.", status=2)
    found: list[Finding] = []
    for probe in asked:
        found += judge(probe, _send(endpoint, probe, key))
    return found


def _agreed() -> bool:
    if not sys.stdin.isatty():
        return False
    print("Send them? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _address(endpoint: Endpoint, probe: Probe) -> str:
    message = MessageRequest(model="m", max_tokens=1, messages=[{"role": "user", "content": "m"}])
    request: Any = message
    if probe.resource == "models":
        request = ModelsRequest()
    elif probe.resource == "messages/count_tokens":
        request = CountTokensRequest(message)
    return endpoint.prepare(request).url


def _send(endpoint: Endpoint, probe: Probe, key: str) -> ProbeAnswer:
    """One request on a connection of its own; no redirect is followed, nothing is tried again."""
    headers = {"anthropic-version": "2023-06-01", "accept-encoding": "identity", **probe.headers}
    shown = _WRONG_KEY if probe.auth == "wrong" else key
    headers.update({"authorization": f"Bearer {shown}"} if probe.auth == "bearer" else {"x-api-key": shown})
    data = None
    if probe.body is not None:
        data = json.dumps(probe.body).encode()
        headers["content-type"] = "application/json"
    request = urllib.request.Request(_address(endpoint, probe), data, headers, method=probe.method)
    opener = urllib.request.build_opener(_NoRedirect())
    try:
        with opener.open(request, timeout=_TIMEOUT) as answer:
            return _read(answer.status, answer.headers, answer)
    except urllib.error.HTTPError as answer:
        with answer:
            return _read(answer.code, answer.headers, answer)
    except (OSError, http.client.HTTPException, ssl.SSLError) as error:
        reason = getattr(error, "reason", error)
        return ProbeAnswer(0, error=one_line(str(reason).replace(key, "***")) or type(error).__name__)


def _read(status: int, headers: Any, answer: Any) -> ProbeAnswer:
    body = b""
    error = ""
    try:
        while len(body) < _LARGEST and (data := answer.read1(65_536)):
            body += data
    except http.client.IncompleteRead as cut:
        body += cut.partial
        error = "the body ended early"
    except (OSError, http.client.HTTPException) as cut:
        error = one_line(str(cut)) or type(cut).__name__
    return ProbeAnswer(status, dict(headers.items()), body, not error, error)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """A redirect is an answer like any other: no key goes to another address."""


# What people see.


def _order(each: Finding) -> tuple[int, int]:
    return (
        ("failed", "unseen", "passed").index(each.verdict),
        ("error", "warning", "note").index(each.check.severity),
    )


def _show(found: list[Finding], *, everything: bool) -> None:
    """The findings in words, the worst first; what was seen on several answers alike is said once."""
    places: dict[tuple[ConformanceCheck, str, str], list[str]] = {}
    for each in sorted(found, key=_order):
        if each.verdict == "failed" or everything:
            places.setdefault((each.check, each.verdict, each.words), []).append(each.where)
    for (check, verdict, words), where in places.items():
        severity = check.severity if verdict == "failed" else verdict
        named = ", ".join(name for name in where if name)
        print(f"{severity}: {check.id}{f' [{named}]' if named else ''}: {check.requirement}")
        if words:
            print(f"    seen: {one_line(words)}")
        if verdict == "failed":
            print(f"    {check.source}")
    print(_summary(found))


def _summary(found: list[Finding]) -> str:
    failed = Counter(each.check.severity for each in found if each.verdict == "failed")
    verdicts = Counter(each.verdict for each in found)
    counts = ", ".join(f"{failed[severity]} {severity}s" for severity in ("error", "warning", "note"))
    return f"{verdicts['passed']} checks passed, failed: {counts}; {verdicts['unseen']} had nothing to be made on."


def _show_table(columns: dict[str, list[Finding]]) -> None:
    """One table for several files: a row for each check that failed anywhere, a column for each file."""
    print("Files:")
    for number, (name, found) in enumerate(columns.items(), 1):
        print(f"  {number:>3}  {name}: {_summary(found)}")
    verdicts = {
        (each.check.id, number): each
        for number, found in enumerate(columns.values(), 1)
        for each in sorted(found, key=_order, reverse=True)
    }
    failed = sorted(
        {each.check for found in columns.values() for each in found if each.verdict == "failed"},
        key=lambda check: (("error", "warning", "note").index(check.severity), check.id),
    )
    if not failed:
        print("No check failed.")
        return
    width = max(len(check.id) for check in failed)
    print(f"\n{'':8} {'':{width}} " + " ".join(f"{number:>3}" for number in range(1, len(columns) + 1)))
    for check in failed:
        marks = []
        for number in range(1, len(columns) + 1):
            each = verdicts.get((check.id, number))
            marks.append(f"{' ' if each is None else _MARK[each.verdict]:>3}")
        print(f"{check.severity:8} {check.id:{width}} " + " ".join(marks))
    print("\n! failed, + passed, . nothing to be made on. The words: give one file.")
