"""Runs any client program against the faults and says what it made of them.

The program is a command. For each fault it is run once, with ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY set; it has to
send one streaming request, print the text of the answer to stdout, and exit with status 0 if and only if it takes the
answer for whole. It should give up silent servers sooner than `patience`.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, TypeAlias

import attrs

from sansio_claude.testing.faults.fault import KEY, TEXT, Fault
from sansio_claude.testing.faults.server import READ, FaultServer

__all__ = ["Verdict", "Word", "report", "table"]

Word: TypeAlias = Literal[
    "right",
    "taken for whole",
    "not the whole text",
    "failed",
    "hangs",
    "shows the key",
    "sends the key elsewhere",
    "sends too often",
]


@attrs.define(frozen=True)
class Verdict:
    """What a program made of one fault."""

    fault: Fault
    """What was played."""
    word: Word
    """ "right", or what was wrong."""
    seconds: float
    """How long the program took."""
    requests: int
    """How many requests the server read."""
    status: int | None = None
    """The exit status; None where the program was ended after `patience`."""
    said: str = attrs.field(default="", repr=False)
    """The end of what it wrote to stderr."""


def report(
    command: Sequence[str], faults: Iterable[Fault], *, patience: float = 15.0, jobs: int = 1
) -> Iterator[Verdict]:
    """Run `command` against each fault, `jobs` at once; the verdicts in the order of the faults.

    `patience` is in seconds. Raises OSError where the command cannot be run.
    """
    with FaultServer() as server, ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda fault: _run(server, command, fault, patience), faults)


def _run(server: FaultServer, command: Sequence[str], fault: Fault, patience: float) -> Verdict:
    with server.site() as site, server.site(((READ, b"HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n"),)) as elsewhere:
        address = f"http://127.0.0.1:{elsewhere.port}"
        site.play(fault.scripts(address) if callable(fault.scripts) else fault.scripts)
        environ = {**os.environ, "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{site.port}", "ANTHROPIC_API_KEY": KEY}
        environ["PYTHONIOENCODING"] = "utf-8"
        started = time.monotonic()
        try:
            done = subprocess.run(command, env=environ, capture_output=True, timeout=patience, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return Verdict(fault, "hangs", time.monotonic() - started, len(site.requests))
        seconds = time.monotonic() - started
        server.catch_up()
        requests = len(site.requests)
        word = _word(fault, done, requests, b"".join(elsewhere.requests))
    return Verdict(fault, word, seconds, requests, done.returncode, done.stderr[-2_000:].decode("utf-8", "replace"))


def _word(fault: Fault, done: subprocess.CompletedProcess[bytes], requests: int, strayed: bytes) -> Word:
    if KEY.encode() in done.stdout + done.stderr:
        return "shows the key"
    if KEY.encode() in strayed:
        return "sends the key elsewhere"
    if done.returncode == 0:
        if fault.ends == "error":
            return "taken for whole"
        if done.stdout.decode("utf-8", "replace").strip() != TEXT:
            return "not the whole text"
    elif fault.ends == "whole":
        return "failed"
    if fault.requests is not None and requests > fault.requests:
        return "sends too often"
    return "right"


def table(verdicts: Iterable[Verdict]) -> str:
    """The verdicts as a Markdown table: a row for each group, then a line for each fault that was not right."""
    found = list(verdicts)
    rows = ["| faults | right | wrong |", "|---|---|---|"]
    groups = list(dict.fromkeys(each.fault.group for each in found))
    for group in groups:
        of_group = [each for each in found if each.fault.group == group]
        wrong = [f"{each.fault.name} ({each.word})" for each in of_group if each.word != "right"]
        rows.append(f"| {group} | {len(of_group) - len(wrong)} of {len(of_group)} | {', '.join(wrong)} |")
    right = sum(each.word == "right" for each in found)
    return "\n".join([*rows, f"| all | {right} of {len(found)} | |"])
