"""How faults end, in words: a row for each group of cases as docs/faults.md has it, and a line for each case."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from tests.faults.case import Case
from tests.faults.table import CASES

__all__ = ["GROUPS", "Group", "group_of", "listing", "summary"]


@attrs.define(frozen=True)
class Group:
    """Cases that have something in common."""

    words: str
    prefixes: tuple[str, ...]


GROUPS: Final = (
    Group("odd but right: line ends, pings, compression, gateways' habits", ("ok",)),
    Group("kept connections: stale, poisoned, left early", ("reuse",)),
    Group("cut: in a head, a chunk, an event, a record of TLS", ("trunc",)),
    Group("silent, dripping or never ending, at every stage", ("to",)),
    Group("no connection, or one that breaks before the answer", ("conn",)),
    Group("TLS: names, dates, trust, broken handshakes and records", ("tls",)),
    Group("proxies", ("proxy",)),
    Group("broken HTTP: heads, lengths, chunks, codings", ("http", "chunk", "trailers", "ce")),
    Group("statuses, and 200 with something else inside", ("status", "s200", "s202")),
    Group("what passes by itself, and when to ask again", ("retry",)),
    Group("the words of refusals: any bytes at all", ("eb",)),
    Group("redirects, which are never followed", ("redir",)),
    Group("events that break the rules", ("ev",)),
    Group("too much of anything", ("lim",)),
    Group("whole JSON answers that are none", ("nj",)),
    Group("the caller's own mistakes", ("key", "beta", "header", "req", "url", "client", "query", "extra")),
    Group("the caller is cancelled", ("cancel",)),
)
OUTCOMES: Final = {
    "ok": "the whole message",
    "truncated": "`TruncatedError`",
    "timeout": "`DeadlineError`",
    "connect": "`TransportError`",
    "protocol": "`RemoteProtocolError`",
    "limit": "`LimitError`",
    "api": "`APIError`",
    "cancelled": "cancelled",
}
_LOCAL: Final = GROUPS[-2]
_MOST: Final = 3  # outcomes named in a row, the commonest first


def group_of(name: str) -> Group:
    """The group of a case. There is one for each."""
    (found,) = (group for group in GROUPS if name.split("_")[0] in group.prefixes)
    return found


def summary() -> str:
    """The table of docs/faults.md."""
    rows = ["| what goes wrong | cases | how it ends |", "|---|---|---|"]
    for group in GROUPS:
        cases = [case for name, case in CASES.items() if group_of(name) is group]
        rows.append(f"| {group.words} | {len(cases)} | {_ends(group, cases)} |")
    return "\n".join(rows)


def _ends(group: Group, cases: Iterable[Case]) -> str:
    """The outcomes of a group, the commonest first. Where a case has several right ones, its first one counts."""
    counts: dict[str, int] = {}
    retried = 0
    for case in cases:
        first = case.want.split("|")[0]
        word = "`LocalProtocolError`" if group is _LOCAL and first == "protocol" else OUTCOMES[first]
        counts[word] = counts.get(word, 0) + 1
        retried += case.retried
    words = sorted(counts, key=lambda word: -counts[word])
    ends = ", ".join(words[:_MOST]) + (", ..." if len(words) > _MOST else "")
    return f"{ends}; {retried} of them well with retries" if retried else ends


def listing() -> str:
    """A line for each case: its name, how it may end, and whether retries mend it."""
    width = max(map(len, CASES))
    return "\n".join(
        f"{name:{width}}  {case.want.replace('|', ' or ')}{', well with retries' if case.retried else ''}"
        for name, case in CASES.items()
    )
